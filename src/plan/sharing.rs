//! What several items share is made once, with the first of them.
//!
//! An item that realizes several others waits for what those wait for, except
//! where one of them waits for another one: then it is part of what is waited
//! for, and cannot wait for it itself.

use foldhash::{HashMap, HashSet, HashSetExt as _};

use super::dependencies::Dependency;
use super::layers::Layers;
use crate::graph;

/// How often what was found out is looked at again: one shared item may hide another.
const ROUNDS: usize = 64;

/// Which items do not hand down what they wait for to what they share with others.
#[derive(Debug, Default)]
pub struct Sharing {
    /// Pairs of an item and one below it that is made earlier, with another one above it.
    earlier: HashSet<(usize, usize)>,
    /// Items that have such a pair somewhere below them.
    concerned: HashSet<usize>,
    /// The items right below each item.
    below: HashMap<usize, Vec<usize>>,
}

impl Sharing {
    /// Finds out what is shared. Linear in items and dependencies.
    pub fn of(layers: &Layers<'_, '_>, dependencies: &[Dependency]) -> Sharing {
        let shared: Vec<usize> = (0..layers.entries.len())
            .filter(|entry| layers.entries[*entry].above.len() > 1)
            .collect();
        let mut sharing = Sharing::default();
        if shared.is_empty() || dependencies.is_empty() {
            return sharing;
        }
        for _ in 0..ROUNDS {
            let component = components(layers, dependencies, &sharing.earlier);
            let known = sharing.earlier.len();
            for &entry in &shared {
                let above = layers.entries[entry].above.iter();
                let here = component[start(entry)];
                let (inside, outside): (Vec<usize>, Vec<usize>) =
                    above.partition(|parent| component[start(**parent)] == here);
                if !outside.is_empty() {
                    let pairs = inside.into_iter().map(|parent| (parent, entry));
                    sharing.earlier.extend(pairs);
                }
            }
            if sharing.earlier.len() == known {
                break;
            }
        }
        for (parent, _) in &sharing.earlier {
            if sharing.concerned.insert(*parent) {
                sharing.concerned.extend(layers.ancestors(*parent));
            }
        }
        if !sharing.earlier.is_empty() {
            for (index, entry) in layers.entries.iter().enumerate() {
                for above in &entry.above {
                    sharing.below.entry(*above).or_default().push(index);
                }
            }
        }
        sharing
    }

    /// The tasks below an item that wait for what it waits for, in ascending order.
    pub fn waiting(&self, layers: &Layers<'_, '_>, item: usize) -> Vec<usize> {
        if !self.concerned.contains(&item) {
            return layers.entries[item].tasks.to_vec();
        }
        let (mut tasks, mut open, mut seen) = (Vec::new(), vec![item], HashSet::new());
        while let Some(entry) = open.pop() {
            let below = self.below.get(&entry).map_or(&[][..], Vec::as_slice);
            if below.is_empty() {
                tasks.extend(&layers.entries[entry].tasks);
            }
            let handed = below.iter().copied();
            let handed = handed.filter(|other| !self.earlier.contains(&(entry, *other)));
            open.extend(handed.filter(|other| seen.insert(*other)));
        }
        tasks.sort_unstable();
        tasks.dedup();
        tasks
    }
}

fn start(entry: usize) -> usize {
    2 * entry
}

fn finish(entry: usize) -> usize {
    2 * entry + 1
}

/// Beginnings and ends of items that wait for each other in a circle have the same number. `earlier`
/// are the pairs of which the upper hands nothing down to the lower.
fn components(
    layers: &Layers<'_, '_>,
    dependencies: &[Dependency],
    earlier: &HashSet<(usize, usize)>,
) -> Vec<usize> {
    let count = layers.entries.len();
    let mut edges = vec![Vec::new(); 2 * count];
    for (index, entry) in layers.entries.iter().enumerate() {
        edges[start(index)].push(finish(index));
        for &above in &entry.above {
            if !earlier.contains(&(above, index)) {
                edges[start(above)].push(start(index));
            }
            edges[finish(index)].push(finish(above));
        }
    }
    for Dependency { item, on, .. } in dependencies {
        if !layers.is_inside(*item, *on) && !layers.is_inside(*on, *item) {
            edges[finish(*on)].push(start(*item));
        }
    }
    let mut component = vec![0; 2 * count];
    for (number, members) in graph::components(&edges).into_iter().enumerate() {
        for member in members {
            component[member] = number;
        }
    }
    component
}
