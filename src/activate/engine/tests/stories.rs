//! The orders of the examples, and systems in memory that carry them out and may die with
//! the process at any moment.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::things::{body, judged, merge};
use super::*;
use crate::activate::VirtualClock;
use crate::catalog::{self, Catalog};
use crate::chain;
use crate::document::{Document, SharedText};
use crate::inventory::{self, Inventory};
use crate::plan::flow::{Method, Request};
use crate::progress::{self, TaskStanding};
use crate::rehearsal;

/// The examples, and their orders in the sequence in which they are given.
pub(super) const EXAMPLES: [(&str, &str, &[&str]); 7] = [
    (
        "broadband-b2c",
        "broadband",
        &["", "-hfc", "-static-ip", "-modify", "-cease"],
    ),
    (
        "fixed-b2b",
        "fixed-b2b",
        &[
            "",
            "-modify-site",
            "-modify-tier",
            "-modify-speed",
            "-tiers",
            "-cease",
        ],
    ),
    (
        "mobile-4g",
        "mobile-4g",
        &[
            "",
            "-new-number",
            "-modify-data",
            "-modify-voicemail",
            "-cease",
        ],
    ),
    (
        "sdwan-b2b",
        "sdwan-b2b",
        &[
            "",
            "-modify-site",
            "-modify-speed",
            "-modify-closed",
            "-cease",
        ],
    ),
    ("mobile-5g", "mobile-5g", &["", "-modify-250", "-cease"]),
    (
        "satellite-maritime",
        "satellite-maritime",
        &["", "-modify-50", "-cease"],
    ),
    ("cloud-msp", "cloud-msp", &["", "-modify-grow", "-cease"]),
];

/// Of the fleet of the 5G example: so many vehicles of the pilot, of the bulk, and of those that
/// come later. All vehicles are alike, and an order of all of them has thousands of points.
const FLEET: [(usize, usize); 3] = [(0, 3), (50, 4), (500, 2)];

/// An example whose orders are given one after the other.
pub(super) struct Story {
    folder: PathBuf,
    catalog: Catalog,
    inventory: Inventory,
    files: Vec<String>,
}

/// An order of a story, planned against what is installed then.
pub(super) struct Planned {
    pub chain: Chain,
    /// Its orders, without the plan.
    pub orders: Vec<Document>,
}

impl Story {
    pub(super) fn of(example: &str) -> Self {
        let (name, part, orders) = EXAMPLES.into_iter().find(|it| it.0 == example).unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let files = catalog::read_folder(&examples.join("catalog").join(part)).unwrap();
        let loaded = catalog::load(&files).unwrap();
        Self {
            folder: examples.join(name),
            catalog: loaded.catalog.unwrap(),
            inventory: Inventory::default(),
            files: orders.iter().map(|it| format!("order{it}.json")).collect(),
        }
    }

    /// The next order that there is something to do for.
    pub(super) fn next(&mut self) -> Option<(String, Planned)> {
        if self.files.is_empty() {
            return None;
        }
        let file = self.files.remove(0);
        let text = std::fs::read_to_string(self.folder.join(&file)).unwrap();
        let mut order: Value = serde_json::from_str(&text).unwrap();
        shorten(&mut order);
        let root = Document::parse(order.to_string(), file.as_str()).unwrap();
        let rehearsal = rehearsal::Rehearsal {
            catalog: &self.catalog,
            inventory: Some(&self.inventory),
            now: None,
            explain: false,
        };
        let rehearsed = rehearsal.rehearse(&root);
        let plan = rehearsed.plan;
        let plan = plan.unwrap_or_else(|| panic!("{file}: {:?}", rehearsed.findings));
        let orders: Vec<Document> = std::iter::once(root).chain(rehearsed.derived).collect();
        let chain = chain_of(&orders, plan);
        Some((file, Planned { chain, orders }))
    }

    /// Lets what an order has done be installed.
    pub(super) fn install(&mut self, planned: &Planned, progress: &Progress) {
        let plan = planned.chain.documents.last().unwrap().to_string();
        let mut documents = planned.orders.clone();
        documents.push(Document::parse(plan, "plan").unwrap());
        let chain = chain::Chain { documents };
        let standing = |task: &str| progress.task(task).map(TaskStanding::from);
        let chain = progress::apply(&chain, &standing);
        let changes = inventory::after(&self.inventory, &chain);
        self.inventory.apply(changes);
    }
}

