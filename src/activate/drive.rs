//! The one loop: starts what may start, waits for what is under way, for
//! moments, and for people.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::clock::{Busy, Clock};
use super::engine::{ActivateError, Step, Wait, WaitFor, Waits};
use super::frontier::Frontier;
use super::hand;
use super::log::Log;
use super::pool::Callable;
use super::work::{Done, End, Job, PATIENCE, Run, Work, Worked, due};
use crate::journal::{ClockKind, Event, Foreign};
use crate::model::state::TaskState;
use crate::plan::flow::TaskKind;

/// Longest sleep on the system's clock before it is looked at again: it may be set.
const NAP: Duration = Duration::from_secs(60);

/// A chain that is being carried out.
pub(super) struct Drive<C, E, L> {
    run: Arc<Run<C, E, L>>,
    waits: Waits,
    frontier: Frontier,
    under_way: JoinSet<Worked>,
    /// Tasks that are done, which need not be durable yet.
    done: UnboundedReceiver<Done>,
    /// Tasks that somebody here works on.
    worked_on: HashSet<usize>,
    /// Manual tasks that wait for nothing but a person.
    people: BTreeSet<usize>,
    /// The last entry of others that was taken note of.
    seen: u64,
    /// Entries of others about tasks that are worked on.
    deferred: Vec<Foreign>,
    /// Tasks that have begun and are gone on with later, and why not now.
    postponed: HashMap<usize, Postponed>,
    /// Those of them of which an endpoint tells something.
    heard: JoinSet<usize>,
    /// Tasks that are held, or tried once more, and that nothing else is begun beside.
    stops: BTreeSet<usize>,
    /// What could begin otherwise.
    set_aside: BTreeSet<usize>,
    /// Whether something that could have gone on was left.
    left: bool,
}

/// Why a task is gone on with later, and not now.
struct Postponed {
    what: WaitFor,
    /// That it is listened for what its endpoint tells of it.
    _listening: Option<Listening>,
}

/// Somebody who listens; no longer when dropped.
struct Listening(AbortHandle);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<C: Clock, E: Callable, L: Log> Drive<C, E, L> {
    pub fn new(
        run: Arc<Run<C, E, L>>,
        done: UnboundedReceiver<Done>,
        frontier: Frontier,
        waits: Waits,
    ) -> Self {
        let seen = run.progress().entries();
        let mut drive = Self {
            run,
            waits,
            frontier,
            under_way: JoinSet::new(),
            done,
            worked_on: HashSet::new(),
            people: BTreeSet::new(),
            seen,
            deferred: Vec::new(),
            postponed: HashMap::new(),
            heard: JoinSet::new(),
            stops: BTreeSet::new(),
            set_aside: BTreeSet::new(),
            left: false,
        };
        drive.postpone();
        drive
    }

    /// Lets what an earlier run left for a later moment wait for that.
    fn postpone(&mut self) {
        let now = self.run.clock.now();
        let soon = now.checked_add(PATIENCE).unwrap_or(Timestamp::MAX);
        let tasks: Vec<(usize, Timestamp)> = {
            let progress = self.run.progress();
            let held = progress.tasks().iter().enumerate();
            let held = held.filter(|(_, it)| it.stops());
            self.stops.extend(held.map(|(task, _)| task));
            if !self.stops.is_empty() {
                self.run.halted.store(true, Ordering::SeqCst);
            }
            let tasks = progress.tasks().iter().enumerate();
            // A monitor is asked at once, whenever that was to be.
            let waiting = tasks.filter(|(_, it)| it.state == TaskState::Active && !it.is_at_work());
            waiting
                .filter_map(|(task, it)| Some((task, due(it, now)?)))
                .filter(|(_, at)| *at > soon)
                .collect()
        };
        for (task, at) in tasks {
            self.frontier.give_again(task, Some(at));
            let postponed = Postponed {
                what: WaitFor::Retry(at),
                _listening: None,
            };
            self.postponed.insert(task, postponed);
        }
    }

