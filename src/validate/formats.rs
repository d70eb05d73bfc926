//! What is asked of documents of our own beyond their schema: a version of
//! their format that is read here, and plans that can be carried out.

use std::collections::hash_map::Entry;

use foldhash::{HashMap, HashMapExt as _};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{DocumentKind, Node};
use crate::graph;

/// Newest major version of our formats.
const MAJOR: u64 = 1;

/// A document of a newer major version: nothing else can be judged about it.
pub fn newer_version(kind: DocumentKind, root: Node<'_>) -> Option<Diagnostic> {
    let code = match kind {
        DocumentKind::OrchestrationPlan => "plan/format-version",
        DocumentKind::DecompositionRule
        | DocumentKind::ActivationRule
        | DocumentKind::GateRule
        | DocumentKind::RolloutRule
        | DocumentKind::ConstraintRule => "rule/format-version",
        _ => return None,
    };
    let node = root.get("formatVersion")?;
    let version = node.as_str()?;
    let major: u64 = version.split('.').next()?.parse().ok()?;
    (major > MAJOR).then(|| {
        let message = format!(
            "the {} has format version {version}; orderctl {} reads {MAJOR}.x",
            kind.name(),
            env!("CARGO_PKG_VERSION")
        );
        Diagnostic::new(Code(code), Severity::Error, node.location(), message)
            .with_hint("use a newer orderctl")
    })
}

/// Tasks of a plan that cannot be carried out: two of the same id, one that waits for a task that
/// there is not, tasks that wait for each other.
pub fn plan(root: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let tasks: Vec<Node<'_>> = root.list("taskFlow").collect();
    let mut numbers = HashMap::with_capacity(tasks.len());
    for (number, task) in tasks.iter().enumerate() {
        let Some(id) = task.get("id") else { continue };
        let text = id.as_str().unwrap_or_default();
        match numbers.entry(text.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(number);
            }
            Entry::Occupied(first) => {
                let message = format!("two tasks have the id `{text}`");
                let first = tasks[*first.get()].location();
                diagnostics.push(error("plan/duplicate-task", id, message).with_related(first));
            }
        }
    }
    let mut edges = vec![Vec::new(); tasks.len()];
    for (number, task) in tasks.iter().enumerate() {
        for relationship in task.list("taskFlowRelationship") {
            let Some(id) = relationship.get("taskFlow").and_then(|it| it.get("id")) else {
                continue;
            };
            let text = id.as_str().unwrap_or_default();
            if let Some(other) = numbers.get(&text) {
                edges[number].push(*other);
            } else {
                let message = format!("a task waits for task `{text}`, which is not in the plan");
                diagnostics.push(error("plan/dangling-dependency", id, message));
            }
        }
    }
    for cycle in graph::cycles(&edges) {
        let name = |number: usize| tasks[number].text("id").unwrap_or_default().into_owned();
        let mut names: Vec<String> = cycle.iter().map(|number| name(*number)).collect();
        names.push(name(cycle[0]));
        let message = format!("tasks wait for each other: {}", names.join(" → "));
        let finding = error("plan/cycle", tasks[cycle[0]], message);
        diagnostics.push(finding.with_hint("remove one of these relationships"));
    }
}

fn error(code: &'static str, node: Node<'_>, message: String) -> Diagnostic {
    Diagnostic::new(Code(code), Severity::Error, node.location(), message)
}
