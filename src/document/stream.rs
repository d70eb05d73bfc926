//! Bytes to documents: one object, an array of objects, concatenated or
//! newline-delimited objects, mixed.
//!
//! A stream is cut into *batches* at the ends of documents, so that batches
//! can be parsed on other threads. Documents, places and errors never depend on
//! how the bytes happened to arrive.

use std::io::{self, Read};
use std::sync::Arc;

use super::early::{Early, Ending};
use super::parse::{Parsed, SyntaxFault, SyntaxFaultKind, parse_value};
use super::scan::{Found, Scan, ends_line};
use super::tape::{Document, Entry, Origin};
use crate::diagnostic::Location;

/// Largest document that is read, in bytes.
pub const MAXIMUM_DOCUMENT: usize = 1 << 30;

/// Smaller batches cost several threads more in waking each other than they gain by being shared.
const READ_SIZE: usize = 256 * 1024;

/// Documents of so many bytes are given room in plenty, and parsed while they arrive.
const LARGE: usize = 1 << 20;
/// Bytes of a document that are parsed at a time while it arrives, at least.
const PIECE: usize = LARGE / 4;
/// Room that a large document is given, and from which on one gets all that it may take.
const VERY_LARGE: usize = 64 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why a stream could not be read on. Everything before it has been delivered.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The operating system says so.
    #[error("cannot read {file}: {source}")]
    Read {
        /// File name, `-` for standard input.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Not JSON, or no stream of JSON objects.
    #[error("{file}:{line}:{column}: {kind}{}", first_place(.file, *.first))]
    Syntax {
        /// File name.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Column in characters, from 1.
        column: u64,
        /// For a duplicate key: line and column of the first one.
        first: Option<(u64, u64)>,
        /// What is wrong.
        kind: SyntaxFaultKind,
    },
    /// A document has to be an object.
    #[error("{file}:{line}:{column}: a document has to be a JSON object, found {found}")]
    NotAnObject {
        /// File name.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Column in characters, from 1.
        column: u64,
        /// What stands there.
        found: String,
    },
    /// Bytes that are no UTF-8.
    #[error("{file}:{line}:{column}: invalid UTF-8 (byte {offset} of the input)")]
    Encoding {
        /// File name.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Column in characters, from 1.
        column: u64,
        /// Offset in the stream.
        offset: u64,
    },
    /// More than [`MAXIMUM_DOCUMENT`].
    #[error("{file}:{line}: the document that begins here is larger than 1 GiB")]
    TooLarge {
        /// File name.
        file: String,
        /// Line where the document begins.
        line: u64,
    },
}

impl StreamError {
    /// The place that it is about, where it is about one.
    #[must_use]
    pub fn location(&self) -> Option<Location> {
        let (file, line, column) = match self {
            Self::Read { .. } => return None,
            Self::Syntax {
                file, line, column, ..
            }
            | Self::NotAnObject {
                file, line, column, ..
            }
            | Self::Encoding {
                file, line, column, ..
            } => (file, *line, *column),
            Self::TooLarge { file, line } => (file, *line, 0),
        };
        Some(Location {
            file: file.clone(),
            line,
            column,
            pointer: String::new(),
        })
    }
}

fn first_place(file: &str, first: Option<(u64, u64)>) -> String {
    first.map_or(String::new(), |(line, column)| {
        format!(", first at {file}:{line}:{column}")
    })
}

/// Where a frame begins.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    line: u64,
    column: u64,
}

/// A run of bytes that holds whole documents (unless it is the torn end).
#[derive(Debug, Clone, Copy)]
struct Frame {
    start: usize,
    end: usize,
    place: Place,
    /// Whether this is a line that was taken without looking into it.
    line: bool,
}

/// What follows a line that was taken without looking into it.
const AFTER_LINE: &[u8] = b"\n{";

/// Some documents' bytes, to be parsed wherever there is time.
#[derive(Debug)]
pub struct Batch {
    file: Arc<str>,
    bytes: Vec<u8>,
    frames: Vec<Frame>,
    /// The parsing of the first document, where that has begun.
    ending: Option<Ending>,
    /// The stream ends here with this error, after the documents above.
    error: Option<StreamError>,
}

