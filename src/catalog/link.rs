//! Ties the documents of a catalog together: references become positions,
//! rules become steps, expressions are checked against the characteristics
//! that they read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::characteristic::{CharacteristicSpecification, ValueType};
use super::expression::{Expected, Expression, ObjectShape, Scope, Shape};
use super::rule::{Decomposition, Mapping, MappingSource};
use super::specification::{Facing, Specification};
use super::{Catalog, ProductIndex, ResourceIndex, ServiceIndex};
use crate::diagnostic::suggestion::closest;
use crate::diagnostic::{Code, Diagnostic, Location, Severity};
use crate::document::{Document, DocumentKind, Node};
use crate::model::reference::RelationshipKind;

/// What is decomposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Source {
    Product(ProductIndex),
    Service(ServiceIndex),
}

struct Linker<'c, 'd> {
    catalog: &'c mut Catalog,
    diagnostics: &'c mut Vec<Diagnostic>,
    /// The steps of each source: plain references first, in the order in which they are written.
    steps: BTreeMap<Source, Vec<Step<'d>>>,
}

/// A step before its expressions are checked.
struct Step<'d> {
    target: ServiceIndex,
    location: Location,
    rule: Option<Node<'d>>,
}

/// Ties the documents together. Every fault is a diagnostic.
pub fn link(catalog: &mut Catalog, documents: &[&Document], diagnostics: &mut Vec<Diagnostic>) {
    let mut linker = Linker {
        catalog,
        diagnostics,
        steps: BTreeMap::new(),
    };
    for document in documents {
        let root = document.root();
        let id = root.text("id").unwrap_or_default();
        match DocumentKind::of(document) {
            DocumentKind::ProductOffering => linker.offering(root, &id),
            DocumentKind::ProductSpecification => linker.product(root, &id),
            DocumentKind::ServiceSpecification => linker.service(root, &id),
            DocumentKind::ActivationRule => linker.activation(root, &id),
            _ => {}
        }
    }
    for document in documents {
        if DocumentKind::of(document) == DocumentKind::DecompositionRule {
            linker.rule(document.root());
        }
    }
    linker.compile();
    linker.cycles();
}

