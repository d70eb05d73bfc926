//! The one loop: starts what may start, waits for what is under way.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio::sync::SemaphorePermit;
use tokio::task::{JoinError, JoinSet};

use super::clock::Clock;
use super::frontier::{Frontier, PlanFault};
use super::policy::{self, Decision};
use super::pool::{Callable, Line, Pool};
use super::stop::Stop;
use crate::endpoint::{Call, Endpoint};
use crate::journal::entry::{Planned, Started};
use crate::journal::{
    Entry, Event, IllegalEntry, JournalError, JournalWriter, Lease, NewOrder, Progress,
};
use crate::model::digest;
use crate::model::state::{FlowState, TaskState};
use crate::plan::flow::{OrchestrationPlan, Request, TaskCall, TaskFlow};

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
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

/// A chain to be carried out.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Its plan.
    pub plan: Arc<OrchestrationPlan>,
    /// External id of its root order.
    pub external_id: Option<String>,
    /// Texts of its documents, root first, plan last, for the journal.
    pub documents: Vec<String>,
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

    /// Id of its root order, where the plan names it.
    #[must_use]
    pub fn order_id(&self) -> Option<&str> {
        root_order(&self.plan).ok()
    }
}

/// Where entries are made durable.
pub trait Log: Send + Sync + 'static {
    /// Adds entries, in order; durable when done.
    fn append(&self, entries: &[Entry]) -> impl Future<Output = Result<(), JournalError>> + Send;
}

