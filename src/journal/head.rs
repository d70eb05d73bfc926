//! The last entry of an order, and how further ones come behind it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::entry::{Entry, Planned};
use super::error::JournalError;
use super::seal::{self, Hash, Origin};

/// An entry as a row.
#[derive(Debug)]
pub(super) struct EntryRow {
    pub at: String,
    pub kind: &'static str,
    pub task: Option<String>,
    pub detail: String,
    /// Hash of what it says; made by whoever makes the entry, so that the one who writes need not.
    content: Hash,
}

impl EntryRow {
    pub(super) fn new(entry: &Entry) -> Self {
        Self::at(entry.at_text(), entry)
    }

    fn at(at: String, entry: &Entry) -> Self {
        let (kind, task) = (entry.event.kind(), entry.event.task());
        let detail = entry.event.detail();
        Self {
            content: seal::content(&at, kind, task, &detail),
            kind,
            task: task.map(str::to_owned),
            detail,
            at,
        }
    }

    /// Bytes that it takes in the file, about: beside its detail there are names, hash and index.
    pub(super) fn size(&self) -> usize {
        const BESIDE: usize = 256;
        self.detail.len() + BESIDE
    }

    /// The same at this time, where its own is an earlier one.
    pub(super) fn not_before(&self, at: String) -> Self {
        let at = at.max(self.at.clone());
        Self {
            content: seal::content(&at, self.kind, self.task.as_deref(), &self.detail),
            at,
            kind: self.kind,
            task: self.task.clone(),
            detail: self.detail.clone(),
        }
    }
}

/// The last entry of an order.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Number of the order.
    number: i64,
    /// Number of the entry; 0 before the first.
    seq: i64,
    /// Its hash.
    hash: Hash,
}

impl Head {
    /// Before the first entry of an order that is taken on.
    pub(super) fn begin(
        transaction: &Transaction<'_>,
        planned: &Planned,
        documents: &[Hash],
    ) -> rusqlite::Result<Self> {
        let mut head = Self::numbered(transaction, &planned.order_id)?;
        let origin = Origin {
            number: head.number,
            order_id: &planned.order_id,
            external_id: planned.external_id.as_deref(),
            digest: &planned.plan_digest,
            tasks: planned.tasks,
        };
        head.hash = origin.hash(documents);
        Ok(head)
    }

    /// Gives an order its number; its hash is still to be made.
    pub(super) fn numbered(connection: &Connection, order_id: &str) -> rusqlite::Result<Self> {
        let hash = [0; 32];
        connection
            .prepare_cached("INSERT INTO head (order_id, seq, hash) VALUES (?, 0, ?)")?
            .execute(params![order_id, hash])?;
        Ok(Self {
            number: connection.last_insert_rowid(),
            seq: 0,
            hash,
        })
    }

    /// Number of its order.
    pub(super) fn number(&self) -> i64 {
        self.number
    }

    /// Begins the chain with this.
    pub(super) fn set_origin(&mut self, hash: Hash) {
        self.hash = hash;
    }

    /// The last entry of an order that has so many.
    pub(super) fn of(
        connection: &Connection,
        path: &Path,
        order_id: &str,
        entries: usize,
    ) -> Result<Self, JournalError> {
        let corrupt = |reason: String| JournalError::Corrupt {
            path: path.to_path_buf(),
            reason: format!("order {order_id}: {reason}"),
        };
        let head = connection
            .prepare_cached("SELECT number, seq, hash FROM head WHERE order_id = ?")
            .and_then(|mut sql| {
                let head = |row: &rusqlite::Row<'_>| {
                    Ok(Self {
                        number: row.get(0)?,
                        seq: row.get(1)?,
                        hash: row.get(2)?,
                    })
                };
                sql.query_row([order_id], head).optional()
            })
            .map_err(|error| JournalError::database(path, &error))?;
        let Some(head) = head else {
            return Err(corrupt("it is in no row of `head`".to_owned()));
        };
        if usize::try_from(head.seq).ok() != Some(entries) {
            let written = head.seq;
            return Err(corrupt(format!(
                "{written} entries were written, {entries} are there; `orderctl journal verify` \
                 says which"
            )));
        }
        Ok(head)
    }

    /// Number of the next entry.
    pub(super) fn next(&self) -> i64 {
        self.seq.saturating_add(1)
    }

    /// Adds rows, each sealed with the one before. Where that fails nothing has changed.
    pub(super) fn extend(
        &mut self,
        connection: &Connection,
        order_id: &str,
        rows: &[EntryRow],
    ) -> rusqlite::Result<()> {
        let mut sql = connection.prepare_cached(
            "INSERT INTO entry (order_id, seq, at, kind, task, detail, hash)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?;
        let mut ahead = self.clone();
        for row in rows {
            let EntryRow {
                at,
                kind,
                task,
                detail,
                content,
            } = row;
            ahead.advance(content);
            let Self { seq, hash, .. } = &ahead;
            sql.execute(params![order_id, seq, at, kind, task, detail, hash])?;
        }
        *self = ahead;
        Ok(())
    }

    /// Moves on to an entry with this content; answers its hash.
    pub(super) fn advance(&mut self, content: &Hash) -> Hash {
        self.seq = self.next();
        self.hash = seal::next(&self.hash, self.seq, content);
        self.hash
    }

    /// Writes where the order is.
    pub(super) fn store(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection
            .prepare_cached("UPDATE head SET seq = ?, hash = ? WHERE number = ?")?
            .execute(params![self.seq, self.hash, self.number])
            .map(drop)
    }
}
