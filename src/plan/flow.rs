//! The plan as a document: an OrchestrationPlan over TMF701 `ProcessFlow`,
//! its tasks as `taskFlow`.
//!
//! Everything in here is what `activate` needs to carry the order out, and
//! what `status` needs to explain it; nothing is computed later.

use std::borrow::Cow;
use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

pub use super::body::Body;
use crate::model::state::{FlowState, TaskState};
pub use crate::retry::OnFailure;
use crate::retry::RetryPolicy;

/// Format version of the plans written by this release.
pub const FORMAT_VERSION: &str = "1.0";

/// Reads a text that is nearly always one of a few, which take no room of their own: a plan has many
/// of them.
fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'static, str>, D::Error> {
    struct Word;

    impl Visitor<'_> for Word {
        type Value = Cow<'static, str>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string")
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            let known = WORDS.iter().find(|word| **word == text);
            Ok(known.map_or_else(|| text.to_owned().into(), |word| (*word).into()))
        }
    }

    deserializer.deserialize_str(Word)
}

/// Words that plans are full of, the most frequent ones first.
const WORDS: [&str; 12] = [
    "orderItem",
    "ResourceOrderItem",
    "ServiceOrderItem",
    "ProductOrderItem",
    "finishToStart",
    "TaskFlow",
    "order",
    "rootOrder",
    "ResourceOrder",
    "ServiceOrder",
    "ProductOrder",
    "OrchestrationPlan",
];

/// An orchestration plan (`@type` OrchestrationPlan, `@baseType` ProcessFlow).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrchestrationPlan {
    /// Always `OrchestrationPlan`.
    #[serde(rename = "@type", deserialize_with = "word")]
    pub type_name: Cow<'static, str>,
    /// Always `ProcessFlow` (TMF701).
    #[serde(rename = "@baseType", deserialize_with = "word")]
    pub base_type: Cow<'static, str>,
    /// Version of this format, `major.minor`.
    #[serde(rename = "formatVersion", deserialize_with = "word")]
    pub format_version: Cow<'static, str>,
    /// Computed from the id of the chain's root order.
    pub id: String,
    /// Always `OrchestrationPlan/<major>`.
    #[serde(rename = "processFlowSpecification", deserialize_with = "word")]
    pub specification: Cow<'static, str>,
    /// TMF701 ProcessFlow state.
    pub state: FlowState,
    /// The orders of the chain, root first.
    #[serde(rename = "relatedEntity")]
    pub related_entity: Vec<RelatedEntity>,
    /// What the plan was made from.
    pub digest: Digests,
    /// Figures over all tasks.
    pub schedule: Schedule,
    /// What made this plan out of another one, where it is not the first of its order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The tasks, in an order in which every task comes after those it waits for.
    #[serde(rename = "taskFlow")]
    pub task_flow: Vec<Box<TaskFlow>>,
}

/// What made a plan out of another one while that was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Which one of its order this is, from 1.
    pub number: u32,
    /// What for.
    pub kind: RevisionKind,
    /// Digest of the plan before, `sha256:…`.
    pub of: String,
    /// How many entries the journal had about the order.
    pub entries: u64,
    /// Whether bundles past the point of no return stay as they are.
    #[serde(default, skip_serializing_if = "is_false")]
    pub partly: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a plan is revised for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RevisionKind {
    /// The order is cancelled: what was done is undone, the rest is dropped.
    Cancel,
    /// The order was changed.
    Amend,
    /// A task failed, and what its bundle has done is undone.
    Compensate,
}

impl RevisionKind {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            RevisionKind::Cancel => "cancel",
            RevisionKind::Amend => "amend",
            RevisionKind::Compensate => "compensate",
        }
    }
}

/// What a revision does with a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Disposition {
    /// It stays as it is.
    Keep,
    /// It was done, and is done again because what it depends on has changed.
    Redo,
    /// It undoes one that was done and is not wanted any more.
    Undo,
    /// Nobody knows what came of its last request, which is found out before it is undone; nothing is sent
    /// for it any more.
    Settle,
    /// It is to be done.
    Do,
    /// It is not begun any more.
    Drop,
}

impl Disposition {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Disposition::Keep => "keep",
            Disposition::Redo => "redo",
            Disposition::Undo => "undo",
            Disposition::Settle => "settle",
            Disposition::Do => "do",
            Disposition::Drop => "drop",
        }
    }
}

/// Reference to an order or order item (TMF701 `RelatedEntity`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelatedEntity {
    /// Id of the order or item.
    pub id: String,
    /// `rootOrder`, `order`, `orderItem`.
    #[serde(deserialize_with = "word")]
    pub role: Cow<'static, str>,
    /// `ProductOrder`, `ServiceOrder`, `ResourceOrder`, `ResourceOrderItem`, …
    #[serde(rename = "@referredType", deserialize_with = "word")]
    pub referred_type: Cow<'static, str>,
}

