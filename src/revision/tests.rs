//! Revisions of a small order: a port, a bearer on it, and a router, in one
//! bundle; a licence that is shared with a second one, and that one's own port.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::document::Document;
use crate::inventory::Named;
use crate::journal::entry::{
    Answer, Asked, AttemptFailed, ByHand, Completed, Failed, Failure, Held, MilestoneReached,
    Planned, Started,
};
use crate::journal::{ClockKind, Entry, Event};
use crate::model::state::TaskState;
use crate::plan::flow::{Body, Until};
use crate::retry::OnFailure;

const ORDER: &str = r#"{"@type":"ProductOrder","id":"PO","productOrderItem":[{"id":"1","action":"add"},{"id":"2","action":"add"}]}"#;

fn task(id: &str, items: &[&str], after: &[&str]) -> Value {
    let after: Vec<Value> = after
        .iter()
        .map(|id| json!({"relationshipType": "finishToStart", "taskFlow": {"id": id}}))
        .collect();
    let related: Vec<Value> = items
        .iter()
        .map(|id| json!({"id": id, "role": "realizes", "@referredType": "ProductOrderItem"}))
        .collect();
    let path = format!("resource/{id}");
    json!({
        "id": id, "@type": "TaskFlow", "name": id.to_uppercase(), "kind": "activation",
        "state": "new", "relatedEntity": related, "taskFlowRelationship": after,
        "endpoint": "olt", "idempotencyKey": format!("key-{id}"),
        "request": {"method": "POST", "path": "resource", "body": {"id": id, "speed": 100}},
        "compensation": {"request": {"method": "DELETE", "path": path}},
        "duration": "PT0S", "earliestStart": "PT0S", "latestStart": "PT0S", "slack": "PT0S",
        "critical": false, "wave": 1
    })
}

fn tasks() -> Vec<Value> {
    vec![
        task("port", &["1"], &[]),
        task("licence", &["1", "2"], &[]),
        task("bearer", &["1"], &["port", "licence"]),
        task("router", &["1"], &["bearer"]),
        task("other", &["2"], &["licence"]),
    ]
}

fn plan_of(tasks: &[Value]) -> OrchestrationPlan {
    let plan = json!({
        "@type": "OrchestrationPlan", "@baseType": "ProcessFlow", "formatVersion": "1.0",
        "id": "PO.P", "processFlowSpecification": "OrchestrationPlan/1", "state": "active",
        "relatedEntity": [{"id": "PO", "role": "rootOrder", "@referredType": "ProductOrder"}],
        "digest": {"order": [], "plan": ""},
        "schedule": {
            "expectedDuration": "PT0S", "totalDuration": "PT0S", "waves": 1, "criticalPath": []
        },
        "taskFlow": tasks
    });
    let mut plan: OrchestrationPlan = serde_json::from_value(plan).unwrap();
    plan.digest.plan = plan_digest(&plan);
    plan
}

/// An order under way.
struct Case {
    plan: OrchestrationPlan,
    entries: Vec<Entry>,
}

impl Case {
    fn new(tasks: &[Value]) -> Self {
        let plan = plan_of(tasks);
        let planned = Event::Planned(Planned {
            order_id: "PO".into(),
            external_id: None,
            plan_digest: plan.digest.plan.clone(),
            tasks: u32::try_from(plan.task_flow.len()).unwrap(),
            clock: ClockKind::System,
        });
        let mut case = Self {
            plan,
            entries: Vec::new(),
        };
        case.note(planned);
        case
    }

    fn note(&mut self, event: Event) {
        let at = jiff::Timestamp::from_second(i64::try_from(self.entries.len()).unwrap()).unwrap();
        self.entries.push(Entry { at, event });
    }

    fn started(&mut self, task: &str) {
        let known = self.progress().task(task).map_or(0, |it| it.attempts);
        let point_of_no_return = self.task(task).point_of_no_return;
        self.note(Event::Started(Started {
            task: task.into(),
            attempt: known + 1,
            idempotency_key: "k".into(),
            request_digest: "sha256:0".into(),
            point_of_no_return,
        }));
    }

    fn done(mut self, tasks: &[&str]) -> Self {
        for task in tasks {
            self.started(task);
            self.note(Event::Completed(Completed {
                task: (*task).into(),
                status: 201,
                resource: None,
                note: None,
            }));
        }
        self
    }

    /// Done, with this answer.
    fn answered(mut self, task: &str, resource: &Value) -> Self {
        self.started(task);
        self.note(Event::Completed(Completed {
            task: task.into(),
            status: 201,
            resource: Some(serde_json::value::to_raw_value(resource).unwrap()),
            note: None,
        }));
        self
    }

    fn asked(&mut self, task: &str, answer: Answer) {
        let attempt = self.progress().task(task).unwrap().attempts;
        self.note(Event::Asked(Asked {
            task: task.into(),
            attempt,
            answer,
            status: None,
            reason: "asked".into(),
            retry_at: None,
        }));
    }

    fn reached(&mut self, task: &str) {
        let task = task.into();
        self.note(Event::MilestoneReached(MilestoneReached { task }));
    }

