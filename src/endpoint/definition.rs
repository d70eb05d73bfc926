//! The endpoints file: which systems there are, and how each is spoken to.
//!
//! Parsing is pure: values of the environment come through a lookup that the
//! caller supplies, and [`Endpoints::read`] is the only thing here that touches
//! a file. All faults of a file are found in one go.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Major version of the endpoints format that this release reads.
pub const FORMAT_MAJOR: u32 = 1;

/// Timeout of a request where the file gives none.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Requests at once where the file does not say.
pub const DEFAULT_CONCURRENCY: usize = 8;
/// Repetitions of a failed request where the file does not say.
pub const DEFAULT_RETRIES: u32 = 3;

/// Longest duration a file may give: a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Most requests at once that a file may ask for.
const MOST_AT_ONCE: i64 = 1_000;
/// Most repetitions that a file may ask for.
const MOST_RETRIES: i64 = 100;

const ROOT_KEYS: &[&str] = &["formatVersion", "endpoint"];
const ENDPOINT_KEYS: &[&str] = &[
    "protocol",
    "address",
    "timeout",
    "concurrency",
    "retries",
    "latency",
    "fail",
];
const PROTOCOLS: &[&str] = &["tmf702", "simulated"];

/// Looks up an environment variable; `None` where it is not set.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The contents of an endpoints file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoints {
    /// The definitions, by name.
    pub by_name: BTreeMap<String, EndpointDefinition>,
}

/// One endpoint, as defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointDefinition {
    /// Name, by which plans refer to it.
    pub name: String,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// How long one request may take altogether, following its monitor included.
    pub timeout: Duration,
    /// How many requests may be under way at once; at least 1.
    pub concurrency: usize,
    /// How often a failed request is repeated.
    pub retries: u32,
}

/// How an endpoint is spoken to, with what only that protocol needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// TMF702 resource activation over HTTP.
    Tmf702 {
        /// Base address (http or https, no trailing slash): requests go to paths below it.
        address: String,
    },
    /// In process, for trying out and for tests.
    Simulated {
        /// How long every call takes.
        latency: Duration,
        /// Which calls fail, counted from 1 over the life of the endpoint.
        fail: BTreeSet<u64>,
    },
}

/// Why an endpoints file is of no use.
#[derive(Debug, Error)]
pub enum DefinitionError {
    /// The file could not be read.
    #[error("cannot read endpoints file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file was read and is not right; one line a fault.
    #[error("{}", lines(path, faults))]
    Faults {
        /// The file.
        path: PathBuf,
        /// What is wrong, in the order of the file; never empty.
        faults: Vec<Fault>,
    },
}

/// One fault of an endpoints file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

fn lines(path: &Path, faults: &[Fault]) -> String {
    let lines: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}:{fault}", path.display()))
        .collect();
    lines.join("\n")
}

impl Endpoints {
    /// Reads and parses the file at `path`.
    ///
    /// # Errors
    /// Where it cannot be read, or has faults.
    pub fn read(path: &Path, lookup: Lookup<'_>) -> Result<Self, DefinitionError> {
        let text = std::fs::read_to_string(path).map_err(|source| DefinitionError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path, lookup)
    }

    /// Parses the text of an endpoints file. `path` only serves to name it in
    /// errors; `lookup` gives the variables of addresses.
    ///
    /// # Errors
    /// All faults of the text.
    pub fn parse(text: &str, path: &Path, lookup: Lookup<'_>) -> Result<Self, DefinitionError> {
        let mut reader = Reader {
            text,
            lookup,
            faults: Vec::new(),
        };
        let endpoints = reader.file();
        if reader.faults.is_empty() {
            Ok(endpoints)
        } else {
            reader.faults.sort();
            Err(DefinitionError::Faults {
                path: path.to_owned(),
                faults: reader.faults,
            })
        }
    }

