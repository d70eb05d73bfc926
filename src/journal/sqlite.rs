//! The journal as an `SQLite` file, to be read with any client of that.
//!
//! | table | a row is |
//! |---|---|
//! | `plan` | an order that was taken on: root order id, external id, digest of its plan, number of tasks |
//! | `document` | a document of the order's chain as it was then, by position; the plan comes last |
//! | `entry` | what happened, by order and `seq` (from 1): `at`, `kind`, `task`, the rest as JSON in `detail`, and a hash over all of it and what comes before |
//! | `head` | the last entry of an order and its hash; orders are numbered as they were taken on |
//! | `owner` | an order that somebody is at work on right now, and who; what a killed process has left there counts for nothing |
//!
//! `PRAGMA user_version` is the version of this schema. Rows of `plan`,
//! `document` and `entry` are only ever added.
//!
//! Reading never creates or changes anything: not the file, not its folder.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::entry::{DecodeError, Entry, Event, Planned, Revised};
use super::error::JournalError;
use super::owner;
use super::replay::{Progress, TaskProgress};
use crate::model::state::{FlowState, TaskState};
use crate::plan::flow::{OrchestrationPlan, RevisionKind, TaskOutcome};

/// Version of the schema written by this release.
///
/// 2 added what people decide about tasks, milestones, missed windows and failures, in the tables
/// of 1; 3 the hashes of entries, `head`, and where and since when somebody is at work. 4 keeps
/// entries in the sequence in which they are written: what is written at one time stands together,
/// however many orders it is about.
pub const SCHEMA_VERSION: i64 = 4;

/// Oldest version whose entries have hashes.
pub(super) const SEALED_VERSION: i64 = 3;

/// Oldest version that is read, and brought up to date where it is written.
pub const OLDEST_VERSION: i64 = 1;

/// `PRAGMA application_id`: "ordc".
pub const APPLICATION_ID: i64 = 0x6f72_6463;

/// How long to wait for other programs that use the file.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) const SCHEMA: &str = "
    CREATE TABLE plan (
        order_id    TEXT PRIMARY KEY,
        external_id TEXT,
        digest      TEXT NOT NULL,
        tasks       INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX plan_external_id ON plan (external_id) WHERE external_id IS NOT NULL;
    CREATE TABLE document (
        order_id TEXT NOT NULL REFERENCES plan,
        position INTEGER NOT NULL,
        text     TEXT NOT NULL,
        PRIMARY KEY (order_id, position)
    ) STRICT;
    CREATE TABLE entry (
        order_id TEXT NOT NULL REFERENCES plan,
        seq      INTEGER NOT NULL,
        at       TEXT NOT NULL,
        kind     TEXT NOT NULL,
        task     TEXT,
        detail   TEXT NOT NULL,
        hash     BLOB NOT NULL,
        PRIMARY KEY (order_id, seq)
    ) STRICT;
    CREATE TABLE head (
        number   INTEGER PRIMARY KEY AUTOINCREMENT,
        order_id TEXT NOT NULL UNIQUE REFERENCES plan,
        seq      INTEGER NOT NULL,
        hash     BLOB NOT NULL
    ) STRICT;
    CREATE TABLE owner (
        order_id TEXT PRIMARY KEY,
        pid      INTEGER NOT NULL,
        token    TEXT NOT NULL,
        host     TEXT NOT NULL,
        since    TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// What kind of file a connection has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing in it yet.
    Empty,
    /// A journal that this release reads.
    Journal {
        /// Version of its schema.
        version: i64,
    },
}

/// The database says only "I/O error" to a folder.
pub(super) fn refuse_folder(path: &Path) -> Result<(), JournalError> {
    if path.is_dir() {
        let (path, reason) = (path.to_path_buf(), "it is a folder".to_owned());
        return Err(JournalError::Open { path, reason });
    }
    Ok(())
}

/// Looks what the file is, without changing it. All of it at one moment: the
/// file may be about to become a journal.
pub(super) fn look(connection: &Connection, path: &Path) -> Result<Content, JournalError> {
    let wrong = |error| JournalError::database(path, &error);
    let transaction = connection.unchecked_transaction().map_err(wrong)?;
    let content = inspect(&transaction, path)?;
    transaction.commit().map_err(wrong)?;
    Ok(content)
}

/// [`look`], inside a transaction.
pub(super) fn inspect(connection: &Connection, path: &Path) -> Result<Content, JournalError> {
    let number = |sql| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map_err(|error| JournalError::database(path, &error))
    };
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let path = path.to_path_buf();
    if application == APPLICATION_ID && version > SCHEMA_VERSION {
        return Err(JournalError::NewerSchema {
            path,
            found: version,
            supported: SCHEMA_VERSION,
        });
    }
    if application == APPLICATION_ID && version >= OLDEST_VERSION {
        return Ok(Content::Journal { version });
    }
    let empty = number("SELECT count(*) FROM sqlite_schema")? == 0;
    if application == 0 && version == 0 && empty {
        return Ok(Content::Empty);
    }
    Err(JournalError::NotAJournal { path })
}

