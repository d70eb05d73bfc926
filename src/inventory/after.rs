//! What a chain that was carried out makes of the installed base. Pure.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::extent::Extent;
use super::things::{Thing, things};
use super::{DEGRADED, Installed, Inventory, Layer, Noted, OPERATING, PARTIAL};
use crate::chain::Chain;
use crate::document::{Composer, Document, Edits, Node, quote};
use crate::model::identifier::{EXTERNAL_IDENTIFIER, Identifier};
use crate::model::order::{QUANTITY, quantity};
use crate::model::version5::flattened;
use crate::model::{Action, Characteristic, Order};

/// Members of an ordered entity that its document does not take over as they are.
const NOT_COPIED: [&str; 11] = [
    "@type",
    "id",
    "status",
    "state",
    "resourceStatus",
    QUANTITY,
    "realizingService",
    "supportingService",
    "supportingResource",
    "productOrderItem",
    "serviceOrderItem",
];

/// Changes to an installed base.
#[derive(Debug, Default)]
pub struct Changes {
    /// Documents that take the place of those with their id, or are added.
    pub upserts: Vec<Document>,
    /// What is no longer there.
    pub removals: Vec<(Layer, String)>,
}

impl Changes {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.upserts.is_empty() && self.removals.is_empty()
    }
}

/// The installed base after a chain has ended, as changes to what it was before.
///
/// - add: a document made of the ordered entity; modify: the characteristics and members that the
///   item gives take the place of those that were there; delete: the document goes, and every
///   reference to it; noChange: nothing.
/// - A product notes how many of it were ordered, where that is not one: TMF637 has no place for it.
/// - Products and services note the order item that worked on them (`productOrderItem`,
///   `serviceOrderItem`). What has been noted is not done again, so a chain may be given twice,
///   also after later orders have changed the same things.
/// - What could not be done has not happened. What was added in part is there as far as it got: a
///   service that lacks something is `degraded` (`operatingStatus`), so that it counts as changed
///   when its product is modified. What was modified in part keeps its characteristics, so that they
///   still differ from what is wanted. Both note the order item with the role `partial`; where more
///   of the same chain has been done later, the rest is added.
/// - A service that no order item is about (one between a service and its resources, as other
///   systems keep them) goes with the last of its resources.
pub fn after(inventory: &Inventory, chain: &Chain) -> Changes {
    let flat: Vec<Option<Document>> = chain.orders().map(flattened).collect();
    let orders = chain.orders().zip(&flat);
    let orders = orders.map(|(order, flat)| flat.as_ref().unwrap_or(order));
    let orders: Vec<Order<'_>> = orders.filter_map(Order::read).collect();
    let things = things(&orders);
    let root = |mut position: usize| {
        while let Some(above) = things[position].above {
            position = above;
        }
        position
    };
    let noted = |thing: &Thing<'_>| {
        let installed = inventory.get(thing.layer, &thing.id);
        installed.is_some_and(|it| it.note(&thing.order, &thing.item) == Some(Noted::Whole))
    };
    let done: Vec<bool> = (0..things.len())
        .map(|position| {
            let thing = &things[position];
            let held = || thing.holders.iter().any(|holder| noted(&things[*holder]));
            noted(&things[root(position)])
                || noted(thing)
                || thing.layer == Layer::Resource && held()
        })
        .collect();
    let extents = Extent::of(&things, chain);
    let party = orders.first().and_then(|it| it.node().get("relatedParty"));
    let mut update = Update {
        inventory,
        things: &things,
        extents: &extents,
        gone: HashSet::new(),
        below: HashMap::new(),
        released: HashMap::new(),
    };
    for (position, thing) in things.iter().enumerate() {
        match (thing.action, extents[position]) {
            _ if done[position] => {}
            (_, Extent::Nothing) | (Action::Delete, Extent::Part) => {}
            (Action::Delete, Extent::Whole) => {
                update.gone.insert((thing.layer, thing.id.clone()));
            }
            (Action::Add | Action::Modify | Action::NoChange, _) => {
                for holder in &thing.holders {
                    update.below.entry(*holder).or_default().push(position);
                }
                for holder in &thing.released {
                    update.released.entry(*holder).or_default().push(position);
                }
            }
        }
    }
    let between = update.between();
    let mut changes = Changes::default();
    for (position, thing) in things.iter().enumerate() {
        match (thing.action, extents[position]) {
            _ if done[position] => continue,
            (_, Extent::Nothing) | (Action::NoChange, _) | (Action::Delete, Extent::Whole) => {
                continue;
            }
            (Action::Delete, Extent::Part) | (Action::Add | Action::Modify, _) => {}
        }
        let realized = update.below.contains_key(&position);
        if thing.layer == Layer::Product && thing.entity.is_none() && !realized {
            // A bundle or a fee: there is nothing to keep.
            continue;
        }
        let made = match inventory.get(thing.layer, &thing.id) {
            Some(installed) => update.changed(&installed, Some(position)),
            None if thing.action == Action::Delete => None,
            None => Some(update.made(position, party)),
        };
        changes.upserts.extend(made);
    }
    for service in between {
        changes.upserts.extend(update.changed(&service, None));
    }
    // What is not there need not go.
    let mut removals: Vec<(Layer, String)> = update.gone.into_iter().collect();
    removals.retain(|(layer, id)| inventory.document(*layer, id).is_some());
    removals.sort_unstable();
    changes.removals = removals;
    changes
}

