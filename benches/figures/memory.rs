//! The memory that a long stream takes.

use std::io::{self, BufWriter, Write as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use super::orders;
use super::report::{Report, Target};
use super::run::{self, Bench};

/// Measures `validate` and `decompose`; the orders are made while they run.
pub fn measure(bench: &Bench, report: &mut Report) -> io::Result<()> {
    for arguments in [&["validate"][..], &["validate", "-j", "2"], &["decompose"]] {
        let start = Instant::now();
        let peak = peak(bench.orderctl(arguments), bench)?;
        let seconds = start.elapsed().as_secs_f64();
        let name = format!("{}, {} orders", arguments.join(" "), bench.orders);
        report.add(
            &name,
            (peak / 1e6, "MB"),
            Target::AtMost(150.0),
            format!("{seconds:.1} s"),
        );
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)]
fn peak(mut command: Command, bench: &Bench) -> io::Result<f64> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let stdin = child
        .stdin
        .take()
        .ok_or_else(|| io::Error::other("no pipe to the command"))?;
    let (orders, seed) = (bench.orders, bench.seed);
    let writer = thread::spawn(move || {
        let mut output = BufWriter::with_capacity(1 << 16, stdin);
        orders::stream(&mut output, orders, seed)?;
        output.flush()
    });
    let watched = run::watched(&mut child, &command);
    let written = writer
        .join()
        .map_err(|_| io::Error::other("the orders could not be made"))?;
    let peak = watched?;
    written?;
    Ok(peak as f64)
}
