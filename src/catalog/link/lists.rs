//! For the elements of which list services are made: what is made for one site is told apart from
//! what is made for another one in the same building. And what is read of these elements, which no
//! specification describes.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::{HashSet, HashSetExt as _};

use super::Linker;
use crate::catalog::ProductSpecification;
use crate::catalog::expression::Expression;
use crate::catalog::rule::{Decomposition, DependencyScope, Loop, Mapping};

/// What is known of the list of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known<'l> {
    /// Each of its items is made for an element of this list.
    One(&'l str),
    /// They are made for no element, for elements of several lists, or shared.
    None,
}

impl Linker<'_, '_> {
    /// Notes with each service the list for whose elements it is made, and with each dependency at a
    /// site whether both sides are made for elements of the same list.
    pub(super) fn lists(&mut self) {
        let lists = self.lists_of_services();
        for (service, list) in self.catalog.services.iter_mut().zip(&lists) {
            service.list.clone_from(list);
        }
        let products = self.catalog.products.iter_mut();
        let products = products.map(|it| &mut it.decompositions);
        let services = self.catalog.services.iter_mut();
        let services = services.map(|it| &mut it.decompositions);
        for decomposition in products.chain(services).flatten() {
            let (target, alternatives) = (decomposition.target, &mut decomposition.alternatives);
            for dependency in alternatives.iter_mut().flat_map(|it| &mut it.depends_on) {
                let on = dependency.on;
                dependency.by_element = dependency.scope == DependencyScope::Site
                    && on != target
                    && lists[target.0].is_some()
                    && lists[target.0] == lists[on.0];
            }
        }
    }

    /// Notes with each loop what the mappings of its rule read of an element, by which what is
    /// misspelt there is found. Of what a condition reads, explanations tell.
    pub(super) fn members_of_elements(&mut self) {
        let products = self.catalog.products.iter().map(|it| &it.decompositions);
        let services = self.catalog.services.iter().map(|it| &it.decompositions);
        let all = products.chain(services).flatten();
        if all.clone().all(|it| it.loops.is_empty()) {
            return;
        }
        let mut words: HashSet<String> = HashSet::new();
        for expression in all.flat_map(Decomposition::expressions) {
            for word in expression.source().split(|it: char| !is_of_word(it)) {
                if !words.contains(word) {
                    words.insert(word.to_owned());
                }
            }
        }
        let words = Arc::new(words);
        let products = self.catalog.products.iter_mut();
        let products = products.map(|it| &mut it.decompositions);
        let services = self.catalog.services.iter_mut();
        let services = services.map(|it| &mut it.decompositions);
        let all = products.chain(services).flatten();
        for decomposition in all.filter(|it| !it.loops.is_empty()) {
            let mappings = decomposition.mappings().filter_map(Mapping::expression);
            let paths = mappings.flat_map(Expression::paths);
            let mut read: BTreeSet<(String, String)> = BTreeSet::new();
            for path in paths {
                let mut path = path.into_iter();
                read.extend(path.next().zip(path.next()));
            }
            for outer in &mut decomposition.loops {
                let own = read.iter().filter(|(name, _)| *name == outer.variable);
                outer.members = own.map(|(_, member)| member.clone()).collect();
                outer.words = Arc::clone(&words);
            }
        }
    }

    fn lists_of_services(&self) -> Vec<Option<String>> {
        let own = |it: &ProductSpecification| -> Vec<Option<String>> {
            let decompositions = it.decompositions.iter();
            decompositions
                .map(|it| it.loops.first().map(list))
                .collect()
        };
        let own: Vec<Vec<Option<String>>> = self.catalog.products.iter().map(own).collect();
        let mut known: Vec<Option<Known<'_>>> = vec![None; self.catalog.services.len()];
        for (product, own) in self.catalog.products.iter().zip(&own) {
            for (decomposition, own) in product.decompositions.iter().zip(own) {
                let found = own.as_deref().map_or(Known::None, Known::One);
                enter(&mut known, decomposition, found);
            }
        }
        let mut changed = true;
        while changed {
            changed = false;
            for (index, service) in self.catalog.services.iter().enumerate() {
                let Some(above) = known[index] else {
                    continue;
                };
                for decomposition in &service.decompositions {
                    changed |= enter(&mut known, decomposition, above);
                }
            }
        }
        let lists = known.into_iter().map(|it| match it {
            Some(Known::One(list)) => Some(list.to_owned()),
            Some(Known::None) | None => None,
        });
        lists.collect()
    }
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Notes what is found of the target of a decomposition, with what is known already: that only ever
/// gets less. Gives whether it is news.
fn enter<'l>(known: &mut [Option<Known<'l>>], it: &Decomposition, found: Known<'l>) -> bool {
    let found = match it.share {
        Some(_) => Known::None,
        None => found,
    };
    let before = known[it.target.0];
    let after = match before {
        Some(before) if before != found => Known::None,
        _ => found,
    };
    known[it.target.0] = Some(after);
    before != Some(after)
}

/// What the outermost loop goes through, and how it tells the elements apart: where two rules say
/// the same, the same key means the same element.
fn list(outermost: &Loop) -> String {
    let variable = outermost.variable.as_str();
    let key = outermost.key.as_ref().map(|key| {
        let within = key.source().strip_prefix(variable);
        let member = within.and_then(|it| it.strip_prefix('.'));
        member.filter(|_| key.is_path()).map_or_else(
            || format!("{variable}: {}", key.source()),
            |it| format!(".{it}"),
        )
    });
    // An element without a key of its own is known by its id.
    let key = key.unwrap_or_else(|| ".id".to_owned());
    format!("{} {key}", outermost.source())
}
