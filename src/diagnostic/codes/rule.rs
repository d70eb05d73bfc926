//! Codes of rules and their expressions.

use super::{Description, error, warning};

/// The table.
pub const CODES: &[Description] = &[
    error(
        "rule/ambiguous-reference",
        "A gate rule comes after an id that is both a gate rule and a specification.",
        "Rename one of the two.",
    ),
    error(
        "rule/ambiguous-source",
        "A rule's source is the id of a product specification and of a service specification.",
        "Rename one of the two specifications.",
    ),
    error(
        "rule/compensation",
        "The compensation of an activation rule contradicts itself, or the work of a person.",
        "Give one of: `action: delete`; `method`, `path` and, except for DELETE, `body`; `none` with the reason.",
    ),
    error(
        "rule/conflict",
        "Two rules, or two entries of one rule, say different things about the same.",
        "Keep one of them, or join them.",
    ),
    warning(
        "rule/depends-on-nothing",
        "A rule lets its target wait for something that is never made in the scope of the dependency.",
        "Name what is made there, give the dependency a larger `scope`, or leave it out.",
    ),
    error(
        "rule/duration",
        "A duration cannot be read, or the three estimates contradict each other.",
        "Write durations as in ISO 8601 (PT30S, PT4H, P2D), optimistic ≤ mostLikely ≤ pessimistic.",
    ),
    error(
        "rule/endpoint",
        "A rule that asks an endpoint names none, or one that asks nobody names one.",
        "Name the endpoint, or leave it out.",
    ),
    error(
        "rule/expression-syntax",
        "An expression is no CEL.",
        "Correct the expression at the place that the message names.",
    ),
    error(
        "rule/expression-too-long",
        "An expression is longer, or nests deeper, than is allowed.",
        "Split the rule into several.",
    ),
    error(
        "rule/expression-type",
        "An expression puts together values of types that do not fit, or its result is of another type than is needed.",
        "Convert the values, or compare values of one type.",
    ),
    error(
        "rule/format-version",
        "A rule is written in a format version that this orderctl does not read.",
        "Use a newer orderctl, or write the rule in the version that the message names.",
    ),
    error(
        "rule/gate-after",
        "A gate rule comes after nothing, or after a gate of another product.",
        "Name what comes first; declare both gates for the same offering or product specification.",
    ),
    error(
        "rule/gate-cycle",
        "Gate rules come after each other in a circle.",
        "Remove one of the entries of `after`.",
    ),
    error(
        "rule/gate-scope",
        "A gate rule names what is never made for its product, or holds what it comes after.",
        "Name specifications that the product is decomposed into.",
    ),
    error(
        "rule/loop-variable",
        "A loop gives its element a name that means something else already.",
        "Give the element another name.",
    ),
    error(
        "rule/mandatory-unmapped",
        "A mandatory characteristic of a rule's target gets its value from nowhere.",
        "Map it in a rule, give it a default, or add it to the source.",
    ),
    warning(
        "rule/no-activation",
        "A resource that products need is carried out by nobody: the catalog has activation rules, and none for it.",
        "Add an ActivationRule for its specification, or plan with `--endpoint NAME`.",
    ),
    error(
        "rule/override",
        "A rule overrides one that it cannot override, or says what only the rule below it can say.",
        "Override rules of the same source and target, in one direction.",
    ),
    error(
        "rule/rollout-wave",
        "A rollout rule names a wave that its characteristic cannot be.",
        "Use values that the characteristic allows.",
    ),
    error(
        "rule/share",
        "Rules for one target do not say the same about who shares it.",
        "Give every rule for the target the same `share`.",
    ),
    error(
        "rule/sibling",
        "A mapping reads a sibling that reads it in turn, or of which there may be many.",
        "Map from `source` instead.",
    ),
    error(
        "rule/type-mismatch",
        "A characteristic of the same name is of another type in source and target.",
        "Map it with an expression that converts it.",
    ),
    error(
        "rule/unguarded-optional",
        "An expression reads a characteristic that may be absent.",
        "Guard it, as in `has(source.name) && source.name == 1`.",
    ),
    error(
        "rule/unknown-characteristic",
        "An expression reads a characteristic that the specification does not have.",
        "Correct the name, or add the characteristic to the specification.",
    ),
    error(
        "rule/unknown-function",
        "An expression calls a function that there is not.",
        "Use one of CEL's functions.",
    ),
    error(
        "rule/unknown-target",
        "A rule maps to a characteristic that its target does not have.",
        "Correct the name, or add the characteristic to the target.",
    ),
    error(
        "rule/unknown-variable",
        "An expression reads a variable that there is not.",
        "Use one of the variables that the message lists.",
    ),
    error(
        "rule/value",
        "A rule maps a value that the target's characteristic does not take.",
        "Give a value that the target allows.",
    ),
];
