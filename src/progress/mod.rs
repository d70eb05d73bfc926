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

pub use plan::{PlanTask, plan_tasks};

use std::collections::HashMap;

use jiff::Timestamp;

use crate::chain::Chain;
use crate::document::{Document, DocumentKind};
use crate::journal::TaskProgress;
use crate::model::Order;
use crate::model::reference::RelationshipKind;
use crate::model::state::TaskState;
use level::{Layer, Level, OrderStanding};

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStanding {
    /// State.
    pub state: TaskState,
    /// Why it is held or was given up.
    pub reason: Option<String>,
    /// When its first request was about to be sent.
    pub started: Option<Timestamp>,
    /// When it was completed.
    pub finished: Option<Timestamp>,
    /// When it last moved on in any way.
    pub changed: Option<Timestamp>,
}

impl From<&TaskProgress> for TaskStanding {
    fn from(task: &TaskProgress) -> Self {
        Self {
            state: task.state,
            reason: task.reason.clone(),
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
                started: None,
                finished: None,
                changed: None,
            };
            (task.id.into_owned(), standing)
        })
        .collect()
}

/// The chain with its documents moved on to where its tasks stand.
///
/// - A resource order item takes the state of its task; an item without one keeps its own.
/// - Items above roll up from the items that realize them and from the items they hold; orders
///   from their items. A whole is held only if none of its parts is able to start.
/// - What has nothing to do (`noChange`, or nothing below) does not count; it is completed once
///   its order has begun, in a product order once that has ended.
/// - A product order item has no state `partial`: one that ended so is `failed`.
/// - Orders get `startDate` (service and resource orders) and `completionDate`, a held task a note
///   in its resource order, the plan the states of its tasks.
///
/// Where nothing changes, there is no resource order and no task: such a chain is completed. Other
/// chains without a resource order stay as they are.
#[must_use]
pub fn apply(chain: &Chain, tasks: &dyn Fn(&str) -> Option<TaskStanding>) -> Chain {
    let ready = plan::ready(chain, tasks);
    let orders: Vec<Option<Order<'_>>> = chain.documents.iter().map(Order::read).collect();
    let mut changed: Vec<Option<Document>> = Vec::new();
    changed.resize_with(orders.len(), || None);
    let nothing_to_do = || {
        let mut plans = chain.of_kind(DocumentKind::OrchestrationPlan).peekable();
        plans.peek().is_some() && plans.all(|plan| plan.root().list("taskFlow").next().is_none())
    };
    if chain.first(DocumentKind::ResourceOrder).is_some() || nothing_to_do() {
        let mut below: HashMap<(Layer, String), Vec<Level>> = HashMap::new();
        for layer in [Layer::Resource, Layer::Service, Layer::Product] {
            for (position, order) in orders.iter().enumerate() {
                let Some(order) = order.as_ref().filter(|order| Layer::of(order) == layer) else {
                    continue;
                };
                let standing = OrderStanding::of(order, tasks, &ready, &below);
                changed[position] =
                    write::order(&chain.documents[position], order, &standing, tasks);
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
            None => document.clone(),
        });
    Chain {
        documents: documents.collect(),
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
