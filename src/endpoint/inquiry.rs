//! What came of a request whose answer never came: how to ask, and what the
//! answer means. Pure.

use serde_json::Value;
use serde_json::value::RawValue;

use super::monitor::read_object;
use super::verdict::is_question;
use super::{Call, Outcome, ReadBack};
use crate::plan::flow::{Body, Method};
use crate::plan::{segment, unsegment};
use crate::retry::FailureClass;

/// How to ask what came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry<'a> {
    /// The monitor that the endpoint named when it accepted it.
    pub monitor: Option<&'a str>,
    /// Path below the endpoint's address, maybe with a query, where what it should have made can
    /// be read.
    pub path: Option<String>,
}

/// What is found when it is asked.
#[derive(Debug, Clone)]
pub enum Finding {
    /// The request had its effect.
    Done {
        /// HTTP status of the answer.
        status: u16,
        /// The resource as answered.
        resource: Option<Box<RawValue>>,
    },
    /// It had none.
    NotDone {
        /// HTTP status of the answer.
        status: u16,
        /// What shows that.
        reason: String,
    },
    /// Something is there that it does not seem to have made.
    Differs {
        /// In what.
        reason: String,
    },
    /// The monitor says that it ended without effect.
    Ended(Outcome),
    /// The endpoint is at work on it still, its monitor says.
    AtWork {
        /// What the monitor says.
        reason: String,
    },
    /// No answer, or none that says anything: it may be asked again.
    Unanswered {
        /// What kept it away.
        class: FailureClass,
        /// In words.
        reason: String,
    },
    /// The endpoint does not answer such questions.
    Impossible {
        /// In words.
        reason: String,
    },
}

impl<'a> Inquiry<'a> {
    /// How to ask what came of `call`; none where there is no way.
    #[must_use]
    pub fn of(call: &Call<'_>, monitor: Option<&'a str>, read_back: &ReadBack) -> Option<Self> {
        let path = match read_back {
            ReadBack::None => None,
            ReadBack::Resource => resource_path(call),
            ReadBack::Path(template) => filled(template, call),
        };
        (monitor.is_some() || path.is_some()).then_some(Self { monitor, path })
    }
}

impl Call<'_> {
    /// Whether it only asks something: a repetition is answered once more, and does no harm.
    #[must_use]
    pub fn is_question(&self) -> bool {
        is_question(&self.request.path)
    }

    /// Whether a repetition of it changes nothing, whoever answers it: a removal (RFC 9110 §9.2.2).
    #[must_use]
    pub fn is_removal(&self) -> bool {
        self.request.method == Method::Delete
    }
}

/// Where the resource is that the request makes, changes or removes.
fn resource_path(call: &Call<'_>) -> Option<String> {
    if call.is_question() {
        return None;
    }
    match call.request.method {
        Method::Patch | Method::Delete => Some(call.request.path.clone()),
        Method::Post => {
            let id = id(call)?;
            Some(format!("{}/{}", call.request.path, segment(&id)))
        }
    }
}

/// The id that the request gives its resource, or finds it by.
fn id(call: &Call<'_>) -> Option<String> {
    match call.request.method {
        Method::Patch | Method::Delete => {
            let last = call.request.path.rsplit('/').next()?;
            Some(unsegment(last)?.into_owned()).filter(|it| !it.is_empty())
        }
        Method::Post => {
            let body: Value = serde_json::from_str(&call.request.body.as_ref()?.get()).ok()?;
            let id = body.get("id")?.as_str()?;
            Some(id.to_owned()).filter(|it| !it.is_empty())
        }
    }
}

/// A path with its places filled in; none where there is nothing to fill one with.
fn filled(template: &str, call: &Call<'_>) -> Option<String> {
    let mut path = template
        .replace("{key}", &segment(call.idempotency_key))
        .replace("{task}", &segment(call.task));
    if path.contains("{id}") {
        path = path.replace("{id}", &segment(&id(call)?));
    }
    Some(path)
}

