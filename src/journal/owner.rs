//! Who is at work: every process that writes a journal holds a lock on a file
//! of its own beside it.
//!
//! The operating system gives the lock up when the process ends, however it
//! ends, so a locked file is a living owner and an unlocked or missing one is
//! dead; neither process ids that come round again nor containers that cannot
//! see each other's processes matter. Files are made and removed only inside an
//! immediate transaction of the journal, hence by one process at a time; judged
//! by anybody, also by who only reads: judges share the lock, so that none of
//! them is taken for an owner.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::error::JournalError;

/// This process as a writer of one journal. Dropping it ends the ownership.
#[derive(Debug)]
pub(super) struct Owner {
    /// Process id, for people.
    pub pid: u32,
    /// The machine it runs on, for people.
    pub host: String,
    /// Names the owner in the table `owner`.
    pub token: String,
    path: PathBuf,
    _locked: File,
}

impl Owner {
    /// Clears away the files of the dead, then makes and locks one for this
    /// process. To be called inside an immediate transaction.
    pub(super) fn register(journal: &Path) -> Result<Self, JournalError> {
        sweep(journal)?;
        let pid = std::process::id();
        let mut number = 0_u32;
        loop {
            let token = format!("{pid}-{number}");
            let path = lock_file(journal, &token);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    file.lock()
                        .map_err(|error| JournalError::file(&path, &error))?;
                    return Ok(Self {
                        pid,
                        host: host(),
                        token,
                        path,
                        _locked: file,
                    });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < u32::MAX => {
                    number += 1;
                }
                Err(error) => return Err(JournalError::file(&path, &error)),
            }
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // A file that stays is unlocked, and cleared away by the next writer.
        let _ = fs::remove_file(&self.path);
    }
}

/// What this machine is called.
#[cfg(unix)]
fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

/// What this machine is called.
#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "this machine".to_owned())
}

/// Whether the owner with this token is at work.
pub(super) fn is_alive(journal: &Path, token: &str) -> Result<bool, JournalError> {
    let path = lock_file(journal, token);
    is_locked(&path).map_err(|error| JournalError::file(&path, &error))
}

fn is_locked(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn lock_file(journal: &Path, token: &str) -> PathBuf {
    let mut name = prefix(journal);
    name.push(token);
    journal.with_file_name(name)
}

fn prefix(journal: &Path) -> OsString {
    let mut name = journal.file_name().unwrap_or_default().to_owned();
    name.push("-owner-");
    name
}

fn sweep(journal: &Path) -> Result<(), JournalError> {
    let folder = match journal.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let wrong = |error: io::Error| JournalError::file(folder, &error);
    let prefix = prefix(journal);
    for found in fs::read_dir(folder).map_err(wrong)? {
        let found = found.map_err(wrong)?;
        let name = found.file_name();
        let ours = name
            .as_encoded_bytes()
            .starts_with(prefix.as_encoded_bytes());
        if ours && !is_locked(&found.path()).map_err(|it| JournalError::file(&found.path(), &it))? {
            // Its owner may be removing it at this moment.
            match fs::remove_file(found.path()) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(JournalError::file(&found.path(), &error));
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::process::{Command, Stdio};

    use super::*;

    const JOURNAL: &str = "ORDERCTL_TEST_OWN";

    /// Runs itself a second time, as the process to be killed.
    #[test]
    fn a_killed_process_owns_nothing_and_its_file_is_cleared_away() {
        if let Some(journal) = std::env::var_os(JOURNAL) {
            let owner = Owner::register(Path::new(&journal)).unwrap();
            writeln!(io::stdout(), "\ntoken {}", owner.token).unwrap();
            io::stdin().read_exact(&mut [0]).unwrap();
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal.db");
        let name = "a_killed_process_owns_nothing_and_its_file_is_cleared_away";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                &format!("journal::owner::tests::{name}"),
                "--exact",
                "--nocapture",
            ])
            .env(JOURNAL, &journal)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let token = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .find_map(|line| Some(line.unwrap().strip_prefix("token ")?.to_owned()))
            .unwrap();
        assert!(is_alive(&journal, &token).unwrap());
        let judge = File::open(lock_file(&journal, &token)).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        judge.lock_shared().unwrap();
        assert!(!is_alive(&journal, &token).unwrap(), "a judge is no owner");
        assert!(lock_file(&journal, &token).exists());
        let owner = Owner::register(&journal).unwrap();
        assert!(!lock_file(&journal, &token).exists());
        assert!(is_alive(&journal, &owner.token).unwrap());
        drop(owner);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
