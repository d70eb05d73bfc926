//! Text to tape: one JSON value (RFC 8259) becomes a flat list of entries.
//!
//! Written for streams of small documents: one pass, no recursion, nothing
//! copied; strings and numbers stay where they are in the text. Beyond the
//! grammar it refuses what no reader could keep: duplicate keys, numbers
//! outside the range of a 64-bit float, halves of surrogate pairs.

use std::borrow::Cow;
use std::collections::HashMap;

use wide::u8x16;

use super::tape::{Entry, Kind, MAXIMUM_SPAN, mark};

/// Deepest nesting that is read. TM Forum orders stay below 30.
pub const MAXIMUM_DEPTH: usize = 256;

/// A syntax fault at a byte offset of the parsed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxFault {
    /// Byte offset, at most the length of the text.
    pub offset: usize,
    /// What is wrong there.
    pub kind: SyntaxFaultKind,
}

/// The ways in which a text is not JSON that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxFaultKind {
    /// The text ends inside a value.
    #[error("the input ends inside {inside}")]
    Torn {
        /// `an object`, `an array`, `a string`, `a literal`.
        inside: &'static str,
    },
    /// Something else was expected.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What would have been right.
        expected: &'static str,
        /// What stands there, as a person would name it.
        found: String,
    },
    /// A raw control character in a string.
    #[error("control character U+{0:04X} in a string; it has to be written as an escape")]
    ControlCharacter(u8),
    /// `\` followed by something that is no escape.
    #[error("`\\` is not followed by a valid escape")]
    Escape,
    /// `\uD800` without its second half, or a second half alone.
    #[error("half of a surrogate pair is not text")]
    LoneSurrogate,
    /// Not a JSON number.
    #[error("a number has to be written as in JSON (digits, one point, one exponent)")]
    Number,
    /// A number that no 64-bit float can hold.
    #[error("number {0} is out of range")]
    NumberRange(String),
    /// The same key twice in one object.
    #[error("duplicate key \"{key}\"")]
    DuplicateKey {
        /// The key, unescaped.
        key: String,
        /// Byte offset of the first occurrence.
        first: usize,
    },
    /// More values than a tape has room for.
    #[error("more than {MAXIMUM_SPAN} values in one object or array")]
    TooMany,
    /// More than [`MAXIMUM_DEPTH`] levels.
    #[error("nested deeper than {MAXIMUM_DEPTH} levels")]
    TooDeep,
}

/// First byte at or after `position` that is a quote, a backslash or a control character, sixteen
/// bytes at a time; the length if there is none.
#[inline]
pub(super) fn plain_until(bytes: &[u8], mut position: usize) -> usize {
    while let Some(sixteen) = bytes[position..].first_chunk() {
        let sixteen = u8x16::new(*sixteen);
        let quotes = sixteen.simd_eq(u8x16::splat(b'"'));
        let backslashes = sixteen.simd_eq(u8x16::splat(b'\\'));
        let controls = sixteen.min(u8x16::splat(0x1F)).simd_eq(sixteen);
        let hits = (quotes | backslashes | controls).to_bitmask();
        if hits != 0 {
            return position + hits.trailing_zeros() as usize;
        }
        position += 16;
    }
    let stops = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    bytes[position..]
        .iter()
        .position(stops)
        .map_or(bytes.len(), |more| position + more)
}

/// Parses the value that begins at byte `start` of `text` (after white space)
/// and appends its entries, with offsets relative to `start`'s value.
///
/// Returns where the value stands and whether white space stands inside it.
///
/// # Errors
/// The first fault, in bytes from the beginning of `text`.
pub fn parse_value(
    text: &str,
    start: usize,
    entries: &mut Vec<Entry>,
) -> Result<Parsed, SyntaxFault> {
    let mut parser = Parser::new(text, start, entries, Vec::new());
    parser.skip_white_space();
    parser.base = parser.position;
    parser.spaced = false;
    parser.document()?;
    Ok(Parsed {
        start: parser.base,
        end: parser.position,
        spaced: parser.spaced,
    })
}

/// Where a value stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// Offset of its first byte.
    pub start: usize,
    /// Offset after its last byte.
    pub end: usize,
    /// Whether white space stands between its tokens.
    pub spaced: bool,
}

