//! What people may decide about the tasks of an order. Pure.

use std::fmt;

use thiserror::Error;

use crate::diagnostic::suggestion;
use crate::journal::entry::ByHand;
use crate::journal::{Event, Progress, TaskProgress};
use crate::model::state::TaskState;
use crate::plan::flow::{OrchestrationPlan, TaskFlow, TaskKind, TaskOutcome, Until};

/// Tasks that are named where there are several.
const NAMED: usize = 5;

/// What a person does about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    /// It was done by hand.
    Complete,
    /// It cannot be done.
    Fail,
    /// It need not be done.
    Skip,
    /// A milestone is let pass.
    Release,
    /// Its last request came to nothing, and it is sent again.
    Retry,
}

impl Deed {
    /// As it is asked for.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Release => "release",
            Self::Retry => "retry",
        }
    }

    fn past(self) -> &'static str {
        match self {
            Self::Complete => "completed",
            Self::Fail => "failed",
            Self::Skip => "skipped",
            Self::Release => "released",
            Self::Retry => "tried again",
        }
    }

    fn event(self, by_hand: ByHand) -> Event {
        match self {
            Self::Complete => Event::CompletedByHand(by_hand),
            Self::Fail => Event::FailedByHand(by_hand),
            Self::Skip => Event::Skipped(by_hand),
            Self::Release => Event::Released(by_hand),
            Self::Retry => Event::Retried(by_hand),
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a person has decided.
#[derive(Debug, Clone)]
pub struct Decision {
    /// About which task: its id, or its name where there is only one of that name.
    pub task: String,
    /// What.
    pub deed: Deed,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
}

/// A decision that makes no sense for the task as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no such task.
    #[error("unknown task `{name}`; {advice}")]
    UnknownTask {
        /// As it was given.
        name: String,
        /// What was probably meant.
        advice: String,
    },
    /// There are several of that name.
    #[error("{count} tasks are called `{name}`; name one by its id: {ids}")]
    Ambiguous {
        /// The name.
        name: String,
        /// How many.
        count: usize,
        /// Some of their ids.
        ids: String,
    },
    /// The task has ended.
    #[error("task {task} cannot be {past}: {how}")]
    Ended {
        /// Task id.
        task: String,
        /// What was asked for.
        past: &'static str,
        /// How it ended.
        how: String,
    },
    /// It has not begun.
    #[error("task {task} cannot be tried again: it was not tried yet")]
    NotTried {
        /// Task id.
        task: String,
    },
    /// It is too late for it.
    #[error("task {task} cannot be tried again: its window is over; complete, skip or fail it")]
    WindowMissed {
        /// Task id.
        task: String,
    },
    /// A request was sent, and its answer is waited for.
    #[error(
        "task {task} cannot be {past}: request {attempt} was sent, and process {pid} waits for \
         its answer; wait too, or stop that process first"
    )]
    UnderWay {
        /// Task id.
        task: String,
        /// What was asked for.
        past: &'static str,
        /// Which request.
        attempt: u32,
        /// Who waits.
        pid: u32,
    },
    /// Only milestones are released, and only that is done to them.
    #[error("task {task} {what}; `orderctl task {instead}` does that")]
    OtherKind {
        /// Task id.
        task: String,
        /// What it is.
        what: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
    /// Something that comes before it is not done yet.
    #[error(
        "task {task} cannot be completed: it waits for {names}; where it need not be done, \
         `orderctl task skip` says so"
    )]
    Waits {
        /// Task id.
        task: String,
        /// For what.
        names: String,
    },
}

/// The entry that comes of a decision on an order that stands at `progress`, where `at_work` is the
/// process that carries it out at this moment.
///
/// # Errors
/// Where the decision makes no sense.
pub fn decide(
    plan: &OrchestrationPlan,
    progress: &Progress,
    decision: &Decision,
    at_work: Option<u32>,
) -> Result<Event, Refusal> {
    let task = find(plan, &decision.task)?;
    let id = || task.id.clone();
    if let Some(known) = progress.task(&task.id) {
        check_state(known, decision.deed.past(), at_work)?;
    }
    let other_kind = |what, instead| {
        Err(Refusal::OtherKind {
            task: id(),
            what,
            instead,
        })
    };
    match (task.kind, decision.deed) {
        (TaskKind::Milestone, Deed::Release)
        | (TaskKind::Manual | TaskKind::Activation, Deed::Skip)
        | (_, Deed::Fail) => {}
        (TaskKind::Manual, Deed::Release) if ends_a_wave(task) => {}
        (TaskKind::Milestone, Deed::Complete | Deed::Skip) => {
            return other_kind("is a milestone, which is let pass", "release");
        }
        (TaskKind::Manual, Deed::Release) => {
            let what = "is no milestone, but to be done by a person";
            return other_kind(what, "complete");
        }
        (TaskKind::Activation, Deed::Release) => {
            return other_kind("is no milestone; it can be left out", "skip");
        }
        (TaskKind::Milestone | TaskKind::Manual, Deed::Retry) => {
            return other_kind("is not carried out by an endpoint", "complete or release");
        }
        (TaskKind::Activation, Deed::Retry) => check_tried(progress.task(&task.id), &task.id)?,
        (_, Deed::Complete) => check_before(plan, task, progress)?,
    }
    Ok(decision.deed.event(ByHand {
        task: id(),
        by: decision.by.clone(),
        reason: decision.reason.clone(),
    }))
}

