//! Dependencies that lead in a circle as soon as their conditions hold.

use super::super::{Found, Rule, Subject, outcomes};
use crate::diagnostic::Location;
use crate::graph;

pub const RULE: Rule = Rule {
    code: "lint/dependency-cycle",
    why: "Dependencies without conditions that lead in a circle are an error when the catalog is loaded. \
          Those with conditions are found only by the first order for which all of them hold: it cannot \
          be planned.",
    example: r#"
- {"@type": DecompositionRule, formatVersion: "1.0", id: R-A, source: {id: CFS-LINE}, target: {id: RFS-A},
   dependsOn: [{id: RFS-B, condition: source.managed}]}
- {"@type": DecompositionRule, formatVersion: "1.0", id: R-B, source: {id: CFS-LINE}, target: {id: RFS-B},
   dependsOn: [{id: RFS-A}]}
"#,
    mended: r#"
- {"@type": DecompositionRule, formatVersion: "1.0", id: R-A, source: {id: CFS-LINE}, target: {id: RFS-A}}
- {"@type": DecompositionRule, formatVersion: "1.0", id: R-B, source: {id: CFS-LINE}, target: {id: RFS-B},
   dependsOn: [{id: RFS-A}]}
"#,
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    let services = subject.catalog.services();
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); services.len()];
    let mut places: Vec<Option<Location>> = vec![None; services.len()];
    for step in &subject.survey.steps {
        let target = step.decomposition.target.0;
        for alternative in step.alternatives() {
            for dependency in &alternative.depends_on {
                // What chooses between items need not lead in a circle where specifications do.
                if dependency.filter.is_some() || !dependency.same.is_empty() {
                    continue;
                }
                let holds = dependency.condition.as_ref().is_none_or(|condition| {
                    outcomes(condition, alternative.condition.as_ref(), &step.view)
                        .is_none_or(|it| it.holds)
                });
                if holds && !edges[target].contains(&dependency.on.0) {
                    edges[target].push(dependency.on.0);
                    places[target].get_or_insert_with(|| dependency.location.clone());
                }
            }
        }
    }
    for (index, service) in services.iter().enumerate() {
        for dependency in &service.depends_on {
            edges[index].push(dependency.on.0);
        }
    }
    for cycle in graph::cycles(&edges) {
        let id = |index: &usize| services[*index].specification.id.as_str();
        let mut members: Vec<&str> = cycle.iter().map(id).collect();
        members.push(id(&cycle[0]));
        let place = cycle.iter().find_map(|it| places[*it].clone());
        let place = place.unwrap_or_else(|| services[cycle[0]].specification.location.clone());
        let message = format!("dependencies may lead in a circle: {}", members.join(" → "));
        found.add(RULE.code, place, message);
    }
}
