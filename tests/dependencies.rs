//! Properties of the dependencies of a plan: of any chain, whatever made it.

use std::collections::{BTreeMap, BTreeSet};

use orderctl::chain::Chain;
use orderctl::document::Document;
use orderctl::plan::Planning;
use orderctl::plan::flow::OrchestrationPlan;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// An item of a chain, by positions of others in its layer and in the one above.
#[derive(Debug, Clone)]
struct Item {
    id: String,
    action: &'static str,
    /// The item of its layer that holds it.
    holder: Option<usize>,
    /// The items of the layer above that it realizes; the first one is where it belongs.
    realizes: Vec<usize>,
    /// Items of its layer, before it, that it waits for.
    waits: BTreeSet<usize>,
}

/// The layers of a chain, products first. Items stand in an order in which everything that one waits
/// for, and all that is below that, can come first.
#[derive(Debug, Clone)]
struct Layers([Vec<Item>; 3]);

/// What becomes an item: dice for its holder, what it realizes, what it waits for, its action.
type Dice = (u8, Vec<u8>, Vec<u8>, u8);

fn layers(shared: bool) -> impl Strategy<Value = Layers> {
    let dice = || {
        (
            any::<u8>(),
            vec(any::<u8>(), 1..4),
            vec(any::<u8>(), 0..3),
            any::<u8>(),
        )
    };
    (vec(dice(), 1..5), vec(dice(), 1..8), vec(dice(), 1..14)).prop_map(
        move |(products, services, resources)| {
            let products = layer("p", products, 0, shared);
            let services = layer("s", services, products.len(), shared);
            let resources = layer("r", resources, services.len(), shared);
            Layers([products, services, resources])
        },
    )
}

/// Items in the order of what they belong to, so that what is below an item stands together.
fn layer(prefix: &str, mut dice: Vec<Dice>, above: usize, shared: bool) -> Vec<Item> {
    if above > 0 {
        dice.sort_by_key(|it| usize::from(it.1[0]) % above);
    }
    let mut items: Vec<Item> = Vec::new();
    for (index, (holder, realizes, waits, action)) in dice.into_iter().enumerate() {
        let realizes: Vec<usize> = if above == 0 {
            Vec::new()
        } else {
            let first = usize::from(realizes[0]) % above;
            let others = realizes[1..].iter().map(|it| usize::from(*it) % above);
            let others = others.filter(|other| shared && *other > first);
            std::iter::once(first)
                .chain(others)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect()
        };
        // The one before, or one that holds that: then what is inside stands together.
        let mut path: Vec<usize> = Vec::new();
        let mut here = index.checked_sub(1);
        while let Some(at) = here.filter(|_| prefix != "r") {
            if items[at].realizes.first() == realizes.first() {
                path.push(at);
            }
            here = items[at].holder;
        }
        let choice = usize::from(holder) % 4;
        let holder = path.get(choice).copied();
        let inside = |other: usize| {
            let mut here = holder;
            while let Some(at) = here {
                if at == other {
                    return true;
                }
                here = items[at].holder;
            }
            false
        };
        let waits = waits.iter().filter(|_| index > 0);
        let waits = waits.map(|it| usize::from(*it) % index);
        let waits = waits.filter(|other| !inside(*other)).collect();
        items.push(Item {
            id: format!("{prefix}{index}"),
            action: ["add", "modify", "delete", "noChange"][usize::from(action) % 4],
            holder,
            realizes: if holder.is_some() {
                Vec::new()
            } else {
                realizes
            },
            waits,
        });
    }
    items
}

/// Tasks below items, by layer and position.
type Below = BTreeMap<(usize, usize), BTreeSet<usize>>;

const NAMES: [(&str, &str, &str, &str); 3] = [
    (
        "ProductOrder",
        "productOrderItem",
        "productOrderItemRelationship",
        "P",
    ),
    (
        "ServiceOrder",
        "serviceOrderItem",
        "serviceOrderItemRelationship",
        "S",
    ),
    ("ResourceOrder", "orderItem", "orderItemRelationship", "R"),
];

