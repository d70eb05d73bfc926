//! A plan as text: the tasks of a large one by several threads.

use std::mem;
use std::ops::ControlFlow;

use serde::Serialize;

use super::MANY;
use super::flow::{OrchestrationPlan, TaskFlow};
use crate::parallel;

/// A plan that is to be written. The text of a large one is made while it is taken, and never there
/// as a whole.
#[derive(Debug)]
pub struct PlanText {
    /// What stands before the tasks; all of it where they are few.
    head: Vec<u8>,
    tasks: Vec<Box<TaskFlow>>,
}

/// What follows the tasks of a plan.
const END: &[u8] = b"]}";

/// Tasks that are written together.
const PIECE: usize = MANY / 2;

impl PlanText {
    /// The compact text of a plan.
    pub fn of(mut plan: OrchestrationPlan) -> PlanText {
        let tasks = mem::take(&mut plan.task_flow);
        // Tasks are the last member; here there are none.
        let mut head = Vec::with_capacity(HEAD);
        json(&plan, &mut head);
        head.truncate(head.len() - END.len());
        if tasks.len() < MANY {
            write(0, &tasks, &mut head);
            head.extend_from_slice(END);
            return PlanText {
                head,
                tasks: Vec::new(),
            };
        }
        PlanText { head, tasks }
    }

    /// All of it, where it is already there.
    pub fn whole(&self) -> Option<&[u8]> {
        self.tasks.is_empty().then_some(&self.head)
    }

    /// Hands it to `take`, in pieces that follow each other, until it wants no more.
    pub fn pieces<B>(self, mut take: impl FnMut(&[u8]) -> ControlFlow<B>) -> ControlFlow<B> {
        take(&self.head)?;
        if self.tasks.is_empty() {
            return ControlFlow::Continue(());
        }
        let make = |start, tasks: &[Box<TaskFlow>], text: &mut Vec<u8>| {
            text.reserve(TASK * tasks.len());
            write(start, tasks, text);
        };
        let ended = parallel::pieces(&self.tasks, PIECE, make, |text| {
            let taken = take(text);
            text.clear();
            taken
        });
        parallel::discard(self.tasks);
        ended?;
        take(END)
    }
}

/// What the text before the tasks takes, at a guess.
const HEAD: usize = 2 << 10;

/// What a task takes, at a guess that is seldom too low.
const TASK: usize = 2 << 10;

fn write(start: usize, tasks: &[Box<TaskFlow>], text: &mut Vec<u8>) {
    for (position, task) in (start..).zip(tasks) {
        if position > 0 {
            text.push(b',');
        }
        json(task, text);
    }
}

fn json(part: &impl Serialize, text: &mut Vec<u8>) {
    serde_json::to_writer(text, part).expect("a plan is made of texts and JSON values");
}

#[cfg(test)]
mod tests {
    use super::super::flow::TaskKind;
    use super::super::{Planning, blank_task};
    use super::*;
    use crate::chain::Chain;
    use crate::document::Document;

    #[test]
    fn a_plan_is_written_the_same_however_many_tasks_it_has() {
        let order =
            r#"{"@type":"ResourceOrder","id":"R","orderItem":[{"id":"1","action":"noChange"}]}"#;
        let chain = Chain::new(Document::parse(order.to_owned(), "").expect("JSON"));
        let planned = Planning::default().plan(&chain).expect("an empty plan");
        for count in [0, 1, MANY - 1, MANY, 3 * MANY + 1] {
            let mut plan = planned.plan.clone();
            let task = |number: usize| {
                let (id, why) = (number.to_string(), String::new());
                blank_task(id, "task".to_owned(), TaskKind::Manual, why)
            };
            plan.task_flow = (0..count).map(task).collect();
            let expected = serde_json::to_string(&plan).expect("JSON");
            let mut text = Vec::new();
            let ended = PlanText::of(plan).pieces(|piece| {
                text.extend_from_slice(piece);
                ControlFlow::<()>::Continue(())
            });
            assert_eq!(ended, ControlFlow::Continue(()));
            assert_eq!(String::from_utf8_lossy(&text), expected);
        }
    }
}
