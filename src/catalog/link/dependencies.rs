//! What comes first: `dependsOn` of rules.

use std::collections::BTreeSet;

use foldhash::HashMap;

use super::scope::shape;
use super::{Compiler, Linker, Source};
use crate::catalog::expression::{CODE_CHARACTERISTIC, Expected, Expression, Scope, Shape};
use crate::catalog::load::iso_duration;
use crate::catalog::rule::{Decomposition, Dependency, DependencyScope};
use crate::catalog::{ProductIndex, ServiceIndex};
use crate::diagnostic::suggestion::closest;
use crate::diagnostic::{Code, Diagnostic, Location, Severity};
use crate::document::Node;

impl Compiler<'_> {
    /// An entry of `dependsOn`; `target` is what the rule makes.
    pub(super) fn dependency(
        &mut self,
        node: Node<'_>,
        target: ServiceIndex,
        scope: &Scope,
    ) -> Option<Dependency> {
        let on = self.service_reference(node)?;
        let facing = |index: ServiceIndex| self.reader.catalog.services[index.0].facing;
        if facing(on) != facing(target) {
            let id = self.reader.catalog.services[on.0].specification.id.clone();
            let message = format!("`{id}` is of another layer than the target of the rule");
            self.reader
                .error("catalog/reference-type", node.location(), message);
            return None;
        }
        let condition = node.get("condition");
        let filter = node.get("where");
        let other = &self.reader.catalog.services[on.0].specification;
        let with_other = filter.map(|_| {
            let other = Shape::Object(shape(other));
            scope.clone().with("other", other)
        });
        let filter = filter.zip(with_other);
        Some(Dependency {
            on,
            location: node.location(),
            scope: match node.text("scope").as_deref() {
                Some("parent") => DependencyScope::Parent,
                Some("site") => DependencyScope::Site,
                Some("order") => DependencyScope::Order,
                _ => DependencyScope::Item,
            },
            condition: condition
                .and_then(|it| self.reader.expression(it, &Expected::Boolean, scope)),
            filter: filter
                .and_then(|(it, scope)| self.reader.expression(it, &Expected::Boolean, &scope)),
            same: self.same(node, target, on),
            by_element: false,
            lag: self.lag(node),
            until_ended: node.text("until").as_deref() == Some("ended"),
        })
    }

    /// Characteristics that both sides have.
    fn same(&mut self, node: Node<'_>, target: ServiceIndex, on: ServiceIndex) -> Vec<String> {
        let mut same: Vec<String> = Vec::new();
        for name_node in node.list("same") {
            let name = name_node.as_str().unwrap_or_default();
            for side in [target, on] {
                let specification = &self.reader.catalog.services[side.0].specification;
                if specification.characteristic(&name).is_some() {
                    continue;
                }
                let known = specification
                    .characteristics
                    .iter()
                    .map(|it| it.name.as_str());
                let hint = closest(&name, known).map(|name| format!("did you mean `{name}`?"));
                let message = format!("{} has no characteristic `{name}`", specification.name);
                let place = name_node.location();
                self.reader
                    .error(CODE_CHARACTERISTIC.0, place, message)
                    .hint = hint;
            }
            same.push(name.into_owned());
        }
        same
    }

    fn lag(&mut self, node: Node<'_>) -> Option<String> {
        let lag = node.get("lag")?;
        let text = lag.as_str()?;
        if iso_duration(&text).is_none() {
            let message = format!("`{text}` is no duration");
            self.reader
                .error("rule/duration", lag.location(), message)
                .hint = Some("write it as in ISO 8601: PT30S, PT5M, PT4H, P2D".to_owned());
        }
        Some(text.into_owned())
    }

    /// Warns of what rules let their targets wait for and is never made in the same scope.
    pub(super) fn never_first(
        &mut self,
        source: Source,
        decompositions: &[Decomposition],
        products: &HashMap<ServiceIndex, BTreeSet<ProductIndex>>,
    ) {
        let nowhere = BTreeSet::new();
        let reached = |index: ServiceIndex| products.get(&index).unwrap_or(&nowhere);
        let only = match source {
            Source::Product(product) => BTreeSet::from([product]),
            Source::Service(_) => BTreeSet::new(),
        };
        let made_from = match source {
            Source::Product(_) => &only,
            Source::Service(service) => reached(service),
        };
        // Without products nobody knows what is ordered together.
        if made_from.is_empty() {
            return;
        }
        let mut told: BTreeSet<Location> = BTreeSet::new();
        for decomposition in decompositions {
            let alternatives = decomposition.alternatives.iter();
            for dependency in alternatives.flat_map(|it| &it.depends_on) {
                let mut beside = decompositions.iter();
                // What is shared is made for all products that need it.
                let made_for = match decomposition.share {
                    Some(_) => reached(decomposition.target),
                    None => made_from,
                };
                let where_else = match dependency.scope {
                    DependencyScope::Parent if decomposition.share.is_some() => continue,
                    DependencyScope::Parent if beside.any(|it| it.target == dependency.on) => {
                        continue;
                    }
                    DependencyScope::Parent => "from the same item",
                    DependencyScope::Order if !reached(dependency.on).is_empty() => continue,
                    DependencyScope::Order => "for any product",
                    _ if !made_for.is_disjoint(reached(dependency.on)) => continue,
                    _ => "for a product for which the target is",
                };
                if told.insert(dependency.location.clone()) {
                    let on = &self.reader.catalog.services[dependency.on.0]
                        .specification
                        .id;
                    let message =
                        format!("`{on}` is never made {where_else}: the dependency means nothing");
                    let place = dependency.location.clone();
                    let finding = Diagnostic::new(
                        Code("rule/depends-on-nothing"),
                        Severity::Warning,
                        place,
                        message,
                    );
                    let hint = match dependency.scope {
                        DependencyScope::Order => "leave it out, or let a product need it",
                        _ => "name what is made there, or give the dependency a larger `scope`",
                    };
                    self.reader.diagnostics.push(finding.with_hint(hint));
                }
            }
        }
    }
}

