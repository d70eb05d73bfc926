//! `orderctl status`.
//!
//! Exit code 0 whenever it could be shown where the orders stand, wherever
//! that is: held or failed orders are an answer, not an error.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use orderctl::chain::Chain;
use orderctl::diagnostic::suggestion;
use orderctl::document::{Document, DocumentKind};
use orderctl::journal::{JournalError, JournalReader, Progress, StoredOrder, find};
use orderctl::progress::{self, TaskStanding};
use orderctl::project::Overrides;
use orderctl::status::blocking::Known;
use orderctl::status::select::Selection;
use orderctl::status::table::Detail;
use orderctl::status::{Listed, RunStanding, Standing, json, table};

use super::watch::{self, Patience};
use crate::cli::{OutputFormat, SelectArgs, StatusArgs};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::stage::{self, Flow};
use crate::terminal::{Delivery, Output, OutputError, StandardOutput};

/// Most orders of a stream that are shown as trees; more become a list.
const TREES: usize = 10;

/// Orders in one table of a list; a longer list is several tables.
const ROWS: usize = 500;

/// Shows the orders of files, of standard input, or of the journal.
pub fn run(args: StatusArgs, context: &Context) -> Result<ExitCode, Failure> {
    let file = args.journal.journal.clone();
    let journal = context
        .settings(Overrides {
            journal: args.journal.journal,
            ..Overrides::default()
        })?
        .journal;
    let mut view = View::new(context, args.output);
    if args.all {
        view.detail = Detail::All;
    }
    view.selection = selection(args.select);
    view.is_list = args.list;
    view.tells_more = true;
    view.journal = file.map(|path| path.display().to_string());
    let patience = Patience::new(args.watch.timeout);
    let mut subjects = args.subjects;
    let name = |subject: &PathBuf| subject.to_string_lossy().into_owned();
    let names: Vec<String> = subjects.iter().map(name).collect();
    let place = (&*journal, &patience);
    if args.watch.follow {
        return watch::follow(&names, view.format, place, context);
    }
    let code = match &args.watch.condition {
        Some(condition) => {
            let code = watch::wait(&names, condition, place, context)?;
            // Those that never came have been told.
            subjects.retain(|subject| is_known(&journal, &name(subject)));
            if subjects.is_empty() {
                return Ok(code);
            }
            code
        }
        None => ExitCode::Done,
    };
    let shown = match &subjects[..] {
        [] if io::stdin().is_terminal() => show_journal(&journal, &mut view),
        // Scripts without a pipe before them (cron, CI) have an empty standard input.
        [] => match show_stream(&[PathBuf::from("-")], &mut view) {
            Err(Failure::NoDocument { .. }) => show_journal(&journal, &mut view),
            shown => shown,
        },
        subjects => show_subjects(subjects, &journal, &mut view),
    };
    // What was read before an error is shown all the same.
    view.finish()?;
    shown?;
    Ok(code)
}

fn is_known(journal: &Path, name: &str) -> bool {
    JournalReader::open(journal).is_ok_and(|reader| find_id(&reader, name, "").is_ok())
}

/// What is asked for. Ages are counted from the moment given, else from now.
fn selection(args: SelectArgs) -> Selection {
    let is_aged = args.older_than.is_some() || args.idle.is_some();
    let now = is_aged.then(|| args.now.unwrap_or_else(now));
    let ago = |time: Option<Duration>| Some(now?.saturating_sub(time?).unwrap_or(Timestamp::MIN));
    Selection {
        states: args.state,
        customer: args.customer,
        error: args.error,
        taken_on_by: ago(args.older_than),
        unchanged_since: ago(args.idle),
    }
}

