//! SOM: a service order becomes a resource order.

use std::collections::HashMap;

use super::com::{self, Judgement, judge};
use super::explain::Explanation;
use super::mapping::{self, Surroundings, Values};
use super::write::{self, Derivation};
use super::{Derived, NotDecomposable};
use crate::chain::order_name;
use crate::catalog::{Catalog, Facing, ServiceIndex, ServiceSpecification};
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::model::reference::RelationshipKind;
use crate::model::{ProductOrder, ProductOrderItem, ServiceOrder, ServiceOrderItem};
use crate::validate::ValidOrder;

/// An item of the resource order while its dependencies are not known yet.
struct Made {
    service: ServiceIndex,
    /// Product order item at the root; empty if the chain begins with the service order.
    root: String,
    depends_on: Vec<ServiceIndex>,
    item: write::Item,
}

struct Som<'a, 'c> {
    catalog: &'c Catalog,
    service_order_id: &'a str,
    /// Items of the product order by id.
    roots: HashMap<&'a str, &'a ProductOrderItem<'a>>,
    order_members: &'a [(&'static str, String)],
    explain: bool,
    made: Vec<Made>,
    explanations: Vec<Explanation>,
    diagnostics: Vec<Diagnostic>,
}

/// Decomposes a service order into a resource order. `product_order` is the order that it came
/// from, if that is part of the chain: rules may read its characteristics.
///
/// # Errors
/// Every fault that values of the order bring to light in rules.
pub fn resource_order(
    catalog: &Catalog,
    order: &ValidOrder<'_>,
    product_order: Option<&ValidOrder<'_>>,
    explain: bool,
) -> Result<Derived, NotDecomposable> {
    let Some(order) = order.service() else {
        return Ok(Derived { document: None, explanations: Vec::new() });
    };
    let service_order_id = order_name(order.node.document());
    let root = product_order.and_then(ValidOrder::product);
    let order_members = mapping::order_members(root.map_or(order.node, |root| root.node));
    let mut som = Som {
        catalog,
        service_order_id: &service_order_id,
        roots: root.map_or_else(HashMap::new, items_by_id),
        order_members: &order_members,
        explain,
        made: Vec::new(),
        explanations: Vec::new(),
        diagnostics: Vec::new(),
    };
    for item in &order.items {
        som.item(item);
    }
    if !som.diagnostics.is_empty() {
        return Err(NotDecomposable(som.diagnostics));
    }
    let Som { made, explanations, .. } = som;
    let document = (!made.is_empty()).then(|| write_order(order, &service_order_id, made));
    Ok(Derived { document, explanations })
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
                ("id", crate::document::quote(&item.id)),
                ("action", crate::document::quote(write::action(item.action))),
                ("quantity", write::quantity(item.node).to_string()),
            ],
            order: self.order_members,
            place: mapping::place(item.service.and_then(|it| it.list("place").next())),
        };
        match specification.facing {
            // Another system may order resource-facing services itself.
            Facing::Resource => {
                let own = catalog.services.iter().position(|it| std::ptr::eq(it, specification));
                let service = ServiceIndex(own.unwrap_or_default());
                let from = From { item, root: &root, prefix: &item.id };
                self.resources(&from, service, specification, &values, &[]);
            }
            Facing::Customer => {
                self.customer_facing(item, specification, &values, &surroundings, &root);
            }
        }
    }

    fn customer_facing(
        &mut self,
        item: &ServiceOrderItem<'_>,
        source: &'c ServiceSpecification,
        values: &Values<'_>,
        surroundings: &Surroundings<'_>,
        root: &str,
    ) {
        let catalog = self.catalog;
        let bindings = surroundings.bindings(values);
        for decomposition in &source.decompositions {
            let target = catalog.service_at(decomposition.target);
            if target.facing == Facing::Customer {
                continue;
            }
            let prefix = format!("{}.{}", item.id, target.specification.id);
            let explained = (&*item.id, &source.specification, &target.specification);
            match judge(decomposition, &bindings, explained, &prefix, self.explain, item.node) {
                Err(fault) => {
                    self.diagnostics.push(*fault);
                    continue;
                }
                Ok(Judgement { made, explanation }) => {
                    self.explanations.extend(explanation);
                    if !made {
                        continue;
                    }
                }
            }
            let mapped = mapping::map(
                decomposition,
                &target.specification,
                values,
                &bindings,
                item.node,
                &mut self.diagnostics,
            );
            let from = From { item, root, prefix: &prefix };
            self.resources(&from, decomposition.target, target, &mapped, &decomposition.depends_on);
        }
        if !source.resources.is_empty() {
            let own = catalog.services.iter().position(|it| std::ptr::eq(it, source));
            let service = ServiceIndex(own.unwrap_or_default());
            let from = From { item, root, prefix: &item.id };
            self.resources(&from, service, source, values, &[]);
        }
    }

    /// One item for each resource that realizes a service.
    fn resources(
        &mut self,
        from: &From<'_, '_>,
        service: ServiceIndex,
        specification: &'c ServiceSpecification,
        values: &Values<'_>,
        depends_on: &[ServiceIndex],
    ) {
        let item = from.item;
        let alone = specification.resources.len() == 1 && from.prefix != &*item.id;
        let service_id = item.service.and_then(|it| it.text("id")).filter(|id| !id.is_empty());
        let service_id = service_id.map_or_else(
            || format!("{}.{}", self.service_order_id, item.id),
            std::borrow::Cow::into_owned,
        );
        for index in &specification.resources {
            let resource = &self.catalog.resource_at(*index).specification;
            let id = if alone { from.prefix.to_owned() } else { format!("{}.{}", from.prefix, resource.id) };
            let name = if alone || from.prefix == &*item.id && specification.resources.len() == 1 {
                &specification.specification.name
            } else {
                &resource.name
            };
            let resource_id = id.strip_prefix(&*item.id).unwrap_or_default();
            let resource_id = format!("{service_id}{resource_id}");
            let values = values.clone().with_defaults(&resource.characteristics);
            let mut before = depends_on.to_vec();
            before.extend(&specification.depends_on);
            self.made.push(Made {
                service,
                root: from.root.to_owned(),
                depends_on: before,
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
struct From<'a, 'd> {
    item: &'a ServiceOrderItem<'d>,
    root: &'a str,
    prefix: &'a str,
}

/// TMF652 knows one place a resource.
fn first_place<'d>(item: &ServiceOrderItem<'d>) -> Option<Node<'d>> {
    item.service?.list("place").next()
}

fn write_order(
    order: &ServiceOrder<'_>,
    service_order_id: &str,
    mut made: Vec<Made>,
) -> crate::document::Document {
    // Items of one product order item, by the service that they realize.
    let mut by_service: HashMap<(&str, ServiceIndex), Vec<String>> = HashMap::new();
    for item in &made {
        by_service.entry((&item.root, item.service)).or_default().push(item.item.id.clone());
    }
    let mut dependencies = Vec::with_capacity(made.len());
    for item in &made {
        let mut before: Vec<String> = Vec::new();
        for service in &item.depends_on {
            let others = by_service.get(&(item.root.as_str(), *service)).into_iter().flatten();
            for other in others {
                if !before.contains(other) && *other != item.item.id {
                    before.push(other.clone());
                }
            }
        }
        dependencies.push(before);
    }
    for (made, dependencies) in made.iter_mut().zip(dependencies) {
        made.item.dependencies = dependencies;
    }
    let items: Vec<write::Item> = made.into_iter().map(|made| made.item).collect();
    write::resource_order(&Derivation {
        id: &format!("{service_order_id}.R"),
        above: order.node,
        above_id: service_order_id,
        items: &items,
    })
}
