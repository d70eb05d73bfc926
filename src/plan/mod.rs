//! Chains to plans: tasks, their dependencies and their schedule.
//!
//! The plan is where the three order types become uniform: one task for each
//! resource order item that changes something, and dependencies gathered from
//! the items of all layers.

mod body;
mod bulk;
mod dependencies;
mod digest;
mod draft;
mod drawing;
mod explain;
pub mod flow;
mod gates;
mod inquiry;
mod layers;
mod make;
mod network;
mod request;
mod rollouts;
mod schedule;
mod scope;
mod sharing;
mod variables;
mod write;

pub use bulk::common_name;
pub use digest::{compensation_key, is_same_request, plan_digest, plan_digest_by};
pub use draft::blank as blank_task;
pub use drawing::{Notation, draw};
pub use explain::{Explanation, NotFound, explain};
pub use request::{segment, unsegment};
pub use schedule::{count_for_people, duration, duration_for_people, iso};
pub use write::PlanText;

use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

use foldhash::{HashMap, HashMapExt as _};
use jiff::{SignedDuration, Timestamp};

use crate::catalog::Catalog;
use crate::chain::{Chain, order_name};
use crate::decompose::{Decomposer, Derived, needs_no_service, resource_order, service_order};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Document, DocumentKind, Node};
use crate::graph;
use crate::inventory::Inventory;
use crate::model::date::DateReading;
use crate::model::digest::order_digest;
use crate::model::state::OrderState;
use crate::model::version5::flattened;
use crate::model::{Action, Order, OrderItem, ProductOrderItem, ResourceOrderItem};
use crate::schemas;
use crate::validate::Validation;
use dependencies::{Bridge, Sense};
use draft::{Draft, Drafting};
use flow::{OrchestrationPlan, OrderDigest, RelatedEntity, TaskFlow, TaskKind, Until};
use gates::Gating;
use layers::Layers;
use make::{Made, Scheduled, Sketched, Tasks, missed, related_orders};
use network::Network;
use rollouts::Rollout;
use schedule::Dates;
use scope::Scope;
use write::TaskTexts;

/// Orders of so many bytes are digested and checked while they are planned, by other threads.
const LARGE: usize = 1 << 20;

/// So many tasks are worth a thread of their own.
const MANY: usize = 512;

/// What a plan is made with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Planning<'c> {
    /// Says which endpoint carries out what, and how long it takes.
    pub catalog: Option<&'c Catalog>,
    /// Endpoint for resources without an activation rule.
    pub default_endpoint: Option<&'c str>,
    /// The moment taken as now: nothing starts before it.
    pub now: Option<Timestamp>,
    /// By what is installed it is known whether anything is to be ordered below an order that changes
    /// or removes something, where none is derived from it.
    pub installed: Option<&'c Inventory>,
}

/// A plan, and what there is to say about it.
#[derive(Debug)]
pub struct Planned {
    /// The plan.
    pub plan: OrchestrationPlan,
    /// Names of the tasks on the critical path, first to last.
    pub path: Vec<String>,
    /// What it cannot keep: dates, windows.
    pub warnings: Vec<Diagnostic>,
}

/// A plan as text, and what there is to say about it.
#[derive(Debug)]
pub struct Written {
    /// The plan.
    pub text: PlanText,
    /// Number of its tasks.
    pub tasks: usize,
    /// Its figures.
    pub schedule: flow::Schedule,
    /// Names of the tasks on the critical path, first to last.
    pub path: Vec<String>,
    /// What it cannot keep: dates, windows.
    pub warnings: Vec<Diagnostic>,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum NotPlanned {
    /// The chain has no resource order: it has to be decomposed first.
    NotDecomposed {
        /// Type of the lowest order there is.
        type_name: &'static str,
        /// Its id.
        id: String,
    },
    /// The order cannot be carried out as it is.
    Faults(Vec<Diagnostic>),
}

impl<'c> Planning<'c> {
    /// Plans a chain.
    ///
    /// # Errors
    /// See [`NotPlanned`]; all faults at once.
    pub fn plan(&self, chain: &Chain) -> Result<Planned, NotPlanned> {
        let made = self.make::<Vec<Box<TaskFlow>>>(chain)?;
        let mut plan = made.plan;
        plan.task_flow = made.tasks.into_iter().flatten().collect();
        Ok(Planned {
            plan,
            path: made.path,
            warnings: made.warnings,
        })
    }

