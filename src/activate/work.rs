//! The work on one task: intent, call, outcome.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::UnboundedSender;

use super::clock::{Busy, Clock};
use super::engine::{ActivateError, Observer, Step, WaitFor};
use super::frontier::Window;
use super::log::Log;
use super::permits::{Permit, Turn};
use super::policy::{self, Approach, Decision, Situation};
use super::pool::{Callable, Line, Pool};
use super::stop::Stop;
use super::traffic::{Admission, Health, Traffic};
use crate::endpoint::{Call, Finding, Inquiry, Outcome};
use crate::journal::entry::{
    Accepted, Answer, Asked, Held, MilestoneReached, Started, WindowMissed,
};
use crate::journal::{ClockKind, Entry, Event, Progress, TaskProgress};
use crate::model::digest;
use crate::model::state::TaskState;
use crate::plan::flow::{Method, OnFailure, OrchestrationPlan, Request, TaskFlow};
use crate::revision::{tells_name, undoing_request};

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
    /// Whether nothing is begun because of a task that is held, or has failed.
    pub halted: AtomicBool,
    /// Whether a bundle is to be undone, for which the plan has to be revised.
    pub undoing: AtomicBool,
    /// Whether that can be.
    pub undoes: bool,
    /// What was sent to endpoints by a clock that jumps.
    pub rehearsed: Mutex<HashMap<String, Arc<Mutex<Traffic>>>>,
    /// Where it is told that a task is done, before that is durable.
    pub done: UnboundedSender<Done>,
}

/// The tasks that have ended because one of them is done, and that somebody is busy until this is
/// noted.
pub(super) type Done = (Vec<usize>, Busy);

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
    /// It is done, which was told before.
    Done,
    /// It is held.
    Held,
    /// It is gone on with later.
    Later(WaitFor),
    /// It was not begun: another one is held, and nothing is begun beside that.
    SetAside,
    /// It was asked to stop.
    Left,
    /// Somebody else has written about the task.
    Overtaken,
}

/// A task, how the work on it ended, and that somebody is busy until this is noted.
pub(super) type Worked = Result<(usize, End, Busy), ActivateError>;

