use super::super::{ApiKey, Authorization, Identity, SecretSource};
use super::*;

fn parse(text: &str) -> Result<Endpoints, String> {
    let lookup = |name: &str| (name == "OLT_HOST").then(|| "olt.example:8702".to_owned());
    Endpoints::parse(text, Path::new("endpoints.toml"), &lookup).map_err(|e| e.to_string())
}

fn faults(text: &str) -> String {
    parse(text).expect_err("the text has faults")
}

#[test]
fn a_full_file_is_read() {
    let endpoints = parse(
        r#"
formatVersion = "1.0"
[endpoint.olt]
protocol = "tmf702"
address = "http://${OLT_HOST}/olt/v4/"
timeout = "10s"
concurrency = 4
retries = 0
[endpoint.bng]
protocol = "simulated"
latency = "250ms"
fail = [2, 5]
timeout = "1m"
settle = "0s"
"#,
    )
    .unwrap();
    assert_eq!(
        endpoints.by_name["olt"],
        EndpointDefinition {
            name: "olt".to_owned(),
            protocol: Protocol::Tmf702 {
                address: "http://olt.example:8702/olt/v4".to_owned(),
                access: Box::default(),
            },
            timeout: Duration::from_secs(10),
            terms: Terms {
                concurrency: 4,
                retries: Some(0),
                settle: Duration::from_secs(10),
                ..Terms::default()
            },
        }
    );
    assert_eq!(
        endpoints.by_name["bng"],
        EndpointDefinition {
            name: "bng".to_owned(),
            protocol: Protocol::Simulated {
                latency: Duration::from_millis(250),
                fail: [2, 5].into(),
            },
            timeout: Duration::from_mins(1),
            terms: Terms {
                idempotent: true,
                ..Terms::default()
            },
        }
    );
    assert_eq!(endpoints.tmf702_names().collect::<Vec<_>>(), ["olt"]);
}

#[test]
fn every_fault_is_named_with_its_place() {
    let text = r#"formatVersion = "1.0"
endpoints = 1

[endpoint.olt]
protocol = "tmf702"
adress = "http://127.0.0.1:1"
timeout = 10
latency = "1s"

[endpoint.bng]
protocol = "netconf"
concurrency = 0

[endpoint.acs]
protocol = "simulated"
latency = "soon"
fail = [1, 0]
timeout = "0s"
retries = "3"

[endpoint.ipam]
"#;
    assert_eq!(
        faults(text),
        r#"endpoints.toml:2:1: key `endpoints` is not known, did you mean `endpoint`?
endpoints.toml:4:11: endpoint `olt` has no address: protocol tmf702 needs one, such as address = "http://127.0.0.1:8702/olt/tmf-api/ResourceActivationAndConfiguration/v4"
endpoints.toml:6:1: key `adress` is not known, did you mean `address`?
endpoints.toml:7:11: timeout is 10, expected a duration as a string, such as "10s"
endpoints.toml:8:1: key `latency` is for protocol simulated only
endpoints.toml:11:12: protocol "netconf" is not known, expected one of: tmf702, simulated
endpoints.toml:12:15: concurrency is 0, expected a whole number from 1 to 1000
endpoints.toml:16:11: latency "soon" is not a duration: write "250ms", "10s" or "1m"
endpoints.toml:17:12: fail is 0, expected a list of call numbers from 1, such as [2, 5]
endpoints.toml:18:11: timeout must be longer than 0s
endpoints.toml:19:11: retries is a string, expected a whole number from 0 to 100
endpoints.toml:21:11: endpoint `ipam` has no protocol: write protocol = "tmf702" or "simulated""#
    );
}

#[test]
fn a_newer_major_version_is_refused_before_anything_else() {
    assert_eq!(
        faults("formatVersion = \"2.1\"\nwhatever = 1\n"),
        format!(
            "endpoints.toml:1:17: endpoints format 2.1 is read by a newer orderctl; orderctl {} reads 1.x",
            env!("CARGO_PKG_VERSION")
        )
    );
}

#[test]
fn a_newer_minor_version_is_read() {
    assert_eq!(
        parse("formatVersion = \"1.7\"").unwrap(),
        Endpoints::default()
    );
}

#[test]
fn a_version_that_is_missing_or_malformed_is_a_fault() {
    assert_eq!(
        faults(""),
        "endpoints.toml:1:1: formatVersion is missing: write formatVersion = \"1.0\""
    );
    for version in [
        "1.0",
        "\"1\"",
        "\"1.\"",
        "\"+1.0\"",
        "\"one.two\"",
        "\"99999999999.0\"",
    ] {
        assert_eq!(
            faults(&format!("formatVersion = {version}")),
            "endpoints.toml:1:17: formatVersion is a string of two numbers, such as \"1.0\""
        );
    }
}