    /// Plans a chain, and writes the plan. A large one is never there but as text.
    ///
    /// # Errors
    /// As [`Planning::plan`].
    pub fn write(&self, chain: &Chain) -> Result<Written, NotPlanned> {
        let made = self.make::<TaskTexts>(chain)?;
        Ok(Written {
            text: PlanText::of(&made.plan, made.tasks),
            tasks: made.count,
            schedule: made.plan.schedule,
            path: made.path,
            warnings: made.warnings,
        })
    }

    fn make<T: Tasks>(&self, chain: &Chain) -> Result<Made<T>, NotPlanned> {
        let size: usize = chain.orders().map(|order| order.text().len()).sum();
        if size < LARGE {
            let orders = self.orders(chain)?;
            no_faults(check(chain))?;
            let made = self.sketch(chain, &orders)?.make(self)?;
            return Ok(made.with_digests(order_digests(chain)));
        }
        thread::scope(|scope| {
            let beside = scope.spawn(|| (check(chain), order_digests(chain)));
            let orders = self.orders(chain)?;
            let sketched = self.sketch(chain, &orders);
            let made = sketched.and_then(|sketched| sketched.make(self));
            let (faults, digests) = joined(beside);
            no_faults(faults)?;
            Ok(made?.with_digests(digests))
        })
    }

    /// The orders of a chain that goes down to resources.
    fn orders<'d>(&self, chain: &'d Chain) -> Result<Vec<Order<'d>>, NotPlanned> {
        let orders: Vec<Order<'_>> = chain.orders().filter_map(Order::read).collect();
        is_decomposed(chain, &orders, (self.catalog, self.installed))?;
        Ok(orders)
    }

    /// Everything about the tasks but what they are themselves.
    fn sketch<'o, 'd>(
        &self,
        chain: &Chain,
        orders: &'o [Order<'d>],
    ) -> Result<Sketched<'o, 'd>, NotPlanned>
    where
        'c: 'd,
    {
        let mut stated = Vec::new();
        let root = chain.orders().next().map_or_else(String::new, order_name);
        let mut sketch = Sketch::of(orders, &mut stated);
        let items = items_with_task(orders);
        let mut drafting = Drafting::new(*self, &root, &sketch.layers);
        let entries = sketch.layers.tasks.iter().zip(&items);
        let drafts = entries.map(|(entry, item)| drafting.draft(*entry, item));
        let drafts = drafts.collect();
        let windows = drafting.faults;
        let mut around = Vec::new();
        let drafts = self.around(orders, &mut sketch, &root, drafts, &mut around);
        sketch.cycles(&drafts, &mut around);
        if !(stated.is_empty() && windows.is_empty() && around.is_empty()) {
            let faults = self.faults(orders, &root, (stated, around));
            return Err(NotPlanned::Faults(faults));
        }
        sketch.network.settle();
        let scope = self.scope(&sketch.layers);
        let unknown = scope.map_or(Vec::new(), gates::unknown);
        let schedule = Scheduled::of(self.dates(chain), &drafts, &sketch.network);
        let mut warnings = missed(chain, &drafts, &schedule);
        warnings.extend(unknown);
        Ok(Sketched {
            root,
            orders: related_orders(chain),
            items,
            drafts,
            layers: sketch.layers,
            network: sketch.network,
            schedule,
            warnings,
        })
    }

    /// Everything that is wrong with orders, in the sequence of what it is found in: with what the
    /// items say of each other, with each item, then with what is around them, if all items can be
    /// carried out; else with what waits for itself without it.
    fn faults(
        &self,
        orders: &[Order<'_>],
        root: &str,
        (stated, around): (Vec<Diagnostic>, Vec<Diagnostic>),
    ) -> Vec<Diagnostic> {
        let mut faults = stated;
        let sketch = Sketch::of(orders, &mut Vec::new());
        let mut drafting = Drafting::new(*self, root, &sketch.layers);
        let mut is_complete = true;
        for (entry, item) in sketch.layers.tasks.iter().zip(items_with_task(orders)) {
            let draft = drafting.draft(*entry, item);
            is_complete &= drafting.task(*entry, item, &draft).is_some();
        }
        faults.append(&mut drafting.faults);
        if is_complete {
            faults.extend(around);
        } else {
            sketch.cycles(&[], &mut faults);
        }
        faults
    }

    /// Adds what stands between and before the tasks of items.
    fn around<'d>(
        &self,
        orders: &[Order<'d>],
        sketch: &mut Sketch<'_, 'd>,
        root: &str,
        mut drafts: Vec<Draft<'d>>,
        faults: &mut Vec<Diagnostic>,
    ) -> Vec<Draft<'d>> {
        let Sketch {
            layers,
            network,
            bridges,
        } = sketch;
        drafts.extend(bridges.iter().map(|it| bridge(orders, layers, *it)));
        if let (Some(scope), Some(order)) = (self.scope(layers), orders.first()) {
            let mut gating = Gating {
                scope,
                root,
                order,
                faults,
            };
            let gates = gating.add(network);
            drafts.extend(gates);
            let mut rollout = Rollout {
                scope,
                root,
                order,
                drafts: &mut drafts,
                faults,
            };
            rollout.add(network);
        }
        names(&drafts, faults);
        drafts
    }

    /// What gate and rollout rules are about, if there are any.
    fn scope<'s, 'a, 'd: 's>(&'s self, layers: &'s Layers<'a, 'd>) -> Option<Scope<'s, 'a, 'd>> {
        let catalog = self.catalog.filter(|catalog| catalog.has_gates())?;
        Some(Scope {
            catalog,
            layers,
            entries: &layers.tasks,
        })
    }

    /// The dates of the root order. Nothing starts before now, nor before the requested start.
    fn dates(&self, chain: &Chain) -> Dates {
        let root = chain.orders().next().map(Document::root);
        let date = |key: &str| DateReading::of(&root?.text(key)?).timestamp();
        let ordered = date("orderDate").or_else(|| date("creationDate"));
        Dates {
            requested: date("requestedCompletionDate"),
            base: self.now.max(date("requestedStartDate")).or(ordered),
        }
    }
}

