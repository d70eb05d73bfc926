//! What is installed of what an order is about, and what becomes of it.
//!
//! An order item names a product (or service) of the installed base unless it
//! adds one. The things below an installed one are found by its references and
//! matched to what the catalog would make:
//!
//! | item above | condition holds | installed | item below |
//! |---|---|---|---|
//! | add | yes | | add |
//! | modify | yes | no | add |
//! | modify | yes | yes | modify, with the characteristics that differ; noChange if none does |
//! | modify | no | yes | delete |
//! | delete | is not judged | yes | delete |
//! | noChange | is not judged | yes | noChange |
//!
//! An installed thing is matched by the id that would be computed for it, else by its specification.

use std::borrow::Cow;
use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt as _, HashSet};

use super::around;
use crate::catalog::{self, Catalog, Facing, Values};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::Node;
use crate::inventory::{Installed, Inventory, Layer};
use crate::model::{Action, place};

/// How the things below one thing are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are made where their conditions hold, and get this action.
    Make(Action),
    /// They are compared with what is installed.
    Compare,
    /// All that are installed get this action.
    All(Action),
}

impl Mode {
    /// How the things below an installed one are treated.
    pub fn below(action: Action) -> Mode {
        match action {
            Action::Add => Mode::Make(action),
            Action::Modify => Mode::Compare,
            Action::Delete | Action::NoChange => Mode::All(action),
        }
    }
}

/// An item that is to be looked up.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    pub layer: Layer,
    /// Id of the order and of the item.
    pub order: &'a str,
    pub item: &'a str,
    pub node: Node<'a>,
    /// Id of the product or service.
    pub id: &'a str,
    pub action: Action,
}

impl Named<'_> {
    /// What is installed; `None` for what is to be added.
    ///
    /// # Errors
    /// A finding if it should be installed and is not, or the other way round. What this very item
    /// has added may be added again: it is the same order, looked at once more.
    pub fn find<'i>(
        &self,
        inventory: &'i Inventory,
    ) -> Result<Option<Installed<'i>>, Box<Diagnostic>> {
        let installed = inventory.get(self.layer, self.id);
        let (layer, id) = (self.layer.name(), self.id);
        match (self.action, installed) {
            (Action::Add, Some(installed)) if !installed.came_from(self.order, self.item) => {
                let message = format!(
                    "item `{}` adds {layer} `{id}`, which is installed already",
                    self.item
                );
                let finding = self.error("decompose/already-installed", message);
                let finding = finding.with_related(installed.node.location());
                let entity = self.node.get(layer);
                let other = match entity.and_then(|it| it.get("id")) {
                    Some(_) => "leave its id out".to_owned(),
                    None => format!(
                        "give it an id of its own (`{layer}.id`): this one is made of those of order and item"
                    ),
                };
                let hint = format!("to change it, order `modify`; to add another one, {other}");
                Err(Box::new(finding.with_hint(hint)))
            }
            (Action::Add, _) => Ok(None),
            (_, Some(installed)) => Ok(Some(installed)),
            (action, None) => {
                let verb = match action {
                    Action::Delete => "deletes",
                    Action::NoChange => "refers to",
                    Action::Add | Action::Modify => "modifies",
                };
                let message = format!(
                    "item `{}` {verb} {layer} `{id}`, which is not installed",
                    self.item
                );
                let finding = self.error("decompose/not-installed", message);
                Err(Box::new(finding.with_hint(format!(
                    "give `{layer}.id` as it stands in the inventory"
                ))))
            }
        }
    }

    /// That the order alone does not tell what is below. `first`: the first fault of what that would
    /// be; none, if it would be nothing at all.
    pub fn untold(&self, first: Option<&Diagnostic>) -> Diagnostic {
        let verb = match self.action {
            Action::Delete => "deletes",
            Action::NoChange => "refers to",
            Action::Add | Action::Modify => "modifies",
        };
        let message = format!(
            "item `{}` {verb} {} `{}`, and the order alone does not tell what that is made of: {}",
            self.item,
            self.layer.name(),
            self.id,
            first.map_or("it would be nothing", |it| &it.message)
        );
        let finding = self.error("decompose/inventory-needed", message);
        let finding = Diagnostic {
            related: first.and_then(|it| it.related.clone()),
            ..finding
        };
        finding.with_hint("name the installed base with --inventory")
    }

    fn error(&self, code: &'static str, message: String) -> Diagnostic {
        let entity = self.node.get(self.layer.name());
        let place = entity.map_or(self.node, |entity| entity.get("id").unwrap_or(entity));
        Diagnostic::new(Code(code), Severity::Error, place.location(), message)
    }
}

