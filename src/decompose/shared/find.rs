//! Which shared thing is meant, and what is installed of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Group;
use crate::catalog::expression::{Bindings, EvaluationFault};
use crate::catalog::{Share, ShareScope};
use crate::decompose::expand::{Candidate, Expansion, Part, Source, joined};
use crate::decompose::faults::{ElementKey, Place, shortened};
use crate::decompose::loops;
use crate::decompose::standing::Standing;
use crate::document::Node;
use crate::inventory::Installed;
use crate::model::{Site, place};

/// What a shared thing is called.
pub(super) struct Called {
    item_id: String,
    /// Id that is computed for it.
    entity_id: String,
    /// What stands for its place in both, if it is shared at a site.
    place: Option<String>,
}

impl<'c> Expansion<'_, 'c> {
    /// What a shared thing is called. What cannot be told is a fault.
    pub(super) fn called(
        &mut self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        (bindings, place): (&Bindings<'_>, Option<Node<'_>>),
    ) -> Option<Called> {
        let decomposition = candidate.decomposition?;
        let share = decomposition.share.as_ref()?;
        let at = Place {
            decomposition,
            node: source.node,
            element: ElementKey {
                above: source.key,
                suffix: "",
            },
        };
        let mut inside = candidate.target.specification.id.clone();
        match key(share, bindings) {
            Ok(Some(key)) => {
                inside.push('.');
                inside.push_str(&key);
            }
            Ok(None) => {}
            Err(fault) => {
                self.steps
                    .faults
                    .evaluation(at, "the key of `share` cannot be computed", &fault);
                return None;
            }
        }
        let at_site = place.filter(|_| share.scope == ShareScope::Site);
        let key = at_site.and_then(place::key);
        match &key {
            Some(key) => inside = format!("{key}.{inside}"),
            None if share.scope == ShareScope::Site => {
                let message =
                    "it is shared at a site, and there is no place with an `id`, `href` or `name`";
                self.steps
                    .faults
                    .of_rule(at, "decompose/share-place", message);
                return None;
            }
            None => {}
        }
        let root = source.roots.items.first();
        let (item_id, entity_id) = match (share.scope, root) {
            (ShareScope::Order, _) | (_, None) => {
                let entity = format!("{}.{inside}", self.root_order);
                (inside, entity)
            }
            (_, Some(root)) => (
                format!("{root}.{inside}"),
                format!("{}.{inside}", source.roots.entity),
            ),
        };
        if let Some(site) = at_site.and_then(Site::of)
            && !self.shared.is_at(&item_id, site)
        {
            let message =
                format!("it is shared at a site, and two places lead to the item `{item_id}`");
            self.steps
                .faults
                .of_rule(at, "decompose/share-place", &message);
            return None;
        }
        Some(Called {
            item_id,
            entity_id,
            place: key.map(Cow::into_owned),
        })
    }

    /// The group of a thing that is wanted, with what is installed of it.
    pub(super) fn wanted_group(
        &mut self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        (called, standing): (Called, &mut Standing<'c>),
    ) -> usize {
        let item_id = called.item_id.clone();
        if let Some(group) = self.shared.by_item.get(&item_id).copied() {
            let mut parts = std::mem::take(&mut self.shared.groups[group].parts);
            for part in &mut parts {
                match &part.installed {
                    Some(installed) => {
                        standing.take(&installed.id, &part.specification.id);
                    }
                    None => self.find(candidate, part, (&called, standing)),
                }
            }
            self.shared.groups[group].parts = parts;
            self.shared.note_entities(group);
            return group;
        }
        let key = key_of(&item_id, source, candidate);
        let ids = (item_id.clone(), called.entity_id.clone());
        let mut parts = self.parts(candidate, ids, &key);
        for part in &mut parts {
            self.find(candidate, part, (&called, standing));
        }
        let known = parts.iter().find_map(|part| {
            let installed = part.installed.as_ref()?;
            self.shared.by_entity.get(&*installed.id).copied()
        });
        let group = match known {
            Some(known) => {
                let known_parts = &mut self.shared.groups[known].parts;
                for (part, known) in parts.iter_mut().zip(known_parts.drain(..)) {
                    part.installed = part.installed.take().or(known.installed);
                }
                *known_parts = parts;
                self.shared.groups[known].item_id.clone_from(&item_id);
                known
            }
            None => self.new_group(source, candidate, (item_id.clone(), parts)),
        };
        self.shared.by_item.insert(item_id, group);
        self.shared.note_entities(group);
        group
    }

    pub(super) fn new_group(
        &mut self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        (item_id, parts): (String, Vec<Part<'c>>),
    ) -> usize {
        let decomposition = candidate.decomposition;
        self.shared.groups.push(Group {
            candidate,
            decomposition: decomposition.expect("only rules say that something is shared"),
            node: source.node,
            item_id,
            // Before what comes next.
            slot: self.steps.slot.unwrap_or(2 * self.steps.made.len()),
            roots: BTreeMap::new(),
            parts,
            parents: Vec::new(),
            left: Vec::new(),
            values: Vec::new(),
            places: Vec::new(),
            waits: Vec::new(),
            around: None,
            changes: false,
            stays: self.staying.is_some(),
        });
        self.shared.groups.len() - 1
    }

    /// Whether something installed is where a shared thing is wanted: by its own place, else it is
    /// where all who use it are, unless the rule says another place.
    fn is_there(
        &self,
        candidate: Candidate<'c>,
        called: &Called,
        installed: &Installed<'_>,
    ) -> bool {
        let Some(wanted) = called.place.as_deref() else {
            return true;
        };
        let own = installed.place().filter(|it| Site::of(*it).is_some());
        if own.and_then(place::key).as_deref() == Some(wanted) {
            return true;
        }
        if candidate.decomposition.is_some_and(|it| it.place.is_some()) {
            return own.is_none();
        }
        let place_of = |user: &String| {
            let inventory = self.with.inventory?;
            let user = inventory
                .service(user)
                .or_else(|| inventory.product(user))?;
            place::key(user.place()?).map(Cow::into_owned)
        };
        let users = self.users(installed);
        users.iter().filter_map(place_of).all(|it| it == wanted)
    }

    /// Looks for what is installed of a part: below the parent, where it is wanted, or under the id
    /// that would be computed for it.
    fn find(
        &self,
        candidate: Candidate<'c>,
        part: &mut Part<'c>,
        (called, standing): (&Called, &mut Standing<'c>),
    ) {
        let specification = &part.specification.id;
        let is_there = |it: &Installed<'c>| self.is_there(candidate, called, it);
        let mark = format!(".{}", candidate.target.specification.id);
        let rest = part.entity_id.rfind(&mark).map(|at| &part.entity_id[at..]);
        part.installed = standing
            .take(&part.entity_id, specification)
            .or_else(|| {
                standing.take_any(specification, |it| {
                    rest.is_some_and(|rest| it.id.ends_with(rest)) && is_there(it)
                })
            })
            .or_else(|| {
                let name = (specification.as_str(), &*part.name);
                standing.take_called(name, is_there)
            })
            .or_else(|| {
                let keyed = candidate.share().is_some_and(|it| it.key.is_some());
                standing.take_any(specification, |it| {
                    !keyed && !it.id.contains(&mark) && is_there(it)
                })
            })
            .or_else(|| {
                let found = self.with.inventory?.get(self.layer, &part.entity_id)?;
                (found.specification_id() == *specification).then_some(found)
            });
    }

    /// The group of something installed that its parent did not ask for.
    pub(super) fn installed_group(
        &mut self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        (position, installed): (usize, Installed<'c>),
    ) -> usize {
        if let Some(group) = self.shared.by_entity.get(&*installed.id) {
            return *group;
        }
        let specification = &candidate.target.specification.id;
        let several = self.parts(candidate, Default::default(), "").len() > 1;
        let end = format!(".{}", installed.specification_id());
        let whole = installed.id.strip_suffix(&end).filter(|_| several);
        let whole = whole.unwrap_or(&installed.id).to_owned();
        let item_id = item_of(&whole, source, candidate.share(), specification);
        let known = self.shared.by_item.get(&item_id).copied();
        let known = known.filter(|known| {
            let group = &self.shared.groups[*known];
            let part = group.parts.get(position);
            group.stays == self.staying.is_some()
                && part.is_some_and(|part| part.installed.is_none())
        });
        let group = known.unwrap_or_else(|| {
            let item_id = if self.shared.by_item.contains_key(&item_id) {
                self.steps.new_id(format!("{item_id}.{}", installed.id))
            } else {
                item_id
            };
            let key = key_of(&item_id, source, candidate);
            let parts = self.parts(candidate, (item_id.clone(), whole), &key);
            let group = self.new_group(source, candidate, (item_id.clone(), parts));
            self.shared.by_item.insert(item_id, group);
            group
        });
        self.shared.groups[group].parts[position].installed = Some(installed);
        self.shared.note_entities(group);
        group
    }
}

/// What tells a shared thing from others of its kind, from the id of its item: its place, its key.
fn key_of(item_id: &str, source: &Source<'_, '_>, candidate: Candidate<'_>) -> String {
    let inside = (source.roots.items.first())
        .filter(|_| {
            candidate
                .share()
                .is_some_and(|it| it.scope != ShareScope::Order)
        })
        .and_then(|root| item_id.strip_prefix(root.as_str())?.strip_prefix('.'))
        .unwrap_or(item_id);
    let (place, key) = inside
        .split_once(candidate.target.specification.id.as_str())
        .unwrap_or(("", ""));
    joined(place.trim_end_matches('.'), key).into_owned()
}

/// The item id of something installed, from its own.
fn item_of(
    entity: &str,
    source: &Source<'_, '_>,
    share: Option<&Share>,
    specification: &str,
) -> String {
    let below_root = entity
        .strip_prefix(&source.roots.entity)
        .and_then(|rest| rest.strip_prefix('.'));
    let mark = format!(".{specification}");
    let rest = below_root
        .or_else(|| entity.find(&mark).map(|at| &entity[at + 1..]))
        .unwrap_or(specification);
    let order = share.is_some_and(|it| it.scope == ShareScope::Order);
    match source.roots.items.first().filter(|_| !order) {
        Some(root) => format!("{root}.{rest}"),
        None => rest.to_owned(),
    }
}

fn key(share: &Share, bindings: &Bindings<'_>) -> Result<Option<String>, EvaluationFault> {
    let Some(key) = &share.key else {
        return Ok(None);
    };
    let value = key.evaluate(bindings)?;
    match loops::key_text(&value) {
        Some(key) => Ok(Some(key)),
        None => Err(EvaluationFault {
            message: format!("{} is no text and no whole number", shortened(&value)),
            seen: Vec::new(),
        }),
    }
}
