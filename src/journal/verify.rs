//! Whether a journal is as it was written.
//!
//! Three questions: do the pages of the file hold together, does every entry
//! fit to the one before it (see `seal`), and can what the entries say have
//! happened. Every finding has its place; what follows it is looked at all the
//! same.

use std::fmt;
use std::path::Path;

use rusqlite::{Connection, Row};
use serde::Serialize;

use super::entry::Entry;
use super::error::JournalError;
use super::migrate;
use super::replay::Progress;
use super::seal::{self, Hash};
use super::sqlite::{self, Content, JournalReader, SCHEMA_VERSION, SEALED_VERSION};
use crate::plan::flow::OrchestrationPlan;

/// Faults of pages that are told one by one.
const PAGES: u32 = 100;

/// Format version of the documents written by this release.
pub const FORMAT_VERSION: &str = "1.0";

/// What a journal was found to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Version of its schema.
    #[serde(rename = "schemaVersion")]
    pub schema: i64,
    /// Whether its entries have hashes; those of older releases do not.
    pub sealed: bool,
    /// How many orders it has.
    pub orders: usize,
    /// How many entries were read.
    pub entries: u64,
    /// What is wrong, in the sequence of the file.
    #[serde(rename = "finding")]
    pub findings: Vec<Finding>,
}

impl Verification {
    /// As a document, compact, without a line end; `journal` is the name of the file.
    ///
    /// # Panics
    /// Never: it is made of texts and numbers.
    #[must_use]
    pub fn line(&self, journal: &str) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Line<'a> {
            #[serde(rename = "@type")]
            type_name: &'static str,
            format_version: &'static str,
            journal: &'a str,
            sound: bool,
            #[serde(flatten)]
            found: &'a Verification,
        }
        let line = Line {
            type_name: "JournalVerification",
            format_version: FORMAT_VERSION,
            journal,
            sound: self.findings.is_empty(),
            found: self,
        };
        serde_json::to_string(&line).expect("texts and numbers always serialize")
    }
}

/// Something that is not as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The order; none where it is about the file.
    #[serde(rename = "orderId", skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Number of the entry within its order, where it is about one.
    #[serde(rename = "seq", skip_serializing_if = "Option::is_none")]
    pub entry: Option<i64>,
    /// What is wrong.
    #[serde(rename = "message")]
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(order) = &self.order {
            write!(f, "order {order}")?;
            if let Some(entry) = self.entry {
                write!(f, ", entry {entry}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.what)
    }
}

impl Finding {
    fn of_file(what: String) -> Self {
        Self {
            what,
            ..Self::default()
        }
    }

    fn of_order(order: &str, what: String) -> Self {
        Self {
            order: Some(order.to_owned()),
            entry: None,
            what,
        }
    }

    fn of_entry(order: &str, entry: i64, what: String) -> Self {
        Self {
            entry: Some(entry),
            ..Self::of_order(order, what)
        }
    }
}

/// Looks through all of a journal.
///
/// # Errors
/// Where the file is none that this release reads, or cannot be read at all; an empty one is no journal.
pub fn verify(reader: &JournalReader) -> Result<Verification, JournalError> {
    let path = reader.path();
    let schema = reader.read(|connection| match sqlite::inspect(connection, path)? {
        Content::Empty => Ok(None),
        Content::Journal { version } => Ok(Some(version)),
    })?;
    let Some(schema) = schema else {
        return Err(JournalError::NotAJournal {
            path: path.to_path_buf(),
        });
    };
    let mut found = Verification {
        schema,
        sealed: schema >= SEALED_VERSION,
        ..Verification::default()
    };
    let pages = reader.read(|connection| pages(connection, path));
    found.findings.extend(as_finding("the file", pages)?);
    if schema == SCHEMA_VERSION {
        let columns = reader.read(|connection| columns(connection).map_err(wrong(path)));
        found
            .findings
            .extend(as_finding("which columns there are", columns)?);
    }
    let sealed = found.sealed;
    let listed = reader.read(|connection| orders(connection, sealed).map_err(wrong(path)));
    let orders = match listed {
        Ok(orders) => orders,
        Err(error) => {
            let unlisted = as_finding("the list of orders", Err(error))?;
            found.findings.extend(unlisted);
            Vec::new()
        }
    };
    if sealed {
        let strays = reader.read(|connection| strays(connection).map_err(wrong(path)));
        let strays = as_finding("which orders there should be", strays)?;
        found.findings.extend(strays);
    }
    found.orders = orders.len();
    for order in &orders {
        let (entries, findings) = reader.read(|connection| {
            let mut order = OrderCheck::of(order, sealed);
            order.run(connection).map_err(wrong(path))?;
            // What does not fit has been told; what it would mean does not matter then.
            if order.findings.is_empty() {
                order.replay(connection, path)?;
            }
            Ok((order.read, order.findings))
        })?;
        found.entries += entries;
        found.findings.extend(findings);
    }
    Ok(found)
}

fn wrong(path: &Path) -> impl Fn(rusqlite::Error) -> JournalError + '_ {
    |error| JournalError::database(path, &error)
}

