//! What activation, gate and rollout rules have in common when they are read:
//! references are followed, expressions compiled, actions named.

use std::collections::BTreeSet;

use foldhash::{HashSet, HashSetExt as _};

use super::expression::{Expected, Expression, ObjectShape, Parsed, Scope, Shape};
use super::{Catalog, ProductIndex, ServiceIndex};
use crate::diagnostic::suggestion::closest;
use crate::diagnostic::{Code, Diagnostic, Location, Severity};
use crate::document::Node;
use crate::model::Action;

/// What a rule is declared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An offering, by its position in the catalog.
    Offering(usize),
    /// A product specification, whatever it is sold as.
    Product(ProductIndex),
}

/// Reads the rules of one kind; what is wrong with them goes to the diagnostics.
pub(super) struct Reader<'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) parsed: &'c Parsed,
    pub(super) diagnostics: &'c mut Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Reports an error, which may be given more before it is left.
    pub(super) fn error(
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

    /// A reference that leads nowhere; the hint names what is nearest of what there is.
    pub(super) fn dangling<'k>(
        &mut self,
        reference: Node<'_>,
        kind: &str,
        known: impl Iterator<Item = &'k str>,
    ) {
        let id = reference.text("id").unwrap_or_default();
        let place = reference.get("id").unwrap_or(reference).location();
        let hint = nearest(&id, known);
        let message = format!("{kind} `{id}` is not in the catalog");
        self.error("catalog/dangling-reference", place, message)
            .hint = hint;
    }

    /// What a rule is declared for: its `productOffering` or `productSpecification`.
    pub(super) fn subject(&mut self, rule: Node<'_>) -> Option<Subject> {
        let catalog = self.catalog;
        if let Some(reference) = rule.get("productOffering") {
            let id = reference.text("id").unwrap_or_default();
            let found = catalog.offering_by_id.get(&*id).copied();
            if found.is_none() {
                self.dangling(reference, "product offering", catalog.offering_ids());
            }
            return found.map(Subject::Offering);
        }
        let reference = rule.get("productSpecification")?;
        let id = reference.text("id").unwrap_or_default();
        let found = catalog.product_by_id.get(&*id).copied();
        if found.is_none() {
            self.dangling(reference, "product specification", catalog.product_ids());
        }
        found.map(Subject::Product)
    }

    /// Compiles an expression of a rule.
    pub(super) fn expression(
        &mut self,
        node: Node<'_>,
        expected: &Expected,
        scope: &Scope,
    ) -> Option<Expression> {
        let text = node.as_str()?;
        let faults = match Expression::compile_among(self.parsed, &text, expected, scope) {
            Ok(expression) => return Some(expression),
            Err(faults) => faults,
        };
        for fault in faults {
            let location = node.text_location(fault.start);
            let finding = Diagnostic::new(fault.code, Severity::Error, location, fault.message);
            self.diagnostics.push(Diagnostic {
                hint: fault.hint,
                ..finding
            });
        }
        None
    }
}

/// The actions that a rule is for; those that hold by default where it names none.
pub(super) fn actions(rule: Node<'_>, default: &[Action]) -> Vec<Action> {
    match rule.get("actions") {
        Some(list) => list
            .elements()
            .filter_map(|node| Action::read(&node.as_str()?))
            .map(|read| read.0)
            .collect(),
        None => default.to_vec(),
    }
}

/// `did you mean …?`, if there is something near.
pub(super) fn nearest<'k>(id: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    closest(id, known).map(|id| format!("did you mean `{id}`?"))
}

/// The variables `item` and `place` of an expression.
pub(super) fn surroundings() -> Scope {
    let item = ObjectShape::closed()
        .with_required("id", Shape::String)
        .with_required("action", Shape::String)
        .with_required("quantity", Shape::Integer);
    let place = ObjectShape::open()
        .with_optional("id", Shape::String)
        .with_optional("name", Shape::String)
        .with_optional("role", Shape::String);
    Scope::new()
        .with("item", Shape::Object(item))
        .with("place", Shape::Object(place))
}

/// The same members, none of which is certain to be there.
pub(super) fn uncertain(shape: &ObjectShape) -> ObjectShape {
    let mut uncertain = ObjectShape::closed();
    for name in shape.names() {
        if let Some(member) = shape.member(name) {
            uncertain.insert(name, member.shape.clone(), false);
        }
    }
    uncertain
}

/// What a product may need, by decomposition.
#[derive(Debug, Default)]
pub(super) struct Reach<'c> {
    /// Product specifications: its own, or those of the offerings in its bundle.
    pub(super) products: Vec<ProductIndex>,
    /// Ids of service and resource specifications.
    pub(super) ids: BTreeSet<&'c str>,
    /// Its service specifications.
    pub(super) services: Vec<ServiceIndex>,
}

impl<'c> Reach<'c> {
    pub(super) fn of(catalog: &'c Catalog, subject: Subject) -> Reach<'c> {
        let mut reach = Reach {
            products: products(catalog, subject),
            ..Reach::default()
        };
        let mut open: Vec<ServiceIndex> = Vec::new();
        for product in &reach.products {
            let decompositions = &catalog.product_at(*product).decompositions;
            open.extend(decompositions.iter().map(|it| it.target));
        }
        let mut seen = HashSet::new();
        while let Some(index) = open.pop() {
            if !seen.insert(index) {
                continue;
            }
            let service = catalog.service_at(index);
            reach.services.push(index);
            reach.ids.insert(&service.specification.id);
            for resource in &service.resources {
                reach
                    .ids
                    .insert(&catalog.resource_at(*resource).specification.id);
            }
            open.extend(service.decompositions.iter().map(|it| it.target));
        }
        reach.services.sort_unstable();
        reach
    }
}

/// The product specifications of a subject; of a bundle those of what is in it.
pub(super) fn products(catalog: &Catalog, subject: Subject) -> Vec<ProductIndex> {
    let mut found = BTreeSet::new();
    let mut open = match subject {
        Subject::Product(index) => return vec![index],
        Subject::Offering(index) => vec![index],
    };
    let mut seen = HashSet::new();
    while let Some(index) = open.pop() {
        if !seen.insert(index) {
            continue;
        }
        let offering = &catalog.offerings[index];
        found.extend(offering.product);
        let inside = offering.bundled.iter();
        open.extend(inside.filter_map(|it| catalog.offering_by_id.get(&it.id).copied()));
    }
    found.into_iter().collect()
}
