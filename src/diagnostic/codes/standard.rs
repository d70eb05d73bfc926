//! Codes of orders that break TM Forum's standard where processing does not
//! mind; found with `--strict` only.

use super::{Description, error};

/// The table.
pub const CODES: &[Description] = &[
    error(
        "standard/format",
        "A text is no date or no URI where the standard demands one.",
        "Write dates as in RFC 3339, and URIs with their scheme.",
    ),
    error(
        "standard/missing",
        "A member that the standard demands is missing.",
        "Add the member.",
    ),
    error(
        "standard/type",
        "A value is of another type than the standard says.",
        "Write the value as the message says.",
    ),
    error(
        "standard/value",
        "A value is none of those that the standard lists.",
        "Use one of the values that the message lists.",
    ),
];
