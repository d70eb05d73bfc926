//! Large catalogs: loading and lint, and what a change does to many orders.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::process::Command;

use super::report::{Report, Target};
use super::run::{self, Bench, ORDERCTL, median};

/// Specifications of the large catalog; there are two rules for each.
const SPECIFICATIONS: usize = 10_000;

/// Orders that a change is tried on.
const ORDERS: usize = 10_000;

/// Measures lint of two sizes of catalogs, and the impact of a change on a stream of orders.
pub fn measure(bench: &Bench, report: &mut Report) -> io::Result<()> {
    let mut milliseconds = [Vec::new(), Vec::new()];
    for (at, size) in [SPECIFICATIONS, 2 * SPECIFICATIONS].into_iter().enumerate() {
        let folder = bench.file(&format!("catalog-{size}"));
        fs::create_dir_all(&folder)?;
        let mut text = Vec::new();
        catalog(&mut text, size)?;
        fs::write(folder.join("catalog.json"), &text)?;
        for _ in 0..bench.rounds {
            let mut command = Command::new(ORDERCTL);
            command
                .env_clear()
                .args(["-q", "catalog", "lint", "--catalog"]);
            command.arg(&folder);
            let time = run::pipe(None, vec![command])?;
            milliseconds[at].push(time.as_secs_f64() * 1e3);
        }
    }
    let [small, large] = milliseconds.map(median);
    let nothing = String::new;
    report.add(
        "catalog lint, 10,000 specifications and 20,000 rules",
        (small, "ms"),
        Target::AtMost(500.0),
        nothing(),
    );
    report.add(
        "the same, twice as many",
        (large / small, "×"),
        Target::AtMost(2.4),
        nothing(),
    );
    impact(bench, report)
}

/// One endpoint is another one: all orders are affected, and half of them come out differently.
fn impact(bench: &Bench, report: &mut Report) -> io::Result<()> {
    let old = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/catalog/broadband");
    let new = bench.file("catalog-changed");
    fs::create_dir_all(&new)?;
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        let text = fs::read_to_string(entry.path())?;
        let text = text.replace("endpoint: olt", "endpoint: access");
        fs::write(new.join(entry.file_name()), text)?;
    }
    let orders = bench.stream(ORDERS)?;
    let mut seconds = Vec::new();
    for _ in 0..bench.rounds {
        let mut command = Command::new(ORDERCTL);
        command.env_clear().args(["-q", "catalog", "impact", old]);
        command.arg(&new).arg("--orders").arg(&orders);
        seconds.push(run::pipe(None, vec![command])?.as_secs_f64());
    }
    report.add(
        "catalog impact, 10,000 orders",
        (median(seconds), "s"),
        Target::AtMost(10.0),
        String::new(),
    );
    Ok(())
}

/// Writes a catalog with about so many specifications, and twice as many rules, one document a
/// line: products with a service each, that needs some of many resources, under conditions.
///
/// # Errors
/// If the output does not take it.
pub fn catalog(output: &mut impl Write, specifications: usize) -> io::Result<()> {
    let products = specifications / 5;
    let resources = specifications * 3 / 10;
    let mut text = String::new();
    for number in 0..products {
        product(&mut text, number, resources);
        output.write_all(text.as_bytes())?;
        text.clear();
    }
    for number in 0..resources {
        let _ = writeln!(
            text,
            "{{\"@type\":\"ResourceFacingServiceSpecification\",\"id\":\"RFS-{number}\",\"name\":\"RFS {number}\",\
             \"lifecycleStatus\":\"Active\",\"resourceSpecification\":[{{\"id\":\"RS-{number}\"}}],\"specCharacteristic\":[\
             {{\"name\":\"speed\",\"valueType\":\"integer\",\"minCardinality\":1}},\
             {{\"name\":\"queue\",\"valueType\":\"string\",\"minCardinality\":1}}]}}\n\
             {{\"@type\":\"ResourceSpecification\",\"id\":\"RS-{number}\",\"name\":\"RS {number}\",\"lifecycleStatus\":\"Active\",\
             \"resourceSpecCharacteristic\":[{{\"name\":\"speed\",\"valueType\":\"integer\",\"minCardinality\":1}}]}}\n\
             {{\"@type\":\"ActivationRule\",\"formatVersion\":\"1.0\",\"id\":\"A-{number}\",\"resourceSpecification\":{{\"id\":\"RS-{number}\"}},\
             \"endpoint\":\"network\",\"duration\":{{\"mostLikely\":\"PT5M\"}}}}"
        );
        output.write_all(text.as_bytes())?;
        text.clear();
    }
    Ok(())
}

/// A product, its offering, its service, and the rules between them.
fn product(text: &mut String, number: usize, resources: usize) {
    let values = "[{\"value\":100},{\"value\":200},{\"value\":500},{\"value\":1000}]";
    let tiers = "[{\"value\":\"gold\"},{\"value\":\"silver\"},{\"value\":\"bronze\"}]";
    let characteristics = |list: &str| {
        format!(
            "{{\"name\":\"speed\",\"valueType\":\"integer\",\"minCardinality\":1,\"{list}\":{values}}},\
             {{\"name\":\"tier\",\"valueType\":\"string\",\"minCardinality\":1,\"{list}\":{tiers}}}"
        )
    };
    let _ = writeln!(
        text,
        "{{\"@type\":\"ProductOffering\",\"id\":\"PO-{number}\",\"name\":\"Offering {number}\",\"lifecycleStatus\":\"Active\",\
         \"productSpecification\":{{\"id\":\"PS-{number}\"}}}}\n\
         {{\"@type\":\"ProductSpecification\",\"id\":\"PS-{number}\",\"name\":\"Product {number}\",\"lifecycleStatus\":\"Active\",\
         \"productSpecCharacteristic\":[{}]}}\n\
         {{\"@type\":\"CustomerFacingServiceSpecification\",\"id\":\"CFS-{number}\",\"name\":\"Service {number}\",\"lifecycleStatus\":\"Active\",\
         \"specCharacteristic\":[{}]}}\n\
         {{\"@type\":\"DecompositionRule\",\"formatVersion\":\"1.0\",\"id\":\"R-{number}\",\"source\":{{\"id\":\"PS-{number}\"}},\"target\":{{\"id\":\"CFS-{number}\"}}}}",
        characteristics("productSpecCharacteristicValue"),
        characteristics("characteristicValueSpecification"),
    );
    // With the activation rules of the resources, some ten rules for each product.
    for step in 0..8 {
        if step == 7 && number % 2 == 1 {
            continue;
        }
        let target = (number * 3 / 2 + step) % resources;
        let condition = match step % 4 {
            0 => "source.speed >= 200",
            1 => "source.tier == \\\"gold\\\" || source.speed > 500",
            2 => "source.tier in [\\\"gold\\\", \\\"silver\\\"]",
            _ => "source.speed == 100 && source.tier != \\\"bronze\\\"",
        };
        let _ = writeln!(
            text,
            "{{\"@type\":\"DecompositionRule\",\"formatVersion\":\"1.0\",\"id\":\"R-{number}-{step}\",\"source\":{{\"id\":\"CFS-{number}\"}},\
             \"target\":{{\"id\":\"RFS-{target}\"}},\"condition\":\"{condition}\",\"mapping\":[\
             {{\"target\":\"queue\",\"expression\":\"source.tier == \\\"gold\\\" ? \\\"fast\\\" : \\\"normal\\\"\"}}]}}"
        );
    }
}
