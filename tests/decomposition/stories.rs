//! The stories of `examples`: what is made of their orders depends neither on
//! the sequence in which these name things, nor on whether it is made in one go.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use orderctl::catalog::{self, Catalog};
use orderctl::decompose::NotDecomposable;
use orderctl::document::Document;
use orderctl::plan::Planning;
use proptest::prelude::*;
use serde_json::Value;

use crate::world::{Decomposed, World, related};

const STORIES: [&str; 7] = [
    "broadband-b2c",
    "cloud-msp",
    "fixed-b2b",
    "mobile-4g",
    "mobile-5g",
    "satellite-maritime",
    "sdwan-b2b",
];

/// Vehicles that are left of the many of a fleet: sequence shows with few as well.
const FEW: usize = 12;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// The part of the catalog that a story needs.
fn folder_of_catalog(story: &str) -> PathBuf {
    let folder = if story == "broadband-b2c" {
        "broadband"
    } else {
        story
    };
    examples().join("catalog").join(folder)
}

fn catalog_of(story: &str) -> Catalog {
    let files = catalog::read_folder(&folder_of_catalog(story)).unwrap();
    catalog::load(&files).unwrap().catalog.unwrap()
}

/// The orders of a story by the names of their files, but for one that is meant to be refused.
fn orders(story: &str) -> BTreeMap<String, Value> {
    let files = fs::read_dir(examples().join(story)).unwrap();
    let paths = files.map(|it| it.unwrap().path());
    let orders = paths.filter(|it| it.extension().is_some_and(|end| end == "json"));
    let orders = orders.filter(|it| !it.ends_with("order-invalid.json"));
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let mut order = serde_json::from_str(&text).unwrap();
        lists(&mut order, &mut |list| {
            let more = list.len().saturating_sub(FEW);
            let first = list.len().min(FEW / 2);
            list.drain(first..first + more);
        });
        (name, order)
    };
    orders.map(read).collect()
}

/// Does something to every list of objects that an order gives as a value, and to its items; but for
/// the underlays of a site, whose sequence is that of the colours of its transport.
fn lists(order: &mut Value, arrange: &mut dyn FnMut(&mut Vec<Value>)) {
    let items = order["productOrderItem"].as_array_mut().unwrap();
    for item in items.iter_mut() {
        let given = item["product"]["productCharacteristic"].as_array_mut();
        for characteristic in given.into_iter().flatten() {
            inner_lists(&mut characteristic["value"], arrange);
        }
    }
    arrange(items);
}

fn inner_lists(value: &mut Value, arrange: &mut dyn FnMut(&mut Vec<Value>)) {
    match value {
        Value::Array(list) => {
            for element in list.iter_mut() {
                inner_lists(element, arrange);
            }
            if list.iter().all(Value::is_object) {
                arrange(list);
            }
        }
        Value::Object(members) => {
            let members = members.iter_mut().filter(|(name, _)| *name != "underlays");
            for (_, member) in members {
                inner_lists(member, arrange);
            }
        }
        _ => {}
    }
}

/// The world before an order of a story: nothing for the first one, else that carried out.
fn before(story: &str, file: &str) -> World {
    let mut world = World::new(catalog_of(story));
    let orders = orders(story);
    let adds = orders[file]["productOrderItem"]
        .as_array()
        .unwrap()
        .iter()
        .all(|item| item["action"] == "add");
    if !adds {
        world.carry_out(&orders["order.json"]);
    }
    world
}

/// Every item with its action, what it is made from, and what it waits for.
type Made = BTreeMap<String, (String, BTreeSet<String>, BTreeSet<String>)>;

fn made(decomposed: &Decomposed) -> [Made; 2] {
    let of = |items: Vec<Value>| {
        let set = |item: &Value, kind| related(item, kind).into_iter().collect();
        let items = items.iter().map(|item| {
            let text = |key: &str| item[key].as_str().unwrap().to_owned();
            let about = (
                text("action"),
                set(item, "realizes"),
                set(item, "dependency"),
            );
            (text("id"), about)
        });
        items.collect()
    };
    [of(decomposed.services()), of(decomposed.resources())]
}