impl From<StreamError> for Batch {
    /// The end of a stream that brought nothing.
    fn from(error: StreamError) -> Batch {
        Batch {
            file: Arc::from(""),
            bytes: Vec::new(),
            frames: Vec::new(),
            ending: None,
            error: Some(error),
        }
    }
}

impl Batch {
    /// Whether it is one large document, which another thread is parsing.
    pub fn is_being_parsed(&self) -> bool {
        self.ending.is_some() && self.frames.len() == 1
    }

    /// Where the parsing of its first document began while that arrived, whether it came to something.
    #[cfg(test)]
    pub fn is_parsed_early(&mut self) -> Option<bool> {
        let start = self.frames.first()?.start;
        let text = std::str::from_utf8(&self.bytes).ok()?;
        Some(self.ending.take()?.tape(text, start).is_some())
    }

    /// Parses the batch: its documents, and the error that ends the stream, if one does.
    pub fn parse(self) -> (Vec<Document>, Option<StreamError>) {
        let Batch {
            file,
            bytes,
            frames,
            mut ending,
            error,
        } = self;
        let mut documents = Vec::with_capacity(frames.len());
        let (text, rest) = match String::from_utf8(bytes) {
            Ok(text) => (text, Vec::new()),
            Err(fault) => {
                let valid = fault.utf8_error().valid_up_to();
                let mut bytes = fault.into_bytes();
                let rest = bytes.split_off(valid);
                (String::from_utf8(bytes).unwrap_or_default(), rest)
            }
        };
        let text = Arc::new(text);
        // Bytes that a key or value took in the document before: the documents of a chain differ in size.
        let mut usual = 16;
        for frame in frames {
            // A large document's tape is not to be moved while it grows; what it does not need of
            // the room is never touched.
            let length = frame.end - frame.start;
            let room = if length < READ_SIZE {
                length / usual + length / 64 + 8
            } else {
                length / 8
            };
            let ending = ending.take();
            let parsed = match text.get(frame.start..frame.end) {
                Some(_) => {
                    let early = ending.and_then(|it| it.tape(&text, frame.start));
                    early.map_or_else(|| parse(&text[..frame.end], frame.start, room), Ok)
                }
                None if frame.line => Err(NOT_TEXT),
                None => {
                    let start = frame.start.min(text.len());
                    let (line, column) = advance(frame.place, &text[start..]);
                    let offset = frame.place.offset + (text.len() - start) as u64;
                    let file = file.to_string();
                    return (
                        documents,
                        Some(StreamError::Encoding {
                            file,
                            line,
                            column,
                            offset,
                        }),
                    );
                }
            };
            match parsed {
                Ok((entries, parsed)) if !frame.line || blank(&text[parsed.end..frame.end]) => {
                    usual = (length / entries.len().max(1)).max(8);
                    documents.push(Document {
                        text: Arc::clone(&text),
                        start: parsed.start,
                        end: parsed.end,
                        entries,
                        origin: Origin {
                            file: Arc::clone(&file),
                            line: frame.place.line,
                            column: frame.place.column,
                        },
                        spaced: parsed.spaced,
                        places: None,
                        lines: Vec::new(),
                    });
                }
                Err(fault) if !frame.line => {
                    let error = syntax_error(&file, &text, frame, fault);
                    return (documents, Some(error));
                }
                _ => {
                    // Not one document and nothing else: cut it again, looking into it.
                    let (valid, Frame { start, end, .. }) = (text.len(), frame);
                    let mut bytes = text.as_bytes()[start.min(valid)..end.min(valid)].to_vec();
                    let after = start.saturating_sub(valid)..end.saturating_sub(valid);
                    bytes.extend_from_slice(&rest[after]);
                    bytes.extend_from_slice(AFTER_LINE);
                    let (read, error) = Stream::within(&file, bytes, frame.place).parse();
                    documents.extend(read);
                    if error.is_some() {
                        return (documents, error);
                    }
                }
            }
        }
        (documents, error)
    }
}

fn parse(text: &str, start: usize, room: usize) -> Result<(Vec<Entry>, Parsed), SyntaxFault> {
    let mut entries = Vec::with_capacity(room);
    let parsed = parse_value(text, start, &mut entries)?;
    Ok((entries, parsed))
}

