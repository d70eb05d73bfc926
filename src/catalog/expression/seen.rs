//! What an expression looked at, for those who ask why.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, operators};

use super::check::{path_of, string_of};
use super::value::{Bindings, compact};

/// A value an expression looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Path of the value, such as `source.accessTechnology`.
    pub path: String,
    /// Its JSON text; `None` where it is absent.
    pub value: Option<String>,
}

/// The members a part of an expression looks at, each once, in the order they
/// are written.
pub(super) fn seen(node: &IdedExpr, bindings: &Bindings<'_>) -> Vec<Seen> {
    paths(node)
        .into_iter()
        .filter(|path| path.len() > 1 || bindings.whole(&path[0]).is_some())
        .map(|path| Seen {
            value: looked_up(&path, bindings),
            path: written(&path),
        })
        .collect()
}

/// The paths of all values that a part of an expression looks at, each once, in the order they are
/// written; of a variable that is used as a whole only its name.
pub(super) fn paths(node: &IdedExpr) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    collect_paths(node, &mut Vec::new(), &mut paths);
    paths
}

fn collect_paths<'e>(node: &'e IdedExpr, locals: &mut Vec<&'e str>, into: &mut Vec<Vec<String>>) {
    let path = match &node.expr {
        Expr::Select(select) if select.test => path_of(&select.operand).map(|mut path| {
            path.push(select.field.clone());
            path
        }),
        Expr::Call(call) if call.func_name == operators::IN => match call.args.as_slice() {
            [name, object] => string_of(name)
                .zip(path_of(object))
                .map(|(name, mut path)| {
                    path.push(name.to_owned());
                    path
                })
                .filter(|path| path.len() == 2),
            _ => None,
        },
        _ => path_of(node),
    };
    if let Some(path) = path {
        let local = locals.iter().any(|local| *local == path[0]);
        if !local && !into.contains(&path) {
            into.push(path);
        }
        return;
    }
    match &node.expr {
        Expr::Call(call) => {
            for part in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
                collect_paths(part, locals, into);
            }
        }
        Expr::Select(select) => collect_paths(&select.operand, locals, into),
        Expr::List(list) => {
            for element in &list.elements {
                collect_paths(element, locals, into);
            }
        }
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    collect_paths(&entry.key, locals, into);
                    collect_paths(&entry.value, locals, into);
                }
            }
        }
        Expr::Comprehension(fold) => {
            collect_paths(&fold.iter_range, locals, into);
            locals.push(&fold.iter_var);
            collect_paths(&fold.loop_step, locals, into);
            locals.pop();
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => {}
    }
}

fn looked_up(path: &[String], bindings: &Bindings<'_>) -> Option<String> {
    let (variable, members) = path.split_first()?;
    let [member, inner @ ..] = members else {
        return bindings
            .whole(variable)
            .map(|text| compact(text).into_owned());
    };
    let text = bindings.member(variable, member)?;
    if inner.is_empty() {
        return Some(compact(text).into_owned());
    }
    let whole: serde_json::Value = serde_json::from_str(text).ok()?;
    inner
        .iter()
        .try_fold(&whole, |value, name| value.get(name))
        .map(ToString::to_string)
}

/// A path as it would be written in an expression.
pub(super) fn written(path: &[String]) -> String {
    let mut text = String::new();
    for name in path {
        let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain && !text.is_empty() {
            text.push('.');
        }
        if plain {
            text.push_str(name);
        } else {
            text.push('[');
            text.push_str(&serde_json::Value::from(name.as_str()).to_string());
            text.push(']');
        }
    }
    text
}
