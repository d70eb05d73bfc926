//! HTTP in front of the mock's endpoints: paths to actions, replies to answers.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::BODY_LIMIT;
use super::check::Check;
use super::record::{Effect, Entry, Record};
use super::system::{API, Action, Call, Delivery, Reply, System, error};

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer")]
pub(super) struct Cut;

/// Everything that the connections share. Each endpoint has a lock of its own;
/// the record's is only ever taken inside one of them, or alone.
pub(super) struct Site {
    pub systems: BTreeMap<String, Mutex<System>>,
    pub record: Record,
    /// How long an answer takes.
    pub latency: Duration,
    /// The first error of the record's file, which ends the server.
    pub broken: Mutex<Option<io::Error>>,
    pub has_broken: Notify,
}

/// Where a path leads below an endpoint's API.
enum Place<'a> {
    Resources,
    Resource(&'a str),
    Monitor(&'a str),
    /// Where questions of this kind are asked.
    Checks(Check),
    /// One that was answered.
    Answered,
}

impl Site {
    /// Answers one request.
    pub async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        if head.method == Method::GET {
            return Ok(self.read(path));
        }
        let body = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(cause) if cause.is::<LengthLimitError>() => {
                let mut response = response(error(413, "tooLarge", "the body exceeds 16 MiB"));
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
                return Ok(response);
            }
            Err(_) => return Err(Cut),
        };
        let key = head
            .headers
            .get("idempotency-key")
            .and_then(|key| key.to_str().ok());
        match self.change(&head.method, path, key, &body) {
            Delivery::Answer(reply) => {
                if !self.latency.is_zero() {
                    tokio::time::sleep(self.latency).await;
                }
                Ok(response(reply))
            }
            Delivery::Cut => Err(Cut),
            Delivery::Never => match std::future::pending::<Infallible>().await {},
        }
    }

    fn read(&self, path: &str) -> Response<Full<Bytes>> {
        match path {
            "/health" => {
                let body = Bytes::from_static(b"{\"status\":\"up\"}");
                return response(Reply {
                    status: 200,
                    location: None,
                    body,
                });
            }
            "/record" => {
                let mut response = Response::new(Full::new(self.record.lines()));
                let lines = HeaderValue::from_static("application/x-ndjson");
                response.headers_mut().insert(CONTENT_TYPE, lines);
                return response;
            }
            _ => {}
        }
        let Some((system, place)) = self.find(path) else {
            return response(error(404, "notFound", "there is nothing at this path"));
        };
        let system = lock(system.1);
        let id = |text: &str| decode(text).unwrap_or_else(|| text.to_owned());
        response(match place {
            Place::Resources => system.list(),
            Place::Resource(text) => system.resource(&id(text)),
            Place::Monitor(text) => system.monitor(&id(text), Instant::now()),
            Place::Checks(_) | Place::Answered => system.answered(path),
        })
    }

    /// Lets a call take effect and records it, in one go for its endpoint.
    fn change(&self, method: &Method, path: &str, key: Option<&str>, body: &[u8]) -> Delivery {
        let found = self.find(path);
        let id = match &found {
            Some((_, Place::Resource(text))) => decode(text),
            _ => None,
        };
        let action = match (method, found.as_ref().map(|(_, place)| place), &id) {
            (&Method::POST, Some(Place::Resources), _) => Action::Create,
            (&Method::POST, Some(Place::Checks(check)), _) => Action::Ask(*check),
            (&Method::PATCH, Some(Place::Resource(_)), Some(id)) => Action::Change(id),
            (&Method::DELETE, Some(Place::Resource(_)), Some(id)) => Action::Remove(id),
            (_, None, _) | (_, Some(Place::Resource(_)), None) => {
                Action::Nothing(404, "there is nothing at this path")
            }
            _ => Action::Nothing(405, "this path does not have this method"),
        };
        let Some(((name, system), _)) = found else {
            let reply = error(404, "notFound", "there is nothing at this path");
            let effect = (Effect::Refused, Some(reply.status));
            self.note(None, (method.as_str(), path), key, body, effect);
            return Delivery::Answer(reply);
        };
        let call = Call {
            action,
            method: method.as_str(),
            path,
            key,
            body,
        };
        let mut system = lock(system);
        let (effect, delivery) = system.call(&call, Instant::now());
        let status = match &delivery {
            Delivery::Answer(reply) => Some(reply.status),
            Delivery::Never | Delivery::Cut => None,
        };
        self.note(
            Some(name),
            (method.as_str(), path),
            key,
            body,
            (effect, status),
        );
        delivery
    }

    fn note(
        &self,
        endpoint: Option<&str>,
        (method, path): (&str, &str),
        key: Option<&str>,
        body: &[u8],
        (effect, status): (Effect, Option<u16>),
    ) {
        let other;
        let body = match serde_json::from_slice::<&RawValue>(body) {
            _ if body.is_empty() => None,
            Ok(json) => Some(json),
            Err(_) => {
                other = to_raw_value(&String::from_utf8_lossy(body))
                    .expect("a string can be written as JSON");
                Some(&*other)
            }
        };
        let entry = Entry {
            endpoint,
            method,
            path,
            idempotency_key: key,
            effect,
            status,
            body,
        };
        if let Err(cause) = self.record.add(&entry) {
            lock(&self.broken).get_or_insert(cause);
            self.has_broken.notify_one();
        }
    }

    /// The endpoint and the place below it that a path leads to.
    fn find<'a>(&self, path: &'a str) -> Option<((&str, &Mutex<System>), Place<'a>)> {
        let (name, rest) = path.strip_prefix('/')?.split_once('/')?;
        let (name, system) = self.systems.get_key_value(name)?;
        let resources = rest.strip_prefix(API).and_then(|it| it.strip_prefix('/'));
        let Some(rest) = resources.filter(|rest| Check::named(rest).is_none()) else {
            return Some(((name, system), checks(rest)?));
        };
        let place = match rest.split_once('/') {
            None if rest == "resource" => Place::Resources,
            Some(("resource", id)) if !id.is_empty() && !id.contains('/') => Place::Resource(id),
            Some(("monitor", id)) if !id.is_empty() && !id.contains('/') => Place::Monitor(id),
            _ => return None,
        };
        Some(((name, system), place))
    }
}

