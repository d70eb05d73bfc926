//! Orders cancelled and changed while they are under way, and bundles undone
//! because a task of theirs failed.

use std::collections::BTreeMap;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::mock::Call;
use crate::support::tasks::{order, task};
use crate::support::{
    Mock, Workplace, chain, chain_of, document, documents, example, filter, numbered, orderctl,
    run, stderr, stdout,
};

const WIFI: &str = "1.CFS-WIFI-MGMT.RFS-CLOUD-WIFI";

/// What there is at the endpoints after all that was applied: by endpoint and id.
fn resources(record: &[Call]) -> BTreeMap<String, Value> {
    let mut there = BTreeMap::new();
    for call in record.iter().filter(|call| call.is_applied()) {
        let last = call.path.rsplit('/').next().unwrap();
        match call.method.as_str() {
            "POST" => {
                let id = call.body["id"].as_str().unwrap();
                there.insert(format!("{} {id}", call.endpoint), call.body.clone());
            }
            "PATCH" => {
                let known: &mut Value =
                    there.get_mut(&format!("{} {last}", call.endpoint)).unwrap();
                for (name, value) in call.body.as_object().unwrap() {
                    match value {
                        Value::Null => drop(known.as_object_mut().unwrap().remove(name)),
                        value => known[name] = value.clone(),
                    }
                }
            }
            _ => drop(there.remove(&format!("{} {last}", call.endpoint)).unwrap()),
        }
    }
    there
}

fn cancel(workplace: &Workplace, arguments: &[&str]) -> Output {
    let words = [
        "plan",
        "--cancel",
        "ORD-1",
        "--reason",
        "the customer moves",
    ];
    run(workplace.orderctl(&words).args(arguments), "")
}

/// The example, held at its last task.
fn held_at_the_end(mock: &Mock) -> Workplace {
    let workplace = Workplace::new(&mock.url());
    let output = workplace.activate(&chain("order.json", "1"), &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    workplace
}

fn state<'d>(documents: &'d [Value], kind: &str) -> &'d str {
    document(documents, kind)["state"].as_str().unwrap()
}

