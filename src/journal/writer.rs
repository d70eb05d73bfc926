//! Making entries durable, many at a time.
//!
//! One thread owns the connection. Whatever has queued up while it was
//! committing, and shortly after where many orders are under way, goes into the
//! next transaction, so the cost of reaching the disk is shared by all orders
//! under way. Everybody waits for the transaction that holds their entries. After the first error nothing more is accepted.
//!
//! Others may write about an order that somebody is at work on (see
//! [`hand`](super::hand)). Whoever is at work learns of it by looking, and an
//! [intent](Lease::intend) that does not know of it is refused.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{
    Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params,
};
use tokio::sync::oneshot;

use super::copier::Copier;
use super::entry::{Entry, Event, Installed, Planned};
use super::error::JournalError;
use super::find::LaterSubjects;
use super::head::{EntryRow, Head};
use super::migrate;
use super::owner::{self, Owner};
use super::seal::{self, Hash};
use super::sqlite::{self, APPLICATION_ID, BUSY_TIMEOUT, Content, OwnerRow, SCHEMA};
use crate::document::SharedText;

/// Most commands in one transaction.
const GROUP: usize = 4096;

/// How long more commands are waited for, for each order under way that has none in the next
/// transaction: what a transaction costs is a few times that.
const COMPANY: Duration = Duration::from_micros(30);

/// How long it is waited before it is looked whether more commands have come, at most.
const GLANCE: Duration = Duration::from_micros(250);

/// How long more commands are waited for at most, however many come.
const LONGEST_COMPANY: Duration = Duration::from_millis(2);

/// Bytes of a page of a new file. Each is written with two calls into the log and with one into the
/// database, whatever its size, and a document takes several.
const PAGE: u32 = 8192;

/// Bytes in the log before the commit copies them into the database: far more than there are where
/// that is done beside it.
const CHECKPOINT: u32 = 128 << 20;

/// A journal open for writing, shared by all orders under way.
#[derive(Debug, Clone)]
pub struct JournalWriter {
    path: Arc<Path>,
    queue: Sender<Command>,
}

/// An order to be taken on.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// When.
    pub at: Timestamp,
    /// What.
    pub planned: Planned,
    /// Texts of the chain's documents, root first, plan last.
    pub documents: Arc<Vec<SharedText>>,
    /// What no other order may be about that has not ended.
    pub alone: Option<Alone>,
}

/// What an order changes or removes, which another one has no business at meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    /// What it is about ([`subjects`](super::find::subjects)).
    pub subjects: Vec<String>,
    /// How many orders had been taken on when it was known that none of them is about that
    /// ([`OpenSubjects::seen`](super::find::OpenSubjects::seen)): only later ones are looked at.
    pub seen: i64,
}

/// An order that this process, and nobody else, may now carry out.
#[derive(Debug)]
pub struct Begun {
    /// The right to add entries.
    pub lease: Lease,
    /// What the journal holds about the order: at least its plan, which is not
    /// the one given where an earlier run took on another.
    pub entries: Vec<Entry>,
}

/// The right to add entries to one order; given up when dropped.
#[derive(Debug)]
pub struct Lease {
    order_id: Arc<str>,
    path: Arc<Path>,
    queue: Sender<Command>,
    /// When it was last looked for what others have written.
    looked: Mutex<Instant>,
}

/// An entry that somebody else wrote.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// Its place among the entries of the order, from 1.
    pub number: u64,
    /// What it says.
    pub entry: Entry,
}

type Reply<T> = oneshot::Sender<Result<T, JournalError>>;
type Answered<T> = oneshot::Receiver<Result<T, JournalError>>;

#[derive(Debug)]
enum Command {
    Know(Arc<str>, Reply<bool>),
    /// With the hashes of its documents, made by whoever asks; without where the order is known.
    Begin(Box<NewOrder>, Vec<Hash>, Reply<Vec<Entry>>),
    Append(Rows, Reply<()>),
    Install(Vec<String>, EntryRow, Reply<()>),
    /// Only if nobody else wrote about the task after the entry of this number.
    Intend(Rows, u64, Reply<bool>),
    /// What others wrote after the entry of this number.
    Look(Arc<str>, u64, Reply<Vec<Foreign>>),
    Release(Arc<str>),
    Close(Reply<()>),
}

