//! What the three order types have in common. They differ in the standard, so
//! they stay three types; this is only a way to walk over their items.

use std::borrow::Cow;

use super::{
    Action, Characteristics, ItemRelationship, ProductOrder, Reference, ResourceOrder, ServiceOrder,
};
use crate::document::{Document, DocumentKind, Kind, Node};

/// Member of an order item, and of an installed product: how many of it.
pub const QUANTITY: &str = "quantity";

/// How many of something an item orders, or are installed, where it says so.
pub fn quantity(node: Node<'_>) -> Option<i64> {
    let quantity = node.get(QUANTITY)?.as_i64();
    quantity.filter(|it| *it > 0)
}

/// What an item is about as it was installed when its order was made: the object that the item has
/// under this key.
pub fn installed<'d>(item: Node<'d>, key: &str) -> Option<Node<'d>> {
    let installed = item.get(key)?;
    (installed.kind() == Kind::Object).then_some(installed)
}

/// An order of any layer.
#[derive(Debug, Clone)]
pub enum Order<'d> {
    /// TMF622
    Product(ProductOrder<'d>),
    /// TMF641
    Service(ServiceOrder<'d>),
    /// TMF652
    Resource(ResourceOrder<'d>),
}

/// What items of all layers have.
#[derive(Debug, Clone, Copy)]
pub struct OrderItem<'a, 'd> {
    /// The item object.
    pub node: Node<'d>,
    /// Id; empty if there is none.
    pub id: &'a Cow<'d, str>,
    /// Position of the item that holds this one.
    pub parent: Option<usize>,
    /// What is asked for, if it can be read.
    pub action: Option<Action>,
    /// The product, service or resource.
    pub entity: Option<Node<'d>>,
    /// Its specification.
    pub specification: Option<&'a Reference<'d>>,
    /// Its characteristics.
    pub characteristics: Characteristics<'d>,
    /// Relationships to other items.
    pub relationships: &'a [ItemRelationship<'d>],
}

impl<'d> Order<'d> {
    /// Reads an order; `None` for documents that are none.
    pub fn read(document: &'d Document) -> Option<Order<'d>> {
        let root = document.root();
        Some(match DocumentKind::of(document) {
            DocumentKind::ProductOrder => Order::Product(ProductOrder::read(root)),
            DocumentKind::ServiceOrder => Order::Service(ServiceOrder::read(root)),
            DocumentKind::ResourceOrder => Order::Resource(ResourceOrder::read(root)),
            _ => return None,
        })
    }

    /// The order object.
    pub fn node(&self) -> Node<'d> {
        match self {
            Order::Product(order) => order.node,
            Order::Service(order) => order.node,
            Order::Resource(order) => order.node,
        }
    }

    /// Id, if the order has been given one.
    pub fn id(&self) -> Option<&Cow<'d, str>> {
        match self {
            Order::Product(order) => order.id.as_ref(),
            Order::Service(order) => order.id.as_ref(),
            Order::Resource(order) => order.id.as_ref(),
        }
    }

    /// Id in the system that captured it.
    pub fn external_id(&self) -> Option<&Cow<'d, str>> {
        match self {
            Order::Product(order) => order.external_id.as_ref(),
            Order::Service(order) => order.external_id.as_ref(),
            Order::Resource(order) => order.external_id.as_ref(),
        }
    }

    /// Name of the type, as in `@type`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Order::Product(_) => "ProductOrder",
            Order::Service(_) => "ServiceOrder",
            Order::Resource(_) => "ResourceOrder",
        }
    }

    /// Name of what an item orders: `product`, `service`, `resource`.
    pub fn entity_name(&self) -> &'static str {
        match self {
            Order::Product(_) => "product",
            Order::Service(_) => "service",
            Order::Resource(_) => "resource",
        }
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        match self {
            Order::Product(order) => order.items.len(),
            Order::Service(order) => order.items.len(),
            Order::Resource(order) => order.items.len(),
        }
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An item by position.
    pub fn item(&self, position: usize) -> OrderItem<'_, 'd> {
        match self {
            Order::Product(order) => {
                let item = &order.items[position];
                OrderItem {
                    node: item.node,
                    id: &item.id,
                    parent: item.parent,
                    action: item.action,
                    entity: item.product,
                    specification: item.specification.as_ref(),
                    characteristics: item.characteristics,
                    relationships: &item.relationships,
                }
            }
            Order::Service(order) => {
                let item = &order.items[position];
                OrderItem {
                    node: item.node,
                    id: &item.id,
                    parent: item.parent,
                    action: item.action,
                    entity: item.service,
                    specification: item.specification.as_ref(),
                    characteristics: item.characteristics,
                    relationships: &item.relationships,
                }
            }
            Order::Resource(order) => {
                let item = &order.items[position];
                OrderItem {
                    node: item.node,
                    id: &item.id,
                    parent: None,
                    action: item.action,
                    entity: item.resource,
                    specification: item.specification.as_ref(),
                    characteristics: item.characteristics,
                    relationships: &item.relationships,
                }
            }
        }
    }

    /// For each item, by position, whether it holds other items.
    pub fn holders(&self) -> Vec<bool> {
        let mut holders = vec![false; self.len()];
        for parent in self.items().filter_map(|item| item.parent) {
            holders[parent] = true;
        }
        holders
    }

    /// All items in order, nested ones after the item that holds them.
    pub fn items(&self) -> impl Iterator<Item = OrderItem<'_, 'd>> {
        (0..self.len()).map(|position| self.item(position))
    }
}