/// Stands for a fault in a line that is cut again anyway.
const NOT_TEXT: SyntaxFault = SyntaxFault {
    offset: 0,
    kind: SyntaxFaultKind::Escape,
};

fn blank(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

fn syntax_error(file: &str, text: &str, frame: Frame, fault: SyntaxFault) -> StreamError {
    let place = |offset: usize| advance(frame.place, &text[frame.start..offset]);
    let (line, column) = place(fault.offset);
    let first = match &fault.kind {
        SyntaxFaultKind::DuplicateKey { first, .. } => Some(place(*first)),
        _ => None,
    };
    StreamError::Syntax {
        file: file.to_owned(),
        line,
        column,
        first,
        kind: fault.kind,
    }
}

/// Line and column after `text`, which begins at `place`.
fn advance(place: Place, text: &str) -> (u64, u64) {
    match memchr::memrchr(b'\n', text.as_bytes()) {
        None => (place.line, place.column + text.chars().count() as u64),
        Some(newline) => {
            let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64;
            (
                place.line + lines,
                text[newline + 1..].chars().count() as u64 + 1,
            )
        }
    }
}

fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64
}

enum End {
    At(usize),
    /// Of a line that was not looked into.
    OfLine(usize),
    /// Of as much as the parser needs to say what is wrong.
    Wrong(usize),
    Beyond,
}

/// Reads a stream of documents in batches.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says another thing about where it is"
)]
#[derive(Debug)]
pub struct Stream<R> {
    reader: R,
    file: Arc<str>,
    buffer: Vec<u8>,
    /// Where a read puts its bytes.
    incoming: Vec<u8>,
    /// First byte of the buffer that is in no batch yet.
    position: usize,
    place: Place,
    in_array: bool,
    /// Inside an array: whether an element has to come next.
    expect_element: bool,
    /// Inside an array: whether an element has just been read.
    after_element: bool,
    scan: Option<Scan>,
    /// The parsing of the document that is looked at, where it is large.
    early: Option<Early>,
    /// The same, of which all has come.
    ending: Option<Ending>,
    /// Whether lines may be taken without looking into them.
    lines: bool,
    ended: bool,
    done: bool,
}

impl Stream<&[u8]> {
    /// What stands in some bytes of a stream; more may follow them.
    fn within(file: &Arc<str>, bytes: Vec<u8>, place: Place) -> Batch {
        let mut stream = Stream::new(&[][..], file);
        stream.buffer = bytes;
        stream.place = place;
        stream.lines = false;
        let mut frames = Vec::new();
        let error = stream.frames(&mut frames);
        stream.batch(frames, error)
    }
}

impl<R: Read> Stream<R> {
    /// A stream over `reader`; `file` is its name in messages.
    pub fn new(reader: R, file: &str) -> Stream<R> {
        Stream {
            reader,
            file: Arc::from(file),
            buffer: Vec::new(),
            incoming: Vec::new(),
            position: 0,
            place: Place {
                offset: 0,
                line: 1,
                column: 1,
            },
            in_array: false,
            expect_element: false,
            after_element: false,
            scan: None,
            early: None,
            ending: None,
            lines: true,
            ended: false,
            done: false,
        }
    }

    /// The next batch: everything complete that a read has brought; `None` at the end.
    pub fn next_batch(&mut self) -> Option<Batch> {
        while !self.done {
            let mut frames = Vec::new();
            let error = self.frames(&mut frames);
            self.done |= error.is_some();
            if frames.is_empty() && error.is_none() {
                if self.ended {
                    self.done = true;
                } else if let Err(source) = self.fill() {
                    self.done = true;
                    let error = Some(StreamError::Read {
                        file: self.file.to_string(),
                        source,
                    });
                    return Some(self.batch(Vec::new(), error));
                }
                continue;
            }
            return Some(self.batch(frames, error));
        }
        None
    }

