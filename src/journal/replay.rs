//! Where an order stands: the fold over its entries.
//!
//! Pure, and the only place that says what an entry means; carrying out and
//! reporting both use it. An entry that cannot have happened is an error that
//! names its place, and leaves the progress as it was.

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;
use serde_json::value::RawValue;
use thiserror::Error;

use super::entry::{
    Answer, Asked, AttemptFailed, ByHand, ClockKind, Entry, Event, Failure, Planned, Revised,
};
use crate::model::state::TaskState;
use crate::plan::flow::{OrchestrationPlan, RevisionKind, TaskOutcome, Until};
use crate::retry::{FailureClass, OnFailure};

/// How far an order has come.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    planned: Option<Planned>,
    planned_at: Option<Timestamp>,
    changed_at: Option<Timestamp>,
    revised_at: Option<Timestamp>,
    tasks: Vec<TaskProgress>,
    place: HashMap<String, usize>,
    /// The tasks that cannot be done where a task is not completed.
    needed_by: Vec<Vec<usize>>,
    /// The tasks that undo a task.
    undone_by: HashMap<usize, Vec<usize>>,
    entries: u64,
    completed: usize,
    given_up: usize,
    /// The tasks at which people decide about the next wave.
    releasable: Vec<bool>,
    /// Whether the entries are those of a plan that was revised since.
    history: bool,
    /// The installed bases that have what the order made.
    installed: Vec<String>,
}

/// A task of a plan, as far as the fold needs to know it.
#[derive(Debug, Clone, Default)]
pub struct Needs<'a> {
    /// Task id.
    pub id: &'a str,
    /// Name for people.
    pub name: &'a str,
    /// Ids of the tasks that have to be completed before it, where it is not enough that they have ended.
    pub needs: Vec<&'a str>,
    /// Whether it is where a wave of a rollout ends: what fails before it is for a person to judge.
    pub ends_wave: bool,
    /// Id of the task that it undoes.
    pub compensates: Option<&'a str>,
}

/// How far a task has come.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, which entries tell apart"
)]
pub struct TaskProgress {
    /// Task id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// State; `cancelled` where it failed or was given up.
    pub state: TaskState,
    /// How it ended, where that is not by being carried out.
    pub outcome: Option<TaskOutcome>,
    /// Who ended it, where that was a person.
    pub by: Option<String>,
    /// Whether it is held because its window ended.
    pub window_missed: bool,
    /// Whether the point of no return is passed.
    pub point_of_no_return: bool,
    /// What its policy made of it when it was held or failed.
    pub on_failure: Option<OnFailure>,
    /// Requests sent so far, over all runs.
    pub attempts: u32,
    /// Those of them that were sent since it was last begun: a task that is done anew has another
    /// request than before.
    pub sent: u32,
    /// Requests that came to nothing since the task was last held.
    pub failures: u32,
    /// Whether a request was sent and its outcome is not in the journal.
    pub open: bool,
    /// Whether a request may have had its effect although no answer says so.
    pub doubt: Doubt,
    /// Whether it is only found out what came of its requests: nothing is sent for it any more.
    pub settling: bool,
    /// URL of the monitor of the last request, where it was accepted.
    pub monitor: Option<String>,
    /// Whether the endpoint has accepted the last request, and it is not known what came of that.
    pub accepted: bool,
    /// Since when it is known that nobody knows what came of the last request.
    pub unknown_since: Option<Timestamp>,
    /// When the first of the `failures` was.
    pub failing_since: Option<Timestamp>,
    /// When it is asked or sent again.
    pub retry_at: Option<Timestamp>,
    /// Why the last request came to nothing, why the task is held or was given up, or why a person
    /// ended it.
    pub reason: Option<String>,
    /// Kind of the last failure.
    pub failure: Option<Failure>,
    /// Class of the last failure.
    pub class: Option<FailureClass>,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// The resource as the endpoint answered it.
    pub resource: Option<Box<RawValue>>,
    /// When the first request was about to be sent.
    pub started_at: Option<Timestamp>,
    /// When the task was completed, by whomever.
    pub finished_at: Option<Timestamp>,
    /// When it last moved on in any way.
    pub changed_at: Option<Timestamp>,
}

