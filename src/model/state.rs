//! Life cycles: the states of orders, items, tasks and flows, and which may
//! follow which.

use serde::{Deserialize, Serialize};

/// State of a task (TMF701 `TaskFlowStateType`). A failed task is `hold`, with
/// its reason, while somebody can mend it, and `cancelled` once it is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskState {
    /// Not begun.
    New,
    /// Being carried out.
    Active,
    /// Stopped by a fault, waiting for somebody.
    Hold,
    /// Given up.
    Cancelled,
    /// Done.
    Completed,
}

/// State of a plan (TMF701 `ProcessFlowStateType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FlowState {
    /// Being carried out, or ready to be.
    Active,
    /// Nothing can go on without somebody.
    Hold,
    /// Given up.
    Cancelled,
    /// Done.
    Completed,
}
