//! Codes of plans.

use super::{Description, error, warning};

/// The table.
pub const CODES: &[Description] = &[
    error(
        "plan/compensation",
        "The path of a compensation, which a rule computes, is no text.",
        "Correct the expression of the activation rule, or what it reads.",
    ),
    error(
        "plan/cycle",
        "Tasks wait for each other in a circle.",
        "Remove one of the relationships between the items.",
    ),
    error(
        "plan/dangling-dependency",
        "An item waits for an item that the order does not have, or a task for one that the plan does not have.",
        "Correct the id, or add what is missing.",
    ),
    error(
        "plan/duplicate-task",
        "Two tasks have the same id: that of an item, or one made of the ids of an item and a rule.",
        "Give every item its own id, or rename the rule.",
    ),
    error(
        "plan/expression",
        "An expression of a rule cannot be computed for an order.",
        "Guard what may be absent with has(), or correct the order.",
    ),
    error(
        "plan/format-version",
        "A plan is written in a format version that this orderctl does not read.",
        "Use a newer orderctl, or plan the order again.",
    ),
    warning(
        "plan/jeopardy",
        "An order cannot be done by when it is requested.",
        "Agree on a later date, or shorten what is on the critical path.",
    ),
    error(
        "plan/lag",
        "The lag of a relationship between items is no duration.",
        "Write it as in ISO 8601 (PT30S, PT4H, P2D).",
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
        "plan/rollout-wave",
        "An item names a wave that the rollout rule does not have.",
        "Use one of the waves of the rule, or add the wave to it.",
    ),
    error(
        "plan/stale",
        "An order was changed after its plan was made.",
        "Plan the order again, or give --allow-stale.",
    ),
    error(
        "plan/stale-inventory",
        "What an order is about was installed, changed or removed after it was decomposed.",
        "Decompose and plan the order again, or give --allow-stale.",
    ),
    error(
        "plan/unknown-action",
        "An item's action is none of add, modify, delete and noChange.",
        "Use one of the four actions.",
    ),
    warning(
        "plan/unknown-product",
        "An item names no offering or product specification of the catalog, so that no gate or rollout is looked for.",
        "Name the offering in the item.",
    ),
    error(
        "plan/unreadable",
        "A plan cannot be read.",
        "Plan the order again.",
    ),
    error(
        "plan/until",
        "The `until` of a relationship between items is neither completed nor ended.",
        "Write `completed`, or `ended` where what is waited for may also have failed.",
    ),
    error(
        "plan/window",
        "A bound of a window, which a rule computes, is no moment, or the window ends before it starts.",
        "Write moments as in RFC 3339, the end after the start.",
    ),
    warning(
        "plan/window-format",
        "A bound of a window is not written as in RFC 3339, but can be read: without an offset, as UTC.",
        "Write it with time and offset: 2026-11-25T09:00:00+11:00.",
    ),
    warning(
        "plan/window-missed",
        "A task cannot be ready before its window is over.",
        "Agree on a later window, or start the order earlier.",
    ),
];
