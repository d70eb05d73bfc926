//! Enterprise Fibre Connect Gold: five sites, three waves, feasibility and approval first.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::plan::{Plan, Sequence, fits};
use super::story::{Story, stderr, with_sites};

const ORDER: &str = "ORD-ENT-1102-0001";
const PRODUCT: &str = "ORD-ENT-1102-0001.1";
const APPROVAL: &str = "1.G-ESA-APPROVAL";
const SITES: [(&str, &str, &str); 5] = [
    ("MEL-HQ", "P2P", "pilot"),
    ("SYD-1", "P2P", "wave1"),
    ("SYD-2", "GPON", "wave1"),
    ("BNE-1", "GPON", "wave2"),
    ("BNE-2", "GPON", "wave2"),
];

/// The six resources of a site, in their sequence.
fn resources(site: &str, technology: &str) -> [String; 6] {
    let port = if technology == "P2P" { "P2P" } else { "OLT" };
    let of =
        |service: &str, resource: &str| format!("1.CFS-ESA-{service}.{site}.RFS-ESA-{resource}");
    [
        of("FIBRE-ACCESS", &format!("{port}-PORT")),
        of("FIBRE-ACCESS", "BNG-SESSION"),
        of("FIBRE-ACCESS", "IPAM-BLOCK"),
        of("ENTERPRISE-QOS", "QOS-POLICY"),
        of("CPE-MGMT", "ZTP-CONFIG"),
        of("ENTERPRISE-QOS", "SLA-PROBE"),
    ]
}

fn feasibility(site: &str) -> String {
    format!("1.CFS-ESA-FIBRE-ACCESS.{site}.G-ESA-FEASIBILITY")
}

fn milestone(wave: &str) -> String {
    format!("{ORDER}.W-ESA-ROLLOUT.{wave}")
}

/// Feasibility, approval, the waves one after the other, the sequence at each site.
fn assert_story(sequence: &impl Sequence) {
    sequence.assert_sequence("*.G-ESA-FEASIBILITY", APPROVAL);
    sequence.assert_sequence(APPROVAL, "1.CFS-*.RFS-*");
    for (site, technology, _) in SITES {
        let [port, session, block, policy, router, probe] = resources(site, technology);
        for (first, later) in [
            (&port, &session),
            (&port, &block),
            (&session, &policy),
            (&block, &policy),
            (&policy, &router),
            (&router, &probe),
        ] {
            sequence.assert_sequence(first, later);
        }
    }
    let between = [("MEL-*", "pilot", "SYD-*"), ("SYD-*", "wave1", "BNE-*")];
    for (earlier, wave, later) in between {
        let earlier = format!("1.CFS-*.{earlier}.RFS-*");
        let later = format!("1.CFS-*.{later}.RFS-*");
        sequence.assert_sequence(&earlier, &milestone(wave));
        sequence.assert_sequence(&milestone(wave), &later);
        sequence.assert_sequence(&earlier, &later);
    }
}

/// Approves the deal, and goes on.
fn carry_out(story: &Story) -> Plan {
    let plan = story.plan(&story.order("order.json"));
    story.activate(&plan, 3);
    assert_eq!(
        story.journal(&plan).completed().len(),
        5,
        "five qualifications"
    );
    story.task("complete", &plan, APPROVAL);
    story.activate(&plan, 0);
    plan
}

#[test]
fn five_sites_are_fifteen_services_and_thirty_resources() {
    let story = Story::open("fixed-b2b");
    let plan = story.plan(&story.order("order.json"));
    let services: BTreeSet<String> = SITES
        .iter()
        .flat_map(|(site, ..)| {
            ["FIBRE-ACCESS", "ENTERPRISE-QOS", "CPE-MGMT"]
                .map(|service| format!("1.CFS-ESA-{service}.{site}"))
        })
        .collect();
    assert_eq!(services.len(), 15);
    assert_eq!(
        plan.services().into_keys().collect::<BTreeSet<_>>(),
        services.iter().map(String::as_str).collect()
    );
    let wanted: BTreeSet<String> = SITES
        .iter()
        .flat_map(|(site, technology, _)| resources(site, technology))
        .collect();
    assert_eq!(wanted.len(), 30);
    assert_eq!(
        plan.resources().into_keys().collect::<BTreeSet<_>>(),
        wanted.iter().map(String::as_str).collect()
    );
    // Beside them five qualifications, one approval, and a milestone between waves.
    assert_eq!(plan.tasks().len(), 30 + 5 + 1 + 2);
    for (site, _, wave) in SITES {
        for (id, task) in plan.tasks() {
            if fits(&format!("*.{site}.RFS-*"), id) {
                assert_eq!(task["rolloutWave"], wave, "{id}");
            }
        }
    }
}

