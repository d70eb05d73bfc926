//! What is done about requests that come to nothing: policies as data.
//!
//! Pure. How long to wait is computed from the policy, the number of failures
//! and a seed; the same task waits as long in every run.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Delay before the first repetition, where nothing is said.
pub const FIRST_DELAY: Duration = Duration::from_millis(100);
/// Longest delay, where nothing is said.
pub const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Repetitions of a failed request, where nothing is said.
pub const DEFAULT_RETRIES: u32 = 3;

/// Why a request came to nothing, as far as that matters for repeating it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureClass {
    /// No connection; nothing was sent.
    Connect,
    /// No answer in time.
    Timeout,
    /// The connection broke before the answer was there.
    Reset,
    /// Not now: 408, 425, 429, 503.
    Busy,
    /// Any other 5xx, or a monitor in error.
    ServerError,
    /// Understood and refused: 3xx, any other 4xx, the no to a question.
    Rejected,
    /// An answer that cannot be understood.
    Malformed,
}

impl FailureClass {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Connect,
        Self::Timeout,
        Self::Reset,
        Self::Busy,
        Self::ServerError,
        Self::Rejected,
        Self::Malformed,
    ];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Busy => "busy",
            Self::ServerError => "serverError",
            Self::Rejected => "rejected",
            Self::Malformed => "malformed",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// The class of an answer with this status, which is no success.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            408 | 425 | 429 | 503 => Self::Busy,
            504 => Self::Timeout,
            300..=499 => Self::Rejected,
            500..=599 => Self::ServerError,
            _ => Self::Malformed,
        }
    }
}

/// What becomes of a task that cannot be done: rejected, or repeated often enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnFailure {
    /// It waits for somebody.
    #[default]
    Hold,
    /// It has failed, and with it its item; others go on.
    Fail,
    /// It has failed, and what its bundle has done so far is undone; other bundles go on.
    Compensate,
    /// It is left out, with the reason; what waits for it goes on.
    Skip,
    /// It waits for somebody, and nothing else of the order is begun.
    Stop,
}

impl OnFailure {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Hold,
        Self::Fail,
        Self::Compensate,
        Self::Skip,
        Self::Stop,
    ];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Fail => "fail",
            Self::Compensate => "compensate",
            Self::Skip => "skip",
            Self::Stop => "stop",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// How often, and after how long, a request is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Repeat {
    /// So often, after growing delays; 0 for never.
    Times(u32),
    /// After these delays, one repetition each.
    Delays(Vec<Time>),
    /// So often, after growing delays of these sizes.
    Backoff(Backoff),
}

/// Delays that double.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backoff {
    /// Number of repetitions.
    pub times: u32,
    /// Delay before the first.
    #[serde(default = "first_delay", skip_serializing_if = "Time::is_first")]
    pub first: Time,
    /// Longest delay.
    #[serde(default = "longest_delay", skip_serializing_if = "Time::is_longest")]
    pub cap: Time,
    /// How delays are spread, so that many that failed at once do not come back at once.
    #[serde(default, skip_serializing_if = "Jitter::is_half")]
    pub jitter: Jitter,
}

/// How much of a delay is left to the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Jitter {
    /// Its second half: between half of it and all of it.
    #[default]
    Half,
    /// Nothing.
    None,
}

impl Jitter {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    fn is_half(&self) -> bool {
        *self == Self::Half
    }
}

/// A length of time; in JSON an ISO 8601 duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

const fn first_delay() -> Time {
    Time(FIRST_DELAY)
}

const fn longest_delay() -> Time {
    Time(LONGEST_DELAY)
}

impl Time {
    fn is_first(&self) -> bool {
        self.0 == FIRST_DELAY
    }

    fn is_longest(&self) -> bool {
        self.0 == LONGEST_DELAY
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = SignedDuration::try_from(self.0).unwrap_or(SignedDuration::MAX);
        serializer.collect_str(&time)
    }
}

