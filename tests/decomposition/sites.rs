//! Loops over a list of sites, and what becomes of them when the list changes.

use serde_json::{Value, json};

use crate::world::{World, actions, catalog, characteristics, item, order, related, value};

fn network(id: &str, action: &str, sites: &[Value]) -> Value {
    let values = json!({"sites": sites});
    let product = json!({"id": "N", "productCharacteristic": characteristics(&values)});
    order(id, action, "PO-NET", &product)
}

fn site(id: &str, role: &str, technology: &str) -> Value {
    json!({"id": id, "name": format!("Site {id}"), "role": role, "region": "east", "technology": technology})
}

fn three() -> Vec<Value> {
    vec![
        site("HQ", "hub", "fibre"),
        site("B1", "branch", "radio"),
        site("B2", "branch", "fibre"),
    ]
}

fn active(sites: &[Value]) -> World {
    let mut world = World::new(catalog("sites.yaml"));
    world.carry_out(&network("A", "add", sites));
    world
}

#[test]
fn every_site_gets_what_it_needs_and_branches_wait_for_the_hub() {
    let world = World::new(catalog("sites.yaml"));
    let made = world.decompose(&network("A", "add", &three()));
    assert_eq!(
        actions(&made.services()),
        [
            "add 1.CFS-SITE.HQ",
            "add 1.CFS-SITE.B1",
            "add 1.CFS-SITE.B2",
            "add CFS-CONTROLLER",
        ]
    );
    let services = made.services();
    let branch = item(&services, "1.CFS-SITE.B1");
    assert_eq!(related(branch, "dependency"), ["CFS-CONTROLLER"]);
    assert_eq!(
        branch["service"]["place"],
        json!([{"id": "B1", "name": "Site B1", "role": "site"}])
    );
    let resources = made.resources();
    assert_eq!(
        actions(&resources),
        [
            "add 1.CFS-SITE.HQ.RFS-FIBRE",
            "add 1.RFS-GATEWAY.east",
            "add 1.CFS-SITE.HQ.RFS-OVERLAY",
            "add 1.CFS-SITE.B1.RFS-RADIO.RS-RADIO",
            "add 1.CFS-SITE.B1.RFS-RADIO.RS-MAST",
            "add 1.CFS-SITE.B1.RFS-OVERLAY",
            "add 1.CFS-SITE.B2.RFS-FIBRE",
            "add 1.CFS-SITE.B2.RFS-OVERLAY",
            "add CFS-CONTROLLER.RS-CONTROLLER",
        ]
    );
    let overlay = item(&resources, "1.CFS-SITE.B1.RFS-OVERLAY");
    assert_eq!(
        related(overlay, "dependency"),
        [
            "1.CFS-SITE.HQ.RFS-OVERLAY",
            "1.CFS-SITE.B1.RFS-RADIO.RS-RADIO",
            "1.CFS-SITE.B1.RFS-RADIO.RS-MAST"
        ]
    );
    assert_eq!(overlay["orderItemRelationship"][1]["lag"], "PT10M");
    assert_eq!(
        value(overlay, "gateway"),
        "gw-east",
        "of a sibling that is shared"
    );
    let hub = item(&resources, "1.CFS-SITE.HQ.RFS-OVERLAY");
    assert_eq!(related(hub, "dependency"), ["1.CFS-SITE.HQ.RFS-FIBRE"]);
    let gateway = item(&resources, "1.RFS-GATEWAY.east");
    let sites = ["1.CFS-SITE.HQ", "1.CFS-SITE.B1", "1.CFS-SITE.B2"];
    assert_eq!(related(gateway, "realizes"), sites);
}

#[test]
fn a_new_site_touches_only_what_is_new() {
    let mut world = active(&three());
    let mut sites = three();
    sites.insert(0, site("B3", "branch", "fibre"));
    let more = world.carry_out(&network("B", "modify", &sites));
    assert_eq!(
        actions(&more.services()),
        [
            "add 1.CFS-SITE.B3",
            "noChange 1.CFS-SITE.HQ",
            "noChange 1.CFS-SITE.B1",
            "noChange 1.CFS-SITE.B2",
            "noChange CFS-CONTROLLER",
        ]
    );
    assert_eq!(
        actions(&more.resources()),
        [
            "add 1.CFS-SITE.B3.RFS-FIBRE",
            "noChange 1.RFS-GATEWAY.east",
            "add 1.CFS-SITE.B3.RFS-OVERLAY",
        ]
    );
    assert_eq!(world.below("N.CFS-SITE.B3").len(), 3);
}

