//! Findings about orders and catalogs, as data.
//!
//! A diagnostic says what is wrong with a *document*; it never says that the
//! run itself failed (a file that cannot be read is an error, not a
//! diagnostic). A [`report::Report`] is a list of diagnostics with its
//! summary; renderers write it for people and programs, one renderer a file.
//! Nothing in this module prints.

pub mod codes;
pub mod format;
pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod report;
pub mod sarif;
pub mod suggestion;
pub mod tally;

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

impl Diagnostic {
    /// A finding without a hint.
    pub fn new(
        code: Code,
        severity: Severity,
        location: Location,
        message: impl Into<String>,
    ) -> Diagnostic {
        let message = message.into();
        Diagnostic {
            code,
            severity,
            message,
            location,
            hint: None,
            related: None,
        }
    }

    /// The finding with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }

    /// The finding with another place that matters.
    #[must_use]
    pub fn with_related(mut self, related: Location) -> Diagnostic {
        self.related = Some(related);
        self
    }
}

/// Whether any of the findings is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}