    /// Names of the endpoints that are spoken to over TMF702.
    pub fn tmf702_names(&self) -> impl Iterator<Item = &str> {
        self.by_name
            .values()
            .filter(|endpoint| matches!(endpoint.protocol, Protocol::Tmf702 { .. }))
            .map(|endpoint| endpoint.name.as_str())
    }
}

/// A value with its place in the text.
type Value<'a, 'i> = &'a Spanned<DeValue<'i>>;

/// Walks the parsed text and notes every fault; a faulty value reads as `None`.
struct Reader<'a> {
    text: &'a str,
    lookup: Lookup<'a>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn file(&mut self) -> Endpoints {
        let mut endpoints = Endpoints::default();
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            self.fault(
                error.span().unwrap_or(0..0),
                error.message().replace('\n', ", "),
            );
        }
        let root = root.get_ref();
        if !errors.is_empty() || !self.format_version(root) {
            return endpoints;
        }
        self.unknown_keys(root, ROOT_KEYS);
        let Some(value) = root.get("endpoint") else {
            return endpoints;
        };
        let Some(tables) = value.get_ref().as_table() else {
            self.wrong_type(
                value,
                "endpoint",
                "a table of endpoints, such as [endpoint.olt]",
            );
            return endpoints;
        };
        for (name, value) in tables {
            if !is_name(name.get_ref()) {
                self.fault(
                    name.span(),
                    format!(
                        "endpoint name {:?} is not allowed: a name is made of letters, digits, `-`, `_` and `.`, and begins with a letter or digit",
                        name.get_ref()
                    ),
                );
            }
            if let Some(definition) = self.endpoint(name, value) {
                endpoints
                    .by_name
                    .insert(definition.name.clone(), definition);
            }
        }
        endpoints
    }

    /// Checks the format version; false where nothing else can be judged.
    fn format_version(&mut self, root: &DeTable<'_>) -> bool {
        let Some(value) = root.get("formatVersion") else {
            let message =
                format!("formatVersion is missing: write formatVersion = \"{FORMAT_MAJOR}.0\"");
            self.fault(0..0, message);
            return true;
        };
        let version = value.get_ref().as_str().and_then(|text| {
            let (major, minor) = text.split_once('.')?;
            let number = |text: &str| {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                if digits {
                    text.parse::<u32>().ok()
                } else {
                    None
                }
            };
            Some((number(major)?, number(minor)?))
        });
        let Some((major, minor)) = version else {
            let message =
                format!("formatVersion is a string of two numbers, such as \"{FORMAT_MAJOR}.0\"");
            self.fault(value.span(), message);
            return true;
        };
        if major != FORMAT_MAJOR {
            let which = if major > FORMAT_MAJOR {
                "a newer"
            } else {
                "an older"
            };
            self.fault(
                value.span(),
                format!(
                    "endpoints format {major}.{minor} is read by {which} orderctl; orderctl {} reads {FORMAT_MAJOR}.x",
                    env!("CARGO_PKG_VERSION")
                ),
            );
        }
        major == FORMAT_MAJOR
    }

    fn endpoint(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: Value<'_, '_>,
    ) -> Option<EndpointDefinition> {
        let name: &str = key.get_ref();
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(value, &format!("endpoint.{name}"), "a table");
            return None;
        };
        self.unknown_keys(table, ENDPOINT_KEYS);
        let timeout = self.duration(table, "timeout", DEFAULT_TIMEOUT);
        if let Some(value) = table.get("timeout").filter(|_| timeout.is_zero()) {
            self.fault(value.span(), "timeout must be longer than 0s".to_owned());
        }
        let concurrency = self.integer(table, "concurrency", 1..=MOST_AT_ONCE);
        let retries = self.integer(table, "retries", 0..=MOST_RETRIES);
        let protocol = self.protocol(key, table)?;
        Some(EndpointDefinition {
            name: name.to_owned(),
            protocol,
            timeout,
            concurrency: concurrency
                .and_then(|count| usize::try_from(count).ok())
                .unwrap_or(DEFAULT_CONCURRENCY),
            retries: retries
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(DEFAULT_RETRIES),
        })
    }

    fn protocol(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        table: &DeTable<'_>,
    ) -> Option<Protocol> {
        let Some(value) = table.get("protocol") else {
            self.fault(
                key.span(),
                format!(
                    "endpoint `{}` has no protocol: write protocol = \"tmf702\" or \"simulated\"",
                    key.get_ref()
                ),
            );
            return None;
        };
        match value.get_ref().as_str() {
            Some("tmf702") => {
                self.foreign_keys(table, &["latency", "fail"], "simulated");
                let Some(address) = table.get("address") else {
                    self.fault(
                        key.span(),
                        format!(
                            "endpoint `{}` has no address: protocol tmf702 needs one, such as address = \"http://127.0.0.1:8702/{}/tmf-api/ResourceActivationAndConfiguration/v4\"",
                            key.get_ref(),
                            key.get_ref()
                        ),
                    );
                    return None;
                };
                self.address(address)
                    .map(|address| Protocol::Tmf702 { address })
            }
            Some("simulated") => {
                self.foreign_keys(table, &["address"], "tmf702");
                let latency = self.duration(table, "latency", Duration::ZERO);
                let fail = self.calls(table);
                Some(Protocol::Simulated { latency, fail })
            }
            Some(other) => {
                let message = format!(
                    "protocol {other:?} is not known{}",
                    suggestion(other, PROTOCOLS)
                );
                self.fault(value.span(), message);
                None
            }
            None => {
                self.wrong_type(value, "protocol", "\"tmf702\" or \"simulated\"");
                None
            }
        }
    }

    /// Fills in the variables and checks what an address may be. Messages show
    /// the text as written, never what a variable holds.
    fn address(&mut self, value: Value<'_, '_>) -> Option<String> {
        let Some(written) = value.get_ref().as_str() else {
            self.wrong_type(value, "address", "a string");
            return None;
        };
        let checked = expand(written, self.lookup).and_then(|address| {
            let wrong = |why: &str| format!("address {written:?} {why}");
            let url = reqwest::Url::parse(&address)
                .map_err(|error| wrong(&format!("is not a URL: {error}")))?;
            if !matches!(url.scheme(), "http" | "https") {
                return Err(wrong("is neither http:// nor https://"));
            }
            if !url.username().is_empty() || url.password().is_some() {
                return Err(wrong("must not hold a user name or password"));
            }
            if url.query().is_some() || url.fragment().is_some() {
                return Err(wrong("must not have a query (?) or fragment (#)"));
            }
            Ok(url.as_str().trim_end_matches('/').to_owned())
        });
        match checked {
            Ok(address) => Some(address),
            Err(message) => {
                self.fault(value.span(), message);
                None
            }
        }
    }

    fn duration(&mut self, table: &DeTable<'_>, key: &str, default: Duration) -> Duration {
        let Some(value) = table.get(key) else {
            return default;
        };
        let Some(written) = value.get_ref().as_str() else {
            self.wrong_type(value, key, "a duration as a string, such as \"10s\"");
            return default;
        };
        let parsed = written
            .parse::<SignedDuration>()
            .ok()
            .and_then(|it| Duration::try_from(it).ok());
        match parsed {
            Some(duration) if duration <= LONGEST => duration,
            Some(_) => {
                self.fault(
                    value.span(),
                    format!("{key} {written:?} is longer than 24h"),
                );
                default
            }
            None => {
                let message = format!(
                    "{key} {written:?} is not a duration: write \"250ms\", \"10s\" or \"1m\""
                );
                self.fault(value.span(), message);
                default
            }
        }
    }

    fn integer(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        allowed: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let value = table.get(key)?;
        let number = whole_number(value).filter(|number| allowed.contains(number));
        if number.is_none() {
            let expected = format!(
                "a whole number from {} to {}",
                allowed.start(),
                allowed.end()
            );
            self.wrong_type(value, key, &expected);
        }
        number
    }

    fn calls(&mut self, table: &DeTable<'_>) -> BTreeSet<u64> {
        let expected = "a list of call numbers from 1, such as [2, 5]";
        let mut calls = BTreeSet::new();
        let Some(value) = table.get("fail") else {
            return calls;
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(value, "fail", expected);
            return calls;
        };
        for value in array {
            match whole_number(value).and_then(|number| u64::try_from(number).ok()) {
                Some(number) if number > 0 => {
                    calls.insert(number);
                }
                _ => self.wrong_type(value, "fail", expected),
            }
        }
        calls
    }

    fn unknown_keys(&mut self, table: &DeTable<'_>, known: &[&str]) {
        for (key, _) in table {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                self.fault(
                    key.span(),
                    format!("key `{name}` is not known{}", suggestion(name, known)),
                );
            }
        }
    }

    fn foreign_keys(&mut self, table: &DeTable<'_>, keys: &[&str], protocol: &str) {
        for (key, _) in table {
            let name: &str = key.get_ref();
            if keys.contains(&name) {
                self.fault(
                    key.span(),
                    format!("key `{name}` is for protocol {protocol} only"),
                );
            }
        }
    }

    fn wrong_type(&mut self, value: Value<'_, '_>, key: &str, expected: &str) {
        let shown = match value.get_ref() {
            DeValue::Integer(number) => number.to_string(),
            other => {
                let article = if matches!(other, DeValue::Array(_)) {
                    "an"
                } else {
                    "a"
                };
                format!("{article} {}", other.type_str())
            }
        };
        self.fault(
            value.span(),
            format!("{key} is {shown}, expected {expected}"),
        );
    }

    fn fault(&mut self, span: Range<usize>, message: String) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        self.faults.push(Fault {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message,
        });
    }
}

