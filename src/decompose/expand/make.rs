//! Items, and what is inside of the services that they are about.

use std::rc::Rc;

use super::{Candidate, Expansion, Source, installed_values};
use crate::catalog::{ServiceSpecification, Specification, Values};
use crate::decompose::around;
use crate::decompose::dependencies::Waiting;
use crate::decompose::standing::Mode;
use crate::decompose::step::{Fate, Made};
use crate::decompose::write;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Node, Piece};
use crate::inventory::{Installed, Layer};
use crate::model::{Action, Site};

/// A thing that gets an item.
pub struct Thing<'a, 'c> {
    /// The service that it is made for; none for what is installed and not of this catalog.
    pub candidate: Option<Candidate<'c>>,
    pub item_id: String,
    pub entity_id: String,
    pub name: &'a str,
    pub specification: &'c Specification,
    pub installed: Option<Installed<'c>>,
    pub waits: Vec<Waiting<'c>>,
    /// Its member `place`.
    pub place: Option<Node<'a>>,
    /// Its first place, if the order says where it is to be.
    pub given: Option<Node<'a>>,
}

/// A service whose inside is made.
struct Child<'a, 'c> {
    item_id: &'a str,
    name: &'a str,
    entity_id: &'a str,
    target: &'c ServiceSpecification,
    installed: Option<Installed<'c>>,
    place: Option<Node<'a>>,
    given: Option<Node<'a>>,
}

