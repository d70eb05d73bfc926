//! The entries of a journal, as data.
//!
//! Every entry says when it was made and what happened; the time is given by
//! whoever makes it. In the file an entry is a row: `at`, `kind`, `task`, and
//! what remains as JSON in `detail`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

/// One entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When; kept to the microsecond.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The plan was taken on. Always the first entry of an order.
    Planned(Planned),
    /// A request is about to be sent: the intent.
    Started(Started),
    /// The task is done: its last request had its effect.
    Completed(Completed),
    /// A request came to nothing, or nobody knows what it came to.
    AttemptFailed(AttemptFailed),
    /// Given up until somebody mends it, or the next run tries again.
    Held(Held),
}

/// The plan that is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// Id of the chain's root order.
    pub order_id: String,
    /// External id of the root order, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Digest of the plan, `sha256:…`.
    pub plan_digest: String,
    /// How many tasks it has.
    pub tasks: u32,
}

/// An intent. `attempt` counts the requests sent for the task, from 1, over
/// all runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// Task id.
    #[serde(skip)]
    pub task: String,
    /// Which request of the task this is, from 1.
    pub attempt: u32,
    /// Key that the endpoint recognises a repetition by.
    pub idempotency_key: String,
    /// Over method, path and body, `sha256:…`.
    pub request_digest: String,
}

/// An outcome: done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Completed {
    /// Task id.
    #[serde(skip)]
    pub task: String,
    /// HTTP status that said so.
    pub status: u16,
    /// The resource as the endpoint answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Box<RawValue>>,
}

/// An outcome: not done, or not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptFailed {
    /// Task id.
    #[serde(skip)]
    pub task: String,
    /// The request that this is the outcome of.
    pub attempt: u32,
    /// What kind of failure.
    pub failure: Failure,
    /// HTTP status, where there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// In words.
    pub reason: String,
}

/// Kinds of failure, by what may be done about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Failure {
    /// Understood and refused: would be refused again.
    Rejected,
    /// Had no effect.
    Failed,
    /// Sent, and whether it had its effect is not known.
    Unknown,
}

/// A task that waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// Task id.
    #[serde(skip)]
    pub task: String,
    /// Why.
    pub reason: String,
}

/// A row that is no entry.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// No such kind.
    #[error("unknown kind of entry {0:?}")]
    Kind(String),
    /// The detail is not that of its kind.
    #[error("detail of {kind}: {source}")]
    Detail {
        /// Kind of the entry.
        kind: String,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The time is no RFC 3339 timestamp.
    #[error("time {at:?}: {source}")]
    Time {
        /// The text.
        at: String,
        /// What the parser said.
        source: jiff::Error,
    },
    /// An entry about a task does not say which.
    #[error("{0} without a task")]
    NoTask(String),
}

impl Event {
    /// Name of the kind, as in the column `kind`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Planned(_) => "planned",
            Self::Started(_) => "started",
            Self::Completed(_) => "completed",
            Self::AttemptFailed(_) => "attemptFailed",
            Self::Held(_) => "held",
        }
    }

    /// The task it is about; none for the plan as a whole.
    #[must_use]
    pub fn task(&self) -> Option<&str> {
        match self {
            Self::Planned(_) => None,
            Self::Started(it) => Some(&it.task),
            Self::Completed(it) => Some(&it.task),
            Self::AttemptFailed(it) => Some(&it.task),
            Self::Held(it) => Some(&it.task),
        }
    }

    /// Everything else, as a JSON object.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Planned(it) => serde_json::to_string(it),
            Self::Started(it) => serde_json::to_string(it),
            Self::Completed(it) => serde_json::to_string(it),
            Self::AttemptFailed(it) => serde_json::to_string(it),
            Self::Held(it) => serde_json::to_string(it),
        }
        .expect("strings, numbers and JSON always serialize")
    }
}

impl Entry {
    /// The time as written: RFC 3339, UTC, six decimals, so that text order is
    /// time order.
    #[must_use]
    pub fn at_text(&self) -> String {
        format!("{:.6}", self.at)
    }

