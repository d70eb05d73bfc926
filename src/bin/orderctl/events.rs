//! `activate --events`: events, told by a thread of their own.
//!
//! It reads the journal, so that what is told is what is durable, in that
//! sequence, whoever wrote it. Every run tells what happened to its orders from
//! their first entry on: events are told at least once, under the same id.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use orderctl::activate::{Observer, Step};
use orderctl::event::{Event, Teller};
use orderctl::journal::{Event as Happened, JournalError, JournalReader};
use reqwest::{Client, StatusCode, Url};
use tokio::runtime::Runtime;

use self::file::EventFile;
use crate::bar::Bar;
use crate::commands::status;
use crate::exit::Failure;
use crate::terminal::{Layout, Output, StandardOutput};

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// Behind what is in a file.
    File(PathBuf),
    /// To a listener.
    Url(Url),
}

/// How often an event is sent until a listener takes it, and how long is waited before.
const TRIES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_secs(2),
];

/// How long a listener may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// `FILE`, `-`, or `http://…`
pub fn target(text: &str) -> Result<Target, String> {
    if text == "-" {
        return Ok(Target::Stdout);
    }
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return match text {
            "" => Err("it is empty".to_owned()),
            _ => Ok(Target::File(text.into())),
        };
    }
    let url = Url::parse(text).map_err(|error| format!("it is no URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials in it would be seen by everybody who sees the command".to_owned());
    }
    Ok(Target::Url(url))
}

/// Tells the bar, and whoever tells events.
#[derive(Debug)]
pub struct Watchers {
    pub bar: Arc<Bar>,
    pub events: Option<Sender<Option<String>>>,
}

impl Observer for Watchers {
    fn observe(&self, order_id: &str, step: Step<'_>) {
        self.bar.observe(order_id, step);
        if let Some(events) = &self.events {
            // Whoever is gone has told why.
            let _ = events.send(Some(order_id.to_owned()));
        }
    }
}

/// Events under way.
pub struct Events {
    thread: JoinHandle<Result<(), Failure>>,
    queue: Sender<Option<String>>,
}

impl Events {
    /// Begins to tell what happens in a journal to the orders that are named to [`queue`](Self::queue).
    pub fn begin(target: Target, journal: &Path) -> Result<Self, Failure> {
        let (queue, orders) = mpsc::channel();
        let teller = Told {
            journal: journal.to_path_buf(),
            reader: None,
            orders: BTreeMap::new(),
            sink: Sink::open(target)?,
        };
        let thread = thread::Builder::new()
            .name("events".into())
            .spawn(move || teller.run(&orders))
            .map_err(Failure::Runtime)?;
        Ok(Self { thread, queue })
    }

    /// Where orders are named; with none, that there are no more.
    pub fn queue(&self) -> Sender<Option<String>> {
        self.queue.clone()
    }

