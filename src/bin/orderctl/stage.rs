//! What the filter commands have in common: documents in, units of work cut
//! out of the stream, worked on by one thread or several, and written in the
//! order of the input.
//!
//! Invariant: what is written does not depend on the number of threads, nor on
//! how the bytes happened to arrive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder, JoinHandle};

use orderctl::chain::{Chain, Link};
use orderctl::diagnostic::Diagnostic;
use orderctl::diagnostic::report::Subject;
use orderctl::document::{Batch, Document, SourceFile, Stream, StreamError};
use orderctl::validate::OrderKey;

use crate::exit::{ExitCode, Failure};
use crate::lines::Lines;

/// How a stream is cut into units of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Every document for itself.
    Document,
    /// An order and what is derived from it.
    Chain,
}

/// What came of a unit.
#[derive(Debug, Default)]
pub struct Produced {
    /// Documents to pass on, compact, each with a line end.
    pub output: Lines,
    /// Orders that were rejected, compact, each with a line end.
    pub rejects: Lines,
    /// Findings.
    pub diagnostics: Vec<Diagnostic>,
    /// Lines for people, on standard error.
    pub remarks: Vec<String>,
    /// Key for the search for duplicates.
    pub key: Option<OrderKey>,
    /// Documents in the unit.
    pub documents: u64,
    /// The document that the findings are about, where a report names it.
    pub subject: Option<Subject>,
    /// The unit itself, where it is worked on later.
    pub chain: Option<Chain>,
    /// The unit's order, kept where it may still be rejected.
    pub order: Option<Document>,
    /// How the unit ended.
    pub code: Option<ExitCode>,
    /// Why the unit is none for this stage.
    pub failure: Option<Failure>,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Next.
    Continue,
    /// Nobody wants more.
    Stop,
}

/// Files, or standard input where there are none.
pub struct Input {
    sources: Vec<PathBuf>,
    first: Option<Ahead>,
}

impl Input {
    /// Input that is read when it is worked on.
    pub fn of(files: &[PathBuf]) -> Input {
        let sources = if files.is_empty() {
            vec![PathBuf::from("-")]
        } else {
            files.to_vec()
        };
        Input {
            sources,
            first: None,
        }
    }

    /// Input whose reading begins now, by another thread, while this one gets ready to work on it.
    pub fn ahead(files: &[PathBuf]) -> Input {
        let mut input = Input::of(files);
        // Who types is told so, and not before there is somebody to listen.
        let typed = |path: &Path| path.as_os_str() == "-" && io::stdin().is_terminal();
        let first = input.sources.first();
        let first = first.filter(|path| !is_yaml(path) && !typed(path));
        input.first = first.and_then(|path| Ahead::start(path.clone()));
        input
    }
}

/// A stream that another thread reads until this one is ready.
struct Ahead {
    batches: Receiver<Batch>,
    is_wanted: Arc<AtomicBool>,
    thread: JoinHandle<Batches>,
}

/// Batches that wait until there is somebody to work on them.
const WAITING: usize = 8;

impl Ahead {
    /// None if the system gives no thread.
    fn start(source: PathBuf) -> Option<Ahead> {
        let (sender, batches) = sync_channel(WAITING);
        let is_wanted = Arc::new(AtomicBool::new(false));
        let wanted = Arc::clone(&is_wanted);
        let read = move || {
            let mut rest = Batches::of(&source);
            while !wanted.load(Ordering::Relaxed)
                && let Some(batch) = rest.next()
                && sender.send(batch).is_ok()
            {}
            rest
        };
        let thread = Builder::new().spawn(read).ok()?;
        Some(Ahead {
            batches,
            is_wanted,
            thread,
        })
    }
}

/// The batches of a source that are still to come.
enum Batches {
    Ahead(Ahead),
    Here(Stream<Box<dyn Read + Send>>),
    Failed(StreamError),
    None,
}

impl Batches {
    fn of(source: &Path) -> Batches {
        match open(source) {
            Ok(reader) => Batches::Here(Stream::new(reader, &source.display().to_string())),
            Err(error) => Batches::Failed(error),
        }
    }

    fn next(&mut self) -> Option<Batch> {
        loop {
            match self {
                Batches::Here(stream) => return stream.next_batch(),
                Batches::Ahead(ahead) => {
                    ahead.is_wanted.store(true, Ordering::Relaxed);
                    if let Ok(batch) = ahead.batches.recv() {
                        return Some(batch);
                    }
                }
                Batches::Failed(_) | Batches::None => {}
            }
            match std::mem::replace(self, Batches::None) {
                Batches::Ahead(ahead) => {
                    let rest = ahead.thread.join();
                    *self = rest.unwrap_or_else(|panic| resume_unwind(panic));
                }
                Batches::Failed(error) => return Some(error.into()),
                _ => return None,
            }
        }
    }
}

