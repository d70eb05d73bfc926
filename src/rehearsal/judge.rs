//! What came of an order, against what is expected of it: differences as findings in the order.

use super::difference::{About, Change, Difference, differences};
use super::outcome::Outcome;
use crate::diagnostic::{Code, Diagnostic, Location, Severity};
use crate::document::{Document, Node};
use crate::model::Order;

/// The findings of an order of which `expected` is expected; none if all is as it should be.
pub fn judge(order: &Document, outcome: &Outcome, expected: Option<&Outcome>) -> Vec<Diagnostic> {
    let root = order.root();
    let Some(expected) = expected else {
        let message = format!("nothing is expected of order `{}`", outcome.order);
        let code = Code("test/no-expectation");
        return vec![
            Diagnostic::new(code, Severity::Error, root.location(), message)
                .with_hint("see what comes of it, and accept that with --update"),
        ];
    };
    let differences = differences(expected, outcome);
    let findings = differences.iter().map(|it| {
        let place = place(order, it).location();
        Diagnostic::new(Code("test/differs"), Severity::Error, place, said(it))
    });
    findings.collect()
}

/// An expectation of an order that is not there.
pub fn left_over(expected: &Outcome, place: Location) -> Diagnostic {
    let message = format!(
        "an outcome of order `{}` is expected, which is not there",
        expected.order
    );
    Diagnostic::new(Code("test/left-over"), Severity::Warning, place, message)
        .with_hint("--update removes it")
}

/// What is expected and did not come, or came and is not expected.
fn said(difference: &Difference) -> String {
    let about = |word: &str| match &difference.about {
        About::Finding(finding) => format!("{finding} is {word}"),
        About::Entity(entity, id) if id.is_empty() => format!("a {} is {word}", entity.name()),
        About::Entity(entity, id) => format!("{} {id} is {word}", entity.name()),
    };
    match &difference.change {
        Change::Added(_) => about("not expected"),
        Change::Removed(_) => about("expected, and missing"),
        Change::Changed(_) => difference.to_string(),
    }
}

/// The item of the order that a difference comes from: that whose id its own id begins with.
fn place<'d>(order: &'d Document, difference: &Difference) -> Node<'d> {
    let root = order.root();
    let Some(read) = Order::read(order) else {
        return root;
    };
    if let About::Finding(finding) = &difference.about {
        return root.resolve_pointer(&finding.pointer);
    }
    let id = difference.id().unwrap_or_default();
    let begins = |item: &str| {
        id == item
            || id
                .strip_prefix(item)
                .is_some_and(|rest| rest.starts_with('.'))
    };
    let items = read.items().filter(|it| begins(it.id));
    let nearest = items.max_by_key(|it| it.id.len());
    nearest.map_or(root, |it| it.node)
}