impl Log for Lease {
    fn append(&self, entries: &[Entry]) -> impl Future<Output = Result<(), JournalError>> + Send {
        Self::append(self, entries)
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
    /// A request came to nothing and will be sent again.
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
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Every task is done.
    Completed,
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
    #[error("order {order} was begun with another plan: {journal} in the journal, {given} given")]
    PlanDiffers {
        /// Root order id.
        order: String,
        /// Digest of the plan in the journal.
        journal: String,
        /// Digest of the plan given.
        given: String,
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
        let plan = chain.plan;
        let order_id = root_order(&plan)?;
        self.check(&plan)?;
        if plan.is_begun() && !journal.knows(order_id).await? {
            return Err(ActivateError::NotInJournal {
                order: order_id.to_owned(),
                journal: journal.path().to_owned(),
            });
        }
        let planned = Planned {
            order_id: order_id.to_owned(),
            external_id: chain.external_id,
            plan_digest: plan.digest.plan.clone(),
            tasks: u32::try_from(plan.task_flow.len()).unwrap_or(u32::MAX),
        };
        let new = NewOrder {
            at: self.clock.now(),
            planned,
            documents: chain.documents,
        };
        let begun = journal.begin(new).await?;
        self.run(Arc::clone(&plan), begun.lease, &begun.entries)
            .await
    }

    /// Carries `plan` out from where `entries` end, adding to `log`. The first
    /// of the entries is the plan that was taken on.
    async fn run<L: Log>(
        &self,
        plan: Arc<OrchestrationPlan>,
        log: L,
        entries: &[Entry],
    ) -> Result<Report, ActivateError> {
        let order_id = root_order(&plan)?.to_owned();
        if let Some(Entry {
            event: Event::Planned(planned),
            ..
        }) = entries.first()
            && planned.plan_digest != plan.digest.plan
        {
            return Err(ActivateError::PlanDiffers {
                order: order_id,
                journal: planned.plan_digest.clone(),
                given: plan.digest.plan.clone(),
            });
        }
        let progress =
            Progress::replay(&plan, entries).map_err(|fault| ActivateError::History {
                order: order_id.clone(),
                fault,
            })?;
        let done = |id: &str| progress.task(id).map(|it| it.state) == Some(TaskState::Completed);
        let mut tasks = plan.task_flow.iter();
        if let Some(task) = tasks.find(|it| it.state == TaskState::Completed && !done(&it.id)) {
            let (order, task) = (order_id, task.id.clone());
            return Err(ActivateError::BehindPlan { order, task });
        }
        let frontier = frontier(&plan, &progress)?;
        let (tasks, completed) = (progress.tasks().len(), progress.completed());
        self.observer
            .observe(&order_id, Step::Begun { tasks, completed });
        let run = Arc::new(Run {
            plan,
            order_id,
            log,
            pool: Arc::clone(&self.pool),
            clock: Arc::clone(&self.clock),
            stop: self.stop.clone(),
            observer: Arc::clone(&self.observer),
            progress: Mutex::new(progress),
        });
        let mut under_way = JoinSet::new();
        let ended = self.drive(&run, frontier, &mut under_way).await;
        // Whatever is left of it ends before the order is given up.
        under_way.shutdown().await;
        let left = ended?;
        let progress = std::mem::take(&mut *run.progress());
        let state = if progress.is_completed() {
            RunState::Completed
        } else if left {
            RunState::Interrupted
        } else {
            RunState::Held
        };
        Ok(Report {
            order_id: run.order_id.clone(),
            state,
            progress,
        })
    }

    /// Finds what makes a plan impossible before anything is begun.
    fn check(&self, plan: &OrchestrationPlan) -> Result<(), ActivateError> {
        for task in &plan.task_flow {
            let Some(call) = task.call() else { continue };
            if self.pool.line(call.endpoint).is_none() {
                let (task, endpoint) = (task.id.clone(), call.endpoint.to_owned());
                return Err(ActivateError::UnknownEndpoint { task, endpoint });
            }
        }
        frontier(plan, &Progress::new(plan)).map(drop)
    }

    /// Until nothing is under way and nothing may start. Says whether something
    /// that could have gone on was left.
    async fn drive<L: Log>(
        &self,
        run: &Arc<Run<C, E, L>>,
        mut frontier: Frontier,
        under_way: &mut JoinSet<Worked>,
    ) -> Result<bool, ActivateError> {
        let mut stop = self.stop.clone();
        let mut left = false;
        while !stop.is_requested() {
            while let Some(task) = frontier.start() {
                under_way.spawn(Arc::clone(run).carry_out(task));
            }
            tokio::select! {
                ended = under_way.join_next() => match ended {
                    None => return Ok(left),
                    Some(ended) => left |= !note(&mut frontier, ended)?,
                },
                () = stop.requested() => {}
            }
        }
        let mut grace = std::pin::pin!(self.clock.sleep(self.grace));
        loop {
            tokio::select! {
                biased;
                ended = under_way.join_next() => match ended {
                    None => return Ok(left || frontier.is_ready()),
                    Some(ended) => left |= !note(&mut frontier, ended)?,
                },
                () = &mut grace => return Ok(true),
            }
        }
    }
}

/// A task and how the work on it ended.
type Worked = Result<(usize, End), ActivateError>;

/// Notes how the work on a task ended. False where it was left undone.
fn note(frontier: &mut Frontier, ended: Result<Worked, JoinError>) -> Result<bool, ActivateError> {
    // Nobody aborts single tasks, so what was not joined panicked.
    let (task, end) =
        ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
    match end {
        End::Completed => frontier.completed(task),
        End::Held => {}
        End::Left => return Ok(false),
    }
    Ok(true)
}

fn frontier(plan: &OrchestrationPlan, progress: &Progress) -> Result<Frontier, ActivateError> {
    Frontier::new(plan, progress).map_err(|fault| ActivateError::Plan {
        plan: plan.id.clone(),
        fault,
    })
}

fn root_order(plan: &OrchestrationPlan) -> Result<&str, ActivateError> {
    plan.related_entity
        .iter()
        .find(|it| it.role == "rootOrder")
        .map(|it| it.id.as_str())
        .ok_or_else(|| ActivateError::NoRootOrder {
            plan: plan.id.clone(),
        })
}

/// How the work on a task ended.
enum End {
    Completed,
    Held,
    /// It was asked to stop.
    Left,
}

/// One chain under way.
struct Run<C, E, L> {
    plan: Arc<OrchestrationPlan>,
    order_id: String,
    log: L,
    pool: Arc<Pool<E>>,
    clock: Arc<C>,
    stop: Stop,
    observer: Arc<dyn Observer>,
    progress: Mutex<Progress>,
}

impl<C: Clock, E: Callable, L: Log> Run<C, E, L> {
    /// Sends a task's request until it is done, held, or to be left.
    async fn carry_out(self: Arc<Self>, at: usize) -> Worked {
        let task = &self.plan.task_flow[at];
        let Some(call) = task.call() else {
            return Ok((at, End::Left));
        };
        let line = self
            .pool
            .line(call.endpoint)
            .ok_or_else(|| ActivateError::UnknownEndpoint {
                task: task.id.clone(),
                endpoint: call.endpoint.to_owned(),
            })?;
        let request_digest = request_digest(call.request);
        let mut stop = self.stop.clone();
        loop {
            let permit = tokio::select! {
                biased;
                () = stop.requested() => return Ok((at, End::Left)),
                permit = line.permits.acquire() => permit.expect("nobody closes the semaphore"),
            };
            match self
                .attempt(task, call, (line, permit), &request_digest)
                .await?
            {
                Decision::Complete => return Ok((at, End::Completed)),
                Decision::Hold { .. } => return Ok((at, End::Held)),
                Decision::Retry { after } => tokio::select! {
                    biased;
                    () = stop.requested() => return Ok((at, End::Left)),
                    () = self.clock.sleep(after) => {}
                },
            }
        }
    }

