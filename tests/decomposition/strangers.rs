//! Things of a loop that are installed under ids which another system gave.

use serde_json::{Value, json};

use crate::world::{
    World, actions, catalog, characteristics, inventory_of, item, order, related, value,
};

fn television(id: &str, action: &str, boxes: &Value) -> Value {
    let values = json!({"boxes": boxes});
    let product = json!({"id": "TV", "productCharacteristic": characteristics(&values)});
    order(id, action, "PO-TV", &product)
}

fn boxes() -> Value {
    json!([
        {"room": "attic", "model": "A", "tuners": 2},
        {"room": "cellar", "model": "A", "tuners": 1}
    ])
}

/// What is installed, in the words of a system that gives numbers to things.
fn installed(rename: &[(&str, &str)]) -> World {
    let mut world = World::new(catalog("home.yaml"));
    world.carry_out(&television("A", "add", &boxes()));
    let text = |text: &str| {
        let numbers = [
            ("TV.CFS-BOX.attic.RFS-TUNER.1", "R-1"),
            ("TV.CFS-BOX.attic.RFS-TUNER.2", "R-2"),
            ("TV.CFS-BOX.cellar.RFS-TUNER.1", "R-3"),
            ("TV.CFS-BOX.attic.RFS-KEY", "R-4"),
            ("TV.CFS-BOX.cellar.RFS-KEY", "R-5"),
            ("TV.CFS-BOX.attic", "S-1"),
            ("TV.CFS-BOX.cellar", "S-2"),
        ];
        let names = [(" (attic", " ("), (" (cellar", " (")];
        let all = numbers.iter().chain(&names).chain(rename);
        all.fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let documents: Vec<String> = (world.inventory.documents())
        .map(|it| text(it.text()))
        .collect();
    world.inventory = inventory_of(&documents);
    world
}

#[test]
fn they_are_known_by_the_characteristics_that_are_their_keys() {
    let mut world = installed(&[]);
    let changed = json!([
        {"room": "cellar", "model": "B", "tuners": 2},
        {"room": "attic", "model": "A", "tuners": 1}
    ]);
    let made = world.carry_out(&television("B", "modify", &changed));
    let services = made.services();
    let expected = ["modify 1.CFS-BOX.cellar", "modify 1.CFS-BOX.attic"];
    assert_eq!(actions(&services), expected);
    assert_eq!(item(&services, "1.CFS-BOX.cellar")["service"]["id"], "S-2");
    let resources = made.resources();
    assert_eq!(
        actions(&resources),
        [
            "modify 1.CFS-BOX.cellar.RFS-TUNER.1",
            "add 1.CFS-BOX.cellar.RFS-TUNER.2",
            "noChange 1.CFS-BOX.cellar.RFS-KEY",
            "noChange 1.CFS-BOX.attic.RFS-TUNER.1",
            "delete 1.CFS-BOX.attic.RFS-TUNER.2",
            "noChange 1.CFS-BOX.attic.RFS-KEY",
        ]
    );
    let tuner = item(&resources, "1.CFS-BOX.cellar.RFS-TUNER.1");
    assert_eq!(tuner["resource"]["id"], "R-3");
    assert_eq!(value(tuner, "model"), "B");
    let gone = item(&resources, "1.CFS-BOX.attic.RFS-TUNER.2");
    assert_eq!(gone["resource"]["id"], "R-2");
}

#[test]
fn they_are_known_by_the_keys_in_their_names() {
    let mut world = World::new(catalog("home.yaml"));
    world.carry_out(&television("A", "add", &boxes()));
    let documents: Vec<String> = (world.inventory.documents())
        .map(|it| it.text().replace("TV.CFS-BOX.", "S-"))
        .map(|it| it.replace("\"room\"", "\"area\""))
        .collect();
    world.inventory = inventory_of(&documents);
    let mut same = boxes();
    same[0]["model"] = "B".into();
    let made = world.decompose(&television("B", "modify", &same));
    assert_eq!(
        actions(&made.services()),
        ["modify 1.CFS-BOX.attic", "modify 1.CFS-BOX.cellar"]
    );
}

#[test]
fn what_nothing_tells_apart_is_refused_by_name() {
    for (rename, said) in [
        (
            &[
                ("\"number\"", "\"port\""),
                ("Tuner (.1)", "Tuner"),
                ("Tuner (.2)", "Tuner"),
            ][..],
            "nothing tells whether item `1.CFS-BOX.attic.RFS-TUNER.1` is about an installed resource of RS-TUNER: `R-1`, `R-2`",
        ),
        (
            &[(
                "\"name\":\"number\",\"valueType\":\"integer\",\"value\":2",
                "\"name\":\"number\",\"valueType\":\"integer\",\"value\":1",
            )],
            "item `1.CFS-BOX.attic.RFS-TUNER.1` may be about each of the installed resources `R-1`, `R-2`: nothing tells them apart",
        ),
    ] {
        let world = installed(rename);
        let mut changed = boxes();
        changed[0]["model"] = "B".into();
        let Err(faults) = world.try_decompose(&television("B", "modify", &changed)) else {
            panic!("{said}");
        };
        assert_eq!(faults.0[0].code.0, "decompose/unclear-installed");
        assert!(
            faults.0[0].message.ends_with(said),
            "{:?}",
            faults.0[0].message
        );
    }
}

#[test]
fn they_go_after_what_depends_on_them_even_where_nothing_tells_them_apart() {
    let names = [
        ("\"number\"", "\"port\""),
        ("Tuner (.", "Tuner "),
        ("\"room\"", "\"area\""),
    ];
    let mut world = installed(&names);
    let cease = world.carry_out(&television("B", "delete", &json!([])));
    let resources = cease.resources();
    assert_eq!(resources.len(), 5);
    let tuner = resources
        .iter()
        .find(|it| it["resource"]["id"] == "R-1")
        .unwrap();
    assert_eq!(related(tuner, "dependency").len(), 1, "{tuner:#}");
    assert_eq!(world.installed(), [""; 0]);
}
