//! COM: a product order becomes a service order.

use std::borrow::Cow;
use std::collections::HashMap;

use super::explain::{Explanation, Outcome};
use super::mapping::{self, Surroundings, Values};
use super::write::{self, Derivation};
use super::{Derived, NotDecomposable};
use crate::catalog::{
    Catalog, Decomposition, Facing, ProductSpecification, ServiceIndex, Specification,
};
use crate::catalog::expression::Bindings;
use crate::chain::order_name;
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::model::{ProductOrder, ProductOrderItem};
use crate::validate::ValidOrder;

/// The product specification of an item: by its own reference, else by its offering's.
pub fn product_specification<'c>(
    catalog: &'c Catalog,
    item: &ProductOrderItem<'_>,
) -> Option<&'c ProductSpecification> {
    let named = item.specification.as_ref().and_then(|reference| catalog.product(&reference.id));
    named.or_else(|| {
        let offering = catalog.offering(&item.offering.as_ref()?.id)?;
        offering.product.map(|index| catalog.product_at(index))
    })
}

/// Characteristics of a product order item, with the defaults of its offering and specification.
pub fn product_values<'d>(catalog: &'d Catalog, item: &ProductOrderItem<'d>) -> Values<'d> {
    let offering = item.offering.as_ref().and_then(|reference| catalog.offering(&reference.id));
    let specification = product_specification(catalog, item).map(|it| &it.specification);
    Values::of_item(&item.characteristics, offering, specification)
}

/// An item of the service order while its dependencies are not known yet.
struct Made {
    service: ServiceIndex,
    depends_on: Vec<ServiceIndex>,
    item: write::Item,
}

struct Com<'a, 'c> {
    catalog: &'c Catalog,
    order_id: &'a str,
    order_members: &'a [(&'static str, String)],
    explain: bool,
    made: Vec<Made>,
    explanations: Vec<Explanation>,
    diagnostics: Vec<Diagnostic>,
}

/// Decomposes a product order into a service order.
///
/// # Errors
/// Every fault that values of the order bring to light in rules.
///
/// # Panics
/// Never for orders that were validated as product orders; others give an empty result.
pub fn service_order(
    catalog: &Catalog,
    order: &ValidOrder<'_>,
    explain: bool,
) -> Result<Derived, NotDecomposable> {
    let Some(order) = order.product() else {
        return Ok(Derived { document: None, explanations: Vec::new() });
    };
    let product_order_id = order_name(order.node.document());
    let order_members = mapping::order_members(order.node);
    let mut com = Com {
        catalog,
        order_id: &product_order_id,
        order_members: &order_members,
        explain,
        made: Vec::new(),
        explanations: Vec::new(),
        diagnostics: Vec::new(),
    };
    for item in &order.items {
        com.item(item);
    }
    if !com.diagnostics.is_empty() {
        return Err(NotDecomposable(com.diagnostics));
    }
    let Com { made, explanations, .. } = com;
    let document = (!made.is_empty()).then(|| write_order(order, &product_order_id, made));
    Ok(Derived { document, explanations })
}

impl<'c> Com<'_, 'c> {
    fn item(&mut self, item: &ProductOrderItem<'_>) {
        let Some(product) = product_specification(self.catalog, item) else { return };
        let values = product_values(self.catalog, item);
        let place = item.product.and_then(|it| it.list("place").next());
        let surroundings = Surroundings {
            product: Some(&values),
            item: [
                ("id", crate::document::quote(&item.id)),
                ("action", crate::document::quote(write::action(item.action))),
                ("quantity", write::quantity(item.node).to_string()),
            ],
            order: self.order_members,
            place: mapping::place(place),
        };
        let product_id = item.product.and_then(|it| it.text("id")).filter(|id| !id.is_empty());
        let product_id = product_id
            .map_or_else(|| format!("{}.{}", self.order_id, item.id), Cow::into_owned);
        let parent = Parent {
            item_id: &item.id,
            specification: &product.specification,
            decompositions: &product.decompositions,
            entity_id: &product_id,
        };
        self.expand(item, &parent, &values, &surroundings);
    }

    fn expand(
        &mut self,
        item: &ProductOrderItem<'_>,
        parent: &Parent<'_, 'c>,
        values: &Values<'_>,
        surroundings: &Surroundings<'_>,
    ) {
        let bindings = surroundings.bindings(values);
        for decomposition in parent.decompositions {
            let target = self.catalog.service_at(decomposition.target);
            if target.facing == Facing::Resource {
                continue;
            }
            let specification = &target.specification;
            let item_id = format!("{}.{}", parent.item_id, specification.id);
            let explained = (parent.item_id, parent.specification, specification);
            match judge(decomposition, &bindings, explained, &item_id, self.explain, item.node) {
                Err(fault) => {
                    self.diagnostics.push(*fault);
                    continue;
                }
                Ok(Judgement { made, explanation }) => {
                    self.explanations.extend(explanation);
                    if !made {
                        continue;
                    }
                }
            }
            let mapped = mapping::map(
                decomposition,
                specification,
                values,
                &bindings,
                item.node,
                &mut self.diagnostics,
            );
            let service_id = format!("{}.{}", parent.entity_id, specification.id);
            let place = item.product.and_then(|it| it.get("place"));
            self.made.push(Made {
                service: decomposition.target,
                depends_on: decomposition.depends_on.clone(),
                item: write::Item {
                    id: item_id.clone(),
                    action: write::action(item.action),
                    quantity: write::quantity(item.node),
                    specification: None,
                    entity: write::service(&service_id, specification, place, &mapped),
                    realizes: item.id.to_string(),
                    dependencies: Vec::new(),
                },
            });
            let inside = Parent {
                item_id: &item_id,
                specification,
                decompositions: &target.decompositions,
                entity_id: &service_id,
            };
            self.expand(item, &inside, &mapped, surroundings);
        }
    }
}

