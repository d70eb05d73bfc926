//! What TM Forum's standards demand of an order and processing does without:
//! members that have to be given, types, dates, addresses, enumerations. Only
//! `--strict` asks for it.
//!
//! The tables beside this file state it in a notation of their own. Orders of
//! versions 3 and 5, which have other members, are not judged.

use std::sync::OnceLock;

use foldhash::{HashMap, HashMapExt as _};
use jsonschema::Validator;
use serde_json::json;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{DocumentKind, Kind, Node, Tape, describe};
use crate::schemas;

/// What a standard says of its orders.
struct Standard {
    entities: HashMap<&'static str, Vec<Member>>,
    enumerations: HashMap<&'static str, Vec<&'static str>>,
    root: &'static str,
}

/// A member of an entity.
struct Member {
    name: &'static str,
    mandatory: bool,
    /// The least number of elements, where it is a list.
    list: Option<usize>,
    /// Name of a simple type, an enumeration or an entity.
    type_name: &'static str,
}

/// What an order lacks to be as its standard has it; nothing for other documents.
pub fn check(kind: DocumentKind, root: Node<'_>) -> Vec<Diagnostic> {
    let Some(standard) = of(kind).filter(|_| is_version_4(kind, root)) else {
        return Vec::new();
    };
    let mut diagnostics = Vec::new();
    standard.value(root, standard.root, &mut diagnostics);
    diagnostics
}

/// Whether an order has none of the members that tell the other versions.
fn is_version_4(kind: DocumentKind, root: Node<'_>) -> bool {
    let has_list = |key: &str| root.get(key).is_some_and(|it| it.kind() == Kind::Array);
    let parties = || root.list("relatedParty");
    let version_3 = kind != DocumentKind::ResourceOrder && root.get("orderItem").is_some();
    let version_5 = root.get("creationDate").is_some()
        || has_list("externalId")
        || parties().any(|party| party.get("partyOrPartyRole").is_some());
    !version_3 && !version_5
}

fn of(kind: DocumentKind) -> Option<&'static Standard> {
    static STANDARDS: [OnceLock<Standard>; 3] = [OnceLock::new(), OnceLock::new(), OnceLock::new()];
    let (number, text) = match kind {
        DocumentKind::ProductOrder => (0, include_str!("tmf622.txt")),
        DocumentKind::ServiceOrder => (1, include_str!("tmf641.txt")),
        DocumentKind::ResourceOrder => (2, include_str!("tmf652.txt")),
        _ => return None,
    };
    Some(STANDARDS[number].get_or_init(|| Standard::read(text)))
}

impl Standard {
    /// Reads a table.
    ///
    /// # Panics
    /// Never: the tables are part of the program and tested.
    fn read(text: &'static str) -> Standard {
        let mut standard = Standard {
            entities: HashMap::new(),
            enumerations: HashMap::new(),
            root: "",
        };
        let mut name = "";
        // Whether what is continued on an indented line is an enumeration.
        let mut enumerates = false;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut rest = line.trim();
            if !line.starts_with(' ') && !rest.is_empty() {
                let (before, values) = rest.split_once(" = ").unwrap_or((rest, ""));
                enumerates = rest.len() > before.len();
                (name, rest) = (before, values);
                if standard.root.is_empty() {
                    standard.root = name;
                }
            }
            if enumerates {
                let values = rest.split('|').map(|it| it.trim().trim_matches('"'));
                let known = standard.enumerations.entry(name).or_default();
                known.extend(values.filter(|value| !value.is_empty()));
            } else {
                let members = rest.split(',').filter_map(|it| Member::read(it.trim()));
                standard.entities.entry(name).or_default().extend(members);
            }
        }
        standard
    }

    fn object(&self, node: Node<'_>, entity: &[Member], diagnostics: &mut Vec<Diagnostic>) {
        if node.kind() != Kind::Object {
            return wrong_type(node, "an object", diagnostics);
        }
        for member in entity {
            match node.member(member.name) {
                Some(value) => self.member(value, member, diagnostics),
                None if member.mandatory => {
                    let message = format!("{} has no `{}`", schemas::name(node), member.name);
                    diagnostics.push(error("standard/missing", node, message));
                }
                None => {}
            }
        }
        for (name, type_name) in [
            ("@type", "text"),
            ("@baseType", "text"),
            ("@schemaLocation", "uri"),
        ] {
            let stated = entity.iter().any(|member| member.name == name);
            if let Some(value) = node.member(name).filter(|_| !stated) {
                self.value(value, type_name, diagnostics);
            }
        }
    }

    fn member(&self, value: Node<'_>, member: &Member, diagnostics: &mut Vec<Diagnostic>) {
        let Some(least) = member.list else {
            return self.value(value, member.type_name, diagnostics);
        };
        if value.kind() != Kind::Array {
            return wrong_type(value, "a list", diagnostics);
        }
        if value.len() < least {
            let message = format!("{} needs at least one element", schemas::name(value));
            diagnostics.push(error("standard/missing", value, message));
        }
        for element in value.elements() {
            self.value(element, member.type_name, diagnostics);
        }
    }

    fn value(&self, node: Node<'_>, type_name: &str, diagnostics: &mut Vec<Diagnostic>) {
        if let Some(entity) = self.entities.get(type_name) {
            return self.object(node, entity, diagnostics);
        }
        if let Some(values) = self.enumerations.get(type_name) {
            if !node.as_str().is_some_and(|text| values.contains(&&*text)) {
                let (what, found) = (schemas::name(node), describe(node));
                let message = format!(
                    "{what} has to be one of {}, found {found}",
                    values.join(", ")
                );
                diagnostics.push(error("standard/value", node, message));
            }
            return;
        }
        let (expected, fits) = match type_name {
            "text" | "date" | "uri" => ("a string", node.kind() == Kind::String),
            "whole" => (
                "a whole number",
                node.kind() == Kind::Number && is_whole(node),
            ),
            "number" => ("a number", node.kind() == Kind::Number),
            "flag" => (
                "true or false",
                matches!(node.kind(), Kind::True | Kind::False),
            ),
            "object" => ("an object", node.kind() == Kind::Object),
            _ => return,
        };
        if !fits {
            return wrong_type(node, expected, diagnostics);
        }
        let format = match type_name {
            "date" => ("date-time", "a date and time as in RFC 3339"),
            "uri" => ("uri", "a URI with scheme"),
            _ => return,
        };
        if !format_validator(format.0).is_valid(node) {
            let (what, found) = (schemas::name(node), describe(node));
            let message = format!("{what} has to be {}, found {found}", format.1);
            diagnostics.push(error("standard/format", node, message));
        }
    }
}

