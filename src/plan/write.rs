//! A plan as text.

use std::ops::ControlFlow;

use serde::Serialize;

use super::flow::{OrchestrationPlan, TaskFlow};
use super::make::Tasks;

/// A plan that is to be written.
#[derive(Debug)]
pub struct PlanText {
    /// What stands before the tasks; all of it where they are few.
    head: Vec<u8>,
    /// Many tasks, in pieces that follow each other.
    tasks: Vec<Vec<u8>>,
}

/// What follows the tasks of a plan.
const END: &[u8] = b"]}";

impl PlanText {
    /// The compact text of a plan, whose tasks have been written.
    pub fn of(plan: &OrchestrationPlan, tasks: Vec<TaskTexts>) -> PlanText {
        // Tasks are the last member; here there are none.
        let mut head = Vec::with_capacity(HEAD + tasks.first().map_or(0, |it| it.0.len()));
        json(plan, &mut head);
        head.truncate(head.len() - END.len());
        let mut tasks: Vec<Vec<u8>> = tasks.into_iter().map(|it| it.0).collect();
        if tasks.len() < 2 {
            for text in tasks.drain(..) {
                head.extend_from_slice(&text);
            }
            head.extend_from_slice(END);
        }
        PlanText { head, tasks }
    }

    /// All of it, where it is in one piece.
    pub fn whole(&self) -> Option<&[u8]> {
        self.tasks.is_empty().then_some(&self.head)
    }

    /// Hands it to `take`, in pieces that follow each other, until it wants no more.
    pub fn pieces<B>(self, mut take: impl FnMut(&[u8]) -> ControlFlow<B>) -> ControlFlow<B> {
        take(&self.head)?;
        if self.tasks.is_empty() {
            return ControlFlow::Continue(());
        }
        for text in self.tasks {
            take(&text)?;
        }
        take(END)
    }
}

/// The texts of tasks that follow each other, with a comma before each that is not the first one of
/// its plan.
#[derive(Debug, Default)]
pub struct TaskTexts(Vec<u8>);

impl Tasks for TaskTexts {
    fn reserve(&mut self, tasks: usize) {
        self.0.reserve(TASK * tasks);
    }

    fn push(&mut self, number: usize, task: Box<TaskFlow>) {
        if number > 0 {
            self.0.push(b',');
        }
        json(&task, &mut self.0);
    }

    // Copied once more, into memory that the system may have to find; the room is near, and used again
    // by the next ones.
    fn fitted(self) -> TaskTexts {
        TaskTexts(self.0.as_slice().to_vec())
    }
}

/// What the text before the tasks takes, at a guess.
const HEAD: usize = 2 << 10;

/// What a task takes, at a guess that is seldom too low.
const TASK: usize = 2 << 10;

fn json(part: &impl Serialize, text: &mut Vec<u8>) {
    serde_json::to_writer(text, part).expect("a plan is made of texts and JSON values");
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::ops::ControlFlow;

    use super::super::{MANY, Planning};
    use crate::chain::Chain;
    use crate::document::Document;

    #[test]
    fn a_plan_is_written_the_same_however_many_tasks_it_has() {
        let planning = Planning {
            default_endpoint: Some("olt"),
            ..Planning::default()
        };
        for count in [0, 1, MANY - 1, MANY, 3 * MANY + 1] {
            let mut items = String::from(r#"{"id":"none","action":"noChange"}"#);
            for number in 0..count {
                let _ = write!(items, r#",{{"id":"{number}","action":"add"}}"#);
            }
            let order = format!(r#"{{"@type":"ResourceOrder","id":"R","orderItem":[{items}]}}"#);
            let chain = Chain::new(Document::parse(order, "").expect("JSON"));
            let planned = planning.plan(&chain).expect("a plan");
            assert_eq!(planned.plan.task_flow.len(), count);
            let expected = serde_json::to_string(&planned.plan).expect("JSON");
            let mut text = Vec::new();
            let written = planning.write(&chain).expect("a plan");
            assert_eq!(written.tasks, count);
            let ended = written.text.pieces(|piece| {
                text.extend_from_slice(piece);
                ControlFlow::<()>::Continue(())
            });
            assert_eq!(ended, ControlFlow::Continue(()));
            assert_eq!(String::from_utf8_lossy(&text), expected);
        }
    }
}
