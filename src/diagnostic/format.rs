//! The formats of reports, one renderer each.

use super::report::Report;
use super::{github, human, json, junit, markdown, sarif};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text for people.
    Human,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// `JUnit` XML, for the test report of a CI system.
    Junit,
    /// Workflow commands that GitHub shows as annotations.
    Github,
    /// Markdown for a comment on a pull request.
    Markdown,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 6] = [
        Self::Human,
        Self::Json,
        Self::Sarif,
        Self::Junit,
        Self::Github,
        Self::Markdown,
    ];

    /// Name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Github => "github",
            Self::Markdown => "markdown",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Human => "Text",
            Self::Json => "One JSON object",
            Self::Sarif => "SARIF 2.1.0, for code scanning",
            Self::Junit => "JUnit XML, for test reports",
            Self::Github => "Annotations of a GitHub workflow",
            Self::Markdown => "A comment on a pull request",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Format> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The format of files whose names end like this, without the dot.
    #[must_use]
    pub fn by_extension(extension: &str) -> Option<Format> {
        Some(match extension {
            "txt" => Self::Human,
            "json" => Self::Json,
            "sarif" => Self::Sarif,
            "xml" => Self::Junit,
            "md" => Self::Markdown,
            _ => return None,
        })
    }

    /// Whether it is JSON, which may be indented.
    #[must_use]
    pub fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Sarif)
    }

    /// Whether it lists documents in which nothing was found.
    #[must_use]
    pub fn names_every_document(self) -> bool {
        self == Self::Junit
    }

    /// The report as text: JSON compact and without a line end, every other one with its line ends.
    #[must_use]
    pub fn render(self, report: &Report) -> String {
        match self {
            Self::Human => human::report(report),
            Self::Json => json::report(report),
            Self::Sarif => sarif::report(report),
            Self::Junit => junit::report(report),
            Self::Github => github::report(report),
            Self::Markdown => markdown::report(report),
        }
    }
}