impl Command {
    /// Bytes that it adds to the file, about.
    fn size(&self) -> usize {
        match self {
            Self::Begin(new, ..) => new.documents.iter().map(|it| it.len()).sum(),
            Self::Append(rows, _) | Self::Intend(rows, ..) => {
                rows.list.iter().map(EntryRow::size).sum()
            }
            Self::Install(orders, row, _) => orders.len() * row.size(),
            Self::Know(..) | Self::Look(..) | Self::Release(_) | Self::Close(_) => 0,
        }
    }
}

#[derive(Debug)]
struct Rows {
    order_id: Arc<str>,
    list: Vec<EntryRow>,
}

/// Size of documents in bytes from which on it is looked first whether their hashes are needed: to
/// look takes a turn of the journal.
const LARGE: usize = 1 << 20;

/// How long somebody waits who has found another one preparing the file.
const TURN: Duration = Duration::from_millis(5);

impl JournalWriter {
    /// Opens the journal at `path`; makes it, and its folder, where absent.
    ///
    /// # Errors
    /// Where the file cannot be made or written, or is none that this release
    /// reads.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| JournalError::file(folder, &error))?;
        }
        sqlite::refuse_folder(path)?;
        let mut connection = connect(path)?;
        let owner = prepare_in_turn(&mut connection, path)?;
        let path: Arc<Path> = path.into();
        let (queue, commands) = mpsc::channel();
        let file = File {
            path: path.to_path_buf(),
            copier: Copier::new(&path),
            connection,
            owner,
            orders: HashMap::new(),
            later: LaterSubjects::default(),
        };
        thread::Builder::new()
            .name("journal".into())
            .spawn(move || file.serve(&commands))
            .map_err(|error| JournalError::file(&path, &error))?;
        Ok(Self { path, queue })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether an order was ever taken on.
    ///
    /// # Errors
    /// Where the journal fails.
    pub async fn knows(&self, order_id: &str) -> Result<bool, JournalError> {
        let (reply, answer) = oneshot::channel();
        let closed = || JournalError::Closed {
            path: self.path.to_path_buf(),
        };
        self.queue
            .send(Command::Know(order_id.into(), reply))
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Takes an order on, or goes on with it where the journal has it already,
    /// and keeps everybody else from it.
    ///
    /// # Errors
    /// [`JournalError::OrderBusy`] where somebody is at work on it,
    /// [`JournalError::SubjectBusy`] where it is new and another one is about the same; any other
    /// where the journal fails.
    pub async fn begin(&self, new: NewOrder) -> Result<Begun, JournalError> {
        let order_id: Arc<str> = new.planned.order_id.as_str().into();
        // Documents are only written, and hashed, of an order that is new.
        let size: usize = new.documents.iter().map(|it| it.len()).sum();
        let hashes = if size > LARGE && self.knows(&order_id).await? {
            Vec::new()
        } else {
            new.documents.iter().map(|it| seal::document(it)).collect()
        };
        let (reply, answer) = oneshot::channel();
        let closed = || JournalError::Closed {
            path: self.path.to_path_buf(),
        };
        self.queue
            .send(Command::Begin(Box::new(new), hashes, reply))
            .map_err(|_| closed())?;
        let entries = answer.await.map_err(|_| closed())??;
        let lease = Lease {
            order_id,
            path: Arc::clone(&self.path),
            queue: self.queue.clone(),
            looked: Mutex::new(Instant::now()),
        };
        Ok(Begun { lease, entries })
    }

    /// Notes that what completed orders made is in an installed base.
    ///
    /// # Errors
    /// The error that the journal failed with, now or before.
    pub async fn installed(
        &self,
        orders: Vec<String>,
        inventory: &str,
        at: Timestamp,
    ) -> Result<(), JournalError> {
        let inventory = inventory.to_owned();
        let event = Event::Installed(Installed { inventory });
        let (reply, answer) = oneshot::channel();
        let closed = || JournalError::Closed {
            path: self.path.to_path_buf(),
        };
        let row = EntryRow::new(&Entry { at, event });
        self.queue
            .send(Command::Install(orders, row, reply))
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Writes what is still to be written and closes the file.
    ///
    /// # Errors
    /// The error that the journal failed with, now or before.
    pub async fn close(self) -> Result<(), JournalError> {
        let (reply, answer) = oneshot::channel();
        let closed = || JournalError::Closed {
            path: self.path.to_path_buf(),
        };
        self.queue
            .send(Command::Close(reply))
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

/// How often it is looked for what others write.
const LOOK: Duration = Duration::from_millis(200);

impl Lease {
    /// Adds entries, in order. They are queued at once and durable when the
    /// future is done; dropping the future does not take them back.
    ///
    /// # Errors
    /// The error that the journal failed with, now or before.
    pub fn append(
        &self,
        entries: &[Entry],
    ) -> impl Future<Output = Result<(), JournalError>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Append(self.rows(entries), reply), answer)
    }

    /// Adds entries about one task, like [`append`](Self::append), unless
    /// somebody else has written about it after the entry number `seen`: then
    /// nothing is added, and the answer is false.
    ///
    /// # Errors
    /// As for `append`.
    pub fn intend(
        &self,
        entries: &[Entry],
        seen: u64,
    ) -> impl Future<Output = Result<bool, JournalError>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Intend(self.rows(entries), seen, reply), answer)
    }

    /// What others have written about the order after the entry number `seen`.
    ///
    /// # Errors
    /// As for `append`.
    pub fn look(
        &self,
        seen: u64,
    ) -> impl Future<Output = Result<Vec<Foreign>, JournalError>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let order_id = Arc::clone(&self.order_id);
        self.ask(Command::Look(order_id, seen, reply), answer)
    }

    /// [`look`](Self::look), done once there is something. Must run on a tokio
    /// runtime with time.
    ///
    /// # Errors
    /// As for `append`.
    pub async fn changed(&self, seen: u64) -> Result<Vec<Foreign>, JournalError> {
        loop {
            // Counted from the last look, so that whoever does not wait so long looks at times.
            let looked = || self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            let next = *looked() + LOOK;
            tokio::time::sleep_until(next.into()).await;
            *looked() = Instant::now();
            let foreign = self.look(seen).await?;
            if !foreign.is_empty() {
                return Ok(foreign);
            }
        }
    }

    fn rows(&self, entries: &[Entry]) -> Rows {
        Rows {
            order_id: Arc::clone(&self.order_id),
            list: entries.iter().map(EntryRow::new).collect(),
        }
    }

    /// Queues a command; done when it is answered.
    fn ask<T: Send + 'static>(
        &self,
        command: Command,
        answer: Answered<T>,
    ) -> impl Future<Output = Result<T, JournalError>> + Send + use<T> {
        let queued = self.queue.send(command).is_ok();
        let path = Arc::clone(&self.path);
        async move {
            let closed = || JournalError::Closed {
                path: path.to_path_buf(),
            };
            if !queued {
                return Err(closed());
            }
            answer.await.map_err(|_| closed())?
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A writer that is gone has given up everything it owned.
        let _ = self
            .queue
            .send(Command::Release(Arc::clone(&self.order_id)));
    }
}

