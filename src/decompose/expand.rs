//! From one thing to what it needs below: the part that both steps have in
//! common.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::around::{self, Places};
use super::dependencies::Waiting;
use super::explain::{Explanation, Outcome, Story};
use super::faults::Place;
use super::loops::{self, Element, Reading};
use super::mapping::{Keep, Mapped, Values};
use super::shared::{Shared, Sharing};
use super::standing::{Mode, Standing};
use super::step::{Fate, Made, Roots, Step, Steps, still_waits};
use super::{Decomposer, Derived, NotDecomposable, write};
use crate::catalog::expression::Bindings;
use crate::catalog::{
    Catalog, Decomposition, Dependency, Facing, Loop, Mapping, ServiceIndex, ServiceSpecification,
    Share, Specification,
};
use crate::document::{Document, Node};
use crate::inventory::{Installed, Layer};
use crate::model::{Action, Characteristic};

/// A thing that is decomposed: a product, or a service.
pub struct Source<'a, 'c> {
    /// The order item, for findings.
    pub node: Node<'c>,
    /// Id of its item; items below are called after it.
    pub item_id: &'a str,
    /// Its own id.
    pub entity_id: &'a str,
    /// What it is.
    pub specification: &'a Specification,
    /// What it needs.
    pub decompositions: &'c [Decomposition],
    /// Resources that it stands on itself, if it is a service.
    pub own: Option<ServiceIndex>,
    /// Product order items that it is part of.
    pub roots: &'a Rc<Roots>,
    /// How many.
    pub quantity: i64,
    /// How what is below is treated.
    pub mode: Mode,
    /// Its characteristics as they are to be, and before the order, if it is installed.
    pub values: &'a Values<'a>,
    pub before: Option<&'a Values<'a>>,
    /// The variables around it, as they are to be and before the order.
    pub now: &'a Bindings<'a>,
    pub then: &'a Bindings<'a>,
    /// Its member `place`, as it is to be and as it is installed.
    pub place: Option<Node<'a>>,
    pub there: Option<Node<'a>>,
    /// Its first place, if the order says where it is to be.
    pub given: Option<Node<'a>>,
    /// Whether a characteristic of an installed product changes.
    pub changes: bool,
    /// If it stands for several that share what is made.
    pub sharing: Option<&'a Sharing>,
}

/// Characteristics of something installed, with the defaults of its specification.
pub fn installed_values<'d>(
    installed: &Installed<'d>,
    specification: Option<&'d Specification>,
) -> Values<'d> {
    let characteristics: &[Characteristic<'d>] = &installed.characteristics;
    let defaults = specification.iter().flat_map(|it| &it.characteristics);
    Values::given(characteristics, specification).with_defaults(defaults)
}

/// One way in which a thing may be needed.
#[derive(Clone, Copy)]
pub struct Candidate<'c> {
    /// How it comes about; none for a service that stands on resources itself.
    pub decomposition: Option<&'c Decomposition>,
    pub index: ServiceIndex,
    pub target: &'c ServiceSpecification,
}

impl<'c> Candidate<'c> {
    fn loops(&self) -> &'c [Loop] {
        self.decomposition.map_or(&[], |it| &it.loops)
    }

    /// How it is shared, if it is.
    pub fn share(&self) -> Option<&'c Share> {
        self.decomposition?.share.as_ref()
    }

    /// Whether it is made once for its source and for nothing else.
    fn is_plain(&self) -> bool {
        self.loops().is_empty() && self.share().is_none()
    }
}

/// A service or resource of a candidate.
pub struct Part<'c> {
    pub item_id: String,
    /// Id that is computed for it.
    pub entity_id: String,
    pub name: &'c str,
    pub specification: &'c Specification,
    pub installed: Option<Installed<'c>>,
}

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

/// A thing that is decomposed, with the variables that expressions see of it.
pub struct Level<'a, 'c> {
    pub source: &'a Source<'a, 'c>,
    pub now: &'a Bindings<'a>,
    /// As they were before the order, if it is installed.
    pub before: Option<&'a Bindings<'a>>,
}

