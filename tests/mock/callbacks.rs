//! Events that tell how accepted requests ended.

use std::net::SocketAddr;

use orderctl::mock::Listener;
use orderctl::plan::flow::Method;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::{
    API, Mock, PATIENT, completed, options, post, read_request, request, send, unknown,
};

/// What a listener is told: the path, and the event.
type Told = UnboundedReceiver<(String, Value)>;

async fn listen() -> (SocketAddr, Told) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let text = read_request(&mut stream).await;
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let path = head.split(' ').nth(1).unwrap().to_owned();
            tell.send((path, serde_json::from_str(body).unwrap()))
                .unwrap();
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    });
    (address, told)
}

async fn next(told: &mut Told) -> (String, Value) {
    tokio::time::timeout(PATIENT, told.recv())
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn the_end_of_an_accepted_request_is_told_at_the_callback() {
    let (address, mut told) = listen().await;
    let mut options = options(&["olt:1=callback,1ms", "olt:2=callback,twice"]);
    options.listener = Some(Listener::at(&format!("http://{address}/tmf")).unwrap());
    let mock = Mock::start(options).await;
    let olt = mock.endpoint("olt", PATIENT);
    let outcome = post(&olt, r#"{"id":"r","name":"n"}"#, "k1").await;
    assert_eq!(completed(&outcome).0, 201);

    let (path, event) = next(&mut told).await;
    assert_eq!(path, "/tmf/listener/resourceStateChangeEvent");
    assert_eq!(event["eventType"], "ResourceStateChangeEvent");
    assert_eq!(event["event"]["resource"]["id"], "r");
    let (path, event) = next(&mut told).await;
    assert_eq!(path, "/tmf/listener/monitorStateChangeEvent");
    assert_eq!(event["eventType"], "MonitorStateChangeEvent");
    assert_eq!(event["correlationId"], "k1");
    let time: Result<jiff::Timestamp, _> = event["eventTime"].as_str().unwrap().parse();
    assert!(time.is_ok());
    let monitor = &event["event"]["monitor"];
    assert_eq!(monitor["state"], "completed");
    assert_eq!(monitor["sourceHref"], format!("/olt/{API}/resource/r"));
    assert_eq!(monitor["response"]["statusCode"], "201");

    let delete = request(Method::Delete, "resource/r", "");
    assert_eq!(completed(&send(&olt, &delete, "k2").await).0, 204);
    let mut ids = Vec::new();
    for kind in ["ResourceDeleteEvent", "MonitorStateChangeEvent"] {
        for _ in 0..2 {
            let (_, event) = next(&mut told).await;
            assert_eq!(
                (&event["eventType"], &event["correlationId"]),
                (&kind.into(), &"k2".into())
            );
            ids.push(event["eventId"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[2], ids[3]);
    mock.stop().await.unwrap();
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn a_lost_callback_is_on_record_and_the_monitor_knows_better() {
    let (address, mut told) = listen().await;
    let mut options = options(&["olt:1=callback,lost", "olt:2=callback"]);
    options.listener = Some(Listener::at(&format!("http://{address}")).unwrap());
    let mock = Mock::start(options).await;
    let olt = mock.endpoint("olt", PATIENT);
    assert_eq!(completed(&post(&olt, "{}", "k1").await).0, 201);
    assert_eq!(completed(&post(&olt, "{}", "k2").await).0, 201);
    let (_, event) = next(&mut told).await;
    assert_eq!(event["correlationId"], "k2");
    next(&mut told).await;
    loop {
        let record = mock.record().await;
        let of = |effect: &str| record.iter().filter(|it| it["effect"] == effect).count();
        if (of("withheld"), of("notified")) == (2, 2) {
            let told = record.iter().find(|it| it["effect"] == "notified").unwrap();
            assert_eq!(told["status"], 204);
            assert_eq!(told["body"]["correlationId"], "k2");
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_subscriber_is_told_of_what_it_asked_for() {
    let (address, mut told) = listen().await;
    let mock = Mock::start(options(&["olt/method=POST/x:*=callback"])).await;
    let olt = mock.endpoint("olt", PATIENT);
    let subscribe = |body: &str| request(Method::Post, "hub", body);
    let body =
        format!(r#"{{"callback":"http://{address}","query":"eventType=MonitorStateChangeEvent"}}"#);
    let outcome = send(&olt, &subscribe(&body), "s1").await;
    let (status, text) = completed(&outcome);
    assert_eq!(status, 201);
    assert!(text.unwrap().contains("\"id\":\"olt-l1\""));
    post(&olt, r#"{"id":"x1"}"#, "k1").await;
    let (path, _) = next(&mut told).await;
    assert_eq!(path, "/listener/monitorStateChangeEvent");
    // What was not accepted first is not told of, and nobody is told after the end of it.
    post(&olt, r#"{"id":"y"}"#, "k2").await;
    let leave = request(Method::Delete, "hub/olt-l1", "");
    assert_eq!(completed(&send(&olt, &leave, "s2").await).0, 204);
    post(&olt, r#"{"id":"x2"}"#, "k3").await;
    mock.stop().await.unwrap();
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn an_event_that_nobody_takes_holds_nothing_up() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let mut options = options(&["olt:1=callback", "olt:2=accepted,1h"]);
    options.listener = Some(Listener::at(&format!("http://{address}")).unwrap());
    let mock = Mock::start(options).await;
    let olt = mock.endpoint("olt", PATIENT);
    assert_eq!(completed(&post(&olt, "{}", "k1").await).0, 201);
    let hasty = mock.endpoint("olt", crate::support::HASTY);
    unknown(post(&hasty, "{}", "k2").await);
    mock.stop().await.unwrap();
}
