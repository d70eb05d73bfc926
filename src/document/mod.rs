//! Bytes to documents, and documents to bytes.
//!
//! A [`Document`] keeps its text; everything read from it is a [`Node`] that
//! knows its place, and what is passed on is passed on as it was written.

mod canonical;
mod compose;
mod early;
mod edit;
mod kind;
mod parse;
mod scan;
mod schema;
mod source;
mod stream;
mod tape;
pub mod toml;
pub mod yaml;

pub use canonical::Canonical;
pub use compose::{Composer, Piece, Pieces};
pub use edit::{Edits, quote};
pub use kind::DocumentKind;
pub use parse::{MAXIMUM_DEPTH, SyntaxFault, SyntaxFaultKind};
pub use schema::Tape;
pub use source::{Selection, SourceError, SourceFile, SyntaxError};
pub use stream::{Batch, MAXIMUM_DOCUMENT, Stream, StreamError};
pub use tape::{Document, Elements, Kind, Members, Node, Origin, SharedText, describe};
