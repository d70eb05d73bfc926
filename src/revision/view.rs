//! A revision for reading, before anything is sent.

use std::fmt::Write as _;

use serde::Serialize;

use crate::diagnostic::human::printable;
use crate::plan::flow::{Disposition, OrchestrationPlan, RevisionKind};

/// Tasks that are named where there are many that stay.
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
    /// Its name.
    pub name: String,
    /// What is sent, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The tasks of the revision that come first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
}

/// A revision for reading; none of a plan that is no revision.
#[must_use]
pub fn view(plan: &OrchestrationPlan) -> Option<View> {
    let revision = plan.revision.as_ref()?;
    let mut task: Vec<TaskView> = Vec::new();
    for it in &plan.task_flow {
        let Some(disposition) = it.disposition else {
            continue;
        };
        let is_sent = matches!(
            disposition,
            Disposition::Do | Disposition::Redo | Disposition::Undo
        );
        let work = it.request.as_ref().filter(|_| is_sent).map(|request| {
            let endpoint = it.endpoint.as_deref().unwrap_or_default();
            format!("{} {} at {endpoint}", request.method.name(), request.path)
        });
        let after = it.relationship.iter().map(|it| it.task_flow.id.clone());
        task.push(TaskView {
            disposition,
            id: it.id.clone(),
            name: it.name.clone(),
            work,
            why: it.why.clone().filter(|_| disposition == Disposition::Keep),
            after: after.filter(|_| disposition == Disposition::Undo).collect(),
        });
    }
    // Undone first, then done: as it will happen.
    task.sort_by_key(|it| match it.disposition {
        Disposition::Keep => 0,
        Disposition::Drop => 1,
        Disposition::Undo => 2,
        Disposition::Redo => 3,
        Disposition::Do => 4,
    });
    Some(View {
        type_name: "RevisionView",
        order: super::root(plan).to_owned(),
        kind: revision.kind,
        number: revision.number,
        reason: revision.reason.clone(),
        task,
    })
}

impl View {
    /// Lines for people.
    #[must_use]
    pub fn for_people(&self) -> String {
        let count = |wanted| {
            self.task
                .iter()
                .filter(|it| it.disposition == wanted)
                .count()
        };
        let kinds = [
            Disposition::Keep,
            Disposition::Drop,
            Disposition::Undo,
            Disposition::Redo,
            Disposition::Do,
        ];
        let counts: Vec<String> = kinds
            .into_iter()
            .filter(|kind| count(*kind) > 0)
            .map(|kind| format!("{} {}", count(kind), kind.name()))
            .collect();
        let mut text = format!(
            "{} {}: {}\n",
            self.kind.name(),
            printable(&self.order),
            counts.join(", ")
        );
        for kind in kinds {
            let tasks = self.task.iter().filter(|it| it.disposition == kind);
            for (number, task) in tasks.enumerate() {
                if kind == Disposition::Keep && number == TOLD {
                    let more = count(kind) - TOLD;
                    writeln!(text, "  keep  and {more} more").expect("a String can be written to");
                    break;
                }
                let name = printable(&task.name);
                let id = printable(&task.id);
                let mut line = format!("  {:<5} {name} ({id})", kind.name());
                if let Some(what) = task.work.as_ref().or(task.why.as_ref()) {
                    write!(line, ": {}", printable(what)).expect("a String can be written to");
                }
                writeln!(text, "{line}").expect("a String can be written to");
            }
        }
        text
    }
}
