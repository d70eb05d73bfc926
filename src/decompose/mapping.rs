//! Characteristics of derived items: mapped by rule, copied by name, or by
//! default.

use std::borrow::Cow;

use super::faults::{Faults, Place, shortened};
use super::standing;
use crate::catalog::expression::{Bindings, Expression};
use crate::catalog::{
    Alternative, CharacteristicSpecification, Mapping, MappingSource, Offering, Specification,
};
use crate::document::{Document, Node, quote};
use crate::model::Characteristic;

/// Characteristics by name, in the order of the specification; values are compact JSON texts.
#[derive(Debug, Clone, Default)]
pub struct Values<'d> {
    pairs: Vec<Pair<'d>>,
}

#[derive(Debug, Clone)]
struct Pair<'d> {
    name: Cow<'d, str>,
    value: Cow<'d, str>,
    strength: Strength,
}

/// How much somebody means a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// It was chosen.
    Chosen,
    /// It is what holds by default.
    Default,
}

impl<'d> Values<'d> {
    /// What an order item says, with the defaults of its offering and its specification.
    pub fn of_item(
        given: &[Characteristic<'d>],
        offering: Option<&'d Offering>,
        specification: Option<&'d Specification>,
    ) -> Self {
        let offered = offering.iter().flat_map(|it| &it.uses);
        let specified = specification.iter().flat_map(|it| &it.characteristics);
        Values::given(given, specification).with_defaults(offered.chain(specified))
    }

    /// What a list of characteristics says.
    pub fn given(given: &[Characteristic<'d>], specification: Option<&Specification>) -> Self {
        let mut values = Values {
            pairs: Vec::with_capacity(given.len() + 4),
        };
        for characteristic in given {
            let Some(value) = characteristic.value else {
                continue;
            };
            let known = specification.and_then(|it| it.characteristic(&characteristic.name));
            values.add(characteristic.name.clone(), value.compact(), known);
        }
        values
    }

    /// These values over those that held before.
    pub fn over(mut self, before: &Values<'d>) -> Self {
        for pair in &before.pairs {
            if self.get(&pair.name).is_none() {
                self.pairs.push(pair.clone());
            }
        }
        self
    }

    /// Those of the values that a test accepts.
    pub fn filtered(&self, accepts: impl Fn(&str, &str) -> bool) -> Self {
        let pairs = self.pairs.iter();
        let pairs = pairs.filter(|it| accepts(&it.name, &it.value));
        Values {
            pairs: pairs.cloned().collect(),
        }
    }

    /// Adds a value; several of one name make a list where the specification allows one.
    fn add(
        &mut self,
        name: Cow<'d, str>,
        value: Cow<'d, str>,
        known: Option<&CharacteristicSpecification>,
    ) {
        let list = known.is_some_and(CharacteristicSpecification::is_list);
        if let Some(pair) = self.pairs.iter_mut().find(|it| it.name == name) {
            if list {
                let text = pair.value.to_mut();
                text.pop();
                text.push(',');
                text.push_str(&value);
                text.push(']');
            }
            return;
        }
        let value = if list && !value.starts_with('[') {
            Cow::Owned(format!("[{value}]"))
        } else {
            value
        };
        self.pairs.push(Pair {
            name,
            value,
            strength: Strength::Chosen,
        });
    }

    fn pair(&self, name: &str) -> Option<&Pair<'d>> {
        self.pairs.iter().find(|it| it.name == name)
    }

    /// Compact JSON text of a value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pair(name).map(|it| &*it.value)
    }

    /// How much a value is meant, if there is one.
    pub fn strength(&self, name: &str) -> Option<Strength> {
        self.pair(name).map(|it| it.strength)
    }

    /// Values of a document that does not tell what was chosen: those that hold by default anyway
    /// were not.
    pub fn presumed(mut self, specification: &Specification) -> Self {
        for pair in &mut self.pairs {
            let known = specification.characteristic(&pair.name);
            let default = known.and_then(|it| it.default.as_deref());
            if default.is_some_and(|default| standing::same(default, &pair.value)) {
                pair.strength = Strength::Default;
            }
        }
        self
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|it| (&*it.name, &*it.value))
    }

    /// The values, on their own.
    pub fn into_owned(self) -> Values<'static> {
        let pairs = self.pairs.into_iter();
        Values {
            pairs: pairs
                .map(|it| Pair {
                    name: Cow::Owned(it.name.into_owned()),
                    value: Cow::Owned(it.value.into_owned()),
                    strength: it.strength,
                })
                .collect(),
        }
    }

    /// The object that the values are, as JSON text.
    pub fn to_json(&self) -> String {
        let mut json = String::from("{");
        for (position, (name, value)) in self.iter().enumerate() {
            if position > 0 {
                json.push(',');
            }
            json.push_str(&quote(name));
            json.push(':');
            json.push_str(value);
        }
        json.push('}');
        json
    }

    /// Adds a value that is not there yet.
    pub fn insert(&mut self, name: &str, value: &str) {
        self.pairs.push(Pair {
            name: Cow::Owned(name.to_owned()),
            value: Cow::Owned(value.to_owned()),
            strength: Strength::Chosen,
        });
    }

    /// Adds what holds by default, and is not there yet.
    pub fn with_defaults(
        mut self,
        characteristics: impl IntoIterator<Item = &'d CharacteristicSpecification>,
    ) -> Self {
        for known in characteristics {
            if let Some(default) = &known.default
                && self.get(&known.name).is_none()
            {
                self.pairs.push(Pair {
                    name: Cow::Borrowed(&known.name),
                    value: Cow::Borrowed(default),
                    strength: Strength::Default,
                });
            }
        }
        self
    }
}

/// The root order's members that expressions may read, as JSON texts: its id, and from `order`,
/// which is that order or one derived from it, what orders hand down.
pub fn order_members(id: &str, order: Node<'_>) -> Vec<(&'static str, String)> {
    let member = |key: &'static str| {
        let text = match key {
            "id" => Cow::Borrowed(id),
            "externalId" => crate::model::product_order::external_id(order)?,
            _ => order.text(key)?,
        };
        Some((key, crate::document::quote(&text)))
    };
    ["id", "externalId", "category", "priority"]
        .into_iter()
        .filter_map(member)
        .collect()
}

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
        let mut values = Values {
            pairs: Vec::with_capacity(self.target.characteristics.len()),
        };
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
                    values.pairs.push(Pair {
                        name,
                        value,
                        strength,
                    });
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
            self.target.name, known.name
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
            faults.of_rule(self.place, "decompose/value", &message);
        }
        Some(document.text().to_owned())
    }
}
