//! `orderctl catalog` on the example catalog and its orders.

mod ci;
mod coverage;
mod expectations;
mod faults;
mod impact;
mod mutant;
mod revisions;

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;

/// A path from the top of the repository.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Runs `orderctl` at the top of the repository.
fn orderctl(arguments: &[&str]) -> Output {
    Command::new(cargo_bin("orderctl"))
        .current_dir(path("."))
        .env_clear()
        .args(arguments)
        .output()
        .expect("orderctl runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}
