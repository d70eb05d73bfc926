//! An endpoint that is named and not there.

use super::super::{Found, Rule, Subject};
use crate::catalog::Work;
use crate::diagnostic::Location;
use crate::diagnostic::suggestion::closest;
use crate::document::DocumentKind;

pub const RULE: Rule = Rule {
    code: "lint/undefined-endpoint",
    why: "The plan is made and cannot be carried out: nobody knows where the system is. Looked at only where \
          an endpoints file is named.",
    example: r#"
- {"@type": ActivationRule, formatVersion: "1.0", id: A-PORT, resourceSpecification: {id: RS-PORT},
   endpoint: acces, duration: {mostLikely: PT5M}}      # endpoints.toml has [endpoint.access]
"#,
    mended: r"
   endpoint: access, duration: {mostLikely: PT5M}}
",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    let Some(endpoints) = subject.endpoints else {
        return;
    };
    let mut named: Vec<(&str, DocumentKind, &str)> = Vec::new();
    for rule in subject.catalog.activation_rules() {
        if let Work::Endpoint(name) = &rule.work {
            named.push((name, DocumentKind::ActivationRule, &rule.id));
        }
    }
    for gate in subject.catalog.gate_rules() {
        let name = gate.endpoint.as_deref();
        named.extend(name.map(|name| (name, DocumentKind::GateRule, gate.id.as_str())));
    }
    for (name, kind, id) in named.into_iter().filter(|it| !endpoints.contains(it.0)) {
        let nowhere = Location {
            file: String::new(),
            line: 1,
            column: 1,
            pointer: String::new(),
        };
        let place = subject.place((kind, id), "endpoint", &nowhere);
        let message = format!("endpoint `{name}` is not in the endpoints file");
        let near = closest(name, endpoints.iter().map(String::as_str));
        found.add(RULE.code, place, message).hint = near.map(|it| format!("did you mean `{it}`?"));
    }
}
