//! What the mock was told: one JSON line a call, in the order in which they
//! took effect.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

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
    /// Status of the answer; none where none was given.
    pub status: Option<u16>,
    /// What was sent: JSON as it is, other text as a string.
    pub body: Option<&'a RawValue>,
}

/// The record, in memory and, where asked for, in a file.
#[derive(Debug)]
pub(super) struct Record {
    log: Mutex<Log>,
}

#[derive(Debug)]
struct Log {
    last: u64,
    text: Vec<u8>,
    file: Option<File>,
}

impl Record {
    pub fn new(file: Option<File>) -> Self {
        Self {
            log: Mutex::new(Log {
                last: 0,
                text: Vec::new(),
                file,
            }),
        }
    }

    /// Adds a line. An error is that of the file; the line is in memory then.
    pub fn add(&self, entry: &Entry<'_>) -> io::Result<()> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.last += 1;
        let start = log.text.len();
        let line = Line {
            seq: log.last,
            entry,
        };
        serde_json::to_writer(&mut log.text, &line)
            .expect("a line has string keys and is written to memory");
        // Inside a JSON text, line ends can only be white space between tokens.
        for byte in &mut log.text[start..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        log.text.push(b'\n');
        let Log { text, file, .. } = &mut *log;
        file.as_mut()
            .map_or(Ok(()), |file| file.write_all(&text[start..]))
    }

    /// All lines.
    pub fn lines(&self) -> Bytes {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        Bytes::copy_from_slice(&log.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_one_line_whatever_its_body() {
        let record = Record::new(None);
        let body: Box<RawValue> = serde_json::from_str("{\"a\":\r\n \"x\\n\"\n}").unwrap();
        let mut entry = Entry {
            endpoint: Some("olt"),
            method: "POST",
            path: "/olt",
            idempotency_key: None,
            effect: Effect::Applied,
            status: Some(201),
            body: Some(&body),
        };
        record.add(&entry).unwrap();
        entry.body = None;
        entry.status = None;
        entry.effect = Effect::Failed;
        record.add(&entry).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&record.lines()),
            "{\"seq\":1,\"endpoint\":\"olt\",\"method\":\"POST\",\"path\":\"/olt\",\"idempotencyKey\":null,\"effect\":\"applied\",\"status\":201,\"body\":{\"a\":   \"x\\n\" }}\n\
             {\"seq\":2,\"endpoint\":\"olt\",\"method\":\"POST\",\"path\":\"/olt\",\"idempotencyKey\":null,\"effect\":\"failed\",\"status\":null,\"body\":null}\n"
        );
    }
}
