//! One endpoint, call by call.

use super::*;

fn send(system: &mut System, action: Action<'_>, key: &str, body: &str) -> (Effect, Reply) {
    let (method, path) = match action {
        Action::Create => ("POST", "/resource".to_owned()),
        Action::Change(id) => ("PATCH", format!("/resource/{id}")),
        Action::Remove(id) => ("DELETE", format!("/resource/{id}")),
        Action::Ask(_) => ("POST", "/olt/tmf-api/api/v4/collection".to_owned()),
        Action::Nothing(..) => ("POST", "/".to_owned()),
    };
    let key = (!key.is_empty()).then_some(key);
    let call = Call {
        action,
        method,
        path: &path,
        key,
        body: body.as_bytes(),
    };
    match system.call(&call, Instant::now()) {
        (effect, Delivery::Answer(reply)) => (effect, reply),
        other => panic!("{other:?}"),
    }
}

fn text(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

#[test]
fn a_resource_is_made_changed_and_removed() {
    let mut olt = System::new("olt", None, Vec::new());
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
    assert_eq!(text(&olt.resource("olt-1")), changed);
    assert_eq!(text(&olt.list()), format!("[{changed}]"));

    let (effect, reply) = send(&mut olt, Action::Remove("olt-1"), "3", "");
    assert_eq!(
        (effect, reply.status, text(&reply)),
        (Effect::Applied, 204, "")
    );
    assert_eq!(text(&olt.list()), "[]");
    let (effect, reply) = send(&mut olt, Action::Remove("olt-1"), "4", "");
    assert_eq!((effect, reply.status), (Effect::Refused, 404));
    assert_eq!(
        text(&reply),
        r#"{"@type":"Error","code":"notFound","message":"there is no resource olt-1 at endpoint olt","reason":"Not found","status":"404"}"#
    );
}

#[test]
fn a_repeated_key_gets_the_same_answer_and_has_no_second_effect() {
    let mut olt = System::new("olt", None, Vec::new());
    let (_, first) = send(&mut olt, Action::Create, "k", "{}");
    let (effect, second) = send(&mut olt, Action::Create, "k", "{}");
    assert_eq!((effect, second), (Effect::Replayed, first));
    assert_eq!(olt.resources.len(), 1);
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
    let mut olt = System::new("olt", None, Vec::new());
    send(&mut olt, Action::Create, "", r#"{"id":"a/ü"}"#);
    assert!(text(&olt.list()).contains("resource/a%2F%C3%BC\""));
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
    let faults = vec![
        Fault::parse("olt:1..2").unwrap(),
        Fault::parse("olt:3=lost").unwrap(),
    ];
    let mut olt = System::new("olt", None, faults);
    let call = Call {
        action: Action::Create,
        method: "POST",
        path: "/",
        key: Some("k"),
        body: b"{}",
    };
    let now = Instant::now();
    let effects: Vec<Effect> = (0..4).map(|_| olt.call(&call, now).0).collect();
    assert_eq!(
        effects,
        [
            Effect::Failed,
            Effect::Failed,
            Effect::Applied,
            Effect::Replayed
        ]
    );
    assert_eq!(olt.resources.len(), 1);
}

#[test]
fn a_fault_about_a_resource_counts_the_calls_about_it_alone() {
    let faults = ["smdp/V-2.:2=422", "smdp/V-3:*"];
    let faults = faults.map(|text| Fault::parse(text).unwrap()).to_vec();
    let mut smdp = System::new("smdp", None, faults);
    let create = |smdp: &mut System, id: &str| {
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
    let no = Fault::parse("olt:2=unqualified no free port").unwrap();
    let mut olt = System::new("olt", None, vec![no]);
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
    assert_eq!(olt.answered(&format!("{path}/olt-q2")).body, no.body);
    let listed: Value = serde_json::from_slice(&olt.answered(path).body).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 3);
}

#[test]
fn a_monitor_completes_when_its_time_has_come() {
    let mut olt = System::new("olt", Some(Duration::from_secs(5)), Vec::new());
    let call = Call {
        action: Action::Create,
        method: "POST",
        path: "/p",
        key: None,
        body: b"{}",
    };
    let now = Instant::now();
    let (_, Delivery::Answer(reply)) = olt.call(&call, now) else {
        panic!("no answer")
    };
    assert_eq!(reply.status, 202);
    assert!(text(&reply).contains(r#""state":"inProgress""#));
    assert_eq!(olt.monitor("olt-m1", now).body, reply.body);
    let later = olt.monitor("olt-m1", now + Duration::from_secs(5));
    let monitor: Value = serde_json::from_slice(&later.body).unwrap();
    assert_eq!(monitor["state"], "completed");
    assert_eq!(monitor["response"]["statusCode"], "201");
    assert!(
        monitor["response"]["body"]
            .as_str()
            .unwrap()
            .starts_with("{\"id\":\"olt-1\"")
    );
    assert_eq!(olt.monitor("olt-m2", now).status, 404);
}
