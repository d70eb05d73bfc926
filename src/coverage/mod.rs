//! What of a catalog a corpus of orders exercises, and orders for what it does not.

mod candidates;
mod faults;
mod generate;
mod observe;
mod pairs;
mod points;
mod random;
mod reached;
mod report;
mod samples;

pub use faults::{Faulty, faulty};
pub use generate::{Generated, Wanted, generate};
pub use points::{Point, PointKind};
pub use report::{human, json, markdown};
pub use samples::Samples;

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::catalog::Catalog;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Document, DocumentKind, Node};
use crate::inventory::Inventory;
use crate::rehearsal::{Outcome, Rehearsal};

/// No order exercises something.
pub const CODE_MISSING: Code = Code("coverage/missing");

/// What there is to exercise, and what was exercised so far.
#[derive(Debug, Clone)]
pub struct Coverage<'c> {
    catalog: &'c Catalog,
    /// What there is.
    pub points: BTreeSet<Point>,
    /// What was exercised.
    pub covered: BTreeSet<Point>,
    /// Ids of the orders that were looked at.
    ids: BTreeSet<String>,
    /// Number of orders that were looked at.
    pub orders: u64,
    /// Number of those that are not acceptable: they exercise nothing.
    pub refused: u64,
}

impl<'c> Coverage<'c> {
    /// Nothing is exercised yet.
    pub fn new(catalog: &'c Catalog) -> Coverage<'c> {
        Coverage {
            catalog,
            points: points::all(catalog),
            covered: BTreeSet::new(),
            ids: BTreeSet::new(),
            orders: 0,
            refused: 0,
        }
    }

    /// Takes an order through, and notes what it exercises.
    pub fn order(
        &mut self,
        order: &Document,
        inventory: Option<&Inventory>,
        now: Option<Timestamp>,
    ) {
        self.orders += 1;
        let id = order.root().text("id").unwrap_or_default();
        self.ids.insert(id.into_owned());
        let rehearsal = Rehearsal {
            catalog: self.catalog,
            inventory,
            now,
            explain: true,
        };
        let rehearsed = rehearsal.rehearse(order);
        if !Outcome::of(&rehearsed).is_accepted() {
            self.refused += 1;
            return;
        }
        let met = observe::points(self.catalog, order, &rehearsed);
        self.covered
            .extend(met.into_iter().filter(|it| self.points.contains(it)));
    }

    /// What was not exercised.
    pub fn missing(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|it| !self.covered.contains(it))
    }

    /// A note for each thing that was not exercised, where its document stands.
    pub fn findings(&self, documents: &[Document]) -> Vec<Diagnostic> {
        let places = documents.iter().filter_map(|document| {
            let root = document.root();
            let id = root.text("id")?.into_owned();
            Some(((DocumentKind::of(document), id), root))
        });
        let places: HashMap<(DocumentKind, String), Node<'_>> = places.collect();
        let findings = self.missing().filter_map(|point| {
            let place = places.get(&point.document)?.location();
            let message = format!("{}: no order exercises {point}", point.kind.name());
            Some(Diagnostic::new(
                CODE_MISSING,
                Severity::Note,
                place,
                message,
            ))
        });
        findings.collect()
    }

    /// Share of what was exercised, in percent; 100 of nothing.
    pub fn percent(&self) -> f64 {
        percent(self.covered.len(), self.points.len())
    }

    /// One line: orders, and how much they exercise.
    pub fn summary(&self) -> String {
        let orders = crate::diagnostic::report::counted(self.orders, "order");
        let refused = match self.refused {
            0 => String::new(),
            count => format!(" ({count} not acceptable)"),
        };
        format!(
            "{orders}{refused}: {:.1} % exercised, {} of {}",
            self.percent(),
            self.covered.len(),
            self.points.len()
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 100.0;
    }
    // Never 100 where something is missing.
    (part as f64 * 1000.0 / whole as f64).floor() / 10.0
}
