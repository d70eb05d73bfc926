//! Faults that come to light while an order is decomposed.

use std::borrow::Cow;

use foldhash::HashMap;

use super::expand::joined;
use crate::catalog::Decomposition;
use crate::catalog::expression::EvaluationFault;
use crate::diagnostic::{Code, Diagnostic, Location, Severity};
use crate::document::Node;

/// Faults of one kind of one rule that are told one by one.
const TOLD: usize = 10;

/// A rule, and the order item that it is applied to.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The rule, or the reference.
    pub decomposition: &'a Decomposition,
    /// The item.
    pub node: Node<'a>,
    /// The element that it is applied to, if it is one of several.
    pub element: ElementKey<'a>,
}

/// What tells an element from others, for people: the key of what is above it, and its own as it
/// stands in ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct ElementKey<'a> {
    /// The key of what is above it.
    pub above: &'a str,
    /// A dot and the key for each of its own loops.
    pub suffix: &'a str,
}

impl<'a> ElementKey<'a> {
    /// Both in one, empty if it is no element.
    pub fn whole(self) -> Cow<'a, str> {
        joined(self.above, self.suffix)
    }
}

impl Place<'_> {
    /// The rule and the element, before what is wrong.
    fn before(&self, message: &str) -> String {
        let Some(rule) = &self.decomposition.rule else {
            return message.to_owned();
        };
        match &*self.element.whole() {
            "" => format!("rule `{rule}`: {message}"),
            element => format!("rule `{rule}`, element `{element}`: {message}"),
        }
    }
}

/// Faults, of each kind and rule only the first one by one: a list may have many elements.
#[derive(Default)]
pub struct Faults {
    found: Vec<Diagnostic>,
    /// How often each kind came, and where that was first.
    counts: HashMap<(&'static str, Location), usize>,
}

impl Faults {
    /// A fault.
    pub fn push(&mut self, finding: Diagnostic) {
        self.found.push(finding);
    }

    /// How many there are so far.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Says one thing in the place of all that was found since there were so many; `tell` is given
    /// the first of that.
    pub fn instead(&mut self, since: usize, tell: impl FnOnce(&Diagnostic) -> Diagnostic) {
        if let Some(first) = self.found.get(since) {
            let finding = tell(first);
            self.found.truncate(since);
            self.found.push(finding);
        }
    }

    /// A fault of a rule.
    pub fn of_rule(&mut self, place: Place<'_>, code: &'static str, message: &str) {
        self.hinted(place, code, place.before(message), None);
    }

    /// A fault of a rule, and what to do about it.
    pub fn of_rule_hinted(
        &mut self,
        place: Place<'_>,
        code: &'static str,
        (message, hint): (&str, Option<String>),
    ) {
        self.hinted(place, code, place.before(message), hint.as_deref());
    }

    /// A fault that does not name its rule, and what to do about it.
    pub fn hinted(
        &mut self,
        place: Place<'_>,
        code: &'static str,
        message: String,
        hint: Option<&str>,
    ) {
        let location = &place.decomposition.location;
        let count = self.counts.entry((code, location.clone())).or_default();
        *count += 1;
        if *count > TOLD {
            return;
        }
        let finding = Diagnostic::new(Code(code), Severity::Error, place.node.location(), message)
            .with_related(location.clone());
        self.found.push(Diagnostic {
            hint: hint.map(str::to_owned),
            ..finding
        });
    }

    /// An expression of a rule that cannot be evaluated.
    pub fn evaluation(&mut self, place: Place<'_>, what: &str, fault: &EvaluationFault) {
        let seen: Vec<String> = fault
            .seen
            .iter()
            .map(|seen| {
                let value = seen.value.as_deref().unwrap_or("absent");
                format!("{} is {}", seen.path, shortened(value))
            })
            .collect();
        let seen = if seen.is_empty() {
            String::new()
        } else {
            format!(" ({})", seen.join(", "))
        };
        let message = format!("{what}: {}{seen}", fault.message);
        self.of_rule(place, "decompose/expression", &message);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All faults; those that were not told one by one are counted.
    pub fn finish(self) -> Vec<Diagnostic> {
        let mut found = self.found;
        let mut untold: Vec<((&'static str, Location), usize)> = self
            .counts
            .into_iter()
            .filter(|(_, count)| *count > TOLD)
            .collect();
        untold.sort();
        for ((code, location), count) in untold {
            let more = count - TOLD;
            let message = format!("and {more} more like it");
            let last = found
                .iter()
                .rposition(|it| it.code.0 == code && it.related.as_ref() == Some(&location));
            let Some(last) = last else { continue };
            let like_it = found[last].location.clone();
            let finding = Diagnostic::new(Code(code), Severity::Error, like_it, message);
            found.insert(last + 1, finding.with_related(location));
        }
        found
    }
}

/// A value for people: the beginning of a long one.
pub fn shortened(value: &str) -> String {
    const LONGEST: usize = 60;
    if value.chars().count() <= LONGEST {
        return value.to_owned();
    }
    let mut short: String = value.chars().take(LONGEST - 1).collect();
    short.push('…');
    short
}
