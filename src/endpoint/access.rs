//! How an endpoint over HTTP is reached beyond its address: credentials,
//! certificates, limits. Secrets are named here by where they come from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::HeaderName;
use toml::de::DeValue;

use super::secret::SecretSource;
use super::{ANSWER_LIMIT, Lookup};
use crate::configuration::{Reader, Table, Value};

/// Keys of an endpoint that are read here.
pub(super) const KEYS: &[&str] = &[
    "token",
    "user",
    "password",
    "apiKey",
    "ca",
    "certificate",
    "key",
    "connectTimeout",
    "answerLimit",
    "unencrypted",
];

/// Keys that hold, or would hold by mistake, a secret.
pub(super) const SECRETS: &[&str] = &["token", "password", "apiKey", "key"];

/// Where a secret may come from, as messages say it.
const SOURCES: &str =
    "{ env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }";
/// Smallest answer limit that a file may give: an error body fits in.
const LEAST_ANSWER: usize = 1024;

/// How an endpoint is reached beyond its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The `Authorization` header.
    pub authorization: Option<Authorization>,
    /// A header with a key, beside or instead of it.
    pub api_key: Option<ApiKey>,
    /// Certificates (PEM) of the authorities that the endpoint's certificate
    /// may come from, in place of the system's.
    pub ca: Option<PathBuf>,
    /// The certificate that is shown to the endpoint.
    pub identity: Option<Identity>,
    /// How long a connection may take to be made; half the timeout if absent.
    pub connect_timeout: Option<Duration>,
    /// Largest answer that is read, in bytes.
    pub answer_limit: usize,
}

/// The `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// `Bearer` and the token.
    Bearer(SecretSource),
    /// `Basic`, of a user and a password.
    Basic {
        /// The user, without a colon.
        user: String,
        /// The password.
        password: SecretSource,
    },
}

/// A header that holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Name of the header, in lower case.
    pub header: HeaderName,
    /// The key.
    pub value: SecretSource,
}

/// A client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate and those above it (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: SecretSource,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            authorization: None,
            api_key: None,
            ca: None,
            identity: None,
            connect_timeout: None,
            answer_limit: ANSWER_LIMIT,
        }
    }
}

impl Access {
    /// Whether something secret is sent with every request.
    pub fn has_credentials(&self) -> bool {
        self.authorization.is_some() || self.api_key.is_some()
    }

    /// Whether credentials may be others when they are fetched again.
    pub(super) fn is_renewable(&self) -> bool {
        let token = match &self.authorization {
            Some(Authorization::Bearer(source)) => Some(source),
            Some(Authorization::Basic { password, .. }) => Some(password),
            None => None,
        };
        let key = self.api_key.as_ref().map(|key| &key.value);
        let changes = |source: &SecretSource| !matches!(source, SecretSource::Environment(_));
        token.into_iter().chain(key).any(changes)
    }

    /// Names and masked values of the headers that carry credentials.
    pub(super) fn masked_headers(&self) -> Vec<(String, &'static str)> {
        let authorization = self.authorization.as_ref().map(|it| match it {
            Authorization::Bearer(_) => ("authorization".to_owned(), "Bearer ***"),
            Authorization::Basic { .. } => ("authorization".to_owned(), "Basic ***"),
        });
        let key = self.api_key.as_ref();
        let key = key.map(|key| (key.header.to_string(), super::secret::MASK));
        authorization.into_iter().chain(key).collect()
    }
}

/// Reads what an endpoint's table says about access.
pub(super) struct AccessReader<'r, 't> {
    pub reader: &'r mut Reader<'t>,
    /// Folder that paths count from.
    pub folder: &'r Path,
    /// Variables of paths.
    pub lookup: Lookup<'r>,
}

