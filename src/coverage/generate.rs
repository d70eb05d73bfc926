//! The fewest valid orders that exercise what is missing, found greedily among candidates.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt::Write as _;

use jiff::Timestamp;

use super::candidates::{self, Parameter};
use super::points::{Point, is_orderable};
use super::samples::{Past, Sample, Samples};
use super::{Coverage, observe, pairs};
use crate::catalog::{BundledOffering, Catalog, Offering};
use crate::document::{Document, quote};
use crate::model::date::DateReading;
use crate::rehearsal::{Outcome, Rehearsal};

/// When orders are made where no sample says it.
const ORDERED: &str = "2026-01-05T09:00:00Z";
/// Where products are where no sample says it.
const PLACE: &str = r#"[{"id":"PLACE-1","name":"Place 1","role":"installationAddress"}]"#;

/// What is wanted of the orders.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Whether every pair of values of an offering that can be ordered together is.
    pub pairwise: bool,
    /// The moment taken as now.
    pub now: Option<Timestamp>,
}

/// An order that was made.
#[derive(Debug, Clone)]
pub struct Generated {
    /// Its id; fit for the name of a file.
    pub id: String,
    /// Product specification of its first item, if it has one.
    pub product: Option<String>,
    /// The order.
    pub order: Document,
}

/// A candidate: a valid order and what it would add.
struct Candidate {
    offering: usize,
    points: BTreeSet<Point>,
    pairs: BTreeSet<(usize, pairs::Pair)>,
    order: Document,
}

/// Orders for what `coverage` misses, which is then exercised.
pub fn generate(coverage: &mut Coverage<'_>, samples: &Samples, wanted: Wanted) -> Vec<Generated> {
    let catalog = coverage.catalog;
    let mut candidates = Vec::new();
    for (index, offering) in catalog.offerings().iter().enumerate() {
        if is_orderable(offering) {
            candidates.extend(of_offering(catalog, (index, offering), samples, wanted));
        }
    }
    let mut open_pairs: BTreeSet<(usize, pairs::Pair)> = BTreeSet::new();
    if wanted.pairwise {
        open_pairs = candidates
            .iter()
            .flat_map(|it| it.pairs.iter().copied())
            .collect();
    }
    let mut chosen = Vec::new();
    let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
    // Of equally good ones the shortest, of those the first.
    let mut waiting: BinaryHeap<(usize, Reverse<(usize, usize)>)> = candidates
        .iter()
        .enumerate()
        .map(|(position, it)| (usize::MAX, Reverse((it.order.text().len(), position))))
        .collect();
    while let Some((promised, key)) = waiting.pop() {
        let candidate = &candidates[key.0.1];
        let new = |it: &&Point| coverage.points.contains(*it) && !coverage.covered.contains(*it);
        let gain = candidate.points.iter().filter(new).count()
            + candidate
                .pairs
                .iter()
                .filter(|it| open_pairs.contains(it))
                .count();
        // What a candidate adds only becomes less: one that adds as much as it promised is the best.
        if gain < promised {
            if gain > 0 {
                waiting.push((gain, key));
            }
            continue;
        }
        let number = numbers.entry(candidate.offering).or_default();
        let offering = &catalog.offerings()[candidate.offering];
        // Those that were generated before stay.
        let id = loop {
            *number += 1;
            let id = format!("{}-{number}", offering.id);
            if !coverage.ids.contains(&id) {
                break id;
            }
        };
        for pair in &candidate.pairs {
            open_pairs.remove(pair);
        }
        let points = candidate
            .points
            .iter()
            .filter(|it| coverage.points.contains(it));
        coverage.covered.extend(points.cloned());
        coverage.orders += 1;
        chosen.push(Generated {
            order: renamed(&candidate.order, &id),
            product: offering
                .product
                .map(|it| catalog.product_at(it).specification.id.clone()),
            id,
        });
    }
    chosen.sort_by(|a, b| a.id.cmp(&b.id));
    chosen
}

/// The valid orders for an offering.
fn of_offering(
    catalog: &Catalog,
    (index, offering): (usize, &Offering),
    samples: &Samples,
    wanted: Wanted,
) -> Vec<Candidate> {
    let sample = sample(catalog, offering, samples);
    let parameters = offering.product.map_or(Vec::new(), |product| {
        let product = &catalog.product_at(product).specification;
        candidates::parameters(catalog, (offering, product), &sample)
    });
    let rehearsal = Rehearsal {
        catalog,
        inventory: None,
        now: wanted.now,
        explain: true,
    };
    let past: Vec<BTreeMap<String, String>> =
        sample.past.iter().map(|it| it.values.clone()).collect();
    let bases = pairs::bases(&parameters, &past);
    let rows = pairs::rows(&parameters, bases, wanted.pairwise)
        .into_iter()
        .filter_map(|(base, row)| {
            let past = sample
                .past
                .get(base)
                .or(sample.past.first())
                .cloned()
                .unwrap_or_default();
            let item = item(
                catalog,
                ("1", offering),
                (&parameters, &row),
                (samples, &past),
            );
            let moment = moment(catalog, offering, &past);
            let order = order(&past, (moment.as_deref(), &item))?;
            let rehearsed = rehearsal.rehearse(&order);
            // Warnings, too, are not what an order shows that is meant to be valid.
            (Outcome::of(&rehearsed).findings.is_empty() && rehearsed.plan.is_some()).then(|| {
                Candidate {
                    offering: index,
                    points: observe::points(catalog, &order, &rehearsed),
                    pairs: if wanted.pairwise {
                        pairs::of(&row).map(|pair| (index, pair)).collect()
                    } else {
                        BTreeSet::new()
                    },
                    order,
                }
            })
        });
    rows.collect()
}

