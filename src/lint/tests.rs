//! Rules on small catalogs, and what settings make of their findings.

use super::*;
use crate::catalog;
use crate::diagnostic::Severity;
use crate::document::{Document, yaml};

/// A line over two technologies, with a rule to be written.
const LINE: &str = r#"
- {"@type": ProductOffering, id: PO, name: Home, lifecycleStatus: Active, productSpecification: {id: PS}}
- "@type": ProductSpecification
  id: PS
  name: Home
  lifecycleStatus: Active
  serviceSpecification: [{id: CFS}]
  productSpecCharacteristic:
    - {name: speed, valueType: integer, minCardinality: 1, productSpecCharacteristicValue: [{valueFrom: 100, valueTo: 1000}]}
    - {name: tier, valueType: string, minCardinality: 1, productSpecCharacteristicValue: [{value: gold}, {value: silver}]}
    - {name: note, valueType: string}
- "@type": CustomerFacingServiceSpecification
  id: CFS
  name: Line
  lifecycleStatus: Active
  serviceSpecRelationship: [{id: RFS, relationshipType: dependency}]
  specCharacteristic:
    - {name: speed, valueType: integer, minCardinality: 1, characteristicValueSpecification: [{valueFrom: 100, valueTo: 1000}]}
    - {name: tier, valueType: string, minCardinality: 1, characteristicValueSpecification: [{value: gold}, {value: silver}]}
    - {name: note, valueType: string}
- "@type": ResourceFacingServiceSpecification
  id: RFS
  name: Port
  lifecycleStatus: Active
  resourceSpecification: [{id: RS}]
- {"@type": ResourceSpecification, id: RS, name: Port, lifecycleStatus: Active}
- {"@type": ActivationRule, formatVersion: "1.0", id: A, resourceSpecification: {id: RS}, endpoint: olt, duration: {mostLikely: PT1M}}
"#;

fn documents(rules: &str) -> Vec<Document> {
    yaml::documents(&format!("{LINE}{rules}"), "catalog.yaml").expect("YAML")
}

fn found(rules: &str, settings: &Settings) -> Vec<Diagnostic> {
    // A list of documents is one document of a stream.
    let documents: Vec<Document> = documents(rules)
        .into_iter()
        .flat_map(|it| it.elements().unwrap_or_else(|| vec![it]))
        .collect();
    let loaded = catalog::load_documents(&documents);
    assert!(loaded.catalog.is_some(), "{:?}", loaded.diagnostics);
    let catalog = loaded.catalog.expect("a sound catalog");
    lint(&catalog, &documents, None, settings)
}

fn codes_of(rules: &str) -> Vec<&'static str> {
    let found = found(rules, &Settings::default());
    found.iter().map(|it| it.code.0).collect()
}

fn rule(condition: &str) -> String {
    format!(
        "- {{\"@type\": DecompositionRule, formatVersion: \"1.0\", id: R, source: {{id: CFS}}, \
         target: {{id: RFS}}, condition: '{condition}'}}\n"
    )
}

#[test]
fn a_condition_is_judged_over_what_its_characteristics_allow() {
    let dead = &["lint/unreachable-specification"; 2][..];
    for (condition, code) in [
        ("source.speed >= 100", Some("lint/always-true")),
        ("source.speed > 100", None),
        ("source.speed < 100", Some("lint/always-false")),
        (
            "source.speed > 300 && source.speed < 301",
            Some("lint/always-false"),
        ),
        (
            "source.tier in [\"gold\", \"silver\"]",
            Some("lint/always-true"),
        ),
        ("source.tier == \"bronze\"", Some("lint/always-false")),
        ("source.tier != \"bronze\"", Some("lint/always-true")),
        (
            "source.tier == \"gold\" && source.tier == \"silver\"",
            Some("lint/always-false"),
        ),
        (
            "source.tier == \"gold\" || source.speed >= 100",
            Some("lint/always-true"),
        ),
        ("has(source.note)", None),
        ("has(source.note) && source.note == \"x\"", None),
        (
            "!has(source.note) || source.note != \"x\" || source.note == \"x\"",
            Some("lint/always-true"),
        ),
        // Of a text that is taken apart nothing is said.
        ("source.tier.startsWith(\"g\")", None),
        ("has(source.note) && source.note.startsWith(\"g\")", None),
        ("item.action == \"delete\"", Some("lint/always-false")),
        ("item.quantity > 1", None),
    ] {
        let found = codes_of(&rule(condition));
        let about: Vec<&str> = found
            .iter()
            .copied()
            .filter(|it| it.contains("always"))
            .collect();
        assert_eq!(about, code.into_iter().collect::<Vec<_>>(), "{condition}");
        let unreachable = found.iter().filter(|it| dead.contains(it)).count();
        assert_eq!(
            unreachable > 0,
            code == Some("lint/always-false"),
            "{condition}: {found:?}"
        );
    }
}

