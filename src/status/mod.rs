//! Where an order stands, and why.
//!
//! Pure: documents in, a [`Standing`] out; [`table`] shows it to people,
//! [`json`] to programs. Nothing in here can act.

pub mod blocking;
mod bulk;
pub mod json;
mod next;
mod revision;
pub mod select;
mod summary;
pub mod table;
#[cfg(test)]
mod tests;
mod tree;

use std::borrow::Cow;

use jiff::Timestamp;

use blocking::{Blocking, Known};
pub use revision::RevisionStanding;

use crate::chain::Chain;
use crate::journal::{AtWork, OrderSummary};
use crate::model::state::{FlowState, OrderState, TaskState};
use crate::plan::flow::{RevisionKind, TaskKind, TaskOutcome};

/// Where an order and everything derived from it stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Type of the root order, as in `@type`.
    pub type_name: &'static str,
    /// Id of the root order.
    pub id: String,
    /// Its external id.
    pub external_id: Option<String>,
    /// Its state.
    pub state: OrderState,
    /// What it waits for, or what blocks it, in one sentence.
    pub summary: String,
    /// Tasks by state; none where nothing is planned yet.
    pub tasks: Option<TaskCounts>,
    /// Why its plan is another one than at first, where it is.
    pub revision: Option<RevisionStanding>,
    /// What everything that is left waits for.
    pub blocking: Blocking,
    /// Whether a run is at work on it, where it has not ended and that is known.
    pub run: Option<RunStanding>,
    /// The orders derived from it, in the order of the chain.
    pub derived: Vec<DerivedOrder>,
    /// The items of the root order; what realizes an item is below it.
    pub items: Vec<ItemStanding>,
}

/// Whether a run of `activate` is at work on an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunStanding {
    /// None is.
    Nobody,
    /// This one is.
    Process(AtWork),
}

/// An order derived from the root order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedOrder {
    /// Type, as in `@type`.
    pub type_name: &'static str,
    /// Id.
    pub id: String,
    /// State.
    pub state: OrderState,
}

/// An order item of any layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemStanding {
    /// `ProductOrderItem`, `ServiceOrderItem`, `ResourceOrderItem`; `TaskFlow` for a task whose
    /// item is in none of the orders.
    pub type_name: &'static str,
    /// Id of the order that it is an item of.
    pub order: String,
    /// Id, unique within its order.
    pub id: String,
    /// Name of what is ordered, where there is one.
    pub name: Option<String>,
    /// Id of its specification.
    pub specification: Option<String>,
    /// What is asked for, as the standard spells it.
    pub action: Option<&'static str>,
    /// State.
    pub state: OrderState,
    /// Ids of the items above that it realizes.
    pub realizes: Vec<String>,
    /// The task that carries it out.
    pub task: Option<TaskStanding>,
    /// The items that it holds, and those that realize it. An item that realizes several is below
    /// the first of them.
    pub items: Vec<ItemStanding>,
}

/// A task of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStanding {
    /// State.
    pub state: TaskState,
    /// What kind of work it is.
    pub kind: TaskKind,
    /// For a gate: its kind.
    pub gate: Option<String>,
    /// Name of the endpoint; empty where there is none.
    pub endpoint: String,
    /// Why it is held or was given up, or who ended it by hand and why.
    pub reason: Option<String>,
    /// How it ended, where that is not by being carried out.
    pub outcome: Option<TaskOutcome>,
    /// Whether it has begun, and its start cannot be undone.
    pub past_return: bool,
    /// The tasks it still waits for, until it begins.
    pub waits_for: Vec<TaskName>,
    /// When it may begin at the earliest, where it has not and that is known.
    pub not_before: Option<Timestamp>,
}

impl TaskStanding {
    /// Whether it waits for nothing but a person.
    #[must_use]
    pub fn waits_for_person(&self) -> bool {
        self.kind == TaskKind::Manual && self.state == TaskState::New && self.waits_for.is_empty()
    }
}

/// A task as it is mentioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskName {
    /// Id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// How long after its end.
    pub lag: Option<String>,
}

