//! Faults that the mock is told to commit: `olt:2`, `olt:2=503`, `olt:*=500`,
//! `olt:3=hang`, `olt:3=lost`, `olt:3=garbage`, `olt:2..4=500`, `olt/port-7:1`,
//! `mnp:1=422 account number does not match`, `qualification:1=unqualified no free port`.

use std::ops::RangeInclusive;
use std::str::FromStr;

use thiserror::Error;

/// A fault: which calls of which endpoint, and what befalls them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the endpoint.
    pub endpoint: String,
    /// Part of a resource's id: only calls about such resources are concerned, and counted.
    pub about: Option<String>,
    /// Which calls, from 1, repetitions counted.
    pub calls: RangeInclusive<u64>,
    /// What happens to them.
    pub kind: FaultKind,
    /// What the answer says, where there is one.
    pub message: Option<String>,
}

/// What befalls a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Answered with this status (400 to 599), without effect.
    Status(u16),
    /// Never answered, without effect.
    Hang,
    /// Takes effect, then the connection is closed without an answer.
    Lost,
    /// The question of a gate is answered by no; anything else is answered with 422.
    Unqualified,
    /// Takes effect, then is answered with a page of HTML, as proxies do.
    Garbage,
}

/// A fault that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "fault {text:?}: {why}; write ENDPOINT[/RESOURCE]:CALLS[=KIND], RESOURCE being part of a resource's id, CALLS N, N..M or *, KIND a status from 400 to 599 (500 if absent) or unqualified and, after a space, what is said, or hang, lost or garbage"
)]
pub struct FaultError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Fault {
    /// Reads a fault as written on the command line.
    ///
    /// # Errors
    /// Where the text has another form.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        let wrong = |why| FaultError {
            text: text.to_owned(),
            why,
        };
        let (rule, message) = split_message(text);
        let (endpoint, rest) = rule
            .rsplit_once(':')
            .ok_or_else(|| wrong("there is no `:`"))?;
        let (endpoint, about) = match endpoint.split_once('/') {
            Some((_, "")) => return Err(wrong("the resource is missing")),
            Some((endpoint, about)) => (endpoint, Some(about.to_owned())),
            None => (endpoint, None),
        };
        if endpoint.is_empty() {
            return Err(wrong("the endpoint is missing"));
        }
        let (calls, kind) = match rest.split_once('=') {
            Some((calls, kind)) => (calls, kind),
            None => (rest, "500"),
        };
        let calls = parse_calls(calls)
            .ok_or_else(|| wrong("the calls are neither a number from 1, a range nor `*`"))?;
        let kind = match kind {
            "hang" => FaultKind::Hang,
            "lost" => FaultKind::Lost,
            "unqualified" => FaultKind::Unqualified,
            "garbage" => FaultKind::Garbage,
            status => number(status)
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| (400..600).contains(status))
                .map(FaultKind::Status)
                .ok_or_else(|| wrong("the kind is not known"))?,
        };
        Ok(Self {
            endpoint: endpoint.to_owned(),
            about,
            calls,
            kind,
            message: message.map(str::to_owned),
        })
    }
}

/// The fault, and what stands after its kind: `=422 no such account`.
fn split_message(text: &str) -> (&str, Option<&str>) {
    let status = text.match_indices(' ').find(|(space, _)| {
        let (before, rest) = text.split_at(text[..*space].rfind('=').map_or(*space, |it| it + 1));
        let kind = &rest[..space - before.len()];
        before.ends_with('=') && (number(kind).is_some() || kind == "unqualified")
    });
    match status {
        Some((space, _)) => (&text[..space], Some(text[space..].trim())),
        None => (text, None),
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        Self::parse(text)
    }
}

fn parse_calls(text: &str) -> Option<RangeInclusive<u64>> {
    let (first, last) = match text.split_once("..") {
        _ if text == "*" => (1, u64::MAX),
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    (first > 0 && first <= last).then_some(first..=last)
}

fn number(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_written_on_the_command_line() {
        let fault = |calls, kind| Fault {
            endpoint: "olt".to_owned(),
            about: None,
            calls,
            kind,
            message: None,
        };
        let about = Fault {
            about: Some("port:7/1".to_owned()),
            ..fault(1..=1, FaultKind::Status(422))
        };
        let saying = Fault {
            message: Some("no port: the splitter = full".to_owned()),
            ..fault(2..=2, FaultKind::Status(422))
        };
        let no = Fault {
            message: Some("no free port".to_owned()),
            ..fault(1..=u64::MAX, FaultKind::Unqualified)
        };
        for (text, expected) in [
            ("olt:*=unqualified no free port", no),
            ("olt:1=unqualified", fault(1..=1, FaultKind::Unqualified)),
            ("olt:2", fault(2..=2, FaultKind::Status(500))),
            ("olt:2=503", fault(2..=2, FaultKind::Status(503))),
            ("olt:*=500", fault(1..=u64::MAX, FaultKind::Status(500))),
            ("olt:3=hang", fault(3..=3, FaultKind::Hang)),
            ("olt:3=lost", fault(3..=3, FaultKind::Lost)),
            ("olt:3=garbage", fault(3..=3, FaultKind::Garbage)),
            ("olt:2..4=404", fault(2..=4, FaultKind::Status(404))),
            ("olt/port:7/1:1=422", about),
            ("olt:2=422 no port: the splitter = full", saying),
        ] {
            assert_eq!(text.parse::<Fault>().as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused_with_the_reason() {
        for (text, why) in [
            ("olt", "there is no `:`"),
            (":2", "the endpoint is missing"),
            ("/port:2", "the endpoint is missing"),
            ("olt/:2", "the resource is missing"),
            (
                "olt:",
                "the calls are neither a number from 1, a range nor `*`",
            ),
            (
                "olt:0",
                "the calls are neither a number from 1, a range nor `*`",
            ),
            (
                "olt:+1",
                "the calls are neither a number from 1, a range nor `*`",
            ),
            (
                "olt:4..2",
                "the calls are neither a number from 1, a range nor `*`",
            ),
            ("olt:1=200", "the kind is not known"),
            ("olt:1=", "the kind is not known"),
            ("olt:1=later", "the kind is not known"),
            ("olt:1=lost to the world", "the kind is not known"),
        ] {
            assert_eq!(
                Fault::parse(text).unwrap_err().to_string(),
                format!(
                    "fault {text:?}: {why}; write ENDPOINT[/RESOURCE]:CALLS[=KIND], RESOURCE being part of a resource's id, CALLS N, N..M or *, KIND a status from 400 to 599 (500 if absent) or unqualified and, after a space, what is said, or hang, lost or garbage"
                )
            );
        }
    }
}
