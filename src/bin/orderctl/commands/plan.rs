//! `orderctl plan`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use orderctl::chain::{Chain, order_name};
use orderctl::document::DocumentKind;
use orderctl::inventory::{Inventory, store};
use orderctl::plan::flow::{OrchestrationPlan, Schedule};
use orderctl::plan::{self, NotFound, NotPlanned, Notation, PlanText, Planned, Planning, Written};
use orderctl::project::Overrides;

use super::filter::{Sink, ended, pass_foreign};
use super::revise;
use crate::cli::{ExplanationFormat, GraphLanguage, PlanArgs};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::lines::Lines;
use crate::stage::{self, Input, Produced, Unit};

/// Writes each chain followed by its plan.
pub fn run(args: PlanArgs, context: &Context) -> Result<ExitCode, Failure> {
    args.inventory.is_there()?;
    if args.cancel.is_some() || args.amend.is_some() {
        return revise::run(&args, context);
    }
    let overrides = Overrides {
        catalog: args.catalog.catalog,
        inventory: args.inventory.inventory,
        ..Overrides::default()
    };
    let settings = context.settings(overrides)?;
    let input = Input::ahead(&args.input.files);
    let installed = Installed::at(settings.inventory);
    let catalog = match settings.catalog {
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
        installed: None,
    };
    let show = match (args.graph, args.explain) {
        (Some(GraphLanguage::Dot), _) => Show::Graph(Notation::Dot),
        (Some(GraphLanguage::Mermaid), _) => Show::Graph(Notation::Mermaid),
        (None, Some(task)) => Show::Task {
            task,
            format: args.format.unwrap_or(ExplanationFormat::Human),
        },
        (None, None) => Show::Documents,
    };
    let mut sink = Sink::new(context, None, &[])?;
    sink.raw = show.is_text();
    let searched = Searched::default();
    let ended = stage::run(
        input,
        Unit::Chain,
        args.jobs.jobs,
        &|chain| {
            let produced = work((&planning, &installed), &show, &searched, &chain);
            chain.discard();
            produced
        },
        &mut |produced| sink.take(produced),
    );
    let code = sink.finish()?;
    sink.summarize("plan");
    ended?;
    if let Show::Task { task, .. } = show {
        searched.outcome(task)?;
    }
    Ok(code)
}

/// The installed base, which is only read for orders below which nothing was ordered.
pub(super) struct Installed {
    path: Option<PathBuf>,
    read: OnceLock<Inventory>,
}

impl Installed {
    /// What is installed at a path, if one is known.
    pub(super) fn at(path: Option<PathBuf>) -> Installed {
        Installed {
            path,
            read: OnceLock::new(),
        }
    }

    /// What a chain is planned to; what is installed says whether it was decomposed, if the chain does
    /// not.
    pub(super) fn over<T>(
        &self,
        planning: &Planning<'_>,
        plan: impl Fn(&Planning<'_>) -> Result<T, NotPlanned>,
    ) -> Result<Result<T, NotPlanned>, Failure> {
        let planned = plan(planning);
        let is_wanted = matches!(planned, Err(NotPlanned::NotDecomposed { .. }));
        let Some(path) = self.path.as_ref().filter(|_| is_wanted) else {
            return Ok(planned);
        };
        let inventory = if let Some(inventory) = self.read.get() {
            inventory
        } else {
            let (inventory, _) = store::read(path)?;
            self.read.get_or_init(|| inventory)
        };
        Ok(plan(&Planning {
            installed: Some(inventory),
            ..*planning
        }))
    }
}

/// What is written.
enum Show {
    /// The chains and their plans.
    Documents,
    /// The plans as graphs.
    Graph(Notation),
    /// The explanation of a task.
    Task {
        task: String,
        format: ExplanationFormat,
    },
}

impl Show {
    /// Whether it is text rather than documents.
    fn is_text(&self) -> bool {
        match self {
            Show::Documents => false,
            Show::Graph(_) => true,
            Show::Task { format, .. } => *format == ExplanationFormat::Human,
        }
    }
}

/// What a chain was planned to.
enum Made {
    /// To be written.
    Text(Box<Written>),
    /// To be shown.
    Plan(Box<Planned>),
}

/// Whether a task was found in any of the plans, and what to say where it was not.
#[derive(Default)]
struct Searched {
    found: AtomicBool,
    plans: AtomicBool,
    near: Mutex<Option<Near>>,
}

/// What comes near to a name that no task has alone.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Near {
    /// Ids of some that have it.
    Several(String),
    /// What was probably meant.
    Meant(String),
}

impl Searched {
    fn missed(&self, why: NotFound) {
        let advice = match why {
            NotFound::Unknown(None) => return,
            NotFound::Unknown(Some(near)) => Near::Meant(format!("did you mean `{near}`?")),
            NotFound::Several(ids) => Near::Several(ids.join(", ")),
        };
        let mut near = self.near.lock().unwrap_or_else(PoisonError::into_inner);
        // Of several plans, in no certain order, the same one is named every time.
        if near.as_ref().is_none_or(|known| advice < *known) {
            *near = Some(advice);
        }
    }

