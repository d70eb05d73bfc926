//! COM: a product order becomes a service order.

use std::borrow::Cow;
use std::collections::HashSet;

use super::around::{self, Places, Surroundings};
use super::dependencies::Waiting;
use super::loops::{self, Element, Reading};
use super::mapping::{self, Keep, Values};
use super::standing::{self, Mode, Named, Standing};
use super::step::{Fate, Made, Step, Steps, Subject};
use super::write::{self, Derivation};
use super::{Decomposer, Derived, NotDecomposable};
use crate::catalog::expression::Bindings;
use crate::catalog::{
    Catalog, Decomposition, Facing, ProductSpecification, ServiceIndex, ServiceSpecification,
    Specification,
};
use crate::chain::order_name;
use crate::document::Node;
use crate::inventory::{Installed, Layer};
use crate::model::state::OrderState;
use crate::model::{Action, ProductOrderItem};
use crate::validate::ValidOrder;

/// The product specification of an item: by its own reference, else by its offering's, else by
/// what is installed.
fn product_specification<'c>(
    catalog: &'c Catalog,
    item: &ProductOrderItem<'_>,
    installed: Option<&Installed<'_>>,
) -> Option<&'c ProductSpecification> {
    let named = item
        .specification
        .as_ref()
        .and_then(|reference| catalog.product(&reference.id));
    let offered = || {
        let offering = catalog.offering(&item.offering.as_ref()?.id)?;
        offering.product.map(|index| catalog.product_at(index))
    };
    named
        .or_else(offered)
        .or_else(|| catalog.product(installed?.specification_id()))
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
        return Values::of_item(&item.characteristics, offering, specification);
    };
    let mut values = Values::given(&item.characteristics, specification);
    let sold = installed
        .node
        .get("productOffering")
        .and_then(|it| it.text("id"));
    let uses = offering.iter().flat_map(|it| &it.uses);
    if offering.is_some_and(|offering| sold.as_deref() != Some(&*offering.id)) {
        values = values.with_defaults(uses.clone());
    }
    let specified = specification.iter().flat_map(|it| &it.characteristics);
    values
        .over(&Values::given(&installed.characteristics, specification))
        .with_defaults(uses.chain(specified))
}

/// Characteristics of an installed product, with the defaults of its specification.
pub fn installed_values<'d>(
    installed: &Installed<'d>,
    specification: Option<&'d Specification>,
) -> Values<'d> {
    let defaults = specification.iter().flat_map(|it| &it.characteristics);
    Values::given(&installed.characteristics, specification).with_defaults(defaults)
}

/// Specification and characteristics of an installed product.
pub fn installed_product<'d>(
    catalog: &'d Catalog,
    item: &ProductOrderItem<'_>,
    installed: &Installed<'d>,
) -> Values<'d> {
    let specification = product_specification(catalog, item, Some(installed));
    installed_values(installed, specification.map(|it| &it.specification))
}

struct Com<'a, 'c> {
    with: &'a Decomposer<'c>,
    order_id: &'a str,
    order_members: &'a [(&'static str, String)],
    steps: Steps<'c>,
    /// Installed services that the item has led to: references may run in circles.
    reached: HashSet<String>,
}

/// Decomposes a product order into a service order. Other orders give nothing.
///
/// # Errors
/// Every fault that values of the order bring to light in rules, and every product that should be
/// installed and is not.
pub fn service_order(
    with: &Decomposer<'_>,
    order: &ValidOrder<'_>,
) -> Result<Derived, NotDecomposable> {
    let Some(order) = order.product() else {
        return Ok(Derived::default());
    };
    let order_id = order_name(order.node.document());
    let order_members = mapping::order_members(&order_id, order.node);
    let steps = Steps::new(with.explain);
    let reached = HashSet::new();
    let mut com = Com {
        with,
        order_id: &order_id,
        order_members: &order_members,
        steps,
        reached,
    };
    for item in &order.items {
        com.item(item);
    }
    com.steps.finish(order.node, |items| {
        let id = format!("{order_id}.S");
        let derivation = Derivation {
            id: &id,
            above: order.node,
            above_id: &order_id,
            items,
        };
        write::service_order(&derivation)
    })
}

