//! The connection to an endpoint over HTTP: TLS, credentials, limits.
//!
//! Nothing that is sent goes anywhere but to the endpoint's own origin:
//! redirects are not followed, proxies of the environment not used. What comes
//! back is limited in size, and credentials that an endpoint echoes are masked
//! before anybody else sees the answer.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, DATE, HOST, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::{Certificate, Client, Identity, Request, StatusCode, Url};
use tokio::task::spawn_blocking;

use super::access::{Access, Authorization};
use super::mask::Mask;
use super::secret::{Secret, SecretSource};
use super::{OpenError, OpenErrorKind};

/// How long an unused connection is kept: less than servers usually do, so
/// that a request seldom goes out on a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(20);

/// How an endpoint is reached. Credentials are fetched and certificates loaded
/// when it is made ready, or with the first request.
pub(crate) struct Connection {
    name: String,
    encrypted: bool,
    /// The `Host` of every request, where a header can say it.
    host: Option<HeaderValue>,
    connect_timeout: Duration,
    access: Access,
    ready: Mutex<Option<Arc<Ready>>>,
}

/// What requests need.
struct Ready {
    client: Client,
    /// Headers with credentials.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What answers are looked at through.
    mask: Mask,
}

/// An answer, read as far as it came.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub location: Option<String>,
    pub retry_after: Option<HeaderValue>,
    /// When the other side says that it answered.
    pub date: Option<HeaderValue>,
    /// `Content-Type`.
    pub media: Option<HeaderValue>,
    pub body: Body,
}

/// The body of an answer.
pub(crate) enum Body {
    Whole(Vec<u8>),
    TooLarge,
    Torn(String),
}

/// A request that has no answer.
pub(crate) enum SendError {
    /// Nothing was sent: the connection could not be made ready.
    Unready(OpenError),
    /// The exchange failed.
    Http(reqwest::Error),
}

impl Body {
    /// The text, empty where there is no whole one.
    pub fn text(&self) -> &[u8] {
        match self {
            Self::Whole(text) => text,
            Self::TooLarge | Self::Torn(_) => &[],
        }
    }
}

/// Longest `Retry-After` that is believed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

impl Answer {
    /// How long the other side asks to wait (RFC 9110 §10.2.3): seconds, or a moment, which counts
    /// from its own `Date`. At most a day.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.retry_after.as_ref()?.to_str().ok()?.trim();
        let time = if let Ok(seconds) = text.parse::<u64>() {
            Duration::from_secs(seconds)
        } else {
            let moment = |text: &str| -> Option<Timestamp> {
                let parser = rfc2822::DateTimeParser::new();
                parser.parse_timestamp(text).ok()
            };
            let now = moment(self.date.as_ref()?.to_str().ok()?)?;
            Duration::try_from(moment(text)?.duration_since(now)).unwrap_or_default()
        };
        Some(time.min(LONGEST_RETRY_AFTER))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("name", &self.name)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// To the origin of this address; `timeout` is that of a whole request.
    pub fn new(name: &str, address: &Url, timeout: Duration, access: Access) -> Self {
        Self {
            name: name.to_owned(),
            encrypted: address.scheme() == "https",
            host: HeaderValue::from_str(&authority(address)).ok(),
            // A host that swallows packets must show as "not connected", which
            // is known to have no effect, before the whole time is over.
            connect_timeout: access
                .connect_timeout
                .unwrap_or(timeout / 2)
                .min(timeout / 2),
            access,
            ready: Mutex::new(None),
        }
    }

