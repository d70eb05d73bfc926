//! Which tasks may start, and when. Pure.

use std::collections::{BTreeSet, VecDeque};

use foldhash::{HashMap, HashMapExt as _};
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::journal::Progress;
use crate::model::state::TaskState;
use crate::plan::flow::{OrchestrationPlan, TaskFlow, TaskKind, Until};

/// The tasks of a plan that wait for nothing but being started, in the plan's
/// order, those that wait for a moment, and how many others each of the rest
/// waits for.
#[derive(Debug)]
pub struct Frontier {
    ready: VecDeque<usize>,
    /// Tasks that wait for nothing but this moment.
    later: BTreeSet<(Timestamp, usize)>,
    moments: HashMap<usize, Timestamp>,
    /// When the windows of tasks end that have not been given out.
    ends: BTreeSet<(Timestamp, usize)>,
    windows: HashMap<usize, Window>,
    /// How many others a task waits for; [`WITHDRAWN`] where it is never given out again.
    waits_for: Vec<usize>,
    not_before: HashMap<usize, Timestamp>,
    successors: Vec<Vec<Edge>>,
}

const WITHDRAWN: usize = usize::MAX;

/// When a task may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Not before.
    pub start: Option<Timestamp>,
    /// Not at or after.
    pub end: Option<Timestamp>,
}

/// A task that waits for another one.
#[derive(Debug, Clone, Copy)]
struct Edge {
    task: usize,
    until: Until,
    lag: Option<SignedDuration>,
}

/// A plan that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanFault {
    /// Two tasks of one id.
    #[error("two tasks have the id {task}")]
    DuplicateTask {
        /// The id.
        task: String,
    },
    /// A task waits for one that is not there.
    #[error("task {task} waits for {dependency}, which is not in the plan")]
    UnknownTask {
        /// Who waits.
        task: String,
        /// For whom.
        dependency: String,
    },
    /// Tasks that wait for each other, or for such tasks.
    #[error("these tasks wait for each other and can never start: {}", tasks.join(", "))]
    Cycle {
        /// Their ids, in the plan's order.
        tasks: Vec<String>,
    },
    /// An activation without endpoint, request or idempotency key.
    #[error("task {task} is an activation without endpoint, request or idempotency key")]
    NoCall {
        /// Task id.
        task: String,
    },
    /// A window or lag that cannot be read.
    #[error("task {task}: {text:?} is no {what}")]
    Unreadable {
        /// Task id.
        task: String,
        /// What it should be.
        what: &'static str,
        /// What it is.
        text: String,
    },
}

impl Frontier {
    /// The frontier of `plan` after `progress`: every task that has not ended
    /// is still to be done, held ones too, but for those that missed their
    /// window.
    ///
    /// # Errors
    /// Where the plan's dependencies are no order in which it can be done, or
    /// a task cannot be carried out as it is.
    pub fn new(plan: &OrchestrationPlan, progress: &Progress) -> Result<Self, PlanFault> {
        Self::of(plan).map(|frontier| frontier.after(plan, progress))
    }

    /// The frontier of its plan after `progress`; this one has given nothing out.
    pub(super) fn after(self, plan: &OrchestrationPlan, progress: &Progress) -> Self {
        let mut frontier = self;
        let tasks = || plan.task_flow.iter().enumerate();
        let stands = |task: &TaskFlow| progress.task(&task.id);
        for (at, task) in tasks() {
            let Some(it) = stands(task).filter(|it| it.has_ended()) else {
                continue;
            };
            let end = it.changed_at.unwrap_or_default();
            frontier.release(at, end, it.state == TaskState::Completed);
            frontier.withdraw(at);
        }
        for (at, task) in tasks() {
            let Some(it) = stands(task).filter(|it| !it.has_ended()) else {
                continue;
            };
            if it.attempts > 0 || it.window_missed {
                // It has begun, or is too late already.
                frontier.close_window(at);
            }
            if it.window_missed {
                frontier.withdraw(at);
            } else if frontier.waits_for[at] == 0 {
                frontier.enter(at);
            }
        }
        frontier
    }

