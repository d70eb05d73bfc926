//! The hash chain over the entries of an order. Pure.
//!
//! Every entry is hashed with the hash of the one before it; the first one
//! with a hash of what the order was taken on with. What somebody changes,
//! removes or puts elsewhere afterwards no longer fits to what comes after it.
//! There is no key in it: it finds accidents and what is done in silence, not
//! somebody who writes all hashes anew.

use sha2::{Digest as _, Sha256};

/// SHA-256.
pub(super) type Hash = [u8; 32];

/// What an order was taken on with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    /// The how-manieth order of the journal it is, from 1.
    pub number: i64,
    pub order_id: &'a str,
    pub external_id: Option<&'a str>,
    /// Digest of its plan.
    pub digest: &'a str,
    pub tasks: u32,
}

impl Origin<'_> {
    /// What the hash of the first entry continues, given those of the documents.
    pub(super) fn hash(&self, documents: &[Hash]) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(self.number.to_be_bytes());
        text(&mut hasher, Some(self.order_id));
        text(&mut hasher, self.external_id);
        text(&mut hasher, Some(self.digest));
        hasher.update(self.tasks.to_be_bytes());
        for document in documents {
            hasher.update(document);
        }
        hasher.finalize().into()
    }
}

/// Hash of a document.
pub(super) fn document(text: &str) -> Hash {
    Sha256::digest(text).into()
}

/// Hash of what an entry says, whatever its place.
pub(super) fn content(at: &str, kind: &str, task: Option<&str>, detail: &str) -> Hash {
    let mut hasher = Sha256::new();
    text(&mut hasher, Some(at));
    text(&mut hasher, Some(kind));
    text(&mut hasher, task);
    text(&mut hasher, Some(detail));
    hasher.finalize().into()
}

/// Hash of an entry: of what it says, and of everything before it.
pub(super) fn next(previous: &Hash, seq: i64, content: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(seq.to_be_bytes());
    hasher.update(content);
    hasher.finalize().into()
}

/// With its length, so that nothing can move from one text to the next.
fn text(hasher: &mut Sha256, text: Option<&str>) {
    match text {
        Some(text) => {
            hasher.update([1]);
            hasher.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(text);
        }
        None => hasher.update([0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin<'static> = Origin {
        number: 1,
        order_id: "1",
        external_id: None,
        digest: "sha256:0",
        tasks: 2,
    };

    #[test]
    fn whatever_is_changed_or_moved_changes_the_hash() {
        let all = [
            ORIGIN.hash(&[document("{}"), document("[]")]),
            ORIGIN.hash(&[document("[]"), document("{}")]),
            ORIGIN.hash(&[document("{}[]")]),
            ORIGIN.hash(&[]),
            Origin {
                number: 2,
                ..ORIGIN
            }
            .hash(&[]),
            Origin {
                external_id: Some(""),
                ..ORIGIN
            }
            .hash(&[]),
            Origin { tasks: 3, ..ORIGIN }.hash(&[]),
            content("a", "b", Some("c"), "d"),
            content("a", "bc", None, "d"),
            content("a", "b", Some(""), "cd"),
            content("a", "b", None, "cd"),
            next(&[0; 32], 1, &[0; 32]),
            next(&[0; 32], 2, &[0; 32]),
            next(&[1; 32], 1, &[0; 32]),
            next(&[0; 32], 1, &[1; 32]),
        ];
        for (at, hash) in all.iter().enumerate() {
            assert!(!all[..at].contains(hash), "{at}");
        }
    }
}
