//! The example stories, changed, cancelled and gone on with at every point of their way, and undone
//! wherever they fail. All of it is watched: orders and items are in states only that the standards' life cycles
//! lead to.

use serde_json::Value;

use super::story::{Decided, Point, Story, Things, Underway, Watch, World};
use super::*;
use crate::inventory::Inventory;
use crate::plan::flow::Disposition;
use crate::revision::{Pinned, Refusal};

/// Changes something in an order.
type Change = fn(&Story, &mut Value);

/// A story, and ways to change its order.
struct Changes {
    story: &'static str,
    /// What is ordered first.
    ordered: Change,
    /// What is ordered in its place.
    changed: &'static [(&'static str, Change)],
    /// What is ordered once that is there, by files.
    later: &'static [(&'static str, Change)],
}

fn set(order: &mut Value, name: &str, value: Value) {
    let product = &mut order["productOrderItem"][0]["product"];
    let list = product["productCharacteristic"].as_array_mut().unwrap();
    match list.iter_mut().find(|it| it["name"] == name) {
        Some(known) => known["value"] = value,
        None => list.push(json!({"name": name, "value": value})),
    }
}

fn get(order: &Value, name: &str) -> Value {
    let product = &order["productOrderItem"][0]["product"];
    let list = product["productCharacteristic"].as_array().unwrap();
    let known = list.iter().find(|it| it["name"] == name);
    known.unwrap()["value"].clone()
}

/// Changes the elements of a list.
fn elements(order: &mut Value, name: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let mut list = get(order, name);
    change(list.as_array_mut().unwrap());
    set(order, name, list);
}

/// Orders the first item once more, as another item.
fn once_more(order: &mut Value, id: &str) {
    let mut item = order["productOrderItem"][0].clone();
    item["id"] = id.into();
    let items = order["productOrderItem"].as_array_mut().unwrap();
    items.push(item);
}

/// Orders another offering.
fn offer(order: &mut Value, id: &str, name: &str) {
    let offering = &mut order["productOrderItem"][0]["productOffering"];
    *offering = json!({"id": id, "name": name, "@referredType": "ProductOffering"});
}

/// As in another order of the story.
fn as_in(story: &Story, order: &mut Value, file: &str, name: &str) {
    set(order, name, get(&story.order(file), name));
}

const AS_IT_IS: Change = |_, _| {};

/// A pilot of two vehicles and some more: the thousand differ in nothing.
const FEW: Change = |_, order| {
    elements(order, "vehicles", |vehicles| {
        let added = vehicles.split_off(500);
        vehicles.truncate(52);
        vehicles.drain(2..50);
        vehicles.extend(added.into_iter().take(2));
    });
};

