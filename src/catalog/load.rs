//! Files to catalog: documents are read, checked against their schemas, and
//! entered under their ids; `link` then ties them together.

use std::collections::{BTreeMap, hash_map};
use std::path::Path;

use foldhash::{HashMap, HashSet};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use sha2::{Digest, Sha256};

use super::entry::Entry;
use super::{Catalog, activation, constraint, gate, link, reach, relation, rollout};
use crate::diagnostic::suggestion::closest;
use crate::diagnostic::{Code, Diagnostic, Location, Severity, has_errors};
use crate::document::{
    Batch, Document, DocumentKind, Node, Selection, SourceError, SourceFile, Stream, SyntaxError,
};
use crate::model::digest;
use crate::parallel;

/// Newest major format version of our own catalog documents.
const FORMAT_MAJOR: u64 = 1;

/// The files of a catalog that are no JSON or YAML: at least one, by path.
#[derive(Debug, thiserror::Error)]
#[error("the catalog cannot be read: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct LoadError(pub Vec<SyntaxError>);

/// What came of loading: a catalog, unless one of the findings is an error.
#[derive(Debug)]
pub struct Loaded {
    /// The catalog, if it may be used.
    pub catalog: Option<Catalog>,
    /// All findings, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// Number of documents.
    pub documents: usize,
}

/// Reads all JSON and YAML files of a folder and the folders in it, sorted by path; or one file.
///
/// # Errors
/// The first file or folder that cannot be read; a folder without such a file.
pub fn read_folder(path: &Path) -> Result<Vec<SourceFile>, SourceError> {
    let selection = Selection {
        what: "catalog",
        extensions: &["json", "yaml", "yml"],
    };
    let files = selection.read(path)?;
    if files.is_empty() {
        Err(selection.empty(path))
    } else {
        Ok(files)
    }
}

/// How closely a catalog is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Whether it can be used.
    Usable,
    /// Also for what is passed over in silence.
    Close,
}

/// Loads a catalog. A pure function of the files.
///
/// # Errors
/// The files that cannot be parsed; everything else is a diagnostic.
pub fn load(files: &[SourceFile]) -> Result<Loaded, LoadError> {
    Ok(load_documents(&parse(files)?))
}

/// As [`load`], and looks for members that are misspelt, which use passes over in silence.
///
/// # Errors
/// As [`load`].
pub fn inspect(files: &[SourceFile]) -> Result<Loaded, LoadError> {
    let documents = parse(files)?;
    Ok(read(&documents.iter().collect::<Vec<_>>(), Look::Close))
}

