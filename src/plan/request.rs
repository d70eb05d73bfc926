//! The request that carries out a resource order item, by TMF702.

use std::fmt::Write as _;

use serde_json::value::RawValue;

use super::flow::{Method, Request};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Kind, Node};
use crate::model::{Action, ResourceOrderItem, entity_id};

/// `POST resource` for add, `PATCH resource/<id>` for modify, `DELETE resource/<id>` for delete.
///
/// # Errors
/// A finding if an item changes a resource without naming it.
pub fn request(item: &ResourceOrderItem<'_>) -> Result<Request, Box<Diagnostic>> {
    match item.action {
        Some(Action::Modify) => {
            let path = existing(item)?;
            Ok(Request {
                method: Method::Patch,
                path,
                body: Some(body(item)),
            })
        }
        Some(Action::Delete) => Ok(Request {
            method: Method::Delete,
            path: existing(item)?,
            body: None,
        }),
        Some(Action::Add | Action::NoChange) | None => {
            let path = "resource".to_owned();
            Ok(Request {
                method: Method::Post,
                path,
                body: Some(body(item)),
            })
        }
    }
}

/// The request that removes what an item adds; none where the endpoint names it.
pub fn removal(item: &ResourceOrderItem<'_>) -> Option<Request> {
    let id = item.resource?.text("id").filter(|id| !id.is_empty())?;
    Some(Request {
        method: Method::Delete,
        path: format!("resource/{}", segment(&id)),
        body: None,
    })
}

/// The item's resource, with its specification.
fn body(item: &ResourceOrderItem<'_>) -> Box<RawValue> {
    let given = item
        .resource
        .filter(|resource| resource.kind() == Kind::Object);
    let resource = given.map_or_else(|| "{}".into(), Node::compact);
    // A null stands for "absent", but the member is there.
    let has = given.is_some_and(|resource| resource.member("resourceSpecification").is_some());
    let text = match &item.specification {
        Some(specification) if !has => {
            let nested = &resource[..resource.len() - 1];
            let comma = if nested == "{" { "" } else { "," };
            format!(
                "{nested}{comma}\"resourceSpecification\":{}}}",
                specification.node.compact()
            )
        }
        _ => resource.into_owned(),
    };
    RawValue::from_string(text).expect("an object with one more member is a JSON text")
}

fn existing(item: &ResourceOrderItem<'_>) -> Result<String, Box<Diagnostic>> {
    if let Some(id) = entity_id(item.resource) {
        return Ok(format!("resource/{}", segment(&id)));
    }
    let message = format!("item `{}` changes a resource, but names none", item.id);
    let (code, place) = (Code("plan/missing-resource"), item.node.location());
    Err(Box::new(
        Diagnostic::new(code, Severity::Error, place, message)
            .with_hint("give `resource.id` as it stands in the inventory"),
    ))
}

/// A text as one segment of a path (RFC 3986, unreserved characters stay).
pub fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}
