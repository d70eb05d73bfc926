//! One endpoint as the mock plays it: its resources, monitors and the answers
//! it has given. Decides only; time is an argument, and nothing is sent here.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use bytes::Bytes;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::check::Check;
use super::fault::{Fault, FaultKind};
use super::record::Effect;

/// Path of the API below the endpoint's name.
pub(super) const API: &str = "tmf-api/ResourceActivationAndConfiguration/v4";

/// What a call asks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action<'a> {
    Create,
    Change(&'a str),
    Remove(&'a str),
    /// A question, to be answered by yes or no.
    Ask(Check),
    /// Something that the API does not have.
    Nothing(u16, &'static str),
}

/// A call that may change something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub action: Action<'a>,
    pub method: &'a str,
    pub path: &'a str,
    pub key: Option<&'a str>,
    pub body: &'a [u8],
}

impl Call<'_> {
    /// Id of the resource that it is about, where it says so.
    fn resource(&self) -> Option<Cow<'_, str>> {
        match self.action {
            Action::Change(id) | Action::Remove(id) => Some(id.into()),
            Action::Create => {
                let members = Members::read(self.body).ok()?;
                let id = members.get("id")?.get();
                serde_json::from_str::<String>(id).ok().map(Cow::Owned)
            }
            Action::Ask(_) | Action::Nothing(..) => None,
        }
    }
}

/// An answer to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub status: u16,
    pub location: Option<String>,
    pub body: Bytes,
}

/// Whether an answer reaches the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Delivery {
    Answer(Reply),
    Never,
    Cut,
}

/// An answer that was given, kept for repetitions.
struct Given {
    /// Of method, path and body.
    fingerprint: u64,
    reply: Reply,
}

struct Watched {
    due: Instant,
    method: String,
    path: String,
    source: String,
    reply: Reply,
}

/// A fault, and how many calls it has seen that it may concern.
struct Armed {
    fault: Fault,
    seen: u64,
}

/// The state of one endpoint.
pub(super) struct System {
    name: String,
    asynchronous: Option<Duration>,
    faults: Vec<Armed>,
    calls: u64,
    named: u64,
    resources: BTreeMap<String, Bytes>,
    monitors: HashMap<String, Watched>,
    /// Answers to questions, by their hrefs.
    answers: BTreeMap<String, Bytes>,
    given: HashMap<String, Given>,
}

impl System {
    /// `asynchronous` is how long a request is in progress, where requests are
    /// answered by 202 and a monitor.
    pub fn new(name: &str, asynchronous: Option<Duration>, faults: Vec<Fault>) -> Self {
        Self {
            name: name.to_owned(),
            asynchronous,
            faults: faults
                .into_iter()
                .map(|fault| Armed { fault, seen: 0 })
                .collect(),
            calls: 0,
            named: 0,
            resources: BTreeMap::new(),
            monitors: HashMap::new(),
            answers: BTreeMap::new(),
            given: HashMap::new(),
        }
    }

    /// Counts the call, lets it take effect or not, and says what becomes of
    /// its answer.
    pub fn call(&mut self, call: &Call<'_>, now: Instant) -> (Effect, Delivery) {
        self.calls += 1;
        let number = self.calls;
        match self.fault(call) {
            Some((FaultKind::Hang, _)) => (Effect::Failed, Delivery::Never),
            Some((FaultKind::Status(status), message)) => {
                let message = message.unwrap_or_else(|| {
                    format!("call {number} of endpoint {} was told to fail", self.name)
                });
                (
                    Effect::Failed,
                    Delivery::Answer(error(status, "fault", &message)),
                )
            }
            Some((FaultKind::Lost, _)) => (self.settle(call, now).0, Delivery::Cut),
            Some((FaultKind::Unqualified, reason)) => {
                let reason =
                    reason.unwrap_or_else(|| format!("endpoint {} was told so", self.name));
                let reply = match call.action {
                    // Not kept, so that the question may be asked again.
                    Action::Ask(check) => self.answer(check, call, Some(&reason)).map(|(_, it)| it),
                    _ => Err(error(422, "unqualified", &reason)),
                };
                let reply = reply.unwrap_or_else(|refusal| refusal);
                (Effect::Refused, Delivery::Answer(reply))
            }
            Some((FaultKind::Garbage, _)) => {
                let page = Reply {
                    status: 200,
                    location: None,
                    body: Bytes::from_static(b"<html><body>It works!</body></html>"),
                };
                (self.settle(call, now).0, Delivery::Answer(page))
            }
            None => {
                let (effect, reply) = self.settle(call, now);
                (effect, Delivery::Answer(reply))
            }
        }
    }