    fn failed(&mut self, task: &str, on_failure: Option<OnFailure>) {
        self.started(task);
        let attempt = self.progress().task(task).unwrap().attempts;
        self.note(Event::AttemptFailed(AttemptFailed {
            task: task.into(),
            attempt,
            failure: Failure::Rejected,
            status: Some(422),
            reason: "no".into(),
            class: None,
            retry_at: None,
        }));
        self.note(match on_failure {
            Some(on_failure) => Event::Failed(Failed {
                task: task.into(),
                reason: "no".into(),
                on_failure: Some(on_failure),
            }),
            None => Event::Held(Held {
                task: task.into(),
                reason: "no".into(),
                on_failure: None,
            }),
        });
    }

    fn task(&self, id: &str) -> &TaskFlow {
        self.plan.task_flow.iter().find(|it| it.id == id).unwrap()
    }

    fn progress(&self) -> Progress {
        Progress::replay(&self.plan, &self.entries).unwrap()
    }

    fn bundles(&self) -> Bundles {
        let order = Document::parse(ORDER.to_owned(), "test").unwrap();
        Bundles::of(&[order], &self.plan)
    }

    fn with<T>(&self, look: impl FnOnce(Standing<'_>) -> T) -> T {
        let (progress, bundles) = (self.progress(), self.bundles());
        look(Standing {
            plan: &self.plan,
            progress: &progress,
            bundles: &bundles,
        })
    }

    fn cancel(&self, pinned: Pinned) -> Result<OrchestrationPlan, Refusal> {
        self.with(|standing| cancel(standing, Some("not wanted".into()), pinned))
    }

    fn amend(&self, tasks: &[Value]) -> Result<OrchestrationPlan, Refusal> {
        let new = plan_of(tasks);
        self.with(|standing| amend(standing, &new, (None, Pinned::Refuse)))
    }

    /// The order once a revision has taken the place of its plan.
    fn revised(mut self, plan: OrchestrationPlan) -> Self {
        let entry = entry(&plan, vec![serde_json::to_string(&plan).unwrap()]).unwrap();
        self.plan = plan;
        self.note(Event::Revised(entry));
        self
    }

    fn states(&self) -> Vec<String> {
        let progress = self.progress();
        let tasks = progress.tasks().iter();
        let word = |it: &crate::journal::TaskProgress| match it.outcome {
            Some(outcome) => outcome.name().to_owned(),
            None => it.state.name().to_owned(),
        };
        tasks.map(|it| format!("{} {}", it.id, word(it))).collect()
    }
}

/// `disposition id`, and what comes first in the case of undoing.
fn told(plan: &OrchestrationPlan) -> Vec<String> {
    let tasks = plan.task_flow.iter().filter(|it| it.disposition.is_some());
    let line = |it: &TaskFlow| {
        let what = it.disposition.unwrap();
        let after: Vec<&str> = it.relationship.iter().map(|it| &*it.task_flow.id).collect();
        match what {
            Disposition::Undo if !after.is_empty() => {
                format!("{} {} after {}", what.name(), it.id, after.join(" "))
            }
            _ => format!("{} {}", what.name(), it.id),
        }
    };
    tasks.map(|it| line(it)).collect()
}

#[test]
fn a_cancelled_order_is_undone_against_its_order() {
    let mut case = Case::new(&tasks()).done(&["port", "licence", "bearer"]);
    case.failed("router", None);
    let plan = case.cancel(Pinned::Refuse).unwrap();
    assert_eq!(
        told(&plan),
        [
            "keep port",
            "keep licence",
            "keep bearer",
            "drop router",
            "drop other",
            "undo bearer~undo-1",
            "undo licence~undo-1 after bearer~undo-1",
            "undo port~undo-1 after bearer~undo-1",
        ]
    );
    let undo = plan.task_flow.last().unwrap();
    assert_eq!(undo.request.as_ref().unwrap().path, "resource/port");
    assert_ne!(undo.idempotency_key, plan.task_flow[0].idempotency_key);
    assert_eq!(undo.on_failure, Some(OnFailure::Hold));
    let case = case.revised(plan);
    assert_eq!(
        case.states(),
        [
            "port completed",
            "licence completed",
            "bearer completed",
            "router dropped",
            "other dropped",
            "bearer~undo-1 new",
            "licence~undo-1 new",
            "port~undo-1 new",
        ]
    );
    // Not twice, and nothing besides, before it is over.
    let refused = case.cancel(Pinned::Refuse).unwrap_err().to_string();
    assert!(
        refused.starts_with("the order is being cancelled: that has to end first; tasks left: b"),
        "{refused}"
    );
    let case = case.done(&["bearer~undo-1", "licence~undo-1", "port~undo-1"]);
    assert!(case.progress().has_ended());
    assert_eq!(case.cancel(Pinned::Refuse), Err(Refusal::Ended));
}

impl PartialEq for OrchestrationPlan {
    fn eq(&self, other: &Self) -> bool {
        self.digest.plan == other.digest.plan
    }
}

#[test]
fn what_may_have_been_done_is_undone_if_that_does_no_harm() {
    let mut case = Case::new(&tasks());
    case.started("port");
    let plan = case.cancel(Pinned::Refuse).unwrap();
    assert_eq!(told(&plan)[0], "settle port");
    assert_eq!(told(&plan).last().unwrap(), "undo port~undo-1 after port");
    let told = view(&plan, &case.plan).unwrap().for_people();
    let line = "  undo  PORT (port): DELETE resource/port at olt; under way: is settled first, then undone\n";
    assert!(told.contains(line), "{told}");
    let mut tasks = tasks();
    tasks[0]["compensation"]["request"] =
        json!({"method": "PATCH", "path": "resource/port", "body": {"speed": 0}});
    let mut case = Case::new(&tasks);
    case.started("port");
    let task = "port".to_owned();
    assert_eq!(case.cancel(Pinned::Refuse), Err(Refusal::InDoubt { task }));
}

/// The port is in doubt: a request was sent, or the endpoint said so and may be wrong.
fn in_doubt(tasks: &[Value], status: Option<u16>) -> Case {
    let mut case = Case::new(tasks);
    case.started("port");
    if status.is_some() {
        case.note(Event::AttemptFailed(AttemptFailed {
            task: "port".into(),
            attempt: 1,
            failure: Failure::Failed,
            status,
            reason: "no".into(),
            class: None,
            retry_at: None,
        }));
    }
    case
}

#[test]
fn what_may_have_been_done_is_removed_before_it_is_done_otherwise() {
    let mut new = tasks();
    new[0]["request"]["body"]["speed"] = 200.into();
    for status in [None, Some(500)] {
        let case = in_doubt(&tasks(), status);
        let plan = case.amend(&new).unwrap();
        assert_eq!(
            told(&plan)[..4],
            [
                "settle port~before-1",
                "undo port~undo-1 after port~before-1",
                "do 1~undone-1",
                "do port"
            ]
        );
        let port = plan.task_flow.iter().find(|it| it.id == "port").unwrap();
        assert_eq!(port.relationship[0].task_flow.id, "1~undone-1");
        assert_eq!(
            port.request.as_ref().unwrap().method,
            crate::plan::flow::Method::Post
        );
        // It is not what undoes the port as it is now.
        let mut case = case.revised(plan);
        case.asked("port~before-1", Answer::CannotTell);
        let mut case = case.done(&["port~undo-1"]);
        case.reached("1~undone-1");
        let case = case.done(&["port"]);
        let plan = case.cancel(Pinned::Refuse).unwrap();
        assert!(told(&plan).contains(&"undo port~undo-2".to_owned()));
        let asked = plan.task_flow.iter().find(|it| it.id == "port~before-1");
        assert_eq!(asked.unwrap().disposition, Some(Disposition::Keep));
    }
    // 503: it was not done, and there is nothing to be removed.
    let plan = in_doubt(&tasks(), Some(503)).amend(&new).unwrap();
    assert_eq!(told(&plan)[0], "do port");
}

#[test]
fn a_change_that_sets_all_that_the_one_in_doubt_did_is_sent_once_that_is_settled() {
    let change = |body: Value| {
        let mut tasks = tasks();
        tasks[0]["request"] = json!({"method": "PATCH", "path": "resource/port", "body": body});
        tasks[0]["compensation"] = json!({"none": "it is not known what was there"});
        tasks
    };
    let case = in_doubt(&change(json!({"speed": 100, "place": {"id": "7"}})), None);
    let more = change(json!({"speed": 200, "place": {"id": "8"}, "class": "A"}));
    let plan = case.amend(&more).unwrap();
    assert_eq!(told(&plan)[..2], ["settle port~before-1", "do port"]);
    let lines = view(&plan, &case.plan).unwrap().for_people();
    for line in [
        "  settle PORT as it was (port)\n",
        "  do     PORT (port): PATCH resource/port at olt\n",
    ] {
        assert!(lines.contains(line), "{lines}");
    }
    assert_eq!(plan.task_flow[1].relationship[0].until, Until::Ended);
    let less = change(json!({"speed": 200, "place": {}}));
    let task = "port".to_owned();
    assert_eq!(case.amend(&less), Err(Refusal::InDoubt { task }));
}

#[test]
fn what_is_under_way_is_undone_if_it_was_done_and_only_then() {
    let settled = |answer: Option<Answer>| {
        let mut case = Case::new(&tasks()).done(&["licence"]);
        case.started("port");
        let plan = case.cancel(Pinned::Refuse).unwrap();
        let mut case = case.revised(plan);
        match answer {
            Some(answer) => case.asked("port", answer),
            None => case.note(Event::Completed(Completed {
                task: "port".into(),
                status: 200,
                resource: None,
                note: None,
            })),
        }
        case
    };
    let has = |case: &Case, line: &str| case.states().contains(&line.to_owned());
    for done in [None, Some(Answer::CannotTell)] {
        let case = settled(done);
        assert!(has(&case, "port completed") && has(&case, "port~undo-1 new"));
        let case = case.done(&["port~undo-1", "licence~undo-1"]);
        assert!(case.progress().has_ended());
    }
    let case = settled(Some(Answer::NotDone));
    assert!(has(&case, "port dropped") && has(&case, "port~undo-1 dropped"));
    let progress = case.progress();
    let undo = progress.task("port~undo-1").unwrap();
    assert_eq!(undo.state, TaskState::Completed, "whoever waits goes on");
    let case = case.done(&["licence~undo-1"]);
    assert!(case.progress().has_ended());
    // It is asked again, and the order is not cancelled before it says so.
    let case = settled(Some(Answer::Unanswered));
    assert!(has(&case, "port active") && has(&case, "port~undo-1 new"));
    assert!(matches!(
        case.cancel(Pinned::Refuse),
        Err(Refusal::UnderWay { .. })
    ));
}

#[test]
fn what_is_made_elsewhere_or_as_something_else_is_undone_there_first() {
    let case = Case::new(&tasks()).done(&["port", "licence", "bearer"]);
    let mut moved = tasks();
    moved[0]["request"]["body"]["id"] = "port-8".into();
    moved[0]["compensation"]["request"]["path"] = "resource/port-8".into();
    let mut other_endpoint = tasks();
    other_endpoint[0]["endpoint"] = "olt-2".into();
    let mut removing = tasks();
    removing[0]["request"] = json!({"method": "DELETE", "path": "resource/other"});
    for new in [moved, other_endpoint, removing] {
        let plan = case.amend(&new).unwrap();
        assert_eq!(
            told(&plan),
            [
                "keep port~before-1",
                "undo port~undo-1",
                "do 1~undone-1",
                "do port",
                "keep licence",
                "keep bearer",
                "do router",
                "do other"
            ]
        );
        let undo = plan.task_flow.iter().find(|it| it.id == "port~undo-1");
        let undo = undo.unwrap();
        assert_eq!(undo.endpoint.as_deref(), Some("olt"));
        assert_eq!(undo.request.as_ref().unwrap().path, "resource/port");
        let view = view(&plan, &case.plan).unwrap().for_people();
        let lines = "  undo  PORT (port): DELETE resource/port at olt\n  do    PORT (port): ";
        let told: Vec<&str> = view.lines().filter(|it| it.contains("(port)")).collect();
        assert_eq!(told.len(), 2, "{view}");
        assert!(lines.starts_with(told[0]) && told[1].starts_with("  do    PORT (port): "));
        let mut again = Case {
            plan: case.plan.clone(),
            entries: case.entries.clone(),
        };
        again = again.revised(plan);
        assert!(
            again
                .states()
                .contains(&"port~before-1 completed".to_owned())
        );
        let mut again = again.done(&["port~undo-1"]);
        again.reached("1~undone-1");
        let again = again.done(&["port", "router", "other"]);
        assert!(again.progress().is_completed());
    }
    // A resource that stays what it is, is changed.
    let mut new = tasks();
    new[0]["request"]["body"]["speed"] = 7.into();
    assert_eq!(told(&case.amend(&new).unwrap())[0], "redo port");
}

fn request(plan: &OrchestrationPlan, id: &str) -> String {
    let task = plan.task_flow.iter().find(|it| it.id == id).unwrap();
    let request = task.request.as_ref().unwrap();
    let body = request.body.as_ref().map(Body::get).unwrap_or_default();
    format!("{} {} {body}", request.method.name(), request.path)
}

#[test]
fn what_its_endpoint_has_named_otherwise_is_undone_and_changed_under_that_name() {
    let named = json!({"id": "SRV 1", "href": "http://other/resource/7"});
    let mut add = tasks();
    add[0]["action"] = "add".into();
    let case = Case::new(&add).answered("port", &named);
    let case = case
        .answered("licence", &json!({"href": "/olt/v4/resource/9"}))
        .answered("bearer", &json!({"href": "/olt/v4/monitor/8"}));
    let plan = case.cancel(Pinned::Refuse).unwrap();
    assert_eq!(
        request(&plan, "port~undo-1"),
        "DELETE resource/SRV%201 ".to_owned()
    );
    assert_eq!(
        request(&plan, "licence~undo-1"),
        "DELETE resource/9 ".to_owned()
    );
    assert_eq!(
        request(&plan, "bearer~undo-1"),
        "DELETE resource/bearer ".to_owned()
    );
    let mut new = add.clone();
    new[0]["request"]["body"]["speed"] = 200.into();
    let plan = case.amend(&new).unwrap();
    assert_eq!(
        request(&plan, "port"),
        r#"PATCH resource/SRV%201 {"speed":200}"#
    );
    // Also once it was changed, by whatever its endpoint answers.
    let case = case.revised(plan).answered("port", &json!({"id": "job-7"}));
    let plan = case.cancel(Pinned::Refuse).unwrap();
    assert_eq!(
        request(&plan, "port~undo-2"),
        "DELETE resource/SRV%201 ".to_owned()
    );
    let plan = case.amend(&new).unwrap();
    assert_eq!(told(&plan)[0], "keep port");
    let case = case.revised(plan);
    let plan = case.cancel(Pinned::Refuse).unwrap();
    assert_eq!(
        request(&plan, "port~undo-3"),
        "DELETE resource/SRV%201 ".to_owned()
    );
    new[0]["request"]["body"]["speed"] = 300.into();
    let plan = case.amend(&new).unwrap();
    assert_eq!(
        request(&plan, "port"),
        r#"PATCH resource/SRV%201 {"speed":300}"#
    );
    let mut removing = add.clone();
    removing[0]["request"] = json!({"method": "DELETE", "path": "resource/port"});
    let case = Case::new(&add).answered("port", &json!({"id": "SRV"}));
    let plan = case.amend(&removing).unwrap();
    assert_eq!(request(&plan, "port"), "DELETE resource/SRV ".to_owned());
    // What an order does not name is removed by the name that it was given.
    let mut nameless = tasks();
    nameless[0]["request"]["body"]
        .as_object_mut()
        .unwrap()
        .remove("id");
    nameless[0].as_object_mut().unwrap().remove("compensation");
    let case = Case::new(&nameless).answered("port", &json!({"id": 7}));
    let plan = case.cancel(Pinned::Refuse).unwrap();
    assert_eq!(
        request(&plan, "port~undo-1"),
        "DELETE resource/7 ".to_owned()
    );
}

/// An order that removes the port, which its endpoint knows as olt-1.
fn removal() -> Vec<Value> {
    let body = json!({"id": "olt-1", "speed": 100});
    let mut tasks = tasks();
    tasks[0]["action"] = "delete".into();
    tasks[0]["request"] = json!({"method": "DELETE", "path": "resource/olt-1"});
    tasks[0]["compensation"]["request"] =
        json!({"method": "POST", "path": "resource", "body": body});
    tasks
}

/// The same, and it changes it.
fn change(speed: u32) -> Vec<Value> {
    let body = |speed: u32| json!({"id": "olt-1", "speed": speed});
    let request = |speed| json!({"method": "PATCH", "path": "resource/olt-1", "body": body(speed)});
    let mut tasks = tasks();
    tasks[0]["action"] = "modify".into();
    tasks[0]["request"] = request(speed);
    tasks[0]["compensation"]["request"] = request(100);
    tasks
}

impl Case {
    fn named(&self) -> Vec<String> {
        let names = named(&self.plan, &self.progress());
        let text = |it: Named| {
            let Named {
                item,
                endpoint,
                asked,
                id,
            } = it;
            format!(
                "{item} at {endpoint}: {} is {id}",
                asked.unwrap_or_default()
            )
        };
        names.into_iter().map(text).collect()
    }
}

#[test]
fn it_is_told_how_endpoints_call_what_was_made_otherwise_than_it_was_asked_for() {
    let mut add = tasks();
    for task in &mut add {
        task["action"] = "add".into();
    }
    add[4]["request"]["body"]
        .as_object_mut()
        .unwrap()
        .remove("id");
    let case = Case::new(&add)
        .answered("port", &json!({"id": "olt 1"}))
        .answered("licence", &json!({"id": "licence"}))
        .answered("bearer", &json!({"href": "/olt/v4/resource/a%2Fb"}))
        .done(&["router"])
        .answered("other", &json!({"id": 7}));
    let told = [
        "port at olt: port is olt 1",
        "bearer at olt: bearer is a/b",
        "other at olt:  is 7",
    ];
    assert_eq!(case.named(), told);
    // What has been changed since keeps its name, what has been removed has none.
    let mut new = add.clone();
    new[0]["request"]["body"]["speed"] = 7.into();
    new.remove(2);
    let mut case = Case::new(&add)
        .answered("port", &json!({"id": "olt 1"}))
        .answered("licence", &json!({"id": "licence"}))
        .answered("bearer", &json!({"id": "b"}));
    let plan = case.amend(&new).unwrap();
    case = case.revised(plan).done(&["bearer~undo-1"]);
    case.reached("1~undone-1");
    let case = case.answered("port", &json!({"id": "job"}));
    assert_eq!(case.named(), ["port at olt:  is olt 1"]);
}

#[test]
fn what_was_removed_and_made_again_goes_on_under_its_new_name() {
    let case = Case::new(&removal()).done(&["port"]);
    assert_eq!(case.named(), Vec::<String>::new());
    let mut kept = tasks();
    kept.remove(0);
    let plan = case.amend(&kept).unwrap();
    let case = case.revised(plan);
    let case = case.answered("port~undo-1", &json!({"id": "olt-2"}));
    assert_eq!(case.named(), ["port at olt: olt-1 is olt-2"]);
    // It is removed, or changed, after all.
    let plan = case.amend(&removal()).unwrap();
    assert_eq!(request(&plan, "port"), "DELETE resource/olt-2 ");
    let plan = case.amend(&change(7)).unwrap();
    assert_eq!(
        request(&plan, "port"),
        r#"PATCH resource/olt-2 {"speed":7}"#
    );
    let case = case.revised(plan).done(&["port"]);
    assert_eq!(case.named(), ["port at olt:  is olt-2"]);
    let plan = case.cancel(Pinned::Refuse).unwrap();
    assert_eq!(
        request(&plan, "port~undo-3"),
        r#"PATCH resource/olt-2 {"speed":100}"#
    );
    // Or changed, before it was made again.
    let case = Case::new(&removal()).done(&["port"]);
    let plan = case.amend(&change(7)).unwrap();
    assert_eq!(
        request(&plan, "port"),
        r#"POST resource {"id":"olt-1","speed":7}"#
    );
    let case = case.revised(plan);
    let case = case.answered("port", &json!({"id": "olt-2"}));
    assert_eq!(case.named(), ["port at olt: olt-1 is olt-2"]);
    let plan = case.amend(&change(8)).unwrap();
    assert_eq!(
        request(&plan, "port"),
        r#"PATCH resource/olt-2 {"speed":8}"#
    );
    let plan = case.cancel(Pinned::Refuse).unwrap();
    assert_eq!(
        request(&plan, "port~undo-2"),
        r#"PATCH resource/olt-2 {"speed":100}"#
    );
}

#[test]
fn what_is_asked_for_once_more_has_a_key_of_its_own() {
    let key = |plan: &OrchestrationPlan| {
        let task = plan.task_flow.iter().find(|it| it.id == "port").unwrap();
        task.idempotency_key.clone().unwrap()
    };
    // What was done and undone.
    let case = Case::new(&tasks()).done(&["port"]);
    let mut without = tasks();
    without.remove(0);
    let plan = case.amend(&without).unwrap();
    let case = case.revised(plan).done(&["port~undo-1"]);
    let again = case.amend(&tasks()).unwrap();
    assert_eq!(
        request(&again, "port"),
        r#"POST resource {"id":"port","speed":100}"#
    );
    assert_ne!(key(&again), "key-port");
    // What was not sent yet keeps it, what was sent even more so.
    let mut case = case.revised(again.clone());
    assert_eq!(key(&case.amend(&tasks()).unwrap()), key(&again));
    case.started("port");
    assert_eq!(key(&case.amend(&tasks()).unwrap()), key(&again));
    // A change that is taken back and made again.
    let case = Case::new(&change(7)).done(&["port"]);
    let plan = case.amend(&change(8)).unwrap();
    assert_ne!(key(&plan), "key-port");
    let case = case.revised(plan).done(&["port"]);
    let plan = case.amend(&change(7)).unwrap();
    assert_eq!(
        request(&plan, "port"),
        r#"PATCH resource/olt-1 {"id":"olt-1","speed":7}"#
    );
    assert_ne!(key(&plan), "key-port");
}

#[test]
fn what_was_left_out_is_done_and_not_changed() {
    let mut case = Case::new(&tasks());
    case.note(Event::Skipped(ByHand {
        task: "port".into(),
        by: "jane".into(),
        reason: None,
    }));
    let mut new = tasks();
    new[0]["request"]["body"]["speed"] = 7.into();
    assert_eq!(told(&case.amend(&new).unwrap())[0], "do port");
}

#[test]
fn what_is_cancelled_in_part_can_be_cancelled_and_changed_still() {
    let mut tasks = tasks();
    tasks[2]["pointOfNoReturn"] = true.into();
    let case = Case::new(&tasks).done(&["port", "licence", "other", "bearer"]);
    let plan = case.cancel(Pinned::Keep).unwrap();
    let case = case.revised(plan);
    assert!(matches!(
        case.cancel(Pinned::Force),
        Err(Refusal::UnderWay { .. })
    ));
    let case = case.done(&["other~undo-1"]);
    for pinned in [Pinned::Refuse, Pinned::Keep] {
        let refused = case.cancel(pinned);
        assert!(matches!(refused, Err(Refusal::Pinned(_))), "{refused:?}");
    }
    let plan = case.cancel(Pinned::Force).unwrap();
    assert_eq!(
        told(&plan)[5..],
        [
            "keep other~undo-1",
            "undo bearer~undo-2",
            "undo licence~undo-2 after bearer~undo-2",
            "undo port~undo-2 after bearer~undo-2"
        ]
    );
    assert!(!plan.revision.as_ref().unwrap().partly);
    // Of what is cancelled, a new version has what it wants anew.
    assert!(told(&case.amend(&tasks).unwrap()).contains(&"do other".to_owned()));
    let case = case.done(&["router"]);
    assert_eq!(case.cancel(Pinned::Force), Err(Refusal::Ended));
}

#[test]
fn what_is_undone_already_comes_before_what_that_was_built_on() {
    let case = Case::new(&tasks()).done(&["port", "licence", "bearer", "router"]);
    let mut new = tasks();
    new.remove(3);
    let plan = case.amend(&new).unwrap();
    assert!(told(&plan).contains(&"undo router~undo-1".to_owned()));
    let mut case = case.revised(plan);
    case.failed("router~undo-1", None);
    let plan = case.cancel(Pinned::Refuse).unwrap();
    let undoing: Vec<String> = told(&plan)
        .into_iter()
        .filter(|it| it.starts_with("undo"))
        .collect();
    assert_eq!(
        undoing,
        [
            "undo router~undo-1",
            "undo bearer~undo-2 after router~undo-1",
            "undo licence~undo-2 after bearer~undo-2",
            "undo port~undo-2 after bearer~undo-2"
        ]
    );
    let told = view(&plan, &case.plan).unwrap().for_people();
    assert!(
        told.contains("  undo  ROUTER (router): DELETE resource/router at olt\n"),
        "{told}"
    );
    // What it has come to is not forgotten.
    let case = case.revised(plan);
    assert!(case.states().contains(&"router~undo-1 hold".to_owned()));
    let case = case.done(&["router~undo-1", "bearer~undo-2", "licence~undo-2"]);
    assert!(!case.progress().has_ended());
    assert!(case.done(&["port~undo-2"]).progress().has_ended());
}

#[test]
fn a_question_in_doubt_stops_nobody() {
    let mut asking = tasks();
    asking[0]["gate"] = "feasibility".into();
    asking[0]["compensation"] = json!({"none": "a question changes nothing"});
    let case = in_doubt(&asking, None);
    assert_eq!(told(&case.cancel(Pinned::Refuse).unwrap())[0], "drop port");
    let mut new = asking;
    new[0]["request"]["body"]["speed"] = 200.into();
    assert_eq!(told(&case.amend(&new).unwrap())[0], "do port");
}

#[test]
fn what_failed_and_may_have_been_done_is_undone() {
    let plan = in_doubt(&tasks(), Some(500))
        .cancel(Pinned::Refuse)
        .unwrap();
    assert_eq!(told(&plan).last().unwrap(), "undo port~undo-1 after port");
    let plan = in_doubt(&tasks(), Some(503))
        .cancel(Pinned::Refuse)
        .unwrap();
    assert!(told(&plan).iter().all(|it| it.starts_with("drop ")));
}

#[test]
fn a_milestone_belongs_to_what_comes_before_it() {
    let mut tasks = tasks();
    let mut wave = task("wave", &[], &["router"]);
    wave["kind"] = "milestone".into();
    tasks.push(wave);
    let mut case = Case::new(&tasks).done(&["port", "licence"]);
    assert_eq!(case.bundles().of_task("wave"), BTreeSet::from(["1"]));
    case.failed("bearer", Some(OnFailure::Compensate));
    let failed = pending(&case.plan, &case.progress());
    let plan = case.with(|standing| compensate(standing, &failed)).unwrap();
    let case = case.revised(plan).done(&["port~undo-1", "other"]);
    assert!(case.progress().has_ended());
}

#[test]
fn a_point_of_no_return_pins_its_bundle_and_no_other_one() {
    let mut tasks = tasks();
    tasks[2]["pointOfNoReturn"] = true.into();
    // Not before it has begun.
    let case = Case::new(&tasks).done(&["port", "licence"]);
    assert!(case.cancel(Pinned::Refuse).is_ok());
    let case = Case::new(&tasks).done(&["port", "licence", "other", "bearer"]);
    let refusal = case.cancel(Pinned::Refuse).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "item 1 is past the point of no return: task bearer (BEARER) was begun at 1970-01-01T00:00:07Z"
    );
    let plan = case.cancel(Pinned::Keep).unwrap();
    assert!(plan.revision.as_ref().unwrap().partly);
    assert_eq!(
        told(&plan),
        [
            "keep port",
            "keep licence",
            "keep bearer",
            "keep other",
            "undo other~undo-1"
        ],
        "the licence is shared with what stays, the router goes on"
    );
    let plan = case.cancel(Pinned::Force).unwrap();
    assert_eq!(told(&plan).len(), 9);
}

