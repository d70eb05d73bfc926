//! What the mock was told: one JSON line a call, in the order in which they
//! took effect.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::answer::{JSON, Reply};

/// What a call did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Effect {
    /// It changed something.
    Applied,
    /// A repetition: answered as before, nothing changed.
    Replayed,
    /// It was not acceptable; nothing changed.
    Refused,
    /// A fault that was asked for; nothing changed.
    Failed,
    /// Its effect comes later, and is a line of its own then.
    Deferred,
    /// It was handed on to the endpoint itself.
    Forwarded,
    /// Something was looked at.
    Read,
    /// A listener was told.
    Notified,
    /// A listener was not told, as was asked for.
    Withheld,
}

/// One line of the record.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    seq: u64,
    #[serde(flatten)]
    entry: &'a Entry<'a>,
}

/// One call.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    pub endpoint: Option<&'a str>,
    pub method: &'a str,
    pub path: &'a str,
    pub idempotency_key: Option<&'a str>,
    pub effect: Effect,
    /// The fault that it met, as it is written on the command line.
    pub fault: Option<String>,
    /// Status of the answer; none where none was given.
    pub status: Option<u16>,
    /// What was sent: JSON as it is, other text as a string.
    #[serde(serialize_with = "sent")]
    pub body: &'a [u8],
    /// What was answered; none where nothing was.
    pub answer: Option<Answer<'a>>,
}

/// An answer, so that it can be given again.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<&'a str>,
    /// Where it is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    body: Option<&'a RawValue>,
    /// A body that is no JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
}

impl<'a> Answer<'a> {
    pub fn of(reply: &'a Reply) -> Self {
        let body: Option<&RawValue> = serde_json::from_slice(&reply.body).ok();
        let is_other = body.is_none() && !reply.body.is_empty();
        Self {
            location: reply.location.as_deref(),
            retry_after: reply.retry_after.as_deref(),
            content_type: Some(&*reply.media).filter(|media| *media != JSON),
            body,
            text: is_other.then(|| String::from_utf8_lossy(&reply.body)),
        }
    }
}

fn sent<S: Serializer>(body: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::from_slice::<&RawValue>(body) {
        _ if body.is_empty() => serializer.serialize_none(),
        Ok(json) => json.serialize(serializer),
        Err(_) => serializer.serialize_str(&String::from_utf8_lossy(body)),
    }
}

/// The record, in memory and, where asked for, in a file.
#[derive(Debug)]
pub(super) struct Record {
    log: Mutex<Log>,
}

#[derive(Debug)]
struct Log {
    last: u64,
    /// Its lines, in pieces, none of which has to be moved while the record grows.
    pieces: Vec<Vec<u8>>,
    file: Option<File>,
}

/// Room of a piece.
const PIECE: usize = 1 << 20;
/// A piece with less room than this gets no more lines.
const ROOM: usize = PIECE / 16;

impl Log {
    /// A piece with room for a line.
    fn piece(&mut self) -> &mut Vec<u8> {
        let has_room = |piece: &Vec<u8>| piece.len() + ROOM <= PIECE;
        if !self.pieces.last().is_some_and(has_room) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let last = self.pieces.len() - 1;
        &mut self.pieces[last]
    }
}

impl Record {
    pub fn new(file: Option<File>) -> Self {
        Self {
            log: Mutex::new(Log {
                last: 0,
                pieces: Vec::new(),
                file,
            }),
        }
    }

    /// Adds a line. An error is that of the file; the line is in memory then.
    pub fn add(&self, entry: &Entry<'_>) -> io::Result<()> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.last += 1;
        let line = Line {
            seq: log.last,
            entry,
        };
        let text = log.piece();
        let start = text.len();
        serde_json::to_writer(&mut *text, &line)
            .expect("a line has string keys and is written to memory");
        // Inside a JSON text, line ends can only be white space between tokens.
        for byte in &mut text[start..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        text.push(b'\n');
        let Log { pieces, file, .. } = &mut *log;
        match (file, pieces.last()) {
            (Some(file), Some(text)) => file.write_all(&text[start..]),
            _ => Ok(()),
        }
    }

    /// All lines.
    pub fn lines(&self) -> Bytes {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.pieces.concat().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_one_line_whatever_its_body() {
        let record = Record::new(None);
        let body = b"{\"a\":\r\n \"x\\n\"\n}";
        let (made, page) = (
            Reply::new(201, &b"{\"id\":\n1}"[..]),
            Reply::new(200, "<html>"),
        );
        let mut entry = Entry {
            endpoint: Some("olt"),
            method: "POST",
            path: "/olt",
            idempotency_key: None,
            effect: Effect::Applied,
            fault: None,
            status: Some(201),
            body,
            answer: Some(Answer::of(&made)),
        };
        record.add(&entry).unwrap();
        entry.body = b"";
        entry.status = None;
        entry.effect = Effect::Failed;
        entry.fault = Some("hang".to_owned());
        entry.answer = None;
        record.add(&entry).unwrap();
        entry.body = b"{";
        entry.answer = Some(Answer::of(&page));
        record.add(&entry).unwrap();
        let lines = record.lines();
        let lines: Vec<&str> = std::str::from_utf8(&lines).unwrap().lines().collect();
        assert_eq!(
            lines,
            [
                r#"{"seq":1,"endpoint":"olt","method":"POST","path":"/olt","idempotencyKey":null,"effect":"applied","fault":null,"status":201,"body":{"a":   "x\n" },"answer":{"body":{"id": 1}}}"#,
                r#"{"seq":2,"endpoint":"olt","method":"POST","path":"/olt","idempotencyKey":null,"effect":"failed","fault":"hang","status":null,"body":null,"answer":null}"#,
                r#"{"seq":3,"endpoint":"olt","method":"POST","path":"/olt","idempotencyKey":null,"effect":"failed","fault":"hang","status":null,"body":"{","answer":{"body":null,"text":"<html>"}}"#,
            ]
        );
    }
}