/// SHA-256 digests, each written `sha256:<64 hex digits>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// One for each order of the chain, over what was ordered (progress such
    /// as states, dates and notes does not count).
    pub order: Vec<OrderDigest>,
    /// Over the catalog, where one was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog: Option<String>,
    /// Over the tasks and the digests above: the identity of this plan.
    pub plan: String,
}

/// Digest of one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDigest {
    /// Id of the order.
    pub id: String,
    /// `ProductOrder`, `ServiceOrder`, `ResourceOrder`.
    #[serde(rename = "@referredType", deserialize_with = "word")]
    pub referred_type: Cow<'static, str>,
    /// `sha256:…`
    pub digest: String,
}

/// Figures of a plan's forward and backward pass. Durations are ISO 8601.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Length of the critical path.
    #[serde(rename = "expectedDuration")]
    pub expected_duration: String,
    /// Sum of all durations: what it would take one by one.
    #[serde(rename = "totalDuration")]
    pub total_duration: String,
    /// Number of waves.
    pub waves: u32,
    /// Ids of the tasks on the critical path, first to last.
    #[serde(rename = "criticalPath")]
    pub critical_path: Vec<String>,
    /// When the plan is reckoned to start, RFC 3339, where the order gives a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// When everything should be done if it does, RFC 3339.
    #[serde(
        rename = "expectedCompletion",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub expected_completion: Option<String>,
    /// By how much the requested completion cannot be met, ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jeopardy: Option<String>,
    /// Root order's requested completion minus critical path, RFC 3339, where
    /// a completion date was requested.
    #[serde(rename = "calculatedStart", skip_serializing_if = "Option::is_none")]
    pub calculated_start: Option<String>,
}

/// What kind of work a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskKind {
    /// A call to an endpoint.
    Activation,
    /// Something that a person does, and says so.
    Manual,
    /// A point that other tasks and people wait for; reached once everything before it is done.
    Milestone,
}

/// One task (TMF701 `TaskFlow`).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskFlow {
    /// Id, unique within the plan: that of the order item it carries out.
    pub id: String,
    /// Always `TaskFlow`.
    #[serde(rename = "@type", deserialize_with = "word")]
    pub type_name: Cow<'static, str>,
    /// Name for people: that of the resource.
    pub name: String,
    /// Kind of work.
    pub kind: TaskKind,
    /// TMF701 TaskFlow state.
    pub state: TaskState,
    /// Why it is held or was given up; who completed or skipped it by hand, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it ended, where that is not by being carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<TaskOutcome>,
    /// When its first request was about to be sent, RFC 3339.
    #[serde(rename = "startDate", default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// When it ended, however, RFC 3339.
    #[serde(
        rename = "completionDate",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub completion_date: Option<String>,
    /// Why it is there, in a sentence: the rule, gate or rollout that put it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What the order item asks for; none for tasks that belong to no item of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Cow<'static, str>>,
    /// For a gate: its kind, such as `feasibility` or `approval`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// Wave of the rollout that it belongs to.
    #[serde(
        rename = "rolloutWave",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub rollout_wave: Option<String>,
    /// Id of the resource specification.
    #[serde(
        rename = "taskFlowSpecification",
        skip_serializing_if = "Option::is_none"
    )]
    pub specification: Option<String>,
    /// The order item that it carries out, then what it realizes.
    #[serde(rename = "relatedEntity")]
    pub related_entity: Vec<RelatedEntity>,
    /// The tasks that have to be completed before this one starts.
    #[serde(
        rename = "taskFlowRelationship",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub relationship: Vec<TaskFlowRelationship>,
    /// Name of the endpoint, as in the endpoints file; of an activation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What will be sent; of an activation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// Key under which the endpoint will recognise a repeated request; of an activation.
    #[serde(
        rename = "idempotencyKey",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub idempotency_key: Option<String>,
    /// When it may start, and when it is too late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Whether its start cannot be undone.
    #[serde(rename = "pointOfNoReturn", default, skip_serializing_if = "is_false")]
    pub point_of_no_return: bool,
    /// What undoes it; none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensation: Option<Compensation>,
    /// How its request is repeated, where its endpoint is not to say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// Id of the task that it undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensates: Option<String>,
    /// What the revision of its plan does with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// What becomes of it when it cannot be done, where its endpoint is not to say so.
    #[serde(rename = "onFailure", default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// What the expected duration was computed from, where there are several estimates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Expected duration, ISO 8601.
    pub duration: String,
    /// Earliest start after the plan's start, ISO 8601 duration.
    #[serde(rename = "earliestStart")]
    pub earliest_start: String,
    /// Latest start that does not delay the order, ISO 8601 duration.
    #[serde(rename = "latestStart")]
    pub latest_start: String,
    /// Latest minus earliest start, ISO 8601 duration.
    pub slack: String,
    /// Whether any delay of it delays the order.
    pub critical: bool,
    /// Tasks of one wave do not wait for each other; from 1.
    pub wave: u32,
}

