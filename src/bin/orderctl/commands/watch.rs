//! `orderctl status --wait` and `--follow`: the journal, looked at again and again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use orderctl::diagnostic::human::printable;
use orderctl::journal::entry::ByHand;
use orderctl::journal::{
    Entry, Event, IllegalEntry, JournalError, JournalReader, Progress, export,
};
use orderctl::model::state::OrderState;
use orderctl::status::Standing;

use super::status::{chain_of, plan_progress};
use crate::cli::{Condition, OutputFormat};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::terminal::{self, Delivery};

/// How often the journal is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Until when it is looked.
pub struct Patience(Option<Instant>);

impl Patience {
    pub fn new(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|it| Instant::now().checked_add(it)))
    }

    /// Waits until it is time to look again; false where time is up.
    fn look_again(&self) -> bool {
        let left = self
            .0
            .map(|end| end.saturating_duration_since(Instant::now()));
        match left {
            Some(Duration::ZERO) => false,
            left => {
                thread::sleep(left.map_or(LOOK, |left| left.min(LOOK)));
                true
            }
        }
    }
}

/// The journal, once there is one.
fn open(journal: &Path) -> Result<Option<JournalReader>, Failure> {
    match JournalReader::open(journal) {
        Ok(reader) => Ok(Some(reader)),
        Err(JournalError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The id of an order that may not have been taken on yet.
fn id_of(reader: &JournalReader, name: &str) -> Result<Option<String>, Failure> {
    if reader.knows(name)? {
        return Ok(Some(name.to_owned()));
    }
    Ok(reader.find_external_id(name)?)
}

/// An order that is waited for.
struct Awaited {
    name: String,
    id: Option<String>,
    /// How many entries it had when its state was looked at.
    entries: i64,
    state: Option<OrderState>,
}

impl Awaited {
    fn look(&mut self, reader: &JournalReader) -> Result<(), Failure> {
        if self.id.is_none() {
            self.id = id_of(reader, &self.name)?;
        }
        let Some(id) = &self.id else { return Ok(()) };
        let entries = reader.entries_of(id)?;
        if entries == self.entries {
            return Ok(());
        }
        self.entries = entries;
        if let Some(stored) = reader.order(id)? {
            let chain = chain_of(reader.path(), id, &stored)?;
            self.state = Standing::of(&chain).map(|it| it.state);
        }
        Ok(())
    }
}

/// Waits until all of these orders are in one of the states.
pub fn wait(
    orders: &[String],
    condition: &Condition,
    (journal, patience): (&Path, &Patience),
    context: &Context,
) -> Result<ExitCode, Failure> {
    let new = |name: &String| Awaited {
        name: name.clone(),
        id: None,
        entries: 0,
        state: None,
    };
    let mut awaited: Vec<Awaited> = orders.iter().map(new).collect();
    loop {
        let reader = open(journal)?;
        if let Some(reader) = &reader {
            for order in &mut awaited {
                order.look(reader)?;
            }
        }
        let reached = |order: &Awaited| order.state.is_some_and(|it| condition.holds(it));
        if awaited.iter().all(reached) {
            return Ok(ExitCode::Done);
        }
        let never =
            |order: &&Awaited| !reached(order) && order.state.is_some_and(OrderState::is_final);
        if let Some(order) = awaited.iter().find(never) {
            let state = order.state.map_or("", OrderState::name);
            let name = &order.name;
            let line = format!("order {name} has ended {state}, and will not be {condition}");
            terminal::report_failure(&printable(&line), context.styling);
            return Ok(ExitCode::NotAcceptable);
        }
        if !patience.look_again() {
            for order in awaited.iter().filter(|order| !reached(order)) {
                let name = &order.name;
                let mut line = match order.state {
                    Some(state) => format!(
                        "time is up: order {name} is {}, not {condition}",
                        state.name()
                    ),
                    None => format!("time is up: order {name} is not in the journal"),
                };
                if let (Some(reader), Some(id)) = (&reader, &order.id)
                    && reader.at_work(id)?.is_none()
                {
                    line.push_str("; nobody is at work on it");
                }
                terminal::report_failure(&printable(&line), context.styling);
            }
            return Ok(ExitCode::WorkLeft);
        }
    }
}

/// An order that is followed.
struct Followed {
    progress: Progress,
    /// Number of the next entry.
    next: i64,
}

/// Writes what happens to these orders, or to all, as it happens: until they have ended.
pub fn follow(
    orders: &[String],
    format: OutputFormat,
    (journal, patience): (&Path, &Patience),
    context: &Context,
) -> Result<ExitCode, Failure> {
    let mut followed: BTreeMap<String, Followed> = BTreeMap::new();
    let mut output = context.stdout();
    loop {
        let mut known = 0;
        if let Some(reader) = open(journal)? {
            let ids = if orders.is_empty() {
                reader.order_ids()?
            } else {
                let ids = orders.iter().map(|name| id_of(&reader, name));
                ids.filter_map(Result::transpose)
                    .collect::<Result<_, _>>()?
            };
            known = ids.len();
            let mut lines = Vec::new();
            for id in ids {
                let order = match followed.remove(&id) {
                    Some(order) => order,
                    None => Followed::new(&reader, &id)?,
                };
                let first = lines.len();
                let order = order.look(&reader, &id, (format, &mut lines))?;
                // What is written later may have been noted a moment before.
                for line in first + 1..lines.len() {
                    let before = lines[line - 1].0.clone();
                    if lines[line].0 < before {
                        lines[line].0 = before;
                    }
                }
                followed.insert(id, order);
            }
            // What happened to several orders, in the sequence of time.
            lines.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (_, line) in lines {
                let written = match format {
                    OutputFormat::Json => output.document(line.as_bytes())?,
                    OutputFormat::Table => output.text(format!("{line}\n").as_bytes())?,
                };
                if written == Delivery::Closed {
                    return Ok(ExitCode::Done);
                }
            }
            if output.flush()? == Delivery::Closed {
                return Ok(ExitCode::Done);
            }
        }
        let ended = followed.values().all(|order| order.progress.has_ended());
        if !orders.is_empty() && known == orders.len() && ended {
            return Ok(ExitCode::Done);
        }
        if !patience.look_again() {
            return Ok(ExitCode::WorkLeft);
        }
    }
}

impl Followed {
    fn new(reader: &JournalReader, id: &str) -> Result<Self, Failure> {
        let documents = reader.order(id)?.map(|it| it.documents).unwrap_or_default();
        Ok(Self {
            progress: plan_progress(reader.path(), id, &documents)?,
            next: 1,
        })
    }

    /// What has happened since it was last looked.
    fn look(
        mut self,
        reader: &JournalReader,
        id: &str,
        (format, lines): (OutputFormat, &mut Vec<(String, String)>),
    ) -> Result<Self, Failure> {
        let entries = reader.entries_from(id, self.next)?;
        if entries.is_empty() {
            return Ok(self);
        }
        let exported = match format {
            OutputFormat::Json => export::entries(reader, id, self.next)?,
            OutputFormat::Table => Vec::new(),
        };
        let corrupt = |error: IllegalEntry| JournalError::Corrupt {
            path: reader.path().to_path_buf(),
            reason: format!("order {id}: {error}"),
        };
        let is_revised = entries
            .iter()
            .any(|it| matches!(it.event, Event::Revised(_)));
        if is_revised && let Some(stored) = reader.order(id)? {
            // The tasks are others from here on.
            let known = usize::try_from(self.next.saturating_sub(1)).unwrap_or(usize::MAX);
            let known = known.saturating_add(entries.len());
            self.progress = plan_progress(reader.path(), id, &stored.documents)?
                .go_through(stored.entries.iter().take(known))
                .map_err(corrupt)?;
        }
        for (at, entry) in entries.iter().enumerate() {
            let text = match format {
                OutputFormat::Json => exported.get(at).cloned().unwrap_or_default(),
                OutputFormat::Table => told(id, entry, &self.progress),
            };
            lines.push((entry.at_text(), text));
            if !is_revised {
                self.progress.apply(entry).map_err(corrupt)?;
            }
            self.next += 1;
        }
        Ok(self)
    }
}

/// `2026-11-23T10:00:00.000000Z ORD-1 completed GPON-Bearer (1.A): 201`
fn told(order: &str, entry: &Entry, progress: &Progress) -> String {
    let mut text = format!("{} {order} {}", entry.at_text(), entry.event.kind());
    if let Some(id) = entry.event.task() {
        match progress.task(id).filter(|task| task.name != task.id) {
            Some(task) => {
                let _ = write!(text, " {} ({id})", task.name);
            }
            None => {
                let _ = write!(text, " {id}");
            }
        }
    }
    let by_hand = |it: &ByHand| match &it.reason {
        Some(reason) => format!("by {}: {reason}", it.by),
        None => format!("by {}", it.by),
    };
    let more = match &entry.event {
        Event::Planned(it) => format!("{} tasks", it.tasks),
        Event::Revised(it) => match &it.reason {
            Some(reason) => format!("{}: {reason}", it.kind.name()),
            None => it.kind.name().to_owned(),
        },
        Event::Started(it) => format!("request {}", it.attempt),
        Event::Accepted(it) => it.monitor.clone(),
        Event::Completed(it) => it.status.to_string(),
        Event::Asked(it) => it.reason.clone(),
        Event::AttemptFailed(it) => it.reason.clone(),
        Event::Held(it) => it.reason.clone(),
        Event::WindowMissed(it) => format!("its window ended at {}", it.end),
        Event::Failed(it) => it.reason.clone(),
        Event::MilestoneReached(_) => String::new(),
        Event::CompletedByHand(it)
        | Event::Skipped(it)
        | Event::FailedByHand(it)
        | Event::Retried(it)
        | Event::Released(it) => by_hand(it),
        Event::Installed(it) => it.inventory.clone(),
    };
    if !more.is_empty() {
        let _ = write!(text, ": {more}");
    }
    printable(&text).into_owned()
}
