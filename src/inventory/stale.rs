//! Does a chain still fit the installed base that it was decomposed against? Pure.

use std::collections::HashSet;

use super::{Installed, Inventory, Layer, Noted};
use crate::catalog;
use crate::chain::{Chain, order_name};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::Node;
use crate::model::identifier::Identifier;
use crate::model::reference::RelationshipKind;
use crate::model::resource_order::INSTALLED_RESOURCE;
use crate::model::state::OrderState;
use crate::model::{Action, Characteristic, Order, OrderItem, entity_id};

const HINT: &str = "decompose and plan the order again with the same inventory: it says what to do; or give --allow-stale";

const HINT_AGAIN: &str = "to change it, order `modify`; to add another one, give the order another id; or give --allow-stale";

/// What the items of a chain are about and the installed base has not (for modify, delete and
/// noChange), has already (for add), or has otherwise than the order knew it (resources that are modified or
/// deleted). Only that is looked at, so that other orders may change
/// what they like.
///
/// What differs above speaks for what stands below it. A chain that has begun makes such
/// differences itself: this is about chains of which nothing was carried out.
pub fn stale(inventory: &Inventory, chain: &Chain) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut differing: HashSet<(Layer, String)> = HashSet::new();
    for (position, document) in chain.orders().enumerate() {
        let is_root = position == 0;
        let Some(order) = Order::read(document) else {
            continue;
        };
        let (layer, above) = match &order {
            Order::Product(_) => (Layer::Product, None),
            Order::Service(_) => (Layer::Service, Some(Layer::Product)),
            Order::Resource(_) => (Layer::Resource, Some(Layer::Service)),
        };
        for item in order.items() {
            if OrderState::has_ended(item.node) {
                continue;
            }
            let mut realized = item.relationships.iter();
            let follows = realized.any(|it| {
                it.kind == RelationshipKind::Realizes
                    && above.is_some_and(|above| differing.contains(&(above, it.item.to_string())))
            });
            let finding = difference(inventory, layer, (&order_name(document), is_root), &item);
            if follows || finding.is_some() {
                differing.insert((layer, item.id.to_string()));
            }
            found.extend(finding.filter(|_| !follows));
        }
    }
    found
}

/// Whether a resource has the characteristics, and at endpoints the ids, that an order knew it by.
fn is_as(installed: &Installed<'_>, before: Node<'_>) -> bool {
    let list = |node| Characteristic::list(node, Layer::Resource.characteristics());
    let is_named_so = Identifier::list(installed.node) == Identifier::list(before);
    let (now, before) = (list(installed.node), list(before));
    let value = |it: &Characteristic<'_>| it.value.map(|value| value.compact().into_owned());
    is_named_so
        && now.len() == before.len()
        && now.iter().zip(&before).all(|(now, before)| {
            let same = match (value(now), value(before)) {
                (Some(now), Some(before)) => catalog::same(&now, &before),
                (now, before) => now == before,
            };
            now.name == before.name && same
        })
}

fn difference(
    inventory: &Inventory,
    layer: Layer,
    (order, is_root): (&str, bool),
    item: &OrderItem<'_, '_>,
) -> Option<Diagnostic> {
    let (action, entity) = (item.action?, entity_id(item.entity));
    let what = layer.name();
    let error = |message| {
        let code = Code("plan/stale-inventory");
        Diagnostic::new(code, Severity::Error, item.node.location(), message).with_hint(HINT)
    };
    if action == Action::Add {
        let id = entity.map_or_else(|| format!("{order}.{}", item.id), Into::into);
        let installed = inventory.get(layer, &id)?;
        match installed.note(order, item.id) {
            Some(Noted::Whole) if is_root => {
                let message = format!(
                    "item `{}` adds {what} `{id}`, which this very order has added already",
                    item.id
                );
                let finding = error(message).with_related(installed.node.location());
                return Some(finding.with_hint(HINT_AGAIN));
            }
            // What is there of it already, a plan made with this installed base leaves out.
            Some(_) => return None,
            None => {}
        }
        let message = format!(
            "item `{}` adds {what} `{id}`, which was installed since the order was decomposed",
            item.id
        );
        return Some(error(message).with_related(installed.node.location()));
    }
    let id = entity?;
    if let Some(installed) = inventory.get(layer, &id) {
        let before = item.node.get(INSTALLED_RESOURCE)?;
        if is_as(&installed, before) {
            return None;
        }
        let verb = if action == Action::Delete {
            "deletes"
        } else {
            "modifies"
        };
        let message = format!(
            "item `{}` {verb} {what} `{id}`, which was changed since the order was decomposed",
            item.id
        );
        return Some(error(message).with_related(installed.node.location()));
    }
    let verb = match action {
        Action::Delete => "deletes",
        Action::NoChange => "leaves as it is",
        Action::Add | Action::Modify => "modifies",
    };
    Some(error(format!(
        "item `{}` {verb} {what} `{id}`, which is no longer installed",
        item.id
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    #[test]
    fn a_resource_that_its_endpoint_calls_otherwise_by_now_is_another_one() {
        let document = |text: String| Document::parse(text, "test").expect("JSON");
        let named = |id: &str| {
            format!(
                r#""externalIdentifier":[{{"owner":"olt","externalIdentifierType":"Resource","id":"{id}"}},
                   {{"owner":"crm","externalIdentifierType":"asset","id":"{id}"}}]"#
            )
        };
        let inventory = |id: &str| {
            let text = format!(r#"{{"@type":"Resource","id":"R",{}}}"#, named(id));
            Inventory::of(vec![document(text)]).0
        };
        let order = document(format!(
            r#"{{"@type":"ResourceOrder","id":"RO","orderItem":[{{"id":"1","action":"delete",
                "resource":{{"id":"R"}},"installedResource":{{"id":"R",{}}}}}]}}"#,
            named("olt-1")
        ));
        let chain = Chain {
            documents: vec![order],
        };
        assert!(stale(&inventory("olt-1"), &chain).is_empty());
        let found = stale(&inventory("olt-2"), &chain);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code.0, "plan/stale-inventory");
    }
}
