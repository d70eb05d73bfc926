//! What a run has done, as its journal tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::plan::Sequence;

/// Entries that say that a task is done: by its endpoint, by a person, by what it waited for.
const COMPLETE: [&str; 3] = ["completed", "completedByHand", "milestoneReached"];

/// The tasks of an order that began, in the journal's own sequence.
#[derive(Debug)]
pub struct Run {
    /// For each task its first entry.
    began: BTreeMap<String, i64>,
    /// For each task that was completed the entry that says so, and when that was.
    completed: BTreeMap<String, (i64, String)>,
    /// When each task began.
    at: BTreeMap<String, String>,
}

impl Run {
    /// Reads the entries of an order.
    pub fn read(journal: &Path, order: &str) -> Self {
        let journal = rusqlite::Connection::open(journal).unwrap();
        let mut run = Run {
            began: BTreeMap::new(),
            completed: BTreeMap::new(),
            at: BTreeMap::new(),
        };
        let mut entries = journal
            .prepare("SELECT seq, task, kind, at FROM entry WHERE order_id = ? AND task IS NOT NULL ORDER BY seq")
            .unwrap();
        let entries = entries
            .query_map([order], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .unwrap();
        for entry in entries {
            let (seq, task, kind, at): (i64, String, String, String) = entry.unwrap();
            if COMPLETE.contains(&&*kind) {
                let entry = run.completed.insert(task.clone(), (seq, at.clone()));
                assert_eq!(entry, None, "{task} was completed twice");
            }
            run.began.entry(task.clone()).or_insert(seq);
            run.at.entry(task).or_insert(at);
        }
        run
    }

    /// The tasks that were completed.
    pub fn completed(&self) -> BTreeSet<&str> {
        self.completed.keys().map(String::as_str).collect()
    }

    /// When a task began, RFC 3339 in UTC.
    pub fn began(&self, task: &str) -> &str {
        &self.at[task]
    }
}

impl Sequence for Run {
    fn precedes(&self, first: &str, later: &str) -> bool {
        let completed = self.completed.get(first);
        completed.is_some_and(|(completed, _)| *completed < self.began[later])
    }

    fn ids(&self) -> BTreeSet<&str> {
        self.began.keys().map(String::as_str).collect()
    }
}
