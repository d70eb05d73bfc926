//! Requests whose outcome is not known, at endpoints of every kind.

use super::*;
use crate::journal::entry::{Accepted, AttemptFailed, ByHand, Failure, Held, Started};

fn of_manner(manner: Manner, script: &[(&str, &[Outcome])]) -> Arc<Fake> {
    let fake = Fake {
        manner,
        ..Fake::default()
    };
    for (task, outcomes) in script {
        let outcomes = outcomes.iter().rev().cloned().collect();
        fake.script.lock().unwrap().insert((*task).into(), outcomes);
    }
    Arc::new(fake)
}

fn each_once() -> BTreeMap<String, u32> {
    let ids = BROADBAND.iter().map(|(id, _)| (*id).to_owned());
    ids.map(|id| (id, 1)).collect()
}

fn retried(task: &str) -> Event {
    Event::Retried(ByHand {
        task: task.into(),
        by: "jane".into(),
        reason: Some("it is not there".into()),
    })
}

fn completed(task: &str) -> Event {
    Event::CompletedByHand(ByHand {
        task: task.into(),
        by: "jane".into(),
        reason: Some("it is there".into()),
    })
}

#[tokio::test]
async fn what_is_found_done_is_not_sent_again() {
    let plan = plan(&[("a", &[])]);
    let log = Memory::planned(&plan);
    let fake = of_manner(Manner::Readable, &[("a", &[unknown()])]);
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(
        (fake.sent().len(), fake.effects.lock().unwrap()["a"]),
        (1, 1)
    );
    let expected = ["planned ", "started a", "attemptFailed a", "completed a"];
    assert_eq!(log.lines(), expected);
    let reason = report.progress.task("a").unwrap().reason.clone();
    assert_eq!(reason.as_deref(), Some("found done when it was asked for"));
}

#[tokio::test]
async fn what_is_found_not_done_is_sent_again() {
    let plan = plan(&[("a", &[])]);
    let mut log = Memory {
        dies_at: Some((1, true)),
        ..Memory::planned(&plan)
    };
    let fake = of_manner(Manner::Readable, &[]);
    run(&fake, &plan, &log).await.unwrap_err();
    assert_eq!(fake.sent().len(), 0, "killed before it was sent");
    log.dies_at = None;
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    let expected = [
        "planned ",
        "started a",
        "asked a",
        "started a",
        "completed a",
    ];
    assert_eq!(log.lines(), expected);
    assert_eq!(fake.effects.lock().unwrap()["a"], 1);
}

#[tokio::test]
async fn what_cannot_be_found_out_is_held_for_a_person() {
    let plan = plan(&[("a", &[]), ("b", &["a"])]);
    let log = Memory::planned(&plan);
    let fake = of_manner(Manner::Neither, &[("a", &[unknown()])]);
    for _ in 0..3 {
        let report = run(&fake, &plan, &log).await.unwrap();
        assert_eq!(report.state, RunState::Held);
        let task = report.progress.task("a").unwrap();
        assert_eq!(
            task.reason.as_deref().unwrap(),
            "outcome unknown: no answer; endpoint olt cannot be asked about it and is not \
             declared idempotent: find out, then complete or retry the task by hand"
        );
        assert!(task.is_unsettled());
        assert_eq!(fake.sent(), ["a"], "never again by itself");
    }
    log.write(completed("a"));
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(fake.sent(), ["a", "b"]);
}

#[tokio::test]
async fn a_person_who_found_out_lets_it_be_sent_again() {
    let plan = plan(&[("a", &[])]);
    let log = Memory::planned(&plan);
    let fake = of_manner(Manner::Neither, &[("a", &[unknown()])]);
    assert_eq!(run(&fake, &plan, &log).await.unwrap().state, RunState::Held);
    log.write(retried("a"));
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(fake.sent(), ["a", "a"]);
}

