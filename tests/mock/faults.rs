//! Faults that the mock is told to commit.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{API, HASTY, Mock, PATIENT, completed, failed, get, options, post, unknown};

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
    options.latency = Duration::from_secs(3600).into();
    let mock = Mock::start(options).await;
    unknown(post(&mock.endpoint("olt", HASTY), "{}", "k").await);
    assert_eq!(mock.effects().await, ["applied"]);
    drop(mock);

    let mut options = crate::support::options(&[]);
    options.latency = Duration::from_millis(30).into();
    let mock = Mock::start(options).await;
    let start = Instant::now();
    completed(&post(&mock.endpoint("olt", PATIENT), "{}", "k").await);
    assert!(start.elapsed() >= Duration::from_millis(30));
}
