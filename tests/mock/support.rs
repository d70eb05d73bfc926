//! What these tests have in common: the mock in this process, servers that answer as told, and
//! looks at outcomes.

use std::net::SocketAddr;
use std::time::Duration;

use orderctl::endpoint::{Call, Endpoint, EndpointDefinition, Outcome, Protocol, Terms};
use orderctl::mock::{MockError, MockOptions, serve};
use orderctl::plan::flow::{Method, Request};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const API: &str = "tmf-api/ResourceActivationAndConfiguration/v4";
pub const PATIENT: Duration = Duration::from_secs(20);
pub const HASTY: Duration = Duration::from_millis(300);

pub struct Mock {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    pub served: JoinHandle<Result<(), MockError>>,
}

pub fn options(faults: &[&str]) -> MockOptions {
    MockOptions {
        endpoints: ["acs", "olt"].map(str::to_owned).into(),
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        ..MockOptions::default()
    }
}

impl Mock {
    pub async fn start(options: MockOptions) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let served = tokio::spawn(async move {
            let ready = |address| tell.send(address).unwrap();
            serve(options, ready, async { drop(stopped.await) }).await
        });
        Self {
            address: told.await.unwrap(),
            stop,
            served,
        }
    }

    pub fn endpoint(&self, name: &str, timeout: Duration) -> Endpoint {
        client(&format!("http://{}/{name}/{API}", self.address), timeout)
    }

    pub async fn record(&self) -> Vec<Value> {
        let text = get(self.address, "/record").await.1;
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub async fn effects(&self) -> Vec<String> {
        let effect = |line: &Value| line["effect"].as_str().unwrap().to_owned();
        self.record().await.iter().map(effect).collect()
    }

    pub async fn stop(self) -> Result<(), MockError> {
        self.stop.send(()).unwrap();
        self.served.await.unwrap()
    }
}

pub fn client(address: &str, timeout: Duration) -> Endpoint {
    Endpoint::open(&EndpointDefinition {
        name: "olt".to_owned(),
        protocol: Protocol::Tmf702 {
            address: address.to_owned(),
            access: Box::default(),
        },
        timeout,
        terms: Terms {
            concurrency: 1,
            retries: Some(0),
            ..Terms::default()
        },
    })
    .unwrap()
}

pub async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let response = reqwest::get(format!("http://{address}{path}"))
        .await
        .unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

pub fn request(method: Method, path: &str, body: &str) -> Request {
    let body = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
    Request {
        method,
        path: path.to_owned(),
        body,
    }
}

pub async fn send(endpoint: &Endpoint, request: &Request, key: &str) -> Outcome {
    endpoint
        .call(&Call {
            task: "T1",
            request,
            idempotency_key: key,
        })
        .await
}

pub async fn post(endpoint: &Endpoint, body: &str, key: &str) -> Outcome {
    send(endpoint, &request(Method::Post, "resource", body), key).await
}

pub fn completed(outcome: &Outcome) -> (u16, Option<&str>) {
    match outcome {
        Outcome::Completed { status, resource } => {
            (*status, resource.as_deref().map(RawValue::get))
        }
        other => panic!("{other:?}"),
    }
}

pub fn rejected(outcome: Outcome) -> (u16, String) {
    match outcome {
        Outcome::Rejected { status, reason } => (status, reason),
        other => panic!("{other:?}"),
    }
}

pub fn failed(outcome: Outcome) -> (Option<u16>, String) {
    match outcome {
        Outcome::Failed { status, reason, .. } => (status, reason),
        other => panic!("{other:?}"),
    }
}

pub fn unknown(outcome: Outcome) -> String {
    match outcome {
        Outcome::Unknown { reason, .. } | Outcome::AtWork { reason } => reason,
        other => panic!("{other:?}"),
    }
}

/// Serves the answers in turn, one a connection, closing each after it.
pub async fn scripted(answers: Vec<Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

/// The text of a request.
pub async fn read_request(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    loop {
        if let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&seen[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if seen.len() >= end + 4 + length {
                return String::from_utf8(seen).unwrap();
            }
        }
        assert!(
            stream.read_buf(&mut seen).await.unwrap() > 0,
            "the request broke off"
        );
    }
}

pub fn answer(head: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The outcome of a POST to a server that gives these answers.
pub async fn told(answers: Vec<Vec<u8>>) -> Outcome {
    let address = scripted(answers).await;
    post(
        &client(&format!("http://{address}/olt"), PATIENT),
        "{}",
        "k",
    )
    .await
}
