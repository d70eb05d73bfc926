//! Ids by which endpoints know what the tasks of a plan have made.

use std::collections::HashSet;

use super::origin;
use super::undo::{place, planned_place};
use crate::inventory::Named;
use crate::journal::{Progress, TaskProgress};
use crate::model::state::TaskState;
use crate::plan::flow::{Method, OrchestrationPlan, TaskFlow, TaskOutcome};
use crate::plan::unsegment;

/// The ids by which endpoints know what the tasks of a plan have made and changed, in the plan's order: those
/// that they have answered, else those that they were asked for. Of what was made as it was asked for there is
/// nothing to be told.
#[must_use]
pub fn named(plan: &OrchestrationPlan, progress: &Progress) -> Vec<Named> {
    let done = |task: &TaskFlow| progress.task(&task.id).filter(|it| is_done(it));
    let tasks = || plan.task_flow.iter().map(|task| &**task);
    let undone = tasks().filter(|task| done(task).is_some());
    let undone: HashSet<&str> = undone
        .filter_map(|task| task.compensates.as_deref())
        .collect();
    let stays = tasks().filter(|task| !undone.contains(task.id.as_str()));
    stays.filter_map(|task| name(task, done(task)?)).collect()
}

/// Whether the endpoint has done it, as far as anybody knows.
fn is_done(known: &TaskProgress) -> bool {
    let left_out = [Some(TaskOutcome::Skipped), Some(TaskOutcome::Dropped)];
    known.state == TaskState::Completed && !left_out.contains(&known.outcome)
}

fn name(task: &TaskFlow, known: &TaskProgress) -> Option<Named> {
    // What stands for what a task was before has been undone, or nothing can undo it.
    let item = match &task.compensates {
        Some(undone) => origin(undone),
        None => Some(task.id.as_str()).filter(|id| origin(id) == *id)?,
    };
    let endpoint = task.endpoint.clone().filter(|_| task.gate.is_none())?;
    let request = task.request.as_ref()?;
    let (asked, id) = match (request.method, &task.compensates) {
        (Method::Post, _) => (planned_place(task), place(task, known)?),
        // It is there under the name by which it was changed.
        (Method::Patch, None) => (None, request.path.clone()),
        (Method::Patch, Some(_)) | (Method::Delete, _) => return None,
    };
    let asked = asked.as_deref().and_then(resource);
    let id = resource(&id)?;
    let is_told = task.action.as_deref() != Some("add") || asked.as_deref() != Some(&*id);
    is_told.then(|| Named {
        item: item.to_owned(),
        endpoint,
        asked,
        id,
    })
}

/// The id of the resource that a path leads to.
fn resource(path: &str) -> Option<String> {
    let segment = path.strip_prefix("resource/")?;
    let segment = Some(segment).filter(|it| !it.contains(['/', '?', '#']));
    Some(unsegment(segment?)?.into_owned())
}
