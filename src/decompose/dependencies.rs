//! Which items of a derived order wait for which, once all are made.
//!
//! Items that may wait for each other are found through what they have in
//! common; only `where` looks at pairs.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use super::faults::Faults;
use super::staying;
use super::step::Made;
use super::write;
use crate::catalog::expression::{Bindings, Kept};
use crate::catalog::{Dependency, DependencyScope, ServiceIndex};
use crate::diagnostic::{Code, Diagnostic, Location, Severity};
use crate::model::{Action, Site};

/// Most dependencies of a derived order, and most pairs that are looked at to find them.
const MAX_DEPENDENCIES: usize = 10_000_000;

/// A dependency of an item that is being made.
#[derive(Debug, Clone)]
pub struct Waiting<'c> {
    dependency: &'c Dependency,
    /// What `where` reads of the item.
    kept: Kept,
    /// Whether a `where` that cannot be judged counts as one that holds.
    lenient: bool,
}

impl<'c> Waiting<'c> {
    /// Nothing of the item decides what it waits for.
    pub fn certain(dependency: &'c Dependency) -> Self {
        Waiting {
            dependency,
            kept: Kept::default(),
            lenient: false,
        }
    }

    /// A dependency whose condition holds for the item with these variables.
    pub fn of(dependency: &'c Dependency, bindings: &Bindings<'_>) -> Self {
        let filter = dependency.filter.as_ref();
        Waiting {
            dependency,
            kept: filter.map_or_else(Kept::default, |it| it.keep(bindings, "other")),
            lenient: false,
        }
    }

    /// What is said several times, once: by all who share a thing.
    pub fn once(waits: &[Waiting<'c>]) -> Vec<Waiting<'c>> {
        let mut known = HashSet::new();
        let waits = waits.iter();
        let new = waits.filter(|it| {
            let same = (std::ptr::from_ref(it.dependency), it.lenient);
            !it.kept.is_empty() || known.insert(same)
        });
        new.cloned().collect()
    }

    /// What cannot be judged counts.
    pub fn lenient(self) -> Self {
        Waiting {
            lenient: true,
            ..self
        }
    }
}

/// What items have in common that may wait for each other: the service that is waited for, the
/// scope, its name, where they are if that counts, for which elements they are made if that counts,
/// and the values that have to be the same.
type Group<'m> = (
    ServiceIndex,
    DependencyScope,
    &'m str,
    Option<&'m Site<'static>>,
    Elements<'m>,
    Vec<&'m str>,
);

/// The elements of a list that items at one place are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Elements<'m> {
    /// All.
    All,
    /// This one.
    One(&'m str),
    /// Nothing tells which.
    Unknown,
}

/// Sets of elements that an item has to do with, by the element that it is made for.
type Sets<'m> = fn(Option<&'m str>) -> [Option<Elements<'m>>; 2];

impl<'m> Elements<'m> {
    /// The sets that an item belongs to.
    fn with(element: Option<&'m str>) -> [Option<Elements<'m>>; 2] {
        let own = element.map_or(Elements::Unknown, Elements::One);
        [Some(Elements::All), Some(own)]
    }

    /// The sets of those that an item has to do with, which have no member in common.
    fn beside(element: Option<&'m str>) -> [Option<Elements<'m>>; 2] {
        match element {
            Some(element) => [Some(Elements::One(element)), Some(Elements::Unknown)],
            None => [Some(Elements::All), None],
        }
    }
}

/// What is waited for, as far as it is the same for many items, and whether elements count.
type Wanted<'c> = (ServiceIndex, DependencyScope, bool, &'c [String]);

fn wanted<'c>(waiting: &Waiting<'c>) -> Wanted<'c> {
    let it = waiting.dependency;
    (it.on, it.scope, it.by_element, &it.same)
}

/// The items that an item waits for, by position, each with the time between the two.
type Before<'c> = BTreeMap<usize, Between<'c>>;

/// What lies between an item and one that it waits for; where several rules say so, the stricter
/// holds.
#[derive(Debug, Clone, Copy)]
struct Between<'c> {
    lag: Option<&'c str>,
    until_ended: bool,
}