#[tokio::test]
async fn an_endpoint_that_cannot_tell_now_is_asked_again_and_then_held() {
    let plan = plan(&[("a", &[])]);
    let log = Memory::planned(&plan);
    let fake = of_manner(Manner::Readable, &[("a", &[unknown()])]);
    let mute = || Finding::Unanswered {
        class: FailureClass::Busy,
        reason: "asked for it, the answer was 503".into(),
    };
    fake.findings
        .lock()
        .unwrap()
        .extend([mute(), mute(), mute()]);
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Held);
    let task = report.progress.task("a").unwrap();
    assert_eq!(
        task.reason.as_deref(),
        Some("outcome unknown: asked for it, the answer was 503 (3 attempts)")
    );
    assert_eq!(
        (fake.sent().len(), fake.asked.lock().unwrap().len()),
        (1, 2)
    );
    fake.findings.lock().unwrap().clear();
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(fake.sent().len(), 1, "it was there all the time");
}

#[tokio::test]
async fn what_is_there_and_is_something_else_is_held() {
    let plan = plan(&[("a", &[])]);
    let log = Memory::planned(&plan);
    let fake = of_manner(Manner::Readable, &[("a", &[unknown()])]);
    fake.findings.lock().unwrap().push(Finding::Differs {
        reason: "it is there, but its vlan is 7 and not 8".into(),
    });
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(
        report.progress.task("a").unwrap().reason.as_deref(),
        Some("outcome unknown: it is there, but its vlan is 7 and not 8")
    );
    assert_eq!((report.state, fake.sent().len()), (RunState::Held, 1));
}

#[tokio::test]
async fn an_endpoint_that_says_that_it_failed_is_asked_all_the_same_unless_it_knows_repetitions() {
    let plan = plan(&[("a", &[])]);
    let broken = || Outcome::Failed {
        status: Some(500),
        class: FailureClass::ServerError,
        reason: "500 Internal Server Error".into(),
        retry_after: None,
    };
    for (manner, asked) in [
        (Manner::Readable, 1),
        (Manner::Keys, 0),
        (Manner::Neither, 0),
    ] {
        let log = Memory::planned(&plan);
        let fake = of_manner(manner, &[("a", &[broken()])]);
        let report = run(&fake, &plan, &log).await.unwrap();
        assert_eq!(report.state, RunState::Completed);
        assert_eq!(fake.asked.lock().unwrap().len(), asked);
        assert_eq!(fake.sent().len(), 2);
    }
}

#[tokio::test]
async fn a_refusal_of_what_is_there_already_may_be_of_its_own_making() {
    let mut plan = OrchestrationPlan::clone(&plan(&[("a", &[])]));
    let body = r#"{"id": "R-1"}"#.to_owned();
    plan.task_flow[0].request.as_mut().unwrap().body =
        Some(crate::plan::flow::Body::new(body).unwrap());
    let plan = Arc::new(plan);
    let conflict = || Outcome::Rejected {
        status: 409,
        reason: "409 Conflict".into(),
    };
    // The first time it is somebody else's.
    let fake = of_manner(Manner::Readable, &[("a", &[conflict()])]);
    let report = run(&fake, &plan, &Memory::planned(&plan)).await.unwrap();
    assert_eq!(
        (report.state, fake.asked.lock().unwrap().len()),
        (RunState::Held, 0)
    );
    // A 503 that had its effect all the same.
    let fake = of_manner(Manner::Readable, &[("a", &[failed(), conflict()])]);
    fake.effects.lock().unwrap().insert("a".into(), 1);
    let report = run(&fake, &plan, &Memory::planned(&plan)).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(fake.effects.lock().unwrap()["a"], 1);
}

