//! What a product order item is about: its specification, its characteristics.

use std::borrow::Cow;

use crate::catalog::{Catalog, ProductSpecification, Values};
use crate::document::{Node, quote};
use crate::inventory::Installed;
use crate::model::{Action, ProductOrderItem, order};

/// The product specification of an item: by its own reference, else by its offering's, else by
/// what is installed.
pub fn product_specification<'c>(
    catalog: &'c Catalog,
    item: &ProductOrderItem<'_>,
    installed: Option<&Installed<'_>>,
) -> Option<&'c ProductSpecification> {
    let named = item
        .specification
        .as_ref()
        .and_then(|reference| catalog.product(&reference.id));
    let offered = |offering: &str| {
        let offering = catalog.offering(offering)?;
        offering.product.map(|index| catalog.product_at(index))
    };
    named
        .or_else(|| offered(&item.offering.as_ref()?.id))
        .or_else(|| catalog.product(installed?.specification_id()))
        .or_else(|| offered(&installed?.node.get("productOffering")?.text("id")?))
}

/// Characteristics of a product order item, over those that are installed, with the defaults of
/// its offering and specification. What a new offering sets holds over what is installed.
pub fn product_values<'d>(
    catalog: &'d Catalog,
    item: &ProductOrderItem<'d>,
    installed: Option<&Installed<'d>>,
) -> Values<'d> {
    let offering = item
        .offering
        .as_ref()
        .and_then(|reference| catalog.offering(&reference.id));
    let specification = product_specification(catalog, item, installed).map(|it| &it.specification);
    let Some(installed) = installed else {
        return Values::of_item(item.characteristics.iter(), offering, specification);
    };
    let mut values = Values::given(item.characteristics.iter(), specification);
    let sold = installed
        .node
        .get("productOffering")
        .and_then(|it| it.text("id"));
    let uses = offering.iter().flat_map(|it| &it.uses);
    if offering.is_some_and(|offering| sold.as_deref() != Some(&*offering.id)) {
        values = values.with_defaults(uses.clone());
    }
    let specified = specification.iter().flat_map(|it| &it.characteristics);
    let there = Values::given(installed.characteristics.iter().cloned(), specification);
    let there = match specification {
        Some(specification) => there.presumed(specification),
        None => there,
    };
    values.over(&there).with_defaults(uses.chain(specified))
}

/// The root order's members that expressions may read, as JSON texts: its id, and from `order`,
/// which is that order or one derived from it, what orders hand down.
pub fn order_members(id: &str, order: Node<'_>) -> Vec<(&'static str, String)> {
    let member = |key: &'static str| {
        let text = match key {
            "id" => Cow::Borrowed(id),
            "externalId" => crate::model::product_order::external_id(order)?,
            _ => order.text(key)?,
        };
        Some((key, quote(&text)))
    };
    ["id", "externalId", "category", "priority"]
        .into_iter()
        .filter_map(member)
        .collect()
}

/// `item` for expressions.
pub fn item_members(
    id: &str,
    action: Option<Action>,
    quantity: i64,
) -> [(&'static str, String); 3] {
    [
        ("id", quote(id)),
        ("action", quote(action_name(action))),
        ("quantity", quantity.to_string()),
    ]
}

/// Quantity of an item; if it says nothing, that of what is installed; if neither does, 1.
pub fn quantity(item: Node<'_>, installed: Option<&Installed<'_>>) -> i64 {
    let there = || order::quantity(installed?.node);
    order::quantity(item).or_else(there).unwrap_or(1)
}

/// The action of a derived item: that of the item above.
fn action_name(action: Option<Action>) -> &'static str {
    action.unwrap_or(Action::Add).name()
}
