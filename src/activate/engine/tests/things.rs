//! What systems in memory do with requests, and say when they are asked.

use serde_json::Value;

use super::*;
use crate::plan::flow::{Method, Request};

/// What a request says.
pub(super) fn body(request: &Request) -> Value {
    let body = request.body.as_ref().map_or("{}".into(), |it| it.get());
    serde_json::from_str(&body).unwrap()
}

/// A JSON merge patch (RFC 7386).
pub(super) fn merge(known: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *known = patch.clone();
        return;
    };
    if !known.is_object() {
        *known = json!({});
    }
    let known = known.as_object_mut().unwrap();
    for (name, value) in patch {
        if value.is_null() {
            known.remove(name);
        } else {
            merge(known.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// What a system says of a call, by the thing that the call is about, if that is there.
pub(super) fn judged(call: &Call<'_>, found: Option<&Value>) -> Finding {
    finding(match call.request.method {
        Method::Delete => found.is_none(),
        Method::Post => found.is_some(),
        Method::Patch => found.is_some_and(|found| {
            let mut changed = found.clone();
            merge(&mut changed, &body(call.request));
            changed == *found
        }),
    })
}

/// What a system says of a call that was carried out, or was not.
pub(super) fn finding(is_done: bool) -> Finding {
    if is_done {
        return Finding::Done {
            status: 200,
            resource: None,
        };
    }
    Finding::NotDone {
        status: 404,
        reason: "not there".into(),
    }
}
