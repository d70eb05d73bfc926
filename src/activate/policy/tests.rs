//! Decisions, one by one.

use super::*;
use crate::endpoint::ReadBack;
use crate::plan::flow::Request;
use crate::retry::Time;

fn request(method: Method) -> Request {
    let path = match method {
        Method::Post => "resource",
        Method::Patch | Method::Delete => "resource/R-1",
    };
    let body = r#"{"id":"R-1"}"#.to_owned();
    let body = crate::plan::flow::Body::new(body).unwrap();
    Request {
        method,
        path: path.to_owned(),
        body: (method != Method::Delete).then_some(body),
    }
}

/// What a decision is about, to be changed.
struct Case {
    request: Request,
    terms: Terms,
    known: TaskProgress,
    retry: Option<RetryPolicy>,
    on_failure: Option<OnFailure>,
    now: Timestamp,
    is_named: bool,
}

impl Case {
    /// A request under way at an endpoint that repeats so often.
    fn new(method: Method, retries: u32) -> Self {
        Self {
            request: request(method),
            terms: Terms {
                retries: Some(retries),
                ..Terms::default()
            },
            known: TaskProgress {
                id: "t".into(),
                attempts: 1,
                sent: 1,
                open: true,
                ..TaskProgress::default()
            },
            retry: None,
            on_failure: None,
            now: Timestamp::UNIX_EPOCH,
            is_named: true,
        }
    }

    fn failures(mut self, failures: u32) -> Self {
        self.known.failures = failures;
        self.known.attempts = failures.saturating_add(1);
        self.known.sent = self.known.attempts;
        self
    }

    fn with<T>(&self, look: impl FnOnce(&Situation<'_>) -> T) -> T {
        look(&Situation {
            call: &Call {
                task: "t",
                request: &self.request,
                idempotency_key: "k",
            },
            terms: &self.terms,
            endpoint: "olt",
            retry: self.retry.as_ref(),
            on_failure: self.on_failure,
            known: &self.known,
            now: self.now,
            is_patient: true,
            is_named: self.is_named,
        })
    }

    fn decide(&self, outcome: &Outcome) -> Decision {
        self.with(|situation| decide(situation, outcome))
    }

    fn kinds(&self, outcome: Outcome) -> Vec<&'static str> {
        self.with(|situation| {
            let decision = decide(situation, &outcome);
            let events = record(situation, outcome, &decision);
            events.iter().map(Event::kind).collect()
        })
    }
}

fn busy(retry_after: Option<u64>) -> Outcome {
    Outcome::Failed {
        status: Some(503),
        class: FailureClass::Busy,
        reason: "busy".into(),
        retry_after: retry_after.map(Duration::from_secs),
    }
}

fn unknown() -> Outcome {
    Outcome::Unknown {
        class: FailureClass::Timeout,
        reason: "no answer".into(),
        accepted: false,
    }
}

fn rejected(status: u16) -> Outcome {
    Outcome::Rejected {
        status,
        reason: "no such port".into(),
    }
}

fn hold(reason: &str) -> Decision {
    Decision::Hold {
        reason: reason.into(),
    }
}