/// An order as the journal has it.
#[derive(Debug, Clone)]
pub struct StoredOrder {
    /// Texts of the chain's documents when the order was taken on, root first,
    /// plan last.
    pub documents: Vec<String>,
    /// Everything that happened since; the first is [`Event::Planned`].
    pub entries: Vec<Entry>,
}

impl StoredOrder {
    /// The plan that was taken on.
    #[must_use]
    pub fn planned(&self) -> Option<&Planned> {
        planned(&self.entries)
    }
}

/// The plan in an order's entries.
pub(super) fn planned(entries: &[Entry]) -> Option<&Planned> {
    match &entries.first()?.event {
        Event::Planned(planned) => Some(planned),
        _ => None,
    }
}

/// An order of the journal in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSummary {
    /// Id of the chain's root order.
    pub order_id: String,
    /// Its external id.
    pub external_id: Option<String>,
    /// Digest of its plan.
    pub plan_digest: String,
    /// Number of tasks.
    pub tasks: u32,
    /// Tasks completed, or skipped.
    pub completed: u32,
    /// Of these, those that a person decided to skip.
    pub skipped: u32,
    /// Tasks begun and neither completed nor held.
    pub active: u32,
    /// Tasks held.
    pub held: u32,
    /// Tasks that failed, and those that were given up with them.
    pub given_up: u32,
    /// What its plan was last revised for.
    pub revision: Option<RevisionKind>,
    /// When the order was taken on.
    pub planned_at: Timestamp,
    /// When anything last happened to it.
    pub changed_at: Timestamp,
    /// The process that is at work on it.
    pub owner: Option<u32>,
}

impl OrderSummary {
    /// State of the plan: completed; cancelled where every task has ended and some without
    /// success; on hold where tasks are held and none is under way; otherwise active.
    #[must_use]
    pub fn state(&self) -> FlowState {
        if self.completed == self.tasks {
            FlowState::Completed
        } else if self.completed + self.given_up >= self.tasks {
            FlowState::Cancelled
        } else if self.held > 0 && self.active == 0 {
            FlowState::Hold
        } else {
            FlowState::Active
        }
    }
}

/// A journal open for reading.
#[derive(Debug)]
pub struct JournalReader {
    path: PathBuf,
    open: RefCell<Open>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    /// Whether the file was taken to be one that nobody writes.
    immutable: bool,
}

