//! Rules to steps, and steps to decompositions with their expressions compiled.

use super::{Linker, Source, Step, suggest};
use crate::catalog::expression::{Expected, Expression, Scope, Shape};
use crate::catalog::rule::Decomposition;
use crate::catalog::specification::Facing;
use crate::document::Node;

impl<'d> Linker<'_, 'd> {
    /// Enters a rule at its step; a rule for a pair that no reference names adds the step.
    pub(super) fn rule(&mut self, root: Node<'d>) {
        let Some(source) = root
            .get("source")
            .and_then(|source| self.rule_source(source))
        else {
            return;
        };
        let Some(reference) = root.get("target") else {
            return;
        };
        let Some(target) = self.service_reference(reference) else {
            return;
        };
        let facing = self.catalog.services[target.0].facing;
        if facing == Facing::Resource && matches!(source, Source::Product(_)) {
            let message = "a product is decomposed into customer-facing services".to_owned();
            self.error("catalog/reference-type", reference.location(), message);
            return;
        }
        if let Source::Service(index) = source
            && self.catalog.services[index.0].facing == Facing::Resource
        {
            let message = "a resource-facing service is not decomposed into services".to_owned();
            let place = root.get("source").unwrap_or(root).location();
            self.error("catalog/reference-type", place, message);
            return;
        }
        let steps = self.steps.entry(source).or_default();
        match steps.iter_mut().find(|step| step.target == target) {
            Some(step) if step.rule.is_some() => {
                let related = step.location.clone();
                let message = "two rules decompose the same source into the same target".to_owned();
                let finding = self.error("rule/conflict", root.location(), message);
                finding.related = Some(related);
                finding.hint = Some("join their conditions with `||` in one rule".to_owned());
            }
            Some(step) => {
                step.rule = Some(root);
                step.location = root.location();
            }
            None => steps.push(Step {
                target,
                location: root.location(),
                rule: Some(root),
            }),
        }
    }

    fn rule_source(&mut self, reference: Node<'_>) -> Option<Source> {
        let id = reference.text("id").unwrap_or_default();
        let product = self
            .catalog
            .product_by_id
            .get(&*id)
            .map(|index| Source::Product(*index));
        let service = self
            .catalog
            .service_by_id
            .get(&*id)
            .map(|index| Source::Service(*index));
        match (product, service) {
            (Some(_), Some(_)) => {
                let message = format!("`{id}` is both a product and a service specification");
                self.error("rule/ambiguous-source", reference.location(), message)
                    .hint = Some("rename one of them".to_owned());
                None
            }
            (None, None) => {
                let known = self
                    .catalog
                    .product_by_id
                    .keys()
                    .chain(self.catalog.service_by_id.keys());
                let hint = suggest(&id, known);
                self.dangling(reference, "specification", hint);
                None
            }
            (found, None) | (None, found) => found,
        }
    }

    /// Turns the steps into decompositions, with their expressions compiled.
    pub(super) fn compile(&mut self) {
        let steps = std::mem::take(&mut self.steps);
        let products = self.products_of_services(&steps);
        for (source, steps) in steps {
            let scope = self.scope(source, &products);
            let mut decompositions = Vec::with_capacity(steps.len());
            for step in steps {
                decompositions.push(self.decomposition(source, &step, &scope));
            }
            match source {
                Source::Product(index) => {
                    self.catalog.products[index.0].decompositions = decompositions;
                }
                Source::Service(index) => {
                    self.catalog.services[index.0].decompositions = decompositions;
                }
            }
        }
        self.observe();
    }

    fn decomposition(&mut self, source: Source, step: &Step<'d>, scope: &Scope) -> Decomposition {
        let mut made = Decomposition {
            target: step.target,
            rule: None,
            location: step.location.clone(),
            loops: Vec::new(),
            place: None,
            condition: None,
            mapping: Vec::new(),
            depends_on: Vec::new(),
        };
        if let Some(rule) = step.rule {
            made.rule = rule.text("id").map(std::borrow::Cow::into_owned);
            let mut inner = None;
            if let Some(node) = rule.get("forEach") {
                let (loops, inside) = self.loops(node, scope);
                made.loops = loops;
                inner = Some(inside);
            }
            if let Some(node) = rule.get("place") {
                let scope = inner.get_or_insert_with(|| scope.clone());
                made.place = self.expression(node, &Expected::Place, scope);
                if let Some(Shape::Object(place)) = made.place.as_ref().map(Expression::shape) {
                    scope.declare("place", Shape::Object(place.clone()));
                }
            }
            let scope = inner.as_ref().unwrap_or(scope);
            made.condition = rule
                .get("condition")
                .and_then(|node| self.expression(node, &Expected::Boolean, scope));
            for node in rule.list("mapping") {
                if let Some(mapping) = self.mapping(node, step.target, &made.mapping, scope) {
                    made.mapping.push(mapping);
                }
            }
            for node in rule.list("dependsOn") {
                let dependency = self.dependency(node, step.target, scope);
                made.depends_on.extend(dependency);
            }
        }
        self.check_sources(source, step, &made, step.rule);
        made
    }
}
