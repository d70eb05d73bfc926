//! Orders of which a part could not be done: what of them is installed, and how the rest follows.

use super::*;

/// The catalog of the example.
fn broadband() -> Catalog {
    let files = catalog::read_folder(&example().join("../catalog/broadband")).unwrap();
    catalog::load(&files).unwrap().catalog.unwrap()
}

/// A chain that has ended; the resources with these specifications could not be done.
fn ended(chain: &Chain, failed: &[&str]) -> Chain {
    let end = |document: &Document| {
        let mut order: Value = serde_json::from_str(document.text()).unwrap();
        for item in order["orderItem"].as_array_mut().into_iter().flatten() {
            let specification = item["resourceSpecification"]["id"].as_str().unwrap();
            let failed = failed.contains(&specification);
            item["state"] = if failed { "failed" } else { "completed" }.into();
        }
        Document::parse(order.to_string(), "ended").unwrap()
    };
    Chain {
        documents: chain.documents.iter().map(end).collect(),
    }
}

fn install(inventory: &mut Inventory, chain: &Chain) -> Vec<String> {
    let changes = inventory::after(inventory, chain);
    inventory.apply(changes);
    let mut texts: Vec<String> = inventory
        .documents()
        .map(|it| it.text().to_owned())
        .collect();
    texts.sort();
    texts
}

fn document(inventory: &Inventory, id: &str) -> Value {
    let mut documents = inventory.documents();
    let found = documents.find(|it| it.root().text("id").as_deref() == Some(id));
    found.map_or(Value::Null, |it| serde_json::from_str(it.text()).unwrap())
}

fn ids(value: &Value) -> Vec<&str> {
    let list = value.as_array().into_iter().flatten();
    list.map(|it| it["id"].as_str().unwrap()).collect()
}