const STORIES: [Changes; 8] = [
    Changes {
        story: "broadband-b2c",
        ordered: AS_IT_IS,
        changed: &[
            ("faster", |_, order| set(order, "downloadSpeed", 500.into())),
            ("without WiFi", |_, order| {
                set(order, "wifiApp", false.into());
            }),
            ("static address", |_, order| {
                set(order, "staticIp", true.into());
            }),
            ("over cable", |_, order| {
                set(order, "accessTechnology", "HFC".into());
                set(order, "servingArea", "CMTS-RICHMOND-02".into());
                set(order, "router", "Technicolor CGA4234".into());
            }),
            ("elsewhere", |_, order| {
                let place = &mut order["productOrderItem"][0]["product"]["place"][0];
                place.as_object_mut().unwrap().remove("href");
                place["name"] = "44 Fibre Lane, Melbourne VIC 3000".into();
            }),
            ("another line", |_, order| once_more(order, "2")),
        ],
        later: &[
            ("order-modify.json", AS_IT_IS),
            ("order-cease.json", AS_IT_IS),
        ],
    },
    Changes {
        story: "fixed-b2b",
        ordered: AS_IT_IS,
        changed: &[
            ("faster", |_, order| set(order, "bandwidth", 1000.into())),
            ("other classes", |story, order| {
                as_in(story, order, "order-tiers.json", "sites");
            }),
            ("a site more", |story, order| {
                as_in(story, order, "order-modify-site.json", "sites");
            }),
            ("a site less", |_, order| {
                elements(order, "sites", |sites| drop(sites.remove(1)));
            }),
            ("at the list price", |_, order| {
                set(order, "negotiatedPrice", false.into());
            }),
        ],
        later: &[
            ("order-modify-site.json", AS_IT_IS),
            ("order-modify-tier.json", AS_IT_IS),
            ("order-cease.json", AS_IT_IS),
        ],
    },
    Changes {
        story: "mobile-4g",
        ordered: AS_IT_IS,
        changed: &[
            ("more data", |_, order| {
                offer(order, "PO-4GXP-01", "4G Extra Plus");
                set(order, "dataAllowance", 20.into());
            }),
            ("without voicemail", |_, order| {
                set(order, "voicemail", "none".into());
            }),
            ("a new number", |_, order| {
                set(order, "portIn", false.into());
            }),
        ],
        later: &[
            ("order-modify-data.json", AS_IT_IS),
            ("order-modify-voicemail.json", AS_IT_IS),
            ("order-cease.json", AS_IT_IS),
        ],
    },
    Changes {
        story: "sdwan-b2b",
        ordered: AS_IT_IS,
        changed: &[
            ("another class", |_, order| {
                offer(order, "PO-SDWAN-S01", "Managed SD-WAN Silver");
                set(order, "slaTier", "Silver".into());
            }),
            ("a site more", |story, order| {
                as_in(story, order, "order-modify-site.json", "sites");
            }),
            ("a site less", |_, order| {
                elements(order, "sites", |sites| drop(sites.pop()));
            }),
        ],
        later: &[
            ("order-modify-site.json", AS_IT_IS),
            ("order-modify-closed.json", AS_IT_IS),
            ("order-cease.json", AS_IT_IS),
        ],
    },
    Changes {
        story: "mobile-5g",
        ordered: FEW,
        changed: &[
            ("more vehicles", |story, order| {
                let all = get(&story.order("order.json"), "vehicles");
                elements(order, "vehicles", |vehicles| {
                    vehicles.extend([all[2].clone(), all[60].clone()]);
                });
            }),
            ("fewer vehicles", |_, order| {
                elements(order, "vehicles", |vehicles| {
                    vehicles.remove(3);
                    vehicles.remove(0);
                });
            }),
            ("slower to answer", |_, order| {
                set(order, "urllcLatency", 20.into());
            }),
        ],
        later: &[
            ("order-modify-250.json", FEW),
            ("order-cease.json", AS_IT_IS),
        ],
    },
    Changes {
        story: "satellite-maritime",
        ordered: AS_IT_IS,
        changed: &[
            ("faster", |_, order| {
                set(order, "downloadSpeed", 50.into());
                set(order, "uploadSpeed", 10.into());
            }),
            ("another ocean", |_, order| {
                set(order, "region", "Pacific Ocean".into());
            }),
        ],
        later: &[
            ("order-modify-50.json", AS_IT_IS),
            ("order-cease.json", AS_IT_IS),
        ],
    },
    Changes {
        story: "cloud-msp",
        ordered: AS_IT_IS,
        changed: &[
            ("larger", |story, order| {
                as_in(story, order, "order-modify-grow.json", "environments");
            }),
            ("an environment less", |_, order| {
                elements(order, "environments", |all| drop(all.pop()));
            }),
            ("another tier", |_, order| {
                set(order, "supportTier", "Business".into());
            }),
            ("without approval", |_, order| {
                set(order, "monthlyCommitment", 9000.into());
            }),
        ],
        later: &[
            ("order-modify-grow.json", AS_IT_IS),
            ("order-cease.json", AS_IT_IS),
        ],
    },
    Changes {
        story: "broadband-b2c",
        ordered: |_, order| once_more(order, "2"),
        changed: &[
            ("one line less", |_, order| {
                order["productOrderItem"].as_array_mut().unwrap().pop();
            }),
            ("one of them faster", |_, order| {
                set(order, "downloadSpeed", 500.into());
            }),
        ],
        later: &[],
    },
];

/// An order on its way, and all the moments of it.
struct Way {
    decided: Decided,
    points: Vec<(Point, Watch)>,
    /// What there was before, and is behind it.
    before: Things,
    after: Things,
}

