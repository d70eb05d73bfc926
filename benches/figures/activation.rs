//! Carrying plans out: `orderctl activate` against `orderctl mock` on
//! loopback, beside plain HTTP requests with the same bodies to the same mock.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::load;
use super::mock::Mock;
use super::report::{Report, Target};
use super::run::{self, Bench, median};

const ORDERS: usize = 3_000;

/// Requests at once, of `activate` as of the load generator.
const AT_ONCE: usize = 64;

const ENDPOINTS: [&str; 7] = ["olt", "cmts", "bng", "ipam", "warehouse", "acs", "wifi"];

/// Path below the mock's address and endpoint, as TMF702 has it.
const API: &str = "tmf-api/ResourceActivationAndConfiguration/v4";

/// Measures tasks a second, and their ratio to plain requests a second.
#[allow(clippy::cast_precision_loss)]
pub fn measure(bench: &Bench, report: &mut Report) -> io::Result<()> {
    let plans = bench.file("plans.ndjson");
    let steps = ["decompose", "plan"].map(|command| bench.orderctl(&[command]));
    run::into_file(&bench.stream(ORDERS)?, steps.into(), &plans)?;
    let requests = requests(&plans)?;
    let count = requests.len() as f64;
    let endpoints = bench.file("endpoints.toml");
    fs::write(&endpoints, endpoints_file())?;
    let (mut tasks, mut ratios, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..bench.rounds {
        let mock = start_mock(bench, &endpoints, &[])?;
        let journal = bench.file(&format!("journal-{round}.db"));
        let mut activate = bench.orderctl(&["activate", "--quiet", "-o", "json"]);
        activate
            .args(["-j", &AT_ONCE.to_string()])
            .arg("--endpoints")
            .arg(&endpoints);
        activate
            .arg("--journal")
            .arg(&journal)
            .arg(&plans)
            .env("ORDERCTL_MOCK", &mock.address);
        let own = count / run::pipe(None, vec![activate])?.as_secs_f64();
        drop(mock);
        let mock = start_mock(bench, &endpoints, &[])?;
        let authority = mock.address.trim_start_matches("http://");
        let sent = requests
            .iter()
            .map(|request| request.replace("{authority}", authority).into_bytes());
        let other = count / load::run(authority, sent.collect(), AT_ONCE)?.as_secs_f64();
        tasks.push(own);
        plain.push(other);
        ratios.push(own / other);
    }
    let remark = format!(
        "{ORDERS} orders, {count} tasks, journal in {}",
        std::env::temp_dir().display()
    );
    report.add(
        "activate -j 64",
        (median(tasks), "tasks/s"),
        Target::AtLeast(3_000.0),
        remark,
    );
    let remark = format!(
        "plain: {:.0} requests/s, own generator, {AT_ONCE} connections",
        median(plain)
    );
    report.add(
        "the same, to plain requests",
        (median(ratios), "×"),
        Target::AtLeast(0.3),
        remark,
    );
    Ok(())
}

fn endpoints_file() -> String {
    let mut text = "formatVersion = \"1.0\"\n".to_owned();
    for name in ENDPOINTS {
        let _ = writeln!(
            text,
            "[endpoint.{name}]\nprotocol = \"tmf702\"\naddress = \"${{ORDERCTL_MOCK}}/{name}/{API}\"\nconcurrency = {AT_ONCE}"
        );
    }
    text
}

/// The requests of all plans as they go over the wire, but for the authority.
fn requests(plans: &Path) -> io::Result<Vec<String>> {
    let mut requests = Vec::new();
    for line in BufReader::new(File::open(plans)?).lines() {
        let document: Value = serde_json::from_str(&line?)?;
        for task in document["taskFlow"].as_array().into_iter().flatten() {
            let text = |key: &str| task[key].as_str().unwrap_or_default();
            let request = &task["request"];
            let body = request["body"].to_string();
            requests.push(format!(
                "{} /{}/{API}/{} HTTP/1.1\r\nhost: {{authority}}\r\ncontent-type: application/json\r\n\
                 accept: application/json\r\nidempotency-key: {}\r\ncontent-length: {}\r\n\r\n{body}",
                request["method"].as_str().unwrap_or_default(),
                text("endpoint"),
                request["path"].as_str().unwrap_or_default(),
                text("idempotencyKey"),
                body.len(),
            ));
        }
    }
    Ok(requests)
}

/// A mock for the endpoints of this file, with these arguments beside.
pub fn start_mock(bench: &Bench, endpoints: &Path, arguments: &[&str]) -> io::Result<Mock> {
    let mut command: Command = bench.orderctl(&["mock", "--listen", "127.0.0.1:0"]);
    command
        .args(arguments)
        .arg("--endpoints")
        .arg(endpoints)
        .env("ORDERCTL_MOCK", "http://127.0.0.1:0");
    Mock::start(&mut command)
}
