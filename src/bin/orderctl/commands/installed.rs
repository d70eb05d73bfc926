//! The installed base, brought up to date with what was carried out.

use std::path::PathBuf;

use orderctl::chain::{Chain, order_name};
use orderctl::diagnostic::Diagnostic;
use orderctl::document::DocumentKind;
use orderctl::inventory::{self, Inventory, Named, store};
use orderctl::model::state::OrderState;
use orderctl::plan::flow::TaskOutcome;
use orderctl::progress;

use crate::exit::Failure;

/// Size of the orders in bytes from which on they are not kept waiting for the end of the run.
const ENOUGH: usize = 64 << 20;

/// Chains that have ended, and are not written to the installed base yet. A run that ends before
/// they are is made up for by the next one: the journal says how they ended.
#[derive(Debug)]
pub struct InstalledBase {
    path: Option<PathBuf>,
    /// Whether it was there: one that was lost is made anew from the journal.
    was_there: bool,
    /// As it was read, with what was done since.
    inventory: Inventory,
    /// With the ids that endpoints have given to what they made.
    ended: Vec<(Chain, Vec<Named>)>,
    /// The completed orders that are written.
    written: Vec<String>,
    size: usize,
}

impl InstalledBase {
    /// Nothing yet. Without a path nothing is ever written; one that cannot be read is an error
    /// before anything is carried out.
    pub fn open(path: Option<PathBuf>) -> Result<InstalledBase, Failure> {
        let inventory = match &path {
            Some(path) => store::read(path)?.0,
            None => Inventory::default(),
        };
        Ok(InstalledBase {
            was_there: path.as_ref().is_some_and(|path| path.exists()),
            path,
            inventory,
            ended: Vec::new(),
            written: Vec::new(),
            size: 0,
        })
    }

    /// What a chain that is to be carried out was not decomposed against.
    pub fn stale(&self, chain: &Chain) -> Vec<Diagnostic> {
        match self.path {
            Some(_) => inventory::stale(&self.inventory, chain),
            None => Vec::new(),
        }
    }

    /// Takes note of a chain that has ended, with its items as they stand, and of the ids that endpoints
    /// have given to what it made.
    pub fn ended(
        &mut self,
        chain: &Chain,
        names: impl FnOnce() -> Vec<Named>,
    ) -> Result<(), Failure> {
        if self.path.is_none() {
            return Ok(());
        }
        let names = names();
        change(&mut self.inventory, chain, &names);
        let plans = chain.of_kind(DocumentKind::OrchestrationPlan);
        // The plan matters only where a person has left something out.
        let mut tasks = plans.flat_map(progress::plan_tasks);
        let with_plan = tasks.any(|task| task.outcome == Some(TaskOutcome::Skipped));
        let documents = chain.documents.iter();
        let documents: Vec<_> = documents
            .filter(|it| with_plan || DocumentKind::of(it) != DocumentKind::OrchestrationPlan)
            .cloned()
            .collect();
        self.size += documents
            .iter()
            .map(|order| order.text().len())
            .sum::<usize>();
        self.ended.push((Chain { documents }, names));
        if self.size > ENOUGH {
            self.write()
        } else {
            Ok(())
        }
    }

    /// Writes what the chains made, changed and removed.
    pub fn write(&mut self) -> Result<(), Failure> {
        self.size = 0;
        let ended = std::mem::take(&mut self.ended);
        let Some(path) = self.path.as_deref().filter(|_| !ended.is_empty()) else {
            return Ok(());
        };
        store::update(path, |inventory| {
            for (chain, names) in &ended {
                change(inventory, chain, names);
            }
        })?;
        // An order that ended in parts may still be repaired, and is looked at again then.
        let whole = ended
            .iter()
            .map(|(chain, _)| chain)
            .filter(|chain| chain.ended() == Some(OrderState::Completed));
        let orders = whole.filter_map(|chain| chain.orders().next());
        self.written.extend(orders.map(order_name));
        Ok(())
    }

    /// Whether there is one that is brought up to date.
    pub fn is_kept(&self) -> bool {
        self.path.is_some()
    }

    /// Whether it was there when it was opened.
    pub fn was_there(&self) -> bool {
        self.was_there
    }

    /// How the journal names it.
    pub fn name(&self) -> Option<String> {
        let path = self.path.as_deref()?;
        // The same file under another name is the same one.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Some(path.display().to_string())
    }

    /// The root orders of the chains that were written since this was asked for.
    pub fn take_written(&mut self) -> Vec<String> {
        std::mem::take(&mut self.written)
    }
}

/// Lets an installed base be as a chain has left it.
fn change(inventory: &mut Inventory, chain: &Chain, names: &[Named]) {
    let changes = inventory::after(inventory, chain);
    inventory.apply(changes);
    let changes = inventory::named(inventory, chain, names);
    if !changes.is_empty() {
        inventory.apply(changes);
    }
}
