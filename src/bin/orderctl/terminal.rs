//! The standard streams: documents to standard output, words to standard
//! error.
//!
//! Invariant: a reader that closes the pipe is not an error; whoever writes is
//! told once and stops quietly.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::ops::ControlFlow;

use anstream::AutoStream;
use anstream::stream::{AsLockedWrite, RawStream};
use clap::ColorChoice;
use memchr::memchr2;
use orderctl::diagnostic::human::{self, Styling};

use crate::lines::Lines;

/// Bytes collected before they are handed to the system.
const BUFFER: usize = 64 * 1024;

/// How a document is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One document a line.
    Compact,
    /// Indented, for reading.
    Pretty,
}

/// What became of something written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "nothing more needs to be worked out once the reader is gone"]
pub enum Delivery {
    /// It is on its way.
    Written,
    /// Nobody reads any more: stop quietly, with success.
    Closed,
}

/// Output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {what}: {cause}")]
pub struct OutputError {
    what: String,
    cause: io::Error,
}

impl OutputError {
    /// Writing to `what` failed.
    pub fn new(what: &str, cause: io::Error) -> Self {
        Self {
            what: what.to_owned(),
            cause,
        }
    }
}

/// A buffered stream of documents.
pub struct Output<W: Write> {
    writer: BufWriter<W>,
    what: String,
    layout: Layout,
    /// Whether every document is shown as soon as it is written.
    immediate: bool,
    closed: bool,
    indented: Vec<u8>,
}

/// Standard output as it is. The library's own looks for the last line end in all that it writes,
/// which is documents of many megabytes here.
pub struct StandardOutput(io::Stdout);

impl Write for StandardOutput {
    #[cfg(unix)]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.0, bytes)?)
    }

    #[cfg(not(unix))]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Output<StandardOutput> {
    /// Standard output; on a terminal every document is shown at once.
    pub fn stdout(layout: Layout) -> Self {
        let stdout = io::stdout();
        let immediate = stdout.is_terminal();
        #[cfg(target_os = "linux")]
        crate::pipes::widen(&stdout);
        Self {
            immediate,
            ..Self::new(StandardOutput(stdout), "standard output", layout)
        }
    }
}

impl<W: Write> Output<W> {
    /// Documents to `writer`; `what` names it in errors.
    pub fn new(writer: W, what: &str, layout: Layout) -> Self {
        Self {
            writer: BufWriter::with_capacity(BUFFER, writer),
            what: what.to_owned(),
            layout,
            immediate: false,
            closed: false,
            indented: Vec::new(),
        }
    }

    /// Writes one document, given as compact JSON, and ends its line.
    pub fn document(&mut self, compact: &[u8]) -> Result<Delivery, OutputError> {
        if self.closed {
            return Ok(Delivery::Closed);
        }
        let written = match self.layout {
            Layout::Compact => self.writer.write_all(compact),
            Layout::Pretty => {
                self.indented.clear();
                indent(compact, &mut self.indented);
                self.writer.write_all(&self.indented)
            }
        }
        .and_then(|()| self.writer.write_all(b"\n"));
        match self.delivery(written)? {
            Delivery::Written if self.immediate => self.flush(),
            delivery => Ok(delivery),
        }
    }

    /// Writes documents, given as compact JSON, each with its line end.
    pub fn documents(&mut self, lines: Lines) -> Result<Delivery, OutputError> {
        if self.closed || self.layout == Layout::Compact {
            return match self.texts(lines)? {
                Delivery::Written if self.immediate => self.flush(),
                delivery => Ok(delivery),
            };
        }
        let joined = lines.joined();
        for line in joined
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            if self.document(line)? == Delivery::Closed {
                return Ok(Delivery::Closed);
            }
        }
        Ok(Delivery::Written)
    }

    /// Writes text that comes in pieces, as it stands.
    pub fn texts(&mut self, lines: Lines) -> Result<Delivery, OutputError> {
        let ended = lines.pieces(|piece| match self.text(piece) {
            Ok(Delivery::Written) => ControlFlow::Continue(()),
            other => ControlFlow::Break(other),
        });
        match ended {
            ControlFlow::Continue(()) => Ok(Delivery::Written),
            ControlFlow::Break(ended) => ended,
        }
    }

    /// Writes text that is no document (a table, a script) as it stands.
    pub fn text(&mut self, text: &[u8]) -> Result<Delivery, OutputError> {
        if self.closed {
            return Ok(Delivery::Closed);
        }
        let written = self.writer.write_all(text);
        self.delivery(written)
    }

    /// Hands everything written so far to the system.
    pub fn flush(&mut self) -> Result<Delivery, OutputError> {
        if self.closed {
            return Ok(Delivery::Closed);
        }
        let flushed = self.writer.flush();
        self.delivery(flushed)
    }

    fn delivery(&mut self, result: io::Result<()>) -> Result<Delivery, OutputError> {
        match result {
            Ok(()) => Ok(Delivery::Written),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(Delivery::Closed)
            }
            Err(cause) => Err(OutputError::new(&self.what, cause)),
        }
    }
}

/// Whether to colour what goes to `stream`: `--color` decides, and with `auto`
/// whether it is a terminal that can, and `NO_COLOR`, `CLICOLOR` and
/// `CLICOLOR_FORCE`.
pub fn styling<S: RawStream + AsLockedWrite>(color: ColorChoice, stream: &S) -> Styling {
    match color {
        ColorChoice::Always => Styling::Ansi,
        ColorChoice::Never => Styling::Plain,
        ColorChoice::Auto => match AutoStream::choice(stream) {
            anstream::ColorChoice::Never => Styling::Plain,
            _ => Styling::Ansi,
        },
    }
}

