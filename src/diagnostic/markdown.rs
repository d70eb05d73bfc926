//! A report as Markdown for a comment on a pull request: what was found in
//! figures, then every finding, folded by file.
//!
//! Invariant: what inputs held stands only in code, where GitHub reads neither
//! Markdown nor mentions in it, and never on a line of its own.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use super::human::{self, Styling, excerpt};
use super::report::{Report, counted};
use super::tally::Tally;
use super::{Code, codes};

/// Longest comment that GitHub takes. It counts characters; bytes are never fewer.
pub const LONGEST: usize = 65_536;

/// Room for the line that says how many findings are left out.
const RESERVE: usize = 200;

/// Most errors of the run that are written out.
const FAILURES: usize = 3;

/// What stands around the findings of a file, without its name.
const FOLD: usize = 160;

/// The report; findings that do not fit into a comment are left out whole, the least severe first,
/// and counted.
#[must_use]
pub fn report(report: &Report) -> String {
    let mut text = heading(report);
    let files = by_file(report);
    let room = LONGEST.saturating_sub(RESERVE + text.len());
    let shown = choose(report, room, &files);
    let mut left_out = report.diagnostics.len();
    for (file, positions) in &files {
        let shown: Vec<usize> = positions
            .iter()
            .copied()
            .filter(|position| shown[*position])
            .collect();
        if shown.is_empty() {
            continue;
        }
        left_out -= shown.len();
        let mut tally = Tally::default();
        for position in positions {
            tally.add(report.diagnostics[*position].severity);
        }
        let _ = write!(
            text,
            "\n<details><summary><code>{}</code>: {}</summary>\n\n```text\n",
            html(&excerpt(file)),
            tally.text()
        );
        for position in shown {
            // No line of it can end the block: each begins with words or an arrow.
            text.push_str(&finding(report, position));
        }
        text.push_str("```\n\n</details>\n");
    }
    if left_out > 0 {
        let _ = write!(
            text,
            "\n{} left out: a comment holds {LONGEST} characters.\n",
            match left_out {
                1 => "1 more finding is".to_owned(),
                count => format!("{count} more findings are"),
            }
        );
    }
    text
}

/// Title, what went wrong with the run, and a table of what was found.
fn heading(report: &Report) -> String {
    let verdict = if report.is_valid() {
        "passed"
    } else {
        "failed"
    };
    let mut text = format!(
        "### orderctl {}: {verdict}\n\n{} in {}.\n",
        report.command,
        capital(&report.tally().text()),
        counted(report.documents, "document")
    );
    for failure in report.failures.iter().take(FAILURES) {
        let _ = write!(
            text,
            "\nNot everything was looked at: <code>{}</code>\n",
            html(&excerpt(&failure.message))
        );
    }
    let mut counts: BTreeMap<(super::Severity, Code), u64> = BTreeMap::new();
    for finding in &report.diagnostics {
        *counts.entry((finding.severity, finding.code)).or_default() += 1;
    }
    if !counts.is_empty() {
        text.push_str("\n| | code | count | meaning |\n|---|---|---:|---|\n");
    }
    for ((severity, code), count) in counts {
        let meaning = codes::find(code).map_or("", |it| it.meaning);
        let _ = writeln!(
            text,
            "| {} | `{code}` | {count} | {} |",
            severity.name(),
            meaning.replace('|', "\\|")
        );
    }
    text
}

/// Positions of the findings of each file, files as they come first.
fn by_file(report: &Report) -> Vec<(&str, Vec<usize>)> {
    let mut files: Vec<(&str, Vec<usize>)> = Vec::new();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for (position, finding) in report.diagnostics.iter().enumerate() {
        let file = finding.location.file.as_str();
        let number = *numbers.entry(file).or_insert_with(|| {
            files.push((file, Vec::new()));
            files.len() - 1
        });
        files[number].1.push(position);
    }
    files
}

