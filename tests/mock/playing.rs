//! What the mock plays without faults.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use orderctl::endpoint::Outcome;
use orderctl::mock::{Fault, MockOptions, serve};
use orderctl::plan::flow::Method;
use tokio::net::TcpListener;

use crate::support::{API, Mock, PATIENT, completed, get, options, post, rejected, request, send};

#[tokio::test]
async fn a_resource_is_made_changed_and_removed_and_all_is_on_record() {
    let mock = Mock::start(options(&[])).await;
    let olt = mock.endpoint("olt", PATIENT);

    let outcome = post(&olt, r#"{"id":"port 1","name":"p"}"#, "k1").await;
    let made = format!(r#"{{"id":"port 1","href":"/olt/{API}/resource/port%201","name":"p"}}"#);
    assert_eq!(completed(&outcome), (201, Some(&*made)));

    let patch = request(Method::Patch, "resource/port 1", r#"{"name":"q"}"#);
    let outcome = send(&olt, &patch, "k2").await;
    assert_eq!(
        completed(&outcome),
        (200, Some(&*made.replace("\"p\"", "\"q\"")))
    );
    let place = format!("/olt/{API}/resource");
    let changed = made.replace("\"p\"", "\"q\"");
    assert_eq!(
        get(mock.address, &format!("{place}/port%201")).await,
        (200, changed.clone())
    );
    assert_eq!(
        get(mock.address, &place).await,
        (200, format!("[{changed}]"))
    );

    let outcome = send(&olt, &request(Method::Delete, "resource/port 1", ""), "k3").await;
    assert_eq!(completed(&outcome), (204, None));
    assert_eq!(get(mock.address, &format!("{place}/port%201")).await.0, 404);
    assert_eq!(
        get(mock.address, "/health").await,
        (200, r#"{"status":"up"}"#.to_owned())
    );

    assert_eq!(
        get(mock.address, "/record").await.1,
        format!(
            concat!(
                r#"{{"seq":1,"endpoint":"olt","method":"POST","path":"{p}","idempotencyKey":"k1","effect":"applied","fault":null,"status":201,"body":{{"id":"port 1","name":"p"}},"answer":{{"location":"{p}/port%201","body":{made}}}}}"#,
                "\n",
                r#"{{"seq":2,"endpoint":"olt","method":"PATCH","path":"{p}/port%201","idempotencyKey":"k2","effect":"applied","fault":null,"status":200,"body":{{"name":"q"}},"answer":{{"body":{changed}}}}}"#,
                "\n",
                r#"{{"seq":3,"endpoint":"olt","method":"DELETE","path":"{p}/port%201","idempotencyKey":"k3","effect":"applied","fault":null,"status":204,"body":null,"answer":{{"body":null}}}}"#,
                "\n"
            ),
            p = place,
            made = made,
            changed = changed
        )
    );
    mock.stop().await.unwrap();
}

#[tokio::test]
async fn refusals_are_rejected_with_the_reason_of_the_endpoint() {
    let mock = Mock::start(options(&["acs:1=403"])).await;
    let olt = mock.endpoint("olt", PATIENT);
    post(&olt, r#"{"id":"a"}"#, "k1").await;
    assert_eq!(
        rejected(post(&olt, r#"{"id":"a"}"#, "k2").await),
        (
            409,
            "409 Conflict: alreadyExists: Conflict: there is a resource a at endpoint olt already"
                .to_owned()
        )
    );
    assert_eq!(
        rejected(post(&olt, r#"{"id":"b"}"#, "k1").await).1,
        "422 Unprocessable Entity: idempotencyKeyReused: Unprocessable: this idempotency key came with another request before"
    );
    let missing = request(Method::Patch, "resource/none", "{}");
    assert_eq!(rejected(send(&olt, &missing, "k3").await).0, 404);
    assert_eq!(
        rejected(send(&olt, &request(Method::Post, "job", "{}"), "k4").await).0,
        404
    );
    assert_eq!(
        rejected(send(&olt, &request(Method::Delete, "resource", ""), "k5").await).0,
        405
    );
    assert_eq!(
        rejected(post(&mock.endpoint("bng", PATIENT), "{}", "k6").await).0,
        404
    );
    assert_eq!(
        rejected(post(&mock.endpoint("acs", PATIENT), "{}", "k7").await).0,
        403
    );
    let effects = mock.effects().await;
    assert_eq!(effects[0], "applied");
    assert_eq!(effects[1..7], ["refused"; 6]);
    assert_eq!(effects[7], "failed");
}

#[tokio::test]
async fn many_calls_at_once_are_each_applied_once() {
    let mock = Mock::start(options(&["olt:3..5=lost"])).await;
    let olt = std::sync::Arc::new(mock.endpoint("olt", PATIENT));
    let calls: Vec<_> = (0..50)
        .map(|n| {
            let olt = olt.clone();
            tokio::spawn(async move {
                let (body, key) = (format!("{{\"id\":\"r{n}\"}}"), format!("k{n}"));
                for _ in 0..4 {
                    if let Outcome::Completed { .. } = post(&olt, &body, &key).await {
                        return;
                    }
                }
                panic!("call {n} did not complete");
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    let record = mock.record().await;
    let applied: Vec<&str> = record
        .iter()
        .filter(|line| line["effect"] == "applied")
        .map(|line| line["idempotencyKey"].as_str().unwrap())
        .collect();
    assert_eq!(applied.len(), 50);
    assert_eq!(applied.iter().collect::<BTreeSet<_>>().len(), 50);
    assert!(record.iter().zip(1..).all(|(line, seq)| line["seq"] == seq));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let mock = Mock::start(options(&[])).await;
    let body = format!("{{\"a\":\"{}\"}}", "x".repeat(17 * 1024 * 1024));
    let url = format!("http://{}/olt/{API}/resource", mock.address);
    // The server may close while the rest is still being sent.
    if let Ok(response) = reqwest::Client::new().post(url).body(body).send().await {
        assert_eq!(response.status(), 413);
    }
    assert_eq!(mock.effects().await, Vec::<String>::new());
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    let attempt = async |options: MockOptions| {
        let ready = |address| panic!("ready at {address}");
        serve(options, ready, std::future::pending())
            .await
            .unwrap_err()
            .to_string()
    };
    let mut open = options(&[]);
    open.listen = SocketAddr::from(([0, 0, 0, 0], 8702));
    assert_eq!(
        attempt(open).await,
        "the mock listens on loopback only, and 0.0.0.0:8702 is not loopback"
    );
    let mut foreign = options(&[]);
    foreign.faults = vec![Fault::parse("bng:1").unwrap()];
    assert_eq!(
        attempt(foreign).await,
        "fault for endpoint bng, which is not played; played are: acs, olt"
    );
    let mut nowhere = options(&[]);
    nowhere.record = Some(PathBuf::from("/nowhere/record"));
    assert_eq!(
        attempt(nowhere).await,
        "cannot write the record /nowhere/record: No such file or directory (os error 2)"
    );
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut twice = options(&[]);
    twice.listen = taken.local_addr().unwrap();
    assert_eq!(
        attempt(twice.clone()).await,
        format!(
            "cannot listen at {}: Address already in use (os error 98)",
            twice.listen
        )
    );
}
