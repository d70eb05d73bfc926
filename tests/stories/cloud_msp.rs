//! `CloudCare` Managed Landing Zone: eighteen resources behind one approval, made by systems that take their time.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::plan::{Plan, Sequence};
use super::story::Story;

const PRODUCT: &str = "ORD-6150-0001.1";
const APPROVAL: &str = "1.G-CLD-APPROVAL";
const TENANT: &str = "1.CFS-CLD-LANDING-ZONE.RFS-CLD-TENANT";
const FIREWALL: &str = "1.CFS-CLD-LANDING-ZONE.RFS-CLD-FIREWALL";
const ENVIRONMENTS: [&str; 3] = ["production", "test", "development"];
const SERVERS: [(&str, &str); 5] = [
    ("production", "web-01"),
    ("production", "web-02"),
    ("production", "db-01"),
    ("test", "app-01"),
    ("development", "dev-01"),
];

fn network(environment: &str) -> String {
    format!("1.CFS-CLD-LANDING-ZONE.RFS-CLD-NETWORK.{environment}")
}

fn server(environment: &str, name: &str) -> String {
    format!("1.CFS-CLD-COMPUTE.RFS-CLD-INSTANCE.{environment}.{name}")
}

fn backup(environment: &str) -> String {
    format!("1.CFS-CLD-COMPUTE.RFS-CLD-BACKUP.{environment}")
}

fn monitoring(environment: &str) -> String {
    format!("1.CFS-CLD-OPERATIONS.RFS-CLD-MONITORING.{environment}")
}

fn record(environment: &str) -> String {
    format!("1.CFS-CLD-OPERATIONS.RFS-CLD-CMDB.{environment}")
}

fn all() -> BTreeSet<String> {
    let mut all = BTreeSet::from([TENANT.to_owned(), FIREWALL.to_owned()]);
    all.extend(
        ENVIRONMENTS
            .iter()
            .flat_map(|it| [network(it), monitoring(it), record(it)]),
    );
    all.extend(
        SERVERS
            .iter()
            .map(|(environment, name)| server(environment, name)),
    );
    all.extend(["production", "test"].map(backup));
    all
}

fn owned(ids: BTreeSet<&str>) -> BTreeSet<String> {
    ids.into_iter().map(str::to_owned).collect()
}

fn assert_story(sequence: &impl Sequence) {
    for id in all() {
        sequence.assert_sequence(APPROVAL, &id);
    }
    for environment in ENVIRONMENTS {
        sequence.assert_sequence(TENANT, &network(environment));
        sequence.assert_sequence(&network(environment), FIREWALL);
        let servers = server(environment, "*");
        sequence.assert_sequence(&network(environment), &servers);
        sequence.assert_sequence(FIREWALL, &servers);
        sequence.assert_sequence(&servers, &monitoring(environment));
        sequence.assert_sequence(&monitoring(environment), &record(environment));
        if environment != "development" {
            sequence.assert_sequence(&servers, &backup(environment));
            sequence.assert_sequence(&backup(environment), &record(environment));
        }
    }
}

/// Carries a plan out that somebody has to approve.
fn carry_out(story: &Story, plan: &Plan) {
    story.activate(plan, 3);
    assert_eq!(story.journal(plan).completed(), BTreeSet::new());
    story.task("complete", plan, APPROVAL);
    story.activate(plan, 0);
    assert_eq!(story.state(plan), "completed");
}

#[test]
fn three_environments_are_eighteen_resources() {
    let story = Story::asynchronous("cloud-msp");
    let plan = story.plan(&story.order("order.json"));
    assert_eq!(plan.services().len(), 3);
    assert_eq!(owned(plan.resources().into_keys().collect()), all());
    assert_eq!(all().len(), 18);
    let mut tasks = all();
    tasks.insert(APPROVAL.to_owned());
    assert_eq!(owned(plan.ids()), tasks);
    let approval = plan.tasks()[APPROVAL].clone();
    assert_eq!(
        (&approval["kind"], &approval["gate"]),
        (&json!("manual"), &json!("approval"))
    );
    assert_story(&plan);
    // What is not said of one environment does not bind it to another.
    plan.assert_parallel(&server("production", "*"), &server("test", "*"));
    plan.assert_parallel(&server("production", "*"), &record("test"));
    let servers = plan.sent(&record("production"))["servers"].clone();
    assert_eq!(
        servers,
        json!(["web-01 m7.large", "web-02 m7.large", "db-01 r7.xlarge"])
    );
}

