//! The command line: every flag with its help in one place.
//!
//! A value is taken from the flag, else from the environment; what is in
//! neither may still come from the project file (see `Context::settings`).

mod catalog;
mod running;
mod stages;
mod tools;

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{Args, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use jiff::{SignedDuration, Timestamp};

use crate::exit::{self, Failure};

pub use catalog::{
    CatalogCommand, CatalogCommandArgs, CoverageArgs, DiffArgs, ExitWhen, ImpactArgs, LintArgs,
    TestArgs,
};
pub use running::{
    ActivateArgs, ClockName, Condition, DeedArgs, JournalCommand, JournalCommandArgs,
    JournalExportArgs, JournalVerifyArgs, ListArgs, PolicyArgs, PolicyCommand, PolicyExplainArgs,
    ReasonedDeedArgs, SelectArgs, SetArgs, StatusArgs, TaskArgs, TaskCommand, TaskName,
};
pub use stages::{
    DecomposeArgs, ExplainFormat, ExplanationFormat, GraphLanguage, Layer, PlanArgs, ValidateArgs,
};
pub use tools::{CompletionsArgs, ManArgs, MockArgs, OutputFormat, SchemaArgs};

/// A Unix toolkit for telecom orders.
///
/// Checks a TM Forum product order against a catalog, decomposes it into service and resource
/// orders, plans their dependencies, activates them against real or simulated endpoints, and says
/// where every order stands. Each step is a filter that reads and writes TM Forum JSON:
///
///   orderctl validate order.json | orderctl decompose | orderctl plan | orderctl activate
#[derive(Debug, Parser)]
#[command(
    name = "orderctl",
    version,
    verbatim_doc_comment,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100,
    after_help = exit::TABLE
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
}

impl Cli {
    /// Understands the arguments and the environment of this process.
    ///
    /// # Errors
    ///
    /// What to print instead of running: help, the version, or a usage error.
    pub fn from_command_line() -> Result<Self, clap::Error> {
        let command = without_empty_variables(Self::command());
        let matches = command.try_get_matches()?;
        let mut cli = Self::from_arg_matches(&matches)?;
        let by_flag = matches.subcommand().is_some_and(|(_, given)| {
            matches!(given.try_contains_id("inventory"), Ok(true))
                && given.value_source("inventory") == Some(ValueSource::CommandLine)
        });
        if let Command::Plan(args) = &cli.command
            && let Some(stray) = args.stray()
        {
            let mut command = Self::command();
            command.build();
            let kind = clap::error::ErrorKind::MissingRequiredArgument;
            let plan = command.find_subcommand_mut("plan");
            return Err(plan.map_or_else(
                || clap::Error::raw(kind, &stray),
                |plan| plan.error(kind, &stray),
            ));
        }
        let inventory = match &mut cli.command {
            Command::Validate(args) => Some(&mut args.inventory),
            Command::Decompose(args) => Some(&mut args.inventory),
            Command::Plan(args) => Some(&mut args.inventory),
            Command::Activate(args) => Some(&mut args.inventory),
            _ => None,
        };
        if let Some(inventory) = inventory.filter(|_| by_flag) {
            inventory.origin = Origin::Flag;
        }
        Ok(cli)
    }
}

/// A variable that is set to nothing counts as not set, as everywhere in Unix.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| match arg.get_env().and_then(env::var_os) {
            Some(value) if value.is_empty() => arg.env(Resettable::Reset),
            _ => arg,
        })
        .mut_subcommands(without_empty_variables)
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Say nothing on standard error but the error that ends the run
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say what is done; twice: also how
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Colours: `auto` means on a terminal, unless `NO_COLOR` is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = false
    )]
    pub color: ColorChoice,
    /// Indent documents instead of writing one a line
    #[arg(long, global = true)]
    pub pretty: bool,
    /// Project file [default: orderctl.toml, here or in a folder above]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "ORDERCTL_PROJECT",
        hide_env_values = true
    )]
    pub project: Option<PathBuf>,
}

/// The subcommands, in the order of the pipe.
#[derive(Debug, Subcommand)]
pub enum Command {
    Validate(ValidateArgs),
    Decompose(DecomposeArgs),
    Plan(PlanArgs),
    Activate(ActivateArgs),
    Status(StatusArgs),
    Task(TaskArgs),
    Journal(JournalCommandArgs),
    Policy(PolicyArgs),
    Catalog(CatalogCommandArgs),
    Mock(MockArgs),
    Schema(SchemaArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Documents to read.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// Files with documents: JSON objects, arrays of them, or one a line; YAML where the name ends in
    /// .yaml or .yml; `-` is standard input
    #[arg(value_name = "FILES")]
    pub files: Vec<PathBuf>,
}

/// The catalog.
#[derive(Debug, Args)]
pub struct CatalogArgs {
    /// Catalog folder: TMF620, TMF633 and TMF634 documents and decomposition rules, JSON or YAML
    #[arg(
        long,
        value_name = "DIR",
        env = "ORDERCTL_CATALOG",
        hide_env_values = true
    )]
    pub catalog: Option<PathBuf>,
}

/// The journal.
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// Journal of activations [default: .orderctl/journal.db]
    #[arg(
        long,
        value_name = "FILE",
        env = "ORDERCTL_JOURNAL",
        hide_env_values = true
    )]
    pub journal: Option<PathBuf>,
}

