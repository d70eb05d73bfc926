//! What orders that there are say where a catalog does not: texts, lists of objects, places, dates.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::document::{Document, Node};
use crate::model::{Action, ProductOrder};

/// Members of an order that are taken over.
const MEMBERS: [&str; 6] = [
    "orderDate",
    "requestedStartDate",
    "requestedCompletionDate",
    "category",
    "priority",
    "relatedParty",
];

/// Most values of a characteristic that are kept.
const VALUES: usize = 12;

/// Most orders for a product that are kept whole.
const PAST: usize = 4;

/// An order for a product, as far as it is taken over.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Members of the order, as JSON texts.
    pub members: Vec<(&'static str, String)>,
    /// Its place, as JSON text.
    pub place: Option<String>,
    /// Values by characteristic, as JSON texts.
    pub values: BTreeMap<String, String>,
}

/// What is known of orders for one product.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Orders, whole.
    pub past: Vec<Past>,
    /// Values by characteristic, as JSON texts, each once.
    pub values: BTreeMap<String, Vec<String>>,
}

/// Samples by product specification.
#[derive(Debug, Clone, Default)]
pub struct Samples(BTreeMap<String, Sample>);

impl Samples {
    /// Learns from an order that adds something.
    pub fn learn(&mut self, catalog: &Catalog, order: &Document) {
        let read = ProductOrder::read(order.root());
        for item in read
            .items
            .iter()
            .filter(|it| it.action == Some(Action::Add))
        {
            let offering = item
                .offering
                .as_ref()
                .and_then(|it| catalog.offering(&it.id));
            let product = offering.and_then(|it| it.product);
            let product = product.map(|it| catalog.product_at(it).specification.id.clone());
            let product = item
                .specification
                .as_ref()
                .map(|it| it.id.to_string())
                .or(product);
            let Some(product) = product else { continue };
            let sample = self.0.entry(product).or_default();
            let members = MEMBERS
                .iter()
                .filter_map(|name| Some((*name, order.root().get(name)?.compact().into_owned())));
            let place = item.product.and_then(|it| it.get("place"));
            let mut past = Past {
                members: members.collect(),
                place: place.map(|it| it.compact().into_owned()),
                values: BTreeMap::new(),
            };
            for characteristic in item.characteristics.iter() {
                if let Some(value) = characteristic.value {
                    let name = characteristic.name.to_string();
                    past.values
                        .insert(name.clone(), value.compact().into_owned());
                    learn(value, sample.values.entry(name).or_default());
                }
            }
            if sample.past.len() < PAST {
                sample.past.push(past);
            }
        }
    }

    /// What is known of orders for a product.
    pub fn of(&self, product: &str) -> Sample {
        self.0.get(product).cloned().unwrap_or_default()
    }
}

/// A value, and of a list each of its elements alone.
fn learn(value: Node<'_>, values: &mut Vec<String>) {
    let elements = value.elements().map(|it| format!("[{}]", it.compact()));
    let all = [value.compact().into_owned()].into_iter().chain(elements);
    for text in all {
        if values.len() < VALUES && !values.contains(&text) {
            values.push(text);
        }
    }
}
