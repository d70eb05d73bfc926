//! How far the things that a chain is about have got. Pure.

use std::collections::{HashMap, HashSet};

use super::Layer;
use super::things::Thing;
use crate::chain::Chain;
use crate::document::DocumentKind;
use crate::model::Action;
use crate::model::state::OrderState;

/// How much of what an item asks for has been done, below it included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Something, and something else could not be done.
    Part,
    /// Nothing.
    Nothing,
}

impl Extent {
    /// How far things are, by position: what could not be done, or was left out by a person, has not
    /// been done; everything else has.
    pub fn of(things: &[Thing<'_>], chain: &Chain) -> Vec<Extent> {
        let skipped = skipped(chain);
        let mut below: HashMap<usize, Vec<usize>> = HashMap::new();
        for (position, thing) in things.iter().enumerate() {
            // What is to stay as it is has got nowhere, and lacks nothing.
            if thing.action != Action::NoChange {
                for holder in &thing.holders {
                    below.entry(*holder).or_default().push(position);
                }
            }
        }
        // Of a cancelled order, resources tell by their states which of them nothing could undo;
        // what has nothing of its own to be done was completed with its order, and is undone with it.
        let is_cancelled = chain
            .orders()
            .next()
            .and_then(|it| OrderState::of(it.root()))
            == Some(OrderState::Cancelled);
        let own = |thing: &Thing<'_>| {
            let state = thing.node.text("state");
            let state = state.and_then(|text| OrderState::read(&text));
            let failed =
                state.is_some_and(|(state, _)| state.is_final() && state != OrderState::Completed);
            let is_skipped = thing.layer == Layer::Resource && skipped.contains(&*thing.item);
            let is_undone = is_cancelled && thing.layer != Layer::Resource;
            if failed || is_skipped || is_undone {
                Extent::Nothing
            } else {
                Extent::Whole
            }
        };
        let parts = |thing: usize| below.get(&thing).map_or(&[][..], Vec::as_slice);
        let mut extents: Vec<Option<Extent>> = vec![None; things.len()];
        let mut seen = vec![false; things.len()];
        for position in 0..things.len() {
            // Parts before wholes, without recursion: a thing may hold one that comes before it.
            let mut open = vec![(position, 0)];
            while let Some((thing, next)) = open.last_mut() {
                let thing = *thing;
                seen[thing] = true;
                if let Some(part) = parts(thing).get(*next) {
                    *next += 1;
                    if !seen[*part] {
                        open.push((*part, 0));
                    }
                    continue;
                }
                if extents[thing].is_none() {
                    let known = parts(thing).iter().filter_map(|part| extents[*part]);
                    extents[thing] = Some(whole(known).unwrap_or_else(|| own(&things[thing])));
                }
                open.pop();
            }
        }
        extents
            .into_iter()
            .map(|extent| extent.unwrap_or(Extent::Whole))
            .collect()
    }
}

fn whole(parts: impl Iterator<Item = Extent>) -> Option<Extent> {
    parts.reduce(|one, other| if one == other { one } else { Extent::Part })
}

/// Ids of the items whose tasks a person has left out.
fn skipped(chain: &Chain) -> HashSet<String> {
    let plans = chain.of_kind(DocumentKind::OrchestrationPlan);
    let tasks = plans.flat_map(|plan| plan.root().list("taskFlow"));
    let skipped = tasks.filter(|task| task.text("outcome").as_deref() == Some("skipped"));
    skipped
        .filter_map(|task| Some(task.text("id")?.into_owned()))
        .collect()
}
