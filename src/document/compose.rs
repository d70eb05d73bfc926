//! Documents made piece by piece: text and tape at once, so that what is made
//! need not be parsed.
//!
//! Invariant: between two calls the text is the beginning of compact JSON, and
//! the tape says the same.

use std::fmt::Write as _;
use std::sync::Arc;

use super::edit::push_quoted;
use super::parse::{SyntaxFault, parse_value};
use super::tape::{Document, Entry, Kind, Node, Origin, mark};

/// A JSON value in the making.
#[derive(Debug, Default)]
pub struct Composer {
    text: String,
    entries: Vec<Entry>,
    /// For each container that is open, how many members or elements it has so far.
    open: Vec<usize>,
}

/// Values composed one after another, each to become part of a document later. Many are composed in
/// several texts, none of which has to be moved while it grows.
#[derive(Debug, Default)]
pub struct Pieces {
    texts: Vec<Composer>,
    /// Bytes of all texts but the last.
    before: usize,
}

/// A text of so many bytes gets no more pieces.
const FULL: usize = 1 << 20;

/// One of several [`Pieces`]: where it begins and ends.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    number: usize,
    text: (usize, usize),
    entries: (usize, usize),
}

impl Pieces {
    /// A value that `write` makes.
    pub fn compose(&mut self, write: impl FnOnce(&mut Composer)) -> Piece {
        let (number, to) = self.last();
        let (start, first) = (to.text.len(), to.entries.len());
        write(to);
        Piece {
            number,
            text: (start, to.text.len()),
            entries: (first, to.entries.len()),
        }
    }

    /// The text that has room, with its number.
    fn last(&mut self) -> (usize, &mut Composer) {
        let size = self.texts.last().map(Composer::size);
        if size.is_none_or(|size| size >= FULL) {
            // Most orders are small, and need but one.
            let room = size.map_or(0, |_| FULL + FULL / 8);
            self.before += size.unwrap_or(0);
            self.texts.push(Composer::new(room));
        }
        let number = self.texts.len() - 1;
        (number, &mut self.texts[number])
    }

    /// Bytes of the texts of all.
    pub fn size(&self) -> usize {
        self.before + self.texts.last().map_or(0, Composer::size)
    }
}

impl Composer {
    /// Nothing yet, with room for a text of `size` bytes.
    pub fn new(size: usize) -> Composer {
        // A key or value takes some 10 bytes of what is written without white space.
        let (text, entries) = (String::with_capacity(size), Vec::with_capacity(size / 8));
        Composer {
            text,
            entries,
            open: Vec::new(),
        }
    }

    /// An object, whose members `write` adds by [`Composer::key`] and a value each.
    pub fn object(&mut self, write: impl FnOnce(&mut Composer)) {
        self.container(Kind::Object, '{', '}', write);
    }

    /// An array of what `write` makes of each value.
    pub fn array<T>(
        &mut self,
        values: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Composer, T),
    ) {
        self.container(Kind::Array, '[', ']', |array| {
            for value in values {
                array.comma();
                write(array, value);
            }
        });
    }

    /// Key of a member that the object does not have yet; its value comes next.
    pub fn key(&mut self, key: &str) -> &mut Composer {
        self.comma();
        let start = self.text.len();
        let escaped = push_quoted(key, &mut self.text);
        let (start, end) = (offset(start), offset(self.text.len()));
        let mark = mark(key.as_bytes());
        self.entries.push(Entry::key(start, end, escaped, mark));
        self.text.push(':');
        self
    }

    /// A text.
    pub fn string(&mut self, text: &str) {
        let start = self.text.len();
        let escaped = push_quoted(text, &mut self.text);
        self.scalar(Kind::String, start, escaped);
    }

    /// A whole number.
    pub fn integer(&mut self, number: i64) {
        let start = self.text.len();
        let _ = write!(self.text, "{number}");
        self.scalar(Kind::Number, start, false);
    }

    /// A JSON text.
    ///
    /// # Errors
    /// If it is none; the composer is not to be used any more then.
    pub fn json(&mut self, json: &str) -> Result<(), SyntaxFault> {
        let (start, first) = (self.text.len(), self.entries.len());
        self.text.push_str(json);
        parse_value(&self.text, start, &mut self.entries)?;
        self.shift(first, 0, start);
        Ok(())
    }

    /// A value of a document, without white space.
    pub fn copy(&mut self, node: Node<'_>) {
        if node.document().spaced {
            let written = self.json(&node.compact());
            debug_assert!(written.is_ok(), "a value of a document is JSON");
        } else {
            let entries = &node.document().entries;
            let inside = node.index as usize..node.after() as usize;
            self.append(node.raw(), &entries[inside]);
        }
    }

    /// A value that was composed before.
    pub fn piece(&mut self, pieces: &Pieces, piece: Piece) {
        let Composer { text, entries, .. } = &pieces.texts[piece.number];
        let (start, end) = piece.text;
        let (first, last) = piece.entries;
        self.append(&text[start..end], &entries[first..last]);
    }

    /// Bytes of the text so far.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// The document; `name` stands for its file.
    pub fn finish(self, name: &str) -> Document {
        Document {
            end: self.text.len(),
            text: Arc::new(self.text),
            start: 0,
            entries: self.entries,
            origin: Origin {
                file: Arc::from(name),
                line: 1,
                column: 1,
            },
            spaced: false,
            places: None,
            lines: Vec::new(),
        }
    }

    fn container(&mut self, kind: Kind, begin: char, end: char, write: impl FnOnce(&mut Composer)) {
        let (start, index) = (self.text.len(), self.entries.len());
        self.text.push(begin);
        self.scalar(kind, start, false);
        self.open.push(0);
        write(self);
        let members = self.open.pop().unwrap_or(0);
        self.text.push(end);
        let span = self.entries.len() - index;
        self.entries[index].close(offset(self.text.len()), span);
        if kind == Kind::Object && members > 0 {
            self.entries[index + 1].count(members);
        }
    }

    /// Counts a member or element of the innermost container, and sets it off from the one before.
    fn comma(&mut self) {
        let Some(members) = self.open.last_mut() else {
            return;
        };
        if *members > 0 {
            self.text.push(',');
        }
        *members += 1;
    }

    /// An entry from `start` to the end of the text, with nothing inside.
    fn scalar(&mut self, kind: Kind, start: usize, escaped: bool) {
        let (start, end) = (offset(start), offset(self.text.len()));
        self.entries.push(Entry::new(kind, start, end, escaped));
    }

    /// Text and entries from elsewhere.
    fn append(&mut self, text: &str, entries: &[Entry]) {
        let (start, first) = (self.text.len(), self.entries.len());
        self.text.push_str(text);
        self.entries.extend_from_slice(entries);
        let before = entries.first().map_or(0, |entry| entry.start);
        self.shift(first, before, start);
    }

    /// Moves the entries from `first` on, whose text began at `from`, to where it begins at `to`.
    fn shift(&mut self, first: usize, from: u32, to: usize) {
        let to = offset(to);
        for entry in &mut self.entries[first..] {
            entry.start = entry.start - from + to;
            entry.end = entry.end - from + to;
        }
    }
}

