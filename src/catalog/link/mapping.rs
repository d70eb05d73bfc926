//! Where the characteristics of a target come from.

use super::rules::Context;
use super::scope::{characteristic_shape, shape};
use super::{Compiler, Source, Step};
use crate::catalog::ServiceIndex;
use crate::catalog::characteristic::ValueType;
use crate::catalog::expression::{Expected, Scope, Shape};
use crate::catalog::rule::{Alternative, Mapping, MappingSource};
use crate::diagnostic::suggestion::closest;
use crate::document::Node;

impl Compiler<'_> {
    pub(super) fn mapping(
        &mut self,
        node: Node<'_>,
        (target, before): (ServiceIndex, &[Mapping]),
        context: &Context<'_>,
    ) -> Option<Mapping> {
        let name_node = node.get("target")?;
        let name = name_node.as_str()?.into_owned();
        let specification = &self.reader.catalog.services[target.0].specification;
        let Some(characteristic) = specification.characteristic(&name).cloned() else {
            let names = specification
                .characteristics
                .iter()
                .map(|known| known.name.as_str());
            let hint = closest(&name, names).map(|name| format!("did you mean `{name}`?"));
            let message = format!("{} has no characteristic `{name}`", specification.name);
            self.reader
                .error("rule/unknown-target", name_node.location(), message)
                .hint = hint;
            return None;
        };
        if before.iter().any(|mapping| mapping.target == name) {
            let message = format!("`{name}` is mapped twice");
            self.reader
                .error("rule/conflict", name_node.location(), message);
            return None;
        }
        let value = node.member("value");
        let expression = node.get("expression");
        let source = match (value, expression) {
            (Some(value), None) => {
                if let Err((place, misfit)) = characteristic.check(value) {
                    let message = format!("`{name}` cannot be {}: {misfit}", value.compact());
                    self.reader
                        .error("rule/value", place.location(), message)
                        .hint = misfit.hint();
                }
                MappingSource::Value(value.compact().into_owned())
            }
            (None, Some(node)) => {
                let expected = Expected::Shape(characteristic_shape(&characteristic));
                let own = self.mapping_scope(node, target, context);
                let scope = own.as_ref().unwrap_or(context.scope);
                MappingSource::Expression(self.reader.expression(node, &expected, scope)?)
            }
            // The schema has said that it is one of the two.
            _ => return None,
        };
        let of_order = match &source {
            MappingSource::Value(_) => false,
            MappingSource::Expression(it) => it.reads("order") || it.reads("item"),
        };
        Some(Mapping {
            target: name,
            source,
            of_order,
        })
    }

    /// The scope of a mapping's expression, where it looks at more than conditions may.
    fn mapping_scope(
        &self,
        node: Node<'_>,
        target: ServiceIndex,
        context: &Context<'_>,
    ) -> Option<Scope> {
        let text = node.as_str()?;
        if !text.contains("siblings") && !text.contains("installed") {
            return None;
        }
        let siblings = Shape::Object(context.siblings.clone());
        let installed =
            Shape::Object(shape(&self.reader.catalog.services[target.0].specification).optional());
        Some(
            context
                .scope
                .clone()
                .with("siblings", siblings)
                .with("installed", installed),
        )
    }

    /// Mandatory characteristics of the target have to come from somewhere, and what is copied
    /// by name has to be of the same type.
    pub(super) fn check_sources(
        &mut self,
        source: Source,
        step: &Step<'_>,
        made: &Alternative,
        rules: &[Node<'_>],
    ) {
        let target = &self.reader.catalog.services[step.target.0].specification;
        let from = self.specification(source);
        let is = |known: &Option<String>, id: &str| known.as_deref().is_none_or(|it| it == id);
        let mut refused = self.refused.iter();
        if refused.any(|[source, to]| is(source, &from.id) && is(to, &target.id)) {
            return;
        }
        // A mapping that was not understood has been reported; its target counts as mapped.
        let mapped = |name: &str| {
            made.mapping.iter().any(|mapping| mapping.target == name)
                || rules.iter().any(|rule| {
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
            self.reader.error(code, made.location.clone(), message).hint = Some(hint);
        }
    }
}

fn copies(from: ValueType, to: ValueType) -> bool {
    from == to
        || from == ValueType::Any
        || to == ValueType::Any
        || (from, to) == (ValueType::Integer, ValueType::Number)
}
