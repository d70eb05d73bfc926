//! The installed base: what customers have (TMF637), the services that realize
//! it (TMF638) and the resources that these stand on (TMF639).
//!
//! An [`Inventory`] is a set of documents with lookups; reading and writing its
//! files is in [`store`], and [`after`] and [`named`] say what a chain that was
//! carried out makes of it.
//!
//! A product names its services by `realizingService`, a service the services
//! inside it by `supportingService` and its resources by `supportingResource`.
//! What else stands in a document stays as it is.

mod after;
mod extent;
mod named;
mod stale;
pub mod store;
mod things;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

pub use after::{Changes, after};
pub use named::{Named, named};
pub use stale::stale;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Document, DocumentKind, Node};
use crate::model::{Characteristic, Reference};
use crate::schemas;

/// The layers of an installed base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// TMF637 Product.
    Product,
    /// TMF638 Service.
    Service,
    /// TMF639 Resource.
    Resource,
}

impl Layer {
    /// The layer of a document, if it is part of an installed base.
    pub fn of(document: &Document) -> Option<Layer> {
        match DocumentKind::of(document) {
            DocumentKind::Product => Some(Layer::Product),
            DocumentKind::Service => Some(Layer::Service),
            DocumentKind::Resource => Some(Layer::Resource),
            _ => None,
        }
    }

    /// The layer of a document, if it is part of an installed base and has not ended: a product or
    /// service that was terminated is not installed any more.
    pub fn of_installed(document: &Document) -> Option<Layer> {
        let layer = Layer::of(document)?;
        let state = document.root().text(match layer {
            Layer::Product => "status",
            Layer::Service => "state",
            Layer::Resource => return Some(layer),
        });
        let state = state.unwrap_or_default();
        let is_it = |ended: &&str| state.trim().eq_ignore_ascii_case(ended);
        (!ENDED.iter().any(is_it)).then_some(layer)
    }

    /// For messages: `product`, `service`, `resource`.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Product => "product",
            Layer::Service => "service",
            Layer::Resource => "resource",
        }
    }

    /// Member of a document that lists its characteristics.
    pub fn characteristics(self) -> &'static str {
        match self {
            Layer::Product => "productCharacteristic",
            Layer::Service => "serviceCharacteristic",
            Layer::Resource => "resourceCharacteristic",
        }
    }

    fn specification(self) -> &'static str {
        match self {
            Layer::Product => "productSpecification",
            Layer::Service => "serviceSpecification",
            Layer::Resource => "resourceSpecification",
        }
    }

    /// Member that names the order items that a thing came from, and the members of such a
    /// reference for item, order and action. TMF639 has none.
    fn order_items(self) -> Option<[&'static str; 4]> {
        match self {
            Layer::Product => Some([
                "productOrderItem",
                "orderItemId",
                "productOrderId",
                "orderItemAction",
            ]),
            Layer::Service => Some(["serviceOrderItem", "itemId", "serviceOrderId", "itemAction"]),
            Layer::Resource => None,
        }
    }

    /// Whether a reference to an order item is to this one.
    fn names(self, reference: Node<'_>, order: &str, item: &str) -> bool {
        self.order_items()
            .is_some_and(|[_, item_key, order_key, _]| {
                reference.text(item_key).as_deref() == Some(item)
                    && reference.text(order_key).as_deref() == Some(order)
            })
    }

    /// Members that refer to what stands below.
    fn references(self) -> &'static [(&'static str, Layer)] {
        match self {
            Layer::Product => &[("realizingService", Layer::Service)],
            Layer::Service => &[
                ("supportingService", Layer::Service),
                ("supportingResource", Layer::Resource),
            ],
            Layer::Resource => &[],
        }
    }
}

/// What a product (TMF637 `ProductStatusType`) or service (TMF638 `ServiceStateType`) says that is
/// not, or not any more.
const ENDED: [&str; 3] = ["terminated", "cancelled", "aborted"];

