//! Near misses: values that an expression would have taken, had they been
//! written a little otherwise.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use super::check::path_of;
use super::seen::written;
use super::value::{Bindings, Found};
use crate::diagnostic::suggestion::is_slip;

/// A value that is nearly one that would have been taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// Path of the value, such as `source.accessTechnology`.
    pub path: String,
    /// What it is, as JSON text; of a missing member the name that is there.
    pub value: String,
    /// What would have been taken, as JSON text; of a missing member its name.
    pub wanted: String,
    /// What is in between.
    pub kind: NearKind,
}

/// What lies between a value and one that would have been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NearKind {
    /// Letters in another case.
    Case,
    /// Blanks around it.
    Blanks,
    /// A text instead of a number or of true and false, or the other way round.
    Type,
    /// A slip in its spelling.
    Spelling,
    /// The member has nearly that name.
    Name,
}

/// The near misses of a part of a condition that is false.
pub(super) fn near(node: &IdedExpr, bindings: &Bindings<'_>) -> Vec<Near> {
    let mut found = Vec::new();
    collect(node, bindings, &mut found);
    found
}

fn collect(node: &IdedExpr, bindings: &Bindings<'_>, into: &mut Vec<Near>) {
    match &node.expr {
        Expr::Call(call) => collect_call(call, bindings, into),
        Expr::Select(select) if select.test => {
            if let Some(path) = path_of(&select.operand) {
                into.extend(misnamed(&path, &select.field, bindings));
            }
        }
        _ => {}
    }
}

fn collect_call(call: &CallExpr, bindings: &Bindings<'_>, into: &mut Vec<Near>) {
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR, parts) => {
            for part in parts {
                collect(part, bindings, into);
            }
        }
        (operators::EQUALS, [left, right]) => {
            let pair = pair(left, right).or_else(|| pair(right, left));
            into.extend(pair.and_then(|(path, wanted)| missed(&path, wanted, bindings)));
        }
        (operators::IN, [value, list]) => {
            let (Some(path), Expr::List(list)) = (path_of(value), &list.expr) else {
                return;
            };
            let literals = list.elements.iter().filter_map(literal);
            let mut found: Vec<Near> = literals
                .filter_map(|wanted| missed(&path, wanted, bindings))
                .collect();
            // One that is the same but for case says more than one that is spelled alike.
            found.sort_by_key(|near| near.kind == NearKind::Spelling);
            into.extend(found.into_iter().next());
        }
        _ => {}
    }
}

fn pair<'e>(path: &IdedExpr, wanted: &'e IdedExpr) -> Option<(Vec<String>, &'e LiteralValue)> {
    Some((path_of(path)?, literal(wanted)?))
}

fn literal(node: &IdedExpr) -> Option<&LiteralValue> {
    match &node.expr {
        Expr::Literal(literal) => Some(literal),
        _ => None,
    }
}

fn missed(path: &[String], wanted: &LiteralValue, bindings: &Bindings<'_>) -> Option<Near> {
    use serde_json::Value;
    let value = match bindings.find(path)? {
        (Found::Node(node), _) => node.raw().to_owned(),
        (Found::Text(text), []) => text.to_owned(),
        (Found::Text(text), members) => {
            let whole: Value = serde_json::from_str(text).ok()?;
            let mut names = members.iter();
            names
                .try_fold(&whole, |value, name| value.get(name))?
                .to_string()
        }
    };
    let have: Value = serde_json::from_str(&value).ok()?;
    let want: Value = match wanted {
        LiteralValue::String(text) => text.inner().into(),
        LiteralValue::Int(number) => (*number.inner()).into(),
        LiteralValue::Double(number) => (*number.inner()).into(),
        LiteralValue::Boolean(truth) => (*truth.inner()).into(),
        _ => return None,
    };
    let kind = match (&have, &want) {
        (Value::String(have), Value::String(want)) => kind(have, want)?,
        (Value::String(text), other) | (other, Value::String(text)) => {
            let read: Value = serde_json::from_str(text.trim()).ok()?;
            (read == *other).then_some(NearKind::Type)?
        }
        _ => return None,
    };
    Some(Near {
        path: written(path),
        value,
        wanted: want.to_string(),
        kind,
    })
}

fn kind(have: &str, want: &str) -> Option<NearKind> {
    if have == want {
        None
    } else if have.trim() == want.trim() {
        Some(NearKind::Blanks)
    } else if have.trim().to_lowercase() == want.trim().to_lowercase() {
        Some(NearKind::Case)
    } else if is_slip(have, want) {
        Some(NearKind::Spelling)
    } else {
        None
    }
}

/// A member that is there under nearly the name that is asked for.
fn misnamed(path: &[String], wanted: &str, bindings: &Bindings<'_>) -> Option<Near> {
    let Some((Found::Node(node), [])) = bindings.find(path) else {
        return None;
    };
    if node.get(wanted).is_some() {
        return None;
    }
    let names = node.members().filter_map(|(key, _)| key.as_str());
    let near = |name: &str| kind(name, wanted).is_some();
    let name = names.into_iter().find(|name| near(name))?;
    let mut path = path.to_vec();
    path.push(wanted.to_owned());
    Some(Near {
        path: written(&path),
        value: name.into_owned(),
        wanted: wanted.to_owned(),
        kind: NearKind::Name,
    })
}
