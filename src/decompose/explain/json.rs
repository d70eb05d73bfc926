//! Explanations as one JSON document an order, every step of it.

use serde_json::{Map, Value, json};

use super::{Explanation, Outcome, Tried};
use crate::catalog::expression::{Near, NearKind, Seen};

/// Version of the document.
const FORMAT_VERSION: &str = "1.0";

/// The document, on one line; `order` and `type_name` are those of the order at the root.
pub fn document(order: &str, type_name: &str, explanations: &[Explanation]) -> String {
    let steps: Vec<Value> = explanations.iter().map(step).collect();
    json!({
        "@type": "DecompositionExplanation",
        "formatVersion": FORMAT_VERSION,
        "order": {"id": order, "@referredType": type_name},
        "step": steps,
    })
    .to_string()
}

fn step(it: &Explanation) -> Value {
    let mut step = Map::new();
    let mut set = |key: &str, value: Value| {
        step.insert(key.to_owned(), value);
    };
    set("layer", it.layer.name().into());
    set("item", it.item.as_str().into());
    set("name", it.name.as_str().into());
    set("outcome", outcome(&it.outcome).into());
    set("sourceItem", it.source_item.as_str().into());
    set("source", it.source.as_str().into());
    set("target", it.target.as_str().into());
    if let Some(rule) = &it.story.rule {
        set("rule", rule.as_str().into());
    }
    if let Some(condition) = &it.story.condition {
        set("condition", condition.as_str().into());
    }
    if !it.story.seen.is_empty() {
        set("seen", it.story.seen.iter().map(seen).collect());
    }
    if !it.story.tried.is_empty() {
        set("tried", it.story.tried.iter().map(tried).collect());
    }
    if it.sharers > 0 {
        set("sharedBy", it.sharers.into());
    }
    match &it.outcome {
        Outcome::Nothing { over, absent } => {
            set("over", over.as_str().into());
            set("absent", (*absent).into());
        }
        Outcome::Ended { state } => set("state", state.name().into()),
        Outcome::Modified { changes } => {
            let change = |change: &super::Change| {
                json!({
                    "name": change.name,
                    "from": change.from.as_deref().map(value),
                    "to": change.to.as_deref().map(value),
                })
            };
            set("change", changes.iter().map(change).collect());
        }
        Outcome::Deleted { why: Some(why) } => set("why", why.as_str().into()),
        Outcome::StillUsed { by } => set("usedBy", by.clone().into()),
        Outcome::Made | Outcome::NotMade | Outcome::Unchanged | Outcome::Deleted { why: None } => {}
    }
    Value::Object(step)
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Made => "made",
        Outcome::NotMade => "notMade",
        Outcome::Nothing { .. } => "nothing",
        Outcome::Ended { .. } => "ended",
        Outcome::Modified { .. } => "modified",
        Outcome::Unchanged => "unchanged",
        Outcome::Deleted { .. } => "deleted",
        Outcome::StillUsed { .. } => "stillUsed",
    }
}

/// A JSON text as the value that it is.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

fn seen(seen: &Seen) -> Value {
    match &seen.value {
        Some(text) => json!({"path": seen.path, "value": value(text)}),
        None => json!({"path": seen.path, "absent": true}),
    }
}

fn tried(tried: &Tried) -> Value {
    let mut object = json!({
        "condition": tried.condition,
        "seen": tried.seen.iter().map(seen).collect::<Vec<Value>>(),
    });
    if let Some(rule) = &tried.rule {
        object["rule"] = rule.as_str().into();
    }
    if !tried.near.is_empty() {
        object["nearMiss"] = tried.near.iter().map(near).collect();
    }
    object
}

fn near(near: &Near) -> Value {
    let kind = match near.kind {
        NearKind::Case => "case",
        NearKind::Blanks => "blanks",
        NearKind::Type => "type",
        NearKind::Spelling => "spelling",
        NearKind::Name => "name",
    };
    let (have, want) = match near.kind {
        NearKind::Name => (near.value.as_str().into(), near.wanted.as_str().into()),
        _ => (value(&near.value), value(&near.wanted)),
    };
    json!({"path": near.path, "value": have, "wanted": want, "kind": kind})
}
