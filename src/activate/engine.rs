//! Carrying chains out: what is asked for, and what comes of it.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;
use tokio::sync::mpsc;

use super::adopt::{self, Adopted};
use super::clock::Clock;
use super::drive::Drive;
use super::frontier::{Frontier, PlanFault};
use super::log::Log;
use super::pool::{Callable, Pool};
use super::stop::Stop;
use super::work::Run;
use crate::document::SharedText;
use crate::endpoint::Endpoint;
use crate::journal::entry::{Planned, Revised};
use crate::journal::{
    Alone, Begun, ClockKind, Entry, Event, IllegalEntry, JournalError, JournalWriter, NewOrder,
    Progress,
};
use crate::model::state::{FlowState, TaskState};
use crate::plan::flow::{OrchestrationPlan, Revision, RevisionKind, TaskOutcome};
use crate::revision::{self, Refusal};

/// Carries chains out; one for all chains of a run.
#[derive(Debug)]
pub struct Engine<C, E = Endpoint> {
    /// Where requests go.
    pub pool: Arc<Pool<E>>,
    /// What time it is.
    pub clock: Arc<C>,
    /// Whether to stop.
    pub stop: Stop,
    /// How long requests under way may take once it was asked to stop.
    pub grace: Duration,
    /// What to do where nothing goes on but by waiting.
    pub waits: Waits,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

/// What a run does where everything that is left waits for a moment or a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Waits {
    /// It ends; a later run goes on.
    #[default]
    Leave,
    /// It stays until they are over.
    SitOut,
}

/// A chain to be carried out.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Its plan.
    pub plan: Arc<OrchestrationPlan>,
    /// External id of its root order.
    pub external_id: Option<String>,
    /// Texts of its documents, root first, plan last, for the journal.
    pub documents: Arc<Vec<SharedText>>,
    /// What nobody else may be at, if it is begun now; nothing matters where it was begun before.
    pub alone: Option<Alone>,
}

impl Chain {
    /// Forgets what the plan says was done already; only the journal counts then.
    pub fn forget_progress(&mut self) {
        let plan = Arc::make_mut(&mut self.plan);
        plan.state = FlowState::Active;
        for task in &mut plan.task_flow {
            task.state = TaskState::New;
        }
    }

    /// Whether it can only be gone on with: something was done already.
    #[must_use]
    pub fn needs_history(&self) -> bool {
        self.plan.is_begun() || self.plan.revision.is_some()
    }

    /// Id of its root order, where the plan names it.
    #[must_use]
    pub fn order_id(&self) -> Option<&str> {
        root_order(&self.plan).ok()
    }
}

/// Is told what happens, once it is durable; must not block.
pub trait Observer: std::fmt::Debug + Send + Sync {
    /// Something happened to an order.
    fn observe(&self, order_id: &str, step: Step<'_>);
}

/// Nobody wants to know.
impl Observer for () {
    fn observe(&self, _: &str, _: Step<'_>) {}
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The order was taken on, or gone on with.
    Begun {
        /// How many tasks it has.
        tasks: usize,
        /// How many of them were completed before.
        completed: usize,
    },
    /// A request is sent.
    Started {
        /// Task id.
        task: &'a str,
        /// Which request of the task.
        attempt: u32,
    },
    /// An endpoint is asked what came of a request.
    Asking {
        /// Task id.
        task: &'a str,
    },
    /// An endpoint is left alone.
    Paused {
        /// Its name.
        endpoint: &'a str,
        /// Until then.
        until: Timestamp,
    },
    /// A request came to nothing and will be sent again, or asked about.
    Retrying {
        /// Task id.
        task: &'a str,
        /// Not before.
        after: Duration,
        /// Why.
        reason: &'a str,
    },
    /// A task is done.
    Completed {
        /// Task id.
        task: &'a str,
    },
    /// A task is held.
    Held {
        /// Task id.
        task: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// A task has failed.
    Failed {
        /// Task id.
        task: &'a str,
        /// Why.
        reason: &'a str,
        /// How many others are given up with it.
        given_up: usize,
    },
    /// Bundles are undone, because tasks of theirs have failed.
    Undoing {
        /// Which.
        reason: &'a str,
    },
    /// Bundles are not undone, although tasks of theirs have failed.
    NotUndone {
        /// Why not.
        reason: &'a str,
    },
    /// Nothing is under way, and it is waited.
    Waiting {
        /// For this moment.
        until: Option<Timestamp>,
        /// Or for people, in so many tasks.
        people: usize,
    },
}

/// Where a chain stands after a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// Id of its root order.
    pub order_id: String,
    /// In a word.
    pub state: RunState,
    /// Task by task.
    pub progress: Progress,
    /// The tasks that wait for nothing but a moment or a person, in the plan's order.
    pub waits: Vec<Wait>,
    /// The plan that was carried out.
    pub plan: Arc<OrchestrationPlan>,
    /// Texts of the chain's documents, where another plan has taken the place of the one given.
    pub documents: Option<Arc<Vec<SharedText>>>,
}

/// A task that waits for nothing but a moment or a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Task id.
    pub task: String,
    /// Its name.
    pub name: String,
    /// What it waits for.
    pub what: WaitFor,
}

/// What a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitFor {
    /// This moment.
    Moment(Timestamp),
    /// That somebody says that it is done.
    Person,
    /// That somebody lets the next wave begin.
    Release,
    /// This moment, at which its request is sent again, or asked about.
    Retry(Timestamp),
    /// This moment, until which its endpoint is left alone.
    Endpoint(Timestamp),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Every task is done.
    Completed,
    /// The order is cancelled: all that can be undone is.
    Cancelled,
    /// Every task has ended, and not all of them are done.
    Failed,
    /// Nothing can go on but by waiting.
    Waiting,
    /// Nothing can go on until somebody mends what is held.
    Held,
    /// It was asked to stop, and something could have gone on.
    Interrupted,
}

