//! Chains moved on, by hand-made tasks.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::level::reachable;
use super::*;
use crate::document::Document;
use crate::model::state::OrderState;

const PRODUCT: &str = r#"{"@type":"ProductOrder","id":"1","x-keep":[1.0, 2],"state":"acknowledged","productOrderItem":[
  {"id":"1","action":"add","state":"acknowledged","quantity":1.00},
  {"id":"2","action":"noChange","state":"acknowledged"},
  {"id":"3","action":"add"}]}"#;
const SERVICE: &str = r#"{"@type":"ServiceOrder","id":"1.S","state":"acknowledged","orderRelationship":[{"id":"1","relationshipType":"cross-ref"}],
 "serviceOrderItem":[
  {"id":"1.A","action":"add","state":"acknowledged","serviceOrderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1"}}]},
  {"id":"1.B","action":"add","state":"acknowledged","serviceOrderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1"}}]},
  {"id":"1.C","action":"add","state":"acknowledged","serviceOrderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1"}}]}]}"#;
const RESOURCE: &str = r#"{"@type":"ResourceOrder","id":"1.S.R","state":"acknowledged","externalReference":[{"id":"1.S","entityType":"ServiceOrder"}],
 "orderItem":[
  {"id":"a","action":"add","state":"acknowledged","orderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1.A"}}]},
  {"id":"b","action":"add","state":"acknowledged","orderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1.B"}}]},
  {"id":"n","action":"noChange","state":"acknowledged","orderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1.B"}}]}]}"#;
const PLAN: &str = r#"{"@type":"OrchestrationPlan","id":"1.P","state":"active","relatedEntity":[{"id":"1","role":"rootOrder"}],
 "taskFlow":[{"id":"a","state":"new","request":{"body":{"v": 1.50}}},
  {"id":"b","state":"new","taskFlowRelationship":[{"taskFlow":{"id":"a"}}]}]}"#;

fn chain() -> Chain {
    let documents = [PRODUCT, SERVICE, RESOURCE, PLAN].map(|text| {
        Document::parse(text.to_owned(), "test").expect("the documents above are JSON")
    });
    Chain {
        documents: documents.to_vec(),
    }
}

fn standing(state: TaskState) -> TaskStanding {
    let at = |second| Some(Timestamp::from_second(second).expect("a moment"));
    let completed = state == TaskState::Completed;
    TaskStanding {
        state,
        reason: (state == TaskState::Hold).then(|| "500 \"no\"".to_owned()),
        outcome: None,
        by: None,
        started: at(10).filter(|_| state != TaskState::New),
        finished: at(20).filter(|_| completed),
        changed: at(20),
        stops: false,
    }
}

fn moved(chain: &Chain, a: TaskState, b: TaskState) -> Chain {
    apply(chain, &|id| match id {
        "a" => Some(standing(a)),
        "b" => Some(standing(b)),
        _ => None,
    })
}

/// States of orders, items and tasks by id.
fn states(chain: &Chain) -> BTreeMap<String, String> {
    let mut states = BTreeMap::new();
    for document in &chain.documents {
        let mut nodes = vec![document.root()];
        for list in ["productOrderItem", "serviceOrderItem", "orderItem"] {
            nodes.extend(document.root().list(list));
        }
        for node in nodes {
            let state = node.text("state").unwrap_or_default().into_owned();
            states.insert(node.text("id").unwrap_or_default().into_owned(), state);
        }
    }
    states
}

fn state_of(chain: &Chain, id: &str) -> String {
    states(chain).remove(id).expect("the id is in the chain")
}

#[test]
fn nothing_begun_leaves_everything_acknowledged() {
    let moved = moved(&chain(), TaskState::New, TaskState::New);
    let mut states = states(&moved);
    assert_eq!(states.remove("1.P").as_deref(), Some("active"));
    assert!(
        states.values().all(|state| state == "acknowledged"),
        "{states:?}"
    );
}