fn sample(catalog: &Catalog, offering: &Offering, samples: &Samples) -> Sample {
    let product = offering.product.or_else(|| {
        let mut inside = offering.bundled.iter();
        inside.find_map(|it| catalog.offering(&it.id)?.product)
    });
    product.map_or_else(Sample::default, |it| {
        samples.of(&catalog.product_at(it).specification.id)
    })
}

/// When the offering is ordered, where that cannot be when the sample was: as soon as it and its
/// product can be.
fn moment(catalog: &Catalog, offering: &Offering, past: &Past) -> Option<String> {
    let product = offering
        .product
        .map(|it| &catalog.product_at(it).specification);
    let specifications = [Some(&offering.specification), product];
    let given = past.members.iter().find(|(name, _)| *name == "orderDate");
    let given = given.map_or(ORDERED, |(_, text)| text.trim_matches('"'));
    let given = DateReading::of(given).timestamp();
    let mut specifications = specifications.iter().flatten();
    if specifications
        .clone()
        .all(|it| it.refuses_orders(given).is_none())
    {
        return None;
    }
    let start = specifications
        .clone()
        .filter_map(|it| it.valid_for.start)
        .max();
    let open = specifications.all(|it| it.refuses_orders(start).is_none());
    start.filter(|_| open).map(|it| it.to_string())
}

/// An order with one item; at another moment than the sample's without the dates of that.
fn order(past: &Past, (moment, item): (Option<&str>, &str)) -> Option<Document> {
    let mut members = past.members.clone();
    if let Some(moment) = moment {
        members.retain(|(name, _)| {
            !["orderDate", "requestedStartDate", "requestedCompletionDate"].contains(name)
        });
        members.insert(0, ("orderDate", quote(moment)));
    }
    if !members.iter().any(|(name, _)| *name == "orderDate") {
        members.insert(0, ("orderDate", quote(ORDERED)));
    }
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}:{value}", quote(name)))
        .collect();
    let text = format!(
        "{{\"@type\":\"ProductOrder\",\"id\":\"GENERATED\",{},\"productOrderItem\":[{item}]}}",
        members.join(",")
    );
    Document::parse(text, "generated").ok()
}

/// An item for an offering, and in it those that a bundle has to hold.
fn item(
    catalog: &Catalog,
    (id, offering): (&str, &Offering),
    (parameters, row): (&[Parameter], &[usize]),
    (samples, past): (&Samples, &Past),
) -> String {
    let mut text = format!(
        "{{\"id\":{},\"action\":\"add\",\"productOffering\":{{\"id\":{}}}",
        quote(id),
        quote(&offering.id)
    );
    if let Some(product) = offering.product {
        let product = &catalog.product_at(product).specification.id;
        let place = past.place.clone().unwrap_or_else(|| PLACE.to_owned());
        let values = parameters.iter().zip(row).filter_map(|(parameter, value)| {
            let value = parameter.values[*value].as_ref()?;
            Some(format!(
                "{{\"name\":{},\"value\":{value}}}",
                quote(&parameter.name)
            ))
        });
        let _ = write!(
            text,
            ",\"product\":{{\"productSpecification\":{{\"id\":{}}},\"place\":{place},\"productCharacteristic\":[{}]}}",
            quote(product),
            values.collect::<Vec<_>>().join(",")
        );
    }
    let inside = inside(catalog, id, &offering.bundled, samples);
    if !inside.is_empty() {
        let _ = write!(text, ",\"productOrderItem\":[{}]", inside.join(","));
    }
    text.push('}');
    text
}

fn inside(
    catalog: &Catalog,
    id: &str,
    bundled: &[BundledOffering],
    samples: &Samples,
) -> Vec<String> {
    let mut items = Vec::new();
    // A bundle inside a bundle ends where it is too deep for a sensible order.
    if id.matches('.').count() > 4 {
        return items;
    }
    for part in bundled {
        let Some(offering) = catalog.offering(&part.id) else {
            continue;
        };
        let product = offering
            .product
            .map(|it| &catalog.product_at(it).specification);
        let parameters = product.map_or(Vec::new(), |product| {
            let sample = samples.of(&product.id);
            candidates::parameters(catalog, (offering, product), &sample)
        });
        let past = product.and_then(|it| samples.of(&it.id).past.first().cloned());
        let past = past.unwrap_or_default();
        let row = vec![0; parameters.len()];
        for _ in 0..part.minimum.min(8) {
            let id = format!("{id}.{}", items.len() + 1);
            items.push(item(
                catalog,
                (&id, offering),
                (&parameters, &row),
                (samples, &past),
            ));
        }
    }
    items
}

/// The order under its own id.
fn renamed(order: &Document, id: &str) -> Document {
    let text = order.text().replacen("\"GENERATED\"", &quote(id), 1);
    Document::parse(text, id).expect("only the id is another one")
}
