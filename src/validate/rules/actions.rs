//! Actions: known, spelled right, and possible for what is named.

use super::{Rule, error, warning};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggestion::closest;
use crate::document::describe;
use crate::model::Action;
use crate::validate::Subject;

/// The rule.
pub const RULE: Rule = Rule {
    demand: "every item has an action, and changes name what they change",
    codes: &[
        "order/action",
        "order/action-spelling",
        "order/missing-instance",
    ],
    check,
};

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let holders = subject.order.holders();
    for (item, holds) in subject.order.items().zip(holders) {
        let Some(node) = item.node.get("action") else {
            continue;
        };
        let Some(text) = node.as_str() else { continue };
        let Some((action, is_exact)) = Action::read(&text) else {
            let names = ["add", "modify", "delete", "noChange"];
            // What other systems call a modification is nearest to its opposite.
            let near = match text.to_ascii_lowercase().as_str() {
                "change" | "update" => Some("modify"),
                _ => closest(&text, names),
            };
            let hint = near.map_or_else(
                || format!("use one of {}", names.join(", ")),
                |name| format!("did you mean `{name}`?"),
            );
            let message = format!("unknown action {}", describe(node));
            diagnostics.push(error("order/action", node, message).with_hint(hint));
            continue;
        };
        if !is_exact {
            let message = format!("action `{text}` is read as `{action}`");
            diagnostics.push(warning("order/action-spelling", node, message));
        }
        let is_change = matches!(action, Action::Modify | Action::Delete);
        // ONAP writes the text `null` there, which is told by itself.
        let is_named = item.entity.is_some_and(|entity| entity.get("id").is_some());
        if is_change && !is_named && !holds {
            let entity = subject.order.entity_name();
            let message = format!("{action} needs the id of the {entity} that it is about");
            let place = item.entity.unwrap_or(item.node);
            diagnostics.push(
                error("order/missing-instance", place, message)
                    .with_hint(format!("give `{entity}.id` as it stands in the inventory")),
            );
        }
    }
}
