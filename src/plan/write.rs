//! A plan as text: the tasks of a large one by several threads.

use std::mem;

use serde::Serialize;

use super::MANY;
use super::flow::OrchestrationPlan;
use crate::parallel;

/// What follows the tasks of a plan.
const END: &[u8] = b"]}";

/// The compact text of a plan, in pieces that follow each other.
pub fn write(mut plan: OrchestrationPlan) -> Vec<Vec<u8>> {
    let tasks = mem::take(&mut plan.task_flow);
    // Tasks are the last member; here there are none.
    let mut head = Vec::with_capacity(HEAD);
    json(&plan, &mut head);
    head.truncate(head.len() - END.len());
    let mut pieces = parallel::parts(&tasks, MANY, |start, tasks| {
        let head = if start == 0 { head.as_slice() } else { b"," };
        let mut text = Vec::with_capacity(head.len() + TASK * tasks.len() + END.len());
        text.extend_from_slice(head);
        for (position, task) in tasks.iter().enumerate() {
            if position > 0 {
                text.push(b',');
            }
            json(task, &mut text);
        }
        text
    });
    match pieces.last_mut() {
        Some(last) => last.extend_from_slice(END),
        None => unreachable!("a list without tasks is one part"),
    }
    pieces
}

/// What the text before the tasks takes, at a guess.
const HEAD: usize = 2 << 10;

/// What a task takes, at a guess that is seldom too low.
const TASK: usize = 2 << 10;

fn json(part: &impl Serialize, text: &mut Vec<u8>) {
    serde_json::to_writer(text, part).expect("a plan is made of texts and JSON values");
}
