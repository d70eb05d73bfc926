//! The stages of the pipe: validate, decompose, plan.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

use super::{CatalogArgs, InputArgs, InventoryArgs, JobsArgs, JournalArgs, NowArgs, a_text};
use crate::report::ReportArgs;

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
    #[command(flatten)]
    pub inventory: InventoryArgs,
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
    #[arg(long, requires = "cancel", conflicts_with_all = ["force", "amend"])]
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

impl PlanArgs {
    /// A flag without the one that it goes with. That is not missed by the parser where files are
    /// named, which that one does not go with.
    pub fn stray(&self) -> Option<String> {
        if self.cancel.is_some() || self.amend.is_some() {
            return None;
        }
        let flags = [
            (self.partly, "--partly goes with --cancel ORDER"),
            (
                self.force,
                "--force goes with --cancel ORDER or --amend FILE",
            ),
            (
                self.reason.is_some(),
                "--reason goes with --cancel ORDER or --amend FILE",
            ),
        ];
        let mut flags = flags.into_iter();
        let stray = flags.find_map(|(is_given, it)| is_given.then_some(it));
        stray.map(|it| format!("{it}, and no other files"))
    }
}

/// How something is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExplanationFormat {
    /// Lines for people
    Human,
    /// A JSON document
    Json,
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
