//! What to do next about a task, and about what came of it. Pure.
//!
//! A request whose outcome is not known is never simply sent again: the
//! endpoint is asked what came of it first. Where it cannot be asked, the
//! request is repeated under its idempotency key if the endpoint is declared
//! to be idempotent; else a person has to find out.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::work::PATIENCE;
use crate::endpoint::{Call, Finding, Inquiry, Outcome, Terms};
use crate::journal::entry::{
    Answer, Asked, AttemptFailed, Completed, Event, Failed, Failure, Held,
};
use crate::journal::{ACCEPTED, Doubt, TaskProgress};
use crate::plan::flow::{Method, OnFailure};
use crate::retry::{FailureClass, Repeat, RetryPolicy};

/// Everything that a decision about a task depends on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// What is sent.
    pub call: &'a Call<'a>,
    /// What the endpoint bears.
    pub terms: &'a Terms,
    /// Name of the endpoint.
    pub endpoint: &'a str,
    /// How the task has its request repeated.
    pub retry: Option<&'a RetryPolicy>,
    /// What the task has become of it when it cannot be done.
    pub on_failure: Option<OnFailure>,
    /// How far the task was before.
    pub known: &'a TaskProgress,
    /// What time it is.
    pub now: Timestamp,
    /// Whether it is waited for what an endpoint is at work on, however long that takes.
    pub is_patient: bool,
    /// Whether what the request removes is known to be called so.
    pub is_named: bool,
}

/// What is done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approach<'a> {
    /// The request is sent.
    Send,
    /// The endpoint is asked what came of the last one.
    Ask(Inquiry<'a>),
    /// Nothing: somebody has to find out.
    Hold {
        /// Why.
        reason: String,
    },
    /// Nothing: nobody can tell what came of it, and it is undone all the same.
    Leave {
        /// Why.
        reason: String,
    },
}

/// What becomes of the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is done.
    Complete {
        /// How that is known, where the answer to the request does not say so.
        note: Option<String>,
    },
    /// It is gone on with: the endpoint is asked, or the request sent again.
    Again {
        /// Not before.
        after: Duration,
    },
    /// The request is sent again without asking, for which there is no way.
    Send,
    /// It waits for somebody.
    Hold {
        /// Why.
        reason: String,
    },
    /// It is not gone on with: it was only to be found out what came of it.
    Leave,
    /// It cannot be done.
    GiveUp {
        /// What becomes of it, `hold` excepted.
        how: OnFailure,
        /// Why.
        reason: String,
    },
}

/// Says how to go on with a task that has not ended.
#[must_use]
pub fn approach<'a>(situation: &Situation<'a>) -> Approach<'a> {
    let &Situation {
        call, terms, known, ..
    } = situation;
    let perhaps = known.doubt == Doubt::Perhaps && (!terms.idempotent || known.settling);
    if call.is_question() || !(known.is_unsettled() || perhaps) {
        return Approach::Send;
    }
    match Inquiry::of(call, known.monitor.as_deref(), &terms.read_back) {
        Some(inquiry) => Approach::Ask(inquiry),
        None if known.settling => Approach::Leave {
            reason: left(situation, "cannot be asked about it"),
        },
        None if may_repeat(situation) => Approach::Send,
        None => Approach::Hold {
            reason: undecidable(situation, "cannot be asked about it"),
        },
    }
}

/// Whether the request may be sent again although nobody knows what came of the last one.
fn may_repeat(situation: &Situation<'_>) -> bool {
    // An endpoint that says that it failed is believed, where it cannot be asked.
    is_harmless(situation) || !situation.known.is_unsettled()
}

/// Whether a repetition of the request changes nothing.
fn is_harmless(situation: &Situation<'_>) -> bool {
    situation.terms.idempotent || situation.call.is_removal()
}

fn undecidable(situation: &Situation<'_>, why: &str) -> String {
    by_hand(situation, &format!("{why} and is not declared idempotent"))
}

