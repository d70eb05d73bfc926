//! Plain HTTP load generators: requests one after the other on each of some kept connections; answers are
//! read to their end and otherwise not looked at. One writes bytes that were made beforehand, the other one uses
//! the HTTP client that activation uses, and nothing else of it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, redirect};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A request with a body of JSON.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path from the root of the server.
    pub path: String,
    /// Value of `Idempotency-Key`.
    pub key: String,
    /// Body.
    pub body: String,
}

impl Request {
    /// As it goes over the wire.
    fn bytes(&self, authority: &str) -> Vec<u8> {
        let Self {
            method,
            path,
            key,
            body,
        } = self;
        let length = body.len();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\n\
             accept: application/json\r\nidempotency-key: {key}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// What waits to be sent.
struct Queue<T> {
    requests: Vec<T>,
    next: AtomicUsize,
}

impl<T> Queue<T> {
    fn of(requests: impl Iterator<Item = T>) -> Arc<Self> {
        Arc::new(Self {
            requests: requests.collect(),
            next: AtomicUsize::new(0),
        })
    }

    fn take(&self) -> Option<&T> {
        self.requests.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Time that `connections` connections to `authority` take for all requests, as bytes made beforehand.
///
/// # Errors
/// If a connection breaks, or an answer is no success.
pub fn bytes(authority: &str, requests: &[Request], connections: usize) -> io::Result<Duration> {
    let queue = Queue::of(requests.iter().map(|it| it.bytes(authority)));
    timed(async {
        let mut workers = JoinSet::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(authority).await?;
            stream.set_nodelay(true)?;
            workers.spawn(write_all(stream, Arc::clone(&queue)));
        }
        ended(workers).await
    })
}

/// The same by the HTTP client, which makes each request and reads each answer.
///
/// # Errors
/// As for `bytes`.
pub fn client(authority: &str, requests: &[Request], connections: usize) -> io::Result<Duration> {
    // As activation makes it.
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .no_proxy()
        .tcp_nodelay(true)
        .pool_idle_timeout(Duration::from_secs(20))
        .connect_timeout(Duration::from_secs(10))
        .tls_certs_only(std::iter::empty())
        .build()
        .map_err(io::Error::other)?;
    let queue = Queue::of(requests.iter().map(|it| {
        let url = format!("http://{authority}{}", it.path);
        (url, it.clone())
    }));
    timed(async {
        let mut workers = JoinSet::new();
        for _ in 0..connections {
            workers.spawn(send_all(client.clone(), Arc::clone(&queue)));
        }
        ended(workers).await
    })
}

fn timed(work: impl Future<Output = io::Result<()>>) -> io::Result<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let start = Instant::now();
    runtime.block_on(work)?;
    Ok(start.elapsed())
}

async fn ended(mut workers: JoinSet<io::Result<()>>) -> io::Result<()> {
    while let Some(ended) = workers.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(())
}

async fn send_all(client: Client, queue: Arc<Queue<(String, Request)>>) -> io::Result<()> {
    while let Some((url, request)) = queue.take() {
        let sent = client
            .request(request.method.clone(), url)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("idempotency-key", &request.key)
            .body(request.body.clone());
        let answer = sent.send().await.map_err(io::Error::other)?;
        let answer = answer.error_for_status().map_err(io::Error::other)?;
        answer.bytes().await.map_err(io::Error::other)?;
    }
    Ok(())
}

async fn write_all(mut stream: TcpStream, queue: Arc<Queue<Vec<u8>>>) -> io::Result<()> {
    let mut answer = vec![0; 1 << 16];
    while let Some(request) = queue.take() {
        stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            let read = stream.read(&mut answer[filled..]).await?;
            filled += read;
            match length(&answer[..filled]) {
                Some(length) if length <= filled => break,
                _ if read == 0 => return Err(io::Error::other("an answer breaks off")),
                _ => {}
            }
        }
        if !answer.starts_with(b"HTTP/1.1 2") {
            let text = String::from_utf8_lossy(&answer[..filled]).into_owned();
            return Err(io::Error::other(text));
        }
    }
    Ok(())
}

/// Length of an answer with its head, once the head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let body = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    Some(end + body.unwrap_or(0))
}
