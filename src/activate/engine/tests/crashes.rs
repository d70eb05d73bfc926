//! The crash matrix: every order of every example, killed before and after every
//! entry of its journal, with requests on their way that arrive or do not.

use std::sync::LazyLock;

use super::kinds::{after, plan_of, task};
use super::stories::{
    EXAMPLES, Kind, Planned, Point, Story, Systems, There, Told, Watch, chain_of, to_the_end,
};
use super::*;
use crate::revision::{self, Bundles, Pinned, Refusal, Standing};

/// What becomes of requests that were on their way when the process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mail {
    Arrives,
    IsLost,
}

impl Mail {
    /// One after the other, so that no point is met by one kind of system in both ways.
    fn of(number: usize, kind: Kind) -> Self {
        match (number % 2, kind) {
            (0, Kind::Keys) | (1, Kind::Readable) => Self::Arrives,
            _ => Self::IsLost,
        }
    }
}

/// How things stand after a crash at this point.
fn crashed(point: &Point, mail: Mail) -> Systems {
    let mut systems = point.systems.clone();
    match mail {
        Mail::Arrives => systems.arrive(),
        Mail::IsLost => systems.forget(),
    }
    systems
}

/// Goes on after such a crash, with as much of the journal as there was then.
async fn resumed(chain: &Chain, entries: &[Entry], (point, mail): (&Point, Mail)) -> Told {
    let systems = crashed(point, mail);
    to_the_end(chain, &entries[..point.entries], (&systems, Watch::Nothing)).await
}

/// Some of many, evenly: the first and the last among them.
fn some<T>(all: &[T], count: usize) -> impl Iterator<Item = &T> {
    let step = all.len().saturating_sub(1).div_ceil(count).max(1);
    all.iter().rev().step_by(step)
}

/// The keys of requests that have effects, each once.
fn each_once(told: &Told) -> BTreeMap<String, u32> {
    let done = |id: &str| told.progress.task(id).unwrap().state == TaskState::Completed;
    let tasks = told.plan.task_flow.iter().filter(|task| done(&task.id));
    let calls = tasks.filter_map(|it| it.call());
    calls
        .map(|call| (call.idempotency_key.to_owned(), 1))
        .collect()
}

/// Effects, but for questions: whoever is asked twice does nothing twice.
fn effects(told: &Told) -> BTreeMap<String, u32> {
    let questions: BTreeSet<&str> = told
        .plan
        .task_flow
        .iter()
        .filter_map(|it| it.call())
        .filter(|call| is_question(&call.request.path))
        .map(|call| call.idempotency_key)
        .collect();
    let effects = told.systems.effects.iter();
    effects
        .map(|(key, count)| {
            let is_question = questions.contains(key.as_str());
            (key.clone(), if is_question { 1 } else { *count })
        })
        .collect()
}

fn is_question(path: &str) -> bool {
    let request = crate::plan::flow::Request {
        method: crate::plan::flow::Method::Post,
        path: path.to_owned(),
        body: None,
    };
    let call = Call {
        task: "",
        request: &request,
        idempotency_key: "",
    };
    call.is_question()
}

/// An order in its story: what there is before it, and how it ends where nobody dies.
struct Scene {
    label: String,
    kind: Kind,
    /// Whether it is the first of its story, which adds everything that it is about.
    is_first: bool,
    planned: Arc<Planned>,
    before: Systems,
    whole: Told,
}

/// All orders of all examples, at systems of both kinds. Made once for all tests.
static SCENES: LazyLock<Vec<Vec<Scene>>> = LazyLock::new(|| {
    std::thread::scope(|scope| {
        let play = |(example, ..): &'static (&str, &str, &[&str])| {
            scope.spawn(move || runtime().block_on(scenes(example)))
        };
        let threads: Vec<_> = EXAMPLES.iter().map(play).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    })
});

/// Plays the orders of an example one after the other.
async fn scenes(example: &str) -> Vec<Scene> {
    let mut story = Story::of(example);
    let mut there = [There::new(), There::new()];
    let mut scenes = Vec::new();
    while let Some((file, planned)) = story.next() {
        let planned = Arc::new(planned);
        let is_first = scenes.is_empty();
        for (kind, there) in [Kind::Keys, Kind::Readable].into_iter().zip(&mut there) {
            let before = Systems::new(kind, std::mem::take(there));
            let whole = to_the_end(&planned.chain, &[], (&before, Watch::Every)).await;
            *there = whole.systems.there.clone();
            scenes.push(Scene {
                label: format!("{example}/{file}, {kind:?}"),
                kind,
                is_first,
                planned: Arc::clone(&planned),
                before,
                whole,
            });
        }
        let done = scenes.last().unwrap();
        story.install(&planned, &done.whole.progress);
    }
    scenes
}

