//! The endpoints that all chains under way share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use foldhash::{HashMap, HashMapExt as _};

use super::permits::Permits;
use super::traffic::Traffic;
use crate::endpoint::{Call, Endpoint, EndpointDefinition, Finding, Inquiry, Outcome, Terms};
use crate::retry::FailureClass;

/// What takes calls: an endpoint, or what stands in for one in a test.
pub trait Callable: Send + Sync + 'static {
    /// Sends one request.
    fn send(&self, call: &Call<'_>) -> impl Future<Output = Outcome> + Send;

    /// Finds out how a request ends that was accepted, by its monitor; what accepts none has none.
    fn follow(&self, _: &Call<'_>, monitor: &str) -> impl Future<Output = Outcome> + Send {
        let reason = format!("accepted, but nobody follows its monitor {monitor}");
        let class = FailureClass::Malformed;
        let accepted = true;
        async move {
            Outcome::Unknown {
                class,
                reason,
                accepted,
            }
        }
    }

    /// Done when it is told that something has happened to a request that was accepted; never where nobody
    /// tells.
    fn heard(&self, _monitor: &str) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// Asks what came of a request whose answer is not known; not everything can be asked.
    fn ask(&self, _: &Call<'_>, _: &Inquiry<'_>) -> impl Future<Output = Finding> + Send {
        let reason = "it cannot be asked".to_owned();
        async move { Finding::Impossible { reason } }
    }

    /// How long to wait before each call, in the time of the order: what an
    /// endpoint takes that is only simulated.
    fn latency(&self) -> Duration {
        Duration::ZERO
    }
}

impl Callable for Endpoint {
    fn send(&self, call: &Call<'_>) -> impl Future<Output = Outcome> + Send {
        Self::send(self, call)
    }

    fn follow(&self, call: &Call<'_>, monitor: &str) -> impl Future<Output = Outcome> + Send {
        Self::follow(self, call, monitor)
    }

    fn heard(&self, monitor: &str) -> impl Future<Output = ()> + Send {
        Self::heard(self, monitor)
    }

    fn ask(&self, call: &Call<'_>, inquiry: &Inquiry<'_>) -> impl Future<Output = Finding> + Send {
        Self::ask(self, call, inquiry)
    }

    fn latency(&self) -> Duration {
        Self::latency(self)
    }
}

/// Endpoints by name, each with its limits.
#[derive(Debug)]
pub struct Pool<E = Endpoint> {
    lines: HashMap<String, Line<E>>,
}

/// One endpoint and its limits.
#[derive(Debug)]
pub(super) struct Line<E> {
    pub endpoint: E,
    /// One for each call that may be under way.
    pub permits: Arc<Permits>,
    /// What it bears.
    pub terms: Terms,
    /// What was sent to it by the system's clock.
    pub traffic: Arc<Mutex<Traffic>>,
}

impl<E> Default for Pool<E> {
    fn default() -> Self {
        Self {
            lines: HashMap::new(),
        }
    }
}

impl Pool<Endpoint> {
    /// The endpoints that were opened from these definitions.
    #[must_use]
    pub fn open(endpoints: impl IntoIterator<Item = (EndpointDefinition, Endpoint)>) -> Self {
        let mut pool = Self::default();
        for (definition, endpoint) in endpoints {
            pool.add(&definition.name, endpoint, definition.terms);
        }
        pool
    }
}

impl<E> Pool<E> {
    /// Adds an endpoint that is called on these terms.
    pub fn add(&mut self, name: &str, endpoint: E, terms: Terms) {
        self.lines.insert(
            name.to_owned(),
            Line {
                endpoint,
                permits: Permits::new(terms.concurrency),
                terms,
                traffic: Arc::default(),
            },
        );
    }

    pub(super) fn line(&self, name: &str) -> Option<&Line<E>> {
        self.lines.get(name)
    }
}
