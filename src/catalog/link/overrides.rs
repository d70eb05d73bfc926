//! Which of several rules for one source and target comes before which.

use foldhash::HashMap;

use super::{Compiler, Step, suggest};
use crate::diagnostic::Location;
use crate::document::Node;

impl Compiler<'_> {
    /// The rules of a step, the most overriding one first, the one at the bottom last.
    pub(super) fn ranked<'d>(&mut self, step: &Step<'d>) -> Vec<Node<'d>> {
        let over = self.overridden(&step.rules);
        let mut rest: Vec<usize> = (0..step.rules.len()).collect();
        let mut ranked = Vec::with_capacity(step.rules.len());
        while !rest.is_empty() {
            let free: Vec<usize> = rest
                .iter()
                .copied()
                .filter(|rule| !rest.iter().any(|other| over[*other].contains(rule)))
                .collect();
            let next = match free.as_slice() {
                [] => {
                    let place = step.rules[rest[0]];
                    let ids = rest.iter().map(|rule| id(step.rules[*rule]));
                    let ids: Vec<String> = ids.collect();
                    let message = format!("rules override each other: {}", ids.join(", "));
                    let place = place.get("overrides").unwrap_or(place).location();
                    self.reader.error("rule/override", place, message).hint =
                        Some("leave one of them out of `overrides`".to_owned());
                    // Their order is unknown: none is the right one.
                    ranked.extend(rest.iter().map(|rule| step.rules[*rule]));
                    break;
                }
                [next] => *next,
                [first, others @ ..] => {
                    for other in others {
                        self.conflict(step.rules[*first], step.rules[*other]);
                    }
                    // Said once; the order no longer matters.
                    rest.retain(|rule| !others.contains(rule));
                    *first
                }
            };
            rest.retain(|rule| *rule != next);
            ranked.push(step.rules[next]);
        }
        if let Some((bottom, overriding)) = ranked.split_last() {
            for rule in overriding {
                self.only_at_the_bottom(*rule, *bottom);
            }
        }
        ranked
    }

    fn conflict(&mut self, one: Node<'_>, other: Node<'_>) {
        let message = "two rules decompose the same source into the same target".to_owned();
        let finding = self
            .reader
            .error("rule/conflict", other.location(), message);
        finding.related = Some(one.location());
        finding.hint = Some(format!(
            "let one override the other: `overrides: [{}]`; or join their conditions with `||` in one rule",
            id(one)
        ));
    }

    /// For each rule those of its step that it overrides.
    fn overridden(&mut self, rules: &[Node<'_>]) -> Vec<Vec<usize>> {
        let positions: HashMap<String, usize> = rules
            .iter()
            .enumerate()
            .map(|(position, rule)| (id(*rule), position))
            .collect();
        let mut overridden = vec![Vec::new(); rules.len()];
        for (rule, overridden) in rules.iter().zip(&mut overridden) {
            for node in rule.list("overrides") {
                let other = node.as_str().unwrap_or_default();
                if let Some(position) = positions.get(&*other) {
                    overridden.push(*position);
                    continue;
                }
                let place = node.location();
                if let Some(rule) = self.rules.get(&*other) {
                    let location = rule.location();
                    self.other_pair(place, &other, location);
                    continue;
                }
                let hint = suggest(&other, self.rules.keys());
                let message = format!("decomposition rule `{other}` is not in the catalog");
                self.reader
                    .error("catalog/dangling-reference", place, message)
                    .hint = hint;
            }
        }
        overridden
    }

    fn other_pair(&mut self, place: Location, other: &str, location: Location) {
        let message = format!("rule `{other}` has another source or target");
        let finding = self.reader.error("rule/override", place, message);
        finding.related = Some(location);
        finding.hint = Some("a rule overrides rules of the same source and target".to_owned());
    }

    /// How often, where and for whom something is made is said once.
    fn only_at_the_bottom(&mut self, rule: Node<'_>, bottom: Node<'_>) {
        for member in ["forEach", "share", "place"] {
            let Some(node) = rule.get(member) else {
                continue;
            };
            let bottom_id = id(bottom);
            let message = format!("`{member}` stands in a rule that overrides another one");
            let finding = self.reader.error("rule/override", node.location(), message);
            finding.related = Some(bottom.location());
            finding.hint = Some(format!(
                "only `{bottom_id}`, which overrides none, can say `{member}`"
            ));
        }
    }
}

fn id(rule: Node<'_>) -> String {
    rule.text("id").unwrap_or_default().into_owned()
}
