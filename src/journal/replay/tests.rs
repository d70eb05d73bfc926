//! The fold: what it accepts, what it refuses, and that it is a fold.

use proptest::prelude::*;

use super::*;
use crate::journal::ClockKind;
use crate::journal::entry::{
    AttemptFailed, Completed, Failed, Held, MilestoneReached, Started, WindowMissed,
};

const TASKS: [&str; 3] = ["a", "b", "c"];

fn alone(id: &str) -> Needs<'_> {
    Needs {
        id,
        ..Needs::default()
    }
}

fn three() -> Progress {
    Progress::of_tasks(TASKS.map(alone))
}

fn entry(second: i64, event: Event) -> Entry {
    Entry {
        at: Timestamp::from_second(second).unwrap(),
        event,
    }
}

fn planned() -> Event {
    Event::Planned(Planned {
        order_id: "1".into(),
        external_id: None,
        plan_digest: "sha256:0".into(),
        tasks: 3,
        clock: ClockKind::System,
    })
}

fn started(task: &str, attempt: u32) -> Event {
    Event::Started(Started {
        task: task.into(),
        attempt,
        idempotency_key: format!("key-{task}"),
        request_digest: "sha256:1".into(),
        point_of_no_return: false,
    })
}

fn completed(task: &str) -> Event {
    Event::Completed(Completed {
        task: task.into(),
        status: 201,
        resource: None,
        note: None,
    })
}

fn failed(task: &str, attempt: u32) -> Event {
    Event::AttemptFailed(AttemptFailed {
        task: task.into(),
        attempt,
        failure: Failure::Failed,
        status: Some(503),
        reason: "busy".into(),
        class: None,
        retry_at: None,
    })
}

fn held(task: &str) -> Event {
    Event::Held(Held {
        task: task.into(),
        reason: "given up".into(),
        on_failure: None,
    })
}

fn fold(events: Vec<Event>) -> Result<Progress, IllegalEntry> {
    let mut progress = three();
    for (second, event) in (1..).zip(events) {
        progress.apply(&entry(second, event))?;
    }
    Ok(progress)
}

#[test]
fn a_task_goes_from_new_over_failures_and_hold_to_completed() {
    let events = vec![
        planned(),
        started("a", 1),
        failed("a", 1),
        started("a", 2),
        failed("a", 2),
        held("a"),
        started("a", 3),
        completed("a"),
    ];
    let state = |count: usize| {
        let task = fold(events[..count].to_vec())
            .unwrap()
            .task("a")
            .unwrap()
            .clone();
        (
            task.state,
            task.attempts,
            task.failures,
            task.open,
            task.reason,
        )
    };
    let busy = || Some("busy".to_owned());
    assert_eq!(state(1), (TaskState::New, 0, 0, false, None));
    assert_eq!(state(2), (TaskState::Active, 1, 0, true, None));
    assert_eq!(state(3), (TaskState::Active, 1, 1, false, busy()));
    assert_eq!(state(5), (TaskState::Active, 2, 2, false, busy()));
    assert_eq!(
        state(6),
        (TaskState::Hold, 2, 0, false, Some("given up".into()))
    );
    assert_eq!(
        state(7),
        (TaskState::Active, 3, 0, true, Some("given up".into()))
    );
    assert_eq!(state(8), (TaskState::Completed, 3, 0, false, None));
    let done = fold(events).unwrap();
    let task = done.task("a").unwrap();
    assert_eq!(task.started_at, Some(Timestamp::from_second(2).unwrap()));
    assert_eq!(task.finished_at, Some(Timestamp::from_second(8).unwrap()));
    assert_eq!((done.completed(), done.is_completed()), (1, false));
}

#[test]
fn what_cannot_have_happened_is_refused_by_its_place() {
    let message = |events| fold(events).unwrap_err().to_string();
    assert_eq!(
        message(vec![started("a", 1)]),
        "entry 1 (started of task a): comes before the plan"
    );
    assert_eq!(
        message(vec![planned(), planned()]),
        "entry 2 (planned): the plan was taken on already"
    );
    assert_eq!(
        message(vec![planned(), started("z", 1)]),
        "entry 2 (started of task z): the plan has no such task"
    );
    assert_eq!(
        message(vec![
            planned(),
            started("a", 1),
            completed("a"),
            completed("a")
        ]),
        "entry 4 (completed of task a): the task is completed already"
    );
    assert_eq!(
        message(vec![planned(), completed("a")]),
        "entry 2 (completed of task a): no request was sent"
    );
    assert_eq!(
        message(vec![planned(), started("a", 2)]),
        "entry 2 (started of task a): is attempt 2, attempt 1 is due"
    );
    assert_eq!(
        message(vec![planned(), held("a")]),
        "entry 2 (held of task a): nothing has failed"
    );
    let mut two = Progress::of_tasks(["a", "b"].map(alone));
    assert_eq!(
        two.apply(&entry(1, planned())).unwrap_err().to_string(),
        "entry 1 (planned): says 3 tasks, the plan has 2"
    );
}

