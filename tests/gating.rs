//! Properties of gates and waves: of any number of sites, in any sequence.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use orderctl::catalog::{Catalog, load, read_folder};
use orderctl::chain::Chain;
use orderctl::decompose::{Decomposer, resource_order, service_order};
use orderctl::document::Document;
use orderctl::plan::Planning;
use orderctl::plan::flow::{OrchestrationPlan, TaskKind, Until};
use orderctl::validate::Validation;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

const WAVES: [&str; 3] = ["pilot", "first", "second"];

/// The catalog of a case: sites with a port and a router each, which are qualified one by one,
/// approved together, and carried out in waves.
fn catalog(spelling: Spelling) -> &'static Catalog {
    static CATALOGS: [OnceLock<Catalog>; 2] = [OnceLock::new(), OnceLock::new()];
    let placed = !matches!(spelling, Spelling::Nowhere);
    CATALOGS[usize::from(placed)].get_or_init(|| {
        let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/plan/gates-and-waves");
        let mut files = read_folder(&case.join("catalog.yaml")).expect("a catalog");
        if !placed {
            let text = String::from_utf8(files[0].bytes.clone()).expect("UTF-8");
            assert!(text.contains("place: site.place"));
            files[0].bytes = text.replace("place: site.place", "").into_bytes();
        }
        let loaded = load(&files).expect("YAML");
        loaded.catalog.expect("a catalog without errors")
    })
}

/// A site: its number, and its wave if it has one.
type Site = (usize, Option<usize>);
/// Product order items by number, and their sites.
type Items = Vec<(usize, Vec<Site>)>;

/// The ways to write a place.
#[derive(Debug, Clone, Copy)]
enum Spelling {
    Id,
    Href,
    Value,
    Wrapped,
    /// All sites are in one building.
    Shared,
    /// No rule says where they are.
    Nowhere,
}

/// A place, by the id of its site.
fn place(id: &str, spelling: Spelling) -> Value {
    let place = format!("P-{id}");
    match spelling {
        Spelling::Id | Spelling::Nowhere => json!({"id": place, "name": id, "role": "site"}),
        Spelling::Href => json!({"href": format!("/site/{place}"), "name": id, "role": "site"}),
        Spelling::Value => json!({"street": place, "name": id, "role": "site"}),
        Spelling::Shared => json!({"id": "P", "name": "House", "role": "site"}),
        Spelling::Wrapped => json!({"role": "site", "place": {"id": place, "name": id}}),
    }
}

/// A product order of items with sites.
fn order(items: &[(usize, Vec<Site>)], spelling: Spelling) -> String {
    let site = |item: usize, (number, wave): &Site| {
        let id = format!("{item}-{number}");
        let mut site = json!({"id": id, "place": place(&id, spelling)});
        site["wave"] = wave.map_or(Value::Null, |wave| WAVES[wave].into());
        site
    };
    let item = |(number, sites): &(usize, Vec<Site>)| {
        let sites: Vec<Value> = sites.iter().map(|it| site(*number, it)).collect();
        json!({
            "id": number.to_string(), "action": "add", "productOffering": {"id": "PO-LINE"},
            "product": {"productCharacteristic": [
                {"name": "price", "value": if number % 2 == 0 { 9000 } else { 10 }},
                {"name": "sites", "value": sites},
            ]},
        })
    };
    let items: Vec<Value> = items.iter().map(item).collect();
    json!({"@type": "ProductOrder", "id": "O", "orderDate": "2026-12-01T09:00:00Z", "productOrderItem": items})
        .to_string()
}

/// The whole pipe, in process.
fn plan(text: &str, catalog: &Catalog) -> OrchestrationPlan {
    let validation = Validation {
        catalog: Some(catalog),
        inventory: None,
        ..Validation::default()
    };
    let decomposer = Decomposer {
        catalog,
        inventory: None,
        explain: false,
    };
    let document = Document::parse(text.to_owned(), "order").expect("JSON");
    let product = validation.check(&document).order.expect("valid");
    let derived = service_order(&decomposer, &product).expect("services");
    let services = derived.document.expect("services");
    let service = validation.check(&services).order.expect("valid");
    let derived = resource_order(&decomposer, &service, Some(&product)).expect("resources");
    let resources = derived.document.expect("resources");
    let mut chain = Chain::new(document.clone());
    chain.documents.extend([services.clone(), resources]);
    let planning = Planning {
        catalog: Some(catalog),
        ..Planning::default()
    };
    planning.plan(&chain).expect("a plan").plan
}

/// What each task waits for, and how.
type Waits = BTreeMap<String, BTreeSet<(String, Option<String>, bool)>>;

