//! Where an order stands: the fold over its entries.
//!
//! Pure, and the only place that says what an entry means; carrying out and
//! reporting both use it. An entry that cannot have happened is an error that
//! names its place, and leaves the progress as it was.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::value::RawValue;
use thiserror::Error;

use super::entry::{Entry, Event, Failure, Planned};
use crate::model::state::TaskState;
use crate::plan::flow::OrchestrationPlan;

/// How far an order has come.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    planned: Option<Planned>,
    planned_at: Option<Timestamp>,
    tasks: Vec<TaskProgress>,
    place: HashMap<String, usize>,
    entries: u64,
    completed: usize,
}

/// How far a task has come.
#[derive(Debug, Clone)]
pub struct TaskProgress {
    /// Task id.
    pub id: String,
    /// State: `new`, `active`, `hold` or `completed`.
    pub state: TaskState,
    /// Requests sent so far, over all runs.
    pub attempts: u32,
    /// Requests that came to nothing since the task was last held.
    pub failures: u32,
    /// Whether a request was sent and its outcome is not in the journal.
    pub open: bool,
    /// Why the last request came to nothing, or why the task is held.
    pub reason: Option<String>,
    /// Kind of the last failure.
    pub failure: Option<Failure>,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// The resource as the endpoint answered it.
    pub resource: Option<Box<RawValue>>,
    /// When the first request was about to be sent.
    pub started_at: Option<Timestamp>,
    /// When the task was completed.
    pub finished_at: Option<Timestamp>,
    /// When it last moved on in any way.
    pub changed_at: Option<Timestamp>,
}

/// An entry that cannot have happened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("entry {number} ({kind}{}): {fault}", task.as_deref().map(|it| format!(" of task {it}")).unwrap_or_default())]
pub struct IllegalEntry {
    /// Which entry of the order, from 1.
    pub number: u64,
    /// Its kind.
    pub kind: &'static str,
    /// The task it is about.
    pub task: Option<String>,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Why an entry cannot have happened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Something came before the plan.
    #[error("comes before the plan")]
    NotPlanned,
    /// The plan was taken on already.
    #[error("the plan was taken on already")]
    PlannedTwice,
    /// The number of tasks is another.
    #[error("says {entry} tasks, the plan has {plan}")]
    OtherTasks {
        /// As the entry says.
        entry: u32,
        /// As the plan says.
        plan: usize,
    },
    /// The plan has no such task.
    #[error("the plan has no such task")]
    UnknownTask,
    /// The task is completed.
    #[error("the task is completed already")]
    AlreadyCompleted,
    /// An outcome without a request.
    #[error("no request was sent")]
    NotSent,
    /// Attempts are counted one by one.
    #[error("is attempt {found}, attempt {expected} is due")]
    OtherAttempt {
        /// As the entry says.
        found: u32,
        /// What it should say.
        expected: u32,
    },
    /// Held without having failed.
    #[error("nothing has failed")]
    NotFailed,
}

impl TaskProgress {
    fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            state: TaskState::New,
            attempts: 0,
            failures: 0,
            open: false,
            reason: None,
            failure: None,
            status: None,
            resource: None,
            started_at: None,
            finished_at: None,
            changed_at: None,
        }
    }

    fn apply(&mut self, at: Timestamp, event: &Event) -> Result<(), Fault> {
        if self.state == TaskState::Completed {
            return Err(Fault::AlreadyCompleted);
        }
        match event {
            Event::Planned(_) => return Err(Fault::PlannedTwice),
            Event::Started(it) => {
                let expected = self.attempts.saturating_add(1);
                if it.attempt != expected {
                    return Err(Fault::OtherAttempt {
                        found: it.attempt,
                        expected,
                    });
                }
                self.attempts = it.attempt;
                self.state = TaskState::Active;
                self.open = true;
                self.started_at.get_or_insert(at);
            }
            Event::Completed(it) => {
                if !self.open {
                    return Err(Fault::NotSent);
                }
                self.state = TaskState::Completed;
                self.open = false;
                self.reason = None;
                self.failure = None;
                self.status = Some(it.status);
                self.resource.clone_from(&it.resource);
                self.finished_at = Some(at);
            }
            Event::AttemptFailed(it) => {
                if !self.open {
                    return Err(Fault::NotSent);
                }
                if it.attempt != self.attempts {
                    let (found, expected) = (it.attempt, self.attempts);
                    return Err(Fault::OtherAttempt { found, expected });
                }
                self.open = false;
                self.failures = self.failures.saturating_add(1);
                self.reason = Some(it.reason.clone());
                self.failure = Some(it.failure);
                self.status = it.status;
            }
            Event::Held(it) => {
                if self.open || self.failures == 0 {
                    return Err(Fault::NotFailed);
                }
                self.state = TaskState::Hold;
                self.failures = 0;
                self.reason = Some(it.reason.clone());
            }
        }
        self.changed_at = Some(at);
        Ok(())
    }
}