/// That something cannot be read is what is looked for.
fn as_finding(
    what: &str,
    found: Result<Vec<Finding>, JournalError>,
) -> Result<Vec<Finding>, JournalError> {
    match found {
        Err(JournalError::Corrupt { reason, .. } | JournalError::Database { reason, .. }) => Ok(
            vec![Finding::of_file(format!("{what} cannot be read: {reason}"))],
        ),
        found => found,
    }
}

/// What the database itself finds: pages and indexes.
fn pages(connection: &Connection, path: &Path) -> Result<Vec<Finding>, JournalError> {
    let sql = format!("PRAGMA integrity_check({PAGES})");
    let lines: Vec<String> = connection
        .prepare(&sql)
        .and_then(|mut rows| rows.query_map([], |row| row.get(0))?.collect())
        .map_err(wrong(path))?;
    let faults = lines.iter().flat_map(|line| line.lines());
    let faults = faults.filter(|line| *line != "ok" && !line.starts_with("***"));
    Ok(faults
        .map(|line| Finding::of_file(format!("the file does not hold together: {line}")))
        .collect())
}

/// Tables, columns and indexes that are not those of the schema: what is not read here, whoever writes
/// next would miss.
fn columns(connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let model = Connection::open_in_memory()?;
    model.execute_batch(sqlite::SCHEMA)?;
    let (wanted, found) = (shape(&model)?, shape(connection)?);
    let missing = wanted.iter().filter(|it| !found.contains(it));
    Ok(missing
        .map(|what| {
            Finding::of_file(format!(
                "the schema is not as it was made: {what} is missing"
            ))
        })
        .collect())
}

/// Everything that a schema has, in words.
fn shape(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT 'column `' || column.name || '` of table `' || made.name || '`'
             FROM sqlite_schema AS made, pragma_table_info(made.name) AS column
             WHERE made.type = 'table' AND made.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             UNION ALL
             SELECT 'index `' || name || '`' FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
        )?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// An order, and its number where it has one.
#[derive(Debug)]
struct Listed {
    id: String,
    head: Option<(i64, i64, Hash)>,
}

fn orders(connection: &Connection, sealed: bool) -> rusqlite::Result<Vec<Listed>> {
    let sql = if sealed {
        "SELECT order_id, number, seq, hash FROM head ORDER BY number"
    } else {
        "SELECT order_id, NULL, NULL, NULL FROM plan ORDER BY order_id"
    };
    let listed = |row: &Row<'_>| {
        let head = match row.get::<_, Option<i64>>(1)? {
            Some(number) => Some((number, row.get(2)?, row.get(3)?)),
            None => None,
        };
        Ok(Listed {
            id: row.get(0)?,
            head,
        })
    };
    connection.prepare(sql)?.query_map([], listed)?.collect()
}

/// Orders that are gone, and rows of orders that were never taken on.
fn strays(connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let numbers: Vec<(i64, String)> = connection
        .prepare("SELECT number, order_id FROM head ORDER BY number")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    // What was given out is remembered beside the table.
    let given: i64 = connection.query_row(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'head'), 0)",
        [],
        |row| row.get(0),
    )?;
    let mut before: (i64, &str) = (0, "");
    let end = given.saturating_add(1);
    let ends = [(end, String::new())];
    for (number, order) in numbers.iter().chain(&ends) {
        let (first, last) = (before.0 + 1, number - 1);
        if first <= last {
            let what = match last - first {
                0 => format!("order number {first} is missing"),
                _ => format!("orders number {first} to {last} are missing"),
            };
            let place = if before.0 == 0 {
                String::new()
            } else {
                format!(": what was taken on after order {}", before.1)
            };
            findings.push(Finding::of_file(what + &place));
        }
        before = (*number, order);
    }
    for table in ["plan", "document", "entry"] {
        let sql = format!(
            "SELECT DISTINCT order_id FROM {table}
             WHERE order_id NOT IN (SELECT order_id FROM head) ORDER BY order_id"
        );
        let orders: Vec<String> = connection
            .prepare(&sql)?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        findings.extend(orders.iter().map(|order| {
            let what = format!("it is in the table `{table}`, and was never taken on");
            Finding::of_order(order, what)
        }));
    }
    Ok(findings)
}

/// The look through one order.
struct OrderCheck<'a> {
    id: &'a str,
    head: Option<(i64, i64, Hash)>,
    read: u64,
    entries: Vec<Entry>,
    findings: Vec<Finding>,
}