/// Why a person has to find out: the last reason, and what is the matter with the endpoint.
fn by_hand(situation: &Situation<'_>, why: &str) -> String {
    let Situation {
        endpoint, known, ..
    } = situation;
    let last = match &known.reason {
        Some(reason) if !known.open && known.failure == Some(Failure::Unknown) => reason,
        _ => "the run ended before there was an answer",
    };
    // A reason that said so already is not wrapped once more.
    let last = last.strip_prefix(UNKNOWN).unwrap_or(last);
    let last = last.split("; endpoint ").next().unwrap_or(last);
    format!(
        "{UNKNOWN}{last}; endpoint {endpoint} {why}: find out, then complete or retry the task by \
         hand"
    )
}

/// Why it is not gone on with what nobody can tell about.
fn left(situation: &Situation<'_>, why: &str) -> String {
    let endpoint = situation.endpoint;
    format!("{UNKNOWN}endpoint {endpoint} {why}: taken as done")
}

const UNKNOWN: &str = "outcome unknown: ";

/// What is said of a refusal that may come from the request having been done before.
const MAY_BE_OWN: &str = "an earlier request may have made it";

/// Decides on what came of a request.
#[must_use]
pub fn decide(situation: &Situation<'_>, outcome: &Outcome) -> Decision {
    if is_asked_for(situation, outcome) {
        return Decision::Again {
            after: Duration::ZERO,
        };
    }
    judged(situation, outcome, leaves_unknown(situation, outcome))
}

/// [`decide`], where it is known whether an outcome leaves unknown what came of the task's requests.
fn judged(situation: &Situation<'_>, outcome: &Outcome, unknown: bool) -> Decision {
    let (class, reason, retry_after) = match outcome {
        Outcome::Completed { .. } => return Decision::Complete { note: None },
        // Followed before it is decided on.
        Outcome::Accepted { monitor } => {
            let reason = format!("{UNKNOWN}accepted, its monitor is {monitor}");
            return Decision::Hold { reason };
        }
        Outcome::Rejected {
            status: 404 | 410,
            reason,
        } if situation.call.is_removal() && is_elsewhere(situation) => {
            let reason = format!("{reason}; {ELSEWHERE}");
            return Decision::Hold { reason };
        }
        Outcome::Rejected {
            status: 404 | 410, ..
        } if situation.call.is_removal() => {
            let note = "it was gone already".to_owned();
            return Decision::Complete { note: Some(note) };
        }
        Outcome::Rejected { reason, .. } => (FailureClass::Rejected, reason, None),
        Outcome::Failed {
            class,
            reason,
            retry_after,
            ..
        } => (*class, reason, *retry_after),
        Outcome::Unknown { class, reason, .. } => (*class, reason, None),
        Outcome::AtWork { reason } => (FailureClass::Timeout, reason, None),
    };
    let accepted = matches!(
        outcome,
        Outcome::AtWork { .. } | Outcome::Unknown { accepted: true, .. }
    );
    let perhaps = !situation.terms.idempotent && may_have_had_its_effect(situation, outcome);
    match delay(situation, class, retry_after) {
        // It is being carried out: nothing speaks for asking late.
        Ok(after) if accepted && !situation.terms.idempotent => Decision::Again {
            after: after.min(FIRST_QUESTION),
        },
        Ok(after) => Decision::Again { after },
        Err(spent) if unknown || perhaps => {
            let inquiry = Inquiry::of(
                situation.call,
                situation.known.monitor.as_deref(),
                &situation.terms.read_back,
            );
            match inquiry {
                // Whether it is given up depends on what came of it, which is to be asked still.
                Some(_) if !situation.call.is_question() => Decision::Again {
                    after: FIRST_QUESTION,
                },
                // An endpoint that says that it failed is believed, where it cannot be asked.
                _ if !unknown => give_up(situation, format!("{reason}{spent}")),
                _ => Decision::Hold {
                    reason: format!("{UNKNOWN}{reason}{spent}"),
                },
            }
        }
        Err(spent) => give_up(situation, format!("{reason}{spent}")),
    }
}

/// Whether what is not there to be removed may be there under another name. Not where an earlier request
/// may have removed it.
fn is_elsewhere(situation: &Situation<'_>) -> bool {
    !situation.is_named && situation.known.doubt == Doubt::None
}

/// What is said of that.
const ELSEWHERE: &str = "its endpoint has not said what it calls what it made, which may be there under another \
     name: find out, remove it, and complete the task by hand";

