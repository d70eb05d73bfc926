//! Which items of a derived order wait for which, once all are made.

use std::collections::{BTreeMap, HashMap};

use super::step::Made;
use super::write;
use crate::catalog::expression::{Bindings, Kept};
use crate::catalog::{Dependency, DependencyScope, ServiceIndex};

/// A dependency of an item that is being made.
#[derive(Debug, Clone)]
pub struct Waiting<'c> {
    dependency: &'c Dependency,
    /// What `where` reads of the item.
    kept: Kept,
}

impl<'c> Waiting<'c> {
    /// Nothing of the item decides what it waits for.
    pub fn certain(dependency: &'c Dependency) -> Self {
        let kept = Kept::default();
        Waiting { dependency, kept }
    }

    /// A dependency whose condition holds for the item with these variables.
    pub fn of(dependency: &'c Dependency, bindings: &Bindings<'_>) -> Self {
        let filter = dependency.filter.as_ref();
        let kept = filter.map_or_else(Kept::default, |it| it.keep(bindings, "other"));
        Waiting { dependency, kept }
    }
}

/// What items have in common that may wait for each other: the scope, its name, the service that
/// is waited for, and the values that have to be the same.
type Group<'m> = (
    DependencyScope,
    &'m str,
    &'m str,
    ServiceIndex,
    Vec<&'m str>,
);

/// What is waited for, as far as it is the same for many items.
type Wanted<'c> = (ServiceIndex, DependencyScope, &'c [String]);

fn wanted<'c>(waiting: &Waiting<'c>) -> Wanted<'c> {
    let it = waiting.dependency;
    (it.on, it.scope, &it.same)
}

/// The items, each with those that come first, without repetition, in the order of the items.
pub fn resolved(mut made: Vec<Made<'_>>) -> Vec<write::Item> {
    let mut wanted: Vec<Wanted<'_>> = made
        .iter()
        .flat_map(|made| &made.waits)
        .map(wanted)
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut groups: HashMap<Group<'_>, Vec<usize>> = HashMap::new();
    for (position, made) in made.iter().enumerate() {
        let Some(service) = made.service else {
            continue;
        };
        let first = wanted.partition_point(|(on, ..)| *on < service);
        let of_service = wanted[first..].iter();
        for (_, scope, same) in of_service.take_while(|(on, ..)| *on == service) {
            if let Some(group) = group(made, *scope, service, same) {
                groups.entry(group).or_default().push(position);
            }
        }
    }
    let dependencies: Vec<Vec<(usize, Option<String>)>> = made
        .iter()
        .enumerate()
        .map(|(position, item)| {
            let mut before: BTreeMap<usize, Option<&str>> = BTreeMap::new();
            for waiting in &item.waits {
                let it = waiting.dependency;
                let others = group(item, it.scope, it.on, &it.same)
                    .and_then(|group| groups.get(&group))
                    .into_iter()
                    .flatten();
                for other in others.filter(|other| **other != position) {
                    if !passes(waiting, &made[*other]) {
                        continue;
                    }
                    let lag = before.entry(*other).or_default();
                    *lag = (*lag).or(it.lag.as_deref());
                }
            }
            before
                .into_iter()
                .map(|(other, lag)| (other, lag.map(str::to_owned)))
                .collect()
        })
        .collect();
    let ids: Vec<String> = made.iter().map(|made| made.item.id.clone()).collect();
    for (made, dependencies) in made.iter_mut().zip(dependencies) {
        made.item.dependencies = dependencies
            .into_iter()
            .map(|(other, lag)| (ids[other].clone(), lag))
            .collect();
    }
    made.into_iter().map(|made| made.item).collect()
}

/// The group that an item belongs to; `None` if it lacks what the group has in common.
fn group<'m>(
    made: &'m Made<'_>,
    scope: DependencyScope,
    service: ServiceIndex,
    same: &[String],
) -> Option<Group<'m>> {
    let (name, place) = match scope {
        DependencyScope::Parent => (made.parent.as_str(), ""),
        DependencyScope::Site => (made.root.as_str(), made.place.as_deref()?),
        DependencyScope::Item => (made.root.as_str(), ""),
        DependencyScope::Order => ("", ""),
    };
    let value = |name: &String| {
        let mut observed = made.observed.iter();
        observed
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let values: Option<Vec<&str>> = same.iter().map(value).collect();
    Some((scope, name, place, service, values?))
}

fn passes(waiting: &Waiting<'_>, other: &Made<'_>) -> bool {
    let Some(filter) = &waiting.dependency.filter else {
        return true;
    };
    let mut bindings = waiting.kept.bindings();
    let members = other.observed.iter();
    bindings.bind_object(
        "other",
        members.map(|(name, value)| (*name, value.as_str())),
    );
    filter.holds(&bindings).unwrap_or(false)
}
