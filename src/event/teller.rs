//! From entries of a journal to events.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::jeopardy::{Deadlines, Late};
use super::{Event, JeopardyLevel, OrderType, What};
use crate::chain::{Chain, order_name};
use crate::document::DocumentKind;
use crate::journal::{Entry, IllegalEntry, Progress, TaskProgress, entry};
use crate::model::Order;
use crate::model::digest;
use crate::model::state::{OrderState, TaskState};
use crate::plan::flow::{OrchestrationPlan, TaskKind, TaskOutcome};
use crate::progress::{self, PlanTask, TaskStanding};
use crate::retry::OnFailure;
use crate::revision::{self, Bundles, Standing};

/// Follows an order through its entries.
#[derive(Debug, Clone)]
pub struct Teller {
    /// The chain as it was taken on.
    chain: Chain,
    progress: Progress,
    orders: Vec<ToldOrder>,
    tasks: Vec<Task>,
    /// States of the tasks, as they were told of.
    states: Vec<TaskState>,
    /// How many tasks of each group are in each state.
    groups: Vec<Group>,
    deadlines: Deadlines,
    correlation_id: String,
    /// What makes the ids of this order's events.
    seed: String,
    /// How many events were told.
    told: u64,
    /// Its plan, and what belongs together in it, once that is asked for.
    plan: Option<Box<(OrchestrationPlan, Bundles)>>,
    /// Whether a task has failed whose bundle is undone next: how the orders stand until then is not
    /// told, for nothing of them may have been left to be done.
    is_undone_next: bool,
    /// Whether it is cancelled by its plan.
    is_cancelled: bool,
}

/// An order of the chain, as it was told of.
#[derive(Debug, Clone)]
struct ToldOrder {
    /// Position in the chain; none where a change of the order has left nothing of it.
    document: Option<usize>,
    order_type: OrderType,
    id: String,
    external_id: Option<String>,
    state: OrderState,
}

/// What is told about a task.
#[derive(Debug, Clone)]
struct Task {
    id: String,
    name: String,
    kind: TaskKind,
    /// Its group: the order that its item, or what it is a gate of, is in.
    group: usize,
}

/// Tasks whose items, or what they are gates of, are in one order. As long as what is in here stays the same, so do the states
/// of orders: whether a task is under way or about to begin only matters where another one is held.
#[derive(Debug, Clone, Default)]
struct Group {
    new: usize,
    active: usize,
    hold: usize,
    completed: usize,
    failed: usize,
    given_up: usize,
}

/// [`Group`], as far as it tells states of orders.
#[derive(Debug, PartialEq, Eq)]
struct Look([bool; 6]);

impl Group {
    fn count(&mut self, state: TaskState, outcome: Option<TaskOutcome>) -> &mut usize {
        match (state, outcome) {
            (TaskState::New, _) => &mut self.new,
            (TaskState::Active, _) => &mut self.active,
            (TaskState::Hold, _) => &mut self.hold,
            (TaskState::Completed, _) => &mut self.completed,
            (TaskState::Cancelled, Some(TaskOutcome::Failed)) => &mut self.failed,
            (TaskState::Cancelled, _) => &mut self.given_up,
        }
    }

    fn look(&self) -> Look {
        let begun = self.active + self.hold + self.completed + self.failed + self.given_up;
        Look([
            begun > 0,
            self.new + self.active + self.hold > 0,
            self.hold > 0,
            self.completed > 0,
            self.failed > 0,
            self.given_up > 0,
        ])
    }
}

