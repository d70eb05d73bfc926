//! The command line of orderctl: arguments → one library call → write.
//!
//! [`cli`] says what can be asked for, [`commands`] has one file a subcommand,
//! [`stage`] is what filters have in common, [`lines`] is what they produce, [`report`] writes reports, [`context`] is what holds for every command, [`terminal`] is the only place
//! that writes to the standard streams, [`exit`] is how a run ends.

mod bar;
mod cli;
mod commands;
mod context;
mod events;
mod exit;
mod lines;
mod logging;
#[cfg(target_os = "linux")]
mod pipes;
mod report;
mod signals;
mod stage;
mod terminal;

use std::io::{self, Write as _};

use cli::{Cli, Command};
use context::Context;
use exit::{ExitCode, Failure};
use orderctl::diagnostic::human::Styling;
use terminal::OutputError;

/// Orders are thousands of small texts that live for microseconds.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let code = match Cli::from_command_line() {
        Ok(cli) => answer(cli),
        Err(answer) => answer_of_parser(&answer),
    };
    code.leave();
}

fn answer(cli: Cli) -> ExitCode {
    let context = Context::new(cli.global);
    logging::start(context.verbosity, context.styling);
    match run(cli.command, &context) {
        Ok(code) => code,
        Err(failure) => {
            for line in failure.lines() {
                terminal::report_failure(&line, context.styling);
            }
            ExitCode::Caller
        }
    }
}

fn run(command: Command, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        Command::Validate(args) => commands::validate::run(&args, context),
        Command::Decompose(args) => commands::decompose::run(args, context),
        Command::Plan(args) => commands::plan::run(args, context),
        Command::Activate(args) => commands::activate::run(args, context),
        Command::Status(args) => commands::status::run(args, context),
        Command::Task(args) => commands::task::run(args, context),
        Command::Journal(args) => commands::journal::run(args, context),
        Command::Policy(args) => commands::policy::run(args, context),
        Command::Catalog(args) => commands::catalog::run(args, context),
        Command::Mock(args) => commands::mock::run(args, context),
        Command::Schema(args) => commands::schema::run(args, context),
        Command::Completions(args) => commands::completions::run(args, context),
        Command::Man(args) => commands::man::run(args, context),
    }
}

/// Prints help, version or a usage error.
fn answer_of_parser(answer: &clap::Error) -> ExitCode {
    match answer.print().and_then(|()| io::stdout().flush()) {
        _ if answer.use_stderr() => ExitCode::Caller,
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let failure = OutputError::new("standard output", error);
            terminal::report_failure(&failure.to_string(), Styling::Plain);
            ExitCode::Caller
        }
        _ => ExitCode::Done,
    }
}
