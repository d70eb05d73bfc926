//! Nothing that a run writes, to any output or file, holds a secret.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use crate::support::{Mock, Workplace, chain, orderctl, run, stderr, stdout};

const TOKEN: &str = "tok-4f7d1c";
const PASSWORD: &str = "pass-91ab33";
const KEY: &str = "key-77e0c2";
/// `printf 'orderctl:pass-91ab33' | base64`
const BASIC: &str = "b3JkZXJjdGw6cGFzcy05MWFiMzM=";

/// Hands on what goes to the mock, and keeps it.
struct Tap {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(target).unwrap());
                let (back, forth) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let log = Arc::clone(&log);
                thread::spawn(move || {
                    hand_on(client, forth, |bytes| {
                        log.lock().unwrap().extend_from_slice(bytes);
                    });
                });
                thread::spawn(move || hand_on(server, back, |_| {}));
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, keep: impl Fn(&[u8])) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        keep(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// Refuses every request and shows its sender all of it.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut request = [0; 16 * 1024];
            let read = client.read(&mut request).unwrap();
            let head = String::from_utf8_lossy(&request[..read]);
            let head = head.split("\r\n\r\n").next().unwrap();
            let credential = head.lines().find(|line| line.starts_with("authorization"));
            let body = serde_json::json!({"code": "1", "reason": credential}).to_string();
            let length = body.len();
            let _ = write!(
                client,
                "HTTP/1.1 422 Unprocessable\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
        }
    });
    address
}

/// Runs a command with the secrets where it looks for them.
fn with_secrets(command: &mut Command, input: &str) -> Output {
    run(command.env("OLT_TOKEN", TOKEN), input)
}

/// Everything below a folder, as bytes, by name.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found
}

#[track_caller]
fn assert_silent(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for secret in [TOKEN, PASSWORD, KEY, BASIC] {
        assert!(!text.contains(secret), "{what} holds {secret}:\n{text}");
    }
}

#[test]
fn a_full_run_writes_no_secret_anywhere() {
    let mock = Mock::start();
    let tap = Tap::before(mock.address);
    let kept = tempfile::tempdir().unwrap();
    let password = kept.path().join("password");
    fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let workplace = Workplace::new(&format!("http://{}", tap.address));
    let token = "token = { env = \"OLT_TOKEN\" }\nretries = 0\n";
    workplace.endpoints(&format!("http://{}", tap.address), token);
    let basic = format!(
        "user = \"orderctl\"\npassword = {{ file = {:?} }}\napiKey = {{ header = \"X-API-Key\", command = [\"sh\", \"-c\", \"cat {}/key\"] }}",
        password.display().to_string(),
        kept.path().display()
    );
    fs::write(kept.path().join("key"), KEY).unwrap();
    let text = workplace.read("endpoints.toml");
    let (before, after) = text.split_once("[endpoint.warehouse]").unwrap();
    let warehouse = after.replacen("token = { env = \"OLT_TOKEN\" }", &basic, 1);
    workplace.write(
        "endpoints.toml",
        &format!("{before}[endpoint.warehouse]{warehouse}"),
    );
    workplace.redirect("wifi", &format!("http://{}", echo()));
    workplace.write("chain.ndjson", &chain("order.json", "1"));

    let mut outputs = Vec::new();
    for (arguments, status) in [
        (&["activate", "--dry-run", "-vv", "chain.ndjson"][..], 0),
        (
            &[
                "activate",
                "-vvv",
                "chain.ndjson",
                "-o",
                "json",
                "--events",
                "events.ndjson",
            ],
            3,
        ),
        (&["activate", "-vv", "chain.ndjson", "--events", "-"], 3),
        (&["activate", "-vv", "chain.ndjson", "-o", "table"], 3),
        (&["status", "-o", "json"], 0),
        (&["status", "-vv", "-o", "table"], 0),
        (&["status", "-vv", "ORD-1", "-o", "table"], 0),
        (
            &[
                "status",
                "ORD-1",
                "--follow",
                "--timeout",
                "1ms",
                "-o",
                "table",
            ],
            3,
        ),
        (&["task", "list", "ORD-1", "-o", "table"], 0),
        (&["journal", "export", "--documents", "-vvv"], 0),
        (&["journal", "verify", "-vvv"], 0),
    ] {
        let output = with_secrets(&mut workplace.orderctl(arguments), "");
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert_silent(&format!("{arguments:?}"), &output.stdout);
        assert_silent(&format!("{arguments:?}"), &output.stderr);
        outputs.push(stdout(&output));
    }
    for (file, bytes) in files(&workplace.path("")) {
        assert_silent(&file.display().to_string(), &bytes);
    }
    let record = fs::read(mock.record_file()).unwrap();
    assert_silent("the record", &record);
    assert!(workplace.read("events.ndjson").contains("is held"));

    // They were sent, were shown back, and stand masked where they were asked for.
    let heard = tap.heard();
    for line in [
        format!("authorization: Bearer {TOKEN}\r\n"),
        format!("authorization: Basic {BASIC}\r\n"),
        format!("x-api-key: {KEY}\r\n"),
    ] {
        assert!(heard.contains(&line), "{line} was not sent");
    }
    assert!(outputs[0].contains("authorization: Bearer ***"));
    assert!(outputs[0].contains("authorization: Basic ***\nx-api-key: ***"));
    assert!(
        outputs[4].contains("authorization: Bearer ***"),
        "{}",
        outputs[4]
    );
}

