//! What the items of a chain are about, and how these things stand to each other.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Layer;
use crate::chain::order_name;
use crate::document::Node;
use crate::model::reference::RelationshipKind;
use crate::model::{Action, Order, entity_id};

/// An order item and what it is about.
pub(super) struct Thing<'d> {
    pub layer: Layer,
    /// Id of the product, service or resource.
    pub id: String,
    pub order: String,
    pub item: Cow<'d, str>,
    pub node: Node<'d>,
    pub entity: Option<Node<'d>>,
    /// The item of the order above that it realizes.
    pub above: Option<usize>,
    /// What refers to it: the services that it is inside of, else what it realizes.
    pub holders: Vec<usize>,
    /// What referred to it before, and no longer does.
    pub released: Vec<usize>,
    pub action: Action,
}

/// The things of the orders of a chain, in its order.
pub(super) fn things<'d>(orders: &[Order<'d>]) -> Vec<Thing<'d>> {
    let mut things: Vec<Thing<'d>> = Vec::new();
    let mut by_item: HashMap<(Layer, String), usize> = HashMap::new();
    let mut released: Vec<(usize, Layer, String)> = Vec::new();
    let mut bundled: Vec<(usize, String)> = Vec::new();
    for order in orders {
        let layer = match order {
            Order::Product(_) => Layer::Product,
            Order::Service(_) => Layer::Service,
            Order::Resource(_) => Layer::Resource,
        };
        let order_id = order_name(order.node().document());
        for item in order.items() {
            let id = entity_id(item.entity)
                .map_or_else(|| format!("{order_id}.{}", item.id), Cow::into_owned);
            let upper = match layer {
                Layer::Product => None,
                Layer::Service => Some(Layer::Product),
                Layer::Resource => Some(Layer::Service),
            };
            let realized = item
                .relationships
                .iter()
                .filter(|it| it.kind == RelationshipKind::Realizes)
                .filter_map(|it| by_item.get(&(upper?, it.item.to_string())).copied());
            let above: Vec<usize> = realized.collect();
            // Ids of items are computed: that of an item inside another one begins with it.
            let inside = item.specification.and_then(|specification| {
                let mark = format!(".{}", specification.id);
                let mut ends = item.id.match_indices(&mark).map(|(end, _)| end);
                ends.find_map(|end| by_item.get(&(layer, item.id[..end].to_owned())).copied())
            });
            for relationship in item.relationships {
                match relationship.kind {
                    RelationshipKind::Releases => {
                        let of_own = relationship.order.as_deref() == Some(&*order_id);
                        let layer = upper.filter(|_| !of_own).unwrap_or(layer);
                        released.push((things.len(), layer, relationship.item.to_string()));
                    }
                    RelationshipKind::Bundles if layer == Layer::Service => {
                        bundled.push((things.len(), relationship.item.to_string()));
                    }
                    _ => {}
                }
            }
            by_item.insert((layer, item.id.to_string()), things.len());
            things.push(Thing {
                layer,
                id,
                order: order_id.clone(),
                item: item.id.clone(),
                node: item.node,
                entity: item.entity,
                above: above.first().copied(),
                holders: inside.map_or(above, |inside| vec![inside]),
                released: Vec::new(),
                action: item.action.unwrap_or(Action::Add),
            });
        }
    }
    for (position, layer, holder) in released {
        let holder = by_item.get(&(layer, holder)).copied();
        things[position].released.extend(holder);
    }
    for (holder, held) in bundled {
        if let Some(held) = by_item.get(&(Layer::Service, held)).copied() {
            // What a service holds stands below its product only through it.
            let product = things[holder].above;
            let holders = &mut things[held].holders;
            holders.retain(|it| Some(*it) != product);
            holders.push(holder);
        }
    }
    things
}