impl Way {
    async fn of(decided: Decided, before: Things) -> Self {
        let world = World::of(&before);
        let mut underway = decided.clone().begun();
        let (report, points) = underway.points(&world).await;
        assert_eq!(report.state, RunState::Completed);
        let mut watch = Watch::of(&decided);
        let mut watched = Vec::new();
        for point in points {
            watch.look(&point.entries);
            watched.push((point, watch.clone()));
        }
        Self {
            decided,
            points: watched,
            before,
            after: world.things(),
        }
    }

    /// Goes on with it as if nothing had been asked for.
    async fn go_on(&self, (point, watch): &(Point, Watch)) {
        let world = World::of(&point.things);
        let mut underway = Underway::at(&self.decided, point);
        let report = underway.carry_out(&world).await;
        assert_eq!(report.state, RunState::Completed, "{}", underway.told());
        assert_eq!(world.things(), self.after, "{}", underway.told());
        ended(watch, &underway, "completed");
    }
}

/// All orders have come to this end.
fn ended(watch: &Watch, underway: &Underway, end: &str) {
    let mut watch = watch.clone();
    let cycles = watch.look(&underway.log.kept());
    let ends = cycles.ends();
    assert!(!ends.is_empty(), "{}", underway.told());
    let all = ends.values().all(|state| *state == end);
    assert!(all, "{:?}\n{}", cycles.ways(), underway.told());
}

/// Whether one of the tasks has begun whose start cannot be undone.
fn is_pinned(decided: &Decided, point: &Point) -> bool {
    let progress = Progress::replay(decided.plan(), &point.entries).unwrap();
    let mut tasks = decided.plan().task_flow.iter();
    tasks.any(|it| it.point_of_no_return && progress.task(&it.id).unwrap().attempts > 0)
}

async fn changed_at_every_point(changes: &Changes) {
    let story = Story::open(changes.story);
    let mut order = story.order("order.json");
    (changes.ordered)(&story, &mut order);
    let nothing = Inventory::default();
    let way = Way::of(story.decide(&order, &nothing), Things::new()).await;
    for (name, change) in changes.changed {
        let mut order = order.clone();
        change(&story, &mut order);
        order["version"] = "2".into();
        let new = story.decide(&order, &nothing);
        let wanted = Way::of(new.clone(), Things::new()).await.after;
        let mut done = 0;
        for at in &way.points {
            let (point, watch) = at;
            let mut underway = Underway::at(&way.decided, point);
            match underway.amend(&new) {
                Ok(()) => done += 1,
                Err(Refusal::Ended) => continue,
                Err(Refusal::Pinned(_)) if is_pinned(&way.decided, point) => {
                    way.go_on(at).await;
                    continue;
                }
                Err(refusal) => panic!("{name}: {refusal}\n{}", underway.told()),
            }
            let world = World::of(&point.things);
            let report = underway.carry_out(&world).await;
            let label = || format!("{}, {name}\n{}", changes.story, underway.told());
            assert_eq!(report.state, RunState::Completed, "{}", label());
            assert_eq!(world.things(), wanted, "{}", label());
            ended(watch, &underway, "completed");
        }
        assert!(done > way.points.len() / 2);
    }
}

async fn cancelled_at_every_point(changes: &Changes) {
    let story = Story::open(changes.story);
    let mut order = story.order("order.json");
    (changes.ordered)(&story, &mut order);
    let nothing = Inventory::default();
    let way = Way::of(story.decide(&order, &nothing), Things::new()).await;
    cancelled(&way, Pinned::Refuse).await;
    let (last, _) = way.points.last().unwrap();
    if is_pinned(&way.decided, last) {
        cancelled(&way, Pinned::Force).await;
    }
}