impl<'d> Linker<'_, 'd> {
    fn error(
        &mut self,
        code: &'static str,
        location: Location,
        message: String,
    ) -> &mut Diagnostic {
        self.diagnostics.push(Diagnostic::new(
            Code(code),
            Severity::Error,
            location,
            message,
        ));
        self.diagnostics
            .last_mut()
            .expect("a diagnostic was just pushed")
    }

    fn dangling(&mut self, reference: Node<'_>, kind: &str, hint: Option<String>) {
        let place = reference.get("id").unwrap_or(reference);
        let id = reference.text("id").unwrap_or_default();
        let message = format!("{kind} `{id}` is not in the catalog");
        self.error("catalog/dangling-reference", place.location(), message)
            .hint = hint;
    }

    /// What a reference leads to in a table of the catalog; a finding if it leads nowhere.
    fn follow<I: Copy>(
        &mut self,
        reference: Node<'_>,
        kind: &str,
        table: fn(&Catalog) -> &HashMap<String, I>,
    ) -> Option<I> {
        let id = reference.text("id").unwrap_or_default();
        let table = table(self.catalog);
        let found = table.get(&*id).copied();
        if found.is_none() {
            let hint = suggest(&id, table.keys());
            self.dangling(reference, kind, hint);
        }
        found
    }

    fn offering_reference(&mut self, reference: Node<'_>) {
        self.follow(reference, "product offering", |it| &it.offering_by_id);
    }

    fn product_reference(&mut self, reference: Node<'_>) -> Option<ProductIndex> {
        self.follow(reference, "product specification", |it| &it.product_by_id)
    }

    fn service_reference(&mut self, reference: Node<'_>) -> Option<ServiceIndex> {
        self.follow(reference, "service specification", |it| &it.service_by_id)
    }

    fn resource_reference(&mut self, reference: Node<'_>) -> Option<ResourceIndex> {
        self.follow(reference, "resource specification", |it| &it.resource_by_id)
    }

    fn offering(&mut self, root: Node<'_>, id: &str) {
        let Some(index) = self.catalog.offering_by_id.get(id).copied() else {
            return;
        };
        if let Some(reference) = root.get("productSpecification") {
            self.catalog.offerings[index].product = self.product_reference(reference);
        }
        for reference in root.list("bundledProductOffering") {
            self.offering_reference(reference);
        }
        let Some(product) = self.catalog.offerings[index].product else {
            return;
        };
        for narrowed in root.list("prodSpecCharValueUse") {
            let name = narrowed.text("name").unwrap_or_default();
            let specification = &self.catalog.products[product.0].specification;
            if specification.characteristic(&name).is_some() {
                continue;
            }
            let names = specification
                .characteristics
                .iter()
                .map(|known| known.name.as_str());
            let hint = closest(&name, names).map(|name| format!("did you mean `{name}`?"));
            let message = format!("{} has no characteristic `{name}`", specification.name);
            let place = narrowed.get("name").unwrap_or(narrowed).location();
            self.error("catalog/unknown-characteristic", place, message)
                .hint = hint;
        }
    }

    fn product(&mut self, root: Node<'_>, id: &str) {
        let Some(index) = self.catalog.product_by_id.get(id).copied() else {
            return;
        };
        for reference in root.list("serviceSpecification") {
            let Some(target) = self.service_reference(reference) else {
                continue;
            };
            self.reference_step(Source::Product(index), target, reference);
        }
    }

    fn service(&mut self, root: Node<'_>, id: &str) {
        let Some(index) = self.catalog.service_by_id.get(id).copied() else {
            return;
        };
        for reference in root.list("serviceSpecRelationship") {
            let relationship_type = reference.text("relationshipType").unwrap_or_default();
            let informative = ["migration", "substitution", "exclusivity"];
            if informative
                .iter()
                .any(|name| relationship_type.eq_ignore_ascii_case(name))
            {
                continue;
            }
            let Some(target) = self.service_reference(reference) else {
                continue;
            };
            let facing = |index: ServiceIndex| self.catalog.services[index.0].facing;
            match (facing(index), facing(target)) {
                (Facing::Customer, Facing::Resource) => {
                    self.reference_step(Source::Service(index), target, reference);
                }
                (Facing::Resource, Facing::Customer) => {
                    let message = format!(
                        "a resource-facing service cannot need the customer-facing `{}`",
                        self.catalog.services[target.0].specification.id
                    );
                    self.error("catalog/reference-type", reference.location(), message);
                }
                (Facing::Customer, Facing::Customer) | (Facing::Resource, Facing::Resource) => {
                    if RelationshipKind::of(&relationship_type) == RelationshipKind::Dependency {
                        self.catalog.services[index.0].depends_on.push(target);
                    } else if facing(index) == Facing::Customer {
                        self.reference_step(Source::Service(index), target, reference);
                    }
                }
            }
        }
        for reference in root.list("resourceSpecification") {
            let Some(resource) = self.resource_reference(reference) else {
                continue;
            };
            if self.catalog.services[index.0].resources.contains(&resource) {
                let message = "the same specification is referred to twice".to_owned();
                self.error("catalog/duplicate-reference", reference.location(), message);
                continue;
            }
            self.catalog.services[index.0].resources.push(resource);
        }
        if self.catalog.services[index.0].facing == Facing::Resource
            && self.catalog.services[index.0].resources.is_empty()
            && root.list("resourceSpecification").next().is_none()
        {
            let message = format!("resource-facing service `{id}` names no resource specification");
            self.error("catalog/no-resource", root.location(), message)
                .hint =
                Some("add the resource that realizes it to `resourceSpecification`".to_owned());
        }
    }

    fn activation(&mut self, root: Node<'_>, id: &str) {
        let Some(reference) = root.get("resourceSpecification") else {
            return;
        };
        let Some(resource) = self.resource_reference(reference) else {
            return;
        };
        if let Some(rule) = self
            .catalog
            .activations
            .iter()
            .position(|rule| rule.id == id)
        {
            self.catalog.activation_by_resource.insert(resource, rule);
        }
    }

    fn reference_step(&mut self, source: Source, target: ServiceIndex, reference: Node<'_>) {
        let location = reference.location();
        if let Source::Product(_) = source
            && self.catalog.services[target.0].facing == Facing::Resource
        {
            let id = &self.catalog.services[target.0].specification.id;
            let message =
                format!("a product needs customer-facing services; `{id}` faces resources");
            self.error("catalog/reference-type", location, message);
            return;
        }
        let steps = self.steps.entry(source).or_default();
        if let Some(first) = steps.iter().find(|step| step.target == target) {
            let related = first.location.clone();
            let message = "the same specification is referred to twice".to_owned();
            self.error("catalog/duplicate-reference", location, message)
                .related = Some(related);
            return;
        }
        steps.push(Step {
            target,
            location,
            rule: None,
        });
    }

    /// Enters a rule at its step; a rule for a pair that no reference names adds the step.
    fn rule(&mut self, root: Node<'d>) {
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
    fn compile(&mut self) {
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
    }

    fn specification(&self, source: Source) -> &Specification {
        match source {
            Source::Product(index) => &self.catalog.products[index.0].specification,
            Source::Service(index) => &self.catalog.services[index.0].specification,
        }
    }

    /// From which products each service can be reached.
    fn products_of_services(
        &self,
        steps: &BTreeMap<Source, Vec<Step<'_>>>,
    ) -> HashMap<ServiceIndex, BTreeSet<ProductIndex>> {
        let mut reached: HashMap<ServiceIndex, BTreeSet<ProductIndex>> = HashMap::new();
        for product in (0..self.catalog.products.len()).map(ProductIndex) {
            let mut open = vec![Source::Product(product)];
            while let Some(source) = open.pop() {
                for step in steps.get(&source).into_iter().flatten() {
                    if reached.entry(step.target).or_default().insert(product) {
                        open.push(Source::Service(step.target));
                    }
                }
            }
        }
        reached
    }

    fn scope(
        &self,
        source: Source,
        products: &HashMap<ServiceIndex, BTreeSet<ProductIndex>>,
    ) -> Scope {
        let own = shape(self.specification(source));
        let product = match source {
            Source::Product(_) => own.clone(),
            Source::Service(index) => {
                let products = products.get(&index).into_iter().flatten();
                joined(
                    products.map(|product| shape(&self.catalog.products[product.0].specification)),
                )
            }
        };
        let texts = |optional: &[&str]| {
            optional.iter().fold(ObjectShape::closed(), |shape, name| {
                shape.with_optional(*name, Shape::String)
            })
        };
        let item = ObjectShape::closed()
            .with_required("id", Shape::String)
            .with_required("action", Shape::String)
            .with_required("quantity", Shape::Integer);
        Scope::new()
            .with("source", Shape::Object(own))
            .with("product", Shape::Object(product))
            .with("item", Shape::Object(item))
            .with(
                "order",
                Shape::Object(
                    texts(&["externalId", "category", "priority"])
                        .with_required("id", Shape::String),
                ),
            )
            .with("place", Shape::Object(texts(&["id", "name", "role"])))
    }

    fn expression(
        &mut self,
        node: Node<'_>,
        expected: &Expected,
        scope: &Scope,
    ) -> Option<Expression> {
        let text = node.as_str()?;
        match Expression::compile(&text, expected, scope) {
            Ok(expression) => Some(expression),
            Err(faults) => {
                for fault in faults {
                    let location = node.text_location(fault.start);
                    let diagnostic =
                        Diagnostic::new(fault.code, Severity::Error, location, fault.message);
                    self.diagnostics.push(Diagnostic {
                        hint: fault.hint,
                        ..diagnostic
                    });
                }
                None
            }
        }
    }

    fn decomposition(&mut self, source: Source, step: &Step<'d>, scope: &Scope) -> Decomposition {
        let mut made = Decomposition {
            target: step.target,
            rule: None,
            location: step.location.clone(),
            condition: None,
            mapping: Vec::new(),
            depends_on: Vec::new(),
        };
        if let Some(rule) = step.rule {
            made.rule = rule.text("id").map(std::borrow::Cow::into_owned);
            made.condition = rule
                .get("condition")
                .and_then(|node| self.expression(node, &Expected::Boolean, scope));
            for node in rule.list("mapping") {
                if let Some(mapping) = self.mapping(node, step.target, &made.mapping, scope) {
                    made.mapping.push(mapping);
                }
            }
            for reference in rule.list("dependsOn") {
                let Some(before) = self.service_reference(reference) else {
                    continue;
                };
                let facing = |index: ServiceIndex| self.catalog.services[index.0].facing;
                if facing(before) == facing(step.target) {
                    made.depends_on.push(before);
                } else {
                    let id = self.catalog.services[before.0].specification.id.clone();
                    let message = format!("`{id}` is of another layer than the target of the rule");
                    self.error("catalog/reference-type", reference.location(), message);
                }
            }
        }
        self.check_sources(source, step, &made, step.rule);
        made
    }

    fn mapping(
        &mut self,
        node: Node<'_>,
        target: ServiceIndex,
        before: &[Mapping],
        scope: &Scope,
    ) -> Option<Mapping> {
        let name_node = node.get("target")?;
        let name = name_node.as_str()?.into_owned();
        let specification = &self.catalog.services[target.0].specification;
        let Some(characteristic) = specification.characteristic(&name).cloned() else {
            let names = specification
                .characteristics
                .iter()
                .map(|known| known.name.as_str());
            let hint = closest(&name, names).map(|name| format!("did you mean `{name}`?"));
            let message = format!("{} has no characteristic `{name}`", specification.name);
            self.error("rule/unknown-target", name_node.location(), message)
                .hint = hint;
            return None;
        };
        if before.iter().any(|mapping| mapping.target == name) {
            let message = format!("`{name}` is mapped twice");
            self.error("rule/conflict", name_node.location(), message);
            return None;
        }
        let value = node.member("value");
        let expression = node.get("expression");
        let source = match (value, expression) {
            (Some(value), None) => {
                if let Err((place, misfit)) = characteristic.check(value) {
                    let message = format!("`{name}` cannot be {}: {misfit}", value.compact());
                    self.error("rule/value", place.location(), message).hint = misfit.hint();
                }
                MappingSource::Value(value.compact().into_owned())
            }
            (None, Some(node)) => {
                let expected = Expected::Shape(characteristic_shape(&characteristic));
                MappingSource::Expression(self.expression(node, &expected, scope)?)
            }
            // The schema has said that it is one of the two.
            _ => return None,
        };
        Some(Mapping {
            target: name,
            source,
        })
    }

    /// Mandatory characteristics of the target have to come from somewhere, and what is copied
    /// by name has to be of the same type.
    fn check_sources(
        &mut self,
        source: Source,
        step: &Step<'_>,
        made: &Decomposition,
        rule: Option<Node<'_>>,
    ) {
        let target = &self.catalog.services[step.target.0].specification;
        let from = self.specification(source);
        // A mapping that was not understood has been reported; its target counts as mapped.
        let mapped = |name: &str| {
            made.mapping.iter().any(|mapping| mapping.target == name)
                || rule.is_some_and(|rule| {
                    rule.list("mapping")
                        .any(|mapping| mapping.text("target").as_deref() == Some(name))
                })
        };
        let mut found = Vec::new();
        for characteristic in &target.characteristics {
            let name = &characteristic.name;
            if mapped(name) {
                continue;
            }
            match from.characteristic(name) {
                None if characteristic.has_to_be_given() => found.push((
                    "rule/mandatory-unmapped",
                    format!("{} needs `{name}`, and nothing supplies it", target.name),
                    format!(
                        "map it in a rule, or give it a default, or add it to {}",
                        from.name
                    ),
                )),
                Some(other) if !copies(other.value_type, characteristic.value_type) => {
                    found.push((
                        "rule/type-mismatch",
                        format!(
                            "`{name}` is {} in {} and {} in {}",
                            other.value_type.name(),
                            from.name,
                            characteristic.value_type.name(),
                            target.name
                        ),
                        "map it with an expression that converts it".to_owned(),
                    ));
                }
                _ => {}
            }
        }
        for (code, message, hint) in found {
            self.error(code, step.location.clone(), message).hint = Some(hint);
        }
    }

    /// Neither decomposition nor order of work may lead back to where it began.
    fn cycles(&mut self) {
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
                let before = decomposition.depends_on.iter().map(|before| before.0);
                waits[decomposition.target.0].extend(before);
            }
        }
        for (index, service) in self.catalog.services.iter().enumerate() {
            waits[index].extend(service.depends_on.iter().map(|before| before.0));
        }
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