impl JournalReader {
    /// Opens the journal at `path`.
    ///
    /// # Errors
    /// Where there is none, or the file is none that this release reads.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let open = Open::new(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            open: RefCell::new(open),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All orders, by id.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn orders(&self) -> Result<Vec<OrderSummary>, JournalError> {
        let read = || self.read(|connection| summaries(connection, &self.path));
        match read()? {
            // Killed, or come to its end since it was read; the latter shows when it is read again.
            (_, true) => Ok(read()?.0),
            (orders, false) => Ok(orders),
        }
    }

    /// One order with its documents and entries.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn order(&self, order_id: &str) -> Result<Option<StoredOrder>, JournalError> {
        self.read(|connection| stored(connection, &self.path, order_id))
    }

    /// The documents that an order was taken on with, whatever it was revised to since.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn taken_on_with(&self, order_id: &str) -> Result<Vec<String>, JournalError> {
        self.read(|connection| first_documents(connection, &self.path, order_id))
    }

    /// Ids of all orders, in their sequence.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn order_ids(&self) -> Result<Vec<String>, JournalError> {
        self.read(|connection| {
            connection
                .prepare("SELECT order_id FROM plan ORDER BY order_id")
                .and_then(|mut rows| rows.query_map([], |row| row.get(0))?.collect())
                .map_err(|error| JournalError::database(&self.path, &error))
        })
    }

    /// The entries of an order from one on, counted from 1.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn entries_from(&self, order_id: &str, first: i64) -> Result<Vec<Entry>, JournalError> {
        self.read(|connection| entries_from(connection, &self.path, order_id, first))
    }

    /// How many entries an order has.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn entries_of(&self, order_id: &str) -> Result<i64, JournalError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT coalesce(max(seq), 0) FROM entry WHERE order_id = ?")
                .and_then(|mut rows| rows.query_row([order_id], |row| row.get(0)))
                .map_err(|error| JournalError::database(&self.path, &error))
        })
    }

    /// Who is at work on an order at this moment; nobody whose process has ended, however it did.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn at_work(&self, order_id: &str) -> Result<Option<AtWork>, JournalError> {
        self.read(|connection| {
            let wrong = |error| JournalError::database(&self.path, &error);
            let version: i64 = connection
                .query_row("PRAGMA user_version", [], |row| row.get(0))
                .map_err(wrong)?;
            // Where and since when was not noted before.
            let place = if version < SEALED_VERSION {
                "NULL, NULL"
            } else {
                "host, since"
            };
            let sql = format!("SELECT token, pid, {place} FROM owner WHERE order_id = ?");
            let owner: Option<(String, AtWork)> = connection
                .prepare_cached(&sql)
                .and_then(|mut rows| {
                    let owner = |row: &Row<'_>| {
                        let at_work = AtWork {
                            pid: row.get(1)?,
                            host: row.get(2)?,
                            since: row.get(3)?,
                        };
                        Ok((row.get(0)?, at_work))
                    };
                    rows.query_row([order_id], owner).optional()
                })
                .map_err(wrong)?;
            let owner = owner.filter(|(token, _)| is_at_work(&self.path, token));
            Ok(owner.map(|(_, at_work)| at_work))
        })
    }

    /// Whether an order was ever taken on.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn knows(&self, order_id: &str) -> Result<bool, JournalError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT 1 FROM plan WHERE order_id = ?")
                .and_then(|mut rows| rows.exists([order_id]))
                .map_err(|error| JournalError::database(&self.path, &error))
        })
    }

    /// The order that was taken on under this external id; of several the one
    /// with the least id.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn find_external_id(&self, external_id: &str) -> Result<Option<String>, JournalError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT min(order_id) FROM plan WHERE external_id = ?")
                .and_then(|mut rows| rows.query_row([external_id], |row| row.get(0)))
                .map_err(|error| JournalError::database(&self.path, &error))
        })
    }

    /// Reads within one transaction. Where a writer has turned up beside a
    /// file that was taken to be quiet, what was read may be torn: again then,
    /// properly.
    pub(super) fn read<T>(
        &self,
        query: impl Fn(&Connection) -> Result<T, JournalError>,
    ) -> Result<T, JournalError>
    where
        T: Default,
    {
        let mut open = self.open.borrow_mut();
        if open.immutable {
            if !has_log(&self.path) {
                let result = open.read(&self.path, &query);
                if !has_log(&self.path) {
                    return result;
                }
            }
            *open = Open::new(&self.path)?;
        }
        open.read(&self.path, &query)
    }
}

