//! Plans that are changed while they are carried out: what is kept, undone,
//! done again, done, and dropped.
//!
//! Pure. A revision is a plan like any other: it holds the tasks of the plan
//! before that have a history, and for each that is to be undone a task of its
//! own (`compensates`), which is carried out, repeated, held and journalled like
//! any task. Undoing runs against the order in which things were done. Nothing
//! is decided anew when a revision is carried out: it names the entries of the
//! journal that it was made from, and is not taken where there are more.

mod amend;
mod bundle;
mod cancel;
mod named;
mod undo;
mod view;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::journal::Progress;
use crate::journal::entry::Revised;
use crate::model::state::TaskState;
use crate::plan::flow::{
    Disposition, OrchestrationPlan, Revision, RevisionKind, TaskFlow, TaskKind,
};
use crate::plan::plan_digest;

pub use amend::amend;
pub use bundle::Bundles;
pub use cancel::{cancel, compensate, pending};
pub use named::named;
pub(crate) use undo::request as undoing_request;
pub(crate) use undo::tells_name;
pub use view::{View, view};

/// What is done about bundles that are past the point of no return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pinned {
    /// The revision is refused.
    #[default]
    Refuse,
    /// They stay as they are; the others are revised.
    Keep,
    /// What can be undone of them is undone all the same.
    Force,
}

/// An order as it stands.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Its plan.
    pub plan: &'a OrchestrationPlan,
    /// How far it is.
    pub progress: &'a Progress,
    /// Which tasks belong together.
    pub bundles: &'a Bundles,
}

/// A task that cannot be undone any more, and what it pins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Id of the bundle: a product order item.
    pub bundle: String,
    /// Id of the task.
    pub task: String,
    /// Its name.
    pub name: String,
    /// When it was begun, RFC 3339.
    pub since: String,
}

/// A revision that is not made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Bundles are past the point of no return.
    #[error("{}", pins(.0))]
    Pinned(Vec<Pin>),
    /// Nothing is left to be revised.
    #[error(
        "the order has ended: what was done stays done, and is changed or removed by another order"
    )]
    Ended,
    /// A revision is being carried out.
    #[error(
        "the order is being {}: that has to end first; tasks left: {}",
        match kind {
            RevisionKind::Cancel => "cancelled",
            RevisionKind::Amend => "changed",
            RevisionKind::Compensate => "undone in part",
        },
        tasks.join(", ")
    )]
    UnderWay {
        /// Which.
        kind: RevisionKind,
        /// Ids of the tasks that are left.
        tasks: Vec<String>,
    },
    /// What came of a task is not known, and it cannot be undone without knowing.
    #[error(
        "nobody knows what came of task {task}: activate the plan once more, or say `orderctl task \
         complete` or `orderctl task retry`"
    )]
    InDoubt {
        /// Id of the task.
        task: String,
    },
    /// It is another order.
    #[error("{0}")]
    OtherOrder(String),
    /// The version of the order that is to take its place is none.
    #[error("`{0}` is no version: numbers, such as `2` or `2.1`")]
    NoVersion(String),
}

fn pins(pins: &[Pin]) -> String {
    let each: Vec<String> = pins
        .iter()
        .map(|pin| {
            let what = match pin.bundle.as_str() {
                "" => "it".to_owned(),
                bundle => format!("item {bundle}"),
            };
            format!(
                "{what} is past the point of no return: task {} ({}) was begun at {}",
                pin.task, pin.name, pin.since
            )
        })
        .collect();
    each.join("\n")
}

/// The resource of the standards that asks for a cancellation: its type, as in `@type`, and its id.
#[must_use]
pub fn cancel_request(order_type: &str, order: &str, number: u32) -> (&'static str, String) {
    let type_name = match order_type {
        "ServiceOrder" => "CancelServiceOrder",
        "ResourceOrder" => "CancelResourceOrder",
        _ => "CancelProductOrder",
    };
    (type_name, format!("{order}.cancel-{number}"))
}

/// Id of the root order; empty where the plan does not name it.
pub(crate) fn root(plan: &OrchestrationPlan) -> &str {
    let mut related = plan.related_entity.iter();
    let root = related.find(|it| it.role == "rootOrder");
    root.map_or("", |it| it.id.as_str())
}

/// A task that no schedule was made for.
fn without_schedule(task: &mut TaskFlow) {
    for time in [
        &mut task.duration,
        &mut task.earliest_start,
        &mut task.latest_start,
        &mut task.slack,
    ] {
        "PT0S".clone_into(time);
    }
    task.wave = 1;
}

