//! A parsed document: its text, and a tape of entries that say where each
//! value stands in it.
//!
//! Invariant: entries are in text order; an object's entries alternate key and
//! value; the span of a value reaches over everything inside it. A key has
//! nothing inside: in its place it has a mark of what it says, and the first
//! key of an object the number of members, too.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use super::parse::{SyntaxFault, SyntaxFaultKind, parse_value, unescape};
use crate::diagnostic::Location;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number, kept as it is written.
    Number,
    /// A string or a key.
    String,
    /// `[…]`
    Array,
    /// `{…}`
    Object,
}

/// One value or key on the tape. Offsets are bytes from the document's start.
///
/// A large order has millions of them, so they are small: what a value is, whether it holds escapes
/// and how many entries it takes stand in one number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub(super) start: u32,
    pub(super) end: u32,
    /// From the lowest bit: kind, whether a string holds escapes, then the span; of a key, in its place,
    /// the mark and the number of members.
    tag: u32,
}

/// Most entries that a value takes, its own included.
pub(super) const MAXIMUM_SPAN: usize = (1 << (u32::BITS - SPAN)) - 1;

const ESCAPED: u32 = 1 << 3;
/// Where the span begins.
const SPAN: u32 = 4;
/// Bits of a mark.
const MARK: u32 = 20;
/// Where the number of members begins.
const MEMBERS: u32 = SPAN + MARK;
/// So many members, or more: they have to be counted.
const MANY_MEMBERS: u32 = (1 << (u32::BITS - MEMBERS)) - 1;

/// A number by which most keys can be told apart without a look at the text, which may be far away.
#[inline]
pub(super) fn mark(key: &[u8]) -> u32 {
    let eight = key.first_chunk::<8>().zip(key.last_chunk::<8>());
    let four = key.first_chunk::<4>().zip(key.last_chunk::<4>());
    let (first, last) = if let Some((first, last)) = eight {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let Some((first, last)) = four {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        (first.into(), last.into())
    } else {
        let byte = |at: usize| u64::from(key.get(at).copied().unwrap_or(0));
        (byte(0) | byte(1) << 8 | byte(2) << 16, 0)
    };
    let mixed = first ^ last.rotate_left(29) ^ key.len() as u64;
    let mixed = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> (u64::BITS - MARK)) as u32
}

impl Entry {
    /// A value from `start` to `end` with nothing inside.
    pub(super) fn new(kind: Kind, start: u32, end: u32, escaped: bool) -> Entry {
        let escaped = if escaped { ESCAPED } else { 0 };
        let tag = kind as u32 | escaped | 1 << SPAN;
        Entry { start, end, tag }
    }

    /// A key from `start` to `end`, and the [mark] of what it says.
    #[inline]
    pub(super) fn key(start: u32, end: u32, escaped: bool, mark: u32) -> Entry {
        let escaped = if escaped { ESCAPED } else { 0 };
        let tag = Kind::String as u32 | escaped | mark << SPAN;
        Entry { start, end, tag }
    }

    /// Ends an object or array: `span` entries stand in it, its own included.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn close(&mut self, end: u32, span: usize) {
        self.end = end;
        self.tag = self.tag & ((1 << SPAN) - 1) | (span.min(MAXIMUM_SPAN) as u32) << SPAN;
    }

    /// Notes on the first key of an object how many members this has.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn count(&mut self, members: usize) {
        let members = members.min(MANY_MEMBERS as usize) as u32;
        self.tag = self.tag & ((1 << MEMBERS) - 1) | members << MEMBERS;
    }

    /// The [mark] of what a key says.
    #[inline]
    pub(super) fn mark(self) -> u32 {
        self.tag >> SPAN & ((1 << MARK) - 1)
    }

    /// Of an object's first key, how many members that has, if they need not be counted.
    fn members(self) -> Option<usize> {
        let members = self.tag >> MEMBERS;
        (members < MANY_MEMBERS).then_some(members as usize)
    }

    /// What it is.
    pub(super) fn kind(self) -> Kind {
        const KINDS: [Kind; 8] = [
            Kind::Null,
            Kind::True,
            Kind::False,
            Kind::Number,
            Kind::String,
            Kind::Array,
            Kind::Object,
            Kind::Null,
        ];
        KINDS[(self.tag & 7) as usize]
    }

    /// Whether a string holds escapes.
    pub(super) fn escaped(self) -> bool {
        self.tag & ESCAPED != 0
    }

    /// How many entries a value takes, its own included.
    pub(super) fn span(self) -> u32 {
        self.tag >> SPAN
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { start, end, .. } = self;
        let (kind, span) = (self.kind(), self.span());
        // The same of a key, whose mark and number of members stand there.
        write!(f, "{kind:?} {start}..{end} span {span}")?;
        f.write_str(if self.escaped() { " escaped" } else { "" })
    }
}

