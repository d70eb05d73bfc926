//! Characteristics of an order item or of something installed, as expressions
//! and mappings see them.

use std::borrow::Cow;

use super::{CharacteristicSpecification, Offering, Specification};
use crate::document::quote;
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
        given: impl IntoIterator<Item = Characteristic<'d>>,
        offering: Option<&'d Offering>,
        specification: Option<&'d Specification>,
    ) -> Self {
        let offered = offering.iter().flat_map(|it| &it.uses);
        let specified = specification.iter().flat_map(|it| &it.characteristics);
        Values::given(given, specification).with_defaults(offered.chain(specified))
    }

    /// What a list of characteristics says.
    pub fn given(
        given: impl IntoIterator<Item = Characteristic<'d>>,
        specification: Option<&Specification>,
    ) -> Self {
        let mut values = Values { pairs: Vec::new() };
        for Characteristic { name, value, .. } in given {
            let Some(value) = value else {
                continue;
            };
            let known = specification.and_then(|it| it.characteristic(&name));
            values.add(name, value.compact(), known);
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
                // An element, or a list of more of them.
                let inside = value.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
                let more = inside.unwrap_or(&value).trim();
                if more.is_empty() {
                    return;
                }
                text.pop();
                if text.len() > 1 {
                    text.push(',');
                }
                text.push_str(more);
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
            if default.is_some_and(|default| same(default, &pair.value)) {
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
        let (name, value) = (name.to_owned(), value.to_owned());
        self.push(Cow::Owned(name), Cow::Owned(value), Strength::Chosen);
    }

    /// Adds a value that is not there yet, and is meant so much.
    pub fn push(&mut self, name: Cow<'d, str>, value: Cow<'d, str>, strength: Strength) {
        self.pairs.push(Pair {
            name,
            value,
            strength,
        });
    }

    /// No values yet, with room for some.
    pub fn with_capacity(count: usize) -> Self {
        Values {
            pairs: Vec::with_capacity(count),
        }
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

/// Whether two JSON texts mean the same value.
pub fn same(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    match (read(one), read(other)) {
        (Some(serde_json::Value::Number(one)), Some(serde_json::Value::Number(other)))
            if one.is_f64() || other.is_f64() =>
        {
            one.as_f64() == other.as_f64()
        }
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}
