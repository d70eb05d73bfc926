//! What `validate` does with what is named and holds no stream of documents:
//! folders, which are catalogs, and TOML, which are endpoints and project files and fault scripts.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use orderctl::catalog;
use orderctl::configuration::Fault;
use orderctl::diagnostic::report::Subject;
use orderctl::diagnostic::{Code, Diagnostic, Location, Severity, has_errors};
use orderctl::document::{Document, StreamError, toml};
use orderctl::endpoint::{DefinitionError, Endpoints};
use orderctl::mock::{Script, ScriptError};
use orderctl::project::{self, Project, ProjectError};
use orderctl::{schemas, validate};

use crate::exit::{ExitCode, Failure};
use crate::stage::Produced;

/// What stands for a variable of the environment: a file is judged as it is written, wherever it
/// will be used.
const VARIABLE: &str = "https://variable.invalid";

/// Whether a named file holds no stream of documents.
pub fn is_configured(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "toml") || path.is_dir()
}

/// Judges a file or folder.
pub fn check(path: &Path, strict: bool) -> Result<Produced, Failure> {
    if path.is_dir() {
        return folder(path, strict);
    }
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| StreamError::Read {
        file: name.clone(),
        source,
    })?;
    let document = toml::document(&text, &name)?;
    let kind = Kind::of(path, &document).ok_or(Failure::UnknownToml { file: name.clone() })?;
    let mut diagnostics = schemas::check_as(kind.schema(), document.root());
    // The schema's words quote what they find; the reader knows what may be a secret.
    let before = diagnostics.len();
    if let Kind::Endpoints = kind {
        diagnostics.retain(|it| !Endpoints::may_hold_secret(&it.location.pointer));
    }
    if diagnostics.is_empty() || diagnostics.len() < before {
        let faults = kind.faults(&text, path);
        if !faults.is_empty() {
            diagnostics = faults;
        }
    }
    let subject = Subject {
        name: format!("{} {name}", kind.name()),
        location: document.root().location(),
        diagnostics: 0..0,
    };
    let mut produced = judged(diagnostics, strict);
    produced.documents = 1;
    produced.subject = Some(subject);
    Ok(produced)
}

/// A catalog.
fn folder(path: &Path, strict: bool) -> Result<Produced, Failure> {
    let files = catalog::read_folder(path)?;
    let loaded = catalog::inspect(&files).map_err(Failure::CatalogSyntax)?;
    let mut produced = judged(loaded.diagnostics, strict);
    produced.documents = loaded.documents as u64;
    Ok(produced)
}

fn judged(mut diagnostics: Vec<Diagnostic>, strict: bool) -> Produced {
    if strict {
        validate::take_warnings_as_errors(&mut diagnostics);
    }
    Produced {
        code: has_errors(&diagnostics).then_some(ExitCode::NotAcceptable),
        diagnostics,
        ..Produced::default()
    }
}

/// What a TOML file is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Endpoints,
    Project,
    FaultScript,
}

impl Kind {
    /// By the members that only one has, else by the name.
    fn of(path: &Path, document: &Document) -> Option<Kind> {
        let root = document.root();
        let has = |members: &[&str]| members.iter().any(|name| root.member(name).is_some());
        let called = |name: &str| path.file_name() == Some(OsStr::new(name));
        if has(&["fault", "seed"]) {
            Some(Kind::FaultScript)
        } else if has(&["endpoint"]) {
            Some(Kind::Endpoints)
        } else if has(&["catalog", "endpoints", "journal", "inventory"]) {
            Some(Kind::Project)
        } else if called("endpoints.toml") {
            Some(Kind::Endpoints)
        } else if called(project::FILE_NAME) {
            Some(Kind::Project)
        } else {
            None
        }
    }

    fn schema(self) -> &'static str {
        match self {
            Kind::Endpoints => "endpoints",
            Kind::Project => "project",
            Kind::FaultScript => "fault-script",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Endpoints => "endpoints file",
            Kind::Project => "project file",
            Kind::FaultScript => "fault script",
        }
    }

    /// What the reader of such files says, beyond the schema.
    fn faults(self, text: &str, path: &Path) -> Vec<Diagnostic> {
        let file = path.display().to_string();
        let at = |code: &'static str, line: usize, column: usize, message: String| {
            let location = Location {
                file: file.clone(),
                line: line as u64,
                column: column as u64,
                pointer: String::new(),
            };
            Diagnostic::new(Code(code), Severity::Error, location, message)
        };
        match self {
            Kind::Endpoints => match Endpoints::parse(text, path, &|_| Some(VARIABLE.to_owned())) {
                Err(DefinitionError::Faults { faults, .. }) => faults
                    .into_iter()
                    .map(|it: Fault| at("endpoints/definition", it.line, it.column, it.message))
                    .collect(),
                Ok(_) | Err(_) => Vec::new(),
            },
            Kind::FaultScript => match Script::parse(text, path) {
                Err(ScriptError::Faults { faults, .. }) => faults
                    .into_iter()
                    .map(|it: Fault| at("fault-script/definition", it.line, it.column, it.message))
                    .collect(),
                Ok(_) | Err(_) => Vec::new(),
            },
            Kind::Project => match Project::parse(text, path) {
                Ok(_) => Vec::new(),
                Err(error) => {
                    let (line, column) = place(&error);
                    // The place stands beside the message.
                    let said = error.to_string();
                    let prefix = format!("{file}:{line}:{column}: ");
                    let message = said.strip_prefix(&prefix).unwrap_or(&said).to_owned();
                    vec![at("project/definition", line, column, message)]
                }
            },
        }
    }
}

fn place(error: &ProjectError) -> (usize, usize) {
    match error {
        ProjectError::Syntax { place, .. }
        | ProjectError::UnknownKey { place, .. }
        | ProjectError::WrongValue { place, .. }
        | ProjectError::OtherVersion { place, .. } => (place.line, place.column),
        ProjectError::Read { .. } | ProjectError::NoVersion { .. } => (1, 1),
    }
}

/// The named files that hold streams, and the others.
pub fn divide(files: &[PathBuf]) -> (Vec<PathBuf>, Vec<PathBuf>) {
    files.iter().cloned().partition(|path| !is_configured(path))
}
