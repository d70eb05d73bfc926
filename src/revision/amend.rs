//! Orders that are changed while they are carried out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::cancel::{Fate, fate, is_past_return};
use super::undo::Undoing;
use super::{Pin, Pinned, Refusal, Standing, check, next_number};
use crate::journal::TaskProgress;
use crate::model::state::TaskState;
use crate::plan::flow::{
    Body, Disposition, Method, OrchestrationPlan, Request, Revision, RevisionKind, TaskFlow,
    TaskFlowRef, TaskFlowRelationship, TaskKind, Until,
};
use crate::plan::{blank_task, compensation_key, plan_digest};

/// The plan that goes on from where an order stands to what `new` asks for.
///
/// # Errors
/// Where something would change that is past the point of no return, or the order cannot be revised
/// now.
pub fn amend(
    standing: Standing<'_>,
    new: &OrchestrationPlan,
    (reason, pinned): (Option<String>, Pinned),
) -> Result<OrchestrationPlan, Refusal> {
    check(standing)?;
    if standing.progress.has_ended() {
        return Err(Refusal::Ended);
    }
    let mut amending = Amending::new(standing);
    let mut tasks = Vec::new();
    let wanted: HashSet<&str> = new.task_flow.iter().map(|task| task.id.as_str()).collect();
    for task in &new.task_flow {
        tasks.push(amending.wanted(task)?);
    }
    let mut unwanted = Vec::new();
    for task in &standing.plan.task_flow {
        let undid = task.compensates.as_deref();
        // What is done again is not undone any more.
        let is_undone_no_more = undid.is_some_and(|it| wanted.contains(it));
        if !wanted.contains(task.id.as_str()) && !is_undone_no_more {
            unwanted.push(amending.unwanted(task)?);
        }
    }
    let refused = amending.refused(tasks.iter().chain(&unwanted));
    if !refused.is_empty() && pinned != Pinned::Force {
        return Err(Refusal::Pinned(refused));
    }
    let undoing = Undoing {
        plan: standing.plan,
        root: super::root(standing.plan),
        number: next_number(standing.plan),
    };
    let undone: HashSet<&str> = amending.undone.iter().map(String::as_str).collect();
    let undo = undoing.tasks(&undone);
    let milestones = amending.undone_first(&undo, &mut tasks);
    // Each after those that it waits for.
    let all = unwanted
        .into_iter()
        .chain(undo)
        .chain(milestones)
        .chain(tasks);
    let mut plan = OrchestrationPlan {
        revision: Some(Revision {
            number: next_number(standing.plan),
            kind: RevisionKind::Amend,
            of: standing.plan.digest.plan.clone(),
            entries: standing.progress.entries(),
            partly: false,
            reason,
        }),
        task_flow: all.collect(),
        ..new.clone()
    };
    plan.digest.plan = plan_digest(&plan);
    Ok(plan)
}

struct Amending<'a> {
    standing: Standing<'a>,
    before: HashMap<&'a str, &'a TaskFlow>,
    /// Tasks whose effect was undone by an earlier revision.
    gone: HashSet<&'a str>,
    /// Ids of the tasks that are to be undone.
    undone: Vec<String>,
}

impl<'a> Amending<'a> {
    fn new(standing: Standing<'a>) -> Self {
        let tasks = &standing.plan.task_flow;
        let undid = tasks.iter().filter_map(|task| task.compensates.as_deref());
        Self {
            standing,
            before: tasks.iter().map(|task| (task.id.as_str(), task)).collect(),
            gone: undid.collect(),
            undone: Vec::new(),
        }
    }

    fn known(&self, id: &str) -> TaskProgress {
        self.standing.progress.task(id).cloned().unwrap_or_default()
    }

    /// A task of the new plan, and what is done about it.
    fn wanted(&mut self, task: &TaskFlow) -> Result<TaskFlow, Refusal> {
        let mut task = task.clone();
        let known = self.known(&task.id);
        let before = self.before.get(task.id.as_str()).copied();
        let Some(before) = before.filter(|it| !self.gone.contains(it.id.as_str())) else {
            task.disposition = Some(Disposition::Do);
            return Ok(task);
        };
        let same = is_same(before, &task);
        let disposition = match known.state {
            TaskState::Completed if same => {
                task.request.clone_from(&before.request);
                task.idempotency_key.clone_from(&before.idempotency_key);
                Disposition::Keep
            }
            TaskState::Completed => {
                let request = match (&before.request, &task.request) {
                    (Some(old), Some(new)) => redone(old, new),
                    _ => None,
                };
                if let Some(request) = request {
                    let root = super::root(self.standing.plan);
                    let id = format!("{}~redo-{}", task.id, next_number(self.standing.plan));
                    task.idempotency_key = Some(compensation_key(root, &id, &request));
                    task.request = Some(request);
                }
                Disposition::Redo
            }
            // It goes on with what it has come to.
            TaskState::Active | TaskState::Hold if same => Disposition::Keep,
            TaskState::Active | TaskState::Hold if known.is_unsettled() => {
                return Err(Refusal::InDoubt {
                    task: task.id.clone(),
                });
            }
            TaskState::New | TaskState::Cancelled | TaskState::Active | TaskState::Hold => {
                Disposition::Do
            }
        };
        task.disposition = Some(disposition);
        Ok(task)
    }

