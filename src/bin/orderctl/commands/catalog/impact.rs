//! `orderctl catalog impact`.

use std::path::Path;

use orderctl::catalog::{self, Catalog};
use orderctl::comparison::Comparison;
use orderctl::document::Document;
use orderctl::impact::{self, Catalogs, Impact, Origin, Trial};
use orderctl::inventory::Inventory;
use orderctl::journal::JournalReader;

use super::{corpus, revision};
use crate::cli::{DiffFormat, ImpactArgs};
use crate::commands::status;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Writes what comes of orders differently under another catalog.
pub fn run(args: &ImpactArgs, context: &Context) -> Result<ExitCode, Failure> {
    let (before, now) = (
        revision::documents(&args.old)?,
        revision::documents(&args.new)?,
    );
    let comparison = Comparison::of(&before, &now);
    let (Some(old), Some(new)) = (
        load(&args.old, &before, context),
        load(&args.new, &now, context),
    ) else {
        return Ok(ExitCode::NotAcceptable);
    };
    let catalogs = Catalogs {
        old: &old,
        new: &new,
        comparison: &comparison,
    };
    let impact = trial(args, context, catalogs)?;
    match args.format {
        DiffFormat::Human => {
            context.write_text(impact::human(&impact, &comparison).as_bytes())?;
        }
        DiffFormat::Markdown => {
            context.write_text(impact::markdown(&impact, &comparison).as_bytes())?;
        }
        DiffFormat::Json => {
            let text = impact::json(&impact, &comparison).to_string();
            let mut stdout = context.stdout();
            let _closed_or_not = stdout.document(text.as_bytes())?;
            let _closed_or_not = stdout.flush()?;
        }
    }
    context.say(&format!("catalog impact: {}", impact.summary()));
    Ok(if args.exit_code && impact.different > 0 {
        ExitCode::NotAcceptable
    } else {
        ExitCode::Done
    })
}

/// A catalog that may be used; what is wrong with one that may not be is told.
fn load(named: &str, documents: &[Document], context: &Context) -> Option<Catalog> {
    let loaded = catalog::load_documents(documents);
    if loaded.catalog.is_none() {
        context.show_catalog(Path::new(named), &loaded);
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
