//! `orderctl mock`.

use crate::cli::MockArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Refuses: the command is not part of this build.
pub fn run(_args: MockArgs, _context: &Context) -> Result<ExitCode, Failure> {
    Err(Failure::NotBuilt("mock"))
}
