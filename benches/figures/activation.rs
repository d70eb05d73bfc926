//! Carrying plans out: `orderctl activate` against `orderctl mock` on
//! loopback, beside plain HTTP requests with the same bodies to the same mock: as bytes made beforehand, and by
//! the HTTP client that activation uses.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::load::{self, Request};
use super::mock::Mock;
use super::report::{Report, Target};
use super::run::{self, Bench, median};

const ORDERS: usize = 3_000;

/// Requests at once, of `activate` as of the load generator.
const AT_ONCE: usize = 64;

const ENDPOINTS: [&str; 7] = ["olt", "cmts", "bng", "ipam", "warehouse", "acs", "wifi"];

/// Path below the mock's address and endpoint, as TMF702 has it.
const API: &str = "tmf-api/ResourceActivationAndConfiguration/v4";

/// Sends all requests, so many at once, and says how long that took.
type Generator = fn(&str, &[Request], usize) -> io::Result<Duration>;

/// What activation is compared with: its name, how it sends, what the ratio has to be.
const PLAIN: [(&str, Generator, Target); 2] = [
    ("plain requests", load::bytes, Target::AtLeast(0.3)),
    ("the client alone", load::client, Target::Comparison),
];

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
    let (mut tasks, mut plain) = (Vec::new(), [const { Vec::new() }; PLAIN.len()]);
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
        tasks.push(own);
        for ((_, generator, _), rates) in PLAIN.iter().zip(&mut plain) {
            let mock = start_mock(bench, &endpoints, &[])?;
            let authority = mock.address.trim_start_matches("http://");
            let time = generator(authority, &requests, AT_ONCE)?;
            rates.push(count / time.as_secs_f64());
        }
    }
    let remark = format!(
        "{ORDERS} orders, {count} tasks, journal in {}",
        std::env::temp_dir().display()
    );
    report.add(
        "activate -j 64",
        (median(tasks.clone()), "tasks/s"),
        Target::AtLeast(3_000.0),
        remark,
    );
    for ((name, _, target), rates) in PLAIN.into_iter().zip(plain) {
        let ratios = tasks.iter().zip(&rates).map(|(own, other)| own / other);
        report.add(
            &format!("the same, to {name}"),
            (median(ratios.collect()), "×"),
            target,
            format!("{:.0} requests/s, {AT_ONCE} connections", median(rates)),
        );
    }
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

/// The requests of all plans.
fn requests(plans: &Path) -> io::Result<Vec<Request>> {
    let mut requests = Vec::new();
    for line in BufReader::new(File::open(plans)?).lines() {
        let document: Value = serde_json::from_str(&line?)?;
        for task in document["taskFlow"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let request = &task["request"];
            let method = text(&request["method"]);
            requests.push(Request {
                method: method.parse().map_err(io::Error::other)?,
                path: format!(
                    "/{}/{API}/{}",
                    text(&task["endpoint"]),
                    text(&request["path"])
                ),
                key: text(&task["idempotencyKey"]),
                body: request["body"].to_string(),
            });
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
