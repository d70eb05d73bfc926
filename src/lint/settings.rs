//! What a project wants of lint: levels of codes, and exceptions with their reasons.

use crate::diagnostic::{Code, Diagnostic, Location, Severity};

/// How much a code matters to a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Not reported.
    Off,
    /// Reported with this severity.
    As(Severity),
}

impl Level {
    /// The level of this name: `off`, `note`, `warning`, `error`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Level> {
        Some(match name {
            "off" => Level::Off,
            "note" => Level::As(Severity::Note),
            "warning" => Level::As(Severity::Warning),
            "error" => Level::As(Severity::Error),
            _ => return None,
        })
    }
}

/// A finding that is meant to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Its code.
    pub code: String,
    /// Id of the document that it is about; any, if there is none.
    pub document: Option<String>,
    /// Why it is meant to be.
    pub reason: String,
    /// Where the exception stands.
    pub location: Location,
}

/// What a project wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Levels by code, beside those of the table of codes.
    pub levels: Vec<(String, Level)>,
    /// What is not reported.
    pub exceptions: Vec<Exception>,
}

impl Settings {
    /// The findings as they are reported; an exception that excepts nothing is one, too.
    pub(super) fn applied(
        &self,
        findings: Vec<Diagnostic>,
        document: &dyn Fn(&Location) -> Option<String>,
    ) -> Vec<Diagnostic> {
        let mut used = vec![false; self.exceptions.len()];
        let mut kept = Vec::new();
        for mut finding in findings {
            let excepted = self.exceptions.iter().position(|it| {
                it.code == finding.code.0
                    && (it.document.is_none() || it.document == document(&finding.location))
            });
            if let Some(position) = excepted {
                used[position] = true;
                continue;
            }
            match self.level(finding.code) {
                Some(Level::Off) => continue,
                Some(Level::As(severity)) => finding.severity = severity,
                None => {}
            }
            kept.push(finding);
        }
        for (exception, _) in self
            .exceptions
            .iter()
            .zip(&used)
            .filter(|(_, used)| !**used)
        {
            kept.push(unused(exception));
        }
        kept
    }

    fn level(&self, code: Code) -> Option<Level> {
        let mut levels = self.levels.iter();
        levels
            .find(|(name, _)| *name == code.0)
            .map(|(_, level)| *level)
    }
}

fn unused(exception: &Exception) -> Diagnostic {
    let of = exception
        .document
        .as_ref()
        .map_or(String::new(), |id| format!(" of `{id}`"));
    let message = format!("the exception for {}{of} excepts nothing", exception.code);
    Diagnostic::new(
        Code("lint/unused-exception"),
        Severity::Warning,
        exception.location.clone(),
        message,
    )
    .with_hint("remove it; what it was for has been mended")
}
