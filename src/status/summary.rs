//! One sentence: what an order waits for, or what blocks it.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::TaskCounts;
use super::blocking::Known;
use super::next::Next;
use crate::chain::{Chain, order_name};
use crate::document::DocumentKind;
use crate::model::state::{OrderState, TaskState};
use crate::plan::flow::{TaskKind, TaskOutcome};
use crate::plan::{common_name, count_for_people};
use crate::progress::PlanTask;

/// Tasks that are named; the others are counted.
const NAMED: usize = 3;

/// For an order with everything derived from it.
pub fn of_chain(
    (chain, state): (&Chain, OrderState),
    (tasks, known): (&[PlanTask<'_>], Known<'_>),
    counts: Option<&TaskCounts>,
) -> String {
    match state {
        OrderState::Rejected => with_note(chain, "rejected"),
        OrderState::AssessingCancellation => "a cancellation is being assessed".to_owned(),
        OrderState::PendingCancellation => {
            let is_left = known.is_nobody_at_work();
            let text = if is_left {
                "a cancellation was begun"
            } else {
                "a cancellation is being carried out"
            };
            match counts.filter(|counts| counts.hold > 0 || is_left) {
                Some(counts) => {
                    let told = not_ended((tasks, known), counts, &name_of_root(chain));
                    format!("{text}; {told}")
                }
                None => text.to_owned(),
            }
        }
        OrderState::Cancelled | OrderState::Failed if counts.is_none() => {
            with_note(chain, state.name())
        }
        OrderState::Cancelled => cancelled(tasks),
        _ => match counts {
            Some(counts) => of_tasks((tasks, known), counts, (&name_of_root(chain), state)),
            None if state == OrderState::Completed => "completed".to_owned(),
            None => not_planned(chain).to_owned(),
        },
    }
}

fn name_of_root(chain: &Chain) -> String {
    chain.orders().next().map(order_name).unwrap_or_default()
}

fn not_planned(chain: &Chain) -> &'static str {
    if chain.first(DocumentKind::ResourceOrder).is_some() {
        "not planned: `orderctl plan` is next"
    } else {
        "not decomposed: `orderctl decompose` is next"
    }
}

/// The state, and the text of the root order's last note.
fn with_note(chain: &Chain, state: &str) -> String {
    let root = chain.orders().next();
    let note = root.and_then(|order| order.root().list("note").last()?.text("text"));
    note.filter(|text| !text.is_empty())
        .map_or_else(|| state.to_owned(), |text| format!("{state}: {text}"))
}

