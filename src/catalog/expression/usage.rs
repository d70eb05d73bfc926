//! How an expression looks at each value: what it compares it with, so that a few values stand for all.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, EntryExpr, Expr, LiteralValue, operators};

use super::check::{path_of, string_of};

/// How an expression looks at one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The names on the way to the value.
    pub path: Vec<String>,
    /// What it is compared with, as JSON texts, each once.
    pub literals: Vec<String>,
    /// Whether it is only compared with literals, asked for, or taken as true or false: then those
    /// literals, and one value beside and between them, stand for all values.
    pub is_plain: bool,
}

/// How a tree looks at values, each path once, in the order they are written.
pub(super) fn usages(tree: &IdedExpr) -> Vec<Usage> {
    let mut usages = Usages::default();
    usages.condition(tree);
    usages.found
}

#[derive(Default)]
struct Usages {
    found: Vec<Usage>,
    locals: Vec<String>,
}

impl Usages {
    fn note(&mut self, path: Vec<String>, literals: Vec<String>, is_plain: bool) {
        if self.locals.contains(&path[0]) {
            return;
        }
        let known = self.found.iter().position(|it| it.path == path);
        let position = known.unwrap_or_else(|| {
            self.found.push(Usage {
                path,
                literals: Vec::new(),
                is_plain: true,
            });
            self.found.len() - 1
        });
        let usage = &mut self.found[position];
        usage.is_plain &= is_plain;
        for literal in literals {
            if !usage.literals.contains(&literal) {
                usage.literals.push(literal);
            }
        }
    }

    /// A part whose value is taken as true or false.
    fn condition(&mut self, node: &IdedExpr) {
        if let Some(path) = path_of(node) {
            self.note(path, Vec::new(), true);
            return;
        }
        match &node.expr {
            Expr::Select(select) if select.test => match path_of(&select.operand) {
                Some(mut path) => {
                    path.push(select.field.clone());
                    self.note(path, Vec::new(), true);
                }
                None => self.value(&select.operand),
            },
            Expr::Call(call) => self.call(call),
            _ => self.value(node),
        }
    }

    fn call(&mut self, call: &CallExpr) {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT, parts) => {
                for part in parts {
                    self.condition(part);
                }
            }
            (operators::CONDITIONAL, [asked, yes, no]) => {
                self.condition(asked);
                self.condition(yes);
                self.condition(no);
            }
            (
                operators::EQUALS
                | operators::NOT_EQUALS
                | operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                [left, right],
            ) => match (compared(left), compared(right), text(left), text(right)) {
                (Some(path), None, _, Some(literal)) | (None, Some(path), Some(literal), _) => {
                    self.note(path, vec![literal], true);
                }
                _ => {
                    self.value(left);
                    self.value(right);
                }
            },
            (operators::IN, [value, list]) => self.member(value, list),
            _ => {
                let parts = call.target.iter().map(AsRef::as_ref).chain(&call.args);
                for part in parts {
                    self.value(part);
                }
            }
        }
    }

    /// `value in [1, 2]`, or `"name" in source`.
    fn member(&mut self, value: &IdedExpr, list: &IdedExpr) {
        if let (Some(name), Some(mut path)) = (string_of(value), path_of(list))
            && path.len() == 1
        {
            path.push(name.to_owned());
            self.note(path, Vec::new(), true);
            return;
        }
        if let (Some(path), Expr::List(list)) = (path_of(value), &list.expr) {
            let literals: Option<Vec<String>> = list.elements.iter().map(text).collect();
            if let Some(literals) = literals {
                self.note(path, literals, true);
                return;
            }
        }
        self.value(value);
        self.value(list);
    }

    /// A part whose value goes into something else.
    fn value(&mut self, node: &IdedExpr) {
        if let Some(path) = path_of(node) {
            self.note(path, Vec::new(), false);
            return;
        }
        match &node.expr {
            Expr::Call(call) => self.call(call),
            Expr::Select(select) if select.test => self.condition(node),
            Expr::Select(select) => self.value(&select.operand),
            Expr::List(list) => {
                for element in &list.elements {
                    self.value(element);
                }
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.value(&entry.key);
                        self.value(&entry.value);
                    }
                }
            }
            Expr::Comprehension(fold) => {
                self.value(&fold.iter_range);
                self.locals.push(fold.iter_var.clone());
                self.locals.push(fold.accu_var.clone());
                self.value(&fold.loop_step);
                self.locals.truncate(self.locals.len() - 2);
            }
            Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => {}
        }
    }
}

/// The path that is compared; arithmetic may have made a double of it.
fn compared(node: &IdedExpr) -> Option<Vec<String>> {
    match &node.expr {
        Expr::Call(call) if call.func_name == "double" && call.args.len() == 1 => {
            path_of(&call.args[0])
        }
        _ => path_of(node),
    }
}

/// A literal as JSON text.
fn text(node: &IdedExpr) -> Option<String> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(text)) => {
            Some(serde_json::Value::from(text.inner()).to_string())
        }
        Expr::Literal(LiteralValue::Int(number)) => Some(number.inner().to_string()),
        Expr::Literal(LiteralValue::Double(number)) => Some(number.inner().to_string()),
        Expr::Literal(LiteralValue::Boolean(truth)) => Some(truth.inner().to_string()),
        Expr::Call(call) if call.func_name == "double" && call.args.len() == 1 => {
            text(&call.args[0])
        }
        _ => None,
    }
}
