//! TMF622 ProductOrder, version 4 and 5 (and items under version 3's key).

use std::borrow::Cow;

use super::reference::entity_id;
use super::{Action, Characteristics, ItemRelationship, Reference};
use crate::document::Node;

/// Member of a service order: the installed products of which the items of its product order do not
/// say themselves what they are. TMF641 has no place for that.
pub const INSTALLED_PRODUCT: &str = "installedProduct";
/// Member of such a product: the id of the product order item that is about it.
pub const PRODUCT_ORDER_ITEM: &str = "productOrderItem";

/// A commercial order.
#[derive(Debug, Clone)]
pub struct ProductOrder<'d> {
    /// The order object.
    pub node: Node<'d>,
    /// Id, if the order has been given one.
    pub id: Option<Cow<'d, str>>,
    /// Id in the system that captured it.
    pub external_id: Option<Cow<'d, str>>,
    /// All items, nested ones after the item that holds them.
    pub items: Vec<ProductOrderItem<'d>>,
}

/// An item of a product order.
#[derive(Debug, Clone)]
pub struct ProductOrderItem<'d> {
    /// The item object.
    pub node: Node<'d>,
    /// Id; empty if there is none.
    pub id: Cow<'d, str>,
    /// Position in `items` of the item that holds this one.
    pub parent: Option<usize>,
    /// What is asked for, if it can be read.
    pub action: Option<Action>,
    /// `productOffering`
    pub offering: Option<Reference<'d>>,
    /// `product`
    pub product: Option<Node<'d>>,
    /// `product.productSpecification`
    pub specification: Option<Reference<'d>>,
    /// `product.productCharacteristic`
    pub characteristics: Characteristics<'d>,
    /// `productOrderItemRelationship`
    pub relationships: Vec<ItemRelationship<'d>>,
}

impl ProductOrderItem<'_> {
    /// Id of the product that the item is about, if it names one.
    pub fn product_id(&self) -> Option<Cow<'_, str>> {
        entity_id(self.product)
    }
}

/// External id of an order: a text (version 4), or the first of a list of
/// `ExternalIdentifier` (version 5).
pub fn external_id(order: Node<'_>) -> Option<Cow<'_, str>> {
    let node = order.get("externalId")?;
    let id = node.as_str().or_else(|| node.elements().next()?.text("id"));
    id.filter(|id| !id.is_empty())
}

impl<'d> ProductOrder<'d> {
    /// Reads a product order.
    pub fn read(node: Node<'d>) -> ProductOrder<'d> {
        let mut items = Vec::new();
        let list = node
            .get("productOrderItem")
            .or_else(|| node.get("orderItem"));
        if let Some(list) = list {
            read_items(list, None, &mut items);
        }
        ProductOrder {
            node,
            id: node.text("id").filter(|id| !id.is_empty()),
            external_id: external_id(node),
            items,
        }
    }

    /// When it was ordered: `orderDate`, in version 5 `creationDate`.
    pub fn order_date(&self) -> Option<Cow<'d, str>> {
        self.node
            .text("orderDate")
            .or_else(|| self.node.text("creationDate"))
    }
}

fn read_items<'d>(list: Node<'d>, parent: Option<usize>, items: &mut Vec<ProductOrderItem<'d>>) {
    for node in list.elements() {
        let product = node.get("product");
        let position = items.len();
        items.push(ProductOrderItem {
            node,
            id: node.text("id").unwrap_or_default(),
            parent,
            action: node
                .text("action")
                .and_then(|text| Action::read(&text))
                .map(|read| read.0),
            offering: node.get("productOffering").map(Reference::read),
            product,
            specification: product
                .and_then(|product| product.get("productSpecification"))
                .map(Reference::read),
            characteristics: Characteristics::of(product, "productCharacteristic"),
            relationships: ItemRelationship::list(
                node,
                &["productOrderItemRelationship", "orderItemRelationship"],
            ),
        });
        for key in ["productOrderItem", "orderItem"] {
            if let Some(nested) = node.get(key) {
                read_items(nested, Some(position), items);
            }
        }
    }
}
