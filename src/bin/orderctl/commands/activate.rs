//! `orderctl activate`.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use orderctl::activate::intake::Intake;
use orderctl::activate::{ActivateError, Engine, Observer, Pool, Report, RunState, Stopper, SystemClock};
use orderctl::chain::Chain;
use orderctl::diagnostic::Diagnostic;
use orderctl::endpoint::{Call, Endpoint, EndpointDefinition, Endpoints};
use orderctl::journal::{JournalError, JournalWriter};
use orderctl::progress::{self, TaskStanding};
use orderctl::project::Overrides;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::filter::line;
use super::status::View;
use crate::bar::Bar;
use crate::cli::{ActivateArgs, OutputFormat};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::stage::{self, Flow, Produced, Unit};
use crate::terminal::Delivery;
use crate::{signals, terminal};

/// Carries plans out.
pub fn run(args: ActivateArgs, context: &Context) -> Result<ExitCode, Failure> {
    let settings = context.settings(Overrides {
        catalog: None,
        endpoints: args.endpoints.endpoints.clone(),
        journal: args.journal.journal.clone(),
    })?;
    let Some(file) = settings.endpoints else {
        return Err(Failure::NotNamed {
            what: "endpoints file",
            flag: "--endpoints FILE",
            variable: "ORDERCTL_ENDPOINTS",
        });
    };
    let definitions = Endpoints::read(&file, &|name| std::env::var(name).ok())?;
    let mut endpoints = Vec::new();
    for definition in definitions.by_name.into_values() {
        let endpoint = Endpoint::open(&definition)?;
        endpoints.push((definition, endpoint));
    }
    if args.dry_run {
        return dry_run(&args, &endpoints, context);
    }
    let runtime = signals::runtime()?;
    runtime.block_on(carry_out(&args, endpoints, &settings.journal, context))
}

/// Writes the requests of every plan in an order in which they could be sent.
fn dry_run(
    args: &ActivateArgs,
    endpoints: &[(EndpointDefinition, Endpoint)],
    context: &Context,
) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::Done;
    let mut stdout = context.stdout();
    for chain in stage::read_all(&args.plans)? {
        let intake = Intake::of(&chain, args.allow_stale);
        let Intake::Accepted(accepted) = intake else {
            code = code.worst(refuse(intake, context)?);
            continue;
        };
        for task in &accepted.plan.task_flow {
            let found = endpoints.iter().find(|(definition, _)| definition.name == task.endpoint);
            let Some((_, endpoint)) = found else {
                let (task, endpoint) = (task.id.clone(), task.endpoint.clone());
                return Err(ActivateError::UnknownEndpoint { task, endpoint }.into());
            };
            let call = Call {
                task: &task.id,
                request: &task.request,
                idempotency_key: &task.idempotency_key,
            };
            let request = endpoint.exact_request(&call);
            let text = format!("# {} ({}) at {}\n{}\n\n", task.name, task.id, task.endpoint, request.trim_end());
            if stdout.text(text.as_bytes())? == Delivery::Closed {
                return Ok(code);
            }
        }
    }
    let _written = stdout.flush()?;
    Ok(code)
}

/// A chain that is not carried out.
fn refuse(intake: Intake, context: &Context) -> Result<ExitCode, Failure> {
    match intake {
        Intake::Refused(diagnostics) => {
            diagnostics.iter().for_each(|diagnostic: &Diagnostic| context.show(diagnostic));
            Ok(ExitCode::NotAcceptable)
        }
        Intake::NotPlanned { type_name, id } => Err(Failure::WrongDocument {
            what: format!("{type_name} {id} has no plan yet and"),
            advice: "pipe it through `orderctl decompose | orderctl plan` first".to_owned(),
        }),
        Intake::Accepted(_) | Intake::Other => Ok(ExitCode::Done),
    }
}

/// A chain on its way to the output, in its place.
enum Waiting {
    Done(Chain),
    Refused(Intake),
    Running(Chain, JoinHandle<Result<Report, ActivateError>>),
}

