//! Rules to steps, and steps to decompositions with their expressions compiled.

use std::borrow::Cow;
use std::collections::BTreeSet;

use foldhash::HashMap;

use super::{Compiler, Linker, Source, Step, suggest};
use crate::catalog::expression::{Expected, Expression, ObjectShape, Parsed, Scope, Shape};
use crate::catalog::rule::{Alternative, Decomposition, Loop, Mapping};
use crate::catalog::ruling::Reader;
use crate::catalog::specification::Facing;
use crate::catalog::{ProductIndex, ServiceIndex};
use crate::document::Node;
use crate::parallel;

impl<'d> Linker<'_, 'd> {
    /// Enters a rule at its step; a rule for a pair that no reference names adds the step.
    pub(super) fn rule(&mut self, root: Node<'d>) {
        let id = root.text("id").unwrap_or_default().into_owned();
        self.rules.insert(id, root);
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
            Some(step) => {
                if step.rules.is_empty() {
                    step.place = root;
                }
                step.rules.push(root);
            }
            None => steps.push(Step {
                target,
                place: root,
                rules: vec![root],
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
        let (catalog, rules, refused) = (&*self.catalog, &self.rules, &self.refused);
        let parsed = Parsed::default();
        let compile = |(source, steps): (Source, Vec<Step<'d>>)| {
            let mut found = Vec::new();
            let reader = Reader {
                catalog,
                parsed: &parsed,
                diagnostics: &mut found,
            };
            let mut compiler = Compiler {
                reader,
                rules,
                refused,
            };
            let made = compiler.decompositions((source, &steps), &products);
            (source, made, found)
        };
        for (source, made, found) in parallel::map_many(steps.into_iter().collect(), compile) {
            self.diagnostics.extend(found);
            match source {
                Source::Product(index) => {
                    self.catalog.products[index.0].decompositions = made;
                }
                Source::Service(index) => {
                    self.catalog.services[index.0].decompositions = made;
                }
            }
        }
        self.observe();
        self.lists();
        self.members_of_elements();
        self.share_alike();
    }
}

impl Compiler<'_> {
    /// The decompositions of a source.
    fn decompositions(
        &mut self,
        (source, steps): (Source, &[Step<'_>]),
        products: &HashMap<ServiceIndex, BTreeSet<ProductIndex>>,
    ) -> Vec<Decomposition> {
        let scope = self.scope(source, products);
        let siblings = self.siblings_of(steps);
        let mut decompositions = Vec::with_capacity(steps.len());
        for step in steps {
            let facing = self.reader.catalog.services[step.target.0].facing;
            let context = Context {
                source,
                scope: &scope,
                siblings: siblings.facing(facing),
            };
            decompositions.push(self.decomposition(&context, step));
        }
        self.in_order_of_siblings(&mut decompositions);
        self.never_first(source, &decompositions, products);
        decompositions
    }

    fn decomposition(&mut self, context: &Context<'_>, step: &Step<'_>) -> Decomposition {
        let ranked = self.ranked(step);
        let place = ranked.last().unwrap_or(&step.place).location();
        let reference = Alternative {
            rule: None,
            location: place.clone(),
            condition: None,
            mapping: Vec::new(),
            depends_on: Vec::new(),
        };
        let mut made = Decomposition {
            target: step.target,
            rule: None,
            location: place,
            loops: Vec::new(),
            place: None,
            share: None,
            alternatives: Vec::new(),
            counts_quantity: false,
            observed: false,
        };
        let Some(bottom) = ranked.last() else {
            self.check_sources(context.source, step, &reference, &[]);
            made.alternatives.push(reference);
            return made;
        };
        made.rule = bottom.text("id").map(Cow::into_owned);
        let mut inner = None;
        if let Some(node) = bottom.get("forEach") {
            let (loops, inside) = self.loops(node, context.scope);
            let quantity = ["item".to_owned(), "quantity".to_owned()];
            let read = loops
                .iter()
                .flat_map(Loop::expressions)
                .flat_map(Expression::paths);
            made.counts_quantity = read.collect::<Vec<_>>().contains(&quantity.to_vec());
            made.loops = loops;
            inner = Some(inside);
        }
        if let Some(node) = bottom.get("place") {
            let scope = inner.get_or_insert_with(|| context.scope.clone());
            made.place = self.reader.expression(node, &Expected::Place, scope);
            if let Some(Shape::Object(place)) = made.place.as_ref().map(Expression::shape) {
                scope.declare("place", Shape::Object(place.clone()));
            }
        }
        let context = Context {
            scope: inner.as_ref().unwrap_or(context.scope),
            ..*context
        };
        made.share = self.share(*bottom, context.scope);
        for (position, rule) in ranked.iter().enumerate().rev() {
            let below = made.alternatives.last().unwrap_or(&reference).clone();
            let alternative = self.alternative(&context, step.target, *rule, below);
            if position + 1 == ranked.len() {
                self.check_sources(context.source, step, &alternative, &ranked[position..]);
            }
            made.alternatives.push(alternative);
        }
        made.alternatives.reverse();
        made
    }

    /// A rule, with what it takes over from those `below` it.
    fn alternative(
        &mut self,
        context: &Context<'_>,
        target: ServiceIndex,
        rule: Node<'_>,
        below: Alternative,
    ) -> Alternative {
        let condition = rule.get("condition").and_then(|node| {
            self.reader
                .expression(node, &Expected::Boolean, context.scope)
        });
        let mut mapping: Vec<Mapping> = Vec::new();
        for node in rule.list("mapping") {
            let mapped = self.mapping(node, (target, &mapping), context);
            mapping.extend(mapped);
        }
        let mut depends_on = below.depends_on;
        for node in rule.list("dependsOn") {
            let dependency = self.dependency(node, target, context.scope);
            depends_on.extend(dependency);
        }
        for inherited in below.mapping {
            if !mapping.iter().any(|it| it.target == inherited.target) {
                mapping.push(inherited);
            }
        }
        Alternative {
            rule: rule.text("id").map(Cow::into_owned),
            location: rule.location(),
            condition: condition.or(below.condition),
            mapping,
            depends_on,
        }
    }
}

/// What a rule is checked against.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) source: Source,
    pub(super) scope: &'c Scope,
    /// Shape of `siblings`.
    pub(super) siblings: &'c ObjectShape,
}