/// Orders and the plan that is to be carried out for them.
pub(super) fn chain_of(orders: &[Document], plan: OrchestrationPlan) -> Chain {
    let texts = orders.iter().map(|it| it.text().to_owned());
    let text = serde_json::to_string(&plan).unwrap();
    Chain {
        plan: Arc::new(plan),
        external_id: None,
        documents: Arc::new(texts.chain([text]).map(SharedText::from).collect()),
        alone: None,
    }
}

fn shorten(order: &mut Value) {
    let items = order["productOrderItem"].as_array_mut().unwrap();
    let characteristics = items
        .iter_mut()
        .filter_map(|item| item["product"]["productCharacteristic"].as_array_mut());
    for characteristic in characteristics.flatten() {
        if characteristic["name"] == "vehicles" {
            let all = characteristic["value"].as_array().unwrap();
            let kept = FLEET
                .iter()
                .flat_map(|(from, count)| all.iter().skip(*from).take(*count));
            characteristic["value"] = kept.cloned().collect();
        }
    }
}

/// How systems take repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// They know them by their keys, and cannot be asked.
    Keys,
    /// They do them again, or refuse them; they can be asked what there is.
    Readable,
}

impl Kind {
    pub(super) fn terms(self) -> Terms {
        Terms {
            concurrency: 4,
            retries: Some(3),
            idempotent: self == Self::Keys,
            read_back: match self {
                Self::Keys => ReadBack::None,
                Self::Readable => ReadBack::Resource,
            },
            ..Terms::default()
        }
    }
}

/// What there is, by endpoint and id.
pub(super) type There = BTreeMap<(String, String), Arc<Value>>;

/// What is left of all systems when `activate` dies: what there is, what they have
/// answered, and the requests that are on their way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Systems {
    kind: Kind,
    pub there: There,
    /// How often the requests of a key had an effect.
    pub effects: BTreeMap<String, u32>,
    tries: BTreeMap<String, u32>,
    under_way: BTreeMap<u64, Arc<Sent>>,
    number: u64,
    /// The task whose requests are refused.
    pub refused: Option<String>,
}

/// A request on its way.
#[derive(Debug, Clone)]
struct Sent {
    /// Which of all requests.
    number: u64,
    endpoint: String,
    key: String,
    request: Request,
}

impl PartialEq for Sent {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    /// Its answer is lost.
    Lost,
    /// It is lost itself, and nobody knows.
    Missing,
    /// It is refused for a while.
    Busy,
    /// It takes effect, and the system says that it failed.
    Stumbled,
    /// Its end is told by a monitor.
    Accepted,
}

impl Systems {
    pub(super) fn new(kind: Kind, there: There) -> Self {
        Self {
            kind,
            there,
            effects: BTreeMap::new(),
            tries: BTreeMap::new(),
            under_way: BTreeMap::new(),
            number: 0,
            refused: None,
        }
    }

    /// Everything that was on its way arrives, although nobody waits for it any more.
    pub(super) fn arrive(&mut self) {
        for sent in std::mem::take(&mut self.under_way).into_values() {
            self.apply(&sent);
        }
    }

    /// Nothing that was on its way arrives.
    pub(super) fn forget(&mut self) {
        self.under_way.clear();
    }

    /// What the request of a task does.
    pub(super) fn carry_out(&mut self, task: &crate::plan::flow::TaskFlow) {
        let call = task.call().unwrap();
        self.number += 1;
        self.apply(&Sent {
            number: self.number,
            endpoint: call.endpoint.to_owned(),
            key: call.idempotency_key.to_owned(),
            request: call.request.clone(),
        });
    }

