//! How the run of an order ended, in words.

use orderctl::activate::{Report, RunState, WaitFor};
use orderctl::chain::Chain;
use orderctl::diagnostic::human::printable;
use orderctl::journal::TaskProgress;
use orderctl::model::state::OrderState;
use orderctl::plan::flow::TaskOutcome;

/// Tasks that are told one by one; more are counted.
const TOLD: usize = 10;

/// A line, then one for each task that somebody has to know about, then what goes on. Of a run that
/// failed, the chain as it stands says how.
pub fn lines(report: &Report, chain: Option<&Chain>) -> Vec<String> {
    let order = printable(&report.order_id);
    let tasks = report.progress.tasks().len();
    let done = report.progress.completed();
    let word = match report.state {
        RunState::Completed => "completed",
        RunState::Cancelled => "cancelled",
        RunState::Waiting => "waiting",
        RunState::Held => "held",
        RunState::Interrupted => "interrupted",
        RunState::Failed => chain.map_or(OrderState::Failed, ended).name(),
    };
    let mut lines = vec![format!(
        "activate {order}: {word}, {done} of {tasks} tasks done"
    )];
    let reason = |task: &TaskProgress| {
        let reason = task.reason.as_deref().unwrap_or("no reason given");
        format!("{}: {}", printable(&task.id), printable(reason))
    };
    let held = |task: &TaskProgress| {
        let next = next_command(task, &order);
        format!("{}; {next}", reason(task))
    };
    add(&mut lines, "failed", report.progress.failed().map(reason));
    let is_dropped = |task: &&TaskProgress| task.outcome == Some(TaskOutcome::Dropped);
    let dropped = report.progress.tasks().iter().filter(is_dropped).count();
    match dropped {
        0 => {}
        1 => lines.push("  dropped 1 task that is not wanted any more".to_owned()),
        _ => lines.push(format!(
            "  dropped {dropped} tasks that are not wanted any more"
        )),
    }
    let others = report.progress.failed().count() + dropped;
    match report.progress.given_up().saturating_sub(others) {
        0 => {}
        1 => lines.push("  given up 1 task that needs what failed".to_owned()),
        given_up => lines.push(format!("  given up {given_up} tasks that need what failed")),
    }
    add(&mut lines, "held", report.progress.held().map(held));
    let known = |task: &str| report.progress.task(task);
    let waits = report.waits.iter().map(|wait| {
        let (id, name) = (printable(&wait.task), printable(&wait.name));
        match wait.what {
            WaitFor::Moment(at) => format!("{name} ({id}): not before {at}"),
            WaitFor::Retry(at) => match known(&wait.task) {
                Some(task) if task.is_at_work() => format!(
                    "{name} ({id}): asked about at {at}, or by the next run; {}",
                    printable(task.reason.as_deref().unwrap_or_default())
                ),
                // To let it be sent again may do it twice.
                Some(task) if task.is_unsettled() => {
                    format!("{name} ({id}): gone on with at {at}; {}", found_out(&order, &id))
                }
                _ => format!(
                "{name} ({id}): tried again at {at}; sooner: orderctl task retry {order} {id} --reason '…'"
                ),
            },
            WaitFor::Endpoint(at) => {
                format!("{name} ({id}): for its endpoint, which is left alone until {at}")
            }
            WaitFor::Person => {
                format!("{name}: for a person; done: orderctl task complete {order} {id}")
            }
            WaitFor::Release => {
                format!("{name}: for a release; next: orderctl task release {order} {id} --reason '…'")
            }
        }
    });
    add(&mut lines, "waits", waits);
    if report.state == RunState::Waiting {
        lines.push("  the same command goes on later; with --wait it stays until then".to_owned());
    }
    lines
}

/// What a person can do about a task that is held.
fn next_command(task: &TaskProgress, order: &str) -> String {
    let id = printable(&task.id);
    if task.window_missed {
        // It does not come again: nobody but a person can go on here.
        return format!("decide: orderctl task complete|skip|fail {order} {id} --reason '…'");
    }
    if task.attempts == 0 {
        return format!("decide: orderctl task release|fail {order} {id} --reason '…'");
    }
    if task.is_unsettled() {
        return found_out(order, &id);
    }
    format!(
        "the same command tries it again; or decide: orderctl task complete|skip|fail {order} {id} --reason '…'"
    )
}

/// What a person can do who finds out what came of a request.
fn found_out(order: &str, id: &str) -> String {
    format!(
        "was it done: orderctl task complete {order} {id}; was it not: orderctl task retry {order} {id} --reason '…'"
    )
}

/// State of the root order.
fn ended(chain: &Chain) -> OrderState {
    let root = chain
        .orders()
        .next()
        .map(orderctl::document::Document::root);
    let state = root.and_then(|root| OrderState::read(&root.text("state")?));
    state.map_or(OrderState::Failed, |read| read.0)
}

fn add(lines: &mut Vec<String>, word: &str, what: impl Iterator<Item = String>) {
    let mut more = 0_usize;
    for (at, text) in what.enumerate() {
        if at < TOLD {
            lines.push(format!("  {word} {text}"));
        } else {
            more += 1;
        }
    }
    if more > 0 {
        lines.push(format!("  {word} and {more} more"));
    }
}
