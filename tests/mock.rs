//! The TMF702 client against the mock, and against servers that misbehave.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use orderctl::endpoint::{Call, Endpoint, EndpointDefinition, Outcome, Protocol};
use orderctl::mock::{Fault, MockError, MockOptions, serve};
use orderctl::plan::flow::{Method, Request};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const API: &str = "tmf-api/ResourceActivationAndConfiguration/v4";
const PATIENT: Duration = Duration::from_secs(20);
const HASTY: Duration = Duration::from_millis(300);

struct Mock {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), MockError>>,
}

fn options(faults: &[&str]) -> MockOptions {
    MockOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        endpoints: ["acs", "olt"].map(str::to_owned).into(),
        latency: Duration::ZERO,
        asynchronous: false,
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        record: None,
    }
}

impl Mock {
    async fn start(options: MockOptions) -> Self {
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

    fn endpoint(&self, name: &str, timeout: Duration) -> Endpoint {
        client(&format!("http://{}/{name}/{API}", self.address), timeout)
    }

    async fn record(&self) -> Vec<Value> {
        let text = get(self.address, "/record").await.1;
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    async fn effects(&self) -> Vec<String> {
        let effect = |line: &Value| line["effect"].as_str().unwrap().to_owned();
        self.record().await.iter().map(effect).collect()
    }

    async fn stop(self) -> Result<(), MockError> {
        self.stop.send(()).unwrap();
        self.served.await.unwrap()
    }
}

fn client(address: &str, timeout: Duration) -> Endpoint {
    Endpoint::open(&EndpointDefinition {
        name: "olt".to_owned(),
        protocol: Protocol::Tmf702 {
            address: address.to_owned(),
        },
        timeout,
        concurrency: 1,
        retries: 0,
    })
    .unwrap()
}

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let response = reqwest::get(format!("http://{address}{path}"))
        .await
        .unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn request(method: Method, path: &str, body: &str) -> Request {
    let body = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
    Request {
        method,
        path: path.to_owned(),
        body,
    }
}

async fn send(endpoint: &Endpoint, request: &Request, key: &str) -> Outcome {
    endpoint
        .call(&Call {
            task: "T1",
            request,
            idempotency_key: key,
        })
        .await
}

async fn post(endpoint: &Endpoint, body: &str, key: &str) -> Outcome {
    send(endpoint, &request(Method::Post, "resource", body), key).await
}

fn completed(outcome: &Outcome) -> (u16, Option<&str>) {
    match outcome {
        Outcome::Completed { status, resource } => {
            (*status, resource.as_deref().map(RawValue::get))
        }
        other => panic!("{other:?}"),
    }
}

fn rejected(outcome: Outcome) -> (u16, String) {
    match outcome {
        Outcome::Rejected { status, reason } => (status, reason),
        other => panic!("{other:?}"),
    }
}

fn failed(outcome: Outcome) -> (Option<u16>, String) {
    match outcome {
        Outcome::Failed { status, reason } => (status, reason),
        other => panic!("{other:?}"),
    }
}

fn unknown(outcome: Outcome) -> String {
    match outcome {
        Outcome::Unknown { reason } => reason,
        other => panic!("{other:?}"),
    }
}

/// Serves the answers in turn, one a connection, closing each after it.
async fn scripted(answers: Vec<Vec<u8>>) -> SocketAddr {
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

async fn read_request(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    loop {
        if let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&seen[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if seen.len() >= end + 4 + length {
                return;
            }
        }
        assert!(
            stream.read_buf(&mut seen).await.unwrap() > 0,
            "the request broke off"
        );
    }
}

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The outcome of a POST to a server that gives these answers.
async fn told(answers: Vec<Vec<u8>>) -> Outcome {
    let address = scripted(answers).await;
    post(
        &client(&format!("http://{address}/olt"), PATIENT),
        "{}",
        "k",
    )
    .await
}

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
                r#"{{"seq":1,"endpoint":"olt","method":"POST","path":"{p}","idempotencyKey":"k1","effect":"applied","status":201,"body":{{"id":"port 1","name":"p"}}}}"#,
                "\n",
                r#"{{"seq":2,"endpoint":"olt","method":"PATCH","path":"{p}/port%201","idempotencyKey":"k2","effect":"applied","status":200,"body":{{"name":"q"}}}}"#,
                "\n",
                r#"{{"seq":3,"endpoint":"olt","method":"DELETE","path":"{p}/port%201","idempotencyKey":"k3","effect":"applied","status":204,"body":null}}"#,
                "\n"
            ),
            p = place
        )
    );
    mock.stop().await.unwrap();
}

