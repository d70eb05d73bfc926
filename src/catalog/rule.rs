//! Rules: how one specification is decomposed into another.

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
    /// What it is made for each of, outermost first; once, if there are none.
    pub loops: Vec<Loop>,
    /// Where what is made is; where the item above is, if there is none.
    pub place: Option<Expression>,
    /// When it is made; always, if there is none.
    pub condition: Option<Expression>,
    /// Characteristics of the target that are not simply copied by name.
    pub mapping: Vec<Mapping>,
    /// What comes first, where it is made.
    pub depends_on: Vec<Dependency>,
}

impl Decomposition {
    /// Whether anything that it computes looks at a variable.
    pub fn reads(&self, variable: &str) -> bool {
        let mapping = self
            .mapping
            .iter()
            .filter_map(|mapping| match &mapping.source {
                MappingSource::Value(_) => None,
                MappingSource::Expression(expression) => Some(expression),
            });
        let loops = self.loops.iter().flat_map(Loop::expressions);
        let depends_on = self.depends_on.iter().flat_map(Dependency::expressions);
        (self.place.iter().chain(&self.condition))
            .chain(mapping)
            .chain(loops)
            .chain(depends_on)
            .any(|expression| expression.reads(variable))
    }
}

/// A loop of a rule: what is made is made for each element.
#[derive(Debug)]
pub struct Loop {
    /// Variable that the element is bound to.
    pub variable: String,
    /// What it goes through.
    pub over: Over,
    /// What tells the elements apart; of what they are, if there is none.
    pub key: Option<Expression>,
}

impl Loop {
    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let (Over::List(over) | Over::Count(over)) = &self.over;
        std::iter::once(over).chain(&self.key)
    }
}

/// What a loop goes through.
#[derive(Debug)]
pub enum Over {
    /// The elements of a list.
    List(Expression),
    /// The numbers from 1 to a number.
    Count(Expression),
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

/// What an item waits for.
#[derive(Debug)]
pub struct Dependency {
    /// What comes first.
    pub on: ServiceIndex,
    /// How far apart the two may be made.
    pub scope: DependencyScope,
    /// Whether the item waits at all; always, if there is none.
    pub condition: Option<Expression>,
    /// Which of the others it waits for: all, if there is none. Reads `other`.
    pub filter: Option<Expression>,
    /// Names of characteristics that have to be the same on both sides.
    pub same: Vec<String>,
    /// Time between the end of the other and the start of this one, as ISO 8601 duration.
    pub lag: Option<String>,
}

impl Dependency {
    /// On everything of a service that is made for the same product order item.
    pub fn on(service: ServiceIndex) -> Dependency {
        Dependency {
            on: service,
            scope: DependencyScope::Item,
            condition: None,
            filter: None,
            same: Vec::new(),
            lag: None,
        }
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.condition.iter().chain(&self.filter)
    }

    /// Whether it holds between all items of its scope, so that a circle of such dependencies is
    /// one for every order.
    pub fn is_certain(&self) -> bool {
        self.condition.is_none() && self.filter.is_none() && self.same.is_empty()
    }
}

/// Between which items a dependency holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DependencyScope {
    /// Those made from the same item.
    Parent,
    /// Those at the same place, made for the same product order item.
    Site,
    /// Those made for the same product order item.
    Item,
    /// All of the order.
    Order,
}
