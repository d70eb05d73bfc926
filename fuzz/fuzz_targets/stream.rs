//! Bytes to documents.

#![no_main]

use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use orderctl::document::{Document, Stream};

/// Gives its bytes a few at a time.
struct Drip<'b>(&'b [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let some = self.0.len().min(self.1).min(buffer.len());
        let (now, later) = self.0.split_at(some);
        buffer[..some].copy_from_slice(now);
        self.0 = later;
        Ok(some)
    }
}

/// The texts of the documents with their places, and the error at their end.
fn read(from: impl Read) -> (Vec<(String, u64, u64)>, Option<String>) {
    let mut stream = Stream::new(from, "-");
    let mut texts = Vec::new();
    while let Some(batch) = stream.next_batch() {
        let (documents, error) = batch.parse();
        for document in documents {
            check(&document);
            let origin = document.origin();
            texts.push((document.text().to_owned(), origin.line, origin.column));
        }
        if let Some(error) = error {
            return (texts, Some(error.to_string()));
        }
    }
    (texts, None)
}

/// The canonical text of a document is JSON, and its own canonical text.
fn check(document: &Document) {
    let canonical = document.root().canonical();
    let text = String::from_utf8(canonical.clone()).expect("UTF-8");
    let again = Document::parse(text, "-").expect("a canonical text is JSON");
    assert_eq!(again.root().canonical(), canonical);
}

fuzz_target!(|bytes: &[u8]| {
    let whole = read(bytes);
    let step = 1 + bytes.len() % 7;
    assert_eq!(read(Drip(bytes, step)), whole);
});