/// Every task with what it waits for.
fn tasks(world: &World, decomposed: &Decomposed) -> BTreeMap<String, BTreeSet<String>> {
    let planning = Planning {
        catalog: Some(&world.catalog),
        ..Planning::default()
    };
    let plan = planning.plan(&decomposed.chain).unwrap().plan;
    let tasks = plan.task_flow.into_iter().map(|task| {
        let before = task.relationship.into_iter();
        (task.id, before.map(|it| it.task_flow.id).collect())
    });
    tasks.collect()
}

/// What two maps do not agree on.
fn differing<'m, V: PartialEq>(
    one: &'m BTreeMap<String, V>,
    other: &'m BTreeMap<String, V>,
) -> Vec<(&'m str, Option<&'m V>, Option<&'m V>)> {
    let ids: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let pairs = ids
        .into_iter()
        .map(|id| (id.as_str(), one.get(id), other.get(id)));
    pairs.filter(|(_, one, other)| one != other).collect()
}

/// Puts a list into one of its sequences.
fn shuffle(list: &mut [Value], seed: &mut u64) {
    for last in (1..list.len()).rev() {
        // Any step of a generator will do.
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(*seed >> 33).unwrap() % (last + 1);
        list.swap(last, other);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_sequence_of_items_and_elements_changes_neither_tasks_nor_dependencies(
        story in 0..STORIES.len(), order in any::<prop::sample::Index>(), seed in any::<u64>()
    ) {
        let story = STORIES[story];
        let orders = orders(story);
        let (file, order) = orders.iter().nth(order.index(orders.len())).unwrap();
        let world = before(story, file);
        let mut other = order.clone();
        let mut seed = seed;
        lists(&mut other, &mut |list| shuffle(list, &mut seed));
        let (one, other) = (world.decompose(order), world.decompose(&other));
        for (one, other) in made(&one).iter().zip(&made(&other)) {
            prop_assert_eq!(differing(one, other), [], "{} {}", story, file);
        }
        let (one, other) = (tasks(&world, &one), tasks(&world, &other));
        prop_assert_eq!(differing(&one, &other), [], "{} {}", story, file);
    }
}

#[test]
fn an_order_that_names_what_is_installed_by_its_id_alone_passes_the_same_gates_and_waves() {
    let mut gates = 0;
    for story in STORIES {
        for (file, order) in orders(story) {
            let world = before(story, &file);
            // Some change what was sold, too.
            let sold = &orders(story)["order.json"]["productOrderItem"][0]["productOffering"]["id"];
            let named = &order["productOrderItem"][0]["productOffering"]["id"];
            if world.installed().is_empty() || !named.is_null() && named != sold {
                continue;
            }
            let mut bare = order.clone();
            for item in bare["productOrderItem"].as_array_mut().unwrap() {
                item.as_object_mut().unwrap().remove("productOffering");
                let product = item["product"].as_object_mut().unwrap();
                product.remove("productSpecification");
            }
            let (one, other) = (world.decompose(&order), world.decompose(&bare));
            let (one, other) = (tasks(&world, &one), tasks(&world, &other));
            assert_eq!(differing(&one, &other), [], "{story} {file}");
            gates += one.keys().filter(|it| it.contains(".G-")).count();
        }
    }
    assert!(gates > 1, "{gates}");
}

#[test]
fn a_member_of_a_site_that_is_misspelt_is_not_left_out_in_silence() {
    let world = World::new(catalog_of("fixed-b2b"));
    let told = |misspelt: &str| {
        let mut order = orders("fixed-b2b")["order-tiers.json"].clone();
        lists(&mut order, &mut |list| {
            for site in list.iter_mut().filter(|it| it["id"] == "SYD-1") {
                let site = site.as_object_mut().unwrap();
                let tier = site.remove("slaTier").unwrap();
                site.insert(misspelt.to_owned(), tier);
            }
        });
        let refused = world.try_decompose(&order).err();
        let faults = refused.map_or(Vec::new(), |it| it.0);
        let faults = faults.into_iter();
        faults.map(|it| (it.code.0, it.message)).collect::<Vec<_>>()
    };
    for misspelt in ["slaTeir", "SlaTier", "sla_tier"] {
        let message = format!(
            "rule `R-ESA-ENTERPRISE-QOS`: element `SYD-1` has no `slaTier`: did you mean its `{misspelt}`?"
        );
        assert_eq!(told(misspelt), [("decompose/misspelt-member", message)]);
    }
    // It is there under no name, and what holds for all sites counts.
    assert_eq!(told("remark"), []);
}

#[test]
fn who_only_lets_go_of_what_others_use_is_removed_without_a_task() {
    let mut world = World::new(catalog_of("mobile-4g"));
    world.carry_out(&orders("mobile-4g")["order.json"]);
    let change = |id: &str, name: &str, value: Value| {
        let product = serde_json::json!({"id": "ORD-9244-0001.1", "productCharacteristic": [{"name": name, "value": value}]});
        serde_json::json!({"@type": "ProductOrder", "id": id, "productOrderItem": [{"id": "1", "action": "modify", "product": product}]})
    };
    let has = |world: &World, end: &str| world.installed().iter().any(|it| it.ends_with(end));
    // All that text messages stand on serves calls, too.
    let made = world.carry_out(&change("A", "sms", false.into()));
    let mut removed = made.services();
    removed.retain(|it| it["action"] != "noChange");
    assert_eq!(removed[0]["id"], "1.CFS-MPA-SMS");
    assert_eq!(removed.len(), 1);
    assert_eq!(tasks(&world, &made), BTreeMap::new());
    assert!(!has(&world, "CFS-MPA-SMS") && has(&world, "HLR-PROFILE"));
    world.carry_out(&change("B", "voice", false.into()));
    assert!(!has(&world, "HLR-PROFILE") && has(&world, "HSS-SUBSCRIBER"));
    world.carry_out(&change("C", "mobileData", false.into()));
    assert_eq!(world.installed(), ["ORD-9244-0001.1"]);
}

#[test]
fn a_service_that_stands_on_nothing_is_changed_and_removed_without_a_task() {
    let mut world = World::new(crate::world::catalog_of(
        r#"
- {"@type": ProductOffering, id: PO, name: Care, productSpecification: {id: PS}}
- "@type": ProductSpecification
  id: PS
  name: Care
  productSpecCharacteristic: [{name: care, valueType: string, minCardinality: 1}]
- {"@type": CustomerFacingServiceSpecification, id: CFS-CARE, name: Care, specCharacteristic: [{name: care, valueType: string}]}
- "@type": DecompositionRule
  formatVersion: "1.0"
  id: R-CARE
  source: {id: PS}
  target: {id: CFS-CARE}
  condition: source.care != "none"
"#,
    ));
    let product = |care: &str| serde_json::json!({"id": "P", "productCharacteristic": [{"name": "care", "value": care}]});
    world.carry_out(&crate::world::order("A", "add", "PO", &product("basic")));
    for (id, care, action) in [("B", "full", "modify"), ("C", "none", "delete")] {
        let made = world.carry_out(&crate::world::order(id, "modify", "PO", &product(care)));
        assert_eq!(made.services()[0]["action"], action);
        assert_eq!(tasks(&world, &made), BTreeMap::new());
    }
    assert_eq!(world.installed(), ["P"]);
}

/// Moves all sites of an order into one building.
fn under_one_roof(mut order: Value) -> Value {
    let roof =
        serde_json::json!({"id": "GA-1", "name": "1 High Street", "role": "installationAddress"});
    lists(&mut order, &mut |list| {
        let sites = list.iter_mut().filter(|it| it.get("place").is_some());
        sites.for_each(|site| site["place"] = roof.clone());
    });
    order
}

#[test]
fn sites_in_one_building_are_planned_as_those_in_buildings_of_their_own() {
    for story in ["fixed-b2b", "sdwan-b2b"] {
        let orders = orders(story);
        for (file, order) in &orders {
            let apart = before(story, file);
            let mut together = World::new(catalog_of(story));
            if !apart.installed().is_empty() {
                together.carry_out(&under_one_roof(orders["order.json"].clone()));
            }
            let order = [order.clone(), under_one_roof(order.clone())];
            let (one, other) = (apart.decompose(&order[0]), together.decompose(&order[1]));
            for (one, other) in made(&one).iter().zip(&made(&other)) {
                assert_eq!(differing(one, other), [], "{story} {file}");
            }
            let (one, other) = (tasks(&apart, &one), tasks(&together, &other));
            assert_eq!(differing(&one, &other), [], "{story} {file}");
            assert!(!one.is_empty(), "{story} {file}");
        }
    }
}

#[test]
fn a_value_that_one_of_many_sites_gives_amiss_is_told_with_the_site() {
    let mut order = orders("fixed-b2b")["order.json"].clone();
    let mut sites = 0;
    lists(&mut order, &mut |list| {
        for site in list.iter_mut().filter(|it| it.get("slaTier").is_some()) {
            sites += 1;
            if site["id"] == "BNE-1" {
                site["slaTier"] = "gold".into();
            }
        }
    });
    assert_eq!(sites, 5);
    let world = World::new(catalog_of("fixed-b2b"));
    let Err(NotDecomposable(faults)) = world.try_decompose(&order) else {
        panic!("it is decomposed");
    };
    let [fault] = &faults[..] else {
        panic!("{faults:#?}");
    };
    assert_eq!(
        fault.message,
        "rule `R-ESA-ENTERPRISE-QOS`, element `BNE-1`: `slaTier` cannot be \"gold\": \
         allowed: \"Gold\", \"Silver\", \"Bronze\""
    );
    assert_eq!(fault.hint.as_deref(), Some("did you mean `Gold`?"));
}

/// What orderctl writes with these arguments.
fn pass(args: &[&str], input: &[u8], (story, inventory): (&str, &Path)) -> Vec<u8> {
    let mut child = Command::new(cargo_bin("orderctl"))
        .args(args)
        .args(["--quiet", "--catalog"])
        .arg(folder_of_catalog(story))
        .arg("--inventory")
        .arg(inventory)
        .env("ORDERCTL_JOURNAL", inventory.with_extension("db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    output.stdout
}

#[test]
fn in_two_steps_comes_the_same_as_in_one_for_every_order_of_every_story() {
    let folder = tempfile::tempdir().unwrap();
    let mut actions = BTreeSet::new();
    let mut count = 0;
    for story in STORIES {
        for (file, order) in orders(story) {
            let world = before(story, &file);
            let inventory = folder.path().join(format!("{story}-{file}.ndjson"));
            let documents = world.inventory.documents().map(Document::text);
            let lines: Vec<String> = documents.map(|text| format!("{text}\n")).collect();
            fs::write(&inventory, lines.concat()).unwrap();
            let order = order.to_string();
            let at = (story, inventory.as_path());
            let once = pass(&["decompose"], order.as_bytes(), at);
            let first = pass(&["decompose", "--to", "service"], order.as_bytes(), at);
            let twice = pass(&["decompose"], &first, at);
            assert!(once == twice, "{story} {file}");
            assert!(
                first.len() < once.len(),
                "{story} {file}: there are resources"
            );
            for (action, text) in [
                ("add", "\"action\":\"add\""),
                ("modify", "\"action\":\"modify\""),
                ("delete", "\"action\":\"delete\""),
            ] {
                if order.contains(text) {
                    actions.insert((story, action));
                }
            }
            count += 1;
        }
    }
    assert!(count > 3 * STORIES.len(), "{count} orders");
    assert_eq!(actions.len(), 3 * STORIES.len(), "{actions:?}");
}