fn by_hand(task: &str) -> ByHand {
    ByHand {
        task: task.into(),
        by: "jane".into(),
        reason: None,
    }
}

fn given_up(task: &str) -> Event {
    Event::Failed(Failed {
        task: task.into(),
        reason: "given up".into(),
        on_failure: None,
    })
}

fn window_missed(task: &str) -> Event {
    Event::WindowMissed(WindowMissed {
        task: task.into(),
        end: "2026-12-01T00:00:00Z".into(),
    })
}

fn reached(task: &str) -> Event {
    Event::MilestoneReached(MilestoneReached { task: task.into() })
}

/// Three tasks, each of which needs the one before it.
fn in_a_row() -> Progress {
    let task = |id, needs| Needs {
        id,
        name: "Bearer",
        needs,
        ends_wave: false,
        compensates: None,
    };
    Progress::of_tasks([
        task("a", vec![]),
        task("b", vec!["a"]),
        task("c", vec!["b"]),
    ])
}

#[test]
fn what_needs_a_task_that_failed_is_given_up_with_it() {
    let mut progress = in_a_row();
    for (second, event) in (1..).zip([planned(), started("a", 1), failed("a", 1)]) {
        assert_eq!(progress.apply(&entry(second, event)), Ok(vec![]));
    }
    let ended = progress.apply(&entry(4, given_up("a")));
    assert_eq!(ended, Ok(vec![0, 1, 2]));
    assert_eq!((progress.given_up(), progress.has_ended()), (3, true));
    let last = progress.task("c").unwrap();
    assert_eq!(last.outcome, Some(TaskOutcome::GivenUp));
    assert_eq!(last.changed_at, Some(Timestamp::from_second(4).unwrap()));
    assert_eq!(
        last.reason.as_deref(),
        Some("needs Bearer (a), which failed")
    );
    assert_eq!(progress.failed().count(), 1);
}

#[test]
fn what_a_person_has_done_is_not_given_up() {
    let mut progress = in_a_row();
    let skipped = Event::Skipped(by_hand("b"));
    for (second, event) in (1..).zip([planned(), skipped]) {
        progress.apply(&entry(second, event)).unwrap();
    }
    let ended = progress.apply(&entry(3, Event::FailedByHand(by_hand("a"))));
    assert_eq!(ended, Ok(vec![0]));
    let task = progress.task("a").unwrap();
    assert_eq!(
        (task.by.as_deref(), task.reason.as_deref()),
        (Some("jane"), Some("failed by jane"))
    );
    assert!(!progress.has_ended(), "nothing keeps c from being done");
}

#[test]
fn a_missed_window_holds_until_it_is_begun_by_somebody() {
    let held = fold(vec![planned(), window_missed("a")]).unwrap();
    let task = held.task("a").unwrap();
    assert_eq!((task.state, task.window_missed), (TaskState::Hold, true));
    assert_eq!(
        task.reason.as_deref(),
        Some("window missed: it ended at 2026-12-01T00:00:00Z")
    );
    assert_eq!(held.held().count(), 1);
}

#[test]
fn what_people_and_milestones_cannot_have_done_is_refused() {
    let message = |events| fold(events).unwrap_err().to_string();
    let begun = |event| vec![planned(), started("a", 1), event];
    assert_eq!(
        message(begun(reached("a"))),
        "entry 3 (milestoneReached of task a): the task has begun already"
    );
    assert_eq!(
        message(begun(window_missed("a"))),
        "entry 3 (windowMissed of task a): the task has begun already"
    );
    assert_eq!(
        message(begun(given_up("a"))),
        "entry 3 (failed of task a): nothing has failed"
    );
    let failed = Event::FailedByHand(by_hand("a"));
    assert_eq!(
        message(vec![planned(), failed.clone(), failed]),
        "entry 3 (failedByHand of task a): the task has failed already"
    );
    let mut progress = in_a_row();
    let failed = Event::FailedByHand(by_hand("a"));
    for event in [planned(), failed] {
        progress.apply(&entry(1, event)).unwrap();
    }
    assert_eq!(
        progress
            .apply(&entry(2, started("b", 1)))
            .unwrap_err()
            .to_string(),
        "entry 3 (started of task b): the task was given up"
    );
}

