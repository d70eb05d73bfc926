//! Derived orders as they are written: TMF641 4.1 and TMF652 4.0.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::value::RawValue;

use super::mapping::Values;
use crate::document::{Document, Node, quote};
use crate::model::Action;

/// A TMF641 ServiceOrder.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceOrder<'a> {
    #[serde(rename = "@type")]
    pub type_name: &'static str,
    pub id: String,
    #[serde(flatten)]
    pub common: Common,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Box<RawValue>>,
    pub state: &'static str,
    pub order_relationship: Vec<OrderRelationship>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_party: Vec<Box<RawValue>>,
    pub service_order_item: Vec<ServiceOrderItem<'a>>,
}

/// A TMF652 ResourceOrder.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceOrder<'a> {
    #[serde(rename = "@type")]
    pub type_name: &'static str,
    pub id: String,
    #[serde(flatten)]
    pub common: Common,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    pub state: &'static str,
    pub external_reference: Vec<ExternalReference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_party: Vec<Box<RawValue>>,
    pub order_item: Vec<ResourceOrderItem<'a>>,
}

/// What an order hands down to the order below.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Common {
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_date: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_start_date: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_completion_date: Option<Box<RawValue>>,
}

impl Common {
    /// Takes over what the order above says.
    pub fn of(order: Node<'_>) -> Common {
        let text = |key: &str| order.get(key).filter(|node| node.as_str().is_some()).map(raw);
        Common {
            external_id: crate::model::product_order::external_id(order).map(Cow::into_owned),
            category: text("category"),
            description: text("description"),
            order_date: text("orderDate").or_else(|| text("creationDate")),
            requested_start_date: text("requestedStartDate"),
            requested_completion_date: text("requestedCompletionDate"),
        }
    }
}

/// TMF641 `ServiceOrderRelationship`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderRelationship {
    pub id: String,
    pub relationship_type: &'static str,
    #[serde(rename = "@referredType")]
    pub referred_type: &'static str,
}

/// TMF652 `ExternalReference`, with the members of both published schemas.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalReference {
    pub id: String,
    pub name: String,
    pub external_reference_type: &'static str,
    pub entity_type: &'static str,
    pub owner: &'static str,
}

/// TMF641 `ServiceOrderItem`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceOrderItem<'a> {
    #[serde(rename = "@type")]
    pub type_name: &'static str,
    pub id: String,
    pub action: &'static str,
    pub quantity: i64,
    pub state: &'static str,
    pub service: Service<'a>,
    pub service_order_item_relationship: Vec<ItemRelationship>,
}

/// TMF641 `ServiceRefOrValue`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service<'a> {
    #[serde(rename = "@type")]
    pub type_name: &'static str,
    pub id: String,
    pub name: &'a str,
    pub category: &'static str,
    pub service_type: &'static str,
    pub service_specification: SpecificationReference<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub service_characteristic: Vec<Characteristic>,
}

/// TMF652 `ResourceOrderItem`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceOrderItem<'a> {
    #[serde(rename = "@type")]
    pub type_name: &'static str,
    pub id: String,
    pub action: &'static str,
    pub quantity: i64,
    pub state: &'static str,
    pub resource_specification: SpecificationReference<'a>,
    pub resource: Resource<'a>,
    pub order_item_relationship: Vec<ItemRelationship>,
}

/// TMF652 `ResourceRefOrValue`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource<'a> {
    #[serde(rename = "@type")]
    pub type_name: &'static str,
    pub id: String,
    pub name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_characteristic: Vec<Characteristic>,
}

/// `ServiceSpecificationRef`, `ResourceSpecificationRef`.
#[derive(Debug, Serialize)]
pub struct SpecificationReference<'a> {
    pub id: &'a str,
    pub name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'a str>,
    #[serde(rename = "@referredType")]
    pub referred_type: &'static str,
}

/// A relationship between items, in the shape of TMF641 and TMF652.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemRelationship {
    pub relationship_type: &'static str,
    pub order_item: OrderItemReference,
}

