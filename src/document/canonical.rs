//! Values by what they say: one text for all spellings of a value.
//!
//! Members are sorted by key, there is no white space, strings have no needless
//! escapes, and numbers are written by their digits and exponent (`89.00`, `89`
//! and `8.9e1` are one number). Nothing is rounded.

use std::ops::Range;

use super::edit::quote;
use super::tape::{Document, Entry, Kind, Node};

impl<'d> Node<'d> {
    /// Its canonical text: the same for two values exactly if they mean the same.
    pub fn canonical(self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.raw().len());
        Canonical::of(self.document).write(self, &mut text);
        text
    }

    /// The canonical text of an object, or of an empty one, with one more member.
    pub fn canonical_with(object: Option<Node<'d>>, (name, value): (&str, Node<'d>)) -> Vec<u8> {
        let room = object.map_or(0, |it| it.raw().len()) + name.len() + value.raw().len();
        let mut text = Vec::with_capacity(room + 8);
        let mut added = Some((name, value));
        text.push(b'{');
        if let Some(object) = object {
            let mut canonical = Canonical::of(object.document);
            for position in canonical.open(object) {
                let follows = |it: &mut (&str, _)| canonical.name(position) > it.0.as_bytes();
                if let Some(member) = added.take_if(follows) {
                    add(member, &mut text);
                }
                canonical.write_member(position, &mut text);
                text.push(b',');
            }
        }
        if let Some(member) = added {
            add(member, &mut text);
        }
        text.pop();
        text.push(b'}');
        text
    }
}

/// Appends a member of an object of another document, and a comma.
fn add((name, value): (&str, Node<'_>), text: &mut Vec<u8>) {
    text.extend_from_slice(quote(name).as_bytes());
    text.push(b':');
    Canonical::of(value.document).write(value, text);
    text.push(b',');
}

/// Writes canonical texts of a document's values.
#[derive(Debug)]
pub struct Canonical<'d> {
    document: &'d Document,
    text: &'d [u8],
    /// Keys of the objects that are being written: those of the inner ones behind those of the outer
    /// ones.
    keys: Vec<Key>,
    /// What keys with escapes say.
    unescaped: Vec<u8>,
}

/// A key: where it stands on the tape, and how what it says begins, which tells most keys apart.
#[derive(Debug, Clone, Copy)]
struct Key {
    begins: u64,
    index: u32,
    /// Where what it says stands: in the document, or among what has no escapes any more.
    start: u32,
    end: u32,
    escaped: bool,
}

/// The first bytes of a key, which stands somewhere in a text, as a number that is in the sequence of
/// keys.
fn beginning(text: &[u8], Range { start, end }: Range<usize>) -> u64 {
    const KEPT: [u64; 8] = [
        0,
        0xFF << 56,
        0xFFFF << 48,
        0xFF_FFFF << 40,
        0xFFFF_FFFF << 32,
        0xFF_FFFF_FFFF << 24,
        0xFFFF_FFFF_FFFF << 16,
        0xFF_FFFF_FFFF_FFFF << 8,
    ];
    let length = end - start;
    // A short key is read with what follows it: nearly all stand before something.
    if let Some(bytes) = text[start..].first_chunk() {
        return u64::from_be_bytes(*bytes) & KEPT.get(length).unwrap_or(&u64::MAX);
    }
    let mut bytes = [0; 8];
    bytes[..length].copy_from_slice(&text[start..end]);
    u64::from_be_bytes(bytes)
}

impl<'d> Canonical<'d> {
    /// A writer for the values of a document.
    pub fn of(document: &'d Document) -> Canonical<'d> {
        Canonical {
            document,
            text: document.text().as_bytes(),
            keys: Vec::new(),
            unescaped: Vec::new(),
        }
    }

    /// Appends the canonical text of a value.
    pub fn write(&mut self, value: Node<'d>, output: &mut Vec<u8>) {
        self.value(value.index, output);
    }

    /// The members of an object in their sequence, nothing for other values. They are open until they
    /// are [closed](Self::close), those that were opened last first.
    pub fn open(&mut self, object: Node<'d>) -> Range<usize> {
        let kind = object.kind();
        let after = object.after();
        let after = if kind == Kind::Object {
            after
        } else {
            object.index + 1
        };
        self.sorted(object.index + 1..after)
    }

    /// Closes the members that were opened last.
    pub fn close(&mut self, members: &Range<usize>) {
        self.keys.truncate(members.start);
    }

    /// What the key of an open member says.
    pub fn name(&self, position: usize) -> &[u8] {
        let key = self.keys[position];
        name(key, self.text, &self.unescaped)
    }

    /// The value of an open member.
    pub fn member(&self, position: usize) -> Node<'d> {
        Node {
            document: self.document,
            index: self.keys[position].index + 1,
        }
    }

    /// Appends the canonical text of the key of an open member, and a colon.
    pub fn write_key(&mut self, position: usize, output: &mut Vec<u8>) {
        self.value(self.keys[position].index, output);
        output.push(b':');
    }

    /// Appends the canonical text of an open member.
    pub fn write_member(&mut self, position: usize, output: &mut Vec<u8>) {
        self.write_members(position..position + 1, output);
    }

