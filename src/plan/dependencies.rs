//! Which task waits for which: dependencies of resource order items, and those
//! of the service and product order items that they realize.
//!
//! A dependency says that one thing stands on another. What that means for the
//! two tasks depends on what they do:
//!
//! | what depends | what it stands on | first |
//! |---|---|---|
//! | is made or changed | is made or changed | what it stands on |
//! | is removed | is removed | what depends: what was built last goes first |
//! | is made or changed | is removed | what depends: it is moved away before the ground goes |
//! | is removed | is made or changed | what it stands on: the change around it is done first |
//!
//! So in an order that does both, a removal waits for what is made or changed
//! next to it (make before break), and there is no cycle where the dependencies
//! have none.
//!
//! An item without tasks hands on what it waits for itself. What it stands on and
//! is removed waits for all of that, too: it is moved away before the ground goes,
//! though nothing has to be done for it.
//!
//! A dependency of items holds for all tasks below them. It is written down
//! between the last tasks of the one and the first of the other only, and where
//! these are many with a point between them, so that a plan grows with its
//! order, not with the square of it.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt as _, HashSet};

use super::flow::Until;
use super::layers::{Layer, Layers};
use super::network::{Gap, Network, Wait};
use super::sharing::Sharing;
use crate::catalog::iso_duration;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::Node;
use crate::graph;
use crate::model::reference::RelationshipKind;

/// Pairs of tasks from which on a point is put between two sets.
const MANY: usize = 256;
/// Most tasks that what waits for an item without tasks waits for instead, before a point gathers
/// them.
const FEW: usize = 16;

/// That an item waits for another one.
#[derive(Debug, Clone, Copy)]
pub struct Dependency {
    /// The item that waits.
    pub item: usize,
    /// The item that it waits for.
    pub on: usize,
    /// How long after that is done, and whether it may also have failed.
    pub gap: Gap,
}

/// A point that stands for the tasks of an item, where many others wait for many of them.
#[derive(Debug, Clone, Copy)]
pub struct Bridge {
    /// The item.
    pub item: usize,
    /// What waits for it.
    pub sense: Sense,
    /// What it says about the tasks before it.
    pub until: Until,
}

/// In which sense a dependency is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// What depends waits for what it stands on.
    Build,
    /// What is removed waits for what stands on it.
    Remove,
}

/// The dependencies that the items state.
///
/// # Errors
/// Those on items that their order does not have: nothing says when what they wait for is done.
/// Lags that are no durations, and words for what is waited for that say nothing.
pub fn stated(layers: &Layers<'_, '_>, faults: &mut Vec<Diagnostic>) -> Vec<Dependency> {
    let mut stated = Vec::new();
    for (index, entry) in layers.entries.iter().enumerate() {
        let relationships = entry.item.relationships.iter();
        for relationship in relationships.filter(|it| it.kind == RelationshipKind::Dependency) {
            if !layers.is_here(index, relationship) {
                continue;
            }
            let gap = if relationship.is_plain {
                Gap::default()
            } else {
                gap(relationship.node, faults)
            };
            let Some(on) = layers.beside(index, relationship) else {
                let message = format!(
                    "an item waits for item `{}`, which is not in the order",
                    relationship.item
                );
                let location = relationship.node.location();
                let code = Code("plan/dangling-dependency");
                faults.push(Diagnostic::new(code, Severity::Error, location, message));
                continue;
            };
            let item = index;
            stated.push(Dependency { item, on, gap });
        }
    }
    stated
}

/// The members of ours that stand beside the type of a relationship: `lag` and `until`.
fn gap(relationship: Node<'_>, faults: &mut Vec<Diagnostic>) -> Gap {
    let mut fault = |code, node: Node<'_>, message, hint| {
        let fault = Diagnostic::new(Code(code), Severity::Error, node.location(), message);
        faults.push(fault.with_hint(hint));
    };
    let mut gap = Gap::default();
    if let Some(node) = relationship.get("lag") {
        if let Some(lag) = node.as_str().and_then(|text| iso_duration(&text)) {
            gap.lag = lag;
        } else {
            let message = format!("{} is no duration", node.raw());
            let hint = "write it as in ISO 8601: PT30S, PT5M, PT4H, P2D";
            fault("plan/lag", node, message, hint);
        }
    }
    if let Some(node) = relationship.get("until") {
        match node.as_str().as_deref() {
            Some("completed") => {}
            Some("ended") => gap.until = Until::Ended,
            _ => {
                let message = format!("an item is waited for until it is {}", node.raw());
                let hint = "write `completed`, or `ended` where it may also have failed";
                fault("plan/until", node, message, hint);
            }
        }
    }
    gap
}

