//! Where entries are made durable.

use crate::journal::{Entry, Foreign, JournalError, Lease};

/// Takes the entries of one order, and tells what others write about it. Entries are numbered
/// from 1, whoever writes them.
pub trait Log: Send + Sync + 'static {
    /// Adds entries, in order; durable when done. They come before those of any later call, whether or
    /// not it is waited for them.
    fn append(&self, entries: &[Entry]) -> impl Future<Output = Result<(), JournalError>> + Send;

    /// Adds entries about one task; does not, and says false, where others have written about it
    /// after the entry number `seen`.
    fn intend(
        &self,
        entries: &[Entry],
        seen: u64,
    ) -> impl Future<Output = Result<bool, JournalError>> + Send;

    /// What others have written after the entry number `seen`.
    fn look(&self, seen: u64) -> impl Future<Output = Result<Vec<Foreign>, JournalError>> + Send;

    /// [`look`](Self::look), done once there is something.
    fn changed(&self, seen: u64)
    -> impl Future<Output = Result<Vec<Foreign>, JournalError>> + Send;
}

impl Log for Lease {
    fn append(&self, entries: &[Entry]) -> impl Future<Output = Result<(), JournalError>> + Send {
        Self::append(self, entries)
    }

    fn intend(
        &self,
        entries: &[Entry],
        seen: u64,
    ) -> impl Future<Output = Result<bool, JournalError>> + Send {
        Self::intend(self, entries, seen)
    }

    fn look(&self, seen: u64) -> impl Future<Output = Result<Vec<Foreign>, JournalError>> + Send {
        Self::look(self, seen)
    }

    fn changed(
        &self,
        seen: u64,
    ) -> impl Future<Output = Result<Vec<Foreign>, JournalError>> + Send {
        Self::changed(self, seen)
    }
}
