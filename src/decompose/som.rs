//! SOM: a service order becomes a resource order.

use std::collections::HashMap;

use super::mapping::{self, Surroundings, Values};
use super::step::{Made, Step, Steps};
use super::write::{self, Derivation};
use super::{Derived, NotDecomposable, com};
use crate::catalog::{Catalog, Facing, ServiceIndex, ServiceSpecification};
use crate::chain::order_name;
use crate::document::{Node, quote};
use crate::model::reference::RelationshipKind;
use crate::model::{ProductOrder, ProductOrderItem, ServiceOrderItem};
use crate::validate::ValidOrder;

struct Som<'a, 'c> {
    catalog: &'c Catalog,
    service_order_id: &'a str,
    /// Items of the product order by id.
    roots: HashMap<&'a str, &'a ProductOrderItem<'a>>,
    order_members: &'a [(&'static str, String)],
    steps: Steps,
}

/// Decomposes a service order into a resource order. `product_order` is the order that it came
/// from, if that is part of the chain: rules may read its characteristics. Other orders give
/// nothing.
///
/// # Errors
/// Every fault that values of the order bring to light in rules.
pub fn resource_order(
    catalog: &Catalog,
    order: &ValidOrder<'_>,
    product_order: Option<&ValidOrder<'_>>,
    explain: bool,
) -> Result<Derived, NotDecomposable> {
    let Some(order) = order.service() else { return Ok(Derived::default()) };
    let order_id = order_name(order.node.document());
    let root = product_order.and_then(ValidOrder::product);
    // A service order that comes alone still names the order that it came from.
    let root_id = order.product_order.as_deref().unwrap_or(&order_id);
    let order_members = mapping::order_members(root_id, root.map_or(order.node, |root| root.node));
    let mut som = Som {
        catalog,
        service_order_id: &order_id,
        roots: root.map_or_else(HashMap::new, items_by_id),
        order_members: &order_members,
        steps: Steps::new(explain),
    };
    for item in &order.items {
        som.item(item);
    }
    som.steps.finish(|items| {
        let id = format!("{order_id}.R");
        let derivation = Derivation { id: &id, above: order.node, above_id: &order_id, items };
        write::resource_order(&derivation)
    })
}

impl<'c> Som<'_, 'c> {
    fn item(&mut self, item: &ServiceOrderItem<'_>) {
        let reference = item.specification.as_ref();
        let Some(specification) = reference.and_then(|it| self.catalog.service(&it.id)) else {
            return;
        };
        let catalog = self.catalog;
        let values =
            Values::of_item(&item.characteristics, None, Some(&specification.specification));
        let root = item
            .relationships
            .iter()
            .find(|it| it.kind == RelationshipKind::Realizes)
            .map_or(String::new(), |it| it.item.to_string());
        let product = self.roots.get(&*root).map(|item| com::product_values(catalog, item));
        let surroundings = Surroundings {
            product: product.as_ref(),
            item: [
                ("id", quote(&item.id)),
                ("action", quote(write::action(item.action))),
                ("quantity", write::quantity(item.node).to_string()),
            ],
            order: self.order_members,
            place: mapping::place(item.service.and_then(|it| it.list("place").next())),
        };
        let origin = Origin { item, root: &root };
        if specification.facing == Facing::Customer {
            self.resource_facing(&origin, specification, &values, &surroundings);
        }
        // What is realized by resources itself: an RFS that another system ordered, or a CFS
        // without a service between.
        if let Some(service) = self.catalog.service_index(&specification.specification.id) {
            let own = Realization { service, id: &item.id, name: None, depends_on: &[] };
            self.resources(&origin, &own, &values);
        }
    }

    /// The services behind a customer-facing service, each with its resources.
    fn resource_facing(
        &mut self,
        origin: &Origin<'_, '_>,
        source: &'c ServiceSpecification,
        values: &Values<'_>,
        surroundings: &Surroundings<'_>,
    ) {
        let bindings = surroundings.bindings(values);
        for decomposition in &source.decompositions {
            let target = self.catalog.service_at(decomposition.target);
            if target.facing == Facing::Customer {
                continue;
            }
            let id = format!("{}.{}", origin.item.id, target.specification.id);
            let mapped = self.steps.take(&Step {
                decomposition,
                source_item: &origin.item.id,
                source: &source.specification,
                target: &target.specification,
                item_id: &id,
                place: origin.item.node,
                values,
                bindings: &bindings,
            });
            let Some(mapped) = mapped else { continue };
            let realization = Realization {
                service: decomposition.target,
                id: &id,
                name: Some(&target.specification.name),
                depends_on: &decomposition.depends_on,
            };
            self.resources(origin, &realization, &mapped);
        }
    }

    /// One item for each resource that realizes a service. A resource-facing service with one
    /// resource gives it its own id and name.
    fn resources(&mut self, origin: &Origin<'_, '_>, of: &Realization<'_>, values: &Values<'_>) {
        let item = origin.item;
        let specification = self.catalog.service_at(of.service);
        let service_id = item.service.and_then(|it| it.text("id")).filter(|id| !id.is_empty());
        let service_id = service_id.map_or_else(
            || format!("{}.{}", self.service_order_id, item.id),
            std::borrow::Cow::into_owned,
        );
        for index in &specification.resources {
            let resource = &self.catalog.resource_at(*index).specification;
            let (id, name) = match of.name {
                Some(name) if specification.resources.len() == 1 => (of.id.to_owned(), name),
                _ => (format!("{}.{}", of.id, resource.id), resource.name.as_str()),
            };
            let inside = id.strip_prefix(&*item.id).unwrap_or_default();
            let resource_id = format!("{service_id}{inside}");
            let values = values.clone().with_defaults(&resource.characteristics);
            let before = of.depends_on.iter().chain(&specification.depends_on);
            self.steps.made.push(Made {
                service: of.service,
                root: origin.root.to_owned(),
                depends_on: before.copied().collect(),
                item: write::Item {
                    id,
                    action: write::action(item.action),
                    quantity: write::quantity(item.node),
                    specification: Some(write::resource_specification(resource)),
                    entity: write::resource(&resource_id, name, first_place(item), &values),
                    realizes: item.id.to_string(),
                    dependencies: Vec::new(),
                },
            });
        }
    }
}

/// Orders with many items are searched once for each item made from them.
fn items_by_id<'a>(order: &'a ProductOrder<'a>) -> HashMap<&'a str, &'a ProductOrderItem<'a>> {
    order.items.iter().map(|item| (&*item.id, item)).collect()
}

/// Where resource order items come from.
struct Origin<'a, 'd> {
    item: &'a ServiceOrderItem<'d>,
    /// Product order item at the root; empty if the chain begins with the service order.
    root: &'a str,
}

/// A service that is realized by resources.
struct Realization<'a> {
    service: ServiceIndex,
    /// Id that those of its items begin with.
    id: &'a str,
    /// Its name, if it is a service of its own behind the one ordered.
    name: Option<&'a str>,
    depends_on: &'a [ServiceIndex],
}

/// TMF652 knows one place a resource.
fn first_place<'d>(item: &ServiceOrderItem<'d>) -> Option<Node<'d>> {
    item.service?.list("place").next()
}
