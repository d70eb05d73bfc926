//! Services inside services, shared and looped.

use serde_json::{Value, json};

use crate::world::{World, actions, catalog, characteristics, item, order, related};

const FIREWALL: &str = "O.HQ.CFS-FIREWALL";

fn office(id: &str, action: &str, values: &Value) -> Value {
    let place = json!([{"id": "HQ", "name": "Head office", "role": "office", "@type": "RelatedPlaceRefOrValue"}]);
    let product =
        json!({"id": "O", "place": place, "productCharacteristic": characteristics(values)});
    order(id, action, "PO-OFFICE", &product)
}

fn active(values: &Value) -> World {
    let mut world = World::new(catalog("inside.yaml"));
    world.carry_out(&office("A", "add", values));
    world
}

#[test]
fn a_service_inside_two_others_is_held_by_both() {
    let world = active(&json!({"safeMail": true, "safeWeb": true, "phones": ["1", "2"]}));
    let made = world.decompose(&office(
        "A",
        "add",
        &json!({"safeMail": true, "safeWeb": true}),
    ));
    let services = made.services();
    assert_eq!(
        actions(&services),
        [
            "add 1.CFS-MAIL",
            "add 1.HQ.CFS-FIREWALL",
            "add 1.HQ.CFS-FIREWALL.CFS-FILTER",
            "add 1.CFS-WEB"
        ]
    );
    let firewall = item(&services, "1.HQ.CFS-FIREWALL");
    assert_eq!(related(firewall, "realizes"), ["1"]);
    assert_eq!(firewall["service"]["id"], FIREWALL);
    assert_eq!(firewall["service"]["place"][0]["id"], "HQ");
    for holder in ["1.CFS-MAIL", "1.CFS-WEB"] {
        assert_eq!(
            related(item(&services, holder), "bundles"),
            ["1.HQ.CFS-FIREWALL"]
        );
    }
    assert_eq!(world.below("O"), ["O.CFS-MAIL", "O.CFS-WEB"]);
    assert_eq!(
        world.below("O.CFS-MAIL"),
        [
            FIREWALL,
            "O.CFS-MAIL.CFS-PHONE.1",
            "O.CFS-MAIL.CFS-PHONE.2",
            "O.CFS-MAIL.RS-MAIL"
        ]
    );
    assert_eq!(world.below("O.CFS-WEB"), [FIREWALL, "O.CFS-WEB.RS-WEB"]);
    assert_eq!(
        world.below(FIREWALL),
        [
            "O.HQ.CFS-FIREWALL.CFS-FILTER",
            "O.HQ.CFS-FIREWALL.RS-FIREWALL"
        ]
    );
}

#[test]
fn a_service_that_no_longer_wants_it_lets_go_of_it() {
    let mut world = active(&json!({"safeMail": true, "safeWeb": true}));
    let less = world.carry_out(&office("B", "modify", &json!({"safeMail": false})));
    let services = less.services();
    assert_eq!(
        actions(&services),
        [
            "modify 1.CFS-MAIL",
            "noChange 1.HQ.CFS-FIREWALL",
            "noChange 1.HQ.CFS-FIREWALL.CFS-FILTER",
            "noChange 1.CFS-WEB"
        ],
        "{:#?}",
        less.told()
    );
    let firewall = item(&services, "1.HQ.CFS-FIREWALL");
    assert_eq!(related(firewall, "releases"), ["1.CFS-MAIL"]);
    assert_eq!(world.below("O.CFS-MAIL"), ["O.CFS-MAIL.RS-MAIL"]);
    assert_eq!(world.below("O.CFS-WEB"), [FIREWALL, "O.CFS-WEB.RS-WEB"]);

    let none = world.carry_out(&office("C", "modify", &json!({"web": false})));
    let services = none.services();
    assert_eq!(
        actions(&services),
        [
            "noChange 1.CFS-MAIL",
            "delete 1.CFS-WEB",
            "delete 1.HQ.CFS-FIREWALL",
            "delete 1.HQ.CFS-FIREWALL.CFS-FILTER"
        ],
        "{:#?}",
        none.told()
    );
    assert_eq!(world.installed(), ["O", "O.CFS-MAIL", "O.CFS-MAIL.RS-MAIL"]);
}

#[test]
fn a_service_that_begins_to_want_it_finds_it() {
    let mut world = active(&json!({"safeMail": false, "safeWeb": true}));
    let more = world.carry_out(&office("B", "modify", &json!({"safeMail": true})));
    assert!(actions(&more.services()).contains(&"noChange 1.HQ.CFS-FIREWALL".to_owned()));
    assert!(world.below("O.CFS-MAIL").contains(&FIREWALL.to_owned()));
    let cease = world.carry_out(&office("C", "delete", &json!({})));
    let services = actions(&cease.services());
    assert_eq!(
        services.iter().filter(|it| it.contains("FIREWALL")).count(),
        2,
        "{services:?}"
    );
    assert_eq!(world.installed(), [""; 0]);
}

#[test]
fn a_list_inside_a_service_is_compared_element_by_element() {
    let mut world =
        active(&json!({"safeMail": false, "safeWeb": false, "phones": ["1", "2", "3"]}));
    let changed = world.carry_out(&office("B", "modify", &json!({"phones": ["4", "2"]})));
    let mut services = actions(&changed.services());
    services.retain(|it| it.contains("PHONE"));
    assert_eq!(
        services,
        [
            "add 1.CFS-MAIL.CFS-PHONE.4",
            "noChange 1.CFS-MAIL.CFS-PHONE.2",
            "delete 1.CFS-MAIL.CFS-PHONE.1",
            "delete 1.CFS-MAIL.CFS-PHONE.3"
        ]
    );
    assert_eq!(
        world.below("O.CFS-MAIL"),
        [
            "O.CFS-MAIL.CFS-PHONE.2",
            "O.CFS-MAIL.CFS-PHONE.4",
            "O.CFS-MAIL.RS-MAIL"
        ]
    );
}
