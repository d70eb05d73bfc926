//! Recorded once, replayed after.

use std::path::{Path, PathBuf};

use orderctl::endpoint::{
    Access, Authorization, EndpointDefinition, Protocol, SecretSource, Terms,
};
use orderctl::mock::{MockOptions, Recording, Source};
use orderctl::plan::flow::Method;
use tempfile::TempDir;

use crate::support::{
    API, Mock, PATIENT, answer, completed, failed, get, options, post, rejected, request, scripted,
    send, unknown,
};

/// A session with every kind of request, and how it went.
async fn session(mock: &Mock) -> Vec<String> {
    let olt = mock.endpoint("olt", PATIENT);
    let mut told = Vec::new();
    for (method, path, body) in [
        (Method::Post, "resource", r#"{"id":"r","name":"n"}"#),
        (Method::Patch, "resource/r", r#"{"name":"m"}"#),
        (Method::Post, "resource", r#"{"id":"r"}"#),
        (Method::Delete, "resource/r", ""),
    ] {
        let key = format!("k{}", told.len());
        let outcome = send(&olt, &request(method, path, body), &key).await;
        told.push(format!("{outcome:?}"));
    }
    told
}

fn replaying(path: &Path) -> MockOptions {
    let recording = Recording::read(path).unwrap();
    MockOptions {
        endpoints: recording.endpoints(),
        source: Source::Recorded(recording),
        ..MockOptions::default()
    }
}

/// A mock that hands requests on to an address.
fn proxying(address: &str, access: Access, record: PathBuf) -> MockOptions {
    let definition = EndpointDefinition {
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
    };
    MockOptions {
        endpoints: ["olt".to_owned()].into(),
        source: Source::Forwarded(vec![definition]),
        record: Some(record),
        record_reads: true,
        ..MockOptions::default()
    }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.ndjson");
    (folder, path)
}

#[tokio::test]
async fn a_record_of_the_mock_answers_the_same_again() {
    for asynchronous in [false, true] {
        let (_folder, path) = folder();
        let mut options = options(&["olt/method=PATCH:1=lost"]);
        options.record = Some(path.clone());
        options.record_reads = true;
        options.asynchronous = asynchronous;
        let mock = Mock::start(options).await;
        let told = session(&mock).await;
        mock.stop().await.unwrap();
        let mock = Mock::start(replaying(&path)).await;
        assert_eq!(session(&mock).await, told);
        let effects = mock.effects().await;
        assert_eq!(effects, ["replayed"; 4]);
    }
}

#[tokio::test]
async fn what_was_not_recorded_is_refused() {
    let (_folder, path) = folder();
    let mut options = options(&[]);
    options.record = Some(path.clone());
    let mock = Mock::start(options).await;
    let olt = mock.endpoint("olt", PATIENT);
    post(&olt, r#"{"id":"r"}"#, "k").await;
    mock.stop().await.unwrap();
    let mut options = replaying(&path);
    options.faults = vec!["olt:3=503".parse().unwrap()];
    let mock = Mock::start(options).await;
    let olt = mock.endpoint("olt", PATIENT);
    let other = rejected(post(&olt, r#"{"id":"s"}"#, "l").await);
    assert_eq!(other.0, 404);
    assert!(other.1.contains("notRecorded"), "{}", other.1);
    // Another key, and the same body: the same request by somebody else.
    assert_eq!(completed(&post(&olt, r#"{"id":"r"}"#, "m").await).0, 201);
    assert_eq!(failed(post(&olt, r#"{"id":"r"}"#, "m").await).0, Some(503));
    assert_eq!(
        get(mock.address, &format!("/olt/{API}/resource/r")).await.0,
        404
    );
    assert_eq!(
        get(mock.address, &format!("/acs/{API}/resource/r")).await.0,
        404
    );
}

#[tokio::test]
async fn a_proxy_records_the_endpoint_itself_and_the_replay_needs_it_no_longer() {
    for asynchronous in [false, true] {
        let (_folder, path) = folder();
        let mut options = options(&[]);
        options.asynchronous = asynchronous;
        let real = Mock::start(options).await;
        let address = format!("http://{}/olt/{API}", real.address);
        let proxy = Mock::start(proxying(&address, Access::default(), path.clone())).await;
        let told = session(&proxy).await;
        assert!(told[0].contains("status: 201"), "{told:?}");
        assert!(told[2].contains("alreadyExists"), "{told:?}");
        assert_eq!(
            real.effects().await,
            ["applied", "applied", "refused", "applied"]
        );
        proxy.stop().await.unwrap();
        let port = real.address.port().to_string();
        real.stop().await.unwrap();
        let record = std::fs::read_to_string(&path).unwrap();
        assert_eq!(record.matches("\"effect\":\"forwarded\"").count(), 4);
        assert!(!record.contains(&port), "{record}");
        let replay = Mock::start(replaying(&path)).await;
        assert_eq!(session(&replay).await, told);
    }
}

#[tokio::test]
async fn a_proxy_sends_credentials_and_records_none() {
    let (folder, path) = folder();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "t0p-secret").unwrap();
    let access = Access {
        authorization: Some(Authorization::Bearer(SecretSource::File(secret))),
        ..Access::default()
    };
    let echo = r#"{"id":"r","said":"t0p-secret"}"#;
    let real = scripted(vec![answer(
        "201 Created\r\nLocation: /olt/v4/resource/r",
        echo,
    )])
    .await;
    let proxy = Mock::start(proxying(
        &format!("http://{real}/olt/v4"),
        access,
        path.clone(),
    ))
    .await;
    let url = format!("http://{}/olt/{API}/resource", proxy.address);
    let sent = reqwest::Client::new()
        .post(url)
        .bearer_auth("callers-own")
        .body("{}");
    let answered = sent.send().await.unwrap();
    assert_eq!(answered.status(), 201);
    let location = format!("/olt/{API}/resource/r");
    assert_eq!(answered.headers()["location"], location.as_str());
    assert_eq!(answered.text().await.unwrap(), r#"{"id":"r","said":"***"}"#);
    let record = std::fs::read_to_string(&path).unwrap();
    assert!(record.contains("\"said\":\"***\""), "{record}");
    for secret in ["t0p-secret", "callers-own"] {
        assert!(!record.contains(secret), "{record}");
    }
}

#[tokio::test]
async fn what_cannot_be_handed_on_is_told_from_what_has_no_answer() {
    let (_folder, path) = folder();
    let nobody = "http://127.0.0.1:1/olt";
    let proxy = Mock::start(proxying(nobody, Access::default(), path.clone())).await;
    let (status, reason) = failed(post(&proxy.endpoint("olt", PATIENT), "{}", "k").await);
    assert_eq!(status, Some(503));
    assert!(reason.contains("notSent"), "{reason}");

    let silent = scripted(vec![Vec::new()]).await;
    let (_folder, path) = folder();
    let address = format!("http://{silent}/olt");
    let proxy = Mock::start(proxying(&address, Access::default(), path)).await;
    let reason = unknown(post(&proxy.endpoint("olt", PATIENT), "{}", "k").await);
    assert!(reason.contains("noAnswer"), "{reason}");
}

#[tokio::test]
async fn a_proxy_goes_wrong_as_told_before_and_after_the_endpoint() {
    let real = Mock::start(options(&[])).await;
    let (_folder, path) = folder();
    let address = format!("http://{}/olt/{API}", real.address);
    let mut options = proxying(&address, Access::default(), path);
    options.faults = ["olt:1=503", "olt:2=lost"]
        .map(|it| it.parse().unwrap())
        .to_vec();
    let proxy = Mock::start(options).await;
    let olt = proxy.endpoint("olt", PATIENT);
    failed(post(&olt, "{}", "k").await);
    assert_eq!(real.effects().await, Vec::<String>::new());
    unknown(post(&olt, "{}", "k").await);
    assert_eq!(real.effects().await, ["applied"]);
    assert_eq!(completed(&post(&olt, "{}", "k").await).0, 201);
    assert_eq!(real.effects().await, ["applied", "replayed"]);
}

#[tokio::test]
async fn a_proxy_that_is_its_own_endpoint_says_so() {
    let (_folder, path) = folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    drop(taken);
    let mut options = proxying(
        &format!("http://{listen}/olt/{API}"),
        Access::default(),
        path,
    );
    options.listen = listen;
    let proxy = Mock::start(options).await;
    let (status, reason) = failed(post(&proxy.endpoint("olt", PATIENT), "{}", "k").await);
    assert_eq!(status, Some(508));
    assert!(reason.contains("leads back to this proxy"), "{reason}");
    assert_eq!(proxy.effects().await, ["forwarded"; 2]);
}
