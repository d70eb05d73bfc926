//! Bytes to documents: one object, an array of objects, concatenated or
//! newline-delimited objects, mixed.
//!
//! A stream is cut into *batches* at the ends of documents, so that batches
//! can be parsed on other threads. Where a stream is cut never depends on how
//! the bytes happened to arrive.

use std::io::{self, Read};
use std::sync::Arc;

use super::parse::{MAXIMUM_DEPTH, SyntaxFaultKind, parse_value};
use super::tape::{Document, Origin};

/// Largest document that is read, in bytes.
pub const MAXIMUM_DOCUMENT: usize = 1 << 30;

/// As much as a pipe holds: a larger buffer would be cleared anew for every read.
const READ_SIZE: usize = 64 * 1024;
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

fn first_place(file: &str, first: Option<(u64, u64)>) -> String {
    first.map_or(String::new(), |(line, column)| format!(", first at {file}:{line}:{column}"))
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
}

/// Some documents' bytes, to be parsed wherever there is time.
#[derive(Debug)]
pub struct Batch {
    file: Arc<str>,
    bytes: Vec<u8>,
    frames: Vec<Frame>,
    /// The stream ends here with this error, after the documents above.
    error: Option<StreamError>,
}

impl Batch {
    /// Size in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Parses the batch: its documents, and the error that ends the stream, if one does.
    pub fn parse(self) -> (Vec<Document>, Option<StreamError>) {
        let Batch { file, bytes, frames, error } = self;
        let mut documents = Vec::with_capacity(frames.len());
        let (text, encoding) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(fault) => {
                let valid = fault.utf8_error().valid_up_to();
                let mut bytes = fault.into_bytes();
                bytes.truncate(valid);
                let text = String::from_utf8(bytes).unwrap_or_default();
                (text, Some(valid))
            }
        };
        let text = Arc::new(text);
        let mut guess = 64;
        for frame in frames {
            if let Some(valid) = encoding
                && frame.end > valid
            {
                let (line, column) =
                    advance(frame.place, &text[frame.start.min(valid)..]);
                let offset = frame.place.offset + (valid - frame.start.min(valid)) as u64;
                let file = file.to_string();
                return (documents, Some(StreamError::Encoding { file, line, column, offset }));
            }
            let mut position = frame.start;
            let mut place = frame.place;
            let inside = &text[..frame.end];
            loop {
                let mut entries = Vec::with_capacity(guess);
                let parsed = match parse_value(inside, position, &mut entries) {
                    Ok(parsed) => parsed,
                    Err(fault) => {
                        let (line, column) = advance(place, &text[position..fault.offset]);
                        let first = match &fault.kind {
                            SyntaxFaultKind::DuplicateKey { first, .. } => {
                                Some(advance(place, &text[position..*first]))
                            }
                            _ => None,
                        };
                        let file = file.to_string();
                        let kind = fault.kind;
                        let error = StreamError::Syntax { file, line, column, first, kind };
                        return (documents, Some(error));
                    }
                };
                guess = entries.len() + 8;
                let (line, column) = advance(place, &text[position..parsed.start]);
                documents.push(Document {
                    text: Arc::clone(&text),
                    start: parsed.start,
                    end: parsed.end,
                    entries,
                    origin: Origin { file: Arc::clone(&file), line, column },
                    spaced: parsed.spaced,
                    places: None,
                });
                if inside[parsed.end..].trim_ascii().is_empty() {
                    break;
                }
                let (line, column) = advance(place, &text[position..parsed.end]);
                place = Place { offset: place.offset + (parsed.end - position) as u64, line, column };
                position = parsed.end;
            }
        }
        (documents, error)
    }
}

/// Line and column after `text`, which begins at `place`.
fn advance(place: Place, text: &str) -> (u64, u64) {
    match memchr::memrchr(b'\n', text.as_bytes()) {
        None => (place.line, place.column + text.chars().count() as u64),
        Some(newline) => {
            let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64;
            (place.line + lines, text[newline + 1..].chars().count() as u64 + 1)
        }
    }
}

fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64
}

/// Progress of the search for a document's end.
#[derive(Debug, Clone, Copy, Default)]
struct Scan {
    position: usize,
    depth: usize,
    in_string: bool,
}

enum End {
    At(usize),
    TooDeep(usize),
    Beyond,
}

/// Reads a stream of documents in batches.
#[derive(Debug)]
pub struct Stream<R> {
    reader: R,
    file: Arc<str>,
    buffer: Vec<u8>,
    /// First byte of the buffer that is in no batch yet.
    position: usize,
    place: Place,
    in_array: bool,
    /// Inside an array: whether an element has to come next.
    expect_element: bool,
    /// Inside an array: whether an element has just been read.
    after_element: bool,
    scan: Option<Scan>,
    ended: bool,
    done: bool,
}

impl<R: Read> Stream<R> {
    /// A stream over `reader`; `file` is its name in messages.
    pub fn new(reader: R, file: &str) -> Stream<R> {
        Stream {
            reader,
            file: Arc::from(file),
            buffer: Vec::new(),
            position: 0,
            place: Place { offset: 0, line: 1, column: 1 },
            in_array: false,
            expect_element: false,
            after_element: false,
            scan: None,
            ended: false,
            done: false,
        }
    }

