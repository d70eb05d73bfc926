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

use foldhash::{HashMap, HashMapExt as _, HashSet};
use jiff::Timestamp;

use crate::chain::Chain;
use crate::document::{Document, DocumentKind};
use crate::journal::TaskProgress;
use crate::model::Order;
use crate::model::reference::RelationshipKind;
use crate::model::state::{OrderState, TaskState};
use crate::plan::flow::TaskOutcome;
use level::{Layer, Level, OrderStanding};
use plan::Plans;

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
    /// Whether nothing else of its order is begun until it has ended.
    pub stops: bool,
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
            stops: task.stops(),
        }
    }
}

/// The chain with its orders moved on to where its plan itself says that its tasks stand. One whose
/// cancellation was planned, and not begun with, stays as it is.
#[must_use]
pub fn as_planned(chain: &Chain) -> Chain {
    if is_assessed(chain) {
        return chain.clone();
    }
    let tasks = of_plan(chain);
    apply(chain, &|task| tasks.get(task).cloned())
}

/// Whether the cancellation of a chain was planned, and not begun with: so it is written then, and never afterwards.
#[must_use]
pub fn is_assessed(chain: &Chain) -> bool {
    let root = chain.orders().next();
    root.and_then(|it| OrderState::of(it.root())) == Some(OrderState::AssessingCancellation)
}

/// Where the tasks of a chain stand as its plan itself says, by id.
fn of_plan(chain: &Chain) -> HashMap<String, TaskStanding> {
    chain
        .of_kind(DocumentKind::OrchestrationPlan)
        .flat_map(|plan| {
            // What could begin otherwise waits for what is held.
            let is_on_hold = plan.root().text("state").as_deref() == Some("hold");
            plan_tasks(plan).map(move |task| (task, is_on_hold))
        })
        .map(|(task, is_on_hold)| {
            let standing = TaskStanding {
                stops: is_on_hold && task.state == TaskState::Hold,
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
///   from their items. A whole is held only if none of its parts is able to start; beside a task that stops its
///   order, none is.
/// - What has nothing to do (`noChange`, or nothing below) does not count; it is completed once
///   its order has begun, in a product order once that has ended.
/// - A product order item has no state `partial`: one that ended so is `failed`.
/// - Orders that are cancelled are `pendingCancellation` until nothing is left to be undone, then
///   `cancelled`; so are their items. Where only a part of an order is undone, its items are, and the
///   order goes on. TMF622 and TMF641 let nothing follow `completed`, and have one life cycle for orders and
///   items: their items that were completed stay so when they are undone, and a note of the order says
///   so. TMF652 has no life cycle of items: a resource order item that is undone is `cancelled`.
/// - Orders get `startDate` (service and resource orders), `completionDate` and `cancellationDate`, a task that is held
///   or failed or was ended by a person a note in its resource order (one without an item in the
///   root order), the plan the states of its tasks.
///
/// Where nothing changes, there is no resource order and no task but those that undo what an earlier version
/// of the order has done: once they have ended, such a chain is completed. Other chains without a resource order stay as they are.
#[must_use]
pub fn apply(chain: &Chain, tasks: &dyn Fn(&str) -> Option<TaskStanding>) -> Chain {
    let documents = written(chain, tasks).into_iter();
    Chain {
        documents: documents.map(Written::into_document).collect(),
    }
}

/// The documents of [`apply`] as they are written, for those who only hand them on.
#[must_use]
pub fn written<'c>(
    chain: &'c Chain,
    tasks: &dyn Fn(&str) -> Option<TaskStanding>,
) -> Vec<Written<'c>> {
    let plans = Plans::of(chain);
    let orders = Orders::of(chain, &plans);
    let outlook = Outlook::of(&plans, tasks);
    let standings = orders.standings(chain, &outlook);
    let documents = chain.documents.iter().zip(standings).enumerate();
    let documents = documents.map(|(position, (document, standing))| {
        let text = match (&orders.orders[position], standing) {
            (Some(order), Some(standing)) => {
                let change = write::Change {
                    standing: &standing,
                    tasks,
                    over: outlook.revised.over,
                    others: if position == 0 {
                        &orders.gates.ids[..]
                    } else {
                        &[]
                    },
                };
                Some(write::order(document, order, &change))
            }
            _ => match plans.at(position) {
                Some(plan) => {
                    let is_ready = !outlook.ready.is_empty();
                    Some(write::plan(document, plan, tasks, is_ready))
                }
                None => write::cancellation(document, &outlook.revised),
            },
        };
        match text {
            Some(text) => Written::Anew { document, text },
            None => Written::AsItWas(document),
        }
    });
    documents.collect()
}

/// A document of a chain as it stands.
#[derive(Debug)]
pub enum Written<'c> {
    /// Nothing is written into it.
    AsItWas(&'c Document),
    /// It says something else now.
    Anew {
        /// As it was.
        document: &'c Document,
        /// Its text; without white space between its tokens, if it had none.
        text: String,
    },
}

impl Written<'_> {
    /// As a document. One that were to come out broken stays as it was: what is written is JSON.
    #[must_use]
    pub fn into_document(self) -> Document {
        match self {
            Self::AsItWas(document) => document.clone(),
            Self::Anew { document, text } => {
                let anew = Document::parse(text, &document.origin().file);
                anew.unwrap_or_else(|_| document.clone())
            }
        }
    }
}

/// The states that [`apply`] writes into the orders of a chain, by the position of their documents;
/// none for what it does not write to.
#[must_use]
pub fn order_states(
    chain: &Chain,
    tasks: &dyn Fn(&str) -> Option<TaskStanding>,
) -> Vec<Option<OrderState>> {
    let plans = Plans::of(chain);
    let standings = Orders::of(chain, &plans).standings(chain, &Outlook::of(&plans, tasks));
    let state = |standing: Option<OrderStanding>| standing.map(|it| it.state);
    standings.into_iter().map(state).collect()
}

/// Where the tasks of a chain stand, and what follows from its plan.
struct Outlook<'a> {
    tasks: &'a dyn Fn(&str) -> Option<TaskStanding>,
    /// Ids of the tasks that have not begun and wait for nothing any more.
    ready: HashSet<String>,
    /// What is undone.
    revised: plan::Revised,
}

