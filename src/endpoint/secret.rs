//! Secrets: where they come from, and a type that shows them to nobody.
//!
//! Here the environment and other programs enter the library.

use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

/// What stands where a secret would.
pub const MASK: &str = "***";
/// Largest secret that is read, in bytes.
const LIMIT: usize = 64 * 1024;
/// How long a command may take to say its secret.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two looks at whether a command has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// Where a secret comes from. It is never part of a configuration itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the environment.
    Environment(String),
    /// A file, without its last line end.
    File(PathBuf),
    /// What a program writes to its standard output, without the last line
    /// end: the program and its arguments, run without a shell.
    Command(Vec<String>),
}

/// A secret. It can be sent, and neither shown nor written.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Why there is no secret. Never says what was found.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The variable is not set, or set to nothing.
    #[error("environment variable {0} is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program cannot be started, or its output not be read.
    #[error("cannot run {program}: {source}")]
    Command {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program ended in failure.
    #[error("{program} ended with {status}")]
    Status {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The program did not end.
    #[error("{program} did not end within {PATIENCE:?}")]
    Slow {
        /// The program.
        program: String,
    },
    /// What was found cannot be a secret.
    #[error("{from} {why}")]
    Unusable {
        /// Where it was found.
        from: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Secret {
    /// The secret itself, for what is sent and nothing else.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl SecretSource {
    /// Fetches the secret. A command blocks for as long as it runs.
    ///
    /// # Errors
    /// Where there is none, or more than one line of it.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let text = self.fetch()?;
        let unusable = |why| SecretError::Unusable {
            from: self.to_string(),
            why,
        };
        let text = String::from_utf8(text).map_err(|_| unusable("is not UTF-8"))?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err(unusable("is empty"));
        }
        if secret.chars().any(char::is_control) {
            return Err(unusable("holds more than one line, or control characters"));
        }
        Ok(Secret(secret.to_owned()))
    }

    /// Fetches a text of several lines, such as a private key.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn fetch(&self) -> Result<Vec<u8>, SecretError> {
        let text = match self {
            Self::Environment(name) => match std::env::var_os(name) {
                Some(value) if !value.is_empty() => value.into_encoded_bytes(),
                _ => return Err(SecretError::NotSet(name.clone())),
            },
            Self::File(path) => from_file(path)?,
            Self::Command(command) => from_command(command)?,
        };
        if text.len() > LIMIT {
            return Err(SecretError::Unusable {
                from: self.to_string(),
                why: "is larger than 64 KiB",
            });
        }
        Ok(text)
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Command(command) => write!(f, "what {} says", program(command)),
        }
    }
}

fn from_file(path: &Path) -> Result<Vec<u8>, SecretError> {
    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LIMIT as u64 + 1).read_to_end(&mut text))
        .map_err(|source| SecretError::File {
            path: path.to_owned(),
            source,
        })?;
    Ok(text)
}

/// The program's name alone: arguments may be nobody's business.
fn program(command: &[String]) -> &str {
    command.first().map_or("", String::as_str)
}

fn from_command(command: &[String]) -> Result<Vec<u8>, SecretError> {
    let program = program(command).to_owned();
    let failed = |source| SecretError::Command {
        program: program.clone(),
        source,
    };
    let mut child = Command::new(&program)
        .args(command.iter().skip(1))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Nobody knows what it says there; the person may run it by hand to see.
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let stdout = child.stdout.take().expect("it is piped");
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.take(LIMIT as u64 + 1).read_to_end(&mut text);
        // Nobody may be waiting any more.
        let _ = tell.send(read.map(|_| text));
    });
    let end = Instant::now() + PATIENCE;
    let said = told.recv_timeout(PATIENCE);
    loop {
        match child.try_wait().map_err(failed)? {
            Some(status) if !status.success() => {
                return Err(SecretError::Status { program, status });
            }
            Some(_) => break,
            None if Instant::now() >= end => {
                // It may have ended this very moment.
                let _ = child.kill();
                let _ = child.wait();
                return Err(SecretError::Slow { program });
            }
            None => thread::sleep(PAUSE),
        }
    }
    match said {
        Ok(text) => text.map_err(failed),
        // A child of its own holds its output open.
        Err(_) => Err(SecretError::Slow { program }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> SecretSource {
        SecretSource::Command(words.iter().map(|&word| word.to_owned()).collect())
    }

    fn error(source: &SecretSource) -> String {
        source.read().expect_err("there is no secret").to_string()
    }

    #[test]
    fn a_secret_is_what_a_file_or_a_command_says_without_the_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "t0p secret\r\n").unwrap();
        assert_eq!(SecretSource::File(path).read().unwrap().0, "t0p secret");
        let said = command(&["printf", "%s\\n", "t0p $HOME"]).read().unwrap();
        assert_eq!(said.expose(), "t0p $HOME");
        assert_eq!(format!("{said:?}"), "***");
    }

    #[test]
    fn what_is_no_secret_is_named_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let file = SecretSource::File(path.clone());
        let name = path.display();
        assert_eq!(
            error(&file),
            format!("cannot read {name}: No such file or directory (os error 2)")
        );
        for (text, why) in [
            (&b"\n"[..], "is empty"),
            (
                b"one\ntwo",
                "holds more than one line, or control characters",
            ),
            (b"\xff\xfe", "is not UTF-8"),
            (&vec![b'x'; LIMIT + 1], "is larger than 64 KiB"),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(error(&file), format!("file {name} {why}"));
        }
        assert_eq!(
            error(&SecretSource::Environment("ORDERCTL_NO_SUCH".to_owned())),
            "environment variable ORDERCTL_NO_SUCH is not set"
        );
    }

    #[test]
    fn a_command_that_fails_is_named_with_how_it_ended() {
        assert_eq!(
            error(&command(&["sh", "-c", "echo hunter2; exit 3"])),
            "sh ended with exit status: 3"
        );
        assert_eq!(
            error(&command(&["/nowhere/pass", "hunter2"])),
            "cannot run /nowhere/pass: No such file or directory (os error 2)"
        );
        assert_eq!(error(&command(&["true"])), "what true says is empty");
    }
}
