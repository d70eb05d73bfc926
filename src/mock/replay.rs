//! Answers from a recording.
//!
//! A request is answered as the same one was when it was recorded: the same
//! method and path and, for one that changes something, the same idempotency
//! key, else the same body. Repetitions get the recorded answers in their
//! order, and the last one from then on.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use thiserror::Error;

use super::answer::{JSON, Reply, error};
use super::record::Effect;

/// Longest line of a recording that is read, in bytes: two bodies of the largest size, escaped.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// What was recorded, in its order.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    lines: Vec<Recorded>,
}

/// One request and how it was answered.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    endpoint: Option<String>,
    method: String,
    path: String,
    idempotency_key: Option<String>,
    effect: String,
    fault: Option<String>,
    status: Option<u16>,
    body: Option<Value>,
    answer: Option<Answer>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    location: Option<String>,
    retry_after: Option<String>,
    content_type: Option<String>,
    body: Option<Box<RawValue>>,
    text: Option<String>,
}

/// Why a recording is of no use.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// It cannot be read.
    #[error("cannot read recording {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of it is not one of a recording.
    #[error("{}:{line}: not a line of a recording: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl Recorded {
    fn read(line: &str) -> Result<Self, String> {
        if line.len() as u64 == LONGEST_LINE {
            return Err("it is longer than 64 MiB".to_owned());
        }
        let recorded: Self = serde_json::from_str(line).map_err(|it| it.to_string())?;
        match (recorded.status, &recorded.answer) {
            (Some(_), None) if !recorded.is_told() => {
                Err("it has a status and no answer".to_owned())
            }
            _ => Ok(recorded),
        }
    }

    /// Whether it is about an event, or about an effect that came after the answer: no call.
    fn is_told(&self) -> bool {
        let is_deferred = |fault: &String| fault.starts_with("deferred");
        match self.effect.as_str() {
            "notified" | "withheld" => true,
            "applied" | "refused" => self.fault.as_ref().is_some_and(is_deferred),
            _ => false,
        }
    }
}

impl Recording {
    /// Reads the recording at `path`.
    ///
    /// # Errors
    /// Where it cannot be read, or a line is not one that the mock records.
    pub fn read(path: &Path) -> Result<Self, RecordingError> {
        let unreadable = |source| RecordingError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let (mut lines, mut number) = (Vec::new(), 0);
        loop {
            let mut text = String::new();
            let read = file.by_ref().take(LONGEST_LINE).read_line(&mut text);
            if read.map_err(unreadable)? == 0 {
                return Ok(Self { lines });
            }
            number += 1;
            if !text.trim().is_empty() {
                lines.push(Recorded::read(&text).map_err(|why| RecordingError::Line {
                    path: path.to_owned(),
                    line: number,
                    why,
                })?);
            }
        }
    }

    /// Names of the endpoints in it.
    pub fn endpoints(&self) -> BTreeSet<String> {
        let names = self.lines.iter().filter_map(|line| line.endpoint.clone());
        names.collect()
    }

    /// What was answered by one endpoint.
    pub(super) fn of(&self, name: &str) -> Replay {
        let mut replay = Replay::default();
        for line in &self.lines {
            if line.endpoint.as_deref() == Some(name) && !line.is_told() {
                replay.add(line);
            }
        }
        replay
    }
}

/// The answers of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Replay {
    answers: Vec<Option<Reply>>,
    /// Positions of the answers to a request, and how many were given.
    takes: HashMap<Request, (Vec<usize>, usize)>,
}

/// By what a request is recognised.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Request {
    method: String,
    path: String,
    what: What,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum What {
    Key(String),
    Body(String),
}

impl Replay {
    fn add(&mut self, line: &Recorded) {
        let position = self.answers.len();
        self.answers.push(reply(line));
        let body = line
            .body
            .as_ref()
            .map_or_else(String::new, Value::to_string);
        let key = line.idempotency_key.clone().map(What::Key);
        for what in key.into_iter().chain([What::Body(body)]) {
            let request = Request {
                method: line.method.clone(),
                path: line.path.clone(),
                what,
            };
            self.takes.entry(request).or_default().0.push(position);
        }
    }

