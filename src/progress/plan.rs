//! A plan as far as its progress goes, read leniently from its document.

use std::borrow::Cow;

use foldhash::{HashMap, HashSet, HashSetExt as _};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;

use super::TaskStanding;
use crate::chain::Chain;
use crate::document::{Document, DocumentKind, Node};
use crate::journal::Needs;
use crate::model::state::{OrderState, TaskState};
use crate::plan::duration;
use crate::plan::flow::{TaskKind, TaskOutcome, Until};

/// A task of a plan (TMF701 `TaskFlow`).
#[derive(Debug, Clone)]
pub struct PlanTask<'d> {
    /// The task object.
    pub node: Node<'d>,
    /// Id: that of the order item it carries out.
    pub id: Cow<'d, str>,
    /// Name for people; the id where there is none.
    pub name: Cow<'d, str>,
    /// What kind of work it is; an activation where it cannot be read.
    pub kind: TaskKind,
    /// Name of the endpoint; empty if there is none.
    pub endpoint: Cow<'d, str>,
    /// What the order item asks for, as the standard spells it.
    pub action: Option<Cow<'d, str>>,
    /// Whether it is where people let the next wave of a rollout begin.
    pub ends_wave: bool,
    /// Id of the specification.
    pub specification: Option<Cow<'d, str>>,
    /// State; `new` where it cannot be read.
    pub state: TaskState,
    /// Why it is held or was given up.
    pub reason: Option<Cow<'d, str>>,
    /// How it ended, where that is not by being carried out.
    pub outcome: Option<TaskOutcome>,
    /// When its first request was about to be sent.
    pub started: Option<Timestamp>,
    /// When it ended, however.
    pub ended: Option<Timestamp>,
    /// Whether its start cannot be undone.
    pub point_of_no_return: bool,
    /// When it may start at the earliest.
    pub window_start: Option<Timestamp>,
    /// Id of the task that it undoes.
    pub compensates: Option<Cow<'d, str>>,
    /// For a gate: its kind.
    pub gate: Option<Cow<'d, str>>,
    /// The tasks that have to be over before.
    pub waits_for: Vec<Before<'d>>,
}

/// A task that another one waits for.
#[derive(Debug, Clone)]
pub struct Before<'d> {
    /// Its id.
    pub id: Cow<'d, str>,
    /// What it has to have come to; completed, where it cannot be read.
    pub until: Until,
    /// How long after its end.
    pub lag: Option<SignedDuration>,
}

impl Before<'_> {
    /// Whether a task in this state is not waited for any more.
    #[must_use]
    pub fn is_over(&self, state: TaskState) -> bool {
        match self.until {
            Until::Completed => state == TaskState::Completed,
            Until::Ended => matches!(state, TaskState::Completed | TaskState::Cancelled),
        }
    }
}

impl<'d> PlanTask<'d> {
    /// The task as the journal's fold needs to know it.
    #[must_use]
    pub fn needs(&self) -> Needs<'_> {
        let needs = self.waits_for.iter();
        Needs {
            id: &self.id,
            name: &self.name,
            needs: needs
                .filter(|before| before.until == Until::Completed)
                .map(|before| &*before.id)
                .collect(),
            ends_wave: self.ends_wave,
            compensates: self.compensates.as_deref(),
        }
    }

    /// Whether there is no way back: it has begun, and its start cannot be undone.
    #[must_use]
    pub fn is_past_return(&self) -> bool {
        let begun = self.started.is_some() || self.state == TaskState::Active;
        self.point_of_no_return && begun
    }

    /// Type and id of the product or service order item that it is about.
    #[must_use]
    pub fn subject(&self) -> Option<(&'static str, Cow<'d, str>)> {
        self.node.list("relatedEntity").find_map(|entity| {
            let type_name = match entity.text("@referredType")?.as_ref() {
                "ProductOrderItem" => "ProductOrderItem",
                "ServiceOrderItem" => "ServiceOrderItem",
                _ => return None,
            };
            Some((type_name, entity.text("id")?))
        })
    }
}

/// The plans of a chain, each read once.
#[derive(Debug)]
pub struct Plans<'d> {
    /// By the position of their documents.
    plans: Vec<(usize, Plan<'d>)>,
}

/// A plan.
#[derive(Debug)]
pub struct Plan<'d> {
    /// The outermost object.
    pub root: Node<'d>,
    /// Its tasks, in its order.
    pub tasks: Vec<PlanTask<'d>>,
}

