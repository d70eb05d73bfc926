//! Faults of a document against its schema, in our words.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Severity, suggestion};
use crate::document::{Node, describe};

/// A fault as findings: one, or one for each member that there may not be.
pub fn diagnostics(error: &ValidationError<'_>, node: Node<'_>, schema: &Value) -> Vec<Diagnostic> {
    if let ValidationErrorKind::AdditionalProperties { unexpected }
    | ValidationErrorKind::UnevaluatedProperties { unexpected } = error.kind()
    {
        let known = known_members(error, schema);
        return unexpected
            .iter()
            .map(|member| unknown_member(node, member, &known))
            .collect();
    }
    let (code, message, hint) = explain(error, node, schema);
    let mut finding = Diagnostic::new(Code(code), Severity::Error, node.location(), message);
    finding.hint = hint;
    vec![finding]
}

fn unknown_member(node: Node<'_>, member: &str, known: &[&str]) -> Diagnostic {
    let message = format!("{} has no member `{member}`", name(node));
    let place = node.member(member).unwrap_or(node);
    let code = Code("schema/unknown-member");
    let mut finding = Diagnostic::new(code, Severity::Error, place.location(), message);
    finding.hint = suggestion::closest(member, known.iter().copied()).map(did_you_mean);
    finding
}

type Explanation = (&'static str, String, Option<String>);

fn explain(error: &ValidationError<'_>, node: Node<'_>, schema: &Value) -> Explanation {
    let what = name(node);
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let member = property.as_str().unwrap_or_default();
            let message = format!("{what} has no `{member}`");
            (
                "schema/missing",
                message,
                written_instead(error, node, schema, member),
            )
        }
        ValidationErrorKind::Type { kind } => {
            let found = describe(node);
            let message = format!("{what} has to be of type {}, found {found}", types(kind));
            ("schema/type", message, None)
        }
        ValidationErrorKind::Enum { options } => {
            let message = format!(
                "{what} has to be one of {options}, found {}",
                describe(node)
            );
            let options = options.as_array().map_or(&[][..], Vec::as_slice);
            let texts = options.iter().filter_map(Value::as_str);
            let meant = node
                .as_str()
                .and_then(|text| suggestion::closest(&text, texts).map(did_you_mean));
            ("schema/value", message, meant)
        }
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context }
            if !needed(context).is_empty() =>
        {
            let message = format!("{what} needs one of {}", needed(context));
            ("schema/missing", message, None)
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            let message = match given(error, node, schema).as_slice() {
                [] => format!("{what} has members of which only one may be given"),
                names => format!(
                    "{what} has {}: only one of them may be given",
                    names.join(" and ")
                ),
            };
            ("schema/value", message, None)
        }
        kind => {
            let hint = match kind {
                ValidationErrorKind::Pattern { pattern } => written_as(pattern),
                _ => None,
            };
            let hint = hint.map(str::to_owned);
            ("schema/value", value_fault(error, node, &what), hint)
        }
    }
}

/// How to write what has to match a pattern of our schemas, where that is not plain to see.
fn written_as(pattern: &str) -> Option<&'static str> {
    match pattern {
        "^[0-9]+(ms|s|m|h)$" => Some("write a number and its unit: 250ms, 10s, 1m"),
        "^[0-9]+\\.[0-9]+$" => Some("write it in quotes: \"1.0\""),
        duration if duration.starts_with("^P") => {
            Some("write it as in ISO 8601: PT30S, PT5M, PT4H, P2D")
        }
        _ => None,
    }
}

fn value_fault(error: &ValidationError<'_>, node: Node<'_>, what: &str) -> String {
    match error.kind() {
        ValidationErrorKind::MinItems { limit } => {
            format!("{what} needs at least {limit} element(s)")
        }
        ValidationErrorKind::MinLength { limit } => {
            format!("{what} needs at least {limit} character(s)")
        }
        ValidationErrorKind::Constant { expected_value } => format!(
            "{what} has to be {expected_value}, found {}",
            describe(node)
        ),
        ValidationErrorKind::Pattern { pattern } => {
            format!("{what} has to match `{pattern}`, found {}", describe(node))
        }
        _ => format!("{what}: {}", error.masked()),
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(single) => single.to_string(),
        TypeKind::Multiple(several) => {
            let names: Vec<String> = several
                .iter()
                .filter(|one| *one != JsonType::Null)
                .map(|one| one.to_string())
                .collect();
            names.join(" or ")
        }
    }
}

/// The member that probably stands in the place of a missing one.
fn written_instead(
    error: &ValidationError<'_>,
    node: Node<'_>,
    schema: &Value,
    missing: &str,
) -> Option<String> {
    let known = known_members(error, schema);
    let members: Vec<String> = node
        .members()
        .filter_map(|(key, _)| key.as_str())
        .filter(|key| !known.contains(&key.as_ref()))
        .map(std::borrow::Cow::into_owned)
        .collect();
    let written = suggestion::closest(missing, members.iter().map(String::as_str))?;
    Some(format!("`{written}` is written; is `{missing}` meant?"))
}

/// The members that the schema has beside the keyword that was broken.
fn known_members<'s>(error: &ValidationError<'_>, schema: &'s Value) -> Vec<&'s str> {
    let keyword = error.schema_path().as_str();
    let beside = keyword.rsplit_once('/').map_or("", |(beside, _)| beside);
    // A member may be demanded under a condition, beside which no member is described.
    let described = beside
        .strip_suffix("/else")
        .or(beside.strip_suffix("/then"));
    let object = schema.pointer(described.unwrap_or(beside));
    object
        .and_then(|object| object["properties"].as_object())
        .map_or(Vec::new(), |members| {
            members.keys().map(String::as_str).collect()
        })
}

fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

/// The members of which one is needed, where alternatives differ in nothing else.
fn needed(alternatives: &[Vec<ValidationError<'_>>]) -> String {
    let mut names = Vec::new();
    for error in alternatives.iter().flatten() {
        let ValidationErrorKind::Required { property } = error.kind() else {
            return String::new();
        };
        names.push(format!("`{}`", property.as_str().unwrap_or_default()));
    }
    names.join(", ")
}

/// The members of an object of which its schema wants one, those that it has.
fn given(error: &ValidationError<'_>, node: Node<'_>, schema: &Value) -> Vec<String> {
    let alternatives = schema.pointer(error.schema_path().as_str());
    let alternatives = alternatives.and_then(Value::as_array);
    let wanted = alternatives
        .into_iter()
        .flatten()
        .filter_map(|it| it["required"].as_array())
        .flatten()
        .filter_map(Value::as_str);
    let given = wanted.filter(|name| node.member(name).is_some());
    given.map(|name| format!("`{name}`")).collect()
}

/// How a message names a value: by its last pointer segment that is a word.
pub fn name(node: Node<'_>) -> String {
    let pointer = node.pointer();
    let mut segments = pointer.rsplit('/');
    match segments.next() {
        None | Some("") => "the document".to_owned(),
        Some(index) if index.parse::<usize>().is_ok() => {
            let list = segments.next().unwrap_or_default();
            format!("element {index} of `{list}`")
        }
        Some(member) => format!("`{member}`"),
    }
}
