//! Where an order stands as a document: one line an order.

use serde::Serialize;

use super::{DerivedOrder, ItemStanding, Standing, TaskCounts, TaskStanding};
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    derived_order: Vec<Derived<'s>>,
    items: Vec<Item<'s>>,
}

#[derive(Serialize)]
struct Counts {
    total: usize,
    completed: usize,
    active: usize,
    hold: usize,
    new: usize,
    cancelled: usize,
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
        derived_order: standing.derived.iter().map(derived).collect(),
        items: standing.items.iter().map(item).collect(),
    };
    serde_json::to_string(&status).expect("texts and numbers always serialize")
}

fn counts(counts: TaskCounts) -> Counts {
    let TaskCounts {
        total,
        completed,
        active,
        hold,
        new,
        cancelled,
    } = counts;
    Counts {
        total,
        completed,
        active,
        hold,
        new,
        cancelled,
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
