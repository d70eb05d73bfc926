//! TMF702 resource activation over HTTP/1.1.
//!
//! Every status has one meaning here (see [`Tmf702::send`]); nothing is
//! repeated, and redirects are not followed: a request goes where the endpoints
//! file says, or nowhere.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::access::Access;
use super::callbacks::{Callbacks, Expected};
use super::connection::{Answer, Body, Connection, SendError, authority};
use super::inquiry;
use super::monitor::{Monitor, State, read_object};
use super::verdict::{Verdict, verdict};
use super::{Call, Finding, Inquiry, OpenError, OpenErrorKind, Outcome};
use crate::plan::flow::Method;
use crate::retry::FailureClass;

/// Header that carries the idempotency key.
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Header that names the task, which is the order item that it carries out.
static TASK: HeaderName = HeaderName::from_static("x-orderctl-task");
/// Headers of a request, with those that a connection adds, for which room is made at once.
const HEADERS: usize = 8;
/// Pause before a monitor is asked for the first time; doubled every time.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// Longest pause between two looks at a monitor.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Longest text of an answer that is quoted in a reason, in characters.
const QUOTED: usize = 300;

/// A system that is spoken to over TMF702.
#[derive(Debug)]
pub struct Tmf702 {
    name: String,
    base: Url,
    timeout: Duration,
    connection: Arc<Connection>,
    /// Who tells of monitors that have ended, where somebody does.
    callbacks: Option<Arc<Callbacks>>,
}

impl Tmf702 {
    pub(super) fn open(
        name: &str,
        address: &str,
        timeout: Duration,
        access: Access,
    ) -> Result<Self, OpenError> {
        let base = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(base) = base else {
            return Err(OpenError {
                name: name.to_owned(),
                kind: OpenErrorKind::Address(address.to_owned()),
            });
        };
        Ok(Self {
            name: name.to_owned(),
            connection: Arc::new(Connection::new(name, &base, timeout, access)),
            base,
            timeout,
            callbacks: None,
        })
    }

    pub(super) fn heeding(self, callbacks: &Arc<Callbacks>) -> Self {
        let callbacks = Some(Arc::clone(callbacks));
        Self { callbacks, ..self }
    }

    pub(super) fn prepare(&self) -> Result<(), OpenError> {
        self.connection.prepare()
    }

    /// Sends the request.
    ///
    /// | answer | outcome |
    /// |---|---|
    /// | 2xx but 202 | completed; without resource where there is no body or a too large one, unless a 201 says where it is (`Location`) |
    /// | 2xx with a body that is no JSON object | unknown: whoever wrote that need not be the endpoint |
    /// | 202 | accepted; what the Monitor in the body says, where that has ended already |
    /// | 202 that names no monitor of this endpoint | unknown, but accepted |
    /// | 3xx, 4xx | rejected |
    /// | 408, 425, 429, 5xx | failed |
    /// | 502, 504 | unknown: a gateway does not know what happened behind it |
    /// | 2xx broken off, no answer, timeout | unknown |
    /// | no connection | failed, nothing was sent |
    ///
    /// A question (see `verdict`) that is answered by no is rejected; one that is not
    /// decided yet is asked after until time is over, then it is unknown.
    pub async fn send(&self, call: &Call<'_>) -> Outcome {
        let request = match self.request(call) {
            Ok(request) => request,
            Err(reason) => return unsent(reason),
        };
        let url = request.url().clone();
        let deadline = Instant::now() + self.timeout;
        let outcome = match timeout_at(deadline, self.connection.send(request)).await {
            Err(_) => unknown(
                FailureClass::Timeout,
                format!("no answer within {:?}", self.timeout),
            ),
            Ok(Err(error)) => unanswered(&error),
            Ok(Ok(answer)) if answer.status == StatusCode::ACCEPTED => {
                self.accepted(call.request.method, &url, &answer, deadline)
                    .await
            }
            Ok(Ok(answer)) => judge(answer),
        };
        let outcome = self.with_decision(call, outcome, deadline).await;
        tracing::debug!(endpoint = self.name, task = call.task, %url, ?outcome, "called");
        outcome
    }

