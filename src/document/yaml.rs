//! YAML to documents, each value with its place in the YAML file.
//!
//! The core schema of YAML 1.2 holds: `yes` and `no` are strings. Anchors and
//! aliases are refused: a catalog file has to say what it means where it stands.

use std::collections::HashSet;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::edit::quote;
use super::parse::MAXIMUM_DEPTH;
use super::tape::{Document, Origin, TextLine, WrittenPlace};
use crate::diagnostic::Location;

/// A YAML text that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct YamlError {
    /// File name.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// What is wrong.
    pub message: String,
}

impl YamlError {
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

/// An open collection: whether it is a mapping, how many nodes it has so far.
struct Open {
    mapping: bool,
    nodes: usize,
    keys: HashSet<String>,
}

struct Builder<'f> {
    file: &'f str,
    json: String,
    places: Vec<WrittenPlace>,
    lines: Vec<TextLine>,
    open: Vec<Open>,
    /// The lines of the file.
    written: Vec<&'f str>,
}

/// The documents of a YAML text.
///
/// # Errors
/// The first fault, with its place.
pub fn documents(text: &str, file: &str) -> Result<Vec<Document>, YamlError> {
    let mut documents = Vec::new();
    let mut builder = Builder {
        file,
        json: String::new(),
        places: Vec::new(),
        lines: Vec::new(),
        open: Vec::new(),
        written: text.lines().collect(),
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let marker = *error.marker();
            failure(
                file,
                marker.line() as u64,
                marker.col() as u64 + 1,
                error.info(),
            )
        })?;
        match event {
            Event::DocumentStart(..) => {
                builder.json.clear();
                builder.places.clear();
                builder.lines.clear();
            }
            Event::DocumentEnd if !builder.places.is_empty() => {
                documents.push(builder.document()?);
            }
            Event::Scalar(value, style, anchor, tag) => {
                builder.refuse(anchor != 0, tag.is_some(), span)?;
                builder.scalar(&value, style, span)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                builder.refuse(anchor != 0, tag.is_some(), span)?;
                builder.begin(false, span)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                builder.refuse(anchor != 0, tag.is_some(), span)?;
                builder.begin(true, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.end(),
            Event::Alias(_) => builder.refuse(true, false, span)?,
            _ => {}
        }
    }
    Ok(documents)
}

fn failure(file: &str, line: u64, column: u64, message: String) -> YamlError {
    YamlError {
        file: file.to_owned(),
        line,
        column,
        message,
    }
}

