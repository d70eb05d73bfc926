//! A plain HTTP load generator: requests that were made beforehand, sent over
//! kept connections, one after the other on each; answers are read to their
//! end and otherwise not looked at.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Requests that wait to be sent.
struct Queue {
    requests: Vec<Vec<u8>>,
    next: AtomicUsize,
}

/// Time that `connections` connections to `authority` take for all requests.
///
/// # Errors
/// If a connection breaks, or an answer is no success.
pub fn run(authority: &str, requests: Vec<Vec<u8>>, connections: usize) -> io::Result<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let queue = Arc::new(Queue {
        requests,
        next: AtomicUsize::new(0),
    });
    runtime.block_on(async {
        let start = Instant::now();
        let mut workers = JoinSet::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(authority).await?;
            stream.set_nodelay(true)?;
            workers.spawn(send_all(stream, Arc::clone(&queue)));
        }
        while let Some(ended) = workers.join_next().await {
            ended.map_err(io::Error::other)??;
        }
        Ok(start.elapsed())
    })
}

async fn send_all(mut stream: TcpStream, queue: Arc<Queue>) -> io::Result<()> {
    let mut answer = vec![0; 1 << 16];
    while let Some(request) = queue
        .requests
        .get(queue.next.fetch_add(1, Ordering::Relaxed))
    {
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
