//! Characteristic specifications: what a characteristic may be.
//!
//! One shape for `productSpecCharacteristic` (TMF620), `specCharacteristic`
//! (TMF633) and `resourceSpecCharacteristic` (TMF634), version 4 and 5.

use std::borrow::Cow;
use std::fmt;

use regex::Regex;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Kind, Node, describe};

/// Type of a characteristic's values, from `valueType` (a free text in the standards) or, in
/// version 5, from `@type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Text.
    String,
    /// Number without fraction.
    Integer,
    /// Number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// JSON object.
    Object,
    /// Not said, or not known: any value.
    Any,
}

impl ValueType {
    fn read(text: &str) -> ValueType {
        let name = text.to_ascii_lowercase();
        let name = name.strip_suffix("characteristic").unwrap_or(&name);
        match name {
            "string" | "text" | "enum" | "date" | "datetime" | "date-time" | "uri" | "url" => {
                ValueType::String
            }
            "integer" | "int" | "long" => ValueType::Integer,
            "number" | "numeric" | "float" | "double" | "decimal" => ValueType::Number,
            "boolean" | "bool" => ValueType::Boolean,
            "object" => ValueType::Object,
            _ => ValueType::Any,
        }
    }

    /// Name for messages.
    pub fn name(self) -> &'static str {
        match self {
            ValueType::String => "string",
            ValueType::Integer => "integer",
            ValueType::Number => "number",
            ValueType::Boolean => "boolean",
            ValueType::Object => "object",
            ValueType::Any => "value",
        }
    }

    fn admits(self, value: Node<'_>) -> bool {
        match self {
            ValueType::String => value.kind() == Kind::String,
            ValueType::Integer => {
                value.kind() == Kind::Number
                    && value.as_f64().is_some_and(|number| number.fract() == 0.0)
            }
            ValueType::Number => value.kind() == Kind::Number,
            ValueType::Boolean => value.as_bool().is_some(),
            ValueType::Object => value.kind() == Kind::Object,
            ValueType::Any => true,
        }
    }
}

/// One allowed value, or a range of them (`CharacteristicValueSpecification`).
#[derive(Debug, Clone)]
struct Allowed {
    /// Compact JSON text, for a single value.
    value: Option<String>,
    /// Lower bound and whether it is allowed itself.
    from: Option<(f64, bool)>,
    /// Upper bound and whether it is allowed itself.
    to: Option<(f64, bool)>,
    regex: Option<Regex>,
}

/// What a characteristic may be.
#[derive(Debug, Clone)]
pub struct CharacteristicSpecification {
    /// Name, unique within its specification.
    pub name: String,
    /// Type of its values.
    pub value_type: ValueType,
    /// Fewest values; 0 makes it optional.
    pub minimum: u64,
    /// Most values; `None` is no limit.
    pub maximum: Option<u64>,
    /// Value that holds where none is given, as compact JSON text.
    pub default: Option<String>,
    /// Unit for messages.
    unit: Option<String>,
    regex: Option<Regex>,
    allowed: Vec<Allowed>,
}

/// Why a value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// Of another type.
    Type {
        /// What it should have been, as in `integer`.
        expected: &'static str,
        /// What was found, as in `the string "200"`.
        found: String,
        /// How it would have to be written.
        hint: Option<String>,
    },
    /// Outside every range and list.
    Value {
        /// What is allowed, for people.
        allowed: String,
        /// The nearest allowed value.
        hint: Option<String>,
    },
    /// Against a regular expression.
    Pattern {
        /// The expression.
        regex: String,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Type { expected, .. } => write!(f, "it has to be of type {expected}"),
            Misfit::Value { allowed, .. } => write!(f, "allowed: {allowed}"),
            Misfit::Pattern { regex } => write!(f, "it has to match `{regex}`"),
        }
    }
}

impl Misfit {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Misfit::Type { hint, .. } | Misfit::Value { hint, .. } => hint.clone(),
            Misfit::Pattern { .. } => None,
        }
    }
}

const VALUE_LISTS: [&str; 4] = [
    "productSpecCharacteristicValue",
    "characteristicValueSpecification",
    "resourceSpecCharacteristicValue",
    "serviceSpecCharacteristicValue",
];

impl CharacteristicSpecification {
    /// Reads a characteristic specification; what is wrong with it goes to `diagnostics`.
    pub fn read(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) -> CharacteristicSpecification {
        let value_type = node
            .text("valueType")
            .or_else(|| node.text("@type"))
            .map_or(ValueType::Any, |text| ValueType::read(&text));
        let mut read = CharacteristicSpecification {
            name: node.text("name").unwrap_or_default().into_owned(),
            value_type,
            minimum: whole(node, "minCardinality").unwrap_or(0),
            // 0 is what exports write for "no limit".
            maximum: match whole(node, "maxCardinality") {
                None => Some(1),
                Some(0) => None,
                Some(maximum) => Some(maximum),
            },
            default: None,
            unit: None,
            regex: regex(node, diagnostics),
            allowed: Vec::new(),
        };
        if read.maximum.is_some_and(|maximum| maximum < read.minimum) {
            let node = node.get("maxCardinality").unwrap_or(node);
            let message = format!("`{}`: maxCardinality is below minCardinality", read.name);
            diagnostics.push(fault(node, "catalog/cardinality", &message));
        }
        for list in VALUE_LISTS {
            for value in node.list(list) {
                read.value_specification(value, diagnostics);
            }
        }
        // A lone default says what holds if nothing is said, not that nothing else may be.
        if let [only] = read.allowed.as_slice()
            && only.value.is_some()
            && only.value == read.default
        {
            read.allowed.clear();
        }
        if node.get("extensible").and_then(Node::as_bool) == Some(true) {
            read.allowed.retain(|allowed| allowed.value.is_none());
        }
        read
    }