/// A task that makes a resource with an id, at an endpoint that has failed and then accepted it.
fn accepted_again(left: usize) -> (Arc<OrchestrationPlan>, Memory) {
    let mut plan = OrchestrationPlan::clone(&plan(&[("a", &[])]));
    let body = r#"{"id": "R-1"}"#.to_owned();
    plan.task_flow[0].request.as_mut().unwrap().body =
        Some(crate::plan::flow::Body::new(body).unwrap());
    let plan = Arc::new(plan);
    let log = Memory::planned(&plan);
    let started = |attempt| {
        Event::Started(Started {
            task: "a".into(),
            attempt,
            idempotency_key: "k".into(),
            request_digest: "d".into(),
            point_of_no_return: false,
        })
    };
    let events = [
        started(1),
        Event::AttemptFailed(AttemptFailed {
            task: "a".into(),
            attempt: 1,
            failure: Failure::Failed,
            status: Some(503),
            reason: "503".into(),
            class: Some(FailureClass::Busy),
            retry_at: None,
        }),
        started(2),
        Event::Accepted(Accepted {
            task: "a".into(),
            attempt: 2,
            monitor: "m/1".into(),
        }),
    ];
    for event in events.into_iter().take(left) {
        log.write(event);
    }
    (plan, log)
}

#[tokio::test]
async fn a_monitor_that_tells_of_what_is_there_already_is_not_asked_for_ever() {
    for there in [true, false] {
        let (plan, log) = accepted_again(4);
        let fake = of_manner(Manner::Readable, &[]);
        if there {
            fake.effects.lock().unwrap().insert("a".into(), 1);
        }
        let conflict = Outcome::Rejected {
            status: 409,
            reason: "monitor in error: 409".into(),
        };
        fake.findings.lock().unwrap().push(Finding::Ended(conflict));
        let report = run(&fake, &plan, &log).await.unwrap();
        let (state, asked) = (report.state, fake.asked.lock().unwrap().len());
        let reason = report.progress.task("a").unwrap().reason.clone();
        assert!(fake.sent().is_empty());
        if there {
            assert_eq!((state, asked), (RunState::Completed, 2));
        } else {
            assert_eq!(state, RunState::Held);
            let why = "monitor in error: 409; an earlier request may have made it, but not there";
            assert_eq!(reason.as_deref(), Some(why));
        }
    }
}

