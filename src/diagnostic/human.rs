//! Diagnostics as text for people.
//!
//! Invariant: whatever the input held, no control character of it reaches the
//! text; the only escape sequences are our own colours.

use std::borrow::Cow;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::report::{Report, counted};
use super::tally::Tally;
use super::{Diagnostic, Location, Severity};

/// Longest text of one message, hint, file name or pointer, in characters; the
/// rest is cut off and counted, so that a value of megabytes does not flood
/// the terminal.
const LONGEST: usize = 1_000;

/// Whether the text carries colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Styling {
    /// Text alone.
    Plain,
    /// With ANSI escape sequences.
    Ansi,
}

impl Styling {
    /// `style`, or no style at all.
    #[must_use]
    pub fn style(self, style: Style) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Ansi => style,
        }
    }
}

/// One finding: severity, code and message, then its place, the related place
/// and the hint, a line each, every line ended.
#[must_use]
pub fn diagnostic(diagnostic: &Diagnostic, styling: Styling) -> String {
    let mut text = String::with_capacity(256);
    let label = styling.style(severity_style(diagnostic.severity));
    let strong = styling.style(Style::new().bold());
    let faint = styling.style(AnsiColor::Blue.on_default().bold());
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{label}{}[{}]{label:#}{strong}: {}{strong:#}",
        diagnostic.severity.name(),
        diagnostic.code,
        excerpt(&diagnostic.message),
    );
    let _ = writeln!(
        text,
        "  {faint}-->{faint:#} {}",
        place(&diagnostic.location)
    );
    if let Some(related) = &diagnostic.related {
        let _ = writeln!(text, "  {strong}related:{strong:#} {}", place(related));
    }
    if let Some(hint) = &diagnostic.hint {
        let _ = writeln!(text, "  {strong}hint:{strong:#} {}", excerpt(hint));
    }
    text
}

/// `order.json: 9 errors, 2 warnings`, without a line end; kinds that did not
/// occur are left out.
#[must_use]
pub fn summary(subject: &str, tally: Tally, styling: Styling) -> String {
    let counts: Vec<String> = tally
        .counts()
        .map(|(severity, count)| {
            let style = styling.style(severity_style(severity));
            format!("{style}{}{style:#}", counted(count, severity.name()))
        })
        .collect();
    let counts = match counts.as_slice() {
        [] => tally.text(),
        counts => counts.join(", "),
    };
    format!("{}: {counts}", excerpt(subject))
}

/// A report as plain text: every finding, what went wrong with the run, and the summary.
#[must_use]
pub fn report(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.diagnostics {
        text.push_str(&diagnostic(finding, Styling::Plain));
    }
    for fault in &report.failures {
        text.push_str(&failure(&fault.message, Styling::Plain));
        text.push('\n');
    }
    text.push_str(&report.summary());
    text.push('\n');
    text
}

/// The error of a run: `error: <message>`, without a line end.
#[must_use]
pub fn failure(message: &str, styling: Styling) -> String {
    let label = styling.style(severity_style(Severity::Error));
    format!("{label}error{label:#}: {}", excerpt(message))
}

/// `text` with everything escaped that could steer a terminal or hide text:
/// control characters, line ends, and marks that are invisible or turn the
/// reading direction. Written as in Rust: `\n`, `\u{1b}`.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_steering) else {
        return Cow::Borrowed(text);
    };
    let mut escaped = String::with_capacity(text.len() + 16);
    escaped.push_str(&text[..first]);
    for character in text[first..].chars() {
        match character {
            '\n' | '\r' | '\t' => escaped.extend(character.escape_default()),
            _ if is_steering(character) => escaped.extend(character.escape_unicode()),
            _ => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}' // zero width, direction marks
                | '\u{2028}'..='\u{202e}' // line separators, direction embedding
                | '\u{2060}'..='\u{2069}' // invisible operators, direction isolates
                | '\u{feff}'
        )
}

/// [`printable`], cut after 1,000 characters; how many more there are is said.
#[must_use]
pub fn excerpt(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return printable(text);
    }
    match text.char_indices().nth(LONGEST) {
        None => printable(text),
        Some((end, _)) => {
            let rest = text[end..].chars().count();
            Cow::Owned(format!(
                "{}… ({rest} more characters)",
                printable(&text[..end])
            ))
        }
    }
}

/// `file:line:column  pointer`; a line or column of 0 is not known and left
/// out, as is the pointer of the document itself.
#[must_use]
pub fn place(location: &Location) -> String {
    let mut text = excerpt(&location.file).into_owned();
    if location.line > 0 {
        let _ = write!(text, ":{}", location.line);
        if location.column > 0 {
            let _ = write!(text, ":{}", location.column);
        }
    }
    if !location.pointer.is_empty() {
        let _ = write!(text, "  {}", excerpt(&location.pointer));
    }
    text
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Cyan,
    }
    .on_default()
    .bold()
}

#[cfg(test)]
mod tests {
    use super::super::Code;
    use super::*;

