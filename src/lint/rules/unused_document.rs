//! A document that nothing needs.

use std::collections::HashSet;

use super::super::{Found, Rule, Subject};
use crate::catalog::Subject as RuledSubject;
use crate::document::DocumentKind;

pub const RULE: Rule = Rule {
    code: "lint/unused-document",
    why: "A product that nobody sells, an offering that can neither be ordered nor is part of a bundle, a rule \
          about what is never made: it is kept up for nothing, and may be the sign of a reference that \
          was lost.",
    example: r#"
- {"@type": ProductSpecification, id: PS-OLD, name: Old, lifecycleStatus: Active}
# and no offering refers to PS-OLD
"#,
    mended: r#"
- {"@type": ProductOffering, id: PO-OLD, name: Old, lifecycleStatus: Active, productSpecification: {id: PS-OLD}}
"#,
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    let catalog = subject.catalog;
    let sold: HashSet<usize> = catalog
        .offerings()
        .iter()
        .filter_map(|it| Some(it.product?.0))
        .collect();
    for (index, product) in catalog.products().iter().enumerate() {
        let it = &product.specification;
        if !sold.contains(&index) && it.refuses_orders(None).is_none() {
            let message = format!("product specification `{}` is sold by no offering", it.id);
            found.add(RULE.code, it.location.clone(), message);
        }
    }
    let inside = catalog.offerings().iter().flat_map(|it| &it.bundled);
    let inside: HashSet<&str> = inside.map(|it| it.id.as_str()).collect();
    for offering in catalog.offerings() {
        let it = &offering.specification;
        let orderable = it.refuses_orders(None).is_none();
        if orderable && !offering.sellable && !inside.contains(offering.id.as_str()) {
            let message = format!("offering `{}` is not sold, and is in no bundle", it.id);
            found.add(RULE.code, it.location.clone(), message);
        } else if orderable && offering.product.is_none() && offering.bundled.is_empty() {
            let message = format!("offering `{}` has neither a product nor a bundle", it.id);
            found.add(RULE.code, it.location.clone(), message);
        }
    }
    for rule in catalog.activation_rules() {
        let made = catalog
            .resources()
            .iter()
            .position(|it| it.specification.id == rule.resource);
        if made.is_some_and(|it| !subject.survey.resources.contains(&it)) {
            report(subject, (DocumentKind::ActivationRule, &rule.id), found);
        }
    }
    let is_sold = |it: RuledSubject| match it {
        RuledSubject::Offering(_) => true,
        RuledSubject::Product(product) => sold.contains(&product.0),
    };
    for gate in catalog
        .gate_rules()
        .iter()
        .filter(|it| !is_sold(it.subject))
    {
        report(subject, (DocumentKind::GateRule, &gate.id), found);
    }
    for rollout in catalog
        .rollout_rules()
        .iter()
        .filter(|it| !is_sold(it.subject))
    {
        report(subject, (DocumentKind::RolloutRule, &rollout.id), found);
    }
}

fn report(subject: &Subject<'_>, (kind, id): (DocumentKind, &str), found: &mut Found) {
    if let Some(node) = subject.node(kind, id) {
        let message = format!("{} `{id}` is about what is never made", kind.name());
        found.add(RULE.code, node.location(), message);
    }
}
