//! What the program says about its own work, on standard error, as loud as
//! `-q` and `-v` ask for.

use std::io;

use orderctl::diagnostic::human::Styling;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How much a run says on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// `-q`: only the error that ended the run.
    Quiet,
    /// Diagnostics, a summary, warnings.
    Normal,
    /// `-v`: also what was done.
    Verbose,
    /// `-vv`: also how.
    Debug,
    /// `-vvv`: also what the libraries underneath say.
    Trace,
}

impl Verbosity {
    /// From the flags; clap lets only one of them be given.
    pub fn from_flags(quiet: bool, verbose: u8) -> Self {
        match (quiet, verbose) {
            (true, _) => Self::Quiet,
            (false, 0) => Self::Normal,
            (false, 1) => Self::Verbose,
            (false, 2) => Self::Debug,
            (false, _) => Self::Trace,
        }
    }

    /// Levels of our own events, and of those of the libraries underneath.
    fn levels(self) -> (LevelFilter, LevelFilter) {
        match self {
            Self::Quiet => (LevelFilter::OFF, LevelFilter::OFF),
            Self::Normal => (LevelFilter::WARN, LevelFilter::OFF),
            Self::Verbose => (LevelFilter::INFO, LevelFilter::WARN),
            Self::Debug => (LevelFilter::DEBUG, LevelFilter::WARN),
            Self::Trace => (LevelFilter::TRACE, LevelFilter::DEBUG),
        }
    }
}

/// Sends events to standard error from now on: no times, so that the same run
/// says the same.
pub fn start(verbosity: Verbosity, styling: Styling) {
    let (ours, theirs) = verbosity.levels();
    let lines = tracing_subscriber::fmt::layer()
        .without_time()
        .with_target(false)
        .with_ansi(styling == Styling::Ansi)
        .log_internal_errors(false)
        .with_writer(io::stderr);
    let filter = Targets::new()
        .with_default(theirs)
        .with_target("orderctl", ours);
    tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_says_more_than_the_one_before() {
        let all = [(true, 0), (false, 0), (false, 1), (false, 2), (false, 3)]
            .map(|(quiet, verbose)| Verbosity::from_flags(quiet, verbose));
        assert!(all.is_sorted_by(|less, more| less < more && less.levels().0 < more.levels().0));
        assert_eq!(Verbosity::from_flags(false, u8::MAX), Verbosity::Trace);
    }
}