    /// Until nothing is under way and nothing may start, or it was asked to stop.
    pub async fn run(&mut self) -> Result<(), ActivateError> {
        let stop = self.run.stop.clone();
        let mut asked_to_stop = self.run.stop.clone();
        let mut asked_to_stop = std::pin::pin!(asked_to_stop.requested());
        let run = Arc::clone(&self.run);
        // Begun anew only once others have written: tasks end far more often.
        let mut seen = self.seen;
        let mut changed = std::pin::pin!(run.log.changed(seen));
        // What ends hands its being busy on, so that no time passes before it is followed up.
        let mut handed_on = None;
        while !stop.is_requested() {
            let busy = handed_on.take().unwrap_or_else(|| self.run.clock.busy());
            self.follow_up();
            self.begin();
            if self.under_way.is_empty() && self.run.progress().is_completed() {
                // Whatever others have written since, it is over.
                break;
            }
            if self.under_way.is_empty() && self.run.undoing.load(Ordering::SeqCst) {
                break;
            }
            if self.under_way.is_empty() {
                let foreign = self.run.log.look(self.seen).await?;
                if !foreign.is_empty() {
                    self.take(foreign)?;
                    continue;
                }
                if !self.may_wait() {
                    break;
                }
                self.tell_waiting();
            }
            if seen != self.seen {
                seen = self.seen;
                changed.set(run.log.changed(seen));
            }
            let nap = self.nap();
            tokio::select! {
                biased;
                Some((ended, busy)) = self.done.recv() => {
                    self.free(&ended);
                    handed_on = Some(busy);
                }
                Some(ended) = self.under_way.join_next() => {
                    handed_on = Some(self.note(ended).await?);
                }
                () = &mut asked_to_stop => break,
                Some(heard) = self.heard.join_next() => self.look_again(heard),
                foreign = &mut changed => {
                    self.take(foreign?)?;
                    seen = self.seen;
                    changed.set(run.log.changed(seen));
                }
                woken = sleep(&*run.clock, nap, busy) => handed_on = Some(woken),
            }
        }
        Ok(())
    }

    /// Lets what is under way end, if it does so in time.
    pub async fn finish(&mut self, grace: Duration) -> Result<(), ActivateError> {
        let run = Arc::clone(&self.run);
        let mut grace = std::pin::pin!(run.clock.patience(grace));
        loop {
            tokio::select! {
                biased;
                ended = self.under_way.join_next() => match ended {
                    None => {
                        self.follow_up();
                        return Ok(());
                    }
                    Some(ended) => drop(self.note(ended).await?),
                },
                () = &mut grace => {
                    self.left = true;
                    return Ok(());
                }
            }
        }
    }

    /// Takes note of what is done.
    fn follow_up(&mut self) {
        while let Ok((ended, _busy)) = self.done.try_recv() {
            self.free(&ended);
        }
    }

    /// Ends whatever is left of it before the order is given up.
    pub async fn shut_down(&mut self) {
        self.heard.shutdown().await;
        self.under_way.shutdown().await;
    }

    /// Whether something was left that could have gone on.
    pub fn is_left(&self) -> bool {
        self.left || self.frontier.is_ready()
    }

    /// The tasks that wait for nothing but a moment or a person, in the plan's order.
    pub fn waiting(&self) -> Vec<Wait> {
        let later = self.frontier.later();
        let mut waits: Vec<(usize, WaitFor)> = later
            .map(|(task, at)| {
                let postponed = self.postponed.get(&task);
                (task, postponed.map_or(WaitFor::Moment(at), |it| it.what))
            })
            .collect();
        let task = |at: usize| &self.run.plan.task_flow[at];
        waits.extend(self.people.iter().map(|&at| {
            let is_wave = hand::ends_a_wave(task(at));
            (
                at,
                if is_wave {
                    WaitFor::Release
                } else {
                    WaitFor::Person
                },
            )
        }));
        // Beside a task that stops the order, nothing waits but for that one, or for its own next try.
        waits.retain(|(task, _)| self.stops.is_empty() || self.postponed.contains_key(task));
        waits.sort_unstable_by_key(|(task, _)| *task);
        let wait = |(at, what)| Wait {
            task: task(at).id.clone(),
            name: task(at).name.clone(),
            what,
        };
        waits.into_iter().map(wait).collect()
    }

