//! `orderctl catalog impact`.

use orderctl::catalog::{self, Catalog};
use orderctl::comparison::Comparison;
use orderctl::diagnostic::format::Format;
use orderctl::document::Document;
use orderctl::impact::{self, Catalogs, Impact, Origin, Trial};
use orderctl::inventory::Inventory;
use orderctl::journal::JournalReader;

use super::judged::{Judging, Told, as_errors};
use super::{corpus, revision};
use crate::cli::ImpactArgs;
use crate::commands::status;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Writes what comes of orders differently under another catalog.
pub fn run(args: &ImpactArgs, context: &Context) -> Result<ExitCode, Failure> {
    let mut judging = Judging::new("catalog impact", &args.reports, context);
    let (comparison, impact) = match compare(args, context, &mut judging) {
        Ok(Some(compared)) => compared,
        ended => return judging.end(ended.map(|_| ()), &[]),
    };
    let mut findings = impact::findings(&impact, &comparison);
    as_errors(&mut findings, |_| args.exit_code);
    judging.tell(Told {
        documents: impact.orders as u64,
        findings,
        summary: impact.summary(),
        own: &|format| match format {
            Format::Human => Some(impact::human(&impact, &comparison)),
            Format::Json => Some(impact::json(&impact, &comparison).to_string()),
            Format::Markdown => Some(impact::markdown(&impact, &comparison)),
            Format::Sarif | Format::Junit | Format::Github => None,
        },
    })
}

/// What is different, and what that does; nothing, where one of the catalogs cannot be used.
fn compare(
    args: &ImpactArgs,
    context: &Context,
    judging: &mut Judging<'_>,
) -> Result<Option<(Comparison, Impact)>, Failure> {
    let (before, now) = (
        revision::documents(&args.old)?,
        revision::documents(&args.new)?,
    );
    let comparison = Comparison::of(&before, &now);
    let (old, new) = (load(&before, judging), load(&now, judging));
    let (Some(old), Some(new)) = (old, new) else {
        return Ok(None);
    };
    let catalogs = Catalogs {
        old: &old,
        new: &new,
        comparison: &comparison,
        documents: [&before, &now],
    };
    let impact = trial(args, context, catalogs)?;
    Ok(Some((comparison, impact)))
}

/// A catalog that may be used; what is wrong with one that may not be is told.
fn load(documents: &[Document], judging: &mut Judging<'_>) -> Option<Catalog> {
    let loaded = catalog::load_documents(documents);
    if loaded.catalog.is_none() {
        judging.count(loaded.documents as u64);
        judging.add(None, loaded.diagnostics);
    }
    loaded.catalog
}

fn trial(args: &ImpactArgs, context: &Context, catalogs: Catalogs<'_>) -> Result<Impact, Failure> {
    let mut trial = Trial::new(catalogs, args.now.now);
    let inventory = args.inventory.as_deref();
    let installed: Option<Inventory> = inventory.map(|it| context.inventory(it)).transpose()?;
    if let Some(orders) = &args.orders {
        for file in corpus::read(orders, inventory, context)? {
            let origin = Origin::Corpus(file.name());
            for order in &file.orders {
                trial.order(order, file.inventory.as_deref(), &origin);
            }
        }
    }
    if let Some(installed) = &installed {
        for order in impact::orders_of_installed(installed) {
            trial.order(&order, None, &Origin::Installed);
        }
    }
    if let Some(journal) = &args.journal {
        let reader = JournalReader::open(journal)?;
        for summary in reader.orders()? {
            let Some(stored) = reader.order(&summary.order_id)? else {
                continue;
            };
            let chain = status::chain_of(journal, &summary.order_id, &stored)?;
            let root = chain.orders().next().filter(|_| chain.ended().is_none());
            if let Some(order) = root {
                trial.order(order, installed.as_ref(), &Origin::InFlight);
            }
        }
    }
    Ok(trial.finish())
}