/// Where a document came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// File name, `-` for standard input, or the name of the stage that made it.
    pub file: Arc<str>,
    /// Line of its first byte, from 1.
    pub line: u64,
    /// Column of its first byte in characters, from 1.
    pub column: u64,
}

/// One JSON document with its text.
#[derive(Clone)]
pub struct Document {
    pub(super) text: Arc<String>,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) entries: Vec<Entry>,
    pub(super) origin: Origin,
    /// Whether white space stands between its tokens.
    pub(super) spaced: bool,
    /// Place of each entry in the file, where the text was made from another one (YAML).
    pub(super) places: Option<Vec<WrittenPlace>>,
    /// Where the lines of texts begin that were written over several (YAML), by entry and offset.
    pub(super) lines: Vec<TextLine>,
}

/// Place of a value in a file of another notation.
#[derive(Debug, Clone, Copy)]
pub(super) struct WrittenPlace {
    pub(super) line: u32,
    pub(super) column: u32,
    /// Characters before the text of a string on its line (a quote: 1), unless the text begins
    /// on another line.
    pub(super) lead: Option<u32>,
}

/// Where a line of a text stands in a file of another notation.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextLine {
    /// Entry of the text.
    pub(super) entry: u32,
    /// Offset of the line in the text, in bytes.
    pub(super) offset: u32,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// The text of a document, without its tape.
#[derive(Debug, Clone)]
pub struct SharedText {
    text: Arc<String>,
    range: Range<usize>,
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text[self.range.clone()]
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> SharedText {
        let range = 0..text.len();
        SharedText {
            text: Arc::new(text),
            range,
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Document({}:{} {})",
            self.origin.file,
            self.origin.line,
            self.text()
        )
    }
}

impl Document {
    /// Parses a text that holds exactly one value.
    ///
    /// # Errors
    /// The first syntax fault, offset in bytes of `text`.
    pub fn parse(text: String, file: &str) -> Result<Document, SyntaxFault> {
        // A key or value takes some 16 bytes of an order.
        let mut entries = Vec::with_capacity(text.len() / 16);
        let parsed = parse_value(&text, 0, &mut entries)?;
        if let Some(rest) = text[parsed.end..].find(|character| !is_white_space(character)) {
            let offset = parsed.end + rest;
            let found = text[offset..]
                .chars()
                .next()
                .map_or(String::new(), |c| format!("`{c}`"));
            let expected = "the end of the input";
            return Err(SyntaxFault {
                offset,
                kind: SyntaxFaultKind::Unexpected { expected, found },
            });
        }
        let origin = Origin {
            file: Arc::from(file),
            line: 1,
            column: 1,
        };
        let mut document = Document {
            text: Arc::new(text),
            start: 0,
            end: parsed.end,
            entries,
            origin,
            spaced: parsed.spaced,
            places: None,
            lines: Vec::new(),
        };
        let (line, column) = document.line_and_column(parsed.start);
        document.start = parsed.start;
        document.origin.line = line;
        document.origin.column = column;
        Ok(document)
    }

