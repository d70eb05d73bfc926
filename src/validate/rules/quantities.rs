//! Quantities: at least one.

use super::{Rule, error, warning};
use crate::catalog::Catalog;
use crate::diagnostic::Diagnostic;
use crate::document::{Kind, describe};
use crate::model::{Action, Order, ProductOrderItem};
use crate::validate::Subject;

/// The rule.
pub const RULE: Rule = Rule {
    demand: "an item orders one or more",
    codes: &["order/quantity", "order/quantity-unread"],
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
    if let (Some(catalog), Order::Product(order)) = (subject.catalog, subject.order) {
        for item in &order.items {
            diagnostics.extend(unread(catalog, item));
        }
    }
}

/// A quantity that no rule looks at: one product is made all the same.
fn unread(catalog: &Catalog, item: &ProductOrderItem<'_>) -> Option<Diagnostic> {
    let node = item.node.get("quantity")?;
    let quantity = node.as_i64().filter(|it| *it > 1)?;
    if !matches!(item.action, Some(Action::Add | Action::Modify)) {
        return None;
    }
    let named = item.specification.as_ref();
    let named = named.and_then(|it| catalog.product(&it.id));
    let product = named.or_else(|| {
        let offering = catalog.offering(&item.offering.as_ref()?.id)?;
        Some(catalog.product_at(offering.product?))
    })?;
    if product.decompositions.is_empty() || product.counts(catalog) {
        return None;
    }
    let name = &product.specification.name;
    let message = format!(
        "the quantity {quantity} changes nothing: no rule of `{name}` reads `item.quantity`"
    );
    let hint = "let a DecompositionRule say `forEach: {count: item.quantity, as: number}`, or give each its own item";
    Some(warning("order/quantity-unread", node, message).with_hint(hint))
}