/// A document that is parsed in pieces. Each but the last ends after a comma between two elements of
/// a list of the outermost object.
#[derive(Debug, Default)]
pub struct InPieces {
    entries: Vec<Entry>,
    open: Vec<u32>,
    /// Bytes of all pieces so far.
    length: usize,
    spaced: bool,
    /// Whether the document is complete.
    complete: bool,
}

impl InPieces {
    /// Parses on.
    ///
    /// # Errors
    /// What comes is not what was expected: whoever has the whole text can say what is wrong.
    pub fn add(&mut self, piece: &str) -> Result<(), Unreadable> {
        self.make_room(piece.len() / BYTES_PER_ENTRY)?;
        let open = std::mem::take(&mut self.open);
        let mut parser = Parser::new(piece, 0, &mut self.entries, open);
        // Places are told from the document's start.
        parser.base = 0_usize.wrapping_sub(self.length);
        parser.pause = piece.len();
        parser.is_piece = true;
        parser.spaced = self.spaced;
        self.complete = parser.document().map_err(|_| Unreadable)?;
        (self.open, self.spaced) = (parser.open, parser.spaced);
        self.length += piece.len();
        Ok(())
    }

    /// Adds a piece that was parsed [apart](Apart::parse), which begins where this ends.
    ///
    /// # Errors
    /// It is not what was expected.
    pub fn join(&mut self, piece: &Apart) -> Result<(), Unreadable> {
        let &[root, list] = &self.open[..] else {
            return Err(Unreadable);
        };
        self.make_room(piece.entries.len())?;
        let before = self.entries.len();
        let inside = piece.entries.get(2..).ok_or(Unreadable)?;
        self.entries.extend_from_slice(inside);
        // Where an entry of the piece stands now.
        let moved = |index: usize| match index {
            0 => root as usize,
            1 => list as usize,
            _ => before + index - 2,
        };
        for (index, around) in piece.entries[..2].iter().enumerate() {
            if !piece.open.iter().any(|it| *it as usize == index) {
                let place = moved(index);
                let span = moved(index + around.span() as usize) - place;
                if span > MAXIMUM_SPAN {
                    return Err(Unreadable);
                }
                self.entries[place].close(around.end, span);
            }
        }
        self.open.clear();
        for index in &piece.open {
            let place = u32::try_from(moved(*index as usize)).map_err(|_| Unreadable)?;
            self.open.push(place);
        }
        self.complete = piece.complete;
        self.spaced |= piece.spaced;
        self.length += piece.length;
        Ok(())
    }

    /// How many bytes it has so far.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Room for so many entries.
    fn make_room(&mut self, room: usize) -> Result<(), Unreadable> {
        if self.entries.capacity() - self.entries.len() >= room {
            return Ok(());
        }
        // To be moved seldom: what it does not need of the room is never touched.
        let more = if self.entries.capacity() == 0 {
            room.max(MANY_ENTRIES)
        } else {
            MOST_ENTRIES
        };
        (self.entries.try_reserve_exact(more))
            .or_else(|_| self.entries.try_reserve(room))
            .map_err(|_| Unreadable)
    }

    /// The entries of a document that is complete and stands at `start` of a text.
    ///
    /// # Errors
    /// It is not complete, or not what stands there.
    pub fn finish(mut self, text: &str, start: usize) -> Result<(Vec<Entry>, Parsed), Unreadable> {
        if !self.complete {
            return Err(Unreadable);
        }
        let parsed = Parsed {
            start,
            end: start + self.length,
            spaced: self.spaced,
        };
        // The first keys of the outermost object stood in another piece than the last ones.
        let mut parser = Parser::new(text, start, &mut self.entries, Vec::new());
        parser.base = start;
        parser.check_keys(0).map_err(|_| Unreadable)?;
        Ok((self.entries, parsed))
    }
}

/// A piece of a document that is parsed apart from those before it. It is not the first one, so that it
/// begins in a list of the outermost object: these two are its first entries, and are open.
#[derive(Debug, Default)]
pub struct Apart {
    entries: Vec<Entry>,
    open: Vec<u32>,
    length: usize,
    spaced: bool,
    complete: bool,
}