#[test]
fn every_site_is_where_its_order_says() {
    let story = Story::open("fixed-b2b");
    let order = story.order("order.json");
    let plan = story.plan(&order);
    let characteristics = &order["productOrderItem"][0]["product"]["productCharacteristic"];
    let sites = characteristics
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "sites");
    for site in sites.unwrap()["value"].as_array().unwrap() {
        let pattern = format!("*.{}.RFS-*", site["id"].as_str().unwrap());
        let resources = plan.resources().into_iter();
        let mut found = 0;
        for (id, item) in resources.filter(|(id, _)| fits(&pattern, id)) {
            assert_eq!(item["resource"]["place"]["id"], site["place"]["id"], "{id}");
            assert_eq!(
                item["resource"]["place"]["name"], site["place"]["name"],
                "{id}"
            );
            found += 1;
        }
        assert_eq!(found, 6);
    }
}

#[test]
fn feasibility_and_approval_come_first_then_wave_after_wave() {
    let story = Story::open("fixed-b2b");
    let plan = carry_out(&story);
    assert_story(&plan);
    for (site, technology, _) in SITES {
        let [_, session, block, ..] = resources(site, technology);
        plan.assert_parallel(&session, &block);
    }
    plan.assert_parallel("1.CFS-*.SYD-1.RFS-*", "1.CFS-*.SYD-2.RFS-*");
    plan.assert_parallel("1.CFS-*.BNE-1.RFS-*", "1.CFS-*.BNE-2.RFS-*");
    let run = story.journal(&plan);
    assert_eq!(run.completed(), plan.ids());
    assert_story(&run);
    assert_eq!(story.state(&plan), "completed");
}

#[test]
fn nothing_is_built_before_somebody_approves() {
    let story = Story::open("fixed-b2b");
    let plan = story.plan(&story.order("order.json"));
    assert_eq!(plan.tasks()[APPROVAL]["kind"], "manual");
    let said = stderr(&story.activate(&plan, 3));
    assert!(
        said.contains(APPROVAL) || said.contains("Approval of the deal"),
        "{said}"
    );
    assert_eq!(story.inventory(), "");
    let run = story.journal(&plan);
    let qualified: BTreeSet<String> = SITES.iter().map(|(site, ..)| feasibility(site)).collect();
    assert_eq!(
        run.completed(),
        qualified.iter().map(String::as_str).collect()
    );
}

#[test]
fn tiers_differ_in_class_and_thresholds() {
    let story = Story::open("fixed-b2b");
    let plan = story.plan(&story.order("order-tiers.json"));
    assert_eq!(plan.resources().len(), 30);
    assert!(
        !plan.tasks().contains_key(APPROVAL),
        "the list price needs no approval"
    );
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (site, tier) in [
        ("MEL-HQ", "Gold"),
        ("SYD-1", "Silver"),
        ("SYD-2", "Silver"),
        ("BNE-1", "Bronze"),
        ("BNE-2", "Bronze"),
    ] {
        let [_, _, _, policy, _, probe] = resources(site, "");
        let policy = plan.sent(&policy);
        let mut probe = plan.sent(&probe);
        let (class, committed) = match tier {
            "Gold" => ("premium", 500_000),
            "Silver" => ("business", 400_000),
            _ => ("standard", 250_000),
        };
        assert_eq!(policy["qosClass"], class);
        assert_eq!(policy["committedRate"], committed);
        assert_eq!(policy["peakRate"], 500_000);
        let (availability, restore) = match tier {
            "Gold" => (99.95, 4),
            "Silver" => (99.9, 8),
            _ => (99.5, 24),
        };
        assert_eq!(probe["availabilityTarget"], availability);
        assert_eq!(probe["restoreTime"], restore);
        probe.remove("probeName");
        seen.entry(tier)
            .or_default()
            .insert(json!(probe).to_string());
    }
    let thresholds: BTreeSet<&String> = seen.values().flatten().collect();
    assert_eq!(seen.len(), 3);
    assert_eq!(
        thresholds.len(),
        3,
        "one set of thresholds a tier, and no two the same"
    );
    story.activate(&plan, 0);
}

