//! Orders that are changed at every point of their way, at an endpoint that
//! keeps what it is told and knows no repetitions.

use serde_json::Value;

use super::*;
use crate::plan::flow::{Body, Compensation, Method, Request};
use crate::revision::{self, Bundles, Pinned, Refusal, Standing};

/// What there is, by id.
#[derive(Debug, Default)]
struct World(Mutex<BTreeMap<String, Value>>);

fn body(request: &Request) -> Value {
    let body = request.body.as_ref().map_or("{}", |it| it.get());
    serde_json::from_str(body).unwrap()
}

fn done() -> Outcome {
    Outcome::Completed {
        status: 200,
        resource: None,
    }
}

fn refused(status: u16) -> Outcome {
    Outcome::Rejected {
        status,
        reason: format!("{status}"),
    }
}

impl Callable for Arc<World> {
    async fn send(&self, call: &Call<'_>) -> Outcome {
        let mut there = self.0.lock().unwrap();
        let body = body(call.request);
        let id = call.request.path.rsplit('/').next().unwrap().to_owned();
        match call.request.method {
            Method::Post => {
                let id = body["id"].as_str().unwrap().to_owned();
                if there.contains_key(&id) {
                    return refused(409);
                }
                there.insert(id, body);
            }
            Method::Patch => {
                let Some(known) = there.get_mut(&id) else {
                    return refused(404);
                };
                for (name, value) in body.as_object().unwrap() {
                    known[name] = value.clone();
                }
            }
            Method::Delete => {
                if there.remove(&id).is_none() {
                    return refused(404);
                }
            }
        }
        done()
    }

    async fn ask(&self, call: &Call<'_>, inquiry: &Inquiry<'_>) -> Finding {
        let there = self.0.lock().unwrap();
        let id = inquiry.path.as_deref().unwrap().rsplit('/').next().unwrap();
        let found = there.get(id);
        let is_done = match call.request.method {
            Method::Delete => found.is_none(),
            Method::Post => found.is_some(),
            Method::Patch => found.is_some_and(|found| {
                let wanted = body(call.request);
                wanted
                    .as_object()
                    .unwrap()
                    .iter()
                    .all(|(name, value)| found[name] == *value)
            }),
        };
        if is_done {
            return Finding::Done {
                status: 200,
                resource: None,
            };
        }
        Finding::NotDone {
            status: 404,
            reason: "not there".into(),
        }
    }
}

/// A plan of tasks that each make a resource, with this speed.
fn order(tasks: &[(&str, &[&str])], speed: impl Fn(&str) -> u32) -> Arc<OrchestrationPlan> {
    let mut plan = OrchestrationPlan::clone(&plan(tasks));
    for task in &mut plan.task_flow {
        let text = json!({"id": task.id, "speed": speed(&task.id)}).to_string();
        let body = Body::new(text).unwrap();
        task.request.as_mut().unwrap().body = Some(body);
        task.compensation = Some(Compensation::Request(Request {
            method: Method::Delete,
            path: format!("resource/{}", task.id),
            body: None,
        }));
    }
    plan.digest.plan = crate::plan::plan_digest(&plan);
    Arc::new(plan)
}

async fn carry_out(
    world: &Arc<World>,
    plan: &Arc<OrchestrationPlan>,
    log: &Memory,
) -> Result<Report, ActivateError> {
    let (_stopper, stop) = Stopper::new();
    let mut pool = Pool::default();
    pool.add("olt", Arc::clone(world), Terms::default());
    let engine = Engine {
        pool: Arc::new(pool),
        clock: Arc::new(Ticking::default()),
        stop,
        grace: Duration::from_secs(10),
        waits: Waits::Leave,
        observer: Arc::new(()),
    };
    engine.run(Arc::clone(plan), log.clone(), &log.kept()).await
}

fn amended(
    old: &OrchestrationPlan,
    new: &OrchestrationPlan,
    log: &Memory,
) -> Result<OrchestrationPlan, Refusal> {
    let progress = Progress::replay(old, &log.kept()).unwrap();
    let bundles = Bundles::default();
    let standing = Standing {
        plan: old,
        progress: &progress,
        bundles: &bundles,
    };
    revision::amend(standing, new, (None, Pinned::Refuse))
}

/// Without the access point, with another profile, and with a box for television.
const CHANGED: [(&str, &[&str]); 7] = [
    ("gpon", &[]),
    ("cpe", &[]),
    ("vlan", &["gpon"]),
    ("ip", &["vlan"]),
    ("qos", &["vlan"]),
    ("tr069", &["cpe", "ip"]),
    ("tv", &["tr069", "qos"]),
];

#[tokio::test]
async fn wherever_it_is_killed_and_changed_it_ends_as_the_new_order_on_its_own() {
    let old = order(&BROADBAND, |_| 100);
    let new = order(&CHANGED, |id| if id == "qos" { 500 } else { 100 });
    let alone = Arc::new(World::default());
    carry_out(&alone, &new, &Memory::planned(&new))
        .await
        .unwrap();
    let wanted = alone.0.lock().unwrap().clone();
    let whole = Memory::planned(&old);
    carry_out(&Arc::default(), &old, &whole).await.unwrap();
    let mut refusals = 0;
    for place in 1..whole.kept().len() - 1 {
        for after in [false, true] {
            let world = Arc::new(World::default());
            let mut log = Memory {
                dies_at: Some((place, after)),
                ..Memory::planned(&old)
            };
            carry_out(&world, &old, &log).await.unwrap_err();
            log.dies_at = None;
            let label = format!("killed at {place}, {after}: {:?}", log.lines());
            let revised = match amended(&old, &new, &log) {
                Ok(revised) => revised,
                Err(Refusal::InDoubt { task }) => {
                    // Its request would be another one: it has to be known first whether it was sent.
                    assert_eq!(task, "qos", "{label}");
                    refusals += 1;
                    continue;
                }
                Err(Refusal::Ended) => {
                    assert_eq!(place, whole.kept().len() - 1, "{label}");
                    continue;
                }
                Err(refusal) => panic!("{label}: {refusal}"),
            };
            let entry = revision::entry(&revised, Vec::new()).unwrap();
            let at = log.kept().last().unwrap().at;
            let event = Event::Revised(entry);
            log.entries.lock().unwrap().push(Entry { at, event });
            let report = carry_out(&world, &Arc::new(revised), &log).await.unwrap();
            assert_eq!(report.state, RunState::Completed, "{label}");
            assert_eq!(*world.0.lock().unwrap(), wanted, "{label}");
        }
    }
    assert!(refusals > 0);
}