    /// Tells what is left.
    pub fn finish(self) -> Result<(), Failure> {
        // Whoever is gone has failed, and says so below.
        let _ = self.queue.send(None);
        match self.thread.join() {
            Ok(told) => told,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// The orders that are told of.
struct Told {
    journal: PathBuf,
    reader: Option<JournalReader>,
    orders: BTreeMap<String, Order>,
    sink: Sink,
}

struct Order {
    /// None for an order of which there is nothing to tell, or nothing more.
    teller: Option<Teller>,
    /// Number of the next entry.
    next: i64,
}

impl Told {
    fn run(mut self, orders: &Receiver<Option<String>>) -> Result<(), Failure> {
        let mut is_over = false;
        while !is_over && let Ok(first) = orders.recv() {
            // What has come meanwhile is told at once.
            let named: BTreeSet<Option<String>> =
                std::iter::once(first).chain(orders.try_iter()).collect();
            is_over = named.contains(&None);
            for order in named.into_iter().flatten() {
                self.look(&order)?;
            }
            self.sink.flush()?;
        }
        for order in self.orders.keys().cloned().collect::<Vec<_>>() {
            self.look(&order)?;
        }
        self.sink.finish()
    }

    fn look(&mut self, id: &str) -> Result<(), Failure> {
        let reader = match &self.reader {
            Some(reader) => reader,
            None => self.reader.insert(JournalReader::open(&self.journal)?),
        };
        if !self.orders.contains_key(id) {
            let documents = reader.taken_on_with(id)?;
            if documents.is_empty() {
                return Ok(());
            }
            let chain = status::taken_on(&self.journal, id, &documents)?;
            let teller = Teller::new(chain);
            self.orders.insert(id.to_owned(), Order { teller, next: 1 });
        }
        let Some(order) = self.orders.get_mut(id) else {
            return Ok(());
        };
        let Some(teller) = &mut order.teller else {
            return Ok(());
        };
        for entry in reader.entries_from(id, order.next)? {
            order.next += 1;
            let events = if let Happened::Revised(revised) = &entry.event {
                let chain = status::taken_on(&self.journal, id, &revised.documents)?;
                let mut before = reader.entries_from(id, 1)?;
                before.truncate(usize::try_from(order.next - 1).unwrap_or(usize::MAX));
                teller.revise(chain, &before)
            } else {
                teller.tell(&entry)
            };
            let events = events.map_err(|fault| JournalError::Corrupt {
                path: self.journal.clone(),
                reason: format!("order {id}: {fault}"),
            })?;
            for event in &events {
                self.sink.take(event)?;
            }
        }
        if teller.has_ended() {
            order.teller = None;
        }
        Ok(())
    }
}

/// What takes events.
enum Sink {
    Stdout(Output<StandardOutput>),
    File(EventFile),
    Listener(Listener),
}

impl Sink {
    fn open(target: Target) -> Result<Self, Failure> {
        Ok(match target {
            Target::Stdout => Self::Stdout(Output::stdout(Layout::Compact)),
            Target::File(path) => Self::File(EventFile::open(&path)?),
            Target::Url(url) => Self::Listener(Listener::new(url)?),
        })
    }

    fn take(&mut self, event: &Event) -> Result<(), Failure> {
        let text = event.envelope();
        match self {
            Self::Stdout(output) => drop(output.document(text.as_bytes())?),
            Self::File(file) => file.take(event, text)?,
            Self::Listener(listener) => listener.take(event, text),
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        match self {
            Self::Stdout(output) => output.flush().map(drop).map_err(Failure::from),
            Self::File(file) => file.flush(),
            Self::Listener(_) => Ok(()),
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.flush()?;
        match self {
            Self::Listener(listener) => listener.finish(),
            Self::Stdout(_) | Self::File(_) => Ok(()),
        }
    }
}

/// A system that takes events.
struct Listener {
    url: Url,
    client: Client,
    runtime: Runtime,
    /// Why it does not take any more.
    fault: Option<String>,
    /// How many it has not taken.
    lost: usize,
}

impl Listener {
    fn new(url: Url) -> Result<Self, Failure> {
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build();
        let client = client.map_err(|error| Failure::Runtime(io::Error::other(error)))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::Runtime)?;
        Ok(Self {
            url,
            client,
            runtime,
            fault: None,
            lost: 0,
        })
    }

    /// Sends an event, unless one was not taken before: the next run tells all of them again.
    fn take(&mut self, event: &Event, text: String) {
        if self.fault.is_none() {
            let mut url = self.url.clone();
            let path = self.url.path().trim_end_matches('/');
            url.set_path(&format!("{path}/{}", event.listener()));
            self.fault = self.runtime.block_on(send(&self.client, &url, text)).err();
        }
        if self.fault.is_some() {
            self.lost += 1;
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self.fault {
            None => Ok(()),
            Some(reason) => Err(Failure::EventsLost {
                url: self.url.to_string(),
                lost: self.lost,
                reason,
            }),
        }
    }
}

async fn send(client: &Client, url: &Url, text: String) -> Result<(), String> {
    let mut fault = String::new();
    for pause in TRIES {
        tokio::time::sleep(pause).await;
        let request = client
            .post(url.clone())
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(text.clone());
        fault = match request.send().await.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => return Ok(()),
            Ok(status) if !is_passing(status) => return Err(status.to_string()),
            Ok(status) => status.to_string(),
            Err(error) => cause(&error.without_url()),
        };
    }
    Err(fault)
}

/// Whether another try may go better.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// The innermost cause of an error: what the system said.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