impl<'c> Com<'_, 'c> {
    /// What is installed of an item's product; the second value is false if that is at fault.
    fn installed(
        &mut self,
        item: &ProductOrderItem<'_>,
        id: &str,
    ) -> (Option<Installed<'c>>, bool) {
        let Some(inventory) = self.with.inventory else {
            return (None, true);
        };
        let action = item.action.unwrap_or(Action::Add);
        // Bundles and fees are no product of their own.
        let none = product_specification(self.with.catalog, item, None).is_none();
        if none && (item.product_id().is_none() || action == Action::Add) {
            return (None, true);
        }
        let named = Named {
            layer: Layer::Product,
            order: self.order_id,
            item: &item.id,
            node: item.node,
            id,
            action,
        };
        match named.find(inventory) {
            Ok(installed) => (installed, true),
            Err(finding) => {
                self.steps.fault(*finding);
                (None, false)
            }
        }
    }

    fn item(&mut self, item: &ProductOrderItem<'_>) {
        if OrderState::has_ended(item.node) {
            return;
        }
        let product_id = item
            .product_id()
            .map_or_else(|| format!("{}.{}", self.order_id, item.id), Cow::into_owned);
        let (installed, sound) = self.installed(item, &product_id);
        let catalog = self.with.catalog;
        let product = product_specification(catalog, item, installed.as_ref());
        let Some(product) = product.filter(|_| sound) else {
            return;
        };
        let values = product_values(catalog, item, installed.as_ref());
        let before = installed
            .as_ref()
            .map(|it| installed_values(it, Some(&product.specification)));
        let members = around::item_members(&item.id, item.action, item.node);
        let around = |product| Surroundings {
            product,
            item: &members,
            order: self.order_members,
        };
        let now = around(Some(&values)).bindings();
        let then = around(before.as_ref()).bindings();
        let given = item.product.and_then(|it| it.get("place"));
        let there = installed.as_ref().and_then(|it| it.node.get("place"));
        let origin = Origin {
            item,
            now: &now,
            then: &then,
            changes: before
                .as_ref()
                .is_some_and(|before| differ(before, &values)),
        };
        let mode = match &installed {
            Some(_) => Mode::below(item.action.unwrap_or(Action::Add)),
            None => Mode::Make(item.action.unwrap_or(Action::Add)),
        };
        let children = installed.as_ref().zip(self.with.inventory);
        let parent = Parent {
            item_id: &item.id,
            specification: &product.specification,
            decompositions: &product.decompositions,
            entity_id: &product_id,
            mode,
            place: given.or(there),
            given: around::first(given),
            before: before.as_ref(),
            there,
            children: children.map_or(Vec::new(), |(it, inventory)| inventory.services_of(it)),
        };
        self.reached.clear();
        self.expand(&origin, parent, &values);
    }

    /// Makes the items for the services that a thing needs.
    fn expand(&mut self, origin: &Origin<'_, '_>, mut parent: Parent<'_, 'c>, values: &Values<'_>) {
        let catalog = self.with.catalog;
        let (places, there) = (Places::of(parent.place), Places::of(parent.there));
        let bindings = places.bindings(origin.now, values);
        let before = parent.before.map(|it| there.bindings(origin.then, it));
        let candidates: Vec<Candidate<'c>> = parent
            .decompositions
            .iter()
            .map(|decomposition| Candidate {
                decomposition,
                target: catalog.service_at(decomposition.target),
            })
            .filter(|candidate| candidate.target.facing == Facing::Customer)
            .collect();
        let ids: Vec<Option<(String, &str)>> = candidates
            .iter()
            .map(|candidate| {
                let id = candidate.target.specification.id.as_str();
                let once = candidate.decomposition.loops.is_empty();
                once.then(|| (format!("{}.{id}", parent.entity_id), id))
            })
            .collect();
        let mut standing = Standing::new(std::mem::take(&mut parent.children));
        let found = standing.matched(&ids);
        let level = Level {
            origin,
            parent: &parent,
            values,
            before: before.as_ref(),
        };
        for (candidate, mut found) in candidates.into_iter().zip(found) {
            let loops = &candidate.decomposition.loops;
            let specification = &candidate.target.specification.id;
            if let Mode::All(action) = parent.mode {
                let found = found.map(|it| (String::new(), it)).into_iter();
                let prefix = format!("{}.{specification}", parent.entity_id);
                let looped = match loops.as_slice() {
                    [] => Vec::new(),
                    _ => standing.take_all(&prefix, specification),
                };
                for (suffix, installed) in found.chain(looped) {
                    self.stays(&level, candidate, &suffix, (installed, action));
                }
                continue;
            }
            let faults = loops::each(loops, &bindings, &mut |element| {
                let found = if loops.is_empty() {
                    found.take()
                } else {
                    let id = format!("{}.{specification}{}", parent.entity_id, element.suffix);
                    standing.take(&id, specification)
                };
                self.element(&level, candidate, element, found);
            });
            let decomposition = candidate.decomposition;
            self.steps
                .loop_faults(decomposition, origin.item.node, faults);
        }
        for installed in standing.rest() {
            self.other(&level, installed);
        }
    }

    /// An installed service that gets the action of what is above it.
    fn stays(
        &mut self,
        level: &Level<'_, 'c>,
        Candidate {
            decomposition,
            target,
        }: Candidate<'c>,
        suffix: &str,
        (installed, action): (Installed<'c>, Action),
    ) {
        let specification = &target.specification;
        let parent = level.parent;
        let item_id = format!("{}.{}{suffix}", parent.item_id, specification.id);
        let source = (parent.item_id, parent.specification);
        let names = (&*specification.id, &*specification.name);
        self.steps.explain(source, names, &item_id, parent.mode);
        let full = installed_values(&installed, None);
        let child = Child {
            service: Some(decomposition.target),
            waits: (decomposition.depends_on.iter())
                .chain(&target.depends_on)
                .map(Waiting::certain)
                .collect(),
            target,
            item_id,
            entity_id: installed.id.to_string(),
            place: installed.node.get("place"),
            given: None,
            installed: Some(installed),
        };
        self.make(level, child, &Fate::bare(action), &full);
    }

    /// What becomes of a target for one element of its rule's loops.
    fn element(
        &mut self,
        level: &Level<'_, 'c>,
        Candidate {
            decomposition,
            target,
        }: Candidate<'c>,
        element: &Element<'_>,
        found: Option<Installed<'c>>,
    ) {
        let (origin, parent) = (level.origin, level.parent);
        let specification = &target.specification;
        let item_id = format!("{}.{}{}", parent.item_id, specification.id, element.suffix);
        let mut bindings = Bindings::over(element.bindings);
        let own = self
            .steps
            .place(decomposition, element.bindings, origin.item.node);
        let own = own.as_ref().map(Reading::node);
        if own.is_some() {
            around::bind_place(&mut bindings, own);
        }
        let before = found.as_ref().map(|it| installed_values(it, None));
        let keep = level.before.zip(before.as_ref());
        let step = Step {
            decomposition,
            source_item: parent.item_id,
            source: parent.specification,
            target: specification,
            item_id: &item_id,
            place: origin.item.node,
            values: level.values,
            bindings: &bindings,
            keep: keep.map(|(before, installed)| Keep { before, installed }),
        };
        let given = own.or(parent.given);
        let (fate, full) = match (parent.mode, &found, &before) {
            (Mode::Compare, Some(installed), Some(before)) => {
                let wanted = self.steps.take(&step);
                let fate = self.steps.compare(
                    wanted.as_ref(),
                    &Subject {
                        item_id: &item_id,
                        installed,
                        before,
                        place: given,
                        touched: origin.changes && reads_product(self.with.catalog, target),
                        judged: true,
                    },
                );
                let full = wanted.map_or_else(|| before.clone(), |it| it.over(before));
                (fate, Some(full))
            }
            (mode, ..) => {
                let Some(values) = self.steps.take(&step) else {
                    return;
                };
                let action = match mode {
                    Mode::Make(action) => action,
                    Mode::Compare | Mode::All(_) => Action::Add,
                };
                let with_place = true;
                let fate = Fate {
                    action,
                    values,
                    with_place,
                };
                (fate, None)
            }
        };
        let waits = self
            .steps
            .waits(&step, &target.depends_on, &decomposition.depends_on);
        let computed = || {
            let id = &specification.id;
            format!("{}.{id}{}", parent.entity_id, element.suffix)
        };
        let child = Child {
            service: Some(decomposition.target),
            waits,
            target,
            entity_id: found.as_ref().map_or_else(computed, |it| it.id.to_string()),
            item_id,
            place: own.or(parent.place),
            given,
            installed: found,
        };
        let full = full.as_ref().unwrap_or(&fate.values);
        self.make(level, child, &fate, full);
    }

    /// An installed service that the catalog would not make.
    fn other(&mut self, level: &Level<'_, 'c>, installed: Installed<'c>) {
        let (catalog, parent) = (self.with.catalog, level.parent);
        let Some(target) = catalog.service(installed.specification_id()) else {
            let item = level.origin.item.node;
            return self.steps.unknown(item, &installed);
        };
        if target.facing == Facing::Resource || self.reached.contains(&*installed.id) {
            return;
        }
        let item_id = format!("{}.{}", parent.item_id, target.specification.id);
        let item_id = self.steps.new_id(item_id);
        let names = (&*target.specification.id, &*target.specification.name);
        let source = (parent.item_id, parent.specification);
        self.steps.explain(source, names, &item_id, parent.mode);
        let action = match parent.mode {
            Mode::All(action) => action,
            Mode::Compare | Mode::Make(_) => Action::Delete,
        };
        let child = Child {
            service: catalog.service_index(&target.specification.id),
            waits: target.depends_on.iter().map(Waiting::certain).collect(),
            target,
            item_id,
            entity_id: installed.id.to_string(),
            place: installed.node.get("place"),
            given: None,
            installed: Some(installed),
        };
        let full = Values::default();
        self.make(level, child, &Fate::bare(action), &full);
    }

    /// Makes an item for a service, and those for the services inside it.
    fn make(
        &mut self,
        level: &Level<'_, 'c>,
        child: Child<'_, 'c>,
        fate: &Fate<'_>,
        full: &Values<'_>,
    ) {
        let (origin, parent) = (level.origin, level.parent);
        let item = origin.item;
        let specification = &child.target.specification;
        if let Some(installed) = &child.installed {
            self.reached.insert(installed.id.to_string());
        }
        let place = child.place.filter(|_| fate.with_place);
        self.steps.made.push(Made {
            service: child.service,
            root: item.id.to_string(),
            parent: parent.item_id.to_owned(),
            place: around::first(child.place)
                .and_then(|place| Some(place.get("id")?.raw().to_owned())),
            observed: observed(child.target, full),
            waits: child.waits,
            item: write::Item {
                id: child.item_id.clone(),
                action: fate.action.name(),
                quantity: write::quantity(item.node),
                specification: None,
                entity: write::service(&child.entity_id, specification, place, &fate.values),
                realizes: vec![item.id.to_string()],
                dependencies: Vec::new(),
            },
        });
        let before = child
            .installed
            .as_ref()
            .map(|it| installed_values(it, Some(specification)));
        let below = match (parent.mode, &child.installed) {
            (Mode::Make(action), _) => Mode::Make(action),
            (_, None) => Mode::Make(Action::Add),
            (_, Some(_)) => Mode::below(fate.action),
        };
        let children = child.installed.as_ref().zip(self.with.inventory);
        let inside = Parent {
            item_id: &child.item_id,
            specification,
            decompositions: &child.target.decompositions,
            entity_id: &child.entity_id,
            mode: below,
            place: child.place,
            given: child.given,
            before: before.as_ref(),
            there: child.installed.as_ref().and_then(|it| it.node.get("place")),
            children: children.map_or(Vec::new(), |(it, inventory)| inventory.services_inside(it)),
        };
        self.expand(origin, inside, full);
    }
}