    fn finding() -> Diagnostic {
        Diagnostic {
            code: Code("order/unknown-characteristic"),
            severity: Severity::Error,
            message: "characteristic `downloadSpeeed` is not one of Residential Broadband Access"
                .into(),
            location: Location {
                file: "order.json".into(),
                line: 41,
                column: 21,
                pointer: "/productOrderItem/0/product/productCharacteristic/3".into(),
            },
            hint: Some("did you mean `downloadSpeed`?".into()),
            related: None,
        }
    }

    #[test]
    fn a_finding_is_a_sentence_a_place_and_a_hint() {
        assert_eq!(
            diagnostic(&finding(), Styling::Plain),
            "\
error[order/unknown-characteristic]: characteristic `downloadSpeeed` is not one of Residential Broadband Access
  --> order.json:41:21  /productOrderItem/0/product/productCharacteristic/3
  hint: did you mean `downloadSpeed`?
"
        );
    }

    #[test]
    fn the_related_place_stands_below_the_place() {
        let finding = Diagnostic {
            code: Code("json/duplicate-key"),
            severity: Severity::Warning,
            message: "key `id` is given twice".into(),
            location: Location {
                file: "-".into(),
                line: 4,
                column: 3,
                pointer: String::new(),
            },
            hint: None,
            related: Some(Location {
                file: "-".into(),
                line: 2,
                column: 3,
                pointer: "/id".into(),
            }),
        };
        assert_eq!(
            diagnostic(&finding, Styling::Plain),
            "\
warning[json/duplicate-key]: key `id` is given twice
  --> -:4:3
  related: -:2:3  /id
"
        );
    }

    #[test]
    fn a_place_that_is_not_known_is_not_invented() {
        let mut finding = finding();
        finding.location = Location {
            file: "catalog".into(),
            line: 0,
            column: 0,
            pointer: String::new(),
        };
        finding.hint = None;
        assert!(diagnostic(&finding, Styling::Plain).ends_with("\n  --> catalog\n"));
    }

    #[test]
    fn colours_enclose_labels_and_nothing_is_left_open() {
        let mut finding = finding();
        finding.message = "m".into();
        finding.location = Location {
            file: "f".into(),
            line: 1,
            column: 2,
            pointer: String::new(),
        };
        finding.hint = Some("h".into());
        assert_eq!(
            diagnostic(&finding, Styling::Ansi),
            "\u{1b}[1m\u{1b}[31merror[order/unknown-characteristic]\u{1b}[0m\u{1b}[1m: m\u{1b}[0m\n  \
             \u{1b}[1m\u{1b}[34m-->\u{1b}[0m f:1:2\n  \u{1b}[1mhint:\u{1b}[0m h\n"
        );
    }

    #[test]
    fn hostile_values_cannot_write_terminal_escapes_or_lines() {
        let mut finding = finding();
        finding.message = "name is `\u{1b}]0;owned\u{7}\u{9b}2J\r\nerror: fake\u{202e}`".into();
        finding.location.file = "a\u{1b}[2Jb.json".into();
        finding.location.pointer = "/\u{0}\u{7f}".into();
        finding.hint = Some("did you mean `\u{200b}\t`?".into());
        assert_eq!(
            diagnostic(&finding, Styling::Plain),
            "error[order/unknown-characteristic]: \
             name is `\\u{1b}]0;owned\\u{7}\\u{9b}2J\\r\\nerror: fake\\u{202e}`\n  \
             --> a\\u{1b}[2Jb.json:41:21  /\\u{0}\\u{7f}\n  \
             hint: did you mean `\\u{200b}\\t`?\n"
        );
    }

    #[test]
    fn letters_of_all_languages_stay_as_they_are() {
        assert_eq!(
            printable("Ulaş — 42 Fibre Lane, 東京 🏠"),
            "Ulaş — 42 Fibre Lane, 東京 🏠"
        );
    }

    #[test]
    fn a_value_of_megabytes_is_cut_between_characters() {
        let mut finding = finding();
        finding.message = "é".repeat(5_000_000);
        let text = diagnostic(&finding, Styling::Plain);
        let first = text.lines().next().expect("a finding has lines");
        assert!(first.ends_with("é… (4999000 more characters)"));
        assert!(first.chars().count() < 1_100);
    }

    #[test]
    fn the_summary_counts_what_occurred() {
        let tally = Tally {
            errors: 9,
            warnings: 2,
            notes: 0,
        };
        assert_eq!(
            summary("order.json", tally, Styling::Plain),
            "order.json: 9 errors, 2 warnings"
        );
        let tally = Tally {
            errors: 1,
            warnings: 0,
            notes: 1,
        };
        assert_eq!(summary("-", tally, Styling::Plain), "-: 1 error, 1 note");
        assert_eq!(
            summary("-", Tally::default(), Styling::Plain),
            "-: nothing found"
        );
        let tally = Tally {
            errors: 0,
            warnings: 2,
            notes: 0,
        };
        assert_eq!(
            summary("f", tally, Styling::Ansi),
            "f: \u{1b}[1m\u{1b}[33m2 warnings\u{1b}[0m"
        );
    }

    #[test]
    fn a_failure_is_one_line() {
        assert_eq!(
            failure("cannot read a\nb: No such file", Styling::Plain),
            "error: cannot read a\\nb: No such file"
        );
    }
}