#[test]
fn text_that_is_not_toml_is_named_with_its_place() {
    assert_eq!(
        faults("formatVersion = \"1.0\"\n[endpoint.olt\n"),
        "endpoints.toml:2:14: unclosed table, expected `]`"
    );
    assert!(faults("a = 1\na = 2\n").starts_with("endpoints.toml:2:1: "));
}

#[test]
fn addresses_are_checked_and_show_no_variable() {
    let address = |text: &str| {
        faults(&format!(
            "formatVersion = \"1.0\"\n[endpoint.olt]\nprotocol = \"tmf702\"\naddress = \"{text}\"\n"
        ))
        .lines()
        .last()
        .unwrap()
        .to_owned()
    };
    assert_eq!(
        address("http://${BNG_HOST}/"),
        "endpoints.toml:4:11: environment variable BNG_HOST is not set"
    );
    assert_eq!(
        address("http://${OLT_HOST/"),
        "endpoints.toml:4:11: `${` without `}` in \"http://${OLT_HOST/\""
    );
    assert_eq!(
        address("http://${1}/"),
        "endpoints.toml:4:11: `${1}` does not name an environment variable"
    );
    assert_eq!(
        address("${OLT_HOST}/a b"),
        "endpoints.toml:4:11: address \"${OLT_HOST}/a b\" is neither http:// nor https://"
    );
    assert_eq!(
        address("/olt"),
        "endpoints.toml:4:11: address \"/olt\" is not a URL: relative URL without a base"
    );
    assert_eq!(
        address("http://me:${OLT_HOST}@olt/"),
        "endpoints.toml:4:11: address \"http://***@olt/\" must not hold a user name or password: write user = \"…\" and password = { env = \"…\" }"
    );
    assert_eq!(
        address("http://olt/?x=1"),
        "endpoints.toml:4:11: address \"http://olt/?x=1\" must not have a query (?) or fragment (#)"
    );
}

#[test]
fn columns_count_characters_and_names_are_plain() {
    assert_eq!(
        faults("formatVersion = \"1.0\"\nendpoint = { \"é/é\" = { protocol = \"simulatet\" } }\n"),
        "endpoints.toml:2:14: endpoint name \"é/é\" is not allowed: a name is made of letters, digits, `-`, `_` and `.`, and begins with a letter or digit\nendpoints.toml:2:35: protocol \"simulatet\" is not known, did you mean `simulated`?"
    );
}

#[test]
fn endpoints_that_are_no_tables_are_faults() {
    assert_eq!(
        faults("formatVersion = \"1.0\"\nendpoint = [1]\n"),
        "endpoints.toml:2:12: endpoint is an array, expected a table of endpoints, such as [endpoint.olt]"
    );
    assert_eq!(
        faults("formatVersion = \"1.0\"\n[endpoint]\nolt = true\n"),
        "endpoints.toml:3:7: endpoint.olt is a boolean, expected a table"
    );
}