impl Builder<'_> {
    fn fail<T>(&self, span: Span, message: &str) -> Result<T, YamlError> {
        let (line, column) = (span.start.line() as u64, span.start.col() as u64 + 1);
        Err(failure(self.file, line, column, message.to_owned()))
    }

    fn refuse(&self, anchor: bool, tag: bool, span: Span) -> Result<(), YamlError> {
        if anchor {
            return self.fail(
                span,
                "anchors and aliases are not read; write the value out",
            );
        }
        if tag {
            return self.fail(span, "tags are not read; quote the value if it is a text");
        }
        Ok(())
    }

    /// Writes what stands before a node, and notes its place.
    fn node(&mut self, span: Span, lead: Option<u32>) {
        if let Some(open) = self.open.last_mut() {
            let value = open.mapping && open.nodes % 2 == 1;
            if value {
                self.json.push(':');
            } else if open.nodes > 0 {
                self.json.push(',');
            }
            open.nodes += 1;
        }
        let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (line, column) = (place(span.start.line()), place(span.start.col() + 1));
        self.places.push(WrittenPlace { line, column, lead });
    }

    fn is_key(&self) -> bool {
        self.open
            .last()
            .is_some_and(|open| open.mapping && open.nodes % 2 == 0)
    }

    fn begin(&mut self, mapping: bool, span: Span) -> Result<(), YamlError> {
        if self.is_key() {
            return self.fail(span, "a key has to be a text");
        }
        if self.open.len() >= MAXIMUM_DEPTH {
            return self.fail(span, "nested too deep");
        }
        self.node(span, None);
        self.json.push(if mapping { '{' } else { '[' });
        self.open.push(Open {
            mapping,
            nodes: 0,
            keys: HashSet::new(),
        });
        Ok(())
    }

    fn end(&mut self) {
        let mapping = self.open.pop().is_some_and(|open| open.mapping);
        self.json.push(if mapping { '}' } else { ']' });
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, span: Span) -> Result<(), YamlError> {
        let key = self.is_key();
        if key && style == ScalarStyle::Plain && value == "<<" {
            return self.fail(span, "merge keys are not read; write the members out");
        }
        if key
            && let Some(open) = self.open.last_mut()
            && !open.keys.insert(value.to_owned())
        {
            return self.fail(span, &format!("duplicate key {}", quote(value)));
        }
        let lead = match style {
            ScalarStyle::Plain => Some(0),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Some(1),
            _ => None,
        };
        self.node(span, lead);
        if span.end.line() > span.start.line() {
            self.over_lines(value, span);
        }
        let literal = if key || style != ScalarStyle::Plain {
            None
        } else {
            plain(value)
        };
        match literal {
            Some(literal) => self.json.push_str(literal),
            None => self.json.push_str(&quote(value)),
        }
        Ok(())
    }

    /// Notes where the lines of a text stand that is written over several: each is in the text as it
    /// is, whatever stands between them there.
    fn over_lines(&mut self, value: &str, span: Span) {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let entry = number(self.places.len() - 1);
        let last = span.end.line().min(self.written.len());
        let (mut offset, mut found) = (0, Vec::new());
        for line in span.start.line()..=last {
            let Some(written) = self.written.get(line.wrapping_sub(1)) else {
                continue;
            };
            let before = if line == span.start.line() {
                written
                    .char_indices()
                    .nth(span.start.col())
                    .map_or(written.len(), |it| it.0)
            } else {
                0
            };
            let content = written[before..].trim();
            // The quotes of a text are none of it.
            let content = content
                .trim_start_matches(['"', '\''])
                .trim_end_matches(['"', '\'']);
            if content.is_empty() {
                continue;
            }
            let (Some(start), Some(place)) = (
                value[offset..].find(content),
                written[before..].find(content),
            ) else {
                break;
            };
            offset += start;
            found.push(TextLine {
                entry,
                offset: number(offset),
                line: number(line),
                column: number(written[..before + place].chars().count() + 1),
            });
            offset += content.len();
        }
        self.lines.extend(found);
    }

    fn document(&mut self) -> Result<Document, YamlError> {
        let json = std::mem::take(&mut self.json);
        let places = std::mem::take(&mut self.places);
        let begin = places
            .first()
            .map_or((1, 1), |place| (place.line, place.column));
        // Keys were compared above; a number out of range is the fault that is left.
        let mut document = Document::parse(json, self.file).map_err(|fault| {
            let (line, column) = begin;
            failure(
                self.file,
                u64::from(line),
                u64::from(column),
                fault.kind.to_string(),
            )
        })?;
        let file = Arc::clone(&document.origin.file);
        document.origin = Origin {
            file,
            line: u64::from(begin.0),
            column: u64::from(begin.1),
        };
        document.places = Some(places);
        document.lines = std::mem::take(&mut self.lines);
        Ok(document)
    }
}

/// JSON literal of a plain scalar that is no string.
fn plain(value: &str) -> Option<&str> {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => Some("null"),
        "true" | "True" | "TRUE" => Some("true"),
        "false" | "False" | "FALSE" => Some("false"),
        _ => {
            let begins = value.starts_with(|first: char| first == '-' || first.is_ascii_digit());
            (begins && serde_json::from_str::<serde_json::Number>(value).is_ok()).then_some(value)
        }
    }
}
