//! Plans as graphs for people: Graphviz DOT and Mermaid.

use std::fmt::Write as _;

use super::flow::OrchestrationPlan;
use super::schedule::duration_for_people;
use crate::diagnostic::human::printable;

/// Language of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// Graphviz.
    Dot,
    /// Mermaid flowchart.
    Mermaid,
}

/// The graph of a plan: tasks as boxes, arrows from a task to those that wait for it; the
/// critical path stands out.
pub fn draw(plan: &OrchestrationPlan, notation: Notation) -> String {
    match notation {
        Notation::Dot => dot(plan),
        Notation::Mermaid => mermaid(plan),
    }
}

fn position(plan: &OrchestrationPlan) -> std::collections::HashMap<&str, usize> {
    plan.task_flow
        .iter()
        .enumerate()
        .map(|(index, task)| (task.id.as_str(), index))
        .collect()
}

fn on_path(plan: &OrchestrationPlan, before: &str, after: &str) -> bool {
    plan.schedule
        .critical_path
        .windows(2)
        .any(|pair| pair[0] == before && pair[1] == after)
}

fn dot(plan: &OrchestrationPlan) -> String {
    let text = |text: &str| printable(text).replace('\\', "\\\\").replace('"', "\\\"");
    let positions = position(plan);
    let mut drawing = format!(
        "digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box];\n",
        text(&plan.id)
    );
    for (index, task) in plan.task_flow.iter().enumerate() {
        let duration = duration_for_people(&task.duration);
        let style = if task.critical { ", style=bold" } else { "" };
        let _ = writeln!(
            drawing,
            "  t{index} [label=\"{}\\n{} · {duration}\"{style}];",
            text(&task.name),
            text(&task.endpoint)
        );
    }
    for (index, task) in plan.task_flow.iter().enumerate() {
        for before in &task.relationship {
            let Some(other) = positions.get(before.task_flow.id.as_str()) else {
                continue;
            };
            let bold = on_path(plan, &before.task_flow.id, &task.id);
            let style = if bold { " [style=bold]" } else { "" };
            let _ = writeln!(drawing, "  t{other} -> t{index}{style};");
        }
    }
    drawing.push_str("}\n");
    drawing
}

fn mermaid(plan: &OrchestrationPlan) -> String {
    let text = |text: &str| {
        let escaped = printable(text).replace('#', "#35;").replace('"', "#quot;");
        escaped.replace('<', "#lt;").replace('>', "#gt;")
    };
    let positions = position(plan);
    let mut drawing = String::from("flowchart LR\n");
    for (index, task) in plan.task_flow.iter().enumerate() {
        let duration = duration_for_people(&task.duration);
        let class = if task.critical { ":::critical" } else { "" };
        let _ = writeln!(
            drawing,
            "  t{index}[\"{}<br/>{} · {duration}\"]{class}",
            text(&task.name),
            text(&task.endpoint)
        );
    }
    for (index, task) in plan.task_flow.iter().enumerate() {
        for before in &task.relationship {
            let Some(other) = positions.get(before.task_flow.id.as_str()) else {
                continue;
            };
            let arrow = if on_path(plan, &before.task_flow.id, &task.id) {
                "==>"
            } else {
                "-->"
            };
            let _ = writeln!(drawing, "  t{other} {arrow} t{index}");
        }
    }
    drawing.push_str("  classDef critical stroke-width:3px\n");
    drawing
}
