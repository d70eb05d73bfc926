//! Every example runs to its end.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;

#[test]
fn the_broadband_example_ends_with_every_item_completed() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/broadband-b2c");
    let output = Command::new("sh")
        .arg("run.sh")
        .current_dir(&example)
        .env("ORDERCTL", cargo_bin("orderctl"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    let table = String::from_utf8(output.stdout).unwrap();
    let tree = table.split("Kind / endpoint").nth(1).unwrap();
    let states = |kinds: &[&str]| {
        let rows = tree
            .lines()
            .filter(|row| kinds.iter().any(|kind| row.contains(kind)));
        let states: Vec<&str> = rows
            .map(|row| row.split_whitespace().last().unwrap())
            .collect();
        (
            states.len(),
            states.iter().all(|state| *state == "completed"),
        )
    };
    assert_eq!(states(&[" ProductOrder "]), (1, true), "{table}");
    assert_eq!(states(&[" service "]), (3, true), "{table}");
    let endpoints = [" olt ", " bng ", " ipam ", " wifi ", " warehouse ", " acs "];
    assert_eq!(states(&endpoints), (7, true), "{table}");
    assert!(
        stderr.contains("what the systems were told: 30 requests"),
        "{stderr}"
    );
    let installed: Vec<&str> = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("installed: ")?.split(' ').next())
        .collect();
    assert_eq!(installed, ["11", "22", "34", "34", "23"], "{stderr}");
    assert!(stderr.contains("1 document: 18 errors"), "{stderr}");
}
