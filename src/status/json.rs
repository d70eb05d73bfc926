//! Where an order stands as a document: one line an order.

use serde::Serialize;

use super::blocking::{Answer, Blocking, BlockingTask, WaitsFor};
use super::{
    DerivedOrder, ItemStanding, Listed, RevisionStanding, RunStanding, Standing, TaskCounts,
    TaskStanding,
};
use crate::plan::flow::{TaskKind, TaskOutcome};

/// Format version of the documents written by this release.
pub const FORMAT_VERSION: &str = "1.0";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderStatus<'s> {
    #[serde(rename = "@type")]
    type_name: &'static str,
    format_version: &'static str,
    id: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'s str>,
    order_type: &'static str,
    state: &'static str,
    summary: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<Counts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<Revised<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Run<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocking: Option<Blocked<'s>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    derived_order: Vec<Derived<'s>>,
    items: Vec<Item<'s>>,
}

#[derive(Serialize)]
struct Counts {
    total: usize,
    completed: usize,
    #[serde(skip_serializing_if = "is_zero")]
    skipped: usize,
    active: usize,
    hold: usize,
    new: usize,
    cancelled: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Revised<'s> {
    kind: &'static str,
    number: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_request: Option<Request<'s>>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'s str>,
    tasks: ListedTasks,
}

#[derive(Serialize)]
struct Request<'s> {
    id: &'s str,
    #[serde(rename = "@referredType")]
    type_name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'s> {
    at_work: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'s str>,
}

#[derive(Serialize)]
struct Blocked<'s> {
    total: usize,
    tasks: Vec<BlockedTask<'s>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockedTask<'s> {
    id: &'s str,
    name: &'s str,
    #[serde(skip_serializing_if = "str::is_empty")]
    endpoint: &'s str,
    waits_for: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Sent<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Answered<'s>>,
    #[serde(skip_serializing_if = "is_zero")]
    holds_up: usize,
    next: &'s str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    commands: &'s [String],
}

#[derive(Serialize)]
struct Sent<'s> {
    method: &'s str,
    path: &'s str,
}

#[derive(Serialize)]
struct Answered<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "is_false")]
    unknown: bool,
    reason: &'s str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

#[derive(Serialize)]
struct Derived<'s> {
    id: &'s str,
    #[serde(rename = "@referredType")]
    type_name: &'static str,
    state: &'static str,
}

#[derive(Serialize)]
struct Item<'s> {
    id: &'s str,
    #[serde(rename = "@referredType")]
    type_name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    order: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    state: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    realizes: &'s [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<Task<'s>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<Item<'s>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Task<'s> {
    state: &'static str,
    kind: TaskKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<&'s str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    endpoint: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<TaskOutcome>,
    #[serde(skip_serializing_if = "is_false")]
    past_point_of_no_return: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waits_for: Vec<Name<'s>>,
    #[serde(skip_serializing_if = "is_false")]
    waits_for_person: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Serialize)]
struct Name<'s> {
    id: &'s str,
    name: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lag: Option<&'s str>,
}

/// The document, compact, without a line end.
///
/// # Panics
/// Never: it is made of texts and numbers.
#[must_use]
pub fn line(standing: &Standing) -> String {
    let status = OrderStatus {
        type_name: "OrderStatus",
        format_version: FORMAT_VERSION,
        id: &standing.id,
        external_id: standing.external_id.as_deref(),
        order_type: standing.type_name,
        state: standing.state.name(),
        summary: &standing.summary,
        tasks: standing.tasks.map(counts),
        revision: standing.revision.as_ref().map(revised),
        run: standing.run.as_ref().map(run),
        blocking: (standing.blocking.total > 0).then(|| blocked(&standing.blocking)),
        derived_order: standing.derived.iter().map(derived).collect(),
        items: standing.items.iter().map(item).collect(),
    };
    serde_json::to_string(&status).expect("texts and numbers always serialize")
}

fn revised(revision: &RevisionStanding) -> Revised<'_> {
    let request = revision.request.as_ref();
    let (completed, total) = revision.tasks;
    Revised {
        kind: revision.kind.name(),
        number: revision.number,
        cancel_request: request.map(|(type_name, id)| Request { id, type_name }),
        state: revision.state,
        since: revision.since.map(|it| it.to_string()),
        reason: revision.reason.as_deref(),
        tasks: ListedTasks { total, completed },
    }
}

