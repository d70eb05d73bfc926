//! The example stories in memory: their orders and catalogs as they are, a
//! virtual clock, people who do at once what they are waited for, and endpoints
//! that keep what they are told and know no repetitions.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::life_cycle::LifeCycles;
use super::things::{body, judged, merge};
use super::*;
use crate::activate;
use crate::activate::adopt::{Adopted, adopt, compensation};
use crate::activate::intake::Intake;
use crate::catalog::{self, Catalog};
use crate::chain;
use crate::document::Document;
use crate::event::Teller;
use crate::inventory::{self, Inventory};
use crate::journal::entry::ByHand;
use crate::model::Order;
use crate::plan::flow::{Method, Request};
use crate::progress::{self, TaskStanding};
use crate::rehearsal::Rehearsal;
use crate::retry::OnFailure;
use crate::revision::{self, Bundles, Pinned, Refusal, Standing};

/// What there is at all endpoints, by endpoint and id.
pub(super) type Things = BTreeMap<String, Value>;

/// All endpoints.
#[derive(Debug, Default)]
pub(super) struct World {
    pub things: Mutex<Things>,
    /// Ids of tasks whose requests are refused.
    pub refused: BTreeSet<String>,
}

impl World {
    pub fn of(things: &Things) -> Arc<Self> {
        Arc::new(Self {
            things: Mutex::new(things.clone()),
            ..Self::default()
        })
    }

    pub fn things(&self) -> Things {
        self.things.lock().unwrap().clone()
    }
}

/// One of them.
#[derive(Debug)]
struct System {
    name: String,
    world: Arc<World>,
}

/// What a request is about: an endpoint and an id.
fn key(endpoint: &str, request: &Request) -> String {
    let id = match request.method {
        Method::Post => body(request)["id"].as_str().unwrap().to_owned(),
        Method::Patch | Method::Delete => request.path.rsplit('/').next().unwrap().to_owned(),
    };
    format!("{endpoint} {id}")
}

/// Does what is asked for, where that can be done; a status otherwise.
fn effect(things: &mut Things, endpoint: &str, request: &Request) -> Result<(), u16> {
    let key = key(endpoint, request);
    match request.method {
        Method::Post if things.contains_key(&key) => return Err(409),
        Method::Post => drop(things.insert(key, body(request))),
        Method::Patch => merge(things.get_mut(&key).ok_or(404_u16)?, &body(request)),
        Method::Delete => drop(things.remove(&key).ok_or(404_u16)?),
    }
    Ok(())
}

impl Callable for System {
    async fn send(&self, call: &Call<'_>) -> Outcome {
        tokio::task::yield_now().await;
        let refused = |status: u16| Outcome::Rejected {
            status,
            reason: format!("{status}"),
        };
        if self.world.refused.contains(call.task) {
            return refused(422);
        }
        if !call.is_question() {
            let mut things = self.world.things.lock().unwrap();
            if let Err(status) = effect(&mut things, &self.name, call.request) {
                return refused(status);
            }
        }
        Outcome::Completed {
            status: 200,
            resource: None,
        }
    }

    async fn ask(&self, call: &Call<'_>, _: &Inquiry<'_>) -> Finding {
        let there = self.world.things.lock().unwrap();
        let found = there.get(&key(&self.name, call.request));
        judged(call, found)
    }
}

/// A story: an example with its catalog.
pub(super) struct Story {
    pub name: &'static str,
    folder: PathBuf,
    catalog: Catalog,
}

/// An order and all that was made of it.
#[derive(Debug, Clone)]
pub(super) struct Decided {
    /// Its plan, and the texts of its documents.
    chain: activate::Chain,
    /// Those of them that are orders.
    orders: Arc<Vec<Document>>,
}

/// An order that is carried out.
#[derive(Debug, Clone)]
pub(super) struct Underway {
    pub decided: Decided,
    pub log: Memory,
}

/// A moment of an order's way: what was durable, and what had been done.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub entries: Vec<Entry>,
    pub things: Things,
}

