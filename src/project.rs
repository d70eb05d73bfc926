//! The project file `orderctl.toml`: where catalog, endpoints, journal and inventory are.
//!
//! [`Project::parse`] is pure; [`Project::find`] and [`Project::read`] are the
//! only functions here that touch the file system.

mod lint;

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::suggestion;
use crate::lint::Settings as LintSettings;

/// Name of the project file.
pub const FILE_NAME: &str = "orderctl.toml";

/// Where the journal is, below the folder of the project file or below the
/// working directory, if nobody says otherwise.
pub const DEFAULT_JOURNAL: &str = ".orderctl/journal.db";

/// Major format version that this release reads.
const FORMAT_MAJOR: u64 = 1;

const KEYS: [&str; 6] = [
    "formatVersion",
    "catalog",
    "endpoints",
    "journal",
    "inventory",
    "lint",
];

/// A project file, its paths resolved against the folder it lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The project file itself.
    pub file: PathBuf,
    /// Catalog folder.
    pub catalog: Option<PathBuf>,
    /// Endpoints file.
    pub endpoints: Option<PathBuf>,
    /// Journal; [`DEFAULT_JOURNAL`] beside the project file if not given.
    pub journal: PathBuf,
    /// Inventory: the installed base.
    pub inventory: Option<PathBuf>,
    /// What the project wants of lint.
    pub lint: LintSettings,
}

/// Paths named outside the project file, by flag or environment (the flag
/// already having won).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--catalog`, `ORDERCTL_CATALOG`.
    pub catalog: Option<PathBuf>,
    /// `--endpoints`, `ORDERCTL_ENDPOINTS`.
    pub endpoints: Option<PathBuf>,
    /// `--journal`, `ORDERCTL_JOURNAL`.
    pub journal: Option<PathBuf>,
    /// `--inventory`, `ORDERCTL_INVENTORY`.
    pub inventory: Option<PathBuf>,
}

/// What holds for this run after flags, environment and project file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Catalog folder, if anybody named one.
    pub catalog: Option<PathBuf>,
    /// Endpoints file, if anybody named one.
    pub endpoints: Option<PathBuf>,
    /// Journal; it need not exist.
    pub journal: PathBuf,
    /// Inventory, if anybody named one; it need not exist.
    pub inventory: Option<PathBuf>,
    /// What the project wants of lint.
    pub lint: LintSettings,
}

impl Settings {
    /// Flag over environment over project file over default.
    #[must_use]
    pub fn merge(overrides: Overrides, project: Option<Project>) -> Self {
        let lint = project.as_ref().map(|it| it.lint.clone());
        let (catalog, endpoints, journal, inventory) = match project {
            Some(it) => (it.catalog, it.endpoints, it.journal, it.inventory),
            None => (None, None, PathBuf::from(DEFAULT_JOURNAL), None),
        };
        Self {
            lint: lint.unwrap_or_default(),
            catalog: overrides.catalog.or(catalog),
            endpoints: overrides.endpoints.or(endpoints),
            journal: overrides.journal.unwrap_or(journal),
            inventory: overrides.inventory.or(inventory),
        }
    }
}

/// A place in the project file; line and column from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The project file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// Why a project file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// It cannot be read, or is not UTF-8.
    #[error("cannot read project file {}: {cause}", path.display())]
    Read {
        /// The project file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It is not TOML.
    #[error("{place}: {message}")]
    Syntax {
        /// Where the reader stumbled.
        place: Place,
        /// What it expected.
        message: String,
    },
    /// It has a key that means nothing.
    #[error("{place}: unknown key `{key}`; {advice}")]
    UnknownKey {
        /// Where the key is.
        place: Place,
        /// The key.
        key: String,
        /// The key that was probably meant, or all that there are.
        advice: String,
    },
    /// A value is not the text that it should be.
    #[error("{place}: `{key}` must be {expected}, not {found}")]
    WrongValue {
        /// Where the value is.
        place: Place,
        /// Its key.
        key: &'static str,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// It does not say which format it is written in.
    #[error("{}:1:1: `formatVersion` is missing; write `formatVersion = \"{FORMAT_MAJOR}.0\"`", path.display())]
    NoVersion {
        /// The project file.
        path: PathBuf,
    },
    /// It is written in another major format version.
    #[error(
        "{place}: format version {found} is not read by orderctl {}, which reads {FORMAT_MAJOR}.x{}",
        env!("CARGO_PKG_VERSION"),
        if *newer { "; a newer orderctl is needed" } else { "" }
    )]
    OtherVersion {
        /// Where the version is.
        place: Place,
        /// The version given.
        found: String,
        /// Whether it is newer than what is read here.
        newer: bool,
    },
}

