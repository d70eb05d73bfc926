//! Digests: what a plan was made from, and what makes a request itself.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::MANY;
use super::body::Body;
use super::flow::{
    Compensation, Digests, Estimate, OrchestrationPlan, RelatedEntity, Request, TaskFlow,
    TaskFlowRef, TaskFlowRelationship,
};
use crate::document::{Canonical, Document, Node};
use crate::model::digest::text;
use crate::parallel;

/// Digest of a plan as it was made: how far its tasks have come does not count, nor does it matter
/// how its values are written. It is that of what the plan says of itself, and of the digests of
/// its tasks.
pub fn plan_digest(plan: &OrchestrationPlan) -> String {
    digest(plan, &[])
}

/// [`plan_digest`] of a plan that was read from this document. What its requests say is digested by
/// that, so that it need not be parsed once more.
pub fn plan_digest_by(plan: &OrchestrationPlan, document: &Document) -> String {
    let tasks: Vec<Node<'_>> = document.root().list("taskFlow").collect();
    digest(plan, &tasks)
}

/// The digest of a plan, of whose tasks these are what is written of them, as far as that is known.
fn digest(plan: &OrchestrationPlan, written: &[Node<'_>]) -> String {
    let digests = parallel::parts(&plan.task_flow, MANY, |first, tasks| {
        let mut told = Told::default();
        let mut bodies = written.first().map(|it| Bodies::of(it.document()));
        let mut digests = Vec::with_capacity(tasks.len());
        for (at, task) in (first..).zip(tasks) {
            if let (Some(bodies), Some(node)) = (&mut bodies, written.get(at)) {
                bodies.digest(task, *node);
            }
            digests.push(told.digest(task));
        }
        digests
    });
    digest_of(plan, digests.iter().flatten())
}

/// Digest of a plan whose tasks have these digests.
pub fn digest_of<'t>(
    plan: &OrchestrationPlan,
    digests: impl Iterator<Item = &'t TaskDigest>,
) -> String {
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
        task_flow: _,
    } = plan;
    let kind = (type_name, base_type, format_version, id, specification);
    let mut head = Told::default();
    head.value(&(kind, related_entity, order, catalog, schedule, revision));
    let mut hash = Sha256::new();
    hash.update(head.0);
    for digest in digests {
        hash.update(digest);
    }
    text(&hash.finalize())
}

/// Digests of the bodies of tasks by the document that they were read from.
struct Bodies<'d> {
    canonical: Canonical<'d>,
    text: Vec<u8>,
}

impl<'d> Bodies<'d> {
    fn of(document: &'d Document) -> Self {
        Self {
            canonical: Canonical::of(document),
            text: Vec::new(),
        }
    }

    /// Digests the bodies of a task, of which this is what is written.
    fn digest(&mut self, task: &TaskFlow, written: Node<'d>) {
        let request = task.request.as_ref();
        self.body(request, written.member("request"));
        if let Some(Compensation::Request(undoing)) = &task.compensation {
            let written = written.member("compensation");
            let written = written.and_then(|it| it.member("request"));
            self.body(Some(undoing), written);
        }
    }

    fn body(&mut self, request: Option<&Request>, written: Option<Node<'d>>) {
        let body: Option<&Body> = request.and_then(|it| it.body.as_ref());
        let written = written.and_then(|it| it.member("body"));
        if let (Some(body), Some(written)) = (body, written) {
            body.digest_by(written, (&mut self.canonical, &mut self.text));
        }
    }
}

/// Texts and values behind each other, so that what is told of two tasks is the same only if they
/// are: each text comes with its length, and what may be absent with whether it is there.
#[derive(Debug, Default)]
pub struct Told(Vec<u8>);

/// SHA-256 of what is told of a task.
pub type TaskDigest = [u8; 32];

impl Told {
    /// Digest of a task as it was made.
    pub fn digest(&mut self, task: &TaskFlow) -> TaskDigest {
        self.0.clear();
        self.task(task);
        Sha256::digest(&self.0).into()
    }

    /// What a task is, before anything happened to it.
    fn task(&mut self, task: &TaskFlow) {
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
        self.texts([id, type_name, name]);
        self.value(kind);
        for text in [why, gate, rollout_wave, specification, endpoint] {
            self.optional(text.as_deref());
        }
        for text in [idempotency_key, compensates] {
            self.optional(text.as_deref());
        }
        self.optional(action.as_deref());
        self.number(related_entity.len());
        for entity in related_entity {
            self.related(entity);
        }
        self.number(relationship.len());
        for waits in relationship {
            self.waits(waits);
        }
        self.flag(request.is_some());
        if let Some(request) = request {
            self.request(request);
        }
        self.flag(compensation.is_some());
        match compensation {
            Some(Compensation::Request(request)) => {
                self.flag(true);
                self.request(request);
            }
            Some(Compensation::None(reason)) => {
                self.flag(false);
                self.text(reason);
            }
            None => {}
        }
        self.flag(estimate.is_some());
        if let Some(estimate) = estimate {
            let Estimate {
                optimistic,
                most_likely,
                pessimistic,
            } = estimate;
            self.optional(optimistic.as_deref());
            self.text(most_likely);
            self.optional(pessimistic.as_deref());
        }
        self.texts([duration, earliest_start, latest_start, slack]);
        self.flag(*point_of_no_return);
        self.flag(*critical);
        self.number(*wave as usize);
        // What few tasks have.
        let some = window.is_some() || retry.is_some() || disposition.is_some();
        let some = some || on_failure.is_some();
        self.flag(some);
        if some {
            self.value(&(window, retry, disposition, on_failure));
        }
    }

    fn related(&mut self, entity: &RelatedEntity) {
        let RelatedEntity {
            id,
            role,
            referred_type,
        } = entity;
        self.texts([id, role, referred_type]);
    }

    fn waits(&mut self, waits: &TaskFlowRelationship) {
        let TaskFlowRelationship {
            relationship_type,
            lag,
            until,
            task_flow: TaskFlowRef { id },
        } = waits;
        self.texts([relationship_type, id]);
        self.optional(lag.as_deref());
        self.value(until);
    }

    /// A request, its body by what it says.
    fn request(&mut self, request: &Request) {
        let Request { method, path, body } = request;
        self.texts([method.name(), path]);
        self.flag(body.is_some());
        if let Some(body) = body {
            self.0.extend_from_slice(body.digest());
        }
    }

    fn texts<const N: usize>(&mut self, texts: [&str; N]) {
        for text in texts {
            self.text(text);
        }
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u64).to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    fn value(&mut self, value: &impl Serialize) {
        let before = self.0.len();
        self.number(0);
        serde_json::to_writer(&mut self.0, value).expect("a plan is made of texts and JSON values");
        let length = (self.0.len() - before) as u64;
        self.0[before..before + 8].copy_from_slice(&length.to_le_bytes());
    }
}

/// Key of a request that a revision of a plan adds, for the task of this id.
pub fn compensation_key(root: &str, task: &str, request: &Request) -> String {
    idempotency_key(root, "revision", task, request)
}

/// Whether two requests are the same, however they are written.
pub fn is_same_request(left: &Request, right: &Request) -> bool {
    let body = |request: &Request| request.body.as_ref().map(|body| *body.digest());
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
    if let Some(body) = &request.body {
        hash.update(body.digest());
    }
    text(&hash.finalize()[..16])["sha256:".len()..].to_owned()
}
