//! What a command costs before it does anything.

use std::io;
use std::process::Command;

use super::report::{Report, Target};
use super::run::{self, Bench, ORDERCTL, example, median};

/// Runs of one command in a round: one alone is at the mercy of the scheduler.
const RUNS: usize = 20;

/// Measures `--version`, and one order through `validate`.
pub fn measure(bench: &Bench, report: &mut Report) -> io::Result<()> {
    let (mut version, mut validate) = (Vec::new(), Vec::new());
    let order = example("order.json");
    for _ in 0..bench.rounds * RUNS {
        let mut command = Command::new(ORDERCTL);
        command.arg("--version");
        version.push(run::pipe(None, vec![command])?.as_secs_f64() * 1e3);
        let command = bench.orderctl(&["validate"]);
        validate.push(run::pipe(Some(&order), vec![command])?.as_secs_f64() * 1e3);
    }
    let nothing = String::new;
    report.add(
        "orderctl --version",
        (median(version), "ms"),
        Target::AtMost(5.0),
        nothing(),
    );
    let name = "validate, one order with the example catalog";
    report.add(
        name,
        (median(validate), "ms"),
        Target::AtMost(25.0),
        nothing(),
    );
    Ok(())
}
