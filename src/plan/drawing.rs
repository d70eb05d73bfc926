//! Plans as graphs for people: Graphviz DOT and Mermaid.

use std::collections::{HashMap, HashSet};
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

/// A dependency, by positions of tasks.
struct Arrow {
    from: usize,
    to: usize,
    /// Whether the critical path goes along it.
    critical: bool,
}

/// All dependencies, in the order of the tasks that wait. Linear: each step of the critical path
/// is looked up, not searched for.
fn arrows(plan: &OrchestrationPlan) -> Vec<Arrow> {
    let tasks = plan.task_flow.iter().enumerate();
    let positions: HashMap<&str, usize> = tasks
        .map(|(index, task)| (task.id.as_str(), index))
        .collect();
    let steps = plan.schedule.critical_path.windows(2);
    let path: HashSet<(&str, &str)> = steps
        .map(|pair| (pair[0].as_str(), pair[1].as_str()))
        .collect();
    let mut arrows = Vec::new();
    for (to, task) in plan.task_flow.iter().enumerate() {
        for before in &task.relationship {
            let id = before.task_flow.id.as_str();
            if let Some(&from) = positions.get(id) {
                let critical = path.contains(&(id, task.id.as_str()));
                arrows.push(Arrow { from, to, critical });
            }
        }
    }
    arrows
}

fn dot(plan: &OrchestrationPlan) -> String {
    let text = |text: &str| printable(text).replace('\\', "\\\\").replace('"', "\\\"");
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
            text(task.endpoint.as_deref().unwrap_or_default())
        );
    }
    for Arrow { from, to, critical } in arrows(plan) {
        let style = if critical { " [style=bold]" } else { "" };
        let _ = writeln!(drawing, "  t{from} -> t{to}{style};");
    }
    drawing.push_str("}\n");
    drawing
}

fn mermaid(plan: &OrchestrationPlan) -> String {
    let text = |text: &str| {
        let escaped = printable(text).replace('#', "#35;").replace('"', "#quot;");
        escaped.replace('<', "#lt;").replace('>', "#gt;")
    };
    let mut drawing = String::from("flowchart LR\n");
    for (index, task) in plan.task_flow.iter().enumerate() {
        let duration = duration_for_people(&task.duration);
        let class = if task.critical { ":::critical" } else { "" };
        let _ = writeln!(
            drawing,
            "  t{index}[\"{}<br/>{} · {duration}\"]{class}",
            text(&task.name),
            text(task.endpoint.as_deref().unwrap_or_default())
        );
    }
    for Arrow { from, to, critical } in arrows(plan) {
        let arrow = if critical { "==>" } else { "-->" };
        let _ = writeln!(drawing, "  t{from} {arrow} t{to}");
    }
    drawing.push_str("  classDef critical stroke-width:3px\n");
    drawing
}