impl<'a> Outlook<'a> {
    fn of(plans: &Plans<'_>, tasks: &'a dyn Fn(&str) -> Option<TaskStanding>) -> Self {
        let ready = plan::ready(plans, tasks);
        let revised = plan::Revised::of(plans, tasks, &ready);
        Self {
            tasks,
            ready,
            revised,
        }
    }
}

/// The orders of a chain, by the position of their documents, and what they wait for.
struct Orders<'d> {
    orders: Vec<Option<Order<'d>>>,
    gates: Gates,
}

impl<'d> Orders<'d> {
    fn of(chain: &'d Chain, plans: &Plans<'d>) -> Self {
        let orders: Vec<Option<Order<'d>>> = chain.documents.iter().map(Order::read).collect();
        let gates = gates(plans, &orders);
        Self { orders, gates }
    }

    /// How far each is; none for what is no order, or is left as it is.
    fn standings(&self, chain: &Chain, outlook: &Outlook<'_>) -> Vec<Option<OrderStanding>> {
        let mut plans = chain.of_kind(DocumentKind::OrchestrationPlan).peekable();
        // A changed order in which nothing changes any more has tasks, which undo what was done before.
        let is_over = |plan: &Document| {
            let root = plan.root();
            root.get("revision").is_some() || root.list("taskFlow").next().is_none()
        };
        let nothing_to_do = plans.peek().is_some() && plans.all(is_over);
        if chain.first(DocumentKind::ResourceOrder).is_none() && !nothing_to_do {
            return self.orders.iter().map(|_| None).collect();
        }
        let nothing = plan::Revised::default();
        let strays = self.strays(&outlook.revised);
        let around = |revised| level::Around {
            tasks: outlook.tasks,
            ready: &outlook.ready,
            revised,
            strays: &strays,
            completed: &[],
        };
        if outlook.revised.undone().next().is_none() {
            return self.roll_up(&around(&outlook.revised), &[]);
        }
        // As if nothing were undone: what was completed.
        let done = self.roll_up(&around(&nothing), &[]);
        self.roll_up(&around(&outlook.revised), &done)
    }

    /// What is being undone that no item of a resource order is about: an order was changed, and has
    /// it no more.
    fn strays(&self, revised: &plan::Revised) -> Vec<Level> {
        let resource_orders = self.orders.iter().flatten();
        let resource_orders = resource_orders.filter(|it| matches!(it, Order::Resource(_)));
        let items: HashSet<String> = resource_orders
            .flat_map(Order::items)
            .map(|item| item.id.to_string())
            .collect();
        let strays = revised
            .undone()
            .filter(|(id, undo)| *undo != plan::Undo::Over && !items.contains(*id));
        strays.map(|(_, undo)| Level::of_stray(undo)).collect()
    }

    /// From parts to wholes; `done` is how far they were before anything was undone.
    fn roll_up(
        &self,
        around: &level::Around<'_>,
        done: &[Option<OrderStanding>],
    ) -> Vec<Option<OrderStanding>> {
        let mut standings: Vec<Option<OrderStanding>> = Vec::new();
        standings.resize_with(self.orders.len(), || None);
        let mut below = self.gates.levels(around.tasks, around.ready);
        for layer in [Layer::Resource, Layer::Service, Layer::Product] {
            for (position, order) in self.orders.iter().enumerate() {
                let Some(order) = order.as_ref().filter(|order| Layer::of(order) == layer) else {
                    continue;
                };
                let completed = match done.get(position) {
                    Some(Some(done)) if layer != Layer::Resource => done.completed(),
                    _ => Vec::new(),
                };
                let around = level::Around {
                    completed: &completed,
                    ..*around
                };
                let standing = OrderStanding::of(order, &around, &below);
                hand_up(order, &standing, &mut below);
                standings[position] = Some(standing);
            }
        }
        standings
    }
}

/// The tasks of a chain that carry out no item of a resource order.
struct Gates {
    /// Their ids, in the plan's order.
    ids: Vec<String>,
    /// What they are about, in the same order.
    items: Vec<Option<(Layer, String)>>,
}

fn gates(plans: &Plans<'_>, orders: &[Option<Order<'_>>]) -> Gates {
    let resource_orders = orders.iter().flatten();
    let resource_orders = resource_orders.filter(|order| matches!(order, Order::Resource(_)));
    let items: HashSet<String> = resource_orders
        .flat_map(Order::items)
        .map(|item| item.id.to_string())
        .collect();
    let tasks = plans.tasks().filter(|task| !items.contains(&*task.id));
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
    let (ids, items) = tasks.map(|task| (task.id.to_string(), item(task))).unzip();
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