/// A chain that was not carried out, or no further.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ActivateError {
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal holds what cannot have happened.
    #[error("journal of order {order}: {fault}")]
    History {
        /// Root order id.
        order: String,
        /// The entry.
        fault: IllegalEntry,
    },
    /// The order was begun with another plan.
    #[error(
        "order {order} was begun with another plan: {journal} in the journal, {given} given; an order under way is \
         changed by a version of it with a higher number: orderctl decompose new.json | orderctl plan --amend - | \
         orderctl activate"
    )]
    PlanDiffers {
        /// Root order id.
        order: String,
        /// Digest of the plan in the journal.
        journal: String,
        /// Digest of the plan given.
        given: String,
    },
    /// The order has moved on since the revision was made.
    #[error(
        "order {order} has moved on since this was planned: plan it again, and look at it again"
    )]
    MovedOn {
        /// Root order id.
        order: String,
    },
    /// The order was begun, and the journal does not know what was done.
    #[error(
        "order {order} was begun, its plan says, but journal {} does not know it; name the journal \
         that it was begun with (--journal FILE), or give --anew to send everything again",
        journal.display()
    )]
    NotInJournal {
        /// Root order id.
        order: String,
        /// The journal.
        journal: PathBuf,
    },
    /// The documents of an order are ahead of the journal.
    #[error(
        "order {order}: its plan says that task {task} is completed, the journal says that it is \
         not; name the journal that it was done with (--journal FILE), or give --anew to go by this one"
    )]
    BehindPlan {
        /// Root order id.
        order: String,
        /// Task id.
        task: String,
    },
    /// The order was begun on another clock.
    #[error(
        "order {order} was begun on {}",
        match clock {
            ClockKind::System => "the system's clock: go on without --clock virtual",
            ClockKind::Virtual => "a virtual clock: go on with --clock virtual",
        }
    )]
    OtherClock {
        /// Root order id.
        order: String,
        /// The clock that it was begun on.
        clock: ClockKind,
    },
    /// The plan does not say what its root order is.
    #[error("plan {plan} names no related entity in the role rootOrder")]
    NoRootOrder {
        /// Plan id.
        plan: String,
    },
    /// The plan cannot be carried out.
    #[error("plan {plan}: {fault}")]
    Plan {
        /// Plan id.
        plan: String,
        /// Why.
        fault: PlanFault,
    },
    /// The plan needs an endpoint that is not defined.
    #[error("task {task} needs endpoint {endpoint}, which is not defined")]
    UnknownEndpoint {
        /// Task id.
        task: String,
        /// Name of the endpoint.
        endpoint: String,
    },
}

