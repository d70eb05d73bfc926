//! How much an endpoint is asked for: so many requests in a time, and none for
//! a while where it does not answer. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::endpoint::{Breaker, Terms};

/// The requests to one endpoint, as far as the next one depends on them.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// When the next request may be sent, by the rate.
    next: Option<Timestamp>,
    /// Requests in a row that came to nothing.
    failures: u32,
    /// Until when it is left alone.
    closed_until: Option<Timestamp>,
    /// Whether the one request is under way that finds out whether it is well again.
    on_trial: bool,
}

/// Whether a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// After so long, which is reserved for it.
    Go(Duration),
    /// Not before this moment; then it has to be asked for again.
    Closed(Timestamp),
}

/// How a request ended, as far as it tells how the endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// It answered, be it by a no.
    Well,
    /// It did not, or said that it cannot.
    Ill {
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
}

impl Traffic {
    /// Asks to send a request at `now`.
    pub fn admit(&mut self, now: Timestamp, terms: &Terms) -> Admission {
        if let Some(until) = self.closed_until {
            if until > now {
                return Admission::Closed(until);
            }
            // One finds out; the others wait for what it finds.
            let pause = terms.breaker.map_or(Duration::ZERO, |it| it.pause);
            self.closed_until = now.checked_add(pause).ok().filter(|it| *it > now);
            self.on_trial = true;
        }
        let Some(rate) = terms.rate else {
            return Admission::Go(Duration::ZERO);
        };
        let at = self.next.map_or(now, |next| next.max(now));
        self.next = at.checked_add(rate.interval()).ok();
        let after = Duration::try_from(at.duration_since(now));
        Admission::Go(after.unwrap_or_default())
    }

    /// Takes note of how a request ended. Says until when the endpoint is left alone, where that
    /// is new.
    pub fn ended(&mut self, now: Timestamp, health: Health, terms: &Terms) -> Option<Timestamp> {
        match health {
            Health::Well => {
                self.failures = 0;
                self.on_trial = false;
                self.closed_until = None;
                None
            }
            Health::Ill { retry_after } => {
                self.failures = self.failures.saturating_add(1);
                let tripped = |it: &Breaker| self.failures >= it.failures || self.on_trial;
                let pause = terms.breaker.filter(tripped).map(|it| it.pause);
                let pause = pause.max(retry_after)?;
                self.on_trial = false;
                let until = now.checked_add(pause).ok()?;
                let until = Some(until).max(self.closed_until);
                self.closed_until = until;
                until
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Rate;

    const ILL: Health = Health::Ill { retry_after: None };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const GO: Admission = Admission::Go(Duration::ZERO);

    #[test]
    fn a_rate_spreads_requests_evenly() {
        let terms = Terms {
            rate: Some(Rate {
                requests: 4,
                time: Duration::from_secs(1),
            }),
            ..Terms::default()
        };
        let mut traffic = Traffic::default();
        let after = |traffic: &mut Traffic, second| match traffic.admit(at(second), &terms) {
            Admission::Go(after) => after.as_millis(),
            Admission::Closed(_) => panic!("never closed"),
        };
        let first: Vec<_> = (0..5).map(|_| after(&mut traffic, 10)).collect();
        assert_eq!(first, [0, 250, 500, 750, 1000]);
        assert_eq!(after(&mut traffic, 11), 250);
        assert_eq!(after(&mut traffic, 20), 0, "what was not used is gone");
    }

    #[test]
    fn an_endpoint_that_fails_in_a_row_is_left_alone_then_tried_by_one() {
        let terms = Terms {
            breaker: Some(Breaker {
                failures: 2,
                pause: Duration::from_secs(30),
            }),
            ..Terms::default()
        };
        let mut traffic = Traffic::default();
        assert_eq!(traffic.ended(at(1), ILL, &terms), None);
        assert_eq!(traffic.ended(at(2), Health::Well, &terms), None);
        assert_eq!(traffic.ended(at(3), ILL, &terms), None, "not in a row");
        assert_eq!(traffic.admit(at(3), &terms), GO);
        assert_eq!(traffic.ended(at(4), ILL, &terms), Some(at(34)));
        assert_eq!(traffic.admit(at(5), &terms), Admission::Closed(at(34)));
        assert_eq!(traffic.admit(at(34), &terms), GO, "the one that finds out");
        assert_eq!(traffic.admit(at(34), &terms), Admission::Closed(at(64)));
        assert_eq!(traffic.ended(at(35), ILL, &terms), Some(at(65)));
        assert_eq!(traffic.admit(at(66), &terms), GO);
        assert_eq!(traffic.ended(at(67), Health::Well, &terms), None);
        assert_eq!(traffic.admit(at(67), &terms), GO);
        assert_eq!(traffic.ended(at(68), ILL, &terms), None, "counted anew");
    }

    #[test]
    fn an_endpoint_that_asks_to_be_left_alone_is() {
        let terms = Terms::default();
        let mut traffic = Traffic::default();
        let retry_after = Some(Duration::from_secs(5));
        let ill = Health::Ill { retry_after };
        assert_eq!(traffic.ended(at(1), ill, &terms), Some(at(6)));
        assert_eq!(traffic.admit(at(2), &terms), Admission::Closed(at(6)));
        assert_eq!(traffic.admit(at(6), &terms), GO);
        assert_eq!(traffic.admit(at(6), &terms), GO, "no breaker: all of them");
        assert_eq!(traffic.ended(at(7), ILL, &terms), None);
    }
}
