//! Files to catalog: documents are read, checked against their schemas, and
//! entered under their ids; `link` then ties them together.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use sha2::{Digest, Sha256};

use super::characteristic::CharacteristicSpecification;
use super::specification::{
    BundledOffering, Facing, Offering, ProductSpecification, ResourceSpecification, Specification,
};
use super::{Catalog, ProductIndex, ResourceIndex, ServiceIndex, ServiceSpecification};
use super::{activation, constraint, gate, link, reach, relation, rollout};
use crate::diagnostic::{Code, Diagnostic, Location, Severity, has_errors};
use crate::document::{
    Document, DocumentKind, Node, Selection, SourceError, SourceFile, SyntaxError,
};
use crate::model::digest;
use crate::schemas;

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
enum Look {
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
    Ok(read(&parse(files)?, Look::Close))
}

/// The documents of the files of a catalog, in the order of the files.
///
/// # Errors
/// The files that cannot be parsed.
pub fn parse(files: &[SourceFile]) -> Result<Vec<Document>, LoadError> {
    let (mut documents, mut unreadable) = (Vec::new(), Vec::new());
    for file in files {
        match file.documents() {
            Ok(read) => documents.extend(read),
            Err(error) => unreadable.push(error),
        }
    }
    if !unreadable.is_empty() {
        return Err(LoadError(unreadable));
    }
    Ok(documents)
}

/// Loads the documents of a catalog, as [`load`].
pub fn load_documents(documents: &[Document]) -> Loaded {
    read(documents, Look::Usable)
}