async fn carry_out(
    args: &ActivateArgs,
    endpoints: Vec<(EndpointDefinition, Endpoint)>,
    journal: &Path,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let journal = JournalWriter::open(journal)?;
    let (stopper, stop) = Stopper::new();
    let bar = Arc::new(Bar::new(context.shows_progress()));
    let engine = Arc::new(Engine {
        pool: Arc::new(Pool::open(endpoints)),
        clock: Arc::new(SystemClock),
        stop: stop.clone(),
        grace: args.grace,
        observer: Arc::clone(&bar) as Arc<dyn Observer>,
    });
    tokio::spawn(stop_on_signal(stopper, args.grace, context.styling));
    let (sender, mut chains) = mpsc::channel::<Chain>(usize::from(args.jobs.jobs));
    let files = args.plans.clone();
    let reader = tokio::task::spawn_blocking(move || read(&files, &sender));

    let mut sink = Output::new(args, context);
    let mut waiting: VecDeque<Waiting> = VecDeque::new();
    let mut stopped = stop.clone();
    let mut ended = false;
    while !ended || !waiting.is_empty() {
        let room = waiting.len() < usize::from(args.jobs.jobs);
        if room && !ended {
            tokio::select! {
                biased;
                () = stopped.requested() => {
                    // What has not been read is left for the next run.
                    ended = true;
                    sink.code = sink.code.worst(ExitCode::WorkLeft);
                }
                chain = chains.recv() => match chain {
                    None => ended = true,
                    Some(chain) => waiting.push_back(begin(&engine, &journal, chain, args.allow_stale)),
                },
            }
        }
        // Without room, or once all is read, the first in line is waited for.
        let full = waiting.len() >= usize::from(args.jobs.jobs) || ended;
        if full && let Some(first) = waiting.pop_front() {
            let ended = settle(first).await?;
            bar.suspend(|| sink.take(ended))?;
        }
    }
    drop(chains);
    bar.finish();
    let code = sink.finish()?;
    journal.close().await?;
    if !stop.is_requested() {
        reader.await.map_err(|error| Failure::Runtime(error.into()))??;
    }
    Ok(code)
}

/// A chain whose turn it is.
enum Ended {
    Done(Chain),
    Refused(Intake),
    Ran(Chain, Result<Report, ActivateError>),
}

async fn settle(waiting: Waiting) -> Result<Ended, Failure> {
    Ok(match waiting {
        Waiting::Done(chain) => Ended::Done(chain),
        Waiting::Refused(intake) => Ended::Refused(intake),
        Waiting::Running(chain, run) => {
            let report = run.await.map_err(|error| Failure::Runtime(error.into()))?;
            Ended::Ran(chain, report)
        }
    })
}

/// Hands chains on as they are read.
fn read(files: &[std::path::PathBuf], chains: &mpsc::Sender<Chain>) -> Result<(), Failure> {
    stage::run(
        files,
        Unit::Chain,
        1,
        &|chain| {
            let refused = chains.blocking_send(chain).is_err();
            Produced { code: refused.then_some(ExitCode::WorkLeft), ..Produced::default() }
        },
        &mut |produced| Ok(if produced.code.is_some() { Flow::Stop } else { Flow::Continue }),
    )
}

fn begin(
    engine: &Arc<Engine<SystemClock>>,
    journal: &JournalWriter,
    chain: Chain,
    allow_stale: bool,
) -> Waiting {
    match Intake::of(&chain, allow_stale) {
        Intake::Accepted(accepted) => {
            let (engine, journal) = (Arc::clone(engine), journal.clone());
            let run = tokio::spawn(async move { engine.activate(&journal, accepted).await });
            Waiting::Running(chain, run)
        }
        Intake::Other => Waiting::Done(chain),
        refused => Waiting::Refused(refused),
    }
}

