//! The engine against endpoints that count effects, with journals that die.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use things::finding;

use super::*;
use crate::activate::{Busy, Stopper, SystemClock, VirtualClock};
use crate::endpoint::{Call, Finding, Inquiry, Outcome, ReadBack, Terms};
use crate::journal::ClockKind;
use crate::journal::entry::{Answer, Asked};
use crate::journal::{Foreign, JournalReader};
use crate::model::state::TaskState;
use crate::retry::FailureClass;

/// The seven resource order items of a broadband order and what they wait for.
const BROADBAND: [(&str, &[&str]); 7] = [
    ("gpon", &[]),
    ("cpe", &[]),
    ("vlan", &["gpon"]),
    ("ip", &["vlan"]),
    ("qos", &["vlan"]),
    ("tr069", &["cpe", "ip"]),
    ("wifi", &["tr069"]),
];

fn plan(tasks: &[(&str, &[&str])]) -> Arc<OrchestrationPlan> {
    let task_flow: Vec<_> = tasks
        .iter()
        .map(|(id, dependencies)| {
            let relationship: Vec<_> = dependencies
                .iter()
                .map(|id| json!({"relationshipType": "finishToStart", "taskFlow": {"id": id}}))
                .collect();
            json!({
                "id": id, "@type": "TaskFlow", "name": id, "kind": "activation", "state": "new",
                "relatedEntity": [], "taskFlowRelationship": relationship, "endpoint": "olt",
                "request": {"method": "POST", "path": "resource", "body": {"name": id}},
                "idempotencyKey": format!("key-{id}"), "duration": "PT0S",
                "earliestStart": "PT0S", "latestStart": "PT0S", "slack": "PT0S",
                "critical": false, "wave": 1
            })
        })
        .collect();
    let plan = json!({
        "@type": "OrchestrationPlan", "@baseType": "ProcessFlow", "formatVersion": "1.0",
        "id": "1.P", "processFlowSpecification": "OrchestrationPlan/1", "state": "active",
        "relatedEntity": [{"id": "1", "role": "rootOrder", "@referredType": "ProductOrder"}],
        "digest": {"order": [], "plan": "sha256:aa"},
        "schedule": {
            "expectedDuration": "PT0S", "totalDuration": "PT0S", "waves": 1, "criticalPath": []
        },
        "taskFlow": task_flow
    });
    Arc::new(serde_json::from_str(&plan.to_string()).unwrap())
}

/// How an endpoint takes repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Manner {
    /// It knows them by their keys, and cannot be asked.
    #[default]
    Keys,
    /// Each has an effect; it can be asked for what there is.
    Readable,
    /// Each has an effect, and it cannot be asked.
    Neither,
}

impl Manner {
    /// As the endpoints file has it.
    fn terms(self, concurrency: usize, retries: u32) -> Terms {
        Terms {
            concurrency,
            retries: Some(retries),
            idempotent: self == Self::Keys,
            read_back: match self {
                Self::Readable => ReadBack::Path("resource?key={key}".into()),
                Self::Keys | Self::Neither => ReadBack::None,
            },
            ..Terms::default()
        }
    }
}

/// Counts effects by task; answers as the script says, then that it is done.
#[derive(Debug, Default)]
struct Fake {
    manner: Manner,
    /// What was asked for, by task.
    asked: Mutex<Vec<String>>,
    /// What the endpoint says when it is asked, before it tells the truth.
    findings: Mutex<Vec<Finding>>,
    effects: Mutex<BTreeMap<String, u32>>,
    keys: Mutex<BTreeSet<String>>,
    calls: Mutex<Vec<(String, String)>>,
    script: Mutex<HashMap<String, Vec<Outcome>>>,
    under_way: AtomicUsize,
    most: AtomicUsize,
    /// Calls do not end before they are given a permit here.
    gate: Option<Semaphore>,
}

impl Callable for Arc<Fake> {
    async fn ask(&self, call: &Call<'_>, inquiry: &Inquiry<'_>) -> Finding {
        assert!(inquiry.path.is_some());
        tokio::task::yield_now().await;
        self.asked.lock().unwrap().push(call.task.to_owned());
        if let Some(scripted) = self.findings.lock().unwrap().pop() {
            return scripted;
        }
        finding(self.effects.lock().unwrap().contains_key(call.task))
    }

