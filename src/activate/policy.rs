//! What to do about an outcome. Pure.
//!
//! An outcome that is not known is repeated under the same idempotency key, by
//! which the endpoint tells a repetition from a second request; nothing is ever
//! repeated under another.

use std::time::Duration;

use crate::endpoint::Outcome;
use crate::journal::entry::{AttemptFailed, Completed, Event, Failure, Held};

/// Delay before the first repetition.
const FIRST_DELAY: Duration = Duration::from_millis(100);

/// Longest delay.
const LAST_DELAY: Duration = Duration::from_secs(5);

/// What becomes of the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is done.
    Complete,
    /// The request is sent again.
    Retry {
        /// Not before.
        after: Duration,
    },
    /// It waits for somebody.
    Hold {
        /// Why.
        reason: String,
    },
}

/// Decides on `outcome`, where `failures` requests have come to nothing since
/// the task was last held, this one not counted.
#[must_use]
pub fn decide(outcome: &Outcome, failures: u32, retries: u32) -> Decision {
    let (reason, unknown) = match outcome {
        Outcome::Completed { .. } => return Decision::Complete,
        Outcome::Rejected { reason, .. } => {
            return Decision::Hold {
                reason: reason.clone(),
            };
        }
        Outcome::Failed { reason, .. } => (reason, ""),
        Outcome::Unknown { reason } => (reason, "outcome unknown: "),
    };
    if failures < retries {
        return Decision::Retry {
            after: delay(failures),
        };
    }
    let reason = match failures.saturating_add(1) {
        1 => format!("{unknown}{reason}"),
        attempts => format!("{unknown}{reason} ({attempts} attempts)"),
    };
    Decision::Hold { reason }
}

/// The delay after so many earlier failures: 100 ms, doubled each time, at
/// most 5 s.
#[must_use]
pub fn delay(failures: u32) -> Duration {
    2_u32
        .checked_pow(failures)
        .and_then(|factor| FIRST_DELAY.checked_mul(factor))
        .map_or(LAST_DELAY, |delay| delay.min(LAST_DELAY))
}

/// What the journal is to hold of `outcome` and of the decision on it.
#[must_use]
pub fn record(task: &str, attempt: u32, outcome: Outcome, decision: &Decision) -> Vec<Event> {
    let task = task.to_owned();
    let (failure, status, reason) = match outcome {
        Outcome::Completed { status, resource } => {
            return vec![Event::Completed(Completed {
                task,
                status,
                resource,
            })];
        }
        Outcome::Rejected { status, reason } => (Failure::Rejected, Some(status), reason),
        Outcome::Failed { status, reason } => (Failure::Failed, status, reason),
        Outcome::Unknown { reason } => (Failure::Unknown, None, reason),
    };
    let mut events = vec![Event::AttemptFailed(AttemptFailed {
        task: task.clone(),
        attempt,
        failure,
        status,
        reason,
    })];
    if let Decision::Hold { reason } = decision {
        events.push(Event::Held(Held {
            task,
            reason: reason.clone(),
        }));
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Outcome {
        Outcome::Failed {
            status: Some(503),
            reason: "busy".into(),
        }
    }

    fn hold(reason: &str) -> Decision {
        Decision::Hold {
            reason: reason.into(),
        }
    }

    #[test]
    fn a_failure_is_repeated_until_retries_are_spent() {
        let after = |millis| Decision::Retry {
            after: Duration::from_millis(millis),
        };
        assert_eq!(decide(&failed(), 0, 2), after(100));
        assert_eq!(decide(&failed(), 1, 2), after(200));
        assert_eq!(decide(&failed(), 2, 2), hold("busy (3 attempts)"));
        assert_eq!(decide(&failed(), 0, 0), hold("busy"));
        assert_eq!(
            decide(&failed(), u32::MAX, u32::MAX),
            hold("busy (4294967295 attempts)")
        );
    }

    #[test]
    fn an_unknown_outcome_is_repeated_and_called_unknown_when_given_up() {
        let unknown = Outcome::Unknown {
            reason: "no answer".into(),
        };
        assert!(matches!(decide(&unknown, 0, 1), Decision::Retry { .. }));
        assert_eq!(
            decide(&unknown, 1, 1),
            hold("outcome unknown: no answer (2 attempts)")
        );
    }

    #[test]
    fn a_rejection_is_never_repeated() {
        let rejected = Outcome::Rejected {
            status: 422,
            reason: "no such port".into(),
        };
        assert_eq!(decide(&rejected, 0, 9), hold("no such port"));
    }

    #[test]
    fn delays_double_up_to_five_seconds() {
        let millis = |failures| delay(failures).as_millis();
        assert_eq!(
            [0, 1, 2, 5, 6, 31, 32, u32::MAX].map(millis),
            [100, 200, 400, 3200, 5000, 5000, 5000, 5000]
        );
    }

    #[test]
    fn a_failure_is_recorded_and_the_hold_after_it() {
        let decision = hold("given up");
        let kinds: Vec<_> = record("t", 3, failed(), &decision)
            .iter()
            .map(Event::kind)
            .collect();
        assert_eq!(kinds, ["attemptFailed", "held"]);
        let again = Decision::Retry { after: FIRST_DELAY };
        assert_eq!(record("t", 3, failed(), &again).len(), 1);
    }
}