#[test]
fn a_sixth_site_touches_nothing_else() {
    let story = Story::open("fixed-b2b");
    carry_out(&story);
    let plan = story.plan(&story.order("order-modify-site.json"));
    let new = resources("OOL-1", "GPON");
    let wanted: BTreeSet<String> = new.iter().map(|id| format!("add {id}")).collect();
    assert_eq!(plan.changes(), wanted);
    // It is looked whether it is feasible; the price was approved before.
    let gate = feasibility("OOL-1");
    let tasks: BTreeSet<&str> = new.iter().map(String::as_str).chain([&*gate]).collect();
    assert_eq!(plan.ids(), tasks);
    plan.assert_sequence(&gate, "1.CFS-*.OOL-1.RFS-*");
    story.activate(&plan, 0);
    assert_eq!(story.value(PRODUCT, "sites").as_array().unwrap().len(), 6);
    for id in new {
        assert!(
            story
                .installed(&id.replacen("1.", &format!("{PRODUCT}."), 1))
                .is_some(),
            "{id}"
        );
    }
}

#[test]
fn another_tier_at_one_site_changes_its_policy_and_its_probe() {
    let story = Story::open("fixed-b2b");
    carry_out(&story);
    story.carry_out("order-modify-site.json");
    let plan = story.carry_out("order-modify-tier.json");
    let [_, _, _, policy, _, probe] = resources("BNE-2", "GPON");
    assert_eq!(plan.ids(), BTreeSet::from([&*policy, &*probe]));
    assert_eq!(
        Value::from(plan.changed(&policy)),
        json!({"policyName": "ESA-SILVER-500M", "qosClass": "business", "dscp": "AF31", "committedRate": 400_000})
    );
    let installed = format!("{PRODUCT}.CFS-ESA-ENTERPRISE-QOS.BNE-2");
    assert_eq!(story.value(&installed, "slaTier"), "Silver");
    let policy = format!("{installed}.RFS-ESA-QOS-POLICY");
    assert_eq!(story.value(&policy, "qosClass"), "business");
    assert_eq!(story.value(&policy, "peakRate"), 500_000);

    let plan = story.carry_out("order-modify-speed.json");
    let [_, _, _, policy, ..] = resources("MEL-HQ", "P2P");
    assert_eq!(plan.ids(), BTreeSet::from([&*policy]));
    assert_eq!(
        Value::from(plan.changed(&policy)),
        json!({"policyName": "ESA-GOLD-1000M", "committedRate": 1_000_000, "peakRate": 1_000_000})
    );
}

/// The order once more, as a change of what it has made.
fn change(story: &Story, id: &str) -> Value {
    let mut order = story.order("order.json");
    order["id"] = id.into();
    order["externalId"] = id.into();
    order["productOrderItem"][0]["action"] = "modify".into();
    order["productOrderItem"][0]["product"]["id"] = PRODUCT.into();
    order
}

#[test]
fn another_access_is_there_and_all_behind_it_moved_before_the_old_one_goes() {
    let story = Story::open("fixed-b2b");
    carry_out(&story);
    let to_glass = |sites: &mut Vec<Value>| {
        let site = sites.iter_mut().find(|it| it["id"] == "SYD-1").unwrap();
        site["accessTechnology"] = "GPON".into();
        site["accessNode"] = "OLT-SYDNEY-09".into();
    };
    let plan = story.plan(&with_sites(&change(&story, "ORD-GLASS"), to_glass));
    let [old, ..] = resources("SYD-1", "P2P");
    let [new, session, block, policy, router, probe] = resources("SYD-1", "GPON");
    let gate = feasibility("SYD-1");
    assert_eq!(
        plan.ids(),
        BTreeSet::from([&*gate, &*new, &*session, &*router, &*old])
    );
    // Of the other service only what the router waits through, and of the other sites nothing.
    let items: Vec<&str> = plan.resources().into_keys().collect();
    let known = [&new, &old, &session, &block, &policy, &router];
    let known: BTreeSet<&str> = known.into_iter().map(String::as_str).collect();
    assert_eq!(items.into_iter().collect::<BTreeSet<_>>(), known);
    assert!(!known.contains(&*probe));
    let question = &plan.tasks()[&*gate]["request"]["body"]["serviceQualificationItem"][0];
    let service = &question["service"];
    assert_eq!(service["place"][0]["id"], "GA-2000-0031");
    assert_eq!(
        Value::from(super::plan::characteristics(
            &service["serviceCharacteristic"]
        )),
        json!({
            "siteId": "SYD-1", "siteRole": "branch", "accessTechnology": "GPON", "accessNode": "OLT-SYDNEY-09",
            "bandwidth": 500, "lanPrefixLength": 29, "rolloutWave": "wave1"
        })
    );
    story.activate(&plan, 0);
    let run = story.journal(&plan);
    for (first, later) in [
        (&gate, &new),
        (&new, &session),
        (&session, &router),
        (&router, &old),
    ] {
        plan.assert_sequence(first, later);
        run.assert_sequence(first, later);
    }
}