impl Teller {
    /// Before anything has happened to a chain; none where there is no order, or no plan, in it.
    #[must_use]
    pub fn new(chain: Chain) -> Option<Self> {
        let plan = chain.first(DocumentKind::OrchestrationPlan)?;
        let deadlines = Deadlines::of(plan);
        let kind = plan.root().get("revision").and_then(|it| it.text("kind"));
        let is_cancelled = kind.as_deref() == Some("cancel");
        let mut groups: HashMap<String, usize> = HashMap::new();
        let mut orders = Vec::new();
        for (at, document) in chain.documents.iter().enumerate() {
            let Some(order) = Order::read(document) else {
                continue;
            };
            let order_type = match order {
                Order::Product(_) => OrderType::Product,
                Order::Service(_) => OrderType::Service,
                Order::Resource(_) => OrderType::Resource,
            };
            if order_type == OrderType::Resource {
                groups.extend(order.items().map(|item| (item.id.to_string(), at + 1)));
            }
            orders.push(ToldOrder {
                document: Some(at),
                order_type,
                id: order_name(document),
                external_id: order.external_id().map(ToString::to_string),
                state: OrderState::of(document.root()).unwrap_or(OrderState::Acknowledged),
            });
        }
        let plan_tasks: Vec<_> = progress::plan_tasks(plan).collect();
        let progress = Progress::of_tasks(plan_tasks.iter().map(PlanTask::needs));
        // What undoes something belongs where that is; where it is in no order any more, all of them
        // wait for it.
        let strays = chain.documents.len() + 1;
        let group = |task: &PlanTask<'_>| match (&task.compensates, groups.get(&*task.id)) {
            (Some(undone), _) => groups.get(&**undone).copied().unwrap_or(strays),
            (None, Some(group)) => *group,
            (None, None) => task.subject().map_or(0, |(type_name, _)| {
                let is_it = |order: &&ToldOrder| {
                    type_name.strip_suffix("Item") == Some(order.order_type.name())
                };
                let document = orders.iter().find(is_it).and_then(|it| it.document);
                document.map_or(0, |document| document + 1)
            }),
        };
        let tasks: Vec<Task> = plan_tasks
            .iter()
            .map(|task| Task {
                id: task.id.to_string(),
                name: task.name.to_string(),
                kind: task.kind,
                group: group(task),
            })
            .collect();
        let mut counted = vec![Group::default(); strays + 1];
        for task in &tasks {
            counted[task.group].new += 1;
        }
        let root = orders.first()?;
        let correlation_id = root.external_id.clone().unwrap_or_else(|| root.id.clone());
        Some(Self {
            states: vec![TaskState::New; tasks.len()],
            progress,
            orders,
            tasks,
            groups: counted,
            deadlines,
            correlation_id,
            seed: String::new(),
            told: 0,
            plan: None,
            is_undone_next: false,
            is_cancelled,
            chain,
        })
    }

    /// What an entry means to the orders.
    ///
    /// # Errors
    /// Where the entry cannot have happened.
    pub fn tell(&mut self, entry: &Entry) -> Result<Vec<Event>, IllegalEntry> {
        let ended = self.progress.apply(entry)?;
        if let entry::Event::Planned(planned) = &entry.event {
            let (order, digest) = (&planned.order_id, &planned.plan_digest);
            self.seed = format!("{order}\n{digest}\n{}\n", entry.at_text());
            return Ok(self.whatever(entry.at));
        }
        let about = entry.event.task().and_then(|id| self.progress.place(id));
        let is_telling = self.moved(about.into_iter().chain(ended.iter().copied()));
        let mut events = Vec::new();
        if let Some(task) = about.filter(|task| ended.contains(task)) {
            events.extend(self.milestone(task, entry.at));
        }
        let was_undone_next = self.is_undone_next;
        self.is_undone_next = self.is_undone_next();
        if !self.is_undone_next && (is_telling || was_undone_next) {
            events.extend(self.whatever(entry.at));
        }
        events.extend(self.jeopardy(entry.at));
        Ok(events)
    }

    /// What it means to the orders that another plan takes the place of the one before: `chain`
    /// from the last of these `entries` on, which are all up to there.
    ///
    /// # Errors
    /// Where the entries cannot have happened.
    pub fn revise(&mut self, chain: Chain, entries: &[Entry]) -> Result<Vec<Event>, IllegalEntry> {
        let (Some(mut revised), Some(last)) = (Teller::new(chain), entries.last()) else {
            return Ok(Vec::new());
        };
        revised.progress = revised.progress.go_through(entries)?;
        for order in &mut revised.orders {
            let is_it = |it: &&ToldOrder| it.order_type == order.order_type && it.id == order.id;
            if let Some(told) = self.orders.iter().find(is_it) {
                order.state = told.state;
            }
        }
        let is_gone = |told: &&ToldOrder| {
            let mut orders = revised.orders.iter();
            !orders.any(|it| it.order_type == told.order_type && it.id == told.id)
        };
        let gone = self.orders.iter().filter(is_gone);
        let gone = gone.map(|told| ToldOrder {
            document: None,
            ..told.clone()
        });
        let gone: Vec<ToldOrder> = gone.collect();
        revised.orders.extend(gone);
        revised.seed.clone_from(&self.seed);
        revised.told = self.told;
        let _states_are_told_below = revised.moved(0..revised.tasks.len());
        *self = revised;
        let mut events = self.whatever(last.at);
        events.extend(self.jeopardy(last.at));
        Ok(events)
    }

    /// Whether nothing more will happen to the orders.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.progress.has_ended() && !self.is_undone_next
    }

    /// Whether whoever carries the order out undoes bundles next.
    fn is_undone_next(&mut self) -> bool {
        let is_to_be = |task: &TaskProgress| task.on_failure == Some(OnFailure::Compensate);
        if !self.progress.failed().any(is_to_be) {
            return false;
        }
        if self.plan.is_none() {
            let plan = self.chain.first(DocumentKind::OrchestrationPlan);
            let plan = plan.and_then(|it| serde_json::from_str(&it.root().compact()).ok());
            self.plan = plan.map(|plan| {
                let bundles = Bundles::of(&self.chain.documents, &plan);
                Box::new((plan, bundles))
            });
        }
        let Some((plan, bundles)) = self.plan.as_deref() else {
            return false;
        };
        let failed = revision::pending(plan, &self.progress);
        let standing = Standing {
            plan,
            progress: &self.progress,
            bundles,
        };
        !failed.is_empty() && revision::compensate(standing, &failed).is_ok()
    }

    /// Takes note of where tasks are now; says whether that may have changed the state of an order.
    fn moved(&mut self, tasks: impl Iterator<Item = usize>) -> bool {
        let mut is_telling = false;
        for at in tasks {
            let known = &self.progress.tasks()[at];
            let (old, new) = (self.states[at], known.state);
            let group = &mut self.groups[self.tasks[at].group];
            let look = group.look();
            if old != new {
                // What has ended does not move any more, so the outcome of the old one is none.
                *group.count(old, None) -= 1;
                *group.count(new, known.outcome) += 1;
                self.states[at] = new;
            }
            is_telling |= group.look() != look;
        }
        is_telling || self.groups.iter().any(|group| group.hold > 0)
    }

    /// The states of the orders that are others than they were told to be, the lowest layer first.
    fn whatever(&mut self, at: Timestamp) -> Vec<Event> {
        let progress = &self.progress;
        let states = progress::order_states(&self.chain, &|task| {
            progress.task(task).map(TaskStanding::from)
        });
        let has_ended = self.progress.has_ended();
        let mut events = Vec::new();
        for order in (0..self.orders.len()).rev() {
            let told = &self.orders[order];
            let state = match told.document {
                Some(document) => states[document].unwrap_or(told.state),
                // A later change may have it again, until all has ended.
                None if has_ended => OrderState::Cancelled,
                None => told.state,
            };
            let way = if self.is_cancelled && state == OrderState::Cancelled {
                cancelled(told.order_type, told.state)
            } else {
                path(told.order_type, told.state, state)
            };
            for state in way {
                let from = std::mem::replace(&mut self.orders[order].state, state);
                events.push(self.event(order, at, What::StateChange { from }));
            }
        }
        events
    }

    fn event(&mut self, order: usize, at: Timestamp, what: What) -> Event {
        self.told += 1;
        let text = digest::text(&Sha256::digest(format!("{}{}", self.seed, self.told)));
        let order = &self.orders[order];
        Event {
            // `sha256:` and 32 digits of 64.
            id: text[7..39].to_owned(),
            at,
            correlation_id: self.correlation_id.clone(),
            order_type: order.order_type,
            order_id: order.id.clone(),
            external_id: order.external_id.clone(),
            state: order.state,
            what,
        }
    }

    /// Milestones and jeopardy are of service orders: the others have no such events in version 4.
    fn service_order(&self) -> Option<usize> {
        let mut orders = self.orders.iter();
        orders.position(|order| order.order_type == OrderType::Service)
    }

    fn milestone(&mut self, task: usize, at: Timestamp) -> Option<Event> {
        let order = self.service_order()?;
        let known = &self.progress.tasks()[task];
        let Task { id, name, kind, .. } = &self.tasks[task];
        if *kind != TaskKind::Milestone || known.state != TaskState::Completed {
            return None;
        }
        let message = match &known.reason {
            Some(reason) => format!("{name} was {reason}"),
            None => format!("everything that {name} waits for is over"),
        };
        let what = What::Milestone {
            id: id.clone(),
            name: name.clone(),
            message,
        };
        Some(self.event(order, at, what))
    }

    fn jeopardy(&mut self, at: Timestamp) -> Option<Event> {
        let order = self.service_order()?;
        let Late {
            level,
            task,
            moment,
        } = self.deadlines.look(at, &self.states)?;
        let Task { id, name, .. } = &self.tasks[task];
        let message = match level {
            JeopardyLevel::Hazard => format!(
                "{name} should have begun by {moment}, for the order to be done when it was asked for"
            ),
            JeopardyLevel::Critical => {
                format!("the order should have been done by {moment}, and {name} is not")
            }
        };
        let what = What::Jeopardy {
            level,
            id: id.clone(),
            name: name.clone(),
            message,
        };
        Some(self.event(order, at, what))
    }
}

