//! How many findings of each severity there were.

use super::report::counted;
use super::{Diagnostic, Severity};

/// Counts of findings; filled one finding at a time, so that a stream of any
/// length needs no list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Findings of severity error.
    pub errors: u64,
    /// Findings of severity warning.
    pub warnings: u64,
    /// Findings of severity note.
    pub notes: u64,
}

impl Tally {
    /// Counts of a list.
    #[must_use]
    pub fn of(diagnostics: &[Diagnostic]) -> Self {
        let mut tally = Self::default();
        for diagnostic in diagnostics {
            tally.add(diagnostic.severity);
        }
        tally
    }

    /// Counts one finding.
    pub fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Note => self.notes += 1,
        }
    }

    /// Adds the counts of another tally.
    pub fn merge(&mut self, other: Self) {
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.notes += other.notes;
    }

    /// Whether nothing was an error.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.errors == 0
    }

    /// The severities that occurred and how often, worst first.
    pub fn counts(self) -> impl Iterator<Item = (Severity, u64)> {
        [
            (Severity::Error, self.errors),
            (Severity::Warning, self.warnings),
            (Severity::Note, self.notes),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
    }

    /// `9 errors, 2 warnings`, or `nothing found`.
    #[must_use]
    pub fn text(self) -> String {
        let counts: Vec<String> = self
            .counts()
            .map(|(severity, count)| counted(count, severity.name()))
            .collect();
        if counts.is_empty() {
            "nothing found".to_owned()
        } else {
            counts.join(", ")
        }
    }
}