    async fn send(&self, call: &Call<'_>) -> Outcome {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let key = call.idempotency_key.to_owned();
        self.calls
            .lock()
            .unwrap()
            .push((call.task.to_owned(), key.clone()));
        match &self.gate {
            Some(gate) => gate.acquire().await.unwrap().forget(),
            None => tokio::task::yield_now().await,
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        let scripted = self
            .script
            .lock()
            .unwrap()
            .get_mut(call.task)
            .and_then(Vec::pop);
        let outcome = scripted.unwrap_or(Outcome::Completed {
            status: 201,
            resource: None,
        });
        let has_effect = matches!(outcome, Outcome::Completed { .. } | Outcome::Unknown { .. });
        let is_new = |key| self.keys.lock().unwrap().insert(key) || self.manner != Manner::Keys;
        if has_effect && is_new(key) {
            *self
                .effects
                .lock()
                .unwrap()
                .entry(call.task.to_owned())
                .or_default() += 1;
        }
        outcome
    }
}

impl Fake {
    fn answering(task: &str, outcomes: &[Outcome]) -> Arc<Self> {
        let fake = Self::default();
        let script = outcomes.iter().rev().cloned().collect();
        fake.script.lock().unwrap().insert(task.into(), script);
        Arc::new(fake)
    }

    fn sent(&self) -> Vec<String> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .map(|(task, _)| task.clone())
            .collect()
    }
}

/// A journal in memory that dies at a given entry, before or after it is kept.
#[derive(Debug, Clone, Default)]
struct Memory {
    entries: Arc<Mutex<Vec<Entry>>>,
    /// Those of them that people wrote.
    foreign: Arc<Mutex<Vec<Foreign>>>,
    told: Arc<Notify>,
    dies_at: Option<(usize, bool)>,
}

fn dead() -> JournalError {
    JournalError::Closed {
        path: "memory".into(),
    }
}

impl Log for Memory {
    fn append(&self, entries: &[Entry]) -> impl Future<Output = Result<(), JournalError>> + Send {
        ready(self.keep(entries))
    }

    async fn intend(&self, entries: &[Entry], seen: u64) -> Result<bool, JournalError> {
        let task = entries[0].event.task();
        let mut foreign = self.foreign.lock().unwrap().clone();
        foreign.retain(|it| it.number > seen && it.entry.event.task() == task);
        if !foreign.is_empty() {
            return Ok(false);
        }
        self.keep(entries)?;
        Ok(true)
    }

    async fn look(&self, seen: u64) -> Result<Vec<Foreign>, JournalError> {
        let mut foreign = self.foreign.lock().unwrap().clone();
        foreign.retain(|it| it.number > seen);
        Ok(foreign)
    }

    async fn changed(&self, seen: u64) -> Result<Vec<Foreign>, JournalError> {
        loop {
            let told = self.told.notified();
            let foreign = self.look(seen).await?;
            if !foreign.is_empty() {
                return Ok(foreign);
            }
            told.await;
        }
    }
}

/// An engine on a clock that jumps.
fn rehearsing<E: Callable>(pool: Pool<E>, stop: Stop) -> Engine<VirtualClock, E> {
    Engine {
        pool: Arc::new(pool),
        clock: Arc::new(VirtualClock::default()),
        stop,
        grace: Duration::from_secs(10),
        waits: Waits::Leave,
        observer: Arc::new(()),
    }
}

/// A journal of a rehearsal.
fn rehearsed(plan: &OrchestrationPlan) -> Memory {
    let log = Memory::planned(plan);
    if let Event::Planned(planned) = &mut log.entries.lock().unwrap()[0].event {
        planned.clock = ClockKind::Virtual;
    }
    log
}

/// A journal in memory, and who looks how things stand before and after each of its writes.
#[derive(Clone)]
struct Witness {
    memory: Memory,
    look: Arc<dyn Fn(&Memory) + Send + Sync>,
}

impl Log for Witness {
    fn append(&self, entries: &[Entry]) -> impl Future<Output = Result<(), JournalError>> + Send {
        (self.look)(&self.memory);
        let kept = self.memory.keep(entries);
        (self.look)(&self.memory);
        ready(kept)
    }

    async fn intend(&self, entries: &[Entry], seen: u64) -> Result<bool, JournalError> {
        (self.look)(&self.memory);
        let is_written = self.memory.intend(entries, seen).await?;
        (self.look)(&self.memory);
        Ok(is_written)
    }

