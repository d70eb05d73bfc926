//! The rules of meaning, one a file.

mod actions;
mod bundles;
mod characteristics;
mod constraints;
mod dates;
mod deviations;
mod entities;
mod identifiers;
mod offerings;
mod quantities;
mod relations;
mod relationships;
mod states;

use super::Subject;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::Node;

/// A rule: what it is about, and the check.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What an order has to be to pass.
    pub demand: &'static str,
    /// Codes of its findings.
    pub codes: &'static [&'static str],
    /// Adds what it finds.
    pub check: fn(&Subject<'_, '_>, &mut Vec<Diagnostic>),
}

/// All rules, in the order in which they are applied.
pub static RULES: &[Rule] = &[
    deviations::RULE,
    identifiers::RULE,
    entities::RULE,
    actions::RULE,
    quantities::RULE,
    states::RULE,
    dates::RULE,
    relationships::RULE,
    offerings::RULE,
    bundles::RULE,
    characteristics::RULE,
    constraints::RULE,
    relations::RULE,
];

fn error(code: &'static str, node: Node<'_>, message: String) -> Diagnostic {
    Diagnostic::new(Code(code), Severity::Error, node.location(), message)
}

fn warning(code: &'static str, node: Node<'_>, message: String) -> Diagnostic {
    Diagnostic::new(Code(code), Severity::Warning, node.location(), message)
}