impl Apart {
    /// Parses a piece that begins so many bytes behind the document's start, in the room of another one.
    ///
    /// # Errors
    /// What comes is not what was expected.
    pub fn parse(&mut self, piece: &str, start: usize) -> Result<(), Unreadable> {
        self.entries.clear();
        self.open.clear();
        for kind in [Kind::Object, Kind::Array] {
            self.open.push(u32::from(kind == Kind::Array));
            self.entries.push(Entry::new(kind, 0, 0, false));
        }
        let open = std::mem::take(&mut self.open);
        let mut parser = Parser::new(piece, 0, &mut self.entries, open);
        parser.base = 0_usize.wrapping_sub(start);
        parser.pause = piece.len();
        parser.is_piece = true;
        self.complete = parser.document().map_err(|_| Unreadable)?;
        (self.open, self.spaced) = (parser.open, parser.spaced);
        self.length = piece.len();
        Ok(())
    }
}

/// A key or value takes at least some bytes of what large orders are written in.
const BYTES_PER_ENTRY: usize = 8;

/// Room that a large document is given at first. One that has more entries is given room for all that
/// one of 1 GiB may have.
const MANY_ENTRIES: usize = 1 << 22;
const MOST_ENTRIES: usize = (1 << 30) / BYTES_PER_ENTRY;

/// Objects of so many members are narrow: each key is compared with each.
const NARROW: usize = 24;

/// A document that cannot be parsed in pieces.
#[derive(Debug)]
pub struct Unreadable;

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    position: usize,
    /// Where the document starts; of a piece, so that it comes out as a distance from there.
    base: usize,
    /// Where a piece of the document ends.
    pause: usize,
    is_piece: bool,
    entries: &'t mut Vec<Entry>,
    /// Indices of the containers that are open.
    open: Vec<u32>,
    /// Whether white space was met.
    spaced: bool,
}

fn fault<T>(offset: usize, kind: SyntaxFaultKind) -> Result<T, SyntaxFault> {
    Err(SyntaxFault { offset, kind })
}

