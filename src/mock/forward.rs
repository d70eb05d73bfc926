//! The endpoint itself, asked in the mock's place.

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use tokio::time::timeout;

use super::answer::{Delivery, JSON, Reply, error};
use crate::endpoint::connection::{Body, Connection, SendError};
use crate::endpoint::{EndpointDefinition, OpenError, Protocol};

/// Headers that are handed on; credentials are the endpoint's own.
const HANDED_ON: [HeaderName; 4] = [
    ACCEPT,
    CONTENT_TYPE,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("x-orderctl-task"),
];

/// Marks what was handed on: an address that leads back here would do so without end.
pub(super) const HANDED: HeaderName = HeaderName::from_static("x-orderctl-proxy");

/// An endpoint that requests are handed on to.
#[derive(Debug)]
pub(super) struct Forward {
    base: Url,
    timeout: Duration,
    connection: Arc<Connection>,
}

/// A request to be handed on.
pub(super) struct Request<'a> {
    pub method: &'a Method,
    /// Path at the mock, with its query.
    pub path: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl Forward {
    /// None for an endpoint that is not spoken to over HTTP.
    pub fn open(definition: &EndpointDefinition) -> Option<Result<Self, OpenError>> {
        let Protocol::Tmf702 { address, access } = &definition.protocol else {
            return None;
        };
        let base = Url::parse(address).expect("the address of a definition is a URL");
        let (name, timeout) = (&definition.name, definition.timeout);
        let connection = Connection::new(name, &base, timeout, access.as_ref().clone());
        Some(connection.prepare().map(|()| Self {
            base,
            timeout,
            connection: Arc::new(connection),
        }))
    }

    /// Hands a request on. What is not known to have been sent is answered by
    /// 503, what has no answer by 504.
    pub async fn send(&self, request: &Request<'_>) -> Delivery {
        if request.headers.contains_key(HANDED) {
            let message = "the address of this endpoint leads back to this proxy";
            return Delivery::Answer(error(508, "loop", message));
        }
        let Some((here, url)) = self.address(request.path) else {
            return Delivery::Answer(error(404, "notFound", "there is nothing at this path"));
        };
        let mut sent = reqwest::Request::new(request.method.clone(), url);
        sent.headers_mut()
            .insert(HANDED, HeaderValue::from_static("1"));
        for name in HANDED_ON {
            if let Some(value) = request.headers.get(&name) {
                sent.headers_mut().insert(name, value.clone());
            }
        }
        if !request.body.is_empty() {
            *sent.body_mut() = Some(request.body.to_vec().into());
        }
        let answer = match timeout(self.timeout, self.connection.send(sent)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(refused)) => return Delivery::Answer(unanswered(&refused)),
            Err(_) => {
                let message = format!("no answer within {:?}", self.timeout);
                return Delivery::Answer(error(504, "noAnswer", &message));
            }
        };
        let body = match answer.body {
            Body::Whole(text) => text,
            Body::TooLarge => {
                let message = "the answer is too large";
                return Delivery::Answer(error(504, "tooLarge", message));
            }
            // It breaks off here as it did there.
            Body::Torn(_) => return Delivery::Close,
        };
        let media = answer.media.as_ref().and_then(|it| it.to_str().ok());
        Delivery::Answer(Reply {
            location: answer.location.map(|to| self.brought_here(&to, &here)),
            retry_after: answer.retry_after.as_ref().and_then(text),
            media: media.unwrap_or(JSON).to_owned().into(),
            ..Reply::new(answer.status.as_u16(), self.hrefs_here(body, &here))
        })
    }

    /// The mock's path that stands for the endpoint's address, and the URL
    /// there that a path leads to: what follows `/<name>/tmf-api/<API>/<version>`.
    fn address(&self, path: &str) -> Option<(String, Url)> {
        let mut parts = path.splitn(6, '/').skip(1);
        let (name, root) = (parts.next()?, parts.next()?);
        let (api, version, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let address = self.base.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{address}/{rest}")).ok()?;
        let below = url
            .path()
            .strip_prefix(self.base.path().trim_end_matches('/'))?;
        let stays = below.starts_with('/') && url.origin() == self.base.origin();
        (root == "tmf-api" && stays).then(|| (format!("/{name}/{root}/{api}/{version}/"), url))
    }

    /// A URL of the endpoint as one of the mock.
    fn brought_here(&self, to: &str, here: &str) -> String {
        let there = self
            .prefixes()
            .into_iter()
            .find(|there| to.starts_with(there));
        there.map_or_else(|| to.to_owned(), |there| to.replacen(&there, here, 1))
    }

    /// A JSON text whose hrefs lead to the mock, so that what follows them is
    /// recorded too.
    fn hrefs_here(&self, body: Vec<u8>, here: &str) -> Vec<u8> {
        let Ok(mut text) = String::from_utf8(body.clone()) else {
            return body;
        };
        for there in self.prefixes() {
            text = text.replace(&format!("\"{there}"), &format!("\"{here}"));
        }
        text.into_bytes()
    }

    /// How URLs of the endpoint begin: with its origin, or without.
    fn prefixes(&self) -> [String; 2] {
        let path = format!("{}/", self.base.path().trim_end_matches('/'));
        [
            format!("{}{path}", self.base.origin().ascii_serialization()),
            path,
        ]
    }
}

