//! Codes of the installed base.

use super::{Description, warning};

/// The table.
pub const CODES: &[Description] = &[
    warning(
        "inventory/dangling-reference",
        "An installed product or service refers to one that is not in the inventory.",
        "Add what is missing, or correct the id.",
    ),
    warning(
        "inventory/duplicate-id",
        "Two products, services or resources have the same id; the first one counts.",
        "Remove one of them, or give it its own id.",
    ),
    warning(
        "inventory/malformed",
        "An installed product, service or resource breaks its schema; what cannot be read counts as absent.",
        "Correct the document; `orderctl schema` shows what it may hold.",
    ),
    warning(
        "inventory/missing-id",
        "An installed product, service or resource has no id; nothing can refer to it.",
        "Give it an id.",
    ),
];