/// The states on the way of an order that is cancelled because somebody has asked for it.
fn cancelled(order_type: OrderType, from: OrderState) -> Vec<OrderState> {
    let asked = OrderState::AssessingCancellation;
    if matches!(
        from,
        OrderState::PendingCancellation | OrderState::Cancelled
    ) {
        return path(order_type, from, OrderState::Cancelled);
    }
    let mut way = path(order_type, from, asked);
    if way.last().unwrap_or(&from) != &asked {
        return Vec::new();
    }
    way.extend([OrderState::PendingCancellation, OrderState::Cancelled]);
    way
}

/// The states on the shortest way from one to another, over none that says what an order waits for;
/// none where no way leads there.
fn path(order_type: OrderType, from: OrderState, to: OrderState) -> Vec<OrderState> {
    let mut before: HashMap<OrderState, OrderState> = HashMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(state) = open.pop_front() {
        if state == to {
            break;
        }
        for &next in order_type.successors(state) {
            let says_more = matches!(next, OrderState::Pending | OrderState::Held) && next != to;
            if next != from && !says_more && !before.contains_key(&next) {
                before.insert(next, state);
                open.push_back(next);
            }
        }
    }
    let mut path = Vec::new();
    let mut state = to;
    while let Some(&previous) = before.get(&state) {
        path.push(state);
        state = previous;
    }
    path.reverse();
    path
}