fn text(value: &HeaderValue) -> Option<String> {
    value.to_str().ok().map(str::to_owned)
}

fn unanswered(refused: &SendError) -> Reply {
    if refused.is_unsent() {
        error(503, "notSent", &refused.cause())
    } else {
        error(504, "noAnswer", &refused.cause())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Access;

    fn forward(address: &str) -> Forward {
        let definition = EndpointDefinition {
            name: "olt".to_owned(),
            protocol: Protocol::Tmf702 {
                address: address.to_owned(),
                access: Box::new(Access::default()),
            },
            timeout: Duration::from_secs(1),
            terms: crate::endpoint::Terms::default(),
        };
        Forward::open(&definition).unwrap().unwrap()
    }

    #[test]
    fn a_path_of_the_mock_leads_below_the_address() {
        let olt = forward("http://127.0.0.1:1/olt/v4");
        let address = |path: &str| olt.address(path).map(|(here, url)| (here, url.to_string()));
        assert_eq!(
            address("/olt/tmf-api/A/v4/resource/a%2Fb?fields=id"),
            Some((
                "/olt/tmf-api/A/v4/".to_owned(),
                "http://127.0.0.1:1/olt/v4/resource/a%2Fb?fields=id".to_owned()
            ))
        );
        for path in [
            "/olt",
            "/olt/x/A/v4/r",
            "/olt/tmf-api/A/v4",
            "/olt/tmf-api/A/v4/../../../x",
        ] {
            assert_eq!(address(path), None, "{path}");
        }
    }

    #[test]
    fn answers_lead_back_to_the_mock() {
        let olt = forward("http://127.0.0.1:1/olt/v4");
        let here = "/olt/tmf-api/A/v4/";
        let body = r#"{"a":"http://127.0.0.1:1/olt/v4/m/1","b":"/olt/v4/m/1","c":"http://127.0.0.2/olt/v4/"}"#;
        assert_eq!(
            String::from_utf8(olt.hrefs_here(body.as_bytes().to_vec(), here)).unwrap(),
            r#"{"a":"/olt/tmf-api/A/v4/m/1","b":"/olt/tmf-api/A/v4/m/1","c":"http://127.0.0.2/olt/v4/"}"#
        );
        let location = |to: &str| olt.brought_here(to, here);
        assert_eq!(location("/olt/v4/m/1"), "/olt/tmf-api/A/v4/m/1");
        assert_eq!(
            location("http://127.0.0.1:1/olt/v4/m"),
            "/olt/tmf-api/A/v4/m"
        );
        assert_eq!(location("http://127.0.0.2/m"), "http://127.0.0.2/m");
    }
}
