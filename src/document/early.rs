//! A large document is parsed while it arrives, by two other threads: there is
//! a tape soon after its last byte has come.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::parse::{Apart, InPieces, Parsed};
use super::tape::Entry;

/// Pieces that wait to be parsed.
const WAITING: usize = 8;

/// The parsing of a document of which not all has come yet.
#[derive(Debug)]
pub struct Early {
    pieces: SyncSender<Vec<u8>>,
    /// Pieces that have been parsed: their room is used again.
    parsed: Receiver<Vec<u8>>,
    thread: JoinHandle<Option<InPieces>>,
    /// How many bytes of the document have been handed over.
    pub handed: usize,
}

/// The parsing of a document of which all has come.
#[derive(Debug)]
pub struct Ending(JoinHandle<Option<InPieces>>);

impl Early {
    /// A thread that waits for pieces; none if the system gives none.
    pub fn start() -> Option<Early> {
        let (pieces, received) = sync_channel(WAITING);
        let (give_back, parsed) = channel();
        let thread = Builder::new().spawn(move || parse(&received, &give_back));
        let thread = thread.ok()?;
        Some(Early {
            pieces,
            parsed,
            thread,
            handed: 0,
        })
    }

    /// Hands over the next piece, which ends between two elements of a list of the document's
    /// outermost object.
    pub fn hand(&mut self, piece: &[u8]) {
        self.handed += piece.len();
        let mut room = self.parsed.try_recv().unwrap_or_default();
        room.clear();
        room.extend_from_slice(piece);
        // A thread that could not read what it got does not want more.
        let _wanted_or_not = self.pieces.send(room);
    }

    /// Hands over what is left.
    pub fn end(mut self, rest: &[u8]) -> Ending {
        self.hand(rest);
        Ending(self.thread)
    }
}

fn parse(pieces: &Receiver<Vec<u8>>, give_back: &Sender<Vec<u8>>) -> Option<InPieces> {
    let mut document = InPieces::default();
    let mut beside = None;
    let mut room = Apart::default();
    for piece in pieces {
        // If there is one behind it already, that is parsed beside it.
        let next = pieces.try_recv().ok();
        let is_shared = next.is_some();
        if let Some(bytes) = next {
            if beside.is_none() {
                beside = Some(Beside::start()?);
            }
            let start = document.length() + piece.len();
            let room = std::mem::take(&mut room);
            let next = Next { bytes, start, room };
            beside.as_ref()?.pieces.send(next).ok()?;
        }
        document.add(std::str::from_utf8(&piece).ok()?).ok()?;
        let _wanted_or_not = give_back.send(piece);
        if is_shared {
            let next = beside.as_ref()?.parsed.recv().ok()?;
            document.join(&next.room).ok()?;
            let _wanted_or_not = give_back.send(next.bytes);
            room = next.room;
        }
    }
    Some(document)
}

/// A piece that begins so many bytes behind the document's start, and room for what it is parsed to.
struct Next {
    bytes: Vec<u8>,
    start: usize,
    room: Apart,
}

/// A thread that parses every other piece.
struct Beside {
    pieces: SyncSender<Next>,
    /// Ends with the first piece that cannot be read.
    parsed: Receiver<Next>,
}

impl Beside {
    /// None if the system gives no thread.
    fn start() -> Option<Beside> {
        let (pieces, received) = sync_channel::<Next>(1);
        let (done, parsed) = sync_channel(1);
        let parse = move || {
            for mut next in received {
                let text = std::str::from_utf8(&next.bytes).ok();
                let read = text.map(|text| next.room.parse(text, next.start));
                if !matches!(read, Some(Ok(()))) || done.send(next).is_err() {
                    return;
                }
            }
        };
        Builder::new().spawn(parse).ok()?;
        Some(Beside { pieces, parsed })
    }
}

impl Ending {
    /// The tape of the document, which stands in `text` from `start` on; none if it has to be parsed
    /// as others are.
    pub fn tape(self, text: &str, start: usize) -> Option<(Vec<Entry>, Parsed)> {
        let document = self.0.join().ok()??;
        document.finish(text, start).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::{Document, Stream, StreamError};

    /// Hands out so many bytes at a time.
    struct Slowly<'b>(&'b [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let size = self.1.min(buffer.len()).min(self.0.len());
            let (now, later) = self.0.split_at(size);
            buffer[..size].copy_from_slice(now);
            self.0 = later;
            Ok(size)
        }
    }