impl<'c> Expansion<'_, 'c> {
    /// Makes an item, and for a service those for the services inside it.
    pub fn make(
        &mut self,
        source: &Source<'_, 'c>,
        thing: Thing<'_, 'c>,
        fate: &Fate<'_>,
        full: &Values<'_>,
    ) {
        let entity_id = match &thing.installed {
            Some(installed) => installed.id.to_string(),
            None => thing.entity_id,
        };
        if fate.action == Action::Add && thing.installed.is_none() {
            self.is_free(source, &thing.item_id, &entity_id);
        }
        let decomposition = thing.candidate.and_then(|it| it.decomposition);
        let quantity = match decomposition {
            Some(it) if it.counts_quantity || it.share.is_some() => 1,
            _ => source.quantity,
        };
        let mut waits = thing.waits;
        let target = thing.candidate.map(|it| it.target);
        let always = target.iter().flat_map(|it| &it.depends_on);
        waits.extend(always.map(Waiting::certain));
        let entity = write::Entity {
            id: &entity_id,
            name: thing.name,
            place: thing.place.filter(|_| fate.with_place),
        };
        let product = self.named_product(source);
        let pieces = &mut self.steps.pieces;
        let (entity, specification) = match self.layer {
            Layer::Resource => (
                pieces.compose(|to| write::resource(to, &entity, &fate.values)),
                Some(thing.specification),
            ),
            Layer::Product | Layer::Service => {
                let specification = thing.specification;
                let entity = (&entity, product);
                let write = |to: &mut _| write::service(to, entity, specification, &fate.values);
                (pieces.compose(write), None)
            }
        };
        let (realizes, parents) = self.above(source);
        let service = thing.candidate.filter(|_| self.layer == Layer::Service);
        let child_id = service.map(|_| thing.item_id.clone());
        let (place, left) = self.sites(thing.place, (thing.installed.as_ref(), fate.action));
        let at_sites = target.filter(|_| self.with.catalog.waits_at_sites);
        let element = at_sites.and_then(|it| element_of(it, source.key, thing.name));
        let made = Made {
            slot: match source.sharing {
                Some(sharing) => sharing.slot,
                None => self.steps.slot.unwrap_or(2 * self.steps.made.len() + 1),
            },
            is_shared: source.sharing.is_some(),
            stays: match source.sharing {
                Some(sharing) => sharing.stays,
                None => self.staying.is_some(),
            },
            service: thing.candidate.map(|it| it.index),
            roots: Rc::clone(source.roots),
            parents,
            element,
            place,
            left,
            observed: target.map_or_else(Vec::new, |it| observed(it, full)),
            waits,
            item: write::Item {
                id: thing.item_id,
                action: fate.action.name(),
                quantity,
                specification,
                entity,
                installed: self.before(fate.action, thing.installed.as_ref()),
                realizes,
                releases: source.sharing.map_or_else(Vec::new, |it| {
                    let released = it.released.iter();
                    let of_own = |id: &String| {
                        self.layer == Layer::Service && !source.roots.items.contains(id)
                    };
                    released.map(|id| (id.clone(), of_own(id))).collect()
                }),
                bundles: Vec::new(),
                dependencies: Vec::new(),
            },
        };
        self.steps.add(source.node, made);
        if fate.action == Action::Delete {
            self.gone.insert(entity_id.clone());
        }
        if let Some((candidate, item_id)) = service.zip(child_id) {
            let child = Child {
                item_id: &item_id,
                name: thing.name,
                entity_id: &entity_id,
                target: candidate.target,
                installed: thing.installed,
                place: thing.place,
                given: thing.given,
            };
            let outer = self.steps.slot;
            self.steps.slot = source.sharing.map(|it| it.slot).or(outer);
            self.inside(source, &child, fate.action, full);
            self.steps.slot = outer;
        }
    }

    /// Where something is by its member `place`, and where it was if it moves; nothing, if nothing
    /// waits at sites.
    fn sites(
        &self,
        member: Option<Node<'_>>,
        (installed, action): (Option<&Installed<'_>>, Action),
    ) -> (Option<Site<'static>>, Option<Site<'static>>) {
        let place = around::first(member).filter(|_| self.with.catalog.waits_at_sites);
        let Some(place) = place.and_then(Site::of) else {
            return (None, None);
        };
        let installed = installed.filter(|_| action == Action::Modify);
        let left = installed.and_then(|it| Site::of(it.place()?));
        let left = left.filter(|it| *it != place).map(Site::into_owned);
        (Some(place.into_owned()), left)
    }

    /// The items that one below a thing realizes, and those that it is made from if these are others.
    fn above(&self, source: &Source<'_, 'c>) -> (Vec<String>, Option<Vec<String>>) {
        let above = match source.sharing {
            Some(sharing) => sharing.parents.clone(),
            None => vec![source.item_id.to_owned()],
        };
        match self.layer {
            Layer::Resource => (above, None),
            Layer::Product | Layer::Service => match source.roots.items.as_slice() {
                roots if *roots == above => (above, None),
                roots => (roots.to_vec(), Some(above)),
            },
        }
    }

    /// What is changed or removed, as it is installed.
    fn before(&mut self, action: Action, installed: Option<&Installed<'c>>) -> Option<Piece> {
        let is_other = matches!(action, Action::Modify | Action::Delete);
        let installed = installed.filter(|_| is_other)?;
        let pieces = &mut self.steps.pieces;
        Some(pieces.compose(|to| write::installed(to, installed)))
    }

    /// Finds that what is to be added is there, under the id that was computed for it, and below
    /// something else or nothing.
    fn is_free(&mut self, source: &Source<'_, 'c>, item: &str, entity: &str) {
        // What several share is looked for wherever it is.
        if self.again || source.sharing.is_some() {
            return;
        }
        let inventory = self.with.inventory;
        let Some(installed) = inventory.and_then(|it| it.get(self.layer, entity)) else {
            return;
        };
        let (layer, above) = (self.layer.name(), source.entity_id);
        let there = match source.mode {
            Mode::Compare => format!("let the installed `{above}` refer to it, "),
            Mode::Make(_) | Mode::All(_) => String::new(),
        };
        let message = format!(
            "item `{item}` adds {layer} `{entity}` below `{above}`; it is installed already, and is not below that"
        );
        let code = Code("decompose/already-installed");
        let finding = Diagnostic::new(code, Severity::Error, source.node.location(), message)
            .with_related(installed.node.location())
            .with_hint(format!(
                "{there}remove it from the inventory, or give another id to what is ordered"
            ));
        self.steps.faults.push(finding);
    }

    /// Id of the product that a service is part of, where resources are shared and named after it
    /// and the order items do not tell: a service order may come alone.
    fn named_product<'s>(&self, source: &Source<'s, 'c>) -> Option<&'s str> {
        let root = source.roots.items.first()?;
        let entity = source.roots.entity.as_str();
        let told = entity
            .strip_prefix(self.root_order)
            .and_then(|rest| rest.strip_prefix('.'))
            == Some(root);
        (self.with.catalog.shares_resources && !told).then_some(entity)
    }

    /// What is inside a service.
    fn inside(
        &mut self,
        source: &Source<'_, 'c>,
        child: &Child<'_, 'c>,
        action: Action,
        full: &Values<'_>,
    ) {
        if let Some(installed) = &child.installed {
            self.reached.insert(installed.id.to_string());
        }
        let specification = &child.target.specification;
        let before = child
            .installed
            .as_ref()
            .map(|it| installed_values(it, Some(specification)));
        let mode = match (source.mode, &child.installed) {
            (Mode::Make(action), _) => Mode::Make(action),
            (_, None) => Mode::Make(Action::Add),
            (_, Some(_)) => Mode::below(action),
        };
        let below = child.installed.as_ref().zip(self.with.inventory);
        let below = below.map_or(Vec::new(), |(it, inventory)| inventory.services_inside(it));
        let inside = Source {
            node: source.node,
            item_id: child.item_id,
            entity_id: child.entity_id,
            specification,
            key: specification.key_in(child.name).unwrap_or_default(),
            decompositions: &child.target.decompositions,
            own: None,
            roots: source.roots,
            quantity: source.quantity,
            mode,
            values: full,
            before: before.as_ref(),
            now: source.now,
            then: source.then,
            place: child.place,
            there: child.installed.as_ref().and_then(|it| it.node.get("place")),
            given: child.given,
            changes: source.changes,
            sharing: None,
        };
        self.expand(&inside, below);
    }
}

/// The element that a thing of a service is made for, by the key of what is above it or its name.
fn element_of(service: &ServiceSpecification, above: &str, name: &str) -> Option<String> {
    service.list.as_ref()?;
    let key = match above {
        "" => service.specification.key_in(name)?,
        above => above,
    };
    service.element_in(key).map(str::to_owned)
}

/// The values by which dependencies choose between the items of a service.
fn observed<'c>(service: &'c ServiceSpecification, values: &Values<'_>) -> Vec<(&'c str, String)> {
    let value = |name: &'c String| Some((name.as_str(), values.get(name)?.to_owned()));
    service.observed.iter().filter_map(value).collect()
}
