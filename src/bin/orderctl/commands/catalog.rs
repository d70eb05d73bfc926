//! `orderctl catalog`: a family of commands, one file each.

mod corpus;
mod coverage;
mod diff;
mod impact;
mod judged;
mod lint;
mod revision;
mod test;

use crate::cli::{CatalogCommand, CatalogCommandArgs};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Does what is asked for.
pub fn run(args: CatalogCommandArgs, context: &Context) -> Result<ExitCode, Failure> {
    match args.command {
        CatalogCommand::Lint(args) => lint::run(&args, context),
        CatalogCommand::Test(args) => test::run(&args, context),
        CatalogCommand::Diff(args) => diff::run(&args, context),
        CatalogCommand::Impact(args) => impact::run(&args, context),
        CatalogCommand::Coverage(args) => coverage::run(&args, context),
    }
}
