//! Codes of tests of catalogs.

use super::{Description, error, warning};

/// The table.
pub const CODES: &[Description] = &[
    error(
        "test/differs",
        "Something else comes of an order than is expected.",
        "Correct the catalog; or, if it is meant, accept what comes of it with --update.",
    ),
    warning(
        "test/left-over",
        "An outcome is expected of an order that is not there.",
        "Remove the expectation, or accept what there is with --update.",
    ),
    error(
        "test/no-expectation",
        "Nothing is expected of an order.",
        "See what comes of it, and accept that with --update.",
    ),
];
