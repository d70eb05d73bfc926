//! What there is in a catalog to be exercised.

use std::collections::BTreeSet;
use std::fmt;

use super::reached;
use crate::catalog::{Catalog, CharacteristicSpecification, Decomposition, Offering, ValueType};
use crate::document::DocumentKind;

/// A kind of thing to be exercised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PointKind {
    /// An offering is ordered.
    Offering,
    /// A value is asked for; a characteristic is left out.
    Value,
    /// A rule is taken.
    Rule,
    /// A condition holds, or does not.
    Condition,
    /// A service is made.
    Service,
    /// A resource is made.
    Resource,
    /// An activation rule says how a task is carried out.
    Activation,
    /// A gate stands.
    Gate,
    /// A wave of a rollout has tasks.
    Wave,
}

impl PointKind {
    /// All kinds, in the order in which they are reported.
    pub const ALL: [PointKind; 9] = [
        PointKind::Offering,
        PointKind::Value,
        PointKind::Rule,
        PointKind::Condition,
        PointKind::Service,
        PointKind::Resource,
        PointKind::Activation,
        PointKind::Gate,
        PointKind::Wave,
    ];

    /// Name of the group, for people and programs.
    pub fn name(self) -> &'static str {
        match self {
            PointKind::Offering => "offerings",
            PointKind::Value => "values",
            PointKind::Rule => "rules",
            PointKind::Condition => "conditions",
            PointKind::Service => "services",
            PointKind::Resource => "resources",
            PointKind::Activation => "activations",
            PointKind::Gate => "gates",
            PointKind::Wave => "waves",
        }
    }
}

/// Something to be exercised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// What kind of thing.
    pub kind: PointKind,
    /// What it is called.
    pub name: String,
    /// Kind and id of the document that it is of.
    pub document: (DocumentKind, String),
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Point {
    /// Something that is called by the id of its document.
    pub(super) fn new(kind: PointKind, id: &str) -> Point {
        let document = match kind {
            PointKind::Offering => DocumentKind::ProductOffering,
            PointKind::Value => DocumentKind::ProductSpecification,
            PointKind::Rule | PointKind::Condition => DocumentKind::DecompositionRule,
            PointKind::Service => DocumentKind::ServiceSpecification,
            PointKind::Resource => DocumentKind::ResourceSpecification,
            PointKind::Activation => DocumentKind::ActivationRule,
            PointKind::Gate => DocumentKind::GateRule,
            PointKind::Wave => DocumentKind::RolloutRule,
        };
        Point {
            kind,
            name: id.to_owned(),
            document: (document, id.to_owned()),
        }
    }

    /// A value of a characteristic of a product or service, or its absence.
    pub(super) fn value(
        (kind, id): (DocumentKind, &str),
        characteristic: &str,
        value: Option<&str>,
    ) -> Point {
        let value = value.unwrap_or("absent");
        Point {
            kind: PointKind::Value,
            name: format!("{id} `{characteristic}`: {value}"),
            document: (kind, id.to_owned()),
        }
    }

    /// A condition of a decomposition or gate rule, one way.
    pub(super) fn condition((kind, rule): (DocumentKind, &str), holds: bool) -> Point {
        Point {
            kind: PointKind::Condition,
            name: format!("{rule} {}", way(holds)),
            document: (kind, rule.to_owned()),
        }
    }

    /// The condition of a dependency of a service on another one, one way.
    pub(super) fn dependency([service, on]: [&str; 2], condition: &str, holds: bool) -> Point {
        Point {
            kind: PointKind::Condition,
            name: format!("{service} waits for {on} if {condition}: {}", way(holds)),
            document: (DocumentKind::ServiceSpecification, service.to_owned()),
        }
    }

    /// A wave of a rollout.
    pub(super) fn wave(rollout: &str, wave: &str) -> Point {
        Point {
            name: format!("{rollout} {wave}"),
            ..Point::new(PointKind::Wave, rollout)
        }
    }
}

fn way(holds: bool) -> &'static str {
    if holds { "holds" } else { "does not hold" }
}

