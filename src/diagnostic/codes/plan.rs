//! Codes of plans.

use super::{Description, error};

/// The table.
pub const CODES: &[Description] = &[
    error(
        "plan/cycle",
        "Tasks wait for each other in a circle.",
        "Remove one of the relationships between the items.",
    ),
    error(
        "plan/dangling-dependency",
        "An item waits for an item that the order does not have.",
        "Correct the id, or add the item.",
    ),
    error(
        "plan/duplicate-task",
        "Two items have the same id, which names a task.",
        "Give every item its own id.",
    ),
    error(
        "plan/format-version",
        "A plan is written in a format version that this orderctl does not read.",
        "Use a newer orderctl, or plan the order again.",
    ),
    error(
        "plan/missing-resource",
        "An item changes or removes a resource and does not say which.",
        "Give the id of the resource as it stands in the inventory.",
    ),
    error(
        "plan/no-endpoint",
        "Nothing says which endpoint carries out an item.",
        "Add an ActivationRule to the catalog, or give --endpoint.",
    ),
    error(
        "plan/stale",
        "An order was changed after its plan was made.",
        "Plan the order again, or give --allow-stale.",
    ),
    error(
        "plan/unknown-action",
        "An item's action is none of add, modify, delete and noChange.",
        "Use one of the four actions.",
    ),
    error(
        "plan/unreadable",
        "A plan cannot be read.",
        "Plan the order again.",
    ),
];
