//! What is different between two outcomes, in the words of orders and plans.

use std::collections::BTreeSet;
use std::fmt;

use super::outcome::{CHARACTERISTIC, Entity, Facts, Finding, Outcome};

/// Something that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub about: About,
    /// In which way.
    pub change: Change,
}

/// What a difference is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Something that was found in the order.
    Finding(Finding),
    /// Something that is made of it, and its id.
    Entity(Entity, String),
}

/// How something differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is there only now.
    Added(Facts),
    /// It was there only before.
    Removed(Facts),
    /// Some of its facts are others.
    Changed(Vec<FactChange>),
}

/// A fact that is another one; values are JSON texts, `None` where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactChange {
    /// Its name.
    pub name: String,
    /// Before.
    pub from: Option<String>,
    /// Now.
    pub to: Option<String>,
}

/// What is different in `now`, by what it is about: findings first, then items, tasks and the plan.
pub fn differences(before: &Outcome, now: &Outcome) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut rest = now.findings.clone();
    for finding in &before.findings {
        match rest.iter().position(|it| it == finding) {
            Some(position) => {
                rest.remove(position);
            }
            None => found.push((finding, Change::Removed(Facts::new()))),
        }
    }
    found.extend(rest.iter().map(|it| (it, Change::Added(Facts::new()))));
    let mut differences: Vec<Difference> = found
        .into_iter()
        .map(|(finding, change)| Difference {
            about: About::Finding(finding.clone()),
            change,
        })
        .collect();
    let keys: BTreeSet<&(Entity, String)> =
        before.entities.keys().chain(now.entities.keys()).collect();
    for key in keys {
        let change = match (before.entities.get(key), now.entities.get(key)) {
            (None, Some(facts)) => Change::Added(facts.clone()),
            (Some(facts), None) => Change::Removed(facts.clone()),
            (Some(before), Some(now)) if before != now => Change::Changed(changes(before, now)),
            _ => continue,
        };
        differences.push(Difference {
            about: About::Entity(key.0, key.1.clone()),
            change,
        });
    }
    differences
}

fn changes(before: &Facts, now: &Facts) -> Vec<FactChange> {
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let changed = names
        .into_iter()
        .filter(|name| before.get(*name) != now.get(*name));
    changed
        .map(|name| FactChange {
            name: name.clone(),
            from: before.get(name).cloned(),
            to: now.get(name).cloned(),
        })
        .collect()
}

impl Difference {
    /// Id of the item or task that it is about, if it is about one.
    pub fn id(&self) -> Option<&str> {
        match &self.about {
            About::Finding(_) => None,
            About::Entity(_, id) => Some(id),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.about, &self.change) {
            (About::Finding(finding), Change::Removed(_)) => {
                write!(f, "{finding} is no longer found")
            }
            (About::Finding(finding), _) => write!(f, "{finding} is found"),
            (About::Entity(entity, id), change) => {
                f.write_str(entity.name())?;
                if !id.is_empty() {
                    write!(f, " {id}")?;
                }
                match change {
                    Change::Added(_) => f.write_str(" is made"),
                    Change::Removed(_) => f.write_str(" is no longer made"),
                    Change::Changed(facts) => {
                        for (position, fact) in facts.iter().enumerate() {
                            f.write_str(if position == 0 { ": " } else { "; " })?;
                            write!(f, "{fact}")?;
                        }
                        Ok(())
                    }
                }
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.severity, self.code)?;
        if !self.pointer.is_empty() {
            write!(f, " at {}", self.pointer)?;
        }
        Ok(())
    }
}

impl fmt::Display for FactChange {
    /// `downloadSpeed 200 → 500`; of a list what comes and goes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.strip_prefix(CHARACTERISTIC).unwrap_or(&self.name);
        let elements = |text: &Option<String>| -> Option<Vec<String>> {
            text.as_ref()
                .map_or(Some(Vec::new()), |it| serde_json::from_str(it).ok())
        };
        if self.name == "after"
            && let (Some(from), Some(to)) = (elements(&self.from), elements(&self.to))
        {
            let gone = from.iter().filter(|it| !to.contains(it));
            let new = to.iter().filter(|it| !from.contains(it));
            let told = new
                .map(|it| format!("waits for {it}"))
                .chain(gone.map(|it| format!("no longer waits for {it}")));
            return f.write_str(&told.collect::<Vec<_>>().join(", "));
        }
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "absent".to_owned());
        write!(f, "{name} {} → {}", shown(&self.from), shown(&self.to))
    }
}