/// What marks the id of a task that stands for what another one was before a revision.
const BEFORE: &str = "~before-";

/// Id of the task that a task stands for: its own, where it does not stand for what one was before.
pub(crate) fn origin(task: &str) -> &str {
    task.rsplit_once(BEFORE).map_or(task, |(origin, _)| origin)
}

/// The number of the revision that comes next.
fn next_number(plan: &OrchestrationPlan) -> u32 {
    let number = plan.revision.as_ref().map_or(0, |it| it.number);
    number.saturating_add(1)
}

/// A plan that takes the place of the one that stands.
fn revised(
    standing: Standing<'_>,
    kind: RevisionKind,
    reason: Option<String>,
    tasks: Vec<Box<TaskFlow>>,
) -> OrchestrationPlan {
    let before = standing.plan;
    let mut plan = OrchestrationPlan {
        revision: Some(Revision {
            number: next_number(before),
            kind,
            of: before.digest.plan.clone(),
            entries: standing.progress.entries(),
            partly: false,
            reason,
        }),
        task_flow: tasks,
        ..before.clone()
    };
    plan.digest.plan = plan_digest(&plan);
    plan
}

/// The entry by which a revision takes the place of the plan before; none for a plan that is no
/// revision. `documents` are those of the chain, the plan last.
#[must_use]
pub fn entry(plan: &OrchestrationPlan, documents: Vec<String>) -> Option<Revised> {
    let revision = plan.revision.as_ref()?;
    let ids = |wanted: &[Disposition]| -> Vec<String> {
        let tasks = plan.task_flow.iter();
        let wanted = tasks.filter(|task| task.disposition.is_some_and(|it| wanted.contains(&it)));
        wanted.map(|task| task.id.clone()).collect()
    };
    Some(Revised {
        kind: revision.kind,
        plan_digest: plan.digest.plan.clone(),
        tasks: u32::try_from(plan.task_flow.len()).unwrap_or(u32::MAX),
        anew: ids(&[Disposition::Redo, Disposition::Do]),
        dropped: ids(&[Disposition::Drop]),
        settled: ids(&[Disposition::Settle]),
        moved: moved(plan, revision.number),
        reason: revision.reason.clone(),
        documents,
    })
}

/// The tasks that a revision adds for what others were before, and these.
fn moved(plan: &OrchestrationPlan, number: u32) -> BTreeMap<String, String> {
    let mark = format!("{BEFORE}{number}");
    let tasks = plan.task_flow.iter();
    let moved = tasks.filter_map(|task| Some((task.id.clone(), task.id.strip_suffix(&mark)?)));
    moved.map(|(to, from)| (to, from.to_owned())).collect()
}

/// Refuses what cannot be revised now: an order that is being cancelled, or undone in part, and one that is
/// changed while things are undone or done again because it was changed before. What an earlier change has left to be
/// done is no more than what every order has left.
fn check(standing: Standing<'_>, by: RevisionKind) -> Result<(), Refusal> {
    let Standing { plan, progress, .. } = standing;
    // Milestones that nothing comes after are only to be noted still.
    let is_left = |task: &TaskFlow| match progress.task(&task.id) {
        Some(known) if task.kind == TaskKind::Milestone => known.state == TaskState::Hold,
        Some(known) => !known.has_ended(),
        None => true,
    };
    let is_over = !plan.task_flow.iter().any(|task| is_left(task));
    let Some(revision) = &plan.revision else {
        return if is_over { Err(Refusal::Ended) } else { Ok(()) };
    };
    let kind = revision.kind;
    let is_cancelled_instead = (kind, by) == (RevisionKind::Amend, RevisionKind::Cancel);
    let left = plan.task_flow.iter().filter(|task| {
        let is_part = matches!(
            task.disposition,
            Some(Disposition::Undo | Disposition::Settle | Disposition::Redo)
        );
        is_part && progress.task(&task.id).is_none_or(|it| !it.has_ended())
    });
    let tasks: Vec<String> = left.map(|task| task.id.clone()).take(5).collect();
    if !tasks.is_empty() && !is_cancelled_instead {
        return Err(Refusal::UnderWay { kind, tasks });
    }
    // What was cancelled in part goes on with the rest.
    if is_over || kind == RevisionKind::Cancel && !revision.partly {
        return Err(Refusal::Ended);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
