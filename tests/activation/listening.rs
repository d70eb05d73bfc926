//! `activate --listen`: endpoints tell when they are done.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use jiff::Timestamp;
use orderctl::journal::{Event, JournalReader};
use serde_json::{Value, json};

use crate::support::tasks::{order, task};
use crate::support::{Mock, Workplace, run, stderr};

/// What a running command has said so far, once it has said this.
fn said(workplace: &Workplace, what: &str) -> String {
    loop {
        let said = workplace.read("stderr");
        if said.contains(what) && said.ends_with('\n') {
            return said;
        }
        std::thread::yield_now();
    }
}

fn subscribe(mock: &Mock, callback: &str) {
    let body = json!({"callback": callback}).to_string();
    let path = "/olt/tmf-api/ResourceActivationAndConfiguration/v4/hub";
    let mut stream = TcpStream::connect(mock.address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

/// Lets the mock tell the run of events, then lets that begin.
fn listen_then_complete_the_survey(mock: &Mock, workplace: &Workplace) {
    let line = said(workplace, "listening for events at ");
    let address = line.split("listening for events at ").nth(1).unwrap();
    let address = address
        .lines()
        .next()
        .unwrap()
        .strip_suffix("/listener")
        .unwrap();
    subscribe(mock, address);
    let done = ["task", "complete", "R-1", "survey", "--by", "jane"];
    loop {
        // It may not have been taken on yet.
        let output = run(&mut workplace.orderctl(&done), "");
        match output.status.code() {
            Some(0) => break,
            code => assert_eq!(code, Some(2), "{}", stderr(&output)),
        }
    }
}

#[test]
fn callbacks_of_an_endpoint_complete_the_tasks_that_wait() {
    let mock = Mock::failing(&["olt:*=callback,100ms"]);
    let workplace = Workplace::new(&mock.url());
    // Nothing is sent before the mock knows whom to tell.
    let tasks = [
        task("survey", &[], json!({"kind": "manual"})),
        task("a", &["survey"], json!({})),
        task("b", &["survey"], json!({})),
        task("c", &["a", "b"], json!({})),
    ];
    workplace.write("chain", &order(&tasks));
    let mut activating = workplace.begin("chain", &["--wait", "--listen", "127.0.0.1:0"]);
    listen_then_complete_the_survey(&mock, &workplace);
    let code = activating.wait().unwrap().code();
    assert_eq!(code, Some(0), "{}", workplace.read("stderr"));
    // Both events of every task were taken.
    let record = std::fs::read_to_string(mock.record_file()).unwrap();
    let lines = record
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let notified: Vec<Value> = lines.filter(|line| line["effect"] == "notified").collect();
    assert!(
        notified.iter().all(|line| line["status"] == 204),
        "{notified:?}"
    );
    assert!(notified.len() >= 5, "{notified:?}");
}

#[test]
fn an_event_ends_the_pause_of_a_monitor_that_takes_long() {
    let mock = Mock::failing(&["olt:*=callback,8s"]);
    let workplace = Workplace::new(&mock.url());
    // Its monitor is left alone for a minute after that.
    let impatient = "timeout = \"1s\"\nretries = 0\nconcurrency = 1\n";
    workplace.endpoints(&mock.url(), impatient);
    let tasks = [
        task("survey", &[], json!({"kind": "manual"})),
        task("a", &["survey"], json!({})),
    ];
    workplace.write("chain", &order(&tasks));
    let mut activating = workplace.begin("chain", &["--wait", "--listen", "127.0.0.1:0"]);
    listen_then_complete_the_survey(&mock, &workplace);
    let code = activating.wait().unwrap().code();
    assert_eq!(code, Some(0), "{}", workplace.read("stderr"));
    let reader = JournalReader::open(&workplace.journal()).unwrap();
    let entries = reader.order("R-1").unwrap().unwrap().entries;
    let mut paused = entries.iter().filter_map(|entry| {
        let until = match &entry.event {
            Event::AttemptFailed(it) => it.retry_at.as_deref()?,
            Event::Asked(it) => it.retry_at.as_deref()?,
            _ => return None,
        };
        let until: Timestamp = until.parse().unwrap();
        (until.duration_since(entry.at).as_secs() >= 60).then_some(until)
    });
    let until = paused.next_back().expect("it was left alone for a minute");
    let last = entries.last().unwrap();
    assert_eq!(last.event.kind(), "completed");
    assert!(last.at < until, "not before {until}: {entries:#?}");
}

#[test]
fn only_this_machine_is_listened_to() {
    let workplace = Workplace::new("http://127.0.0.1:1");
    let chain = order(&[task("a", &[], json!({}))]);
    for (address, said) in [
        ("0.0.0.0:0", "it is not of this machine"),
        ("nowhere", "expected an address and a port"),
    ] {
        let output = workplace.activate(&chain, &["--listen", address]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = workplace.activate(&chain, &["--listen", &address]);
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(
        message.contains(&format!("cannot listen at {address}")),
        "{message}"
    );
    assert!(!workplace.journal().exists());
}
