//! Properties of decomposition and planning: what is asked for decides, not
//! how it happens to be written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use orderctl::catalog::{Catalog, load, read_folder};
use orderctl::chain::Chain;
use orderctl::decompose::{Decomposer, resource_order, service_order};
use orderctl::document::Document;
use orderctl::plan::Planning;
use orderctl::plan::flow::OrchestrationPlan;
use orderctl::validate::Validation;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/broadband-b2c");

fn decomposer() -> Decomposer<'static> {
    Decomposer {
        catalog: catalog(),
        inventory: None,
        explain: false,
    }
}

fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let files = read_folder(format!("{EXAMPLE}/../catalog/broadband").as_ref())
            .expect("the example's catalog");
        load(&files)
            .expect("JSON and YAML")
            .catalog
            .expect("a catalog without errors")
    })
}

/// A line as the example sells it.
#[derive(Debug, Clone)]
struct Line {
    technology: &'static str,
    wifi: bool,
    static_ip: bool,
    /// Earlier lines that it relies on.
    before: BTreeSet<usize>,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = (
        select(vec!["GPON", "HFC"]),
        any::<bool>(),
        any::<bool>(),
        vec(0_usize..8, 0..3),
    );
    vec(line, 1..6).prop_map(|lines| {
        let line = |(position, line): (usize, (&'static str, bool, bool, Vec<usize>))| {
            let (technology, wifi, static_ip, before) = line;
            let before = before
                .into_iter()
                .filter(|other| *other < position)
                .collect();
            Line {
                technology,
                wifi,
                static_ip,
                before,
            }
        };
        lines.into_iter().enumerate().map(line).collect()
    })
}

fn item(position: usize, line: &Line) -> Value {
    let area = if line.technology == "GPON" {
        "OLT-EAST-07"
    } else {
        "CMTS-EAST-07"
    };
    let relationship =
        |other: &usize| json!({"id": format!("i{other}"), "relationshipType": "reliesOn"});
    json!({
        "id": format!("i{position}"),
        "action": "add",
        "productOffering": {"id": "PO-SF200H"},
        "productOrderItemRelationship": line.before.iter().map(relationship).collect::<Vec<_>>(),
        "product": {
            "productSpecification": {"id": "PS-RBA-01"},
            "productCharacteristic": [
                {"name": "accessTechnology", "value": line.technology},
                {"name": "servingArea", "value": area},
                {"name": "downloadSpeed", "value": 200},
                {"name": "uploadSpeed", "value": 50},
                {"name": "wifiApp", "value": line.wifi},
                {"name": "staticIp", "value": line.static_ip},
            ],
        },
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it becomes part of the order"
)]
fn order(items: Vec<Value>, unknown: &Map<String, Value>) -> String {
    let mut order = json!({
        "@type": "ProductOrder",
        "id": "ORD-1",
        "orderDate": "2026-11-23T09:00:00Z",
        "productOrderItem": items,
    });
    for (key, value) in unknown {
        order[format!("x-{key}")] = value.clone();
    }
    order.to_string()
}

/// The whole pipe, in process.
fn plan(text: &str) -> (Chain, OrchestrationPlan) {
    let validation = Validation {
        catalog: Some(catalog()),
        inventory: None,
        ..Validation::default()
    };
    let document = Document::parse(text.to_owned(), "order").expect("an order in JSON");
    let checked = validation.check(&document);
    let product = checked
        .order
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let services = service_order(&decomposer(), &product).expect("decomposable");
    let services = services.document.expect("lines need services");
    let checked = validation.check(&services);
    let service = checked
        .order
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let resources = resource_order(&decomposer(), &service, Some(&product)).expect("decomposable");
    let resources = resources.document.expect("services need resources");
    let mut chain = Chain::new(document.clone());
    chain.documents.extend([services.clone(), resources]);
    let planning = Planning {
        catalog: Some(catalog()),
        ..Planning::default()
    };
    let planned = planning
        .plan(&chain)
        .unwrap_or_else(|fault| panic!("{fault:?}"));
    (chain, planned.plan)
}

/// What every task waits for, and what it sends.
fn work(plan: &OrchestrationPlan) -> BTreeMap<String, (BTreeSet<String>, String)> {
    let before = |task: &orderctl::plan::flow::TaskFlow| {
        task.relationship
            .iter()
            .map(|it| it.task_flow.id.clone())
            .collect()
    };
    let tasks = plan.task_flow.iter();
    tasks
        .map(|task| {
            (
                task.id.clone(),
                (
                    before(task),
                    task.idempotency_key
                        .clone()
                        .expect("an activation has a key"),
                ),
            )
        })
        .collect()
}

/// Everything that every task waits for, directly or through others.
fn closure(
    work: BTreeMap<String, (BTreeSet<String>, String)>,
) -> BTreeMap<String, BTreeSet<String>> {
    let direct: BTreeMap<String, BTreeSet<String>> = work
        .into_iter()
        .map(|(id, (waits, _))| (id, waits))
        .collect();
    let all = |id: &String| {
        let mut found = BTreeSet::new();
        let mut open: Vec<&String> = direct[id].iter().collect();
        while let Some(other) = open.pop() {
            if found.insert(other.clone()) {
                open.extend(&direct[other]);
            }
        }
        found
    };
    direct.keys().map(|id| (id.clone(), all(id))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_sequence_of_items_changes_neither_tasks_nor_dependencies(
        (lines, shuffled) in lines().prop_flat_map(|lines| {
            let positions: Vec<usize> = (0..lines.len()).collect();
            (Just(lines), Just(positions).prop_shuffle())
        }),
    ) {
        let none = Map::new();
        let items = |positions: &[usize]| positions.iter().map(|it| item(*it, &lines[*it])).collect();
        let written: Vec<usize> = (0..lines.len()).collect();
        let (_, first) = plan(&order(items(&written), &none));
        let (_, second) = plan(&order(items(&shuffled), &none));
        prop_assert_eq!(work(&first), work(&second));
        prop_assert_eq!(first.schedule.expected_duration, second.schedule.expected_duration);
        prop_assert_eq!(first.schedule.waves, second.schedule.waves);
    }

    #[test]
    fn a_plan_has_the_tasks_that_its_lines_need(lines in lines()) {
        let items: Vec<Value> = lines.iter().enumerate().map(|(at, line)| item(at, line)).collect();
        let (_, plan) = plan(&order(items, &Map::new()));
        let made = |line: usize| {
            let prefix = format!("i{line}.");
            plan.task_flow.iter().filter(|task| task.id.starts_with(&prefix)).count()
        };
        for (position, line) in lines.iter().enumerate() {
            let usual = lines.iter().position(|other| {
                other.technology == line.technology && other.wifi == line.wifi && !other.static_ip
            });
            if let Some(usual) = usual {
                prop_assert_eq!(made(position), made(usual) + usize::from(line.static_ip));
            }
        }
        // Lines that rely on others wait for all of them.
        let work = closure(work(&plan));
        for (position, line) in lines.iter().enumerate() {
            for before in &line.before {
                let needed = work.keys().filter(|id| id.starts_with(&format!("i{before}.")));
                let needed: Vec<&String> = needed.collect();
                for (id, waits) in &work {
                    if id.starts_with(&format!("i{position}.")) {
                        prop_assert!(needed.iter().all(|other| waits.contains(*other)), "{id}: {waits:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_order_gives_the_same_bytes_and_keeps_what_is_unknown(
        lines in lines(),
        unknown in vec(("[a-z]{1,4}", prop_oneof![
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
            vec(any::<bool>(), 0..3).prop_map(Value::from),
        ]), 0..4),
    ) {
        let unknown: Map<String, Value> = unknown.into_iter().collect();
        let items = || lines.iter().enumerate().map(|(at, line)| item(at, line)).collect();
        let text = order(items(), &unknown);
        let (chain, plan_of_one) = plan(&text);
        let (again, plan_of_other) = plan(&text);
        prop_assert_eq!(chain.documents[0].text(), text);
        for (one, other) in chain.documents.iter().zip(&again.documents) {
            prop_assert_eq!(one.text(), other.text());
        }
        let json = |plan: &OrchestrationPlan| serde_json::to_string(plan).expect("a plan is JSON");
        prop_assert_eq!(json(&plan_of_one), json(&plan_of_other));
        let mut earlier = BTreeSet::new();
        for task in &plan_of_one.task_flow {
            prop_assert!(task.relationship.iter().all(|it| earlier.contains(&it.task_flow.id)));
            earlier.insert(task.id.clone());
        }
    }
}
