//! Which place things are at, however it is written, and what is shared there.

use orderctl::decompose::NotDecomposable;
use serde_json::{Value, json};

use crate::world::{
    Decomposed, World, actions, catalog, catalog_of, characteristics, inventory_of, item, order,
    related,
};

/// A way to write a place of this name.
type Spelling = fn(&str) -> Value;

const SPELLINGS: [Spelling; 4] = [by_id, by_href, by_value, wrapped];

fn by_id(name: &str) -> Value {
    json!({"id": name, "name": name, "role": "site"})
}

fn by_href(name: &str) -> Value {
    json!({"href": format!("https://places.example/site/{name}"), "role": "site"})
}

fn by_value(name: &str) -> Value {
    json!({"name": name, "street": format!("{name} street"), "role": "site", "@type": "GeographicAddress"})
}

fn wrapped(name: &str) -> Value {
    json!({"role": "site", "@type": "RelatedPlaceRefOrValue", "place": {"@type": "PlaceRef", "id": name}})
}

/// A network of sites, each with its number and its place.
fn network(id: &str, action: &str, sites: &[(&str, Value)]) -> Value {
    let sites = sites.iter();
    let sites: Vec<Value> = sites
        .map(|(number, place)| json!({"number": number, "place": place}))
        .collect();
    let values = json!({"sites": sites});
    let product = json!({"id": "N", "productCharacteristic": characteristics(&values)});
    order(id, action, "PO-NET", &product)
}

fn active(sites: &[(&str, Value)]) -> World {
    let mut world = World::new(catalog("places.yaml"));
    world.carry_out(&network("A", "add", sites));
    world
}

/// Actions and ids of the resources, and what each waits for.
fn waits(decomposed: &Decomposed) -> Vec<String> {
    let resources = decomposed.resources();
    let actions = actions(&resources).into_iter().zip(&resources);
    actions
        .map(|(action, it)| match related(it, "dependency").join(", ") {
            none if none.is_empty() => action,
            before => format!("{action} after {before}"),
        })
        .collect()
}

/// The cabinets that a site has.
fn cabinets(world: &World, site: &str) -> Vec<String> {
    let mut below = world.below(&format!("N.CFS-SITE.{site}"));
    below.retain(|it| it.ends_with("CABINET"));
    below
}

/// The words of what an order is refused for.
fn refused(world: &World, order: &Value) -> Vec<String> {
    let Err(NotDecomposable(faults)) = world.try_decompose(order) else {
        panic!("it is decomposed");
    };
    let told = faults.iter();
    told.map(|it| format!("{}: {}", it.code.0, it.message))
        .collect()
}

#[test]
fn however_places_are_written_the_same_waits_for_the_same() {
    for at in SPELLINGS {
        let mut reversed = at("east");
        reversed["role"] = json!("other role");
        let sites = [("1", at("east")), ("2", at("west")), ("3", reversed)];
        let mut world = World::new(catalog("places.yaml"));
        let made = world.carry_out(&network("A", "add", &sites));
        assert_eq!(
            waits(&made),
            [
                "add 1.east.RFS-CABINET",
                "add 1.CFS-SITE.1.RFS-PORT after 1.east.RFS-CABINET",
                "add 1.west.RFS-CABINET",
                "add 1.CFS-SITE.2.RFS-PORT after 1.west.RFS-CABINET",
                "add 1.CFS-SITE.3.RFS-PORT after 1.east.RFS-CABINET",
            ],
            "{}",
            sites[0].1
        );
        // Nothing moves.
        let same = world.carry_out(&network("B", "modify", &sites));
        let changed = actions(&same.services());
        assert!(
            changed.iter().all(|it| it.starts_with("noChange")),
            "{changed:?}"
        );
    }
}

#[test]
fn who_moves_gets_a_new_one_and_who_stays_keeps_the_old_one() {
    for at in SPELLINGS {
        let mut world = active(&[("1", at("east")), ("2", at("east"))]);
        let moved = [("1", at("east")), ("2", at("west"))];
        let made = world.carry_out(&network("B", "modify", &moved));
        assert_eq!(
            waits(&made),
            [
                "add 1.west.RFS-CABINET",
                "noChange 1.east.RFS-CABINET",
                "modify 1.CFS-SITE.2.RFS-PORT after 1.west.RFS-CABINET",
            ],
            "{}",
            moved[0].1
        );
        let resources = made.resources();
        let kept = item(&resources, "1.east.RFS-CABINET");
        assert_eq!(related(kept, "releases"), ["1.CFS-SITE.2"]);
        assert_eq!(cabinets(&world, "1"), ["N.east.RFS-CABINET"]);
        assert_eq!(cabinets(&world, "2"), ["N.west.RFS-CABINET"]);

        let cease = world.carry_out(&network("C", "delete", &[]));
        assert_eq!(cease.resources().len(), 4);
        assert_eq!(world.installed(), [""; 0]);
    }
}