    /// Follows the monitor of a request that was accepted until it has ended, or until as much
    /// time is over as a request may take: then its outcome is unknown.
    pub async fn follow_monitor(&self, call: &Call<'_>, monitor: &str) -> Outcome {
        let url = self.resolve(monitor);
        let Some(url) = url.filter(|url| url.origin() == self.base.origin()) else {
            let why = format!("its monitor {} is not at this endpoint", quote(monitor));
            return untold(FailureClass::Malformed, &why);
        };
        let deadline = Instant::now() + self.timeout;
        let mut last = Stand::Unknown("not answered".to_owned());
        let mut expected = self.callbacks.as_ref().map(|it| it.expect(&url));
        let followed = self.follow(&url, (&mut last, &mut expected));
        let outcome = match timeout_at(deadline, followed).await {
            Ok(Ok(monitor)) => timeout_at(deadline, self.ended(call.request.method, &monitor))
                .await
                .unwrap_or(COMPLETED_UNREAD),
            Ok(Err(why)) => untold(FailureClass::Malformed, &format!("its monitor {url} {why}")),
            Err(_) => {
                let time = self.timeout;
                match last {
                    Stand::AtWork(state) => {
                        // What is told before it is followed again is not to be lost.
                        if let Some(expected) = expected.take() {
                            expected.keep();
                        }
                        let reason = format!(
                            "accepted, but its monitor {url} is still {state} after {time:?}"
                        );
                        Outcome::AtWork { reason }
                    }
                    Stand::Unknown(how) => {
                        let why = format!("its monitor {url} is {how} after {time:?}");
                        untold(FailureClass::Timeout, &why)
                    }
                }
            }
        };
        let outcome = self.with_decision(call, outcome, deadline).await;
        tracing::debug!(endpoint = self.name, task = call.task, %url, ?outcome, "followed");
        outcome
    }

    /// The outcome of a question once it is decided; any other as it is.
    async fn with_decision(&self, call: &Call<'_>, outcome: Outcome, deadline: Instant) -> Outcome {
        match outcome {
            Outcome::Completed { status, resource } if call.is_question() => {
                match self.below(&call.request.path) {
                    Ok(mut url) => {
                        url.set_query(None);
                        self.decided(&url, (status, resource), deadline).await
                    }
                    Err(reason) => unknown(FailureClass::Malformed, reason),
                }
            }
            other => other,
        }
    }

    /// Asks what came of a request: its monitor, and where that is not known or tells nothing,
    /// what can be read of its effect.
    pub async fn ask(&self, call: &Call<'_>, inquiry: &Inquiry<'_>) -> Finding {
        let finding = match (inquiry.monitor, &inquiry.path) {
            (Some(monitor), path) => match (self.follow_monitor(call, monitor).await, path) {
                (Outcome::Completed { status, resource }, _) => Finding::Done { status, resource },
                (
                    Outcome::Unknown {
                        class: FailureClass::Malformed,
                        ..
                    },
                    Some(path),
                ) => self.read_back(call, path).await,
                (
                    Outcome::Unknown {
                        class: FailureClass::Malformed,
                        reason,
                        ..
                    },
                    None,
                ) => Finding::Impossible { reason },
                (Outcome::AtWork { reason }, _) => Finding::AtWork { reason },
                (Outcome::Unknown { class, reason, .. }, _) => {
                    Finding::Unanswered { class, reason }
                }
                (ended, _) => Finding::Ended(ended),
            },
            (None, Some(path)) => self.read_back(call, path).await,
            (None, None) => Finding::Impossible {
                reason: "nothing says how it can be asked".to_owned(),
            },
        };
        tracing::debug!(endpoint = self.name, task = call.task, ?finding, "asked");
        finding
    }

    async fn read_back(&self, call: &Call<'_>, path: &str) -> Finding {
        let url = match self.below(path) {
            Ok(url) => url,
            Err(reason) => return Finding::Impossible { reason },
        };
        match timeout_at(Instant::now() + self.timeout, self.get(&url)).await {
            Err(_) => Finding::Unanswered {
                class: FailureClass::Timeout,
                reason: format!("asked for it, no answer within {:?}", self.timeout),
            },
            Ok(Err(error)) => Finding::Unanswered {
                class: class_of(&error),
                reason: format!("asked for it, no answer: {}", error.cause()),
            },
            Ok(Ok(answer)) => {
                let words = said(answer.status, answer.body.text());
                let status = answer.status.as_u16();
                inquiry::judge((call, path), status, answer.body.text(), &words)
            }
        }
    }

