//! What is written conforms to TM Forum's own schemas, and what TM Forum and
//! others have written is read.
//!
//! The specifications and samples are not part of the repository: where they
//! do not lie beside it, these tests say so and check nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use jsonschema::Draft;
use serde_json::{Value, json};

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The folder of specifications and samples.
fn tmf() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/tmf");
    if folder.join("specs").is_dir() {
        return Some(folder);
    }
    println!("skipped: TM Forum's files are not at {}", folder.display());
    None
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/broadband-b2c")
}

/// The example's orders that can be carried out.
const ORDERS: [&str; 3] = ["order.json", "order-hfc.json", "order-static-ip.json"];

fn run(args: &[&str], input: &[u8]) -> Output {
    Command::new(cargo_bin("orderctl"))
        .args(args)
        .env_clear()
        .current_dir(example())
        .write_stdin(input)
        .timeout(TIME_LIMIT)
        .output()
        .expect("the binary runs")
}

fn done(args: &[&str], input: &[u8]) -> Vec<u8> {
    let output = run(args, input);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {stderr}");
    output.stdout
}

/// The documents of the example's whole pipe, by `@type`.
fn chain(order: &str) -> BTreeMap<String, Value> {
    let validated = done(&["validate", order], b"");
    let decomposed = done(&["decompose"], &validated);
    let planned = done(&["plan"], &decomposed);
    let documents: Vec<Value> = serde_json::Deserializer::from_slice(&planned)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("output is a stream of JSON");
    let types: Vec<&str> = documents
        .iter()
        .filter_map(|it| it["@type"].as_str())
        .collect();
    assert_eq!(
        types,
        [
            "ProductOrder",
            "ServiceOrder",
            "ResourceOrder",
            "OrchestrationPlan"
        ]
    );
    documents
        .iter()
        .map(|document| {
            (
                document["@type"].as_str().unwrap_or_default().to_owned(),
                document.clone(),
            )
        })
        .collect()
}

/// The definitions of a swagger file.
fn definitions(folder: &Path, file: &str) -> Value {
    let text = std::fs::read(folder.join("specs").join(file)).expect("a swagger file");
    let swagger: Value = serde_json::from_slice(&text).expect("swagger files are JSON");
    swagger["definitions"].clone()
}

/// Faults of a document against a definition, formats included.
fn faults(document: &Value, definitions: &Value, name: &str) -> Vec<String> {
    let reference = format!("#/definitions/{name}");
    let schema = json!({ "allOf": [{ "$ref": reference }], "definitions": definitions });
    let validator = jsonschema::options()
        .with_draft(Draft::Draft4)
        .should_validate_formats(true)
        .build(&schema)
        .expect("a schema");
    validator
        .iter_errors(document)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect()
}

