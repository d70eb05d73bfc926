//! How a run ends: four exit codes, the same for every command, and the error
//! of the run behind one of them.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | an order or catalog was understood and is not acceptable, or its activation failed |
//! | 2 | usage, unreadable or malformed input, wrong document, missing file, I/O |
//! | 3 | stopped with work left: run again to go on |

use std::io;
use std::path::PathBuf;

use orderctl::activate::ActivateError;
use orderctl::catalog::LoadError;
use orderctl::diagnostic::Location;
use orderctl::document::toml::TomlError;
use orderctl::document::{SourceError, StreamError, SyntaxError};
use orderctl::endpoint::{DefinitionError, OpenError};
use orderctl::inventory::store::StoreError;
use orderctl::journal::JournalError;
use orderctl::mock::{FaultError, MockError, RecordingError, ScriptError};
use orderctl::project::ProjectError;
use orderctl::rehearsal::ExpectedError;

use crate::terminal::OutputError;

/// The table above, as the help shows it.
pub const TABLE: &str = "\
Exit codes:
  0  done
  1  an order or catalog was understood and is not acceptable, or its activation failed
  2  usage, unreadable or malformed input, wrong document, missing file, I/O
  3  stopped with work left (waiting, held, interrupted); run again to go on";

/// What a run tells its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Everything asked for was done.
    Done = 0,
    /// The order's fault.
    NotAcceptable = 1,
    /// The caller's fault.
    Caller = 2,
    /// Nobody's fault: there is work left.
    WorkLeft = 3,
}

impl ExitCode {
    /// The code that tells more, for a run over several orders: 2 over 1 over
    /// 3 over 0.
    ///
    /// With 2 part of the input was not seen at all, so nothing else said
    /// about the run is complete. 1 needs somebody to change an order; it must
    /// not hide behind 3, which asks only to run the same command again.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        if self.gravity() >= other.gravity() {
            self
        } else {
            other
        }
    }

    fn gravity(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::WorkLeft => 1,
            Self::NotAcceptable => 2,
            Self::Caller => 3,
        }
    }
}

impl ExitCode {
    /// Ends the process at once, when all has been written: what the allocator would take back piece
    /// by piece at an orderly end, the system takes as a whole.
    pub fn leave(self) -> ! {
        #[cfg(unix)]
        signal_hook::low_level::exit(self as i32);
        #[cfg(not(unix))]
        std::process::exit(self as i32)
    }
}