/// Ties the tasks of a network, `deleted` those that remove something, as the dependencies say.
/// The points that it adds come in the order of their positions.
pub fn connect(
    layers: &Layers<'_, '_>,
    dependencies: &[Dependency],
    deleted: &[bool],
    network: &mut Network,
) -> Vec<Bridge> {
    let mut connector = Connector {
        sharing: Sharing::of(layers, dependencies),
        inner: inner(layers, dependencies),
        layers,
        deleted,
        network,
        bridges: Vec::new(),
    };
    let senses: &[Sense] = if deleted.contains(&true) {
        &[Sense::Build, Sense::Remove]
    } else {
        &[Sense::Build]
    };
    // Inner items first: what they make of the tasks of those around them decides which of these
    // come first and last.
    let mut ranks: BTreeMap<(Layer, std::cmp::Reverse<usize>), Vec<Dependency>> = BTreeMap::new();
    for dependency in dependencies {
        let (item, on) = (
            &layers.entries[dependency.item],
            &layers.entries[dependency.on],
        );
        let rank = (item.layer, std::cmp::Reverse(item.depth.min(on.depth)));
        ranks.entry(rank).or_default().push(*dependency);
    }
    let mut layer = None;
    let mut passes = Vec::new();
    for ((of, _), ranked) in ranks {
        if layer != Some(of) {
            layer = Some(of);
            passes = connector.passes(senses, of, dependencies);
        }
        let mut planned = Vec::new();
        for (sense, passes) in senses.iter().zip(&passes) {
            planned.push((*sense, connector.groups(*sense, &ranked, passes)));
        }
        for (sense, groups) in planned {
            for group in groups {
                connector.tie(sense, group);
            }
        }
    }
    connector.bridges
}

/// The tasks of inner items that depend, or are depended on, between an item and one inside it: by
/// the outer item, in the part of what is waited for and in that of what waits.
type Inner = HashMap<(usize, Part), HashSet<usize>>;

/// The part that an outer item plays in a dependency between it and an item inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Part {
    /// It has to do with an item elsewhere: all of it counts.
    Whole,
    /// It waits for items inside it: the rest of it counts.
    Waiting,
    /// Items inside wait for it: the rest of it counts.
    Awaited,
}

fn inner(layers: &Layers<'_, '_>, dependencies: &[Dependency]) -> Inner {
    let mut inner: Inner = HashMap::new();
    for Dependency { item, on, .. } in dependencies {
        let (outer, other) = match parts(layers, *item, *on) {
            (Part::Waiting, _) => ((*item, Part::Waiting), *on),
            (_, Part::Awaited) => ((*on, Part::Awaited), *item),
            _ => continue,
        };
        let tasks = &layers.entries[other].tasks;
        inner.entry(outer).or_default().extend(tasks);
    }
    inner
}

/// The parts of what waits and of what is waited for.
fn parts(layers: &Layers<'_, '_>, item: usize, on: usize) -> (Part, Part) {
    if layers.is_inside(on, item) {
        (Part::Waiting, Part::Whole)
    } else if layers.is_inside(item, on) {
        (Part::Whole, Part::Awaited)
    } else {
        (Part::Whole, Part::Whole)
    }
}

/// An item in a part.
type Side = (usize, Part);

/// The tasks that are waited for, and those that wait for all of them, with what lies between.
struct Group {
    item: usize,
    lasts: Vec<usize>,
    firsts: Vec<(usize, Gap)>,
}

/// By item without tasks, what is waited for in its place.
type Passes = HashMap<usize, Vec<usize>>;

struct Connector<'n, 'a, 'd> {
    layers: &'n Layers<'a, 'd>,
    deleted: &'n [bool],
    sharing: Sharing,
    inner: Inner,
    network: &'n mut Network,
    bridges: Vec<Bridge>,
}