    /// Reads how an offering narrows a characteristic (`ProductSpecificationCharacteristicValueUse`):
    /// a lone value is the only one that is sold, be it marked as default or not.
    pub fn narrowing(
        node: Node<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> CharacteristicSpecification {
        let mut read = CharacteristicSpecification::read(node, diagnostics);
        if node.get("maxCardinality").is_none() {
            read.maximum = None;
        }
        if read.allowed.is_empty()
            && let Some(only) = &read.default
        {
            let value = Some(only.clone());
            read.allowed.push(Allowed {
                value,
                from: None,
                to: None,
                regex: None,
            });
        }
        read
    }

    fn value_specification(&mut self, node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
        self.unit = self.unit.take().or_else(|| {
            node.text("unitOfMeasure")
                .filter(|unit| !unit.is_empty())
                .map(Cow::into_owned)
        });
        let value = node.get("value").filter(|value| value.raw() != "\"\"");
        let bound = |key: &str| node.get(key).and_then(Node::as_f64);
        let interval = node
            .text("rangeInterval")
            .unwrap_or(Cow::Borrowed("closed"));
        let from = bound("valueFrom")
            .map(|bound| (bound, matches!(&*interval, "closed" | "closedBottom")));
        let to =
            bound("valueTo").map(|bound| (bound, matches!(&*interval, "closed" | "closedTop")));
        if let (Some((from, _)), Some((to, _))) = (from, to)
            && from > to
        {
            let message = format!("`{}`: valueFrom {from} is above valueTo {to}", self.name);
            diagnostics.push(fault(node, "catalog/range", &message));
        }
        if let Some(value) = value {
            let value_type_fits = self.value_type.admits(value);
            if !value_type_fits {
                let message = format!(
                    "`{}`: {} is listed as a value, but valueType is {}",
                    self.name,
                    describe(value),
                    self.value_type.name()
                );
                diagnostics.push(fault(value, "catalog/value-type", &message));
            }
            if node.get("isDefault").and_then(Node::as_bool) == Some(true) {
                self.default = Some(value.compact().into_owned());
            }
        }
        let regex = regex(node, diagnostics);
        if value.is_some() || from.is_some() || to.is_some() || regex.is_some() {
            let ranged = from.is_some() || to.is_some();
            let value = value
                .filter(|_| !ranged)
                .map(|value| value.compact().into_owned());
            self.allowed.push(Allowed {
                value,
                from,
                to,
                regex,
            });
        }
    }

    /// Whether more than one value may be given.
    pub fn is_list(&self) -> bool {
        self.maximum != Some(1)
    }

    /// Whether it has to be given: mandatory, and nothing holds by default.
    pub fn has_to_be_given(&self) -> bool {
        self.minimum > 0 && self.default.is_none()
    }

    /// Values that are allowed one by one, as compact JSON texts; empty if there is no such list.
    pub fn allowed_values(&self) -> impl Iterator<Item = &str> {
        self.allowed
            .iter()
            .filter_map(|allowed| allowed.value.as_deref())
    }

    /// Bounds of the ranges that are allowed, low ones and high ones.
    pub fn bounds(&self) -> impl Iterator<Item = (Option<f64>, Option<f64>)> {
        let ranges = self.allowed.iter();
        ranges
            .filter(|it| it.from.is_some() || it.to.is_some())
            .map(|it| (it.from.map(|bound| bound.0), it.to.map(|bound| bound.0)))
    }

    /// Whether the values that are listed one by one are all that there are.
    pub fn is_enumerated(&self) -> bool {
        !self.allowed.is_empty() && self.allowed.iter().all(|it| it.value.is_some())
    }

    /// Whether a regular expression, or several, say what is allowed.
    pub fn has_pattern(&self) -> bool {
        self.regex.is_some() || self.allowed.iter().any(|it| it.regex.is_some())
    }

    /// Checks a JSON text as a value.
    ///
    /// # Errors
    /// Why it is none that may be given.
    pub fn takes(&self, value: &str) -> Result<(), Misfit> {
        match crate::document::Document::parse(value.to_owned(), "") {
            Ok(document) => self.check(document.root()).map_err(|(_, misfit)| misfit),
            Err(_) => Ok(()),
        }
    }

    /// Checks a value, each element for itself where a list is allowed.
    ///
    /// # Errors
    /// The first misfit and the value it is about.
    pub fn check<'d>(&self, value: Node<'d>) -> Result<(), (Node<'d>, Misfit)> {
        if value.kind() == Kind::Array && self.is_list() {
            for element in value.elements() {
                self.check_one(element)
                    .map_err(|misfit| (element, misfit))?;
            }
            return Ok(());
        }
        self.check_one(value).map_err(|misfit| (value, misfit))
    }