fn read(documents: &[Document], look: Look) -> Loaded {
    let mut loader = Loader::default();
    let mut accepted = Vec::new();
    for document in documents {
        if loader.document(document) {
            accepted.push(document);
        }
    }
    if look == Look::Close {
        for document in documents {
            let kind = DocumentKind::of(document);
            let found = schemas::misspelt(kind, document.root());
            loader.diagnostics.extend(found);
        }
    }
    let refused: Vec<Node<'_>> = documents
        .iter()
        .map(Document::root)
        .filter(|root| loader.refused.contains(&root.location()))
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
    catalog.digest = digest_of(&accepted);
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
fn digest_of(documents: &[&Document]) -> String {
    let mut digests: Vec<[u8; 32]> = documents
        .iter()
        .map(|document| {
            let mut compact = Vec::new();
            document.write_compact(&mut compact);
            Sha256::digest(&compact).into()
        })
        .collect();
    digests.sort_unstable();
    digest::text(&Sha256::digest(digests.concat()))
}

#[derive(Default)]
struct Loader {
    catalog: Catalog,
    diagnostics: Vec<Diagnostic>,
    /// Place of each id, by kind.
    places: HashMap<(DocumentKind, String), Location>,
    /// Where documents stand that their schema refuses, or that are of a newer version: what they
    /// say is not known as a whole.
    refused: HashSet<Location>,
}

impl Loader {
    fn report(&mut self, code: &'static str, severity: Severity, node: Node<'_>, message: String) {
        self.diagnostics.push(Diagnostic::new(
            Code(code),
            severity,
            node.location(),
            message,
        ));
    }

    /// Enters a document; false if it takes no further part.
    fn document(&mut self, document: &Document) -> bool {
        let root = document.root();
        let kind = DocumentKind::of(document);
        match kind {
            DocumentKind::Other => {
                self.unknown(root);
                return false;
            }
            DocumentKind::ProductOrder
            | DocumentKind::ServiceOrder
            | DocumentKind::ResourceOrder
            | DocumentKind::OrchestrationPlan
            | DocumentKind::Product
            | DocumentKind::Service
            | DocumentKind::Resource => {
                let message = format!("a {} is no catalog document", kind.name());
                self.report("catalog/unknown-document", Severity::Warning, root, message);
                return false;
            }
            _ => {}
        }
        // What can be read takes part all the same: one run finds all faults, and nobody who refers
        // to it is told that it is not there.
        let faults = schemas::check(kind, root);
        if !faults.is_empty() {
            self.refused.insert(root.location());
        }
        self.diagnostics.extend(faults);
        if root.text("id").is_none_or(|id| id.is_empty()) {
            return false;
        }
        if matches!(
            kind,
            DocumentKind::DecompositionRule
                | DocumentKind::ActivationRule
                | DocumentKind::GateRule
                | DocumentKind::RolloutRule
                | DocumentKind::ConstraintRule
        ) && !self.format_version(root)
        {
            self.refused.insert(root.location());
            return false;
        }
        let id = root.text("id").unwrap_or_default().into_owned();
        let place = root.get("id").unwrap_or(root).location();
        match self.places.entry((kind, id.clone())) {
            Entry::Occupied(first) => {
                let message = format!("{} `{id}` is defined twice", kind.name());
                let code = Code("catalog/duplicate-id");
                self.diagnostics.push(
                    Diagnostic::new(code, Severity::Error, place, message)
                        .with_related(first.get().clone()),
                );
                return false;
            }
            Entry::Vacant(vacant) => {
                vacant.insert(place);
            }
        }
        self.enter(kind, root, id);
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
        let message = if type_name.is_empty() {
            "a document without `@type` is left out".to_owned()
        } else {
            format!("`{type_name}` is no catalog document that orderctl knows; it is left out")
        };
        self.report("catalog/unknown-document", Severity::Warning, root, message);
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

    fn enter(&mut self, kind: DocumentKind, root: Node<'_>, id: String) {
        let catalog = &mut self.catalog;
        let diagnostics = &mut self.diagnostics;
        match kind {
            DocumentKind::ProductOffering => {
                let specification = Specification::read(root, &[], diagnostics);
                catalog
                    .offering_by_id
                    .insert(id.clone(), catalog.offerings.len());
                catalog.offerings.push(Offering {
                    specification,
                    id,
                    product: None,
                    sellable: root.get("isSellable").and_then(Node::as_bool) != Some(false),
                    bundled: root.list("bundledProductOffering").map(bundled).collect(),
                    uses: root
                        .list("prodSpecCharValueUse")
                        .map(|node| CharacteristicSpecification::narrowing(node, diagnostics))
                        .collect(),
                });
            }
            DocumentKind::ProductSpecification => {
                let keys = [
                    "productSpecCharacteristic",
                    "productSpecificationCharacteristic",
                ];
                let specification = Specification::read(root, &keys, diagnostics);
                let index = ProductIndex(catalog.products.len());
                catalog.product_by_id.insert(id, index);
                catalog.products.push(ProductSpecification {
                    specification,
                    decompositions: Vec::new(),
                });
            }
            DocumentKind::ServiceSpecification => {
                let keys = ["specCharacteristic", "serviceSpecCharacteristic"];
                let specification = Specification::read(root, &keys, diagnostics);
                let index = ServiceIndex(catalog.services.len());
                catalog.service_by_id.insert(id, index);
                catalog.services.push(ServiceSpecification {
                    specification,
                    facing: facing(root),
                    decompositions: Vec::new(),
                    depends_on: Vec::new(),
                    observed: Vec::new(),
                    rank: 0,
                    resources: Vec::new(),
                });
            }
            DocumentKind::ResourceSpecification => {
                let keys = ["resourceSpecCharacteristic"];
                let specification = Specification::read(root, &keys, diagnostics);
                let index = ResourceIndex(catalog.resources.len());
                catalog.resource_by_id.insert(id, index);
                catalog
                    .resources
                    .push(ResourceSpecification { specification });
            }
            DocumentKind::DecompositionRule
            | DocumentKind::ActivationRule
            | DocumentKind::GateRule
            | DocumentKind::RolloutRule
            | DocumentKind::ConstraintRule
            | DocumentKind::ProductOrder
            | DocumentKind::ServiceOrder
            | DocumentKind::ResourceOrder
            | DocumentKind::OrchestrationPlan
            | DocumentKind::Product
            | DocumentKind::Service
            | DocumentKind::Resource
            | DocumentKind::Other => {}
        }
    }
}

/// An ISO 8601 duration that is not negative; a day is 24 hours.
pub(crate) fn iso_duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (text.starts_with('P') && !duration.is_negative()).then_some(duration)
}

fn bundled(node: Node<'_>) -> BundledOffering {
    let option = node.get("bundledProductOfferingOption").unwrap_or(node);
    let limit = |key: &str| {
        option
            .get(key)
            .and_then(Node::as_i64)
            .and_then(|limit| u64::try_from(limit).ok())
    };
    BundledOffering {
        id: node.text("id").unwrap_or_default().into_owned(),
        minimum: limit("numberRelOfferLowerLimit").unwrap_or(0),
        maximum: limit("numberRelOfferUpperLimit"),
    }
}

/// By `@type`, else by what real catalogs write into `category`; else customer-facing.
fn facing(root: Node<'_>) -> Facing {
    let is = |key: &str, names: &[&str]| {
        root.text(key)
            .is_some_and(|text| names.iter().any(|name| text.eq_ignore_ascii_case(name)))
    };
    let resource = [
        "ResourceFacingServiceSpecification",
        "ResourceFacingService",
        "RFS",
    ];
    if ["@type", "@baseType", "category", "serviceType"]
        .iter()
        .any(|key| is(key, &resource))
    {
        Facing::Resource
    } else {
        Facing::Customer
    }
}
