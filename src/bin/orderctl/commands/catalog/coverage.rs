//! `orderctl catalog coverage`.

use std::fs;
use std::path::Path;

use orderctl::catalog::Catalog;
use orderctl::coverage::{self, Coverage, Samples, Wanted};
use orderctl::diagnostic::format::Format;
use orderctl::diagnostic::report::counted;
use orderctl::document::Document;
use orderctl::project::Overrides;

use super::corpus;
use super::judged::{Judging, Read, Told, as_errors, named, read};
use crate::cli::CoverageArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::terminal::OutputError;

/// Writes what of the catalog orders exercise, and orders for the rest where they are wanted.
pub fn run(args: &CoverageArgs, context: &Context) -> Result<ExitCode, Failure> {
    let mut judging = Judging::new("catalog coverage", &args.reports, context);
    let read = match catalog(args, context, &mut judging) {
        Ok(Some(read)) => read,
        ended => return judging.end(ended.map(|_| ()), &[]),
    };
    let (documents, catalog) = read;
    let coverage = match measure(args, context, &catalog) {
        Ok(coverage) => coverage,
        Err(failure) => return judging.end(Err(failure), &[]),
    };
    let enough = args.min.is_none_or(|least| coverage.percent() >= least);
    let mut findings = coverage.findings(&documents);
    as_errors(&mut findings, |_| !enough);
    judging.tell(Told {
        documents: coverage.orders,
        findings,
        summary: coverage.summary(),
        own: &|format| match format {
            Format::Human => Some(coverage::human(&coverage)),
            Format::Json => Some(coverage::json(&coverage).to_string()),
            Format::Markdown => Some(coverage::markdown(&coverage)),
            Format::Sarif | Format::Junit | Format::Github => None,
        },
    })
}

/// The catalog and its documents; nothing, where it may not be used.
fn catalog(
    args: &CoverageArgs,
    context: &Context,
    judging: &mut Judging<'_>,
) -> Result<Option<(Vec<Document>, Catalog)>, Failure> {
    let settings = context.settings(Overrides {
        catalog: args.catalog.catalog.clone(),
        ..Overrides::default()
    })?;
    let Read { documents, loaded } = read(&named(settings.catalog)?)?;
    let Some(catalog) = loaded.catalog else {
        judging.count(loaded.documents as u64);
        judging.add(None, loaded.diagnostics);
        return Ok(None);
    };
    loaded.diagnostics.iter().for_each(|it| context.show(it));
    Ok(Some((documents, catalog)))
}

fn measure<'c>(
    args: &CoverageArgs,
    context: &Context,
    catalog: &'c Catalog,
) -> Result<Coverage<'c>, Failure> {
    let mut coverage = Coverage::new(catalog);
    let mut samples = Samples::default();
    if let Some(orders) = &args.orders {
        let inventory = args.inventory.as_deref();
        for file in corpus::read(orders, inventory, context)? {
            for order in &file.orders {
                coverage.order(order, file.inventory.as_deref(), args.now.now);
                samples.learn(catalog, order);
            }
        }
    }
    if let Some(folder) = &args.generate {
        let wanted = Wanted {
            pairwise: args.pairwise,
            now: args.now.now,
        };
        let valid = coverage::generate(&mut coverage, &samples, wanted);
        let faulty = coverage::faulty(catalog, &valid, args.seed, args.now.now);
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
    Ok(coverage)
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
