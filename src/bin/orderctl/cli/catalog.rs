//! `orderctl catalog`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{CatalogArgs, NowArgs};
use crate::report::ReportArgs;

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