/// HTTP status of a request that was accepted, and is carried out later (RFC 9110 §15.3.3).
pub const ACCEPTED: u16 = 202;

/// Whether a request may have had its effect although no answer says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Doubt {
    /// It has not, or nothing was sent.
    #[default]
    None,
    /// The endpoint says that it failed, in a way in which it may have had it all the same.
    Perhaps,
    /// Nobody knows.
    Unknown,
}

/// An entry that cannot have happened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("entry {number} ({kind}{}): {fault}", task.as_deref().map(|it| format!(" of task {it}")).unwrap_or_default())]
pub struct IllegalEntry {
    /// Which entry of the order, from 1.
    pub number: u64,
    /// Its kind.
    pub kind: &'static str,
    /// The task it is about.
    pub task: Option<String>,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Why an entry cannot have happened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Something came before the plan.
    #[error("comes before the plan")]
    NotPlanned,
    /// The plan was taken on already.
    #[error("the plan was taken on already")]
    PlannedTwice,
    /// The number of tasks is another.
    #[error("says {entry} tasks, the plan has {plan}")]
    OtherTasks {
        /// As the entry says.
        entry: u32,
        /// As the plan says.
        plan: usize,
    },
    /// The plan has no such task.
    #[error("the plan has no such task")]
    UnknownTask,
    /// The task is completed.
    #[error("the task is completed already")]
    AlreadyCompleted,
    /// The task has failed.
    #[error("the task has failed already")]
    AlreadyFailed,
    /// The task was given up.
    #[error("the task was given up")]
    GivenUp,
    /// The task has begun.
    #[error("the task has begun already")]
    Begun,
    /// An outcome without a request.
    #[error("no request was sent")]
    NotSent,
    /// Attempts are counted one by one.
    #[error("is attempt {found}, attempt {expected} is due")]
    OtherAttempt {
        /// As the entry says.
        found: u32,
        /// What it should say.
        expected: u32,
    },
    /// Held without having failed.
    #[error("nothing has failed")]
    NotFailed,
}

impl TaskProgress {
    fn new(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// As if nothing had happened but that requests were sent, which stay counted.
    fn begin_anew(&mut self) {
        *self = Self {
            attempts: self.attempts,
            point_of_no_return: self.point_of_no_return,
            ..Self::new(&self.id, &self.name)
        };
    }

    /// Whether it has ended, however.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.state.successors().is_empty()
    }

