//! The Monitor of an asynchronous request (TMF702 v4 `Monitor`, and the v5 shape
//! in which the body is an object), as lenient as the systems that write it.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// How far the request is that a monitor watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Done.
    Completed,
    /// Ended without effect.
    InError,
    /// Anything else, as written; mostly `inProgress`.
    Other(String),
}

/// What is used of a Monitor. A member of a wrong type counts as absent.
#[derive(Debug)]
pub(super) struct Monitor {
    pub id: Option<String>,
    pub href: Option<String>,
    pub source_href: Option<String>,
    pub state: Option<State>,
    /// Status of the answer that the request would have had.
    pub status: Option<u16>,
    /// Body of that answer, where it is a JSON object.
    pub body: Option<Box<RawValue>>,
}

impl Monitor {
    /// Reads a monitor; `None` where the text is not a JSON object.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut members: HashMap<String, Box<RawValue>> = serde_json::from_slice(text).ok()?;
        let response: HashMap<String, Box<RawValue>> = members
            .remove("response")
            .and_then(|response| serde_json::from_str(response.get()).ok())
            .unwrap_or_default();
        let text = |name: &str| serde_json::from_str::<String>(members.get(name)?.get()).ok();
        Some(Self {
            id: text("id"),
            href: text("href"),
            source_href: text("sourceHref"),
            state: text("state").map(state),
            status: response.get("statusCode").and_then(|code| status(code)),
            body: response.get("body").and_then(|body| object(body)),
        })
    }
}

fn state(written: String) -> State {
    let plain: String = written
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_lowercase();
    // TMF702 leaves the words open: those of its text, and of the standard's tasks and jobs.
    match plain.as_str() {
        "completed" | "done" | "succeeded" => State::Completed,
        "inerror" | "terminatedwitherror" | "failed" | "rejected" | "cancelled" => State::InError,
        _ => State::Other(written),
    }
}

fn status(code: &RawValue) -> Option<u16> {
    match serde_json::from_str(code.get()).ok()? {
        Value::Number(number) => number
            .as_u64()
            .and_then(|number| u16::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The object itself (v5), or the one written inside a string (v4).
fn object(body: &RawValue) -> Option<Box<RawValue>> {
    if body.get().starts_with('"') {
        let text: String = serde_json::from_str(body.get()).ok()?;
        read_object(text.as_bytes())
    } else {
        read_object(body.get().as_bytes())
    }
}

/// The text as a JSON object, kept as written; `None` where it is none.
pub(super) fn read_object(text: &[u8]) -> Option<Box<RawValue>> {
    let value: Box<RawValue> = serde_json::from_slice(text).ok()?;
    value.get().starts_with('{').then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_in_any_case() {
        let state = |text: &str| {
            Monitor::parse(format!("{{\"state\":\"{text}\"}}").as_bytes())
                .unwrap()
                .state
                .unwrap()
        };
        for text in ["completed", "Completed", "COMPLETED", "done", "Succeeded"] {
            assert_eq!(state(text), State::Completed);
        }
        for text in [
            "inError",
            "InError",
            "IN_ERROR",
            "in error",
            "terminatedWithError",
            "Failed",
            "rejected",
            "cancelled",
        ] {
            assert_eq!(state(text), State::InError);
        }
        assert_eq!(state("InProgress"), State::Other("InProgress".to_owned()));
    }

    #[test]
    fn the_body_is_read_as_string_and_as_object() {
        let v4 = br#"{"response":{"statusCode":"201","body":"{\"id\":\"r1\"}"}}"#;
        let v5 = br#"{"response":{"statusCode":201,"body":{"id":"r1"}}}"#;
        for text in [v4.as_slice(), v5.as_slice()] {
            let monitor = Monitor::parse(text).unwrap();
            assert_eq!(monitor.status, Some(201));
            assert_eq!(monitor.body.unwrap().get(), r#"{"id":"r1"}"#);
        }
    }

    #[test]
    fn members_of_a_wrong_type_count_as_absent() {
        let monitor = Monitor::parse(
            br#"{"id":7,"href":null,"state":["x"],"response":{"statusCode":70000,"body":"[1]"}}"#,
        )
        .unwrap();
        assert_eq!(
            (monitor.id, monitor.href, monitor.state),
            (None, None, None)
        );
        assert!(monitor.status.is_none() && monitor.body.is_none());
        assert!(Monitor::parse(br#"{"response":3}"#).is_some());
        for text in ["", "[]", "{", "\u{0}", "null"] {
            assert!(Monitor::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
