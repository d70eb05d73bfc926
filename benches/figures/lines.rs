//! One order with many lines, each a broadband line with seven or eight tasks.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use super::report::{Report, Target};
use super::run::{self, Bench, median};

/// Measures `plan` and `decompose | plan` over orders of three sizes.
pub fn measure(bench: &Bench, report: &mut Report) -> io::Result<()> {
    let both = || vec![bench.orderctl(&["decompose"]), bench.orderctl(&["plan"])];
    let (small, middle, large) = (
        bench.large(2_000)?,
        bench.large(10_000)?,
        bench.large(100_000)?,
    );
    let (mut alone, mut piped) = (Times::default(), Times::default());
    for (lines, order) in [(2_000, &small), (10_000, &middle), (100_000, &large)] {
        let derived = bench.file("lines-derived.ndjson");
        run::into_file(order, vec![bench.orderctl(&["decompose"])], &derived)?;
        // What takes a tenth of a second differs most from run to run; the large one takes long enough
        // to be steady.
        let rounds = match lines {
            2_000 => 5 * bench.rounds,
            100_000 => bench.rounds.min(3),
            _ => bench.rounds,
        };
        for _ in 0..rounds {
            alone.add(
                lines,
                run::pipe(Some(&derived), vec![bench.orderctl(&["plan"])])?,
            );
            piped.add(lines, run::pipe(Some(order), both())?);
        }
    }
    alone.report("plan", report);
    piped.report("decompose | plan", report);
    Ok(())
}

/// Seconds by number of lines.
#[derive(Default)]
struct Times(BTreeMap<u32, Vec<f64>>);

impl Times {
    fn add(&mut self, lines: u32, time: Duration) {
        self.0.entry(lines).or_default().push(time.as_secs_f64());
    }

    fn report(&self, what: &str, report: &mut Report) {
        let time = |lines| median(self.0[&lines].clone());
        let (few, some, many) = (time(2_000), time(10_000), time(100_000));
        report.add(
            &format!("{what}, one order of 2,000 lines"),
            (few * 1e3, "ms"),
            Target::AtMost(100.0),
            String::new(),
        );
        report.add(
            &format!("{what}, one order of 100,000 lines"),
            (many, "s"),
            Target::AtMost(10.0),
            String::new(),
        );
        report.add(
            "the same, 100,000 lines to 10,000",
            (many / some, "×"),
            Target::AtMost(12.0),
            format!("10,000 lines {some:.2} s"),
        );
    }
}
