//! `orderctl plan --cancel` and `orderctl plan --amend`: how to get from where an
//! order stands to where it is wanted.

use std::path::{Path, PathBuf};

use orderctl::chain::{Chain, order_name};
use orderctl::diagnostic::human::printable;
use orderctl::document::{Document, DocumentKind, Edits, quote};
use orderctl::journal::{JournalError, JournalReader, Progress, StoredOrder};
use orderctl::model::Order;
use orderctl::model::digest::order_digest;
use orderctl::model::product_order::external_id;
use orderctl::model::state::OrderState;
use orderctl::plan::flow::{OrchestrationPlan, RevisionKind};
use orderctl::plan::{NotPlanned, Planning};
use orderctl::progress::{self, TaskStanding};
use orderctl::project::Overrides;
use orderctl::revision::{self, Bundles, Pinned, Refusal, Standing};

use super::plan::Installed;
use super::status;
use crate::cli::{ExplanationFormat, PlanArgs};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::stage::{self, Flow};
use crate::terminal;

/// Plans the cancellation, or the change, of an order in the journal.
pub fn run(args: &PlanArgs, context: &Context) -> Result<ExitCode, Failure> {
    let settings = context.settings(Overrides {
        journal: args.journal.journal.clone(),
        catalog: args.catalog.catalog.clone(),
        inventory: args.inventory.inventory.clone(),
        ..Overrides::default()
    })?;
    let installed = Installed::at(settings.inventory);
    let journal = settings.journal;
    let reader = JournalReader::open(&journal)?;
    let pinned = match (args.partly, args.force) {
        (true, _) => Pinned::Keep,
        (_, true) => Pinned::Force,
        (false, false) => Pinned::Refuse,
    };
    if let Some(name) = &args.cancel {
        let order = Underway::read(&reader, &journal, name)?;
        let made = revision::cancel(order.standing(), args.reason.clone(), pinned);
        return match made {
            Ok(plan) => order.write(&plan, None, (args, context)),
            Err(Refusal::UnderWay { .. } | Refusal::Ended) if order.is_cancelled(pinned) => {
                let name = &order.id;
                let remark = if order.progress.has_ended() {
                    format!("plan {name}: it was cancelled before, and this is the plan for that")
                } else {
                    format!("plan {name}: it is being cancelled, and this is the plan that goes on")
                };
                order.write_again(&remark, (args, context))
            }
            Err(refusal) => Ok(refuse(&order.id, &refusal, (args, context))),
        };
    }
    let Some(file) = args.amend.clone() else {
        return Ok(ExitCode::Done);
    };
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
    amend(
        &file,
        (&planning, &installed, pinned),
        (&reader, &journal),
        (args, context),
    )
}

