//! What both steps do for each decomposition of the catalog: judge its
//! conditions, map the characteristics, compare with what is installed; and
//! what came of it all.

use std::rc::Rc;

use foldhash::{HashSet, HashSetExt as _};

use super::dependencies::{self, Waiting};
use super::explain::{Asked, Explanation, Story, Tried};
use super::faults::{ElementKey, Faults, Place};
use super::loops::{LoopFault, MAX_ITEMS, Reading};
use super::standing::{Change, Difference, difference};
use super::write::{Derivation, Head};
use super::{Derived, NotDecomposable, write};
use crate::catalog::expression::{Bindings, EvaluationFault, Near, NearKind};
use crate::catalog::{
    Alternative, CharacteristicSpecification, Decomposition, Dependency, ServiceIndex,
    Specification, Values,
};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Document, Kind, Node, Pieces, describe};
use crate::inventory::Installed;
use crate::model::{Action, Site};

/// Bytes that a derived order may take.
const MAX_SIZE: usize = 2 << 30;

/// What order items are made for: product order items.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Roots {
    /// Ids of the items, sorted; empty if the chain begins with a service order.
    pub items: Vec<String>,
    /// Id of the product of the first one.
    pub entity: String,
}

/// An item of the order below while its dependencies are not known yet.
pub struct Made<'c> {
    /// Where it stands among the others; those that are made later may stand before.
    pub slot: usize,
    /// Whether several parents may share it.
    pub is_shared: bool,
    /// Whether it is below something that stays as it is: it is written only if something else
    /// waits through it.
    pub stays: bool,
    /// The service that it is made for; none for what is installed and not of this catalog.
    pub service: Option<ServiceIndex>,
    /// Items at the root of the chain.
    pub roots: Rc<Roots>,
    /// Items that it is made from; `None` if they are those that it realizes.
    pub parents: Option<Vec<String>>,
    /// Where it is.
    pub place: Option<Site<'static>>,
    /// Where it was, if it moves.
    pub left: Option<Site<'static>>,
    /// Key of the element that it is made for, if elements tell what is at one place apart.
    pub element: Option<String>,
    /// The characteristics by which dependencies choose, with their values.
    pub observed: Vec<(&'c str, String)>,
    /// What comes first.
    pub waits: Vec<Waiting<'c>>,
    /// The item.
    pub item: write::Item<'c>,
}

impl Made<'_> {
    /// Items that it is made from.
    pub fn parents(&self) -> &[String] {
        self.parents.as_ref().unwrap_or(&self.item.realizes)
    }
}

/// A decomposition that is looked at for one element.
#[derive(Clone, Copy)]
pub struct Step<'a, 'c> {
    /// The decomposition.
    pub decomposition: &'c Decomposition,
    /// The item in its order, for findings.
    pub node: Node<'a>,
    /// The element that it is looked at for.
    pub element: ElementKey<'a>,
    /// The variables.
    pub bindings: &'a Bindings<'a>,
    /// The specification of `source`.
    pub source: &'a Specification,
}

impl Step<'_, '_> {
    /// Whether a value is not simply another one that is allowed, such as `EPON` beside `GPON`.
    fn is_slip(&self, near: &Near) -> bool {
        let name = near.path.strip_prefix("source.");
        let known = name.and_then(|name| self.source.characteristic(name));
        let mut allowed = known
            .into_iter()
            .flat_map(CharacteristicSpecification::allowed_values);
        near.kind != NearKind::Spelling || allowed.all(|it| it != near.value)
    }

    /// Where faults belong to.
    pub fn place(&self) -> Place<'_> {
        Place {
            decomposition: self.decomposition,
            node: self.node,
            element: self.element,
        }
    }
}

/// What becomes of one thing below: the action of its item, and the characteristics that it carries.
#[derive(Clone)]
pub struct Fate<'v> {
    /// The action.
    pub action: Action,
    /// The characteristics.
    pub values: Values<'v>,
    /// Whether the item carries its place.
    pub with_place: bool,
    /// What differs from what is installed.
    pub changes: Vec<Change>,
}