/// Places on a tape are counted in 32 bits; no order that can be read makes one of 4 GiB.
#[allow(clippy::cast_possible_truncation)]
fn offset(position: usize) -> u32 {
    position as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was composed is what the parser reads from its text.
    fn check(document: &Document) {
        let parsed = Document::parse(document.text().to_owned(), "").expect("JSON");
        assert_eq!(
            format!("{:?}", document.entries),
            format!("{:?}", parsed.entries)
        );
    }

    #[test]
    fn a_composed_document_has_the_tape_of_its_text() {
        let spaced =
            Document::parse(" { \"a\" : [ 1 , {\"b\": \"\\n\"} ] }".to_owned(), "").expect("JSON");
        let tight =
            Document::parse("{\"a\":[1,{\"b\":\"\\n\"}],\"c\":{}}".to_owned(), "").expect("JSON");
        let mut pieces = Pieces::default();
        let piece = [1, 2].map(|_| {
            pieces.compose(|piece| {
                piece.object(|piece| {
                    piece
                        .key("copied")
                        .copy(tight.root().member("a").expect("a"));
                });
            })
        });
        let mut composer = Composer::new(16);
        composer.object(|to| {
            to.key("text").string("quote \" and \u{1}");
            to.key("spaced").copy(spaced.root());
            to.key("number").integer(-7);
            to.key("tight").copy(tight.root());
            to.key("empty").array(std::iter::empty::<u8>(), |_, _| {});
            to.key("pieces")
                .array(piece, |to, piece| to.piece(&pieces, piece));
            to.key("json").json("[true,{\"x\":null}]").expect("JSON");
        });
        let document = composer.finish("made");
        check(&document);
        assert_eq!(
            document.text(),
            "{\"text\":\"quote \\\" and \\u0001\",\"spaced\":{\"a\":[1,{\"b\":\"\\n\"}]},\"number\":-7,\
             \"tight\":{\"a\":[1,{\"b\":\"\\n\"}],\"c\":{}},\"empty\":[],\
             \"pieces\":[{\"copied\":[1,{\"b\":\"\\n\"}]},{\"copied\":[1,{\"b\":\"\\n\"}]}],\
             \"json\":[true,{\"x\":null}]}"
        );
    }

    #[test]
    fn many_pieces_stand_in_several_texts() {
        let mut pieces = Pieces::default();
        let long = "x".repeat(FULL / 3);
        let made: Vec<Piece> = (0..10)
            .map(|number| {
                pieces.compose(|piece| {
                    piece.object(|piece| {
                        piece.key("number").integer(number);
                        piece.key("long").string(&long);
                    });
                })
            })
            .collect();
        assert!(pieces.texts.len() > 2);
        let sizes = pieces.texts.iter().map(Composer::size);
        assert_eq!(pieces.size(), sizes.sum::<usize>());
        let mut composer = Composer::new(0);
        composer.array(made.into_iter().rev(), |to, it| to.piece(&pieces, it));
        let document = composer.finish("made");
        check(&document);
        let numbers: Vec<i64> = document
            .root()
            .elements()
            .filter_map(|it| it.get("number")?.as_i64())
            .collect();
        assert_eq!(numbers, (0..10).rev().collect::<Vec<i64>>());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        assert!(Composer::new(0).json("{").is_err());
    }
}