/// A call that is to be made.
struct Errand<'a, E> {
    /// Position of the task in the plan.
    at: usize,
    task: &'a TaskFlow,
    call: Call<'a>,
    endpoint: &'a str,
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
            End::Done | End::Left | End::Overtaken | End::Later(_) | End::SetAside => {}
        }
        Ok((job.task, end, busy))
    }

    /// Goes on with a task, by asking and by sending, until it is done, held, failed, or to be left.
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
        let named = self.as_named(task);
        let request = named.as_ref().unwrap_or(call.request);
        let errand = Errand {
            at,
            task,
            call: Call {
                task: &task.id,
                request,
                idempotency_key: call.idempotency_key,
            },
            endpoint: call.endpoint,
            line,
            request_digest: &request_digest(request),
            seen,
        };
        let mut stop = self.stop.clone();
        let mut way = Way::AsItStands;
        let mut first_wait = self.left_to_wait(at);
        loop {
            let (permit, busy) = match turn {
                Turn::Now(permit, busy) if !stop.is_requested() => (permit, busy),
                turn => tokio::select! {
                    biased;
                    () = stop.requested() => return Ok((at, End::Left, self.clock.busy())),
                    given = turn.come() => given,
                },
            };
            let (attempted, busy) = match first_wait.take() {
                Some(wait) => (Attempted::Again(wait, Way::AsItStands), busy),
                None => self.step(&errand, way, (&permit, busy)).await?,
            };
            drop(permit);
            let busy = match attempted {
                Attempted::End(end) => return Ok((at, end, busy)),
                Attempted::Again(after, next) if after <= PATIENCE => {
                    way = next;
                    tokio::select! {
                        biased;
                        () = stop.requested() => return Ok((at, End::Left, self.clock.busy())),
                        busy = self.clock.sleep(after, busy) => busy,
                    }
                }
                Attempted::Again(after, _) => {
                    let later = self.clock.now().checked_add(after);
                    let later = later.unwrap_or(Timestamp::MAX);
                    return Ok((at, End::Later(WaitFor::Retry(later)), busy));
                }
                Attempted::Closed(until) => {
                    let left = until.duration_since(self.clock.now());
                    let left = Duration::try_from(left).unwrap_or_default();
                    if left > PATIENCE {
                        return Ok((at, End::Later(WaitFor::Endpoint(until)), busy));
                    }
                    tokio::select! {
                        biased;
                        () = stop.requested() => return Ok((at, End::Left, self.clock.busy())),
                        // It may be well again before.
                        busy = self.clock.sleep(left.min(GLANCE), busy) => busy,
                    }
                }
            };
            turn = line.permits.queue(busy);
        }
    }

    /// The request of a task that undoes another one, where the endpoint has named what that made otherwise
    /// than it was asked to.
    fn as_named(&self, task: &TaskFlow) -> Option<Request> {
        let undone = task.compensates.as_deref()?;
        let progress = self.progress();
        let at = progress.place(undone)?;
        undoing_request(&self.plan.task_flow[at], &progress.tasks()[at])
    }

    /// Whether what a task undoes is called as the order calls it, as far as can be told: its endpoint has
    /// said so when it made it, or it was found there.
    fn is_named(&self, task: &TaskFlow) -> bool {
        let Some(undone) = task.compensates.as_deref() else {
            return true;
        };
        let progress = self.progress();
        let Some(at) = progress.place(undone) else {
            return true;
        };
        let known = &progress.tasks()[at];
        let request = self.plan.task_flow[at].request.as_ref();
        let was_made = request.is_some_and(|it| it.method == Method::Post)
            && known.state == TaskState::Completed
            && known.outcome.is_none()
            // What was found, or could not be, has a note.
            && known.reason.is_none();
        let answer = known.resource.as_deref();
        !was_made || answer.is_some_and(|it| tells_name(it.get()))
    }

    /// What an earlier run would have waited still before it goes on with a task.
    fn left_to_wait(&self, at: usize) -> Option<Duration> {
        let progress = self.progress();
        let known = &progress.tasks()[at];
        // To ask a monitor does no harm, and is what the run is for.
        known.retry_at.filter(|_| !known.is_at_work())?;
        let now = self.clock.now();
        let left = Duration::try_from(due(known, now)?.duration_since(now)).ok()?;
        Some(left).filter(|left| !left.is_zero())
    }

    /// The task, once its endpoint tells that something has happened to its request, of which this is the monitor.
    pub(super) async fn heard(self: Arc<Self>, at: usize, monitor: String) -> usize {
        let call = self.plan.task_flow[at].call();
        match call.and_then(|it| self.pool.line(it.endpoint)) {
            Some(line) => line.endpoint.heard(&monitor).await,
            None => std::future::pending().await,
        }
        at
    }

    /// One step of a task: asks, sends, or gives it up.
    async fn step(
        &self,
        errand: &Errand<'_, E>,
        way: Way,
        (_permit, busy): (&Permit, Busy),
    ) -> Result<(Attempted, Busy), ActivateError> {
        let Some(known) = self.begun(errand.at) else {
            return self.send(errand, (0, false), busy).await;
        };
        let is_named = self.is_named(errand.task);
        let situation = self.situation(errand, (&known, is_named));
        let approach = match way {
            Way::AsItStands => policy::approach(&situation),
            Way::Send => Approach::Send,
        };
        match approach {
            Approach::Hold { reason } => {
                let held = Event::Held(Held {
                    task: errand.task.id.clone(),
                    reason,
                    on_failure: None,
                });
                let end = self.intend(held, errand.seen).await?;
                if matches!(end, End::Held) {
                    self.observe_held(&errand.task.id);
                }
                Ok((Attempted::End(end), busy))
            }
            Approach::Leave { reason } => {
                let asked = Event::Asked(Asked {
                    task: errand.task.id.clone(),
                    attempt: known.attempts,
                    answer: Answer::CannotTell,
                    status: None,
                    reason,
                    retry_at: None,
                });
                let end = self.intend(asked, errand.seen).await?;
                Ok((Attempted::End(end), busy))
            }
            Approach::Ask(inquiry) => {
                let busy = match self.admitted(errand, busy).await {
                    Ok(busy) => busy,
                    Err(closed) => return Ok(closed),
                };
                self.ask(errand, &situation, (&inquiry, busy)).await
            }
            Approach::Send => {
                let before = (known.attempts, known.is_unsettled());
                self.send(errand, before, busy).await
            }
        }
    }

    /// Sends the request of a task for which so many were sent before, unless it is too late for that.
    /// Where nobody knows what came of the last one, it is repeated whatever the time is: only then
    /// it will be known.
    async fn send(
        &self,
        errand: &Errand<'_, E>,
        (attempts, is_unknown): (u32, bool),
        busy: Busy,
    ) -> Result<(Attempted, Busy), ActivateError> {
        if attempts == 0 && self.halted.load(Ordering::SeqCst) {
            return Ok((Attempted::End(End::SetAside), busy));
        }
        let (intent, is_too_late) = self.intent(errand, (attempts, is_unknown));
        if is_too_late {
            let end = self.intend(intent, errand.seen).await?;
            self.observe_held(&errand.task.id);
            return Ok((Attempted::End(end), busy));
        }
        let busy = match self.admitted(errand, busy).await {
            Ok(busy) => busy,
            Err(closed) => return Ok(closed),
        };
        self.attempt(errand, intent, busy).await
    }

    /// Waits until the rate of the endpoint lets a request pass; what to do where it is left alone.
    async fn admitted(
        &self,
        errand: &Errand<'_, E>,
        busy: Busy,
    ) -> Result<Busy, (Attempted, Busy)> {
        let admission = self
            .traffic(errand)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .admit(self.clock.now(), &errand.line.terms);
        match admission {
            Admission::Go(after) => Ok(self.clock.sleep(after, busy).await),
            Admission::Closed(until) => Err((Attempted::Closed(until), busy)),
        }
    }

    /// What was sent to the endpoint, by the clock of this order: those that jump are not compared.
    fn traffic(&self, errand: &Errand<'_, E>) -> Arc<Mutex<Traffic>> {
        match self.clock.kind() {
            ClockKind::System => Arc::clone(&errand.line.traffic),
            ClockKind::Virtual => {
                let mut rehearsed = self
                    .rehearsed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                Arc::clone(rehearsed.entry(errand.endpoint.to_owned()).or_default())
            }
        }
    }

    /// Takes note of how the endpoint is.
    fn noticed(&self, errand: &Errand<'_, E>, health: Health) {
        let until = self
            .traffic(errand)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .ended(self.clock.now(), health, &errand.line.terms);
        if let Some(until) = until {
            let endpoint = errand.endpoint;
            self.observe(Step::Paused { endpoint, until });
        }
    }

    /// Asks what came of the last request, and decides on what is found.
    async fn ask(
        &self,
        errand: &Errand<'_, E>,
        situation: &Situation<'_>,
        (inquiry, busy): (&Inquiry<'_>, Busy),
    ) -> Result<(Attempted, Busy), ActivateError> {
        let id = &errand.task.id;
        self.observe(Step::Asking { task: id });
        let finding = Box::pin(errand.line.endpoint.ask(&errand.call, inquiry)).await;
        self.noticed(errand, health_found(&finding));
        let situation = Situation {
            now: self.clock.now(),
            ..*situation
        };
        let decision = policy::decide_found(&situation, &finding);
        let events = policy::record_found(&situation, finding, &decision);
        self.settle(errand, (decision, events), busy).await
    }

    /// Intent, request, outcome.
    async fn attempt(
        &self,
        errand: &Errand<'_, E>,
        intent: Event,
        busy: Busy,
    ) -> Result<(Attempted, Busy), ActivateError> {
        let attempt = match &intent {
            Event::Started(it) => it.attempt,
            _ => 0,
        };
        if let End::Overtaken = self.intend(intent, errand.seen).await? {
            return Ok((Attempted::End(End::Overtaken), busy));
        }
        let id = &errand.task.id;
        let line = errand.line;
        self.observe(Step::Started { task: id, attempt });
        let busy = self.clock.sleep(line.endpoint.latency(), busy).await;
        // Boxed, so that the many that wait for a permit do not carry its room.
        let outcome = match Box::pin(line.endpoint.send(&errand.call)).await {
            Outcome::Accepted { monitor } => {
                let accepted = Event::Accepted(Accepted {
                    task: id.clone(),
                    attempt,
                    monitor: monitor.clone(),
                });
                self.record(vec![accepted]).await?;
                Box::pin(line.endpoint.follow(&errand.call, &monitor)).await
            }
            outcome => outcome,
        };
        self.noticed(errand, health(&outcome));
        let decided = {
            let is_named = self.is_named(errand.task);
            let progress = self.progress();
            let known = &progress.tasks()[errand.at];
            let situation = self.situation(errand, (known, is_named));
            let decision = policy::decide(&situation, &outcome);
            let events = policy::record(&situation, outcome, &decision);
            (decision, events)
        };
        self.settle(errand, decided, busy).await
    }

    /// Records what a step came to, and tells it.
    async fn settle(
        &self,
        errand: &Errand<'_, E>,
        (decision, events): (Decision, Vec<Event>),
        busy: Busy,
    ) -> Result<(Attempted, Busy), ActivateError> {
        if matches!(
            &decision,
            Decision::GiveUp {
                how: OnFailure::Stop,
                ..
            }
        ) {
            self.halted.store(true, Ordering::SeqCst);
        }
        let compensates = matches!(
            &decision,
            Decision::GiveUp {
                how: OnFailure::Compensate,
                ..
            }
        );
        if compensates && self.undoes {
            self.halted.store(true, Ordering::SeqCst);
            self.undoing.store(true, Ordering::SeqCst);
        }
        if let Decision::Complete { .. } = decision {
            self.complete(&errand.task.id, events, busy).await?;
            return Ok((Attempted::End(End::Done), self.clock.busy()));
        }
        let failed = match &events[..] {
            [Event::AttemptFailed(it), ..] => it.reason.clone(),
            [Event::Asked(it), ..] => it.reason.clone(),
            _ => String::new(),
        };
        let ended = if events.is_empty() {
            Vec::new()
        } else {
            self.record(events).await?
        };
        Ok((self.tell(&errand.task.id, decision, &failed, ended), busy))
    }

    /// Lets what waits for a task begin while it is made durable that it is done. Nothing goes out
    /// before that is: the intent of what follows comes behind it in the journal.
    async fn complete(
        &self,
        task: &str,
        events: Vec<Event>,
        busy: Busy,
    ) -> Result<(), ActivateError> {
        let entries: Vec<_> = events.into_iter().map(|event| self.entry(event)).collect();
        let durable = self.log.append(&entries);
        let ended = self.apply(&entries)?;
        // Whoever does not listen any more has been told why.
        let _ = self.done.send((ended, busy));
        durable.await?;
        self.observe(Step::Completed { task });
        Ok(())
    }

    /// How far a task is, if anything was sent for it.
    fn begun(&self, at: usize) -> Option<TaskProgress> {
        let progress = self.progress();
        let known = &progress.tasks()[at];
        (known.attempts > 0).then(|| known.clone())
    }

    fn situation<'a>(
        &self,
        errand: &'a Errand<'_, E>,
        (known, is_named): (&'a TaskProgress, bool),
    ) -> Situation<'a> {
        Situation {
            call: &errand.call,
            terms: &errand.line.terms,
            endpoint: errand.endpoint,
            retry: errand.task.retry.as_ref(),
            on_failure: errand.task.on_failure,
            known,
            now: self.clock.now(),
            // What others do takes its own time, of which a clock that jumps knows nothing.
            is_patient: self.clock.kind() == ClockKind::System,
            is_named,
        }
    }

    /// What is about to be done: send the request, or hold the task because it is too late for
    /// that; and whether it is.
    fn intent(&self, errand: &Errand<'_, E>, (attempts, is_unknown): (u32, bool)) -> (Event, bool) {
        let task = errand.task;
        let end = Window::of(task).ok().flatten().and_then(|it| it.end);
        match end.filter(|end| !is_unknown && *end <= self.clock.now()) {
            Some(end) => (window_missed(task, end), true),
            None => (
                Event::Started(Started {
                    task: task.id.clone(),
                    attempt: attempts.saturating_add(1),
                    idempotency_key: errand.call.idempotency_key.to_owned(),
                    request_digest: errand.request_digest.to_owned(),
                    point_of_no_return: task.point_of_no_return,
                }),
                false,
            ),
        }
    }

    /// Tells the observer what was decided.
    fn tell(&self, task: &str, decision: Decision, failed: &str, ended: Vec<usize>) -> Attempted {
        match decision {
            Decision::Complete { .. } | Decision::Leave => Attempted::End(End::Ended(ended)),
            Decision::Hold { reason }
            | Decision::GiveUp {
                how: OnFailure::Hold | OnFailure::Stop,
                reason,
            } => {
                let reason = &reason;
                self.observe(Step::Held { task, reason });
                Attempted::End(End::Held)
            }
            Decision::GiveUp { reason, .. } => {
                self.observe(Step::Failed {
                    task,
                    reason: &reason,
                    given_up: ended.len().saturating_sub(1),
                });
                Attempted::End(End::Ended(ended))
            }
            Decision::Send => Attempted::Again(Duration::ZERO, Way::Send),
            Decision::Again { after } => {
                if !failed.is_empty() {
                    self.observe(Step::Retrying {
                        task,
                        after,
                        reason: failed,
                    });
                }
                Attempted::Again(after, Way::AsItStands)
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

/// Longest time for which a run stays because of a request that is to be repeated.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether an endpoint that is left alone is well again.
const GLANCE: Duration = Duration::from_secs(1);

/// What a step came to.
enum Attempted {
    End(End),
    /// Again after so long, in this way.
    Again(Duration, Way),
    /// Not now: the endpoint is left alone until then.
    Closed(Timestamp),
}

/// How a task is gone on with.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// As what is known about it demands.
    AsItStands,
    /// By sending the request: it cannot be asked what came of the last one.
    Send,
}

/// When a task is gone on with that an earlier run left for later. Where the clock was set back since,
/// it does not take longer than it would have taken then.
pub(super) fn due(task: &TaskProgress, now: Timestamp) -> Option<Timestamp> {
    let at = task.retry_at?;
    let delay = at.duration_since(task.changed_at.unwrap_or(now));
    let latest = now.checked_add(delay).unwrap_or(Timestamp::MAX);
    Some(at.min(latest))
}

/// How an endpoint is that a request ended so at.
fn health(outcome: &Outcome) -> Health {
    match outcome {
        Outcome::Completed { .. }
        | Outcome::Accepted { .. }
        | Outcome::AtWork { .. }
        | Outcome::Rejected { .. } => Health::Well,
        Outcome::Failed { retry_after, .. } => Health::Ill {
            retry_after: *retry_after,
        },
        Outcome::Unknown { .. } => Health::Ill { retry_after: None },
    }
}

/// How an endpoint is that was asked with this result.
fn health_found(finding: &Finding) -> Health {
    match finding {
        Finding::Unanswered { .. } => Health::Ill { retry_after: None },
        Finding::Ended(outcome) => health(outcome),
        Finding::Done { .. }
        | Finding::AtWork { .. }
        | Finding::NotDone { .. }
        | Finding::Differs { .. }
        | Finding::Impossible { .. } => Health::Well,
    }
}

fn window_missed(task: &TaskFlow, end: Timestamp) -> Event {
    Event::WindowMissed(WindowMissed {
        task: task.id.clone(),
        end: end.to_string(),
    })
}

/// Digest over method, path and body of a request, `sha256:…`.
fn request_digest(request: &Request) -> String {
    const BESIDE: usize = 64;
    let body = request.body.as_ref().map_or(0, |body| body.get().len());
    let mut text = Vec::with_capacity(request.path.len() + body + BESIDE);
    serde_json::to_writer(&mut text, request).expect("strings and JSON always serialize");
    digest::text(&Sha256::digest(&text))
}
