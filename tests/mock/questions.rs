//! Questions that gates ask, which may be answered by no, or later.

use orderctl::endpoint::Outcome;
use orderctl::plan::flow::Method;

use crate::support::{
    HASTY, Mock, PATIENT, answer, client, completed, options, rejected, request, scripted, send,
    unknown,
};

const QUESTIONS: [(&str, &str); 3] = [
    (
        "checkServiceQualification",
        r#"{"serviceQualificationItem":[{"id":"1"}]}"#,
    ),
    (
        "checkProductOfferingQualification",
        r#"{"checkProductOfferingQualificationItem":[{"id":"1"}]}"#,
    ),
    (
        "productOfferingRiskAssessment",
        r#"{"productOffering":{"id":"PO"}}"#,
    ),
];

#[tokio::test]
async fn the_mock_says_yes_unless_it_is_told_to_say_no() {
    let mock = Mock::start(options(&["olt:4..6=unqualified no free port"])).await;
    let olt = mock.endpoint("olt", PATIENT);
    for (path, body) in QUESTIONS {
        let outcome = send(&olt, &request(Method::Post, path, body), path).await;
        assert_eq!(completed(&outcome).0, 201, "{outcome:?}");
    }
    let mut reasons = Vec::new();
    for (path, body) in QUESTIONS {
        let key = format!("{path} again");
        let outcome = send(&olt, &request(Method::Post, path, body), &key).await;
        reasons.push(rejected(outcome));
    }
    assert_eq!(
        reasons,
        [
            (201, "unqualified: no free port".to_owned()),
            (201, "unqualified: no free port".to_owned()),
            (201, "declined: no free port".to_owned()),
        ]
    );
}

/// The outcome of a question to a server that gives these answers.
async fn asked(answers: Vec<Vec<u8>>) -> Outcome {
    let address = scripted(answers).await;
    let endpoint = client(&format!("http://{address}/q"), HASTY);
    let question = request(Method::Post, "checkServiceQualification", "{}");
    send(&endpoint, &question, "k").await
}

#[tokio::test]
async fn a_question_that_is_not_decided_yet_is_asked_after() {
    let open = |place: &str| {
        answer(
            "201 Created",
            &format!(r#"{{"state":"acknowledged"{place}}}"#),
        )
    };
    for place in [
        r#","id":"7""#,
        r#","href":"checkServiceQualification/7""#,
        r#","href":"/q/checkServiceQualification/7""#,
    ] {
        let later = answer("200 OK", &format!(r#"{{"state":"inProgress"{place}}}"#));
        let no = answer(
            "200 OK",
            r#"{"state":"done","qualificationResult":"unqualified"}"#,
        );
        let outcome = asked(vec![open(place), later, no]).await;
        assert_eq!(
            rejected(outcome),
            (201, "unqualified".to_owned()),
            "{place}"
        );
        let yes = answer("200 OK", r#"{"state":"done"}"#);
        let outcome = asked(vec![open(place), yes]).await;
        assert_eq!(completed(&outcome), (201, Some(r#"{"state":"done"}"#)));
    }
    assert_eq!(
        unknown(asked(vec![open("")]).await),
        "the question is acknowledged, and nothing says where its answer will be"
    );
    assert_eq!(
        unknown(asked(vec![open(r#","href":"http://127.0.0.2/7""#)]).await),
        "the question is acknowledged, and nothing says where its answer will be"
    );
    let open = open(r#","id":"7""#);
    assert_eq!(
        unknown(asked(vec![open; 100]).await),
        "the question is acknowledged, after 300ms"
    );
}

#[tokio::test]
async fn what_is_no_question_is_not_judged() {
    let unqualified = r#"{"id":"r","qualificationResult":"unqualified","state":"rejected"}"#;
    let address = scripted(vec![answer("201 Created", unqualified)]).await;
    let endpoint = client(&format!("http://{address}/q"), PATIENT);
    let outcome = send(&endpoint, &request(Method::Post, "resource", "{}"), "k").await;
    assert_eq!(completed(&outcome), (201, Some(unqualified)));
}
