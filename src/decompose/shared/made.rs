//! Shared things, once all who want them are known.

use std::collections::BTreeSet;
use std::rc::Rc;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use super::{Parent, Sharing};
use crate::catalog::Values;
use crate::catalog::expression::Kept;
use crate::decompose::dependencies::Waiting;
use crate::decompose::expand::{Expansion, Part, Source, Thing, installed_values};
use crate::decompose::explain::Outcome;
use crate::decompose::standing::Mode;
use crate::decompose::step::Fate;
use crate::document::{Document, Node};
use crate::inventory::Layer;
use crate::model::Action;

/// How a part of a shared thing is made.
struct At<'a> {
    mode: Mode,
    place: Option<Node<'a>>,
    given: Option<Node<'a>>,
}

impl<'c> Expansion<'_, 'c> {
    /// Makes what is shared, what others are inside of first.
    pub fn share(&mut self) {
        let mut done: HashSet<usize> = HashSet::new();
        loop {
            let open = self.shared.groups.iter().enumerate();
            let next = open
                .filter(|(position, _)| !done.contains(position))
                .min_by_key(|(position, group)| (group.candidate.target.rank, *position));
            let Some((next, _)) = next else { break };
            done.insert(next);
            self.make_shared(next);
        }
        if !done.is_empty() {
            self.steps.made.sort_by_key(|made| made.slot);
            self.bundle();
        }
    }

    fn make_shared(&mut self, position: usize) {
        let parts = std::mem::take(&mut self.shared.groups[position].parts);
        let parents = std::mem::take(&mut self.shared.groups[position].parents);
        let left = std::mem::take(&mut self.shared.groups[position].left);
        let wants = parents.iter().any(|it| !matches!(it.mode, Mode::All(_)));
        if wants {
            self.make_wanted(position, parts, (&parents, &left));
        } else if parents.is_empty() {
            self.make_left(position, parts, &left);
        } else {
            let outcome = Outcome::Unchanged;
            self.tell(position, &parents, &outcome);
            self.make_bare(position, parts, (Action::NoChange, &parents, &left));
        }
    }

    /// Something that at least one parent wants.
    fn make_wanted(
        &mut self,
        position: usize,
        mut parts: Vec<Part<'c>>,
        (parents, left): (&[Parent], &[Parent]),
    ) {
        if self.is_added_again(&parts, parents) {
            for part in &mut parts {
                part.installed = None;
            }
        }
        let before: Vec<Option<Values<'c>>> = parts
            .iter()
            .map(|part| part.installed.as_ref().map(|it| installed_values(it, None)))
            .collect();
        let first = before.iter().flatten().next();
        let Some(values) = self.agreed(position, first) else {
            return;
        };
        let place = self.shared.groups[position].place();
        let place = place.as_ref().map(Document::root);
        let action = match self.with.inventory {
            Some(_) => Action::Add,
            None => handed_down(parents),
        };
        let mut told = None;
        for (part, before) in parts.into_iter().zip(&before) {
            let full = self.with_defaults(values.clone(), part.specification);
            let group = &self.shared.groups[position];
            let given = place.filter(|_| group.says_where());
            let fate = match (&part.installed, before) {
                (Some(installed), Some(before)) => {
                    let touched =
                        self.is_touched(group.changes, group.candidate) || installed.is_degraded();
                    Fate::compared(&full, (installed, before), given, touched)
                }
                _ => Fate::new(action, full.clone()),
            };
            told.get_or_insert_with(|| Outcome::of(&fate, part.installed.as_ref()));
            let full = match before {
                Some(before) => full.over(before),
                None => full,
            };
            let mode = match &part.installed {
                Some(_) => Mode::Compare,
                None => Mode::Make(action),
            };
            let at = At { mode, place, given };
            self.make_part(position, (part, at), (parents, left), (&fate, &full));
        }
        self.tell(position, parents, &told.unwrap_or(Outcome::Made));
        let users = parents.iter().map(|it| it.item.clone()).collect();
        self.tell(position, left, &Outcome::StillUsed { by: users });
    }

    /// Something that nobody of the order wants any more: it goes, unless others use it.
    fn make_left(&mut self, position: usize, parts: Vec<Part<'c>>, left: &[Parent]) {
        let mut users: BTreeSet<String> = BTreeSet::new();
        for installed in parts.iter().filter_map(|it| it.installed.as_ref()) {
            users.extend(self.users(installed));
        }
        users.retain(|user| {
            !self.gone.contains(user) && !left.iter().any(|parent| parent.entity == *user)
        });
        if users.is_empty() {
            self.tell_gone(position, left);
            return self.make_bare(position, parts, (Action::Delete, left, &[]));
        }
        let by = users.into_iter().collect();
        self.tell(position, left, &Outcome::StillUsed { by });
        let releases = left
            .iter()
            .any(|parent| !self.gone.contains(&parent.entity));
        // Else nobody of the order has it any more, and what goes may wait through it.
        if releases || self.layer == Layer::Resource {
            self.shared.groups[position].stays = !releases;
            self.make_bare(position, parts, (Action::NoChange, &[], left));
        }
    }

    fn make_bare(
        &mut self,
        position: usize,
        parts: Vec<Part<'c>>,
        (action, parents, left): (Action, &[Parent], &[Parent]),
    ) {
        for part in parts.into_iter().filter(|it| it.installed.is_some()) {
            let full = part
                .installed
                .as_ref()
                .map_or_else(Values::default, |it| installed_values(it, None));
            let at = At {
                mode: Mode::All(action),
                place: part.installed.as_ref().and_then(|it| it.node.get("place")),
                given: None,
            };
            let fate = Fate::bare(action);
            self.make_part(position, (part, at), (parents, left), (&fate, &full));
        }
    }

    fn make_part(
        &mut self,
        position: usize,
        (part, at): (Part<'c>, At<'_>),
        (parents, left): (&[Parent], &[Parent]),
        (fate, full): (&Fate<'_>, &Values<'_>),
    ) {
        let group = &self.shared.groups[position];
        let (candidate, node) = (group.candidate, group.node);
        let roots = Rc::new(group.roots());
        let (now, then) = match &group.around {
            Some((_, now, then)) => (now.clone(), then.clone()),
            None => (Kept::default(), Kept::default()),
        };
        let (now, then) = (now.bindings(), then.bindings());
        let released = left.iter().filter(|it| !self.gone.contains(&it.entity));
        let sharing = Sharing {
            slot: group.slot,
            parents: parents.iter().map(|it| it.item.clone()).collect(),
            released: released.map(|it| it.item.clone()).collect(),
            stays: group.stays,
        };
        let waits = Waiting::once(&group.waits);
        let values = Values::default();
        let source = Source {
            node,
            item_id: &group.item_id.clone(),
            entity_id: "",
            specification: &candidate.target.specification,
            key: "",
            decompositions: &[],
            own: None,
            roots: &roots,
            quantity: 1,
            mode: at.mode,
            values: &values,
            before: None,
            now: &now,
            then: &then,
            place: None,
            there: None,
            given: None,
            changes: group.changes,
            sharing: Some(&sharing),
        };
        let thing = Thing {
            candidate: Some(candidate),
            item_id: part.item_id,
            entity_id: part.entity_id,
            name: &part.name,
            specification: part.specification,
            installed: part.installed,
            waits,
            place: at.place,
            given: at.given,
        };
        self.make(&source, thing, fate, full);
    }

    /// Services say which shared services they hold: ids do not tell.
    fn bundle(&mut self) {
        if self.layer != Layer::Service {
            return;
        }
        let mut held: HashMap<String, Vec<String>> = HashMap::new();
        for made in self.steps.made.iter().filter(|it| it.is_shared) {
            for parent in made.parents.iter().flatten() {
                held.entry(parent.clone())
                    .or_default()
                    .push(made.item.id.clone());
            }
        }
        for made in &mut self.steps.made {
            if let Some(held) = held.remove(&made.item.id) {
                made.item.bundles = held;
            }
        }
    }
}

/// The action of something shared where there is no installed base to compare with.
fn handed_down(parents: &[Parent]) -> Action {
    let actions: Vec<Action> = parents
        .iter()
        .filter_map(|it| match it.mode {
            Mode::Make(action) => Some(action),
            Mode::Compare | Mode::All(_) => None,
        })
        .collect();
    match actions.as_slice() {
        [first, others @ ..] if others.iter().all(|it| it == first) => *first,
        actions if actions.contains(&Action::Add) => Action::Add,
        _ => Action::Modify,
    }
}