#[test]
fn secrets_that_cannot_be_had_end_the_run_before_anything_is_sent() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let settings = "token = { command = [\"sh\", \"-c\", \"echo tok-4f7d1c; exit 4\"] }\n";
    workplace.endpoints(&mock.url(), settings);
    let text = workplace.read("endpoints.toml");
    let olt = text.replacen(
        "{ command = [\"sh\", \"-c\", \"echo tok-4f7d1c; exit 4\"] }",
        "{ env = \"ACS_TOKEN\" }",
        1,
    );
    workplace.write("endpoints.toml", &olt);
    let output = workplace.activate(&chain("order.json", "1"), &["-vv"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains(
            "error: endpoint acs: there is no token: environment variable ACS_TOKEN is not set\n\
             error: endpoint bng: there is no token: sh ended with exit status: 4\n"
        ),
        "{said}"
    );
    assert_silent("what is said", said.as_bytes());
    assert_eq!(mock.record(), []);
    assert!(!workplace.journal().exists());
}

#[test]
fn the_mock_needs_no_secret_and_records_none() {
    let workplace = Workplace::new("${ORDERCTL_MOCK}");
    workplace.endpoints(
        "${ORDERCTL_MOCK}",
        "token = { command = [\"sh\", \"-c\", \"touch fetched; echo tok-4f7d1c\"] }\n",
    );
    let mut mock = workplace
        .orderctl(&["mock", "-vv", "--record", "record.ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    let mut lines = std::io::BufReader::new(mock.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut lines, &mut address).unwrap();
    assert!(!workplace.path("fetched").exists());
    let mut activate = workplace.orderctl(&["activate"]);
    let output = run(
        activate.env("ORDERCTL_MOCK", address.trim_end()),
        &chain("order.json", "1"),
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(workplace.path("fetched").exists());
    mock.kill().unwrap();
    let said = mock.wait_with_output().unwrap();
    assert_silent("the mock", &said.stderr);
    let record = workplace.read("record.ndjson");
    assert_eq!(record.lines().count(), 7);
    assert_silent("the record", record.as_bytes());
}

#[test]
fn schema_and_help_name_no_place_for_an_inline_secret() {
    let schema = run(orderctl().args(["schema", "endpoints"]), "");
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    let secret = &schema["$defs"]["secret"];
    assert_eq!(secret["type"], "object");
    for name in ["token", "password", "key"] {
        let property = &schema["$defs"]["endpoint"]["properties"][name];
        assert_eq!(property["$ref"], "#/$defs/secret", "{name}");
    }
}
