//! The example of a catalog in CI: bad changes are caught, a good one passes, and what the
//! documentation shows is what there is.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use assert_cmd::cargo::cargo_bin;
use orderctl::document::yaml;
use tempfile::tempdir;

use crate::{path, stderr, stdout};

fn sh(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("sh")
        .current_dir(folder)
        .env("ORDERCTL", cargo_bin("orderctl"))
        .args(arguments)
        .output()
        .expect("sh runs")
}

#[test]
fn a_good_change_passes_and_bad_ones_are_caught() {
    let output = sh(&path("examples/ci"), &["demo.sh"]);
    let text = stdout(&output);
    assert!(output.status.success(), "{text}{}", stderr(&output));
    let ends: Vec<&str> = text
        .lines()
        .filter(|it| it.starts_with("-- ends with"))
        .collect();
    assert_eq!(
        ends,
        ["-- ends with 0", "-- ends with 1", "-- ends with 1"],
        "{text}"
    );
    assert!(
        text.contains("error[lint/mapping-range]: `speed` of `CFS-LINE` may be 1000"),
        "{text}"
    );
    assert!(
        text.contains("error[test/differs]: resource 1.CFS-LINE.RFS-LTE: no longer waits"),
        "{text}"
    );
    assert!(
        text.contains("### Impact: 3 orders: 3 can be affected, 1 different"),
        "{text}"
    );
}

#[test]
fn the_hook_refuses_a_commit_that_breaks_the_catalog_and_leaves_others_alone() {
    let folder = tempdir().expect("a folder");
    let shop = folder.path().join("shop");
    let output = sh(
        &path("examples/ci"),
        &["history.sh", shop.to_str().expect("a path")],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    fs::copy(
        shop.join("ci/pre-commit"),
        shop.join(".git/hooks/pre-commit"),
    )
    .expect("a copy");
    let commit = |file: &str, text: &str| {
        fs::write(shop.join(file), text).expect("a file");
        let commit = "git add . && git -c user.name=T -c user.email=t@example.net commit -q -m x";
        sh(&shop, &["-c", commit])
    };
    let catalog = fs::read_to_string(shop.join("catalog/home.yaml")).expect("a file");
    let broken = catalog.replace("condition: source.backup", "condition: source.speed > 500");
    let output = commit("catalog/home.yaml", &broken);
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("lint/always-false"),
        "{}",
        stderr(&output)
    );
    sh(&shop, &["-c", "git reset -q --hard"]);
    let output = commit("notes.txt", "not about the catalog");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "", "nothing was looked at");
}

#[test]
fn the_documentation_shows_the_files_as_they_are() {
    let page = fs::read_to_string(path("docs/ci.md")).expect("a page");
    for file in [
        "check.sh",
        "github-workflow.yaml",
        "gitlab-ci.yaml",
        "pre-commit",
        "pre-commit-config.yaml",
    ] {
        let text = fs::read_to_string(path("examples/ci").join(file)).expect("a file");
        assert!(
            page.contains(&text),
            "docs/ci.md does not show {file} as it is"
        );
        if file.contains(".yaml") {
            let documents = yaml::documents(&text, file).expect("YAML");
            assert_eq!(documents.len(), 1, "{file}");
        }
    }
    let workflow = fs::read_to_string(path("examples/ci/github-workflow.yaml")).expect("a file");
    let script = fs::read_to_string(path("examples/ci/check.sh")).expect("a file");
    for (named, written) in [
        ("reports/annotations.txt", "$reports/annotations.txt"),
        (
            "reports }       # lint.sarif, diff.sarif",
            "$reports/lint.sarif",
        ),
        ("lint.sarif, diff.sarif", "$reports/diff.sarif"),
        ("reports/comment.md", "$reports/comment.md"),
    ] {
        assert!(
            workflow.contains(named) && script.contains(written),
            "{written}"
        );
    }
}
