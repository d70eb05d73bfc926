//! Deviations of form that real systems commit daily: read all the same.

use super::{Rule, warning};
use crate::diagnostic::Diagnostic;
use crate::document::{Kind, Node};
use crate::model::Order;
use crate::validate::Subject;

/// The rule.
pub const RULE: Rule = Rule {
    demand: "written as the standard has it: no nulls, no empty texts, `@type`, keys of version 4",
    codes: &[
        "order/null",
        "order/empty-text",
        "order/missing-type",
        "order/version-3-key",
    ],
    check,
};

/// Most nulls and empty texts of one order that are listed one by one.
const LISTED: usize = 100;

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let root = subject.order.node();
    if root.get("@type").is_none() {
        let message = format!("`@type` is missing; read as {}", subject.order.type_name());
        diagnostics.push(warning("order/missing-type", root, message));
    }
    let mut blanks = root.document().blanks();
    for node in blanks.by_ref().take(LISTED) {
        let pointer = node.pointer();
        let key = pointer.rsplit('/').next().unwrap_or_default();
        let (code, message) = match node.kind() {
            Kind::Null => ("order/null", format!("`{key}` is null; read as absent")),
            _ => ("order/empty-text", format!("`{key}` is an empty text")),
        };
        diagnostics.push(warning(code, node, message));
    }
    for item in subject.order.items() {
        let id = item.entity.and_then(|entity| entity.get("id"));
        if let Some(node) = id.filter(|node| node.raw() == "\"null\"") {
            let message = "`id` is the text `null`; read as absent".to_owned();
            diagnostics.push(warning("order/null", node, message));
        }
    }
    if let Some(next) = blanks.next() {
        let count = blanks.count() + 1;
        let message = format!("{count} more nulls and empty texts are not listed");
        diagnostics.push(warning("order/null", next, message));
    }
    let items = match subject.order {
        Order::Product(_) => "productOrderItem",
        Order::Service(_) => "serviceOrderItem",
        Order::Resource(_) => return,
    };
    if root.get(items).is_none()
        && let Some(list) = root.get("orderItem")
    {
        old_key(list, "orderItem", items, diagnostics);
    }
    for item in subject.order.items() {
        if let Some(list) = item.node.get("orderItemRelationship") {
            let key = format!("{items}Relationship");
            old_key(list, "orderItemRelationship", &key, diagnostics);
        }
    }
}

fn old_key(node: Node<'_>, old: &str, new: &str, diagnostics: &mut Vec<Diagnostic>) {
    let message = format!("`{old}` is version 3's name for `{new}`");
    diagnostics.push(warning("order/version-3-key", node, message));
}
