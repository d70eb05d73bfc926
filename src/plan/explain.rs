//! Why a task is in a plan, what it waits for and what waits for it: for people,
//! and as a document.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use foldhash::HashMap;
use jiff::Timestamp;
use serde::Serialize;

use super::bulk::Lots;
use super::flow::{
    Compensation, OnFailure, OrchestrationPlan, TaskFlow, TaskFlowRelationship, TaskKind, Until,
    Window,
};
use super::schedule::{count_for_people, duration, duration_for_people};
use crate::diagnostic::human::printable;
use crate::diagnostic::suggestion::closest;

/// More neighbours than this are shown to people in lots.
const FEW: usize = 8;

/// A task, explained.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation<'p> {
    /// Always `TaskExplanation`.
    #[serde(rename = "@type")]
    type_name: &'static str,
    /// Version of this format, `major.minor`.
    format_version: &'static str,
    /// Id of the plan.
    plan: &'p str,
    /// The task, as the plan has it.
    task: &'p TaskFlow,
    /// Whether the critical path goes through it.
    on_critical_path: bool,
    /// Earliest start, RFC 3339, where the start of the plan is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    earliest_start: Option<String>,
    /// Latest start that does not delay the order, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_start: Option<String>,
    /// The tasks that it waits for.
    waits_for: Vec<Neighbour<'p>>,
    /// The tasks that wait for it.
    waited_for_by: Vec<Neighbour<'p>>,
    #[serde(skip)]
    all: &'p OrchestrationPlan,
}

/// A task before or after another one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Neighbour<'p> {
    id: &'p str,
    name: &'p str,
    kind: TaskKind,
    /// What it is about: its gate or its specification, else what kind of work it is.
    about: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lag: Option<&'p str>,
    #[serde(skip_serializing_if = "Until::is_completed")]
    until: Until,
    #[serde(skip)]
    position: usize,
}

/// Why no task can be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// No task has the id or name; the nearest that there is.
    Unknown(Option<String>),
    /// Several tasks have the name; some of their ids.
    Several(Vec<String>),
}

/// Explains the task of an id, or of a name that only one task has.
///
/// # Errors
/// See [`NotFound`].
pub fn explain<'p>(plan: &'p OrchestrationPlan, wanted: &str) -> Result<Explanation<'p>, NotFound> {
    let tasks = &plan.task_flow;
    let by_id = tasks.iter().position(|task| task.id == wanted);
    let position = match by_id {
        Some(position) => position,
        None => named(plan, wanted)?,
    };
    let task = &tasks[position];
    let positions: HashMap<&str, usize> = tasks
        .iter()
        .enumerate()
        .map(|(position, task)| (task.id.as_str(), position))
        .collect();
    let waits = task.relationship.iter().filter_map(|wait| {
        let position = *positions.get(wait.task_flow.id.as_str())?;
        Some(Neighbour::of(tasks, position, wait))
    });
    let after = tasks.iter().enumerate().flat_map(|(position, other)| {
        let waits = other.relationship.iter();
        let waits = waits.filter(|wait| wait.task_flow.id == task.id);
        waits.map(move |wait| Neighbour::of(tasks, position, wait))
    });
    let start = plan.schedule.start.as_ref();
    let start: Option<Timestamp> = start.and_then(|text| text.parse().ok());
    let moment = |after: &str| Some(start?.checked_add(duration(after)?).ok()?.to_string());
    Ok(Explanation {
        type_name: "TaskExplanation",
        format_version: "1.0",
        plan: &plan.id,
        task,
        on_critical_path: plan.schedule.critical_path.contains(&task.id),
        earliest_start: moment(&task.earliest_start),
        latest_start: moment(&task.latest_start),
        waits_for: waits.collect(),
        waited_for_by: after.collect(),
        all: plan,
    })
}

fn named(plan: &OrchestrationPlan, wanted: &str) -> Result<usize, NotFound> {
    let tasks = &plan.task_flow;
    match plan.called(wanted).as_slice() {
        [] => {
            let known = tasks.iter().flat_map(|task| [&*task.id, &*task.name]);
            Err(NotFound::Unknown(closest(wanted, known).map(str::to_owned)))
        }
        [only] => Ok(*only),
        several => {
            let some = several.iter().take(FEW);
            Err(NotFound::Several(
                some.map(|it| tasks[*it].id.clone()).collect(),
            ))
        }
    }
}

