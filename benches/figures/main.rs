//! The figures of the contract, measured side by side on this machine.
//!
//! `cargo bench --bench figures` measures all of them; the names of groups
//! (`startup`, `streams`, `lines`, `vehicles`, `memory`, `activation`,
//! `resume`, `catalog`) after `--` select some. `generate N`, `lines-of N` and `fleet-of N` write the orders that
//! are measured with.

mod activation;
mod catalogs;
mod lines;
mod load;
mod memory;
mod mock;
mod orders;
mod report;
mod resume;
mod run;
mod startup;
mod streams;
mod vehicles;

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use report::Report;
use run::Bench;

/// A group of figures: adds its rows to the report.
type Group = fn(&Bench, &mut Report) -> io::Result<()>;

const GROUPS: [(&str, Group); 8] = [
    ("startup", startup::measure),
    ("streams", streams::measure),
    ("lines", lines::measure),
    ("vehicles", vehicles::measure),
    ("memory", memory::measure),
    ("activation", activation::measure),
    ("resume", resume::measure),
    ("catalog", catalogs::measure),
];

const USAGE: &str =
    "usage: cargo bench --bench figures -- [GROUP]... [--rounds R] [--orders N] [--seed S]
       cargo bench --bench figures -- generate N [--seed S]
       cargo bench --bench figures -- lines-of N [--seed S]
       cargo bench --bench figures -- fleet-of N [--seed S]
       cargo bench --bench figures -- catalog-of N
groups: startup, streams, lines, vehicles, memory, activation, resume, catalog; without a name all of them
  --rounds R  how often each figure is measured, the median counts (default 5)
  --orders N  orders in the stream of the group `memory` (default 1000000)
  --seed S    what the orders vary by (default 7)";

/// What was asked for.
struct Request {
    words: Vec<String>,
    rounds: usize,
    orders: usize,
    seed: u64,
}

fn main() -> ExitCode {
    let Some(request) = read(std::env::args().skip(1)) else {
        let _ = writeln!(io::stderr(), "{USAGE}");
        return ExitCode::from(2);
    };
    match answer(&request) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            let _ = writeln!(io::stderr(), "{USAGE}");
            ExitCode::from(2)
        }
        // Whoever reads a generated stream may have enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(mut arguments: impl Iterator<Item = String>) -> Option<Request> {
    let mut request = Request {
        words: Vec::new(),
        rounds: 5,
        orders: 1_000_000,
        seed: 7,
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo says that this is a benchmark.
            "--bench" => {}
            "--rounds" => request.rounds = arguments.next()?.parse().ok().filter(|it| *it > 0)?,
            "--orders" => request.orders = arguments.next()?.parse().ok().filter(|it| *it > 0)?,
            "--seed" => request.seed = arguments.next()?.parse().ok()?,
            _ if argument.starts_with('-') => return None,
            _ => request.words.push(argument),
        }
    }
    Some(request)
}

/// Does what was asked for; false if it cannot be understood.
fn answer(request: &Request) -> io::Result<bool> {
    let words: Vec<&str> = request.words.iter().map(String::as_str).collect();
    if let [
        verb @ ("generate" | "lines-of" | "fleet-of" | "catalog-of"),
        count,
    ] = words[..]
    {
        let Ok(count) = count.parse() else {
            return Ok(false);
        };
        let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        match verb {
            "generate" => orders::stream(&mut output, count, request.seed)?,
            "catalog-of" => catalogs::catalog(&mut output, count)?,
            "lines-of" => orders::large(&mut output, count, request.seed)?,
            _ => vehicles::fleet(&mut output, count, request.seed)?,
        }
        return output.flush().map(|()| true);
    }
    if !words
        .iter()
        .all(|word| GROUPS.iter().any(|(name, _)| name == word))
    {
        return Ok(false);
    }
    let bench = Bench::new(request.rounds, request.orders, request.seed)?;
    let mut report = Report::default();
    for (name, measure) in GROUPS {
        if words.is_empty() || words.contains(&name) {
            let _ = writeln!(io::stderr(), "measuring {name}");
            measure(&bench, &mut report)?;
        }
    }
    writeln!(io::stdout(), "{report}").map(|()| true)
}
