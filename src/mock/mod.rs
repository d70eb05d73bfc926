//! A server on loopback that plays TMF702 systems, for trying orders out and
//! for tests: it keeps what it is told, honours idempotency keys, and goes
//! wrong as told.
//!
//! Every endpoint lives below `/<name>/tmf-api/ResourceActivationAndConfiguration/v4`:
//!
//! | request | answer |
//! |---|---|
//! | `POST resource` | 201, the resource with `id` (the proposed one, else `<name>-<n>`) and `href`; 409 where the id is taken |
//! | `PATCH resource/<id>` | 200, the resource after a merge patch |
//! | `DELETE resource/<id>` | 204 |
//! | `GET resource`, `GET resource/<id>`, `GET monitor/<id>` | 200 |
//! | `GET resource?idempotencyKey=<key>` | 200, those that requests under this key made or changed |
//! | `POST hub` | 201, and events about accepted requests go to `callback` (loopback) |
//! | `DELETE hub/<id>` | 204 |
//!
//! Every endpoint also answers the questions of gates, `POST` to `checkServiceQualification` (TMF645),
//! `checkProductOfferingQualification` (TMF679) and `productOfferingRiskAssessment` (TMF696) below
//! `/<name>/tmf-api/<any API>/<any version>`: with 201 and what was sent, `done` and `qualified` (or of
//! low risk).
//!
//! Beside them `GET /record` gives every call that was made (reads only if asked
//! for) as JSON lines, and `GET /health` says that the server is up. Errors are
//! TMF `Error` bodies. Hrefs are paths without a host, so that they do not
//! depend on the port.
//!
//! A repeated `Idempotency-Key` gets the answer of the first time and changes
//! nothing; with another request it gets 422. Only calls that took effect are
//! kept, so that a refused or failed one is judged anew. An effect happens, and
//! is on record, before its answer sets out.
//!
//! A request goes through the rooms in this order: `http` → `place` (where it
//! leads) → `role` (one endpoint) → `judge` (what befalls it, by seed) →
//! `system`, `replay` or `forward` (who answers) → `record` → `wire`. `courier`
//! takes events away. What is decided is decided in `judge` and `system`, which
//! know no clock and send nothing.

mod answer;
mod check;
mod courier;
mod draw;
mod event;
mod fault;
mod forward;
mod http;
mod judge;
mod malform;
mod members;
mod place;
mod record;
mod replay;
mod role;
mod script;
mod spec;
mod system;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
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

pub use draw::Delay;
pub use event::Listener;
pub use fault::{Calls, Concerns, Early, Fault, FaultKind, Notice};
pub use judge::{Accepts, Manner};
pub use malform::{MALFORMATIONS, Malformation};
pub use replay::{Recording, RecordingError};
pub use script::{Script, ScriptError};
pub use spec::FaultError;

use courier::Courier;
use forward::Forward;
use http::Site;
use judge::Judge;
use record::Record;
use replay::Replay;
use role::{Player, Role};
use system::System;
use wire::Cut;

use crate::endpoint::{EndpointDefinition, OpenError};

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
    /// Where answers come from.
    pub source: Source,
    /// How long an answer takes or, if asynchronous, a request is in progress.
    pub latency: Delay,
    /// Whether requests are answered by 202 and a monitor.
    pub asynchronous: bool,
    /// What goes wrong; the first fault that fits a call counts. Those of the
    /// script come after these.
    pub faults: Vec<Fault>,
    /// What goes wrong, and how single endpoints are played.
    pub script: Script,
    /// Who is told when an accepted request has ended, beside those who subscribe.
    pub listener: Option<Listener>,
    /// File that the record is appended to as it happens.
    pub record: Option<PathBuf>,
    /// Whether what is only read is recorded too.
    pub record_reads: bool,
}

/// Where answers come from.
#[derive(Debug, Clone, Default)]
pub enum Source {
    /// The mock plays the systems.
    #[default]
    Played,
    /// They were recorded.
    Recorded(Recording),
    /// The endpoints themselves, by their definitions.
    Forwarded(Vec<EndpointDefinition>),
}

impl Default for MockOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            endpoints: BTreeSet::new(),
            source: Source::Played,
            latency: Delay::NONE,
            asynchronous: false,
            faults: Vec::new(),
            script: Script::default(),
            listener: None,
            record: None,
            record_reads: false,
        }
    }
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
    /// An endpoint cannot be reached as its definition says.
    #[error(transparent)]
    Endpoint(#[from] OpenError),
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
    site.courier.stop();
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
    let faults = || options.faults.iter().chain(&options.script.faults);
    let named = faults().map(|fault| &fault.endpoint);
    let unknown = |name: &&String| *name != "*" && !options.endpoints.contains(*name);
    if let Some(name) = named.chain(options.script.manners.keys()).find(unknown) {
        return Err(MockError::UnknownEndpoint {
            name: name.clone(),
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
    let mut roles = BTreeMap::new();
    for name in &options.endpoints {
        let manner = manner(options, name);
        let concerns = |fault: &&Fault| fault.endpoint == *name || fault.endpoint == "*";
        let of_it = faults().filter(concerns).cloned().collect();
        let judge = Judge::new(name, options.script.seed, manner, of_it);
        let player = player(options, name, manner)?;
        roles.insert(name.clone(), Mutex::new(Role::new(name, judge, player)));
    }
    Ok(Site {
        roles,
        record: Record::new(file),
        records_reads: options.record_reads,
        listener: options.listener.clone(),
        courier: Courier::default(),
        broken: Mutex::new(None),
        has_broken: Notify::new(),
    })
}

/// How an endpoint is played: as the script says, else as all of them are.
fn manner(options: &MockOptions, name: &str) -> Manner {
    let manners = &options.script.manners;
    if let Some(manner) = manners.get(name).or_else(|| manners.get("*")) {
        return *manner;
    }
    let accepts = Accepts {
        after: options.latency,
        notice: match options.listener {
            Some(_) => Notice::Event,
            None => Notice::None,
        },
    };
    Manner {
        latency: if options.asynchronous {
            Delay::NONE
        } else {
            options.latency
        },
        accepts: options.asynchronous.then_some(accepts),
        ..Manner::default()
    }
}

fn player(options: &MockOptions, name: &str, manner: Manner) -> Result<Player, MockError> {
    Ok(match &options.source {
        Source::Played => Player::System(Box::new(System::new(name, manner))),
        Source::Recorded(recording) => Player::Replay(recording.of(name)),
        Source::Forwarded(definitions) => {
            let definition = definitions.iter().find(|it| it.name == name);
            match definition.and_then(Forward::open) {
                Some(forward) => Player::Forward(Arc::new(forward?)),
                None => Player::Replay(Replay::default()),
            }
        }
    })
}

/// Answers the requests of one connection until either side ends it.
async fn converse(stream: TcpStream, site: Arc<Site>, mut stopped: watch::Receiver<()>) {
    // Without it answers may wait 40 ms for the peer's acknowledgement; a
    // connection that refuses the option is still of use.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| site.answer(request));
    let mut connection = http1::Builder::new()
        .pipeline_flush(true)
        .auto_date_header(false)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = stopped.changed() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    // Any other error says that the peer went away.
    let error = ended.err();
    let cause = error.as_ref().and_then(std::error::Error::source);
    if let Some(Cut(end)) = cause.and_then(|cause| cause.downcast_ref()) {
        let stream = connection.into_parts().io.into_inner();
        end.clone().come(stream).await;
    }
}
