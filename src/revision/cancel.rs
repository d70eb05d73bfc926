//! Orders that are cancelled, and bundles that are undone because a task of
//! theirs has failed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::undo::{self, Undoing};
use super::{Pin, Pinned, Refusal, Standing, check, revised};
use crate::journal::TaskProgress;
use crate::model::state::TaskState;
use crate::plan::flow::{
    Disposition, OnFailure, OrchestrationPlan, RevisionKind, TaskFlow, TaskOutcome, Until,
};

/// The plan that cancels an order: what was done is undone, what was not is dropped.
///
/// # Errors
/// Where the order has ended, is past the point of no return, or cannot be revised now.
pub fn cancel(
    standing: Standing<'_>,
    reason: Option<String>,
    pinned: Pinned,
) -> Result<OrchestrationPlan, Refusal> {
    check(standing, RevisionKind::Cancel)?;
    let pins = pins(standing);
    let kept: BTreeSet<&str> = match pinned {
        Pinned::Refuse if !pins.is_empty() => {
            return Err(Refusal::Pinned(pins.into_values().collect()));
        }
        Pinned::Refuse | Pinned::Force => BTreeSet::new(),
        Pinned::Keep => pins.keys().map(String::as_str).collect(),
    };
    let tasks = &standing.plan.task_flow;
    let all = tasks
        .iter()
        .flat_map(|task| standing.bundles.of_task(&task.id));
    let bundles: BTreeSet<&str> = all.filter(|bundle| !kept.contains(bundle)).collect();
    if bundles.is_empty() {
        return Err(Refusal::Pinned(pins.into_values().collect()));
    }
    let mut plan = undone(standing, RevisionKind::Cancel, reason, &bundles)?;
    let mut dispositions = plan.task_flow.iter().map(|it| it.disposition);
    let keeps_all = dispositions.all(|it| matches!(it, Some(Disposition::Keep) | None));
    if !kept.is_empty() && keeps_all {
        return Err(Refusal::Pinned(pins.into_values().collect()));
    }
    if let Some(revision) = &mut plan.revision {
        revision.partly = !kept.is_empty();
    }
    plan.digest.plan = crate::plan::plan_digest(&plan);
    Ok(plan)
}

/// The tasks that failed in such a way that their bundles are to be undone, which has not begun yet.
#[must_use]
pub fn pending(plan: &OrchestrationPlan, standing: &crate::journal::Progress) -> Vec<String> {
    let is_pending = |task: &&TaskProgress| {
        task.outcome == Some(TaskOutcome::Failed) && task.on_failure == Some(OnFailure::Compensate)
    };
    let is_new = |task: &&TaskProgress| {
        let known = plan.task_flow.iter().find(|it| it.id == task.id);
        known.is_none_or(|it| it.disposition != Some(Disposition::Keep))
    };
    let failed = standing.failed().filter(is_pending).filter(is_new);
    failed.map(|task| task.id.clone()).collect()
}

/// The plan that undoes the bundles of tasks that failed. What another bundle needs as well, and
/// bundles past the point of no return, stay.
///
/// # Errors
/// Where all of them are past it, or nobody knows what came of a task.
pub fn compensate(standing: Standing<'_>, failed: &[String]) -> Result<OrchestrationPlan, Refusal> {
    let pins = pins(standing);
    let task_of = |id: &String| standing.plan.task_flow.iter().find(|task| task.id == *id);
    let names: Vec<String> = failed
        .iter()
        .filter_map(task_of)
        .map(|task| format!("{} ({}) failed", task.name, task.id))
        .collect();
    let bundles = failed.iter().flat_map(|id| standing.bundles.of_task(id));
    let bundles: BTreeSet<&str> = bundles.filter(|it| !pins.contains_key(*it)).collect();
    if bundles.is_empty() {
        return Err(Refusal::Pinned(pins.into_values().collect()));
    }
    let mut plan = undone(
        standing,
        RevisionKind::Compensate,
        Some(names.join(", ")),
        &bundles,
    )?;
    // Done with: they are not undone a second time.
    for task in &mut plan.task_flow {
        if failed.contains(&task.id) {
            task.disposition = Some(Disposition::Keep);
        }
    }
    plan.digest.plan = crate::plan::plan_digest(&plan);
    Ok(plan)
}

/// The bundles that are past the point of no return, each with the first task that pins it.
fn pins(standing: Standing<'_>) -> BTreeMap<String, Pin> {
    let mut pins = BTreeMap::new();
    for task in &standing.plan.task_flow {
        let Some(known) = standing.progress.task(&task.id) else {
            continue;
        };
        if !is_past_return(task, known) {
            continue;
        }
        for bundle in standing.bundles.of_task(&task.id) {
            let since = known.started_at.or(known.finished_at);
            pins.entry(bundle.to_owned()).or_insert_with(|| Pin {
                bundle: bundle.to_owned(),
                task: task.id.clone(),
                name: task.name.clone(),
                since: since.unwrap_or_default().to_string(),
            });
        }
    }
    pins
}

