//! `orderctl activate`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use orderctl::activate::intake::Intake;
use orderctl::activate::{
    ActivateError, Clock, Engine, Lanes, Pool, Report, RunState, Stopper, SystemClock,
    VirtualClock, Waits,
};
use orderctl::chain::Chain;
use orderctl::diagnostic::human::{self, Styling};
use orderctl::document::{Document, DocumentKind, SharedText};
use orderctl::endpoint::{
    Callbacks, Endpoint, EndpointDefinition, Endpoints, EventListener, OpenError,
};
use orderctl::journal::find::subjects;
use orderctl::journal::{JournalError, JournalWriter, Progress};
use orderctl::model::state::OrderState;
use orderctl::progress::{self, TaskStanding, Written};
use orderctl::project::Overrides;
use orderctl::revision::named;
use orderctl::status::RunStanding;
use tokio::sync::mpsc;

use super::carried::carried_out;
use super::dry_run;
use super::filter::ended;
use super::installed::InstalledBase;
use super::open_orders::OpenOrders;
use super::ran;
use super::status::View;
use crate::bar::Bar;
use crate::cli::{ActivateArgs, ClockName, OutputFormat};
use crate::context::Context;
use crate::events::{Events, Target, Watchers};
use crate::exit::{self, ExitCode, Failure};
use crate::lines::Lines;
use crate::signals::{self, Signals};
use crate::stage::{self, Flow};
use crate::terminal;

/// Chains that were read and wait to be looked at.
const READ_AHEAD: usize = 16;

/// Endpoints as defined, ready for calls.
type OpenEndpoints = Vec<(EndpointDefinition, Endpoint)>;

/// Carries plans out.
pub fn run(args: ActivateArgs, context: &Context) -> Result<ExitCode, Failure> {
    args.inventory.can_be_made()?;
    let settings = context.settings(Overrides {
        catalog: None,
        endpoints: args.endpoints.endpoints.clone(),
        journal: args.journal.journal.clone(),
        inventory: args.inventory.inventory.clone(),
    })?;
    let Some(file) = settings.endpoints else {
        return Err(Failure::NotNamed {
            what: "endpoints file",
            flag: "--endpoints FILE",
            variable: "ORDERCTL_ENDPOINTS",
        });
    };
    let endpoints = open_endpoints(&file)?;
    if args.dry_run {
        return dry_run::run(&args, (&endpoints, &settings.journal), context);
    }
    prepare(&endpoints)?;
    let runtime = signals::runtime_beside_others()?;
    let installed = InstalledBase::open(settings.inventory)?;
    let (journal, clock) = (settings.journal, args.time.clock);
    match clock {
        ClockName::System => {
            let means = Means::new(SystemClock, endpoints, journal, installed);
            runtime.block_on(carry_out(args, means, context))
        }
        ClockName::Virtual => {
            let means = Means::new(VirtualClock::default(), endpoints, journal, installed);
            runtime.block_on(carry_out(args, means, context))
        }
    }
}

/// What it takes to carry plans out.
struct Means<C> {
    clock: C,
    endpoints: OpenEndpoints,
    journal: PathBuf,
    installed: InstalledBase,
}

impl<C> Means<C> {
    fn new(
        clock: C,
        endpoints: OpenEndpoints,
        journal: PathBuf,
        installed: InstalledBase,
    ) -> Means<C> {
        Means {
            clock,
            endpoints,
            journal,
            installed,
        }
    }
}

impl<C> Means<C> {
    /// Lets the endpoints heed the events that are heard at an address.
    async fn listening(mut self, address: SocketAddr, context: &Context) -> Result<Self, Failure> {
        let listener = EventListener::bind(address)
            .await
            .map_err(|cause| Failure::Listen { address, cause })?;
        context.say(&format!(
            "listening for events at http://{}/listener",
            listener.address
        ));
        let callbacks = Arc::new(Callbacks::default());
        let heed =
            |(definition, endpoint): (_, Endpoint)| (definition, endpoint.heeding(&callbacks));
        self.endpoints = self.endpoints.into_iter().map(heed).collect();
        tokio::spawn(listener.serve(callbacks));
        Ok(self)
    }
}

