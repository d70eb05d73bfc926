//! The documents of a chain as a tree: order, items, tasks.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::blocking::{Blocking, Known};
use super::next::Next;
use super::{
    DerivedOrder, ItemStanding, RevisionStanding, Standing, TaskCounts, TaskName, TaskStanding,
    owned, summary,
};
use crate::chain::{Chain, order_name};
use crate::document::{Document, DocumentKind, Node};
use crate::journal::TaskProgress;
use crate::model::reference::RelationshipKind;
use crate::model::state::{OrderState, TaskState};
use crate::model::{Order, OrderItem};
use crate::plan::flow::{TaskOutcome, Until};
use crate::plan::iso;
use crate::progress::{Before, PlanTask, is_assessed, item_state, plan_tasks};

pub fn standing(chain: &Chain, known: Known<'_>) -> Option<Standing> {
    let plan = chain.first(DocumentKind::OrchestrationPlan);
    let mut tasks: Vec<PlanTask<'_>> = chain
        .of_kind(DocumentKind::OrchestrationPlan)
        .flat_map(plan_tasks)
        .collect();
    wait_for_stops(&mut tasks, plan, known);
    let orders: Vec<(&Document, Order<'_>)> = chain
        .orders()
        .filter_map(|document| Some((document, Order::read(document)?)))
        .collect();
    let counts = plan.map(|_| count(&tasks));
    let mut forest = Forest::new(&tasks, &orders, known);
    for (document, order) in &orders {
        forest.add(&order_name(document), order);
    }
    forest.add_tasks_without_item();
    let items = forest.grow();
    let Some(((document, root), derived)) = orders.split_first() else {
        return Some(of_plan_alone(plan?, &tasks, items, known));
    };
    let state = order_state(document.root());
    let id = order_name(document);
    let blocking = if state.is_final() {
        Blocking::default()
    } else {
        Blocking::of(&tasks, &id, known)
    };
    let revision = plan.and_then(|plan| {
        RevisionStanding::of(
            (plan, is_assessed(chain)),
            &tasks,
            (root.type_name(), &id),
            known,
        )
    });
    Some(Standing {
        type_name: root.type_name(),
        revision,
        id,
        external_id: root.external_id().cloned().map(owned),
        state,
        summary: summary::of_chain((chain, state), (&tasks, known), counts.as_ref()),
        tasks: counts,
        run: known.run.filter(|_| blocking.total > 0).cloned(),
        blocking,
        derived: derived
            .iter()
            .map(|(document, order)| derived_order(document, order))
            .collect(),
        items,
    })
}

/// Lets what could begin otherwise wait for the tasks that nothing else of the order is begun beside.
fn wait_for_stops(tasks: &mut [PlanTask<'_>], plan: Option<&Document>, known: Known<'_>) {
    let is_on_hold = plan.and_then(|it| it.root().text("state")).as_deref() == Some("hold");
    let stops: Vec<Cow<'_, str>> = tasks
        .iter()
        .filter(|task| match known.progress {
            Some(progress) => progress.task(&task.id).is_some_and(TaskProgress::stops),
            None => is_on_hold && task.state == TaskState::Hold,
        })
        .map(|task| task.id.clone())
        .collect();
    if stops.is_empty() {
        return;
    }
    let by_id: HashMap<&str, &PlanTask<'_>> = tasks.iter().map(|task| (&*task.id, task)).collect();
    let is_free = |task: &PlanTask<'_>| {
        let next = Next::of(task, |id| by_id.get(id).copied());
        task.state == TaskState::New && next.waits_for.is_empty()
    };
    let free: Vec<bool> = tasks.iter().map(is_free).collect();
    for (task, _) in tasks.iter_mut().zip(free).filter(|(_, is_free)| *is_free) {
        let before = stops.iter().map(|id| Before {
            id: id.clone(),
            until: Until::Ended,
            lag: None,
        });
        task.waits_for.extend(before);
    }
}

/// A plan without its orders: the order it names, and its tasks.
fn of_plan_alone(
    plan: &Document,
    tasks: &[PlanTask<'_>],
    items: Vec<ItemStanding>,
    known: Known<'_>,
) -> Standing {
    let root = plan
        .root()
        .list("relatedEntity")
        .find(|entity| entity.text("role").as_deref() == Some("rootOrder"));
    let (id, type_name) = match root {
        Some(entity) => (entity.text("id"), entity.text("@referredType")),
        None => (plan.root().text("id"), None),
    };
    let type_name = match type_name.as_deref() {
        Some("ProductOrder") => "ProductOrder",
        Some("ServiceOrder") => "ServiceOrder",
        Some("ResourceOrder") => "ResourceOrder",
        _ => "OrchestrationPlan",
    };
    let state = OrderState::roll_up(
        tasks
            .iter()
            .map(|task| item_state(task.state, task.outcome)),
    );
    let id = id.as_deref().unwrap_or_default();
    let counts = count(tasks);
    let blocking = Blocking::of(tasks, id, known);
    Standing {
        type_name,
        revision: RevisionStanding::of((plan, false), tasks, (type_name, id), known),
        id: id.to_owned(),
        external_id: None,
        state,
        summary: summary::of_tasks((tasks, known), &counts, (id, state)),
        tasks: Some(counts),
        run: known.run.filter(|_| blocking.total > 0).cloned(),
        blocking,
        derived: Vec::new(),
        items,
    }
}

fn derived_order(document: &Document, order: &Order<'_>) -> DerivedOrder {
    DerivedOrder {
        type_name: order.type_name(),
        id: order_name(document),
        state: order_state(document.root()),
    }
}

/// State of an order or item; one that has not been given any is acknowledged.
fn order_state(node: Node<'_>) -> OrderState {
    let read = node.text("state").and_then(|text| OrderState::read(&text));
    read.map_or(OrderState::Acknowledged, |read| read.0)
}

fn count(tasks: &[PlanTask<'_>]) -> TaskCounts {
    let count = |state| tasks.iter().filter(|task| task.state == state).count();
    TaskCounts {
        total: tasks.len(),
        completed: count(TaskState::Completed),
        skipped: tasks
            .iter()
            .filter(|task| task.outcome == Some(TaskOutcome::Skipped))
            .count(),
        active: count(TaskState::Active),
        hold: count(TaskState::Hold),
        new: count(TaskState::New),
        cancelled: count(TaskState::Cancelled),
    }
}

/// All items in the order of the chain, and below which other one each is.
///
/// An item is always below one that comes before it, so that there can be no circle.
struct Forest<'t, 'd> {
    tasks: &'t [PlanTask<'d>],
    known: Known<'t>,
    task: HashMap<&'t str, usize>,
    taken: HashSet<usize>,
    /// Tasks that are about an item of a type and carry out none of their own.
    gates: HashMap<&'static str, Vec<(Cow<'d, str>, usize)>>,
    items: Vec<(ItemStanding, Option<usize>)>,
    /// Item by type and id; of equal ids the first.
    place: HashMap<(&'static str, String), usize>,
}

impl<'t, 'd> Forest<'t, 'd> {
    fn new(tasks: &'t [PlanTask<'d>], orders: &[(&Document, Order<'_>)], known: Known<'t>) -> Self {
        let resources: HashSet<&str> = orders
            .iter()
            .filter(|(_, order)| matches!(order, Order::Resource(_)))
            .flat_map(|(_, order)| order.items())
            .map(|item| &**item.id)
            .collect();
        let mut gates: HashMap<_, Vec<_>> = HashMap::new();
        for (at, task) in tasks.iter().enumerate() {
            if let Some((type_name, item)) = task.subject()
                && !resources.contains(&*task.id)
            {
                gates.entry(type_name).or_default().push((item, at));
            }
        }
        let task = tasks
            .iter()
            .enumerate()
            .map(|(at, task)| (&*task.id, at))
            .collect();
        let (taken, items, place) = (HashSet::new(), Vec::new(), HashMap::new());
        Self {
            tasks,
            known,
            task,
            taken,
            gates,
            items,
            place,
        }
    }

    fn add(&mut self, order_id: &str, order: &Order<'_>) {
        let (type_name, above) = match order {
            Order::Product(_) => ("ProductOrderItem", None),
            Order::Service(_) => ("ServiceOrderItem", Some("ProductOrderItem")),
            Order::Resource(_) => ("ResourceOrderItem", Some("ServiceOrderItem")),
        };
        let first = self.items.len();
        let gates = self.gates.remove(type_name).unwrap_or_default();
        for item in order.items() {
            let realizes: Vec<String> = item
                .relationships
                .iter()
                .filter(|relationship| relationship.kind == RelationshipKind::Realizes)
                .map(|relationship| relationship.item.to_string())
                .collect();
            let holder = realizes.iter().find_map(|id| {
                // Only what comes before: orders may stand in any sequence in a broken stream.
                self.place.get(&(above?, id.clone())).copied()
            });
            let parent = item.parent.map(|parent| first + parent).or(holder);
            let task = match order {
                Order::Resource(_) => self.task_of(&item),
                Order::Product(_) | Order::Service(_) => None,
            };
            let place = self.items.len();
            self.place
                .entry((type_name, item.id.to_string()))
                .or_insert(place);
            let standing = ItemStanding {
                type_name,
                order: order_id.to_owned(),
                id: item.id.to_string(),
                name: name(order, &item),
                specification: item.specification.map(|it| it.id.to_string()),
                action: item.action.map(crate::model::Action::name),
                state: order_state(item.node),
                realizes,
                task,
                items: Vec::new(),
            };
            self.items.push((standing, parent));
        }
        // What an item is held by comes before what is made for it.
        for (item, task) in gates {
            let place = self.place.get(&(type_name, item.into_owned())).copied();
            if let Some(place) = place.filter(|place| *place >= first) {
                self.add_task(task, Some(place));
            }
        }
    }

    fn task_of(&mut self, item: &OrderItem<'_, '_>) -> Option<TaskStanding> {
        let at = *self.task.get(&**item.id)?;
        self.taken.insert(at);
        Some(self.task_standing(&self.tasks[at]))
    }

    fn add_tasks_without_item(&mut self) {
        for (at, task) in self.tasks.iter().enumerate() {
            if !self.taken.contains(&at) && self.task.get(&*task.id) == Some(&at) {
                self.add_task(at, None);
            }
        }
    }

    fn add_task(&mut self, at: usize, parent: Option<usize>) {
        let task = &self.tasks[at];
        self.taken.insert(at);
        let standing = ItemStanding {
            type_name: "TaskFlow",
            order: String::new(),
            id: task.id.to_string(),
            name: Some(task.name.to_string()),
            specification: task.specification.as_deref().map(str::to_owned),
            action: None,
            state: item_state(task.state, task.outcome),
            realizes: Vec::new(),
            task: Some(self.task_standing(task)),
            items: Vec::new(),
        };
        self.items.push((standing, parent));
    }

    fn task_standing(&self, task: &PlanTask<'_>) -> TaskStanding {
        let is_new = task.state == TaskState::New;
        let next = Next::of(task, |id| self.task.get(id).map(|at| &self.tasks[*at]));
        let stopped = matches!(task.state, TaskState::Hold | TaskState::Cancelled);
        let is_told = stopped || task.outcome.is_some();
        let waits = next.waits_for.iter().map(|(before, name)| TaskName {
            id: before.id.to_string(),
            name: name.to_string(),
            lag: before.lag.map(iso),
        });
        TaskStanding {
            state: task.state,
            kind: task.kind,
            gate: task.gate.as_deref().map(str::to_owned),
            endpoint: task.endpoint.to_string(),
            reason: match self.known.tried_later(task) {
                Some((again, reason)) => Some(format!("{again}: {reason}")),
                None => task
                    .reason
                    .as_deref()
                    .filter(|_| is_told)
                    .map(str::to_owned),
            },
            outcome: task.outcome,
            past_return: task.is_past_return(),
            waits_for: waits.filter(|_| is_new).collect(),
            not_before: next.not_before.filter(|_| is_new),
        }
    }

    /// The items as a tree, everything in the order of the chain.
    fn grow(self) -> Vec<ItemStanding> {
        let mut roots = Vec::new();
        let mut parents = Vec::with_capacity(self.items.len());
        let mut items = Vec::with_capacity(self.items.len());
        for (item, parent) in self.items {
            items.push(Some(item));
            parents.push(parent);
        }
        // Backwards, so that an item is complete before it is put below another one.
        for at in (0..items.len()).rev() {
            let Some(mut item) = items[at].take() else {
                continue;
            };
            item.items.reverse();
            let parent = parents[at].and_then(|parent| items[parent].as_mut());
            match parent {
                Some(parent) => parent.items.push(item),
                None => roots.push(item),
            }
        }
        roots.reverse();
        roots
    }
}

/// Name of the product, service or resource; else of its specification or offering.
fn name(order: &Order<'_>, item: &OrderItem<'_, '_>) -> Option<String> {
    let named = item.entity.and_then(|entity| entity.text("name"));
    let offering = match order {
        Order::Product(_) => item
            .node
            .get("productOffering")
            .and_then(|it| it.text("name")),
        Order::Service(_) | Order::Resource(_) => None,
    };
    let specification = || item.specification?.name();
    named
        .or(offering)
        .or_else(specification)
        .filter(|name| !name.is_empty())
        .map(owned)
}
