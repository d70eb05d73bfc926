//! What a unit has to write, in pieces: what is large is neither copied nor
//! moved while the rest grows.

use std::io::{self, Write};
use std::ops::ControlFlow;

use orderctl::document::{Document, SharedText};
use orderctl::plan::PlanText;
use orderctl::progress::Written;

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
    Plan(PlanText),
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

    /// A document of a chain that has moved on, as a line.
    pub fn written(&mut self, written: Written<'_>) {
        match written {
            Written::AsItWas(document) => self.document(document),
            Written::Anew { document, text } if document.compact().is_some() => {
                if text.len() < LARGE {
                    self.text(&text);
                } else {
                    self.0.push(Piece::Document(text.into()));
                }
                self.bytes().push(b'\n');
            }
            anew @ Written::Anew { .. } => self.document(&anew.into_document()),
        }
    }

    /// A plan as a line.
    pub fn plan(&mut self, plan: PlanText) {
        match plan.whole() {
            Some(text) => self.bytes().extend_from_slice(text),
            None => self.0.push(Piece::Plan(plan)),
        }
        self.bytes().push(b'\n');
    }

    /// Text as it stands.
    pub fn text(&mut self, text: &str) {
        self.bytes().extend_from_slice(text.as_bytes());
    }

    /// Nothing is to be written after all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Hands all of it to `take`, in its sequence, until it wants no more.
    pub fn pieces<B>(self, mut take: impl FnMut(&[u8]) -> ControlFlow<B>) -> ControlFlow<B> {
        self.0.into_iter().try_for_each(|piece| match piece {
            Piece::Bytes(bytes) => take(&bytes),
            Piece::Document(text) => take(text.as_bytes()),
            Piece::Plan(plan) => plan.pieces(&mut take),
        })
    }

    /// All of it as one text.
    pub fn joined(self) -> Vec<u8> {
        let mut joined = Vec::new();
        let _all = self.pieces(|piece| {
            joined.extend_from_slice(piece);
            ControlFlow::<()>::Continue(())
        });
        joined
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
        for document in [&small, &large, &spaced] {
            let text = document.text().to_owned();
            lines.written(Written::Anew { document, text });
            lines.written(Written::AsItWas(document));
        }
        lines.text("end");
        let small = "{\"id\":\"1\"}\n";
        let expected = format!(
            "{text}\n{{\"id\":\"1\"}}\n{text}\n{text}\n{small}{small}{}end",
            format!("{text}\n").repeat(4)
        );
        assert_eq!(String::from_utf8_lossy(&lines.joined()), expected);
        let mut cleared = Lines::default();
        cleared.document(&large);
        cleared.clear();
        assert!(cleared.joined().is_empty());
    }

    #[test]
    fn what_grows_is_cut_into_pieces() {
        let mut lines = Lines::default();
        let line = [b'x'; 1000];
        for _ in 0..3000 {
            lines.write_all(&line).expect("memory takes all");
        }
        let mut length = 0;
        let whole = lines.pieces(|piece| {
            length += piece.len();
            if piece.len() <= FULL + line.len() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(piece.len())
            }
        });
        assert_eq!((whole, length), (ControlFlow::Continue(()), 3_000_000));
    }
}
