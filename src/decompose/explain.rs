//! Why, and why not.

use std::fmt::{self, Write as _};

use serde::Serialize;

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
        /// The first part of the condition that was false.
        condition: String,
        /// The values that it saw.
        seen: Vec<Seen>,
    },
}

impl fmt::Display for Explanation {
    /// One line: `+ item  name  (why)` or `- spec  name  (why not)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = match &self.rule {
            Some(rule) => format!("rule {rule}"),
            None => format!("{} refers to it", self.source),
        };
        match &self.outcome {
            Outcome::Made { item, condition: None, .. } => {
                write!(f, "+ {item}  {}: {because}", self.name)
            }
            Outcome::Made { item, condition: Some(condition), seen } => {
                write!(f, "+ {item}  {}: {because}, {condition}{}", self.name, values(seen))
            }
            Outcome::NotMade { condition, seen } => write!(
                f,
                "- {}.{}  {}: {because} wants {condition}{}",
                self.source_item,
                self.target,
                self.name,
                values(seen)
            ),
        }
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
