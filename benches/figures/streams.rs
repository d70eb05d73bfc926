//! A stream of small orders through each command, beside `jq -c .` on the same
//! file.

use std::io;
use std::process::Command;

use super::report::{Report, Target};
use super::run::{self, Bench, is_there, median};

const ORDERS: u32 = 16_000;

/// Orders a second of each command, one value a round.
#[derive(Default)]
struct Rates {
    jq: Vec<f64>,
    validate: Vec<f64>,
    validate_two: Vec<f64>,
    decompose: Vec<f64>,
    decompose_two: Vec<f64>,
    pipe: Vec<f64>,
}

/// Measures `validate`, `decompose` and the whole pipe.
pub fn measure(bench: &Bench, report: &mut Report) -> io::Result<()> {
    let stream = bench.stream(ORDERS as usize)?;
    let rate = |commands: Vec<Command>| {
        run::pipe(Some(&stream), commands).map(|time| f64::from(ORDERS) / time.as_secs_f64())
    };
    let orderctl = |arguments: &[&str]| bench.orderctl(arguments);
    let jq = is_there("jq");
    let mut rates = Rates::default();
    for _ in 0..bench.rounds {
        if jq {
            let mut command = Command::new("jq");
            command.args(["-c", "."]);
            rates.jq.push(rate(vec![command])?);
        }
        rates.validate.push(rate(vec![orderctl(&["validate"])])?);
        rates
            .validate_two
            .push(rate(vec![orderctl(&["validate", "-j", "2"])])?);
        rates.decompose.push(rate(vec![orderctl(&["decompose"])])?);
        rates
            .decompose_two
            .push(rate(vec![orderctl(&["decompose", "-j", "2"])])?);
        let whole = ["validate", "decompose", "plan"].map(|command| orderctl(&[command]));
        rates.pipe.push(rate(whole.into())?);
    }
    show(rates, jq, report);
    Ok(())
}

fn show(rates: Rates, jq: bool, report: &mut Report) {
    let ratio = |above: &[f64], below: &[f64]| {
        median(
            above
                .iter()
                .zip(below)
                .map(|(above, below)| above / below)
                .collect(),
        )
    };
    let shown = |rates: &[f64]| format!("{:.0} orders/s", median(rates.to_vec()));
    if jq {
        let remark = format!("{ORDERS} orders, compared with below");
        report.add(
            "jq -c .",
            (median(rates.jq.clone()), "orders/s"),
            Target::Comparison,
            remark,
        );
        for (name, measured, target) in [
            ("validate, one thread", &rates.validate, 3.0),
            ("decompose, one thread", &rates.decompose, 1.0),
        ] {
            let value = ratio(measured, &rates.jq);
            report.add(
                name,
                (value, "× jq"),
                Target::AtLeast(target),
                shown(measured),
            );
        }
    } else {
        report.note(
            "jq is not installed: `validate` and `decompose` were not compared with it".to_owned(),
        );
        for (name, measured) in [
            ("validate, one thread", &rates.validate),
            ("decompose, one thread", &rates.decompose),
        ] {
            let value = median(measured.clone());
            report.add(name, (value, "orders/s"), Target::Comparison, String::new());
        }
    }
    for (name, two, one) in [
        ("validate -j 2", &rates.validate_two, &rates.validate),
        ("decompose -j 2", &rates.decompose_two, &rates.decompose),
    ] {
        report.add(
            name,
            (ratio(two, one), "× one thread"),
            Target::AtLeast(1.7),
            shown(two),
        );
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let remark = format!("{cores} cores");
    let value = (median(rates.pipe), "orders/s");
    report.add(
        "validate | decompose | plan",
        value,
        Target::AtLeast(10_000.0),
        remark,
    );
}