/// Whether a request may have had its effect although its endpoint says that it failed, this time
/// or before.
fn may_have_had_its_effect(situation: &Situation<'_>, outcome: &Outcome) -> bool {
    let Outcome::Failed { status, .. } = outcome else {
        return false;
    };
    let now = status.is_some_and(|it| Doubt::of_failure(it) == Doubt::Perhaps);
    now || situation.known.doubt == Doubt::Perhaps
}

/// How long after a request that is not repeated, or not yet, it is asked what came of it.
const FIRST_QUESTION: Duration = Duration::from_millis(100);

/// Longest time between two questions whether an effect has come by now.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long to wait before it is asked again for what is not there, because it may come still; none
/// where that is certain enough. The time that has passed doubles from question to question.
fn unsettled(situation: &Situation<'_>) -> Option<Duration> {
    let &Situation {
        terms, known, now, ..
    } = situation;
    // What is repeated without harm need not wait; what was accepted, or refused because the first
    // time is under way still, comes to something.
    let may_come = known.accepted || is_refused(known);
    if (is_harmless(situation) && !may_come) || !known.is_unsettled() {
        return None;
    }
    let since = known.unknown_since.unwrap_or(now);
    // Where the clock was set back, as if none had passed.
    let passed = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    let left = terms
        .settle
        .checked_sub(passed)
        .filter(|it| !it.is_zero())?;
    let pause = if now < since { LONGEST_PAUSE } else { passed };
    Some(pause.clamp(FIRST_QUESTION, LONGEST_PAUSE).min(left))
}

/// Whether it is not known after an outcome what came of the requests of the task, this one and those
/// before it.
fn leaves_unknown(situation: &Situation<'_>, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Unknown { .. } | Outcome::AtWork { .. } => true,
        Outcome::Rejected { status, .. } => {
            may_be_its_own(situation, outcome)
                || situation.known.doubt.after_refusal(*status) == Doubt::Unknown
        }
        Outcome::Completed { .. } | Outcome::Accepted { .. } | Outcome::Failed { .. } => {
            situation.known.doubt == Doubt::Unknown
        }
    }
}

/// Whether a rejection of a request that was sent before may come from its first time having had
/// its effect, or having it still: 409 for what is there already, or is under way. Only the endpoint
/// can tell; where it cannot be asked, what came of the one before has to do.
#[must_use]
pub fn may_be_its_own(situation: &Situation<'_>, outcome: &Outcome) -> bool {
    let Situation { call, known, .. } = situation;
    matches!(outcome, Outcome::Rejected { status: CONFLICT, .. })
        && call.request.method == Method::Post
        // This one counted: there was one before.
        && known.sent > 1
        && (known.doubt != Doubt::None || !was_there(known) || read_back(situation).is_some())
}

/// Whether the request before shows that what this one found there is not of its making: it was
/// refused for it, too, or not sent at all.
fn was_there(known: &TaskProgress) -> bool {
    known.status == Some(CONFLICT) || known.class == Some(FailureClass::Connect)
}

/// HTTP status of a request that is at odds with what is there (RFC 9110 §15.5.10).
const CONFLICT: u16 = 409;

/// Whether it is to be asked for what a request should have made, because it was refused, which may
/// come from its first time.
fn is_asked_for(situation: &Situation<'_>, outcome: &Outcome) -> bool {
    may_be_its_own(situation, outcome) && read_back(situation).is_some()
}

/// How to ask for what the request should have made, its monitor aside.
fn read_back<'a>(situation: &Situation<'_>) -> Option<Inquiry<'a>> {
    Inquiry::of(situation.call, None, &situation.terms.read_back)
}

