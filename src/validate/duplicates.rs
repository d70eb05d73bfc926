//! The same order twice: same type, same external id.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::HashMap;
use sha2::{Digest, Sha256};

use crate::diagnostic::{Code, Diagnostic, Location, Severity};
use crate::model::Order;

/// First half of a SHA-256 over type and external id: among a million orders
/// the chance that two of them collide is below 1 in 10^26.
type Fingerprint = [u64; 2];

/// A place in 64 bits: column in the lowest 16 (0 if it does not fit), then the line, then the
/// number of the file.
const COLUMN_BITS: u32 = 16;
const FILE_SHIFT: u32 = 52;

/// What tells an order from others; made where the order is at hand, compared
/// where orders come by in their sequence.
#[derive(Debug, Clone)]
pub struct OrderKey {
    /// Type of the order, as in `@type`.
    pub type_name: &'static str,
    /// Id of the order, if it has one.
    pub id: Option<String>,
    /// External id.
    pub external_id: String,
    file: Arc<str>,
    line: u64,
    column: u64,
    fingerprint: Fingerprint,
}

impl OrderKey {
    /// Key of an order; `None` if it has no external id.
    pub fn of(order: &Order<'_>) -> Option<OrderKey> {
        let external_id = order.external_id()?;
        let node = order.node().get("externalId")?;
        let mut hash = Sha256::new();
        hash.update(order.type_name());
        hash.update([0]);
        hash.update(external_id.as_bytes());
        let digest = hash.finalize();
        let word = |start: usize| {
            digest[start..start + 8]
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte))
        };
        let document = node.document();
        let (line, column) = document.line_and_column(node.range().start);
        Some(OrderKey {
            type_name: order.type_name(),
            id: order.id().map(ToString::to_string),
            external_id: external_id.to_string(),
            file: Arc::clone(&document.origin().file),
            line,
            column,
            fingerprint: [word(0), word(8)],
        })
    }

    /// Place of the external id.
    pub fn location(&self) -> Location {
        Location {
            file: self.file.to_string(),
            line: self.line,
            column: self.column,
            pointer: "/externalId".to_owned(),
        }
    }

    /// The finding that an order with this external id is there already.
    pub fn duplicate(&self, first: &str) -> Diagnostic {
        let message = format!(
            "a {} with the external id `{}` {first}",
            self.type_name, self.external_id
        );
        Diagnostic::new(
            Code("order/duplicate"),
            Severity::Error,
            self.location(),
            message,
        )
        .with_hint("an order that was sent twice is carried out once; a new one needs its own id")
    }
}

/// Orders seen so far in a stream, in some 40 bytes each.
#[derive(Debug, Default)]
pub struct Duplicates {
    places: HashMap<Fingerprint, u64>,
    files: Vec<Arc<str>>,
}

impl Duplicates {
    /// Notes an order; a finding if one with the same external id came before.
    pub fn note(&mut self, key: &OrderKey) -> Option<Diagnostic> {
        let column = u64::from(u16::try_from(key.column).unwrap_or(0));
        let file = self.file_number(&key.file) << FILE_SHIFT;
        let place = file | key.line << COLUMN_BITS | column;
        let first = match self.places.entry(key.fingerprint) {
            Entry::Vacant(vacant) => {
                vacant.insert(place);
                return None;
            }
            Entry::Occupied(first) => *first.get(),
        };
        let number = usize::try_from(first >> FILE_SHIFT).unwrap_or(usize::MAX);
        let related = Location {
            file: self
                .files
                .get(number)
                .map_or(String::new(), ToString::to_string),
            line: (first & ((1 << FILE_SHIFT) - 1)) >> COLUMN_BITS,
            column: first & ((1 << COLUMN_BITS) - 1),
            pointer: "/externalId".to_owned(),
        };
        let first = format!(
            "stands in the stream already, at {}:{}",
            related.file, related.line
        );
        Some(key.duplicate(&first).with_related(related))
    }

    fn file_number(&mut self, file: &Arc<str>) -> u64 {
        let found = self.files.iter().rposition(|known| known == file);
        let number = found.unwrap_or_else(|| {
            self.files.push(Arc::clone(file));
            self.files.len() - 1
        });
        number as u64
    }
}
