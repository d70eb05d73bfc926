//! A condition that always holds.

use super::super::{Found, Rule, Subject};

pub const RULE: Rule = Rule {
    code: "lint/always-true",
    why: "A condition that cannot fail decides nothing: either it is not needed, or it asks for \
          something else than was meant, and what should be made for some is made for all.",
    example: r#"
- "@type": CustomerFacingServiceSpecification
  id: CFS-LINE
  specCharacteristic:
    - name: speed
      valueType: integer
      minCardinality: 1
      characteristicValueSpecification: [{valueFrom: 100, valueTo: 1000}]
- "@type": DecompositionRule
  formatVersion: "1.0"
  id: R-BOOST
  source: {id: CFS-LINE}
  target: {id: RFS-BOOST}
  condition: source.speed >= 100               # no line is slower
"#,
    mended: r"
  condition: source.speed >= 500
",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    for (condition, result) in &subject.judged {
        if result.holds && !result.fails && !result.breaks {
            let source = condition.expression.source();
            let message = format!("{} always holds: {source}", condition.what);
            found.add(RULE.code, condition.place(subject), message);
        }
    }
}