#[expect(clippy::disallowed_methods, reason = "here ages are counted from")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Files in one go, so that a stream may be spread over several; orders of the journal one by one.
fn show_subjects(subjects: &[PathBuf], journal: &Path, view: &mut View) -> Result<(), Failure> {
    let is_file = |subject: &PathBuf| subject.as_os_str() == "-" || subject.exists();
    let mut reader = None;
    for group in subjects.chunk_by(|a, b| is_file(a) && is_file(b)) {
        if is_file(&group[0]) {
            show_stream(group, view)?;
            continue;
        }
        for subject in group {
            let name = subject.to_string_lossy();
            let reader = match &reader {
                Some(reader) => reader,
                None => reader.insert(open_for(&name, journal)?),
            };
            let nowhere = format!(
                "it is neither a file nor in the journal {}",
                journal.display()
            );
            let (id, stored, run) = find_at_work(reader, &name, &nowhere)?;
            let (chain, progress) = standing_of(journal, &id, &stored)?;
            view.show_known(&chain, Some((&progress, &run)))?;
        }
    }
    Ok(())
}

/// The journal that is asked for an order; without one, the order is what is unknown.
fn open_for(name: &str, journal: &Path) -> Result<JournalReader, Failure> {
    JournalReader::open(journal).map_err(|error| match error {
        JournalError::NotFound { path } => Failure::UnknownName {
            kind: "order",
            name: name.to_owned(),
            advice: format!(
                "there is no such file, and no journal at {}",
                path.display()
            ),
        },
        error => error.into(),
    })
}

/// An order by its id, else by its external id; `otherwise` says what to make of it where there is
/// nothing like it.
pub fn find_order(
    reader: &JournalReader,
    name: &str,
    otherwise: &str,
) -> Result<(String, StoredOrder), Failure> {
    let (id, stored, _) = find_at_work(reader, name, otherwise)?;
    Ok((id, stored))
}

/// [`find_order`], and whether a run is at work on it.
pub fn find_at_work(
    reader: &JournalReader,
    name: &str,
    otherwise: &str,
) -> Result<(String, StoredOrder, RunStanding), Failure> {
    let id = find_id(reader, name, otherwise)?;
    match order_at_work(reader, &id)? {
        (Some(stored), run) => Ok((id, stored, run)),
        (None, _) => Err(unknown(name, otherwise.to_owned())),
    }
}

fn unknown(name: &str, advice: String) -> Failure {
    Failure::UnknownName {
        kind: "order",
        name: name.to_owned(),
        advice,
    }
}

/// [`find_order`], without reading the order.
pub fn find_id(reader: &JournalReader, name: &str, otherwise: &str) -> Result<String, Failure> {
    if reader.knows(name)? {
        return Ok(name.to_owned());
    }
    if let Some(id) = reader.find_external_id(name)? {
        return Ok(id);
    }
    let orders = reader.orders()?;
    let external = orders
        .iter()
        .filter_map(|order| order.external_id.as_deref());
    let known = orders
        .iter()
        .map(|order| order.order_id.as_str())
        .chain(external);
    let advice = match suggestion::closest(name, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => otherwise.to_owned(),
    };
    Err(unknown(name, advice))
}

/// An order, and whether a run was at work on it while it was read: none was only where none was before, and none
/// is after that.
fn order_at_work(
    reader: &JournalReader,
    id: &str,
) -> Result<(Option<StoredOrder>, RunStanding), JournalError> {
    let before = reader.at_work(id)?;
    let stored = reader.order(id)?;
    let at_work = match before {
        Some(before) => Some(before),
        None => reader.at_work(id)?,
    };
    Ok((stored, at_work.into()))
}

/// How wide a table may be.
pub fn width() -> u16 {
    comfy_table::Table::new().width().unwrap_or(table::USUAL)
}

