//! 4G Essential Plus: one subscriber for four services, and a port in its window.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::plan::{Plan, Sequence};
use super::story::{Story, stderr};

const PRODUCT: &str = "ORD-9244-0001.1";
const HSS: &str = "1.RFS-MPA-HSS-SUBSCRIBER";
const OTA: &str = "1.RFS-MPA-OTA-ACTIVATION";
const HLR: &str = "1.RFS-MPA-HLR-PROFILE";
const PCRF: &str = "1.CFS-MPA-MOBILE-DATA.RFS-MPA-PCRF-POLICY";
const MNP: &str = "1.CFS-MPA-VOICE.RFS-MPA-MNP-PORT-IN";
const BOX: &str = "1.CFS-MPA-VOICEMAIL.RFS-MPA-VOICEMAIL-BOX";
const SERVICES: [&str; 4] = [
    "1.CFS-MPA-MOBILE-DATA",
    "1.CFS-MPA-SMS",
    "1.CFS-MPA-VOICE",
    "1.CFS-MPA-VOICEMAIL",
];

fn assert_story(sequence: &impl Sequence) {
    for later in [PCRF, OTA, HLR, MNP, BOX] {
        sequence.assert_sequence(HSS, later);
    }
    sequence.assert_sequence(HLR, BOX);
    sequence.assert_sequence(HLR, MNP);
    sequence.assert_sequence(OTA, MNP);
}

/// What an item realizes.
fn realized(item: &Value) -> BTreeSet<&str> {
    let relationships = item["orderItemRelationship"].as_array();
    relationships
        .into_iter()
        .flatten()
        .filter(|it| it["relationshipType"] == "realizes")
        .map(|it| {
            it["orderItem"]["itemId"]
                .as_str()
                .or(it["id"].as_str())
                .unwrap()
        })
        .collect()
}

/// An order that changes what the product has.
fn modify(story: &Story, number: &str, characteristics: &Value) -> Value {
    let mut order = story.order("order-modify-voicemail.json");
    order["id"] = format!("ORD-9244-{number}").into();
    order["externalId"] = format!("CRM-{number}").into();
    order["productOrderItem"][0]["product"]["productCharacteristic"] = characteristics.clone();
    order
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.ids().into_iter().collect()
}

#[test]
fn four_services_are_six_resources_and_the_subscriber_is_made_once() {
    let story = Story::open("mobile-4g");
    let plan = story.plan(&story.order("order.json"));
    assert_eq!(plan.services().into_keys().collect::<Vec<_>>(), SERVICES);
    let resources = plan.resources();
    assert_eq!(
        resources.keys().copied().collect::<BTreeSet<_>>(),
        BTreeSet::from([HSS, OTA, HLR, PCRF, MNP, BOX])
    );
    assert_eq!(realized(resources[HSS]), BTreeSet::from(SERVICES));
    assert_eq!(
        realized(resources[OTA]),
        BTreeSet::from([SERVICES[0], SERVICES[1], SERVICES[2]])
    );
    assert_eq!(
        realized(resources[HLR]),
        BTreeSet::from([SERVICES[1], SERVICES[2]])
    );
    // Each service has told the one subscriber, and the one profile, what it knows.
    assert_eq!(
        Value::from(plan.sent(HSS)),
        json!({"imsi": "505011234567890", "msisdn": "61412345678", "subscriberProfile": "POSTPAID-4G", "apn": "internet", "voiceOverLte": true})
    );
    assert_eq!(plan.sent(HLR)["callAllowance"], "unlimited national");
    assert_eq!(plan.sent(HLR)["smsAllowance"], "unlimited national");
    assert_eq!(plan.sent(PCRF)["quotaVolume"], 10240);
}

#[test]
fn the_subscriber_comes_first_and_the_port_in_its_window() {
    let story = Story::open("mobile-4g");
    let plan = story.plan(&story.order("order.json"));
    assert_eq!(plan.tasks().len(), 6);
    assert_story(&plan);
    for (one, other) in [(PCRF, OTA), (OTA, HLR), (PCRF, HLR)] {
        plan.assert_parallel(one, other);
    }
    let tasks = plan.tasks();
    assert_eq!(
        tasks[MNP]["window"],
        json!({"start": "2026-11-25T22:00:00Z", "end": "2026-11-26T02:00:00Z"})
    );
    assert_eq!(tasks[MNP]["pointOfNoReturn"], true);
    assert!(
        tasks[MNP]["compensation"]["none"].is_string(),
        "{}",
        tasks[MNP]
    );
    assert_eq!(plan.schedule()["jeopardy"], Value::Null);

    story.activate(&plan, 0);
    let run = story.journal(&plan);
    assert_eq!(run.completed(), plan.ids());
    assert_story(&run);
    let port = run.began(MNP);
    assert!(
        ("2026-11-25T22:00:00".."2026-11-26T02:00:00").contains(&port),
        "{port}"
    );
    assert!(run.began(HSS) < "2026-11-25T22:00:00", "{run:?}");
}