impl<'d> Plans<'d> {
    /// Reads those of a chain.
    pub fn of(chain: &'d Chain) -> Self {
        let documents = chain.documents.iter().enumerate();
        let plans = documents
            .filter(|(_, it)| DocumentKind::of(it) == DocumentKind::OrchestrationPlan)
            .map(|(position, document)| {
                let (root, tasks) = (document.root(), plan_tasks(document).collect());
                (position, Plan { root, tasks })
            });
        Self {
            plans: plans.collect(),
        }
    }

    /// The plan that is the chain's document at this position.
    pub fn at(&self, position: usize) -> Option<&Plan<'d>> {
        let mut plans = self.plans.iter();
        plans.find_map(|(at, plan)| (*at == position).then_some(plan))
    }

    /// The tasks of all of them.
    pub fn tasks(&self) -> impl Iterator<Item = &PlanTask<'d>> {
        self.plans.iter().flat_map(|(_, plan)| &plan.tasks)
    }
}

/// The tasks of a plan, in its order.
pub fn plan_tasks(plan: &Document) -> impl Iterator<Item = PlanTask<'_>> {
    plan.root().list("taskFlow").map(plan_task)
}

/// Reads a task, of which there are many with many members: all of them in one go.
fn plan_task(node: Node<'_>) -> PlanTask<'_> {
    let mut task = PlanTask {
        node,
        id: Cow::default(),
        name: Cow::default(),
        kind: TaskKind::Activation,
        endpoint: Cow::default(),
        action: None,
        ends_wave: false,
        specification: None,
        state: TaskState::New,
        reason: None,
        outcome: None,
        started: None,
        ended: None,
        point_of_no_return: false,
        window_start: None,
        compensates: None,
        gate: None,
        waits_for: Vec::new(),
    };
    let (mut in_wave, mut has_action, mut has_gate) = (false, false, false);
    for (key, value) in node.members() {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "id" => task.id = value.as_str().unwrap_or_default(),
            "name" => task.name = value.as_str().unwrap_or_default(),
            "kind" => task.kind = read(value).unwrap_or(TaskKind::Activation),
            "endpoint" => task.endpoint = value.as_str().unwrap_or_default(),
            "rolloutWave" => in_wave = !value.is_null(),
            "action" => {
                has_action = !value.is_null();
                task.action = value.as_str();
            }
            "gate" => {
                has_gate = !value.is_null();
                task.gate = value.as_str();
            }
            "taskFlowSpecification" => task.specification = value.as_str(),
            "state" => task.state = read(value).unwrap_or(TaskState::New),
            "reason" => task.reason = value.as_str(),
            "outcome" => task.outcome = read(value),
            "startDate" => task.started = moment(value),
            "completionDate" => task.ended = moment(value),
            "pointOfNoReturn" => task.point_of_no_return = value.as_bool() == Some(true),
            "window" => task.window_start = value.member("start").and_then(moment),
            "compensates" => task.compensates = value.as_str(),
            "taskFlowRelationship" => {
                task.waits_for = value.elements().filter_map(before).collect();
            }
            _ => {}
        }
    }
    task.ends_wave = in_wave && !has_action && !has_gate;
    if task.name.is_empty() {
        task.name = task.id.clone();
    }
    task
}

fn before(relationship: Node<'_>) -> Option<Before<'_>> {
    Some(Before {
        id: relationship.get("taskFlow")?.text("id")?,
        until: relationship
            .member("until")
            .and_then(read)
            .unwrap_or_default(),
        lag: relationship.text("lag").and_then(|it| duration(&it)),
    })
}

fn moment(value: Node<'_>) -> Option<Timestamp> {
    value.as_str().and_then(|text| text.parse().ok())
}

/// A word of a fixed set, as it is written; none where it is no such word.
fn read<'d, T: Deserialize<'d>>(value: Node<'d>) -> Option<T> {
    let text = value.as_str()?;
    T::deserialize(IntoDeserializer::<Error>::into_deserializer(text)).ok()
}

/// How far something is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// It is, or a person has decided that it cannot be.
    Over,
    /// It is going to be.
    UnderWay {
        /// Whether it can go on without somebody.
        moving: bool,
    },
}

/// How much of an order is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Cancelled {
    /// Nothing: it is not cancelled.
    #[default]
    Nothing,
    /// Some of its items.
    Part,
    /// All of it.
    Whole,
}

