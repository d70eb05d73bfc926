//! Copying the log into the database while more is written.
//!
//! `SQLite` does it by itself, but within the commit by which the log has become too long, and then
//! everybody who waits for the journal waits for that. Here it is done beside the writer, who then
//! copies only what has come in meanwhile; after that the log begins anew.

use std::path::{Path, PathBuf};
use std::thread::{Builder, JoinHandle};

use rusqlite::{Connection, OpenFlags};

/// How much is written before it is copied: in the log it takes somewhat more.
const ENOUGH: usize = 16 << 20;

/// Who copies the log of a journal.
#[derive(Debug)]
pub(super) struct Copier {
    path: PathBuf,
    /// Bytes that were written since it was copied, about.
    bytes: usize,
    at_work: Option<JoinHandle<()>>,
}

impl Copier {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            bytes: 0,
            at_work: None,
        }
    }

    /// Takes note of so many bytes more. `writer` is the connection that has written them, between
    /// two transactions.
    ///
    /// What fails here is nobody's misfortune: where the log gets much longer, the commit copies it.
    pub(super) fn written(&mut self, bytes: usize, writer: &Connection) {
        self.bytes = self.bytes.saturating_add(bytes);
        if let Some(ended) = self.at_work.take_if(|it| it.is_finished()) {
            drop(ended.join());
            drop(copy(writer));
            self.bytes = 0;
        } else if self.at_work.is_none() && self.bytes >= ENOUGH {
            let path = self.path.clone();
            let beside = move || drop(open(&path).and_then(|it| copy(&it)));
            let thread = Builder::new().name("journal-copy".into()).spawn(beside);
            self.at_work = thread.ok();
            self.bytes = 0;
        }
    }

    /// Waits until it is done: whoever closes the file last removes the log.
    pub(super) fn finish(self) {
        if let Some(at_work) = self.at_work {
            drop(at_work.join());
        }
    }
}

/// Opens the file that the writer has made; makes none.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

/// Copies what is in the log, as far as nobody still reads what was there before.
fn copy(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}
