//! Fault scripts: how the endpoints are played, and what goes wrong, in a file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use super::draw::Delay;
use super::fault::{Calls, Concerns, Early, Fault, FaultKind, Notice};
use super::judge::{Accepts, Manner};
use super::malform::Malformation;
use super::spec::{DRIP, malformation, parse_calls, parse_range};
use crate::configuration::{self, Format, Reader, Table, Value, meant, whole_number};

/// Major version of the format that this release reads.
const FORMAT: Format = Format {
    name: "fault script format",
    major: 1,
};

const ROOT_KEYS: &[&str] = &["formatVersion", "seed", "endpoint", "fault"];
const ENDPOINT_KEYS: &[&str] = &["latency", "answer", "inProgress", "keys", "reads", "ids"];
const FAULT_KEYS: &[&str] = &[
    "endpoint",
    "method",
    "specification",
    "item",
    "resource",
    "calls",
    "tries",
    "kind",
    "status",
    "retryAfter",
    "effect",
    "message",
    "after",
    "answer",
    "pause",
    "notice",
];
const KINDS: &[&str] = &[
    "status",
    "unqualified",
    "hang",
    "late",
    "lost",
    "reset",
    "malformed",
    "drip",
    "twice",
    "slow",
    "accepted",
    "callback",
    "deferred",
];

/// Which keys, beside those that every fault has, are of use for a kind.
fn keys_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "status" => &["status", "retryAfter", "effect", "message"],
        "unqualified" => &["message"],
        "late" | "slow" | "accepted" => &["after"],
        "reset" => &["effect"],
        "malformed" => &["answer"],
        "deferred" => &["after", "answer"],
        "drip" => &["pause"],
        "callback" => &["after", "notice"],
        _ => &[],
    }
}

/// A fault script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// What all draws depend on.
    pub seed: u64,
    /// How endpoints are played, by name; `*` stands for those that are not named.
    pub manners: BTreeMap<String, Manner>,
    /// What goes wrong; the first that fits a call counts.
    pub faults: Vec<Fault>,
}

/// Why a script is of no use.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// It cannot be read.
    #[error("cannot read fault script {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was read and is not right; one line a fault of it.
    #[error("{}", self.lines().join("\n"))]
    Faults {
        /// The file.
        path: PathBuf,
        /// What is wrong, in the order of the file; never empty.
        faults: Vec<configuration::Fault>,
    },
}

impl ScriptError {
    /// What is said about it, a line each.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Read { .. } => vec![self.to_string()],
            Self::Faults { path, faults } => {
                let place = path.display();
                faults
                    .iter()
                    .map(|fault| format!("{place}:{fault}"))
                    .collect()
            }
        }
    }
}

impl Script {
    /// Reads and parses the script at `path`.
    ///
    /// # Errors
    /// Where it cannot be read, or has faults of its own.
    pub fn read(path: &Path) -> Result<Self, ScriptError> {
        let text = configuration::read(path).map_err(|source| ScriptError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Parses the text of a script; `path` names it in errors.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScriptError> {
        let mut reader = ScriptReader(Reader::new(text));
        let script = reader.script();
        let faults = reader.0.into_faults();
        if faults.is_empty() {
            return Ok(script);
        }
        Err(ScriptError::Faults {
            path: path.to_owned(),
            faults,
        })
    }
}

struct ScriptReader<'t>(Reader<'t>);

impl ScriptReader<'_> {
    fn script(&mut self) -> Script {
        let mut script = Script::default();
        let Some(root) = self.0.root(FORMAT) else {
            return script;
        };
        let root = root.get_ref();
        self.0.unknown_keys(root, ROOT_KEYS);
        if let Some(seed) = self.0.integer(root, "seed", 0..=i64::MAX) {
            script.seed = seed.unsigned_abs();
        }
        if let Some(value) = root.get("endpoint") {
            match value.get_ref().as_table() {
                Some(tables) => {
                    for (name, value) in tables {
                        let manner = self.manner(value);
                        script.manners.insert(name.get_ref().to_string(), manner);
                    }
                }
                None => self
                    .0
                    .wrong_type(value, "endpoint", "tables such as [endpoint.olt]"),
            }
        }
        if let Some(value) = root.get("fault") {
            match value.get_ref().as_array() {
                Some(faults) => {
                    script.faults = faults.iter().filter_map(|it| self.fault(it)).collect();
                }
                None => self
                    .0
                    .wrong_type(value, "fault", "a list of tables, each [[fault]]"),
            }
        }
        script
    }

