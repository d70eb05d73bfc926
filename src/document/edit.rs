//! Changes to a document as changes of its text: what is not named stays byte
//! for byte.

use super::parse::{SyntaxFault, plain_until};
use super::tape::{Document, Kind, Node};

/// A list of changes to one document, in any order.
#[derive(Debug, Default)]
pub struct Edits {
    /// Start and end in bytes, replacement, number of the edit.
    changes: Vec<(usize, usize, String)>,
    /// Starts of containers that were empty and have got their first value.
    filled: Vec<usize>,
}

impl Edits {
    /// No changes.
    pub fn new() -> Edits {
        Edits::default()
    }

    /// Sets member `key` of `object` to a JSON text. Each member at most once.
    pub fn set(&mut self, object: Node<'_>, key: &str, json: &str) {
        match object.member(key) {
            Some(value) => {
                let range = value.range();
                if value.raw() != json {
                    self.changes.push((range.start, range.end, json.to_owned()));
                }
            }
            None if object.kind() == Kind::Object => {
                self.insert(object, &format!("{}:{json}", quote(key)));
            }
            None => {}
        }
    }

    /// Appends a JSON text to the array member `key` of `object`, which is made if absent.
    pub fn append(&mut self, object: Node<'_>, key: &str, json: &str) {
        match object.member(key) {
            Some(array) if array.kind() == Kind::Array => self.insert(array, json),
            _ => self.set(object, key, &format!("[{json}]")),
        }
    }

    fn insert(&mut self, container: Node<'_>, text: &str) {
        let range = container.range();
        let first = container.is_empty() && !self.filled.contains(&range.start);
        if first {
            self.filled.push(range.start);
        }
        let comma = if first { "" } else { "," };
        self.changes
            .push((range.end - 1, range.end - 1, format!("{comma}{text}")));
    }

    /// The document with the changes made.
    ///
    /// # Errors
    /// If a JSON text given to an edit was none.
    pub fn apply(self, document: &Document) -> Result<Document, SyntaxFault> {
        Document::parse(self.text(document), &document.origin().file)
    }

    /// The text of the document with the changes made. Where the document and what was given to the
    /// edits have no white space between their tokens, it has none either.
    pub fn text(mut self, document: &Document) -> String {
        // Stable: insertions at one place stay in the order in which they were made.
        self.changes.sort_by_key(|(start, _, _)| *start);
        let text = document.text();
        let mut changed = String::with_capacity(text.len() + 256);
        let mut position = 0;
        for (start, end, replacement) in &self.changes {
            changed.push_str(&text[position..*start]);
            changed.push_str(replacement);
            position = *end;
        }
        changed.push_str(&text[position..]);
        changed
    }
}

/// A text as a JSON string.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_quoted(text, &mut quoted);
    quoted
}

/// Appends a text as a JSON string; true if it needs escapes.
pub(super) fn push_quoted(text: &str, to: &mut String) -> bool {
    let escaped = plain_until(text.as_bytes(), 0) < text.len();
    if escaped {
        to.push_str(&serde_json::Value::from(text).to_string());
    } else {
        to.push('"');
        to.push_str(text);
        to.push('"');
    }
    escaped
}
