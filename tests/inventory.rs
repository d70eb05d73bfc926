//! The installed base over the life of a customer: add, modify, cease, with the
//! real binary against the mock.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;
use orderctl::catalog::{self, Catalog};
use orderctl::chain::Chain;
use orderctl::decompose::{self, Decomposer};
use orderctl::document::Document;
use orderctl::inventory::{self, Inventory, Layer};
use orderctl::validate::Validation;
use serde_json::{Value, json};

#[path = "support/fetch.rs"]
mod fetch;
#[path = "inventory/names.rs"]
mod names;
#[path = "inventory/partial.rs"]
mod partial;
#[path = "inventory/quantities.rs"]
mod quantities;

const JANE: &str = "ORD-4821-0001.1";

/// A network that is played by the mock, its journal and its installed base.
struct Operator {
    folder: tempfile::TempDir,
    mock: Child,
    address: String,
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.mock.kill();
        let _ = self.mock.wait();
    }
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/broadband-b2c")
}

fn order(file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(example().join(file)).unwrap()).unwrap()
}

/// An order that modifies Jane's product.
fn modify(id: &str, characteristics: &Value) -> Value {
    let mut order = order("order-modify.json");
    order["id"] = id.into();
    order["externalId"] = format!("CRM-{id}").into();
    let item = &mut order["productOrderItem"][0];
    item["product"]["productCharacteristic"] = characteristics.clone();
    order
}

impl Operator {
    fn new() -> Operator {
        Operator::with_faults(&[])
    }

    fn with_faults(faults: &[&str]) -> Operator {
        Operator::playing(faults.iter().flat_map(|fault| ["--fail", *fault]))
    }

