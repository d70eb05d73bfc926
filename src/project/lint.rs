//! The table `lint` of the project file: levels of codes, and exceptions with their reasons.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ProjectError, place, type_name};
use crate::diagnostic::{Location, codes, suggestion};
use crate::lint::{Exception, Level, Settings};

/// Where a value stands in which file.
#[derive(Clone, Copy)]
pub(super) struct Source<'t> {
    /// The whole text.
    pub(super) text: &'t str,
    /// The project file.
    pub(super) path: &'t Path,
}

impl Source<'_> {
    fn unknown(self, key: &Spanned<std::borrow::Cow<'_, str>>, known: &[&str]) -> ProjectError {
        let name = key.get_ref().to_string();
        let advice = match suggestion::closest(&name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known keys are {}", known.join(", ")),
        };
        ProjectError::UnknownKey {
            place: place(self.text, key.span().start, self.path),
            key: name,
            advice,
        }
    }

    fn wrong(
        self,
        offset: usize,
        (key, expected): (&'static str, &'static str),
        found: String,
    ) -> ProjectError {
        ProjectError::WrongValue {
            place: place(self.text, offset, self.path),
            key,
            expected,
            found,
        }
    }

    fn table<'v, 'i>(
        self,
        key: &'static str,
        value: &'v Spanned<DeValue<'i>>,
    ) -> Result<&'v DeTable<'i>, ProjectError> {
        value.get_ref().as_table().ok_or_else(|| {
            let found = type_name(value.get_ref()).to_owned();
            self.wrong(value.span().start, (key, "a table"), found)
        })
    }

    fn text(
        self,
        (key, expected): (&'static str, &'static str),
        value: &Spanned<DeValue<'_>>,
    ) -> Result<String, ProjectError> {
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
            Some(_) => {
                Err(self.wrong(value.span().start, (key, expected), "empty text".to_owned()))
            }
            None => {
                let found = type_name(value.get_ref()).to_owned();
                Err(self.wrong(value.span().start, (key, expected), found))
            }
        }
    }

    /// A code that there is.
    fn code(self, offset: usize, code: &str) -> Result<(), ProjectError> {
        if codes::all().any(|it| it.code == code) {
            return Ok(());
        }
        let known = codes::all().map(|it| it.code);
        let near = suggestion::closest(code, known);
        let near = near.map_or(String::new(), |it| format!(" (did you mean `{it}`?)"));
        Err(self.wrong(
            offset,
            ("code", "a code of lint"),
            format!("`{code}`{near}"),
        ))
    }
}

/// Reads the table.
pub(super) fn read(
    value: &Spanned<DeValue<'_>>,
    source: Source<'_>,
) -> Result<Settings, ProjectError> {
    let mut settings = Settings::default();
    for (key, value) in source.table("lint", value)? {
        match key.get_ref().as_ref() {
            "levels" => {
                for (code, level) in source.table("levels", value)? {
                    source.code(code.span().start, code.get_ref())?;
                    let expected = ("levels", "off, note, warning or error");
                    let name = source.text(expected, level)?;
                    let level = Level::by_name(&name).ok_or_else(|| {
                        source.wrong(level.span().start, expected, format!("`{name}`"))
                    })?;
                    settings.levels.push((code.get_ref().to_string(), level));
                }
            }
            "exceptions" => {
                let list = value.get_ref().as_array().ok_or_else(|| {
                    let found = type_name(value.get_ref()).to_owned();
                    source.wrong(
                        value.span().start,
                        ("exceptions", "a list of tables"),
                        found,
                    )
                })?;
                for value in list {
                    settings.exceptions.push(exception(value, source)?);
                }
            }
            _ => return Err(source.unknown(key, &["levels", "exceptions"])),
        }
    }
    settings.levels.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(settings)
}

fn exception(value: &Spanned<DeValue<'_>>, source: Source<'_>) -> Result<Exception, ProjectError> {
    let start = value.span().start;
    let (mut code, mut document, mut reason) = (None, None, None);
    for (key, value) in source.table("exceptions", value)? {
        match key.get_ref().as_ref() {
            "code" => {
                let text = source.text(("code", "a code of lint"), value)?;
                source.code(value.span().start, &text)?;
                code = Some(text);
            }
            "document" => {
                document = Some(source.text(("document", "the id of a document"), value)?);
            }
            "reason" => reason = Some(source.text(("reason", "a text that says why"), value)?),
            _ => return Err(source.unknown(key, &["code", "document", "reason"])),
        }
    }
    let missing = |key, expected| source.wrong(start, (key, expected), "nothing".to_owned());
    let at = place(source.text, start, source.path);
    Ok(Exception {
        code: code.ok_or_else(|| missing("code", "a code of lint"))?,
        document,
        reason: reason.ok_or_else(|| missing("reason", "a text that says why"))?,
        location: Location {
            file: source.path.display().to_string(),
            line: at.line as u64,
            column: at.column as u64,
            pointer: String::new(),
        },
    })
}
