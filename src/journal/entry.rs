//! The entries of a journal, as data.
//!
//! Every entry says when it was made and what happened; the time is given by
//! whoever makes it. In the file an entry is a row: `at`, `kind`, `task`, and
//! what remains as JSON in `detail`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::plan::flow::RevisionKind;
use crate::retry::{FailureClass, OnFailure};

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
    /// Another plan takes the place of the one before; what was done stays done.
    Revised(Revised),
    /// A request is about to be sent: the intent.
    Started(Started),
    /// The endpoint carries a request out and names a monitor that tells how it ends.
    Accepted(Accepted),
    /// The task is done: its last request had its effect.
    Completed(Completed),
    /// A request came to nothing, or nobody knows what it came to.
    AttemptFailed(AttemptFailed),
    /// The endpoint was asked what came of a request, and does not say that it is done.
    Asked(Asked),
    /// Given up until somebody mends it, or the next run tries again.
    Held(Held),
    /// Not begun before its window ended: it waits for somebody.
    WindowMissed(WindowMissed),
    /// It cannot be done, as its plan has it where requests come to nothing.
    Failed(Failed),
    /// Everything that a milestone waits for has ended.
    MilestoneReached(MilestoneReached),
    /// A person has done it.
    CompletedByHand(ByHand),
    /// A person has decided that it need not be done.
    Skipped(ByHand),
    /// A person has decided that it cannot be done.
    FailedByHand(ByHand),
    /// A person has let a milestone pass.
    Released(ByHand),
    /// A person has found out that the last request came to nothing, and lets it be sent again.
    Retried(ByHand),
    /// What the completed order made, changed and removed is in an installed base.
    Installed(Installed),
}

/// An installed base that was brought up to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// Its file or folder.
    pub inventory: String,
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
    /// What the times of the order's entries are.
    #[serde(default, skip_serializing_if = "ClockKind::is_system")]
    pub clock: ClockKind,
}

/// A plan that takes the place of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revised {
    /// What for.
    pub kind: RevisionKind,
    /// Digest of the plan, `sha256:…`.
    pub plan_digest: String,
    /// How many tasks it has.
    pub tasks: u32,
    /// Ids of those that are begun anew, whatever they came to before.
    pub anew: Vec<String>,
    /// Ids of those that are not begun, or not gone on with, any more.
    pub dropped: Vec<String>,
    /// Ids of those of which it is only found out what came of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<String>,
    /// Ids of those that stand for what others were before, and of these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<String, String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Texts of the chain's documents from now on, root first, plan last.
    pub documents: Vec<String>,
}

/// Where times come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClockKind {
    /// The system's clock.
    #[default]
    System,
    /// A clock that jumps over the times in which nothing happens: a rehearsal.
    Virtual,
}

impl ClockKind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    fn is_system(&self) -> bool {
        *self == Self::System
    }
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
    /// Whether there is no way back from here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub point_of_no_return: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A request that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// Task id.
    #[serde(skip)]
    pub task: String,
    /// The request that this is about.
    pub attempt: u32,
    /// URL of the monitor.
    pub monitor: String,
}

/// What the endpoint said when it was asked what came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// Task id.
    #[serde(skip)]
    pub task: String,
    /// The request that this is about.
    pub attempt: u32,
    /// What it said.
    pub answer: Answer,
    /// HTTP status, where there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// In words.
    pub reason: String,
    /// When it is asked or sent again, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<String>,
}

/// What an endpoint says about a request, where that is not that it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// It had no effect.
    NotDone,
    /// It has had none so far, which may come still.
    NotYet,
    /// Nothing that could be understood, or not yet.
    Unanswered,
    /// It cannot be asked.
    CannotTell,
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
    /// How it is known, where the answer itself does not say that it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
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
    /// Class of the failure; journals of earlier releases do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// When it is asked or sent again, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<String>,
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
    /// What the policy was, where that is not told by the kind of the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
}

/// A window that ended before its task had begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowMissed {
    /// Task id.
    #[serde(skip)]
    pub task: String,
    /// When it ended, RFC 3339.
    pub end: String,
}

/// A task that cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// Task id.
    #[serde(skip)]
    pub task: String,
    /// Why.
    pub reason: String,
    /// What the policy was, where that is not told by the kind of the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
}

/// A milestone that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MilestoneReached {
    /// Task id.
    #[serde(skip)]
    pub task: String,
}