    fn manner(&mut self, value: Value<'_, '_>) -> Manner {
        let Some(table) = value.get_ref().as_table() else {
            self.0.wrong_type(value, "an endpoint", "a table");
            return Manner::default();
        };
        self.0.unknown_keys(table, ENDPOINT_KEYS);
        let answer = self.word(table, "answer", &["direct", "monitor", "callback"]);
        let notice = match answer {
            Some("monitor") => Some(Notice::None),
            Some("callback") => Some(Notice::Event),
            _ => None,
        };
        let after = self.delay(table, "inProgress");
        if let (Some(value), None) = (table.get("inProgress"), notice) {
            let message = "inProgress needs answer = \"monitor\" or \"callback\": a direct answer is not in progress, it has latency";
            self.0.fault(value.span(), message.to_owned());
        }
        let accepts = |notice| Accepts {
            after: after.unwrap_or_default(),
            notice,
        };
        Manner {
            latency: self.delay(table, "latency").unwrap_or_default(),
            accepts: notice.map(accepts),
            ignores_keys: self.word(table, "keys", &["honoured", "ignored"]) == Some("ignored"),
            refuses_reads: self.word(table, "reads", &["answered", "refused"]) == Some("refused"),
            names_itself: self.word(table, "ids", &["asked", "own"]) == Some("own"),
        }
    }

    fn fault(&mut self, value: Value<'_, '_>) -> Option<Fault> {
        let Some(table) = value.get_ref().as_table() else {
            self.0.wrong_type(value, "a fault", "a table");
            return None;
        };
        self.0.unknown_keys(table, FAULT_KEYS);
        let endpoint = self
            .0
            .text(table, "endpoint", "the name of an endpoint, or \"*\"");
        let method = self.word(table, "method", &["POST", "PATCH", "DELETE"]);
        let mut text = |key: &str| self.0.text(table, key, "a text").map(str::to_owned);
        let concerns = Concerns {
            method: method.map(str::to_owned),
            specification: text("specification"),
            item: text("item"),
            resource: text("resource"),
        };
        let mut calls = self.calls(table);
        calls.extend(self.tries(table));
        Some(Fault {
            endpoint: endpoint.unwrap_or("*").to_owned(),
            concerns,
            calls,
            kind: self.kind(value, table)?,
        })
    }

    /// `2`, or a text as on the command line.
    fn calls(&mut self, table: &Table<'_>) -> Vec<Calls> {
        let Some(value) = table.get("calls") else {
            return Vec::new();
        };
        let text = match (whole_number(value), value.get_ref().as_str()) {
            (Some(number), _) => number.to_string(),
            (None, Some(text)) => text.to_owned(),
            (None, None) => {
                self.0
                    .wrong_type(value, "calls", "a number or a text such as \"2..4\"");
                return Vec::new();
            }
        };
        parse_calls(&text).unwrap_or_else(|why| {
            self.0.fault(value.span(), format!("calls {text:?}: {why}"));
            Vec::new()
        })
    }

    fn tries(&mut self, table: &Table<'_>) -> Option<Calls> {
        let value = table.get("tries")?;
        let text = match (whole_number(value), value.get_ref().as_str()) {
            (Some(number), _) => number.to_string(),
            (None, text) => text.unwrap_or_default().to_owned(),
        };
        let tries = parse_range(&text).map(Calls::Tries);
        if tries.is_none() {
            let expected = "a number from 1, or a range such as \"1..2\"";
            self.0.wrong_type(value, "tries", expected);
        }
        tries
    }

