//! Digests of orders: what makes an order the same one.

use sha2::{Digest, Sha256};

use crate::document::Node;

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
    let mut asked = String::with_capacity(order.raw().len());
    write(order, &mut asked);
    text(&Sha256::digest(asked))
}

fn write(order: Node<'_>, asked: &mut String) {
    for (key, value) in order.sorted_members() {
        let name = key.as_str().unwrap_or_default();
        if PROGRESS.contains(&&*name) {
            continue;
        }
        key.write_canonical(asked);
        asked.push(':');
        if ITEM_LISTS.contains(&&*name) {
            for item in value.elements() {
                asked.push('[');
                write(item, asked);
                asked.push(']');
            }
        } else {
            value.write_canonical(asked);
        }
        asked.push(',');
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