impl Linker<'_, '_> {
    /// Notes with each service what it may wait for, and the characteristics by which others choose
    /// whether to wait for it, or it for others.
    pub(super) fn observe(&mut self) {
        let mut observed: Vec<BTreeSet<String>> =
            vec![BTreeSet::new(); self.catalog.services.len()];
        let certain = self.catalog.services.iter().map(|it| &it.depends_on);
        let certain = certain.map(|it| it.iter().map(|it| it.on).collect());
        let mut waits: Vec<BTreeSet<ServiceIndex>> = certain.collect();
        let products = self.catalog.products.iter().map(|it| &it.decompositions);
        let services = self.catalog.services.iter().map(|it| &it.decompositions);
        for decomposition in products.chain(services).flatten() {
            let alternatives = decomposition.alternatives.iter();
            for dependency in alternatives.flat_map(|it| &it.depends_on) {
                waits[decomposition.target.0].insert(dependency.on);
                let same = dependency.same.iter();
                observed[decomposition.target.0].extend(same.clone().cloned());
                observed[dependency.on.0].extend(same.cloned());
                let paths = dependency.filter.as_ref().map(Expression::paths);
                for path in paths
                    .into_iter()
                    .flatten()
                    .filter(|path| path[0] == "other")
                {
                    let other = &self.catalog.services[dependency.on.0].specification;
                    match path.get(1) {
                        Some(name) => {
                            observed[dependency.on.0].insert(name.clone());
                        }
                        None => observed[dependency.on.0]
                            .extend(other.characteristics.iter().map(|it| it.name.clone())),
                    }
                }
            }
        }
        let decompositions = self.catalog.products.iter().map(|it| &it.decompositions);
        let services = self.catalog.services.iter().map(|it| &it.decompositions);
        let mut alternatives =
            (decompositions.chain(services).flatten()).flat_map(|it| &it.alternatives);
        self.catalog.waits_at_sites = alternatives.any(|alternative| {
            let mut dependencies = alternative.depends_on.iter();
            dependencies.any(|it| it.scope == DependencyScope::Site)
        });
        let known = observed.into_iter().zip(waits);
        for (service, (observed, waits)) in self.catalog.services.iter_mut().zip(known) {
            service.observed = observed.into_iter().collect();
            service.waits_for = waits.into_iter().collect();
        }
    }
}
