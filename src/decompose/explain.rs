//! Why, and why not: what became of each step of the catalog for each item, as
//! data. [`tree`] is for people, [`json`] for programs.

pub mod json;
pub mod tree;

use std::fmt;

use super::faults::shortened;
use super::standing::Change;
use crate::catalog::ServiceIndex;
use crate::catalog::expression::{Near, NearKind, Seen};
use crate::inventory::Layer;
use crate::model::state::OrderState;

/// Names that are told one by one.
const TOLD: usize = 3;

/// What became of one step of the catalog for one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The layer of what was, or was not, made.
    pub layer: Layer,
    /// Id of the item that was decomposed.
    pub source_item: String,
    /// Id of its specification.
    pub source: String,
    /// Id of the service specification that was, or was not, made.
    pub target: String,
    /// Id of the item, made or not.
    pub item: String,
    /// Name of what it is about.
    pub name: String,
    /// Why.
    pub story: Story,
    /// What came of it.
    pub outcome: Outcome,
    /// How many items share it, if it is shared.
    pub sharers: usize,
}

/// How conditions came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story {
    /// Id of the rule that was taken; none if a plain reference decided, or nothing was made.
    pub rule: Option<String>,
    /// Its condition, if it has one.
    pub condition: Option<String>,
    /// The values that the condition saw.
    pub seen: Vec<Seen>,
    /// The rules that came before it and did not apply; all rules, if nothing was made.
    pub tried: Vec<Tried>,
    /// How the conditions of its dependencies came out.
    pub waits: Vec<Asked>,
}

/// A dependency with a condition, which was asked whether the item waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What comes first.
    pub on: ServiceIndex,
    /// The condition.
    pub condition: String,
    /// Whether it holds.
    pub holds: bool,
}

/// A rule that did not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Id of the rule.
    pub rule: Option<String>,
    /// The first part of its condition that was false.
    pub condition: String,
    /// The values that it saw.
    pub seen: Vec<Seen>,
    /// Values that it would nearly have taken.
    pub near: Vec<Near>,
}

/// Made, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An item was made.
    Made,
    /// No item was made.
    NotMade,
    /// There was no element to make an item for.
    Nothing {
        /// The list or number of the loop.
        over: String,
        /// Whether the list is absent, not empty.
        absent: bool,
    },
    /// The item that it would be made for has ended.
    Ended {
        /// In which state.
        state: OrderState,
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
    StillUsed {
        /// Ids of those that use it.
        by: Vec<String>,
    },
}

impl Outcome {
    /// `+` for what is made, `-` for what is not; of what is installed, `~` for what is modified,
    /// `=` for what stays, `x` for what is deleted.
    fn marker(&self) -> char {
        match self {
            Outcome::Made => '+',
            Outcome::NotMade | Outcome::Nothing { .. } | Outcome::Ended { .. } => '-',
            Outcome::Modified { .. } => '~',
            Outcome::Unchanged | Outcome::StillUsed { .. } => '=',
            Outcome::Deleted { .. } => 'x',
        }
    }
}

/// How much of a reason is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// With the values that were seen.
    Values,
    /// Without them.
    Rules,
}

impl fmt::Display for Explanation {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason(Detail::Values);
        write!(
            f,
            "{} {}  {}: {reason}",
            self.outcome.marker(),
            self.item,
            self.name
        )
    }
}

impl Explanation {
    fn reason(&self, detail: Detail) -> String {
        let story = &self.story;
        match &self.outcome {
            Outcome::Made => format!("{}{}", self.taken(detail), self.shared()),
            Outcome::NotMade => self.refusals(detail),
            Outcome::Nothing { over, absent } => {
                let what = if *absent { "is absent" } else { "is empty" };
                let by = self.because(story.rule.as_deref());
                format!("{by}, and {over} {what}")
            }
            Outcome::Ended { state } => {
                format!("item `{}` is {}", self.source_item, state.name())
            }
            Outcome::Modified { changes } if changes.is_empty() => {
                "installed, and what it is made from changes".to_owned()
            }
            Outcome::Modified { changes } => {
                let changes = changes.iter().map(|change| match detail {
                    Detail::Values => change.to_string(),
                    Detail::Rules => change.name.clone(),
                });
                let changes: Vec<String> = changes.collect();
                format!("{}{}", changes.join(", "), self.shared())
            }
            Outcome::Unchanged => {
                format!("installed, and nothing about it changes{}", self.shared())
            }
            Outcome::Deleted { why } => {
                let why = match why {
                    Some(why) => why.clone(),
                    None => self.false_conditions(detail),
                };
                format!("installed, and no longer wanted: {why}{}", self.shared())
            }
            Outcome::StillUsed { by } => format!("still used by {}", several(by)),
        }
    }

