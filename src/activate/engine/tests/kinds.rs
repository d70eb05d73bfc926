//! Tasks of all kinds, people, windows, lags and failures, on a clock that jumps.

use std::sync::atomic::AtomicBool;

use serde_json::Value;

use super::*;
use crate::activate::VirtualClock;
use crate::journal::entry::ByHand;
use crate::plan::flow::TaskOutcome;

/// When the plans below start.
const START: &str = "2026-12-01T08:00:00Z";

/// A task and how it differs from an activation that waits for nothing.
pub(super) fn task(id: &str, changes: Value) -> Value {
    let mut task = json!({
        "id": id, "@type": "TaskFlow", "name": id, "kind": "activation", "state": "new",
        "relatedEntity": [], "endpoint": "olt",
        "request": {"method": "POST", "path": "resource", "body": {"name": id}},
        "idempotencyKey": format!("key-{id}"), "duration": "PT0S",
        "earliestStart": "PT0S", "latestStart": "PT0S", "slack": "PT0S",
        "critical": false, "wave": 1
    });
    let Value::Object(changes) = changes else {
        panic!("changes are members")
    };
    if changes.get("kind").is_some_and(|kind| kind != "activation") {
        for member in ["endpoint", "request", "idempotencyKey"] {
            task.as_object_mut().unwrap().remove(member);
        }
    }
    for (key, value) in changes {
        task[key] = match key.as_str() {
            "after" => continue,
            _ => value,
        };
    }
    task
}

/// That a task waits for these.
pub(super) fn after(tasks: &[&str]) -> Value {
    tasks
        .iter()
        .map(|id| json!({"relationshipType": "finishToStart", "taskFlow": {"id": id}}))
        .collect()
}

pub(super) fn plan_of(tasks: Vec<Value>) -> Arc<OrchestrationPlan> {
    let mut plan: Value = serde_json::to_value(&*plan(&[])).unwrap();
    plan["schedule"]["start"] = START.into();
    plan["taskFlow"] = tasks.into();
    Arc::new(serde_json::from_str(&plan.to_string()).unwrap())
}

/// A site survey by a person, two sites, the wave of the first, a port in a window.
fn all_kinds() -> Arc<OrchestrationPlan> {
    let mut port = after(&["site-1"]);
    port[0]["lag"] = "PT2H".into();
    plan_of(vec![
        task("check", json!({})),
        task(
            "survey",
            json!({"kind": "manual", "taskFlowRelationship": after(&["check"])}),
        ),
        task(
            "site-1",
            json!({"taskFlowRelationship": after(&["survey"])}),
        ),
        task(
            "pilot",
            json!({"kind": "milestone", "taskFlowRelationship": after(&["site-1"])}),
        ),
        task("site-2", json!({"taskFlowRelationship": after(&["pilot"])})),
        task(
            "port",
            json!({
                "taskFlowRelationship": port, "pointOfNoReturn": true,
                "window": {"start": "2026-12-08T08:00:00Z", "end": "2026-12-08T12:00:00Z"}
            }),
        ),
        task("radius", json!({"taskFlowRelationship": port})),
    ])
}

type Rehearsal = (Engine<VirtualClock, Arc<Fake>>, Stopper);

fn rehearsal(fake: &Arc<Fake>) -> Rehearsal {
    let (stopper, stop) = Stopper::new();
    let mut pool = Pool::default();
    pool.add("olt", Arc::clone(fake), fake.manner.terms(2, 1));
    let engine = rehearsing(pool, stop);
    (engine, stopper)
}

async fn rehearse(
    fake: &Arc<Fake>,
    plan: &Arc<OrchestrationPlan>,
    log: &Memory,
) -> Result<Report, ActivateError> {
    let (engine, _stopper) = rehearsal(fake);
    engine.run(Arc::clone(plan), log.clone(), &log.kept()).await
}

fn by_hand(task: &str) -> ByHand {
    ByHand {
        task: task.into(),
        by: "jane".into(),
        reason: Some("it is so".into()),
    }
}

fn when(log: &Memory, line: &str) -> String {
    let at = log.lines().iter().position(|it| it == line);
    let at = at.unwrap_or_else(|| panic!("{line} is not in {:?}", log.lines()));
    log.kept()[at].at.to_string()
}

fn waits(report: &Report) -> Vec<(&str, WaitFor)> {
    let waits = report.waits.iter();
    waits.map(|it| (it.task.as_str(), it.what)).collect()
}