impl<'d> Deserialize<'d> for Time {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time: Option<SignedDuration> = text.parse().ok();
        time.and_then(|time| Duration::try_from(time).ok())
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is no duration")))
    }
}

impl Backoff {
    /// So many repetitions, and what is usual besides.
    #[must_use]
    pub const fn times(times: u32) -> Self {
        Self {
            times,
            first: first_delay(),
            cap: longest_delay(),
            jitter: Jitter::Half,
        }
    }

    /// Bounds of the delay after so many earlier failures: doubled with each, up to the cap.
    fn bounds(self, failures: u32) -> (Duration, Duration) {
        let factor = 2_u32.checked_pow(failures);
        let delay = factor.and_then(|factor| self.first.0.checked_mul(factor));
        let longest = delay.map_or(self.cap.0, |delay| delay.min(self.cap.0));
        match self.jitter {
            Jitter::Half => (longest / 2, longest),
            Jitter::None => (longest, longest),
        }
    }
}

impl Repeat {
    /// The shortest and the longest delay before the next repetition, where `failures` requests
    /// came to nothing before the one that just did; none where it is not repeated.
    #[must_use]
    pub fn bounds(&self, failures: u32) -> Option<(Duration, Duration)> {
        match self {
            Self::Delays(delays) => {
                let delay = delays.get(usize::try_from(failures).ok()?)?.0;
                Some((delay, delay))
            }
            Self::Times(times) => Self::Backoff(Backoff::times(*times)).bounds(failures),
            Self::Backoff(backoff) => (failures < backoff.times).then(|| backoff.bounds(failures)),
        }
    }

    /// The delay between its [bounds](Self::bounds) that `seed` stands for.
    #[must_use]
    pub fn delay(&self, failures: u32, seed: &str) -> Option<Duration> {
        let (shortest, longest) = self.bounds(failures)?;
        let digest = Sha256::new()
            .chain_update(seed)
            .chain_update(failures.to_be_bytes())
            .finalize();
        let drawn = u32::from(u16::from_be_bytes([digest[0], digest[1]]));
        Some(shortest + longest.saturating_sub(shortest) * drawn / u32::from(u16::MAX))
    }

    /// How often it repeats.
    #[must_use]
    pub fn times(&self) -> u32 {
        match self {
            Self::Times(times) => *times,
            Self::Delays(delays) => u32::try_from(delays.len()).unwrap_or(u32::MAX),
            Self::Backoff(backoff) => backoff.times,
        }
    }
}

/// What is said about requests that come to nothing, by class; what is not said is said elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// How long it is repeated altogether, counted from the first failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Time>,
    /// By class.
    #[serde(flatten)]
    pub by_class: BTreeMap<FailureClass, Repeat>,
}

/// Who says how a request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The task, by its activation rule.
    Task,
    /// The endpoint.
    Endpoint,
    /// Nobody: what is usual.
    Default,
}