fn show_journal(journal: &Path, view: &mut View) -> Result<(), Failure> {
    let reader = JournalReader::open(journal)?;
    let mut orders: Vec<Listed> = reader.orders()?.into_iter().map(Listed::from).collect();
    let selection = &view.selection;
    orders.retain(|order| selection.takes_listed(order));
    if let Some(error) = &selection.error {
        let found = find::with_error(&reader, error)?;
        orders.retain(|order| found.contains(&order.id));
    }
    if selection.customer.is_some() {
        let is_it = |text: &str| {
            let document = Document::parse(text.to_owned(), "journal");
            document.is_ok_and(|it| selection.is_customer(it.root()))
        };
        let found = find::with_root(&reader, &is_it)?;
        orders.retain(|order| found.contains(&order.id));
    }
    if view.format == OutputFormat::Table || view.is_list {
        view.list.extend(orders);
        view.is_list = true;
        return view.flush_list(true);
    }
    for order in orders {
        if let (Some(stored), run) = order_at_work(&reader, &order.id)? {
            let (chain, progress) = standing_of(journal, &order.id, &stored)?;
            view.show_selected(&chain, Some((&progress, &run)))?;
        }
        if view.closed {
            break;
        }
    }
    Ok(())
}

/// The chain that was taken on, moved on to where its entries say that it is.
pub fn chain_of(journal: &Path, id: &str, stored: &StoredOrder) -> Result<Chain, Failure> {
    Ok(standing_of(journal, id, stored)?.0)
}

/// [`chain_of`], and how far it has come.
pub fn standing_of(
    journal: &Path,
    id: &str,
    stored: &StoredOrder,
) -> Result<(Chain, Progress), Failure> {
    let chain = taken_on(journal, id, &stored.documents)?;
    let progress = start(&chain)
        .go_through(&stored.entries)
        .map_err(|error| corrupt(journal, id, &error.to_string()))?;
    let standing = |task: &str| progress.task(task).map(TaskStanding::from);
    Ok((progress::apply(&chain, &standing), progress))
}

fn corrupt(journal: &Path, id: &str, reason: &str) -> JournalError {
    JournalError::Corrupt {
        path: journal.to_path_buf(),
        reason: format!("order {id}: {reason}"),
    }
}

/// The chain that was taken on.
pub fn taken_on(journal: &Path, id: &str, documents: &[String]) -> Result<Chain, JournalError> {
    let documents = documents
        .iter()
        .map(|text| Document::parse(text.clone(), "journal"))
        .collect::<Result<_, _>>()
        .map_err(|_| corrupt(journal, id, "a document of its chain is no JSON"))?;
    Ok(Chain { documents })
}

/// How far a chain has come before anything has happened.
fn start(chain: &Chain) -> Progress {
    let tasks: Vec<_> = chain
        .of_kind(DocumentKind::OrchestrationPlan)
        .flat_map(progress::plan_tasks)
        .collect();
    Progress::of_tasks(tasks.iter().map(progress::PlanTask::needs))
}

/// [`start`], of an order as the journal has it.
pub fn plan_progress(
    journal: &Path,
    id: &str,
    documents: &[String],
) -> Result<Progress, JournalError> {
    Ok(start(&taken_on(journal, id, documents)?))
}

fn show_stream(files: &[PathBuf], view: &mut View) -> Result<(), Failure> {
    stage::chains(files, &mut |chain| {
        view.show(&progress::as_planned(&chain))?;
        Ok(if view.closed {
            Flow::Stop
        } else {
            Flow::Continue
        })
    })
}

/// Standard output with orders on it.
pub struct View {
    format: OutputFormat,
    output: Output<StandardOutput>,
    width: u16,
    detail: Detail,
    styling: orderctl::diagnostic::human::Styling,
    selection: Selection,
    /// Whether it is told below a tree what an order waits for.
    tells_more: bool,
    /// The journal, where it was named on the command line.
    journal: Option<String>,
    trees: Vec<Standing>,
    list: Vec<Listed>,
    is_list: bool,
    closed: bool,
}

impl View {
    /// A view in the format asked for; by default a table on a terminal.
    pub fn new(context: &Context, format: Option<OutputFormat>) -> View {
        let usual = if context.stdout_is_terminal {
            OutputFormat::Table
        } else {
            OutputFormat::Json
        };
        View {
            format: format.unwrap_or(usual),
            output: context.stdout(),
            width: width(),
            detail: Detail::Folded,
            styling: context.stdout_styling(),
            selection: Selection::default(),
            tells_more: false,
            journal: None,
            trees: Vec::new(),
            list: Vec::new(),
            is_list: false,
            closed: false,
        }
    }