struct Update<'a> {
    inventory: &'a Inventory,
    things: &'a [Thing<'a>],
    /// How much of them has been done.
    extents: &'a [Extent],
    gone: HashSet<(Layer, String)>,
    /// What stands below an item, by position.
    below: HashMap<usize, Vec<usize>>,
    /// What no longer stands below an item, by position.
    released: HashMap<usize, Vec<usize>>,
}

impl<'a> Update<'a> {
    /// What loses something below it without an order item of its own. Services that lose all
    /// their resources go; the rest is returned.
    fn between(&mut self) -> Vec<Installed<'a>> {
        let ordered: HashSet<(Layer, &str)> = self
            .things
            .iter()
            .map(|thing| (thing.layer, thing.id.as_str()))
            .collect();
        let mut stay = Vec::new();
        for thing in self
            .things
            .iter()
            .filter(|thing| thing.layer == Layer::Service)
        {
            let Some(service) = self.inventory.service(&thing.id) else {
                continue;
            };
            for inside in self.inventory.services_inside(&service) {
                let resources = self.inventory.resources_of(&inside);
                let gone = |it: &Installed<'_>| self.gone.contains(&(it.layer, it.id.to_string()));
                let lost = resources.iter().filter(|it| gone(it)).count();
                if lost == 0 || ordered.contains(&(Layer::Service, &*inside.id)) {
                    continue;
                }
                if lost == resources.len() {
                    self.gone.insert((Layer::Service, inside.id.to_string()));
                } else {
                    stay.push(inside);
                }
            }
        }
        // Where the order does not say what stands on a thing, whatever refers to it does.
        let alone = |thing: &Thing<'_>| {
            thing.holders.is_empty()
                && thing.layer != Layer::Product
                && self.gone.contains(&(thing.layer, thing.id.clone()))
        };
        if self.things.iter().any(alone) {
            let holders = self.inventory.documents().filter(|document| {
                let layer = Layer::of_installed(document);
                let id = document.root().text("id").unwrap_or_default();
                let known = |layer| {
                    ordered.contains(&(layer, &*id))
                        || stay.iter().any(|it| it.layer == layer && it.id == id)
                };
                layer.is_some_and(|layer| {
                    !known(layer) && self.refers_to_gone(layer, document.root())
                })
            });
            let holders: Vec<Installed<'a>> = holders
                .filter_map(|it| Some(Installed::read(Layer::of_installed(it)?, it.root())))
                .filter(|it| !self.gone.contains(&(it.layer, it.id.to_string())))
                .collect();
            stay.extend(holders);
        }
        stay
    }

    fn refers_to_gone(&self, layer: Layer, root: Node<'_>) -> bool {
        layer.references().iter().any(|(key, below)| {
            root.list(key).any(|reference| {
                let id = reference.text("id").unwrap_or_default();
                self.gone.contains(&(*below, id.into_owned()))
            })
        })
    }

    /// The document of what was added.
    fn made(&self, position: usize, party: Option<Node<'_>>) -> Document {
        let thing = &self.things[position];
        let mut composer = Composer::new(1024);
        composer.object(|to| {
            to.key("@type").string(match thing.layer {
                Layer::Product => "Product",
                Layer::Service => "Service",
                Layer::Resource => "Resource",
            });
            to.key("id").string(&thing.id);
            for (key, value) in given(thing) {
                to.key(&key).copy(value);
            }
            if let Some(quantity) = ordered(thing).filter(|it| *it > 1) {
                to.key(QUANTITY).integer(quantity);
            }
            match thing.layer {
                Layer::Product => {
                    to.key("status").string("active");
                }
                Layer::Service => {
                    to.key("state").string("active");
                    if self.extents[position] == Extent::Part {
                        to.key(OPERATING).string(DEGRADED);
                    }
                }
                Layer::Resource => {
                    to.key("resourceStatus").string("available");
                }
            }
            let has = thing
                .entity
                .is_some_and(|entity| entity.get("relatedParty").is_some());
            if let Some(party) = party.filter(|_| thing.layer == Layer::Product && !has) {
                to.key("relatedParty").copy(party);
            }
            for (key, layer) in thing.layer.references() {
                let ids = self.ids_below(position, *layer);
                if !ids.is_empty() {
                    to.key(key).array(ids, |list, id| {
                        list.json(&reference(*layer, id))
                            .expect("a reference is JSON");
                    });
                }
            }
            if let Some([list, ..]) = thing.layer.order_items() {
                to.key(list).array([thing], |list, thing| {
                    let note = order_item(thing, self.extents[position]);
                    list.json(&note).expect("a reference is JSON");
                });
            }
        });
        composer.finish("inventory")
    }

    /// The document of what was there, changed by an item, or by what no longer stands below it.
    fn changed(&self, installed: &Installed<'_>, position: Option<usize>) -> Option<Document> {
        let root = installed.node;
        let layer = installed.layer;
        let mut edits = Edits::new();
        if let Some(position) = position {
            let (thing, extent) = (&self.things[position], self.extents[position]);
            if takes_over(thing, extent, installed) {
                for (key, value) in given(thing) {
                    if key == layer.characteristics() {
                        let merged = merged(&installed.characteristics, thing.entity, layer);
                        edits.set(root, &key, &merged);
                    } else if layer == Layer::Resource && key == EXTERNAL_IDENTIFIER {
                        edits.set(root, &key, &identifiers(root, value));
                    } else {
                        edits.set(root, &key, &value.compact());
                    }
                }
                let known = quantity(root).unwrap_or(1);
                if let Some(quantity) = ordered(thing).filter(|it| *it != known) {
                    edits.set(root, QUANTITY, &quantity.to_string());
                }
            }
            note(&mut edits, installed, thing, extent);
        }
        for (key, below) in layer.references() {
            let mut kept: Vec<String> = Vec::new();
            let mut known: HashSet<Cow<'_, str>> = HashSet::new();
            let (mut before, mut gone) = (0, 0);
            for node in root.list(key) {
                let id = node.text("id").unwrap_or_default();
                before += 1;
                let released = position.is_some_and(|it| self.is_released(it, (*below, &id)));
                if released || self.gone.contains(&(*below, id.to_string())) {
                    gone += 1;
                } else {
                    kept.push(node.compact().into_owned());
                    known.insert(id);
                }
            }
            if let Some(position) = position {
                for id in self.ids_below(position, *below) {
                    if !known.contains(id) {
                        kept.push(reference(*below, id));
                    }
                }
            }
            if gone > 0 || kept.len() > before {
                edits.set(root, key, &format!("[{}]", kept.join(",")));
            }
        }
        // Everything set above is JSON.
        edits.apply(root.document()).ok()
    }

    /// Whether an item lets go of something.
    fn is_released(&self, position: usize, (layer, id): (Layer, &str)) -> bool {
        let released = self.released.get(&position).into_iter().flatten();
        let mut released = released.map(|it| &self.things[*it]);
        released.any(|it| it.layer == layer && it.id == id)
    }

    fn ids_below(&self, position: usize, layer: Layer) -> Vec<&'a str> {
        let below = self.below.get(&position).into_iter().flatten();
        let below = below
            .map(|below| &self.things[*below])
            .filter(|it| it.layer == layer);
        below.map(|it| it.id.as_str()).collect()
    }
}