    /// What is to befall a call, and what is to be said: of the faults that count it as one of
    /// theirs, the first.
    fn fault(&mut self, call: &Call<'_>) -> Option<(FaultKind, Option<String>)> {
        let named = self.faults.iter().any(|armed| armed.fault.about.is_some());
        let id = named.then(|| call.resource()).flatten();
        let mut found = None;
        for armed in &mut self.faults {
            let concerned = match (&armed.fault.about, &id) {
                (None, _) => true,
                (Some(about), Some(id)) => id.contains(about),
                (Some(_), None) => false,
            };
            armed.seen += u64::from(concerned);
            if concerned && found.is_none() && armed.fault.calls.contains(&armed.seen) {
                found = Some((armed.fault.kind, armed.fault.message.clone()));
            }
        }
        found
    }

    /// Replays the answer to a known key, or carries the call out.
    fn settle(&mut self, call: &Call<'_>, now: Instant) -> (Effect, Reply) {
        let mut hasher = DefaultHasher::new();
        (call.method, call.path, call.body).hash(&mut hasher);
        let fingerprint = hasher.finish();
        if let Some(given) = call.key.and_then(|key| self.given.get(key)) {
            return if given.fingerprint == fingerprint {
                (Effect::Replayed, given.reply.clone())
            } else {
                let message = "this idempotency key came with another request before";
                (Effect::Refused, error(422, "idempotencyKeyReused", message))
            };
        }
        match self.carry_out(call, now) {
            Ok(reply) => {
                if let Some(key) = call.key {
                    let given = Given {
                        fingerprint,
                        reply: reply.clone(),
                    };
                    self.given.insert(key.to_owned(), given);
                }
                (Effect::Applied, reply)
            }
            Err(refusal) => (Effect::Refused, refusal),
        }
    }

    fn carry_out(&mut self, call: &Call<'_>, now: Instant) -> Result<Reply, Reply> {
        let (source, reply) = match call.action {
            Action::Create => {
                let (id, text) = self.create(call.body)?;
                let source = self.href("resource", &id);
                self.resources.insert(id, text.clone());
                (
                    source.clone(),
                    Reply {
                        status: 201,
                        location: Some(source),
                        body: text,
                    },
                )
            }
            Action::Change(id) => {
                let text = self.change(id, call.body)?;
                self.resources.insert(id.to_owned(), text.clone());
                (
                    self.href("resource", id),
                    Reply {
                        status: 200,
                        location: None,
                        body: text,
                    },
                )
            }
            Action::Remove(id) => {
                self.resources
                    .remove(id)
                    .ok_or_else(|| self.no_resource(id))?;
                let reply = Reply {
                    status: 204,
                    location: None,
                    body: Bytes::new(),
                };
                (self.href("resource", id), reply)
            }
            Action::Ask(check) => self.answer(check, call, None)?,
            Action::Nothing(status, message) => {
                return Err(error(status, "notSupported", message));
            }
        };
        let Some(duration) = self.asynchronous else {
            return Ok(reply);
        };
        let id = format!("{}-m{}", self.name, self.monitors.len() + 1);
        let watched = Watched {
            due: now + duration,
            method: call.method.to_owned(),
            path: call.path.to_owned(),
            source,
            reply,
        };
        let text = self.monitor_text(&id, &watched, false);
        let location = Some(self.href("monitor", &id));
        self.monitors.insert(id, watched);
        Ok(Reply {
            status: 202,
            location,
            body: text,
        })
    }