impl Open {
    /// A file without a write-ahead log is opened as immutable, because `SQLite`
    /// would otherwise make one just to read.
    fn new(path: &Path) -> Result<Self, JournalError> {
        if !path.exists() {
            return Err(JournalError::NotFound {
                path: path.to_path_buf(),
            });
        }
        refuse_folder(path)?;
        let immutable = !has_log(path);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri(path, immutable), flags)
            .and_then(|connection| {
                connection.busy_timeout(BUSY_TIMEOUT)?;
                Ok(connection)
            })
            .map_err(|error| JournalError::database(path, &error))?;
        look(&connection, path)?;
        Ok(Self {
            connection,
            immutable,
        })
    }

    fn read<T: Default>(
        &self,
        path: &Path,
        query: &impl Fn(&Connection) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let wrong = |error| JournalError::database(path, &error);
        let transaction = self.connection.unchecked_transaction().map_err(wrong)?;
        // Killed while it was made: a journal of no orders.
        let result = match inspect(&transaction, path)? {
            Content::Empty => T::default(),
            Content::Journal { .. } => query(&transaction)?,
        };
        // Nothing was written; that it cannot be ended in a damaged file says nothing new.
        drop(transaction);
        Ok(result)
    }
}

fn has_log(path: &Path) -> bool {
    let mut log = OsString::from(path);
    log.push("-wal");
    Path::new(&log).exists()
}

/// The URI of a file, as `SQLite` wants it: everything but plain path characters escaped.
fn uri(path: &Path, immutable: bool) -> String {
    use std::fmt::Write as _;

    let mut uri = String::from("file:");
    if path.is_absolute() {
        // With an empty authority, so that a path of two slashes is not one.
        uri.push_str("//");
    }
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02x}").expect("a string takes every write");
        }
    }
    if immutable {
        uri.push_str("?immutable=1");
    }
    uri
}

fn decoded(path: &Path, place: &str, error: &DecodeError) -> JournalError {
    JournalError::Corrupt {
        path: path.to_path_buf(),
        reason: format!("{place}: {error}"),
    }
}

/// An order with its documents and entries; none where it was never taken on.
pub(super) fn stored(
    connection: &Connection,
    path: &Path,
    order_id: &str,
) -> Result<Option<StoredOrder>, JournalError> {
    let entries = entries(connection, path, order_id)?;
    if entries.is_empty() {
        return Ok(None);
    }
    let documents = match revised(&entries) {
        Some(revised) => revised.documents.clone(),
        None => first_documents(connection, path, order_id)?,
    };
    Ok(Some(StoredOrder { documents, entries }))
}

fn first_documents(
    connection: &Connection,
    path: &Path,
    order_id: &str,
) -> Result<Vec<String>, JournalError> {
    connection
        .prepare_cached("SELECT text FROM document WHERE order_id = ? ORDER BY position")
        .and_then(|mut rows| rows.query_map([order_id], |row| row.get(0))?.collect())
        .map_err(|error| JournalError::database(path, &error))
}

/// What an order was last revised to.
#[must_use]
pub fn revised(entries: &[Entry]) -> Option<&Revised> {
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Revised(revised) => Some(revised),
        _ => None,
    })
}

/// All entries of an order; none where it was never taken on.
pub(super) fn entries(
    connection: &Connection,
    path: &Path,
    order_id: &str,
) -> Result<Vec<Entry>, JournalError> {
    entries_from(connection, path, order_id, 1)
}

/// The entries of an order from one on, counted from 1.
pub(super) fn entries_from(
    connection: &Connection,
    path: &Path,
    order_id: &str,
    first: i64,
) -> Result<Vec<Entry>, JournalError> {
    let wrong = |error| JournalError::database(path, &error);
    let mut query = connection
        .prepare_cached(
            "SELECT at, kind, task, detail FROM entry WHERE order_id = ? AND seq >= ? ORDER BY seq",
        )
        .map_err(wrong)?;
    let mut rows = query.query(params![order_id, first]).map_err(wrong)?;
    let mut entries = Vec::new();
    for number in first.. {
        let Some(row) = rows.next().map_err(wrong)? else {
            break;
        };
        let entry = entry_of(row)
            .map_err(wrong)?
            .map_err(|error| decoded(path, &format!("order {order_id}, entry {number}"), &error))?;
        entries.push(entry);
    }
    Ok(entries)
}

