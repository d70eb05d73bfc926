//! `SeaLink` VSAT: one terminal, seven resources, and an installer who waits for the vessel.

use std::collections::BTreeSet;

use super::plan::{Plan, Sequence};
use super::story::{Story, stderr};

const PRODUCT: &str = "ORD-5120-0001.1";
const REGISTRATION: &str = "1.CFS-SAT-LINK.RFS-SAT-REGISTRATION";
const BEAM: &str = "1.CFS-SAT-LINK.RFS-SAT-BEAM";
const PLAN: &str = "1.CFS-SAT-LINK.RFS-SAT-PLAN";
const ADDRESSES: &str = "1.CFS-SAT-INTERNET.RFS-SAT-IP-BLOCK";
const AAA: &str = "1.CFS-SAT-INTERNET.RFS-SAT-AAA";
const BREAKOUT: &str = "1.CFS-SAT-INTERNET.RFS-SAT-BREAKOUT";
const COMMISSIONING: &str = "1.CFS-SAT-TERMINAL.RFS-SAT-COMMISSIONING";
const ALL: [&str; 7] = [
    REGISTRATION,
    BEAM,
    PLAN,
    ADDRESSES,
    AAA,
    BREAKOUT,
    COMMISSIONING,
];

fn assert_story(sequence: &impl Sequence) {
    for pair in [REGISTRATION, BEAM, PLAN, COMMISSIONING, BREAKOUT].windows(2) {
        sequence.assert_sequence(pair[0], pair[1]);
    }
    for first in [REGISTRATION, ADDRESSES] {
        sequence.assert_sequence(first, AAA);
    }
    sequence.assert_sequence(AAA, COMMISSIONING);
}

/// Carries a plan out in which the installer has something to do.
fn carry_out(story: &Story, plan: &Plan) {
    let output = story.activate(plan, 3);
    let said = stderr(&output);
    assert!(said.contains(COMMISSIONING), "{said}");
    story.task("complete", plan, COMMISSIONING);
    story.activate(plan, 0);
    assert_eq!(story.state(plan), "completed");
}

#[test]
fn a_terminal_is_seven_resources_and_the_installer_comes_when_the_shore_is_ready() {
    let story = Story::open("satellite-maritime");
    let plan = story.plan(&story.order("order.json"));
    assert_eq!(plan.services().len(), 3);
    assert_eq!(
        plan.resources().into_keys().collect::<BTreeSet<_>>(),
        BTreeSet::from(ALL)
    );
    assert_eq!(plan.ids(), BTreeSet::from(ALL));
    assert_story(&plan);
    plan.assert_parallel(ADDRESSES, REGISTRATION);
    plan.assert_parallel(ADDRESSES, PLAN);
    let installer = plan.tasks()[COMMISSIONING].clone();
    assert_eq!(installer["kind"], "manual");
    assert_eq!(installer["endpoint"], serde_json::Value::Null);
    assert_eq!(installer["window"]["start"], "2026-12-08T22:00:00Z");
    assert_eq!(installer["window"]["end"], "2026-12-10T10:00:00Z");

    let output = story.activate(&plan, 3);
    assert!(
        stderr(&output).contains(COMMISSIONING),
        "{}",
        stderr(&output)
    );
    let shore = BTreeSet::from([REGISTRATION, BEAM, PLAN, ADDRESSES, AAA]);
    assert_eq!(story.journal(&plan).completed(), shore);
    story.task("complete", &plan, COMMISSIONING);
    story.activate(&plan, 0);
    let run = story.journal(&plan);
    assert_eq!(run.completed(), plan.ids());
    assert_story(&run);
}

#[test]
fn another_rate_is_another_plan_and_nothing_else() {
    let story = Story::open("satellite-maritime");
    let plan = story.plan(&story.order("order.json"));
    carry_out(&story, &plan);
    let plan = story.carry_out("order-modify-50.json");
    assert_eq!(plan.ids(), BTreeSet::from([PLAN]));
    assert_eq!(plan.sent(PLAN)["forwardRate"], 50_000);
    assert_eq!(plan.sent(PLAN)["returnRate"], 10_000);
    assert_eq!(plan.sent(PLAN).get("vessel"), None);
    assert_eq!(story.value(PRODUCT, "downloadSpeed"), 50);
    assert_eq!(story.value(PRODUCT, "vessel"), "MV Southern Aurora");

    let cease = story.plan(&story.order("order-cease.json"));
    assert_eq!(cease.ids(), BTreeSet::from(ALL));
    for pair in [BREAKOUT, COMMISSIONING, PLAN, BEAM, REGISTRATION].windows(2) {
        cease.assert_sequence(pair[0], pair[1]);
    }
    cease.assert_sequence(AAA, ADDRESSES);
    assert_eq!(
        cease.tasks()[COMMISSIONING]["window"],
        serde_json::Value::Null
    );
    carry_out(&story, &cease);
    assert_eq!(story.inventory(), "");
}