impl Story {
    pub fn open(name: &'static str) -> Self {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let folder = examples.join(name);
        let of_it = match name {
            "broadband-b2c" => "broadband",
            other => other,
        };
        let files = catalog::read_folder(&examples.join("catalog").join(of_it)).unwrap();
        let catalog = catalog::load(&files).unwrap().catalog.unwrap();
        Self {
            name,
            folder,
            catalog,
        }
    }

    pub fn order(&self, file: &str) -> Value {
        let text = std::fs::read_to_string(self.folder.join(file)).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// What an order comes to, with what is installed.
    pub fn decide(&self, order: &Value, installed: &Inventory) -> Decided {
        let root = Document::parse(order.to_string(), self.name).unwrap();
        let rehearsal = Rehearsal {
            catalog: &self.catalog,
            inventory: Some(installed),
            now: None,
            explain: false,
        };
        let rehearsed = rehearsal.rehearse(&root);
        let plan = rehearsed.plan;
        let plan = plan.unwrap_or_else(|| panic!("{}: {:?}", self.name, rehearsed.findings));
        Decided::of(
            std::iter::once(root).chain(rehearsed.derived).collect(),
            &plan,
        )
    }
}

impl Decided {
    fn of(orders: Vec<Document>, plan: &OrchestrationPlan) -> Self {
        let text = serde_json::to_string(plan).unwrap();
        let plan = Document::parse(text, "plan").unwrap();
        let documents = orders.iter().cloned().chain([plan]).collect();
        match Intake::of(&chain::Chain { documents }, false) {
            Intake::Accepted(chain) => Self {
                chain,
                orders: Arc::new(orders),
            },
            other => panic!("{other:?}"),
        }
    }

    /// The same orders with another plan.
    fn revised(&self, plan: OrchestrationPlan) -> Self {
        let mut revised = self.clone();
        let text = serde_json::to_string(&plan).unwrap();
        *Arc::make_mut(&mut revised.chain.documents)
            .last_mut()
            .unwrap() = text.into();
        revised.chain.plan = Arc::new(plan);
        revised
    }

    pub fn plan(&self) -> &Arc<OrchestrationPlan> {
        &self.chain.plan
    }

    fn documents(&self) -> chain::Chain {
        let plan = self.chain.documents.last().unwrap().to_string();
        let plan = Document::parse(plan, "plan").unwrap();
        chain::Chain {
            documents: self.orders.iter().cloned().chain([plan]).collect(),
        }
    }

    /// As a journal has taken it on.
    pub fn begun(self) -> Underway {
        let mut log = Memory::planned(self.plan());
        log.entries = Arc::default();
        let planned = Planned {
            order_id: self.chain.order_id().unwrap().to_owned(),
            external_id: None,
            plan_digest: self.plan().digest.plan.clone(),
            tasks: u32::try_from(self.plan().task_flow.len()).unwrap(),
            clock: ClockKind::Virtual,
        };
        let event = Event::Planned(planned);
        let at = start(self.plan());
        log.entries.lock().unwrap().push(Entry { at, event });
        Underway { decided: self, log }
    }
}

impl Underway {
    /// The order where it stood.
    pub fn at(decided: &Decided, point: &Point) -> Self {
        let log = Memory {
            entries: Arc::new(Mutex::new(point.entries.clone())),
            ..Memory::default()
        };
        Self {
            decided: decided.clone(),
            log,
        }
    }

