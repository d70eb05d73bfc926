//! What breaks orders that were good before: they are refused, cannot be decomposed or planned, or
//! are carried out in another order.

use super::words::{CHARACTERISTICS, Segment, VALUES};
use super::{Alteration, Change};
use crate::document::{DocumentKind, Node};

/// Of a document that is no longer there.
pub fn removed(kind: DocumentKind, document: Node<'_>) -> Vec<Alteration> {
    let why = match kind {
        DocumentKind::ProductOffering | DocumentKind::ProductSpecification => {
            "orders that name it are refused"
        }
        DocumentKind::ServiceSpecification | DocumentKind::ResourceSpecification => {
            "what is installed of it has no specification any more"
        }
        DocumentKind::ActivationRule => "nobody carries its resource out",
        _ => return Vec::new(),
    };
    vec![Alteration {
        what: String::new(),
        change: Change::Removed,
        from: None,
        to: None,
        breaking: Some(why),
        location: document.location(),
    }]
}

/// A change of something: before and now.
type Changed<'d> = (Change, Option<Node<'d>>, Option<Node<'d>>);

/// Why a change at a place breaks orders, if it does.
pub fn why(kind: DocumentKind, path: &[Segment], changed: Changed<'_>) -> Option<&'static str> {
    let names: Vec<&str> = path
        .iter()
        .filter_map(|it| match it {
            Segment::Member(name) => Some(name.as_str()),
            Segment::Element(_) => None,
        })
        .collect();
    match names.as_slice() {
        [list, rest @ ..] if CHARACTERISTICS.contains(list) => characteristic(rest, changed),
        ["prodSpecCharValueUse", rest @ ..] => match (rest, changed.0) {
            ([], Change::Added) => Some("the offering is sold with fewer values"),
            ([], _) => None,
            (rest, _) => characteristic(rest, changed),
        },
        ["serviceSpecification" | "serviceSpecRelationship", ..]
            if kind != DocumentKind::DecompositionRule =>
        {
            match changed.0 {
                Change::Removed => Some("it is no longer made"),
                Change::Added | Change::Changed => Some("something else is made, or comes first"),
            }
        }
        ["resourceSpecification", ..] if kind == DocumentKind::ServiceSpecification => {
            Some("another resource realizes it")
        }
        ["resourceSpecification" | "source" | "target", ..] => {
            Some("the rule is about something else")
        }
        ["dependsOn", ..] => Some("work is done in another order"),
        ["after" | "holds", ..] => Some("the gate holds something else"),
        ["waves", ..] => Some("the rollout has other waves"),
        ["bundledProductOffering", ..] => Some("bundles hold something else"),
        ["productSpecification", ..] => Some("another product is sold"),
        ["isSellable"] => is(changed.2, "false").then_some("it can no longer be ordered"),
        ["lifecycleStatus"] => closed(changed.2).then_some("it can no longer be ordered"),
        ["validFor", ..] => Some("it can be ordered at other times"),
        _ => None,
    }
}

/// Of a characteristic, or of what is in it.
fn characteristic(path: &[&str], (change, before, now): Changed<'_>) -> Option<&'static str> {
    let number = |node: Option<Node<'_>>| node.and_then(Node::as_f64);
    match path {
        [] => match change {
            Change::Removed => Some("orders that give it are refused"),
            Change::Added => {
                let has_to_be_given = now.is_some_and(is_new_mandatory);
                has_to_be_given.then_some("orders that do not give it are refused")
            }
            Change::Changed => None,
        },
        [list] if VALUES.contains(list) => match change {
            Change::Removed => Some("orders that ask for it are refused"),
            Change::Added | Change::Changed => None,
        },
        [list, bound] if VALUES.contains(list) => match *bound {
            "valueFrom" => tightened(number(before), number(now), |from, to| to > from),
            "valueTo" => tightened(number(before), number(now), |from, to| to < from),
            "regex" => Some("other texts are taken"),
            "rangeInterval" => Some("the bounds are taken, or no longer"),
            _ => None,
        },
        ["valueType" | "@type"] => Some("values of another type are taken"),
        ["regex"] if change != Change::Removed => Some("other texts are taken"),
        ["minCardinality"] => {
            let grows = number(now).unwrap_or(0.0) > number(before).unwrap_or(0.0);
            grows.then_some("orders that give fewer values are refused")
        }
        ["maxCardinality"] => {
            // 0 is no limit; what is not said is one.
            let most = |node| match number(node) {
                None => 1.0,
                Some(0.0) => f64::INFINITY,
                Some(most) => most,
            };
            (most(now) < most(before)).then_some("orders that give more values are refused")
        }
        ["extensible"] => is(before, "true").then_some("only the values that are listed are taken"),
        _ => None,
    }
}

fn tightened(
    before: Option<f64>,
    now: Option<f64>,
    narrower: impl Fn(f64, f64) -> bool,
) -> Option<&'static str> {
    let tighter = match (before, now) {
        (Some(before), Some(now)) => narrower(before, now),
        (None, Some(_)) => true,
        (_, None) => false,
    };
    tighter.then_some("orders with values outside of it are refused")
}

fn is_new_mandatory(characteristic: Node<'_>) -> bool {
    let minimum = characteristic.get("minCardinality").and_then(Node::as_f64);
    let mut values = VALUES.iter().flat_map(|list| characteristic.list(list));
    let default = values.any(|it| it.get("isDefault").and_then(Node::as_bool) == Some(true));
    minimum.is_some_and(|it| it > 0.0) && !default
}

fn is(node: Option<Node<'_>>, raw: &str) -> bool {
    node.is_some_and(|it| it.raw() == raw)
}

fn closed(status: Option<Node<'_>>) -> bool {
    let status = status.and_then(Node::as_str).unwrap_or_default();
    let open = ["active", "launched"];
    !status.is_empty() && !open.iter().any(|it| status.eq_ignore_ascii_case(it))
}
