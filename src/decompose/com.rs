//! COM: a product order becomes a service order.

use std::borrow::Cow;
use std::collections::HashSet;

use super::mapping::{self, Keep, Surroundings, Values};
use super::standing::{self, Matched, Mode, Named};
use super::step::{Fate, Made, Step, Steps, Subject};
use super::write::{self, Derivation};
use super::{Decomposer, Derived, NotDecomposable};
use crate::catalog::{
    Catalog, Decomposition, Facing, ProductSpecification, ServiceIndex, ServiceSpecification,
    Specification,
};
use crate::chain::order_name;
use crate::document::{Node, quote};
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

/// Place of an order item; else of what is installed.
pub fn place_of<'d>(
    entity: Option<Node<'d>>,
    installed: Option<&Installed<'d>>,
) -> Option<Node<'d>> {
    first_place(entity).or_else(|| installed?.place())
}

/// First place of an entity that an order gives.
pub fn first_place(entity: Option<Node<'_>>) -> Option<Node<'_>> {
    entity?.list("place").next()
}

struct Com<'a, 'c> {
    with: &'a Decomposer<'c>,
    order_id: &'a str,
    order_members: &'a [(&'static str, String)],
    steps: Steps,
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
    com.steps.finish(|items| {
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
        let now = around(Some(&values), place_of(item.product, installed.as_ref()));
        let then = around(
            before.as_ref(),
            installed.as_ref().and_then(Installed::place),
        );
        let given = item.product.and_then(|it| it.get("place"));
        let origin = Origin {
            item,
            place: given.or_else(|| installed.as_ref()?.node.get("place")),
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
            before: before.as_ref(),
            children: children.map_or(Vec::new(), |(it, inventory)| inventory.services_of(it)),
        };
        self.reached.clear();
        self.expand(&origin, parent, &values);
    }

    #[expect(
        clippy::too_many_lines,
        reason = "what becomes of each target, from judging it to writing it down"
    )]
    fn expand(&mut self, origin: &Origin<'_, '_>, parent: Parent<'_, 'c>, values: &Values<'_>) {
        let catalog = self.with.catalog;
        let bindings = origin.now.bindings(values);
        let bindings_before = parent.before.map(|before| origin.then.bindings(before));
        let candidates: Vec<(&'c Decomposition, &'c ServiceSpecification)> = parent
            .decompositions
            .iter()
            .map(|decomposition| (decomposition, catalog.service_at(decomposition.target)))
            .filter(|(_, target)| target.facing == Facing::Customer)
            .collect();
        let ids: Vec<(String, &str)> = candidates
            .iter()
            .map(|(_, target)| {
                let id = &target.specification.id;
                (format!("{}.{id}", parent.entity_id), id.as_str())
            })
            .collect();
        let Matched { found, others } = standing::matched(parent.children, &ids);
        let source = (parent.item_id, parent.specification);
        for (((decomposition, target), (computed, _)), found) in
            candidates.iter().zip(ids).zip(found)
        {
            let specification = &target.specification;
            let item_id = format!("{}.{}", parent.item_id, specification.id);
            let before = found.as_ref().map(|it| installed_values(it, None));
            let keep = bindings_before.as_ref().zip(before.as_ref());
            let step = Step {
                decomposition,
                source_item: parent.item_id,
                source: parent.specification,
                target: specification,
                item_id: &item_id,
                place: origin.item.node,
                values,
                bindings: &bindings,
                keep: keep.map(|(before, installed)| Keep { before, installed }),
            };
            let (fate, full) = match (parent.mode, &found, &before) {
                (Mode::All(action), Some(_), Some(before)) => {
                    let target = (&*specification.id, &*specification.name);
                    self.steps.explain(source, target, &item_id, parent.mode);
                    (Fate::bare(action), Some(before.clone()))
                }
                (Mode::All(_), ..) => continue,
                (Mode::Compare, Some(installed), Some(before)) => {
                    let wanted = self.steps.take(&step);
                    let fate = self.steps.compare(
                        wanted.as_ref(),
                        &Subject {
                            item_id: &item_id,
                            installed,
                            before,
                            place: first_place(origin.item.product),
                            touched: origin.changes && reads_product(catalog, target),
                            judged: true,
                        },
                    );
                    (
                        fate,
                        Some(wanted.map_or_else(|| before.clone(), |it| it.over(before))),
                    )
                }
                (mode, ..) => {
                    let Some(mapped) = self.steps.take(&step) else {
                        continue;
                    };
                    let action = match mode {
                        Mode::Make(action) => action,
                        Mode::Compare | Mode::All(_) => Action::Add,
                    };
                    (
                        Fate {
                            action,
                            values: mapped,
                            with_place: true,
                        },
                        None,
                    )
                }
            };
            let child = Child {
                service: Some(decomposition.target),
                depends_on: &decomposition.depends_on,
                target,
                item_id,
                entity_id: found.as_ref().map_or(computed, |it| it.id.to_string()),
                installed: found,
            };
            let full = full.as_ref().unwrap_or(&fate.values);
            self.make(origin, &child, &fate, full, parent.mode);
        }
        for installed in others {
            let Some(target) = catalog.service(installed.specification_id()) else {
                self.steps.unknown(origin.item.node, &installed);
                continue;
            };
            if target.facing == Facing::Resource || self.reached.contains(&*installed.id) {
                continue;
            }
            let item_id = format!("{}.{}", parent.item_id, target.specification.id);
            let item_id = self.steps.new_id(item_id);
            let names = (&*target.specification.id, &*target.specification.name);
            self.steps.explain(source, names, &item_id, parent.mode);
            let action = match parent.mode {
                Mode::All(action) => action,
                Mode::Compare | Mode::Make(_) => Action::Delete,
            };
            let child = Child {
                service: catalog.service_index(&target.specification.id),
                depends_on: &[],
                target,
                item_id,
                entity_id: installed.id.to_string(),
                installed: Some(installed),
            };
            let full = Values::default();
            self.make(
                origin,
                &child,
                &Fate::bare(action),
                &full,
                Mode::All(action),
            );
        }
    }

    /// Makes an item for a service, and those for the services inside it.
    fn make(
        &mut self,
        origin: &Origin<'_, '_>,
        child: &Child<'c>,
        fate: &Fate<'_>,
        full: &Values<'_>,
        mode: Mode,
    ) {
        let item = origin.item;
        let specification = &child.target.specification;
        if let Some(installed) = &child.installed {
            self.reached.insert(installed.id.to_string());
        }
        let place = origin.place.filter(|_| fate.with_place);
        self.steps.made.push(Made {
            service: child.service,
            root: item.id.to_string(),
            depends_on: child
                .depends_on
                .iter()
                .chain(&child.target.depends_on)
                .copied()
                .collect(),
            item: write::Item {
                id: child.item_id.clone(),
                action: fate.action.name(),
                quantity: write::quantity(item.node),
                specification: None,
                entity: write::service(&child.entity_id, specification, place, &fate.values),
                realizes: item.id.to_string(),
                dependencies: Vec::new(),
            },
        });
        let before = child
            .installed
            .as_ref()
            .map(|it| installed_values(it, Some(specification)));
        let below = match (mode, &child.installed) {
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
            before: before.as_ref(),
            children: children.map_or(Vec::new(), |(it, inventory)| inventory.services_inside(it)),
        };
        self.expand(origin, inside, full);
    }
}

/// Where service order items come from.
struct Origin<'a, 'd> {
    item: &'a ProductOrderItem<'d>,
    /// `place` of the product, as the item gives it or else as it is installed.
    place: Option<Node<'a>>,
    /// What stands around the item.
    now: &'a Surroundings<'a>,
    /// What stood around it before.
    then: &'a Surroundings<'a>,
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
    /// Its characteristics before the order, if it is installed.
    before: Option<&'a Values<'c>>,
    /// The services below it that are installed.
    children: Vec<Installed<'c>>,
}

/// A service that gets an item.
struct Child<'c> {
    service: Option<ServiceIndex>,
    depends_on: &'c [ServiceIndex],
    target: &'c ServiceSpecification,
    item_id: String,
    entity_id: String,
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