fn open_endpoints(file: &Path) -> Result<OpenEndpoints, Failure> {
    let definitions = Endpoints::read(file, &|name| std::env::var(name).ok())?;
    let mut endpoints = Vec::new();
    for definition in definitions.by_name.into_values() {
        let endpoint = Endpoint::open(&definition)?;
        endpoints.push((definition, endpoint));
    }
    Ok(endpoints)
}

/// Fetches the secrets of all endpoints at the same time, for some come from programs that take
/// theirs.
fn prepare(endpoints: &OpenEndpoints) -> Result<(), Failure> {
    let errors: Vec<OpenError> = thread::scope(|scope| {
        let under_way: Vec<_> = endpoints
            .iter()
            .map(|(_, endpoint)| scope.spawn(|| endpoint.prepare().err()))
            .collect();
        let ended = under_way.into_iter().map(thread::ScopedJoinHandle::join);
        let errors = ended.filter_map(|it| it.expect("fetching a secret does not panic"));
        errors.collect()
    });
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::Unready(errors))
    }
}

/// What is said of an order that has no plan.
pub fn not_planned(type_name: &str, id: &str) -> Failure {
    Failure::WrongDocument {
        what: format!("{type_name} {id} has no plan yet and"),
        advice: "pipe it through `orderctl decompose | orderctl plan` first".to_owned(),
    }
}

/// What became of a chain.
enum Ended {
    /// It is not about an order.
    Other(Chain),
    /// Its order has ended elsewhere.
    Over(Chain, OrderState),
    /// It was not acceptable.
    Refused(Chain, Intake),
    /// It was carried out, or the attempt was made.
    Ran(Chain, Result<Box<Report>, ActivateError>),
}

/// Carries out what is read, so many chains at once, and writes it in its
/// sequence. Whatever goes wrong, chains under way are not cut off: nothing new
/// is begun, and the error is told at the end.
async fn carry_out<C: Clock>(
    args: ActivateArgs,
    means: Means<C>,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let signals = Signals::catch()?;
    let means = match args.listen {
        Some(address) => means.listening(address, context).await?,
        None => means,
    };
    let journal = JournalWriter::open(&means.journal)?;
    let (stopper, mut stop) = Stopper::new();
    let bar = Arc::new(Bar::new(context.shows_progress()));
    let events = args
        .events
        .clone()
        .map(|it| Events::begin(it, &means.journal));
    let events = events.transpose()?;
    let engine = Engine {
        pool: Arc::new(Pool::open(means.endpoints)),
        clock: Arc::new(means.clock),
        stop: stop.clone(),
        grace: args.grace,
        waits: if args.time.wait {
            Waits::SitOut
        } else {
            Waits::Leave
        },
        observer: Arc::new(Watchers {
            bar: Arc::clone(&bar),
            events: events.as_ref().map(Events::queue),
        }),
    };
    let mut activation = Activation {
        engine: Arc::new(engine),
        journal,
        lanes: Lanes::new(usize::from(args.jobs.jobs)),
        allow_stale: args.allow_stale,
        open: OpenOrders::new(means.journal.clone()),
    };
    tokio::spawn(stop_on_signal(
        signals,
        stopper,
        args.grace,
        context.styling,
    ));
    let mut sink = Output::new(args.output, means.installed, means.journal, context);
    sink.is_silent = args.events == Some(Target::Stdout);
    let insist = Insist {
        allow_stale: args.allow_stale,
        anew: args.anew,
    };
    let mut input = Input::read(args.plans, insist);

    loop {
        while let Some(ended) = activation.lanes.take() {
            bar.suspend(|| sink.take(ended));
        }
        if sink.failure.is_some() || stop.is_requested() {
            sink.note_what_is_left(&mut input);
        }
        if activation.begin(&mut input.next, &sink.installed) {
            continue;
        }
        if activation.lanes.is_idle() && input.is_over() {
            break;
        }
        sink.flush();
        tokio::select! {
            biased;
            () = stop.requested(), if !input.is_over() => {}
            ended = activation.lanes.ended() => if let Err(panic) = ended {
                sink.fail(Failure::Runtime(panic.into()));
            },
            () = input.advance(), if input.is_wanted() => {}
        }
    }
    bar.finish();
    sink.settle();
    let noted = match sink.installed.name() {
        Some(name) => {
            let written = sink.installed.take_written();
            let now = activation.engine.clock.now();
            activation.journal.installed(written, &name, now).await
        }
        None => Ok(()),
    };
    if let Some(Err(failure)) = events.map(Events::finish) {
        sink.fail(failure);
    }
    let closed = noted.and(activation.journal.close().await);
    sink.finish(input.failure, closed)
}

