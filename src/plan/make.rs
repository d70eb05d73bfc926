//! The tasks of an order whose network and schedule are known, one after the
//! other in the sequence of the plan.
//!
//! Each is only there for as long as it takes to keep it, as it is or as text:
//! what was just made is read fastest, and a large order's tasks take more
//! memory than all else that is known of it.

use jiff::{SignedDuration, Timestamp};

use super::digest::{self, TaskDigest, Told};
use super::draft::{self, Bounds, Draft, Drafting};
use super::flow::{
    Digests, FORMAT_VERSION, OrchestrationPlan, OrderDigest, RelatedEntity, Schedule, TaskFlow,
    TaskFlowRef, TaskFlowRelationship,
};
use super::layers::Layers;
use super::network::{Network, Wait};
use super::schedule::{self, Dates, Times, Work};
use super::{MANY, NotPlanned, Planning, no_faults};
use crate::chain::{Chain, order_name};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Document, DocumentKind};
use crate::model::ResourceOrderItem;
use crate::model::state::FlowState;
use crate::parallel;

/// Tasks of a large order that are made together.
const AT_ONCE: usize = 128;

/// When tasks start.
pub struct Scheduled {
    durations: Vec<SignedDuration>,
    times: Times,
    figures: Schedule,
}

impl Scheduled {
    /// The schedule of the tasks of a network.
    pub fn of(dates: Dates, drafts: &[Draft<'_>], network: &Network) -> Scheduled {
        let durations: Vec<SignedDuration> = drafts.iter().map(|draft| draft.duration).collect();
        let windows: Vec<Bounds> = drafts.iter().map(|draft| draft.window).collect();
        let work = Work {
            before: &network.before,
            durations: &durations,
            windows: &windows,
        };
        let times = Times::compute(work, dates);
        let names: Vec<&str> = drafts.iter().map(|draft| &*draft.id).collect();
        let figures = times.schedule(&names, work, dates);
        Scheduled {
            durations,
            times,
            figures,
        }
    }

    /// What a task gets to know of it.
    fn tell(&self, position: usize, task: &mut TaskFlow) {
        let times = &self.times;
        let (earliest, latest) = (times.earliest[position], times.latest[position]);
        task.duration = schedule::iso(self.durations[position]);
        task.earliest_start = schedule::iso(earliest);
        task.latest_start = schedule::iso(latest);
        task.slack = schedule::iso(latest - earliest);
        task.critical = times.is_critical(position);
        task.wave = times.wave[position];
    }
}

/// All that has to be known of an order before its tasks are made.
pub struct Sketched<'o, 'd> {
    /// Name of the root order.
    pub root: String,
    /// The orders, root first.
    pub orders: Vec<RelatedEntity>,
    /// The resource order items that have a task.
    pub items: Vec<&'o ResourceOrderItem<'d>>,
    /// What is known of all tasks, those of items first.
    pub drafts: Vec<Draft<'d>>,
    /// Where items stand.
    pub layers: Layers<'o, 'd>,
    /// How the tasks wait for each other.
    pub network: Network,
    /// When they start.
    pub schedule: Scheduled,
    /// What the plan cannot keep.
    pub warnings: Vec<Diagnostic>,
}

/// A task to be made.
struct Place {
    position: usize,
    /// The task, if it is of no item.
    made: Option<Box<TaskFlow>>,
}

/// Tasks that follow each other in a plan.
struct Part<T> {
    tasks: T,
    digests: Vec<TaskDigest>,
    /// What is wrong with the items, by their positions.
    faults: Vec<(usize, Diagnostic)>,
}

/// What tasks are kept as.
pub trait Tasks: Default + Send {
    /// Makes room for so many.
    fn reserve(&mut self, tasks: usize);

    /// Takes a task that comes so many behind the first one of its plan.
    fn push(&mut self, number: usize, task: Box<TaskFlow>);

    /// Keeps no more room than it needs.
    fn fitted(self) -> Self;
}

impl Tasks for Vec<Box<TaskFlow>> {
    fn reserve(&mut self, tasks: usize) {
        self.reserve(tasks);
    }

    fn push(&mut self, _: usize, task: Box<TaskFlow>) {
        self.push(task);
    }

    fn fitted(self) -> Self {
        self
    }
}

/// A plan, and its tasks.
pub struct Made<T> {
    /// Without its tasks.
    pub plan: OrchestrationPlan,
    /// The tasks, in parts that follow each other.
    pub tasks: Vec<T>,
    /// How many there are.
    pub count: usize,
    /// Their digests.
    digests: Vec<TaskDigest>,
    /// Names of the tasks on the critical path, first to last.
    pub path: Vec<String>,
    /// What the plan cannot keep.
    pub warnings: Vec<Diagnostic>,
}

impl Sketched<'_, '_> {
    /// Makes the tasks, in the sequence of the plan, which does not have the digests of the orders and
    /// its own yet.
    ///
    /// # Errors
    /// What is wrong with the items.
    pub fn make<T: Tasks>(mut self, planning: &Planning<'_>) -> Result<Made<T>, NotPlanned> {
        let path = self.path();
        let order = std::mem::take(&mut self.schedule.times.order);
        let drafts = &mut self.drafts;
        let place = |position: usize| Place {
            position,
            made: drafts[position].made.take(),
        };
        let mut places: Vec<Place> = order.into_iter().map(place).collect();
        let count = places.len();
        let at_once = if count < MANY { MANY } else { AT_ONCE };
        let parts = places.chunks_mut(at_once).enumerate();
        let parts = parts.map(|(number, places)| (number * at_once, places));
        let parts = parallel::map(parts.collect(), |(start, places)| {
            self.part(planning, start, places)
        });
        let mut tasks = Vec::with_capacity(parts.len());
        let mut digests = Vec::with_capacity(count);
        let mut faults = Vec::new();
        for part in parts {
            tasks.push(part.tasks);
            digests.extend(part.digests);
            faults.extend(part.faults);
        }
        faults.sort_by_key(|(position, _)| *position);
        no_faults(faults.into_iter().map(|(_, fault)| fault).collect())?;
        let plan = OrchestrationPlan {
            type_name: "OrchestrationPlan".into(),
            base_type: "ProcessFlow".into(),
            format_version: FORMAT_VERSION.into(),
            id: format!("{}.P", self.root),
            specification: "OrchestrationPlan/1".into(),
            state: FlowState::Active,
            related_entity: self.orders,
            digest: Digests {
                order: Vec::new(),
                catalog: planning.catalog.map(|it| it.digest().to_owned()),
                plan: String::new(),
            },
            schedule: self.schedule.figures,
            revision: None,
            task_flow: Vec::new(),
        };
        Ok(Made {
            plan,
            tasks,
            count,
            digests,
            path,
            warnings: self.warnings,
        })
    }