impl Progress {
    /// The start: nothing done of `plan`.
    #[must_use]
    pub fn new(plan: &OrchestrationPlan) -> Self {
        Self::of_tasks(plan.task_flow.iter().map(|task| task.id.as_str()))
    }

    /// The start, for the tasks with these ids. Of equal ids the last counts.
    #[must_use]
    pub fn of_tasks<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        let tasks: Vec<_> = ids.into_iter().map(TaskProgress::new).collect();
        let place = tasks
            .iter()
            .enumerate()
            .map(|(at, task)| (task.id.clone(), at))
            .collect();
        Self {
            tasks,
            place,
            ..Self::default()
        }
    }

    /// Where `plan` stands after `entries`.
    ///
    /// # Errors
    /// The first entry that cannot have happened.
    pub fn replay<'a>(
        plan: &OrchestrationPlan,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Result<Self, IllegalEntry> {
        let mut progress = Self::new(plan);
        for entry in entries {
            progress.apply(entry)?;
        }
        Ok(progress)
    }

    /// Moves on by one entry.
    ///
    /// # Errors
    /// Where the entry cannot have happened; the progress is as it was before.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), IllegalEntry> {
        self.fold(entry).map_err(|fault| IllegalEntry {
            number: self.entries.saturating_add(1),
            kind: entry.event.kind(),
            task: entry.event.task().map(str::to_owned),
            fault,
        })?;
        self.entries += 1;
        Ok(())
    }

    fn fold(&mut self, entry: &Entry) -> Result<(), Fault> {
        if let Event::Planned(planned) = &entry.event {
            if self.planned.is_some() {
                return Err(Fault::PlannedTwice);
            }
            if usize::try_from(planned.tasks).ok() != Some(self.tasks.len()) {
                return Err(Fault::OtherTasks {
                    entry: planned.tasks,
                    plan: self.tasks.len(),
                });
            }
            self.planned = Some(planned.clone());
            self.planned_at = Some(entry.at);
            return Ok(());
        }
        if self.planned.is_none() {
            return Err(Fault::NotPlanned);
        }
        let place = entry.event.task().and_then(|id| self.place.get(id));
        let task = place
            .map(|&at| &mut self.tasks[at])
            .ok_or(Fault::UnknownTask)?;
        task.apply(entry.at, &entry.event)?;
        if task.state == TaskState::Completed {
            self.completed += 1;
        }
        Ok(())
    }

    /// The plan that was taken on; none where nothing has begun.
    #[must_use]
    pub fn planned(&self) -> Option<&Planned> {
        self.planned.as_ref()
    }

    /// When the plan was taken on.
    #[must_use]
    pub fn planned_at(&self) -> Option<Timestamp> {
        self.planned_at
    }

    /// The tasks, in the plan's order.
    #[must_use]
    pub fn tasks(&self) -> &[TaskProgress] {
        &self.tasks
    }

    /// The task with this id.
    #[must_use]
    pub fn task(&self, id: &str) -> Option<&TaskProgress> {
        self.place.get(id).map(|&at| &self.tasks[at])
    }

    /// How many entries it is the fold of.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// How many tasks are completed.
    #[must_use]
    pub fn completed(&self) -> usize {
        self.completed
    }

    /// Whether every task is.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.completed == self.tasks.len()
    }

    /// The tasks on hold, in the plan's order.
    pub fn held(&self) -> impl Iterator<Item = &TaskProgress> {
        self.tasks
            .iter()
            .filter(|task| task.state == TaskState::Hold)
    }
}

#[cfg(test)]
mod tests;
