//! Tasks that undo others, against the order in which those were done.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::plan::flow::{
    Compensation, Disposition, Method, OnFailure, OrchestrationPlan, Request, TaskFlow,
    TaskFlowRef, TaskFlowRelationship, TaskKind, Until,
};
use crate::plan::{blank_task, compensation_key};

/// What is needed to make the tasks that undo others.
pub(super) struct Undoing<'a> {
    pub plan: &'a OrchestrationPlan,
    /// Id of the root order.
    pub root: &'a str,
    /// Number of the revision.
    pub number: u32,
}

impl Undoing<'_> {
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
            let passed_on = if undone.contains(id) {
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
            self.task(task, first.into_iter().flatten().copied())
        })
        .collect()
    }

    fn task<'t>(
        &self,
        undone: &TaskFlow,
        after: impl Iterator<Item = &'t str>,
    ) -> Option<Box<TaskFlow>> {
        let request = request(undone)?;
        let name = format!("Undo {}", undone.name);
        let why = format!("undoes {} ({})", undone.name, undone.id);
        let mut task = self.request_for(undone, request, (self.id(&undone.id), name, why));
        task.compensates = Some(undone.id.clone());
        task.relationship = after
            .map(|first| TaskFlowRelationship {
                relationship_type: "finishToStart".into(),
                lag: None,
                until: Until::Completed,
                task_flow: TaskFlowRef { id: self.id(first) },
            })
            .collect();
        Some(task)
    }

    /// The task that removes what may be there of one that is done anew; none where nothing can be
    /// removed without harm.
    pub fn removal(&self, anew: &TaskFlow) -> Option<Box<TaskFlow>> {
        let request = removal(anew)?;
        let id = format!("{}~remove-{}", anew.id, self.number);
        let name = format!("Remove {}", anew.name);
        let why = format!(
            "nobody knows whether {} ({}) was done as it was: what may be there is removed before \
             it is done as it is now",
            anew.name, anew.id
        );
        Some(self.request_for(anew, request, (id, name, why)))
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

/// The request that undoes a task, where there is one.
pub(super) fn request(task: &TaskFlow) -> Option<Request> {
    match (&task.compensation, &task.endpoint) {
        (Some(Compensation::Request(request)), Some(_)) => Some(request.clone()),
        _ => None,
    }
}

/// The request that undoes a task by removing what it made: it does no harm where there is nothing.
pub(super) fn removal(task: &TaskFlow) -> Option<Request> {
    request(task).filter(|request| request.method == Method::Delete)
}

/// Whether what undoes a task does no harm where the task was not done: it removes what is not there,
/// or sets what is so already.
pub(super) fn is_harmless(task: &TaskFlow) -> bool {
    let is_change = |it: &Request| it.method == Method::Patch;
    request(task).is_some_and(|undoing| {
        let changed = task.request.as_ref().filter(|it| is_change(it));
        let sets_back = changed.is_some_and(|it| it.path == undoing.path) && is_change(&undoing);
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