    /// Answers a question by yes, or by no for a reason: the answer's href, and the answer.
    fn answer(
        &mut self,
        check: Check,
        call: &Call<'_>,
        no: Option<&str>,
    ) -> Result<(String, Reply), Reply> {
        let id = format!("{}-q{}", self.name, self.answers.len() + 1);
        let source = format!("{}/{id}", call.path);
        let text = check
            .answer(call.body, &id, &source, no)
            .ok_or_else(no_object)?;
        self.answers.insert(source.clone(), text.clone());
        let reply = Reply {
            status: 201,
            location: Some(source.clone()),
            body: text,
        };
        Ok((source, reply))
    }

    /// Id and text of a resource to be.
    fn create(&mut self, body: &[u8]) -> Result<(String, Bytes), Reply> {
        let members = Members::read(body)?;
        let proposed = members
            .get("id")
            .map(|id| serde_json::from_str::<String>(id.get()));
        let id = match proposed {
            Some(Ok(id)) if !id.is_empty() => id,
            Some(_) => {
                let message = "the id is not a string, or empty";
                return Err(error(400, "invalidBody", message));
            }
            None => self.next_id(),
        };
        if self.resources.contains_key(&id) {
            let message = format!("there is a resource {id} at endpoint {} already", self.name);
            return Err(error(409, "alreadyExists", &message));
        }
        let text = members.with_identity(&id, &self.href("resource", &id));
        Ok((id, text))
    }

    fn next_id(&mut self) -> String {
        loop {
            self.named += 1;
            let id = format!("{}-{}", self.name, self.named);
            if !self.resources.contains_key(&id) {
                return id;
            }
        }
    }

    /// Text of a resource after a merge patch (RFC 7386).
    fn change(&self, id: &str, body: &[u8]) -> Result<Bytes, Reply> {
        let present = self.resources.get(id).ok_or_else(|| self.no_resource(id))?;
        let patch: Value = serde_json::from_slice(body).map_err(|_| no_object())?;
        if !patch.is_object() {
            return Err(no_object());
        }
        if patch.get("id").is_some_and(|proposed| proposed != id) {
            return Err(error(
                400,
                "invalidBody",
                "the id of a resource cannot be changed",
            ));
        }
        let mut resource: Value = serde_json::from_slice(present).map_err(|_| {
            error(
                500,
                "unreadable",
                "the resource is nested too deeply to be changed",
            )
        })?;
        merge(&mut resource, patch);
        let text = resource.to_string();
        let members = Members::read(text.as_bytes())?;
        Ok(members.with_identity(id, &self.href("resource", id)))
    }

    /// All resources, by id.
    pub fn list(&self) -> Reply {
        found(array(self.resources.values()))
    }

    /// One resource.
    pub fn resource(&self, id: &str) -> Reply {
        match self.resources.get(id) {
            Some(text) => found(text.clone()),
            None => self.no_resource(id),
        }
    }

    /// The answers at or below a path, as a list if it is not one of theirs.
    pub fn answered(&self, path: &str) -> Reply {
        let below = |href: &str| {
            href.strip_prefix(path)
                .is_some_and(|it| it.starts_with('/'))
        };
        let listed = self.answers.iter().filter(|(href, _)| below(href));
        match self.answers.get(path) {
            Some(text) => found(text.clone()),
            None => found(array(listed.map(|(_, text)| text))),
        }
    }

