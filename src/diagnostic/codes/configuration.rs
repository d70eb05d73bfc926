//! Codes of the files that say where things are.

use super::{Description, error};

/// Codes of endpoints files.
pub const ENDPOINTS: &[Description] = &[error(
    "endpoints/definition",
    "An endpoint is defined in a way that cannot be used.",
    "Correct the definition as the message says.",
)];

/// Codes of project files.
pub const PROJECT: &[Description] = &[error(
    "project/definition",
    "A project file says something that cannot be used.",
    "Correct the file as the message says.",
)];

/// Codes of fault scripts.
pub const FAULT_SCRIPT: &[Description] = &[error(
    "fault-script/definition",
    "A fault script says something that cannot be played.",
    "Correct the script as the message says.",
)];