/// Runs a stage over its input: `work` on each unit, on `jobs` threads and in no
/// certain order; `take` for each result, in input order.
///
/// # Errors
/// Input that cannot be read or parsed, after everything before it was worked on; whatever
/// `take` says.
pub fn run(
    input: Input,
    unit: Unit,
    jobs: u16,
    work: &(dyn Fn(Chain) -> Produced + Sync),
    take: &mut dyn FnMut(Produced) -> Result<Flow, Failure>,
) -> Result<(), Failure> {
    let mut sequence = Sequence {
        unit,
        pending: None,
        work,
        take,
        documents: 0,
    };
    let Input { sources, mut first } = input;
    let mut ended = Flow::Continue;
    for source in &sources {
        let (flow, error) = sequence.read(source, first.take(), jobs)?;
        if flow == Flow::Stop {
            return Ok(());
        }
        if let Some(error) = error {
            sequence.finish()?;
            return Err(error);
        }
        ended = flow;
    }
    if ended == Flow::Continue {
        sequence.finish()?;
    }
    if sequence.documents == 0 {
        return Err(Failure::NoDocument {
            names: names(&sources),
        });
    }
    Ok(())
}

/// Hands over the chains of files (or standard input), one by one in their sequence.
///
/// # Errors
/// As [`run`].
pub fn chains(
    files: &[PathBuf],
    take: &mut dyn FnMut(Chain) -> Result<Flow, Failure>,
) -> Result<(), Failure> {
    run(
        Input::of(files),
        Unit::Chain,
        1,
        // Work is done as units are found, which is not their sequence.
        &|chain| Produced {
            chain: Some(chain),
            ..Produced::default()
        },
        &mut |produced| produced.chain.map_or(Ok(Flow::Continue), &mut *take),
    )
}

fn names(sources: &[PathBuf]) -> String {
    let names: Vec<String> = sources
        .iter()
        .map(|path| match path.to_str() {
            Some("-") => "standard input".to_owned(),
            _ => path.display().to_string(),
        })
        .collect();
    names.join(", ")
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn open(path: &Path) -> Result<Box<dyn Read + Send>, StreamError> {
    if path.as_os_str() == "-" {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            tracing::warn!("reading documents from the terminal; end with Ctrl-D");
        }
        #[cfg(target_os = "linux")]
        crate::pipes::widen(&stdin);
        return Ok(Box::new(stdin));
    }
    let file = path.display().to_string();
    let opened = File::open(path).map_err(|source| StreamError::Read { file, source })?;
    Ok(Box::new(opened))
}

/// The results of one batch: what belongs to the chain before it, the units
/// that are complete, and the chain at its end that may still go on.
struct Worked {
    head: Vec<Document>,
    produced: Vec<Produced>,
    tail: Option<Chain>,
    documents: u64,
    error: Option<StreamError>,
}

fn work_read(batch: Batch, unit: Unit, work: &(dyn Fn(Chain) -> Produced + Sync)) -> Worked {
    let (documents, error) = batch.parse();
    Worked {
        error,
        ..work_documents(documents, unit, work)
    }
}

fn work_documents(
    documents: Vec<Document>,
    unit: Unit,
    work: &(dyn Fn(Chain) -> Produced + Sync),
) -> Worked {
    let mut worked = Worked {
        head: Vec::new(),
        produced: Vec::with_capacity(documents.len()),
        tail: None,
        documents: documents.len() as u64,
        error: None,
    };
    for document in documents {
        if unit == Unit::Document {
            worked.produced.push(work(Chain::new(document)));
            continue;
        }
        match &mut worked.tail {
            None if Chain::may_be_derived(&document) => worked.head.push(document),
            None => worked.tail = Some(Chain::new(document)),
            Some(chain) if chain.link(&document) != Link::Root => {
                chain.documents.push(document);
            }
            Some(chain) => {
                let complete = std::mem::replace(chain, Chain::new(document));
                worked.produced.push(work(complete));
            }
        }
    }
    worked
}

/// Puts the results together again.
struct Sequence<'w, 't> {
    unit: Unit,
    pending: Option<Chain>,
    work: &'w (dyn Fn(Chain) -> Produced + Sync),
    take: &'t mut dyn FnMut(Produced) -> Result<Flow, Failure>,
    documents: u64,
}

impl Sequence<'_, '_> {
    /// Works on a file, or standard input; the error is one that ended it.
    fn read(
        &mut self,
        source: &Path,
        ahead: Option<Ahead>,
        jobs: u16,
    ) -> Result<(Flow, Option<Failure>), Failure> {
        if is_yaml(source) {
            let documents = SourceFile::read_yaml(source)
                .map_err(Failure::from)
                .and_then(|file| Ok(file.documents()?));
            return match documents {
                Ok(documents) => {
                    let worked = work_documents(documents, self.unit, self.work);
                    self.add(worked).map(|(flow, _)| (flow, None))
                }
                Err(error) => Ok((Flow::Continue, Some(error))),
            };
        }
        let mut batches = ahead.map_or_else(|| Batches::of(source), Batches::Ahead);
        let (flow, error) = if jobs > 1 {
            parallel(&mut batches, self.unit, jobs, self)?
        } else {
            sequential(&mut batches, self)?
        };
        Ok((flow, error.map(Failure::from)))
    }

