//! A comparison for programs.

use serde_json::{Value, json};

use super::{Alteration, Comparison, DocumentChange};

/// One JSON object.
pub fn json(comparison: &Comparison) -> Value {
    json!({
        "@type": "CatalogDifference",
        "formatVersion": "1.0",
        "summary": comparison.summary(),
        "breaking": comparison.breaking(),
        "documents": comparison.documents.iter().map(document).collect::<Vec<_>>(),
    })
}

fn document(document: &DocumentChange) -> Value {
    let mut value = json!({
        "@type": document.kind.name(),
        "id": document.id,
        "change": document.change.name(),
        "breaking": document.is_breaking(),
        "location": document.location,
        "alterations": document.alterations.iter().map(alteration).collect::<Vec<_>>(),
    });
    if let Some(name) = &document.name {
        value["name"] = json!(name);
    }
    value
}

fn alteration(alteration: &Alteration) -> Value {
    let mut value = json!({
        "what": alteration.what,
        "change": alteration.change.name(),
        "location": alteration.location,
    });
    let parsed = |text: &String| serde_json::from_str::<Value>(text).unwrap_or_default();
    for (name, text) in [("from", &alteration.from), ("to", &alteration.to)] {
        if let Some(text) = text {
            value[name] = parsed(text);
        }
    }
    if let Some(why) = alteration.breaking {
        value["breaking"] = json!(why);
    }
    value
}
