//! What a run would begin with, were it begun now. Pure.

use std::sync::Arc;

use super::adopt::{self, Adopted};
use super::engine::{ActivateError, Chain, behind, root_order};
use crate::journal::{Entry, Event, Progress};
use crate::plan::flow::{OrchestrationPlan, TaskFlow};

/// The plan that counts for an order, and where it stands.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// The plan.
    pub plan: Arc<OrchestrationPlan>,
    progress: Progress,
}

impl Outlook {
    /// Of a chain, with all `entries` of the journal about its order: none where that is not in it.
    ///
    /// # Errors
    /// Where a run would refuse the chain: it was begun with another plan, has moved on since it was
    /// revised, or is ahead of the journal.
    pub fn of(chain: &Chain, entries: &[Entry]) -> Result<Self, ActivateError> {
        let mut entries = entries.to_vec();
        let mut plan = Arc::clone(&chain.plan);
        let mut documents = Arc::clone(&chain.documents);
        match adopt::adopt(&plan, &documents, &entries)? {
            Adopted::Given => {}
            Adopted::Revision(revised) => entries.extend(revision(&entries, revised)),
            Adopted::Stored {
                plan: stored,
                documents: of_it,
            } => (plan, documents) = (stored, Arc::new(of_it)),
        }
        let mut progress = replay(&plan, &entries)?;
        // Where nobody knows yet whether bundles can be undone, everything else stays to be done.
        if let Ok(Some((undoing, revised))) = adopt::compensation(&plan, &progress, &documents) {
            entries.extend(revision(&entries, revised));
            progress = replay(&undoing, &entries)?;
            plan = Arc::new(undoing);
        }
        behind(&plan, &progress)?;
        Ok(Self { plan, progress })
    }

    /// Whether a task is still to be carried out. One whose window was missed is not by itself.
    #[must_use]
    pub fn is_left(&self, task: &TaskFlow) -> bool {
        let known = self.progress.task(&task.id);
        known.is_some_and(|it| !it.has_ended() && !it.window_missed)
    }

    /// Whether it is found out first what came of a request of a task that was sent already.
    #[must_use]
    pub fn is_asked_first(&self, task: &TaskFlow) -> bool {
        let known = self.progress.task(&task.id);
        known.is_some_and(crate::journal::TaskProgress::is_unsettled)
    }
}

/// The entry by which a revision takes the place of the plan before.
fn revision(entries: &[Entry], revised: crate::journal::entry::Revised) -> Option<Entry> {
    let at = entries.iter().map(|entry| entry.at).max()?;
    Some(Entry {
        at,
        event: Event::Revised(revised),
    })
}

fn replay(plan: &OrchestrationPlan, entries: &[Entry]) -> Result<Progress, ActivateError> {
    let order = root_order(plan)?;
    Progress::replay(plan, entries).map_err(|fault| ActivateError::History {
        order: order.to_owned(),
        fault,
    })
}