impl Project {
    /// The nearest project file in `start` or a folder above it, as a path
    /// relative to `start` (`orderctl.toml`, `../orderctl.toml`), so that
    /// messages and outputs do not depend on where the project lies.
    ///
    /// `start` must be absolute for folders above it to be seen.
    #[must_use]
    pub fn find(start: &Path) -> Option<PathBuf> {
        let mut upwards = PathBuf::new();
        for folder in start.ancestors() {
            if folder.join(FILE_NAME).is_file() {
                return Some(upwards.join(FILE_NAME));
            }
            upwards.push("..");
        }
        None
    }

    /// Reads and parses the project file at `path`.
    ///
    /// # Errors
    ///
    /// When it cannot be read, and as [`Project::parse`].
    pub fn read(path: &Path) -> Result<Self, ProjectError> {
        let text = fs::read_to_string(path).map_err(|cause| ProjectError::Read {
            path: path.to_owned(),
            cause,
        })?;
        Self::parse(&text, path)
    }

    /// Parses the text of the project file `path`; relative paths in it count
    /// from the folder of `path`.
    ///
    /// # Errors
    ///
    /// The first fault in reading order: not TOML, an unknown key, a value
    /// that is not a text, a missing or other format version.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ProjectError> {
        let table = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            ProjectError::Syntax {
                place: place(text, offset, path),
                message: error.message().to_owned(),
            }
        })?;
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);

        let folder = path.parent().unwrap_or(Path::new(""));
        let mut version_given = false;
        let (mut catalog, mut endpoints, mut journal, mut inventory) = (None, None, None, None);
        let mut lint = LintSettings::default();
        for (key, value) in entries {
            match key.get_ref().as_ref() {
                "formatVersion" => {
                    check_version(value, text, path)?;
                    version_given = true;
                }
                "catalog" => catalog = Some(folder.join(path_value("catalog", value, text, path)?)),
                "endpoints" => {
                    endpoints = Some(folder.join(path_value("endpoints", value, text, path)?));
                }
                "journal" => journal = Some(folder.join(path_value("journal", value, text, path)?)),
                "inventory" => {
                    inventory = Some(folder.join(path_value("inventory", value, text, path)?));
                }
                "lint" => lint = lint::read(value, lint::Source { text, path })?,
                other => {
                    return Err(ProjectError::UnknownKey {
                        place: place(text, key.span().start, path),
                        key: other.to_owned(),
                        advice: advice(other),
                    });
                }
            }
        }
        if !version_given {
            return Err(ProjectError::NoVersion {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            file: path.to_owned(),
            catalog,
            endpoints,
            journal: journal.unwrap_or_else(|| folder.join(DEFAULT_JOURNAL)),
            inventory,
            lint,
        })
    }
}

fn advice(key: &str) -> String {
    match suggestion::closest(key, KEYS) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known keys are {}", KEYS.join(", ")),
    }
}

fn path_value<'a>(
    key: &'static str,
    value: &'a Spanned<DeValue<'_>>,
    text: &str,
    path: &Path,
) -> Result<&'a str, ProjectError> {
    let found = match value.get_ref().as_str() {
        Some("") => "empty text".to_owned(),
        Some(given) => return Ok(given),
        None => type_name(value.get_ref()).to_owned(),
    };
    Err(ProjectError::WrongValue {
        place: place(text, value.span().start, path),
        key,
        expected: "a path in quotes",
        found,
    })
}