/// The specification behind a resource of the example.
fn specification(chain: &Chain, item: &str) -> String {
    let order = chain.documents.last().unwrap();
    let order: Value = serde_json::from_str(order.text()).unwrap();
    let mut items = order["orderItem"].as_array().unwrap().iter();
    let found = items.find(|it| it["id"].as_str().unwrap().ends_with(item));
    found.unwrap()["resourceSpecification"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn what_failed_is_not_installed_and_a_modify_adds_it() {
    let catalog = broadband();
    let mut inventory = Inventory::default();
    let add = chain(&catalog, &inventory, &order("order.json"));
    let qos = specification(&add, "RFS-QOS-PROFILE");
    let wifi = specification(&add, "RFS-CLOUD-WIFI");
    let part = ended(&add, &[&qos, &wifi]);
    let once = install(&mut inventory, &part);
    assert_eq!(install(&mut inventory, &part), once, "given twice");

    let access = format!("{JANE}.CFS-INTERNET-ACCESS");
    let service = document(&inventory, &access);
    assert_eq!(service["operatingStatus"], "degraded");
    assert_eq!(service["serviceOrderItem"][0]["role"], "partial");
    let resources = ids(&service["supportingResource"]);
    assert_eq!(resources.len(), 3);
    assert!(!resources.contains(&format!("{access}.RFS-QOS-PROFILE").as_str()));
    let product = document(&inventory, JANE);
    assert_eq!(product["productOrderItem"][0]["role"], "partial");
    let services = ids(&product["realizingService"]);
    assert_eq!(services, [access.as_str(), &format!("{JANE}.CFS-CPE-MGMT")]);
    let whole = document(&inventory, &format!("{JANE}.CFS-CPE-MGMT"));
    assert_eq!(whole["operatingStatus"], Value::Null);
    assert_eq!(whole["serviceOrderItem"][0]["role"], Value::Null);

    // The same characteristics as before: nothing but what is missing is to be done.
    let mut change = order("order-modify.json");
    let item = &mut change["productOrderItem"][0];
    item["product"] = json!({"id": JANE});
    item["productOffering"] = order("order.json")["productOrderItem"][0]["productOffering"].clone();
    let change = chain(&catalog, &inventory, &change);
    assert_eq!(
        items(&change, "orderItem")
            .into_iter()
            .filter(|it| !it.starts_with("noChange"))
            .collect::<Vec<_>>(),
        [
            format!("add {access}.RFS-QOS-PROFILE"),
            format!("add {JANE}.CFS-WIFI-MGMT.RFS-CLOUD-WIFI")
        ]
    );
    install(&mut inventory, &ended(&change, &[]));
    let service = document(&inventory, &access);
    assert_eq!(service["operatingStatus"], "running");
    assert_eq!(ids(&service["supportingResource"]).len(), 4);
    assert_eq!(
        ids(&document(&inventory, JANE)["realizingService"]).len(),
        3
    );

    // The order that was done in part is an old story now.
    let before = install(&mut inventory, &Chain::default());
    assert_eq!(install(&mut inventory, &part), before);
}

#[test]
fn where_more_of_the_same_order_is_done_later_the_rest_is_added() {
    let catalog = broadband();
    let add = chain(&catalog, &Inventory::default(), &order("order.json"));
    let qos = specification(&add, "RFS-QOS-PROFILE");
    let wifi = specification(&add, "RFS-CLOUD-WIFI");
    let mut at_once = Inventory::default();
    let expected = install(&mut at_once, &ended(&add, &[]));
    let mut inventory = Inventory::default();
    install(&mut inventory, &ended(&add, &[&qos, &wifi]));
    install(&mut inventory, &ended(&add, &[&qos]));
    let service = document(&inventory, &format!("{JANE}.CFS-WIFI-MGMT"));
    assert_eq!(service["operatingStatus"], Value::Null);
    install(&mut inventory, &ended(&add, &[]));
    let ids = |texts: &[String]| -> Vec<String> {
        let id = |text: &String| {
            let value: Value = serde_json::from_str(text).unwrap();
            value["id"].as_str().unwrap().to_owned()
        };
        let mut ids: Vec<String> = texts.iter().map(id).collect();
        ids.sort();
        ids
    };
    let texts = install(&mut inventory, &ended(&add, &[]));
    assert_eq!(ids(&texts), ids(&expected));
    let access = document(&inventory, &format!("{JANE}.CFS-INTERNET-ACCESS"));
    assert_eq!(access["operatingStatus"], "running");
    assert_eq!(access["serviceOrderItem"].as_array().unwrap().len(), 1);
    assert_eq!(access["serviceOrderItem"][0]["role"], Value::Null);
}

#[test]
fn a_change_that_was_done_in_part_is_still_to_be_made() {
    let catalog = broadband();
    let mut inventory = Inventory::default();
    let add = chain(&catalog, &inventory, &order("order.json"));
    let before = install(&mut inventory, &ended(&add, &[]));
    let faster = chain(&catalog, &inventory, &order("order-modify.json"));
    let qos = specification(&faster, "RFS-QOS-PROFILE");
    let none = install(&mut inventory, &ended(&faster, &[&qos]));
    assert_eq!(none, before, "the only change has failed");
    assert_eq!(
        items(
            &chain(&catalog, &inventory, &order("order-modify.json")),
            "orderItem"
        )
        .len(),
        items(&faster, "orderItem").len()
    );

    // Of two changes, one.
    let mut both = order("order-modify.json");
    both["productOrderItem"][0]["product"]["productCharacteristic"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "router", "value": "Nokia G-240W-C"}));
    let change = chain(&catalog, &inventory, &both);
    install(&mut inventory, &ended(&change, &[&qos]));
    let product = document(&inventory, JANE);
    let speed = |product: &Value| {
        let mut list = product["productCharacteristic"].as_array().unwrap().iter();
        list.find(|it| it["name"] == "downloadSpeed").unwrap()["value"].clone()
    };
    assert_eq!(speed(&product), 200);
    let again = chain(&catalog, &inventory, &both);
    let touched = items(&again, "orderItem");
    let touched: Vec<_> = touched
        .iter()
        .filter(|it| it.starts_with("modify"))
        .collect();
    assert_eq!(
        touched,
        [&format!(
            "modify {JANE}.CFS-INTERNET-ACCESS.RFS-QOS-PROFILE"
        )]
    );
    install(&mut inventory, &ended(&again, &[]));
    assert_eq!(speed(&document(&inventory, JANE)), 500);
}

#[test]
fn what_nothing_undoes_in_a_cancelled_change_is_installed_as_it_is_now() {
    let catalog = broadband();
    let mut inventory = Inventory::default();
    let add = chain(&catalog, &inventory, &order("order.json"));
    install(&mut inventory, &ended(&add, &[]));
    let faster = chain(&catalog, &inventory, &order("order-modify.json"));
    let qos = specification(&faster, "RFS-QOS-PROFILE");
    let cancelled = |chain: &Chain, undone: &[&str]| {
        let end = |document: &Document| {
            let mut order: Value = serde_json::from_str(document.text()).unwrap();
            order["state"] = "cancelled".into();
            for item in order["orderItem"].as_array_mut().into_iter().flatten() {
                if item["state"] == "failed" {
                    item["state"] = "cancelled".into();
                }
            }
            Document::parse(order.to_string(), "cancelled").unwrap()
        };
        Chain {
            documents: ended(chain, undone).documents.iter().map(end).collect(),
        }
    };
    let profile = format!("{JANE}.CFS-INTERNET-ACCESS.RFS-QOS-PROFILE");
    let value = |inventory: &Inventory, name: &str| {
        let resource = document(inventory, &profile);
        let list = resource["resourceCharacteristic"].as_array().unwrap();
        let found = list.iter().find(|it| it["name"] == name);
        found.unwrap()["value"].clone()
    };

    let mut undone = inventory.clone();
    install(&mut undone, &cancelled(&faster, &[&qos]));
    assert_eq!(value(&undone, "downstreamRate"), 200_000);

    install(&mut inventory, &cancelled(&faster, &[]));
    assert_eq!(value(&inventory, "downstreamRate"), 500_000);
}