    /// Shows an order, or keeps it until it is known how many there are. Documents that are no
    /// orders stand nowhere.
    pub fn show(&mut self, chain: &Chain) -> Result<(), Failure> {
        self.show_known(chain, None)
    }

    /// [`show`](Self::show), where the journal says how far it has come, and it is known whether a run is at work on it.
    pub fn show_known(
        &mut self,
        chain: &Chain,
        known: Option<(&Progress, &RunStanding)>,
    ) -> Result<(), Failure> {
        let progress = known.map(|(progress, _)| progress);
        let is_selected = self.selection.is_everything()
            || Standing::of(chain).is_some_and(|it| self.selection.takes(chain, &it, progress));
        if is_selected {
            self.show_selected(chain, known)?;
        }
        Ok(())
    }

    fn show_selected(
        &mut self,
        chain: &Chain,
        known: Option<(&Progress, &RunStanding)>,
    ) -> Result<(), Failure> {
        let (progress, run) = known.unzip();
        let known = Known {
            progress,
            journal: self.journal.as_deref(),
            run,
        };
        let Some(standing) = Standing::with(chain, known) else {
            return Ok(());
        };
        match self.format {
            OutputFormat::Json if self.is_list => {
                let listed = Listed {
                    planned_at: progress.and_then(Progress::planned_at),
                    changed_at: progress.and_then(Progress::changed_at),
                    ..Listed::from(standing)
                };
                self.list.push(listed);
                self.flush_list(false)
            }
            OutputFormat::Json => {
                let delivery = self.output.document(json::line(&standing).as_bytes());
                self.note(delivery)
            }
            OutputFormat::Table if self.is_list => {
                self.list.push(standing.into());
                self.flush_list(false)
            }
            OutputFormat::Table => {
                self.trees.push(standing);
                if self.trees.len() > TREES {
                    self.is_list = true;
                    self.list.extend(self.trees.drain(..).map(Listed::from));
                }
                Ok(())
            }
        }
    }

    fn flush_list(&mut self, all: bool) -> Result<(), Failure> {
        while self.list.len() >= ROWS || all && !self.list.is_empty() {
            let rows: Vec<Listed> = self.list.drain(..ROWS.min(self.list.len())).collect();
            if self.format == OutputFormat::Json {
                for row in &rows {
                    let delivery = self.output.document(json::list_line(row).as_bytes());
                    self.note(delivery)?;
                }
                continue;
            }
            let text = table::list(&rows, self.width, self.styling);
            let delivery = self.output.text(text.as_bytes());
            self.note(delivery)?;
        }
        Ok(())
    }

    /// Writes what was kept.
    pub fn finish(&mut self) -> Result<(), Failure> {
        let mut separator = "";
        for standing in std::mem::take(&mut self.trees) {
            let mut text = table::tree(&standing, self.width, self.styling, self.detail);
            if self.tells_more {
                text.push_str(&table::revision(standing.revision.as_ref()));
                text.push_str(&table::run(standing.run.as_ref()));
                text.push_str(&table::blocking(&standing.blocking, &standing.id));
            }
            let delivery = self.output.text(format!("{separator}{text}").as_bytes());
            self.note(delivery)?;
            separator = "\n";
        }
        self.flush_list(true)?;
        let delivery = self.output.flush();
        self.note(delivery)
    }

