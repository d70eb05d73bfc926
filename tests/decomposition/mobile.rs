//! Several services that share one resource.

use serde_json::{Value, json};

use crate::world::{
    World, actions, catalog, catalog_of, characteristics, item, order, related, value, yaml,
};

const HSS: &str = "1.RFS-HSS";

fn subscription(id: &str, action: &str, values: &Value) -> Value {
    let product = json!({"id": "P1", "productCharacteristic": characteristics(values)});
    order(id, action, "PO-MOBILE", &product)
}

fn active() -> World {
    let mut world = World::new(catalog("mobile.yaml"));
    world.carry_out(&subscription(
        "A",
        "add",
        &json!({"imsi": "505", "msisdn": "0412", "voicemail": true}),
    ));
    world
}

#[test]
fn what_several_services_need_is_made_once_with_every_parent() {
    let world = World::new(catalog("mobile.yaml"));
    let values = json!({"imsi": "505", "msisdn": "0412", "voicemail": true});
    let made = world.decompose(&subscription("A", "add", &values));
    let resources = made.resources();
    assert_eq!(
        actions(&resources),
        [
            "add 1.RFS-HSS",
            "add 1.CFS-DATA.RFS-PCRF",
            "add 1.CFS-VOICE.RFS-HLR",
            "add 1.CFS-VOICEMAIL.RFS-BOX",
        ]
    );
    let hss = item(&resources, HSS);
    assert_eq!(
        related(hss, "realizes"),
        ["1.CFS-DATA", "1.CFS-VOICE", "1.CFS-VOICEMAIL"]
    );
    assert_eq!(hss["resource"]["id"], "P1.RFS-HSS");
    // What only one parent gives is taken.
    assert_eq!(value(hss, "apn"), "internet");
    assert_eq!(value(hss, "msisdn"), "0412");
    let hlr = item(&resources, "1.CFS-VOICE.RFS-HLR");
    assert_eq!(related(hlr, "dependency"), [HSS]);
    let box_ = item(&resources, "1.CFS-VOICEMAIL.RFS-BOX");
    assert_eq!(related(box_, "dependency"), ["1.CFS-VOICE.RFS-HLR"]);
}

#[test]
fn it_is_installed_once_and_every_parent_refers_to_it() {
    let world = active();
    assert_eq!(
        world.below("P1.CFS-DATA"),
        ["P1.RFS-HSS", "P1.CFS-DATA.RFS-PCRF"]
    );
    assert_eq!(
        world.below("P1.CFS-VOICE"),
        ["P1.RFS-HSS", "P1.CFS-VOICE.RFS-HLR"]
    );
    assert_eq!(
        world.below("P1.CFS-VOICEMAIL"),
        ["P1.RFS-HSS", "P1.CFS-VOICEMAIL.RFS-BOX"]
    );
}

#[test]
fn a_new_parent_refers_to_what_is_there_and_the_last_one_takes_it_along() {
    let mut world = World::new(catalog("mobile.yaml"));
    world.carry_out(&subscription(
        "A",
        "add",
        &json!({"imsi": "505", "msisdn": "0412"}),
    ));
    let more = world.carry_out(&subscription("B", "modify", &json!({"voicemail": true})));
    assert_eq!(
        actions(&more.resources()),
        ["noChange 1.RFS-HSS", "add 1.CFS-VOICEMAIL.RFS-BOX"]
    );
    assert_eq!(
        world.below("P1.CFS-VOICEMAIL"),
        ["P1.RFS-HSS", "P1.CFS-VOICEMAIL.RFS-BOX"]
    );

    let less = world.carry_out(&subscription("C", "modify", &json!({"voicemail": false})));
    assert_eq!(
        actions(&less.resources()),
        ["delete 1.CFS-VOICEMAIL.RFS-BOX"]
    );
    assert!(
        less.told()
            .iter()
            .any(|it| it.contains("still used by P1.CFS-DATA, P1.CFS-VOICE")),
        "{:#?}",
        less.told()
    );
    assert_eq!(
        world.below("P1.CFS-VOICE"),
        ["P1.RFS-HSS", "P1.CFS-VOICE.RFS-HLR"]
    );

    let cease = world.carry_out(&subscription("D", "delete", &json!({})));
    let resources = cease.resources();
    assert_eq!(
        actions(&resources),
        [
            "delete 1.RFS-HSS",
            "delete 1.CFS-DATA.RFS-PCRF",
            "delete 1.CFS-VOICE.RFS-HLR"
        ]
    );
    let hss = item(&resources, HSS);
    assert_eq!(related(hss, "realizes"), ["1.CFS-DATA", "1.CFS-VOICE"]);
    let pcrf = item(&resources, "1.CFS-DATA.RFS-PCRF");
    assert_eq!(
        related(pcrf, "dependency"),
        [HSS],
        "what goes first is known"
    );
    assert_eq!(world.installed(), [""; 0]);
}