    /// The document with another text of the same length, in which every value that stays is where
    /// it was; `None` where that is no JSON.
    pub fn respelled(&self, text: String) -> Option<Document> {
        let mut document = Document::parse(text, "").ok()?;
        document.origin = self.origin.clone();
        (document.start == 0).then_some(document)
    }

    /// All nulls and empty texts of the document.
    pub fn blanks(&self) -> impl Iterator<Item = Node<'_>> {
        let blank = |entry: &Entry| {
            let kind = entry.kind();
            kind == Kind::Null || kind == Kind::String && entry.end - entry.start == 2
        };
        let indices = 0_u32..;
        let entries = indices
            .zip(&self.entries)
            .filter(move |(_, entry)| blank(entry));
        entries.map(|(index, _)| Node {
            document: self,
            index,
        })
    }

    /// The elements of a document that is a list, as documents; `None` for any other.
    pub fn elements(&self) -> Option<Vec<Document>> {
        if self.root().kind() != Kind::Array {
            return None;
        }
        Some(
            self.root()
                .elements()
                .map(|element| self.part(element))
                .collect(),
        )
    }

    /// A value inside as a document of its own.
    fn part(&self, node: Node<'_>) -> Document {
        let entry = node.entry();
        let range = node.index as usize..node.after() as usize;
        let mut entries = self.entries[range.clone()].to_vec();
        for inside in &mut entries {
            inside.start -= entry.start;
            inside.end -= entry.start;
        }
        let location = node.location();
        Document {
            text: Arc::clone(&self.text),
            start: self.start + entry.start as usize,
            end: self.start + entry.end as usize,
            entries,
            origin: Origin {
                file: Arc::clone(&self.origin.file),
                line: location.line,
                column: location.column,
            },
            spaced: self.spaced,
            places: (self.places.as_ref()).map(|places| places[range.clone()].to_vec()),
            lines: (self.lines.iter())
                .filter(|line| range.contains(&(line.entry as usize)))
                .map(|line| TextLine {
                    entry: line.entry - node.index,
                    ..*line
                })
                .collect(),
        }
    }

    /// The document without white space between its tokens, if it is written so.
    pub fn compact(&self) -> Option<SharedText> {
        (!self.spaced).then(|| SharedText {
            text: Arc::clone(&self.text),
            range: self.start..self.end,
        })
    }

    /// The document without white space between its tokens; its own text, if it is written so.
    ///
    /// # Panics
    /// Never: what is left of a text is one.
    pub fn compacted(&self) -> SharedText {
        self.compact().unwrap_or_else(|| {
            let mut bytes = Vec::with_capacity(self.text().len());
            self.write_compact(&mut bytes);
            let text = String::from_utf8(bytes).expect("a document is UTF-8");
            text.into()
        })
    }

    /// Appends the document without white space between its tokens; strings,
    /// numbers and the order of members stay as they are written.
    pub fn write_compact(&self, output: &mut Vec<u8>) {
        let text = self.text().as_bytes();
        if !self.spaced {
            output.extend_from_slice(text);
            return;
        }
        // Every token is copied whole; between tokens only punctuation counts.
        let mut position = 0;
        for entry in &self.entries {
            let (start, end) = (entry.start as usize, entry.end as usize);
            punctuation(&text[position..start], output);
            position = start;
            if !matches!(entry.kind(), Kind::Object | Kind::Array) {
                output.extend_from_slice(&text[start..end]);
                position = end;
            }
        }
        punctuation(&text[position..], output);
    }

    /// The document as it was written.
    pub fn text(&self) -> &str {
        &self.text[self.start..self.end]
    }

    /// Where it came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Its outermost value.
    pub fn root(&self) -> Node<'_> {
        Node {
            document: self,
            index: 0,
        }
    }

    /// Line and column (from 1) of a byte offset of the document.
    pub fn line_and_column(&self, offset: usize) -> (u64, u64) {
        let text = self.text();
        let before = &text[..offset.min(text.len())];
        match memchr::memrchr(b'\n', before.as_bytes()) {
            None => (
                self.origin.line,
                self.origin.column + before.chars().count() as u64,
            ),
            Some(newline) => {
                let lines = memchr::memchr_iter(b'\n', before.as_bytes()).count() as u64;
                (
                    self.origin.line + lines,
                    before[newline + 1..].chars().count() as u64 + 1,
                )
            }
        }
    }
}