/// Whether an item's own members are taken over by what is installed.
fn takes_over(thing: &Thing<'_>, extent: Extent, installed: &Installed<'_>) -> bool {
    match thing.action {
        // Where it was added in part before, it has them, or others that came later.
        Action::Add => installed.note(&thing.order, &thing.item).is_none(),
        // Else nothing would be left to be changed by the order that does the rest.
        Action::Modify => extent == Extent::Whole,
        Action::Delete | Action::NoChange => false,
    }
}

/// Notes what worked on a thing, and whether it lacks something now.
fn note(edits: &mut Edits, installed: &Installed<'_>, thing: &Thing<'_>, extent: Extent) {
    let root = installed.node;
    if let Some([list, ..]) = installed.layer.order_items() {
        let made = order_item(thing, extent);
        let before = installed.note(&thing.order, &thing.item);
        let is_settled = extent == Extent::Whole && installed.is_noted_in_part();
        if before.is_none() && !is_settled {
            edits.append(root, list, &made);
        } else {
            let others = root
                .list(list)
                .filter(|node| !installed.layer.names(*node, &thing.order, &thing.item));
            // What others have left undone is nobody's business any more.
            let mut notes: Vec<String> = others
                .map(|node| {
                    if is_settled {
                        settled(node)
                    } else {
                        node.compact().into_owned()
                    }
                })
                .collect();
            notes.push(made);
            edits.set(root, list, &format!("[{}]", notes.join(",")));
        }
    }
    if installed.layer == Layer::Service {
        match extent {
            Extent::Part => edits.set(root, OPERATING, &quote(DEGRADED)),
            Extent::Whole if installed.is_degraded() => edits.set(root, OPERATING, "\"running\""),
            Extent::Whole | Extent::Nothing => {}
        }
    }
}