impl<'p> Neighbour<'p> {
    fn of(tasks: &'p [Box<TaskFlow>], position: usize, wait: &'p TaskFlowRelationship) -> Self {
        let task = &tasks[position];
        let about = task.gate.as_deref().or(task.specification.as_deref());
        Neighbour {
            id: &task.id,
            name: &task.name,
            kind: task.kind,
            about: about.unwrap_or(match task.kind {
                TaskKind::Activation => "activation",
                TaskKind::Manual => "by hand",
                TaskKind::Milestone => "milestone",
            }),
            lag: wait.lag.as_deref(),
            until: wait.until,
            position,
        }
    }

    fn condition(&self) -> String {
        let mut condition = String::new();
        if let Some(lag) = self.lag {
            let _ = write!(condition, ", {} after its end", duration_for_people(lag));
        }
        if self.until == Until::Ended {
            condition.push_str(", even if it fails");
        }
        condition
    }
}

impl Explanation<'_> {
    /// The explanation for people: a heading, then a line for each thing there is to say.
    pub fn for_people(&self) -> String {
        let task = self.task;
        let mut page = Page(format!(
            "{}: {}\n",
            printable(&task.id),
            printable(&task.name)
        ));
        page.say("why", task.why.as_deref().unwrap_or_default());
        self.items(&mut page);
        if let Some(wave) = &task.rollout_wave {
            page.say("wave", wave);
        }
        page.say("work", &work(task));
        if task.kind != TaskKind::Milestone {
            page.say("takes", &takes(task));
        }
        self.neighbours(&mut page, "waits for", &self.waits_for);
        self.neighbours(&mut page, "holds up", &self.waited_for_by);
        if let Some(window) = &task.window {
            page.say("window", &span(window));
        }
        if task.point_of_no_return {
            page.say("no return", "once it has started it cannot be undone");
        }
        match &task.compensation {
            Some(Compensation::Request(request)) => {
                let undone = format!("{} {}", request.method.name(), request.path);
                page.say("undone by", &undone);
            }
            Some(Compensation::None(reason)) => {
                page.say("undone by", &format!("nothing: {reason}"));
            }
            None => {}
        }
        let failing = match (task.kind, task.on_failure) {
            (TaskKind::Milestone, _) => "",
            (TaskKind::Manual, _) | (_, Some(OnFailure::Hold)) => "it waits for somebody",
            (_, None) => "it waits for somebody, unless its endpoint says otherwise",
            (_, Some(OnFailure::Fail)) => "it and its item fail, and others go on",
            (_, Some(OnFailure::Compensate)) => {
                "it and its item fail, and what its bundle has done is undone"
            }
            (_, Some(OnFailure::Skip)) => "it is left out, and what waits for it goes on",
            (_, Some(OnFailure::Stop)) => "it waits for somebody, and nothing else is begun",
        };
        page.say("on failure", failing);
        page.say("starts", &self.starts());
        page.say("path", self.path());
        page.0
    }

    /// The order item that it is for, and what that realizes.
    fn items(&self, page: &mut Page) {
        let related = &self.task.related_entity;
        let of = |role: &str| {
            let ids = related.iter().filter(|it| it.role == role);
            let mut ids: Vec<&str> = ids.map(|it| it.id.as_str()).collect();
            let more = ids.len().saturating_sub(FEW);
            ids.truncate(FEW);
            let more = if more > 0 {
                format!(" and {} more", count_for_people(more))
            } else {
                String::new()
            };
            (!ids.is_empty()).then(|| format!("{}{more}", ids.join(", ")))
        };
        if let Some(item) = of("orderItem") {
            let action = self.task.action.as_ref();
            let action = action.map_or(String::new(), |action| format!(" ({action})"));
            let realizes = of("realizes").map_or(String::new(), |it| format!(", realizes {it}"));
            page.say("item", &format!("{item}{action}{realizes}"));
        }
    }

    fn neighbours(&self, page: &mut Page, title: &str, neighbours: &[Neighbour<'_>]) {
        if neighbours.is_empty() {
            page.say(title, "nothing");
            return;
        }
        if neighbours.len() <= FEW {
            for neighbour in neighbours {
                let Neighbour {
                    id, name, about, ..
                } = neighbour;
                let condition = neighbour.condition();
                page.say(title, &format!("{name} ({id}, {about}){condition}"));
            }
            return;
        }
        let lots = Lots::of(self.all);
        let mut counts: BTreeMap<(usize, String), usize> = BTreeMap::new();
        for neighbour in neighbours {
            let lot = lots.of[neighbour.position];
            *counts.entry((lot, neighbour.condition())).or_default() += 1;
        }
        for (shown, ((lot, condition), count)) in counts.iter().enumerate() {
            if shown == FEW {
                let more = count_for_people(counts.len() - FEW);
                page.say(title, &format!("and {more} more"));
                break;
            }
            let name = &lots.lots[*lot].name;
            if lots.lots[*lot].count == 1 {
                let TaskFlow { id, name, .. } = &*self.all.task_flow[lots.lots[*lot].first];
                page.say(title, &format!("{name} ({id}){condition}"));
            } else {
                page.say(
                    title,
                    &format!("{name} × {}{condition}", count_for_people(*count)),
                );
            }
        }
    }

    fn starts(&self) -> String {
        let task = self.task;
        let after = |iso: &str| match duration(iso) {
            Some(length) if !length.is_zero() => {
                format!("{} after the beginning", duration_for_people(iso))
            }
            _ => "at the beginning".to_owned(),
        };
        let at = |moment: &Option<String>| {
            moment
                .as_ref()
                .map_or(String::new(), |moment| format!(" ({moment})"))
        };
        let earliest = format!(
            "{}{}",
            after(&task.earliest_start),
            at(&self.earliest_start)
        );
        if task.critical {
            return format!("{earliest}, without slack");
        }
        format!(
            "{earliest}, at the latest {}{}: {} of slack",
            after(&task.latest_start),
            at(&self.latest_start),
            duration_for_people(&task.slack)
        )
    }

    fn path(&self) -> &'static str {
        match (self.on_critical_path, self.task.critical) {
            (true, _) => "it is on the critical path",
            (false, true) => "it is not on the critical path, but as long as that",
            (false, false) => "it is not on the critical path",
        }
    }
}

