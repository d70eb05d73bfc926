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
            // Its offset leads beyond the last day that there is: for ever, as people write it.
            None if text.starts_with("9999-12-3") && text.parse::<DateTime>().is_ok() => {
                DateReading::Exact(Timestamp::MAX)
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
