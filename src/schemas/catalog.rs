//! One schema for the files of a catalog, whatever they hold: for editors,
//! which know a file but not the kinds of the documents in it.
//!
//! Put together from the schemas of the kinds; references stay inside it, so
//! that an editor needs no other file.

use serde_json::{Map, Value, json};

use super::SCHEMAS;

/// Schemas of the documents of a catalog, and the `@type`s that each is for.
pub const KINDS: &[(&str, &[&str])] = &[
    ("product-offering", &["ProductOffering"]),
    ("product-specification", &["ProductSpecification"]),
    (
        "service-specification",
        &[
            "ServiceSpecification",
            "CustomerFacingServiceSpecification",
            "ResourceFacingServiceSpecification",
        ],
    ),
    (
        "resource-specification",
        &[
            "ResourceSpecification",
            "LogicalResourceSpecification",
            "PhysicalResourceSpecification",
            "ResourceFunctionSpecification",
        ],
    ),
    ("decomposition-rule", &["DecompositionRule"]),
    ("activation-rule", &["ActivationRule"]),
    ("gate-rule", &["GateRule"]),
    ("rollout-rule", &["RolloutRule"]),
    ("constraint-rule", &["ConstraintRule"]),
];

/// The schema: a document of one of the kinds, or a list of them.
///
/// # Panics
/// Never: the schemas are part of the program and tested.
pub fn text() -> String {
    let mut definitions = Map::new();
    let mut alternatives = Vec::new();
    for (name, types) in KINDS {
        let schema = SCHEMAS.iter().find(|(known, _)| known == name);
        let (_, text) = schema.expect("kinds have schemas");
        let mut schema: Value = serde_json::from_str(text).expect("schemas are JSON");
        let inner = schema["$defs"].take();
        for member in ["$defs", "$schema", "$id"] {
            let _taken = schema.as_object_mut().and_then(|it| it.remove(member));
        }
        for (definition, mut value) in inner.as_object().cloned().unwrap_or_default() {
            move_references(&mut value, name);
            definitions.insert(format!("{name}.{definition}"), value);
        }
        move_references(&mut schema, name);
        definitions.insert((*name).to_owned(), schema);
        alternatives.push(json!({
            "if": { "required": ["@type"], "properties": { "@type": { "enum": types } } },
            "then": { "$ref": format!("#/$defs/{name}") }
        }));
    }
    let known: Vec<&str> = KINDS
        .iter()
        .flat_map(|(_, types)| *types)
        .copied()
        .collect();
    definitions.insert(
        "document".to_owned(),
        json!({
            "description": "A document of the catalog, by its @type",
            "type": "object",
            "properties": {
                "@type": {
                    "description": "Kind of the document",
                    "anyOf": [{ "enum": known }, { "type": "string" }]
                }
            },
            "allOf": alternatives
        }),
    );
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:orderctl:schema:catalog:1",
        "title": "Catalog file",
        "description": "A file of a catalog: TM Forum documents and rules, one or a list of them. Put together from the schemas of its documents.",
        "if": { "type": "array" },
        "then": { "items": { "$ref": "#/$defs/document" } },
        "else": { "$ref": "#/$defs/document" },
        "$defs": definitions
    });
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

/// `#/$defs/x` of a schema becomes `#/$defs/<schema>.x`.
fn move_references(value: &mut Value, schema: &str) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(reference) if key == "$ref" => {
                        let name = reference.strip_prefix("#/$defs/").unwrap_or_default();
                        *reference = format!("#/$defs/{schema}.{name}");
                    }
                    _ => move_references(value, schema),
                }
            }
        }
        Value::Array(elements) => {
            for element in elements {
                move_references(element, schema);
            }
        }
        _ => {}
    }
}
