//! The endpoint inside the process.

use std::time::Duration;

use orderctl::endpoint::{Call, Endpoint, EndpointDefinition, Protocol, Terms};
use orderctl::plan::flow::Method;

use crate::support::{PATIENT, completed, failed, post, request, send, unknown};

#[tokio::test]
async fn a_simulated_endpoint_says_how_long_it_takes_and_fails_as_told() {
    let mut definition = EndpointDefinition {
        name: "bng".to_owned(),
        protocol: Protocol::Simulated {
            latency: Duration::from_millis(20),
            fail: [2].into(),
        },
        timeout: PATIENT,
        terms: Terms {
            concurrency: 1,
            retries: Some(0),
            ..Terms::default()
        },
    };
    let bng = Endpoint::open(&definition).unwrap();
    assert_eq!(bng.latency(), Duration::from_millis(20));
    assert_eq!(
        completed(&post(&bng, "{\"a\":1}", "k").await),
        (201, Some("{\"a\":1}"))
    );
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
    assert_eq!(slow.latency(), Duration::from_millis(10));
    assert_eq!(
        unknown(post(&slow, "{}", "k").await),
        "no answer within 10ms (simulated)"
    );
}
