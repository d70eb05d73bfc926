//! The work on one task: intent, call, outcome.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::clock::{Busy, Clock};
use super::engine::{ActivateError, Observer, Step};
use super::frontier::Window;
use super::log::Log;
use super::permits::{Permit, Turn};
use super::policy::{self, Decision, Tolerance};
use super::pool::{Callable, Line, Pool};
use super::stop::Stop;
use crate::endpoint::Call;
use crate::journal::entry::{Failure, MilestoneReached, Started, WindowMissed};
use crate::journal::{Entry, Event, Progress};
use crate::model::digest;
use crate::plan::flow::{OrchestrationPlan, Request, TaskCall, TaskFlow};

/// One chain under way.
pub(super) struct Run<C, E, L> {
    pub plan: Arc<OrchestrationPlan>,
    pub order_id: String,
    pub log: L,
    pub pool: Arc<Pool<E>>,
    pub clock: Arc<C>,
    pub stop: Stop,
    pub observer: Arc<dyn Observer>,
    pub progress: Mutex<Progress>,
}

/// A task to be worked on.
pub(super) struct Job {
    /// Position in the plan.
    pub task: usize,
    /// The last entry of others that is known.
    pub seen: u64,
    /// What is to be done.
    pub work: Work,
}

/// What is to be done about a task.
pub(super) enum Work {
    /// To say that its window has ended.
    Miss(Timestamp, Busy),
    /// To say that it is reached.
    Reach(Busy),
    /// To call its endpoint, when its turn comes.
    Call(Turn),
}

/// How the work on a task ended.
pub(super) enum End {
    /// It has ended, and with it these tasks, itself included.
    Ended(Vec<usize>),
    /// It is held.
    Held,
    /// It was asked to stop.
    Left,
    /// Somebody else has written about the task.
    Overtaken,
}

/// A task, how the work on it ended, and that somebody is busy until this is noted.
pub(super) type Worked = Result<(usize, End, Busy), ActivateError>;

/// A call that is to be made.
struct Errand<'a, E> {
    task: &'a TaskFlow,
    call: TaskCall<'a>,
    line: &'a Line<E>,
    request_digest: &'a str,
    seen: u64,
}

impl<C: Clock, E: Callable, L: Log> Run<C, E, L> {
    /// Does what is to be done about a task.
    pub(super) async fn work(self: Arc<Self>, job: Job) -> Worked {
        let task = &self.plan.task_flow[job.task];
        let (event, busy) = match job.work {
            Work::Call(turn) => return self.carry_out(job.task, job.seen, turn).await,
            Work::Miss(end, busy) => (window_missed(task, end), busy),
            Work::Reach(busy) => {
                let task = task.id.clone();
                (Event::MilestoneReached(MilestoneReached { task }), busy)
            }
        };
        let end = self.intend(event, job.seen).await?;
        match &end {
            End::Held => self.observe_held(&task.id),
            End::Ended(_) => self.observe(Step::Completed { task: &task.id }),
            End::Left | End::Overtaken => {}
        }
        Ok((job.task, end, busy))
    }

    /// Sends a task's request until it is done, held, failed, or to be left.
    async fn carry_out(self: Arc<Self>, at: usize, seen: u64, mut turn: Turn) -> Worked {
        let task = &self.plan.task_flow[at];
        let Some(call) = task.call() else {
            return Ok((at, End::Left, self.clock.busy()));
        };
        let line = self
            .pool
            .line(call.endpoint)
            .ok_or_else(|| ActivateError::UnknownEndpoint {
                task: task.id.clone(),
                endpoint: call.endpoint.to_owned(),
            })?;
        let errand = Errand {
            task,
            call,
            line,
            request_digest: &request_digest(call.request),
            seen,
        };
        let mut stop = self.stop.clone();
        loop {
            let (permit, busy) = tokio::select! {
                biased;
                () = stop.requested() => return Ok((at, End::Left, self.clock.busy())),
                given = turn.come() => given,
            };
            let (attempted, busy) = self.attempt(&errand, permit, busy).await?;
            let busy = match attempted {
                Attempted::End(end) => return Ok((at, end, busy)),
                Attempted::Again(after) => tokio::select! {
                    biased;
                    () = stop.requested() => return Ok((at, End::Left, self.clock.busy())),
                    busy = self.clock.sleep(after, busy) => busy,
                },
            };
            turn = line.permits.queue(busy);
        }
    }

