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
    /// Id of the item, made or not.
    pub item: String,
    /// Name of what it is about.
    pub name: String,
    /// Why.
    #[serde(flatten)]
    pub story: Story,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How conditions came out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Story {
    /// Id of the rule that was taken; none if a plain reference decided, or nothing was made.
    pub rule: Option<String>,
    /// Its condition, if it has one.
    pub condition: Option<String>,
    /// The values that the condition saw.
    pub seen: Vec<Seen>,
    /// The rules that came before it and did not apply; all rules, if nothing was made.
    pub tried: Vec<Tried>,
}

/// A rule that did not apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// Id of the rule.
    pub rule: Option<String>,
    /// The first part of its condition that was false.
    pub condition: String,
    /// The values that it saw.
    pub seen: Vec<Seen>,
}

/// Made, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Outcome {
    /// An item was made.
    Made,
    /// No item was made.
    NotMade,
    /// There was no element to make an item for.
    #[serde(rename_all = "camelCase")]
    Nothing {
        /// The list or number of the loop.
        over: String,
        /// Whether the list is absent, not empty.
        absent: bool,
    },
    /// It is installed, and something about it changes.
    Modified {
        /// What changes.
        changes: Vec<Change>,
    },
    /// It is installed, and nothing about it changes.
    Unchanged,
    /// It is installed, and is removed.
    Deleted {
        /// Why, where no condition says it.
        why: Option<String>,
    },
    /// It is installed, and stays for the sake of others.
    #[serde(rename_all = "camelCase")]
    StillUsed {
        /// Ids of those that use it.
        by: Vec<String>,
    },
}

impl fmt::Display for Explanation {
    /// One line: `+` for what is made, `-` for what is not; of what is installed, `~` for what is
    /// modified, `=` for what stays, `x` for what is deleted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (item, name) = (&self.item, &self.name);
        let story = &self.story;
        match &self.outcome {
            Outcome::Made => {
                write!(
                    f,
                    "+ {item}  {name}: {}",
                    self.because(story.rule.as_deref())
                )?;
                if let Some(condition) = &story.condition {
                    write!(f, ", {condition}{}", values(&story.seen))?;
                }
                Ok(())
            }
            Outcome::NotMade => {
                write!(f, "- {item}  {name}: {}", self.wanted())
            }
            Outcome::Nothing { over, absent } => {
                let what = if *absent { "is absent" } else { "is empty" };
                write!(
                    f,
                    "- {item}  {name}: {}, `{over}` {what}",
                    self.because(story.rule.as_deref())
                )
            }
            Outcome::Modified { changes } => {
                let changes: Vec<String> = changes.iter().map(Change::to_string).collect();
                let what = match changes.join(", ") {
                    none if none.is_empty() => {
                        "installed, and what it is made from changes".to_owned()
                    }
                    changes => changes,
                };
                write!(f, "~ {item}  {name}: {what}")
            }
            Outcome::Unchanged => {
                write!(
                    f,
                    "= {item}  {name}: installed, and nothing about it changes"
                )
            }
            Outcome::Deleted { why } => {
                let why = why.clone().unwrap_or_else(|| self.false_conditions());
                write!(
                    f,
                    "x {item}  {name}: installed, and no longer wanted: {why}"
                )
            }
            Outcome::StillUsed { by } => {
                write!(f, "= {item}  {name}: still used by {}", by.join(", "))
            }
        }
    }
}

impl Explanation {
    fn because(&self, rule: Option<&str>) -> String {
        match rule {
            Some(rule) => format!("rule {rule}"),
            None => format!("{} refers to it", self.source),
        }
    }

    fn wanted(&self) -> String {
        let tried = self.story.tried.iter().map(|it| {
            let because = self.because(it.rule.as_deref());
            format!("{because} wants {}{}", it.condition, values(&it.seen))
        });
        tried.collect::<Vec<String>>().join("; ")
    }

    fn false_conditions(&self) -> String {
        let tried = self.story.tried.iter();
        tried
            .map(|it| format!("{}{}", it.condition, values(&it.seen)))
            .collect::<Vec<String>>()
            .join("; ")
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
