//! What to do about an outcome. Pure.
//!
//! An outcome that is not known is repeated under the same idempotency key, by
//! which the endpoint tells a repetition from a second request; nothing is ever
//! repeated under another.

use std::time::Duration;

use crate::endpoint::Outcome;
use crate::journal::entry::{AttemptFailed, Completed, Event, Failed, Failure, Held};
use crate::plan::flow::OnFailure;

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
    /// It cannot be done; others go on.
    Fail {
        /// Why.
        reason: String,
    },
}

/// What a task is given before it is held, or fails.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// How often a request that came to nothing is repeated.
    pub retries: u32,
    /// What becomes of the task when that is spent.
    pub on_failure: OnFailure,
}

/// Decides on `outcome`, where `failures` requests have come to nothing since
/// the task was last held, this one not counted.
///
/// A task whose last outcome is not known is held whatever its policy says:
/// nobody can know that it has failed.
#[must_use]
pub fn decide(outcome: &Outcome, failures: u32, tolerance: Tolerance) -> Decision {
    let give_up = |reason: String| match tolerance.on_failure {
        OnFailure::Hold => Decision::Hold { reason },
        OnFailure::Fail => Decision::Fail { reason },
    };
    let reason = match outcome {
        Outcome::Completed { .. } => return Decision::Complete,
        Outcome::Rejected { reason, .. } => return give_up(reason.clone()),
        Outcome::Failed { reason, .. } | Outcome::Unknown { reason } => reason,
    };
    if failures < tolerance.retries {
        return Decision::Retry {
            after: delay(failures),
        };
    }
    let attempts = match failures.saturating_add(1) {
        1 => String::new(),
        attempts => format!(" ({attempts} attempts)"),
    };
    match outcome {
        Outcome::Unknown { .. } => Decision::Hold {
            reason: format!("outcome unknown: {reason}{attempts}"),
        },
        _ => give_up(format!("{reason}{attempts}")),
    }
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
    match decision {
        Decision::Complete | Decision::Retry { .. } => {}
        Decision::Hold { reason } => events.push(Event::Held(Held {
            task,
            reason: reason.clone(),
        })),
        Decision::Fail { reason } => events.push(Event::Failed(Failed {
            task,
            reason: reason.clone(),
        })),
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

    const fn holding(retries: u32) -> Tolerance {
        Tolerance {
            retries,
            on_failure: OnFailure::Hold,
        }
    }

    const fn failing(retries: u32) -> Tolerance {
        Tolerance {
            retries,
            on_failure: OnFailure::Fail,
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
        assert_eq!(decide(&failed(), 0, holding(2)), after(100));
        assert_eq!(decide(&failed(), 1, holding(2)), after(200));
        assert_eq!(decide(&failed(), 2, holding(2)), hold("busy (3 attempts)"));
        assert_eq!(decide(&failed(), 0, holding(0)), hold("busy"));
        assert_eq!(
            decide(&failed(), u32::MAX, holding(u32::MAX)),
            hold("busy (4294967295 attempts)")
        );
    }

    #[test]
    fn an_unknown_outcome_is_repeated_and_called_unknown_when_given_up() {
        let unknown = Outcome::Unknown {
            reason: "no answer".into(),
        };
        assert!(matches!(
            decide(&unknown, 0, holding(1)),
            Decision::Retry { .. }
        ));
        assert_eq!(
            decide(&unknown, 1, holding(1)),
            hold("outcome unknown: no answer (2 attempts)")
        );
    }

    #[test]
    fn a_rejection_is_never_repeated() {
        let rejected = Outcome::Rejected {
            status: 422,
            reason: "no such port".into(),
        };
        assert_eq!(decide(&rejected, 0, holding(9)), hold("no such port"));
    }

    #[test]
    fn a_task_that_may_fail_does_so_once_it_is_known_to_have_failed() {
        let fail = |reason: &str| Decision::Fail {
            reason: reason.into(),
        };
        assert!(matches!(
            decide(&failed(), 0, failing(1)),
            Decision::Retry { .. }
        ));
        assert_eq!(decide(&failed(), 1, failing(1)), fail("busy (2 attempts)"));
        let rejected = Outcome::Rejected {
            status: 422,
            reason: "no such port".into(),
        };
        assert_eq!(decide(&rejected, 0, failing(9)), fail("no such port"));
        let unknown = Outcome::Unknown {
            reason: "no answer".into(),
        };
        assert_eq!(
            decide(&unknown, 0, failing(0)),
            hold("outcome unknown: no answer")
        );
        let kinds = record("t", 3, failed(), &fail("given up"));
        let kinds: Vec<_> = kinds.iter().map(Event::kind).collect();
        assert_eq!(kinds, ["attemptFailed", "failed"]);
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
