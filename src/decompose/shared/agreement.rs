//! What those who share a thing agree on, and who uses it beside them.

use std::collections::BTreeSet;

use foldhash::{HashSet, HashSetExt as _};

use super::{Given, Parent, Weight};
use crate::catalog::{self, Facing, Values};
use crate::decompose::expand::{Expansion, Part};
use crate::decompose::explain::Outcome;
use crate::decompose::faults::{ElementKey, Place, shortened};
use crate::decompose::standing::Mode;
use crate::inventory::{Installed, Layer};
use crate::model::Action;

impl<'c> Expansion<'_, 'c> {
    /// Whether everything that is installed was added by this very order: it is looked at once
    /// more.
    pub(super) fn is_added_again(&self, parts: &[Part<'c>], parents: &[Parent]) -> bool {
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
    pub(super) fn users(&self, installed: &Installed<'_>) -> BTreeSet<String> {
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
    /// tell of an order, and for those that hold by default. What somebody chose counts for more
    /// than what holds for others by default. Parents that do not agree are a fault.
    pub(super) fn agreed(
        &mut self,
        position: usize,
        installed: Option<&Values<'_>>,
    ) -> Option<Values<'static>> {
        let group = &self.shared.groups[position];
        let at = Place {
            decomposition: group.decomposition,
            node: group.node,
            element: ElementKey::default(),
        };
        let (mut agreed, mut sound) = (Values::default(), true);
        for (name, given) in &group.values {
            let known = installed.and_then(|it| it.get(name));
            let chosen = given.iter().any(|it| it.weight > Weight::Default);
            let counts = |it: &&Given| match it.weight {
                Weight::Chosen => true,
                Weight::OfOrder => known.is_none(),
                Weight::Default => known.is_none() && !chosen,
            };
            let given: Vec<&Given> = given.iter().filter(counts).collect();
            match given.as_slice() {
                // With defaults of its own it would be another one.
                [] => known.into_iter().for_each(|it| agreed.insert(name, it)),
                [one, other, ..] if !catalog::same(&one.value, &other.value) => {
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
    pub(super) fn tell(&mut self, position: usize, parents: &[Parent], outcome: &Outcome) {
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
    pub(super) fn tell_gone(&mut self, position: usize, left: &[Parent]) {
        for explanation in left.iter().filter_map(|it| it.explanation) {
            let told = &mut self.steps.explanations[explanation];
            told.item.clone_from(&self.shared.groups[position].item_id);
            told.sharers = left.len();
            if told.outcome == Outcome::NotMade {
                told.outcome = Outcome::Deleted { why: None };
            }
        }
    }
}
