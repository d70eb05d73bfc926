//! The schemas are those of what is read and written: what the program writes
//! and what the examples hold is valid against them, and what the page on
//! editors shows works.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use orderctl::document::yaml;
use orderctl::schemas;
use regex::Regex;
use serde_json::Value;

const TIME_LIMIT: Duration = Duration::from_secs(60);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn orderctl(args: &[&str], input: &[u8]) -> Vec<u8> {
    let output = Command::new(cargo_bin("orderctl"))
        .args(args)
        .env_clear()
        .current_dir(root().join("examples/broadband-b2c"))
        .write_stdin(input)
        .timeout(TIME_LIMIT)
        .output()
        .expect("the binary runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    output.stdout
}

fn schema(name: &str) -> Value {
    let text = schemas::find(name).unwrap_or_else(|| panic!("there is no schema {name}"));
    serde_json::from_str(&text).expect("schemas are JSON")
}

fn faults(name: &str, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema(name)).expect(name);
    validator
        .iter_errors(document)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect()
}

#[track_caller]
fn assert_valid(name: &str, document: &Value, what: &str) {
    let found = faults(name, document);
    assert!(found.is_empty(), "{what}: {found:?}");
}

/// The values of a text: JSON documents, one after another.
fn json(text: &[u8]) -> Vec<Value> {
    let values = serde_json::Deserializer::from_slice(text).into_iter();
    values.map(|value| value.expect("JSON")).collect()
}

/// Schema of a document that is written, by its `@type`.
fn schema_of(document: &Value) -> &'static str {
    match document["@type"].as_str().unwrap_or_default() {
        "ProductOrder" => "product-order",
        "ServiceOrder" => "service-order",
        "ResourceOrder" => "resource-order",
        "OrchestrationPlan" => "orchestration-plan",
        "Product" => "product",
        "Service" => "service",
        "Resource" => "resource",
        "OrderStatus" => "order-status",
        "DiagnosticReport" => "diagnostic-report",
        "DecompositionExplanation" => "decomposition-explanation",
        other => panic!("nobody said that `{other}` is written: {document}"),
    }
}

#[test]
fn what_the_pipe_writes_is_valid_against_the_schemas() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (endpoints, journal, inventory) = (
        path("endpoints.toml"),
        path("journal.db"),
        path("inventory.ndjson"),
    );
    let mut definitions = String::from("formatVersion = \"1.0\"\n");
    for name in ["acs", "bng", "cmts", "ipam", "olt", "warehouse", "wifi"] {
        let _ = write!(definitions, "[endpoint.{name}]\nprotocol = \"simulated\"\n");
    }
    std::fs::write(&endpoints, definitions).expect("a file");

    let planned = orderctl(&["plan"], &orderctl(&["decompose", "order.json"], b""));
    let mut written = json(&planned);
    written.extend(json(&orderctl(&["status", "-o", "json"], &planned)));
    let activate = [
        "activate",
        "-o",
        "json",
        "--endpoints",
        &endpoints,
        "--journal",
        &journal,
        "--inventory",
        &inventory,
    ];
    let activated = orderctl(&activate, &planned);
    written.extend(json(&activated));
    written.extend(json(&orderctl(&["status", "-o", "json"], &activated)));
    written.extend(json(&orderctl(
        &["status", "-o", "json", "--journal", &journal],
        b"",
    )));
    written.extend(json(&std::fs::read(&inventory).expect("an installed base")));
    written.extend(json(&orderctl(
        &["validate", "--format", "json", "order.json"],
        b"",
    )));

    let kinds: BTreeSet<&str> = written.iter().map(schema_of).collect();
    assert_eq!(kinds.len(), 9, "{kinds:?}");
    for document in &written {
        assert_valid(schema_of(document), document, &document.to_string());
    }
}

#[test]
fn reports_with_findings_and_failures_are_valid_against_the_schema() {
    for input in [
        &b"{\"@type\":\"ProductOrder\",\"state\":null,\"productOrderItem\":[{\"id\":\"1\",\"action\":\"ad\"},{\"id\":\"1\"}]}"[..],
        b"{\"@type\":\"ProductOrder\"} torn",
        b"",
    ] {
        let output = Command::new(cargo_bin("orderctl"))
            .args(["validate", "--format", "json"])
            .env_clear()
            .write_stdin(input)
            .timeout(TIME_LIMIT)
            .output()
            .expect("the binary runs");
        let reports = json(&output.stdout);
        assert_eq!(reports.len(), 1);
        assert_valid("diagnostic-report", &reports[0], &reports[0].to_string());
        let found = |list: &str| reports[0][list].as_array().map_or(0, Vec::len);
        assert!(found("diagnostics") + found("failures") > 0);
    }
}

#[test]
fn explanations_are_valid_against_the_schema() {
    let cases = root().join("tests/cases/decompose");
    let orders = ["one-for-each-site", "near-misses", "explained-for-programs"];
    for case in orders {
        let output = Command::new(cargo_bin("orderctl"))
            .args([
                "decompose",
                "--explain=json",
                "--catalog",
                "catalog.yaml",
                "order.json",
            ])
            .env_clear()
            .current_dir(cases.join(case))
            .timeout(TIME_LIMIT)
            .output()
            .expect("the binary runs");
        let explanations = json(&output.stderr);
        assert_eq!(explanations.len(), 1, "{case}");
        assert_valid(schema_of(&explanations[0]), &explanations[0], case);
    }
}

