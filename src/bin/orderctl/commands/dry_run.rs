//! `orderctl activate --dry-run`: the requests that a run would send.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use orderctl::activate::intake::Intake;
use orderctl::activate::{self, ActivateError, Outlook};
use orderctl::chain::Chain;
use orderctl::endpoint::{Call, Endpoint, EndpointDefinition};
use orderctl::journal::{Entry, JournalReader};
use orderctl::plan::flow::{TaskCall, TaskFlow};

use super::activate::not_planned;
use super::filter::{Sink, ended};
use crate::cli::ActivateArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::stage::{self, Input, Produced, Unit};

/// Writes the requests of every plan that are left to be sent, each after those it waits for.
pub fn run(
    args: &ActivateArgs,
    (endpoints, journal): (&[(EndpointDefinition, Endpoint)], &Path),
    context: &Context,
) -> Result<ExitCode, Failure> {
    let mut sink = Sink::new(context, None, &[])?;
    sink.raw = true;
    let journal = Journal {
        path: journal,
        reader: Mutex::new(None),
    };
    let ended = stage::run(
        Input::of(&args.plans),
        Unit::Chain,
        args.jobs.jobs,
        &|chain| {
            let mut intake = Intake::of(&chain, args.allow_stale);
            if let Intake::Accepted(accepted) = &mut intake
                && args.anew
            {
                accepted.forget_progress();
            }
            requests(&intake, &chain, (endpoints, &journal))
        },
        &mut |produced| sink.take(produced),
    );
    let code = sink.finish()?;
    ended?;
    Ok(code)
}

fn requests(
    intake: &Intake,
    chain: &Chain,
    (endpoints, journal): (&[(EndpointDefinition, Endpoint)], &Journal<'_>),
) -> Produced {
    let mut produced = Produced::default();
    match intake {
        Intake::Accepted(accepted) => match left(accepted, (endpoints, journal)) {
            Ok(requests) => {
                if requests.is_empty() {
                    let order = accepted.order_id().unwrap_or_default();
                    let remark = format!("activate {order}: nothing is left to be sent");
                    produced.remarks.push(remark);
                }
                for request in requests {
                    produced.output.text(&request);
                }
            }
            Err(failure) => produced.failure = Some(failure),
        },
        Intake::Refused(diagnostics) => {
            produced.code = Some(ExitCode::NotAcceptable);
            produced.diagnostics.clone_from(diagnostics);
        }
        Intake::NotPlanned { type_name, id } => produced.failure = Some(not_planned(type_name, id)),
        Intake::Ended(state) => {
            let root = chain.orders().next();
            produced.remarks = root.map(|root| ended(root, *state)).into_iter().collect();
        }
        Intake::Other => {}
    }
    produced
}

/// The requests that are left to be sent, by what the journal says.
fn left(
    chain: &activate::Chain,
    (endpoints, journal): (&[(EndpointDefinition, Endpoint)], &Journal<'_>),
) -> Result<Vec<String>, Failure> {
    let entries = journal.entries(chain)?;
    if entries.is_empty() && chain.needs_history() {
        return Err(Failure::Activate(ActivateError::NotInJournal {
            order: chain.order_id().unwrap_or_default().to_owned(),
            journal: journal.path.to_owned(),
        }));
    }
    let outlook = Outlook::of(chain, &entries)?;
    let mut requests = Vec::new();
    for task in &outlook.plan.task_flow {
        let Some(call) = task.call() else { continue };
        let mut definitions = endpoints.iter();
        let found = definitions.find(|(definition, _)| definition.name == call.endpoint);
        let Some((_, endpoint)) = found else {
            return Err(Failure::Activate(ActivateError::UnknownEndpoint {
                task: task.id.clone(),
                endpoint: call.endpoint.to_owned(),
            }));
        };
        if outlook.is_left(task) {
            let first = outlook.is_asked_first(task);
            requests.push(request((task, first), call, endpoint));
        }
    }
    Ok(requests)
}

/// A journal, opened with the first order that is looked up in it.
struct Journal<'j> {
    path: &'j Path,
    reader: Mutex<Option<JournalReader>>,
}

impl Journal<'_> {
    /// What it has about the order of a chain.
    fn entries(&self, chain: &activate::Chain) -> Result<Vec<Entry>, Failure> {
        let Some(order) = chain.order_id().filter(|_| self.path.exists()) else {
            return Ok(Vec::new());
        };
        let mut opened = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = match opened.take() {
            Some(reader) => reader,
            None => JournalReader::open(self.path)?,
        };
        let stored = opened.insert(reader).order(order)?;
        Ok(stored.map(|it| it.entries).unwrap_or_default())
    }
}

fn request(
    (task, is_asked_first): (&TaskFlow, bool),
    call: TaskCall<'_>,
    endpoint: &Endpoint,
) -> String {
    let request = endpoint.exact_request(&Call {
        task: &task.id,
        request: call.request,
        idempotency_key: call.idempotency_key,
    });
    let note = if is_asked_first {
        ", unless it turns out to be done: it was sent before"
    } else {
        ""
    };
    format!(
        "# {} ({}) at {}{note}\n{}\n\n",
        task.name,
        task.id,
        call.endpoint,
        request.trim_end()
    )
}