/// The resource order items that have a task, in the sequence of these.
fn items_with_task<'o, 'd>(orders: &'o [Order<'d>]) -> Vec<&'o ResourceOrderItem<'d>> {
    let resources = orders.iter().filter_map(|order| match order {
        Order::Resource(order) => Some(&order.items),
        _ => None,
    });
    let items = resources.flatten();
    items.filter(|it| has_task(it.action, it.node)).collect()
}

/// What the schema says against the resource orders.
fn check(chain: &Chain) -> Vec<Diagnostic> {
    let kind = DocumentKind::ResourceOrder;
    let resources = chain.of_kind(kind);
    let faults = resources.map(|order| schemas::check(kind, order.root()));
    faults.flatten().collect()
}

fn no_faults(faults: Vec<Diagnostic>) -> Result<(), NotPlanned> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(NotPlanned::Faults(faults))
    }
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Whether an item is to be carried out: it changes something, and has not ended.
fn has_task(action: Option<Action>, item: Node<'_>) -> bool {
    action != Some(Action::NoChange) && !OrderState::has_ended(item)
}

/// Where nothing below an order changes, or nothing is needed there, none is derived from it.
fn is_decomposed(
    chain: &Chain,
    orders: &[Order<'_>],
    (catalog, installed): (Option<&Catalog>, Option<&Inventory>),
) -> Result<(), NotPlanned> {
    let done = match orders.last() {
        Some(Order::Product(order)) => {
            let nothing = |item: &ProductOrderItem<'_>| {
                !has_task(item.action, item.node)
                    || catalog.is_some_and(|catalog| needs_no_service(catalog, item))
            };
            !order.items.is_empty() && order.items.iter().all(nothing)
        }
        Some(order) => {
            let nothing = |item: &OrderItem<'_, '_>| {
                !has_task(item.action, item.node)
                    || catalog.is_some_and(|catalog| needs_no_resource(catalog, order, item))
            };
            !order.is_empty() && order.items().all(|item| nothing(&item))
        }
        None => false,
    };
    let has_resources = || orders.iter().any(|it| matches!(it, Order::Resource(_)));
    let only_adds = || {
        let mut items = orders.iter().flat_map(Order::items);
        items.all(|item| !has_task(item.action, item.node) || item.action == Some(Action::Add))
    };
    // What becomes of what is installed is only known with it.
    let nothing = |catalog| {
        (installed.is_some() || only_adds()) && has_nothing_below(chain, (catalog, installed))
    };
    if done || has_resources() || catalog.is_some_and(nothing) {
        return Ok(());
    }
    let lowest = chain.orders().last();
    let type_name = lowest.map_or("document", |it| DocumentKind::of(it).name());
    let id = lowest.map_or(String::new(), order_name);
    Err(NotPlanned::NotDecomposed { type_name, id })
}