    /// The next answer to a request; none where none was recorded to have come.
    pub fn call(
        &mut self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: &[u8],
    ) -> (Effect, Option<Reply>) {
        let text = match serde_json::from_slice::<Value>(body) {
            Ok(body) => body.to_string(),
            Err(_) if body.is_empty() => String::new(),
            Err(_) => Value::from(String::from_utf8_lossy(body)).to_string(),
        };
        let key = key.map(|key| What::Key(key.to_owned()));
        for what in key.into_iter().chain([What::Body(text)]) {
            let request = Request {
                method: method.to_owned(),
                path: path.to_owned(),
                what,
            };
            if let Some((positions, given)) = self.takes.get_mut(&request) {
                let position = positions[(*given).min(positions.len() - 1)];
                *given += 1;
                return (Effect::Replayed, self.answers[position].clone());
            }
        }
        let reply = error(
            404,
            "notRecorded",
            "there is no such request in the recording",
        );
        (Effect::Refused, Some(reply))
    }
}

fn reply(line: &Recorded) -> Option<Reply> {
    let (status, answer) = (line.status?, line.answer.as_ref()?);
    let body = match (&answer.body, &answer.text) {
        (Some(body), _) => body.get().to_owned(),
        (None, text) => text.clone().unwrap_or_default(),
    };
    Some(Reply {
        location: answer.location.clone(),
        retry_after: answer.retry_after.clone(),
        media: answer.content_type.clone().map_or(JSON.into(), Into::into),
        ..Reply::new(status, body)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(lines: &[&str]) -> Result<Recording, RecordingError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), lines.join("\n")).unwrap();
        Recording::read(file.path())
    }

    fn line(key: &str, status: &str, answer: &str) -> String {
        format!(
            r#"{{"seq":1,"endpoint":"olt","method":"POST","path":"/p","idempotencyKey":{key},"effect":"applied","fault":null,"status":{status},"body":{{"b":1,"a":2}},"answer":{answer}}}"#
        )
    }

    fn call(olt: &mut Replay, key: Option<&str>, body: &str) -> (Effect, Option<(u16, String)>) {
        let (effect, reply) = olt.call("POST", "/p", key, body.as_bytes());
        let text = |reply: Reply| {
            (
                reply.status,
                String::from_utf8(reply.body.to_vec()).unwrap(),
            )
        };
        (effect, reply.map(text))
    }

    #[test]
    fn answers_come_in_their_order_and_the_last_one_stays() {
        let lines = [
            line("\"k\"", "503", r#"{"body":null}"#),
            line("\"k\"", "201", r#"{"body":{"id": "r"}}"#),
            line("\"l\"", "null", "null"),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut olt = recording(&lines).unwrap().of("olt");
        let made = || Some((201, "{\"id\": \"r\"}".to_owned()));
        let busy = || Some((503, String::new()));
        assert_eq!(call(&mut olt, Some("k"), "{}"), (Effect::Replayed, busy()));
        assert_eq!(call(&mut olt, Some("k"), "{}"), (Effect::Replayed, made()));
        assert_eq!(call(&mut olt, Some("k"), "{}"), (Effect::Replayed, made()));
        assert_eq!(call(&mut olt, Some("l"), "{}"), (Effect::Replayed, None));
        // Without a key that is known the body counts, whatever the order of its members.
        assert_eq!(
            call(&mut olt, None, r#"{"a":2, "b":1}"#),
            (Effect::Replayed, busy())
        );
        let (effect, reply) = call(&mut olt, Some("m"), "{}");
        assert_eq!((effect, reply.unwrap().0), (Effect::Refused, 404));
    }

    #[test]
    fn a_line_that_is_none_of_a_recording_is_named() {
        let fault = |lines: &[&str]| recording(lines).unwrap_err().to_string();
        let text = fault(&["", "{}"]);
        assert!(
            text.contains(":2: not a line of a recording: missing field `method`"),
            "{text}"
        );
        let event = line("null", "204", "null").replace("applied", "notified");
        assert!(recording(&[&event]).unwrap().of("olt").answers.is_empty());
        let text = fault(&[&line("null", "201", "null")]);
        assert!(text.ends_with(":1: not a line of a recording: it has a status and no answer"));
        let error = Recording::read(Path::new("/nowhere/r")).unwrap_err();
        let said = "cannot read recording /nowhere/r: No such file or directory (os error 2)";
        assert_eq!(error.to_string(), said);
    }
}
