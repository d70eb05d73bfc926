//! `orderctl mock`.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use crate::support::{Mock, Workplace, chain, run, stderr, stdout};

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

#[test]
fn a_run_is_recorded_through_a_proxy_and_replayed_without_anything_else() {
    let real = Mock::start();
    let workplace = Workplace::new(&real.url());
    let arguments = ["--proxy", "--record", "lab.ndjson"];
    let proxy = MockCommand::start(&workplace, &arguments);
    let elsewhere = Workplace::new("${ORDERCTL_MOCK}");
    let chain = chain("order.json", "1");
    let carried_out = |address: &str| {
        elsewhere.forget();
        let mut activate = elsewhere.orderctl(&["activate"]);
        let output = run(activate.env("ORDERCTL_MOCK", address), &chain);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    };
    carried_out(&proxy.address);
    let applied = real
        .record()
        .iter()
        .filter(|call| call.is_applied())
        .count();
    assert_eq!(applied, 7);
    drop((proxy, real));
    std::fs::remove_file(workplace.path("endpoints.toml")).unwrap();
    std::fs::remove_file(workplace.path("orderctl.toml")).unwrap();
    let replay = MockCommand::start(&workplace, &["--replay", "lab.ndjson"]);
    carried_out(&replay.address);
}

#[test]
fn a_script_with_a_seed_has_the_same_faults_in_every_run() {
    let workplace = Workplace::new("");
    workplace.endpoints(
        "${ORDERCTL_MOCK}",
        "retries = 20\nidempotent = true\nreadBack = \"none\"\n",
    );
    let script = "formatVersion = \"1.0\"\n[[fault]]\ncalls = \"50%\"\nkind = \"lost\"\n";
    workplace.write("faults.toml", script);
    let chain = chain("order.json", "1");
    let faults = |seed: &str| {
        let arguments = [
            "--script",
            "faults.toml",
            "--seed",
            seed,
            "--record",
            "record",
        ];
        let mock = MockCommand::start(&workplace, &arguments);
        workplace.forget();
        let mut activate = workplace.orderctl(&["activate", "--clock", "virtual"]);
        let output = run(activate.env("ORDERCTL_MOCK", &mock.address), &chain);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let record = workplace.read("record");
        std::fs::remove_file(workplace.path("record")).unwrap();
        let mut faults: Vec<(String, String)> = record
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|line| {
                (
                    line["idempotencyKey"].to_string(),
                    line["fault"].to_string(),
                )
            })
            .collect();
        faults.sort();
        faults
    };
    let once = faults("1");
    assert!(once.len() > 7, "{once:?}");
    assert_eq!(once, faults("1"));
    assert_ne!(once, faults("2"));
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
    let script = "formatVersion = \"1.0\"\n[[fault]]\nkind = \"los\"\ncalls = \"0\"\n";
    workplace.write("faults.toml", script);
    for (arguments, said) in [
        (&["--fail", "olt"][..], "ENDPOINT[/FILTER]:CALLS[=KIND]"),
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
        (
            &["--callback", "http://192.0.2.1"],
            "this machine (loopback)",
        ),
        (
            &["--script", "missing.toml"],
            "cannot read fault script missing.toml",
        ),
        (
            &["--script", "faults.toml"],
            "error: faults.toml:3:8: kind \"los\" is not known, did you mean `lost`?\nerror: faults.toml:4:9: calls \"0\": the calls are ",
        ),
        (&["--script", "/dev/zero"], "it is larger than 16 MiB"),
        (
            &["--replay", "/dev/zero"],
            "/dev/zero:1: not a line of a recording: it is longer than 64 MiB",
        ),
        (&["--endpoints", "/dev/zero"], "it is larger than 16 MiB"),
        (&["--replay", "missing"], "cannot read recording missing"),
        (
            &["--replay", "faults.toml"],
            "faults.toml:1: not a line of a recording: ",
        ),
        (&["--replay", "record", "--proxy"], "cannot be used with"),
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