#[test]
fn completion_runs_upwards_and_idle_items_follow() {
    let half = moved(&chain(), TaskState::Completed, TaskState::Active);
    for (id, state) in [
        ("a", "completed"),
        ("b", "inProgress"),
        ("n", "completed"),
        ("1.S.R", "inProgress"),
        ("1.A", "completed"),
        ("1.B", "inProgress"),
        ("1.C", "completed"),
        ("1.S", "inProgress"),
        ("2", "completed"),
        ("3", "acknowledged"),
        ("1", "inProgress"),
        ("1.P", "active"),
    ] {
        assert_eq!(state_of(&half, id), state, "{id}");
    }
    let done = moved(&half, TaskState::Completed, TaskState::Completed);
    assert!(
        states(&done).values().all(|state| state == "completed"),
        "{:?}",
        states(&done)
    );
    for document in &done.documents[..3] {
        let date = document.root().text("completionDate");
        assert_eq!(date.as_deref(), Some("1970-01-01T00:00:20.000Z"));
    }
    assert_eq!(done.documents[0].root().text("startDate"), None);
    let date = done.documents[2].root().text("startDate");
    assert_eq!(date.as_deref(), Some("1970-01-01T00:00:10.000Z"));
}

#[test]
fn what_is_not_progress_survives_as_it_was_written() {
    let done = moved(&chain(), TaskState::Completed, TaskState::Completed);
    assert!(done.documents[0].text().contains(r#""x-keep":[1.0, 2]"#));
    assert!(done.documents[0].text().contains(r#""quantity":1.00"#));
    assert!(
        done.documents[3]
            .text()
            .contains(r#""request":{"body":{"v":1.50}}"#)
    );
    for (before, after) in chain().documents[..3].iter().zip(&done.documents) {
        let digest = |document: &Document| crate::model::digest::order_digest(document.root());
        assert_eq!(digest(before), digest(after));
    }
}

#[test]
fn a_held_task_is_told_in_one_note_however_often() {
    let mut held = moved(&chain(), TaskState::Hold, TaskState::New);
    for (id, state) in [
        ("a", "held"),
        ("1.S.R", "held"),
        ("1.S", "held"),
        ("1", "held"),
    ] {
        assert_eq!(state_of(&held, id), state, "{id}");
    }
    assert_eq!(state_of(&held, "1.P"), "hold");
    held = moved(&held, TaskState::Hold, TaskState::New);
    let notes: Vec<_> = held.documents[2].root().list("note").collect();
    assert_eq!(notes.len(), 1);
    assert_eq!(
        notes[0].raw(),
        r#"{"id":"task:a","author":"orderctl","date":"1970-01-01T00:00:20.000Z","text":"500 \"no\"","@type":"Note"}"#
    );
    let task = held.documents[3]
        .root()
        .list("taskFlow")
        .next()
        .expect("two tasks");
    assert_eq!(task.text("reason").as_deref(), Some("500 \"no\""));
    let done = moved(&held, TaskState::Completed, TaskState::Completed);
    assert!(states(&done).values().all(|state| state == "completed"));
    let task = done.documents[3]
        .root()
        .list("taskFlow")
        .next()
        .expect("two tasks");
    assert!(task.member("reason").is_none());
}

#[test]
fn two_held_tasks_are_two_notes_behind_those_there_are() {
    let mut chain = chain();
    for (notes, expected) in [
        ("[]", 2),
        ("[{\"text\":\"x\"}]", 3),
        ("null", 2),
        ("{\"text\":\"x\"}", 3),
    ] {
        let text = RESOURCE.replacen('{', &format!("{{\"note\":{notes},"), 1);
        chain.documents[2] = Document::parse(text, "test").expect("JSON");
        let held = moved(&chain, TaskState::Hold, TaskState::Hold);
        assert_eq!(
            held.documents[2].root().list("note").count(),
            expected,
            "{notes}"
        );
    }
}

#[test]
fn an_order_with_something_able_to_start_is_not_held() {
    let mut chain = chain();
    let text = PLAN.replace(r#","taskFlowRelationship":[{"taskFlow":{"id":"a"}}]"#, "");
    chain.documents[3] = Document::parse(text, "test").expect("JSON");
    let interrupted = moved(&chain, TaskState::Hold, TaskState::New);
    assert_eq!(state_of(&interrupted, "1"), "inProgress");
    assert_eq!(state_of(&interrupted, "1.A"), "held");
    assert_eq!(state_of(&interrupted, "1.P"), "active");
}

#[test]
fn an_order_that_a_task_stops_is_held_whatever_could_begin() {
    let mut chain = chain();
    let text = PLAN.replace(r#","taskFlowRelationship":[{"taskFlow":{"id":"a"}}]"#, "");
    chain.documents[3] = Document::parse(text, "test").expect("JSON");
    let stopped = apply(&chain, &|id| match id {
        "a" => Some(TaskStanding {
            stops: true,
            ..standing(TaskState::Hold)
        }),
        _ => Some(standing(TaskState::New)),
    });
    for id in ["1", "1.S", "1.S.R"] {
        assert_eq!(state_of(&stopped, id), "held", "{id}");
    }
    assert_eq!(state_of(&stopped, "1.P"), "hold");
    // As a document it says the same.
    assert_eq!(states(&as_planned(&stopped)), states(&stopped));
}

#[test]
fn a_product_order_item_that_ended_partly_is_failed_and_its_order_partial() {
    let ended = moved(&chain(), TaskState::Completed, TaskState::Cancelled);
    assert_eq!(state_of(&ended, "1.S"), "partial");
    let root = ended.documents[0].root();
    assert_eq!(root.text("state").as_deref(), Some("partial"));
    let item = root.list("productOrderItem").next().expect("three items");
    assert_eq!(item.text("state").as_deref(), Some("failed"));
}

/// A task that ended so, by whomever.
fn ended(state: TaskState, outcome: TaskOutcome, by: Option<&str>, reason: &str) -> TaskStanding {
    TaskStanding {
        outcome: Some(outcome),
        by: by.map(str::to_owned),
        reason: Some(reason.to_owned()),
        ..standing(state)
    }
}

fn with_tasks(chain: &Chain, a: &TaskStanding, b: &TaskStanding) -> Chain {
    apply(chain, &|id| match id {
        "a" => Some(a.clone()),
        "b" => Some(b.clone()),
        _ => None,
    })
}

#[test]
fn what_failed_is_failed_and_what_needed_it_is_cancelled() {
    let failed = ended(
        TaskState::Cancelled,
        TaskOutcome::Failed,
        None,
        "422 no port",
    );
    let given_up = ended(
        TaskState::Cancelled,
        TaskOutcome::GivenUp,
        None,
        "needs a, which failed",
    );
    let over = with_tasks(&chain(), &failed, &given_up);
    for (id, state) in [
        ("a", "failed"),
        ("b", "cancelled"),
        ("1.A", "failed"),
        ("1.S.R", "failed"),
        ("1", "failed"),
    ] {
        assert_eq!(state_of(&over, id), state, "{id}");
    }
    assert_eq!(state_of(&over, "1.P"), "cancelled");
    let notes: Vec<_> = over.documents[2].root().list("note").collect();
    assert_eq!(notes.len(), 1, "what is given up says why in the plan");
    assert_eq!(notes[0].text("text").as_deref(), Some("422 no port"));
    let task = over.documents[3]
        .root()
        .list("taskFlow")
        .next()
        .expect("two tasks");
    let text = |key| task.text(key).unwrap_or_default().into_owned();
    assert_eq!(
        ["state", "reason", "outcome", "startDate", "completionDate"].map(text),
        [
            "cancelled",
            "422 no port",
            "failed",
            "1970-01-01T00:00:10.000Z",
            "1970-01-01T00:00:20.000Z"
        ]
    );
    let partial = with_tasks(&chain(), &standing(TaskState::Completed), &failed);
    assert_eq!(
        ["1.S.R", "1.S", "b"].map(|id| state_of(&partial, id)),
        ["partial", "partial", "failed"]
    );
}

#[test]
fn what_people_did_is_noted_under_their_names() {
    let skipped = ended(
        TaskState::Completed,
        TaskOutcome::Skipped,
        Some("jane"),
        "skipped by jane: not needed",
    );
    let over = with_tasks(&chain(), &skipped, &standing(TaskState::Completed));
    assert_eq!(state_of(&over, "1"), "completed");
    let note = over.documents[2]
        .root()
        .list("note")
        .next()
        .expect("a note");
    let text = |key| note.text(key).unwrap_or_default().into_owned();
    assert_eq!(
        ["author", "text", "date"].map(text),
        [
            "jane",
            "skipped by jane: not needed",
            "1970-01-01T00:00:20.000Z"
        ]
    );
    // Held before, by itself: the note is that of the person now.
    let held = moved(&chain(), TaskState::Hold, TaskState::New);
    let over = with_tasks(&held, &skipped, &standing(TaskState::New));
    let notes: Vec<_> = over.documents[2].root().list("note").collect();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].text("author").as_deref(), Some("jane"));
}

/// The chain with a gate before everything, about the product order item.
fn gated() -> Chain {
    let mut chain = chain();
    let gate = r#""taskFlow":[{"id":"g","state":"new","gate":"approval","kind":"manual",
      "relatedEntity":[{"id":"1","role":"orderItem","@referredType":"ProductOrderItem"}]},"#;
    let text = PLAN.replace(r#""taskFlow":["#, gate).replacen(
        r#""state":"new","request""#,
        r#""state":"new","taskFlowRelationship":[{"taskFlow":{"id":"g"}}],"request""#,
        1,
    );
    chain.documents[3] = Document::parse(text, "test").expect("JSON");
    chain
}

#[test]
fn a_gate_holds_up_its_item_fails_it_and_is_no_success() {
    let with_gate = |gate: TaskStanding, rest: &TaskStanding| {
        apply(&gated(), &|id| match id {
            "g" => Some(gate.clone()),
            _ => Some(rest.clone()),
        })
    };
    let new = standing(TaskState::New);
    let done = standing(TaskState::Completed);
    let state = |chain: &Chain| ["1", "a"].map(|id| state_of(chain, id));
    assert_eq!(
        state(&with_gate(new.clone(), &new)),
        ["acknowledged", "acknowledged"]
    );
    assert_eq!(
        state(&with_gate(standing(TaskState::Hold), &new)),
        ["held", "acknowledged"]
    );
    assert_eq!(
        state(&with_gate(done.clone(), &new)),
        ["inProgress", "acknowledged"]
    );
    assert_eq!(
        state(&with_gate(done.clone(), &done)),
        ["completed", "completed"]
    );
    let refused = ended(
        TaskState::Cancelled,
        TaskOutcome::Failed,
        Some("jane"),
        "failed by jane: no",
    );
    let given_up = ended(
        TaskState::Cancelled,
        TaskOutcome::GivenUp,
        None,
        "needs g, which failed",
    );
    let over = with_gate(refused, &given_up);
    assert_eq!(state(&over), ["failed", "cancelled"]);
    assert_eq!(
        over.documents[0].root().text("state").as_deref(),
        Some("failed")
    );
    let note = over.documents[0]
        .root()
        .list("note")
        .next()
        .expect("a note");
    assert_eq!(note.text("id").as_deref(), Some("task:g"));
    // That it was allowed, and then failed, is a failure and no part of a success.
    let failed = ended(TaskState::Cancelled, TaskOutcome::Failed, None, "no");
    let over = with_gate(done, &failed);
    assert_eq!(
        over.documents[0].root().text("state").as_deref(),
        Some("failed")
    );
}

#[test]
fn bundles_roll_up_from_what_they_hold() {
    let mut chain = chain();
    let text = r#"{"@type":"ProductOrder","id":"1","productOrderItem":[
      {"id":"0","action":"add","productOrderItem":[{"id":"1","action":"add"}]}]}"#;
    chain.documents[0] = Document::parse(text.to_owned(), "test").expect("JSON");
    let held = moved(&chain, TaskState::Hold, TaskState::New);
    assert_eq!(state_of(&held, "0"), "held");
    let done = moved(&held, TaskState::Completed, TaskState::Completed);
    assert_eq!(state_of(&done, "0"), "completed");
}

#[test]
fn what_cannot_be_reached_is_not_written() {
    let mut chain = chain();
    for (document, text) in [(0, PRODUCT), (2, RESOURCE)] {
        let text = text.replacen("acknowledged", "rejected", 1);
        chain.documents[document] = Document::parse(text, "test").expect("JSON");
    }
    let done = moved(&chain, TaskState::Completed, TaskState::Completed);
    let state = |at: usize| {
        done.documents[at]
            .root()
            .text("state")
            .map(std::borrow::Cow::into_owned)
    };
    assert_eq!(state(0).as_deref(), Some("rejected"));
    assert_eq!(state(2).as_deref(), Some("rejected"));
    // Nothing goes back.
    let back = moved(&done, TaskState::New, TaskState::New);
    assert_eq!(states(&back), states(&done));
}

#[test]
fn states_spelled_otherwise_stay_as_they_are_spelled() {
    let mut chain = chain();
    let text = RESOURCE.replacen("acknowledged", "ACKNOWLEDGED", 1);
    chain.documents[2] = Document::parse(text, "test").expect("JSON");
    let same = moved(&chain, TaskState::New, TaskState::New);
    assert_eq!(same.documents[2].text(), chain.documents[2].text());
    let on = moved(&chain, TaskState::Active, TaskState::New);
    assert_eq!(state_of(&on, "1.S.R"), "inProgress");
}

#[test]
fn orders_that_nothing_was_derived_from_stay_as_they_are() {
    let mut chain = chain();
    chain.documents.truncate(2);
    let same = apply(&chain, &|_| None);
    for (before, after) in chain.documents.iter().zip(&same.documents) {
        assert_eq!(before.text(), after.text());
    }
}

#[test]
fn applying_twice_changes_nothing_more() {
    for a in ALL {
        for b in ALL {
            let once = moved(&chain(), a, b);
            let twice = moved(&once, a, b);
            for (once, twice) in once.documents.iter().zip(&twice.documents) {
                assert_eq!(once.text(), twice.text(), "{a:?} {b:?}");
            }
        }
    }
}

const ALL: [TaskState; 5] = [
    TaskState::New,
    TaskState::Active,
    TaskState::Hold,
    TaskState::Cancelled,
    TaskState::Completed,
];

proptest! {
    /// Tasks move on step by step along their own life cycle; every state that is written must be
    /// one that the life cycle of its order leads to from the one before.
    #[test]
    fn no_life_cycle_is_ever_broken(steps in prop::collection::vec((any::<bool>(), 0_usize..4), 1..12)) {
        let mut tasks = [TaskState::New; 2];
        let mut failed = [false; 2];
        let mut chain = moved(&chain(), tasks[0], tasks[1]);
        for (first, choice) in steps {
            let task = &mut tasks[usize::from(first)];
            let successors = task.successors();
            if !successors.is_empty() {
                *task = successors[choice % successors.len()];
                failed[usize::from(first)] = *task == TaskState::Cancelled && choice > 1;
            }
            let stands = |at: usize| match (tasks[at], failed[at]) {
                (TaskState::Cancelled, true) => ended(tasks[at], TaskOutcome::Failed, None, "no"),
                (TaskState::Cancelled, false) => ended(tasks[at], TaskOutcome::GivenUp, None, "no"),
                (state, _) => standing(state),
            };
            let next = with_tasks(&chain, &stands(0), &stands(1));
            for (position, layer) in [Layer::Product, Layer::Service, Layer::Resource].into_iter().enumerate() {
                let one = |of: &Chain| states(&Chain { documents: vec![of.documents[position].clone()] });
                let (before, after) = (one(&chain), one(&next));
                for (id, state) in &after {
                    let read = |text: &str| OrderState::read(text).map(|it| it.0);
                    let (Some(old), Some(new)) = (read(&before[id]), read(state)) else {
                        return Err(TestCaseError::fail(format!("{id} has no state")));
                    };
                    prop_assert!(reachable(layer, old, new), "{layer:?} {id}: {old} to {new}");
                }
            }
            chain = next;
        }
        if tasks == [TaskState::Completed; 2] {
            let direct = moved(&self::chain(), tasks[0], tasks[1]);
            prop_assert_eq!(states(&direct), states(&chain));
        }
    }
}

/// The chain with a plan that undoes its first task, and the request to cancel it.
fn undoing(kind: &str, partly: bool) -> Chain {
    let mut chain = chain();
    let plan = format!(
        r#"{{"@type":"OrchestrationPlan","id":"1.P","state":"active","relatedEntity":[{{"id":"1","role":"rootOrder"}}],
 "revision":{{"kind":"{kind}","number":1,"partly":{partly}}},
 "taskFlow":[{{"id":"a","state":"new"}},{{"id":"b","state":"new","taskFlowRelationship":[{{"taskFlow":{{"id":"a"}}}}]}},
  {{"id":"a~undo-1","state":"new","compensates":"a","disposition":"undo"}}]}}"#
    );
    let request = r#"{"@type":"CancelProductOrder","id":"1.cancel-1","state":"acknowledged","productOrder":{"id":"1"}}"#;
    chain.documents.pop();
    for text in [plan, request.to_owned()] {
        let document = Document::parse(text, "test").expect("JSON");
        chain.documents.push(document);
    }
    chain
}

