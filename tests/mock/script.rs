//! Fault scripts at work: the same faults every time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use orderctl::mock::{MockOptions, Script};
use tokio::task::JoinSet;

use crate::support::{API, Mock, PATIENT, completed, failed, options, post};

fn scripted(text: &str) -> MockOptions {
    let text = format!("formatVersion = \"1.0\"\n{text}");
    let script = Script::parse(&text, Path::new("faults.toml")).unwrap();
    MockOptions {
        script,
        ..options(&[])
    }
}

const EVERY_KIND: &str = r#"
[[fault]]
calls = "10%"
kind = "status"
status = 503
[[fault]]
calls = "10%"
kind = "lost"
[[fault]]
calls = "10%"
kind = "reset"
[[fault]]
calls = "10%"
kind = "malformed"
answer = "cut"
[[fault]]
calls = "10%"
kind = "slow"
after = "~1ms"
"#;

/// The faults that 100 requests meet, each sent until it is done, by request.
async fn met(seed: u64, at_once: usize) -> BTreeMap<String, Vec<String>> {
    let mut options = scripted(EVERY_KIND);
    options.script.seed = seed;
    let mock = Mock::start(options).await;
    let olt = Arc::new(mock.endpoint("olt", PATIENT));
    let mut under_way = JoinSet::new();
    for n in 0..100 {
        if under_way.len() == at_once {
            under_way.join_next().await.unwrap().unwrap();
        }
        let olt = Arc::clone(&olt);
        under_way.spawn(async move {
            for _ in 0..30 {
                let outcome = post(&olt, &format!("{{\"id\":\"r{n}\"}}"), &format!("k{n}")).await;
                if let orderctl::endpoint::Outcome::Completed { .. } = outcome {
                    return;
                }
            }
            panic!("request {n} is never done");
        });
    }
    under_way.join_all().await;
    let mut met: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut applied = 0;
    for line in mock.record().await {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        met.entry(text("idempotencyKey"))
            .or_default()
            .push(text("fault"));
        applied += u32::from(line["effect"] == "applied");
    }
    assert_eq!(applied, 100);
    met
}

#[tokio::test]
async fn the_same_seed_meets_the_same_requests_with_the_same_faults_however_many_at_once() {
    let alone = met(1, 1).await;
    assert_eq!(alone, met(1, 16).await);
    assert_eq!(alone, met(1, 3).await);
    assert_ne!(alone, met(2, 1).await);
    let all: Vec<&str> = alone.values().flatten().map(String::as_str).collect();
    for kind in ["503", "lost", "reset", "malformed,cut", "slow,~1ms", ""] {
        assert!(all.contains(&kind), "{kind} is in none of {all:?}");
    }
}

#[tokio::test]
async fn an_endpoint_that_ignores_keys_does_it_twice() {
    let mock = Mock::start(scripted("[endpoint.olt]\nkeys = \"ignored\"\n")).await;
    let olt = mock.endpoint("olt", PATIENT);
    for id in ["olt-1", "olt-2"] {
        let outcome = post(&olt, "{}", "k").await;
        let made = format!(r#"{{"id":"{id}","href":"/olt/{API}/resource/{id}"}}"#);
        assert_eq!(completed(&outcome), (201, Some(&*made)));
    }
    let acs = mock.endpoint("acs", PATIENT);
    post(&acs, "{}", "k").await;
    post(&acs, "{}", "k").await;
    let effects = mock.effects().await;
    assert_eq!(effects, ["applied", "applied", "applied", "replayed"]);
}

#[tokio::test]
async fn a_busy_endpoint_says_when_to_come_back() {
    let text = "[[fault]]\ncalls = 1\nkind = \"status\"\nstatus = 429\nretryAfter = \"1500ms\"\nmessage = \"busy\"\n";
    let mock = Mock::start(scripted(text)).await;
    let url = format!("http://{}/olt/{API}/resource", mock.address);
    let answer = reqwest::Client::new()
        .post(&url)
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "2");
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains("\"message\":\"busy\"")
    );
}

#[tokio::test]
async fn the_command_line_comes_before_the_script() {
    let mut options = scripted("[[fault]]\ncalls = 1\nkind = \"lost\"\n");
    options.faults = vec!["olt:1=503".parse().unwrap()];
    let mock = Mock::start(options).await;
    let olt = mock.endpoint("olt", PATIENT);
    assert_eq!(failed(post(&olt, "{}", "k").await).0, Some(503));
    assert_eq!(completed(&post(&olt, "{}", "k").await).0, 201);
}

#[tokio::test]
async fn a_fault_may_be_about_a_task() {
    // The tests' client calls every task T1.
    let mock = Mock::start(options(&["olt/item=T2:*=500", "olt/item=T1:2=503"])).await;
    let olt = mock.endpoint("olt", PATIENT);
    assert_eq!(completed(&post(&olt, "{}", "k1").await).0, 201);
    assert_eq!(failed(post(&olt, "{}", "k2").await).0, Some(503));
    assert_eq!(completed(&post(&olt, "{}", "k3").await).0, 201);
}
