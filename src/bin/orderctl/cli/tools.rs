//! The mock, schemas, completions and manual pages.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;
use orderctl::mock::Delay;

use super::EndpointsArgs;

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
            takes effect later:
              deferred,2s                  202 without a monitor, and the effect 2 s later
              deferred,2s,hang             the same, and never answered; deferred,2s,lost: closed

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

/// What `activate` and `status` write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Documents
    Json,
    /// A table for reading
    Table,
}
