//! Values that the expressions of rules see while an order is planned.

use std::borrow::Cow;

use crate::catalog::expression::{Bindings, EvaluationFault, Expression};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Node, quote};
use crate::model::{Characteristics, OrderItem};

/// Members of an object: names and JSON texts.
pub type Members<'v> = Vec<(Cow<'v, str>, Cow<'v, str>)>;

/// The variables of an expression.
#[derive(Debug, Clone, Default)]
pub struct Variables<'v>(Vec<(&'static str, Members<'v>)>);

impl<'v> Variables<'v> {
    /// With one more variable.
    #[must_use]
    pub fn with(mut self, name: &'static str, members: Members<'v>) -> Self {
        self.0.push((name, members));
        self
    }

    /// As expressions take them.
    pub fn bindings(&self) -> Bindings<'_> {
        let mut bindings = Bindings::new();
        for (name, members) in &self.0 {
            bindings.bind_object(name, members.iter().map(|(key, text)| (&**key, &**text)));
        }
        bindings
    }
}

/// `item`: id, action and quantity of an order item.
pub fn item<'v>(item: &OrderItem<'_, 'v>) -> Members<'v> {
    let quantity = item.node.get("quantity").and_then(Node::as_i64);
    let action = item.action.map_or("add", crate::model::Action::name);
    vec![
        (Cow::Borrowed("id"), Cow::Owned(quote(item.id))),
        (Cow::Borrowed("action"), Cow::Owned(quote(action))),
        (
            Cow::Borrowed("quantity"),
            Cow::Owned(quantity.filter(|it| *it > 0).unwrap_or(1).to_string()),
        ),
    ]
}

/// `place`: the members of a place. Version 5 wraps it, with its role beside it.
pub fn place(place: Option<Node<'_>>) -> Members<'_> {
    let Some(outer) = place else {
        return Vec::new();
    };
    let inner = outer.get("place").unwrap_or(outer);
    let role = outer.members().filter(|_| inner.range() != outer.range());
    let role = role.filter(|(key, _)| key.as_str().as_deref() == Some("role"));
    let members = inner.members().chain(role);
    members
        .filter(|(_, value)| !value.is_null())
        .filter_map(|(key, value)| Some((key.as_str()?, Cow::Borrowed(value.raw()))))
        .collect()
}

/// Characteristics, by name.
pub fn characteristics(given: Characteristics<'_>) -> Members<'_> {
    given
        .iter()
        .filter_map(|it| Some((it.name, it.value?.compact())))
        .collect()
}

/// A fault of an expression while an order is planned.
pub fn fault(item: Node<'_>, rule: &str, what: &str, fault: &EvaluationFault) -> Diagnostic {
    let seen = fault.seen.iter().map(|seen| {
        let value = seen.value.as_deref().unwrap_or("absent");
        format!("{} is {value}", seen.path)
    });
    let seen: Vec<String> = seen.collect();
    let seen = if seen.is_empty() {
        String::new()
    } else {
        format!(" ({})", seen.join(", "))
    };
    let message = format!("rule `{rule}`: {what}: {}{seen}", fault.message);
    let code = Code("plan/expression");
    Diagnostic::new(code, Severity::Error, item.location(), message)
}

/// What an expression for a text gives; `None` for `null`.
///
/// # Errors
/// A value that is no text, as JSON.
pub fn text(
    expression: &Expression,
    bindings: &Bindings<'_>,
) -> Result<Result<Option<String>, String>, EvaluationFault> {
    let value = expression.evaluate(bindings)?;
    if value == "null" {
        return Ok(Ok(None));
    }
    Ok(serde_json::from_str(&value).map_err(|_| value))
}
