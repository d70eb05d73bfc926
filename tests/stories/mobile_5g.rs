//! 5G Fleet Connect Premium: two slices, a thousand profiles, pilot before bulk, and three that fail.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::plan::{Plan, Sequence, fits};
use super::story::{Story, stderr};

const ORDER: &str = "ORD-3340-0001";
const PRODUCT: &str = "ORD-3340-0001.1";
const URLLC: &str = "1.CFS-5G-URLLC-SLICE";
const EMBB: &str = "1.CFS-5G-EMBB-SLICE";
const ESIM: &str = "1.CFS-5G-ESIM-MGMT";
const NSMF_URLLC: &str = "1.CFS-5G-URLLC-SLICE.RFS-5G-NSMF-URLLC";
const NSMF_EMBB: &str = "1.CFS-5G-EMBB-SLICE.RFS-5G-NSMF-EMBB";
const UDM: &str = "1.RFS-5G-UDM-DATA";
const PCF: &str = "1.RFS-5G-PCF-POLICY";
const NSSF: &str = "1.RFS-5G-NSSF-SELECTION";
const PORTAL: &str = "1.CFS-5G-ESIM-MGMT.RFS-5G-FLEET-PORTAL";
const PROFILES: &str = "1.CFS-5G-ESIM-MGMT.RFS-5G-ESIM-PROFILE.*";
const PILOT: &str = "ORD-3340-0001.ROLLOUT-5G-FLEET.pilot";

fn profile(vehicle: usize, device: &str) -> String {
    format!("1.CFS-5G-ESIM-MGMT.RFS-5G-ESIM-PROFILE.V-{vehicle:04}.{device}")
}

/// The profiles of some vehicles.
fn profiles(vehicles: impl Iterator<Item = usize>) -> BTreeSet<String> {
    vehicles
        .flat_map(|vehicle| ["tracker", "tablet"].map(|device| profile(vehicle, device)))
        .collect()
}

fn owned(ids: BTreeSet<&str>) -> BTreeSet<String> {
    ids.into_iter().map(str::to_owned).collect()
}

/// Slices, then what the core knows of them, then profiles, pilot before bulk, then the portal.
fn assert_story(sequence: &impl Sequence) {
    for core in [UDM, PCF, NSSF] {
        sequence.assert_sequence(NSMF_URLLC, core);
        sequence.assert_sequence(NSMF_EMBB, core);
        sequence.assert_sequence(core, PROFILES);
    }
    let (pilot, bulk) = (profiles(1..=50), profiles(51..=500));
    let bulk: Vec<&String> = bulk
        .iter()
        .filter(|id| sequence.ids().contains(id.as_str()))
        .collect();
    for first in &pilot {
        assert!(
            bulk.iter().all(|later| sequence.precedes(first, later)),
            "{first} before the bulk"
        );
    }
}

/// An order for as many vehicles of the fleet.
fn fleet_of(story: &Story, count: usize) -> Value {
    let mut order = story.order("order.json");
    arrange(&mut order, |vehicles| vehicles.truncate(count));
    order
}

/// Does something to the list of vehicles.
fn arrange(order: &mut Value, arrange: impl FnOnce(&mut Vec<Value>)) {
    let list = order["productOrderItem"][0]["product"]["productCharacteristic"].as_array_mut();
    let mut list = list
        .unwrap()
        .iter_mut()
        .filter(|it| it["name"] == "vehicles");
    arrange(list.next().unwrap()["value"].as_array_mut().unwrap());
}

fn by_kind(plan: &Plan, kind: &str) -> Vec<String> {
    let tasks = plan
        .tasks()
        .into_iter()
        .filter(|(_, task)| task["kind"] == kind);
    tasks.map(|(id, _)| id.to_owned()).collect()
}

#[test]
fn three_services_are_seven_kinds_of_resources_and_a_thousand_profiles() {
    let story = Story::open("mobile-5g");
    let plan = story.plan(&story.order("order.json"));
    assert_eq!(
        plan.services().into_keys().collect::<BTreeSet<_>>(),
        BTreeSet::from([URLLC, EMBB, ESIM])
    );
    let mut expected = profiles(1..=500);
    assert_eq!(expected.len(), 1000);
    expected.extend([NSMF_URLLC, NSMF_EMBB, UDM, PCF, NSSF, PORTAL].map(str::to_owned));
    assert_eq!(owned(plan.resources().into_keys().collect()), expected);
    assert_eq!(expected.len(), 1006);
    // Beside the thousand and six there is only the milestone between pilot and bulk.
    assert_eq!(by_kind(&plan, "milestone"), [PILOT]);
    assert_eq!(plan.tasks().len(), 1007);
    // Before the bulk order fans out there are seven: with one device there is nothing to fan out.
    let mut one = fleet_of(&story, 1);
    arrange(&mut one, |vehicles| {
        vehicles[0]["devices"].as_array_mut().unwrap().truncate(1);
    });
    assert_eq!(story.plan(&one).resources().len(), 7);
}

