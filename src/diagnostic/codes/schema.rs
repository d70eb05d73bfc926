//! Codes of documents that break their schema.

use super::{Description, error, warning};

/// The table.
pub const CODES: &[Description] = &[
    error(
        "schema/missing",
        "A member that has to be there is missing.",
        "Add the member; `orderctl schema` shows what a document has to have.",
    ),
    warning(
        "schema/misspelt-member",
        "A member is nearly, but not quite, one that the standard has.",
        "Correct the member's name; a member of your own is better called something else.",
    ),
    error(
        "schema/type",
        "A value is of another JSON type than its member takes.",
        "Write the value as the message says: a text in quotes, a number without.",
    ),
    error(
        "schema/unknown-member",
        "A document that may have no other members has one that it does not know.",
        "Correct the member's name, or take it out.",
    ),
    error(
        "schema/value",
        "A value is not one of those that its member takes.",
        "Use a value that the message allows.",
    ),
];