/// With its first task done, the second one ended without success, and the undoing of the first in this state.
fn undone(kind: &str, partly: bool, outcome: TaskOutcome, undo: TaskState) -> Chain {
    apply(&undoing(kind, partly), &|id| {
        Some(match id {
            "a" => standing(TaskState::Completed),
            "b" => TaskStanding {
                outcome: Some(outcome),
                ..standing(TaskState::Cancelled)
            },
            "a~undo-1" => standing(undo),
            _ => return None,
        })
    })
}

fn order_of(chain: &Chain, document: usize) -> String {
    let state = chain.documents[document].root().text("state");
    state.expect("a state").into_owned()
}

#[test]
fn a_cancelled_order_is_pending_until_nothing_is_left_to_be_undone() {
    for (undo, order, resource, request) in [
        (
            TaskState::New,
            "pendingCancellation",
            "pendingCancellation",
            "inProgress",
        ),
        (
            TaskState::Hold,
            "pendingCancellation",
            "pendingCancellation",
            "inProgress",
        ),
        (TaskState::Completed, "cancelled", "cancelled", "done"),
        // A person has decided that it cannot be undone.
        (
            TaskState::Cancelled,
            "cancelled",
            "cancelled",
            "terminatedWithError",
        ),
    ] {
        let moved = undone("cancel", false, TaskOutcome::Dropped, undo);
        for document in 0..3 {
            assert_eq!(order_of(&moved, document), order, "{undo:?}");
        }
        assert_eq!(order_of(&moved, 4), request, "{undo:?}");
        assert_eq!(state_of(&moved, "a"), resource, "{undo:?}");
        // When the last of it was undone or given up: as the journal has it.
        let over = (order == "cancelled").then_some("1970-01-01T00:00:20.000Z");
        for (document, key) in (0..3)
            .map(|document| (document, "cancellationDate"))
            .chain([(4, "effectiveCancellationDate")])
        {
            let date = moved.documents[document].root().text(key);
            assert_eq!(date.as_deref(), over, "{undo:?} {document}");
        }
        // Nothing follows completed in TMF641: a note says what became of it.
        assert_eq!(state_of(&moved, "1.A"), "completed", "{undo:?}");
        assert_eq!(state_of(&moved, "1.B"), "cancelled", "{undo:?}");
        let notes: Vec<String> = moved.documents[1]
            .root()
            .list("note")
            .filter_map(|note| Some(note.text("id")?.into_owned()))
            .collect();
        assert_eq!(notes, ["item:1.A"], "{undo:?}");
    }
}

