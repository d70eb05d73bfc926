//! Which products need each other, and which exclude each other: relationships
//! of offerings and of product specifications (TMF620).

use foldhash::HashMap;

use super::expression::Parsed;
use super::ruling::{Reader, Subject};
use super::specification::Period;
use super::{Catalog, ProductIndex};
use crate::diagnostic::{Diagnostic, Location};
use crate::document::{Document, DocumentKind, Node};

/// What one product is to another.
#[derive(Debug)]
pub struct Relation {
    /// What it says.
    pub kind: RelationKind,
    /// The other one.
    pub other: Subject,
    /// When it holds.
    pub valid_for: Period,
    /// Where it stands.
    pub location: Location,
}

/// What a relationship says, as far as orders are judged by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// The other one has to be there.
    Requires,
    /// The other one must not be there.
    Excludes,
}

impl RelationKind {
    /// Of a `relationshipType`: TMF620 has `requires` for offerings, `dependency` and `exclusivity`
    /// for specifications, and leaves both free texts.
    fn of(relationship_type: &str) -> Option<RelationKind> {
        const REQUIRES: [&str; 4] = ["requires", "dependency", "dependsOn", "reliesOn"];
        const EXCLUDES: [&str; 5] = [
            "excludes",
            "exclude",
            "exclusivity",
            "exclusion",
            "incompatible",
        ];
        let is = |names: &[&str]| {
            names
                .iter()
                .any(|name| relationship_type.eq_ignore_ascii_case(name))
        };
        if is(&REQUIRES) {
            Some(RelationKind::Requires)
        } else if is(&EXCLUDES) {
            Some(RelationKind::Excludes)
        } else {
            None
        }
    }
}

/// The relations of a catalog, in the order in which they are written.
#[derive(Debug, Default)]
pub(super) struct Relations {
    of: HashMap<Subject, Vec<Relation>>,
    /// Who has a relation to a subject.
    to: HashMap<Subject, Vec<Subject>>,
}

/// Reads the relationships among the documents of a catalog.
pub(super) fn link(catalog: &mut Catalog, documents: &[&Document], found: &mut Vec<Diagnostic>) {
    let mut relations = Relations::default();
    let parsed = Parsed::default();
    let mut reader = Reader {
        catalog,
        parsed: &parsed,
        diagnostics: found,
    };
    for document in documents {
        let root = document.root();
        let id = root.text("id").unwrap_or_default();
        let of = match DocumentKind::of(document) {
            DocumentKind::ProductOffering => reader
                .catalog
                .offering_by_id
                .get(&*id)
                .copied()
                .map(Subject::Offering),
            DocumentKind::ProductSpecification => reader
                .catalog
                .product_by_id
                .get(&*id)
                .copied()
                .map(Subject::Product),
            _ => None,
        };
        let Some(of) = of else { continue };
        let list = match of {
            Subject::Offering(_) => "productOfferingRelationship",
            Subject::Product(_) => "productSpecificationRelationship",
        };
        for node in root.list(list) {
            if let Some(relation) = reader.relation(node, of) {
                relations.to.entry(relation.other).or_default().push(of);
                relations.of.entry(of).or_default().push(relation);
            }
        }
    }
    catalog.relations = relations;
}

impl Reader<'_> {
    fn relation(&mut self, node: Node<'_>, of: Subject) -> Option<Relation> {
        let text = node
            .text("relationshipType")
            .or_else(|| node.text("type"))?;
        let kind = RelationKind::of(&text)?;
        let id = node.text("id").unwrap_or_default();
        let catalog = self.catalog;
        let other = match of {
            Subject::Offering(_) => catalog
                .offering_by_id
                .get(&*id)
                .copied()
                .map(Subject::Offering),
            Subject::Product(_) => catalog
                .product_by_id
                .get(&*id)
                .copied()
                .map(Subject::Product),
        };
        let Some(other) = other else {
            match of {
                Subject::Offering(_) => {
                    self.dangling(node, "product offering", catalog.offering_ids());
                }
                Subject::Product(_) => {
                    self.dangling(node, "product specification", catalog.product_ids());
                }
            }
            return None;
        };
        Some(Relation {
            kind,
            other,
            valid_for: Period::read(node),
            location: node.location(),
        })
    }
}

impl Catalog {
    /// Whether products need or exclude each other at all.
    pub fn has_relations(&self) -> bool {
        !self.relations.of.is_empty()
    }

    /// What a product needs and excludes.
    pub fn relations(&self, of: Subject) -> &[Relation] {
        self.relations.of.get(&of).map_or(&[], Vec::as_slice)
    }

    /// What has relations to a product, each with these.
    pub fn related_to(&self, other: Subject) -> impl Iterator<Item = (Subject, &Relation)> {
        let of = self.relations.to.get(&other).into_iter().flatten();
        of.flat_map(move |of| {
            let relations = self.relations(*of).iter();
            let to_it = relations.filter(move |it| it.other == other);
            to_it.map(move |it| (*of, it))
        })
    }

    /// For messages: the name of an offering or product specification.
    pub fn name_of(&self, subject: Subject) -> &str {
        match subject {
            Subject::Offering(index) => &self.offerings[index].specification.name,
            Subject::Product(index) => &self.product_at(index).specification.name,
        }
    }

    /// Ids of the offerings that sell a product specification.
    pub fn offerings_of(&self, product: ProductIndex) -> impl Iterator<Item = &str> {
        let offerings = self.offerings.iter();
        let sells = offerings.filter(move |it| it.product == Some(product));
        sells.map(|it| it.id.as_str())
    }

    /// Id of an offering or product specification.
    pub fn id_of(&self, subject: Subject) -> &str {
        match subject {
            Subject::Offering(index) => &self.offerings[index].id,
            Subject::Product(index) => &self.product_at(index).specification.id,
        }
    }
}
