//! Repetitions, what becomes of a task after them, rates and breakers.

use serde_json::Value;

use super::kinds::{after, plan_of, task};
use super::*;
use crate::activate::VirtualClock;
use crate::endpoint::{Breaker, Rate};
use crate::journal::entry::ByHand;
use crate::plan::flow::TaskOutcome;

/// An engine on a clock that jumps, with these terms.
fn rehearsal(fake: &Arc<Fake>, terms: Terms) -> Engine<VirtualClock, Arc<Fake>> {
    let (stopper, stop) = Stopper::new();
    // Nobody stops it.
    std::mem::forget(stopper);
    let mut pool = Pool::default();
    pool.add("olt", Arc::clone(fake), terms);
    rehearsing(pool, stop)
}

async fn rehearse(
    engine: &Engine<VirtualClock, Arc<Fake>>,
    plan: &Arc<OrchestrationPlan>,
    log: &Memory,
) -> Report {
    let entries = log.kept();
    let run = engine.run(Arc::clone(plan), log.clone(), &entries);
    run.await.unwrap()
}

fn terms() -> Terms {
    Manner::Keys.terms(8, 0)
}

/// `kind task` of every entry after the first, and how many seconds after the first one it was.
fn times(log: &Memory) -> Vec<(String, i64)> {
    let kept = log.kept();
    let first = kept[1].at.as_second();
    let lines = log.lines().into_iter().zip(&kept).skip(1);
    lines
        .map(|(line, entry)| (line, entry.at.as_second() - first))
        .collect()
}

fn seconds(log: &Memory, kind: &str) -> Vec<i64> {
    let times = times(log).into_iter();
    times
        .filter(|(line, _)| line.starts_with(kind))
        .map(|(_, at)| at)
        .collect()
}

fn rejected() -> Outcome {
    Outcome::Rejected {
        status: 422,
        reason: "no such port".into(),
    }
}

#[tokio::test]
async fn delays_are_those_of_the_list_and_of_the_endpoint_that_asks_for_more() {
    let retry = json!({"retry": {"busy": ["PT10S", "PT1M", "PT1H"]}});
    let plan = plan_of(vec![task("a", retry)]);
    let patient = Outcome::Failed {
        status: Some(429),
        class: FailureClass::Busy,
        reason: "not so fast".into(),
        retry_after: Some(Duration::from_secs(90)),
    };
    let (fake, log) = (
        Fake::answering("a", &[failed(), patient, failed()]),
        rehearsed(&plan),
    );
    let report = rehearse(&rehearsal(&fake, terms()), &plan, &log).await;
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(seconds(&log, "started"), [0, 10, 100, 3700]);
}

#[tokio::test]
async fn what_is_to_be_tried_again_much_later_is_left_to_a_later_run() {
    let retry = json!({"retry": {"busy": ["PT1H"]}});
    let plan = plan_of(vec![task("a", retry), task("b", json!({}))]);
    let mut log = Memory::planned(&plan);
    log.entries.lock().unwrap()[0].at = START.parse().unwrap();
    let fake = Fake::answering("a", &[failed()]);
    let (engine, _stopper) = engine(&fake, 8);
    let go = async |log: &Memory| {
        let entries = log.kept();
        let report = engine.run(Arc::clone(&plan), log.clone(), &entries).await;
        report.unwrap()
    };
    for _ in 0..2 {
        let report = go(&log).await;
        assert_eq!(report.state, RunState::Waiting);
        let [wait] = &report.waits[..] else {
            panic!("{:?}", report.waits)
        };
        assert!(matches!(wait.what, WaitFor::Retry(_)) && wait.task == "a");
        assert_eq!(fake.sent(), ["a", "b"]);
    }
    // A person need not wait so long.
    log.write(Event::Retried(ByHand {
        task: "a".into(),
        by: "jane".into(),
        reason: None,
    }));
    log.dies_at = None;
    assert_eq!(go(&log).await.state, RunState::Completed);
}

const START: &str = "1970-01-01T00:00:00Z";

