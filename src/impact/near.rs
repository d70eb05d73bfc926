//! Which of the documents that differ is likely behind a difference: the nearest one to what it is
//! about. Says what to try first, and stands in where there is too much to try.

use std::collections::BTreeMap;

use super::Catalogs;
use super::reach::Touching;
use crate::catalog::Catalog;
use crate::document::DocumentKind;
use crate::rehearsal::{About, Change, Difference, Entity, Outcome};

/// What is known about the causes of an order's differences.
pub struct Nearness<'a> {
    pub catalogs: Catalogs<'a>,
    /// The documents that differ and that the order can meet.
    pub touching: &'a Touching,
    /// What came of the order before, and now.
    pub outcomes: [&'a Outcome; 2],
}

/// How a document that differs is told from the ids of items and tasks.
struct Mark {
    document: usize,
    /// Specifications that it is about.
    subjects: Vec<String>,
    /// Of two about the same the lower is nearer.
    rank: usize,
}

impl Nearness<'_> {
    /// The differences by their causes. What only follows from others (a task waits for one that is
    /// no longer there, the plan takes longer) goes with the cause of most of them.
    pub fn grouped(&self, differences: Vec<Difference>) -> BTreeMap<Vec<usize>, Vec<Difference>> {
        let all: Vec<usize> = self.touching.iter().copied().collect();
        // An order that is judged otherwise is so by what is sold; everything else follows.
        let judged = differences.iter().any(|it| match &it.about {
            About::Finding(finding) => finding.code.starts_with("order/"),
            About::Entity(..) => false,
        });
        let sold: Vec<usize> = all.iter().copied().filter(|it| self.is_sold(*it)).collect();
        if judged && !sold.is_empty() {
            return BTreeMap::from([(sold, differences)]);
        }
        let marks = self.marks();
        let mut grouped: BTreeMap<Vec<usize>, Vec<Difference>> = BTreeMap::new();
        let mut rest = Vec::new();
        for difference in differences {
            match self.nearest(&marks, &difference) {
                Some(document) => grouped.entry(vec![document]).or_default().push(difference),
                None => rest.push(difference),
            }
        }
        if !rest.is_empty() {
            let most = grouped.iter().rev().max_by_key(|(_, it)| it.len());
            let cause = most.map_or(all, |(cause, _)| cause.clone());
            grouped.entry(cause).or_default().extend(rest);
        }
        grouped
    }

    fn is_sold(&self, document: usize) -> bool {
        let kind = self.catalogs.comparison.documents[document].kind;
        matches!(
            kind,
            DocumentKind::ProductOffering | DocumentKind::ProductSpecification
        )
    }

    fn marks(&self) -> Vec<Mark> {
        let documents = self.touching.iter().map(|position| {
            let document = &self.catalogs.comparison.documents[*position];
            let id = document.id.as_str();
            let both = [self.catalogs.old, self.catalogs.new];
            let (subjects, rank) = match document.kind {
                DocumentKind::GateRule | DocumentKind::RolloutRule => (vec![id.to_owned()], 0),
                DocumentKind::ActivationRule => {
                    (both.iter().flat_map(|it| activated(it, id)).collect(), 1)
                }
                DocumentKind::DecompositionRule => {
                    (both.iter().flat_map(|it| targets(it, id)).collect(), 2)
                }
                DocumentKind::ResourceSpecification => {
                    (both.iter().flat_map(|it| realized(it, id)).collect(), 3)
                }
                _ => (vec![id.to_owned()], 4),
            };
            Mark {
                document: *position,
                subjects,
                rank,
            }
        });
        documents.collect()
    }

    fn nearest(&self, marks: &[Mark], difference: &Difference) -> Option<usize> {
        let About::Entity(entity, id) = &difference.about else {
            return None;
        };
        if let (Entity::Task | Entity::Resource, Change::Changed(facts)) =
            (entity, &difference.change)
            && facts.iter().all(|it| it.name == "after")
            && self.follows(facts)
        {
            return None;
        }
        let fits = marks.iter().filter_map(|mark| {
            // How a task is carried out is said by other rules than what it is made of.
            if mark.rank <= 1 && *entity != Entity::Task {
                return None;
            }
            let place = mark
                .subjects
                .iter()
                .filter_map(|it| segment(id, it))
                .max()?;
            Some((place, std::cmp::Reverse(mark.rank), mark.document))
        });
        let own_facts = match &difference.change {
            Change::Changed(facts) => facts.iter().any(|it| {
                [
                    "endpoint",
                    "duration",
                    "undoneBy",
                    "windowStart",
                    "windowEnd",
                    "onFailure",
                    "pointOfNoReturn",
                    "kind",
                    "request",
                ]
                .contains(&it.name.as_str())
            }),
            Change::Added(_) | Change::Removed(_) => false,
        };
        let mut fits: Vec<_> = fits.collect();
        if *entity == Entity::Task && !own_facts {
            fits.retain(|(_, rank, _)| rank.0 != 1);
        }
        fits.into_iter().max().map(|(_, _, document)| document)
    }

    /// Whether what is waited for differs only by what is made, or is no longer made.
    fn follows(&self, facts: &[crate::rehearsal::FactChange]) -> bool {
        let [before, now] = self.outcomes;
        let ids = |text: &Option<String>| -> Vec<String> {
            let list = text.as_deref().and_then(|it| serde_json::from_str(it).ok());
            list.unwrap_or_default()
        };
        let known = |id: &str, outcome: &Outcome| {
            let id = id
                .split(" + ")
                .next()
                .unwrap_or(id)
                .trim_end_matches(" (ended)");
            let of = |entity| outcome.entities.contains_key(&(entity, id.to_owned()));
            of(Entity::Task) || of(Entity::Resource) || of(Entity::Service)
        };
        facts.iter().all(|fact| {
            let (from, to) = (ids(&fact.from), ids(&fact.to));
            let gone = from.iter().filter(|it| !to.contains(it));
            let new = to.iter().filter(|it| !from.contains(it));
            gone.clone().all(|it| !known(it, now)) && new.clone().all(|it| !known(it, before))
        })
    }
}