/// The first signal asks to stop; the second one does not wait.
async fn stop_on_signal(
    stopper: Stopper,
    grace: Duration,
    styling: orderctl::diagnostic::human::Styling,
) {
    signals::asked_to_stop().await;
    let line = format!(
        "stopping: running tasks may take up to {} s to finish; once more to stop at once",
        grace.as_secs()
    );
    terminal::report_note(&line, styling);
    stopper.stop();
    signals::asked_to_stop().await;
    // As after kill -9: the next run goes on from the journal.
    std::process::exit(ExitCode::WorkLeft as i32);
}

/// Where chains go after they were carried out.
struct Output<'a> {
    context: &'a Context,
    documents: terminal::Output<std::io::Stdout>,
    /// Where a table is wanted in place of documents.
    table: Option<View>,
    code: ExitCode,
}

impl<'a> Output<'a> {
    fn new(args: &ActivateArgs, context: &'a Context) -> Output<'a> {
        let usual =
            if context.stdout_is_terminal { OutputFormat::Table } else { OutputFormat::Json };
        let table = match args.output.unwrap_or(usual) {
            OutputFormat::Table => Some(View::new(context, Some(OutputFormat::Table))),
            OutputFormat::Json => None,
        };
        Output { context, documents: context.stdout(), table, code: ExitCode::Done }
    }

    fn take(&mut self, ended: Ended) -> Result<(), Failure> {
        match ended {
            Ended::Done(chain) => self.write(&chain),
            Ended::Refused(intake) => {
                self.code = self.code.worst(refuse(intake, self.context)?);
                Ok(())
            }
            Ended::Ran(chain, Ok(report)) => {
                let chain = self.report(&chain, &report);
                self.write(&chain)
            }
            Ended::Ran(_, Err(error @ ActivateError::Journal(JournalError::OrderBusy { .. }))) => {
                self.code = self.code.worst(ExitCode::WorkLeft);
                terminal::report_failure(&error.to_string(), self.context.styling);
                Ok(())
            }
            Ended::Ran(_, Err(error @ ActivateError::Journal(_))) => Err(error.into()),
            Ended::Ran(_, Err(error)) => {
                self.code = self.code.worst(match error {
                    ActivateError::UnknownEndpoint { .. } => ExitCode::Caller,
                    _ => ExitCode::NotAcceptable,
                });
                terminal::report_failure(&error.to_string(), self.context.styling);
                Ok(())
            }
        }
    }

    /// The chain as it stands afterwards.
    fn report(&mut self, chain: &Chain, report: &Report) -> Chain {
        let (code, word) = match report.state {
            RunState::Completed => (ExitCode::Done, "completed"),
            RunState::Held => (ExitCode::WorkLeft, "held"),
            RunState::Interrupted => (ExitCode::WorkLeft, "interrupted"),
        };
        self.code = self.code.worst(code);
        let tasks = report.progress.tasks().len();
        let done = report.progress.completed();
        self.context.say(&format!("activate {}: {word}, {done} of {tasks} tasks done", report.order_id));
        for task in report.progress.held() {
            let reason = task.reason.as_deref().unwrap_or("no reason given");
            let reason = orderctl::diagnostic::human::printable(reason);
            self.context.say(&format!("  held {}: {reason}", task.id));
        }
        progress::apply(chain, &|task| report.progress.task(task).map(TaskStanding::from))
    }

    /// Writes a chain, unless nobody reads any more; the orders are carried out all the same.
    fn write(&mut self, chain: &Chain) -> Result<(), Failure> {
        match &mut self.table {
            Some(view) => view.show(chain),
            None => {
                let mut output = Vec::new();
                chain.documents.iter().for_each(|document| line(document, &mut output));
                let _written_or_closed = self.documents.documents(&output)?;
                Ok(())
            }
        }
    }

    fn finish(&mut self) -> Result<ExitCode, Failure> {
        if let Some(view) = &mut self.table {
            view.finish()?;
        }
        let _closed_or_not = self.documents.flush()?;
        Ok(self.code)
    }
}
