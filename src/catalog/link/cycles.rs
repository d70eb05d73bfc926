//! What leads back to where it began.

use super::Linker;
use crate::catalog::rule::Dependency;

impl Linker<'_, '_> {
    /// Neither decomposition nor order of work may lead back to where it began.
    pub(super) fn cycles(&mut self) {
        let services = self.catalog.services.len();
        let mut decomposes: Vec<Vec<usize>> = vec![Vec::new(); services];
        let mut waits: Vec<Vec<usize>> = vec![Vec::new(); services];
        let products = self
            .catalog
            .products
            .iter()
            .map(|product| (None, &product.decompositions));
        let all = self.catalog.services.iter().enumerate();
        let all = all.map(|(index, service)| (Some(index), &service.decompositions));
        for (index, decompositions) in products.chain(all) {
            for decomposition in decompositions {
                if let Some(index) = index {
                    decomposes[index].push(decomposition.target.0);
                }
                for alternative in &decomposition.alternatives {
                    waits[decomposition.target.0].extend(certain(&alternative.depends_on));
                }
            }
        }
        for (index, service) in self.catalog.services.iter().enumerate() {
            waits[index].extend(certain(&service.depends_on));
        }
        self.rank(&decomposes);
        for (edges, what) in [(decomposes, "decomposition"), (waits, "order of work")] {
            for cycle in crate::graph::cycles(&edges) {
                let name = |index: &usize| self.catalog.services[*index].specification.id.clone();
                let mut members: Vec<String> = cycle.iter().map(name).collect();
                members.push(name(&cycle[0]));
                let location = self.catalog.services[cycle[0]]
                    .specification
                    .location
                    .clone();
                let message = format!("{what} leads back to itself: {}", members.join(" → "));
                self.error("catalog/cycle", location, message);
            }
        }
    }
}

impl Linker<'_, '_> {
    /// Ranks services: the longest way to one from a service that is inside of none.
    fn rank(&mut self, decomposes: &[Vec<usize>]) {
        let mut outer = vec![0; decomposes.len()];
        for inside in decomposes.iter().flatten() {
            outer[*inside] += 1;
        }
        let mut open: Vec<usize> = (0..outer.len()).filter(|it| outer[*it] == 0).collect();
        while let Some(service) = open.pop() {
            let rank = self.catalog.services[service].rank + 1;
            for inside in &decomposes[service] {
                let known = &mut self.catalog.services[*inside].rank;
                *known = rank.max(*known);
                outer[*inside] -= 1;
                if outer[*inside] == 0 {
                    open.push(*inside);
                }
            }
        }
    }
}

/// What is waited for by every item. Dependencies that choose between items need not lead in a
/// circle where their specifications do: branches wait for hubs.
fn certain(dependencies: &[Dependency]) -> impl Iterator<Item = usize> {
    let certain = dependencies.iter().filter(|it| it.is_certain());
    certain.map(|it| it.on.0)
}
