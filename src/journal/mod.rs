//! What was meant, what was done: the write-ahead journal.
//!
//! An order's journal is a list of entries. An intent (`started`) is durable
//! before a request is sent, its outcome before any request that depends on it;
//! where an order stands is nothing but the fold over its entries ([`Progress`]).
//!
//! - [`entry`]: the entries as data;
//! - [`replay`]: the fold, pure;
//! - [`sqlite`]: the file, for reading ([`JournalReader`]) and shared by both;
//! - [`writer`]: the thread that makes entries durable in groups;
//! - `copier`: from the log to the database, beside that;
//! - [`hand`]: what people write beside it;
//! - `owner`: who is at work on an order, so that nobody else is;
//! - `seal`, `head`: the hash chain over entries, and where it ends;
//! - `migrate`: journals of older releases;
//! - [`find`]: orders by what is in them;
//! - [`verify`], [`export`]: whether a journal is as it was written, and all of it as JSON.

mod copier;
pub mod entry;
mod error;
pub mod export;
pub mod find;
pub mod hand;
mod head;
mod migrate;
mod owner;
pub mod replay;
mod seal;
pub mod sqlite;
pub mod verify;
pub mod writer;

pub use entry::{ClockKind, Entry, Event};
pub use error::JournalError;
pub use replay::{ACCEPTED, Doubt, IllegalEntry, Needs, Progress, TaskProgress};
pub use sqlite::{AtWork, JournalReader, OrderSummary, StoredOrder, revised};
pub use writer::{Alone, Begun, Foreign, JournalWriter, Lease, NewOrder};
