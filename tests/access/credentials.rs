//! Credentials: sent to the endpoint, and to nobody else.

use std::path::PathBuf;

use orderctl::endpoint::{Access, ApiKey, Authorization, Call, SecretSource};
use tempfile::TempDir;

use crate::server::{Server, answer, created, endpoint, post, request, told};

const SECRET: &str = "s3cr3t-\"of\"-the-olt";

fn secret(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("secret");
    std::fs::write(&path, format!("{text}\n")).unwrap();
    path
}

fn bearer(path: PathBuf) -> Access {
    Access {
        authorization: Some(Authorization::Bearer(SecretSource::File(path))),
        ..Access::default()
    }
}

fn basic(path: PathBuf) -> Access {
    Access {
        authorization: Some(Authorization::Basic {
            user: "orderctl".to_owned(),
            password: SecretSource::File(path),
        }),
        ..Access::default()
    }
}

fn api_key(path: PathBuf) -> Access {
    Access {
        api_key: Some(ApiKey {
            header: "x-api-key".parse().unwrap(),
            value: SecretSource::File(path),
        }),
        ..Access::default()
    }
}

#[tokio::test]
async fn every_kind_of_credential_is_sent_in_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = secret(&folder, SECRET);
    // `printf 'orderctl:s3cr3t-"of"-the-olt' | base64`
    let encoded = "b3JkZXJjdGw6czNjcjN0LSJvZiItdGhlLW9sdA==";
    for (access, header) in [
        (
            bearer(path.clone()),
            format!("authorization: Bearer {SECRET}"),
        ),
        (
            basic(path.clone()),
            format!("authorization: Basic {encoded}"),
        ),
        (api_key(path.clone()), format!("x-api-key: {SECRET}")),
    ] {
        let server = Server::start(vec![created()]).await;
        let olt = endpoint(&format!("http://{}/olt", server.address), access);
        olt.prepare().unwrap();
        assert_eq!(told(&post(&olt).await), "completed 201: {\"id\":\"r\"}");
        let seen = server.seen();
        assert!(seen[0].contains(&format!("\r\n{header}\r\n")), "{seen:?}");
    }
}

#[tokio::test]
async fn monitors_and_resources_are_asked_for_with_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let access = bearer(secret(&folder, SECRET));
    let server = Server::start(vec![
        answer("202 Accepted", r#"{"href":"monitor/1"}"#),
        answer(
            "200 OK",
            r#"{"state":"completed","sourceHref":"resource/r"}"#,
        ),
        created(),
    ])
    .await;
    let olt = endpoint(&format!("http://{}/olt", server.address), access);
    post(&olt).await;
    let seen = server.seen();
    let starts = [
        "POST /olt/resource ",
        "GET /olt/monitor/1 ",
        "GET /olt/resource/r ",
    ];
    assert_eq!(seen.len(), starts.len());
    for (request, start) in seen.iter().zip(starts) {
        assert!(request.starts_with(start), "{request}");
        assert!(request.contains(&format!("authorization: Bearer {SECRET}\r\n")));
    }
}