fn connect(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            // Otherwise statements are prepared anew whenever they are about another place.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            Ok(connection)
        })
        .map_err(|error| JournalError::database(path, &error))
}

/// Prepares the file once others that do the same have done it: SQLite refuses two that turn a new
/// file to WAL at one time at once, whatever its busy time-out says.
fn prepare_in_turn(connection: &mut Connection, path: &Path) -> Result<Owner, JournalError> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match prepare(connection, path) {
            Err(JournalError::Locked { .. }) if Instant::now() < deadline => thread::sleep(TURN),
            prepared => return prepared,
        }
    }
}

/// Looks what the file is before anything in it is changed, then makes it a
/// journal where it is nothing yet, and this process one of its owners.
fn prepare(connection: &mut Connection, path: &Path) -> Result<Owner, JournalError> {
    let wrong = |error| JournalError::database(path, &error);
    let content = sqlite::look(connection, path)?;
    if content == Content::Empty {
        // Only heeded before anything is in the file.
        connection
            .pragma_update(None, "page_size", PAGE)
            .map_err(wrong)?;
    }
    connection
        .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
        .and_then(|()| connection.pragma_update(None, "synchronous", "FULL"))
        .and_then(|()| connection.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0)))
        .and_then(|page| {
            let pages = CHECKPOINT / page.max(1);
            // Answers with the value, unlike other settings.
            let sql = format!("PRAGMA wal_autocheckpoint = {pages}");
            connection.query_row(&sql, [], |_| Ok(()))
        })
        .map_err(wrong)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(wrong)?;
    let content = sqlite::inspect(&transaction, path)?;
    if content == Content::Empty {
        transaction
            .execute_batch(SCHEMA)
            .and_then(|()| transaction.pragma_update(None, "application_id", APPLICATION_ID))
            .map_err(wrong)?;
    }
    migrate::bring_up_to_date(&transaction, path, content)?;
    let owner = Owner::register(path)?;
    // Before the new owner's token can be in the table, everything of the dead
    // is taken out of it: tokens do come round again.
    let tokens: Vec<String> = transaction
        .prepare("SELECT DISTINCT token FROM owner")
        .and_then(|mut rows| rows.query_map([], |row| row.get(0))?.collect())
        .map_err(wrong)?;
    for token in tokens {
        if token == owner.token || !owner::is_alive(path, &token)? {
            transaction
                .execute("DELETE FROM owner WHERE token = ?", [&token])
                .map_err(wrong)?;
        }
    }
    transaction.commit().map_err(wrong)?;
    Ok(owner)
}

