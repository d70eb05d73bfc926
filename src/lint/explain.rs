//! What a code means, in full: what is found, why it is bad, an example and how to mend it.

use std::fmt::Write as _;

use super::rules::RULES;
use crate::diagnostic::codes;

/// The explanation of a code for people; `None` for one that there is not.
#[must_use]
pub fn explain(code: &str) -> Option<String> {
    let described = codes::all().find(|it| it.code == code)?;
    let mut text = format!(
        "{code} ({})\n\n{}\n{}\n",
        described.severity.name(),
        described.meaning,
        described.advice
    );
    if let Some(rule) = RULES.iter().find(|it| it.code == code) {
        let _ = write!(text, "\nWhy it is bad\n\n{}\n", rule.why);
        let _ = write!(text, "\nAn example\n\n{}", indented(rule.example));
        let _ = write!(text, "\nMended\n\n{}", indented(rule.mended));
    }
    Some(text)
}

fn indented(text: &str) -> String {
    let lines = text.trim_matches('\n').lines();
    lines
        .map(|line| format!("    {line}\n").replace("    \n", "\n"))
        .collect()
}
