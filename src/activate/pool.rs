//! The endpoints that all chains under way share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::permits::Permits;
use crate::endpoint::{Call, Endpoint, EndpointDefinition, Outcome};

/// What takes calls: an endpoint, or what stands in for one in a test.
pub trait Callable: Send + Sync + 'static {
    /// Makes one call.
    fn call(&self, call: &Call<'_>) -> impl Future<Output = Outcome> + Send;

    /// How long to wait before each call, in the time of the order: what an
    /// endpoint takes that is only simulated.
    fn latency(&self) -> Duration {
        Duration::ZERO
    }
}

impl Callable for Endpoint {
    fn call(&self, call: &Call<'_>) -> impl Future<Output = Outcome> + Send {
        Self::call(self, call)
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
    /// How often a call that failed is repeated.
    pub retries: u32,
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
            pool.add(
                &definition.name,
                endpoint,
                definition.concurrency,
                definition.retries,
            );
        }
        pool
    }
}

impl<E> Pool<E> {
    /// Adds an endpoint that takes `concurrency` calls at once (at least one).
    pub fn add(&mut self, name: &str, endpoint: E, concurrency: usize, retries: u32) {
        self.lines.insert(
            name.to_owned(),
            Line {
                endpoint,
                permits: Permits::new(concurrency),
                retries,
            },
        );
    }

    pub(super) fn line(&self, name: &str) -> Option<&Line<E>> {
        self.lines.get(name)
    }
}
