//! What comes of the orders of the example catalog is what is expected of them.

use std::fs;

use orderctl::document::Selection;
use orderctl::schemas;

use tempfile::tempdir;

use crate::{orderctl, path, stderr};

#[test]
fn the_orders_of_the_example_catalog_come_out_as_expected() {
    let output = orderctl(&[
        "catalog",
        "test",
        "examples/catalog-tests",
        "--catalog",
        "examples/catalog",
    ]);
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn what_is_written_is_what_is_expected_afterwards_and_only_of_the_orders_that_were_wanted() {
    let folder = tempdir().expect("a folder");
    for name in ["home.json", "fault.json"] {
        let from = path("tests/cases/catalog/test-says-what-differs/orders").join(name);
        fs::copy(from, folder.path().join(name)).expect("a copy");
    }
    let orders = folder.path().to_str().expect("a path");
    let catalog = "tests/cases/catalog/test-says-what-differs/catalog.yaml";
    let test = |more: &[&str]| {
        let arguments = ["catalog", "test", orders, "--catalog", catalog];
        orderctl(&[&arguments[..], more].concat())
    };
    let output = test(&["--update", "--filter", "home.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(folder.path().join("home.expected.json").exists());
    assert!(!folder.path().join("fault.expected.json").exists());
    assert_eq!(test(&["--filter", "ORD-1"]).status.code(), Some(0));
    let output = test(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("test/no-expectation"),
        "{}",
        stderr(&output)
    );
    test(&["--update"]);
    let written = fs::read_to_string(folder.path().join("fault.expected.json")).expect("a file");
    assert_eq!(test(&[]).status.code(), Some(0));
    let again = test(&["--update"]);
    assert!(
        stderr(&again).starts_with("catalog test: 0 files"),
        "{}",
        stderr(&again)
    );
    let after = fs::read_to_string(folder.path().join("fault.expected.json")).expect("a file");
    assert_eq!(written, after);
}

#[test]
fn expectations_are_valid_against_their_schema() {
    let files = Selection {
        what: "expectations",
        extensions: &["json"],
    };
    let mut looked_at = 0;
    for file in files.read(&path("examples/catalog-tests")).expect("files") {
        if !file.name.ends_with(".expected.json") {
            continue;
        }
        for document in file.json_documents().expect("documents") {
            looked_at += 1;
            let found = schemas::check_as("expected-outcome", document.root());
            assert!(found.is_empty(), "{}: {found:?}", file.name);
        }
    }
    assert!(looked_at > 15, "{looked_at}");
}

#[test]
fn what_is_different_is_valid_against_its_schema() {
    let written = "tests/cases/catalog/diff-as-json/stdout";
    let bytes = fs::read(path(written)).expect("a file");
    let text = String::from_utf8(bytes).expect("text");
    let document = orderctl::document::Document::parse(text, written).expect("JSON");
    let found = schemas::check_as("catalog-difference", document.root());
    assert!(found.is_empty(), "{found:?}");
}
