//! Changes and ceases of what is installed that are changed themselves while they are under way.

use super::*;
use crate::plan::flow::{TaskFlow, TaskKind};

/// A story whose first order was carried out.
struct Before {
    story: Story,
    order: Value,
    installed: Inventory,
    /// What there is at the endpoints.
    there: Things,
}

async fn before(changes: &Changes) -> Before {
    let story = Story::open(changes.story);
    let mut order = story.order("order.json");
    (changes.ordered)(&story, &mut order);
    let way = Way::of(story.decide(&order, &Inventory::default()), Things::new()).await;
    let (last, _) = way.points.last().unwrap();
    let installed = Underway::at(&way.decided, last).installed(Inventory::default());
    let there = way.after;
    Before {
        story,
        order,
        installed,
        there,
    }
}

/// What changes or gives up what is installed, itself changed at every point of its way: into what comes
/// after it in the story, and into a change that leaves things as they were.
pub(super) async fn a_change_is_changed(changes: &Changes) {
    let Before {
        story,
        order,
        installed,
        there,
    } = before(changes).await;
    let ordered = |file: &str, change: Change| {
        let mut order = story.order(file);
        change(&story, &mut order);
        order
    };
    let as_it_was = |file: &str| {
        let mut back = story.order(file);
        let product = &mut back["productOrderItem"][0];
        product["action"] = "modify".into();
        product["product"]["productCharacteristic"] =
            order["productOrderItem"][0]["product"]["productCharacteristic"].clone();
        product["productOffering"] = order["productOrderItem"][0]["productOffering"].clone();
        back
    };
    for (file, change) in changes.later {
        let first = ordered(file, *change);
        let way = Way::of(story.decide(&first, &installed), there.clone()).await;
        let others = changes.later.iter().filter(|(other, _)| other != file);
        let others = others.map(|(other, change)| ordered(other, *change));
        for mut new in others.chain([as_it_was(file)]) {
            new["id"] = first["id"].clone();
            new["version"] = "2".into();
            let new = story.decide(&new, &installed);
            let wanted = Way::of(new.clone(), there.clone()).await.after;
            let mut done = 0;
            for (point, watch) in &way.points {
                let mut underway = Underway::at(&way.decided, point);
                match underway.amend(&new) {
                    Ok(()) => done += 1,
                    // What came of a removal or change that was sent has to be known first.
                    Err(Refusal::Ended | Refusal::InDoubt { .. }) => continue,
                    Err(Refusal::Pinned(_)) if is_pinned(&way.decided, point) => continue,
                    Err(refusal) => panic!("{file}: {refusal}\n{}", underway.told()),
                }
                let world = World::of(&point.things);
                let report = underway.carry_out(&world).await;
                if report.progress.held().any(|it| it.window_missed) {
                    continue;
                }
                let told = underway.told();
                assert_eq!(report.state, RunState::Completed, "{file}\n{told}");
                assert_eq!(world.things(), wanted, "{file}\n{told}");
                let mut watch = watch.clone();
                let cycles = watch.look(&underway.log.kept());
                let wanted = underway.orders();
                for (type_name, state) in cycles.ends() {
                    // Where nothing is changed any more, there is no order for it.
                    let end = wanted.get(type_name).map_or("cancelled", String::as_str);
                    assert_eq!(state, end, "{file} {:?}\n{told}", cycles.ways());
                }
                assert!(
                    wanted.values().all(|it| it == "completed"),
                    "{wanted:?}\n{told}"
                );
            }
            assert!(done > 0, "{file}");
        }
    }
}

/// Whatever request of a change or cease is refused for good: what there was before is there again.
pub(super) async fn a_change_is_undone_wherever_it_fails(changes: &Changes) {
    let Before {
        story,
        installed,
        there,
        ..
    } = before(changes).await;
    let mut undone = 0;
    for (file, change) in changes.later {
        let mut order = story.order(file);
        change(&story, &mut order);
        let decided = story.decide(&order, &installed);
        let tasks = decided.plan().task_flow.iter();
        let sent = tasks.filter(|it| it.request.is_some());
        for task in sent.map(|it| &it.id) {
            let world = Arc::new(World {
                refused: BTreeSet::from([task.clone()]),
                ..World::default()
            });
            world.things.lock().unwrap().clone_from(&there);
            let mut underway = decided.clone().begun();
            let report = underway.carry_out(&world).await;
            let told = underway.told();
            assert_eq!(report.state, RunState::Failed, "{file} {task}\n{told}");
            let things = world.things();
            assert_eq!(things, underway.effects(&there), "{file} {task}\n{told}");
            let point = Point {
                entries: underway.log.kept(),
                things,
            };
            // Not where the rule of what failed lets the others go on, and not what people did.
            let plan = underway.decided.plan();
            let is_undone = plan.revision.is_some() && !is_pinned(&underway.decided, &point);
            let by_hand = |it: &TaskFlow| it.kind == TaskKind::Manual && it.gate.is_none();
            if is_undone && !plan.task_flow.iter().any(|it| by_hand(it)) {
                undone += 1;
                assert_eq!(point.things, there, "{file} {task}\n{told}");
                let left = underway.installed(installed.clone());
                assert_eq!(
                    resources(&left),
                    resources(&installed),
                    "{file} {task}\n{told}"
                );
            }
        }
    }
    assert!(undone > 0 || changes.later.is_empty());
}

/// The characteristics of what is installed, by id.
fn resources(installed: &Inventory) -> BTreeMap<String, Value> {
    let documents = installed.documents().map(|it| {
        let document: Value = serde_json::from_str(it.text()).unwrap();
        let id = document["id"].as_str().unwrap().to_owned();
        (id, document["resourceCharacteristic"].clone())
    });
    documents.collect()
}