fn any_event() -> impl Strategy<Value = Event> {
    let task = prop::sample::select(vec!["a", "b", "c", "z"]);
    (0..16_u8, task, 1..4_u32).prop_map(|(kind, task, attempt)| match kind {
        0 => planned(),
        1..=3 => started(task, attempt),
        4 | 5 => completed(task),
        6 | 7 => failed(task, attempt),
        8 => held(task),
        9 => given_up(task),
        10 => window_missed(task),
        11 => reached(task),
        12 => Event::CompletedByHand(by_hand(task)),
        13 => Event::Skipped(by_hand(task)),
        14 => Event::FailedByHand(by_hand(task)),
        _ => Event::Released(by_hand(task)),
    })
}

proptest! {
    #[test]
    fn any_entries_are_folded_or_refused_and_a_refusal_changes_nothing(
        events in prop::collection::vec(any_event(), 0..40),
    ) {
        let mut progress = in_a_row();
        for (second, event) in (1..).zip(events) {
            let before = format!("{progress:?}");
            let ended = progress.apply(&entry(second, event));
            if ended.is_err() {
                prop_assert_eq!(format!("{:?}", progress), before);
            }
            for task in ended.into_iter().flatten() {
                prop_assert!(progress.tasks()[task].has_ended());
            }
            let count = |state| progress.tasks().iter().filter(|it| it.state == state).count();
            prop_assert_eq!(progress.completed(), count(TaskState::Completed));
            prop_assert_eq!(progress.given_up(), count(TaskState::Cancelled));
        }
    }

    #[test]
    fn replaying_a_prefix_and_then_the_rest_is_replaying_all(
        events in prop::collection::vec(any_event(), 0..60),
        cut in 0..60_usize,
    ) {
        let mut legal = vec![entry(0, planned())];
        let mut whole = in_a_row();
        whole.apply(&legal[0]).unwrap();
        for (second, event) in (1..).zip(events) {
            let next = entry(second, event);
            if whole.apply(&next).is_ok() {
                legal.push(next);
            }
        }
        let cut = cut.min(legal.len());
        let mut resumed = in_a_row();
        for next in &legal[..cut] {
            resumed.apply(next).unwrap();
        }
        let mut resumed = resumed.clone();
        for next in &legal[cut..] {
            resumed.apply(next).unwrap();
        }
        prop_assert_eq!(resumed.tasks.len(), whole.tasks.len());
        prop_assert_eq!(format!("{:?}", resumed.tasks), format!("{:?}", whole.tasks));
        prop_assert_eq!(resumed.entries(), whole.entries());
    }
}

#[test]
fn what_ends_a_wave_is_not_given_up_but_left_to_a_person() {
    let task = |id, needs, ends_wave| Needs {
        id,
        name: "",
        needs,
        ends_wave,
        compensates: None,
    };
    let mut progress = Progress::of_tasks([
        task("site", vec![], false),
        task("wave", vec!["site"], true),
        task("next", vec!["wave"], false),
    ]);
    progress.apply(&entry(1, planned())).unwrap();
    progress
        .apply(&entry(2, Event::FailedByHand(by_hand("site"))))
        .unwrap();
    let states = |progress: &Progress| {
        let tasks = progress.tasks().iter();
        tasks.map(|it| it.state).collect::<Vec<_>>()
    };
    assert_eq!(
        states(&progress),
        [TaskState::Cancelled, TaskState::Hold, TaskState::New]
    );
    assert_eq!(
        progress.task("wave").unwrap().reason.as_deref(),
        Some("needs site, which failed: release it, or fail it")
    );
    let mut failed = progress.clone();
    progress
        .apply(&entry(3, Event::Released(by_hand("wave"))))
        .unwrap();
    assert_eq!(
        states(&progress)[1..],
        [TaskState::Completed, TaskState::New]
    );
    failed
        .apply(&entry(3, Event::FailedByHand(by_hand("wave"))))
        .unwrap();
    assert_eq!(
        states(&failed)[1..],
        [TaskState::Cancelled, TaskState::Cancelled]
    );
}
