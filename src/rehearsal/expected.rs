//! Outcomes as documents, to be kept beside the orders that they are of.
//!
//! One thing a line, so that a change of what is expected reads well in a review.

use std::fmt::Write as _;

use super::outcome::{CHARACTERISTIC, Entity, Facts, Finding, Outcome};
use crate::document::{Document, Node, quote};

/// Version of the format that is written.
pub const FORMAT_VERSION: &str = "1.0";

/// Why a document is no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub struct ExpectedError {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// What is wrong, and what to do.
    pub reason: String,
}

const LISTS: [(&str, Entity); 3] = [
    ("services", Entity::Service),
    ("resources", Entity::Resource),
    ("tasks", Entity::Task),
];

/// Writes an outcome.
pub fn write(outcome: &Outcome) -> String {
    let mut text = format!(
        "{{\n\"@type\": \"ExpectedOutcome\",\n\"formatVersion\": {},\n\"order\": {}",
        quote(FORMAT_VERSION),
        quote(&outcome.order)
    );
    text.push_str(",\n\"findings\": [");
    for (position, finding) in outcome.findings.iter().enumerate() {
        text.push_str(if position == 0 { "\n" } else { ",\n" });
        let _ = write!(
            text,
            "  {{\"code\": {}, \"severity\": {}, \"pointer\": {}}}",
            quote(&finding.code),
            quote(&finding.severity),
            quote(&finding.pointer)
        );
    }
    text.push(']');
    for (name, entity) in LISTS {
        let _ = write!(text, ",\n{}: {{", quote(name));
        let entities = outcome
            .entities
            .iter()
            .filter(|((kind, _), _)| *kind == entity);
        for (position, ((_, id), facts)) in entities.enumerate() {
            text.push_str(if position == 0 { "\n" } else { ",\n" });
            let _ = write!(text, "  {}: {}", quote(id), object(facts));
        }
        text.push('}');
    }
    if let Some(plan) = outcome.entities.get(&(Entity::Plan, String::new())) {
        let _ = write!(text, ",\n\"plan\": {}", object(plan));
    }
    text.push_str("\n}\n");
    text
}

fn object(facts: &Facts) -> String {
    let mut text = String::from("{");
    let mut separate = "";
    for (name, value) in facts.iter().filter(|it| !it.0.starts_with(CHARACTERISTIC)) {
        let _ = write!(text, "{separate}{}: {value}", quote(name));
        separate = ", ";
    }
    let characteristics = facts.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(CHARACTERISTIC)?;
        Some(format!("{}: {value}", quote(name)))
    });
    let characteristics: Vec<String> = characteristics.collect();
    if !characteristics.is_empty() {
        let _ = write!(
            text,
            "{separate}\"characteristic\": {{{}}}",
            characteristics.join(", ")
        );
    }
    text.push('}');
    text
}

/// Reads an outcome.
///
/// # Errors
/// A document that is none, or is of a newer format.
pub fn read(document: &Document) -> Result<Outcome, ExpectedError> {
    let root = document.root();
    let fault = |node: Node<'_>, reason: &str| {
        let location = node.location();
        ExpectedError {
            file: location.file,
            line: location.line,
            reason: reason.to_owned(),
        }
    };
    if root.text("@type").as_deref() != Some("ExpectedOutcome") {
        return Err(fault(
            root,
            "this is no ExpectedOutcome; `--update` writes them",
        ));
    }
    let version = root.text("formatVersion").unwrap_or_default();
    if version.split('.').next() != FORMAT_VERSION.split('.').next() {
        return Err(fault(
            root,
            "its formatVersion is not 1.x; `--update` writes it anew",
        ));
    }
    let mut outcome = Outcome {
        order: root.text("order").unwrap_or_default().into_owned(),
        ..Outcome::default()
    };
    for finding in root.list("findings") {
        let text = |key: &str| finding.text(key).unwrap_or_default().into_owned();
        outcome.findings.push(Finding {
            code: text("code"),
            severity: text("severity"),
            pointer: text("pointer"),
        });
    }
    outcome.findings.sort();
    for (name, entity) in LISTS {
        let Some(list) = root.get(name) else { continue };
        for (id, facts) in list.members() {
            let id = id.as_str().unwrap_or_default().into_owned();
            outcome.entities.insert((entity, id), facts_of(facts));
        }
    }
    if let Some(plan) = root.get("plan") {
        outcome
            .entities
            .insert((Entity::Plan, String::new()), facts_of(plan));
    }
    Ok(outcome)
}

fn facts_of(node: Node<'_>) -> Facts {
    let mut facts = Facts::new();
    for (name, value) in node.members() {
        let name = name.as_str().unwrap_or_default();
        if name == "characteristic" {
            for (name, value) in value.members() {
                let name = format!("{CHARACTERISTIC}{}", name.as_str().unwrap_or_default());
                facts.insert(name, super::outcome::text(value));
            }
        } else {
            facts.insert(name.into_owned(), super::outcome::text(value));
        }
    }
    facts
}