/// Whether the catalog says of a service order item that its service stands on nothing.
fn needs_no_resource(catalog: &Catalog, order: &Order<'_>, item: &OrderItem<'_, '_>) -> bool {
    let service = item.specification.and_then(|it| catalog.service(&it.id));
    matches!(order, Order::Service(_))
        && service.is_some_and(|it| it.decompositions.is_empty() && it.resources.is_empty())
}

/// Whether the catalog has nothing to order right below the lowest orders of a chain, over what is
/// installed.
fn has_nothing_below(chain: &Chain, (catalog, inventory): (&Catalog, Option<&Inventory>)) -> bool {
    let with = Decomposer {
        catalog,
        inventory,
        explain: false,
    };
    let validation = Validation {
        catalog: Some(catalog),
        inventory,
        strict: false,
        now: None,
    };
    let flat: Vec<Option<Document>> = chain.orders().map(flattened).collect();
    let orders = chain.orders().zip(&flat);
    let orders: Vec<&Document> = orders
        .map(|(order, flat)| flat.as_ref().unwrap_or(order))
        .collect();
    let is_product = |it: &&&Document| DocumentKind::of(it) == DocumentKind::ProductOrder;
    let (above, below): (Vec<&Document>, Vec<&Document>) = orders.iter().partition(is_product);
    let above = match above.first().map(|order| validation.check(order).order) {
        Some(None) => return false,
        Some(order) => order,
        None => None,
    };
    let is_nothing =
        |step: Result<Derived, _>| matches!(step, Ok(derived) if derived.document.is_none());
    if let Some(order) = above.as_ref().filter(|_| below.is_empty()) {
        return is_nothing(service_order(&with, order));
    }
    below.into_iter().all(|order| {
        let order = validation.check(order).order;
        order.is_some_and(|it| is_nothing(resource_order(&with, &it, above.as_ref())))
    })
}

/// Which tasks there are, and how they wait for each other.
struct Sketch<'a, 'd> {
    layers: Layers<'a, 'd>,
    network: Network,
    bridges: Vec<Bridge>,
}

impl<'a, 'd> Sketch<'a, 'd> {
    fn of(orders: &'a [Order<'d>], faults: &mut Vec<Diagnostic>) -> Sketch<'a, 'd> {
        let mut tasks = Vec::new();
        for (order, read) in orders.iter().enumerate() {
            if let Order::Resource(read) = read {
                let items = read.items.iter().enumerate();
                let with_task = items.filter(|(_, it)| has_task(it.action, it.node));
                tasks.extend(with_task.map(|(position, _)| (order, position)));
            }
        }
        let layers = Layers::new(orders, &tasks);
        if layers.may_repeat() {
            duplicates(orders, faults);
        }
        let stated = dependencies::stated(&layers, faults);
        let mut network = Network::new(tasks.len());
        let deleted: Vec<bool> = layers
            .tasks
            .iter()
            .map(|entry| layers.entries[*entry].item.action == Some(Action::Delete))
            .collect();
        let bridges = dependencies::connect(&layers, &stated, &deleted, &mut network);
        Sketch {
            layers,
            network,
            bridges,
        }
    }

    /// Reports tasks that wait for each other. Without drafts, only those of items have names.
    fn cycles(&self, drafts: &[Draft<'_>], faults: &mut Vec<Diagnostic>) {
        if self.network.is_acyclic() {
            return;
        }
        for cycle in graph::cycles(&self.network.edges()) {
            let id = |task: usize| match (self.layers.tasks.get(task), drafts.get(task)) {
                (_, Some(draft)) => Some(&*draft.id),
                (Some(entry), None) => Some(&**self.layers.entries[*entry].item.id),
                (None, None) => None,
            };
            let mut members: Vec<&str> = cycle.iter().filter_map(|task| id(*task)).collect();
            members.extend(members.first().copied());
            let message = format!("tasks wait for each other: {}", members.join(" → "));
            let place = cycle.iter().find_map(|task| self.layers.tasks.get(*task));
            let Some(place) = place.map(|entry| self.layers.entries[*entry].item.node) else {
                continue;
            };
            let around = cycle.iter().filter_map(|task| drafts.get(*task));
            let added = around
                .filter_map(|draft| draft.made.as_ref())
                .find(|task| task.kind != TaskKind::Activation);
            let hint = match added {
                Some(task) => format!(
                    "`{}` holds what it waits for itself: narrow its rule",
                    task.id
                ),
                None => "remove one of these item relationships".to_owned(),
            };
            let code = Code("plan/cycle");
            faults.push(
                Diagnostic::new(code, Severity::Error, place.location(), message).with_hint(hint),
            );
        }
    }
}

