//! A report as one JSON object, for programs.

use serde::Serialize;

use super::Diagnostic;
use super::report::{Report, RunFailure};

/// Version of the report's format, `major.minor`.
pub const FORMAT_VERSION: &str = "1.0";

/// The report as it is written: counts first, then every finding in input order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(rename = "@type")]
    type_name: &'static str,
    format_version: &'static str,
    command: &'static str,
    valid: bool,
    summary: String,
    error_count: u64,
    warning_count: u64,
    note_count: u64,
    documents: u64,
    diagnostics: &'a [Diagnostic],
    failures: &'a [RunFailure],
}

/// The report as compact JSON on one line, without a line end.
///
/// # Panics
/// Never: a report holds only strings, numbers and booleans.
#[must_use]
pub fn report(report: &Report) -> String {
    let tally = report.tally();
    let written = Written {
        type_name: "DiagnosticReport",
        format_version: FORMAT_VERSION,
        command: report.command,
        valid: report.is_valid(),
        summary: report.summary(),
        error_count: tally.errors,
        warning_count: tally.warnings,
        note_count: tally.notes,
        documents: report.documents,
        diagnostics: &report.diagnostics,
        failures: &report.failures,
    };
    serde_json::to_string(&written).expect("a report of plain values is always JSON")
}

#[cfg(test)]
mod tests {
    use super::super::{Code, Location, Severity};
    use super::*;

    #[test]
    fn a_report_without_findings_is_valid() {
        let clean = Report {
            command: "validate",
            documents: 3,
            ..Report::default()
        };
        assert_eq!(
            report(&clean),
            concat!(
                r#"{"@type":"DiagnosticReport","formatVersion":"1.0","command":"validate","valid":true,"#,
                r#""summary":"validate: 3 documents: nothing found","errorCount":0,"warningCount":0,"noteCount":0,"#,
                r#""documents":3,"diagnostics":[],"failures":[]}"#
            )
        );
    }

    #[test]
    fn findings_are_counted_and_listed_with_their_places() {
        let place = Location {
            file: "order.json".into(),
            line: 41,
            column: 21,
            pointer: "/productOrderItem/0".into(),
        };
        let diagnostics = vec![
            Diagnostic {
                code: Code("order/duplicate-item"),
                severity: Severity::Error,
                message: "item id `1` is used \u{1b}[31mtwice".into(),
                location: place.clone(),
                hint: Some("give every item its own id".into()),
                related: Some(Location {
                    line: 7,
                    ..place.clone()
                }),
            },
            Diagnostic {
                code: Code("order/missing-type"),
                severity: Severity::Warning,
                message: "`@type` is missing".into(),
                location: place,
                hint: None,
                related: None,
            },
        ];
        let found = Report {
            command: "validate",
            documents: 1,
            diagnostics,
            ..Report::default()
        };
        let text = report(&found);
        let (_, diagnostics) = text.split_once(r#""documents":1,"#).unwrap_or_default();
        assert_eq!(
            diagnostics,
            concat!(
                r#""diagnostics":["#,
                r#"{"code":"order/duplicate-item","severity":"error","message":"item id `1` is used \u001b[31mtwice","#,
                r#""location":{"file":"order.json","line":41,"column":21,"pointer":"/productOrderItem/0"},"#,
                r#""hint":"give every item its own id","#,
                r#""related":{"file":"order.json","line":7,"column":21,"pointer":"/productOrderItem/0"}},"#,
                r#"{"code":"order/missing-type","severity":"warning","message":"`@type` is missing","#,
                r#""location":{"file":"order.json","line":41,"column":21,"pointer":"/productOrderItem/0"}}],"failures":[]}"#,
            )
        );
    }

    #[test]
    fn a_run_that_failed_is_not_valid_and_says_why() {
        let torn = Report {
            command: "validate",
            documents: 1,
            failures: vec![RunFailure {
                message: "orders.ndjson:2:1: the input ends inside an object".into(),
                location: Some(Location {
                    file: "orders.ndjson".into(),
                    line: 2,
                    column: 1,
                    pointer: String::new(),
                }),
            }],
            ..Report::default()
        };
        let text = report(&torn);
        assert!(text.contains(r#""valid":false"#), "{text}");
        assert!(
            text.contains("nothing found; not everything was looked at: 1 failure"),
            "{text}"
        );
        assert!(
            text.ends_with(
                r#""failures":[{"message":"orders.ndjson:2:1: the input ends inside an object","location":{"file":"orders.ndjson","line":2,"column":1,"pointer":""}}]}"#
            ),
            "{text}"
        );
    }
}
