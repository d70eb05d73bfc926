//! Managed SD-WAN Gold: a hub, its spokes, and nothing of a spoke before the hub.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::plan::{Sequence, fits};
use super::story::{Story, with_sites};

const PRODUCT: &str = "ORD-ENT-2208-0001.1";
const HUB: &str = "SYD-HQ";
const BRANCHES: [&str; 7] = [
    "CLN-ADL", "CLN-BNE", "CLN-CBR", "CLN-MEL", "CLN-NTL", "CLN-PAR", "CLN-WOL",
];

fn circuit(site: &str, kind: &str, resource: &str) -> String {
    format!("1.CFS-SDWAN-UNDERLAY-CIRCUIT.{site}.{kind}.RFS-SDWAN-{resource}")
}

fn overlay(site: &str, resource: &str) -> String {
    format!("1.CFS-SDWAN-OVERLAY.{site}.RFS-SDWAN-{resource}")
}

fn router(site: &str) -> String {
    format!("1.CFS-SDWAN-MANAGED-CPE.{site}.RFS-SDWAN-ZTP")
}

/// The resources of a branch.
fn branch(site: &str) -> BTreeSet<String> {
    BTreeSet::from([
        circuit(site, "DIA", "DIA-SERVICE"),
        circuit(site, "DIA", "IPAM-BLOCK"),
        router(site),
        overlay(site, "DEVICE-TEMPLATE"),
        overlay(site, "OVERLAY-ATTACH"),
        overlay(site, "OVERLAY-POLICY"),
        overlay(site, "SLA-PROBE"),
    ])
}

/// The resources of the hub.
fn hub() -> BTreeSet<String> {
    let mut resources = branch(HUB);
    resources.insert(circuit(HUB, "MPLS", "MPLS-PE"));
    resources
}

/// Circuits, router, template, attachment, policy, probe of a site.
fn assert_site(sequence: &impl Sequence, site: &str) {
    let circuits = format!("1.CFS-SDWAN-UNDERLAY-CIRCUIT.{site}.*");
    sequence.assert_sequence(&circuits, &router(site));
    sequence.assert_sequence(&router(site), &overlay(site, "DEVICE-TEMPLATE"));
    for (first, later) in [
        ("DEVICE-TEMPLATE", "OVERLAY-ATTACH"),
        ("OVERLAY-ATTACH", "OVERLAY-POLICY"),
        ("OVERLAY-POLICY", "SLA-PROBE"),
    ] {
        sequence.assert_sequence(&overlay(site, first), &overlay(site, later));
    }
}

fn assert_story(sequence: &impl Sequence) {
    assert_site(sequence, HUB);
    for site in BRANCHES {
        assert_site(sequence, site);
        let all = format!("1.CFS-*.{site}.*RFS-*");
        sequence.assert_sequence(&format!("1.CFS-SDWAN-OVERLAY.{HUB}.*"), &all);
    }
}

#[test]
fn a_hub_takes_eight_resources_and_a_branch_seven() {
    let story = Story::open("sdwan-b2b");
    let plan = story.plan(&story.order("order.json"));
    let mut wanted = hub();
    assert_eq!(wanted.len(), 8);
    for site in BRANCHES {
        assert_eq!(branch(site).len(), 7);
        wanted.extend(branch(site));
    }
    assert_eq!(wanted.len(), 57);
    assert_eq!(
        plan.resources().into_keys().collect::<BTreeSet<_>>(),
        wanted.iter().map(String::as_str).collect()
    );
    assert_eq!(plan.ids(), wanted.iter().map(String::as_str).collect());
    // Nine circuits, and a router and a part of the overlay for each of eight sites.
    let services = plan.services();
    let of = |pattern: &str| services.keys().filter(|id| fits(pattern, id)).count();
    assert_eq!(of("1.CFS-SDWAN-UNDERLAY-CIRCUIT.*"), 9);
    assert_eq!(of("1.CFS-SDWAN-MANAGED-CPE.*"), 8);
    assert_eq!(of("1.CFS-SDWAN-OVERLAY.*"), 8);
    assert_eq!(services.len(), 25);
    let sent = |site, resource, name: &str| plan.sent(&overlay(site, resource))[name].clone();
    assert_eq!(
        sent(HUB, "DEVICE-TEMPLATE", "transportColors"),
        json!(["mpls", "biz-internet"])
    );
    assert_eq!(
        sent("CLN-MEL", "DEVICE-TEMPLATE", "transportColors"),
        json!(["biz-internet"])
    );
    assert_eq!(sent(HUB, "OVERLAY-ATTACH", "attachAs"), "hub");
    assert_eq!(sent("CLN-MEL", "OVERLAY-POLICY", "internetExit"), "hub");
    assert_eq!(plan.sent(&router(HUB))["cpeModel"], "Cisco vEdge 2000");
    assert_eq!(
        plan.sent(&circuit(HUB, "DIA", "DIA-SERVICE"))["bandwidth"],
        200
    );
    assert_eq!(
        plan.sent(&circuit(HUB, "MPLS", "MPLS-PE"))["bandwidth"],
        100
    );
}