/// Decides on what was found when the endpoint was asked.
#[must_use]
pub fn decide_found(situation: &Situation<'_>, finding: &Finding) -> Decision {
    let known = situation.known;
    match finding {
        Finding::Done { .. } => Decision::Complete {
            note: Some("found done when it was asked for".to_owned()),
        },
        // Its monitor has told all it knows; what it should have made is asked for now.
        Finding::Ended(outcome) if is_asked_for(situation, outcome) => Decision::Again {
            after: Duration::ZERO,
        },
        Finding::NotDone { .. }
        | Finding::Ended(Outcome::Rejected { .. } | Outcome::Failed { .. })
        | Finding::Impossible { .. }
            if known.settling =>
        {
            Decision::Leave
        }
        // Its own monitor knows what came of it.
        Finding::Ended(Outcome::Failed { class, reason, .. }) => {
            // That it was asked for in vain is no failure of the request.
            let failures = known.failures.min(known.sent.saturating_sub(1));
            let known = &TaskProgress {
                failures,
                ..known.clone()
            };
            let situation = &Situation {
                known,
                ..*situation
            };
            match delay(situation, *class, None) {
                Ok(after) => Decision::Again { after },
                Err(spent) => give_up(situation, format!("{reason}{spent}")),
            }
        }
        Finding::Ended(outcome) => judged(situation, outcome, false),
        Finding::Differs { reason } => Decision::Hold {
            reason: format!("{UNKNOWN}{reason}"),
        },
        Finding::NotDone { reason, .. } => {
            if let Some(after) = unsettled(situation) {
                return Decision::Again { after };
            }
            let is_spent = is_spent(situation);
            if known.accepted && (is_spent || !is_harmless(situation)) {
                let why = format!("has accepted it, and {reason}");
                return Decision::Hold {
                    reason: by_hand(situation, &why),
                };
            }
            // The delay is over: it was waited before it was asked.
            if !is_spent {
                return Decision::Again {
                    after: Duration::ZERO,
                };
            }
            let last = known.reason.as_deref().unwrap_or(reason);
            let found = if is_refused(known) {
                format!(", but {reason}")
            } else {
                String::new()
            };
            give_up(
                situation,
                format!("{last}{found}{}", attempts(known.failures)),
            )
        }
        Finding::AtWork { reason } => match delay(situation, FailureClass::Timeout, None) {
            Ok(after) => Decision::Again { after },
            // That it takes its time is no failure, and nothing for a person to decide.
            Err(_) if situation.is_patient => Decision::Again {
                after: until_asked_again(situation),
            },
            Err(spent) => Decision::Hold {
                reason: format!("{UNKNOWN}{reason}{spent}"),
            },
        },
        Finding::Unanswered { class, reason } => match delay(situation, *class, None) {
            Ok(after) => Decision::Again { after },
            Err(spent) => Decision::Hold {
                reason: format!("{UNKNOWN}{reason}{spent}"),
            },
        },
        // It would be refused again.
        Finding::Impossible { reason } if is_refused(known) => Decision::Hold {
            reason: by_hand(situation, &format!("cannot tell ({reason})")),
        },
        Finding::Impossible { .. } if may_repeat(situation) && !is_spent(situation) => {
            Decision::Send
        }
        // An endpoint that says that it failed is believed.
        Finding::Impossible { reason } if !known.is_unsettled() => {
            let last = known.reason.as_deref().unwrap_or(reason);
            give_up(situation, format!("{last}{}", attempts(known.failures)))
        }
        Finding::Impossible { reason } if may_repeat(situation) => Decision::Hold {
            reason: by_hand(situation, &format!("cannot tell ({reason})")),
        },
        Finding::Impossible { reason } => Decision::Hold {
            reason: undecidable(situation, &format!("cannot tell ({reason})")),
        },
    }
}

/// How long until a monitor is asked again that an endpoint has not ended for long: as much time as has
/// passed, so that a run without patience ends meanwhile.
fn until_asked_again(situation: &Situation<'_>) -> Duration {
    let &Situation { known, now, .. } = situation;
    let since = known.unknown_since.unwrap_or(now);
    let passed = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    passed.clamp(PATIENCE + FIRST_QUESTION, LONGEST_WORK)
}

/// Longest time between two looks at what an endpoint is at work on.
const LONGEST_WORK: Duration = Duration::from_secs(10 * 60);

/// Whether the request has been repeated as often as its last failure allows.
fn is_spent(situation: &Situation<'_>) -> bool {
    let known = situation.known;
    let class = known.class.unwrap_or(FailureClass::Timeout);
    known.failures > choose(situation, class).0.times()
}

/// Whether the last request was refused, and an earlier one may have had its effect.
fn is_refused(known: &TaskProgress) -> bool {
    known.doubt == Doubt::Unknown && !known.open && known.class == Some(FailureClass::Rejected)
}

fn choose(situation: &Situation<'_>, class: FailureClass) -> (Repeat, crate::retry::Source) {
    let terms = situation.terms;
    RetryPolicy::choose(situation.retry, &terms.retry, class, terms.retries)
}

