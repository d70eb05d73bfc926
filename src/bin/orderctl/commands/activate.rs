//! `orderctl activate`.

use crate::cli::ActivateArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Refuses: the command is not part of this build.
pub fn run(_args: ActivateArgs, _context: &Context) -> Result<ExitCode, Failure> {
    Err(Failure::NotBuilt("activate"))
}
