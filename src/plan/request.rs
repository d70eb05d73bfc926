//! The request that carries out a resource order item, by TMF702.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::body::Body;
use super::flow::{Method, Request};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Composer, Document, Kind, Node};
use crate::model::identifier::{EXTERNAL_IDENTIFIER, id_at};
use crate::model::{Action, ResourceOrderItem, entity_id};

/// `POST resource` for add, `PATCH resource/<id>` for modify, `DELETE resource/<id>` for delete, for this
/// endpoint.
///
/// # Errors
/// A finding if an item changes a resource without naming it.
pub fn request(item: &ResourceOrderItem<'_>, endpoint: &str) -> Result<Request, Box<Diagnostic>> {
    match item.action {
        Some(Action::Modify) => {
            let path = existing(item, endpoint)?;
            Ok(Request {
                method: Method::Patch,
                path,
                body: Some(patch(item, endpoint)),
            })
        }
        Some(Action::Delete) => Ok(Request {
            method: Method::Delete,
            path: existing(item, endpoint)?,
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

/// The request that makes what an item changes or removes what it was before, at this endpoint; none
/// where the item does not tell what that was.
pub fn restoration(item: &ResourceOrderItem<'_>, endpoint: &str) -> Option<Request> {
    let installed = item.installed()?;
    let (method, path) = match item.action? {
        Action::Modify => (Method::Patch, existing(item, endpoint).ok()?),
        Action::Delete => (Method::Post, "resource".to_owned()),
        Action::Add | Action::NoChange => return None,
    };
    let known = id_at(installed, endpoint);
    let known = renamed(installed, known.as_deref());
    let installed = known.as_ref().map_or(installed, Document::root);
    let body = Some(specified(Some(installed), item));
    Some(Request { method, path, body })
}

/// Id by which the endpoint that carries an item out knows its resource: that which it has given it
/// itself, else that of the resource.
pub fn id<'d>(item: &ResourceOrderItem<'d>, endpoint: Option<&str>) -> Option<Cow<'d, str>> {
    let installed = item.installed();
    let given = installed.zip(endpoint);
    let given = given.and_then(|(installed, endpoint)| id_at(installed, endpoint));
    given.or_else(|| entity_id(item.resource))
}

/// An installed resource as an endpoint is told of it: under the id by which it knows it, where that is
/// another one, and without those by which others do; none where it can be told as it stands.
fn renamed(installed: Node<'_>, known: Option<&str>) -> Option<Document> {
    installed.member(EXTERNAL_IDENTIFIER)?;
    let mut to = Composer::new(installed.raw().len());
    to.object(|to| {
        for (key, value) in installed.members() {
            match (&*key.as_str().unwrap_or_default(), known) {
                (EXTERNAL_IDENTIFIER, _) => {}
                ("id", Some(known)) => to.key("id").string(known),
                (key, _) => to.key(key).copy(value),
            }
        }
    });
    Some(to.finish("POST"))
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
fn patch(item: &ResourceOrderItem<'_>, endpoint: &str) -> Body {
    let given = item.resource.filter(|it| it.kind() == Kind::Object);
    let (Some(given), Some(installed)) = (given, item.installed()) else {
        return body(item);
    };
    let all = over(given.list(CHARACTERISTIC), installed.list(CHARACTERISTIC));
    let known = id_at(installed, endpoint);
    let mut to = Composer::new(given.raw().len() + installed.raw().len());
    to.object(|to| {
        for (key, value) in given.members() {
            match (&*key.as_str().unwrap_or_default(), &known) {
                (CHARACTERISTIC, _) => {
                    let all = all.iter().copied();
                    to.key(CHARACTERISTIC).array(all, Composer::copy);
                }
                // It keeps that name.
                ("id", Some(known)) => to.key("id").string(known),
                (key, _) => to.key(key).copy(value),
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

fn existing(item: &ResourceOrderItem<'_>, endpoint: &str) -> Result<String, Box<Diagnostic>> {
    if let Some(id) = id(item, Some(endpoint)) {
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

/// The text that stands as one segment of a path; none where that is malformed or not UTF-8.
pub fn unsegment(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('%') {
        return Some(segment.into());
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::document::Document;
    use crate::model::ResourceOrder;

    /// What an item of this action sends to an endpoint, and what undoes it.
    fn sent(action: &str, endpoint: &str) -> [String; 2] {
        let resource =
            json!({"id": "R 1", "resourceCharacteristic": [{"name": "rate", "value": 5}]});
        let before =
            [("rate", 1), ("vlan", 2)].map(|(name, value)| json!({"name": name, "value": value}));
        let installed = json!({
            "id": "R 1", "resourceCharacteristic": before,
            "externalIdentifier": [{"owner": "olt", "externalIdentifierType": "Resource", "id": "olt/7"}]
        });
        let order = json!({"orderItem": [{
            "id": "1", "action": action, "resource": resource, "installedResource": installed
        }]});
        let document = Document::parse(order.to_string(), "").expect("JSON");
        let order = ResourceOrder::read(document.root());
        let item = &order.items[0];
        let text = |request: Request| {
            let body = request.body.map_or(Value::Null, |body| {
                serde_json::from_str(&body.get()).expect("JSON")
            });
            let values = body["resourceCharacteristic"]
                .as_array()
                .into_iter()
                .flatten();
            let values: Vec<String> = values.map(|it| it["value"].to_string()).collect();
            assert_eq!(body.get("externalIdentifier"), None);
            let (method, id) = (request.method.name(), &body["id"]);
            format!("{method} {} {id} {}", request.path, values.join(" "))
        };
        let undoing = restoration(item, endpoint).expect("it is told what was there");
        [
            text(request(item, endpoint).expect("it names one")),
            text(undoing),
        ]
    }

    #[test]
    fn a_resource_has_the_name_that_its_endpoint_has_given_it_there_and_nowhere_else() {
        assert_eq!(
            sent("modify", "olt"),
            [
                "PATCH resource/olt%2F7 \"olt/7\" 5 2",
                "PATCH resource/olt%2F7 \"olt/7\" 1 2"
            ]
        );
        assert_eq!(
            sent("delete", "olt"),
            [
                "DELETE resource/olt%2F7 null ",
                "POST resource \"olt/7\" 1 2"
            ]
        );
        assert_eq!(
            sent("modify", "bng"),
            [
                "PATCH resource/R%201 \"R 1\" 5 2",
                "PATCH resource/R%201 \"R 1\" 1 2"
            ]
        );
        assert_eq!(
            sent("delete", "bng"),
            ["DELETE resource/R%201 null ", "POST resource \"R 1\" 1 2"]
        );
    }

    #[test]
    fn percent_encoding_is_undone() {
        assert_eq!(unsegment("a%2Fb%c3%bc").as_deref(), Some("a/bü"));
        assert_eq!(unsegment(&segment("ä b/")).as_deref(), Some("ä b/"));
        for text in ["%", "%2", "%zz", "%ff", "a%é"] {
            assert_eq!(unsegment(text), None, "{text}");
        }
    }
}
