//! Products, services and resources: each in one item only.

use std::borrow::Cow;

use foldhash::{HashMap, HashMapExt as _};

use super::{Rule, error};
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::model::entity_id;
use crate::model::state::OrderState;
use crate::validate::Subject;

/// The rule. Two items about one thing would race each other, whatever their actions.
pub const RULE: Rule = Rule {
    demand: "a product, service or resource is in one item only",
    codes: &["order/duplicate-entity"],
    check,
};

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    if subject.order.len() < 2 {
        return;
    }
    let entity = subject.order.entity_name();
    let mut seen: HashMap<Cow<'_, str>, (Node<'_>, Cow<'_, str>)> = HashMap::new();
    for item in subject.order.items() {
        let named = item.entity.and_then(|it| it.get("id"));
        let Some((node, id)) = named.zip(entity_id(item.entity)) else {
            continue;
        };
        if OrderState::has_ended(item.node) {
            continue;
        }
        if let Some((first, first_item)) = seen.get(&id) {
            let message = format!(
                "items `{first_item}` and `{}` are both about {entity} `{id}`",
                item.id
            );
            diagnostics.push(
                error("order/duplicate-entity", node, message)
                    .with_related(first.location())
                    .with_hint("say in one item what is to become of it"),
            );
        } else {
            seen.insert(id, (node, item.id.clone()));
        }
    }
}