fn amend(
    file: &Path,
    (planning, installed, pinned): (&Planning<'_>, &Installed, Pinned),
    (reader, journal): (&JournalReader, &Path),
    (args, context): (&PlanArgs, &Context),
) -> Result<ExitCode, Failure> {
    let mut chains = Vec::new();
    stage::chains(&[file.to_owned()], &mut |chain| {
        chains.push(chain);
        Ok(Flow::Continue)
    })?;
    let orders = chains.iter().filter(|it| it.orders().next().is_some());
    let [chain] = &orders.collect::<Vec<_>>()[..] else {
        return Err(Failure::WrongDocument {
            what: format!("{} with several orders, or none,", file.display()),
            advice: "an order is changed by one that takes its place".to_owned(),
        });
    };
    let root = chain.orders().next().map(order_name).unwrap_or_default();
    let external = chain.orders().next().and_then(|it| external_id(it.root()));
    let name = match (reader.order(&root)?, external) {
        (None, Some(external)) => external.into_owned(),
        _ => root.clone(),
    };
    let order = Underway::read(reader, journal, &name)?;
    if order.id != root {
        let refusal = Refusal::OtherOrder(format!(
            "the order in the journal has the id {}, the one that is to take its place {root}: give it \
             the same id",
            order.id
        ));
        return Ok(refuse(&order.id, &refusal, (args, context)));
    }
    // One that was taken on with no version that can be read is older than any.
    let old = version(&order.chain).unwrap_or_default();
    let new = match version(chain) {
        Ok(new) => new,
        Err(text) => {
            return Ok(refuse(
                &order.id,
                &Refusal::NoVersion(text),
                (args, context),
            ));
        }
    };
    if new == old && order.asks_for(chain) {
        let remark = format!(
            "plan {root}: version {} is there already, and this is the plan that goes on",
            shown(&new)
        );
        return order.write_again(&remark, (args, context));
    }
    if new <= old {
        let advice = if new == old {
            ", and asks for something else: give this one a higher version"
        } else {
            ""
        };
        context.say(&printable(&format!(
            "plan {root}: version {} is ignored: version {} is there already{advice}",
            shown(&new),
            shown(&old)
        )));
        return Ok(ExitCode::Done);
    }
    let planned = match installed.over(planning, |it| it.plan(chain))? {
        Ok(planned) => planned,
        Err(NotPlanned::NotDecomposed { type_name, id }) => {
            return Err(Failure::WrongDocument {
                what: format!("{type_name} {id} has no resource order and"),
                advice:
                    "pipe it through `orderctl decompose`: orderctl decompose new.json | orderctl \
                         plan --amend -"
                        .to_owned(),
            });
        }
        Err(NotPlanned::Faults(diagnostics)) => {
            for diagnostic in &diagnostics {
                context.show(diagnostic);
            }
            return Ok(ExitCode::NotAcceptable);
        }
    };
    for warning in &planned.warnings {
        context.show(warning);
    }
    let reason = args
        .reason
        .clone()
        .or_else(|| Some(format!("version {}", shown(&new))));
    match revision::amend(order.standing(), &planned.plan, (reason, pinned)) {
        Ok(plan) => order.write(&plan, Some(chain), (args, context)),
        Err(refusal) => Ok(refuse(&order.id, &refusal, (args, context))),
    }
}

/// The version of a chain's root order: numbers, compared one by one; the text where it is none.
fn version(chain: &Chain) -> Result<Vec<u64>, String> {
    let root = chain.orders().next().map(Document::root);
    let version = root.and_then(|root| root.get("version"));
    let text = version.map(|it| match it.as_str() {
        Some(text) => text.into_owned(),
        None => it.compact().into_owned(),
    });
    let text = text.as_deref().unwrap_or("0");
    let parts: Result<Vec<u64>, _> = text.split('.').map(|it| it.trim().parse()).collect();
    let mut parts = parts.map_err(|_| text.to_owned())?;
    while parts.len() > 1 && parts.last() == Some(&0) {
        parts.pop();
    }
    Ok(parts)
}

fn shown(version: &[u64]) -> String {
    if version.is_empty() {
        return "0".to_owned();
    }
    let parts: Vec<String> = version.iter().map(u64::to_string).collect();
    parts.join(".")
}

fn refuse(order: &str, refusal: &Refusal, (args, context): (&PlanArgs, &Context)) -> ExitCode {
    for line in refusal.to_string().lines() {
        terminal::report_failure(
            &printable(&format!("order {order}: {line}")),
            context.styling,
        );
    }
    if matches!(refusal, Refusal::Pinned(_)) {
        let advice = if args.amend.is_some() {
            "--force changes the order all the same, as far as what was done can be undone"
        } else if args.partly {
            "there is nothing that is not past it; --force undoes what can be undone all the same"
        } else {
            "what is not past it can be cancelled with --partly; --force undoes what can be undone of \
             the rest as well"
        };
        terminal::report_note(advice, context.styling);
    }
    ExitCode::NotAcceptable
}

/// An order of the journal.
struct Underway {
    id: String,
    /// Its documents as they were taken on.
    chain: Chain,
    plan: OrchestrationPlan,
    progress: Progress,
    bundles: Bundles,
}

impl Underway {
    fn read(reader: &JournalReader, journal: &Path, name: &str) -> Result<Self, Failure> {
        let nowhere = format!("it is not in the journal {}", journal.display());
        let (id, stored) = status::find_order(reader, name, &nowhere)?;
        Self::of(id, &stored, journal)
    }

    fn of(id: String, stored: &StoredOrder, journal: &Path) -> Result<Self, Failure> {
        let corrupt = |reason: String| JournalError::Corrupt {
            path: PathBuf::from(journal),
            reason: format!("order {id}: {reason}"),
        };
        let documents = stored.documents.iter();
        let documents: Result<Vec<Document>, _> = documents
            .map(|text| Document::parse(text.clone(), "journal"))
            .collect();
        let documents =
            documents.map_err(|_| corrupt("a document of its chain is no JSON".to_owned()))?;
        let text = stored.documents.last().map_or("", String::as_str);
        let plan: OrchestrationPlan =
            serde_json::from_str(text).map_err(|error| corrupt(format!("its plan: {error}")))?;
        let progress =
            Progress::replay(&plan, &stored.entries).map_err(|error| corrupt(error.to_string()))?;
        let bundles = Bundles::of(&documents, &plan);
        Ok(Self {
            chain: Chain { documents },
            plan,
            progress,
            bundles,
            id,
        })
    }

    fn standing(&self) -> Standing<'_> {
        Standing {
            plan: &self.plan,
            progress: &self.progress,
            bundles: &self.bundles,
        }
    }

    /// Whether it is cancelled already as it is to be: in part only where that is asked for.
    fn is_cancelled(&self, pinned: Pinned) -> bool {
        let revision = self.plan.revision.as_ref();
        let cancelled = revision.filter(|it| it.kind == RevisionKind::Cancel);
        cancelled.is_some_and(|it| !it.partly || pinned == Pinned::Keep)
    }

    /// Whether it is carried out to what an order asks for.
    fn asks_for(&self, new: &Chain) -> bool {
        let revision = self.plan.revision.as_ref();
        let asked = |chain: &Chain| chain.orders().next().map(|it| order_digest(it.root()));
        revision.is_none_or(|it| it.kind != RevisionKind::Cancel)
            && asked(&self.chain) == asked(new)
    }

    /// Writes the plan that the order is being carried out by, for a command that was given once more.
    fn write_again(
        &self,
        remark: &str,
        (args, context): (&PlanArgs, &Context),
    ) -> Result<ExitCode, Failure> {
        context.say(&printable(remark));
        if args.format.is_some() {
            return self.write(&self.plan, None, (args, context));
        }
        let mut chain = self.chain.clone();
        let request = self.request(&self.plan);
        let request = request.and_then(|text| Document::parse(text, "journal").ok());
        chain.documents.extend(request);
        let standing = |task: &str| self.progress.task(task).map(TaskStanding::from);
        let mut output = context.stdout();
        for document in &progress::apply(&chain, &standing).documents {
            let mut text = Vec::new();
            document.write_compact(&mut text);
            let _gone_or_not = output.document(&text)?;
        }
        let _gone_or_not = output.flush()?;
        Ok(ExitCode::Done)
    }

    /// Writes the revision, with the orders that it is about, or what it does.
    fn write(
        &self,
        plan: &OrchestrationPlan,
        new: Option<&Chain>,
        (args, context): (&PlanArgs, &Context),
    ) -> Result<ExitCode, Failure> {
        let view = revision::view(plan, &self.plan);
        let people = view.as_ref().map(revision::View::for_people);
        match (args.format, &view) {
            (Some(ExplanationFormat::Human), _) => {
                context.write_text(people.unwrap_or_default().as_bytes())?;
                return Ok(ExitCode::Done);
            }
            (Some(ExplanationFormat::Json), Some(view)) => {
                let mut output = context.stdout();
                let _gone_or_not = output.document(&json(view))?;
                let _gone_or_not = output.flush()?;
                return Ok(ExitCode::Done);
            }
            _ => {}
        }
        for line in people.unwrap_or_default().lines() {
            context.say(line);
        }
        let mut output = context.stdout();
        let chain = new.unwrap_or(&self.chain);
        for document in chain.orders() {
            let assessed = match plan.revision.as_ref().map(|it| it.kind) {
                Some(RevisionKind::Cancel) => assessed(document),
                _ => None,
            };
            let mut text = Vec::new();
            assessed
                .as_ref()
                .unwrap_or(document)
                .write_compact(&mut text);
            let _gone_or_not = output.document(&text)?;
        }
        let _gone_or_not = output.document(&json(plan))?;
        if let Some(request) = self.request(plan) {
            let _gone_or_not = output.document(request.as_bytes())?;
        }
        let _gone_or_not = output.flush()?;
        Ok(ExitCode::Done)
    }

    /// The TM Forum resource that asks for a cancellation.
    fn request(&self, plan: &OrchestrationPlan) -> Option<String> {
        let revision = plan.revision.as_ref()?;
        if revision.kind != RevisionKind::Cancel {
            return None;
        }
        let root = self.chain.orders().next().and_then(Order::read)?;
        // TMF641 has a word of its own for the first state.
        let (member, state) = match root {
            Order::Product(_) => ("productOrder", "acknowledged"),
            Order::Service(_) => ("serviceOrder", "accepted"),
            Order::Resource(_) => ("resourceOrder", "acknowledged"),
        };
        let (kind, id) = revision::cancel_request(root.type_name(), &self.id, revision.number);
        let id = quote(&id);
        let order = quote(&self.id);
        let reason = revision.reason.as_deref();
        let reason = reason.map_or(String::new(), |reason| {
            format!(",\"cancellationReason\":{}", quote(reason))
        });
        Some(format!(
            "{{\"@type\":\"{kind}\",\"id\":{id},\"state\":\"{state}\",\"{member}\":{{\"id\":{order},\
             \"@referredType\":\"{}\"}}{reason}}}",
            DocumentKind::of(self.chain.orders().next()?).name()
        ))
    }
}

/// An order whose cancellation has been asked for, and is not carried out yet.
fn assessed(order: &Document) -> Option<Document> {
    let mut edits = Edits::new();
    let state = OrderState::AssessingCancellation.name();
    edits.set(order.root(), "state", &quote(state));
    edits.apply(order).ok()
}

fn json(document: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("plans are made of texts and JSON values")
}
