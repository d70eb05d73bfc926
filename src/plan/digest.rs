//! Digests: what a plan was made from, and what makes a request itself.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::MANY;
use super::body::Body;
use super::flow::{Compensation, Digests, OrchestrationPlan, Request, TaskFlow};
use crate::model::digest::text;
use crate::parallel;

/// Digest of a plan as it was made: how far its tasks have come does not count, nor does it matter
/// how its values are written.
pub fn plan_digest(plan: &OrchestrationPlan) -> String {
    let OrchestrationPlan {
        type_name,
        base_type,
        format_version,
        id,
        specification,
        state: _,
        related_entity,
        digest: Digests {
            order,
            catalog,
            plan: _,
        },
        schedule,
        revision,
        task_flow,
    } = plan;
    let kind = (type_name, base_type, format_version, id, specification);
    let mut head = Vec::new();
    write(
        &(kind, related_entity, order, catalog, schedule, revision),
        &mut head,
    );
    let mut hash = Sha256::new();
    hash.update(head);
    let texts = parallel::parts(task_flow, MANY, |_, tasks| {
        let mut texts = Vec::with_capacity(TASK * tasks.len());
        for task in tasks {
            write_made(task, &mut texts);
        }
        texts
    });
    for text in texts {
        hash.update(text);
    }
    text(&hash.finalize())
}

/// What a task takes, at a guess that is seldom too low.
const TASK: usize = 1 << 10;

/// What a task is, before anything happened to it: as lists, whose members are told apart by where
/// they stand.
fn write_made(task: &TaskFlow, text: &mut Vec<u8>) {
    let TaskFlow {
        id,
        type_name,
        name,
        kind,
        state: _,
        reason: _,
        outcome: _,
        start_date: _,
        completion_date: _,
        why,
        action,
        gate,
        rollout_wave,
        specification,
        related_entity,
        relationship,
        endpoint,
        request,
        idempotency_key,
        window,
        point_of_no_return,
        compensation,
        retry,
        compensates,
        disposition,
        on_failure,
        estimate,
        duration,
        earliest_start,
        latest_start,
        slack,
        critical,
        wave,
    } = task;
    let (undo, not_undone) = match compensation {
        Some(Compensation::Request(request)) => (Some(Asked::of(request)), None),
        Some(Compensation::None(reason)) => (None, Some(reason)),
        None => (None, None),
    };
    let what = (id, type_name, name, kind, why, action, gate, specification);
    let around = (related_entity, relationship, rollout_wave, compensates);
    let request = request.as_ref().map(Asked::of);
    let how = (
        endpoint,
        request,
        idempotency_key,
        window,
        point_of_no_return,
    );
    let otherwise = (undo, not_undone, retry, on_failure, disposition);
    let when = (
        estimate,
        duration,
        earliest_start,
        latest_start,
        slack,
        critical,
        wave,
    );
    write(&(what, around, how, otherwise, when), text);
}

/// A request by what it says.
#[derive(PartialEq, Serialize)]
struct Asked<'r>(&'static str, &'r str, Option<&'r str>);

impl Asked<'_> {
    fn of(request: &Request) -> Asked<'_> {
        let body = request.body.as_ref().map(Body::digest);
        Asked(request.method.name(), &request.path, body)
    }
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
    Asked::of(left) == Asked::of(right)
}

/// Key by which an endpoint recognises a request that it has seen: the same for the same task of
/// the same order as long as the request is the same, and for no other.
pub fn idempotency_key(root: &str, order: &str, item: &str, request: &Request) -> String {
    let mut hash = Sha256::new();
    for part in [root, order, item, request.method.name(), &request.path] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(request.body.as_ref().map_or("", Body::digest));
    text(&hash.finalize())["sha256:".len()..][..32].to_owned()
}
