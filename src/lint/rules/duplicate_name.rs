//! Two documents of one kind with one name.

use std::collections::{BTreeSet, HashMap};

use super::super::{Found, Rule, Subject};
use crate::catalog::Specification;

pub const RULE: Rule = Rule {
    code: "lint/duplicate-name",
    why: "People tell offerings, services and tasks apart by their names, in the shop as in `status`. \
          Two that are called the same are ordered, or mended, one for the other.",
    example: r#"
- {"@type": ProductOffering, id: PO-1, name: Home 100, lifecycleStatus: Active, productSpecification: {id: PS-1}}
- {"@type": ProductOffering, id: PO-2, name: home 100, lifecycleStatus: Active, productSpecification: {id: PS-1}}
"#,
    mended: r#"
- {"@type": ProductOffering, id: PO-2, name: Home 200, lifecycleStatus: Active, productSpecification: {id: PS-1}}
"#,
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    let catalog = subject.catalog;
    // Offerings and products are chosen from all that there are; services and resources are told
    // apart within what is made for one product.
    let all = BTreeSet::new();
    let offerings = catalog
        .offerings()
        .iter()
        .map(|it| (&it.specification, &all));
    same("product offerings", offerings, found);
    let products = catalog
        .products()
        .iter()
        .map(|it| (&it.specification, &all));
    same("product specifications", products, found);
    let of_services: Vec<BTreeSet<usize>> = subject
        .survey
        .products
        .iter()
        .map(|products| products.iter().map(|it| it.0).collect())
        .collect();
    let services = catalog
        .services()
        .iter()
        .map(|it| &it.specification)
        .zip(&of_services);
    same("service specifications", services, found);
    let mut of_resources = vec![BTreeSet::new(); catalog.resources().len()];
    for (service, products) in catalog.services().iter().zip(&of_services) {
        for resource in &service.resources {
            of_resources[resource.0].extend(products);
        }
    }
    let resources = catalog
        .resources()
        .iter()
        .map(|it| &it.specification)
        .zip(&of_resources);
    same("resource specifications", resources, found);
}

/// Those of one name that are made for one product, or for any if no product is said.
fn same<'c>(
    kind: &str,
    all: impl Iterator<Item = (&'c Specification, &'c BTreeSet<usize>)>,
    found: &mut Found,
) {
    let mut known: HashMap<String, Vec<(&Specification, &BTreeSet<usize>)>> = HashMap::new();
    // What is no longer sold may be followed by something of the same name.
    for (it, products) in all.filter(|it| it.0.refuses_orders(None).is_none()) {
        let others = known.entry(it.name.to_lowercase()).or_default();
        let together = |other: &&(&Specification, &BTreeSet<usize>)| {
            products.is_empty() || !products.is_disjoint(other.1)
        };
        if let Some((first, _)) = others.iter().find(together) {
            let message = format!(
                "two {kind} are called `{}`: `{}` and `{}`",
                it.name, first.id, it.id
            );
            found.add(RULE.code, it.location.clone(), message).related =
                Some(first.location.clone());
        }
        others.push((it, products));
    }
}