/// What the revision of a plan undoes.
#[derive(Debug, Default)]
pub struct Revised {
    undone: HashMap<String, Undo>,
    cancelled: Cancelled,
    /// Whether something that was to be undone was not.
    has_failed: bool,
    /// When the last of what was undone or dropped was, as far as that is known.
    pub over: Option<Timestamp>,
}

impl Revised {
    /// What the plans of a chain undo, by the standing of its tasks and those that are ready to begin.
    pub fn of(
        plans: &Plans<'_>,
        tasks: &dyn Fn(&str) -> Option<TaskStanding>,
        ready: &HashSet<String>,
    ) -> Self {
        let mut revised = Self::default();
        for (_, plan) in &plans.plans {
            let Some(revision) = plan.root.get("revision") else {
                continue;
            };
            let partly = revision
                .get("partly")
                .is_some_and(|it| it.compact() == "true");
            if revision.text("kind").as_deref() == Some("cancel") {
                revised.cancelled = if partly {
                    Cancelled::Part
                } else {
                    Cancelled::Whole
                };
            }
            for task in &plan.tasks {
                let standing = tasks(&task.id);
                let state = standing.as_ref().map_or(task.state, |it| it.state);
                let is_gone = |it: &TaskStanding| {
                    task.compensates.is_some() || it.outcome == Some(TaskOutcome::Dropped)
                };
                let over = standing.filter(is_gone).and_then(|it| it.ended());
                revised.over = revised.over.max(over);
                let Some(undone) = &task.compensates else {
                    continue;
                };
                let outcome = tasks(&task.id).map_or(task.outcome, |it| it.outcome);
                // Where it is found out first what came of what it undoes, that goes on.
                let moving = |id: &str| {
                    let state = tasks(id).map(|it| it.state);
                    state == Some(TaskState::Active)
                };
                let undo = match state {
                    TaskState::Completed | TaskState::Cancelled => Undo::Over,
                    TaskState::Active => Undo::UnderWay { moving: true },
                    TaskState::Hold => Undo::UnderWay { moving: false },
                    TaskState::New => Undo::UnderWay {
                        moving: ready.contains(&*task.id) || moving(undone),
                    },
                };
                revised.has_failed |=
                    state == TaskState::Cancelled || outcome == Some(TaskOutcome::Skipped);
                revised.undone.insert(undone.to_string(), undo);
            }
        }
        revised
    }

    /// State of the request to cancel the order (TMF622, 641, 652); none where it is not cancelled.
    pub fn request_state(&self) -> Option<&'static str> {
        let state = match (self.is_done(), self.has_failed) {
            (false, _) => "inProgress",
            (true, true) => "terminatedWithError",
            (true, false) => "done",
        };
        (self.cancelled != Cancelled::Nothing).then_some(state)
    }

    fn is_done(&self) -> bool {
        self.undone.values().all(|undo| *undo == Undo::Over)
    }

    /// Ids of the tasks that are or were undone, and how far.
    pub fn undone(&self) -> impl Iterator<Item = (&str, Undo)> {
        self.undone.iter().map(|(id, undo)| (id.as_str(), *undo))
    }

    /// How far the task of this id is undone, if it is to be.
    pub fn undo(&self, task: &str) -> Option<Undo> {
        self.undone.get(task).copied()
    }

    /// State of all orders of the chain, where they are cancelled.
    pub fn order_state(&self) -> Option<OrderState> {
        (self.cancelled == Cancelled::Whole).then(|| {
            if self.is_done() {
                OrderState::Cancelled
            } else {
                OrderState::PendingCancellation
            }
        })
    }
}

/// Ids of the tasks that have not begun and wait for nothing any more.
pub fn ready(plans: &Plans<'_>, tasks: &dyn Fn(&str) -> Option<TaskStanding>) -> HashSet<String> {
    let stops = |task: &PlanTask<'_>| tasks(&task.id).is_some_and(|it| it.stops);
    if plans.tasks().any(stops) {
        return HashSet::new();
    }
    let state = |task: &PlanTask<'_>| tasks(&task.id).map_or(task.state, |it| it.state);
    let states: HashMap<&str, TaskState> =
        plans.tasks().map(|task| (&*task.id, state(task))).collect();
    let done = |before: &Before<'_>| {
        let state = states.get(&*before.id);
        state.is_none_or(|state| before.is_over(*state))
    };
    plans
        .tasks()
        .filter(|task| states[&*task.id] == TaskState::New && task.waits_for.iter().all(done))
        .map(|task| task.id.to_string())
        .collect()
}
