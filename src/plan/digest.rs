//! Digests: what a plan was made from, and what makes a request itself.

use std::panic::resume_unwind;
use std::thread;

use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::flow::{Compensation, Digests, OrchestrationPlan, Request, TaskFlow};
use crate::document::Document;
use crate::model::digest::text;
use crate::model::state::{FlowState, TaskState};

/// Digest of a plan as it was made: how far its tasks have come does not count, nor does it matter
/// how its values are written.
pub fn plan_digest(plan: &OrchestrationPlan) -> String {
    let mut hash = Sha256::new();
    let head = OrchestrationPlan {
        state: FlowState::Active,
        digest: Digests {
            plan: String::new(),
            ..plan.digest.clone()
        },
        task_flow: Vec::new(),
        type_name: plan.type_name.clone(),
        base_type: plan.base_type.clone(),
        format_version: plan.format_version.clone(),
        id: plan.id.clone(),
        specification: plan.specification.clone(),
        related_entity: plan.related_entity.clone(),
        schedule: plan.schedule.clone(),
        revision: plan.revision.clone(),
    };
    hash.update(json(&head));
    for tasks in plan.task_flow.chunks(2 * MANY) {
        let (some, others) = tasks.split_at(MANY.min(tasks.len()));
        if others.is_empty() {
            hash.update(as_made_all(some));
        } else {
            let (some, others) = thread::scope(|scope| {
                let others = scope.spawn(|| as_made_all(others));
                (as_made_all(some), others.join())
            });
            hash.update(some);
            hash.update(others.unwrap_or_else(|panic| resume_unwind(panic)));
        }
    }
    text(&hash.finalize())
}

/// So many tasks are worth a thread of their own.
const MANY: usize = 512;

fn as_made_all(tasks: &[TaskFlow]) -> Vec<u8> {
    let mut texts = Vec::new();
    for task in tasks {
        write(&as_made(task), &mut texts);
    }
    texts
}

/// A task before anything happened to it.
fn as_made(task: &TaskFlow) -> TaskFlow {
    let mut made = TaskFlow {
        state: TaskState::New,
        reason: None,
        outcome: None,
        start_date: None,
        completion_date: None,
        ..task.clone()
    };
    if let Some(request) = &mut made.request {
        respell(request);
    }
    if let Some(Compensation::Request(request)) = &mut made.compensation {
        respell(request);
    }
    made
}

fn respell(request: &mut Request) {
    if let Some(body) = &mut request.body {
        *body = RawValue::from_string(canonical(body)).expect("a canonical text is JSON");
    }
}

fn canonical(body: &RawValue) -> String {
    let document = Document::parse(body.get().to_owned(), "").expect("a raw value is JSON");
    document.root().canonical()
}

fn json(part: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::new();
    write(part, &mut text);
    text
}

fn write(part: &impl Serialize, text: &mut Vec<u8>) {
    serde_json::to_writer(text, part).expect("a plan is made of texts and JSON values");
}

/// Key of a request that a revision of a plan adds, for the task of this id.
pub fn compensation_key(root: &str, task: &str, request: &Request) -> String {
    idempotency_key(root, "revision", task, request)
}

/// Whether two requests are the same, however they are written.
pub fn is_same_request(left: &Request, right: &Request) -> bool {
    let body = |request: &Request| request.body.as_deref().map(canonical);
    left.method == right.method && left.path == right.path && body(left) == body(right)
}

/// Key by which an endpoint recognises a request that it has seen: the same for the same task of
/// the same order as long as the request is the same, and for no other.
pub fn idempotency_key(root: &str, order: &str, item: &str, request: &Request) -> String {
    let mut hash = Sha256::new();
    for part in [root, order, item, request.method.name(), &request.path] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(request.body.as_deref().map_or_else(String::new, canonical));
    text(&hash.finalize())["sha256:".len()..][..32].to_owned()
}