#[test]
fn trackers_attach_to_the_urllc_slice_and_tablets_to_the_embb_slice() {
    let story = Story::open("mobile-5g");
    let plan = story.plan(&story.order("order.json"));
    for (device, slice, network) in [
        ("tracker", "1-000001", "fleet.iot"),
        ("tablet", "1-000002", "fleet.internet"),
    ] {
        for vehicle in [1, 50, 51, 500] {
            let sent = plan.sent(&profile(vehicle, device));
            assert_eq!(
                (&sent["sNssai"], &sent["dnn"]),
                (&json!(slice), &json!(network))
            );
            assert_eq!(sent["deviceType"], device);
        }
    }
    let slice = plan.sent(NSMF_URLLC);
    assert_eq!(
        (
            &slice["sNssai"],
            &slice["maxLatency"],
            &slice["availability"]
        ),
        (&json!("1-000001"), &json!(10), &json!(99.99))
    );
    let slice = plan.sent(NSMF_EMBB);
    assert_eq!(
        (
            &slice["sNssai"],
            &slice["downlinkPerDevice"],
            &slice["availability"]
        ),
        (&json!("1-000002"), &json!(100), &json!(99.95))
    );
    // Both slices have an entry in what the core keeps of the fleet.
    for core in [UDM, PCF, NSSF] {
        let sent = plan.sent(core);
        assert_eq!(
            (&sent["urllcSnssai"], &sent["embbSnssai"]),
            (&json!("1-000001"), &json!("1-000002")),
            "{core}"
        );
    }
}

#[test]
fn slices_come_first_then_the_core_then_the_pilot_then_the_bulk_then_the_portal() {
    let story = Story::open("mobile-5g");
    let plan = story.plan(&story.order("order.json"));
    assert_story(&plan);
    plan.assert_sequence(PROFILES, PORTAL);
    plan.assert_parallel(NSMF_URLLC, NSMF_EMBB);
    plan.assert_parallel(UDM, PCF);
    plan.assert_parallel(PCF, NSSF);
    let wave = |id: &String| plan.tasks()[id.as_str()]["rolloutWave"].clone();
    assert!(profiles(1..=50).iter().all(|id| wave(id) == "pilot"));
    assert!(profiles(51..=500).iter().all(|id| wave(id) == "bulk"));
    // The milestone stands for the whole pilot: no edge leads from one wave to the next without it.
    let edges: usize = plan.dependencies().values().map(BTreeSet::len).sum();
    assert!(edges < 6000, "{edges}");

    story.activate(&plan, 0);
    let run = story.journal(&plan);
    assert_eq!(run.completed(), plan.ids());
    assert_story(&run);
    run.assert_sequence(PROFILES, PORTAL);
    assert_eq!(story.state(&plan), "completed");
}

#[test]
fn three_profiles_that_fail_do_not_fail_the_others() {
    let failing = [
        profile(37, "tablet"),
        profile(203, "tracker"),
        profile(478, "tablet"),
    ];
    let faults = [
        "smdp/V-0037.tablet:1=422",
        "smdp/V-0203.tracker:1..3=503",
        "smdp/V-0478.tablet:1=422",
        "smdp/V-0404.tablet:1=503",
    ];
    let story = Story::failing("mobile-5g", &faults);
    let plan = story.plan(&story.order("order.json"));
    let output = story.activate(&plan, 1);
    // 997 are active, and with them the portal; the pilot's failure has not kept the bulk waiting.
    let run = story.journal(&plan);
    let mut expected = owned(plan.ids());
    expected.retain(|id| !failing.contains(id));
    assert_eq!(owned(run.completed()), expected);
    assert_eq!(expected.iter().filter(|id| fits(PROFILES, id)).count(), 997);
    assert_eq!(story.state(&plan), "partial");
    // The run names the three, and not the one that was tried again.
    let said = stderr(&output);
    assert!(said.contains("partial, 1004 of 1007 tasks done"), "{said}");
    let named: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("  failed "))
        .collect();
    assert_eq!(named.len(), 3, "{said}");
    for (line, id) in named.iter().zip(&failing) {
        assert!(line.contains(id), "{id}: {line}");
    }
    assert!(named[0].contains("422"), "{}", named[0]);
    assert!(named[1].contains("3 attempts"), "{}", named[1]);
    // What failed is not installed; the rest is.
    let installed = story.inventory();
    let of_profiles = installed
        .lines()
        .filter(|line| line.contains("\"RS-5G-ESIM-PROFILE\"") && line.contains("sNssai"));
    assert_eq!(of_profiles.count(), 997);
    for id in &failing {
        let id = id.replacen('1', PRODUCT, 1);
        assert_eq!(story.installed(&id), None);
    }

    // The next order for the whole fleet makes what is missing, beside what is new.
    let plan = story.carry_out("order-modify-250.json");
    let mut expected = profiles(501..=750);
    expected.extend(failing);
    // The one that is of the pilot comes before the bulk, again.
    expected.insert(PILOT.replace("0001", "0002"));
    assert_eq!(owned(plan.ids()), expected);
    assert_eq!(story.state(&plan), "completed");
    story.carry_out("order-cease.json");
    assert_eq!(story.inventory(), "");
}

