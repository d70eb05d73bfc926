//! Which task waits for which: dependencies of resource order items, and those
//! of the service and product order items that they realize.
//!
//! A dependency says that one thing stands on another. What that means for the
//! two tasks depends on what they do:
//!
//! | what depends | what it stands on | first |
//! |---|---|---|
//! | is made or changed | is made or changed | what it stands on |
//! | is removed | is removed | what depends: what was built last goes first |
//! | is made or changed | is removed | what depends: it is moved away before the ground goes |
//! | is removed | is made or changed | what it stands on: nothing is removed before the change around it is done |
//!
//! So in an order that does both, a removal waits for what is made or changed
//! next to it (make before break), and there is no cycle where the
//! dependencies have none. A dependency on an item without a task (noChange)
//! reaches through it to what that one depends on.

use std::collections::{HashMap, HashSet};

use super::Draft;
use crate::model::reference::RelationshipKind;
use crate::model::{Action, Order};

/// For each task the tasks before it, by position, without repetition, in ascending order.
///
/// A relationship on an item of a higher layer holds for all tasks below both items.
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
        let depends_on = dependencies(order);
        for item in order.items() {
            let waiting = below.get(&(layer, &**item.id)).map_or(&[][..], Vec::as_slice);
            if waiting.is_empty() {
                continue;
            }
            for ground in grounds(item.id, layer, &depends_on, &below) {
                for &after in waiting {
                    for &before in below.get(&(layer, ground)).map_or(&[][..], Vec::as_slice) {
                        if deleted(before) {
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

/// What each item of an order depends on, by id.
fn dependencies<'a>(order: &'a Order<'_>) -> HashMap<&'a str, Vec<&'a str>> {
    let mut dependencies: HashMap<&str, Vec<&str>> = HashMap::new();
    for item in order.items() {
        for relationship in item.relationships {
            if relationship.kind == RelationshipKind::Dependency {
                dependencies.entry(item.id).or_default().push(&relationship.item);
            }
        }
    }
    dependencies
}

/// The nearest items with tasks that an item depends on.
fn grounds<'a>(
    item: &'a str,
    layer: &'static str,
    depends_on: &HashMap<&'a str, Vec<&'a str>>,
    below: &HashMap<(&str, &str), Vec<usize>>,
) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    let mut open: Vec<&str> = depends_on.get(item).cloned().unwrap_or_default();
    while let Some(ground) = open.pop() {
        if below.contains_key(&(layer, ground)) {
            found.push(ground);
        } else if seen.insert(ground) {
            open.extend(depends_on.get(ground).into_iter().flatten());
        }
    }
    found
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