/// What a person decided about a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ByHand {
    /// Task id.
    #[serde(skip)]
    pub task: String,
    /// Who.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
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
            Self::Revised(_) => "revised",
            Self::Started(_) => "started",
            Self::Accepted(_) => "accepted",
            Self::Completed(_) => "completed",
            Self::AttemptFailed(_) => "attemptFailed",
            Self::Asked(_) => "asked",
            Self::Held(_) => "held",
            Self::WindowMissed(_) => "windowMissed",
            Self::Failed(_) => "failed",
            Self::MilestoneReached(_) => "milestoneReached",
            Self::CompletedByHand(_) => "completedByHand",
            Self::Skipped(_) => "skipped",
            Self::FailedByHand(_) => "failedByHand",
            Self::Released(_) => "released",
            Self::Retried(_) => "retried",
            Self::Installed(_) => "installed",
        }
    }

    /// The task it is about; none for the plan as a whole.
    #[must_use]
    pub fn task(&self) -> Option<&str> {
        match self {
            Self::Planned(_) | Self::Revised(_) | Self::Installed(_) => None,
            Self::Started(it) => Some(&it.task),
            Self::Accepted(it) => Some(&it.task),
            Self::Completed(it) => Some(&it.task),
            Self::AttemptFailed(it) => Some(&it.task),
            Self::Asked(it) => Some(&it.task),
            Self::Held(it) => Some(&it.task),
            Self::WindowMissed(it) => Some(&it.task),
            Self::Failed(it) => Some(&it.task),
            Self::MilestoneReached(it) => Some(&it.task),
            Self::CompletedByHand(it)
            | Self::Skipped(it)
            | Self::FailedByHand(it)
            | Self::Released(it)
            | Self::Retried(it) => Some(&it.task),
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
            Self::Revised(it) => serde_json::to_string(it),
            Self::Installed(it) => serde_json::to_string(it),
            Self::Started(it) => serde_json::to_string(it),
            Self::Accepted(it) => serde_json::to_string(it),
            Self::Completed(it) => serde_json::to_string(it),
            Self::AttemptFailed(it) => serde_json::to_string(it),
            Self::Asked(it) => serde_json::to_string(it),
            Self::Held(it) => serde_json::to_string(it),
            Self::WindowMissed(it) => serde_json::to_string(it),
            Self::Failed(it) => serde_json::to_string(it),
            Self::MilestoneReached(it) => serde_json::to_string(it),
            Self::CompletedByHand(it)
            | Self::Skipped(it)
            | Self::FailedByHand(it)
            | Self::Released(it)
            | Self::Retried(it) => serde_json::to_string(it),
        }
        .expect("strings, numbers and JSON always serialize")
    }
}

/// Lets the detail of a row say which task it is about, as its column does.
trait About: DeserializeOwned {
    fn about(self, task: String) -> Self;
}

macro_rules! about {
    ($($detail:ty),*) => {$(
        impl About for $detail {
            fn about(mut self, task: String) -> Self {
                self.task = task;
                self
            }
        }
    )*};
}

about!(
    Started,
    Accepted,
    Completed,
    AttemptFailed,
    Asked,
    Held,
    WindowMissed,
    Failed,
    MilestoneReached,
    ByHand
);

impl Event {
    /// The event of a row; `None` where there is no such kind.
    fn decode(kind: &str, task: String, detail: &str) -> Option<Result<Self, serde_json::Error>> {
        fn read<T: About>(
            detail: &str,
            task: String,
            event: fn(T) -> Event,
        ) -> Result<Event, serde_json::Error> {
            serde_json::from_str::<T>(detail).map(|it| event(it.about(task)))
        }
        Some(match kind {
            "planned" => serde_json::from_str(detail).map(Self::Planned),
            "revised" => serde_json::from_str(detail).map(Self::Revised),
            "installed" => serde_json::from_str(detail).map(Self::Installed),
            "started" => read(detail, task, Self::Started),
            "accepted" => read(detail, task, Self::Accepted),
            "completed" => read(detail, task, Self::Completed),
            "attemptFailed" => read(detail, task, Self::AttemptFailed),
            "asked" => read(detail, task, Self::Asked),
            "held" => read(detail, task, Self::Held),
            "windowMissed" => read(detail, task, Self::WindowMissed),
            "failed" => read(detail, task, Self::Failed),
            "milestoneReached" => read(detail, task, Self::MilestoneReached),
            "completedByHand" => read(detail, task, Self::CompletedByHand),
            "skipped" => read(detail, task, Self::Skipped),
            "failedByHand" => read(detail, task, Self::FailedByHand),
            "released" => read(detail, task, Self::Released),
            "retried" => read(detail, task, Self::Retried),
            _ => return None,
        })
    }
}

