//! The impact of a change as findings, for the reports that CI systems read.

use std::fmt::Write as _;

use super::text::{counts, name};
use super::{Effect, Impact};
use crate::comparison::{Comparison, title};
use crate::diagnostic::{Code, Diagnostic, Location, Severity};

/// Orders come out differently.
pub const CODE_DIFFERENT: Code = Code("impact/different");
/// Orders that were acceptable no longer are.
pub const CODE_REFUSED: Code = Code("impact/refused");

/// A finding for each cause, where the first document of it changed.
pub fn findings(impact: &Impact, comparison: &Comparison) -> Vec<Diagnostic> {
    let effects = impact.effects.iter();
    effects.map(|it| finding(it, comparison)).collect()
}

fn finding(effect: &Effect, comparison: &Comparison) -> Diagnostic {
    let causes = effect.cause.iter().map(|it| &comparison.documents[*it]);
    let titles: Vec<String> = causes.clone().map(title).collect();
    let (code, severity) = if effect.refused > 0 {
        (CODE_REFUSED, Severity::Warning)
    } else {
        (CODE_DIFFERENT, Severity::Note)
    };
    let mut message = format!(
        "{}: {}, for example {}",
        titles.join(", "),
        counts(effect),
        name(&effect.example)
    );
    if let Some(difference) = effect.example.differences.first() {
        let _ = write!(message, ": {difference}");
    }
    let first = causes.clone().next();
    let place = first.map(|it| {
        it.alterations
            .first()
            .map_or(&it.location, |it| &it.location)
    });
    let place = place.cloned().unwrap_or(Location {
        file: String::new(),
        line: 0,
        column: 0,
        pointer: String::new(),
    });
    Diagnostic::new(code, severity, place, message)
}
