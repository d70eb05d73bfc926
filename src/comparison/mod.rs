//! Two catalogs: what was added, removed and changed, in the words of catalogs, and what of it
//! breaks orders that were good before.

mod breaking;
mod findings;
mod json;
mod text;
mod tree;
mod words;

use std::collections::BTreeMap;

pub use findings::{CODE_BREAKING, CODE_CHANGE, findings};
pub use json::json;
pub use text::{human, markdown, title, told};

use crate::diagnostic::Location;
use crate::document::{Document, DocumentKind, Node};

/// What is different.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The documents that differ, by kind and id.
    pub documents: Vec<DocumentChange>,
}

/// A document that is not the same in both catalogs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentChange {
    /// Its kind.
    pub kind: DocumentKind,
    /// Its id.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What happened to it.
    pub change: Change,
    /// What in it is different; of a document that was added or removed only what breaks.
    pub alterations: Vec<Alteration>,
    /// Where it stands: in the new catalog, else in the old one.
    pub location: Location,
}

/// What happened to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is there only now.
    Added,
    /// It was there only before.
    Removed,
    /// It is another one.
    Changed,
}

impl Change {
    /// Name, as reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Change::Added => "added",
            Change::Removed => "removed",
            Change::Changed => "changed",
        }
    }

    /// `+`, `-`, `~`.
    pub fn marker(self) -> char {
        match self {
            Change::Added => '+',
            Change::Removed => '-',
            Change::Changed => '~',
        }
    }
}

/// Something in a document that is different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alteration {
    /// What, for people: ``characteristic `speed`: value``; empty for the document itself.
    pub what: String,
    /// What happened to it.
    pub change: Change,
    /// Before, as JSON text.
    pub from: Option<String>,
    /// Now, as JSON text.
    pub to: Option<String>,
    /// Why it breaks orders that were good before, if it does.
    pub breaking: Option<&'static str>,
    /// Where it stands now; of what is gone, what it stood in, or where the document stood.
    pub location: Location,
}

impl DocumentChange {
    /// Whether anything of it breaks orders that were good before.
    pub fn is_breaking(&self) -> bool {
        self.alterations.iter().any(|it| it.breaking.is_some())
    }
}

impl Comparison {
    /// What is different between the documents of two catalogs.
    pub fn of(old: &[Document], new: &[Document]) -> Comparison {
        let (before, now) = (by_id(old), by_id(new));
        let mut keys: Vec<&(DocumentKind, String)> = before.keys().chain(now.keys()).collect();
        keys.sort();
        keys.dedup();
        let changes = keys.into_iter().filter_map(|key| {
            let (before, now) = (before.get(key).copied(), now.get(key).copied());
            let node = now.or(before)?;
            let (change, alterations) = match (before, now) {
                (Some(before), Some(now)) => {
                    let alterations = tree::alterations(key.0, before, now);
                    if alterations.is_empty() {
                        return None;
                    }
                    (Change::Changed, alterations)
                }
                (None, Some(_)) => (Change::Added, Vec::new()),
                (_, None) => (Change::Removed, breaking::removed(key.0, node)),
            };
            Some(DocumentChange {
                kind: key.0,
                id: key.1.clone(),
                name: node.text("name").map(std::borrow::Cow::into_owned),
                change,
                alterations,
                location: node.location(),
            })
        });
        Comparison {
            documents: changes.collect(),
        }
    }

    /// Number of alterations that break orders that were good before.
    pub fn breaking(&self) -> usize {
        let alterations = self.documents.iter().flat_map(|it| &it.alterations);
        alterations.filter(|it| it.breaking.is_some()).count()
    }

    /// One line: how many documents differ.
    pub fn summary(&self) -> String {
        if self.documents.is_empty() {
            return "no difference".to_owned();
        }
        let count = |change| {
            self.documents
                .iter()
                .filter(|it| it.change == change)
                .count()
        };
        let counts = [Change::Added, Change::Removed, Change::Changed]
            .map(|change| (change, count(change)))
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(change, count)| format!("{count} {}", change.name()));
        let counts: Vec<String> = counts.collect();
        let breaking = match self.breaking() {
            0 => "nothing breaks".to_owned(),
            1 => "1 breaking change".to_owned(),
            many => format!("{many} breaking changes"),
        };
        format!("documents: {}; {breaking}", counts.join(", "))
    }
}

fn by_id(documents: &[Document]) -> BTreeMap<(DocumentKind, String), Node<'_>> {
    let named = documents.iter().filter_map(|document| {
        let kind = DocumentKind::of(document);
        let id = document.root().text("id").filter(|id| !id.is_empty())?;
        (kind != DocumentKind::Other).then(|| ((kind, id.into_owned()), document.root()))
    });
    named.collect()
}

#[cfg(test)]
mod tests;
