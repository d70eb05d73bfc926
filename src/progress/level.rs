//! How far items and orders are: from parts to wholes.

use foldhash::{HashMap, HashSet};
use jiff::Timestamp;

use super::TaskStanding;
use super::plan::{Revised, Undo};
use crate::document::Node;
use crate::model::state::OrderState::{
    Acknowledged, AssessingCancellation, Cancelled, Completed, Failed, Held, InProgress, Partial,
    Pending, PendingCancellation, Rejected,
};
use crate::model::state::{OrderState, TaskState};
use crate::model::{Action, Order, OrderItem};

/// The layers of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    Product,
    Service,
    Resource,
}

impl Layer {
    pub fn of(order: &Order<'_>) -> Layer {
        match order {
            Order::Product(_) => Layer::Product,
            Order::Service(_) => Layer::Service,
            Order::Resource(_) => Layer::Resource,
        }
    }

    /// The layer whose items those of this one realize.
    pub fn above(self) -> Option<Layer> {
        match self {
            Layer::Product => None,
            Layer::Service => Some(Layer::Product),
            Layer::Resource => Some(Layer::Service),
        }
    }

    fn successors(self, state: OrderState) -> &'static [OrderState] {
        match self {
            Layer::Product => state.product_order_successors(),
            Layer::Service => state.service_order_successors(),
            Layer::Resource => state.resource_order_successors(),
        }
    }

    /// State of an item as its standard can write it: TMF622 and TMF652 have no `partial` there.
    fn item_state(self, state: OrderState) -> OrderState {
        match (self, state) {
            (Layer::Product | Layer::Resource, Partial) => Failed,
            _ => state,
        }
    }
}

/// How far something is that has work to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub state: OrderState,
    /// Whether it is only what a part of the whole waits for.
    pub gate: bool,
    /// Whether a part is being carried out, or has not begun and waits for nothing any more.
    pub moving: bool,
    /// When the first task began.
    pub started: Option<Timestamp>,
    /// When the last task was completed.
    pub finished: Option<Timestamp>,
}

impl Level {
    fn of_task(task: &TaskStanding, ready: bool) -> Level {
        let moving = match task.state {
            TaskState::New => ready,
            TaskState::Active => true,
            TaskState::Hold | TaskState::Cancelled | TaskState::Completed => false,
        };
        let (started, finished) = (task.started, task.finished);
        Level {
            state: task.item_state(),
            gate: false,
            moving,
            started,
            finished,
        }
    }

    /// The level of an item that is undone.
    pub fn of_undo(undo: Undo, task: Option<&TaskStanding>) -> Level {
        let (state, moving) = match undo {
            Undo::Over => (Cancelled, false),
            Undo::UnderWay { moving } => (PendingCancellation, moving),
        };
        Level {
            state,
            gate: false,
            moving,
            started: task.and_then(|it| it.started),
            finished: None,
        }
    }

    /// The level of what is undone and in no order any more. Its order goes on: nothing leads from
    /// `pendingCancellation` to where a changed order ends.
    pub fn of_stray(undo: Undo) -> Level {
        let level = Level::of_undo(undo, None);
        let state = match undo {
            Undo::Over => level.state,
            Undo::UnderWay { moving: true } => InProgress,
            Undo::UnderWay { moving: false } => Held,
        };
        Level { state, ..level }
    }

    /// The level of a task that carries out no item of its own.
    pub fn of_gate(task: &TaskStanding, ready: bool) -> Level {
        Level {
            gate: true,
            ..Level::of_task(task, ready)
        }
    }

    fn of_state(state: OrderState) -> Level {
        Level {
            state,
            gate: false,
            moving: state == InProgress,
            started: None,
            finished: None,
        }
    }

    /// The level of a whole; none where no part has anything to do.
    pub fn whole(parts: &[Level]) -> Option<Level> {
        if parts.is_empty() {
            return None;
        }
        let moving = parts.iter().any(|part| part.moving);
        let held = parts
            .iter()
            .any(|part| matches!(part.state, Held | PendingCancellation) && !part.moving);
        // That it may be done is no success, and that it may not is one failure, not two.
        let over = parts.iter().all(|part| part.gate || part.state.is_final());
        let counts =
            |part: &&Level| !(part.gate && over && matches!(part.state, Completed | Cancelled));
        let counted = parts.iter().filter(counts).map(|part| part.state);
        let state = match OrderState::roll_up(counted) {
            // Held is what nothing can go on in without somebody: a part that has begun and now
            // waits for what is held elsewhere does not move either.
            Held if moving => InProgress,
            InProgress if held && !moving => Held,
            state => state,
        };
        Some(Level {
            state,
            gate: false,
            moving,
            started: parts.iter().filter_map(|part| part.started).min(),
            finished: parts.iter().filter_map(|part| part.finished).max(),
        })
    }
}

/// How far an item is.
#[derive(Debug, Clone, Copy)]
pub struct ItemStanding {
    /// None where there is nothing to do.
    pub level: Option<Level>,
    /// State to be written.
    pub state: OrderState,
    /// Whether it was completed, and is undone, or has been.
    pub is_undone: bool,
}

/// How far an order and its items are.
#[derive(Debug)]
pub struct OrderStanding {
    pub state: OrderState,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    /// In the order's own sequence.
    pub items: Vec<ItemStanding>,
}

