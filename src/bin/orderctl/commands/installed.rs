//! The installed base, brought up to date with what was carried out.

use std::path::PathBuf;

use orderctl::chain::Chain;
use orderctl::diagnostic::Diagnostic;
use orderctl::document::DocumentKind;
use orderctl::inventory::{self, Inventory, store};

use crate::exit::Failure;

/// Size of the orders in bytes from which on they are not kept waiting for the end of the run.
const ENOUGH: usize = 64 << 20;

/// Chains that were completed, and are not written to the installed base yet. A run that ends
/// before they are is made up for by the next one: the journal says that they are completed.
#[derive(Debug)]
pub struct InstalledBase {
    path: Option<PathBuf>,
    /// As it was read, with what was completed since.
    inventory: Inventory,
    completed: Vec<Chain>,
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
            path,
            inventory,
            completed: Vec::new(),
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

    /// Takes note of a chain that has ended, completed or in parts.
    pub fn ended(&mut self, chain: &Chain) -> Result<(), Failure> {
        if self.path.is_none() {
            return Ok(());
        }
        let changes = inventory::after(&self.inventory, chain);
        self.inventory.apply(changes);
        let orders = chain.documents.iter();
        let orders = orders.filter(|it| DocumentKind::of(it) != DocumentKind::OrchestrationPlan);
        let documents: Vec<_> = orders.cloned().collect();
        self.size += documents
            .iter()
            .map(|order| order.text().len())
            .sum::<usize>();
        self.completed.push(Chain { documents });
        if self.size > ENOUGH {
            self.write()
        } else {
            Ok(())
        }
    }

    /// Writes what the chains made, changed and removed.
    pub fn write(&mut self) -> Result<(), Failure> {
        self.size = 0;
        let completed = std::mem::take(&mut self.completed);
        let Some(path) = self.path.as_deref().filter(|_| !completed.is_empty()) else {
            return Ok(());
        };
        store::update(path, |inventory| {
            for chain in &completed {
                let changes = inventory::after(inventory, chain);
                inventory.apply(changes);
            }
        })?;
        Ok(())
    }
}
