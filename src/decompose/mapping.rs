//! Characteristics of derived items: mapped by rule, copied by name, or by
//! default.

use std::borrow::Cow;

use super::faults::{Faults, Place, shortened};
use crate::catalog::expression::{Bindings, Expression};
use crate::catalog::{
    Alternative, CharacteristicSpecification, Mapping, MappingSource, Specification, Strength,
    Values,
};
use crate::document::Document;

/// What is installed of a target, for mappings that tell of the order that made it.
#[derive(Clone, Copy)]
pub struct Keep<'a, 'c> {
    /// What mappings gave before the order; `None` if nothing is known of that.
    pub before: Option<&'a [(&'c Mapping, String)]>,
    /// The characteristics that are installed.
    pub installed: &'a Values<'a>,
}

impl Keep<'_, '_> {
    /// The installed value of a characteristic that tells of the order that made it, unless
    /// something else that its expression looks at has changed.
    fn value(&self, mapping: &Mapping, new: &str) -> Option<String> {
        let installed = self.installed.get(&mapping.target)?;
        let same = || match self.before {
            None => true,
            Some(before) => before
                .iter()
                .any(|(known, value)| std::ptr::eq(*known, mapping) && value == new),
        };
        (mapping.of_order && same()).then(|| installed.to_owned())
    }
}

/// What is mapped.
pub struct Mapped<'a, 'v> {
    /// How.
    pub alternative: &'v Alternative,
    /// To what.
    pub target: &'v Specification,
    /// From what.
    pub source: &'v Values<'v>,
    /// The variables of expressions.
    pub bindings: &'a Bindings<'a>,
    /// What is installed.
    pub keep: Option<Keep<'a, 'a>>,
    /// Where it belongs to, for faults.
    pub place: Place<'a>,
}

impl<'v> Mapped<'_, 'v> {
    /// The characteristics of a target: mapped, else copied by name, else by default.
    pub fn values(&self, faults: &mut Faults) -> Values<'v> {
        let mut values = Values::with_capacity(self.target.characteristics.len());
        for known in &self.target.characteristics {
            let mapping = self.alternative.mapping.iter();
            let mapping = mapping.clone().find(|mapping| mapping.target == known.name);
            let mut strength = Strength::Chosen;
            let value = match mapping.map(|mapping| (mapping, &mapping.source)) {
                Some((_, MappingSource::Value(value))) => Some(Cow::Borrowed(value.as_str())),
                Some((mapping, MappingSource::Expression(expression))) => {
                    match expression.evaluate(self.bindings) {
                        Ok(value) => {
                            strength = self.strength(expression);
                            let kept = self.keep.and_then(|keep| keep.value(mapping, &value));
                            let value = kept.unwrap_or(value);
                            self.checked(known, value, faults).map(Cow::Owned)
                        }
                        Err(fault) => {
                            let what = format!("`{}` cannot be computed", known.name);
                            faults.evaluation(self.place, &what, &fault);
                            continue;
                        }
                    }
                }
                None => {
                    strength = self
                        .source
                        .strength(&known.name)
                        .unwrap_or(Strength::Default);
                    let copied = self.source.get(&known.name);
                    copied.or(known.default.as_deref()).map(Cow::Borrowed)
                }
            };
            match value {
                Some(value) if value != "null" => {
                    let name = Cow::Borrowed(known.name.as_str());
                    values.push(name, value, strength);
                }
                _ if known.minimum > 0 => self.missing(known, faults),
                _ => {}
            }
        }
        values
    }

    /// How much a computed value is meant: nothing but a characteristic of the source is meant as
    /// much as that.
    fn strength(&self, expression: &Expression) -> Strength {
        match expression.paths().as_slice() {
            [path] if expression.is_path() && path.len() == 2 && path[0] == "source" => {
                self.source.strength(&path[1]).unwrap_or(Strength::Chosen)
            }
            _ => Strength::Chosen,
        }
    }

    fn missing(&self, known: &CharacteristicSpecification, faults: &mut Faults) {
        let message = format!(
            "{} needs `{}`, which the order does not give",
            self.target.name_of(&self.place.element.whole()),
            known.name
        );
        let hint = "give it in the order; for what is installed already, name the installed base \
                    with --inventory";
        let code = "decompose/missing-characteristic";
        faults.hinted(self.place, code, message, Some(hint));
    }

    /// A computed value has to be one that the target allows.
    fn checked(
        &self,
        known: &CharacteristicSpecification,
        value: String,
        faults: &mut Faults,
    ) -> Option<String> {
        if value == "null" {
            return None;
        }
        let document = Document::parse(value, "").ok()?;
        if let Err((_, misfit)) = known.check(document.root()) {
            let message = format!(
                "`{}` cannot be {}: {misfit}",
                known.name,
                shortened(document.text())
            );
            let told = (message.as_str(), misfit.hint());
            faults.of_rule_hinted(self.place, "decompose/value", told);
        }
        Some(document.text().to_owned())
    }
}
