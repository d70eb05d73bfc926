//! `orderctl mock` as a process.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A mock that runs until it is dropped.
pub struct Mock {
    child: Child,
    /// Where it listens: `http://HOST:PORT`.
    pub address: String,
}

impl Mock {
    /// Starts it by this command, and waits until it says where it listens.
    pub fn start(command: &mut Command) -> io::Result<Mock> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut mock = Mock {
            child,
            address: String::new(),
        };
        let mut line = String::new();
        if let Some(stdout) = mock.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let mut words = line.split_whitespace();
        let address = words
            .find(|word| word.starts_with("http://"))
            .ok_or_else(|| io::Error::other("the mock does not say where it listens"))?;
        address.trim_end_matches('/').clone_into(&mut mock.address);
        Ok(mock)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}
