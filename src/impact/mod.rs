//! What a change of a catalog does to orders: each that can be affected is rehearsed under both
//! catalogs, and what comes out differently is grouped by its cause.

mod cause;
mod findings;
mod installed;
mod json;
mod near;
mod reach;
mod text;

pub use findings::{CODE_DIFFERENT, CODE_REFUSED, findings};
pub use installed::orders_of_installed;
pub use json::json;
pub use text::{human, markdown};

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::catalog::Catalog;
use crate::comparison::{Comparison, DocumentChange};
use crate::document::{Document, DocumentKind};
use crate::inventory::Inventory;
use crate::rehearsal::{Difference, Outcome, Rehearsal, differences};
use cause::{Case, Causes};
use reach::Reach;

/// Both catalogs, and what is different between them.
#[derive(Clone, Copy)]
pub struct Catalogs<'c> {
    /// Before.
    pub old: &'c Catalog,
    /// Now.
    pub new: &'c Catalog,
    /// What is different.
    pub comparison: &'c Comparison,
    /// The documents of both.
    pub documents: [&'c [Document]; 2],
}

/// Where an order comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file of orders.
    Corpus(String),
    /// It is carried out at the moment.
    InFlight,
    /// It orders a product that is installed anew.
    Installed,
}

/// An order that comes out differently, as an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Its name.
    pub order: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What is different about it by this cause.
    pub differences: Vec<Difference>,
}

/// What one cause does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The documents that are the cause, as positions in the comparison; several, where it takes
    /// all of them.
    pub cause: Vec<usize>,
    /// Number of orders that come out differently.
    pub orders: usize,
    /// Number of orders that were acceptable and no longer are.
    pub refused: usize,
    /// Number of differences.
    pub differences: usize,
    /// The first of the orders.
    pub example: Example,
}

/// What a change does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Impact {
    /// Number of orders.
    pub orders: usize,
    /// Number of those that can be affected, which were rehearsed.
    pub affected: usize,
    /// Number of those that come out differently.
    pub different: usize,
    /// Number of those that were acceptable and no longer are.
    pub refused: usize,
    /// What each cause does, by cause.
    pub effects: Vec<Effect>,
}

/// Orders on their way through both catalogs.
pub struct Trial<'c> {
    catalogs: Catalogs<'c>,
    reach: Reach<'c>,
    causes: Causes<'c>,
    now: Option<Timestamp>,
    impact: Impact,
    effects: BTreeMap<Vec<usize>, Effect>,
}

impl<'c> Trial<'c> {
    /// No order was looked at yet.
    pub fn new(catalogs: Catalogs<'c>, now: Option<Timestamp>) -> Trial<'c> {
        Trial {
            catalogs,
            reach: Reach::new(catalogs),
            causes: Causes::new(catalogs),
            now,
            impact: Impact::default(),
            effects: BTreeMap::new(),
        }
    }

    /// Looks at an order.
    pub fn order(&mut self, order: &Document, inventory: Option<&Inventory>, origin: &Origin) {
        self.impact.orders += 1;
        let touching = self.reach.touching(order, inventory);
        if touching.is_empty() {
            return;
        }
        self.impact.affected += 1;
        let at = self.now;
        let rehearse = |catalog: &Catalog| {
            let rehearsal = Rehearsal {
                catalog,
                inventory,
                now: at,
                explain: false,
            };
            Outcome::of(&rehearsal.rehearse(order))
        };
        let before = rehearse(self.catalogs.old);
        let now = rehearse(self.catalogs.new);
        let found = differences(&before, &now);
        if found.is_empty() {
            return;
        }
        self.impact.different += 1;
        let refused = before.is_accepted() && !now.is_accepted();
        self.impact.refused += usize::from(refused);
        let case = Case {
            touching: &touching,
            outcomes: [&before, &now],
            rehearse: &rehearse,
        };
        for (cause, differences) in self.causes.grouped(&case, found) {
            let example = Example {
                order: now.order.clone(),
                origin: origin.clone(),
                differences,
            };
            self.add(cause, refused, example);
        }
    }

    fn add(&mut self, cause: Vec<usize>, refused: bool, example: Example) {
        let count = example.differences.len();
        let effect = self.effects.entry(cause.clone()).or_insert(Effect {
            cause,
            orders: 0,
            refused: 0,
            differences: 0,
            example,
        });
        effect.orders += 1;
        effect.refused += usize::from(refused);
        effect.differences += count;
    }

    /// What came of it.
    pub fn finish(self) -> Impact {
        Impact {
            effects: self.effects.into_values().collect(),
            ..self.impact
        }
    }
}

impl Impact {
    /// One line: how many orders, and how many of them come out differently.
    pub fn summary(&self) -> String {
        let orders = crate::diagnostic::report::counted(self.orders as u64, "order");
        if self.affected == 0 {
            return format!("{orders}: none can be affected");
        }
        let refused = match self.refused {
            0 => String::new(),
            count => format!(", {count} no longer acceptable"),
        };
        format!(
            "{orders}: {} can be affected, {} different{refused}",
            self.affected, self.different
        )
    }
}

/// What a document is to rules: its kind and id.
fn key(document: &DocumentChange) -> (DocumentKind, &str) {
    (document.kind, &document.id)
}
