//! Chance that is the same every time: draws depend on the seed and on what is
//! drawn for, never on what was drawn before.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::configuration::day_or_less;

/// An exponential delay is at most so many times its mean: beyond lies less
/// than one of 480 million.
const LONGEST: f64 = 20.0;

/// A number from 0 to below 1 for these parts.
pub(super) fn draw(seed: u64, parts: &[&[u8]]) -> f64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let bytes = digest[..4].try_into().expect("a digest has 32 bytes");
    f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

/// How long something takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// Always as long: `20ms`.
    Fixed(Duration),
    /// Anything between the two: `10ms..50ms`.
    Uniform(Duration, Duration),
    /// Mostly short and sometimes long, with this mean: `~20ms`.
    Exponential(Duration),
}

impl Delay {
    /// No time at all.
    pub const NONE: Self = Self::Fixed(Duration::ZERO);

    /// The delay that belongs to a draw, which is made if it matters.
    pub(super) fn at(self, draw: impl FnOnce() -> f64) -> Duration {
        match self {
            Self::Fixed(duration) => duration,
            Self::Uniform(least, most) => least + most.saturating_sub(least).mul_f64(draw()),
            Self::Exponential(mean) => mean.mul_f64((-(1.0 - draw()).ln()).min(LONGEST)),
        }
    }
}

impl Default for Delay {
    fn default() -> Self {
        Self::NONE
    }
}

impl From<Duration> for Delay {
    fn from(duration: Duration) -> Self {
        Self::Fixed(duration)
    }
}

impl FromStr for Delay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "not a time of a day at most: write 20ms, 10ms..50ms (anything between) or ~20ms (exponential, with this mean)";
        let duration = |text: &str| day_or_less(text).ok_or(wrong);
        if let Some(mean) = text.strip_prefix('~') {
            return duration(mean).map(Self::Exponential);
        }
        match text.split_once("..") {
            Some((least, most)) => {
                let (least, most) = (duration(least)?, duration(most)?);
                if least > most {
                    return Err("not a time: the first is longer than the second");
                }
                Ok(Self::Uniform(least, most))
            }
            None => duration(text).map(Self::Fixed),
        }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(duration) => write!(f, "{duration:?}"),
            Self::Uniform(least, most) => write!(f, "{least:?}..{most:?}"),
            Self::Exponential(mean) => write!(f, "~{mean:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(seed: u64) -> Vec<f64> {
        (0..10_000_u32)
            .map(|n| draw(seed, &[b"test", &n.to_be_bytes()]))
            .collect()
    }

    fn mean(delay: Delay) -> f64 {
        let all = draws(1);
        let sum: f64 = all.iter().map(|&it| delay.at(|| it).as_secs_f64()).sum();
        sum / 10_000.0
    }

    #[test]
    fn draws_are_even_and_depend_on_seed_and_parts_alone() {
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        let low = draws(7).iter().filter(|it| **it < 0.1).count();
        assert!((900..1100).contains(&low), "{low}");
        assert!(draws(7).iter().all(|it| (0.0..1.0).contains(it)));
        // What ends one part does not begin the next.
        assert_ne!(
            draw(1, &[b"ab", b"c"]).to_bits(),
            draw(1, &[b"a", b"bc"]).to_bits()
        );
    }

    #[test]
    fn delays_are_distributed_as_they_say() {
        let ms = Duration::from_millis;
        assert_eq!(Delay::Fixed(ms(20)).at(|| 0.7), ms(20));
        assert_eq!(Delay::Uniform(ms(10), ms(50)).at(|| 0.0), ms(10));
        assert_eq!(Delay::Uniform(ms(10), ms(50)).at(|| 0.5), ms(30));
        assert!((0.0295..0.0305).contains(&mean(Delay::Uniform(ms(10), ms(50)))));
        assert!((0.019..0.021).contains(&mean(Delay::Exponential(ms(20)))));
        assert_eq!(Delay::Exponential(ms(20)).at(|| 0.0), Duration::ZERO);
        assert!(Delay::Exponential(ms(20)).at(|| 1.0) <= ms(400));
    }

    #[test]
    fn delays_are_written_as_they_are_read() {
        for text in ["20ms", "10ms..50ms", "~1.5s", "0ns"] {
            assert_eq!(text.parse::<Delay>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "20",
            "~",
            "~20",
            "5ms..2ms",
            "1ms..",
            "-1s",
            "soon",
            "25h",
            "~9999999999999h",
        ] {
            assert!(text.parse::<Delay>().is_err(), "{text}");
        }
    }
}
