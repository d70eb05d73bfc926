//! Diagnostics as one JSON report, for programs.

use serde::Serialize;

use super::Diagnostic;
use super::tally::Tally;

/// Version of the report's format, `major.minor`.
pub const FORMAT_VERSION: &str = "1.0";

/// The report: counts first, then every finding in input order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report<'a> {
    /// Always [`FORMAT_VERSION`].
    pub format_version: &'static str,
    /// Whether there was no error (warnings and notes do not count).
    pub valid: bool,
    /// Number of errors.
    pub error_count: u64,
    /// Number of warnings.
    pub warning_count: u64,
    /// Number of notes.
    pub note_count: u64,
    /// Number of documents that were looked at.
    pub documents: u64,
    /// The findings.
    pub diagnostics: &'a [Diagnostic],
}

impl<'a> Report<'a> {
    /// The report on `documents` documents with these findings.
    #[must_use]
    pub fn new(documents: u64, diagnostics: &'a [Diagnostic]) -> Self {
        let tally = Tally::of(diagnostics);
        Self {
            format_version: FORMAT_VERSION,
            valid: tally.is_valid(),
            error_count: tally.errors,
            warning_count: tally.warnings,
            note_count: tally.notes,
            documents,
            diagnostics,
        }
    }

    /// The report as compact JSON on one line, without a line end.
    ///
    /// # Panics
    ///
    /// Never: a report holds only strings, numbers and booleans.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report of plain values is always JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Code, Location, Severity};
    use super::*;

    #[test]
    fn a_report_without_findings_is_valid() {
        assert_eq!(
            Report::new(3, &[]).to_json(),
            r#"{"formatVersion":"1.0","valid":true,"errorCount":0,"warningCount":0,"noteCount":0,"documents":3,"diagnostics":[]}"#
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
        let findings = [
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
        assert_eq!(
            Report::new(1, &findings).to_json(),
            concat!(
                r#"{"formatVersion":"1.0","valid":false,"errorCount":1,"warningCount":1,"noteCount":0,"documents":1,"diagnostics":["#,
                r#"{"code":"order/duplicate-item","severity":"error","message":"item id `1` is used \u001b[31mtwice","#,
                r#""location":{"file":"order.json","line":41,"column":21,"pointer":"/productOrderItem/0"},"#,
                r#""hint":"give every item its own id","#,
                r#""related":{"file":"order.json","line":7,"column":21,"pointer":"/productOrderItem/0"}},"#,
                r#"{"code":"order/missing-type","severity":"warning","message":"`@type` is missing","#,
                r#""location":{"file":"order.json","line":41,"column":21,"pointer":"/productOrderItem/0"}}]}"#,
            )
        );
    }
}