fn entry_of(row: &Row<'_>) -> rusqlite::Result<Result<Entry, DecodeError>> {
    let at = row.get_ref(0)?.as_str()?;
    let kind = row.get_ref(1)?.as_str()?;
    let detail = row.get_ref(3)?.as_str()?;
    Ok(Entry::decode(at, kind, row.get(2)?, detail))
}

/// All orders, by id, and whether one of them is claimed by a process that is not at work.
fn summaries(
    connection: &Connection,
    path: &Path,
) -> Result<(Vec<OrderSummary>, bool), JournalError> {
    let wrong = |error| JournalError::database(path, &error);
    let mut counts = BTreeMap::<String, [u32; 5]>::new();
    // SQLite takes the other columns from the row that holds the maximum.
    let mut query = connection
        .prepare(
            "SELECT order_id, kind, count(*) FROM (
                SELECT order_id, kind, max(seq) FROM entry
                WHERE task IS NOT NULL OR kind = 'revised' GROUP BY order_id, task
            ) GROUP BY order_id, kind",
        )
        .map_err(wrong)?;
    let mut rows = query.query([]).map_err(wrong)?;
    while let Some(row) = rows.next().map_err(wrong)? {
        let count: u32 = row.get(2).map_err(wrong)?;
        let places: &[usize] = match row
            .get_ref(1)
            .and_then(|it| Ok(it.as_str()?))
            .map_err(wrong)?
        {
            "completed" | "completedByHand" | "milestoneReached" | "released" => &[0],
            "skipped" => &[0, 4],
            "held" | "windowMissed" => &[2],
            "failed" | "failedByHand" | "revised" => &[3],
            _ => &[1],
        };
        let counts = counts.entry(row.get(0).map_err(wrong)?).or_default();
        for place in places {
            counts[*place] += count;
        }
    }
    let mut query = connection
        .prepare(
            "SELECT order_id, external_id, digest, tasks,
                (SELECT at FROM entry WHERE entry.order_id = plan.order_id ORDER BY seq LIMIT 1),
                (SELECT at FROM entry WHERE entry.order_id = plan.order_id ORDER BY seq DESC LIMIT 1),
                pid, token
            FROM plan LEFT JOIN owner USING (order_id) ORDER BY order_id",
        )
        .map_err(wrong)?;
    let mut rows = query.query([]).map_err(wrong)?;
    let mut orders = Vec::new();
    // Whether the processes that claim to be at work are.
    let mut living: HashMap<String, bool> = HashMap::new();
    while let Some(row) = rows.next().map_err(wrong)? {
        let order_id: String = row.get(0).map_err(wrong)?;
        let time = |column| {
            let at: String = row.get(column).map_err(wrong)?;
            at.parse().map_err(|source| {
                decoded(
                    path,
                    &format!("order {order_id}"),
                    &DecodeError::Time { at, source },
                )
            })
        };
        let (planned_at, changed_at) = (time(4)?, time(5)?);
        let counted = counts.remove(&order_id).unwrap_or_default();
        // Which others were given up with those that failed, only the plan can say.
        let tasks = row.get(3).map_err(wrong)?;
        let (counted, tasks, revision) = match counted[3] {
            0 => (counted, tasks, None),
            _ => recount(connection, path, &order_id)?.unwrap_or((counted, tasks, None)),
        };
        let [completed, active, held, given_up, skipped] = counted;
        let token: Option<String> = row.get(7).map_err(wrong)?;
        let is_living = token.is_some_and(|token| {
            let judged = living.entry(token);
            *judged.or_insert_with_key(|token| is_at_work(path, token))
        });
        let owner: Option<u32> = row.get(6).map_err(wrong)?;
        orders.push(OrderSummary {
            external_id: row.get(1).map_err(wrong)?,
            plan_digest: row.get(2).map_err(wrong)?,
            tasks,
            revision,
            owner: owner.filter(|_| is_living),
            order_id,
            completed,
            skipped,
            active,
            held,
            given_up,
            planned_at,
            changed_at,
        });
    }
    let has_gone = living.values().any(|is_living| !is_living);
    Ok((orders, has_gone))
}

