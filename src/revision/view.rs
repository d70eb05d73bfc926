//! A revision for reading, before anything is sent.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::origin;
use crate::diagnostic::human::printable;
use crate::plan::flow::{Disposition, OrchestrationPlan, RevisionKind, TaskFlow, TaskKind};

/// Why something is undone of which nobody knows whether it was done.
const UNDER_WAY: &str = "under way: is settled first, then undone";

/// Tasks that stay and are named, where there are many.
const TOLD: usize = 5;

/// What a revision does, task by task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// Always `RevisionView`.
    #[serde(rename = "@type")]
    pub type_name: &'static str,
    /// Id of the root order.
    pub order: String,
    /// What for.
    pub kind: RevisionKind,
    /// Which revision of the order it is.
    pub number: u32,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is done with each task.
    pub task: Vec<TaskView>,
}

/// What is done with a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskView {
    /// What.
    pub disposition: Disposition,
    /// Its id.
    pub id: String,
    /// Its name; of one that undoes another, the name of that.
    pub name: String,
    /// Id of the task that it undoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// What is sent, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The tasks of the revision that come first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Whether it was only asked or noted something: that it stays leaves nothing anywhere.
    #[serde(skip)]
    pub leaves_nothing: bool,
}

/// A revision of the plan `before`, for reading; none of a plan that is no revision.
#[must_use]
pub fn view(plan: &OrchestrationPlan, before: &OrchestrationPlan) -> Option<View> {
    let revision = plan.revision.as_ref()?;
    let before: HashMap<&str, &TaskFlow> = before
        .task_flow
        .iter()
        .map(|task| (task.id.as_str(), &**task))
        .collect();
    let undone = plan.task_flow.iter();
    let undone: HashSet<&str> = undone.filter_map(|it| it.compensates.as_deref()).collect();
    let settled = plan.task_flow.iter();
    let settled = settled.filter(|it| it.disposition == Some(Disposition::Settle));
    let settled: HashSet<&str> = settled.map(|it| it.id.as_str()).collect();
    let mut task: Vec<TaskView> = Vec::new();
    for it in &plan.task_flow {
        // What goes on as it is has no disposition.
        let disposition = it.disposition.unwrap_or(Disposition::Keep);
        let known = before.get(it.id.as_str());
        let is_history = it.compensates.is_some() && disposition == Disposition::Keep;
        // What is undone is told once, by what undoes it.
        if is_history || undone.contains(it.id.as_str()) {
            continue;
        }
        let is_sent = matches!(
            disposition,
            Disposition::Do | Disposition::Redo | Disposition::Undo
        );
        let work = it.request.as_ref().filter(|_| is_sent).map(|request| {
            let endpoint = it.endpoint.as_deref().unwrap_or_default();
            format!("{} {} at {endpoint}", request.method.name(), request.path)
        });
        let after = it.relationship.iter().map(|it| it.task_flow.id.clone());
        let undoes = it.compensates.clone();
        let name = undoes.as_deref().and_then(|id| before.get(origin(id)));
        // Why it was there in the first place is no reason for it to stay.
        let is_why = |why: &String| known.is_none_or(|it| it.why.as_ref() != Some(why));
        let is_settled = |id: &String| settled.contains(id.as_str());
        let why = match disposition {
            Disposition::Keep => it.why.clone(),
            Disposition::Undo if undoes.as_ref().is_some_and(is_settled) => {
                Some(UNDER_WAY.to_owned())
            }
            _ => None,
        };
        task.push(TaskView {
            disposition,
            id: it.id.clone(),
            name: name.map_or_else(|| it.name.clone(), |it| it.name.clone()),
            undoes,
            work,
            why: why.filter(is_why),
            after: after.filter(|_| disposition == Disposition::Undo).collect(),
            leaves_nothing: it.gate.is_some() || it.kind == TaskKind::Milestone,
        });
    }
    task.sort_by_key(|it| KINDS.iter().position(|(kind, _)| *kind == it.disposition));
    Some(View {
        type_name: "RevisionView",
        order: super::root(plan).to_owned(),
        kind: revision.kind,
        number: revision.number,
        reason: revision.reason.clone(),
        task,
    })
}

/// In the sequence in which they are told, as they happen; and what so many tasks are.
const KINDS: [(Disposition, &str); 6] = [
    (Disposition::Settle, "to find out about"),
    (Disposition::Undo, "to undo"),
    (Disposition::Redo, "to do again"),
    (Disposition::Do, "to do"),
    (Disposition::Drop, "not to be done any more"),
    (Disposition::Keep, "to stay"),
];

/// Width of the column that says what becomes of a task, unless a word is longer.
const NAMED: usize = 5;

impl View {
    /// Lines for people.
    #[must_use]
    pub fn for_people(&self) -> String {
        let is_told = |it: &&TaskView| it.disposition != Disposition::Keep || !it.leaves_nothing;
        let told: Vec<&TaskView> = self.task.iter().filter(is_told).collect();
        let of = |wanted| told.iter().filter(move |it| it.disposition == wanted);
        let counts: Vec<String> = KINDS
            .into_iter()
            .map(|(kind, words)| (of(kind).count(), words))
            .filter(|(count, _)| *count > 0)
            .map(|(count, words)| format!("{count} {words}"))
            .collect();
        let counts = match &counts[..] {
            [] => "nothing is to be done".to_owned(),
            counts => counts.join(", "),
        };
        let mut text = format!(
            "{} {}: {counts}\n",
            self.kind.name(),
            printable(&self.order)
        );
        let names = told.iter().map(|it| it.disposition.name().len());
        let width = names.max().unwrap_or_default().max(NAMED);
        for (kind, _) in KINDS {
            for (number, task) in of(kind).enumerate() {
                if kind == Disposition::Keep && number == TOLD {
                    let more = of(kind).count() - TOLD;
                    let name = kind.name();
                    writeln!(text, "  {name:<width$} and {more} more")
                        .expect("a String can be written to");
                    break;
                }
                let name = printable(&task.name);
                let id = printable(origin(task.undoes.as_ref().unwrap_or(&task.id)));
                let mut line = format!("  {:<width$} {name} ({id})", kind.name());
                let what = task.work.iter().chain(&task.why);
                for (number, what) in what.enumerate() {
                    let mark = if number == 0 { ':' } else { ';' };
                    write!(line, "{mark} {}", printable(what)).expect("a String can be written to");
                }
                writeln!(text, "{line}").expect("a String can be written to");
            }
        }
        text
    }
}
