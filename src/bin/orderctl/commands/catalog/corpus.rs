//! Orders in files and folders, with the installed base beside them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use orderctl::document::{Document, Selection, SourceError};
use orderctl::inventory::{Inventory, store};
use orderctl::rehearsal::is_root_order;

use crate::context::Context;
use crate::exit::Failure;

const ORDERS: Selection = Selection {
    what: "folder of orders",
    extensions: &["json", "ndjson", "yaml", "yml"],
};

/// How the names of files end that hold what is expected.
const EXPECTED: &str = ".expected.json";

/// What is installed where the orders of a folder come from.
const INVENTORIES: [&str; 2] = ["inventory.ndjson", "inventory.json"];

/// A file of orders.
pub struct OrderFile {
    /// The file.
    pub path: PathBuf,
    /// Its orders that are derived from no other.
    pub orders: Vec<Document>,
    /// What is installed.
    pub inventory: Option<Rc<Inventory>>,
}

impl OrderFile {
    /// Its name, with `/` on every machine.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The file that holds what is expected of its orders.
    pub fn expected(&self) -> PathBuf {
        let name = self.path.to_string_lossy();
        let stem = name.strip_suffix(".json").unwrap_or(&name);
        PathBuf::from(format!("{stem}{EXPECTED}"))
    }
}

/// Reads a file, or all order files of a folder and the folders in it, by path. What is installed
/// is in `inventory`, else in the nearest `inventory.ndjson` beside or above the orders.
pub fn read(
    path: &Path,
    inventory: Option<&Path>,
    context: &Context,
) -> Result<Vec<OrderFile>, Failure> {
    let mut known: HashMap<PathBuf, Rc<Inventory>> = HashMap::new();
    let mut load = |file: &Path| -> Result<Rc<Inventory>, Failure> {
        if let Some(inventory) = known.get(file) {
            return Ok(Rc::clone(inventory));
        }
        // A file that was named and is not there is a mistake here: nothing will make it.
        if !file.exists() {
            let source = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(SourceError::Read {
                what: "inventory",
                path: file.to_owned(),
                source,
            }
            .into());
        }
        let (inventory, found) = store::read(file)?;
        for diagnostic in &found {
            context.show(diagnostic);
        }
        let inventory = Rc::new(inventory);
        known.insert(file.to_owned(), Rc::clone(&inventory));
        Ok(inventory)
    };
    let mut files = Vec::new();
    for source in ORDERS.read(path)? {
        let file = PathBuf::from(&source.name);
        let name = file
            .file_name()
            .map_or_else(String::new, |it| it.to_string_lossy().into_owned());
        if name.ends_with(EXPECTED) || INVENTORIES.contains(&name.as_str()) {
            continue;
        }
        let installed = inventory
            .map(Path::to_owned)
            .or_else(|| beside(&file, path));
        let mut orders = source.documents()?;
        orders.retain(is_root_order);
        files.push(OrderFile {
            path: file,
            orders,
            inventory: installed.as_deref().map(&mut load).transpose()?,
        });
    }
    if files.iter().all(|it| it.orders.is_empty()) {
        return Err(Failure::NoDocument {
            names: format!("{}: no order", path.display()),
        });
    }
    Ok(files)
}

/// The inventory beside a file or above it, not above `top`.
fn beside(file: &Path, top: &Path) -> Option<PathBuf> {
    let mut folder = file.parent();
    while let Some(here) = folder {
        let mut names = INVENTORIES.iter().map(|name| here.join(name));
        if let Some(found) = names.find(|it| it.is_file()) {
            return Some(found);
        }
        if here == top || !top.is_dir() {
            return None;
        }
        folder = here.parent();
    }
    None
}
