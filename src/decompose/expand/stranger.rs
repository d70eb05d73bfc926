//! Installed things below one thing whose ids another system gave: known by the
//! characteristics that the keys of loops are mapped to, or by their names.

use foldhash::HashMap;

use super::{Candidate, Expansion, Part, Source};
use crate::catalog::{Decomposition, Loop, Mapping, Over, Specification};
use crate::decompose::faults::{ElementKey, Place};
use crate::decompose::loops::{self, Element};
use crate::decompose::standing::Standing;
use crate::inventory::{Installed, Layer};

/// Things that are named in a finding.
const NAMED: usize = 3;

/// The strangers among what is installed that may have been made of one candidate's elements.
pub struct Strangers<'c> {
    /// The mappings that give a key each, for every loop one; none, if a key is mapped nowhere.
    keys: Vec<&'c Mapping>,
    /// For each part of the candidate.
    of_part: Vec<Known>,
    doubt: Doubt,
}

/// What becomes of an element where it is not clear which of several it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It is a fault.
    Fault,
    /// It is none, and the element is found to be one of them if they are alike: all go.
    Any,
}

/// Strangers by what they are known by, as their positions in what is installed.
#[derive(Default)]
struct Known {
    by_key: HashMap<String, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
    by_nothing: Vec<usize>,
}

/// What is found of an element.
enum Found {
    Nothing,
    One(usize),
    /// Several that are the same, or some of which nothing tells what they are.
    Unclear {
        positions: Vec<usize>,
        alike: bool,
    },
}

impl<'c> Expansion<'_, 'c> {
    /// The strangers of a candidate with loops; `None` if there are none.
    pub(super) fn strangers(
        &self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        (standing, doubt): (&Standing<'c>, Doubt),
    ) -> Option<Strangers<'c>> {
        let decomposition = candidate.decomposition?;
        if decomposition.loops.is_empty() || decomposition.share.is_some() || standing.is_empty() {
            return None;
        }
        let parts = self.element_parts(source, candidate, "");
        let mut strangers = Strangers {
            keys: keys(decomposition),
            of_part: Vec::with_capacity(parts.len()),
            doubt,
        };
        for part in &parts {
            let own = self.is_of_no_other(source, candidate, part);
            let of_rule = id_of_rule(source, candidate);
            let called = called(candidate, part, parts.len());
            let mut known = Known::default();
            for (position, installed) in standing.of(&part.specification.id) {
                if !installed.id.starts_with(&of_rule) {
                    strangers.add(&mut known, (position, installed), (called, own));
                }
            }
            strangers.of_part.push(known);
        }
        strangers
            .of_part
            .iter()
            .any(Known::is_some)
            .then_some(strangers)
    }

    /// Whether nothing else that the source needs is of the specification of a part.
    pub(super) fn is_of_no_other(
        &self,
        source: &Source<'_, 'c>,
        candidate: Candidate<'c>,
        part: &Part<'c>,
    ) -> bool {
        let others = self.candidates(source);
        let mut others = others.iter().filter(|it| it.index != candidate.index);
        let id = &part.specification.id;
        !others.any(|other| match self.layer {
            Layer::Resource => {
                let mut resources = other.target.resources.iter();
                resources.any(|it| self.with.catalog.resource_at(*it).specification.id == *id)
            }
            Layer::Product | Layer::Service => other.target.specification.id == *id,
        })
    }

    /// The stranger that is a part of an element. What nothing tells apart is a fault.
    pub(super) fn recognize(
        &mut self,
        (source, candidate): (&Source<'_, 'c>, Candidate<'c>),
        (element, part, position): (&Element<'_>, &Part<'c>, usize),
        (strangers, standing): (&mut Strangers<'c>, &mut Standing<'c>),
    ) -> Option<Installed<'c>> {
        match strangers.find(element, part, position) {
            Found::Nothing => None,
            Found::One(stranger) => standing.take_at(stranger),
            Found::Unclear { positions, alike } => {
                let ids: Vec<String> = positions
                    .iter()
                    .filter_map(|it| Some(standing.at(*it)?.id.to_string()))
                    .collect();
                let decomposition = candidate.decomposition?;
                if strangers.doubt == Doubt::Any {
                    return standing.take_at(*positions.first().filter(|_| alike)?);
                }
                let place = Place {
                    decomposition,
                    node: source.node,
                    element: ElementKey::default(),
                };
                self.unclear(place, (part, &ids), alike);
                None
            }
        }
    }

    fn unclear(&mut self, at: Place<'_>, (part, ids): (&Part<'c>, &[String]), alike: bool) {
        let layer = self.layer.name();
        let item = &part.item_id;
        let shown: Vec<String> = ids.iter().take(NAMED).map(|id| format!("`{id}`")).collect();
        let more = match ids.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let ids = shown.join(", ");
        let specification = &part.specification.id;
        let message = if alike {
            format!(
                "item `{item}` may be about each of the installed {layer}s {ids}{more}: nothing tells them apart"
            )
        } else {
            format!(
                "nothing tells whether item `{item}` is about an installed {layer} of {specification}: {ids}{more}"
            )
        };
        let hint = format!(
            "map the key of the loop to a characteristic that the installed {layer} has, too, or install it under the id `{}`",
            part.entity_id
        );
        let code = "decompose/unclear-installed";
        self.steps.faults.hinted(at, code, message, Some(&hint));
    }
}