    fn standing<T>(&self, look: impl FnOnce(Standing<'_>) -> T) -> T {
        let plan = self.decided.plan();
        let progress = Progress::replay(plan, &self.log.kept()).unwrap();
        let bundles = Bundles::of(&self.decided.orders, plan);
        look(Standing {
            plan,
            progress: &progress,
            bundles: &bundles,
        })
    }

    /// Lets a new order take its place.
    pub fn amend(&mut self, new: &Decided) -> Result<(), Refusal> {
        let reason = Some("version 2".to_owned());
        let plan = self
            .standing(|standing| revision::amend(standing, new.plan(), (reason, Pinned::Refuse)))?;
        self.revise(new.revised(plan));
        Ok(())
    }

    pub fn cancel(&mut self, pinned: Pinned) -> Result<(), Refusal> {
        let reason = Some("not wanted any more".to_owned());
        let plan = self.standing(|standing| revision::cancel(standing, reason, pinned))?;
        self.revise(self.decided.revised(plan));
        Ok(())
    }

    fn revise(&mut self, by: Decided) {
        let mut entries = self.log.entries.lock().unwrap();
        let adopted = adopt(by.plan(), &by.chain.documents, &entries).unwrap();
        let Adopted::Revision(revised) = adopted else {
            panic!("{adopted:?}");
        };
        let at = entries.last().unwrap().at;
        let event = Event::Revised(revised);
        entries.push(Entry { at, event });
        drop(entries);
        self.decided = by;
    }

    /// Carries it out in a world to where it ends, or is held; people do what they are waited for.
    pub async fn carry_out(&mut self, world: &Arc<World>) -> Report {
        let log = self.log.clone();
        self.carry_out_by(world, &log).await
    }

    /// The same; also what was durable and done at every moment of its way.
    pub async fn points(&mut self, world: &Arc<World>) -> (Report, Vec<Point>) {
        let points: Arc<Mutex<Vec<Point>>> = Arc::default();
        let (noted, there) = (Arc::clone(&points), Arc::clone(world));
        let witness = Witness {
            memory: self.log.clone(),
            look: Arc::new(move |memory| note(&noted, memory, &there)),
        };
        let report = self.carry_out_by(world, &witness).await;
        let points = std::mem::take(&mut *points.lock().unwrap());
        (report, points)
    }

    async fn carry_out_by<L: Log + Clone>(&mut self, world: &Arc<World>, log: &L) -> Report {
        let mut pool = Pool::default();
        let tasks = self.decided.plan().task_flow.iter();
        let endpoints: BTreeSet<&str> = tasks.filter_map(|it| it.endpoint.as_deref()).collect();
        for name in endpoints {
            let system = System {
                name: name.to_owned(),
                world: Arc::clone(world),
            };
            let terms = Terms {
                on_failure: Some(OnFailure::Compensate),
                ..Terms::default()
            };
            pool.add(name, system, terms);
        }
        let (_stopper, stop) = Stopper::new();
        let engine = rehearsing(pool, stop);
        loop {
            let plan = Arc::clone(self.decided.plan());
            let prepared = Prepared {
                plan: Arc::clone(&plan),
                log: log.clone(),
                entries: self.log.kept(),
                progress: None,
                frontier: None,
                documents: None,
                undoing: Undoing::Possible,
            };
            let report = engine.run_prepared(prepared).await.unwrap();
            let texts = &self.decided.chain.documents;
            if let Ok(Some((plan, _))) = compensation(&plan, &report.progress, texts) {
                self.revise(self.decided.revised(plan));
                continue;
            }
            if report.state != RunState::Waiting {
                return report;
            }
            for wait in &report.waits {
                let by_hand = ByHand {
                    task: wait.task.clone(),
                    by: "jane".into(),
                    reason: None,
                };
                self.log.write(match wait.what {
                    WaitFor::Person => Event::CompletedByHand(by_hand),
                    WaitFor::Release => Event::Released(by_hand),
                    other => panic!("{}: {other:?}", wait.task),
                });
            }
        }
    }

    /// Its journal, for whoever wonders.
    pub fn told(&self) -> String {
        let mut text = String::new();
        for (entry, line) in self.log.kept().iter().zip(self.log.lines()) {
            writeln!(text, "  {} {line}", entry.at).unwrap();
        }
        text
    }

    /// What has been done of it: the requests of its tasks, those left out that were undone, on top of
    /// what was there.
    pub fn effects(&self, before: &Things) -> Things {
        let mut things = before.clone();
        let plan = self.decided.plan();
        let progress = Progress::replay(plan, &self.log.kept()).unwrap();
        let is_done = |id: &str| progress.task(id).unwrap().state == TaskState::Completed;
        let undone = plan.task_flow.iter();
        let undone: BTreeSet<&str> = undone.filter_map(|it| it.compensates.as_deref()).collect();
        for task in &plan.task_flow {
            let is_left = task.compensates.is_none() && !undone.contains(&*task.id);
            if let (Some(call), true) = (task.call(), is_left && is_done(&task.id))
                && task.gate.is_none()
            {
                effect(&mut things, call.endpoint, call.request).unwrap();
            }
        }
        things
    }

    /// Its documents as they stand.
    fn moved(&self) -> chain::Chain {
        let progress = Progress::replay(self.decided.plan(), &self.log.kept()).unwrap();
        progress::apply(&self.decided.documents(), &|task| {
            progress.task(task).map(TaskStanding::from)
        })
    }

    /// The states of its items as its documents have them, by type of order and id.
    pub fn items(&self) -> BTreeMap<(String, String), String> {
        let moved = self.moved();
        let orders = moved.documents.iter().filter_map(Order::read);
        let mut items = BTreeMap::new();
        for order in orders {
            let type_name = order.node().text("@type");
            let type_name = type_name.map_or("ProductOrder".to_owned(), Cow::into_owned);
            for item in order.items() {
                let state = item.node.text("state").unwrap().into_owned();
                items.insert((type_name.clone(), item.id.to_string()), state);
            }
        }
        items
    }

    /// The states of its orders as its documents have them, by type.
    pub fn orders(&self) -> BTreeMap<String, String> {
        let moved = self.moved();
        let orders = moved.documents.iter().filter_map(Order::read);
        let state = |order: Order<'_>| {
            let state = order.node().text("state").unwrap().into_owned();
            (order.type_name().to_owned(), state)
        };
        orders.map(state).collect()
    }

