//! Something that is sold and made of what may no longer, or not yet, be made.

use super::super::{Found, Rule, Subject};
use crate::catalog::{Period, Specification};

pub const RULE: Rule = Rule {
    code: "lint/life-cycle",
    why: "An offering that can be ordered promises what it is made of. If the specification behind it is \
          retired, still in design, or valid for a shorter time, orders are accepted for what nobody \
          keeps up any more.",
    example: r#"
- {"@type": ProductOffering, id: PO-1, name: Home, lifecycleStatus: Active, productSpecification: {id: PS-1}}
- {"@type": ProductSpecification, id: PS-1, name: Home, lifecycleStatus: Retired}
"#,
    mended: r#"
- {"@type": ProductOffering, id: PO-1, name: Home, lifecycleStatus: Retired, productSpecification: {id: PS-1}}
"#,
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    let catalog = subject.catalog;
    for offering in catalog.offerings() {
        let sold = &offering.specification;
        if sold.refuses_orders(None).is_some() {
            continue;
        }
        if let Some(product) = offering.product {
            compare(
                ("offering", sold),
                &catalog.product_at(product).specification,
                found,
            );
        }
        for inside in offering.bundled.iter().filter(|it| it.minimum > 0) {
            if let Some(inside) = catalog.offering(&inside.id) {
                compare(("bundle", sold), &inside.specification, found);
            }
        }
    }
    for step in subject
        .survey
        .steps
        .iter()
        .filter(|it| it.taken.contains(&true))
    {
        let target = catalog.service_at(step.decomposition.target);
        if step.source.refuses_orders(None).is_none() {
            compare(("specification", step.source), &target.specification, found);
        }
    }
    for index in &subject.survey.services {
        let service = &catalog.services()[*index];
        if service.specification.refuses_orders(None).is_none() {
            for resource in &service.resources {
                let resource = &catalog.resource_at(*resource).specification;
                compare(("specification", &service.specification), resource, found);
            }
        }
    }
}

/// What is above may not promise more than what is below keeps.
fn compare((kind, above): (&str, &Specification), below: &Specification, found: &mut Found) {
    let why = below
        .refuses_orders(None)
        .or_else(|| gap(above.valid_for, below.valid_for));
    if let Some(why) = why {
        let message = format!("{kind} `{}` needs `{}`: {why}", above.id, below.id);
        found
            .add(RULE.code, above.location.clone(), message)
            .related = Some(below.location.clone());
    }
}

fn gap(above: Period, below: Period) -> Option<String> {
    if let Some(end) = below.end
        && above.end.is_none_or(|it| it > end)
    {
        return Some(format!("it is valid only until {end}"));
    }
    if let (Some(start), Some(first)) = (below.start, above.start)
        && first < start
    {
        return Some(format!("it is valid only from {start} on"));
    }
    None
}
