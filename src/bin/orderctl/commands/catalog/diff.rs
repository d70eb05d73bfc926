//! `orderctl catalog diff`.

use orderctl::comparison::{self, Comparison};

use super::revision;
use crate::cli::{DiffArgs, DiffFormat, ExitWhen};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Writes what is different between two catalogs.
pub fn run(args: &DiffArgs, context: &Context) -> Result<ExitCode, Failure> {
    let (old, new) = (
        revision::documents(&args.old)?,
        revision::documents(&args.new)?,
    );
    let comparison = Comparison::of(&old, &new);
    match args.format {
        DiffFormat::Human => context.write_text(comparison::human(&comparison).as_bytes())?,
        DiffFormat::Markdown => context.write_text(comparison::markdown(&comparison).as_bytes())?,
        DiffFormat::Json => {
            let text = comparison::json(&comparison).to_string();
            let mut stdout = context.stdout();
            let _closed_or_not = stdout.document(text.as_bytes())?;
            let _closed_or_not = stdout.flush()?;
        }
    }
    context.say(&format!("catalog diff: {}", comparison.summary()));
    let found = match args.exit_code {
        None => false,
        Some(ExitWhen::Any) => !comparison.documents.is_empty(),
        Some(ExitWhen::Breaking) => comparison.breaking() > 0,
    };
    Ok(if found {
        ExitCode::NotAcceptable
    } else {
        ExitCode::Done
    })
}
