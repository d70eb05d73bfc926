//! Characteristics of derived items: mapped by rule, copied by name, or by
//! default.

use std::borrow::Cow;

use crate::catalog::expression::{Bindings, EvaluationFault, Expression};
use crate::catalog::{
    CharacteristicSpecification, Decomposition, MappingSource, Offering, Specification,
};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Document, Node};
use crate::model::Characteristic;

/// Characteristics by name, in the order of the specification; values are compact JSON texts.
#[derive(Debug, Clone, Default)]
pub struct Values<'d> {
    pairs: Vec<(Cow<'d, str>, Cow<'d, str>)>,
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
        for (name, value) in &before.pairs {
            if self.get(name).is_none() {
                self.pairs.push((name.clone(), value.clone()));
            }
        }
        self
    }

    /// Those of the values that a test accepts.
    pub fn filtered(&self, accepts: impl Fn(&str, &str) -> bool) -> Self {
        let pairs = self
            .pairs
            .iter()
            .filter(|(name, value)| accepts(name, value));
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
        if let Some((_, text)) = self.pairs.iter_mut().find(|(other, _)| *other == name) {
            if list {
                let inside = text
                    .strip_prefix('[')
                    .and_then(|text| text.strip_suffix(']'));
                *text = Cow::Owned(format!("[{},{value}]", inside.unwrap_or(text)));
            }
            return;
        }
        let value = if list && !value.starts_with('[') {
            Cow::Owned(format!("[{value}]"))
        } else {
            value
        };
        self.pairs.push((name, value));
    }

    /// Compact JSON text of a value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| &**value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
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
                self.pairs
                    .push((Cow::Borrowed(&known.name), Cow::Borrowed(default)));
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

/// A fault of an expression while an order is decomposed.
pub fn evaluation_fault(
    item: Node<'_>,
    decomposition: &Decomposition,
    what: &str,
    fault: &EvaluationFault,
) -> Diagnostic {
    let seen: Vec<String> = fault
        .seen
        .iter()
        .map(|seen| {
            format!(
                "{} is {}",
                seen.path,
                seen.value.as_deref().unwrap_or("absent")
            )
        })
        .collect();
    let seen = if seen.is_empty() {
        String::new()
    } else {
        format!(" ({})", seen.join(", "))
    };
    let rule = decomposition.rule.as_deref().unwrap_or_default();
    let message = format!("rule `{rule}`: {what}: {}{seen}", fault.message);
    Diagnostic::new(
        Code("decompose/expression"),
        Severity::Error,
        item.location(),
        message,
    )
    .with_related(decomposition.location.clone())
}

/// What is installed of a target, for mappings.
#[derive(Debug, Clone, Copy)]
pub struct Keep<'a> {
    /// The variables as they were before the order.
    pub before: &'a Bindings<'a>,
    /// The characteristics that are installed.
    pub installed: &'a Values<'a>,
}

impl Keep<'_> {
    /// The installed value of a characteristic that tells of the order that made it (its
    /// expression looks at `order` or `item`), unless something else that it looks at has changed.
    fn value(&self, name: &str, expression: &Expression, new: &str) -> Option<String> {
        let installed = self.installed.get(name)?;
        let of_order = expression.reads("order") || expression.reads("item");
        let same = || {
            expression
                .evaluate(self.before)
                .is_ok_and(|before| before == new)
        };
        (of_order && same()).then(|| installed.to_owned())
    }
}

/// The characteristics of a target: mapped, else copied by name, else by default. Faults go to
/// `diagnostics`, with `item`'s place.
pub fn map<'v>(
    decomposition: &'v Decomposition,
    target: &'v Specification,
    source: &'v Values<'v>,
    bindings: &Bindings<'_>,
    keep: Option<Keep<'_>>,
    item: Node<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Values<'v> {
    let mut values = Values {
        pairs: Vec::with_capacity(target.characteristics.len()),
    };
    for known in &target.characteristics {
        let mapping = decomposition
            .mapping
            .iter()
            .find(|mapping| mapping.target == known.name);
        let value = match mapping.map(|mapping| &mapping.source) {
            Some(MappingSource::Value(value)) => Some(Cow::Borrowed(value.as_str())),
            Some(MappingSource::Expression(expression)) => match expression.evaluate(bindings) {
                Ok(value) => {
                    let kept = keep.and_then(|keep| keep.value(&known.name, expression, &value));
                    let value = kept.unwrap_or(value);
                    check(known, value, decomposition, item, diagnostics).map(Cow::Owned)
                }
                Err(fault) => {
                    let what = format!("`{}` cannot be computed", known.name);
                    diagnostics.push(evaluation_fault(item, decomposition, &what, &fault));
                    continue;
                }
            },
            None => source
                .get(&known.name)
                .map(Cow::Borrowed)
                .or_else(|| known.default.as_deref().map(Cow::Borrowed)),
        };
        match value {
            Some(value) if value != "null" => {
                values
                    .pairs
                    .push((Cow::Borrowed(known.name.as_str()), value));
            }
            _ if known.minimum > 0 => {
                let message = format!(
                    "{} needs `{}`, which the order does not give",
                    target.name, known.name
                );
                let code = Code("decompose/missing-characteristic");
                diagnostics.push(
                    Diagnostic::new(code, Severity::Error, item.location(), message)
                        .with_related(decomposition.location.clone())
                        .with_hint(
                            "give it in the order; for what is installed already, name the \
                             installed base with --inventory",
                        ),
                );
            }
            _ => {}
        }
    }
    values
}

/// A computed value has to be one that the target allows.
fn check(
    known: &CharacteristicSpecification,
    value: String,
    decomposition: &Decomposition,
    item: Node<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<String> {
    if value == "null" {
        return None;
    }
    let document = Document::parse(value, "").ok()?;
    if let Err((_, misfit)) = known.check(document.root()) {
        let rule = decomposition.rule.as_deref().unwrap_or_default();
        let message = format!(
            "rule `{rule}`: `{}` cannot be {}: {misfit}",
            known.name,
            document.text()
        );
        let code = Code("decompose/value");
        diagnostics.push(
            Diagnostic::new(code, Severity::Error, item.location(), message)
                .with_related(decomposition.location.clone()),
        );
    }
    Some(document.text().to_owned())
}