fn whole_number(value: Value<'_, '_>) -> Option<i64> {
    let number = value.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Replaces every `${NAME}` by what `lookup` gives for it.
fn expand(written: &str, lookup: Lookup<'_>) -> Result<String, String> {
    let mut expanded = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(start) = rest.find("${") {
        expanded.push_str(&rest[..start]);
        let Some(length) = rest[start..].find('}') else {
            return Err(format!("`${{` without `}}` in {written:?}"));
        };
        let name = &rest[start + 2..start + length];
        let well_formed = !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !well_formed {
            return Err(format!(
                "`${{{name}}}` does not name an environment variable"
            ));
        }
        match lookup(name) {
            Some(value) => expanded.push_str(&value),
            None => return Err(format!("environment variable {name} is not set")),
        }
        rest = &rest[start + length + 1..];
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// `, did you mean …?` where one of the known words is near, else the known words.
fn suggestion(word: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|candidate| {
            (
                distance(&word.to_lowercase(), &candidate.to_lowercase()),
                *candidate,
            )
        })
        .min()
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1));
    match nearest {
        Some((_, candidate)) => format!(", did you mean `{candidate}`?"),
        None => format!(", expected one of: {}", known.join(", ")),
    }
}

/// Edit distance: insertions, deletions and replacements of characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
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
"#,
        )
        .unwrap();
        assert_eq!(
            endpoints.by_name["olt"],
            EndpointDefinition {
                name: "olt".to_owned(),
                protocol: Protocol::Tmf702 {
                    address: "http://olt.example:8702/olt/v4".to_owned()
                },
                timeout: Duration::from_secs(10),
                concurrency: 4,
                retries: 0,
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
                concurrency: DEFAULT_CONCURRENCY,
                retries: DEFAULT_RETRIES,
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
            "endpoints.toml:4:11: address \"http://me:${OLT_HOST}@olt/\" must not hold a user name or password"
        );
        assert_eq!(
            address("http://olt/?x=1"),
            "endpoints.toml:4:11: address \"http://olt/?x=1\" must not have a query (?) or fragment (#)"
        );
    }

    #[test]
    fn columns_count_characters_and_names_are_plain() {
        assert_eq!(
            faults(
                "formatVersion = \"1.0\"\nendpoint = { \"é/é\" = { protocol = \"simulatet\" } }\n"
            ),
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
}
