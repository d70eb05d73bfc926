//! What the commands about catalogs have in common: how findings are told and reported, and how
//! catalogs are read.

use std::path::{Path, PathBuf};

use orderctl::catalog::{self, Catalog, Loaded};
use orderctl::diagnostic::report::{Subject, counted};
use orderctl::diagnostic::tally::Tally;
use orderctl::diagnostic::{Diagnostic, Severity, format::Format, has_errors, human};
use orderctl::document::Document;
use orderctl::validate;

use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::report::{ReportArgs, Reporting};

/// The documents of a catalog, and what came of loading them.
pub struct Read {
    /// All documents.
    pub documents: Vec<Document>,
    /// The catalog, if it may be used, and what was found.
    pub loaded: Loaded,
}

/// Reads a catalog folder.
pub fn read(folder: &Path) -> Result<Read, Failure> {
    let files = catalog::read_folder(folder)?;
    let documents = catalog::parse(&files).map_err(Failure::CatalogSyntax)?;
    let loaded = catalog::load_documents(&documents);
    Ok(Read { documents, loaded })
}

/// The catalog that a setting names.
pub fn named(folder: Option<PathBuf>) -> Result<PathBuf, Failure> {
    folder.ok_or(Failure::NotNamed {
        what: "catalog",
        flag: "--catalog DIR",
        variable: "ORDERCTL_CATALOG",
    })
}

/// Loads a catalog that has to be sound for what is asked of it; if it is not, its findings are
/// told.
pub fn sound(folder: &Path, judging: &mut Judging<'_>) -> Result<Option<Catalog>, Failure> {
    let Read { loaded, .. } = read(folder)?;
    if loaded.catalog.is_none() {
        judging.count(loaded.documents as u64);
        judging.add(None, loaded.diagnostics);
    }
    Ok(loaded.catalog)
}

/// What a command has to say beyond findings.
pub struct Told<'t> {
    /// Number of documents that were looked at.
    pub documents: u64,
    /// The same as findings, for the formats that know nothing else; an error makes the exit code 1.
    pub findings: Vec<Diagnostic>,
    /// One line.
    pub summary: String,
    /// All of it, in the formats that there are for that.
    pub own: &'t dyn Fn(Format) -> Option<String>,
}

/// Takes findings that make the exit code 1 for errors.
pub fn as_errors(findings: &mut [Diagnostic], counts: impl Fn(&Diagnostic) -> bool) {
    for finding in findings.iter_mut().filter(|it| counts(it)) {
        finding.severity = Severity::Error;
    }
}

/// Findings on their way to people and reports.
pub struct Judging<'a> {
    context: &'a Context,
    reporting: Option<Reporting<'a>>,
    shows: bool,
    strict: bool,
    /// The command, as reports name it.
    command: &'static str,
    tally: Tally,
    documents: u64,
}

impl<'a> Judging<'a> {
    /// Nothing is found yet.
    pub fn new(command: &'static str, args: &'a ReportArgs, context: &'a Context) -> Self {
        Judging {
            context,
            reporting: Reporting::new(command, args),
            shows: args.format == Format::Human,
            strict: false,
            command,
            tally: Tally::default(),
            documents: 0,
        }
    }

    /// Takes warnings as errors, if that is wanted.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Counts documents that were looked at.
    pub fn count(&mut self, documents: u64) {
        self.documents += documents;
        if let Some(reporting) = &mut self.reporting {
            reporting.count(documents);
        }
    }

    /// Tells and reports findings.
    pub fn add(&mut self, subject: Option<Subject>, mut diagnostics: Vec<Diagnostic>) {
        if self.strict {
            validate::take_warnings_as_errors(&mut diagnostics);
        }
        for diagnostic in &diagnostics {
            self.tally.add(diagnostic.severity);
            if self.shows {
                self.context.show(diagnostic);
            }
        }
        if let Some(reporting) = &mut self.reporting {
            reporting.add(subject, diagnostics);
        }
    }

    /// Ends a command that has more to say than findings: writes that, and reports, and the summary.
    pub fn tell(mut self, told: Told<'_>) -> Result<ExitCode, Failure> {
        let accepted = !has_errors(&told.findings);
        if let Some(mut reporting) = self.reporting.take() {
            reporting.count(told.documents);
            reporting.add(None, told.findings);
            reporting.write_as(self.context, &[], told.own)?;
        }
        if self.shows
            && let Some(text) = (told.own)(Format::Human)
        {
            self.context.write_text(text.as_bytes())?;
        }
        self.context
            .say(&format!("{}: {}", self.command, told.summary));
        Ok(if accepted {
            ExitCode::Done
        } else {
            ExitCode::NotAcceptable
        })
    }

    /// Writes reports and the summary line; the exit code, however the run ended.
    pub fn end(
        mut self,
        ended: Result<(), Failure>,
        inputs: &[PathBuf],
    ) -> Result<ExitCode, Failure> {
        if let (Some(reporting), Err(failure)) = (&mut self.reporting, &ended) {
            reporting.fail(failure);
        }
        let written = match self.reporting.take() {
            Some(reporting) => reporting.write(self.context, inputs),
            None => Ok(()),
        };
        if self.shows && ended.is_ok() {
            let subject = format!("{}: {}", self.command, counted(self.documents, "document"));
            self.context
                .say(&human::summary(&subject, self.tally, self.context.styling));
        }
        ended?;
        written?;
        Ok(if self.tally.is_valid() {
            ExitCode::Done
        } else {
            ExitCode::NotAcceptable
        })
    }
}