/// Changed halfway, and then once more, or cancelled, at every point of what is left.
async fn changed_twice(changes: &Changes) {
    let story = Story::open(changes.story);
    let mut order = story.order("order.json");
    (changes.ordered)(&story, &mut order);
    let nothing = Inventory::default();
    let way = Way::of(story.decide(&order, &nothing), Things::new()).await;
    let (point, watch) = &way.points[way.points.len() / 2];
    let versions = changes.changed.iter().map(|(_, change)| {
        let mut order = order.clone();
        change(&story, &mut order);
        order["version"] = "2".into();
        story.decide(&order, &nothing)
    });
    let versions: Vec<Decided> = versions.collect();
    let mut done = 0;
    for (first, second) in versions.iter().zip(versions.iter().cycle().skip(1)) {
        let mut underway = Underway::at(&way.decided, point);
        underway.amend(first).unwrap();
        let world = World::of(&point.things);
        let (report, points) = underway.points(&world).await;
        assert_eq!(report.state, RunState::Completed);
        let wanted = Way::of(second.clone(), Things::new()).await.after;
        // Twenty of them, where there are many: the pairs are many, too.
        for point in points.iter().step_by(1 + points.len() / 20) {
            let mut again = Underway::at(&underway.decided, point);
            let again_world = World::of(&point.things);
            match again.amend(second) {
                Ok(()) => {
                    done += 1;
                    let report = again.carry_out(&again_world).await;
                    // A change can come too late for what is done in a window.
                    if report.progress.held().any(|it| it.window_missed) {
                        continue;
                    }
                    assert_eq!(report.state, RunState::Completed, "{}", again.told());
                    assert_eq!(again_world.things(), wanted, "{}", again.told());
                    ended(watch, &again, "completed");
                }
                Err(Refusal::UnderWay { tasks, .. }) => {
                    let is_part =
                        |id: &String| id.contains("~undo-") || is_redone_or_settled(&again, id);
                    assert!(tasks.iter().all(is_part), "{tasks:?}\n{}", again.told());
                }
                Err(Refusal::Ended | Refusal::Pinned(_)) => {}
                Err(refusal) => panic!("{refusal}\n{}", again.told()),
            }
            let mut again = Underway::at(&underway.decided, point);
            let again_world = World::of(&point.things);
            match again.cancel(Pinned::Refuse) {
                Ok(()) => {
                    let report = again.carry_out(&again_world).await;
                    assert_eq!(report.state, RunState::Cancelled, "{}", again.told());
                    assert_eq!(again_world.things(), Things::new(), "{}", again.told());
                    ended(watch, &again, "cancelled");
                }
                Err(Refusal::Ended | Refusal::Pinned(_)) => {}
                Err(refusal) => panic!("{refusal}\n{}", again.told()),
            }
        }
    }
    assert!(done > 0);
}

/// Whether a task of a revised plan is one that is done again, or of which is only found out what came of it.
fn is_redone_or_settled(underway: &Underway, id: &str) -> bool {
    let mut tasks = underway.decided.plan().task_flow.iter();
    let task = tasks.find(|it| it.id == id).unwrap();
    matches!(
        task.disposition,
        Some(Disposition::Redo | Disposition::Settle)
    )
}

/// What comes after the order of a story, gone on with and cancelled at every point.
async fn later(changes: &Changes) {
    let story = Story::open(changes.story);
    let mut order = story.order("order.json");
    (changes.ordered)(&story, &mut order);
    let mut installed = Inventory::default();
    let mut things = Things::new();
    let first = ("order.json", changes.ordered);
    for (file, change) in std::iter::once(&first).chain(changes.later) {
        let mut order = story.order(file);
        change(&story, &mut order);
        let way = Way::of(story.decide(&order, &installed), things).await;
        for point in &way.points {
            way.go_on(point).await;
        }
        if *file != "order.json" {
            cancelled(&way, Pinned::Refuse).await;
        }
        let (last, _) = way.points.last().unwrap();
        installed = Underway::at(&way.decided, last).installed(installed);
        things = way.after;
    }
    if !changes.later.is_empty() {
        assert_eq!(things, Things::new());
    }
}

