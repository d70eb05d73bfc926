//! What an endpoint bears, and what is done when it does not answer as it
//! should: limits, repetitions, how it can be asked what it has done.

use std::time::Duration;

use super::definition::DEFAULT_CONCURRENCY;
use crate::configuration::{Reader, Table, Value, day_or_less, meant, whole_number};
use crate::retry::{Backoff, FailureClass, Jitter, OnFailure, Repeat, RetryPolicy, Time};

/// Keys of an endpoint that are read here.
pub(super) const KEYS: &[&str] = &[
    "concurrency",
    "retries",
    "retry",
    "onFailure",
    "idempotent",
    "readBack",
    "settle",
    "rate",
    "breaker",
];

/// Most requests at once that a file may ask for.
const MOST_AT_ONCE: i64 = 1_000;
/// Most repetitions that a file may ask for.
const MOST_RETRIES: i64 = 100;
/// Most requests in a unit of time that a file may ask for.
const MOST_IN_TIME: u32 = 1_000_000;
/// What a path that is asked at may hold.
const PLACEHOLDERS: [&str; 3] = ["{key}", "{id}", "{task}"];

/// What an endpoint bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How many requests may be under way at once; at least 1.
    pub concurrency: usize,
    /// How many requests may be sent in what time.
    pub rate: Option<Rate>,
    /// When it is left alone for a while.
    pub breaker: Option<Breaker>,
    /// How often a failed request is repeated, where `retry` does not say;
    /// [`DEFAULT_RETRIES`](super::DEFAULT_RETRIES) where nothing is said.
    pub retries: Option<u32>,
    /// How failed requests are repeated, by class of failure.
    pub retry: RetryPolicy,
    /// What becomes of a task when that is spent, where the task does not say; it is held where
    /// nothing is said.
    pub on_failure: Option<OnFailure>,
    /// Whether a repetition under the same idempotency key has no second effect.
    pub idempotent: bool,
    /// How it is asked what came of a request.
    pub read_back: ReadBack,
    /// How long it may take until a request without an answer has its effect: before that is over,
    /// nothing follows from its not being there.
    pub settle: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            concurrency: DEFAULT_CONCURRENCY,
            rate: None,
            breaker: None,
            retries: None,
            retry: RetryPolicy::default(),
            on_failure: None,
            idempotent: false,
            read_back: ReadBack::Resource,
            settle: Duration::ZERO,
        }
    }
}

/// So many requests in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many; at least 1.
    pub requests: u32,
    /// In what time.
    pub time: Duration,
}

impl Rate {
    /// The time between two requests.
    #[must_use]
    pub fn interval(self) -> Duration {
        self.time / self.requests.max(1)
    }
}

/// When an endpoint is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// After so many requests in a row that came to nothing; at least 1.
    pub failures: u32,
    /// For so long; then a single request finds out whether it is well again.
    pub pause: Duration,
}

/// How an endpoint is asked what came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ReadBack {
    /// By reading the resource that the request is about, where it names one.
    #[default]
    Resource,
    /// At this path, with `{key}`, `{id}` and `{task}` filled in.
    Path(String),
    /// Not at all.
    None,
}

/// Reads what an endpoint's table says about its terms.
pub(super) struct TermsReader<'r, 't> {
    pub reader: &'r mut Reader<'t>,
}

impl TermsReader<'_, '_> {
    /// The terms; `usual` where nothing is said.
    pub fn terms(&mut self, table: &Table<'_>, usual: Terms) -> Terms {
        let concurrency = self.reader.integer(table, "concurrency", 1..=MOST_AT_ONCE);
        let retries = self.reader.integer(table, "retries", 0..=MOST_RETRIES);
        Terms {
            concurrency: concurrency
                .and_then(|count| usize::try_from(count).ok())
                .unwrap_or(usual.concurrency),
            rate: self.rate(table),
            breaker: self.breaker(table),
            retries: retries
                .and_then(|count| u32::try_from(count).ok())
                .or(usual.retries),
            retry: self.retry(table),
            on_failure: self.on_failure(table).or(usual.on_failure),
            idempotent: self
                .reader
                .boolean(table, "idempotent")
                .unwrap_or(usual.idempotent),
            read_back: self.read_back(table).unwrap_or(usual.read_back),
            settle: self
                .reader
                .duration(table, "settle")
                .unwrap_or(usual.settle),
        }
    }

    fn read_back(&mut self, table: &Table<'_>) -> Option<ReadBack> {
        let expected = "\"resource\", \"none\", or a path below the address with {key}, {id} or {task}, such as \"resource?idempotencyKey={key}\"";
        let written = self.reader.text(table, "readBack", expected)?;
        Some(match written {
            "resource" => ReadBack::Resource,
            "none" => ReadBack::None,
            path if PLACEHOLDERS.iter().any(|it| path.contains(it)) => {
                ReadBack::Path(path.to_owned())
            }
            other => {
                let span = table.get("readBack").map_or(0..0, toml::Spanned::span);
                let message = format!("readBack {other:?} is not {expected}");
                self.reader.fault(span, message);
                return None;
            }
        })
    }

    fn on_failure(&mut self, table: &Table<'_>) -> Option<OnFailure> {
        let known = OnFailure::ALL.map(OnFailure::name);
        let written = self.reader.text(table, "onFailure", &listed(&known))?;
        let found = OnFailure::named(written);
        if found.is_none() {
            let span = table.get("onFailure").map_or(0..0, toml::Spanned::span);
            let message = format!(
                "onFailure {written:?} is not known{}",
                meant(written, &known)
            );
            self.reader.fault(span, message);
        }
        found
    }