    /// The request as it goes out; `host` and `content-length`, which the
    /// connection adds, included.
    #[must_use]
    pub fn exact_request(&self, call: &Call<'_>) -> String {
        let request = match self.request(call) {
            Ok(request) => request,
            Err(reason) => return format!("cannot be sent: {reason}\n"),
        };
        let mut lines = vec![format!("{} {}", request.method(), request.url())];
        lines.push(format!("host: {}", authority(request.url())));
        for (name, value) in request.headers() {
            lines.push(format!("{name}: {}", value.to_str().unwrap_or_default()));
        }
        for (name, value) in self.connection.access().masked_headers() {
            lines.push(format!("{name}: {value}"));
        }
        if let Some(body) = &call.request.body {
            let text = body.get().into_owned();
            lines.push(format!("content-length: {}", text.len()));
            lines.push(String::new());
            lines.push(text);
        }
        lines.push(String::new());
        lines.join("\n")
    }

    fn request(&self, call: &Call<'_>) -> Result<reqwest::Request, String> {
        let (method, content_type) = match call.request.method {
            Method::Post => (reqwest::Method::POST, "application/json"),
            Method::Patch => (reqwest::Method::PATCH, "application/merge-patch+json"),
            Method::Delete => (reqwest::Method::DELETE, "application/json"),
        };
        let key = HeaderValue::from_str(call.idempotency_key)
            .ok()
            .filter(|key| !key.is_empty() && key.to_str().is_ok())
            .ok_or_else(|| {
                format!(
                    "idempotency key {:?} cannot be a header",
                    call.idempotency_key
                )
            })?;
        let mut request = reqwest::Request::new(method, self.below(&call.request.path)?);
        let headers = request.headers_mut();
        headers.reserve(HEADERS);
        headers.insert(&IDEMPOTENCY_KEY, key);
        // For the log of the other side; a task whose id no header can carry goes without.
        if let Some(task) = HeaderValue::from_str(call.task)
            .ok()
            .filter(|it| it.to_str().is_ok())
        {
            headers.insert(&TASK, task);
        }
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("orderctl/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(body) = &call.request.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            *request.body_mut() = Some(body.get().into_owned().into());
        }
        Ok(request)
    }

