//! `orderctl man`: manual pages.

use clap::CommandFactory as _;
use clap_mangen::Man;
use orderctl::diagnostic::suggestion;

use crate::cli::{Cli, ManArgs};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Writes the page of the program, or of one of its commands.
pub fn run(args: ManArgs, context: &Context) -> Result<ExitCode, Failure> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let subject = match args.command {
        None => program,
        Some(name) => match program.find_subcommand(&name) {
            Some(command) => command.clone(),
            None => return Err(unknown(name, &program)),
        },
    };
    let mut page = Vec::new();
    Man::new(subject)
        .render(&mut page)
        .expect("writing to memory does not fail");
    context.write_text(&page)?;
    Ok(ExitCode::Done)
}

fn unknown(name: String, program: &clap::Command) -> Failure {
    let names = program.get_subcommands().map(clap::Command::get_name);
    Failure::UnknownName {
        kind: "command",
        advice: suggestion::closest(&name, names).map_or_else(
            || "`orderctl --help` lists all of them".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        ),
        name,
    }
}