impl<C: Clock, E: Callable> Engine<C, E> {
    /// Carries a chain out, or goes on where an earlier run was ended. A chain
    /// that is completed already is reported as that; nothing is sent.
    ///
    /// Must run on a tokio runtime. Dropping the future is like being killed:
    /// the next run goes on.
    ///
    /// # Errors
    /// Where nothing could be begun, or the journal failed on the way.
    pub async fn activate(
        &self,
        journal: &JournalWriter,
        chain: Chain,
    ) -> Result<Report, ActivateError> {
        let order_id = root_order(&chain.plan)?.to_owned();
        let mut checked = Some(self.check(&chain.plan)?);
        if chain.needs_history() && !journal.knows(&order_id).await? {
            return Err(ActivateError::NotInJournal {
                order: order_id,
                journal: journal.path().to_owned(),
            });
        }
        let mut round = Round::First;
        loop {
            let Begun { lease, entries } = journal.begin(self.new_order(&chain, &order_id)).await?;
            let from = (lease, entries, checked.take());
            let (report, next) = self.carry_on(&chain, from, round).await?;
            match next {
                Some(next) => round = next,
                None => return Ok(report),
            }
        }
    }

    /// Carries a chain on from where the journal has it. Says what comes next, if that was not all:
    /// where a bundle is to be undone, it is gone on with by the plan for that.
    async fn carry_on<L: Log>(
        &self,
        chain: &Chain,
        (log, entries, checked): (L, Vec<Entry>, Option<Frontier>),
        round: Round,
    ) -> Result<(Report, Option<Round>), ActivateError> {
        let from = (log, entries, checked);
        let prepared = self.prepare(chain, from, round).await?;
        let undoing = prepared.undoing;
        let report = self.run_prepared(prepared).await?;
        let is_pending = !revision::pending(&report.plan, &report.progress).is_empty();
        let next = match undoing {
            _ if !is_pending || report.state == RunState::Interrupted => None,
            Undoing::Possible => Some(Round::First),
            Undoing::InDoubt => Some(Round::Settled),
            Undoing::Refused => None,
        };
        Ok((report, next))
    }

    fn new_order(&self, chain: &Chain, order_id: &str) -> NewOrder {
        let plan = &chain.plan;
        let planned = Planned {
            order_id: order_id.to_owned(),
            external_id: chain.external_id.clone(),
            plan_digest: plan.digest.plan.clone(),
            tasks: u32::try_from(plan.task_flow.len()).unwrap_or(u32::MAX),
            clock: self.clock.kind(),
        };
        NewOrder {
            at: self.clock.starting_at(start(plan)).now(),
            planned,
            documents: Arc::clone(&chain.documents),
            alone: chain.alone.clone(),
        }
    }

    /// Finds the plan that counts, and lets a revision take the place of the one before.
    async fn prepare<L: Log>(
        &self,
        chain: &Chain,
        (log, mut entries, checked): (L, Vec<Entry>, Option<Frontier>),
        round: Round,
    ) -> Result<Prepared<L>, ActivateError> {
        let mut plan = Arc::clone(&chain.plan);
        let mut documents = Arc::clone(&chain.documents);
        let mut is_given = true;
        match adopt::adopt(&plan, &documents, &entries)? {
            Adopted::Given => {}
            Adopted::Revision(revised) => {
                self.check_clock(&plan, &entries)?;
                self.revise(&log, &mut entries, revised).await?;
            }
            Adopted::Stored {
                plan: stored,
                documents: of_it,
            } => {
                self.check(&stored)?;
                (plan, documents, is_given) = (stored, Arc::new(of_it), false);
            }
        }
        let mut undoing = Undoing::Possible;
        let mut progress = Progress::replay(&plan, &entries).ok();
        if let Some(before) = &progress {
            match adopt::compensation(&plan, before, &documents) {
                Ok(Some((revised, entry))) => {
                    let order_id = root_order(&plan)?;
                    let reason = entry.reason.clone().unwrap_or_default();
                    self.observer
                        .observe(order_id, Step::Undoing { reason: &reason });
                    let texts = entry.documents.iter().cloned();
                    documents = Arc::new(texts.map(SharedText::from).collect());
                    self.revise(&log, &mut entries, entry).await?;
                    (plan, is_given) = (Arc::new(revised), false);
                    progress = None;
                }
                Ok(None) => {}
                // It was killed, or stopped, before that was known.
                Err(Refusal::InDoubt { .. }) if round == Round::First => {
                    undoing = Undoing::InDoubt;
                }
                Err(refusal) => {
                    let order_id = root_order(&plan)?;
                    let reason = refusal.to_string();
                    self.observer
                        .observe(order_id, Step::NotUndone { reason: &reason });
                    undoing = Undoing::Refused;
                }
            }
        }
        Ok(Prepared {
            plan,
            log,
            entries,
            progress,
            frontier: checked.filter(|_| is_given),
            documents: (!is_given).then_some(documents),
            undoing,
        })
    }

