//! Servers that keep what reaches them, and calls to them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orderctl::endpoint::{Access, Call, Endpoint, EndpointDefinition, Outcome, Protocol, Terms};
use orderctl::plan::flow::{Method, Request};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

pub const PATIENT: Duration = Duration::from_secs(20);

/// A server that gives its answers in turn, the last one again and again.
pub struct Server {
    pub address: SocketAddr,
    /// The requests that it read.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub async fn start(answers: Vec<Vec<u8>>) -> Self {
        Self::listen(answers, None).await
    }

    pub async fn encrypted(answers: Vec<Vec<u8>>, config: ServerConfig) -> Self {
        Self::listen(answers, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(answers: Vec<Vec<u8>>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut served = 0;
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = &answers[served.min(answers.len() - 1)];
                let done = match &tls {
                    None => converse(stream, answer, &log).await,
                    // A client that does not like the certificate goes away.
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => converse(stream, answer, &log).await,
                        Err(_) => false,
                    },
                };
                served += usize::from(done);
            }
        });
        Self { address, seen }
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// Reads one request, keeps and answers it; false where none came.
async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &[u8],
    log: &Mutex<Vec<String>>,
) -> bool {
    let mut request = Vec::new();
    while !is_complete(&request) {
        match stream.read_buf(&mut request).await {
            Ok(read) if read > 0 => {}
            _ => return false,
        }
    }
    let text = String::from_utf8(request).unwrap();
    log.lock().unwrap().push(text);
    // A client that has read enough goes away.
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
    true
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

pub fn answer(head: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

pub fn created() -> Vec<u8> {
    answer("201 Created", "{\"id\":\"r\"}")
}

pub fn endpoint(address: &str, access: Access) -> Endpoint {
    Endpoint::open(&EndpointDefinition {
        name: "olt".to_owned(),
        protocol: Protocol::Tmf702 {
            address: address.to_owned(),
            access: Box::new(access),
        },
        timeout: PATIENT,
        terms: Terms {
            concurrency: 1,
            retries: Some(0),
            ..Terms::default()
        },
    })
    .unwrap()
}

pub fn request() -> Request {
    Request {
        method: Method::Post,
        path: "resource".to_owned(),
        body: Some(serde_json::from_str("{}").unwrap()),
    }
}

pub async fn post(endpoint: &Endpoint) -> Outcome {
    let call = Call {
        task: "T1",
        request: &request(),
        idempotency_key: "k",
    };
    endpoint.call(&call).await
}

/// What an outcome says, its kind in front.
pub fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Completed { status, resource } => {
            let resource = resource.as_deref().map_or("nothing", |it| it.get());
            format!("completed {status}: {resource}")
        }
        Outcome::Rejected { reason, .. } => format!("rejected: {reason}"),
        Outcome::Failed { reason, .. } => format!("failed: {reason}"),
        Outcome::Unknown { reason, .. } | Outcome::AtWork { reason } => {
            format!("unknown: {reason}")
        }
        Outcome::Accepted { monitor } => panic!("the monitor {monitor} is followed by a call"),
    }
}
