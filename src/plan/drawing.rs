//! Plans as graphs for people: Graphviz DOT and Mermaid.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use foldhash::HashMap;

use super::bulk::{Lots, predecessors};
use super::flow::{OrchestrationPlan, TaskKind};
use super::schedule::{count_for_people, duration_for_people};
use crate::diagnostic::human::printable;

/// Language of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// Graphviz.
    Dot,
    /// Mermaid flowchart.
    Mermaid,
}

/// The graph of a plan: tasks as boxes, many alike ones as one box with their number; arrows from a
/// task to those that wait for it; the critical path stands out.
pub fn draw(plan: &OrchestrationPlan, notation: Notation) -> String {
    let drawing = Drawing::of(plan);
    match notation {
        Notation::Dot => drawing.dot(&plan.id),
        Notation::Mermaid => drawing.mermaid(),
    }
}

struct Drawing {
    boxes: Vec<Frame>,
    /// Whether the critical path goes along an arrow, by the positions of what it is between, what
    /// waits first.
    arrows: BTreeMap<(usize, usize), bool>,
}

/// A box.
struct Frame {
    /// Number of its first task.
    number: usize,
    lines: [String; 2],
    critical: bool,
}

impl Drawing {
    fn of(plan: &OrchestrationPlan) -> Drawing {
        let lots = Lots::of(plan);
        let boxes = lots.lots.iter().map(|lot| {
            let task = &plan.task_flow[lot.first];
            let many = lot.count > 1;
            let name = if many {
                format!("{} × {}", lot.name, count_for_people(lot.count))
            } else {
                lot.name.clone()
            };
            let who = match (&task.endpoint, task.kind) {
                (Some(endpoint), _) => endpoint.as_str(),
                (None, TaskKind::Milestone) => "milestone",
                (None, _) => "by hand",
            };
            let each = if many { " each" } else { "" };
            let duration = duration_for_people(&task.duration);
            let second = match task.kind {
                TaskKind::Milestone => who.to_owned(),
                _ => format!("{who} · {duration}{each}"),
            };
            Frame {
                number: lot.first,
                lines: [name, second],
                critical: task.critical,
            }
        });
        let positions: HashMap<&str, usize> = plan
            .task_flow
            .iter()
            .enumerate()
            .map(|(position, task)| (task.id.as_str(), position))
            .collect();
        let path = plan.schedule.critical_path.iter();
        let path: Vec<Option<&usize>> = path.map(|id| positions.get(id.as_str())).collect();
        let mut arrows = BTreeMap::new();
        for (task, waits) in predecessors(plan).into_iter().enumerate() {
            for before in waits {
                arrows
                    .entry((lots.of[task], lots.of[before]))
                    .or_insert(false);
            }
        }
        for step in path.windows(2) {
            if let [Some(before), Some(task)] = step
                && let Some(critical) = arrows.get_mut(&(lots.of[**task], lots.of[**before]))
            {
                *critical = true;
            }
        }
        Drawing {
            boxes: boxes.collect(),
            arrows,
        }
    }

    /// Numbers of the boxes that each arrow is between, and whether it is critical.
    fn arrows(&self) -> impl Iterator<Item = (usize, usize, bool)> {
        self.arrows.iter().map(|((to, from), critical)| {
            (self.boxes[*from].number, self.boxes[*to].number, *critical)
        })
    }

    fn dot(&self, id: &str) -> String {
        let text = |text: &str| printable(text).replace('\\', "\\\\").replace('"', "\\\"");
        let mut drawing = format!(
            "digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box];\n",
            text(id)
        );
        for frame in &self.boxes {
            let [first, second] = &frame.lines;
            let style = if frame.critical { ", style=bold" } else { "" };
            let _ = writeln!(
                drawing,
                "  t{} [label=\"{}\\n{}\"{style}];",
                frame.number,
                text(first),
                text(second)
            );
        }
        for (from, to, critical) in self.arrows() {
            let style = if critical { " [style=bold]" } else { "" };
            let _ = writeln!(drawing, "  t{from} -> t{to}{style};");
        }
        drawing.push_str("}\n");
        drawing
    }

    fn mermaid(&self) -> String {
        let text = |text: &str| {
            let escaped = printable(text).replace('#', "#35;").replace('"', "#quot;");
            escaped.replace('<', "#lt;").replace('>', "#gt;")
        };
        let mut drawing = String::from("flowchart LR\n");
        for frame in &self.boxes {
            let [first, second] = &frame.lines;
            let class = if frame.critical { ":::critical" } else { "" };
            let _ = writeln!(
                drawing,
                "  t{}[\"{}<br/>{}\"]{class}",
                frame.number,
                text(first),
                text(second)
            );
        }
        for (from, to, critical) in self.arrows() {
            let arrow = if critical { "==>" } else { "-->" };
            let _ = writeln!(drawing, "  t{from} {arrow} t{to}");
        }
        drawing.push_str("  classDef critical stroke-width:3px\n");
        drawing
    }
}
