//! A file that events are added to, by several runs at once.
//!
//! Invariant: whoever writes holds the lock on the file, has read all that is in it, and writes
//! whole lines behind its last whole line.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use orderctl::event::Event;

use crate::exit::Failure;
use crate::terminal::OutputError;

/// Events are kept until there are so many: each turn at the file costs a lock.
const KEPT: usize = 256;

/// With what every event begins.
const BEGINNING: &[u8] = b"{\"eventId\":\"";

/// A file of events.
pub struct EventFile {
    file: File,
    name: String,
    /// Whether it can be read again, and locked: it is no device, and no pipe.
    is_regular: bool,
    /// Ids of the events that are in it, as far as it was read.
    known: HashSet<String>,
    /// Up to where it was read: behind a line end.
    read: u64,
    /// Ids and lines that are not in it yet.
    kept: Vec<(String, Vec<u8>)>,
}

impl EventFile {
    /// Opens a file, or makes it.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let wrong = |error| OutputError::new(&name, error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(wrong)?;
        let is_regular = file.metadata().map_err(wrong)?.is_file();
        let mut opened = Self {
            file,
            name,
            is_regular,
            known: HashSet::new(),
            read: 0,
            kept: Vec::new(),
        };
        // What is no file of events is refused before anything is sent.
        opened.flush()?;
        Ok(opened)
    }

    /// Takes an event, unless it is in the file already.
    pub fn take(&mut self, event: &Event, text: String) -> Result<(), Failure> {
        if self.known.contains(&event.id) {
            return Ok(());
        }
        let mut line = text.into_bytes();
        line.push(b'\n');
        self.kept.push((event.id.clone(), line));
        if self.kept.len() < KEPT {
            return Ok(());
        }
        self.flush()
    }

    /// Writes what was taken.
    pub fn flush(&mut self) -> Result<(), Failure> {
        if !self.is_regular {
            let lines = std::mem::take(&mut self.kept).into_iter();
            let known = lines.filter(|(id, _)| self.known.insert(id.clone()));
            let lines: Vec<u8> = known.flat_map(|(_, line)| line).collect();
            return self.file.write_all(&lines).map_err(|it| self.wrong(it));
        }
        if self.kept.is_empty() && self.read > 0 {
            return Ok(());
        }
        self.file.lock().map_err(|it| self.wrong(it))?;
        let written = self.catch_up().and_then(|()| self.write());
        let unlocked = self.file.unlock().map_err(|it| self.wrong(it));
        written.and(unlocked)
    }

    /// Reads what others have written since, and takes half a line away that one who was killed has
    /// left at its end: its event is told again.
    fn catch_up(&mut self) -> Result<(), Failure> {
        let length = self.file.metadata().map(|it| it.len());
        if length.map_err(|it| self.wrong(it))? < self.read {
            // Somebody has emptied it.
            self.known.clear();
            self.read = 0;
        }
        let mut text = Vec::new();
        self.file
            .seek(SeekFrom::Start(self.read))
            .and_then(|_| self.file.read_to_end(&mut text))
            .map_err(|it| self.wrong(it))?;
        let end = text.iter().rposition(|byte| *byte == b'\n');
        let (whole, rest) = text.split_at(end.map_or(0, |at| at + 1));
        for line in whole.split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            let line: Option<serde_json::Value> = serde_json::from_slice(line).ok();
            let id = line.and_then(|line| Some(line.get("eventId")?.as_str()?.to_owned()));
            self.known.insert(id.ok_or_else(|| self.no_events())?);
        }
        let is_half_an_event = rest.starts_with(BEGINNING) || BEGINNING.starts_with(rest);
        if !is_half_an_event {
            return Err(self.no_events());
        }
        self.read += u64::try_from(whole.len()).unwrap_or(u64::MAX);
        if rest.is_empty() {
            return Ok(());
        }
        self.file
            .set_len(self.read)
            .and_then(|()| self.file.seek(SeekFrom::Start(self.read)))
            .map(drop)
            .map_err(|it| self.wrong(it))
    }

    fn write(&mut self) -> Result<(), Failure> {
        for (id, line) in std::mem::take(&mut self.kept) {
            if self.known.insert(id) {
                self.file.write_all(&line).map_err(|it| self.wrong(it))?;
                self.read += u64::try_from(line.len()).unwrap_or(u64::MAX);
            }
        }
        Ok(())
    }

    fn wrong(&self, error: io::Error) -> Failure {
        OutputError::new(&self.name, error).into()
    }

    fn no_events(&self) -> Failure {
        Failure::NoEvents(self.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use orderctl::event::{OrderType, What};
    use orderctl::model::state::OrderState;

    use super::*;

    fn event(id: &str) -> Event {
        Event {
            id: id.to_owned(),
            at: "2026-11-02T08:00:00Z".parse().unwrap(),
            correlation_id: "O".to_owned(),
            order_type: OrderType::Product,
            order_id: "O".to_owned(),
            external_id: None,
            state: OrderState::InProgress,
            what: What::StateChange {
                from: OrderState::Acknowledged,
            },
        }
    }

    fn tell(file: &mut EventFile, id: &str) {
        let event = event(id);
        file.take(&event, event.envelope()).unwrap();
        file.flush().unwrap();
    }

    fn ids(path: &Path) -> Vec<String> {
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            event["eventId"].as_str().unwrap().to_owned()
        });
        lines.collect()
    }

    #[test]
    fn two_at_once_write_behind_each_other_and_nothing_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        let mut one = EventFile::open(&path).unwrap();
        let mut other = EventFile::open(&path).unwrap();
        tell(&mut one, "a");
        tell(&mut other, "b-which-is-longer");
        tell(&mut one, "c");
        tell(&mut other, "a");
        tell(&mut other, "d");
        tell(&mut one, "b-which-is-longer");
        assert_eq!(ids(&path), ["a", "b-which-is-longer", "c", "d"]);
    }

    #[test]
    fn half_a_line_of_one_who_was_killed_is_taken_away_also_where_it_is_the_first_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        for torn in ["{\"eve", "{\"eventId\":\"a\",\"eventTime\":\"20"] {
            fs::write(&path, torn).unwrap();
            let mut file = EventFile::open(&path).unwrap();
            tell(&mut file, "a");
            assert_eq!(ids(&path), ["a"]);
            // Killed while this one is under way.
            let mut text = fs::read_to_string(&path).unwrap();
            text.push_str(torn);
            fs::write(&path, text).unwrap();
            tell(&mut file, "b");
            assert_eq!(ids(&path), ["a", "b"]);
        }
    }

    #[test]
    fn a_file_that_was_emptied_is_written_from_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        let mut file = EventFile::open(&path).unwrap();
        tell(&mut file, "a");
        fs::write(&path, "").unwrap();
        tell(&mut file, "b");
        assert_eq!(ids(&path), ["b"]);
    }

    #[test]
    fn what_has_something_else_in_it_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        for text in ["{\"id\":1}\n", "notes", "{\"eventId\":\"a\"}\nnotes"] {
            fs::write(&path, text).unwrap();
            let refused = EventFile::open(&path);
            assert!(matches!(refused, Err(Failure::NoEvents(_))), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