    async fn look(&self, seen: u64) -> Result<Vec<Foreign>, JournalError> {
        self.memory.look(seen).await
    }

    async fn changed(&self, seen: u64) -> Result<Vec<Foreign>, JournalError> {
        self.memory.changed(seen).await
    }
}

impl Memory {
    fn keep(&self, entries: &[Entry]) -> Result<(), JournalError> {
        let mut kept = self.entries.lock().unwrap();
        match self.dies_at {
            Some((place, _)) if kept.len() > place => return Err(dead()),
            Some((place, after)) if kept.len() + entries.len() > place => {
                if after {
                    kept.extend_from_slice(entries);
                }
                return Err(dead());
            }
            _ => kept.extend_from_slice(entries),
        }
        Ok(())
    }
}

impl Memory {
    fn planned(plan: &OrchestrationPlan) -> Self {
        let planned = Planned {
            order_id: "1".into(),
            external_id: None,
            plan_digest: plan.digest.plan.clone(),
            tasks: u32::try_from(plan.task_flow.len()).unwrap(),
            clock: ClockKind::System,
        };
        let entry = Entry {
            at: Timestamp::UNIX_EPOCH,
            event: Event::Planned(planned),
        };
        Self {
            entries: Arc::new(Mutex::new(vec![entry])),
            ..Self::default()
        }
    }

    /// A person writes, at the time of the last entry.
    fn write(&self, event: Event) {
        let mut entries = self.entries.lock().unwrap();
        let at = entries.last().unwrap().at;
        let entry = Entry { at, event };
        entries.push(entry.clone());
        let number = u64::try_from(entries.len()).unwrap();
        self.foreign.lock().unwrap().push(Foreign { number, entry });
        self.told.notify_waiters();
    }

    fn kept(&self) -> Vec<Entry> {
        self.entries.lock().unwrap().clone()
    }

    fn lines(&self) -> Vec<String> {
        let line = |it: &Entry| format!("{} {}", it.event.kind(), it.event.task().unwrap_or(""));
        self.kept().iter().map(line).collect()
    }
}

/// Every look at it is a second later; waiting takes no time, and is noted.
#[derive(Debug, Default)]
struct Ticking {
    seconds: AtomicUsize,
    slept: Mutex<Vec<Duration>>,
    /// Waiting never ends.
    endless: bool,
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let second = self.seconds.fetch_add(1, Ordering::SeqCst);
        Timestamp::from_second(i64::try_from(second).unwrap()).unwrap()
    }

    async fn sleep(&self, duration: Duration, busy: Busy) -> Busy {
        if !duration.is_zero() {
            self.patience(duration).await;
        }
        busy
    }

    fn kind(&self) -> ClockKind {
        ClockKind::System
    }

    fn starting_at(self: &Arc<Self>, _: Timestamp) -> Arc<Self> {
        Arc::clone(self)
    }

    fn busy(&self) -> Busy {
        SystemClock.busy()
    }

    async fn patience(&self, duration: Duration) {
        self.slept.lock().unwrap().push(duration);
        if self.endless {
            std::future::pending::<()>().await;
        }
    }
}

fn engine(fake: &Arc<Fake>, concurrency: usize) -> (Engine<Ticking, Arc<Fake>>, Stopper) {
    let (stopper, stop) = Stopper::new();
    let mut pool = Pool::default();
    pool.add("olt", Arc::clone(fake), fake.manner.terms(concurrency, 2));
    let engine = Engine {
        pool: Arc::new(pool),
        clock: Arc::new(Ticking::default()),
        stop,
        grace: Duration::from_secs(10),
        waits: Waits::Leave,
        observer: Arc::new(()),
    };
    (engine, stopper)
}

async fn run(
    fake: &Arc<Fake>,
    plan: &Arc<OrchestrationPlan>,
    log: &Memory,
) -> Result<Report, ActivateError> {
    engine(fake, 8)
        .0
        .run(Arc::clone(plan), log.clone(), &log.kept())
        .await
}

fn failed() -> Outcome {
    Outcome::Failed {
        status: Some(503),
        class: FailureClass::Busy,
        reason: "busy".into(),
        retry_after: None,
    }
}

fn unknown() -> Outcome {
    Outcome::Unknown {
        class: FailureClass::Timeout,
        reason: "no answer".into(),
        accepted: false,
    }
}

