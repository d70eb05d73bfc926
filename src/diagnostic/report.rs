//! What a command found, complete: what every renderer of a report gets.

use std::ops::Range;

use serde::Serialize;

use super::tally::Tally;
use super::{Diagnostic, Location, Severity};

/// What a command found in what it looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The command, such as `validate`.
    pub command: &'static str,
    /// Number of documents that were looked at.
    pub documents: u64,
    /// Findings, in input order.
    pub diagnostics: Vec<Diagnostic>,
    /// The documents that `diagnostics` are about, in input order; those without a finding only
    /// where a renderer needs them (see [`super::format::Format::names_every_document`]).
    pub subjects: Vec<Subject>,
    /// What went wrong with the run itself: with any, not everything was looked at.
    pub failures: Vec<RunFailure>,
}

/// A document that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// For people: its kind and id, such as `ProductOrder ORD-1`.
    pub name: String,
    /// Where it begins.
    pub location: Location,
    /// Its findings, as positions in the report's list.
    pub diagnostics: Range<usize>,
}

/// An error of the run, as a report shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunFailure {
    /// What was attempted, on what, why it failed.
    pub message: String,
    /// Where, if it is about a place of an input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

impl Report {
    /// Counts of the findings.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally::of(&self.diagnostics)
    }

    /// Whether everything was looked at and no finding is an error.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.failures.is_empty() && self.tally().is_valid()
    }

    /// One line, without its end: `validate: 2 documents: 1 error, 3 warnings`.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = format!("{}: {}", self.command, counted(self.documents, "document"));
        text.push_str(": ");
        text.push_str(&self.tally().text());
        match self.failures.len() as u64 {
            0 => {}
            count => {
                text.push_str("; not everything was looked at: ");
                text.push_str(&counted(count, "failure"));
            }
        }
        text
    }

    /// Positions of the `most` most severe findings, in input order.
    #[must_use]
    pub fn most_severe(&self, most: usize) -> Vec<usize> {
        let mut positions: Vec<usize> = (0..self.diagnostics.len()).collect();
        if positions.len() > most {
            // The sort is stable: of equally severe findings the first ones stay.
            positions.sort_by_key(|position| self.diagnostics[*position].severity);
            positions.truncate(most);
            positions.sort_unstable();
        }
        positions
    }

    /// The subject of each finding, where it is known.
    #[must_use]
    pub fn subject_of_each(&self) -> Vec<Option<&Subject>> {
        let mut subjects = vec![None; self.diagnostics.len()];
        for subject in &self.subjects {
            for position in subject.diagnostics.clone() {
                if let Some(place) = subjects.get_mut(position) {
                    *place = Some(subject);
                }
            }
        }
        subjects
    }
}

impl Severity {
    /// `error`, `warning`, `note`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// `1 document`, `2 documents`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
