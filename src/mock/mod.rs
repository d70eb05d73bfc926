//! A server on loopback that plays TMF702 systems, for trying orders out and
//! for tests: it keeps what it is told, honours idempotency keys, and is slow
//! or fails as told.
//!
//! Every endpoint lives below `/<name>/tmf-api/ResourceActivationAndConfiguration/v4`:
//!
//! | request | answer |
//! |---|---|
//! | `POST resource` | 201, the resource with `id` (the proposed one, else `<name>-<n>`) and `href`; 409 where the id is taken |
//! | `PATCH resource/<id>` | 200, the resource after a merge patch |
//! | `DELETE resource/<id>` | 204 |
//! | `GET resource`, `GET resource/<id>`, `GET monitor/<id>` | 200 |
//!
//! Every endpoint also answers the questions of gates, `POST` to `checkServiceQualification` (TMF645),
//! `checkProductOfferingQualification` (TMF679) and `productOfferingRiskAssessment` (TMF696) below
//! `/<name>/tmf-api/<any API>/<any version>`: with 201 and what was sent, `done` and `qualified` (or of
//! low risk).
//!
//! Beside them `GET /record` gives every call that was made (not the reads) as
//! JSON lines, and `GET /health` says that the server is up. Errors are TMF
//! `Error` bodies. Hrefs are paths without a host, so that they do not depend
//! on the port.
//!
//! A repeated `Idempotency-Key` gets the answer of the first time and changes
//! nothing; with another request it gets 422. Only calls that took effect are
//! kept, so that a refused or failed one is judged anew. An effect happens, and
//! is on record, before its answer sets out.

mod check;
mod fault;
mod http;
mod record;
mod system;

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub use fault::{Fault, FaultError, FaultKind};

use http::Site;
use record::Record;
use system::System;

/// Largest request body that is read, in bytes.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// How long connections get to finish their answers when the server ends.
const GRACE: Duration = Duration::from_secs(1);

/// What the mock plays, and how.
#[derive(Debug, Clone)]
pub struct MockOptions {
    /// Address to listen at: a loopback one; port 0 takes a free port.
    pub listen: SocketAddr,
    /// Names of the endpoints.
    pub endpoints: BTreeSet<String>,
    /// How long an answer takes or, if asynchronous, a request is in progress.
    pub latency: Duration,
    /// Whether requests are answered by 202 and a monitor.
    pub asynchronous: bool,
    /// What goes wrong; the first fault that fits a call counts.
    pub faults: Vec<Fault>,
    /// File that the record is appended to as it happens.
    pub record: Option<PathBuf>,
}

/// Why the mock does not run, or no longer.
#[derive(Debug, Error)]
pub enum MockError {
    /// The address is open to others.
    #[error("the mock listens on loopback only, and {0} is not loopback")]
    NotLoopback(SocketAddr),
    /// A fault is for an endpoint that is not played.
    #[error("fault for endpoint {name}, which is not played; played are: {}", .played.join(", "))]
    UnknownEndpoint {
        /// The name in the fault.
        name: String,
        /// The names that there are.
        played: Vec<String>,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The record cannot be written.
    #[error("cannot write the record {}: {source}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Serves until `shutdown` is over. `ready` is given the address as soon as
/// connections are accepted. It must run on a tokio runtime with I/O and time.
///
/// # Errors
/// Where it cannot begin, or the record's file can no longer be written.
pub async fn serve(
    options: MockOptions,
    ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), MockError> {
    let site = Arc::new(open(&options)?);
    let failed = |source| MockError::Listen {
        address: options.listen,
        source,
    };
    let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
    ready(listener.local_addr().map_err(failed)?);

    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&site), stopped.clone()));
                }
                // Out of file descriptors, most likely: connections that end give some back.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            () = site.has_broken.notified() => break,
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    drop(stop);
    let all = async { while connections.join_next().await.is_some() {} };
    // Those that never answer are dropped when the time is over.
    let _ = tokio::time::timeout(GRACE, all).await;
    connections.shutdown().await;

    let broken = site
        .broken
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    match (broken, options.record) {
        (Some(source), Some(path)) => Err(MockError::Record { path, source }),
        _ => Ok(()),
    }
}

/// Checks the options and sets the endpoints up.
fn open(options: &MockOptions) -> Result<Site, MockError> {
    if !options.listen.ip().is_loopback() {
        return Err(MockError::NotLoopback(options.listen));
    }
    if let Some(fault) = options
        .faults
        .iter()
        .find(|it| !options.endpoints.contains(&it.endpoint))
    {
        return Err(MockError::UnknownEndpoint {
            name: fault.endpoint.clone(),
            played: options.endpoints.iter().cloned().collect(),
        });
    }
    let file = match &options.record {
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path);
            Some(file.map_err(|source| MockError::Record {
                path: path.clone(),
                source,
            })?)
        }
        None => None,
    };
    let asynchronous = options.asynchronous.then_some(options.latency);
    let system = |name: &String| {
        let of_it = options
            .faults
            .iter()
            .filter(|fault| fault.endpoint == *name);
        (
            name.clone(),
            Mutex::new(System::new(name, asynchronous, of_it.cloned().collect())),
        )
    };
    Ok(Site {
        systems: options.endpoints.iter().map(system).collect(),
        record: Record::new(file),
        latency: if options.asynchronous {
            Duration::ZERO
        } else {
            options.latency
        },
        broken: Mutex::new(None),
        has_broken: Notify::new(),
    })
}

/// Answers the requests of one connection until either side ends it.
async fn converse(stream: TcpStream, site: Arc<Site>, mut stopped: watch::Receiver<()>) {
    // Without it answers may wait 40 ms for the peer's acknowledgement; a
    // connection that refuses the option is still of use.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| site.answer(request));
    let connection = http1::Builder::new()
        .pipeline_flush(true)
        .auto_date_header(false)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // The result says that the peer went away or was cut off, as it was to be.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
