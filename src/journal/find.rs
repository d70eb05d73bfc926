//! Orders of a journal by what is in their documents and entries.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use rusqlite::Connection;

use super::error::JournalError;
use super::sqlite::{JournalReader, has_ended};
use crate::document::Document;
use crate::model::state::{FlowState, OrderState};
use crate::model::{Action, Order, entity_id};

/// Ids of the orders of which a task is held, or has failed, for a reason that contains `text`, in
/// whatever case.
///
/// # Errors
/// Where the file cannot be read.
pub fn with_error(reader: &JournalReader, text: &str) -> Result<HashSet<String>, JournalError> {
    let text = text.to_lowercase();
    reader.read(|connection| {
        let wrong = |error| JournalError::database(reader.path(), &error);
        // SQLite takes the other columns from the row that holds the maximum. Its own `lower` knows
        // ASCII only.
        let mut query = connection
            .prepare(
                "SELECT order_id, detail FROM (
                    SELECT order_id, kind, detail, max(seq) FROM entry
                    WHERE task IS NOT NULL GROUP BY order_id, task
                ) WHERE kind IN ('held', 'failed', 'failedByHand', 'windowMissed')",
            )
            .map_err(wrong)?;
        let mut rows = query.query([]).map_err(wrong)?;
        let mut found = HashSet::new();
        while let Some(row) = rows.next().map_err(wrong)? {
            let detail: String = row.get(1).map_err(wrong)?;
            let detail: serde_json::Value = serde_json::from_str(&detail).unwrap_or_default();
            let reason = detail["reason"].as_str().unwrap_or("window missed");
            if reason.to_lowercase().contains(&text) {
                found.insert(row.get(0).map_err(wrong)?);
            }
        }
        Ok(found)
    })
}

/// Ids of the orders whose root document is one that `is_it` takes.
///
/// # Errors
/// Where the file cannot be read.
pub fn with_root(
    reader: &JournalReader,
    is_it: &dyn Fn(&str) -> bool,
) -> Result<HashSet<String>, JournalError> {
    reader.read(|connection| {
        let wrong = |error| JournalError::database(reader.path(), &error);
        let mut query = connection
            .prepare("SELECT order_id, text FROM document WHERE position = 0")
            .map_err(wrong)?;
        let mut rows = query.query([]).map_err(wrong)?;
        let mut found = HashSet::new();
        while let Some(row) = rows.next().map_err(wrong)? {
            let text = row.get_ref(1).and_then(|it| Ok(it.as_str()?));
            if is_it(text.map_err(wrong)?) {
                found.insert(row.get(0).map_err(wrong)?);
            }
        }
        Ok(found)
    })
}

/// What a root order changes or removes, such as `product C-7`.
#[must_use]
pub fn subjects(order: &Document) -> Vec<String> {
    let Some(order) = Order::read(order) else {
        return Vec::new();
    };
    let layer = match order {
        Order::Product(_) => "product",
        Order::Service(_) => "service",
        Order::Resource(_) => "resource",
    };
    let changes = |action| matches!(action, Some(Action::Modify | Action::Delete));
    let items = order.items();
    let items = items.filter(|it| changes(it.action) && !OrderState::has_ended(it.node));
    items
        .filter_map(|it| Some(format!("{layer} {}", entity_id(it.entity)?)))
        .collect()
}

/// Orders of a journal that have not ended, by what they change or remove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenSubjects {
    /// Their ids, by [`subjects`].
    pub orders: HashMap<String, String>,
    /// How many orders had been taken on when these were looked for: what came later is not among them.
    pub seen: i64,
}

/// The orders that have not ended, by what they change or remove ([`subjects`]).
///
/// # Errors
/// Where the file cannot be read.
pub fn open_subjects(reader: &JournalReader) -> Result<OpenSubjects, JournalError> {
    let wrong = |error| JournalError::database(reader.path(), &error);
    // First, so that whatever is taken on meanwhile counts as later.
    let seen = reader.read(|connection| {
        let sql = "SELECT coalesce(max(number), 0) FROM head";
        connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(wrong)
    })?;
    let orders = reader.orders()?.into_iter();
    let is_open = |state| matches!(state, FlowState::Active | FlowState::Hold);
    let open: HashSet<String> = orders
        .filter(|it| is_open(it.state()))
        .map(|it| it.order_id)
        .collect();
    let orders = reader.read(|connection| {
        let mut query = connection
            .prepare("SELECT text FROM document WHERE order_id = ? AND position = 0")
            .map_err(wrong)?;
        let mut found = HashMap::new();
        for id in &open {
            let text: String = query.query_row([id], |row| row.get(0)).map_err(wrong)?;
            found.extend(subjects_of(text).into_iter().map(|it| (it, id.clone())));
        }
        Ok(found)
    })?;
    Ok(OpenSubjects { orders, seen })
}

/// What the orders that were taken on since somebody looked change or remove.
#[derive(Debug, Default)]
pub(super) struct LaterSubjects {
    /// Ids of orders, by [`subjects`].
    orders: HashMap<String, String>,
    /// Number of the last order that was looked at.
    seen: Option<i64>,
}

impl LaterSubjects {
    /// An order that was taken on after the first `seen` ones, has not ended, and changes or removes one
    /// of these things; and which of them. Every order is looked at once.
    pub(super) fn about(
        &mut self,
        connection: &Connection,
        path: &Path,
        (wanted, seen): (&[String], i64),
    ) -> Result<Option<(String, String)>, JournalError> {
        self.catch_up(connection, seen)
            .map_err(|error| JournalError::database(path, &error))?;
        for subject in wanted {
            if let Some(order) = self.orders.get(subject) {
                if !has_ended(connection, path, order)? {
                    return Ok(Some((order.clone(), subject.clone())));
                }
                self.orders.remove(subject);
            }
        }
        Ok(None)
    }

    fn catch_up(&mut self, connection: &Connection, seen: i64) -> rusqlite::Result<()> {
        let mut last = self.seen.unwrap_or(seen);
        let mut query = connection.prepare_cached(
            "SELECT head.number, head.order_id, document.text FROM head
             JOIN document ON document.order_id = head.order_id AND position = 0
             WHERE head.number > ? ORDER BY head.number",
        )?;
        let mut rows = query.query([last])?;
        while let Some(row) = rows.next()? {
            let order: String = row.get(1)?;
            let subjects = subjects_of(row.get(2)?);
            self.orders
                .extend(subjects.into_iter().map(|it| (it, order.clone())));
            last = row.get(0)?;
        }
        self.seen = Some(last);
        Ok(())
    }
}

fn subjects_of(text: String) -> Vec<String> {
    let order = Document::parse(text, "journal").ok();
    order.as_ref().map(subjects).unwrap_or_default()
}
