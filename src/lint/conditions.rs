//! All conditions of a catalog, each with what it decides and what it may see.

use std::fmt;

use super::survey::Survey;
use super::view::View;
use super::{Subject, outcomes, view};
use crate::catalog::expression::Expression;
use crate::catalog::space::Outcomes;
use crate::catalog::{Catalog, GateRule};
use crate::diagnostic::Location;
use crate::document::DocumentKind;
use crate::model::Action;
use crate::parallel;

/// A condition of a rule.
pub struct Condition<'c> {
    /// What it is.
    pub what: What<'c>,
    /// It.
    pub expression: &'c Expression,
    /// What it may see.
    pub view: View<'c>,
    rule: Option<(DocumentKind, &'c str)>,
    /// Where it stands, as far as the catalog knows.
    location: Option<&'c Location>,
}

/// What a condition is of.
pub enum What<'c> {
    /// Of a decomposition rule.
    Rule(&'c str),
    /// Of a gate.
    Gate(&'c str),
    /// Of a dependency.
    Dependency {
        /// `condition` or `where`.
        word: &'static str,
        /// Id of what waits.
        target: &'c str,
        /// Id of what comes first.
        on: &'c str,
    },
}

impl fmt::Display for What<'_> {
    /// For people: ``the condition of rule `R-1` ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Rule(id) => write!(f, "the condition of rule `{id}`"),
            What::Gate(id) => write!(f, "the condition of gate `{id}`"),
            What::Dependency { word, target, on } => {
                write!(f, "the {word} under which `{target}` waits for `{on}`")
            }
        }
    }
}

impl Condition<'_> {
    /// Where it stands.
    pub fn place(&self, subject: &Subject<'_>) -> Location {
        let nowhere = Location {
            file: String::new(),
            line: 1,
            column: 1,
            pointer: String::new(),
        };
        let location = self.location.unwrap_or(&nowhere);
        match self.rule {
            Some(rule) => subject.place(rule, "condition", location),
            None => location.clone(),
        }
    }
}

/// The conditions of a catalog of which it can be said how they come out over all that they may
/// see, and how.
pub fn judged<'c>(catalog: &'c Catalog, survey: &Survey<'c>) -> Vec<(Condition<'c>, Outcomes)> {
    let judge = |it: Condition<'c>| {
        let result = outcomes(it.expression, None, &it.view)?;
        Some((it, result))
    };
    let judged = parallel::map_many(all(catalog, survey), judge);
    judged.into_iter().flatten().collect()
}

/// All conditions: of decomposition rules and their dependencies, and of gates.
fn all<'c>(catalog: &'c Catalog, survey: &Survey<'c>) -> Vec<Condition<'c>> {
    let mut conditions = Vec::new();
    for step in &survey.steps {
        let mut dependencies: Vec<&Location> = Vec::new();
        let alternatives = &step.decomposition.alternatives;
        for (position, alternative) in alternatives.iter().enumerate() {
            let id = alternative.rule.as_deref().unwrap_or_default();
            // One that was taken over from the rule below is told there.
            let below = alternatives
                .get(position + 1)
                .and_then(|it| it.condition.as_ref());
            let own = alternative.condition.as_ref();
            let own = own.filter(|it| below.is_none_or(|below| below.source() != it.source()));
            conditions.extend(own.map(|expression| Condition {
                what: What::Rule(id),
                expression,
                view: step.view.clone(),
                rule: Some((DocumentKind::DecompositionRule, id)),
                location: Some(&alternative.location),
            }));
            for dependency in &alternative.depends_on {
                if dependencies.contains(&&dependency.location) {
                    continue;
                }
                dependencies.push(&dependency.location);
                let on = &catalog.service_at(dependency.on).specification;
                let target = catalog.service_at(step.decomposition.target);
                let name = &on.id;
                let asked = [
                    (&dependency.condition, "condition", None),
                    (&dependency.filter, "`where`", Some(on)),
                ];
                for (expression, word, other) in asked {
                    let Some(expression) = expression else {
                        continue;
                    };
                    conditions.push(Condition {
                        what: What::Dependency {
                            word,
                            target: &target.specification.id,
                            on: name,
                        },
                        expression,
                        view: View {
                            other,
                            ..step.view.clone()
                        },
                        rule: None,
                        location: Some(&dependency.location),
                    });
                }
            }
        }
    }
    for gate in catalog.gate_rules() {
        conditions.extend(gate.condition.as_ref().map(|expression| Condition {
            what: What::Gate(&gate.id),
            expression,
            view: gate_view(catalog, gate),
            rule: Some((DocumentKind::GateRule, &gate.id)),
            location: None,
        }));
    }
    conditions
}

/// What the condition of a gate may see.
pub fn gate_view<'c>(catalog: &'c Catalog, gate: &GateRule) -> View<'c> {
    let products = catalog.products_of(gate.subject);
    let products: Vec<_> = products
        .iter()
        .map(|it| &catalog.product_at(*it).specification)
        .collect();
    let per = gate.per.as_deref().and_then(|id| catalog.service(id));
    View {
        source: match per {
            Some(service) => vec![&service.specification],
            None => products.clone(),
        },
        product: products,
        other: None,
        product_is_partial: gate.actions.iter().any(|it| *it != Action::Add),
        actions: view::MADE,
    }
}