    /// Begins with everything that may begin now.
    fn begin(&mut self) {
        let now = self.run.clock.now();
        while let Some((task, end)) = self.frontier.miss(now) {
            let busy = self.run.clock.busy();
            self.spawn(task, Work::Miss(end, busy));
        }
        while let Some(task) = self.frontier.start(now) {
            self.postponed.remove(&task);
            // What is in doubt has to be known before anything is undone.
            let undoing = self.run.undoing.load(Ordering::SeqCst);
            let is_left = undoing && !self.run.progress().tasks()[task].may_have_had_effect();
            if is_left || !self.stops.is_empty() && !self.stops.contains(&task) {
                self.set_aside.insert(task);
                continue;
            }
            match self.work(task) {
                Some(work) => self.spawn(task, work),
                None => drop(self.people.insert(task)),
            }
        }
    }

    /// What is to be done about a task; nothing that a person does.
    fn work(&self, task: usize) -> Option<Work> {
        let task = &self.run.plan.task_flow[task];
        let busy = || self.run.clock.busy();
        match task.kind {
            TaskKind::Manual => None,
            TaskKind::Milestone => Some(Work::Reach(busy())),
            TaskKind::Activation => {
                // Here, and not once it is at work: the first one of the plan is the first in the queue.
                let line = self.run.pool.line(task.call()?.endpoint)?;
                Some(Work::Call(line.permits.queue(busy())))
            }
        }
    }

    fn spawn(&mut self, task: usize, work: Work) {
        let seen = self.seen;
        self.worked_on.insert(task);
        let job = Job { task, seen, work };
        self.under_way.spawn(Arc::clone(&self.run).work(job));
    }

    /// Whether what is left is waited for, where nothing is under way.
    fn may_wait(&self) -> bool {
        match (self.waits, self.run.clock.kind()) {
            (Waits::SitOut, _) => self.frontier.next_start().is_some() || !self.people.is_empty(),
            (Waits::Leave, ClockKind::Virtual) => self.frontier.next_start().is_some(),
            (Waits::Leave, ClockKind::System) => false,
        }
    }

    /// How long nothing happens by itself.
    fn nap(&self) -> Option<Duration> {
        let until = |at: Timestamp| {
            let now = self.run.clock.now();
            Duration::try_from(at.duration_since(now)).unwrap_or_default()
        };
        let start = self.frontier.next_start();
        match self.run.clock.kind() {
            // A window does not end by waiting for people, whose time is another one.
            ClockKind::Virtual => start.map(until),
            ClockKind::System => {
                let ends = self.frontier.next_end();
                let next = start.into_iter().chain(ends).min()?;
                Some(until(next).min(NAP))
            }
        }
    }

    fn tell_waiting(&self) {
        self.run.observe(Step::Waiting {
            until: self.frontier.next_start(),
            people: self.people.len(),
        });
    }

    /// Notes how the work on a task ended; what follows from it is still to be begun.
    async fn note(&mut self, ended: Result<Worked, JoinError>) -> Result<Busy, ActivateError> {
        // Nobody aborts single tasks, so what was not joined panicked.
        let (task, end, busy) =
            ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
        self.worked_on.remove(&task);
        let overtaken = matches!(end, End::Overtaken);
        match end {
            End::Ended(ended) => self.free(&ended),
            End::Done => self.follow_up(),
            End::Left => self.left = true,
            End::Later(what) => {
                if let WaitFor::Retry(at) | WaitFor::Endpoint(at) = what {
                    // An endpoint that is left alone is not looked at, whatever it tells.
                    let is_asked = matches!(what, WaitFor::Retry(_));
                    let postponed = Postponed {
                        what,
                        _listening: is_asked.then(|| self.listen(task)).flatten(),
                    };
                    self.postponed.insert(task, postponed);
                    self.frontier.give_again(task, Some(at));
                }
            }
            End::Held => {
                if self.run.progress().tasks()[task].stops() {
                    self.stops.insert(task);
                }
            }
            End::SetAside => drop(self.set_aside.insert(task)),
            End::Overtaken => {}
        }
        let id = self.run.plan.task_flow[task].id.as_str();
        let (due, deferred) = std::mem::take(&mut self.deferred)
            .into_iter()
            .partition(|it| it.entry.event.task() == Some(id));
        self.deferred = deferred;
        self.take(due)?;
        if overtaken {
            let foreign = self.run.log.look(self.seen).await?;
            self.take(foreign)?;
        }
        Ok(busy)
    }

