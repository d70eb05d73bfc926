//! Many siblings of one kind as one line.

use std::collections::HashMap;

use super::ItemStanding;
use crate::model::state::OrderState;
use crate::plan::{common_name, count_for_people};

/// Up to so many siblings of one kind are shown one by one.
pub const MANY: usize = 10;

/// What is shown among siblings.
#[derive(Debug)]
pub enum Row<'s> {
    /// An item.
    One(&'s ItemStanding),
    /// Many of one kind.
    Many(Bulk<'s>),
}

/// Many siblings of one kind, at least one.
#[derive(Debug)]
pub struct Bulk<'s> {
    /// The siblings, in the order of the chain.
    pub items: Vec<&'s ItemStanding>,
}

/// Siblings as they are shown: what there are many of stands where its first one does.
pub fn fold<'s>(items: impl IntoIterator<Item = &'s ItemStanding>) -> Vec<Row<'s>> {
    let items: Vec<&ItemStanding> = items.into_iter().collect();
    let mut alike: HashMap<_, Vec<&ItemStanding>> = HashMap::new();
    for item in &items {
        alike.entry(kind(item)).or_default().push(item);
    }
    let mut rows = Vec::new();
    for item in items {
        match alike.get_mut(&kind(item)) {
            Some(all) if all.is_empty() => {}
            Some(all) if all.len() > MANY => rows.push(Row::Many(Bulk {
                items: std::mem::take(all),
            })),
            _ => rows.push(Row::One(item)),
        }
    }
    rows
}

/// What makes siblings alike; what is of no known kind is like nothing else.
fn kind(item: &ItemStanding) -> (&str, &str, Option<&str>) {
    let known = item.specification.as_deref().or(item.name.as_deref());
    (item.type_name, known.unwrap_or(&item.id), item.action)
}

/// Siblings one by one.
pub fn unfold<'s>(items: impl IntoIterator<Item = &'s ItemStanding>) -> Vec<Row<'s>> {
    items.into_iter().map(Row::One).collect()
}

impl<'s> Bulk<'s> {
    /// `1,000 eSIM-Profile`
    pub fn title(&self) -> String {
        format!("{} {}", count_for_people(self.items.len()), self.name())
    }

    /// What they are called: what their names have in common, else the specification that they
    /// share.
    fn name(&self) -> String {
        let first = self.items[0];
        let names = self.items.iter().map(|it| it.title());
        let common = common_name(names);
        match &first.specification {
            Some(specification) if common.is_empty() => specification.clone(),
            _ => common,
        }
    }

    /// State of the whole.
    pub fn state(&self) -> OrderState {
        OrderState::roll_up(self.items.iter().map(|item| item.state))
    }

    /// `997 completed, 3 failed`
    pub fn breakdown(&self) -> String {
        let word = |item: &ItemStanding| item.word().unwrap_or(item.state.name());
        let count = |name| self.items.iter().filter(|it| word(it) == name).count();
        let names = BREAKDOWN
            .map(OrderState::name)
            .into_iter()
            .chain(["skipped"]);
        let counts = names.map(|name| (count(name), name));
        let parts = counts.filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(count, name)| format!("{} {name}", count_for_people(count)))
            .collect();
        parts.join(", ")
    }

    /// Those that somebody has to know about: nothing below them says what is the matter.
    pub fn troubled(&self) -> impl Iterator<Item = &'s ItemStanding> {
        let items = self.items.iter().copied();
        items.filter(|item| {
            item.items.is_empty() && matches!(item.state, OrderState::Failed | OrderState::Held)
        })
    }

    /// What is below all of them.
    pub fn below(&self) -> impl Iterator<Item = &'s ItemStanding> {
        self.items.iter().flat_map(|item| &item.items)
    }
}

/// States in the order in which they are counted.
const BREAKDOWN: [OrderState; 11] = [
    OrderState::Completed,
    OrderState::InProgress,
    OrderState::Held,
    OrderState::Failed,
    OrderState::Partial,
    OrderState::Cancelled,
    OrderState::Rejected,
    OrderState::AssessingCancellation,
    OrderState::PendingCancellation,
    OrderState::Pending,
    OrderState::Acknowledged,
];
