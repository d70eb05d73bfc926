//! `forEach` of rules.

use std::sync::Arc;

use super::Compiler;
use super::scope::VARIABLES;
use crate::catalog::expression::{CODE_TYPE, Expected, Scope, Shape};
use crate::catalog::rule::{Loop, Over};
use crate::document::{Kind, Node};

/// Words that CEL keeps for itself.
const RESERVED: [&str; 23] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "has",
    "dyn",
];

impl Compiler<'_> {
    /// The loops of a rule, outermost first, and the scope inside them.
    pub(super) fn loops(&mut self, node: Node<'_>, scope: &Scope) -> (Vec<Loop>, Scope) {
        let mut scope = scope.clone();
        let mut loops: Vec<Loop> = Vec::new();
        let nodes: Vec<Node<'_>> = match node.kind() {
            Kind::Array => node.elements().collect(),
            _ => vec![node],
        };
        for node in nodes {
            let variable = node.text("as").unwrap_or_default().into_owned();
            let named = self.loop_variable(node, &variable, &loops);
            let over = match (node.get("in"), node.get("count")) {
                (Some(list), _) => self
                    .reader
                    .expression(list, &Expected::List, &scope)
                    .map(Over::List),
                (_, Some(count)) => self
                    .reader
                    .expression(count, &Expected::Count, &scope)
                    .map(Over::Count),
                // The schema has said that it is one of the two.
                (None, None) => None,
            };
            let element = match &over {
                Some(Over::List(list)) => match list.shape() {
                    Shape::List(element) => (**element).clone(),
                    _ => Shape::Any,
                },
                Some(Over::Count(_)) => Shape::Integer,
                None => Shape::Any,
            };
            if named {
                scope.declare(&variable, element.clone());
            }
            let key = if let Some(key) = node.get("key") {
                self.reader.expression(key, &Expected::Key, &scope)
            } else {
                self.default_key(node, &element);
                None
            };
            if let Some(over) = over {
                loops.push(Loop {
                    variable,
                    over,
                    key,
                    members: Vec::new(),
                    words: Arc::default(),
                });
            }
        }
        (loops, scope)
    }

    /// Whether a variable may have its name.
    fn loop_variable(&mut self, node: Node<'_>, variable: &str, outer: &[Loop]) -> bool {
        let message = if VARIABLES.contains(&variable) {
            format!("`{variable}` is a variable that every rule has")
        } else if RESERVED.contains(&variable) {
            format!("`{variable}` is a word of the expression language")
        } else if outer.iter().any(|outer| outer.variable == variable) {
            format!("an outer loop has the variable `{variable}` already")
        } else {
            return true;
        };
        let place = node.get("as").unwrap_or(node).location();
        self.reader.error("rule/loop-variable", place, message).hint =
            Some("give the element another name".to_owned());
        false
    }

    /// Without `key`, elements are told apart by what they are, objects by their `id`.
    fn default_key(&mut self, node: Node<'_>, element: &Shape) {
        let message = match element {
            Shape::Any | Shape::Integer | Shape::String => return,
            Shape::Object(object) if object.member("id").is_some() || !object.is_closed() => return,
            Shape::Object(_) => "the elements have no `id` to tell them apart by".to_owned(),
            Shape::Null | Shape::Boolean | Shape::Number | Shape::List(_) => {
                format!("{} does not tell elements apart", element.article())
            }
        };
        self.reader
            .error(CODE_TYPE.0, node.location(), message)
            .hint = Some("give the loop a `key`".to_owned());
    }
}
