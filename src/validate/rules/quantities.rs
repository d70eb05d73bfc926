//! Quantities: at least one.

use super::{Rule, error};
use crate::diagnostic::Diagnostic;
use crate::document::{Kind, describe};
use crate::validate::Subject;

/// The rule.
pub const RULE: Rule = Rule {
    demand: "an item orders one or more",
    codes: &["order/quantity"],
    check,
};

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    for item in subject.order.items() {
        let Some(node) = item.node.get("quantity") else {
            continue;
        };
        // What is no number at all is a fault of structure.
        let number = node.kind() == Kind::Number;
        if number && node.as_i64().is_none_or(|quantity| quantity < 1) {
            let message = format!(
                "a quantity is a whole number from 1, found {}",
                describe(node)
            );
            diagnostics.push(error("order/quantity", node, message));
        }
    }
}
