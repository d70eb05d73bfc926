//! What must be true of the mock's record and of the journal, whatever happened
//! on the way.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use orderctl::journal::{Event, JournalReader};
use serde_json::Value;

use super::mock::Call;

/// A task as its plan has it.
#[derive(Debug, Clone)]
pub struct Task {
    pub id: String,
    pub endpoint: String,
    pub key: String,
    pub method: String,
    pub path: String,
    pub body: Value,
    pub waits_for: Vec<String>,
}

/// A plan as the tests read it: by itself, from its JSON.
#[derive(Debug, Clone)]
pub struct Plan {
    pub order: String,
    pub tasks: Vec<Task>,
}

/// The plans in a stream.
pub fn plans(documents: &[Value]) -> Vec<Plan> {
    let is_plan = |document: &&Value| document["@type"] == "OrchestrationPlan";
    documents.iter().filter(is_plan).map(Plan::of).collect()
}

impl Plan {
    fn of(document: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let task = |task: &Value| Task {
            id: text(&task["id"]),
            endpoint: text(&task["endpoint"]),
            key: text(&task["idempotencyKey"]),
            method: text(&task["request"]["method"]),
            path: text(&task["request"]["path"]),
            body: task["request"]["body"].clone(),
            waits_for: task["taskFlowRelationship"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|relationship| text(&relationship["taskFlow"]["id"]))
                .collect(),
        };
        Self {
            order: text(&document["relatedEntity"][0]["id"]),
            tasks: document["taskFlow"]
                .as_array()
                .expect("tasks")
                .iter()
                .map(task)
                .collect(),
        }
    }
}

/// Every effect that was planned happened exactly once, no other one did, every
/// call was the planned one, and none came before what it waits for.
pub fn every_effect_happened_once(record: &[Call], plans: &[Plan]) {
    let mut tasks = HashMap::new();
    let mut keys = HashMap::new();
    for plan in plans {
        for task in &plan.tasks {
            assert!(
                tasks.insert(task.key.as_str(), task).is_none(),
                "{} twice",
                task.key
            );
            keys.insert((plan.order.as_str(), task.id.as_str()), task.key.as_str());
        }
    }
    let before: HashMap<&str, Vec<&str>> = plans
        .iter()
        .flat_map(|plan| plan.tasks.iter().map(move |task| (plan, task)))
        .map(|(plan, task)| {
            let key = |id: &String| keys[&(plan.order.as_str(), id.as_str())];
            (task.key.as_str(), task.waits_for.iter().map(key).collect())
        })
        .collect();
    let mut applied = HashSet::new();
    for call in record {
        let task = tasks.get(call.key.as_str());
        let task = task.unwrap_or_else(|| panic!("nobody planned {call:?}"));
        assert_eq!(call.endpoint, task.endpoint);
        assert_eq!(call.method, task.method);
        assert!(
            call.path.ends_with(&format!("/{}", task.path)),
            "{}",
            call.path
        );
        assert_eq!(call.body, task.body);
        for first in &before[call.key.as_str()] {
            assert!(applied.contains(*first), "{} came too early", task.id);
        }
        match call.effect.as_str() {
            "applied" => assert!(
                applied.insert(task.key.as_str()),
                "{} happened twice",
                task.id
            ),
            "replayed" => assert!(applied.contains(task.key.as_str())),
            "failed" | "deferred" => {}
            other => panic!("{} was {other}", task.id),
        }
    }
    assert_eq!(applied.len(), tasks.len(), "not every effect happened");
}

/// The journal's entries of an order, `kind task`, in their sequence.
pub fn entries(journal: &Path, order: &str) -> Vec<String> {
    let stored = JournalReader::open(journal)
        .expect("a journal")
        .order(order)
        .expect("readable");
    let entries = stored.expect("the order is in the journal").entries;
    let line = |event: &Event| match event.task() {
        Some(task) => format!("{} {task}", event.kind()),
        None => event.kind().to_owned(),
    };
    entries.iter().map(|entry| line(&entry.event)).collect()
}

/// Every task was completed once, none was started before what it waits for
/// had been completed, and none after it had been completed itself.
pub fn the_journal_tells_how_it_was_done(journal: &Path, plan: &Plan) {
    let stored = JournalReader::open(journal)
        .expect("a journal")
        .order(&plan.order)
        .expect("readable");
    let stored = stored.expect("the order is in the journal");
    let mut started: HashMap<&str, u32> = HashMap::new();
    let mut completed = HashSet::new();
    for (number, entry) in stored.entries.iter().enumerate() {
        match &entry.event {
            Event::Planned(planned) => {
                assert_eq!(number, 0);
                assert_eq!(planned.order_id, plan.order);
            }
            Event::Started(start) => {
                let task = plan.tasks.iter().find(|task| task.id == start.task);
                let task = task.expect("a task of the plan");
                for first in &task.waits_for {
                    assert!(
                        completed.contains(first.as_str()),
                        "{} before {first}",
                        task.id
                    );
                }
                assert!(!completed.contains(task.id.as_str()), "{} again", task.id);
                assert_eq!(start.idempotency_key, task.key);
                let attempts = started.entry(&task.id).or_default();
                *attempts += 1;
                assert_eq!(start.attempt, *attempts);
            }
            Event::Completed(done) => {
                assert!(
                    started.contains_key(done.task.as_str()),
                    "{} not started",
                    done.task
                );
                assert!(completed.insert(done.task.as_str()), "{} twice", done.task);
            }
            Event::AttemptFailed(_) | Event::Held(_) | Event::Accepted(_) | Event::Asked(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(completed.len(), plan.tasks.len());
}

/// A stream in which every moment at which something happened reads the same.
pub fn without_dates(documents: &[Value]) -> Vec<Value> {
    fn mask(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    if matches!(name.as_str(), "startDate" | "completionDate") {
                        *value = "some time".into();
                    } else {
                        mask(value);
                    }
                }
            }
            Value::Array(elements) => elements.iter_mut().for_each(mask),
            _ => {}
        }
    }
    let mut documents = documents.to_vec();
    documents.iter_mut().for_each(mask);
    documents
}