fn is_white_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

fn punctuation(between: &[u8], output: &mut Vec<u8>) {
    output.extend(
        between
            .iter()
            .filter(|byte| !is_white_space(char::from(**byte))),
    );
}

/// A value in a document: cheap to copy, knows its place.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    pub(super) document: &'d Document,
    pub(super) index: u32,
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.raw())
    }
}

impl<'d> Node<'d> {
    pub(super) fn entry(self) -> Entry {
        self.document.entries[self.index as usize]
    }

    /// Index after everything inside.
    pub(super) fn after(self) -> u32 {
        self.index + self.entry().span()
    }

    /// The document it is part of.
    pub fn document(self) -> &'d Document {
        self.document
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.entry().kind()
    }

    /// Its text in the document, quotes included.
    pub fn raw(self) -> &'d str {
        let entry = self.entry();
        &self.document.text()[entry.start as usize..entry.end as usize]
    }

    /// Has all of a value fetched from memory, if it is going to be read soon: that takes little
    /// longer than to fetch the first part of it when it is wanted, and the others one after the other.
    pub fn fetch(self) {
        const LINE: usize = 64;
        let (first, last) = (self.index as usize, self.after() as usize);
        let entries = self.document.entries[first..last].iter();
        let entries = entries.step_by(LINE / size_of::<Entry>());
        let bytes = self.raw().as_bytes().iter().step_by(LINE);
        let seen = entries.fold(0, |seen, entry| seen ^ entry.tag);
        let seen = bytes.fold(seen, |seen, byte| seen ^ u32::from(*byte));
        std::hint::black_box(seen);
    }

    /// Byte range in the document's text.
    pub fn range(self) -> Range<usize> {
        let entry = self.entry();
        entry.start as usize..entry.end as usize
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The text of a string.
    pub fn as_str(self) -> Option<Cow<'d, str>> {
        let entry = self.entry();
        if entry.kind() != Kind::String {
            return None;
        }
        let raw = self.raw();
        let inside = &raw[1..raw.len() - 1];
        Some(if entry.escaped() {
            Cow::Owned(unescape(inside))
        } else {
            Cow::Borrowed(inside)
        })
    }

    /// The text of a string; of any other value, how it is written.
    pub fn told(self) -> Cow<'d, str> {
        self.as_str().unwrap_or_else(|| self.raw().into())
    }

    /// The value of a boolean.
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// A number as 64-bit float; never infinite.
    pub fn as_f64(self) -> Option<f64> {
        (self.kind() == Kind::Number)
            .then(|| self.raw().parse().ok())
            .flatten()
    }

    /// A number without fraction, however it is written (`2`, `2.0`, `2e0`).
    pub fn as_i64(self) -> Option<i64> {
        if self.kind() != Kind::Number {
            return None;
        }
        if let Ok(integer) = self.raw().parse() {
            return Some(integer);
        }
        let float = self.as_f64()?;
        // 2^53: beyond it a float no longer tells whole numbers apart.
        #[allow(clippy::cast_possible_truncation)]
        (float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0).then_some(float as i64)
    }

    /// Number of members, or of elements, which are counted one by one.
    pub fn len(self) -> usize {
        match self.kind() {
            Kind::Object if self.is_empty() => 0,
            Kind::Object => {
                let first = self.document.entries[self.index as usize + 1];
                let members = first.members();
                members.unwrap_or_else(|| self.members().count())
            }
            _ => self.elements().count(),
        }
    }

    /// Whether there are no members or elements.
    pub fn is_empty(self) -> bool {
        self.entry().span() == 1
    }

    /// Member of an object by key; `None` for other values too.
    // The mark of a key that stands in the program is reckoned when that is made.
    #[inline]
    pub fn member(self, key: &str) -> Option<Node<'d>> {
        self.marked(mark(key.as_bytes()), key)
    }

    /// [`member`](Self::member), with the [mark] of the key.
    pub(super) fn marked(self, mark: u32, key: &str) -> Option<Node<'d>> {
        if self.kind() != Kind::Object {
            return None;
        }
        let inside = self.index as usize + 1..self.after() as usize;
        let entries = &self.document.entries[..inside.end];
        let mut index = inside.start;
        while index + 1 < entries.len() {
            if entries[index].mark() == mark && self.says(entries[index], key) {
                return Some(self.at(index + 1));
            }
            index += 1 + entries[index + 1].span() as usize;
        }
        None
    }

    /// Whether a key of the document says this.
    fn says(self, name: Entry, key: &str) -> bool {
        let (start, end) = (name.start as usize + 1, name.end as usize - 1);
        let inside = &self.document.text()[start..end];
        if name.escaped() {
            unescape(inside) == key
        } else {
            inside == key
        }
    }

    /// The value at an index of the document's tape, which has less than 2^32 entries.
    #[allow(clippy::cast_possible_truncation)]
    fn at(self, index: usize) -> Node<'d> {
        Node {
            document: self.document,
            index: index as u32,
        }
    }

    /// Member of an object by key, unless it is `null`: what real systems write for "absent".
    pub fn get(self, key: &str) -> Option<Node<'d>> {
        self.member(key).filter(|node| !node.is_null())
    }

    /// Text member of an object, unless it is absent or no string.
    pub fn text(self, key: &str) -> Option<Cow<'d, str>> {
        self.member(key)?.as_str()
    }

    /// Members of an object in order; nothing for other values.
    pub fn members(self) -> Members<'d> {
        let end = if self.kind() == Kind::Object {
            self.after()
        } else {
            self.index + 1
        };
        Members {
            document: self.document,
            index: self.index + 1,
            end,
        }
    }

    /// Elements of an array in order; nothing for other values.
    pub fn elements(self) -> Elements<'d> {
        let end = if self.kind() == Kind::Array {
            self.after()
        } else {
            self.index + 1
        };
        Elements {
            document: self.document,
            index: self.index + 1,
            end,
        }
    }

    /// Elements of an array in order, each of which is going to be read: the one after it is
    /// [fetched](Self::fetch) meanwhile.
    pub fn elements_to_read(self) -> impl Iterator<Item = Node<'d>> {
        let mut next = self.elements();
        next.next();
        self.elements().inspect(move |_| {
            if let Some(next) = next.next() {
                next.fetch();
            }
        })
    }

    /// Elements of the array member `key`; nothing if it is absent or no array.
    pub fn list(self, key: &str) -> Elements<'d> {
        match self.member(key) {
            Some(node) => node.elements(),
            None => Elements {
                document: self.document,
                index: 0,
                end: 0,
            },
        }
    }

    /// JSON Pointer (RFC 6901) from the document's root.
    pub fn pointer(self) -> String {
        let mut pointer = String::new();
        let mut here = self.document.root();
        while here.index != self.index {
            let inside = |node: &Node<'_>| node.index <= self.index && self.index < node.after();
            let next = if here.kind() == Kind::Array {
                let mut elements = here.elements().enumerate();
                elements
                    .find(|(_, node)| inside(node))
                    .map(|(position, node)| {
                        pointer.push('/');
                        pointer.push_str(&position.to_string());
                        node
                    })
            } else {
                let mut members = here.members();
                // A key belongs to its member.
                members
                    .find(|(key, node)| key.index == self.index || inside(node))
                    .map(|(key, node)| {
                        pointer.push('/');
                        let name = key.as_str().unwrap_or_default();
                        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                        if key.index == self.index { key } else { node }
                    })
            };
            match next {
                Some(node) => here = node,
                None => break,
            }
        }
        pointer
    }

    /// Value that a JSON Pointer (RFC 6901) leads to; the nearest value above it if it leads
    /// nowhere.
    pub fn resolve_pointer(self, pointer: &str) -> Node<'d> {
        let mut here = self;
        for segment in pointer.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            let next = match here.kind() {
                Kind::Array => segment
                    .parse()
                    .ok()
                    .and_then(|index: usize| here.elements().nth(index)),
                _ => here.member(&segment),
            };
            match next {
                Some(node) => here = node,
                None => break,
            }
        }
        here
    }

    /// Its text without white space between tokens.
    pub fn compact(self) -> Cow<'d, str> {
        let raw = self.raw();
        if !self.document.spaced || !matches!(self.kind(), Kind::Object | Kind::Array) {
            return Cow::Borrowed(raw);
        }
        let mut bytes = Vec::with_capacity(raw.len());
        match Document::parse(raw.to_owned(), "") {
            Ok(document) => document.write_compact(&mut bytes),
            Err(_) => return Cow::Borrowed(raw),
        }
        Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The same, without a copy where it stands so in its document.
    pub fn shared(self) -> SharedText {
        let (text, range) = match self.compact() {
            Cow::Borrowed(_) => {
                let (entry, start) = (self.entry(), self.document.start);
                let range = start + entry.start as usize..start + entry.end as usize;
                (Arc::clone(&self.document.text), range)
            }
            Cow::Owned(text) => return text.into(),
        };
        SharedText { text, range }
    }

    /// Place of a byte of a string's text, as far as the notation lets it be told.
    pub fn text_location(self, offset: usize) -> Location {
        let mut location = self.location();
        let lead = match &self.document.places {
            Some(places) => places[self.index as usize].lead,
            None => Some(1),
        };
        let text = self.as_str().unwrap_or_default();
        let mut lines = self.document.lines.iter();
        let line = lines.rfind(|it| it.entry == self.index && it.offset as usize <= offset);
        if let Some(line) = line {
            let before = text.get(line.offset as usize..offset).unwrap_or_default();
            location.line = u64::from(line.line);
            location.column = u64::from(line.column) + before.chars().count() as u64;
            return location;
        }
        if let (Some(lead), Some(before)) = (lead, text.get(..offset)) {
            location.column += u64::from(lead) + before.chars().count() as u64;
        }
        location
    }

    /// Place of the value.
    pub fn location(self) -> Location {
        let (line, column) = match &self.document.places {
            Some(places) => {
                let place = places[self.index as usize];
                (u64::from(place.line), u64::from(place.column))
            }
            None => self.document.line_and_column(self.entry().start as usize),
        };
        Location {
            file: self.document.origin.file.to_string(),
            line,
            column,
            pointer: self.pointer(),
        }
    }
}

