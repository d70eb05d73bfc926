//! What both steps do for each decomposition of the catalog: judge its
//! condition, explain it, map the characteristics; and, once all items are
//! made, tie them together.

use std::collections::HashMap;

use super::explain::{Explanation, Outcome};
use super::mapping::{self, Values};
use super::{Derived, NotDecomposable, write};
use crate::catalog::expression::{Bindings, EvaluationFault};
use crate::catalog::{Decomposition, ServiceIndex, Specification};
use crate::diagnostic::Diagnostic;
use crate::document::{Document, Node};

/// An item of the order below while its dependencies are not known yet.
pub struct Made {
    /// The service that it is made for.
    pub service: ServiceIndex,
    /// Item at the root of the chain; items wait for each other within one root.
    pub root: String,
    /// Services that come first.
    pub depends_on: Vec<ServiceIndex>,
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
}

/// What was made and found on the way.
#[derive(Default)]
pub struct Steps {
    explain: bool,
    pub made: Vec<Made>,
    explanations: Vec<Explanation>,
    diagnostics: Vec<Diagnostic>,
}

impl Steps {
    /// Nothing yet; with `explain` every step is explained.
    pub fn new(explain: bool) -> Steps {
        Steps { explain, ..Steps::default() }
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
        let verdict = condition.map(|condition| condition.explain(step.bindings)).transpose()?;
        let (conjunct, seen) =
            verdict.map_or_else(Default::default, |verdict| (verdict.conjunct, verdict.seen));
        let outcome = if made {
            let condition = condition.map(|condition| condition.source().to_owned());
            Outcome::Made { item: step.item_id.to_owned(), condition, seen }
        } else {
            Outcome::NotMade { condition: conjunct, seen }
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

    /// The order below, written by `write` from the items with their dependencies; none if there
    /// are no items.
    pub fn finish(
        self,
        write: impl FnOnce(&[write::Item]) -> Document,
    ) -> Result<Derived, NotDecomposable> {
        if !self.diagnostics.is_empty() {
            return Err(NotDecomposable(self.diagnostics));
        }
        let items = with_dependencies(self.made);
        let document = (!items.is_empty()).then(|| write(&items));
        Ok(Derived { document, explanations: self.explanations })
    }
}

/// The items, each with the ids of those that come first, without repetition.
fn with_dependencies(mut made: Vec<Made>) -> Vec<write::Item> {
    let mut by_service: HashMap<(&str, ServiceIndex), Vec<&str>> = HashMap::new();
    for made in &made {
        by_service.entry((&made.root, made.service)).or_default().push(&made.item.id);
    }
    let dependencies: Vec<Vec<String>> = made
        .iter()
        .map(|made| {
            let mut before: Vec<String> = Vec::new();
            for service in &made.depends_on {
                for other in by_service.get(&(made.root.as_str(), *service)).into_iter().flatten() {
                    if *other != made.item.id && !before.iter().any(|known| known == other) {
                        before.push((*other).to_owned());
                    }
                }
            }
            before
        })
        .collect();
    for (made, dependencies) in made.iter_mut().zip(dependencies) {
        made.item.dependencies = dependencies;
    }
    made.into_iter().map(|made| made.item).collect()
}