    fn check_one(&self, value: Node<'_>) -> Result<(), Misfit> {
        if !self.value_type.admits(value) {
            let inside = value.as_str();
            let numeric = matches!(self.value_type, ValueType::Integer | ValueType::Number);
            let hint = match (self.value_type, inside.as_deref()) {
                (ValueType::Boolean, Some(text @ ("true" | "false"))) => Some(text),
                (_, Some(text)) if numeric && text.parse::<f64>().is_ok() => Some(text),
                _ => None,
            };
            return Err(Misfit::Type {
                expected: self.value_type.name(),
                found: describe(value),
                hint: hint.map(|text| format!("write {text} without quotes")),
            });
        }
        if let Some(regex) = &self.regex {
            matches(regex, value)?;
        }
        if self.allowed.is_empty() || self.allowed.iter().any(|allowed| allowed.admits(value)) {
            return Ok(());
        }
        if let [
            Allowed {
                value: None,
                from: None,
                to: None,
                regex: Some(regex),
            },
        ] = self.allowed.as_slice()
        {
            return matches(regex, value);
        }
        Err(Misfit::Value {
            allowed: self.allowed_text(),
            hint: self.nearest(value),
        })
    }

    fn allowed_text(&self) -> String {
        let mut parts: Vec<String> = self
            .allowed
            .iter()
            .take(12)
            .map(Allowed::to_string)
            .collect();
        if self.allowed.len() > 12 {
            parts.push(format!("… ({} in all)", self.allowed.len()));
        }
        let unit = self
            .unit
            .as_ref()
            .map_or(String::new(), |unit| format!(" {unit}"));
        format!("{}{unit}", parts.join(", "))
    }

    fn nearest(&self, value: Node<'_>) -> Option<String> {
        let text = value.as_str()?;
        let texts: Vec<String> = self
            .allowed_values()
            .filter_map(|allowed| serde_json::from_str::<String>(allowed).ok())
            .collect();
        let nearest =
            crate::diagnostic::suggestion::closest(&text, texts.iter().map(String::as_str))?;
        Some(format!("did you mean `{nearest}`?"))
    }
}

impl Allowed {
    fn admits(&self, value: Node<'_>) -> bool {
        if let Some(allowed) = &self.value {
            return allowed == value.raw()
                || value
                    .as_f64()
                    .is_some_and(|number| allowed.parse() == Ok(number))
                || value.compact() == *allowed;
        }
        if self.from.is_some() || self.to.is_some() {
            let Some(number) = value.as_f64() else {
                return false;
            };
            let above = |(bound, closed)| number > bound || closed && number >= bound;
            let below = |(bound, closed)| number < bound || closed && number <= bound;
            return self.from.is_none_or(above) && self.to.is_none_or(below);
        }
        self.regex
            .as_ref()
            .is_none_or(|regex| matches(regex, value).is_ok())
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(value) = &self.value {
            return f.write_str(value);
        }
        if let (None, None, Some(regex)) = (self.from, self.to, &self.regex) {
            return write!(f, "what matches `{}`", source(regex));
        }
        let bound = |bound: Option<(f64, bool)>| {
            bound.map_or(String::new(), |(bound, _)| bound.to_string())
        };
        write!(f, "{}–{}", bound(self.from), bound(self.to))
    }
}

/// What was written in the catalog, without the anchors put around it.
fn source(regex: &Regex) -> &str {
    let text = regex.as_str();
    text.strip_prefix("^(?:")
        .and_then(|text| text.strip_suffix(")$"))
        .unwrap_or(text)
}

fn matches(regex: &Regex, value: Node<'_>) -> Result<(), Misfit> {
    let text = value.told();
    if regex.is_match(&text) {
        return Ok(());
    }
    Err(Misfit::Pattern {
        regex: source(regex).to_owned(),
    })
}

/// A number that exports write as number, as text, or leave empty.
fn whole(node: Node<'_>, key: &str) -> Option<u64> {
    let value = node.get(key)?;
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    u64::try_from(number).ok()
}

fn regex(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) -> Option<Regex> {
    let value = node.get("regex")?;
    let text = value.as_str().filter(|text| !text.is_empty())?;
    // The whole value has to match, as every catalog author expects.
    match Regex::new(&format!("^(?:{text})$")) {
        Ok(regex) => Some(regex),
        Err(error) => {
            let reason = match error {
                regex::Error::CompiledTooBig(_) => "it is too large",
                _ => "it is no regular expression",
            };
            diagnostics.push(fault(
                value,
                "catalog/regex",
                &format!("regex `{text}` cannot be used: {reason}"),
            ));
            None
        }
    }
}

fn fault(node: Node<'_>, code: &'static str, message: &str) -> Diagnostic {
    Diagnostic::new(Code(code), Severity::Error, node.location(), message)
}