/// Things that are installed below one, while they are matched to what the catalog would make.
pub struct Standing<'i> {
    things: Vec<Option<Installed<'i>>>,
    by_id: HashMap<String, usize>,
    /// Positions of the things of a specification that are not matched yet.
    of_specification: HashMap<String, BTreeSet<usize>>,
    left: usize,
}

impl<'i> Standing<'i> {
    /// Nothing is matched yet.
    pub fn new(installed: Vec<Installed<'i>>) -> Self {
        let mut by_id = HashMap::with_capacity(installed.len());
        let mut of_specification: HashMap<String, BTreeSet<usize>> = HashMap::new();
        for (position, thing) in installed.iter().enumerate() {
            by_id.insert(thing.id.to_string(), position);
            let specification = thing.specification_id();
            if let Some(positions) = of_specification.get_mut(specification) {
                positions.insert(position);
            } else {
                let positions = BTreeSet::from([position]);
                of_specification.insert(specification.to_owned(), positions);
            }
        }
        Standing {
            by_id,
            of_specification,
            left: installed.len(),
            things: installed.into_iter().map(Some).collect(),
        }
    }

    /// What is installed under the id that would be computed for it.
    pub fn take(&mut self, id: &str, specification: &str) -> Option<Installed<'i>> {
        let position = *self.by_id.get(id)?;
        let open = self.of_specification.get_mut(specification)?;
        open.remove(&position).then(|| self.matched(position))
    }

    fn matched(&mut self, position: usize) -> Installed<'i> {
        self.left -= 1;
        self.things[position].take().expect("it is still open")
    }

    /// The things of a specification that are not matched, with their positions.
    pub fn of(&self, specification: &str) -> impl Iterator<Item = (usize, &Installed<'i>)> {
        let open = self.of_specification.get(specification);
        let open = open.into_iter().flatten().copied();
        open.filter_map(|position| Some((position, self.at(position)?)))
    }

    /// The thing at a position, unless it is matched.
    pub fn at(&self, position: usize) -> Option<&Installed<'i>> {
        self.things[position].as_ref()
    }

    /// Matches the thing at a position.
    pub fn take_at(&mut self, position: usize) -> Option<Installed<'i>> {
        let specification = self.things[position].as_ref()?.specification_id();
        let open = self.of_specification.get_mut(specification)?;
        open.remove(&position).then(|| self.matched(position))
    }

    /// Whether everything is matched.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// The first thing of a specification that is accepted.
    pub fn take_any(
        &mut self,
        specification: &str,
        accepts: impl Fn(&Installed<'i>) -> bool,
    ) -> Option<Installed<'i>> {
        let open = self.of_specification.get_mut(specification)?;
        let things = &self.things;
        let fits = |at: &usize| things[*at].as_ref().is_some_and(&accepts);
        let found = open.iter().copied().find(fits)?;
        open.remove(&found);
        Some(self.matched(found))
    }

    /// The only thing of a specification that is called so, of those that are accepted.
    pub fn take_called(
        &mut self,
        (specification, name): (&str, &str),
        accepts: impl Fn(&Installed<'i>) -> bool,
    ) -> Option<Installed<'i>> {
        let called = self.of(specification).filter(|(_, it)| accepts(it));
        let called = called.filter(|(_, it)| it.node.text("name").as_deref() == Some(name));
        let called: Vec<usize> = called.map(|(position, _)| position).take(2).collect();
        match called.as_slice() {
            [only] => self.take_at(*only),
            _ => None,
        }
    }

    /// All things of a specification whose ids begin and end like this, with the rest of their ids.
    pub fn take_all(
        &mut self,
        (prefix, end): (&str, &str),
        specification: &str,
    ) -> Vec<(String, Installed<'i>)> {
        let Some(open) = self.of_specification.get_mut(specification) else {
            return Vec::new();
        };
        let things = &self.things;
        let rest = |at: usize| {
            let id = &things[at].as_ref()?.id;
            id.strip_prefix(prefix)?.strip_suffix(end)
        };
        let found = open
            .iter()
            .filter_map(|at| Some((*at, rest(*at)?.to_owned())));
        let found: Vec<(usize, String)> = found.collect();
        for (position, _) in &found {
            open.remove(position);
        }
        let taken = found.into_iter();
        taken.map(|(at, rest)| (rest, self.matched(at))).collect()
    }

    /// What was not matched.
    pub fn rest(self) -> impl Iterator<Item = Installed<'i>> {
        self.things.into_iter().flatten()
    }
}

