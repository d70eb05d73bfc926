//! `orderctl task set`.

use std::path::Path;

use orderctl::activate::hand::set::{Refusal, Setting, Underway, set};
use orderctl::chain::Chain;
use orderctl::diagnostic::human::printable;
use orderctl::document::DocumentKind;
use orderctl::journal::hand::Found;
use orderctl::journal::{Entry, Event, JournalError};
use orderctl::progress;

use super::{gone, moment, order_of, status, user};
use crate::cli::SetArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::terminal;

/// What keeps a change from being written.
enum NotSet {
    Failure(Failure),
    Refusal(Refusal),
}

impl From<JournalError> for NotSet {
    fn from(error: JournalError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<Failure> for NotSet {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Writes into the journal that a task is sent with other characteristics.
pub fn run(args: SetArgs, context: &Context) -> Result<ExitCode, Failure> {
    let SetArgs {
        task: name,
        values,
        reason,
    } = args;
    let (journal, order) = order_of(name.journal, &name.order, context)?;
    let setting = Setting {
        task: name.task,
        values,
        by: name.by.map_or_else(user, Ok)?,
        reason,
    };
    let written = orderctl::journal::hand::write(&journal, &order, |found| {
        entry((&journal, &order), found, &setting)
    });
    match written {
        Ok(Some((chain, task))) => {
            let line = format!(
                "set order {order}: {task} is sent as it is now, says {}",
                setting.by
            );
            context.say(&printable(&format!("{line}: {}", setting.reason)));
            context.say("  activate the plan again to go on with the order");
            let tasks = chain.of_kind(DocumentKind::OrchestrationPlan);
            let mut tasks = tasks.flat_map(progress::plan_tasks);
            if let Some(task) = tasks.find(|it| it.id == task)
                && !context.stdout_is_terminal
            {
                let mut output = context.stdout();
                let _gone_or_not = output.document(task.node.compact().as_bytes())?;
                let _gone_or_not = output.flush()?;
            }
            Ok(ExitCode::Done)
        }
        Ok(None) => Err(gone(order)),
        Err(NotSet::Failure(failure)) => Err(failure),
        Err(NotSet::Refusal(refusal)) => {
            let message = format!("order {order}: {refusal}");
            terminal::report_failure(&printable(&message), context.styling);
            Ok(match refusal {
                Refusal::Unknown { .. }
                | Refusal::OtherType { .. }
                | Refusal::Twice(_)
                | Refusal::Task(
                    super::Refusal::UnknownTask { .. } | super::Refusal::Ambiguous { .. },
                ) => ExitCode::Caller,
                Refusal::AtWork { .. } => ExitCode::WorkLeft,
                _ => ExitCode::NotAcceptable,
            })
        }
    }
}

/// The entry that a change comes to, and where the order stands with it.
fn entry(
    (journal, order): (&Path, &str),
    found: &Found,
    setting: &Setting,
) -> Result<(Vec<Entry>, (Chain, String)), NotSet> {
    let (_, progress) = status::standing_of(journal, order, &found.stored)?;
    let corrupt = |error: serde_json::Error| JournalError::Corrupt {
        path: journal.to_path_buf(),
        reason: format!("order {order}: its plan: {error}"),
    };
    let text = found.stored.documents.last().map_or("", String::as_str);
    let plan = serde_json::from_str(text).map_err(corrupt)?;
    let orders = status::taken_on(journal, order, &found.stored.documents)?;
    let orders: Vec<_> = orders.orders().cloned().collect();
    let underway = Underway {
        plan: &plan,
        progress: &progress,
        orders: &orders,
        at_work: found.at_work,
    };
    let (task, event) = set(underway, setting).map_err(NotSet::Refusal)?;
    let mut stored = found.stored.clone();
    if let Event::Revised(revised) = &event {
        stored.documents.clone_from(&revised.documents);
    }
    let entry = Entry {
        at: moment(&progress),
        event,
    };
    stored.entries.push(entry.clone());
    let chain = status::chain_of(journal, order, &stored)?;
    Ok((vec![entry], (chain, task)))
}