    fn add(&mut self, worked: Worked) -> Result<(Flow, Option<StreamError>), Failure> {
        self.documents += worked.documents;
        for document in worked.head {
            match &mut self.pending {
                Some(chain) if chain.link(&document) != Link::Root => {
                    chain.documents.push(document);
                }
                _ => {
                    let complete = self.pending.replace(Chain::new(document));
                    if self.complete(complete)? == Flow::Stop {
                        return Ok((Flow::Stop, None));
                    }
                }
            }
        }
        if worked.tail.is_some() || self.unit == Unit::Document {
            let complete = std::mem::replace(&mut self.pending, worked.tail);
            if self.complete(complete)? == Flow::Stop {
                return Ok((Flow::Stop, None));
            }
        }
        for produced in worked.produced {
            if (self.take)(produced)? == Flow::Stop {
                return Ok((Flow::Stop, None));
            }
        }
        Ok((Flow::Continue, worked.error))
    }

    fn complete(&mut self, chain: Option<Chain>) -> Result<Flow, Failure> {
        match chain {
            Some(chain) => (self.take)((self.work)(chain)),
            None => Ok(Flow::Continue),
        }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let pending = self.pending.take();
        self.complete(pending).map(drop)
    }
}

/// This thread does everything, one batch after the other. A large document of a chain, which is not
/// complete before the next one is there, is still parsed by its own thread while that is read.
fn sequential(
    batches: &mut Batches,
    sequence: &mut Sequence<'_, '_>,
) -> Result<(Flow, Option<StreamError>), Failure> {
    let mut before = None;
    loop {
        let batch = batches.next();
        let is_last = batch.is_none();
        let waits = |batch: &Batch| sequence.unit == Unit::Chain && batch.is_being_parsed();
        let (now, later) = match batch {
            Some(batch) if waits(&batch) => (None, Some(batch)),
            batch => (batch, None),
        };
        for batch in std::mem::replace(&mut before, later).into_iter().chain(now) {
            let worked = work_read(batch, sequence.unit, sequence.work);
            let (flow, error) = sequence.add(worked)?;
            if flow == Flow::Stop || error.is_some() {
                return Ok((flow, error));
            }
        }
        if is_last {
            return Ok((Flow::Continue, None));
        }
    }
}

/// How many batches a thread may be ahead of the one that is written next: while a large chain is
/// worked on, what comes after it waits in memory.
const AHEAD: u16 = 4;

/// One thread reads, `jobs` threads work, this one puts together and writes.
fn parallel(
    batches: &mut Batches,
    unit: Unit,
    jobs: u16,
    sequence: &mut Sequence<'_, '_>,
) -> Result<(Flow, Option<StreamError>), Failure> {
    let work = sequence.work;
    let (batch_sender, batch_receiver) = sync_channel::<(u64, Batch)>(usize::from(jobs));
    let (result_sender, result_receiver) = sync_channel::<(u64, Worked)>(usize::from(jobs) * 2);
    let (permit_sender, permit_receiver) = channel();
    for _ in 0..u32::from(jobs) * u32::from(AHEAD) {
        let _receiver_is_there = permit_sender.send(());
    }
    let read = Mutex::new(batch_receiver);
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        let stop = &stopped;
        scope.spawn(move || read_batches(batches, &permit_receiver, &batch_sender, stop));
        for _ in 0..jobs {
            let (read, results) = (&read, result_sender.clone());
            scope.spawn(move || {
                while let Some((number, batch)) = next(read) {
                    if results
                        .send((number, work_read(batch, unit, work)))
                        .is_err()
                    {
                        return;
                    }
                }
            });
        }
        drop(result_sender);
        let ended = in_order(&result_receiver, &permit_sender, sequence);
        drop(permit_sender);
        // Whoever still reads or works stops at the next thing it hands on.
        stopped.store(true, Ordering::Relaxed);
        drop(result_receiver);
        while next(&read).is_some() {}
        ended
    })
}

fn read_batches(
    batches: &mut Batches,
    permits: &Receiver<()>,
    read: &SyncSender<(u64, Batch)>,
    stopped: &AtomicBool,
) {
    let mut number = 0;
    while permits.recv().is_ok()
        && let Some(batch) = batches.next()
    {
        if stopped.load(Ordering::Relaxed) || read.send((number, batch)).is_err() {
            return;
        }
        number += 1;
    }
}

fn next(read: &Mutex<Receiver<(u64, Batch)>>) -> Option<(u64, Batch)> {
    read.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv()
        .ok()
}

/// Takes the results in the order of the input; each one taken permits to read one more batch.
fn in_order(
    results: &Receiver<(u64, Worked)>,
    permits: &Sender<()>,
    sequence: &mut Sequence<'_, '_>,
) -> Result<(Flow, Option<StreamError>), Failure> {
    let mut early = BTreeMap::new();
    let mut wanted = 0;
    for (number, worked) in results {
        early.insert(number, worked);
        while let Some(worked) = early.remove(&wanted) {
            wanted += 1;
            let (flow, error) = sequence.add(worked)?;
            if flow == Flow::Stop || error.is_some() {
                return Ok((flow, error));
            }
            let _reader_may_have_ended = permits.send(());
        }
    }
    Ok((Flow::Continue, None))
}
