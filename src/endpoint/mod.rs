//! Endpoints: the systems at the far end, one protocol a file.
//!
//! A call is made once and ends in one [`Outcome`]; whether and when it is
//! repeated is decided elsewhere. No outcome is guessed: where a request went
//! out and nothing certain came back, the outcome is [`Outcome::Unknown`], and
//! the endpoint can be [asked](Endpoint::ask) what came of it.

mod access;
mod callbacks;
pub(crate) mod connection;
mod definition;
mod inquiry;
mod listener;
mod mask;
mod monitor;
mod secret;
mod simulated;
mod terms;
mod tmf702;
mod verdict;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use thiserror::Error;

use crate::plan::flow::{Method, Request};
use crate::retry::FailureClass;

pub use crate::configuration::Fault;
pub use crate::retry::DEFAULT_RETRIES;
pub use access::{Access, ApiKey, Authorization, Identity};
pub use callbacks::Callbacks;
pub use definition::{
    DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT, DefinitionError, EndpointDefinition, Endpoints,
    FORMAT_MAJOR, Lookup, Protocol,
};
pub use inquiry::{Finding, Inquiry};
pub use listener::EventListener;
pub use secret::{Secret, SecretError, SecretSource};
pub use simulated::Simulated;
pub use terms::{Breaker, Rate, ReadBack, Terms};
pub use tmf702::Tmf702;

/// One call to an endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Id of the task that it carries out.
    pub task: &'a str,
    /// What is sent.
    pub request: &'a Request,
    /// Key under which the endpoint recognises a repeated request.
    pub idempotency_key: &'a str,
}

/// How a call ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The effect has happened.
    Completed {
        /// HTTP status that said so.
        status: u16,
        /// The resource as answered; none where the answer held no JSON that
        /// could be read, or more than [`ANSWER_LIMIT`].
        resource: Option<Box<RawValue>>,
    },
    /// It is being carried out, and its end is to be found out.
    Accepted {
        /// URL of the monitor that tells it.
        monitor: String,
    },
    /// It is still being carried out, its monitor says, and it was waited for long enough.
    AtWork {
        /// What the monitor says.
        reason: String,
    },
    /// The endpoint understood and refuses; repeating would be refused again.
    Rejected {
        /// HTTP status.
        status: u16,
        /// What the endpoint said.
        reason: String,
    },
    /// The effect has not happened, or the endpoint says so; may be repeated.
    Failed {
        /// HTTP status; none where there was no answer because nothing was sent.
        status: Option<u16>,
        /// Its class.
        class: FailureClass,
        /// What went wrong.
        reason: String,
        /// How long to wait, as the endpoint asks for.
        retry_after: Option<Duration>,
    },
    /// The request went out and whether the effect happened is not known: it
    /// has to be found out before the request is sent again.
    Unknown {
        /// What kept the answer away.
        class: FailureClass,
        /// What is missing.
        reason: String,
        /// Whether the endpoint has accepted it: then it comes to something, maybe later.
        accepted: bool,
    },
}

/// Largest answer that is read, in bytes.
pub const ANSWER_LIMIT: usize = 16 * 1024 * 1024;

/// An endpoint that cannot be opened.
#[derive(Debug, Error)]
#[error("endpoint {name}: {kind}")]
pub struct OpenError {
    /// Name of the endpoint.
    pub name: String,
    /// What is wrong.
    pub kind: OpenErrorKind,
}

/// Why an endpoint cannot be opened.
#[derive(Debug, Error)]
pub enum OpenErrorKind {
    /// Its address is not a URL.
    #[error("address {0:?} is not a URL that requests can go to")]
    Address(String),
    /// The HTTP client could not be made (no usable certificates, for instance).
    #[error("cannot set up an HTTP client: {0}")]
    Client(reqwest::Error),
    /// A secret cannot be fetched.
    #[error("there is no {what}: {source}")]
    Secret {
        /// The key of the endpoints file.
        what: &'static str,
        /// Why not.
        source: SecretError,
    },
    /// A secret cannot be sent in a header.
    #[error("{what} holds characters that a header cannot carry")]
    Unfit {
        /// The key of the endpoints file.
        what: &'static str,
    },
    /// A certificate cannot be read.
    #[error("cannot read certificate {}: {source}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file with authorities holds none.
    #[error("there is no certificate (PEM) in {}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key do not make an identity.
    #[error(
        "{} and {key} do not hold a certificate and its private key, unencrypted, as PEM",
        certificate.display()
    )]
    Identity {
        /// The file with the certificate.
        certificate: PathBuf,
        /// Where the key comes from.
        key: String,
    },
}