    /// How it is reached.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Fetches credentials and loads certificates. Blocks while a command runs.
    pub fn prepare(&self) -> Result<(), OpenError> {
        let ready = self.made()?;
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(ready));
        Ok(())
    }

    /// Sends a request with the endpoint's credentials and reads the answer.
    ///
    /// A 401 says that nothing was done for want of valid credentials. Where
    /// others can be fetched by now, the request goes out again with them, once.
    pub async fn send(self: &Arc<Self>, request: Request) -> Result<Answer, SendError> {
        let ready = self.ready().await.map_err(SendError::Unready)?;
        let again = if self.access.is_renewable() {
            request.try_clone()
        } else {
            None
        };
        let answer = self.exchange(&ready, request).await?;
        match again {
            Some(request) if answer.status == StatusCode::UNAUTHORIZED => {
                match self.renewed(&ready).await {
                    Some(ready) => self.exchange(&ready, request).await,
                    None => Ok(answer),
                }
            }
            _ => Ok(answer),
        }
    }

    async fn exchange(&self, ready: &Ready, mut request: Request) -> Result<Answer, SendError> {
        for (name, value) in &ready.headers {
            request.headers_mut().insert(name, value.clone());
        }
        // The client would write it anew for each request.
        if let Some(host) = &self.host {
            request.headers_mut().insert(HOST, host.clone());
        }
        let mut response = ready
            .client
            .execute(request)
            .await
            .map_err(SendError::Http)?;
        let status = response.status();
        let location = response.headers().get(LOCATION);
        let location = location.and_then(|value| value.to_str().ok()).map(|to| {
            let masked = ready.mask.apply(to.as_bytes().to_vec());
            String::from_utf8_lossy(&masked).into_owned()
        });
        let retry_after = response.headers().get(RETRY_AFTER).cloned();
        let date = response.headers().get(DATE).cloned();
        let media = response.headers().get(CONTENT_TYPE).cloned();
        let limit = self.access.answer_limit;
        let mut text = Vec::new();
        let body = loop {
            match response.chunk().await {
                Ok(None) => break Body::Whole(ready.mask.apply(text)),
                Ok(Some(chunk)) if text.len() + chunk.len() > limit => break Body::TooLarge,
                Ok(Some(chunk)) => text.extend_from_slice(&chunk),
                Err(error) => break Body::Torn(cause(&error)),
            }
        };
        Ok(Answer {
            status,
            location,
            retry_after,
            date,
            media,
            body,
        })
    }

    async fn ready(self: &Arc<Self>) -> Result<Arc<Ready>, OpenError> {
        if let Some(ready) = &*self.ready.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(ready));
        }
        let ready = Arc::new(self.made_aside().await?);
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&ready));
        Ok(ready)
    }

    /// Ready with other credentials than before; `None` where there are none.
    async fn renewed(self: &Arc<Self>, before: &Arc<Ready>) -> Option<Arc<Ready>> {
        let now = self.ready().await.ok()?;
        // Another request may have fetched them already.
        if !Arc::ptr_eq(&now, before) {
            return Some(now);
        }
        let made = self.made_aside().await.ok()?;
        if made.headers == before.headers {
            return None;
        }
        let made = Arc::new(made);
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&made));
        Some(made)
    }

    /// [`made`](Self::made), off the threads that serve other requests.
    async fn made_aside(self: &Arc<Self>) -> Result<Ready, OpenError> {
        if !self.access.is_renewable() {
            return self.made();
        }
        let connection = Arc::clone(self);
        spawn_blocking(move || connection.made())
            .await
            .expect("making a connection ready does not panic")
    }

    fn made(&self) -> Result<Ready, OpenError> {
        let client = self.client()?;
        let (mut headers, mut secrets) = (Vec::new(), Vec::new());
        if let Some(authorization) = &self.access.authorization {
            let value = match authorization {
                Authorization::Bearer(source) => {
                    let token = self.secret("token", source)?;
                    let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
                    secrets.push(token.expose().to_owned());
                    value.map_err(|_| self.unfit("token"))?
                }
                Authorization::Basic { user, password } => {
                    let password = self.secret("password", password)?;
                    let value =
                        basic(&client, user, &password).ok_or_else(|| self.unfit("password"))?;
                    secrets.push(format!("{user}:{}", password.expose()));
                    secrets.push(password.expose().to_owned());
                    value
                }
            };
            headers.push((AUTHORIZATION, value));
        }
        if let Some(key) = &self.access.api_key {
            let secret = self.secret("apiKey", &key.value)?;
            let value = HeaderValue::from_str(secret.expose());
            headers.push((key.header.clone(), value.map_err(|_| self.unfit("apiKey"))?));
            secrets.push(secret.expose().to_owned());
        }
        for (_, value) in &mut headers {
            value.set_sensitive(true);
        }
        let sent = headers.iter().filter_map(|(_, value)| value.to_str().ok());
        let sent = sent.filter_map(|value| value.rsplit(' ').next());
        let mask = Mask::of(secrets.iter().map(String::as_str), sent);
        Ok(Ready {
            client,
            headers,
            mask,
        })
    }

    fn secret(&self, what: &'static str, source: &SecretSource) -> Result<Secret, OpenError> {
        source
            .read()
            .map_err(|source| self.error(OpenErrorKind::Secret { what, source }))
    }

    fn unfit(&self, what: &'static str) -> OpenError {
        self.error(OpenErrorKind::Unfit { what })
    }

    fn error(&self, kind: OpenErrorKind) -> OpenError {
        OpenError {
            name: self.name.clone(),
            kind,
        }
    }

    fn client(&self) -> Result<Client, OpenError> {
        // An answer may have as many headers as `hyper` reads by default, a hundred: a number that is
        // given makes it prepare the room for them anew for each answer.
        let mut client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // Not even once: then nothing is kept for a repetition.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .no_proxy()
            .tcp_nodelay(true)
            .pool_idle_timeout(IDLE)
            .connect_timeout(self.connect_timeout);
        if !self.encrypted {
            // Spares loading the system's certificates, which nothing will ask for.
            client = client.tls_certs_only(std::iter::empty());
        } else if let Some(path) = &self.access.ca {
            client = client.tls_certs_only(self.authorities(path)?);
        }
        if let Some(identity) = self.access.identity.as_ref().filter(|_| self.encrypted) {
            let mut pem = self.read(&identity.certificate)?;
            let key = identity.key.fetch().map_err(|source| {
                self.error(OpenErrorKind::Secret {
                    what: "key",
                    source,
                })
            })?;
            pem.push(b'\n');
            pem.extend_from_slice(&key);
            let unusable = || OpenErrorKind::Identity {
                certificate: identity.certificate.clone(),
                key: identity.key.to_string(),
            };
            let identity = Identity::from_pem(&pem).map_err(|_| self.error(unusable()))?;
            client = client.identity(identity);
        }
        client
            .build()
            .map_err(|source| self.error(OpenErrorKind::Client(source)))
    }

    fn authorities(&self, path: &Path) -> Result<Vec<Certificate>, OpenError> {
        let pem = self.read(path)?;
        let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if certificates.is_empty() {
            let path = path.to_owned();
            return Err(self.error(OpenErrorKind::Authorities { path }));
        }
        Ok(certificates)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, OpenError> {
        std::fs::read(path).map_err(|source| {
            self.error(OpenErrorKind::Certificate {
                path: path.to_owned(),
                source,
            })
        })
    }
}

