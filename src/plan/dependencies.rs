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
//! | is removed | is made or changed | what it stands on: the change around it is done first |
//!
//! So in an order that does both, a removal waits for what is made or changed
//! next to it (make before break), and there is no cycle where the dependencies
//! have none.

use std::collections::{HashMap, HashSet};

use super::Draft;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::reference::RelationshipKind;
use crate::model::{Action, ItemRelationship, Order};

/// For each task the tasks before it, by position, without repetition, in ascending order.
///
/// A relationship on an item of a higher layer holds for all tasks below both items, nested items
/// included. An item without a task hands on what it waits for itself. Where what is stood on is
/// deleted, the order is reversed.
pub fn edges(orders: &[Order<'_>], drafts: &[Draft<'_>]) -> Vec<Vec<usize>> {
    // Tasks below each item of each layer.
    let mut below: Below<'_> = HashMap::new();
    for (task, draft) in drafts.iter().enumerate() {
        below
            .entry(("ResourceOrderItem", &draft.item.id))
            .or_default()
            .push(task);
    }
    gather(
        orders,
        "ResourceOrder",
        "ResourceOrderItem",
        "ServiceOrderItem",
        &mut below,
    );
    nest(orders, "ServiceOrder", "ServiceOrderItem", &mut below);
    gather(
        orders,
        "ServiceOrder",
        "ServiceOrderItem",
        "ProductOrderItem",
        &mut below,
    );
    nest(orders, "ProductOrder", "ProductOrderItem", &mut below);
    let mut edges = vec![Vec::new(); drafts.len()];
    let deleted = |task: usize| drafts[task].item.action == Some(Action::Delete);
    for order in orders {
        let layer = item_type(order);
        let needs = needs(order);
        for (item, _) in &needs.items {
            let waiting = below.get(&(layer, *item)).map_or(&[][..], Vec::as_slice);
            if waiting.is_empty() {
                continue;
            }
            for other in needs.before(item, |other| below.contains_key(&(layer, other))) {
                let before = below.get(&(layer, other)).map_or(&[][..], Vec::as_slice);
                // Tasks below both of two items do not wait for each other.
                let shared = |task: usize| {
                    before.binary_search(&task).is_ok() && waiting.binary_search(&task).is_ok()
                };
                for &after in waiting {
                    for &before in before {
                        if other != *item && shared(after) && shared(before) {
                            continue;
                        }
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

/// Dependencies on items that their order does not have: nothing says when what they wait for
/// is done.
pub fn dangling(orders: &[Order<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for order in orders {
        let positions = needs(order).positions;
        let relationships = order.items().flat_map(|item| item.relationships);
        for relationship in relationships.filter(|it| it.kind == RelationshipKind::Dependency) {
            if is_here(order, relationship) && !positions.contains_key(&*relationship.item) {
                let message = format!(
                    "an item waits for item `{}`, which is not in the order",
                    relationship.item
                );
                let location = relationship.node.location();
                let code = Code("plan/dangling-dependency");
                found.push(Diagnostic::new(code, Severity::Error, location, message));
            }
        }
    }
    found
}

/// Whether a relationship is to an item of the order that it stands in.
fn is_here(order: &Order<'_>, relationship: &ItemRelationship<'_>) -> bool {
    let named = relationship.order.as_deref();
    named.is_none_or(|named| order.id().is_none_or(|id| **id == *named))
}

/// Positions of the tasks below an item, ascending, by layer and id.
type Below<'a> = HashMap<(&'a str, &'a str), Vec<usize>>;

/// What the items of an order wait for, as their relationships say.
struct Needs<'a> {
    items: Vec<(&'a str, Vec<&'a str>)>,
    positions: HashMap<&'a str, usize>,
}

fn needs<'a>(order: &'a Order<'_>) -> Needs<'a> {
    let mut needs = Needs {
        items: Vec::with_capacity(order.len()),
        positions: HashMap::new(),
    };
    for item in order.items() {
        let before = item.relationships.iter();
        let before = before.filter(|relationship| {
            relationship.kind == RelationshipKind::Dependency && is_here(order, relationship)
        });
        needs.positions.insert(item.id, needs.items.len());
        needs
            .items
            .push((item.id, before.map(|it| &*it.item).collect()));
    }
    needs
}

impl<'a> Needs<'a> {
    /// The items with tasks that an item waits for, directly or through items without.
    fn before(&self, item: &str, has_tasks: impl Fn(&str) -> bool) -> Vec<&'a str> {
        let of = |item: &str| {
            let position = self.positions.get(item);
            position.map_or(&[][..], |position| self.items[*position].1.as_slice())
        };
        let (mut found, mut open, mut seen) = (Vec::new(), of(item).to_vec(), HashSet::new());
        while let Some(other) = open.pop() {
            if has_tasks(other) {
                found.push(other);
            } else if seen.insert(other) {
                open.extend(of(other));
            }
        }
        found
    }
}

/// Hands the tasks below nested items up to the items that hold them.
fn nest<'a>(orders: &'a [Order<'_>], type_name: &str, layer: &'static str, below: &mut Below<'a>) {
    for order in orders.iter().filter(|order| order.type_name() == type_name) {
        // Nested items come after the item that holds them.
        for position in (0..order.len()).rev() {
            let item = order.item(position);
            let Some(parent) = item.parent else { continue };
            let Some(tasks) = below.get(&(layer, &**item.id)).cloned() else {
                continue;
            };
            below
                .entry((layer, order.item(parent).id))
                .or_default()
                .extend(tasks);
        }
    }
    for tasks in below.values_mut() {
        tasks.sort_unstable();
        tasks.dedup();
    }
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
    below: &mut Below<'a>,
) {
    for order in orders.iter().filter(|order| order.type_name() == type_name) {
        for item in order.items() {
            let Some(tasks) = below.get(&(layer, &**item.id)).cloned() else {
                continue;
            };
            for relationship in item.relationships {
                if relationship.kind == RelationshipKind::Realizes {
                    below
                        .entry((above, &*relationship.item))
                        .or_default()
                        .extend(&tasks);
                }
            }
        }
    }
}