/// The installed base.
#[derive(Debug, Args)]
pub struct InventoryArgs {
    /// Installed base: file or folder of TMF637, TMF638 and TMF639 documents, JSON
    #[arg(
        long,
        value_name = "PATH",
        env = "ORDERCTL_INVENTORY",
        hide_env_values = true
    )]
    pub inventory: Option<PathBuf>,
    #[arg(skip)]
    pub origin: Origin,
}

/// Where a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// The command line: somebody means it now.
    Flag,
    /// Environment or project file: it holds for every command, also for the first one.
    #[default]
    Standing,
}

impl InventoryArgs {
    /// A path on the command line that leads nowhere is a slip of the keyboard.
    ///
    /// # Errors
    /// Nothing is there, and this command does not make it.
    pub fn is_there(&self) -> Result<(), Failure> {
        self.leads(
            Path::exists,
            "is not there; where nothing is installed yet, make an empty file first",
        )
    }

    /// As [`InventoryArgs::is_there`], for the command that makes it.
    ///
    /// # Errors
    /// Nothing is there, nor the folder that it would be made in.
    pub fn can_be_made(&self) -> Result<(), Failure> {
        let folder = |path: &Path| match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.is_dir(),
            _ => true,
        };
        self.leads(
            |path| path.exists() || folder(path),
            "is not there, nor the folder to make it in",
        )
    }

    fn leads(&self, somewhere: impl Fn(&Path) -> bool, what: &'static str) -> Result<(), Failure> {
        match &self.inventory {
            Some(path) if self.origin == Origin::Flag && !somewhere(path) => {
                Err(Failure::NoInventory {
                    path: path.clone(),
                    what,
                })
            }
            _ => Ok(()),
        }
    }
}

/// The endpoints file.
#[derive(Debug, Args)]
pub struct EndpointsArgs {
    /// Endpoints file: which systems there are, and how they are reached
    #[arg(
        long,
        value_name = "FILE",
        env = "ORDERCTL_ENDPOINTS",
        hide_env_values = true
    )]
    pub endpoints: Option<PathBuf>,
}

/// How many chains at once.
#[derive(Debug, Args)]
pub struct JobsArgs {
    /// Work on N chains at once; the output keeps the order of the input
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: u16,
}

/// The moment taken as now.
#[derive(Debug, Args)]
pub struct NowArgs {
    /// Take this moment (RFC 3339) as now, for the same result on every day
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub now: Option<Timestamp>,
}

/// Something that says something.
fn a_text(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// An address of this machine: whoever is heard there is not asked who they are.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "expected an address and a port, such as 127.0.0.1:8710".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("it is not of this machine (127.0.0.1 or [::1])".to_owned())
    }
}

/// `20ms`, `1m 30s`, `PT5M`: not negative.
fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text
        .parse()
        .map_err(|_| "expected a number with a unit, such as 20ms, 10s or 5m".to_owned())?;
    Duration::try_from(duration).map_err(|_| "a duration cannot be negative".to_owned())
}

/// `2026-11-23T10:00:00Z`.
fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        "expected date, time and offset as in RFC 3339, such as 2026-11-23T10:00:00Z".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_writes_and_shows_examples() {
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            let about = command
                .get_long_about()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(about.contains("rites"), "{name}: {about}");
            let examples = command
                .get_after_long_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let (_, examples) = examples.rsplit_once("Examples:").unwrap();
            assert!(
                (2..=5).contains(&examples.matches("\n  ").count()),
                "{name}: {examples}"
            );
        }
    }

    /// The words of every `orderctl …` in the examples of the help.
    fn example_command_lines() -> Vec<Vec<String>> {
        let program = Cli::command();
        let nested = program
            .get_subcommands()
            .flat_map(clap::Command::get_subcommands);
        let helps = program
            .get_subcommands()
            .chain(nested)
            .filter_map(clap::Command::get_after_long_help);
        helps
            .flat_map(|help| {
                help.to_string()
                    .lines()
                    .skip(1)
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .flat_map(|line| {
                line.split('|')
                    .map(|stage| stage.trim().to_owned())
                    .collect::<Vec<_>>()
            })
            .filter(|stage| stage.starts_with("orderctl "))
            .map(|stage| words(&stage))
            .collect()
    }

    /// The words of a command line up to a redirection, as a shell has them.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (at, part) in line.split('\'').enumerate() {
            if at % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        words.into_iter().take_while(|word| word != ">").collect()
    }

    #[test]
    fn every_example_of_the_help_is_understood() {
        let lines = example_command_lines();
        assert!(lines.len() > 25);
        for line in lines {
            if let Err(error) = Cli::try_parse_from(&line) {
                panic!("{}: {error}", line.join(" "));
            }
        }
    }

    #[test]
    fn a_duration_needs_a_unit_and_is_not_negative() {
        assert_eq!(duration("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("PT5M"), Ok(Duration::from_secs(300)));
        for wrong in ["", "20", "-1s", "ms", "1e999s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_moment_has_an_offset() {
        assert!(moment("2026-11-23T10:00:00+11:00").is_ok());
        assert!(moment("2026-11-23").is_err());
        assert!(moment("2026-11-23T10:00:00").is_err());
    }
}