/// How long to wait before it is gone on with after one more failure; else what to add to the
/// reason of giving up.
fn delay(
    situation: &Situation<'_>,
    class: FailureClass,
    retry_after: Option<Duration>,
) -> Result<Duration, String> {
    let Situation {
        call,
        terms,
        known,
        now,
        ..
    } = situation;
    let (repeat, _) = choose(situation, class);
    let spent = || match repeat.times() {
        0 => String::new(),
        _ => attempts(known.failures.saturating_add(1)),
    };
    let delay = repeat.delay(known.failures, call.idempotency_key);
    let delay = delay.ok_or_else(spent)?;
    let delay = delay.max(retry_after.unwrap_or_default());
    let deadline = situation.retry.and_then(|it| it.deadline);
    let Some(deadline) = deadline.or(terms.retry.deadline) else {
        return Ok(delay);
    };
    let since = known.failing_since.unwrap_or(*now);
    let passed = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    if passed.saturating_add(delay) <= deadline.0 {
        return Ok(delay);
    }
    let limit = SignedDuration::try_from(deadline.0).unwrap_or(SignedDuration::MAX);
    Err(match retry_after {
        Some(asked) if asked == delay => format!(
            "{} (to be tried again after {asked:?}, which is past the deadline of {limit:#})",
            spent()
        ),
        _ => format!("{} (deadline of {limit:#})", spent()),
    })
}

fn attempts(failures: u32) -> String {
    match failures {
        0 | 1 => String::new(),
        attempts => format!(" ({attempts} attempts)"),
    }
}

fn give_up(situation: &Situation<'_>, reason: String) -> Decision {
    let how = situation.on_failure.or(situation.terms.on_failure);
    match how.unwrap_or_default() {
        OnFailure::Hold => Decision::Hold { reason },
        how @ (OnFailure::Fail | OnFailure::Compensate | OnFailure::Skip | OnFailure::Stop) => {
            Decision::GiveUp { how, reason }
        }
    }
}

/// What the journal is to hold of an outcome and of the decision on it.
#[must_use]
pub fn record(situation: &Situation<'_>, outcome: Outcome, decision: &Decision) -> Vec<Event> {
    let task = situation.call.task.to_owned();
    let own = may_be_its_own(situation, &outcome);
    let unknown = leaves_unknown(situation, &outcome);
    let (failure, class, status, reason) = match outcome {
        Outcome::Completed { status, resource } => {
            return vec![completed(task, status, resource, decision)];
        }
        Outcome::Accepted { monitor } => {
            let reason = format!("accepted, its monitor is {monitor}");
            (
                Failure::Unknown,
                FailureClass::Timeout,
                Some(ACCEPTED),
                reason,
            )
        }
        Outcome::Rejected { status, .. } if matches!(decision, Decision::Complete { .. }) => {
            return vec![completed(task, status, None, decision)];
        }
        Outcome::Rejected { status, reason } if unknown => {
            let earlier = if own {
                MAY_BE_OWN
            } else {
                "what came of an earlier request is not known"
            };
            let reason = format!("{reason}; {earlier}");
            (
                Failure::Unknown,
                FailureClass::Rejected,
                Some(status),
                reason,
            )
        }
        Outcome::Rejected { status, reason } => (
            Failure::Rejected,
            FailureClass::Rejected,
            Some(status),
            reason,
        ),
        Outcome::Failed {
            status,
            class,
            reason,
            ..
        } => (Failure::Failed, class, status, reason),
        Outcome::Unknown {
            class,
            reason,
            accepted,
        } => {
            let status = accepted.then_some(ACCEPTED);
            (Failure::Unknown, class, status, reason)
        }
        Outcome::AtWork { reason } => (
            Failure::Unknown,
            FailureClass::Timeout,
            Some(ACCEPTED),
            reason,
        ),
    };
    let attempted = Event::AttemptFailed(AttemptFailed {
        task,
        attempt: situation.known.attempts,
        failure,
        status,
        reason,
        class: Some(class),
        retry_at: retry_at(situation, decision),
    });
    std::iter::once(attempted)
        .chain(given_up(situation, decision))
        .collect()
}