#[tokio::test]
async fn an_accepted_request_is_followed_to_its_end() {
    let mut options = options(&[]);
    options.asynchronous = true;
    options.latency = Duration::from_millis(40);
    let mock = Mock::start(options).await;
    let olt = mock.endpoint("olt", PATIENT);
    let start = Instant::now();
    let outcome = post(&olt, r#"{"name":"p"}"#, "k").await;
    assert!(start.elapsed() >= Duration::from_millis(40));
    let made = format!(r#"{{"id":"olt-1","href":"/olt/{API}/resource/olt-1","name":"p"}}"#);
    assert_eq!(completed(&outcome), (201, Some(&*made)));
    let again = post(&olt, r#"{"name":"p"}"#, "k").await;
    assert_eq!(completed(&again), (201, Some(&*made)));
    let outcome = send(&olt, &request(Method::Delete, "resource/olt-1", ""), "l").await;
    assert_eq!(completed(&outcome), (204, None));
    assert_eq!(mock.effects().await, ["applied", "replayed", "applied"]);
}

#[tokio::test]
async fn a_request_that_stays_in_progress_is_unknown_when_time_is_over() {
    let mut options = options(&[]);
    options.asynchronous = true;
    options.latency = Duration::from_secs(3600);
    let mock = Mock::start(options).await;
    let reason = unknown(post(&mock.endpoint("olt", HASTY), "{}", "k").await);
    let monitor = format!("http://{}/olt/{API}/monitor/olt-m1", mock.address);
    assert_eq!(
        reason,
        format!("accepted, but its monitor {monitor} is still inProgress after 300ms")
    );
    let outcome = unknown(post(&mock.endpoint("olt", HASTY), "{}", "k").await);
    assert_eq!(outcome, reason);
    assert_eq!(mock.effects().await, ["applied", "replayed"]);
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
        rejected(send(&olt, &request(Method::Post, "hub", "{}"), "k4").await).0,
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
async fn a_failed_call_has_no_effect_and_may_be_repeated_under_its_key() {
    let mock = Mock::start(options(&["olt:1", "olt:2=503", "olt:3=429"])).await;
    let olt = mock.endpoint("olt", PATIENT);
    for (status, phrase) in [
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
        (429, "Too Many Requests"),
    ] {
        let (seen, reason) = failed(post(&olt, "{}", "k").await);
        assert_eq!(seen, Some(status));
        assert!(
            reason.starts_with(&format!("{status} {phrase}: fault: ")),
            "{reason}"
        );
    }
    assert_eq!(completed(&post(&olt, "{}", "k").await).0, 201);
    assert_eq!(
        mock.effects().await,
        ["failed", "failed", "failed", "applied"]
    );
}

#[tokio::test]
async fn a_refused_connection_is_a_failure_without_status() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = post(
        &client(&format!("http://{address}/olt"), PATIENT),
        "{}",
        "k",
    )
    .await;
    let refused = "cannot connect: Connection refused (os error 111)".to_owned();
    assert_eq!(failed(outcome), (None, refused));
}

#[tokio::test]
async fn a_call_that_is_never_answered_is_unknown_when_time_is_over() {
    let mock = Mock::start(options(&["olt:1=hang"])).await;
    let outcome = post(&mock.endpoint("olt", HASTY), "{}", "k").await;
    assert_eq!(unknown(outcome), "no answer within 300ms");
    assert_eq!(mock.effects().await, ["failed"]);
    assert_eq!(mock.record().await[0]["status"], Value::Null);
    mock.stop().await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_its_repetition_has_no_second_effect() {
    for asynchronous in [false, true] {
        let mut options = options(&["olt:2=lost"]);
        options.asynchronous = asynchronous;
        let mock = Mock::start(options).await;
        let olt = mock.endpoint("olt", PATIENT);
        post(&olt, "{}", "k1").await;
        let reason = unknown(post(&olt, "{}", "k2").await);
        assert_eq!(
            reason,
            "no answer: connection closed before message completed"
        );
        let outcome = post(&olt, "{}", "k2").await;
        let made = format!(r#"{{"id":"olt-2","href":"/olt/{API}/resource/olt-2"}}"#);
        assert_eq!(completed(&outcome), (201, Some(&*made)));
        assert_eq!(mock.effects().await, ["applied", "applied", "replayed"]);
        let list = get(mock.address, &format!("/olt/{API}/resource")).await.1;
        assert_eq!(list.matches("\"id\"").count(), 2);
    }
}

#[tokio::test]
async fn latency_delays_the_answer_and_not_the_effect() {
    let mut options = options(&[]);
    options.latency = Duration::from_secs(3600);
    let mock = Mock::start(options).await;
    unknown(post(&mock.endpoint("olt", HASTY), "{}", "k").await);
    assert_eq!(mock.effects().await, ["applied"]);
    drop(mock);

    let mut options = self::options(&[]);
    options.latency = Duration::from_millis(30);
    let mock = Mock::start(options).await;
    let start = Instant::now();
    completed(&post(&mock.endpoint("olt", PATIENT), "{}", "k").await);
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn the_record_file_is_appended_to_before_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.ndjson");
    std::fs::write(&path, "{\"before\":true}\n").unwrap();
    let mut options = options(&["acs:1=hang"]);
    options.record = Some(path.clone());
    let mock = Mock::start(options).await;
    post(&mock.endpoint("olt", PATIENT), "{\n\"a\": 1\r\n}", "k").await;
    let lines = get(mock.address, "/record").await.1;
    assert_eq!(lines.lines().count(), 1);
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        format!("{{\"before\":true}}\n{lines}")
    );
    post(&mock.endpoint("acs", HASTY), "{}", "k").await;
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
    mock.stop().await.unwrap();
}

#[tokio::test]
async fn a_record_that_cannot_be_written_ends_the_mock_with_an_error() {
    let mut options = options(&[]);
    options.record = Some(PathBuf::from("/dev/full"));
    let mock = Mock::start(options).await;
    post(&mock.endpoint("olt", PATIENT), "{}", "k").await;
    assert_eq!(
        mock.served.await.unwrap().unwrap_err().to_string(),
        "cannot write the record /dev/full: No space left on device (os error 28)"
    );
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

#[tokio::test]
async fn a_torn_answer_is_unknown_unless_its_status_settles_it() {
    let torn = |status: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Length: 100\r\n\r\n{{\"id\":").into_bytes()
    };
    let reason = unknown(told(vec![torn("201 Created")]).await);
    assert!(
        reason.starts_with("the answer 201 Created broke off: "),
        "{reason}"
    );
    assert_eq!(
        rejected(told(vec![torn("404 Not Found")]).await),
        (404, "404 Not Found".to_owned())
    );
    assert_eq!(failed(told(vec![torn("500 Oops")]).await).0, Some(500));
    for head in [
        "",
        "HTTP/1.1 201 Cre",
        "HTTP/1.1 201 Created\r\nContent-",
        "no HTTP\r\n\r\n",
    ] {
        let reason = unknown(told(vec![head.into()]).await);
        assert!(reason.starts_with("no answer: "), "{reason}");
    }
}

#[tokio::test]
async fn a_success_with_a_body_that_is_no_resource_is_a_success() {
    for body in ["", "created", "{\"id\":", "[1]", "null", "\u{0}"] {
        assert_eq!(
            completed(&told(vec![answer("201 Created", body)]).await),
            (201, None)
        );
    }
    let deep = format!("{{\"a\":{}", "[".repeat(1_000_000));
    assert_eq!(
        completed(&told(vec![answer("200 OK", &deep)]).await),
        (200, None)
    );
    let binary =
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\xff\xfe".to_vec();
    assert_eq!(completed(&told(vec![binary]).await), (200, None));
    let spaced = answer("200 OK", " {\"id\" : 1} \n");
    assert_eq!(
        completed(&told(vec![spaced]).await),
        (200, Some("{\"id\" : 1}"))
    );
}

#[tokio::test]
async fn a_huge_answer_is_not_kept() {
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(17 * 1024 * 1024));
    assert_eq!(
        completed(&told(vec![answer("201 Created", &huge)]).await),
        (201, None)
    );
    let refused = rejected(told(vec![answer("400 Bad Request", &huge)]).await);
    assert_eq!(refused, (400, "400 Bad Request".to_owned()));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let mock = Mock::start(options(&[])).await;
    let to = format!("http://{}/olt/{API}/resource", mock.address);
    for status in [
        "301 Moved Permanently",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let outcome = told(vec![answer(&format!("{status}\r\nLocation: {to}"), "")]).await;
        let code = status[..3].parse().unwrap();
        let reason = format!("{status}: redirects to {to} are not followed");
        assert_eq!(rejected(outcome), (code, reason));
    }
    assert_eq!(mock.effects().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_gateway_that_has_no_answer_leaves_the_outcome_unknown() {
    let outcome = told(vec![answer("504 Gateway Timeout", "<html>\n")]).await;
    assert_eq!(unknown(outcome), "504 Gateway Timeout: <html>");
}

#[tokio::test]
async fn monitors_are_found_by_href_id_or_location() {
    let ended = |body: &str| answer("200 OK", body);
    let done = r#"{"state":"Completed","response":{"statusCode":"201","body":"{\"id\":\"r\"}"}}"#;
    for accepted in [
        answer(
            "202 Accepted",
            r#"{"href":"monitor/1","state":"InProgress"}"#,
        ),
        answer("202 Accepted", r#"{"href":"/olt/monitor/1"}"#),
        answer("202 Accepted", r#"{"id":"1","state":"inProgress"}"#),
        answer("202 Accepted\r\nLocation: /olt/monitor/1", ""),
    ] {
        let unfinished = answer("200 OK", r#"{"state":"acknowledged"}"#);
        let busy = answer("503 Service Unavailable", "");
        let outcome = told(vec![accepted, unfinished, busy, ended(done)]).await;
        assert_eq!(completed(&outcome), (201, Some(r#"{"id":"r"}"#)));
    }
    let at_once = told(vec![answer("202 Accepted", done)]).await;
    assert_eq!(completed(&at_once), (201, Some(r#"{"id":"r"}"#)));
}

#[tokio::test]
async fn the_resource_is_fetched_where_the_monitor_does_not_hold_it() {
    let monitor = r#"{"state":"completed","sourceHref":"/olt/resource/r"}"#;
    let found = vec![
        answer("202 Accepted", monitor),
        answer("200 OK", r#"{"id":"r"}"#),
    ];
    assert_eq!(completed(&told(found).await), (202, Some(r#"{"id":"r"}"#)));
    let gone = vec![answer("202 Accepted", monitor), answer("404 Not Found", "")];
    assert_eq!(completed(&told(gone).await), (202, None));
}

#[tokio::test]
async fn a_monitor_in_error_tells_refusal_from_failure() {
    let monitor = |status: &str| {
        let error = r#"{\"code\":\"17\",\"reason\":\"no port\",\"message\":\"shelf is full\"}"#;
        let response = format!(r#"{{"statusCode":{status},"body":"{error}"}}"#);
        answer(
            "202 Accepted",
            &format!(r#"{{"state":"InError","response":{response}}}"#),
        )
    };
    assert_eq!(
        rejected(told(vec![monitor("\"422\"")]).await),
        (
            422,
            "monitor in error: 422 Unprocessable Entity: 17: no port: shelf is full".to_owned()
        )
    );
    assert_eq!(failed(told(vec![monitor("500")]).await).0, Some(500));
    assert_eq!(
        failed(told(vec![monitor("null")]).await),
        (
            None,
            "monitor in error: 17: no port: shelf is full".to_owned()
        )
    );
}

#[tokio::test]
async fn a_monitor_that_cannot_be_followed_leaves_the_outcome_unknown() {
    assert_eq!(
        unknown(told(vec![answer("202 Accepted", "")]).await),
        "accepted, but the answer names no monitor"
    );
    let elsewhere = r#"{"href":"http://127.0.0.2:1/monitor/1"}"#;
    assert_eq!(
        unknown(told(vec![answer("202 Accepted", elsewhere)]).await),
        "accepted, but its monitor http://127.0.0.2:1/monitor/1 is at another origin"
    );
    let gone = vec![
        answer("202 Accepted", r#"{"id":"1"}"#),
        answer("404 Not Found", ""),
    ];
    let reason = unknown(told(gone).await);
    assert!(
        reason.ends_with("/olt/monitor/1 answers 404 Not Found"),
        "{reason}"
    );
}

#[tokio::test]
async fn what_would_be_sent_is_shown_as_it_is_sent() {
    let olt = client("http://127.0.0.1:8702/olt/v4", PATIENT);
    let patch = request(Method::Patch, "resource/a b", "{\"x\": 1}");
    let call = Call {
        task: "T1",
        request: &patch,
        idempotency_key: "k-1",
    };
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        olt.exact_request(&call),
        format!(
            "PATCH http://127.0.0.1:8702/olt/v4/resource/a%20b\n\
             host: 127.0.0.1:8702\n\
             idempotency-key: k-1\n\
             accept: application/json\n\
             user-agent: orderctl/{version}\n\
             content-type: application/merge-patch+json\n\
             content-length: 8\n\
             \n\
             {{\"x\": 1}}\n"
        )
    );
    let delete = request(Method::Delete, "../secret", "");
    let call = Call {
        task: "T1",
        request: &delete,
        idempotency_key: "k-1",
    };
    let refused = "path \"../secret\" does not lead below the endpoint's address";
    assert_eq!(
        olt.exact_request(&call),
        format!("cannot be sent: {refused}\n")
    );
    assert_eq!(failed(olt.call(&call).await), (None, refused.to_owned()));
    let outcome = post(&olt, "{}", "a\nb").await;
    assert_eq!(
        failed(outcome).1,
        "idempotency key \"a\\nb\" cannot be a header"
    );
}

#[tokio::test]
async fn a_simulated_endpoint_takes_its_time_and_fails_as_told() {
    let mut definition = EndpointDefinition {
        name: "bng".to_owned(),
        protocol: Protocol::Simulated {
            latency: Duration::from_millis(20),
            fail: [2].into(),
        },
        timeout: PATIENT,
        concurrency: 1,
        retries: 0,
    };
    let bng = Endpoint::open(&definition).unwrap();
    let start = Instant::now();
    assert_eq!(
        completed(&post(&bng, "{\"a\":1}", "k").await),
        (201, Some("{\"a\":1}"))
    );
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert_eq!(
        failed(post(&bng, "{}", "k").await),
        (
            Some(500),
            "call 2 of endpoint bng fails (simulated)".to_owned()
        )
    );
    let delete = request(Method::Delete, "resource/a", "");
    assert_eq!(completed(&send(&bng, &delete, "k").await), (204, None));
    let call = Call {
        task: "T1",
        request: &delete,
        idempotency_key: "k",
    };
    assert_eq!(
        bng.exact_request(&call),
        "DELETE simulated:bng/resource/a\nidempotency-key: k\n"
    );
    definition.timeout = Duration::from_millis(10);
    let slow = Endpoint::open(&definition).unwrap();
    assert_eq!(
        unknown(post(&slow, "{}", "k").await),
        "no answer within 10ms (simulated)"
    );
}