impl Connector<'_, '_, '_> {
    /// The tasks of an item as far as it waits for others.
    fn waiting(&self, (item, part): Side) -> Vec<usize> {
        let tasks = self.sharing.waiting(self.layers, item);
        self.without_inner(tasks, (item, part))
    }

    /// The tasks of an item as far as others wait for it.
    fn awaited(&self, side: Side) -> Vec<usize> {
        self.without_inner(self.layers.entries[side.0].tasks.to_vec(), side)
    }

    fn without_inner(&self, mut tasks: Vec<usize>, side: Side) -> Vec<usize> {
        if let Some(inner) = self.inner.get(&side) {
            tasks.retain(|task| !inner.contains(task));
        }
        tasks
    }

    /// The last of the tasks that have to be done before others.
    fn lasts(&mut self, sense: Sense, side: Side) -> Vec<usize> {
        let tasks = match sense {
            Sense::Build => {
                let mut tasks = self.awaited(side);
                tasks.retain(|task| !self.deleted[*task]);
                tasks
            }
            Sense::Remove => self.waiting(side),
        };
        self.network.lasts(&tasks)
    }

    /// The first of the tasks that come after others.
    fn firsts(&mut self, sense: Sense, side: Side) -> Vec<usize> {
        let tasks = match sense {
            Sense::Build => self.waiting(side),
            Sense::Remove => {
                let mut tasks = self.awaited(side);
                tasks.retain(|task| self.deleted[*task]);
                tasks
            }
        };
        self.network.firsts(&tasks)
    }

    /// What is waited for in the place of items without tasks, in each sense.
    fn passes(
        &mut self,
        senses: &[Sense],
        layer: Layer,
        dependencies: &[Dependency],
    ) -> Vec<Passes> {
        let of = |sense: &Sense| Empty::of(self, *sense, layer, dependencies);
        let mut empty: Vec<Empty> = senses.iter().map(of).collect();
        if let [build, remove] = empty.as_mut_slice() {
            build.want(&remove.wanted_items());
        }
        let mut passes: Vec<Passes> = Vec::with_capacity(senses.len());
        for (sense, empty) in senses.iter().zip(&empty) {
            let handed = self.handed_on(*sense, empty, passes.first());
            passes.push(handed);
        }
        passes
    }

    /// An item without tasks hands on what it waits for itself; `built` is what it does so for what
    /// is made, where this is about what is removed. Items that wait for each other in a circle are
    /// taken as one.
    fn handed_on(&mut self, sense: Sense, empty: &Empty, built: Option<&Passes>) -> Passes {
        let mut passes: Passes = HashMap::new();
        for part in graph::components(&empty.next) {
            if !part.iter().any(|member| empty.wanted[*member]) {
                continue;
            }
            let mut nodes = Vec::new();
            for &member in &part {
                for side in &empty.beyond[member] {
                    nodes.extend(self.lasts(sense, *side));
                }
                let known = empty.next[member].iter();
                let known = known.filter_map(|it| passes.get(&empty.items[*it]));
                nodes.extend(known.flatten());
                let built = built.and_then(|it| it.get(&empty.items[member]));
                nodes.extend(built.into_iter().flatten());
            }
            nodes.sort_unstable();
            nodes.dedup();
            if nodes.len() > FEW {
                let item = part.iter().map(|it| empty.items[*it]).min();
                let item = item.unwrap_or_default();
                let node = self.bridge(sense, item, Until::Completed);
                for before in nodes {
                    self.network.wait(node, Wait::on(before));
                }
                nodes = vec![node];
            }
            for member in part {
                passes.insert(empty.items[member], nodes.clone());
            }
        }
        passes
    }

    /// Groups dependencies by what is waited for. Nothing is tied yet: what ends a set does not
    /// depend on the sequence of the items.
    fn groups(&mut self, sense: Sense, dependencies: &[Dependency], passes: &Passes) -> Vec<Group> {
        let mut sides: BTreeMap<Side, Vec<(Side, Gap)>> = BTreeMap::new();
        for Dependency { item, on, gap } in dependencies {
            let (waits, awaited) = parts(self.layers, *item, *on);
            let (waits, awaited) = ((*item, waits), (*on, awaited));
            // What lies between is about making: nothing has to rest before it is removed, and
            // what could not be removed still stands on the rest.
            let (from, to, gap) = match sense {
                Sense::Build => (awaited, waits, *gap),
                Sense::Remove => (waits, awaited, Gap::default()),
            };
            sides.entry(from).or_default().push((to, gap));
        }
        let mut firsts: HashMap<Side, Vec<usize>> = HashMap::new();
        let mut groups = Vec::with_capacity(sides.len());
        for (from, to) in sides {
            let item = from.0;
            let lasts = match passes.get(&item) {
                Some(nodes) => nodes.clone(),
                None => self.lasts(sense, from),
            };
            if lasts.is_empty() {
                continue;
            }
            let mut waiting = Vec::new();
            for (side, gap) in to {
                let firsts = firsts
                    .entry(side)
                    .or_insert_with(|| self.firsts(sense, side));
                waiting.extend(firsts.iter().map(|task| (*task, gap)));
            }
            groups.push(Group {
                item,
                lasts,
                firsts: waiting,
            });
        }
        groups
    }

    fn tie(&mut self, sense: Sense, group: Group) {
        let Group {
            item,
            lasts,
            firsts,
        } = group;
        // A point that was reached says one thing about the tasks before it.
        let (completed, ended): (Vec<_>, Vec<_>) = firsts
            .into_iter()
            .partition(|(_, gap)| gap.until == Until::Completed);
        for (firsts, until) in [(completed, Until::Completed), (ended, Until::Ended)] {
            let many = lasts.len().saturating_mul(firsts.len()) > MANY;
            if many && lasts.len() > 1 && firsts.len() > 1 {
                let node = self.bridge(sense, item, until);
                for before in &lasts {
                    let wait = Wait::on(*before);
                    self.network.wait(node, Wait { until, ..wait });
                }
                for (task, gap) in firsts {
                    self.network.wait(task, Wait::after(node, gap));
                }
                continue;
            }
            for before in &lasts {
                for (task, gap) in &firsts {
                    self.network.wait(*task, Wait::after(*before, *gap));
                }
            }
        }
    }

    fn bridge(&mut self, sense: Sense, item: usize, until: Until) -> usize {
        let node = self.network.add();
        self.bridges.push(Bridge { item, sense, until });
        node
    }
}