    /// Lets a plan take the place of the one before.
    async fn revise<L: Log>(
        &self,
        log: &L,
        entries: &mut Vec<Entry>,
        revised: Revised,
    ) -> Result<(), ActivateError> {
        let last = entries.iter().map(|entry| entry.at).max();
        let last = last.unwrap_or_default();
        let at = self.clock.starting_at(last).now().max(last);
        let entry = Entry {
            at,
            event: Event::Revised(revised),
        };
        log.append(std::slice::from_ref(&entry)).await?;
        entries.push(entry);
        Ok(())
    }

    /// Carries `plan` out from where `entries` end, adding to `log`. The first
    /// of the entries is the plan that was taken on.
    #[cfg(test)]
    async fn run<L: Log>(
        &self,
        plan: Arc<OrchestrationPlan>,
        log: L,
        entries: &[Entry],
    ) -> Result<Report, ActivateError> {
        let prepared = Prepared {
            plan,
            log,
            entries: entries.to_vec(),
            progress: None,
            frontier: None,
            documents: None,
            undoing: Undoing::Refused,
        };
        self.run_prepared(prepared).await
    }

    async fn run_prepared<L: Log>(&self, prepared: Prepared<L>) -> Result<Report, ActivateError> {
        let Prepared {
            plan,
            log,
            entries,
            progress,
            frontier,
            documents,
            undoing,
        } = prepared;
        let order_id = root_order(&plan)?.to_owned();
        self.check_clock(&plan, &entries)?;
        let progress = match progress {
            Some(progress) => progress,
            None => Progress::replay(&plan, &entries).map_err(|fault| ActivateError::History {
                order: order_id.clone(),
                fault,
            })?,
        };
        behind(&plan, &progress)?;
        let frontier = match frontier {
            Some(frontier) => frontier.after(&plan, &progress),
            None => Frontier::new(&plan, &progress).map_err(|fault| impossible(&plan, fault))?,
        };
        let (tasks, completed) = (progress.tasks().len(), progress.completed());
        self.observer
            .observe(&order_id, Step::Begun { tasks, completed });
        let from = progress.changed_at().max(Some(start(&plan)));
        let (tell, done) = mpsc::unbounded_channel();
        let run = Arc::new(Run {
            plan,
            order_id,
            log,
            pool: Arc::clone(&self.pool),
            clock: self.clock.starting_at(from.unwrap_or_default()),
            stop: self.stop.clone(),
            observer: Arc::clone(&self.observer),
            progress: Mutex::new(progress),
            halted: AtomicBool::new(undoing == Undoing::InDoubt),
            undoing: AtomicBool::new(undoing == Undoing::InDoubt),
            undoes: undoing != Undoing::Refused,
            rehearsed: Mutex::default(),
            done: tell,
        });
        let mut drive = Drive::new(Arc::clone(&run), done, frontier, self.waits);
        let mut ended = drive.run().await;
        if ended.is_ok() {
            ended = drive.finish(self.grace).await;
        }
        drive.shut_down().await;
        ended?;
        let progress = std::mem::take(&mut *run.progress());
        let waits = drive.waiting();
        let state = state_of(&run.plan, &progress, (drive.is_left(), waits.is_empty()));
        Ok(Report {
            order_id: run.order_id.clone(),
            state,
            progress,
            waits,
            plan: Arc::clone(&run.plan),
            documents,
        })
    }

    /// Refuses an order that was begun on another clock.
    fn check_clock(
        &self,
        plan: &OrchestrationPlan,
        entries: &[Entry],
    ) -> Result<(), ActivateError> {
        let Some(Event::Planned(planned)) = entries.first().map(|entry| &entry.event) else {
            return Ok(());
        };
        if planned.clock != self.clock.kind() {
            let (order, clock) = (root_order(plan)?.to_owned(), planned.clock);
            return Err(ActivateError::OtherClock { order, clock });
        }
        Ok(())
    }

