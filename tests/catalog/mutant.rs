//! Copies of the example catalog in which something is different.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::path;

/// A copy of the example catalog.
pub struct Mutant {
    folder: TempDir,
}

impl Mutant {
    /// A copy, as it stands.
    pub fn new() -> Mutant {
        let folder = tempfile::tempdir().expect("a folder");
        copy(&path("examples/catalog"), folder.path());
        Mutant { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &str {
        self.folder.path().to_str().expect("a path")
    }

    /// A file of it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces a text, which has to be there, at its first place behind another one.
    pub fn replace(&self, file: &str, behind: &str, (from, to): (&str, &str)) {
        let path = self.file(file);
        let text = fs::read_to_string(&path).expect("a file");
        let start = text
            .find(behind)
            .unwrap_or_else(|| panic!("{file} has no {behind}"));
        let place = text[start..]
            .find(from)
            .unwrap_or_else(|| panic!("{file} has no {from} behind {behind}"));
        let place = start + place;
        let changed = format!("{}{to}{}", &text[..place], &text[place + from.len()..]);
        fs::write(path, changed).expect("a file");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