    /// The URL of a path below the endpoint's address, maybe with a query. Paths come from plans,
    /// which anybody may have written: one that leads elsewhere is refused.
    fn below(&self, path: &str) -> Result<Url, String> {
        let refused = || format!("path {path:?} does not lead below the endpoint's address");
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let prefix = self.base.path().trim_end_matches('/');
        // Only the path is read anew: `#` is a character of it like others.
        let mut url = self.base.clone();
        url.set_path(&[prefix, path].join("/"));
        let below = url
            .path()
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix('/'));
        let escapes = path.split(['/', '\\']).any(|segment| match segment {
            "" | "." | ".." => true,
            _ if !segment.contains('%') => false,
            _ => matches!(
                segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
                "." | ".."
            ),
        });
        let is_plain = url.query().or(url.fragment()).is_none();
        match below {
            Some(rest) if !rest.is_empty() && !escapes && is_plain => {
                url.set_query(query);
                Ok(url)
            }
            _ => Err(refused()),
        }
    }

    async fn get(&self, url: &Url) -> Result<Answer, SendError> {
        let mut request = reqwest::Request::new(reqwest::Method::GET, url.clone());
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static("application/json"));
        self.connection.send(request).await
    }

    /// The outcome of a question that was answered; `asked` is where it went.
    async fn decided(
        &self,
        asked: &Url,
        (status, mut resource): (u16, Option<Box<RawValue>>),
        deadline: Instant,
    ) -> Outcome {
        let mut pause = FIRST_PAUSE;
        loop {
            let text = resource.as_deref().map_or("{}", RawValue::get);
            let state = match verdict(text) {
                Verdict::Yes => return Outcome::Completed { status, resource },
                Verdict::No(reason) => {
                    let reason = quote(&reason);
                    return Outcome::Rejected { status, reason };
                }
                Verdict::Open(state) => quote(&state),
            };
            let undecided = |what: &str| {
                unknown(
                    FailureClass::Timeout,
                    format!("the question is {state}, {what}"),
                )
            };
            let Some(url) = self.question_url(asked, text) else {
                return undecided("and nothing says where its answer will be");
            };
            if timeout_at(deadline, sleep(pause)).await.is_err() {
                return undecided(&format!("after {:?}", self.timeout));
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            if let Ok(Ok(answer)) = timeout_at(deadline, self.get(&url)).await
                && answer.status == StatusCode::OK
                && let Some(read) = read_object(answer.body.text())
            {
                resource = Some(read);
            }
        }
    }

    /// Where a question can be looked at: its own `href`, else its `id` below its collection.
    fn question_url(&self, asked: &Url, answer: &str) -> Option<Url> {
        let answer: Value = serde_json::from_str(answer).ok()?;
        let url = match (answer["href"].as_str(), answer["id"].as_str()) {
            (Some(href), _) => self.resolve(href)?,
            (None, Some(id)) => {
                let mut url = asked.clone();
                url.path_segments_mut().ok()?.push(id);
                url
            }
            (None, None) => return None,
        };
        (url.origin() == self.base.origin()).then_some(url)
    }

    /// Goes on from a 202: `sent_to` is where the request went.
    async fn accepted(
        &self,
        method: Method,
        sent_to: &Url,
        answer: &Answer,
        deadline: Instant,
    ) -> Outcome {
        let first = Monitor::parse(answer.body.text());
        if let Some(monitor) = &first
            && matches!(monitor.state, Some(State::Completed | State::InError))
        {
            let ended = self.ended(method, monitor);
            return timeout_at(deadline, ended)
                .await
                .unwrap_or(COMPLETED_UNREAD);
        }
        match self.monitor_url(first.as_ref(), answer.location.as_deref(), sent_to) {
            Ok(url) => Outcome::Accepted {
                monitor: url.to_string(),
            },
            Err(why) => untold(FailureClass::Malformed, &why),
        }
    }

    /// Where the monitor is: its own `href`, else its `id` below the endpoint's
    /// address, else the `Location` header. Never on another origin.
    fn monitor_url(
        &self,
        monitor: Option<&Monitor>,
        location: Option<&str>,
        sent_to: &Url,
    ) -> Result<Url, String> {
        let href = monitor.and_then(|monitor| monitor.href.as_deref());
        let id = monitor.and_then(|monitor| monitor.id.as_deref());
        let (written, url) = match (href, id, location) {
            (Some(href), _, _) => (href, self.resolve(href)),
            (None, _, Some(location)) => (location, sent_to.join(location).ok()),
            (None, Some(id), None) => (id, self.below(&format!("monitor/{id}")).ok()),
            (None, None, None) => return Err("the answer names no monitor".to_owned()),
        };
        match url {
            Some(url) if url.origin() == self.base.origin() => Ok(url),
            Some(_) => Err(format!(
                "its monitor {} is at another origin",
                quote(written)
            )),
            None => Err(format!("its monitor {} is not a URL", quote(written))),
        }
    }

    /// An `href`, which may be relative to the endpoint's address.
    fn resolve(&self, href: &str) -> Option<Url> {
        let mut base = self.base.clone();
        base.set_path(&format!("{}/", self.base.path().trim_end_matches('/')));
        base.join(href).ok()
    }

    /// Done when an event says that something has happened to a request that is being carried out, since its
    /// monitor was last followed; never where none can come.
    pub(super) async fn heard(&self, monitor: &str) {
        match self.callbacks.as_ref().zip(self.resolve(monitor)) {
            Some((callbacks, url)) => callbacks.expect(&url).heard().await,
            None => std::future::pending().await,
        }
    }

    /// Asks the monitor until it has ended, noting in `last` how it stood.
    /// An error says why asking again is of no use.
    async fn follow(
        &self,
        url: &Url,
        (last, expected): (&mut Stand, &mut Option<Expected>),
    ) -> Result<Monitor, String> {
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(expected) = expected {
                expected.turn().await;
            } else {
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            let answer = match self.get(url).await {
                Ok(answer) => answer,
                Err(error) => {
                    *last = Stand::Unknown(format!("not answering ({})", error.cause()));
                    continue;
                }
            };
            if answer.status.is_success() {
                let monitor = Monitor::parse(answer.body.text());
                let about = monitor.as_ref().and_then(|it| it.source_href.as_deref());
                if let (Some(expected), Some(about)) = (&mut *expected, about) {
                    expected.also(about);
                }
                match monitor {
                    Some(monitor) => match &monitor.state {
                        Some(State::Completed | State::InError) => return Ok(monitor),
                        Some(State::Other(state)) => *last = Stand::AtWork(quote(state)),
                        None => *last = Stand::Unknown("without a state".to_owned()),
                    },
                    None => *last = Stand::Unknown("not readable".to_owned()),
                }
            } else if answer.status.is_server_error() || is_passing(answer.status) {
                *last = Stand::Unknown(format!("answering {}", answer.status));
            } else {
                return Err(format!(
                    "answers {}",
                    said(answer.status, answer.body.text())
                ));
            }
        }
    }

    /// The outcome of a monitor that has ended.
    async fn ended(&self, method: Method, monitor: &Monitor) -> Outcome {
        let status = monitor
            .status
            .and_then(|status| StatusCode::from_u16(status).ok());
        // The state says that the request has ended, the status of its answer with what.
        let is_refused = status.is_some_and(|status| status.as_u16() >= 300);
        if monitor.state == Some(State::InError) || is_refused {
            let state = match monitor.state {
                Some(State::InError) => "monitor in error",
                _ => "monitor completed, but not with success",
            };
            let text = monitor.body.as_deref().map_or("", RawValue::get).as_bytes();
            let reason = match status {
                Some(status) => format!("{state}: {}", said(status, text)),
                None => format!("{state}{}", detail(text)),
            };
            return match status {
                Some(status) if (300..500).contains(&status.as_u16()) && !is_passing(status) => {
                    Outcome::Rejected {
                        status: status.as_u16(),
                        reason,
                    }
                }
                status => Outcome::Failed {
                    status: status.map(|it| it.as_u16()),
                    class: status.map_or(FailureClass::ServerError, |it| {
                        FailureClass::of_status(it.as_u16())
                    }),
                    reason,
                    retry_after: None,
                },
            };
        }
        let status = monitor
            .status
            .filter(|status| (200..300).contains(status))
            .unwrap_or(202);
        let mut resource = monitor.body.clone();
        if resource.is_none()
            && method != Method::Delete
            && let Some(url) = monitor
                .source_href
                .as_deref()
                .and_then(|href| self.resolve(href))
            && url.origin() == self.base.origin()
            && let Ok(answer) = self.get(&url).await
            && answer.status == StatusCode::OK
        {
            resource = read_object(answer.body.text());
        }
        Outcome::Completed { status, resource }
    }
}

