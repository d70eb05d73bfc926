//! Orders of a journal by what is in their documents and entries.

use std::collections::HashSet;

use super::error::JournalError;
use super::sqlite::JournalReader;

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