    /// Whether nothing else of its order is begun until it has ended.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.on_failure == Some(OnFailure::Stop) && !self.has_ended()
    }

    /// Whether nothing is under way, and it is asked or sent again at a later moment (`retry_at`).
    #[must_use]
    pub fn is_tried_later(&self) -> bool {
        self.state == TaskState::Active && !self.open && self.retry_at.is_some()
    }

    /// Whether its endpoint has accepted it, and a monitor tells what comes of that.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        self.is_unsettled() && self.monitor.is_some()
    }

    /// What to call it where it is mentioned.
    fn label(&self) -> String {
        if self.name.is_empty() || self.name == self.id {
            self.id.clone()
        } else {
            format!("{} ({})", self.name, self.id)
        }
    }

    fn apply(&mut self, at: Timestamp, event: &Event) -> Result<(), Fault> {
        match (self.state, self.outcome) {
            (TaskState::Completed, _) => return Err(Fault::AlreadyCompleted),
            (TaskState::Cancelled, Some(TaskOutcome::Failed)) => return Err(Fault::AlreadyFailed),
            (TaskState::Cancelled, _) => return Err(Fault::GivenUp),
            (TaskState::New | TaskState::Active | TaskState::Hold, _) => {}
        }
        match event {
            // These are about the order as a whole.
            Event::Planned(_) | Event::Revised(_) | Event::Installed(_) => {
                return Err(Fault::UnknownTask);
            }
            Event::Started(it) => {
                let expected = self.attempts.saturating_add(1);
                if it.attempt != expected {
                    return Err(Fault::OtherAttempt {
                        found: it.attempt,
                        expected,
                    });
                }
                self.attempts = it.attempt;
                self.sent = self.sent.saturating_add(1);
                self.state = TaskState::Active;
                self.open = true;
                self.be_certain();
                self.retry_at = None;
                self.window_missed = false;
                self.point_of_no_return |= it.point_of_no_return;
                self.started_at.get_or_insert(at);
            }
            Event::Accepted(it) => {
                self.about_attempt(it.attempt)?;
                self.monitor = Some(it.monitor.clone());
                self.accepted = true;
            }
            Event::Completed(it) => {
                self.sent()?;
                self.complete(at);
                self.status = Some(it.status);
                self.resource.clone_from(&it.resource);
                self.reason.clone_from(&it.note);
            }
            Event::AttemptFailed(it) => self.attempt_failed(at, it)?,
            Event::Asked(it) => self.asked(at, it)?,
            Event::Held(it) => {
                if !self.open && !self.has_failed() && self.doubt == Doubt::None {
                    return Err(Fault::NotFailed);
                }
                if self.open {
                    self.open = false;
                    self.doubt = Doubt::Unknown;
                    self.failure = Some(Failure::Unknown);
                }
                self.hold(&it.reason);
                self.on_failure = it.on_failure;
            }
            Event::WindowMissed(it) => {
                if self.open {
                    return Err(Fault::Begun);
                }
                self.window_missed = true;
                self.hold(&format!("window missed: it ended at {}", it.end));
            }
            Event::Failed(it) => {
                if self.open || !self.has_failed() {
                    return Err(Fault::NotFailed);
                }
                if it.on_failure == Some(OnFailure::Skip) {
                    self.complete(at);
                    self.outcome = Some(TaskOutcome::Skipped);
                    self.reason = Some(format!("skipped: {}", it.reason));
                } else {
                    self.end_without_success(TaskOutcome::Failed, &it.reason);
                    self.on_failure = it.on_failure;
                }
            }
            Event::MilestoneReached(_) => {
                self.not_begun()?;
                self.complete(at);
            }
            Event::CompletedByHand(it) => self.complete_by_hand(at, TaskOutcome::ByHand, it),
            Event::Skipped(it) => self.complete_by_hand(at, TaskOutcome::Skipped, it),
            Event::Released(it) => {
                self.not_begun()?;
                self.complete_by_hand(at, TaskOutcome::Released, it);
            }
            Event::Retried(it) => self.retried(it),
            Event::FailedByHand(it) => {
                self.by = Some(it.by.clone());
                let reason = by_whom("failed", it);
                self.end_without_success(TaskOutcome::Failed, &reason);
            }
        }
        if self.settling && !self.has_ended() && !self.may_have_had_effect() {
            self.end_without_success(
                TaskOutcome::Dropped,
                "it was not done, and need not be undone",
            );
        }
        self.changed_at = Some(at);
        Ok(())
    }

    /// From now on, it is only found out what came of its requests.
    fn settle(&mut self) {
        self.settling = true;
        if self.state == TaskState::Hold {
            self.state = TaskState::Active;
        }
        self.on_failure = None;
        self.failures = 0;
        self.failing_since = None;
        self.retry_at = None;
    }

    /// Whether a request has come to nothing: it said so itself, or whoever was asked about it, which
    /// does not count as a further failure.
    fn has_failed(&self) -> bool {
        self.failures > 0 || self.failure.is_some()
    }

    fn not_begun(&self) -> Result<(), Fault> {
        if self.attempts > 0 {
            return Err(Fault::Begun);
        }
        Ok(())
    }

    fn attempt_failed(&mut self, at: Timestamp, it: &AttemptFailed) -> Result<(), Fault> {
        self.about_attempt(it.attempt)?;
        self.open = false;
        self.doubt = match (it.failure, it.status) {
            (Failure::Unknown, _) => Doubt::Unknown,
            // Whoever judges a repetition knows what came of the first time.
            (Failure::Rejected, status) => self.doubt.after_refusal(status.unwrap_or_default()),
            (Failure::Failed, Some(status)) => self.doubt.max_of(Doubt::of_failure(status)),
            (Failure::Failed, None) => self.doubt,
        };
        if it.failure == Failure::Unknown {
            self.unknown_since.get_or_insert(at);
            self.accepted |= it.status == Some(ACCEPTED);
            if it.class == Some(FailureClass::Rejected) {
                self.be_refused();
            }
        } else {
            self.be_certain();
        }
        self.fail_once(at, &it.reason, it.retry_at.as_deref());
        self.failure = Some(it.failure);
        self.class = it.class;
        self.status = it.status;
        Ok(())
    }

    fn asked(&mut self, at: Timestamp, it: &Asked) -> Result<(), Fault> {
        self.sent()?;
        if it.attempt != self.attempts {
            let (found, expected) = (it.attempt, self.attempts);
            return Err(Fault::OtherAttempt { found, expected });
        }
        let was_open = std::mem::take(&mut self.open);
        match it.answer {
            Answer::NotDone => {
                self.doubt = Doubt::None;
                self.be_certain();
                self.failure = Some(Failure::Failed);
                self.retry_at = moment(it.retry_at.as_deref());
            }
            Answer::NotYet => {
                self.doubt = Doubt::Unknown;
                self.unknown_since.get_or_insert(at);
                self.failure = Some(Failure::Unknown);
                self.retry_at = moment(it.retry_at.as_deref());
                if it.status.is_some_and(is_refusal) {
                    self.be_refused();
                    self.class = Some(FailureClass::Rejected);
                    self.reason = Some(it.reason.clone());
                }
                // That of an earlier request says nothing about this one.
                if was_open {
                    self.reason = Some(it.reason.clone());
                }
            }
            Answer::Unanswered => {
                self.doubt = Doubt::Unknown;
                self.unknown_since.get_or_insert(at);
                self.failure = Some(Failure::Unknown);
                self.fail_once(at, &it.reason, it.retry_at.as_deref());
            }
            Answer::CannotTell if self.settling => {
                self.complete(at);
                self.reason = Some(it.reason.clone());
            }
            Answer::CannotTell => {
                self.doubt = Doubt::Unknown;
                self.failure = Some(Failure::Unknown);
            }
        }
        self.status = it.status;
        Ok(())
    }

    fn retried(&mut self, by_hand: &ByHand) {
        self.open = false;
        self.doubt = Doubt::None;
        self.be_certain();
        self.failures = 0;
        self.failing_since = None;
        self.retry_at = None;
        self.failure = None;
        self.state = match self.attempts {
            0 => TaskState::New,
            _ => TaskState::Active,
        };
        self.reason = Some(by_whom("let be tried again", by_hand));
    }

    /// Forgets what was known of a request of which nobody knew what came of it.
    fn be_certain(&mut self) {
        self.monitor = None;
        self.accepted = false;
        self.unknown_since = None;
    }

    /// Nobody carries the last request out any more.
    fn be_refused(&mut self) {
        self.monitor = None;
        self.accepted = false;
    }

    /// Something was sent whose answer is not in the journal, or is in doubt.
    fn sent(&self) -> Result<(), Fault> {
        if !self.open && self.doubt == Doubt::None && self.failures == 0 {
            return Err(Fault::NotSent);
        }
        Ok(())
    }

    /// It is about the request whose answer is waited for.
    fn about_attempt(&self, attempt: u32) -> Result<(), Fault> {
        if !self.open {
            return Err(Fault::NotSent);
        }
        if attempt != self.attempts {
            let (found, expected) = (attempt, self.attempts);
            return Err(Fault::OtherAttempt { found, expected });
        }
        Ok(())
    }

    fn fail_once(&mut self, at: Timestamp, reason: &str, retry_at: Option<&str>) {
        self.failures = self.failures.saturating_add(1);
        self.failing_since.get_or_insert(at);
        self.retry_at = moment(retry_at);
        self.reason = Some(reason.to_owned());
    }

    /// Whether what came of its requests is not known: one may have had its effect.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        self.open || self.doubt == Doubt::Unknown
    }

    /// Whether one of its requests may have had its effect, although its endpoint says that it failed,
    /// or nobody knows.
    #[must_use]
    pub fn may_have_had_effect(&self) -> bool {
        self.open || self.doubt != Doubt::None
    }

    fn hold(&mut self, reason: &str) {
        self.state = TaskState::Hold;
        self.on_failure = None;
        self.failures = 0;
        self.failing_since = None;
        self.retry_at = None;
        self.reason = Some(reason.to_owned());
    }

    fn complete(&mut self, at: Timestamp) {
        self.state = TaskState::Completed;
        self.open = false;
        self.doubt = Doubt::None;
        self.failing_since = None;
        self.retry_at = None;
        self.window_missed = false;
        self.reason = None;
        self.failure = None;
        self.finished_at = Some(at);
    }

    fn complete_by_hand(&mut self, at: Timestamp, outcome: TaskOutcome, by_hand: &ByHand) {
        self.complete(at);
        self.outcome = Some(outcome);
        self.by = Some(by_hand.by.clone());
        let what = match outcome {
            TaskOutcome::Skipped => "skipped",
            TaskOutcome::Released => "released",
            TaskOutcome::ByHand
            | TaskOutcome::Failed
            | TaskOutcome::GivenUp
            | TaskOutcome::Dropped => "completed",
        };
        self.reason = Some(by_whom(what, by_hand));
    }

    fn end_without_success(&mut self, outcome: TaskOutcome, reason: &str) {
        self.state = TaskState::Cancelled;
        self.outcome = Some(outcome);
        self.open = false;
        self.retry_at = None;
        self.window_missed = false;
        self.reason = Some(reason.to_owned());
    }
}