/// How a monitor stood when it was last asked.
enum Stand {
    /// It says so, in this word.
    AtWork(String),
    /// It does not tell: how not.
    Unknown(String),
}

/// A monitor said completed, and time was over while the resource was fetched.
const COMPLETED_UNREAD: Outcome = Outcome::Completed {
    status: 202,
    resource: None,
};

fn unknown(class: FailureClass, reason: String) -> Outcome {
    Outcome::Unknown {
        class,
        reason,
        accepted: false,
    }
}

/// The outcome of a request that was accepted, and whose monitor does not tell it.
fn untold(class: FailureClass, why: &str) -> Outcome {
    Outcome::Unknown {
        class,
        reason: format!("accepted, but {why}"),
        accepted: true,
    }
}

/// The outcome of a request that could not be made.
fn unsent(reason: String) -> Outcome {
    Outcome::Failed {
        status: None,
        class: FailureClass::Connect,
        reason,
        retry_after: None,
    }
}

/// The outcome that an answer other than 202 stands for.
fn judge(answer: Answer) -> Outcome {
    let retry_after = answer.retry_after();
    let Answer {
        status,
        location,
        body,
        ..
    } = answer;
    let code = status.as_u16();
    let class = FailureClass::of_status(code);
    let reason = || said(status, body.text());
    match code {
        200..=299 => match &body {
            Body::Whole(text) => match read_object(text) {
                None if !text.trim_ascii().is_empty() => unknown(
                    FailureClass::Malformed,
                    format!("the answer {status} is no JSON object{}", detail(text)),
                ),
                resource => Outcome::Completed {
                    status: code,
                    resource: resource.or_else(|| made_at(status, location.as_deref())),
                },
            },
            Body::TooLarge => Outcome::Completed {
                status: code,
                resource: made_at(status, location.as_deref()),
            },
            Body::Torn(why) => unknown(
                FailureClass::Reset,
                format!("the answer {status} broke off: {why}"),
            ),
        },
        300..=399 => Outcome::Rejected {
            status: code,
            reason: match location {
                Some(to) => format!("{status}: redirects to {} are not followed", quote(&to)),
                None => reason(),
            },
        },
        400..=499 if !is_passing(status) => Outcome::Rejected {
            status: code,
            reason: reason(),
        },
        502 | 504 => unknown(class, reason()),
        400..=599 => Outcome::Failed {
            status: Some(code),
            class,
            reason: reason(),
            retry_after,
        },
        _ => unknown(class, reason()),
    }
}