/// Which findings fit into so many bytes: the most severe first, then the first ones.
fn choose(report: &Report, room: usize, files: &[(&str, Vec<usize>)]) -> Vec<bool> {
    let mut shown = vec![false; report.diagnostics.len()];
    let mut file_of = vec![0; report.diagnostics.len()];
    for (number, (_, positions)) in files.iter().enumerate() {
        for position in positions {
            file_of[*position] = number;
        }
    }
    let mut order: Vec<usize> = (0..report.diagnostics.len()).collect();
    order.sort_by_key(|position| report.diagnostics[*position].severity);
    let mut open = vec![false; files.len()];
    let mut used = 0;
    for position in order {
        let file = file_of[position];
        let mut cost = finding(report, position).len();
        if !open[file] {
            cost += FOLD + html(&excerpt(files[file].0)).len();
        }
        if used + cost > room {
            break;
        }
        used += cost;
        open[file] = true;
        shown[position] = true;
    }
    shown
}

fn finding(report: &Report, position: usize) -> String {
    human::diagnostic(&report.diagnostics[position], Styling::Plain)
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::report::RunFailure;
    use super::super::{Diagnostic, Location, Severity};
    use super::*;

    fn finding(file: &str, severity: Severity, message: &str) -> Diagnostic {
        let location = Location {
            file: file.into(),
            line: 9,
            column: 3,
            pointer: "/a".into(),
        };
        let code = match severity {
            Severity::Error => "order/date",
            _ => "order/null",
        };
        Diagnostic::new(Code(code), severity, location, message)
    }

    fn written(diagnostics: Vec<Diagnostic>) -> String {
        report(&Report {
            command: "validate",
            documents: 2,
            diagnostics,
            ..Report::default()
        })
    }

    #[test]
    fn the_summary_comes_first_and_details_are_folded_by_file() {
        assert_eq!(
            written(vec![
                finding("b.json", Severity::Error, "bad"),
                finding("a.json", Severity::Warning, "odd"),
                finding("b.json", Severity::Error, "worse"),
            ]),
            "### orderctl validate: failed

2 errors, 1 warning in 2 documents.

| | code | count | meaning |
|---|---|---:|---|
| error | `order/date` | 2 | A date cannot be read. |
| warning | `order/null` | 1 | A member is null. |

<details><summary><code>b.json</code>: 2 errors</summary>

```text
error[order/date]: bad
  --> b.json:9:3  /a
error[order/date]: worse
  --> b.json:9:3  /a
```

</details>

<details><summary><code>a.json</code>: 1 warning</summary>

```text
warning[order/null]: odd
  --> a.json:9:3  /a
```

</details>
"
        );
    }

    #[test]
    fn nothing_found_is_said_too() {
        assert_eq!(
            written(Vec::new()),
            "### orderctl validate: passed\n\nNothing found in 2 documents.\n"
        );
    }

    #[test]
    fn hostile_text_is_code_and_ends_no_block() {
        let text = report(&Report {
            command: "validate",
            documents: 1,
            diagnostics: vec![finding(
                "<b>\n```\n@all",
                Severity::Error,
                "x\n```\n</details> @team #1 `` ```",
            )],
            failures: vec![RunFailure {
                message: "</code>@all".into(),
                location: None,
            }],
            ..Report::default()
        });
        let fences = text.lines().filter(|line| line.trim() == "```").count();
        assert_eq!(fences, 1, "{text}");
        assert!(
            text.contains("<code>&lt;b&gt;\\n```\\n@all</code>"),
            "{text}"
        );
        assert!(text.contains("<code>&lt;/code&gt;@all</code>"), "{text}");
    }

    #[test]
    fn whole_findings_are_cut_the_least_severe_first() {
        let mut diagnostics = Vec::new();
        for number in 0..900 {
            let severity = if number % 2 == 0 {
                Severity::Warning
            } else {
                Severity::Error
            };
            let file = format!("{}.json", number % 7);
            diagnostics.push(finding(&file, severity, &"é".repeat(90)));
        }
        let text = written(diagnostics);
        assert!(text.len() <= LONGEST, "{}", text.len());
        assert!(text.len() > LONGEST - 1_000, "{}", text.len());
        let errors = text.matches("\nerror[").count();
        let warnings = text.matches("\nwarning[").count();
        let left_out = 900 - errors - warnings;
        assert!(
            text.ends_with(&format!(
                "\n{left_out} more findings are left out: a comment holds 65536 characters.\n"
            )),
            "{text}"
        );
        assert!(errors > 200 && warnings == 0, "{errors}, {warnings}");
        assert!(text.contains("| warning | `order/null` | 450 |"), "{text}");
    }
}
