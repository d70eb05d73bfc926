//! `orderctl catalog`: a family of commands, one file each.

mod judged;
mod lint;

use crate::cli::{CatalogCommand, CatalogCommandArgs};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Does what is asked for.
pub fn run(args: CatalogCommandArgs, context: &Context) -> Result<ExitCode, Failure> {
    match args.command {
        CatalogCommand::Lint(args) => lint::run(&args, context),
    }
}
