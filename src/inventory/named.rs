//! Ids that endpoints have given to what a chain has made. Pure.

use super::{Changes, Inventory, Layer};
use crate::chain::{Chain, order_name};
use crate::document::{Document, Edits, Node};
use crate::model::identifier::{EXTERNAL_IDENTIFIER, Identifier, id_at};
use crate::model::{Order, entity_id};

/// A resource that an endpoint has made, or changed, under an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Id of the resource order item.
    pub item: String,
    /// Name of the endpoint.
    pub endpoint: String,
    /// The id that the endpoint was asked to make it under; none where it was not asked for one.
    pub asked: Option<String>,
    /// The id by which it knows it.
    pub id: String,
}

/// The installed base with the ids by which endpoints know what a chain has made, as changes to what it was
/// with all else that the chain has done ([`after`](super::after)). A resource notes the id where that is
/// not its own (`externalIdentifier`).
///
/// What a resource was called when its order was made is replaced; what it has been called since by another
/// order stays. So a chain may be given twice.
pub fn named(inventory: &Inventory, chain: &Chain, names: &[Named]) -> Changes {
    let mut changes = Changes::default();
    if names.is_empty() {
        return changes;
    }
    let mut names: Vec<&Named> = names.iter().collect();
    names.sort_by(|one, other| one.item.cmp(&other.item));
    for document in chain.orders() {
        let Some(Order::Resource(order)) = Order::read(document) else {
            continue;
        };
        for item in &order.items {
            let first = names.partition_point(|it| *it.item < *item.id);
            let of_item = names[first..].iter().take_while(|it| it.item == item.id);
            let mut of_item = of_item.peekable();
            if of_item.peek().is_none() {
                continue;
            }
            let computed = || format!("{}.{}", order_name(document), item.id).into();
            let id = entity_id(item.resource).unwrap_or_else(computed);
            let Some(resource) = inventory.document(Layer::Resource, &id) else {
                continue;
            };
            let mut made = None;
            for name in of_item {
                let knew = item.installed().and_then(|it| id_at(it, &name.endpoint));
                let asked = name.asked.as_deref();
                let is_it = asked.is_none_or(|asked| asked == id || knew.as_deref() == Some(asked));
                let resource = made.as_ref().unwrap_or(resource).root();
                let now = id_at(resource, &name.endpoint);
                let new = Some(name.id.as_str()).filter(|it| **it != *id);
                if is_it && now == knew && now.as_deref() != new {
                    made = with_id(resource, &name.endpoint, new).or(made);
                }
            }
            changes.upserts.extend(made);
        }
    }
    changes
}

/// A resource with this id at an endpoint, in front of those at others.
fn with_id(resource: Node<'_>, endpoint: &str, id: Option<&str>) -> Option<Document> {
    let own = id.map(|id| Identifier {
        owner: endpoint.into(),
        id: id.into(),
    });
    let others = resource.list(EXTERNAL_IDENTIFIER).filter(|it| {
        let read = Identifier::read(*it);
        read.is_none_or(|it| it.owner != endpoint)
    });
    let others = others.map(|it| it.compact().into_owned());
    let own = own.iter().map(Identifier::to_json);
    let list: Vec<String> = own.chain(others).collect();
    let mut edits = Edits::new();
    edits.set(
        resource,
        EXTERNAL_IDENTIFIER,
        &format!("[{}]", list.join(",")),
    );
    // Everything set above is JSON.
    edits.apply(resource.document()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text.to_owned(), "test").expect("JSON")
    }

    fn installed(identifiers: &str) -> Inventory {
        let text =
            format!(r#"{{"@type":"Resource","id":"R-1","externalIdentifier":{identifiers}}}"#);
        Inventory::of(vec![document(&text)]).0
    }

    /// An order for R-1, as it was known.
    fn chain(before: &str) -> Chain {
        let order = format!(
            r#"{{"@type":"ResourceOrder","id":"RO","orderItem":[
                {{"id":"1","action":"modify","resource":{{"id":"R-1"}},
                  "installedResource":{{"id":"R-1","externalIdentifier":{before}}}}}]}}"#
        );
        Chain {
            documents: vec![document(&order)],
        }
    }

    fn name(endpoint: &str, asked: Option<&str>, id: &str) -> Named {
        Named {
            item: "1".to_owned(),
            endpoint: endpoint.to_owned(),
            asked: asked.map(str::to_owned),
            id: id.to_owned(),
        }
    }

    fn identifier(owner: &str, id: &str) -> String {
        let (owner, id) = (owner.into(), id.into());
        Identifier { owner, id }.to_json()
    }

    /// What is noted afterwards; none where nothing changes.
    fn noted((now, before): (&str, &str), names: &[Named]) -> Option<String> {
        let mut changes = named(&installed(now), &chain(before), names);
        assert!(changes.upserts.len() < 2 && changes.removals.is_empty());
        let resource = changes.upserts.pop()?;
        let list = resource.root().get(EXTERNAL_IDENTIFIER);
        Some(list.expect("it is there").compact().into_owned())
    }

    #[test]
    fn a_resource_notes_the_id_that_its_endpoint_has_given_it_and_others_stay() {
        let serial = r#"{"owner":"olt","externalIdentifierType":"serialNumber","id":"SN"}"#;
        let bng = identifier("bng", "B-1");
        let there = format!("[{serial},{bng}]");
        let olt = [name("olt", Some("R-1"), "olt-1")];
        let expected = format!("[{},{serial},{bng}]", identifier("olt", "olt-1"));
        assert_eq!(noted((&there, "[]"), &olt), Some(expected));
        // Under its own id it needs no other one.
        let own = [name("olt", Some("R-1"), "R-1")];
        assert_eq!(noted((&there, "[]"), &own), None);
        // What was not asked for by an id is it.
        let nameless = [name("olt", None, "olt-1")];
        let expected = format!("[{}]", identifier("olt", "olt-1"));
        assert_eq!(noted(("[]", "[]"), &nameless), Some(expected));
        // What was asked for by another id is something else.
        let other = [name("olt", Some("R-1.rollback"), "olt-7")];
        assert_eq!(noted(("[]", "[]"), &other), None);
    }

    #[test]
    fn what_was_made_anew_is_called_otherwise_unless_another_order_has_named_it_since() {
        let list = |id: &str| format!("[{}]", identifier("olt", id));
        let (one, two, three) = (list("olt-1"), list("olt-2"), list("olt-3"));
        let again = [name("olt", Some("olt-1"), "olt-2")];
        assert_eq!(noted((&one, &one), &again), Some(two.clone()));
        assert_eq!(noted((&two, &one), &again), None, "it is noted already");
        assert_eq!(noted((&three, &one), &again), None);
        assert_eq!(noted(("[]", &one), &again), None);
        let own = [name("olt", Some("olt-1"), "R-1")];
        assert_eq!(noted((&one, &one), &own), Some("[]".to_owned()));
        // What is not there is not named.
        let gone = named(&Inventory::default(), &chain(&one), &again);
        assert!(gone.is_empty());
    }
}