#[test]
fn a_missed_window_is_no_retry() {
    let story = Story::open("mobile-4g");
    let plan = story.plan(&story.order("order-window-missed.json"));
    let said = stderr(&story.activate(&plan, 3));
    assert!(said.contains("window"), "{said}");
    let run = story.journal(&plan);
    assert_eq!(run.completed(), BTreeSet::from([HSS, OTA, HLR, PCRF, BOX]));
    // It stays so, however often it is tried.
    story.activate(&plan, 3);
    assert!(!story.journal(&plan).completed().contains(MNP));
}

#[test]
fn a_port_that_the_donor_rejects_is_held_with_the_reason() {
    let story = Story::failing("mobile-4g", &["mnp:*=422 account number does not match"]);
    let plan = story.plan(&story.order("order.json"));
    let said = stderr(&story.activate(&plan, 3));
    assert!(said.contains("account number does not match"), "{said}");
    let status = story.pass(&["status", plan.order(), "-o", "table"], "");
    assert!(status.contains("account number does not match"), "{status}");
    assert_eq!(story.state(&plan), "held");
    let completed = BTreeSet::from([HSS, OTA, HLR, PCRF, BOX]);
    assert_eq!(story.journal(&plan).completed(), completed);
}

#[test]
fn a_new_number_needs_no_port() {
    let story = Story::open("mobile-4g");
    let plan = story.carry_out("order-new-number.json");
    assert_eq!(plan.ids(), BTreeSet::from([HSS, OTA, HLR, PCRF, BOX]));
}

#[test]
fn more_data_is_another_policy() {
    let story = Story::open("mobile-4g");
    story.carry_out("order.json");
    let plan = story.carry_out("order-modify-data.json");
    assert_eq!(ids(&plan), [PCRF]);
    assert_eq!(
        Value::from(plan.changed(PCRF)),
        json!({"policyName": "POSTPAID-20GB", "quotaVolume": 20480})
    );
    assert_eq!(story.value(PRODUCT, "dataAllowance"), 20);
    assert_eq!(
        story.installed(PRODUCT).unwrap()["productOffering"]["id"],
        "PO-4GXP-01"
    );
}

#[test]
fn what_is_shared_goes_with_its_last_user() {
    let story = Story::open("mobile-4g");
    story.carry_out("order.json");
    story.carry_out("order-modify-data.json");
    let hss = format!("{PRODUCT}.RFS-MPA-HSS-SUBSCRIBER");
    let hlr = format!("{PRODUCT}.RFS-MPA-HLR-PROFILE");

    let plan = story.carry_out("order-modify-voicemail.json");
    assert_eq!(plan.changes(), BTreeSet::from([format!("delete {BOX}")]));
    assert!(story.installed(&hss).is_some());

    // The number was ported for calls; SMS still needs the profile.
    let calls = modify(&story, "0021", &json!([{"name": "voice", "value": false}]));
    let plan = story.plan(&calls);
    assert_eq!(plan.changes(), BTreeSet::from([format!("delete {MNP}")]));
    story.activate(&plan, 0);
    assert!(story.installed(&hlr).is_some());

    let sms = modify(&story, "0022", &json!([{"name": "sms", "value": false}]));
    let plan = story.plan(&sms);
    assert_eq!(plan.changes(), BTreeSet::from([format!("delete {HLR}")]));
    story.activate(&plan, 0);
    assert!(story.installed(&hlr).is_none());
    assert!(story.installed(&hss).is_some());

    // Calls again: the subscriber is there, the profile is not.
    let calls = modify(
        &story,
        "0023",
        &json!([{"name": "voice", "value": true}, {"name": "portIn", "value": false}]),
    );
    let plan = story.plan(&calls);
    assert_eq!(plan.changes(), BTreeSet::from([format!("add {HLR}")]));
    story.activate(&plan, 0);
    let service = format!("{PRODUCT}.CFS-MPA-VOICE");
    let refers = story.installed(&service).unwrap()["supportingResource"].to_string();
    assert!(refers.contains(&hss) && refers.contains(&hlr), "{refers}");

    let none = json!([{"name": "mobileData", "value": false}, {"name": "voice", "value": false}]);
    let plan = story.plan(&modify(&story, "0024", &none));
    assert_eq!(ids(&plan), [PCRF, HLR, HSS, OTA]);
    story.activate(&plan, 0);
    assert!(story.installed(&hss).is_none());
}

#[test]
fn cease_leaves_no_trace() {
    let story = Story::open("mobile-4g");
    story.carry_out("order.json");
    let other = story.carry_out("order-new-number.json");
    let before = story.inventory();
    assert!(before.contains(PRODUCT));
    let plan = story.carry_out("order-cease.json");
    assert_eq!(plan.tasks().len(), 6);
    for first in [PCRF, OTA, HLR, MNP, BOX] {
        plan.assert_sequence(first, HSS);
        story.journal(&plan).assert_sequence(first, HSS);
    }
    let after = story.inventory();
    assert!(!after.contains(PRODUCT), "{after}");
    assert!(after.contains(other.order()));
}