/// For the plan of an order.
pub fn of_tasks(
    (tasks, known): (&[PlanTask<'_>], Known<'_>),
    counts: &TaskCounts,
    (order, state): (&str, OrderState),
) -> String {
    let mut text = if counts.completed + counts.cancelled == counts.total {
        ended(tasks, counts, state)
    } else {
        let mut text = not_ended((tasks, known), counts, order);
        let failed = failed(tasks);
        if !failed.is_empty() {
            let _ = write!(text, "; {}", list("failed", &failed));
        }
        text
    };
    let past: Vec<_> = tasks.iter().filter(|task| task.is_past_return()).collect();
    if !past.is_empty() && counts.completed < counts.total {
        let _ = write!(text, "; past the point of no return: {}", names(&past));
    }
    text
}

fn not_ended(
    (tasks, known): (&[PlanTask<'_>], Known<'_>),
    counts: &TaskCounts,
    order: &str,
) -> String {
    let of_state = |state| tasks.iter().filter(move |task| task.state == state);
    if counts.hold > 0 {
        let held: Vec<_> = of_state(TaskState::Hold).collect();
        let mut text = stopped("held", &held);
        let left = of_state(TaskState::Active)
            .filter(|task| known.is_left(task))
            .count();
        if counts.active > left {
            let _ = write!(text, "; {} under way", number(counts.active - left));
        }
        if left > 0 {
            let _ = write!(text, "; outcome of {} unknown", number(left));
        }
        let waiting = waiting_for(tasks, &held);
        if waiting > 0 {
            let verb = if waiting == 1 { "waits" } else { "wait" };
            let whom = if counts.hold == 1 { "it" } else { "them" };
            let _ = write!(text, "; {} {verb} for {whom}", number(waiting));
        }
        let waits = waits(tasks, order);
        if !waits.others.is_empty() {
            let _ = write!(text, "; waiting: {}", waits.others.join(", "));
        }
        return text;
    }
    if counts.active > 0 {
        let active = of_state(TaskState::Active);
        let (later, active): (Vec<_>, Vec<_>) =
            active.partition(|task| known.tried_later(task).is_some());
        let (left, active): (Vec<_>, Vec<_>) =
            active.into_iter().partition(|task| known.is_left(task));
        // Where somebody is at work, it is being sent.
        let (again, active): (Vec<_>, Vec<_>) = active
            .into_iter()
            .partition(|task| known.is_nobody_at_work() && known.is_sent_again(task));
        let later: Vec<String> = later.into_iter().map(|it| next_try(it, known)).collect();
        let mut parts = Vec::new();
        if !left.is_empty() {
            parts.push(format!("interrupted, outcome unknown: {}", names(&left)));
        }
        if !active.is_empty() {
            parts.push(format!("under way: {}", names(&active)));
        }
        if !again.is_empty() {
            parts.push(format!("to be sent again: {}", names(&again)));
        }
        if !later.is_empty() {
            let more = later.len().saturating_sub(NAMED);
            let mut text = format!("waiting: {}", later[..later.len() - more].join(", "));
            if more > 0 {
                let _ = write!(text, " and {} more", count_for_people(more));
            }
            parts.push(text);
        }
        return format!("{}; {}", parts.join("; "), done(counts));
    }
    let waits = waits(tasks, order);
    if waits.ready.is_empty() && !waits.others.is_empty() {
        return format!("waiting: {}; {}", waits.others.join(", "), done(counts));
    }
    let next = match waits.ready.len() {
        0 => String::new(),
        _ => format!("; next: {}", names(&waits.ready)),
    };
    match counts.completed {
        0 => format!("not begun: {}{next}", number(counts.total)),
        _ => format!("interrupted: {}{next}", done(counts)),
    }
}

/// `Port tried again at 2026-12-03T18:41:50Z (503 Service Unavailable)`
fn next_try(task: &PlanTask<'_>, known: Known<'_>) -> String {
    match known.tried_later(task) {
        Some((again, reason)) => format!("{} {again} ({reason})", task.name),
        None => task.name.to_string(),
    }
}

/// What begins next, and what else has to come first.
struct Waits<'t, 'd> {
    ready: Vec<&'t PlanTask<'d>>,
    others: Vec<String>,
}

/// The tasks that wait for no other one: for nothing at all, for a moment, for a person.
fn waits<'t, 'd>(tasks: &'t [PlanTask<'d>], order: &str) -> Waits<'t, 'd> {
    let by_id: HashMap<&str, &PlanTask<'_>> = tasks.iter().map(|task| (&*task.id, task)).collect();
    let mut ready = Vec::new();
    let mut others = Vec::new();
    let mut more = 0;
    for task in tasks.iter().filter(|task| task.state == TaskState::New) {
        let next = Next::of(task, |id| by_id.get(id).copied());
        if !next.waits_for.is_empty() {
            continue;
        }
        let text = match (next.not_before, task.kind) {
            (Some(at), _) => format!("{} not before {at}", task.name),
            (None, TaskKind::Manual) => {
                let deed = if task.ends_wave {
                    "release"
                } else {
                    "complete"
                };
                format!(
                    "{} for a person (orderctl task {deed} {order} {})",
                    task.name, task.id
                )
            }
            (None, TaskKind::Activation | TaskKind::Milestone) => {
                ready.push(task);
                continue;
            }
        };
        if others.len() < NAMED {
            others.push(text);
        } else {
            more += 1;
        }
    }
    if more > 0 {
        others.push(format!("and {} more", count_for_people(more)));
    }
    Waits { ready, others }
}

/// For an order that was cancelled: what was undone of it.
fn cancelled(tasks: &[PlanTask<'_>]) -> String {
    let undoing = || tasks.iter().filter(|it| it.compensates.is_some());
    // What was found not to have been done needed no undoing; what a person has left out stays.
    let is_undone = |it: &&PlanTask<'_>| {
        let left = [TaskOutcome::Dropped, TaskOutcome::Skipped].map(Some);
        it.state == TaskState::Completed && !left.contains(&it.outcome)
    };
    let is_left = |it: &&PlanTask<'_>| {
        it.state == TaskState::Cancelled || it.outcome == Some(TaskOutcome::Skipped)
    };
    let mut text = match undoing().filter(is_undone).count() {
        0 => "cancelled".to_owned(),
        undone => format!("cancelled: {} undone", number(undone)),
    };
    let not_done: Vec<_> = undoing().filter(is_left).collect();
    if !not_done.is_empty() {
        let _ = write!(text, "; {}", list("not done", &not_done));
    }
    text
}