    /// One monitor, as it stands at `now`.
    pub fn monitor(&self, id: &str, now: Instant) -> Reply {
        let Some(watched) = self.monitors.get(id) else {
            let message = format!("there is no monitor {id} at endpoint {}", self.name);
            return error(404, "notFound", &message);
        };
        found(self.monitor_text(id, watched, now >= watched.due))
    }

    fn monitor_text(&self, id: &str, watched: &Watched, completed: bool) -> Bytes {
        let mut monitor = json!({
            "@type": "Monitor",
            "id": id,
            "href": self.href("monitor", id),
            "sourceHref": watched.source,
            "state": if completed { "completed" } else { "inProgress" },
            "request": {"method": watched.method, "to": watched.path},
        });
        if completed {
            monitor["response"] = json!({
                "statusCode": watched.reply.status.to_string(),
                "body": String::from_utf8_lossy(&watched.reply.body),
            });
        }
        monitor.to_string().into()
    }

    fn href(&self, collection: &str, id: &str) -> String {
        let mut href = format!("/{}/{API}/{collection}/", self.name);
        for byte in id.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                href.push(char::from(byte));
            } else {
                write!(href, "%{byte:02X}").expect("a String can be written to");
            }
        }
        href
    }

    fn no_resource(&self, id: &str) -> Reply {
        let message = format!("there is no resource {id} at endpoint {}", self.name);
        error(404, "notFound", &message)
    }
}

/// What was asked for.
fn found(body: Bytes) -> Reply {
    Reply {
        status: 200,
        location: None,
        body,
    }
}

fn array<'a>(elements: impl Iterator<Item = &'a Bytes>) -> Bytes {
    let mut text = vec![b'['];
    for element in elements {
        if text.len() > 1 {
            text.push(b',');
        }
        text.extend_from_slice(element);
    }
    text.push(b']');
    text.into()
}

fn no_object() -> Reply {
    error(400, "invalidBody", "the body is not a JSON object")
}

/// A TMF Error as an answer.
pub(super) fn error(status: u16, code: &str, message: &str) -> Reply {
    let reason = match status {
        400 => "Bad request",
        404 => "Not found",
        405 => "Method not allowed",
        409 => "Conflict",
        413 => "Too large",
        422 => "Unprocessable",
        500.. => "Internal error",
        _ => "Request refused",
    };
    let text = json!({
        "@type": "Error",
        "code": code,
        "reason": reason,
        "message": message,
        "status": status.to_string(),
    });
    Reply {
        status,
        location: None,
        body: text.to_string().into(),
    }
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(members) = target {
        for (name, value) in patch {
            if value.is_null() {
                members.remove(&name);
            } else {
                merge(members.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

/// A JSON object, its values as written.
struct Members<'a>(Vec<(Name<'a>, &'a RawValue)>);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Members<'a> {
    fn read(text: &'a [u8]) -> Result<Self, Reply> {
        serde_json::from_slice(text).map_err(|_| no_object())
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key.0 == name)
            .map(|(_, value)| *value)
    }

    /// The object's text with this id and href in front.
    fn with_identity(&self, id: &str, href: &str) -> Bytes {
        let size: usize = self
            .0
            .iter()
            .map(|(name, value)| name.0.len() + value.get().len())
            .sum();
        let mut text = Vec::with_capacity(size + self.0.len() * 4 + id.len() + href.len() + 24);
        text.extend_from_slice(b"{\"id\":");
        write_string(&mut text, id);
        text.extend_from_slice(b",\"href\":");
        write_string(&mut text, href);
        for (name, value) in &self.0 {
            if !matches!(name.0.as_ref(), "id" | "href") {
                text.push(b',');
                write_string(&mut text, &name.0);
                text.push(b':');
                text.extend_from_slice(value.get().as_bytes());
            }
        }
        text.push(b'}');
        text.into()
    }
}

fn write_string(text: &mut Vec<u8>, string: &str) {
    serde_json::to_writer(text, string).expect("a string can be written to memory");
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests;