/// An order in a list as a document, compact, without a line end.
///
/// # Panics
/// Never: it is made of texts and numbers.
#[must_use]
pub fn list_line(order: &Listed) -> String {
    let tasks = order
        .tasks
        .map(|(completed, total)| ListedTasks { total, completed });
    let line = ListedOrder {
        type_name: "OrderStatus",
        format_version: FORMAT_VERSION,
        id: &order.id,
        external_id: order.external_id.as_deref(),
        state: order.state.name(),
        summary: &order.summary,
        planned_at: order.planned_at.map(|at| at.to_string()),
        changed_at: order.changed_at.map(|at| at.to_string()),
        tasks,
    };
    serde_json::to_string(&line).expect("texts and numbers always serialize")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListedOrder<'s> {
    #[serde(rename = "@type")]
    type_name: &'static str,
    format_version: &'static str,
    id: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'s str>,
    state: &'static str,
    summary: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<ListedTasks>,
}

#[derive(Serialize)]
struct ListedTasks {
    total: usize,
    completed: usize,
}

fn counts(counts: TaskCounts) -> Counts {
    let TaskCounts {
        total,
        completed,
        skipped,
        active,
        hold,
        new,
        cancelled,
    } = counts;
    Counts {
        total,
        completed: completed - skipped,
        skipped,
        active,
        hold,
        new,
        cancelled,
    }
}

fn run(standing: &RunStanding) -> Run<'_> {
    let process = match standing {
        RunStanding::Nobody => None,
        RunStanding::Process(process) => Some(process),
    };
    Run {
        at_work: process.is_some(),
        pid: process.map(|it| it.pid),
        host: process.and_then(|it| it.host.as_deref()),
        since: process.and_then(|it| it.since.as_deref()),
    }
}

fn blocked(blocking: &Blocking) -> Blocked<'_> {
    Blocked {
        total: blocking.total,
        tasks: blocking.tasks.iter().map(blocked_task).collect(),
    }
}

fn blocked_task(task: &BlockingTask) -> BlockedTask<'_> {
    let not_before = match task.waits_for {
        WaitsFor::Moment(at) => Some(at.to_string()),
        _ => None,
    };
    let request = task.request.as_ref();
    BlockedTask {
        id: &task.id,
        name: &task.name,
        endpoint: &task.endpoint,
        waits_for: task.waits_for.name(),
        since: task.since.map(|at| at.to_string()),
        not_before,
        attempts: task.attempts,
        retry_at: task.retry_at.map(|at| at.to_string()),
        request: request.map(|(method, path)| Sent { method, path }),
        answer: task.answer.as_ref().map(answered),
        holds_up: task.holds_up,
        next: &task.next,
        commands: &task.commands,
    }
}

fn answered(answer: &Answer) -> Answered<'_> {
    Answered {
        status: answer.status,
        unknown: answer.unknown,
        reason: &answer.reason,
    }
}

fn derived(order: &DerivedOrder) -> Derived<'_> {
    Derived {
        id: &order.id,
        type_name: order.type_name,
        state: order.state.name(),
    }
}

fn item(standing: &ItemStanding) -> Item<'_> {
    Item {
        id: &standing.id,
        type_name: standing.type_name,
        order: &standing.order,
        name: standing.name.as_deref(),
        action: standing.action,
        state: standing.state.name(),
        realizes: &standing.realizes,
        task: standing.task.as_ref().map(task),
        items: standing.items.iter().map(item).collect(),
    }
}

fn task(standing: &TaskStanding) -> Task<'_> {
    let waits = standing.waits_for.iter().map(|task| Name {
        id: &task.id,
        name: &task.name,
        lag: task.lag.as_deref(),
    });
    Task {
        state: standing.state.name(),
        kind: standing.kind,
        gate: standing.gate.as_deref(),
        endpoint: &standing.endpoint,
        reason: standing.reason.as_deref(),
        outcome: standing.outcome,
        past_point_of_no_return: standing.past_return,
        waits_for: waits.collect(),
        waits_for_person: standing.waits_for_person(),
        not_before: standing.not_before.map(|at| at.to_string()),
    }
}
