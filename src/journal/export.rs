//! All of a journal as JSON, one line for an order and one for every entry.

use rusqlite::{Connection, params};
use serde::Serialize;
use serde_json::value::RawValue;

use super::error::JournalError;
use super::seal::Hash;
use super::sqlite::{self, Content, JournalReader, SEALED_VERSION};
use crate::model::digest;

/// Format version of the lines written by this release.
pub const FORMAT_VERSION: &str = "1.0";

/// What is written about an order besides its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Documents {
    /// Nothing of them.
    Left,
    /// The chain as it was taken on, the plan included.
    Included,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderLine<'a> {
    #[serde(rename = "@type")]
    type_name: &'static str,
    format_version: &'static str,
    order_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    plan_digest: String,
    tasks: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    document: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryLine<'a> {
    #[serde(rename = "@type")]
    type_name: &'static str,
    order_id: &'a str,
    seq: i64,
    at: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'a str>,
    detail: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
}

/// The lines of an order: what was taken on, then every entry, each without a line end; none where
/// the journal does not have it.
///
/// # Errors
/// Where the file cannot be read, or what is in it is no JSON.
pub fn lines(
    reader: &JournalReader,
    order_id: &str,
    documents: Documents,
) -> Result<Vec<String>, JournalError> {
    of_order(reader, order_id, |order, is_sealed| {
        let mut lines = order.order(documents)?;
        if !lines.is_empty() {
            lines.extend(order.entries(is_sealed, 1)?);
        }
        Ok(lines)
    })
}

/// The entries of an order from one on, counted from 1, each without a line end.
///
/// # Errors
/// Where the file cannot be read, or what is in it is no JSON.
pub fn entries(
    reader: &JournalReader,
    order_id: &str,
    first: i64,
) -> Result<Vec<String>, JournalError> {
    of_order(reader, order_id, |order, is_sealed| {
        order.entries(is_sealed, first)
    })
}

/// What `read` makes of an order, all of it at one moment; it is told whether entries have hashes.
fn of_order(
    reader: &JournalReader,
    id: &str,
    read: impl Fn(&Order<'_>, bool) -> Result<Vec<String>, JournalError>,
) -> Result<Vec<String>, JournalError> {
    reader.read(|connection| {
        let Content::Journal { version } = sqlite::inspect(connection, reader.path())? else {
            return Ok(Vec::new());
        };
        let order = Order {
            connection,
            reader,
            id,
        };
        read(&order, version >= SEALED_VERSION)
    })
}

struct Order<'a> {
    connection: &'a Connection,
    reader: &'a JournalReader,
    id: &'a str,
}

impl Order<'_> {
    fn wrong(&self, error: &rusqlite::Error) -> JournalError {
        JournalError::database(self.reader.path(), error)
    }

    fn json(&self, text: String, place: &str) -> Result<Box<RawValue>, JournalError> {
        RawValue::from_string(text).map_err(|error| JournalError::Corrupt {
            path: self.reader.path().to_path_buf(),
            reason: format!("order {}, {place}: {error}", self.id),
        })
    }

    fn order(&self, documents: Documents) -> Result<Vec<String>, JournalError> {
        let plans: Vec<(Option<String>, String, u32)> = self
            .connection
            .prepare_cached("SELECT external_id, digest, tasks FROM plan WHERE order_id = ?")
            .and_then(|mut sql| {
                sql.query_map([self.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                    .collect()
            })
            .map_err(|error| self.wrong(&error))?;
        let mut lines = Vec::new();
        for (external_id, plan_digest, tasks) in plans {
            let document = match documents {
                Documents::Left => Vec::new(),
                Documents::Included => self.documents()?,
            };
            let line = OrderLine {
                type_name: "JournalOrder",
                format_version: FORMAT_VERSION,
                order_id: self.id,
                external_id,
                plan_digest,
                tasks,
                document,
            };
            lines.push(serde_json::to_string(&line).expect("texts and JSON always serialize"));
        }
        Ok(lines)
    }

    fn documents(&self) -> Result<Vec<Box<RawValue>>, JournalError> {
        let texts: Vec<String> = self
            .connection
            .prepare_cached("SELECT text FROM document WHERE order_id = ? ORDER BY position")
            .and_then(|mut sql| sql.query_map([self.id], |row| row.get(0))?.collect())
            .map_err(|error| self.wrong(&error))?;
        texts
            .into_iter()
            .map(|text| self.json(text, "its documents"))
            .collect()
    }

    fn entries(&self, sealed: bool, first: i64) -> Result<Vec<String>, JournalError> {
        let wrong = |error| self.wrong(&error);
        let hash = if sealed { "hash" } else { "NULL" };
        let mut query = self
            .connection
            .prepare_cached(&format!(
                "SELECT seq, at, kind, task, detail, {hash} FROM entry
                 WHERE order_id = ? AND seq >= ? ORDER BY seq"
            ))
            .map_err(wrong)?;
        let mut rows = query.query(params![self.id, first]).map_err(wrong)?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next().map_err(wrong)? {
            let seq: i64 = row.get(0).map_err(wrong)?;
            let text = |at: usize| row.get::<_, String>(at).map_err(wrong);
            let detail = self.json(text(4)?, &format!("entry {seq}"))?;
            let hash: Option<Hash> = row.get(5).map_err(wrong)?;
            let task: Option<String> = row.get(3).map_err(wrong)?;
            let line = EntryLine {
                type_name: "JournalEntry",
                order_id: self.id,
                seq,
                at: &text(1)?,
                kind: &text(2)?,
                task: task.as_deref(),
                detail: &detail,
                hash: hash.map(|hash| digest::text(&hash)),
            };
            lines.push(serde_json::to_string(&line).expect("texts and JSON always serialize"));
        }
        Ok(lines)
    }
}
