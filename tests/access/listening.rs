//! Events of endpoints: heard, not believed, and enough to go on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use orderctl::endpoint::{Access, Callbacks, EventListener};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::{Server, answer, endpoint, post, told};

/// Sends a request as it is; the status of the answer.
async fn send(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Who refuses early may not read all of it.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

async fn event(address: SocketAddr, path: &str, body: &str) -> String {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    let request = format!("{head}content-length: {length}\r\n\r\n{body}");
    send(address, request.as_bytes()).await
}

#[tokio::test]
async fn an_event_is_looked_at_where_it_says_and_completes_the_call() {
    let monitor = r#"{"id":"m1","href":"/olt/monitor/m1","state":"inProgress"}"#;
    // The event says something else than the endpoint, which is who counts.
    let ended = r#"{"id":"m1","state":"completed","response":{"statusCode":"201","body":"{\"id\":\"r\"}"}}"#;
    let answers = vec![
        answer("202 Accepted", monitor),
        answer("200 OK", monitor),
        answer("200 OK", ended),
    ];
    let server = Server::start(answers).await;
    let listener = EventListener::bind(([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    let address = listener.address;
    // By itself it would look in an hour.
    let callbacks = Arc::new(Callbacks::after(Duration::from_secs(3600)));
    tokio::spawn(listener.serve(Arc::clone(&callbacks)));
    let olt = endpoint(&format!("http://{}/olt", server.address), Access::default());
    let olt = olt.heeding(&callbacks);
    let call = tokio::spawn(async move { told(&post(&olt).await) });
    let body = r#"{"eventType":"MonitorStateChangeEvent","event":{"monitor":{"id":"m1","state":"inError"}}}"#;
    while !call.is_finished() {
        let status = event(address, "/listener/monitorStateChangeEvent", body).await;
        assert_eq!(status, "204");
    }
    assert_eq!(call.await.unwrap(), "completed 201: {\"id\":\"r\"}");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn what_is_no_event_is_refused_and_harms_nobody() {
    let listener = EventListener::bind(([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    let address = listener.address;
    tokio::spawn(listener.serve(Arc::default()));
    let path = "/tmf/listener/resourceStateChangeEvent";
    let deep = "[".repeat(100_000);
    for (path, body, status) in [
        (path, "{}", "204"),
        (path, "[1]", "204"),
        (path, "", "400"),
        (path, "{\"event\":", "400"),
        (path, &deep, "400"),
        ("/elsewhere", "{}", "404"),
        (path, &"x".repeat(1024 * 1024 + 1), "413"),
    ] {
        assert_eq!(event(address, path, body).await, status, "{path}");
    }
    let get = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(send(address, get.as_bytes()).await, "405");
    assert_eq!(send(address, b"\0\r\n\r\n").await, "400");
    // Those who say nothing keep nobody from being heard.
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    assert_eq!(event(address, path, "{}").await, "204");
}
