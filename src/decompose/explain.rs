//! Why, and why not.

use std::fmt::{self, Write as _};

use serde::Serialize;

use super::standing::Change;
use crate::catalog::expression::Seen;

/// What became of one step of the catalog for one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Id of the item that was decomposed.
    pub source_item: String,
    /// Id of its specification.
    pub source: String,
    /// Id of the specification that was, or was not, made.
    pub target: String,
    /// Its name.
    pub name: String,
    /// Id of the rule; none if a plain reference decided.
    pub rule: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// Made, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Outcome {
    /// An item was made.
    Made {
        /// Id of the item.
        item: String,
        /// The condition that held, if there was one.
        condition: Option<String>,
        /// The values that it saw.
        seen: Vec<Seen>,
    },
    /// No item was made.
    NotMade {
        /// Id that its item would have.
        item: String,
        /// The first part of the condition that was false.
        condition: String,
        /// The values that it saw.
        seen: Vec<Seen>,
    },
    /// It is installed, and something about it changes.
    Modified {
        /// Id of the item.
        item: String,
        /// What changes.
        changes: Vec<Change>,
    },
    /// It is installed, and nothing about it changes.
    Unchanged {
        /// Id of the item.
        item: String,
    },
    /// It is installed, and is removed.
    Deleted {
        /// Id of the item.
        item: String,
        /// The first part of the condition that is false now, or another reason.
        why: String,
        /// The values that the condition saw.
        seen: Vec<Seen>,
    },
}

impl fmt::Display for Explanation {
    /// One line: `+` for what is made, `-` for what is not; of what is installed, `~` for what is
    /// modified, `=` for what stays, `x` for what is deleted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = match &self.rule {
            Some(rule) => format!("rule {rule}"),
            None => format!("{} refers to it", self.source),
        };
        match &self.outcome {
            Outcome::Made {
                item,
                condition: None,
                ..
            } => {
                write!(f, "+ {item}  {}: {because}", self.name)
            }
            Outcome::Made {
                item,
                condition: Some(condition),
                seen,
            } => {
                write!(
                    f,
                    "+ {item}  {}: {because}, {condition}{}",
                    self.name,
                    values(seen)
                )
            }
            Outcome::NotMade {
                item,
                condition,
                seen,
            } => write!(
                f,
                "- {item}  {}: {because} wants {condition}{}",
                self.name,
                values(seen)
            ),
            Outcome::Modified { item, changes } => {
                let changes: Vec<String> = changes.iter().map(Change::to_string).collect();
                let what = match changes.join(", ") {
                    none if none.is_empty() => {
                        "installed, and what it is made from changes".to_owned()
                    }
                    changes => changes,
                };
                write!(f, "~ {item}  {}: {what}", self.name)
            }
            Outcome::Unchanged { item } => {
                write!(
                    f,
                    "= {item}  {}: installed, and nothing about it changes",
                    self.name
                )
            }
            Outcome::Deleted { item, why, seen } => {
                write!(
                    f,
                    "x {item}  {}: installed, and no longer wanted: {why}{}",
                    self.name,
                    values(seen)
                )
            }
        }
    }
}

impl fmt::Display for Change {
    /// `downloadSpeed: 200 → 500`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let absent = "absent";
        let (from, to) = (self.from.as_deref(), self.to.as_deref());
        write!(
            f,
            "{}: {} → {}",
            self.name,
            from.unwrap_or(absent),
            to.unwrap_or(absent)
        )
    }
}

fn values(seen: &[Seen]) -> String {
    let mut text = String::new();
    for (position, seen) in seen.iter().enumerate() {
        let before = if position == 0 { "; " } else { ", " };
        let value = seen.value.as_deref().unwrap_or("absent");
        let _ = write!(text, "{before}{} is {value}", seen.path);
    }
    text
}
