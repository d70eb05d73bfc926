//! What becomes of a candidate for one element of its rule's loops.

use foldhash::{HashMap, HashMapExt as _};

use super::{Candidate, Expansion, Level, Part, Thing, joined};
use crate::catalog::expression::Bindings;
use crate::catalog::{Catalog, Mapping, ServiceSpecification, Specification, Values};
use crate::decompose::around;
use crate::decompose::dependencies::Waiting;
use crate::decompose::explain::{Outcome, Story};
use crate::decompose::loops::{self, Element, Reading};
use crate::decompose::mapping::{Keep, Mapped};
use crate::decompose::standing::Mode;
use crate::decompose::step::{Fate, Step};
use crate::inventory::{Installed, Layer};
use crate::model::{Action, Characteristic};

/// What is wanted of a candidate.
pub struct Wanted<'v, 'c> {
    pub values: Values<'v>,
    pub waits: Vec<Waiting<'c>>,
}

/// A candidate that is looked at for one element.
pub struct Subject<'a, 'c> {
    pub candidate: Candidate<'c>,
    pub element: &'a Element<'a>,
    /// What mappings that tell of the order gave for it before.
    pub kept: Option<&'a [(&'c Mapping, String)]>,
}

impl<'c> Expansion<'_, 'c> {
    /// What becomes of a candidate for one element; gives its characteristics, if it is made and
    /// they are read. `parts`: what is made of it, if it was matched to what is installed.
    pub fn element(
        &mut self,
        level: &Level<'_, 'c>,
        subject: &Subject<'_, 'c>,
        parts: Option<Vec<Part<'c>>>,
    ) -> Option<String> {
        let Subject {
            candidate, element, ..
        } = *subject;
        let source = level.source;
        let at = (source.node, element.key(source.key));
        let own = candidate
            .decomposition
            .and_then(|it| self.steps.place(it, element.bindings, at));
        let own = own.as_ref().map(Reading::node);
        let mut bindings = Bindings::over(element.bindings);
        if own.is_some() {
            around::bind_place(&mut bindings, own);
        }
        let before: Vec<Option<Values<'c>>> = parts
            .iter()
            .flatten()
            .map(|part| part.installed.as_ref().map(|it| installed_values(it, None)))
            .collect();
        let installed = before.iter().flatten().next();
        let (wanted, story) = self.wanted(level, subject, &bindings, installed);
        let Some(Wanted { values, waits }) = wanted else {
            self.unwanted(level, subject, parts.unwrap_or_default(), story);
            return None;
        };
        let observed = candidate.decomposition.is_some_and(|it| it.observed);
        let sibling = observed.then(|| values.to_json());
        let parts = parts.unwrap_or_else(|| self.element_parts(source, candidate, element.suffix));
        let count = parts.len();
        let (mut values, mut waits) = (Some(values), Some(waits));
        for (position, part) in parts.into_iter().enumerate() {
            let last = position + 1 == count;
            let values = if last { values.take() } else { values.clone() };
            let waits = if last { waits.take() } else { waits.clone() };
            let full = self.with_defaults(values.unwrap_or_default(), part.specification);
            let given = own.or(source.given);
            let before = before.get(position).and_then(Option::as_ref);
            let (fate, known) = match (source.mode, &part.installed, before) {
                (Mode::Compare, Some(installed), Some(before)) => {
                    let touched =
                        self.is_touched(source.changes, candidate) || installed.is_degraded();
                    let fate = Fate::compared(&full, (installed, before), given, touched);
                    (fate, Some(full.over(before)))
                }
                (Mode::Make(action), ..) => (Fate::new(action, full), None),
                (Mode::Compare | Mode::All(_), ..) => (Fate::new(Action::Add, full), None),
            };
            self.explain(source, candidate, &part, || {
                (story.clone(), Outcome::of(&fate, part.installed.as_ref()))
            });
            let thing = Thing {
                candidate: Some(candidate),
                item_id: part.item_id,
                entity_id: part.entity_id,
                name: &part.name,
                specification: part.specification,
                installed: part.installed,
                waits: waits.unwrap_or_default(),
                place: own.or(source.place),
                given,
            };
            self.make(source, thing, &fate, known.as_ref().unwrap_or(&fate.values));
        }
        sibling
    }

    /// What is wanted of a candidate, if it is wanted at all; and the story of that.
    pub fn wanted<'v>(
        &mut self,
        level: &Level<'v, 'c>,
        subject: &Subject<'_, 'c>,
        bindings: &Bindings<'_>,
        installed: Option<&Values<'_>>,
    ) -> (Option<Wanted<'v, 'c>>, Story)
    where
        'c: 'v,
    {
        let source = level.source;
        let Some(decomposition) = subject.candidate.decomposition else {
            let wanted = Wanted {
                values: source.values.clone(),
                waits: Vec::new(),
            };
            return (Some(wanted), Story::default());
        };
        let mut own = Bindings::over(bindings);
        if let Some(installed) = installed {
            own.bind_object("installed", installed.iter());
        }
        let step = Step {
            decomposition,
            node: source.node,
            element: subject.element.key(source.key),
            bindings: &own,
            source: source.specification,
        };
        let (alternative, mut story) = self.steps.judge(&step);
        let Some(alternative) = alternative else {
            return (None, story);
        };
        let mapped = Mapped {
            alternative,
            target: &subject.candidate.target.specification,
            source: source.values,
            bindings: &own,
            keep: installed.map(|installed| Keep {
                before: level.before.map(|_| subject.kept.unwrap_or_default()),
                installed,
            }),
            place: step.place(),
        };
        let wanted = Wanted {
            values: mapped.values(&mut self.steps.faults),
            waits: self.steps.waits(&step, &alternative.depends_on, &mut story),
        };
        (Some(wanted), story)
    }

    /// Something that is not wanted: what is installed of it goes.
    pub fn unwanted(
        &mut self,
        level: &Level<'_, 'c>,
        subject: &Subject<'_, 'c>,
        parts: Vec<Part<'c>>,
        story: Story,
    ) {
        let Subject {
            candidate, element, ..
        } = *subject;
        if parts.iter().all(|part| part.installed.is_none()) {
            let source = level.source;
            let id = &candidate.target.specification.id;
            let part = Part {
                item_id: format!("{}.{id}{}", source.item_id, element.suffix),
                entity_id: String::new(),
                name: (candidate.target.specification).name_of(&joined(source.key, element.suffix)),
                specification: &candidate.target.specification,
                installed: None,
            };
            self.explain(source, candidate, &part, || (story, Outcome::NotMade));
            return;
        }
        for part in parts {
            self.explain(level.source, candidate, &part, || {
                (story.clone(), Outcome::Deleted { why: None })
            });
            self.leave(
                level,
                candidate,
                part,
                (Action::Delete, Some(element.bindings)),
            );
        }
    }

    /// The values of a resource, with what its own specification has by default.
    pub fn with_defaults<'v>(&self, values: Values<'v>, of: &'v Specification) -> Values<'v> {
        match self.layer {
            Layer::Resource => values.with_defaults(&of.characteristics),
            Layer::Product | Layer::Service => values,
        }
    }

    /// Whether a service counts as changed although nothing of its own differs: something that it
    /// is made of looks at a product that changes.
    pub fn is_touched(&self, product_changes: bool, candidate: Candidate<'c>) -> bool {
        self.layer == Layer::Service
            && product_changes
            && reads_product(self.with.catalog, candidate.target)
    }
}

