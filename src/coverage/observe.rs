//! What an order exercises.

use std::collections::{BTreeSet, HashMap};

use super::points::{Point, PointKind};
use crate::catalog::{Catalog, CharacteristicSpecification, Subject};
use crate::decompose::{Explanation, Outcome};
use crate::document::{Document, DocumentKind, Kind, Node};
use crate::model::{Action, ProductOrder, ProductOrderItem};
use crate::rehearsal::Rehearsed;

/// The points that an acceptable order meets.
pub fn points(catalog: &Catalog, order: &Document, rehearsed: &Rehearsed) -> BTreeSet<Point> {
    let mut met = BTreeSet::new();
    let order = ProductOrder::read(order.root());
    for item in &order.items {
        values(catalog, item, &mut met);
        gates(catalog, item, rehearsed, &mut met);
    }
    for explanation in &rehearsed.explanations {
        explained(catalog, explanation, &mut met);
    }
    made(catalog, rehearsed, &mut met);
    let tasks = rehearsed.plan.iter().flat_map(|it| &it.task_flow);
    for task in tasks.filter_map(|task| task.specification.as_deref()) {
        met.insert(Point::new(PointKind::Resource, task));
        if let Some(rule) = catalog.activation(task) {
            met.insert(Point::new(PointKind::Activation, &rule.id));
        }
    }
    met
}

/// The offering of an item, and what it asks for.
fn values(catalog: &Catalog, item: &ProductOrderItem<'_>, met: &mut BTreeSet<Point>) {
    let offering = item
        .offering
        .as_ref()
        .and_then(|it| catalog.offering(&it.id));
    if let Some(offering) = offering {
        met.insert(Point::new(PointKind::Offering, &offering.id));
    }
    let product = item
        .specification
        .as_ref()
        .and_then(|it| catalog.product(&it.id));
    let product = product.or_else(|| Some(catalog.product_at(offering?.product?)));
    let Some(product) = product.map(|it| &it.specification) else {
        return;
    };
    for known in &product.characteristics {
        let given = item
            .characteristics
            .iter()
            .filter(|it| it.name == known.name);
        let given: Vec<_> = given.filter_map(|it| it.value).collect();
        let mut add = |value: Option<&str>| {
            let product = (DocumentKind::ProductSpecification, product.id.as_str());
            met.insert(Point::value(product, &known.name, value));
        };
        if given.is_empty() && item.action == Some(Action::Add) {
            let narrowed = offering.and_then(|it| it.narrows(&known.name));
            let default = narrowed.and_then(|it| it.default.as_deref());
            add(default.or(known.default.as_deref()));
        }
        for value in given {
            each_value(known, value, |it| add(Some(it)));
        }
    }
}

/// Calls `visit` for a value, or for each of a list, as the catalog spells it.
fn each_value(known: &CharacteristicSpecification, value: Node<'_>, mut visit: impl FnMut(&str)) {
    match value.kind() {
        Kind::Array => value
            .elements()
            .for_each(|it| visit(&spelled(known, &it.compact()))),
        _ => visit(&spelled(known, &value.compact())),
    }
}

/// A value as the catalog spells it: `200.0` is 200.
fn spelled(known: &CharacteristicSpecification, value: &str) -> String {
    let Ok(number) = value.parse::<f64>() else {
        return value.to_owned();
    };
    let mut listed = known.allowed_values();
    let same = listed.find(|it| it.parse::<f64>() == Ok(number));
    same.map_or_else(|| number.to_string(), str::to_owned)
}

/// What a step of the catalog came to.
fn explained(catalog: &Catalog, explanation: &Explanation, met: &mut BTreeSet<Point>) {
    let story = &explanation.story;
    if let Some(rule) = &story.rule {
        let reached = !matches!(explanation.outcome, Outcome::Nothing { .. });
        if reached {
            met.insert(Point::new(PointKind::Rule, rule));
        }
        if story.condition.is_some() {
            met.insert(Point::condition(
                (DocumentKind::DecompositionRule, rule),
                true,
            ));
        }
    }
    for tried in &story.tried {
        if let Some(rule) = &tried.rule {
            met.insert(Point::condition(
                (DocumentKind::DecompositionRule, rule),
                false,
            ));
        }
    }
    for asked in &story.waits {
        let on = &catalog.service_at(asked.on).specification.id;
        let both = [explanation.target.as_str(), on];
        met.insert(Point::dependency(both, &asked.condition, asked.holds));
    }
    let made = match explanation.outcome {
        Outcome::Made | Outcome::Modified { .. } | Outcome::Unchanged => true,
        Outcome::NotMade
        | Outcome::Nothing { .. }
        | Outcome::Ended { .. }
        | Outcome::Deleted { .. }
        | Outcome::StillUsed { .. } => false,
    };
    if made && catalog.service(&explanation.target).is_some() {
        met.insert(Point::new(PointKind::Service, &explanation.target));
    }
}

