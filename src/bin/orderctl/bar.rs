//! The progress bar of `activate`: one bar over all tasks of all orders.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use orderctl::activate::{Observer, Step};

/// A bar on standard error; nothing where nobody looks.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    /// One that is not shown is left alone: who draws a bar, or would, keeps all others from it.
    is_shown: bool,
}

impl Bar {
    /// A bar, shown or not.
    pub fn new(is_shown: bool) -> Bar {
        let target = if is_shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} tasks  {wide_msg}")
            .expect("the template is fixed");
        bar.set_style(style);
        Bar { bar, is_shown }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Takes the bar away while something is written.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.is_shown {
            self.bar.suspend(write)
        } else {
            write()
        }
    }
}

impl Observer for Bar {
    fn observe(&self, order_id: &str, step: Step<'_>) {
        match step {
            Step::Begun { .. } | Step::Started { .. } | Step::Completed { .. }
                if !self.is_shown => {}
            Step::Begun { tasks, completed } => {
                self.bar.inc_length(tasks as u64);
                self.bar.inc(completed as u64);
            }
            Step::Started { task, attempt: 1 } => self.bar.set_message(task.to_owned()),
            Step::Started { task, attempt } => {
                self.bar.set_message(format!("{task}, attempt {attempt}"));
            }
            Step::Completed { .. } => self.bar.inc(1),
            Step::Asking { task } => {
                tracing::info!("order {order_id}: it is asked what came of {task}");
            }
            Step::Paused { endpoint, until } => {
                tracing::info!("endpoint {endpoint} is left alone until {until}");
            }
            Step::Retrying { task, reason, .. } => {
                tracing::info!("order {order_id}: {task} failed and is tried again: {reason}");
            }
            Step::Held { task, reason } => {
                tracing::info!("order {order_id}: {task} is held: {reason}");
            }
            Step::Failed {
                task,
                reason,
                given_up,
            } => {
                self.bar.inc(1 + given_up as u64);
                tracing::info!("order {order_id}: {task} has failed: {reason}");
            }
            Step::Undoing { reason } => {
                tracing::info!("order {order_id}: what its bundle has done is undone: {reason}");
            }
            Step::NotUndone { reason } => {
                tracing::warn!(
                    "order {order_id}: what its bundle has done is not undone: {reason}"
                );
            }
            Step::Waiting { until, people } => {
                let people = match people {
                    0 => None,
                    1 => Some("a person".to_owned()),
                    people => Some(format!("people, in {people} tasks")),
                };
                let moment = until.map(|until| until.to_string());
                let what: Vec<String> = people.into_iter().chain(moment).collect();
                let message = format!("order {order_id} waits for {}", what.join(", and until "));
                if self.bar.message() != message {
                    tracing::info!("{message}");
                    self.bar.set_message(message);
                }
            }
        }
    }
}
