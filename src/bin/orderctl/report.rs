//! Reports: to standard output in place of documents, or to files beside them.
//! Any command can make one.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
use orderctl::diagnostic::Diagnostic;
use orderctl::diagnostic::format::Format;
use orderctl::diagnostic::report::{Report, RunFailure, Subject};

use crate::context::Context;
use crate::exit::Failure;

/// What is reported, and where to.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Write a report to standard output in place of what is written there otherwise; with `human`,
    /// findings are told on standard error
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        value_parser = format_parser()
    )]
    pub format: Format,
    /// Write a report to FILE as well and leave standard output as it is; may be repeated. The name
    /// tells the format by .json, .sarif, .xml (for junit), .md or .txt; else write it in front, as
    /// in `github:FILE`
    #[arg(long, value_name = "[FORMAT:]FILE")]
    pub report: Vec<Target>,
}

fn format_parser() -> impl clap::builder::TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|format| PossibleValue::new(format.name()).help(format.about()));
    PossibleValuesParser::new(values).map(|name| Format::by_name(&name).unwrap_or(Format::Human))
}

/// A file for a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub file: PathBuf,
    /// How it is written.
    pub format: Format,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        if let Some((name, file)) = text.split_once(':')
            && let Some(format) = Format::by_name(name)
            && !file.is_empty()
        {
            let file = PathBuf::from(file);
            return Ok(Target { file, format });
        }
        let file = PathBuf::from(text);
        let format = match file.extension() {
            // A name that says nothing, such as /dev/fd/3.
            None => Some(Format::Json),
            Some(extension) => extension.to_str().and_then(Format::by_extension),
        };
        format.map_or_else(
            || {
                Err(format!(
                    "the name does not tell the format; write it in front, as in `json:{text}`"
                ))
            },
            |format| Ok(Target { file, format }),
        )
    }
}

/// Collects what a report is made of, where one is wanted.
pub struct Reporting<'a> {
    args: &'a ReportArgs,
    report: Report,
    names_every_document: bool,
}

impl<'a> Reporting<'a> {
    /// Of a command; `None` where nobody wants a report.
    pub fn new(command: &'static str, args: &'a ReportArgs) -> Option<Reporting<'a>> {
        let formats = || {
            let files = args.report.iter().map(|target| target.format);
            files.chain([args.format])
        };
        let wanted = !args.report.is_empty() || args.format != Format::Human;
        wanted.then(|| Reporting {
            args,
            report: Report {
                command,
                ..Report::default()
            },
            names_every_document: formats().any(Format::names_every_document),
        })
    }

    /// Adds findings, those of `subject` if there is one.
    pub fn add(&mut self, subject: Option<Subject>, diagnostics: Vec<Diagnostic>) {
        let start = self.report.diagnostics.len();
        self.report.diagnostics.extend(diagnostics);
        let end = self.report.diagnostics.len();
        if let Some(mut subject) = subject
            && (self.names_every_document || end > start)
        {
            subject.diagnostics = start..end;
            self.report.subjects.push(subject);
        }
    }

    /// Adds an error of the run.
    pub fn fail(&mut self, failure: &Failure) {
        let location = failure.location();
        let lines = failure.lines().into_iter();
        self.report.failures.extend(lines.map(|message| RunFailure {
            message,
            location: location.clone(),
        }));
    }

    /// Counts documents that were looked at.
    pub fn count(&mut self, documents: u64) {
        self.report.documents += documents;
    }

    /// Writes the report wherever it is wanted; never over one of the inputs.
    pub fn write(self, context: &Context, inputs: &[PathBuf]) -> Result<(), Failure> {
        self.write_as(context, inputs, &|_| None)
    }

    /// As [`Reporting::write`], for a command that has something of its own to say in some formats.
    pub fn write_as(
        self,
        context: &Context,
        inputs: &[PathBuf],
        own: &dyn Fn(Format) -> Option<String>,
    ) -> Result<(), Failure> {
        let render = |format: Format| own(format).unwrap_or_else(|| format.render(&self.report));
        for Target { file, format } in &self.args.report {
            write_file(file, (*format, &render(*format)), context, inputs)?;
        }
        if self.args.format != Format::Human {
            let text = render(self.args.format);
            let mut stdout = context.stdout();
            let _closed_or_not = if self.args.format.is_json() {
                stdout.document(text.as_bytes())?
            } else {
                stdout.text(text.as_bytes())?
            };
            let _closed_or_not = stdout.flush()?;
        }
        Ok(())
    }
}

fn write_file(
    path: &Path,
    (format, text): (Format, &str),
    context: &Context,
    inputs: &[PathBuf],
) -> Result<(), Failure> {
    let Some(mut file) = context.file(Some(path), inputs)? else {
        return Ok(());
    };
    let _closed_or_not = if format.is_json() {
        file.document(text.as_bytes())?
    } else {
        file.text(text.as_bytes())?
    };
    let _closed_or_not = file.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_tells_the_format() {
        let target = |text: &str| text.parse::<Target>().map(|it| (it.format.name(), it.file));
        for (text, format, file) in [
            ("out/r.json", "json", "out/r.json"),
            ("r.sarif", "sarif", "r.sarif"),
            ("junit.xml", "junit", "junit.xml"),
            ("r.md", "markdown", "r.md"),
            ("r.txt", "human", "r.txt"),
            ("github:r.txt", "github", "r.txt"),
            ("sarif:r.json", "sarif", "r.json"),
            ("/dev/fd/3", "json", "/dev/fd/3"),
        ] {
            assert_eq!(target(text), Ok((format, PathBuf::from(file))), "{text}");
        }
        assert_eq!(
            target("r.html"),
            Err(
                "the name does not tell the format; write it in front, as in `json:r.html`"
                    .to_owned()
            )
        );
    }
}
