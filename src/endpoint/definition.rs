//! The endpoints file: which systems there are, and how each is spoken to.
//!
//! Parsing is pure: values of the environment come through a lookup that the
//! caller supplies, and [`Endpoints::read`] is the only thing here that touches
//! a file. All faults of a file are found in one go.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use thiserror::Error;
use toml::Spanned;

use super::access::{self, Access, AccessReader};
use super::secret::MASK;
use super::terms::{self, Terms, TermsReader};
use crate::configuration::{self, Fault, Format, Reader, Table, Value, meant, whole_number};

/// Major version of the endpoints format that this release reads.
pub const FORMAT_MAJOR: u32 = 1;

/// Timeout of a request where the file gives none.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Requests at once where the file does not say.
pub const DEFAULT_CONCURRENCY: usize = 8;

const ROOT_KEYS: &[&str] = &["formatVersion", "endpoint"];
const ENDPOINT_KEYS: &[&str] = &["protocol", "address", "timeout", "latency", "fail"];
const PROTOCOLS: &[&str] = &["tmf702", "simulated"];

/// A key with its place in the text.
type Key<'a> = &'a Spanned<Cow<'a, str>>;

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
    /// How long one request may take, and as long again the monitor of one that was accepted.
    pub timeout: Duration,
    /// What it bears, and what is done when it does not answer as it should.
    pub terms: Terms,
}

/// How an endpoint is spoken to, with what only that protocol needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// TMF702 resource activation over HTTP.
    Tmf702 {
        /// Base address (http or https, no trailing slash): requests go to paths below it.
        address: String,
        /// Credentials, certificates and limits.
        access: Box<Access>,
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
        let text = configuration::read(path).map_err(|source| DefinitionError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path, lookup)
    }

    /// Parses the text of an endpoints file. `path` names it in errors, and
    /// other paths count from its folder; `lookup` gives the variables of
    /// addresses and paths.
    ///
    /// # Errors
    /// All faults of the text.
    pub fn parse(text: &str, path: &Path, lookup: Lookup<'_>) -> Result<Self, DefinitionError> {
        let mut definitions = DefinitionReader {
            reader: Reader::new(text),
            folder: path.parent().unwrap_or(Path::new("")),
            lookup,
        };
        let endpoints = definitions.file();
        let faults = definitions.reader.into_faults();
        if faults.is_empty() {
            return Ok(endpoints);
        }
        Err(DefinitionError::Faults {
            path: path.to_owned(),
            faults,
        })
    }

    /// Whether what stands at this JSON Pointer may be, or hold, a secret: only
    /// what is said by [`Endpoints::parse`] of it is fit to be shown.
    pub fn may_hold_secret(pointer: &str) -> bool {
        let mut keys = pointer.split('/').skip(3);
        let key = keys.next();
        key.is_some_and(|key| access::SECRETS.contains(&key) || key == "address")
    }

    /// Names of the endpoints that are spoken to over TMF702.
    pub fn tmf702_names(&self) -> impl Iterator<Item = &str> {
        self.by_name
            .values()
            .filter(|endpoint| matches!(endpoint.protocol, Protocol::Tmf702 { .. }))
            .map(|endpoint| endpoint.name.as_str())
    }
}

/// What the file is, for messages about its version.
const FORMAT: Format = Format {
    name: "endpoints format",
    major: FORMAT_MAJOR,
};

/// Reads the definitions; faults are noted by the reader within.
struct DefinitionReader<'r> {
    reader: Reader<'r>,
    folder: &'r Path,
    lookup: Lookup<'r>,
}

