//! Which place things are at, however it is written, and what is shared there.

use orderctl::decompose::NotDecomposable;
use serde_json::{Value, json};

use crate::world::{Decomposed, World, actions, catalog, characteristics, item, order, related};

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
fn a_place_of_which_no_id_can_be_made_is_refused_where_something_is_shared() {
    let world = World::new(catalog("places.yaml"));
    let nameless = json!({"street": "High Street", "city": "X", "role": "site"});
    assert_eq!(
        refused(&world, &network("A", "add", &[("1", nameless)])),
        [
            "decompose/share-place: rule `R-CABINET`: it is shared at a site, and there is no place with an `id`, `href` or `name`"
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
            "decompose/share-place: rule `R-CABINET`: it is shared at a site, and two places lead to the item `1.east.RFS-CABINET`"
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
