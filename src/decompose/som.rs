//! SOM: a service order becomes a resource order.

use std::borrow::Cow;
use std::collections::HashMap;

use super::com::{self, first_place, place_of};
use super::mapping::{self, Keep, Surroundings, Values};
use super::standing::{self, Mode, Named};
use super::step::{Fate, Made, Step, Steps, Subject};
use super::write::{self, Derivation};
use super::{Decomposer, Derived, NotDecomposable};
use crate::catalog::{
    Decomposition, Facing, ResourceIndex, ServiceIndex, ServiceSpecification, Specification,
};
use crate::chain::order_name;
use crate::document::{Node, quote};
use crate::inventory::{Installed, Layer};
use crate::model::reference::RelationshipKind;
use crate::model::state::OrderState;
use crate::model::{Action, ProductOrder, ProductOrderItem, ServiceOrderItem};
use crate::validate::ValidOrder;

struct Som<'a, 'c> {
    with: &'a Decomposer<'c>,
    service_order_id: &'a str,
    /// Items of the product order by id, and that order's id.
    roots: HashMap<&'a str, &'a ProductOrderItem<'a>>,
    product_order_id: &'a str,
    order_members: &'a [(&'static str, String)],
    steps: Steps,
}

/// Decomposes a service order into a resource order. `product_order` is the order that it came
/// from, if that is part of the chain: rules may read its characteristics. Other orders give
/// nothing.
///
/// # Errors
/// Every fault that values of the order bring to light in rules, and every service that should be
/// installed and is not.
pub fn resource_order(
    with: &Decomposer<'_>,
    order: &ValidOrder<'_>,
    product_order: Option<&ValidOrder<'_>>,
) -> Result<Derived, NotDecomposable> {
    let Some(order) = order.service() else {
        return Ok(Derived::default());
    };
    let order_id = order_name(order.node.document());
    let root = product_order.and_then(ValidOrder::product);
    // A service order that comes alone still names the order that it came from.
    let root_id = order.product_order.as_deref().unwrap_or(&order_id);
    let order_members = mapping::order_members(root_id, root.map_or(order.node, |root| root.node));
    let product_order_id = root.map_or(String::new(), |root| order_name(root.node.document()));
    let mut som = Som {
        with,
        service_order_id: &order_id,
        roots: root.map_or_else(HashMap::new, items_by_id),
        product_order_id: &product_order_id,
        order_members: &order_members,
        steps: Steps::new(with.explain),
    };
    for item in &order.items {
        som.item(item);
    }
    som.steps.finish(|items| {
        let id = format!("{order_id}.R");
        let derivation = Derivation {
            id: &id,
            above: order.node,
            above_id: &order_id,
            items,
        };
        write::resource_order(&derivation)
    })
}

