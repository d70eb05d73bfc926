//! What mappings read of what is made beside their target.

use foldhash::{HashMap, HashMapExt as _};

use super::scope::shape;
use super::{Compiler, Step};
use crate::catalog::ServiceIndex;
use crate::catalog::expression::{Expression, ObjectShape, Shape};
use crate::catalog::rule::{Decomposition, Mapping};
use crate::catalog::specification::Facing;
use crate::graph;

/// Shapes of `siblings` for the targets of one source: those of one layer see each other.
pub(super) struct Siblings {
    customer: ObjectShape,
    resource: ObjectShape,
}

impl Siblings {
    pub(super) fn facing(&self, facing: Facing) -> &ObjectShape {
        match facing {
            Facing::Customer => &self.customer,
            Facing::Resource => &self.resource,
        }
    }
}

impl Compiler<'_> {
    pub(super) fn siblings_of(&self, steps: &[Step<'_>]) -> Siblings {
        let reads = |step: &Step<'_>| {
            let mut mappings = step.rules.iter().flat_map(|rule| rule.list("mapping"));
            mappings.any(|it| {
                it.text("expression")
                    .is_some_and(|it| it.contains("siblings"))
            })
        };
        let mut siblings = Siblings {
            customer: ObjectShape::closed(),
            resource: ObjectShape::closed(),
        };
        if !steps.iter().any(reads) {
            return siblings;
        }
        for step in steps {
            let service = &self.reader.catalog.services[step.target.0];
            let members = match service.facing {
                Facing::Customer => &mut siblings.customer,
                Facing::Resource => &mut siblings.resource,
            };
            let conditional = step.rules.iter().any(|it| it.get("condition").is_some());
            let made = Shape::Object(shape(&service.specification));
            members.insert(&service.specification.id, made, !conditional);
        }
        siblings
    }

    /// Sorts the steps of a source so that what is read comes before what reads it.
    pub(super) fn in_order_of_siblings(&mut self, decompositions: &mut Vec<Decomposition>) {
        let mut positions: HashMap<&str, usize> = HashMap::new();
        for (position, decomposition) in decompositions.iter().enumerate() {
            let id = &self.reader.catalog.services[decomposition.target.0]
                .specification
                .id;
            positions.insert(id, position);
        }
        let read: Vec<Vec<usize>> = decompositions
            .iter()
            .map(|decomposition| self.read_by(decomposition, decompositions, &positions))
            .collect();
        if read.iter().all(Vec::is_empty) {
            return;
        }
        let mut looped: Vec<(usize, usize)> = Vec::new();
        for (reader, read) in read.iter().enumerate() {
            let read = read
                .iter()
                .filter(|it| !decompositions[**it].loops.is_empty());
            looped.extend(read.map(|read| (reader, *read)));
        }
        let cycles = graph::cycles(&read);
        let id = |position: usize| self.id(decompositions[position].target);
        let mut found = Vec::new();
        for (reader, read) in looped {
            let message = format!(
                "`{}` is made for each of a list: it is no sibling",
                id(read)
            );
            let hint = "a sibling is made once; read what the loop reads".to_owned();
            found.push((reader, message, hint));
        }
        for cycle in &cycles {
            let mut members: Vec<String> = cycle.iter().map(|it| id(*it)).collect();
            members.push(id(cycle[0]));
            let message = format!("siblings read each other: {}", members.join(" → "));
            let hint = "map one of them from `source`".to_owned();
            found.push((cycle[0], message, hint));
        }
        for (position, message, hint) in found {
            let place = decompositions[position].location.clone();
            self.reader.error("rule/sibling", place, message).hint = Some(hint);
        }
        for position in read.iter().flatten() {
            decompositions[*position].observed = true;
        }
        if cycles.is_empty() {
            sort(decompositions, &read);
        }
    }

    fn id(&self, service: ServiceIndex) -> String {
        self.reader.catalog.services[service.0]
            .specification
            .id
            .clone()
    }

    /// Positions of the siblings that a step reads.
    fn read_by(
        &self,
        decomposition: &Decomposition,
        all: &[Decomposition],
        positions: &HashMap<&str, usize>,
    ) -> Vec<usize> {
        let facing = |it: &Decomposition| self.reader.catalog.services[it.target.0].facing;
        let mut read: Vec<usize> = Vec::new();
        let expressions = decomposition.mappings().filter_map(Mapping::expression);
        for path in expressions
            .filter(|it| it.reads("siblings"))
            .flat_map(Expression::paths)
        {
            match path.as_slice() {
                [variable, id, ..] if variable == "siblings" => read.extend(positions.get(&**id)),
                [variable] if variable == "siblings" => {
                    let beside = all.iter().enumerate().filter(|(_, it)| {
                        facing(it) == facing(decomposition)
                            && it.target != decomposition.target
                            && it.loops.is_empty()
                    });
                    read.extend(beside.map(|(position, _)| position));
                }
                _ => {}
            }
        }
        read.sort_unstable();
        read.dedup();
        read
    }
}

/// As they stand, but each after what it reads.
fn sort(decompositions: &mut Vec<Decomposition>, read: &[Vec<usize>]) {
    let mut rank = vec![None; decompositions.len()];
    let mut next = 0;
    while next < decompositions.len() {
        let free = (0..decompositions.len()).find(|position| {
            rank[*position].is_none() && read[*position].iter().all(|it| rank[*it].is_some())
        });
        let Some(free) = free else { return };
        rank[free] = Some(next);
        next += 1;
    }
    let mut ranked: Vec<(Option<usize>, Decomposition)> = rank
        .into_iter()
        .zip(std::mem::take(decompositions))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    decompositions.extend(ranked.into_iter().map(|(_, it)| it));
}
