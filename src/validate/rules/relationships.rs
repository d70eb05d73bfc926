//! Relationships between items: they lead somewhere, and not in a circle.

use foldhash::HashMap;

use super::{Rule, error};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggestion::closest;
use crate::graph;
use crate::model::reference::RelationshipKind;
use crate::validate::Subject;

/// The rule.
pub const RULE: Rule = Rule {
    demand: "item relationships lead to items of the order, and none waits for itself",
    codes: &["order/dangling-relationship", "order/cycle"],
    check,
};

/// Most items among which the one that was meant is looked for.
const SUGGESTED_AMONG: usize = 500;

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let order = subject.order;
    if order.items().all(|item| item.relationships.is_empty()) {
        return;
    }
    let positions: HashMap<&str, usize> = order
        .items()
        .enumerate()
        .map(|(position, item)| (&**item.id, position))
        .collect();
    let mut edges = vec![Vec::new(); order.len()];
    for (position, item) in order.items().enumerate() {
        for relationship in item.relationships {
            let elsewhere = relationship
                .order
                .as_ref()
                .is_some_and(|id| Some(id) != order.id());
            if relationship.kind == RelationshipKind::Realizes || elsewhere {
                continue;
            }
            match positions.get(&*relationship.item) {
                Some(&other) if relationship.kind == RelationshipKind::Dependency => {
                    edges[position].push(other);
                }
                Some(_) => {}
                None => {
                    let message = format!(
                        "item `{}` refers to item `{}`, which is not in the order",
                        item.id, relationship.item
                    );
                    let others = positions.keys().copied().filter(|id| *id != &**item.id);
                    let mut known: Vec<&str> = others.take(SUGGESTED_AMONG).collect();
                    known.sort_unstable();
                    if positions.len() > SUGGESTED_AMONG {
                        known.clear();
                    }
                    let mut finding =
                        error("order/dangling-relationship", relationship.node, message);
                    finding.hint = closest(&relationship.item, known)
                        .map(|id| format!("did you mean `{id}`?"));
                    diagnostics.push(finding);
                }
            }
        }
    }
    for cycle in graph::cycles(&edges) {
        let mut members: Vec<String> = cycle
            .iter()
            .map(|position| order.item(*position).id.to_string())
            .collect();
        members.push(members[0].clone());
        let message = format!("items wait for each other: {}", members.join(" → "));
        diagnostics.push(
            error("order/cycle", order.item(cycle[0]).node, message)
                .with_hint("remove one of these relationships"),
        );
    }
}