#[tokio::test]
async fn a_week_passes_in_no_time_and_people_are_waited_for() {
    let plan = all_kinds();
    let (fake, log) = (Arc::new(Fake::default()), rehearsed(&plan));
    let report = rehearse(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Waiting);
    assert_eq!(waits(&report), [("survey", WaitFor::Person)]);
    assert_eq!(fake.sent(), ["check"]);
    log.write(Event::CompletedByHand(by_hand("survey")));
    let report = rehearse(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(fake.sent(), ["check", "site-1", "site-2", "radius", "port"]);
    assert_eq!(when(&log, "started site-1"), START);
    assert_eq!(when(&log, "milestoneReached pilot"), START);
    assert_eq!(when(&log, "completed site-2"), START);
    assert_eq!(when(&log, "started radius"), "2026-12-01T10:00:00Z");
    assert_eq!(when(&log, "started port"), "2026-12-08T08:00:00Z");
    let port = report.progress.task("port").unwrap();
    assert!(port.point_of_no_return);
    let survey = report.progress.task("survey").unwrap();
    assert_eq!(
        survey.reason.as_deref(),
        Some("completed by jane: it is so")
    );
}

#[tokio::test]
async fn on_the_systems_clock_a_run_ends_where_only_waits_are_left() {
    let plan = plan_of(vec![
        task(
            "a",
            json!({"window": {"start": "1970-01-01T01:00:00Z", "end": "1970-01-01T02:00:00Z"}}),
        ),
        task("b", json!({"kind": "manual"})),
        task("c", json!({"taskFlowRelationship": after(&["a", "b"])})),
    ]);
    let (fake, log) = (Arc::new(Fake::default()), Memory::planned(&plan));
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Waiting);
    let opens = "1970-01-01T01:00:00Z".parse().unwrap();
    assert_eq!(
        waits(&report),
        [("a", WaitFor::Moment(opens)), ("b", WaitFor::Person)]
    );
    assert_eq!(log.lines(), ["planned "]);
}