/// The documents of the files of a catalog, in the order of the files.
///
/// # Errors
/// The files that cannot be parsed.
pub fn parse(files: &[SourceFile]) -> Result<Vec<Document>, LoadError> {
    let mut parts: Vec<(usize, Part<'_>)> = Vec::new();
    for (position, file) in files.iter().enumerate() {
        if file.yaml {
            parts.push((position, Part::File(file)));
            continue;
        }
        let mut stream = Stream::new(file.bytes.as_slice(), &file.name);
        while let Some(batch) = stream.next_batch() {
            parts.push((position, Part::Batch(batch)));
        }
    }
    let size: usize = files.iter().map(|file| file.bytes.len()).sum();
    let read = |(position, part): (usize, Part<'_>)| (position, part.documents());
    let read: Vec<_> = if size < MANY_BYTES {
        parts.into_iter().map(read).collect()
    } else {
        parallel::map(parts, read)
    };
    let count = read.iter().map(|(_, (part, _))| part.len()).sum();
    let (mut documents, mut unreadable) = (Vec::with_capacity(count), BTreeMap::new());
    for (position, (part, error)) in read {
        documents.extend(part);
        if let Some(error) = error {
            unreadable.entry(position).or_insert(error);
        }
    }
    if !unreadable.is_empty() {
        return Err(LoadError(unreadable.into_values().collect()));
    }
    Ok(documents)
}

/// So many bytes are worth threads of their own.
const MANY_BYTES: usize = 1 << 20;
/// A part of the files that is parsed by itself.
enum Part<'f> {
    File(&'f SourceFile),
    Batch(Batch),
}

impl Part<'_> {
    fn documents(self) -> (Vec<Document>, Option<SyntaxError>) {
        match self {
            Part::File(file) => match file.documents() {
                Ok(documents) => (documents, None),
                Err(error) => (Vec::new(), Some(error)),
            },
            Part::Batch(batch) => {
                let (documents, error) = batch.parse();
                (documents, error.map(SyntaxError::from))
            }
        }
    }
}

/// Loads the documents of a catalog, as [`load`].
pub fn load_documents(documents: &[Document]) -> Loaded {
    load_selected(&documents.iter().collect::<Vec<_>>())
}

/// As [`load_documents`], of some documents that stand in several places.
pub fn load_selected(documents: &[&Document]) -> Loaded {
    read(documents, Look::Usable)
}

fn read(documents: &[&Document], look: Look) -> Loaded {
    let mut loader = Loader::default();
    let mut accepted = Vec::with_capacity(documents.len());
    let mut digests = Vec::with_capacity(documents.len());
    for read in parallel::map_many(documents.to_vec(), |it| Entry::read(it, look)) {
        let (document, digest) = (read.document, read.digest);
        if loader.enter(read) {
            accepted.push(document);
            digests.push(digest);
        }
    }
    let refused: Vec<Node<'_>> = documents
        .iter()
        .map(|document| document.root())
        .filter(|root| !loader.refused.is_empty() && loader.refused.contains(&root.location()))
        .collect();
    let (catalog, found) = (&mut loader.catalog, &mut loader.diagnostics);
    link::link(catalog, (&accepted, &refused), found);
    activation::link(catalog, &accepted, found);
    gate::link(catalog, &accepted, found);
    rollout::link(catalog, &accepted, found);
    constraint::link(catalog, &accepted, found);
    relation::link(catalog, &accepted, found);
    reach::link(catalog, found);
    let Loader {
        mut catalog,
        mut diagnostics,
        ..
    } = loader;
    said_once(&mut diagnostics);
    diagnostics.sort_by(|a, b| {
        a.location
            .cmp(&b.location)
            .then_with(|| a.code.cmp(&b.code))
    });
    catalog.digest = digest_of(digests);
    let documents = documents.len();
    let catalog = (!has_errors(&diagnostics)).then_some(catalog);
    Loaded {
        catalog,
        diagnostics,
        documents,
    }
}

/// Of a value that its schema refuses nothing more need be said.
fn said_once(diagnostics: &mut Vec<Diagnostic>) {
    let is_structural = |finding: &Diagnostic| finding.code.0.starts_with("schema/");
    let refused: HashSet<Location> = diagnostics
        .iter()
        .filter(|it| is_structural(it))
        .map(|it| it.location.clone())
        .collect();
    diagnostics.retain(|it| is_structural(it) || !refused.contains(&it.location));
}

/// Digest over the sorted digests of the documents: moving a document to
/// another file changes nothing.
fn digest_of(mut digests: Vec<[u8; 32]>) -> String {
    digests.sort_unstable();
    digest::text(&Sha256::digest(digests.concat()))
}

#[derive(Default)]
struct Loader<'d> {
    catalog: Catalog,
    diagnostics: Vec<Diagnostic>,
    /// Each id, by kind.
    places: HashMap<(DocumentKind, String), Node<'d>>,
    /// Where documents stand that their schema refuses, or that are of a newer version: what they
    /// say is not known as a whole.
    refused: HashSet<Location>,
}

impl<'d> Loader<'d> {
    fn report(&mut self, code: &'static str, severity: Severity, node: Node<'_>, message: String) {
        self.diagnostics.push(Diagnostic::new(
            Code(code),
            severity,
            node.location(),
            message,
        ));
    }

