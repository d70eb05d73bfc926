//! One order: what was sent, what is written, and how it ends.

use std::net::TcpListener;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;

use crate::support::evidence::{
    entries, every_effect_happened_once, plans, the_journal_tells_how_it_was_done,
};
use crate::support::mock::{Call, Manner};
use crate::support::{
    Mock, Workplace, chain, chain_of, document, documents, example, run, stderr, stdout,
};

const BEARER: &str = "1.CFS-INTERNET-ACCESS.RFS-GPON-BEARER";
const CPE: &str = "1.CFS-CPE-MGMT.RFS-CPE-PROVISIONING";

/// States of an order's items, by id.
fn item_states<'d>(order: &'d Value, list: &str) -> Vec<(&'d str, &'d str)> {
    let text = |item: &'d Value, name: &str| item[name].as_str().expect("a string");
    let items = order[list].as_array().expect("items");
    items
        .iter()
        .map(|item| (text(item, "id"), text(item, "state")))
        .collect()
}

#[test]
fn the_whole_example_is_completed_and_a_second_run_sends_nothing() {
    let chain = chain_of(&std::fs::read_to_string(example().join("order.json")).unwrap());
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        stderr(&output),
        "activate ORD-4821-0001: completed, 7 of 7 tasks done\n"
    );

    let written = documents(&stdout(&output));
    assert_eq!(written.len(), 4);
    for (type_name, list, items) in [
        ("ProductOrder", "productOrderItem", 1),
        ("ServiceOrder", "serviceOrderItem", 3),
        ("ResourceOrder", "orderItem", 7),
    ] {
        let order = document(&written, type_name);
        assert_eq!(order["state"], "completed", "{type_name}");
        assert!(order["completionDate"].is_string(), "{type_name}");
        let states = item_states(order, list);
        assert_eq!(states.len(), items);
        assert!(
            states.iter().all(|(_, state)| *state == "completed"),
            "{states:?}"
        );
    }
    assert_eq!(
        document(&written, "OrchestrationPlan")["state"],
        "completed"
    );

    let plan = &plans(&written)[0];
    let record = mock.record();
    assert_eq!(record.len(), 7);
    every_effect_happened_once(&record, std::slice::from_ref(plan));
    the_journal_tells_how_it_was_done(&workplace.journal(), plan);

    let again = workplace.activate(&chain, &[]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(stdout(&again), stdout(&output));
    assert_eq!(mock.record(), record);
    // What was written can be carried on with, too.
    let onwards = workplace.activate(&stdout(&output), &[]);
    assert_eq!(stdout(&onwards), stdout(&output), "{}", stderr(&onwards));
    assert_eq!(mock.record(), record);
}

#[test]
fn the_port_and_the_parcel_are_under_way_at_the_same_time() {
    // Both hang, so neither can be completed before the other one is started.
    let mock = Mock::failing(&["olt:1=hang", "warehouse:1=hang"]);
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    workplace.write("chain", &chain);
    let mut run = workplace.begin("chain", &[]);
    workplace.wait_for_calls(&mut run, &mock, 2);
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(workplace.activate(&chain, &[]).status.code(), Some(0));
    let entries = entries(&workplace.journal(), "ORD-1");
    let position = |entry: String| entries.iter().position(|it| *it == entry).unwrap();
    let started = [BEARER, CPE].map(|task| position(format!("started {task}")));
    let completed = [BEARER, CPE].map(|task| position(format!("completed {task}")));
    assert!(started.iter().max() < completed.iter().min(), "{entries:?}");
}

