//! Members of open documents that differ from one of the schema by a slip of
//! the keyboard. A document may have members of its own; one that is nearly a
//! member of the standard is more likely to be meant as that.

use std::collections::HashMap;

use serde_json::Value;

use super::fault;
use crate::diagnostic::{Code, Diagnostic, Severity, suggestion};
use crate::document::{Kind, Node};

/// Members that every entity of TM Forum may have.
const EVERYWHERE: [&str; 4] = ["@type", "@baseType", "@schemaLocation", "@referredType"];

/// The members that a schema knows, object by object.
#[derive(Debug, Default)]
pub struct Spelling {
    objects: Vec<Object>,
}

/// One object of the schema.
#[derive(Debug, Default)]
struct Object {
    /// Members, and the object that the member (or each of its elements) is.
    members: HashMap<String, Option<usize>>,
    /// Whether other members are refused.
    closed: bool,
}

impl Spelling {
    /// Of a schema with its definitions under `$defs`.
    pub fn of(schema: &Value) -> Spelling {
        let mut spelling = Spelling::default();
        let mut known = HashMap::new();
        spelling.object(schema, schema, &mut known);
        spelling
    }

    /// Number of the object that a schema describes, itself or by its elements.
    fn object<'s>(
        &mut self,
        schema: &'s Value,
        root: &'s Value,
        known: &mut HashMap<&'s str, usize>,
    ) -> Option<usize> {
        if let Some(name) = schema["$ref"].as_str() {
            if let Some(number) = known.get(name) {
                return Some(*number);
            }
            let target = root.pointer(name.strip_prefix('#')?)?;
            if target["properties"].is_object() {
                known.insert(name, self.objects.len());
            }
            return self.object(target, root, known);
        }
        if let Some(elements) = schema.get("items") {
            return self.object(elements, root, known);
        }
        let members = schema["properties"].as_object()?;
        let number = self.objects.len();
        self.objects.push(Object {
            members: HashMap::new(),
            closed: schema["additionalProperties"] == false,
        });
        for (name, member) in members {
            let object = self.object(member, root, known);
            self.objects[number].members.insert(name.clone(), object);
        }
        Some(number)
    }

    /// Warnings for members that are nearly one of the schema, in document order.
    pub fn misspelt(&self, root: Node<'_>) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        if !self.objects.is_empty() {
            self.visit(root, 0, &mut diagnostics);
        }
        diagnostics
    }

    fn visit(&self, node: Node<'_>, number: usize, diagnostics: &mut Vec<Diagnostic>) {
        if node.kind() == Kind::Array {
            for element in node.elements() {
                self.visit(element, number, diagnostics);
            }
            return;
        }
        let object = &self.objects[number];
        for (key, value) in node.members() {
            let Some(key) = key.as_str() else { continue };
            match object.members.get(&*key) {
                Some(Some(inside)) => self.visit(value, *inside, diagnostics),
                Some(None) => {}
                None if object.closed || EVERYWHERE.contains(&&*key) => {}
                None => diagnostics.extend(object.slip(node, &key, value)),
            }
        }
    }
}

impl Object {
    /// A member that the object does not have, if it is nearly one that it has and that is not
    /// given as well.
    fn slip(&self, node: Node<'_>, key: &str, value: Node<'_>) -> Option<Diagnostic> {
        // Sorted, so that of two equally near names always the same is proposed.
        let mut absent: Vec<&str> = self
            .members
            .keys()
            .map(String::as_str)
            .filter(|name| suggestion::is_slip(key, name))
            .filter(|name| node.member(name).is_none())
            .collect();
        absent.sort_unstable();
        let meant = absent.first()?;
        let message = format!(
            "{} has a member `{key}`, which the standard does not have",
            fault::name(node)
        );
        let code = Code("schema/misspelt-member");
        let finding = Diagnostic::new(code, Severity::Warning, value.location(), message);
        Some(finding.with_hint(format!("did you mean `{meant}`?")))
    }
}
