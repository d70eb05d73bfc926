//! The TMF702 client against servers that misbehave.

use orderctl::endpoint::Call;
use orderctl::plan::flow::Method;
use tokio::net::TcpListener;

use crate::support::{
    API, Mock, PATIENT, answer, client, completed, failed, options, post, rejected, request, told,
    unknown,
};

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
async fn a_success_with_a_body_that_is_no_resource_leaves_the_outcome_unknown() {
    let deep = format!("{{\"a\":{}", "[".repeat(1_000_000));
    let no_text =
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\xff\xfe".to_vec();
    // The body is longer than is said of it.
    let cut =
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{\"id\":1}".to_vec();
    let bodies = ["created", "{\"id\":", "[1]", "null", "\u{0}", &deep];
    let mut answers: Vec<Vec<u8>> = bodies.map(|body| answer("201 Created", body)).to_vec();
    answers.extend([no_text, cut]);
    for answer in answers {
        let reason = unknown(told(vec![answer]).await);
        assert!(reason.contains("is no JSON object"), "{reason}");
    }
}

#[tokio::test]
async fn a_success_is_kept_with_the_resource_if_there_is_one() {
    for body in ["", " \r\n"] {
        assert_eq!(
            completed(&told(vec![answer("201 Created", body)]).await),
            (201, None)
        );
    }
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
             x-orderctl-task: T1\n\
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
