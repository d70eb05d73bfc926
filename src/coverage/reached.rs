//! Which of the values that services list can come at all, by what the catalog copies and computes:
//! what no product leads to, no order can exercise.

use std::collections::{BTreeMap, BTreeSet};

use super::points::{self, Point};
use crate::catalog::expression::{Expression, Usage};
use crate::catalog::space::{Domain, Space};
use crate::catalog::{Alternative, Catalog, CharacteristicSpecification, MappingSource, ValueType};
use crate::document::{Document, DocumentKind, Kind};
use crate::lint::survey::{Step, Survey};

/// What a characteristic may come to.
#[derive(Debug, Clone)]
enum Reached {
    /// One of these, as JSON texts.
    Of(BTreeSet<String>),
    /// It cannot be said.
    Anything,
}

/// What the characteristics of services may come to, as far as that is known yet.
struct Known<'c> {
    catalog: &'c Catalog,
    /// By position of the service and name of the characteristic.
    reached: BTreeMap<(usize, &'c str), Reached>,
}

/// The listed values of services that can come.
pub fn values(catalog: &Catalog) -> BTreeSet<Point> {
    let survey = Survey::of(catalog);
    let mut steps: BTreeMap<usize, Vec<&Step<'_>>> = BTreeMap::new();
    for step in &survey.steps {
        let from = step.service;
        if from.is_none_or(|it| survey.services.contains(&it.0)) && step.taken.contains(&true) {
            let target = step.decomposition.target.0;
            steps.entry(target).or_default().push(step);
        }
    }
    // What is read comes before what reads it.
    let mut services: Vec<usize> = survey.services.iter().copied().collect();
    services.sort_by_key(|it| (catalog.services()[*it].rank, *it));
    let mut points = BTreeSet::new();
    let mut known = Known {
        catalog,
        reached: BTreeMap::new(),
    };
    for service in services {
        let specification = &catalog.services()[service].specification;
        for characteristic in &specification.characteristics {
            let mut reached = Reached::Of(BTreeSet::new());
            for step in steps.get(&service).into_iter().flatten() {
                for alternative in step.alternatives() {
                    reached.join(known.of_alternative((step, alternative), characteristic));
                }
            }
            let listed = listed(characteristic).into_iter();
            let document = (
                DocumentKind::ServiceSpecification,
                specification.id.as_str(),
            );
            let name = &characteristic.name;
            let listed = listed.filter(|it| reached.has(it));
            points.extend(listed.map(|it| Point::value(document, name, Some(&it))));
            known.reached.insert((service, name), reached);
        }
    }
    points
}

/// The values that a characteristic lists.
fn listed(characteristic: &CharacteristicSpecification) -> Vec<String> {
    if characteristic.value_type == ValueType::Boolean {
        return vec!["true".to_owned(), "false".to_owned()];
    }
    characteristic.allowed_values().map(str::to_owned).collect()
}

impl Reached {
    fn has(&self, value: &str) -> bool {
        match self {
            Reached::Of(values) => values.contains(value),
            Reached::Anything => true,
        }
    }

    fn join(&mut self, other: Reached) {
        match (&mut *self, other) {
            (Reached::Of(values), Reached::Of(others)) => values.extend(others),
            (Reached::Anything, _) | (_, Reached::Anything) => *self = Reached::Anything,
        }
    }

    /// Adds a value as compact JSON text, or each of a list.
    fn add(&mut self, text: &str) {
        let Reached::Of(values) = self else { return };
        let document = Document::parse(text.to_owned(), "value");
        match document.as_ref().map(Document::root) {
            Ok(list) if list.kind() == Kind::Array => {
                values.extend(list.elements().map(|it| it.compact().into_owned()));
            }
            _ => {
                values.insert(text.to_owned());
            }
        }
    }
}

