//! Which tasks may start. Pure.

use std::collections::{HashMap, VecDeque};

use thiserror::Error;

use crate::journal::Progress;
use crate::model::state::TaskState;
use crate::plan::flow::OrchestrationPlan;

/// The tasks of a plan that wait for nothing but being started, in the plan's
/// order, and how many others each of the rest waits for.
#[derive(Debug)]
pub struct Frontier {
    ready: VecDeque<usize>,
    waits_for: Vec<usize>,
    successors: Vec<Vec<usize>>,
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
}

impl Frontier {
    /// The frontier of `plan` after `progress`: every task that is not
    /// completed is still to be done, held ones too.
    ///
    /// # Errors
    /// Where the plan's dependencies are no order in which it can be done.
    pub fn new(plan: &OrchestrationPlan, progress: &Progress) -> Result<Self, PlanFault> {
        let mut frontier = Self::of(plan)?;
        let done: Vec<bool> = plan
            .task_flow
            .iter()
            .map(|task| {
                progress
                    .task(&task.id)
                    .is_some_and(|it| it.state == TaskState::Completed)
            })
            .collect();
        for task in (0..done.len()).filter(|&task| done[task]) {
            frontier.release(task);
        }
        frontier.ready = (0..done.len())
            .filter(|&it| !done[it] && frontier.waits_for[it] == 0)
            .collect();
        Ok(frontier)
    }

    fn of(plan: &OrchestrationPlan) -> Result<Self, PlanFault> {
        let tasks = &plan.task_flow;
        let mut place = HashMap::with_capacity(tasks.len());
        for (at, task) in tasks.iter().enumerate() {
            if place.insert(task.id.as_str(), at).is_some() {
                return Err(PlanFault::DuplicateTask {
                    task: task.id.clone(),
                });
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
                successors[before].push(at);
            }
        }
        let frontier = Self {
            ready: VecDeque::new(),
            waits_for,
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
            for &next in &self.successors[task] {
                left[next] -= 1;
                if left[next] == 0 {
                    ready.push(next);
                }
            }
        }
        (0..left.len()).filter(|&it| left[it] > 0).collect()
    }

    /// The next task that may start; each is given out once.
    pub fn start(&mut self) -> Option<usize> {
        self.ready.pop_front()
    }

    /// Whether a task may start.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Notes that a task given out was completed.
    pub fn completed(&mut self, task: usize) {
        let freed = self.release(task);
        self.ready.extend(freed);
    }

    fn release(&mut self, task: usize) -> Vec<usize> {
        let mut freed = std::mem::take(&mut self.successors[task]);
        freed.retain(|&next| {
            self.waits_for[next] -= 1;
            self.waits_for[next] == 0
        });
        freed
    }
}

#[cfg(test)]
mod tests;