impl Doubt {
    /// What a failure with this HTTP status leaves open.
    #[must_use]
    pub fn of_failure(status: u16) -> Self {
        match status {
            500 | 502 | 504.. => Self::Perhaps,
            _ => Self::None,
        }
    }

    /// What a repetition leaves open of it that is refused with this HTTP status. Who was not let in,
    /// or sent elsewhere, was not looked at.
    #[must_use]
    pub fn after_refusal(self, status: u16) -> Self {
        match status {
            300..=399 | 401 | 403 | 407 | 421 => self,
            _ => Self::None,
        }
    }

    /// The greater of two.
    fn max_of(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Perhaps, _) | (_, Self::Perhaps) => Self::Perhaps,
            (Self::None, Self::None) => Self::None,
        }
    }
}

/// Whether an answer with this HTTP status is a refusal; those that say that there is nothing are none.
fn is_refusal(status: u16) -> bool {
    FailureClass::of_status(status) == FailureClass::Rejected && !matches!(status, 404 | 410)
}

fn moment(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}

/// `skipped by jane: not needed`
fn by_whom(what: &str, by_hand: &ByHand) -> String {
    let by = &by_hand.by;
    match &by_hand.reason {
        Some(reason) => format!("{what} by {by}: {reason}"),
        None => format!("{what} by {by}"),
    }
}

