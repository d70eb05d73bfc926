//! A comparison as findings, for the reports that CI systems read.

use super::{Comparison, DocumentChange, title, told};
use crate::diagnostic::{Code, Diagnostic, Severity};

/// Something breaks orders that were good before.
pub const CODE_BREAKING: Code = Code("diff/breaking");
/// A document is another one than before.
pub const CODE_CHANGE: Code = Code("diff/change");

/// A warning for each change that breaks orders, and a note for each document with others.
pub fn findings(comparison: &Comparison) -> Vec<Diagnostic> {
    comparison.documents.iter().flat_map(of_document).collect()
}

fn of_document(document: &DocumentChange) -> Vec<Diagnostic> {
    let title = title(document);
    let mut found = Vec::new();
    let (breaking, others): (Vec<_>, Vec<_>) =
        (document.alterations.iter()).partition(|it| it.breaking.is_some());
    for alteration in breaking {
        let why = alteration.breaking.unwrap_or_default();
        let message = format!("{title}: {}: {why}", told(alteration));
        let place = alteration.location.clone();
        found.push(Diagnostic::new(
            CODE_BREAKING,
            Severity::Warning,
            place,
            message,
        ));
    }
    let what = match others.as_slice() {
        [] if !found.is_empty() => return found,
        [] => document.change.name().to_owned(),
        others => others
            .iter()
            .map(|it| told(it))
            .collect::<Vec<_>>()
            .join("; "),
    };
    let place = others.first().map_or(&document.location, |it| &it.location);
    let message = format!("{title}: {what}");
    found.push(Diagnostic::new(
        CODE_CHANGE,
        Severity::Note,
        place.clone(),
        message,
    ));
    found
}