/// Member of a service that says how it runs.
const OPERATING: &str = "operatingStatus";

/// Something that the service needs is not as it should be.
const DEGRADED: &str = "degraded";

/// Role of an order item that has done a part of its work.
const PARTIAL: &str = "partial";

/// How much of its work an order item has done on a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Noted {
    /// All of it.
    Whole,
    /// A part.
    Part,
}

/// A product, service or resource that is there.
#[derive(Debug, Clone)]
pub struct Installed<'i> {
    /// Its document's object.
    pub node: Node<'i>,
    /// What it is.
    pub layer: Layer,
    /// Id.
    pub id: Cow<'i, str>,
    /// Its specification, if it names one.
    pub specification: Option<Reference<'i>>,
    /// Its characteristics.
    pub characteristics: Vec<Characteristic<'i>>,
}

impl<'i> Installed<'i> {
    fn read(layer: Layer, node: Node<'i>) -> Installed<'i> {
        Installed {
            node,
            layer,
            id: node.text("id").unwrap_or_default(),
            specification: node.get(layer.specification()).map(Reference::read),
            characteristics: Characteristic::list(node, layer.characteristics()),
        }
    }

    /// Id of its specification; empty if it names none.
    pub fn specification_id(&self) -> &str {
        self.specification
            .as_ref()
            .map_or("", |reference| &reference.id)
    }

    /// Whether an order item has already worked on it.
    pub fn came_from(&self, order: &str, item: &str) -> bool {
        self.note(order, item).is_some()
    }

    /// What is noted of the work of an order item on it.
    fn note(&self, order: &str, item: &str) -> Option<Noted> {
        let [list, ..] = self.layer.order_items()?;
        let mut notes = self.node.list(list);
        let note = notes.find(|note| self.layer.names(*note, order, item))?;
        Some(match note.text("role").as_deref() {
            Some(PARTIAL) => Noted::Part,
            _ => Noted::Whole,
        })
    }

    /// Whether some order item has done only a part of its work on it.
    fn is_noted_in_part(&self) -> bool {
        let Some([list, ..]) = self.layer.order_items() else {
            return false;
        };
        let mut notes = self.node.list(list);
        notes.any(|note| note.text("role").as_deref() == Some(PARTIAL))
    }

    /// Whether something that it needs could not be made, changed or removed.
    pub fn is_degraded(&self) -> bool {
        self.layer == Layer::Service && self.node.text(OPERATING).as_deref() == Some(DEGRADED)
    }

    /// First place where it is.
    pub fn place(&self) -> Option<Node<'i>> {
        let place = self.node.get("place")?;
        if place.kind() == crate::document::Kind::Array {
            place.elements().next()
        } else {
            Some(place)
        }
    }
}

/// The installed base.
#[derive(Debug, Default, Clone)]
pub struct Inventory {
    /// In the order in which they were read; `None` for what was removed.
    documents: Vec<Option<Document>>,
    by_id: [HashMap<String, usize>; 3],
    /// Who refers to what; searched when it is first asked for.
    users: OnceLock<Users>,
    /// Which products are of what; searched when it is first asked for.
    sold: OnceLock<Sold>,
}

/// Ids of products, by the id of their offering or specification.
#[derive(Debug, Default, Clone)]
struct Sold {
    by_offering: HashMap<String, Vec<String>>,
    by_specification: HashMap<String, Vec<String>>,
}

/// For each thing the layers and ids of those that refer to it.
type Users = HashMap<(Layer, String), Vec<(Layer, String)>>;