#[tokio::test]
async fn no_answer_leads_credentials_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let access = bearer(secret(&folder, SECRET));
    let other = Server::start(vec![created()]).await;
    let to = format!("http://{}/olt/resource", other.address);
    let monitor = format!(r#"{{"href":"{to}","state":"inProgress"}}"#);
    let source = format!(r#"{{"state":"completed","sourceHref":"{to}"}}"#);
    for (sent, kind) in [
        (
            answer(&format!("307 Temporary Redirect\r\nLocation: {to}"), ""),
            "rejected: ",
        ),
        (
            answer(&format!("303 See Other\r\nLocation: {to}"), ""),
            "rejected: ",
        ),
        (answer("202 Accepted", &monitor), "unknown: "),
        (
            answer(&format!("202 Accepted\r\nLocation: {to}"), ""),
            "unknown: ",
        ),
        (answer("202 Accepted", &source), "completed 202: nothing"),
    ] {
        let server = Server::start(vec![sent]).await;
        let olt = endpoint(&format!("http://{}/olt", server.address), access.clone());
        let told = told(&post(&olt).await);
        assert!(told.starts_with(kind), "{told}");
        assert_eq!(server.seen().len(), 1);
    }
    assert_eq!(other.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn what_an_endpoint_echoes_is_masked() {
    let folder = tempfile::tempdir().unwrap();
    let path = secret(&folder, SECRET);
    let json = serde_json::to_string(SECRET).unwrap();
    let body = format!(r#"{{"id":"r","said":{json}}}"#);
    let unit = |it: char| format!("\\u{:04x}", u32::from(it));
    let units: String = SECRET.chars().map(unit).collect();
    let escaped = format!(r#"{{"id":"r","said":"{units}"}}"#);
    let masked = r#"{"id":"r","said":"***"}"#;
    for access in [bearer(path.clone()), basic(path.clone()), api_key(path)] {
        for (sent, expected) in [
            (
                answer("201 Created", &body),
                format!("completed 201: {masked}"),
            ),
            (
                answer("403 Forbidden", &format!("no, {SECRET}")),
                "rejected: 403 Forbidden: no, ***".to_owned(),
            ),
            (
                answer("201 Created", &escaped),
                format!("completed 201: {masked}"),
            ),
            (
                answer(&format!("302 Found\r\nLocation: /{SECRET}"), ""),
                "rejected: 302 Found: redirects to /*** are not followed".to_owned(),
            ),
        ] {
            let server = Server::start(vec![sent]).await;
            let olt = endpoint(&format!("http://{}/olt", server.address), access.clone());
            assert_eq!(told(&post(&olt).await), expected);
        }
    }
}

#[tokio::test]
async fn what_would_be_sent_is_shown_without_fetching_the_secret() {
    let nowhere = PathBuf::from("/nowhere/secret");
    let mut both = bearer(nowhere.clone());
    both.api_key = api_key(nowhere.clone()).api_key;
    for (access, lines) in [
        (both, "authorization: Bearer ***\nx-api-key: ***\n"),
        (basic(nowhere), "authorization: Basic ***\n"),
    ] {
        let olt = endpoint("http://127.0.0.1:1/olt", access);
        let call = Call {
            task: "T1",
            request: &request(),
            idempotency_key: "k",
        };
        let shown = olt.exact_request(&call);
        assert!(shown.contains(lines), "{shown}");
        let missing = "cannot read /nowhere/secret: No such file or directory (os error 2)";
        let error = olt.prepare().unwrap_err().to_string();
        assert!(error.ends_with(missing), "{error}");
        // Nothing was sent, so it may be tried again.
        let told = told(&post(&olt).await);
        assert!(
            told.starts_with("failed: endpoint olt: there is no "),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_token_that_has_run_out_is_fetched_again_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = secret(&folder, "first-token");
    let refused = || answer("401 Unauthorized", "");
    let server = Server::start(vec![refused(), created(), refused()]).await;
    let olt = endpoint(&format!("http://{}/olt", server.address), bearer(path));
    olt.prepare().unwrap();
    secret(&folder, "second-token");
    assert_eq!(told(&post(&olt).await), "completed 201: {\"id\":\"r\"}");
    // There is no other token now, so a refusal stands.
    assert_eq!(told(&post(&olt).await), "rejected: 401 Unauthorized");
    let seen = server.seen();
    let tokens: Vec<&str> = seen
        .iter()
        .map(|request| {
            let at = request.find("Bearer ").unwrap();
            request[at..].lines().next().unwrap()
        })
        .collect();
    assert_eq!(
        tokens,
        [
            "Bearer first-token",
            "Bearer second-token",
            "Bearer second-token"
        ]
    );
}

#[tokio::test]
async fn a_secret_that_no_header_can_carry_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = secret(&folder, "gr\u{7f}\u{fc}n");
    let olt = endpoint("http://127.0.0.1:1/olt", bearer(path.clone()));
    let name = path.display();
    assert_eq!(
        olt.prepare().unwrap_err().to_string(),
        format!(
            "endpoint olt: there is no token: file {name} holds more than one line, or control characters"
        )
    );
}
