//! What stays as it is between what changes: it is there where something waits through it.

use std::collections::BTreeMap;

use orderctl::plan::Planning;
use serde_json::{Value, json};

use crate::world::{Decomposed, World, actions, catalog, characteristics, item, order, related};

fn network(id: &str, action: &str, (rate, sites): (u32, &[Value])) -> Value {
    let values = json!({"sites": sites, "rate": rate});
    let product = json!({"id": "N", "productCharacteristic": characteristics(&values)});
    order(id, action, "PO-NET", &product)
}

fn site(id: &str, technology: &str, template: &str) -> Value {
    json!({"id": id, "technology": technology, "template": template})
}

fn active(sites: &[Value]) -> World {
    let mut world = World::new(catalog("between.yaml"));
    world.carry_out(&network("A", "add", (10, sites)));
    world
}

/// What each task waits for, by item.
fn waits(made: &Decomposed) -> BTreeMap<String, Vec<String>> {
    let planning = Planning {
        default_endpoint: Some("system"),
        ..Planning::default()
    };
    let planned = planning.plan(&made.chain).expect("a plan");
    let tasks = planned.plan.task_flow.iter().map(|task| {
        let waits = task.relationship.iter().map(|it| it.task_flow.id.clone());
        (task.id.clone(), waits.collect())
    });
    tasks.collect()
}

#[test]
fn what_changes_waits_for_what_changes_through_services_that_stay() {
    let world = active(&[site("A", "radio", "old"), site("B", "radio", "old")]);
    let sites = [site("A", "fibre", "new"), site("B", "radio", "old")];
    let made = world.decompose(&network("B", "modify", (10, &sites)));
    assert!(actions(&made.services()).contains(&"noChange 1.CFS-QUALITY.A".to_owned()));
    let resources = made.resources();
    assert_eq!(
        actions(&resources),
        [
            "add 1.CFS-ACCESS.A.RFS-FIBRE",
            "delete 1.CFS-ACCESS.A.RFS-RADIO",
            "modify 1.CFS-ROUTER.A.RFS-CONFIG",
            "noChange 1.CFS-QUALITY.A.RFS-POLICY",
            "noChange 1.RFS-FIREWALL",
        ],
        "nothing of the other site"
    );
    let firewall = item(&resources, "1.RFS-FIREWALL");
    assert_eq!(
        related(firewall, "dependency"),
        ["1.CFS-QUALITY.A.RFS-POLICY"]
    );
    let services = ["1.CFS-QUALITY.A", "1.CFS-QUALITY.B"];
    assert_eq!(related(firewall, "realizes"), services);
    let (fibre, radio, config) = (
        "1.CFS-ACCESS.A.RFS-FIBRE",
        "1.CFS-ACCESS.A.RFS-RADIO",
        "1.CFS-ROUTER.A.RFS-CONFIG",
    );
    let waits = waits(&made);
    assert_eq!(waits.len(), 3, "what stays is no task");
    assert_eq!(waits[fibre], [""; 0]);
    assert_eq!(waits[config], [fibre]);
    assert_eq!(waits[radio], [fibre, config]);
    assert_eq!(
        made.told()
            .iter()
            .filter(|it| it.contains("Policy"))
            .count(),
        0,
        "nothing is decided about what stays"
    );
}

#[test]
fn what_stands_on_the_old_and_the_new_moves_before_the_old_goes() {
    let world = active(&[site("A", "radio", "old"), site("B", "radio", "old")]);
    let sites = [site("A", "fibre", "old"), site("B", "radio", "old")];
    let made = world.decompose(&network("B", "modify", (10, &sites)));
    let resources = made.resources();
    assert_eq!(
        actions(&resources),
        [
            "add 1.CFS-ACCESS.A.RFS-FIBRE",
            "delete 1.CFS-ACCESS.A.RFS-RADIO",
            "noChange 1.CFS-QUALITY.A.RFS-POLICY",
        ],
        "nothing waits for the rest"
    );
    let waits = waits(&made);
    assert_eq!(
        waits["1.CFS-ACCESS.A.RFS-RADIO"],
        ["1.CFS-ACCESS.A.RFS-FIBRE"]
    );
}

#[test]
fn what_nothing_waits_through_is_left_out() {
    let world = active(&[site("A", "radio", "old"), site("B", "radio", "old")]);
    let sites = [site("A", "radio", "new"), site("B", "radio", "old")];
    let router = world.decompose(&network("B", "modify", (10, &sites)));
    assert_eq!(
        actions(&router.resources()),
        ["modify 1.CFS-ROUTER.A.RFS-CONFIG"]
    );
    let sites = [site("A", "fibre", "old"), site("B", "fibre", "old")];
    let cease = active(&sites).decompose(&order("C", "delete", "PO-NET", &json!({"id": "N"})));
    let removed = actions(&cease.resources());
    assert!(removed.iter().all(|it| it.starts_with("delete ")));
}

#[test]
fn what_others_still_use_is_between_what_goes() {
    let sites = [site("A", "fibre", "old"), site("B", "fibre", "old")];
    let made = active(&sites).decompose(&network("B", "modify", (10, &sites[..1])));
    let (fibre, policy, config) = (
        "1.CFS-ACCESS.B.RFS-FIBRE",
        "1.CFS-QUALITY.B.RFS-POLICY",
        "1.CFS-ROUTER.B.RFS-CONFIG",
    );
    let mut items = actions(&made.resources());
    items.sort();
    assert_eq!(
        items,
        [
            format!("delete {fibre}"),
            format!("delete {policy}"),
            format!("delete {config}"),
            "noChange 1.RFS-FIREWALL".to_owned(),
        ]
    );
    let waits = waits(&made);
    assert_eq!(waits[config], [""; 0]);
    assert_eq!(waits[policy], [config]);
    assert_eq!(waits[fibre], [policy]);
}

#[test]
fn an_order_grows_with_what_lies_between_and_not_with_its_square() {
    let sites = |technology: &str, template: &str| -> Vec<Value> {
        let ids = (0..60).map(|it| format!("S{it}"));
        ids.map(|id| site(&id, technology, template)).collect()
    };
    let world = active(&sites("radio", "old"));
    let made = world.decompose(&network("B", "modify", (10, &sites("fibre", "new"))));
    let resources = made.resources();
    assert_eq!(resources.len(), 60 * 4 + 1);
    let dependencies = resources.iter().map(|it| related(it, "dependency").len());
    assert_eq!(dependencies.sum::<usize>(), 60 * 4);
    let waits = waits(&made);
    let edges: usize = waits.values().map(Vec::len).sum();
    assert!(edges < 60 * 12, "{edges}");
}