impl<'c> Som<'_, 'c> {
    fn item(&mut self, item: &ServiceOrderItem<'_>) {
        if OrderState::has_ended(item.node) {
            return;
        }
        let catalog = self.with.catalog;
        let service_id = item.service_id().map_or_else(
            || format!("{}.{}", self.service_order_id, item.id),
            Cow::into_owned,
        );
        let action = item.action.unwrap_or(Action::Add);
        let named = Named {
            layer: Layer::Service,
            order: self.service_order_id,
            item: &item.id,
            node: item.node,
            id: &service_id,
            action,
        };
        let found = self.with.inventory.map(|inventory| named.find(inventory));
        let installed = match found.transpose() {
            Ok(installed) => installed.flatten(),
            Err(finding) => return self.steps.fault(*finding),
        };
        let named = item
            .specification
            .as_ref()
            .map(|reference| reference.id.to_string());
        let known = installed
            .as_ref()
            .map(|it| it.specification_id().to_owned());
        let Some(specification) = named.or(known).and_then(|id| catalog.service(&id)) else {
            return;
        };
        let mode = match &installed {
            // Nothing below it changes.
            Some(_) if action == Action::NoChange => return,
            Some(_) => Mode::below(action),
            None => Mode::Make(action),
        };
        let known = &specification.specification;
        let before = installed
            .as_ref()
            .map(|it| com::installed_values(it, Some(known)));
        let values = match &before {
            Some(before) => Values::given(&item.characteristics, Some(known)).over(before),
            None => Values::of_item(&item.characteristics, None, Some(known)),
        };
        let root = item
            .relationships
            .iter()
            .find(|it| it.kind == RelationshipKind::Realizes)
            .map_or(String::new(), |it| it.item.to_string());
        let at_root = self.roots.get(&*root).copied();
        let owner = at_root
            .zip(self.with.inventory)
            .and_then(|(it, inventory)| {
                let id = it.product_id().map_or_else(
                    || format!("{}.{}", self.product_order_id, it.id),
                    Cow::into_owned,
                );
                inventory
                    .product(&id)
                    .filter(|_| it.action.is_some_and(|it| it != Action::Add))
            });
        let product = at_root.map(|it| com::product_values(catalog, it, owner.as_ref()));
        let product_before = at_root
            .zip(owner.as_ref())
            .map(|(it, owner)| com::installed_product(catalog, it, owner));
        let around = |product, place| Surroundings {
            product,
            item: [
                ("id", quote(&item.id)),
                ("action", quote(write::action(item.action))),
                ("quantity", write::quantity(item.node).to_string()),
            ],
            order: self.order_members,
            place: mapping::place(place),
        };
        let now = around(product.as_ref(), place_of(item.service, installed.as_ref()));
        let then = around(
            product_before.as_ref(),
            installed.as_ref().and_then(Installed::place),
        );
        let installed = installed.zip(self.with.inventory);
        let resources = installed
            .as_ref()
            .map_or(Vec::new(), |(service, inventory)| {
                standing::resources_below(inventory, catalog, service)
            });
        let origin = Origin {
            item,
            root: &root,
            mode,
            source: known,
            service_id: &service_id,
            values: &values,
            before: before.as_ref(),
            now: &now,
            then: &then,
            place: place_of(item.service, installed.as_ref().map(|(service, _)| service)),
        };
        self.resources(&origin, specification, resources);
    }

    /// Everything that a service stands on: the resources of the services behind it, and its own
    /// (an RFS that another system ordered, or a CFS without a service between).
    fn resources(
        &mut self,
        origin: &Origin<'_, '_>,
        specification: &'c ServiceSpecification,
        installed: Vec<Installed<'c>>,
    ) {
        let catalog = self.with.catalog;
        let item_id = &*origin.item.id;
        let mut candidates: Vec<Candidate<'c>> = Vec::new();
        let behind = specification.decompositions.iter();
        for decomposition in behind.filter(|_| specification.facing == Facing::Customer) {
            let target = catalog.service_at(decomposition.target);
            if target.facing == Facing::Resource {
                let id = format!("{item_id}.{}", target.specification.id);
                let name = Some(target.specification.name.as_str());
                let depends_on = &decomposition.depends_on;
                let of = Realization {
                    service: decomposition.target,
                    id,
                    name,
                    depends_on,
                };
                candidates.push(Candidate {
                    decomposition: Some((decomposition, target)),
                    of,
                });
            }
        }
        if let Some(service) = catalog.service_index(&specification.specification.id) {
            let of = Realization {
                service,
                id: item_id.to_owned(),
                name: None,
                depends_on: &[],
            };
            candidates.push(Candidate {
                decomposition: None,
                of,
            });
        }
        let parts: Vec<Vec<Part<'c>>> = candidates
            .iter()
            .map(|candidate| self.parts(origin, &candidate.of))
            .collect();
        let ids: Vec<(String, &str)> = parts
            .iter()
            .flatten()
            .map(|part| (part.resource_id.clone(), part.specification.id.as_str()))
            .collect();
        let standing::Matched { found, others } = standing::matched(installed, &ids);
        let mut found = found.into_iter();
        for (candidate, parts) in candidates.iter().zip(parts) {
            let found: Vec<Option<Installed<'c>>> = found.by_ref().take(parts.len()).collect();
            self.candidate(origin, candidate, parts, found);
        }
        for resource in others {
            self.other(origin, &resource);
        }
    }

    /// The resources of a service. A resource-facing service with one resource gives it its own id
    /// and name.
    fn parts(&self, origin: &Origin<'_, '_>, of: &Realization<'c>) -> Vec<Part<'c>> {
        let catalog = self.with.catalog;
        let resources = &catalog.service_at(of.service).resources;
        let part = |index: &ResourceIndex| {
            let specification = &catalog.resource_at(*index).specification;
            let (item_id, name) = match of.name {
                Some(name) if resources.len() == 1 => (of.id.clone(), name),
                _ => (
                    format!("{}.{}", of.id, specification.id),
                    specification.name.as_str(),
                ),
            };
            let inside = item_id.strip_prefix(&*origin.item.id).unwrap_or_default();
            let resource_id = format!("{}{inside}", origin.service_id);
            Part {
                item_id,
                resource_id,
                name,
                specification,
            }
        };
        resources.iter().map(part).collect()
    }

    fn candidate(
        &mut self,
        origin: &Origin<'_, '_>,
        candidate: &Candidate<'c>,
        parts: Vec<Part<'c>>,
        found: Vec<Option<Installed<'c>>>,
    ) {
        let of = &candidate.of;
        if parts.is_empty() && candidate.decomposition.is_none() {
            return;
        }
        let bindings = origin.now.bindings(origin.values);
        let bindings_before = origin.before.map(|before| origin.then.bindings(before));
        let before: Vec<Option<Values<'c>>> = found
            .iter()
            .map(|it| it.as_ref().map(|it| com::installed_values(it, None)))
            .collect();
        let judged = !matches!(origin.mode, Mode::All(_));
        let wanted = match candidate.decomposition {
            Some((decomposition, target)) if judged => {
                let keep = bindings_before.as_ref().zip(before.iter().flatten().next());
                self.steps.take(&Step {
                    decomposition,
                    source_item: &origin.item.id,
                    source: origin.source,
                    target: &target.specification,
                    item_id: &of.id,
                    place: origin.item.node,
                    values: origin.values,
                    bindings: &bindings,
                    keep: keep.map(|(before, installed)| Keep { before, installed }),
                })
            }
            _ => Some(origin.values.clone()).filter(|_| judged),
        };
        for ((part, found), before) in parts.into_iter().zip(found).zip(before) {
            let full = wanted
                .clone()
                .map(|it| it.with_defaults(&part.specification.characteristics));
            let fate = match (origin.mode, &found, &before) {
                (Mode::All(action), Some(_), _) => {
                    let source = (&*origin.item.id, origin.source);
                    let realized = &self.with.catalog.service_at(of.service).specification.id;
                    self.steps
                        .explain(source, (realized, part.name), &part.item_id, origin.mode);
                    Fate::bare(action)
                }
                (Mode::All(_), None, _) => continue,
                (_, Some(installed), Some(before)) => self.steps.compare(
                    full.as_ref(),
                    &Subject {
                        item_id: &part.item_id,
                        installed,
                        before,
                        place: first_place(origin.item.service),
                        touched: false,
                        judged: candidate.decomposition.is_some(),
                    },
                ),
                (mode, ..) => {
                    let Some(values) = full else { continue };
                    let action = match mode {
                        Mode::Make(action) => action,
                        Mode::Compare | Mode::All(_) => Action::Add,
                    };
                    Fate {
                        action,
                        values,
                        with_place: true,
                    }
                }
            };
            let specification = self.with.catalog.service_at(of.service);
            let depends_on = of
                .depends_on
                .iter()
                .chain(&specification.depends_on)
                .copied()
                .collect();
            let resource_id = found.map_or(part.resource_id, |it| it.id.into_owned());
            let thing = (resource_id.as_str(), part.name, part.specification);
            self.make(
                origin,
                part.item_id,
                thing,
                &fate,
                (Some(of.service), depends_on),
            );
        }
    }

    /// An installed resource that the catalog would not make.
    fn other(&mut self, origin: &Origin<'_, '_>, resource: &Installed<'_>) {
        let Some(specification) = self.with.catalog.resource(resource.specification_id()) else {
            return self.steps.unknown(origin.item.node, resource);
        };
        let specification = &specification.specification;
        let item_id = self
            .steps
            .new_id(format!("{}.{}", origin.item.id, specification.id));
        let source = (&*origin.item.id, origin.source);
        self.steps.explain(
            source,
            (&specification.id, &specification.name),
            &item_id,
            origin.mode,
        );
        let action = match origin.mode {
            Mode::All(action) => action,
            Mode::Compare | Mode::Make(_) => Action::Delete,
        };
        let name = resource
            .node
            .text("name")
            .unwrap_or(Cow::Borrowed(&specification.name));
        let thing = (&*resource.id, &*name, specification);
        self.make(
            origin,
            item_id,
            thing,
            &Fate::bare(action),
            (None, Vec::new()),
        );
    }

    fn make(
        &mut self,
        origin: &Origin<'_, '_>,
        id: String,
        (resource_id, name, specification): (&str, &str, &Specification),
        fate: &Fate<'_>,
        (service, depends_on): (Option<ServiceIndex>, Vec<ServiceIndex>),
    ) {
        // TMF652 knows one place a resource.
        let place = origin.place.filter(|_| fate.with_place);
        self.steps.made.push(Made {
            service,
            root: origin.root.to_owned(),
            depends_on,
            item: write::Item {
                id,
                action: fate.action.name(),
                quantity: write::quantity(origin.item.node),
                specification: Some(write::resource_specification(specification)),
                entity: write::resource(resource_id, name, place, &fate.values),
                realizes: origin.item.id.to_string(),
                dependencies: Vec::new(),
            },
        });
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
    mode: Mode,
    source: &'a Specification,
    service_id: &'a str,
    /// Characteristics of the service as it is to be, and as it is installed.
    values: &'a Values<'a>,
    before: Option<&'a Values<'a>>,
    /// What stands around the item.
    now: &'a Surroundings<'a>,
    /// What stood around it before.
    then: &'a Surroundings<'a>,
    /// First place of the service.
    place: Option<Node<'a>>,
}

/// A service that may be realized by resources.
struct Candidate<'c> {
    /// How it is made from the service ordered; none if it is that.
    decomposition: Option<(&'c Decomposition, &'c ServiceSpecification)>,
    of: Realization<'c>,
}

/// A service that is realized by resources.
struct Realization<'c> {
    service: ServiceIndex,
    /// Id that those of its items begin with.
    id: String,
    /// Its name, if it is a service of its own behind the one ordered.
    name: Option<&'c str>,
    depends_on: &'c [ServiceIndex],
}

/// A resource of a service.
struct Part<'c> {
    item_id: String,
    resource_id: String,
    name: &'c str,
    specification: &'c Specification,
}