#[test]
fn two_hundred_and_fifty_more_vehicles_touch_nothing_but_their_own_profiles() {
    let story = Story::open("mobile-5g");
    story.carry_out("order.json");
    let plan = story.carry_out("order-modify-250.json");
    let expected = profiles(501..=750);
    assert_eq!(expected.len(), 500);
    assert_eq!(owned(plan.ids()), expected);
    assert_eq!(owned(story.journal(&plan).completed()), expected);
    assert_eq!(
        plan.changes(),
        expected.iter().map(|id| format!("add {id}")).collect()
    );
    assert_eq!(
        story.value(PRODUCT, "vehicles").as_array().unwrap().len(),
        750
    );

    let cease = story.plan(&story.order("order-cease.json"));
    assert_eq!(cease.matching(PROFILES).len(), 1500);
    assert_eq!(cease.tasks().len(), 1506);
    for core in [UDM, PCF, NSSF] {
        cease.assert_sequence(PROFILES, core);
        cease.assert_sequence(core, NSMF_URLLC);
        cease.assert_sequence(core, NSMF_EMBB);
    }
    cease.assert_sequence(PORTAL, PROFILES);
    story.activate(&cease, 0);
    assert_eq!(story.journal(&cease).completed(), cease.ids());
    assert_eq!(story.inventory(), "");
}

#[test]
fn a_change_of_profiles_begins_with_those_of_the_pilot() {
    let story = Story::open("mobile-5g");
    let mut order = fleet_of(&story, 60);
    story.activate(&story.plan(&order), 0);
    order["id"] = "ORD-SLICE".into();
    order["externalId"] = "ORD-SLICE".into();
    order["productOrderItem"][0]["action"] = "modify".into();
    order["productOrderItem"][0]["product"]["id"] = PRODUCT.into();
    let values = order["productOrderItem"][0]["product"]["productCharacteristic"].as_array_mut();
    let mut values = values.unwrap().iter_mut();
    values.find(|it| it["name"] == "urllcSnssai").unwrap()["value"] = "1-000003".into();
    let plan = story.plan(&order);
    let point = PILOT.replace(ORDER, "ORD-SLICE");
    let tracker = |vehicle: usize| profile(vehicle, "tracker");
    assert_eq!(plan.matching(PROFILES).len(), 60);
    assert!((1..=50).all(|it| plan.precedes(&tracker(it), &point)));
    assert!((51..=60).all(|it| plan.precedes(&point, &tracker(it))));
    story.activate(&plan, 0);
}

#[test]
fn the_sequence_of_vehicles_and_devices_changes_neither_tasks_nor_dependencies() {
    let story = Story::open("mobile-5g");
    let order = fleet_of(&story, 60);
    let mut other = order.clone();
    arrange(&mut other, |vehicles| {
        vehicles.reverse();
        vehicles.rotate_left(17);
        for vehicle in vehicles {
            vehicle["devices"].as_array_mut().unwrap().reverse();
        }
    });
    let (plan, other) = (story.plan(&order), story.plan(&other));
    assert_eq!(plan.dependencies(), other.dependencies());
    assert_eq!(plan.tasks().len(), 127);
    for id in plan.ids() {
        if id != PILOT {
            assert_eq!(
                plan.tasks()[id]["idempotencyKey"],
                other.tasks()[id]["idempotencyKey"],
                "{id}"
            );
        }
    }
}
