//! The files of an installed base. The only input and output of the inventory.
//!
//! A file whose name ends in `.json` or `.ndjson`, or a folder with such files.
//! Writing replaces whole files (written beside, synchronized, renamed) under a
//! lock, so that neither a crash nor another process leaves half of one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Inventory, Layer};
use crate::diagnostic::Diagnostic;
use crate::document::{Document, Selection, SourceError, StreamError};

const FILES: Selection = Selection {
    what: "inventory",
    extensions: &["json", "ndjson"],
};

/// File of a folder that takes what is new.
const NEW: &str = "inventory.ndjson";

/// Why an inventory cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its files cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Its files are no JSON.
    #[error("the inventory cannot be read: {0}")]
    Syntax(#[from] StreamError),
    /// A file cannot be written.
    #[error("cannot write inventory {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Reads an inventory; what does not exist yet is empty.
///
/// # Errors
/// A file that cannot be read; everything else is a diagnostic.
pub fn read(path: &Path) -> Result<(Inventory, Vec<Diagnostic>), StoreError> {
    if !path.exists() {
        return Ok((Inventory::default(), Vec::new()));
    }
    let mut documents = Vec::new();
    for file in FILES.read(path)? {
        documents.extend(file.json_documents()?);
    }
    Ok(Inventory::of(documents))
}

/// Reads an inventory, lets `change` change it, and writes the files that this changes. Other
/// processes that do the same wait. Where the path does not exist yet, a name with an extension is
/// taken for a file, any other for a folder.
///
/// # Errors
/// A file that cannot be read or written: that file is then as it was.
pub fn update(path: &Path, change: impl FnOnce(&mut Inventory)) -> Result<(), StoreError> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.is_dir() || !path.exists() && path.extension().is_none();
    let new = if folder { path.join(NEW) } else { path.clone() };
    let parent = new
        .parent()
        .filter(|it| !it.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|source| failure(parent, source))?;
    let lock = beside(&new, "lock");
    let guard = File::options()
        .create(true)
        .append(true)
        .open(&lock)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|source| failure(&lock, source))?;
    let (mut inventory, _shown_when_it_is_used) = read(&path)?;
    let known: HashSet<Arc<str>> = inventory
        .documents()
        .map(|document| Arc::clone(&document.origin().file))
        .collect();
    let before = by_file(&inventory, &known, &new);
    change(&mut inventory);
    let mut after = by_file(&inventory, &known, &new);
    for file in before.keys() {
        after.entry(file.clone()).or_default();
    }
    let mut changed: Vec<&PathBuf> = after
        .keys()
        .filter(|file| before.get(*file) != after.get(*file))
        .collect();
    // Products note which orders are done: they are written last.
    changed.sort_by_key(|file| after[*file].products);
    for file in changed {
        replace(file, &after[file].lines).map_err(|source| failure(file, source))?;
    }
    drop(guard);
    Ok(())
}

/// Content of a file: its documents, one a line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Content {
    lines: Vec<String>,
    products: bool,
}

/// The documents of each file, sorted by layer and id; others follow as they stood.
fn by_file(
    inventory: &Inventory,
    known: &HashSet<Arc<str>>,
    new: &Path,
) -> BTreeMap<PathBuf, Content> {
    let mut documents: Vec<(Option<Layer>, String, &Document)> = inventory
        .documents()
        .map(|document| {
            let id = document.root().text("id").unwrap_or_default().into_owned();
            (Layer::of(document), id, document)
        })
        .collect();
    documents.sort_by(|(layer, id, _), (other_layer, other_id, _)| {
        let rank = |layer: &Option<Layer>| layer.map_or(3, |layer| layer as usize);
        // The sort is stable: what is no part of the installed base stays in its order.
        let by_id = layer.map_or(Ordering::Equal, |_| id.cmp(other_id));
        rank(layer).cmp(&rank(other_layer)).then(by_id)
    });
    let mut files: BTreeMap<PathBuf, Content> = BTreeMap::new();
    for (layer, _, document) in documents {
        let origin = &document.origin().file;
        let file = if known.contains(origin) {
            Path::new(&**origin)
        } else {
            new
        };
        let mut line = Vec::with_capacity(document.text().len());
        document.write_compact(&mut line);
        let content = files.entry(file.to_owned()).or_default();
        content
            .lines
            .push(String::from_utf8(line).expect("a document is UTF-8"));
        content.products |= layer == Some(Layer::Product);
    }
    files
}

/// A hidden file beside another one.
fn beside(file: &Path, extension: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(".");
    name.push(extension);
    file.with_file_name(name)
}

/// Writes a file whole or not at all: an array if it is called `.json`, else one document a line.
fn replace(file: &Path, lines: &[String]) -> io::Result<()> {
    let array = file
        .extension()
        .is_some_and(|extension| extension == "json");
    let text = match lines {
        [] if array => "[]\n".to_owned(),
        lines if array => format!("[\n{}\n]\n", lines.join(",\n")),
        lines => lines
            .iter()
            .flat_map(|line| [line.as_str(), "\n"])
            .collect(),
    };
    let written = beside(file, "new");
    let mut output = File::create(&written)?;
    output.write_all(text.as_bytes())?;
    output.sync_all()?;
    fs::rename(&written, file)?;
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn failure(path: &Path, source: io::Error) -> StoreError {
    StoreError::Write {
        path: path.to_owned(),
        source,
    }
}
