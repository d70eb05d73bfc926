//! What a chain that was carried out makes of the installed base. Pure.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::{Installed, Inventory, Layer};
use crate::chain::{Chain, order_name};
use crate::document::{Composer, Document, Edits, Node, quote};
use crate::model::reference::RelationshipKind;
use crate::model::version5::flattened;
use crate::model::{Action, Characteristic, Order, entity_id};

/// Members of an ordered entity that its document does not take over as they are.
const NOT_COPIED: [&str; 10] = [
    "@type",
    "id",
    "status",
    "state",
    "resourceStatus",
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

/// An order item and what it is about.
struct Thing<'d> {
    layer: Layer,
    /// Id of the product, service or resource.
    id: String,
    order: String,
    item: Cow<'d, str>,
    node: Node<'d>,
    entity: Option<Node<'d>>,
    /// The item of the order above that it realizes.
    above: Option<usize>,
    /// What refers to it: the services that it is inside of, else what it realizes.
    holders: Vec<usize>,
    /// What referred to it before, and no longer does.
    released: Vec<usize>,
    action: Action,
}

/// The installed base after a chain has ended, as changes to what it was before.
///
/// - add: a document made of the ordered entity; modify: the characteristics and members that the
///   item gives take the place of those that were there; delete: the document goes, and every
///   reference to it; noChange: nothing.
/// - Products and services note the order item that worked on them (`productOrderItem`,
///   `serviceOrderItem`). What has been noted is not done again, so a chain may be given twice,
///   also after later orders have changed the same things.
/// - Of an order that ended `partial` counts what was done: resources that were completed, and services
///   and products of which anything was. What could not be removed is still there, and so is what
///   it is part of.
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
    let done: Vec<bool> = (0..things.len())
        .map(|position| {
            let root = &things[root(position)];
            let installed = inventory.get(root.layer, &root.id);
            installed.is_some_and(|it| it.came_from(&root.order, &root.item))
        })
        .collect();
    let undone = undone(&things);
    let done: Vec<bool> = done
        .iter()
        .zip(&undone)
        .map(|(done, undone)| *done || *undone)
        .collect();
    let party = orders.first().and_then(|it| it.node().get("relatedParty"));
    let mut update = Update {
        inventory,
        things: &things,
        gone: HashSet::new(),
        below: HashMap::new(),
        released: HashMap::new(),
    };
    for (position, thing) in things.iter().enumerate() {
        match thing.action {
            _ if done[position] => {}
            Action::Delete => {
                update.gone.insert((thing.layer, thing.id.clone()));
            }
            Action::Add | Action::Modify | Action::NoChange => {
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
        if done[position] || matches!(thing.action, Action::Delete | Action::NoChange) {
            continue;
        }
        let realized = update.below.contains_key(&position);
        if thing.layer == Layer::Product && thing.entity.is_none() && !realized {
            // A bundle or a fee: there is nothing to keep.
            continue;
        }
        let made = match inventory.get(thing.layer, &thing.id) {
            Some(installed) => update.changed(&installed, Some(position)),
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

fn things<'d>(orders: &[Order<'d>]) -> Vec<Thing<'d>> {
    let mut things: Vec<Thing<'d>> = Vec::new();
    let mut by_item: HashMap<(Layer, String), usize> = HashMap::new();
    let mut released: Vec<(usize, Layer, String)> = Vec::new();
    let mut bundled: Vec<(usize, String)> = Vec::new();
    for order in orders {
        let layer = match order {
            Order::Product(_) => Layer::Product,
            Order::Service(_) => Layer::Service,
            Order::Resource(_) => Layer::Resource,
        };
        let order_id = order_name(order.node().document());
        for item in order.items() {
            let id = entity_id(item.entity)
                .map_or_else(|| format!("{order_id}.{}", item.id), Cow::into_owned);
            let upper = match layer {
                Layer::Product => None,
                Layer::Service => Some(Layer::Product),
                Layer::Resource => Some(Layer::Service),
            };
            let realized = item
                .relationships
                .iter()
                .filter(|it| it.kind == RelationshipKind::Realizes)
                .filter_map(|it| by_item.get(&(upper?, it.item.to_string())).copied());
            let above: Vec<usize> = realized.collect();
            // Ids of items are computed: that of an item inside another one begins with it.
            let inside = item.specification.and_then(|specification| {
                let mark = format!(".{}", specification.id);
                let mut ends = item.id.match_indices(&mark).map(|(end, _)| end);
                ends.find_map(|end| by_item.get(&(layer, item.id[..end].to_owned())).copied())
            });
            for relationship in item.relationships {
                match relationship.kind {
                    RelationshipKind::Releases => {
                        let of_own = relationship.order.as_deref() == Some(&*order_id);
                        let layer = upper.filter(|_| !of_own).unwrap_or(layer);
                        released.push((things.len(), layer, relationship.item.to_string()));
                    }
                    RelationshipKind::Bundles if layer == Layer::Service => {
                        bundled.push((things.len(), relationship.item.to_string()));
                    }
                    _ => {}
                }
            }
            by_item.insert((layer, item.id.to_string()), things.len());
            things.push(Thing {
                layer,
                id,
                order: order_id.clone(),
                item: item.id.clone(),
                node: item.node,
                entity: item.entity,
                above: above.first().copied(),
                holders: inside.map_or(above, |inside| vec![inside]),
                released: Vec::new(),
                action: item.action.unwrap_or(Action::Add),
            });
        }
    }
    for (position, layer, holder) in released {
        let holder = by_item.get(&(layer, holder)).copied();
        things[position].released.extend(holder);
    }
    for (holder, held) in bundled {
        if let Some(held) = by_item.get(&(Layer::Service, held)).copied() {
            // What a service holds stands below its product only through it.
            let product = things[holder].above;
            let holders = &mut things[held].holders;
            holders.retain(|it| Some(*it) != product);
            holders.push(holder);
        }
    }
    things
}

/// By position, whether nothing came of an order item: it failed, or was cancelled, and so did all
/// below it. Something is only removed where all below it was.
fn undone(things: &[Thing<'_>]) -> Vec<bool> {
    let given_up = |thing: &Thing<'_>| {
        let state = thing.node.text("state");
        matches!(state.as_deref(), Some("failed" | "cancelled" | "partial"))
    };
    let mut undone: Vec<bool> = things.iter().map(given_up).collect();
    // Things stand after what they realize.
    for (position, thing) in things.iter().enumerate().rev() {
        let counts = !undone[position] && thing.action != Action::NoChange;
        for above in thing.holders.iter().chain(&thing.above) {
            if counts && things[*above].action != Action::Delete {
                undone[*above] = false;
            }
        }
    }
    undone
}

struct Update<'a> {
    inventory: &'a Inventory,
    things: &'a [Thing<'a>],
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
                let layer = Layer::of(document);
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
                .filter_map(|it| Some(Installed::read(Layer::of(it)?, it.root())))
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
            match thing.layer {
                Layer::Product => to.key("status").string("active"),
                Layer::Service => to.key("state").string("active"),
                Layer::Resource => to.key("resourceStatus").string("available"),
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
                    list.json(&order_item(thing)).expect("a reference is JSON");
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
        let thing = position.map(|position| &self.things[position]);
        if let Some(thing) = thing {
            for (key, value) in given(thing) {
                if key == layer.characteristics() {
                    let merged = merged(&installed.characteristics, thing.entity, layer);
                    edits.set(root, &key, &merged);
                } else {
                    edits.set(root, &key, &value.compact());
                }
            }
            if let Some([list, ..]) = layer.order_items() {
                edits.append(root, list, &order_item(thing));
            }
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
fn order_item(thing: &Thing<'_>) -> String {
    let Some([_, item_key, order_key, action_key]) = thing.layer.order_items() else {
        return "{}".to_owned();
    };
    format!(
        "{{\"{order_key}\":{},\"{item_key}\":{},\"{action_key}\":\"{}\"}}",
        quote(&thing.order),
        quote(&thing.item),
        thing.action.name()
    )
}
