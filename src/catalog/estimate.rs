//! How long something takes: estimates, and what is expected of them.

use jiff::SignedDuration;

use super::iso_duration;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::Node;

/// An estimate of a duration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimate {
    /// When all goes well, where that was said.
    pub optimistic: Option<SignedDuration>,
    /// Most likely; no time where nothing was said.
    pub most_likely: SignedDuration,
    /// When much goes wrong, where that was said.
    pub pessimistic: Option<SignedDuration>,
}

impl Estimate {
    /// Reads `duration` of a rule; what is wrong with it goes to `diagnostics`.
    pub(super) fn read(rule: Node<'_>, diagnostics: &mut Vec<Diagnostic>) -> Estimate {
        let Some(object) = rule.get("duration") else {
            return Estimate::default();
        };
        let mut read = |key: &str| {
            let node = object.get(key)?;
            let text = node.as_str().unwrap_or_default();
            let duration = iso_duration(&text);
            if duration.is_none() {
                let hint = "write it as in ISO 8601: PT30S, PT5M, PT4H, P2D";
                diagnostics.push(fault(node, format!("`{text}` is no duration")).with_hint(hint));
            }
            duration.map(|duration| (duration, node))
        };
        let (optimistic, likely, pessimistic) =
            (read("optimistic"), read("mostLikely"), read("pessimistic"));
        let Some((most_likely, node)) = likely else {
            return Estimate::default();
        };
        let estimate = Estimate {
            optimistic: optimistic.map(|it| it.0),
            most_likely,
            pessimistic: pessimistic.map(|it| it.0),
        };
        let (lowest, highest) = estimate.bounds();
        if lowest > most_likely || most_likely > highest {
            let message = "durations have to be optimistic ≤ mostLikely ≤ pessimistic";
            diagnostics.push(fault(node, message.to_owned()));
        }
        estimate
    }

    /// Whether it says more than what is most likely.
    pub fn is_range(&self) -> bool {
        self.optimistic.is_some() || self.pessimistic.is_some()
    }

    /// The expected duration in whole seconds: (optimistic + 4 most likely + pessimistic) / 6, as
    /// in PERT; a bound that was not given is what is most likely.
    pub fn expected(&self) -> SignedDuration {
        if !self.is_range() {
            return self.most_likely;
        }
        let (lowest, highest) = self.bounds();
        let sum = self
            .most_likely
            .checked_mul(4)
            .and_then(|sum| sum.checked_add(lowest)?.checked_add(highest));
        sum.map_or(self.most_likely, |sum| {
            SignedDuration::from_secs((sum / 6).as_secs())
        })
    }

    fn bounds(&self) -> (SignedDuration, SignedDuration) {
        (
            self.optimistic.unwrap_or(self.most_likely),
            self.pessimistic.unwrap_or(self.most_likely),
        )
    }
}

fn fault(node: Node<'_>, message: String) -> Diagnostic {
    Diagnostic::new(
        Code("rule/duration"),
        Severity::Error,
        node.location(),
        message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_weighted_as_in_pert() {
        let minutes = SignedDuration::from_mins;
        let estimate =
            |optimistic: Option<i64>, most_likely: i64, pessimistic: Option<i64>| Estimate {
                optimistic: optimistic.map(minutes),
                most_likely: minutes(most_likely),
                pessimistic: pessimistic.map(minutes),
            };
        let expected = |estimate: Estimate| estimate.expected();
        assert_eq!(expected(estimate(Some(2), 5, Some(20))), minutes(7));
        assert_eq!(expected(estimate(None, 5, Some(11))), minutes(6));
        assert_eq!(expected(estimate(None, 5, None)), minutes(5));
        let most = SignedDuration::MAX;
        let endless = Estimate {
            optimistic: Some(most),
            most_likely: most,
            pessimistic: Some(most),
        };
        assert_eq!(expected(endless), most);
    }
}
