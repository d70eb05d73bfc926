//! What products lead to, and nobody carries out.

use std::collections::BTreeSet;

use foldhash::{HashSet, HashSetExt as _};

use super::{Catalog, Decomposition, ResourceIndex, ServiceIndex};
use crate::diagnostic::{Code, Diagnostic, Severity, has_errors};

/// Warns of resources that are made and for which no activation rule says who carries them out, in a
/// catalog that has such rules.
pub(super) fn link(catalog: &Catalog, found: &mut Vec<Diagnostic>) {
    if catalog.activations.is_empty() || has_errors(found) {
        return;
    }
    let mut made: BTreeSet<ResourceIndex> = BTreeSet::new();
    let mut seen: HashSet<ServiceIndex> = HashSet::new();
    let behind = |it: &Decomposition| it.target;
    let products = catalog.products.iter();
    let mut open: Vec<ServiceIndex> = products
        .flat_map(|it| it.decompositions.iter().map(behind))
        .collect();
    while let Some(index) = open.pop() {
        if seen.insert(index) {
            let service = catalog.service_at(index);
            made.extend(&service.resources);
            open.extend(service.decompositions.iter().map(behind));
        }
    }
    made.retain(|index| !catalog.activation_by_resource.contains_key(index));
    for index in made {
        let specification = &catalog.resource_at(index).specification;
        let message = format!(
            "no activation rule says who carries out `{}`",
            specification.id
        );
        let code = Code("rule/no-activation");
        let place = specification.location.clone();
        let finding = Diagnostic::new(code, Severity::Warning, place, message);
        found.push(finding.with_hint("add an ActivationRule for it, or plan with --endpoint NAME"));
    }
}
