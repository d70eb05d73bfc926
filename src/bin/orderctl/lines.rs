//! What a unit has to write, in pieces: what is large is neither copied nor
//! moved while the rest grows.

use std::io::{self, Write};

use orderctl::document::{Document, SharedText};

/// A piece that has so many bytes gets no more.
const FULL: usize = 1 << 20;

/// A document of so many bytes is a piece of its own, and not copied.
const LARGE: usize = 1 << 16;

/// Lines of documents, or of any text.
#[derive(Debug, Default)]
pub struct Lines(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    Document(SharedText),
}

impl Lines {
    /// A document as a line.
    pub fn document(&mut self, document: &Document) {
        match document.compact().filter(|text| text.len() >= LARGE) {
            Some(text) => self.0.push(Piece::Document(text)),
            None => document.write_compact(self.bytes()),
        }
        self.bytes().push(b'\n');
    }

    /// Bytes as they stand, which are not copied where they are many.
    pub fn piece(&mut self, bytes: Vec<u8>) {
        if bytes.len() < LARGE {
            self.bytes().extend_from_slice(&bytes);
        } else {
            self.0.push(Piece::Bytes(bytes));
        }
    }

    /// Text as it stands.
    pub fn text(&mut self, text: &str) {
        self.bytes().extend(text.bytes());
    }

    /// Nothing is to be written after all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All of it, in its sequence. No piece is empty.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let bytes = self.0.iter().map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.as_slice(),
            Piece::Document(text) => text.as_bytes(),
        });
        bytes.filter(|bytes| !bytes.is_empty())
    }

    /// Where bytes are added.
    fn bytes(&mut self) -> &mut Vec<u8> {
        let has_room = |piece: &Piece| matches!(piece, Piece::Bytes(bytes) if bytes.len() < FULL);
        if !self.0.last().is_some_and(has_room) {
            let room = if self.0.is_empty() { 0 } else { FULL };
            self.0.push(Piece::Bytes(Vec::with_capacity(room)));
        }
        match self.0.last_mut() {
            Some(Piece::Bytes(bytes)) => bytes,
            _ => unreachable!("a piece with room was just seen to"),
        }
    }
}

impl Write for Lines {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    // JSON is written token by token: most of them find a piece with room.
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.0.last_mut() {
            Some(Piece::Bytes(last)) if last.len() < FULL => last.extend_from_slice(bytes),
            _ => self.bytes().extend_from_slice(bytes),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(lines: &Lines) -> Vec<u8> {
        lines.pieces().flatten().copied().collect()
    }

    #[test]
    fn large_and_small_documents_come_out_as_they_went_in() {
        let small = Document::parse("{\"id\": \"1\"}".to_owned(), "").expect("JSON");
        let text = format!("{{\"id\":\"{}\"}}", "2".repeat(LARGE));
        let large = Document::parse(text.clone(), "").expect("JSON");
        let spaced = Document::parse(text.replace(':', ": "), "").expect("JSON");
        let mut lines = Lines::default();
        for document in [&large, &small, &spaced, &large] {
            lines.document(document);
        }
        lines.text("end");
        lines.piece(vec![b'.'; 3]);
        lines.piece(vec![b'-'; LARGE]);
        lines.text("!");
        let piece = "-".repeat(LARGE);
        let expected = format!("{text}\n{{\"id\":\"1\"}}\n{text}\n{text}\nend...{piece}!");
        assert_eq!(String::from_utf8_lossy(&written(&lines)), expected);
        lines.clear();
        assert_eq!(lines.pieces().count(), 0);
    }

    #[test]
    fn what_grows_is_cut_into_pieces() {
        let mut lines = Lines::default();
        let line = [b'x'; 1000];
        for _ in 0..3000 {
            lines.write_all(&line).expect("memory takes all");
        }
        assert_eq!(written(&lines).len(), 3_000_000);
        assert!(lines.pieces().all(|piece| piece.len() <= FULL + line.len()));
    }
}
