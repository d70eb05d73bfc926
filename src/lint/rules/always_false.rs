//! A condition that never holds.

use super::super::{Found, Rule, Subject};

pub const RULE: Rule = Rule {
    code: "lint/always-false",
    why: "What the condition decides is never made, never waited for, never asked. Mostly a value is \
          misspelt, or was renamed in the specification and not here.",
    example: r#"
- "@type": CustomerFacingServiceSpecification
  id: CFS-LINE
  specCharacteristic:
    - name: technology
      valueType: string
      minCardinality: 1
      characteristicValueSpecification: [{value: fibre}, {value: copper}]
- "@type": DecompositionRule
  formatVersion: "1.0"
  id: R-FIBRE
  source: {id: CFS-LINE}
  target: {id: RFS-FIBRE}
  condition: source.technology == "fiber"      # no line is ever "fiber"
"#,
    mended: r#"
  condition: source.technology == "fibre"
"#,
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    for (condition, result) in &subject.judged {
        if !result.holds && !result.breaks {
            let source = condition.expression.source();
            let message = format!("{} never holds: {source}", condition.what);
            found.add(RULE.code, condition.place(subject), message);
        }
    }
}
