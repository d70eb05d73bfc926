//! What came of an order, as facts: what was found, what is made, and how it is carried out.

use std::collections::BTreeMap;

use super::Rehearsed;
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Document, Node, quote};
use crate::model::Order;
use crate::model::reference::{ItemRelationship, RelationshipKind};
use crate::plan::flow::{Compensation, OnFailure, OrchestrationPlan, TaskFlow, Until};

/// What facts are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// A service order item.
    Service,
    /// A resource order item.
    Resource,
    /// A task of the plan.
    Task,
    /// The plan as a whole.
    Plan,
}

impl Entity {
    /// All of them, in the order in which they are written.
    pub const ALL: [Entity; 4] = [
        Entity::Service,
        Entity::Resource,
        Entity::Task,
        Entity::Plan,
    ];

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Entity::Service => "service",
            Entity::Resource => "resource",
            Entity::Task => "task",
            Entity::Plan => "plan",
        }
    }
}

/// Facts by name; values are JSON texts. Those of characteristics are called
/// `characteristic NAME`.
pub type Facts = BTreeMap<String, String>;

/// Name of the fact of a characteristic begins like this.
pub const CHARACTERISTIC: &str = "characteristic ";

/// Something that was found in the order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Its code.
    pub code: String,
    /// Its severity.
    pub severity: String,
    /// JSON Pointer of its place.
    pub pointer: String,
}

/// What came of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Name of the order.
    pub order: String,
    /// What was found, in order.
    pub findings: Vec<Finding>,
    /// Facts by what they are about.
    pub entities: BTreeMap<(Entity, String), Facts>,
}

impl Outcome {
    /// The facts of a rehearsal.
    pub fn of(rehearsed: &Rehearsed) -> Outcome {
        let mut outcome = Outcome {
            order: rehearsed.order.clone(),
            findings: rehearsed.findings.iter().map(finding).collect(),
            entities: BTreeMap::new(),
        };
        outcome.findings.sort();
        for document in &rehearsed.derived {
            outcome.order(document);
        }
        if let Some(plan) = &rehearsed.plan {
            outcome.plan(plan);
        }
        outcome
    }

    /// Whether nothing of it is an error.
    pub fn is_accepted(&self) -> bool {
        let error = Severity::Error.name();
        self.findings.iter().all(|it| it.severity != error)
    }

    fn order(&mut self, document: &Document) {
        let Some(order) = Order::read(document) else {
            return;
        };
        let entity = match order {
            Order::Resource(_) => Entity::Resource,
            Order::Product(_) | Order::Service(_) => Entity::Service,
        };
        for item in order.items() {
            let mut facts = Facts::new();
            if let Some(action) = item.action {
                facts.insert("action".to_owned(), quote(action.name()));
            }
            if let Some(reference) = item.specification {
                facts.insert("specification".to_owned(), quote(&reference.id));
            }
            if let Some(quantity) = item.node.get("quantity").filter(|it| it.raw() != "1") {
                facts.insert("quantity".to_owned(), text(quantity));
            }
            if let Some(place) = item.entity.and_then(place) {
                facts.insert("place".to_owned(), place);
            }
            for characteristic in item.characteristics.iter() {
                if let Some(value) = characteristic.value {
                    let name = format!("{CHARACTERISTIC}{}", characteristic.name);
                    facts.insert(name, text(value));
                }
            }
            let waits = item.relationships.iter();
            let waits = waits.filter(|it| it.kind == RelationshipKind::Dependency);
            list(&mut facts, "after", waits.map(waited).collect());
            self.entities.insert((entity, item.id.to_string()), facts);
        }
    }

    fn plan(&mut self, plan: &OrchestrationPlan) {
        let schedule = &plan.schedule;
        let mut facts = Facts::new();
        facts.insert("duration".to_owned(), quote(&schedule.expected_duration));
        facts.insert("waves".to_owned(), schedule.waves.to_string());
        let dates = [
            ("start", &schedule.start),
            ("completion", &schedule.expected_completion),
            ("jeopardy", &schedule.jeopardy),
        ];
        for (name, date) in dates {
            if let Some(date) = date {
                facts.insert(name.to_owned(), quote(date));
            }
        }
        self.entities.insert((Entity::Plan, String::new()), facts);
        for task in &plan.task_flow {
            self.entities
                .insert((Entity::Task, task.id.clone()), task_facts(task));
        }
    }
}

fn finding(diagnostic: &Diagnostic) -> Finding {
    Finding {
        code: diagnostic.code.0.to_owned(),
        severity: diagnostic.severity.name().to_owned(),
        pointer: diagnostic.location.pointer.clone(),
    }
}

/// One text for a value, however the members of objects are sorted.
pub(super) fn text(value: Node<'_>) -> String {
    let compact = value.compact();
    if !compact.starts_with(['{', '[']) {
        return compact.into_owned();
    }
    match serde_json::from_str::<serde_json::Value>(&compact) {
        Ok(value) => value.to_string(),
        Err(_) => compact.into_owned(),
    }
}

fn place(entity: Node<'_>) -> Option<String> {
    let place = entity.get("place")?;
    let place = place.elements().next().unwrap_or(place);
    Some(
        place
            .get("id")
            .or_else(|| place.get("name"))?
            .raw()
            .to_owned(),
    )
}

fn waited(relationship: &ItemRelationship<'_>) -> String {
    match relationship.lag() {
        Some(lag) => format!("{} + {lag}", relationship.item),
        None => relationship.item.to_string(),
    }
}

fn list(facts: &mut Facts, name: &str, mut elements: Vec<String>) {
    if !elements.is_empty() {
        elements.sort();
        facts.insert(
            name.to_owned(),
            serde_json::Value::from(elements).to_string(),
        );
    }
}

fn task_facts(task: &TaskFlow) -> Facts {
    let mut facts = Facts::new();
    let mut add = |name: &str, text: Option<&str>| {
        if let Some(text) = text {
            facts.insert(name.to_owned(), quote(text));
        }
    };
    let request = |request: &crate::plan::flow::Request| {
        format!("{} {}", request.method.name(), request.path)
    };
    add("name", Some(&task.name));
    add("endpoint", task.endpoint.as_deref());
    add("request", task.request.as_ref().map(request).as_deref());
    add("gate", task.gate.as_deref());
    add("rolloutWave", task.rollout_wave.as_deref());
    let duration = Some(task.duration.as_str()).filter(|it| *it != "PT0S");
    add("duration", duration);
    add(
        "windowStart",
        task.window.as_ref().and_then(|it| it.start.as_deref()),
    );
    add(
        "windowEnd",
        task.window.as_ref().and_then(|it| it.end.as_deref()),
    );
    let undone = task.compensation.as_ref().map(|it| match it {
        Compensation::Request(undo) => request(undo),
        Compensation::None(why) => format!("none: {why}"),
    });
    add("undoneBy", undone.as_deref());
    add("onFailure", task.on_failure.map(OnFailure::name));
    if task.kind != crate::plan::flow::TaskKind::Activation {
        let kind = serde_json::to_string(&task.kind).expect("a kind is a text");
        facts.insert("kind".to_owned(), kind);
    }
    if task.point_of_no_return {
        facts.insert("pointOfNoReturn".to_owned(), "true".to_owned());
    }
    let waits = task.relationship.iter().map(|it| {
        let mut text = it.task_flow.id.clone();
        if let Some(lag) = &it.lag {
            text.push_str(" + ");
            text.push_str(lag);
        }
        if it.until == Until::Ended {
            text.push_str(" (ended)");
        }
        text
    });
    list(&mut facts, "after", waits.collect());
    facts
}
