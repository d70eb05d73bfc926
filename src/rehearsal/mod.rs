//! An order taken through validation, decomposition and planning in one go, and what came of it as
//! facts that can be kept and compared.

mod difference;
mod expected;
mod judge;
mod outcome;

pub use difference::{About, Change, Difference, FactChange, differences};
pub use expected::{ExpectedError, FORMAT_VERSION, read, write};
pub use judge::{judge, left_over};
pub use outcome::{Entity, Facts, Finding, Outcome};

use jiff::Timestamp;

use crate::catalog::Catalog;
use crate::chain::{Chain, order_name};
use crate::decompose::{self, Decomposer, Derived, Explanation, NotDecomposable};
use crate::diagnostic::Diagnostic;
use crate::document::{Document, DocumentKind};
use crate::inventory::Inventory;
use crate::model::ServiceOrder;
use crate::model::version5::flattened;
use crate::plan::flow::OrchestrationPlan;
use crate::plan::{NotPlanned, Planning};
use crate::validate::{ValidOrder, Validation};

/// What orders are rehearsed with.
#[derive(Debug, Clone, Copy)]
pub struct Rehearsal<'c> {
    /// The catalog.
    pub catalog: &'c Catalog,
    /// What is installed, if anything is known of that.
    pub inventory: Option<&'c Inventory>,
    /// The moment taken as now.
    pub now: Option<Timestamp>,
    /// Whether every step is explained.
    pub explain: bool,
}

/// What came of an order.
#[derive(Debug, Default)]
pub struct Rehearsed {
    /// Name of the order.
    pub order: String,
    /// What was found in it on the way, errors and warnings.
    pub findings: Vec<Diagnostic>,
    /// The orders that were derived from it.
    pub derived: Vec<Document>,
    /// The plan, if it came that far.
    pub plan: Option<OrchestrationPlan>,
    /// Why items were made, and why not.
    pub explanations: Vec<Explanation>,
}

/// Whether a document is an order that can be rehearsed: one that is not derived from another one.
pub fn is_root_order(document: &Document) -> bool {
    match DocumentKind::of(document) {
        DocumentKind::ProductOrder => true,
        DocumentKind::ServiceOrder => ServiceOrder::product_order_of(document.root()).is_none(),
        _ => false,
    }
}

impl Rehearsal<'_> {
    /// Takes an order as far as it gets.
    pub fn rehearse(&self, document: &Document) -> Rehearsed {
        let mut rehearsed = Rehearsed {
            order: order_name(document),
            ..Rehearsed::default()
        };
        if let Err(findings) = self.derive(document, &mut rehearsed) {
            rehearsed.findings.extend(findings);
            return rehearsed;
        }
        let mut chain = Chain::new(document.clone());
        chain.documents.extend(rehearsed.derived.iter().cloned());
        let planning = Planning {
            catalog: Some(self.catalog),
            default_endpoint: None,
            now: self.now,
            installed: None,
        };
        match planning.plan(&chain) {
            Ok(planned) => {
                rehearsed.findings.extend(planned.warnings);
                rehearsed.plan = Some(planned.plan);
            }
            Err(NotPlanned::Faults(faults)) => rehearsed.findings.extend(faults),
            // There is nothing to carry out: no item was made of it.
            Err(NotPlanned::NotDecomposed { .. }) => {}
        }
        rehearsed
    }

    fn derive(&self, document: &Document, into: &mut Rehearsed) -> Result<(), Vec<Diagnostic>> {
        let flat = flattened(document);
        let document = flat.as_ref().unwrap_or(document);
        let with = Decomposer {
            catalog: self.catalog,
            inventory: self.inventory,
            explain: self.explain,
        };
        let root = self.valid(document, &mut into.findings)?;
        let is_product_order = root.product().is_some();
        let service_order = if is_product_order {
            take(decompose::service_order(&with, &root), into)?
        } else {
            Some(document.clone())
        };
        let Some(service_order) = service_order else {
            return Ok(());
        };
        let mut unused = Vec::new();
        let valid = self.valid(&service_order, &mut unused)?;
        let above = is_product_order.then_some(&root);
        let resource_order = take(decompose::resource_order(&with, &valid, above), into)?;
        if is_product_order {
            into.derived.push(service_order);
        }
        into.derived.extend(resource_order);
        Ok(())
    }

    /// The order, if it is acceptable; its warnings are kept.
    fn valid<'d>(
        &self,
        document: &'d Document,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<ValidOrder<'d>, Vec<Diagnostic>> {
        let validation = Validation {
            catalog: Some(self.catalog),
            inventory: self.inventory,
            strict: false,
            now: self.now,
        };
        let checked = validation.check(document);
        match checked.order {
            Some(order) => {
                warnings.extend(checked.diagnostics);
                Ok(order)
            }
            None => Err(checked.diagnostics),
        }
    }
}

fn take(
    step: Result<Derived, NotDecomposable>,
    into: &mut Rehearsed,
) -> Result<Option<Document>, Vec<Diagnostic>> {
    let derived = step.map_err(|NotDecomposable(faults)| faults)?;
    into.explanations.extend(derived.explanations);
    Ok(derived.document)
}