/// Whether there is no way back behind a task: it was begun, whatever came of it.
pub(super) fn is_past_return(task: &TaskFlow, known: &TaskProgress) -> bool {
    let done = known.state == TaskState::Completed
        && !matches!(
            known.outcome,
            Some(TaskOutcome::Skipped | TaskOutcome::Released)
        );
    task.point_of_no_return && (known.point_of_no_return || known.attempts > 0 || done)
}

/// What undoing means for a task.
pub(super) enum Fate {
    /// It is undone by a request.
    Undo,
    /// It is under way: what comes of it is found out first, then it is undone; where that is not `ended`
    /// but `completed`, only if it was done.
    Settle(Until),
    /// It is not begun or gone on with any more.
    Drop,
    /// It stays, and why.
    Keep(String),
}

/// What becomes of a task that is not wanted any more.
///
/// # Errors
/// Where nobody knows whether there is something to be undone, and trying would do harm.
pub(super) fn fate(task: &TaskFlow, known: &TaskProgress) -> Result<Fate, Refusal> {
    match (known.state, known.outcome) {
        (TaskState::Completed, Some(TaskOutcome::Skipped | TaskOutcome::Released)) => {
            return Ok(Fate::Keep("it was not done".to_owned()));
        }
        (TaskState::Completed, _) => {
            return Ok(match undo::request(task, known) {
                Some(_) => Fate::Undo,
                None => Fate::Keep(undo::why_not(task)),
            });
        }
        _ => {}
    }
    let is_settled = known.has_ended() || !known.may_have_had_effect();
    // It was done before, and is not done again yet.
    if task.disposition == Some(Disposition::Redo) {
        return Ok(match undo::request(task, known) {
            Some(_) if is_settled => Fate::Undo,
            Some(_) => Fate::Settle(Until::Ended),
            None => Fate::Keep(undo::why_not(task)),
        });
    }
    if known.may_have_had_effect() && undo::is_harmless(task) {
        return Ok(if is_settled {
            Fate::Undo
        } else {
            Fate::Settle(Until::Completed)
        });
    }
    if known.state == TaskState::Cancelled && !known.is_unsettled() {
        return Ok(Fate::Keep("it has ended without effect".to_owned()));
    }
    // What only asks something has no effect.
    if known.may_have_had_effect() && task.gate.is_none() {
        return Err(Refusal::InDoubt {
            task: task.id.clone(),
        });
    }
    Ok(Fate::Drop)
}

/// The plan in which these bundles are undone.
fn undone(
    standing: Standing<'_>,
    kind: RevisionKind,
    reason: Option<String>,
    bundles: &BTreeSet<&str>,
) -> Result<OrchestrationPlan, Refusal> {
    let Standing {
        plan,
        progress,
        bundles: known_bundles,
    } = standing;
    let mut tasks = plan.task_flow.clone();
    let compensated = plan.task_flow.iter();
    let compensated: HashSet<&str> = compensated
        .filter_map(|task| task.compensates.as_deref())
        .collect();
    let mut undone = HashSet::new();
    let mut settled = HashMap::new();
    for (task, before) in tasks.iter_mut().zip(&plan.task_flow) {
        task.disposition = Some(Disposition::Keep);
        let known = progress.task(&task.id).cloned().unwrap_or_default();
        let of_task = known_bundles.of_task(&task.id);
        if !of_task.iter().all(|it| bundles.contains(it)) {
            // Another bundle needs it, or it is in another one.
            if !known.has_ended() {
                task.disposition = None;
            }
            if kind == RevisionKind::Cancel {
                let others = of_task.difference(bundles).copied().collect::<Vec<_>>();
                let others = others.join(", ");
                task.why = Some(format!(
                    "it is part of item {others}, which is past the point of no return"
                ));
            }
            continue;
        }
        // What undoes something goes on, and what it undoes stays.
        if before.compensates.is_some() || compensated.contains(before.id.as_str()) {
            if !known.has_ended() {
                task.disposition = before.disposition;
            }
            continue;
        }
        match fate(before, &known)? {
            Fate::Drop => task.disposition = Some(Disposition::Drop),
            Fate::Undo => {
                undone.insert(before.id.as_str());
                if !known.has_ended() {
                    task.disposition = Some(Disposition::Drop);
                }
            }
            Fate::Settle(until) => {
                undone.insert(before.id.as_str());
                settled.insert(before.id.as_str(), until);
                task.disposition = Some(Disposition::Settle);
                // What it waited for was over when it began, and may be begun anew and dropped since.
                task.relationship.clear();
            }
            Fate::Keep(why) => {
                if known.state == TaskState::Completed {
                    task.why = Some(why);
                }
            }
        }
    }
    let undoing = Undoing {
        settled,
        ..Undoing::of(standing)
    };
    tasks.extend(undoing.tasks(&undone));
    Ok(revised(standing, kind, reason, tasks))
}