impl Progress {
    /// The start: nothing done of `plan`.
    #[must_use]
    pub fn new(plan: &OrchestrationPlan) -> Self {
        Self::of_tasks(plan.task_flow.iter().map(|task| {
            let needs = task.relationship.iter();
            Needs {
                id: &task.id,
                name: &task.name,
                needs: needs
                    .filter(|it| it.until == Until::Completed)
                    .map(|it| it.task_flow.id.as_str())
                    .collect(),
                ends_wave: task.ends_wave(),
                compensates: task.compensates.as_deref(),
            }
        }))
    }

    /// The start, for these tasks. Of equal ids the last counts.
    #[must_use]
    pub fn of_tasks<'a>(tasks: impl IntoIterator<Item = Needs<'a>>) -> Self {
        let all: Vec<Needs<'a>> = tasks.into_iter().collect();
        let place: HashMap<String, usize> = all
            .iter()
            .enumerate()
            .map(|(at, task)| (task.id.to_owned(), at))
            .collect();
        let mut needed_by = vec![Vec::new(); all.len()];
        let mut undone_by: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, task) in all.iter().enumerate() {
            for before in task.needs.iter().filter_map(|id| place.get(*id)) {
                needed_by[*before].push(at);
            }
            if let Some(undone) = task.compensates.and_then(|id| place.get(id)) {
                undone_by.entry(*undone).or_default().push(at);
            }
        }
        let tasks = all.iter().map(|task| TaskProgress::new(task.id, task.name));
        Self {
            tasks: tasks.collect(),
            place,
            needed_by,
            undone_by,
            releasable: all.iter().map(|task| task.ends_wave).collect(),
            ..Self::default()
        }
    }

    /// Where `plan` stands after `entries`.
    ///
    /// # Errors
    /// The first entry that cannot have happened.
    pub fn replay<'a>(
        plan: &OrchestrationPlan,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Result<Self, IllegalEntry> {
        Self::new(plan).go_through(entries)
    }

    /// Moves on by all of an order's entries; the tasks are those of its last plan.
    ///
    /// # Errors
    /// The first entry that cannot have happened.
    pub fn go_through<'a>(
        mut self,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Result<Self, IllegalEntry> {
        let entries: Vec<&Entry> = entries.into_iter().collect();
        let is_revision = |entry: &&Entry| matches!(entry.event, Event::Revised(_));
        let last = entries.iter().rposition(is_revision);
        self.history = last.is_some();
        for (number, entry) in entries.into_iter().enumerate() {
            self.history &= Some(number) != last;
            self.apply(entry)?;
        }
        Ok(self)
    }

    /// Moves on by one entry. Says which tasks have ended by it, by position: the one that it is
    /// about, then those that are given up with it.
    ///
    /// # Errors
    /// Where the entry cannot have happened; the progress is as it was before.
    pub fn apply(&mut self, entry: &Entry) -> Result<Vec<usize>, IllegalEntry> {
        let ended = self.fold(entry).map_err(|fault| IllegalEntry {
            number: self.entries.saturating_add(1),
            kind: entry.event.kind(),
            task: entry.event.task().map(str::to_owned),
            fault,
        })?;
        self.entries += 1;
        self.changed_at = self.changed_at.max(Some(entry.at));
        Ok(ended)
    }

    fn fold(&mut self, entry: &Entry) -> Result<Vec<usize>, Fault> {
        if let Event::Planned(planned) = &entry.event {
            if self.planned.is_some() {
                return Err(Fault::PlannedTwice);
            }
            self.check_tasks(planned.tasks)?;
            self.planned = Some(planned.clone());
            self.planned_at = Some(entry.at);
            return Ok(Vec::new());
        }
        if self.planned.is_none() {
            return Err(Fault::NotPlanned);
        }
        if let Event::Installed(installed) = &entry.event {
            self.installed.push(installed.inventory.clone());
            return Ok(Vec::new());
        }
        if let Event::Revised(revised) = &entry.event {
            self.check_tasks(revised.tasks)?;
            self.revised_at = Some(entry.at);
            return Ok(self.revise(entry.at, revised));
        }
        let place = entry.event.task().and_then(|id| self.place.get(id));
        let at = match place {
            Some(at) => *at,
            // It is not in the plan any more.
            None if self.history => return Ok(Vec::new()),
            None => return Err(Fault::UnknownTask),
        };
        self.tasks[at].apply(entry.at, &entry.event)?;
        Ok(match self.tasks[at].state {
            TaskState::Completed => {
                self.completed += 1;
                vec![at]
            }
            TaskState::Cancelled => self.give_up(at, entry.at),
            TaskState::New | TaskState::Active | TaskState::Hold => Vec::new(),
        })
    }

    fn check_tasks(&self, entry: u32) -> Result<(), Fault> {
        let plan = self.tasks.len();
        if self.history || usize::try_from(entry).ok() == Some(plan) {
            return Ok(());
        }
        Err(Fault::OtherTasks { entry, plan })
    }

    /// Lets another plan take the place of the one before. Says which tasks have ended by it.
    fn revise(&mut self, at: Timestamp, revised: &Revised) -> Vec<usize> {
        for (to, from) in &revised.moved {
            if let (Some(&to), Some(&from)) = (self.place.get(to), self.place.get(from)) {
                let TaskProgress { id, name, .. } = std::mem::take(&mut self.tasks[to]);
                let was = self.tasks[from].clone();
                self.tasks[to] = TaskProgress { id, name, ..was };
            }
        }
        for id in &revised.anew {
            if let Some(&task) = self.place.get(id) {
                self.tasks[task].begin_anew();
            }
        }
        for task in &mut self.tasks {
            task.settling = false;
        }
        for id in &revised.settled {
            if let Some(&task) = self.place.get(id) {
                self.tasks[task].settle();
            }
        }
        let why = revised.reason.as_deref().unwrap_or("no reason given");
        let why = match revised.kind {
            RevisionKind::Cancel => format!("the order was cancelled: {why}"),
            RevisionKind::Amend => format!("the order was changed: {why}"),
            RevisionKind::Compensate => format!("its bundle is undone: {why}"),
        };
        let mut ended = Vec::new();
        for id in &revised.dropped {
            if let Some(&task) = self.place.get(id)
                && !self.tasks[task].has_ended()
            {
                self.tasks[task].end_without_success(TaskOutcome::Dropped, &why);
                self.tasks[task].changed_at = Some(at);
                ended.push(task);
            }
        }
        // What failed or was dropped is not waited for in the plan as it is now.
        if !self.history {
            for task in 0..self.tasks.len() {
                if self.tasks[task].state == TaskState::Cancelled {
                    ended.extend(self.give_up(task, at).into_iter().skip(1));
                }
            }
        }
        let count = |state| self.tasks.iter().filter(|it| it.state == state).count();
        self.completed = count(TaskState::Completed);
        self.given_up = count(TaskState::Cancelled);
        ended
    }

    /// Gives up, with a task that failed, what cannot be done without it. What ends a wave is held:
    /// a person decides whether the next one begins.
    fn give_up(&mut self, failed: usize, at: Timestamp) -> Vec<usize> {
        let mut ended = vec![failed];
        let unneeded = self.need_not_undo(failed, at);
        if self.history {
            self.given_up += 1;
            ended.extend(unneeded);
            return ended;
        }
        let label = self.tasks[failed].label();
        let word = match self.tasks[failed].outcome {
            Some(TaskOutcome::Dropped) => "is not done any more",
            _ => "failed",
        };
        let reason = format!("needs {label}, which {word}");
        let mut next = 0;
        while let Some(&task) = ended.get(next) {
            for &needs in &self.needed_by[task] {
                let releasable = self.releasable[needs];
                let task = &mut self.tasks[needs];
                if releasable && !task.has_ended() {
                    task.hold(&format!("{reason}: release it, or fail it"));
                    task.changed_at = Some(at);
                } else if !task.has_ended() {
                    task.end_without_success(TaskOutcome::GivenUp, &reason);
                    task.changed_at = Some(at);
                    ended.push(needs);
                }
            }
            next += 1;
        }
        self.given_up += ended.len();
        ended.extend(unneeded);
        ended
    }

    /// Lets what would undo a task be over where it has been found out that there is nothing to be undone.
    /// Says which that is.
    fn need_not_undo(&mut self, settled: usize, at: Timestamp) -> Vec<usize> {
        if !self.tasks[settled].settling {
            return Vec::new();
        }
        let undoing = self.undone_by.get(&settled).cloned().unwrap_or_default();
        let reason = format!("{} was not done", self.tasks[settled].label());
        let mut over = Vec::new();
        for task in undoing {
            let needs_it = self.needed_by[settled].contains(&task);
            let undoing = &mut self.tasks[task];
            if needs_it && !undoing.has_ended() {
                undoing.complete(at);
                undoing.outcome = Some(TaskOutcome::Dropped);
                undoing.reason = Some(reason.clone());
                undoing.changed_at = Some(at);
                self.completed += 1;
                over.push(task);
            }
        }
        over
    }

    /// The plan that was taken on; none where nothing has begun.
    #[must_use]
    pub fn planned(&self) -> Option<&Planned> {
        self.planned.as_ref()
    }

    /// Whether what the order made, changed and removed was written to an installed base once. It
    /// is not written again: later orders may have changed the same things.
    #[must_use]
    pub fn is_installed(&self, inventory: &str) -> bool {
        self.installed.iter().any(|it| it == inventory)
    }

    /// When the plan was taken on.
    #[must_use]
    pub fn planned_at(&self) -> Option<Timestamp> {
        self.planned_at
    }

    /// When its last plan took the place of the one before; none where it is the first one.
    #[must_use]
    pub fn revised_at(&self) -> Option<Timestamp> {
        self.revised_at
    }

    /// When anything last happened.
    #[must_use]
    pub fn changed_at(&self) -> Option<Timestamp> {
        self.changed_at
    }

    /// What the times of its entries are; the system's where nothing has begun.
    #[must_use]
    pub fn clock(&self) -> ClockKind {
        self.planned
            .as_ref()
            .map_or_else(ClockKind::default, |it| it.clock)
    }

    /// The tasks, in the plan's order.
    #[must_use]
    pub fn tasks(&self) -> &[TaskProgress] {
        &self.tasks
    }

    /// The task with this id.
    #[must_use]
    pub fn task(&self, id: &str) -> Option<&TaskProgress> {
        self.place.get(id).map(|&at| &self.tasks[at])
    }

    /// Position of the task with this id.
    #[must_use]
    pub fn place(&self, id: &str) -> Option<usize> {
        self.place.get(id).copied()
    }

    /// How many entries it is the fold of.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// How many tasks are completed.
    #[must_use]
    pub fn completed(&self) -> usize {
        self.completed
    }

    /// Whether every task is, but for those that were dropped when the order was changed.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        if self.given_up == 0 {
            return self.completed == self.tasks.len();
        }
        self.tasks.iter().all(|task| {
            task.state == TaskState::Completed || task.outcome == Some(TaskOutcome::Dropped)
        })
    }

    /// How many tasks failed, or were given up with those that did.
    #[must_use]
    pub fn given_up(&self) -> usize {
        self.given_up
    }

    /// Whether every task has ended, however.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.completed + self.given_up == self.tasks.len()
    }

    /// The tasks that failed, in the plan's order; not those that were given up with them.
    pub fn failed(&self) -> impl Iterator<Item = &TaskProgress> {
        self.tasks
            .iter()
            .filter(|task| task.outcome == Some(TaskOutcome::Failed))
    }

    /// The tasks on hold, in the plan's order.
    pub fn held(&self) -> impl Iterator<Item = &TaskProgress> {
        self.tasks
            .iter()
            .filter(|task| task.state == TaskState::Hold)
    }
}

#[cfg(test)]
mod tests;
