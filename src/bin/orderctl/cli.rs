//! The command line: every flag with its help in one place.
//!
//! A value is taken from the flag, else from the environment; what is in
//! neither may still come from the project file (see `Context::settings`).

use std::env;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{
    ArgGroup, Args, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
    ValueEnum,
};
use clap_complete::Shell;
use jiff::{SignedDuration, Timestamp};
use orderctl::activate::forecast::ErrorName;
use orderctl::mock::Delay;
use orderctl::model::state::OrderState;

use crate::events::{self, Target};
use crate::exit::{self, Failure};
use crate::report::ReportArgs;

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
        let inventory = match &mut cli.command {
            Command::Validate(args) => Some(&mut args.inventory),
            Command::Decompose(args) => Some(&mut args.inventory),
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

/// Check orders against the catalog and pass the valid ones on
///
/// Reads orders of all three layers, catalog documents, rules, plans, and products, services and
/// resources of the installed base, each judged by what it is. Writes the valid ones to standard
/// output, unchanged and in their order; what is wrong with the others is said on standard error,
/// every fault in one run, with code, place and hint. Without a catalog only structure is checked. A
/// folder is checked as a catalog, a TOML file as endpoints file, project file or fault script; these
/// are not passed on. Touches nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl validate order.json --catalog catalog
  orderctl validate -j 2 --rejects rejected.ndjson orders.ndjson | orderctl decompose
  orderctl validate --strict --format github orders/*.json
  orderctl validate --report report.sarif --report junit.xml order.json > valid.json")]
pub struct ValidateArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Write rejected orders to FILE, their faults as notes
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Take warnings as errors, and demand of orders all that TM Forum's standards demand
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub inventory: InventoryArgs,
    #[command(flatten)]
    pub journal: JournalArgs,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub now: NowArgs,
}

/// The moment taken as now.
#[derive(Debug, Args)]
pub struct NowArgs {
    /// Take this moment (RFC 3339) as now, for the same result on every day
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub now: Option<Timestamp>,
}

/// How explanations are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// For people
    Tree,
    /// For programs
    Json,
}

/// Decompose product orders into service and resource orders
///
/// Reads product orders, or service orders. Writes the chain to standard output: each order, then
/// the service order made from it, then the resource order made from that; other documents pass
/// through. What is modified, deleted or named by noChange is compared with the installed base, if
/// there is one; an order that cannot be decomposed because the journal says that it was carried out
/// already is passed on as it stands there. Ids are computed: the same order, catalog and installed base give the same bytes.
/// Touches nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl decompose order.json --catalog catalog
  orderctl validate order.json | orderctl decompose --pretty
  orderctl decompose --to service order.json | orderctl decompose
  orderctl decompose --explain --inventory inventory.ndjson change.json > chain.json")]
pub struct DecomposeArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    #[command(flatten)]
    pub inventory: InventoryArgs,
    #[command(flatten)]
    pub journal: JournalArgs,
    /// The layer to stop at
    #[arg(long, value_name = "LAYER", default_value = "resource")]
    pub to: Layer,
    /// Say on standard error why every item was made, and why others were not: as a tree, or with
    /// =json as one JSON document an order
    #[arg(
        long,
        value_name = "FORMAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "tree"
    )]
    pub explain: Option<ExplainFormat>,
    /// Write rejected orders to FILE, their faults as notes
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub now: NowArgs,
}

/// Plan in which order the items of a chain are activated
///
/// Reads chains as `decompose` writes them, or orders alone. Writes each chain to standard output,
/// followed by its orchestration plan: tasks, dependencies, schedule, critical path, and the
/// request that each task will send. With --cancel or --amend it reads the journal, and writes how an
/// order that is under way gets to where it is wanted. Touches nothing.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("revises").args(["cancel", "amend"]))]
#[command(group = ArgGroup::new("told").args(["explain", "cancel", "amend"]).multiple(true))]
#[command(after_long_help = "\
Examples:
  orderctl decompose order.json | orderctl plan > plan.json
  orderctl plan chain.json --graph dot | dot -Tsvg > plan.svg
  orderctl plan --cancel PO-1001 --format human
  orderctl decompose new.json | orderctl plan --amend - | orderctl activate
  orderctl plan chain.json --explain 1.CFS-INTERNET-ACCESS.RFS-QOS-PROFILE")]
pub struct PlanArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    /// Endpoint for resources that no activation rule of the catalog names one for
    #[arg(long, value_name = "NAME")]
    pub endpoint: Option<String>,
    /// Write the graph of tasks in place of the documents
    #[arg(long, value_name = "LANGUAGE")]
    pub graph: Option<GraphLanguage>,
    /// Say in place of the documents why a task is there, what it waits for and what waits for it; by
    /// its id, or by its name if no other task has that
    #[arg(long, value_name = "TASK", conflicts_with = "graph")]
    pub explain: Option<String>,
    /// Plan how an order of the journal is cancelled: what is kept, undone and dropped; `activate`
    /// carries it out
    #[arg(long, value_name = "ORDER", conflicts_with_all = ["graph", "explain", "files"])]
    pub cancel: Option<String>,
    /// Plan how an order of the journal becomes the one in this file, a chain as `decompose` writes it
    /// with a higher `version`: what is kept, done again, undone, done and dropped
    #[arg(long, value_name = "FILE", conflicts_with_all = ["graph", "explain", "cancel", "files"])]
    pub amend: Option<PathBuf>,
    /// Why it is cancelled or changed
    #[arg(long, value_name = "TEXT", value_parser = a_text, requires = "revises")]
    pub reason: Option<String>,
    /// Leave items that are past the point of no return as they are, and cancel the others
    #[arg(long, requires = "cancel", conflicts_with = "force")]
    pub partly: bool,
    /// Undo what can be undone although items are past the point of no return
    #[arg(long, requires = "revises")]
    pub force: bool,
    /// How a task is explained (human, where absent), or what is to be done is written in place of
    /// the documents
    #[arg(long, value_name = "FORMAT", requires = "told")]
    pub format: Option<ExplanationFormat>,
    #[command(flatten)]
    pub journal: JournalArgs,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub now: NowArgs,
}

/// How something is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExplanationFormat {
    /// Lines for people
    Human,
    /// A JSON document
    Json,
}

/// Carry plans out against their endpoints
///
/// Reads chains with plans as `plan` writes them. Sends the tasks to their endpoints, as many at
/// once as the plan allows, and writes each chain to standard output as it stands afterwards (a
/// table on a terminal). The journal is written ahead: after an interruption the same command goes
/// on where it stopped, and no effect happens twice. What completed orders made, changed and removed
/// is written to the installed base, if there is one.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl activate plan.json --endpoints endpoints.toml
  orderctl plan chain.json | orderctl activate | orderctl status
  orderctl activate --wait --events events.ndjson plan.json
  orderctl activate -j 8 --grace 10s --journal /var/lib/orderctl/journal.db plans.ndjson")]
pub struct ActivateArgs {
    /// Files with chains and their plans; `-` is standard input
    #[arg(value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
    #[command(flatten)]
    pub endpoints: EndpointsArgs,
    #[command(flatten)]
    pub journal: JournalArgs,
    #[command(flatten)]
    pub inventory: InventoryArgs,
    /// Write the requests that would be sent, and send none
    #[arg(long)]
    pub dry_run: bool,
    /// Carry a plan out even if its orders, or what is installed of what they are about, have changed
    /// since it was made
    #[arg(long)]
    pub allow_stale: bool,
    /// Carry out orders that were begun although the journal does not know what was done: every
    /// request is sent again, under the key it had
    #[arg(long)]
    pub anew: bool,
    /// How long running tasks may go on after SIGINT or SIGTERM, such as 10s or 1m
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub grace: Duration,
    #[command(flatten)]
    pub time: TimeArgs,
    /// Listen for TMF events of endpoints (127.0.0.1:PORT, 0 is a free one): what they say has ended is
    /// looked at at once; without it, monitors are asked at growing intervals
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    pub listen: Option<SocketAddr>,
    /// Tell what happens by TMF events, one a line: to a file (behind what is in it), to standard
    /// output in place of the chains (`-`), or to a listener (http:// or https://)
    #[arg(
        long,
        value_name = "FILE|-|URL",
        env = "ORDERCTL_EVENTS",
        hide_env_values = true,
        value_parser = events::target
    )]
    pub events: Option<Target>,
    /// What to write [default: table on a terminal, otherwise json]
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<OutputFormat>,
    #[command(flatten)]
    pub jobs: JobsArgs,
}

/// What to do about time.
#[derive(Debug, Clone, Copy, Args)]
pub struct TimeArgs {
    /// Stay until windows open, lags are over, and people have done their tasks; without it, a run
    /// ends where nothing goes on but by waiting, and the same command goes on later
    #[arg(long)]
    pub wait: bool,
    /// `virtual` jumps over the times in which nothing happens, for rehearsals against a mock: it
    /// starts at the start of the plan, and the journal has its times
    #[arg(long, value_name = "CLOCK", default_value = "system")]
    pub clock: ClockName,
}

/// Say where orders stand
///
/// Reads chains from files or standard input, or asks the journal for orders by id. Writes a table
/// (on a terminal) or JSON: order, items and tasks as a tree; and for an order that stands still what
/// it waits for, since when, the last request and answer, what happens next, and what a person can
/// do. Touches nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl status chain.json -o table
  orderctl status PO-1001 --all
  orderctl status --state held --idle 1h --error timeout
  orderctl status PO-1001 --wait --for state=completed --timeout 60s
  orderctl status PO-1001 --follow")]
pub struct StatusArgs {
    /// Files with chains, `-` for standard input, or ids of orders in the journal
    #[arg(value_name = "ORDER|FILE")]
    pub subjects: Vec<PathBuf>,
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Show every item; without it, many of one kind are one line, and only those that are held or
    /// failed are named
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Write orders as a list, without their items; a table does so by itself where there are many
    #[arg(long)]
    pub list: bool,
    #[command(flatten)]
    pub watch: WatchArgs,
    /// What to write [default: table on a terminal, otherwise json]
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<OutputFormat>,
}

/// Which orders are shown.
#[derive(Debug, Args)]
pub struct SelectArgs {
    /// Only orders in one of these states, such as held,partial
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = order_state)]
    pub state: Vec<OrderState>,
    /// Only orders of the customer with this id or name
    #[arg(long, value_name = "CUSTOMER", value_parser = a_text)]
    pub customer: Option<String>,
    /// Only orders of which a task is held or has failed for a reason with this text
    #[arg(long, value_name = "TEXT", value_parser = a_text)]
    pub error: Option<String>,
    /// Only orders that were taken on so long ago, or longer
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub older_than: Option<Duration>,
    /// Only orders that nothing has happened to for so long
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub idle: Option<Duration>,
    /// Moment from which --older-than and --idle are counted [default: now]
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    pub now: Option<Timestamp>,
}

/// Looking again and again.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Stay until the orders are as --for says; ends with 1 once they cannot be any more
    #[arg(
        long,
        group = "watching",
        requires = "condition",
        requires = "subjects"
    )]
    pub wait: bool,
    /// What is waited for: state=completed, or one of several: state=completed,partial
    #[arg(long = "for", value_name = "CONDITION", requires = "wait", value_parser = condition)]
    pub condition: Option<Condition>,
    /// Write what happens to the orders, or without names to all, as it happens, until they have
    /// ended
    #[arg(long, group = "watching")]
    pub follow: bool,
    /// Longest time to stay; ends with 3 when it is over
    #[arg(long, value_name = "TIME", requires = "watching", value_parser = duration)]
    pub timeout: Option<Duration>,
}

/// What orders are waited to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition(Vec<OrderState>);

impl Condition {
    /// Whether an order in this state is as it was waited for.
    pub fn holds(&self, state: OrderState) -> bool {
        self.0.contains(&state)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|state| state.name()).collect();
        f.write_str(&names.join(" or "))
    }
}

/// Say what people have done about tasks
///
/// Tasks that people do (a site visit, an approval) wait until somebody says that they are done;
/// a task that is held can be completed, skipped or failed by hand, and a milestone be released.
/// Who, why and when goes into the journal. A run of `activate` that is under way notices it; where
/// none is, the next one goes on. Writes the task to standard output as it stands afterwards; `list`
/// writes those of an order.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl task list PO-1001
  orderctl task complete PO-1001 Site-Survey --by jane
  orderctl task fail PO-1001 Site-Survey --by jane --reason 'no duct to the building'
  orderctl task release PO-1001 'wave pilot' --reason 'two of three sites are enough'")]
pub struct TaskArgs {
    /// What to do.
    #[command(subcommand)]
    pub deed: TaskCommand,
}

/// What is done about a task.
#[derive(Debug, Subcommand)]
pub enum TaskCommand {
    /// It was done: a task of a person, or one that is held and was done by other means
    Complete(DeedArgs),
    /// It cannot be done: it fails, what needs it is given up, everything else goes on
    Fail(ReasonedDeedArgs),
    /// It need not be done: what waits for it goes on as if it were
    Skip(ReasonedDeedArgs),
    /// Let a milestone pass, such as a wave of a rollout, although not everything before it is done
    Release(DeedArgs),
    /// Its last request came to nothing, as somebody found out: it is sent again, at once
    Retry(ReasonedDeedArgs),
    /// List the tasks of an order that have not been completed, and what each of them waits for
    List(ListArgs),
}

/// Which tasks are listed.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Id or external id of the order
    #[arg(value_name = "ORDER")]
    pub order: String,
    /// List those that have been completed, too
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub journal: JournalArgs,
    /// What to write [default: table on a terminal, otherwise json]
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<OutputFormat>,
}

/// Which task, who and why.
#[derive(Debug, Args)]
pub struct DeedArgs {
    #[command(flatten)]
    pub task: TaskName,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = a_text)]
    pub reason: Option<String>,
}

/// Which task, who and why.
#[derive(Debug, Args)]
pub struct ReasonedDeedArgs {
    #[command(flatten)]
    pub task: TaskName,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = a_text)]
    pub reason: String,
}

/// Which task, and who.
#[derive(Debug, Args)]
pub struct TaskName {
    /// Id or external id of the order
    #[arg(value_name = "ORDER")]
    pub order: String,
    /// Id of the task, or its name where the order has one of that name
    #[arg(value_name = "TASK")]
    pub task: String,
    /// Who has done or decided it [default: the user]
    #[arg(long, value_name = "NAME", value_parser = a_text)]
    pub by: Option<String>,
    #[command(flatten)]
    pub journal: JournalArgs,
}

/// Look through the journal
///
/// `verify` finds what is not as it was written: entries that were changed, removed or put elsewhere,
/// torn pages, and histories that cannot have happened. `export` writes all of it as JSON. Neither
/// changes anything.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl journal verify
  orderctl journal verify --journal /var/lib/orderctl/journal.db -o json
  orderctl journal export PO-1001 | jq -c 'select(.kind == \"held\")'
  orderctl journal export --documents > journal.ndjson")]
pub struct JournalCommandArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: JournalCommand,
}

/// What is done with the journal.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Find what is not as it was written; ends with 1 where there is something
    Verify(JournalVerifyArgs),
    /// Write orders and their entries, one JSON object a line
    Export(JournalExportArgs),
}

/// What is looked through.
#[derive(Debug, Args)]
pub struct JournalVerifyArgs {
    #[command(flatten)]
    pub journal: JournalArgs,
    /// What to write [default: table on a terminal, otherwise json]
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<OutputFormat>,
}

/// What is exported.
#[derive(Debug, Args)]
pub struct JournalExportArgs {
    /// Ids or external ids of orders [default: all of them]
    #[arg(value_name = "ORDER")]
    pub orders: Vec<String>,
    /// With the documents that each order was taken on with, its plan included
    #[arg(long)]
    pub documents: bool,
    #[command(flatten)]
    pub journal: JournalArgs,
}

/// Say what would be done about an error
///
/// Reads the endpoints file, and the activation rules of a catalog where a resource specification is
/// named. Writes what `activate` would do about an error to standard output: how often and after how
/// long the request would be repeated, what would come before, and what becomes of the task after
/// that. Nothing is sent.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl policy explain --endpoint olt --error 503
  orderctl policy explain --specification RS-GPON-BEARER --error timeout")]
pub struct PolicyArgs {
    /// What to say.
    #[command(subcommand)]
    pub what: PolicyCommand,
}

/// What is said about policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// What would be done about an error of an endpoint
    Explain(PolicyExplainArgs),
}

/// Which error, of what.
#[derive(Debug, Args)]
pub struct PolicyExplainArgs {
    /// Name of the endpoint [default: that of the activation rule]
    #[arg(long, value_name = "NAME", required_unless_present = "specification")]
    pub endpoint: Option<String>,
    /// Resource specification whose activation rule counts
    #[arg(long, value_name = "ID")]
    pub specification: Option<String>,
    /// The error: a status such as 503, or connect, timeout, reset, busy, serverError, rejected or
    /// malformed
    #[arg(long, value_name = "ERROR")]
    pub error: ErrorName,
    #[command(flatten)]
    pub endpoints: EndpointsArgs,
    #[command(flatten)]
    pub catalog: CatalogArgs,
}

/// Judge a catalog and what a change of it does
///
/// Offline, for CI: is the catalog sensible, does it do what is expected, what does a change of it
/// do, to which orders, and is that tested? Writes findings to standard error and reports where they
/// are wanted; exits with 1 where something was found. Touches nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl catalog lint --catalog catalog --endpoints endpoints.toml
  orderctl catalog lint --explain lint/mapping-range
  orderctl catalog test tests --catalog catalog --report junit.xml
  orderctl catalog diff main:catalog catalog --exit-code=breaking
  orderctl catalog coverage --orders tests --min 90")]
pub struct CatalogCommandArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CatalogCommand,
}

/// What is done with a catalog.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    Lint(LintArgs),
    Test(TestArgs),
    Diff(DiffArgs),
    Impact(ImpactArgs),
    Coverage(CoverageArgs),
}

/// Find what works otherwise than its author meant
///
/// Loads the catalog and looks for what is never made, conditions that always or never hold, values
/// that do not fit, work that cannot be undone, and more; `--explain CODE` says what a finding means,
/// why it is bad, and how to mend it. Levels of codes, and exceptions with their reasons, stand in
/// orderctl.toml. Writes findings to standard error; exits with 1 if one is an error.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl catalog lint --catalog catalog
  orderctl catalog lint --strict --format sarif > catalog.sarif
  orderctl catalog lint --endpoints endpoints.toml --report junit.xml
  orderctl catalog lint --explain lint/always-false")]
pub struct LintArgs {
    #[command(flatten)]
    pub catalog: CatalogArgs,
    /// Endpoints files, one of which has to define every endpoint that a rule names; may be repeated,
    /// for a catalog that several projects share
    #[arg(long, value_name = "FILE")]
    pub endpoints: Vec<PathBuf>,
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Take warnings as errors
    #[arg(long)]
    pub strict: bool,
    /// Say what a code means, why it is bad, and how to mend it, and look at no catalog
    #[arg(long, value_name = "CODE")]
    pub explain: Option<String>,
}

/// Compare what comes of orders with what is expected
///
/// Takes every order of a folder, and of the folders in it, through validation, decomposition and
/// planning, and compares what comes of it (findings, services, resources, tasks, dates) with what
/// NAME.expected.json beside NAME.json expects. What is installed is in the nearest inventory.ndjson
/// beside or above the orders. Writes what differs to standard error, in the words of the order, and
/// with --update the expectations anew; exits with 1 where something differs.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl catalog test tests --catalog catalog
  orderctl catalog test tests --filter broadband --report junit.xml
  orderctl catalog test tests --update")]
pub struct TestArgs {
    /// Folder of orders, or one file of them
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    /// Installed base, in place of what lies beside the orders: file or folder of TMF637, TMF638 and
    /// TMF639 documents, JSON
    #[arg(long, value_name = "PATH")]
    pub inventory: Option<PathBuf>,
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Only orders whose file or id contains TEXT; may be repeated
    #[arg(long, value_name = "TEXT")]
    pub filter: Vec<String>,
    /// Expect what comes of the orders from now on
    #[arg(long)]
    pub update: bool,
    #[command(flatten)]
    pub now: NowArgs,
}

/// Say what is different between two catalogs
///
/// Compares document by document, in the words of catalogs: characteristics, values, references,
/// conditions, mappings, dependencies. What breaks orders that were good before is marked with `!` and
/// its reason. OLD and NEW are folders, or REVISION:FOLDER of the git repository here. Writes the
/// differences to standard output.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl catalog diff main:catalog catalog
  orderctl catalog diff v1.4:catalog v1.5:catalog --format markdown > comment.md
  orderctl catalog diff old new --exit-code=breaking")]
pub struct DiffArgs {
    /// Catalog folder, or REVISION:FOLDER
    #[arg(value_name = "OLD")]
    pub old: String,
    /// Catalog folder, or REVISION:FOLDER
    #[arg(value_name = "NEW")]
    pub new: String,
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Exit with 1 where there is any difference, or with =breaking where one breaks orders
    #[arg(
        long,
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "any"
    )]
    pub exit_code: Option<ExitWhen>,
}

/// Which difference makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExitWhen {
    /// Any
    Any,
    /// One that breaks orders
    Breaking,
}

/// Say what a change of a catalog does to orders
///
/// Takes orders through validation, decomposition and planning under both catalogs, but for those
/// that the change cannot affect, and shows what comes out differently, by its cause: which document,
/// how many orders, and one of them as an example. The orders are those of a folder or file, those in
/// flight of a journal, and each product that is installed, ordered anew. OLD and NEW are folders, or REVISION:FOLDER of the git
/// repository here. Writes to standard output; touches nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl catalog impact main:catalog catalog --orders tests
  orderctl catalog impact main:catalog catalog --orders tests --exit-code --format markdown > comment.md
  orderctl catalog impact old new --inventory inventory.ndjson --journal journal.db")]
pub struct ImpactArgs {
    /// Catalog folder, or REVISION:FOLDER
    #[arg(value_name = "OLD")]
    pub old: String,
    /// Catalog folder, or REVISION:FOLDER
    #[arg(value_name = "NEW")]
    pub new: String,
    /// Orders: a folder of them, or a file
    #[arg(long, value_name = "PATH", required_unless_present_any = ["inventory", "journal"])]
    pub orders: Option<PathBuf>,
    /// Installed base: behind the orders, in place of what lies beside them; and each of its products
    /// is ordered anew
    #[arg(long, value_name = "PATH")]
    pub inventory: Option<PathBuf>,
    /// Journal, whose orders in flight are looked at
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Exit with 1 where anything comes out differently
    #[arg(long)]
    pub exit_code: bool,
    #[command(flatten)]
    pub now: NowArgs,
}

/// Say what of a catalog orders exercise, and write orders for the rest
///
/// Takes orders through validation, decomposition and planning, and notes which offerings, values,
/// rules, conditions (both ways), services, resources, gates and waves they meet. Writes the figures
/// and what is missing to standard output. With --generate it also writes the fewest valid orders for
/// the rest to DIR/valid, and orders with one fault to DIR/invalid; where a catalog does not say what
/// a value looks like, it takes it from the orders. Exits with 1 where less than --min is exercised.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl catalog coverage --orders tests --catalog catalog
  orderctl catalog coverage --orders tests --min 90 --format markdown > comment.md
  orderctl catalog coverage --orders tests --generate tests/generated
  orderctl catalog coverage --generate orders --pairwise --seed 7")]
pub struct CoverageArgs {
    #[command(flatten)]
    pub catalog: CatalogArgs,
    /// Orders: a folder of them, or a file
    #[arg(long, value_name = "PATH", required_unless_present = "generate")]
    pub orders: Option<PathBuf>,
    /// Installed base, in place of what lies beside the orders: file or folder of TMF637, TMF638 and
    /// TMF639 documents, JSON
    #[arg(long, value_name = "PATH")]
    pub inventory: Option<PathBuf>,
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Exit with 1 where less than this many percent are exercised
    #[arg(long, value_name = "PERCENT", value_parser = percentage)]
    pub min: Option<f64>,
    /// Write orders for what is not exercised to this folder
    #[arg(long, value_name = "DIR")]
    pub generate: Option<PathBuf>,
    /// Write orders for every pair of values of an offering that can be ordered together, too
    #[arg(long, requires = "generate")]
    pub pairwise: bool,
    /// What all that is drawn for orders with faults depends on
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub now: NowArgs,
}

/// Play the endpoints of an endpoints file, on loopback
///
/// Reads the endpoints file and answers as a TMF702 system for each of its endpoints, below
/// /NAME/tmf-api/ResourceActivationAndConfiguration/v4 whatever its address says, until it is
/// interrupted. Writes the address it listens on to standard output as soon as connections are
/// accepted. Keeps what it was told (GET shows it, and `/record` lists every request, the fault it met
/// and whether it took effect), and honours idempotency keys. With the same seed the same requests
/// meet the same faults.
#[derive(Debug, Args)]
#[command(after_long_help = MOCK_HELP)]
pub struct MockArgs {
    #[command(flatten)]
    pub endpoints: EndpointsArgs,
    /// Where to listen; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// How long every answer takes: 20ms, 10ms..50ms (anything between), or ~20ms (exponential, with
    /// this mean)
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub latency: Delay,
    /// Let requests fail; may be repeated, and the first that fits counts. `olt:2` is the second
    /// request to endpoint olt; the list below has all of them
    #[arg(long, value_name = "SPEC")]
    pub fail: Vec<String>,
    /// Fault script (TOML): faults, and how each endpoint is played; see `orderctl schema fault-script`
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// What all that is drawn depends on [default: that of the script, else 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Accept requests at once and carry them out behind a monitor
    #[arg(long = "async")]
    pub asynchronous: bool,
    /// Tell URL (http://, on loopback) by TMF events when an accepted request has ended; others may
    /// subscribe at `hub`
    #[arg(long, value_name = "URL")]
    pub callback: Option<String>,
    /// Append every request and its answer to FILE, one JSON object a line; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Record also what is only read (GET)
    #[arg(long)]
    pub record_reads: bool,
    /// Answer as it was recorded in FILE
    #[arg(long, value_name = "FILE", conflicts_with = "proxy")]
    pub replay: Option<PathBuf>,
    /// Hand requests on to the endpoints' own addresses, with their credentials, and record all of it
    #[arg(long)]
    pub proxy: bool,
}

/// What `--fail` understands, and examples.
const MOCK_HELP: &str = "\
Faults, ENDPOINT[/FILTER]:CALLS[=KIND]:
  ENDPOINT  a name, or * for each endpoint
  FILTER    method=POST, spec=RS-VLAN (resource specification), item=ID (order item), or part of a
            resource's id; several are separated by /
  CALLS     2, 2..4, 2.., *, */3 (every third), 10% (drawn by seed), try1, try1..2 (first times of
            each request); several are separated by commas and have to hold together
  KIND      without effect:
              503, 429,2s (with Retry-After), 422 no port left (what is said)
              unqualified no port left     the question of a gate is answered by no
              hang                         never answered
              reset                        the connection is reset
            takes effect first:
              503,effect                   answered with a status all the same
              lost; reset,effect           the connection is closed; reset
              late,30s; late               answered after 30 s; never
              malformed,HOW                html, cut, torn, empty, list, text, binary, other, deep,
                                           huge, headers or noise
              drip,10ms                    answered byte by byte
              twice                        answered twice
              slow,10ms..50ms              answered after a time
              accepted,2s                  202, and behind a monitor for 2 s
              callback,2s                  the same, and its end is told by events, which
                                           callback,2s,lost and callback,2s,twice lose or repeat

Examples:
  orderctl mock --endpoints endpoints.toml
  orderctl mock --fail 'olt/method=POST:try1=503,2s' --fail '*:10%,try1..2=lost' --seed 7
  orderctl mock --script faults.toml --callback http://127.0.0.1:9000 --listen 127.0.0.1:8702
  orderctl mock --replay lab.ndjson";

/// Print the JSON Schema of a document
///
/// Writes the schema to standard output as it is shipped, or without NAME the names of all schemas,
/// one a line.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl schema
  orderctl schema product-order > product-order.schema.json
  orderctl schema decomposition-rule | jq .required")]
pub struct SchemaArgs {
    /// Name of the schema
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// Print a script that lets a shell complete commands and flags
///
/// Writes the script to standard output.
#[derive(Debug, Clone, Copy, Args)]
#[command(after_long_help = "\
Examples:
  orderctl completions bash > /etc/bash_completion.d/orderctl
  orderctl completions zsh > ~/.zfunc/_orderctl
  orderctl completions fish > ~/.config/fish/completions/orderctl.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Print a manual page
///
/// Writes the page (roff) of the program or of one of its commands to standard output.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderctl man > orderctl.1
  orderctl man validate | man -l -")]
pub struct ManArgs {
    /// The command
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// The layer at which decomposition stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Layer {
    /// Service orders (TMF641)
    Service,
    /// Resource orders (TMF652)
    Resource,
}

/// The language of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphLanguage {
    /// Graphviz
    Dot,
    /// Mermaid flowchart
    Mermaid,
}

/// What `activate` and `status` write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Documents
    Json,
    /// A table for reading
    Table,
}

/// The clock of `activate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClockName {
    /// The system's
    System,
    /// One that jumps
    Virtual,
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

/// A state of an order, as it is written.
fn order_state(text: &str) -> Result<OrderState, String> {
    let found = OrderState::ALL
        .into_iter()
        .find(|state| state.name() == text);
    found.ok_or_else(|| {
        let names: Vec<&str> = OrderState::ALL.iter().map(|state| state.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

/// `state=completed`, `state=completed,partial`
fn condition(text: &str) -> Result<Condition, String> {
    let states = text
        .strip_prefix("state=")
        .ok_or_else(|| "expected state=STATE, such as state=completed".to_owned())?;
    let states: Result<_, _> = states.split(',').map(order_state).collect();
    states.map(Condition)
}

/// `90`, `99.5`: from 0 to 100.
fn percentage(text: &str) -> Result<f64, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "expected a number from 0 to 100".to_owned())?;
    if (0.0..=100.0).contains(&number) {
        Ok(number)
    } else {
        Err("expected a number from 0 to 100".to_owned())
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
