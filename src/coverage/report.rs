//! Coverage for people and programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::points::PointKind;
use super::{Coverage, percent};
use crate::diagnostic::human::printable;

/// Things that are missing which are told one by one, of each kind.
const TOLD: usize = 200;

struct Group<'a> {
    kind: PointKind,
    total: usize,
    missing: Vec<&'a str>,
}

impl Group<'_> {
    fn covered(&self) -> usize {
        self.total - self.missing.len()
    }
}

fn groups<'a>(coverage: &'a Coverage<'_>) -> Vec<Group<'a>> {
    let groups = PointKind::ALL.into_iter().map(|kind| Group {
        kind,
        total: coverage.points.iter().filter(|it| it.kind == kind).count(),
        missing: coverage
            .missing()
            .filter(|it| it.kind == kind)
            .map(|it| it.name.as_str())
            .collect(),
    });
    groups.filter(|it| it.total > 0).collect()
}

/// A line for each kind, and behind it what is missing.
pub fn human(coverage: &Coverage<'_>) -> String {
    let mut text = String::new();
    for group in groups(coverage) {
        let (covered, total) = (group.covered(), group.total);
        let name = group.kind.name();
        let _ = writeln!(
            text,
            "{name:<12} {covered:>5} of {total:<5} {:>5.1} %",
            percent(covered, total)
        );
        for missing in group.missing.iter().take(TOLD) {
            let _ = writeln!(text, "  missing {}", printable(missing));
        }
        if group.missing.len() > TOLD {
            let _ = writeln!(text, "  missing {} more", group.missing.len() - TOLD);
        }
    }
    text
}

/// The figures as a table, what is missing folded.
pub fn markdown(coverage: &Coverage<'_>) -> String {
    let mut text = format!("### Coverage: {}\n\n", coverage.summary());
    text.push_str("| | exercised | of | |\n|---|---:|---:|---:|\n");
    for group in groups(coverage) {
        let (covered, total) = (group.covered(), group.total);
        let share = percent(covered, total);
        let _ = writeln!(
            text,
            "| {} | {covered} | {total} | {share:.1} % |",
            group.kind.name()
        );
    }
    for group in groups(coverage).iter().filter(|it| !it.missing.is_empty()) {
        let count = group.missing.len();
        let name = group.kind.name();
        let _ = write!(
            text,
            "\n<details><summary>{name}: {count} missing</summary>\n\n"
        );
        for missing in group.missing.iter().take(TOLD) {
            let escaped = missing.replace('&', "&amp;").replace('<', "&lt;");
            let _ = writeln!(text, "- {escaped}");
        }
        text.push_str("\n</details>\n");
    }
    text
}

/// One JSON object.
pub fn json(coverage: &Coverage<'_>) -> Value {
    let groups = groups(coverage);
    let groups = groups.iter().map(|group| {
        json!({
            "name": group.kind.name(),
            "total": group.total,
            "exercised": group.covered(),
            "percent": percent(group.covered(), group.total),
            "missing": group.missing,
        })
    });
    json!({
        "@type": "CatalogCoverage",
        "formatVersion": "1.0",
        "summary": coverage.summary(),
        "orders": coverage.orders,
        "refused": coverage.refused,
        "total": coverage.points.len(),
        "exercised": coverage.covered.len(),
        "percent": coverage.percent(),
        "groups": groups.collect::<Vec<_>>(),
    })
}
