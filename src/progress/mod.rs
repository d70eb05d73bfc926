//! Chains moved on: from the states of tasks to those of items and orders.
//!
//! Pure, and the only place that says what the progress of a task means to the
//! documents of its chain. `activate` writes with it what it has done; `status`
//! shows with it what the journal says.
//!
//! Invariants: what does not tell progress stays as it was written; a state is
//! only replaced by one that its life cycle can reach.

mod level;
mod plan;
#[cfg(test)]
mod tests;
mod write;

pub use plan::{Before, PlanTask, plan_tasks};

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::chain::Chain;
use crate::document::{Document, DocumentKind};
use crate::journal::TaskProgress;
use crate::model::Order;
use crate::model::reference::RelationshipKind;
use crate::model::state::{OrderState, TaskState};
use crate::plan::flow::TaskOutcome;
use level::{Layer, Level, OrderStanding};

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStanding {
    /// State.
    pub state: TaskState,
    /// Why it is held or was given up; why a person ended it.
    pub reason: Option<String>,
    /// How it ended, where that is not by being carried out.
    pub outcome: Option<TaskOutcome>,
    /// Who ended it, where that was a person.
    pub by: Option<String>,
    /// When its first request was about to be sent.
    pub started: Option<Timestamp>,
    /// When it was completed.
    pub finished: Option<Timestamp>,
    /// When it last moved on in any way.
    pub changed: Option<Timestamp>,
}

impl TaskStanding {
    /// When it ended, however.
    #[must_use]
    pub fn ended(&self) -> Option<Timestamp> {
        self.changed.filter(|_| self.state.successors().is_empty())
    }

    /// State of the order item that it carries out.
    #[must_use]
    pub fn item_state(&self) -> OrderState {
        item_state(self.state, self.outcome)
    }
}

/// State of the order item that a task carries out.
#[must_use]
pub fn item_state(state: TaskState, outcome: Option<TaskOutcome>) -> OrderState {
    match (state, outcome) {
        (TaskState::Cancelled, Some(TaskOutcome::Failed)) => OrderState::Failed,
        _ => state.item_state(),
    }
}

/// Whether it is told why a task stands as it does. That it was found done when it was asked for is
/// not: it was done. That there was nothing to do is.
fn is_told(task: &TaskProgress) -> bool {
    let done = task.state == TaskState::Completed && task.outcome.is_none();
    !done || matches!(task.status, Some(404 | 410))
}

impl From<&TaskProgress> for TaskStanding {
    fn from(task: &TaskProgress) -> Self {
        Self {
            state: task.state,
            reason: task.reason.clone().filter(|_| is_told(task)),
            outcome: task.outcome,
            by: task.by.clone(),
            started: task.started_at,
            finished: task.finished_at,
            changed: task.changed_at,
        }
    }
}

/// Where the tasks of a chain stand as its plan itself says, by id.
#[must_use]
pub fn of_plan(chain: &Chain) -> HashMap<String, TaskStanding> {
    chain
        .of_kind(DocumentKind::OrchestrationPlan)
        .flat_map(plan_tasks)
        .map(|task| {
            let standing = TaskStanding {
                state: task.state,
                reason: task.reason.map(std::borrow::Cow::into_owned),
                outcome: task.outcome,
                by: None,
                started: task.started,
                finished: None,
                changed: task.ended,
            };
            (task.id.into_owned(), standing)
        })
        .collect()
}