    /// A task that the new plan does not have.
    fn unwanted(&mut self, task: &TaskFlow) -> Result<TaskFlow, Refusal> {
        let known = self.known(&task.id);
        let mut task = task.clone();
        task.disposition = Some(Disposition::Keep);
        if task.compensates.is_some() || self.gone.contains(task.id.as_str()) {
            return Ok(task);
        }
        match fate(&task, &known)? {
            Fate::Drop => task.disposition = Some(Disposition::Drop),
            Fate::Undo => {
                self.undone.push(task.id.clone());
                if !known.has_ended() {
                    task.disposition = Some(Disposition::Drop);
                }
            }
            Fate::Keep(why) => task.why = Some(why),
        }
        Ok(task)
    }

    /// The bundles past the point of no return in which something would change.
    fn refused<'t>(&self, tasks: impl Iterator<Item = &'t TaskFlow>) -> Vec<Pin> {
        let mut changed: BTreeSet<&str> = BTreeSet::new();
        let touched: Vec<&str> = tasks
            .filter(|task| {
                let known = self.known(&task.id);
                let begun = known.attempts > 0 || known.has_ended();
                let is_undone = self.undone.contains(&task.id);
                match task.disposition {
                    Some(Disposition::Keep) | None => is_undone,
                    // What is as it was, and was not begun, is no change.
                    Some(Disposition::Do) => {
                        let before = self.before.get(task.id.as_str());
                        before.is_none_or(|it| !is_same(it, task) || begun)
                    }
                    Some(Disposition::Redo | Disposition::Undo | Disposition::Drop) => true,
                }
            })
            .map(|task| task.id.as_str())
            .collect();
        for task in touched {
            changed.extend(self.standing.bundles.of_task(task));
        }
        let mut pins: BTreeMap<String, Pin> = BTreeMap::new();
        for task in &self.standing.plan.task_flow {
            let known = self.known(&task.id);
            if !is_past_return(task, &known) {
                continue;
            }
            for bundle in self.standing.bundles.of_task(&task.id) {
                if changed.contains(bundle) {
                    let since = known.started_at.or(known.finished_at).unwrap_or_default();
                    pins.entry(bundle.to_owned()).or_insert_with(|| Pin {
                        bundle: bundle.to_owned(),
                        task: task.id.clone(),
                        name: task.name.clone(),
                        since: since.to_string(),
                    });
                }
            }
        }
        pins.into_values().collect()
    }

    /// Lets what is done in a bundle wait until what is undone of it is, by a milestone for each.
    fn undone_first(&self, undo: &[TaskFlow], tasks: &mut [TaskFlow]) -> Vec<TaskFlow> {
        let number = next_number(self.standing.plan);
        let mut milestones: BTreeMap<&str, TaskFlow> = BTreeMap::new();
        for task in undo {
            let undone = task.compensates.as_deref().unwrap_or_default();
            for bundle in self.standing.bundles.of_task(undone) {
                let milestone = milestones.entry(bundle).or_insert_with(|| {
                    let id = format!("{bundle}~undone-{number}");
                    let why = "what is not wanted any more is undone first".to_owned();
                    let name = format!("Undone {bundle}");
                    let mut task = blank_task(id, name, TaskKind::Milestone, why);
                    super::without_schedule(&mut task);
                    task.disposition = Some(Disposition::Do);
                    task
                });
                milestone.relationship.push(after(&task.id));
            }
        }
        for task in tasks {
            let is_begun = matches!(task.disposition, Some(Disposition::Do | Disposition::Redo));
            if !is_begun {
                continue;
            }
            for bundle in self.standing.bundles.of_task(&task.id) {
                if let Some(milestone) = milestones.get(bundle) {
                    task.relationship.push(after(&milestone.id));
                }
            }
        }
        milestones.into_values().collect()
    }
}

/// The request that makes what was made before into what is wanted now; none where it can be
/// sent as it is: what was changed is changed again, what was asked is asked again.
fn redone(old: &Request, new: &Request) -> Option<Request> {
    if new.method != Method::Post || old.method != Method::Post {
        return None;
    }
    let body = |request: &Request| -> Option<Value> {
        serde_json::from_str(request.body.as_ref()?.get()).ok()
    };
    let (old_body, mut patch) = (body(old)?, body(new)?);
    let id = patch.get("id")?.as_str()?.to_owned();
    if old_body.get("id")?.as_str()? != id {
        return None;
    }
    let members = patch.as_object_mut()?;
    for name in old_body.as_object()?.keys() {
        // What is not wanted any more is removed (RFC 7386).
        members.entry(name).or_insert(Value::Null);
    }
    let at = format!("{}/{}", new.path, crate::plan::segment(&id));
    let body = Body::new(patch.to_string()).expect("a value is JSON");
    Some(Request {
        method: Method::Patch,
        path: at,
        body: Some(body),
    })
}

fn after(task: &str) -> TaskFlowRelationship {
    TaskFlowRelationship {
        relationship_type: "finishToStart".into(),
        lag: None,
        until: Until::Completed,
        task_flow: TaskFlowRef {
            id: task.to_owned(),
        },
    }
}

/// Whether two versions of a task have the same effect.
fn is_same(before: &TaskFlow, now: &TaskFlow) -> bool {
    before.kind == now.kind
        && before.endpoint == now.endpoint
        && match (&before.request, &now.request) {
            (Some(old), Some(new)) => crate::plan::is_same_request(old, new),
            (None, None) => true,
            _ => false,
        }
}
