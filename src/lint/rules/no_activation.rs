//! A resource that nobody carries out.

use super::super::{Found, Rule, Subject};

pub const RULE: Rule = Rule {
    code: "lint/no-activation",
    why: "An order that needs the resource decomposes and cannot be planned: nothing says which endpoint, \
          or which person, makes it.",
    example: r#"
- {"@type": ResourceFacingServiceSpecification, id: RFS-PORT, resourceSpecification: [{id: RS-PORT}]}
- {"@type": ResourceSpecification, id: RS-PORT, name: Port}
"#,
    mended: r#"
- {"@type": ActivationRule, formatVersion: "1.0", id: A-PORT, resourceSpecification: {id: RS-PORT},
   endpoint: access, duration: {mostLikely: PT5M}}
"#,
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    for index in &subject.survey.resources {
        let resource = &subject.catalog.resources()[*index].specification;
        if subject.catalog.activation(&resource.id).is_none() {
            let message = format!("no activation rule says who carries out `{}`", resource.id);
            found.add(RULE.code, resource.location.clone(), message);
        }
    }
}
