//! Catalogs at revisions of a git repository.

use std::fs;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use tempfile::tempdir;

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.net"])
        .args(arguments)
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

fn diff(folder: &Path, old: &str, new: &str) -> (Option<i32>, String, String) {
    let output = Command::new(cargo_bin("orderctl"))
        .current_dir(folder)
        .args(["catalog", "diff", "--exit-code", old, new])
        .output()
        .expect("orderctl runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_catalog_is_read_as_it_was_at_a_revision() {
    let folder = tempdir().expect("a folder");
    let here = folder.path();
    let catalog = here.join("shop/catalog/deep");
    fs::create_dir_all(&catalog).expect("a folder");
    let write = |text: &str| fs::write(catalog.join("offerings.yaml"), text).expect("a file");
    git(here, &["init", "--quiet", "--initial-branch=main"]);
    write("- {\"@type\": ProductOffering, id: PO, name: Home}\n");
    fs::write(catalog.join("notes.txt"), "no document").expect("a file");
    git(here, &["add", "."]);
    git(here, &["commit", "--quiet", "-m", "one"]);
    write("- {\"@type\": ProductOffering, id: PO, name: House}\n");
    git(here, &["commit", "--quiet", "-a", "-m", "two"]);
    write("- {\"@type\": ProductOffering, id: PO, name: Palace}\n");

    let (code, out, _) = diff(here, "HEAD~1:shop/catalog", "main:shop/catalog");
    assert_eq!(code, Some(1));
    assert_eq!(
        out,
        "~ ProductOffering PO (House)\n    name \"Home\" → \"House\"\n"
    );
    let (_, out, _) = diff(here, "HEAD:shop/catalog", "shop/catalog");
    assert!(out.contains("\"House\" → \"Palace\""), "{out}");
    let (code, _, err) = diff(here, "HEAD:nowhere", "shop/catalog");
    assert_eq!(code, Some(2));
    assert!(err.contains("revision `HEAD` has no `nowhere`"), "{err}");
    let (code, _, err) = diff(here, "origin/main:shop", "shop/catalog");
    assert_eq!(code, Some(2));
    assert!(
        err.contains("no revision `origin/main` here; in a shallow"),
        "{err}"
    );
    // From a folder below, a revision is still of the whole repository; and a file is one, too.
    let (_, out, _) = diff(
        &here.join("shop"),
        "HEAD:shop/catalog/deep/offerings.yaml",
        "catalog",
    );
    assert!(out.contains("\"House\" → \"Palace\""), "{out}");
    let (code, out, _) = diff(here, "HEAD:shop/catalog", "main:shop/catalog");
    assert_eq!((code, out.as_str()), (Some(0), ""));

    for wrong in [
        "HEAD:nowhere",
        "no-such:shop/catalog",
        "HEAD:shop/catalog/deep/notes.txt",
    ] {
        let (code, out, err) = diff(here, wrong, "shop/catalog");
        assert_eq!((code, out.as_str()), (Some(2), ""), "{wrong}: {err}");
        assert!(err.starts_with("error: "), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}
