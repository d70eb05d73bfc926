//! What would be done about an error of an endpoint. Pure.

use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

use crate::endpoint::{ReadBack, Terms};
use crate::journal::Doubt;
use crate::plan::flow::OnFailure;
use crate::retry::{FailureClass, Repeat, RetryPolicy, Source};

/// Delays that are told one by one.
const TOLD: u32 = 6;

/// An error as it is asked about: a status, or a class of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorName {
    /// HTTP status.
    pub status: Option<u16>,
    /// Its class.
    pub class: FailureClass,
}

impl FromStr for ErrorName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(status) = text.parse::<u16>() {
            return match status {
                300..=599 => Ok(Self {
                    status: Some(status),
                    class: FailureClass::of_status(status),
                }),
                _ => Err(format!(
                    "{status} is no error: give a status from 300 to 599"
                )),
            };
        }
        let class = FailureClass::named(text).ok_or_else(|| {
            let known = FailureClass::ALL.map(FailureClass::name).join(", ");
            format!("expected a status, such as 503, or one of: {known}")
        })?;
        Ok(Self {
            status: None,
            class,
        })
    }
}

/// What is known about the effect of a request that ended so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It had none.
    None,
    /// The endpoint says that it had none, in a way in which it may have had one.
    Perhaps,
    /// Nobody knows.
    Unknown,
}

impl ErrorName {
    fn effect(self) -> Effect {
        match (self.class, self.status) {
            (FailureClass::Connect | FailureClass::Rejected | FailureClass::Busy, _) => {
                Effect::None
            }
            (FailureClass::ServerError, Some(502)) => Effect::Unknown,
            (FailureClass::ServerError, Some(501)) => Effect::None,
            (FailureClass::ServerError, _) => Effect::Perhaps,
            (FailureClass::Timeout | FailureClass::Reset | FailureClass::Malformed, _) => {
                Effect::Unknown
            }
        }
    }
}

/// What would be done, as pairs of what it is about and what is done.
#[must_use]
pub fn forecast(
    terms: &Terms,
    retry: Option<&RetryPolicy>,
    on_failure: Option<OnFailure>,
    error: ErrorName,
) -> Vec<(&'static str, String)> {
    let (repeat, source) = RetryPolicy::choose(retry, &terms.retry, error.class, terms.retries);
    let mut told = vec![
        ("class", error.class.name().to_owned()),
        ("effect", effect(error.effect()).to_owned()),
    ];
    if let Some(before) = before(terms, error.effect()) {
        told.push(("first", before));
    }
    told.push(("again", again(&repeat, source, error)));
    if let Some(deadline) = retry.and_then(|it| it.deadline).or(terms.retry.deadline)
        && repeat.times() > 0
    {
        let text = format!(
            "nothing later than {} after the first failure",
            span(deadline.0)
        );
        told.push(("deadline", text));
    }
    told.push(("then", then(terms, on_failure, error.effect())));
    if let Some(except) = except(terms, error) {
        told.push(("except", except));
    }
    if let Some(breaker) = terms
        .breaker
        .filter(|_| error.class != FailureClass::Rejected)
    {
        let text = format!(
            "after {} in a row nothing is sent to it for {}, then one request finds out",
            breaker.failures,
            span(breaker.pause)
        );
        told.push(("breaker", text));
    }
    told
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::None => "none",
        Effect::Perhaps => "none, says the endpoint; it may be wrong",
        Effect::Unknown => "unknown: the request may have had it",
    }
}

/// How it is read what came of a request.
fn read(terms: &Terms) -> Option<String> {
    match &terms.read_back {
        ReadBack::Resource => Some("GET of the resource that the request names".to_owned()),
        ReadBack::Path(path) => Some(format!("GET {path}")),
        ReadBack::None => None,
    }
}

/// What comes before the request is sent again.
fn before(terms: &Terms, effect: Effect) -> Option<String> {
    let read = read(terms);
    let settles = effect == Effect::Unknown && !terms.idempotent && !terms.settle.is_zero();
    let again = if settles {
        let settle = span(terms.settle);
        format!(", and what is not there again until {settle} are over")
    } else {
        String::new()
    };
    let otherwise = match (effect, terms.idempotent) {
        (_, true) => "it is sent again under its idempotency key",
        (Effect::Unknown, false) => {
            "the task is held for a person, unless it is a removal or a question"
        }
        (_, false) => "the endpoint is believed",
    };
    match (effect, read) {
        (Effect::None, _) => None,
        (Effect::Perhaps, _) if terms.idempotent => None,
        (_, Some(read)) => Some(format!(
            "it is asked what came of it ({read}, or its monitor){again}; where that cannot be, {otherwise}"
        )),
        (_, None) => Some(format!("it cannot be asked: {otherwise}")),
    }
}

/// Whose request this error means something else for.
fn except(terms: &Terms, error: ErrorName) -> Option<String> {
    match error.status? {
        404 | 410 => Some("DELETE is done by that: it was gone already".to_owned()),
        409 => Some(match read(terms) {
            Some(read) => format!(
                "POST that was sent before is asked about ({read}): it may have been done the first time, or be under \
                 way still"
            ),
            None => "POST that was sent before is held for a person: it may have been done the first time"
                .to_owned(),
        }),
        status if Doubt::Unknown.after_refusal(status) == Doubt::Unknown => Some(
            "what was in doubt before stays so: it is asked about, or held for a person".to_owned(),
        ),
        _ => None,
    }
}

