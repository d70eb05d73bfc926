//! What can go wrong with a journal, always with the file it went wrong on.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};
use thiserror::Error;

/// What SQLite calls it when the system does not take what is written.
const NOT_WRITTEN: [i32; 4] = [
    ffi::SQLITE_IOERR_WRITE,
    ffi::SQLITE_IOERR_FSYNC,
    ffi::SQLITE_IOERR_TRUNCATE,
    ffi::SQLITE_IOERR_SHMSIZE,
];

/// A journal that cannot be used. Cloned to everybody who waits for the same
/// transaction.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JournalError {
    /// There is no journal to read.
    #[error("no journal at {}", path.display())]
    NotFound {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The folder of the journal, or a file beside it, cannot be made or read.
    #[error("cannot use {} for the journal: {reason}", path.display())]
    Folder {
        /// Folder or file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file cannot be opened.
    #[error("cannot open journal {}: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is a database of something else, or no database at all.
    #[error("{} is not a journal of orderctl", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a later release.
    #[error(
        "journal {} has schema {found}, this orderctl reads up to {supported}: use a newer orderctl",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest that this release knows.
        supported: i64,
    },
    /// No room left.
    #[error("journal {}: disk full", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The file, or its folder, may not be written.
    #[error("journal {} is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Another program kept the file locked for too long.
    #[error("journal {} is locked by another program", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file does not hold together.
    #[error("journal {} is corrupt: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The system takes no more of it, for another reason than a full disk.
    #[error(
        "journal {} cannot be written: {reason} (a limit on the size of files, a quota, or a \
         disk that fails)",
        path.display()
    )]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
    /// The database failed in another way.
    #[error("journal {}: {reason}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
    /// Somebody else is carrying out the same order.
    #[error("order {order} is being carried out by process {pid} on {host}, since {since}")]
    OrderBusy {
        /// Root order id.
        order: String,
        /// Process that is at work on it.
        pid: u32,
        /// The machine that it runs on.
        host: String,
        /// When it took the order up, RFC 3339.
        since: String,
    },
    /// Another order that has not ended is about the same thing.
    #[error(
        "order {order}: order {other}, which has not ended, changes or removes {subject}, too; let it end, or \
         cancel it (orderctl plan --cancel), then decompose and plan this one again; or give --allow-stale"
    )]
    SubjectBusy {
        /// Root order id.
        order: String,
        /// Id of the other one.
        other: String,
        /// What both are about, such as `product C-7`.
        subject: String,
    },
    /// An older release is writing the file, which would be brought up to date under its hands.
    #[error(
        "journal {} has schema {found} and is in use by process {pid}: end that first, then the \
         journal is brought up to date",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// Process that is at work on it.
        pid: u32,
    },
    /// The journal was closed while something was still to be written.
    #[error("journal {} is closed", path.display())]
    Closed {
        /// The file.
        path: PathBuf,
    },
}

impl JournalError {
    /// A database error, classed.
    pub(super) fn database(path: &Path, error: &rusqlite::Error) -> Self {
        let reason = error.to_string();
        // SQLite repeats the path where it cannot open it.
        let reason = match reason.strip_suffix(&format!(": {}", path.display())) {
            Some(reason) => reason.to_owned(),
            None => reason,
        };
        let path = path.to_path_buf();
        let extended = error.sqlite_error().map(|it| it.extended_code);
        if extended.is_some_and(|code| NOT_WRITTEN.contains(&code)) {
            return Self::NotWritten { path, reason };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::NotADatabase) => Self::NotAJournal { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, reason },
            Some(ErrorCode::CannotOpen) => Self::Open { path, reason },
            _ => Self::Database { path, reason },
        }
    }

    /// A file error on `path`.
    pub(super) fn file(path: &Path, error: &io::Error) -> Self {
        Self::Folder {
            path: path.to_path_buf(),
            reason: error.to_string(),
        }
    }
}