    /// The next batch: everything complete that a read has brought; `None` at the end.
    pub fn next_batch(&mut self) -> Option<Batch> {
        while !self.done {
            let mut frames = Vec::new();
            let error = self.frames(&mut frames);
            self.done = error.is_some();
            if frames.is_empty() && error.is_none() {
                if self.ended {
                    self.done = true;
                } else if let Err(source) = self.fill() {
                    self.done = true;
                    let error = Some(StreamError::Read { file: self.file.to_string(), source });
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
        let bytes = self.buffer[begin..end].to_vec();
        Batch { file: Arc::clone(&self.file), bytes, frames, error }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.position > 0 {
            self.buffer.drain(..self.position);
            if let Some(scan) = &mut self.scan {
                scan.position -= self.position;
            }
            self.position = 0;
        }
        let filled = self.buffer.len();
        let more = READ_SIZE.max(filled.min(MAXIMUM_DOCUMENT / 8));
        self.buffer.resize(filled + more, 0);
        loop {
            match self.reader.read(&mut self.buffer[filled..]) {
                Ok(read) => {
                    self.buffer.truncate(filled + read);
                    self.ended = read == 0;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.truncate(filled);
                    return Err(error);
                }
            }
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
                    End::At(end) => self.cut(end, frames),
                    End::Beyond if self.ended => {
                        // The torn end: the parser says what is missing.
                        self.cut(self.buffer.len(), frames);
                        return None;
                    }
                    End::Beyond => {
                        if self.buffer.len() - self.position > MAXIMUM_DOCUMENT {
                            let (file, line) = (self.file.to_string(), self.place.line);
                            return Some(StreamError::TooLarge { file, line });
                        }
                        return None;
                    }
                    End::TooDeep(at) => {
                        let before = String::from_utf8_lossy(&self.buffer[self.position..at]);
                        let (line, column) = advance(self.place, &before);
                        self.place.line = line;
                        self.place.column = column;
                        return Some(self.syntax(SyntaxFaultKind::TooDeep));
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
                other if self.after_element => {
                    let kind = SyntaxFaultKind::Unexpected {
                        expected: "`,` or `]`",
                        found: format!("`{}`", other.escape_ascii()),
                    };
                    return Some(self.syntax(kind));
                }
                b'"' => return Some(self.not_an_object("a string")),
                b'[' => return Some(self.not_an_object("an array")),
                b'-' | b'0'..=b'9' => return Some(self.not_an_object("a number")),
                b't' | b'f' | b'n' => return Some(self.not_an_object("a literal")),
                0x80.. if std::str::from_utf8(&self.buffer[self.position..])
                    .is_err_and(|fault| fault.valid_up_to() == 0 && fault.error_len().is_some()) =>
                {
                    return Some(StreamError::Encoding {
                        file: self.file.to_string(),
                        line: self.place.line,
                        column: self.place.column,
                        offset: self.place.offset,
                    });
                }
                other => {
                    let found = format!("`{}`", other.escape_ascii());
                    return Some(self.not_an_object(&found));
                }
            }
        }
        if self.ended && self.in_array {
            return Some(self.syntax(SyntaxFaultKind::Torn { inside: "an array" }));
        }
        None
    }

    fn cut(&mut self, end: usize, frames: &mut Vec<Frame>) {
        frames.push(Frame { start: self.position, end, place: self.place });
        let bytes = &self.buffer[self.position..end];
        self.place.offset += bytes.len() as u64;
        match memchr::memrchr(b'\n', bytes) {
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
        if !self.in_array
            && let Some(newline) = memchr::memchr(b'\n', &self.buffer[self.position..])
        {
            let newline = self.position + newline;
            let line = self.buffer[self.position..newline].trim_ascii_end();
            if line.ends_with(b"}") && self.buffer.get(newline + 1) == Some(&b'{') {
                return End::At(newline);
            }
        }
        let start = Scan { position: self.position, ..Scan::default() };
        let mut scan = self.scan.take().unwrap_or(start);
        let end = scan.run(&self.buffer);
        self.scan = Some(scan);
        end
    }
}

impl Scan {
    fn run(&mut self, buffer: &[u8]) -> End {
        while self.position < buffer.len() {
            if self.in_string {
                match memchr::memchr2(b'"', b'\\', &buffer[self.position..]) {
                    None => {
                        self.position = buffer.len();
                        return End::Beyond;
                    }
                    Some(stop) => {
                        let at = self.position + stop;
                        if buffer[at] == b'"' {
                            self.in_string = false;
                            self.position = at + 1;
                        } else if at + 1 < buffer.len() {
                            self.position = at + 2;
                        } else {
                            // The escaped byte has not arrived: look again then.
                            self.position = at;
                            return End::Beyond;
                        }
                    }
                }
                continue;
            }
            match buffer[self.position] {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth > MAXIMUM_DEPTH {
                        return End::TooDeep(self.position);
                    }
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return End::At(self.position + 1);
                    }
                }
                _ => {}
            }
            self.position += 1;
        }
        End::Beyond
    }
}