/// An endpoint that can be called; shared by all calls to it.
#[derive(Debug)]
pub enum Endpoint {
    /// TMF702 over HTTP.
    Tmf702(Tmf702),
    /// In process.
    Simulated(Simulated),
}

impl Endpoint {
    /// Opens an endpoint. Nothing is sent, and no secret fetched yet.
    ///
    /// # Errors
    /// Where its address is of no use.
    pub fn open(definition: &EndpointDefinition) -> Result<Self, OpenError> {
        match &definition.protocol {
            Protocol::Tmf702 { address, access } => {
                let EndpointDefinition { name, timeout, .. } = definition;
                Tmf702::open(name, address, *timeout, Access::clone(access)).map(Self::Tmf702)
            }
            Protocol::Simulated { latency, fail } => Ok(Self::Simulated(Simulated::new(
                &definition.name,
                *latency,
                definition.timeout,
                fail,
            ))),
        }
    }

    /// Lets it look at once at what events say has ended, and seldom by itself.
    #[must_use]
    pub fn heeding(self, callbacks: &Arc<Callbacks>) -> Self {
        match self {
            Self::Tmf702(endpoint) => Self::Tmf702(endpoint.heeding(callbacks)),
            Self::Simulated(_) => self,
        }
    }

    /// Fetches secrets and loads certificates, so that what is missing is known
    /// before anything is sent; otherwise the first call does. Blocks while a
    /// command that tells a secret runs.
    ///
    /// # Errors
    /// Where a secret or certificate cannot be had.
    pub fn prepare(&self) -> Result<(), OpenError> {
        match self {
            Self::Tmf702(endpoint) => endpoint.prepare(),
            Self::Simulated(_) => Ok(()),
        }
    }

    /// How long the caller has to wait before each call: what a simulated endpoint takes, which
    /// has no time of its own.
    #[must_use]
    pub fn latency(&self) -> Duration {
        match self {
            Self::Tmf702(_) => Duration::ZERO,
            Self::Simulated(endpoint) => endpoint.latency(),
        }
    }

    /// Makes one call, and follows its monitor where it was only accepted. It
    /// must run on a tokio runtime with I/O and time.
    pub async fn call(&self, call: &Call<'_>) -> Outcome {
        match self.send(call).await {
            Outcome::Accepted { monitor } => self.follow(call, &monitor).await,
            outcome => outcome,
        }
    }

    /// Sends one request. It must run on a tokio runtime with I/O and time.
    pub async fn send(&self, call: &Call<'_>) -> Outcome {
        match self {
            Self::Tmf702(endpoint) => endpoint.send(call).await,
            Self::Simulated(endpoint) => endpoint.call(call),
        }
    }

    /// Finds out how an accepted request ends.
    pub async fn follow(&self, call: &Call<'_>, monitor: &str) -> Outcome {
        match self {
            Self::Tmf702(endpoint) => endpoint.follow_monitor(call, monitor).await,
            Self::Simulated(endpoint) => endpoint.call(call),
        }
    }

    /// Done when an event says that something has happened to a request that was accepted, of which this
    /// is the monitor; never where none can come.
    pub async fn heard(&self, monitor: &str) {
        match self {
            Self::Tmf702(endpoint) => endpoint.heard(monitor).await,
            Self::Simulated(_) => std::future::pending().await,
        }
    }

    /// Asks what came of a request whose answer is not known.
    pub async fn ask(&self, call: &Call<'_>, inquiry: &Inquiry<'_>) -> Finding {
        match self {
            Self::Tmf702(endpoint) => endpoint.ask(call, inquiry).await,
            Self::Simulated(_) => Finding::Impossible {
                reason: "a simulated endpoint keeps nothing".to_owned(),
            },
        }
    }

    /// What [`call`](Self::call) would send, as HTTP text for people: method
    /// and absolute URL, headers (credentials masked), an empty line, the body.
    #[must_use]
    pub fn exact_request(&self, call: &Call<'_>) -> String {
        match self {
            Self::Tmf702(endpoint) => endpoint.exact_request(call),
            Self::Simulated(endpoint) => endpoint.exact_request(call),
        }
    }
}

const fn method_name(method: Method) -> &'static str {
    match method {
        Method::Post => "POST",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}
