//! Carrying orders out and looking at them: activate, status, task, journal, policy.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use orderctl::activate::forecast::ErrorName;
use orderctl::model::state::OrderState;

use super::{
    CatalogArgs, EndpointsArgs, InventoryArgs, JobsArgs, JournalArgs, OutputFormat, a_text,
    duration, loopback, moment,
};
use crate::events;
use crate::events::Target;

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
    /// since it was made, or another order under way is about the same
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
  orderctl task set PO-1001 VLAN-Service serviceVlan=1201 --reason '1200 is taken'
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
    /// What it sends was wrong: it is sent with other characteristics
    Set(SetArgs),
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

/// Which task, what of it, who and why.
#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    pub task: TaskName,
    /// A characteristic of its resource, and its value: JSON, or a text without quotes
    #[arg(value_name = "NAME=VALUE", required = true, value_parser = setting)]
    pub values: Vec<(String, String)>,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = a_text)]
    pub reason: String,
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, such as vlan=1201".to_owned()),
    }
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

/// The clock of `activate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClockName {
    /// The system's
    System,
    /// One that jumps
    Virtual,
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
