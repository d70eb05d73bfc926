//! The frontier over plans of any shape.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::journal::ClockKind;
use crate::journal::entry::{Completed, Entry, Event, Planned, Started};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A plan in which task `n` waits for the tasks listed at `n`.
fn plan(waits_for: &[Vec<usize>]) -> OrchestrationPlan {
    let task = |(id, before): (usize, &Vec<usize>)| -> Value {
        let relationship: Vec<_> = before
            .iter()
            .map(|it| {
                let task_flow = json!({"id": it.to_string()});
                json!({"relationshipType": "finishToStart", "taskFlow": task_flow})
            })
            .collect();
        json!({
            "id": id.to_string(), "@type": "TaskFlow", "name": "", "kind": "activation",
            "state": "new", "relatedEntity": [], "taskFlowRelationship": relationship,
            "endpoint": "e", "request": {"method": "DELETE", "path": "p"}, "idempotencyKey": "k",
            "duration": "PT0S", "earliestStart": "PT0S", "latestStart": "PT0S", "slack": "PT0S",
            "critical": false, "wave": 1
        })
    };
    let plan = json!({
        "@type": "OrchestrationPlan", "@baseType": "ProcessFlow", "formatVersion": "1.0",
        "id": "1.P", "processFlowSpecification": "OrchestrationPlan/1", "state": "active",
        "relatedEntity": [], "digest": {"order": [], "plan": "sha256:aa"},
        "schedule": {
            "expectedDuration": "PT0S", "totalDuration": "PT0S", "waves": 1, "criticalPath": []
        },
        "taskFlow": waits_for.iter().enumerate().map(task).collect::<Vec<_>>()
    });
    serde_json::from_str(&plan.to_string()).unwrap()
}

/// The progress after these tasks were completed, in this order.
fn after(plan: &OrchestrationPlan, completed: &[usize]) -> Progress {
    let mut progress = Progress::new(plan);
    let tasks = u32::try_from(plan.task_flow.len()).unwrap();
    let planned = Planned {
        order_id: "1".into(),
        external_id: None,
        plan_digest: "sha256:aa".into(),
        tasks,
        clock: ClockKind::System,
    };
    let mut apply = |event| {
        let at = jiff::Timestamp::UNIX_EPOCH;
        progress.apply(&Entry { at, event }).unwrap();
    };
    apply(Event::Planned(planned));
    for task in completed {
        apply(Event::Started(Started {
            task: task.to_string(),
            attempt: 1,
            idempotency_key: "k".into(),
            request_digest: "sha256:bb".into(),
            point_of_no_return: false,
        }));
        let task = task.to_string();
        apply(Event::Completed(Completed {
            task,
            status: 204,
            resource: None,
            note: None,
        }));
    }
    progress
}

/// Tasks that each wait for some of those before them.
fn any_order() -> impl Strategy<Value = Vec<Vec<usize>>> {
    prop::collection::vec(
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        1..30,
    )
    .prop_map(|tasks| {
        let before = |(at, picks): (usize, Vec<prop::sample::Index>)| {
            picks
                .into_iter()
                .filter(|_| at > 0)
                .map(|it| it.index(at.max(1)))
                .collect()
        };
        tasks.into_iter().enumerate().map(before).collect()
    })
}

proptest! {
    #[test]
    fn every_task_starts_once_and_after_all_that_it_waits_for(
        waits_for in any_order(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 30),
        cut in 0..30_usize,
    ) {
        let plan = plan(&waits_for);
        let mut frontier = Frontier::new(&plan, &Progress::new(&plan)).unwrap();
        let (mut under_way, mut done) = (Vec::new(), Vec::new());
        for pick in &picks {
            if done.len() == cut {
                // Killed and gone on with: what was under way is to be done again.
                frontier = Frontier::new(&plan, &after(&plan, &done)).unwrap();
                under_way.clear();
            }
            while let Some(task) = frontier.start(NOW) {
                prop_assert!(waits_for[task].iter().all(|before| done.contains(before)));
                prop_assert!(!done.contains(&task) && !under_way.contains(&task));
                under_way.push(task);
            }
            if under_way.is_empty() {
                break;
            }
            let task = under_way.swap_remove(pick.index(under_way.len()));
            done.push(task);
            frontier.ended(task, NOW, true);
        }
        prop_assert_eq!(done.len(), waits_for.len());
        prop_assert!(!frontier.is_ready());
    }
}

#[test]
fn tasks_that_wait_for_themselves_or_each_other_are_named() {
    let fault = |waits_for: &[Vec<usize>]| {
        let plan = plan(waits_for);
        Frontier::new(&plan, &Progress::new(&plan)).unwrap_err()
    };
    let cycle = |tasks: &[&str]| PlanFault::Cycle {
        tasks: tasks.iter().map(|it| (*it).to_owned()).collect(),
    };
    assert_eq!(fault(&[vec![0]]), cycle(&["0"]));
    assert_eq!(fault(&[vec![], vec![2], vec![1]]), cycle(&["1", "2"]));
}

#[test]
fn a_plan_of_no_tasks_has_nothing_to_start() {
    let plan = plan(&[]);
    let mut frontier = Frontier::new(&plan, &Progress::new(&plan)).unwrap();
    assert_eq!(frontier.start(NOW), None);
}
