//! One endpoint as the mock plays it: its resources, monitors and the answers
//! it has given. Decides only; time is an argument, and nothing is sent here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::answer::{Delivery, Reply, error};
use super::check::Check;
use super::event::{Ending, Event, Listener};
use super::fault::Notice;
use super::judge::{Manner, Verdict};
use super::members::Members;
use super::record::Effect;
use crate::plan::unsegment;

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
    /// To be told what happens.
    Subscribe,
    /// To be told no longer.
    Unsubscribe(&'a str),
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
    /// Id of the order item that it carries out, where the caller says so.
    pub item: Option<&'a str>,
    pub body: &'a [u8],
}

impl Call<'_> {
    /// Whether it is the question of a gate.
    pub fn asks(&self) -> bool {
        matches!(self.action, Action::Ask(_))
    }
}

/// What a call did, and what becomes of its answer.
#[derive(Debug)]
pub(super) struct Played {
    pub effect: Effect,
    pub delivery: Delivery,
    /// When and how an accepted request ends, where somebody is to be told.
    pub ending: Option<Ending>,
    /// When it takes effect, where that is later.
    pub due: Option<Instant>,
}

impl Played {
    /// Nothing that goes on after the answer.
    pub fn at_once((effect, delivery): (Effect, Delivery)) -> Self {
        Self {
            effect,
            delivery,
            ending: None,
            due: None,
        }
    }
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

/// The state of one endpoint.
pub(super) struct System {
    name: String,
    manner: Manner,
    /// What requests made or changed, by their keys.
    by_key: BTreeMap<String, BTreeSet<String>>,
    named: u64,
    resources: BTreeMap<String, Bytes>,
    monitors: HashMap<String, Watched>,
    /// Answers to questions, by their hrefs.
    answers: BTreeMap<String, Bytes>,
    given: HashMap<String, Given>,
    subscribed: u64,
    listeners: BTreeMap<String, Listener>,
}

impl System {
    /// An endpoint without resources. One that ignores keys takes a repetition
    /// for a request like any other.
    pub fn new(name: &str, manner: Manner) -> Self {
        Self {
            name: name.to_owned(),
            manner,
            by_key: BTreeMap::new(),
            named: 0,
            resources: BTreeMap::new(),
            monitors: HashMap::new(),
            answers: BTreeMap::new(),
            given: HashMap::new(),
            subscribed: 0,
            listeners: BTreeMap::new(),
        }
    }

    /// Lets a call take effect, and says what becomes of its answer.
    pub fn call(&mut self, call: &Call<'_>, verdict: &Verdict, now: Instant) -> Played {
        let (effect, reply, ending) = self.settle(call, verdict, now);
        Played {
            effect,
            delivery: verdict.deliver(&self.name, reply),
            ending,
            due: None,
        }
    }

    /// Replays the answer to a known key, or carries the call out.
    fn settle(
        &mut self,
        call: &Call<'_>,
        verdict: &Verdict,
        now: Instant,
    ) -> (Effect, Reply, Option<Ending>) {
        if let (Action::Ask(check), Some(no)) = (call.action, verdict.no(&self.name)) {
            // Not kept, so that the question may be asked again.
            let answer = self.answer(check, call, Some(&no));
            let reply = answer.map_or_else(|refusal| refusal, |(_, reply)| reply);
            return (Effect::Refused, reply, None);
        }
        let key = call.key.filter(|_| !self.manner.ignores_keys);
        let mut hasher = DefaultHasher::new();
        (call.method, call.path, call.body).hash(&mut hasher);
        let fingerprint = hasher.finish();
        if let Some(given) = key.and_then(|key| self.given.get(key)) {
            if given.fingerprint == fingerprint {
                return (Effect::Replayed, given.reply.clone(), None);
            }
            let message = "this idempotency key came with another request before";
            let reply = error(422, "idempotencyKeyReused", message);
            return (Effect::Refused, reply, None);
        }
        match self.carry_out(call) {
            Ok((source, reply)) => {
                let (reply, ending) = match (verdict.accepted, source) {
                    (Some(accepted), Some(source)) => {
                        self.accept(call, (source, reply), accepted, now)
                    }
                    _ => (reply, None),
                };
                if let Some(key) = key {
                    let given = Given {
                        fingerprint,
                        reply: reply.clone(),
                    };
                    self.given.insert(key.to_owned(), given);
                }
                (Effect::Applied, reply, ending)
            }
            Err(refusal) => (Effect::Refused, refusal, None),
        }
    }

    /// The href of what was made, changed or removed, if that can take its
    /// time, and the answer.
    fn carry_out(&mut self, call: &Call<'_>) -> Result<(Option<String>, Reply), Reply> {
        match call.action {
            Action::Create => {
                let (id, text) = self.create(call.body)?;
                let source = self.href("resource", &id);
                self.note_key(call, &id);
                self.resources.insert(id, text.clone());
                let reply = Reply {
                    location: Some(source.clone()),
                    ..Reply::new(201, text)
                };
                Ok((Some(source), reply))
            }
            Action::Change(id) => {
                let text = self.change(id, call.body)?;
                self.note_key(call, id);
                self.resources.insert(id.to_owned(), text.clone());
                Ok((Some(self.href("resource", id)), Reply::new(200, text)))
            }
            Action::Remove(id) => {
                self.resources
                    .remove(id)
                    .ok_or_else(|| self.no_resource(id))?;
                Ok((Some(self.href("resource", id)), Reply::new(204, "")))
            }
            Action::Ask(check) => {
                let (source, reply) = self.answer(check, call, None)?;
                Ok((Some(source), reply))
            }
            Action::Subscribe => Ok((None, self.subscribe(call.body)?)),
            Action::Unsubscribe(id) => {
                let message = format!("there is no listener {id} at endpoint {}", self.name);
                let gone = self.listeners.remove(id);
                gone.ok_or_else(|| error(404, "notFound", &message))?;
                Ok((None, Reply::new(204, "")))
            }
            Action::Nothing(status, message) => Err(error(status, "notSupported", message)),
        }
    }