/// Members of a part of a schema that no description is for.
fn undescribed(root: &Value, schema: &Value, place: &str, found: &mut Vec<String>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}/{name}");
        let referred = member["$ref"]
            .as_str()
            .and_then(|it| root.pointer(&it[1..]));
        let described = [Some(member), referred].into_iter().flatten().any(|part| {
            let text = part["description"].as_str();
            text.is_some_and(|text| !text.is_empty())
        });
        // A member that there may not be needs no description.
        if !member.is_boolean() && !described {
            found.push(place.clone());
        }
        undescribed(root, member, &place, found);
    }
    for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
        undescribed(root, definition, &format!("{place}/$defs/{name}"), found);
    }
    if let Some(elements) = schema.get("items") {
        undescribed(root, elements, place, found);
    }
}

#[test]
fn every_member_of_every_schema_is_described() {
    for name in schemas::names() {
        let mut found = Vec::new();
        let schema = schema(name);
        undescribed(&schema, &schema, "", &mut found);
        assert_eq!(found, Vec::<String>::new(), "{name}");
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What a file holds, as JSON values; none for files of other kinds.
fn values(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str| serde_json::from_str(text).expect("JSON");
    match path.extension().and_then(|it| it.to_str()) {
        Some("json") => json(text.as_bytes()),
        Some("yaml" | "yml") => {
            let documents = yaml::documents(&text, "").expect("YAML");
            documents.iter().map(|it| value(it.text())).collect()
        }
        Some("toml") => vec![toml::from_str(&text).expect("TOML")],
        _ => Vec::new(),
    }
}

#[test]
fn the_catalogs_of_the_examples_are_valid_against_the_schema_of_catalog_files() {
    let known = schema("catalog")["$defs"]["document"]["properties"]["@type"]["anyOf"][0]["enum"]
        .as_array()
        .cloned()
        .expect("a list of kinds");
    let mut seen = BTreeSet::new();
    for path in files_below(&root().join("examples/catalog")) {
        for value in values(&path) {
            assert_valid("catalog", &value, &path.display().to_string());
            let list = value.as_array().cloned().unwrap_or_else(|| vec![value]);
            for document in list {
                let kind = document["@type"].clone();
                assert!(known.contains(&kind), "{kind} is in src/schemas/catalog.rs");
                seen.insert(kind.to_string());
            }
        }
    }
    assert!(seen.len() >= 6, "{seen:?}");
    let bad = serde_json::json!([{ "@type": "ActivationRule", "id": "A", "endpiont": "olt" }]);
    assert!(!faults("catalog", &bad).is_empty());
}

#[test]
fn the_files_of_the_examples_are_valid_against_the_schemas_that_editors_use() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for path in files_below(&root().join("examples")) {
        let name = path
            .file_name()
            .and_then(|it| it.to_str())
            .unwrap_or_default();
        let schema = match name {
            "order-invalid.json" => continue,
            "endpoints.toml" => "endpoints",
            "orderctl.toml" => "project",
            _ => match name.split_once('.') {
                Some((stem, "json")) if stem.starts_with("order") => "product-order",
                _ => continue,
            },
        };
        for value in values(&path) {
            assert_valid(schema, &value, &path.display().to_string());
            *seen.entry(schema).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

/// Language and text of every code block of a page.
fn blocks(page: &str) -> Vec<(String, String)> {
    let fence = Regex::new(r"(?ms)^```([a-z]+)\n(.*?)^```$").expect("a pattern");
    let blocks = fence.captures_iter(page);
    blocks
        .map(|block| (block[1].to_owned(), block[2].to_owned()))
        .collect()
}

#[test]
fn the_page_on_editors_names_schemas_that_there_are_and_shows_valid_files() {
    let page = std::fs::read_to_string(root().join("docs/editors.md")).expect("a page");
    let reference = Regex::new(r"/([a-z-]+)\.schema\.json").expect("a pattern");
    let named: BTreeSet<&str> = reference
        .captures_iter(&page)
        .filter_map(|name| name.get(1))
        .map(|name| name.as_str())
        .collect();
    assert!(named.len() >= 5, "{named:?}");
    for name in &named {
        assert!(schemas::find(name).is_some(), "{name}");
    }
    let listed: BTreeSet<String> = Regex::new(r"`([a-z-]+)`")
        .expect("a pattern")
        .captures_iter(&page)
        .map(|name| name[1].to_owned())
        .filter(|name| schemas::find(name).is_some())
        .collect();
    let all: BTreeSet<String> = schemas::names().map(str::to_owned).collect();
    assert_eq!(listed, all, "the table of docs/editors.md");

    let mut shown = 0;
    for (language, text) in blocks(&page) {
        let value: Value = match language.as_str() {
            "json" => {
                let settings: Value = serde_json::from_str(&text).expect("JSON");
                assert!(settings["json.schemas"].is_array());
                continue;
            }
            "yaml" => {
                let documents = yaml::documents(&text, "").expect("YAML");
                serde_json::from_str(documents[0].text()).expect("JSON")
            }
            "toml" => toml::from_str(&text).expect("TOML"),
            _ => continue,
        };
        let first = text.lines().next().unwrap_or_default();
        let name = reference
            .captures(first)
            .expect("the first line names a schema");
        assert_valid(&name[1], &value, &text);
        shown += 1;
    }
    assert_eq!(shown, 3);
}