/// Tasks by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// All of them.
    pub total: usize,
    /// Done, or skipped.
    pub completed: usize,
    /// Of these, those that a person decided to skip.
    pub skipped: usize,
    /// Under way.
    pub active: usize,
    /// Waiting for somebody.
    pub hold: usize,
    /// Not begun.
    pub new: usize,
    /// Given up.
    pub cancelled: usize,
}

/// An order in a list: the same as a [`Standing`] without its items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id.
    pub id: String,
    /// External id.
    pub external_id: Option<String>,
    /// State.
    pub state: OrderState,
    /// Tasks completed, those that were skipped included, and all tasks.
    pub tasks: Option<(usize, usize)>,
    /// What it waits for, or what blocks it.
    pub summary: String,
    /// When it was taken on, where the journal says.
    pub planned_at: Option<Timestamp>,
    /// When anything last happened to it, where the journal says.
    pub changed_at: Option<Timestamp>,
}

impl Standing {
    /// Where the order of a chain stands, as its documents say; `None` if there is no order and
    /// no plan in it.
    #[must_use]
    pub fn of(chain: &Chain) -> Option<Standing> {
        tree::standing(chain, Known::default())
    }

    /// [`of`](Self::of), with what else is known about the order.
    #[must_use]
    pub fn with(chain: &Chain, known: Known<'_>) -> Option<Standing> {
        tree::standing(chain, known)
    }
}

impl From<Option<AtWork>> for RunStanding {
    fn from(at_work: Option<AtWork>) -> Self {
        at_work.map_or(Self::Nobody, Self::Process)
    }
}

impl From<Standing> for Listed {
    fn from(standing: Standing) -> Self {
        Self {
            id: standing.id,
            external_id: standing.external_id,
            state: standing.state,
            tasks: standing.tasks.map(|tasks| (tasks.completed, tasks.total)),
            summary: standing.summary,
            planned_at: None,
            changed_at: None,
        }
    }
}

impl From<OrderSummary> for Listed {
    fn from(order: OrderSummary) -> Self {
        let begun = order.completed + order.active + order.held > 0;
        let state = match (order.revision, order.state()) {
            (Some(RevisionKind::Cancel), FlowState::Completed | FlowState::Cancelled) => {
                OrderState::Cancelled
            }
            (Some(RevisionKind::Cancel), FlowState::Active | FlowState::Hold) => {
                OrderState::PendingCancellation
            }
            (_, state) => Self::state_of(state, &order, begun),
        };
        let number = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let counts = TaskCounts {
            total: number(order.tasks),
            completed: number(order.completed),
            skipped: number(order.skipped),
            active: number(order.active),
            hold: number(order.held),
            new: number(
                order
                    .tasks
                    .saturating_sub(order.completed)
                    .saturating_sub(order.active)
                    .saturating_sub(order.held)
                    .saturating_sub(order.given_up),
            ),
            cancelled: number(order.given_up),
        };
        Self {
            summary: summary::of_counts(&counts, order.owner.is_some()),
            id: order.order_id,
            external_id: order.external_id,
            state,
            planned_at: Some(order.planned_at),
            changed_at: Some(order.changed_at),
            tasks: Some((counts.completed, counts.total)),
        }
    }
}

impl Listed {
    /// State of an order that was not cancelled.
    fn state_of(plan: FlowState, order: &OrderSummary, begun: bool) -> OrderState {
        match plan {
            FlowState::Completed => OrderState::Completed,
            FlowState::Hold => OrderState::Held,
            FlowState::Cancelled if order.completed > 0 => OrderState::Partial,
            FlowState::Cancelled => OrderState::Failed,
            FlowState::Active if begun => OrderState::InProgress,
            FlowState::Active => OrderState::Acknowledged,
        }
    }
}

impl ItemStanding {
    /// What to call it: its name, else its id.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// What people are told in place of its state: that it was skipped, which orders have no state
    /// for.
    #[must_use]
    pub fn word(&self) -> Option<&'static str> {
        let task = self.task.as_ref()?;
        (task.outcome == Some(TaskOutcome::Skipped)).then_some("skipped")
    }
}

fn owned(text: Cow<'_, str>) -> String {
    text.into_owned()
}
