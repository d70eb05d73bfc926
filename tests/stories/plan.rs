//! A plan and its orders as the tests read them: from their JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// One thing comes before another: in a plan because the other waits for it, in a run because it
/// had been completed when the other began.
pub trait Sequence {
    /// Whether `first` is done before `later` begins.
    fn precedes(&self, first: &str, later: &str) -> bool;
    /// All tasks.
    fn ids(&self) -> BTreeSet<&str>;

    /// Every task that one pattern fits comes before every task that the other fits. Both fit
    /// something.
    fn assert_sequence(&self, first: &str, later: &str) {
        let (before, after) = (self.matching(first), self.matching(later));
        for before in &before {
            for after in &after {
                assert!(self.precedes(before, after), "{before} before {after}");
            }
        }
    }

    /// The tasks that a pattern fits, at least one: `*` stands for anything.
    fn matching(&self, pattern: &str) -> Vec<&str> {
        let ids = self.ids().into_iter();
        let found: Vec<&str> = ids.filter(|id| fits(pattern, id)).collect();
        assert!(!found.is_empty(), "no task is {pattern}: {:?}", self.ids());
        found
    }
}

/// Whether a pattern in which `*` stands for anything fits a text.
pub fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let ends = (0..=text.len()).filter(|at| text.is_char_boundary(*at));
            ends.into_iter().any(|at| fits(rest, &text[at..]))
        }),
    }
}

/// An order, everything derived from it, and its plan.
#[derive(Debug, Clone)]
pub struct Plan {
    /// One document a line, as the stages write it.
    pub text: String,
    documents: Vec<Value>,
    /// For each task everything that it waits for, directly or not.
    before: BTreeMap<String, BTreeSet<String>>,
}

impl Plan {
    pub fn read(text: String) -> Self {
        let documents: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let mut plan = Plan {
            text,
            documents,
            before: BTreeMap::new(),
        };
        // Every task comes after those that it waits for.
        for (id, direct) in plan.dependencies_in_sequence() {
            let mut all = direct.clone();
            for before in &direct {
                all.extend(plan.before[before].iter().cloned());
            }
            plan.before.insert(id, all);
        }
        plan
    }

    fn document(&self, type_name: &str) -> &Value {
        let found = self.documents.iter().find(|it| it["@type"] == type_name);
        found.unwrap_or_else(|| panic!("no {type_name}"))
    }

    /// Id of the order.
    pub fn order(&self) -> &str {
        self.document("ProductOrder")["id"].as_str().unwrap()
    }

    /// The service order items, by id.
    pub fn services(&self) -> BTreeMap<&str, &Value> {
        by_id(&self.document("ServiceOrder")["serviceOrderItem"])
    }

    /// The resource order items, by id.
    pub fn resources(&self) -> BTreeMap<&str, &Value> {
        by_id(&self.document("ResourceOrder")["orderItem"])
    }

    /// Resource order items that are not noChange, as `action id`.
    pub fn changes(&self) -> BTreeSet<String> {
        let items = self.resources().into_iter();
        let changed = items.filter(|(_, item)| item["action"] != "noChange");
        changed
            .map(|(id, item)| format!("{} {id}", item["action"].as_str().unwrap()))
            .collect()
    }

    /// The tasks, by id.
    pub fn tasks(&self) -> BTreeMap<&str, &Value> {
        by_id(&self.document("OrchestrationPlan")["taskFlow"])
    }

    pub fn schedule(&self) -> &Value {
        &self.document("OrchestrationPlan")["schedule"]
    }

    fn dependencies_in_sequence(&self) -> Vec<(String, BTreeSet<String>)> {
        let tasks = self.document("OrchestrationPlan")["taskFlow"].as_array();
        let task = |task: &Value| {
            let before = task["taskFlowRelationship"].as_array();
            let before = before.into_iter().flatten().map(|it| &it["taskFlow"]["id"]);
            (text(&task["id"]), before.map(text).collect())
        };
        tasks.unwrap().iter().map(task).collect()
    }

    /// For each task what it waits for directly.
    pub fn dependencies(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.dependencies_in_sequence().into_iter().collect()
    }

    /// What is changed of the resource of an item: characteristics by name.
    pub fn changed(&self, item: &str) -> Map<String, Value> {
        let items = self.resources();
        let item = items.get(item).unwrap_or_else(|| panic!("no item {item}"));
        characteristics(&item["resource"]["resourceCharacteristic"])
    }

    /// What a task sends of its resource: characteristics by name.
    pub fn sent(&self, task: &str) -> Map<String, Value> {
        let tasks = self.tasks();
        let task = tasks.get(task).unwrap_or_else(|| panic!("no task {task}"));
        characteristics(&task["request"]["body"]["resourceCharacteristic"])
    }

    /// Neither of two tasks waits for the other.
    pub fn assert_parallel(&self, one: &str, other: &str) {
        for (one, other) in self
            .matching(one)
            .iter()
            .flat_map(|one| self.matching(other).into_iter().map(move |it| (one, it)))
        {
            assert!(!self.precedes(one, other), "{one} before {other}");
            assert!(!self.precedes(other, one), "{other} before {one}");
        }
    }
}

impl Sequence for Plan {
    fn precedes(&self, first: &str, later: &str) -> bool {
        self.before[later].contains(first)
    }

    fn ids(&self) -> BTreeSet<&str> {
        self.before.keys().map(String::as_str).collect()
    }
}

/// Characteristics by name.
pub fn characteristics(list: &Value) -> Map<String, Value> {
    let pair = |it: &Value| (text(&it["name"]), it["value"].clone());
    list.as_array().into_iter().flatten().map(pair).collect()
}

fn by_id(list: &Value) -> BTreeMap<&str, &Value> {
    let items = list.as_array().unwrap();
    let by_id: BTreeMap<&str, &Value> = items
        .iter()
        .map(|item| (item["id"].as_str().unwrap(), item))
        .collect();
    assert_eq!(by_id.len(), items.len(), "ids are unique");
    by_id
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
