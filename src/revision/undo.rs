//! Tasks that undo others, against the order in which those were done.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::{Standing, next_number, origin};
use crate::journal::{Progress, TaskProgress};
use crate::plan::flow::{
    Body, Compensation, Disposition, Method, OnFailure, OrchestrationPlan, Request, TaskFlow,
    TaskFlowRef, TaskFlowRelationship, TaskKind, Until,
};
use crate::plan::{blank_task, compensation_key, segment};

/// What is needed to make the tasks that undo others.
pub(super) struct Undoing<'a> {
    pub plan: &'a OrchestrationPlan,
    pub progress: &'a Progress,
    /// Id of the root order.
    pub root: &'a str,
    /// Number of the revision.
    pub number: u32,
    /// Ids of the tasks that are undone by tasks of earlier revisions which have not ended, and of these.
    pub open: HashMap<&'a str, &'a str>,
    /// What has to have come of tasks that are under way before they are undone, by id.
    pub settled: HashMap<&'a str, Until>,
    /// Ids of the tasks that stand for what is undone, where the id of that is one of something else now.
    pub moved: HashMap<&'a str, String>,
}

impl<'a> Undoing<'a> {
    /// For the revision that comes next.
    pub fn of(standing: Standing<'a>) -> Self {
        let Standing { plan, progress, .. } = standing;
        let mut open = HashMap::new();
        for task in &plan.task_flow {
            let has_ended = progress.task(&task.id).is_some_and(TaskProgress::has_ended);
            if let Some(undone) = task.compensates.as_deref().filter(|_| !has_ended) {
                open.insert(undone, task.id.as_str());
                open.insert(origin(undone), task.id.as_str());
            }
        }
        Self {
            plan,
            progress,
            root: super::root(plan),
            number: next_number(plan),
            open,
            settled: HashMap::new(),
            moved: HashMap::new(),
        }
    }

    /// Id of the task that undoes one.
    pub fn id(&self, task: &str) -> String {
        format!("{task}~undo-{}", self.number)
    }

    /// The tasks that undo these, by id of what they undo, in an order in which each comes after
    /// those that it waits for: what needed a thing is undone before the thing.
    pub fn tasks(&self, undone: &HashSet<&str>) -> Vec<Box<TaskFlow>> {
        let mut before: HashMap<&str, BTreeSet<&str>> = HashMap::new();
        // Every task comes after those that it waits for: backwards, what waits is known first.
        for task in self.plan.task_flow.iter().rev() {
            let id = task.id.as_str();
            let passed_on = if undone.contains(id) || self.open.contains_key(id) {
                BTreeSet::from([id])
            } else {
                before.get(id).cloned().unwrap_or_default()
            };
            for earlier in &task.relationship {
                let needed = before.entry(&earlier.task_flow.id).or_default();
                needed.extend(passed_on.iter().copied());
            }
        }
        let tasks = self.plan.task_flow.iter().rev();
        let made = tasks.filter(|task| undone.contains(task.id.as_str()));
        made.filter_map(|task| {
            let first = before.get(task.id.as_str());
            let is_undone = |id: &str| undone.contains(id);
            self.task(task, first.into_iter().flatten().copied(), is_undone)
        })
        .collect()
    }

    fn task<'t>(
        &self,
        undone: &TaskFlow,
        after: impl Iterator<Item = &'t str>,
        is_undone: impl Fn(&str) -> bool,
    ) -> Option<Box<TaskFlow>> {
        let known = self.progress.task(&undone.id);
        let request = request(undone, known.unwrap_or(&TaskProgress::default()))?;
        let name = format!("Undo {}", undone.name);
        let why = format!("undoes {} ({})", undone.name, undone.id);
        let mut task = self.request_for(undone, request, (self.id(&undone.id), name, why));
        let compensated = self.moved.get(undone.id.as_str());
        let compensated = compensated.unwrap_or(&undone.id);
        task.compensates = Some(compensated.clone());
        let settled = self.settled.get(undone.id.as_str());
        let settled = settled.map(|until| waits(compensated.clone(), *until));
        let earlier = after.map(|first| {
            let open = self.open.get(first).filter(|_| !is_undone(first));
            let id = open.map_or_else(|| self.id(first), |it| (*it).to_owned());
            waits(id, Until::Completed)
        });
        task.relationship = settled.into_iter().chain(earlier).collect();
        Some(task)
    }

    fn request_for(
        &self,
        undone: &TaskFlow,
        request: Request,
        (id, name, why): (String, String, String),
    ) -> Box<TaskFlow> {
        let mut task = blank_task(id, name, TaskKind::Activation, why);
        super::without_schedule(&mut task);
        task.idempotency_key = Some(compensation_key(self.root, &task.id, &request));
        task.request = Some(request);
        task.endpoint.clone_from(&undone.endpoint);
        task.specification.clone_from(&undone.specification);
        task.related_entity.clone_from(&undone.related_entity);
        task.retry.clone_from(&undone.retry);
        // Nothing may pass over what could not be undone.
        task.on_failure = Some(OnFailure::Hold);
        task.disposition = Some(Disposition::Undo);
        task
    }
}

/// The relationship to a task that is waited for.
pub(super) fn waits(id: String, until: Until) -> TaskFlowRelationship {
    TaskFlowRelationship {
        relationship_type: "finishToStart".into(),
        lag: None,
        until,
        task_flow: TaskFlowRef { id },
    }
}

