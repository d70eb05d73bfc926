//! What a task that has not begun waits for.

use jiff::Timestamp;

use crate::progress::{Before, PlanTask};

/// What is between a task and its beginning.
#[derive(Debug)]
pub struct Next<'t> {
    /// The tasks that are not over, and their names.
    pub waits_for: Vec<(&'t Before<'t>, &'t str)>,
    /// The moment before which it does not begin, as far as that is known.
    pub not_before: Option<Timestamp>,
}

impl<'t> Next<'t> {
    /// For a task among others, which are found by their ids.
    pub fn of(task: &'t PlanTask<'t>, find: impl Fn(&str) -> Option<&'t PlanTask<'t>>) -> Next<'t> {
        let mut next = Next {
            waits_for: Vec::new(),
            not_before: task.window_start,
        };
        for before in &task.waits_for {
            match find(&before.id) {
                Some(other) if before.is_over(other.state) => {
                    let lag = before.lag.zip(other.ended);
                    let over = lag.and_then(|(lag, ended)| ended.checked_add(lag).ok());
                    next.not_before = next.not_before.max(over);
                }
                Some(other) => next.waits_for.push((before, &other.name)),
                None => next.waits_for.push((before, &before.id)),
            }
        }
        next
    }
}