#[tokio::test]
async fn a_window_that_is_over_holds_its_task_which_is_never_begun_by_itself() {
    let plan = plan_of(vec![
        task("a", json!({"window": {"end": "2026-11-30T00:00:00Z"}})),
        task("b", json!({"taskFlowRelationship": after(&["a"])})),
    ]);
    let (fake, log) = (Arc::new(Fake::default()), rehearsed(&plan));
    for _ in 0..2 {
        let report = rehearse(&fake, &plan, &log).await.unwrap();
        assert_eq!(report.state, RunState::Held);
        assert_eq!(log.lines(), ["planned ", "windowMissed a"]);
        let reason = report.progress.task("a").unwrap().reason.clone();
        assert_eq!(
            reason.as_deref(),
            Some("window missed: it ended at 2026-11-30T00:00:00Z")
        );
    }
    log.write(Event::CompletedByHand(by_hand("a")));
    let report = rehearse(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(fake.sent(), ["b"]);
}

#[tokio::test]
async fn what_fails_gives_up_what_needs_it_and_nothing_else() {
    let fails = json!({"onFailure": "fail"});
    let mut ended = after(&["a", "b"]);
    for one in ended.as_array_mut().unwrap() {
        one["until"] = "ended".into();
    }
    let plan = plan_of(vec![
        task("a", fails.clone()),
        task("b", fails),
        task("a-next", json!({"taskFlowRelationship": after(&["a"])})),
        task(
            "a-last",
            json!({"taskFlowRelationship": after(&["b", "a-next"])}),
        ),
        task(
            "wave",
            json!({"kind": "milestone", "taskFlowRelationship": ended}),
        ),
        task("c", json!({"taskFlowRelationship": after(&["wave"])})),
    ]);
    let rejected = Outcome::Rejected {
        status: 422,
        reason: "no such port".into(),
    };
    let (fake, log) = (Fake::answering("a", &[rejected]), rehearsed(&plan));
    let report = rehearse(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Failed);
    assert_eq!(fake.sent(), ["a", "b", "c"]);
    let task = |id: &str| {
        let task = report.progress.task(id).unwrap();
        (task.state, task.outcome, task.reason.as_deref())
    };
    assert_eq!(
        task("a"),
        (
            TaskState::Cancelled,
            Some(TaskOutcome::Failed),
            Some("no such port")
        )
    );
    for id in ["a-next", "a-last"] {
        let given_up = Some(TaskOutcome::GivenUp);
        let reason = Some("needs a, which failed");
        assert_eq!(task(id), (TaskState::Cancelled, given_up, reason), "{id}");
    }
    assert_eq!(task("wave").0, TaskState::Completed);
    assert_eq!(
        (report.progress.completed(), report.progress.given_up()),
        (3, 3)
    );
    let again = rehearse(&fake, &plan, &log).await.unwrap();
    assert_eq!((again.state, fake.sent().len()), (RunState::Failed, 3));
}

/// Answers nothing before a person has written.
struct Hesitant {
    log: Memory,
    event: Event,
    has_written: AtomicBool,
}

impl Callable for Arc<Hesitant> {
    async fn send(&self, call: &Call<'_>) -> Outcome {
        if call.task == "busy" && !self.has_written.swap(true, Ordering::SeqCst) {
            self.log.write(self.event.clone());
        }
        Outcome::Failed {
            status: None,
            reason: "busy".into(),
            class: FailureClass::Connect,
            retry_after: None,
        }
    }
}

#[tokio::test]
async fn what_a_person_writes_meanwhile_is_noticed_before_the_next_request() {
    let plan = plan_of(vec![
        task("busy", json!({"onFailure": "fail"})),
        task("other", json!({"onFailure": "fail"})),
        task(
            "next",
            json!({"taskFlowRelationship": after(&["other"]), "onFailure": "fail"}),
        ),
    ]);
    let log = rehearsed(&plan);
    let hesitant = Arc::new(Hesitant {
        log: log.clone(),
        event: Event::Skipped(by_hand("other")),
        has_written: AtomicBool::new(false),
    });
    let (_stopper, stop) = Stopper::new();
    let mut pool = Pool::default();
    pool.add("olt", hesitant, Manner::Keys.terms(1, 1));
    let engine = Engine {
        pool: Arc::new(pool),
        clock: Arc::new(VirtualClock::default()),
        stop,
        grace: Duration::ZERO,
        waits: Waits::Leave,
        observer: Arc::new(()),
    };
    let report = engine
        .run(Arc::clone(&plan), log.clone(), &log.kept())
        .await
        .unwrap();
    assert_eq!(report.state, RunState::Failed);
    let sent = |task: &str| log.lines().contains(&format!("started {task}"));
    assert_eq!(["busy", "other", "next"].map(sent), [true, false, true]);
    let replayed = Progress::replay(&plan, &log.kept()).unwrap();
    assert_eq!(
        format!("{:?}", replayed.tasks()),
        format!("{:?}", report.progress.tasks())
    );
}

#[tokio::test]
async fn who_waits_goes_on_when_people_have_written() {
    let plan = plan_of(vec![
        task("a", json!({"kind": "manual"})),
        task("b", json!({"taskFlowRelationship": after(&["a"])})),
    ]);
    let (fake, log) = (Arc::new(Fake::default()), rehearsed(&plan));
    let (mut engine, _stopper) = rehearsal(&fake);
    engine.waits = Waits::SitOut;
    let entries = log.kept();
    let (report, ()) = tokio::join!(
        engine.run(Arc::clone(&plan), log.clone(), &entries),
        async {
            for _ in 0..9 {
                tokio::task::yield_now().await;
            }
            log.write(Event::CompletedByHand(by_hand("a")));
        }
    );
    assert_eq!(report.unwrap().state, RunState::Completed);
    assert_eq!(fake.sent(), ["b"]);
}

#[tokio::test]
async fn a_released_wave_lets_the_next_one_begin_before_it_is_done() {
    let plan = plan_of(vec![
        task("site", json!({"kind": "manual"})),
        task(
            "pilot",
            json!({"kind": "milestone", "taskFlowRelationship": after(&["site"])}),
        ),
        task("next", json!({"taskFlowRelationship": after(&["pilot"])})),
    ]);
    let (fake, log) = (Arc::new(Fake::default()), rehearsed(&plan));
    log.write(Event::Released(by_hand("pilot")));
    let report = rehearse(&fake, &plan, &log).await.unwrap();
    assert_eq!(fake.sent(), ["next"]);
    assert_eq!(waits(&report), [("site", WaitFor::Person)]);
    log.write(Event::FailedByHand(by_hand("site")));
    let report = rehearse(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Failed);
    assert_eq!(report.progress.completed(), 2);
}

/// Until everything has ended, with a person who does what there is to do.
async fn to_the_end(fake: &Arc<Fake>, plan: &Arc<OrchestrationPlan>, log: &mut Memory) -> Progress {
    for _ in 0..9 {
        match rehearse(fake, plan, log).await {
            Err(error) => {
                assert_eq!(error, ActivateError::Journal(dead()));
                log.dies_at = None;
            }
            Ok(report) if report.state == RunState::Waiting => {
                log.write(Event::CompletedByHand(by_hand("survey")));
            }
            Ok(report) if report.progress.task("late").unwrap().has_ended() => {
                return report.progress;
            }
            Ok(report) => {
                assert_eq!(report.state, RunState::Held);
                log.write(Event::Skipped(by_hand("late")));
            }
        }
    }
    panic!("no end: {:?}", log.lines());
}

/// For every entry: killed before it is durable, and after; then again until it is done.
#[tokio::test]
async fn wherever_it_is_killed_all_kinds_of_tasks_end_as_if_it_had_not_been() {
    let mut tasks = all_kinds().task_flow.clone();
    tasks.push(serde_json::from_value(task("bad", json!({"onFailure": "fail"}))).unwrap());
    let needs_bad = json!({"taskFlowRelationship": after(&["bad", "pilot"])});
    tasks.push(serde_json::from_value(task("lost", needs_bad)).unwrap());
    let late = json!({"window": {"end": "2026-12-01T08:00:00Z"}});
    tasks.push(serde_json::from_value(task("late", late)).unwrap());
    let mut plan = OrchestrationPlan::clone(&all_kinds());
    plan.task_flow = tasks;
    let plan = Arc::new(plan);
    let no = || Outcome::Rejected {
        status: 422,
        reason: "no".into(),
    };
    let fake = || Fake::answering("bad", &[failed(), unknown(), no(), no(), no()]);
    let stands = |progress: &Progress| {
        let tasks = progress.tasks().iter();
        tasks
            .map(|it| (it.id.clone(), it.state, it.outcome))
            .collect::<Vec<_>>()
    };
    let mut whole = rehearsed(&plan);
    let undisturbed = to_the_end(&fake(), &plan, &mut whole).await;
    assert_eq!(undisturbed.given_up(), 2);
    for place in 1..whole.kept().len() {
        for after in [false, true] {
            let fake = fake();
            let mut log = Memory {
                dies_at: Some((place, after)),
                ..rehearsed(&plan)
            };
            let progress = to_the_end(&fake, &plan, &mut log).await;
            assert_eq!(stands(&progress), stands(&undisturbed), "{place} {after}");
            let effects = fake.effects.lock().unwrap().clone();
            assert!(effects.values().all(|effects| *effects == 1), "{effects:?}");
            assert_in_order(&plan, &log.kept());
            let times: Vec<_> = log.kept().iter().map(|it| it.at).collect();
            assert!(times.is_sorted(), "{:?}", log.lines());
            let replayed = Progress::replay(&plan, &log.kept()).unwrap();
            assert_eq!(stands(&replayed), stands(&progress));
        }
    }
}

#[tokio::test]
async fn an_order_stays_on_the_clock_that_it_was_begun_on() {
    let plan = plan_of(vec![task("a", json!({}))]);
    let fake = Arc::new(Fake::default());
    let error = rehearse(&fake, &plan, &Memory::planned(&plan)).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "order 1 was begun on the system's clock: go on without --clock virtual"
    );
    let error = run(&fake, &plan, &rehearsed(&plan)).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "order 1 was begun on a virtual clock: go on with --clock virtual"
    );
    assert_eq!(fake.sent().len(), 0);
}