#[test]
fn what_is_left_by_all_goes_once_they_have_moved() {
    for at in SPELLINGS {
        let mut world = active(&[("1", at("east")), ("2", at("east"))]);
        let moved = [("1", at("west")), ("2", at("west"))];
        let made = world.carry_out(&network("B", "modify", &moved));
        // Of what is removed, who depends on it comes first.
        assert_eq!(
            waits(&made),
            [
                "add 1.west.RFS-CABINET",
                "delete 1.east.RFS-CABINET",
                "modify 1.CFS-SITE.1.RFS-PORT after 1.west.RFS-CABINET, 1.east.RFS-CABINET",
                "modify 1.CFS-SITE.2.RFS-PORT after 1.west.RFS-CABINET, 1.east.RFS-CABINET",
            ],
            "{}",
            moved[0].1
        );
        let installed = world.installed();
        assert!(
            !installed.iter().any(|it| it.contains("east")),
            "{installed:?}"
        );
    }
}

#[test]
fn who_moves_to_where_one_is_joins_in() {
    let mut world = active(&[("1", by_id("east")), ("2", by_id("west"))]);
    let moved = [
        ("1", by_id("east")),
        ("2", by_id("east")),
        ("3", by_id("west")),
    ];
    let made = world.carry_out(&network("B", "modify", &moved));
    assert_eq!(
        waits(&made),
        [
            "noChange 1.east.RFS-CABINET",
            "noChange 1.west.RFS-CABINET",
            "modify 1.CFS-SITE.2.RFS-PORT after 1.east.RFS-CABINET",
            "add 1.CFS-SITE.3.RFS-PORT after 1.west.RFS-CABINET",
        ]
    );
    assert_eq!(cabinets(&world, "1"), ["N.east.RFS-CABINET"]);
    assert_eq!(cabinets(&world, "2"), ["N.east.RFS-CABINET"]);
    assert_eq!(cabinets(&world, "3"), ["N.west.RFS-CABINET"]);
}

/// Two sites in one building; another system has given the cabinet its id, and its place.
fn with_a_stranger(place: &Value) -> World {
    let mut world = active(&[("1", by_id("east")), ("2", by_id("east"))]);
    let text = |text: &str| {
        let text = text.replace("N.east.RFS-CABINET", "C-1");
        if !text.contains("RS-CABINET") {
            return text;
        }
        let mut cabinet: Value = serde_json::from_str(&text).unwrap();
        cabinet["place"] = place.clone();
        cabinet["name"] = json!("Cabinet");
        cabinet.to_string()
    };
    let documents = world.inventory.documents();
    let documents: Vec<String> = documents.map(|it| text(it.text())).collect();
    world.inventory = inventory_of(&documents);
    world
}

#[test]
fn what_another_system_gave_an_id_is_known_by_its_place_or_by_that_of_who_has_it() {
    for place in [by_id("east"), by_id("rack 7"), Value::Null] {
        let world = with_a_stranger(&place);
        let moved = [("1", by_id("east")), ("2", by_id("west"))];
        let made = world.decompose(&network("B", "modify", &moved));
        let resources = made.resources();
        let cabinets = resources.iter().map(|it| &it["resource"]["id"]);
        assert_eq!(
            cabinets.collect::<Vec<_>>(),
            ["N.west.RFS-CABINET", "C-1", "N.CFS-SITE.2.RFS-PORT"],
            "{place}"
        );
        // The same place by another name.
        let mut renamed = by_id("east");
        renamed["name"] = json!("east end");
        let stay = [("1", by_id("east")), ("2", renamed)];
        let made = world.decompose(&network("B", "modify", &stay));
        let resources = made.resources();
        assert_eq!(
            actions(&resources),
            ["modify 1.east.RFS-CABINET", "modify 1.CFS-SITE.2.RFS-PORT"]
        );
        assert_eq!(resources[0]["resource"]["id"], "C-1");
    }
}

