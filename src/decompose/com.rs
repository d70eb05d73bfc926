//! COM: a product order becomes a service order.

use std::borrow::Cow;

use super::mapping::{self, Surroundings, Values};
use super::step::{Made, Step, Steps};
use super::write::{self, Derivation};
use super::{Derived, NotDecomposable};
use crate::catalog::{Catalog, Decomposition, Facing, ProductSpecification, Specification};
use crate::chain::order_name;
use crate::document::quote;
use crate::model::ProductOrderItem;
use crate::validate::ValidOrder;

/// The product specification of an item: by its own reference, else by its offering's.
pub fn product_specification<'c>(
    catalog: &'c Catalog,
    item: &ProductOrderItem<'_>,
) -> Option<&'c ProductSpecification> {
    let named = item.specification.as_ref().and_then(|reference| catalog.product(&reference.id));
    named.or_else(|| {
        let offering = catalog.offering(&item.offering.as_ref()?.id)?;
        offering.product.map(|index| catalog.product_at(index))
    })
}

/// Characteristics of a product order item, with the defaults of its offering and specification.
pub fn product_values<'d>(catalog: &'d Catalog, item: &ProductOrderItem<'d>) -> Values<'d> {
    let offering = item.offering.as_ref().and_then(|reference| catalog.offering(&reference.id));
    let specification = product_specification(catalog, item).map(|it| &it.specification);
    Values::of_item(&item.characteristics, offering, specification)
}

struct Com<'a, 'c> {
    catalog: &'c Catalog,
    order_id: &'a str,
    order_members: &'a [(&'static str, String)],
    steps: Steps,
}

/// Decomposes a product order into a service order. Other orders give nothing.
///
/// # Errors
/// Every fault that values of the order bring to light in rules.
pub fn service_order(
    catalog: &Catalog,
    order: &ValidOrder<'_>,
    explain: bool,
) -> Result<Derived, NotDecomposable> {
    let Some(order) = order.product() else { return Ok(Derived::default()) };
    let order_id = order_name(order.node.document());
    let order_members = mapping::order_members(&order_id, order.node);
    let steps = Steps::new(explain);
    let mut com = Com { catalog, order_id: &order_id, order_members: &order_members, steps };
    for item in &order.items {
        com.item(item);
    }
    com.steps.finish(|items| {
        let id = format!("{order_id}.S");
        let derivation = Derivation { id: &id, above: order.node, above_id: &order_id, items };
        write::service_order(&derivation)
    })
}

impl<'c> Com<'_, 'c> {
    fn item(&mut self, item: &ProductOrderItem<'_>) {
        let Some(product) = product_specification(self.catalog, item) else { return };
        let values = product_values(self.catalog, item);
        let place = item.product.and_then(|it| it.list("place").next());
        let surroundings = Surroundings {
            product: Some(&values),
            item: [
                ("id", quote(&item.id)),
                ("action", quote(write::action(item.action))),
                ("quantity", write::quantity(item.node).to_string()),
            ],
            order: self.order_members,
            place: mapping::place(place),
        };
        let product_id = item.product.and_then(|it| it.text("id")).filter(|id| !id.is_empty());
        let product_id = product_id
            .map_or_else(|| format!("{}.{}", self.order_id, item.id), Cow::into_owned);
        let parent = Parent {
            item_id: &item.id,
            specification: &product.specification,
            decompositions: &product.decompositions,
            entity_id: &product_id,
        };
        self.expand(item, &parent, &values, &surroundings);
    }

    fn expand(
        &mut self,
        item: &ProductOrderItem<'_>,
        parent: &Parent<'_, 'c>,
        values: &Values<'_>,
        surroundings: &Surroundings<'_>,
    ) {
        let bindings = surroundings.bindings(values);
        for decomposition in parent.decompositions {
            let target = self.catalog.service_at(decomposition.target);
            if target.facing == Facing::Resource {
                continue;
            }
            let specification = &target.specification;
            let item_id = format!("{}.{}", parent.item_id, specification.id);
            let mapped = self.steps.take(&Step {
                decomposition,
                source_item: parent.item_id,
                source: parent.specification,
                target: specification,
                item_id: &item_id,
                place: item.node,
                values,
                bindings: &bindings,
            });
            let Some(mapped) = mapped else { continue };
            let service_id = format!("{}.{}", parent.entity_id, specification.id);
            let place = item.product.and_then(|it| it.get("place"));
            let before = decomposition.depends_on.iter().chain(&target.depends_on);
            self.steps.made.push(Made {
                service: decomposition.target,
                root: item.id.to_string(),
                depends_on: before.copied().collect(),
                item: write::Item {
                    id: item_id.clone(),
                    action: write::action(item.action),
                    quantity: write::quantity(item.node),
                    specification: None,
                    entity: write::service(&service_id, specification, place, &mapped),
                    realizes: item.id.to_string(),
                    dependencies: Vec::new(),
                },
            });
            let inside = Parent {
                item_id: &item_id,
                specification,
                decompositions: &target.decompositions,
                entity_id: &service_id,
            };
            self.expand(item, &inside, &mapped, surroundings);
        }
    }
}

/// What is being decomposed.
struct Parent<'a, 'c> {
    item_id: &'a str,
    specification: &'a Specification,
    decompositions: &'c [Decomposition],
    entity_id: &'a str,
}