fn check_version(
    value: &Spanned<DeValue<'_>>,
    text: &str,
    path: &Path,
) -> Result<(), ProjectError> {
    let place = place(text, value.span().start, path);
    let given = value.get_ref().as_str();
    let major = given
        .and_then(|version| version.split_once('.'))
        .filter(|(_, minor)| minor.parse::<u64>().is_ok())
        .and_then(|(major, _)| major.parse::<u64>().ok());
    match (given, major) {
        (_, Some(FORMAT_MAJOR)) => Ok(()),
        (Some(version), Some(major)) => Err(ProjectError::OtherVersion {
            place,
            found: version.to_owned(),
            newer: major > FORMAT_MAJOR,
        }),
        (given, _) => Err(ProjectError::WrongValue {
            place,
            key: "formatVersion",
            expected: "a version such as \"1.0\"",
            found: given.map_or_else(
                || type_name(value.get_ref()).to_owned(),
                |version| format!("`{version}`"),
            ),
        }),
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Line and column of a byte offset into `text`.
fn place(text: &str, offset: usize, path: &Path) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    Place {
        file: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Project, String> {
        Project::parse(text, Path::new("shop/orderctl.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn paths_count_from_the_folder_of_the_file() {
        let text = "formatVersion = \"1.0\"\ncatalog = \"catalog\"\nendpoints = \"/etc/e.toml\"\n";
        let project = parse(text).expect("a sound project file");
        assert_eq!(project.catalog.as_deref(), Some(Path::new("shop/catalog")));
        assert_eq!(project.endpoints.as_deref(), Some(Path::new("/etc/e.toml")));
        assert_eq!(project.journal, Path::new("shop/.orderctl/journal.db"));
    }

    #[test]
    fn a_newer_minor_version_is_read() {
        assert!(parse("formatVersion = \"1.7\"").is_ok());
    }

    #[test]
    fn every_fault_names_its_place() {
        for (text, message) in [
            (
                "formatVersion = \"1.0\"\ncatlog = \"c\"\n",
                "shop/orderctl.toml:2:1: unknown key `catlog`; did you mean `catalog`?",
            ),
            (
                "formatVersion = \"1.0\"\n[warehouse]\n",
                "shop/orderctl.toml:2:2: unknown key `warehouse`; \
                 known keys are formatVersion, catalog, endpoints, journal, inventory, lint",
            ),
            (
                "formatVersion = \"1.0\"\ncatalog = 7\n",
                "shop/orderctl.toml:2:11: `catalog` must be a path in quotes, not a number",
            ),
            (
                "formatVersion = \"1.0\"\n[[lint.exceptions]]\ncode = \"lint/overlap\"\n",
                "shop/orderctl.toml:2:1: `reason` must be a text that says why, not nothing",
            ),
            (
                "formatVersion = \"1.0\"\n[lint.levels]\n\"lint/overlapp\" = \"off\"\n",
                "shop/orderctl.toml:3:1: `code` must be a code of lint, not `lint/overlapp` (did you mean `lint/overlap`?)",
            ),
            (
                "formatVersion = \"1.0\"\n[lint.levels]\n\"lint/overlap\" = \"loud\"\n",
                "shop/orderctl.toml:3:18: `levels` must be off, note, warning or error, not `loud`",
            ),
            (
                "formatVersion = \"1.0\"\njournal = \"\"\n",
                "shop/orderctl.toml:2:11: `journal` must be a path in quotes, not empty text",
            ),
            (
                "catalog = \"c\"\n",
                "shop/orderctl.toml:1:1: `formatVersion` is missing; write `formatVersion = \"1.0\"`",
            ),
            (
                "formatVersion = 1.0\n",
                "shop/orderctl.toml:1:17: `formatVersion` must be a version such as \"1.0\", not a number",
            ),
            (
                "formatVersion = \"one\"\n",
                "shop/orderctl.toml:1:17: `formatVersion` must be a version such as \"1.0\", not `one`",
            ),
            (
                "formatVersion = \"2.0\"\n",
                concat!(
                    "shop/orderctl.toml:1:17: format version 2.0 is not read by orderctl ",
                    env!("CARGO_PKG_VERSION"),
                    ", which reads 1.x; a newer orderctl is needed",
                ),
            ),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn broken_toml_is_a_fault_with_a_place_and_never_a_panic() {
        for text in [
            "catalog = ",
            "\u{feff}[",
            "a = \"é\nb",
            "x = 1\nx = 2\n",
            "\0",
            "= =\n\n",
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.starts_with("shop/orderctl.toml:"), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn flag_wins_over_file_and_file_over_default() {
        let project = parse("formatVersion = \"1.0\"\ncatalog = \"c\"\njournal = \"j.db\"\n")
            .expect("a sound project file");
        let overrides = Overrides {
            catalog: Some("mine".into()),
            ..Overrides::default()
        };
        assert_eq!(
            Settings::merge(overrides, Some(project)),
            Settings {
                catalog: Some("mine".into()),
                endpoints: None,
                journal: "shop/j.db".into(),
                inventory: None,
                lint: LintSettings::default(),
            }
        );
        assert_eq!(
            Settings::merge(Overrides::default(), None),
            Settings {
                catalog: None,
                endpoints: None,
                journal: DEFAULT_JOURNAL.into(),
                inventory: None,
                lint: LintSettings::default(),
            }
        );
    }

    #[test]
    fn the_nearest_file_upwards_is_found_relative_to_the_start() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let deep = root.path().join("a/b");
        fs::create_dir_all(&deep).expect("folders");
        // A folder of that name is not a project file.
        fs::create_dir(deep.join(FILE_NAME)).expect("a folder");
        fs::write(root.path().join(FILE_NAME), "").expect("a file");
        assert_eq!(
            Project::find(&deep),
            Some(PathBuf::from("../../orderctl.toml"))
        );
        assert_eq!(
            Project::find(root.path()),
            Some(PathBuf::from("orderctl.toml"))
        );
    }
}