#[test]
fn what_is_skipped_or_cannot_be_undone_stays_and_says_why() {
    let mut tasks = tasks();
    tasks[1]["compensation"] = json!({"none": "it runs out by itself"});
    let mut case = Case::new(&tasks);
    case.note(Event::Skipped(ByHand {
        task: "port".into(),
        by: "jane".into(),
        reason: None,
    }));
    let case = case.done(&["licence"]);
    let plan = case.cancel(Pinned::Refuse).unwrap();
    let why = |at: usize| plan.task_flow[at].why.clone().unwrap();
    assert_eq!(why(0), "it was not done");
    assert_eq!(why(1), "nothing undoes it: it runs out by itself");
    assert!(told(&plan).iter().all(|it| !it.starts_with("undo")));
}

#[test]
fn the_bundle_of_a_task_that_failed_is_undone_and_the_others_go_on() {
    let mut case = Case::new(&tasks()).done(&["port", "licence"]);
    case.failed("bearer", Some(OnFailure::Compensate));
    let failed = pending(&case.plan, &case.progress());
    assert_eq!(failed, ["bearer"]);
    let plan = case.with(|standing| compensate(standing, &failed)).unwrap();
    assert_eq!(
        told(&plan),
        [
            "keep port",
            "keep licence",
            "keep bearer",
            "keep router",
            "undo port~undo-1"
        ]
    );
    let case = case.revised(plan);
    assert_eq!(
        case.states(),
        [
            "port completed",
            "licence completed",
            "bearer failed",
            "router givenUp",
            "other new",
            "port~undo-1 new"
        ]
    );
    assert!(
        pending(&case.plan, &case.progress()).is_empty(),
        "once is enough"
    );
    let case = case.done(&["port~undo-1", "other"]);
    let progress = case.progress();
    assert!(progress.has_ended() && !progress.is_completed());
}

