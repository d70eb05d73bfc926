//! The impact of a change for programs.

use serde_json::{Value, json};

use super::{Effect, Impact, Origin};
use crate::comparison::Comparison;

/// One JSON object.
pub fn json(impact: &Impact, comparison: &Comparison) -> Value {
    json!({
        "@type": "CatalogImpact",
        "formatVersion": "1.0",
        "summary": impact.summary(),
        "orders": impact.orders,
        "affected": impact.affected,
        "different": impact.different,
        "refused": impact.refused,
        "effects": impact.effects.iter().map(|it| effect(it, comparison)).collect::<Vec<_>>(),
    })
}

fn effect(effect: &Effect, comparison: &Comparison) -> Value {
    let cause = effect.cause.iter().map(|position| {
        let document = &comparison.documents[*position];
        json!({"@type": document.kind.name(), "id": document.id, "change": document.change.name()})
    });
    let (origin, file) = match &effect.example.origin {
        Origin::Corpus(file) => ("orders", Some(file)),
        Origin::InFlight => ("inFlight", None),
        Origin::Installed => ("installed", None),
    };
    let differences = effect.example.differences.iter().map(ToString::to_string);
    let mut example = json!({
        "order": effect.example.order,
        "origin": origin,
        "differences": differences.collect::<Vec<_>>(),
    });
    if let Some(file) = file {
        example["file"] = json!(file);
    }
    json!({
        "cause": cause.collect::<Vec<_>>(),
        "orders": effect.orders,
        "differences": effect.differences,
        "refused": effect.refused,
        "example": example,
    })
}