/// Does the same with every order of every example. Each example has points at which it is killed.
fn for_each_scene<F: Future<Output = usize>>(test: impl Fn(&'static Scene) -> F + Sync) {
    let counts = std::thread::scope(|scope| {
        let test = &test;
        let threads: Vec<_> = SCENES
            .iter()
            .map(|scenes| {
                scope.spawn(move || {
                    let runtime = runtime();
                    let counts = scenes.iter().map(|scene| runtime.block_on(test(scene)));
                    counts.sum::<usize>()
                })
            })
            .collect();
        let counts = threads.into_iter().map(|it| it.join().unwrap());
        counts.collect::<Vec<_>>()
    });
    println!("killed {counts:?} times");
    assert!(counts.iter().all(|count| *count > 0));
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

#[test]
fn wherever_an_order_of_the_examples_is_killed_every_effect_happens_once() {
    for_each_scene(async |scene| {
        let Scene {
            label,
            kind,
            planned,
            whole,
            ..
        } = scene;
        assert_eq!(whole.state, RunState::Completed, "{label}");
        assert_eq!(effects(whole), each_once(whole), "{label}");
        for (number, point) in whole.points.iter().enumerate() {
            let mail = Mail::of(number, *kind);
            let label = format!("{label}, killed at {number}, mail {mail:?}");
            let told = resumed(&planned.chain, &whole.entries, (point, mail)).await;
            assert_eq!(told.state, RunState::Completed, "{label}");
            assert_eq!(effects(&told), each_once(&told), "{label}");
            assert_same(&told.systems, &whole.systems.there, &label);
            assert_in_order(&told.plan, &told.entries);
        }
        whole.points.len()
    });
}

/// The plan that cancels an order after these entries, with its orders.
fn cancelled(planned: &Planned, entries: &[Entry]) -> Result<Chain, Refusal> {
    let plan = &planned.chain.plan;
    let progress = Progress::replay(plan, entries).unwrap();
    let bundles = Bundles::of(&planned.orders, plan);
    let standing = Standing {
        plan,
        progress: &progress,
        bundles: &bundles,
    };
    let plan = revision::cancel(standing, None, Pinned::Refuse)?;
    Ok(chain_of(&planned.orders, plan))
}

/// Nothing happened twice, and what there is is what the journal says was done, and nothing else.
fn assert_as_told(told: &Told, before: &Systems, label: &str) {
    for (key, count) in effects(told) {
        assert_eq!(count, 1, "{label}: {key}");
    }
    let mut wanted = Systems::new(Kind::Keys, before.there.clone());
    for entry in &told.entries {
        if let Event::Completed(done) = &entry.event {
            let mut tasks = told.plan.task_flow.iter();
            wanted.carry_out(tasks.find(|task| task.id == done.task).unwrap());
        }
    }
    assert_same(&told.systems, &wanted.there, label);
}

fn assert_same(systems: &Systems, wanted: &There, label: &str) {
    if systems.there != *wanted {
        let more: Vec<_> = systems
            .there
            .keys()
            .filter(|it| !wanted.contains_key(it))
            .collect();
        let less: Vec<_> = wanted
            .keys()
            .filter(|it| !systems.there.contains_key(it))
            .collect();
        panic!("{label}: too much {more:?}, too little {less:?}, or something differs");
    }
}

/// Points of an order at which it is cancelled.
const CANCELLED: usize = 8;

/// Cancelled at many points, and killed at one of those of its undoing.
#[test]
fn wherever_an_order_of_the_examples_is_cancelled_and_killed_all_is_undone_once() {
    for_each_scene(async |scene| {
        let mut kills = 0;
        for (number, point) in some(&scene.whole.points, CANCELLED).enumerate() {
            kills += cancelled_at(scene, number, point).await;
        }
        kills
    });
}

/// Says how often it was killed: not at all where the cancellation was refused.
async fn cancelled_at(scene: &Scene, number: usize, point: &Point) -> usize {
    let Scene {
        planned,
        before,
        whole,
        ..
    } = scene;
    let label = format!("{}, cancelled at {}", scene.label, point.entries);
    let entries = &whole.entries[..point.entries];
    let chain = match cancelled(planned, entries) {
        Ok(chain) => chain,
        Err(Refusal::Pinned(pins)) => {
            let is_pinned = |id: &str| {
                whole
                    .plan
                    .task_flow
                    .iter()
                    .any(|task| task.id == id && task.point_of_no_return)
            };
            assert!(
                pins.iter().all(|pin| is_pinned(&pin.task)),
                "{label}: {pins:?}"
            );
            return 0;
        }
        Err(Refusal::Ended) => {
            assert_eq!(point.entries, whole.entries.len(), "{label}");
            return 0;
        }
        Err(Refusal::InDoubt { task }) => {
            let progress = Progress::replay(&whole.plan, entries).unwrap();
            assert!(
                progress.task(&task).unwrap().may_have_had_effect(),
                "{label}"
            );
            return 0;
        }
        Err(refusal) => panic!("{label}: {refusal}"),
    };
    let systems = crashed(point, Mail::of(number, scene.kind));
    let undone = to_the_end(&chain, entries, (&systems, Watch::Every)).await;
    assert_eq!(undone.state, RunState::Cancelled, "{label}");
    assert_as_told(&undone, before, &label);
    let adds = scene.is_first;
    if adds {
        assert_same(&undone.systems, &before.there, &label);
    }
    let dies = &undone.points[number * 7919 % undone.points.len()];
    for mail in [Mail::Arrives, Mail::IsLost] {
        let label = format!("{label}, killed at {}, mail {mail:?}", dies.entries);
        let told = resumed(&chain, &undone.entries, (dies, mail)).await;
        assert_eq!(told.state, RunState::Cancelled, "{label}");
        assert_as_told(&told, before, &label);
        if adds {
            assert_same(&told.systems, &before.there, &label);
        }
    }
    2
}

/// Tasks of an order of which one fails, and points of what follows at which it is killed.
const FAIL: usize = 3;
const KILLED: usize = 6;

#[test]
fn wherever_a_bundle_of_the_examples_is_undone_and_killed_it_is_undone_once() {
    for_each_scene(async |scene| {
        let tasks = scene.whole.plan.task_flow.iter();
        let calls = tasks.filter(|task| {
            let request = task.request.as_ref();
            request.is_some_and(|it| !is_question(&it.path))
        });
        let mut kills = 0;
        for task in some(&calls.collect::<Vec<_>>(), FAIL) {
            kills += failed_at(scene, &task.id).await;
        }
        kills
    });
}

async fn failed_at(scene: &Scene, task: &str) -> usize {
    let label = format!("{}, {task} fails", scene.label);
    let (before, chain) = (&scene.before, &scene.planned.chain);
    let mut systems = before.clone();
    systems.refused = Some(task.to_owned());
    let whole = to_the_end(chain, &[], (&systems, Watch::Every)).await;
    assert_eq!(whole.state, RunState::Failed, "{label}");
    assert_as_told(&whole, before, &label);
    // Where a task of its own is not to be undone, others stay; else nothing is left of the bundle.
    let is_undone = whole.systems.there == before.there;
    let mut kills = 0;
    for (number, point) in some(&whole.points, KILLED).enumerate() {
        let mail = Mail::of(number, scene.kind);
        let label = format!("{label}, killed at {}, mail {mail:?}", point.entries);
        let told = resumed(chain, &whole.entries, (point, mail)).await;
        assert_eq!(told.state, RunState::Failed, "{label}");
        assert_as_told(&told, before, &label);
        if scene.is_first && is_undone {
            assert_same(&told.systems, &before.there, &label);
        }
        kills += 1;
    }
    kills
}

/// A change that is undone by another change, one that fails beside it, and what comes after.
fn changes() -> Chain {
    let change = |speed: u32| {
        let body = json!({"speed": speed});
        json!({"method": "PATCH", "path": "resource/line", "body": body})
    };
    let make = |id: &str| {
        let request = json!({"method": "POST", "path": "resource", "body": {"id": id}});
        let removal = json!({"request": {"method": "DELETE", "path": format!("resource/{id}")}});
        json!({"request": request, "compensation": removal})
    };
    let mut next = make("next");
    next["taskFlowRelationship"] = after(&["change"]);
    let plan = plan_of(vec![
        task(
            "change",
            json!({"request": change(500), "compensation": {"request": change(100)}}),
        ),
        task("refused", make("refused")),
        task("next", next),
    ]);
    chain_of(&[], OrchestrationPlan::clone(&plan))
}

/// Whoever is killed before he knows what came of a change finds out, and then undoes it: he does
/// not go on with the order meanwhile.
#[tokio::test]
async fn what_is_in_doubt_is_found_out_before_a_bundle_is_undone() {
    let chain = changes();
    let line = json!({"id": "line", "speed": 100});
    let there = There::from([(("olt".to_owned(), "line".to_owned()), Arc::new(line))]);
    for kind in [Kind::Keys, Kind::Readable] {
        let mut before = Systems::new(kind, there.clone());
        before.refused = Some("refused".to_owned());
        let whole = to_the_end(&chain, &[], (&before, Watch::Every)).await;
        for (number, point) in whole.points.iter().enumerate() {
            for mail in [Mail::Arrives, Mail::IsLost] {
                let label = format!("{kind:?}, killed at {number}, mail {mail:?}");
                let told = resumed(&chain, &whole.entries, (point, mail)).await;
                assert_eq!(told.state, RunState::Failed, "{label}");
                assert_as_told(&told, &before, &label);
                assert_eq!(told.systems.there, there, "{label}");
            }
        }
    }
}