/// Tasks by how far they have come, how many there are, and what they were revised for.
type Recount = ([u32; 5], u32, Option<RevisionKind>);

/// The tasks of an order by how far they have come, as its plan has them: completed, under way,
/// held, given up; of the completed ones those that were skipped; and how many there are. None where
/// the plan cannot be read.
fn recount(
    connection: &Connection,
    path: &Path,
    order_id: &str,
) -> Result<Option<Recount>, JournalError> {
    let Some(StoredOrder { documents, entries }) = stored(connection, path, order_id)? else {
        return Ok(None);
    };
    let plan = documents.last();
    let Some(plan) = plan.and_then(|text| serde_json::from_str::<OrchestrationPlan>(text).ok())
    else {
        return Ok(None);
    };
    let Ok(progress) = Progress::replay(&plan, &entries) else {
        return Ok(None);
    };
    let revision = revised(&entries).map(|it| it.kind);
    // What a changed order does not want any more is none of its tasks.
    let is_wanted = |task: &TaskProgress| {
        revision != Some(RevisionKind::Amend) || task.outcome != Some(TaskOutcome::Dropped)
    };
    let count = |is: &dyn Fn(&TaskProgress) -> bool| {
        let tasks = progress.tasks().iter();
        let counted = tasks.filter(|task| is_wanted(task) && is(task)).count();
        u32::try_from(counted).unwrap_or(u32::MAX)
    };
    let of_state = |state| count(&|task| task.state == state);
    let counts = [
        of_state(TaskState::Completed),
        of_state(TaskState::Active),
        of_state(TaskState::Hold),
        of_state(TaskState::Cancelled),
        count(&|task| task.outcome == Some(TaskOutcome::Skipped)),
    ];
    Ok(Some((counts, count(&|_| true), revision)))
}

/// Whether every task of an order has ended; not where that cannot be told.
pub(super) fn has_ended(
    connection: &Connection,
    path: &Path,
    order_id: &str,
) -> Result<bool, JournalError> {
    let counted = recount(connection, path, order_id)?;
    Ok(
        counted.is_some_and(|([completed, _, _, given_up, _], tasks, _)| {
            completed.saturating_add(given_up) >= tasks
        }),
    )
}

/// Who is at work on an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtWork {
    /// Process id.
    pub pid: u32,
    /// The machine that it runs on; not in journals of schema 1 and 2.
    pub host: Option<String>,
    /// Since when it is at work, RFC 3339; not there either.
    pub since: Option<String>,
}

/// Whether an owner is at work, for who only reads: one whose lock cannot be looked at may be.
fn is_at_work(path: &Path, token: &str) -> bool {
    owner::is_alive(path, token).unwrap_or(true)
}

/// Who claims to be at work on an order, as the table has it.
#[derive(Debug, Clone)]
pub(super) struct OwnerRow {
    pub pid: u32,
    pub token: String,
    pub host: String,
    pub since: String,
}

/// Who claims to be at work on the order.
pub(super) fn owner_of(
    connection: &Connection,
    order_id: &str,
) -> rusqlite::Result<Option<OwnerRow>> {
    connection
        .prepare_cached("SELECT pid, token, host, since FROM owner WHERE order_id = ?")?
        .query_row([order_id], |row| {
            Ok(OwnerRow {
                pid: row.get(0)?,
                token: row.get(1)?,
                host: row.get(2)?,
                since: row.get(3)?,
            })
        })
        .optional()
}