    /// The first request of a key may meet trouble, always the same; a repetition does not.
    fn trouble(&self, key: &str) -> Trouble {
        if self.tries[key] > 1 {
            return Trouble::None;
        }
        let sum = key.bytes().fold(7_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        match sum % 11 {
            0 => Trouble::Lost,
            1 => Trouble::Missing,
            2 => Trouble::Busy,
            3 => Trouble::Stumbled,
            4 => Trouble::Accepted,
            _ => Trouble::None,
        }
    }

    fn apply(&mut self, sent: &Sent) -> Outcome {
        let done = Outcome::Completed {
            status: 200,
            resource: None,
        };
        if self.kind == Kind::Keys && self.effects.contains_key(&sent.key) {
            return done;
        }
        let endpoint = &sent.endpoint;
        let last = sent.request.path.rsplit('/').next().unwrap();
        let at = |id: &str| (endpoint.clone(), id.to_owned());
        let body = body(&sent.request);
        match sent.request.method {
            Method::Post => match body["id"].as_str() {
                Some(id) if self.there.contains_key(&at(id)) => return refused(409),
                Some(id) => drop(self.there.insert(at(id), Arc::new(body.clone()))),
                // Only asked.
                None => {}
            },
            Method::Patch => match self.there.get_mut(&at(last)) {
                Some(known) => merge(Arc::make_mut(known), &body),
                None => return refused(404),
            },
            Method::Delete => {
                if self.there.remove(&at(last)).is_none() {
                    return refused(404);
                }
            }
        }
        *self.effects.entry(sent.key.clone()).or_default() += 1;
        done
    }

    fn find(&self, endpoint: &str, call: &Call<'_>, path: &str) -> Finding {
        let id = path.rsplit('/').next().unwrap();
        let found = self.there.get(&(endpoint.to_owned(), id.to_owned()));
        judged(call, found.map(|it| &**it))
    }
}

fn refused(status: u16) -> Outcome {
    Outcome::Rejected {
        status,
        reason: format!("{status}"),
    }
}

/// One of the systems, as an endpoint.
#[derive(Debug)]
struct System {
    name: String,
    systems: Arc<Mutex<Systems>>,
}

impl Callable for System {
    async fn send(&self, call: &Call<'_>) -> Outcome {
        let (number, trouble) = {
            let mut systems = self.systems.lock().unwrap();
            if systems.refused.as_deref() == Some(call.task) {
                return refused(422);
            }
            let key = call.idempotency_key.to_owned();
            *systems.tries.entry(key.clone()).or_default() += 1;
            let trouble = systems.trouble(&key);
            systems.number += 1;
            let number = systems.number;
            if !matches!(trouble, Trouble::Missing | Trouble::Busy) {
                let (endpoint, request) = (self.name.clone(), call.request.clone());
                let sent = Sent {
                    number,
                    endpoint,
                    key,
                    request,
                };
                systems.under_way.insert(number, Arc::new(sent));
            }
            (number, trouble)
        };
        tokio::task::yield_now().await;
        let outcome = {
            let mut systems = self.systems.lock().unwrap();
            let sent = systems.under_way.remove(&number);
            sent.map(|sent| systems.apply(&sent))
        };
        tokio::task::yield_now().await;
        let unknown = |class| Outcome::Unknown {
            class,
            reason: "no answer".into(),
            accepted: false,
        };
        let failed = |status, class| Outcome::Failed {
            status: Some(status),
            class,
            reason: status.to_string(),
            retry_after: None,
        };
        match (trouble, outcome) {
            (Trouble::Missing, _) => unknown(FailureClass::Timeout),
            (Trouble::Lost, _) => unknown(FailureClass::Reset),
            (Trouble::Stumbled, _) => failed(500, FailureClass::ServerError),
            (Trouble::Accepted, Some(Outcome::Completed { .. })) => Outcome::Accepted {
                monitor: format!("monitor/{}", call.idempotency_key),
            },
            (_, Some(outcome)) => outcome,
            (_, None) => failed(503, FailureClass::Busy),
        }
    }

    async fn follow(&self, _: &Call<'_>, _: &str) -> Outcome {
        tokio::task::yield_now().await;
        Outcome::Completed {
            status: 200,
            resource: None,
        }
    }

    async fn ask(&self, call: &Call<'_>, inquiry: &Inquiry<'_>) -> Finding {
        tokio::task::yield_now().await;
        let systems = self.systems.lock().unwrap();
        if let Some(monitor) = inquiry.monitor {
            assert_eq!(monitor, format!("monitor/{}", call.idempotency_key));
            return Finding::Done {
                status: 200,
                resource: None,
            };
        }
        assert_eq!(
            systems.kind,
            Kind::Readable,
            "{} cannot be asked",
            self.name
        );
        systems.find(&self.name, call, inquiry.path.as_deref().unwrap())
    }
}

/// A moment at which the process may die.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// Entries that are durable.
    pub entries: usize,
    /// As the systems are then.
    pub systems: Systems,
}

/// Whether it is kept how things stood on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    /// Before and after every write to the journal.
    Every,
    Nothing,
}

/// Notes how things stand, unless nothing has happened since it was noted last.
fn note(points: &Mutex<Vec<Point>>, memory: &Memory, systems: &Mutex<Systems>) {
    let point = Point {
        entries: memory.entries.lock().unwrap().len(),
        systems: systems.lock().unwrap().clone(),
    };
    let mut points = points.lock().unwrap();
    if points.last() != Some(&point) {
        points.push(point);
    }
}

