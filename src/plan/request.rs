//! The request that carries out a resource order item, by TMF702.

use std::fmt::Write as _;

use super::body::Body;
use super::flow::{Method, Request};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::Kind;
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
fn body(item: &ResourceOrderItem<'_>) -> Body {
    let given = item
        .resource
        .filter(|resource| resource.kind() == Kind::Object);
    // A null stands for "absent", but the member is there.
    let complete = given.filter(|it| it.member(SPECIFICATION).is_some());
    match (complete, &item.specification) {
        (None, Some(specification)) => {
            Body::with_member(given, (SPECIFICATION, specification.node))
        }
        _ => given.map_or_else(Body::empty, Body::of),
    }
}

const SPECIFICATION: &str = "resourceSpecification";

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
