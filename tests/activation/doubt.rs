//! Requests whose answer does not come, at systems that know repetitions, at
//! systems that can be asked, and at systems that do neither.

use serde_json::json;

use crate::support::evidence::{every_effect_happened_once, plans};
use crate::support::mock::{Call, Manner};
use crate::support::tasks::{order, task};
use crate::support::{Mock, Workplace, chain, documents, run, stderr, stdout};

const BEARER: &str = "1.CFS-INTERNET-ACCESS.RFS-GPON-BEARER";

const KEYS: &str = "formatVersion = \"1.0\"\n[endpoint.\"*\"]\nreads = \"refused\"\n";
const READABLE: &str = "formatVersion = \"1.0\"\n[endpoint.\"*\"]\nkeys = \"ignored\"\n";
const NEITHER: &str =
    "formatVersion = \"1.0\"\n[endpoint.\"*\"]\nkeys = \"ignored\"\nreads = \"refused\"\n";

const OWN: &str = "formatVersion = \"1.0\"\n[endpoint.\"*\"]\nkeys = \"ignored\"\nids = \"own\"\n";

/// Every request loses its first answer, in one way or another.
const TROUBLE: [&str; 6] = [
    "olt:try1=lost",
    "bng:try1=reset,effect",
    "ipam:try1=malformed,torn",
    "acs:try1=504,effect",
    "wifi:try1=malformed,html",
    "warehouse:try1=500,effect",
];

fn mock(script: &'static str, faults: &[&str]) -> Mock {
    Mock::with(&Manner {
        faults: faults.iter().map(|&it| it.to_owned()).collect(),
        script,
        ..Manner::default()
    })
}

#[test]
fn nothing_happens_twice_where_repetitions_are_known_or_what_is_there_can_be_read() {
    for (script, settings) in [
        (KEYS, "idempotent = true\nreadBack = \"none\"\n"),
        // That it cannot be read turns out when it is asked.
        (KEYS, "idempotent = true\n"),
        (READABLE, ""),
        (READABLE, "readBack = \"resource?idempotencyKey={key}\"\n"),
        (OWN, "readBack = \"resource?idempotencyKey={key}\"\n"),
    ] {
        let mock = mock(script, &TROUBLE);
        let workplace = Workplace::new(&mock.url());
        workplace.endpoints(&mock.url(), settings);
        let chain = chain("order.json", "1");
        let output = workplace.activate(&chain, &[]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{settings}{}",
            stderr(&output)
        );
        let record = mock.record();
        every_effect_happened_once(&record, &plans(&documents(&chain)));
        let replayed = record.iter().filter(|it| it.effect == "replayed").count();
        assert_eq!(replayed > 0, script == KEYS);
    }
}

