//! Endpoints that give ids of their own to what they make: what is installed is changed and removed under
//! these.

use super::*;

/// Endpoints that name what they make themselves.
const OWN: &str = "formatVersion = \"1.0\"\n[endpoint.\"*\"]\nids = \"own\"\n";

const ENDPOINTS: [&str; 7] = ["acs", "bng", "cmts", "ipam", "olt", "warehouse", "wifi"];

impl Operator {
    fn naming_itself(faults: &[&str]) -> Operator {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script.toml");
        fs::write(&script, OWN).unwrap();
        let script = script.to_str().unwrap();
        let faults = faults.iter().flat_map(|fault| ["--fail", *fault]);
        Operator::playing(["--script", script].into_iter().chain(faults))
    }

    /// What there is at the endpoints, by endpoint and id.
    fn resources(&self) -> Vec<String> {
        let at = |name: &&str| {
            let body = fetch::resources(&self.address, name, "");
            let list: Value = serde_json::from_str(&body).unwrap();
            let ids = list.as_array().unwrap().iter();
            let ids = ids.map(|it| format!("{name} {}", it["id"].as_str().unwrap()));
            ids.collect::<Vec<_>>()
        };
        ENDPOINTS.iter().flat_map(at).collect()
    }

    /// The ids that are noted of what is installed, by endpoint.
    fn noted(&self) -> Vec<String> {
        let text = self.inventory();
        let documents = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lists = documents.filter_map(|it| it["externalIdentifier"].as_array().cloned());
        let mut noted: Vec<String> = lists
            .flatten()
            .map(|it| {
                assert_eq!(it["externalIdentifierType"], "Resource");
                let text = |key: &str| it[key].as_str().unwrap().to_owned();
                format!("{} {}", text("owner"), text("id"))
            })
            .collect();
        noted.sort();
        noted
    }
}

#[test]
fn what_endpoints_have_named_themselves_is_changed_and_removed_under_that_name() {
    // Of the change it has to be asked what came of it, under that name.
    let operator = Operator::naming_itself(&["bng/method=PATCH:1=lost"]);
    let add = operator.plan(&order("order.json"));
    operator.pass(&["activate", "-o", "json"], &add);
    let there = operator.resources();
    assert_eq!(there.len(), 7);
    assert!(
        there.contains(&"olt olt-1".to_owned()),
        "no id that was asked for: {there:?}"
    );
    assert_eq!(operator.noted(), there);
    // The order is still itself, and what is installed is made up for by the journal.
    assert_eq!(operator.plan(&order("order.json")), add);
    let installed = operator.inventory();
    fs::remove_file(operator.path("inventory.ndjson")).unwrap();
    operator.pass(&["activate", "-o", "json"], &add);
    assert_eq!(operator.inventory(), installed);

    let qos = format!("{JANE}.CFS-INTERNET-ACCESS.RFS-QOS-PROFILE");
    let noted = operator.installed(&qos).unwrap()["externalIdentifier"].clone();
    let id = noted[0]["id"].as_str().unwrap().to_owned();
    let plan = operator.plan(&order("order-modify.json"));
    let flow: Value = serde_json::from_str(plan.lines().last().unwrap()).unwrap();
    let task = &flow["taskFlow"][0];
    for request in [&task["request"], &task["compensation"]["request"]] {
        assert_eq!(request["method"], "PATCH");
        assert_eq!(request["path"], format!("resource/{id}"));
        assert_eq!(request["body"]["id"], id.as_str());
        assert_eq!(request["body"].get("externalIdentifier"), None);
    }
    operator.pass(&["activate", "-o", "json"], &plan);
    let rate = operator.value(&qos, "resourceCharacteristic", "downstreamRate");
    assert_eq!(rate, 500_000);
    assert_eq!(operator.noted(), there);
    assert_eq!(operator.resources(), there);

    operator.carry_out(&order("order-cease.json"));
    assert_eq!(operator.resources(), Vec::<String>::new());
    assert_eq!(operator.inventory(), "");
}

#[test]
fn what_was_removed_and_is_there_again_has_the_name_that_it_was_given_then() {
    let operator = Operator::naming_itself(&["olt/method=DELETE:1=422 port in use"]);
    operator.carry_out(&order("order.json"));
    let first = operator.resources();
    let cease = order("order-cease.json");
    let held = operator.run(&["activate", "-o", "json"], &operator.plan(&cease));
    assert_eq!(held.status.code(), Some(3));
    let left = operator.resources();
    assert!(left.len() < first.len(), "{left:?}");
    let id = cease["id"].as_str().unwrap();
    let cancel = operator.pass(&["plan", "--cancel", id], "");
    operator.pass(&["activate", "-o", "json"], &cancel);
    let again = operator.resources();
    assert_eq!(again.len(), first.len());
    assert_ne!(again, first);
    assert_eq!(operator.noted(), again);
    let installed = operator.inventory();
    operator.pass(&["activate", "-o", "json"], &cancel);
    assert_eq!(operator.inventory(), installed);

    let mut cease = cease;
    cease["id"] = "ORD-4821-0099".into();
    cease["externalId"] = "CRM-99".into();
    operator.carry_out(&cease);
    assert_eq!(operator.resources(), Vec::<String>::new());
}
