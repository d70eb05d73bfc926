//! What people may decide, and what not.

use serde_json::{Value, json};

use super::*;
use crate::journal::Entry;
use crate::journal::entry::{AttemptFailed, Failure, Held, Planned, Started};

/// A request, a survey after it, a wave's milestone, and one that people release.
fn plan() -> OrchestrationPlan {
    let task = |id: &str, kind: &str, after: &[&str], wave: Option<&str>| -> Value {
        let after: Vec<Value> = after
            .iter()
            .map(|id| json!({"relationshipType": "finishToStart", "taskFlow": {"id": id}}))
            .collect();
        let mut task = json!({
            "id": id, "@type": "TaskFlow", "name": id.to_uppercase(), "kind": kind, "state": "new",
            "relatedEntity": [], "taskFlowRelationship": after, "duration": "PT0S",
            "earliestStart": "PT0S", "latestStart": "PT0S", "slack": "PT0S", "critical": false,
            "wave": 1
        });
        if let Some(wave) = wave {
            task["rolloutWave"] = wave.into();
        }
        task
    };
    let plan = json!({
        "@type": "OrchestrationPlan", "@baseType": "ProcessFlow", "formatVersion": "1.0",
        "id": "1.P", "processFlowSpecification": "OrchestrationPlan/1", "state": "active",
        "relatedEntity": [], "digest": {"order": [], "plan": "sha256:aa"},
        "schedule": {
            "expectedDuration": "PT0S", "totalDuration": "PT0S", "waves": 1, "criticalPath": []
        },
        "taskFlow": [
            task("port", "activation", &[], None),
            task("survey", "manual", &["port"], None),
            task("pilot", "milestone", &["survey"], Some("pilot")),
            task("wave", "manual", &["survey"], Some("wave"))
        ]
    });
    serde_json::from_str(&plan.to_string()).unwrap()
}

fn progress(events: Vec<Event>) -> Progress {
    let mut progress = Progress::new(&plan());
    let planned = Event::Planned(Planned {
        order_id: "1".into(),
        external_id: None,
        plan_digest: "sha256:aa".into(),
        tasks: 4,
        clock: crate::journal::ClockKind::System,
    });
    for event in std::iter::once(planned).chain(events) {
        let at = jiff::Timestamp::UNIX_EPOCH;
        progress.apply(&Entry { at, event }).unwrap();
    }
    progress
}

fn started() -> Event {
    Event::Started(Started {
        task: "port".into(),
        attempt: 1,
        idempotency_key: "k".into(),
        request_digest: "sha256:bb".into(),
        point_of_no_return: false,
    })
}

fn failed() -> Event {
    Event::AttemptFailed(AttemptFailed {
        task: "port".into(),
        attempt: 1,
        failure: Failure::Rejected,
        status: Some(422),
        reason: "no such port".into(),
        class: None,
        retry_at: None,
    })
}

fn held() -> Event {
    Event::Held(Held {
        task: "port".into(),
        reason: "no such port".into(),
        on_failure: None,
    })
}

fn by_hand(deed: Deed, task: &str) -> Event {
    deed.event(ByHand {
        task: task.into(),
        by: "jane".into(),
        reason: None,
    })
}

/// The kind of the entry that comes of it, or why there is none.
fn decided(progress: &Progress, deed: Deed, task: &str) -> Result<&'static str, String> {
    let decision = Decision {
        task: task.to_owned(),
        deed,
        by: "jane".into(),
        reason: None,
    };
    decide(&plan(), progress, &decision, Some(7))
        .map(|event| event.kind())
        .map_err(|refusal| refusal.to_string())
}

#[test]
fn a_held_task_can_be_completed_skipped_or_failed_by_hand() {
    let held = progress(vec![started(), failed(), held()]);
    for (deed, kind) in [
        (Deed::Complete, "completedByHand"),
        (Deed::Skip, "skipped"),
        (Deed::Fail, "failedByHand"),
    ] {
        assert_eq!(decided(&held, deed, "port"), Ok(kind));
        assert_eq!(decided(&held, deed, "PORT"), Ok(kind));
    }
}

#[test]
fn a_request_that_is_waited_for_is_left_to_who_waits() {
    let open = progress(vec![started()]);
    assert_eq!(
        decided(&open, Deed::Skip, "port").unwrap_err(),
        "task port cannot be skipped: request 1 was sent, and process 7 waits for its answer; wait \
         too, or stop that process first"
    );
    let decision = Decision {
        task: "port".into(),
        deed: Deed::Complete,
        by: "jane".into(),
        reason: None,
    };
    // Nobody waits any more: a person finds out what came of it.
    assert!(decide(&plan(), &open, &decision, None).is_ok());
    let between = progress(vec![started(), failed()]);
    assert_eq!(decided(&between, Deed::Skip, "port"), Ok("skipped"));
}

#[test]
fn what_comes_before_has_to_be_done_or_left_out() {
    let new = progress(vec![]);
    let message = decided(&new, Deed::Complete, "survey").unwrap_err();
    assert!(message.starts_with("task survey cannot be completed: it waits for PORT; "));
    assert_eq!(decided(&new, Deed::Skip, "survey"), Ok("skipped"));
    let skipped = progress(vec![by_hand(Deed::Skip, "port")]);
    assert_eq!(
        decided(&skipped, Deed::Complete, "survey"),
        Ok("completedByHand")
    );
}

#[test]
fn waves_are_released_and_nothing_else() {
    let new = progress(vec![]);
    for wave in ["pilot", "wave"] {
        assert_eq!(decided(&new, Deed::Release, wave), Ok("released"));
        assert_eq!(decided(&new, Deed::Fail, wave), Ok("failedByHand"));
    }
    for (deed, task, instead) in [
        (Deed::Release, "port", "skip"),
        (Deed::Release, "survey", "complete"),
        (Deed::Skip, "pilot", "release"),
        (Deed::Complete, "pilot", "release"),
    ] {
        let message = decided(&new, deed, task).unwrap_err();
        assert!(
            message.ends_with(&format!("; `orderctl task {instead}` does that")),
            "{message}"
        );
    }
}

#[test]
fn what_has_ended_stays_as_it_is() {
    let skipped = progress(vec![by_hand(Deed::Skip, "port")]);
    assert_eq!(
        decided(&skipped, Deed::Complete, "port").unwrap_err(),
        "task port cannot be completed: it was skipped by jane"
    );
    let failed = progress(vec![by_hand(Deed::Fail, "port")]);
    assert_eq!(
        decided(&failed, Deed::Skip, "port").unwrap_err(),
        "task port cannot be skipped: it was failed by jane"
    );
    assert_eq!(
        decided(&failed, Deed::Complete, "survey").unwrap_err(),
        "task survey cannot be completed: it was given up: needs PORT (port), which failed"
    );
    assert_eq!(
        decided(&failed, Deed::Complete, "elsewhere").unwrap_err(),
        "unknown task `elsewhere`; `orderctl task list` lists the tasks of an order"
    );
}