impl AccessReader<'_, '_> {
    pub fn access(&mut self, table: &Table<'_>) -> Access {
        let certificate = self.path(table, "certificate");
        let key = table.get("key").and_then(|value| self.secret(value, "key"));
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            _ => None,
        };
        self.both(table, "certificate", "key");
        Access {
            authorization: self.authorization(table),
            api_key: table.get("apiKey").and_then(|value| self.api_key(value)),
            ca: self.path(table, "ca"),
            identity,
            connect_timeout: self.reader.time_limit(table, "connectTimeout"),
            answer_limit: self.answer_limit(table),
        }
    }

    fn authorization(&mut self, table: &Table<'_>) -> Option<Authorization> {
        let token = table.get("token");
        let token_source = token.and_then(|value| self.secret(value, "token"));
        let password = table.get("password");
        let password = password.and_then(|value| self.secret(value, "password"));
        let user = self.reader.text(table, "user", "the name of a user");
        self.both(table, "user", "password");
        if let (Some(token), Some(_)) = (token, table.get("user")) {
            let message = "token and user exclude each other: one makes a Bearer, the other a Basic authorization";
            self.reader.fault(token.span(), message.to_owned());
        }
        if let (Some(user), Some(value)) = (user, table.get("user"))
            && user.contains(|c: char| c == ':' || c.is_control())
        {
            let message = "user must not hold a colon or control characters";
            self.reader.fault(value.span(), message.to_owned());
        }
        match (token_source, user, password) {
            (Some(token), ..) => Some(Authorization::Bearer(token)),
            (None, Some(user), Some(password)) => Some(Authorization::Basic {
                user: user.to_owned(),
                password,
            }),
            _ => None,
        }
    }

    fn api_key(&mut self, value: Value<'_, '_>) -> Option<ApiKey> {
        let expected = format!("{{ header = \"X-API-Key\", … }} with one of {SOURCES}");
        let Some(table) = value.get_ref().as_table() else {
            self.not_a_source(value, "apiKey", &expected);
            return None;
        };
        let Some(header) = table.get("header") else {
            let message = format!("apiKey has no header: write {expected}");
            self.reader.fault(value.span(), message);
            return None;
        };
        let name = header.get_ref().as_str();
        let name = name.and_then(|name| name.parse::<HeaderName>().ok());
        let reserved = [
            "host",
            "content-length",
            "content-type",
            "idempotency-key",
            "authorization",
            "transfer-encoding",
            "connection",
        ];
        let name = name.filter(|name| !reserved.contains(&name.as_str()));
        if name.is_none() {
            let message = "header is not the name of a header that a key can be sent in, such as \"X-API-Key\"";
            self.reader.fault(header.span(), message.to_owned());
        }
        let value = self.source(value, "apiKey", &["header"]);
        Some(ApiKey {
            header: name?,
            value: value?,
        })
    }

    fn secret(&mut self, value: Value<'_, '_>, key: &str) -> Option<SecretSource> {
        self.source(value, key, &[])
    }

    /// Where a secret comes from: a table of one of three keys, beside those in `others`.
    fn source(&mut self, value: Value<'_, '_>, key: &str, others: &[&str]) -> Option<SecretSource> {
        let Some(table) = value.get_ref().as_table() else {
            self.not_a_source(value, key, &format!("write {SOURCES}"));
            return None;
        };
        let known: Vec<&str> = ["env", "file", "command"]
            .iter()
            .chain(others)
            .copied()
            .collect();
        self.reader.unknown_keys(table, &known);
        let given: Vec<&str> = ["env", "file", "command"]
            .into_iter()
            .filter(|name| table.get(*name).is_some())
            .collect();
        match given.as_slice() {
            ["env"] => {
                let name = self.reader.text(table, "env", "the name of a variable")?;
                Some(SecretSource::Environment(name.to_owned()))
            }
            ["file"] => self.path(table, "file").map(SecretSource::File),
            ["command"] => self.command(table).map(SecretSource::Command),
            [] => {
                self.reader.fault(
                    value.span(),
                    format!(
                        "{key} says nothing about where the secret comes from: write {SOURCES}"
                    ),
                );
                None
            }
            _ => {
                let message = format!(
                    "{key} names {}, of which only one can be",
                    given.join(" and ")
                );
                self.reader.fault(value.span(), message);
                None
            }
        }
    }

    /// Refuses a secret that stands in the file, without showing it.
    fn not_a_source(&mut self, value: Value<'_, '_>, key: &str, advice: &str) {
        let message = match value.get_ref() {
            // Most write its path here, as that of the certificate.
            DeValue::String(_) if key == "key" => {
                "key is neither the private key nor its path, but says where it comes from: write key = { file = \"PATH\" }".to_owned()
            }
            DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) => {
                format!("{key} stands in the file itself, where everybody can read it: {advice}")
            }
            DeValue::Array(_) => format!("{key} is a list: {advice}"),
            other => format!("{key} is a {}: {advice}", other.type_str()),
        };
        self.reader.fault(value.span(), message);
    }

    fn command(&mut self, table: &Table<'_>) -> Option<Vec<String>> {
        let value = table.get("command")?;
        let words: Option<Vec<String>> = value.get_ref().as_array().and_then(|array| {
            let word = |value: Value<'_, '_>| value.get_ref().as_str().map(str::to_owned);
            array.iter().map(word).collect()
        });
        let words = words.filter(|words| words.first().is_some_and(|program| !program.is_empty()));
        if words.is_none() {
            let expected =
                "a list of a program and its arguments, such as [\"pass\", \"show\", \"olt\"]";
            let message = format!("command is not {expected}");
            self.reader.fault(value.span(), message);
        }
        words
    }

    /// A path, its variables filled in, counted from the file's folder.
    fn path(&mut self, table: &Table<'_>, key: &str) -> Option<PathBuf> {
        let written = self.reader.text(table, key, "a path")?;
        match super::definition::expand(written, self.lookup) {
            Ok(path) => Some(self.folder.join(path)),
            Err(message) => {
                let span = table.get(key).map_or(0..0, toml::Spanned::span);
                self.reader.fault(span, message);
                None
            }
        }
    }

    fn answer_limit(&mut self, table: &Table<'_>) -> usize {
        let Some(value) = table.get("answerLimit") else {
            return ANSWER_LIMIT;
        };
        let limit = value.get_ref().as_str().and_then(size);
        limit
            .filter(|limit| (LEAST_ANSWER..=ANSWER_LIMIT).contains(limit))
            .unwrap_or_else(|| {
                let message = "answerLimit is not a size from \"1KiB\" to \"16MiB\"";
                self.reader.fault(value.span(), message.to_owned());
                ANSWER_LIMIT
            })
    }

    /// Two keys of which neither is of use without the other.
    fn both(&mut self, table: &Table<'_>, left: &str, right: &str) {
        for (present, missing) in [(left, right), (right, left)] {
            if let (Some(value), None) = (table.get(present), table.get(missing)) {
                let message = format!("{present} is given and {missing} is not: both are needed");
                self.reader.fault(value.span(), message);
            }
        }
    }
}

/// A size with its unit, in bytes.
fn size(text: &str) -> Option<usize> {
    let (number, unit) = [("KiB", 1024), ("MiB", 1024 * 1024)]
        .into_iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: usize = digits.then(|| number.parse().ok())??;
    number.checked_mul(unit)
}
