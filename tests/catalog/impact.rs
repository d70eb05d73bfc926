//! What a change of the example catalog does to its orders.

use std::collections::BTreeSet;

use orderctl::catalog;
use orderctl::comparison::Comparison;
use orderctl::document::{Document, DocumentKind, Selection};
use orderctl::impact::{Catalogs, Impact, Origin, Trial};
use orderctl::rehearsal::is_root_order;
use orderctl::schemas;
use serde_json::Value;

use crate::faults::{FAULTS, Fault};
use crate::mutant::Mutant;
use crate::{orderctl, path, stderr, stdout};

const ORDERS: &str = "examples/catalog-tests";

/// The impact on the orders of the example catalog, as JSON that is valid against its schema.
fn impact(mutant: &Mutant, more: &[&str]) -> Value {
    let arguments = [
        "catalog",
        "impact",
        "examples/catalog",
        mutant.folder(),
        "--format",
        "json",
    ];
    let output = orderctl(&[&arguments[..], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let document = Document::parse(text.clone(), "impact").expect("JSON");
    let faults = schemas::check_as("catalog-impact", document.root());
    assert!(faults.is_empty(), "{faults:?}");
    serde_json::from_str(&text).expect("JSON")
}

/// Cause, orders and differences of each effect.
fn effects(impact: &Value) -> Vec<(String, u64, u64)> {
    let effects = impact["effects"].as_array().expect("a list").iter();
    let cause = |effect: &Value| -> String {
        let causes = effect["cause"].as_array().expect("a list").iter();
        let ids: Vec<&str> = causes.map(|it| it["id"].as_str().expect("an id")).collect();
        ids.join(" ")
    };
    effects
        .map(|it| {
            let count = |key: &str| it[key].as_u64().expect("a count");
            (cause(it), count("orders"), count("differences"))
        })
        .collect()
}

#[test]
fn each_difference_has_its_cause_and_orders_that_cannot_be_affected_are_left_alone() {
    let mutant = Mutant::new();
    let rules = "broadband/rules.yaml";
    mutant.replace(
        rules,
        "R-RBA-WIFI-MGMT",
        (
            "condition: source.wifiApp",
            "condition: \"!source.wifiApp\"",
        ),
    );
    mutant.replace(
        rules,
        "id: A-OLT-PORT",
        ("endpoint: olt", "endpoint: access"),
    );
    let impact = impact(&mutant, &["--orders", ORDERS]);
    assert_eq!(impact["orders"], 40);
    assert_eq!(
        impact["affected"], 10,
        "only broadband is affected: {impact}"
    );
    let effects = effects(&impact);
    let causes: Vec<&str> = effects.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(causes, ["R-RBA-WIFI-MGMT", "A-OLT-PORT"]);
    let endpoint = &impact["effects"][1];
    assert_eq!(
        endpoint["differences"], endpoint["orders"],
        "one task of each: {endpoint}"
    );
    let told = endpoint["example"]["differences"][0]
        .as_str()
        .expect("a text");
    assert!(told.ends_with("endpoint \"olt\" → \"access\""), "{told}");
}

#[test]
fn orders_that_are_refused_are_counted() {
    let mutant = Mutant::new();
    let products = "broadband/product-specifications.json";
    mutant.replace(
        products,
        "\"downloadSpeed\"",
        ("\"value\": 200", "\"value\": 201"),
    );
    let impact = impact(&mutant, &["--orders", ORDERS]);
    let refused = impact["refused"].as_u64().expect("a count");
    assert!(refused >= 1, "{impact}");
    assert_eq!(effects(&impact)[0].0, "PS-RBA-01");
}

#[test]
fn what_is_installed_is_ordered_anew() {
    let mutant = Mutant::new();
    let rules = "broadband/rules.yaml";
    mutant.replace(
        rules,
        "R-INTERNET-GPON-BEARER",
        ("value: residential", "value: home"),
    );
    let inventory = "examples/catalog-tests/broadband/installed/inventory.ndjson";
    let impact = impact(&mutant, &["--inventory", inventory]);
    assert_eq!(impact["different"], 1, "{impact}");
    let told = impact["effects"][0]["example"]["differences"].to_string();
    assert!(told.contains("lineProfile"), "{told}");
}

#[test]
fn nothing_is_different_between_a_catalog_and_itself_and_exit_codes_say_so() {
    let same = [
        "catalog",
        "impact",
        "examples/catalog",
        "examples/catalog",
        "--orders",
        ORDERS,
        "--exit-code",
    ];
    let output = orderctl(&same);
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(0), "")
    );
    assert_eq!(
        stderr(&output),
        "catalog impact: 40 orders: none can be affected\n"
    );
    let mutant = Mutant::new();
    mutant.replace(
        "broadband/rules.yaml",
        "id: A-OLT-PORT",
        ("endpoint: olt", "endpoint: access"),
    );
    let mut arguments = same;
    arguments[3] = mutant.folder();
    assert_eq!(orderctl(&arguments).status.code(), Some(1));
    let output = orderctl(&arguments[..6]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "without --exit-code it is only said"
    );
    assert!(stdout(&output).contains("endpoint \"olt\" → \"access\""));
    // A catalog that cannot be used is a finding, and nothing is compared.
    mutant.replace(
        "broadband/rules.yaml",
        "id: A-OLT-PORT",
        ("RS-OLT-PORT", "RS-NOWHERE"),
    );
    let output = orderctl(&arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("catalog/dangling-reference"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn orders_in_flight_are_looked_at_and_those_that_have_ended_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| {
        folder
            .path()
            .join(name)
            .to_str()
            .expect("a path")
            .to_owned()
    };
    let story = |name: &str| format!("examples/{name}/order.json");
    let (journal, endpoints) = (file("journal.db"), file("endpoints.toml"));
    let mut simulated = String::from("formatVersion = \"1.0\"\n");
    for name in ["broadband-b2c", "cloud-msp"] {
        let text = std::fs::read_to_string(crate::path(&format!("examples/{name}/endpoints.toml")));
        for line in text
            .expect("a file")
            .lines()
            .filter(|it| it.starts_with("[endpoint."))
        {
            if !simulated.contains(line) {
                simulated += line;
                simulated += "\nprotocol = \"simulated\"\n";
            }
        }
    }
    std::fs::write(&endpoints, simulated).expect("a file");
    // The first is carried out; the second waits for somebody to approve of it.
    for (name, code) in [("broadband-b2c", 0), ("cloud-msp", 3)] {
        let chain = stdout(&orderctl(&[
            "-q",
            "decompose",
            "--catalog",
            "examples/catalog",
            &story(name),
        ]));
        std::fs::write(file("chain"), chain).expect("a file");
        let plan = stdout(&orderctl(&[
            "-q",
            "plan",
            "--catalog",
            "examples/catalog",
            &file("chain"),
        ]));
        std::fs::write(file("plan"), plan).expect("a file");
        let output = orderctl(&[
            "activate",
            "-o",
            "json",
            "--clock",
            "virtual",
            "--endpoints",
            &endpoints,
            "--journal",
            &journal,
            &file("plan"),
        ]);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    }
    let mutant = Mutant::new();
    mutant.replace(
        "broadband/rules.yaml",
        "id: A-OLT-PORT",
        ("endpoint: olt", "endpoint: access"),
    );
    mutant.replace(
        "cloud-msp/rules.yaml",
        "@type\": ActivationRule",
        ("endpoint: ", "endpoint: other-"),
    );
    let impact = impact(&mutant, &["--journal", &journal]);
    assert_eq!(
        (&impact["orders"], &impact["different"]),
        (&Value::from(1), &Value::from(1)),
        "{impact}"
    );
    assert_eq!(impact["effects"][0]["example"]["origin"], "inFlight");
    assert_eq!(impact["effects"][0]["example"]["order"], "ORD-6150-0001");
}

/// Other documents that are changed beside the one with the fault, in what nothing depends on.
const OTHERS: usize = 12;

/// The documents of a folder of a catalog.
fn documents(folder: &std::path::Path) -> Vec<Document> {
    catalog::parse(&catalog::read_folder(folder).expect("a folder")).expect("a catalog")
}

/// The document with another description, which nothing depends on.
fn described(document: &Document) -> Document {
    let mut value: Value = serde_json::from_str(document.text()).expect("JSON");
    value["description"] = "Looked through".into();
    Document::parse(value.to_string(), "described").expect("JSON")
}

/// The documents that are named as causes where a fault is made, and many other documents of the
/// same orders are changed, too; and those that the fault changes. `None` where the catalog can no
/// longer be used.
fn causes_of(fault: &Fault) -> Option<[BTreeSet<String>; 2]> {
    let (file, behind, from, to) = *fault;
    let story = file.split('/').next().expect("a folder");
    let mutant = Mutant::new();
    mutant.replace(file, behind, (from, to));
    let old = documents(&path("examples/catalog").join(story));
    let mut new = documents(&mutant.file(story));
    let changed = Comparison::of(&old, &new);
    let changed: BTreeSet<String> = changed.documents.into_iter().map(|it| it.id).collect();
    let id = |it: &Document| it.root().text("id").unwrap_or_default().into_owned();
    let mut others = 0;
    for document in &mut new {
        // Offerings are many, and an order meets one of them.
        let many = DocumentKind::of(document) == DocumentKind::ProductOffering;
        if others < OTHERS && !many && !changed.contains(&id(document)) {
            *document = described(document);
            others += 1;
        }
    }
    assert_eq!(others, OTHERS);
    let comparison = Comparison::of(&old, &new);
    let load = |documents| catalog::load_documents(documents).catalog;
    let (before, now) = (load(&old)?, load(&new)?);
    let mut trial = Trial::new(
        Catalogs {
            old: &before,
            new: &now,
            comparison: &comparison,
            documents: [&old, &new],
        },
        None,
    );
    let orders = Selection {
        what: "orders",
        extensions: &["json"],
    };
    let orders = orders.read(&path(ORDERS).join(story)).expect("orders");
    for file in orders {
        let documents = file.json_documents().expect("documents");
        for order in documents.iter().filter(|it| is_root_order(it)) {
            trial.order(order, None, &Origin::Corpus(file.name.clone()));
        }
    }
    let Impact { effects, .. } = trial.finish();
    let causes = effects.iter().flat_map(|it| &it.cause);
    let named = causes.map(|it| comparison.documents[*it].id.clone());
    Some([named.collect(), changed])
}

#[test]
fn the_cause_that_is_named_is_the_document_with_the_fault_whatever_else_is_changed() {
    let mut told = 0;
    for fault in FAULTS {
        let Some([named, changed]) = causes_of(fault) else {
            continue;
        };
        assert!(named.is_subset(&changed), "{fault:?}: {named:?}");
        told += usize::from(!named.is_empty());
    }
    assert!(told >= 20, "{told} faults make orders come out differently");
}
