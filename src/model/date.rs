//! Dates and times as orders write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

/// How well a text reads as a date and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateReading {
    /// RFC 3339, as JSON Schema's `date-time` and TM Forum's swagger files demand.
    Exact(Timestamp),
    /// A date without time, seconds or zone: read as UTC.
    Lenient(Timestamp),
    /// No date.
    None,
}

/// The last whole second that there is everywhere: 9999-12-30T22:00:00Z.
const LAST: Timestamp = Timestamp::constant(253_402_207_200, 0);

impl DateReading {
    /// Reads a text.
    pub fn of(text: &str) -> DateReading {
        let bytes = text.as_bytes();
        let zoned = bytes.len() >= 20 && matches!(bytes[10], b'T' | b't');
        if zoned && let Ok(timestamp) = text.parse::<Timestamp>() {
            return DateReading::Exact(timestamp);
        }
        let lenient = text.parse::<Timestamp>().ok().or_else(|| {
            let civil = text.parse::<DateTime>().ok().or_else(|| {
                text.parse::<Date>()
                    .ok()
                    .map(|date| date.to_datetime(jiff::civil::Time::midnight()))
            })?;
            civil.in_tz("UTC").ok().map(|zoned| zoned.timestamp())
        });
        match lenient {
            Some(moment) => DateReading::Lenient(moment),
            // Days that there are, but not everywhere any more: for ever, as people write it.
            None if text.starts_with("9999-12-3") => {
                match DateReading::of(&format!("2999{}", &text["9999".len()..])) {
                    DateReading::Exact(_) => DateReading::Exact(LAST),
                    DateReading::Lenient(_) => DateReading::Lenient(LAST),
                    DateReading::None => DateReading::None,
                }
            }
            None => DateReading::None,
        }
    }

    /// The moment, however it is written.
    pub fn timestamp(self) -> Option<Timestamp> {
        match self {
            DateReading::Exact(timestamp) | DateReading::Lenient(timestamp) => Some(timestamp),
            DateReading::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_far_as_they_can_be() {
        let moment = |text: &str| text.parse().expect("a moment");
        for (text, expected) in [
            (
                "2026-11-23T08:30:00+11:00",
                DateReading::Exact(moment("2026-11-22T21:30:00Z")),
            ),
            (
                "2026-11-23T08:30:00",
                DateReading::Lenient(moment("2026-11-23T08:30:00Z")),
            ),
            (
                "2026-11-23",
                DateReading::Lenient(moment("2026-11-23T00:00:00Z")),
            ),
            ("2026-11-31", DateReading::None),
            ("tomorrow", DateReading::None),
            ("", DateReading::None),
            ("9999-12-31T23:59:59Z", DateReading::Exact(LAST)),
            ("9999-12-31T23:59:59-10:00", DateReading::Exact(LAST)),
            ("9999-12-31", DateReading::Lenient(LAST)),
            ("9999-12-32", DateReading::None),
            ("9999-12-31T25:00:00Z", DateReading::None),
        ] {
            assert_eq!(DateReading::of(text), expected, "{text}");
        }
    }
}
