//! A rule that is never taken.

use super::super::{Found, Rule, Subject};

pub const RULE: Rule = Rule {
    code: "lint/unreachable-rule",
    why: "Of the rules for one source and target the first whose condition holds is taken. One that never has \
          its turn, or whose source is never made, is dead: whoever changes it changes nothing.",
    example: r#"
- {"@type": DecompositionRule, formatVersion: "1.0", id: R-PORT, source: {id: CFS-LINE}, target: {id: RFS-PORT}}
- {"@type": DecompositionRule, formatVersion: "1.0", id: R-PORT-FAST, overrides: [R-PORT],
   source: {id: CFS-LINE}, target: {id: RFS-PORT}, mapping: [{target: queue, value: fast}]}   # always taken
"#,
    mended: r#"
- {"@type": DecompositionRule, formatVersion: "1.0", id: R-PORT-FAST, overrides: [R-PORT],
   source: {id: CFS-LINE}, target: {id: RFS-PORT}, condition: source.tier == "gold",
   mapping: [{target: queue, value: fast}]}
"#,
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    for step in &subject.survey.steps {
        let dead = step
            .service
            .filter(|it| !subject.survey.services.contains(&it.0));
        let alternatives = step.decomposition.alternatives.iter().zip(&step.taken);
        for (position, (alternative, taken)) in alternatives.enumerate() {
            let Some(rule) = &alternative.rule else {
                continue;
            };
            let why = if dead.is_some() {
                format!("`{}` is never made", step.source.id)
            } else if *taken {
                continue;
            } else if position == 0 {
                "its condition never holds".to_owned()
            } else {
                "one of the rules that override it is always taken".to_owned()
            };
            let message = format!("rule `{rule}` is never taken: {why}");
            found.add(RULE.code, alternative.location.clone(), message);
        }
    }
}