/// Where an id of a specification stands among the parts of the id of an item.
fn segment(id: &str, part: &str) -> Option<usize> {
    id.match_indices(part)
        .map(|(start, _)| start)
        .filter(|start| {
            let before = id[..*start].chars().next_back();
            let after = id[start + part.len()..].chars().next();
            before.is_none_or(|it| it == '.') && after.is_none_or(|it| it == '.')
        })
        .max()
}

/// The specifications behind the resource of an activation rule.
fn activated(catalog: &Catalog, rule: &str) -> Vec<String> {
    let mut rules = catalog.activation_rules().iter();
    rules
        .find(|it| it.id == rule)
        .map_or(Vec::new(), |it| realized(catalog, &it.resource))
}

/// A resource specification, and the services that it realizes.
fn realized(catalog: &Catalog, resource: &str) -> Vec<String> {
    let services = catalog.services().iter().filter(|service| {
        let mut resources = service.resources.iter();
        resources.any(|it| catalog.resource_at(*it).specification.id == resource)
    });
    let services = services.map(|it| it.specification.id.clone());
    services.chain([resource.to_owned()]).collect()
}

/// What a decomposition rule makes.
fn targets(catalog: &Catalog, rule: &str) -> Vec<String> {
    let products = catalog.products().iter().flat_map(|it| &it.decompositions);
    let services = catalog.services().iter().flat_map(|it| &it.decompositions);
    let steps = products.chain(services).filter(|step| {
        let mut alternatives = step.alternatives.iter();
        alternatives.any(|it| it.rule.as_deref() == Some(rule))
    });
    steps
        .map(|it| catalog.service_at(it.target).specification.id.clone())
        .collect()
}
