//! Every diagnostic code that the sources can report is described in one table
//! (`src/diagnostic/codes`), listed in docs/codes.md, and stands in what some
//! case expects on standard error, or in a report; errors make that case fail.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use orderctl::diagnostic::codes;
use regex::Regex;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The codes that a pattern finds, its first group, in the files that `wanted` wants.
fn found(folder: &str, pattern: &str, wanted: impl Fn(&Path) -> bool) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).expect("a pattern");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = BTreeSet::new();
    for path in files(&folder).iter().filter(|path| wanted(path)) {
        let text = std::fs::read_to_string(path).expect("a file of text");
        found.extend(pattern.captures_iter(&text).map(|code| code[1].to_owned()));
    }
    found
}

/// The codes that the sources report: all texts of the areas that are described, and whatever is
/// given to something that reports.
fn known() -> BTreeSet<String> {
    let areas = codes::AREAS
        .iter()
        .map(|area| area[0].code.split('/').next());
    let areas: Vec<&str> = areas.map(|it| it.expect("an area")).collect();
    // The codes in `diagnostic` are descriptions, and examples of its unit tests.
    let source = |path: &Path| {
        path.extension().is_some_and(|end| end == "rs")
            && !path.ends_with("tests.rs")
            && !path
                .components()
                .any(|part| part.as_os_str() == "diagnostic")
    };
    let of_areas = format!("\"((?:{})/[a-z0-9-]+)\"", areas.join("|"));
    let mut known = found("src", &of_areas, source);
    let reports = "(?:Code|error|warning|note|report|finding|fault|of_rule|add|add_at)";
    let reported = format!("\\b{reports}\\(\\s*\"([a-z-]+/[a-z0-9-]+)\"");
    known.extend(found("src", &reported, source));
    assert!(known.len() > 50, "{known:?}");
    known
}

#[test]
fn every_code_has_a_case_in_which_it_is_reported() {
    let known = known();
    let expected = |path: &Path| path.file_name().is_some_and(|name| name == "stderr");
    let mut reported = found(
        "tests/cases",
        r"(?m)^(?:error|warning|note)\[([a-z0-9/-]+)\]: ",
        expected,
    );
    // Some are told in reports only.
    let expected = |path: &Path| path.file_name().is_some_and(|name| name == "stdout");
    reported.extend(found(
        "tests/cases",
        r"(?m)^::(?:error|warning|notice) .*title=([a-z-]+/[a-z0-9-]+)::",
        expected,
    ));
    let missing: Vec<&String> = known.difference(&reported).collect();
    assert!(missing.is_empty(), "codes without a case: {missing:?}");
    let strange: Vec<&String> = reported.difference(&known).collect();
    assert!(
        strange.is_empty(),
        "cases expect codes that no source has: {strange:?}"
    );
}

#[test]
fn every_error_has_a_case_that_it_makes_fail() {
    let failing = |path: &Path| {
        let status = std::fs::read_to_string(path.with_file_name("status"));
        let status = status.unwrap_or_default();
        path.file_name().is_some_and(|name| name == "stderr") && !["", "0"].contains(&status.trim())
    };
    let failing = found("tests/cases", r"(?m)^error\[([a-z0-9/-]+)\]: ", failing);
    let errors = codes::all().filter(|it| it.severity.name() == "error");
    let passing: Vec<&str> = errors
        .map(|it| it.code)
        .filter(|it| !failing.contains(*it))
        .collect();
    assert!(
        passing.is_empty(),
        "errors that no case fails by: {passing:?}"
    );
}

#[test]
fn every_code_is_described_and_nothing_else_is() {
    let known = known();
    let described: BTreeSet<String> = codes::all().map(|it| it.code.to_owned()).collect();
    let missing: Vec<&String> = known.difference(&described).collect();
    assert!(
        missing.is_empty(),
        "describe these codes in src/diagnostic/codes: {missing:?}"
    );
    let strange: Vec<&String> = described.difference(&known).collect();
    assert!(
        strange.is_empty(),
        "no source has these codes that src/diagnostic/codes describes: {strange:?}"
    );
}

#[test]
fn findings_have_the_severity_that_their_description_states() {
    let reported = Regex::new(r"(?m)^(error|warning|note)\[([a-z0-9/-]+)\]: ").expect("a pattern");
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")) {
        let args = std::fs::read_to_string(path.with_file_name("args")).unwrap_or_default();
        if path.file_name().is_none_or(|name| name != "stderr") || args.contains("--strict") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file of text");
        for finding in reported.captures_iter(&text) {
            let stated = codes::all().find(|it| it.code == &finding[2]);
            let stated = stated.map(|it| it.severity.name());
            assert_eq!(
                stated,
                Some(&finding[1]),
                "{}: {}",
                path.display(),
                &finding[0]
            );
        }
    }
}

#[test]
fn the_documentation_lists_every_code() {
    let mut text = String::from(
        "# Diagnostic codes\n\n\
         Every finding has a code that stays the same: its area, and what is wrong. With `--strict` warnings are errors.\n",
    );
    for area in codes::AREAS {
        let name = area[0].code.split('/').next().expect("an area");
        let _ = write!(
            text,
            "\n## {name}\n\n| code | severity | what is wrong | what to do |\n|---|---|---|---|\n"
        );
        for it in *area {
            let cell = |sentence: &str| sentence.replace('|', "\\|");
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                it.code,
                it.severity.name(),
                cell(it.meaning),
                cell(it.advice)
            );
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, text).expect("a writable page");
    } else {
        let page = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(page, text, "BLESS=1 rewrites docs/codes.md");
    }
}

#[test]
fn rules_declare_the_codes_that_they_report() {
    let declared: BTreeSet<String> = orderctl::validate::rules::RULES
        .iter()
        .flat_map(|rule| rule.codes.iter().map(ToString::to_string))
        .collect();
    let rules = |path: &Path| path.file_name().is_some_and(|name| name != "mod.rs");
    let reported = found(
        "src/validate/rules",
        r#"(?:error|warning)\(\s*"(order/[a-z0-9-]+)""#,
        rules,
    );
    let undeclared: Vec<&String> = reported.difference(&declared).collect();
    assert!(undeclared.is_empty(), "{undeclared:?}");
}