#[tokio::test]
async fn who_is_asked_to_stop_while_waiting_says_what_is_waited_for() {
    let plan = plan_of(vec![task("a", json!({"kind": "manual"}))]);
    let (fake, log) = (Arc::new(Fake::default()), rehearsed(&plan));
    let (mut engine, stopper) = rehearsal(&fake);
    engine.waits = Waits::SitOut;
    let entries = log.kept();
    let (report, ()) = tokio::join!(
        engine.run(Arc::clone(&plan), log.clone(), &entries),
        async {
            for _ in 0..9 {
                tokio::task::yield_now().await;
            }
            stopper.stop();
        }
    );
    let report = report.unwrap();
    assert_eq!(report.state, RunState::Waiting);
    assert_eq!(waits(&report), [("a", WaitFor::Person)]);
}

#[tokio::test]
async fn a_window_that_ends_while_others_are_waited_for_holds_its_task() {
    let slow = json!({"kind": "manual"});
    let windowed =
        |end: &str| json!({"taskFlowRelationship": after(&["a"]), "window": {"end": end}});
    let mut late = after(&["b"]);
    late[0]["lag"] = "P2D".into();
    let plan = plan_of(vec![
        task("a", slow),
        task("b", json!({})),
        task("soon", windowed("2026-12-02T00:00:00Z")),
        task("later", windowed("2026-12-09T00:00:00Z")),
        task("after", json!({"taskFlowRelationship": late})),
    ]);
    let (fake, log) = (Arc::new(Fake::default()), rehearsed(&plan));
    // Two days pass for the lag, and with them the first of the windows.
    let report = rehearse(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Waiting);
    let held: Vec<_> = report.progress.held().map(|it| it.id.as_str()).collect();
    assert_eq!(held, ["soon"]);
    assert_eq!(when(&log, "windowMissed soon"), "2026-12-03T08:00:00Z");
    log.write(Event::CompletedByHand(by_hand("a")));
    let report = rehearse(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Held);
    assert_eq!(fake.sent(), ["b", "after", "later"]);
}

