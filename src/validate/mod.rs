//! Is an order acceptable? Structure against the schemas, then meaning.
//!
//! Each rule of meaning is a file under `rules`; [`rules::RULES`] is the table
//! of them. Every fault is found in one run.

mod duplicates;
mod formats;
pub(crate) mod ordered;
mod reject;
pub mod rules;
mod standard;

use std::ops::Deref;

use foldhash::HashSet;
use jiff::Timestamp;

pub use duplicates::{Duplicates, OrderKey};
pub use reject::rejected;

use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Severity, has_errors};
use crate::document::{Document, DocumentKind};
use crate::inventory::Inventory;
use crate::model::date::DateReading;
use crate::model::{Order, ProductOrder, ResourceOrder, ServiceOrder};
use crate::schemas;

/// What orders are checked against.
#[derive(Debug, Clone, Copy, Default)]
pub struct Validation<'c> {
    /// Without a catalog only structure and consistency are checked.
    pub catalog: Option<&'c Catalog>,
    /// What is installed, over which constraints are judged, and what may be required.
    pub inventory: Option<&'c Inventory>,
    /// Whether warnings count as errors.
    pub strict: bool,
    /// Moment at which offerings have to be orderable; by default that of the order itself
    /// (`orderDate`).
    pub now: Option<Timestamp>,
}

/// What came of checking one document.
#[derive(Debug)]
pub struct Checked<'d> {
    /// Findings in the order of the document.
    pub diagnostics: Vec<Diagnostic>,
    /// The order, if it is one and may be processed.
    pub order: Option<ValidOrder<'d>>,
    /// Whether the document may be passed on.
    pub accepted: bool,
}

/// An order that was found acceptable. Only [`Validation::check`] makes one.
#[derive(Debug, Clone)]
pub struct ValidOrder<'d>(Order<'d>);

impl<'d> Deref for ValidOrder<'d> {
    type Target = Order<'d>;

    fn deref(&self) -> &Order<'d> {
        &self.0
    }
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a, 'd> {
    /// The order.
    pub order: &'a Order<'d>,
    /// The catalog, if there is one.
    pub catalog: Option<&'a Catalog>,
    /// What is installed, if it is known.
    pub inventory: Option<&'a Inventory>,
    /// The moment of the order, if it is known.
    pub moment: Option<Timestamp>,
}

impl Validation<'_> {
    /// Checks a document by what it is. Documents that are not ours are accepted as they are.
    pub fn check<'d>(&self, document: &'d Document) -> Checked<'d> {
        let kind = DocumentKind::of(document);
        self.judge(document, schemas::check(kind, document.root()))
    }

    /// As [`Validation::check`], and looks for what processing finds later or passes over in silence:
    /// formats of newer versions, plans that cannot be carried out, members that are misspelt.
    pub fn inspect<'d>(&self, document: &'d Document) -> Checked<'d> {
        let kind = DocumentKind::of(document);
        let root = document.root();
        let mut diagnostics = Vec::new();
        if let Some(newer) = formats::newer_version(kind, root) {
            diagnostics.push(newer);
        } else {
            diagnostics.extend(schemas::check(kind, root));
            diagnostics.extend(schemas::misspelt(kind, root));
            if kind == DocumentKind::OrchestrationPlan {
                formats::plan(root, &mut diagnostics);
            }
        }
        let mut checked = self.judge(document, diagnostics);
        if self.strict {
            let faults = not_said(&checked.diagnostics, standard::check(kind, root));
            checked.diagnostics.extend(faults);
            self.settle(&mut checked.diagnostics);
            checked.accepted = !has_errors(&checked.diagnostics);
            checked.order = checked.order.filter(|_| checked.accepted);
        }
        checked
    }

    fn judge<'d>(&self, document: &'d Document, mut diagnostics: Vec<Diagnostic>) -> Checked<'d> {
        let order = Order::read(document);
        if let Some(order) = &order {
            let subject = Subject {
                order,
                catalog: self.catalog,
                inventory: self.inventory,
                moment: self.now.or_else(|| moment(order)),
            };
            // A structural fault may hide others, but what can be read is still judged.
            for rule in rules::RULES {
                (rule.check)(&subject, &mut diagnostics);
            }
        }
        if !diagnostics.is_empty() {
            self.settle(&mut diagnostics);
        }
        let accepted = !has_errors(&diagnostics);
        Checked {
            diagnostics,
            order: order.filter(|_| accepted).map(ValidOrder),
            accepted,
        }
    }

    fn settle(&self, diagnostics: &mut [Diagnostic]) {
        if self.strict {
            take_warnings_as_errors(diagnostics);
        }
        diagnostics.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.code.cmp(&b.code)));
    }
}

/// The faults that are not among the findings already: something that is missing by the same words,
/// anything else at the same place.
fn not_said(findings: &[Diagnostic], faults: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let places: HashSet<(u64, u64)> = findings.iter().map(place).collect();
    let words: HashSet<_> = findings.iter().map(|it| (place(it), &it.message)).collect();
    let mut faults = faults;
    faults.retain(|fault| match fault.code.0 {
        "standard/missing" => !words.contains(&(place(fault), &fault.message)),
        _ => !places.contains(&place(fault)),
    });
    faults
}

fn place(finding: &Diagnostic) -> (u64, u64) {
    (finding.location.line, finding.location.column)
}

/// What `--strict` means.
pub fn take_warnings_as_errors(diagnostics: &mut [Diagnostic]) {
    for diagnostic in diagnostics {
        if diagnostic.severity == Severity::Warning {
            diagnostic.severity = Severity::Error;
        }
    }
}

fn moment(order: &Order<'_>) -> Option<Timestamp> {
    let text = match order {
        Order::Product(order) => order.order_date(),
        Order::Service(ServiceOrder { node, .. }) | Order::Resource(ResourceOrder { node, .. }) => {
            node.text("orderDate")
        }
    };
    DateReading::of(&text?).timestamp()
}

impl<'d> ValidOrder<'d> {
    /// The order as product order, if it is one.
    pub fn product(&self) -> Option<&ProductOrder<'d>> {
        match &self.0 {
            Order::Product(order) => Some(order),
            Order::Service(_) | Order::Resource(_) => None,
        }
    }

    /// The order as service order, if it is one.
    pub fn service(&self) -> Option<&ServiceOrder<'d>> {
        match &self.0 {
            Order::Service(order) => Some(order),
            Order::Product(_) | Order::Resource(_) => None,
        }
    }

    /// The order as resource order, if it is one.
    pub fn resource(&self) -> Option<&ResourceOrder<'d>> {
        match &self.0 {
            Order::Resource(order) => Some(order),
            Order::Product(_) | Order::Service(_) => None,
        }
    }
}