#[test]
fn the_variants_have_their_own_resources() {
    for (order, number, tasks, endpoints) in [
        ("order-hfc.json", "2", 7, ["cmts", "ipam"]),
        ("order-static-ip.json", "3", 8, ["olt", "ipam"]),
    ] {
        let chain = chain(order, number);
        for asynchronous in [false, true] {
            let mock = Mock::with(&Manner {
                asynchronous,
                ..Manner::default()
            });
            let workplace = Workplace::new(&mock.url());
            let output = workplace.activate(&chain, &[]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            let written = documents(&stdout(&output));
            let states = item_states(document(&written, "ResourceOrder"), "orderItem");
            assert_eq!(states.len(), tasks, "{order}");
            let record = mock.record();
            every_effect_happened_once(&record, &plans(&written));
            the_journal_tells_how_it_was_done(&workplace.journal(), &plans(&written)[0]);
            for endpoint in endpoints {
                assert!(
                    record.iter().any(|call| call.endpoint == endpoint),
                    "{order}"
                );
            }
        }
    }
}

#[test]
fn a_failure_that_passes_is_repeated_under_the_same_key() {
    let mock = Mock::failing(&["olt:1=500", "bng:1=503", "acs:1=lost"]);
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let record = mock.record();
    every_effect_happened_once(&record, &plans(&documents(&chain)));
    let calls = |endpoint: &str| -> Vec<(&str, &str)> {
        let of_it = record.iter().filter(|call| call.endpoint == endpoint);
        of_it
            .map(|call| (call.effect.as_str(), call.key.as_str()))
            .collect()
    };
    let (olt, acs) = (calls("olt"), calls("acs"));
    assert_eq!(olt, [("failed", olt[0].1), ("applied", olt[0].1)]);
    // It was done, as it turned out when it was asked: it was not sent again.
    assert_eq!(acs, [("applied", acs[0].1)]);
}

#[test]
fn a_request_without_an_answer_is_repeated_under_the_same_key() {
    let mock = Mock::failing(&["olt:1=hang"]);
    let workplace = Workplace::new(&mock.url());
    // Others must not run into it, however slow the machine is: they answer at once, and would
    // be repeated under their keys as well.
    workplace.endpoints(&mock.url(), "timeout = \"1s\"\nretries = 9\n");
    let chain = chain("order.json", "1");
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let record = mock.record();
    every_effect_happened_once(&record, &plans(&documents(&chain)));
    let olt: Vec<_> = record
        .iter()
        .filter(|call| call.endpoint == "olt")
        .collect();
    assert!(olt.len() >= 2);
    assert_eq!(olt[0].effect, "failed");
    assert!(olt.iter().all(|call| call.key == olt[0].key));
}

#[test]
fn a_rejected_task_is_held_while_the_rest_goes_on_and_mending_it_completes_the_order() {
    let mock = Mock::failing(&["olt:*=422"]);
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(3));
    let said = stderr(&output);
    assert!(
        said.starts_with("activate ORD-1: held, 1 of 7 tasks done\n"),
        "{said}"
    );
    assert!(
        said.contains(&format!("held {BEARER}: 422 Unprocessable Entity: fault")),
        "{said}"
    );

    let written = documents(&stdout(&output));
    let resource_order = document(&written, "ResourceOrder");
    let states = item_states(resource_order, "orderItem");
    for (item, state) in &states {
        let expected = match *item {
            BEARER => "held",
            CPE => "completed",
            _ => "acknowledged",
        };
        assert_eq!(*state, expected, "{item} of {states:?}");
    }
    assert_eq!(resource_order["state"], "held");
    assert!(
        resource_order["note"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("422 ")
    );
    assert_eq!(document(&written, "ProductOrder")["state"], "held");
    assert_eq!(document(&written, "OrchestrationPlan")["state"], "hold");
    let sent: Vec<_> = mock
        .record()
        .into_iter()
        .map(|call| call.endpoint)
        .collect();
    assert_eq!(
        sent.iter().filter(|it| *it == "olt").count(),
        1,
        "a rejection is final"
    );
    assert!(
        sent.iter().all(|it| it == "olt" || it == "warehouse"),
        "{sent:?}"
    );

    let mended = Mock::start();
    workplace.endpoints(&mended.url(), "retries = 5\n");
    // From what was written as well as from the plan as it was.
    for input in [&stdout(&output), &chain] {
        let again = workplace.activate(input, &[]);
        assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
        let written = documents(&stdout(&again));
        assert_eq!(document(&written, "ProductOrder")["state"], "completed");
    }
    let applied: Vec<_> = mock
        .record()
        .into_iter()
        .chain(mended.record())
        .filter(Call::is_applied)
        .collect();
    every_effect_happened_once(&applied, &plans(&documents(&chain)));
    the_journal_tells_how_it_was_done(&workplace.journal(), &plans(&documents(&chain))[0]);
}

#[test]
fn an_endpoint_that_is_not_there_is_tried_again_and_then_holds_its_tasks() {
    // Bound and given up: nobody listens there.
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let workplace = Workplace::new(&format!("http://{nobody}"));
    workplace.endpoints(&format!("http://{nobody}"), "retries = 1\n");
    let chain = chain("order.json", "1");
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(3));
    let said = stderr(&output);
    assert!(said.contains("0 of 7 tasks done"), "{said}");
    assert!(
        said.contains("cannot connect: ") && said.contains("(2 attempts)"),
        "{said}"
    );
    let entries = entries(&workplace.journal(), "ORD-1");
    let count = |entry: &str| entries.iter().filter(|it| *it == entry).count();
    for task in [BEARER, CPE] {
        assert_eq!(count(&format!("started {task}")), 2);
        assert_eq!(count(&format!("attemptFailed {task}")), 2);
        assert_eq!(count(&format!("held {task}")), 1);
    }
    assert_eq!(entries.len(), 1 + 2 * 5);

    let mock = Mock::start();
    workplace.endpoints(&mock.url(), "");
    assert_eq!(workplace.activate(&chain, &[]).status.code(), Some(0));
    every_effect_happened_once(&mock.record(), &plans(&documents(&chain)));
}

