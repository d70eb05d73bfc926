//! One endpoint, call by call.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::check::Check;
use super::super::fault::{Fault, Notice};
use super::super::judge::{Accepts, Manner};
use super::super::record::Effect;
use super::*;

fn role(name: &str, manner: Manner, faults: &[&str]) -> Role {
    let faults = faults.iter().map(|it| Fault::parse(it).unwrap()).collect();
    let system = Box::new(System::new(name, manner));
    let judge = Judge::new(name, 0, manner, faults);
    Role::new(name, judge, Player::System(system))
}

fn olt(faults: &[&str]) -> Role {
    role("olt", Manner::default(), faults)
}

fn call<'a>(action: Action<'a>, (method, path): (&'a str, &'a str), body: &'a str) -> Call<'a> {
    Call {
        action,
        method,
        path,
        key: None,
        item: None,
        body: body.as_bytes(),
    }
}

fn played(role: &mut Role, call: &Call<'_>, now: Instant) -> Played {
    match role.call(call, now).1 {
        Outcome::Played(played) => *played,
        Outcome::Forward(_) => panic!("it is played here"),
    }
}

fn send(role: &mut Role, action: Action<'_>, key: &str, body: &str) -> (Effect, Reply) {
    let (method, path) = match action {
        Action::Create => ("POST", "/resource".to_owned()),
        Action::Change(id) => ("PATCH", format!("/resource/{id}")),
        Action::Remove(id) => ("DELETE", format!("/resource/{id}")),
        Action::Ask(_) => ("POST", "/olt/tmf-api/api/v4/collection".to_owned()),
        _ => ("POST", "/".to_owned()),
    };
    let call = Call {
        key: (!key.is_empty()).then_some(key),
        ..call(action, (method, &path), body)
    };
    let played = played(role, &call, Instant::now());
    match played.delivery {
        Delivery::Answer(reply) => (played.effect, reply),
        other => panic!("{other:?}"),
    }
}

fn read(role: &mut Role, place: &Place<'_>, path: &str) -> Reply {
    role.read(place, (path, None)).unwrap().unwrap()
}

fn list(role: &mut Role) -> String {
    text(&read(role, &Place::Resources, "")).to_owned()
}

