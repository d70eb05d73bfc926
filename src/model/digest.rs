//! Digests of orders: what makes an order the same one.

use sha2::{Digest, Sha256};

use crate::document::{Member, Node};

/// Members of orders and items that tell how far they have come. They change
/// while an order is carried out, and a plan stays valid all the same.
const PROGRESS: [&str; 12] = [
    "state",
    "startDate",
    "completionDate",
    "expectedCompletionDate",
    "cancellationDate",
    "cancellationReason",
    "note",
    "milestone",
    "jeopardyAlert",
    "errorMessage",
    "productOrderMilestone",
    "href",
];

/// Members that list the items of an order, in all layers and versions.
pub const ITEM_LISTS: [&str; 4] = [
    "productOrderItem",
    "serviceOrderItem",
    "orderItem",
    "resourceOrderItem",
];

/// Digest of what an order asks for: all members but those that tell its progress, by what they
/// say rather than how they are written and in which sequence.
pub fn order_digest(order: Node<'_>) -> String {
    let mut asked = Asked {
        hash: Sha256::new(),
        text: Vec::with_capacity(order.raw().len().min(2 * PART)),
    };
    asked.write(order);
    asked.hash.update(&asked.text);
    text(&asked.hash.finalize())
}

/// What an order asks for, hashed in parts: a large one is not there once more.
struct Asked {
    hash: Sha256,
    text: Vec<u8>,
}

/// Bytes that are worth hashing.
const PART: usize = 1 << 14;

impl Asked {
    fn write(&mut self, order: Node<'_>) {
        for Member { name, key, value } in order.sorted_members() {
            if PROGRESS.contains(&&*name) {
                continue;
            }
            key.write_canonical(&mut self.text);
            self.text.push(b':');
            if ITEM_LISTS.contains(&&*name) {
                for item in value.elements() {
                    self.text.push(b'[');
                    self.write(item);
                    self.text.push(b']');
                    if self.text.len() > PART {
                        self.hash.update(&self.text);
                        self.text.clear();
                    }
                }
            } else {
                value.write_canonical(&mut self.text);
            }
            self.text.push(b',');
        }
    }
}

/// A SHA-256 as text: `sha256:<64 hex digits>`.
pub fn text(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity("sha256:".len() + 2 * digest.len());
    text.push_str("sha256:");
    for byte in digest {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}
