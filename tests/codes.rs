//! Every diagnostic code that the sources can report stands in what some case
//! expects on standard error.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
fn codes(folder: &str, pattern: &str, wanted: impl Fn(&Path) -> bool) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).expect("a pattern");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = BTreeSet::new();
    for path in files(&folder).iter().filter(|path| wanted(path)) {
        let text = std::fs::read_to_string(path).expect("a file of text");
        found.extend(pattern.captures_iter(&text).map(|code| code[1].to_owned()));
    }
    found
}

const FAMILIES: &str = "schema|order|catalog|rule|inventory|decompose|plan";

#[test]
fn every_code_has_a_case_in_which_it_is_reported() {
    // The codes in `diagnostic` are examples of its unit tests.
    let source = |path: &Path| {
        path.extension().is_some_and(|end| end == "rs")
            && !path.ends_with("tests.rs")
            && path
                .parent()
                .is_none_or(|folder| !folder.ends_with("diagnostic"))
    };
    let known = codes("src", &format!("\"((?:{FAMILIES})/[a-z0-9-]+)\""), source);
    assert!(known.len() > 50, "{known:?}");
    let expected = |path: &Path| path.file_name().is_some_and(|name| name == "stderr");
    let reported = codes(
        "tests/cases",
        r"(?m)^(?:error|warning|note)\[([a-z0-9/-]+)\]: ",
        expected,
    );
    let missing: Vec<&String> = known.difference(&reported).collect();
    assert!(missing.is_empty(), "codes without a case: {missing:?}");
    let strange: Vec<&String> = reported.difference(&known).collect();
    assert!(
        strange.is_empty(),
        "cases expect codes that no source has: {strange:?}"
    );
}

#[test]
fn rules_declare_the_codes_that_they_report() {
    let declared: BTreeSet<String> = orderctl::validate::rules::RULES
        .iter()
        .flat_map(|rule| rule.codes.iter().map(ToString::to_string))
        .collect();
    let rules = |path: &Path| path.file_name().is_some_and(|name| name != "mod.rs");
    let reported = codes(
        "src/validate/rules",
        r#"(?:error|warning)\(\s*"(order/[a-z0-9-]+)""#,
        rules,
    );
    let undeclared: Vec<&String> = reported.difference(&declared).collect();
    assert!(undeclared.is_empty(), "{undeclared:?}");
}
