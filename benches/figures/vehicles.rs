//! One order with many vehicles: `examples/mobile-5g` for a fleet of any size,
//! two devices each, so that one line fans out into twice as many profiles.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::orders::Choice;
use super::report::{Report, Target};
use super::run::{self, Bench, Watched, median};

const CATALOG: &str = "mobile-5g";

const SIZES: [(usize, &str); 2] = [(10_000, "10,000"), (100_000, "100,000")];

const COMMANDS: [&str; 2] = ["decompose", "plan"];

/// Measures `decompose` and `plan` over fleets of two sizes: seconds, memory, and how they grow.
pub fn measure(bench: &Bench, report: &mut Report) -> io::Result<()> {
    let mut figures: [[Vec<Watched>; 2]; 2] = Default::default();
    for round in 0..bench.rounds {
        for (size, (count, _)) in SIZES.into_iter().enumerate() {
            // The large one takes long enough to be steady.
            if size == 0 || round < 3 {
                for (command, watched) in once(bench, count)?.into_iter().enumerate() {
                    figures[command][size].push(watched);
                }
            }
        }
    }
    for (command, [small, large]) in COMMANDS.into_iter().zip(&figures) {
        let all =
            |of: &[Watched], figure: fn(&Watched) -> f64| median(of.iter().map(figure).collect());
        for ((_, count), of) in SIZES.into_iter().zip([small, large]) {
            report.add(
                &format!("{command}, 5G order of {count} vehicles"),
                (all(of, Watched::seconds), "s"),
                Target::Comparison,
                format!("{:.0} MB", all(of, Watched::megabytes)),
            );
        }
        let growth = |figure: fn(&Watched) -> f64| {
            let rounds = large.iter().zip(small);
            median(
                rounds
                    .map(|(large, small)| figure(large) / figure(small))
                    .collect(),
            )
        };
        report.add(
            &format!("{command}, 100,000 vehicles to 10,000: time"),
            (growth(Watched::seconds), "×"),
            Target::AtMost(12.0),
            String::new(),
        );
        report.add(
            &format!("{command}, 100,000 vehicles to 10,000: memory"),
            (growth(Watched::megabytes), "×"),
            Target::AtMost(12.0),
            String::new(),
        );
    }
    Ok(())
}

/// The file with the order of so many vehicles.
fn order(bench: &Bench, count: usize) -> io::Result<PathBuf> {
    let order = bench.file(&format!("vehicles-{count}.json"));
    if !order.exists() {
        let mut output = BufWriter::new(File::create(&order)?);
        fleet(&mut output, count, bench.seed)?;
        output.flush()?;
    }
    Ok(order)
}

/// The file with this order, everything derived from it, and its plan.
///
/// # Errors
/// If a command cannot be run or does not end with success.
pub fn planned(bench: &Bench, count: usize) -> io::Result<PathBuf> {
    let planned = bench.file(&format!("vehicles-{count}-planned.ndjson"));
    let steps = COMMANDS.map(|command| bench.orderctl_with(CATALOG, &[command]));
    run::into_file(&order(bench, count)?, steps.into(), &planned)?;
    Ok(planned)
}

/// `decompose`, then `plan` on what it wrote.
fn once(bench: &Bench, count: usize) -> io::Result<[Watched; 2]> {
    let order = order(bench, count)?;
    let derived = bench.file("vehicles-derived.ndjson");
    let watch = |command: &str, input: &Path, output: Stdio| {
        let mut command = bench.orderctl_with(CATALOG, &[command]);
        command.stdin(File::open(input)?).stdout(output);
        run::watch(command)
    };
    let decomposed = watch("decompose", &order, File::create(&derived)?.into())?;
    let planned = watch("plan", &derived, Stdio::null())?;
    Ok([decomposed, planned])
}

/// Writes an order for a fleet of `count` vehicles, on one line. One in ten is of the pilot.
///
/// # Errors
/// If the output does not take it.
pub fn fleet(output: &mut impl Write, count: usize, seed: u64) -> io::Result<()> {
    let mut choice = Choice::new(seed);
    output.write_all(
        b"{\"id\":\"ORD-FLEET-1\",\"externalId\":\"CRM-FLEET-1\",\"category\":\"B2B\",\
        \"orderDate\":\"2026-11-16T10:30:00+11:00\",\"requestedStartDate\":\"2026-11-23T08:00:00+11:00\",\
        \"billingAccount\":{\"id\":\"ACC-FLEET-1\",\"@referredType\":\"BillingAccount\"},\
        \"productOrderItem\":[{\"id\":\"1\",\"quantity\":1,\"action\":\"add\",\
        \"productOffering\":{\"id\":\"PO-5GFCP-01\",\"@referredType\":\"ProductOffering\"},\
        \"product\":{\"productSpecification\":{\"id\":\"PS-5GFS-01\",\"@referredType\":\"ProductSpecification\"},\
        \"productCharacteristic\":[",
    )?;
    for (name, value) in [
        ("fleetName", "\"Fleet of the benchmark\""),
        ("slaTier", "\"Platinum\""),
        ("urllcSnssai", "\"1-000001\""),
        ("urllcLatency", "10"),
        ("urllcAvailability", "99.99"),
        ("embbSnssai", "\"1-000002\""),
        ("embbDownlink", "100"),
        ("embbAvailability", "99.95"),
    ] {
        write!(output, "{{\"name\":\"{name}\",\"value\":{value}}},")?;
    }
    output.write_all(b"{\"name\":\"vehicles\",\"valueType\":\"object\",\"value\":[")?;
    let mut text = String::new();
    for number in 1..=count {
        text.clear();
        if number > 1 {
            text.push(',');
        }
        vehicle(&mut text, &mut choice, number);
        output.write_all(text.as_bytes())?;
    }
    output.write_all(
        b"]}],\"@type\":\"Product\"},\"@type\":\"ProductOrderItem\"}],\
        \"relatedParty\":[{\"id\":\"CUST-FLEET-1\",\"role\":\"customer\",\"@referredType\":\"Customer\"}],\
        \"@type\":\"ProductOrder\"}\n",
    )
}

fn vehicle(text: &mut String, choice: &mut Choice, number: usize) {
    let wave = if choice.below(10) == 0 {
        "pilot"
    } else {
        "bulk"
    };
    let mut device = |kind: &str| {
        let (high, low) = (
            choice.below(1_000_000_000),
            choice.below(10_000_000_000_000),
        );
        format!(
            "{{\"type\":\"{kind}\",\"eid\":\"89049032{high:011}{low:013}\",\"imei\":\"86{:013}\"}}",
            choice.below(10_000_000_000_000),
        )
    };
    let (tracker, tablet) = (device("tracker"), device("tablet"));
    let _ = write!(
        text,
        "{{\"id\":\"V-{number:06}\",\"registration\":\"F{number:06}\",\"wave\":\"{wave}\",\
         \"devices\":[{tracker},{tablet}]}}",
    );
}