    /// The rule that was taken, and why none of those before it.
    fn taken(&self, detail: Detail) -> String {
        let mut text = self.because(self.story.rule.as_deref());
        if let Some(condition) = &self.story.condition {
            text.push_str(", ");
            text.push_str(condition);
            text.push_str(&values(&self.story.seen, detail));
        }
        for tried in &self.story.tried {
            text.push_str("; before it ");
            text.push_str(&self.refusal(tried, detail));
        }
        text
    }

    fn refusals(&self, detail: Detail) -> String {
        let tried = self.story.tried.iter();
        let tried: Vec<String> = tried.map(|it| self.refusal(it, detail)).collect();
        tried.join("; ")
    }

    fn refusal(&self, tried: &Tried, detail: Detail) -> String {
        format!(
            "{} wants {}",
            self.because(tried.rule.as_deref()),
            tried.told(detail)
        )
    }

    fn false_conditions(&self, detail: Detail) -> String {
        let tried = self.story.tried.iter();
        let tried: Vec<String> = tried.map(|it| it.told(detail)).collect();
        tried.join("; ")
    }

    fn because(&self, rule: Option<&str>) -> String {
        match rule {
            Some(rule) => format!("rule {rule}"),
            None => format!("{} refers to it", self.source),
        }
    }

    fn shared(&self) -> String {
        match self.sharers {
            0 | 1 => String::new(),
            sharers => format!(", one for {sharers} that share it"),
        }
    }
}

impl Tried {
    fn told(&self, detail: Detail) -> String {
        let mut text = self.condition.clone();
        text.push_str(&values(&self.seen, detail));
        if detail == Detail::Values {
            for near in &self.near {
                text.push_str(" (");
                text.push_str(&near_miss(near));
                text.push(')');
            }
        }
        text
    }
}

impl fmt::Display for Change {
    /// `downloadSpeed: 200 → 500`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| {
            let value = value.as_deref();
            value.map_or_else(|| "absent".to_owned(), shortened)
        };
        let (from, to) = (shown(&self.from), shown(&self.to));
        write!(f, "{}: {from} → {to}", self.name)
    }
}

fn values(seen: &[Seen], detail: Detail) -> String {
    let mut text = String::new();
    if detail == Detail::Rules {
        return text;
    }
    for (position, seen) in seen.iter().enumerate() {
        let value = seen.value.as_deref();
        let value = value.map_or_else(|| "absent".to_owned(), shortened);
        text.push_str(if position == 0 { "; " } else { ", " });
        text.push_str(&seen.path);
        text.push_str(" is ");
        text.push_str(&value);
    }
    text
}

/// A near miss in words.
fn near_miss(near: &Near) -> String {
    let (value, wanted) = (shortened(&near.value), &near.wanted);
    match near.kind {
        NearKind::Case => format!("near miss: {wanted} in another case"),
        NearKind::Blanks => format!("near miss: {wanted} with blanks around it"),
        NearKind::Type => format!("near miss: {value} is not {wanted}: one of them is a text"),
        NearKind::Spelling => format!("near miss: it is spelled nearly like {wanted}"),
        NearKind::Name => format!("near miss: there is `{value}`"),
    }
}

/// The first of several names, and how many more there are.
fn several(names: &[String]) -> String {
    let told: Vec<&str> = names.iter().take(TOLD).map(String::as_str).collect();
    match names.len() - told.len() {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}
