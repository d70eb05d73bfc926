//! One order with many lines, each a broadband line with seven or eight tasks.

use std::io;

use super::report::{Report, Target};
use super::run::{self, Bench, median};

/// Measures `decompose | plan` over orders of three sizes, and `plan` alone.
pub fn measure(bench: &Bench, report: &mut Report) -> io::Result<()> {
    let both = || vec![bench.orderctl(&["decompose"]), bench.orderctl(&["plan"])];
    let (small, middle, large) = (
        bench.large(2_000)?,
        bench.large(10_000)?,
        bench.large(100_000)?,
    );
    let derived = bench.file("lines-2000-derived.ndjson");
    run::into_file(&small, vec![bench.orderctl(&["decompose"])], &derived)?;
    let (mut alone, mut few, mut some) = (Vec::new(), Vec::new(), Vec::new());
    let (mut many, mut growth) = (Vec::new(), Vec::new());
    for round in 0..bench.rounds {
        alone.push(run::pipe(Some(&derived), vec![bench.orderctl(&["plan"])])?.as_secs_f64());
        few.push(run::pipe(Some(&small), both())?.as_secs_f64());
        some.push(run::pipe(Some(&middle), both())?.as_secs_f64());
        // The large one takes long enough to be steady.
        if round < 3 {
            let seconds = run::pipe(Some(&large), both())?.as_secs_f64();
            growth.push(seconds / some[round]);
            many.push(seconds);
        }
    }
    let name = "decompose | plan, one order of 2,000 lines";
    let remark = format!("plan alone {:.0} ms", median(alone) * 1e3);
    report.add(
        name,
        (median(few) * 1e3, "ms"),
        Target::AtMost(100.0),
        remark,
    );
    let name = "decompose | plan, one order of 100,000 lines";
    report.add(
        name,
        (median(many), "s"),
        Target::AtMost(10.0),
        String::new(),
    );
    let name = "the same, 100,000 lines to 10,000";
    report.add(
        name,
        (median(growth), "×"),
        Target::AtMost(12.0),
        format!("10,000 lines {:.2} s", median(some)),
    );
    Ok(())
}