/// Where a path below an endpoint leads: `tmf-api/<API>/<version>/<collection>`, and an id.
fn checks(path: &str) -> Option<Place<'_>> {
    let mut parts = path.strip_prefix("tmf-api/")?.split('/').skip(2);
    let check = Check::named(parts.next()?)?;
    match (parts.next(), parts.next()) {
        (None, _) => Some(Place::Checks(check)),
        (Some(_), None) => Some(Place::Answered),
        (Some(_), Some(_)) => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let has_body = !reply.body.is_empty();
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if has_body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(location) = reply.location.and_then(|to| HeaderValue::try_from(to).ok()) {
        headers.insert(LOCATION, location);
    }
    response
}

/// Undoes percent-encoding; `None` where it is malformed or not UTF-8.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_asked_below_any_api_of_tm_forum() {
        let asks = |path| matches!(checks(path), Some(Place::Checks(_)));
        assert!(asks(
            "tmf-api/serviceQualification/v4/checkServiceQualification"
        ));
        assert!(asks(
            "tmf-api/riskManagement/v5/productOfferingRiskAssessment"
        ));
        let answered = "tmf-api/q/v4/checkProductOfferingQualification/7";
        assert!(matches!(checks(answered), Some(Place::Answered)));
        for path in [
            "checkServiceQualification",
            "tmf-api/v4/checkServiceQualification",
            "tmf-api/q/v4/query",
            "tmf-api/q/v4/checkServiceQualification/7/8",
        ] {
            assert!(checks(path).is_none(), "{path}");
        }
    }

    #[test]
    fn percent_encoding_is_undone() {
        assert_eq!(decode("a%2Fb%c3%bc").as_deref(), Some("a/bü"));
        for text in ["%", "%2", "%zz", "%ff", "a%é"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
