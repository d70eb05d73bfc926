//! Requests whose outcome is not known, at endpoints of every kind.

use super::*;
use crate::journal::entry::ByHand;

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
