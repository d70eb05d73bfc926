//! Values by what they say: one text for all spellings of a value.
//!
//! Members are sorted by key, there is no white space, strings have no needless
//! escapes, and numbers are written by their digits and exponent (`89.00`, `89`
//! and `8.9e1` are one number). Nothing is rounded.

use std::borrow::Cow;

use super::edit::quote;
use super::tape::{Document, Kind, Node};

impl<'d> Node<'d> {
    /// Its canonical text: the same for two values exactly if they mean the same.
    pub fn canonical(self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.raw().len());
        self.write_canonical(&mut text);
        text
    }

    /// The canonical text of an object, or of an empty one, with one more member.
    pub fn canonical_with(object: Option<Node<'d>>, (name, value): (&str, Node<'d>)) -> Vec<u8> {
        let members = object.map_or_else(Vec::new, Node::sorted_members);
        let (before, after) = members.split_at(members.partition_point(|it| *it.name < *name));
        let room = object.map_or(0, |it| it.raw().len()) + name.len() + value.raw().len();
        let mut text = Vec::with_capacity(room + 8);
        text.push(b'{');
        for member in before {
            member.write_canonical(&mut text);
            text.push(b',');
        }
        text.extend_from_slice(quote(name).as_bytes());
        text.push(b':');
        value.write_canonical(&mut text);
        for member in after {
            text.push(b',');
            member.write_canonical(&mut text);
        }
        text.push(b'}');
        text
    }

    /// Appends its canonical text.
    pub fn write_canonical(self, output: &mut Vec<u8>) {
        let mut canonical = Canonical {
            document: self.document,
            text: self.document.text().as_bytes(),
            members: Vec::new(),
        };
        canonical.write(self.index, output);
    }

    /// Members of an object, sorted by key; nothing for other values.
    pub fn sorted_members(self) -> Vec<Member<'d>> {
        let members = self.members().map(|(key, value)| Member {
            name: key.as_str().unwrap_or_default(),
            key,
            value,
        });
        let mut members: Vec<Member<'d>> = members.collect();
        members.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        members
    }
}

/// A member of an object.
#[derive(Debug, Clone)]
pub struct Member<'d> {
    /// What its key says.
    pub name: Cow<'d, str>,
    /// Its key.
    pub key: Node<'d>,
    /// Its value.
    pub value: Node<'d>,
}

impl Member<'_> {
    /// Appends the canonical text of key and value.
    pub fn write_canonical(&self, output: &mut Vec<u8>) {
        self.key.write_canonical(output);
        output.push(b':');
        self.value.write_canonical(output);
    }
}

/// Writes canonical texts of a document's values.
struct Canonical<'d> {
    document: &'d Document,
    text: &'d [u8],
    /// Keys of the objects that are being written, each with what it says: those of the inner ones
    /// behind those of the outer ones.
    members: Vec<Key<'d>>,
}

/// A key: where it stands on the tape, and what it says, first of all how that begins, which tells
/// most keys apart.
struct Key<'d> {
    begins: u64,
    name: Cow<'d, [u8]>,
    index: u32,
}

impl Key<'_> {
    fn order(&self) -> (u64, &[u8]) {
        (self.begins, &self.name)
    }
}

/// The first bytes of a key as a number that is in the sequence of keys.
fn beginning(name: &[u8]) -> u64 {
    if let Some(bytes) = name.first_chunk() {
        return u64::from_be_bytes(*bytes);
    }
    let mut bytes = [0; 8];
    bytes[..name.len()].copy_from_slice(name);
    u64::from_be_bytes(bytes)
}

impl<'d> Canonical<'d> {
    fn write(&mut self, index: u32, output: &mut Vec<u8>) {
        let document = self.document;
        let entry = document.entries[index as usize];
        match entry.kind() {
            Kind::Number => {
                let node = Node { document, index };
                number(node.raw(), output);
            }
            Kind::String if entry.escaped() => {
                output.extend_from_slice(quote(&self.unescaped(index)).as_bytes());
            }
            Kind::Null | Kind::True | Kind::False | Kind::String => {
                output.extend_from_slice(&self.text[entry.start as usize..entry.end as usize]);
            }
            Kind::Array => {
                output.push(b'[');
                let mut element = index + 1;
                while element < index + entry.span() {
                    if element > index + 1 {
                        output.push(b',');
                    }
                    self.write(element, output);
                    element += document.entries[element as usize].span();
                }
                output.push(b']');
            }
            Kind::Object => {
                output.push(b'{');
                let start = self.members.len();
                let mut key = index + 1;
                while key < index + entry.span() {
                    self.members.push(self.key(key));
                    key += 1 + document.entries[key as usize + 1].span();
                }
                let end = self.members.len();
                let keys = &mut self.members[start..];
                keys.sort_unstable_by(|one, other| one.order().cmp(&other.order()));
                for position in start..end {
                    if position > start {
                        output.push(b',');
                    }
                    let key = self.members[position].index;
                    self.write(key, output);
                    output.push(b':');
                    self.write(key + 1, output);
                }
                self.members.truncate(start);
                output.push(b'}');
            }
        }
    }

