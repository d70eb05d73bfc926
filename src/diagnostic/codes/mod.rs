//! What every diagnostic code means: one table, an area a file.
//!
//! Reports describe codes from it, the documentation lists it, and a test
//! demands that it has every code of the sources and no other.

mod catalog;
mod change;
mod configuration;
mod decompose;
mod inventory;
mod lint;
mod order;
mod plan;
mod rule;
mod schema;
mod standard;
mod test;

use super::{Code, Severity};

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// The code: area and name.
    pub code: &'static str,
    /// Severity, unless warnings are taken as errors.
    pub severity: Severity,
    /// What is wrong, one sentence.
    pub meaning: &'static str,
    /// What to do about it, one sentence.
    pub advice: &'static str,
}

/// Descriptions of all codes: areas from the document inwards, sorted by code within each.
pub static AREAS: &[&[Description]] = &[
    schema::CODES,
    standard::CODES,
    order::CODES,
    catalog::CODES,
    rule::CODES,
    lint::CODES,
    inventory::CODES,
    decompose::CODES,
    plan::CODES,
    test::CODES,
    change::DIFF,
    change::IMPACT,
    change::COVERAGE,
    configuration::ENDPOINTS,
    configuration::PROJECT,
    configuration::FAULT_SCRIPT,
];

/// Descriptions of all codes, in the order of [`AREAS`].
pub fn all() -> impl Iterator<Item = &'static Description> {
    AREAS.iter().copied().flatten()
}

/// Description of a code; `None` for one that the table does not have.
#[must_use]
pub fn find(code: Code) -> Option<&'static Description> {
    all().find(|description| description.code == code.0)
}

const fn error(code: &'static str, meaning: &'static str, advice: &'static str) -> Description {
    Description {
        code,
        severity: Severity::Error,
        meaning,
        advice,
    }
}

const fn warning(code: &'static str, meaning: &'static str, advice: &'static str) -> Description {
    Description {
        code,
        severity: Severity::Warning,
        meaning,
        advice,
    }
}

const fn note(code: &'static str, meaning: &'static str, advice: &'static str) -> Description {
    Description {
        code,
        severity: Severity::Note,
        meaning,
        advice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_within_their_area_and_none_stands_twice() {
        for area in AREAS {
            assert!(area.is_sorted_by(|a, b| a.code < b.code), "{area:?}");
            let first = area[0].code.split('/').next();
            assert!(area.iter().all(|it| it.code.split('/').next() == first));
        }
    }

    #[test]
    fn meaning_and_advice_are_whole_sentences() {
        for it in all() {
            for sentence in [it.meaning, it.advice] {
                assert!(sentence.ends_with('.'), "{}: {sentence}", it.code);
                assert!(sentence.starts_with(char::is_uppercase), "{}", it.code);
            }
        }
    }
}
