//! States: those of the standard.

use super::{Rule, warning};
use crate::diagnostic::Diagnostic;
use crate::document::{Node, describe};
use crate::model::state::OrderState;
use crate::validate::Subject;

/// The rule. A state that is not known breaks nothing: orders are carried out from the beginning.
pub const RULE: Rule = Rule {
    demand: "states are those of the life cycle",
    codes: &["order/state", "order/state-spelling"],
    check,
};

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    state(subject.order.node(), diagnostics);
    for item in subject.order.items() {
        state(item.node, diagnostics);
    }
}

fn state(object: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(node) = object.get("state") else {
        return;
    };
    let Some(text) = node.as_str() else { return };
    match OrderState::read(&text) {
        Some((_, true)) => {}
        Some((state, false)) => {
            let message = format!("state `{text}` is read as `{state}`");
            diagnostics.push(warning("order/state-spelling", node, message));
        }
        None => {
            let message = format!("unknown state {}", describe(node));
            diagnostics.push(warning("order/state", node, message));
        }
    }
}
