//! An endpoint inside the process, for trying plans out and for tests: it takes
//! its time, fails where it was told to, and otherwise agrees.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Call, Outcome};
use crate::plan::flow::{Body, Method};
use crate::retry::FailureClass;

/// A simulated endpoint. Deterministic: what happens to a call depends on its
/// number alone, counted from 1 over the life of the endpoint.
#[derive(Debug)]
pub struct Simulated {
    name: String,
    latency: Duration,
    timeout: Duration,
    fail: BTreeSet<u64>,
    calls: AtomicU64,
}

impl Simulated {
    pub(super) fn new(
        name: &str,
        latency: Duration,
        timeout: Duration,
        fail: &BTreeSet<u64>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            latency,
            timeout,
            fail: fail.clone(),
            calls: AtomicU64::new(0),
        }
    }

    /// How long a call takes; it is the caller who waits.
    #[must_use]
    pub fn latency(&self) -> Duration {
        self.latency.min(self.timeout)
    }

    /// Carries the call out: the answer to a `POST` or `PATCH` is its own body.
    #[must_use]
    pub fn call(&self, call: &Call<'_>) -> Outcome {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if self.latency > self.timeout {
            return Outcome::Unknown {
                class: FailureClass::Timeout,
                reason: format!("no answer within {:?} (simulated)", self.timeout),
                accepted: false,
            };
        }
        if self.fail.contains(&number) {
            return Outcome::Failed {
                status: Some(500),
                class: FailureClass::ServerError,
                reason: format!("call {number} of endpoint {} fails (simulated)", self.name),
                retry_after: None,
            };
        }
        let status = match call.request.method {
            Method::Post => 201,
            Method::Patch => 200,
            Method::Delete => 204,
        };
        Outcome::Completed {
            status,
            resource: call.request.body.as_ref().map(Body::to_raw),
        }
    }

    /// The call as text; its address is `simulated:<name>/<path>`.
    #[must_use]
    pub fn exact_request(&self, call: &Call<'_>) -> String {
        let mut text = format!(
            "{} simulated:{}/{}\nidempotency-key: {}\n",
            super::method_name(call.request.method),
            self.name,
            call.request.path,
            call.idempotency_key
        );
        if let Some(body) = &call.request.body {
            write!(text, "\n{}\n", body.get()).expect("writing to a String cannot fail");
        }
        text
    }
}