fn work(task: &TaskFlow) -> String {
    match (&task.request, task.kind) {
        (Some(request), _) => format!(
            "{} {} at {}",
            request.method.name(),
            request.path,
            task.endpoint.as_deref().unwrap_or_default()
        ),
        (None, TaskKind::Milestone) => "none: it is reached when all before it is done".to_owned(),
        (None, _) => "by hand: somebody says when it is done".to_owned(),
    }
}

fn takes(task: &TaskFlow) -> String {
    let expected = duration_for_people(&task.duration);
    let Some(estimate) = &task.estimate else {
        return expected;
    };
    let named = [
        ("at best", estimate.optimistic.as_ref()),
        ("most likely", Some(&estimate.most_likely)),
        ("at worst", estimate.pessimistic.as_ref()),
    ];
    let named = named.into_iter();
    let named: Vec<String> = named
        .filter_map(|(name, iso)| Some(format!("{name} {}", duration_for_people(iso?))))
        .collect();
    format!("{expected} ({})", named.join(", "))
}

fn span(window: &Window) -> String {
    match (&window.start, &window.end) {
        (Some(start), Some(end)) => format!("from {start}, before {end}"),
        (Some(start), None) => format!("from {start}"),
        (None, Some(end)) => format!("before {end}"),
        (None, None) => String::new(),
    }
}

/// Lines of a title and a text; a title that was said last is not said again.
struct Page(String);

impl Page {
    fn say(&mut self, title: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let start = format!("  {title:<11}");
        let last = self.0.lines().rev().find(|line| !line.starts_with("   "));
        let said = last.is_some_and(|line| line.starts_with(&start));
        let title = if said { "" } else { title };
        let _ = writeln!(self.0, "  {title:<11}{}", printable(text));
    }
}