    /// Puts what was done behind a monitor: the answer, and what is to be told
    /// at the end.
    fn accept(
        &mut self,
        call: &Call<'_>,
        (source, reply): (String, Reply),
        (after, notice): (Duration, Notice),
        now: Instant,
    ) -> (Reply, Option<Ending>) {
        let id = format!("{}-m{}", self.name, self.monitors.len() + 1);
        let watched = Watched {
            due: now + after,
            method: call.method.to_owned(),
            path: call.path.to_owned(),
            source,
            reply,
        };
        let text = self.monitor_text(&id, &watched, false);
        let told = (notice != Notice::None).then(|| Ending {
            due: watched.due,
            notice,
            key: call.key.map(str::to_owned),
            events: self.events(&id, &watched),
            listeners: self.listeners.values().cloned().collect(),
        });
        let location = Some(self.href("monitor", &id));
        self.monitors.insert(id, watched);
        let reply = Reply {
            location,
            ..Reply::new(202, text)
        };
        (reply, told)
    }

    /// What happens when a request has ended: to its resource, and to its monitor.
    fn events(&self, id: &str, watched: &Watched) -> Vec<Event> {
        let resource = match watched.method.as_str() {
            "DELETE" => Event {
                id: format!("{id}-resource"),
                kind: "ResourceDeleteEvent",
                member: "resource",
                content: json!({"href": watched.source}).to_string().into(),
            },
            _ => Event {
                id: format!("{id}-resource"),
                kind: "ResourceStateChangeEvent",
                member: "resource",
                content: watched.reply.body.clone(),
            },
        };
        let monitor = Event {
            id: format!("{id}-monitor"),
            kind: "MonitorStateChangeEvent",
            member: "monitor",
            content: self.monitor_text(id, watched, true),
        };
        vec![resource, monitor]
    }

    /// Notes who wants to be told (TMF630 hub).
    fn subscribe(&mut self, body: &[u8]) -> Result<Reply, Reply> {
        let invalid = |message: &str| error(400, "invalidBody", message);
        let wanted = Listener::read(body).map_err(|why| invalid(&why))?;
        self.subscribed += 1;
        let id = format!("{}-l{}", self.name, self.subscribed);
        let text = json!({"id": id, "callback": wanted.callback.as_str(), "query": wanted.query});
        let reply = Reply {
            location: Some(self.href("hub", &id)),
            ..Reply::new(201, text.to_string())
        };
        self.listeners.insert(id, wanted);
        Ok(reply)
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
            location: Some(source.clone()),
            ..Reply::new(201, text)
        };
        Ok((source, reply))
    }

    /// Id and text of a resource to be.
    fn create(&mut self, body: &[u8]) -> Result<(String, Bytes), Reply> {
        let members = Members::read(body).ok_or_else(no_object)?;
        let proposed = members
            .get("id")
            .map(|id| serde_json::from_str::<String>(id.get()));
        let id = match proposed {
            Some(Ok(id)) if !id.is_empty() && !self.manner.names_itself => id,
            Some(Ok(id)) if !id.is_empty() => self.next_id(),
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
        let members = Members::read(text.as_bytes()).ok_or_else(no_object)?;
        Ok(members.with_identity(id, &self.href("resource", id)))
    }

    /// Notes under which key a resource was made or changed.
    fn note_key(&mut self, call: &Call<'_>, id: &str) {
        if let Some(key) = call.key {
            let ids = self.by_key.entry(key.to_owned()).or_default();
            ids.insert(id.to_owned());
        }
    }

    /// All resources, by id; those only that requests under a key made or changed, where the query
    /// names one.
    pub fn list(&self, query: Option<&str>) -> Reply {
        if self.manner.refuses_reads {
            return unreadable();
        }
        let key = query.and_then(|query| {
            let mut parts = query.split('&');
            parts.find_map(|part| part.strip_prefix("idempotencyKey="))
        });
        let Some(key) = key.and_then(unsegment) else {
            return found(array(self.resources.values()));
        };
        let ids = self.by_key.get(&*key).into_iter().flatten();
        found(array(ids.filter_map(|id| self.resources.get(id))))
    }

    /// The text of a resource, if it is there.
    pub fn kept(&self, id: &str) -> Option<&[u8]> {
        self.resources.get(id).map(|text| &**text)
    }

    /// One resource.
    pub fn resource(&self, id: &str) -> Reply {
        if self.manner.refuses_reads {
            return unreadable();
        }
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

fn unreadable() -> Reply {
    error(405, "notSupported", "resources cannot be read here")
}

/// What was asked for.
fn found(body: Bytes) -> Reply {
    Reply::new(200, body)
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
