//! What is installed and not made any more, or gets the action of what is above it.

use std::borrow::Cow;

use super::{Candidate, Expansion, Level, Part, Thing, installed_values, joined, over};
use crate::catalog::expression::Bindings;
use crate::catalog::{Dependency, Facing};
use crate::decompose::explain::{Explanation, Outcome, Story};
use crate::decompose::loops;
use crate::decompose::mapping::Values;
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
            let _faults_of_what_was = loops::each(candidate.loops(), before, &mut |element| {
                let parts = self.looped_parts(level.source, candidate, (element, standing));
                for part in parts {
                    self.vanish(level, candidate, part, (action, Some(element.bindings)));
                }
                !standing.is_empty()
            });
        }
        // What the characteristics do not tell of, but the ids do.
        let parts = self.element_parts(level.source, candidate, "");
        let several = parts.len() > 1;
        for part in parts {
            let called = if several {
                part.specification
            } else {
                &candidate.target.specification
            };
            let prefix = format!("{}.", part.entity_id);
            for (suffix, installed) in standing.take_all(&prefix, &part.specification.id) {
                let key = joined(level.source.key, &suffix);
                let part = Part {
                    item_id: format!("{}.{suffix}", part.item_id),
                    entity_id: format!("{prefix}{suffix}"),
                    name: called.name_of(&key),
                    installed: Some(installed),
                    specification: part.specification,
                };
                self.vanish(level, candidate, part, (action, None));
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
