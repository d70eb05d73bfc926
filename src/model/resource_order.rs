//! TMF652 ResourceOrder, version 4.

use std::borrow::Cow;

use super::order::installed;
use super::product_order::external_id;
use super::{Action, Characteristics, ItemRelationship, Reference};
use crate::document::Node;

/// Member of an item that changes or removes a resource: the resource as it is installed. TMF652
/// has no place for that.
pub const INSTALLED_RESOURCE: &str = "installedResource";

/// An order for resources.
#[derive(Debug, Clone)]
pub struct ResourceOrder<'d> {
    /// The order object.
    pub node: Node<'d>,
    /// Id, if the order has been given one.
    pub id: Option<Cow<'d, str>>,
    /// Id in the system that captured it.
    pub external_id: Option<Cow<'d, str>>,
    /// Id of the service order that it came from: `externalReference` to a `ServiceOrder`.
    pub service_order: Option<Cow<'d, str>>,
    /// All items.
    pub items: Vec<ResourceOrderItem<'d>>,
}

/// An item of a resource order.
#[derive(Debug, Clone)]
pub struct ResourceOrderItem<'d> {
    /// The item object.
    pub node: Node<'d>,
    /// Id; empty if there is none.
    pub id: Cow<'d, str>,
    /// What is asked for, if it can be read.
    pub action: Option<Action>,
    /// `resource`
    pub resource: Option<Node<'d>>,
    /// `resourceSpecification` of the item, else of its resource.
    pub specification: Option<Reference<'d>>,
    /// `resource.resourceCharacteristic`
    pub characteristics: Characteristics<'d>,
    /// `orderItemRelationship`
    pub relationships: Vec<ItemRelationship<'d>>,
}

impl<'d> ResourceOrder<'d> {
    /// Reads a resource order.
    pub fn read(node: Node<'d>) -> ResourceOrder<'d> {
        let items = node
            .get("orderItem")
            .or_else(|| node.get("resourceOrderItem"))
            .map_or(Vec::new(), |list| {
                let mut items = Vec::with_capacity(list.len());
                items.extend(list.elements_to_read().map(read_item));
                items
            });
        ResourceOrder {
            node,
            id: node.text("id").filter(|id| !id.is_empty()),
            external_id: external_id(node),
            service_order: ResourceOrder::service_order_of(node),
            items,
        }
    }

    /// Id of the service order that a resource order came from, without reading the rest.
    pub fn service_order_of(node: Node<'d>) -> Option<Cow<'d, str>> {
        node.list("externalReference")
            .filter(|reference| {
                ["externalReferenceType", "entityType"]
                    .iter()
                    .any(|key| reference.text(key).as_deref() == Some("ServiceOrder"))
            })
            .find_map(|reference| reference.text("id"))
    }
}

impl<'d> ResourceOrderItem<'d> {
    /// The resource as it was installed when the order was made, where it is told.
    pub fn installed(&self) -> Option<Node<'d>> {
        installed(self.node, INSTALLED_RESOURCE)
    }
}

fn read_item(node: Node<'_>) -> ResourceOrderItem<'_> {
    let resource = node.get("resource");
    ResourceOrderItem {
        node,
        id: node.text("id").unwrap_or_default(),
        action: node
            .text("action")
            .and_then(|text| Action::read(&text))
            .map(|read| read.0),
        resource,
        specification: node
            .get("resourceSpecification")
            .or_else(|| resource.and_then(|resource| resource.get("resourceSpecification")))
            .map(Reference::read),
        characteristics: Characteristics::of(resource, "resourceCharacteristic"),
        relationships: ItemRelationship::list(
            node,
            &["orderItemRelationship", "resourceOrderItemRelationship"],
        ),
    }
}