/// The items of a layer that have no tasks, and what each waits for.
#[derive(Default)]
struct Empty {
    items: Vec<usize>,
    /// Where an item stands among them.
    places: HashMap<usize, usize>,
    /// Others of these.
    next: Vec<Vec<usize>>,
    /// Items with tasks.
    beyond: Vec<Vec<Side>>,
    /// Whether something with tasks waits for it, directly or through others of these.
    wanted: Vec<bool>,
}

impl Empty {
    fn of(
        connector: &Connector<'_, '_, '_>,
        sense: Sense,
        layer: Layer,
        dependencies: &[Dependency],
    ) -> Empty {
        let layers = connector.layers;
        let mut empty = Empty::default();
        let mut open = Vec::new();
        let is_empty = |entry: usize| layers.entries[entry].tasks.is_empty();
        let waits = |entry: usize| {
            let mut tasks = layers.entries[entry].tasks.iter();
            sense == Sense::Build || tasks.any(|task| connector.deleted[*task])
        };
        for (item, other, part) in oriented(layers, sense, dependencies) {
            if layers.entries[item].layer != layer {
                continue;
            }
            match (is_empty(item), is_empty(other)) {
                (true, true) => {
                    let (at, other) = (empty.place(item), empty.place(other));
                    empty.next[at].push(other);
                }
                (true, false) => {
                    let at = empty.place(item);
                    empty.beyond[at].push((other, part));
                }
                (false, true) if waits(item) => open.push(other),
                (false, _) => {}
            }
        }
        empty.want(&open);
        empty
    }

    /// Notes that something waits for items, and with them for those that they wait for.
    fn want(&mut self, items: &[usize]) {
        let mut open: Vec<usize> = items.iter().map(|item| self.place(*item)).collect();
        while let Some(place) = open.pop() {
            if !std::mem::replace(&mut self.wanted[place], true) {
                open.extend(&self.next[place]);
            }
        }
    }

    fn wanted_items(&self) -> Vec<usize> {
        let items = self.items.iter().zip(&self.wanted);
        items
            .filter(|(_, wanted)| **wanted)
            .map(|(item, _)| *item)
            .collect()
    }

    fn place(&mut self, item: usize) -> usize {
        if let Some(known) = self.places.get(&item) {
            return *known;
        }
        let place = self.items.len();
        self.places.insert(item, place);
        self.items.push(item);
        self.next.push(Vec::new());
        self.beyond.push(Vec::new());
        self.wanted.push(false);
        place
    }
}

/// For each dependency the item that hands something on, and what it gets that from.
fn oriented(
    layers: &Layers<'_, '_>,
    sense: Sense,
    dependencies: &[Dependency],
) -> impl Iterator<Item = (usize, usize, Part)> {
    dependencies.iter().map(move |Dependency { item, on, .. }| {
        let (waits, awaited) = parts(layers, *item, *on);
        match sense {
            Sense::Build => (*item, *on, awaited),
            Sense::Remove => (*on, *item, waits),
        }
    })
}
