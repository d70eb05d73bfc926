//! What a document of a catalog is by itself, before it is tied to the others.

use sha2::{Digest, Sha256};

use super::characteristic::CharacteristicSpecification;
use super::load::Look;
use super::specification::{
    BundledOffering, Facing, Offering, ProductSpecification, ResourceSpecification,
    ServiceSpecification, Specification,
};
use super::{Catalog, ProductIndex, ResourceIndex, ServiceIndex};
use crate::diagnostic::Diagnostic;
use crate::document::{Document, DocumentKind, Node};
use crate::schemas;

/// A document, read by itself.
pub(super) struct Entry<'d> {
    pub(super) document: &'d Document,
    pub(super) kind: DocumentKind,
    /// Members that are misspelt, where they are looked for.
    pub(super) misspelt: Vec<Diagnostic>,
    /// What its schema refuses.
    pub(super) faults: Vec<Diagnostic>,
    /// What is wrong with what it says.
    pub(super) found: Vec<Diagnostic>,
    /// What it enters into the catalog; nothing for rules, which are read once all specifications
    /// are there.
    pub(super) thing: Option<Box<Thing>>,
    /// Digest of its text.
    pub(super) digest: [u8; 32],
}

/// What a document enters into the catalog.
pub(super) enum Thing {
    Offering(Offering),
    Product(ProductSpecification),
    Service(ServiceSpecification),
    Resource(ResourceSpecification),
}

impl<'d> Entry<'d> {
    /// Reads a document. Nothing is looked into that is no part of a catalog.
    pub(super) fn read(document: &'d Document, look: Look) -> Entry<'d> {
        let root = document.root();
        let kind = DocumentKind::of(document);
        let mut read = Entry {
            document,
            kind,
            misspelt: Vec::new(),
            faults: Vec::new(),
            found: Vec::new(),
            thing: None,
            digest: [0; 32],
        };
        if look == Look::Close {
            read.misspelt = schemas::misspelt(kind, root);
        }
        if !kind.is_of_catalog() {
            return read;
        }
        read.faults = schemas::check(kind, root);
        read.thing = Thing::read(kind, root, &mut read.found).map(Box::new);
        let mut compact = Vec::new();
        document.write_compact(&mut compact);
        read.digest = Sha256::digest(&compact).into();
        read
    }
}

impl Thing {
    fn read(kind: DocumentKind, root: Node<'_>, found: &mut Vec<Diagnostic>) -> Option<Thing> {
        Some(match kind {
            DocumentKind::ProductOffering => Thing::Offering(Offering {
                specification: Specification::read(root, &[], found),
                id: root.text("id").unwrap_or_default().into_owned(),
                product: None,
                sellable: root.get("isSellable").and_then(Node::as_bool) != Some(false),
                bundled: root.list("bundledProductOffering").map(bundled).collect(),
                uses: root
                    .list("prodSpecCharValueUse")
                    .map(|node| CharacteristicSpecification::narrowing(node, found))
                    .collect(),
            }),
            DocumentKind::ProductSpecification => {
                let keys = [
                    "productSpecCharacteristic",
                    "productSpecificationCharacteristic",
                ];
                Thing::Product(ProductSpecification {
                    specification: Specification::read(root, &keys, found),
                    decompositions: Vec::new(),
                })
            }
            DocumentKind::ServiceSpecification => {
                let keys = ["specCharacteristic", "serviceSpecCharacteristic"];
                Thing::Service(ServiceSpecification {
                    specification: Specification::read(root, &keys, found),
                    facing: facing(root),
                    decompositions: Vec::new(),
                    depends_on: Vec::new(),
                    waits_for: Vec::new(),
                    observed: Vec::new(),
                    list: None,
                    rank: 0,
                    resources: Vec::new(),
                })
            }
            DocumentKind::ResourceSpecification => {
                let keys = ["resourceSpecCharacteristic"];
                Thing::Resource(ResourceSpecification {
                    specification: Specification::read(root, &keys, found),
                })
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
            | DocumentKind::Other => return None,
        })
    }

    /// Enters it under its id.
    pub(super) fn enter(self, catalog: &mut Catalog, id: String) {
        match self {
            Thing::Offering(offering) => {
                catalog.offering_by_id.insert(id, catalog.offerings.len());
                catalog.offerings.push(offering);
            }
            Thing::Product(product) => {
                let index = ProductIndex(catalog.products.len());
                catalog.product_by_id.insert(id, index);
                catalog.products.push(product);
            }
            Thing::Service(service) => {
                let index = ServiceIndex(catalog.services.len());
                catalog.service_by_id.insert(id, index);
                catalog.services.push(service);
            }
            Thing::Resource(resource) => {
                let index = ResourceIndex(catalog.resources.len());
                catalog.resource_by_id.insert(id, index);
                catalog.resources.push(resource);
            }
        }
    }
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
