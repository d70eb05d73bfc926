//! Configuration files in TOML: values with their places, and every fault of a
//! file in one go. A faulty value reads as absent, so that reading goes on.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::suggestion;

/// Longest duration a file may give: a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// One fault of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// Largest file that is read, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The text of a file.
///
/// # Errors
/// Where it cannot be read, is no UTF-8, or is larger than 16 MiB.
pub fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    if file.take(LARGEST + 1).read_to_string(&mut text)? as u64 > LARGEST {
        let message = "it is larger than 16 MiB";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

/// A value with its place in the text.
pub type Value<'a, 'i> = &'a Spanned<DeValue<'i>>;

/// A table, its values with their places.
pub type Table<'i> = DeTable<'i>;

/// What a file is, for messages about its version.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Such as `endpoints format`.
    pub name: &'static str,
    /// Major version that this release reads.
    pub major: u32,
}

/// Walks the parsed text and notes every fault.
#[derive(Debug)]
pub struct Reader<'t> {
    text: &'t str,
    faults: Vec<Fault>,
}

impl<'t> Reader<'t> {
    /// A reader of this text.
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            faults: Vec::new(),
        }
    }

    /// What was found, in the order of the file.
    pub fn into_faults(mut self) -> Vec<Fault> {
        self.faults.sort();
        self.faults
    }

    /// The text as a table whose format version is read here; `None` where
    /// nothing else can be judged.
    pub fn root(&mut self, format: Format) -> Option<Spanned<Table<'t>>> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            self.fault(
                error.span().unwrap_or(0..0),
                error.message().replace('\n', ", "),
            );
        }
        (errors.is_empty() && self.format_version(root.get_ref(), format)).then_some(root)
    }

    fn format_version(&mut self, root: &Table<'_>, format: Format) -> bool {
        let Format { name, major: known } = format;
        let Some(value) = root.get("formatVersion") else {
            let message = format!("formatVersion is missing: write formatVersion = \"{known}.0\"");
            self.fault(0..0, message);
            return true;
        };
        let version = value.get_ref().as_str().and_then(|text| {
            let (major, minor) = text.split_once('.')?;
            let number = |text: &str| {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                digits.then(|| text.parse::<u32>().ok()).flatten()
            };
            Some((number(major)?, number(minor)?))
        });
        let Some((major, minor)) = version else {
            let message =
                format!("formatVersion is a string of two numbers, such as \"{known}.0\"");
            self.fault(value.span(), message);
            return true;
        };
        if major != known {
            let which = if major > known { "a newer" } else { "an older" };
            self.fault(
                value.span(),
                format!(
                    "{name} {major}.{minor} is read by {which} orderctl; orderctl {} reads {known}.x",
                    env!("CARGO_PKG_VERSION")
                ),
            );
        }
        major == known
    }

    /// A text.
    pub fn text<'a>(&mut self, table: &'a Table<'_>, key: &str, expected: &str) -> Option<&'a str> {
        let value = table.get(key)?;
        let text = value.get_ref().as_str().filter(|text| !text.is_empty());
        if text.is_none() {
            self.wrong_type(value, key, expected);
        }
        text
    }

    /// A duration, written as a text with its unit.
    pub fn duration(&mut self, table: &Table<'_>, key: &str) -> Option<Duration> {
        let value = table.get(key)?;
        let Some(written) = value.get_ref().as_str() else {
            self.wrong_type(value, key, "a duration as a string, such as \"10s\"");
            return None;
        };
        match parse_duration(written) {
            Some(duration) if duration <= LONGEST => Some(duration),
            Some(_) => {
                self.fault(
                    value.span(),
                    format!("{key} {written:?} is longer than 24h"),
                );
                None
            }
            None => {
                let message = format!(
                    "{key} {written:?} is not a duration: write \"250ms\", \"10s\" or \"1m\""
                );
                self.fault(value.span(), message);
                None
            }
        }
    }

    /// A duration that is not zero.
    pub fn time_limit(&mut self, table: &Table<'_>, key: &str) -> Option<Duration> {
        let duration = self.duration(table, key)?;
        if let Some(value) = table.get(key).filter(|_| duration.is_zero()) {
            self.fault(value.span(), format!("{key} must be longer than 0s"));
        }
        Some(duration)
    }

    /// A whole number.
    pub fn integer(
        &mut self,
        table: &Table<'_>,
        key: &str,
        allowed: RangeInclusive<i64>,
    ) -> Option<i64> {
        let value = table.get(key)?;
        let number = whole_number(value).filter(|number| allowed.contains(number));
        if number.is_none() {
            let (least, most) = (allowed.start(), allowed.end());
            self.wrong_type(
                value,
                key,
                &format!("a whole number from {least} to {most}"),
            );
        }
        number
    }

    /// Yes or no.
    pub fn boolean(&mut self, table: &Table<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let answer = value.get_ref().as_bool();
        if answer.is_none() {
            self.wrong_type(value, key, "true or false");
        }
        answer
    }

    /// Notes every key that is not known.
    pub fn unknown_keys(&mut self, table: &Table<'_>, known: &[&str]) {
        for (key, _) in table {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let message = format!("key `{name}` is not known{}", meant(name, known));
                self.fault(key.span(), message);
            }
        }
    }

    /// Notes that a value is not what it should be.
    pub fn wrong_type(&mut self, value: Value<'_, '_>, key: &str, expected: &str) {
        let shown = match value.get_ref() {
            DeValue::Integer(number) => number.to_string(),
            DeValue::String(text) if text.is_empty() => "empty".to_owned(),
            other => {
                let an = matches!(other, DeValue::Array(_));
                format!("{} {}", if an { "an" } else { "a" }, other.type_str())
            }
        };
        self.fault(
            value.span(),
            format!("{key} is {shown}, expected {expected}"),
        );
    }

    /// Notes a fault at a place of the text.
    pub fn fault(&mut self, span: Range<usize>, message: String) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        self.faults.push(Fault {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message,
        });
    }
}

/// A whole number of any of TOML's notations.
pub fn whole_number(value: Value<'_, '_>) -> Option<i64> {
    let number = value.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// A duration with its unit, such as `250ms` or `1m`; not below zero.
fn parse_duration(text: &str) -> Option<Duration> {
    Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()
}

/// A duration with its unit, of a day at most.
pub fn day_or_less(text: &str) -> Option<Duration> {
    parse_duration(text).filter(|duration| *duration <= LONGEST)
}

/// `, did you mean …?` where one of the known words is near, else the known words.
pub fn meant(word: &str, known: &[&str]) -> String {
    match suggestion::closest(word, known.iter().copied()) {
        Some(candidate) => format!(", did you mean `{candidate}`?"),
        None => format!(", expected one of: {}", known.join(", ")),
    }
}
