//! What was meant, what was done: the write-ahead journal.
//!
//! An order's journal is a list of entries. An intent (`started`) is durable
//! before a request is sent, its outcome before anything depends on it; where
//! an order stands is nothing but the fold over its entries ([`Progress`]).
//!
//! - [`entry`]: the entries as data;
//! - [`replay`]: the fold, pure;
//! - [`sqlite`]: the file, for reading ([`JournalReader`]) and shared by both;
//! - [`writer`]: the thread that makes entries durable in groups;
//! - [`hand`]: what people write beside it;
//! - `owner`: who is at work on an order, so that nobody else is.

pub mod entry;
mod error;
pub mod hand;
mod owner;
pub mod replay;
pub mod sqlite;
pub mod writer;

pub use entry::{ClockKind, Entry, Event};
pub use error::JournalError;
pub use replay::{IllegalEntry, Needs, Progress, TaskProgress};
pub use sqlite::{JournalReader, OrderSummary, StoredOrder};
pub use writer::{Begun, Foreign, JournalWriter, Lease, NewOrder};