    /// Intent, call, outcome. The permit is held until the answer is there.
    async fn attempt(
        &self,
        task: &TaskFlow,
        call: TaskCall<'_>,
        (line, permit): (&Line<E>, SemaphorePermit<'_>),
        request_digest: &str,
    ) -> Result<Decision, ActivateError> {
        let (attempt, failures) = self
            .progress()
            .task(&task.id)
            .map_or((1, 0), |it| (it.attempts.saturating_add(1), it.failures));
        self.record(vec![Event::Started(Started {
            task: task.id.clone(),
            attempt,
            idempotency_key: call.idempotency_key.to_owned(),
            request_digest: request_digest.to_owned(),
        })])
        .await?;
        self.observe(Step::Started {
            task: &task.id,
            attempt,
        });
        let call = Call {
            task: &task.id,
            request: call.request,
            idempotency_key: call.idempotency_key,
        };
        // Boxed, so that the many that wait for a permit do not carry its room.
        let outcome = Box::pin(line.endpoint.call(&call)).await;
        drop(permit);
        let decision = policy::decide(&outcome, failures, line.retries);
        let events = policy::record(&task.id, attempt, outcome, &decision);
        let failed = match &events[..] {
            [Event::AttemptFailed(it), ..] => it.reason.clone(),
            _ => String::new(),
        };
        self.record(events).await?;
        self.observe(match &decision {
            Decision::Complete => Step::Completed { task: &task.id },
            Decision::Hold { reason } => Step::Held {
                task: &task.id,
                reason,
            },
            Decision::Retry { after } => Step::Retrying {
                task: &task.id,
                after: *after,
                reason: &failed,
            },
        });
        Ok(decision)
    }

    /// Makes it durable, then lets it have happened.
    async fn record(&self, events: Vec<Event>) -> Result<(), ActivateError> {
        let at = self.clock.now();
        let entries: Vec<_> = events
            .into_iter()
            .map(|event| Entry { at, event })
            .collect();
        self.log.append(&entries).await?;
        let mut progress = self.progress();
        for entry in &entries {
            progress
                .apply(entry)
                .map_err(|fault| ActivateError::History {
                    order: self.order_id.clone(),
                    fault,
                })?;
        }
        Ok(())
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn observe(&self, step: Step<'_>) {
        self.observer.observe(&self.order_id, step);
    }
}

/// Digest over method, path and body of a request, `sha256:…`.
fn request_digest(request: &Request) -> String {
    let text = serde_json::to_vec(request).expect("strings and JSON always serialize");
    digest::text(&Sha256::digest(&text))
}

#[cfg(test)]
mod tests;
