//! `orderctl status`.

use crate::cli::StatusArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Refuses: the command is not part of this build.
pub fn run(_args: StatusArgs, _context: &Context) -> Result<ExitCode, Failure> {
    Err(Failure::NotBuilt("status"))
}

/// The table of a chain.
pub fn show(_chain: &orderctl::chain::Chain, _context: &Context) -> String {
    String::new()
}