#[test]
fn a_dry_run_shows_the_very_requests_and_touches_nothing() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    let dry = workplace.activate(&chain, &["--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", stderr(&dry));
    assert!(!workplace.journal().exists());
    assert_eq!(mock.record(), []);

    assert_eq!(workplace.activate(&chain, &[]).status.code(), Some(0));
    let shown = stdout(&dry);
    let shown: Vec<&str> = shown.split("\n\n# ").collect();
    let record = mock.record();
    assert_eq!(shown.len(), record.len());
    for call in record {
        let line = format!("{} {}{}", call.method, mock.url(), call.path);
        let key = format!("idempotency-key: {}", call.key);
        let is_it = |request: &&&str| request.lines().any(|it| it == key);
        let request = shown.iter().find(is_it).expect("it was shown");
        assert!(request.lines().any(|it| it == line), "{request}");
        let body = request
            .lines()
            .find(|it| it.starts_with('{'))
            .expect("a body");
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), call.body);
    }
}

/// Methods and endpoints of the requests that a dry run shows.
fn shown(dry: &Output) -> Vec<String> {
    assert_eq!(dry.status.code(), Some(0), "{}", stderr(dry));
    let text = stdout(dry);
    let lines: Vec<&str> = text.lines().collect();
    let requests = lines.windows(2).filter_map(|pair| {
        let endpoint = pair[0].strip_prefix("# ")?.rsplit(' ').next()?;
        let method = pair[1].split(' ').next()?;
        Some(format!("{method} {endpoint}"))
    });
    requests.collect()
}

#[test]
fn a_dry_run_shows_only_what_the_journal_has_left() {
    let mock = Mock::failing(&["wifi:1=422"]);
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    let first = workplace.activate(&chain, &[]);
    assert_eq!(first.status.code(), Some(3), "{}", stderr(&first));
    for chain in [&chain, &stdout(&first)] {
        let dry = workplace.activate(chain, &["--dry-run"]);
        assert_eq!(shown(&dry), ["POST wifi"]);
    }
    let elsewhere = ["--dry-run", "--journal", "elsewhere.db"];
    let unknown = workplace.activate(&stdout(&first), &elsewhere);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("journal elsewhere.db does not know it"));

    // Of a cancellation what undoes something, and nothing of what is kept or dropped.
    let cancel = ["plan", "--cancel", "ORD-1"];
    let planned = stdout(&run(&mut workplace.orderctl(&cancel), ""));
    let dry = workplace.activate(&planned, &["--dry-run"]);
    let requests = shown(&dry);
    assert_eq!(requests.len(), 6);
    assert!(requests.iter().all(|it| it.starts_with("DELETE ")));
    let before = mock.record().len();
    assert_eq!(workplace.activate(&planned, &[]).status.code(), Some(0));
    assert_eq!(mock.record().len() - before, requests.len());

    // The plan of before leads to the one that counts: nothing is left.
    let dry = workplace.activate(&chain, &["--dry-run"]);
    assert_eq!(shown(&dry), <[String; 0]>::default());
    assert_eq!(stderr(&dry), "activate ORD-1: nothing is left to be sent\n");
    // One that was begun with another plan is refused as it is without --dry-run.
    let other = crate::support::chain("order-hfc.json", "1");
    let refused = workplace.activate(&other, &["--dry-run"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("was begun with another plan"));
}