    /// The frontier of a plan of which nothing is known: it gives nothing out. What makes a plan
    /// impossible is found here, whatever has been done of it.
    pub(super) fn of(plan: &OrchestrationPlan) -> Result<Self, PlanFault> {
        let tasks = &plan.task_flow;
        let mut place = HashMap::with_capacity(tasks.len());
        let mut windows = HashMap::new();
        for (at, task) in tasks.iter().enumerate() {
            if place.insert(task.id.as_str(), at).is_some() {
                return Err(PlanFault::DuplicateTask {
                    task: task.id.clone(),
                });
            }
            if task.kind == TaskKind::Activation && task.call().is_none() {
                return Err(PlanFault::NoCall {
                    task: task.id.clone(),
                });
            }
            if let Some(window) = Window::of(task)? {
                windows.insert(at, window);
            }
        }
        let mut waits_for = vec![0; tasks.len()];
        let mut successors = vec![Vec::new(); tasks.len()];
        for (at, task) in tasks.iter().enumerate() {
            for relationship in &task.relationship {
                let dependency = &relationship.task_flow.id;
                let Some(&before) = place.get(dependency.as_str()) else {
                    let (task, dependency) = (task.id.clone(), dependency.clone());
                    return Err(PlanFault::UnknownTask { task, dependency });
                };
                waits_for[at] += 1;
                let lag = relationship.lag.as_deref();
                successors[before].push(Edge {
                    task: at,
                    until: relationship.until,
                    lag: lag.map(|text| read_lag(task, text)).transpose()?,
                });
            }
        }
        let ends = windows.iter().filter_map(|(at, it)| Some((it.end?, *at)));
        let frontier = Self {
            ready: VecDeque::new(),
            later: BTreeSet::new(),
            moments: HashMap::new(),
            ends: ends.collect(),
            windows,
            waits_for,
            not_before: HashMap::new(),
            successors,
        };
        let stuck = frontier.stuck();
        if stuck.is_empty() {
            return Ok(frontier);
        }
        Err(PlanFault::Cycle {
            tasks: stuck.into_iter().map(|at| tasks[at].id.clone()).collect(),
        })
    }

    /// The tasks that are not reached by doing whatever can be done.
    fn stuck(&self) -> Vec<usize> {
        let mut left = self.waits_for.clone();
        let mut ready: Vec<_> = (0..left.len()).filter(|&it| left[it] == 0).collect();
        while let Some(task) = ready.pop() {
            for next in &self.successors[task] {
                left[next.task] -= 1;
                if left[next.task] == 0 {
                    ready.push(next.task);
                }
            }
        }
        (0..left.len()).filter(|&it| left[it] > 0).collect()
    }