/// `ServiceOrderItemRef`, `ResourceOrderItemRef`. The swagger files require `id` though they name
/// the item `itemId`; both are written.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderItemReference {
    pub id: String,
    pub item_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_order_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_order_id: Option<String>,
    #[serde(rename = "@referredType")]
    pub referred_type: &'static str,
}

impl ItemRelationship {
    /// This item realizes an item of the order above.
    pub fn realizes(item: &str, order: &str, referred_type: &'static str) -> ItemRelationship {
        let product = referred_type == "ProductOrderItem";
        ItemRelationship {
            relationship_type: "realizes",
            order_item: OrderItemReference {
                id: item.to_owned(),
                item_id: item.to_owned(),
                service_order_id: (product || referred_type == "ServiceOrderItem")
                    .then(|| order.to_owned()),
                resource_order_id: None,
                referred_type,
            },
        }
    }

    /// This item waits for another item of its service order.
    pub fn service_dependency(item: &str, order: &str) -> ItemRelationship {
        ItemRelationship {
            relationship_type: "dependency",
            order_item: OrderItemReference {
                id: item.to_owned(),
                item_id: item.to_owned(),
                service_order_id: Some(order.to_owned()),
                resource_order_id: None,
                referred_type: "ServiceOrderItem",
            },
        }
    }

    /// This item waits for another item of its resource order.
    pub fn resource_dependency(item: &str, order: &str) -> ItemRelationship {
        ItemRelationship {
            relationship_type: "dependency",
            order_item: OrderItemReference {
                id: item.to_owned(),
                item_id: item.to_owned(),
                service_order_id: None,
                resource_order_id: Some(order.to_owned()),
                referred_type: "ResourceOrderItem",
            },
        }
    }
}

/// TM Forum `Characteristic`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Characteristic {
    pub name: String,
    pub value_type: &'static str,
    pub value: Box<RawValue>,
}

impl Characteristic {
    /// All values as characteristics.
    pub fn list(values: &Values<'_>) -> Vec<Characteristic> {
        values
            .iter()
            .map(|(name, value)| Characteristic {
                name: name.to_owned(),
                value_type: value_type(value),
                value: RawValue::from_string(value.to_owned())
                    .expect("values are JSON texts, from parsed documents or checked"),
            })
            .collect()
    }
}

fn value_type(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'[') => "array",
        Some(b'{') => "object",
        _ if json.contains(['.', 'e', 'E']) => "number",
        _ => "integer",
    }
}

/// A value of a document as it is, without white space.
pub fn raw(node: Node<'_>) -> Box<RawValue> {
    RawValue::from_string(node.compact().into_owned())
        .expect("a node of a parsed document is a JSON text")
}

/// Related parties in the shape of version 4, with the members that TMF641 4.1 demands.
pub fn related_parties(order: Node<'_>) -> Vec<Box<RawValue>> {
    order.list("relatedParty").filter_map(related_party).collect()
}

fn related_party(node: Node<'_>) -> Option<Box<RawValue>> {
    // Version 5 wraps the party.
    let party = node.get("partyOrPartyRole").unwrap_or(node);
    let id = party.text("id")?;
    let mut text = format!("{{\"@type\":\"RelatedParty\",\"id\":{}", quote(&id));
    let mut member = |name: &str, value: Option<Cow<'_, str>>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let _ = write!(text, ",\"{name}\":{}", quote(&value));
        }
    };
    member("href", party.text("href"));
    member("name", party.text("name"));
    member("role", node.text("role"));
    let referred = party.text("@referredType").unwrap_or(Cow::Borrowed("Party"));
    member("@referredType", Some(referred));
    text.push('}');
    RawValue::from_string(text).ok()
}

/// An order as a document.
pub fn document(order: &impl Serialize, name: &str) -> Document {
    let text = serde_json::to_string(order).expect("orders are made of texts and JSON values");
    Document::parse(text, name).expect("serde_json writes JSON")
}

/// Quantity of an item; 1 if it says nothing.
pub fn quantity(item: Node<'_>) -> i64 {
    item.get("quantity").and_then(Node::as_i64).filter(|quantity| *quantity > 0).unwrap_or(1)
}

/// The action of a derived item: that of the item above.
pub fn action(action: Option<Action>) -> &'static str {
    action.unwrap_or(Action::Add).name()
}