/// The request that undoes a task, where there is one, by what is known of the task.
pub(crate) fn request(task: &TaskFlow, known: &TaskProgress) -> Option<Request> {
    let at = place(task, known);
    let Some(planned) = planned(task) else {
        // What an endpoint has named itself is removed under that name.
        let is_unknown = task.compensation.is_none() && task.endpoint.is_some();
        return Some(Request {
            method: Method::Delete,
            path: at.filter(|_| is_unknown && task.gate.is_none())?,
            body: None,
        });
    };
    let is_planned = planned_place(task).as_ref() == Some(&planned.path);
    Some(match at.filter(|at| is_planned && *at != planned.path) {
        Some(at) => under(planned, at),
        None => planned.clone(),
    })
}

/// A request for the same thing in another place, where its endpoint has named it: it keeps that name.
pub(super) fn under(request: &Request, at: String) -> Request {
    let body = request.body.as_ref().map(|body| {
        let members = serde_json::from_str(&body.get());
        let members: Option<serde_json::Map<String, Value>> = members.ok();
        let Some(mut members) = members.filter(|it| it.contains_key("id")) else {
            return body.clone();
        };
        members.remove("id");
        Body::new(Value::Object(members).to_string()).expect("a value is JSON")
    });
    Request {
        method: request.method,
        path: at,
        body,
    }
}

/// Where the thing is that a task has made: its endpoint may have named it otherwise than it was asked to.
/// None where the task made nothing, or nobody knows.
pub(super) fn place(task: &TaskFlow, known: &TaskProgress) -> Option<String> {
    let request = task.request.as_ref()?;
    match request.method {
        Method::Post => {
            let answered = known.resource.as_deref();
            let answered = answered.and_then(|it| answered_id(it.get(), &request.path));
            match answered {
                Some(id) => Some(format!("{}/{id}", request.path)),
                None => subject(request),
            }
        }
        Method::Patch if is_made(task) => Some(request.path.clone()),
        Method::Patch | Method::Delete => None,
    }
}

/// Where the thing is that a task has made, if its endpoint has named it as it was asked to.
pub(super) fn planned_place(task: &TaskFlow) -> Option<String> {
    let request = task.request.as_ref()?;
    match request.method {
        Method::Post => subject(request),
        Method::Patch if is_made(task) => planned(task).map(|it| it.path.clone()),
        Method::Patch | Method::Delete => None,
    }
}

/// Whether a task has made what its request changes: an order that was changed since has changed it.
pub(super) fn is_made(task: &TaskFlow) -> bool {
    let parent = |request: &Request| {
        let place = request.path.rsplit_once('/');
        place.map(|(parent, _)| parent.to_owned())
    };
    let is_changed = |request: &Request| request.method == Method::Patch;
    let (Some(request), Some(removal)) = (&task.request, planned(task)) else {
        return false;
    };
    task.action.as_deref() == Some("add")
        && is_changed(request)
        && removal.method == Method::Delete
        && parent(request) == parent(removal)
}

/// The id under which an endpoint says that it has made something at this path, as a segment of a path.
fn answered_id(resource: &str, path: &str) -> Option<String> {
    let resource: Value = serde_json::from_str(resource).ok()?;
    if let Some(id) = told_id(&resource) {
        return Some(segment(&id));
    }
    let href = resource.get("href")?.as_str()?.split(['?', '#']).next()?;
    let (parent, last) = href.rsplit_once('/')?;
    let is_segment = !last.is_empty() && !matches!(last, "." | "..");
    (is_segment && parent.ends_with(path)).then(|| last.to_owned())
}

/// The id that an answer gives to what was made.
fn told_id(resource: &Value) -> Option<String> {
    let id = match resource.get("id")? {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => String::new(),
    };
    Some(id).filter(|id| !id.is_empty())
}

/// Whether an answer tells what the thing is called that was made, or where it is.
pub fn tells_name(resource: &str) -> bool {
    let resource: Value = serde_json::from_str(resource).unwrap_or_default();
    told_id(&resource).is_some() || resource["href"].is_string()
}

/// Where the thing is that a request makes, changes or removes; none where only the endpoint knows.
pub(super) fn subject(request: &Request) -> Option<String> {
    if request.method != Method::Post {
        return Some(request.path.clone());
    }
    let body: Value = serde_json::from_str(&request.body.as_ref()?.get()).ok()?;
    let id = body.get("id")?.as_str()?;
    Some(format!("{}/{}", request.path, segment(id)))
}

/// The request that undoes a task as its plan has it, where there is one.
fn planned(task: &TaskFlow) -> Option<&Request> {
    match (&task.compensation, &task.endpoint) {
        (Some(Compensation::Request(request)), Some(_)) => Some(request),
        _ => None,
    }
}

/// Whether a task is undone by removing what it made: that does no harm where there is nothing.
pub(super) fn is_removed(task: &TaskFlow) -> bool {
    planned(task).is_some_and(|request| request.method == Method::Delete)
}

/// Whether what undoes a task does no harm where the task was not done: it removes what is not there,
/// or sets what is so already.
pub(super) fn is_harmless(task: &TaskFlow) -> bool {
    let is_change = |it: &Request| it.method == Method::Patch;
    planned(task).is_some_and(|undoing| {
        let changed = task.request.as_ref().filter(|it| is_change(it));
        let sets_back = changed.is_some_and(|it| it.path == undoing.path) && is_change(undoing);
        undoing.method == Method::Delete || sets_back
    })
}

/// Why nothing undoes a task.
pub(super) fn why_not(task: &TaskFlow) -> String {
    match (&task.compensation, task.kind) {
        (_, TaskKind::Milestone) => "it is a milestone".to_owned(),
        (Some(Compensation::None(reason)), _) => format!("nothing undoes it: {reason}"),
        (_, TaskKind::Manual) => "a person did it: nothing undoes it by itself".to_owned(),
        _ if task.gate.is_some() => "it only asked something".to_owned(),
        _ => "nothing is known that undoes it".to_owned(),
    }
}
