//! The soak: `cargo bench --bench soak -- [--orders N] [--processes P] [--kills K] [--seed S]`.

#[path = "../figures/mock.rs"]
mod mock;
#[path = "../figures/orders.rs"]
#[allow(dead_code, reason = "the figures use all of it")]
mod orders;
mod soak;
mod systems;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use soak::Soak;

const USAGE: &str =
    "usage: cargo bench --bench soak -- [--orders N] [--processes P] [--kills K] [--seed S]
  --orders N     orders that are carried out (default 10000)
  --processes P  processes that carry them out with one journal (default 8)
  --kills K      processes that are killed on the way and started anew (default 100)
  --seed S       what orders, faults and kills vary by (default 7)";

fn main() -> ExitCode {
    let Some(soak) = read(std::env::args().skip(1)) else {
        let _ = writeln!(io::stderr(), "{USAGE}");
        return ExitCode::from(2);
    };
    match tell(&soak) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(mut arguments: impl Iterator<Item = String>) -> Option<Soak> {
    let mut soak = Soak {
        orders: 10_000,
        processes: 8,
        kills: 100,
        seed: 7,
    };
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next()?.parse().ok().filter(|it| *it > 0);
        match argument.as_str() {
            // Cargo says that this is a benchmark.
            "--bench" => {}
            "--orders" => soak.orders = number()?,
            "--processes" => soak.processes = number()?,
            "--kills" => soak.kills = arguments.next()?.parse().ok()?,
            "--seed" => soak.seed = arguments.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some(soak)
}

#[allow(clippy::cast_precision_loss)]
fn tell(soak: &Soak) -> io::Result<()> {
    let figures = soak.run(Path::new(env!("CARGO_BIN_EXE_orderctl")))?;
    let mut output = io::stdout().lock();
    let met: usize = figures.faults.values().sum();
    let rate = |time: std::time::Duration| figures.effects as f64 / time.as_secs_f64();
    writeln!(
        output,
        "{} orders, {} effects, each once; {} processes, {} of {} runs killed",
        soak.orders, figures.effects, soak.processes, figures.kills, figures.runs
    )?;
    writeln!(
        output,
        "{} requests, {met} of them ({:.1} %) met a fault:",
        figures.calls,
        met as f64 * 100.0 / figures.calls as f64
    )?;
    for (fault, count) in &figures.faults {
        writeln!(output, "  {count:6}  {fault}")?;
    }
    writeln!(
        output,
        "{:.1} s ({:.0} tasks/s); one process where nothing fails: {:.1} s ({:.0} tasks/s)",
        figures.disturbed.as_secs_f64(),
        rate(figures.disturbed),
        figures.undisturbed.as_secs_f64(),
        rate(figures.undisturbed)
    )
}