    /// Listens for what its endpoint tells of a task that it is at work on.
    fn listen(&mut self, task: usize) -> Option<Listening> {
        let monitor = {
            let progress = self.run.progress();
            let known = &progress.tasks()[task];
            known.monitor.clone().filter(|_| known.is_at_work())?
        };
        let heard = Arc::clone(&self.run).heard(task, monitor);
        Some(Listening(self.heard.spawn(heard)))
    }

    /// Goes on at once with a task of which its endpoint has told something.
    fn look_again(&mut self, heard: Result<usize, JoinError>) {
        let task = match heard {
            Ok(task) => task,
            Err(error) if error.is_cancelled() => return,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        // Where it was begun meanwhile, it is being looked at.
        if self.postponed.remove(&task).is_some() {
            self.give_again(task);
        }
    }

    /// Lets a task begin once more at once.
    fn give_again(&mut self, task: usize) {
        self.set_aside.remove(&task);
        self.frontier.give_again(task, None);
    }

    /// Takes note of what others have written. What is about a task that is being worked on has to
    /// wait until that is over: what it has come to was written before.
    fn take(&mut self, foreign: Vec<Foreign>) -> Result<(), ActivateError> {
        for it in foreign {
            self.seen = self.seen.max(it.number);
            let place = it.entry.event.task().and_then(|id| self.place(id));
            if place.is_some_and(|task| self.worked_on.contains(&task)) {
                self.deferred.push(it);
                continue;
            }
            let ended = self.run.apply(std::slice::from_ref(&it.entry))?;
            if let Some((first, others)) = ended.split_first() {
                self.observe_foreign(*first, others.len());
            }
            self.free(&ended);
            if let (Event::Retried(_), Some(task)) = (&it.entry.event, place) {
                self.postponed.remove(&task);
                self.give_again(task);
            }
        }
        Ok(())
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.run.progress().place(id)
    }

    fn observe_foreign(&self, task: usize, given_up: usize) {
        let known = self.run.progress().tasks()[task].clone();
        let task = known.id.as_str();
        let reason = known.reason.as_deref().unwrap_or_default();
        self.run.observe(match known.state {
            TaskState::Completed => Step::Completed { task },
            _ => Step::Failed {
                task,
                reason,
                given_up,
            },
        });
    }

    /// Lets what waited for tasks that have ended begin.
    fn free(&mut self, ended: &[usize]) {
        for &task in ended {
            let (at, completed) = {
                let progress = self.run.progress();
                let known = &progress.tasks()[task];
                let at = known.changed_at.unwrap_or_default();
                (at, known.state == TaskState::Completed)
            };
            self.people.remove(&task);
            self.postponed.remove(&task);
            if self.stops.remove(&task) && self.stops.is_empty() {
                let undoing = self.run.undoing.load(Ordering::SeqCst);
                self.run.halted.store(undoing, Ordering::SeqCst);
                let set_aside = std::mem::take(&mut self.set_aside);
                self.frontier.put_back(set_aside);
            }
            self.frontier.ended(task, at, completed);
        }
    }
}

/// Sleeps so long; for ever where nothing comes by itself. Meanwhile the time may jump.
async fn sleep<C: Clock>(clock: &C, nap: Option<Duration>, busy: Busy) -> Busy {
    let Some(nap) = nap else {
        drop(busy);
        return std::future::pending().await;
    };
    clock.sleep(nap, busy).await
}