impl Inventory {
    /// The installed base that documents describe. Other documents are kept, and mean nothing; so
    /// are products and services that have ended.
    ///
    /// Findings are warnings: a document without an id, one whose id another one has (the first
    /// one counts), and a reference that leads nowhere.
    pub fn of(documents: Vec<Document>) -> (Inventory, Vec<Diagnostic>) {
        let mut inventory = Inventory::default();
        let mut diagnostics = Vec::new();
        for document in documents {
            if let Some(layer) = Layer::of_installed(&document) {
                let root = document.root();
                let id = root.text("id").unwrap_or_default().into_owned();
                let position = inventory.documents.len();
                let known = &mut inventory.by_id[layer as usize];
                if id.is_empty() {
                    let message = format!(
                        "a {} without an `id`; nothing can refer to it",
                        layer.name()
                    );
                    diagnostics.push(warning("inventory/missing-id", root, message));
                } else if let Some(first) = known.get(&id) {
                    let message = format!(
                        "two {}s have the id `{id}`; the first one counts",
                        layer.name()
                    );
                    let node = root.get("id").unwrap_or(root);
                    let mut finding = warning("inventory/duplicate-id", node, message);
                    if let Some(first) = &inventory.documents[*first] {
                        finding = finding.with_related(first.root().location());
                    }
                    diagnostics.push(finding);
                } else {
                    known.insert(id, position);
                }
            }
            inventory.documents.push(Some(document));
        }
        let ended = inventory.documents();
        let ended = ended.filter(|it| Layer::of_installed(it).is_none());
        let id = |it: &Document| it.root().text("id").unwrap_or_default().into_owned();
        let ended = ended.filter_map(|it| Some((Layer::of(it)?, id(it))));
        let ended: HashSet<(Layer, String)> = ended.collect();
        for document in inventory.documents() {
            inventory.dangling(document, &ended, &mut diagnostics);
        }
        diagnostics.sort_by(|a, b| {
            a.location
                .cmp(&b.location)
                .then_with(|| a.code.cmp(&b.code))
        });
        (inventory, diagnostics)
    }

