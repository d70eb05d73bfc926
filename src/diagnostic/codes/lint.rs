//! Codes of what works otherwise than the author of a catalog meant.

use super::{Description, error, warning};

/// The table.
pub const CODES: &[Description] = &[
    error(
        "lint/always-false",
        "A condition holds for no values that its characteristics allow.",
        "Correct the condition, or remove what it decides.",
    ),
    warning(
        "lint/always-true",
        "A condition holds for all values that its characteristics allow.",
        "Correct the condition, or leave it out.",
    ),
    error(
        "lint/contradiction",
        "A dependency has a condition that never holds where its rule is taken.",
        "Correct one of the two conditions, or remove the dependency.",
    ),
    error(
        "lint/dependency-cycle",
        "Dependencies lead in a circle as soon as their conditions hold.",
        "Remove one of them, or give it a condition that excludes the others.",
    ),
    warning(
        "lint/duplicate-name",
        "Two documents of one kind that can be ordered have the same name.",
        "Rename one of them.",
    ),
    error(
        "lint/life-cycle",
        "What can be ordered is made of what is retired, not released yet, or valid for a shorter time.",
        "Correct the life-cycle status or the validity of one of the two.",
    ),
    error(
        "lint/mandatory-unsupplied",
        "A mandatory characteristic is copied from one that may be absent.",
        "Make it mandatory in the source, give it a default, or map it in a rule.",
    ),
    error(
        "lint/mapping-range",
        "A value that the source allows becomes one that the target does not take, or cannot be computed with.",
        "Correct the rule, or the values that one of the two allows.",
    ),
    error(
        "lint/no-activation",
        "A resource can be made, and no activation rule says by whom.",
        "Add an activation rule for it.",
    ),
    warning(
        "lint/no-compensation",
        "Work has effects, and its activation rule does not say what undoes it.",
        "Say so in `compensation`, or the reason why nothing does in `compensation: {none: …}`.",
    ),
    warning(
        "lint/overlap",
        "Two gates ask the same for the same item.",
        "Join them, or correct their conditions so that only one holds.",
    ),
    error(
        "lint/return-before-gate",
        "Something that cannot be undone does not wait for a gate that decides about its order.",
        "Let the gate hold it.",
    ),
    error(
        "lint/undefined-endpoint",
        "A rule names an endpoint that the endpoints file does not define.",
        "Correct the name, or define the endpoint.",
    ),
    error(
        "lint/unreachable-rule",
        "A decomposition rule is never taken.",
        "Correct the conditions of the rules for its source and target, or remove it.",
    ),
    error(
        "lint/unreachable-specification",
        "A service or resource specification is never made of any product.",
        "Refer to it, or remove it; what stays only for what is installed is retired.",
    ),
    warning(
        "lint/unused-document",
        "Nothing needs the document.",
        "Refer to it, or remove it; what stays only for what is installed is retired.",
    ),
    warning(
        "lint/unused-exception",
        "An exception of the project file excepts nothing.",
        "Remove it.",
    ),
];
