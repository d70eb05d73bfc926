//! Progress written into documents, as changes of their text.

use std::collections::HashSet;

use jiff::Timestamp;

use super::TaskStanding;
use super::level::OrderStanding;
use super::plan::{PlanTask, plan_tasks};
use crate::document::{Document, Edits, Kind, Node, quote};
use crate::model::Order;
use crate::model::state::{FlowState, OrderState, TaskState};

/// The order as it stands; `None` if nothing changes.
pub fn order(
    document: &Document,
    order: &Order<'_>,
    standing: &OrderStanding,
    tasks: &dyn Fn(&str) -> Option<TaskStanding>,
) -> Option<Document> {
    let root = order.node();
    let mut edits = Edits::new();
    let was = OrderState::of(root);
    set_state(&mut edits, root, standing.state);
    for (item, standing) in order.items().zip(&standing.items) {
        set_state(&mut edits, item.node, standing.state);
    }
    let blank = |key| root.text(key).is_none_or(|text| text.is_empty());
    if let Some(started) = standing.started
        && !matches!(order, Order::Product(_))
        && blank("startDate")
    {
        edits.set(root, "startDate", &quote(&date(started)));
    }
    if let Some(finished) = standing.finished
        && standing.state == OrderState::Completed
        && (was != Some(OrderState::Completed) || blank("completionDate"))
    {
        edits.set(root, "completionDate", &quote(&date(finished)));
    }
    if matches!(order, Order::Resource(_)) {
        notes(&mut edits, order, tasks);
    }
    // Everything set above is JSON; a document that were to come out broken stays as it was.
    edits.apply(document).ok()
}

/// What is the same, however it is spelled, stays as it is spelled.
fn set_state(edits: &mut Edits, node: Node<'_>, state: OrderState) {
    if OrderState::of(node) != Some(state) {
        edits.set(node, "state", &quote(state.name()));
    }
}

fn date(timestamp: Timestamp) -> String {
    format!("{timestamp:.3}")
}

/// A note for each held task. The note of a task that is held again is replaced.
fn notes(edits: &mut Edits, order: &Order<'_>, tasks: &dyn Fn(&str) -> Option<TaskStanding>) {
    let root = order.node();
    let mut made = Vec::new();
    for item in order.items() {
        let Some(task) = tasks(item.id).filter(|task| task.state == TaskState::Hold) else {
            continue;
        };
        let text = task.reason.as_deref().unwrap_or("held");
        let id = format!("task:{}", item.id);
        let when = task.changed.map(date);
        let mut notes = root.list("note");
        if let Some(note) = notes.find(|note| note.text("id").as_deref() == Some(&*id)) {
            edits.set(note, "text", &quote(text));
            if let Some(when) = when {
                edits.set(note, "date", &quote(&when));
            }
            continue;
        }
        let when = when.map_or(String::new(), |when| format!("\"date\":{},", quote(&when)));
        made.push(format!(
            "{{\"id\":{},\"author\":\"orderctl\",{when}\"text\":{},\"@type\":\"Note\"}}",
            quote(&id),
            quote(text)
        ));
    }
    if made.is_empty() {
        return;
    }
    let made = made.join(",");
    match root.get("note") {
        // A single note without a list around it.
        Some(note) if note.kind() == Kind::Object => {
            edits.set(root, "note", &format!("[{},{made}]", note.raw()));
        }
        Some(_) => edits.append(root, "note", &made),
        None => edits.set(root, "note", &format!("[{made}]")),
    }
}

/// The plan as it stands; `None` if nothing changes.
pub fn plan(
    document: &Document,
    tasks: &dyn Fn(&str) -> Option<TaskStanding>,
    ready: &HashSet<String>,
) -> Option<Document> {
    let root = document.root();
    let mut edits = Edits::new();
    let mut states = Vec::new();
    let mut text = String::from("[");
    for task in plan_tasks(document) {
        let (state, reason) = settle(&task, tasks(&task.id));
        states.push(state);
        if text.len() > 1 {
            text.push(',');
        }
        task_text(task.node, state, reason.as_deref(), &mut text);
    }
    text.push(']');
    if root
        .get("taskFlow")
        .is_some_and(|list| list.kind() == Kind::Array)
    {
        edits.set(root, "taskFlow", &text);
    }
    let state = flow_state(&states, !ready.is_empty());
    let written = serde_json::to_string(&state).ok()?;
    if !matches!(
        root.text("state").as_deref(),
        Some("completed" | "cancelled")
    ) {
        edits.set(root, "state", &written);
    }
    edits.apply(document).ok()
}

/// State and reason of a task; as written, where its life cycle does not lead to what is given.
fn settle(task: &PlanTask<'_>, standing: Option<TaskStanding>) -> (TaskState, Option<String>) {
    let written = || (task.state, task.reason.as_deref().map(str::to_owned));
    let Some(standing) = standing else {
        return written();
    };
    let may = match (task.state, standing.state) {
        (old, new) if old == new => true,
        (TaskState::Completed | TaskState::Cancelled, _) | (_, TaskState::New) => false,
        (TaskState::New | TaskState::Active | TaskState::Hold, _) => true,
    };
    if !may {
        return written();
    }
    let stands = matches!(standing.state, TaskState::Hold | TaskState::Cancelled);
    (standing.state, standing.reason.filter(|_| stands))
}

/// The task object with another state, and its reason right behind it.
fn task_text(task: Node<'_>, state: TaskState, reason: Option<&str>, text: &mut String) {
    if task.kind() != Kind::Object {
        text.push_str(&task.compact());
        return;
    }
    let mut progress = format!("\"state\":{}", quote(state.name()));
    if let Some(reason) = reason {
        progress.push_str(",\"reason\":");
        progress.push_str(&quote(reason));
    }
    let mut members = Vec::new();
    let mut placed = false;
    for (key, value) in task.members() {
        match key.as_str().as_deref() {
            Some("state") => {
                members.push(std::mem::take(&mut progress));
                placed = true;
            }
            Some("reason") => {}
            _ => members.push(format!("{}:{}", key.raw(), value.compact())),
        }
    }
    if !placed {
        members.push(progress);
    }
    text.push('{');
    text.push_str(&members.join(","));
    text.push('}');
}

/// State of a plan: on hold where something is held and nothing else can go on.
fn flow_state(tasks: &[TaskState], ready: bool) -> FlowState {
    let any = |state| tasks.contains(&state);
    if tasks.iter().all(|state| *state == TaskState::Completed) {
        FlowState::Completed
    } else if tasks.iter().all(|state| state.successors().is_empty()) {
        FlowState::Cancelled
    } else if any(TaskState::Hold) && !any(TaskState::Active) && !ready {
        FlowState::Hold
    } else {
        FlowState::Active
    }
}
