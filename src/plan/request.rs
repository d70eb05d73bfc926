//! The request that carries out a resource order item, by TMF702.

use std::fmt::Write as _;

use super::body::Body;
use super::flow::{Method, Request};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Composer, Kind, Node};
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
                body: Some(patch(item)),
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

/// The request that makes what an item changes or removes what it was before; none where the item
/// does not tell what that was.
pub fn restoration(item: &ResourceOrderItem<'_>) -> Option<Request> {
    let installed = item.installed()?;
    let (method, path) = match item.action? {
        Action::Modify => (Method::Patch, existing(item).ok()?),
        Action::Delete => (Method::Post, "resource".to_owned()),
        Action::Add | Action::NoChange => return None,
    };
    let body = Some(specified(Some(installed), item));
    Some(Request { method, path, body })
}

/// The item's resource, with its specification.
fn body(item: &ResourceOrderItem<'_>) -> Body {
    let given = item
        .resource
        .filter(|resource| resource.kind() == Kind::Object);
    specified(given, item)
}

/// What an item changes, as a merge patch (RFC 7396). That replaces lists whole, so characteristics
/// that stay as they are stand beside those that change, where the item tells of them.
fn patch(item: &ResourceOrderItem<'_>) -> Body {
    let given = item.resource.filter(|it| it.kind() == Kind::Object);
    let (Some(given), Some(installed)) = (given, item.installed()) else {
        return body(item);
    };
    let all = over(given.list(CHARACTERISTIC), installed.list(CHARACTERISTIC));
    let mut to = Composer::new(given.raw().len() + installed.raw().len());
    to.object(|to| {
        for (key, value) in given.members() {
            let key = key.as_str().unwrap_or_default();
            if key == CHARACTERISTIC {
                to.key(&key).array(all.iter().copied(), Composer::copy);
            } else {
                to.key(&key).copy(value);
            }
        }
    });
    let whole = to.finish("PATCH");
    specified(Some(whole.root()), item)
}

/// Characteristics that change in the place of those that they change; new ones behind.
fn over<'d>(
    changed: impl Iterator<Item = Node<'d>>,
    installed: impl Iterator<Item = Node<'d>>,
) -> Vec<Node<'d>> {
    let name = |node: Node<'d>| node.text("name").unwrap_or_default();
    let mut changed: Vec<Option<Node<'d>>> = changed.map(Some).collect();
    let names: Vec<_> = changed.iter().flatten().map(|it| name(*it)).collect();
    let mut all = Vec::new();
    for node in installed {
        match names.iter().position(|it| *it == name(node)) {
            // Several of one name were one list.
            Some(position) => all.extend(changed[position].take()),
            None => all.push(node),
        }
    }
    all.extend(changed.into_iter().flatten());
    all
}

/// A resource with the specification of its item.
fn specified(given: Option<Node<'_>>, item: &ResourceOrderItem<'_>) -> Body {
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
const CHARACTERISTIC: &str = "resourceCharacteristic";

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
