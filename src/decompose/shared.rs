//! What several parents share: made once, when all who want it are known.
//!
//! Of what is installed a parent may also let go: by being deleted, or by no
//! longer wanting it. It stays as long as others use it, those that the order
//! does not touch among them.

mod agreement;
mod find;
mod made;
mod want;

use std::collections::BTreeMap;

use foldhash::HashMap;

use super::dependencies::Waiting;
use super::expand::{Candidate, Part, Source};
use super::standing::Mode;
use super::step::Roots;
use crate::catalog::expression::Kept;
use crate::catalog::{self, Decomposition, ServiceIndex, ShareScope};
use crate::document::{Document, Node};
use crate::model::Site;

/// Everything that is shared in an order.
#[derive(Default)]
pub struct Shared<'c> {
    groups: Vec<Group<'c>>,
    by_item: HashMap<String, usize>,
    /// By the id that what is installed has.
    by_entity: HashMap<String, usize>,
    /// Where things are that are shared at sites, by the ids of their items.
    sites: HashMap<String, Site<'static>>,
}

/// A thing and those who share it.
struct Group<'c> {
    candidate: Candidate<'c>,
    decomposition: &'c Decomposition,
    /// The first item that leads to it, for findings.
    node: Node<'c>,
    item_id: String,
    /// Where its item stands among the others.
    slot: usize,
    /// Product order items that it is part of, each with the id of its product.
    roots: BTreeMap<String, String>,
    parts: Vec<Part<'c>>,
    /// Who wants it.
    parents: Vec<Parent>,
    /// Who had it and lets go of it.
    left: Vec<Parent>,
    /// Names, and the different values that were given.
    values: Vec<(String, Vec<Given>)>,
    /// The places where it is wanted, as JSON texts.
    places: Vec<String>,
    waits: Vec<Waiting<'c>>,
    /// The variables around the first of its roots, as they are to be and before the order.
    around: Option<(String, Kept, Kept)>,
    /// Whether a characteristic of a product changes that it is made for.
    changes: bool,
    /// Whether only what stays as it is leads to it.
    stays: bool,
}

/// A parent of a shared thing.
struct Parent {
    item: String,
    entity: String,
    /// How what is below it is treated.
    mode: Mode,
    /// What explains it.
    explanation: Option<usize>,
}

/// A value of a shared thing.
struct Given {
    value: String,
    /// Id of the item that gave it first.
    by: String,
    weight: Weight,
}

/// How much a value counts that a parent gives, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It holds by default: what is installed counts for more, and what others choose.
    Default,
    /// It tells of an order: what is installed counts for more.
    OfOrder,
    /// It was chosen.
    Chosen,
}

/// Who shares what is made.
pub struct Sharing {
    /// Where its item stands among the others.
    pub slot: usize,
    /// Items of those who share it.
    pub parents: Vec<String>,
    /// Items of those who let go of it.
    pub released: Vec<String>,
    /// Whether only what stays as it is leads to it.
    pub stays: bool,
}

impl<'c> Group<'c> {
    fn belongs_to(&mut self, source: &Source<'_, 'c>) {
        self.changes |= source.changes;
        for (position, root) in source.roots.items.iter().enumerate() {
            let entity = match position {
                0 => source.roots.entity.clone(),
                _ => String::new(),
            };
            let known = self.roots.entry(root.clone()).or_default();
            if known.is_empty() {
                *known = entity;
            }
        }
    }

    fn roots(&self) -> Roots {
        Roots {
            items: self.roots.keys().cloned().collect(),
            entity: self.roots.values().next().cloned().unwrap_or_default(),
        }
    }

    fn give(&mut self, name: &str, value: &str, (by, weight): (&str, Weight)) {
        let known = self.values.iter().position(|(known, _)| known == name);
        let position = known.unwrap_or_else(|| {
            self.values.push((name.to_owned(), Vec::new()));
            self.values.len() - 1
        });
        let given = &mut self.values[position].1;
        if !given
            .iter()
            .any(|it| it.weight == weight && catalog::same(&it.value, value))
        {
            given.push(Given {
                value: value.to_owned(),
                by: by.to_owned(),
                weight,
            });
        }
    }

    /// Whether its place is part of what it is.
    fn says_where(&self) -> bool {
        let site = self
            .candidate
            .share()
            .is_some_and(|it| it.scope == ShareScope::Site);
        site || self.decomposition.place.is_some()
    }

    /// Its place: where all want it; one site may be written in several ways.
    fn place(&self) -> Option<Document> {
        let text = match self.places.as_slice() {
            [text] => text,
            places if self.says_where() => places.iter().min()?,
            _ => return None,
        };
        Document::parse(text.clone(), "").ok()
    }
}

impl Parent {
    fn of(source: &Source<'_, '_>, explanation: Option<usize>) -> Parent {
        Parent {
            item: source.item_id.to_owned(),
            entity: source.entity_id.to_owned(),
            mode: source.mode,
            explanation,
        }
    }
}

impl Shared<'_> {
    /// How many things are shared so far.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Notes that the thing of an item is at a place; false, if it is at another one.
    fn is_at(&mut self, item: &str, site: Site<'_>) -> bool {
        if let Some(known) = self.sites.get(item) {
            return *known == site;
        }
        self.sites.insert(item.to_owned(), site.into_owned());
        true
    }

    /// The services that are shared so far.
    pub fn kinds(&self) -> impl Iterator<Item = ServiceIndex> {
        self.groups.iter().map(|group| group.candidate.index)
    }

    fn note_entities(&mut self, group: usize) {
        for installed in self.groups[group]
            .parts
            .iter()
            .filter_map(|it| it.installed.as_ref())
        {
            self.by_entity.insert(installed.id.to_string(), group);
        }
    }
}
