//! Orders to the orders below them, by the catalog.
//!
//! Two steps. COM: each item of a product order becomes the service order
//! items that its product specification needs (customer-facing services). SOM:
//! each service order item becomes the resource order items that its
//! resource-facing services need. Both steps read the order above as a
//! document, so that it does not matter whether it was just derived or comes
//! from another process.
//!
//! Ids are computed: `<order>.S` and `<order>.R` for orders, `<item above>.<id
//! of the specification>` for items.
//!
//! With an installed base ([`crate::inventory`]) the actions modify, delete and
//! noChange are about what is there: the items below are compared with it, carry
//! only what changes, and name it by its own ids. Nothing below a noChange item of a
//! service order changes: of that only what lies between what changes gets an item
//! (`staying`). An item that changes or removes a service or resource holds it as
//! it is installed, too: what stays of it is known beside what changes, and undoing
//! sets it back. Without one, every item below gets the action of the item above.

mod around;
mod com;
mod dependencies;
mod expand;
pub mod explain;
mod faults;
mod loops;
mod mapping;
mod shared;
mod som;
mod standing;
mod staying;
mod step;
mod write;

pub use com::{needs_no_service, service_order};
pub use explain::{Asked, Explanation, Outcome, Story, Tried};
pub use som::resource_order;
pub use standing::Change;

use crate::catalog::Catalog;
use crate::diagnostic::Diagnostic;
use crate::document::Document;
use crate::inventory::Inventory;

/// What orders are decomposed with.
#[derive(Debug, Clone, Copy)]
pub struct Decomposer<'c> {
    /// What there is to be made.
    pub catalog: &'c Catalog,
    /// What there is; without one, actions are only handed down.
    pub inventory: Option<&'c Inventory>,
    /// Whether every step is explained.
    pub explain: bool,
}

/// What came of one step.
#[derive(Debug, Default)]
pub struct Derived {
    /// The order below; `None` if there is nothing to order there.
    pub document: Option<Document>,
    /// Why each item was made, and why others were not, in catalog order.
    pub explanations: Vec<Explanation>,
}

/// The faults that kept an order from being decomposed: nothing of it was.
#[derive(Debug)]
pub struct NotDecomposable(pub Vec<Diagnostic>);
