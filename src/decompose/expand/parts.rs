//! What is made of a candidate: a service, or the resources of one; and what is
//! installed of that.

use std::borrow::Cow;

use super::stranger::Strangers;
use super::{Expansion, Source};
use crate::catalog::{
    Decomposition, Loop, ServiceIndex, ServiceSpecification, Share, Specification,
};
use crate::decompose::loops::Element;
use crate::decompose::standing::Standing;
use crate::inventory::{Installed, Layer};

/// One way in which a thing may be needed.
#[derive(Clone, Copy)]
pub struct Candidate<'c> {
    /// How it comes about; none for a service that stands on resources itself.
    pub decomposition: Option<&'c Decomposition>,
    pub index: ServiceIndex,
    pub target: &'c ServiceSpecification,
}

impl<'c> Candidate<'c> {
    /// Its loops.
    pub fn loops(&self) -> &'c [Loop] {
        self.decomposition.map_or(&[], |it| &it.loops)
    }

    /// How it is shared, if it is.
    pub fn share(&self) -> Option<&'c Share> {
        self.decomposition?.share.as_ref()
    }

    /// Whether it is made once for its source and for nothing else.
    pub fn is_plain(&self) -> bool {
        self.loops().is_empty() && self.share().is_none()
    }
}

/// A service or resource of a candidate.
pub struct Part<'c> {
    pub item_id: String,
    /// Id that is computed for it.
    pub entity_id: String,
    pub name: Cow<'c, str>,
    pub specification: &'c Specification,
    pub installed: Option<Installed<'c>>,
}

impl<'c> Expansion<'_, 'c> {
    /// What is made of a candidate. A resource-facing service with one resource gives it its own
    /// ids and name. `key`: what tells it from others of its kind, for people.
    pub fn parts(
        &self,
        candidate: Candidate<'c>,
        (item_id, entity_id): (String, String),
        key: &str,
    ) -> Vec<Part<'c>> {
        let catalog = self.with.catalog;
        let service = &candidate.target.specification;
        let whole = |item_id: String, entity_id: String, specification: &'c Specification| Part {
            item_id,
            entity_id,
            name: service.name_of(key),
            specification,
            installed: None,
        };
        if self.layer != Layer::Resource {
            return vec![whole(item_id, entity_id, service)];
        }
        let resources = candidate.target.resources.iter();
        let mut resources = resources.map(|index| &catalog.resource_at(*index).specification);
        if let (Some(_), [index]) = (candidate.decomposition, &*candidate.target.resources) {
            let resource = &catalog.resource_at(*index).specification;
            return vec![whole(item_id, entity_id, resource)];
        }
        resources
            .by_ref()
            .map(|resource| Part {
                item_id: format!("{item_id}.{}", resource.id),
                entity_id: format!("{entity_id}.{}", resource.id),
                name: resource.name_of(key),
                specification: resource,
                installed: None,
            })
            .collect()
    }

    /// What is made of a candidate for one element.
    pub fn element_parts(
        &self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        suffix: &str,
    ) -> Vec<Part<'c>> {
        let (item_id, entity_id) = (source.item_id, source.entity_id);
        if candidate.decomposition.is_none() {
            let ids = (item_id.to_owned(), entity_id.to_owned());
            return self.parts(candidate, ids, source.key);
        }
        let id = candidate.target.specification.id.as_str();
        let inside = |above: &str| [above, ".", id, suffix].concat();
        let ids = (inside(item_id), inside(entity_id));
        self.parts(candidate, ids, &joined(source.key, suffix))
    }

    /// The parts of one element, with what is installed of them.
    pub(super) fn looped_parts(
        &mut self,
        (source, candidate): (&Source<'_, 'c>, Candidate<'c>),
        element: &Element<'_>,
        (standing, mut strangers): (&mut Standing<'c>, Option<&mut Strangers<'c>>),
    ) -> Vec<Part<'c>> {
        let mut parts = self.element_parts(source, candidate, element.suffix);
        for (position, part) in parts.iter_mut().enumerate() {
            part.installed = standing.take(&part.entity_id, &part.specification.id);
            if let (None, Some(strangers)) = (&part.installed, &mut strangers) {
                let known = (&mut **strangers, &mut *standing);
                let subject = (source, candidate);
                part.installed = self.recognize(subject, (element, part, position), known);
            }
        }
        parts
    }

    /// The parts of the candidates that are made once, with what is installed of them: under the
    /// id that would be computed, else of their specification. None, if nothing is installed.
    pub fn matched_parts(
        &self,
        source: &Source<'_, 'c>,
        candidates: &[Candidate<'c>],
        standing: &mut Standing<'c>,
    ) -> Vec<Vec<Part<'c>>> {
        if standing.is_empty() {
            return Vec::new();
        }
        let plain = |candidate: &Candidate<'c>| {
            let parts = || self.element_parts(source, *candidate, "");
            candidate.is_plain().then(parts).unwrap_or_default()
        };
        let mut all: Vec<Vec<Part<'c>>> = candidates.iter().map(plain).collect();
        for part in all.iter_mut().flatten() {
            part.installed = standing.take(&part.entity_id, &part.specification.id);
        }
        let others = candidates.iter().filter(|it| !it.is_plain());
        let marks: Vec<String> = others
            .map(|it| format!(".{}", it.target.specification.id))
            .collect();
        for part in all.iter_mut().flatten().filter(|it| it.installed.is_none()) {
            part.installed = standing.take_any(&part.specification.id, |it| {
                !marks.iter().any(|mark| it.id.contains(mark))
            });
        }
        all
    }
}

/// The key of a thing below another one: that of the other, and the one of its own, which `suffix`
/// has behind a dot, unless it is the same.
pub fn joined<'k>(above: &'k str, suffix: &'k str) -> Cow<'k, str> {
    let own = suffix.strip_prefix('.').unwrap_or(suffix);
    match above {
        "" => Cow::Borrowed(own),
        above if above == own || above.ends_with(suffix) => Cow::Borrowed(above),
        above => Cow::Owned([above, suffix].concat()),
    }
}
