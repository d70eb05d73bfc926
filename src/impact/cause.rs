//! Which of the documents that differ is the cause of a difference: each is changed alone, and what
//! then comes of the order is compared.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::Catalogs;
use super::near::Nearness;
use super::reach::Touching;
use crate::catalog::{self, Catalog};
use crate::comparison::DocumentChange;
use crate::document::{Document, DocumentKind};
use crate::rehearsal::{Difference, Outcome, differences};

/// Most changes that are tried one by one for an order; of more the nearest is named.
pub const MOST: usize = 32;

/// An order that comes out differently.
pub struct Case<'a> {
    /// The documents that differ and that the order can meet.
    pub touching: &'a Touching,
    /// What came of the order before, and now.
    pub outcomes: [&'a Outcome; 2],
    /// What comes of the order under another catalog.
    pub rehearse: &'a dyn Fn(&Catalog) -> Outcome,
}

/// Catalogs between the old and the new one, made when they are first asked for; none where such a
/// catalog cannot be used.
pub struct Causes<'c> {
    catalogs: Catalogs<'c>,
    /// The old one with one change.
    with: HashMap<usize, Option<Rc<Catalog>>>,
    /// The new one without one change.
    without: HashMap<usize, Option<Rc<Catalog>>>,
}

impl<'c> Causes<'c> {
    pub fn new(catalogs: Catalogs<'c>) -> Causes<'c> {
        Causes {
            catalogs,
            with: HashMap::new(),
            without: HashMap::new(),
        }
    }

    /// The differences of an order by their causes: the change that alone makes the difference; else
    /// the changes without each of which it is not made.
    pub fn grouped(
        &mut self,
        case: &Case<'_>,
        found: Vec<Difference>,
    ) -> BTreeMap<Vec<usize>, Vec<Difference>> {
        let all: Vec<usize> = case.touching.iter().copied().collect();
        if all.len() == 1 {
            return BTreeMap::from([(all, found)]);
        }
        let nearness = Nearness {
            catalogs: self.catalogs,
            touching: case.touching,
            outcomes: case.outcomes,
        };
        let near = nearness.grouped(found.clone());
        if all.len() > MOST {
            return near;
        }
        let likely = |change: &usize| near.get(&vec![*change]).map_or(0, Vec::len);
        let mut tries = all.clone();
        tries.sort_by_key(|change| std::cmp::Reverse(likely(change)));
        let mut grouped: BTreeMap<Vec<usize>, Vec<Difference>> = BTreeMap::new();
        let mut rest = found;
        for change in tries {
            if rest.is_empty() {
                return grouped;
            }
            let Some(made) = self.made_with(change, case) else {
                continue;
            };
            let (own, others) = rest.into_iter().partition(|it| made.contains(it));
            rest = others;
            add(&mut grouped, vec![change], own);
        }
        self.joint(case, (&all, rest), &mut grouped);
        grouped
    }

    /// What no change makes alone.
    fn joint(
        &mut self,
        case: &Case<'_>,
        (all, rest): (&[usize], Vec<Difference>),
        grouped: &mut BTreeMap<Vec<usize>, Vec<Difference>>,
    ) {
        if rest.is_empty() {
            return;
        }
        let mut left: Vec<(usize, Vec<Difference>)> = Vec::new();
        for change in all {
            let made = self.made_without(*change, case);
            left.extend(made.map(|made| (*change, made)));
        }
        for difference in rest {
            let needed = left.iter().filter(|(_, made)| !made.contains(&difference));
            let mut needed: Vec<usize> = needed.map(|(change, _)| *change).collect();
            if needed.is_empty() {
                needed = all.to_vec();
            }
            add(grouped, needed, vec![difference]);
        }
    }

    /// The differences that a change makes alone.
    fn made_with(&mut self, change: usize, case: &Case<'_>) -> Option<Vec<Difference>> {
        let [old, new] = self.catalogs.documents;
        let document = &self.catalogs.comparison.documents[change];
        let catalog = self.with.entry(change);
        let catalog = catalog.or_insert_with(|| changed(old, new, document));
        Some(made(catalog.as_deref()?, case))
    }

    /// The differences that all the others make.
    fn made_without(&mut self, change: usize, case: &Case<'_>) -> Option<Vec<Difference>> {
        let [old, new] = self.catalogs.documents;
        let document = &self.catalogs.comparison.documents[change];
        let catalog = self.without.entry(change);
        let catalog = catalog.or_insert_with(|| changed(new, old, document));
        Some(made(catalog.as_deref()?, case))
    }
}

fn made(catalog: &Catalog, case: &Case<'_>) -> Vec<Difference> {
    differences(case.outcomes[0], &(case.rehearse)(catalog))
}

fn add(
    grouped: &mut BTreeMap<Vec<usize>, Vec<Difference>>,
    cause: Vec<usize>,
    differences: Vec<Difference>,
) {
    if !differences.is_empty() {
        grouped.entry(cause).or_default().extend(differences);
    }
}

/// A catalog in which one document is as it is in another.
fn changed(from: &[Document], to: &[Document], change: &DocumentChange) -> Option<Rc<Catalog>> {
    let is = |document: &&Document| {
        DocumentKind::of(document) == change.kind
            && document.root().text("id").as_deref() == Some(change.id.as_str())
    };
    let other = to.iter().find(is);
    let mut documents: Vec<&Document> = Vec::with_capacity(from.len() + 1);
    let mut placed = false;
    for document in from {
        if is(&document) {
            documents.extend(other);
            placed = true;
        } else {
            documents.push(document);
        }
    }
    if !placed {
        documents.extend(other);
    }
    catalog::load_selected(&documents).catalog.map(Rc::new)
}
