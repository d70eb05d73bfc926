//! What stays as it is between what changes: it is there where something waits through it.

use std::collections::BTreeMap;

use orderctl::catalog::Catalog;
use orderctl::plan::Planning;
use orderctl::plan::flow::OrchestrationPlan;
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

fn plan_of(made: &Decomposed, catalog: Option<&Catalog>) -> OrchestrationPlan {
    let planning = Planning {
        default_endpoint: Some("system"),
        catalog,
        ..Planning::default()
    };
    planning.plan(&made.chain).expect("a plan").plan
}

/// What each task waits for, by item.
fn waits(made: &Decomposed) -> BTreeMap<String, Vec<String>> {
    waits_of(&plan_of(made, None))
}

fn waits_of(plan: &OrchestrationPlan) -> BTreeMap<String, Vec<String>> {
    let tasks = plan.task_flow.iter().map(|task| {
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

#[test]
fn what_many_share_waits_once_for_each_and_so_does_what_stays() {
    // As many policies as there are who share the firewall behind them: 3,200 times 3,200 are too many.
    let mut sites: Vec<Value> = (0..3200)
        .map(|it| site(&format!("S{it}"), "radio", "old"))
        .collect();
    let world = active(&sites);
    sites[7] = site("S7", "fibre", "new");
    let made = world.decompose(&network("B", "modify", (10, &sites)));
    assert_eq!(made.resources().len(), 5);
    assert_eq!(waits(&made).len(), 3);
}

/// Sites in the north, the last one in a wave of another time.
fn northern(technology: &str, template: &str) -> Vec<Value> {
    let waves = [("A", "first"), ("B", "second"), ("C", "zeroth")];
    let sites = waves.map(|(id, wave)| {
        let mut site = site(id, technology, template);
        site["region"] = "north".into();
        site["wave"] = wave.into();
        site
    });
    sites.into()
}

#[test]
fn an_item_that_changes_or_removes_a_service_holds_it_as_it_is_installed() {
    let world = active(&northern("radio", "old"));
    let made = world.decompose(&network(
        "B",
        "modify",
        (10, &northern("fibre", "old")[..2]),
    ));
    let services = made.services();
    let id = "N.CFS-ACCESS.A";
    assert_eq!(
        item(&services, "1.CFS-ACCESS.A")["installedService"],
        json!({
            "@type": "Service", "id": id, "name": "Access (A)", "place": [{"id": "A"}],
            "serviceCharacteristic": [
                {"name": "technology", "valueType": "string", "value": "radio"},
                {"name": "region", "valueType": "string", "value": "north"},
                {"name": "wave", "valueType": "string", "value": "first"},
            ]
        })
    );
    let removed = &item(&services, "1.CFS-ROUTER.C")["installedService"];
    assert_eq!(removed["place"], json!([{"id": "C"}]));
    let stays = item(&services, "1.CFS-ROUTER.A");
    assert_eq!(stays.get("installedService"), None);
}

#[test]
fn gates_ask_about_what_stays_with_what_changes_and_hold_what_changes_at_their_place() {
    let world = active(&northern("radio", "old"));
    let made = world.decompose(&network("B", "modify", (10, &northern("fibre", "new"))));
    let plan = plan_of(&made, Some(&world.catalog));
    let gate = plan
        .task_flow
        .iter()
        .find(|it| it.id == "1.CFS-ACCESS.A.G-FEASIBLE");
    let body = gate.unwrap().request.as_ref().unwrap().body.as_ref();
    let body: Value = serde_json::to_value(body.unwrap()).unwrap();
    let service = &body["serviceQualificationItem"][0]["service"];
    assert_eq!(service["place"][0]["id"], "A");
    assert_eq!(
        service["serviceCharacteristic"],
        json!([
            {"name": "technology", "value": "fibre"},
            {"name": "region", "value": "north"},
            {"name": "wave", "value": "first"},
        ])
    );
    // A router is of another service, and its item says nothing of where it is.
    let waits = waits_of(&plan);
    for site in ["A", "B", "C"] {
        let router = &waits[&format!("1.CFS-ROUTER.{site}.RFS-CONFIG")];
        let visits: Vec<&String> = router.iter().filter(|it| it.ends_with("VISIT")).collect();
        assert_eq!(visits, [&format!("1.CFS-ACCESS.{site}.G-VISIT")]);
    }
}

#[test]
fn changes_go_in_the_waves_that_what_they_change_is_in() {
    let world = active(&northern("radio", "old"));
    let made = world.decompose(&network("B", "modify", (10, &northern("fibre", "old"))));
    let plan = plan_of(&made, Some(&world.catalog));
    let waits = waits_of(&plan);
    let fibre = |site: &str| format!("1.CFS-ACCESS.{site}.RFS-FIBRE");
    let point = "B.W-NET.first".to_owned();
    assert_eq!(waits[&point], [fibre("A")]);
    assert!(waits[&fibre("B")].contains(&point));
    assert!(
        !waits[&fibre("C")].contains(&point),
        "there is no such wave any more"
    );
    // What is given counts for more than what is there.
    let mut sites = northern("fibre", "old");
    sites[2]["wave"] = "second".into();
    let made = world.decompose(&network("B", "modify", (10, &sites)));
    let waits = waits_of(&plan_of(&made, Some(&world.catalog)));
    assert!(waits[&fibre("C")].contains(&point));
}
