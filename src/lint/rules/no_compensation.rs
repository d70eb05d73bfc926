//! Work with effects, and nothing said about what undoes it.

use super::super::{Found, Rule, Subject};
use crate::catalog::Work;
use crate::document::DocumentKind;

pub const RULE: Rule = Rule {
    code: "lint/no-compensation",
    why: "When an order is given up, what was done for it is undone in reverse. What an endpoint has added is \
          deleted again unless the rule says otherwise; what a person has done nobody undoes, and nobody \
          is told that it stays. The same holds for a point of no return about which the rule says nothing.",
    example: r#"
- {"@type": ActivationRule, formatVersion: "1.0", id: A-ROUTER, resourceSpecification: {id: RS-ROUTER},
   kind: manual, duration: {mostLikely: PT2H}}
"#,
    mended: r#"
- {"@type": ActivationRule, formatVersion: "1.0", id: A-ROUTER, resourceSpecification: {id: RS-ROUTER},
   kind: manual, duration: {mostLikely: PT2H},
   compensation: {none: the technician takes the router back on the next visit}}
"#,
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    for rule in subject.catalog.activation_rules() {
        if rule.compensation.is_some() {
            continue;
        }
        let what = match (&rule.work, rule.point_of_no_return) {
            (Work::Manual, _) => "a person does it",
            (Work::Endpoint(_), true) => "it is past the point of no return",
            (Work::Endpoint(_), false) => continue,
        };
        let Some(node) = subject.node(DocumentKind::ActivationRule, &rule.id) else {
            continue;
        };
        let message = format!("{what}, and `{}` does not say what undoes it", rule.id);
        found.add(RULE.code, node.location(), message);
    }
}