fn policy(text: &str) -> RetryPolicy {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_failure_is_repeated_until_repetitions_are_spent() {
    let decide = |failures, retries| {
        Case::new(Method::Post, retries)
            .failures(failures)
            .decide(&busy(None))
    };
    assert!(matches!(decide(0, 2), Decision::Again { .. }));
    assert!(matches!(decide(1, 2), Decision::Again { .. }));
    assert_eq!(decide(2, 2), hold("busy (3 attempts)"));
    assert_eq!(decide(0, 0), hold("busy"));
    assert_eq!(decide(u32::MAX, 9), hold("busy (4294967295 attempts)"));
    let kinds = |failures| {
        Case::new(Method::Post, 1)
            .failures(failures)
            .kinds(busy(None))
    };
    assert_eq!(kinds(0), ["attemptFailed"]);
    assert_eq!(kinds(1), ["attemptFailed", "held"]);
}

#[test]
fn what_was_refused_is_not_repeated_unless_somebody_says_so() {
    let mut case = Case::new(Method::Post, 9);
    assert_eq!(case.decide(&rejected(422)), hold("no such port"));
    case.terms.retry = policy(r#"{"rejected": ["PT5S"]}"#);
    let after = Duration::from_secs(5);
    assert_eq!(case.decide(&rejected(422)), Decision::Again { after });
    case.retry = Some(policy(r#"{"rejected": 0}"#));
    assert_eq!(case.decide(&rejected(422)), hold("no such port"));
}

#[test]
fn what_becomes_of_a_task_is_said_by_it_or_by_its_endpoint() {
    let mut case = Case::new(Method::Post, 0);
    case.terms.on_failure = Some(OnFailure::Skip);
    let give_up = |how| Decision::GiveUp {
        how,
        reason: "busy".into(),
    };
    assert_eq!(case.decide(&busy(None)), give_up(OnFailure::Skip));
    for how in [OnFailure::Fail, OnFailure::Compensate, OnFailure::Stop] {
        case.on_failure = Some(how);
        assert_eq!(case.decide(&busy(None)), give_up(how));
        let kind = if how == OnFailure::Stop {
            "held"
        } else {
            "failed"
        };
        assert_eq!(case.kinds(busy(None)), ["attemptFailed", kind]);
    }
    case.on_failure = Some(OnFailure::Hold);
    assert_eq!(case.decide(&busy(None)), hold("busy"));
}

#[test]
fn an_endpoint_that_names_a_time_is_not_asked_before() {
    let case = Case::new(Method::Post, 3);
    let after = |outcome| match case.decide(&outcome) {
        Decision::Again { after } => after,
        other => panic!("{other:?}"),
    };
    assert_eq!(after(busy(Some(7))), Duration::from_secs(7));
    assert!(after(busy(Some(0))) >= Duration::from_millis(50));
}

#[test]
fn nothing_is_repeated_past_the_deadline() {
    let mut case = Case::new(Method::Post, 9).failures(1);
    case.known.failing_since = Some(Timestamp::UNIX_EPOCH);
    case.now = Timestamp::from_second(58).unwrap();
    case.terms.retry.deadline = Some(Time(Duration::from_mins(1)));
    assert!(matches!(case.decide(&busy(None)), Decision::Again { .. }));
    assert_eq!(
        case.decide(&busy(Some(3))),
        hold("busy (2 attempts) (to be tried again after 3s, which is past the deadline of 1m)")
    );
    case.now = Timestamp::from_second(60).unwrap();
    assert_eq!(
        case.decide(&busy(None)),
        hold("busy (2 attempts) (deadline of 1m)")
    );
    case.retry = Some(policy(r#"{"deadline": "PT2M"}"#));
    assert!(matches!(case.decide(&busy(None)), Decision::Again { .. }));
}

#[test]
fn a_task_in_doubt_is_never_taken_for_failed() {
    let mut case = Case::new(Method::Post, 0);
    case.on_failure = Some(OnFailure::Fail);
    // It can be asked, so that comes first.
    assert!(matches!(case.decide(&unknown()), Decision::Again { .. }));
    case.terms.read_back = ReadBack::None;
    assert_eq!(case.decide(&unknown()), hold("outcome unknown: no answer"));
    // The first request is still in doubt when the second could not be sent.
    case.known.doubt = Doubt::Unknown;
    assert_eq!(case.decide(&busy(None)), hold("outcome unknown: busy"));
}

#[test]
fn who_was_not_let_in_was_not_looked_at() {
    let mut case = Case::new(Method::Post, 0).failures(1);
    case.on_failure = Some(OnFailure::Fail);
    case.terms.idempotent = true;
    case.terms.read_back = ReadBack::None;
    case.known.doubt = Doubt::Unknown;
    for status in [302, 401, 403] {
        assert_eq!(
            case.decide(&rejected(status)),
            hold("outcome unknown: no such port")
        );
        let events = case.with(|situation| {
            let decision = decide(situation, &rejected(status));
            record(situation, rejected(status), &decision)
        });
        let [Event::AttemptFailed(failed), Event::Held(_)] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(failed.failure, Failure::Unknown);
    }
    // Whoever judges a repetition knows what came of the first time.
    let failed = ["attemptFailed", "failed"];
    assert_eq!(case.kinds(rejected(422)), failed);
    // Where it can be asked, that comes first.
    case.terms.read_back = ReadBack::Resource;
    assert!(matches!(
        case.decide(&rejected(401)),
        Decision::Again { .. }
    ));
    case.known.doubt = Doubt::None;
    assert_eq!(case.kinds(rejected(401)), failed);
}

#[test]
fn a_refusal_of_a_repetition_may_come_from_the_first_time() {
    let mut case = Case::new(Method::Post, 0).failures(1);
    case.on_failure = Some(OnFailure::Fail);
    case.terms.idempotent = true;
    case.terms.settle = Duration::from_secs(10);
    assert_eq!(
        case.decide(&rejected(409)),
        Decision::Again {
            after: Duration::ZERO
        }
    );
    // The first one may be under way still, also at an endpoint that knows repetitions.
    case.known.open = false;
    case.known.doubt = Doubt::Unknown;
    case.known.class = Some(FailureClass::Rejected);
    case.known.unknown_since = Some(Timestamp::UNIX_EPOCH);
    case.known.reason = Some("409 Conflict; an earlier request may have made it".into());
    let not_there = Finding::NotDone {
        status: 404,
        reason: "it was not there when it was asked for".into(),
    };
    let found = |case: &Case| case.with(|situation| decide_found(situation, &not_there));
    assert_eq!(
        found(&case),
        Decision::Again {
            after: Duration::from_millis(100)
        }
    );
    case.now = Timestamp::from_second(10).unwrap();
    assert_eq!(
        found(&case),
        Decision::GiveUp {
            how: OnFailure::Fail,
            reason:
                "409 Conflict; an earlier request may have made it, but it was not there when it \
                     was asked for"
                    .into(),
        }
    );
    // Nothing is sent over and over where nobody can tell.
    let impossible = Finding::Impossible {
        reason: "asked for it, the answer was 405".into(),
    };
    assert!(matches!(
        case.with(|situation| decide_found(situation, &impossible)),
        Decision::Hold { .. }
    ));
    // Nor where it cannot be asked at all.
    case.known.open = true;
    case.terms.read_back = ReadBack::None;
    let in_doubt = hold("outcome unknown: no such port");
    assert_eq!(case.decide(&rejected(409)), in_doubt);
    // There it is now, and was not when the one before was refused, or put off.
    case.known.doubt = Doubt::None;
    case.known.class = Some(FailureClass::Busy);
    case.known.status = Some(503);
    assert_eq!(case.decide(&rejected(409)), in_doubt);
    // Somebody else's.
    case.known.status = Some(409);
    let failed = ["attemptFailed", "failed"];
    assert_eq!(case.kinds(rejected(409)), failed);
    case.known.status = None;
    case.known.class = Some(FailureClass::Connect);
    assert_eq!(case.kinds(rejected(409)), failed);
}

#[test]
fn what_is_not_there_to_be_removed_may_have_another_name() {
    let mut case = Case::new(Method::Delete, 0);
    let note = Some("it was gone already".to_owned());
    let gone = Decision::Complete { note };
    assert_eq!(case.decide(&rejected(404)), gone);
    case.is_named = false;
    let Decision::Hold { reason } = case.decide(&rejected(404)) else {
        panic!("nobody knows where it is");
    };
    assert!(
        reason.starts_with("no such port; its endpoint has not said"),
        "{reason}"
    );
    assert_eq!(case.kinds(rejected(410)), ["attemptFailed", "held"]);
    // It may have been removed by the request before.
    case.known.doubt = Doubt::Unknown;
    assert_eq!(case.decide(&rejected(404)), gone);
}

#[test]
fn what_cannot_be_asked_about_is_not_repeated_for_ever() {
    let impossible = Finding::Impossible {
        reason: "asked for it, the answer was 405".into(),
    };
    let mut post = Case::new(Method::Post, 2);
    post.terms.idempotent = true;
    for mut case in [post, Case::new(Method::Delete, 2)] {
        case.known.open = false;
        case.known.doubt = Doubt::Unknown;
        case.known.class = Some(FailureClass::Reset);
        case.known.failure = Some(Failure::Unknown);
        case.known.reason = Some("no answer".into());
        for (failures, sends) in [(0, true), (2, true), (3, false)] {
            case.known.failures = failures;
            let decision = case.with(|situation| decide_found(situation, &impossible));
            if sends {
                assert_eq!(decision, Decision::Send);
            } else {
                let why = "outcome unknown: no answer; endpoint olt cannot tell (asked for it, the \
                           answer was 405): find out, then complete or retry the task by hand";
                assert_eq!(decision, hold(why));
            }
        }
    }
    let mut broken = Case::new(Method::Post, 2).failures(3);
    broken.on_failure = Some(OnFailure::Fail);
    broken.known.open = false;
    broken.known.doubt = Doubt::Perhaps;
    broken.known.class = Some(FailureClass::ServerError);
    broken.known.reason = Some("500 Internal Server Error".into());
    assert_eq!(
        broken.with(|situation| decide_found(situation, &impossible)),
        Decision::GiveUp {
            how: OnFailure::Fail,
            reason: "500 Internal Server Error (3 attempts)".into(),
        },
        "it says that it failed, and is believed"
    );
}

#[test]
fn a_monitor_that_tells_late_that_it_failed_is_believed() {
    let mut case = Case::new(Method::Post, 1).failures(2);
    case.on_failure = Some(OnFailure::Fail);
    case.known.open = false;
    case.known.doubt = Doubt::Unknown;
    case.known.class = Some(FailureClass::Timeout);
    for status in [None, Some(500)] {
        let ended = Finding::Ended(Outcome::Failed {
            status,
            class: FailureClass::ServerError,
            reason: "monitor in error".into(),
            retry_after: None,
        });
        let found = |case: &Case| case.with(|situation| decide_found(situation, &ended));
        assert_eq!(
            found(&case),
            Decision::GiveUp {
                how: OnFailure::Fail,
                reason: "monitor in error (3 attempts)".into(),
            },
            "it is not sent without end"
        );
        let mut first = Case::new(Method::Post, 1);
        assert!(matches!(found(&first), Decision::Again { .. }));
        // However often it was asked for in vain.
        first.known.failures = 7;
        assert!(matches!(found(&first), Decision::Again { .. }));
    }
}

#[test]
fn what_an_endpoint_is_at_work_on_is_no_failure() {
    let mut case = Case::new(Method::Post, 1).failures(2);
    case.on_failure = Some(OnFailure::Fail);
    case.known.open = false;
    case.known.doubt = Doubt::Unknown;
    case.known.unknown_since = Some(Timestamp::UNIX_EPOCH);
    let at_work = Finding::AtWork {
        reason: "accepted, but its monitor m is still inProgress after 30s".into(),
    };
    let pause = |case: &Case| match case.with(|situation| decide_found(situation, &at_work)) {
        Decision::Again { after } => after.as_millis(),
        other => panic!("{other:?}"),
    };
    for (passed, after) in [(0, 60_100), (300, 300_000), (86_400, 600_000)] {
        case.now = Timestamp::from_second(passed).unwrap();
        assert_eq!(pause(&case), after);
    }
    // First as often as a request without an answer is.
    case = case.failures(0);
    assert!(pause(&case) < 1_000);
    // On a clock that jumps it would never end.
    case = case.failures(2);
    let impatient = case.with(|situation| {
        let situation = Situation {
            is_patient: false,
            ..*situation
        };
        decide_found(&situation, &at_work)
    });
    assert!(matches!(impatient, Decision::Hold { .. }));
}

#[test]
fn before_it_is_given_up_an_endpoint_is_asked_about_a_failure_that_may_be_none() {
    let failed = |status| Outcome::Failed {
        status,
        class: FailureClass::ServerError,
        reason: "failed".into(),
        retry_after: None,
    };
    let asks = |case: &Case, status| matches!(case.decide(&failed(status)), Decision::Again { .. });
    let mut case = Case::new(Method::Post, 0);
    assert!(asks(&case, Some(500)));
    assert!(!asks(&case, Some(503)));
    assert!(!asks(&case, None));
    case.known.doubt = Doubt::Perhaps;
    assert!(asks(&case, Some(503)), "an earlier one may be none");
    assert!(asks(&case, None), "an earlier one may be none");
    case.terms.idempotent = true;
    assert!(!asks(&case, Some(500)), "repetitions do no harm");
    case.terms.idempotent = false;
    case.terms.read_back = ReadBack::None;
    assert_eq!(case.decide(&failed(Some(500))), hold("failed"));
}

#[test]
fn how_it_is_gone_on_with_depends_on_what_the_endpoint_is_able_to() {
    let approach = |case: &Case| {
        case.with(|situation| match approach(situation) {
            Approach::Send => "send".to_owned(),
            Approach::Ask(inquiry) => format!("ask {}", inquiry.path.unwrap_or_default()),
            Approach::Hold { reason } | Approach::Leave { reason } => reason,
        })
    };
    let mut case = Case::new(Method::Post, 0);
    assert_eq!(approach(&case), "ask resource/R-1");
    case.terms.idempotent = true;
    assert_eq!(approach(&case), "ask resource/R-1");
    case.terms.read_back = ReadBack::None;
    assert_eq!(approach(&case), "send");
    case.terms.idempotent = false;
    assert_eq!(
        approach(&case),
        "outcome unknown: the run ended before there was an answer; endpoint olt cannot be asked \
         about it and is not declared idempotent: find out, then complete or retry the task by hand"
    );
    case.known.open = false;
    assert_eq!(approach(&case), "send", "its answer is known");
    case.known.doubt = Doubt::Perhaps;
    assert_eq!(
        approach(&case),
        "send",
        "it says that it failed, and cannot be asked"
    );
    case.terms.read_back = ReadBack::Resource;
    assert_eq!(approach(&case), "ask resource/R-1");

    let mut removal = Case::new(Method::Delete, 0);
    removal.terms.read_back = ReadBack::None;
    assert_eq!(approach(&removal), "send");
    let mut question = Case::new(Method::Post, 0);
    question.request.path = "q/v4/checkServiceQualification".into();
    assert_eq!(approach(&question), "send");
}

#[test]
fn what_is_not_there_is_asked_for_again_ever_more_seldom_until_it_is_settled() {
    let not_there = Finding::NotDone {
        status: 404,
        reason: "it was not there when it was asked for".into(),
    };
    let mut case = Case::new(Method::Post, 1).failures(1);
    case.known.open = false;
    case.known.doubt = Doubt::Unknown;
    case.known.unknown_since = Some(Timestamp::UNIX_EPOCH);
    case.terms.settle = Duration::from_secs(10);
    let pause = |case: &Case| match case.with(|situation| decide_found(situation, &not_there)) {
        Decision::Again { after } => after.as_millis(),
        other => panic!("{other:?}"),
    };
    for (passed, after) in [(0, 100), (75, 100), (400, 400), (6_000, 4_000), (9_999, 1)] {
        case.now = Timestamp::from_millisecond(passed).unwrap();
        assert_eq!(pause(&case), after, "{passed}");
        let events = case.with(|situation| {
            let decision = decide_found(situation, &not_there);
            record_found(situation, not_there.clone(), &decision)
        });
        let [Event::Asked(asked)] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(asked.answer, Answer::NotYet);
        assert!(asked.retry_at.is_some());
    }
    case.now = Timestamp::from_second(10).unwrap();
    assert_eq!(pause(&case), 0, "it is sent again");
    // A clock that was set back makes it wait no longer than that.
    case.now = Timestamp::from_second(-3600).unwrap();
    assert_eq!(pause(&case), 10_000);
    case.now = Timestamp::UNIX_EPOCH;
    case.terms.idempotent = true;
    assert_eq!(pause(&case), 0, "a repetition does no harm");
    case.known.accepted = true;
    assert_eq!(pause(&case), 100, "what was accepted comes to something");
    let mut removal = Case::new(Method::Delete, 1);
    removal.terms.settle = Duration::from_secs(10);
    assert_eq!(pause(&removal), 0, "a repetition does no harm");
    removal.known.accepted = true;
    assert_eq!(pause(&removal), 100, "what was accepted comes to something");
    removal.known.unknown_since = Some(Timestamp::UNIX_EPOCH);
    removal.now = Timestamp::from_second(10).unwrap();
    assert_eq!(pause(&removal), 0, "a repetition does no harm");
}
