//! Journals of older releases, brought up to date by whoever writes them next.
//!
//! All of it is in the transaction of the writer: a journal has one schema or
//! the other, whatever happens on the way.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::JournalError;
use super::head::Head;
use super::owner;
use super::seal::{self, Origin};
use super::sqlite::{Content, SCHEMA_VERSION, SEALED_VERSION};

/// Entries are kept in the sequence in which they are written, and have hashes: a table is made
/// anew, since neither can be given to one that is there.
const NEW_ENTRY: &str = "
    CREATE TABLE new_entry (
        order_id TEXT NOT NULL REFERENCES plan,
        seq      INTEGER NOT NULL,
        at       TEXT NOT NULL,
        kind     TEXT NOT NULL,
        task     TEXT,
        detail   TEXT NOT NULL,
        hash     BLOB NOT NULL,
        PRIMARY KEY (order_id, seq)
    ) STRICT;
";

/// What comes with hashes. Owners of older releases are dead.
const WITH_HASHES: &str = "
    CREATE TABLE head (
        number   INTEGER PRIMARY KEY AUTOINCREMENT,
        order_id TEXT NOT NULL UNIQUE REFERENCES plan,
        seq      INTEGER NOT NULL,
        hash     BLOB NOT NULL
    ) STRICT;
    DROP TABLE owner;
    CREATE TABLE owner (
        order_id TEXT PRIMARY KEY,
        pid      INTEGER NOT NULL,
        token    TEXT NOT NULL,
        host     TEXT NOT NULL,
        since    TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Gives a journal the schema of this release, inside the transaction of a writer.
pub(super) fn bring_up_to_date(
    connection: &Connection,
    path: &Path,
    content: Content,
) -> Result<(), JournalError> {
    let wrong = |error| JournalError::database(path, &error);
    match content {
        Content::Journal {
            version: SCHEMA_VERSION,
        } => return Ok(()),
        Content::Journal { version } => {
            if let Some(pid) = at_work(connection, path)? {
                return Err(JournalError::InUse {
                    path: path.to_path_buf(),
                    found: version,
                    pid,
                });
            }
            bring_up(connection, version).map_err(wrong)?;
        }
        Content::Empty => {}
    }
    connection
        .pragma_update(None, "user_version", SCHEMA_VERSION)
        .map_err(wrong)
}

fn bring_up(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    connection.execute_batch(NEW_ENTRY)?;
    if version < SEALED_VERSION {
        connection.execute_batch(WITH_HASHES)?;
        seal_all(connection)?;
    } else {
        connection.execute_batch(
            "INSERT INTO new_entry (order_id, seq, at, kind, task, detail, hash)
             SELECT order_id, seq, at, kind, task, detail, hash FROM entry ORDER BY order_id, seq",
        )?;
    }
    connection.execute_batch("DROP TABLE entry; ALTER TABLE new_entry RENAME TO entry;")
}

/// A living process of an older release that writes the journal.
fn at_work(connection: &Connection, path: &Path) -> Result<Option<u32>, JournalError> {
    let owners: Vec<(u32, String)> = connection
        .prepare("SELECT DISTINCT pid, token FROM owner ORDER BY pid, token")
        .and_then(|mut rows| {
            rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .map_err(|error| JournalError::database(path, &error))?;
    for (pid, token) in owners {
        if owner::is_alive(path, &token)? {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}

/// Seals what is there, as it is: from now on it is known when it changes. Orders are numbered in
/// the order of the moments at which they were taken on.
fn seal_all(connection: &Connection) -> rusqlite::Result<()> {
    let orders: Vec<String> = connection
        .prepare(
            "SELECT plan.order_id FROM plan LEFT JOIN entry
                ON entry.order_id = plan.order_id AND entry.seq = 1
             ORDER BY entry.at, plan.order_id",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for order_id in orders {
        let mut head = Head::numbered(connection, &order_id)?;
        if let Some(hash) = origin(connection, &order_id, head.number())? {
            head.set_origin(hash);
        }
        seal_entries(connection, &order_id, &mut head)?;
        head.store(connection)?;
    }
    Ok(())
}

/// What the chain of an order begins with; none where no plan of it is there.
pub(super) fn origin(
    connection: &Connection,
    order_id: &str,
    number: i64,
) -> rusqlite::Result<Option<seal::Hash>> {
    let documents: Vec<seal::Hash> = connection
        .prepare_cached("SELECT text FROM document WHERE order_id = ? ORDER BY position")?
        .query_map([order_id], |row| {
            Ok(seal::document(row.get_ref(0)?.as_str()?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let plan: Option<(Option<String>, String, u32)> = connection
        .prepare_cached("SELECT external_id, digest, tasks FROM plan WHERE order_id = ?")?
        .query_row([order_id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(plan.map(|(external_id, digest, tasks)| {
        let origin = Origin {
            number,
            order_id,
            external_id: external_id.as_deref(),
            digest: &digest,
            tasks,
        };
        origin.hash(&documents)
    }))
}

fn seal_entries(connection: &Connection, order_id: &str, head: &mut Head) -> rusqlite::Result<()> {
    let mut read = connection.prepare_cached(
        "SELECT seq, at, kind, task, detail FROM entry WHERE order_id = ? ORDER BY seq",
    )?;
    let mut write = connection.prepare_cached(
        "INSERT INTO new_entry (order_id, seq, at, kind, task, detail, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut rows = read.query([order_id])?;
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let text = |at: usize| row.get_ref(at).and_then(|it| Ok(it.as_str()?));
        let (at, kind, detail) = (text(1)?, text(2)?, text(4)?);
        let task: Option<String> = row.get(3)?;
        let hash = head.advance(&seal::content(at, kind, task.as_deref(), detail));
        write.execute(params![order_id, seq, at, kind, task, detail, hash])?;
    }
    Ok(())
}
