//! Why an order is carried out by another plan than at first: the request to cancel it, a change, bundles
//! that are undone.

use jiff::Timestamp;
use serde::Deserialize as _;
use serde::de::IntoDeserializer;
use serde::de::value::Error;

use super::blocking::Known;
use crate::document::Document;
use crate::model::state::TaskState;
use crate::plan::flow::{RevisionKind, TaskOutcome};
use crate::progress::PlanTask;
use crate::revision::cancel_request;

/// The last revision of an order, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionStanding {
    /// What for.
    pub kind: RevisionKind,
    /// Which revision of the order it is, from 1.
    pub number: u32,
    /// For a cancellation, the resource that asks for it: its type, as in `@type`, and its id.
    pub request: Option<(&'static str, String)>,
    /// As the standards have it for requests to cancel (`TaskStateType`): `inProgress` until all that it undoes,
    /// does again and does has ended, then `done`, or `terminatedWithError` where something could not be. A cancellation
    /// that was not begun with is `acknowledged`, of a service order `accepted`.
    pub state: &'static str,
    /// When it took the place of the plan before, where the journal says.
    pub since: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
    /// Of its tasks, those that are done, and all.
    pub tasks: (usize, usize),
}

impl RevisionStanding {
    /// Of a plan and its tasks; none where it is the first one.
    pub(super) fn of(
        (plan, is_assessed): (&Document, bool),
        tasks: &[PlanTask<'_>],
        (order_type, order): (&str, &str),
        known: Known<'_>,
    ) -> Option<Self> {
        let revision = plan.root().get("revision")?;
        let kind = revision.text("kind")?;
        let kind: Result<RevisionKind, Error> = RevisionKind::deserialize(kind.into_deserializer());
        let kind = kind.ok()?;
        let number = revision.get("number")?.compact().parse().ok()?;
        let is_part = |task: &&PlanTask<'_>| {
            let disposition = task.node.text("disposition");
            matches!(disposition.as_deref(), Some("undo" | "redo" | "do"))
        };
        let states: Vec<TaskState> = tasks.iter().filter(is_part).map(|it| it.state).collect();
        let count = |state| states.iter().filter(|it| **it == state).count();
        // An undoing that a person has left out has not undone anything.
        let left_out = tasks.iter().filter(|it| {
            it.compensates.is_some() && is_part(it) && it.outcome == Some(TaskOutcome::Skipped)
        });
        let completed = count(TaskState::Completed) - left_out.count();
        let state = if is_assessed && order_type == "ServiceOrder" {
            // TMF641 has a word of its own for it.
            "accepted"
        } else if is_assessed {
            "acknowledged"
        } else if completed == states.len() {
            "done"
        } else if states.iter().all(|it| it.successors().is_empty()) {
            "terminatedWithError"
        } else {
            "inProgress"
        };
        Some(Self {
            kind,
            number,
            request: (kind == RevisionKind::Cancel)
                .then(|| cancel_request(order_type, order, number)),
            state,
            since: known
                .progress
                .and_then(crate::journal::Progress::revised_at),
            reason: revision.text("reason").map(super::owned),
            tasks: (completed, states.len()),
        })
    }
}