/// The values of the services that were made: customer-facing ones stand in the service order,
/// those that face resources in the resources that realize them.
fn made(catalog: &Catalog, rehearsed: &Rehearsed, met: &mut BTreeSet<Point>) {
    let explanations = rehearsed.explanations.iter();
    let targets: HashMap<&str, &str> = explanations
        .map(|it| (it.item.as_str(), it.target.as_str()))
        .collect();
    for order in &rehearsed.derived {
        let root = order.root();
        for item in root.list("serviceOrderItem") {
            let Some(service) = item.get("service") else {
                continue;
            };
            let specification = service.get("serviceSpecification");
            let id = specification.and_then(|it| it.text("id"));
            let values = service.list("serviceCharacteristic");
            values_of(catalog, &id.unwrap_or_default(), values, met);
        }
        for item in root.list("orderItem") {
            let id = item.text("id").unwrap_or_default();
            // A resource among several that realize a service has an id below that of the service.
            let above = std::iter::successors(Some(&*id), |it| Some(it.rsplit_once('.')?.0));
            let target = above.clone().find_map(|it| targets.get(it));
            let resource = item.get("resource");
            let values = resource
                .into_iter()
                .flat_map(|it| it.list("resourceCharacteristic"));
            values_of(catalog, target.copied().unwrap_or_default(), values, met);
        }
    }
}

fn values_of<'d>(
    catalog: &Catalog,
    service: &str,
    values: impl Iterator<Item = Node<'d>>,
    met: &mut BTreeSet<Point>,
) {
    let Some(service) = catalog.service(service).map(|it| &it.specification) else {
        return;
    };
    let document = (DocumentKind::ServiceSpecification, service.id.as_str());
    for node in values {
        let name = node.text("name").unwrap_or_default();
        if let (Some(known), Some(value)) = (service.characteristic(&name), node.get("value")) {
            each_value(known, value, |it| {
                met.insert(Point::value(document, &name, Some(it)));
            });
        }
    }
}

/// The gates before an item, those that stand and those that do not, and the waves of its tasks.
fn gates(
    catalog: &Catalog,
    item: &ProductOrderItem<'_>,
    rehearsed: &Rehearsed,
    met: &mut BTreeSet<Point>,
) {
    let Some(plan) = &rehearsed.plan else { return };
    let offering = item.offering.as_ref().map(|it| &*it.id);
    let product = item.specification.as_ref().map(|it| &*it.id);
    for subject in catalog.subjects(offering, product) {
        let begins = |id: &str| {
            id.strip_prefix(&*item.id)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        for gate in catalog.gates(subject) {
            let end = format!(".{}", gate.id);
            let mut tasks = plan.task_flow.iter();
            let stands = tasks.any(|task| begins(&task.id) && task.id.ends_with(&end));
            if stands {
                met.insert(Point::new(PointKind::Gate, &gate.id));
            }
            let judged = item.action.is_some_and(|it| gate.actions.contains(&it));
            if gate.condition.is_some() && judged {
                met.insert(Point::condition((DocumentKind::GateRule, &gate.id), stands));
            }
        }
        waves(catalog, subject, rehearsed, met);
    }
}

fn waves(catalog: &Catalog, subject: Subject, rehearsed: &Rehearsed, met: &mut BTreeSet<Point>) {
    let Some(rollout) = catalog.rollout(subject) else {
        return;
    };
    let tasks = rehearsed.plan.iter().flat_map(|it| &it.task_flow);
    for wave in tasks.filter_map(|it| it.rollout_wave.as_deref()) {
        if rollout.waves.iter().any(|it| it == wave) {
            met.insert(Point::wave(&rollout.id, wave));
        }
    }
}