    fn batch(&mut self, mut frames: Vec<Frame>, error: Option<StreamError>) -> Batch {
        let begin = frames.first().map_or(0, |frame| frame.start);
        let end = frames.last().map_or(begin, |frame| frame.end);
        for frame in &mut frames {
            frame.start -= begin;
            frame.end -= begin;
        }
        // What is left over is little; the batch takes the buffer itself.
        let rest = self.buffer.split_off(end);
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        bytes.drain(..begin);
        self.position -= end;
        if let Some(scan) = &mut self.scan {
            scan.position -= end;
        }
        Batch {
            file: Arc::clone(&self.file),
            bytes,
            frames,
            ending: self.ending.take(),
            error,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.position > 0 {
            self.buffer.drain(..self.position);
            if let Some(scan) = &mut self.scan {
                scan.position -= self.position;
            }
            self.position = 0;
        }
        // Nothing here in proportion to what is in the buffer, or could come: a pipe brings little
        // at a time, however large the document.
        self.incoming.resize(READ_SIZE, 0);
        let read = loop {
            match self.reader.read(&mut self.incoming) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.make_room();
        self.buffer.extend_from_slice(&self.incoming[..read]);
        self.ended = read == 0;
        Ok(())
    }

    /// Room for a read. A large document is moved once or twice while it grows: it gets much more
    /// room than it has, and what it does not need of that is never touched. What is moved is memory
    /// that the system has to find once more.
    fn make_room(&mut self) {
        let length = self.buffer.len();
        if self.buffer.capacity() - length < READ_SIZE && length >= LARGE {
            let more = if length + READ_SIZE < VERY_LARGE {
                VERY_LARGE - length
            } else {
                MAXIMUM_DOCUMENT
            };
            // Where there is less room than that, it grows as it can.
            let _granted_or_not = self.buffer.try_reserve_exact(more);
        }
    }

    fn step(&mut self, byte: u8) {
        self.position += 1;
        self.place.offset += 1;
        if byte == b'\n' {
            self.place.line += 1;
            self.place.column = 1;
        } else if byte & 0xC0 != 0x80 {
            self.place.column += 1;
        }
    }

    fn not_an_object(&self, found: &str) -> StreamError {
        StreamError::NotAnObject {
            file: self.file.to_string(),
            line: self.place.line,
            column: self.place.column,
            found: found.to_owned(),
        }
    }

    fn syntax(&self, kind: SyntaxFaultKind) -> StreamError {
        StreamError::Syntax {
            file: self.file.to_string(),
            line: self.place.line,
            column: self.place.column,
            first: None,
            kind,
        }
    }

    /// Cuts what is complete in the buffer into frames.
    fn frames(&mut self, frames: &mut Vec<Frame>) -> Option<StreamError> {
        if self.place.offset == 0 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.position = BYTE_ORDER_MARK.len();
            self.place.offset = BYTE_ORDER_MARK.len() as u64;
        }
        while let Some(&byte) = self.buffer.get(self.position) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.step(byte),
                b'{' if !self.after_element => match self.document_end() {
                    End::At(end) => self.cut(end, false, frames),
                    End::OfLine(end) => self.cut(end, true, frames),
                    End::Wrong(end) => {
                        self.cut(end, false, frames);
                        self.done = true;
                        return None;
                    }
                    End::Beyond if self.ended => {
                        // The torn end: the parser says what is missing.
                        self.cut(self.buffer.len(), false, frames);
                        return None;
                    }
                    End::Beyond => {
                        if self.buffer.len() - self.position > MAXIMUM_DOCUMENT {
                            let (file, line) = (self.file.to_string(), self.place.line);
                            return Some(StreamError::TooLarge { file, line });
                        }
                        self.parse_early();
                        return None;
                    }
                },
                b'[' if !self.in_array => {
                    self.in_array = true;
                    self.expect_element = false;
                    self.step(byte);
                }
                b']' if self.in_array && !self.expect_element => {
                    self.in_array = false;
                    self.after_element = false;
                    self.step(byte);
                }
                b',' if self.after_element => {
                    self.after_element = false;
                    self.expect_element = true;
                    self.step(byte);
                }
                _ => match self.character() {
                    Character::Is(found) if self.after_element => {
                        let kind = SyntaxFaultKind::Unexpected {
                            expected: "`,` or `]`",
                            found,
                        };
                        return Some(self.syntax(kind));
                    }
                    Character::Is(found) => {
                        let found = match byte {
                            b'"' => "a string",
                            b'[' => "an array",
                            b'-' | b'0'..=b'9' => "a number",
                            b't' | b'f' | b'n' => "a literal",
                            _ => &found,
                        };
                        return Some(self.not_an_object(found));
                    }
                    Character::Torn if !self.ended => return None,
                    Character::None | Character::Torn => {
                        return Some(StreamError::Encoding {
                            file: self.file.to_string(),
                            line: self.place.line,
                            column: self.place.column,
                            offset: self.place.offset,
                        });
                    }
                },
            }
        }
        if self.ended && self.in_array {
            return Some(self.syntax(SyntaxFaultKind::Torn { inside: "an array" }));
        }
        None
    }

    /// What stands at `position`, as a message shows it.
    fn character(&self) -> Character {
        let bytes = &self.buffer[self.position..self.buffer.len().min(self.position + 4)];
        let valid = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(fault) if fault.valid_up_to() > 0 => {
                std::str::from_utf8(&bytes[..fault.valid_up_to()]).unwrap_or_default()
            }
            Err(fault) if fault.error_len().is_none() => return Character::Torn,
            Err(_) => return Character::None,
        };
        valid.chars().next().map_or(Character::Torn, |character| {
            Character::Is(if character.is_control() {
                format!("U+{:04X}", u32::from(character))
            } else {
                format!("`{character}`")
            })
        })
    }

    /// Hands over what has come of a large document.
    fn parse_early(&mut self) {
        let Some(scan) = &mut self.scan else {
            return;
        };
        let handed = self.early.as_ref().map_or(0, |early| early.handed);
        let begins = self.position + handed;
        if let Some(cut) = scan.cut.take() {
            // Without a thread it is parsed when all of it is there.
            self.early = self.early.take().or_else(Early::start);
            if let Some(early) = &mut self.early {
                early.hand(&self.buffer[begins..cut]);
            }
        } else if self.buffer.len() - self.position >= LARGE {
            scan.seeks_cut = self.buffer.len() - begins >= PIECE;
        }
    }

    fn cut(&mut self, end: usize, line: bool, frames: &mut Vec<Frame>) {
        if let Some(early) = self.early.take() {
            let rest = self.position + early.handed;
            self.ending = Some(early.end(&self.buffer[rest..end]));
        }
        frames.push(Frame {
            start: self.position,
            end,
            place: self.place,
            line,
        });
        let bytes = &self.buffer[self.position..end];
        self.place.offset += bytes.len() as u64;
        let has_lines = self.scan.is_none_or(|scan| scan.has_lines);
        let newline = has_lines.then(|| memchr::memrchr(b'\n', bytes));
        match newline.flatten() {
            // The line ends here: nobody will ask for the column.
            None if self.buffer.get(end) == Some(&b'\n') => {}
            None => self.place.column += characters(bytes),
            Some(newline) => {
                self.place.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
                self.place.column = characters(&bytes[newline + 1..]) + 1;
            }
        }
        self.position = end;
        self.scan = None;
        self.after_element = self.in_array;
        self.expect_element = false;
    }

    /// End of the document that begins at `position`.
    ///
    /// `}`, line break, `{` cannot stand inside a JSON document, so a line of
    /// newline-delimited JSON is taken without looking into it.
    fn document_end(&mut self) -> End {
        let lines = self.lines && !self.in_array;
        // Once, when the document begins: a long one is not searched again at every read.
        if lines
            && self.scan.is_none()
            && let Some(newline) = memchr::memchr(b'\n', &self.buffer[self.position..])
        {
            let newline = self.position + newline;
            if ends_line(&self.buffer[self.position..newline])
                && self.buffer.get(newline + 1) == Some(&b'{')
            {
                return End::OfLine(newline);
            }
        }
        let mut scan = (self.scan.take()).unwrap_or_else(|| Scan::from(self.position));
        let found = scan.run(&self.buffer, !self.in_array);
        self.scan = Some(scan);
        match found {
            Found::End(end) => End::At(end),
            Found::Wrong(end) => End::Wrong(end),
            Found::Nothing => End::Beyond,
        }
    }
}

/// What stands between documents.
enum Character {
    /// A character.
    Is(String),
    /// The beginning of one.
    Torn,
    /// Bytes that are no UTF-8.
    None,
}