fn text(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

#[test]
fn a_resource_is_made_changed_and_removed() {
    let mut olt = olt(&[]);
    let (effect, reply) = send(
        &mut olt,
        Action::Create,
        "1",
        r#"{"z":{"b":1,"a":2},"href":"x"}"#,
    );
    let base = "/olt/tmf-api/ResourceActivationAndConfiguration/v4/resource";
    assert_eq!((effect, reply.status), (Effect::Applied, 201));
    assert_eq!(reply.location.as_deref(), Some(&*format!("{base}/olt-1")));
    assert_eq!(
        text(&reply),
        format!(r#"{{"id":"olt-1","href":"{base}/olt-1","z":{{"b":1,"a":2}}}}"#)
    );

    let (effect, reply) = send(
        &mut olt,
        Action::Change("olt-1"),
        "2",
        r#"{"z":{"b":null,"c":[3]},"name":"n"}"#,
    );
    assert_eq!((effect, reply.status), (Effect::Applied, 200));
    let changed =
        format!(r#"{{"id":"olt-1","href":"{base}/olt-1","name":"n","z":{{"a":2,"c":[3]}}}}"#);
    assert_eq!(text(&reply), changed);
    assert_eq!(
        text(&read(&mut olt, &Place::Resource("olt-1".into()), "")),
        changed
    );
    assert_eq!(list(&mut olt), format!("[{changed}]"));

    let (effect, reply) = send(&mut olt, Action::Remove("olt-1"), "3", "");
    assert_eq!(
        (effect, reply.status, text(&reply)),
        (Effect::Applied, 204, "")
    );
    assert_eq!(list(&mut olt), "[]");
    let (effect, reply) = send(&mut olt, Action::Remove("olt-1"), "4", "");
    assert_eq!((effect, reply.status), (Effect::Refused, 404));
    assert_eq!(
        text(&reply),
        r#"{"@type":"Error","code":"notFound","message":"there is no resource olt-1 at endpoint olt","reason":"Not found","status":"404"}"#
    );
}

#[test]
fn a_repeated_key_gets_the_same_answer_and_has_no_second_effect() {
    let mut olt = olt(&[]);
    let (_, first) = send(&mut olt, Action::Create, "k", "{}");
    let (effect, second) = send(&mut olt, Action::Create, "k", "{}");
    assert_eq!((effect, second), (Effect::Replayed, first));
    assert_eq!(list(&mut olt).matches("\"href\"").count(), 1);
    let (effect, reply) = send(&mut olt, Action::Create, "k", "{ }");
    assert_eq!((effect, reply.status), (Effect::Refused, 422));
    let (effect, reply) = send(&mut olt, Action::Create, "l", r#"{"id":"olt-1"}"#);
    assert_eq!((effect, reply.status), (Effect::Refused, 409));
    send(&mut olt, Action::Create, "m", r#"{"id":"olt-2"}"#);
    let (_, reply) = send(&mut olt, Action::Create, "", "{}");
    assert_eq!(reply.location.unwrap().rsplit('/').next(), Some("olt-3"));
}

#[test]
fn bodies_that_are_no_objects_are_refused() {
    let mut olt = olt(&[]);
    send(&mut olt, Action::Create, "", r#"{"id":"a/ü"}"#);
    assert!(list(&mut olt).contains("resource/a%2F%C3%BC\""));
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    for body in [
        "",
        "[]",
        "1",
        "{",
        "{\"id\":\"\"}",
        "{\"id\":7}",
        "{\"id\":null}",
        &deep,
    ] {
        let (effect, reply) = send(&mut olt, Action::Create, "k", body);
        assert_eq!((effect, reply.status), (Effect::Refused, 400), "{body}");
    }
    for body in ["", "[]", "null", "{\"id\":\"b\"}", "{\"a\":1e999}", &deep] {
        let (effect, reply) = send(&mut olt, Action::Change("a/ü"), "k", body);
        assert_eq!((effect, reply.status), (Effect::Refused, 400), "{body}");
    }
}

#[test]
fn faults_count_calls_and_leave_no_trace() {
    let mut olt = olt(&["olt:1..2", "olt:3=lost"]);
    let call = Call {
        key: Some("k"),
        ..call(Action::Create, ("POST", "/"), "{}")
    };
    let now = Instant::now();
    let effects: Vec<Effect> = (0..4)
        .map(|_| played(&mut olt, &call, now).effect)
        .collect();
    assert_eq!(
        effects,
        [
            Effect::Failed,
            Effect::Failed,
            Effect::Applied,
            Effect::Replayed
        ]
    );
    assert_eq!(list(&mut olt).matches("\"href\"").count(), 1);
}

#[test]
fn a_fault_about_a_resource_counts_the_calls_about_it_alone() {
    let faults = ["smdp/V-2.:2=422", "smdp/V-3:*"];
    let mut smdp = role("smdp", Manner::default(), &faults);
    let create = |smdp: &mut Role, id: &str| {
        send(smdp, Action::Create, "", &format!(r#"{{"id":"{id}"}}"#)).1
    };
    let statuses: Vec<u16> = ["V-1", "V-2.tracker", "V-2.tablet", "V-20", "V-3"]
        .into_iter()
        .map(|id| create(&mut smdp, id).status)
        .collect();
    assert_eq!(statuses, [201, 201, 422, 201, 500]);
    assert_eq!(create(&mut smdp, "V-2.tablet").status, 201);
    let (effect, _) = send(&mut smdp, Action::Remove("V-3"), "", "");
    assert_eq!(effect, Effect::Failed);
    // A call that names no resource is about none.
    assert_eq!(send(&mut smdp, Action::Create, "", "{}").1.status, 201);
}

#[test]
fn questions_are_answered_by_yes_unless_told_otherwise() {
    let mut olt = olt(&["olt:2=unqualified no free port"]);
    let body = r#"{"x":1,"serviceQualificationItem":[{"id":"1"}]}"#;
    let (effect, reply) = send(&mut olt, Action::Ask(Check::Service), "k", body);
    assert_eq!((effect, reply.status), (Effect::Applied, 201));
    let path = "/olt/tmf-api/api/v4/collection";
    assert_eq!(
        serde_json::from_slice::<Value>(&reply.body).unwrap(),
        json!({
            "id": "olt-q1", "href": format!("{path}/olt-q1"), "x": 1, "state": "done", "qualificationResult": "qualified",
            "serviceQualificationItem": [{"id": "1", "state": "done", "qualificationResult": "qualified"}],
        })
    );
    let body = r#"{"productOfferingQualificationItem":[{"id":"1"}]}"#;
    let (effect, no) = send(&mut olt, Action::Ask(Check::Offering), "l", body);
    assert_eq!((effect, no.status), (Effect::Refused, 201));
    assert_eq!(
        serde_json::from_slice::<Value>(&no.body).unwrap(),
        json!({
            "id": "olt-q2", "href": format!("{path}/olt-q2"), "state": "done", "qualificationResult": "unqualified",
            "productOfferingQualificationItem": [{
                "id": "1", "state": "done", "qualificationItemResult": "unqualified",
                "eligibilityUnavailabilityReason": [{"code": "unqualified", "label": "no free port"}],
            }],
        })
    );
    // Asked again under the same key it is judged anew.
    let (effect, reply) = send(&mut olt, Action::Ask(Check::Risk), "l", "{}");
    assert_eq!((effect, reply.status), (Effect::Applied, 201));
    let answer: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(answer["riskAssessmentResult"]["overallScore"], 0.1);
    let (_, reply) = send(&mut olt, Action::Ask(Check::Risk), "m", "[]");
    assert_eq!(reply.status, 400);
    assert_eq!(
        read(&mut olt, &Place::Answered, &format!("{path}/olt-q2")).body,
        no.body
    );
    let listed: Value =
        serde_json::from_slice(&read(&mut olt, &Place::Answered, path).body).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 3);
}

#[test]
fn a_monitor_completes_when_its_time_has_come() {
    let manner = Manner {
        accepts: Some(Accepts {
            after: Duration::from_secs(5).into(),
            notice: Notice::None,
        }),
        ..Manner::default()
    };
    let mut olt = role("olt", manner, &[]);
    let call = call(Action::Create, ("POST", "/p"), "{}");
    let now = Instant::now();
    let Played {
        delivery: Delivery::Answer(reply),
        ending: None,
        ..
    } = played(&mut olt, &call, now)
    else {
        panic!("no answer")
    };
    assert_eq!(reply.status, 202);
    assert!(text(&reply).contains(r#""state":"inProgress""#));
    let Player::System(system) = &olt.player else {
        panic!("it is played here")
    };
    assert_eq!(system.monitor("olt-m1", now).body, reply.body);
    let later = system.monitor("olt-m1", now + Duration::from_secs(5));
    let monitor: Value = serde_json::from_slice(&later.body).unwrap();
    assert_eq!(monitor["state"], "completed");
    assert_eq!(monitor["response"]["statusCode"], "201");
    assert!(
        monitor["response"]["body"]
            .as_str()
            .unwrap()
            .starts_with("{\"id\":\"olt-1\"")
    );
    assert_eq!(system.monitor("olt-m2", now).status, 404);
}

#[test]
fn where_keys_are_ignored_a_repetition_is_a_second_request() {
    let manner = Manner {
        ignores_keys: true,
        ..Manner::default()
    };
    let mut olt = role("olt", manner, &[]);
    for _ in 0..2 {
        assert_eq!(send(&mut olt, Action::Create, "k", "{}").0, Effect::Applied);
    }
    assert_eq!(list(&mut olt).matches("\"href\"").count(), 2);
    send(&mut olt, Action::Create, "l", r#"{"id":"p"}"#);
    let (effect, reply) = send(&mut olt, Action::Create, "l", r#"{"id":"p"}"#);
    assert_eq!((effect, reply.status), (Effect::Refused, 409));
}

#[test]
fn an_endpoint_that_names_what_it_makes_itself_knows_it_by_no_other_name() {
    let manner = Manner {
        names_itself: true,
        ..Manner::default()
    };
    let mut olt = role("olt", manner, &[]);
    let (_, reply) = send(&mut olt, Action::Create, "k", r#"{"id":"p"}"#);
    assert!(text(&reply).starts_with(r#"{"id":"olt-1","#));
    let repeated = send(&mut olt, Action::Create, "k", r#"{"id":"p"}"#);
    assert_eq!(repeated, (Effect::Replayed, reply));
    assert_eq!(send(&mut olt, Action::Change("p"), "", "{}").1.status, 404);
    let (_, reply) = send(&mut olt, Action::Change("olt-1"), "", r#"{"id":"p"}"#);
    assert_eq!(reply.status, 400);
    assert_eq!(send(&mut olt, Action::Remove("p"), "", "").1.status, 404);
    assert_eq!(
        send(&mut olt, Action::Remove("olt-1"), "", "").1.status,
        204
    );
    let (_, reply) = send(&mut olt, Action::Create, "", r#"{"id":""}"#);
    assert_eq!(reply.status, 400);
}

#[test]
fn a_fault_about_a_specification_knows_those_of_kept_resources() {
    let mut olt = olt(&["olt/spec=RS-PORT:2..=503"]);
    let body = r#"{"id":"p","resourceSpecification":{"id":"RS-PORT"}}"#;
    assert_eq!(send(&mut olt, Action::Create, "", body).1.status, 201);
    assert_eq!(
        send(&mut olt, Action::Create, "", r#"{"id":"q"}"#).1.status,
        201
    );
    assert_eq!(send(&mut olt, Action::Remove("q"), "", "").1.status, 204);
    assert_eq!(send(&mut olt, Action::Remove("p"), "", "").1.status, 503);
    assert_eq!(send(&mut olt, Action::Change("p"), "", "{}").1.status, 503);
}

#[test]
fn what_ends_later_is_told_to_those_who_wanted_to_know_when_it_began() {
    let mut olt = olt(&[
        "olt/method=DELETE:*=callback,5s",
        "olt/method=PATCH:*=accepted",
    ]);
    let mut subscribe = |body: &str| send(&mut olt, Action::Subscribe, "", body);
    let (effect, reply) = subscribe(r#"{"callback":"http://127.0.0.1:9","query":"eventType=A"}"#);
    assert_eq!((effect, reply.status), (Effect::Applied, 201));
    let location = reply.location.unwrap();
    assert!(location.ends_with("/v4/hub/olt-l1"), "{location}");
    assert_eq!(
        subscribe(r#"{"callback":"http://192.0.2.1"}"#).1.status,
        400
    );
    send(&mut olt, Action::Create, "", r#"{"id":"p"}"#);
    let now = Instant::now();
    let change = call(Action::Change("p"), ("PATCH", "/resource/p"), "{}");
    assert!(played(&mut olt, &change, now).ending.is_none());
    let mut remove = call(Action::Remove("p"), ("DELETE", "/resource/p"), "");
    remove.key = Some("k");
    let ending = played(&mut olt, &remove, now).ending.unwrap();
    assert_eq!(ending.due, now + Duration::from_secs(5));
    assert_eq!(ending.key.as_deref(), Some("k"));
    assert_eq!(ending.listeners.len(), 1);
    let kinds: Vec<&str> = ending.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["ResourceDeleteEvent", "MonitorStateChangeEvent"]);
    let monitor: Value = serde_json::from_slice(&ending.events[1].content).unwrap();
    assert_eq!(
        (&monitor["id"], &monitor["state"]),
        (&json!("olt-m2"), &json!("completed"))
    );
    // A repetition has the same answer, and its end is not told again.
    assert!(played(&mut olt, &remove, now).ending.is_none());
    assert_eq!(
        send(&mut olt, Action::Unsubscribe("olt-l1"), "", "")
            .1
            .status,
        204
    );
    assert_eq!(
        send(&mut olt, Action::Unsubscribe("olt-l1"), "", "")
            .1
            .status,
        404
    );
}
