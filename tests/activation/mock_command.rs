//! `orderctl mock`.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use crate::support::{Workplace, chain, run, stderr, stdout};

struct MockCommand {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl MockCommand {
    fn start(workplace: &Workplace, arguments: &[&str]) -> Self {
        let mut command = workplace.orderctl(&["mock"]);
        let mut child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.next().unwrap().unwrap();
        Self {
            child,
            lines,
            address,
        }
    }
}

impl Drop for MockCommand {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn port_0_prints_the_address_that_was_found_and_the_record_follows() {
    let workplace = Workplace::new("${ORDERCTL_MOCK}");
    let mut mock = MockCommand::start(&workplace, &["--record", "-"]);
    let port: u16 = mock
        .address
        .strip_prefix("http://127.0.0.1:")
        .unwrap()
        .parse()
        .unwrap();
    assert_ne!(port, 0);
    let mut activate = workplace.orderctl(&["activate"]);
    let output = run(
        activate.env("ORDERCTL_MOCK", &mock.address),
        &chain("order.json", "1"),
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for number in 1..=7 {
        let line = mock.lines.next().unwrap().unwrap();
        assert!(line.starts_with(&format!("{{\"seq\":{number},")), "{line}");
    }
}

#[test]
fn a_reader_of_the_record_that_goes_away_ends_it_quietly() {
    let workplace = Workplace::new("");
    workplace.endpoints("${ORDERCTL_MOCK}", "retries = 1\n");
    let mut command = workplace.orderctl(&["mock", "--record", "-"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut address = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut address).unwrap();
    drop(stdout);
    let mut activate = workplace.orderctl(&["activate"]);
    let output = run(
        activate.env("ORDERCTL_MOCK", address.trim_end()),
        &chain("order.json", "1"),
    );
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn faults_and_delays_are_as_told() {
    let workplace = Workplace::new("${ORDERCTL_MOCK}");
    let arguments = [
        "--async",
        "--latency",
        "1ms",
        "--fail",
        "olt:1",
        "--record",
        "record",
    ];
    let mock = MockCommand::start(&workplace, &arguments);
    let mut activate = workplace.orderctl(&["activate"]);
    let output = run(
        activate.env("ORDERCTL_MOCK", &mock.address),
        &chain("order.json", "1"),
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let record = workplace.read("record");
    assert_eq!(record.lines().count(), 8);
    assert_eq!(record.matches("\"status\":202").count(), 7);
    assert_eq!(record.matches("\"status\":500").count(), 1);
}

#[cfg(unix)]
#[test]
fn it_ends_quietly_when_it_is_told_to() {
    let workplace = Workplace::new("${ORDERCTL_MOCK}");
    for name in ["TERM", "INT"] {
        let mut mock = MockCommand::start(&workplace, &[]);
        let id = mock.child.id().to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-s", name, &id]).status().unwrap().success());
        assert_eq!(mock.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn what_cannot_be_played_is_refused_with_advice() {
    let workplace = Workplace::new("http://127.0.0.1:1");
    for (arguments, said) in [
        (&["--fail", "olt"][..], "ENDPOINT[/RESOURCE]:CALLS[=KIND]"),
        (&["--fail", "olt:2=maybe"], "a status from 400 to 599"),
        (
            &["--fail", "tlo:2"],
            "acs, bng, cmts, ipam, olt, warehouse, wifi",
        ),
        (&["--listen", "0.0.0.0:0"], "loopback only"),
        (&["--listen", "192.0.2.1:80"], "loopback only"),
        (&["--listen", "nowhere"], "--listen"),
        (&["--latency", "20"], "20ms"),
        (&["--record", "missing/record"], "missing/record"),
        (&["--endpoints", "missing.toml"], "missing.toml"),
    ] {
        let output = run(workplace.orderctl(&["mock"]).args(arguments), "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout(&output), "");
        assert!(
            stderr(&output).contains(said),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}
