//! Digests of orders: what makes an order the same one.

use sha2::{Digest, Sha256};

use crate::document::{Canonical, Node};

/// Whether a member of an order or item tells how far it has come. That changes while an order is
/// carried out, and a plan stays valid all the same.
fn tells_progress(name: &[u8]) -> bool {
    matches!(
        name,
        b"state"
            | b"startDate"
            | b"completionDate"
            | b"expectedCompletionDate"
            | b"cancellationDate"
            | b"cancellationReason"
            | b"note"
            | b"milestone"
            | b"jeopardyAlert"
            | b"errorMessage"
            | b"productOrderMilestone"
            | b"href"
    )
}

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
        canonical: Canonical::of(order.document()),
    };
    asked.write(order);
    asked.hash.update(&asked.text);
    text(&asked.hash.finalize())
}

/// What an order asks for, hashed in parts: a large one is not there once more.
struct Asked<'d> {
    hash: Sha256,
    text: Vec<u8>,
    canonical: Canonical<'d>,
}

/// Bytes that are worth hashing.
const PART: usize = 1 << 14;

impl<'d> Asked<'d> {
    fn write(&mut self, order: Node<'d>) {
        let members = self.canonical.open(order);
        for position in members.clone() {
            let name = self.canonical.name(position);
            if tells_progress(name) {
                continue;
            }
            if ITEM_LISTS.iter().any(|it| it.as_bytes() == name) {
                self.canonical.write_key(position, &mut self.text);
                for item in self.canonical.member(position).elements() {
                    self.text.push(b'[');
                    self.write(item);
                    self.text.push(b']');
                    if self.text.len() > PART {
                        self.hash.update(&self.text);
                        self.text.clear();
                    }
                }
            } else {
                self.canonical.write_member(position, &mut self.text);
            }
            self.text.push(b',');
        }
        self.canonical.close(&members);
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
