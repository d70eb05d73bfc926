//! TOML to a document, each value with its place in the TOML file: so that
//! what is written in TOML can be checked as documents are.

use std::sync::Arc;

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use super::edit::quote;
use super::tape::{Document, Origin, WrittenPlace};
use crate::diagnostic::Location;

/// A TOML text that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct TomlError {
    /// File name.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// What is wrong.
    pub message: String,
}

impl TomlError {
    /// Where.
    #[must_use]
    pub fn location(&self) -> Location {
        Location {
            file: self.file.clone(),
            line: self.line,
            column: self.column,
            pointer: String::new(),
        }
    }
}

/// The document that a TOML text is: an object, tables inside it in the order of the text. Dates
/// and numbers that JSON does not have are texts.
///
/// # Errors
/// The first fault, with its place.
pub fn document(text: &str, file: &str) -> Result<Document, TomlError> {
    let lines = Lines::of(text);
    let failure = |offset: usize, message: String| {
        let (line, column) = lines.place(text, offset);
        let file = file.to_owned();
        TomlError {
            file,
            line: u64::from(line),
            column: u64::from(column),
            message,
        }
    };
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        failure(offset, error.message().replace('\n', ", "))
    })?;
    let mut builder = Builder {
        text,
        lines: &lines,
        json: String::with_capacity(text.len() * 2),
        places: Vec::new(),
    };
    builder.place(0, None);
    builder.table(table.get_ref());
    let Builder { json, places, .. } = builder;
    let mut document =
        Document::parse(json, file).map_err(|fault| failure(0, fault.kind.to_string()))?;
    document.origin = Origin {
        file: Arc::clone(&document.origin.file),
        line: 1,
        column: 1,
    };
    document.places = Some(places);
    Ok(document)
}

/// Where the lines of a text begin.
struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Lines {
        let after = memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1);
        Lines {
            starts: std::iter::once(0).chain(after).collect(),
        }
    }

    /// Line and column of an offset, from 1.
    fn place(&self, text: &str, offset: usize) -> (u32, u32) {
        let offset = offset.min(text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let column = text.get(start..offset).map_or(0, |it| it.chars().count());
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (number(line), number(column + 1))
    }
}

struct Builder<'t> {
    text: &'t str,
    lines: &'t Lines,
    json: String,
    places: Vec<WrittenPlace>,
}

impl Builder<'_> {
    fn place(&mut self, offset: usize, lead: Option<u32>) {
        let (line, column) = self.lines.place(self.text, offset);
        self.places.push(WrittenPlace { line, column, lead });
    }

    fn table(&mut self, table: &DeTable<'_>) {
        let mut members: Vec<_> = table.iter().collect();
        members.sort_by_key(|(key, _)| key.span().start);
        self.json.push('{');
        for (number, (key, value)) in members.into_iter().enumerate() {
            if number > 0 {
                self.json.push(',');
            }
            self.place(key.span().start, Some(0));
            self.json.push_str(&quote(key.get_ref()));
            self.json.push(':');
            self.value(value);
        }
        self.json.push('}');
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>) {
        let start = value.span().start;
        let lead = match value.get_ref() {
            DeValue::String(_) if !self.text[start..].starts_with(['"', '\'']) => None,
            DeValue::String(_) if self.is_long(start) => None,
            DeValue::String(_) => Some(1),
            _ => Some(0),
        };
        self.place(start, lead);
        match value.get_ref() {
            DeValue::String(text) => self.json.push_str(&quote(text)),
            DeValue::Integer(integer) => {
                let number = i64::from_str_radix(integer.as_str(), integer.radix());
                match number {
                    Ok(number) => self.json.push_str(&number.to_string()),
                    Err(_) => self.json.push_str(&quote(&integer.to_string())),
                }
            }
            DeValue::Float(float) => {
                let number: Option<f64> = float.as_str().parse().ok();
                match number.and_then(serde_json::Number::from_f64) {
                    Some(number) => self.json.push_str(&number.to_string()),
                    None => self.json.push_str(&quote(float.as_str())),
                }
            }
            DeValue::Boolean(boolean) => self.json.push_str(&boolean.to_string()),
            DeValue::Datetime(moment) => self.json.push_str(&quote(&moment.to_string())),
            DeValue::Array(elements) => {
                self.json.push('[');
                for (number, element) in elements.iter().enumerate() {
                    if number > 0 {
                        self.json.push(',');
                    }
                    self.value(element);
                }
                self.json.push(']');
            }
            DeValue::Table(table) => self.table(table),
        }
    }

    /// Whether a string goes over several lines.
    fn is_long(&self, start: usize) -> bool {
        let text = &self.text[start..];
        text.starts_with("\"\"\"") || text.starts_with("'''")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# ä comment
formatVersion = \"1.0\"

[endpoint.olt]
protocol = 'tmf702'
fail = [1, 0x10, { a = true }]

[endpoint.\"b n g\"]
latency.max = 1.5
since = 2026-11-23T08:30:00Z
";

    #[test]
    fn a_text_is_an_object_with_the_places_of_the_text() {
        let document = document(TEXT, "endpoints.toml").expect("TOML");
        assert_eq!(
            document.text(),
            r#"{"formatVersion":"1.0","endpoint":{"olt":{"protocol":"tmf702","fail":[1,16,{"a":true}]},"b n g":{"latency":{"max":1.5},"since":"2026-11-23T08:30:00Z"}}}"#
        );
        for (pointer, line, column) in [
            ("/formatVersion", 2, 17),
            ("/endpoint/olt", 4, 1),
            ("/endpoint/olt/protocol", 5, 12),
            ("/endpoint/olt/fail/1", 6, 12),
            ("/endpoint/olt/fail/2/a", 6, 24),
            ("/endpoint/b n g/latency/max", 9, 15),
        ] {
            let place = document.root().resolve_pointer(pointer).location();
            assert_eq!((place.line, place.column), (line, column), "{pointer}");
            assert_eq!(place.pointer, pointer);
        }
    }

    #[test]
    fn what_is_no_toml_has_a_place() {
        let error = document("a = 1\nb = \n", "x.toml").expect_err("no value");
        assert_eq!(error.location().line, 2);
        assert!(error.to_string().starts_with("x.toml:2:"), "{error}");
    }
}