fn suggest<'a>(id: &str, known: impl Iterator<Item = &'a String>) -> Option<String> {
    let mut known: Vec<&str> = known.map(String::as_str).collect();
    known.sort_unstable();
    closest(id, known).map(|id| format!("did you mean `{id}`?"))
}

fn copies(from: ValueType, to: ValueType) -> bool {
    from == to
        || from == ValueType::Any
        || to == ValueType::Any
        || (from, to) == (ValueType::Integer, ValueType::Number)
}

fn characteristic_shape(characteristic: &CharacteristicSpecification) -> Shape {
    let one = match characteristic.value_type {
        ValueType::String => Shape::String,
        ValueType::Integer => Shape::Integer,
        ValueType::Number => Shape::Number,
        ValueType::Boolean => Shape::Boolean,
        ValueType::Object | ValueType::Any => Shape::Any,
    };
    if characteristic.is_list() {
        Shape::List(Box::new(one))
    } else {
        one
    }
}

/// The characteristics that an item of a specification has, for expressions.
fn shape(specification: &Specification) -> ObjectShape {
    let mut shape = ObjectShape::closed();
    for characteristic in &specification.characteristics {
        let present = characteristic.minimum > 0 || characteristic.default.is_some();
        shape.insert(
            &characteristic.name,
            characteristic_shape(characteristic),
            present,
        );
    }
    shape
}

/// What is known of an object that is of one of several shapes: members of all of them; certain
/// are those that all have, of one type those of which all have the same.
fn joined(shapes: impl Iterator<Item = ObjectShape>) -> ObjectShape {
    let shapes: Vec<ObjectShape> = shapes.collect();
    let names: BTreeSet<&str> = shapes.iter().flat_map(ObjectShape::names).collect();
    let mut joined = ObjectShape::closed();
    for name in names {
        let members = shapes.iter().filter_map(|shape| shape.member(name));
        let required = shapes
            .iter()
            .all(|shape| shape.member(name).is_some_and(|it| it.required));
        let mut kinds = members.map(|member| &member.shape);
        let first = kinds.next().cloned().unwrap_or(Shape::Any);
        let shape = if kinds.all(|kind| *kind == first) {
            first
        } else {
            Shape::Any
        };
        joined.insert(name, shape, required);
    }
    joined
}