    /// The entry of a row.
    ///
    /// # Errors
    /// Where the row is none; see [`DecodeError`].
    pub fn decode(
        at: &str,
        kind: &str,
        task: Option<String>,
        detail: &str,
    ) -> Result<Self, DecodeError> {
        let at = at.parse().map_err(|source| DecodeError::Time {
            at: at.to_owned(),
            source,
        })?;
        let task = match (task, kind) {
            (None, "planned") => String::new(),
            (None, _) => return Err(DecodeError::NoTask(kind.to_owned())),
            (Some(task), _) => task,
        };
        let event = match kind {
            "planned" => serde_json::from_str(detail).map(Event::Planned),
            "started" => serde_json::from_str(detail)
                .map(|it: Started| Event::Started(Started { task, ..it })),
            "completed" => serde_json::from_str(detail)
                .map(|it: Completed| Event::Completed(Completed { task, ..it })),
            "attemptFailed" => serde_json::from_str(detail)
                .map(|it: AttemptFailed| Event::AttemptFailed(AttemptFailed { task, ..it })),
            "held" => serde_json::from_str(detail).map(|it: Held| Event::Held(Held { task, ..it })),
            _ => return Err(DecodeError::Kind(kind.to_owned())),
        }
        .map_err(|source| DecodeError::Detail {
            kind: kind.to_owned(),
            source,
        })?;
        Ok(Self { at, event })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_being_a_row() {
        let resource = RawValue::from_string(r#"{"id": "7", "n": 1.50}"#.into()).unwrap();
        let task = "1.S.RFS".to_owned();
        let events = [
            Event::Planned(Planned {
                order_id: "1".into(),
                external_id: None,
                plan_digest: "sha256:00".into(),
                tasks: 2,
            }),
            Event::Started(Started {
                task: task.clone(),
                attempt: 1,
                idempotency_key: "k".into(),
                request_digest: "sha256:11".into(),
            }),
            Event::Completed(Completed {
                task: task.clone(),
                status: 201,
                resource: Some(resource),
            }),
            Event::Completed(Completed {
                task: task.clone(),
                status: 204,
                resource: None,
            }),
            Event::AttemptFailed(AttemptFailed {
                task: task.clone(),
                attempt: 2,
                failure: Failure::Unknown,
                status: None,
                reason: "no answer in 10 s".into(),
            }),
            Event::Held(Held {
                task,
                reason: "\"quoted\"\n".into(),
            }),
        ];
        for event in events {
            let entry = Entry {
                at: "2026-11-23T12:00:00.123456Z".parse().unwrap(),
                event,
            };
            let row = Entry::decode(
                &entry.at_text(),
                entry.event.kind(),
                entry.event.task().map(str::to_owned),
                &entry.event.detail(),
            )
            .unwrap();
            assert_eq!(format!("{row:?}"), format!("{entry:?}"));
        }
    }

    #[test]
    fn a_row_that_is_no_entry_is_refused_with_what_is_wrong() {
        let at = "2026-11-23T12:00:00Z";
        let message = |row: Result<Entry, DecodeError>| row.unwrap_err().to_string();
        assert_eq!(
            message(Entry::decode(at, "vanished", Some("t".into()), "{}")),
            "unknown kind of entry \"vanished\""
        );
        assert_eq!(
            message(Entry::decode(at, "held", None, "{}")),
            "held without a task"
        );
        assert!(
            message(Entry::decode(at, "held", Some("t".into()), "{}"))
                .starts_with("detail of held: missing field `reason`")
        );
        assert!(message(Entry::decode("noon", "held", None, "{}")).starts_with("time \"noon\": "));
    }

    #[test]
    fn times_are_written_with_six_decimals() {
        let event = Event::Held(Held {
            task: "t".into(),
            reason: String::new(),
        });
        let entry = Entry {
            at: "2026-11-23T12:00:00Z".parse().unwrap(),
            event,
        };
        assert_eq!(entry.at_text(), "2026-11-23T12:00:00.000000Z");
    }
}