/// The task of a point between many tasks.
fn bridge<'d>(orders: &[Order<'d>], layers: &Layers<'_, 'd>, bridge: Bridge) -> Draft<'d> {
    let entry = &layers.entries[bridge.item];
    let item = &entry.item;
    let order = order_name(orders[entry.order].node().document());
    let name = item.entity.and_then(|it| it.text("name"));
    let name = name.unwrap_or_else(|| item.id.clone());
    let (end, what) = match (bridge.sense, bridge.until) {
        (Sense::Build, Until::Completed) => ("done", "done"),
        (Sense::Build, Until::Ended) => ("ended", "done or given up"),
        (Sense::Remove, _) => ("clear", "cleared"),
    };
    let id = format!("{order}.{}.{end}", item.id);
    let why = format!("many tasks wait until item `{}` is {what}", item.id);
    let mut task = draft::blank(id, format!("{name} {what}"), TaskKind::Milestone, why);
    task.related_entity = vec![RelatedEntity {
        id: item.id.to_string(),
        role: "orderItem".into(),
        referred_type: entry.layer.item_type().into(),
    }];
    Draft::around(task, SignedDuration::ZERO, item.node)
}

/// Tasks of items are told apart by the ids of these.
fn duplicates(orders: &[Order<'_>], faults: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    let resources = orders.iter().filter(|it| matches!(it, Order::Resource(_)));
    for item in resources.flat_map(Order::items) {
        let node = item.node.get("id").unwrap_or(item.node);
        if let Some(first) = seen.insert(&**item.id, node) {
            let message = format!("two items have the id `{}`, which names a task", item.id);
            let code = Code("plan/duplicate-task");
            faults.push(
                Diagnostic::new(code, Severity::Error, node.location(), message)
                    .with_related(first.location()),
            );
        }
    }
}

/// Gates and points have ids of their own, which items might have too.
fn names(drafts: &[Draft<'_>], faults: &mut Vec<Diagnostic>) {
    let added = |draft: &Draft<'_>| draft.made.is_some();
    if !drafts.iter().any(added) {
        return;
    }
    let mut seen = HashMap::new();
    for draft in drafts {
        let id = &*draft.id;
        let first = seen.insert(id, draft);
        if let Some(first) = first.filter(|first| added(first) || added(draft)) {
            let message = format!("two tasks would have the id `{id}`");
            let code = Code("plan/duplicate-task");
            faults.push(
                Diagnostic::new(code, Severity::Error, draft.node.location(), message)
                    .with_related(first.node.location())
                    .with_hint("rename the order item or the rule"),
            );
        }
    }
}

/// Digests of the orders of a chain.
pub(crate) fn order_digests(chain: &Chain) -> Vec<OrderDigest> {
    let digest = |order: &Document| OrderDigest {
        id: order_name(order),
        referred_type: DocumentKind::of(order).name().into(),
        digest: order_digest(order.root()),
    };
    chain.orders().map(digest).collect()
}