    fn key(&self, index: u32) -> Key<'d> {
        let entry = self.document.entries[index as usize];
        let name: Cow<'d, [u8]> = if entry.escaped() {
            self.unescaped(index).into_bytes().into()
        } else {
            self.text[entry.start as usize + 1..entry.end as usize - 1].into()
        };
        Key {
            begins: beginning(&name),
            name,
            index,
        }
    }

    fn unescaped(&self, index: u32) -> String {
        let document = self.document;
        let text = Node { document, index }.as_str();
        text.unwrap_or_default().into_owned()
    }
}

/// A number as its digits without zeros at either end, and the power of ten behind them.
fn number(raw: &str, output: &mut Vec<u8>) {
    let bytes = raw.as_bytes();
    let is_short = bytes.last() != Some(&b'0') && bytes.iter().all(|it| !b".eE".contains(it));
    let Some((digits, exponent)) = (!is_short).then(|| parts(raw)).flatten() else {
        return output.extend_from_slice(bytes);
    };
    if digits.is_empty() {
        return output.push(b'0');
    }
    if raw.starts_with('-') {
        output.push(b'-');
    }
    output.extend_from_slice(digits.as_bytes());
    if exponent != 0 {
        output.push(b'e');
        output.extend_from_slice(exponent.to_string().as_bytes());
    }
}

/// `None` where the exponent is beyond all reason.
fn parts(raw: &str) -> Option<(String, i64)> {
    let (mantissa, exponent) = match raw.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (raw, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('-');
    let digits = format!("{whole}{fraction}");
    let shortened = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - shortened.len()).ok()?;
    let fraction = i64::try_from(fraction.len()).ok()?;
    let exponent = exponent.checked_sub(fraction)?.checked_add(zeros)?;
    Some((shortened.trim_start_matches('0').to_owned(), exponent))
}

#[cfg(test)]
mod tests {
    use super::super::Document;

    fn canonical(text: &str) -> String {
        let document = Document::parse(text.to_owned(), "").expect("JSON");
        String::from_utf8(document.root().canonical()).expect("UTF-8")
    }

    #[test]
    fn the_canonical_text_is_the_same_however_a_value_is_written() {
        let written = r#" { "price" : 89.00, "speed": 2e2, "name": "caf\u00e9 \/ \"bar\"", "\u0061": { }, "list": [ 1, -0.50, [ ] ] } "#;
        let other = r#"{"a":{},"list":[1,-0.5,[]],"name":"café / \"bar\"","price":89,"speed":200}"#;
        let expected =
            r#"{"a":{},"list":[1,-5e-1,[]],"name":"café / \"bar\"","price":89,"speed":2e2}"#;
        assert_eq!(canonical(written), expected);
        assert_eq!(canonical(other), expected);
        assert_eq!(canonical(expected), expected);
    }

    #[test]
    fn members_are_in_the_sequence_of_their_keys() {
        let keys = [
            "",
            "a",
            "a\\u0000",
            "aa",
            "abcdefgh",
            "abcdefgh\\u0000",
            "abcdefghi",
            "abcdefgz",
            "z",
            "é",
        ];
        let member = |key: &&str| format!("\"{key}\":0");
        let texts: Vec<String> = keys.iter().map(member).collect();
        let backwards: Vec<&str> = texts.iter().rev().map(String::as_str).collect();
        let written = canonical(&format!("{{{}}}", backwards.join(",")));
        assert_eq!(written, format!("{{{}}}", texts.join(",")));
    }

    #[test]
    fn numbers_are_the_same_exactly_if_their_values_are() {
        for (one, other) in [
            ("100", "1e2"),
            ("100", "1.00E+2"),
            ("0", "-0.0"),
            ("0", "0e7"),
            ("-1200.50", "-1.2005e3"),
            ("0.001", "1e-3"),
            ("12345678901234567890.10", "12345678901234567890.1"),
        ] {
            assert_eq!(canonical(one), canonical(other), "{one} {other}");
        }
        for (one, other) in [
            ("9007199254740993", "9007199254740992"),
            ("0.1", "0.10000000000000001"),
            ("1", "-1"),
            ("1", "\"1\""),
            ("10", "1"),
        ] {
            assert_ne!(canonical(one), canonical(other), "{one} {other}");
        }
        // Zero as a number, and no exponent that can be reckoned with.
        assert_eq!(
            canonical("1e-99999999999999999999"),
            "1e-99999999999999999999"
        );
    }
}