    /// Makes some tasks that follow each other.
    fn part<T: Tasks>(
        &self,
        planning: &Planning<'_>,
        start: usize,
        places: &mut [Place],
    ) -> Part<T> {
        let mut drafting = Drafting::new(*planning, &self.root, &self.layers);
        let mut told = Told::default();
        let mut part = Part {
            tasks: T::default(),
            digests: Vec::with_capacity(places.len()),
            faults: Vec::new(),
        };
        part.tasks.reserve(places.len());
        for number in 0..places.len() {
            // Tasks that follow each other are of items that stand far apart.
            let next = places.get(number + 1).map(|it| it.position);
            if let Some(item) = next.and_then(|it| self.items.get(it)) {
                item.node.fetch();
            }
            let place = &mut places[number];
            let position = place.position;
            let task = place.made.take().or_else(|| {
                let (entry, item) = (self.layers.tasks[position], self.items[position]);
                drafting.task(entry, item, &self.drafts[position])
            });
            let faults = drafting.faults.drain(..);
            part.faults.extend(faults.map(|fault| (position, fault)));
            let Some(mut task) = task else {
                continue;
            };
            let waits = self.network.before[position].iter();
            task.relationship = waits.map(|wait| self.relationship(wait)).collect();
            self.schedule.tell(position, &mut task);
            part.digests.push(told.digest(&task));
            part.tasks.push(start + number, task);
        }
        part.tasks = part.tasks.fitted();
        part
    }

    fn relationship(&self, wait: &Wait) -> TaskFlowRelationship {
        TaskFlowRelationship {
            relationship_type: "finishToStart".into(),
            lag: (!wait.lag.is_zero()).then(|| schedule::iso(wait.lag)),
            until: wait.until,
            task_flow: TaskFlowRef {
                id: self.drafts[wait.before].id.to_string(),
            },
        }
    }

    /// The names of the tasks on the critical path.
    fn path(&self) -> Vec<String> {
        let name = |position: &usize| match &self.drafts[*position].made {
            Some(task) => task.name.clone(),
            None => draft::name(self.items[*position]).into_owned(),
        };
        self.schedule.times.path.iter().map(name).collect()
    }
}

impl<T> Made<T> {
    /// With the digests of the orders and its own.
    pub fn with_digests(mut self, orders: Vec<OrderDigest>) -> Made<T> {
        self.plan.digest.order = orders;
        self.plan.digest.plan = digest::digest_of(&self.plan, self.digests.iter());
        self
    }
}

/// The orders of a chain, root first.
pub fn related_orders(chain: &Chain) -> Vec<RelatedEntity> {
    chain
        .orders()
        .enumerate()
        .map(|(position, order)| RelatedEntity {
            id: order_name(order),
            role: if position == 0 { "rootOrder" } else { "order" }.into(),
            referred_type: DocumentKind::of(order).name().into(),
        })
        .collect()
}

/// What the plan cannot keep.
pub fn missed(chain: &Chain, drafts: &[Draft<'_>], schedule: &Scheduled) -> Vec<Diagnostic> {
    let Scheduled { times, figures, .. } = schedule;
    let mut warnings = Vec::new();
    let root = chain.orders().next().map(Document::root);
    let requested = root.and_then(|it| it.get("requestedCompletionDate"));
    if let (Some(late), Some(node)) = (&figures.jeopardy, requested) {
        let message = format!(
            "the order is done {} later than requested, at {}",
            schedule::duration_for_people(late),
            figures.expected_completion.as_deref().unwrap_or_default()
        );
        let code = Code("plan/jeopardy");
        warnings.push(Diagnostic::new(
            code,
            Severity::Warning,
            node.location(),
            message,
        ));
    }
    for draft in drafts.iter().filter(|it| it.window.guessed) {
        let bound = |it: Option<Timestamp>| it.map_or("open".to_owned(), |it| it.to_string());
        let message = format!(
            "the window of task `{}` is not written as in RFC 3339; read as {} to {}",
            draft.id,
            bound(draft.window.start),
            bound(draft.window.end)
        );
        let code = Code("plan/window-format");
        warnings.push(
            Diagnostic::new(code, Severity::Warning, draft.node.location(), message)
                .with_hint("write it with time and offset: 2026-11-25T09:00:00+11:00"),
        );
    }
    for &task in &times.missed {
        let Draft {
            id, window, node, ..
        } = &drafts[task];
        let end = window.end.map_or_else(String::new, |end| end.to_string());
        let message = format!("task `{id}` is not ready when its window ends, at {end}");
        let code = Code("plan/window-missed");
        warnings.push(
            Diagnostic::new(code, Severity::Warning, node.location(), message)
                .with_hint("agree on a later window"),
        );
    }
    warnings
}