/// The `Basic` authorization; `None` where it cannot be a header.
fn basic(client: &Client, user: &str, password: &Secret) -> Option<HeaderValue> {
    let request = client
        .get("http://localhost")
        .basic_auth(user, Some(password.expose()));
    request.build().ok()?.headers().get(AUTHORIZATION).cloned()
}

impl SendError {
    /// Whether it is certain that nothing was sent.
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::Unready(_) => true,
            Self::Http(error) => error.is_connect() || error.is_builder(),
        }
    }

    /// Whether something came that is no answer.
    pub fn is_unreadable(&self) -> bool {
        let Self::Http(error) = self else {
            return false;
        };
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<hyper::Error>() {
                return error.is_parse();
            }
            cause = error.source();
        }
        false
    }

    /// What went wrong, without the URL, which the caller knows.
    pub fn cause(&self) -> String {
        match self {
            Self::Unready(error) => error.to_string(),
            Self::Http(error) => cause(error),
        }
    }
}

/// Host and, where it is not the scheme's own, port.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The innermost cause.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = match std::error::Error::source(error) {
        Some(source) => source,
        None => return "the request could not be carried out".to_owned(),
    };
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_wait_is_given_in_seconds_or_as_a_moment_beside_the_date() {
        let wait = |retry_after: &str, date: Option<&str>| {
            let value = |text: &str| HeaderValue::from_str(text).unwrap();
            let answer = Answer {
                status: StatusCode::SERVICE_UNAVAILABLE,
                location: None,
                retry_after: Some(value(retry_after)),
                date: date.map(value),
                media: None,
                body: Body::Whole(Vec::new()),
            };
            answer.retry_after().map(|it| it.as_secs())
        };
        let (now, later) = (
            "Thu, 26 Nov 2026 10:00:00 GMT",
            "Thu, 26 Nov 2026 10:01:30 GMT",
        );
        assert_eq!(wait("120", None), Some(120));
        assert_eq!(wait(later, Some(now)), Some(90));
        assert_eq!(wait(now, Some(later)), Some(0), "it is over already");
        assert_eq!(wait(later, None), None, "whose time it is, nobody says");
        assert_eq!(wait("99999999999", None), Some(24 * 60 * 60));
        for text in ["", "soon", "-1", "1.5"] {
            assert_eq!(wait(text, Some(now)), None, "{text}");
        }
    }
}
