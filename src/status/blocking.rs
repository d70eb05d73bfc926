//! What an order stands still for: the tasks that wait for no other one, what
//! each of them waits for, and what goes on from there.
//!
//! Everything else waits for these. Of a long list the first are told.

use std::collections::HashMap;

use jiff::Timestamp;

use super::RunStanding;
use super::next::Next;
use super::summary::waiting_for;
use crate::journal::entry::Failure;
use crate::journal::{Progress, TaskProgress};
use crate::model::state::TaskState;
use crate::plan::flow::TaskKind;
use crate::progress::PlanTask;

/// So many are told.
pub const TOLD: usize = 10;

/// Who does what is to be done at a later moment.
const RUN_THAT_STAYS: &str =
    "the run of `orderctl activate` that is under way, if it stays until then";

/// Longest text of an answer, in characters.
const LONGEST: usize = 200;

/// What is known about an order beside its documents.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// How far it has come, as the journal says.
    pub progress: Option<&'a Progress>,
    /// What commands have to be given to find the journal.
    pub journal: Option<&'a str>,
    /// Whether a run is at work on it, where that is known: documents do not say.
    pub run: Option<&'a RunStanding>,
}

impl Known<'_> {
    /// That a task is asked about or sent again of which nothing is under way, and when; and why.
    pub(super) fn tried_later(&self, task: &PlanTask<'_>) -> Option<(String, String)> {
        let known = self.progress?.task(&task.id)?;
        let at = known.retry_at.filter(|_| known.is_tried_later())?;
        let what = if known.is_unsettled() {
            "asked about"
        } else {
            "tried again"
        };
        let reason = shortened(known.reason.as_deref().unwrap_or_default());
        Some((format!("{what} at {at}"), reason))
    }

    /// Whether it is known that no run is at work on it.
    pub(super) fn is_nobody_at_work(&self) -> bool {
        self.run == Some(&RunStanding::Nobody)
    }

    /// That the request of a task came to nothing, and is sent once more without waiting for anything.
    pub(super) fn is_sent_again(&self, task: &PlanTask<'_>) -> bool {
        let known = self.progress.and_then(|it| it.task(&task.id));
        let is_settled = known.is_some_and(|it| !it.is_unsettled() && it.retry_at.is_none());
        task.state == TaskState::Active && self.run.is_some() && is_settled
    }

    /// That nobody waits for what comes of a task that has begun, and nothing more happens to it by itself.
    pub(super) fn is_left(&self, task: &PlanTask<'_>) -> bool {
        let known = self.progress.and_then(|it| it.task(&task.id));
        // What its endpoint has accepted goes on there.
        let is_left =
            known.is_some_and(|it| it.is_unsettled() && !it.is_tried_later() && !it.is_at_work());
        task.state == TaskState::Active && self.is_nobody_at_work() && is_left
    }
}

/// What an order stands still for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocking {
    /// How many tasks wait for no other one.
    pub total: usize,
    /// The first of them: those that somebody has to do something about come first.
    pub tasks: Vec<BlockingTask>,
}

/// A task that waits for no other one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockingTask {
    /// Id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Name of the endpoint; empty where there is none.
    pub endpoint: String,
    /// What it waits for.
    pub waits_for: WaitsFor,
    /// Since when, as far as the journal says.
    pub since: Option<Timestamp>,
    /// How many requests were sent for it, as far as the journal says.
    pub attempts: Option<u32>,
    /// When it is asked or sent again by itself.
    pub retry_at: Option<Timestamp>,
    /// The request that it sends: method and path.
    pub request: Option<(String, String)>,
    /// The last answer, where the last request came to nothing.
    pub answer: Option<Answer>,
    /// How many tasks wait for it, over any number of others.
    pub holds_up: usize,
    /// What happens next, and when.
    pub next: String,
    /// What a person can do: commands as they are typed.
    pub commands: Vec<String>,
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// Whether nobody knows whether it had its effect.
    pub unknown: bool,
    /// In words, shortened.
    pub reason: String,
}

/// What a task waits for. In the sequence in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitsFor {
    /// That somebody mends what it is held for.
    Decision,
    /// That somebody says that it is done.
    Person,
    /// That somebody lets the next wave begin.
    Release,
    /// That somebody starts a run, which finds out what came of its request.
    Run,
    /// An answer.
    Answer,
    /// A moment.
    Moment(Timestamp),
    /// Nothing but being begun.
    Start,
}

impl WaitsFor {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Person => "person",
            Self::Release => "release",
            Self::Run => "run",
            Self::Answer => "answer",
            Self::Moment(_) => "moment",
            Self::Start => "start",
        }
    }

    fn of(task: &PlanTask<'_>, next: &Next<'_>, known: Known<'_>) -> Self {
        match (task.state, next.not_before, task.kind) {
            (TaskState::Hold, ..) => Self::Decision,
            (TaskState::New, Some(at), _) => Self::Moment(at),
            (TaskState::New, None, TaskKind::Manual) if task.ends_wave => Self::Release,
            (TaskState::New, None, TaskKind::Manual) => Self::Person,
            (TaskState::New, None, TaskKind::Activation | TaskKind::Milestone) => Self::Start,
            _ if known.is_left(task) => Self::Run,
            _ if known.is_sent_again(task) => Self::Start,
            _ => Self::Answer,
        }
    }
}