#[test]
fn an_order_is_looked_at_cancelled_and_nothing_of_it_is_left() {
    let mock = Mock::failing(&["wifi:*=422"]);
    let workplace = held_at_the_end(&mock);
    let before = mock.record().len();
    let looked = cancel(&workplace, &["--format", "human"]);
    let shown = stdout(&looked);
    assert_eq!(looked.status.code(), Some(0), "{}", stderr(&looked));
    assert!(
        shown.starts_with("cancel ORD-1: 6 to undo, 1 not to be done any more\n"),
        "{shown}"
    );
    assert!(
        shown.contains(&format!("  drop  Cloud-WiFi ({WIFI})\n")),
        "{shown}"
    );
    let undo = "  undo  GPON-Bearer (1.CFS-INTERNET-ACCESS.RFS-GPON-BEARER): DELETE resource/";
    assert!(shown.contains(undo), "{shown}");
    let view: Value =
        serde_json::from_str(&stdout(&cancel(&workplace, &["--format", "json"]))).unwrap();
    let told = view["task"].as_array().unwrap();
    assert_eq!(
        (told.len(), told[0]["undoes"].as_str().unwrap().len()),
        (7, told[0]["id"].as_str().unwrap().len() - "~undo-1".len())
    );
    // It is what its schema says.
    filter(orderctl().args(["validate", "-q"]), &view.to_string());
    assert_eq!(mock.record().len(), before, "nothing is sent by looking");

    let planned = cancel(&workplace, &[]);
    let plan = stdout(&planned);
    assert_eq!(
        state(&documents(&plan), "CancelProductOrder"),
        "acknowledged"
    );
    for kind in ["ProductOrder", "ServiceOrder", "ResourceOrder"] {
        assert_eq!(state(&documents(&plan), kind), "assessingCancellation");
    }
    let output = workplace.activate(&plan, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = "activate ORD-1: cancelled, 12 of 13 tasks done\n  dropped 1 task that is not wanted any more\n";
    assert!(stderr(&output).starts_with(said), "{}", stderr(&output));
    let written = documents(&stdout(&output));
    for kind in ["ProductOrder", "ServiceOrder", "ResourceOrder"] {
        assert_eq!(state(&written, kind), "cancelled");
    }
    let request = document(&written, "CancelProductOrder");
    assert_eq!(
        [
            &request["state"],
            &request["cancellationReason"],
            &request["productOrder"]["id"]
        ],
        ["done", "the customer moves", "ORD-1"]
    );
    let record = mock.record();
    assert!(resources(&record).is_empty(), "{:?}", resources(&record));
    let undone: Vec<&str> = record[before..].iter().map(|it| &*it.endpoint).collect();
    assert_eq!(undone.len(), 6);
    let at = |endpoint: &str| undone.iter().position(|it| *it == endpoint).unwrap();
    assert!(
        at("acs") < at("warehouse"),
        "what needed a thing goes before the thing"
    );

    // Once more is nothing, the commands of before once more as well.
    let again = workplace.activate(&plan, &[]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(mock.record().len(), record.len());
    let planned = cancel(&workplace, &[]);
    assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    assert_eq!(
        stderr(&planned),
        "plan ORD-1: it was cancelled before, and this is the plan for that\n"
    );
    assert_eq!(
        state(&documents(&stdout(&planned)), "CancelProductOrder"),
        "done"
    );
    let again = workplace.activate(&stdout(&planned), &[]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(mock.record().len(), record.len());
    // The plan that it was begun with leads to what has taken its place.
    let again = workplace.activate(&chain("order.json", "1"), &[]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(
        state(&documents(&stdout(&again)), "ProductOrder"),
        "cancelled"
    );
    assert_eq!(mock.record().len(), record.len());
}

#[test]
fn an_order_that_cannot_be_undone_stays_pending_and_says_so() {
    let mock = Mock::failing(&["wifi:*=422", "olt/method=DELETE:1=422 port in use"]);
    let workplace = held_at_the_end(&mock);
    let plan = stdout(&cancel(&workplace, &[]));
    let output = workplace.activate(&plan, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let said = stderr(&output);
    let held = "  held 1.CFS-INTERNET-ACCESS.RFS-GPON-BEARER~undo-1: 422 Unprocessable Entity";
    assert!(said.contains(held), "{said}");
    let written = documents(&stdout(&output));
    assert_eq!(state(&written, "ProductOrder"), "pendingCancellation");
    assert_eq!(state(&written, "CancelProductOrder"), "inProgress");
    let status = run(
        &mut workplace.orderctl(&["status", "ORD-1", "-o", "table"]),
        "",
    );
    let shown = stdout(&status);
    assert!(shown.contains("pendingCancellation"), "{shown}");
    assert!(shown.contains("port in use"), "{shown}");
    let asked = "CancelProductOrder ORD-1.cancel-1 is inProgress, asked for at 20";
    assert!(shown.contains(asked), "{shown}");
    assert!(
        shown.contains("Z: the customer moves; 5 of 6 tasks of it done\n"),
        "{shown}"
    );
    // The same commands once more go on.
    let refused = cancel(&workplace, &["--format", "human"]);
    assert_eq!(refused.status.code(), Some(0), "{}", stderr(&refused));
    assert!(stdout(&refused).starts_with("cancel ORD-1: 6 to undo, "));
    let again = cancel(&workplace, &[]);
    assert_eq!(
        stderr(&again),
        "plan ORD-1: it is being cancelled, and this is the plan that goes on\n"
    );
    let plan = stdout(&again);
    let written = documents(&plan);
    assert_eq!(state(&written, "ProductOrder"), "pendingCancellation");
    assert_eq!(state(&written, "CancelProductOrder"), "inProgress");
    let output = workplace.activate(&plan, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let status = run(
        &mut workplace.orderctl(&["status", "ORD-1", "-o", "json"]),
        "",
    );
    let revision = document(&documents(&stdout(&status)), "OrderStatus")["revision"].clone();
    let told = [
        &revision["kind"],
        &revision["state"],
        &revision["cancelRequest"]["id"],
    ];
    assert_eq!(told, ["cancel", "done", "ORD-1.cancel-1"]);
    filter(orderctl().args(["validate", "-q"]), &stdout(&status));
    assert!(resources(&mock.record()).is_empty());
}

#[test]
fn a_cancellation_of_an_order_that_has_moved_on_is_planned_again() {
    let mock = Mock::failing(&["wifi:1=422"]);
    let workplace = held_at_the_end(&mock);
    let plan = stdout(&cancel(&workplace, &[]));
    let output = workplace.activate(&chain("order.json", "1"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = workplace.activate(&plan, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("order ORD-1 has moved on since this was planned"));
}

#[test]
fn what_is_past_the_point_of_no_return_is_named() {
    let mock = Mock::failing(&["*/last:1=422"]);
    let workplace = Workplace::new(&mock.url());
    let request = |id: &str| json!({"method": "POST", "path": "resource", "body": {"id": id}});
    let chain = order(&[
        task(
            "port",
            &[],
            json!({"pointOfNoReturn": true, "request": request("port")}),
        ),
        task("last", &["port"], json!({"request": request("last")})),
    ]);
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let refused = run(&mut workplace.orderctl(&["plan", "--cancel", "R-1"]), "");
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    let begun = "order R-1: it is past the point of no return: task port (PORT) was begun at ";
    assert!(said.contains(begun), "{said}");
    assert!(said.contains("can be cancelled with --partly"), "{said}");
    assert_eq!(stdout(&refused), "");
    let partly = ["plan", "--cancel", "R-1", "--partly"];
    let refused = run(&mut workplace.orderctl(&partly), "");
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    assert!(said.contains(begun), "{said}");
    assert!(!said.contains("--partly"), "that is what was given: {said}");
}

#[test]
fn a_bundle_is_undone_when_a_task_of_it_fails() {
    let mock = Mock::failing(&["wifi:*=422"]);
    let workplace = Workplace::new(&mock.url());
    workplace.endpoints(&mock.url(), "onFailure = \"compensate\"\n");
    let chain = chain("order.json", "1");
    let output = workplace.activate(&chain, &["-v"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("activate ORD-1: failed"), "{said}");
    assert!(said.contains(&format!("  failed {WIFI}: 422")), "{said}");
    let record = mock.record();
    assert!(resources(&record).is_empty(), "{:?}", resources(&record));
    let written = documents(&stdout(&output));
    let items = document(&written, "ResourceOrder")["orderItem"]
        .as_array()
        .unwrap()
        .clone();
    for item in &items {
        let expected = if item["id"] == WIFI {
            "failed"
        } else {
            "cancelled"
        };
        assert_eq!(item["state"], expected, "{}", item["id"]);
    }
    let again = workplace.activate(&chain, &[]);
    assert_eq!(again.status.code(), Some(1), "{}", stderr(&again));
    assert_eq!(mock.record().len(), record.len(), "once is enough");
}

/// The example's order at another speed, as its second version.
fn faster(number: &str) -> String {
    let mut order: Value = serde_json::from_str(&numbered("order.json", number)).unwrap();
    order["version"] = "2".into();
    let product = &mut order["productOrderItem"][0]["product"];
    let list = product["productCharacteristic"].as_array_mut().unwrap();
    let speed = list
        .iter_mut()
        .find(|it| it["name"] == "downloadSpeed")
        .unwrap();
    speed["value"] = 500.into();
    order.to_string()
}

fn amend(workplace: &Workplace, order: &str, arguments: &[&str]) -> Output {
    let catalog = example().join("../catalog/broadband");
    let now = ["decompose", "--now", "2026-11-23T12:00:00Z", "--catalog"];
    let decomposed = filter(orderctl().args(now).arg(&catalog), order);
    let mut command = workplace.orderctl(&["plan", "--amend", "-", "--catalog"]);
    run(command.arg(&catalog).args(arguments), &decomposed)
}

#[test]
fn a_changed_order_ends_as_if_it_had_been_ordered_so() {
    let alone = Mock::start();
    let output = Workplace::new(&alone.url()).activate(&chain_of(&faster("1")), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    let mock = Mock::failing(&["wifi:1=422"]);
    let workplace = held_at_the_end(&mock);
    let looked = amend(&workplace, &faster("1"), &["--format", "human"]);
    let shown = stdout(&looked);
    assert!(
        shown.contains("  redo  QoS-Profile ("),
        "{shown}{}",
        stderr(&looked)
    );
    let amended = amend(&workplace, &faster("1"), &[]);
    assert_eq!(amended.status.code(), Some(0), "{}", stderr(&amended));
    let output = workplace.activate(&stdout(&amended), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        state(&documents(&stdout(&output)), "ProductOrder"),
        "completed"
    );
    assert_eq!(resources(&mock.record()), resources(&alone.record()));

    // The same commands once more find it done.
    let again = amend(&workplace, &faster("1"), &[]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(
        stderr(&again),
        "plan ORD-1: version 2 is there already, and this is the plan that goes on\n"
    );
    let sent = mock.record().len();
    let output = workplace.activate(&stdout(&again), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(mock.record().len(), sent);

    // Something else under the same version is ignored, and so is a lower one.
    let other = smaller("1");
    let lower = other.replace(r#""version":"2""#, r#""version":"1""#);
    for (order, version, advice) in [
        (
            other,
            2,
            ", and asks for something else: give this one a higher version",
        ),
        (lower, 1, ""),
    ] {
        let ignored = amend(&workplace, &order, &[]);
        assert_eq!(
            (ignored.status.code(), stdout(&ignored)),
            (Some(0), String::new())
        );
        let said = format!(
            "plan ORD-1: version {version} is ignored: version 2 is there already{advice}\n"
        );
        assert_eq!(stderr(&ignored), said);
    }
}

#[test]
fn a_change_that_waits_goes_on_with_the_same_commands() {
    let mock = Mock::failing(&["wifi:1..2=422"]);
    let workplace = held_at_the_end(&mock);
    let amended = amend(&workplace, &faster("1"), &[]);
    let output = workplace.activate(&stdout(&amended), &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let again = amend(&workplace, &faster("1"), &[]);
    let output = workplace.activate(&stdout(&again), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        state(&documents(&stdout(&output)), "ProductOrder"),
        "completed"
    );
}

/// The example's order without the second of its products, as its second version.
fn smaller(number: &str) -> String {
    let mut order: Value = serde_json::from_str(&numbered("order.json", number)).unwrap();
    order["version"] = "2".into();
    let product = &mut order["productOrderItem"][0]["product"];
    let list = product["productCharacteristic"].as_array_mut().unwrap();
    let wifi = list.iter_mut().find(|it| it["name"] == "wifiApp").unwrap();
    wifi["value"] = false.into();
    order.to_string()
}

/// Runs a plan again and again, as somebody does who mends what is held.
fn to_the_end(workplace: &Workplace, plan: &str) {
    for _ in 0..9 {
        let output = workplace.activate(plan, &[]);
        match output.status.code() {
            Some(0) => return,
            Some(3) => {}
            _ => panic!("{}", stderr(&output)),
        }
    }
    panic!("no end");
}

/// Wherever the order stands: cancelled it leaves nothing, changed it leaves what the new order would
/// have left on its own.
#[test]
fn at_every_point_of_its_way_an_order_can_be_cancelled_and_changed() {
    let alone = |order: &str| {
        let mock = Mock::start();
        let output = Workplace::new(&mock.url()).activate(&chain_of(order), &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        resources(&mock.record())
    };
    let changes = [faster("1"), smaller("1")];
    let wanted = changes.each_ref().map(|order| alone(order));
    assert_ne!(wanted[0], wanted[1]);
    for fault in [
        "olt:1=422",
        "bng:1=422",
        "ipam:1=422",
        "warehouse:1=422",
        "wifi:1=422",
        "*:try1=422",
    ] {
        for (order, wanted) in changes.iter().zip(&wanted) {
            let mock = Mock::failing(&[fault, "*/method=DELETE:10%=503"]);
            let workplace = Workplace::new(&mock.url());
            workplace.activate(&chain("order.json", "1"), &[]);
            let amended = amend(&workplace, order, &[]);
            assert_eq!(
                amended.status.code(),
                Some(0),
                "{fault}: {}",
                stderr(&amended)
            );
            to_the_end(&workplace, &stdout(&amended));
            assert_eq!(&resources(&mock.record()), wanted, "{fault}");
        }
        let mock = Mock::failing(&[fault]);
        let workplace = Workplace::new(&mock.url());
        workplace.activate(&chain("order.json", "1"), &[]);
        let plan = cancel(&workplace, &[]);
        assert_eq!(plan.status.code(), Some(0), "{}", stderr(&plan));
        to_the_end(&workplace, &stdout(&plan));
        assert!(resources(&mock.record()).is_empty(), "{fault}");
    }
}

#[test]
fn a_bundle_past_the_point_of_no_return_is_not_undone_and_the_reason_is_told() {
    let mock = Mock::failing(&["*/last:*=422"]);
    let workplace = Workplace::new(&mock.url());
    let request = |id: &str| json!({"method": "POST", "path": "resource", "body": {"id": id}});
    let removal = |id: &str| {
        let path = format!("resource/{id}");
        json!({"request": {"method": "DELETE", "path": path}})
    };
    let chain = order(&[
        task(
            "port",
            &[],
            json!({
                "pointOfNoReturn": true, "request": request("port"), "compensation": removal("port")
            }),
        ),
        task(
            "last",
            &["port"],
            json!({"request": request("last"), "onFailure": "compensate"}),
        ),
    ]);
    for _ in 0..2 {
        let output = workplace.activate(&chain, &[]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(
            said.contains(
                "what its bundle has done is not undone: it is past the point of no \
                               return: task port (PORT) was begun at"
            ),
            "{said}"
        );
        assert_eq!(resources(&mock.record()).len(), 1);
    }
}