impl Fate<'_> {
    /// An item that carries nothing but the id of what it is about.
    pub fn bare(action: Action) -> Self {
        Fate {
            action,
            values: Values::default(),
            with_place: false,
            changes: Vec::new(),
        }
    }
}

impl<'v> Fate<'v> {
    /// An item for something new.
    pub fn new(action: Action, values: Values<'v>) -> Self {
        Fate {
            action,
            values,
            with_place: true,
            changes: Vec::new(),
        }
    }

    /// An item for something installed that is `wanted` with these characteristics, at this place
    /// if the order gives one. `touched`: it counts as changed although nothing of its own differs.
    pub fn compared(
        wanted: &Values<'v>,
        (installed, before): (&Installed<'_>, &Values<'_>),
        place: Option<Node<'_>>,
        touched: bool,
    ) -> Self {
        let Difference {
            values,
            changes,
            moves,
        } = difference(wanted, installed, before, place);
        if changes.is_empty() && !touched {
            return Fate::bare(Action::NoChange);
        }
        Fate {
            action: Action::Modify,
            values,
            with_place: moves,
            changes,
        }
    }
}

/// What was made and found on the way.
pub struct Steps<'c> {
    /// Whether every step is explained.
    pub explain: bool,
    /// The items.
    pub made: Vec<Made<'c>>,
    /// What the items are about.
    pub pieces: Pieces,
    /// Why, and why not.
    pub explanations: Vec<Explanation>,
    /// What is wrong.
    pub faults: Faults,
    /// Where items stand that are made for an earlier one.
    pub slot: Option<usize>,
    ids: HashSet<String>,
    full: bool,
}