impl Member {
    /// `name! Type[]`.
    fn read(text: &'static str) -> Option<Member> {
        let (name, type_name) = text.split_once(' ')?;
        let list = [("[]", 0), ("[1]", 1)]
            .into_iter()
            .find(|(mark, _)| type_name.ends_with(mark));
        Some(Member {
            name: name.trim_end_matches('!'),
            mandatory: name.ends_with('!'),
            list: list.map(|(_, least)| least),
            type_name: type_name.split('[').next().unwrap_or(type_name),
        })
    }
}

fn is_whole(node: Node<'_>) -> bool {
    node.raw()
        .parse::<f64>()
        .is_ok_and(|number| number.fract() == 0.0)
}

/// What checks formats of texts as JSON Schema has them.
fn format_validator(format: &str) -> &'static Validator<Tape> {
    static DATE: OnceLock<Validator<Tape>> = OnceLock::new();
    static URI: OnceLock<Validator<Tape>> = OnceLock::new();
    let (validator, format) = match format {
        "uri" => (&URI, "uri"),
        _ => (&DATE, "date-time"),
    };
    validator.get_or_init(|| {
        jsonschema::options_for::<Tape>()
            .should_validate_formats(true)
            .build(&json!({ "format": format }))
            .expect("a schema")
    })
}

fn wrong_type(node: Node<'_>, expected: &str, diagnostics: &mut Vec<Diagnostic>) {
    let (what, found) = (schemas::name(node), describe(node));
    let message = format!("{what} has to be {expected}, found {found}");
    diagnostics.push(error("standard/type", node, message));
}

fn error(code: &'static str, node: Node<'_>, message: String) -> Diagnostic {
    Diagnostic::new(Code(code), Severity::Error, node.location(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_tables_is_known() {
        for kind in [
            DocumentKind::ProductOrder,
            DocumentKind::ServiceOrder,
            DocumentKind::ResourceOrder,
        ] {
            let standard = of(kind).expect("a standard");
            assert_eq!(standard.root, kind.name());
            assert!(standard.entities.len() > 20);
            for member in standard.entities.values().flatten() {
                let name = member.type_name;
                let simple = [
                    "text", "date", "uri", "whole", "number", "flag", "object", "any",
                ];
                assert!(
                    simple.contains(&name)
                        || standard.entities.contains_key(name)
                        || standard.enumerations.contains_key(name),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn the_space_of_an_official_value_is_kept() {
        let standard = of(DocumentKind::ProductOrder).expect("a standard");
        assert!(standard.enumerations["ProductStatusType"].contains(&"aborted "));
    }
}
