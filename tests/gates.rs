//! What gates ask conforms to TM Forum's own schemas.
//!
//! The specifications are not part of the repository: where they do not lie
//! beside it, these tests say so and check nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use orderctl::document::yaml;
use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn specification(file: &str) -> Option<PathBuf> {
    let path = Path::new(ROOT).join("../shared/tmf/specs").join(file);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: there is no {}", path.display());
    None
}

/// The requests of a case's gates of a kind.
fn asked(case: &str, gate: &str) -> Vec<Value> {
    asked_at(case, gate, None)
}

/// The same, with another place.
fn asked_at(case: &str, gate: &str, place: Option<Value>) -> Vec<Value> {
    let folder = Path::new(ROOT).join("tests/cases/plan").join(case);
    let order = std::fs::read(folder.join("order.json")).expect("an order");
    let mut order: Value = serde_json::from_slice(&order).expect("JSON");
    if let Some(place) = place {
        order["productOrderItem"][0]["product"]["place"] = json!([place]);
    }
    let run = |args: &[&str], input: Vec<u8>| {
        let command = Command::new(cargo_bin("orderctl"))
            .args(args)
            .args(["--catalog", "catalog.yaml"])
            .env_clear()
            .current_dir(&folder)
            .write_stdin(input)
            .timeout(Duration::from_secs(60))
            .output()
            .expect("the binary runs");
        assert_eq!(command.status.code(), Some(0), "{command:?}");
        command.stdout
    };
    let planned = run(
        &["plan"],
        run(&["decompose"], order.to_string().into_bytes()),
    );
    let documents = serde_json::Deserializer::from_slice(&planned).into_iter::<Value>();
    let plan = documents.last().expect("a plan").expect("JSON");
    let tasks = plan["taskFlow"].as_array().expect("tasks");
    let gates = tasks.iter().filter(|task| task["gate"] == gate);
    let requests: Vec<Value> = gates.map(|task| task["request"].clone()).collect();
    assert!(!requests.is_empty(), "{case} has no gate {gate}");
    requests
}

fn faults(document: &Value, schema: &Value) -> Vec<String> {
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft4)
        .should_validate_formats(true)
        .build(schema)
        .expect("a schema");
    validator
        .iter_errors(document)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect()
}

fn assert_valid(document: &Value, schema: &Value) {
    assert_eq!(faults(document, schema), Vec::<String>::new(), "{document}");
}

/// A place without id.
fn address() -> Value {
    json!({
        "@type": "GeographicAddress", "role": "installation", "streetNr": "1",
        "streetName": "Shop Lane", "city": "Melbourne", "name": null
    })
}

#[test]
fn a_place_by_value_is_asked_about_by_all_that_it_says() {
    let case = "gates-of-every-kind";
    let body = |gate: &str, place: Value| asked_at(case, gate, Some(place))[0]["body"].clone();
    let flat = json!({
        "city": "Melbourne", "streetName": "Shop Lane", "streetNr": "1", "role": "installation",
        "@referredType": "GeographicAddress"
    });
    let feasible = body("feasibility", address());
    let service = &feasible["serviceQualificationItem"][0]["service"];
    assert_eq!(service["place"], json!([flat]));
    assert_eq!(body("credit", address())["place"], flat);
    let product = |place| {
        let body = body("addressQualification", place);
        body["checkProductOfferingQualificationItem"][0]["product"]["place"][0]["place"].clone()
    };
    assert_eq!(
        product(address()),
        json!({
            "@type": "GeographicAddress", "city": "Melbourne", "streetName": "Shop Lane",
            "streetNr": "1"
        })
    );
    assert_eq!(
        product(json!({"href": "/site/P-1", "role": "installation"})),
        json!({"@type": "GeographicAddress", "href": "/site/P-1"})
    );
}

#[test]
fn feasibility_is_a_service_qualification() {
    for file in [
        "TMF645-ServiceQualification-v4.0.0.swagger.json",
        "TMF645-ServiceQualification-v4.0.1.swagger.json",
    ] {
        let Some(path) = specification(file) else {
            return;
        };
        let swagger: Value = serde_json::from_slice(&std::fs::read(path).expect("a file"))
            .expect("swagger files are JSON");
        let schema = json!({
            "allOf": [{"$ref": "#/definitions/CheckServiceQualification_Create"}],
            "definitions": swagger["definitions"],
        });
        assert_ne!(faults(&json!({}), &schema), Vec::<String>::new());
        let by_value = Some(address());
        for request in [
            asked("gates-of-every-kind", "feasibility"),
            asked("gates-and-waves", "feasibility"),
            asked_at("gates-of-every-kind", "feasibility", by_value),
        ]
        .concat()
        {
            assert_eq!(request["path"], "checkServiceQualification");
            assert!(swagger["paths"]["/checkServiceQualification"].is_object());
            assert_valid(&request["body"], &schema);
        }
    }
}

#[test]
fn address_qualification_is_a_product_offering_qualification() {
    let Some(path) = specification("TMF679-Product_Offering_Qualification-v5.0.0.oas.yaml") else {
        return;
    };
    let text = std::fs::read_to_string(path).expect("a file");
    let documents = yaml::documents(&text, "TMF679").expect("OpenAPI files are YAML");
    let text = documents[0].text();
    // A discriminator, which JSON Schema does not know, tells apart what `oneOf` lists.
    let openapi: Value =
        serde_json::from_str(&text.replace("\"oneOf\"", "\"anyOf\"")).expect("JSON");
    let schema = json!({
        "allOf": [{"$ref": "#/components/schemas/CheckProductOfferingQualification_FVO"}],
        "components": openapi["components"],
    });
    assert_ne!(faults(&json!({}), &schema), Vec::<String>::new());
    let (case, kind) = ("gates-of-every-kind", "addressQualification");
    for request in [
        asked(case, kind),
        asked_at(case, kind, Some(address())),
        asked_at(case, kind, Some(json!({"href": "/site/P-1", "role": "r"}))),
    ]
    .concat()
    {
        assert_eq!(request["path"], "checkProductOfferingQualification");
        assert!(openapi["paths"]["/checkProductOfferingQualification"].is_object());
        assert_valid(&request["body"], &schema);
    }
}