    /// The next task that may start now; each is given out once.
    pub fn start(&mut self, now: Timestamp) -> Option<usize> {
        while self.later.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, task)) = self.later.pop_first() {
                self.moments.remove(&task);
                self.ready.push_back(task);
            }
        }
        loop {
            let task = self.ready.pop_front()?;
            if self.waits_for[task] != WITHDRAWN {
                self.close_window(task);
                return Some(task);
            }
        }
    }

    /// The next task whose window has ended before it was given out; it is not
    /// given out any more.
    pub fn miss(&mut self, now: Timestamp) -> Option<(usize, Timestamp)> {
        let &(end, task) = self.ends.first().filter(|(end, _)| *end <= now)?;
        self.withdraw(task);
        Some((task, end))
    }

    /// The next moment at which a task may start.
    #[must_use]
    pub fn next_start(&self) -> Option<Timestamp> {
        self.later.first().map(|(at, _)| *at)
    }

    /// The next moment at which a window ends.
    #[must_use]
    pub fn next_end(&self) -> Option<Timestamp> {
        self.ends.first().map(|(at, _)| *at)
    }

    /// Tasks that wait for nothing but a moment, and which, earliest first.
    pub fn later(&self) -> impl Iterator<Item = (usize, Timestamp)> {
        self.later.iter().map(|(at, task)| (*task, *at))
    }

    /// Whether a task may start.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready
            .iter()
            .any(|task| self.waits_for[*task] != WITHDRAWN)
    }

    /// Notes that a task has ended, completed or not, and when.
    pub fn ended(&mut self, task: usize, at: Timestamp, completed: bool) {
        self.withdraw(task);
        for freed in self.release(task, at, completed) {
            self.enter(freed);
        }
    }

    /// Takes a task back that was given out, to be given out again at `at`; at once where none is
    /// given.
    pub fn give_again(&mut self, task: usize, at: Option<Timestamp>) {
        if self.waits_for[task] != 0 {
            return;
        }
        if let Some(at) = self.moments.remove(&task) {
            self.later.remove(&(at, task));
        }
        self.ready.retain(|it| *it != task);
        match at {
            Some(at) => {
                self.later.insert((at, task));
                self.moments.insert(task, at);
            }
            None => self.ready.push_back(task),
        }
    }

    /// Takes tasks back that were given out and not begun.
    pub fn put_back(&mut self, tasks: impl IntoIterator<Item = usize>) {
        let tasks = tasks.into_iter();
        self.ready
            .extend(tasks.filter(|task| self.waits_for[*task] == 0));
    }

    /// Does not give a task out any more.
    fn withdraw(&mut self, task: usize) {
        self.close_window(task);
        self.waits_for[task] = WITHDRAWN;
        if let Some(at) = self.moments.remove(&task) {
            self.later.remove(&(at, task));
        }
    }

    fn close_window(&mut self, task: usize) {
        if let Some(Window { end: Some(end), .. }) = self.windows.remove(&task) {
            self.ends.remove(&(end, task));
        }
    }

    /// Takes a task in that waits for no other one any more.
    fn enter(&mut self, task: usize) {
        let lag = self.not_before.remove(&task);
        let start = self.windows.get(&task).and_then(|it| it.start);
        match lag.max(start) {
            Some(at) => {
                self.later.insert((at, task));
                self.moments.insert(task, at);
            }
            None => self.ready.push_back(task),
        }
    }

    /// Frees the tasks that waited for one that has ended.
    fn release(&mut self, task: usize, at: Timestamp, completed: bool) -> Vec<usize> {
        let mut freed = Vec::new();
        for edge in std::mem::take(&mut self.successors[task]) {
            let left = self.waits_for[edge.task];
            if !(completed || edge.until == Until::Ended) || left == WITHDRAWN {
                continue;
            }
            if let Some(lag) = edge.lag {
                let from = at.checked_add(lag).unwrap_or(Timestamp::MAX);
                let known = self.not_before.entry(edge.task).or_insert(from);
                *known = from.max(*known);
            }
            self.waits_for[edge.task] = left - 1;
            if left == 1 {
                freed.push(edge.task);
            }
        }
        freed
    }
}

impl Window {
    /// The window of a task, where it has one.
    ///
    /// # Errors
    /// Where its moments cannot be read.
    pub fn of(task: &TaskFlow) -> Result<Option<Self>, PlanFault> {
        let Some(window) = &task.window else {
            return Ok(None);
        };
        let read = |text: &Option<String>| {
            let moment = |text: &String| {
                text.parse().map_err(|_| PlanFault::Unreadable {
                    task: task.id.clone(),
                    what: "date and time",
                    text: text.clone(),
                })
            };
            text.as_ref().map(moment).transpose()
        };
        Ok(Some(Self {
            start: read(&window.start)?,
            end: read(&window.end)?,
        }))
    }
}

fn read_lag(task: &TaskFlow, text: &str) -> Result<SignedDuration, PlanFault> {
    crate::plan::duration(text).ok_or_else(|| PlanFault::Unreadable {
        task: task.id.clone(),
        what: "duration",
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests;