impl Known<'_> {
    /// What a characteristic of a target may come to by one way to make it.
    fn of_alternative(
        &self,
        way: (&Step<'_>, &Alternative),
        target: &CharacteristicSpecification,
    ) -> Reached {
        let mut mapping = way.1.mapping.iter();
        let mapped = mapping.find(|it| it.target == target.name);
        match mapped.map(|it| &it.source) {
            Some(MappingSource::Value(text)) => {
                let mut reached = Reached::Of(BTreeSet::new());
                reached.add(text);
                reached
            }
            Some(MappingSource::Expression(expression)) => self.computed(way, expression, target),
            None => self.copied(way, target),
        }
    }

    fn copied(
        &self,
        (step, alternative): (&Step<'_>, &Alternative),
        target: &CharacteristicSpecification,
    ) -> Reached {
        let default = || Reached::Of(target.default.iter().cloned().collect());
        let Some(from) = step.source.characteristic(&target.name) else {
            return default();
        };
        let mut reached = self.of_source(step, from);
        if let (Reached::Of(_), Some(condition)) = (&reached, &alternative.condition)
            && let Some(values) = self.under(step, condition, from)
        {
            reached = values;
        }
        if from.minimum == 0 && from.default.is_none() {
            reached.join(default());
        }
        reached
    }

    /// The values of a characteristic of a source under which a condition holds.
    fn under(
        &self,
        step: &Step<'_>,
        condition: &Expression,
        from: &CharacteristicSpecification,
    ) -> Option<Reached> {
        let usage = Usage {
            path: vec!["source".to_owned(), from.name.clone()],
            literals: Vec::new(),
            is_plain: true,
        };
        let usages = condition.usages().into_iter().chain([usage]);
        let space = Space::over(usages, &|it| self.domain(step, it))?;
        let mut reached = Reached::Of(BTreeSet::new());
        space.any(&mut |bindings| {
            let value = bindings.text_of("source", Some(&from.name));
            if let Some(value) = value.filter(|_| condition.holds(bindings) == Ok(true)) {
                reached.add(value);
            }
            false
        });
        Some(reached)
    }

    /// What a characteristic of a source may be: of a product, what an offering sells it with.
    fn of_source(&self, step: &Step<'_>, from: &CharacteristicSpecification) -> Reached {
        if let Some(service) = step.service {
            let reached = self.reached.get(&(service.0, from.name.as_str()));
            return reached.cloned().unwrap_or(Reached::Anything);
        }
        if listed(from).is_empty() {
            return Reached::Anything;
        }
        let offerings = self.catalog.offerings().iter().filter(|offering| {
            let product = offering.product.map(|it| self.catalog.product_at(it));
            product.is_some_and(|it| it.specification.id == step.source.id)
                && offering.specification.refuses_orders(None).is_none()
        });
        let values = offerings.flat_map(|it| points::values(from, it.narrows(&from.name)));
        Reached::Of(values.flatten().collect())
    }

    /// What stands for all that may be at a path.
    fn domain(&self, step: &Step<'_>, usage: &Usage) -> Option<Domain> {
        let domain = step.view.domain(usage)?;
        let [variable, name] = usage.path.as_slice() else {
            return Some(domain);
        };
        let from = step.source.characteristic(name);
        let from = from.filter(|it| variable == "source" && !it.is_list());
        match from.map(|it| self.of_source(step, it)) {
            Some(Reached::Of(values)) => {
                let absent = domain.values.contains(&None).then_some(None);
                Some(Domain {
                    values: values.into_iter().map(Some).chain(absent).collect(),
                    is_exact: true,
                })
            }
            Some(Reached::Anything) | None => Some(domain),
        }
    }

    fn computed(
        &self,
        (step, alternative): (&Step<'_>, &Alternative),
        expression: &Expression,
        target: &CharacteristicSpecification,
    ) -> Reached {
        let condition = alternative.condition.as_ref();
        let space = Space::of(condition.into_iter().chain([expression]), &|it| {
            self.domain(step, it)
        });
        let Some(space) = space else {
            return Reached::Anything;
        };
        let mut reached = Reached::Of(BTreeSet::new());
        space.any(&mut |bindings| {
            if condition.is_some_and(|it| it.holds(bindings) != Ok(true)) {
                return false;
            }
            if let Ok(value) = expression.evaluate(bindings) {
                // A text that stands for any other one says nothing about what comes.
                if !space.is_exact() && target.takes(&value).is_err() {
                    reached = Reached::Anything;
                    return true;
                }
                reached.add(&value);
            }
            false
        });
        reached
    }
}
