//! A mandatory characteristic that some orders leave without a value.

use super::super::{Found, Rule, Subject};
use crate::catalog::{Alternative, Specification};

pub const RULE: Rule = Rule {
    code: "lint/mandatory-unsupplied",
    why: "An order that is valid, and leaves out what it may leave out, cannot be decomposed: what is made \
          from it needs the value. Whoever ordered finds out after the order was accepted. What is made \
          only under a condition is left alone: it may need what is given only then.",
    example: r#"
- {"@type": CustomerFacingServiceSpecification, id: CFS-LINE,
   specCharacteristic: [{name: area, valueType: string}]}                    # may be absent
- {"@type": ResourceFacingServiceSpecification, id: RFS-PORT, resourceSpecification: [{id: RS-PORT}],
   specCharacteristic: [{name: area, valueType: string, minCardinality: 1}]}  # may not
"#,
    mended: r#"
- {"@type": CustomerFacingServiceSpecification, id: CFS-LINE,
   specCharacteristic: [{name: area, valueType: string, minCardinality: 1}]}
"#,
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    let catalog = subject.catalog;
    for step in &subject.survey.steps {
        let target = &catalog.service_at(step.decomposition.target).specification;
        for alternative in step.alternatives() {
            by_name(step.source, target, Some(alternative), found);
        }
    }
    for index in &subject.survey.services {
        let service = &catalog.services()[*index];
        for resource in &service.resources {
            let resource = &catalog.resource_at(*resource).specification;
            by_name(&service.specification, resource, None, found);
        }
    }
}

/// What is copied by name, and may be absent where it is copied from.
fn by_name(
    source: &Specification,
    target: &Specification,
    alternative: Option<&Alternative>,
    found: &mut Found,
) {
    for wanted in target
        .characteristics
        .iter()
        .filter(|it| it.has_to_be_given())
    {
        let name = &wanted.name;
        let mapped = |it: &Alternative| it.mapping.iter().any(|mapping| mapping.target == *name);
        if alternative.is_some_and(mapped) {
            continue;
        }
        let supplied = source.characteristic(name);
        let sure = supplied.is_some_and(|it| it.minimum > 0 || it.default.is_some());
        // What is made only under a condition may need what only then is given.
        if sure || alternative.is_some_and(|it| it.condition.is_some()) {
            continue;
        }
        let why = match supplied {
            Some(_) => format!("`{}` may leave it out", source.id),
            None => format!("`{}` does not have it", source.id),
        };
        let place = alternative.map_or(&target.location, |it| &it.location);
        let message = format!("`{}` needs `{name}`, and {why}", target.id);
        found.add(RULE.code, place.clone(), message).related = Some(source.location.clone());
    }
}