/// No task started before everything that it waits for was completed.
fn assert_in_order(plan: &OrchestrationPlan, entries: &[Entry]) {
    let mut completed = BTreeSet::new();
    for entry in entries {
        match &entry.event {
            Event::Started(started) => {
                let task = plan
                    .task_flow
                    .iter()
                    .find(|it| it.id == started.task)
                    .unwrap();
                for before in &task.relationship {
                    assert!(
                        completed.contains(&before.task_flow.id),
                        "{} too early",
                        task.id
                    );
                }
            }
            Event::Completed(_)
            | Event::CompletedByHand(_)
            | Event::Skipped(_)
            | Event::MilestoneReached(_)
            | Event::Asked(Asked {
                answer: Answer::CannotTell,
                ..
            })
            | Event::Released(_) => {
                let task = entry.event.task().unwrap();
                assert!(completed.insert(task.to_owned()));
            }
            // Of what was under way and was not done, nothing is to be undone.
            Event::Asked(Asked { task, .. }) => {
                let undoing = plan.task_flow.iter();
                let undoing = undoing.filter(|it| it.compensates.as_ref() == Some(task));
                completed.extend(undoing.map(|it| it.id.clone()));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn tasks_start_when_what_they_wait_for_is_durable_and_overlap_otherwise() {
    let (fake, plan) = (Arc::new(Fake::default()), plan(&BROADBAND));
    let log = Memory::planned(&plan);
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(
        (report.state, report.order_id.as_str()),
        (RunState::Completed, "1")
    );
    assert_eq!(
        fake.sent(),
        ["gpon", "cpe", "vlan", "ip", "qos", "tr069", "wifi"]
    );
    assert_eq!(fake.most.load(Ordering::SeqCst), 2);
    assert_eq!(
        log.lines()[..3],
        ["planned ", "started gpon", "started cpe"]
    );
    assert_in_order(&plan, &log.kept());
    let replayed = Progress::replay(&plan, &log.kept()).unwrap();
    assert_eq!(
        format!("{:?}", replayed.tasks()),
        format!("{:?}", report.progress.tasks())
    );
}

#[tokio::test]
async fn an_endpoint_gets_no_more_calls_at_once_than_it_takes() {
    let wide: Vec<_> = ["a", "b", "c", "d", "e"].map(|id| (id, &[][..])).to_vec();
    let (fake, plan) = (Arc::new(Fake::default()), plan(&wide));
    let log = Memory::planned(&plan);
    let (engine, _stopper) = engine(&fake, 2);
    engine
        .run(Arc::clone(&plan), log.clone(), &log.kept())
        .await
        .unwrap();
    assert_eq!(fake.most.load(Ordering::SeqCst), 2);
    assert_eq!(fake.sent(), ["a", "b", "c", "d", "e"]);
}

/// For every entry: killed before it is durable, and after; then again until
/// it is done.
#[tokio::test]
async fn wherever_it_is_killed_every_effect_happens_exactly_once() {
    let plan = plan(&BROADBAND);
    let script = || {
        let fake = Fake::answering("vlan", &[failed(), unknown()]);
        fake.script
            .lock()
            .unwrap()
            .insert("cpe".into(), vec![unknown()]);
        fake
    };
    let whole = Memory::planned(&plan);
    run(&script(), &plan, &whole).await.unwrap();
    let entries = whole.kept().len();
    assert_eq!(entries, 1 + 2 * 10);
    for place in 1..entries {
        for after in [false, true] {
            let fake = script();
            let mut log = Memory {
                dies_at: Some((place, after)),
                ..Memory::planned(&plan)
            };
            let died = run(&fake, &plan, &log).await.unwrap_err();
            assert_eq!(died, ActivateError::Journal(dead()));
            assert_eq!(log.kept().len(), place + usize::from(after));
            log.dies_at = None;
            let report = run(&fake, &plan, &log).await.unwrap();
            assert_eq!(
                report.state,
                RunState::Completed,
                "killed at {place}, {after}"
            );
            let once: BTreeMap<_, _> = BROADBAND
                .iter()
                .map(|(id, _)| ((*id).to_owned(), 1))
                .collect();
            assert_eq!(*fake.effects.lock().unwrap(), once);
            assert_in_order(&plan, &log.kept());
            // Every request was an intent before it was sent.
            let intents = log
                .lines()
                .iter()
                .filter(|it| it.starts_with("started"))
                .count();
            assert!(fake.sent().len() <= intents);
        }
    }
}

#[tokio::test]
async fn killed_after_every_few_entries_it_still_comes_to_an_end() {
    let plan = plan(&BROADBAND);
    let fake = Fake::answering("vlan", &[failed(), unknown()]);
    let mut log = Memory::planned(&plan);
    let mut report = None;
    for _ in 0..20 {
        // Two intents and two outcomes at most: less would be no way forward.
        log.dies_at = Some((log.kept().len() + 3, true));
        match run(&fake, &plan, &log).await {
            Ok(ended) => report = Some(ended),
            Err(error) => assert_eq!(error, ActivateError::Journal(dead())),
        }
    }
    let report = report.unwrap();
    assert_eq!(report.state, RunState::Completed);
    assert!(
        fake.effects
            .lock()
            .unwrap()
            .values()
            .all(|&effects| effects == 1)
    );
    assert_eq!(fake.effects.lock().unwrap().len(), 7);
    assert_in_order(&plan, &log.kept());
}

#[tokio::test]
async fn an_intent_without_outcome_is_sent_again_under_its_key() {
    let plan = plan(&[("a", &[])]);
    let mut log = Memory {
        dies_at: Some((2, false)),
        ..Memory::planned(&plan)
    };
    let fake = Arc::new(Fake::default());
    run(&fake, &plan, &log).await.unwrap_err();
    assert_eq!(log.lines(), ["planned ", "started a"]);
    log.dies_at = None;
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(
        log.lines(),
        ["planned ", "started a", "started a", "completed a"]
    );
    let twice = ("a".to_owned(), "key-a".to_owned());
    assert_eq!(*fake.calls.lock().unwrap(), [twice.clone(), twice]);
    assert_eq!(report.progress.task("a").unwrap().attempts, 2);
}

#[tokio::test]
async fn a_failure_is_retried_with_growing_delays_then_held_while_other_branches_go_on() {
    let plan = plan(&[("a", &[]), ("b", &["a"]), ("c", &[]), ("d", &["c"])]);
    let log = Memory::planned(&plan);
    let fake = Fake::answering("a", &[failed(), failed(), unknown(), failed()]);
    let (engine, _stopper) = engine(&fake, 8);
    let report = engine
        .run(Arc::clone(&plan), log.clone(), &log.kept())
        .await
        .unwrap();
    assert_eq!(report.state, RunState::Held);
    let slept = engine.clock.slept.lock().unwrap().clone();
    for (slept, longest) in slept.iter().zip([100, 200].map(Duration::from_millis)) {
        assert!((longest / 2..=longest).contains(slept), "{slept:?}");
    }
    assert_eq!(slept.len(), 2);
    let held: Vec<_> = report.progress.held().collect();
    assert_eq!(held.len(), 1);
    assert_eq!(
        held[0].reason.as_deref(),
        Some("outcome unknown: no answer (3 attempts)")
    );
    let state = |id| report.progress.task(id).unwrap().state;
    assert_eq!(
        ["b", "c", "d"].map(state),
        [TaskState::New, TaskState::Completed, TaskState::Completed]
    );

    // The next run begins anew with what is held: one more failure is no hold.
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(report.progress.task("a").unwrap().attempts, 5);
    assert_eq!(fake.effects.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_rejection_is_held_at_once() {
    let plan = plan(&[("a", &[])]);
    let log = Memory::planned(&plan);
    let rejected = Outcome::Rejected {
        status: 422,
        reason: "no such port".into(),
    };
    let fake = Fake::answering("a", &[rejected]);
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Held);
    assert_eq!(
        log.lines(),
        ["planned ", "started a", "attemptFailed a", "held a"]
    );
    let task = report.progress.task("a").unwrap();
    assert_eq!(
        (task.status, task.reason.as_deref()),
        (Some(422), Some("no such port"))
    );
}

#[tokio::test]
async fn being_stopped_lets_what_is_under_way_finish_and_starts_nothing() {
    let plan = plan(&BROADBAND);
    let log = Memory::planned(&plan);
    let fake = Arc::new(Fake {
        gate: Some(Semaphore::new(0)),
        ..Fake::default()
    });
    let (mut engine, stopper) = engine(&fake, 1);
    engine.clock = Arc::new(Ticking {
        endless: true,
        ..Ticking::default()
    });
    let entries = log.kept();
    let (progress, ()) = tokio::join!(
        engine.run(Arc::clone(&plan), log.clone(), &entries),
        async {
            while fake.sent().is_empty() {
                tokio::task::yield_now().await;
            }
            stopper.stop();
            fake.gate.as_ref().unwrap().add_permits(9);
        }
    );
    let report = progress.unwrap();
    assert_eq!(report.state, RunState::Interrupted);
    assert_eq!(log.lines(), ["planned ", "started gpon", "completed gpon"]);
    let again = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(again.state, RunState::Completed);
    assert_eq!(fake.sent().len(), 7);
}

#[tokio::test]
async fn what_is_under_way_is_left_when_grace_has_run_out_and_goes_on_next_time() {
    let plan = plan(&[("a", &[])]);
    let log = Memory::planned(&plan);
    let stuck = Arc::new(Fake {
        gate: Some(Semaphore::new(0)),
        ..Fake::default()
    });
    let (engine, stopper) = engine(&stuck, 1);
    let entries = log.kept();
    let (report, ()) = tokio::join!(
        engine.run(Arc::clone(&plan), log.clone(), &entries),
        async {
            while stuck.sent().is_empty() {
                tokio::task::yield_now().await;
            }
            stopper.stop();
        }
    );
    let report = report.unwrap();
    assert_eq!(report.state, RunState::Interrupted);
    assert!(report.progress.task("a").unwrap().open);
    assert_eq!(
        *engine.clock.slept.lock().unwrap(),
        [Duration::from_secs(10)]
    );
    let report = run(&Arc::new(Fake::default()), &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
}

#[tokio::test]
async fn a_run_that_is_stopped_before_it_begins_sends_nothing() {
    let plan = plan(&BROADBAND);
    let log = Memory::planned(&plan);
    let fake = Arc::new(Fake::default());
    let (engine, stopper) = engine(&fake, 1);
    stopper.stop();
    let report = engine
        .run(Arc::clone(&plan), log.clone(), &log.kept())
        .await
        .unwrap();
    assert_eq!(
        (report.state, fake.sent().len()),
        (RunState::Interrupted, 0)
    );
}

#[tokio::test]
async fn a_plan_that_cannot_be_carried_out_is_refused_before_anything_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let journal = JournalWriter::open(&path).unwrap();
    let fake = Arc::new(Fake::default());
    let (engine, _stopper) = engine(&fake, 1);
    let refused = async |plan: Arc<OrchestrationPlan>| {
        let chain = Chain {
            plan,
            external_id: None,
            documents: Arc::default(),
            alone: None,
        };
        engine
            .activate(&journal, chain)
            .await
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(plan(&[("a", &["b"]), ("b", &["a"]), ("c", &[])])).await,
        "plan 1.P: these tasks wait for each other and can never start: a, b"
    );
    assert_eq!(
        refused(plan(&[("a", &["z"])])).await,
        "plan 1.P: task a waits for z, which is not in the plan"
    );
    assert_eq!(
        refused(plan(&[("a", &[]), ("a", &[])])).await,
        "plan 1.P: two tasks have the id a"
    );
    let mut elsewhere = OrchestrationPlan::clone(&plan(&[("a", &[])]));
    elsewhere.task_flow[0].endpoint = Some("bng".into());
    assert_eq!(
        refused(Arc::new(elsewhere)).await,
        "task a needs endpoint bng, which is not defined"
    );
    let mut rootless = OrchestrationPlan::clone(&plan(&[("a", &[])]));
    rootless.related_entity.clear();
    assert_eq!(
        refused(Arc::new(rootless)).await,
        "plan 1.P names no related entity in the role rootOrder"
    );
    assert_eq!(JournalReader::open(&path).unwrap().orders().unwrap(), []);
    assert_eq!(fake.sent().len(), 0);
}

#[tokio::test]
async fn the_same_plan_again_sends_nothing_and_another_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/journal.db");
    let journal = JournalWriter::open(&path).unwrap();
    let fake = Arc::new(Fake::default());
    let (engine, _stopper) = engine(&fake, 4);
    let chain = Chain {
        plan: plan(&BROADBAND),
        external_id: Some("EXT".into()),
        documents: Arc::new(vec!["{}".to_owned().into()]),
        alone: None,
    };
    let first = engine.activate(&journal, chain.clone()).await.unwrap();
    assert_eq!((first.state, fake.sent().len()), (RunState::Completed, 7));
    let second = engine.activate(&journal, chain.clone()).await.unwrap();
    assert_eq!((second.state, fake.sent().len()), (RunState::Completed, 7));
    assert_eq!(
        format!("{:?}", second.progress.tasks()),
        format!("{:?}", first.progress.tasks())
    );
    let mut other = OrchestrationPlan::clone(&chain.plan);
    other.digest.plan = "sha256:bb".into();
    let other = Chain {
        plan: Arc::new(other),
        ..chain.clone()
    };
    assert_eq!(
        engine
            .activate(&journal, other)
            .await
            .unwrap_err()
            .to_string(),
        "order 1 was begun with another plan: sha256:aa in the journal, sha256:bb given; an order under way is \
         changed by a version of it with a higher number: orderctl decompose new.json | orderctl plan --amend - | \
         orderctl activate"
    );
    let stored = JournalReader::open(&path)
        .unwrap()
        .order("1")
        .unwrap()
        .unwrap();
    assert_in_order(&chain.plan, &stored.entries);
    let replayed = Progress::replay(&chain.plan, &stored.entries).unwrap();
    assert_eq!(
        format!("{:?}", replayed.tasks()),
        format!("{:?}", first.progress.tasks())
    );
    journal.close().await.unwrap();
}

#[tokio::test]
async fn an_order_is_not_carried_out_twice_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let journal = JournalWriter::open(&folder.path().join("journal.db")).unwrap();
    let fake = Arc::new(Fake {
        gate: Some(Semaphore::new(0)),
        ..Fake::default()
    });
    let (engine, _stopper) = engine(&fake, 4);
    let chain = Chain {
        plan: plan(&[("a", &[])]),
        external_id: None,
        documents: Arc::default(),
        alone: None,
    };
    let (first, second) = tokio::join!(engine.activate(&journal, chain.clone()), async {
        while fake.sent().is_empty() {
            tokio::task::yield_now().await;
        }
        let second = engine.activate(&journal, chain.clone()).await;
        fake.gate.as_ref().unwrap().add_permits(1);
        second
    });
    assert_eq!(first.unwrap().state, RunState::Completed);
    let pid = std::process::id();
    let busy = second.unwrap_err().to_string();
    let said = format!("order 1 is being carried out by process {pid} on ");
    assert!(busy.starts_with(&said), "{busy}");
}

#[derive(Debug, Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn observe(&self, order_id: &str, step: Step<'_>) {
        self.0.lock().unwrap().push(format!("{order_id} {step:?}"));
    }
}

#[tokio::test]
async fn the_observer_is_told_every_step() {
    let plan = plan(&[("a", &[]), ("b", &[])]);
    let log = Memory::planned(&plan);
    let rejected = Outcome::Rejected {
        status: 400,
        reason: "no".into(),
    };
    let fake = Fake::answering("a", &[failed(), rejected]);
    let notes = Arc::new(Notes::default());
    let (mut engine, _stopper) = engine(&fake, 1);
    engine.observer = Arc::clone(&notes) as Arc<dyn Observer>;
    engine
        .run(Arc::clone(&plan), log.clone(), &log.kept())
        .await
        .unwrap();
    let after = crate::retry::Repeat::Times(2).delay(0, "key-a").unwrap();
    let after = format!("{after:?}");
    let told = notes.0.lock().unwrap().clone();
    let told: BTreeSet<_> = told.iter().map(|it| it.replace(&after, "AFTER")).collect();
    let expected = [
        "1 Begun { tasks: 2, completed: 0 }",
        "1 Started { task: \"a\", attempt: 1 }",
        "1 Retrying { task: \"a\", after: AFTER, reason: \"busy\" }",
        "1 Started { task: \"a\", attempt: 2 }",
        "1 Held { task: \"a\", reason: \"no\" }",
        "1 Started { task: \"b\", attempt: 1 }",
        "1 Completed { task: \"b\" }",
    ];
    assert_eq!(told, expected.map(str::to_owned).into());
}

mod ahead;
mod amend;
mod crashes;
mod doubt;
mod kinds;
#[path = "../../../tests/support/life_cycle.rs"]
mod life_cycle;
mod policies;
mod stories;
mod story;
mod things;