#[test]
fn nothing_of_a_branch_comes_before_the_overlay_of_the_hub() {
    let story = Story::open("sdwan-b2b");
    let plan = story.plan(&story.order("order.json"));
    assert_story(&plan);
    plan.assert_parallel("1.CFS-*.CLN-MEL.*", "1.CFS-*.CLN-BNE.*");
    plan.assert_parallel(
        &circuit(HUB, "MPLS", "MPLS-PE"),
        &circuit(HUB, "DIA", "DIA-SERVICE"),
    );
    story.activate(&plan, 0);
    let run = story.journal(&plan);
    assert_eq!(run.completed(), plan.ids());
    assert_story(&run);
}

#[test]
fn the_hub_is_found_by_its_role() {
    let story = Story::open("sdwan-b2b");
    let swapped = with_sites(&story.order("order.json"), |sites| {
        // Headquarters becomes a spoke, and the clinic in Melbourne the hub, names and all else unchanged.
        for site in sites {
            match site["id"].as_str().unwrap() {
                HUB => site["role"] = "spoke".into(),
                "CLN-MEL" => site["role"] = "hub".into(),
                _ => {}
            }
        }
    });
    let plan = story.plan(&swapped);
    plan.assert_sequence("1.CFS-SDWAN-OVERLAY.CLN-MEL.*", &format!("1.CFS-*.{HUB}.*"));
    plan.assert_sequence("1.CFS-SDWAN-OVERLAY.CLN-MEL.*", "1.CFS-*.CLN-BNE.*");
    assert_site(&plan, "CLN-MEL");
}

#[test]
fn a_ninth_site_touches_nothing_else() {
    let story = Story::open("sdwan-b2b");
    story.carry_out("order.json");
    let plan = story.plan(&story.order("order-modify-site.json"));
    let wanted = branch("CLN-PER");
    assert_eq!(
        plan.changes(),
        wanted.iter().map(|id| format!("add {id}")).collect()
    );
    assert_eq!(plan.ids(), wanted.iter().map(String::as_str).collect());
    assert_site(&plan, "CLN-PER");
    story.activate(&plan, 0);
    assert_eq!(story.value(PRODUCT, "sites").as_array().unwrap().len(), 9);

    let speed = story.carry_out("order-modify-speed.json");
    let service = circuit("CLN-MEL", "DIA", "DIA-SERVICE");
    assert_eq!(speed.ids(), BTreeSet::from([&*service]));
    assert_eq!(
        Value::from(speed.changed(&service)),
        json!({"bandwidth": 200})
    );

    let closed = story.plan(&story.order("order-modify-closed.json"));
    let gone = branch("CLN-WOL");
    assert_eq!(
        closed.changes(),
        gone.iter().map(|id| format!("delete {id}")).collect()
    );
    assert_eq!(closed.ids(), gone.iter().map(String::as_str).collect());
    closed.assert_sequence(&overlay("CLN-WOL", "SLA-PROBE"), &router("CLN-WOL"));
    closed.assert_sequence(
        &router("CLN-WOL"),
        &circuit("CLN-WOL", "DIA", "DIA-SERVICE"),
    );
    story.activate(&closed, 0);
    let installed = story.inventory();
    assert!(!installed.contains("CLN-WOL"), "{installed}");
    assert!(installed.contains("CLN-PER"));
}

#[test]
fn cease_takes_the_branches_down_before_the_hub() {
    let story = Story::open("sdwan-b2b");
    story.carry_out("order.json");
    let plan = story.carry_out("order-cease.json");
    assert_eq!(plan.tasks().len(), 57);
    let run = story.journal(&plan);
    for site in BRANCHES {
        let all = format!("1.CFS-*.{site}.*RFS-*");
        plan.assert_sequence(&all, &format!("1.CFS-SDWAN-OVERLAY.{HUB}.*"));
        run.assert_sequence(&all, &format!("1.CFS-SDWAN-OVERLAY.{HUB}.*"));
    }
    assert_eq!(story.inventory(), "");
}

#[test]
fn the_sequence_of_sites_changes_neither_tasks_nor_dependencies() {
    let story = Story::open("sdwan-b2b");
    let order = story.order("order.json");
    let written = story.plan(&order);
    for turn in 1..8 {
        let turned = story.plan(&with_sites(&order, |sites| sites.rotate_left(turn)));
        assert_eq!(turned.dependencies(), written.dependencies());
    }
    let reversed = story.plan(&with_sites(&order, |sites| {
        sites.reverse();
        for site in sites {
            site["underlays"].as_array_mut().unwrap().reverse();
        }
    }));
    // The overlay is told of its transports in the sequence in which they are ordered; nothing else differs.
    assert_eq!(reversed.dependencies(), written.dependencies());
}
