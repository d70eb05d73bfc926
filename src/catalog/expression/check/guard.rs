//! Guards: which optional members are certain to be there.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

use super::{Checker, Part, Path};
use crate::catalog::expression::CODE_OPTIONAL;

impl Checker<'_> {
    pub(super) fn require_guard(&mut self, node: &IdedExpr, operand: &IdedExpr, name: &str) {
        let Some(mut path) = path_of(operand) else {
            let message = format!("`{name}` may be absent where it is used");
            self.report((node, Part::Whole), CODE_OPTIONAL, message, None);
            return;
        };
        path.push(name.to_owned());
        if self.certain.contains(&path) {
            return;
        }
        let text = self.text(node);
        let guard = if matches!(node.expr, Expr::Select(_)) {
            format!("has({text})")
        } else {
            format!("{} in {}", quoted(name), self.text(operand))
        };
        self.report(
            (node, Part::Whole),
            CODE_OPTIONAL,
            format!("`{text}` is optional and may be absent"),
            Some(format!(
                "guard it: `{guard} && …`, or `{guard} ? {text} : …`"
            )),
        );
    }

    /// Runs `inner` knowing that more members are there.
    pub(super) fn knowing<R>(&mut self, more: Vec<Path>, inner: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.certain.len();
        self.certain.extend(more);
        let result = inner(self);
        self.certain.truncate(before);
        result
    }

    /// The members certain to be there once `node` has come out as `outcome`.
    pub(super) fn learned(&self, node: &IdedExpr, outcome: bool) -> Vec<Path> {
        match &node.expr {
            Expr::Select(select) if select.test && outcome => path_of(&select.operand)
                .map(|mut path| {
                    path.push(select.field.clone());
                    path
                })
                .into_iter()
                .collect(),
            Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
                (operators::LOGICAL_NOT, [inner]) => self.learned(inner, !outcome),
                (operators::LOGICAL_AND, [left, right]) => {
                    self.learned_of_both(left, right, outcome, outcome)
                }
                (operators::LOGICAL_OR, [left, right]) => {
                    self.learned_of_both(left, right, outcome, !outcome)
                }
                (operators::IN, [name, object]) if outcome => {
                    match (string_of(name), path_of(object)) {
                        (Some(name), Some(mut path)) => {
                            path.push(name.to_owned());
                            vec![path]
                        }
                        _ => Vec::new(),
                    }
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    pub(super) fn learned_of_both(
        &self,
        left: &IdedExpr,
        right: &IdedExpr,
        outcome: bool,
        both: bool,
    ) -> Vec<Path> {
        let mut paths = self.learned(left, outcome);
        let others = self.learned(right, outcome);
        if both {
            paths.extend(others);
        } else {
            paths.retain(|path| others.contains(path));
        }
        paths
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The text of a string literal.
pub(in super::super) fn string_of(node: &IdedExpr) -> Option<&str> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

/// The names on the way to a member: `source.address["street name"]`.
pub(in super::super) fn path_of(node: &IdedExpr) -> Option<Path> {
    match &node.expr {
        Expr::Ident(name) => Some(vec![name.clone()]),
        Expr::Select(select) if !select.test => {
            let mut path = path_of(&select.operand)?;
            path.push(select.field.clone());
            Some(path)
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let [container, index] = call.args.as_slice() else {
                return None;
            };
            let name = string_of(index)?;
            let mut path = path_of(container)?;
            path.push(name.to_owned());
            Some(path)
        }
        _ => None,
    }
}