    /// What breaks the schemas of an installed base: warnings, since reading goes on. A document
    /// without an id is a finding of [`Inventory::of`].
    pub fn check(&self) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for document in self.documents() {
            let root = document.root();
            let named = root.text("id").is_some_and(|id| !id.is_empty());
            if named && Layer::of(document).is_some() {
                for mut fault in schemas::check(DocumentKind::of(document), root) {
                    fault.code = Code("inventory/malformed");
                    fault.severity = Severity::Warning;
                    diagnostics.push(fault);
                }
            }
        }
        diagnostics
    }

    /// References to what is neither there nor, as `ended` says, was there once.
    fn dangling(
        &self,
        document: &Document,
        ended: &HashSet<(Layer, String)>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let Some(layer) = Layer::of_installed(document) else {
            return;
        };
        let root = document.root();
        for (key, below) in layer.references() {
            for reference in root.list(key) {
                let id = reference.text("id").unwrap_or_default();
                let is_known = self.by_id[*below as usize].contains_key(&*id);
                if !is_known && !ended.contains(&(*below, id.to_string())) {
                    let message = format!(
                        "{} `{}` refers to {} `{id}`, which is not in the inventory",
                        layer.name(),
                        root.text("id").unwrap_or_default(),
                        below.name()
                    );
                    diagnostics.push(warning("inventory/dangling-reference", reference, message));
                }
            }
        }
    }

    /// All documents, in the order in which they were read or added.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.documents.iter().flatten()
    }

    /// The document of a thing.
    pub fn document(&self, layer: Layer, id: &str) -> Option<&Document> {
        self.documents[*self.by_id[layer as usize].get(id)?].as_ref()
    }

    /// What is there under an id.
    pub fn get(&self, layer: Layer, id: &str) -> Option<Installed<'_>> {
        self.document(layer, id)
            .map(|document| Installed::read(layer, document.root()))
    }

    /// What refers to a thing, by layer and id.
    pub fn users(&self, layer: Layer, id: &str) -> &[(Layer, String)] {
        let users = self.users.get_or_init(|| self.all_users());
        users
            .get(&(layer, id.to_owned()))
            .map_or(&[], Vec::as_slice)
    }

    fn all_users(&self) -> Users {
        let mut users = Users::new();
        for document in self.documents() {
            let Some(layer) = Layer::of_installed(document) else {
                continue;
            };
            let root = document.root();
            let id = root.text("id").unwrap_or_default();
            for (key, below) in layer.references() {
                for reference in root.list(key) {
                    let used = reference.text("id").unwrap_or_default().into_owned();
                    let of_it = users.entry((*below, used)).or_default();
                    of_it.push((layer, id.to_string()));
                }
            }
        }
        users
    }

    /// Ids of the products of an offering.
    pub fn products_of_offering(&self, id: &str) -> &[String] {
        let sold = self.sold.get_or_init(|| self.all_sold());
        sold.by_offering.get(id).map_or(&[], Vec::as_slice)
    }

    /// Ids of the products of a specification, as they name it.
    pub fn products_of_specification(&self, id: &str) -> &[String] {
        let sold = self.sold.get_or_init(|| self.all_sold());
        sold.by_specification.get(id).map_or(&[], Vec::as_slice)
    }

    fn all_sold(&self) -> Sold {
        let mut sold = Sold::default();
        let documents = self.documents();
        let products = documents.filter(|it| Layer::of_installed(it) == Some(Layer::Product));
        for root in products.map(Document::root) {
            let id = root.text("id").unwrap_or_default();
            for (key, ids) in [
                ("productOffering", &mut sold.by_offering),
                ("productSpecification", &mut sold.by_specification),
            ] {
                if let Some(of) = root.get(key).and_then(|it| it.text("id")) {
                    ids.entry(of.into_owned()).or_default().push(id.to_string());
                }
            }
        }
        sold
    }

    /// A product by id.
    pub fn product(&self, id: &str) -> Option<Installed<'_>> {
        self.get(Layer::Product, id)
    }

    /// A service by id.
    pub fn service(&self, id: &str) -> Option<Installed<'_>> {
        self.get(Layer::Service, id)
    }

    /// A resource by id.
    pub fn resource(&self, id: &str) -> Option<Installed<'_>> {
        self.get(Layer::Resource, id)
    }

    /// The services that realize a product.
    pub fn services_of(&self, product: &Installed<'_>) -> Vec<Installed<'_>> {
        self.referred(product.node, "realizingService", Layer::Service)
    }

    /// The services inside a service.
    pub fn services_inside(&self, service: &Installed<'_>) -> Vec<Installed<'_>> {
        self.referred(service.node, "supportingService", Layer::Service)
    }

    /// The resources that a service stands on.
    pub fn resources_of(&self, service: &Installed<'_>) -> Vec<Installed<'_>> {
        self.referred(service.node, "supportingResource", Layer::Resource)
    }

    /// What the references of a list lead to, each once; those that lead nowhere are left out.
    fn referred(&self, node: Node<'_>, key: &str, layer: Layer) -> Vec<Installed<'_>> {
        let mut seen = HashSet::new();
        let ids = node
            .list(key)
            .map(|reference| reference.text("id").unwrap_or_default());
        ids.filter_map(|id| {
            let installed = self.get(layer, &id)?;
            seen.insert(id).then_some(installed)
        })
        .collect()
    }

    /// Makes changes. To make them twice is to make them once.
    pub fn apply(&mut self, changes: Changes) {
        self.users = OnceLock::new();
        self.sold = OnceLock::new();
        for (layer, id) in changes.removals {
            if let Some(position) = self.by_id[layer as usize].remove(&id) {
                self.documents[position] = None;
            }
        }
        for document in changes.upserts {
            let Some(layer) = Layer::of(&document) else {
                continue;
            };
            let id = document.root().text("id").unwrap_or_default().into_owned();
            let known = &mut self.by_id[layer as usize];
            if let Some(position) = known.get(&id) {
                self.documents[*position] = Some(document);
            } else {
                known.insert(id, self.documents.len());
                self.documents.push(Some(document));
            }
        }
    }
}

fn warning(code: &'static str, node: Node<'_>, message: String) -> Diagnostic {
    Diagnostic::new(Code(code), Severity::Warning, node.location(), message)
}
