//! Two gates that ask the same for the same.

use super::super::{Found, Rule, Subject, conditions};
use crate::catalog::GateRule;
use crate::catalog::space::Space;
use crate::document::{DocumentKind, Node};

pub const RULE: Rule = Rule {
    code: "lint/overlap",
    why: "Where the conditions of both hold, the same question is asked twice, or two people approve the \
          same: the customer waits for both, and the answers may differ.",
    example: r#"
- {"@type": GateRule, formatVersion: "1.0", id: G-SMALL, productSpecification: {id: PS-1}, kind: approval,
   actions: [add], condition: product.sites <= 10, duration: {mostLikely: PT1H}}
- {"@type": GateRule, formatVersion: "1.0", id: G-LARGE, productSpecification: {id: PS-1}, kind: approval,
   actions: [add], condition: product.sites >= 10, duration: {mostLikely: P1D}}     # 10 is in both
"#,
    mended: r"
   actions: [add], condition: product.sites > 10, duration: {mostLikely: P1D}}
",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    let gates = subject.catalog.gate_rules();
    let mut groups: std::collections::BTreeMap<String, Vec<&GateRule>> =
        std::collections::BTreeMap::new();
    for gate in gates.iter().filter(|it| asks_something(it)) {
        let key = format!(
            "{:?} {:?} {:?} {:?}",
            gate.subject, gate.kind, gate.per, gate.holds
        );
        groups.entry(key).or_default().push(gate);
    }
    for group in groups.values() {
        for (position, one) in group.iter().enumerate() {
            for other in &group[position + 1..] {
                pair(subject, one, other, found);
            }
        }
    }
}

fn asks_something(gate: &GateRule) -> bool {
    gate.kind != crate::catalog::GateKind::Milestone
}

fn pair(subject: &Subject<'_>, one: &GateRule, other: &GateRule, found: &mut Found) {
    // Those that come after each other are two steps of one decision.
    let after = |it: &GateRule, of: &GateRule| {
        it.after
            .contains(&crate::catalog::After::Gate(of.id.clone()))
    };
    let actions = one.actions.iter().any(|it| other.actions.contains(it));
    if !actions || after(one, other) || after(other, one) {
        return;
    }
    let view = conditions::gate_view(subject.catalog, one);
    let conditions = one.condition.iter().chain(&other.condition);
    let Some(space) = Space::of(conditions.clone(), &|it| view.domain(it)) else {
        return;
    };
    let mut values = String::new();
    let both = space.any(&mut |bindings| {
        let all = conditions.clone().all(|it| it.holds(bindings) == Ok(true));
        if all {
            values = space.told(bindings);
        }
        all
    });
    if both {
        let values = if values.is_empty() {
            values
        } else {
            format!(" where {values}")
        };
        let message = format!(
            "`{}` and `{}` both ask for {}{values}",
            one.id,
            other.id,
            one.kind.name()
        );
        let place = subject
            .node(DocumentKind::GateRule, &other.id)
            .map(Node::location);
        if let Some(place) = place {
            let finding = found.add(RULE.code, place, message);
            finding.related = subject
                .node(DocumentKind::GateRule, &one.id)
                .map(Node::location);
        }
    }
}
