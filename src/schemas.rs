//! The JSON Schemas of what is read and written, as shipped in `schemas/`.

mod catalog;
mod fault;
mod spelling;

use std::borrow::Cow;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::document::{DocumentKind, Node, Tape};
pub use fault::name;
use spelling::Spelling;

/// Name and text of every schema: orders and catalog by layer from the product down, plans, the files
/// beside them, the installed base, and what is reported.
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
        "constraint-rule",
        include_str!("../schemas/constraint-rule.schema.json"),
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
    (
        "fault-script",
        include_str!("../schemas/fault-script.schema.json"),
    ),
    (
        "mock-record",
        include_str!("../schemas/mock-record.schema.json"),
    ),
    ("product", include_str!("../schemas/product.schema.json")),
    ("service", include_str!("../schemas/service.schema.json")),
    ("resource", include_str!("../schemas/resource.schema.json")),
    (
        "order-status",
        include_str!("../schemas/order-status.schema.json"),
    ),
    (
        "order-event",
        include_str!("../schemas/order-event.schema.json"),
    ),
    (
        "journal-export",
        include_str!("../schemas/journal-export.schema.json"),
    ),
    (
        "journal-verification",
        include_str!("../schemas/journal-verification.schema.json"),
    ),
    (
        "diagnostic-report",
        include_str!("../schemas/diagnostic-report.schema.json"),
    ),
    (
        "expected-outcome",
        include_str!("../schemas/expected-outcome.schema.json"),
    ),
    (
        "catalog-difference",
        include_str!("../schemas/catalog-difference.schema.json"),
    ),
    (
        "catalog-impact",
        include_str!("../schemas/catalog-impact.schema.json"),
    ),
    (
        "catalog-coverage",
        include_str!("../schemas/catalog-coverage.schema.json"),
    ),
    (
        "task-explanation",
        include_str!("../schemas/task-explanation.schema.json"),
    ),
    (
        "revision-view",
        include_str!("../schemas/revision-view.schema.json"),
    ),
    (
        "decomposition-explanation",
        include_str!("../schemas/decomposition-explanation.schema.json"),
    ),
];

/// Name of the schema for whole files of a catalog, which is made from others.
pub const CATALOG: &str = "catalog";

/// Names of all schemas.
pub fn names() -> impl Iterator<Item = &'static str> {
    let names = SCHEMAS.iter().map(|(name, _)| *name);
    names.chain([CATALOG])
}

/// The text of the schema of this name.
#[must_use]
pub fn find(name: &str) -> Option<Cow<'static, str>> {
    if name == CATALOG {
        return Some(Cow::Owned(catalog::text()));
    }
    SCHEMAS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| Cow::Borrowed(*text))
}

/// A schema, ready to check documents.
struct Ready {
    schema: Value,
    validator: Validator<Tape>,
    spelling: OnceLock<Spelling>,
}

/// A schema by name, made ready when it is first asked for.
///
/// # Panics
/// Never: the schemas are part of the program and tested.
fn ready(name: &str) -> Option<&'static Ready> {
    static SCHEMAS_READY: OnceLock<Vec<OnceLock<Ready>>> = OnceLock::new();
    let position = SCHEMAS.iter().position(|(known, _)| *known == name)?;
    let all = SCHEMAS_READY.get_or_init(|| SCHEMAS.iter().map(|_| OnceLock::new()).collect());
    Some(all[position].get_or_init(|| {
        let schema = serde_json::from_str(SCHEMAS[position].1).expect("schemas are JSON");
        let validator = jsonschema::options_for::<Tape>()
            .build(&schema)
            .expect("schemas are JSON Schemas");
        Ready {
            schema,
            validator,
            spelling: OnceLock::new(),
        }
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
        DocumentKind::ConstraintRule => "constraint-rule",
        DocumentKind::Product => "product",
        DocumentKind::Service => "service",
        DocumentKind::Resource => "resource",
        DocumentKind::Other => return None,
    })
}

/// Name of the schema for a document: by its kind, or what orderctl itself writes by its `@type`.
fn name_of(kind: DocumentKind, root: Node<'_>) -> Option<&'static str> {
    name_for(kind).or_else(|| match root.text("@type")?.as_ref() {
        "OrderStatus" => Some("order-status"),
        "JournalOrder" | "JournalEntry" => Some("journal-export"),
        "JournalVerification" => Some("journal-verification"),
        "DiagnosticReport" => Some("diagnostic-report"),
        "TaskExplanation" => Some("task-explanation"),
        "RevisionView" => Some("revision-view"),
        "DecompositionExplanation" => Some("decomposition-explanation"),
        _ => None,
    })
}

/// All faults of a document against the schema of its kind, in document order;
/// none for kinds without a schema.
pub fn check(kind: DocumentKind, root: Node<'_>) -> Vec<Diagnostic> {
    name_of(kind, root).map_or(Vec::new(), |name| check_as(name, root))
}

/// All faults of a document against the schema of this name, in document order.
pub fn check_as(name: &str, root: Node<'_>) -> Vec<Diagnostic> {
    let Some(Ready {
        schema, validator, ..
    }) = ready(name)
    else {
        return Vec::new();
    };
    if validator.is_valid(root) {
        return Vec::new();
    }
    let mut diagnostics: Vec<Diagnostic> = validator
        .iter_errors(root)
        .flat_map(|error| {
            let node = root.resolve_pointer(error.instance_path().as_str());
            fault::diagnostics(&error, node, schema)
        })
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

/// Members that the schema of a document's kind does not have, but for a slip of the keyboard:
/// warnings, in document order. Where other members are refused anyway, nothing.
pub fn misspelt(kind: DocumentKind, root: Node<'_>) -> Vec<Diagnostic> {
    let Some(ready) = name_of(kind, root).and_then(ready) else {
        return Vec::new();
    };
    let spelling = ready.spelling.get_or_init(|| Spelling::of(&ready.schema));
    spelling.misspelt(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_a_json_object_that_compiles() {
        for name in names() {
            let text = find(name).expect(name);
            let schema: serde_json::Value = serde_json::from_str(&text).expect(name);
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