impl Entry {
    /// The time as written: RFC 3339, UTC, six decimals, so that text order is
    /// time order.
    ///
    /// # Panics
    /// Never: a `String` takes all that is written.
    #[must_use]
    pub fn at_text(&self) -> String {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
        let mut text = String::with_capacity("2026-01-01T00:00:00.000000Z".len());
        PRINTER
            .print_timestamp(&self.at, &mut text)
            .expect("a String takes all that is written");
        text
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
            (None, "planned" | "revised" | "installed") => String::new(),
            (None, _) => return Err(DecodeError::NoTask(kind.to_owned())),
            (Some(task), _) => task,
        };
        let event = Event::decode(kind, task, detail)
            .ok_or_else(|| DecodeError::Kind(kind.to_owned()))?
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

    fn by_hand(task: &str, reason: Option<&str>) -> ByHand {
        ByHand {
            task: task.into(),
            by: "jane".into(),
            reason: reason.map(str::to_owned),
        }
    }

    fn asked(task: &str, answer: Answer, retry_at: Option<&str>) -> Event {
        Event::Asked(Asked {
            task: task.into(),
            attempt: 2,
            answer,
            status: Some(404),
            reason: "not there".into(),
            retry_at: retry_at.map(str::to_owned),
        })
    }

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
                clock: ClockKind::Virtual,
            }),
            Event::Revised(Revised {
                kind: RevisionKind::Cancel,
                plan_digest: "sha256:22".into(),
                tasks: 3,
                anew: vec!["1.S.RFS~undo-1".into()],
                dropped: vec![task.clone()],
                settled: vec!["1.S.RFS~before-1".into()],
                moved: [("1.S.RFS~before-1".into(), "1.S.RFS".into())].into(),
                reason: Some("not wanted any more".into()),
                documents: vec!["{}".into()],
            }),
            Event::Started(Started {
                task: task.clone(),
                attempt: 1,
                idempotency_key: "k".into(),
                request_digest: "sha256:11".into(),
                point_of_no_return: true,
            }),
            Event::Accepted(Accepted {
                task: task.clone(),
                attempt: 1,
                monitor: "http://olt/monitor/7".into(),
            }),
            Event::Completed(Completed {
                task: task.clone(),
                status: 201,
                resource: Some(resource),
                note: None,
            }),
            Event::Completed(Completed {
                task: task.clone(),
                status: 404,
                resource: None,
                note: Some("it was gone already".into()),
            }),
            Event::AttemptFailed(AttemptFailed {
                task: task.clone(),
                attempt: 2,
                failure: Failure::Unknown,
                status: None,
                reason: "no answer in 10 s".into(),
                class: Some(FailureClass::Timeout),
                retry_at: Some("2026-11-24T00:00:00Z".into()),
            }),
            asked(&task, Answer::NotDone, None),
            asked(&task, Answer::NotYet, Some("2026-11-24T00:00:00Z")),
            Event::Held(Held {
                task: task.clone(),
                reason: "\"quoted\"\n".into(),
                on_failure: Some(OnFailure::Stop),
            }),
            Event::WindowMissed(WindowMissed {
                task: task.clone(),
                end: "2026-11-24T00:00:00Z".into(),
            }),
            Event::Failed(Failed {
                task: task.clone(),
                reason: "422 no such port".into(),
                on_failure: Some(OnFailure::Skip),
            }),
            Event::MilestoneReached(MilestoneReached { task: task.clone() }),
            Event::CompletedByHand(by_hand(&task, None)),
            Event::Skipped(by_hand(&task, Some("not needed"))),
            Event::FailedByHand(by_hand(&task, Some("no fibre"))),
            Event::Released(by_hand(&task, None)),
            Event::Retried(by_hand(&task, Some("it is not there"))),
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
            on_failure: None,
        });
        let entry = Entry {
            at: "2026-11-23T12:00:00Z".parse().unwrap(),
            event,
        };
        assert_eq!(entry.at_text(), "2026-11-23T12:00:00.000000Z");
    }
}