impl Layers {
    /// The chain as documents; `turned` writes all lists from the end.
    fn chain(&self, turned: bool) -> Chain {
        let mut documents = Vec::new();
        for (layer, items) in self.0.iter().enumerate() {
            let (kind, list, _, id) = NAMES[layer];
            let mut order = json!({"@type": kind, "id": id});
            match layer {
                1 => {
                    order["orderRelationship"] =
                        json!([{"id": "P", "relationshipType": "cross-ref"}]);
                }
                2 => {
                    order["externalReference"] =
                        json!([{"id": "S", "externalReferenceType": "ServiceOrder"}]);
                }
                _ => {}
            }
            let roots = (0..items.len()).filter(|it| items[*it].holder.is_none());
            let mut written: Vec<Value> = roots.map(|it| self.item(layer, it, turned)).collect();
            if turned {
                written.reverse();
            }
            order[list] = written.into();
            documents.push(Document::parse(order.to_string(), kind).expect("JSON"));
        }
        Chain { documents }
    }

    fn item(&self, layer: usize, index: usize, turned: bool) -> Value {
        let items = &self.0[layer];
        let item = &items[index];
        let (_, list, relationships, own) = NAMES[layer];
        let waits = item.waits.iter().map(|it| {
            let other = &items[*it].id;
            if layer == 0 {
                json!({"id": other, "relationshipType": "reliesOn"})
            } else {
                json!({"relationshipType": "dependency", "orderItem": {"itemId": other}})
            }
        });
        let realizes = item.realizes.iter().map(|it| {
            json!({"relationshipType": "realizes", "orderItem": {"itemId": self.0[layer - 1][*it].id}})
        });
        let mut related: Vec<Value> = waits.chain(realizes).collect();
        let inside = (0..items.len()).filter(|it| items[*it].holder == Some(index));
        let mut inside: Vec<Value> = inside.map(|it| self.item(layer, it, turned)).collect();
        if turned {
            related.reverse();
            inside.reverse();
        }
        let mut written = json!({"id": item.id, relationships: related, list: inside});
        written["action"] = if layer == 2 {
            item.action.into()
        } else {
            "add".into()
        };
        if layer == 2 {
            written["resource"] = json!({"id": format!("{own}-{}", item.id)});
        }
        written
    }

    /// The items of the layer above, or holding it, of each item.
    fn above(&self, layer: usize, index: usize) -> Vec<(usize, usize)> {
        let item = &self.0[layer][index];
        let holder = item.holder.map(|holder| (layer, holder));
        let realizes = item.realizes.iter().map(|it| (layer - 1, *it));
        holder.into_iter().chain(realizes).collect()
    }

    /// Tasks below each item, by layer and position; and those that stand below several items.
    fn below(&self) -> (Below, BTreeSet<usize>) {
        let (mut below, mut shared) = (Below::new(), BTreeSet::new());
        for (task, item) in self.0[2].iter().enumerate() {
            if item.action == "noChange" {
                continue;
            }
            let mut open = vec![(2, task)];
            while let Some((layer, index)) = open.pop() {
                below.entry((layer, index)).or_default().insert(task);
                let above = self.above(layer, index);
                if above.len() > 1 {
                    shared.insert(task);
                }
                open.extend(above);
            }
        }
        (below, shared)
    }

    fn is_removed(&self, task: usize) -> bool {
        self.0[2][task].action == "delete"
    }

    /// Pairs of tasks of which the first has to come first, as the items say, one by one.
    fn pairs(&self) -> BTreeSet<(usize, usize)> {
        let (below, _) = self.below();
        let none = BTreeSet::new();
        let tasks = |layer: usize, index: usize| below.get(&(layer, index)).unwrap_or(&none);
        let mut pairs = BTreeSet::new();
        for (layer, items) in self.0.iter().enumerate() {
            for (index, item) in items.iter().enumerate() {
                let (mut open, mut seen): (Vec<usize>, BTreeSet<usize>) =
                    (item.waits.iter().copied().collect(), BTreeSet::new());
                let mut reached: BTreeSet<usize> = BTreeSet::new();
                while let Some(other) = open.pop() {
                    if tasks(layer, other).is_empty() && seen.insert(other) {
                        open.extend(&items[other].waits);
                    }
                    reached.extend(tasks(layer, other));
                    for &waits in tasks(layer, index) {
                        for &before in tasks(layer, other) {
                            if self.is_removed(before) {
                                pairs.insert((waits, before));
                            } else {
                                pairs.insert((before, waits));
                            }
                        }
                    }
                }
                // What stays as it is is moved, too, from what goes to what is made.
                if tasks(layer, index).is_empty() {
                    let (removed, made): (Vec<usize>, Vec<usize>) =
                        reached.into_iter().partition(|task| self.is_removed(*task));
                    for removed in removed {
                        pairs.extend(made.iter().map(|made| (*made, removed)));
                    }
                }
            }
        }
        pairs
    }
}

