//! Orders that are changed while they are carried out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::cancel::{Fate, fate, is_past_return};
use super::undo::{self, Undoing};
use super::{BEFORE, Pin, Pinned, Refusal, Standing, check, next_number, origin};
use crate::journal::TaskProgress;
use crate::model::state::TaskState;
use crate::plan::flow::{
    Body, Compensation, Disposition, Method, OrchestrationPlan, Request, Revision, RevisionKind,
    TaskFlow, TaskKind, TaskOutcome, Until,
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
    check(standing, RevisionKind::Amend)?;
    let mut amending = Amending::new(standing);
    let mut tasks = Vec::new();
    let wanted: HashSet<&str> = new.task_flow.iter().map(|task| task.id.as_str()).collect();
    for task in &new.task_flow {
        tasks.push(amending.wanted(task));
    }
    let mut unwanted = Vec::new();
    for task in &standing.plan.task_flow {
        let undid = task.compensates.as_deref();
        // What is done again is not undone any more.
        let is_undone_no_more = undid.is_some_and(|it| wanted.contains(it));
        if !wanted.contains(task.id.as_str()) && !is_undone_no_more {
            unwanted.push(amending.unwanted(task));
        }
    }
    let refused = amending.refused(tasks.iter().chain(&unwanted));
    if !refused.is_empty() && pinned != Pinned::Force {
        return Err(Refusal::Pinned(refused));
    }
    if let Some(task) = amending.unsettled.first() {
        let task = task.clone();
        return Err(Refusal::InDoubt { task });
    }
    let copies = std::mem::take(&mut amending.copies);
    let moved = copies.iter();
    let moved = moved.filter_map(|it| Some((amending.before.get(origin(&it.id))?.id.as_str(), it)));
    let undoing = Undoing {
        settled: std::mem::take(&mut amending.settled),
        moved: moved.map(|(of, it)| (of, it.id.clone())).collect(),
        ..Undoing::of(standing)
    };
    let undone: HashSet<&str> = amending.undone.iter().map(String::as_str).collect();
    let undo = undoing.tasks(&undone);
    let milestones = amending.undone_first(&undo, &mut tasks);
    // Each after those that it waits for.
    let all = copies
        .into_iter()
        .chain(unwanted)
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
    let ids: HashSet<String> = plan.task_flow.iter().map(|it| it.id.clone()).collect();
    for task in &mut plan.task_flow {
        // What undid a thing that is wanted again is forgotten, also by what waited for it.
        task.relationship
            .retain(|before| ids.contains(&before.task_flow.id));
    }
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
    /// What tasks were before that are done as something else now.
    copies: Vec<Box<TaskFlow>>,
    /// What has to have come of tasks that are under way before they are undone, by id.
    settled: HashMap<&'a str, Until>,
    /// Ids of the tasks that change, and of which that is not known and has to be known first.
    unsettled: Vec<String>,
}

impl<'a> Amending<'a> {
    fn new(standing: Standing<'a>) -> Self {
        let tasks = &standing.plan.task_flow;
        let undid = tasks.iter().filter_map(|task| task.compensates.as_deref());
        Self {
            standing,
            before: tasks
                .iter()
                .map(|task| (task.id.as_str(), &**task))
                .collect(),
            gone: undid.collect(),
            undone: Vec::new(),
            copies: Vec::new(),
            settled: HashMap::new(),
            unsettled: Vec::new(),
        }
    }

    fn known(&self, id: &str) -> TaskProgress {
        self.standing.progress.task(id).cloned().unwrap_or_default()
    }

