//! Which plan an order is carried out by: the one given, or one that has taken
//! its place since. Pure.

use std::sync::Arc;

use super::engine::ActivateError;
use crate::document::{Document, SharedText};
use crate::journal::entry::{Event, Revised};
use crate::journal::{Entry, Progress, revised};
use crate::plan::flow::OrchestrationPlan;
use crate::revision::{self, Bundles, Refusal, Standing};

/// The plan that counts, and what it is.
#[derive(Debug)]
pub(super) enum Adopted {
    /// The one given, as the journal has it.
    Given,
    /// The one given takes the place of that in the journal.
    Revision(Revised),
    /// One that has taken the place of the one given.
    Stored {
        plan: Arc<OrchestrationPlan>,
        documents: Vec<SharedText>,
    },
}

/// Finds out which plan counts, by the entries of the order.
///
/// # Errors
/// Where the order was begun with another plan, or has moved on since the revision was made.
pub(super) fn adopt(
    given: &OrchestrationPlan,
    documents: &[SharedText],
    entries: &[Entry],
) -> Result<Adopted, ActivateError> {
    let order = || {
        super::engine::root_order(given)
            .unwrap_or_default()
            .to_owned()
    };
    let Some(Event::Planned(planned)) = entries.first().map(|entry| &entry.event) else {
        return Ok(Adopted::Given);
    };
    let last = revised(entries);
    let current = last.map_or(&planned.plan_digest, |it| &it.plan_digest);
    if *current == given.digest.plan {
        return Ok(Adopted::Given);
    }
    if let Some(revision) = given.revision.as_ref().filter(|it| it.of == *current) {
        let now = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        if revision.entries != now {
            return Err(ActivateError::MovedOn { order: order() });
        }
        let entry = revision::entry(given, texts(documents));
        return Ok(entry.map_or(Adopted::Given, Adopted::Revision));
    }
    let earlier = entries.iter().any(|entry| match &entry.event {
        Event::Planned(it) => it.plan_digest == given.digest.plan,
        Event::Revised(it) => it.plan_digest == given.digest.plan,
        _ => false,
    });
    let stored = last.filter(|_| earlier).and_then(|it| {
        let plan = serde_json::from_str(it.documents.last()?).ok()?;
        let documents = it.documents.iter().map(|it| it.clone().into());
        let (plan, documents) = (Arc::new(plan), documents.collect());
        Some(Adopted::Stored { plan, documents })
    });
    match stored {
        Some(stored) => Ok(stored),
        None if given.revision.is_some() => Err(ActivateError::MovedOn { order: order() }),
        None => Err(ActivateError::PlanDiffers {
            order: order(),
            journal: current.clone(),
            given: given.digest.plan.clone(),
        }),
    }
}

fn texts(documents: &[SharedText]) -> Vec<String> {
    documents.iter().map(|it| it.to_string()).collect()
}

/// The plan that undoes the bundles of tasks that failed, and the entry by which it takes the place
/// of the one before; none where nothing is to be undone.
pub(super) fn compensation(
    plan: &OrchestrationPlan,
    progress: &Progress,
    documents: &[SharedText],
) -> Result<Option<(OrchestrationPlan, Revised)>, Refusal> {
    let failed = revision::pending(plan, progress);
    if failed.is_empty() {
        return Ok(None);
    }
    let parsed: Vec<Document> = documents
        .iter()
        .filter_map(|text| Document::parse(text.to_string(), "journal").ok())
        .collect();
    let bundles = Bundles::of(&parsed, plan);
    let standing = Standing {
        plan,
        progress,
        bundles: &bundles,
    };
    let revised = revision::compensate(standing, &failed)?;
    let text = serde_json::to_string(&revised).expect("a plan is made of texts and JSON values");
    let orders = documents.len().saturating_sub(1);
    let documents = texts(&documents[..orders]).into_iter().chain([text]);
    let entry = revision::entry(&revised, documents.collect());
    Ok(entry.map(|entry| (revised, entry)))
}