/// Characteristics of something installed, with the defaults of its specification.
pub fn installed_values<'d>(
    installed: &Installed<'d>,
    specification: Option<&'d Specification>,
) -> Values<'d> {
    let characteristics: &[Characteristic<'d>] = &installed.characteristics;
    let defaults = specification.iter().flat_map(|it| &it.characteristics);
    let values =
        Values::given(characteristics.iter().cloned(), specification).with_defaults(defaults);
    match specification {
        Some(specification) => values.presumed(specification),
        None => values,
    }
}

/// What mappings that tell of the order gave before it, by element.
pub struct Kept<'c>(HashMap<String, Vec<(&'c Mapping, String)>>);

impl<'c> Kept<'c> {
    pub fn of(level: &Level<'_, 'c>, candidate: Candidate<'c>) -> Self {
        let mut kept = HashMap::new();
        let (Some(decomposition), Some(before)) = (candidate.decomposition, level.before) else {
            return Kept(kept);
        };
        let of_order: Vec<&'c Mapping> =
            decomposition.mappings().filter(|it| it.of_order).collect();
        if of_order.is_empty() {
            return Kept(kept);
        }
        let (_faults_of_what_was, _) = loops::each(&decomposition.loops, before, &mut |element| {
            let mut bindings = Bindings::over(element.bindings);
            let place = decomposition.place.as_ref();
            let place = place.and_then(|it| Reading::of(it, element.bindings).ok().flatten());
            if let Some(place) = &place {
                around::bind_place(&mut bindings, Some(place.node()));
            }
            let value = |mapping: &&'c Mapping| {
                let value = mapping.expression()?.evaluate(&bindings).ok()?;
                Some((*mapping, value))
            };
            let values = of_order.iter().filter_map(value).collect();
            kept.insert(element.suffix.to_owned(), values);
            true
        });
        Kept(kept)
    }

    pub fn get(&self, element: &Element<'_>) -> Option<&[(&'c Mapping, String)]> {
        self.0.get(element.suffix).map(Vec::as_slice)
    }
}

/// Whether anything that a service is made of, at any depth, looks at the product.
fn reads_product(catalog: &Catalog, service: &ServiceSpecification) -> bool {
    service.decompositions.iter().any(|decomposition| {
        decomposition.reads("product")
            || reads_product(catalog, catalog.service_at(decomposition.target))
    })
}