#[test]
fn nothing_is_built_before_the_approval_and_all_of_it_after() {
    let story = Story::asynchronous("cloud-msp");
    let plan = story.plan(&story.order("order.json"));
    carry_out(&story, &plan);
    let run = story.journal(&plan);
    assert_eq!(run.completed(), plan.ids());
    assert_story(&run);
}

#[test]
fn an_order_below_the_limit_needs_no_approval() {
    let story = Story::asynchronous("cloud-msp");
    let mut order = story.order("order.json");
    let list = order["productOrderItem"][0]["product"]["productCharacteristic"].as_array_mut();
    for characteristic in list.unwrap() {
        if characteristic["name"] == "monthlyCommitment" {
            characteristic["value"] = json!(9999.0);
        }
    }
    let plan = story.plan(&order);
    assert_eq!(owned(plan.ids()), all());
}

#[test]
fn a_new_and_a_larger_server_touch_themselves_and_their_record() {
    let story = Story::asynchronous("cloud-msp");
    let plan = story.plan(&story.order("order.json"));
    carry_out(&story, &plan);
    let plan = story.plan(&story.order("order-modify-grow.json"));
    let (new, grown) = (
        server("production", "web-03"),
        server("production", "db-01"),
    );
    let recorded = record("production");
    assert_eq!(
        plan.changes(),
        BTreeSet::from([
            format!("add {new}"),
            format!("modify {grown}"),
            format!("modify {recorded}")
        ])
    );
    assert_eq!(
        owned(plan.ids()),
        BTreeSet::from([
            APPROVAL.to_owned(),
            new.clone(),
            grown.clone(),
            recorded.clone()
        ])
    );
    assert_eq!(
        Value::from(plan.changed(&grown)),
        json!({"size": "r7.2xlarge"})
    );
    plan.assert_sequence(&new, &recorded);
    plan.assert_sequence(&grown, &recorded);
    carry_out(&story, &plan);
    assert_eq!(
        story
            .value(&recorded.replacen('1', PRODUCT, 1), "servers")
            .as_array()
            .unwrap()
            .len(),
        4
    );

    let cease = story.plan(&story.order("order-cease.json"));
    let mut expected = all();
    expected.insert(new);
    assert_eq!(owned(cease.ids()), expected, "nobody has to approve an end");
    for environment in ENVIRONMENTS {
        cease.assert_sequence(&record(environment), &monitoring(environment));
        cease.assert_sequence(&monitoring(environment), &server(environment, "*"));
        cease.assert_sequence(&server(environment, "*"), FIREWALL);
        cease.assert_sequence(FIREWALL, &network(environment));
        cease.assert_sequence(&network(environment), TENANT);
    }
    story.activate(&cease, 0);
    assert_eq!(story.journal(&cease).completed(), cease.ids());
    assert_eq!(story.inventory(), "");
}

#[test]
fn the_sequence_of_environments_and_servers_changes_neither_tasks_nor_dependencies() {
    let story = Story::asynchronous("cloud-msp");
    let order = story.order("order.json");
    let mut other = order.clone();
    let list = other["productOrderItem"][0]["product"]["productCharacteristic"].as_array_mut();
    let mut list = list
        .unwrap()
        .iter_mut()
        .filter(|it| it["name"] == "environments");
    let environments = list.next().unwrap()["value"].as_array_mut().unwrap();
    environments.reverse();
    for environment in environments {
        environment["instances"].as_array_mut().unwrap().reverse();
    }
    assert_eq!(
        story.plan(&order).dependencies(),
        story.plan(&other).dependencies()
    );
}
