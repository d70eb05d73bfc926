//! `SuperFibre` 200 Home: seven resources, two of which start together.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::plan::{Plan, Sequence};
use super::story::Story;

const PRODUCT: &str = "ORD-4821-0001.1";

fn resource(name: &str) -> String {
    let service = match name {
        "CPE-PROVISIONING" | "CABLE-MODEM" | "TR069-CONFIG" => "CPE-MGMT",
        "CLOUD-WIFI" => "WIFI-MGMT",
        _ => "INTERNET-ACCESS",
    };
    format!("1.CFS-{service}.RFS-{name}")
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| resource(name)).collect()
}

fn made(plan: &Plan) -> BTreeSet<String> {
    plan.resources().into_keys().map(str::to_owned).collect()
}

fn assert_story(sequence: &impl Sequence) {
    for (first, later) in [
        ("GPON-BEARER", "VLAN-SERVICE"),
        ("VLAN-SERVICE", "IP-PROFILE"),
        ("VLAN-SERVICE", "QOS-PROFILE"),
        ("CPE-PROVISIONING", "TR069-CONFIG"),
        ("IP-PROFILE", "TR069-CONFIG"),
        ("TR069-CONFIG", "CLOUD-WIFI"),
    ] {
        sequence.assert_sequence(&resource(first), &resource(later));
    }
}

#[test]
fn three_services_are_seven_resources_in_their_sequence() {
    let story = Story::open("broadband-b2c");
    let plan = story.carry_out("order.json");
    assert_eq!(plan.services().len(), 3);
    let seven = [
        "GPON-BEARER",
        "VLAN-SERVICE",
        "IP-PROFILE",
        "QOS-PROFILE",
        "CPE-PROVISIONING",
        "TR069-CONFIG",
        "CLOUD-WIFI",
    ];
    assert_eq!(made(&plan), set(&seven));
    assert_story(&plan);
    plan.assert_parallel(&resource("IP-PROFILE"), &resource("QOS-PROFILE"));
    plan.assert_parallel(&resource("GPON-BEARER"), &resource("CPE-PROVISIONING"));
    let run = story.journal(&plan);
    assert_eq!(run.completed(), plan.ids());
    assert_story(&run);
}

#[test]
fn technology_and_options_decide_the_resources() {
    let story = Story::open("broadband-b2c");
    let cable = story.carry_out("order-hfc.json");
    let seven = [
        "CMTS-CHANNEL",
        "VLAN-SERVICE",
        "IP-PROFILE",
        "QOS-PROFILE",
        "CABLE-MODEM",
        "TR069-CONFIG",
        "CLOUD-WIFI",
    ];
    assert_eq!(made(&cable), set(&seven));
    let address = story.carry_out("order-static-ip.json");
    assert_eq!(address.resources().len(), 8);
    address.assert_sequence(&resource("IP-PROFILE"), &resource("STATIC-IP"));
}

#[test]
fn more_speed_is_one_task_and_the_installed_base_says_so_afterwards() {
    let story = Story::open("broadband-b2c");
    story.carry_out("order.json");
    assert_eq!(story.value(PRODUCT, "downloadSpeed"), 200);
    let plan = story.carry_out("order-modify.json");
    let profile = resource("QOS-PROFILE");
    assert_eq!(plan.ids(), BTreeSet::from([&*profile]));
    assert_eq!(
        Value::from(plan.changed(&profile)),
        json!({"profileName": "RES-500M", "downstreamRate": 500_000, "upstreamRate": 125_000})
    );
    assert_eq!(story.value(PRODUCT, "downloadSpeed"), 500);
    let service = format!("{PRODUCT}.CFS-INTERNET-ACCESS");
    assert_eq!(story.value(&service, "downloadSpeed"), 500);
    let profile = format!("{service}.RFS-QOS-PROFILE");
    assert_eq!(story.value(&profile, "downstreamRate"), 500_000);
    assert_eq!(story.value(&profile, "trafficClass"), "best-effort");
}

#[test]
fn cease_runs_backwards_and_leaves_no_trace() {
    let story = Story::open("broadband-b2c");
    story.carry_out("order.json");
    let plan = story.carry_out("order-cease.json");
    assert_eq!(plan.tasks().len(), 7);
    let run = story.journal(&plan);
    for (first, later) in [
        ("CLOUD-WIFI", "TR069-CONFIG"),
        ("TR069-CONFIG", "IP-PROFILE"),
        ("TR069-CONFIG", "CPE-PROVISIONING"),
        ("QOS-PROFILE", "VLAN-SERVICE"),
        ("IP-PROFILE", "VLAN-SERVICE"),
        ("VLAN-SERVICE", "GPON-BEARER"),
    ] {
        plan.assert_sequence(&resource(first), &resource(later));
        run.assert_sequence(&resource(first), &resource(later));
    }
    assert_eq!(story.inventory(), "");
}
