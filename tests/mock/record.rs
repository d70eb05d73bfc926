//! What the mock writes down.

use std::path::PathBuf;

use crate::support::{API, HASTY, Mock, PATIENT, get, options, post};

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
async fn every_line_is_as_its_schema_says() {
    let schema = orderctl::schemas::find("mock-record").unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let mut options = options(&["olt:2=hang", "olt:3=429,2s", "olt:4=malformed,html"]);
    options.record_reads = true;
    let mock = Mock::start(options).await;
    let olt = mock.endpoint("olt", HASTY);
    for key in ["k1", "k2", "k3", "k4"] {
        post(&olt, "{}", key).await;
    }
    get(mock.address, &format!("/olt/{API}/resource")).await;
    let nowhere = format!("http://{}/nowhere", mock.address);
    reqwest::Client::new()
        .put(nowhere)
        .body("text")
        .send()
        .await
        .unwrap();
    let record = mock.record().await;
    let effects: Vec<&str> = record
        .iter()
        .map(|it| it["effect"].as_str().unwrap())
        .collect();
    assert_eq!(
        effects,
        ["applied", "failed", "failed", "applied", "read", "refused"]
    );
    assert_eq!(record[2]["answer"]["retryAfter"], "2");
    assert_eq!(record[3]["answer"]["contentType"], "text/html");
    for line in record {
        assert!(
            schema.is_valid(&line),
            "{line}: {:?}",
            schema.iter_errors(&line).next()
        );
    }
}
