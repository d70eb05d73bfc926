//! A condition that never holds where the one around it does.

use super::super::{Found, Rule, Subject, outcomes};

pub const RULE: Rule = Rule {
    code: "lint/contradiction",
    why: "A dependency is looked at only where its rule is taken. If its condition cannot hold there, \
          nothing ever waits, and work is done in the wrong order.",
    example: r#"
- "@type": DecompositionRule
  formatVersion: "1.0"
  id: R-ROUTER
  source: {id: CFS-LINE}
  target: {id: RFS-ROUTER}
  condition: source.technology == "fibre"
  dependsOn:
    - {id: RFS-PORT, condition: source.technology == "copper"}   # the rule is for fibre only
"#,
    mended: r"
  dependsOn:
    - {id: RFS-PORT}
",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    for step in &subject.survey.steps {
        for alternative in step.alternatives() {
            let Some(given) = &alternative.condition else {
                continue;
            };
            for dependency in &alternative.depends_on {
                let Some(condition) = &dependency.condition else {
                    continue;
                };
                let alone = outcomes(condition, None, &step.view);
                let within = outcomes(condition, Some(given), &step.view);
                let (Some(alone), Some(within)) = (alone, within) else {
                    continue;
                };
                if alone.holds && !within.holds && !within.breaks {
                    let on = &subject.catalog.service_at(dependency.on).specification.id;
                    let message = format!(
                        "waits for `{on}` only if {}, which never holds where its rule does: {}",
                        condition.source(),
                        given.source()
                    );
                    found.add(RULE.code, dependency.location.clone(), message);
                }
            }
        }
    }
}