    /// What is installed once it has ended.
    pub fn installed(&self, mut installed: Inventory) -> Inventory {
        installed.apply(inventory::after(&installed, &self.moved()));
        installed
    }
}

/// Notes what is durable and done, unless nothing has happened since it was noted last.
fn note(points: &Mutex<Vec<Point>>, memory: &Memory, world: &World) {
    let (entries, things) = (memory.kept(), world.things());
    let mut points = points.lock().unwrap();
    let is_new = points
        .last()
        .is_none_or(|it| it.entries.len() != entries.len() || it.things != things);
    if is_new {
        points.push(Point { entries, things });
    }
}

/// What is told of an order, and whether the life cycles allow it.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    teller: Teller,
    cycles: LifeCycles,
    seen: usize,
}

impl Watch {
    pub fn of(decided: &Decided) -> Self {
        Self {
            teller: Teller::new(decided.documents()).unwrap(),
            cycles: LifeCycles::default(),
            seen: 0,
        }
    }

    /// Goes on to the end of a journal.
    pub fn look(&mut self, entries: &[Entry]) -> &LifeCycles {
        while let Some(entry) = entries.get(self.seen) {
            self.seen += 1;
            let events = match &entry.event {
                Event::Revised(revised) => {
                    let documents = revised.documents.iter();
                    let documents = documents
                        .map(|text| Document::parse(text.clone(), "journal").unwrap())
                        .collect();
                    self.teller
                        .revise(chain::Chain { documents }, &entries[..self.seen])
                }
                _ => self.teller.tell(entry),
            };
            for event in events.unwrap() {
                let told = serde_json::from_str(&event.envelope()).unwrap();
                if let Err(fault) = self.cycles.take(&told) {
                    let (kind, task) = (entry.event.kind(), entry.event.task());
                    panic!("{kind} {task:?}: {fault}\n{:?}", self.cycles.ways());
                }
            }
        }
        &self.cycles
    }
}