/// The writing side, as the thread has it.
struct File {
    path: PathBuf,
    copier: Copier,
    connection: Connection,
    owner: Owner,
    orders: HashMap<Arc<str>, Order>,
    /// What others that were taken on meanwhile are about.
    later: LaterSubjects,
}

/// An order that somebody here is at work on.
#[derive(Debug)]
struct Order {
    /// The last entry, whoever wrote it.
    head: Head,
    /// Whether the file does not have it yet.
    is_ahead: bool,
    /// What others have written since.
    foreign: Vec<Foreign>,
}

/// What a command came to, told when the transaction is durable.
enum Answer {
    Known(bool),
    Entries(Result<Vec<Entry>, JournalError>),
    Written(bool),
    Foreign(Vec<Foreign>),
    Done,
}

impl File {
    fn serve(mut self, commands: &Receiver<Command>) {
        let mut failure = None;
        let mut closing = None;
        // Commands of the transaction before: the next one has about as many.
        let mut usual = 1;
        while closing.is_none() {
            let Ok(first) = commands.recv() else { break };
            let mut group = Vec::with_capacity(usual);
            group.push(first);
            group.extend(commands.try_iter().take(GROUP - 1));
            self.wait_for_company(&mut group, commands);
            usual = group.len();
            let close = group.iter().position(|it| matches!(it, Command::Close(_)));
            if let Some(Command::Close(reply)) = close.map(|at| group.remove(at)) {
                closing = Some(reply);
            }
            if failure.is_none() && !group.is_empty() {
                match self.commit(&group) {
                    Ok(answers) => {
                        let bytes = group.iter().map(Command::size).sum();
                        for (command, answer) in group.into_iter().zip(answers) {
                            tell(command, answer);
                        }
                        self.copier.written(bytes, &self.connection);
                        continue;
                    }
                    Err(error) => failure = Some(error),
                }
            }
            if let Some(error) = &failure {
                for command in group {
                    refuse(command, error);
                }
            }
        }
        let Self {
            path,
            copier,
            connection,
            owner,
            orders: _,
            later: _,
        } = self;
        copier.finish();
        let closed = connection
            .close()
            .map_err(|(_, error)| JournalError::database(&path, &error));
        drop(owner);
        if let Some(reply) = closing {
            // Who closes may have stopped waiting.
            let _ = reply.send(failure.map_or(closed, Err));
        }
    }

    /// Waits for more commands, so that they share the way to the disk: as long as some come, and
    /// there are orders under way that have not said anything yet. The more of these there are, the
    /// longer it is worth it.
    fn wait_for_company(&self, group: &mut Vec<Command>, commands: &Receiver<Command>) {
        let begun = Instant::now();
        loop {
            let silent = self.orders.len().saturating_sub(speakers(group).max(1));
            let silent = u32::try_from(silent).unwrap_or(u32::MAX);
            let time = COMPANY.saturating_mul(silent).min(GLANCE);
            if time.is_zero() || begun.elapsed() >= LONGEST_COMPANY {
                return;
            }
            thread::sleep(time);
            let before = group.len();
            group.extend(commands.try_iter().take(GROUP.saturating_sub(before)));
            if group.len() == before {
                return;
            }
        }
    }