impl<'c> Steps<'c> {
    /// Nothing yet; with `explain` every step is explained.
    pub fn new(explain: bool) -> Steps<'c> {
        Steps {
            explain,
            made: Vec::new(),
            pieces: Pieces::default(),
            explanations: Vec::new(),
            faults: Faults::default(),
            slot: None,
            ids: HashSet::new(),
            full: false,
        }
    }

    /// Whether there is room for more items.
    pub fn has_room(&self) -> bool {
        !self.full
    }

    /// Adds an item; one too many is a fault.
    pub fn add(&mut self, node: Node<'_>, made: Made<'c>) {
        if self.made.len() == MAX_ITEMS {
            let message = format!("more than {MAX_ITEMS} items would be made of the order");
            self.overflow(node, message);
        } else if self.pieces.size() > MAX_SIZE {
            self.too_large(node);
        } else {
            self.made.push(made);
        }
    }

    fn too_large(&mut self, node: Node<'_>) {
        let message = format!(
            "the order below would take more than {} GiB",
            MAX_SIZE >> 30
        );
        self.overflow(node, message);
    }

    fn overflow(&mut self, node: Node<'_>, message: String) {
        if !self.full {
            self.full = true;
            let code = Code("decompose/too-many-items");
            let finding = Diagnostic::new(code, Severity::Error, node.location(), message);
            self.faults
                .push(finding.with_hint("split it into several orders"));
        }
    }

    /// Adds an explanation, if explanations are wanted; gives its position.
    pub fn explain(&mut self, tell: impl FnOnce() -> Explanation) -> Option<usize> {
        if !self.explain {
            return None;
        }
        self.explanations.push(tell());
        Some(self.explanations.len() - 1)
    }

    /// An item id that no item has yet.
    pub fn new_id(&mut self, wanted: String) -> String {
        if self.ids.len() < self.made.len() {
            let known = self.made[self.ids.len()..].iter();
            self.ids.extend(known.map(|made| made.item.id.clone()));
        }
        if !self.ids.contains(&wanted) {
            return wanted;
        }
        let mut numbered = (2..).map(|number| format!("{wanted}.{number}"));
        numbered.find(|id| !self.ids.contains(id)).unwrap_or(wanted)
    }

    /// The way to make a target whose condition holds, if there is one, with its story.
    pub fn judge(&mut self, step: &Step<'_, 'c>) -> (Option<&'c Alternative>, Story) {
        let mut story = Story::default();
        for alternative in &step.decomposition.alternatives {
            let Some(condition) = &alternative.condition else {
                if self.explain {
                    story.rule.clone_from(&alternative.rule);
                }
                return (Some(alternative), story);
            };
            if !self.explain {
                match condition.holds(step.bindings) {
                    Ok(true) => return (Some(alternative), story),
                    Ok(false) => continue,
                    Err(fault) => return (self.unjudged(step, &fault), story),
                }
            }
            match condition.explain(step.bindings) {
                Ok(verdict) if verdict.holds => {
                    story.rule.clone_from(&alternative.rule);
                    story.condition = Some(condition.source().to_owned());
                    story.seen = verdict.seen;
                    return (Some(alternative), story);
                }
                Ok(verdict) => story.tried.push(Tried {
                    rule: alternative.rule.clone(),
                    condition: verdict.conjunct,
                    seen: verdict.seen,
                    near: verdict
                        .near
                        .into_iter()
                        .filter(|it| step.is_slip(it))
                        .collect(),
                }),
                Err(fault) => return (self.unjudged(step, &fault), story),
            }
        }
        (None, story)
    }

    fn unjudged(
        &mut self,
        step: &Step<'_, 'c>,
        fault: &EvaluationFault,
    ) -> Option<&'c Alternative> {
        let what = "its condition cannot be judged";
        self.faults.evaluation(step.place(), what, fault);
        None
    }

    /// The faults of the loops of a rule.
    pub fn loop_faults(&mut self, place: Place<'_>, faults: Vec<LoopFault>) {
        for fault in faults {
            match fault {
                LoopFault::Expression { what, fault } => {
                    self.faults.evaluation(place, &what, &fault);
                }
                LoopFault::Elements { code, message } => self.faults.of_rule(place, code, &message),
            }
        }
    }

    /// The place of what is made for an element, where its rule says one. A fault is noted, and
    /// gives nothing.
    pub fn place<'b>(
        &mut self,
        decomposition: &Decomposition,
        bindings: &Bindings<'b>,
        (node, element): (Node<'_>, ElementKey<'_>),
    ) -> Option<Reading<'b>> {
        let expression = decomposition.place.as_ref()?;
        let place = Place {
            decomposition,
            node,
            element,
        };
        match Reading::of(expression, bindings) {
            Ok(Some(found)) if found.node().kind() == Kind::Object => return Some(found),
            Ok(found) => {
                let message = format!(
                    "the place `{}` is {}, and has to be an object",
                    expression.source(),
                    found.map_or("absent".to_owned(), |it| describe(it.node()))
                );
                self.faults.of_rule(place, "decompose/place", &message);
            }
            Err(fault) => {
                let what = "its place cannot be computed";
                self.faults.evaluation(place, what, &fault);
            }
        }
        None
    }

    /// What an item waits for, of what its rule says.
    pub fn waits(
        &mut self,
        step: &Step<'_, 'c>,
        of_rule: &'c [Dependency],
        story: &mut Story,
    ) -> Vec<Waiting<'c>> {
        let mut waits: Vec<Waiting<'c>> = Vec::with_capacity(of_rule.len());
        for dependency in of_rule {
            let condition = dependency.condition.as_ref();
            let judged = condition.map_or(Ok(true), |it| it.holds(step.bindings));
            if self.explain
                && let (Some(condition), Ok(holds)) = (condition, &judged)
            {
                story.waits.push(Asked {
                    on: dependency.on,
                    condition: condition.source().to_owned(),
                    holds: *holds,
                });
            }
            match judged {
                Ok(true) => waits.push(Waiting::of(dependency, step.bindings)),
                Ok(false) => {}
                Err(fault) => {
                    let what = "the condition of a dependency cannot be judged";
                    self.faults.evaluation(step.place(), what, &fault);
                }
            }
        }
        waits
    }

    /// An installed thing whose specification the catalog does not have.
    pub fn unknown(&mut self, item: Node<'_>, installed: &Installed<'_>) {
        let (layer, id) = (installed.layer.name(), &installed.id);
        let message = match installed.specification_id() {
            "" => format!("the installed {layer} `{id}` names no specification"),
            specification => format!(
                "the installed {layer} `{id}` has the specification `{specification}`, which is not in the catalog"
            ),
        };
        let code = Code("decompose/unknown-specification");
        let finding = Diagnostic::new(code, Severity::Error, item.location(), message);
        self.faults
            .push(finding.with_related(installed.node.location()));
    }

    /// Ids are joined by dots: items of contrived ids (`1` and `1.A`) may lead to one id.
    fn collisions(&mut self, order: Node<'_>) {
        let mut ids: Vec<(&str, usize)> = Vec::with_capacity(self.made.len());
        ids.extend((self.made.iter().map(|made| made.item.id.as_str())).zip(0..));
        ids.sort_unstable();
        let twice = ids.windows(2).filter(|pair| pair[0].0 == pair[1].0);
        for pair in twice {
            let (first, made) = (&self.made[pair[0].1], &self.made[pair[1].1]);
            let alike = first.roots.items == made.roots.items;
            let from = |made: &Made<'_>| {
                let from = if alike {
                    made.parents()
                } else {
                    &made.roots.items
                };
                from.first().cloned().unwrap_or_default()
            };
            let (one, other, id) = (from(first), from(made), &made.item.id);
            let message = format!("items `{one}` and `{other}` both lead to an item `{id}` below");
            let code = Code("decompose/duplicate-item");
            let finding = Diagnostic::new(code, Severity::Error, order.location(), message)
                .with_hint("give the items ids of which none continues another one");
            self.faults.push(finding);
        }
    }

    /// The order below, written by `write` from the items with their dependencies; none if there
    /// are no items.
    ///
    /// # Errors
    /// What was found on the way, and items of the order above whose ids lead to one id below.
    pub fn finish(
        mut self,
        head: Head<'_>,
        write: fn(&Derivation<'_>) -> Document,
    ) -> Result<Derived, NotDecomposable> {
        if self.faults.is_empty() {
            dependencies::resolve(&mut self.made, &mut self.faults);
        }
        if self.faults.is_empty() {
            self.collisions(head.above);
        }
        let made = std::mem::take(&mut self.made);
        let items: Vec<write::Item<'_>> = made.into_iter().map(|made| made.item).collect();
        let size = write::size(&items, &self.pieces);
        if self.faults.is_empty() && size > MAX_SIZE {
            self.too_large(head.above);
        }
        if !self.faults.is_empty() {
            return Err(NotDecomposable(self.faults.finish()));
        }
        let derivation = Derivation {
            head,
            items: &items,
            pieces: &self.pieces,
            size,
        };
        let document = (!items.is_empty()).then(|| write(&derivation));
        Ok(Derived {
            document,
            explanations: self.explanations,
        })
    }
}

/// What an item that goes, or stays as it is, waits for, of what its rule says: what cannot be
/// judged any more counts.
pub fn still_waits<'c>(
    of_rule: &'c [Dependency],
    bindings: Option<&Bindings<'_>>,
) -> Vec<Waiting<'c>> {
    let nothing = Bindings::new();
    let bindings = bindings.unwrap_or(&nothing);
    let applies = |it: &&Dependency| {
        let condition = it.condition.as_ref();
        condition.is_none_or(|it| it.holds(bindings).unwrap_or(true))
    };
    of_rule
        .iter()
        .filter(applies)
        .map(|it| Waiting::of(it, bindings).lenient())
        .collect()
}
