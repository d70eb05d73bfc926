//! Endpoints: stand-in with the signatures that `activate` compiles against.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::plan::flow::Request;

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
        /// The resource as answered.
        resource: Option<Box<RawValue>>,
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
        /// HTTP status, where there was an answer.
        status: Option<u16>,
        /// What went wrong.
        reason: String,
    },
    /// The request went out and whether the effect happened is not known.
    Unknown {
        /// What is missing.
        reason: String,
    },
}

/// One endpoint of an endpoints file.
#[derive(Debug, Clone)]
pub struct EndpointDefinition {
    /// Name.
    pub name: String,
    /// Latency of the simulation.
    pub latency: Duration,
    /// Requests at once.
    pub concurrency: usize,
    /// How often a failed request is repeated.
    pub retries: u32,
}

/// An endpoint that can be called.
#[derive(Debug)]
pub struct Endpoint(Duration);

impl Endpoint {
    /// Makes an endpoint ready.
    ///
    /// # Errors
    /// Never.
    pub fn open(definition: &EndpointDefinition) -> Result<Self, std::convert::Infallible> {
        Ok(Self(definition.latency))
    }

    /// Makes one call.
    pub async fn call(&self, _call: &Call<'_>) -> Outcome {
        if !self.0.is_zero() {
            tokio::time::sleep(self.0).await;
        }
        Outcome::Completed {
            status: 201,
            resource: None,
        }
    }
}
