//! One sentence: what an order waits for, or what blocks it.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::TaskCounts;
use crate::chain::Chain;
use crate::document::DocumentKind;
use crate::model::state::{OrderState, TaskState};
use crate::progress::{Before, PlanTask};

/// Tasks that are named; the others are counted.
const NAMED: usize = 3;

/// For an order with everything derived from it.
pub fn of_chain(
    chain: &Chain,
    state: OrderState,
    tasks: &[PlanTask<'_>],
    counts: Option<&TaskCounts>,
) -> String {
    match state {
        OrderState::Rejected => with_note(chain, "rejected"),
        OrderState::AssessingCancellation => "a cancellation is being assessed".to_owned(),
        OrderState::PendingCancellation => "a cancellation is being carried out".to_owned(),
        OrderState::Cancelled | OrderState::Failed if counts.is_none() => {
            with_note(chain, state.name())
        }
        _ => match counts {
            Some(counts) => of_tasks(tasks, counts),
            None if state == OrderState::Completed => "completed".to_owned(),
            None => not_planned(chain).to_owned(),
        },
    }
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

/// For a plan.
pub fn of_tasks(tasks: &[PlanTask<'_>], counts: &TaskCounts) -> String {
    let of_state = |state| tasks.iter().filter(move |task| task.state == state);
    if counts.hold > 0 {
        let held: Vec<_> = of_state(TaskState::Hold).collect();
        let mut text = stopped("held", &held);
        if counts.active > 0 {
            let _ = write!(text, "; {} under way", number(counts.active));
        }
        let waiting = waiting_for(tasks, &held);
        if waiting > 0 {
            let verb = if waiting == 1 { "waits" } else { "wait" };
            let whom = if counts.hold == 1 { "it" } else { "them" };
            let _ = write!(text, "; {} {verb} for {whom}", number(waiting));
        }
        return text;
    }
    if counts.cancelled > 0 && counts.active + counts.new == 0 {
        let cancelled: Vec<_> = of_state(TaskState::Cancelled).collect();
        return stopped("given up", &cancelled);
    }
    if counts.active > 0 {
        let active: Vec<_> = of_state(TaskState::Active).collect();
        return format!("under way: {}; {}", names(&active), done(counts));
    }
    if counts.new > 0 {
        let states: HashMap<&str, TaskState> =
            tasks.iter().map(|task| (&*task.id, task.state)).collect();
        let over = |before: &Before<'_>| {
            let state = states.get(&*before.id);
            state.is_some_and(|state| before.is_over(*state))
        };
        let able: Vec<_> = of_state(TaskState::New)
            .filter(|task| task.waits_for.iter().all(over))
            .collect();
        let next = match able.len() {
            0 => String::new(),
            _ => format!("; next: {}", names(&able)),
        };
        return match counts.completed {
            0 => format!("not begun: {}{next}", number(counts.total)),
            _ => format!("interrupted: {}{next}", done(counts)),
        };
    }
    of_counts(counts)
}

/// Where only the numbers are known.
pub fn of_counts(counts: &TaskCounts) -> String {
    if counts.completed == counts.total {
        return format!("completed: {}", number(counts.total));
    }
    let mut parts = Vec::new();
    for (count, what) in [
        (counts.hold, "held"),
        (counts.active, "under way"),
        (counts.new, "not begun"),
        (counts.cancelled, "given up"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", number(count)));
        }
    }
    parts.join(", ")
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
        let _ = write!(text, ", and {} more", tasks.len() - 1);
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
        let _ = write!(text, " and {} more", tasks.len() - NAMED);
    }
    text
}

fn done(counts: &TaskCounts) -> String {
    format!("{} of {} completed", counts.completed, number(counts.total))
}

fn number(tasks: usize) -> String {
    format!("{tasks} task{}", if tasks == 1 { "" } else { "s" })
}

/// Tasks that have not begun and, over any number of others, wait for one of these.
fn waiting_for(tasks: &[PlanTask<'_>], held: &[&PlanTask<'_>]) -> usize {
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
