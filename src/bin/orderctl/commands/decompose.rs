//! `orderctl decompose`.

use std::path::PathBuf;

use orderctl::chain::{Chain, order_name};
use orderctl::decompose::{self, Decomposer, Derived, Explanation, NotDecomposable, explain};
use orderctl::diagnostic::Diagnostic;
use orderctl::document::{Document, DocumentKind};
use orderctl::model::version5::flattened;
use orderctl::project::Overrides;
use orderctl::validate::{ValidOrder, Validation};

use super::carried::carried_out;
use super::filter::{Sink, ended, pass_foreign, rejected};
use crate::cli::{DecomposeArgs, ExplainFormat, Layer};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::stage::{self, Input, Produced, Unit};

/// Writes each order followed by the orders derived from it.
pub fn run(args: DecomposeArgs, context: &Context) -> Result<ExitCode, Failure> {
    args.inventory.is_there()?;
    let settings = context.settings(Overrides {
        catalog: args.catalog.catalog,
        inventory: args.inventory.inventory,
        journal: args.journal.journal,
        ..Overrides::default()
    })?;
    let Some(folder) = settings.catalog else {
        return Err(Failure::NotNamed {
            what: "catalog",
            flag: "--catalog DIR",
            variable: "ORDERCTL_CATALOG",
        });
    };
    let input = Input::ahead(&args.input.files);
    let catalog = match context.catalog(&folder)? {
        Ok(catalog) => catalog,
        Err(code) => return Ok(code),
    };
    let inventory = settings
        .inventory
        .map(|path| context.inventory(&path))
        .transpose()?;
    let with = Decomposer {
        catalog: &catalog,
        inventory: inventory.as_ref(),
        explain: args.explain.is_some(),
    };
    let step = Step {
        with,
        to: args.to,
        explain: args.explain,
        now: args.now.now,
        journal: settings.journal,
    };
    let mut sink = Sink::new(context, args.rejects.as_deref(), &args.input.files)?;
    let ended = stage::run(
        input,
        Unit::Chain,
        args.jobs.jobs,
        &|chain| {
            let produced = step.work(&chain);
            chain.discard();
            produced
        },
        &mut |produced| sink.take(produced),
    );
    let code = sink.finish()?;
    sink.summarize("decompose");
    ended?;
    Ok(code)
}

struct Step<'c> {
    with: Decomposer<'c>,
    to: Layer,
    explain: Option<ExplainFormat>,
    now: Option<jiff::Timestamp>,
    journal: PathBuf,
}

