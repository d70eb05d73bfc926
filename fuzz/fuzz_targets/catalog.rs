//! Documents of a catalog.

#![no_main]

use libfuzzer_sys::fuzz_target;
use orderctl::catalog;
use orderctl::document::Stream;

fuzz_target!(|bytes: &[u8]| {
    let mut stream = Stream::new(bytes, "-");
    let mut documents = Vec::new();
    while let Some(batch) = stream.next_batch() {
        documents.extend(batch.parse().0);
    }
    drop(catalog::load_documents(&documents));
});