impl<'t> Parser<'t> {
    fn new(
        text: &'t str,
        position: usize,
        entries: &'t mut Vec<Entry>,
        open: Vec<u32>,
    ) -> Parser<'t> {
        Parser {
            text,
            bytes: text.as_bytes(),
            position,
            base: position,
            pause: usize::MAX,
            is_piece: false,
            entries,
            open,
            spaced: false,
        }
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.position) {
            self.position += 1;
            self.spaced = true;
        }
    }

    fn peek(&mut self) -> Option<u8> {
        self.skip_white_space();
        self.bytes.get(self.position).copied()
    }

    fn unexpected<T>(&self, expected: &'static str) -> Result<T, SyntaxFault> {
        let Some(character) = self.text[self.position..].chars().next() else {
            let inside = match self.open.last() {
                Some(&index) if self.entries[index as usize].kind() == Kind::Array => "an array",
                Some(_) => "an object",
                None => "a document",
            };
            return fault(self.position, SyntaxFaultKind::Torn { inside });
        };
        let found = if character.is_control() {
            format!("U+{:04X}", u32::from(character))
        } else {
            format!("`{character}`")
        };
        fault(
            self.position,
            SyntaxFaultKind::Unexpected { expected, found },
        )
    }

    /// Offset within the document. The stream refuses documents of 4 GiB.
    #[allow(clippy::cast_possible_truncation)]
    fn relative(&self, position: usize) -> u32 {
        position.wrapping_sub(self.base) as u32
    }

    /// Where something stands in the text that is parsed.
    fn place(&self, offset: u32) -> usize {
        self.base.wrapping_add(offset as usize)
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize, escaped: bool) {
        let (start, end) = (self.relative(start), self.relative(end));
        self.entries.push(Entry::new(kind, start, end, escaped));
    }

    /// The state machine: a value, then whatever closes or follows it; true at the document's end,
    /// false at that of a piece.
    fn document(&mut self) -> Result<bool, SyntaxFault> {
        loop {
            // Here a value is expected.
            let opened = self.value()?;
            if opened {
                if !self.first_member_or_close()? {
                    continue;
                }
            } else if self.open.is_empty() {
                return Ok(true);
            }
            // Here a value has just ended: close containers until one goes on.
            loop {
                let Some(&container) = self.open.last() else {
                    return Ok(true);
                };
                let object = self.entries[container as usize].kind() == Kind::Object;
                match self.peek() {
                    Some(b',') => {
                        self.position += 1;
                        if object {
                            self.key()?;
                        } else if self.position == self.pause {
                            return Ok(false);
                        }
                        break;
                    }
                    Some(b'}') if object => self.close()?,
                    Some(b']') if !object => self.close()?,
                    _ => {
                        return self.unexpected(if object { "`,` or `}`" } else { "`,` or `]`" });
                    }
                }
            }
        }
    }

    /// After an opening bracket: true if the container closed again at once.
    fn first_member_or_close(&mut self) -> Result<bool, SyntaxFault> {
        let container = *self.open.last().expect("a container was just opened") as usize;
        let object = self.entries[container].kind() == Kind::Object;
        match self.peek() {
            Some(b'}') if object => {
                self.close()?;
                Ok(true)
            }
            Some(b']') if !object => {
                self.close()?;
                Ok(true)
            }
            _ => {
                if object {
                    self.key()?;
                }
                Ok(false)
            }
        }
    }

    fn close(&mut self) -> Result<(), SyntaxFault> {
        self.position += 1;
        let container = self.open.pop().expect("close is called inside a container") as usize;
        let span = self.entries.len() - container;
        if span > MAXIMUM_SPAN {
            return fault(self.position, SyntaxFaultKind::TooMany);
        }
        let end = self.relative(self.position);
        let entry = &mut self.entries[container];
        entry.close(end, span);
        if entry.kind() == Kind::Object && !(self.is_piece && self.open.is_empty()) {
            self.check_keys(container)?;
        }
        Ok(())
    }

    /// Looks at the keys of an object that has ended, and notes how many there are.
    fn check_keys(&mut self, object: usize) -> Result<(), SyntaxFault> {
        let members = self.refuse_duplicate_keys(object)?;
        if members > 0 {
            self.entries[object + 1].count(members);
        }
        Ok(())
    }

    /// A scalar, or the opening of a container (true).
    #[allow(clippy::cast_possible_truncation)]
    fn value(&mut self) -> Result<bool, SyntaxFault> {
        match self.peek() {
            Some(b'"') => {
                let start = self.position;
                let escaped = self.string()?;
                self.push(Kind::String, start, self.position, escaped);
            }
            Some(byte @ (b'{' | b'[')) => {
                if self.open.len() >= MAXIMUM_DEPTH {
                    return fault(self.position, SyntaxFaultKind::TooDeep);
                }
                let kind = if byte == b'{' {
                    Kind::Object
                } else {
                    Kind::Array
                };
                self.open.push(self.entries.len() as u32);
                self.push(kind, self.position, self.position, false);
                self.position += 1;
                return Ok(true);
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.literal("true", Kind::True)?,
            Some(b'f') => self.literal("false", Kind::False)?,
            Some(b'n') => self.literal("null", Kind::Null)?,
            _ => return self.unexpected("a value"),
        }
        Ok(false)
    }

    fn literal(&mut self, word: &'static str, kind: Kind) -> Result<(), SyntaxFault> {
        let start = self.position;
        let rest = &self.bytes[start..];
        if rest.starts_with(word.as_bytes()) {
            self.position += word.len();
            self.push(kind, start, self.position, false);
            return Ok(());
        }
        if word.as_bytes().starts_with(rest) {
            return fault(
                self.bytes.len(),
                SyntaxFaultKind::Torn {
                    inside: "a literal",
                },
            );
        }
        self.unexpected("a value")
    }

    fn key(&mut self) -> Result<(), SyntaxFault> {
        if self.peek() != Some(b'"') {
            return self.unexpected("a key in quotes");
        }
        let start = self.position;
        let escaped = self.string()?;
        let name = start + 1..self.position - 1;
        let mark = if escaped {
            mark(unescape(&self.text[name]).as_bytes())
        } else {
            mark(&self.bytes[name])
        };
        let (start, end) = (self.relative(start), self.relative(self.position));
        self.entries.push(Entry::key(start, end, escaped, mark));
        if self.peek() != Some(b':') {
            return self.unexpected("`:`");
        }
        self.position += 1;
        Ok(())
    }

    /// Moves past a string; true if it holds escapes.
    fn string(&mut self) -> Result<bool, SyntaxFault> {
        let mut escaped = false;
        let mut position = self.position + 1;
        loop {
            position = plain_until(self.bytes, position);
            match self.bytes.get(position) {
                Some(b'"') => {
                    self.position = position + 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    position = self.escape(position)?;
                }
                Some(&control) => {
                    return fault(position, SyntaxFaultKind::ControlCharacter(control));
                }
                None => {
                    return fault(position, SyntaxFaultKind::Torn { inside: "a string" });
                }
            }
        }
    }

    /// Moves past the escape at `position`.
    fn escape(&self, position: usize) -> Result<usize, SyntaxFault> {
        match self.bytes.get(position + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(position + 2),
            Some(b'u') => {
                let unit = self.code_unit(position)?;
                match unit {
                    0xD800..=0xDBFF => {
                        if self.bytes.get(position + 6) != Some(&b'\\')
                            || self.bytes.get(position + 7) != Some(&b'u')
                        {
                            return fault(position, SyntaxFaultKind::LoneSurrogate);
                        }
                        match self.code_unit(position + 6)? {
                            0xDC00..=0xDFFF => Ok(position + 12),
                            _ => fault(position, SyntaxFaultKind::LoneSurrogate),
                        }
                    }
                    0xDC00..=0xDFFF => fault(position, SyntaxFaultKind::LoneSurrogate),
                    _ => Ok(position + 6),
                }
            }
            Some(_) => fault(position, SyntaxFaultKind::Escape),
            None => fault(
                self.bytes.len(),
                SyntaxFaultKind::Torn { inside: "a string" },
            ),
        }
    }

    fn code_unit(&self, position: usize) -> Result<u32, SyntaxFault> {
        let Some(digits) = self.bytes.get(position + 2..position + 6) else {
            return fault(
                self.bytes.len(),
                SyntaxFaultKind::Torn { inside: "a string" },
            );
        };
        let mut unit = 0;
        for &digit in digits {
            let Some(value) = char::from(digit).to_digit(16) else {
                return fault(position, SyntaxFaultKind::Escape);
            };
            unit = unit * 16 + value;
        }
        Ok(unit)
    }

    fn digits(&mut self) -> Result<(), SyntaxFault> {
        let start = self.position;
        while let Some(b'0'..=b'9') = self.bytes.get(self.position) {
            self.position += 1;
        }
        if self.position == start {
            return fault(start, SyntaxFaultKind::Number);
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), SyntaxFault> {
        let start = self.position;
        if self.bytes.get(self.position) == Some(&b'-') {
            self.position += 1;
        }
        if self.bytes.get(self.position) == Some(&b'0') {
            self.position += 1;
            if let Some(b'0'..=b'9') = self.bytes.get(self.position) {
                return fault(start, SyntaxFaultKind::Number);
            }
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.position) == Some(&b'.') {
            self.position += 1;
            self.digits()?;
        }
        let mut large = self.position - start > 300;
        if let Some(b'e' | b'E') = self.bytes.get(self.position) {
            large = true;
            self.position += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.position) {
                self.position += 1;
            }
            self.digits()?;
        }
        if large {
            let literal = &self.text[start..self.position];
            if !literal.parse::<f64>().is_ok_and(f64::is_finite) {
                let shown: String = literal.chars().take(40).collect();
                return fault(start, SyntaxFaultKind::NumberRange(shown));
            }
        }
        self.push(Kind::Number, start, self.position, false);
        Ok(())
    }

    fn key_text(&self, entry: Entry) -> Cow<'_, str> {
        let raw = &self.text[self.place(entry.start) + 1..self.place(entry.end) - 1];
        if entry.escaped() {
            Cow::Owned(unescape(raw))
        } else {
            Cow::Borrowed(raw)
        }
    }

    /// A small filter over the marks of keys, and then these themselves, keep most objects from any
    /// comparison; wide objects use a table. Gives the number of members.
    fn refuse_duplicate_keys(&self, container: usize) -> Result<usize, SyntaxFault> {
        let mut filter = [0_u64; 4];
        let mut members = 0;
        let mut suspicious = false;
        for key in self.keys(container) {
            let mark = key.mark();
            let (word, bit) = (mark >> 6 & 3, 1_u64 << (mark & 63));
            suspicious |= filter[word as usize] & bit != 0;
            filter[word as usize] |= bit;
            members += 1;
        }
        if suspicious && self.has_mark_twice(container, members) {
            self.compare_keys(container, members)?;
        }
        Ok(members)
    }

    /// Whether two keys of an object have the same mark; of a wide one it is not known.
    fn has_mark_twice(&self, container: usize, members: usize) -> bool {
        let mut marks = [0; NARROW];
        let Some(marks) = marks.get_mut(..members) else {
            return true;
        };
        for (place, key) in marks.iter_mut().zip(self.keys(container)) {
            *place = key.mark();
        }
        (1..members).any(|position| marks[..position].contains(&marks[position]))
    }

    /// The keys of an object that has ended.
    fn keys(&self, object: usize) -> impl Iterator<Item = Entry> {
        let entries = &self.entries[object..];
        let mut index = 1;
        std::iter::from_fn(move || {
            let key = *entries.get(index)?;
            index += 1 + entries.get(index + 1)?.span() as usize;
            Some(key)
        })
    }

    fn compare_keys(&self, container: usize, members: usize) -> Result<(), SyntaxFault> {
        let mut seen: Vec<(Cow<'_, str>, Entry)> = Vec::new();
        let mut table: HashMap<Cow<'_, str>, Entry> = HashMap::new();
        let wide = members > NARROW;
        for entry in self.keys(container) {
            let key = self.key_text(entry);
            let first = if wide {
                table.insert(key.clone(), entry)
            } else {
                let first = seen
                    .iter()
                    .find(|(other, _)| *other == key)
                    .map(|(_, entry)| *entry);
                seen.push((key.clone(), entry));
                first
            };
            if let Some(first) = first {
                return fault(
                    self.place(entry.start),
                    SyntaxFaultKind::DuplicateKey {
                        key: key.into_owned(),
                        first: self.place(first.start),
                    },
                );
            }
        }
        Ok(())
    }
}

