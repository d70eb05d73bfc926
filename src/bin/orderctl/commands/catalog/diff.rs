//! `orderctl catalog diff`.

use orderctl::comparison::{self, CODE_BREAKING, Comparison};
use orderctl::diagnostic::format::Format;

use super::judged::{Judging, Told, as_errors};
use super::revision;
use crate::cli::{DiffArgs, ExitWhen};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Writes what is different between two catalogs.
pub fn run(args: &DiffArgs, context: &Context) -> Result<ExitCode, Failure> {
    let judging = Judging::new("catalog diff", &args.reports, context);
    let (comparison, documents) = match compare(args) {
        Ok(compared) => compared,
        Err(failure) => return judging.end(Err(failure), &[]),
    };
    let mut findings = comparison::findings(&comparison);
    as_errors(&mut findings, |it| match args.exit_code {
        None => false,
        Some(ExitWhen::Any) => true,
        Some(ExitWhen::Breaking) => it.code == CODE_BREAKING,
    });
    judging.tell(Told {
        documents,
        findings,
        summary: comparison.summary(),
        own: &|format| match format {
            Format::Human => Some(comparison::human(&comparison)),
            Format::Json => Some(comparison::json(&comparison).to_string()),
            Format::Markdown => Some(comparison::markdown(&comparison)),
            Format::Sarif | Format::Junit | Format::Github => None,
        },
    })
}

fn compare(args: &DiffArgs) -> Result<(Comparison, u64), Failure> {
    let (old, new) = (
        revision::documents(&args.old)?,
        revision::documents(&args.new)?,
    );
    Ok((Comparison::of(&old, &new), new.len() as u64))
}