/// A dependency between tasks (TMF701 `TaskFlowRelationship`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFlowRelationship {
    /// Always `finishToStart`.
    #[serde(rename = "relationshipType", deserialize_with = "word")]
    pub relationship_type: Cow<'static, str>,
    /// How long after the other task's end, ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<String>,
    /// What the other task has to have come to.
    #[serde(default, skip_serializing_if = "Until::is_completed")]
    pub until: Until,
    /// The task to wait for.
    #[serde(rename = "taskFlow")]
    pub task_flow: TaskFlowRef,
}

/// What a task that is waited for has to have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Until {
    /// It was completed.
    #[default]
    Completed,
    /// It was completed, or was given up.
    Ended,
}

impl Until {
    /// Whether only completion counts.
    pub fn is_completed(&self) -> bool {
        *self == Until::Completed
    }
}

/// From when to when a task may start. RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Not before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Not at or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
}

/// What undoes a task.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Compensation {
    /// A request to the same endpoint.
    Request(Request),
    /// Nothing does, or need do so, and why.
    None(String),
}

/// How a task ended, where that is not by being carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskOutcome {
    /// It could not be done.
    Failed,
    /// Something that it needs could not be done.
    GivenUp,
    /// A person did it.
    ByHand,
    /// A person decided that it need not be done.
    Skipped,
    /// A person let it pass: a milestone that was not reached.
    Released,
    /// Its order was changed or cancelled before it was done.
    Dropped,
}

impl TaskOutcome {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            TaskOutcome::Failed => "failed",
            TaskOutcome::GivenUp => "givenUp",
            TaskOutcome::ByHand => "byHand",
            TaskOutcome::Skipped => "skipped",
            TaskOutcome::Released => "released",
            TaskOutcome::Dropped => "dropped",
        }
    }
}

/// Estimates of a duration, ISO 8601 durations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// When all goes well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimistic: Option<String>,
    /// Most likely.
    #[serde(rename = "mostLikely")]
    pub most_likely: String,
    /// When much goes wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pessimistic: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Reference to a task (TMF701 `TaskFlowRef`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFlowRef {
    /// Task id.
    pub id: String,
}

/// HTTP method of a TMF702 request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Create a resource.
    Post,
    /// Change a resource.
    Patch,
    /// Remove a resource.
    Delete,
}

/// A TMF702 request, relative to the endpoint's address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path below the endpoint's address, such as `resource` or `resource/<id>`.
    pub path: String,
    /// JSON body; none for `DELETE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

/// A task's call to its endpoint.
#[derive(Debug, Clone, Copy)]
pub struct TaskCall<'t> {
    /// Name of the endpoint.
    pub endpoint: &'t str,
    /// What is sent.
    pub request: &'t Request,
    /// Key under which the endpoint recognises a repetition.
    pub idempotency_key: &'t str,
}

impl OrchestrationPlan {
    /// Positions of the tasks of a name; where there are none, of those that are called so before
    /// the key in brackets that tells them apart.
    pub fn called(&self, name: &str) -> Vec<usize> {
        let tasks = || self.task_flow.iter().enumerate();
        let named = tasks().filter(|(_, task)| task.name == name);
        let named: Vec<usize> = named.map(|(position, _)| position).collect();
        if !named.is_empty() {
            return named;
        }
        let keyed = |task: &TaskFlow| {
            let key = task.name.strip_prefix(name);
            key.is_some_and(|key| key.starts_with(" (") && key.ends_with(')'))
        };
        let keyed = tasks().filter(|(_, task)| keyed(task));
        keyed.map(|(position, _)| position).collect()
    }

    /// Whether it says that anything of it was done already.
    pub fn is_begun(&self) -> bool {
        self.state == FlowState::Completed
            || self
                .task_flow
                .iter()
                .any(|task| task.state != TaskState::New)
    }
}

impl TaskFlow {
    /// Whether it is where a wave of a rollout ends, and people may let the next one begin.
    pub fn ends_wave(&self) -> bool {
        self.rollout_wave.is_some() && self.action.is_none() && self.gate.is_none()
    }

    /// What an activation sends; none for tasks of other kinds.
    pub fn call(&self) -> Option<TaskCall<'_>> {
        Some(TaskCall {
            endpoint: self.endpoint.as_deref()?,
            request: self.request.as_ref()?,
            idempotency_key: self.idempotency_key.as_deref()?,
        })
    }
}

impl Method {
    /// As in the request line.
    pub fn name(self) -> &'static str {
        match self {
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}
