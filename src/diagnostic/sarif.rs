//! A report as SARIF 2.1.0, as GitHub's code scanning accepts it.
//!
//! Written with our own few types: what there is in SARIF for other tools is
//! left out. Columns count characters; files are named from where the command
//! ran (`SRCROOT`).

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::codes;
use super::human::excerpt;
use super::report::{Report, Subject};
use super::{Code, Diagnostic, Location, Severity};

/// Most results that code scanning takes; more, and the whole report is refused.
pub const MOST_RESULTS: usize = 25_000;

/// The report as compact JSON on one line, without a line end.
///
/// # Panics
/// Never: a report holds only strings, numbers and booleans.
#[must_use]
pub fn report(report: &Report) -> String {
    let shown = report.most_severe(MOST_RESULTS);
    let subjects = report.subject_of_each();
    let rules: BTreeMap<Code, Severity> = shown
        .iter()
        .map(|position| &report.diagnostics[*position])
        .map(|finding| (finding.code, finding.severity))
        .collect();
    let numbers: HashMap<Code, usize> = rules.keys().copied().zip(0..).collect();
    let mut seen = HashMap::new();
    let results = shown
        .iter()
        .map(|position| {
            let finding = &report.diagnostics[*position];
            let print = fingerprint(finding, subjects[*position]);
            let count = seen.entry(print).or_insert(0_u64);
            *count += 1;
            let fingerprint = format!("{print:016x}:{count}");
            result(finding, numbers[&finding.code], fingerprint)
        })
        .collect();
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "orderctl",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: rules.into_iter().map(rule).collect(),
                },
            },
            automation_details: AutomationDetails {
                id: format!("orderctl {}/", report.command),
            },
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: UriBaseIds {
                source_root: DescribedRoot {
                    description: Text::new("The folder in which orderctl ran"),
                },
            },
            invocations: [invocation(report, report.diagnostics.len() - shown.len())],
            results,
            properties: Properties {
                summary: report.summary(),
                documents: report.documents,
            },
        }],
    };
    serde_json::to_string(&log).expect("a report of plain values is always JSON")
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    automation_details: AutomationDetails,
    column_kind: &'static str,
    original_uri_base_ids: UriBaseIds,
    invocations: [Invocation; 1],
    results: Vec<ResultObject>,
    properties: Properties,
}

/// Tells the reports of several commands apart: code scanning keeps one for each.
#[derive(Serialize)]
struct AutomationDetails {
    id: String,
}

#[derive(Serialize)]
struct Properties {
    summary: String,
    documents: u64,
}

#[derive(Serialize)]
struct UriBaseIds {
    #[serde(rename = "SRCROOT")]
    source_root: DescribedRoot,
}

