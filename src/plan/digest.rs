//! Digests: what a plan was made from, and what makes a request itself.

use sha2::{Digest, Sha256};

use super::flow::{OrchestrationPlan, Request};
use crate::model::digest::text;
use crate::model::state::{FlowState, TaskState};
use crate::model::{ResourceOrder, ResourceOrderItem};

/// Digest of a plan as it was made: its states and reasons do not count.
pub fn plan_digest(plan: &OrchestrationPlan) -> String {
    let mut made = plan.clone();
    made.state = FlowState::Active;
    made.digest.plan.clear();
    for task in &mut made.task_flow {
        task.state = TaskState::New;
        task.reason = None;
    }
    new_plan_digest(&made)
}

/// Digest of a plan that has just been made, and has no digest yet.
pub(super) fn new_plan_digest(plan: &OrchestrationPlan) -> String {
    // A task takes some 1.5 kB.
    let mut json = Vec::with_capacity(1024 + plan.task_flow.len() * 1536);
    serde_json::to_writer(&mut json, plan).expect("a plan is made of texts and JSON values");
    text(&Sha256::digest(json))
}

/// Key by which an endpoint recognises a request that it has seen: the same for the same task of
/// the same order as long as the request is the same, and for no other.
pub fn idempotency_key(
    root: &str,
    order: &ResourceOrder<'_>,
    item: &ResourceOrderItem<'_>,
    request: &Request,
) -> String {
    let mut hash = Sha256::new();
    let order = order.id.as_deref().unwrap_or_default();
    for part in [root, order, &item.id, request.method.name(), &request.path] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(request.body.as_ref().map_or("", |body| body.get()));
    text(&hash.finalize())["sha256:".len()..][..32].to_owned()
}