#[test]
fn a_cancellation_that_is_only_planned_stays_as_it_is_written() {
    let mut chain = undoing("cancel", false);
    let order = PRODUCT.replacen("acknowledged", "assessingCancellation", 1);
    chain.documents[0] = Document::parse(order, "test").expect("JSON");
    let shown = as_planned(&chain);
    assert_eq!(order_of(&shown, 0), "assessingCancellation");
    assert_eq!(order_of(&shown, 4), "acknowledged");
}

#[test]
fn an_order_of_which_a_part_is_undone_goes_on() {
    for (undo, order) in [
        (TaskState::Active, "inProgress"),
        (TaskState::Hold, "held"),
        (TaskState::Completed, "failed"),
    ] {
        let moved = undone("compensate", false, TaskOutcome::Failed, undo);
        for document in 0..3 {
            assert_eq!(order_of(&moved, document), order, "{undo:?} {document}");
        }
        assert_eq!(order_of(&moved, 4), "acknowledged", "nobody has asked");
    }
    let moved = undone("cancel", true, TaskOutcome::Failed, TaskState::Active);
    assert_eq!(order_of(&moved, 0), "inProgress");
    assert_eq!(order_of(&moved, 4), "inProgress");
    let moved = undone("cancel", true, TaskOutcome::Failed, TaskState::Completed);
    assert_eq!(order_of(&moved, 4), "done");
}

#[test]
fn a_changed_order_is_not_completed_before_what_it_has_no_more_is_undone() {
    let mut chain = undoing("amend", false);
    let plan = chain.documents[3].text().replace(
        "\"a~undo-1\",\"state\":\"new\",\"compensates\":\"a\"",
        "\"z~undo-1\",\"state\":\"new\",\"compensates\":\"z\"",
    );
    chain.documents[3] = Document::parse(plan, "test").expect("JSON");
    let moved = |undo| {
        apply(&chain, &|id| {
            Some(standing(match id {
                "a" | "b" => TaskState::Completed,
                "z~undo-1" => undo,
                _ => return None,
            }))
        })
    };
    for (undo, order) in [
        (TaskState::Active, "inProgress"),
        (TaskState::Hold, "held"),
        (TaskState::Completed, "completed"),
    ] {
        let moved = moved(undo);
        for document in 0..3 {
            assert_eq!(order_of(&moved, document), order, "{undo:?} {document}");
        }
    }
}
