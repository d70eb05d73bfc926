//! What both steps do for each decomposition of the catalog: judge its
//! condition, explain it, map the characteristics; and, once all items are
//! made, tie them together.

use std::collections::HashMap;

use super::dependencies::{self, Waiting};
use super::explain::{Explanation, Outcome};
use super::loops::{LoopFault, Reading};
use super::mapping::{self, Keep, Values};
use super::standing::{Difference, Mode, difference};
use super::{Derived, NotDecomposable, write};
use crate::catalog::expression::{Bindings, EvaluationFault};
use crate::catalog::{Decomposition, Dependency, ServiceIndex, Specification};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Document, Kind, Node, describe};
use crate::inventory::Installed;
use crate::model::Action;

/// An item of the order below while its dependencies are not known yet.
pub struct Made<'c> {
    /// The service that it is made for; none for what is installed and not of this catalog.
    pub service: Option<ServiceIndex>,
    /// Item at the root of the chain.
    pub root: String,
    /// Item that it is made from.
    pub parent: String,
    /// Id of its place, as JSON text.
    pub place: Option<String>,
    /// The characteristics by which dependencies choose, with their values.
    pub observed: Vec<(&'c str, String)>,
    /// What comes first.
    pub waits: Vec<Waiting<'c>>,
    /// The item.
    pub item: write::Item,
}

/// A decomposition that is looked at for one item.
pub struct Step<'a, 'v> {
    pub decomposition: &'v Decomposition,
    /// Id of the item that is decomposed.
    pub source_item: &'a str,
    pub source: &'a Specification,
    pub target: &'v Specification,
    /// Id of the item that would be made.
    pub item_id: &'a str,
    /// The item in its order, for findings.
    pub place: Node<'a>,
    pub values: &'v Values<'v>,
    pub bindings: &'a Bindings<'v>,
    /// What is installed of the target.
    pub keep: Option<Keep<'a>>,
}

/// What becomes of one thing below: the action of its item, and the characteristics that it carries.
pub struct Fate<'v> {
    pub action: Action,
    pub values: Values<'v>,
    /// Whether the item carries its place.
    pub with_place: bool,
}

/// An installed thing that is looked at for one item.
pub struct Subject<'a, 'v> {
    /// Id of the item that is made.
    pub item_id: &'a str,
    pub installed: &'a Installed<'a>,
    /// Its characteristics.
    pub before: &'a Values<'v>,
    /// Place of the order item above, if it gives one.
    pub place: Option<Node<'a>>,
    /// Whether it counts as changed although nothing of its own differs.
    pub touched: bool,
    /// Whether a condition decided about it, so that the last explanation is about it.
    pub judged: bool,
}

impl Fate<'_> {
    /// An item that carries nothing but the id of what it is about.
    pub fn bare(action: Action) -> Self {
        Fate {
            action,
            values: Values::default(),
            with_place: false,
        }
    }
}

/// What was made and found on the way.
#[derive(Default)]
pub struct Steps<'c> {
    explain: bool,
    pub made: Vec<Made<'c>>,
    explanations: Vec<Explanation>,
    diagnostics: Vec<Diagnostic>,
}