impl<'a> OrderCheck<'a> {
    fn of(order: &'a Listed, sealed: bool) -> Self {
        Self {
            id: &order.id,
            head: order.head.filter(|_| sealed),
            read: 0,
            entries: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        match self.look(connection) {
            Err(error) if is_damage(&error) => {
                let what = match self.read {
                    0 => format!("it cannot be read: {error}"),
                    read => format!("what comes after entry {read} cannot be read: {error}"),
                };
                self.find(what);
                Ok(())
            }
            looked => looked,
        }
    }

    fn look(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let last = self.walk(connection)?;
        self.check_end(last);
        Ok(())
    }

    fn find(&mut self, what: String) {
        self.findings.push(Finding::of_order(self.id, what));
    }

    fn find_at(&mut self, entry: i64, what: String) {
        self.findings.push(Finding::of_entry(self.id, entry, what));
    }

    /// Entry by entry; the number and the hash of the last one.
    fn walk(&mut self, connection: &Connection) -> rusqlite::Result<(i64, Option<Hash>)> {
        let mut before = match self.head {
            Some((number, ..)) => self.origin(connection, number)?,
            None => None,
        };
        let hash = if self.head.is_some() { "hash" } else { "NULL" };
        let mut query = connection.prepare_cached(&format!(
            "SELECT seq, at, kind, task, detail, {hash} FROM entry WHERE order_id = ? ORDER BY seq"
        ))?;
        let mut rows = query.query([self.id])?;
        let mut last = 0;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            self.miss(last + 1, seq - 1);
            if seq != last + 1 {
                before = None;
            }
            before = self.row(row, seq, before)?;
            last = seq;
        }
        Ok((last, before))
    }

    fn origin(&mut self, connection: &Connection, number: i64) -> rusqlite::Result<Option<Hash>> {
        let origin = migrate::origin(connection, self.id, number)?;
        if origin.is_none() {
            self.find("its row in `plan` is missing".to_owned());
        }
        Ok(origin)
    }

    fn miss(&mut self, first: i64, last: i64) {
        if first == last {
            self.find_at(first, "it is missing".to_owned());
        } else if first < last {
            self.find_at(first, format!("it is missing, with all up to entry {last}"));
        }
    }

    /// One entry; answers its hash as it is written.
    fn row(
        &mut self,
        row: &Row<'_>,
        seq: i64,
        before: Option<Hash>,
    ) -> rusqlite::Result<Option<Hash>> {
        self.read += 1;
        let (at, kind): (String, String) = (row.get(1)?, row.get(2)?);
        let (task, detail): (Option<String>, String) = (row.get(3)?, row.get(4)?);
        let written: Option<Hash> = row.get(5)?;
        let content = seal::content(&at, &kind, task.as_deref(), &detail);
        if let (Some(before), Some(written)) = (before, written)
            && seal::next(&before, seq, &content) != written
        {
            let what = if seq == 1 {
                "it does not fit to its hash: it, the documents of the order or its row in `plan` \
                 are not what was written"
            } else {
                "it does not fit to its hash: it, or the hash of the entry before, is not what was \
                 written"
            };
            self.find_at(seq, format!("({kind}) {what}"));
        }
        match Entry::decode(&at, &kind, task, &detail) {
            Ok(entry) => self.entries.push(entry),
            Err(error) => self.find_at(seq, error.to_string()),
        }
        Ok(written)
    }

    /// Whether the last entry is the one that was written last.
    fn check_end(&mut self, (last, hash): (i64, Option<Hash>)) {
        let Some((_, seq, head)) = self.head else {
            return;
        };
        self.miss(last + 1, seq);
        if last > seq {
            self.find_at(seq + 1, "it was not written by orderctl".to_owned());
        } else if last == seq && hash.is_some_and(|hash| hash != head) {
            self.find_at(
                last,
                "its hash is not the one that was written last".to_owned(),
            );
        }
    }

    /// Whether it can have happened.
    fn replay(&mut self, connection: &Connection, path: &Path) -> Result<(), JournalError> {
        // As every reader has it.
        let Some(stored) = sqlite::stored(connection, path, self.id)? else {
            return Ok(());
        };
        let Some(plan) = stored.documents.last() else {
            return Ok(());
        };
        match serde_json::from_str::<OrchestrationPlan>(plan) {
            Ok(plan) => {
                if let Err(fault) = Progress::replay(&plan, &self.entries) {
                    self.find(fault.to_string());
                }
            }
            Err(error) => self.find(format!("its plan cannot be read: {error}")),
        }
        Ok(())
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, Utf8Error};

    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt)
    ) || matches!(
        error,
        FromSqlConversionFailure(..) | InvalidColumnType(..) | Utf8Error(..)
    )
}