    fn commit(&mut self, group: &[Command]) -> Result<Vec<Answer>, JournalError> {
        let wrong = |error| JournalError::database(&self.path, &error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(wrong)?;
        let mut answers = Vec::with_capacity(group.len());
        for command in group {
            answers.push(match command {
                Command::Know(order_id, _) => transaction
                    .prepare_cached("SELECT 1 FROM plan WHERE order_id = ?")
                    .and_then(|mut sql| sql.exists([order_id]))
                    .map(Answer::Known)
                    .map_err(wrong)?,
                Command::Begin(new, hashes, _) => {
                    let found = sqlite::entries(&transaction, &self.path, &new.planned.order_id);
                    let busy = match &new.alone {
                        Some(alone) if found.as_ref().is_ok_and(Vec::is_empty) => {
                            let later = &mut self.later;
                            somebody_else(&transaction, &self.path, (new, alone), later)?
                        }
                        _ => None,
                    };
                    let begun = match busy {
                        Some(busy) => Err(busy),
                        None => begin(&transaction, &self.path, &self.owner, (new, hashes, found))?,
                    };
                    match begun {
                        Ok((entries, head)) => {
                            let order_id = new.planned.order_id.as_str().into();
                            self.orders.insert(order_id, Order::at(head));
                            Answer::Entries(Ok(entries))
                        }
                        Err(error) => Answer::Entries(Err(error)),
                    }
                }
                Command::Append(rows, _) => {
                    let order = self.orders.get_mut(&rows.order_id);
                    order_of(order, &self.path)?.append(&transaction, &self.path, rows)?;
                    Answer::Done
                }
                Command::Intend(rows, seen, _) => {
                    let order = order_of(self.orders.get_mut(&rows.order_id), &self.path)?;
                    Answer::Written(order.intend(&transaction, &self.path, rows, *seen)?)
                }
                Command::Look(order_id, seen, _) => {
                    let order = order_of(self.orders.get_mut(order_id), &self.path)?;
                    order.catch_up(&transaction, &self.path, order_id)?;
                    Answer::Foreign(order.after_entry(*seen).to_vec())
                }
                Command::Install(orders, row, _) => {
                    for order in orders {
                        install(&transaction, &self.path, order, row)?;
                    }
                    Answer::Done
                }
                Command::Release(order_id) => {
                    if let Some(mut order) = self.orders.remove(order_id) {
                        order.store(&transaction).map_err(wrong)?;
                    }
                    transaction
                        .prepare_cached("DELETE FROM owner WHERE order_id = ? AND token = ?")
                        .and_then(|mut sql| sql.execute(params![order_id, self.owner.token]))
                        .map_err(wrong)?;
                    Answer::Done
                }
                Command::Close(_) => Answer::Done,
            });
        }
        // Once in a transaction, however many entries it has.
        for order in self.orders.values_mut() {
            order.store(&transaction).map_err(wrong)?;
        }
        transaction.commit().map_err(wrong)?;
        Ok(answers)
    }
}

/// How many orders have added something by these commands.
fn speakers(group: &[Command]) -> usize {
    let order = |command: &Command| match command {
        // Whoever has the lease of an order names it by the same text.
        Command::Append(rows, _) | Command::Intend(rows, ..) => Some(rows.order_id.as_ptr()),
        _ => None,
    };
    let mut orders: Vec<_> = group.iter().filter_map(order).collect();
    orders.sort_unstable();
    orders.dedup();
    orders.len()
}

/// Whoever no longer waits need not be told.
fn tell(command: Command, answer: Answer) {
    match (command, answer) {
        (Command::Know(_, reply), Answer::Known(known)) => {
            let _ = reply.send(Ok(known));
        }
        (Command::Begin(.., reply), Answer::Entries(entries)) => {
            let _ = reply.send(entries);
        }
        (Command::Append(_, reply) | Command::Install(.., reply), Answer::Done) => {
            let _ = reply.send(Ok(()));
        }
        (Command::Intend(_, _, reply), Answer::Written(written)) => {
            let _ = reply.send(Ok(written));
        }
        (Command::Look(_, _, reply), Answer::Foreign(foreign)) => {
            let _ = reply.send(Ok(foreign));
        }
        _ => {}
    }
}

fn refuse(command: Command, error: &JournalError) {
    match command {
        Command::Begin(.., reply) => {
            let _ = reply.send(Err(error.clone()));
        }
        Command::Append(_, reply) | Command::Install(.., reply) | Command::Close(reply) => {
            let _ = reply.send(Err(error.clone()));
        }
        Command::Know(_, reply) | Command::Intend(_, _, reply) => {
            let _ = reply.send(Err(error.clone()));
        }
        Command::Look(_, _, reply) => {
            let _ = reply.send(Err(error.clone()));
        }
        Command::Release(_) => {}
    }
}

/// What the journal holds about an order that was begun, and where that ends.
type Taken = Result<(Vec<Entry>, Head), JournalError>;

/// Takes the order's ownership, and the order on where it is new. That it is
/// busy, or its rows are no entries, is its own misfortune and not the file's.
fn begin(
    transaction: &Transaction<'_>,
    path: &Path,
    me: &Owner,
    (new, hashes, found): (&NewOrder, &[Hash], Result<Vec<Entry>, JournalError>),
) -> Result<Taken, JournalError> {
    let wrong = |error| JournalError::database(path, &error);
    let order_id = &new.planned.order_id;
    if let Some(owner) = sqlite::owner_of(transaction, order_id).map_err(wrong)?
        && (owner.token == me.token || owner::is_alive(path, &owner.token)?)
    {
        return Ok(Err(busy(order_id, owner)));
    }
    let found = match found {
        Err(error @ JournalError::Corrupt { .. }) => return Ok(Err(error)),
        other => other?,
    };
    let taken = if found.is_empty() {
        let entry = Entry {
            at: new.at,
            event: Event::Planned(new.planned.clone()),
        };
        let head = take_on(transaction, (new, hashes), &entry).map_err(wrong)?;
        (vec![entry], head)
    } else {
        match gone_on_with(transaction, path, order_id, found) {
            Err(error @ JournalError::Corrupt { .. }) => return Ok(Err(error)),
            other => other?,
        }
    };
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO owner (order_id, pid, token, host, since)
             VALUES (?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
        )
        .and_then(|mut sql| sql.execute(params![order_id, me.pid, me.token, me.host]))
        .map_err(wrong)?;
    Ok(Ok(taken))
}

fn busy(order_id: &str, owner: OwnerRow) -> JournalError {
    JournalError::OrderBusy {
        order: order_id.to_owned(),
        pid: owner.pid,
        host: owner.host,
        since: owner.since,
    }
}

/// That another order has been taken on meanwhile that is about the same. Looked for in the transaction
/// that takes this one on, so that of two at the same moment one finds the other.
fn somebody_else(
    transaction: &Transaction<'_>,
    path: &Path,
    (new, alone): (&NewOrder, &Alone),
    later: &mut LaterSubjects,
) -> Result<Option<JournalError>, JournalError> {
    let wanted = (alone.subjects.as_slice(), alone.seen);
    let found = match later.about(transaction, path, wanted) {
        Err(error @ JournalError::Corrupt { .. }) => return Ok(Some(error)),
        found => found?,
    };
    Ok(found.map(|(other, subject)| JournalError::SubjectBusy {
        order: new.planned.order_id.clone(),
        other,
        subject,
    }))
}

/// An order that is in the journal already.
fn gone_on_with(
    transaction: &Transaction<'_>,
    path: &Path,
    order_id: &str,
    entries: Vec<Entry>,
) -> Result<(Vec<Entry>, Head), JournalError> {
    if sqlite::planned(&entries).is_none() {
        return Err(JournalError::Corrupt {
            path: path.to_path_buf(),
            reason: format!("order {order_id}: the first entry is not its plan"),
        });
    }
    let head = Head::of(transaction, path, order_id, entries.len())?;
    Ok((entries, head))
}

fn take_on(
    transaction: &Transaction<'_>,
    (new, hashes): (&NewOrder, &[Hash]),
    entry: &Entry,
) -> rusqlite::Result<Head> {
    let planned = &new.planned;
    transaction
        .prepare_cached(
            "INSERT INTO plan (order_id, external_id, digest, tasks) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![
            planned.order_id,
            planned.external_id,
            planned.plan_digest,
            planned.tasks
        ])?;
    let mut sql = transaction
        .prepare_cached("INSERT INTO document (order_id, position, text) VALUES (?, ?, ?)")?;
    for (position, text) in (0_i64..).zip(new.documents.iter()) {
        sql.execute(params![planned.order_id, position, &**text])?;
    }
    let mut head = Head::begin(transaction, planned, hashes)?;
    head.extend(transaction, &planned.order_id, &[EntryRow::new(entry)])?;
    head.store(transaction)?;
    Ok(head)
}