fn again(repeat: &Repeat, source: Source, error: ErrorName) -> String {
    let by = match source {
        Source::Task => "the activation rule",
        Source::Endpoint => "the endpoint",
        Source::Default => "what is usual",
    };
    let times = repeat.times();
    if times == 0 {
        return format!("never, by {by}");
    }
    let delays: Vec<String> = (0..times.min(TOLD))
        .filter_map(|failures| repeat.bounds(failures))
        .map(|(shortest, longest)| {
            if shortest == longest {
                span(longest)
            } else {
                format!("{} to {}", span(shortest), span(longest))
            }
        })
        .collect();
    let more = if times > TOLD { ", …" } else { "" };
    let often = if times == 1 {
        "once"
    } else {
        &format!("{times} times")
    };
    let not_before = match error.class {
        FailureClass::Busy | FailureClass::ServerError => "; not before Retry-After",
        _ => "",
    };
    format!(
        "{often}, by {by}: after {}{more}{not_before}",
        delays.join(", ")
    )
}

fn then(terms: &Terms, on_failure: Option<OnFailure>, effect: Effect) -> String {
    let policy = on_failure.or(terms.on_failure).unwrap_or_default();
    let by = match (on_failure, terms.on_failure) {
        (Some(_), _) => "by the activation rule",
        (None, Some(_)) => "by the endpoint",
        (None, None) => "as is usual",
    };
    let what = match policy {
        OnFailure::Hold => "hold: it waits for somebody; the next run tries it again",
        OnFailure::Fail => {
            "fail: it and its item have failed, what needs it is given up, others go on"
        }
        OnFailure::Compensate => {
            "compensate: it and its item have failed, and what its bundle has done is undone"
        }
        OnFailure::Skip => "skip: it is left out, and what waits for it goes on",
        OnFailure::Stop => "stop: it waits for somebody, and nothing else of the order is begun",
    };
    let unknown = match (effect, policy) {
        (Effect::Unknown, OnFailure::Hold) | (Effect::None | Effect::Perhaps, _) => "",
        (Effect::Unknown, _) => "; held as long as it is not known what came of it",
    };
    format!("{what} ({by}){unknown}")
}

fn span(duration: Duration) -> String {
    let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    format!("{duration:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Breaker;

    fn told(terms: &Terms, error: &str) -> String {
        let lines = forecast(terms, None, None, error.parse().unwrap());
        let lines: Vec<String> = lines
            .iter()
            .map(|(what, how)| format!("{what}: {how}"))
            .collect();
        lines.join("\n")
    }

    #[test]
    fn what_would_happen_is_told_by_class() {
        let terms = Terms {
            breaker: Some(Breaker {
                failures: 5,
                pause: Duration::from_secs(30),
            }),
            ..Terms::default()
        };
        assert_eq!(
            told(&terms, "503"),
            "class: busy
effect: none
again: 3 times, by what is usual: after 50ms to 100ms, 100ms to 200ms, 200ms to 400ms; not before Retry-After
then: hold: it waits for somebody; the next run tries it again (as is usual)
breaker: after 5 in a row nothing is sent to it for 30s, then one request finds out"
        );
        assert_eq!(
            told(&terms, "422"),
            "class: rejected
effect: none
again: never, by what is usual
then: hold: it waits for somebody; the next run tries it again (as is usual)"
        );
        let asked = "first: it is asked what came of it (GET of the resource that the request names, or its monitor); where that cannot be, ";
        let held =
            format!("{asked}the task is held for a person, unless it is a removal or a question");
        assert!(told(&terms, "timeout").contains(&held));
        assert!(told(&terms, "500").contains(&format!("{asked}the endpoint is believed")));
        let idempotent = Terms {
            idempotent: true,
            read_back: ReadBack::None,
            ..terms
        };
        assert!(
            told(&idempotent, "reset")
                .contains("first: it cannot be asked: it is sent again under its idempotency key")
        );
        assert!(!told(&idempotent, "500").contains("first"));
    }

    #[test]
    fn it_is_told_who_says_so_and_whose_requests_are_another_matter() {
        let terms = Terms {
            retries: Some(0),
            on_failure: Some(OnFailure::Hold),
            settle: Duration::from_secs(30),
            ..Terms::default()
        };
        let said = told(&terms, "timeout");
        for part in [
            "or its monitor), and what is not there again until 30s are over; where",
            "again: never, by the endpoint",
            "(by the endpoint)",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!told(&terms, "500").contains("are over"));
        for status in ["404", "410"] {
            let said = told(&terms, status);
            assert!(
                said.ends_with("except: DELETE is done by that: it was gone already"),
                "{said}"
            );
        }
        let own = "except: POST that was sent before is asked about (GET of the resource that the request names): it may have been done the first time, or be under way still";
        assert!(told(&terms, "409").ends_with(own));
        for status in ["302", "401", "403"] {
            let said = told(&terms, status);
            assert!(
                said.ends_with(
                    "except: what was in doubt before stays so: it is asked about, or held for a person"
                ),
                "{said}"
            );
        }
        let terms = Terms {
            read_back: ReadBack::None,
            ..terms
        };
        let own = "except: POST that was sent before is held for a person: it may have been done the first time";
        assert!(told(&terms, "409").ends_with(own));
        assert!(!told(&terms, "422").contains("except"));
    }

    #[test]
    fn what_is_no_error_is_refused() {
        for text in ["200", "99", "600", "sometimes", ""] {
            assert!(text.parse::<ErrorName>().is_err(), "{text}");
        }
        assert_eq!(
            "504".parse::<ErrorName>().unwrap().class,
            FailureClass::Timeout
        );
    }
}
