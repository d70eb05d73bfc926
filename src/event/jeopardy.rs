//! Whether an order may be too late: the latest starts of its tasks, counted
//! back from the completion that was asked for.

use jiff::Timestamp;

use super::JeopardyLevel;
use crate::document::{Document, Node};
use crate::model::state::TaskState;
use crate::plan::duration;

/// The moments by which tasks have to begin.
#[derive(Debug, Default, Clone)]
pub(super) struct Deadlines {
    /// The earliest first; each with the task.
    latest: Vec<(Timestamp, usize)>,
    /// The first that has not come.
    next: usize,
    /// When the order has to be done.
    end: Option<Timestamp>,
    told: Option<JeopardyLevel>,
}

/// What is late.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Late {
    pub level: JeopardyLevel,
    /// Position of a task.
    pub task: usize,
    /// When it should have begun, or the order be done.
    pub moment: Timestamp,
}

impl Deadlines {
    /// Those of a plan whose order asks for a completion; none where it does not.
    pub fn of(plan: &Document) -> Self {
        let root = plan.root();
        let Some(start) = moment(root.get("schedule"), "calculatedStart") else {
            return Self::default();
        };
        let after = |node: Option<Node<'_>>, key: &str| {
            let text = node.and_then(|it| it.text(key))?;
            start.checked_add(duration(&text)?).ok()
        };
        let mut latest: Vec<(Timestamp, usize)> = root
            .list("taskFlow")
            .enumerate()
            .filter_map(|(at, task)| Some((after(Some(task), "latestStart")?, at)))
            .collect();
        latest.sort_unstable();
        Self {
            latest,
            next: 0,
            end: after(root.get("schedule"), "expectedDuration"),
            told: None,
        }
    }

    /// What is late at a moment, where that is worse than what was late before.
    pub fn look(&mut self, now: Timestamp, states: &[TaskState]) -> Option<Late> {
        let open = |task: &usize| !states[*task].successors().is_empty();
        if let Some(end) = self.end.filter(|end| *end < now)
            && self.told < Some(JeopardyLevel::Critical)
            && let Some(task) = (0..states.len()).find(open)
        {
            self.told = Some(JeopardyLevel::Critical);
            return Some(Late {
                level: JeopardyLevel::Critical,
                task,
                moment: end,
            });
        }
        while let Some(&(moment, task)) = self.latest.get(self.next) {
            if moment >= now {
                break;
            }
            self.next += 1;
            let is_late = states.get(task) == Some(&TaskState::New);
            if is_late && self.told.is_none() {
                let level = JeopardyLevel::Hazard;
                self.told = Some(level);
                return Some(Late {
                    level,
                    task,
                    moment,
                });
            }
        }
        None
    }
}

fn moment(node: Option<Node<'_>>, key: &str) -> Option<Timestamp> {
    node?.text(key)?.parse().ok()
}