impl<'c> Steps<'c> {
    /// Nothing yet; with `explain` every step is explained.
    pub fn new(explain: bool) -> Steps<'c> {
        Steps {
            explain,
            ..Steps::default()
        }
    }

    /// The target's characteristics, if the step makes it.
    pub fn take<'v>(&mut self, step: &Step<'_, 'v>) -> Option<Values<'v>> {
        let made = match self.judge(step) {
            Ok(made) => made,
            Err(fault) => {
                let what = "its condition cannot be judged";
                let finding =
                    mapping::evaluation_fault(step.place, step.decomposition, what, &fault);
                self.diagnostics.push(finding);
                false
            }
        };
        made.then(|| {
            mapping::map(
                step.decomposition,
                step.target,
                step.values,
                step.bindings,
                step.keep,
                step.place,
                &mut self.diagnostics,
            )
        })
    }

    fn judge(&mut self, step: &Step<'_, '_>) -> Result<bool, EvaluationFault> {
        let condition = step.decomposition.condition.as_ref();
        let made = condition.map_or(Ok(true), |condition| condition.holds(step.bindings))?;
        if !self.explain {
            return Ok(made);
        }
        let verdict = condition
            .map(|condition| condition.explain(step.bindings))
            .transpose()?;
        let (conjunct, seen) =
            verdict.map_or_else(Default::default, |verdict| (verdict.conjunct, verdict.seen));
        let outcome = if made {
            let condition = condition.map(|condition| condition.source().to_owned());
            Outcome::Made {
                item: step.item_id.to_owned(),
                condition,
                seen,
            }
        } else {
            Outcome::NotMade {
                item: step.item_id.to_owned(),
                condition: conjunct,
                seen,
            }
        };
        self.explanations.push(Explanation {
            source_item: step.source_item.to_owned(),
            source: step.source.id.clone(),
            target: step.target.id.clone(),
            name: step.target.name.clone(),
            rule: step.decomposition.rule.clone(),
            outcome,
        });
        Ok(made)
    }

    /// The faults of the loops of a rule.
    pub fn loop_faults(
        &mut self,
        decomposition: &Decomposition,
        item: Node<'_>,
        faults: Vec<LoopFault>,
    ) {
        let rule = decomposition.rule.as_deref().unwrap_or_default();
        for fault in faults {
            let finding = match fault {
                LoopFault::Expression { what, fault } => {
                    mapping::evaluation_fault(item, decomposition, &what, &fault)
                }
                LoopFault::Elements { code, message } => {
                    let message = format!("rule `{rule}`: {message}");
                    Diagnostic::new(Code(code), Severity::Error, item.location(), message)
                        .with_related(decomposition.location.clone())
                }
            };
            self.fault(finding);
        }
    }

    /// The place of what is made for an element: where its rule says, else `above`.
    ///
    /// A fault is noted, and gives nothing.
    pub fn place<'b>(
        &mut self,
        decomposition: &Decomposition,
        bindings: &Bindings<'b>,
        item: Node<'_>,
    ) -> Option<Reading<'b>> {
        let expression = decomposition.place.as_ref()?;
        let fault = match Reading::of(expression, bindings) {
            Ok(Some(place)) if place.node().kind() == Kind::Object => return Some(place),
            Ok(place) => LoopFault::Elements {
                code: "decompose/place",
                message: format!(
                    "the place `{}` is {}, and has to be an object",
                    expression.source(),
                    place.map_or("absent".to_owned(), |it| describe(it.node()))
                ),
            },
            Err(fault) => LoopFault::Expression {
                what: "its place cannot be computed".to_owned(),
                fault,
            },
        };
        self.loop_faults(decomposition, item, vec![fault]);
        None
    }

    /// What an item waits for: of its rule what applies, and what its service always needs.
    pub fn waits(
        &mut self,
        step: &Step<'_, '_>,
        always: &'c [Dependency],
        of_rule: &'c [Dependency],
    ) -> Vec<Waiting<'c>> {
        let mut waits: Vec<Waiting<'c>> = Vec::with_capacity(always.len() + of_rule.len());
        for dependency in of_rule {
            let condition = dependency.condition.as_ref();
            match condition.map_or(Ok(true), |it| it.holds(step.bindings)) {
                Ok(true) => waits.push(Waiting::of(dependency, step.bindings)),
                Ok(false) => {}
                Err(fault) => {
                    let what = "the condition of a dependency cannot be judged";
                    let finding =
                        mapping::evaluation_fault(step.place, step.decomposition, what, &fault);
                    self.fault(finding);
                }
            }
        }
        waits.extend(always.iter().map(Waiting::certain));
        waits
    }

    /// A fault that keeps the order from being decomposed.
    pub fn fault(&mut self, finding: Diagnostic) {
        self.diagnostics.push(finding);
    }

    /// What becomes of something installed that is `wanted` with these characteristics, or not at
    /// all. Where a condition decided, it has to be called right after [`Steps::take`], whose
    /// explanation it completes.
    pub fn compare<'v>(
        &mut self,
        wanted: Option<&Values<'v>>,
        subject: &Subject<'_, '_>,
    ) -> Fate<'v> {
        let item = subject.item_id.to_owned();
        let Some(wanted) = wanted else {
            self.amend(subject, |outcome| match outcome {
                Outcome::NotMade {
                    condition, seen, ..
                } => Outcome::Deleted {
                    item,
                    why: condition,
                    seen,
                },
                other => other,
            });
            return Fate::bare(Action::Delete);
        };
        let Difference {
            values,
            changes,
            moves,
        } = difference(wanted, subject.installed, subject.before, subject.place);
        if changes.is_empty() && !subject.touched {
            self.amend(subject, |_| Outcome::Unchanged { item });
            return Fate::bare(Action::NoChange);
        }
        self.amend(subject, |_| Outcome::Modified { item, changes });
        Fate {
            action: Action::Modify,
            values,
            with_place: moves,
        }
    }

    fn amend(&mut self, subject: &Subject<'_, '_>, change: impl FnOnce(Outcome) -> Outcome) {
        if self.explain
            && subject.judged
            && let Some(last) = self.explanations.last_mut()
        {
            last.outcome = change(last.outcome.clone());
        }
    }

    /// Explains something installed that no condition decides about.
    pub fn explain(
        &mut self,
        source: (&str, &Specification),
        (target, name): (&str, &str),
        item: &str,
        mode: Mode,
    ) {
        if !self.explain {
            return;
        }
        let item = item.to_owned();
        let outcome = match mode {
            Mode::All(Action::NoChange) => Outcome::Unchanged { item },
            Mode::All(_) => Outcome::Deleted {
                item,
                why: format!("item {} is deleted", source.0),
                seen: Vec::new(),
            },
            Mode::Compare | Mode::Make(_) => {
                let why = format!("{} does not refer to it", source.1.id);
                Outcome::Deleted {
                    item,
                    why,
                    seen: Vec::new(),
                }
            }
        };
        self.explanations.push(Explanation {
            source_item: source.0.to_owned(),
            source: source.1.id.clone(),
            target: target.to_owned(),
            name: name.to_owned(),
            rule: None,
            outcome,
        });
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
        self.fault(finding.with_related(installed.node.location()));
    }

    /// An item id that no item has yet.
    pub fn new_id(&self, wanted: String) -> String {
        let taken = |id: &str| self.made.iter().any(|made| made.item.id == id);
        if !taken(&wanted) {
            return wanted;
        }
        let mut numbered = (2..).map(|number| format!("{wanted}.{number}"));
        numbered.find(|id| !taken(id)).unwrap_or(wanted)
    }

    /// Ids are joined by dots: items of contrived ids (`1` and `1.A`) may lead to one id.
    fn collisions(&mut self, order: Node<'_>) {
        let mut seen: HashMap<&str, &Made<'_>> = HashMap::with_capacity(self.made.len());
        for made in &self.made {
            let Some(first) = seen.insert(&made.item.id, made) else {
                continue;
            };
            let from = if first.root == made.root {
                (&first.parent, &made.parent)
            } else {
                (&first.root, &made.root)
            };
            let message = format!(
                "items `{}` and `{}` both lead to an item `{}` below",
                from.0, from.1, made.item.id
            );
            let code = Code("decompose/duplicate-item");
            let finding = Diagnostic::new(code, Severity::Error, order.location(), message)
                .with_hint("give the items ids of which none continues another one");
            self.diagnostics.push(finding);
        }
    }

    /// The order below, written by `write` from the items with their dependencies; none if there
    /// are no items.
    ///
    /// # Errors
    /// What was found on the way, and items of `order` whose ids lead to one id below.
    pub fn finish(
        mut self,
        order: Node<'_>,
        write: impl FnOnce(&[write::Item]) -> Document,
    ) -> Result<Derived, NotDecomposable> {
        self.collisions(order);
        if !self.diagnostics.is_empty() {
            return Err(NotDecomposable(self.diagnostics));
        }
        let items = dependencies::resolved(self.made);
        let document = (!items.is_empty()).then(|| write(&items));
        Ok(Derived {
            document,
            explanations: self.explanations,
        })
    }
}