/// Where every task has ended.
fn ended(tasks: &[PlanTask<'_>], counts: &TaskCounts, state: OrderState) -> String {
    let is_dropped = |task: &&PlanTask<'_>| task.outcome == Some(TaskOutcome::Dropped);
    let dropped = tasks.iter().filter(is_dropped).count();
    if counts.cancelled == dropped {
        let counts = TaskCounts {
            total: counts.total - dropped,
            cancelled: 0,
            ..*counts
        };
        return of_counts(&counts, false);
    }
    let failed = failed(tasks);
    if failed.is_empty() {
        let cancelled = tasks.iter().filter(|it| it.state == TaskState::Cancelled);
        let cancelled = cancelled.filter(|it| !is_dropped(it));
        return stopped("given up", &cancelled.collect::<Vec<_>>());
    }
    let word = match state {
        // What was done may have been undone.
        OrderState::Failed => "failed",
        _ if counts.completed > 0 => "partial",
        _ => "failed",
    };
    let mut text = format!("{word}: {}", successes(tasks, &failed, counts));
    let _ = write!(text, "; {}", list("failed", &failed));
    let given_up = counts.cancelled - failed.len() - dropped;
    if given_up > 0 {
        let _ = write!(text, "; {} given up", number(given_up));
    }
    text
}

fn failed<'t, 'd>(tasks: &'t [PlanTask<'d>]) -> Vec<&'t PlanTask<'d>> {
    let failed = |task: &&PlanTask<'_>| task.outcome == Some(TaskOutcome::Failed);
    tasks.iter().filter(failed).collect()
}

/// `997 of 1,000 eSIM-Profile active`: of the kind of task that failed, where it is only one.
fn successes(tasks: &[PlanTask<'_>], failed: &[&PlanTask<'_>], counts: &TaskCounts) -> String {
    let of = |done: usize, all: usize| {
        format!("{} of {}", count_for_people(done), count_for_people(all))
    };
    let first = failed[0];
    let same = |task: &PlanTask<'_>| {
        task.specification == first.specification && task.action == first.action
    };
    let Some(specification) = &first.specification else {
        return format!("{} tasks done", of(counts.completed, counts.total));
    };
    if !failed.iter().all(|task| same(task)) {
        return format!("{} tasks done", of(counts.completed, counts.total));
    }
    let alike = || tasks.iter().filter(|task| same(task));
    let completed = alike().filter(|task| task.state == TaskState::Completed);
    let mut name = common_name(alike().map(|task| &*task.name));
    if name.is_empty() {
        name = specification.to_string();
    }
    let word = match first.action.as_deref() {
        Some("add") => "active",
        _ => "done",
    };
    format!("{} {name} {word}", of(completed.count(), alike().count()))
}

