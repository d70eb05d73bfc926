//! The systems of the soak: `orderctl mock` with a fault script, and what it was told.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::mock::Mock;

/// Systems that know a repetition by its key and cannot be asked, and such that can be asked and
/// know no keys.
const NAMES: [(&str, bool); 7] = [
    ("olt", false),
    ("cmts", true),
    ("bng", false),
    ("ipam", true),
    ("warehouse", false),
    ("acs", true),
    ("wifi", false),
];

/// Path below the mock's address and endpoint, as TMF702 has it.
const API: &str = "tmf-api/ResourceActivationAndConfiguration/v4";

/// What befalls one request in a hundred each: so, and with these settings.
const FAULTS: [(&str, &str); 16] = [
    ("status", "status = 503"),
    ("status", "status = 429\nretryAfter = \"1s\""),
    ("status", "status = 500\neffect = true"),
    ("hang", ""),
    ("late", "after = \"3s\""),
    ("lost", ""),
    ("reset", ""),
    ("reset", "effect = true"),
    ("malformed", "answer = \"torn\""),
    ("drip", "pause = \"1ms\""),
    ("twice", ""),
    ("slow", "after = \"10ms..200ms\""),
    ("callback", "after = \"20ms\""),
    ("callback", "after = \"20ms\"\nnotice = \"lost\""),
    ("deferred", "after = \"300ms\""),
    ("deferred", "after = \"300ms\"\nanswer = \"lost\""),
];

/// How many of them there are.
pub const KINDS: usize = FAULTS.len();

/// The fault script.
pub fn faults(seed: u64) -> String {
    let mut text = format!("formatVersion = \"1.0\"\nseed = {seed}\n");
    for (name, keys) in NAMES {
        let (keys, reads) = if keys {
            ("honoured", "refused")
        } else {
            ("ignored", "answered")
        };
        let _ = write!(
            text,
            "[endpoint.{name}]\nlatency = \"~2ms\"\nkeys = \"{keys}\"\nreads = \"{reads}\"\n"
        );
    }
    for (kind, settings) in FAULTS {
        let _ = write!(
            text,
            "[[fault]]\ncalls = \"1%\"\nkind = \"{kind}\"\n{settings}\n"
        );
    }
    text
}

/// The endpoints file, for systems at this address.
fn endpoints(address: &str) -> String {
    let mut text = "formatVersion = \"1.0\"\n".to_owned();
    for (name, keys) in NAMES {
        let asked = if keys {
            "idempotent = true\nreadBack = \"none\"\n"
        } else {
            ""
        };
        let _ = write!(
            text,
            "[endpoint.{name}]\nprotocol = \"tmf702\"\naddress = \"{address}/{name}/{API}\"\n\
             concurrency = 16\ntimeout = \"2s\"\nretries = 6\n{asked}"
        );
    }
    text
}

/// How often it is tried to subscribe.
const TRIES: usize = 9;

/// Subscribes somebody to the events of a system.
fn subscribe(authority: &str, name: &str, listener: &str) -> io::Result<()> {
    let body = format!("{{\"callback\":\"{listener}\"}}");
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    write!(
        stream,
        "POST /{name}/{API}/hub HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 201") {
        return Ok(());
    }
    Err(io::Error::other(answer))
}

/// The systems, which run until this is dropped.
pub struct Systems {
    mock: Mock,
    /// The endpoints file that leads to it.
    pub endpoints: PathBuf,
    /// What it was told.
    pub record: PathBuf,
}

impl Systems {
    /// Starts it; its files begin with `stem`.
    pub fn start(orderctl: &Path, stem: &Path, script: Option<&Path>) -> io::Result<Systems> {
        let record = stem.with_extension("record");
        let file = stem.with_extension("toml");
        // Names the endpoints; where they are is only known afterwards.
        fs::write(&file, endpoints("http://127.0.0.1:0"))?;
        let mut command = Command::new(orderctl);
        command
            .args(["mock", "--listen", "127.0.0.1:0", "--endpoints"])
            .arg(&file)
            .arg("--record")
            .arg(&record)
            .env_clear();
        if let Some(script) = script {
            command.arg("--script").arg(script);
        }
        let mock = Mock::start(&mut command)?;
        fs::write(&file, endpoints(&mock.address))?;
        Ok(Systems {
            mock,
            endpoints: file,
            record,
        })
    }

    /// Subscribes somebody to the events of all systems.
    pub fn tell(&self, listener: &str) -> io::Result<()> {
        let authority = self.mock.address.trim_start_matches("http://");
        for (name, _) in NAMES {
            // These requests meet faults, too.
            let asked = (0..TRIES).any(|_| subscribe(authority, name, listener).is_ok());
            if !asked {
                return Err(io::Error::other(format!("nobody can subscribe at {name}")));
            }
        }
        Ok(())
    }

    /// What was recorded about requests of tasks, and not about subscriptions and events.
    fn lines(&self) -> io::Result<Vec<Value>> {
        let text = fs::read_to_string(&self.record)?;
        // The last line may be half written.
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines = complete.lines().map(serde_json::from_str);
        let mut lines: Vec<Value> = lines.collect::<Result<_, _>>().map_err(io::Error::other)?;
        let told = |line: &Value| line["effect"] == "notified" || line["effect"] == "withheld";
        lines.retain(|line| line["idempotencyKey"].is_string() && !told(line));
        Ok(lines)
    }

    /// Everything that happened: endpoint, method, path, key.
    pub fn effects(&self) -> io::Result<Vec<String>> {
        let lines = self.lines()?;
        let applied = lines.iter().filter(|line| line["effect"] == "applied");
        let effects = applied.map(|line| {
            let text = |name: &str| line[name].as_str().unwrap_or_default();
            let words = ["endpoint", "method", "path", "idempotencyKey"].map(text);
            words.join(" ")
        });
        Ok(effects.collect())
    }

    /// How many requests came.
    pub fn calls(&self) -> io::Result<usize> {
        Ok(self.lines()?.len())
    }

    /// How often each fault was met.
    pub fn faults(&self) -> io::Result<BTreeMap<String, usize>> {
        let mut faults = BTreeMap::new();
        for line in self.lines()? {
            if let Some(fault) = line["fault"].as_str() {
                *faults.entry(fault.to_owned()).or_default() += 1;
            }
        }
        Ok(faults)
    }
}