/// Whether it is where people let the next wave of a rollout begin.
#[must_use]
pub fn ends_a_wave(task: &TaskFlow) -> bool {
    task.ends_wave()
}

/// The task of this id, or of this name.
fn find<'p>(plan: &'p OrchestrationPlan, name: &str) -> Result<&'p TaskFlow, Refusal> {
    let tasks = &plan.task_flow;
    if let Some(task) = tasks.iter().find(|task| task.id == name) {
        return Ok(task);
    }
    let named = plan.called(name).into_iter();
    let named: Vec<&TaskFlow> = named.map(|position| &*tasks[position]).collect();
    if let [task] = named[..] {
        return Ok(task);
    }
    let name = name.to_owned();
    if named.is_empty() {
        let known = tasks.iter().flat_map(|task| [&*task.id, &*task.name]);
        let advice = match suggestion::closest(&name, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "`orderctl task list` lists the tasks of an order".to_owned(),
        };
        return Err(Refusal::UnknownTask { name, advice });
    }
    let count = named.len();
    let ids = listed(named.iter().map(|task| task.id.as_str()));
    Err(Refusal::Ambiguous { name, count, ids })
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn check_state(
    task: &TaskProgress,
    past: &'static str,
    at_work: Option<u32>,
) -> Result<(), Refusal> {
    let ended = |how: String| {
        Err(Refusal::Ended {
            task: task.id.clone(),
            past,
            how,
        })
    };
    let reason = || task.reason.clone().unwrap_or_default();
    match (task.state, task.outcome) {
        (TaskState::Completed, None) => return ended("it is completed".to_owned()),
        (TaskState::Completed, Some(_)) => return ended(format!("it was {}", reason())),
        (TaskState::Cancelled, Some(TaskOutcome::Failed)) => {
            return ended(match task.by {
                Some(_) => format!("it was {}", reason()),
                None => format!("it has failed: {}", reason()),
            });
        }
        (TaskState::Cancelled, _) => return ended(format!("it was given up: {}", reason())),
        (TaskState::New | TaskState::Active | TaskState::Hold, _) => {}
    }
    // Whoever sent it and has ended since does not wait any more: a person has to find out.
    match at_work.filter(|_| task.open) {
        Some(pid) => Err(Refusal::UnderWay {
            task: task.id.clone(),
            past,
            attempt: task.attempts,
            pid,
        }),
        None => Ok(()),
    }
}

/// Only what was sent, or is held, is tried again.
fn check_tried(known: Option<&TaskProgress>, task: &str) -> Result<(), Refusal> {
    match known {
        Some(known) if known.window_missed => Err(Refusal::WindowMissed { task: task.into() }),
        Some(known) if known.attempts > 0 || known.state == TaskState::Hold => Ok(()),
        _ => Err(Refusal::NotTried { task: task.into() }),
    }
}

/// Nothing is done before what has to come before it.
fn check_before(
    plan: &OrchestrationPlan,
    task: &TaskFlow,
    progress: &Progress,
) -> Result<(), Refusal> {
    let waits = task.relationship.iter().filter(|it| {
        let state = progress.task(&it.task_flow.id).map(|it| it.state);
        match it.until {
            Until::Completed => state != Some(TaskState::Completed),
            Until::Ended => !matches!(state, Some(TaskState::Completed | TaskState::Cancelled)),
        }
    });
    let before: Vec<&str> = waits.map(|it| it.task_flow.id.as_str()).collect();
    if before.is_empty() {
        return Ok(());
    }
    let named = plan.task_flow.iter().filter(|it| before.contains(&&*it.id));
    Err(Refusal::Waits {
        task: task.id.clone(),
        names: listed(named.map(|it| it.name.as_str())),
    })
}

pub mod set;

#[cfg(test)]
mod tests;