#[test]
fn what_breaks_a_standard_is_found() {
    let Some(tmf) = tmf() else { return };
    let definitions = definitions(&tmf, "TMF641-ServiceOrdering-v4.1.0.swagger.json");
    let order = json!({ "id": "1", "orderDate": "today", "serviceOrderItem": [{ "id": "1", "action": "create" }] });
    let found = faults(&order, &definitions, "ServiceOrder");
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn service_orders_are_valid_against_tmf641() {
    let Some(tmf) = tmf() else { return };
    for file in [
        "TMF641-ServiceOrdering-v4.1.0.swagger.json",
        "TMF641-ServiceOrdering-v4.2.0.swagger.json",
        "TMF641-Service_Ordering-v4.0.0.swagger.json",
        "open-api-and-data-model/TMF641-ServiceOrdering-v4.1.0.swagger.json",
    ] {
        let definitions = definitions(&tmf, file);
        for order in ORDERS {
            let found = faults(&chain(order)["ServiceOrder"], &definitions, "ServiceOrder");
            assert_eq!(found, Vec::<String>::new(), "{file}, {order}");
        }
    }
}

#[test]
fn resource_orders_are_valid_against_both_builds_of_tmf652() {
    let Some(tmf) = tmf() else { return };
    let repository = definitions(
        &tmf,
        "open-api-and-data-model/TMF652-ResourceOrder-v4.0.0.swagger.json",
    );
    let mut published = definitions(&tmf, "TMF652-ResourceOrder-v4.0.0.swagger.json");
    // The published build wants an href of a resource that is yet to be made; TM Forum's own
    // conformance kit does not give one.
    published["ResourceRefOrValue"]["required"] = json!(["id"]);
    for order in ORDERS {
        let resource_order = &chain(order)["ResourceOrder"];
        for definitions in [&repository, &published] {
            let found = faults(resource_order, definitions, "ResourceOrder");
            assert_eq!(found, Vec::<String>::new(), "{order}");
        }
    }
}

#[test]
fn product_orders_are_valid_against_tmf622() {
    let Some(tmf) = tmf() else { return };
    for file in [
        "TMF622-ProductOrder-v4.0.0.swagger.json",
        "open-api-and-data-model/TMF622-ProductOrdering-v4.0.0.swagger.json",
    ] {
        let definitions = definitions(&tmf, file);
        for order in ORDERS {
            let found = faults(&chain(order)["ProductOrder"], &definitions, "ProductOrder");
            assert_eq!(found, Vec::<String>::new(), "{file}, {order}");
        }
    }
}

#[test]
fn plans_are_process_flows_and_their_tasks_task_flows() {
    let Some(tmf) = tmf() else { return };
    let definitions = definitions(&tmf, "TMF701-ProcessFlow-v4.0.0.swagger.json");
    for order in ORDERS {
        let plan = &chain(order)["OrchestrationPlan"];
        assert_eq!(plan["@baseType"], "ProcessFlow");
        assert_eq!(
            faults(plan, &definitions, "ProcessFlow"),
            Vec::<String>::new(),
            "{order}"
        );
        for task in plan["taskFlow"].as_array().expect("a plan has tasks") {
            assert_eq!(
                faults(task, &definitions, "TaskFlow"),
                Vec::<String>::new(),
                "{task}"
            );
        }
    }
}

#[test]
fn the_example_catalog_is_valid_against_the_catalog_standards() {
    let Some(tmf) = tmf() else { return };
    let products = definitions(&tmf, "TMF620-ProductCatalog-v4.1.0.swagger.json");
    let resources = definitions(&tmf, "TMF634-ResourceCatalog-v4.1.0.swagger.json");
    for (file, definitions, name) in [
        ("offerings.json", &products, "ProductOffering"),
        (
            "product-specifications.json",
            &products,
            "ProductSpecification",
        ),
        (
            "resource-specifications.json",
            &resources,
            "ResourceSpecification",
        ),
    ] {
        let text = std::fs::read(example().join("../catalog/broadband").join(file))
            .expect("a catalog file");
        for value in serde_json::Deserializer::from_slice(&text).into_iter::<Value>() {
            let value = value.expect("catalog files are JSON");
            let documents = value.as_array().cloned().unwrap_or_else(|| vec![value]);
            for document in documents {
                assert_eq!(
                    faults(&document, definitions, name),
                    Vec::<String>::new(),
                    "{file}"
                );
            }
        }
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Runs `validate` on a file where no project file names a catalog.
fn validate_alone(path: &Path) -> Output {
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    Command::new(cargo_bin("orderctl"))
        .arg("validate")
        .arg(path)
        .env_clear()
        .current_dir(elsewhere.path())
        .timeout(TIME_LIMIT)
        .output()
        .expect("the binary runs")
}

/// Codes of the findings in what `validate` said.
fn codes(output: &Output) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = |line: &str| {
        let (_, rest) = line.split_once('[')?;
        let (code, _) = rest.split_once("]: ")?;
        (!line.starts_with(' ')).then(|| code.to_owned())
    };
    text.lines().filter_map(code).collect()
}

#[test]
fn every_sample_is_judged() {
    let Some(tmf) = tmf() else { return };
    for path in files(&tmf.join("samples")) {
        let output = validate_alone(&path);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let name = path.display();
        let is_json =
            std::fs::read(&path).is_ok_and(|bytes| serde_json::from_slice::<Value>(&bytes).is_ok());
        let expected: &[i32] = if is_json { &[0, 1] } else { &[2] };
        let code = output.status.code().expect("no signal");
        assert!(expected.contains(&code), "{name}: {code}: {stderr}");
        assert!(!stderr.contains("panicked"), "{name}: {stderr}");
    }
}

#[test]
fn the_same_samples_are_judged_against_a_catalog() {
    let Some(tmf) = tmf() else { return };
    for path in files(&tmf.join("samples")) {
        for command in ["validate", "decompose"] {
            let output = run(&[command, path.to_str().expect("names are UTF-8")], b"");
            let stderr = String::from_utf8_lossy(&output.stderr);
            let code = output.status.code().expect("no signal");
            assert!(
                [0, 1, 2].contains(&code),
                "{command} {}: {code}: {stderr}",
                path.display()
            );
            assert!(
                !stderr.contains("panicked"),
                "{command} {}: {stderr}",
                path.display()
            );
        }
    }
}

#[test]
fn official_orders_pass_with_their_deviations_as_warnings() {
    let Some(tmf) = tmf() else { return };
    let samples = tmf.join("samples");
    for (file, expected) in [
        (
            "TMF622_Product_Ordering/ProductOrder.example.json",
            &["order/date-order"][..],
        ),
        (
            "TMF641_Service_Ordering/ServiceOrder.example.json",
            &["order/empty-text"],
        ),
        (
            "TMF652_Resource_Order/ResourceOrder.example.json",
            &["order/missing-type"],
        ),
        (
            "onap/serviceOrder_create_in_completed.json",
            &["order/missing-type", "order/version-3-key"],
        ),
        (
            "onap/serviceOrder_create_in_rejected.json",
            &["order/missing-type", "order/version-3-key"],
        ),
    ] {
        let output = validate_alone(&samples.join(file));
        assert_eq!(output.status.code(), Some(0), "{file}");
        let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(codes(&output), expected, "{file}");
        let written: Value = serde_json::from_slice(&output.stdout).expect("one document");
        let text = std::fs::read(samples.join(file)).expect("a sample");
        let given: Value = serde_json::from_slice(&text).expect("a sample in JSON");
        assert_eq!(written, given, "{file}");
    }
}

#[test]
fn orders_of_onap_are_refused_only_where_an_order_or_a_service_is_there_twice() {
    let Some(tmf) = tmf() else { return };
    let output = validate_alone(&tmf.join("samples/onap/serviceOrder.json"));
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let errors: BTreeSet<&str> = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("error[")?.split(']').next())
        .collect();
    let twice = ["order/duplicate", "order/duplicate-entity"];
    assert_eq!(errors, BTreeSet::from(twice));
    let passed = String::from_utf8_lossy(&output.stdout).lines().count();
    assert_eq!(passed, 3);
}

#[test]
fn orders_of_version_5_are_accepted() {
    let Some(tmf) = tmf() else { return };
    let mut seen = 0;
    for folder in ["TMF622_v5", "TMF641_v5"] {
        for path in files(&tmf.join("samples").join(folder)) {
            let text = std::fs::read(&path).expect("a sample");
            let value: Value = serde_json::from_slice(&text).expect("a sample in JSON");
            let items = ["productOrderItem", "serviceOrderItem"];
            let is_order = |value: &Value| items.iter().any(|key| value.get(*key).is_some());
            let orders = value
                .as_array()
                .map_or_else(|| is_order(&value), |list| list.iter().all(is_order));
            if !orders {
                continue;
            }
            seen += 1;
            let output = validate_alone(&path);
            let stderr = String::from_utf8_lossy(&output.stderr);
            // A request to change an order holds items without what they do not change.
            let partial = path.to_string_lossy().contains("update")
                && path.to_string_lossy().contains("request");
            if !partial {
                assert_eq!(
                    output.status.code(),
                    Some(0),
                    "{}: {stderr}",
                    path.display()
                );
            }
        }
    }
    assert!(seen >= 15, "{seen} orders");
}

/// `(task, tasks that it waits for)`, by name.
type Dependencies = BTreeSet<(String, BTreeSet<String>)>;

fn dependencies(plan: &Value) -> Dependencies {
    let tasks = plan["taskFlow"].as_array().expect("a plan has tasks");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let names: BTreeMap<String, String> = tasks
        .iter()
        .map(|task| (text(&task["id"]), text(&task["name"])))
        .collect();
    let before = |task: &Value| {
        let list = task["taskFlowRelationship"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        list.iter()
            .map(|it| names[it["taskFlow"]["id"].as_str().expect("an id")].clone())
            .collect()
    };
    tasks
        .iter()
        .map(|task| (text(&task["name"]), before(task)))
        .collect()
}

fn expected(table: &[(&str, &[&str])]) -> Dependencies {
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    table
        .iter()
        .map(|(name, before)| (name.to_string(), set(before)))
        .collect()
}

fn names_of_items(order: &Value, items: &str, entity: &str) -> BTreeSet<String> {
    let items = order[items].as_array().expect("an order has items");
    let names = items
        .iter()
        .map(|item| item[entity]["name"].as_str().expect("a name").to_owned());
    let names: Vec<String> = names.collect();
    let set: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(set.len(), names.len(), "no item is made twice");
    set
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

const SERVICES: [&str; 3] = ["CPE-Mgmt", "Internet-Access", "WiFi-Mgmt"];

#[test]
fn broadband_over_fibre_has_seven_resources_in_the_order_of_the_scenario() {
    let chain = chain("order.json");
    let services = names_of_items(&chain["ServiceOrder"], "serviceOrderItem", "service");
    assert_eq!(services, set(&SERVICES));
    assert_eq!(
        dependencies(&chain["OrchestrationPlan"]),
        expected(&[
            ("GPON-Bearer", &[]),
            ("CPE-Provisioning", &[]),
            ("VLAN-Service", &["GPON-Bearer"]),
            ("IP-Profile", &["VLAN-Service"]),
            ("QoS-Profile", &["VLAN-Service"]),
            ("TR069-Config", &["CPE-Provisioning", "IP-Profile"]),
            ("Cloud-WiFi", &["TR069-Config"]),
        ])
    );
    let items = chain["ResourceOrder"]["orderItem"].as_array().map(Vec::len);
    assert_eq!(items, Some(7));
}

#[test]
fn a_static_address_is_one_resource_more_after_the_profile() {
    let chain = chain("order-static-ip.json");
    let services = names_of_items(&chain["ServiceOrder"], "serviceOrderItem", "service");
    assert_eq!(services, set(&SERVICES));
    let found = dependencies(&chain["OrchestrationPlan"]);
    assert_eq!(found.len(), 8);
    let address = ("Static-IP".to_owned(), set(&["IP-Profile"]));
    assert!(found.contains(&address), "{found:?}");
    assert_eq!(
        chain["ResourceOrder"]["orderItem"].as_array().map(Vec::len),
        Some(8)
    );
}

#[test]
fn broadband_over_cable_has_other_resources() {
    let (fibre, cable) = (chain("order.json"), chain("order-hfc.json"));
    let services = names_of_items(&cable["ServiceOrder"], "serviceOrderItem", "service");
    assert_eq!(services, set(&SERVICES));
    let names = |chain: &BTreeMap<String, Value>| -> BTreeSet<String> {
        dependencies(&chain["OrchestrationPlan"])
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    };
    let (fibre, cable) = (names(&fibre), names(&cable));
    assert!(!cable.contains("GPON-Bearer"), "{cable:?}");
    assert!(
        cable
            .iter()
            .any(|name| name.contains("CMTS") || name.contains("Cable")),
        "{cable:?}"
    );
    assert_ne!(fibre, cable);
}

#[test]
fn a_plan_states_its_tasks_in_an_order_in_which_they_can_be_done() {
    for order in ORDERS {
        let plan = &chain(order)["OrchestrationPlan"];
        let mut done = BTreeSet::new();
        for task in plan["taskFlow"].as_array().expect("a plan has tasks") {
            let before = task["taskFlowRelationship"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            for other in &before {
                assert!(
                    done.contains(&other["taskFlow"]["id"].to_string()),
                    "{order}: {task}"
                );
            }
            done.insert(task["id"].to_string());
        }
    }
}

#[test]
fn the_same_command_twice_gives_the_same_bytes() {
    for order in ORDERS {
        let once = done(&["decompose", order], b"");
        assert_eq!(once, done(&["decompose", order], b""));
        assert_eq!(
            once,
            done(
                &["decompose"],
                &done(&["decompose", "--to", "service", order], b"")
            )
        );
        assert_eq!(
            once,
            done(&["decompose"], &once),
            "what is decomposed stays as it is"
        );
        let planned = done(&["plan"], &once);
        assert_eq!(planned, done(&["plan"], &once));
        assert_eq!(
            planned,
            done(&["plan"], &planned),
            "what is planned stays as it is"
        );
    }
}