#[test]
fn a_changed_order_keeps_what_is_the_same_and_changes_what_is_not() {
    let mut case = Case::new(&tasks()).done(&["port", "licence", "other"]);
    case.failed("bearer", None);
    let mut new = tasks();
    new[0]["request"]["body"] = json!({"id": "port", "rate": 200});
    new.remove(4);
    new[1]["relatedEntity"].as_array_mut().unwrap().pop();
    new.push(task("wifi", &["1"], &["bearer"]));
    let plan = case.amend(&new).unwrap();
    assert_eq!(
        told(&plan),
        [
            "keep other",
            "undo other~undo-1",
            "redo port",
            "keep licence",
            "keep bearer",
            "do router",
            "do wifi"
        ]
    );
    let port = plan.task_flow.iter().find(|it| it.id == "port").unwrap();
    let request = port.request.as_ref().unwrap();
    assert_eq!(request.method, crate::plan::flow::Method::Patch);
    assert_eq!(request.path, "resource/port");
    let body: Value = serde_json::from_str(&request.body.as_ref().unwrap().get()).unwrap();
    assert_eq!(body, json!({"id": "port", "rate": 200, "speed": null}));
    let mut case = case.revised(plan);
    let sent = |case: &Case| {
        let progress = case.progress();
        let port = progress.task("port").unwrap();
        (port.attempts, port.sent)
    };
    assert_eq!(sent(&case), (1, 0), "another request was sent before");
    assert_eq!(
        case.states(),
        [
            "other completed",
            "other~undo-1 new",
            "port new",
            "licence completed",
            "bearer hold",
            "router new",
            "wifi new"
        ]
    );
    case.started("port");
    assert_eq!(sent(&case), (2, 1));
}

