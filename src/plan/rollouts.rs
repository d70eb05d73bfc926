//! Rollouts: an order carried out in waves, by the rollout rules of what is
//! ordered.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt as _};
use jiff::SignedDuration;

use super::draft::{self, Draft};
use super::flow::{RelatedEntity, TaskKind, Until};
use super::layers::Layer;
use super::network::{Network, Wait};
use super::scope::Scope;
use crate::catalog::{Release, RolloutRule, WaveEnd};
use crate::diagnostic::suggestion::closest;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::describe;
use crate::model::{Action, Order};

/// Puts the tasks of a chain into waves.
pub struct Rollout<'r, 'a, 'd> {
    /// The tasks of items, and what there is to say about them.
    pub scope: Scope<'r, 'a, 'd>,
    /// Name of the root order.
    pub root: &'r str,
    /// The root order.
    pub order: &'r Order<'d>,
    /// The tasks so far, those of items first.
    pub drafts: &'r mut Vec<Draft<'d>>,
    /// What keeps the order from being planned.
    pub faults: &'r mut Vec<Diagnostic>,
}

/// Tasks by the position of their wave in the rule.
type Waves = BTreeMap<usize, Vec<usize>>;

/// The end of one wave and the beginning of the next.
struct Point {
    until: Until,
    node: usize,
    lasts: Vec<usize>,
    firsts: Vec<usize>,
}

impl<'r, 'd: 'r> Rollout<'r, '_, 'd> {
    /// Adds a point between each two waves to the network, and their drafts to the tasks.
    pub fn add(&mut self, network: &mut Network) {
        let mut points = Vec::new();
        for (rule, tasks) in self.ruled() {
            let waves = self.waves(rule, &tasks);
            for (position, tasks) in &waves {
                for task in tasks {
                    let wave = &mut self.drafts[*task].rollout_wave;
                    wave.get_or_insert_with(|| rule.waves[*position].clone());
                }
            }
            let until = match rule.until {
                WaveEnd::Completed => Until::Completed,
                WaveEnd::Ended => Until::Ended,
            };
            let positions: Vec<usize> = waves.keys().copied().collect();
            for pair in positions.windows(2) {
                let node = network.add();
                let (lasts, firsts) = (
                    network.lasts(&waves[&pair[0]]),
                    network.firsts(&waves[&pair[1]]),
                );
                self.drafts.push(self.point(rule, &rule.waves[pair[0]]));
                points.push(Point {
                    until,
                    node,
                    lasts,
                    firsts,
                });
            }
        }
        for point in points {
            for before in point.lasts {
                let until = point.until;
                let wait = Wait::on(before);
                network.wait(point.node, Wait { until, ..wait });
            }
            for task in point.firsts {
                network.wait(task, Wait::on(point.node));
            }
        }
    }

    /// The rules of what is ordered, by id, and the tasks that each is about: removals are in no
    /// wave.
    fn ruled(&self) -> Vec<(&'r RolloutRule, Vec<usize>)> {
        let catalog = self.scope.catalog;
        let mut ruled: BTreeMap<&'r str, (&'r RolloutRule, Vec<usize>)> = BTreeMap::new();
        for (index, entry) in self.scope.layers.entries.iter().enumerate() {
            if entry.layer != Layer::Product || entry.tasks.is_empty() {
                continue;
            }
            let subjects = self.scope.subjects(index);
            if let Some(rule) = subjects.iter().find_map(|it| catalog.rollout(*it)) {
                let (_, tasks) = ruled.entry(&rule.id).or_insert_with(|| (rule, Vec::new()));
                tasks.extend(&entry.tasks);
            }
        }
        let mut ruled: Vec<_> = ruled.into_values().collect();
        for (_, tasks) in &mut ruled {
            tasks.sort_unstable();
            tasks.dedup();
            tasks.retain(|task| {
                let item = self.scope.item(self.scope.entries[*task]);
                item.action != Some(Action::Delete)
            });
        }
        ruled
    }

    fn waves(&mut self, rule: &RolloutRule, tasks: &[usize]) -> Waves {
        let mut named: HashMap<usize, Option<usize>> = HashMap::new();
        let mut waves = Waves::new();
        for &task in tasks {
            if let Some(wave) = self.wave_of(rule, task, &mut named) {
                waves.entry(wave).or_default().push(task);
            }
        }
        waves
    }

    /// The wave of a task: as its item says, else the services that it realizes, else their product
    /// order items. What several share is made with the first of them.
    fn wave_of(
        &mut self,
        rule: &RolloutRule,
        task: usize,
        named: &mut HashMap<usize, Option<usize>>,
    ) -> Option<usize> {
        let entry = self.scope.entries[task];
        if let Some(wave) = self.named(rule, entry, named) {
            return Some(wave);
        }
        let above = self.scope.layers.ancestors(entry);
        [Layer::Service, Layer::Product]
            .into_iter()
            .find_map(|layer| {
                let items = above.iter().copied();
                let items = items.filter(|it| self.scope.layers.entries[*it].layer == layer);
                let items: Vec<usize> = items.collect();
                let waves = items
                    .into_iter()
                    .filter_map(|it| self.named(rule, it, named));
                waves.min()
            })
    }

    /// The wave that an item names itself, or that what it changes is in.
    fn named(
        &mut self,
        rule: &RolloutRule,
        entry: usize,
        named: &mut HashMap<usize, Option<usize>>,
    ) -> Option<usize> {
        if let Some(known) = named.get(&entry) {
            return *known;
        }
        let item = self.scope.item(entry);
        let mut given = item.characteristics.iter();
        let given = given.find(|it| it.name == rule.characteristic);
        let value = given.and_then(|it| it.value);
        let of = |name: &str| rule.waves.iter().position(|wave| *wave == name);
        if value.is_none() {
            let staying = self.scope.layers.entries[entry].staying();
            let mut staying = staying.iter().filter(|it| it.name == rule.characteristic);
            // What was a wave when it was installed may be none any more.
            let wave = staying.find_map(|it| of(&it.value?.told()));
            named.insert(entry, wave);
            return wave;
        }
        let wave = value.and_then(|value| {
            let name = value.told();
            let wave = of(&name);
            if wave.is_none() {
                let message = format!(
                    "item `{}`: `{}` is {}, which is no wave of rule `{}`",
                    item.id,
                    rule.characteristic,
                    describe(value),
                    rule.id
                );
                let mut finding = Diagnostic::new(
                    Code("plan/rollout-wave"),
                    Severity::Error,
                    value.location(),
                    message,
                );
                let waves = rule.waves.iter().map(String::as_str);
                finding.hint = Some(match closest(&name, waves) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("use one of {}", rule.waves.join(", ")),
                });
                self.faults.push(finding);
            }
            wave
        });
        named.insert(entry, wave);
        wave
    }

    /// The point that ends a wave.
    fn point(&self, rule: &RolloutRule, wave: &str) -> Draft<'d> {
        let id = format!("{}.{}.{wave}", self.root, rule.id);
        let (kind, then) = match rule.release {
            Release::Automatic => (TaskKind::Milestone, "the next one starts then"),
            Release::Manual => (TaskKind::Manual, "somebody releases the next one"),
        };
        let why = format!("rule `{}` ends wave `{wave}` here; {then}", rule.id);
        let mut task = draft::blank(id, format!("Wave {wave}"), kind, why);
        task.rollout_wave = Some(wave.to_owned());
        task.related_entity = vec![RelatedEntity {
            id: self.root.to_owned(),
            role: "order".into(),
            referred_type: self.order.type_name().into(),
        }];
        Draft::around(task, SignedDuration::ZERO, self.order.node())
    }
}