impl Blocking {
    /// Of these tasks of an order.
    pub(super) fn of(tasks: &[PlanTask<'_>], order: &str, known: Known<'_>) -> Self {
        let by_id: HashMap<&str, &PlanTask<'_>> =
            tasks.iter().map(|task| (&*task.id, task)).collect();
        let find = |id: &str| by_id.get(id).copied();
        let mut frontier: Vec<(WaitsFor, &PlanTask<'_>)> = tasks
            .iter()
            .filter(|task| !task.state.successors().is_empty())
            .filter_map(|task| {
                let next = Next::of(task, find);
                let is_free = task.state != TaskState::New || next.waits_for.is_empty();
                is_free.then(|| (WaitsFor::of(task, &next, known), task))
            })
            .collect();
        frontier.sort_by_key(|(waits_for, _)| *waits_for);
        let told = frontier.iter().take(TOLD).map(|&(waits_for, task)| {
            let view = View {
                task,
                order,
                known,
                progress: known.progress.and_then(|it| it.task(&task.id)),
            };
            view.told(waits_for, tasks)
        });
        Self {
            total: frontier.len(),
            tasks: told.collect(),
        }
    }
}

/// A task as it is told.
struct View<'a> {
    task: &'a PlanTask<'a>,
    order: &'a str,
    known: Known<'a>,
    progress: Option<&'a TaskProgress>,
}

impl View<'_> {
    fn told(&self, waits_for: WaitsFor, tasks: &[PlanTask<'_>]) -> BlockingTask {
        let task = self.task;
        let request = task.node.get("request");
        let text = |key| {
            request
                .and_then(|it| it.text(key))
                .map(std::borrow::Cow::into_owned)
        };
        BlockingTask {
            id: task.id.to_string(),
            name: task.name.to_string(),
            endpoint: task.endpoint.to_string(),
            waits_for,
            since: self.since(),
            attempts: self.progress.map(|it| it.sent),
            retry_at: self.progress.and_then(|it| it.retry_at),
            request: text("method").zip(text("path")),
            answer: self.answer(),
            holds_up: waiting_for(tasks, &[task]),
            next: self.next(waits_for),
            commands: self.commands(waits_for),
        }
    }

    /// Since when it waits for what it waits for: since it last moved on, or since the last task
    /// that it waited for ended.
    fn since(&self) -> Option<Timestamp> {
        let progress = self.known.progress?;
        if let Some(changed) = self.progress.and_then(|it| it.changed_at) {
            return Some(changed);
        }
        let before = self.task.waits_for.iter();
        let ends = before.filter_map(|it| progress.task(&it.id)?.changed_at);
        ends.max().or(progress.planned_at())
    }

    fn answer(&self) -> Option<Answer> {
        let progress = self.progress?;
        let failure = progress.failure?;
        Some(Answer {
            status: progress.status,
            unknown: failure == Failure::Unknown,
            reason: shortened(progress.reason.as_deref().unwrap_or_default()),
        })
    }

    fn next(&self, waits_for: WaitsFor) -> String {
        let is_late = self.progress.is_some_and(|it| it.window_missed);
        let is_unknown = self.answer().is_some_and(|it| it.unknown);
        match waits_for {
            WaitsFor::Decision if is_late => {
                "nothing by itself: its window is over, and a person has to decide".to_owned()
            }
            WaitsFor::Decision if is_unknown => {
                "the next `orderctl activate` of the order asks what came of it, where its endpoint \
                 can be asked; else a person finds out"
                    .to_owned()
            }
            WaitsFor::Decision => {
                "the next `orderctl activate` of the order tries it again".to_owned()
            }
            WaitsFor::Person => "nothing by itself: a person says that it is done".to_owned(),
            WaitsFor::Release => "nothing by itself: a person lets the next wave begin".to_owned(),
            WaitsFor::Run => "nothing by itself, nobody is at work on the order: the next `orderctl activate` \
                              of it finds out what came of the request, and goes on"
                .to_owned(),
            WaitsFor::Answer => self.after_answer(is_unknown),
            WaitsFor::Moment(at) => format!(
                "begins at {at}, by a run with --wait, or by the first `orderctl activate` of the \
                 order after that"
            ),
            WaitsFor::Start => match self.known.run {
                None => {
                    "a run of `orderctl activate` begins with it; where none is under way, the next one"
                }
                Some(RunStanding::Nobody) => {
                    "nobody is at work on the order: the next `orderctl activate` of it begins with it"
                }
                Some(RunStanding::Process(_)) => {
                    "the run of `orderctl activate` that is under way begins with it"
                }
            }
            .to_owned(),
        }
    }

    /// What happens next to a task that waits for an answer, or for the moment of its next request.
    fn after_answer(&self, is_unknown: bool) -> String {
        let is_at_work = self.progress.is_some_and(TaskProgress::is_at_work);
        let again = if is_unknown {
            "asked about"
        } else {
            "tried again"
        };
        match (self.progress.and_then(|it| it.retry_at), self.known.run) {
            (Some(_), Some(RunStanding::Nobody)) if is_at_work => {
                "nobody is at work on the order: the next `orderctl activate` of it asks at once".to_owned()
            }
            (Some(at), _) if is_at_work => {
                format!("asked about at {at}, by {RUN_THAT_STAYS}, or by the next one at once")
            }
            (Some(at), Some(RunStanding::Nobody)) => {
                format!("{again} at {at}, by the first `orderctl activate` of the order after that")
            }
            (Some(at), _) => {
                format!("{again} at {at}, by {RUN_THAT_STAYS}, or by the first one after that")
            }
            (None, Some(RunStanding::Process(_))) => {
                "the run of `orderctl activate` that sent the request goes on with its answer".to_owned()
            }
            (None, Some(RunStanding::Nobody)) => {
                "nobody is at work on the order: the next `orderctl activate` of it finds out what came of it"
                    .to_owned()
            }
            (None, None) => {
                "the run of `orderctl activate` that sent the request goes on with its answer; where none \
                 is under way, the next one finds out what came of it"
                    .to_owned()
            }
        }
    }

    /// Whether nothing is under way, and it is asked or sent again at a later moment.
    fn is_tried_later(&self) -> bool {
        self.progress.is_some_and(TaskProgress::is_tried_later)
    }

    /// Whether it is not known what came of its request.
    fn is_unsettled(&self) -> bool {
        self.progress.is_some_and(TaskProgress::is_unsettled)
    }

    /// Whether its request was refused, and could be sent with other characteristics.
    fn may_be_set(&self) -> bool {
        let body = self.task.node.get("request").and_then(|it| it.get("body"));
        let sends = body.is_some_and(|it| it.list("resourceCharacteristic").next().is_some());
        let was_done = |it: &TaskProgress| it.may_have_had_effect();
        sends && self.task.gate.is_none() && !self.progress.is_none_or(was_done)
    }

    fn commands(&self, waits_for: WaitsFor) -> Vec<String> {
        let may_be_tried = self.progress.is_some_and(|it| !it.window_missed);
        let deeds: &[&str] = match (waits_for, self.task.kind) {
            (WaitsFor::Answer, _) if self.is_tried_later() && self.may_be_set() => {
                &["retry", "set", "skip", "fail"]
            }
            (WaitsFor::Answer, _) if self.is_tried_later() && self.is_unsettled() => {
                &["complete", "retry", "skip", "fail"]
            }
            (WaitsFor::Answer, _) if self.is_tried_later() => &["retry", "skip", "fail"],
            (WaitsFor::Run, _) => &["complete", "retry", "skip", "fail"],
            (WaitsFor::Answer | WaitsFor::Start, _) => &[],
            (WaitsFor::Decision, TaskKind::Activation) if may_be_tried && self.may_be_set() => {
                &["retry", "set", "complete", "skip", "fail"]
            }
            (WaitsFor::Decision, TaskKind::Activation) if may_be_tried => {
                &["retry", "complete", "skip", "fail"]
            }
            (WaitsFor::Decision, TaskKind::Activation | TaskKind::Manual)
            | (WaitsFor::Person, _) => &["complete", "skip", "fail"],
            (WaitsFor::Release, _) | (_, TaskKind::Milestone) => &["release", "fail"],
            (WaitsFor::Moment(_), _) => &["skip", "fail"],
        };
        let command = |deed: &&str| {
            let mut words = vec!["orderctl".to_owned(), "task".to_owned(), (*deed).to_owned()];
            words.extend([quoted(self.order), quoted(&self.task.id)]);
            if *deed == "set" {
                words.push("NAME=VALUE".to_owned());
            }
            if matches!(*deed, "skip" | "fail" | "retry" | "set") {
                words.push("--reason '…'".to_owned());
            }
            if let Some(journal) = self.known.journal {
                words.push(format!("--journal {}", quoted(journal)));
            }
            words.join(" ")
        };
        deeds.iter().map(command).collect()
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) && !word.starts_with('-') {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        for (word, expected) in [
            ("ORD-7", "ORD-7"),
            ("", "''"),
            ("-x", "'-x'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
            ("a;b", "'a;b'"),
            ("ü", "'ü'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn a_long_answer_is_shortened() {
        assert_eq!(shortened("no"), "no");
        let long = shortened(&"ä".repeat(999));
        assert_eq!(long.chars().count(), LONGEST + 1);
    }
}
