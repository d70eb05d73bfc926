//! The JSON Schemas of what is read and written, as shipped in `schemas/`.

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
