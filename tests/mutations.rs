//! Catalogs and orders of the examples with values replaced, removed and doubled at random: whatever
//! comes of it is findings, never a panic, and a catalog without errors can be used.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use orderctl::catalog::{self, Catalog};
use orderctl::chain::Chain;
use orderctl::decompose::{self, Decomposer};
use orderctl::document::{Document, SourceFile};
use orderctl::inventory::{self, Inventory};
use orderctl::plan::Planning;
use orderctl::validate::Validation;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// The documents of each catalog of the examples.
fn catalogs() -> &'static Vec<Vec<Value>> {
    static CATALOGS: OnceLock<Vec<Vec<Value>>> = OnceLock::new();
    CATALOGS.get_or_init(|| {
        let mut folders: Vec<PathBuf> = std::fs::read_dir(examples().join("catalog"))
            .expect("a folder")
            .map(|entry| entry.expect("a folder").path())
            .collect();
        folders.sort();
        let documents = |folder: &PathBuf| {
            let files = catalog::read_folder(folder).expect("files");
            let read = files
                .iter()
                .flat_map(|file| file.documents().expect("documents"));
            read.map(|it| serde_json::from_str(it.text()).expect("JSON"))
                .collect()
        };
        folders.iter().map(documents).collect()
    })
}

/// The broadband order, and a catalog for it.
fn broadband() -> &'static (Value, Catalog) {
    static BROADBAND: OnceLock<(Value, Catalog)> = OnceLock::new();
    BROADBAND.get_or_init(|| {
        let order = std::fs::read_to_string(examples().join("broadband-b2c/order.json"));
        let files = catalog::read_folder(&examples().join("catalog/broadband"));
        let loaded = catalog::load(&files.expect("files")).expect("documents");
        let order = serde_json::from_str(&order.expect("an order")).expect("JSON");
        (order, loaded.catalog.expect("a catalog"))
    })
}

/// What is done to one value.
#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    Remove,
    Double,
}

fn changes() -> impl Strategy<Value = Vec<(Index, Change)>> {
    let odd = prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        Just(json!(-1)),
        Just(json!(1.5)),
        Just(json!(1e300)),
        Just(json!(u64::MAX)),
        Just(json!("")),
        Just(json!("\u{0}\u{202e}x")),
        Just(json!("1 +")),
        Just(json!("PT1S")),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[], {}, "x", null])),
        Just(json!({"id": "CFS-INTERNET-ACCESS"})),
        Just(json!([{"id": {"id": 1}}])),
    ];
    let change = prop_oneof![
        4 => odd.prop_map(Change::Replace),
        1 => Just(Change::Remove),
        1 => Just(Change::Double),
    ];
    vec((any::<Index>(), change), 1..4)
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// Changes the value at a position, counted from the outside in.
fn mutate(value: &mut Value, position: &mut usize, change: &Change) {
    if *position == 0 {
        *position = usize::MAX;
        match change {
            Change::Replace(odd) => *value = odd.clone(),
            Change::Remove => *value = Value::Null,
            Change::Double => *value = json!([value.clone(), value.clone()]),
        }
        return;
    }
    *position -= 1;
    let inside: Vec<&mut Value> = match value {
        Value::Array(elements) => elements.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => Vec::new(),
    };
    for value in inside {
        if *position == usize::MAX {
            return;
        }
        mutate(value, position, change);
    }
}

fn changed(value: &Value, changes: &[(Index, Change)]) -> Value {
    let mut value = value.clone();
    for (index, change) in changes {
        let mut position = index.index(count(&value));
        mutate(&mut value, &mut position, change);
    }
    value
}

/// The order through all stages, as far as it gets.
fn pipe(order: &Value, catalog: &Catalog, base: &Inventory) {
    let Ok(document) = Document::parse(order.to_string(), "order.json") else {
        return;
    };
    let validation = Validation {
        catalog: Some(catalog),
        inventory: None,
        ..Validation::default()
    };
    let Some(order) = validation.check(&document).order else {
        return;
    };
    let with = Decomposer {
        catalog,
        inventory: Some(base),
        explain: true,
    };
    let Ok(service) = decompose::service_order(&with, &order) else {
        return;
    };
    let Some(service) = service.document else {
        return;
    };
    // A catalog may hand down what its target refuses; `decompose` reports it then.
    let Some(valid) = validation.check(&service).order else {
        return;
    };
    let resource = decompose::resource_order(&with, &valid, Some(&order));
    let derived = resource.ok().and_then(|it| it.document);
    let mut chain = Chain::new(document.clone());
    chain.documents.push(service.clone());
    chain.documents.extend(derived);
    let planning = Planning {
        catalog: Some(catalog),
        default_endpoint: Some("all"),
        ..Planning::default()
    };
    drop(planning.plan(&chain));
    let mut after = base.clone();
    let made = inventory::after(&after, &chain);
    after.apply(made);
    drop(inventory::stale(&after, &chain));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_catalog_with_odd_values_is_findings_or_a_catalog(
        which in any::<Index>(),
        changes in changes(),
    ) {
        let catalogs = catalogs();
        let documents = Value::Array(catalogs[which.index(catalogs.len())].clone());
        let file = SourceFile {
            name: "catalog.json".to_owned(),
            bytes: changed(&documents, &changes).to_string().into_bytes(),
            yaml: false,
        };
        if let Ok(loaded) = catalog::load(&[file])
            && let Some(catalog) = loaded.catalog
        {
            pipe(&broadband().0, &catalog, &Inventory::default());
        }
    }

    #[test]
    fn an_order_with_odd_values_gets_as_far_as_it_can(changes in changes()) {
        let (order, catalog) = broadband();
        pipe(&changed(order, &changes), catalog, &Inventory::default());
    }
}