/// The chain with its documents moved on to where its tasks stand.
///
/// - A resource order item takes the state of its task; an item without one keeps its own. It is
///   `failed` where the task failed, `cancelled` where it was given up with another one.
/// - A task that carries out no item of its own (a gate) holds up the item that it is about, or
///   fails it; that it is done does not count as a success.
/// - Items above roll up from the items that realize them and from the items they hold; orders
///   from their items. A whole is held only if none of its parts is able to start.
/// - What has nothing to do (`noChange`, or nothing below) does not count; it is completed once
///   its order has begun, in a product order once that has ended.
/// - A product order item has no state `partial`: one that ended so is `failed`.
/// - What is being undone is `pendingCancellation`, and `cancelled` once it is undone. Orders that are
///   cancelled are `pendingCancellation` until all that can be undone is, then `cancelled`.
/// - Orders get `startDate` (service and resource orders) and `completionDate`, a task that is held
///   or failed or was ended by a person a note in its resource order (one without an item in the
///   root order), the plan the states of its tasks.
///
/// Where nothing changes, there is no resource order and no task: such a chain is completed. Other
/// chains without a resource order stay as they are.
#[must_use]
pub fn apply(chain: &Chain, tasks: &dyn Fn(&str) -> Option<TaskStanding>) -> Chain {
    let ready = plan::ready(chain, tasks);
    let revised = plan::Revised::of(chain, tasks);
    let orders: Vec<Option<Order<'_>>> = chain.documents.iter().map(Order::read).collect();
    let mut changed: Vec<Option<Document>> = Vec::new();
    changed.resize_with(orders.len(), || None);
    let nothing_to_do = || {
        let mut plans = chain.of_kind(DocumentKind::OrchestrationPlan).peekable();
        plans.peek().is_some() && plans.all(|plan| plan.root().list("taskFlow").next().is_none())
    };
    if chain.first(DocumentKind::ResourceOrder).is_some() || nothing_to_do() {
        let gates = gates(chain, &orders);
        let mut below = gates.levels(tasks, &ready);
        for layer in [Layer::Resource, Layer::Service, Layer::Product] {
            for (position, order) in orders.iter().enumerate() {
                let Some(order) = order.as_ref().filter(|order| Layer::of(order) == layer) else {
                    continue;
                };
                let around = level::Around {
                    tasks,
                    ready: &ready,
                    revised: &revised,
                };
                let standing = OrderStanding::of(order, &around, &below);
                let others = if position == 0 { &gates.ids[..] } else { &[] };
                let change = write::Change {
                    standing: &standing,
                    tasks,
                    others,
                };
                changed[position] = write::order(&chain.documents[position], order, &change);
                hand_up(order, &standing, &mut below);
            }
        }
    }
    let documents = chain
        .documents
        .iter()
        .zip(changed)
        .map(|(document, changed)| match changed {
            Some(changed) => changed,
            None if DocumentKind::of(document) == DocumentKind::OrchestrationPlan => {
                write::plan(document, tasks, &ready).unwrap_or_else(|| document.clone())
            }
            None => write::cancellation(document, &revised).unwrap_or_else(|| document.clone()),
        });
    Chain {
        documents: documents.collect(),
    }
}

/// The tasks of a chain that carry out no item of a resource order.
struct Gates {
    /// Their ids, in the plan's order.
    ids: Vec<String>,
    /// What they are about, in the same order.
    items: Vec<Option<(Layer, String)>>,
}

fn gates(chain: &Chain, orders: &[Option<Order<'_>>]) -> Gates {
    let resource_orders = orders.iter().flatten();
    let resource_orders = resource_orders.filter(|order| matches!(order, Order::Resource(_)));
    let items: HashSet<String> = resource_orders
        .flat_map(Order::items)
        .map(|item| item.id.to_string())
        .collect();
    let plans = chain.of_kind(DocumentKind::OrchestrationPlan);
    let tasks = plans
        .flat_map(plan_tasks)
        .filter(|task| !items.contains(&*task.id));
    let item = |task: &PlanTask<'_>| {
        if task.compensates.is_some() {
            return None;
        }
        let (type_name, id) = task.subject()?;
        let layer = match type_name {
            "ProductOrderItem" => Layer::Product,
            _ => Layer::Service,
        };
        Some((layer, id.into_owned()))
    };
    let (ids, items) = tasks.map(|task| (task.id.to_string(), item(&task))).unzip();
    Gates { ids, items }
}

impl Gates {
    /// Their levels, by what they are about.
    fn levels(
        &self,
        tasks: &dyn Fn(&str) -> Option<TaskStanding>,
        ready: &HashSet<String>,
    ) -> HashMap<(Layer, String), Vec<Level>> {
        let mut levels: HashMap<(Layer, String), Vec<Level>> = HashMap::new();
        for (id, item) in self.ids.iter().zip(&self.items) {
            if let Some((item, standing)) = item.as_ref().zip(tasks(id)) {
                let level = Level::of_gate(&standing, ready.contains(id));
                levels.entry(item.clone()).or_default().push(level);
            }
        }
        levels
    }
}

/// Hands the levels of an order's items to the items that they realize.
fn hand_up(
    order: &Order<'_>,
    standing: &OrderStanding,
    below: &mut HashMap<(Layer, String), Vec<Level>>,
) {
    let Some(above) = Layer::of(order).above() else {
        return;
    };
    for (item, standing) in order.items().zip(&standing.items) {
        let Some(level) = standing.level else {
            continue;
        };
        for relationship in item.relationships {
            if relationship.kind == RelationshipKind::Realizes {
                let realized = (above, relationship.item.to_string());
                below.entry(realized).or_default().push(level);
            }
        }
    }
}