fn waits(plan: &OrchestrationPlan) -> Waits {
    let tasks = plan.task_flow.iter();
    tasks
        .map(|task| {
            let waits = task.relationship.iter().map(|it| {
                (
                    it.task_flow.id.clone(),
                    it.lag.clone(),
                    it.until == Until::Ended,
                )
            });
            (task.id.clone(), waits.collect())
        })
        .collect()
}

/// Everything that a task waits for.
fn before(waits: &Waits, task: &str) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![task.to_owned()]);
    while let Some(here) = open.pop() {
        for (other, _, _) in &waits[&here] {
            if found.insert(other.clone()) {
                open.push(other.clone());
            }
        }
    }
    found
}

fn sites() -> impl Strategy<Value = (Items, Items)> {
    let wave = prop_oneof![1 => Just(None), 4 => (0_usize..3).prop_map(Some)];
    let written = vec(vec(wave, 1..6), 1..4).prop_map(|items| {
        let number = |sites: Vec<_>| sites.into_iter().enumerate().collect::<Vec<_>>();
        items.into_iter().map(number).enumerate().collect::<Items>()
    });
    written.prop_flat_map(|written| {
        let items = written
            .iter()
            .map(|(number, sites)| (Just(*number), Just(sites.clone()).prop_shuffle()))
            .collect::<Vec<_>>();
        (Just(written), items.prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn gates_come_first_and_waves_one_after_another((items, shuffled) in sites()) {
        let plan = plan(&order(&items, Spelling::Id), catalog(Spelling::Id));
        let waits = waits(&plan);
        let waves: BTreeMap<String, usize> = items
            .iter()
            .flat_map(|(item, sites)| sites.iter().map(move |(site, wave)| (item, site, wave)))
            .filter_map(|(item, site, wave)| Some((format!("{item}.CFS-ACCESS.{item}-{site}"), (*wave)?)))
            .collect();
        for (item, sites) in &items {
            for (site, wave) in sites {
                let service = format!("{item}.CFS-ACCESS.{item}-{site}");
                for task in ["RFS-PORT", "RFS-ROUTER"] {
                    let task = format!("{service}.{task}");
                    let before = before(&waits, &task);
                    let feasible = format!("{service}.feasible");
                    prop_assert!(before.contains(&feasible), "{task}");
                    let approval = format!("{item}.approved");
                    prop_assert_eq!(before.contains(&approval), item % 2 == 0, "{}", task);
                    for (other, earlier) in &waves {
                        let waited = before.contains(&format!("{other}.RFS-ROUTER"));
                        let itself = *other == service;
                        prop_assert!(itself || waited == wave.is_some_and(|wave| *earlier < wave), "{task} {other}");
                    }
                }
                // The milestone between them.
                let router = before(&waits, &format!("{service}.RFS-ROUTER"));
                let milestone = format!("{service}.connected");
                prop_assert!(router.contains(&milestone));
                let port = format!("{service}.RFS-PORT");
                prop_assert!(router.contains(&port));
            }
        }
        let present: BTreeSet<usize> = waves.values().copied().collect();
        let points = plan.task_flow.iter().filter(|task| task.id.starts_with("O.sites."));
        prop_assert_eq!(points.count(), present.len().saturating_sub(1));
        let edges: usize = waits.values().map(BTreeSet::len).sum();
        prop_assert!(edges <= 4 * waits.len(), "{edges} edges of {} tasks", waits.len());
        for task in &plan.task_flow {
            prop_assert_eq!(task.call().is_some(), task.kind == TaskKind::Activation);
            prop_assert!(task.why.is_some());
        }

        let other = self::plan(&order(&shuffled, Spelling::Id), catalog(Spelling::Id));
        prop_assert_eq!(&waits, &self::waits(&other));
        prop_assert_eq!(plan.schedule.expected_duration, other.schedule.expected_duration);
        prop_assert_eq!(plan.schedule.start, other.schedule.start);

        for spelling in [Spelling::Href, Spelling::Value, Spelling::Wrapped, Spelling::Shared, Spelling::Nowhere] {
            let other = self::plan(&order(&items, spelling), catalog(spelling));
            prop_assert_eq!(&waits, &self::waits(&other), "{:?}", spelling);
            let of_sites = other.task_flow.iter().filter(|it| it.id.contains(".CFS-ACCESS."));
            let called: Vec<(&str, &str)> = of_sites.map(|it| (&it.id[..2], it.name.as_str())).collect();
            let names: BTreeSet<&(&str, &str)> = called.iter().collect();
            prop_assert_eq!(names.len(), called.len(), "{:?}: {:?}", spelling, called);
        }
    }
}