/// One step on its way through an order.
pub struct Expansion<'a, 'c> {
    pub with: &'a Decomposer<'c>,
    /// The layer of what is made.
    pub layer: Layer,
    /// Id of the order at the root of the chain.
    pub root_order: &'a str,
    pub steps: Steps<'c>,
    pub shared: Shared<'c>,
    /// Installed services that an item has led to: references may run in circles.
    pub reached: HashSet<String>,
    /// Ids of what this order deletes in the layers above what is made.
    pub gone: HashSet<String>,
}

impl<'a, 'c> Expansion<'a, 'c> {
    /// A step that has made nothing yet.
    pub fn new(with: &'a Decomposer<'c>, layer: Layer, root_order: &'a str) -> Self {
        Expansion {
            with,
            layer,
            root_order,
            steps: Steps::new(with.explain),
            shared: Shared::default(),
            reached: HashSet::new(),
            gone: HashSet::new(),
        }
    }

    /// The order below, written by `write`; none if there are no items.
    pub fn finish(
        mut self,
        order: Node<'_>,
        write: impl FnOnce(&[write::Item]) -> Document,
    ) -> Result<Derived, NotDecomposable> {
        self.share();
        self.steps.finish(order, write)
    }
}

impl<'c> Expansion<'_, 'c> {
    /// Makes the items for what a thing needs. `below`: what is installed below it.
    pub fn expand(&mut self, source: &Source<'_, 'c>, below: Vec<Installed<'c>>) {
        let candidates = self.candidates(source);
        if candidates.is_empty() && below.is_empty() {
            return;
        }
        let (places, there) = (Places::of(source.place), Places::of(source.there));
        let bindings = places.bindings(source.now, source.values);
        let before = source.before.map(|it| there.bindings(source.then, it));
        let mut standing = Standing::new(below);
        let parts = self.plain_parts(source, &candidates, &mut standing);
        let mut siblings: Vec<(&'c str, String)> = Vec::new();
        for (candidate, parts) in candidates.into_iter().zip(parts) {
            let mut now = Bindings::over(&bindings);
            let beside = siblings.iter().map(|(id, text)| (*id, text.as_str()));
            now.bind_object("siblings", beside);
            let level = Level {
                source,
                now: &now,
                before: before.as_ref(),
            };
            let made = self.candidate(&level, candidate, parts, &mut standing);
            siblings.extend(made.map(|made| (candidate.target.specification.id.as_str(), made)));
        }
        let level = Level {
            source,
            now: &bindings,
            before: before.as_ref(),
        };
        for installed in standing.rest() {
            self.other(&level, installed);
        }
    }

    /// The ways in which a thing may need something, in the order of the catalog.
    fn candidates(&self, source: &Source<'_, 'c>) -> Vec<Candidate<'c>> {
        let catalog = self.with.catalog;
        let facing = match self.layer {
            Layer::Resource => Facing::Resource,
            Layer::Product | Layer::Service => Facing::Customer,
        };
        let behind = source.decompositions.iter().map(|decomposition| Candidate {
            decomposition: Some(decomposition),
            index: decomposition.target,
            target: catalog.service_at(decomposition.target),
        });
        let own = source.own.map(|index| Candidate {
            decomposition: None,
            index,
            target: catalog.service_at(index),
        });
        let own = own.filter(|it| !it.target.resources.is_empty());
        behind
            .filter(|candidate| candidate.target.facing == facing)
            .chain(own)
            .collect()
    }

    /// What is made of a candidate. A resource-facing service with one resource gives it its own
    /// ids and name.
    pub fn parts(
        &self,
        candidate: Candidate<'c>,
        item_id: String,
        entity_id: String,
    ) -> Vec<Part<'c>> {
        let catalog = self.with.catalog;
        let service = &candidate.target.specification;
        let whole = |item_id: String, entity_id: String, specification: &'c Specification| Part {
            item_id,
            entity_id,
            name: &service.name,
            specification,
            installed: None,
        };
        if self.layer != Layer::Resource {
            return vec![whole(item_id, entity_id, service)];
        }
        let resources = candidate.target.resources.iter();
        let mut resources = resources.map(|index| &catalog.resource_at(*index).specification);
        if let (Some(_), [index]) = (candidate.decomposition, &*candidate.target.resources) {
            let resource = &catalog.resource_at(*index).specification;
            return vec![whole(item_id, entity_id, resource)];
        }
        resources
            .by_ref()
            .map(|resource| Part {
                item_id: format!("{item_id}.{}", resource.id),
                entity_id: format!("{entity_id}.{}", resource.id),
                name: &resource.name,
                specification: resource,
                installed: None,
            })
            .collect()
    }

    /// What is made of a candidate for one element.
    fn element_parts(
        &self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        suffix: &str,
    ) -> Vec<Part<'c>> {
        let (item_id, entity_id) = (source.item_id, source.entity_id);
        if candidate.decomposition.is_none() {
            return self.parts(candidate, item_id.to_owned(), entity_id.to_owned());
        }
        let id = &candidate.target.specification.id;
        let item_id = format!("{item_id}.{id}{suffix}");
        self.parts(candidate, item_id, format!("{entity_id}.{id}{suffix}"))
    }

    /// The parts of the candidates that are made once, with what is installed of them: under the
    /// id that would be computed, else of their specification.
    fn plain_parts(
        &self,
        source: &Source<'_, 'c>,
        candidates: &[Candidate<'c>],
        standing: &mut Standing<'c>,
    ) -> Vec<Vec<Part<'c>>> {
        let mut all: Vec<Vec<Part<'c>>> = candidates
            .iter()
            .map(|candidate| {
                if candidate.is_plain() {
                    self.element_parts(source, *candidate, "")
                } else {
                    Vec::new()
                }
            })
            .collect();
        if standing.is_empty() {
            return all;
        }
        for part in all.iter_mut().flatten() {
            part.installed = standing.take(&part.entity_id, &part.specification.id);
        }
        let others = candidates.iter().filter(|it| !it.is_plain());
        let marks: Vec<String> = others
            .map(|it| format!(".{}", it.target.specification.id))
            .collect();
        for part in all.iter_mut().flatten().filter(|it| it.installed.is_none()) {
            part.installed = standing.take_any(&part.specification.id, |id| {
                !marks.iter().any(|mark| id.contains(mark))
            });
        }
        all
    }

    /// What becomes of a candidate; gives the characteristics that its siblings may read.
    fn candidate(
        &mut self,
        level: &Level<'_, 'c>,
        candidate: Candidate<'c>,
        parts: Vec<Part<'c>>,
        standing: &mut Standing<'c>,
    ) -> Option<String> {
        if let Mode::All(action) = level.source.mode {
            self.all(level, candidate, parts, (standing, action));
            return None;
        }
        let kept = kept(level, candidate);
        let loops = candidate.loops();
        let mut parts = Some(parts);
        let (mut sibling, mut elements) = (None, 0);
        let faults = loops::each(loops, level.now, &mut |element| {
            elements += 1;
            let subject = Subject {
                candidate,
                element,
                kept: kept.get(element.suffix).map(Vec::as_slice),
            };
            sibling = if candidate.share().is_some() {
                self.want(level, &subject, standing)
            } else {
                let parts = match loops {
                    [] => parts.take().unwrap_or_default(),
                    _ => self.looped_parts(level.source, candidate, (element.suffix, standing)),
                };
                self.element(level, &subject, parts)
            };
            self.steps.has_room()
        });
        if let Some(decomposition) = candidate.decomposition {
            if elements == 0 && faults.is_empty() {
                self.nothing(level, candidate);
            }
            let node = level.source.node;
            self.steps.loop_faults(
                Place {
                    decomposition,
                    node,
                },
                faults,
            );
            if !candidate.is_plain() && !standing.is_empty() {
                self.vanished(level, candidate, (standing, Action::Delete));
            }
            sibling = sibling.filter(|_| decomposition.observed && loops.is_empty());
        }
        sibling
    }

    fn looped_parts(
        &self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        (suffix, standing): (&str, &mut Standing<'c>),
    ) -> Vec<Part<'c>> {
        let mut parts = self.element_parts(source, candidate, suffix);
        for part in &mut parts {
            part.installed = standing.take(&part.entity_id, &part.specification.id);
        }
        parts
    }

    /// What becomes of a candidate for one element; gives its characteristics, if it is made.
    fn element(
        &mut self,
        level: &Level<'_, 'c>,
        subject: &Subject<'_, 'c>,
        parts: Vec<Part<'c>>,
    ) -> Option<String> {
        let Subject {
            candidate, element, ..
        } = *subject;
        let source = level.source;
        let own = candidate
            .decomposition
            .and_then(|it| self.steps.place(it, element.bindings, source.node));
        let own = own.as_ref().map(Reading::node);
        let before: Vec<Option<Values<'c>>> = parts
            .iter()
            .map(|part| part.installed.as_ref().map(|it| installed_values(it, None)))
            .collect();
        let installed = before.iter().flatten().next();
        let mut bindings = Bindings::over(element.bindings);
        if own.is_some() {
            around::bind_place(&mut bindings, own);
        }
        let (wanted, story) = self.wanted(level, subject, &bindings, installed);
        let Some(Wanted { values, waits }) = wanted else {
            self.unwanted(level, subject, parts, story);
            return None;
        };
        let sibling = candidate
            .decomposition
            .filter(|it| it.observed)
            .map(|_| values.to_json());
        for (part, before) in parts.into_iter().zip(&before) {
            let full = self.with_defaults(values.clone(), part.specification);
            let given = own.or(source.given);
            let fate = match (source.mode, &part.installed, before) {
                (Mode::Compare, Some(installed), Some(before)) => {
                    let touched =
                        self.is_touched(source.changes, candidate) || installed.is_degraded();
                    Fate::compared(&full, (installed, before), given, touched)
                }
                (Mode::Make(action), ..) => Fate::new(action, full.clone()),
                (Mode::Compare | Mode::All(_), ..) => Fate::new(Action::Add, full.clone()),
            };
            self.explain(level.source, candidate, &part, || {
                (story.clone(), Outcome::of(&fate, part.installed.as_ref()))
            });
            let full = match before {
                Some(before) => full.over(before),
                None => full,
            };
            let thing = Thing {
                candidate: Some(candidate),
                item_id: part.item_id,
                entity_id: part.entity_id,
                name: part.name,
                specification: part.specification,
                installed: part.installed,
                waits: waits.clone(),
                place: own.or(source.place),
                given,
            };
            self.make(level.source, thing, &fate, &full);
        }
        sibling
    }

    /// What is wanted of a candidate, if it is wanted at all; and the story of that.
    pub fn wanted<'v>(
        &mut self,
        level: &Level<'v, 'c>,
        subject: &Subject<'_, 'c>,
        bindings: &Bindings<'_>,
        installed: Option<&Values<'_>>,
    ) -> (Option<Wanted<'v, 'c>>, Story)
    where
        'c: 'v,
    {
        let source = level.source;
        let Some(decomposition) = subject.candidate.decomposition else {
            let wanted = Wanted {
                values: source.values.clone(),
                waits: Vec::new(),
            };
            return (Some(wanted), Story::default());
        };
        let mut own = Bindings::over(bindings);
        own.bind_object("installed", installed.iter().flat_map(|it| it.iter()));
        let step = Step {
            decomposition,
            node: source.node,
            bindings: &own,
            source: source.specification,
        };
        let (alternative, story) = self.steps.judge(&step);
        let Some(alternative) = alternative else {
            return (None, story);
        };
        let mapped = Mapped {
            alternative,
            target: &subject.candidate.target.specification,
            source: source.values,
            bindings: &own,
            keep: installed.map(|installed| Keep {
                before: level.before.map(|_| subject.kept.unwrap_or_default()),
                installed,
            }),
            place: step.place(),
        };
        let wanted = Wanted {
            values: mapped.values(&mut self.steps.faults),
            waits: self.steps.waits(&step, &alternative.depends_on),
        };
        (Some(wanted), story)
    }

    /// Something that is not wanted: what is installed of it goes.
    fn unwanted(
        &mut self,
        level: &Level<'_, 'c>,
        subject: &Subject<'_, 'c>,
        parts: Vec<Part<'c>>,
        story: Story,
    ) {
        let Subject {
            candidate, element, ..
        } = *subject;
        if parts.iter().all(|part| part.installed.is_none()) {
            let source = level.source;
            let id = &candidate.target.specification.id;
            let part = Part {
                item_id: format!("{}.{id}{}", source.item_id, element.suffix),
                entity_id: String::new(),
                name: &candidate.target.specification.name,
                specification: &candidate.target.specification,
                installed: None,
            };
            self.explain(source, candidate, &part, || (story, Outcome::NotMade));
            return;
        }
        for part in parts {
            self.explain(level.source, candidate, &part, || {
                (story.clone(), Outcome::Deleted { why: None })
            });
            self.leave(
                level,
                candidate,
                part,
                (Action::Delete, Some(element.bindings)),
            );
        }
    }

    /// An installed thing that gets an item with nothing but an action. `bindings`: the variables
    /// that its dependencies are judged by.
    fn leave(
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
            name: part.name,
            specification: part.specification,
            place: installed.node.get("place"),
            given: None,
            installed: Some(installed),
            waits: still_waits(of_rule, bindings),
        };
        self.make(level.source, thing, &Fate::bare(action), &full);
    }

    /// Everything that is installed of a candidate gets the action of what is above it.
    fn all(
        &mut self,
        level: &Level<'_, 'c>,
        candidate: Candidate<'c>,
        parts: Vec<Part<'c>>,
        (standing, action): (&mut Standing<'c>, Action),
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
    fn vanished(
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
                let parts = self.looped_parts(level.source, candidate, (element.suffix, standing));
                for part in parts {
                    self.vanish(level, candidate, part, (action, Some(element.bindings)));
                }
                !standing.is_empty()
            });
        }
        // What the characteristics do not tell of, but the ids do.
        for part in self.element_parts(level.source, candidate, "") {
            let prefix = format!("{}.", part.entity_id);
            for (suffix, installed) in standing.take_all(&prefix, &part.specification.id) {
                let part = Part {
                    item_id: format!("{}.{suffix}", part.item_id),
                    entity_id: format!("{prefix}{suffix}"),
                    installed: Some(installed),
                    ..part
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
    fn other(&mut self, level: &Level<'_, 'c>, installed: Installed<'c>) {
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

    /// A loop without elements.
    fn nothing(&mut self, level: &Level<'_, 'c>, candidate: Candidate<'c>) {
        let source = level.source;
        let specification = &candidate.target.specification;
        let layer = self.layer;
        self.steps.explain(|| Explanation {
            layer,
            source_item: source.item_id.to_owned(),
            source: source.specification.id.clone(),
            target: specification.id.clone(),
            item: format!("{}.{}", source.item_id, specification.id),
            name: specification.name.clone(),
            story: Story {
                rule: candidate.decomposition.and_then(|it| it.rule.clone()),
                ..Story::default()
            },
            outcome: Outcome::Nothing {
                over: over(candidate.loops()),
                absent: loops::is_absent(candidate.loops(), level.now),
            },
            sharers: 0,
        });
    }

    fn explain(
        &mut self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        part: &Part<'c>,
        tell: impl FnOnce() -> (Story, Outcome),
    ) {
        let layer = self.layer;
        self.steps.explain(|| {
            let (story, outcome) = tell();
            Explanation {
                layer,
                source_item: source.item_id.to_owned(),
                source: source.specification.id.clone(),
                target: candidate.target.specification.id.clone(),
                item: part.item_id.clone(),
                name: part.name.to_owned(),
                story,
                outcome,
                sharers: 0,
            }
        });
    }

    /// The values of a resource, with what its own specification has by default.
    pub fn with_defaults<'v>(&self, values: Values<'v>, of: &'v Specification) -> Values<'v> {
        match self.layer {
            Layer::Resource => values.with_defaults(&of.characteristics),
            Layer::Product | Layer::Service => values,
        }
    }

    /// Whether a service counts as changed although nothing of its own differs: something that it
    /// is made of looks at a product that changes.
    pub fn is_touched(&self, product_changes: bool, candidate: Candidate<'c>) -> bool {
        self.layer == Layer::Service
            && product_changes
            && reads_product(self.with.catalog, candidate.target)
    }

    /// Makes an item, and for a service those for the services inside it.
    pub fn make(
        &mut self,
        source: &Source<'_, 'c>,
        thing: Thing<'_, 'c>,
        fate: &Fate<'_>,
        full: &Values<'_>,
    ) {
        let place = around::first(thing.place);
        let entity_id = match &thing.installed {
            Some(installed) => installed.id.to_string(),
            None => thing.entity_id,
        };
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
        let (entity, specification) = match self.layer {
            Layer::Resource => (
                write::resource(&entity, &fate.values),
                Some(write::resource_specification(thing.specification)),
            ),
            Layer::Product | Layer::Service => {
                let product = self.named_product(source);
                let entity = write::service(&entity, product, thing.specification, &fate.values);
                (entity, None)
            }
        };
        let above = match source.sharing {
            Some(sharing) => sharing.parents.clone(),
            None => vec![source.item_id.to_owned()],
        };
        let (realizes, parents) = match self.layer {
            Layer::Resource => (above, None),
            Layer::Product | Layer::Service => match source.roots.items.as_slice() {
                roots if *roots == above => (above, None),
                roots => (roots.to_vec(), Some(above)),
            },
        };
        let item_id = thing.item_id;
        let made = Made {
            slot: match source.sharing {
                Some(sharing) => sharing.slot,
                None => self.steps.slot.unwrap_or(2 * self.steps.made.len() + 1),
            },
            is_shared: source.sharing.is_some(),
            service: thing.candidate.map(|it| it.index),
            roots: Rc::clone(source.roots),
            parents,
            place: place.and_then(|place| Some(place.get("id")?.raw().to_owned())),
            observed: target.map_or_else(Vec::new, |it| observed(it, full)),
            waits,
            item: write::Item {
                id: item_id.clone(),
                action: fate.action.name(),
                quantity,
                specification,
                entity,
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
        if let Some(candidate) = thing.candidate.filter(|_| self.layer == Layer::Service) {
            let child = Child {
                item_id: &item_id,
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

/// What is wanted of a candidate.
pub struct Wanted<'v, 'c> {
    pub values: Values<'v>,
    pub waits: Vec<Waiting<'c>>,
}

/// A candidate that is looked at for one element.
pub struct Subject<'a, 'c> {
    pub candidate: Candidate<'c>,
    pub element: &'a Element<'a>,
    /// What mappings that tell of the order gave for it before.
    pub kept: Option<&'a [(&'c Mapping, String)]>,
}

/// A service whose inside is made.
struct Child<'a, 'c> {
    item_id: &'a str,
    entity_id: &'a str,
    target: &'c ServiceSpecification,
    installed: Option<Installed<'c>>,
    place: Option<Node<'a>>,
    given: Option<Node<'a>>,
}

/// What mappings that tell of the order gave before it, by element.
fn kept<'c>(
    level: &Level<'_, 'c>,
    candidate: Candidate<'c>,
) -> HashMap<String, Vec<(&'c Mapping, String)>> {
    let mut kept = HashMap::new();
    let (Some(decomposition), Some(before)) = (candidate.decomposition, level.before) else {
        return kept;
    };
    let of_order: Vec<&'c Mapping> = decomposition.mappings().filter(|it| it.of_order).collect();
    if of_order.is_empty() {
        return kept;
    }
    let _faults_of_what_was = loops::each(&decomposition.loops, before, &mut |element| {
        let mut bindings = Bindings::over(element.bindings);
        let place = decomposition.place.as_ref();
        let place = place.and_then(|it| Reading::of(it, element.bindings).ok().flatten());
        if let Some(place) = &place {
            around::bind_place(&mut bindings, Some(place.node()));
        }
        let value = |mapping: &&'c Mapping| {
            let value = mapping.expression()?.evaluate(&bindings).ok()?;
            Some((*mapping, value))
        };
        let values = of_order.iter().filter_map(value).collect();
        kept.insert(element.suffix.to_owned(), values);
        true
    });
    kept
}

/// The values by which dependencies choose between the items of a service.
fn observed<'c>(service: &'c ServiceSpecification, values: &Values<'_>) -> Vec<(&'c str, String)> {
    let value = |name: &'c String| Some((name.as_str(), values.get(name)?.to_owned()));
    service.observed.iter().filter_map(value).collect()
}

/// Whether anything that a service is made of, at any depth, looks at the product.
fn reads_product(catalog: &Catalog, service: &ServiceSpecification) -> bool {
    service.decompositions.iter().any(|decomposition| {
        decomposition.reads("product")
            || reads_product(catalog, catalog.service_at(decomposition.target))
    })
}

/// What loops go through, for people.
fn over(loops: &[Loop]) -> String {
    let names: Vec<String> = loops
        .iter()
        .map(|it| format!("`{}`", it.source()))
        .collect();
    names.join(" and ")
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