#[test]
fn a_site_that_vanishes_is_removed_and_one_that_changes_is_changed() {
    let mut world = active(&three());
    let sites = [
        site("B2", "branch", "radio"),
        json!({"id": "HQ", "name": "Head office", "role": "hub", "region": "east", "technology": "fibre"}),
    ];
    let less = world.carry_out(&network("B", "modify", &sites));
    let services = less.services();
    assert_eq!(
        actions(&services),
        [
            "modify 1.CFS-SITE.B2",
            "modify 1.CFS-SITE.HQ",
            "delete 1.CFS-SITE.B1",
            "noChange CFS-CONTROLLER",
        ]
    );
    assert_eq!(
        value(item(&services, "1.CFS-SITE.B2"), "technology"),
        "radio"
    );
    let moved = &item(&services, "1.CFS-SITE.HQ")["service"];
    assert_eq!(moved["place"][0]["name"], "Head office");
    assert_eq!(
        moved.get("serviceCharacteristic"),
        None,
        "nothing but its place changes"
    );
    let resources = less.resources();
    let mut changed = actions(&resources);
    changed.retain(|it| !it.starts_with("noChange"));
    assert_eq!(
        changed,
        [
            "delete 1.CFS-SITE.B2.RFS-FIBRE",
            "add 1.CFS-SITE.B2.RFS-RADIO.RS-RADIO",
            "add 1.CFS-SITE.B2.RFS-RADIO.RS-MAST",
            "modify 1.CFS-SITE.HQ.RFS-FIBRE",
            "modify 1.CFS-SITE.HQ.RFS-OVERLAY",
            "delete 1.CFS-SITE.B1.RFS-RADIO.RS-RADIO",
            "delete 1.CFS-SITE.B1.RFS-RADIO.RS-MAST",
            "delete 1.CFS-SITE.B1.RFS-OVERLAY",
        ]
    );
    let overlay = item(&resources, "1.CFS-SITE.B1.RFS-OVERLAY");
    assert!(related(overlay, "dependency").contains(&"1.CFS-SITE.HQ.RFS-OVERLAY".to_owned()));
    assert!(
        !world.installed().iter().any(|it| it.contains("B1")),
        "{:?}",
        world.installed()
    );

    let cease = world.carry_out(&network("C", "delete", &[]));
    assert!(
        actions(&cease.resources())
            .iter()
            .all(|it| it.starts_with("delete "))
    );
    assert_eq!(world.installed(), [""; 0]);
}

#[test]
fn nested_loops_are_told_apart_by_all_their_keys() {
    let mut sites = three();
    sites[0]["devices"] = json!([{"number": 1, "kind": "router"}, {"number": 2, "kind": "none"}]);
    sites[2]["devices"] = json!([{"number": 1, "kind": "phone"}]);
    let mut world = active(&sites);
    assert!(
        world
            .installed()
            .contains(&"N.CFS-DEVICE.HQ.1.RFS-APP".to_owned())
    );
    sites[0]["devices"] = json!([{"number": 2, "kind": "camera"}]);
    let changed = world.carry_out(&network("B", "modify", &sites));
    let mut services = actions(&changed.services());
    services.retain(|it| it.contains("DEVICE"));
    assert_eq!(
        services,
        [
            "add 1.CFS-DEVICE.HQ.2",
            "noChange 1.CFS-DEVICE.B2.1",
            "delete 1.CFS-DEVICE.HQ.1"
        ]
    );
    let services = changed.services();
    let device = item(&services, "1.CFS-DEVICE.HQ.2");
    assert_eq!(related(device, "dependency"), ["1.CFS-SITE.HQ"]);
}

#[test]
fn elements_are_found_by_their_ids_when_the_product_no_longer_tells_of_them() {
    let mut world = active(&three());
    let cease = order("B", "delete", "PO-NET", &json!({"id": "N"}));
    // The product was kept by a system that knows no sites.
    let text: Vec<String> = world
        .inventory
        .documents()
        .map(|it| it.text().replace("\"sites\"", "\"locations\""))
        .collect();
    world.inventory = crate::world::inventory_of(&text);
    world.carry_out(&cease);
    assert_eq!(world.installed(), [""; 0]);
}

#[test]
fn a_controller_of_two_products_goes_with_the_last() {
    let mut world = World::new(catalog("sites.yaml"));
    let sites = json!([site("HQ", "hub", "fibre")]);
    let product = |id: &str| {
        let values = json!({"sites": sites});
        json!({"id": id, "productCharacteristic": characteristics(&values)})
    };
    let mut two = order("A", "add", "PO-NET", &product("N"));
    let mut second = two["productOrderItem"][0].clone();
    second["id"] = "2".into();
    second["product"] = product("M");
    two["productOrderItem"].as_array_mut().unwrap().push(second);
    let made = world.carry_out(&two);
    let services = made.services();
    let controller = item(&services, "CFS-CONTROLLER");
    assert_eq!(related(controller, "realizes"), ["1", "2"]);
    assert_eq!(controller["service"]["id"], "A.CFS-CONTROLLER");
    assert!(world.below("N").contains(&"A.CFS-CONTROLLER".to_owned()));
    assert!(world.below("M").contains(&"A.CFS-CONTROLLER".to_owned()));
    let site = item(&services, "2.CFS-SITE.HQ");
    assert_eq!(related(site, "dependency"), ["CFS-CONTROLLER"]);

    let first = world.carry_out(&order("B", "delete", "PO-NET", &json!({"id": "N"})));
    assert_eq!(actions(&first.services()), ["delete 1.CFS-SITE.HQ"]);
    assert!(
        first
            .told()
            .iter()
            .any(|it| it.ends_with("still used by M")),
        "{:#?}",
        first.told()
    );
    let last = world.carry_out(&order("C", "delete", "PO-NET", &json!({"id": "M"})));
    assert_eq!(
        actions(&last.services()),
        ["delete 1.CFS-SITE.HQ", "delete CFS-CONTROLLER"]
    );
    assert_eq!(world.installed(), [""; 0]);
}