/// The error of a run, one line: what was attempted, on what, why. Ends the
/// run with [`ExitCode::Caller`].
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The project file cannot be used.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// Output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Input cannot be read, or is no stream of documents.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// Input without a document.
    #[error("there is no document in {names}")]
    NoDocument {
        /// Where documents were expected.
        names: String,
    },
    /// The catalog's files cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The catalog's files are no JSON or YAML.
    #[error(transparent)]
    CatalogSyntax(LoadError),
    /// A file of documents is no JSON or YAML.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A file is no TOML.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// A TOML file that nobody reads.
    #[error(
        "{file} is no file of orderctl: an endpoints file has `endpoint`, a project file is called orderctl.toml"
    )]
    UnknownToml {
        /// The file.
        file: String,
    },
    /// A revision of a git repository that cannot be read.
    #[error("cannot read catalog {named}: {reason}")]
    Revision {
        /// As it was named.
        named: String,
        /// What git said.
        reason: String,
    },
    /// A file of expectations that is none.
    #[error(transparent)]
    Expected(ExpectedError),
    /// The installed base cannot be read or written.
    #[error(transparent)]
    Inventory(#[from] StoreError),
    /// The installed base that the command line names is not there.
    #[error("inventory {} {what}", path.display())]
    NoInventory {
        /// What was named.
        path: PathBuf,
        /// What is not there, and what to do about it.
        what: &'static str,
    },
    /// A command needs something that nobody named.
    #[error("no {what} is named; give {flag}, set {variable}, or name it in orderctl.toml")]
    NotNamed {
        /// `catalog`, `endpoints file`.
        what: &'static str,
        /// The flag.
        flag: &'static str,
        /// The environment variable.
        variable: &'static str,
    },
    /// Somebody decides, and it is not known who.
    #[error("nobody is named who decides: give --by NAME (neither USER nor LOGNAME is set)")]
    Nobody,
    /// The stage was given a document that is for another one.
    #[error("{what} is for another command: {advice}")]
    WrongDocument {
        /// The document.
        what: String,
        /// Which command, and how to get there.
        advice: String,
    },
    /// An output would overwrite an input.
    #[error("{name} is read; write to another file")]
    OutputIsInput {
        /// The file.
        name: String,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The endpoints file cannot be used.
    #[error(transparent)]
    Endpoints(#[from] DefinitionError),
    /// An endpoint cannot be made ready.
    #[error(transparent)]
    Endpoint(#[from] OpenError),
    /// Endpoints whose secrets or certificates cannot be had; never empty.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Unready(Vec<OpenError>),
    /// A fault for the mock that cannot be read.
    #[error("--fail: {0}")]
    MockFault(#[from] FaultError),
    /// A fault script that cannot be used.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// A recording that cannot be used.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// Events cannot be listened for.
    #[error("cannot listen at {address}: {cause}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// A file for events that has something else in it.
    #[error("{0} is no file of events: a line of it is none; name another one")]
    NoEvents(String),
    /// Events that nobody took.
    #[error("events for {url}: {lost} were not taken: {reason}; the next run tells them again")]
    EventsLost {
        /// The listener.
        url: String,
        /// How many.
        lost: usize,
        /// What it answered, or why it did not.
        reason: String,
    },
    /// An address that events cannot go to.
    #[error("--callback: {0}")]
    Callback(String),
    /// The mock cannot go on.
    #[error(transparent)]
    Mock(#[from] MockError),
    /// A plan that cannot be carried out here.
    #[error(transparent)]
    Activate(#[from] ActivateError),
    /// The runtime cannot go on.
    #[error("the runtime failed: {0}")]
    Runtime(io::Error),
    /// A name on the command line that does not exist.
    #[error("unknown {kind} `{name}`; {advice}")]
    UnknownName {
        /// What it should have been: `schema`, `command`.
        kind: &'static str,
        /// The name given.
        name: String,
        /// What was probably meant, or where all of them are listed.
        advice: String,
    },
    /// A name on the command line that several have.
    #[error("several {kind}s are called `{name}`: give the id, such as {ids}")]
    SeveralNames {
        /// What they are: `task`.
        kind: &'static str,
        /// The name given.
        name: String,
        /// Some of their ids.
        ids: String,
    },
}

/// Whose fault it is that an order was not carried out.
pub fn of_activation(error: &ActivateError) -> ExitCode {
    match error {
        ActivateError::Journal(
            JournalError::OrderBusy { .. } | JournalError::SubjectBusy { .. },
        ) => ExitCode::WorkLeft,
        ActivateError::Journal(_)
        | ActivateError::History { .. }
        | ActivateError::NotInJournal { .. }
        | ActivateError::BehindPlan { .. }
        | ActivateError::OtherClock { .. }
        | ActivateError::UnknownEndpoint { .. } => ExitCode::Caller,
        ActivateError::PlanDiffers { .. }
        | ActivateError::MovedOn { .. }
        | ActivateError::NoRootOrder { .. }
        | ActivateError::Plan { .. } => ExitCode::NotAcceptable,
    }
}

impl Failure {
    /// Whose fault it is, where it is about one order of several.
    pub fn of_one(&self) -> ExitCode {
        match self {
            Failure::Activate(error) => of_activation(error),
            _ => ExitCode::Caller,
        }
    }

    /// The place of an input that it is about, where it is about one.
    pub fn location(&self) -> Option<Location> {
        match self {
            Failure::Stream(error) => error.location(),
            Failure::CatalogSyntax(LoadError(errors)) => errors.first()?.location(),
            Failure::Syntax(error) => error.location(),
            Failure::Toml(error) => Some(error.location()),
            _ => None,
        }
    }

    /// What is said about it: a line, or a line for each fault of an endpoints file or fault script
    /// and for each endpoint that is not ready.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Failure::Endpoints(DefinitionError::Faults { path, faults }) => {
                let place = path.display();
                faults
                    .iter()
                    .map(|fault| format!("{place}:{fault}"))
                    .collect()
            }
            Failure::Script(error) => error.lines(),
            Failure::Unready(errors) => errors.iter().map(ToString::to_string).collect(),
            Failure::CatalogSyntax(LoadError(errors)) => errors
                .iter()
                .map(|error| format!("the catalog cannot be read: {error}"))
                .collect(),
            other => vec![other.to_string()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ExitCode::{Caller, Done, NotAcceptable, WorkLeft};

    #[test]
    fn the_callers_fault_outweighs_the_orders_and_that_outweighs_work_left() {
        let by_weight = [Done, WorkLeft, NotAcceptable, Caller];
        for (weight, code) in by_weight.into_iter().enumerate() {
            for (other_weight, other) in by_weight.into_iter().enumerate() {
                assert_eq!(code.worst(other), by_weight[weight.max(other_weight)]);
            }
        }
    }

    #[test]
    fn the_table_in_the_help_has_a_line_for_every_code() {
        for code in [Done, NotAcceptable, Caller, WorkLeft] {
            let start = format!("\n  {}  ", code as u8);
            assert!(super::TABLE.contains(&start), "{code:?}");
        }
    }
}
