//! Dates: RFC 3339, or at least dates.

use super::{Rule, error, warning};
use crate::diagnostic::Diagnostic;
use crate::document::describe;
use crate::model::date::DateReading;
use crate::validate::Subject;

/// The rule.
pub const RULE: Rule = Rule {
    demand: "dates are dates, and an order ends after it begins",
    codes: &["order/date", "order/date-format", "order/date-order"],
    check,
};

const DATES: [&str; 8] = [
    "orderDate",
    "creationDate",
    "requestedStartDate",
    "requestedCompletionDate",
    "expectedCompletionDate",
    "completionDate",
    "startDate",
    "cancellationDate",
];

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let root = subject.order.node();
    for key in DATES {
        let Some(node) = root.get(key) else { continue };
        let Some(text) = node.as_str() else { continue };
        if text.is_empty() {
            continue;
        }
        match DateReading::of(&text) {
            DateReading::Exact(_) => {}
            DateReading::Lenient(moment) => {
                let message = format!("`{key}` is not written as in RFC 3339; read as {moment}");
                diagnostics.push(warning("order/date-format", node, message));
            }
            DateReading::None => {
                let message = format!("`{key}` is no date: {}", describe(node));
                diagnostics.push(
                    error("order/date", node, message)
                        .with_hint("write it as in RFC 3339: 2026-11-23T08:30:00Z"),
                );
            }
        }
    }
    let moment = |key: &str| DateReading::of(&root.text(key)?).timestamp();
    if let (Some(start), Some(end)) = (
        moment("requestedStartDate"),
        moment("requestedCompletionDate"),
    ) && end < start
    {
        let node = root.get("requestedCompletionDate").unwrap_or(root);
        let message = "`requestedCompletionDate` is before `requestedStartDate`".to_owned();
        diagnostics.push(warning("order/date-order", node, message));
    }
}