impl<'c> Between<'c> {
    fn and(self, other: Between<'c>) -> Between<'c> {
        Between {
            lag: longer(self.lag, other.lag),
            until_ended: self.until_ended && other.until_ended,
        }
    }
}

/// Gives each item the ids of those that come first, without repetition, in the order of the items.
/// Of what stays as it is nothing is left but what lies between others.
pub fn resolve(made: &mut Vec<Made<'_>>, faults: &mut Faults) {
    if made.iter().all(|made| made.stays) {
        // Who lets go of what others still use and changes nothing else: that the order below is
        // there says that it was looked at.
        made.retain(|made| made.item.realizes.is_empty());
        return;
    }
    if made.iter().all(|made| made.waits.is_empty()) {
        made.retain(|made| !made.stays);
        return;
    }
    let found = match Search::of(made).all() {
        Ok(found) => found,
        Err(finding) => return faults.push(*finding),
    };
    let written = if made.iter().any(|it| it.stays) {
        let others = |before: &Vec<(usize, _)>| before.iter().map(|(other, _)| *other).collect();
        let before: Vec<Vec<usize>> = found.iter().map(others).collect();
        staying::written(made, &before)
    } else {
        vec![true; made.len()]
    };
    let before = found.into_iter().map(|before| {
        let before = before.into_iter().filter(|(other, _)| written[*other]);
        before
            .map(|(other, between)| write::Before {
                id: made[other].item.id.clone(),
                lag: between.lag.map(str::to_owned),
                until_ended: between.until_ended,
            })
            .collect()
    });
    let before: Vec<Vec<write::Before>> = before.collect();
    for (made, before) in made.iter_mut().zip(before) {
        made.item.dependencies = before;
    }
    let mut written = written.into_iter();
    made.retain(|_| written.next().unwrap_or(true));
}

/// The items of each group that another item asks for, sorted by group.
fn groups<'m>(made: &'m [Made<'_>]) -> Vec<(Group<'m>, usize)> {
    let mut wanted: Vec<Wanted<'_>> = made.iter().flat_map(|it| &it.waits).map(wanted).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut groups: Vec<(Group<'m>, usize)> = Vec::with_capacity(made.len());
    for (position, made) in made.iter().enumerate() {
        let Some(service) = made.service else {
            continue;
        };
        let first = wanted.partition_point(|(on, ..)| *on < service);
        let of_service = wanted[first..].iter();
        for wanted in of_service.take_while(|(on, ..)| *on == service) {
            let place = made.place.as_ref();
            each_group((made, Elements::with), place, *wanted, |group| {
                groups.push((group, position));
            });
        }
    }
    groups.sort_unstable();
    groups
}

/// Calls `visit` for each group that an item at a place waits for.
fn each_awaited<'m>(
    made: &'m Made<'_>,
    place: Option<&'m Site<'static>>,
    waiting: &Waiting<'_>,
    visit: impl FnMut(Group<'m>),
) {
    each_group((made, Elements::beside), place, wanted(waiting), visit);
}

