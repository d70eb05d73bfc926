//! `orderctl plan`.

use orderctl::chain::{Chain, order_name};
use orderctl::document::DocumentKind;
use orderctl::plan::flow::OrchestrationPlan;
use orderctl::plan::{self, NotPlanned, Notation, Planning};
use orderctl::project::Overrides;

use super::filter::{Sink, ended, line, pass_foreign};
use crate::cli::{GraphLanguage, PlanArgs};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::stage::{self, Produced, Unit};

/// Writes each chain followed by its plan.
pub fn run(args: PlanArgs, context: &Context) -> Result<ExitCode, Failure> {
    let overrides = Overrides {
        catalog: args.catalog.catalog,
        ..Overrides::default()
    };
    let catalog = match context.settings(overrides)?.catalog {
        Some(folder) => match context.catalog(&folder)? {
            Ok(catalog) => Some(catalog),
            Err(code) => return Ok(code),
        },
        None => None,
    };
    let planning = Planning {
        catalog: catalog.as_ref(),
        default_endpoint: args.endpoint.as_deref(),
        now: args.now.now,
    };
    let mut sink = Sink::new(context, None, &[])?;
    let notation = args.graph.map(|language| match language {
        GraphLanguage::Dot => Notation::Dot,
        GraphLanguage::Mermaid => Notation::Mermaid,
    });
    sink.raw = notation.is_some();
    let ended = stage::run(
        &args.input.files,
        Unit::Chain,
        args.jobs.jobs,
        &|chain| work(&planning, notation, &chain),
        &mut |produced| sink.take(produced),
    );
    let code = sink.finish()?;
    sink.summarize("plan");
    ended?;
    Ok(code)
}

fn work(planning: &Planning<'_>, notation: Option<Notation>, chain: &Chain) -> Produced {
    let mut produced = Produced {
        documents: chain.documents.len() as u64,
        ..Produced::default()
    };
    let planned = chain.first(DocumentKind::OrchestrationPlan).is_some();
    let root = chain.orders().next().filter(|_| !planned);
    if let Some((root, state)) = root.zip(chain.ended()) {
        produced.remarks.push(ended(root, state));
    } else if root.is_some() {
        let planned = planning.plan(chain);
        if planned.is_err() && notation.is_none() {
            pass_foreign(chain, &mut produced.output);
        }
        match planned {
            Ok(planned) => {
                produced.diagnostics = planned.warnings;
                add(chain, &planned.plan, notation, &mut produced);
            }
            Err(NotPlanned::NotDecomposed { type_name, id }) => {
                produced.failure = Some(Failure::WrongDocument {
                    what: format!("{type_name} {id} has no resource order and"),
                    advice: "pipe it through `orderctl decompose`, which says so if there is \
                             nothing to carry out"
                        .to_owned(),
                });
            }
            Err(NotPlanned::Faults(diagnostics)) => {
                produced.code = Some(ExitCode::NotAcceptable);
                produced.diagnostics = diagnostics;
            }
        }
        return produced;
    }
    if let Some(notation) = notation {
        for document in chain.of_kind(DocumentKind::OrchestrationPlan) {
            match serde_json::from_str(document.text()) {
                Ok(plan) => produced.output.extend(plan::draw(&plan, notation).bytes()),
                Err(error) => {
                    let what = format!("the plan at line {}", document.origin().line);
                    let advice = format!("it cannot be read ({error}); plan the order again");
                    produced.failure = Some(Failure::WrongDocument { what, advice });
                }
            }
        }
    } else {
        for document in &chain.documents {
            line(document, &mut produced.output);
        }
    }
    produced
}

fn add(
    chain: &Chain,
    plan: &OrchestrationPlan,
    notation: Option<Notation>,
    produced: &mut Produced,
) {
    produced.remarks.push(summary(chain, plan));
    if let Some(notation) = notation {
        produced.output.extend(plan::draw(plan, notation).bytes());
        return;
    }
    let last_order = chain.orders().last().map(|order| order.text().as_ptr());
    for document in &chain.documents {
        line(document, &mut produced.output);
        if Some(document.text().as_ptr()) == last_order {
            serde_json::to_writer(&mut produced.output, plan)
                .expect("a plan is made of texts and JSON values");
            produced.output.push(b'\n');
        }
    }
}

/// `plan ORD-1: 7 tasks in 5 waves, 4 h 11 min (critical path: CPE-Provisioning → …)`.
fn summary(chain: &Chain, plan: &OrchestrationPlan) -> String {
    let root = chain.orders().next().map_or_else(String::new, order_name);
    let path: Vec<&str> = plan
        .schedule
        .critical_path
        .iter()
        .filter_map(|id| plan.task_flow.iter().find(|task| task.id == *id))
        .map(|task| task.name.as_str())
        .collect();
    let shown = if path.len() > 8 {
        format!("{} → … → {}", path[..4].join(" → "), path[path.len() - 1])
    } else {
        path.join(" → ")
    };
    let (tasks, waves) = (plan.task_flow.len(), plan.schedule.waves);
    if tasks == 0 {
        return format!("plan {root}: nothing to do");
    }
    format!(
        "plan {root}: {} task{} in {waves} wave{}, {} (critical path: {shown})",
        plan::count_for_people(tasks),
        if tasks == 1 { "" } else { "s" },
        if waves == 1 { "" } else { "s" },
        plan::duration_for_people(&plan.schedule.expected_duration),
    )
}