/// Text of a string literal's inside whose escapes were checked by the parser.
pub fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(position) = rest.find('\\') {
        text.push_str(&rest[..position]);
        let escape = rest.as_bytes().get(position + 1).copied();
        rest = &rest[(position + 2).min(rest.len())..];
        match escape {
            Some(b'b') => text.push('\u{8}'),
            Some(b'f') => text.push('\u{c}'),
            Some(b'n') => text.push('\n'),
            Some(b'r') => text.push('\r'),
            Some(b't') => text.push('\t'),
            Some(b'u') => {
                let high = hex(rest);
                rest = rest.get(4..).unwrap_or("");
                let mut code = high;
                if (0xD800..0xDC00).contains(&high) {
                    let low = hex(rest.get(2..).unwrap_or(""));
                    rest = rest.get(6..).unwrap_or("");
                    code = 0x1_0000 + ((high - 0xD800) << 10) + low.wrapping_sub(0xDC00);
                }
                text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => text.push(char::from(other)),
            None => {}
        }
    }
    text.push_str(rest);
    text
}

fn hex(text: &str) -> u32 {
    text.get(..4)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .unwrap_or(0xFFFD)
}

#[cfg(test)]
mod tests {
    use super::super::tape::mark;
    use super::super::{Document, Node};
    use super::{Apart, InPieces, SyntaxFaultKind, plain_until};

