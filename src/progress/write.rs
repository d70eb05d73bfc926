//! Progress written into documents, as changes of their text.

use std::borrow::Cow;
use std::fmt::Write as _;

use foldhash::HashMap;
use jiff::Timestamp;

use super::TaskStanding;
use super::level::OrderStanding;
use super::plan::{Plan, PlanTask, Revised};
use crate::document::{Document, Edits, Kind, Node, quote};
use crate::model::Order;
use crate::model::state::{FlowState, OrderState, TaskState};
use crate::plan::flow::TaskOutcome;

/// What is written into an order.
pub struct Change<'a> {
    /// How far it and its items are.
    pub standing: &'a OrderStanding,
    /// Where tasks stand, by id.
    pub tasks: &'a dyn Fn(&str) -> Option<TaskStanding>,
    /// Ids of the tasks without an item of their own that are told in its notes.
    pub others: &'a [String],
    /// When the last of what was undone or dropped was.
    pub over: Option<Timestamp>,
}

/// The text of an order as it stands.
pub fn order(document: &Document, order: &Order<'_>, change: &Change<'_>) -> String {
    let standing = change.standing;
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
    if let Some(over) = change.over
        && standing.state == OrderState::Cancelled
        && (was != Some(OrderState::Cancelled) || blank("cancellationDate"))
    {
        edits.set(root, "cancellationDate", &quote(&date(over)));
    }
    let mut told = Vec::new();
    if matches!(order, Order::Resource(_)) {
        told.extend(order.items().filter_map(|item| note(item.id, change.tasks)));
    }
    told.extend(change.others.iter().filter_map(|id| note(id, change.tasks)));
    let items = order.items().zip(&standing.items);
    let undone = items.filter(|(_, standing)| standing.is_undone);
    told.extend(undone.map(|(item, _)| undone_note(item.id)));
    notes(&mut edits, root, &told);
    edits.text(document)
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

/// What is told of a task.
struct Note {
    id: String,
    author: String,
    text: String,
    date: Option<String>,
}

/// The note of a task that is held or failed, that had nothing to do, or that a person ended.
fn note(id: &str, tasks: &dyn Fn(&str) -> Option<TaskStanding>) -> Option<Note> {
    let task = tasks(id)?;
    let given_up = task.outcome == Some(TaskOutcome::GivenUp);
    let done_otherwise = task.state == TaskState::Completed && task.reason.is_some();
    let told = task.state == TaskState::Hold || task.outcome.is_some() || done_otherwise;
    if given_up || !told {
        return None;
    }
    Some(Note {
        id: format!("task:{id}"),
        author: task.by.unwrap_or_else(|| "orderctl".to_owned()),
        text: task.reason.unwrap_or_else(|| "held".to_owned()),
        date: task.changed.map(date),
    })
}

/// The note of an item that was completed and does not stay so, although its state does.
fn undone_note(item: &str) -> Note {
    Note {
        id: format!("item:{item}"),
        author: "orderctl".to_owned(),
        text: format!("item {item} was completed, then undone"),
        date: None,
    }
}

/// A note for each task that is told. The note of a task that was told before is replaced.
fn notes(edits: &mut Edits, root: Node<'_>, told: &[Note]) {
    if told.is_empty() {
        return;
    }
    let written: HashMap<_, _> = root
        .list("note")
        .filter_map(|note| Some((note.text("id")?, note)))
        .collect();
    let mut made = Vec::new();
    for Note {
        id,
        author,
        text,
        date,
    } in told
    {
        if let Some(note) = written.get(id.as_str()) {
            edits.set(*note, "author", &quote(author));
            edits.set(*note, "text", &quote(text));
            if let Some(date) = date {
                edits.set(*note, "date", &quote(date));
            }
            continue;
        }
        let date = date.as_ref();
        let date = date.map_or(String::new(), |date| format!("\"date\":{},", quote(date)));
        made.push(format!(
            "{{\"id\":{},\"author\":{},{date}\"text\":{},\"@type\":\"Note\"}}",
            quote(id),
            quote(author),
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

/// The request to cancel an order as it stands (TMF622, 641, 652: `inProgress` until everything is
/// undone, then `done`; `terminatedWithError` where something could not be); `None` for other documents.
pub fn cancellation(document: &Document, revised: &Revised) -> Option<String> {
    let root = document.root();
    let kind = root.text("@type")?;
    let wanted = revised.request_state()?;
    let is_request = kind.starts_with("Cancel") && kind.ends_with("Order");
    let is_over = matches!(
        root.text("state").as_deref(),
        Some("done" | "terminatedWithError")
    );
    if !is_request || is_over {
        return None;
    }
    let mut edits = Edits::new();
    edits.set(root, "state", &quote(wanted));
    if let Some(over) = revised.over.filter(|_| wanted != "inProgress") {
        edits.set(root, "effectiveCancellationDate", &quote(&date(over)));
    }
    Some(edits.text(document))
}

/// The text of a plan as it stands.
pub fn plan(
    document: &Document,
    plan: &Plan<'_>,
    tasks: &dyn Fn(&str) -> Option<TaskStanding>,
    is_ready: bool,
) -> String {
    let root = plan.root;
    let mut edits = Edits::new();
    let mut states = Vec::with_capacity(plan.tasks.len());
    let mut only_dropped = true;
    let mut text = String::with_capacity(document.text().len());
    text.push('[');
    for task in &plan.tasks {
        let settled = settle(task, tasks(&task.id));
        only_dropped &=
            settled.state != TaskState::Cancelled || settled.outcome == Some(TaskOutcome::Dropped);
        states.push(settled.state);
        if text.len() > 1 {
            text.push(',');
        }
        task_text(task.node, &settled, &mut text);
    }
    text.push(']');
    if root
        .get("taskFlow")
        .is_some_and(|list| list.kind() == Kind::Array)
    {
        edits.set(root, "taskFlow", &text);
    }
    let mut state = flow_state(&states, is_ready);
    let amended = root.get("revision").and_then(|it| it.text("kind"));
    if state == FlowState::Cancelled && amended.as_deref() == Some("amend") && only_dropped {
        state = FlowState::Completed;
    }
    if !matches!(
        root.text("state").as_deref(),
        Some("completed" | "cancelled")
    ) {
        let written = serde_json::to_string(&state).expect("a word is JSON");
        edits.set(root, "state", &written);
    }
    edits.text(document)
}

/// What is written into a task.
struct Settled {
    state: TaskState,
    reason: Option<String>,
    outcome: Option<TaskOutcome>,
    started: Option<String>,
    ended: Option<String>,
}

/// How far a task is; as written, where its life cycle does not lead to what is given.
fn settle(task: &PlanTask<'_>, standing: Option<TaskStanding>) -> Settled {
    let text = |key| task.node.text(key).map(Cow::into_owned);
    let written = || Settled {
        state: task.state,
        reason: task.reason.as_deref().map(str::to_owned),
        outcome: task.outcome,
        started: text("startDate"),
        ended: text("completionDate"),
    };
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
    let ended = [TaskState::Hold, TaskState::Cancelled, TaskState::Completed];
    let stands = ended.contains(&standing.state);
    let is_told = stands || standing.outcome.is_some();
    Settled {
        state: standing.state,
        outcome: standing.outcome,
        started: standing.started.map(date),
        ended: standing.ended().map(date),
        reason: standing.reason.filter(|_| is_told),
    }
}

/// Members of a task that tell its progress, besides its state.
const TOLD: [&str; 4] = ["reason", "outcome", "startDate", "completionDate"];

/// The task object as it stands, what tells its progress right behind its state.
fn task_text(task: Node<'_>, settled: &Settled, text: &mut String) {
    if task.kind() != Kind::Object {
        text.push_str(&task.compact());
        return;
    }
    text.push('{');
    let mut placed = false;
    for (key, value) in task.members() {
        match key.as_str().as_deref() {
            Some("state") => {
                told(settled, text);
                placed = true;
            }
            Some(key) if TOLD.contains(&key) => continue,
            _ => {
                text.push_str(key.raw());
                text.push(':');
                text.push_str(&value.compact());
            }
        }
        text.push(',');
    }
    if placed {
        text.pop();
    } else {
        told(settled, text);
    }
    text.push('}');
}

/// The members that tell how far a task is, the state first.
fn told(settled: &Settled, text: &mut String) {
    text.push_str("\"state\":");
    text.push_str(&quote(settled.state.name()));
    let told = [
        settled.reason.as_deref(),
        settled.outcome.map(TaskOutcome::name),
        settled.started.as_deref(),
        settled.ended.as_deref(),
    ];
    for (key, value) in TOLD.iter().zip(told) {
        if let Some(value) = value {
            let _ = write!(text, ",\"{key}\":{}", quote(value));
        }
    }
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
