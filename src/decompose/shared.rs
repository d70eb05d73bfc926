//! What several parents share: made once, when all who want it are known.
//!
//! Of what is installed a parent may also let go: by being deleted, or by no
//! longer wanting it. It stays as long as others use it, those that the order
//! does not touch among them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::around;
use super::dependencies::Waiting;
use super::expand::{
    Candidate, Expansion, Level, Part, Source, Subject, Thing, Wanted, installed_values,
};
use super::explain::{Explanation, Outcome, Story};
use super::faults::{Place, shortened};
use super::loops::Reading;
use super::mapping::Values;
use super::standing::{self, Mode, Standing};
use super::step::{Fate, Roots, still_waits};
use crate::catalog::expression::{Bindings, EvaluationFault, Kept};
use crate::catalog::{Decomposition, Dependency, Facing, Mapping, Share, ShareScope};
use crate::document::{Document, Node};
use crate::inventory::{Installed, Layer};
use crate::model::Action;

/// Everything that is shared in an order.
#[derive(Default)]
pub struct Shared<'c> {
    groups: Vec<Group<'c>>,
    by_item: HashMap<String, usize>,
    /// By the id that what is installed has.
    by_entity: HashMap<String, usize>,
}

/// A thing and those who share it.
struct Group<'c> {
    candidate: Candidate<'c>,
    decomposition: &'c Decomposition,
    /// The first item that leads to it, for findings.
    node: Node<'c>,
    item_id: String,
    /// Where its item stands among the others.
    slot: usize,
    /// Product order items that it is part of, each with the id of its product.
    roots: BTreeMap<String, String>,
    parts: Vec<Part<'c>>,
    /// Who wants it.
    parents: Vec<Parent>,
    /// Who had it and lets go of it.
    left: Vec<Parent>,
    /// Names, and the different values that were given.
    values: Vec<(String, Vec<Given>)>,
    /// The places where it is wanted, as JSON texts.
    places: Vec<String>,
    waits: Vec<Waiting<'c>>,
    /// The variables around the first of its roots, as they are to be and before the order.
    around: Option<(String, Kept, Kept)>,
    /// Whether a characteristic of a product changes that it is made for.
    changes: bool,
}

/// A parent of a shared thing.
struct Parent {
    item: String,
    entity: String,
    /// How what is below it is treated.
    mode: Mode,
    /// What explains it.
    explanation: Option<usize>,
}

/// A value of a shared thing.
struct Given {
    value: String,
    /// Id of the item that gave it first.
    by: String,
    /// Whether it tells of an order: what is installed counts for more.
    weak: bool,
}

