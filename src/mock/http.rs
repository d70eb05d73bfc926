//! HTTP in front of the mock's endpoints: requests to calls, what becomes of
//! them to responses.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::BODY_LIMIT;
use super::answer::{Delivery, Reply, error};
use super::courier::Courier;
use super::event::Listener;
use super::forward;
use super::place::Place;
use super::record::{Answer, Effect, Entry, Record};
use super::role::{Outcome, Role};
use super::system::Call;
use super::wire::{Cut, End, response};

/// Everything that the connections share. Each endpoint has a lock of its own;
/// the record's is only ever taken inside one of them, or alone.
pub(super) struct Site {
    pub roles: BTreeMap<String, Mutex<Role>>,
    pub record: Record,
    /// Whether what is only read is recorded too.
    pub records_reads: bool,
    /// Who is told everything.
    pub listener: Option<Listener>,
    pub courier: Courier,
    /// The first error of the record's file, which ends the server.
    pub broken: Mutex<Option<io::Error>>,
    pub has_broken: Notify,
}

type Answered = Result<Response<Full<Bytes>>, Cut>;

impl Site {
    /// Answers one request.
    pub async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Answered {
        let (head, body) = request.into_parts();
        if head.method == Method::GET {
            return self.read(&head).await;
        }
        let body = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(cause) if cause.is::<LengthLimitError>() => {
                let mut refused = response(&error(413, "tooLarge", "the body exceeds 16 MiB"));
                let close = HeaderValue::from_static("close");
                refused.headers_mut().insert(CONNECTION, close);
                return Ok(refused);
            }
            Err(_) => return Err(Cut(End::Close)),
        };
        let (delivery, after) = self.change(&head, &body).await;
        send(delivery, after).await
    }

    async fn read(&self, head: &Parts) -> Answered {
        let path = head.uri.path();
        match path {
            "/health" => return Ok(response(&Reply::new(200, "{\"status\":\"up\"}"))),
            "/record" => {
                return Ok(response(&Reply {
                    media: "application/x-ndjson".into(),
                    ..Reply::new(200, self.record.lines())
                }));
            }
            _ => {}
        }
        let (role, place) = match self.find(path) {
            Ok(found) => found,
            Err(reply) => return Ok(response(&reply)),
        };
        let name = role.0;
        let whole = head.uri.path_and_query().map_or(path, |it| it.as_str());
        // The lock is gone before anybody is waited for.
        let read = lock(role.1).read(&place, (path, head.uri.query()));
        let delivery = match read {
            Ok(Some(reply)) => Delivery::Answer(reply),
            Ok(None) => Delivery::Close,
            Err(forward) => forward.send(&handed_on(head, whole, b"")).await,
        };
        if self.records_reads {
            self.note(
                &Entry {
                    endpoint: Some(name),
                    method: "GET",
                    path: whole,
                    idempotency_key: None,
                    effect: Effect::Read,
                    fault: None,
                    status: None,
                    body: b"",
                    answer: None,
                },
                &delivery,
            );
        }
        send(delivery, Duration::ZERO).await
    }

    /// Lets a call take effect and records it, in one go for its endpoint, and
    /// says what becomes of its answer and when.
    async fn change(self: &Arc<Self>, head: &Parts, body: &Bytes) -> (Delivery, Duration) {
        let (method, path) = (&head.method, head.uri.path());
        let key = text(&head.headers, "idempotency-key");
        let mut entry = Entry {
            endpoint: None,
            method: method.as_str(),
            path,
            idempotency_key: key,
            effect: Effect::Refused,
            fault: None,
            status: None,
            body,
            answer: None,
        };
        let ((name, role), place) = match self.find(path) {
            Ok(found) => found,
            Err(reply) => {
                let delivery = Delivery::Answer(reply);
                self.note(&entry, &delivery);
                return (delivery, Duration::ZERO);
            }
        };
        entry.endpoint = Some(name);
        let call = Call {
            action: place.action(method),
            method: method.as_str(),
            path,
            key,
            item: text(&head.headers, "x-orderctl-task"),
            body,
        };
        let (verdict, forward) = {
            let mut role = lock(role);
            let (verdict, outcome) = role.call(&call, Instant::now());
            entry.fault = verdict.fault.as_ref().map(ToString::to_string);
            match outcome {
                Outcome::Forward(forward) => (verdict, forward),
                Outcome::Played(mut played) => {
                    entry.effect = played.effect;
                    self.note(&entry, &played.delivery);
                    if let Some(ending) = &mut played.ending {
                        ending.listeners.extend(self.listener.clone());
                    }
                    if let Some(ending) = played.ending {
                        self.courier.send_off(self, name, ending);
                    }
                    if let Some(due) = played.due {
                        self.defer(due, head, body, entry.fault);
                    }
                    return (played.delivery, verdict.after());
                }
            }
        };
        let forwarded = forward.send(&handed_on(head, path, body)).await;
        let delivery = match forwarded {
            Delivery::Answer(reply) => verdict.deliver(name, reply),
            other => other,
        };
        entry.effect = Effect::Forwarded;
        self.note(&entry, &delivery);
        (delivery, verdict.after())
    }

    /// Lets a call take effect, and be on record once more, when its time has come.
    fn defer(self: &Arc<Self>, due: Instant, head: &Parts, body: &Bytes, fault: Option<String>) {
        let (site, head, body) = (Arc::clone(self), head.clone(), body.clone());
        self.courier.later(due, async move {
            let (method, path) = (&head.method, head.uri.path());
            let Ok(((name, role), place)) = site.find(path) else {
                return;
            };
            let call = Call {
                action: place.action(method),
                method: method.as_str(),
                path,
                key: text(&head.headers, "idempotency-key"),
                item: text(&head.headers, "x-orderctl-task"),
                body: &body,
            };
            let mut role = lock(role);
            if let Some(effect) = role.take_effect(&call, Instant::now()) {
                site.add(&Entry {
                    endpoint: Some(name),
                    method: call.method,
                    path,
                    idempotency_key: call.key,
                    effect,
                    fault,
                    status: None,
                    body: &body,
                    answer: None,
                });
            }
        });
    }

    /// Records a call with what becomes of its answer.
    fn note(&self, entry: &Entry<'_>, delivery: &Delivery) {
        let reply = delivery.reply();
        self.add(&Entry {
            fault: entry.fault.clone(),
            status: reply.map(|reply| reply.status),
            answer: reply.map(Answer::of),
            ..*entry
        });
    }

    /// Adds a line to the record.
    pub fn add(&self, entry: &Entry<'_>) {
        if let Err(cause) = self.record.add(entry) {
            lock(&self.broken).get_or_insert(cause);
            self.has_broken.notify_one();
        }
    }

    /// The endpoint and the place below it that a path leads to.
    fn find<'a>(&self, path: &'a str) -> Result<((&str, &Mutex<Role>), Place<'a>), Reply> {
        let found = Place::of(path).and_then(|(name, place)| {
            let (name, role) = self.roles.get_key_value(name)?;
            Some(((name.as_str(), role), place))
        });
        found.ok_or_else(|| error(404, "notFound", "there is nothing at this path"))
    }
}

fn handed_on<'a>(head: &'a Parts, path: &'a str, body: &'a [u8]) -> forward::Request<'a> {
    forward::Request {
        method: &head.method,
        path,
        headers: &head.headers,
        body,
    }
}

/// Lets an answer set out when its time has come.
async fn send(delivery: Delivery, after: Duration) -> Answered {
    if matches!(delivery, Delivery::Never) {
        match std::future::pending::<Infallible>().await {}
    }
    let is_answer = matches!(delivery, Delivery::Answer(_) | Delivery::Raw { .. });
    if is_answer && !after.is_zero() {
        sleep(after).await;
    }
    match delivery {
        Delivery::Answer(reply) => Ok(response(&reply)),
        Delivery::Raw { bytes, pause, .. } => Err(Cut(End::Raw(bytes, pause))),
        Delivery::Reset => Err(Cut(End::Reset)),
        Delivery::Close | Delivery::Never => Err(Cut(End::Close)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