/// What the answer to an inquiry at a path says about `call`; `words` are those of an answer that is no
/// success.
pub(super) fn judge(
    (call, path): (&Call<'_>, &str),
    status: u16,
    body: &[u8],
    words: &str,
) -> Finding {
    let removal = call.is_removal();
    match status {
        404 | 410 if removal => Finding::Done {
            status,
            resource: None,
        },
        404 | 410 => Finding::NotDone {
            status,
            reason: "it was not there when it was asked for".to_owned(),
        },
        200 => match serde_json::from_slice(body) {
            Ok(Value::Array(found)) => among((call, path), &found, body),
            Ok(found @ Value::Object(_)) => {
                one((call, names(call, path)), &found, read_object(body))
            }
            _ => Finding::Unanswered {
                class: FailureClass::Malformed,
                reason: "asked for it, the answer was no JSON object".to_owned(),
            },
        },
        408 | 425 | 429 | 500.. => Finding::Unanswered {
            class: FailureClass::of_status(status),
            reason: format!("asked for it, the answer was {words}"),
        },
        _ => Finding::Impossible {
            reason: format!("asked for it, the answer was {words}"),
        },
    }
}

/// What a list of resources says.
fn among((call, path): (&Call<'_>, &str), found: &[Value], body: &[u8]) -> Finding {
    let by_id = names(call, path) || found.len() > 1;
    let texts: Vec<Box<RawValue>> = serde_json::from_slice(body).unwrap_or_default();
    let mut last = None;
    for (resource, text) in found.iter().zip(texts) {
        match one((call, by_id), resource, Some(text)) {
            done @ Finding::Done { .. } => return done,
            other => last = Some(other),
        }
    }
    match last {
        Some(finding) => finding,
        None if call.is_removal() => Finding::Done {
            status: 200,
            resource: None,
        },
        None => Finding::NotDone {
            status: 200,
            reason: "it was not there when it was asked for".to_owned(),
        },
    }
}

/// Whether a path names the resource of a request. What else it is asked for by, such as the idempotency key,
/// finds it under whatever id its endpoint has given it.
fn names(call: &Call<'_>, path: &str) -> bool {
    id(call).is_some_and(|id| path.contains(&segment(&id)))
}

/// What a resource that is there says; `by_id`: the one that was asked for has the id that was sent.
fn one((call, by_id): (&Call<'_>, bool), found: &Value, text: Option<Box<RawValue>>) -> Finding {
    let not_done = |reason: String| Finding::NotDone {
        status: 200,
        reason,
    };
    if call.is_removal() {
        return not_done("it was still there when it was asked for".to_owned());
    }
    let sent = call.request.body.as_ref().map_or("{}".into(), Body::get);
    let mut sent: Value = serde_json::from_str(&sent).unwrap_or_default();
    if let (Method::Post, false, Some(members)) = (call.request.method, by_id, sent.as_object_mut())
    {
        members.remove("id");
    }
    let demand = match call.request.method {
        Method::Patch => Demand::Everything,
        Method::Post | Method::Delete => Demand::NoContradiction,
    };
    match (difference(&sent, found, demand, "it"), demand) {
        (None, Demand::NoContradiction) if !resembles(&sent, found) => Finding::Unanswered {
            class: FailureClass::Malformed,
            reason: "asked for it, the answer held nothing of what was sent".to_owned(),
        },
        (None, _) => Finding::Done {
            status: 200,
            resource: text,
        },
        (Some(reason), Demand::Everything) => not_done(format!("when it was asked for, {reason}")),
        (Some(reason), Demand::NoContradiction) => Finding::Differs {
            reason: format!("it is there, but {reason}"),
        },
    }
}

/// Whether anything of what was sent is found again that tells one thing from another: an answer
/// without that contradicts nothing, and proves nothing.
fn resembles(sent: &Value, found: &Value) -> bool {
    match (sent, found) {
        (Value::Object(sent), Value::Object(found)) => {
            // What is sent without content cannot be recognised at all.
            sent.keys().all(|name| name.starts_with('@'))
                || sent.iter().any(|(name, value)| {
                    let found = found.get(name).filter(|_| !name.starts_with('@'));
                    found.is_some_and(|found| resembles(value, found))
                })
        }
        (Value::Array(sent), Value::Array(found)) => sent
            .iter()
            .any(|sent| found.iter().any(|found| resembles(sent, found))),
        _ => is_same(sent, found),
    }
}

/// What has to be found again of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// All of it.
    Everything,
    /// What is there: an endpoint need not show everything.
    NoContradiction,
}

/// The first thing in which `found` is not as it was sent, in words.
fn difference(sent: &Value, found: &Value, demand: Demand, what: &str) -> Option<String> {
    match (sent, found) {
        (Value::Object(sent), Value::Object(found)) => sent.iter().find_map(|(name, value)| {
            let named = match what {
                "it" => format!("its {name}"),
                outer => format!("{outer}.{name}"),
            };
            match found.get(name) {
                // Null removes a member.
                None if value.is_null() || demand == Demand::NoContradiction => None,
                None => Some(format!("{named} is missing")),
                Some(found) => difference(value, found, demand, &named),
            }
        }),
        (Value::Array(sent), Value::Array(found)) if sent.iter().all(Value::is_object) => {
            sent.iter().find_map(|element| {
                let same = |other: &&Value| {
                    ["name", "id"]
                        .iter()
                        .any(|key| element.get(key).is_some() && element.get(key) == other.get(key))
                };
                let label = element.get("name").or(element.get("id"));
                let named = match label.and_then(Value::as_str) {
                    Some(label) => format!("its {label}"),
                    None => format!("an element of {what}"),
                };
                match found.iter().find(same) {
                    Some(found) => difference(element, found, demand, &named),
                    None if found.contains(element) || demand == Demand::NoContradiction => None,
                    None => Some(format!("{named} is missing")),
                }
            })
        }
        _ if is_same(sent, found) => None,
        _ => Some(format!(
            "{what} is {} and not {}",
            short(found),
            short(sent)
        )),
    }
}

/// Whether two values are the same, however they are written: 5, 5.0 and "5".
fn is_same(sent: &Value, found: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.as_f64().unwrap_or_default().to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    };
    sent == found || text(sent).is_some_and(|sent| text(found) == Some(sent))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::flow::Request;

    fn request(method: Method, path: &str, body: &str) -> Request {
        let body = (!body.is_empty()).then(|| Body::new(body.to_owned()).unwrap());
        Request {
            method,
            path: path.to_owned(),
            body,
        }
    }

    fn call(request: &Request) -> Call<'_> {
        Call {
            task: "1.A",
            request,
            idempotency_key: "k 1",
        }
    }

    #[test]
    fn a_request_is_asked_after_by_its_resource_or_where_the_endpoint_says() {
        let template = ReadBack::Path("resource?key={key}&task={task}".to_owned());
        let by_id = ReadBack::Path("resource/{id}".to_owned());
        for (method, path, body, expected) in [
            (
                Method::Post,
                "resource",
                r#"{"id":"a/b"}"#,
                Some("resource/a%2Fb"),
            ),
            (Method::Post, "resource", r#"{"name":"a"}"#, None),
            (Method::Post, "resource", "", None),
            (Method::Patch, "resource/7", "{}", Some("resource/7")),
            (Method::Delete, "resource/7", "", Some("resource/7")),
            (Method::Delete, "resource/a%2Fb", "", Some("resource/a%2Fb")),
            (
                Method::Post,
                "q/v4/checkServiceQualification",
                r#"{"id":"7"}"#,
                None,
            ),
        ] {
            let request = request(method, path, body);
            let path =
                |read_back| Inquiry::of(&call(&request), None, read_back).and_then(|it| it.path);
            assert_eq!(path(&ReadBack::Resource).as_deref(), expected);
            assert_eq!(path(&ReadBack::None), None);
            assert_eq!(
                path(&template).as_deref(),
                Some("resource?key=k%201&task=1.A")
            );
            if is_question(&request.path) {
                assert_eq!(path(&by_id).as_deref(), Some("resource/7"));
            } else {
                assert_eq!(path(&by_id).as_deref(), expected);
            }
            let monitor = Inquiry::of(&call(&request), Some("http://m"), &ReadBack::None);
            assert_eq!(monitor.unwrap().monitor, Some("http://m"));
        }
    }

    fn found(method: Method, sent: &str, status: u16, answer: &str) -> String {
        let path = if method == Method::Post {
            "resource"
        } else {
            "resource/7"
        };
        let request = request(method, path, sent);
        let call = call(&request);
        let path = resource_path(&call).unwrap_or_default();
        match judge(
            (&call, &path),
            status,
            answer.as_bytes(),
            &status.to_string(),
        ) {
            Finding::Done { resource, .. } => {
                format!("done {}", resource.as_deref().map_or("", RawValue::get))
            }
            Finding::NotDone { reason, .. } => format!("not done: {reason}"),
            Finding::Differs { reason } => format!("differs: {reason}"),
            Finding::Unanswered { reason, .. } | Finding::AtWork { reason } => {
                format!("unanswered: {reason}")
            }
            Finding::Impossible { reason } => format!("impossible: {reason}"),
            Finding::Ended(outcome) => panic!("{outcome:?}"),
        }
    }

    #[test]
    fn what_was_to_be_made_is_there_or_not() {
        let sent = r#"{"id":"7","resourceCharacteristic":[{"name":"vlan","value":100},{"name":"mtu","value":1500}]}"#;
        let post = |status, answer: &str| found(Method::Post, sent, status, answer);
        let there = r#"{"id":"7","href":"/7","resourceCharacteristic":[{"name":"vlan","value":"100","valueType":"integer"}]}"#;
        assert_eq!(post(200, there), format!("done {there}"));
        assert_eq!(post(200, &format!("[{there}]")), format!("done {there}"));
        let not_there = "not done: it was not there when it was asked for";
        for (status, answer) in [(404, ""), (410, ""), (200, "[]")] {
            assert_eq!(post(status, answer), not_there);
        }
        assert_eq!(
            post(
                200,
                r#"{"id":"7","resourceCharacteristic":[{"name":"vlan","value":200}]}"#
            ),
            "differs: it is there, but its vlan.value is 200 and not 100"
        );
        assert_eq!(
            post(503, ""),
            "unanswered: asked for it, the answer was 503"
        );
        assert_eq!(
            post(405, ""),
            "impossible: asked for it, the answer was 405"
        );
        for answer in ["", "<html>", "7"] {
            assert_eq!(
                post(200, answer),
                "unanswered: asked for it, the answer was no JSON object"
            );
        }
        for answer in [
            "{}",
            "[{}]",
            r#"{"href":"/7"}"#,
            r#"{"resourceCharacteristic":[]}"#,
            r#"{"resourceCharacteristic":[{"name":"other","value":1}]}"#,
        ] {
            assert_eq!(
                post(200, answer),
                "unanswered: asked for it, the answer held nothing of what was sent"
            );
        }
        // An endpoint need not show everything, nor the id.
        for answer in [
            r#"{"id":"7"}"#,
            r#"{"resourceCharacteristic":[{"name":"mtu","value":"1500"}]}"#,
        ] {
            assert_eq!(post(200, answer), format!("done {answer}"));
        }
        assert_eq!(found(Method::Post, "{}", 200, "{}"), "done {}");
    }

    #[test]
    fn what_is_asked_for_by_its_key_may_have_another_id() {
        let sent = r#"{"id":"7","name":"port","vlan":100}"#;
        let request = request(Method::Post, "resource", sent);
        let call = call(&request);
        let is_done = |path: &str, answer: &str| {
            let finding = judge((&call, path), 200, answer.as_bytes(), "");
            matches!(finding, Finding::Done { .. })
        };
        let by_key = "resource?idempotencyKey=k%201";
        let named = r#"{"id":"olt-1","name":"port","vlan":100}"#;
        let other = r#"{"id":"olt-1","name":"port","vlan":200}"#;
        assert!(is_done(by_key, named));
        assert!(is_done(by_key, &format!("[{named}]")));
        assert!(!is_done(by_key, other));
        // Of several, which one it is cannot be told without the id.
        assert!(!is_done(by_key, &format!("[{named},{other}]")));
        for by_id in ["resource/7", "resource?id=7&key=k"] {
            assert!(!is_done(by_id, named));
            assert!(!is_done(by_id, &format!("[{named}]")));
        }
    }

    #[test]
    fn a_change_is_done_when_all_of_it_is_there() {
        let sent = r#"{"resourceCharacteristic":[{"name":"speed","value":500}],"note":null}"#;
        let patch = |answer: &str| found(Method::Patch, sent, 200, answer);
        assert!(
            patch(r#"{"resourceCharacteristic":[{"name":"speed","value":500.0}]}"#)
                .starts_with("done")
        );
        assert_eq!(
            patch(r#"{"resourceCharacteristic":[{"name":"speed","value":100}]}"#),
            "not done: when it was asked for, its speed.value is 100 and not 500"
        );
        assert_eq!(
            patch("{}"),
            "not done: when it was asked for, its resourceCharacteristic is missing"
        );
    }

    #[test]
    fn what_was_to_be_removed_is_gone_or_not() {
        let delete = |status, answer| found(Method::Delete, "", status, answer);
        assert_eq!(delete(404, ""), "done ");
        assert_eq!(delete(410, ""), "done ");
        assert_eq!(
            delete(200, "{}"),
            "not done: it was still there when it was asked for"
        );
    }
}