#[test]
fn durations_beyond_a_day_or_below_zero_are_faults() {
    let timeout = |text: &str| {
        faults(&format!(
            "formatVersion = \"1.0\"\n[endpoint.a]\nprotocol = \"simulated\"\ntimeout = \"{text}\"\n"
        ))
    };
    assert_eq!(
        timeout("25h"),
        "endpoints.toml:4:11: timeout \"25h\" is longer than 24h"
    );
    assert_eq!(
        timeout("-1s"),
        "endpoints.toml:4:11: timeout \"-1s\" is not a duration: write \"250ms\", \"10s\" or \"1m\""
    );
    assert!(timeout("9999999999999999999h").contains("is not a duration"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Endpoints::read(Path::new("/nowhere/endpoints.toml"), &|_| None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read endpoints file /nowhere/endpoints.toml: No such file or directory (os error 2)"
    );
}

#[test]
fn access_is_read_and_paths_count_from_the_file() {
    let text = r#"
formatVersion = "1.0"
[endpoint.olt]
protocol = "tmf702"
address = "https://${OLT_HOST}/olt/v4/"
token = { command = ["pass", "show", "olt"] }
apiKey = { header = "X-API-Key", env = "OLT_KEY" }
ca = "tls/ca.pem"
certificate = "/etc/${OLT_HOST}.pem"
key = { file = "client.key" }
connectTimeout = "2s"
answerLimit = "64KiB"
[endpoint.bng]
protocol = "tmf702"
address = "http://127.0.0.1:1"
user = "orderctl"
password = { env = "BNG_PASSWORD" }
"#;
    let lookup = |name: &str| (name == "OLT_HOST").then(|| "olt.example".to_owned());
    let path = Path::new("lab/endpoints.toml");
    let endpoints = Endpoints::parse(text, path, &lookup).unwrap();
    let access = |name: &str| match &endpoints.by_name[name].protocol {
        Protocol::Tmf702 { access, .. } => Access::clone(access),
        Protocol::Simulated { .. } => panic!("{name} is simulated"),
    };
    let words = ["pass", "show", "olt"].map(str::to_owned).to_vec();
    assert_eq!(
        access("olt"),
        Access {
            authorization: Some(Authorization::Bearer(SecretSource::Command(words))),
            api_key: Some(ApiKey {
                header: "x-api-key".parse().unwrap(),
                value: SecretSource::Environment("OLT_KEY".to_owned()),
            }),
            ca: Some("lab/tls/ca.pem".into()),
            identity: Some(Identity {
                certificate: "/etc/olt.example.pem".into(),
                key: SecretSource::File("lab/client.key".into()),
            }),
            connect_timeout: Some(Duration::from_secs(2)),
            answer_limit: 64 * 1024,
        }
    );
    assert_eq!(
        access("bng").authorization,
        Some(Authorization::Basic {
            user: "orderctl".to_owned(),
            password: SecretSource::Environment("BNG_PASSWORD".to_owned()),
        })
    );
}

#[test]
fn secrets_in_the_file_are_refused_and_not_shown() {
    let text = r#"formatVersion = "1.0"
[endpoint.olt]
protocol = "tmf702"
address = "https://me:hunter2@olt"
token = "hunter2"
apiKey = { header = "X-API-Key", value = "hunter2" }
key = 4711

[endpoint.bng]
protocol = "tmf702"
address = "ftp://me:hunter2@bng"
user = "me"
password = ["hunter2"]
apiKey = "hunter2"
"#;
    let said = faults(text);
    assert!(
        !said.contains("hunter2") && !said.contains("4711"),
        "{said}"
    );
    let sources = r#"{ env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", "ARGUMENT"] }"#;
    assert_eq!(
        said,
        format!(
            r#"endpoints.toml:4:11: address "https://***@olt" must not hold a user name or password: write user = "…" and password = {{ env = "…" }}
endpoints.toml:5:9: token stands in the file itself, where everybody can read it: write {sources}
endpoints.toml:6:10: apiKey says nothing about where the secret comes from: write {sources}
endpoints.toml:6:34: key `value` is not known, expected one of: env, file, command, header
endpoints.toml:7:7: key is given and certificate is not: both are needed
endpoints.toml:7:7: key stands in the file itself, where everybody can read it: write {sources}
endpoints.toml:11:11: address "ftp://***@bng" is neither http:// nor https://
endpoints.toml:13:12: password is a list: write {sources}
endpoints.toml:14:10: apiKey stands in the file itself, where everybody can read it: {{ header = "X-API-Key", … }} with one of {sources}"#
        )
    );
}

#[test]
fn access_that_makes_no_sense_is_refused() {
    let text = r#"formatVersion = "1.0"
[endpoint.olt]
protocol = "tmf702"
address = "http://olt.example"
token = { env = "A", file = "b" }
user = "a:b"
password = { env = "" }
apiKey = { header = "Host", command = [] }
ca = ""
certificate = "${NO_SUCH}/c.pem"
connectTimeout = "0s"
answerLimit = "1GiB"
unencrypted = "yes"

[endpoint.bng]
protocol = "simulated"
token = { env = "A" }

[endpoint.acs]
protocol = "tmf702"
address = "http://acs.example"
token = { env = "A" }
certificate = "c.pem"
key = "c.key"

[endpoint.wifi]
protocol = "tmf702"
address = "http://wifi.example"
apiKey = { header = "X-Key", env = "A" }
unencrypted = true
"#;
    assert_eq!(
        faults(text),
        r#"endpoints.toml:5:9: token and user exclude each other: one makes a Bearer, the other a Basic authorization
endpoints.toml:5:9: token names env and file, of which only one can be
endpoints.toml:6:8: user must not hold a colon or control characters
endpoints.toml:7:20: env is empty, expected the name of a variable
endpoints.toml:8:21: header is not the name of a header that a key can be sent in, such as "X-API-Key"
endpoints.toml:8:39: command is not a list of a program and its arguments, such as ["pass", "show", "olt"]
endpoints.toml:9:6: ca is empty, expected a path
endpoints.toml:10:15: certificate is given and key is not: both are needed
endpoints.toml:10:15: environment variable NO_SUCH is not set
endpoints.toml:11:18: connectTimeout must be longer than 0s
endpoints.toml:12:15: answerLimit is not a size from "1KiB" to "16MiB"
endpoints.toml:13:15: unencrypted is a string, expected true or false
endpoints.toml:17:1: key `token` is for protocol tmf702 only
endpoints.toml:21:11: credentials would be sent over http:// for everybody on the way to read: write https://, or unencrypted = true where the way is safe
endpoints.toml:24:7: key is neither the private key nor its path, but says where it comes from: write key = { file = "PATH" }"#
    );
}

#[test]
fn text_that_is_not_toml_does_not_show_what_may_be_a_secret() {
    for line in [
        "token = hunter2",
        "token = \"hunter2",
        "token = hunter2 = 1",
        "to\"ken = \"hunter2\"",
    ] {
        let said = faults(&format!(
            "formatVersion = \"1.0\"\n[endpoint.olt]\n{line}\n"
        ));
        assert!(said.starts_with("endpoints.toml:3:"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn terms_are_read() {
    use super::super::{Breaker, Rate, ReadBack};
    use crate::retry::{FailureClass, OnFailure};
    let endpoints = parse(
        r#"
formatVersion = "1.0"
[endpoint.olt]
protocol = "simulated"
idempotent = false
readBack = "resource?idempotencyKey={key}"
onFailure = "skip"
rate = "100/10s"
breaker = { failures = 5, pause = "30s" }
[endpoint.olt.retry]
connect = ["1s", "10s", "1m"]
timeout = 0
busy = { times = 4, first = "10s", jitter = "none" }
deadline = "15m"
[endpoint.bng]
protocol = "simulated"
readBack = "none"
rate = "5/s"
"#,
    )
    .unwrap();
    let olt = &endpoints.by_name["olt"].terms;
    assert!(!olt.idempotent);
    let path = "resource?idempotencyKey={key}".to_owned();
    assert_eq!(olt.read_back, ReadBack::Path(path));
    assert_eq!(olt.on_failure, Some(OnFailure::Skip));
    let seconds = Duration::from_secs;
    assert_eq!(
        olt.rate.map(Rate::interval),
        Some(Duration::from_millis(100))
    );
    let (failures, pause) = (5, seconds(30));
    assert_eq!(olt.breaker, Some(Breaker { failures, pause }));
    assert_eq!(olt.retry.deadline.map(|it| it.0), Some(seconds(900)));
    let bounds = |class, failures| olt.retry.by_class[&class].bounds(failures);
    let delay = |time| Some((seconds(time), seconds(time)));
    assert_eq!(bounds(FailureClass::Connect, 2), delay(60));
    assert_eq!(bounds(FailureClass::Connect, 3), None);
    assert_eq!(bounds(FailureClass::Timeout, 0), None);
    assert_eq!(
        bounds(FailureClass::Busy, 3),
        delay(10),
        "the first is the longest"
    );
    let bng = &endpoints.by_name["bng"].terms;
    assert_eq!(bng.read_back, ReadBack::None);
    assert!(bng.idempotent, "what is simulated has no effects");
}

#[test]
fn terms_that_make_no_sense_are_named() {
    let text = r#"formatVersion = "1.0"
[endpoint.olt]
protocol = "simulated"
idempotent = "yes"
readBack = "resource"
onFailure = "retry"
rate = "fast"
breaker = { failures = 0 }
retry = { conect = 3, busy = "often", reset = [1], timeout = { first = "1s", jitter = "full" }, deadline = "0s" }
[endpoint.bng]
protocol = "simulated"
readBack = "resource/x"
breaker = 5
retry = 3
rate = "0/s"
"#;
    let expected = r#"endpoints.toml:4:14: idempotent is a string, expected true or false
endpoints.toml:6:13: onFailure "retry" is not known, expected one of: hold, fail, compensate, skip, stop
endpoints.toml:7:8: rate "fast" is not requests in a time, such as "50/s", "600/m" or "1/10s"
endpoints.toml:8:11: breaker has no pause: write a table, such as { failures = 5, pause = "30s" }
endpoints.toml:8:24: failures is 0, expected a whole number from 1 to 1000
endpoints.toml:9:11: key `conect` is not known, did you mean `connect`?
endpoints.toml:9:30: busy is a string, expected a number from 0 to 100, a list of delays, or { times = 5, first = "1s", cap = "1m", jitter = "none" }
endpoints.toml:9:47: reset is not a list of at most 100 delays, such as ["10s", "1m", "1h"]
endpoints.toml:9:62: there is no times: say how often it is repeated
endpoints.toml:9:87: jitter "full" is not "half" or "none"
endpoints.toml:9:108: deadline must be longer than 0s
endpoints.toml:12:12: readBack "resource/x" is not "resource", "none", or a path below the address with {key}, {id} or {task}, such as "resource?idempotencyKey={key}"
endpoints.toml:13:11: breaker is 5, expected a table, such as { failures = 5, pause = "30s" }
endpoints.toml:14:9: retry is 3, expected a table of classes of failure, such as { busy = 5, connect = ["1s", "1m"] }
endpoints.toml:15:8: rate "0/s" is not requests in a time, such as "50/s", "600/m" or "1/10s""#;
    assert_eq!(faults(text), expected);
}
