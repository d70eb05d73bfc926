//! Where the characteristics of a target come from.

use super::scope::characteristic_shape;
use super::{Linker, Source, Step};
use crate::catalog::ServiceIndex;
use crate::catalog::characteristic::ValueType;
use crate::catalog::expression::{Expected, Scope};
use crate::catalog::rule::{Decomposition, Mapping, MappingSource};
use crate::diagnostic::suggestion::closest;
use crate::document::Node;

impl Linker<'_, '_> {
    pub(super) fn mapping(
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
    pub(super) fn check_sources(
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
}

fn copies(from: ValueType, to: ValueType) -> bool {
    from == to
        || from == ValueType::Any
        || to == ValueType::Any
        || (from, to) == (ValueType::Integer, ValueType::Number)
}