/// A value for messages: its type and its text, shortened.
pub fn describe(value: Node<'_>) -> String {
    let raw = value.raw();
    let mut shown: String = raw.chars().take(60).collect();
    if shown.len() < raw.len() {
        shown.push('…');
    }
    match value.kind() {
        Kind::String => format!("the string {shown}"),
        Kind::Number => format!("the number {shown}"),
        Kind::Array => "an array".to_owned(),
        Kind::Object => "an object".to_owned(),
        Kind::True | Kind::False | Kind::Null => shown,
    }
}

/// Members of an object.
pub struct Members<'d> {
    document: &'d Document,
    index: u32,
    end: u32,
}

impl<'d> Iterator for Members<'d> {
    /// Key and value.
    type Item = (Node<'d>, Node<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.end {
            return None;
        }
        let key = Node {
            document: self.document,
            index: self.index,
        };
        let value = Node {
            document: self.document,
            index: self.index + 1,
        };
        self.index = value.after();
        Some((key, value))
    }
}

/// Elements of an array.
pub struct Elements<'d> {
    document: &'d Document,
    index: u32,
    end: u32,
}

impl<'d> Iterator for Elements<'d> {
    type Item = Node<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.end {
            return None;
        }
        let node = Node {
            document: self.document,
            index: self.index,
        };
        self.index = node.after();
        Some(node)
    }
}