    fn kind(&mut self, value: Value<'_, '_>, table: &Table<'_>) -> Option<FaultKind> {
        let Some(written) = table.get("kind") else {
            let message = format!("a fault has no kind: it is one of {}", KINDS.join(", "));
            self.0.fault(value.span(), message);
            return None;
        };
        let name = self.word(table, "kind", KINDS)?;
        self.foreign_keys(table, name);
        let after = self.delay(table, "after");
        let effect = self.0.boolean(table, "effect").unwrap_or(false);
        let message = self.0.text(table, "message", "a text").map(str::to_owned);
        Some(match name {
            "status" => FaultKind::Status {
                status: self.status(table, written)?,
                retry_after: self.0.duration(table, "retryAfter"),
                effect,
                message,
            },
            "unqualified" => FaultKind::Unqualified { message },
            "hang" => FaultKind::Hang,
            "late" => FaultKind::Late(self.fixed(table, after)),
            "lost" => FaultKind::Lost,
            "reset" => FaultKind::Reset { effect },
            "malformed" => FaultKind::Malformed(self.malformation(table)),
            "drip" => FaultKind::Drip(self.0.duration(table, "pause").unwrap_or(DRIP)),
            "twice" => FaultKind::Twice,
            "slow" => FaultKind::Slow(self.needed(table, written, after)?),
            "deferred" => FaultKind::Deferred {
                after: self.needed(table, written, after)?,
                answer: match self.word(table, "answer", &["accepted", "hang", "lost"]) {
                    Some("hang") => Early::Hang,
                    Some("lost") => Early::Lost,
                    _ => Early::Accepted,
                },
            },
            accepted => FaultKind::Accepted {
                after: after.unwrap_or_default(),
                notice: match self.word(table, "notice", &["event", "lost", "twice"]) {
                    Some("lost") => Notice::Lost,
                    Some("twice") => Notice::Twice,
                    _ if accepted == "callback" => Notice::Event,
                    _ => Notice::None,
                },
            },
        })
    }

    fn status(&mut self, table: &Table<'_>, kind: Value<'_, '_>) -> Option<u16> {
        if table.get("status").is_none() {
            let message = "kind = \"status\" needs a status from 400 to 599";
            self.0.fault(kind.span(), message.to_owned());
        }
        let status = self.0.integer(table, "status", 400..=599)?;
        u16::try_from(status).ok()
    }

    fn malformation(&mut self, table: &Table<'_>) -> Malformation {
        let how = self.0.text(table, "answer", "the name of a kind of answer");
        match how.map(malformation) {
            None => Malformation::Html,
            Some(Ok(how)) => how,
            Some(Err(why)) => {
                let span = table.get("answer").map_or(0..0, toml::Spanned::span);
                self.0.fault(span, why);
                Malformation::Html
            }
        }
    }

    /// A time that is not drawn.
    fn fixed(&mut self, table: &Table<'_>, delay: Option<Delay>) -> Option<Duration> {
        match (delay?, table.get("after")) {
            (Delay::Fixed(time), _) => Some(time),
            (_, value) => {
                let span = value.map_or(0..0, toml::Spanned::span);
                let message = "a late answer comes after a fixed time, such as \"30s\"";
                self.0.fault(span, message.to_owned());
                None
            }
        }
    }

    fn needed(
        &mut self,
        table: &Table<'_>,
        kind: Value<'_, '_>,
        delay: Option<Delay>,
    ) -> Option<Delay> {
        if table.get("after").is_none() {
            let name = kind.get_ref().as_str().unwrap_or_default();
            let message = format!("kind = {name:?} needs after, such as \"10ms..50ms\"");
            self.0.fault(kind.span(), message);
        }
        delay
    }

