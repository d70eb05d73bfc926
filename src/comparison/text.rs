//! A comparison for people: as text, and as Markdown for a pull request.

use std::fmt::Write as _;

use super::{Alteration, Change, Comparison, DocumentChange};
use crate::diagnostic::human::printable;

/// Longest value that is shown whole, in characters.
const LONG: usize = 60;

/// Longest Markdown, in bytes: GitHub takes comments of up to 65,536 characters.
const MOST: usize = 60_000;

/// Lines of text: a document, then what is different in it; `!` marks what breaks.
pub fn human(comparison: &Comparison) -> String {
    let mut text = String::new();
    for document in &comparison.documents {
        let _ = writeln!(text, "{} {}", document.change.marker(), title(document));
        for alteration in &document.alterations {
            let mark = if alteration.breaking.is_some() {
                '!'
            } else {
                ' '
            };
            let told = told(alteration);
            let why = alteration
                .breaking
                .map_or(String::new(), |why| format!("  ({why})"));
            let _ = writeln!(text, "  {mark} {told}{why}");
        }
    }
    text
}

/// Markdown: the figures first, then what breaks, then all of it, folded by document.
pub fn markdown(comparison: &Comparison) -> String {
    let mut text = format!("### Catalog: {}\n", comparison.summary());
    if comparison.breaking() > 0 {
        text.push_str("\n| document | what breaks | why |\n|---|---|---|\n");
        for document in &comparison.documents {
            for it in &document.alterations {
                if let Some(why) = it.breaking {
                    let row = format!(
                        "| {} | {} | {why} |",
                        cell(&title(document)),
                        cell(&told(it))
                    );
                    let _ = writeln!(text, "{row}");
                }
            }
            if text.len() > MOST / 2 {
                text.push_str("\n… and more.\n");
                break;
            }
        }
    }
    for (position, document) in comparison.documents.iter().enumerate() {
        let mut part = format!(
            "\n<details><summary>{} {}</summary>\n\n",
            document.change.name(),
            escaped(&title(document))
        );
        for alteration in &document.alterations {
            let _ = writeln!(part, "- {}", cell(&told(alteration)));
        }
        part.push_str("\n</details>\n");
        if text.len() + part.len() > MOST {
            let more = comparison.documents.len() - position;
            let _ = write!(text, "\nThere is no room for {more} more documents.\n");
            break;
        }
        text.push_str(&part);
    }
    text
}

/// `ProductSpecification PS-1 (Home)`.
pub fn title(document: &DocumentChange) -> String {
    let mut title = format!("{} {}", document.kind.name(), printable(&document.id));
    if let Some(name) = document.name.as_deref().filter(|it| *it != document.id) {
        let _ = write!(title, " ({})", printable(name));
    }
    title
}

/// ``characteristic `speed`: value 100 removed``.
pub fn told(alteration: &Alteration) -> String {
    let value = |text: &Option<String>| shortened(text.as_deref().unwrap_or("absent"));
    let what = printable(&alteration.what);
    match alteration.change {
        _ if what.is_empty() => alteration.change.name().to_owned(),
        Change::Changed => {
            format!(
                "{what} {} → {}",
                value(&alteration.from),
                value(&alteration.to)
            )
        }
        Change::Added if is_scalar(alteration.to.as_ref()) => {
            format!("{what} {} added", value(&alteration.to))
        }
        Change::Removed if is_scalar(alteration.from.as_ref()) => {
            format!("{what} {} removed", value(&alteration.from))
        }
        Change::Added | Change::Removed => format!("{what} {}", alteration.change.name()),
    }
}

/// Whether a value says more than the name of its place.
fn is_scalar(text: Option<&String>) -> bool {
    text.is_some_and(|it| !it.starts_with(['{', '[']))
}

fn shortened(text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= LONG {
        return text.into_owned();
    }
    let mut short: String = text.chars().take(LONG - 1).collect();
    short.push('…');
    short
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn cell(text: &str) -> String {
    escaped(text).replace('|', "\\|")
}
