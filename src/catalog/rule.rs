//! Rules: how one specification is decomposed into another.

use std::sync::Arc;

use foldhash::HashSet;

use super::ServiceIndex;
use super::expression::Expression;
use crate::diagnostic::Location;

/// One step of a decomposition: a source specification may need a target.
#[derive(Debug)]
pub struct Decomposition {
    /// What is made.
    pub target: ServiceIndex,
    /// Id of the rule at the bottom, if the step is more than a reference.
    pub rule: Option<String>,
    /// Where the rule, or else the reference, stands.
    pub location: Location,
    /// What it is made for each of, outermost first; once, if there are none.
    pub loops: Vec<Loop>,
    /// Where what is made is; where the item above is, if there is none.
    pub place: Option<Expression>,
    /// Whether several parents share what is made.
    pub share: Option<Share>,
    /// The ways to make it, the most overriding first: the first whose condition holds is taken.
    pub alternatives: Vec<Alternative>,
    /// Whether a loop counts by the quantity of the item: each of what is made is then one.
    pub counts_quantity: bool,
    /// Whether a mapping of a sibling looks at what it makes.
    pub observed: bool,
}

/// A way to make a target: a rule, with what it takes over from the rules that it overrides.
#[derive(Debug, Clone)]
pub struct Alternative {
    /// Id of the rule; none for a plain reference.
    pub rule: Option<String>,
    /// Where the rule, or else the reference, stands.
    pub location: Location,
    /// When it is taken; always, if there is none.
    pub condition: Option<Expression>,
    /// Characteristics of the target that are not simply copied by name.
    pub mapping: Vec<Mapping>,
    /// What comes first, where it is made.
    pub depends_on: Vec<Dependency>,
}

impl Decomposition {
    /// All mappings of all its alternatives.
    pub fn mappings(&self) -> impl Iterator<Item = &Mapping> {
        self.alternatives.iter().flat_map(|it| &it.mapping)
    }

    /// Everything that it computes.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let loops = self.loops.iter().flat_map(Loop::expressions);
        let share = self.share.iter().flat_map(|share| &share.key);
        let alternatives = self.alternatives.iter().flat_map(Alternative::expressions);
        loops.chain(&self.place).chain(share).chain(alternatives)
    }

    /// Whether anything that it computes looks at a variable.
    pub fn reads(&self, variable: &str) -> bool {
        self.expressions().any(|it| it.reads(variable))
    }
}

impl Alternative {
    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let mapping = self.mapping.iter().filter_map(Mapping::expression);
        let depends_on = self.depends_on.iter().flat_map(Dependency::expressions);
        self.condition.iter().chain(mapping).chain(depends_on)
    }
}

/// How several parents share one thing.
#[derive(Debug)]
pub struct Share {
    /// Which parents.
    pub scope: ShareScope,
    /// What tells the shared things within the scope apart; there is one, if there is none.
    pub key: Option<Expression>,
}

/// Which parents share one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareScope {
    /// Those of one product order item.
    Item,
    /// Those at one place of one product order item.
    Site,
    /// All of the order.
    Order,
}

impl ShareScope {
    /// Name, as rules write it.
    pub fn name(self) -> &'static str {
        match self {
            ShareScope::Item => "item",
            ShareScope::Site => "site",
            ShareScope::Order => "order",
        }
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
    /// Names of the members of an element that mappings read.
    pub members: Vec<String>,
    /// Every word that stands in an expression of the catalog: a member that is called otherwise is
    /// read by nobody.
    pub words: Arc<HashSet<String>>,
}

impl Loop {
    /// What it goes through, as the rule writes it.
    pub fn source(&self) -> &str {
        let (Over::List(over) | Over::Count(over)) = &self.over;
        over.source()
    }

    /// Everything that it computes.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
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
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Name of the target's characteristic.
    pub target: String,
    /// Its source.
    pub source: MappingSource,
    /// Whether its value tells of the order: its expression looks at `order` or `item`.
    pub of_order: bool,
}

impl Mapping {
    /// What computes it, if anything does.
    pub fn expression(&self) -> Option<&Expression> {
        match &self.source {
            MappingSource::Value(_) => None,
            MappingSource::Expression(expression) => Some(expression),
        }
    }
}

/// A source of a value.
#[derive(Debug, Clone)]
pub enum MappingSource {
    /// The same value always, as compact JSON text.
    Value(String),
    /// Computed.
    Expression(Expression),
}

/// What an item waits for.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// What comes first.
    pub on: ServiceIndex,
    /// Where it stands.
    pub location: Location,
    /// How far apart the two may be made.
    pub scope: DependencyScope,
    /// Whether the item waits at all; always, if there is none.
    pub condition: Option<Expression>,
    /// Which of the others it waits for: all, if there is none. Reads `other`.
    pub filter: Option<Expression>,
    /// Names of characteristics that have to be the same on both sides.
    pub same: Vec<String>,
    /// Whether both sides are made for elements of the same list, so that at a site only those of the
    /// same element have to do with each other.
    pub by_element: bool,
    /// Time between the end of the other and the start of this one, as ISO 8601 duration.
    pub lag: Option<String>,
    /// Whether those that failed count as well, not only those that were completed.
    pub until_ended: bool,
}

impl Dependency {
    /// On everything of a service that is made for the same product order item.
    pub fn on(service: ServiceIndex, location: Location) -> Dependency {
        Dependency {
            on: service,
            location,
            scope: DependencyScope::Item,
            condition: None,
            filter: None,
            same: Vec::new(),
            by_element: false,
            lag: None,
            until_ended: false,
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
