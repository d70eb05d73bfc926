//! Values by what they say: one text for all spellings of a value.
//!
//! Members are sorted by key, there is no white space, strings have no needless
//! escapes, and numbers are written by their digits and exponent (`89.00`, `89`
//! and `8.9e1` are one number). Nothing is rounded.

use std::borrow::Cow;

use super::edit::quote;
use super::tape::{Kind, Node};

impl<'d> Node<'d> {
    /// Its canonical text: the same for two values exactly if they mean the same.
    pub fn canonical(self) -> String {
        let mut text = String::with_capacity(self.raw().len());
        self.write_canonical(&mut text);
        text
    }

    /// Appends its canonical text.
    pub fn write_canonical(self, output: &mut String) {
        match self.kind() {
            Kind::Number => number(self.raw(), output),
            Kind::String if self.entry().escaped => {
                output.push_str(&quote(&self.as_str().unwrap_or_default()));
            }
            Kind::Null | Kind::True | Kind::False | Kind::String => output.push_str(self.raw()),
            Kind::Array => {
                output.push('[');
                for (position, element) in self.elements().enumerate() {
                    if position > 0 {
                        output.push(',');
                    }
                    element.write_canonical(output);
                }
                output.push(']');
            }
            Kind::Object => {
                output.push('{');
                for (position, member) in self.sorted_members().into_iter().enumerate() {
                    if position > 0 {
                        output.push(',');
                    }
                    member.key.write_canonical(output);
                    output.push(':');
                    member.value.write_canonical(output);
                }
                output.push('}');
            }
        }
    }

    /// Members of an object, sorted by key; nothing for other values.
    pub fn sorted_members(self) -> Vec<Member<'d>> {
        let mut members = Vec::with_capacity(self.len());
        members.extend(self.members().map(|(key, value)| Member {
            name: key.as_str().unwrap_or_default(),
            key,
            value,
        }));
        members.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        members
    }
}

/// A member of an object.
#[derive(Debug, Clone)]
pub struct Member<'d> {
    /// What its key says.
    pub name: Cow<'d, str>,
    /// Its key.
    pub key: Node<'d>,
    /// Its value.
    pub value: Node<'d>,
}

/// A number as its digits without zeros at either end, and the power of ten behind them.
fn number(raw: &str, output: &mut String) {
    let bytes = raw.as_bytes();
    let is_short = bytes.last() != Some(&b'0') && bytes.iter().all(|it| !b".eE".contains(it));
    let Some((digits, exponent)) = (!is_short).then(|| parts(raw)).flatten() else {
        return output.push_str(raw);
    };
    if digits.is_empty() {
        return output.push('0');
    }
    if raw.starts_with('-') {
        output.push('-');
    }
    output.push_str(&digits);
    if exponent != 0 {
        output.push('e');
        output.push_str(&exponent.to_string());
    }
}

/// `None` where the exponent is beyond all reason.
fn parts(raw: &str) -> Option<(String, i64)> {
    let (mantissa, exponent) = match raw.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (raw, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('-');
    let digits = format!("{whole}{fraction}");
    let shortened = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - shortened.len()).ok()?;
    let fraction = i64::try_from(fraction.len()).ok()?;
    let exponent = exponent.checked_sub(fraction)?.checked_add(zeros)?;
    Some((shortened.trim_start_matches('0').to_owned(), exponent))
}

#[cfg(test)]
mod tests {
    use super::super::Document;

    fn canonical(text: &str) -> String {
        let document = Document::parse(text.to_owned(), "").expect("JSON");
        document.root().canonical()
    }

    #[test]
    fn the_canonical_text_is_the_same_however_a_value_is_written() {
        let written = r#" { "price" : 89.00, "speed": 2e2, "name": "caf\u00e9 \/ \"bar\"", "\u0061": { }, "list": [ 1, -0.50, [ ] ] } "#;
        let other = r#"{"a":{},"list":[1,-0.5,[]],"name":"café / \"bar\"","price":89,"speed":200}"#;
        let expected =
            r#"{"a":{},"list":[1,-5e-1,[]],"name":"café / \"bar\"","price":89,"speed":2e2}"#;
        assert_eq!(canonical(written), expected);
        assert_eq!(canonical(other), expected);
        assert_eq!(canonical(expected), expected);
    }

    #[test]
    fn numbers_are_the_same_exactly_if_their_values_are() {
        for (one, other) in [
            ("100", "1e2"),
            ("100", "1.00E+2"),
            ("0", "-0.0"),
            ("0", "0e7"),
            ("-1200.50", "-1.2005e3"),
            ("0.001", "1e-3"),
            ("12345678901234567890.10", "12345678901234567890.1"),
        ] {
            assert_eq!(canonical(one), canonical(other), "{one} {other}");
        }
        for (one, other) in [
            ("9007199254740993", "9007199254740992"),
            ("0.1", "0.10000000000000001"),
            ("1", "-1"),
            ("1", "\"1\""),
            ("10", "1"),
        ] {
            assert_ne!(canonical(one), canonical(other), "{one} {other}");
        }
        // Zero as a number, and no exponent that can be reckoned with.
        assert_eq!(
            canonical("1e-99999999999999999999"),
            "1e-99999999999999999999"
        );
    }
}
