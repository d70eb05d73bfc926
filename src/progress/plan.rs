//! A plan as far as its progress goes, read leniently from its document.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::Deserialize as _;
use serde::de::IntoDeserializer;
use serde::de::value::Error;

use super::TaskStanding;
use crate::chain::Chain;
use crate::document::{Document, DocumentKind, Node};
use crate::model::state::TaskState;

/// A task of a plan (TMF701 `TaskFlow`).
#[derive(Debug, Clone)]
pub struct PlanTask<'d> {
    /// The task object.
    pub node: Node<'d>,
    /// Id: that of the order item it carries out.
    pub id: Cow<'d, str>,
    /// Name for people; the id where there is none.
    pub name: Cow<'d, str>,
    /// Name of the endpoint; empty if there is none.
    pub endpoint: Cow<'d, str>,
    /// State; `new` where it cannot be read.
    pub state: TaskState,
    /// Why it is held or was given up.
    pub reason: Option<Cow<'d, str>>,
    /// Ids of the tasks that have to be completed before.
    pub waits_for: Vec<Cow<'d, str>>,
}

/// The tasks of a plan, in its order.
pub fn plan_tasks(plan: &Document) -> impl Iterator<Item = PlanTask<'_>> {
    plan.root().list("taskFlow").map(|node| {
        let id = node.text("id").unwrap_or_default();
        PlanTask {
            node,
            name: node
                .text("name")
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| id.clone()),
            id,
            endpoint: node.text("endpoint").unwrap_or_default(),
            state: node
                .text("state")
                .and_then(|text| read(&text))
                .unwrap_or(TaskState::New),
            reason: node.text("reason"),
            waits_for: node
                .list("taskFlowRelationship")
                .filter_map(|relationship| relationship.get("taskFlow")?.text("id"))
                .collect(),
        }
    })
}

fn read(state: &str) -> Option<TaskState> {
    TaskState::deserialize(IntoDeserializer::<Error>::into_deserializer(state)).ok()
}

/// Ids of the tasks that have not begun and wait for nothing any more.
pub fn ready(chain: &Chain, tasks: &dyn Fn(&str) -> Option<TaskStanding>) -> HashSet<String> {
    let all: Vec<PlanTask<'_>> = chain
        .of_kind(DocumentKind::OrchestrationPlan)
        .flat_map(plan_tasks)
        .collect();
    let state = |task: &PlanTask<'_>| tasks(&task.id).map_or(task.state, |it| it.state);
    let states: HashMap<&str, TaskState> =
        all.iter().map(|task| (&*task.id, state(task))).collect();
    let done = |id: &Cow<'_, str>| {
        states
            .get(&**id)
            .is_none_or(|it| *it == TaskState::Completed)
    };
    all.iter()
        .filter(|task| states[&*task.id] == TaskState::New && task.waits_for.iter().all(done))
        .map(|task| task.id.to_string())
        .collect()
}
