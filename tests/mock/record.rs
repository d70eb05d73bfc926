//! What the mock writes down.

use std::path::PathBuf;

use crate::support::{HASTY, Mock, PATIENT, get, options, post};

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
