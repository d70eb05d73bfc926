//! Ties the documents of a catalog together: references become positions,
//! rules become steps, expressions are checked against the characteristics
//! that they read.

mod cycles;
mod dependencies;
mod lists;
mod loops;
mod mapping;
mod overrides;
mod rules;
mod scope;
mod share;
mod siblings;

use std::collections::BTreeMap;

pub(super) use scope::{joined, shape};

use foldhash::{HashMap, HashMapExt as _};

use super::rule::Dependency;
use super::ruling::Reader;
use super::specification::{Facing, Specification};
use super::{Catalog, ProductIndex, ResourceIndex, ServiceIndex};
use crate::diagnostic::suggestion::closest;
use crate::diagnostic::{Code, Diagnostic, Location, Severity};
use crate::document::{Document, DocumentKind, Node};
use crate::model::reference::RelationshipKind;

/// What is decomposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Source {
    Product(ProductIndex),
    Service(ServiceIndex),
}

struct Linker<'c, 'd> {
    catalog: &'c mut Catalog,
    diagnostics: &'c mut Vec<Diagnostic>,
    /// The steps of each source: plain references first, in the order in which they are written.
    steps: BTreeMap<Source, Vec<Step<'d>>>,
    /// The decomposition rules by id.
    rules: HashMap<String, Node<'d>>,
    /// Ids of source and target of the rules that their schema refuses; none for one that cannot
    /// be read. What such a rule maps is not known.
    refused: Vec<[Option<String>; 2]>,
}

/// Compiles the rules of sources, each by itself, once all references are followed.
struct Compiler<'c> {
    reader: Reader<'c>,
    rules: &'c HashMap<String, Node<'c>>,
    refused: &'c [[Option<String>; 2]],
}

/// A step before its expressions are checked.
struct Step<'d> {
    target: ServiceIndex,
    /// The reference, or the first rule.
    place: Node<'d>,
    rules: Vec<Node<'d>>,
}

