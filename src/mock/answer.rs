//! Answers, and what becomes of them on their way.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::json;

/// An answer to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub status: u16,
    pub location: Option<String>,
    /// What `Retry-After` says.
    pub retry_after: Option<String>,
    /// `Content-Type` of the body.
    pub media: Cow<'static, str>,
    pub body: Bytes,
}

/// The media type of nearly all answers.
pub(super) const JSON: &str = "application/json";

impl Reply {
    /// An answer with a JSON body, or an empty one.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            location: None,
            retry_after: None,
            media: Cow::Borrowed(JSON),
            body: body.into(),
        }
    }

    /// Headers by name, but for the length.
    pub fn headers(&self) -> Vec<(&'static str, &str)> {
        let media = (!self.body.is_empty()).then_some(("content-type", &*self.media));
        let location = self.location.as_deref().map(|to| ("location", to));
        let retry = self.retry_after.as_deref().map(|it| ("retry-after", it));
        [media, location, retry].into_iter().flatten().collect()
    }

    /// The head as it stands on the wire, its empty line included.
    pub fn head(&self) -> String {
        let status = StatusCode::from_u16(self.status).ok();
        let reason = status.and_then(|it| it.canonical_reason());
        let mut head = format!(
            "HTTP/1.1 {} {}\r\n",
            self.status,
            reason.unwrap_or_default()
        );
        for (name, value) in self.headers() {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if self.status != 204 {
            let length = self.body.len().to_string();
            head.extend(["content-length: ", &length, "\r\n"]);
        }
        head + "\r\n"
    }

    /// All of it as it stands on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        [self.head().as_bytes(), &self.body].concat()
    }
}

/// Whether and how an answer reaches the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Delivery {
    Answer(Reply),
    /// Byte for byte as it stands, with a pause between them if there is one;
    /// then the connection is closed.
    Raw {
        /// What the record shows of it.
        reply: Reply,
        bytes: Bytes,
        pause: Option<Duration>,
    },
    Never,
    Close,
    Reset,
}

impl Delivery {
    /// Bytes in place of an answer.
    pub fn raw(reply: &Reply, bytes: Vec<u8>) -> Self {
        Self::Raw {
            reply: reply.clone(),
            bytes: bytes.into(),
            pause: None,
        }
    }

    /// The answer, if one sets out.
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Answer(reply) | Self::Raw { reply, .. } => Some(reply),
            Self::Never | Self::Close | Self::Reset => None,
        }
    }
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
    Reply::new(status, text.to_string())
}
