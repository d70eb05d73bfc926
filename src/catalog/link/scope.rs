//! What expressions may read: the variables by source, and the shapes of specifications.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt as _};

use super::{Compiler, Linker, Source, Step};
use crate::catalog::characteristic::{CharacteristicSpecification, ValueType};
use crate::catalog::expression::{ObjectShape, Scope, Shape};
use crate::catalog::specification::Specification;
use crate::catalog::{ProductIndex, ServiceIndex};

/// Variables that every rule has, or may have.
pub(super) const VARIABLES: [&str; 9] = [
    "source",
    "product",
    "item",
    "order",
    "place",
    "places",
    "siblings",
    "installed",
    "other",
];

impl Linker<'_, '_> {
    /// From which products each service can be reached.
    pub(super) fn products_of_services(
        &self,
        steps: &BTreeMap<Source, Vec<Step<'_>>>,
    ) -> HashMap<ServiceIndex, BTreeSet<ProductIndex>> {
        let mut reached: HashMap<ServiceIndex, BTreeSet<ProductIndex>> = HashMap::new();
        for product in (0..self.catalog.products.len()).map(ProductIndex) {
            let mut open = vec![Source::Product(product)];
            while let Some(source) = open.pop() {
                for step in steps.get(&source).into_iter().flatten() {
                    if reached.entry(step.target).or_default().insert(product) {
                        open.push(Source::Service(step.target));
                    }
                }
            }
        }
        reached
    }
}

impl Compiler<'_> {
    pub(super) fn scope(
        &self,
        source: Source,
        products: &HashMap<ServiceIndex, BTreeSet<ProductIndex>>,
    ) -> Scope {
        let own = shape(self.specification(source));
        let product =
            match source {
                Source::Product(_) => own.clone(),
                Source::Service(index) => {
                    let products = products.get(&index).into_iter().flatten();
                    joined(products.map(|product| {
                        shape(&self.reader.catalog.products[product.0].specification)
                    }))
                }
            };
        let texts = |optional: &[&str], shape: ObjectShape| {
            optional.iter().fold(shape, |shape, name| {
                shape.with_optional(*name, Shape::String)
            })
        };
        // Places are objects of which only these members are known.
        let place = Shape::Object(texts(&["id", "name", "role"], ObjectShape::open()));
        let item = ObjectShape::closed()
            .with_required("id", Shape::String)
            .with_required("action", Shape::String)
            .with_required("quantity", Shape::Integer);
        Scope::new()
            .with("source", Shape::Object(own))
            .with("product", Shape::Object(product))
            .with("item", Shape::Object(item))
            .with(
                "order",
                Shape::Object(
                    texts(
                        &["externalId", "category", "priority"],
                        ObjectShape::closed(),
                    )
                    .with_required("id", Shape::String),
                ),
            )
            .with("place", place.clone())
            .with("places", Shape::List(Box::new(place)))
    }
}

pub(super) fn characteristic_shape(characteristic: &CharacteristicSpecification) -> Shape {
    let one = match characteristic.value_type {
        ValueType::String => Shape::String,
        ValueType::Integer => Shape::Integer,
        ValueType::Number => Shape::Number,
        ValueType::Boolean => Shape::Boolean,
        ValueType::Object | ValueType::Any => Shape::Any,
    };
    if characteristic.is_list() {
        Shape::List(Box::new(one))
    } else {
        one
    }
}

/// The characteristics that an item of a specification has, for expressions.
pub(in crate::catalog) fn shape(specification: &Specification) -> ObjectShape {
    let mut shape = ObjectShape::closed();
    for characteristic in &specification.characteristics {
        let present = characteristic.minimum > 0 || characteristic.default.is_some();
        shape.insert(
            &characteristic.name,
            characteristic_shape(characteristic),
            present,
        );
    }
    shape
}

/// What is known of an object that is of one of several shapes: members of all of them; certain
/// are those that all have, of one type those of which all have the same.
pub(in crate::catalog) fn joined(shapes: impl Iterator<Item = ObjectShape>) -> ObjectShape {
    let shapes: Vec<ObjectShape> = shapes.collect();
    let names: BTreeSet<&str> = shapes.iter().flat_map(ObjectShape::names).collect();
    let mut joined = ObjectShape::closed();
    for name in names {
        let members = shapes.iter().filter_map(|shape| shape.member(name));
        let required = shapes
            .iter()
            .all(|shape| shape.member(name).is_some_and(|it| it.required));
        let mut kinds = members.map(|member| &member.shape);
        let first = kinds.next().cloned().unwrap_or(Shape::Any);
        let shape = if kinds.all(|kind| *kind == first) {
            first
        } else {
            Shape::Any
        };
        joined.insert(name, shape, required);
    }
    joined
}
