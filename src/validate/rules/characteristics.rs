//! Characteristics: known, of the right type, allowed, as many as may be, and
//! all that are mandatory.

use super::{Rule, error};
use crate::catalog::{CharacteristicSpecification, Misfit, Offering, Specification};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggestion::closest;
use crate::document::{Kind, Node};
use crate::model::{Action, Characteristic, Order, OrderItem};
use crate::validate::Subject;

/// The rule.
pub const RULE: Rule = Rule {
    demand: "characteristics are those of the specification, with values that it allows",
    codes: &[
        "order/unknown-characteristic",
        "order/characteristic-type",
        "order/characteristic-value",
        "order/characteristic-pattern",
        "order/characteristic-cardinality",
        "order/missing-characteristic",
    ],
    check,
};

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    for (position, item) in subject.order.items().enumerate() {
        if let Some(specification) = specification(subject, position) {
            let given: Vec<_> = item.characteristics.iter().collect();
            known_and_allowed(specification, &given, diagnostics);
            for characteristic in given {
                let narrowed = offering(subject, position)
                    .and_then(|offering| offering.narrows(&characteristic.name));
                let base = specification.characteristic(&characteristic.name);
                // What the product itself does not allow has been reported.
                if let (Some(narrowed), Some(base), Some(value)) =
                    (narrowed, base, characteristic.value)
                    && base.check(value).is_ok()
                {
                    fits(narrowed, value, diagnostics);
                }
            }
            if item.action == Some(Action::Add) {
                complete(specification, &item, diagnostics);
            }
        }
    }
}

fn offering<'a>(subject: &Subject<'a, '_>, position: usize) -> Option<&'a Offering> {
    let Order::Product(order) = subject.order else {
        return None;
    };
    subject
        .catalog?
        .offering(&order.items[position].offering.as_ref()?.id)
}

fn specification<'a>(subject: &Subject<'a, '_>, position: usize) -> Option<&'a Specification> {
    let catalog = subject.catalog?;
    match subject.order {
        Order::Product(order) => {
            let item = &order.items[position];
            let named = item.specification.as_ref();
            let named = named.and_then(|reference| catalog.product(&reference.id));
            let offering = item.offering.as_ref();
            let offered = offering.and_then(|reference| catalog.offering(&reference.id)?.product);
            let product = named.or_else(|| offered.map(|index| catalog.product_at(index)))?;
            Some(&product.specification)
        }
        Order::Service(order) => {
            let reference = order.items[position].specification.as_ref()?;
            Some(&catalog.service(&reference.id)?.specification)
        }
        // What a resource order carries was computed by rules, and checked when it was.
        Order::Resource(_) => None,
    }
}

fn known_and_allowed(
    specification: &Specification,
    given: &[Characteristic<'_>],
    diagnostics: &mut Vec<Diagnostic>,
) {
    for (position, characteristic) in given.iter().enumerate() {
        let Some(known) = specification.characteristic(&characteristic.name) else {
            if !characteristic.name.is_empty() {
                unknown(specification, characteristic, diagnostics);
            }
            continue;
        };
        let earlier = given[..position]
            .iter()
            .find(|other| other.name == characteristic.name);
        if let Some(first) = earlier.filter(|_| !known.is_list()) {
            let message = format!("`{}` is given twice", characteristic.name);
            diagnostics.push(
                error(
                    "order/characteristic-cardinality",
                    characteristic.node,
                    message,
                )
                .with_related(first.node.location()),
            );
        }
        if let Some(value) = characteristic.value {
            fits(known, value, diagnostics);
        }
        if earlier.is_none() {
            fits_in_all(known, &given[position..], diagnostics);
        }
    }
}

/// Values that are given one by one, or as several lists, are one list.
fn fits_in_all(
    known: &CharacteristicSpecification,
    given: &[Characteristic<'_>],
    diagnostics: &mut Vec<Diagnostic>,
) {
    let same = given.iter().filter(|it| it.name == known.name);
    let values: Vec<Node<'_>> = same.filter_map(|it| it.value).collect();
    let [first, _, ..] = values.as_slice() else {
        return;
    };
    let count = |value: &Node<'_>| match value.kind() {
        Kind::Array => value.len() as u64,
        _ => 1,
    };
    let total: u64 = values.iter().map(count).sum();
    let most = known
        .maximum
        .filter(|most| known.is_list() && total > *most);
    if let Some(most) = most {
        let message = format!(
            "`{}` takes {} to {most} values, found {total} in all",
            known.name, known.minimum
        );
        diagnostics.push(error("order/characteristic-cardinality", *first, message));
    }
}

fn unknown(
    specification: &Specification,
    characteristic: &Characteristic<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let names = specification
        .characteristics
        .iter()
        .map(|known| known.name.as_str());
    let name = &characteristic.name;
    let node = characteristic
        .node
        .get("name")
        .unwrap_or(characteristic.node);
    let message = format!("`{name}` is no characteristic of {}", specification.name);
    let mut finding = error("order/unknown-characteristic", node, message);
    finding.hint = closest(name, names).map(|name| format!("did you mean `{name}`?"));
    diagnostics.push(finding);
}

fn fits(known: &CharacteristicSpecification, value: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let name = &known.name;
    if value.kind() == Kind::Array {
        let count = value.len() as u64;
        let over = known.maximum.is_some_and(|maximum| count > maximum);
        if known.is_list() && (over || count < known.minimum) {
            let most = known
                .maximum
                .map_or("any number".to_owned(), |most| most.to_string());
            let message = format!(
                "`{name}` takes {} to {most} values, found {count}",
                known.minimum
            );
            diagnostics.push(error("order/characteristic-cardinality", value, message));
        }
    }
    let Err((place, misfit)) = known.check(value) else {
        return;
    };
    let (code, message) = match &misfit {
        Misfit::Type { found, .. } => (
            "order/characteristic-type",
            format!(
                "`{name}` has to be of type {}, found {found}",
                known.value_type.name()
            ),
        ),
        Misfit::Value { allowed, .. } => (
            "order/characteristic-value",
            format!("`{name}` cannot be {}; allowed: {allowed}", shown(place)),
        ),
        Misfit::Pattern { regex } => (
            "order/characteristic-pattern",
            format!(
                "`{name}` is {}, which does not match `{regex}`",
                shown(place)
            ),
        ),
    };
    let mut finding = error(code, place, message);
    finding.hint = misfit.hint();
    diagnostics.push(finding);
}

fn shown(node: Node<'_>) -> String {
    node.raw().chars().take(60).collect()
}

fn complete(
    specification: &Specification,
    item: &OrderItem<'_, '_>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    // Characteristics that cannot be read are not missing.
    let lists = ["productCharacteristic", "serviceCharacteristic"];
    let unread = |entity: Node<'_>| {
        lists.iter().any(|key| {
            entity
                .get(key)
                .is_some_and(|list| list.kind() != Kind::Array)
        })
    };
    if item.entity.is_some_and(unread) {
        return;
    }
    for known in &specification.characteristics {
        let given = item
            .characteristics
            .iter()
            .any(|given| given.name == known.name && given.value.is_some());
        if known.has_to_be_given() && !given {
            let message = format!("mandatory characteristic `{}` is missing", known.name);
            let place = item.entity.unwrap_or(item.node);
            diagnostics.push(error("order/missing-characteristic", place, message));
        }
    }
}
