//! Rejected orders, as documents that say why.

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Document, Edits, SyntaxFault, quote};

/// The order in state `rejected`, with its faults as notes.
///
/// # Errors
/// Never for documents that were parsed; the edits are JSON texts.
pub fn rejected(document: &Document, diagnostics: &[Diagnostic]) -> Result<Document, SyntaxFault> {
    let root = document.root();
    let mut edits = Edits::new();
    edits.set(root, "state", "\"rejected\"");
    let errors = diagnostics
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let notes: Vec<String> = errors
        .enumerate()
        .map(|(number, finding)| {
            let text = format!("{}: {} ({})", finding.code, finding.message, finding.location.pointer);
            format!(
                "{{\"id\":\"rejection-{}\",\"author\":\"orderctl\",\"text\":{},\"@type\":\"Note\"}}",
                number + 1,
                quote(&text)
            )
        })
        .collect();
    if !notes.is_empty() {
        edits.append(root, "note", &notes.join(","));
    }
    edits.apply(document)
}
