//! Findings about orders and catalogs, as data.
//!
//! A diagnostic says what is wrong with a *document*; it never says that the
//! run itself failed (a file that cannot be read is an error, not a
//! diagnostic). Renderers turn lists of diagnostics into text or JSON, one
//! renderer a file; nothing in this module prints.

pub mod suggestion;

use std::fmt;

use serde::{Serialize, Serializer};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Processing breaks, or would do the wrong thing.
    Error,
    /// A deviation that real systems commit daily; processing goes on.
    Warning,
    /// Worth knowing.
    Note,
}

/// Stable name of a kind of finding, such as `catalog/dangling-reference`.
///
/// The part before the slash is the area: `json`, `order`, `catalog`, `rule`,
/// `plan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// A place in an input: file, line and column (both from 1, the column in
/// characters), and the JSON Pointer (RFC 6901) of the value inside its
/// document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Location {
    /// File name as given by the user; `-` for standard input.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// JSON Pointer inside the document; empty for the document itself.
    pub pointer: String,
}

/// One finding about one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable code.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence without a full stop: what is wrong, with the values seen.
    pub message: String,
    /// Where.
    pub location: Location,
    /// What to do about it, where that can be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Another place that matters (the first of two duplicates).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related: Option<Location>,
}