    /// Enters what was read of a document; false if it takes no further part.
    fn enter(&mut self, read: Entry<'d>) -> bool {
        let (root, kind) = (read.document.root(), read.kind);
        self.diagnostics.extend(read.misspelt);
        match kind {
            DocumentKind::Other => {
                self.unknown(root);
                return false;
            }
            _ if !kind.is_of_catalog() => {
                let message = format!("a {} is no catalog document", kind.name());
                self.report("catalog/unknown-document", Severity::Warning, root, message);
                return false;
            }
            _ => {}
        }
        // What can be read takes part all the same: one run finds all faults, and nobody who refers
        // to it is told that it is not there.
        if !read.faults.is_empty() {
            self.refused.insert(root.location());
        }
        self.diagnostics.extend(read.faults);
        let Some(id) = root.text("id").filter(|id| !id.is_empty()) else {
            return false;
        };
        if kind.is_rule() && !self.format_version(root) {
            self.refused.insert(root.location());
            return false;
        }
        let id = id.into_owned();
        let place = root.get("id").unwrap_or(root);
        match self.places.entry((kind, id.clone())) {
            hash_map::Entry::Occupied(first) => {
                let message = format!("{} `{id}` is defined twice", kind.name());
                let code = Code("catalog/duplicate-id");
                self.diagnostics.push(
                    Diagnostic::new(code, Severity::Error, place.location(), message)
                        .with_related(first.get().location()),
                );
                return false;
            }
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(place);
            }
        }
        self.diagnostics.extend(read.found);
        if let Some(thing) = read.thing {
            thing.enter(&mut self.catalog, id);
        }
        true
    }

    /// Documents that a catalog export holds beside what decomposition needs.
    fn unknown(&mut self, root: Node<'_>) {
        const KNOWN: [&str; 9] = [
            "Catalog",
            "Category",
            "ProductOfferingPrice",
            "ServiceCatalog",
            "ServiceCategory",
            "ServiceCandidate",
            "ResourceCatalog",
            "ResourceCategory",
            "ResourceCandidate",
        ];
        let type_name = root.text("@type").unwrap_or_default();
        if KNOWN.contains(&&*type_name) {
            return;
        }
        let names = DocumentKind::OF_CATALOG.map(DocumentKind::name);
        let hint = closest(&type_name, names).map(|name| format!("did you mean `{name}`?"));
        // Only documents of ours have a format version. Without a rule, something else is made.
        if root.get("formatVersion").is_some() {
            let message = match &*type_name {
                "" => "a rule without `@type`".to_owned(),
                name => format!("`{name}` is no rule that orderctl knows"),
            };
            let place = root.get("@type").unwrap_or(root);
            self.report("catalog/unknown-rule", Severity::Error, place, message);
            let rules = || {
                let rules = DocumentKind::OF_CATALOG.into_iter();
                let rules = rules.filter(|it| it.is_rule());
                let names: Vec<String> = rules.map(|it| format!("`{}`", it.name())).collect();
                format!("write one of {}", names.join(", "))
            };
            return self.hint(Some(hint.unwrap_or_else(rules)));
        }
        let message = if type_name.is_empty() {
            "a document without `@type` is left out".to_owned()
        } else {
            format!("`{type_name}` is no catalog document that orderctl knows; it is left out")
        };
        self.report("catalog/unknown-document", Severity::Warning, root, message);
        self.hint(hint);
    }

    /// What to do about what was found last.
    fn hint(&mut self, hint: Option<String>) {
        if let Some(last) = self.diagnostics.last_mut() {
            last.hint = hint;
        }
    }

    fn format_version(&mut self, root: Node<'_>) -> bool {
        let Some(node) = root.get("formatVersion") else {
            // The schema has said so.
            return true;
        };
        let version = node.as_str().unwrap_or_default();
        let major = version
            .split('.')
            .next()
            .and_then(|major| major.parse::<u64>().ok());
        if major.is_some_and(|major| major <= FORMAT_MAJOR) {
            return true;
        }
        let message = format!(
            "format version {version} is not read by orderctl {}, which reads {FORMAT_MAJOR}.x",
            env!("CARGO_PKG_VERSION")
        );
        self.report("rule/format-version", Severity::Error, node, message);
        false
    }
}

/// An ISO 8601 duration that is not negative; a day is 24 hours.
pub(crate) fn iso_duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (text.starts_with('P') && !duration.is_negative()).then_some(duration)
}
