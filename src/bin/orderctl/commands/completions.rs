//! `orderctl completions`: scripts that let a shell complete the command line.

use clap::CommandFactory as _;

use crate::cli::{Cli, CompletionsArgs};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Writes the script for the shell named.
pub fn run(args: CompletionsArgs, context: &Context) -> Result<ExitCode, Failure> {
    // Into memory first: the generator panics when its writer fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "orderctl", &mut script);
    context.write_text(&script)?;
    Ok(ExitCode::Done)
}