/// Writes to standard error, in one piece. When that fails there is nobody to
/// tell.
pub fn write_stderr(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// The error that ends the run, on standard error; also with `-q`.
pub fn report_failure(message: &str, styling: Styling) {
    write_stderr(&format!("{}\n", human::failure(message, styling)));
}

/// A line about the run on standard error.
pub fn report_note(message: &str, styling: Styling) {
    let label = styling.style(anstyle::Style::new().bold());
    write_stderr(&format!("{label}note:{label:#} {message}\n"));
}

/// Lays a JSON text out with two spaces a level, as jq does. Only white space
/// between tokens changes: numbers and escapes stay byte for byte. A text that
/// is not JSON comes out in some layout, never as a panic.
pub fn indent(json: &[u8], out: &mut Vec<u8>) {
    out.reserve(json.len() * 2);
    let mut depth = 0_usize;
    // An opened object or array whose first member is not there yet.
    let mut just_opened = false;
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        let mut end = at + 1;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !std::mem::take(&mut just_opened) {
                    new_line(depth, out);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                new_line(depth, out);
            }
            b':' => out.extend_from_slice(b": "),
            _ => {
                if std::mem::take(&mut just_opened) {
                    new_line(depth, out);
                }
                match byte {
                    b'{' | b'[' => {
                        depth += 1;
                        just_opened = true;
                    }
                    b'"' => end = end_of_string(json, end),
                    _ => {}
                }
                out.extend_from_slice(&json[at..end]);
            }
        }
        at = end;
    }
}

fn new_line(depth: usize, out: &mut Vec<u8>) {
    out.push(b'\n');
    out.resize(out.len() + 2 * depth, b' ');
}

/// Where the string ends whose content starts at `at`: after its quote, or at
/// the end of the text.
fn end_of_string(json: &[u8], mut at: usize) -> usize {
    while let Some(offset) = json.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += offset;
        if json[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn indented(json: &str) -> String {
        let mut out = Vec::new();
        indent(json.as_bytes(), &mut out);
        String::from_utf8(out).expect("UTF-8 stays UTF-8")
    }

    #[test]
    fn layout_is_that_of_jq() {
        assert_eq!(
            indented(r#"{"id":"1","a":[1,{"b":null}],"e":{},"f":[]}"#),
            "{\n  \"id\": \"1\",\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"e\": {},\n  \"f\": []\n}"
        );
        assert_eq!(indented("42"), "42");
    }

    #[test]
    fn numbers_and_escapes_stay_byte_for_byte() {
        let text = r#"[1.0,1e999,-0,12345678901234567890123,"\u00e9\/\"{[,:]}\\","é"]"#;
        let laid_out = indented(text);
        assert_eq!(
            laid_out,
            "[\n  1.0,\n  1e999,\n  -0,\n  12345678901234567890123,\n  \"\\u00e9\\/\\\"{[,:]}\\\\\",\n  \"é\"\n]"
        );
        assert_eq!(laid_out.replace([' ', '\n'], ""), text);
    }

    #[test]
    fn white_space_that_was_there_does_not_add_up() {
        let once = indented(r#"{"a":[{},[ ],"b c"],"d":true}"#);
        assert_eq!(indented(&once), once);
    }

    #[test]
    fn a_torn_text_comes_out_without_a_panic() {
        for torn in [
            "", "\"", "\"\\", "\"a\\\"", "{\"a", "]]]}}", "[,]:", "{\"a\":",
        ] {
            let _ = indented(torn);
        }
    }

    /// Any JSON value, nested a few levels.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn layout_is_that_of_serde_json(value in json()) {
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            prop_assert_eq!(indented(&value.to_string()), pretty.clone());
            prop_assert_eq!(indented(&pretty), pretty);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            indent(&bytes, &mut Vec::new());
        }
    }

    /// A pipe whose reader goes away after some bytes.
    struct Pipe {
        room: usize,
        kind: io::ErrorKind,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                return Err(self.kind.into());
            }
            let taken = bytes.len().min(self.room);
            self.room -= taken;
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_told_and_stays_closed() {
        let pipe = Pipe {
            room: 10,
            kind: io::ErrorKind::BrokenPipe,
        };
        let mut output = Output::new(pipe, "the pipe", Layout::Compact);
        let document = vec![b'1'; 2 * BUFFER];
        assert_eq!(
            output.document(&document).expect("no error"),
            Delivery::Closed
        );
        assert_eq!(output.text(b"more").expect("no error"), Delivery::Closed);
        assert_eq!(output.flush().expect("no error"), Delivery::Closed);
    }

    #[test]
    fn a_full_disk_is_an_error_that_names_the_output() {
        let disk = Pipe {
            room: 0,
            kind: io::ErrorKind::StorageFull,
        };
        let mut output = Output::new(disk, "rejects.ndjson", Layout::Compact);
        assert_eq!(output.document(b"{}").expect("buffered"), Delivery::Written);
        let error = output.flush().expect_err("the disk is full");
        assert_eq!(
            error.to_string(),
            "cannot write rejects.ndjson: no storage space"
        );
    }

    #[test]
    fn every_document_ends_its_line() {
        let mut bytes = Vec::new();
        let mut output = Output::new(&mut bytes, "a list", Layout::Compact);
        for document in ["{}", "[1]"] {
            assert_eq!(
                output.document(document.as_bytes()).expect("no error"),
                Delivery::Written
            );
        }
        assert_eq!(output.flush().expect("no error"), Delivery::Written);
        drop(output);
        assert_eq!(bytes, b"{}\n[1]\n");
    }

    #[test]
    fn the_flag_decides_about_colours_before_anything_else() {
        let stream = io::stderr();
        assert_eq!(styling(ColorChoice::Always, &stream), Styling::Ansi);
        assert_eq!(styling(ColorChoice::Never, &stream), Styling::Plain);
    }
}
