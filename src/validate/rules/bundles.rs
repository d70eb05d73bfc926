//! Bundles: as many of each part as the offering allows.

use super::{Rule, error};
use crate::diagnostic::Diagnostic;
use crate::model::reference::RelationshipKind;
use crate::model::{Action, Order, ProductOrder};
use crate::validate::Subject;

/// The rule.
pub const RULE: Rule = Rule {
    demand: "a bundle holds as many of each offering as it may",
    codes: &["order/bundle-limit"],
    check,
};

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let (Some(catalog), Order::Product(order)) = (subject.catalog, subject.order) else {
        return;
    };
    for (position, item) in order.items.iter().enumerate() {
        let Some(offering) = item
            .offering
            .as_ref()
            .and_then(|it| catalog.offering(&it.id))
        else {
            continue;
        };
        if item.action != Some(Action::Add) {
            continue;
        }
        for bundled in &offering.bundled {
            let count = parts(order, position, &bundled.id);
            let over = bundled.maximum.is_some_and(|maximum| count > maximum);
            if count < bundled.minimum || over {
                let most = bundled
                    .maximum
                    .map_or("any number".to_owned(), |most| most.to_string());
                let message = format!(
                    "bundle `{}` needs {} to {most} of `{}`, the order has {count}",
                    offering.specification.name, bundled.minimum, bundled.id
                );
                diagnostics.push(error("order/bundle-limit", item.node, message));
            }
        }
    }
}

/// How many of an offering stand inside an item, or are bundled by it.
fn parts(order: &ProductOrder<'_>, bundle: usize, offering: &str) -> u64 {
    let bundles = |id: &str| {
        order.items[bundle]
            .relationships
            .iter()
            .any(|relationship| {
                relationship.kind == RelationshipKind::Bundles && relationship.item == id
            })
    };
    let inside = order.items.iter().filter(|item| {
        item.offering
            .as_ref()
            .is_some_and(|reference| reference.id == offering)
            && (item.parent == Some(bundle) || bundles(&item.id))
    });
    inside
        .map(|item| {
            let quantity = item
                .node
                .get("quantity")
                .and_then(crate::document::Node::as_i64);
            u64::try_from(quantity.unwrap_or(1)).unwrap_or(0)
        })
        .fold(0, u64::saturating_add)
}
