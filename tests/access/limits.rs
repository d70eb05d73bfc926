//! Answers that are larger or slower than anybody needs.

use std::time::{Duration, Instant};

use orderctl::endpoint::Access;
use tokio::net::{TcpSocket, TcpStream};

use crate::server::{PATIENT, Server, answer, endpoint, post, told};

async fn call(sent: Vec<u8>, access: Access) -> String {
    let server = Server::start(vec![sent]).await;
    let olt = endpoint(&format!("http://{}/olt", server.address), access);
    told(&post(&olt).await)
}

#[tokio::test]
async fn an_answer_beyond_its_limit_is_not_kept() {
    let access = || Access {
        answer_limit: 1024,
        ..Access::default()
    };
    let body = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
    let told = call(answer("400 Bad Request", &body(1024)), access()).await;
    assert!(
        told.starts_with("rejected: 400 Bad Request: {\"a\":\"xxx"),
        "{told}"
    );
    let told = call(answer("400 Bad Request", &body(1025)), access()).await;
    assert_eq!(told, "rejected: 400 Bad Request");
    let endless = format!(
        "HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        format!("400\r\n{}\r\n", "x".repeat(1024)).repeat(8)
    );
    assert_eq!(
        call(endless.into_bytes(), access()).await,
        "rejected: 400 Bad Request"
    );
}

#[tokio::test]
async fn too_many_or_too_long_headers_are_no_answer() {
    let headers = |count: usize| {
        let lines = "x: 1\r\n".repeat(count);
        format!("HTTP/1.1 400 Bad Request\r\n{lines}Content-Length: 0\r\n\r\n").into_bytes()
    };
    let told = call(headers(99), Access::default()).await;
    assert_eq!(told, "rejected: 400 Bad Request");
    let told = call(headers(100), Access::default()).await;
    assert!(told.starts_with("unknown: no answer: "), "{told}");
    let long = format!(
        "HTTP/1.1 400 Bad Request\r\nx: {}\r\n\r\n",
        "x".repeat(1024 * 1024)
    );
    let told = call(long.into_bytes(), Access::default()).await;
    assert!(told.starts_with("unknown: no answer: "), "{told}");
}

#[tokio::test]
async fn a_host_that_does_not_take_the_connection_was_sent_nothing() {
    // A queue of one connection that nobody takes from: the next ones wait for their handshake.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let _queued = TcpStream::connect(address).await.unwrap();
    let access = Access {
        connect_timeout: Some(Duration::from_millis(200)),
        ..Access::default()
    };
    let begin = Instant::now();
    let olt = endpoint(&format!("http://{address}/olt"), access);
    let told = told(&post(&olt).await);
    assert!(told.starts_with("failed: cannot connect: "), "{told}");
    assert!(begin.elapsed() < PATIENT / 2);
}
