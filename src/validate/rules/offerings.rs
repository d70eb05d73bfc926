//! Offerings and specifications: in the catalog, and orderable.

use super::{Rule, error, warning};
use crate::catalog::{Catalog, Specification};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggestion::closest;
use crate::model::reference::Reference;
use crate::model::{Action, Order, ProductOrderItem};
use crate::validate::Subject;

/// The rule.
pub const RULE: Rule = Rule {
    demand: "what is ordered is in the catalog and can be ordered at the time of the order",
    codes: &[
        "order/unknown-offering",
        "order/offering-not-orderable",
        "order/unknown-specification",
        "order/specification-not-orderable",
        "order/specification-mismatch",
        "order/nothing-ordered",
    ],
    check,
};

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(catalog) = subject.catalog else {
        return;
    };
    match subject.order {
        Order::Product(order) => {
            for (item, holds) in order.items.iter().zip(subject.order.holders()) {
                product(subject, catalog, item, holds, diagnostics);
            }
        }
        Order::Service(order) => {
            for item in &order.items {
                let Some(reference) = &item.specification else {
                    let message = "the item names no service specification".to_owned();
                    diagnostics.push(warning("order/nothing-ordered", item.node, message));
                    continue;
                };
                if catalog.service(&reference.id).is_none() {
                    diagnostics.push(unknown("service", reference, catalog.service_ids()));
                }
            }
        }
        Order::Resource(order) => {
            for item in &order.items {
                let Some(reference) = &item.specification else {
                    continue;
                };
                if catalog.resource(&reference.id).is_none() {
                    diagnostics.push(unknown("resource", reference, catalog.resource_ids()));
                }
            }
        }
    }
}

fn unknown<'a>(
    layer: &str,
    reference: &Reference<'_>,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let of = (
        format!("{layer} specification"),
        "order/unknown-specification",
    );
    not_there(of, reference, known)
}

/// A reference that leads nowhere, to something that is called so.
fn not_there<'a>(
    (what, code): (String, &'static str),
    reference: &Reference<'_>,
    mut known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let node = reference.node;
    if reference.id.is_empty() {
        let message = format!("the reference to a {what} has no `id`");
        let mut finding = error(code, node, message);
        let address = node.text("href").unwrap_or_default();
        let end = address.trim_end_matches('/').rsplit('/').next();
        finding.hint = end
            .filter(|end| known.any(|id| id == *end))
            .map(|end| format!("by its `href` that is `{end}`"));
        return finding;
    }
    let message = format!("{what} `{}` is not in the catalog", reference.id);
    let mut finding = error(code, node.get("id").unwrap_or(node), message);
    finding.hint = closest(&reference.id, known).map(|id| format!("did you mean `{id}`?"));
    finding
}

fn product(
    subject: &Subject<'_, '_>,
    catalog: &Catalog,
    item: &ProductOrderItem<'_>,
    holds: bool,
    diagnostics: &mut Vec<Diagnostic>,
) {
    // What is there already may be changed or removed long after it is no longer sold.
    let sold = item.action == Some(Action::Add);
    let mut offered = None;
    if let Some(reference) = &item.offering {
        let node = reference.node.get("id").unwrap_or(reference.node);
        match catalog.offering(&reference.id) {
            None => {
                let of = ("product offering".to_owned(), "order/unknown-offering");
                diagnostics.push(not_there(of, reference, catalog.offering_ids()));
            }
            Some(offering) => {
                offered = offering.product;
                let alone = !offering.sellable && item.parent.is_none();
                let refusal = offering
                    .specification
                    .refuses_orders(subject.moment)
                    .or_else(|| {
                        alone.then(|| "it is not sold by itself (isSellable is false)".to_owned())
                    });
                if let Some(reason) = refusal.filter(|_| sold) {
                    let name = &offering.specification.name;
                    let message = format!("offering `{name}` cannot be ordered: {reason}");
                    diagnostics.push(error("order/offering-not-orderable", node, message));
                }
            }
        }
    }
    if let Some(reference) = &item.specification {
        let node = reference.node.get("id").unwrap_or(reference.node);
        let Some(found) = catalog.product(&reference.id) else {
            diagnostics.push(unknown("product", reference, catalog.product_ids()));
            return;
        };
        if let Some(expected) = offered.map(|index| &catalog.product_at(index).specification)
            && expected.id != found.specification.id
        {
            let message = format!(
                "the offering sells `{}`, the item names `{}`",
                expected.id, found.specification.id
            );
            diagnostics.push(error("order/specification-mismatch", node, message));
        }
    }
    let named = item
        .specification
        .as_ref()
        .and_then(|reference| catalog.product(&reference.id));
    let specification: Option<&Specification> = named
        .map(|product| &product.specification)
        .or_else(|| offered.map(|index| &catalog.product_at(index).specification));
    if let Some(specification) = specification {
        if let Some(reason) = specification
            .refuses_orders(subject.moment)
            .filter(|_| sold)
        {
            let name = &specification.name;
            let message = format!("specification `{name}` cannot be ordered: {reason}");
            let place = item
                .offering
                .as_ref()
                .map_or(item.node, |reference| reference.node);
            diagnostics.push(error("order/specification-not-orderable", place, message));
        }
    } else if item.offering.is_none() && item.specification.is_none() && !holds && sold {
        let message = "the item names neither an offering nor a specification".to_owned();
        diagnostics.push(warning("order/nothing-ordered", item.node, message));
    }
}