impl<'c> Expansion<'_, 'c> {
    /// A shared thing for one element: noted, if it is wanted. Gives its characteristics.
    pub fn want(
        &mut self,
        level: &Level<'_, 'c>,
        subject: &Subject<'_, 'c>,
        standing: &mut Standing<'c>,
    ) -> Option<String> {
        let source = level.source;
        let candidate = subject.candidate;
        let decomposition = candidate.decomposition?;
        let elements = subject.element.bindings;
        let own = self.steps.place(decomposition, elements, source.node);
        let own = own.as_ref().map(Reading::node);
        let place = own.or_else(|| around::first(source.place));
        let mut bindings = Bindings::over(elements);
        if own.is_some() {
            around::bind_place(&mut bindings, own);
        }
        let ids = self.share_ids(source, candidate, (&bindings, place))?;
        let group = self.wanted_group(source, candidate, (ids, standing));
        // What this very order has added is not there yet when it is looked at once more.
        let parts = self.shared.groups[group].parts.iter();
        let installed = parts
            .filter_map(|part| part.installed.as_ref())
            .map(|it| installed_values(it, None))
            .next()
            .filter(|_| source.before.is_some());
        let (wanted, story) = self.wanted(level, subject, &bindings, installed.as_ref());
        let Some(wanted) = wanted else {
            self.refuse(level, group, story);
            return None;
        };
        let sibling = decomposition.observed.then(|| wanted.values.to_json());
        let layer = self.layer;
        let explanation = self.steps.explain(|| Explanation {
            outcome: Outcome::Made,
            ..about(layer, source, candidate, story)
        });
        self.join(source, group, (wanted, place), explanation);
        sibling
    }

    /// Item and entity id of a shared thing. What cannot be told is a fault.
    fn share_ids(
        &mut self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        (bindings, place): (&Bindings<'_>, Option<Node<'_>>),
    ) -> Option<(String, String)> {
        let decomposition = candidate.decomposition?;
        let share = decomposition.share.as_ref()?;
        let at = Place {
            decomposition,
            node: source.node,
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
        if share.scope == ShareScope::Site {
            let id = place
                .and_then(|it| it.text("id"))
                .filter(|id| !id.is_empty());
            let Some(id) = id else {
                let message = "it is shared at a site, and there is no place with an `id`";
                self.steps
                    .faults
                    .of_rule(at, "decompose/share-place", message);
                return None;
            };
            inside = format!("{id}.{inside}");
        }
        let root = source.roots.items.first();
        Some(match (share.scope, root) {
            (ShareScope::Order, _) | (_, None) => {
                let entity = format!("{}.{inside}", self.root_order);
                (inside, entity)
            }
            (_, Some(root)) => (
                format!("{root}.{inside}"),
                format!("{}.{inside}", source.roots.entity),
            ),
        })
    }

    /// The group of a thing that is wanted, with what is installed of it.
    fn wanted_group(
        &mut self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        ((item_id, entity_id), standing): ((String, String), &mut Standing<'c>),
    ) -> usize {
        if let Some(group) = self.shared.by_item.get(&item_id).copied() {
            let mut parts = std::mem::take(&mut self.shared.groups[group].parts);
            for part in &mut parts {
                match &part.installed {
                    Some(installed) => {
                        standing.take(&installed.id, &part.specification.id);
                    }
                    None => self.find(candidate, part, standing),
                }
            }
            self.shared.groups[group].parts = parts;
            self.shared.note_entities(group);
            return group;
        }
        let mut parts = self.parts(candidate, item_id.clone(), entity_id);
        for part in &mut parts {
            self.find(candidate, part, standing);
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

    fn new_group(
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
        });
        self.shared.groups.len() - 1
    }

    /// Looks for what is installed of a part: below the parent, or under the id that would be
    /// computed for it.
    fn find(&self, candidate: Candidate<'c>, part: &mut Part<'c>, standing: &mut Standing<'c>) {
        let specification = &part.specification.id;
        let mark = format!(".{}", candidate.target.specification.id);
        let rest = part.entity_id.rfind(&mark).map(|at| &part.entity_id[at..]);
        part.installed = standing
            .take(&part.entity_id, specification)
            .or_else(|| {
                standing.take_any(specification, |id| rest.is_some_and(|it| id.ends_with(it)))
            })
            .or_else(|| {
                let keyed = candidate.share().is_some_and(|it| it.key.is_some());
                let unmarked = |id: &str| !keyed && !id.contains(&mark);
                standing.take_any(specification, unmarked)
            })
            .or_else(|| {
                let found = self.with.inventory?.get(self.layer, &part.entity_id)?;
                (found.specification_id() == *specification).then_some(found)
            });
    }

    /// Adds a parent that wants a shared thing.
    fn join(
        &mut self,
        source: &Source<'_, 'c>,
        group: usize,
        (wanted, place): (Wanted<'_, 'c>, Option<Node<'_>>),
        explanation: Option<usize>,
    ) {
        let group = &mut self.shared.groups[group];
        group.belongs_to(source);
        if group.parents.iter().any(|it| it.item == source.item_id) {
            // Another element of the same parent.
        } else {
            group.parents.push(Parent::of(source, explanation));
        }
        for (name, value) in wanted.values.iter() {
            let of_order = |it: &&Mapping| it.target == name && it.of_order;
            let weak =
                source.before.is_none() && group.decomposition.mappings().find(of_order).is_some();
            group.give(name, value, (source.item_id, weak));
        }
        if let Some(place) = place {
            let text = place.compact();
            if !group.places.iter().any(|it| *it == text) {
                group.places.push(text.into_owned());
            }
        }
        group.waits.extend(wanted.waits);
        let first = group.around.as_ref().is_none_or(|(root, ..)| {
            let own = source.roots.items.first();
            own.is_some_and(|own| own < root)
        });
        if first && self.layer == Layer::Service {
            let root = source.roots.items.first().cloned().unwrap_or_default();
            let around = (source.now.keep_all(), source.then.keep_all());
            group.around = Some((root, around.0, around.1));
        }
    }

    /// A parent for which the condition of a shared thing is false: it lets go of what it has.
    fn refuse(&mut self, level: &Level<'_, 'c>, group: usize, story: Story) {
        let source = level.source;
        let candidate = self.shared.groups[group].candidate;
        let layer = self.layer;
        let explanation = self.steps.explain(|| Explanation {
            item: self.shared.groups[group].item_id.clone(),
            outcome: Outcome::NotMade,
            ..about(layer, source, candidate, story)
        });
        let used = self.shared.groups[group].parts.iter().any(|part| {
            let installed = part.installed.as_ref();
            installed.is_some_and(|it| self.users(it).contains(source.entity_id))
        });
        if used {
            self.let_go(level, group, explanation);
        }
    }

    fn let_go(&mut self, level: &Level<'_, 'c>, group: usize, explanation: Option<usize>) {
        let group = &mut self.shared.groups[group];
        group.belongs_to(level.source);
        if group
            .parents
            .iter()
            .chain(&group.left)
            .any(|it| it.item == level.source.item_id)
        {
            return;
        }
        let of_rule = group.decomposition.alternatives.last();
        let of_rule: &[Dependency] = of_rule.map_or(&[], |it| &it.depends_on);
        group.waits.extend(still_waits(of_rule, level.before));
        group.left.push(Parent::of(level.source, explanation));
    }

    /// What a parent has of a shared thing and did not ask for: it lets go of it, or keeps it if
    /// it stays as it is.
    pub fn unwant(
        &mut self,
        level: &Level<'_, 'c>,
        candidate: Candidate<'c>,
        (standing, action): (&mut Standing<'c>, Action),
    ) {
        let source = level.source;
        let mark = format!(".{}", candidate.target.specification.id);
        for (position, part) in self
            .parts(candidate, String::new(), String::new())
            .into_iter()
            .enumerate()
        {
            let specification = &part.specification.id;
            while let Some(installed) = standing
                .take_any(specification, |id| id.contains(&mark))
                .or_else(|| {
                    let keyed = candidate.share().is_some_and(|it| it.key.is_some());
                    standing.take_any(specification, |_| !keyed)
                })
            {
                let group = self.installed_group(source, candidate, (position, installed));
                let story = Story::default();
                let layer = self.layer;
                let explanation = self.steps.explain(|| Explanation {
                    outcome: Outcome::of_above(action),
                    ..about(layer, source, candidate, story)
                });
                if action == Action::NoChange {
                    let group = &mut self.shared.groups[group];
                    group.belongs_to(source);
                    group.parents.push(Parent::of(source, explanation));
                } else {
                    self.let_go(level, group, explanation);
                }
            }
        }
    }

    /// The group of something installed that its parent did not ask for.
    fn installed_group(
        &mut self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        (position, installed): (usize, Installed<'c>),
    ) -> usize {
        if let Some(group) = self.shared.by_entity.get(&*installed.id) {
            return *group;
        }
        let specification = &candidate.target.specification.id;
        let several = self.parts(candidate, String::new(), String::new()).len() > 1;
        let end = format!(".{}", installed.specification_id());
        let whole = installed.id.strip_suffix(&end).filter(|_| several);
        let whole = whole.unwrap_or(&installed.id).to_owned();
        let item_id = item_of(&whole, source, candidate.share(), specification);
        let known = self.shared.by_item.get(&item_id).copied();
        let known = known.filter(|known| {
            let part = self.shared.groups[*known].parts.get(position);
            part.is_some_and(|part| part.installed.is_none())
        });
        let group = known.unwrap_or_else(|| {
            let item_id = if self.shared.by_item.contains_key(&item_id) {
                self.steps.new_id(format!("{item_id}.{}", installed.id))
            } else {
                item_id
            };
            let parts = self.parts(candidate, item_id.clone(), whole);
            let group = self.new_group(source, candidate, (item_id.clone(), parts));
            self.shared.by_item.insert(item_id, group);
            group
        });
        self.shared.groups[group].parts[position].installed = Some(installed);
        self.shared.note_entities(group);
        group
    }

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
                    let touched = self.is_touched(group.changes, group.candidate);
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
        if releases {
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
        };
        let waits = group.waits.clone();
        let values = Values::default();
        let source = Source {
            node,
            item_id: &group.item_id.clone(),
            entity_id: "",
            specification: &candidate.target.specification,
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
            name: part.name,
            specification: part.specification,
            installed: part.installed,
            waits,
            place: at.place,
            given: at.given,
        };
        self.make(&source, thing, fate, full);
    }

    /// Whether everything that is installed was added by this very order: it is looked at once
    /// more.
    fn is_added_again(&self, parts: &[Part<'c>], parents: &[Parent]) -> bool {
        let added = |entity: &str| {
            parents
                .iter()
                .any(|it| it.entity == entity && it.mode == Mode::Make(Action::Add))
        };
        let mut installed = parts.iter().filter_map(|part| part.installed.as_ref());
        parents.iter().all(|it| it.mode == Mode::Make(Action::Add))
            && installed.all(|it| self.users(it).iter().all(|user| added(user)))
    }

    /// Ids of the services and products that use something installed. For resources, services
    /// that face resources stand for those who use them.
    fn users(&self, installed: &Installed<'_>) -> BTreeSet<String> {
        let Some(inventory) = self.with.inventory else {
            return BTreeSet::new();
        };
        let mut users = BTreeSet::new();
        let mut open = vec![(installed.layer, installed.id.to_string())];
        let mut seen: HashSet<(Layer, String)> = HashSet::new();
        while let Some((layer, id)) = open.pop() {
            for (layer, user) in inventory.users(layer, &id) {
                let service = inventory.get(*layer, user);
                let service = service.and_then(|it| {
                    let id = it.specification_id();
                    self.with.catalog.service(id).map(|it| it.facing)
                });
                if service == Some(Facing::Resource) && installed.layer == Layer::Resource {
                    if seen.insert((*layer, user.clone())) {
                        open.push((*layer, user.clone()));
                    }
                } else {
                    users.insert(user.clone());
                }
            }
        }
        users
    }

    /// The values that all parents agree on, over which what is installed counts for those that
    /// tell of an order. Parents that do not agree are a fault.
    fn agreed(
        &mut self,
        position: usize,
        installed: Option<&Values<'_>>,
    ) -> Option<Values<'static>> {
        let group = &self.shared.groups[position];
        let at = Place {
            decomposition: group.decomposition,
            node: group.node,
        };
        let (mut agreed, mut sound) = (Values::default(), true);
        for (name, given) in &group.values {
            let known = installed.and_then(|it| it.get(name));
            let given: Vec<&Given> = given
                .iter()
                .filter(|it| !it.weak || known.is_none())
                .collect();
            match given.as_slice() {
                [] => {}
                [one, other, ..] if !standing::same(&one.value, &other.value) => {
                    sound = false;
                    let message = format!(
                        "`{}` is shared and has one `{name}`: it would be {} for item `{}`, and {} for item `{}`",
                        group.item_id,
                        shortened(&one.value),
                        one.by,
                        shortened(&other.value),
                        other.by
                    );
                    self.steps
                        .faults
                        .of_rule(at, "decompose/share-conflict", &message);
                }
                [one, ..] => agreed.insert(name, &one.value),
            }
        }
        sound.then_some(agreed)
    }

    /// Tells how it came out for parents, as they have been told to want it.
    fn tell(&mut self, position: usize, parents: &[Parent], outcome: &Outcome) {
        for explanation in parents.iter().filter_map(|it| it.explanation) {
            let told = &mut self.steps.explanations[explanation];
            told.item.clone_from(&self.shared.groups[position].item_id);
            told.outcome = outcome.clone();
            told.sharers = match outcome {
                Outcome::StillUsed { .. } => 0,
                _ => parents.len(),
            };
        }
    }

    /// Tells those who let go of it that it goes.
    fn tell_gone(&mut self, position: usize, left: &[Parent]) {
        for explanation in left.iter().filter_map(|it| it.explanation) {
            let told = &mut self.steps.explanations[explanation];
            told.item.clone_from(&self.shared.groups[position].item_id);
            told.sharers = left.len();
            if told.outcome == Outcome::NotMade {
                told.outcome = Outcome::Deleted { why: None };
            }
        }
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

/// How a part of a shared thing is made.
struct At<'a> {
    mode: Mode,
    place: Option<Node<'a>>,
    given: Option<Node<'a>>,
}

/// Who shares what is made.
pub struct Sharing {
    /// Where its item stands among the others.
    pub slot: usize,
    /// Items of those who share it.
    pub parents: Vec<String>,
    /// Items of those who let go of it.
    pub released: Vec<String>,
}

impl<'c> Group<'c> {
    fn belongs_to(&mut self, source: &Source<'_, 'c>) {
        self.changes |= source.changes;
        for (position, root) in source.roots.items.iter().enumerate() {
            let entity = match position {
                0 => source.roots.entity.clone(),
                _ => String::new(),
            };
            let known = self.roots.entry(root.clone()).or_default();
            if known.is_empty() {
                *known = entity;
            }
        }
    }

    fn roots(&self) -> Roots {
        Roots {
            items: self.roots.keys().cloned().collect(),
            entity: self.roots.values().next().cloned().unwrap_or_default(),
        }
    }

    fn give(&mut self, name: &str, value: &str, (by, weak): (&str, bool)) {
        let known = self.values.iter().position(|(known, _)| known == name);
        let position = known.unwrap_or_else(|| {
            self.values.push((name.to_owned(), Vec::new()));
            self.values.len() - 1
        });
        let given = &mut self.values[position].1;
        if !given
            .iter()
            .any(|it| it.weak == weak && standing::same(&it.value, value))
        {
            given.push(Given {
                value: value.to_owned(),
                by: by.to_owned(),
                weak,
            });
        }
    }

    /// Whether its place is part of what it is.
    fn says_where(&self) -> bool {
        let site = self
            .candidate
            .share()
            .is_some_and(|it| it.scope == ShareScope::Site);
        site || self.decomposition.place.is_some()
    }

    /// Its place: where all want it; one site may be written in several ways.
    fn place(&self) -> Option<Document> {
        let text = match self.places.as_slice() {
            [text] => text,
            places if self.says_where() => places.iter().min()?,
            _ => return None,
        };
        Document::parse(text.clone(), "").ok()
    }
}

impl Parent {
    fn of(source: &Source<'_, '_>, explanation: Option<usize>) -> Parent {
        Parent {
            item: source.item_id.to_owned(),
            entity: source.entity_id.to_owned(),
            mode: source.mode,
            explanation,
        }
    }
}

impl Shared<'_> {
    fn note_entities(&mut self, group: usize) {
        for installed in self.groups[group]
            .parts
            .iter()
            .filter_map(|it| it.installed.as_ref())
        {
            self.by_entity.insert(installed.id.to_string(), group);
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
    match super::loops::key_text(&value) {
        Some(key) => Ok(Some(key)),
        None => Err(EvaluationFault {
            message: format!("{} is no text and no whole number", shortened(&value)),
            seen: Vec::new(),
        }),
    }
}

/// What explanations of a shared thing have in common.
fn about(
    layer: Layer,
    source: &Source<'_, '_>,
    candidate: Candidate<'_>,
    story: Story,
) -> Explanation {
    let specification = &candidate.target.specification;
    Explanation {
        layer,
        source_item: source.item_id.to_owned(),
        source: source.specification.id.clone(),
        target: specification.id.clone(),
        item: format!("{}.{}", source.item_id, specification.id),
        name: specification.name.clone(),
        story,
        outcome: Outcome::Made,
        sharers: 0,
    }
}
