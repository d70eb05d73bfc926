//! What stays as it is between what changes.
//!
//! Nothing is ordered below a service that stays as it is. But what changes may
//! wait for something else that changes through what stays: a router behind a
//! policy behind a port. So that what lies between is there for every reader of
//! the order, it gets an item without work (noChange); all else is left out.
//! One item for each, not one dependency for each way through it: an order grows
//! with what is installed, not with its square.

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use super::step::Made;
use crate::catalog::{Catalog, ServiceIndex};
use crate::model::Action;

/// Which kinds of services may lie between those that an order changes, by what the catalog says
/// about what comes first.
pub struct Staying<'c> {
    catalog: &'c Catalog,
    /// The kinds that change.
    changing: HashSet<ServiceIndex>,
    /// The kinds that these wait for, at any remove.
    before: HashSet<ServiceIndex>,
    /// Whether anything is removed.
    removes: bool,
    known: HashMap<ServiceIndex, bool>,
}

impl<'c> Staying<'c> {
    /// Beside what changes, of these kinds; `removes`: whether anything of it may be removed.
    pub fn beside(
        catalog: &'c Catalog,
        changing: HashSet<ServiceIndex>,
        removes: bool,
    ) -> Staying<'c> {
        Staying {
            before: before(catalog, changing.iter().copied().collect()),
            catalog,
            changing,
            removes,
            known: HashMap::new(),
        }
    }

    /// Whether something of a kind may lie between what changes: it waits for that, and is waited
    /// for by that, or stands both on what goes and on what comes.
    pub fn may_lie_between(&mut self, kind: ServiceIndex) -> bool {
        if !self.removes && !self.before.contains(&kind) {
            return false;
        }
        *self.known.entry(kind).or_insert_with(|| {
            let before = before(self.catalog, vec![kind]);
            !before.is_disjoint(&self.changing)
        })
    }
}

/// What some kinds wait for, at any remove.
fn before(catalog: &Catalog, mut open: Vec<ServiceIndex>) -> HashSet<ServiceIndex> {
    let mut found = HashSet::new();
    while let Some(kind) = open.pop() {
        let before = catalog.service_at(kind).waits_for.iter().copied();
        open.extend(before.filter(|it| found.insert(*it)));
    }
    found
}

/// Which items are written, of those that wait for each other as `before` says: all but those of what
/// stays and does not lie between what changes.
pub fn written(made: &[Made<'_>], before: &[Vec<usize>]) -> Vec<bool> {
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); made.len()];
    for (position, before) in before.iter().enumerate() {
        for other in before {
            after[*other].push(position);
        }
    }
    let action = |position: usize| made[position].item.action;
    let changes = |position: &usize| action(*position) != Action::NoChange.name();
    let removed = |position: &usize| action(*position) == Action::Delete.name();
    let all = 0..made.len();
    let behind_made = through(
        &after,
        all.clone().filter(|it| changes(it) && !removed(it)),
        changes,
    );
    let behind_removed = through(&after, all.clone().filter(removed), changes);
    let follows = |it: &usize| behind_made[*it] || behind_removed[*it];
    let leads = all.clone().filter(|it| {
        // What stands on one thing only orders nothing that this does not order itself.
        let ways = before[*it]
            .iter()
            .filter(|other| changes(other) || follows(other));
        changes(it) || behind_made[*it] && behind_removed[*it] && ways.count() > 1
    });
    let leads: Vec<usize> = leads.collect();
    let ahead = through(before, leads.iter().copied(), changes);
    let leads: HashSet<usize> = leads.into_iter().collect();
    all.map(|it| !made[it].stays || follows(&it) && (ahead[it] || leads.contains(&it)))
        .collect()
}

/// Marks what edges lead to from some items through such as do not change.
fn through(
    edges: &[Vec<usize>],
    from: impl Iterator<Item = usize>,
    changes: impl Fn(&usize) -> bool,
) -> Vec<bool> {
    let mut marked = vec![false; edges.len()];
    let mut open: Vec<usize> = from.collect();
    while let Some(position) = open.pop() {
        for next in &edges[position] {
            if !changes(next) && !std::mem::replace(&mut marked[*next], true) {
                open.push(*next);
            }
        }
    }
    marked
}