    /// A task of the new plan, and what is done about it.
    fn wanted(&mut self, task: &TaskFlow) -> Box<TaskFlow> {
        let mut task = Box::new(task.clone());
        let known = self.known(&task.id);
        let before = self.before.get(task.id.as_str()).copied();
        let Some(before) = before.filter(|it| !self.gone.contains(it.id.as_str())) else {
            task.disposition = Some(Disposition::Do);
            self.there_again(&mut task);
            // Where what it asks for was done before, it was undone since: the key of then would count
            // as a repetition.
            self.ask_anew(&mut task);
            return task;
        };
        let (doubted, restored) = (before, restored(before, &task));
        let before = restored.as_ref().unwrap_or(before);
        let same = is_same(before, &task);
        let disposition = match known.state {
            // What is not over goes on with what it has come to.
            TaskState::Completed | TaskState::Active | TaskState::Hold if same => Disposition::Keep,
            // Nothing is there of it.
            TaskState::Completed if was_left_out(&known) => Disposition::Do,
            TaskState::Completed if is_elsewhere(before, &task) => {
                self.moved(doubted, &known);
                Disposition::Do
            }
            TaskState::Completed => {
                let request = match (&before.request, &task.request) {
                    (Some(old), Some(new)) => {
                        let at = undo::place(doubted, &known);
                        redone(old, new, at).or_else(|| put_back(before, old, new))
                    }
                    _ => None,
                };
                let request = request.or_else(|| renamed(doubted, &task, &known));
                task.request = request.or(task.request);
                Disposition::Redo
            }
            TaskState::Active | TaskState::Hold if known.may_have_had_effect() => {
                self.in_doubt(doubted, &mut task, &known);
                Disposition::Do
            }
            TaskState::New | TaskState::Cancelled | TaskState::Active | TaskState::Hold => {
                Disposition::Do
            }
        };
        task.disposition = Some(disposition);
        if same {
            // It is the same request still, whether it was sent or not.
            task.request.clone_from(&doubted.request);
            task.idempotency_key.clone_from(&doubted.idempotency_key);
        } else {
            self.ask_anew(&mut task);
        }
        task
    }

    /// Gives the request of a task a key of this revision: an earlier one may have asked for the same, and
    /// not be what was asked for last.
    fn ask_anew(&self, task: &mut TaskFlow) {
        if let Some(request) = &task.request {
            let root = super::root(self.standing.plan);
            let id = format!("{}~redo-{}", task.id, next_number(self.standing.plan));
            task.idempotency_key = Some(compensation_key(root, &id, request));
        }
    }

    /// Lets a task find what was removed and made again when that was undone, under the name that its
    /// endpoint has given it then.
    fn there_again(&self, task: &mut TaskFlow) {
        let tasks = self.standing.plan.task_flow.iter();
        let mut undoing = tasks.filter(|it| it.compensates.as_deref() == Some(&*task.id));
        let found = undoing.find_map(|undoing| {
            let known = self.known(&undoing.id);
            let is_done = known.state == TaskState::Completed && undoing.endpoint == task.endpoint;
            let request = renamed(undoing, task, &known).filter(|_| is_done)?;
            Some((undo::planned_place(undoing)?, request))
        });
        let Some((planned, request)) = found else {
            return;
        };
        if let Some(Compensation::Request(undo)) = &mut task.compensation
            && undo.path == planned
        {
            *undo = undo::under(undo, request.path.clone());
        }
        task.request = Some(request);
    }

    /// Takes note of a task whose request is another one now, and of which nobody knows whether the one
    /// before had its effect.
    fn in_doubt(&mut self, before: &'a TaskFlow, task: &mut TaskFlow, known: &TaskProgress) {
        let is_asked_again = before.gate.is_some();
        let overwrites = match (&before.request, &task.request) {
            (Some(old), Some(new)) => overwrites(old, new),
            _ => false,
        };
        if is_asked_again {
            return;
        }
        if overwrites {
            let copy = self.copy(before, Disposition::Settle);
            task.relationship
                .push(undo::waits(copy.id.clone(), Until::Ended));
            self.copies.push(copy);
        } else if undo::is_removed(before) {
            let copy = self.copy(before, Disposition::Settle);
            self.copies.push(copy);
            self.undone.push(before.id.clone());
            self.settled.insert(before.id.as_str(), Until::Completed);
        } else if known.is_unsettled() {
            self.unsettled.push(task.id.clone());
        }
        // Else its endpoint says that it failed, and is believed.
    }

    /// Takes note of a task that was done, and is to be done where that does not change what it made: that
    /// is undone.
    fn moved(&mut self, before: &'a TaskFlow, known: &TaskProgress) {
        if before.gate.is_some() {
            return;
        }
        let mut copy = self.copy(before, Disposition::Keep);
        if undo::request(before, known).is_some() {
            self.undone.push(before.id.clone());
        } else {
            copy.why = Some(undo::why_not(before));
        }
        self.copies.push(copy);
    }

    /// A task that stands for what one of the new plan was before.
    fn copy(&self, before: &TaskFlow, disposition: Disposition) -> Box<TaskFlow> {
        Box::new(TaskFlow {
            id: format!("{}{BEFORE}{}", before.id, next_number(self.standing.plan)),
            name: format!("{} as it was", before.name),
            disposition: Some(disposition),
            // It was begun, whenever it might have been, and pins its bundle under its own id.
            relationship: Vec::new(),
            window: None,
            point_of_no_return: false,
            rollout_wave: None,
            ..before.clone()
        })
    }

