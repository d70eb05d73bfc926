//! Characteristics that a person changes of what a task sends, where its
//! endpoint has refused them. Pure.
//!
//! That is a change of the order while it is under way ([`revision::amend`]), of one task: its request
//! and the item that it carries out get the values, everything else stays as it is.

use std::mem::discriminant;

use serde_json::Value;
use thiserror::Error;

use super::find;
use crate::chain::Chain;
use crate::diagnostic::suggestion;
use crate::document::{Document, Edits, Node, quote};
use crate::journal::{Event, Progress};
use crate::plan::flow::{Body, Disposition, OrchestrationPlan, Request, TaskFlow};
use crate::plan::{compensation_key, order_digests};
use crate::revision::{self, Bundles, Pinned, Standing};

/// An order that is under way.
#[derive(Debug, Clone, Copy)]
pub struct Underway<'a> {
    /// Its plan.
    pub plan: &'a OrchestrationPlan,
    /// How far it is.
    pub progress: &'a Progress,
    /// The orders of its chain, root first.
    pub orders: &'a [Document],
    /// The process that carries it out at this moment.
    pub at_work: Option<u32>,
}

/// What a person changes.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Of which task: its id, or its name where there is only one of that name.
    pub task: String,
    /// Names of characteristics with their values as they were typed.
    pub values: Vec<(String, String)>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A change that makes no sense for the task as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No such task, or it has ended.
    #[error(transparent)]
    Task(#[from] super::Refusal),
    /// The order cannot be changed now.
    #[error(transparent)]
    Revision(#[from] revision::Refusal),
    /// A process knows the request as it was.
    #[error("process {pid} is at work on the order: stop it first, or wait")]
    AtWork {
        /// Who.
        pid: u32,
    },
    /// Its request may have been done as it was.
    #[error(
        "task {task} cannot be changed: its last request may have been done; find out, then say \
         `orderctl task complete` or `orderctl task retry`"
    )]
    MayBeDone {
        /// Task id.
        task: String,
    },
    /// It sends no characteristics.
    #[error("task {task} cannot be changed: it sends no characteristics")]
    NothingToSet {
        /// Task id.
        task: String,
    },
    /// It sends none of that name.
    #[error("task {task} sends no characteristic `{name}`; {advice}")]
    Unknown {
        /// Task id.
        task: String,
        /// As it was given.
        name: String,
        /// What was probably meant.
        advice: String,
    },
    /// It is given two values.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// The value is of another type than the one before.
    #[error("`{name}` is {before}, and {given} is of another type")]
    OtherType {
        /// Name of the characteristic.
        name: String,
        /// What it is.
        before: String,
        /// As it was given.
        given: String,
    },
}

/// The entry by which an order goes on with other characteristics of a task, with the id of that.
///
/// # Errors
/// Where the change makes no sense.
pub fn set(underway: Underway<'_>, setting: &Setting) -> Result<(String, Event), Refusal> {
    let Underway {
        plan,
        progress,
        orders,
        at_work,
    } = underway;
    let task = find(plan, &setting.task)?;
    let known = progress.task(&task.id).cloned().unwrap_or_default();
    super::check_state(&known, "changed", None)?;
    if let Some(pid) = at_work {
        return Err(Refusal::AtWork { pid });
    }
    let id = task.id.clone();
    if known.may_have_had_effect() {
        return Err(Refusal::MayBeDone { task: id });
    }
    let (request, values) = changed(task, &setting.values)?;
    let bundles = Bundles::of(orders, plan);
    let standing = Standing {
        plan,
        progress,
        bundles: &bundles,
    };
    let documents: Vec<Document> = orders.iter().map(|it| edited(it, &id, &values)).collect();
    let mut new = wanted(plan);
    let number = plan.revision.as_ref().map_or(0, |it| it.number) + 1;
    let key = compensation_key(
        revision::root(plan),
        &format!("{id}~set-{number}"),
        &request,
    );
    for task in new.task_flow.iter_mut().filter(|it| it.id == id) {
        task.request = Some(request.clone());
        task.idempotency_key = Some(key.clone());
    }
    let chain = Chain { documents };
    new.digest.order = order_digests(&chain);
    let told: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    let Setting { by, reason, .. } = setting;
    let why = format!("{id}: {}, says {by}: {reason}", told.join(", "));
    // What is held is not begun; that others are past the point of no return changes nothing about it.
    let revised = revision::amend(standing, &new, (Some(why), Pinned::Force))?;
    Ok((id, entry(&chain, &revised)))
}

