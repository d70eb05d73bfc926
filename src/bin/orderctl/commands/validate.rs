//! `orderctl validate`.

use std::path::Path;

use orderctl::catalog::Catalog;
use orderctl::chain::Chain;
use orderctl::diagnostic::format::Format;
use orderctl::diagnostic::report::Subject;
use orderctl::document::{Document, DocumentKind};
use orderctl::journal::JournalReader;
use orderctl::project::Overrides;
use orderctl::validate::{Duplicates, OrderKey, Validation};

use super::configured;
use super::filter::{Sink, rejected};
use crate::cli::ValidateArgs;
use crate::context::{self, Context};
use crate::exit::{ExitCode, Failure};
use crate::report::Reporting;
use crate::stage::{self, Input, Produced, Unit};

/// Passes on the documents that are valid; reports what was found, however the run ends.
pub fn run(args: &ValidateArgs, context: &Context) -> Result<ExitCode, Failure> {
    let mut reporting = Reporting::new("validate", &args.reports);
    let ended = judge(args, context, &mut reporting);
    let mut written = Ok(());
    if let Some(mut reporting) = reporting {
        if let Err(failure) = &ended {
            reporting.fail(failure);
        }
        written = reporting.write(context, &args.input.files);
    }
    let code = ended?;
    written?;
    Ok(code)
}

fn judge<'a>(
    args: &'a ValidateArgs,
    context: &'a Context,
    reporting: &mut Option<Reporting<'a>>,
) -> Result<ExitCode, Failure> {
    args.inventory.is_there()?;
    let settings = context.settings(Overrides {
        catalog: args.catalog.catalog.clone(),
        inventory: args.inventory.inventory.clone(),
        journal: args.journal.journal.clone(),
        ..Overrides::default()
    })?;
    let filters = args.reports.format == Format::Human;
    let (streams, others) = configured::divide(&args.input.files);
    // Folders and files of settings are judged for themselves, and the catalog may be among them.
    let needed = others.is_empty() || !streams.is_empty();
    let input = needed.then(|| Input::ahead(&streams));
    let catalog = match settings.catalog.as_ref().filter(|_| needed) {
        Some(folder) => match catalog(folder, filters, context, reporting)? {
            Some(catalog) => Some(catalog),
            None => return Ok(ExitCode::NotAcceptable),
        },
        None => None,
    };
    // Nothing else is judged by what is installed.
    let judges = |catalog: &&Catalog| catalog.has_constraints() || catalog.has_relations();
    let inventory = match catalog.as_ref().filter(judges).and(settings.inventory) {
        Some(path) => Some(context.inventory(&path)?),
        None => None,
    };
    let validation = Validation {
        catalog: catalog.as_ref(),
        inventory: inventory.as_ref(),
        strict: args.strict,
        now: args.now.now,
    };
    let mut sink = Sink::new(context, args.rejects.as_deref(), &args.input.files)?;
    let mut known = Known {
        duplicates: Duplicates::default(),
        journal: journal(&settings.journal)?,
    };
    let keeps = Keeps {
        orders: args.rejects.is_some(),
        subjects: reporting.is_some(),
    };
    sink.reporting = reporting.take();
    sink.passes_on = filters;
    sink.shows = filters;
    let mut ended = others.iter().try_for_each(|path| {
        let produced = configured::check(path, args.strict)?;
        sink.take(produced).map(|_flow| ())
    });
    if let Some(input) = input.filter(|_| ended.is_ok()) {
        ended = stage::run(
            input,
            Unit::Document,
            args.jobs.jobs,
            &|unit| check(&validation, unit, keeps),
            &mut |mut produced| {
                known.search(&mut produced)?;
                sink.take(produced)
            },
        );
    }
    let code = sink.finish();
    if filters {
        sink.summarize("validate");
    }
    *reporting = sink.reporting.take();
    ended?;
    code
}

/// The catalog, if it may be used.
fn catalog(
    folder: &Path,
    shows: bool,
    context: &Context,
    reporting: &mut Option<Reporting<'_>>,
) -> Result<Option<Catalog>, Failure> {
    let loaded = context::load_catalog(folder)?;
    if shows {
        context.show_catalog(folder, &loaded);
    }
    if let Some(reporting) = reporting {
        reporting.add(None, loaded.diagnostics);
    }
    Ok(loaded.catalog)
}

/// What is kept of a document for later.
#[derive(Debug, Clone, Copy)]
struct Keeps {
    /// Orders, for `--rejects`.
    orders: bool,
    /// What documents are called, for reports.
    subjects: bool,
}

fn check(validation: &Validation<'_>, unit: Chain, keeps: Keeps) -> Produced {
    let mut produced = Produced {
        documents: 1,
        ..Produced::default()
    };
    let Some(document) = unit.documents.into_iter().next() else {
        return produced;
    };
    if keeps.subjects {
        produced.subject = Some(subject(&document));
    }
    let checked = validation.inspect(&document);
    produced.key = checked.order.as_deref().and_then(OrderKey::of);
    if checked.accepted {
        produced.output.document(&document);
    } else {
        produced.code = Some(ExitCode::NotAcceptable);
        if keeps.orders {
            produced.rejects = rejected(&document, &checked.diagnostics);
        }
    }
    produced.diagnostics = checked.diagnostics;
    if keeps.orders && checked.accepted {
        produced.order = Some(document);
    }
    produced
}

/// What orders are compared with, in their sequence.
struct Known {
    duplicates: Duplicates,
    journal: Option<JournalReader>,
}

impl Known {
    /// Rejects an order that is there already.
    fn search(&mut self, produced: &mut Produced) -> Result<(), Failure> {
        let Some(key) = &produced.key else {
            return Ok(());
        };
        let mut finding = self.duplicates.note(key);
        if let Some(journal) = &self.journal
            && let Some(order) = journal.find_external_id(&key.external_id)?
            && key.id.as_ref() != Some(&order)
            && key.type_name == "ProductOrder"
        {
            finding = finding.or(Some(
                key.duplicate(&format!("was activated already, as order {order}")),
            ));
        }
        let Some(finding) = finding else {
            return Ok(());
        };
        produced.output.clear();
        produced.code = Some(ExitCode::NotAcceptable);
        produced.diagnostics.push(finding);
        if let Some(order) = &produced.order {
            produced.rejects = rejected(order, &produced.diagnostics);
        }
        Ok(())
    }
}

/// The journal, if there is one already.
fn journal(path: &Path) -> Result<Option<JournalReader>, Failure> {
    if path.exists() {
        Ok(Some(JournalReader::open(path)?))
    } else {
        Ok(None)
    }
}

/// A document as reports name it: its kind, and its id if it has one.
fn subject(document: &Document) -> Subject {
    let root = document.root();
    let kind = DocumentKind::of(document).name();
    let name = match root.text("id") {
        Some(id) if !id.is_empty() => format!("{kind} {id}"),
        _ => kind.to_owned(),
    };
    Subject {
        name,
        location: root.location(),
        diagnostics: 0..0,
    }
}