#[tokio::test]
async fn a_retry_does_not_outlive_its_window_unless_the_outcome_is_unknown() {
    let window = json!({"window": {"end": "2026-12-01T08:00:00.050Z"}});
    let plan = plan_of(vec![task("known", window.clone()), task("unknown", window)]);
    let fake = Fake::answering("known", &[failed()]);
    let script = vec![unknown()];
    fake.script.lock().unwrap().insert("unknown".into(), script);
    let log = rehearsed(&plan);
    let report = rehearse(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Held);
    let state = |id| report.progress.task(id).unwrap().state;
    assert_eq!(
        ["known", "unknown"].map(state),
        [TaskState::Hold, TaskState::Completed]
    );
}

#[tokio::test]
async fn a_simulated_endpoint_takes_the_time_of_the_order() {
    #[derive(Debug)]
    struct Slow;
    impl Callable for Slow {
        async fn send(&self, _: &Call<'_>) -> Outcome {
            Outcome::Completed {
                status: 201,
                resource: None,
            }
        }

        fn latency(&self) -> Duration {
            Duration::from_hours(24)
        }
    }
    let plan = plan_of(vec![
        task("a", json!({})),
        task("b", json!({"taskFlowRelationship": after(&["a"])})),
        task("c", json!({})),
        task("d", json!({})),
    ]);
    let log = rehearsed(&plan);
    let (_stopper, stop) = Stopper::new();
    let mut pool = Pool::default();
    pool.add("olt", Slow, Manner::Keys.terms(2, 0));
    let engine = Engine {
        pool: Arc::new(pool),
        clock: Arc::new(VirtualClock::default()),
        stop,
        grace: Duration::ZERO,
        waits: Waits::Leave,
        observer: Arc::new(()),
    };
    let entries = log.kept();
    let report = engine.run(Arc::clone(&plan), log.clone(), &entries);
    assert_eq!(report.await.unwrap().state, RunState::Completed);
    // Two at once: a and c on the first day, then d, which was in the queue before b.
    for (line, day) in [
        ("completed a", "2026-12-02"),
        ("completed c", "2026-12-02"),
        ("completed d", "2026-12-03"),
        ("completed b", "2026-12-03"),
    ] {
        assert_eq!(when(&log, line), format!("{day}T08:00:00Z"), "{line}");
    }
}

#[test]
fn a_cancellation_has_failed_where_something_is_left_of_the_order() {
    let ended = |partly: bool, event: &dyn Fn(ByHand) -> Event| {
        let mut plan = (*super::plan(&[("a", &[]), ("undo", &["a"])])).clone();
        plan.revision = Some(Revision {
            number: 1,
            kind: RevisionKind::Cancel,
            of: "sha256:bb".into(),
            entries: 1,
            partly,
            reason: None,
        });
        plan.task_flow[1].compensates = Some("a".into());
        let events = [Event::CompletedByHand(by_hand("a")), event(by_hand("undo"))];
        let mut entries = rehearsed(&plan).kept();
        entries.extend(events.map(|event| Entry {
            at: Timestamp::UNIX_EPOCH,
            event,
        }));
        let progress = Progress::replay(&plan, &entries).unwrap();
        assert!(progress.has_ended());
        state_of(&plan, &progress, (false, true))
    };
    assert_eq!(ended(false, &Event::CompletedByHand), RunState::Cancelled);
    assert_eq!(ended(true, &Event::CompletedByHand), RunState::Failed);
    assert_eq!(ended(false, &Event::Skipped), RunState::Failed);
}
