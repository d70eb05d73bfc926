//! `orderctl decompose`.

use crate::cli::DecomposeArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Refuses: the command is not part of this build.
pub fn run(_args: DecomposeArgs, _context: &Context) -> Result<ExitCode, Failure> {
    Err(Failure::NotBuilt("decompose"))
}
