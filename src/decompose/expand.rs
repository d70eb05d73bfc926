//! From one thing to what it needs below: the part that both steps have in
//! common.

mod element;
mod gone;
mod make;
mod parts;
mod stranger;

use std::rc::Rc;

pub use element::{Subject, Wanted, installed_values};
pub use make::Thing;
pub use parts::{Candidate, Part, joined};

use foldhash::{HashSet, HashSetExt as _};

use super::around::Places;
use super::explain::{Explanation, Outcome, Story};
use super::faults::{ElementKey, Place};
use super::loops::{self, Without};
use super::shared::{Shared, Sharing};
use super::standing::{Mode, Named, Standing};
use super::staying::Staying;
use super::step::{Roots, Steps};
use super::write::{Derivation, Head};
use super::{Decomposer, Derived, NotDecomposable};
use crate::catalog::expression::Bindings;
use crate::catalog::{Decomposition, Facing, Loop, ServiceIndex, Specification, Values};
use crate::diagnostic::Diagnostic;
use crate::document::{Document, Node};
use crate::inventory::{Installed, Layer};
use crate::model::Action;
use crate::model::state::OrderState;
use element::Kept;
use stranger::Doubt;

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
    /// The key in its name, if it is one of several.
    pub key: &'a str,
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
    /// Whether the item that is looked at has been carried out: what it adds is there.
    pub again: bool,
    /// What may lie between what changes, while that is looked at which stays as it is.
    pub staying: Option<Staying<'c>>,
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
            again: false,
            staying: None,
        }
    }

    /// The order below, written by `write`; none if there are no items.
    pub fn finish(
        mut self,
        head: Head<'_>,
        write: fn(&Derivation<'_>) -> Document,
    ) -> Result<Derived, NotDecomposable> {
        self.share();
        self.steps.finish(head, write)
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
        let mut matched = self.matched_parts(source, &candidates, &mut standing);
        let mut siblings: Vec<(&'c str, String)> = Vec::new();
        for (position, candidate) in candidates.into_iter().enumerate() {
            if !self.may_matter(candidate.index) {
                continue;
            }
            let mut now = Bindings::over(&bindings);
            if !siblings.is_empty() {
                let beside = siblings.iter().map(|(id, text)| (*id, text.as_str()));
                now.bind_object("siblings", beside);
            }
            let level = Level {
                source,
                now: &now,
                before: before.as_ref(),
            };
            let parts = matched.get_mut(position).map(std::mem::take);
            let made = self.candidate(&level, candidate, (parts, &mut standing));
            siblings.extend(made.map(|made| (candidate.target.specification.id.as_str(), made)));
        }
        let level = Level {
            source,
            now: &bindings,
            before: before.as_ref(),
        };
        // Nothing waits for what the catalog would not make.
        let rest = standing.rest().filter(|_| self.staying.is_none());
        for installed in rest.collect::<Vec<_>>() {
            self.other(&level, installed);
        }
    }

    /// Whether something of a kind of services is worth an item: beside what changes, all is.
    pub fn may_matter(&mut self, kind: ServiceIndex) -> bool {
        let staying = self.staying.as_mut();
        staying.is_none_or(|it| it.may_lie_between(kind))
    }

    /// Makes the items for what an order item is about, as [`Expansion::expand`]. Without an
    /// installed base what is changed or removed has to be told by the order.
    pub fn expand_named(
        &mut self,
        source: &Source<'_, 'c>,
        below: Vec<Installed<'c>>,
        named: &Named<'_>,
    ) {
        let made = |it: &Self| it.steps.made.len() + it.shared.len();
        let (faults, before) = (self.steps.faults.count(), made(self));
        self.expand(source, below);
        if self.with.inventory.is_some() || named.action == Action::Add {
            return;
        }
        let needs = !source.decompositions.is_empty() || source.own.is_some();
        if self.steps.faults.count() > faults {
            let tell = |first: &Diagnostic| named.untold(Some(first));
            self.steps.faults.instead(faults, tell);
        } else if needs && made(self) == before {
            self.steps.faults.push(named.untold(None));
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

    /// What becomes of a candidate; gives the characteristics that its siblings may read. `parts`:
    /// what is made of it if it is made once, matched to what is installed, if anything is.
    fn candidate(
        &mut self,
        level: &Level<'_, 'c>,
        candidate: Candidate<'c>,
        (mut parts, standing): (Option<Vec<Part<'c>>>, &mut Standing<'c>),
    ) -> Option<String> {
        if let Mode::All(action) = level.source.mode {
            self.all(
                level,
                candidate,
                (parts.unwrap_or_default(), standing, action),
            );
            return None;
        }
        let loops = candidate.loops();
        let kept = Kept::of(level, candidate);
        let mut strangers = self.strangers(level.source, candidate, (standing, Doubt::Fault));
        let (mut sibling, mut elements) = (None, 0);
        let (faults, without) = loops::each(loops, level.now, &mut |element| {
            elements += 1;
            let subject = Subject {
                candidate,
                element,
                kept: kept.get(element),
            };
            sibling = if candidate.share().is_some() {
                self.want(level, &subject, standing)
            } else {
                let parts = match loops {
                    [] => parts.take(),
                    _ if standing.is_empty() => None,
                    _ => Some(self.looped_parts(
                        (level.source, candidate),
                        element,
                        (standing, strangers.as_mut()),
                    )),
                };
                self.element(level, &subject, parts)
            };
            self.steps.has_room()
        });
        let decomposition = candidate.decomposition?;
        if elements == 0 && faults.is_empty() && without.is_empty() {
            let over = over(candidate.loops());
            let absent = loops::is_absent(candidate.loops(), level.now);
            self.nothing(level, candidate, ("", over, absent));
        }
        for Without {
            element,
            over,
            absent,
        } in without
        {
            let over = format!("`{over}` of {element}");
            self.nothing(level, candidate, (&element, over, absent));
        }
        let node = level.source.node;
        let element = ElementKey {
            above: level.source.key,
            suffix: "",
        };
        self.steps.loop_faults(
            Place {
                decomposition,
                node,
                element,
            },
            faults,
        );
        if !candidate.is_plain() && !standing.is_empty() {
            self.vanished(level, candidate, (standing, Action::Delete));
        }
        sibling.filter(|_| decomposition.observed && loops.is_empty())
    }

    /// A loop without elements, inside an element of another one or not.
    fn nothing(
        &mut self,
        level: &Level<'_, 'c>,
        candidate: Candidate<'c>,
        (element, over, absent): (&str, String, bool),
    ) {
        let source = level.source;
        let specification = &candidate.target.specification;
        let layer = self.layer;
        self.steps.explain(|| Explanation {
            layer,
            source_item: source.item_id.to_owned(),
            source: source.specification.id.clone(),
            target: specification.id.clone(),
            item: if element.is_empty() {
                format!("{}.{}", source.item_id, specification.id)
            } else {
                format!("{}.{}.{element}", source.item_id, specification.id)
            },
            name: specification.name.clone(),
            story: Story {
                rule: candidate.decomposition.and_then(|it| it.rule.clone()),
                ..Story::default()
            },
            outcome: Outcome::Nothing { over, absent },
            sharers: 0,
        });
    }

    /// Explains why nothing is made for an order item that has ended.
    pub fn ended(
        &mut self,
        (item, source): (&str, &Specification),
        decompositions: &[Decomposition],
        state: OrderState,
    ) {
        for decomposition in decompositions {
            let target = self.with.catalog.service_at(decomposition.target);
            let target = &target.specification;
            let layer = self.layer;
            self.steps.explain(|| Explanation {
                layer,
                source_item: item.to_owned(),
                source: source.id.clone(),
                target: target.id.clone(),
                item: format!("{item}.{}", target.id),
                name: target.name.clone(),
                story: Story::default(),
                outcome: Outcome::Ended { state },
                sharers: 0,
            });
        }
    }

    /// Explains a part.
    pub fn explain(
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
                name: part.name.to_string(),
                story,
                outcome,
                sharers: 0,
            }
        });
    }
}

/// What loops go through, for people.
fn over(loops: &[Loop]) -> String {
    let names: Vec<String> = loops
        .iter()
        .map(|it| format!("`{}`", it.source()))
        .collect();
    names.join(" and ")
}
