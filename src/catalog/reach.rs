//! What products lead to, and nobody carries out.

use std::collections::BTreeSet;

use super::ruling::{Reach, Subject};
use super::{Catalog, ProductIndex, ResourceIndex};
use crate::diagnostic::{Code, Diagnostic, Severity, has_errors};

/// Warns of resources that are made and for which no activation rule says who carries them out, in a
/// catalog that has such rules.
pub(super) fn link(catalog: &Catalog, found: &mut Vec<Diagnostic>) {
    if catalog.activations.is_empty() || has_errors(found) {
        return;
    }
    let mut made: BTreeSet<ResourceIndex> = BTreeSet::new();
    for product in (0..catalog.products.len()).map(ProductIndex) {
        for service in Reach::of(catalog, Subject::Product(product)).services {
            made.extend(&catalog.service_at(service).resources);
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