/// What is known of a resource whose making was answered with nothing but where it is (RFC 9110 §10.2.2).
fn made_at(status: StatusCode, location: Option<&str>) -> Option<Box<RawValue>> {
    let location = location.filter(|_| status == StatusCode::CREATED)?;
    RawValue::from_string(json!({ "href": location }).to_string()).ok()
}

/// The outcome of a request that has no answer.
fn unanswered(error: &SendError) -> Outcome {
    let reason = error.cause();
    match error {
        SendError::Unready(_) => unsent(reason),
        SendError::Http(_) if error.is_unsent() => unsent(format!("cannot connect: {reason}")),
        SendError::Http(_) => unknown(class_of(error), format!("no answer: {reason}")),
    }
}

fn class_of(error: &SendError) -> FailureClass {
    match error {
        error if error.is_unsent() => FailureClass::Connect,
        error if error.is_unreadable() => FailureClass::Malformed,
        _ => FailureClass::Reset,
    }
}

/// Client errors that speak of the moment, not of the request.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429)
}

/// A status and what the body adds to it.
fn said(status: StatusCode, body: &[u8]) -> String {
    format!("{status}{}", detail(body))
}

/// TMF `Error` (code, reason, message), where some members may be absent.
#[derive(Deserialize)]
struct TmfError {
    code: Option<Value>,
    reason: Option<Value>,
    message: Option<Value>,
}

/// `: …` with the members of a TMF Error, or with the text as it is.
fn detail(body: &[u8]) -> String {
    let mut parts = Vec::new();
    if let Ok(error) = serde_json::from_slice::<TmfError>(body) {
        for part in [error.code, error.reason, error.message]
            .into_iter()
            .flatten()
        {
            match part {
                Value::String(text) if !text.is_empty() => parts.push(text),
                Value::Number(number) => parts.push(number.to_string()),
                _ => {}
            }
        }
    }
    if parts.is_empty() {
        parts.push(String::from_utf8_lossy(body).trim().to_owned());
    }
    let text = quote(&parts.join(": "));
    if text.is_empty() {
        text
    } else {
        format!(": {text}")
    }
}

