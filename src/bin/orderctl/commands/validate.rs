//! `orderctl validate`.

use crate::cli::ValidateArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Refuses: the command is not part of this build.
pub fn run(_args: ValidateArgs, _context: &Context) -> Result<ExitCode, Failure> {
    Err(Failure::NotBuilt("validate"))
}
