//! Constraint rules: what has to hold of an order, beyond its characteristics
//! one by one.

use foldhash::HashMap;

use super::expression::{Expected, Expression, ObjectShape, Parsed, Scope, Shape};
use super::ruling::{Reader, Subject, actions, products, surroundings};
use super::{Catalog, link};
use crate::diagnostic::{Diagnostic, Location};
use crate::document::{Document, DocumentKind, Node};
use crate::model::Action;

/// What has to hold of the items of a product, or of a whole order.
#[derive(Debug)]
pub struct ConstraintRule {
    /// Id of the rule.
    pub id: String,
    /// Where the rule stands.
    pub location: Location,
    /// Actions of the order item for which it has to hold.
    pub actions: Vec<Action>,
    /// Where it has to hold; everywhere, if there is no condition.
    pub condition: Option<Expression>,
    /// What has to hold.
    pub demand: Expression,
    /// What is said where it does not.
    pub message: String,
}

/// The constraint rules of a catalog, by id.
#[derive(Debug, Default)]
pub(super) struct Constraints {
    rules: Vec<ConstraintRule>,
    by_subject: HashMap<Subject, Vec<usize>>,
    of_orders: Vec<usize>,
}

/// Reads the constraint rules among the documents of a catalog, whose specifications are tied
/// together.
pub(super) fn link(catalog: &mut Catalog, documents: &[&Document], found: &mut Vec<Diagnostic>) {
    let documents = documents.iter().map(|document| document.root());
    let mut roots: Vec<Node<'_>> = documents
        .filter(|root| DocumentKind::of(root.document()) == DocumentKind::ConstraintRule)
        .collect();
    roots.sort_by_key(|root| root.text("id"));
    let parsed = Parsed::default();
    let mut reader = Reader {
        catalog,
        parsed: &parsed,
        diagnostics: found,
    };
    let mut constraints = Constraints::default();
    for root in roots {
        let of_order = root.text("scope").as_deref() == Some("order");
        let subject = if of_order { None } else { reader.subject(root) };
        if !of_order && subject.is_none() {
            continue;
        }
        let Some(rule) = reader.constraint(root, subject) else {
            continue;
        };
        let index = constraints.rules.len();
        match subject {
            Some(subject) => constraints
                .by_subject
                .entry(subject)
                .or_default()
                .push(index),
            None => constraints.of_orders.push(index),
        }
        constraints.rules.push(rule);
    }
    catalog.constraints = constraints;
}

impl Reader<'_> {
    fn constraint(&mut self, root: Node<'_>, subject: Option<Subject>) -> Option<ConstraintRule> {
        let scope = match subject {
            Some(subject) => self.item_scope(subject),
            None => order_scope(),
        };
        let condition = root
            .get("condition")
            .map(|node| self.expression(node, &Expected::Boolean, &scope));
        let demand = root.get("demand");
        let demand = demand.and_then(|node| self.expression(node, &Expected::Boolean, &scope));
        Some(ConstraintRule {
            id: root.text("id").unwrap_or_default().into_owned(),
            location: root.location(),
            actions: actions(root, &[Action::Add, Action::Modify]),
            condition: match condition {
                Some(condition) => Some(condition?),
                None => None,
            },
            demand: demand?,
            message: root.text("message").unwrap_or_default().into_owned(),
        })
    }

    fn item_scope(&self, subject: Subject) -> Scope {
        let catalog = self.catalog;
        let products = products(catalog, subject).into_iter();
        let shapes = products.map(|it| link::shape(&catalog.product_at(it).specification));
        surroundings()
            .with("product", Shape::Object(link::joined(shapes)))
            .with("order", Shape::Object(order_shape()))
    }
}

fn order_shape() -> ObjectShape {
    ObjectShape::closed()
        .with_required("id", Shape::String)
        .with_optional("externalId", Shape::String)
        .with_optional("category", Shape::String)
        .with_optional("priority", Shape::String)
}

/// The variables `order` and `items`.
fn order_scope() -> Scope {
    let item = ObjectShape::closed()
        .with_required("id", Shape::String)
        .with_required("action", Shape::String)
        .with_required("quantity", Shape::Integer)
        .with_required("offering", Shape::String)
        .with_required("specification", Shape::String)
        .with_required("product", Shape::Object(ObjectShape::open()));
    Scope::new()
        .with("order", Shape::Object(order_shape()))
        .with("items", Shape::List(Box::new(Shape::Object(item))))
}

impl Catalog {
    /// Whether there are constraints at all.
    pub fn has_constraints(&self) -> bool {
        !self.constraints.rules.is_empty()
    }

    /// The constraints of the items of a product, by id.
    pub fn constraints(&self, of: Subject) -> impl Iterator<Item = &ConstraintRule> {
        let rules = self.constraints.by_subject.get(&of).into_iter().flatten();
        rules.map(|index| &self.constraints.rules[*index])
    }

    /// The constraints of whole orders, by id.
    pub fn order_constraints(&self) -> impl Iterator<Item = &ConstraintRule> {
        let rules = self.constraints.of_orders.iter();
        rules.map(|index| &self.constraints.rules[*index])
    }
}