fn plan(chain: &Chain) -> OrchestrationPlan {
    let planning = Planning {
        default_endpoint: Some("olt"),
        ..Planning::default()
    };
    let planned = planning.plan(chain).unwrap_or_else(|fault| {
        let texts: Vec<&str> = chain.documents.iter().map(Document::text).collect();
        panic!("{fault:?}\n{}", texts.join("\n"))
    });
    planned.plan
}

/// What each task waits for, by id.
fn waits_of(plan: &OrchestrationPlan) -> BTreeMap<String, BTreeSet<String>> {
    let tasks = plan.task_flow.iter();
    let waits = |it: &orderctl::plan::flow::TaskFlow| {
        let relationships = it.relationship.iter();
        relationships.map(|it| it.task_flow.id.clone()).collect()
    };
    tasks.map(|it| (it.id.clone(), waits(it))).collect()
}

/// Everything that each waits for, directly or through others.
fn closure<T: Clone + Ord>(direct: &BTreeMap<T, BTreeSet<T>>) -> BTreeMap<T, BTreeSet<T>> {
    let mut all = BTreeMap::new();
    for id in direct.keys() {
        let (mut found, mut open) = (BTreeSet::new(), vec![id.clone()]);
        while let Some(here) = open.pop() {
            for other in &direct[&here] {
                if found.insert(other.clone()) {
                    open.push(other.clone());
                }
            }
        }
        all.insert(id.clone(), found);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tasks_wait_for_what_their_items_wait_for_and_for_nothing_else(layers in layers(false)) {
        let plan = plan(&layers.chain(false));
        let found = closure(&waits_of(&plan));
        let mut stated: BTreeMap<String, BTreeSet<String>> =
            found.keys().map(|id| (id.clone(), BTreeSet::new())).collect();
        for (before, after) in layers.pairs() {
            let id = |task: usize| layers.0[2][task].id.clone();
            stated.entry(id(after)).or_default().insert(id(before));
        }
        prop_assert_eq!(found, closure(&stated));
    }

    #[test]
    fn what_is_shared_is_made_once_and_keeps_nobody_from_being_made(layers in layers(true)) {
        let found = closure(&waits_of(&plan(&layers.chain(false))));
        let (_, shared) = layers.below();
        for (before, after) in layers.pairs() {
            if !shared.contains(&before) && !shared.contains(&after) {
                let id = |task: usize| &layers.0[2][task].id;
                prop_assert!(found[id(after)].contains(id(before)), "{} {}", id(before), id(after));
            }
        }
    }

    #[test]
    fn the_sequence_of_items_does_not_matter(layers in layers(true)) {
        let one = plan(&layers.chain(false));
        let other = plan(&layers.chain(true));
        prop_assert_eq!(waits_of(&one), waits_of(&other));
    }
}

fn item(id: String, realizes: Vec<usize>, waits: &[usize]) -> Item {
    Item {
        id,
        action: "add",
        holder: None,
        realizes,
        waits: waits.iter().copied().collect(),
    }
}

/// Three services of `count` resources each, which `waits` ties: the second and the third service
/// wait for the one before.
fn services(count: usize, waits: impl Fn(usize) -> Vec<usize>) -> OrchestrationPlan {
    let service = |at: usize, waits: &[usize]| item(format!("s{at}"), vec![0], waits);
    let resource = |at: usize| item(format!("r{at}"), vec![at / count], &waits(at));
    let layers = Layers([
        vec![item("p0".to_owned(), vec![], &[])],
        vec![service(0, &[]), service(1, &[0]), service(2, &[1])],
        (0..3 * count).map(resource).collect(),
    ]);
    let plan = plan(&layers.chain(false));
    let found = closure(&waits_of(&plan));
    for (before, after) in layers.pairs() {
        assert!(found[&format!("r{after}")].contains(&format!("r{before}")));
    }
    plan
}

fn edges(plan: &OrchestrationPlan) -> (usize, usize) {
    let edges = plan.task_flow.iter().map(|task| task.relationship.len());
    (plan.task_flow.len(), edges.sum())
}

#[test]
fn only_the_first_tasks_of_what_waits_wait_and_only_for_the_last() {
    let chain = |at: usize| {
        if at.is_multiple_of(4) {
            vec![]
        } else {
            vec![at - 1]
        }
    };
    assert_eq!(edges(&services(4, chain)), (12, 3 * 3 + 2));
    assert_eq!(edges(&services(4, |_| vec![])), (12, 2 * 4 * 4));
}

#[test]
fn a_point_stands_between_large_sets() {
    assert_eq!(edges(&services(100, |_| vec![])), (302, 400));
}