/// Text of a foreign system, made fit for one line on a terminal.
fn quote(text: &str) -> String {
    let mut quoted: String = text
        .chars()
        .take(QUOTED)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(QUOTED).is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Tmf702 {
        Tmf702::open(
            "olt",
            "http://127.0.0.1:8702/olt/v4",
            Duration::from_secs(1),
            Access::default(),
        )
        .unwrap()
    }

    #[test]
    fn paths_stay_below_the_address() {
        let olt = endpoint();
        let url = |path: &str| olt.below(path).map(|url| url.to_string());
        assert_eq!(
            url("resource").unwrap(),
            "http://127.0.0.1:8702/olt/v4/resource"
        );
        assert_eq!(
            url("resource/a b%3Fc#d%20é").unwrap(),
            "http://127.0.0.1:8702/olt/v4/resource/a%20b%3Fc%23d%20%C3%A9"
        );
        assert_eq!(
            url("resource/a/terminate?force=true&why=no use#?/../x").unwrap(),
            "http://127.0.0.1:8702/olt/v4/resource/a/terminate?force=true&why=no%20use%23?/../x"
        );
        for path in [
            "",
            "?force=true",
            "../x?force=true",
            "/",
            "..",
            "../x",
            "resource/../../x",
            "a/%2E%2e/b",
            "/resource",
            "a\\..\\b",
            "a//b",
        ] {
            assert_eq!(
                url(path).unwrap_err(),
                format!("path {path:?} does not lead below the endpoint's address")
            );
        }
    }

    #[test]
    fn foreign_text_is_quoted_on_one_line() {
        assert_eq!(detail(b"\x1b[31mred\nblue"), ":  [31mred blue");
        assert_eq!(detail(&vec![b'x'; 1000]).chars().count(), 2 + QUOTED + 1);
        assert_eq!(detail(b""), "");
        assert_eq!(detail(b"\xff"), ": \u{fffd}");
    }

    #[test]
    fn only_a_json_object_or_nothing_is_an_answer_that_it_is_done() {
        let outcome = |body: &str| {
            judge(Answer {
                status: StatusCode::CREATED,
                location: None,
                retry_after: None,
                date: None,
                media: None,
                body: Body::Whole(body.into()),
            })
        };
        for body in ["", " \r\n", "{}", " {\"id\":\"r\"}\n"] {
            let is_done = matches!(outcome(body), Outcome::Completed { .. });
            assert!(is_done, "{body}: {:?}", outcome(body));
        }
        for body in ["<html>", "{\"id\":", "[]", "null", "OK", "{} {}", "\u{0}"] {
            let Outcome::Unknown { reason, .. } = outcome(body) else {
                panic!("{body}: {:?}", outcome(body));
            };
            assert!(
                reason.starts_with("the answer 201 Created is no JSON object"),
                "{reason}"
            );
        }
    }

    #[test]
    fn what_was_made_is_where_the_answer_says_so_if_it_says_nothing_else() {
        let made = |status, location: Option<&str>, body| {
            let outcome = judge(Answer {
                status,
                location: location.map(str::to_owned),
                retry_after: None,
                date: None,
                media: None,
                body,
            });
            let Outcome::Completed { resource, .. } = outcome else {
                panic!("{outcome:?}");
            };
            resource.map(|it| it.get().to_owned())
        };
        let at = Some("http://olt/api/resource/olt-7");
        let told = Some(r#"{"href":"http://olt/api/resource/olt-7"}"#.to_owned());
        let nothing = || Body::Whole(Vec::new());
        assert_eq!(made(StatusCode::CREATED, at, nothing()), told);
        assert_eq!(made(StatusCode::CREATED, at, Body::TooLarge), told);
        assert_eq!(made(StatusCode::CREATED, None, nothing()), None);
        assert_eq!(made(StatusCode::NO_CONTENT, at, nothing()), None);
        let own = Body::Whole(br#"{"id":"7"}"#.to_vec());
        let said = Some(r#"{"id":"7"}"#.to_owned());
        assert_eq!(made(StatusCode::CREATED, at, own), said);
    }

    #[test]
    fn every_status_has_a_meaning() {
        for code in 100..1000 {
            let status = StatusCode::from_u16(code).unwrap();
            let body =
                Body::Whole(b"{\"code\":\"60\",\"reason\":\"r\",\"message\":\"m\"}".to_vec());
            let outcome = judge(Answer {
                status,
                location: None,
                retry_after: None,
                date: None,
                media: None,
                body,
            });
            match (code, &outcome) {
                (200..=299, Outcome::Completed { .. })
                | (408 | 425 | 429 | 500 | 501 | 503 | 505..=599, Outcome::Failed { .. })
                | (300..=499, Outcome::Rejected { .. })
                | (100..=199 | 502 | 504 | 600..=999, Outcome::Unknown { .. }) => {}
                _ => panic!("{code}: {outcome:?}"),
            }
            if let Outcome::Rejected { reason, .. } = outcome {
                assert!(reason.ends_with(": 60: r: m"), "{reason}");
            }
        }
    }
}
