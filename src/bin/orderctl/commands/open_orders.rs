//! Orders under way, by what they change or remove: two that are about the same thing are not carried
//! out at the same time.

use std::collections::HashMap;
use std::path::PathBuf;

use orderctl::journal::find::{OpenSubjects, open_subjects};
use orderctl::journal::{Alone, JournalError, JournalReader};

/// Those of the journal, and those of this run.
#[derive(Debug)]
pub struct OpenOrders {
    journal: PathBuf,
    /// Those that were under way when somebody first asked.
    known: Option<OpenSubjects>,
    /// Those that this run has begun, ended ones included.
    begun: HashMap<String, String>,
}

impl OpenOrders {
    /// Nothing is read before somebody asks.
    pub fn new(journal: PathBuf) -> Self {
        Self {
            journal,
            known: None,
            begun: HashMap::new(),
        }
    }

    /// The orders that this run has begun about one of these things.
    pub fn begun<'s>(&'s self, subjects: &'s [String]) -> impl Iterator<Item = &'s str> {
        subjects
            .iter()
            .filter_map(|it| self.begun.get(it).map(String::as_str))
    }

    /// Takes note of an order that is begun.
    pub fn begin(&mut self, order: &str, subjects: Vec<String>) {
        let begun = subjects.into_iter().map(|it| (it, order.to_owned()));
        self.begun.extend(begun);
    }

    /// What an order is to be alone with, as far as is known by now; nothing where it changes and removes
    /// nothing.
    ///
    /// # Errors
    /// Where another order about one of these things has not ended, or the journal cannot be read.
    pub fn alone(
        &mut self,
        order: &str,
        subjects: &[String],
    ) -> Result<Option<Alone>, JournalError> {
        if subjects.is_empty() {
            return Ok(None);
        }
        let read = || open_subjects(&JournalReader::open(&self.journal)?);
        let known = match &mut self.known {
            Some(known) => known,
            none => none.insert(read()?),
        };
        let is_other = |it: &&String| it.as_str() != order;
        let may_be = |it: &String| {
            let mut orders = [known.orders.get(it), self.begun.get(it)]
                .into_iter()
                .flatten();
            orders.any(|it| is_other(&it))
        };
        if subjects.iter().any(may_be) {
            // It may have ended meanwhile.
            *known = read()?;
            let other = |it| known.orders.get(it).filter(is_other);
            let busy = subjects.iter().find_map(|it| Some((it, other(it)?)));
            if let Some((subject, other)) = busy {
                return Err(JournalError::SubjectBusy {
                    order: order.to_owned(),
                    other: other.clone(),
                    subject: subject.clone(),
                });
            }
        }
        Ok(Some(Alone {
            subjects: subjects.to_vec(),
            seen: known.seen,
        }))
    }
}
