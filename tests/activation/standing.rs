//! `orderctl status` over a journal: what an order stands still for, which
//! orders are shown, and waiting until they are done.

use std::process::Stdio;

use orderctl::journal::JournalReader;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::tasks::{order, task};
use crate::support::{Mock, Workplace, chain, documents, run, stderr, stdout};

fn status(workplace: &Workplace, arguments: &[&str]) -> std::process::Output {
    run(workplace.orderctl(&["status"]).args(arguments), "")
}

fn shown(workplace: &Workplace, arguments: &[&str]) -> Vec<Value> {
    let output = status(workplace, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let documents = documents(&stdout(&output));
    let text = orderctl::schemas::find("order-status").unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for document in &documents {
        let faults: Vec<String> = validator
            .iter_errors(document)
            .map(|it| it.to_string())
            .collect();
        assert_eq!(faults, Vec::<String>::new(), "{document}");
    }
    documents
}

fn ids(documents: &[Value]) -> Vec<&str> {
    documents
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect()
}

/// Two orders that are held at the second task, one at a time of a rehearsal and one now, and one
/// that is completed.
fn three_orders() -> (Mock, Workplace) {
    let mock = Mock::failing(&["bng:1..2=422 VLAN is taken"]);
    let workplace = Workplace::new(&mock.url());
    let chains = [
        (chain("order.json", "1"), &["--clock", "virtual"][..], 3),
        (chain("order.json", "2"), &[], 3),
        (chain("order.json", "3"), &["--clock", "virtual"], 0),
    ];
    for (chain, arguments, code) in chains {
        let output = workplace.activate(&chain, arguments);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    }
    (mock, workplace)
}

#[test]
fn an_order_that_stands_still_says_for_what_since_when_and_what_can_be_done() {
    let (_mock, workplace) = three_orders();
    let standing = shown(&workplace, &["ORD-1"]).remove(0);
    let id = "1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE";
    let deed = |deed: &str| format!("orderctl task {deed} ORD-1 {id}");
    assert_eq!(
        standing["blocking"],
        json!({"total": 1, "tasks": [{
            "id": id, "name": "VLAN-Service", "endpoint": "bng", "waitsFor": "decision",
            "since": "2026-12-03T18:41:50Z", "attempts": 1,
            "request": {"method": "POST", "path": "resource"},
            "answer": {"status": 422, "reason": "422 Unprocessable Entity: fault: Unprocessable: VLAN is taken"},
            "holdsUp": 4,
            "next": "the next `orderctl activate` of the order tries it again",
            "commands": [
                deed("retry") + " --reason '…'",
                deed("set") + " NAME=VALUE --reason '…'",
                deed("complete"),
                deed("skip") + " --reason '…'",
                deed("fail") + " --reason '…'"
            ]
        }]})
    );
    let table = stdout(&status(&workplace, &["ORD-1", "-o", "table"]));
    let (_, told) = table.split_once("4 tasks wait for it\n").unwrap();
    assert_eq!(
        told,
        "nobody is at work on it\n  \
         VLAN-Service (1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE) is held since 2026-12-03T18:41:50Z; \
         4 tasks wait for it
    sent     POST resource to bng, once
    answer   422 Unprocessable Entity: fault: Unprocessable: VLAN is taken
    next     the next `orderctl activate` of the order tries it again
    you can  orderctl task retry ORD-1 1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE --reason '…'
             orderctl task set ORD-1 1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE NAME=VALUE --reason '…'
             orderctl task complete ORD-1 1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE
             orderctl task skip ORD-1 1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE --reason '…'
             orderctl task fail ORD-1 1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE --reason '…'
"
    );
    let tasks = run(
        &mut workplace.orderctl(&["task", "list", "ORD-1", "-o", "table"]),
        "",
    );
    assert!(stdout(&tasks).ends_with(told), "{}", stdout(&tasks));
    // What is proposed can be typed.
    let command = deed("skip") + " --reason 'was there' --by jane";
    let words = ["sh", "-c"];
    let mut sh = std::process::Command::new(words[0]);
    let command = command.replacen("orderctl", env!("CARGO_BIN_EXE_orderctl"), 1);
    sh.args([words[1], &command])
        .current_dir(workplace.path(""));
    let skipped = run(&mut sh, "");
    assert_eq!(skipped.status.code(), Some(0), "{}", stderr(&skipped));
    let completed = shown(&workplace, &["ORD-3"]).remove(0);
    assert_eq!(completed["blocking"], Value::Null);
}

#[test]
fn a_task_that_is_tried_again_later_says_when_why_and_how_it_is_sooner() {
    let mock = Mock::failing(&["olt:1=503 out of order"]);
    let workplace = Workplace::new(&mock.url());
    workplace.endpoints(&mock.url(), "retry = { busy = [\"2h\"] }\n");
    let output = workplace.activate(&chain("order.json", "1"), &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let id = "1.CFS-INTERNET-ACCESS.RFS-GPON-BEARER";
    let standing = shown(&workplace, &["ORD-1"]).remove(0);
    let tasks = standing["blocking"]["tasks"].as_array().unwrap();
    let told = tasks.iter().find(|it| it["id"] == id).unwrap();
    let at = told["retryAt"].as_str().unwrap();
    assert_eq!(told["waitsFor"], "answer");
    let next =
        format!("tried again at {at}, by the first `orderctl activate` of the order after that");
    assert_eq!(told["next"], next);
    assert_eq!(
        told["commands"],
        json!([
            format!("orderctl task retry ORD-1 {id} --reason '…'"),
            format!("orderctl task set ORD-1 {id} NAME=VALUE --reason '…'"),
            format!("orderctl task skip ORD-1 {id} --reason '…'"),
            format!("orderctl task fail ORD-1 {id} --reason '…'"),
        ])
    );
    let summary = standing["summary"].as_str().unwrap();
    let why = format!("waiting: GPON-Bearer tried again at {at} (503 Service Unavailable");
    assert!(summary.starts_with(&why), "{summary}");
    let table = stdout(&status(&workplace, &["ORD-1", "-o", "table"]));
    assert!(table.contains("waits for its next try since"), "{table}");
}

#[test]
fn what_an_endpoint_is_at_work_on_is_waited_for_and_asked_about_by_the_next_run() {
    let mock = Mock::failing(&["olt:1=accepted,2s"]);
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    workplace.endpoints(
        &mock.url(),
        "timeout = \"300ms\"\nretries = 0\nbreaker = { failures = 1, pause = \"1h\" }\n",
    );
    let output = workplace.activate(&chain, &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("activate ORD-1: waiting"), "{said}");
    let waits = "  waits GPON-Bearer (1.CFS-INTERNET-ACCESS.RFS-GPON-BEARER): asked about at ";
    assert!(said.contains(waits), "{said}");
    assert!(said.contains("is still inProgress after 300ms"), "{said}");
    assert!(
        !said.contains("task retry"),
        "nobody is to send it again: {said}"
    );
    let standing = shown(&workplace, &["ORD-1"]).remove(0);
    assert_eq!(standing["state"], "inProgress");
    let summary = standing["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("waiting: GPON-Bearer asked about at "),
        "{summary}"
    );
    // Long before that.
    workplace.endpoints(&mock.url(), "timeout = \"30s\"\n");
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let posts = mock.record().into_iter().filter(|it| it.endpoint == "olt");
    assert_eq!(posts.count(), 1);
}

#[test]
fn an_order_that_a_task_stops_is_held_for_everybody() {
    let mock = Mock::failing(&["*/a:1=422 no such port"]);
    let workplace = Workplace::new(&mock.url());
    let request = json!({"method": "POST", "path": "resource", "body": {"id": "a"}});
    let plan = order(&[
        task("a", &[], json!({"onFailure": "stop", "request": request})),
        task("b", &["v"], json!({})),
        task("v", &[], json!({"kind": "manual"})),
    ]);
    let output = workplace.activate(&plan, &["--events", "events"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.starts_with("activate R-1: held"), "{said}");
    assert!(
        workplace
            .read("events")
            .contains("ResourceOrder R-1 is held")
    );
    let wait = ["R-1", "--wait", "--for", "state=held", "--timeout", "1s"];
    assert_eq!(status(&workplace, &wait).status.code(), Some(0));
    let standing = shown(&workplace, &["R-1"]).remove(0);
    assert_eq!(standing["state"], "held");
    let blocking = &standing["blocking"];
    assert_eq!(
        (&blocking["total"], &blocking["tasks"][0]["id"]),
        (&json!(1), &json!("a"))
    );
    // What was written says the same.
    let written = run(
        &mut workplace.orderctl(&["status", "-o", "json"]),
        &stdout(&output),
    );
    assert_eq!(documents(&stdout(&written))[0]["state"], "held");
}

#[test]
fn what_was_skipped_is_not_shown_as_completed() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let plan = order(&[
        task("survey", &[], json!({"kind": "manual"})),
        task("port", &["survey"], json!({})),
    ]);
    let activate = || workplace.activate(&plan, &["--clock", "virtual"]);
    assert_eq!(activate().status.code(), Some(3));
    let waiting = shown(&workplace, &["R-1"]).remove(0);
    let person = &waiting["blocking"]["tasks"][0];
    assert_eq!(person["waitsFor"], "person");
    assert_eq!(person["since"], "2026-12-01T08:00:00Z");
    assert_eq!(person["commands"][0], "orderctl task complete R-1 survey");
    let skip = [
        "task", "skip", "R-1", "survey", "--by", "jane", "--reason", "known",
    ];
    assert_eq!(
        run(&mut workplace.orderctl(&skip), "").status.code(),
        Some(0)
    );
    let table = stdout(&status(&workplace, &["R-1", "-o", "table"]));
    let line = |table: &str, name: &str| {
        let line = table.lines().find(|line| line.contains(name));
        line.unwrap_or_else(|| panic!("{table}")).to_owned()
    };
    let survey = line(&table, "SURVEY");
    assert!(
        survey.contains("skipped") && !survey.contains("completed"),
        "{table}"
    );
    assert!(
        table.contains("0 of 2 tasks completed, 1 skipped"),
        "{table}"
    );
    assert_eq!(activate().status.code(), Some(0));
    let standing = shown(&workplace, &["R-1"]).remove(0);
    assert_eq!(standing["tasks"]["completed"], 1);
    assert_eq!(standing["tasks"]["skipped"], 1);
    assert_eq!(standing["summary"], "completed: 1 task, 1 skipped");
    let listed = shown(&workplace, &["--list"]).remove(0);
    assert_eq!(listed["summary"], "completed: 1 task, 1 skipped");
}

#[test]
fn orders_are_selected_by_state_age_customer_and_error() {
    let (_mock, workplace) = three_orders();
    let all = ["ORD-1", "ORD-2", "ORD-3"];
    for (arguments, expected) in [
        (&[][..], &all[..]),
        (&["--state", "held"], &["ORD-1", "ORD-2"]),
        (&["--state", "completed,partial"], &["ORD-3"]),
        (&["--error", "vlan IS taken"], &["ORD-1", "ORD-2"]),
        (&["--error", "something else"], &[]),
        (&["--customer", "nobody"], &[]),
        (&["--customer", "CUST-4821"], &all),
        (
            &["--older-than", "1h", "--now", "2026-12-03T19:41:50Z"],
            &["ORD-1", "ORD-3"],
        ),
        (
            &["--older-than", "1h", "--now", "2026-12-03T19:41:49Z"],
            &[],
        ),
        (
            &[
                "--idle",
                "1h",
                "--state",
                "held",
                "--now",
                "2026-12-03T19:41:50Z",
            ],
            &["ORD-1"],
        ),
    ] {
        // One of them is of this very moment, which may be before the times of the rehearsal.
        let is_aged = arguments.contains(&"--now");
        let keep = |ids: Vec<&str>| -> Vec<String> {
            let keep = ids.into_iter().filter(|id| !is_aged || *id != "ORD-2");
            keep.map(str::to_owned).collect()
        };
        let list = shown(&workplace, &[arguments, &["--list"]].concat());
        assert_eq!(keep(ids(&list)), expected, "{arguments:?}");
        let full = shown(&workplace, arguments);
        assert_eq!(keep(ids(&full)), expected, "{arguments:?}");
        let named = shown(&workplace, &[&all, arguments].concat());
        assert_eq!(keep(ids(&named)), expected, "{arguments:?}");
        let table = stdout(&status(&workplace, &[arguments, &["-o", "table"]].concat()));
        for id in all.iter().filter(|id| **id != "ORD-2") {
            assert_eq!(table.contains(id), expected.contains(id), "{table}");
        }
    }
    let nonsense = status(&workplace, &["--state", "stuck"]);
    assert_eq!(nonsense.status.code(), Some(2));
    assert!(
        stderr(&nonsense).contains("assessingCancellation"),
        "{}",
        stderr(&nonsense)
    );
}

#[test]
fn a_stream_is_selected_from_too() {
    let workplace = Workplace::new("http://127.0.0.1:1");
    let chains = chain("order.json", "1") + &chain("order-hfc.json", "2");
    workplace.write("chains", &chains);
    let some = shown(&workplace, &["chains", "--customer", "CUST-4821"]);
    assert_eq!(ids(&some), ["ORD-1"]);
    // How old they are is not known.
    assert_eq!(
        shown(&workplace, &["chains", "--older-than", "0s"]),
        [] as [Value; 0]
    );
}

#[test]
fn waiting_ends_when_the_order_is_as_wanted_cannot_be_or_time_is_up() {
    let (mock, workplace) = three_orders();
    let wait = |name: &str, condition: &str, timeout: &str| {
        let condition = format!("state={condition}");
        let wait = [name, "--wait", "--for", &condition, "--timeout", timeout];
        let output = status(&workplace, &wait);
        (output.status.code(), stdout(&output), stderr(&output))
    };
    let (code, written, said) = wait("CRM-1", "held", "60s");
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(documents(&written)[0]["id"], "ORD-1");
    let (code, _, said) = wait("ORD-3", "held,partial", "60s");
    assert_eq!(code, Some(1));
    assert_eq!(
        said,
        "error: order ORD-3 has ended completed, and will not be held or partial\n"
    );
    let (code, written, said) = wait("ORD-1", "completed", "1ms");
    assert_eq!(code, Some(3));
    assert_eq!(
        said,
        "error: time is up: order ORD-1 is held, not completed; nobody is at work on it\n"
    );
    assert_eq!(documents(&written)[0]["state"], "held");
    let (code, written, said) = wait("ORD-9", "completed", "1ms");
    assert_eq!((code, written.as_str()), (Some(3), ""));
    assert_eq!(
        said,
        "error: time is up: order ORD-9 is not in the journal\n"
    );
    // Until somebody carries it out.
    let waiting = workplace
        .orderctl(&[
            "status",
            "ORD-1",
            "ORD-4",
            "--wait",
            "--for",
            "state=completed",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for (number, arguments) in [("1", &["--clock", "virtual"][..]), ("4", &[])] {
        let output = workplace.activate(&chain("order.json", number), arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let waited = waiting.wait_with_output().unwrap();
    assert_eq!(waited.status.code(), Some(0));
    assert_eq!(ids(&documents(&stdout(&waited))), ["ORD-1", "ORD-4"]);
    drop(mock);
    let unclear = status(&workplace, &["--wait", "--for", "state=completed"]);
    assert_eq!(unclear.status.code(), Some(2));
}

#[test]
fn an_order_is_followed_to_its_end() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let following = workplace
        .orderctl(&["status", "ORD-1", "--follow", "-o", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = workplace.activate(&chain("order.json", "1"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let followed = following.wait_with_output().unwrap();
    assert_eq!(followed.status.code(), Some(0));
    let exported = run(&mut workplace.orderctl(&["journal", "export", "ORD-1"]), "");
    let entries: Vec<Value> = documents(&stdout(&exported)).split_off(1);
    assert_eq!(documents(&stdout(&followed)), entries);

    let table = stdout(&status(&workplace, &["CRM-1", "--follow", "-o", "table"]));
    assert_eq!(table.lines().count(), 15);
    assert!(table.contains(" ORD-1 planned: 7 tasks\n"), "{table}");
    let line = " ORD-1 started VLAN-Service (1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE): request 1\n";
    assert!(table.contains(line), "{table}");
    let all = status(&workplace, &["--follow", "--timeout", "1ms", "-o", "table"]);
    assert_eq!((all.status.code(), stdout(&all)), (Some(3), table));
}

#[test]
fn an_order_is_followed_in_the_sequence_of_its_journal_whatever_its_moments_are() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let output = workplace.activate(&chain("order.json", "1"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let connection = Connection::open(workplace.journal()).unwrap();
    let earlier = "UPDATE entry SET at = (SELECT at FROM entry WHERE seq = 2) WHERE seq = 7;
        UPDATE entry SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 5;";
    connection.execute_batch(earlier).unwrap();
    drop(connection);
    let followed = stdout(&status(&workplace, &["ORD-1", "--follow", "-o", "json"]));
    let numbers: Vec<i64> = documents(&followed)
        .iter()
        .map(|entry| entry["seq"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=15).collect::<Vec<i64>>());
}

#[test]
fn thousands_of_orders_are_listed() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let output = workplace.activate(&chain("order.json", "1"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let connection = Connection::open(workplace.journal()).unwrap();
    let copies = "
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO plan SELECT 'C-' || i, NULL, digest, tasks FROM plan, n;
        INSERT INTO entry SELECT plan.order_id, seq, at, kind, task, detail, hash FROM plan, entry
        WHERE plan.order_id <> 'ORD-1';";
    connection.execute_batch(copies).unwrap();
    drop(connection);
    let listed = shown(&workplace, &["--list", "--state", "completed"]);
    assert_eq!(listed.len(), 3001);
    assert_eq!(listed[3000]["tasks"], json!({"total": 7, "completed": 7}));
}

/// What `status` says about a run, and about the first task that everything waits for.
fn run_and_first(workplace: &Workplace) -> (Value, Value, Value) {
    let standing = shown(workplace, &["ORD-1"]).remove(0);
    let first = &standing["blocking"]["tasks"][0];
    let first =
        json!({"name": first["name"], "waitsFor": first["waitsFor"], "next": first["next"]});
    (standing["run"].clone(), standing["summary"].clone(), first)
}

#[test]
fn a_run_at_work_is_told_from_one_that_was_killed() {
    // Both of the tasks that come first hang.
    let mock = Mock::failing(&["olt:1=hang", "warehouse:1=hang"]);
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    workplace.write("chain", &chain);
    let mut activate = workplace.begin("chain", &[]);
    workplace.wait_for_calls(&mut activate, &mock, 2);
    let pid = activate.id();
    let (run, summary, first) = run_and_first(&workplace);
    assert_eq!((&run["atWork"], &run["pid"]), (&json!(true), &json!(pid)));
    assert!(run["host"].is_string() && run["since"].is_string(), "{run}");
    assert_eq!(
        summary,
        "under way: GPON-Bearer, CPE-Provisioning; 0 of 7 tasks completed"
    );
    assert_eq!(
        first,
        json!({
            "name": "GPON-Bearer", "waitsFor": "answer",
            "next": "the run of `orderctl activate` that sent the request goes on with its answer"
        })
    );
    let told = stdout(&status(&workplace, &["ORD-1", "-o", "table"]));
    let line = format!("\nprocess {pid} on ");
    assert!(told.contains(&line), "{told}");
    let list = shown(&workplace, &["--list"]).remove(0);
    assert_eq!(list["summary"], "2 tasks under way, 5 tasks not begun");

    activate.kill().unwrap();
    activate.wait().unwrap();
    let (run, summary, first) = run_and_first(&workplace);
    assert_eq!(run, json!({"atWork": false}));
    assert_eq!(
        summary,
        "interrupted, outcome unknown: GPON-Bearer, CPE-Provisioning; 0 of 7 tasks completed"
    );
    assert_eq!(
        first,
        json!({
            "name": "GPON-Bearer", "waitsFor": "run",
            "next": "nothing by itself, nobody is at work on the order: the next `orderctl activate` of it \
                     finds out what came of the request, and goes on"
        })
    );
    for told in [
        stdout(&status(&workplace, &["ORD-1", "-o", "table"])),
        stdout(&run_task_list(&workplace)),
    ] {
        assert!(told.contains("\nnobody is at work on it\n"), "{told}");
        assert!(told.contains(") waits for a run since "), "{told}");
    }
    let list = shown(&workplace, &["--list"]).remove(0);
    assert_eq!(
        list["summary"],
        "2 tasks begun, 5 tasks not begun; nobody is at work on it"
    );

    assert_eq!(workplace.activate(&chain, &[]).status.code(), Some(0));
    let standing = shown(&workplace, &["ORD-1"]).remove(0);
    assert_eq!(standing["run"], Value::Null, "an order that has ended");
}

fn run_task_list(workplace: &Workplace) -> std::process::Output {
    run(
        &mut workplace.orderctl(&["task", "list", "ORD-1", "-o", "table"]),
        "",
    )
}

#[test]
fn what_an_endpoint_has_accepted_goes_on_there_though_nobody_is_at_work_here() {
    let mock = Mock::failing(&["olt:1=accepted,1h"]);
    let workplace = Workplace::new(&mock.url());
    let chain = order(&[task("a", &[], json!({})), task("b", &["a"], json!({}))]);
    workplace.write("chain", &chain);
    let mut activate = workplace.begin("chain", &[]);
    let is_accepted = || {
        let reader = JournalReader::open(&workplace.journal()).ok();
        let stored = reader.and_then(|it| it.order("R-1").ok().flatten());
        let mut entries = stored.into_iter().flat_map(|it| it.entries);
        entries.any(|it| it.event.kind() == "accepted")
    };
    while !is_accepted() {
        assert!(activate.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    activate.kill().unwrap();
    activate.wait().unwrap();
    let standing = shown(&workplace, &["R-1"]).remove(0);
    assert_eq!(standing["run"], json!({"atWork": false}));
    assert_eq!(standing["summary"], "under way: A; 0 of 2 tasks completed");
    let first = &standing["blocking"]["tasks"][0];
    assert_eq!(first["waitsFor"], "answer");
    assert_eq!(
        first["next"],
        "nobody is at work on the order: the next `orderctl activate` of it finds out what came of it"
    );
}

#[test]
fn what_a_person_lets_be_tried_again_is_not_in_doubt() {
    let (_mock, workplace) = three_orders();
    let id = "1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE";
    let retry = [
        "task", "retry", "ORD-1", id, "--reason", "mended", "--by", "joe",
    ];
    let output = run(&mut workplace.orderctl(&retry), "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (run, summary, first) = run_and_first(&workplace);
    assert_eq!(run, json!({"atWork": false}));
    assert_eq!(
        summary,
        "to be sent again: VLAN-Service; 2 of 7 tasks completed"
    );
    assert_eq!(
        first,
        json!({
            "name": "VLAN-Service", "waitsFor": "start",
            "next": "nobody is at work on the order: the next `orderctl activate` of it begins with it"
        })
    );
}

#[test]
fn what_waits_for_a_task_that_stops_the_order_is_begun_once_however_often_it_is_let_go() {
    let mock = Mock::failing(&["*/a:1=503", "*/b:1=422 no such port"]);
    let workplace = Workplace::new(&mock.url());
    workplace.endpoints(&mock.url(), "retry = { busy = [\"2h\"] }\n");
    let named = |id: &str| json!({"method": "POST", "path": "resource", "body": {"id": id}});
    let tasks = [
        task("a", &[], json!({"request": named("a")})),
        task(
            "b",
            &[],
            json!({"request": named("b"), "onFailure": "stop"}),
        ),
        task("visit", &[], json!({"kind": "manual"})),
    ];
    workplace.write("chain", &order(&tasks));
    let mut activate = workplace.begin("chain", &["--wait", "--clock", "virtual"]);
    workplace.wait_for_calls(&mut activate, &mock, 2);
    let waits_for = |events: &[&str]| {
        let reader = JournalReader::open(&workplace.journal()).unwrap();
        let entries = reader.order("R-1").unwrap().unwrap().entries;
        let kinds: Vec<&str> = entries.iter().map(|it| it.event.kind()).collect();
        events.iter().all(|it| kinds.contains(it))
    };
    while !waits_for(&["attemptFailed", "held"]) {
        std::thread::yield_now();
    }
    let by_joe = |deed: &str, id: &str| {
        let words = ["task", deed, "R-1", id, "--by", "joe", "--reason", "mended"];
        let output = run(&mut workplace.orderctl(&words), "");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        // So that the run takes note of one before the next; what it comes to is the same.
        std::thread::sleep(std::time::Duration::from_millis(500));
    };
    by_joe("retry", "a");
    by_joe("retry", "b");
    by_joe("complete", "visit");
    let code = activate.wait().unwrap().code();
    assert_eq!(code, Some(0), "{}", workplace.read("stderr"));
    let calls: Vec<String> = mock.record().into_iter().map(|it| it.key).collect();
    for key in ["key-a", "key-b"] {
        let count = calls.iter().filter(|it| *it == key).count();
        assert_eq!(count, 2, "{key}: {calls:?}");
    }
}