#[derive(Serialize)]
struct DescribedRoot {
    description: Text,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
    full_description: Text,
    help: Text,
    default_configuration: Configuration,
    properties: Tags,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Tags {
    tags: [&'static str; 1],
}

#[derive(Serialize)]
struct Text {
    text: String,
}

impl Text {
    fn new(text: impl Into<String>) -> Text {
        Text { text: text.into() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Place>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultObject {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Place; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Place>,
    partial_fingerprints: Fingerprints,
}

/// Code scanning knows a finding again by this one name.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fingerprints {
    primary_location_line_hash: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

fn rule((code, severity): (Code, Severity)) -> Rule {
    let description = codes::find(code);
    let meaning = description.map_or(code.0, |it| it.meaning);
    let advice = description.map_or("See the message.", |it| it.advice);
    let (area, _) = code.0.split_once('/').unwrap_or((code.0, ""));
    Rule {
        id: code.0,
        short_description: Text::new(meaning),
        full_description: Text::new(format!("{meaning} {advice}")),
        help: Text::new(advice),
        default_configuration: Configuration {
            level: description.map_or(severity, |it| it.severity).name(),
        },
        properties: Tags { tags: [area] },
    }
}

fn result(finding: &Diagnostic, rule_index: usize, fingerprint: String) -> ResultObject {
    let mut message = excerpt(&finding.message).into_owned();
    if let Some(hint) = &finding.hint {
        let _ = write!(message, "\n{}", excerpt(hint));
    }
    let related = finding.related.iter().map(|related| Place {
        id: Some(1),
        message: Some(Text::new("Related place")),
        ..place(related)
    });
    ResultObject {
        rule_id: finding.code.0,
        rule_index,
        level: finding.severity.name(),
        message: Text::new(message),
        locations: [place(&finding.location)],
        related_locations: related.collect(),
        partial_fingerprints: Fingerprints {
            primary_location_line_hash: fingerprint,
        },
    }
}

/// What went wrong with the run, and how many findings are left out.
fn invocation(report: &Report, left_out: usize) -> Invocation {
    let mut notifications: Vec<Notification> = report
        .failures
        .iter()
        .map(|failure| Notification {
            level: "error",
            message: Text::new(excerpt(&failure.message)),
            locations: failure.location.iter().map(place).collect(),
        })
        .collect();
    if left_out > 0 {
        let message = format!("{left_out} more findings are left out");
        notifications.push(Notification {
            level: "warning",
            message: Text::new(message),
            locations: Vec::new(),
        });
    }
    Invocation {
        execution_successful: report.failures.is_empty(),
        tool_execution_notifications: notifications,
    }
}

fn place(location: &Location) -> Place {
    let (uri, base) = uri(&location.file);
    let logical = (!location.pointer.is_empty()).then(|| LogicalLocation {
        fully_qualified_name: excerpt(&location.pointer).into_owned(),
        kind: "value",
    });
    Place {
        id: None,
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri,
                uri_base_id: base,
            },
            region: (location.line > 0).then(|| Region {
                start_line: location.line,
                start_column: (location.column > 0).then_some(location.column),
            }),
        },
        logical_locations: logical.into_iter().collect(),
        message: None,
    }
}

/// A file's name as URI, and what that is relative to; standard input is called `stdin`.
fn uri(file: &str) -> (String, Option<&'static str>) {
    if file == "-" {
        return ("stdin".to_owned(), Some("SRCROOT"));
    }
    let mut uri = String::with_capacity(file.len() + 8);
    let base = if file.starts_with('/') {
        uri.push_str("file://");
        None
    } else {
        Some("SRCROOT")
    };
    for byte in file.strip_prefix("./").unwrap_or(file).bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    (uri, base)
}

/// What stays the same about a finding when lines are moved and messages reworded: its code, its
/// file, the document that it is about, and the place in that.
fn fingerprint(finding: &Diagnostic, subject: Option<&Subject>) -> u64 {
    let mut hash = Sha256::new();
    let file = &finding.location.file;
    for part in [
        finding.code.0,
        file.strip_prefix("./").unwrap_or(file),
        subject.map_or("", |subject| &subject.name),
        &finding.location.pointer,
    ] {
        hash.update(part);
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest[..8]
        .iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::report::RunFailure;
    use super::*;

    fn finding(code: &'static str, severity: Severity, line: u64) -> Diagnostic {
        let location = Location {
            file: "./orders/a b.json".into(),
            line,
            column: 4,
            pointer: "/productOrderItem/0/action".into(),
        };
        Diagnostic::new(Code(code), severity, location, "what")
    }

    fn written(diagnostics: Vec<Diagnostic>) -> Value {
        let text = report(&Report {
            command: "validate",
            documents: 1,
            diagnostics,
            ..Report::default()
        });
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn results_refer_to_their_rules() {
        let log = written(vec![
            finding("order/date", Severity::Error, 3),
            finding("order/action", Severity::Error, 4).with_hint("did you mean `add`?"),
            finding("order/null", Severity::Error, 5),
        ]);
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        for result in run["results"].as_array().expect("results") {
            let number = usize::try_from(result["ruleIndex"].as_u64().expect("a number"));
            assert_eq!(rules[number.expect("small")]["id"], result["ruleId"]);
        }
        // The level of the rule is that without --strict.
        let null = &rules[2];
        assert_eq!(null["defaultConfiguration"]["level"], "warning");
        assert_eq!(run["results"][2]["level"], "error");
        assert_eq!(
            run["results"][1]["message"]["text"],
            "what\ndid you mean `add`?"
        );
    }

    #[test]
    fn places_are_relative_uris_with_line_column_and_pointer() {
        let log = written(vec![finding("order/date", Severity::Note, 3)]);
        let result = &log["runs"][0]["results"][0];
        assert_eq!(
            result["locations"][0],
            serde_json::json!({
                "physicalLocation": {
                    "artifactLocation": { "uri": "orders/a%20b.json", "uriBaseId": "SRCROOT" },
                    "region": { "startLine": 3, "startColumn": 4 }
                },
                "logicalLocations": [
                    { "fullyQualifiedName": "/productOrderItem/0/action", "kind": "value" }
                ]
            })
        );
        assert_eq!(uri("/tmp/ä:1").0, "file:///tmp/%C3%A4%3A1");
        assert_eq!(uri("-").0, "stdin");
    }

    #[test]
    fn a_fingerprint_outlives_moved_lines_and_tells_equal_places_apart() {
        let prints = |lines: [u64; 2]| {
            let log = written(
                lines
                    .map(|line| finding("order/date", Severity::Error, line))
                    .into(),
            );
            [0, 1].map(|number| {
                log["runs"][0]["results"][number]["partialFingerprints"]["primaryLocationLineHash"]
                    .to_string()
            })
        };
        let before = prints([3, 40]);
        assert_eq!(before, prints([30, 400]));
        assert_ne!(before[0], before[1]);
        let subject = |name: &str| Subject {
            name: name.into(),
            location: finding("order/date", Severity::Error, 1).location,
            diagnostics: 0..1,
        };
        let one = finding("order/date", Severity::Error, 1);
        assert_ne!(
            fingerprint(&one, Some(&subject("ProductOrder 1"))),
            fingerprint(&one, Some(&subject("ProductOrder 2")))
        );
    }

    #[test]
    fn more_than_code_scanning_takes_is_cut_and_counted() {
        let mut diagnostics = vec![finding("order/null", Severity::Warning, 1); MOST_RESULTS];
        diagnostics.push(finding("order/date", Severity::Error, 2));
        let log = written(diagnostics);
        let run = &log["runs"][0];
        let results = run["results"].as_array().expect("results");
        assert_eq!(results.len(), MOST_RESULTS);
        assert_eq!(results[MOST_RESULTS - 1]["ruleId"], "order/date");
        let notification = &run["invocations"][0]["toolExecutionNotifications"][0];
        assert_eq!(
            notification["message"]["text"],
            "1 more findings are left out"
        );
    }

    #[test]
    fn a_run_that_failed_says_so() {
        let text = report(&Report {
            command: "validate",
            failures: vec![RunFailure {
                message: "torn".into(),
                location: None,
            }],
            ..Report::default()
        });
        let log: Value = serde_json::from_str(&text).expect("JSON");
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        assert_eq!(
            invocation["toolExecutionNotifications"][0]["message"]["text"],
            "torn"
        );
    }
}