#[test]
fn simulated_endpoints_need_no_network() {
    let workplace = Workplace::new("http://127.0.0.1:1");
    let endpoints: String = crate::support::ENDPOINTS
        .map(|name| format!("[endpoint.{name}]\nprotocol = \"simulated\"\nfail = [1]\n"))
        .concat();
    workplace.write(
        "endpoints.toml",
        &format!("formatVersion = \"1.0\"\n{endpoints}"),
    );
    let chain = chain("order.json", "1");
    let output = workplace.activate(&chain, &["--pretty"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    the_journal_tells_how_it_was_done(&workplace.journal(), &plans(&documents(&chain))[0]);
    assert!(stdout(&output).starts_with("{\n"), "--pretty indents");
}

#[test]
fn a_plan_alone_is_enough_and_carries_the_order_on() {
    let mock = Mock::failing(&["wifi:1=400"]);
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    assert_eq!(workplace.activate(&chain, &[]).status.code(), Some(3));
    let plan = chain.lines().last().unwrap();
    let output = workplace.activate(plan, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let written = documents(&stdout(&output));
    assert_eq!(written.len(), 1);
    assert_eq!(written[0]["state"], "completed");
    every_effect_happened_once(&mock.record(), &plans(&documents(&chain)));
}

#[test]
fn an_order_that_takes_time_is_done_when_the_answers_are_there() {
    let mock = Mock::slow(Duration::from_millis(20));
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    let output = workplace.activate(&chain, &["--quiet"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
    every_effect_happened_once(&mock.record(), &plans(&documents(&chain)));
}

/// What is sent: method, path, key and body of every request, sorted.
fn sent(record: &[Call]) -> Vec<String> {
    let mut sent: Vec<String> = record.iter().map(|call| format!("{call:?}")).collect();
    sent.sort();
    sent
}

#[test]
fn a_chain_that_another_tool_has_written_anew_is_the_same_chain() {
    let chain = chain("order.json", "1");
    // Indented, its members sorted, its numbers spelled in another way.
    let rewritten: String = documents(&chain)
        .iter()
        .map(|document| serde_json::to_string_pretty(document).unwrap() + "\n")
        .collect();
    let number = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    };
    let rewritten = number(&rewritten, "\"quantity\": 1,", "\"quantity\": 1.0,");
    let rewritten = number(&rewritten, "\"value\": 200,", "\"value\": 2e2,");
    let run = |chain: &str| {
        let mock = Mock::start();
        let workplace = Workplace::new(&mock.url());
        let output = workplace.activate(chain, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        (mock, workplace)
    };
    let (_mock, _place) = run(&rewritten);
    // Also where it was begun as it was planned.
    let (mock, workplace) = run(&chain);
    let before = sent(&mock.record());
    let again = workplace.activate(&rewritten, &[]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(sent(&mock.record()), before);
}

#[test]
fn an_answer_that_is_no_json_leaves_the_outcome_unknown_and_is_asked_for_again() {
    let mock = Mock::failing(&["olt:1=garbage", "acs:*=garbage"]);
    let workplace = Workplace::new(&mock.url());
    let settings = "timeout = \"20s\"\nretries = 1\nidempotent = true\nreadBack = \"none\"\n";
    workplace.endpoints(&mock.url(), settings);
    let chain = chain("order.json", "1");
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let said = "outcome unknown: the answer 200 OK is no JSON object: <html><body>It works!";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    let record = mock.record();
    let calls = |endpoint: &str| record.iter().filter(|it| it.endpoint == endpoint).count();
    assert_eq!((calls("olt"), calls("acs")), (2, 2));
    let applied = |endpoint: &str| {
        let calls = record.iter().filter(|it| it.endpoint == endpoint);
        calls.filter(|it| it.is_applied()).count()
    };
    assert_eq!((applied("olt"), applied("acs")), (1, 1));
}