    /// With these arguments of the mock.
    fn playing<'a>(arguments: impl Iterator<Item = &'a str>) -> Operator {
        let mut mock = Command::new(cargo_bin("orderctl"))
            .args(["-q", "mock"])
            .args(arguments)
            .current_dir(example())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(mock.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        Operator {
            folder,
            mock,
            address: address.trim().to_owned(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        let mut child = Command::new(cargo_bin("orderctl"))
            .args(args)
            .current_dir(example())
            .env("ORDERCTL_MOCK", &self.address)
            .env("ORDERCTL_JOURNAL", self.path("journal.db"))
            .env("ORDERCTL_INVENTORY", self.path("inventory.ndjson"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    fn pass(&self, args: &[&str], input: &str) -> String {
        let output = self.run(args, input);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{args:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What decomposing an order that is not acceptable says.
    fn refused(&self, order: &Value) -> String {
        let output = self.run(&["decompose"], &order.to_string());
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, b"");
        String::from_utf8(output.stderr).unwrap()
    }

    fn plan(&self, order: &Value) -> String {
        let chain = self.pass(&["decompose"], &order.to_string());
        self.pass(&["plan"], &chain)
    }

    /// Carries an order out; its tasks as name, method and the characteristics that are sent.
    fn carry_out(&self, order: &Value) -> Vec<(String, String, Value)> {
        let plan = self.plan(order);
        self.pass(&["activate", "-o", "json"], &plan);
        tasks(&plan)
    }

    fn inventory(&self) -> String {
        fs::read_to_string(self.path("inventory.ndjson")).unwrap()
    }

    /// What is installed under an id, if anything.
    fn installed(&self, id: &str) -> Option<Value> {
        let text = self.inventory();
        let mut documents = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        documents.find(|document| document["id"] == id)
    }

    fn value(&self, id: &str, list: &str, name: &str) -> Value {
        let document = self.installed(id).unwrap();
        let found = document[list]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"] == name);
        found.map_or(Value::Null, |it| it["value"].clone())
    }
}

fn tasks(chain: &str) -> Vec<(String, String, Value)> {
    let plan: Value = serde_json::from_str(chain.lines().last().unwrap()).unwrap();
    let task = |task: &Value| {
        let mut sent = json!({});
        for it in task["request"]["body"]["resourceCharacteristic"]
            .as_array()
            .into_iter()
            .flatten()
        {
            sent[it["name"].as_str().unwrap()] = it["value"].clone();
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&task["name"]), text(&task["request"]["method"]), sent)
    };
    plan["taskFlow"]
        .as_array()
        .unwrap()
        .iter()
        .map(task)
        .collect()
}

fn methods(tasks: &[(String, String, Value)]) -> Vec<String> {
    let mut methods: Vec<String> = tasks
        .iter()
        .map(|(name, method, _)| format!("{method} {name}"))
        .collect();
    methods.sort();
    methods
}

#[test]
fn more_speed_is_one_change_of_one_profile() {
    let operator = Operator::new();
    assert_eq!(operator.carry_out(&order("order.json")).len(), 7);
    let qos = format!("{JANE}.CFS-INTERNET-ACCESS.RFS-QOS-PROFILE");
    assert_eq!(
        operator.value(&qos, "resourceCharacteristic", "downstreamRate"),
        200_000
    );

    let plan = operator.plan(&order("order-modify.json"));
    assert_eq!(
        tasks(&plan),
        [(
            "QoS-Profile".to_owned(),
            "PATCH".to_owned(),
            json!({"profileName": "RES-500M", "downstreamRate": 500_000, "upstreamRate": 125_000,
                "dataQuota": "unlimited", "trafficClass": "best-effort"})
        )]
    );
    assert!(plan.contains(&format!("resource/{qos}")));
    operator.pass(&["activate", "-o", "json"], &plan);
    assert_eq!(
        operator.value(JANE, "productCharacteristic", "downloadSpeed"),
        500
    );
    assert_eq!(
        operator.value(JANE, "productCharacteristic", "router"),
        "Huawei HG8245H"
    );
    assert_eq!(
        operator.installed(JANE).unwrap()["productOffering"]["id"],
        "PO-SF500H"
    );
    let service = format!("{JANE}.CFS-INTERNET-ACCESS");
    assert_eq!(
        operator.value(&service, "serviceCharacteristic", "downloadSpeed"),
        500
    );
    assert_eq!(
        operator.value(&service, "serviceCharacteristic", "servingArea"),
        "OLT-EAST-07"
    );
    assert_eq!(
        operator.value(&qos, "resourceCharacteristic", "downstreamRate"),
        500_000
    );
    assert_eq!(
        operator.value(&qos, "resourceCharacteristic", "trafficClass"),
        "best-effort"
    );
}

#[test]
fn a_completed_plan_that_is_run_again_leaves_the_installed_base_alone() {
    let operator = Operator::new();
    let add = operator.plan(&order("order.json"));
    operator.pass(&["activate", "-o", "json"], &add);
    let modify = operator.plan(&order("order-modify.json"));
    operator.pass(&["activate", "-o", "json"], &modify);
    let before = operator.inventory();
    operator.pass(&["activate", "-o", "json"], &modify);
    // The older one does not bring the older speed back.
    operator.pass(&["activate", "-o", "json"], &add);
    assert_eq!(operator.inventory(), before);
    // The order that made it may be looked at once more.
    let again = operator.plan(&order("order.json"));
    assert_eq!(again, add);
}

#[test]
fn what_is_lost_with_the_last_run_is_made_up_for_by_the_next() {
    let operator = Operator::new();
    let add = operator.plan(&order("order.json"));
    operator.pass(&["activate", "-o", "json"], &add);
    let before = operator.inventory();
    fs::remove_file(operator.path("inventory.ndjson")).unwrap();
    operator.pass(&["activate", "-o", "json"], &add);
    assert_eq!(operator.inventory(), before);
}

#[test]
fn two_changes_of_one_product_do_not_undo_each_other() {
    let operator = Operator::new();
    operator.carry_out(&order("order.json"));
    let faster = operator.plan(&order("order-modify.json"));
    let metered = modify(
        "ORD-4821-0013",
        &json!([{"name": "dataQuota", "value": "500 GB"}]),
    );
    let metered_before = operator.plan(&metered);
    operator.pass(&["activate", "-o", "json"], &faster);

    // It knows the profile as it was, and would make it so again.
    let output = operator.run(&["activate", "-o", "json"], &metered_before);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let why = format!(
        "modifies resource `{JANE}.CFS-INTERNET-ACCESS.RFS-QOS-PROFILE`, which was changed since"
    );
    assert!(said.contains(&why), "{said}");

    operator.carry_out(&metered);
    let qos = format!("{JANE}.CFS-INTERNET-ACCESS.RFS-QOS-PROFILE");
    let value = |name| operator.value(&qos, "resourceCharacteristic", name);
    assert_eq!(value("downstreamRate"), 500_000);
    assert_eq!(value("dataQuota"), "500 GB");
}

#[test]
fn of_one_run_two_orders_about_one_product_follow_each_other() {
    let operator = Operator::with_faults(&["bng/method=PATCH:1=slow,300ms"]);
    operator.carry_out(&order("order.json"));
    let faster = operator.plan(&order("order-modify.json"));
    let more = modify(
        "ORD-4821-0014",
        &json!([{"name": "staticIp", "value": true}]),
    );
    // What the second one changes, the first one leaves alone.
    let chains = format!("{faster}{}", operator.plan(&more));
    operator.pass(&["activate", "-o", "json", "-j", "4"], &chains);
    let qos = format!("{JANE}.CFS-INTERNET-ACCESS.RFS-QOS-PROFILE");
    let rate = operator.value(&qos, "resourceCharacteristic", "downstreamRate");
    assert_eq!(rate, 500_000);
    let address = format!("{JANE}.CFS-INTERNET-ACCESS.RFS-STATIC-IP");
    assert!(operator.installed(&address).is_some());
}

#[test]
fn two_orders_about_one_product_are_not_carried_out_at_the_same_time() {
    let operator = Operator::with_faults(&["bng/method=PATCH:1=422 no profile left"]);
    operator.carry_out(&order("order.json"));
    let faster = operator.plan(&order("order-modify.json"));
    let cease = operator.plan(&order("order-cease.json"));
    let held = operator.run(&["activate", "-o", "json"], &faster);
    assert_eq!(held.status.code(), Some(3));

    let before = operator.inventory();
    let busy = operator.run(&["activate", "-o", "json"], &cease);
    let said = String::from_utf8_lossy(&busy.stderr);
    assert_eq!(busy.status.code(), Some(3), "{said}");
    let other =
        format!("order ORD-4821-0002, which has not ended, changes or removes product {JANE}");
    assert!(said.contains(&other), "{said}");
    assert_eq!(operator.inventory(), before);

    operator.pass(&["activate", "-o", "json"], &faster);
    operator.carry_out(&order("order-cease.json"));
    assert_eq!(operator.inventory(), "");
}

#[test]
fn options_come_and_go_alone() {
    let operator = Operator::new();
    operator.carry_out(&order("order.json"));
    let on = modify(
        "ORD-4821-0010",
        &json!([{"name": "staticIp", "value": true}]),
    );
    let made = operator.carry_out(&on);
    assert_eq!(methods(&made), ["PATCH IP-Profile", "POST Static-IP"]);
    assert_eq!(
        made[0].2,
        json!({"addressing": "static", "profileName": "RES-GPON-DUAL", "dualStack": true,
            "addressPool": "POOL-OLT-EAST-07", "leaseTime": 86_400}),
        "the profile comes first, whole: a merge patch replaces lists"
    );
    let address = format!("{JANE}.CFS-INTERNET-ACCESS.RFS-STATIC-IP");
    assert!(operator.installed(&address).is_some());

    let off = modify(
        "ORD-4821-0011",
        &json!([{"name": "wifiApp", "value": false}]),
    );
    assert_eq!(methods(&operator.carry_out(&off)), ["DELETE Cloud-WiFi"]);
    assert!(!operator.inventory().contains("WIFI"));
    assert_eq!(
        operator.installed(JANE).unwrap()["realizingService"]
            .as_array()
            .unwrap()
            .len(),
        2
    );

    let both = json!([{"name": "wifiApp", "value": true}, {"name": "staticIp", "value": false}]);
    let back = operator.carry_out(&modify("ORD-4821-0012", &both));
    assert_eq!(
        methods(&back),
        ["DELETE Static-IP", "PATCH IP-Profile", "POST Cloud-WiFi"]
    );
    let position = |name: &str| back.iter().position(|(it, ..)| it == name).unwrap();
    assert!(
        position("IP-Profile") < position("Static-IP"),
        "make before break"
    );
    assert!(
        operator
            .installed(&format!("{JANE}.CFS-WIFI-MGMT.RFS-CLOUD-WIFI"))
            .is_some()
    );
    assert!(operator.installed(&address).is_none());
}

#[test]
fn a_change_that_needs_nothing_is_a_plan_without_tasks() {
    let operator = Operator::new();
    operator.carry_out(&order("order.json"));
    let same = modify(
        "ORD-4821-0020",
        &json!([{"name": "downloadSpeed", "value": 200}]),
    );
    assert!(operator.carry_out(&same).is_empty());
    // It is sold otherwise now.
    assert_eq!(
        operator.installed(JANE).unwrap()["productOffering"]["id"],
        "PO-SF500H"
    );
}

#[test]
fn cease_removes_everything_backwards_and_leaves_no_trace() {
    let operator = Operator::new();
    operator.carry_out(&order("order.json"));
    operator.carry_out(&order("order-static-ip.json"));
    let others: Vec<String> = operator
        .inventory()
        .lines()
        .filter(|it| !it.contains("4821"))
        .map(str::to_owned)
        .collect();
    assert_eq!(others.len(), 12);
    operator.carry_out(&order("order-modify.json"));
    let removed = operator.carry_out(&order("order-cease.json"));
    assert_eq!(removed.len(), 7);
    assert!(removed.iter().all(|(_, method, _)| method == "DELETE"));
    // What was touched for Jane is gone, and nothing else was touched.
    assert_eq!(operator.inventory().lines().collect::<Vec<_>>(), others);

    let journal = rusqlite::Connection::open(operator.path("journal.db")).unwrap();
    let mut entries = journal
        .prepare("SELECT task, max(seq) FROM entry WHERE order_id = ? AND task IS NOT NULL GROUP BY task ORDER BY 2")
        .unwrap();
    let ended: Vec<String> = entries
        .query_map(["ORD-4821-0003"], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(ended.len(), 7);
    let position = |name: &str| ended.iter().position(|it| it.ends_with(name)).unwrap();
    for (first, later) in [
        ("CLOUD-WIFI", "TR069-CONFIG"),
        ("TR069-CONFIG", "CPE-PROVISIONING"),
        ("TR069-CONFIG", "IP-PROFILE"),
        ("IP-PROFILE", "VLAN-SERVICE"),
        ("QOS-PROFILE", "VLAN-SERVICE"),
        ("VLAN-SERVICE", "GPON-BEARER"),
    ] {
        assert!(
            position(first) < position(later),
            "{first} before {later}: {ended:?}"
        );
    }
}

#[test]
fn what_is_not_installed_is_named_and_what_is_is_not_added_again() {
    let operator = Operator::new();
    for file in ["order-modify.json", "order-cease.json"] {
        let said = operator.refused(&order(file));
        assert!(
            said.contains("error[decompose/not-installed]") && said.contains(JANE),
            "{said}"
        );
    }
    operator.carry_out(&order("order.json"));
    let mut again = order("order.json");
    again["id"] = "ORD-4821-0099".into();
    again["productOrderItem"][0]["product"]["id"] = JANE.into();
    let said = operator.refused(&again);
    assert!(
        said.contains("error[decompose/already-installed]") && said.contains(JANE),
        "{said}"
    );
    // A service order that comes alone is held to the same.
    let service = json!({
        "@type": "ServiceOrder", "id": "SO-1", "serviceOrderItem": [{
            "id": "1", "action": "modify", "service": {
                "id": "S-404", "serviceSpecification": {"id": "CFS-WIFI-MGMT"}
            }
        }]
    });
    let said = operator.refused(&service);
    assert!(said.contains("modifies service `S-404`"), "{said}");
}

#[test]
fn a_service_order_alone_changes_what_is_installed() {
    let operator = Operator::new();
    operator.carry_out(&order("order.json"));
    let id = format!("{JANE}.CFS-INTERNET-ACCESS");
    let service = json!({
        "@type": "ServiceOrder", "id": "SO-1", "serviceOrderItem": [{
            "id": "1", "action": "modify", "service": {
                "id": id, "serviceCharacteristic": [{"name": "downloadSpeed", "value": 1000}]
            }
        }]
    });
    assert_eq!(
        methods(&operator.carry_out(&service)),
        ["PATCH QoS-Profile"]
    );
    assert_eq!(
        operator.value(&id, "serviceCharacteristic", "downloadSpeed"),
        1000
    );
    assert_eq!(
        operator.value(&id, "serviceCharacteristic", "uploadSpeed"),
        50
    );

    let wifi = format!("{JANE}.CFS-WIFI-MGMT");
    let service = json!({
        "@type": "ServiceOrder", "id": "SO-2",
        "serviceOrderItem": [{"id": "1", "action": "delete", "service": {"id": wifi}}]
    });
    assert_eq!(
        methods(&operator.carry_out(&service)),
        ["DELETE Cloud-WiFi"]
    );
    assert!(
        !operator.inventory().contains(&wifi),
        "the product does not refer to it any more"
    );
}

#[test]
fn the_same_installed_base_gives_the_same_bytes_in_one_step_or_two() {
    let operator = Operator::new();
    operator.carry_out(&order("order.json"));
    for file in ["order-modify.json", "order-cease.json"] {
        let text = order(file).to_string();
        let once = operator.pass(&["decompose"], &text);
        assert_eq!(once, operator.pass(&["decompose"], &text));
        let services = operator.pass(&["decompose", "--to", "service"], &text);
        assert_eq!(once, operator.pass(&["decompose"], &services));
    }
}

#[test]
fn explain_says_what_becomes_of_what_is_installed() {
    let operator = Operator::new();
    operator.carry_out(&order("order.json"));
    let change =
        json!([{"name": "downloadSpeed", "value": 500}, {"name": "wifiApp", "value": false}]);
    let order = modify("ORD-4821-0030", &change).to_string();
    let said = String::from_utf8(operator.run(&["decompose", "--explain"], &order).stderr).unwrap();
    for line in [
        "~ CFS-INTERNET-ACCESS  Internet-Access: downloadSpeed: 200 → 500\n",
        "x CFS-WIFI-MGMT  WiFi-Mgmt: installed, and no longer wanted: source.wifiApp; source.wifiApp is false\n",
        "= CFS-CPE-MGMT  CPE-Mgmt: installed, and nothing about it changes\n",
        "x RFS-CLOUD-WIFI  Cloud-WiFi: installed, and no longer wanted: what it is part of is deleted\n",
    ] {
        assert!(said.contains(line), "{line} in\n{said}");
    }
}

#[test]
fn a_product_that_is_known_by_its_offering_alone_is_given_up_whole() {
    let operator = Operator::new();
    let mut add = order("order.json");
    let product = add["productOrderItem"][0]["product"]
        .as_object_mut()
        .unwrap();
    assert!(product.remove("productSpecification").is_some());
    let made = operator.carry_out(&add);
    let removed = operator.carry_out(&order("order-cease.json"));
    assert_eq!(removed.len(), made.len());
    assert!(methods(&removed).iter().all(|it| it.starts_with("DELETE ")));
}

#[test]
fn a_folder_keeps_its_files_and_what_nobody_knows() {
    let operator = Operator::new();
    let folder = operator.path("installed");
    fs::create_dir(&folder).unwrap();
    operator.carry_out(&order("order.json"));
    let (products, others): (Vec<String>, Vec<String>) = operator
        .inventory()
        .lines()
        .map(|line| line.replacen('{', "{\"x-owner\":\"billing\", ", 1))
        .partition(|line| line.contains("\"@type\":\"Product\""));
    let party = "{\"@type\":\"Party\",\"id\":\"CUST-4821\"}";
    fs::write(
        folder.join("products.json"),
        format!("[{}]", products.join(",")),
    )
    .unwrap();
    fs::write(
        folder.join("network.ndjson"),
        format!("{party}\n{}\n", others.join("\n")),
    )
    .unwrap();
    fs::write(folder.join("notes.txt"), "not an inventory").unwrap();

    let path = folder.to_str().unwrap();
    let text = order("order-modify.json").to_string();
    let chain = operator.pass(&["decompose", "--inventory", path], &text);
    let plan = operator.pass(&["plan"], &chain);
    operator.pass(&["activate", "-o", "json", "--inventory", path], &plan);
    let products: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("products.json")).unwrap()).unwrap();
    assert_eq!(products[0]["x-owner"], "billing");
    assert_eq!(products[0]["productOffering"]["id"], "PO-SF500H");
    let network = fs::read_to_string(folder.join("network.ndjson")).unwrap();
    assert_eq!(network.lines().count(), 11);
    assert_eq!(network.lines().last(), Some(party));
    assert!(network.contains("500000"));

    // What is new goes to a file of its own.
    let chain = operator.pass(
        &["decompose", "--inventory", path],
        &order("order-hfc.json").to_string(),
    );
    let plan = operator.pass(&["plan"], &chain);
    operator.pass(&["activate", "-o", "json", "--inventory", path], &plan);
    assert_eq!(
        fs::read_to_string(folder.join("network.ndjson")).unwrap(),
        network
    );
    assert_eq!(
        fs::read_to_string(folder.join("inventory.ndjson"))
            .unwrap()
            .lines()
            .count(),
        11
    );
    let cease = order("order-cease.json").to_string();
    let chain = operator.pass(&["decompose", "--inventory", path], &cease);
    let plan = operator.pass(&["plan"], &chain);
    operator.pass(&["activate", "-o", "json", "--inventory", path], &plan);
    assert_eq!(
        fs::read_to_string(folder.join("products.json")).unwrap(),
        "[]\n"
    );
    assert_eq!(
        fs::read_to_string(folder.join("network.ndjson"))
            .unwrap()
            .trim(),
        party
    );
}

#[test]
fn without_an_installed_base_actions_are_handed_down() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(cargo_bin("orderctl"))
        .arg("decompose")
        .arg(example().join("order-modify.json"))
        .arg("--catalog")
        .arg(example().join("../catalog/broadband"))
        .current_dir(folder.path())
        .env_remove("ORDERCTL_INVENTORY")
        .output()
        .unwrap();
    // Half of the characteristics are not in the order, and nothing else says what they are.
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("decompose/inventory-needed"), "{said}");
    assert!(!said.contains("decompose/not-installed"), "{said}");
    assert!(
        said.contains("name the installed base with --inventory"),
        "{said}"
    );
}

fn documents(texts: &[Value]) -> Vec<Document> {
    texts
        .iter()
        .map(|text| Document::parse(text.to_string(), "given").unwrap())
        .collect()
}

/// A chain without its plan: an order and what it is decomposed into.
fn chain(catalog: &Catalog, inventory: &Inventory, order: &Value) -> Chain {
    let with = Decomposer {
        catalog,
        inventory: Some(inventory),
        explain: true,
    };
    let valid = |document: &Document| {
        let validation = Validation {
            catalog: Some(catalog),
            inventory: None,
            ..Validation::default()
        };
        assert!(
            validation.check(document).order.is_some(),
            "{:?}",
            validation.check(document).diagnostics
        );
    };
    let validation = Validation {
        catalog: Some(catalog),
        inventory: None,
        ..Validation::default()
    };
    let root = documents(std::slice::from_ref(order)).remove(0);
    valid(&root);
    let product = validation.check(&root).order.unwrap();
    let services = decompose::service_order(&with, &product)
        .unwrap()
        .document
        .unwrap();
    valid(&services);
    let service = validation.check(&services).order.unwrap();
    let resources = decompose::resource_order(&with, &service, Some(&product))
        .unwrap()
        .document;
    Chain {
        documents: [root.clone(), services.clone()]
            .into_iter()
            .chain(resources)
            .collect(),
    }
}

fn items(chain: &Chain, list: &str) -> Vec<String> {
    let of = |document: &Document| -> Vec<String> {
        let order: Value = serde_json::from_str(document.text()).unwrap();
        let items = order[list].as_array().cloned().unwrap_or_default();
        let entity = |it: &Value| {
            it["resource"]["id"]
                .as_str()
                .or(it["service"]["id"].as_str())
                .unwrap()
                .to_owned()
        };
        items
            .iter()
            .map(|it| format!("{} {}", it["action"].as_str().unwrap(), entity(it)))
            .collect()
    };
    chain.documents.iter().flat_map(of).collect()
}

/// An installed base as another system keeps it: ids of its own, and services between a service
/// and its resources.
fn foreign() -> Vec<Value> {
    let value = |name: &str, value: &str| json!({"name": name, "value": value});
    let technology = value("accessTechnology", "GPON");
    vec![
        json!({"@type": "Product", "id": "P", "productSpecification": {"id": "PS-RBA-01"},
            "productCharacteristic": [technology, value("servingArea", "OLT-EAST-07"),
                {"name": "downloadSpeed", "value": 200}, {"name": "wifiApp", "value": false}],
            "realizingService": [{"id": "S-CPE"}]}),
        json!({"@type": "CustomerFacingService", "id": "S-CPE",
            "serviceSpecification": {"id": "CFS-CPE-MGMT"},
            "serviceCharacteristic": [technology, value("router", "Huawei HG8245H"), value("deviceClass", "ONT")],
            "supportingService": [{"id": "F-ONT"}, {"id": "F-ACS"}]}),
        json!({"@type": "ResourceFacingService", "id": "F-ONT",
            "serviceSpecification": {"id": "RFS-CPE-PROVISIONING"}, "supportingResource": [{"id": "R-ONT"}]}),
        json!({"@type": "ResourceFacingService", "id": "F-ACS",
            "serviceSpecification": {"id": "RFS-TR069-CONFIG"}, "supportingResource": [{"id": "R-ACS"}]}),
        json!({"@type": "PhysicalResource", "id": "R-ONT", "resourceSpecification": {"id": "RS-ONT"}}),
        json!({"@type": "LogicalResource", "id": "R-ACS", "resourceSpecification": {"id": "RS-ACS-DEVICE"}}),
        json!({"@type": "Party", "id": "CUST-4821"}),
    ]
}

#[test]
fn an_installed_base_of_another_system_is_found_by_its_references() {
    let files = catalog::read_folder(&example().join("../catalog/broadband")).unwrap();
    let catalog = catalog::load(&files).unwrap().catalog.unwrap();
    let (mut inventory, findings) = Inventory::of(documents(&foreign()));
    assert!(findings.is_empty(), "{findings:?}");
    let product = inventory.product("P").unwrap();
    assert_eq!(inventory.services_of(&product).len(), 1);

    let mut order = order("order-modify.json");
    order["productOrderItem"][0]["product"] = json!({"id": "P", "productCharacteristic": [
        {"name": "router", "value": "Nokia G-240W-C"}]});
    let change = chain(&catalog, &inventory, &order);
    assert_eq!(
        items(&change, "serviceOrderItem"),
        ["add P.CFS-INTERNET-ACCESS", "modify S-CPE"],
        "Internet-Access is new here, WiFi is not wanted"
    );
    let touched = items(&change, "orderItem");
    assert!(touched.contains(&"modify R-ONT".to_owned()), "{touched:?}");
    assert!(touched.contains(&"modify R-ACS".to_owned()), "{touched:?}");
    assert_eq!(
        touched.iter().filter(|it| it.starts_with("add ")).count(),
        4
    );

    inventory.apply(inventory::after(&inventory, &change));
    let product = inventory.product("P").unwrap();
    assert_eq!(inventory.services_of(&product).len(), 2);
    let before: Vec<String> = inventory
        .documents()
        .map(|it| it.text().to_owned())
        .collect();
    inventory.apply(inventory::after(&inventory, &change));
    let after: Vec<String> = inventory
        .documents()
        .map(|it| it.text().to_owned())
        .collect();
    assert_eq!(before, after);

    order["id"] = "ORD-CEASE".into();
    order["productOrderItem"][0]["action"] = "delete".into();
    order["productOrderItem"][0]["product"] = json!({"id": "P"});
    let cease = chain(&catalog, &inventory, &order);
    assert!(
        items(&cease, "orderItem")
            .iter()
            .all(|it| it.starts_with("delete "))
    );
    inventory.apply(inventory::after(&inventory, &cease));
    let left: Vec<&str> = inventory.documents().map(Document::text).collect();
    assert_eq!(left, [r#"{"@type":"Party","id":"CUST-4821"}"#]);
}

#[test]
fn references_that_run_in_circles_end() {
    let files = catalog::read_folder(&example().join("../catalog/broadband")).unwrap();
    let catalog = catalog::load(&files).unwrap().catalog.unwrap();
    let mut documents_in_circles = foreign();
    documents_in_circles[1]["supportingService"] = json!([{"id": "S-CPE"}, {"id": "F-ONT"}]);
    documents_in_circles[2]["supportingService"] = json!([{"id": "S-CPE"}, {"id": "F-ONT"}]);
    let (inventory, _) = Inventory::of(documents(&documents_in_circles));
    let mut order = order("order-cease.json");
    order["productOrderItem"][0]["product"] = json!({"id": "P"});
    let cease = chain(&catalog, &inventory, &order);
    assert_eq!(items(&cease, "serviceOrderItem"), ["delete S-CPE"]);
    assert_eq!(items(&cease, "orderItem"), ["delete R-ONT"]);
}