#[test]
fn what_has_ended_is_neither_cancelled_nor_changed() {
    let all = ["port", "licence", "bearer", "router", "other"];
    let case = Case::new(&tasks()).done(&all);
    assert_eq!(case.cancel(Pinned::Refuse), Err(Refusal::Ended));
    assert_eq!(case.amend(&tasks()), Err(Refusal::Ended));
}

#[test]
fn a_change_of_what_is_past_the_point_of_no_return_is_refused() {
    let mut old = tasks();
    old[0]["pointOfNoReturn"] = true.into();
    let case = Case::new(&old).done(&["port", "licence", "other"]);
    // The other bundle may change.
    let mut new = old.clone();
    new[4]["request"]["body"]["speed"] = 7.into();
    assert!(case.amend(&new).is_ok());
    let mut new = old;
    new[3]["request"]["body"]["speed"] = 7.into();
    let Err(Refusal::Pinned(pins)) = case.amend(&new) else {
        panic!("it is refused");
    };
    assert_eq!((&*pins[0].bundle, &*pins[0].task), ("1", "port"));
}

#[test]
fn every_prefix_of_an_order_can_be_cancelled_and_comes_to_its_end() {
    let all = ["port", "licence", "bearer", "router", "other"];
    for count in 0..all.len() {
        let case = Case::new(&tasks()).done(&all[..count]);
        let case = {
            let plan = case.cancel(Pinned::Refuse).unwrap();
            case.revised(plan)
        };
        let undo: Vec<String> = case
            .plan
            .task_flow
            .iter()
            .filter_map(|it| it.compensates.as_ref().map(|_| it.id.clone()))
            .collect();
        assert_eq!(undo.len(), count);
        let ids: Vec<&str> = undo.iter().map(String::as_str).collect();
        let case = case.done(&ids);
        assert!(case.progress().has_ended());
        let progress = case.progress();
        let stay = progress.tasks().iter();
        assert!(stay.clone().all(|it| it.state != TaskState::New));
    }
}