#[test]
fn what_could_not_be_removed_stays_with_what_holds_it() {
    let catalog = broadband();
    let mut inventory = Inventory::default();
    let add = chain(&catalog, &inventory, &order("order.json"));
    install(&mut inventory, &ended(&add, &[]));
    let cease = chain(&catalog, &inventory, &order("order-cease.json"));
    let bearer = specification(&cease, "RFS-GPON-BEARER");
    install(&mut inventory, &ended(&cease, &[&bearer]));
    let mut left: Vec<_> = inventory
        .documents()
        .map(|it| it.root().text("id").unwrap().into_owned())
        .collect();
    left.sort();
    let access = format!("{JANE}.CFS-INTERNET-ACCESS");
    let bearer = format!("{access}.RFS-GPON-BEARER");
    assert_eq!(left, [JANE, &access, &bearer]);
    let service = document(&inventory, &access);
    assert_eq!(ids(&service["supportingResource"]), [bearer.as_str()]);

    let mut again = order("order-cease.json");
    again["id"] = "ORD-AGAIN".into();
    let again = chain(&catalog, &inventory, &again);
    assert_eq!(items(&again, "orderItem"), [format!("delete {bearer}")]);
    install(&mut inventory, &ended(&again, &[]));
    assert_eq!(inventory.documents().count(), 0);
}

#[test]
fn what_a_person_left_out_is_not_installed() {
    let catalog = broadband();
    let mut inventory = Inventory::default();
    let mut add = ended(&chain(&catalog, &inventory, &order("order.json")), &[]);
    let wifi = format!("{JANE}.CFS-WIFI-MGMT");
    let item = items(&add, "orderItem")
        .into_iter()
        .find(|it| it.ends_with("RFS-CLOUD-WIFI"));
    assert!(item.is_some());
    let plan = json!({"@type": "OrchestrationPlan", "taskFlow": [
        {"id": "1.CFS-WIFI-MGMT.RFS-CLOUD-WIFI", "state": "completed", "outcome": "skipped"}]});
    add.documents.extend(documents(&[plan]));
    install(&mut inventory, &add);
    assert_eq!(document(&inventory, &wifi), Value::Null);
    assert_eq!(
        ids(&document(&inventory, JANE)["realizingService"]).len(),
        2
    );
}

/// The order through the pipe: held, given up by a person, partial, then mended by a change.
#[test]
fn a_partial_order_and_the_change_that_follows() {
    let operator = Operator::with_faults(&["wifi:1=422"]);
    let add = operator.plan(&order("order.json"));
    let held = operator.run(&["activate", "-o", "json"], &add);
    assert_eq!(held.status.code(), Some(3));
    assert!(
        !operator.path("inventory.ndjson").exists(),
        "it has not ended"
    );
    let order_and_task = ["task", "fail", "ORD-4821-0001", "Cloud-WiFi"];
    let why = ["--by", "jane", "--reason", "not sold here"];
    operator.pass(&[order_and_task, why].concat(), "");
    let mut ended = Vec::new();
    for _ in 0..2 {
        let output = operator.run(&["activate", "-o", "json"], &add);
        assert_eq!(output.status.code(), Some(1));
        ended.push(operator.inventory());
    }
    assert_eq!(ended[0], ended[1]);
    let wifi = format!("{JANE}.CFS-WIFI-MGMT");
    assert_eq!(operator.installed(&wifi), None);
    let done = operator.carry_out(&order("order-modify.json"));
    assert_eq!(methods(&done), ["PATCH QoS-Profile", "POST Cloud-WiFi"]);
    assert_eq!(operator.installed(&wifi).unwrap()["state"], "active");
    let product = operator.installed(JANE).unwrap();
    assert_eq!(ids(&product["realizingService"]).len(), 3);
}

#[test]
fn a_rehearsal_keeps_its_times_to_the_end() {
    let operator = Operator::new();
    let add = operator.plan(&order("order.json"));
    operator.pass(&["activate", "-o", "json", "--clock", "virtual"], &add);
    let journal = rusqlite::Connection::open(operator.path("journal.db")).unwrap();
    let mut entries = journal
        .prepare("SELECT at, kind FROM entry ORDER BY seq")
        .unwrap();
    let entries: Vec<(String, String)> = entries
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(entries.is_sorted_by_key(|(at, _)| at), "{entries:?}");
    assert_eq!(entries.last().unwrap().1, "installed");
}