    /// The documents of a stream, and what ended it.
    fn read(bytes: &[u8], size: usize) -> (Vec<Document>, Option<StreamError>) {
        let mut stream = Stream::new(Slowly(bytes, size), "-");
        let mut documents = Vec::new();
        while let Some(batch) = stream.next_batch() {
            let (some, error) = batch.parse();
            documents.extend(some);
            if error.is_some() {
                return (documents, error);
            }
        }
        (documents, None)
    }

    fn items(count: usize, comma: &str) -> String {
        let item = |number| {
            format!(
                "{{\"id\":\"{number}\",\"list\":[{{\"a\":[1,{{}}]}},{{}}],\"é\\n\":{{\"x\":null}}}}"
            )
        };
        let items: Vec<String> = (0..count).map(item).collect();
        items.join(comma)
    }

    #[test]
    fn a_large_document_has_the_tape_that_it_has_when_it_is_parsed_at_once() {
        let many = 30_000;
        for (text, in_pieces) in [
            (
                format!(
                    "{{\"id\":\"1\",\"item\":[{}],\"more\":[{{}}]}}",
                    items(many, ",")
                ),
                true,
            ),
            (format!("{{\"item\":[{}]}}", items(many, ", \r\n\t")), true),
            (
                format!(
                    "{{\"one\":[{}],\"two\":[{}]}}",
                    items(many, ","),
                    items(many, ",")
                ),
                true,
            ),
            // Nowhere a place to take it apart, or none that is good for it.
            (
                format!("{{\"text\":\"{}\"}}", "[{},{}] ".repeat(many * 5)),
                false,
            ),
            (
                format!("{{\"deep\":{{\"item\":[{}]}}}}", items(many, ",")),
                false,
            ),
            (
                format!(
                    "{{\"mixed\":[{},1,{}]}}",
                    items(many, ","),
                    items(many, ",")
                ),
                true,
            ),
        ] {
            let expected = Document::parse(text.clone(), "-").expect("JSON");
            let (small, between) = ("{\"small\":1}", "\n");
            let stream = [small, &text, &text, small].join(between);
            for size in [1 << 16, 100_003, 1 << 20] {
                let (documents, error) = read(stream.as_bytes(), size);
                assert!(error.is_none(), "{error:?}");
                assert_eq!(documents.len(), 4);
                for document in &documents[1..3] {
                    assert!(document.entries == expected.entries, "{}", &text[..40]);
                    assert_eq!(document.spaced, expected.spaced);
                    assert_eq!(document.text(), text);
                }
            }
            let mut stream = Stream::new(Slowly(stream.as_bytes(), 1 << 17), "-");
            let mut early = Vec::new();
            while let Some(mut batch) = stream.next_batch() {
                early.extend(batch.is_parsed_early());
            }
            let expected = if in_pieces { vec![true; 2] } else { vec![] };
            assert_eq!(early, expected, "{}", &text[..40]);
        }
    }

    #[test]
    fn what_is_wrong_with_a_large_document_is_said_as_of_others() {
        let (first, last) = (items(30_000, ","), items(10, ","));
        for (text, message) in [
            (
                format!("{{\"id\":1,\"item\":[{first}],\"id\":2}}"),
                "duplicate key \"id\"",
            ),
            (
                format!("{{\"item\":[{first},{{\"x\":tru}},{last}]}}"),
                "expected a value",
            ),
            (
                format!("{{\"item\":[{first}],\"x\":[{last}]"),
                "ends inside an object",
            ),
            (
                format!("{{\"item\":[{first},{{\"x\":\"\u{1}\"}},{last}]}}"),
                "control character",
            ),
            (format!("{{\"item\":[{first}}}"), "expected `,` or `]`"),
        ] {
            let (documents, error) = read(text.as_bytes(), 1 << 16);
            assert!(documents.is_empty());
            let error = error.expect("it is wrong").to_string();
            assert!(error.contains(message), "{error}");
            let fault = Document::parse(text, "-").expect_err("it is wrong");
            assert!(error.contains(&fault.kind.to_string()), "{error} {fault:?}");
        }
        let mut bytes = format!("{{\"item\":[{first},{last}]}}").into_bytes();
        let place = bytes.len() / 2;
        bytes[place] = 0xFF;
        let (documents, error) = read(&bytes, 1 << 16);
        assert!(documents.is_empty());
        assert!(
            matches!(error, Some(StreamError::Encoding { offset, .. }) if offset == place as u64)
        );
    }
}