/// What the states of an order depend on beside its items.
pub struct Around<'a> {
    /// Where tasks stand.
    pub tasks: &'a dyn Fn(&str) -> Option<TaskStanding>,
    /// Ids of the tasks that have not begun and wait for nothing any more.
    pub ready: &'a HashSet<String>,
    /// What is undone.
    pub revised: &'a Revised,
    /// What is undone that no item is about any more: no order has ended before it is over.
    pub strays: &'a [Level],
    /// For each item of the order, whether it was completed before anything was undone; empty where that
    /// does not matter.
    pub completed: &'a [bool],
}

impl OrderStanding {
    /// Which of its items are completed.
    pub fn completed(&self) -> Vec<bool> {
        let items = self.items.iter();
        items.map(|it| it.state == Completed).collect()
    }

    pub fn of(
        order: &Order<'_>,
        around: &Around<'_>,
        below: &HashMap<(Layer, String), Vec<Level>>,
    ) -> OrderStanding {
        let layer = Layer::of(order);
        let mut parts: Vec<Vec<Level>> = vec![Vec::new(); order.len()];
        let mut levels = vec![None; order.len()];
        // An item comes after the one that holds it: backwards, parts come before wholes.
        for position in (0..order.len()).rev() {
            let item = order.item(position);
            let level = match layer {
                Layer::Resource => resource_item(&item, around),
                Layer::Product | Layer::Service => {
                    let mut all = std::mem::take(&mut parts[position]);
                    if let Some(realizing) = below.get(&(layer, item.id.to_string())) {
                        all.extend(realizing);
                    }
                    Level::whole(&all)
                }
            };
            let level = level.map(|level| Level {
                state: settle(layer, item.node, level.state, true),
                ..level
            });
            if let (Some(level), Some(parent)) = (level, item.parent) {
                parts[parent].push(level);
            }
            levels[position] = level;
        }
        let strays = around.strays.iter().copied();
        let working: Vec<Level> = levels.iter().copied().flatten().chain(strays).collect();
        let whole = Level::whole(&working).unwrap_or(Level::of_state(Completed));
        let wanted = around.revised.order_state().unwrap_or(whole.state);
        let state = settle(layer, order.node(), wanted, false);
        let has_begun = state != Cancelled || whole.started.or(whole.finished).is_some();
        let items = order.items().zip(levels).enumerate();
        let items = items.map(|(position, (item, level))| {
            let was_completed = around.completed.get(position).copied().unwrap_or(false);
            let wanted = match level {
                // Nothing follows it.
                Some(_) if was_completed => Completed,
                Some(level) => level.state,
                None => idle(layer, item.action, state, has_begun),
            };
            let is_undone = was_completed && level.is_some_and(|it| it.state != Completed);
            let state = layer.item_state(settle(layer, item.node, wanted, true));
            ItemStanding {
                level,
                state,
                is_undone,
            }
        });
        OrderStanding {
            state,
            started: whole.started,
            finished: whole.finished,
            items: items.collect(),
        }
    }
}

fn resource_item(item: &OrderItem<'_, '_>, around: &Around<'_>) -> Option<Level> {
    let standing = (around.tasks)(item.id);
    let undo = around.revised.undo(item.id);
    if item.action == Some(Action::NoChange) {
        // Tasks of its id are those of an earlier version of the order, which changed it.
        let undo = undo.filter(|undo| *undo != Undo::Over);
        return undo.map(Level::of_stray);
    }
    if let Some(undo) = undo {
        return Some(Level::of_undo(undo, standing.as_ref()));
    }
    match standing {
        Some(task) => Some(Level::of_task(&task, around.ready.contains(&**item.id))),
        None => Some(Level::of_state(
            OrderState::of(item.node).unwrap_or(Acknowledged),
        )),
    }
}

/// State of an item that has nothing to do, in an order of this state. What is completed while its order
/// is under way stays so, however that ends.
fn idle(layer: Layer, action: Option<Action>, order: OrderState, has_begun: bool) -> OrderState {
    match order {
        Partial => Completed,
        Acknowledged | Completed | Rejected => order,
        InProgress
        | Held
        | Pending
        | AssessingCancellation
        | PendingCancellation
        | Cancelled
        | Failed => match (layer, action) {
            (Layer::Service | Layer::Resource, _) | (_, Some(Action::NoChange)) if has_begun => {
                Completed
            }
            // A bundle or fee: delivered when everything else is.
            (Layer::Product, _) if matches!(order, InProgress | Held | Pending) => Acknowledged,
            _ => order,
        },
    }
}

/// `wanted`, if the life cycle leads there from the state that is written; else that.
fn settle(layer: Layer, node: Node<'_>, wanted: OrderState, is_item: bool) -> OrderState {
    let Some(old) = OrderState::of(node) else {
        return wanted;
    };
    let target = if is_item {
        layer.item_state(wanted)
    } else {
        wanted
    };
    if reachable(layer, old, target) {
        wanted
    } else {
        old
    }
}

/// Whether a life cycle leads from one state to another, over any number of steps.
pub fn reachable(layer: Layer, from: OrderState, to: OrderState) -> bool {
    let mut seen = vec![from];
    let mut next = 0;
    while let Some(&state) = seen.get(next) {
        if state == to {
            return true;
        }
        for successor in layer.successors(state) {
            if !seen.contains(successor) {
                seen.push(*successor);
            }
        }
        next += 1;
    }
    false
}
