//! Rules: how one specification is decomposed into another, and how a resource
//! is carried out.

use jiff::SignedDuration;

use super::ServiceIndex;
use super::expression::Expression;
use crate::diagnostic::Location;

/// One step of a decomposition: a source specification may need a target.
#[derive(Debug)]
pub struct Decomposition {
    /// What is made.
    pub target: ServiceIndex,
    /// Id of the rule, if the step is more than a reference.
    pub rule: Option<String>,
    /// Where the rule, or else the source specification, stands.
    pub location: Location,
    /// When it is made; always, if there is none.
    pub condition: Option<Expression>,
    /// Characteristics of the target that are not simply copied by name.
    pub mapping: Vec<Mapping>,
    /// Services of the same layer that come first, where they are made.
    pub depends_on: Vec<ServiceIndex>,
}

impl Decomposition {
    /// Whether its condition or its mapping looks at a variable.
    pub fn reads(&self, variable: &str) -> bool {
        let mapping = self
            .mapping
            .iter()
            .filter_map(|mapping| match &mapping.source {
                MappingSource::Value(_) => None,
                MappingSource::Expression(expression) => Some(expression),
            });
        self.condition
            .iter()
            .chain(mapping)
            .any(|expression| expression.reads(variable))
    }
}

/// Where a target's characteristic comes from.
#[derive(Debug)]
pub struct Mapping {
    /// Name of the target's characteristic.
    pub target: String,
    /// Its source.
    pub source: MappingSource,
}

/// A source of a value.
#[derive(Debug)]
pub enum MappingSource {
    /// The same value always, as compact JSON text.
    Value(String),
    /// Computed.
    Expression(Expression),
}

/// How resources of one specification are carried out.
#[derive(Debug, Clone)]
pub struct ActivationRule {
    /// Id of the rule.
    pub id: String,
    /// Id of the resource specification.
    pub resource: String,
    /// Name of the endpoint.
    pub endpoint: String,
    /// Expected duration: most likely, or weighted by PERT, (o + 4m + p) / 6, where an
    /// optimistic and a pessimistic one are given.
    pub duration: SignedDuration,
}