/// What is being decomposed.
struct Parent<'a, 'c> {
    item_id: &'a str,
    specification: &'a Specification,
    decompositions: &'c [Decomposition],
    entity_id: &'a str,
}

/// Whether a step makes its target, and why.
pub struct Judgement {
    pub made: bool,
    pub explanation: Option<Explanation>,
}

/// Judges the condition of a step.
pub fn judge(
    decomposition: &Decomposition,
    bindings: &Bindings<'_>,
    (source_item, source, target): (&str, &Specification, &Specification),
    item_id: &str,
    explain: bool,
    place: Node<'_>,
) -> Result<Judgement, Box<Diagnostic>> {
    let fault = |fault: &_| {
        let what = "its condition cannot be judged";
        Box::new(mapping::evaluation_fault(place, decomposition, what, fault))
    };
    let made = match &decomposition.condition {
        Some(condition) => condition.holds(bindings).map_err(|error| fault(&error))?,
        None => true,
    };
    if !explain {
        return Ok(Judgement { made, explanation: None });
    }
    let verdict = match &decomposition.condition {
        Some(condition) => Some(condition.explain(bindings).map_err(|error| fault(&error))?),
        None => None,
    };
    let outcome = match (made, verdict) {
        (true, verdict) => Outcome::Made {
            item: item_id.to_owned(),
            condition: decomposition.condition.as_ref().map(|it| it.source().to_owned()),
            seen: verdict.map_or(Vec::new(), |verdict| verdict.seen),
        },
        (false, verdict) => {
            let (condition, seen) =
                verdict.map_or_else(Default::default, |verdict| (verdict.conjunct, verdict.seen));
            Outcome::NotMade { condition, seen }
        }
    };
    let explanation = Explanation {
        source_item: source_item.to_owned(),
        source: source.id.clone(),
        target: target.id.clone(),
        name: target.name.clone(),
        rule: decomposition.rule.clone(),
        outcome,
    };
    Ok(Judgement { made, explanation: Some(explanation) })
}

fn write_order(
    order: &ProductOrder<'_>,
    product_order_id: &str,
    mut made: Vec<Made>,
) -> crate::document::Document {
    // Items of one product order item, by specification.
    let mut by_service: HashMap<(&str, ServiceIndex), Vec<&str>> = HashMap::new();
    for made in &made {
        let key = (made.item.realizes.as_str(), made.service);
        by_service.entry(key).or_default().push(&made.item.id);
    }
    let dependencies: Vec<Vec<String>> = made
        .iter()
        .map(|made| {
            let others = made.depends_on.iter().filter_map(|before| {
                by_service.get(&(made.item.realizes.as_str(), *before))
            });
            others.flatten().map(|other| (*other).to_owned()).collect()
        })
        .collect();
    for (made, dependencies) in made.iter_mut().zip(dependencies) {
        made.item.dependencies = dependencies;
    }
    let items: Vec<write::Item> = made.into_iter().map(|made| made.item).collect();
    write::service_order(&Derivation {
        id: &format!("{product_order_id}.S"),
        above: order.node,
        above_id: product_order_id,
        items: &items,
    })
}