#[test]
fn a_change_of_what_is_shared_is_one_change() {
    let mut world = active();
    let moved = world.carry_out(&subscription("B", "modify", &json!({"msisdn": "0499"})));
    let resources = moved.resources();
    let hss = item(&resources, HSS);
    assert_eq!(hss["action"], "modify");
    assert_eq!(value(hss, "msisdn"), "0499");
    assert_eq!(value(hss, "apn"), Value::Null, "only what changes is sent");
    assert_eq!(related(hss, "realizes"), ["1.CFS-VOICE", "1.CFS-VOICEMAIL"]);
}

#[test]
fn an_order_that_is_looked_at_once_more_gives_the_same() {
    let mut world = World::new(catalog("mobile.yaml"));
    let add = subscription("A", "add", &json!({"imsi": "505", "voicemail": true}));
    let first = world.carry_out(&add);
    let again = world.carry_out(&add);
    assert_eq!(first.resources(), again.resources());
    assert_eq!(first.services(), again.services());
}

#[test]
fn without_an_installed_base_actions_are_handed_down() {
    let mut world = World::new(catalog("mobile.yaml"));
    world.compares = false;
    let values = json!({"imsi": "505", "voicemail": true});
    for action in ["add", "modify", "delete"] {
        let made = world.decompose(&subscription("A", action, &values));
        let hss = format!("{action} {HSS}");
        assert!(actions(&made.resources()).contains(&hss), "{action}");
    }
}

#[test]
fn the_first_rule_whose_condition_holds_is_taken_and_inherits_the_rest() {
    let world = World::new(catalog("mobile.yaml"));
    for (data, quota) in [(50, json!(50)), (500, json!(-1))] {
        let values = json!({"imsi": "505", "data": data});
        let made = world.decompose(&subscription("A", "add", &values));
        let resources = made.resources();
        let pcrf = item(&resources, "1.CFS-DATA.RFS-PCRF");
        assert_eq!(value(pcrf, "quota"), quota);
        assert_eq!(related(pcrf, "dependency"), [HSS]);
    }
}

/// The catalog in which voicemail's rule says that the subscriber comes after the box, and data's
/// that it comes after the policy.
fn chosen_by_parents() -> World {
    let yaml = yaml("mobile.yaml");
    let yaml = yaml.replace(
        "id: R-VOICEMAIL-HSS\n",
        "id: R-VOICEMAIL-HSS\ndependsOn: [{id: RFS-BOX}]\n",
    );
    let yaml = yaml.replace("dependsOn: [{id: RFS-HSS}]\n", "");
    let yaml = yaml.replace(
        "id: R-DATA-HSS\n",
        "id: R-DATA-HSS\ndependsOn: [{id: RFS-PCRF}]\n",
    );
    World::new(catalog_of(
        &yaml.replace("dependsOn: [{id: RFS-HLR}]\n", ""),
    ))
}

#[test]
fn what_is_shared_waits_for_what_the_rule_of_any_parent_says_in_both_directions() {
    let first = ["1.CFS-DATA.RFS-PCRF", "1.CFS-VOICEMAIL.RFS-BOX"];
    let mut world = chosen_by_parents();
    let values = json!({"imsi": "505", "msisdn": "0412", "voicemail": true});
    let add = world.carry_out(&subscription("A", "add", &values));
    assert_eq!(related(item(&add.resources(), HSS), "dependency"), first);
    let cease = world.decompose(&subscription("B", "delete", &json!({})));
    assert_eq!(related(item(&cease.resources(), HSS), "dependency"), first);
}

#[test]
fn what_a_rule_gives_counts_for_more_than_what_another_parent_has_by_default() {
    let by_default = yaml("mobile.yaml").replace(
        "id: CFS-VOICE\nname: Voice\nspecCharacteristic: [",
        "id: CFS-VOICE\nname: Voice\nspecCharacteristic: [{name: apn, valueType: string, \
         characteristicValueSpecification: [{value: ims, isDefault: true}]}, ",
    );
    let mut world = World::new(catalog_of(&by_default));
    let made = world.carry_out(&subscription("A", "add", &json!({"imsi": "505"})));
    let voice = item(&made.services(), "1.CFS-VOICE").clone();
    assert_eq!(value(&voice, "apn"), "ims");
    assert_eq!(value(item(&made.resources(), HSS), "apn"), "internet");
    let moved = world.decompose(&subscription("B", "modify", &json!({"msisdn": "0499"})));
    let resources = moved.resources();
    let hss = item(&resources, HSS);
    assert_eq!(value(hss, "msisdn"), "0499");
    assert_eq!(value(hss, "apn"), Value::Null, "it stays as it is");
}
