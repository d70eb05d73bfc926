//! Which task waits for which: dependencies of resource order items, and those
//! of the service and product order items that they realize.

use std::collections::HashMap;

use super::Draft;
use crate::model::reference::RelationshipKind;
use crate::model::{Action, Order};

/// For each task the tasks before it, by position, without repetition, in ascending order.
///
/// A relationship on an item of a higher layer holds for all tasks below both items. Where both
/// ends are deleted, the order is reversed: what was built last is removed first.
pub fn edges(orders: &[Order<'_>], drafts: &[Draft<'_>]) -> Vec<Vec<usize>> {
    // Tasks below each item of each layer.
    let mut below: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for (task, draft) in drafts.iter().enumerate() {
        below.entry(("ResourceOrderItem", &draft.item.id)).or_default().push(task);
    }
    gather(orders, "ResourceOrder", "ResourceOrderItem", "ServiceOrderItem", &mut below);
    gather(orders, "ServiceOrder", "ServiceOrderItem", "ProductOrderItem", &mut below);
    let mut edges = vec![Vec::new(); drafts.len()];
    let deleted = |task: usize| drafts[task].item.action == Some(Action::Delete);
    for order in orders {
        let layer = item_type(order);
        for item in order.items() {
            let waiting = below.get(&(layer, &**item.id)).map_or(&[][..], Vec::as_slice);
            for relationship in item.relationships {
                if relationship.kind != RelationshipKind::Dependency {
                    continue;
                }
                let before = below.get(&(layer, &*relationship.item)).map_or(&[][..], Vec::as_slice);
                for &after in waiting {
                    for &before in before {
                        if deleted(after) && deleted(before) {
                            edges[before].push(after);
                        } else {
                            edges[after].push(before);
                        }
                    }
                }
            }
        }
    }
    for before in &mut edges {
        before.sort_unstable();
        before.dedup();
    }
    edges
}

fn item_type(order: &Order<'_>) -> &'static str {
    match order {
        Order::Product(_) => "ProductOrderItem",
        Order::Service(_) => "ServiceOrderItem",
        Order::Resource(_) => "ResourceOrderItem",
    }
}

/// Hands the tasks below each item up to the item that it realizes.
fn gather<'a>(
    orders: &'a [Order<'_>],
    type_name: &str,
    layer: &'static str,
    above: &'static str,
    below: &mut HashMap<(&'a str, &'a str), Vec<usize>>,
) {
    for order in orders.iter().filter(|order| order.type_name() == type_name) {
        for item in order.items() {
            let Some(tasks) = below.get(&(layer, &**item.id)).cloned() else { continue };
            for relationship in item.relationships {
                if relationship.kind == RelationshipKind::Realizes {
                    below.entry((above, &*relationship.item)).or_default().extend(&tasks);
                }
            }
        }
    }
}