    fn delay(&mut self, table: &Table<'_>, key: &str) -> Option<Delay> {
        let value = table.get(key)?;
        let text = self.0.text(table, key, "a time such as \"20ms\"")?;
        match text.parse() {
            Ok(delay) => Some(delay),
            Err(why) => {
                self.0
                    .fault(value.span(), format!("{key} {text:?} is {why}"));
                None
            }
        }
    }

    /// One of several words.
    fn word<'a>(&mut self, table: &'a Table<'_>, key: &str, words: &[&str]) -> Option<&'a str> {
        let value = table.get(key)?;
        let expected = format!("one of {}", words.join(", "));
        let text = self.0.text(table, key, &expected)?;
        if words.contains(&text) {
            return Some(text);
        }
        self.0.fault(
            value.span(),
            format!("{key} {text:?} is not known{}", meant(text, words)),
        );
        None
    }

    /// Notes keys that mean nothing for this kind of fault.
    fn foreign_keys(&mut self, table: &Table<'_>, kind: &str) {
        let all = KINDS.iter().flat_map(|kind| keys_of(kind));
        let foreign: Vec<&str> = all
            .copied()
            .filter(|key| !keys_of(kind).contains(key))
            .collect();
        for (key, _) in table {
            let name: &str = key.get_ref();
            if foreign.contains(&name) {
                let message = format!("key `{name}` means nothing for kind {kind:?}");
                self.0.fault(key.span(), message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Script, String> {
        let text = format!("formatVersion = \"1.0\"\n{text}");
        Script::parse(&text, Path::new("faults.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_script_says_what_the_command_line_says_and_more() {
        let script = parse(
            r#"
seed = 7

[endpoint.olt]
latency = "10ms..50ms"
keys = "ignored"
reads = "refused"
ids = "own"

[endpoint."*"]
answer = "callback"
inProgress = "~2s"

[[fault]]
kind = "lost"

[[fault]]
endpoint = "olt"
method = "POST"
specification = "RS-VLAN"
item = "1.2"
resource = "port-7"
calls = "2..4,10%"
tries = "1..2"
kind = "status"
status = 429
retryAfter = "2s"
effect = true
message = "later"
"#,
        )
        .unwrap();
        assert_eq!(script.seed, 7);
        let olt = script.manners["olt"];
        assert!(olt.ignores_keys && olt.refuses_reads && olt.names_itself && olt.accepts.is_none());
        assert_eq!(olt.latency.to_string(), "10ms..50ms");
        let others = script.manners["*"].accepts.unwrap();
        assert_eq!(others.notice, Notice::Event);
        assert_eq!(others.after.to_string(), "~2s");
        let written = [
            "*:*=lost",
            "olt/method=POST/spec=RS-VLAN/item=1.2/port-7:2..4,10%,try1..2=429,2s,effect later",
        ];
        let written: Vec<Fault> = written.iter().map(|it| Fault::parse(it).unwrap()).collect();
        assert_eq!(script.faults, written);
    }

    #[test]
    fn every_kind_can_be_written() {
        for (text, kind) in [
            ("kind = \"status\"\nstatus = 503", "503"),
            ("kind = \"unqualified\"\nmessage = \"no\"", "unqualified"),
            ("kind = \"hang\"", "hang"),
            ("kind = \"late\"", "late"),
            ("kind = \"late\"\nafter = \"30s\"", "late,30s"),
            ("kind = \"lost\"", "lost"),
            ("kind = \"reset\"", "reset"),
            ("kind = \"reset\"\neffect = true", "reset,effect"),
            ("kind = \"malformed\"", "malformed,html"),
            ("kind = \"malformed\"\nanswer = \"torn\"", "malformed,torn"),
            ("kind = \"drip\"", "drip,10ms"),
            ("kind = \"drip\"\npause = \"1ms\"", "drip,1ms"),
            ("kind = \"twice\"", "twice"),
            ("kind = \"slow\"\nafter = \"~20ms\"", "slow,~20ms"),
            ("kind = \"accepted\"\nafter = \"1s\"", "accepted,1s"),
            ("kind = \"callback\"", "callback,0ns"),
            (
                "kind = \"callback\"\nnotice = \"lost\"",
                "callback,0ns,lost",
            ),
            (
                "kind = \"deferred\"\nafter = \"2s\"\nanswer = \"lost\"",
                "deferred,2s,lost",
            ),
            (
                "kind = \"callback\"\nnotice = \"twice\"",
                "callback,0ns,twice",
            ),
        ] {
            let script = parse(&format!("[[fault]]\n{text}\n")).unwrap();
            assert_eq!(script.faults[0].kind.to_string(), kind);
        }
        let kinds = KINDS.iter().map(|kind| format!("kind = {kind:?}"));
        for kind in kinds {
            let script = parse(&format!(
                "[[fault]]\n{kind}\nstatus = 503\nafter = \"1s\"\n"
            ));
            let said = script.err().unwrap_or_default();
            assert!(!said.contains("is not known"), "{said}");
        }
    }

    #[test]
    fn every_fault_of_a_script_is_named_with_its_place() {
        let text = r#"seed = -1
faults = 1

[endpoint.olt]
latency = "20"
answer = "later"
inProgress = "1s"
keys = "ignore"

[[fault]]
endpoint = "olt"
calls = "0"
tries = 0
kind = "status"

[[fault]]
method = "GET"
kind = "losst"

[[fault]]
kind = "hang"
status = 503

[[fault]]
calls = 2

[[fault]]
kind = "slow"

[[fault]]
kind = "late"
after = "~1s"

[[fault]]
kind = "malformed"
answer = "badly"
"#;
        let calls = "the calls are neither a number from 1, a range (2..4), each so manyth (*/3), a share (10%), tries (try1) nor `*`";
        assert_eq!(
            parse(text).unwrap_err(),
            format!(
                r#"faults.toml:2:8: seed is -1, expected a whole number from 0 to 9223372036854775807
faults.toml:3:1: key `faults` is not known, did you mean `fault`?
faults.toml:6:11: latency "20" is not a time of a day at most: write 20ms, 10ms..50ms (anything between) or ~20ms (exponential, with this mean)
faults.toml:7:10: answer "later" is not known, expected one of: direct, monitor, callback
faults.toml:8:14: inProgress needs answer = "monitor" or "callback": a direct answer is not in progress, it has latency
faults.toml:9:8: keys "ignore" is not known, did you mean `ignored`?
faults.toml:13:9: calls "0": {calls}
faults.toml:14:9: tries is 0, expected a number from 1, or a range such as "1..2"
faults.toml:15:8: kind = "status" needs a status from 400 to 599
faults.toml:18:10: method "GET" is not known, expected one of: POST, PATCH, DELETE
faults.toml:19:8: kind "losst" is not known, did you mean `lost`?
faults.toml:23:1: key `status` means nothing for kind "hang"
faults.toml:25:1: a fault has no kind: it is one of status, unqualified, hang, late, lost, reset, malformed, drip, twice, slow, accepted, callback, deferred
faults.toml:29:8: kind = "slow" needs after, such as "10ms..50ms"
faults.toml:33:9: a late answer comes after a fixed time, such as "30s"
faults.toml:37:10: an answer can be malformed as html, cut, torn, empty, list, text, binary, other, deep, huge, headers, noise"#
            )
        );
    }

    #[test]
    fn a_newer_script_is_refused() {
        let error = Script::parse("formatVersion = \"2.0\"\n", Path::new("f.toml")).unwrap_err();
        let said = "f.toml:1:17: fault script format 2.0 is read by a newer orderctl; ";
        assert!(error.to_string().starts_with(said), "{error}");
    }
}