/// Tasks with their reasons; by their ids where their names are the same.
fn list(what: &str, tasks: &[&PlanTask<'_>]) -> String {
    let mut namesakes: HashMap<&str, usize> = HashMap::new();
    for task in tasks {
        *namesakes.entry(&task.name).or_default() += 1;
    }
    let one = |task: &&PlanTask<'_>| {
        let name = if namesakes[&*task.name] > 1 {
            &task.id
        } else {
            &task.name
        };
        match &task.reason {
            Some(reason) => format!("{name} ({reason})"),
            None => name.to_string(),
        }
    };
    let named: Vec<String> = tasks.iter().take(NAMED).map(one).collect();
    let mut text = format!("{what}: {}", named.join(", "));
    if tasks.len() > NAMED {
        let _ = write!(text, " and {} more", count_for_people(tasks.len() - NAMED));
    }
    text
}

/// Where only the numbers are known, and whether anybody is at work on what has begun.
pub fn of_counts(counts: &TaskCounts, is_at_work: bool) -> String {
    if counts.completed == counts.total {
        let done = number(counts.completed - counts.skipped);
        return format!("completed: {done}{}", skipped(counts));
    }
    let mut parts = Vec::new();
    for (count, what) in [
        (counts.hold, "held"),
        (
            counts.active,
            if is_at_work { "under way" } else { "begun" },
        ),
        (counts.new, "not begun"),
        (counts.cancelled, "given up"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", number(count)));
        }
    }
    let mut text = parts.join(", ");
    if counts.active > 0 && !is_at_work {
        text.push_str("; nobody is at work on it");
    }
    text
}

/// `held: GPON-Bearer at olt: no answer in 30 s, and 2 more`
fn stopped(what: &str, tasks: &[&PlanTask<'_>]) -> String {
    let mut text = what.to_owned();
    if let Some(first) = tasks.first() {
        let _ = write!(text, ": {}", first.name);
        if !first.endpoint.is_empty() {
            let _ = write!(text, " at {}", first.endpoint);
        }
        if let Some(reason) = &first.reason {
            let _ = write!(text, ": {reason}");
        }
    }
    if tasks.len() > 1 {
        let _ = write!(text, ", and {} more", count_for_people(tasks.len() - 1));
    }
    text
}

fn names(tasks: &[&PlanTask<'_>]) -> String {
    let mut text = tasks
        .iter()
        .take(NAMED)
        .map(|task| &*task.name)
        .collect::<Vec<_>>()
        .join(", ");
    if tasks.len() > NAMED {
        let _ = write!(text, " and {} more", count_for_people(tasks.len() - NAMED));
    }
    text
}

fn done(counts: &TaskCounts) -> String {
    format!(
        "{} of {} completed{}",
        count_for_people(counts.completed - counts.skipped),
        number(counts.total),
        skipped(counts)
    )
}

/// What was skipped is not done, although nothing waits for it any more.
fn skipped(counts: &TaskCounts) -> String {
    match counts.skipped {
        0 => String::new(),
        skipped => format!(", {} skipped", count_for_people(skipped)),
    }
}

fn number(tasks: usize) -> String {
    format!(
        "{} task{}",
        count_for_people(tasks),
        if tasks == 1 { "" } else { "s" }
    )
}

/// Tasks that have not begun and, over any number of others, wait for one of these.
pub(super) fn waiting_for(tasks: &[PlanTask<'_>], held: &[&PlanTask<'_>]) -> usize {
    let mut after: HashMap<&str, Vec<&PlanTask<'_>>> = HashMap::new();
    for task in tasks.iter().filter(|task| task.state == TaskState::New) {
        for before in &task.waits_for {
            after.entry(&before.id).or_default().push(task);
        }
    }
    let mut found = HashSet::new();
    let mut open: Vec<&str> = held.iter().map(|task| &*task.id).collect();
    while let Some(id) = open.pop() {
        for task in after.remove(id).unwrap_or_default() {
            if found.insert(&*task.id) {
                open.push(&task.id);
            }
        }
    }
    found.len()
}