    /// An error if there were plans, and none had the task.
    fn outcome(self, name: String) -> Result<(), Failure> {
        if self.found.into_inner() || !self.plans.into_inner() {
            return Ok(());
        }
        let near = self
            .near
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let kind = "task";
        Err(match near {
            Some(Near::Several(ids)) => Failure::SeveralNames { kind, name, ids },
            Some(Near::Meant(advice)) => Failure::UnknownName { kind, name, advice },
            None => Failure::UnknownName {
                kind,
                name,
                advice: "`--graph` shows all tasks".to_owned(),
            },
        })
    }
}

fn work(
    (planning, installed): (&Planning<'_>, &Installed),
    show: &Show,
    searched: &Searched,
    chain: &Chain,
) -> Produced {
    let mut produced = Produced {
        documents: chain.documents.len() as u64,
        ..Produced::default()
    };
    let planned = chain.first(DocumentKind::OrchestrationPlan).is_some();
    let root = chain.orders().next().filter(|_| !planned);
    if let Some((root, state)) = root.zip(chain.ended()) {
        produced.remarks.push(ended(root, state));
    } else if root.is_some() {
        let planned = if matches!(show, Show::Documents) {
            let written = installed.over(planning, |it| it.write(chain));
            written.map(|it| it.map(|it| Made::Text(Box::new(it))))
        } else {
            let planned = installed.over(planning, |it| it.plan(chain));
            planned.map(|it| it.map(|it| Made::Plan(Box::new(it))))
        };
        if !matches!(planned, Ok(Ok(_))) && matches!(show, Show::Documents) {
            pass_foreign(chain, &mut produced.output);
        }
        let planned = match planned {
            Ok(planned) => planned,
            Err(failure) => {
                produced.failure = Some(failure);
                return produced;
            }
        };
        match planned {
            Ok(Made::Text(written)) => {
                produced.diagnostics = written.warnings;
                let total = (written.tasks, &written.schedule, &written.path[..]);
                produced.remarks.push(summary(chain, total));
                add(chain, written.text, &mut produced.output);
            }
            Ok(Made::Plan(planned)) => {
                produced.diagnostics = planned.warnings;
                let plan = &planned.plan;
                let total = (plan.task_flow.len(), &plan.schedule, &planned.path[..]);
                produced.remarks.push(summary(chain, total));
                show_plan(plan, show, searched, &mut produced.output);
            }
            Err(NotPlanned::NotDecomposed { type_name, id }) => {
                produced.failure = Some(Failure::WrongDocument {
                    what: format!("{type_name} {id} has no resource order and"),
                    advice: "pipe it through `orderctl decompose`, which says so if there is \
                             nothing to carry out; then `plan` wants the same --inventory"
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
    if matches!(show, Show::Documents) {
        for document in &chain.documents {
            produced.output.document(document);
        }
        return produced;
    }
    for document in chain.of_kind(DocumentKind::OrchestrationPlan) {
        match serde_json::from_str(document.text()) {
            Ok(plan) => show_plan(&plan, show, searched, &mut produced.output),
            Err(error) => {
                let what = format!("the plan at line {}", document.origin().line);
                let advice = format!("it cannot be read ({error}); plan the order again");
                produced.failure = Some(Failure::WrongDocument { what, advice });
            }
        }
    }
    produced
}

/// Writes what is shown of a plan in place of documents.
fn show_plan(plan: &OrchestrationPlan, show: &Show, searched: &Searched, output: &mut Lines) {
    match show {
        Show::Documents => {}
        Show::Graph(notation) => output.text(&plan::draw(plan, *notation)),
        Show::Task { task, format } => {
            searched.plans.store(true, Ordering::Relaxed);
            match plan::explain(plan, task) {
                Ok(explanation) if *format == ExplanationFormat::Human => {
                    searched.found.store(true, Ordering::Relaxed);
                    output.text(&explanation.for_people());
                }
                Ok(explanation) => {
                    searched.found.store(true, Ordering::Relaxed);
                    write(&explanation, output);
                }
                Err(why) => searched.missed(why),
            }
        }
    }
}

fn write(document: &impl serde::Serialize, output: &mut Lines) {
    serde_json::to_writer(&mut *output, document).expect("plans are made of texts and JSON values");
    output.text("\n");
}

/// Writes a chain, its plan after its orders.
fn add(chain: &Chain, plan: PlanText, output: &mut Lines) {
    let last_order = chain.orders().last().map(|order| order.text().as_ptr());
    let mut plan = Some(plan);
    for document in &chain.documents {
        output.document(document);
        if Some(document.text().as_ptr()) == last_order
            && let Some(plan) = plan.take()
        {
            output.plan(plan);
        }
    }
}

/// `plan ORD-1: 7 tasks in 5 waves, 4 h 11 min (critical path: CPE-Provisioning → …)`.
fn summary(chain: &Chain, (tasks, schedule, path): (usize, &Schedule, &[String])) -> String {
    let root = chain.orders().next().map_or_else(String::new, order_name);
    let shown = if path.len() > 8 {
        let (first, last) = (path[..4].join(" → "), &path[path.len() - 1]);
        format!("{first} → … → {last}")
    } else {
        path.join(" → ")
    };
    let waves = schedule.waves;
    if tasks == 0 {
        return format!("plan {root}: nothing to do");
    }
    format!(
        "plan {root}: {} task{} in {waves} wave{}, {} (critical path: {shown})",
        plan::count_for_people(tasks),
        if tasks == 1 { "" } else { "s" },
        if waves == 1 { "" } else { "s" },
        plan::duration_for_people(&schedule.expected_duration),
    )
}
