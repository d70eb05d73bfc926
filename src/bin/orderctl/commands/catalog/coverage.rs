//! `orderctl catalog coverage`.

use std::fs;
use std::path::Path;

use orderctl::coverage::{self, Coverage, Samples, Wanted};
use orderctl::diagnostic::report::counted;
use orderctl::document::Document;
use orderctl::project::Overrides;

use super::corpus;
use super::judged::named;
use crate::cli::{CoverageArgs, DiffFormat};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::terminal::OutputError;

/// Writes what of the catalog orders exercise, and orders for the rest where they are wanted.
pub fn run(args: &CoverageArgs, context: &Context) -> Result<ExitCode, Failure> {
    let settings = context.settings(Overrides {
        catalog: args.catalog.catalog.clone(),
        ..Overrides::default()
    })?;
    let catalog = match context.catalog(&named(settings.catalog)?)? {
        Ok(catalog) => catalog,
        Err(code) => return Ok(code),
    };
    let mut coverage = Coverage::new(&catalog);
    let mut samples = Samples::default();
    if let Some(orders) = &args.orders {
        let inventory = args.inventory.as_deref();
        for file in corpus::read(orders, inventory, context)? {
            for order in &file.orders {
                coverage.order(order, file.inventory.as_deref(), args.now.now);
                samples.learn(&catalog, order);
            }
        }
    }
    if let Some(folder) = &args.generate {
        let wanted = Wanted {
            pairwise: args.pairwise,
            now: args.now.now,
        };
        let valid = coverage::generate(&mut coverage, &samples, wanted);
        let faulty = coverage::faulty(&catalog, &valid, args.seed, args.now.now);
        for it in &valid {
            write(&folder.join("valid"), &it.id, &it.order)?;
        }
        for it in &faulty {
            write(&folder.join("invalid"), &it.id, &it.order)?;
        }
        context.say(&format!(
            "catalog coverage: {} and {} with one fault written to {}",
            counted(valid.len() as u64, "valid order"),
            counted(faulty.len() as u64, "order"),
            folder.display()
        ));
    }
    report(args, context, &coverage)?;
    context.say(&format!("catalog coverage: {}", coverage.summary()));
    let enough = args.min.is_none_or(|least| coverage.percent() >= least);
    Ok(if enough {
        ExitCode::Done
    } else {
        ExitCode::NotAcceptable
    })
}

fn report(args: &CoverageArgs, context: &Context, coverage: &Coverage<'_>) -> Result<(), Failure> {
    match args.format {
        DiffFormat::Human => context.write_text(coverage::human(coverage).as_bytes())?,
        DiffFormat::Markdown => context.write_text(coverage::markdown(coverage).as_bytes())?,
        DiffFormat::Json => {
            let text = coverage::json(coverage).to_string();
            let mut stdout = context.stdout();
            let _closed_or_not = stdout.document(text.as_bytes())?;
            let _closed_or_not = stdout.flush()?;
        }
    }
    Ok(())
}

/// Writes an order to a file that its id names.
fn write(folder: &Path, id: &str, order: &Document) -> Result<(), Failure> {
    let name: String = id
        .chars()
        .map(|it| {
            if it.is_alphanumeric() || "-_.".contains(it) {
                it
            } else {
                '_'
            }
        })
        .collect();
    let file = folder.join(format!("{name}.json"));
    let failed = |error| OutputError::new(&file.display().to_string(), error);
    fs::create_dir_all(folder).map_err(failed)?;
    let mut text = Vec::new();
    order.write_compact(&mut text);
    text.push(b'\n');
    fs::write(&file, text).map_err(failed)?;
    Ok(())
}
