//! `orderctl task`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use orderctl::activate::hand::{self, Decision, Deed, Refusal};
use orderctl::chain::Chain;
use orderctl::diagnostic::human::printable;
use orderctl::document::DocumentKind;
use orderctl::journal::hand::Found;
use orderctl::journal::{ClockKind, Entry, JournalError, JournalReader, Progress};
use orderctl::model::state::TaskState;
use orderctl::plan::flow::OrchestrationPlan;
use orderctl::progress;
use orderctl::project::Overrides;
use orderctl::status::Standing;
use orderctl::status::blocking::Known;
use orderctl::status::table::{self, Detail};

use super::status;
use crate::cli::{
    DeedArgs, JournalArgs, ListArgs, OutputFormat, ReasonedDeedArgs, TaskArgs, TaskCommand,
    TaskName,
};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::terminal::{self, Delivery};

mod set;

/// Writes what a person has done or decided into the journal.
pub fn run(args: TaskArgs, context: &Context) -> Result<ExitCode, Failure> {
    match args.deed {
        TaskCommand::Complete(DeedArgs { task, reason }) => {
            decide(Deed::Complete, task, reason, context)
        }
        TaskCommand::Release(DeedArgs { task, reason }) => {
            decide(Deed::Release, task, reason, context)
        }
        TaskCommand::Fail(ReasonedDeedArgs { task, reason }) => {
            decide(Deed::Fail, task, Some(reason), context)
        }
        TaskCommand::Skip(ReasonedDeedArgs { task, reason }) => {
            decide(Deed::Skip, task, Some(reason), context)
        }
        TaskCommand::Retry(ReasonedDeedArgs { task, reason }) => {
            decide(Deed::Retry, task, Some(reason), context)
        }
        TaskCommand::Set(args) => set::run(args, context),
        TaskCommand::List(args) => list(args, context),
    }
}

/// Shows the tasks of an order.
fn list(args: ListArgs, context: &Context) -> Result<ExitCode, Failure> {
    let named = args.journal.journal.as_ref();
    let named = named.map(|path| path.display().to_string());
    let journal = journal_of(args.journal, context)?;
    let reader = JournalReader::open(&journal)?;
    let nowhere = not_there(&journal);
    let (order, stored, run) = status::find_at_work(&reader, &args.order, &nowhere)?;
    let (chain, progress) = status::standing_of(&journal, &order, &stored)?;
    let usual = if context.stdout_is_terminal {
        OutputFormat::Table
    } else {
        OutputFormat::Json
    };
    match args.output.unwrap_or(usual) {
        OutputFormat::Json => {
            let mut output = context.stdout();
            let tasks = chain.of_kind(DocumentKind::OrchestrationPlan);
            for task in tasks.flat_map(progress::plan_tasks) {
                if args.all || task.state != TaskState::Completed {
                    let written = output.document(task.node.compact().as_bytes())?;
                    if written == Delivery::Closed {
                        break;
                    }
                }
            }
            let _gone_or_not = output.flush()?;
        }
        OutputFormat::Table => {
            let detail = if args.all {
                Detail::All
            } else {
                Detail::Folded
            };
            let known = Known {
                progress: Some(&progress),
                journal: named.as_deref(),
                run: Some(&run),
            };
            if let Some(standing) = Standing::with(&chain, known) {
                let (width, styling) = (status::width(), context.stdout_styling());
                let mut text = table::tasks(&standing, width, styling, detail);
                text.push_str(&table::run(standing.run.as_ref()));
                text.push_str(&table::blocking(&standing.blocking, &order));
                context.write_text(text.as_bytes())?;
            }
        }
    }
    Ok(ExitCode::Done)
}

pub fn journal_of(args: JournalArgs, context: &Context) -> Result<PathBuf, Failure> {
    let settings = context.settings(Overrides {
        journal: args.journal,
        ..Overrides::default()
    })?;
    Ok(settings.journal)
}

/// The journal, and the id in it of an order that is named.
fn order_of(
    journal: JournalArgs,
    name: &str,
    context: &Context,
) -> Result<(PathBuf, String), Failure> {
    let journal = journal_of(journal, context)?;
    let reader = JournalReader::open(&journal)?;
    let (order, _) = status::find_order(&reader, name, &not_there(&journal))?;
    Ok((journal, order))
}

/// An order that was there a moment ago.
fn gone(order: String) -> Failure {
    Failure::UnknownName {
        kind: "order",
        name: order,
        advice: "it is not in the journal any more".to_owned(),
    }
}

/// What keeps a decision from being written.
enum NotDecided {
    Failure(Failure),
    Refusal(Refusal),
}

impl From<JournalError> for NotDecided {
    fn from(error: JournalError) -> Self {
        Self::Failure(error.into())
    }
}

/// What was decided.
struct Decided {
    /// The order and its plan as they stand now.
    chain: Chain,
    /// Id of the task.
    task: String,
    /// How many tasks are given up with it.
    given_up: usize,
    /// The process that is at work on the order.
    at_work: Option<u32>,
    has_ended: bool,
}

