//! `orderctl catalog test`.

use std::fs;
use std::path::Path;

use orderctl::catalog::Catalog;
use orderctl::diagnostic::report::{Subject, counted};
use orderctl::document::{Document, DocumentKind, SourceFile, StreamError};
use orderctl::project::Overrides;
use orderctl::rehearsal::{self, ExpectedError, Outcome, Rehearsal};

use super::corpus::{self, OrderFile};
use super::judged::{Judging, named, sound};
use crate::cli::TestArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::terminal::OutputError;

/// Rehearses the orders of a folder and compares what comes of them with what is expected.
pub fn run(args: &TestArgs, context: &Context) -> Result<ExitCode, Failure> {
    let mut judging = Judging::new("catalog test", &args.reports, context);
    let ended = test(args, context, &mut judging);
    judging.end(ended, &[])
}

fn test(args: &TestArgs, context: &Context, judging: &mut Judging<'_>) -> Result<(), Failure> {
    let settings = context.settings(Overrides {
        catalog: args.catalog.catalog.clone(),
        ..Overrides::default()
    })?;
    let Some(catalog) = sound(&named(settings.catalog)?, judging)? else {
        return Ok(());
    };
    let inventory = args.inventory.as_deref();
    let mut updated = 0;
    for file in corpus::read(&args.folder, inventory, context)? {
        let expected = match expected(&file) {
            // What cannot be read is written anew.
            Err(Failure::Expected(_)) if args.update => Vec::new(),
            expected => expected?,
        };
        let mut case = Case {
            args,
            catalog: &catalog,
            file: &file,
            expected,
        };
        updated += u64::from(case.judge(judging)?);
    }
    if args.update {
        let files = counted(updated, "file");
        context.say(&format!("catalog test: {files} of expectations written"));
    }
    Ok(())
}

/// A file of orders and what is expected of them.
struct Case<'t> {
    args: &'t TestArgs,
    catalog: &'t Catalog,
    file: &'t OrderFile,
    expected: Vec<(Document, Outcome)>,
}

impl Case<'_> {
    /// Judges the orders of the file; whether expectations were written.
    fn judge(&mut self, judging: &mut Judging<'_>) -> Result<bool, Failure> {
        let rehearsal = Rehearsal {
            catalog: self.catalog,
            inventory: self.file.inventory.as_deref(),
            now: self.args.now.now,
            explain: false,
        };
        let name = self.file.name();
        let (mut outcomes, mut wanted) = (Vec::new(), false);
        for order in &self.file.orders {
            let outcome = Outcome::of(&rehearsal.rehearse(order));
            let known = self
                .expected
                .iter()
                .position(|(_, it)| it.order == outcome.order);
            let known = known.map(|position| self.expected.remove(position));
            let matches = |text: &String| name.contains(text) || outcome.order.contains(text);
            if self.args.filter.is_empty() || self.args.filter.iter().any(matches) {
                wanted = true;
                judging.count(1);
                if !self.args.update {
                    let expected = known.as_ref().map(|(_, it)| it);
                    let found = rehearsal::judge(order, &outcome, expected);
                    judging.add(Some(subject(order, &outcome)), found);
                }
                outcomes.push(outcome);
            } else {
                outcomes.extend(known.map(|(_, outcome)| outcome));
            }
        }
        if !self.args.update {
            if self.args.filter.is_empty() {
                for (document, outcome) in &self.expected {
                    let found = rehearsal::left_over(outcome, document.root().location());
                    judging.add(None, vec![found]);
                }
            }
            return Ok(false);
        }
        if wanted {
            return write(&self.file.expected(), &outcomes);
        }
        Ok(false)
    }
}

fn subject(order: &Document, outcome: &Outcome) -> Subject {
    Subject {
        name: format!("{} {}", DocumentKind::of(order).name(), outcome.order),
        location: order.root().location(),
        diagnostics: 0..0,
    }
}

/// What is expected of the orders of a file, if anything is.
fn expected(file: &OrderFile) -> Result<Vec<(Document, Outcome)>, Failure> {
    let path = file.expected();
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let name = path.display().to_string();
    let bytes = fs::read(&path).map_err(|source| StreamError::Read {
        file: name.clone(),
        source,
    })?;
    let source = SourceFile {
        name,
        yaml: false,
        bytes,
    };
    let read = |document: Document| {
        let outcome = rehearsal::read(&document)?;
        Ok((document, outcome))
    };
    let documents = source.json_documents()?.into_iter();
    let read: Result<Vec<_>, ExpectedError> = documents.map(read).collect();
    read.map_err(Failure::Expected)
}

/// Writes what is expected, if that changes the file.
fn write(path: &Path, outcomes: &[Outcome]) -> Result<bool, Failure> {
    let text: String = outcomes.iter().map(rehearsal::write).collect();
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return Ok(false);
    }
    let name = path.display().to_string();
    fs::write(path, text).map_err(|error| OutputError::new(&name, error))?;
    Ok(true)
}