/// Ties the documents together. Every fault is a diagnostic.
/// `refused`: documents that their schema refuses, whether they take part or not.
pub fn link(
    catalog: &mut Catalog,
    (documents, refused): (&[&Document], &[Node<'_>]),
    diagnostics: &mut Vec<Diagnostic>,
) {
    let of_rules = refused
        .iter()
        .filter(|root| DocumentKind::of(root.document()) == DocumentKind::DecompositionRule);
    let id = |root: &Node<'_>, key: &str| Some(root.get(key)?.text("id")?.into_owned());
    let mut linker = Linker {
        catalog,
        diagnostics,
        steps: BTreeMap::new(),
        rules: HashMap::new(),
        refused: of_rules
            .map(|root| [id(root, "source"), id(root, "target")])
            .collect(),
    };
    for document in documents {
        let root = document.root();
        let id = root.text("id").unwrap_or_default();
        match DocumentKind::of(document) {
            DocumentKind::ProductOffering => linker.offering(root, &id),
            DocumentKind::ProductSpecification => linker.product(root, &id),
            DocumentKind::ServiceSpecification => linker.service(root, &id),
            _ => {}
        }
    }
    for document in documents {
        if DocumentKind::of(document) == DocumentKind::DecompositionRule {
            linker.rule(document.root());
        }
    }
    linker.compile();
    linker.cycles();
}

impl<'d> Linker<'_, 'd> {
    fn error(
        &mut self,
        code: &'static str,
        location: Location,
        message: String,
    ) -> &mut Diagnostic {
        self.diagnostics.push(Diagnostic::new(
            Code(code),
            Severity::Error,
            location,
            message,
        ));
        self.diagnostics
            .last_mut()
            .expect("a diagnostic was just pushed")
    }

    fn dangling(&mut self, reference: Node<'_>, kind: &str, hint: Option<String>) {
        let place = reference.get("id").unwrap_or(reference);
        let id = reference.text("id").unwrap_or_default();
        if id.is_empty() {
            // The schema has said so.
            return;
        }
        let message = format!("{kind} `{id}` is not in the catalog");
        self.error("catalog/dangling-reference", place.location(), message)
            .hint = hint;
    }

    /// What a reference leads to in a table of the catalog; a finding if it leads nowhere.
    fn follow<I: Copy>(
        &mut self,
        reference: Node<'_>,
        kind: &str,
        table: fn(&Catalog) -> &HashMap<String, I>,
    ) -> Option<I> {
        let id = reference.text("id").unwrap_or_default();
        let table = table(self.catalog);
        let found = table.get(&*id).copied();
        if found.is_none() {
            let hint = suggest(&id, table.keys());
            self.dangling(reference, kind, hint);
        }
        found
    }

    fn offering_reference(&mut self, reference: Node<'_>) {
        self.follow(reference, "product offering", |it| &it.offering_by_id);
    }

    fn product_reference(&mut self, reference: Node<'_>) -> Option<ProductIndex> {
        self.follow(reference, "product specification", |it| &it.product_by_id)
    }

    fn service_reference(&mut self, reference: Node<'_>) -> Option<ServiceIndex> {
        self.follow(reference, "service specification", |it| &it.service_by_id)
    }

    fn resource_reference(&mut self, reference: Node<'_>) -> Option<ResourceIndex> {
        self.follow(reference, "resource specification", |it| &it.resource_by_id)
    }

    fn offering(&mut self, root: Node<'_>, id: &str) {
        let Some(index) = self.catalog.offering_by_id.get(id).copied() else {
            return;
        };
        if let Some(reference) = root.get("productSpecification") {
            self.catalog.offerings[index].product = self.product_reference(reference);
        }
        for reference in root.list("bundledProductOffering") {
            self.offering_reference(reference);
        }
        let Some(product) = self.catalog.offerings[index].product else {
            return;
        };
        for narrowed in root.list("prodSpecCharValueUse") {
            let name = narrowed.text("name").unwrap_or_default();
            let specification = &self.catalog.products[product.0].specification;
            if specification.characteristic(&name).is_some() {
                continue;
            }
            let names = specification
                .characteristics
                .iter()
                .map(|known| known.name.as_str());
            let hint = closest(&name, names).map(|name| format!("did you mean `{name}`?"));
            let message = format!("{} has no characteristic `{name}`", specification.name);
            let place = narrowed.get("name").unwrap_or(narrowed).location();
            self.error("catalog/unknown-characteristic", place, message)
                .hint = hint;
        }
    }

    fn product(&mut self, root: Node<'d>, id: &str) {
        let Some(index) = self.catalog.product_by_id.get(id).copied() else {
            return;
        };
        for reference in root.list("serviceSpecification") {
            let Some(target) = self.service_reference(reference) else {
                continue;
            };
            self.reference_step(Source::Product(index), target, reference);
        }
    }

    fn service(&mut self, root: Node<'d>, id: &str) {
        let Some(index) = self.catalog.service_by_id.get(id).copied() else {
            return;
        };
        for reference in root.list("serviceSpecRelationship") {
            let relationship_type = reference.text("relationshipType").unwrap_or_default();
            let informative = ["migration", "substitution", "exclusivity"];
            if informative
                .iter()
                .any(|name| relationship_type.eq_ignore_ascii_case(name))
            {
                continue;
            }
            let Some(target) = self.service_reference(reference) else {
                continue;
            };
            let facing = |index: ServiceIndex| self.catalog.services[index.0].facing;
            match (facing(index), facing(target)) {
                (Facing::Customer, Facing::Resource) => {
                    self.reference_step(Source::Service(index), target, reference);
                }
                (Facing::Resource, Facing::Customer) => {
                    let message = format!(
                        "a resource-facing service cannot need the customer-facing `{}`",
                        self.catalog.services[target.0].specification.id
                    );
                    self.error("catalog/reference-type", reference.location(), message);
                }
                (Facing::Customer, Facing::Customer) | (Facing::Resource, Facing::Resource) => {
                    if RelationshipKind::of(&relationship_type) == RelationshipKind::Dependency {
                        let dependency = Dependency::on(target, reference.location());
                        self.catalog.services[index.0].depends_on.push(dependency);
                    } else if facing(index) == Facing::Customer {
                        self.reference_step(Source::Service(index), target, reference);
                    }
                }
            }
        }
        for reference in root.list("resourceSpecification") {
            let Some(resource) = self.resource_reference(reference) else {
                continue;
            };
            if self.catalog.services[index.0].resources.contains(&resource) {
                let message = "the same specification is referred to twice".to_owned();
                self.error("catalog/duplicate-reference", reference.location(), message);
                continue;
            }
            self.catalog.services[index.0].resources.push(resource);
        }
        if self.catalog.services[index.0].facing == Facing::Resource
            && self.catalog.services[index.0].resources.is_empty()
            && root.list("resourceSpecification").next().is_none()
        {
            let message = format!("resource-facing service `{id}` names no resource specification");
            self.error("catalog/no-resource", root.location(), message)
                .hint =
                Some("add the resource that realizes it to `resourceSpecification`".to_owned());
        }
    }

    fn reference_step(&mut self, source: Source, target: ServiceIndex, reference: Node<'d>) {
        if let Source::Product(_) = source
            && self.catalog.services[target.0].facing == Facing::Resource
        {
            let id = &self.catalog.services[target.0].specification.id;
            let message =
                format!("a product needs customer-facing services; `{id}` faces resources");
            self.error("catalog/reference-type", reference.location(), message);
            return;
        }
        let steps = self.steps.entry(source).or_default();
        if let Some(first) = steps.iter().find(|step| step.target == target) {
            let related = first.place.location();
            let message = "the same specification is referred to twice".to_owned();
            self.error("catalog/duplicate-reference", reference.location(), message)
                .related = Some(related);
            return;
        }
        steps.push(Step {
            target,
            place: reference,
            rules: Vec::new(),
        });
    }
}

impl Compiler<'_> {
    fn service_reference(&mut self, reference: Node<'_>) -> Option<ServiceIndex> {
        let id = reference.text("id").unwrap_or_default();
        let found = self.reader.catalog.service_by_id.get(&*id).copied();
        // Of one without an id the schema has said so.
        if found.is_none() && !id.is_empty() {
            let known = self.reader.catalog.service_by_id.keys();
            self.reader.dangling(
                reference,
                "service specification",
                known.map(String::as_str),
            );
        }
        found
    }

    fn specification(&self, source: Source) -> &Specification {
        match source {
            Source::Product(index) => &self.reader.catalog.products[index.0].specification,
            Source::Service(index) => &self.reader.catalog.services[index.0].specification,
        }
    }
}

fn suggest<'a>(id: &str, known: impl Iterator<Item = &'a String>) -> Option<String> {
    let mut known: Vec<&str> = known.map(String::as_str).collect();
    known.sort_unstable();
    closest(id, known).map(|id| format!("did you mean `{id}`?"))
}
