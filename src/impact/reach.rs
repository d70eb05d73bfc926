//! Which of the documents that differ an order can meet at all: what is reached from what it names.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::{Catalogs, key};
use crate::catalog::{Catalog, Decomposition, ServiceIndex, Subject};
use crate::document::{Document, DocumentKind, Node};
use crate::inventory::Inventory;
use crate::model::Order;

/// Positions of documents in a comparison.
pub type Touching = BTreeSet<usize>;

/// What an order may name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Named {
    Offering(String),
    Product(String),
    Service(String),
    /// Something that cannot be told: it may meet all of them.
    Anything,
}

/// What is reached from what orders name; looked up once for each.
pub struct Reach<'c> {
    catalogs: Catalogs<'c>,
    changed: HashMap<(DocumentKind, &'c str), usize>,
    known: HashMap<Named, Rc<Touching>>,
}

impl<'c> Reach<'c> {
    pub fn new(catalogs: Catalogs<'c>) -> Reach<'c> {
        let documents = catalogs.comparison.documents.iter().enumerate();
        Reach {
            catalogs,
            changed: documents
                .map(|(position, it)| (key(it), position))
                .collect(),
            known: HashMap::new(),
        }
    }

    /// The documents that differ and that an order can meet.
    pub fn touching(&mut self, order: &Document, inventory: Option<&Inventory>) -> Touching {
        let mut touching = Touching::new();
        for named in named(order, inventory) {
            touching.extend(self.of(named).iter());
        }
        touching
    }

    fn of(&mut self, named: Named) -> Rc<Touching> {
        if let Some(known) = self.known.get(&named) {
            return Rc::clone(known);
        }
        let mut touching = Touching::new();
        if named == Named::Anything {
            touching.extend(0..self.catalogs.comparison.documents.len());
        } else {
            for catalog in [self.catalogs.old, self.catalogs.new] {
                let mut walk = Walk {
                    catalog,
                    met: HashSet::new(),
                };
                walk.named(&named);
                let met = walk.met.iter();
                touching.extend(met.filter_map(|(kind, id)| self.changed.get(&(*kind, *id))));
            }
        }
        let touching = Rc::new(touching);
        self.known.insert(named, Rc::clone(&touching));
        touching
    }
}

/// What an order names.
fn named(order: &Document, inventory: Option<&Inventory>) -> HashSet<Named> {
    let mut found = HashSet::new();
    let Some(read) = Order::read(order) else {
        return HashSet::from([Named::Anything]);
    };
    for item in read.items() {
        let id = |node: Option<Node<'_>>| {
            let id = node.and_then(|it| it.text("id"));
            id.filter(|it| !it.is_empty())
                .map(std::borrow::Cow::into_owned)
        };
        let before = found.len();
        let mut add = |it: Option<Named>| found.extend(it);
        match &read {
            Order::Product(_) => {
                add(id(item.node.get("productOffering")).map(Named::Offering));
                let product = item.node.get("product");
                add(id(product.and_then(|it| it.get("productSpecification"))).map(Named::Product));
                let installed = id(product).zip(inventory);
                let installed = installed.and_then(|(id, inventory)| inventory.product(&id));
                if let Some(installed) = installed {
                    add(Some(Named::Product(
                        installed.specification_id().to_owned(),
                    )));
                    add(id(installed.node.get("productOffering")).map(Named::Offering));
                }
                // A change names no more than what is changed.
                if id(product).is_some() && inventory.is_none() {
                    add(Some(Named::Anything));
                }
            }
            Order::Service(_) | Order::Resource(_) => {
                add(item
                    .specification
                    .map(|it| Named::Service(it.id.to_string())));
            }
        }
        if found.len() == before
            && item.specification.is_none()
            && item.node.get("productOffering").is_none()
        {
            found.insert(Named::Anything);
        }
    }
    found
}

/// From something that is named to all that it may need.
struct Walk<'c> {
    catalog: &'c Catalog,
    met: HashSet<(DocumentKind, &'c str)>,
}

impl<'c> Walk<'c> {
    fn named(&mut self, named: &Named) {
        match named {
            Named::Offering(id) => self.offering(id),
            Named::Product(id) => self.product(id),
            Named::Service(id) => {
                if let Some(index) = self.catalog.service_index(id) {
                    self.service(index);
                }
            }
            Named::Anything => {}
        }
    }

    fn offering(&mut self, id: &str) {
        let Some(offering) = self.catalog.offering(id) else {
            return;
        };
        if !self
            .met
            .insert((DocumentKind::ProductOffering, &offering.id))
        {
            return;
        }
        self.ruled(self.catalog.subjects(Some(id), None));
        if let Some(product) = offering.product {
            self.product(&self.catalog.product_at(product).specification.id);
        }
        for inside in &offering.bundled {
            self.offering(&inside.id);
        }
    }

    fn product(&mut self, id: &str) {
        let Some(product) = self.catalog.product(id) else {
            return;
        };
        if self.met.insert((
            DocumentKind::ProductSpecification,
            &product.specification.id,
        )) {
            self.ruled(self.catalog.subjects(None, Some(id)));
            self.steps(&product.decompositions);
        }
    }

    fn ruled(&mut self, subjects: Vec<Subject>) {
        for subject in subjects {
            let gates = self.catalog.gates(subject);
            self.met
                .extend(gates.map(|it| (DocumentKind::GateRule, it.id.as_str())));
            let rollout = self.catalog.rollout(subject);
            self.met
                .extend(rollout.map(|it| (DocumentKind::RolloutRule, it.id.as_str())));
        }
    }

    fn steps(&mut self, decompositions: &'c [Decomposition]) {
        for decomposition in decompositions {
            let rules = decomposition
                .alternatives
                .iter()
                .filter_map(|it| it.rule.as_deref());
            self.met
                .extend(rules.map(|it| (DocumentKind::DecompositionRule, it)));
            self.service(decomposition.target);
        }
    }

    fn service(&mut self, index: ServiceIndex) {
        let service = self.catalog.service_at(index);
        let id = service.specification.id.as_str();
        if !self.met.insert((DocumentKind::ServiceSpecification, id)) {
            return;
        }
        for resource in &service.resources {
            let id = self
                .catalog
                .resource_at(*resource)
                .specification
                .id
                .as_str();
            self.met.insert((DocumentKind::ResourceSpecification, id));
            let rule = self.catalog.activation(id);
            self.met
                .extend(rule.map(|it| (DocumentKind::ActivationRule, it.id.as_str())));
        }
        self.steps(&service.decompositions);
    }
}
