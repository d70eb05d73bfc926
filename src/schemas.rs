//! The JSON Schemas of what is read and written, as shipped in `schemas/`.

use std::sync::OnceLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError, Validator};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{DocumentKind, Node, Tape, describe};

/// Name and text of every schema, by layer from the product order down.
pub static SCHEMAS: &[(&str, &str)] = &[
    (
        "product-order",
        include_str!("../schemas/product-order.schema.json"),
    ),
    (
        "service-order",
        include_str!("../schemas/service-order.schema.json"),
    ),
    (
        "resource-order",
        include_str!("../schemas/resource-order.schema.json"),
    ),
    (
        "product-offering",
        include_str!("../schemas/product-offering.schema.json"),
    ),
    (
        "product-specification",
        include_str!("../schemas/product-specification.schema.json"),
    ),
    (
        "service-specification",
        include_str!("../schemas/service-specification.schema.json"),
    ),
    (
        "resource-specification",
        include_str!("../schemas/resource-specification.schema.json"),
    ),
    (
        "decomposition-rule",
        include_str!("../schemas/decomposition-rule.schema.json"),
    ),
    (
        "activation-rule",
        include_str!("../schemas/activation-rule.schema.json"),
    ),
    (
        "gate-rule",
        include_str!("../schemas/gate-rule.schema.json"),
    ),
    (
        "rollout-rule",
        include_str!("../schemas/rollout-rule.schema.json"),
    ),
    (
        "orchestration-plan",
        include_str!("../schemas/orchestration-plan.schema.json"),
    ),
    (
        "endpoints",
        include_str!("../schemas/endpoints.schema.json"),
    ),
    ("project", include_str!("../schemas/project.schema.json")),
];

/// The text of the schema of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    SCHEMAS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// A schema by name, ready to check documents.
///
/// # Panics
/// Never: the schemas are part of the program and tested.
fn validator(name: &str) -> Option<&'static Validator<Tape>> {
    static VALIDATORS: OnceLock<Vec<OnceLock<Validator<Tape>>>> = OnceLock::new();
    let position = SCHEMAS.iter().position(|(known, _)| *known == name)?;
    let validators = VALIDATORS.get_or_init(|| SCHEMAS.iter().map(|_| OnceLock::new()).collect());
    Some(validators[position].get_or_init(|| {
        let schema = serde_json::from_str(SCHEMAS[position].1).expect("schemas are JSON");
        jsonschema::options_for::<Tape>()
            .build(&schema)
            .expect("schemas are JSON Schemas")
    }))
}

/// Name of the schema for a kind of document.
pub fn name_for(kind: DocumentKind) -> Option<&'static str> {
    Some(match kind {
        DocumentKind::ProductOrder => "product-order",
        DocumentKind::ServiceOrder => "service-order",
        DocumentKind::ResourceOrder => "resource-order",
        DocumentKind::OrchestrationPlan => "orchestration-plan",
        DocumentKind::ProductOffering => "product-offering",
        DocumentKind::ProductSpecification => "product-specification",
        DocumentKind::ServiceSpecification => "service-specification",
        DocumentKind::ResourceSpecification => "resource-specification",
        DocumentKind::DecompositionRule => "decomposition-rule",
        DocumentKind::ActivationRule => "activation-rule",
        DocumentKind::GateRule => "gate-rule",
        DocumentKind::RolloutRule => "rollout-rule",
        DocumentKind::Product
        | DocumentKind::Service
        | DocumentKind::Resource
        | DocumentKind::Other => return None,
    })
}

/// All faults of a document against the schema of its kind, in document order;
/// none for kinds without a schema.
pub fn check(kind: DocumentKind, root: Node<'_>) -> Vec<Diagnostic> {
    let Some(validator) = name_for(kind).and_then(validator) else {
        return Vec::new();
    };
    if validator.is_valid(root) {
        return Vec::new();
    }
    let mut diagnostics: Vec<Diagnostic> = validator
        .iter_errors(root)
        .map(|error| diagnostic(&error, root.resolve_pointer(error.instance_path().as_str())))
        .collect();
    diagnostics.sort_by(|a, b| {
        let place =
            |diagnostic: &Diagnostic| (diagnostic.location.line, diagnostic.location.column);
        place(a)
            .cmp(&place(b))
            .then_with(|| a.message.cmp(&b.message))
    });
    diagnostics
}