    fn note(&mut self, delivery: Result<Delivery, OutputError>) -> Result<(), Failure> {
        self.closed |= delivery? == Delivery::Closed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use orderctl::journal::entry::{AttemptFailed, Held, Planned, Started};
    use orderctl::journal::{Entry, Event, JournalWriter, NewOrder};
    use orderctl::model::state::OrderState;

    use super::*;

    const ORDER: &str = r#"{"@type":"ResourceOrder","id":"R-1","orderItem":[{"id":"a","action":"add","resource":{"name":"Bearer"}}]}"#;
    const PLAN: &str = r#"{"@type":"OrchestrationPlan","id":"R-1.P","state":"active","taskFlow":[{"id":"a","name":"Bearer","endpoint":"olt","state":"new"}]}"#;

    fn entry(event: Event) -> Entry {
        Entry {
            at: "2026-11-23T10:00:00Z".parse().expect("a moment"),
            event,
        }
    }

    /// A journal with one order, whose only task was started, failed, and is held.
    async fn journal_with_a_held_task(path: &Path) {
        let writer = JournalWriter::open(path).expect("a new journal");
        let planned = Planned {
            order_id: "R-1".into(),
            external_id: Some("CRM-7".into()),
            plan_digest: "sha256:0".into(),
            tasks: 1,
            clock: orderctl::journal::ClockKind::System,
        };
        let documents = std::sync::Arc::new(vec![ORDER.to_owned().into(), PLAN.to_owned().into()]);
        let at = entry(Event::Planned(planned.clone())).at;
        let begun = writer
            .begin(NewOrder {
                at,
                planned,
                documents,
                alone: None,
            })
            .await
            .expect("taken on");
        let task = "a".to_owned();
        let events = [
            Event::Started(Started {
                task: task.clone(),
                attempt: 1,
                idempotency_key: "k".into(),
                request_digest: "sha256:1".into(),
                point_of_no_return: false,
            }),
            Event::AttemptFailed(AttemptFailed {
                task: task.clone(),
                attempt: 1,
                failure: orderctl::journal::entry::Failure::Failed,
                status: Some(500),
                reason: "500 Internal Server Error".into(),
                class: None,
                retry_at: None,
            }),
            Event::Held(Held {
                task,
                reason: "500 Internal Server Error".into(),
                on_failure: None,
            }),
        ];
        begun
            .lease
            .append(&events.map(entry))
            .await
            .expect("durable");
        drop(begun);
        writer.close().await.expect("closed");
    }

    #[tokio::test]
    async fn an_order_of_the_journal_stands_where_its_entries_say() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.db");
        journal_with_a_held_task(&path).await;
        let reader = JournalReader::open(&path).expect("a journal");
        for name in ["R-1", "CRM-7"] {
            let (id, stored) = find_order(&reader, name, "it is nowhere").expect("it is there");
            assert_eq!(id, "R-1");
            let chain = chain_of(&path, &id, &stored).expect("its entries can have happened");
            let standing = Standing::of(&chain).expect("an order");
            assert_eq!(standing.state, OrderState::Held);
            assert_eq!(
                standing.summary,
                "held: Bearer at olt: 500 Internal Server Error"
            );
        }
        let listed = Listed::from(reader.orders().expect("readable").remove(0));
        assert_eq!(
            (listed.state, listed.summary.as_str()),
            (OrderState::Held, "1 task held")
        );
    }

    #[tokio::test]
    async fn an_unknown_order_is_told_with_what_was_meant() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.db");
        journal_with_a_held_task(&path).await;
        let reader = JournalReader::open(&path).expect("a journal");
        let message = |name| match find_order(&reader, name, "it is nowhere") {
            Ok(_) => String::new(),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(
            message("CRM-8"),
            "unknown order `CRM-8`; did you mean `CRM-7`?"
        );
        assert!(
            message("nothing-like-it")
                .starts_with("unknown order `nothing-like-it`; it is nowhere")
        );
    }

    #[tokio::test]
    async fn a_journal_that_cannot_have_happened_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.db");
        journal_with_a_held_task(&path).await;
        let reader = JournalReader::open(&path).expect("a journal");
        let mut stored = reader.order("R-1").expect("readable").expect("it is there");
        stored.entries.remove(1);
        let failure = chain_of(&path, "R-1", &stored).expect_err("an outcome without a request");
        assert!(
            failure.to_string().contains("order R-1: entry 2"),
            "{failure}"
        );
        stored.documents[0] = "{".to_owned();
        assert!(chain_of(&path, "R-1", &stored).is_err());
    }
}