#[test]
fn parents_that_choose_different_values_of_what_they_share_are_a_fault() {
    let world = World::new(catalog("sites.yaml"));
    let Err(faults) = world.try_decompose(&two_networks([Some("Silver"), Some("Gold")])) else {
        panic!("Silver and Gold are one");
    };
    assert_eq!(faults.0.len(), 1, "{faults:?}");
    assert_eq!(faults.0[0].code.0, "decompose/share-conflict");
}

#[test]
fn what_is_made_of_a_loop_can_be_told_of_the_order_that_made_it() {
    let mut world = active(&three());
    let ticket = |world: &World, site: &str| {
        let id = format!("N.CFS-SITE.{site}");
        let document = world
            .inventory
            .documents()
            .find(|it| it.root().text("id").as_deref() == Some(&*id));
        let document: Value = serde_json::from_str(document.unwrap().text()).unwrap();
        let list = document["serviceCharacteristic"]
            .as_array()
            .unwrap()
            .clone();
        list.into_iter().find(|it| it["name"] == "ticket").unwrap()["value"].clone()
    };
    assert_eq!(ticket(&world, "B1"), "A/B1");
    let mut sites = three();
    sites[1]["technology"] = "fibre".into();
    world.carry_out(&network("B", "modify", &sites));
    assert_eq!(
        ticket(&world, "B1"),
        "A/B1",
        "nothing that it looks at but the order has changed"
    );
}

#[test]
fn what_is_one_of_several_has_its_key_in_its_name() {
    let mut sites = three();
    sites[0]["devices"] = json!([{"number": 1, "kind": "router"}]);
    let mut world = World::new(catalog("sites.yaml"));
    let names = |items: &[Value]| -> Vec<String> {
        let name = |it: &Value| {
            let entity = it.get("service").unwrap_or(&it["resource"]);
            entity["name"].as_str().unwrap().to_owned()
        };
        items.iter().map(name).collect()
    };
    let made = world.carry_out(&network("A", "add", &sites));
    let services = [
        "Site (HQ)",
        "Site (B1)",
        "Site (B2)",
        "Device (HQ.1)",
        "Controller",
    ];
    assert_eq!(names(&made.services()), services);
    let resources = [
        "Fibre (HQ)",
        "Gateway (east)",
        "Overlay (HQ)",
        "Radio (B1)",
        "Mast (B1)",
        "Overlay (B1)",
        "Fibre (B2)",
        "Overlay (B2)",
        "App (HQ.1)",
        "Controller",
    ];
    assert_eq!(names(&made.resources()), resources);
    // What goes is called as it was.
    let cease = world.carry_out(&network("B", "delete", &[]));
    let mut gone = names(&cease.resources());
    gone.sort();
    let mut made = resources;
    made.sort_unstable();
    assert_eq!(gone, made);
}

/// An order for two networks, which share a controller, of these tiers.
fn two_networks(tiers: [Option<&str>; 2]) -> Value {
    let mut two = network("A", "add", &three());
    let first = two["productOrderItem"][0].take();
    let items = ["N", "M"].into_iter().zip(tiers).enumerate();
    let items = items.map(|(position, (id, tier))| {
        let mut item = first.clone();
        item["id"] = (position + 1).to_string().into();
        item["product"]["id"] = id.into();
        let values = item["product"]["productCharacteristic"].as_array_mut();
        values
            .unwrap()
            .extend(tier.map(|tier| json!({"name": "tier", "value": tier})));
        item
    });
    two["productOrderItem"] = items.collect();
    two
}

#[test]
fn what_one_parent_chooses_counts_for_more_than_what_holds_for_another_by_default() {
    for tiers in [[None, Some("Gold")], [Some("Gold"), None]] {
        let mut world = World::new(catalog("sites.yaml"));
        let made = world.carry_out(&two_networks(tiers));
        let (services, resources) = (made.services(), made.resources());
        assert_eq!(value(item(&services, "CFS-CONTROLLER"), "tier"), "Gold");
        assert_eq!(resources.len(), 17);
        // It stays so when the network for which nothing was chosen changes.
        let other = usize::from(tiers[0].is_some());
        let mut sites = three();
        sites.truncate(2);
        let mut change = network("B", "modify", &sites);
        change["productOrderItem"][0]["product"]["id"] = ["N", "M"][other].into();
        let changed = world.carry_out(&change);
        assert!(
            actions(&changed.services()).contains(&"noChange CFS-CONTROLLER".to_owned()),
            "{:?}",
            actions(&changed.services())
        );
    }
    let world = World::new(catalog("sites.yaml"));
    let made = world.decompose(&two_networks([None, None]));
    assert_eq!(
        value(item(&made.services(), "CFS-CONTROLLER"), "tier"),
        "Silver"
    );
}