/// Whether an offering can be ordered by itself.
pub(super) fn is_orderable(offering: &Offering) -> bool {
    offering.sellable && offering.specification.refuses_orders(None).is_none()
}

/// Everything.
pub(super) fn all(catalog: &Catalog) -> BTreeSet<Point> {
    let mut points = BTreeSet::new();
    for offering in catalog.offerings().iter().filter(|it| is_orderable(it)) {
        points.insert(Point::new(PointKind::Offering, &offering.id));
        let Some(product) = offering.product else {
            continue;
        };
        let product = &catalog.product_at(product).specification;
        for characteristic in &product.characteristics {
            let narrowed = offering.narrows(&characteristic.name);
            for value in values(characteristic, narrowed) {
                points.insert(Point::value(
                    (DocumentKind::ProductSpecification, &product.id),
                    &characteristic.name,
                    value.as_deref(),
                ));
            }
        }
    }
    let products = catalog.products().iter().flat_map(|it| &it.decompositions);
    let services = catalog.services().iter().flat_map(|it| &it.decompositions);
    for decomposition in products.chain(services) {
        steps(catalog, decomposition, &mut points);
        let service = catalog.service_at(decomposition.target);
        points.insert(Point::new(PointKind::Service, &service.specification.id));
        for resource in &service.resources {
            let id = &catalog.resource_at(*resource).specification.id;
            points.insert(Point::new(PointKind::Resource, id));
            if let Some(rule) = catalog.activation(id) {
                points.insert(Point::new(PointKind::Activation, &rule.id));
            }
        }
    }
    for gate in catalog.gate_rules() {
        points.insert(Point::new(PointKind::Gate, &gate.id));
        if gate.condition.is_some() {
            let gate = (DocumentKind::GateRule, gate.id.as_str());
            points.extend([true, false].map(|holds| Point::condition(gate, holds)));
        }
    }
    for rollout in catalog.rollout_rules() {
        let waves = rollout.waves.iter();
        points.extend(waves.map(|wave| Point::wave(&rollout.id, wave)));
    }
    points.extend(reached::values(catalog));
    points
}

fn steps(catalog: &Catalog, decomposition: &Decomposition, points: &mut BTreeSet<Point>) {
    let id = |service| catalog.service_at(service).specification.id.as_str();
    for alternative in &decomposition.alternatives {
        let Some(rule) = &alternative.rule else {
            continue;
        };
        points.insert(Point::new(PointKind::Rule, rule));
        if alternative.condition.is_some() {
            let rule = (DocumentKind::DecompositionRule, rule.as_str());
            points.extend([true, false].map(|holds| Point::condition(rule, holds)));
        }
        for dependency in &alternative.depends_on {
            if let Some(condition) = &dependency.condition {
                let both = [id(decomposition.target), id(dependency.on)];
                let condition = condition.source();
                points.extend([true, false].map(|it| Point::dependency(both, condition, it)));
            }
        }
    }
}

/// The values of a characteristic that are worth asking for, as an offering narrows it: those that
/// are listed, the bounds of ranges, both of true and false; `None`, where it may be left out and
/// nothing holds by default.
pub(super) fn values(
    characteristic: &CharacteristicSpecification,
    narrowed: Option<&CharacteristicSpecification>,
) -> Vec<Option<String>> {
    let mut values: Vec<String> = Vec::new();
    for from in [Some(characteristic), narrowed].into_iter().flatten() {
        values.extend(from.allowed_values().map(str::to_owned));
        for (low, high) in from.bounds() {
            values.extend(low.into_iter().chain(high).map(|it| it.to_string()));
        }
    }
    if characteristic.value_type == ValueType::Boolean {
        values.extend(["true".to_owned(), "false".to_owned()]);
    }
    values.extend(characteristic.default.clone());
    values.retain(|value| {
        characteristic.takes(value).is_ok() && narrowed.is_none_or(|it| it.takes(value).is_ok())
    });
    values.sort();
    values.dedup();
    let default = narrowed.and_then(|it| it.default.as_ref());
    let default = default.or(characteristic.default.as_ref());
    let absent = (characteristic.minimum == 0 && default.is_none()).then_some(None);
    values.into_iter().map(Some).chain(absent).collect()
}