impl Step<'_> {
    fn work(&self, chain: &Chain) -> Produced {
        let mut produced = Produced {
            documents: chain.documents.len() as u64,
            ..Produced::default()
        };
        let mut explanations = Vec::new();
        let derived = self.derive(chain, (&mut produced, &mut explanations));
        self.tell(chain, &explanations, &mut produced);
        match derived {
            Ok(derived) => write(chain, &derived, &mut produced),
            Err(diagnostics) => {
                match self.carried_out(chain) {
                    Ok(Some(done)) => {
                        pass_done(chain, &done, &mut produced);
                        return produced;
                    }
                    Ok(None) => {}
                    Err(failure) => produced.failure = Some(failure),
                }
                produced.code = Some(ExitCode::NotAcceptable);
                for order in chain.orders().take(1) {
                    produced.rejects = rejected(order, &diagnostics);
                }
                produced.diagnostics.extend(diagnostics);
                pass_foreign(chain, &mut produced.output);
            }
        }
        produced
    }

    /// Says why items were made, and why not.
    fn tell(&self, chain: &Chain, explanations: &[Explanation], produced: &mut Produced) {
        let Some(root) = chain.orders().next().filter(|_| !explanations.is_empty()) else {
            return;
        };
        let (name, kind) = (order_name(root), DocumentKind::of(root).name());
        match self.explain {
            None => {}
            Some(ExplainFormat::Tree) => {
                let title = format!("{name}  {kind}");
                let tree = explain::tree::lines(&title, explanations);
                produced.remarks.splice(0..0, tree);
            }
            Some(ExplainFormat::Json) => {
                // It stands alone.
                produced.remarks = vec![explain::json::document(&name, kind, explanations)];
            }
        }
    }

    /// An order that cannot be decomposed may have been carried out already: what it removes is no
    /// longer there, what it adds is.
    fn carried_out(&self, chain: &Chain) -> Result<Option<Chain>, Failure> {
        match chain.orders().next() {
            Some(root) => carried_out(&self.journal, root),
            None => Ok(None),
        }
    }

    /// The orders that the chain does not have yet.
    fn derive(
        &self,
        chain: &Chain,
        (produced, explanations): (&mut Produced, &mut Vec<Explanation>),
    ) -> Result<Vec<Document>, Vec<Diagnostic>> {
        let mut derived = Vec::new();
        let Some(root) = chain.orders().next() else {
            return Ok(derived);
        };
        if chain.first(DocumentKind::ResourceOrder).is_some() {
            return Ok(derived);
        }
        if let Some(state) = chain.ended() {
            produced.remarks.push(ended(root, state));
            return Ok(derived);
        }
        let flat: Vec<Option<Document>> = chain.orders().map(flattened).collect();
        let orders = chain.orders().zip(&flat);
        let mut service_orders: Vec<&Document> = orders
            .map(|(order, flat)| flat.as_ref().unwrap_or(order))
            .collect();
        let product_order = match DocumentKind::of(root) {
            DocumentKind::ProductOrder => Some(self.valid(service_orders.remove(0))?),
            _ => None,
        };
        if let Some(order) = &product_order
            && service_orders.is_empty()
        {
            let step = decompose::service_order(&self.with, order);
            derived.extend(take(step, order, (produced, explanations))?);
        }
        if self.to == Layer::Service {
            return Ok(derived);
        }
        service_orders.extend(&derived);
        let mut resource_orders = Vec::new();
        for document in service_orders {
            let order = self.valid(document)?;
            let step = decompose::resource_order(&self.with, &order, product_order.as_ref());
            resource_orders.extend(take(step, &order, (produced, explanations))?);
        }
        derived.extend(resource_orders);
        Ok(derived)
    }

    fn valid<'d>(&self, document: &'d Document) -> Result<ValidOrder<'d>, Vec<Diagnostic>> {
        let validation = Validation {
            catalog: Some(self.with.catalog),
            inventory: self.with.inventory,
            strict: false,
            now: self.now,
        };
        let checked = validation.check(document);
        // `validate` is where deviations are reported; here only errors matter.
        checked.order.ok_or(checked.diagnostics)
    }
}

/// The order below, and what is to be said about it.
fn take(
    step: Result<Derived, NotDecomposable>,
    order: &ValidOrder<'_>,
    (produced, explanations): (&mut Produced, &mut Vec<Explanation>),
) -> Result<Option<Document>, Vec<Diagnostic>> {
    let derived = step.map_err(|NotDecomposable(diagnostics)| diagnostics)?;
    explanations.extend(derived.explanations);
    if derived.document.is_none() {
        let name = order_name(order.node().document());
        produced.remarks.push(format!(
            "{} {name}: there is nothing to order in the layer below",
            order.type_name()
        ));
    }
    Ok(derived.document)
}

/// The chain with the derived orders after the order that each came from.
fn write(chain: &Chain, derived: &[Document], produced: &mut Produced) {
    let last_order = chain.orders().last().map(|order| order.text().as_ptr());
    for document in &chain.documents {
        produced.output.document(document);
        if Some(document.text().as_ptr()) == last_order {
            for order in derived {
                produced.output.document(order);
            }
        }
    }
}

/// An order that was carried out already, as it stands in the journal.
fn pass_done(chain: &Chain, done: &Chain, produced: &mut Produced) {
    let root = done.orders().next().zip(done.ended());
    produced.remarks.extend(root.map(|(root, state)| {
        format!(
            "{} {} was carried out already ({state}) and is passed on as it stands in the journal",
            DocumentKind::of(root).name(),
            order_name(root)
        )
    }));
    for document in &done.documents {
        produced.output.document(document);
    }
    pass_foreign(chain, &mut produced.output);
}
