//! Codes of what a change of a catalog does, and of what nothing tests.

use super::{Description, note, warning};

/// Codes of `catalog diff`.
pub const DIFF: &[Description] = &[
    warning(
        "diff/breaking",
        "A change of a catalog breaks orders that were good before.",
        "Keep what orders and what is installed name, or see to them first.",
    ),
    note(
        "diff/change",
        "A document of a catalog was added, removed or changed.",
        "See whether that is meant.",
    ),
];

/// Codes of `catalog impact`.
pub const IMPACT: &[Description] = &[
    note(
        "impact/different",
        "Orders come out differently under another catalog.",
        "See whether that is meant.",
    ),
    warning(
        "impact/refused",
        "Orders that were acceptable no longer are under another catalog.",
        "Keep what they ask for, or see to them first.",
    ),
];

/// Codes of `catalog coverage`.
pub const COVERAGE: &[Description] = &[note(
    "coverage/missing",
    "No order exercises something of the catalog.",
    "Add an order that does; `catalog coverage --generate` writes some.",
)];
