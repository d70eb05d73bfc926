//! Item ids: there, and each only once.

use foldhash::{HashMap, HashMapExt as _};

use super::{Rule, error};
use crate::diagnostic::Diagnostic;
use crate::validate::Subject;

/// The rule.
pub const RULE: Rule = Rule {
    demand: "every item has an id of its own",
    codes: &["order/duplicate-item-id"],
    check,
};

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    if subject.order.len() < 2 {
        return;
    }
    let mut seen = HashMap::with_capacity(subject.order.len());
    for item in subject.order.items() {
        if item.id.is_empty() {
            // The schema has said so.
            continue;
        }
        let node = item.node.get("id").unwrap_or(item.node);
        if let Some(first) = seen.insert(item.id.clone(), node) {
            let message = format!("two items have the id `{}`", item.id);
            diagnostics.push(
                error("order/duplicate-item-id", node, message).with_related(first.location()),
            );
        }
    }
}