/// The values by which dependencies choose between the items of a service.
pub fn observed<'c>(
    service: &'c ServiceSpecification,
    values: &Values<'_>,
) -> Vec<(&'c str, String)> {
    let value = |name: &'c String| Some((name.as_str(), values.get(name)?.to_owned()));
    service.observed.iter().filter_map(value).collect()
}

/// Where service order items come from.
struct Origin<'a, 'd> {
    item: &'a ProductOrderItem<'d>,
    /// What stands around the item.
    now: &'a Bindings<'a>,
    /// What stood around it before.
    then: &'a Bindings<'a>,
    /// Whether a characteristic of an installed product changes.
    changes: bool,
}

/// What is being decomposed.
struct Parent<'a, 'c> {
    item_id: &'a str,
    specification: &'a Specification,
    decompositions: &'c [Decomposition],
    entity_id: &'a str,
    mode: Mode,
    /// Its member `place`, as it is to be.
    place: Option<Node<'a>>,
    /// Its first place, if the order says where it is to be.
    given: Option<Node<'a>>,
    /// Its characteristics before the order, if it is installed.
    before: Option<&'a Values<'c>>,
    /// Its member `place`, as it is installed.
    there: Option<Node<'a>>,
    /// The services below it that are installed.
    children: Vec<Installed<'c>>,
}