    /// Places at which a document can be taken apart: behind commas between objects of outer lists.
    fn cuts(text: &str) -> Vec<usize> {
        let (mut depth, mut cuts) = (0, vec![0]);
        for (position, byte) in text.bytes().enumerate() {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b',' if depth == 2 && text[position + 1..].starts_with('{') => {
                    cuts.push(position + 1);
                }
                _ => {}
            }
        }
        cuts.push(text.len());
        cuts
    }

    #[test]
    fn pieces_that_are_parsed_apart_make_the_same_tape() {
        let list = r#"[{"a":[1,{}],"é\n":{"x":null}},{},{"b":"c"}]"#;
        for text in [
            format!("{{\"id\":\"1\",\"item\":{list}}}"),
            format!("{{\"one\":{list},\"two\":{list},\"three\":3,\"four\":{list},\"five\":{{}}}}"),
            format!("{{ \"one\" : {list} , \"two\":{list}, \"one more\": [ ] }}"),
        ] {
            let expected = Document::parse(text.clone(), "").expect("JSON");
            let cuts = cuts(&text);
            let pieces: Vec<&str> = cuts.windows(2).map(|it| &text[it[0]..it[1]]).collect();
            for apart in 0..1_u32 << (pieces.len() - 1) {
                let (mut document, mut room) = (InPieces::default(), Apart::default());
                for (number, piece) in pieces.iter().enumerate() {
                    if number > 0 && apart >> (number - 1) & 1 == 1 {
                        room.parse(piece, document.length()).expect("a piece");
                        document.join(&room).expect("the next piece");
                    } else {
                        document.add(piece).expect("a piece");
                    }
                }
                let (entries, parsed) = document.finish(&text, 0).expect("a document");
                assert!(entries == expected.entries, "{apart:b} {text}");
                assert_eq!(parsed.spaced, expected.spaced);
            }
        }
    }

    #[test]
    fn keys_with_one_mark_are_told_apart() {
        let keys = [
            "aaaaaaaa1aaaaaaaa",
            "aaaaaaaa2aaaaaaaa",
            "aaaaaaaa3aaaaaaaa",
        ];
        assert!(
            keys.iter()
                .all(|key| mark(key.as_bytes()) == mark(keys[0].as_bytes()))
        );
        let [first, second, third] = keys;
        let text = format!(r#"{{"{first}":1,"\u0061{}":2}}"#, &second[1..]);
        let document = Document::parse(text, "").expect("no key stands twice");
        let value = |key: &str| document.root().member(key).and_then(Node::as_i64);
        assert_eq!(keys.map(value), [Some(1), Some(2), None]);
        let twice = format!(r#"{{"{third}":1,"{second}":2,"{third}":3}}"#);
        let fault = Document::parse(twice, "").expect_err("a key stands twice");
        let is_it =
            |kind| matches!(kind, SyntaxFaultKind::DuplicateKey { key, .. } if key == third);
        assert!(is_it(fault.kind));
    }

    #[test]
    fn members_are_counted_however_many_there_are() {
        for count in [0, 1, 24, 25, 254, 255, 256, 1000] {
            let members: Vec<String> = (0..count).map(|it| format!("\"{it}\":[0]")).collect();
            let text = format!("{{{}}}", members.join(","));
            let document = Document::parse(text, "").expect("JSON");
            assert_eq!(document.root().len(), count);
        }
    }

    #[test]
    fn a_piece_that_does_not_fit_is_not_joined() {
        let mut room = Apart::default();
        assert!(room.parse("1}", 10).is_err());
        assert!(room.parse("{}]", 10).is_err());
        room.parse("{}]}", 10).expect("the last piece of one");
        for before in ["{\"a\":[{},", "{\"a\":{\"b\":[{},"] {
            let mut document = InPieces::default();
            document.add(before).expect("a piece");
            let fits = document.join(&room).is_ok();
            assert_eq!(fits, !before.contains('b'), "{before}");
        }
    }

    #[test]
    fn a_plain_run_ends_at_every_byte_that_needs_a_look() {
        for length in 0..40 {
            for stop in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![0xFF; length];
                    bytes[stop] = byte;
                    let ends = byte < 0x20 || byte == b'"' || byte == b'\\';
                    assert_eq!(plain_until(&bytes, 0), if ends { stop } else { length });
                    assert_eq!(plain_until(&bytes, stop), if ends { stop } else { length });
                }
            }
        }
        assert_eq!(plain_until(b"!#[]~\x7F \xC3\xA4\"\"", 0), 9);
    }
}
