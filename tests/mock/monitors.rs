//! Requests that are accepted first and answered behind a monitor.

use std::time::{Duration, Instant};

use orderctl::plan::flow::Method;

use crate::support::{
    API, HASTY, Mock, PATIENT, answer, completed, failed, options, post, rejected, request, send,
    told, unknown,
};

#[tokio::test]
async fn an_accepted_request_is_followed_to_its_end() {
    let mut options = options(&[]);
    options.asynchronous = true;
    options.latency = Duration::from_millis(40).into();
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
    options.latency = Duration::from_secs(3600).into();
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
async fn a_monitor_that_has_completed_with_a_refusal_is_no_success() {
    let monitor = |status: u16| {
        let response = format!(r#"{{"statusCode":"{status}","body":"{{\"code\":\"17\"}}"}}"#);
        answer(
            "202 Accepted",
            &format!(r#"{{"state":"Completed","response":{response}}}"#),
        )
    };
    let reason = "monitor completed, but not with success: 422 Unprocessable Entity: 17";
    assert_eq!(
        rejected(told(vec![monitor(422)]).await),
        (422, reason.to_owned())
    );
    assert_eq!(rejected(told(vec![monitor(302)]).await).0, 302);
    for status in [429, 500, 503] {
        assert_eq!(failed(told(vec![monitor(status)]).await).0, Some(status));
    }
    assert_eq!(completed(&told(vec![monitor(204)]).await).0, 204);
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