/// One run after the other leaves the work to somebody, and says the same of it.
fn stays_held(workplace: &Workplace, chain: &str, expected: &str) {
    for _ in 0..2 {
        let output = workplace.activate(chain, &[]);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn where_neither_is_so_a_person_finds_out() {
    let mock = mock(NEITHER, &["olt:1=lost"]);
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    let expected = format!(
        "  held {BEARER}: outcome unknown: no answer: connection closed before message \
         completed; endpoint olt cannot tell (asked for it, the answer was 405 Method Not \
         Allowed: notSupported: Method not allowed: resources cannot be read here) and is not declared \
         idempotent: find out, then complete or retry the task by hand; was it done: \
         orderctl task complete ORD-1 {BEARER}; was it not: orderctl task retry ORD-1 {BEARER} --reason '…'\n"
    );
    stays_held(&workplace, &chain, &expected);
    let status = run(
        &mut workplace.orderctl(&["status", "ORD-1", "-o", "table"]),
        "",
    );
    let shown = stdout(&status);
    assert!(
        shown.contains("    answer   outcome unknown: no answer"),
        "{shown}"
    );
    assert!(
        !shown.contains("(outcome unknown)"),
        "it is said once: {shown}"
    );
    let olt = |calls: Vec<Call>| calls.iter().filter(|it| it.endpoint == "olt").count();
    assert_eq!(olt(mock.record()), 1, "never sent again by itself");
    let complete = ["task", "complete", "ORD-1", BEARER, "--by", "jane"];
    let output = run(&mut workplace.orderctl(&complete), "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    every_effect_happened_once(&mock.record(), &plans(&documents(&chain)));
}

#[test]
fn a_person_lets_it_be_sent_again_who_found_that_it_is_not_there() {
    let mock = mock(NEITHER, &["olt:1=hang"]);
    let workplace = Workplace::new(&mock.url());
    workplace.endpoints(&mock.url(), "timeout = \"1s\"\n");
    let chain = chain("order.json", "1");
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let retry = |arguments: &[&str]| {
        let words = ["task", "retry", "ORD-1", BEARER, "--by", "jane"];
        run(workplace.orderctl(&words).args(arguments), "")
    };
    let output = retry(&[]);
    assert_eq!(
        output.status.code(),
        Some(2),
        "a reason is wanted: {}",
        stderr(&output)
    );
    let output = retry(&["--reason", "the port is dark"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output);
    let line =
        format!("retry order ORD-1: {BEARER} is to be tried again, says jane: the port is dark\n");
    assert!(said.starts_with(&line), "{said}");
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    every_effect_happened_once(&mock.record(), &plans(&documents(&chain)));
    // What has ended is not tried again.
    let output = retry(&["--reason", "once more"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("cannot be tried again: it is completed"),
        "{said}"
    );
    assert_eq!(stdout(&output), "");
}

#[test]
fn an_accepted_request_is_followed_by_its_monitor_in_the_next_run() {
    let script = "formatVersion = \"1.0\"\n[endpoint.olt]\nanswer = \"monitor\"\ninProgress = \"1500ms\"\n\
                  keys = \"ignored\"\nreads = \"refused\"\n";
    let mock = mock(script, &[]);
    let workplace = Workplace::new(&mock.url());
    workplace.endpoints(&mock.url(), "timeout = \"1s\"\nretries = 0\n");
    let chain = chain("order.json", "1");
    let mut runs = 0;
    loop {
        let output = workplace.activate(&chain, &[]);
        runs += 1;
        match output.status.code() {
            Some(0) => break,
            Some(3) => assert!(runs < 9, "{}", stderr(&output)),
            other => panic!("{other:?}: {}", stderr(&output)),
        }
    }
    every_effect_happened_once(&mock.record(), &plans(&documents(&chain)));
}

#[test]
fn what_is_gone_already_is_removed_and_noted() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let removal = json!({"method": "DELETE", "path": "resource/R-9"});
    let chain = order(&[task("port", &[], json!({"request": removal}))]);
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let written = documents(&stdout(&output));
    assert_eq!(written[0]["note"][0]["text"], "it was gone already");
    assert_eq!(written[0]["orderItem"][0]["state"], "completed");
    assert_eq!(written[1]["taskFlow"][0]["reason"], "it was gone already");
}

/// The requests that an endpoint was sent, whatever came of them.
fn sent(record: &[Call], endpoint: &str) -> usize {
    let requests = record.iter().filter(|it| it.endpoint == endpoint);
    // A deferred effect is a line of its own, without an answer to anybody.
    requests.filter(|it| it.effect != "applied").count()
}

#[test]
fn an_effect_that_comes_after_the_answer_or_the_time_out_is_waited_for() {
    let faults = [
        "olt:try1=deferred,600ms",
        "bng:try1=deferred,600ms,lost",
        "ipam:try1=deferred,1500ms,hang",
    ];
    let mock = mock(READABLE, &faults);
    let workplace = Workplace::new(&mock.url());
    let settings = "timeout = \"1s\"\nretries = 0\nonFailure = \"fail\"\n";
    workplace.endpoints(&mock.url(), settings);
    let chain = chain("order.json", "1");
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let record = mock.record();
    every_effect_happened_once(&record, &plans(&documents(&chain)));
    for endpoint in ["olt", "bng", "ipam"] {
        let deferred = record.iter().filter(|it| it.endpoint == endpoint);
        let deferred = deferred.filter(|it| it.effect == "deferred").count();
        assert_eq!(deferred, sent(&record, endpoint), "{endpoint}: none twice");
    }
}

#[test]
fn what_was_accepted_and_does_not_come_is_held_and_not_sent_again() {
    let mock = mock(READABLE, &["olt:*=deferred,1h"]);
    let workplace = Workplace::new(&mock.url());
    let settings = "timeout = \"1s\"\nsettle = \"500ms\"\nonFailure = \"fail\"\n";
    workplace.endpoints(&mock.url(), settings);
    let chain = chain("order.json", "1");
    let expected = format!(
        "  held {BEARER}: outcome unknown: accepted, but the answer names no monitor; endpoint olt has accepted it, and it was not \
         there when it was asked for: find out, then complete or retry the task by hand"
    );
    stays_held(&workplace, &chain, &expected);
    assert_eq!(sent(&mock.record(), "olt"), 1);
}