    /// Intent, call, outcome. The permit is held until the answer is there.
    async fn attempt(
        &self,
        errand: &Errand<'_, E>,
        permit: Permit,
        busy: Busy,
    ) -> Result<(Attempted, Busy), ActivateError> {
        let &Errand {
            task, call, line, ..
        } = errand;
        let (intent, failures) = self.intent(errand);
        let is_too_late = matches!(intent, Event::WindowMissed(_));
        let attempt = match &intent {
            Event::Started(it) => it.attempt,
            _ => 0,
        };
        match self.intend(intent, errand.seen).await? {
            End::Overtaken => return Ok((Attempted::End(End::Overtaken), busy)),
            _ if is_too_late => {
                self.observe_held(&task.id);
                return Ok((Attempted::End(End::Held), busy));
            }
            End::Held | End::Ended(_) | End::Left => {}
        }
        let id = &task.id;
        self.observe(Step::Started { task: id, attempt });
        let busy = self.clock.sleep(line.endpoint.latency(), busy).await;
        let call = Call {
            task: id,
            request: call.request,
            idempotency_key: call.idempotency_key,
        };
        // Boxed, so that the many that wait for a permit do not carry its room.
        let outcome = Box::pin(line.endpoint.call(&call)).await;
        drop(permit);
        let tolerance = Tolerance {
            retries: line.retries,
            on_failure: task.on_failure,
        };
        let decision = policy::decide(&outcome, failures, tolerance);
        let events = policy::record(id, attempt, outcome, &decision);
        let failed = match &events[..] {
            [Event::AttemptFailed(it), ..] => it.reason.clone(),
            _ => String::new(),
        };
        let ended = self.record(events).await?;
        Ok((self.tell(id, decision, &failed, ended), busy))
    }

    /// What is about to be done: send the request, or hold the task because it is too late for
    /// that; and how many requests have come to nothing so far.
    fn intent(&self, errand: &Errand<'_, E>) -> (Event, u32) {
        let &Errand { task, call, .. } = errand;
        let progress = self.progress();
        let known = progress.task(&task.id);
        let attempts = known.map_or(0, |it| it.attempts);
        let failures = known.map_or(0, |it| it.failures);
        // Where nobody knows what came of the last request, it is repeated whatever the time is:
        // only then it will be known.
        let is_unknown = known.is_some_and(|it| it.open || it.failure == Some(Failure::Unknown));
        let end = Window::of(task).ok().flatten().and_then(|it| it.end);
        let event = match end.filter(|end| !is_unknown && *end <= self.clock.now()) {
            Some(end) => window_missed(task, end),
            None => Event::Started(Started {
                task: task.id.clone(),
                attempt: attempts.saturating_add(1),
                idempotency_key: call.idempotency_key.to_owned(),
                request_digest: errand.request_digest.to_owned(),
                point_of_no_return: task.point_of_no_return,
            }),
        };
        (event, failures)
    }

    /// Tells the observer what was decided.
    fn tell(&self, task: &str, decision: Decision, failed: &str, ended: Vec<usize>) -> Attempted {
        match decision {
            Decision::Complete => {
                self.observe(Step::Completed { task });
                Attempted::End(End::Ended(ended))
            }
            Decision::Hold { reason } => {
                let reason = &reason;
                self.observe(Step::Held { task, reason });
                Attempted::End(End::Held)
            }
            Decision::Fail { reason } => {
                self.observe(Step::Failed {
                    task,
                    reason: &reason,
                    given_up: ended.len().saturating_sub(1),
                });
                Attempted::End(End::Ended(ended))
            }
            Decision::Retry { after } => {
                self.observe(Step::Retrying {
                    task,
                    after,
                    reason: failed,
                });
                Attempted::Again(after)
            }
        }
    }

    /// Makes durable what is about to happen to a task that no request is under way for, unless
    /// somebody else has written about it; then lets it have happened.
    async fn intend(&self, event: Event, seen: u64) -> Result<End, ActivateError> {
        let entry = self.entry(event);
        if !self.log.intend(std::slice::from_ref(&entry), seen).await? {
            return Ok(End::Overtaken);
        }
        let ended = self.apply(std::slice::from_ref(&entry))?;
        Ok(if ended.is_empty() {
            End::Held
        } else {
            End::Ended(ended)
        })
    }

    /// Makes it durable, then lets it have happened. Says which tasks have ended by it.
    async fn record(&self, events: Vec<Event>) -> Result<Vec<usize>, ActivateError> {
        let entries: Vec<_> = events.into_iter().map(|event| self.entry(event)).collect();
        self.log.append(&entries).await?;
        self.apply(&entries)
    }

    fn entry(&self, event: Event) -> Entry {
        Entry {
            at: self.clock.now(),
            event,
        }
    }

    /// Lets entries that are durable have happened. Says which tasks have ended by it.
    pub(super) fn apply(&self, entries: &[Entry]) -> Result<Vec<usize>, ActivateError> {
        let mut progress = self.progress();
        let mut ended = Vec::new();
        for entry in entries {
            let more = progress
                .apply(entry)
                .map_err(|fault| ActivateError::History {
                    order: self.order_id.clone(),
                    fault,
                })?;
            ended.extend(more);
        }
        Ok(ended)
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn observe(&self, step: Step<'_>) {
        self.observer.observe(&self.order_id, step);
    }

    fn observe_held(&self, task: &str) {
        let reason = self.progress().task(task).and_then(|it| it.reason.clone());
        let reason = reason.as_deref().unwrap_or_default();
        self.observe(Step::Held { task, reason });
    }
}

/// What an attempt came to.
enum Attempted {
    End(End),
    /// Again, not before.
    Again(std::time::Duration),
}

fn window_missed(task: &TaskFlow, end: Timestamp) -> Event {
    Event::WindowMissed(WindowMissed {
        task: task.id.clone(),
        end: end.to_string(),
    })
}

/// Digest over method, path and body of a request, `sha256:…`.
fn request_digest(request: &Request) -> String {
    let text = serde_json::to_vec(request).expect("strings and JSON always serialize");
    digest::text(&Sha256::digest(&text))
}
