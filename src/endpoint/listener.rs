//! Where endpoints tell by events that something has ended (TMF630 listeners):
//! `POST /listener/monitorStateChangeEvent` and the like, on this machine.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::callbacks::Callbacks;

/// Largest event that is read, in bytes.
const EVENT_LIMIT: usize = 1024 * 1024;

/// Connections at once; more wait.
const CONNECTIONS: usize = 64;

/// How long somebody may take to say something.
const PATIENCE: Duration = Duration::from_secs(10);

/// A listener that has its address, and nobody hears yet.
#[derive(Debug)]
pub struct EventListener {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

impl EventListener {
    /// Listens at `address`; port 0 is a free one. Must run on a tokio runtime with I/O.
    ///
    /// # Errors
    /// What the system says.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Tells what is heard, until it is dropped.
    pub async fn serve(self, callbacks: Arc<Callbacks>) -> Infallible {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return std::future::pending().await;
            };
            // Without descriptors nobody else can be heard; whoever is heard gives theirs back.
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let callbacks = Arc::clone(&callbacks);
            tokio::spawn(async move {
                converse(stream, &callbacks).await;
                drop(place);
            });
        }
    }
}

async fn converse(stream: TcpStream, callbacks: &Callbacks) {
    let service = service_fn(|request| answer(request, callbacks));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever goes away before the end has nothing more to tell.
    if let Err(error) = connection.await {
        tracing::debug!("an event was not told to its end: {error}");
    }
}

async fn answer(
    request: Request<Incoming>,
    callbacks: &Callbacks,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let status = hear(request, callbacks).await;
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    Ok(response)
}

/// Takes an event. What it says has to be JSON, and is not believed.
async fn hear(request: Request<Incoming>, callbacks: &Callbacks) -> StatusCode {
    let path = request.uri().path().to_owned();
    if !path.contains("/listener/") {
        return StatusCode::NOT_FOUND;
    }
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let body = Limited::new(request.into_body(), EVENT_LIMIT).collect();
    let body = match timeout(PATIENCE, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(cause)) if cause.is::<LengthLimitError>() => return StatusCode::PAYLOAD_TOO_LARGE,
        Ok(Err(_)) | Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    let Ok(event) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let woken = callbacks.heard(&event);
    tracing::debug!(path, woken, "an event was heard");
    StatusCode::NO_CONTENT
}