/// Killed, or held, while the monitor said nothing yet; then it says that the request was refused, or has
/// failed.
#[tokio::test]
async fn what_a_monitor_says_later_is_written_down_as_it_is() {
    let started = Event::Started(Started {
        task: "a".into(),
        attempt: 1,
        idempotency_key: "k".into(),
        request_digest: "d".into(),
        point_of_no_return: false,
    });
    let accepted = Event::Accepted(Accepted {
        task: "a".into(),
        attempt: 1,
        monitor: "m/1".into(),
    });
    let unknown = Event::AttemptFailed(AttemptFailed {
        task: "a".into(),
        attempt: 1,
        failure: Failure::Unknown,
        status: Some(202),
        reason: "accepted, but its monitor does not answer".into(),
        class: Some(FailureClass::Timeout),
        retry_at: None,
    });
    let held = Event::Held(Held {
        task: "a".into(),
        reason: "outcome unknown".into(),
        on_failure: None,
    });
    let killed = vec![started, accepted];
    let held = [killed.clone(), vec![unknown, held]].concat();
    let refused = || Outcome::Rejected {
        status: 422,
        reason: "monitor in error: 422".into(),
    };
    let failed = || Outcome::Failed {
        status: None,
        class: FailureClass::ServerError,
        reason: "monitor in error".into(),
        retry_after: None,
    };
    for on_failure in [None, Some(crate::plan::flow::OnFailure::Fail)] {
        let mut plan = OrchestrationPlan::clone(&plan(&[("a", &[])]));
        plan.task_flow[0].on_failure = on_failure;
        let once = json!({"timeout": 0, "serverError": 0});
        plan.task_flow[0].retry = Some(serde_json::from_value(once).unwrap());
        let plan = Arc::new(plan);
        for before in [&killed, &held] {
            for outcome in [refused(), failed()] {
                let log = Memory::planned(&plan);
                for event in before {
                    log.write(event.clone());
                }
                let fake = of_manner(Manner::Readable, &[]);
                fake.findings.lock().unwrap().push(Finding::Ended(outcome));
                let report = run(&fake, &plan, &log).await.unwrap();
                let task = report.progress.task("a").unwrap();
                let reason = task.reason.as_deref().unwrap();
                assert!(reason.starts_with("monitor in error"), "{reason}");
                let expected = match on_failure {
                    None => RunState::Held,
                    Some(_) => RunState::Failed,
                };
                assert_eq!(report.state, expected);
                assert!(fake.sent().is_empty());
                // It can be gone on with.
                run(&fake, &plan, &log).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn what_is_gone_already_is_removed() {
    let mut plan = OrchestrationPlan::clone(&plan(&[("a", &[])]));
    let request = plan.task_flow[0].request.as_mut().unwrap();
    request.method = crate::plan::flow::Method::Delete;
    request.body = None;
    let plan = Arc::new(plan);
    let gone = Outcome::Rejected {
        status: 404,
        reason: "404 Not Found".into(),
    };
    for manner in [Manner::Keys, Manner::Readable, Manner::Neither] {
        let fake = of_manner(manner, &[("a", std::slice::from_ref(&gone))]);
        let report = run(&fake, &plan, &Memory::planned(&plan)).await.unwrap();
        let task = report.progress.task("a").unwrap();
        assert_eq!(task.state, TaskState::Completed);
        assert_eq!(task.reason.as_deref(), Some("it was gone already"));
        assert_eq!(task.status, Some(404));
    }
}

#[tokio::test]
async fn a_task_in_doubt_is_asked_for_before_it_is_given_up() {
    let mut plan = OrchestrationPlan::clone(&plan(&[("a", &[]), ("b", &[])]));
    for task in &mut plan.task_flow {
        task.on_failure = Some(crate::plan::flow::OnFailure::Fail);
    }
    let plan = Arc::new(plan);
    let log = Memory::planned(&plan);
    let lost = [unknown(), unknown(), unknown()];
    let fake = of_manner(Manner::Readable, &[("a", &lost)]);
    let nothing = || Finding::NotDone {
        status: 404,
        reason: "not there".into(),
    };
    fake.findings
        .lock()
        .unwrap()
        .extend([nothing(), nothing(), nothing()]);
    let report = run(&fake, &plan, &log).await.unwrap();
    assert_eq!(report.state, RunState::Failed);
    let task = report.progress.task("a").unwrap();
    assert_eq!(task.reason.as_deref(), Some("no answer (3 attempts)"));
    assert_eq!(fake.sent().iter().filter(|it| *it == "a").count(), 3);
}

/// What a request comes to that was accepted, and names no monitor.
fn accepted() -> Outcome {
    Outcome::Unknown {
        class: FailureClass::Malformed,
        reason: "accepted, but the answer names no monitor".into(),
        accepted: true,
    }
}

/// An endpoint that can be asked, and shows the effect of a request after so many questions.
fn late(outcome: Outcome, questions: usize) -> Arc<Fake> {
    let fake = of_manner(Manner::Readable, &[("a", &[outcome])]);
    let findings = std::iter::repeat_with(|| finding(false));
    fake.findings
        .lock()
        .unwrap()
        .extend(findings.take(questions));
    fake
}

/// A run on a clock that jumps, at an endpoint whose effects may come within half a minute.
async fn run_settling(
    fake: &Arc<Fake>,
    plan: &Arc<OrchestrationPlan>,
    log: &Memory,
    idempotent: bool,
) -> Result<Report, ActivateError> {
    let mut pool = Pool::default();
    let terms = Terms {
        settle: Duration::from_secs(30),
        idempotent,
        ..fake.manner.terms(8, 2)
    };
    pool.add("olt", Arc::clone(fake), terms);
    let (_stopper, stop) = Stopper::new();
    rehearsing(pool, stop)
        .run(Arc::clone(plan), log.clone(), &log.kept())
        .await
}

/// For every entry, killed before it is durable and after: what comes late comes once, whether it
/// was accepted or its answer was lost.
#[tokio::test]
async fn an_effect_that_comes_late_is_waited_for() {
    let plan = plan(&[("a", &[])]);
    for outcome in [accepted, unknown] {
        let whole = rehearsed(&plan);
        let fake = late(outcome(), 4);
        let report = run_settling(&fake, &plan, &whole, false).await.unwrap();
        assert_eq!(report.state, RunState::Completed);
        assert_eq!(fake.sent(), ["a"]);
        let asked = whole.lines().iter().filter(|it| *it == "asked a").count();
        assert_eq!(asked, 4);
        // Killed before its intent is durable, nothing was sent that could come late.
        for place in 2..whole.kept().len() {
            for after in [false, true] {
                let fake = late(outcome(), 4);
                let mut log = Memory {
                    dies_at: Some((place, after)),
                    ..rehearsed(&plan)
                };
                run_settling(&fake, &plan, &log, false).await.unwrap_err();
                log.dies_at = None;
                let report = run_settling(&fake, &plan, &log, false).await.unwrap();
                assert_eq!(report.state, RunState::Completed, "{place} {after}");
                assert_eq!(fake.sent(), ["a"], "{place} {after}");
            }
        }
    }
}

#[tokio::test]
async fn what_does_not_come_in_time_is_sent_again_unless_it_was_accepted() {
    let plan = plan(&[("a", &[])]);
    let log = rehearsed(&plan);
    let fake = late(unknown(), 1000);
    let report = run_settling(&fake, &plan, &log, false).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(fake.sent(), ["a", "a"]);
    let entries = log.kept();
    let sent: Vec<Timestamp> = entries
        .iter()
        .filter(|it| matches!(it.event, Event::Started(_)))
        .map(|it| it.at)
        .collect();
    assert!(sent[1].duration_since(sent[0]).as_secs() >= 30);
    assert!(fake.asked.lock().unwrap().len() < 12, "ever more seldom");

    // Whatever its policy is: it was accepted, so it has not failed.
    let mut plan = OrchestrationPlan::clone(&plan);
    plan.task_flow[0].on_failure = Some(crate::plan::flow::OnFailure::Fail);
    let plan = Arc::new(plan);
    let log = rehearsed(&plan);
    let fake = late(accepted(), 1000);
    for _ in 0..2 {
        let report = run_settling(&fake, &plan, &log, false).await.unwrap();
        assert_eq!(report.state, RunState::Held);
        let task = report.progress.task("a").unwrap();
        assert_eq!(
            task.reason.as_deref(),
            Some(
                "outcome unknown: accepted, but the answer names no monitor; endpoint olt has \
                 accepted it, and not there: find out, then complete or retry the task by hand"
            )
        );
        assert!(task.is_unsettled());
        assert_eq!(fake.sent(), ["a"]);
    }
    log.write(retried("a"));
    let report = run_settling(&fake, &plan, &log, false).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    assert_eq!(fake.sent(), ["a", "a"], "a person lets it be sent again");
}

#[tokio::test]
async fn an_endpoint_that_knows_repetitions_is_sent_what_it_accepted_again_once_time_is_over() {
    let plan = plan(&[("a", &[])]);
    let log = rehearsed(&plan);
    let fake = late(accepted(), 1000);
    let report = run_settling(&fake, &plan, &log, true).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    let sent = fake.calls.lock().unwrap().clone();
    assert_eq!(sent[0], sent[1], "under the same key");
    assert!(log.lines().iter().filter(|it| *it == "asked a").count() > 2);
    // An answer that was lost needs no waiting there.
    let log = rehearsed(&plan);
    let fake = late(unknown(), 1000);
    let report = run_settling(&fake, &plan, &log, true).await.unwrap();
    assert_eq!(report.state, RunState::Completed);
    let expected = ["started a", "attemptFailed a", "asked a", "started a"];
    assert_eq!(log.lines()[1..5], expected);
}

/// For every entry, killed before it is durable and after: at an endpoint that knows repetitions
/// by their keys and at one that can be asked, each effect happens once, and none is missing. At
/// one that does neither, nothing happens twice, and what is in doubt is held.
#[tokio::test]
async fn wherever_it_is_killed_every_effect_happens_once_at_endpoints_of_every_kind() {
    let plan = plan(&BROADBAND);
    for manner in [Manner::Keys, Manner::Readable, Manner::Neither] {
        let script: &[(&str, &[Outcome])] = match manner {
            Manner::Neither => &[("vlan", &[failed()])],
            Manner::Keys | Manner::Readable => {
                &[("vlan", &[failed(), unknown()]), ("cpe", &[unknown()])]
            }
        };
        let whole = Memory::planned(&plan);
        run(&of_manner(manner, script), &plan, &whole)
            .await
            .unwrap();
        for place in 1..whole.kept().len() {
            for after in [false, true] {
                let fake = of_manner(manner, script);
                let mut log = Memory {
                    dies_at: Some((place, after)),
                    ..Memory::planned(&plan)
                };
                run(&fake, &plan, &log).await.unwrap_err();
                log.dies_at = None;
                let mut report = run(&fake, &plan, &log).await.unwrap();
                let label = format!("{manner:?}, killed at {place}, {after}");
                if manner == Manner::Neither && report.state == RunState::Held {
                    // A person looks, and says what there is.
                    let held: Vec<String> =
                        report.progress.held().map(|it| it.id.clone()).collect();
                    for task in held {
                        let is_done = fake.effects.lock().unwrap().contains_key(&task);
                        log.write(if is_done {
                            completed(&task)
                        } else {
                            retried(&task)
                        });
                    }
                    report = run(&fake, &plan, &log).await.unwrap();
                }
                assert_eq!(report.state, RunState::Completed, "{label}");
                assert_eq!(*fake.effects.lock().unwrap(), each_once(), "{label}");
                assert_in_order(&plan, &log.kept());
            }
        }
    }
}

/// The broadband order, each task of which can be undone.
fn undoable() -> Arc<OrchestrationPlan> {
    let mut plan = OrchestrationPlan::clone(&plan(&BROADBAND));
    for task in &mut plan.task_flow {
        let body = json!({"id": task.id}).to_string();
        let body = crate::plan::flow::Body::new(body).unwrap();
        task.request.as_mut().unwrap().body = Some(body);
        task.compensation = Some(crate::plan::flow::Compensation::Request(
            crate::plan::flow::Request {
                method: crate::plan::flow::Method::Delete,
                path: format!("resource/{}", task.id),
                body: None,
            },
        ));
    }
    Arc::new(plan)
}

/// A journal in which an order was cancelled after so many entries of its way, and the plan for that.
fn cancelled(after: &[Entry]) -> Option<(Arc<OrchestrationPlan>, Memory)> {
    let plan = undoable();
    let progress = Progress::replay(&plan, after).unwrap();
    let bundles = crate::revision::Bundles::default();
    let standing = crate::revision::Standing {
        plan: &plan,
        progress: &progress,
        bundles: &bundles,
    };
    let refuse = crate::revision::Pinned::Refuse;
    let plan = crate::revision::cancel(standing, None, refuse).ok()?;
    let revised = crate::revision::entry(&plan, Vec::new()).unwrap();
    let log = Memory::planned(&plan);
    let mut entries = after.to_vec();
    entries.push(Entry {
        at: after.last().unwrap().at,
        event: Event::Revised(revised),
    });
    *log.entries.lock().unwrap() = entries;
    Some((Arc::new(plan), log))
}

/// Cancelled after every entry of its way, and killed before and after every entry of its undoing:
/// everything that was done is undone once, and what needed a thing before the thing.
#[tokio::test]
async fn wherever_it_is_cancelled_and_killed_everything_is_undone_once() {
    let way = Memory::planned(&undoable());
    let whole = of_manner(Manner::Readable, &[]);
    run(&whole, &undoable(), &way).await.unwrap();
    for manner in [Manner::Keys, Manner::Readable] {
        for cancelled_at in 1..way.kept().len() {
            let Some((plan, undisturbed)) = cancelled(&way.kept()[..cancelled_at]) else {
                continue;
            };
            let undo: Vec<&str> = plan
                .task_flow
                .iter()
                .filter(|task| task.compensates.is_some())
                // What can be asked says that what was under way was not done.
                .filter(|task| {
                    let is_settled = task
                        .relationship
                        .iter()
                        .any(|it| Some(&it.task_flow.id) == task.compensates.as_ref());
                    !(is_settled && manner == Manner::Readable)
                })
                .map(|task| task.id.as_str())
                .collect();
            let from = undisturbed.kept().len();
            let script = [("gpon~undo-1", &[failed(), unknown()][..])];
            let report = run(&of_manner(manner, &script), &plan, &undisturbed).await;
            assert_eq!(report.unwrap().state, RunState::Cancelled);
            for place in from..undisturbed.kept().len() {
                for after in [false, true] {
                    let fake = of_manner(manner, &script);
                    let (plan, mut log) = cancelled(&way.kept()[..cancelled_at]).unwrap();
                    log.dies_at = Some((place, after));
                    run(&fake, &plan, &log).await.unwrap_err();
                    log.dies_at = None;
                    let report = run(&fake, &plan, &log).await.unwrap();
                    let label =
                        format!("{manner:?}, at {cancelled_at}, killed at {place}, {after}");
                    assert_eq!(report.state, RunState::Cancelled, "{label}");
                    let once = undo.iter().map(|id| ((*id).to_owned(), 1)).collect();
                    assert_eq!(*fake.effects.lock().unwrap(), once, "{label}");
                    let entries = log.kept();
                    assert_in_order(&plan, &entries[from..]);
                }
            }
        }
    }
}

/// An endpoint that names things itself, and is told what is sent.
#[derive(Debug, Clone, Default)]
struct Namer(Arc<Mutex<Vec<String>>>);

impl Callable for Namer {
    async fn ask(&self, call: &Call<'_>, inquiry: &Inquiry<'_>) -> Finding {
        let asked = format!("ask {} {:?}", call.task, inquiry.monitor);
        self.0.lock().unwrap().push(asked);
        let named = json!({"id": "SRV-1"});
        Finding::Ended(Outcome::Completed {
            status: 200,
            resource: Some(serde_json::value::to_raw_value(&named).unwrap()),
        })
    }

    async fn send(&self, call: &Call<'_>) -> Outcome {
        let Call { request, .. } = call;
        let sent = format!("{} {}", request.method.name(), request.path);
        self.0.lock().unwrap().push(sent);
        Outcome::Completed {
            status: 204,
            resource: None,
        }
    }
}

#[tokio::test]
async fn what_was_accepted_is_asked_for_to_its_end_and_undone_as_it_was_named() {
    let way = Memory::planned(&undoable());
    let events = [
        Event::Started(Started {
            task: "gpon".into(),
            attempt: 1,
            idempotency_key: "key-gpon".into(),
            request_digest: "sha256:0".into(),
            point_of_no_return: false,
        }),
        Event::Accepted(Accepted {
            task: "gpon".into(),
            attempt: 1,
            monitor: "http://olt/monitor/1".into(),
        }),
    ];
    let mut entries = way.kept();
    let at = entries[0].at;
    entries.extend(events.map(|event| Entry { at, event }));
    let (plan, log) = cancelled(&entries).unwrap();
    let namer = Namer::default();
    let mut pool = Pool::default();
    pool.add("olt", namer.clone(), Terms::default());
    let (_stopper, stop) = Stopper::new();
    let engine = Engine {
        clock: Arc::new(Ticking::default()),
        pool: Arc::new(pool),
        stop,
        grace: Duration::from_secs(10),
        waits: Waits::Leave,
        observer: Arc::new(()),
    };
    let entries = log.kept();
    let report = engine.run(plan, log, &entries).await.unwrap();
    assert_eq!(report.state, RunState::Cancelled);
    assert_eq!(
        *namer.0.lock().unwrap(),
        [
            "ask gpon Some(\"http://olt/monitor/1\")",
            "DELETE resource/SRV-1"
        ]
    );
}