/// The resources of a service: its own, and those of the resource-facing services behind it.
pub fn resources_below<'i>(
    inventory: &'i Inventory,
    catalog: &Catalog,
    service: &Installed<'i>,
) -> Vec<Installed<'i>> {
    let mut seen: HashSet<String> = HashSet::from_iter([service.id.to_string()]);
    let mut found: Vec<Installed<'i>> = inventory.resources_of(service);
    let mut known: HashSet<Cow<'i, str>> = found.iter().map(|it| it.id.clone()).collect();
    let mut inside = inventory.services_inside(service);
    while let Some(service) = inside.pop() {
        let specification = catalog.service(service.specification_id());
        let customer = specification.is_some_and(|it| it.facing == Facing::Customer);
        if customer || !seen.insert(service.id.to_string()) {
            continue;
        }
        for resource in inventory.resources_of(&service) {
            if known.insert(resource.id.clone()) {
                found.push(resource);
            }
        }
        inside.extend(inventory.services_inside(&service));
    }
    found
}

/// A characteristic, or the place, that is to be another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Name of the characteristic; `place` for the place.
    pub name: String,
    /// What is installed, as JSON text.
    pub from: Option<String>,
    /// What it is to be, as JSON text.
    pub to: Option<String>,
}

/// What an installed thing is to become.
pub struct Difference<'v> {
    /// The characteristics that differ.
    pub values: Values<'v>,
    /// All that differs.
    pub changes: Vec<Change>,
    /// Whether it moves.
    pub moves: bool,
}

/// Compares what is wanted with what is installed. `place` is that of the order item, if it gives
/// one.
pub fn difference<'v>(
    wanted: &Values<'v>,
    installed: &Installed<'_>,
    before: &Values<'_>,
    place: Option<Node<'_>>,
) -> Difference<'v> {
    let values = wanted.filtered(|name, value| {
        !before
            .get(name)
            .is_some_and(|old| catalog::same(old, value))
    });
    let mut changes: Vec<Change> = values
        .iter()
        .map(|(name, value)| Change {
            name: name.to_owned(),
            from: before.get(name).map(str::to_owned),
            to: Some(value.to_owned()),
        })
        .collect();
    let moves = place.is_some() && !around::same_place(place, installed.place());
    if moves {
        let shown = |place: Node<'_>| {
            let mut named = ["name", "id"].into_iter();
            let named = named.find_map(|key| place::member(place, key));
            named.unwrap_or(place).compact().into_owned()
        };
        let (from, to) = (installed.place().map(shown), place.map(shown));
        changes.push(Change {
            name: "place".to_owned(),
            from,
            to,
        });
    }
    Difference {
        values,
        changes,
        moves,
    }
}