/// Calls `visit` for each group of a kind that has to do with an item at a place, by the sets of
/// elements of its own; for none if it lacks what the group has in common.
fn each_group<'m>(
    (made, sets): (&'m Made<'_>, Sets<'m>),
    place: Option<&'m Site<'static>>,
    (service, scope, by_element, same): Wanted<'_>,
    mut visit: impl FnMut(Group<'m>),
) {
    let value = |name: &String| {
        let mut observed = made.observed.iter();
        observed
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let Some(values) = same.iter().map(value).collect::<Option<Vec<&str>>>() else {
        return;
    };
    // Nothing tells apart what is at no place, as far as anybody knows.
    let place = place.filter(|_| scope == DependencyScope::Site);
    let elements = if by_element {
        sets(made.element.as_deref())
    } else {
        [Some(Elements::All), None]
    };
    let mut group = |name: &'m str| {
        for elements in elements.into_iter().flatten() {
            visit((service, scope, name, place, elements, values.clone()));
        }
    };
    let names = match scope {
        DependencyScope::Order => &[],
        DependencyScope::Parent => made.parents(),
        DependencyScope::Site | DependencyScope::Item => made.roots.items.as_slice(),
    };
    if names.is_empty() {
        group("");
    }
    for name in names {
        group(name);
    }
}

struct Search<'m, 'c> {
    made: &'m [Made<'c>],
    groups: Vec<(Group<'m>, usize)>,
    /// Those of a group that pass a `where` that looks at nothing but them.
    passing: HashMap<(*const Dependency, Group<'m>), Vec<usize>>,
    /// Dependencies and pairs so far.
    count: usize,
}

impl<'m, 'c> Search<'m, 'c> {
    fn of(made: &'m [Made<'c>]) -> Search<'m, 'c> {
        Search {
            made,
            groups: groups(made),
            passing: HashMap::new(),
            count: 0,
        }
    }

    /// What each item waits for. What stays as it is is looked at where another item leads to it;
    /// where something is removed, all of it is, for it may stand on that.
    fn all(mut self) -> Result<Vec<Vec<(usize, Between<'c>)>>, Box<Diagnostic>> {
        let made = self.made;
        let mut found: Vec<Option<Vec<_>>> = vec![None; made.len()];
        let removes = made
            .iter()
            .any(|it| it.item.action == Action::Delete.name());
        let wanted = (0..made.len()).filter(|it| removes || !made[*it].stays);
        let mut open: Vec<usize> = wanted.rev().collect();
        self.count_plain(&open)?;
        while let Some(position) = open.pop() {
            if found[position].is_some() {
                continue;
            }
            let before = self.before(position)?;
            let behind = before.keys().copied();
            let behind = behind.filter(|it| !removes && made[*it].stays && found[*it].is_none());
            let behind: Vec<usize> = behind.collect();
            self.count_plain(&behind)?;
            open.extend(behind);
            found[position] = Some(before.into_iter().collect());
        }
        Ok(found.into_iter().map(Option::unwrap_or_default).collect())
    }

    fn members(&self, group: &Group<'m>) -> &[(Group<'m>, usize)] {
        let first = self.groups.partition_point(|(known, _)| known < group);
        let rest = &self.groups[first..];
        &rest[..rest.partition_point(|(known, _)| known == group)]
    }

    /// Counts the dependencies of items that nothing narrows, before they are gathered.
    fn count_plain(&mut self, items: &[usize]) -> Result<(), Box<Diagnostic>> {
        for made in items.iter().map(|it| &self.made[*it]) {
            for waiting in &made.waits {
                if waiting.dependency.filter.is_none() {
                    let mut count = 0;
                    each_awaited(made, made.place.as_ref(), waiting, |group| {
                        count += self.members(&group).len();
                    });
                    self.count += count;
                    self.within_limit(waiting)?;
                }
            }
        }
        Ok(())
    }

    fn before(&mut self, position: usize) -> Result<Before<'c>, Box<Diagnostic>> {
        let made = self.made;
        let mut before: Before<'c> = BTreeMap::new();
        let mut add = |other: usize, dependency: &'c Dependency| {
            if other != position {
                let between = Between {
                    lag: dependency.lag.as_deref(),
                    until_ended: dependency.until_ended,
                };
                before
                    .entry(other)
                    .and_modify(|known| *known = known.and(between))
                    .or_insert(between);
            }
        };
        let it = &made[position];
        for waiting in &it.waits {
            let dependency = waiting.dependency;
            if dependency.filter.is_none() {
                each_awaited(it, it.place.as_ref(), waiting, |group| {
                    let members = self.members(&group).iter();
                    members.for_each(|(_, other)| add(*other, dependency));
                });
                continue;
            }
            let mut asked: Vec<Group<'m>> = Vec::new();
            each_awaited(it, it.place.as_ref(), waiting, |it| asked.push(it));
            for group in asked {
                for other in self.passing(waiting, group)? {
                    add(other, dependency);
                }
            }
        }
        if it.left.is_some() {
            for (other, dependency) in self.removed_behind(it)? {
                add(other, dependency);
            }
        }
        Ok(before)
    }

    /// What an item that moves stands on where it was, and which is removed there: it goes when
    /// nothing is there any more.
    fn removed_behind(
        &mut self,
        it: &'m Made<'c>,
    ) -> Result<Vec<(usize, &'c Dependency)>, Box<Diagnostic>> {
        let mut found = Vec::new();
        let at_site = |it: &&Waiting<'c>| it.dependency.scope == DependencyScope::Site;
        for waiting in it.waits.iter().filter(at_site) {
            let waiting = waiting.clone().lenient();
            let mut asked = 0;
            each_awaited(it, it.left.as_ref(), &waiting, |group| {
                let members = self.members(&group);
                asked += members.len();
                for (_, other) in members {
                    let made = &self.made[*other];
                    let is_removed = made.item.action == Action::Delete.name();
                    if is_removed && passes(&waiting, made).unwrap_or(true) {
                        found.push((*other, waiting.dependency));
                    }
                }
            });
            self.count += asked;
            self.within_limit(&waiting)?;
        }
        Ok(found)
    }

    /// The items of a group that pass the `where` of a dependency.
    fn passing(
        &mut self,
        waiting: &Waiting<'c>,
        group: Group<'m>,
    ) -> Result<Vec<usize>, Box<Diagnostic>> {
        let alike = waiting.kept.is_empty();
        let key = (std::ptr::from_ref(waiting.dependency), group);
        if alike && let Some(known) = self.passing.get(&key) {
            let found = known.clone();
            self.count += found.len();
            return self.within_limit(waiting).map(|()| found);
        }
        let others: Vec<usize> = self.members(&key.1).iter().map(|(_, it)| *it).collect();
        self.count += others.len();
        self.within_limit(waiting)?;
        let mut found = Vec::new();
        for other in others {
            if passes(waiting, &self.made[other])? {
                found.push(other);
            }
        }
        if alike {
            self.passing.insert(key, found.clone());
        }
        Ok(found)
    }

    fn within_limit(&self, waiting: &Waiting<'c>) -> Result<(), Box<Diagnostic>> {
        if self.count <= MAX_DEPENDENCIES {
            return Ok(());
        }
        let message = format!(
            "more than {MAX_DEPENDENCIES} dependencies between items would have to be looked at"
        );
        let code = "decompose/too-many-dependencies";
        let finding = finding(code, &waiting.dependency.location, message);
        let hint = "narrow it: by a smaller `scope`, or by `same`, which looks at no pairs";
        Err(Box::new(finding.with_hint(hint)))
    }
}