/// What is being decomposed, with its characteristics as they are to be.
struct Level<'a, 'c> {
    origin: &'a Origin<'a, 'a>,
    parent: &'a Parent<'a, 'c>,
    values: &'a Values<'a>,
    /// The variables as they were before the order.
    before: Option<&'a Bindings<'a>>,
}

/// A service that may be made.
#[derive(Clone, Copy)]
struct Candidate<'c> {
    decomposition: &'c Decomposition,
    target: &'c ServiceSpecification,
}

/// A service that gets an item.
struct Child<'a, 'c> {
    service: Option<ServiceIndex>,
    waits: Vec<Waiting<'c>>,
    target: &'c ServiceSpecification,
    item_id: String,
    entity_id: String,
    place: Option<Node<'a>>,
    given: Option<Node<'a>>,
    installed: Option<Installed<'c>>,
}

/// Whether anything that a service is made of, at any depth, looks at the product.
fn reads_product(catalog: &Catalog, service: &ServiceSpecification) -> bool {
    service.decompositions.iter().any(|decomposition| {
        decomposition.reads("product")
            || reads_product(catalog, catalog.service_at(decomposition.target))
    })
}

fn differ(before: &Values<'_>, now: &Values<'_>) -> bool {
    let same = |(name, value): (&str, &str)| {
        before
            .get(name)
            .is_some_and(|before| standing::same(before, value))
    };
    !now.iter().all(same) || before.iter().count() != now.iter().count()
}
