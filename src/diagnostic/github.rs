//! A report as GitHub workflow commands: an annotation for each finding.
//!
//! Invariant: nothing that an input held begins a line or ends one, so that no
//! document can give the workflow commands of its own.

use std::fmt::Write as _;

use super::human::excerpt;
use super::report::Report;
use super::{Location, Severity};

/// The annotations, errors of the run first, and the summary as the last line.
#[must_use]
pub fn report(report: &Report) -> String {
    let mut text = String::new();
    for failure in &report.failures {
        let place = failure.location.as_ref();
        annotation(&mut text, "error", place, "orderctl", &failure.message);
    }
    for finding in &report.diagnostics {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut message = excerpt(&finding.message).into_owned();
        if !finding.location.pointer.is_empty() {
            let _ = write!(message, "\nat {}", excerpt(&finding.location.pointer));
        }
        if let Some(related) = &finding.related {
            let _ = write!(message, "\nrelated: {}", super::human::place(related));
        }
        if let Some(hint) = &finding.hint {
            let _ = write!(message, "\nhint: {}", excerpt(hint));
        }
        let place = Some(&finding.location);
        annotation(&mut text, command, place, finding.code.0, &message);
    }
    text.push_str(&report.summary());
    text.push('\n');
    text
}

/// `::error file=order.json,line=9,col=30,title=order/date::message`; what is not known is left
/// out, and so is standard input, which is no file that GitHub could show.
fn annotation(
    text: &mut String,
    command: &str,
    place: Option<&Location>,
    title: &str,
    message: &str,
) {
    let mut properties = Vec::new();
    if let Some(place) = place.filter(|place| place.file != "-") {
        let file = place.file.strip_prefix("./").unwrap_or(&place.file);
        properties.push(format!("file={}", property(file)));
        if place.line > 0 {
            properties.push(format!("line={}", place.line));
        }
        if place.column > 0 {
            properties.push(format!("col={}", place.column));
        }
    }
    properties.push(format!("title={}", property(title)));
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "::{command} {}::{}",
        properties.join(","),
        data(message)
    );
}

/// The escapes of a message.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The escapes of a property, in which `:` and `,` end things.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::report::RunFailure;
    use super::super::{Code, Diagnostic};
    use super::*;

    fn place(file: &str, line: u64, column: u64) -> Location {
        Location {
            file: file.into(),
            line,
            column,
            pointer: "/a".into(),
        }
    }

    fn found(diagnostics: Vec<Diagnostic>) -> String {
        report(&Report {
            command: "validate",
            documents: 1,
            diagnostics,
            ..Report::default()
        })
    }

    #[test]
    fn a_finding_is_an_annotation_of_its_severity() {
        let finding =
            |severity| Diagnostic::new(Code("order/date"), severity, place("./o.json", 9, 30), "m");
        let text = found(vec![
            finding(Severity::Error).with_hint("h"),
            finding(Severity::Warning).with_related(place("o.json", 1, 2)),
            finding(Severity::Note),
        ]);
        assert_eq!(
            text,
            "::error file=o.json,line=9,col=30,title=order/date::m%0Aat /a%0Ahint: h\n\
             ::warning file=o.json,line=9,col=30,title=order/date::m%0Aat /a%0Arelated: o.json:1:2  /a\n\
             ::notice file=o.json,line=9,col=30,title=order/date::m%0Aat /a\n\
             validate: 1 document: 1 error, 1 warning, 1 note\n"
        );
    }

    #[test]
    fn hostile_names_and_values_end_no_line_and_no_property() {
        let location = place("a,b:c%\n::set-env name=x::y.json", 1, 0);
        let message = "100 %\r\n::stop-commands::x";
        let code = Code("order/date");
        let text = found(vec![Diagnostic::new(
            code,
            Severity::Error,
            location,
            message,
        )]);
        assert_eq!(
            text.lines().next(),
            Some(
                "::error file=a%2Cb%3Ac%25%0A%3A%3Aset-env name=x%3A%3Ay.json,line=1,title=order/date::100 %25\\r\\n::stop-commands::x%0Aat /a"
            )
        );
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn standard_input_is_no_file_and_a_failure_is_an_error() {
        let text = report(&Report {
            command: "validate",
            failures: vec![RunFailure {
                message: "-:1:2: torn".into(),
                location: Some(place("-", 1, 2)),
            }],
            ..Report::default()
        });
        assert!(
            text.starts_with("::error title=orderctl::-:1:2: torn\n"),
            "{text}"
        );
    }
}
