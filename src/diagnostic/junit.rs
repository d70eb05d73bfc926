//! A report as `JUnit` XML: a test suite for each document, a test case for each
//! finding in it. Errors are failures; warnings and notes pass and say what
//! they are.

use std::collections::HashMap;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::human::{self, Styling, excerpt, place};
use super::report::Report;
use super::{Diagnostic, Severity};

/// The report, with its line end.
///
/// # Panics
/// Never: texts are made fit for XML before they are written.
#[must_use]
pub fn report(report: &Report) -> String {
    let mut written = quick_junit::Report::new(format!("orderctl {}", report.command));
    let mut grouped = vec![false; report.diagnostics.len()];
    for subject in &report.subjects {
        let mut suite = TestSuite::new(text(&subject.name));
        suite
            .extra
            .insert("file".into(), text(&subject.location.file).into());
        let findings = subject.diagnostics.clone();
        for position in findings.clone() {
            grouped[position] = true;
            suite.add_test_case(case(&report.diagnostics[position], &subject.name));
        }
        if findings.is_empty() {
            let mut case = TestCase::new("valid", TestCaseStatus::success());
            case.set_classname(text(&subject.name));
            place_of(&mut case, &subject.location);
            suite.add_test_case(case);
        }
        written.add_test_suite(suite);
    }
    let others = report.diagnostics.iter().zip(grouped);
    for suite in by_file(others.filter(|(_, grouped)| !grouped).map(|(it, _)| it)) {
        written.add_test_suite(suite);
    }
    if !report.failures.is_empty() {
        let mut suite = TestSuite::new("run");
        for failure in &report.failures {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(text(&failure.message));
            let mut case = TestCase::new("everything was looked at", status);
            if let Some(location) = &failure.location {
                place_of(&mut case, location);
            }
            suite.add_test_case(case);
        }
        written.add_test_suite(suite);
    }
    let mut summary = TestSuite::new("summary");
    summary.set_system_out(text(&report.summary()));
    written.add_test_suite(summary);
    written.to_string().expect("a report is written to memory")
}

/// Suites for findings that are about no document of the report, a file each.
fn by_file<'d>(diagnostics: impl Iterator<Item = &'d Diagnostic>) -> Vec<TestSuite> {
    let mut suites: Vec<TestSuite> = Vec::new();
    let mut positions: HashMap<&str, usize> = HashMap::new();
    for diagnostic in diagnostics {
        let file = diagnostic.location.file.as_str();
        let position = *positions.entry(file).or_insert_with(|| {
            let mut suite = TestSuite::new(text(file));
            suite.extra.insert("file".into(), text(file).into());
            suites.push(suite);
            suites.len() - 1
        });
        suites[position].add_test_case(case(diagnostic, file));
    }
    suites
}

fn case(diagnostic: &Diagnostic, subject: &str) -> TestCase {
    let details = text_of_lines(&human::diagnostic(diagnostic, Styling::Plain));
    let status = match diagnostic.severity {
        Severity::Error => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_message(text(&diagnostic.message))
                .set_type(diagnostic.code.0)
                .set_description(details.as_str());
            status
        }
        Severity::Warning | Severity::Note => TestCaseStatus::success(),
    };
    let name = format!("{} at {}", diagnostic.code, place(&diagnostic.location));
    let passed = matches!(status, TestCaseStatus::Success { .. });
    let mut case = TestCase::new(text(&name), status);
    case.set_classname(text(subject));
    place_of(&mut case, &diagnostic.location);
    if passed {
        case.set_system_out(details);
    }
    case
}

fn place_of(case: &mut TestCase, location: &super::Location) {
    case.extra
        .insert("file".into(), text(&location.file).into());
    if location.line > 0 {
        case.extra
            .insert("line".into(), location.line.to_string().into());
    }
}

/// Without what XML cannot hold: control characters are escaped as for terminals, and the two
/// characters of Unicode that are none.
fn text(text: &str) -> String {
    text_of_lines(&excerpt(text))
}

/// As [`text`], of lines that are printable already.
fn text_of_lines(lines: &str) -> String {
    lines
        .replace('\u{fffe}', "\\u{fffe}")
        .replace('\u{ffff}', "\\u{ffff}")
}