fn decide(
    deed: Deed,
    name: TaskName,
    reason: Option<String>,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let (journal, order) = order_of(name.journal, &name.order, context)?;
    let decision = Decision {
        task: name.task,
        deed,
        by: name.by.map_or_else(user, Ok)?,
        reason,
    };
    let written = orderctl::journal::hand::write(&journal, &order, |found| {
        entry(&journal, &order, found, &decision)
    });
    match written {
        Ok(Some(decided)) => tell(&order, &decision, &decided, context),
        Ok(None) => Err(gone(order)),
        Err(NotDecided::Failure(failure)) => Err(failure),
        Err(NotDecided::Refusal(refusal)) => {
            let message = format!("order {order}: {refusal}");
            terminal::report_failure(&printable(&message), context.styling);
            Ok(match refusal {
                Refusal::UnknownTask { .. } | Refusal::Ambiguous { .. } => ExitCode::Caller,
                _ => ExitCode::NotAcceptable,
            })
        }
    }
}

pub fn not_there(journal: &Path) -> String {
    format!("it is not in the journal {}", journal.display())
}

/// Who runs this, as the system calls them.
fn user() -> Result<String, Failure> {
    ["USER", "LOGNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.trim().is_empty())
        .ok_or(Failure::Nobody)
}

/// The entry that a decision comes to, and where the order stands with it.
fn entry(
    journal: &Path,
    order: &str,
    found: &Found,
    decision: &Decision,
) -> Result<(Vec<Entry>, Decided), NotDecided> {
    let corrupt = |reason: String| {
        NotDecided::from(JournalError::Corrupt {
            path: journal.to_path_buf(),
            reason: format!("order {order}: {reason}"),
        })
    };
    let text = found.stored.documents.last().map_or("", String::as_str);
    let plan: OrchestrationPlan =
        serde_json::from_str(text).map_err(|error| corrupt(format!("its plan: {error}")))?;
    let entries = &found.stored.entries;
    let mut progress =
        Progress::replay(&plan, entries).map_err(|error| corrupt(error.to_string()))?;
    let event =
        hand::decide(&plan, &progress, decision, found.at_work).map_err(NotDecided::Refusal)?;
    let task = event.task().unwrap_or_default().to_owned();
    let at = moment(&progress);
    let entry = Entry { at, event };
    let ended = progress
        .apply(&entry)
        .map_err(|error| corrupt(error.to_string()))?;
    let mut stored = found.stored.clone();
    stored.entries.push(entry.clone());
    let chain = status::chain_of(journal, order, &stored).map_err(NotDecided::Failure)?;
    let decided = Decided {
        chain,
        task,
        given_up: ended.len().saturating_sub(1),
        at_work: found.at_work,
        has_ended: progress.has_ended(),
    };
    Ok((vec![entry], decided))
}

/// When a decision about an order is taken: in a rehearsal, at the time of the rehearsal.
fn moment(progress: &Progress) -> Timestamp {
    let last = progress.changed_at().unwrap_or_default();
    match progress.clock() {
        ClockKind::System => now().max(last),
        ClockKind::Virtual => last,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "here the moment of a decision is taken"
)]
fn now() -> Timestamp {
    let now = Timestamp::now();
    // As the journal keeps it.
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// Says what was written and what comes next, and writes the task.
fn tell(
    order: &str,
    decision: &Decision,
    decided: &Decided,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let tasks = decided.chain.of_kind(DocumentKind::OrchestrationPlan);
    let found = tasks
        .flat_map(progress::plan_tasks)
        .find(|task| task.id == decided.task);
    let Some(task) = found else {
        return Ok(ExitCode::Done);
    };
    let told = match (decision.deed, &decision.reason) {
        (Deed::Retry, Some(why)) => format!("is to be tried again, says {}: {why}", decision.by),
        _ => task.reason.as_deref().unwrap_or_default().to_owned(),
    };
    let mut line = format!("order {order}: {} {told}", decided.task);
    match decided.given_up {
        0 => {}
        1 => line.push_str("; 1 task that needs it is given up"),
        more => {
            let _ = write!(line, "; {more} tasks that need it are given up");
        }
    }
    let next = match decided.at_work {
        _ if decided.has_ended => {
            "it was the last one: activate the plan again to end the order".to_owned()
        }
        Some(pid) => format!("process {pid} goes on with the order"),
        None => "activate the plan again to go on with the order".to_owned(),
    };
    context.say(&printable(&format!("{} {line}", decision.deed)));
    context.say(&printable(&format!("  {next}")));
    if !context.stdout_is_terminal {
        let mut output = context.stdout();
        let _gone_or_not = output.document(task.node.compact().as_bytes())?;
        let _gone_or_not = output.flush()?;
    }
    Ok(ExitCode::Done)
}