impl RetryPolicy {
    /// How a failure is repeated, and who says so: the task, else the endpoint, else what is usual.
    /// What was refused is usually not repeated; all else `retries` times, by the endpoint's word, or
    /// [`DEFAULT_RETRIES`].
    #[must_use]
    pub fn choose(
        task: Option<&Self>,
        endpoint: &Self,
        class: FailureClass,
        retries: Option<u32>,
    ) -> (Repeat, Source) {
        let said = |policy: &Self| policy.by_class.get(&class).cloned();
        if let Some(repeat) = task.and_then(said) {
            return (repeat, Source::Task);
        }
        if let Some(repeat) = said(endpoint) {
            return (repeat, Source::Endpoint);
        }
        match class {
            FailureClass::Rejected => (Repeat::Times(0), Source::Default),
            _ => match retries {
                Some(retries) => (Repeat::Times(retries), Source::Endpoint),
                None => (Repeat::Times(DEFAULT_RETRIES), Source::Default),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(repeat: &Repeat, failures: u32) -> Option<(u128, u128)> {
        let (shortest, longest) = repeat.bounds(failures)?;
        Some((shortest.as_millis(), longest.as_millis()))
    }

    #[test]
    fn delays_double_up_to_the_cap_and_are_spread() {
        let repeat = Repeat::Times(100);
        assert_eq!(millis(&repeat, 0), Some((50, 100)));
        assert_eq!(millis(&repeat, 5), Some((1600, 3200)));
        assert_eq!(millis(&repeat, 99), Some((2500, 5000)));
        assert_eq!(millis(&repeat, 100), None);
        assert_eq!(millis(&Repeat::Times(0), 0), None);
        for failures in 0..8 {
            let drawn = ["a", "b", "c"].map(|seed| repeat.delay(failures, seed).unwrap());
            let (shortest, longest) = repeat.bounds(failures).unwrap();
            assert!(drawn.iter().all(|it| (shortest..=longest).contains(it)));
            assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2]);
            assert_eq!(
                repeat.delay(failures, "a"),
                Some(drawn[0]),
                "always the same"
            );
        }
    }

    #[test]
    fn a_list_is_followed_and_then_over() {
        let repeat: Repeat = serde_json::from_str(r#"["PT10S", "PT1M", "PT1H"]"#).unwrap();
        let seconds = |failures| repeat.delay(failures, "x").map(|it| it.as_secs());
        assert_eq!(
            [0, 1, 2, 3].map(seconds),
            [Some(10), Some(60), Some(3600), None]
        );
    }

    #[test]
    fn policies_are_read_and_written_as_json() {
        let text = r#"{"deadline":"PT15M","connect":["PT1S","PT10S"],"timeout":0,"busy":{"times":5,"first":"PT1S","cap":"PT30S","jitter":"none"}}"#;
        let policy: RetryPolicy = serde_json::from_str(text).unwrap();
        assert_eq!(policy.deadline, Some(Time(Duration::from_mins(15))));
        let busy = &policy.by_class[&FailureClass::Busy];
        assert_eq!(millis(busy, 5), None);
        assert_eq!(millis(busy, 4), Some((16_000, 16_000)));
        assert_eq!(serde_json::to_string(&policy).unwrap(), text);
        for wrong in [
            r#"{"conect": 3}"#,
            r#"{"busy": "often"}"#,
            r#"{"busy": ["soon"]}"#,
            r#"{"busy": {"times": 1, "factor": 3}}"#,
        ] {
            assert!(
                serde_json::from_str::<RetryPolicy>(wrong).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_task_is_asked_first_then_the_endpoint() {
        let policy = |text: &str| serde_json::from_str::<RetryPolicy>(text).unwrap();
        let (task, endpoint) = (
            policy(r#"{"busy": 1}"#),
            policy(r#"{"busy": 2, "reset": 4}"#),
        );
        let choose = |class| RetryPolicy::choose(Some(&task), &endpoint, class, Some(7));
        assert_eq!(choose(FailureClass::Busy), (Repeat::Times(1), Source::Task));
        assert_eq!(
            choose(FailureClass::Reset),
            (Repeat::Times(4), Source::Endpoint)
        );
        assert_eq!(
            choose(FailureClass::Timeout),
            (Repeat::Times(7), Source::Endpoint)
        );
        assert_eq!(
            RetryPolicy::choose(None, &endpoint, FailureClass::Timeout, None),
            (Repeat::Times(DEFAULT_RETRIES), Source::Default)
        );
        assert_eq!(
            choose(FailureClass::Rejected),
            (Repeat::Times(0), Source::Default)
        );
    }

    #[test]
    fn every_status_that_is_no_success_has_a_class() {
        let class = |status| FailureClass::of_status(status).name();
        let found = [408, 429, 503, 500, 502, 504, 400, 302, 99].map(class);
        let expected = [
            "busy",
            "busy",
            "busy",
            "serverError",
            "serverError",
            "timeout",
            "rejected",
            "rejected",
            "malformed",
        ];
        assert_eq!(found, expected);
    }
}