#[test]
fn a_change_at_all_sites_goes_wave_after_wave() {
    let story = Story::open("fixed-b2b");
    carry_out(&story);
    let mut order = change(&story, "ORD-SPEED");
    let values = order["productOrderItem"][0]["product"]["productCharacteristic"].as_array_mut();
    let mut values = values.unwrap().iter_mut();
    values.find(|it| it["name"] == "bandwidth").unwrap()["value"] = 1000.into();
    let plan = story.plan(&order);
    let policies = SITES.map(|(site, technology, _)| resources(site, technology)[3].clone());
    let points = ["pilot", "wave1"].map(|wave| milestone(wave).replace(ORDER, "ORD-SPEED"));
    let ids = policies.iter().chain(&points).map(String::as_str).collect();
    assert_eq!(plan.ids(), ids);
    let [headquarters, sydney, parramatta, brisbane, valley] = &policies;
    for (earlier, point, later) in [
        (vec![headquarters], &points[0], vec![sydney, parramatta]),
        (vec![sydney, parramatta], &points[1], vec![brisbane, valley]),
    ] {
        for policy in earlier {
            plan.assert_sequence(policy, point);
        }
        for policy in later {
            plan.assert_sequence(point, policy);
        }
    }
    story.activate(&plan, 0);
    assert_eq!(story.journal(&plan).completed(), plan.ids());
}

#[test]
fn cease_leaves_no_trace() {
    let story = Story::open("fixed-b2b");
    carry_out(&story);
    story.carry_out("order-modify-site.json");
    let plan = story.plan(&story.order("order-cease.json"));
    assert_eq!(plan.tasks().len(), 36, "neither gates nor waves");
    let all_sites = SITES
        .iter()
        .map(|(site, technology, _)| (*site, *technology));
    let all_sites: Vec<(&str, &str)> = all_sites.chain([("OOL-1", "GPON")]).collect();
    story.activate(&plan, 0);
    let run = story.journal(&plan);
    for (site, technology) in all_sites {
        let [port, session, block, policy, router, probe] = resources(site, technology);
        for (first, later) in [
            (&probe, &router),
            (&router, &policy),
            (&policy, &session),
            (&policy, &block),
            (&session, &port),
            (&block, &port),
        ] {
            plan.assert_sequence(first, later);
            run.assert_sequence(first, later);
        }
    }
    assert_eq!(story.inventory(), "");
}

#[test]
fn a_site_that_fails_stops_neither_its_wave_nor_for_ever_the_next() {
    let port = resources("SYD-1", "P2P")[0].clone();
    let fault = format!("nso/{PRODUCT}.CFS-ESA-FIBRE-ACCESS.SYD-1:*=422");
    let story = Story::failing("fixed-b2b", &[&fault]);
    let plan = story.plan(&story.order("order.json"));
    story.activate(&plan, 3);
    story.task("complete", &plan, APPROVAL);
    let said = stderr(&story.activate(&plan, 3));
    assert!(said.contains(&port), "{said}");
    let run = story.journal(&plan);
    for (site, technology, wave) in SITES {
        for id in resources(site, technology) {
            let done = wave == "pilot" || site == "SYD-2";
            assert_eq!(run.completed().contains(&*id), done, "{id}");
        }
    }
    // Somebody lets Brisbane begin and gives the site up.
    story.task("release", &plan, &milestone("wave1"));
    story.task("fail", &plan, &port);
    story.activate(&plan, 1);
    let run = story.journal(&plan);
    for (site, technology, _) in SITES {
        for id in resources(site, technology) {
            assert_eq!(run.completed().contains(&*id), site != "SYD-1", "{id}");
        }
    }
    assert_eq!(story.state(&plan), "partial");
}

#[test]
fn the_sequence_of_sites_changes_neither_tasks_nor_dependencies() {
    let story = Story::open("fixed-b2b");
    let order = story.order("order.json");
    let written = story.plan(&order);
    for turn in 1..SITES.len() {
        let turned = story.plan(&with_sites(&order, |sites| sites.rotate_left(turn)));
        assert_eq!(turned.dependencies(), written.dependencies());
    }
    let reversed = story.plan(&with_sites(&order, |sites| sites.reverse()));
    assert_eq!(reversed.dependencies(), written.dependencies());
    assert_eq!(
        reversed.services().keys().collect::<Vec<_>>(),
        written.services().keys().collect::<Vec<_>>()
    );
}
