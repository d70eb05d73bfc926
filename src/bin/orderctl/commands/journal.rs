//! `orderctl journal`.

use orderctl::diagnostic::human::printable;
use orderctl::journal::JournalReader;
use orderctl::journal::export::{self, Documents};
use orderctl::journal::verify::{self, Verification};
use orderctl::plan::count_for_people;

use super::status;
use super::task::{journal_of, not_there};
use crate::cli::{
    JournalCommand, JournalCommandArgs, JournalExportArgs, JournalVerifyArgs, OutputFormat,
};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::terminal::{self, Delivery};

/// Looks through the journal.
pub fn run(args: JournalCommandArgs, context: &Context) -> Result<ExitCode, Failure> {
    match args.command {
        JournalCommand::Verify(args) => verify(args, context),
        JournalCommand::Export(args) => export(args, context),
    }
}

fn verify(args: JournalVerifyArgs, context: &Context) -> Result<ExitCode, Failure> {
    let journal = journal_of(args.journal, context)?;
    let reader = JournalReader::open(&journal)?;
    let found = verify::verify(&reader)?;
    let name = journal.display().to_string();
    for finding in &found.findings {
        terminal::report_failure(&printable(&finding.to_string()), context.styling);
    }
    let usual = if context.stdout_is_terminal {
        OutputFormat::Table
    } else {
        OutputFormat::Json
    };
    match args.output.unwrap_or(usual) {
        OutputFormat::Json => {
            let mut output = context.stdout();
            let _gone_or_not = output.document(found.line(&name).as_bytes())?;
            let _gone_or_not = output.flush()?;
        }
        OutputFormat::Table => {
            context.write_text(format!("{}\n", summary(&name, &found)).as_bytes())?;
        }
    }
    Ok(if found.findings.is_empty() {
        ExitCode::Done
    } else {
        ExitCode::NotAcceptable
    })
}

/// `journal .orderctl/journal.db: 3 orders, 57 entries, as they were written`
fn summary(name: &str, found: &Verification) -> String {
    let number = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{} {many}", count_for_people(count)),
    };
    let entries = usize::try_from(found.entries).unwrap_or(usize::MAX);
    let orders = number(found.orders, "order", "orders");
    let entries = number(entries, "entry", "entries");
    let verdict = match found.findings.len() {
        0 if found.sealed => "as they were written".to_owned(),
        0 => format!(
            "sound as far as can be seen: schema {} has no hashes; whoever writes the journal next \
             brings it up to date",
            found.schema
        ),
        count => number(count, "fault", "faults"),
    };
    format!("journal {name}: {orders}, {entries}, {verdict}")
}

fn export(args: JournalExportArgs, context: &Context) -> Result<ExitCode, Failure> {
    let journal = journal_of(args.journal, context)?;
    let reader = JournalReader::open(&journal)?;
    let documents = if args.documents {
        Documents::Included
    } else {
        Documents::Left
    };
    let orders = if args.orders.is_empty() {
        reader.order_ids()?
    } else {
        let find = |name: &String| status::find_id(&reader, name, &not_there(&journal));
        args.orders.iter().map(find).collect::<Result<_, _>>()?
    };
    let mut output = context.stdout();
    'orders: for order in orders {
        for line in export::lines(&reader, &order, documents)? {
            if output.document(line.as_bytes())? == Delivery::Closed {
                break 'orders;
            }
        }
    }
    let _gone_or_not = output.flush()?;
    Ok(ExitCode::Done)
}
