//! What people write: entries beside whoever is at work on the order.
//!
//! A person's entry is a transaction of its own, written behind everything
//! that is in the journal at that moment and decided on what is in it. No lease
//! is taken, so that it can be written while an order is being carried out; who
//! does that learns of it (see [`writer`](super::writer)).

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::entry::Entry;
use super::error::JournalError;
use super::head::{EntryRow, Head};
use super::sqlite::{self, BUSY_TIMEOUT, Content, OwnerRow, StoredOrder};
use super::{migrate, owner};

/// An order as a person finds it.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its documents and entries.
    pub stored: StoredOrder,
    /// The process that is at work on it right now.
    pub at_work: Option<u32>,
}

/// Decides on an order of the journal at `path`, and makes the entries that come of it durable.
/// Nobody can write anything between the two. Of an order that is not in the journal nothing
/// happens, and the answer is none.
///
/// # Errors
/// Where there is no journal or it cannot be written; what `decide` says, and nothing is written.
pub fn write<T, E: From<JournalError>>(
    path: &Path,
    order_id: &str,
    decide: impl FnOnce(&Found) -> Result<(Vec<Entry>, T), E>,
) -> Result<Option<T>, E> {
    let wrong = |error: rusqlite::Error| E::from(JournalError::database(path, &error));
    let mut connection = open(path)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(wrong)?;
    let Some((found, mut head)) = find(&transaction, path, order_id)? else {
        return Ok(None);
    };
    let (entries, answer) = decide(&found)?;
    let rows: Vec<_> = entries.iter().map(EntryRow::new).collect();
    head.extend(&transaction, order_id, &rows)
        .and_then(|()| head.store(&transaction))
        .map_err(wrong)?;
    transaction.commit().map_err(wrong)?;
    Ok(Some(answer))
}

/// Opens a journal that is there.
fn open(path: &Path) -> Result<Connection, JournalError> {
    if !path.exists() {
        return Err(JournalError::NotFound {
            path: path.to_path_buf(),
        });
    }
    sqlite::refuse_folder(path)?;
    let wrong = |error| JournalError::database(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(wrong)?;
    // Looks before anything is changed.
    sqlite::look(&connection, path)?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(wrong)?;
    Ok(connection)
}

fn find(
    transaction: &Transaction<'_>,
    path: &Path,
    order_id: &str,
) -> Result<Option<(Found, Head)>, JournalError> {
    let content = sqlite::inspect(transaction, path)?;
    if content == Content::Empty {
        return Ok(None);
    }
    let wrong = |error| JournalError::database(path, &error);
    migrate::bring_up_to_date(transaction, path, content)?;
    let Some(stored) = sqlite::stored(transaction, path, order_id)? else {
        return Ok(None);
    };
    let at_work = match sqlite::owner_of(transaction, order_id).map_err(wrong)? {
        Some(OwnerRow { pid, token, .. }) if owner::is_alive(path, &token)? => Some(pid),
        Some(_) | None => None,
    };
    let head = Head::of(transaction, path, order_id, stored.entries.len())?;
    Ok(Some((Found { stored, at_work }, head)))
}