/// Whatever request is refused for good: its bundle is undone, and others are done.
async fn undone_wherever_it_fails(changes: &Changes) {
    let story = Story::open(changes.story);
    let mut order = story.order("order.json");
    (changes.ordered)(&story, &mut order);
    let decided = story.decide(&order, &Inventory::default());
    let tasks = decided.plan().task_flow.iter();
    let sent: Vec<&String> = tasks
        .filter(|it| it.request.is_some())
        .map(|it| &it.id)
        .collect();
    for task in sent {
        let world = Arc::new(World {
            refused: BTreeSet::from([task.clone()]),
            ..World::default()
        });
        let mut underway = decided.clone().begun();
        let report = underway.carry_out(&world).await;
        let told = underway.told();
        assert_eq!(report.state, RunState::Failed, "{task}\n{told}");
        assert_eq!(
            world.things(),
            underway.effects(&Things::new()),
            "{task}\n{told}"
        );
        let mut watch = Watch::of(&decided);
        let cycles = watch.look(&underway.log.kept());
        let orders = underway.orders();
        for (type_name, state) in cycles.ends() {
            assert_eq!(
                orders[type_name],
                state,
                "{task} {:?}\n{told}",
                cycles.ways()
            );
            // Nothing of the resources may have been begun.
            let is_over = ["failed", "partial"].contains(&state)
                || (type_name, state) == ("ResourceOrder", "cancelled");
            assert!(is_over, "{task} {:?}\n{told}", cycles.ways());
        }
        items_lead(&BTreeMap::new(), &underway);
    }
}

/// The items of an order have come from these states to where they are, or were made.
fn items_lead(before: &BTreeMap<(String, String), String>, underway: &Underway) {
    for (item, state) in underway.items() {
        let from = before.get(&item).map_or("acknowledged", String::as_str);
        let leads = life_cycle::leads(&item.0, from, &state)
            && life_cycle::item_states(&item.0).contains(&*state);
        assert!(
            leads,
            "{item:?}: from {from} to {state}\n{}",
            underway.told()
        );
    }
}

async fn cancelled(way: &Way, pinned: Pinned) {
    let mut done = 0;
    for at in &way.points {
        let (point, watch) = at;
        let mut underway = Underway::at(&way.decided, point);
        let items = underway.items();
        match underway.cancel(pinned) {
            Ok(()) => done += 1,
            Err(Refusal::Ended) => continue,
            Err(Refusal::Pinned(_)) if is_pinned(&way.decided, point) => {
                way.go_on(at).await;
                continue;
            }
            Err(Refusal::InDoubt { task }) => {
                let progress = Progress::replay(way.decided.plan(), &point.entries).unwrap();
                assert!(progress.task(&task).unwrap().is_unsettled());
                way.go_on(at).await;
                continue;
            }
            Err(refusal) => panic!("{refusal}\n{}", underway.told()),
        }
        let world = World::of(&point.things);
        let report = underway.carry_out(&world).await;
        assert_eq!(report.state, RunState::Cancelled, "{}", underway.told());
        assert_eq!(
            world.things(),
            underway.effects(&way.before),
            "{}",
            underway.told()
        );
        ended(watch, &underway, "cancelled");
        items_lead(&items, &underway);
    }
    assert!(done > 0);
}

mod again;

macro_rules! stories {
    ($($name:ident $at:literal),*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn wherever_it_is_changed_it_ends_as_the_new_order_on_its_own() {
                changed_at_every_point(&STORIES[$at]).await;
            }

            #[tokio::test]
            async fn changed_once_it_is_changed_again_and_cancelled_as_well() {
                changed_twice(&STORIES[$at]).await;
            }

            #[tokio::test]
            async fn wherever_it_is_cancelled_nothing_is_left_that_can_be_undone() {
                cancelled_at_every_point(&STORIES[$at]).await;
            }

            #[tokio::test]
            async fn wherever_it_is_gone_on_with_it_ends_as_it_would_have() {
                later(&STORIES[$at]).await;
            }

            #[tokio::test]
            async fn wherever_a_change_of_it_is_changed_it_ends_as_the_new_change_on_its_own() {
                again::a_change_is_changed(&STORIES[$at]).await;
            }

            #[tokio::test]
            async fn whatever_is_refused_of_a_change_what_there_was_is_there_again() {
                again::a_change_is_undone_wherever_it_fails(&STORIES[$at]).await;
            }

            #[tokio::test]
            async fn whatever_is_refused_its_bundle_is_undone() {
                undone_wherever_it_fails(&STORIES[$at]).await;
            }
        }
    )*};
}

stories!(
    broadband_b2c 0, fixed_b2b 1, mobile_4g 2, sdwan_b2b 3, mobile_5g 4, satellite_maritime 5,
    cloud_msp 6, two_lines 7
);