    /// `50/s`, `100/10s`, `600/m`.
    fn rate(&mut self, table: &Table<'_>) -> Option<Rate> {
        let expected = "requests in a time, such as \"50/s\", \"600/m\" or \"1/10s\"";
        let written = self.reader.text(table, "rate", expected)?;
        let rate = written.split_once('/').and_then(|(requests, time)| {
            let digit = |c: char| c.is_ascii_digit();
            let number = requests.chars().all(digit).then(|| requests.parse().ok())?;
            let requests = number.filter(|it| (1..=MOST_IN_TIME).contains(it))?;
            let one = if time.starts_with(digit) { "" } else { "1" };
            let time = day_or_less(&format!("{one}{time}")).filter(|it| !it.is_zero())?;
            Some(Rate { requests, time })
        });
        if rate.is_none() {
            let span = table.get("rate").map_or(0..0, toml::Spanned::span);
            let message = format!("rate {written:?} is not {expected}");
            self.reader.fault(span, message);
        }
        rate
    }

    fn breaker(&mut self, table: &Table<'_>) -> Option<Breaker> {
        let value = table.get("breaker")?;
        let expected = "a table, such as { failures = 5, pause = \"30s\" }";
        let Some(inner) = value.get_ref().as_table() else {
            self.reader.wrong_type(value, "breaker", expected);
            return None;
        };
        self.reader.unknown_keys(inner, &["failures", "pause"]);
        for key in ["failures", "pause"] {
            if inner.get(key).is_none() {
                let message = format!("breaker has no {key}: write {expected}");
                self.reader.fault(value.span(), message);
            }
        }
        let failures = self.reader.integer(inner, "failures", 1..=1_000);
        let pause = self.reader.time_limit(inner, "pause");
        Some(Breaker {
            failures: failures.and_then(|it| u32::try_from(it).ok())?,
            pause: pause?,
        })
    }

    fn retry(&mut self, table: &Table<'_>) -> RetryPolicy {
        let mut policy = RetryPolicy::default();
        let Some(value) = table.get("retry") else {
            return policy;
        };
        let Some(inner) = value.get_ref().as_table() else {
            let expected =
                "a table of classes of failure, such as { busy = 5, connect = [\"1s\", \"1m\"] }";
            self.reader.wrong_type(value, "retry", expected);
            return policy;
        };
        let classes = FailureClass::ALL.map(FailureClass::name);
        let known: Vec<&str> = classes.into_iter().chain(["deadline"]).collect();
        self.reader.unknown_keys(inner, &known);
        policy.deadline = self.reader.time_limit(inner, "deadline").map(Time);
        for class in FailureClass::ALL {
            if let Some(value) = inner.get(class.name())
                && let Some(repeat) = self.repeat(value, class.name())
            {
                policy.by_class.insert(class, repeat);
            }
        }
        policy
    }

    fn repeat(&mut self, value: Value<'_, '_>, key: &str) -> Option<Repeat> {
        let expected = "a number from 0 to 100, a list of delays, or { times = 5, first = \"1s\", cap = \"1m\", jitter = \"none\" }";
        if let Some(table) = value.get_ref().as_table() {
            return self.backoff(value, table);
        }
        if let Some(list) = value.get_ref().as_array() {
            let delays: Option<Vec<Time>> = list
                .iter()
                .map(|it| it.get_ref().as_str().and_then(day_or_less).map(Time))
                .collect();
            let most = usize::try_from(MOST_RETRIES).unwrap_or(usize::MAX);
            let delays = delays.filter(|it| it.len() <= most);
            if delays.is_none() {
                let message = format!(
                    "{key} is not a list of at most {MOST_RETRIES} delays, such as [\"10s\", \"1m\", \"1h\"]"
                );
                self.reader.fault(value.span(), message);
            }
            return delays.map(Repeat::Delays);
        }
        let number = whole_number(value).filter(|it| (0..=MOST_RETRIES).contains(it));
        let number = number.and_then(|it| u32::try_from(it).ok());
        if number.is_none() {
            self.reader.wrong_type(value, key, expected);
        }
        number.map(Repeat::Times)
    }

    fn backoff(&mut self, value: Value<'_, '_>, table: &Table<'_>) -> Option<Repeat> {
        self.reader
            .unknown_keys(table, &["times", "first", "cap", "jitter"]);
        if table.get("times").is_none() {
            let message = "there is no times: say how often it is repeated";
            self.reader.fault(value.span(), message.to_owned());
        }
        let times = self.reader.integer(table, "times", 0..=MOST_RETRIES);
        let first = self.reader.time_limit(table, "first");
        let cap = self.reader.time_limit(table, "cap");
        let jitter = self.reader.text(table, "jitter", "\"half\" or \"none\"");
        let jitter = match jitter {
            Some("none") => Jitter::None,
            Some("half") | None => Jitter::Half,
            Some(other) => {
                let span = table.get("jitter").map_or(0..0, toml::Spanned::span);
                let message = format!("jitter {other:?} is not \"half\" or \"none\"");
                self.reader.fault(span, message);
                Jitter::Half
            }
        };
        let usual = Backoff::times(times.and_then(|it| u32::try_from(it).ok())?);
        let first = first.map_or(usual.first, Time);
        Some(Repeat::Backoff(Backoff {
            first,
            // A first delay that is longer than usual is not cut off where nothing is said.
            cap: cap.map_or(usual.cap.max(first), Time),
            jitter,
            ..usual
        }))
    }
}

fn listed(words: &[&str]) -> String {
    format!("one of: {}", words.join(", "))
}