impl Known {
    fn is_some(&self) -> bool {
        !(self.by_key.is_empty() && self.by_name.is_empty() && self.by_nothing.is_empty())
    }
}

impl<'c> Strangers<'c> {
    /// Enters a stranger under what it is known by. `own`: whether it can be of nothing else.
    fn add(
        &self,
        known: &mut Known,
        (position, installed): (usize, &Installed<'c>),
        (called, own): (&Specification, bool),
    ) {
        let value = |mapping: &&Mapping| {
            let mut all = installed.characteristics.iter();
            let it = all.find(|it| it.name == mapping.target)?;
            loops::key_text(&it.value?.compact())
        };
        let key: Option<Vec<String>> = self.keys.iter().map(value).collect();
        let name = installed.node.text("name");
        let keyed = name.filter(|it| called.key_in(it).is_some_and(|key| !key.is_empty()));
        if let Some(key) = key.filter(|key| own && !key.is_empty()) {
            known
                .by_key
                .entry(key.join("\0"))
                .or_default()
                .push(position);
        } else if let Some(name) = keyed {
            known
                .by_name
                .entry(name.into_owned())
                .or_default()
                .push(position);
        } else if own {
            known.by_nothing.push(position);
        }
    }

    fn find(&self, element: &Element<'_>, part: &Part<'c>, position: usize) -> Found {
        let Some(known) = self.of_part.get(position).filter(|it| it.is_some()) else {
            return Found::Nothing;
        };
        let value = |mapping: &&Mapping| {
            let value = mapping.expression()?.evaluate(element.bindings).ok()?;
            loops::key_text(&value)
        };
        let key: Option<Vec<String>> = self.keys.iter().map(value).collect();
        let by_key = key.and_then(|key| known.by_key.get(&key.join("\0")));
        let found = by_key.or_else(|| known.by_name.get(&*part.name));
        match found.map(Vec::as_slice) {
            Some([one]) => Found::One(*one),
            Some(several) => Found::Unclear {
                positions: several.to_vec(),
                alike: true,
            },
            None if known.by_nothing.is_empty() => Found::Nothing,
            None => Found::Unclear {
                positions: known.by_nothing.clone(),
                alike: false,
            },
        }
    }
}

/// What the ids begin with that are computed for the elements of a candidate.
pub(super) fn id_of_rule(source: &Source<'_, '_>, candidate: Candidate<'_>) -> String {
    let id = candidate.target.specification.id.as_str();
    [source.entity_id, ".", id, "."].concat()
}

/// What the parts of a candidate are called after: a service, if there is only one.
pub(super) fn called<'c>(
    candidate: Candidate<'c>,
    part: &Part<'c>,
    parts: usize,
) -> &'c Specification {
    match parts {
        1 => &candidate.target.specification,
        _ => part.specification,
    }
}

/// For each loop the mapping that gives its key, whichever of the rules is taken; none, if one of
/// the keys is mapped nowhere.
fn keys(decomposition: &Decomposition) -> Vec<&Mapping> {
    let of_key = |it: &Loop| {
        let alternatives = &decomposition.alternatives;
        let mut mappings = alternatives.last()?.mapping.iter();
        mappings.find(|mapping| {
            is_key(mapping, it)
                && alternatives.iter().all(|alternative| {
                    let mut mappings = alternative.mapping.iter();
                    mappings.any(|other| other.target == mapping.target && is_key(other, it))
                })
        })
    };
    let keys: Option<Vec<&Mapping>> = decomposition.loops.iter().map(of_key).collect();
    keys.unwrap_or_default()
}

/// Whether a mapping gives the key of a loop: that which it names, else the element itself or its
/// id.
fn is_key(mapping: &Mapping, of: &Loop) -> bool {
    let Some(expression) = mapping.expression() else {
        return false;
    };
    let text = expression.source().trim();
    match (&of.key, &of.over) {
        (Some(key), _) => key.source().trim() == text,
        (None, Over::Count(_)) => text == of.variable,
        (None, Over::List(_)) => {
            let id = text.strip_prefix(of.variable.as_str());
            id.is_some_and(|rest| rest.is_empty() || rest == ".id")
        }
    }
}