/// Behind what there is, and not before it in time: the order may have times of its own. Not where
/// somebody has taken the order up again.
fn install(
    transaction: &Transaction<'_>,
    path: &Path,
    order: &str,
    row: &EntryRow,
) -> Result<(), JournalError> {
    let wrong = |error| JournalError::database(path, &error);
    let last = transaction
        .prepare_cached(
            "SELECT max(seq), max(at) FROM entry
             WHERE order_id = ?1 AND NOT EXISTS (SELECT 1 FROM owner WHERE owner.order_id = ?1)
             GROUP BY order_id",
        )
        .and_then(|mut sql| {
            sql.query_row([order], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(wrong)?;
    let Some((entries, at)) = last else {
        return Ok(());
    };
    let entries = usize::try_from(entries).unwrap_or_default();
    let mut head = Head::of(transaction, path, order, entries)?;
    head.extend(transaction, order, &[row.not_before(at)])
        .and_then(|()| head.store(transaction))
        .map_err(wrong)
}

/// Entries are only ever asked for by who holds the lease.
fn order_of<'o>(order: Option<&'o mut Order>, path: &Path) -> Result<&'o mut Order, JournalError> {
    order.ok_or_else(|| JournalError::Closed {
        path: path.to_path_buf(),
    })
}

impl Order {
    fn at(head: Head) -> Self {
        Self {
            head,
            is_ahead: false,
            foreign: Vec::new(),
        }
    }

    /// Lets the file know where the order is.
    fn store(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        if std::mem::take(&mut self.is_ahead) {
            self.head.store(transaction)?;
        }
        Ok(())
    }

    /// What others wrote after the entry of this number.
    fn after_entry(&self, seen: u64) -> &[Foreign] {
        let known = self.foreign.partition_point(|it| it.number <= seen);
        &self.foreign[known..]
    }

    /// Takes note of what others have written.
    fn catch_up(
        &mut self,
        transaction: &Transaction<'_>,
        path: &Path,
        order_id: &str,
    ) -> Result<(), JournalError> {
        let mut next = self.head.next();
        for entry in sqlite::entries_from(transaction, path, order_id, next)? {
            let number = u64::try_from(next).unwrap_or(u64::MAX);
            self.foreign.push(Foreign { number, entry });
            next += 1;
        }
        if next != self.head.next() {
            let entries = usize::try_from(next - 1).unwrap_or(usize::MAX);
            self.head = Head::of(transaction, path, order_id, entries)?;
        }
        Ok(())
    }

    /// Adds rows behind whatever others have written.
    fn append(
        &mut self,
        transaction: &Transaction<'_>,
        path: &Path,
        rows: &Rows,
    ) -> Result<(), JournalError> {
        if !self.try_append(transaction, path, rows)? {
            self.try_append(transaction, path, rows)?;
        }
        Ok(())
    }

    /// Adds rows about one task, unless somebody wrote about it after the entry number `seen`.
    fn intend(
        &mut self,
        transaction: &Transaction<'_>,
        path: &Path,
        rows: &Rows,
        seen: u64,
    ) -> Result<bool, JournalError> {
        let task = rows.list.first().and_then(|row| row.task.as_deref());
        let touched = |it: &Foreign| it.entry.event.task() == task;
        loop {
            if self.after_entry(seen).iter().any(touched) {
                return Ok(false);
            }
            if self.try_append(transaction, path, rows)? {
                return Ok(true);
            }
        }
    }

    /// Adds rows where nobody else has written meanwhile; else takes note of what they wrote.
    /// Nearly always nobody has: that the next number is taken is what says that somebody did.
    fn try_append(
        &mut self,
        transaction: &Transaction<'_>,
        path: &Path,
        rows: &Rows,
    ) -> Result<bool, JournalError> {
        match self.head.extend(transaction, &rows.order_id, &rows.list) {
            Ok(()) => {
                self.is_ahead = true;
                Ok(true)
            }
            Err(error) if is_taken(&error) => {
                self.catch_up(transaction, path, &rows.order_id)?;
                Ok(false)
            }
            Err(error) => Err(JournalError::database(path, &error)),
        }
    }
}

fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|it| {
        it.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            || it.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
    })
}

#[cfg(test)]
mod tests;
