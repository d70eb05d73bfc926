//! `orderctl validate`.

use std::path::Path;

use orderctl::chain::Chain;
use orderctl::diagnostic::json::Report;
use orderctl::journal::JournalReader;
use orderctl::project::Overrides;
use orderctl::validate::{Duplicates, OrderKey, Validation};

use super::filter::{Sink, line, rejected};
use crate::cli::{ReportFormat, ValidateArgs};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::stage::{self, Produced, Unit};

/// Passes on the documents that are valid.
pub fn run(args: &ValidateArgs, context: &Context) -> Result<ExitCode, Failure> {
    let settings = context.settings(Overrides {
        catalog: args.catalog.catalog.clone(),
        journal: args.journal.journal.clone(),
        ..Overrides::default()
    })?;
    let catalog = match &settings.catalog {
        Some(folder) => match context.catalog(folder)? {
            Ok(catalog) => Some(catalog),
            Err(code) => return Ok(code),
        },
        None => None,
    };
    let validation = Validation {
        catalog: catalog.as_ref(),
        strict: args.strict,
        now: args.now.now,
    };
    let mut sink = Sink::new(context, args.rejects.as_deref(), &args.input.files)?;
    sink.findings = (args.format == ReportFormat::Json || args.report.is_some()).then(Vec::new);
    sink.passes_on = args.format == ReportFormat::Human;
    sink.shows = args.format == ReportFormat::Human;
    let mut known = Known {
        duplicates: Duplicates::default(),
        journal: journal(&settings.journal)?,
    };
    let keeps = args.rejects.is_some();
    let ended = stage::run(
        &args.input.files,
        Unit::Document,
        args.jobs.jobs,
        &|unit| check(&validation, unit, keeps),
        &mut |mut produced| {
            known.search(&mut produced)?;
            sink.take(produced)
        },
    );
    let code = sink.finish()?;
    report(&mut sink, args, context)?;
    if args.format == ReportFormat::Human {
        sink.summarize("validate");
    }
    ended?;
    Ok(code)
}

fn check(validation: &Validation<'_>, unit: Chain, keeps: bool) -> Produced {
    let mut produced = Produced {
        documents: 1,
        ..Produced::default()
    };
    let Some(document) = unit.documents.into_iter().next() else {
        return produced;
    };
    let checked = validation.check(&document);
    produced.key = checked.order.as_deref().and_then(OrderKey::of);
    if checked.accepted {
        line(&document, &mut produced.output);
    } else {
        produced.code = Some(ExitCode::NotAcceptable);
        if keeps {
            produced.rejects = rejected(&document, &checked.diagnostics);
        }
    }
    produced.diagnostics = checked.diagnostics;
    if keeps && checked.accepted {
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

fn report(sink: &mut Sink<'_>, args: &ValidateArgs, context: &Context) -> Result<(), Failure> {
    let Some(findings) = sink.findings.take() else {
        return Ok(());
    };
    let report = Report::new(sink.documents, &findings).to_json();
    if let Some(mut file) = context.file(args.report.as_deref(), &args.input.files)? {
        let _written = file.document(report.as_bytes())?;
        let _written = file.flush()?;
    }
    if args.format == ReportFormat::Json {
        let mut stdout = context.stdout();
        let _written = stdout.document(report.as_bytes())?;
        let _written = stdout.flush()?;
    }
    Ok(())
}