#[test]
fn what_is_undone_is_told_once_and_what_stays_with_the_reason() {
    let mut tasks = tasks();
    tasks[0]["why"] = "rule `A` has it carried out at `olt`".into();
    tasks[1]["compensation"] = json!({"none": "it runs out by itself"});
    let mut asked = task("asked", &["1"], &[]);
    asked["gate"] = "feasibility".into();
    asked["compensation"] = json!({"none": "a question changes nothing"});
    tasks.insert(0, asked);
    let case = Case::new(&tasks).done(&["asked", "port", "licence"]);
    let plan = case.cancel(Pinned::Refuse).unwrap();
    let view = view(&plan, &case.plan).unwrap();
    assert_eq!(
        view.for_people(),
        "cancel PO: 1 to undo, 3 not to be done any more, 1 to stay\n  \
         undo  PORT (port): DELETE resource/port at olt\n  \
         drop  BEARER (bearer)\n  \
         drop  ROUTER (router)\n  \
         drop  OTHER (other)\n  \
         keep  LICENCE (licence): nothing undoes it: it runs out by itself\n"
    );
    // Programs are told of the question, too.
    assert_eq!(view.task.len(), 6);
    // Why a task was there at first is no reason for it to stay.
    tasks[4]["request"]["body"]["speed"] = 7.into();
    let plan = case.amend(&tasks).unwrap();
    let told = super::view(&plan, &case.plan).unwrap().for_people();
    assert!(told.contains("  keep  PORT (port)\n"), "{told}");
}

#[test]
fn what_a_point_of_no_return_pins_says_so() {
    let mut tasks = tasks();
    tasks[2]["pointOfNoReturn"] = true.into();
    let case = Case::new(&tasks).done(&["port", "licence", "other", "bearer"]);
    let plan = case.cancel(Pinned::Keep).unwrap();
    let told = view(&plan, &case.plan).unwrap().for_people();
    let why = "it is part of item 1, which is past the point of no return\n";
    assert!(
        told.contains(&format!("keep  PORT (port): {why}")),
        "{told}"
    );
    assert!(
        told.contains(&format!("keep  ROUTER (router): {why}")),
        "{told}"
    );
}

#[test]
fn an_answer_tells_a_name_by_its_id_or_by_where_it_is() {
    for resource in [r#"{"id":"p"}"#, r#"{"id":7}"#, r#"{"href":"/resource/p"}"#] {
        assert!(tells_name(resource), "{resource}");
    }
    for resource in ["{}", r#"{"id":""}"#, r#"{"id":null,"href":null}"#, "7", ""] {
        assert!(!tells_name(resource), "{resource}");
    }
}