/// A note without the role that says that something is left to be done.
fn settled(note: Node<'_>) -> String {
    let members = note
        .members()
        .filter(|(key, value)| {
            let is_role = key.as_str().as_deref() == Some("role");
            !(is_role && value.as_str().as_deref() == Some(PARTIAL))
        })
        .map(|(key, value)| format!("{}:{}", key.raw(), value.compact()));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Members that an item gives to what it is about.
fn given<'d>(thing: &Thing<'d>) -> Vec<(String, Node<'d>)> {
    let mut given: Vec<(String, Node<'d>)> = Vec::new();
    for (key, value) in thing.entity.into_iter().flat_map(Node::members) {
        let Some(key) = key.as_str() else { continue };
        if !value.is_null() && !NOT_COPIED.contains(&&*key) {
            given.push((key.into_owned(), value));
        }
    }
    let beside = match thing.layer {
        Layer::Product => "productOffering",
        Layer::Resource => "resourceSpecification",
        Layer::Service => return given,
    };
    if let Some(value) = thing.node.get(beside)
        && !given.iter().any(|(key, _)| key == beside)
    {
        given.push((beside.to_owned(), value));
    }
    given
}

/// The ids that an item gives to a resource, then those by which endpoints know it, unless the item gives
/// these anew.
fn identifiers(installed: Node<'_>, given: Node<'_>) -> String {
    let new: Vec<Node<'_>> = given.elements().collect();
    let owners: Vec<Identifier<'_>> = new.iter().copied().filter_map(Identifier::read).collect();
    let stays = installed.list(EXTERNAL_IDENTIFIER).filter(|it| {
        let known = Identifier::read(*it);
        known.is_some_and(|known| owners.iter().all(|it| it.owner != known.owner))
    });
    let texts = new.iter().copied().chain(stays);
    let texts: Vec<String> = texts.map(|it| it.compact().into_owned()).collect();
    format!("[{}]", texts.join(","))
}

/// How many of a product an item orders, where it says so.
fn ordered(thing: &Thing<'_>) -> Option<i64> {
    quantity(thing.node).filter(|_| thing.layer == Layer::Product)
}

/// Characteristics with those that an item gives in the place of those of the same name.
fn merged(installed: &[Characteristic<'_>], entity: Option<Node<'_>>, layer: Layer) -> String {
    let given = entity.map_or(Vec::new(), |it| {
        Characteristic::list(it, layer.characteristics())
    });
    let given: Vec<&Characteristic<'_>> = given.iter().filter(|it| it.value.is_some()).collect();
    let mut written: HashSet<&str> = HashSet::new();
    let mut texts: Vec<String> = Vec::new();
    for known in installed {
        let mut new = given.iter().filter(|it| it.name == known.name);
        match (new.next(), new.next()) {
            (None, _) => texts.push(known.node.compact().into_owned()),
            (Some(_), _) if !written.insert(&known.name) => {}
            (Some(one), None) => texts.push(with_value(known.node, one)),
            (Some(_), Some(_)) => {
                let all = given.iter().filter(|it| it.name == known.name);
                texts.extend(all.map(|it| it.node.compact().into_owned()));
            }
        }
    }
    let others = given.iter().filter(|it| !written.contains(&*it.name));
    texts.extend(others.map(|it| it.node.compact().into_owned()));
    format!("[{}]", texts.join(","))
}

/// A characteristic with another value; its other members stay.
fn with_value(known: Node<'_>, new: &Characteristic<'_>) -> String {
    let members = known.members().map(|(key, old)| {
        let value = match (key.as_str().as_deref(), new.value) {
            (Some("value"), Some(value)) => value,
            (Some("valueType"), _) => new.node.get("valueType").unwrap_or(old),
            _ => old,
        };
        format!("{}:{}", key.raw(), value.compact())
    });
    let text = members.collect::<Vec<_>>().join(",");
    if known.member("value").is_some() {
        format!("{{{text}}}")
    } else {
        new.node.compact().into_owned()
    }
}

fn reference(layer: Layer, id: &str) -> String {
    let referred_type = match layer {
        Layer::Product => "Product",
        Layer::Service => "Service",
        Layer::Resource => "Resource",
    };
    format!(
        "{{\"id\":{},\"@referredType\":\"{referred_type}\"}}",
        quote(id)
    )
}

/// How a document names an order item: TMF637 `RelatedProductOrderItem`, TMF638
/// `RelatedServiceOrderItem`.
fn order_item(thing: &Thing<'_>, extent: Extent) -> String {
    let Some([_, item_key, order_key, action_key]) = thing.layer.order_items() else {
        return "{}".to_owned();
    };
    let role = match extent {
        Extent::Part => format!(",\"role\":{}", quote(PARTIAL)),
        Extent::Whole | Extent::Nothing => String::new(),
    };
    format!(
        "{{\"{order_key}\":{},\"{item_key}\":{},\"{action_key}\":\"{}\"{role}}}",
        quote(&thing.order),
        quote(&thing.item),
        thing.action.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_endpoints_stay_where_an_item_gives_others() {
        let document = |text: &str| Document::parse(text.to_owned(), "test").expect("JSON");
        let name = |owner: &str, id: &str| {
            let (owner, id) = (owner.into(), id.into());
            Identifier { owner, id }.to_json()
        };
        let there = [name("olt", "1"), name("bng", "2")].join(",");
        let text = format!(
            r#"{{"@type":"Resource","id":"R","externalIdentifier":[{there},{{"id":"old"}}]}}"#
        );
        let mut inventory = Inventory::of(vec![document(&text)]).0;
        let given = format!(r#"{},{{"id":"new"}}"#, name("bng", "3"));
        let order = document(&format!(
            r#"{{"@type":"ResourceOrder","id":"RO","orderItem":[{{"id":"1","action":"modify",
                "state":"completed","resource":{{"id":"R","externalIdentifier":[{given}]}}}}]}}"#
        ));
        let documents = vec![order];
        inventory.apply(after(&inventory, &Chain { documents }));
        let resource = inventory.document(Layer::Resource, "R").expect("it stays");
        let list = resource
            .root()
            .get(EXTERNAL_IDENTIFIER)
            .expect("it is there");
        let expected = format!("[{given},{}]", name("olt", "1"));
        assert_eq!(list.compact(), expected);
    }
}
