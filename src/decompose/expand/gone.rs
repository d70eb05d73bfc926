//! What is installed and not made any more, or gets the action of what is above it.

use std::borrow::Cow;

use super::stranger::{Doubt, called, id_of_rule};
use super::{Candidate, Expansion, Level, Part, Source, Thing, installed_values, joined, over};
use crate::catalog::expression::Bindings;
use crate::catalog::{Dependency, Facing, Values};
use crate::decompose::explain::{Explanation, Outcome, Story};
use crate::decompose::loops;
use crate::decompose::standing::{Mode, Standing};
use crate::decompose::step::{Fate, still_waits};
use crate::inventory::{Installed, Layer};
use crate::model::Action;

impl<'c> Expansion<'_, 'c> {
    /// An installed thing that gets an item with nothing but an action. `bindings`: the variables
    /// that its dependencies are judged by.
    pub fn leave(
        &mut self,
        level: &Level<'_, 'c>,
        candidate: Candidate<'c>,
        part: Part<'c>,
        (action, bindings): (Action, Option<&Bindings<'_>>),
    ) {
        let Some(installed) = part.installed else {
            return;
        };
        let of_rule = candidate
            .decomposition
            .and_then(|it| it.alternatives.last());
        let of_rule: &[Dependency] = of_rule.map_or(&[], |it| &it.depends_on);
        let full = installed_values(&installed, None);
        let thing = Thing {
            candidate: Some(candidate),
            item_id: part.item_id,
            entity_id: part.entity_id,
            name: &part.name,
            specification: part.specification,
            place: installed.node.get("place"),
            given: None,
            installed: Some(installed),
            waits: still_waits(of_rule, bindings),
        };
        self.make(level.source, thing, &Fate::bare(action), &full);
    }

    /// Everything that is installed of a candidate gets the action of what is above it.
    pub fn all(
        &mut self,
        level: &Level<'_, 'c>,
        candidate: Candidate<'c>,
        (parts, standing, action): (Vec<Part<'c>>, &mut Standing<'c>, Action),
    ) {
        if !candidate.is_plain() {
            return self.vanished(level, candidate, (standing, action));
        }
        for part in parts.into_iter().filter(|it| it.installed.is_some()) {
            self.explain(level.source, candidate, &part, || {
                (Story::default(), Outcome::of_above(action))
            });
            self.leave(level, candidate, part, (action, level.before));
        }
    }

    /// What is installed of elements that are no longer there, or of all.
    pub fn vanished(
        &mut self,
        level: &Level<'_, 'c>,
        candidate: Candidate<'c>,
        (standing, action): (&mut Standing<'c>, Action),
    ) {
        if standing.is_empty() {
            return;
        }
        if candidate.share().is_some() {
            return self.unwant(level, candidate, (standing, action));
        }
        if let Some(before) = level.before {
            let known = (&*standing, Doubt::Any);
            let mut strangers = self.strangers(level.source, candidate, known);
            let (_faults_of_what_was, _) = loops::each(candidate.loops(), before, &mut |element| {
                let known = (&mut *standing, strangers.as_mut());
                let parts = self.looped_parts((level.source, candidate), element, known);
                for part in parts {
                    self.vanish(level, candidate, part, (action, Some(element.bindings)));
                }
                !standing.is_empty()
            });
        }
        // What the characteristics do not tell of, but the ids do.
        let parts = self.element_parts(level.source, candidate, "");
        let count = parts.len();
        let prefix = id_of_rule(level.source, candidate);
        for part in &parts {
            let called = called(candidate, part, count);
            let end = match count {
                1 => String::new(),
                _ => format!(".{}", part.specification.id),
            };
            for (suffix, installed) in standing.take_all((&prefix, &end), &part.specification.id) {
                let key = [".", &suffix].concat();
                let vanished = Part {
                    item_id: item_id_of(level.source, candidate, &[&key, &*end]),
                    entity_id: String::new(),
                    name: called.name_of(&joined(level.source.key, &key)),
                    specification: part.specification,
                    installed: Some(installed),
                };
                self.vanish(level, candidate, vanished, (action, None));
            }
        }
        self.vanished_strangers(level, candidate, (standing, action, &parts));
    }

    /// What another system gave an id, and nothing else tells of: it can only be of this candidate.
    fn vanished_strangers(
        &mut self,
        level: &Level<'_, 'c>,
        candidate: Candidate<'c>,
        (standing, action, parts): (&mut Standing<'c>, Action, &[Part<'c>]),
    ) {
        for part in parts {
            if standing.is_empty() || !self.is_of_no_other(level.source, candidate, part) {
                continue;
            }
            while let Some(installed) = standing.take_any(&part.specification.id, |_| true) {
                let key = [".", &*installed.id].concat();
                let item_id = item_id_of(level.source, candidate, &[&key]);
                let name = installed.node.text("name");
                let vanished = Part {
                    item_id: self.steps.new_id(item_id),
                    entity_id: String::new(),
                    name: name.unwrap_or_else(|| part.name.clone()),
                    specification: part.specification,
                    installed: Some(installed),
                };
                self.vanish(level, candidate, vanished, (action, None));
            }
        }
    }

    fn vanish(
        &mut self,
        level: &Level<'_, 'c>,
        candidate: Candidate<'c>,
        part: Part<'c>,
        (action, bindings): (Action, Option<&Bindings<'_>>),
    ) {
        if part.installed.is_none() {
            return;
        }
        self.explain(level.source, candidate, &part, || {
            let outcome = match level.source.mode {
                Mode::All(action) => Outcome::of_above(action),
                Mode::Make(_) | Mode::Compare => Outcome::Deleted {
                    why: Some(format!("it is no longer in {}", over(candidate.loops()))),
                },
            };
            (Story::default(), outcome)
        });
        self.leave(level, candidate, part, (action, bindings));
    }

    /// Something installed that the catalog would not make.
    pub fn other(&mut self, level: &Level<'_, 'c>, installed: Installed<'c>) {
        let catalog = self.with.catalog;
        let source = level.source;
        let id = installed.specification_id();
        let (candidate, specification) = match self.layer {
            Layer::Resource => (None, catalog.resource(id).map(|it| &it.specification)),
            Layer::Product | Layer::Service => {
                let service = catalog.service_index(id).map(|index| Candidate {
                    decomposition: None,
                    index,
                    target: catalog.service_at(index),
                });
                (service, service.map(|it| &it.target.specification))
            }
        };
        let Some(specification) = specification else {
            return self.steps.unknown(source.node, &installed);
        };
        let facing = candidate.map(|it| it.target.facing);
        if facing == Some(Facing::Resource) || self.reached.contains(&*installed.id) {
            return;
        }
        let item_id = self
            .steps
            .new_id(format!("{}.{}", source.item_id, specification.id));
        let (action, outcome) = match source.mode {
            Mode::All(action) => (action, Outcome::of_above(action)),
            Mode::Compare | Mode::Make(_) => {
                let why = Some(format!("{} does not refer to it", source.specification.id));
                (Action::Delete, Outcome::Deleted { why })
            }
        };
        let layer = self.layer;
        self.steps.explain(|| Explanation {
            layer,
            source_item: source.item_id.to_owned(),
            source: source.specification.id.clone(),
            target: specification.id.clone(),
            item: item_id.clone(),
            name: specification.name.clone(),
            story: Story::default(),
            outcome,
            sharers: 0,
        });
        let name = match self.layer {
            Layer::Resource => installed.node.text("name"),
            Layer::Product | Layer::Service => None,
        };
        let name = name.unwrap_or(Cow::Borrowed(&specification.name));
        let thing = Thing {
            candidate,
            item_id,
            entity_id: String::new(),
            name: &name,
            specification,
            place: installed.node.get("place"),
            given: None,
            installed: Some(installed),
            waits: Vec::new(),
        };
        let (fate, full) = (Fate::bare(action), Values::default());
        self.make(level.source, thing, &fate, &full);
    }
}

impl Outcome {
    /// Of something that is wanted.
    pub fn of(fate: &Fate<'_>, installed: Option<&Installed<'_>>) -> Self {
        match (fate.action, installed) {
            (Action::NoChange, Some(_)) => Outcome::Unchanged,
            (Action::Modify, Some(_)) => Outcome::Modified {
                changes: fate.changes.clone(),
            },
            _ => Outcome::Made,
        }
    }

    /// Of something that gets the action of what is above it.
    pub fn of_above(action: Action) -> Self {
        match action {
            Action::NoChange => Outcome::Unchanged,
            _ => Outcome::Deleted {
                why: Some("what it is part of is deleted".to_owned()),
            },
        }
    }
}

/// The id of an item of a candidate, with what comes after that of its specification.
fn item_id_of(source: &Source<'_, '_>, candidate: Candidate<'_>, ends: &[&str]) -> String {
    let id = candidate.target.specification.id.as_str();
    [source.item_id, ".", id, &ends.concat()].concat()
}