#[test]
fn a_place_of_which_no_id_can_be_made_is_refused_where_something_is_shared() {
    let world = World::new(catalog("places.yaml"));
    let nameless = json!({"street": "High Street", "city": "X", "role": "site"});
    assert_eq!(
        refused(&world, &network("A", "add", &[("1", nameless)])),
        [
            "decompose/share-place: rule `R-CABINET`, element `1`: it is shared at a site, and there is no place with an `id`, `href` or `name`"
        ]
    );
}

#[test]
fn places_that_lead_to_one_id_are_refused_where_something_is_shared() {
    let world = World::new(catalog("places.yaml"));
    let sites = [("1", by_id("east")), ("2", by_value("east"))];
    assert_eq!(
        refused(&world, &network("A", "add", &sites)),
        [
            "decompose/share-place: rule `R-CABINET`, element `2`: it is shared at a site, and two places lead to the item `1.east.RFS-CABINET`"
        ]
    );
}

#[test]
fn what_moves_by_value_is_moved() {
    let mut world = active(&[("1", by_value("east"))]);
    let mut there = by_value("east");
    there["street"] = json!("another street");
    let made = world.carry_out(&network("B", "modify", &[("1", there.clone())]));
    let resources = made.resources();
    let port = item(&resources, "1.CFS-SITE.1.RFS-PORT");
    assert_eq!(port["action"], "modify");
    assert_eq!(port["resource"]["place"], there);
}

/// A line and a service on it for each site, both told apart by these keys, and at the place of the
/// site if that is written.
fn lines(keys: [&str; 2], place: &str) -> World {
    let rule = |target: &str, key: &str, after: &str| {
        format!(
            r#"
- "@type": DecompositionRule
  formatVersion: "1.0"
  id: R-{target}
  source: {{id: PS-NET}}
  target: {{id: CFS-{target}}}
  forEach: {{in: source.sites, as: site{key}}}
{place}{after}"#
        )
    };
    let service = |id: &str| {
        format!(
            r#"
- {{"@type": CustomerFacingServiceSpecification, id: CFS-{id}, name: {id}}}"#
        )
    };
    let product = r#"
- {"@type": ProductOffering, id: PO-NET, name: Net, productSpecification: {id: PS-NET}}
- "@type": ProductSpecification
  id: PS-NET
  name: Net
  productSpecCharacteristic: [{name: sites, valueType: object, maxCardinality: 0}]"#;
    let after = "  dependsOn: [{id: CFS-LINE, scope: site}]\n";
    World::new(catalog_of(&format!(
        "{product}{}{}{}{}",
        service("LINE"),
        service("VOICE"),
        rule("LINE", keys[0], ""),
        rule("VOICE", keys[1], after)
    )))
}

/// What the services of an order of two sites in one building wait for.
fn in_one_building(world: &World) -> Vec<Vec<String>> {
    let site = |id: &str, name: &str| json!({"id": id, "name": name, "place": by_id("east")});
    // The product itself has no place.
    let values = json!({"sites": [site("1", "a"), site("2", "b")]});
    let product = json!({"id": "N", "productCharacteristic": characteristics(&values)});
    let made = world.decompose(&order("A", "add", "PO-NET", &product));
    let services = made.services();
    let voices = services.iter().filter(|it| {
        it["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("1.CFS-VOICE"))
    });
    voices.map(|it| related(it, "dependency")).collect()
}

#[test]
fn elements_of_one_list_are_told_apart_at_one_place_where_their_keys_are_the_same() {
    let apart = [["1.CFS-LINE.1"], ["1.CFS-LINE.2"]];
    let both = ["1.CFS-LINE.1", "1.CFS-LINE.2"];
    // What has no place is where else something has none.
    for place in ["  place: site.place\n", ""] {
        for keys in [
            ["", ""],
            ["", ", key: site.id"],
            [", key: site.id", ", key: site.id"],
        ] {
            assert_eq!(in_one_building(&lines(keys, place)), apart, "{keys:?}");
        }
        // Nothing tells which element of the one is which of the other: their place does.
        let world = lines(["", ", key: site.name"], place);
        assert_eq!(in_one_building(&world), [both, both]);
    }
}