#[test]
fn a_large_number_of_cases_is_not_gone_through() {
    let condition: Vec<String> = (0..2000)
        .map(|speed| format!("source.speed=={speed}"))
        .collect();
    let within = condition[..200].join(" || ");
    assert!(
        codes_of(&rule(&within)).is_empty(),
        "some speeds are none of these"
    );
}

#[test]
fn levels_and_exceptions_change_what_is_reported() {
    let twice = "- {\"@type\": ProductOffering, id: PO-2, name: Home, lifecycleStatus: Active, \
                 productSpecification: {id: PS}}\n";
    let severities = |settings: &Settings| -> Vec<(&'static str, Severity)> {
        let found = found(twice, settings);
        found.iter().map(|it| (it.code.0, it.severity)).collect()
    };
    let code = "lint/duplicate-name";
    assert_eq!(
        severities(&Settings::default()),
        [(code, Severity::Warning)]
    );
    let level = |level| Settings {
        levels: vec![(code.to_owned(), level)],
        ..Settings::default()
    };
    assert_eq!(
        severities(&level(Level::As(Severity::Error))),
        [(code, Severity::Error)]
    );
    assert_eq!(severities(&level(Level::Off)), []);
    let except = |document: &str| Settings {
        exceptions: vec![Exception {
            code: code.to_owned(),
            document: Some(document.to_owned()),
            reason: "it is meant".to_owned(),
            location: Location {
                file: "orderctl.toml".to_owned(),
                line: 1,
                column: 1,
                pointer: String::new(),
            },
        }],
        ..Settings::default()
    };
    assert_eq!(severities(&except("PO-2")), []);
    let of_another = [
        (code, Severity::Warning),
        ("lint/unused-exception", Severity::Warning),
    ];
    assert_eq!(severities(&except("PS")), of_another);
}

#[test]
fn every_rule_is_described_and_explained() {
    assert!(rules::RULES.is_sorted_by(|a, b| a.code < b.code));
    for rule in rules::RULES {
        let text = explain(rule.code).expect("a description");
        assert!(
            text.contains("Why it is bad") && text.contains("Mended"),
            "{text}"
        );
    }
    assert!(explain("order/date").is_some_and(|it| !it.contains("Mended")));
    assert!(explain("lint/nonsense").is_none());
}

#[test]
fn a_value_that_cannot_be_computed_with_is_found() {
    let mapped = |map: &str| {
        let target = "- {\"@type\": ResourceFacingServiceSpecification, id: RFS-2, name: Queue, lifecycleStatus: Active, \
                      resourceSpecification: [{id: RS}], specCharacteristic: [{name: queue, valueType: integer, minCardinality: 1}]}\n";
        let rule = "- {\"@type\": DecompositionRule, formatVersion: \"1.0\", id: R, source: {id: CFS}, target: {id: RFS-2}, \
                    mapping: [{target: queue, expression: 'MAP[source.tier]'}]}\n";
        codes_of(&format!("{target}{}", rule.replace("MAP", map)))
    };
    assert_eq!(mapped("{\"gold\": 1, \"silver\": 2}"), Vec::<&str>::new());
    assert_eq!(mapped("{\"gold\": 1}"), ["lint/mapping-range"]);
}
