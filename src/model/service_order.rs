//! TMF641 ServiceOrder, version 4 and 5 (and items under version 3's key).

use std::borrow::Cow;

use super::product_order::external_id;
use super::reference::entity_id;
use super::{Action, Characteristics, ItemRelationship, Reference};
use crate::document::Node;

/// Member of an item that changes or removes a service: the service as it is installed. TMF641 has
/// no place for that.
pub const INSTALLED_SERVICE: &str = "installedService";

/// An order for services.
#[derive(Debug, Clone)]
pub struct ServiceOrder<'d> {
    /// The order object.
    pub node: Node<'d>,
    /// Id, if the order has been given one.
    pub id: Option<Cow<'d, str>>,
    /// Id in the system that captured it.
    pub external_id: Option<Cow<'d, str>>,
    /// Id of the product order that it came from: `orderRelationship` of type `cross-ref`.
    pub product_order: Option<Cow<'d, str>>,
    /// All items, nested ones after the item that holds them.
    pub items: Vec<ServiceOrderItem<'d>>,
}

/// An item of a service order.
#[derive(Debug, Clone)]
pub struct ServiceOrderItem<'d> {
    /// The item object.
    pub node: Node<'d>,
    /// Id; empty if there is none.
    pub id: Cow<'d, str>,
    /// Position in `items` of the item that holds this one.
    pub parent: Option<usize>,
    /// What is asked for, if it can be read.
    pub action: Option<Action>,
    /// `service`
    pub service: Option<Node<'d>>,
    /// `service.serviceSpecification`
    pub specification: Option<Reference<'d>>,
    /// `service.serviceCharacteristic`
    pub characteristics: Characteristics<'d>,
    /// `serviceOrderItemRelationship`
    pub relationships: Vec<ItemRelationship<'d>>,
}

impl ServiceOrderItem<'_> {
    /// Id of the service that the item is about, if it names one.
    pub fn service_id(&self) -> Option<Cow<'_, str>> {
        entity_id(self.service)
    }

    /// Id of the product that the service is part of, if it is named: `relatedEntity`.
    pub fn product_id(&self) -> Option<Cow<'_, str>> {
        self.service?
            .list("relatedEntity")
            .filter(|it| it.text("@referredType").as_deref() == Some("Product"))
            .find_map(|it| it.text("id"))
    }
}

impl<'d> ServiceOrder<'d> {
    /// Reads a service order.
    pub fn read(node: Node<'d>) -> ServiceOrder<'d> {
        let mut items = Vec::new();
        let list = node
            .get("serviceOrderItem")
            .or_else(|| node.get("orderItem"));
        if let Some(list) = list {
            read_items(list, None, &mut items);
        }
        ServiceOrder {
            node,
            id: node.text("id").filter(|id| !id.is_empty()),
            external_id: external_id(node),
            product_order: ServiceOrder::product_order_of(node),
            items,
        }
    }

    /// Id of the product order that a service order came from, without reading the rest.
    pub fn product_order_of(node: Node<'d>) -> Option<Cow<'d, str>> {
        node.list("orderRelationship")
            .filter(|relationship| {
                relationship.text("relationshipType").as_deref() == Some("cross-ref")
            })
            .find_map(|relationship| relationship.text("id"))
    }
}

fn read_items<'d>(list: Node<'d>, parent: Option<usize>, items: &mut Vec<ServiceOrderItem<'d>>) {
    items.reserve(list.len());
    for node in list.elements_to_read() {
        let service = node.get("service");
        let position = items.len();
        items.push(ServiceOrderItem {
            node,
            id: node.text("id").unwrap_or_default(),
            parent,
            action: node
                .text("action")
                .and_then(|text| Action::read(&text))
                .map(|read| read.0),
            service,
            specification: service
                .and_then(|service| service.get("serviceSpecification"))
                .map(Reference::read),
            characteristics: Characteristics::of(service, "serviceCharacteristic"),
            relationships: ItemRelationship::list(
                node,
                &["serviceOrderItemRelationship", "orderItemRelationship"],
            ),
        });
        for key in ["serviceOrderItem", "orderItem"] {
            if let Some(nested) = node.get(key) {
                read_items(nested, Some(position), items);
            }
        }
    }
}