fn diagnostic(error: &ValidationError<'_>, node: Node<'_>) -> Diagnostic {
    let what = name(node);
    let (code, message) = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let member = property.as_str().unwrap_or_default();
            (Code("schema/missing"), format!("{what} has no `{member}`"))
        }
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(single) => single.to_string(),
                TypeKind::Multiple(several) => {
                    let names: Vec<String> = several
                        .iter()
                        .filter(|one| *one != JsonType::Null)
                        .map(|one| one.to_string())
                        .collect();
                    names.join(" or ")
                }
            };
            let found = describe(node);
            (
                Code("schema/type"),
                format!("{what} has to be of type {expected}, found {found}"),
            )
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let names: Vec<String> = unexpected.iter().map(|name| format!("`{name}`")).collect();
            let list = names.join(", ");
            (
                Code("schema/unknown-member"),
                format!("{what} has no member {list}"),
            )
        }
        ValidationErrorKind::MinItems { limit } => (
            Code("schema/value"),
            format!("{what} needs at least {limit} element(s)"),
        ),
        ValidationErrorKind::MinLength { limit } => (
            Code("schema/value"),
            format!("{what} needs at least {limit} character(s)"),
        ),
        ValidationErrorKind::Enum { options } => (
            Code("schema/value"),
            format!(
                "{what} has to be one of {options}, found {}",
                describe(node)
            ),
        ),
        ValidationErrorKind::Constant { expected_value } => (
            Code("schema/value"),
            format!(
                "{what} has to be {expected_value}, found {}",
                describe(node)
            ),
        ),
        ValidationErrorKind::Pattern { pattern } => (
            Code("schema/value"),
            format!("{what} has to match `{pattern}`, found {}", describe(node)),
        ),
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            let message = format!("{what} has members of which only one may be given");
            (Code("schema/value"), message)
        }
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context }
            if !needed(context).is_empty() =>
        {
            (
                Code("schema/missing"),
                format!("{what} needs one of {}", needed(context)),
            )
        }
        _ => (Code("schema/value"), format!("{what}: {}", error.masked())),
    };
    let place = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .first()
            .and_then(|name| node.member(name))
            .unwrap_or(node),
        _ => node,
    };
    Diagnostic::new(code, Severity::Error, place.location(), message)
}

/// The members of which one is needed, where alternatives differ in nothing else.
fn needed(alternatives: &[Vec<ValidationError<'_>>]) -> String {
    let mut names = Vec::new();
    for error in alternatives.iter().flatten() {
        let ValidationErrorKind::Required { property } = error.kind() else {
            return String::new();
        };
        names.push(format!("`{}`", property.as_str().unwrap_or_default()));
    }
    names.join(", ")
}

/// How a message names a value: by its last pointer segment that is a word.
fn name(node: Node<'_>) -> String {
    let pointer = node.pointer();
    let mut segments = pointer.rsplit('/');
    match segments.next() {
        None | Some("") => "the document".to_owned(),
        Some(index) if index.parse::<usize>().is_ok() => {
            let list = segments.next().unwrap_or_default();
            format!("element {index} of `{list}`")
        }
        Some(member) => format!("`{member}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_a_json_object_that_compiles() {
        for (name, text) in SCHEMAS {
            let schema: serde_json::Value = serde_json::from_str(text).expect(name);
            assert!(schema.is_object(), "{name}");
            jsonschema::validator_for(&schema).expect(name);
        }
    }

    #[test]
    fn a_schema_is_found_by_its_exact_name() {
        assert!(find("product-order").is_some());
        assert!(find("ProductOrder").is_none());
    }
}