    /// Finds what makes a plan impossible before anything is begun; its frontier, where nothing does.
    fn check(&self, plan: &OrchestrationPlan) -> Result<Frontier, ActivateError> {
        for task in &plan.task_flow {
            let Some(call) = task.call() else { continue };
            if self.pool.line(call.endpoint).is_none() {
                let (task, endpoint) = (task.id.clone(), call.endpoint.to_owned());
                return Err(ActivateError::UnknownEndpoint { task, endpoint });
            }
        }
        Frontier::of(plan).map_err(|fault| impossible(plan, fault))
    }
}

/// What a run is about.
struct Prepared<L> {
    plan: Arc<OrchestrationPlan>,
    log: L,
    entries: Vec<Entry>,
    /// Where the plan stands after them, where that was found out already.
    progress: Option<Progress>,
    /// The plan's frontier before them, where that was made already.
    frontier: Option<Frontier>,
    /// Texts of the chain's documents, where they are not those given.
    documents: Option<Arc<Vec<SharedText>>>,
    /// Whether bundles are undone.
    undoing: Undoing,
}

/// How often it was tried to undo what has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// Not since anything of it has changed.
    First,
    /// Once, and what was in doubt has been gone on with since.
    Settled,
}

/// Whether bundles are undone of which a task fails, or has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undoing {
    Possible,
    /// Not before it is known what came of a task; nothing else is done meanwhile.
    InDoubt,
    /// They stay as they are.
    Refused,
}

/// How a run ended that left something or not, and in which nothing waits or something does.
fn state_of(
    plan: &OrchestrationPlan,
    progress: &Progress,
    (is_left, nothing_waits): (bool, bool),
) -> RunState {
    let cancels = |it: &&Revision| it.kind == RevisionKind::Cancel;
    let cancellation = plan.revision.as_ref().filter(cancels);
    if let Some(cancellation) = cancellation.filter(|_| progress.has_ended()) {
        // What is past the point of no return has been gone on with.
        if cancellation.partly {
            return RunState::Failed;
        }
        let mut undo = plan.task_flow.iter().filter(|it| it.compensates.is_some());
        // What a person has left out was not undone.
        let is_done = |id: &str| {
            progress.task(id).is_some_and(|it| {
                it.state == TaskState::Completed && it.outcome != Some(TaskOutcome::Skipped)
            })
        };
        return if undo.all(|task| is_done(&task.id)) {
            RunState::Cancelled
        } else {
            RunState::Failed
        };
    }
    if progress.is_completed() {
        RunState::Completed
    } else if progress.has_ended() {
        RunState::Failed
    } else if is_left {
        RunState::Interrupted
    } else if nothing_waits {
        RunState::Held
    } else {
        RunState::Waiting
    }
}

/// When a plan is reckoned to start; a fixed moment where it does not say.
fn start(plan: &OrchestrationPlan) -> Timestamp {
    let start = plan.schedule.start.as_deref();
    start
        .and_then(|text| text.parse().ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Refuses a plan that says that something is done of which the journal does not.
pub(super) fn behind(plan: &OrchestrationPlan, progress: &Progress) -> Result<(), ActivateError> {
    let done = |id: &str| progress.task(id).map(|it| it.state) == Some(TaskState::Completed);
    let mut tasks = plan.task_flow.iter();
    match tasks.find(|it| it.state == TaskState::Completed && !done(&it.id)) {
        Some(task) => Err(ActivateError::BehindPlan {
            order: root_order(plan)?.to_owned(),
            task: task.id.clone(),
        }),
        None => Ok(()),
    }
}

fn impossible(plan: &OrchestrationPlan, fault: PlanFault) -> ActivateError {
    ActivateError::Plan {
        plan: plan.id.clone(),
        fault,
    }
}

pub(super) fn root_order(plan: &OrchestrationPlan) -> Result<&str, ActivateError> {
    plan.related_entity
        .iter()
        .find(|it| it.role == "rootOrder")
        .map(|it| it.id.as_str())
        .ok_or_else(|| ActivateError::NoRootOrder {
            plan: plan.id.clone(),
        })
}

#[cfg(test)]
mod tests;