impl DefinitionReader<'_> {
    fn file(&mut self) -> Endpoints {
        let mut endpoints = Endpoints::default();
        let Some(root) = self.reader.root(FORMAT) else {
            return endpoints;
        };
        let root = root.get_ref();
        self.reader.unknown_keys(root, ROOT_KEYS);
        let Some(value) = root.get("endpoint") else {
            return endpoints;
        };
        let Some(tables) = value.get_ref().as_table() else {
            let expected = "a table of endpoints, such as [endpoint.olt]";
            self.reader.wrong_type(value, "endpoint", expected);
            return endpoints;
        };
        for (name, value) in tables {
            if !is_name(name.get_ref()) {
                self.reader.fault(
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

    fn endpoint(&mut self, key: Key<'_>, value: Value<'_, '_>) -> Option<EndpointDefinition> {
        let name: &str = key.get_ref();
        let Some(table) = value.get_ref().as_table() else {
            self.reader
                .wrong_type(value, &format!("endpoint.{name}"), "a table");
            return None;
        };
        let known = ENDPOINT_KEYS.iter().chain(access::KEYS).chain(terms::KEYS);
        let known: Vec<&str> = known.copied().collect();
        self.reader.unknown_keys(table, &known);
        let timeout = self.reader.time_limit(table, "timeout");
        let timeout = timeout.unwrap_or(DEFAULT_TIMEOUT);
        let protocol = self.protocol(key, table);
        let usual = Terms {
            // What is not there keeps no effects that could happen twice.
            idempotent: matches!(protocol, Some(Protocol::Simulated { .. })),
            settle: timeout,
            ..Terms::default()
        };
        let reader = &mut self.reader;
        let terms = TermsReader { reader }.terms(table, usual);
        let protocol = protocol?;
        Some(EndpointDefinition {
            name: name.to_owned(),
            protocol,
            timeout,
            terms,
        })
    }

    fn protocol(&mut self, key: Key<'_>, table: &Table<'_>) -> Option<Protocol> {
        let Some(value) = table.get("protocol") else {
            self.reader.fault(
                key.span(),
                format!(
                    "endpoint `{}` has no protocol: write protocol = \"tmf702\" or \"simulated\"",
                    key.get_ref()
                ),
            );
            return None;
        };
        match value.get_ref().as_str() {
            Some("tmf702") => self.tmf702(key, table),
            Some("simulated") => {
                let foreign: Vec<&str> = ["address"].iter().chain(access::KEYS).copied().collect();
                self.foreign_keys(table, &foreign, "tmf702");
                Some(Protocol::Simulated {
                    latency: self.reader.duration(table, "latency").unwrap_or_default(),
                    fail: self.calls(table),
                })
            }
            Some(other) => {
                let message = format!("protocol {other:?} is not known{}", meant(other, PROTOCOLS));
                self.reader.fault(value.span(), message);
                None
            }
            None => {
                let expected = "\"tmf702\" or \"simulated\"";
                self.reader.wrong_type(value, "protocol", expected);
                None
            }
        }
    }

    fn tmf702(&mut self, key: Key<'_>, table: &Table<'_>) -> Option<Protocol> {
        self.foreign_keys(table, &["latency", "fail"], "simulated");
        let access = AccessReader {
            reader: &mut self.reader,
            folder: self.folder,
            lookup: self.lookup,
        }
        .access(table);
        let unencrypted = self.reader.boolean(table, "unencrypted").unwrap_or(false);
        let Some(value) = table.get("address") else {
            self.reader.fault(
                key.span(),
                format!(
                    "endpoint `{}` has no address: protocol tmf702 needs one, such as address = \"http://127.0.0.1:8702/{}/tmf-api/ResourceActivationAndConfiguration/v4\"",
                    key.get_ref(),
                    key.get_ref()
                ),
            );
            return None;
        };
        let address = self.address(value)?;
        if access.has_credentials() && !unencrypted && is_overheard(&address) {
            let message = "credentials would be sent over http:// for everybody on the way to read: write https://, or unencrypted = true where the way is safe";
            self.reader.fault(value.span(), message.to_owned());
        }
        Some(Protocol::Tmf702 {
            address: address.as_str().trim_end_matches('/').to_owned(),
            access: Box::new(access),
        })
    }

    /// Fills in the variables and checks what an address may be. Messages show
    /// the text as written, never what a variable holds, and nothing that may
    /// be a password.
    fn address(&mut self, value: Value<'_, '_>) -> Option<Url> {
        let Some(written) = value.get_ref().as_str() else {
            self.reader.wrong_type(value, "address", "a string");
            return None;
        };
        let checked = expand(written, self.lookup).and_then(|address| {
            let wrong = |why: &str| format!("address {:?} {why}", without_password(written));
            let url =
                Url::parse(&address).map_err(|error| wrong(&format!("is not a URL: {error}")))?;
            if !matches!(url.scheme(), "http" | "https") {
                return Err(wrong("is neither http:// nor https://"));
            }
            if !url.username().is_empty() || url.password().is_some() {
                return Err(wrong(
                    "must not hold a user name or password: write user = \"…\" and password = { env = \"…\" }",
                ));
            }
            if url.query().is_some() || url.fragment().is_some() {
                return Err(wrong("must not have a query (?) or fragment (#)"));
            }
            Ok(url)
        });
        checked
            .map_err(|message| self.reader.fault(value.span(), message))
            .ok()
    }

    fn calls(&mut self, table: &Table<'_>) -> BTreeSet<u64> {
        let expected = "a list of call numbers from 1, such as [2, 5]";
        let mut calls = BTreeSet::new();
        let Some(value) = table.get("fail") else {
            return calls;
        };
        let Some(array) = value.get_ref().as_array() else {
            self.reader.wrong_type(value, "fail", expected);
            return calls;
        };
        for value in array {
            match whole_number(value).and_then(|number| u64::try_from(number).ok()) {
                Some(number) if number > 0 => {
                    calls.insert(number);
                }
                _ => self.reader.wrong_type(value, "fail", expected),
            }
        }
        calls
    }

    fn foreign_keys(&mut self, table: &Table<'_>, keys: &[&str], protocol: &str) {
        for (key, _) in table {
            let name: &str = key.get_ref();
            if keys.contains(&name) {
                let message = format!("key `{name}` is for protocol {protocol} only");
                self.reader.fault(key.span(), message);
            }
        }
    }
}

/// Whether what goes to this address can be read on the way: not encrypted,
/// and not to this machine.
fn is_overheard(address: &Url) -> bool {
    let host = address.host_str().unwrap_or_default();
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let here = host == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    address.scheme() == "http" && !here
}

/// An address as written, what stands before an `@` hidden.
fn without_password(written: &str) -> String {
    let start = written.find("//").map_or(0, |at| at + 2);
    match written[start..].rfind('@') {
        Some(at) => format!("{}{MASK}{}", &written[..start], &written[start + at..]),
        None => written.to_owned(),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Replaces every `${NAME}` by what `lookup` gives for it.
pub(super) fn expand(written: &str, lookup: Lookup<'_>) -> Result<String, String> {
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

#[cfg(test)]
mod tests;
