//! The impact of a change for people: as text, and as Markdown for a pull request.

use std::fmt::Write as _;

use super::{Effect, Example, Impact, Origin};
use crate::comparison::{self, Comparison};
use crate::diagnostic::human::printable;
use crate::diagnostic::report::counted;

/// Differences of an example that are told one by one.
const TOLD: usize = 8;

/// Longest Markdown, in bytes.
const MOST: usize = 60_000;

/// Causes, each with what it does and an example.
pub fn human(impact: &Impact, comparison: &Comparison) -> String {
    let mut text = String::new();
    for effect in &impact.effects {
        for document in &effect.cause {
            let document = &comparison.documents[*document];
            let _ = writeln!(
                text,
                "{} {}",
                document.change.marker(),
                comparison::title(document)
            );
            for alteration in &document.alterations {
                let _ = writeln!(text, "    {}", comparison::told(alteration));
            }
        }
        let _ = writeln!(
            text,
            "  {}, for example {}:",
            counts(effect),
            name(&effect.example)
        );
        for line in lines(&effect.example) {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

/// The figures first, then each cause, folded.
pub fn markdown(impact: &Impact, comparison: &Comparison) -> String {
    let escaped = |text: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        text.replace('>', "&gt;").replace('|', "\\|")
    };
    let mut text = format!("### Impact: {}\n", impact.summary());
    if !impact.effects.is_empty() {
        text.push_str(
            "\n| cause | orders | differences | no longer acceptable |\n|---|---:|---:|---:|\n",
        );
    }
    for effect in &impact.effects {
        let titles = effect
            .cause
            .iter()
            .map(|it| comparison::title(&comparison.documents[*it]));
        let titles = escaped(&titles.collect::<Vec<_>>().join(", "));
        let row = format!(
            "| {titles} | {} | {} | {} |",
            effect.orders, effect.differences, effect.refused
        );
        let _ = writeln!(text, "{row}");
        if text.len() > MOST / 2 {
            text.push_str("\n… and more.\n");
            break;
        }
    }
    for (position, effect) in impact.effects.iter().enumerate() {
        let titles = effect
            .cause
            .iter()
            .map(|it| comparison::title(&comparison.documents[*it]));
        let titles = escaped(&titles.collect::<Vec<_>>().join(", "));
        let mut part = format!("\n<details><summary>{titles}</summary>\n\n");
        for alteration in effect
            .cause
            .iter()
            .flat_map(|it| &comparison.documents[*it].alterations)
        {
            let _ = writeln!(part, "- {}", escaped(&comparison::told(alteration)));
        }
        let example = escaped(&name(&effect.example));
        let _ = write!(part, "\n{}, for example {example}:\n\n", counts(effect));
        for line in lines(&effect.example) {
            let _ = writeln!(part, "- {}", escaped(&line));
        }
        part.push_str("\n</details>\n");
        if text.len() + part.len() > MOST {
            let more = impact.effects.len() - position;
            let _ = write!(text, "\nThere is no room for {more} more causes.\n");
            break;
        }
        text.push_str(&part);
    }
    text
}

pub(super) fn counts(effect: &Effect) -> String {
    let orders = counted(effect.orders as u64, "order");
    let differences = counted(effect.differences as u64, "difference");
    let refused = match effect.refused {
        0 => String::new(),
        count => format!(", {count} no longer acceptable"),
    };
    format!("{orders}, {differences}{refused}")
}

/// The order of an example and where it comes from.
pub(super) fn name(example: &Example) -> String {
    let order = printable(&example.order);
    match &example.origin {
        Origin::Corpus(file) => format!("{order} ({})", printable(file)),
        Origin::InFlight => format!("{order} (in flight)"),
        Origin::Installed => order.into_owned(),
    }
}

fn lines(example: &Example) -> Vec<String> {
    let told = example.differences.iter().take(TOLD);
    let mut lines: Vec<String> = told
        .map(|it| printable(&it.to_string()).into_owned())
        .collect();
    match example.differences.len().saturating_sub(TOLD) {
        0 => {}
        more => lines.push(format!("… and {more} more")),
    }
    lines
}