#[tokio::test]
async fn what_is_left_out_lets_the_rest_go_on() {
    let skip = json!({"onFailure": "skip"});
    let next = json!({"taskFlowRelationship": after(&["a"])});
    let plan = plan_of(vec![task("a", skip), task("b", next)]);
    let (fake, log) = (Fake::answering("a", &[rejected()]), rehearsed(&plan));
    let report = rehearse(&rehearsal(&fake, terms()), &plan, &log).await;
    assert_eq!(report.state, RunState::Completed);
    let a = report.progress.task("a").unwrap();
    assert_eq!(a.outcome, Some(TaskOutcome::Skipped));
    assert_eq!(a.reason.as_deref(), Some("skipped: no such port"));
    assert_eq!(fake.sent(), ["a", "b"]);
}

#[tokio::test]
async fn an_order_that_is_stopped_begins_nothing_until_it_is_mended() {
    let tasks = |on_failure: Value| {
        plan_of(vec![
            task("a", on_failure),
            task("b", json!({})),
            task("c", json!({"taskFlowRelationship": after(&["b"])})),
        ])
    };
    let plan = tasks(json!({"onFailure": "stop"}));
    let (fake, log) = (
        Fake::answering("a", &[rejected(), rejected()]),
        rehearsed(&plan),
    );
    let terms = Terms {
        concurrency: 1,
        ..terms()
    };
    let engine = rehearsal(&fake, terms);
    for sent in [["a"].as_slice(), &["a", "a"]] {
        let report = rehearse(&engine, &plan, &log).await;
        assert_eq!(report.state, RunState::Held);
        assert_eq!(fake.sent(), sent, "b is not begun, although it could be");
    }
    let report = rehearse(&engine, &plan, &log).await;
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(fake.sent(), ["a", "a", "a", "b", "c"]);
}

#[tokio::test]
async fn the_endpoint_says_what_becomes_of_a_task_that_does_not() {
    let plan = plan_of(vec![
        task("a", json!({})),
        task("b", json!({"onFailure": "hold"})),
    ]);
    let (fake, log) = (Fake::answering("a", &[rejected()]), rehearsed(&plan));
    fake.script
        .lock()
        .unwrap()
        .insert("b".into(), vec![rejected()]);
    let terms = Terms {
        on_failure: Some(crate::plan::flow::OnFailure::Fail),
        ..terms()
    };
    let report = rehearse(&rehearsal(&fake, terms), &plan, &log).await;
    let state = |id| report.progress.task(id).unwrap().state;
    assert_eq!(
        [state("a"), state("b")],
        [TaskState::Cancelled, TaskState::Hold]
    );
}

fn many(count: usize) -> Arc<OrchestrationPlan> {
    let tasks = (0..count).map(|at| task(&format!("t{at}"), json!({})));
    plan_of(tasks.collect())
}

#[tokio::test]
async fn requests_keep_to_the_rate_of_their_endpoint() {
    let plan = many(6);
    let (fake, log) = (Arc::new(Fake::default()), rehearsed(&plan));
    let rate = Rate {
        requests: 2,
        time: Duration::from_secs(10),
    };
    let terms = Terms {
        rate: Some(rate),
        ..terms()
    };
    let report = rehearse(&rehearsal(&fake, terms), &plan, &log).await;
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(seconds(&log, "started"), [0, 5, 10, 15, 20, 25]);
}

#[tokio::test]
async fn an_endpoint_that_fails_in_a_row_is_left_alone_for_a_while() {
    let plan = many(5);
    let (fake, log) = (Arc::new(Fake::default()), rehearsed(&plan));
    for at in 0..2 {
        let task = format!("t{at}");
        fake.script.lock().unwrap().insert(task, vec![failed()]);
    }
    let terms = Terms {
        breaker: Some(Breaker {
            failures: 2,
            pause: Duration::from_secs(30),
        }),
        concurrency: 1,
        retries: Some(3),
        ..terms()
    };
    let report = rehearse(&rehearsal(&fake, terms), &plan, &log).await;
    assert_eq!(report.state, RunState::Completed);
    let started = seconds(&log, "started");
    assert_eq!(started[..2], [0, 0]);
    assert!(started[2..].iter().all(|at| *at >= 29), "{started:?}");
    assert_eq!(started.len(), 7);
}
