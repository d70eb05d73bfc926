//! Orders that come again after they were carried out.

use std::path::Path;

use orderctl::chain::{Chain, order_name};
use orderctl::document::Document;
use orderctl::journal::JournalReader;
use orderctl::model::digest::order_digest;

use super::status;
use crate::exit::Failure;

/// The chain of an order as it stands in the journal, if it has ended there and asked for the same.
pub fn carried_out(journal: &Path, order: &Document) -> Result<Option<Chain>, Failure> {
    if !journal.exists() {
        return Ok(None);
    }
    let id = order_name(order);
    let Some(stored) = JournalReader::open(journal)?.order(&id)? else {
        return Ok(None);
    };
    let chain = status::chain_of(journal, &id, &stored)?;
    let same = |root: &Document| order_digest(root.root()) == order_digest(order.root());
    let is_it = chain.ended().is_some() && chain.orders().next().is_some_and(same);
    Ok(is_it.then_some(chain))
}