/// Whether an item passes the `where` of a dependency.
fn passes(waiting: &Waiting<'_>, other: &Made<'_>) -> Result<bool, Box<Diagnostic>> {
    let Some(filter) = &waiting.dependency.filter else {
        return Ok(true);
    };
    let mut bindings = waiting.kept.bindings();
    let members = other.observed.iter();
    bindings.bind_object("other", members.map(|(name, value)| (*name, &**value)));
    match filter.holds(&bindings) {
        Err(fault) if !waiting.lenient => {
            let message = format!(
                "`where` cannot be judged for item `{}`: {}",
                other.item.id, fault.message
            );
            let place = &waiting.dependency.location;
            Err(finding("decompose/where", place, message))
        }
        outcome => Ok(outcome.unwrap_or(true)),
    }
}

fn finding(code: &'static str, place: &Location, message: String) -> Box<Diagnostic> {
    let finding = Diagnostic::new(Code(code), Severity::Error, place.clone(), message);
    Box::new(finding)
}

/// The longer of two times.
fn longer<'c>(one: Option<&'c str>, other: Option<&'c str>) -> Option<&'c str> {
    let length = |text: Option<&str>| text.and_then(crate::catalog::iso_duration);
    if length(other) > length(one) {
        other
    } else {
        one
    }
}
