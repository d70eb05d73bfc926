//! SOM: a service order becomes a resource order.

use std::borrow::Cow;
use std::collections::HashMap;

use super::around::{self, Places, Surroundings};
use super::com;
use super::dependencies::Waiting;
use super::loops::{self, Element, Reading};
use super::mapping::{self, Keep, Values};
use super::standing::{self, Mode, Named, Standing};
use super::step::{Fate, Made, Step, Steps, Subject};
use super::write::{self, Derivation};
use super::{Decomposer, Derived, NotDecomposable};
use crate::catalog::expression::Bindings;
use crate::catalog::{
    Decomposition, Facing, Loop, ResourceIndex, ServiceIndex, ServiceSpecification, Specification,
};
use crate::chain::order_name;
use crate::document::Node;
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
    steps: Steps<'c>,
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
    som.steps.finish(order.node, |items| {
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
        let members = around::item_members(&item.id, item.action, item.node);
        let around = |product| Surroundings {
            product,
            item: &members,
            order: self.order_members,
        };
        let now = around(product.as_ref()).bindings();
        let then = around(product_before.as_ref()).bindings();
        let given = item.service.and_then(|it| it.get("place"));
        let there = installed.as_ref().and_then(|it| it.node.get("place"));
        let (places, places_there) = (Places::of(given.or(there)), Places::of(there));
        let bindings = places.bindings(&now, &values);
        let before = before
            .as_ref()
            .map(|before| places_there.bindings(&then, before));
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
            now: &bindings,
            then: before.as_ref(),
            place: around::first(given.or(there)),
            given: around::first(given),
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
        let mut candidates: Vec<Candidate<'c>> = Vec::new();
        let behind = specification.decompositions.iter();
        for decomposition in behind.filter(|_| specification.facing == Facing::Customer) {
            let target = catalog.service_at(decomposition.target);
            if target.facing == Facing::Resource {
                candidates.push(Candidate {
                    decomposition: Some(decomposition),
                    index: decomposition.target,
                    target,
                });
            }
        }
        if let Some(index) = catalog.service_index(&specification.specification.id)
            && !specification.resources.is_empty()
        {
            candidates.push(Candidate {
                decomposition: None,
                index,
                target: specification,
            });
        }
        let once: Vec<Vec<Part<'c>>> = candidates
            .iter()
            .map(|candidate| match candidate.loops() {
                [] => self.parts(origin, *candidate, ""),
                _ => Vec::new(),
            })
            .collect();
        let ids: Vec<Option<(String, &str)>> = once
            .iter()
            .flatten()
            .map(|part| Some((part.resource_id.clone(), part.specification.id.as_str())))
            .collect();
        let mut standing = Standing::new(installed);
        let mut found = standing.matched(&ids).into_iter();
        for (candidate, parts) in candidates.into_iter().zip(once) {
            if candidate.loops().is_empty() {
                let found: Vec<Option<Installed<'c>>> = found.by_ref().take(parts.len()).collect();
                let element = Element::only(origin.now);
                self.candidate(origin, candidate, &element, (parts, found));
                continue;
            }
            if let Mode::All(_) = origin.mode {
                self.all(origin, candidate, &mut standing);
                continue;
            }
            let faults = loops::each(candidate.loops(), origin.now, &mut |element| {
                let parts = self.parts(origin, candidate, element.suffix);
                let found = parts
                    .iter()
                    .map(|part| standing.take(&part.resource_id, &part.specification.id))
                    .collect();
                self.candidate(origin, candidate, element, (parts, found));
            });
            if let Some(decomposition) = candidate.decomposition {
                self.steps
                    .loop_faults(decomposition, origin.item.node, faults);
            }
        }
        for resource in standing.rest() {
            self.other(origin, &resource);
        }
    }

    /// Everything that is installed of the elements of a loop.
    fn all(
        &mut self,
        origin: &Origin<'_, '_>,
        candidate: Candidate<'c>,
        standing: &mut Standing<'c>,
    ) {
        let element = Element::only(origin.now);
        for part in self.parts(origin, candidate, "") {
            let prefix = format!("{}.", part.resource_id);
            for (suffix, installed) in standing.take_all(&prefix, &part.specification.id) {
                let part = Part {
                    item_id: format!("{}.{suffix}", part.item_id),
                    resource_id: format!("{}.{suffix}", part.resource_id),
                    ..part
                };
                let found = vec![Some(installed)];
                self.candidate(origin, candidate, &element, (vec![part], found));
            }
        }
    }

    /// The resources of a service. A resource-facing service with one resource gives it its own id
    /// and name.
    fn parts(
        &self,
        origin: &Origin<'_, '_>,
        candidate: Candidate<'c>,
        suffix: &str,
    ) -> Vec<Part<'c>> {
        let catalog = self.with.catalog;
        let service = &candidate.target.specification;
        let own = candidate.decomposition.is_none();
        let inside = if own {
            String::new()
        } else {
            format!(".{}{suffix}", service.id)
        };
        let resources = &candidate.target.resources;
        let part = |index: &ResourceIndex| {
            let specification = &catalog.resource_at(*index).specification;
            let (inside, name) = if resources.len() == 1 && !own {
                (inside.clone(), service.name.as_str())
            } else {
                let inside = format!("{inside}.{}", specification.id);
                (inside, specification.name.as_str())
            };
            Part {
                item_id: format!("{}{inside}", origin.item.id),
                resource_id: format!("{}{inside}", origin.service_id),
                name,
                specification,
            }
        };
        resources.iter().map(part).collect()
    }

    /// What becomes of a service behind the one ordered, for one element of its rule's loops.
    fn candidate(
        &mut self,
        origin: &Origin<'_, '_>,
        candidate: Candidate<'c>,
        element: &Element<'_>,
        (parts, found): (Vec<Part<'c>>, Vec<Option<Installed<'c>>>),
    ) {
        let target = &candidate.target.specification;
        if let Mode::All(action) = origin.mode {
            for (part, found) in parts.into_iter().zip(found) {
                if let Some(installed) = found {
                    self.stays(origin, candidate, part, (installed, action));
                }
            }
            return;
        }
        let before: Vec<Option<Values<'c>>> = found
            .iter()
            .map(|it| it.as_ref().map(|it| com::installed_values(it, None)))
            .collect();
        let mut bindings = Bindings::over(element.bindings);
        let own = candidate.decomposition.and_then(|decomposition| {
            self.steps
                .place(decomposition, element.bindings, origin.item.node)
        });
        let own = own.as_ref().map(Reading::node);
        if own.is_some() {
            around::bind_place(&mut bindings, own);
        }
        let item_id = format!("{}.{}{}", origin.item.id, target.id, element.suffix);
        let keep = origin.then.zip(before.iter().flatten().next());
        let step = candidate.decomposition.map(|decomposition| Step {
            decomposition,
            source_item: &origin.item.id,
            source: origin.source,
            target,
            item_id: &item_id,
            place: origin.item.node,
            values: origin.values,
            bindings: &bindings,
            keep: keep.map(|(before, installed)| Keep { before, installed }),
        });
        let wanted = match &step {
            Some(step) => self.steps.take(step),
            None => Some(origin.values.clone()),
        };
        if wanted.is_none() && found.iter().all(Option::is_none) {
            return;
        }
        let always = &candidate.target.depends_on;
        let waits = match (&step, candidate.decomposition) {
            (Some(step), Some(decomposition)) => {
                self.steps.waits(step, always, &decomposition.depends_on)
            }
            _ => always.iter().map(Waiting::certain).collect(),
        };
        for ((part, found), before) in parts.into_iter().zip(found).zip(&before) {
            let full = wanted
                .clone()
                .map(|it| it.with_defaults(&part.specification.characteristics));
            let fate = match (origin.mode, &found, before) {
                (_, Some(installed), Some(before)) => self.steps.compare(
                    full.as_ref(),
                    &Subject {
                        item_id: &part.item_id,
                        installed,
                        before,
                        place: own.or(origin.given),
                        touched: false,
                        judged: candidate.decomposition.is_some(),
                    },
                ),
                (mode, ..) => {
                    let Some(values) = full.clone() else { continue };
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
            let known = full.or_else(|| before.clone()).unwrap_or_default();
            let resource_id = found.map_or(part.resource_id, |it| it.id.into_owned());
            let thing = Thing {
                service: Some(candidate.index),
                waits: waits.clone(),
                observed: com::observed(candidate.target, &known),
                item_id: part.item_id,
                resource_id: &resource_id,
                name: part.name,
                specification: part.specification,
                place: own.or(origin.place),
            };
            self.make(origin, thing, &fate);
        }
    }

    /// An installed resource that gets the action of what is above it.
    fn stays(
        &mut self,
        origin: &Origin<'_, '_>,
        candidate: Candidate<'c>,
        part: Part<'c>,
        (installed, action): (Installed<'c>, Action),
    ) {
        let source = (&*origin.item.id, origin.source);
        let realized = &candidate.target.specification.id;
        self.steps
            .explain(source, (realized, part.name), &part.item_id, origin.mode);
        let of_rule = candidate
            .decomposition
            .map_or([].as_slice(), |it| &it.depends_on);
        let known = com::installed_values(&installed, None);
        let thing = Thing {
            service: Some(candidate.index),
            waits: (of_rule.iter())
                .chain(&candidate.target.depends_on)
                .map(Waiting::certain)
                .collect(),
            observed: com::observed(candidate.target, &known),
            item_id: part.item_id,
            resource_id: &installed.id,
            name: part.name,
            specification: part.specification,
            place: installed.place(),
        };
        self.make(origin, thing, &Fate::bare(action));
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
        let thing = Thing {
            service: None,
            waits: Vec::new(),
            observed: Vec::new(),
            item_id,
            resource_id: &resource.id,
            name: &name,
            specification,
            place: resource.place(),
        };
        self.make(origin, thing, &Fate::bare(action));
    }

    fn make(&mut self, origin: &Origin<'_, '_>, thing: Thing<'_, 'c>, fate: &Fate<'_>) {
        let place = thing.place.filter(|_| fate.with_place);
        let Thing {
            resource_id, name, ..
        } = thing;
        self.steps.made.push(Made {
            service: thing.service,
            root: origin.root.to_owned(),
            parent: origin.item.id.to_string(),
            place: thing
                .place
                .and_then(|place| Some(place.get("id")?.raw().to_owned())),
            observed: thing.observed,
            waits: thing.waits,
            item: write::Item {
                id: thing.item_id,
                action: fate.action.name(),
                quantity: write::quantity(origin.item.node),
                specification: Some(write::resource_specification(thing.specification)),
                entity: write::resource(resource_id, name, place, &fate.values),
                realizes: vec![origin.item.id.to_string()],
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
    /// Characteristics of the service as it is to be.
    values: &'a Values<'a>,
    /// The variables.
    now: &'a Bindings<'a>,
    /// The variables as they were before the order, if the service is installed.
    then: Option<&'a Bindings<'a>>,
    /// First place of the service.
    place: Option<Node<'a>>,
    /// First place of the service, if the order says where it is to be.
    given: Option<Node<'a>>,
}

/// A service that may be realized by resources.
#[derive(Clone, Copy)]
struct Candidate<'c> {
    /// How it is made from the service ordered; none if it is that.
    decomposition: Option<&'c Decomposition>,
    index: ServiceIndex,
    target: &'c ServiceSpecification,
}

impl<'c> Candidate<'c> {
    fn loops(&self) -> &'c [Loop] {
        self.decomposition.map_or(&[], |it| &it.loops)
    }
}

/// A resource of a service.
struct Part<'c> {
    item_id: String,
    resource_id: String,
    name: &'c str,
    specification: &'c Specification,
}

/// A resource that gets an item.
struct Thing<'a, 'c> {
    /// The service that it realizes; none for what is installed and not of this catalog.
    service: Option<ServiceIndex>,
    waits: Vec<Waiting<'c>>,
    observed: Vec<(&'c str, String)>,
    item_id: String,
    resource_id: &'a str,
    name: &'a str,
    specification: &'c Specification,
    place: Option<Node<'a>>,
}