/// The first signal asks to stop; the second one does not wait.
async fn stop_on_signal(mut signals: Signals, stopper: Stopper, grace: Duration, styling: Styling) {
    signals.next().await;
    let line = format!(
        "stopping: running tasks may take up to {grace:?} to finish; once more to stop at once"
    );
    terminal::report_note(&line, styling);
    stopper.stop();
    signals.next().await;
    // As after kill -9: the next run goes on from the journal.
    ExitCode::WorkLeft.leave();
}

/// A chain whose orders and plan have been replaced by others, with the documents that go along.
fn in_place_of(chain: &Chain, documents: &[SharedText]) -> Chain {
    let parsed = documents.iter().filter_map(|text| {
        let document = Document::parse(text.to_string(), "journal");
        document.ok()
    });
    Chain {
        documents: parsed.chain(chain.foreign().cloned()).collect(),
    }
}

/// The chains under way.
struct Activation<C> {
    engine: Arc<Engine<C>>,
    journal: JournalWriter,
    lanes: Lanes<Ended>,
    allow_stale: bool,
    open: OpenOrders,
}

impl<C: Clock> Activation<C> {
    /// Begins with the next chain, if there is one and it need not wait.
    fn begin(&mut self, next: &mut Option<Incoming>, installed: &InstalledBase) -> bool {
        let may_begin = |it: &mut Incoming| {
            // What those have changed has to be known.
            let mut others = self.open.begun(&it.subjects);
            self.lanes.is_free_for(&it.order_id) && others.all(|it| self.lanes.is_over(it))
        };
        let Some(incoming) = next.take_if(may_begin) else {
            return false;
        };
        let Incoming {
            chain,
            intake,
            order_id,
            subjects,
        } = incoming;
        match intake {
            Intake::Accepted(mut accepted) => {
                let stale = if self.allow_stale {
                    Vec::new()
                } else {
                    installed.stale(&chain)
                };
                let alone = if self.allow_stale {
                    Ok(None)
                } else {
                    self.open.alone(&order_id, &subjects)
                };
                let busy = match alone {
                    Ok(alone) => {
                        accepted.alone = alone;
                        None
                    }
                    Err(error) => Some(error),
                };
                self.open.begin(&order_id, subjects);
                let (engine, journal) = (Arc::clone(&self.engine), self.journal.clone());
                let order = order_id.clone();
                self.lanes.begin(order_id, async move {
                    // What was begun before has made such differences itself.
                    if !stale.is_empty() || busy.is_some() {
                        match (journal.knows(&order).await, busy) {
                            (Ok(true), None | Some(JournalError::SubjectBusy { .. })) => {}
                            (Err(error), _) | (_, Some(error)) => {
                                return Ended::Ran(chain, Err(error.into()));
                            }
                            (_, None) => return Ended::Refused(chain, Intake::Refused(stale)),
                        }
                    }
                    let report = engine.activate(&journal, accepted).await;
                    Ended::Ran(chain, report.map(Box::new))
                });
            }
            Intake::Ended(state) => self.lanes.pass(Ended::Over(chain, state)),
            Intake::Other => self.lanes.pass(Ended::Other(chain)),
            refused => self.lanes.pass(Ended::Refused(chain, refused)),
        }
        true
    }
}