/// What the journal is to hold of a finding and of the decision on it.
#[must_use]
pub fn record_found(
    situation: &Situation<'_>,
    finding: Finding,
    decision: &Decision,
) -> Vec<Event> {
    let task = situation.call.task.to_owned();
    let own = matches!(&finding, Finding::Ended(outcome) if is_asked_for(situation, outcome));
    let (answer, status, reason) = match finding {
        Finding::Done { status, resource } => {
            return vec![completed(task, status, resource, decision)];
        }
        Finding::Ended(Outcome::Rejected { status, .. })
            if matches!(decision, Decision::Complete { .. }) =>
        {
            return vec![completed(task, status, None, decision)];
        }
        Finding::NotDone { status, reason } => {
            let answer = match unsettled(situation) {
                Some(_) => Answer::NotYet,
                // What was accepted stays in doubt, until a person decides about it.
                None if matches!(decision, Decision::Hold { .. }) && situation.known.accepted => {
                    Answer::NotYet
                }
                None => Answer::NotDone,
            };
            (answer, Some(status), reason)
        }
        Finding::Ended(outcome) => match outcome {
            Outcome::Completed { status, resource } => {
                return vec![completed(task, status, resource, decision)];
            }
            Outcome::Rejected { status, reason } if own => {
                let reason = format!("{reason}; {MAY_BE_OWN}");
                (Answer::NotYet, Some(status), reason)
            }
            Outcome::Rejected { status, reason } => (Answer::NotDone, Some(status), reason),
            Outcome::Failed { status, reason, .. } => (Answer::NotDone, status, reason),
            Outcome::Unknown { reason, .. } | Outcome::AtWork { reason } => {
                (Answer::Unanswered, None, reason)
            }
            Outcome::Accepted { monitor } => (Answer::Unanswered, Some(ACCEPTED), monitor),
        },
        Finding::Unanswered { reason, .. } | Finding::AtWork { reason } => {
            (Answer::Unanswered, None, reason)
        }
        Finding::Impossible { reason } if situation.known.settling => {
            let reason = left(situation, &format!("cannot tell ({reason})"));
            (Answer::CannotTell, None, reason)
        }
        Finding::Differs { .. } | Finding::Impossible { .. } => {
            return given_up(situation, decision).collect();
        }
    };
    let asked = Event::Asked(Asked {
        task,
        attempt: situation.known.attempts,
        answer,
        status,
        reason,
        retry_at: retry_at(situation, decision),
    });
    std::iter::once(asked)
        .chain(given_up(situation, decision))
        .collect()
}

fn completed(
    task: String,
    status: u16,
    resource: Option<Box<serde_json::value::RawValue>>,
    decision: &Decision,
) -> Event {
    let note = match decision {
        Decision::Complete { note } => note.clone(),
        _ => None,
    };
    Event::Completed(Completed {
        task,
        status,
        resource,
        note,
    })
}

fn retry_at(situation: &Situation<'_>, decision: &Decision) -> Option<String> {
    let Decision::Again { after } = decision else {
        return None;
    };
    let at = situation.now.checked_add(*after).ok()?;
    (!after.is_zero()).then(|| at.to_string())
}

/// The entry of a task that is not gone on with.
fn given_up(situation: &Situation<'_>, decision: &Decision) -> impl Iterator<Item = Event> + use<> {
    let task = situation.call.task.to_owned();
    let held = |reason: &String, on_failure| {
        Event::Held(Held {
            task: task.clone(),
            reason: reason.clone(),
            on_failure,
        })
    };
    let failed = |reason: &String, on_failure| {
        Event::Failed(Failed {
            task: task.clone(),
            reason: reason.clone(),
            on_failure,
        })
    };
    let event = match decision {
        Decision::Complete { .. } | Decision::Again { .. } | Decision::Send | Decision::Leave => {
            None
        }
        Decision::Hold { reason } => Some(held(reason, None)),
        Decision::GiveUp { how, reason } => Some(match how {
            OnFailure::Hold => held(reason, None),
            OnFailure::Stop => held(reason, Some(*how)),
            OnFailure::Fail => failed(reason, None),
            OnFailure::Compensate | OnFailure::Skip => failed(reason, Some(*how)),
        }),
    };
    event.into_iter()
}

#[cfg(test)]
mod tests;