    /// Where an open member stands, if its canonical text does so.
    fn as_written(&self, position: usize) -> Option<Range<usize>> {
        let index = self.keys[position].index;
        let (key, value) = (self.entry(index), self.entry(index + 1));
        // In most documents there is a colon between the two, and nothing else.
        let is_colon = value.start == key.end + 1;
        let is_it = is_colon && !key.escaped() && self.is_canonical(value);
        is_it.then_some(key.start as usize..value.end as usize)
    }

    /// Appends the canonical texts of open members, with commas between them. Those that follow each
    /// other as they are written, with nothing but a comma between them, are one text.
    fn write_members(&mut self, members: Range<usize>, output: &mut Vec<u8>) {
        let mut run = 0..0;
        for position in members.clone() {
            let place = self.as_written(position);
            if let Some(place) = &place
                && place.start == run.end + 1
                && !run.is_empty()
            {
                run.end = place.end;
                continue;
            }
            output.extend_from_slice(&self.text[std::mem::take(&mut run)]);
            if position > members.start {
                output.push(b',');
            }
            if let Some(place) = place {
                run = place;
            } else {
                self.write_key(position, output);
                self.value(self.keys[position].index + 1, output);
            }
        }
        output.extend_from_slice(&self.text[run]);
    }

    fn entry(&self, index: u32) -> Entry {
        self.document.entries[index as usize]
    }

    fn raw(&self, entry: Entry) -> &'d [u8] {
        &self.text[entry.start as usize..entry.end as usize]
    }

    /// Whether a value is surely written as its canonical text is.
    fn is_canonical(&self, entry: Entry) -> bool {
        match entry.kind() {
            Kind::String => !entry.escaped(),
            Kind::Number => is_short(self.raw(entry)),
            Kind::Null | Kind::True | Kind::False => true,
            Kind::Array | Kind::Object => entry.span() == 1 && entry.end - entry.start == 2,
        }
    }

    fn value(&mut self, index: u32, output: &mut Vec<u8>) {
        let entry = self.entry(index);
        if self.is_canonical(entry) {
            return output.extend_from_slice(self.raw(entry));
        }
        let inside = index + 1..index + entry.span();
        match entry.kind() {
            Kind::Array => {
                output.push(b'[');
                let mut element = inside.start;
                while element < inside.end {
                    if element > inside.start {
                        output.push(b',');
                    }
                    self.value(element, output);
                    element += self.entry(element).span();
                }
                output.push(b']');
            }
            Kind::Object => {
                output.push(b'{');
                let members = self.sorted(inside);
                self.write_members(members.clone(), output);
                self.close(&members);
                output.push(b'}');
            }
            _ => {
                let (document, index) = (self.document, index);
                let node = Node { document, index };
                match node.as_str() {
                    Some(text) => output.extend_from_slice(quote(&text).as_bytes()),
                    None => number(node.raw(), output),
                }
            }
        }
    }

    /// Opens the members that stand somewhere on the tape.
    fn sorted(&mut self, inside: Range<u32>) -> Range<usize> {
        let start = self.keys.len();
        if start == 0 {
            self.unescaped.clear();
        }
        let mut index = inside.start;
        while index < inside.end {
            let key = self.key(index);
            self.keys.push(key);
            index += 1 + self.entry(index + 1).span();
        }
        let (text, unescaped) = (self.text, &self.unescaped);
        self.keys[start..].sort_unstable_by(|one, other| {
            let begins = one.begins.cmp(&other.begins);
            begins.then_with(|| name(*one, text, unescaped).cmp(name(*other, text, unescaped)))
        });
        start..self.keys.len()
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "what keys say is shorter than their document, which has less than 4 GiB"
    )]
    fn key(&mut self, index: u32) -> Key {
        let entry = self.entry(index);
        let (start, end) = if entry.escaped() {
            let document = self.document;
            let text = Node { document, index }.as_str().unwrap_or_default();
            let start = self.unescaped.len();
            self.unescaped.extend_from_slice(text.as_bytes());
            (start as u32, self.unescaped.len() as u32)
        } else {
            (entry.start + 1, entry.end - 1)
        };
        let mut key = Key {
            begins: 0,
            index,
            start,
            end,
            escaped: entry.escaped(),
        };
        let (text, place) = place(key, self.text, &self.unescaped);
        key.begins = beginning(text, place);
        key
    }
}

fn name<'k>(key: Key, text: &'k [u8], unescaped: &'k [u8]) -> &'k [u8] {
    let (text, place) = place(key, text, unescaped);
    &text[place]
}

/// Where it stands what a key says.
fn place<'k>(key: Key, text: &'k [u8], unescaped: &'k [u8]) -> (&'k [u8], Range<usize>) {
    let text = if key.escaped { unescaped } else { text };
    (text, key.start as usize..key.end as usize)
}

/// Whether a number is written by its digits, none of which can be left out.
fn is_short(raw: &[u8]) -> bool {
    raw.last() != Some(&b'0') && raw.iter().all(|it| !b".eE".contains(it))
}

/// A number as its digits without zeros at either end, and the power of ten behind them.
fn number(raw: &str, output: &mut Vec<u8>) {
    let Some((digits, exponent)) = parts(raw) else {
        return output.extend_from_slice(raw.as_bytes());
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
        let runs = r#"{"c":1,"d":2 ,"e":3,"a":"x","b":true,"f":{"i":1,"h":1,"j":[]},"g":1.0}"#;
        let expected = r#"{"a":"x","b":true,"c":1,"d":2,"e":3,"f":{"h":1,"i":1,"j":[]},"g":1}"#;
        assert_eq!(canonical(runs), expected);
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