/// What the caller insists on.
#[derive(Debug, Clone, Copy)]
struct Insist {
    allow_stale: bool,
    anew: bool,
}

/// A chain that was read and looked at.
struct Incoming {
    chain: Chain,
    intake: Intake,
    /// The order whose tasks are carried out; empty where that is none.
    order_id: String,
    /// What that changes or removes.
    subjects: Vec<String>,
}

impl Incoming {
    fn new(chain: Chain, insist: Insist) -> Self {
        let mut intake = Intake::of(&chain, insist.allow_stale);
        if let Intake::Accepted(accepted) = &mut intake
            && insist.anew
        {
            accepted.forget_progress();
        }
        let order_id = match &intake {
            Intake::Accepted(accepted) => accepted.order_id().unwrap_or_default().to_owned(),
            Intake::Refused(_) | Intake::NotPlanned { .. } | Intake::Ended(_) | Intake::Other => {
                String::new()
            }
        };
        let root = chain.orders().next().filter(|_| !order_id.is_empty());
        let subjects = root.map(subjects).unwrap_or_default();
        Self {
            chain,
            intake,
            order_id,
            subjects,
        }
    }
}

/// Chains as they are read, by a thread of their own: a read of standard input
/// cannot be called off, and must not keep the process from ending.
struct Input {
    chains: mpsc::Receiver<Incoming>,
    reader: Option<thread::JoinHandle<Result<(), Failure>>>,
    /// The chain whose turn it is.
    next: Option<Incoming>,
    /// Why it ended early.
    failure: Option<Failure>,
}

impl Input {
    fn read(files: Vec<PathBuf>, insist: Insist) -> Self {
        let (sender, chains) = mpsc::channel(READ_AHEAD);
        let reader = thread::spawn(move || {
            stage::chains(&files, &mut |chain| {
                let sent = sender.blocking_send(Incoming::new(chain, insist));
                Ok(match sent {
                    Ok(()) => Flow::Continue,
                    Err(_) => Flow::Stop,
                })
            })
        });
        Self {
            chains,
            reader: Some(reader),
            next: None,
            failure: None,
        }
    }

    /// Whether nothing more will come of it.
    fn is_over(&self) -> bool {
        self.reader.is_none() && self.next.is_none()
    }

    /// Whether the next chain is to be waited for.
    fn is_wanted(&self) -> bool {
        self.reader.is_some() && self.next.is_none()
    }

    /// Waits for the next chain, or for the end.
    async fn advance(&mut self) {
        self.next = self.chains.recv().await;
        if self.next.is_none()
            && let Some(reader) = self.reader.take()
        {
            // It has nothing to send any more, so it is about to end.
            self.failure = match reader.join() {
                Ok(read) => read.err(),
                Err(panic) => std::panic::resume_unwind(panic),
            };
        }
    }

    /// Reads no more.
    fn abandon(&mut self) {
        self.chains.close();
        self.reader = None;
        self.next = None;
    }
}

/// Where chains go after they were carried out.
struct Output<'a> {
    context: &'a Context,
    documents: terminal::Output<terminal::StandardOutput>,
    /// Where a table is wanted in place of documents.
    table: Option<View>,
    /// Whether chains are not written: something else is.
    is_silent: bool,
    installed: InstalledBase,
    journal: PathBuf,
    code: ExitCode,
    /// The first error that ends the run.
    failure: Option<Failure>,
}

