//! Who wants a shared thing, and who lets go of it.

use super::{Parent, Weight};
use crate::catalog::expression::Bindings;
use crate::catalog::{Dependency, Mapping, Strength};
use crate::decompose::around;
use crate::decompose::dependencies::Waiting;
use crate::decompose::expand::{
    Candidate, Expansion, Level, Source, Subject, Wanted, installed_values,
};
use crate::decompose::explain::{Explanation, Outcome, Story};
use crate::decompose::loops::Reading;
use crate::decompose::standing::Standing;
use crate::decompose::step::still_waits;
use crate::document::Node;
use crate::inventory::Layer;
use crate::model::Action;

impl<'c> Expansion<'_, 'c> {
    /// A shared thing for one element: noted, if it is wanted. Gives its characteristics.
    pub fn want(
        &mut self,
        level: &Level<'_, 'c>,
        subject: &Subject<'_, 'c>,
        standing: &mut Standing<'c>,
    ) -> Option<String> {
        let source = level.source;
        let candidate = subject.candidate;
        let decomposition = candidate.decomposition?;
        let elements = subject.element.bindings;
        let at = (source.node, subject.element.key(source.key));
        let own = self.steps.place(decomposition, elements, at);
        let own = own.as_ref().map(Reading::node);
        let place = own.or_else(|| around::first(source.place));
        let mut bindings = Bindings::over(elements);
        if own.is_some() {
            around::bind_place(&mut bindings, own);
        }
        let called = self.called(source, candidate, (&bindings, place))?;
        let group = self.wanted_group(source, candidate, (called, standing));
        // What this very order has added is not there yet when it is looked at once more.
        let parts = self.shared.groups[group].parts.iter();
        let installed = parts
            .filter_map(|part| part.installed.as_ref())
            .map(|it| installed_values(it, None))
            .next()
            .filter(|_| source.before.is_some());
        let (wanted, story) = self.wanted(level, subject, &bindings, installed.as_ref());
        let Some(wanted) = wanted else {
            self.refuse(level, (candidate, group), story);
            return None;
        };
        let sibling = decomposition.observed.then(|| wanted.values.to_json());
        let layer = self.layer;
        let explanation = self.steps.explain(|| Explanation {
            outcome: Outcome::Made,
            ..about(layer, source, candidate, story)
        });
        self.join(source, group, (wanted, place), explanation);
        sibling
    }

    /// Adds a parent that wants a shared thing.
    fn join(
        &mut self,
        source: &Source<'_, 'c>,
        group: usize,
        (wanted, place): (Wanted<'_, 'c>, Option<Node<'_>>),
        explanation: Option<usize>,
    ) {
        let group = &mut self.shared.groups[group];
        group.belongs_to(source);
        if group.parents.iter().any(|it| it.item == source.item_id) {
            // Another element of the same parent.
        } else {
            group.parents.push(Parent::of(source, explanation));
        }
        for (name, value) in wanted.values.iter() {
            let of_order = |it: &&Mapping| it.target == name && it.of_order;
            let of_order =
                source.before.is_none() && group.decomposition.mappings().find(of_order).is_some();
            let weight = match wanted.values.strength(name) {
                _ if of_order => Weight::OfOrder,
                Some(Strength::Default) => Weight::Default,
                _ => Weight::Chosen,
            };
            group.give(name, value, (source.item_id, weight));
        }
        if let Some(place) = place {
            let text = place.compact();
            if !group.places.iter().any(|it| *it == text) {
                group.places.push(text.into_owned());
            }
        }
        group.waits.extend(wanted.waits);
        let first = group.around.as_ref().is_none_or(|(root, ..)| {
            let own = source.roots.items.first();
            own.is_some_and(|own| own < root)
        });
        if first && self.layer == Layer::Service {
            let root = source.roots.items.first().cloned().unwrap_or_default();
            let around = (source.now.keep_all(), source.then.keep_all());
            group.around = Some((root, around.0, around.1));
        }
    }

    /// A parent for which the condition of a shared thing is false: it lets go of what it has.
    fn refuse(
        &mut self,
        level: &Level<'_, 'c>,
        (candidate, group): (Candidate<'c>, usize),
        story: Story,
    ) {
        let source = level.source;
        let layer = self.layer;
        let explanation = self.steps.explain(|| Explanation {
            item: self.shared.groups[group].item_id.clone(),
            outcome: Outcome::NotMade,
            ..about(layer, source, candidate, story)
        });
        let used = self.shared.groups[group].parts.iter().any(|part| {
            let installed = part.installed.as_ref();
            installed.is_some_and(|it| self.users(it).contains(source.entity_id))
        });
        if used {
            self.let_go(level, (candidate, group), explanation);
        }
    }

    /// `candidate`: how this very parent comes by it; what comes first is what each parent's own
    /// rule says.
    fn let_go(
        &mut self,
        level: &Level<'_, 'c>,
        (candidate, group): (Candidate<'c>, usize),
        explanation: Option<usize>,
    ) {
        let group = &mut self.shared.groups[group];
        group.belongs_to(level.source);
        if group
            .parents
            .iter()
            .chain(&group.left)
            .any(|it| it.item == level.source.item_id)
        {
            return;
        }
        group.waits.extend(waits_still(level, candidate));
        group.left.push(Parent::of(level.source, explanation));
    }

    /// What a parent has of a shared thing and did not ask for: it lets go of it, or keeps it if
    /// it stays as it is.
    pub fn unwant(
        &mut self,
        level: &Level<'_, 'c>,
        candidate: Candidate<'c>,
        (standing, action): (&mut Standing<'c>, Action),
    ) {
        let source = level.source;
        let mark = format!(".{}", candidate.target.specification.id);
        for (position, part) in self
            .parts(candidate, Default::default(), "")
            .into_iter()
            .enumerate()
        {
            let specification = &part.specification.id;
            while let Some(installed) = standing
                .take_any(specification, |it| it.id.contains(&mark))
                .or_else(|| {
                    let keyed = candidate.share().is_some_and(|it| it.key.is_some());
                    standing.take_any(specification, |_| !keyed)
                })
            {
                let known = self.shared.by_entity.get(&*installed.id);
                let known = known.map(|known| self.shared.groups[*known].stays);
                if self.staying.is_some() && known == Some(false) {
                    // Others of the order say what becomes of it.
                    continue;
                }
                let group = self.installed_group(source, candidate, (position, installed));
                let story = Story::default();
                let layer = self.layer;
                let explanation = self.steps.explain(|| Explanation {
                    outcome: Outcome::of_above(action),
                    ..about(layer, source, candidate, story)
                });
                if action == Action::NoChange {
                    let group = &mut self.shared.groups[group];
                    group.belongs_to(source);
                    group.waits.extend(waits_still(level, candidate));
                    group.parents.push(Parent::of(source, explanation));
                } else {
                    self.let_go(level, (candidate, group), explanation);
                }
            }
        }
    }
}

/// What a shared thing waits for that goes, or stays as it is, by the rule of one parent.
fn waits_still<'c>(level: &Level<'_, 'c>, candidate: Candidate<'c>) -> Vec<Waiting<'c>> {
    let of_rule = candidate
        .decomposition
        .and_then(|it| it.alternatives.last());
    let of_rule: &[Dependency] = of_rule.map_or(&[], |it| &it.depends_on);
    still_waits(of_rule, level.before)
}

/// What explanations of a shared thing have in common.
fn about(
    layer: Layer,
    source: &Source<'_, '_>,
    candidate: Candidate<'_>,
    story: Story,
) -> Explanation {
    let specification = &candidate.target.specification;
    Explanation {
        layer,
        source_item: source.item_id.to_owned(),
        source: source.specification.id.clone(),
        target: specification.id.clone(),
        item: format!("{}.{}", source.item_id, specification.id),
        name: specification.name.clone(),
        story,
        outcome: Outcome::Made,
        sharers: 0,
    }
}