/// How an order was carried out.
pub(super) struct Told {
    pub state: RunState,
    pub progress: Progress,
    pub plan: Arc<OrchestrationPlan>,
    pub entries: Vec<Entry>,
    pub points: Vec<Point>,
    pub systems: Systems,
}

/// Carries a chain out to its end from these entries on, with people who do what there is to do for
/// them. Nothing is held at the end.
pub(super) async fn to_the_end(
    chain: &Chain,
    entries: &[Entry],
    (systems, watch): (&Systems, Watch),
) -> Told {
    let shared = Arc::new(Mutex::new(systems.clone()));
    let mut terms = systems.kind.terms();
    if systems.refused.is_some() {
        terms.on_failure = Some(crate::plan::flow::OnFailure::Compensate);
    }
    let engine = engine_of(chain, &shared, &terms);
    let memory = Memory::default();
    *memory.entries.lock().unwrap() = entries.to_vec();
    if entries.is_empty() {
        let order_id = root_order(&chain.plan).unwrap();
        let new = engine.new_order(chain, order_id);
        let event = Event::Planned(new.planned);
        memory.keep(&[Entry { at: new.at, event }]).unwrap();
    }
    let points: Arc<Mutex<Vec<Point>>> = Arc::default();
    let (noted, systems) = (Arc::clone(&points), Arc::clone(&shared));
    let witness = Witness {
        memory,
        look: match watch {
            Watch::Every => Arc::new(move |memory| note(&noted, memory, &systems)),
            Watch::Nothing => Arc::new(|_| ()),
        },
    };
    let mut round = Round::First;
    for _ in 0..99 {
        let known = witness.memory.kept();
        let went_on = engine
            .carry_on(chain, (witness.clone(), known, None), round)
            .await;
        let (report, next) = went_on.unwrap();
        if let Some(next) = next {
            round = next;
            continue;
        }
        round = Round::First;
        match report.state {
            RunState::Waiting => by_people(&witness.memory, &report),
            RunState::Completed | RunState::Failed | RunState::Cancelled => {
                let points = std::mem::take(&mut *points.lock().unwrap());
                let systems = shared.lock().unwrap().clone();
                return Told {
                    state: report.state,
                    progress: report.progress,
                    plan: report.plan,
                    entries: witness.memory.kept(),
                    points,
                    systems,
                };
            }
            RunState::Held if let_pass(&witness.memory, &report) => {}
            RunState::Held | RunState::Interrupted => {
                let held: Vec<_> = report
                    .progress
                    .held()
                    .map(|it| (&it.id, &it.reason))
                    .collect();
                panic!("{:?}: {held:?}", report.state);
            }
        }
    }
    panic!("no end: {:?}", witness.memory.lines());
}

fn engine_of(
    chain: &Chain,
    systems: &Arc<Mutex<Systems>>,
    terms: &Terms,
) -> Engine<VirtualClock, System> {
    let mut pool = Pool::default();
    let tasks = chain.plan.task_flow.iter();
    let endpoints = tasks.filter_map(|task| task.endpoint.as_deref());
    for name in endpoints.collect::<BTreeSet<_>>() {
        let system = System {
            name: name.to_owned(),
            systems: Arc::clone(systems),
        };
        pool.add(name, system, terms.clone());
    }
    let (stopper, stop) = Stopper::new();
    // Nobody stops it.
    std::mem::forget(stopper);
    rehearsing(pool, stop)
}

/// People let the waves of a rollout pass of which something is not done any more. Whether
/// nothing else is held.
fn let_pass(memory: &Memory, report: &Report) -> bool {
    for held in report.progress.held() {
        let mut tasks = report.plan.task_flow.iter();
        if !tasks.any(|task| task.id == held.id && task.ends_wave()) {
            return false;
        }
        memory.write(Event::Released(by_hand(&held.id)));
    }
    true
}

fn by_hand(task: &str) -> crate::journal::entry::ByHand {
    crate::journal::entry::ByHand {
        task: task.into(),
        by: "jane".into(),
        reason: None,
    }
}

/// People do what the order waits for.
fn by_people(memory: &Memory, report: &Report) {
    assert!(!report.waits.is_empty());
    for wait in &report.waits {
        let by_hand = by_hand(&wait.task);
        memory.write(match wait.what {
            WaitFor::Person => Event::CompletedByHand(by_hand),
            WaitFor::Release => Event::Released(by_hand),
            other => panic!("{} waits for {other:?}", wait.task),
        });
    }
}