#[cfg(test)]
mod tests {
    use super::super::report::{RunFailure, Subject};
    use super::super::{Code, Location};
    use super::*;

    fn place_in(file: &str, line: u64) -> Location {
        Location {
            file: file.into(),
            line,
            column: 3,
            pointer: "/a".into(),
        }
    }

    fn finding(severity: Severity, message: &str) -> Diagnostic {
        Diagnostic::new(Code("order/date"), severity, place_in("o.json", 9), message)
    }

    #[test]
    fn a_document_is_a_suite_and_a_finding_a_case() {
        let text = report(&Report {
            command: "validate",
            documents: 2,
            diagnostics: vec![
                finding(Severity::Error, "bad"),
                finding(Severity::Warning, "odd"),
            ],
            subjects: vec![
                Subject {
                    name: "ProductOrder 1".into(),
                    location: place_in("o.json", 1),
                    diagnostics: 0..0,
                },
                Subject {
                    name: "ProductOrder 2".into(),
                    location: place_in("o.json", 5),
                    diagnostics: 0..1,
                },
            ],
            failures: vec![RunFailure {
                message: "torn".into(),
                location: None,
            }],
        });
        assert_eq!(
            text,
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="orderctl validate" tests="4" skipped="0" failures="1" errors="1">
    <testsuite name="ProductOrder 1" tests="1" skipped="0" errors="0" failures="0" file="o.json">
        <testcase name="valid" classname="ProductOrder 1" file="o.json" line="1"/>
    </testsuite>
    <testsuite name="ProductOrder 2" tests="1" skipped="0" errors="0" failures="1" file="o.json">
        <testcase name="order/date at o.json:9:3  /a" classname="ProductOrder 2" file="o.json" line="9">
            <failure message="bad" type="order/date">error[order/date]: bad
  --&gt; o.json:9:3  /a
</failure>
        </testcase>
    </testsuite>
    <testsuite name="o.json" tests="1" skipped="0" errors="0" failures="0" file="o.json">
        <testcase name="order/date at o.json:9:3  /a" classname="o.json" file="o.json" line="9">
            <system-out>warning[order/date]: odd
  --&gt; o.json:9:3  /a
</system-out>
        </testcase>
    </testsuite>
    <testsuite name="run" tests="1" skipped="0" errors="1" failures="0">
        <testcase name="everything was looked at">
            <error message="torn"/>
        </testcase>
    </testsuite>
    <testsuite name="summary" tests="0" skipped="0" errors="0" failures="0">
        <system-out>validate: 2 documents: 1 error, 1 warning; not everything was looked at: 1 failure</system-out>
    </testsuite>
</testsuites>
"#
        );
    }

    #[test]
    fn hostile_text_stays_text_and_the_xml_well_formed() {
        let hostile = "a\u{0}\u{1b}[31m\u{8}\u{fffe}\u{ffff}<&>\"'\n\r\t]]>\u{85}🏠";
        let mut bad = finding(Severity::Error, hostile);
        bad.location = place_in(hostile, 1);
        bad.location.pointer = hostile.into();
        bad.hint = Some(hostile.into());
        let mut odd = bad.clone();
        odd.severity = Severity::Note;
        let text = report(&Report {
            command: "validate",
            documents: 1,
            diagnostics: vec![bad, odd],
            subjects: vec![Subject {
                name: hostile.into(),
                location: place_in(hostile, 1),
                diagnostics: 0..1,
            }],
            failures: vec![RunFailure {
                message: hostile.into(),
                location: None,
            }],
        });
        let strange = |character: char| matches!(character, '\u{0}'..='\u{9}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
        assert!(!text.contains(strange), "{text:?}");
        let read = quick_junit::Report::deserialize_from_str(&text).expect("well-formed");
        let message = match &read.test_suites[0].test_cases[0].status {
            TestCaseStatus::NonSuccess { message, .. } => message.clone().expect("a message"),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            message.as_str(),
            "a\\u{0}\\u{1b}[31m\\u{8}\\u{fffe}\\u{ffff}<&>\"'\\n\\r\\t]]>\\u{85}🏠"
        );
    }
}