    /// A task that the new plan does not have.
    fn unwanted(&mut self, task: &'a TaskFlow) -> Box<TaskFlow> {
        let known = self.known(&task.id);
        let before = task;
        let mut task = Box::new(task.clone());
        task.disposition = Some(Disposition::Keep);
        if task.compensates.is_some() || self.gone.contains(task.id.as_str()) {
            return task;
        }
        match fate(&task, &known) {
            Err(_) => self.unsettled.push(task.id.clone()),
            Ok(Fate::Drop) => task.disposition = Some(Disposition::Drop),
            Ok(Fate::Undo) => {
                self.undone.push(task.id.clone());
                if !known.has_ended() {
                    task.disposition = Some(Disposition::Drop);
                }
            }
            Ok(Fate::Settle(until)) => {
                self.undone.push(task.id.clone());
                self.settled.insert(before.id.as_str(), until);
                task.disposition = Some(Disposition::Settle);
                // What it waited for was over when it began, and may be done otherwise now.
                task.relationship.clear();
            }
            Ok(Fate::Keep(why)) => task.why = Some(why),
        }
        task
    }

    /// The bundles past the point of no return in which something would change.
    fn refused<'t>(&self, tasks: impl Iterator<Item = &'t Box<TaskFlow>>) -> Vec<Pin> {
        let mut changed: BTreeSet<&str> = BTreeSet::new();
        let touched: Vec<&str> = tasks
            .filter(|task| {
                let known = self.known(&task.id);
                let begun = known.attempts > 0 || known.has_ended();
                let is_undone = self.undone.contains(&task.id) || self.unsettled.contains(&task.id);
                match task.disposition {
                    Some(Disposition::Keep) | None => is_undone,
                    // What is as it was, and was not begun, is no change.
                    Some(Disposition::Do) => {
                        let before = self.before.get(task.id.as_str());
                        before.is_none_or(|it| !is_same(it, task) || begun)
                    }
                    Some(
                        Disposition::Redo
                        | Disposition::Undo
                        | Disposition::Settle
                        | Disposition::Drop,
                    ) => true,
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
    fn undone_first(
        &self,
        undo: &[Box<TaskFlow>],
        tasks: &mut [Box<TaskFlow>],
    ) -> Vec<Box<TaskFlow>> {
        let number = next_number(self.standing.plan);
        let mut milestones: BTreeMap<&str, Box<TaskFlow>> = BTreeMap::new();
        for task in undo {
            let undone = origin(task.compensates.as_deref().unwrap_or_default());
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
                milestone
                    .relationship
                    .push(undo::waits(task.id.clone(), Until::Completed));
            }
        }
        let mut waited_for: BTreeSet<&str> = BTreeSet::new();
        for task in tasks {
            let is_begun = matches!(task.disposition, Some(Disposition::Do | Disposition::Redo));
            if !is_begun {
                continue;
            }
            for bundle in self.standing.bundles.of_task(&task.id) {
                if let Some((bundle, milestone)) = milestones.get_key_value(bundle) {
                    task.relationship
                        .push(undo::waits(milestone.id.clone(), Until::Completed));
                    waited_for.insert(bundle);
                }
            }
        }
        milestones.retain(|bundle, _| waited_for.contains(bundle));
        milestones.into_values().collect()
    }
}

/// What a request says, if it is anything.
fn body(request: &Request) -> Option<Value> {
    serde_json::from_str(&request.body.as_ref()?.get()).ok()
}

/// The request that makes what was made before into what is wanted now; none where it can be
/// sent as it is: what was changed is changed again, what was asked is asked again.
fn redone(old: &Request, new: &Request, at: Option<String>) -> Option<Request> {
    if new.method != Method::Post || old.method != Method::Post {
        return None;
    }
    let (old_body, mut patch) = (body(old)?, body(new)?);
    let id = patch.get("id")?.as_str()?.to_owned();
    if old_body.get("id")?.as_str()? != id {
        return None;
    }
    forget(&old_body, &mut patch);
    let planned = format!("{}/{}", new.path, crate::plan::segment(&id));
    let at = at.unwrap_or_else(|| planned.clone());
    // Its endpoint has named it otherwise, and keeps that name.
    if at != planned
        && let Some(members) = patch.as_object_mut()
    {
        members.remove("id");
    }
    let body = Body::new(patch.to_string()).expect("a value is JSON");
    Some(Request {
        method: Method::Patch,
        path: at,
        body: Some(body),
    })
}

/// The request for what was made before, under the name that its endpoint has given it.
fn renamed(before: &TaskFlow, now: &TaskFlow, known: &TaskProgress) -> Option<Request> {
    let request = now
        .request
        .as_ref()
        .filter(|it| it.method != Method::Post)?;
    let at = undo::place(before, known)?;
    let planned = undo::planned_place(before)?;
    (request.path == planned && at != planned).then(|| undo::under(request, at))
}

/// The request that makes what was removed before anew, as it is to be now: what it was, with what changes.
fn put_back(before: &TaskFlow, old: &Request, new: &Request) -> Option<Request> {
    if (old.method, new.method) != (Method::Delete, Method::Patch) || old.path != new.path {
        return None;
    }
    let was =
        undo::request(before, &TaskProgress::default()).filter(|it| it.method == Method::Post)?;
    let (Value::Object(mut made), Value::Object(changes)) = (body(&was)?, body(new)?) else {
        return None;
    };
    made.extend(changes);
    let mut made = Value::Object(made);
    without_nulls(&mut made);
    let body = Body::new(made.to_string()).expect("a value is JSON");
    Some(Request {
        body: Some(body),
        ..was
    })
}

/// A task as it would be if what it made had been made so at once, where an earlier revision has changed it;
/// `wanted` is what it is to be now.
fn restored(before: &TaskFlow, wanted: &TaskFlow) -> Option<TaskFlow> {
    let (old, new) = (before.request.as_ref()?, wanted.request.as_ref()?);
    if (old.method, new.method) != (Method::Patch, Method::Post) {
        return None;
    }
    let id = body(new)?.get("id")?.as_str()?.to_owned();
    let planned = format!("{}/{}", new.path, crate::plan::segment(&id));
    let is_it = undo::is_made(before) && undo::planned_place(before).as_ref() == Some(&planned);
    if old.path != planned && !is_it {
        return None;
    }
    let mut made = body(old)?;
    without_nulls(&mut made);
    if let (true, Some(members)) = (is_it, made.as_object_mut()) {
        members.insert("id".to_owned(), Value::String(id));
    }
    let body = Body::new(made.to_string()).expect("a value is JSON");
    let request = Request {
        method: Method::Post,
        path: new.path.clone(),
        body: Some(body),
    };
    Some(TaskFlow {
        request: Some(request),
        ..before.clone()
    })
}

/// What a merge patch leaves of the members that it names.
fn without_nulls(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(without_nulls);
    }
}

/// Makes a document into the merge patch (RFC 7386) that leads to it from an old one: members that the old
/// one has beside it are removed, however deep.
fn forget(old: &Value, new: &mut Value) {
    if let (Value::Object(old), Value::Object(new)) = (old, new) {
        for (name, old) in old {
            match new.get_mut(name) {
                Some(new) => forget(old, new),
                None => drop(new.insert(name.clone(), Value::Null)),
            }
        }
    }
}

/// Whether a change leaves nothing of an earlier one to the same thing.
fn overwrites(old: &Request, new: &Request) -> bool {
    let are_changes = old.method == Method::Patch && new.method == Method::Patch;
    are_changes
        && old.path == new.path
        && matches!((body(old), body(new)), (Some(old), Some(new)) if covers(&old, &new))
}

/// Whether every member of a merge patch is one of another, too.
fn covers(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => old
            .iter()
            .all(|(name, old)| new.get(name).is_some_and(|new| covers(old, new))),
        (Value::Object(_), _) => false,
        _ => true,
    }
}

/// Whether a task that is over was left out.
fn was_left_out(known: &TaskProgress) -> bool {
    known.outcome == Some(TaskOutcome::Skipped)
}

/// Whether a task is about something else than it was before, or something of another endpoint.
fn is_elsewhere(before: &TaskFlow, now: &TaskFlow) -> bool {
    let (Some(old), Some(new)) = (&before.request, &now.request) else {
        return before.request.is_some();
    };
    if before.gate.is_some() {
        return false;
    }
    let subject = undo::subject(old);
    before.endpoint != now.endpoint || subject.is_none() || subject != undo::subject(new)
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
