//! Work that cannot be undone, before it is decided whether it is done at all.

use std::collections::{BTreeSet, HashSet};

use super::super::{Found, Rule, Subject};
use crate::catalog::{After, GateKind, GateRule, ServiceIndex};
use crate::document::DocumentKind;

pub const RULE: Rule = Rule {
    code: "lint/return-before-gate",
    why: "A gate asks whether the order may go on. If something that cannot be undone does not wait for the \
          answer, a no comes too late: the order can neither go on nor go back.",
    example: r#"
- {"@type": ActivationRule, formatVersion: "1.0", id: A-PORTING, resourceSpecification: {id: RS-PORTING},
   endpoint: porting, pointOfNoReturn: true, compensation: {none: a port is final}, duration: {mostLikely: P1D}}
- {"@type": GateRule, formatVersion: "1.0", id: G-CREDIT, productSpecification: {id: PS-1}, kind: credit,
   endpoint: risk, holds: [{id: RFS-LINE}], duration: {mostLikely: PT1M}}   # the port does not wait
"#,
    mended: r"
   endpoint: risk, holds: [{id: RFS-LINE}, {id: RFS-PORTING}], duration: {mostLikely: PT1M}}
",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    let catalog = subject.catalog;
    let gates = catalog
        .gate_rules()
        .iter()
        .filter(|it| it.kind != GateKind::Milestone);
    for gate in gates {
        let Some(node) = subject.node(DocumentKind::GateRule, &gate.id) else {
            continue;
        };
        for (service, resource) in final_work(subject, gate) {
            let names = |id: &str| id == resource || service.iter().any(|it| it == id);
            let comes_before = gate.after.iter().any(|after| match after {
                After::Specification(id) => names(id),
                After::Gate(_) => false,
            });
            let held = gate.holds.is_empty() || gate.holds.iter().any(|it| names(it));
            let why = if comes_before {
                "comes first"
            } else if held {
                continue;
            } else {
                "does not wait for it"
            };
            let message = format!(
                "`{}` decides, and `{resource}`, which cannot be undone, {why}",
                gate.id
            );
            found.add(RULE.code, node.location(), message);
        }
    }
}

/// The resources of a gate's product that cannot be undone, each with the services around it.
fn final_work(subject: &Subject<'_>, gate: &GateRule) -> BTreeSet<(Vec<String>, String)> {
    let catalog = subject.catalog;
    let mut work = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut open: Vec<(ServiceIndex, Vec<String>)> = Vec::new();
    for product in catalog.products_of(gate.subject) {
        let below = &catalog.product_at(product).decompositions;
        open.extend(below.iter().map(|it| (it.target, Vec::new())));
    }
    while let Some((index, above)) = open.pop() {
        if !seen.insert((index, above.clone())) {
            continue;
        }
        let service = catalog.service_at(index);
        let mut around = above;
        around.push(service.specification.id.clone());
        for resource in &service.resources {
            let id = &catalog.resource_at(*resource).specification.id;
            if catalog
                .activation(id)
                .is_some_and(|it| it.point_of_no_return)
            {
                work.insert((around.clone(), id.clone()));
            }
        }
        open.extend(
            service
                .decompositions
                .iter()
                .map(|it| (it.target, around.clone())),
        );
    }
    work
}