fn entry(orders: &Chain, plan: &OrchestrationPlan) -> Event {
    let text = serde_json::to_string(plan).expect("a plan is made of texts and JSON values");
    let orders = orders.documents.iter().map(|it| it.text().to_owned());
    let entry = revision::entry(plan, orders.chain([text]).collect());
    Event::Revised(entry.expect("a change is a revision"))
}

/// The tasks that are wanted still: not those that undo, are undone or were dropped.
fn wanted(plan: &OrchestrationPlan) -> OrchestrationPlan {
    let tasks = &plan.task_flow;
    let undone: Vec<&str> = tasks
        .iter()
        .filter_map(|it| it.compensates.as_deref())
        .collect();
    let is_wanted = |task: &TaskFlow| {
        let is_left = matches!(
            task.disposition,
            Some(Disposition::Drop | Disposition::Undo | Disposition::Settle)
        );
        task.compensates.is_none() && !is_left && !undone.contains(&task.id.as_str())
    };
    OrchestrationPlan {
        task_flow: tasks.iter().filter(|it| is_wanted(it)).cloned().collect(),
        ..plan.clone()
    }
}

/// The request of a task with these values, and the values as JSON texts.
fn changed(
    task: &TaskFlow,
    values: &[(String, String)],
) -> Result<(Request, Vec<(String, String)>), Refusal> {
    let nothing = || Refusal::NothingToSet {
        task: task.id.clone(),
    };
    let sent = task.request.as_ref().filter(|_| task.gate.is_none());
    let sent = sent.ok_or_else(nothing)?;
    let body = sent.body.as_ref().ok_or_else(nothing)?;
    let mut body: Value = serde_json::from_str(&body.get()).map_err(|_| nothing())?;
    let list = body.get_mut(LIST).and_then(Value::as_array_mut);
    let list = list.ok_or_else(nothing)?;
    let mut read: Vec<(String, String)> = Vec::new();
    for (name, given) in values {
        if read.iter().any(|(other, _)| other == name) {
            return Err(Refusal::Twice(name.clone()));
        }
        let known = list.iter_mut().find(|it| it["name"] == name.as_str());
        let Some(known) = known else {
            let names: Vec<&str> = list.iter().filter_map(|it| it["name"].as_str()).collect();
            let advice = match suggestion::closest(name, names.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are {}", names.join(", ")),
            };
            return Err(Refusal::Unknown {
                task: task.id.clone(),
                name: name.clone(),
                advice,
            });
        };
        let value = value(name, &known["value"], given)?;
        read.push((name.clone(), value.to_string()));
        known["value"] = value;
    }
    let body = Body::new(body.to_string()).expect("a value is JSON");
    let request = Request {
        body: Some(body),
        ..sent.clone()
    };
    Ok((request, read))
}

const LIST: &str = "resourceCharacteristic";

/// A value as it was typed: of the type of the one before; a text needs no quotes.
fn value(name: &str, before: &Value, given: &str) -> Result<Value, Refusal> {
    let json = serde_json::from_str::<Value>(given).ok();
    let is_alike = |value: &Value| before.is_null() || discriminant(before) == discriminant(value);
    match json.filter(is_alike) {
        Some(value) => Ok(value),
        None if matches!(before, Value::String(_) | Value::Null) => Ok(given.into()),
        None => Err(Refusal::OtherType {
            name: name.to_owned(),
            before: before.to_string(),
            given: given.to_owned(),
        }),
    }
}

/// The order with these values in the item of a task, if it has that.
fn edited(order: &Document, task: &str, values: &[(String, String)]) -> Document {
    let items = order.root().list("orderItem");
    let mut items = items.filter(|it| it.text("id").as_deref() == Some(task));
    let Some(resource) = items.next().and_then(|item| item.get("resource")) else {
        return order.clone();
    };
    let mut edits = Edits::new();
    for (name, value) in values {
        let is_it = |it: &Node<'_>| it.text("name").as_deref() == Some(name);
        if let Some(known) = resource.list(LIST).find(is_it) {
            edits.set(known, "value", value);
        } else {
            // It stayed as it was, and was sent with what changes.
            let new = format!("{{\"name\":{},\"value\":{value}}}", quote(name));
            edits.append(resource, LIST, &new);
        }
    }
    // Everything set above is JSON.
    edits.apply(order).unwrap_or_else(|_| order.clone())
}