impl<'a> Output<'a> {
    fn new(
        format: Option<OutputFormat>,
        installed: InstalledBase,
        journal: PathBuf,
        context: &'a Context,
    ) -> Output<'a> {
        let usual = if context.stdout_is_terminal {
            OutputFormat::Table
        } else {
            OutputFormat::Json
        };
        let table = match format.unwrap_or(usual) {
            OutputFormat::Table => Some(View::new(context, Some(OutputFormat::Table))),
            OutputFormat::Json => None,
        };
        Output {
            context,
            documents: context.stdout(),
            table,
            is_silent: false,
            installed,
            journal,
            code: ExitCode::Done,
            failure: None,
        }
    }

    /// Takes what became of a chain.
    fn take(&mut self, ended: Ended) {
        match ended {
            Ended::Other(chain) => self.write(&chain),
            Ended::Over(chain, state) => self.pass_on(&chain, state),
            Ended::Refused(chain, intake) => {
                self.refuse(&intake);
                self.write_foreign(&chain);
            }
            Ended::Ran(chain, Ok(report)) => self.ran(chain, &report),
            Ended::Ran(chain, Err(ActivateError::NotInJournal { order, journal })) => {
                // What has ended is never sent again, so that it may be unknown here.
                if let Some(state) = chain.ended() {
                    self.pass_on(&chain, state);
                } else {
                    self.failed(ActivateError::NotInJournal { order, journal });
                    self.write_foreign(&chain);
                }
            }
            Ended::Ran(chain, Err(error)) => {
                if let Some(done) = self.done_before(&chain, &error)
                    && let Some(state) = done.ended()
                {
                    return self.pass_on(&done, state);
                }
                self.failed(error);
                self.write_foreign(&chain);
            }
        }
    }

    /// Says how the run of an order ended, and writes its chain as it stands.
    fn ran(&mut self, chain: Chain, report: &Report) {
        let standing = |task: &str| report.progress.task(task).map(TaskStanding::from);
        let ended = chain.ended().is_some();
        let chain = match &report.documents {
            Some(documents) => in_place_of(&chain, documents),
            None => chain,
        };
        let written = progress::written(&chain, &standing);
        let name = self.installed.name();
        let is_noted = self.installed.was_there()
            && name.is_some_and(|name| report.progress.is_installed(&name));
        let is_over = matches!(
            report.state,
            RunState::Completed | RunState::Cancelled | RunState::Failed
        );
        let is_installed = is_over && !ended && !is_noted && self.installed.is_kept();
        if !is_installed && self.table.is_none() && report.state != RunState::Failed {
            // Nobody here reads it.
            self.report(report, None);
            let mut output = Lines::default();
            for document in written {
                output.written(document);
            }
            return self.deliver(output);
        }
        let written = written.into_iter();
        let chain = Chain {
            documents: written.map(Written::into_document).collect(),
        };
        self.report(report, Some(&chain));
        if is_installed
            && let Err(failure) = self
                .installed
                .ended(&chain, || named(&report.plan, &report.progress))
        {
            self.fail(failure);
        }
        self.write_known(&chain, Some(&report.progress));
    }

    /// An order that was carried out under another plan, if the one given has nothing to do: what
    /// it asks for is there already.
    fn done_before(&mut self, chain: &Chain, error: &ActivateError) -> Option<Chain> {
        let plan = chain.first(DocumentKind::OrchestrationPlan)?;
        let has_tasks = progress::plan_tasks(plan).next().is_some();
        if has_tasks || !matches!(error, ActivateError::PlanDiffers { .. }) {
            return None;
        }
        match carried_out(&self.journal, chain.orders().next()?) {
            Ok(done) => done,
            Err(failure) => {
                self.fail(failure);
                None
            }
        }
    }

    fn refuse(&mut self, intake: &Intake) {
        match intake {
            Intake::Refused(diagnostics) => {
                for diagnostic in diagnostics {
                    self.context.show(diagnostic);
                }
                self.note(ExitCode::NotAcceptable);
            }
            Intake::NotPlanned { type_name, id } => {
                self.complain(&not_planned(type_name, id).to_string());
                self.note(ExitCode::Caller);
            }
            Intake::Accepted(_) | Intake::Ended(_) | Intake::Other => {}
        }
    }

    /// Writes a chain whose order has ended; nothing is sent.
    fn pass_on(&mut self, chain: &Chain, state: OrderState) {
        if let Some(root) = chain.orders().next() {
            self.context.say(&human::printable(&ended(root, state)));
        }
        if state != OrderState::Completed {
            self.note(ExitCode::NotAcceptable);
        }
        self.write(chain);
    }

    /// Says how the run of an order ended.
    fn report(&mut self, report: &Report, chain: Option<&Chain>) {
        self.note(match report.state {
            RunState::Completed | RunState::Cancelled => ExitCode::Done,
            RunState::Failed => ExitCode::NotAcceptable,
            RunState::Waiting | RunState::Held | RunState::Interrupted => ExitCode::WorkLeft,
        });
        for line in ran::lines(report, chain) {
            self.context.say(&line);
        }
    }

    /// An order that could not be carried out, or no further. What is wrong
    /// with the journal as a whole ends the run.
    fn failed(&mut self, error: ActivateError) {
        let of_one_order = matches!(
            &error,
            ActivateError::Journal(
                JournalError::OrderBusy { .. }
                    | JournalError::SubjectBusy { .. }
                    | JournalError::Corrupt { .. }
            )
        );
        if matches!(error, ActivateError::Journal(_)) && !of_one_order {
            return self.fail(error.into());
        }
        let code = exit::of_activation(&error);
        self.complain(&error.to_string());
        self.note(code);
    }

    /// Writes a chain, unless nobody reads any more or it cannot be written;
    /// the orders are carried out all the same.
    fn write(&mut self, chain: &Chain) {
        self.write_known(chain, None);
    }

    /// [`write`](Self::write), where the journal says how far it has come.
    fn write_known(&mut self, chain: &Chain, progress: Option<&Progress>) {
        let Some(view) = &mut self.table else {
            let mut output = Lines::default();
            for document in &chain.documents {
                output.document(document);
            }
            return self.deliver(output);
        };
        if !self.is_silent
            && let Err(failure) =
                view.show_known(chain, progress.map(|it| (it, &RunStanding::Nobody)))
        {
            self.fail(failure);
        }
    }

    /// Writes lines in place of a table.
    fn deliver(&mut self, output: Lines) {
        if !self.is_silent
            && let Err(error) = self.documents.documents(output)
        {
            self.fail(error.into());
        }
    }

    /// Writes what goes along with a chain that is not written itself.
    fn write_foreign(&mut self, chain: &Chain) {
        let documents = chain.foreign().cloned().collect();
        self.write(&Chain { documents });
    }

    /// Shows what is written before something is waited for.
    fn flush(&mut self) {
        if let Err(error) = self.documents.flush() {
            self.fail(error.into());
        }
    }

    /// Gives the rest of the input up, and says that there is one.
    fn note_what_is_left(&mut self, input: &mut Input) {
        if !input.is_over() {
            self.note(ExitCode::WorkLeft);
            input.abandon();
        }
    }

    fn note(&mut self, code: ExitCode) {
        self.code = self.code.worst(code);
    }

    fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    fn complain(&self, message: &str) {
        terminal::report_failure(message, self.context.styling);
    }

    /// Writes what is still to be written, the installed base included.
    fn settle(&mut self) {
        self.flush();
        if let Err(failure) = self.installed.write() {
            self.fail(failure);
        }
    }

    fn finish(
        mut self,
        input: Option<Failure>,
        journal: Result<(), JournalError>,
    ) -> Result<ExitCode, Failure> {
        if let Some(Err(failure)) = self.table.as_mut().map(View::finish) {
            self.fail(failure);
        }
        let journal = journal.err().map(Failure::from);
        match self.failure.or(journal).or(input) {
            Some(failure) => Err(failure),
            None => Ok(self.code),
        }
    }
}
