//! Codes of catalogs.

use super::{Description, error, warning};

/// The table.
pub const CODES: &[Description] = &[
    error(
        "catalog/cardinality",
        "A characteristic may have fewer values at most than at least.",
        "Correct minCardinality or maxCardinality.",
    ),
    error(
        "catalog/cycle",
        "Decomposition leads back to where it began, or rules wait for each other in a circle.",
        "Remove one of the references in the circle.",
    ),
    error(
        "catalog/dangling-reference",
        "A document refers to one that is not in the catalog.",
        "Correct the id, or add the document.",
    ),
    error(
        "catalog/duplicate-id",
        "Two documents of the same kind have the same id.",
        "Give each its own id, or remove one.",
    ),
    error(
        "catalog/duplicate-reference",
        "A document refers to the same specification twice.",
        "Keep one of the references.",
    ),
    error(
        "catalog/no-resource",
        "A resource-facing service names no resource that realizes it.",
        "Add the resource specification to `resourceSpecification`.",
    ),
    error(
        "catalog/range",
        "A range of values begins above its end.",
        "Correct valueFrom or valueTo.",
    ),
    error(
        "catalog/reference-type",
        "A reference leads to a document of another kind than stands there.",
        "Refer to a document of the kind that the message names.",
    ),
    error(
        "catalog/regex",
        "A regular expression cannot be used.",
        "Correct the expression.",
    ),
    error(
        "catalog/unknown-characteristic",
        "An offering narrows a characteristic that its specification does not have.",
        "Correct the name, or add the characteristic to the specification.",
    ),
    warning(
        "catalog/unknown-document",
        "A file of the catalog holds a document that is no part of a catalog; it is left out.",
        "Correct `@type`, or move the document out of the catalog.",
    ),
    error(
        "catalog/unknown-rule",
        "A document with a `formatVersion` is of no type that rules have: without it, something else would be made.",
        "Correct `@type`.",
    ),
    error(
        "catalog/value-type",
        "A value that is listed for a characteristic is not of its type.",
        "Correct the value or `valueType`.",
    ),
];
