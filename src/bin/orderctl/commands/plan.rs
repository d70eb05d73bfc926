//! `orderctl plan`.

use crate::cli::PlanArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Refuses: the command is not part of this build.
pub fn run(_args: PlanArgs, _context: &Context) -> Result<ExitCode, Failure> {
    Err(Failure::NotBuilt("plan"))
}
