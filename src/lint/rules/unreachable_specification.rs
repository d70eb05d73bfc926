//! A service or resource that is never made.

use super::super::{Found, Rule, Subject};

pub const RULE: Rule = Rule {
    code: "lint/unreachable-specification",
    why: "No product leads to it, or only by conditions that never hold. Either something that should be made \
          is not, or the specification is left over and misleads whoever reads the catalog.",
    example: r#"
- {"@type": ResourceFacingServiceSpecification, id: RFS-OLD, resourceSpecification: [{id: RS-OLD}]}
# and no specification and no rule refers to RFS-OLD
"#,
    mended: r#"
- {"@type": DecompositionRule, formatVersion: "1.0", id: R-OLD, source: {id: CFS-LINE}, target: {id: RFS-OLD}}
"#,
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    let catalog = subject.catalog;
    for (index, service) in catalog.services().iter().enumerate() {
        let it = &service.specification;
        // What is retired may stay for what is installed.
        if !subject.survey.services.contains(&index) && it.refuses_orders(None).is_none() {
            let message = format!(
                "service specification `{}` is never made of any product",
                it.id
            );
            found.add(RULE.code, it.location.clone(), message);
        }
    }
    for (index, resource) in catalog.resources().iter().enumerate() {
        let it = &resource.specification;
        if !subject.survey.resources.contains(&index) && it.refuses_orders(None).is_none() {
            let message = format!(
                "resource specification `{}` is never made of any product",
                it.id
            );
            found.add(RULE.code, it.location.clone(), message);
        }
    }
}
