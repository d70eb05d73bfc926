//! Every example runs to its end.

#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "support/life_cycle.rs"]
mod life_cycle;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use assert_cmd::cargo::cargo_bin;
use life_cycle::{LifeCycles, successors};
use orderctl::schemas;
use serde_json::Value;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// What the `run.sh` of an example writes to standard output and to standard error; what it tells by
/// events goes to a file.
fn run(example: &Path, events: &Path) -> (String, String) {
    let output = Command::new("sh")
        .arg("run.sh")
        .current_dir(example)
        .env("ORDERCTL_EVENTS", events)
        .env("ORDERCTL", cargo_bin("orderctl"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{}: {stderr}", example.display());
    (String::from_utf8(output.stdout).unwrap(), stderr)
}

/// Every order begins acknowledged, goes from state to state as its life cycle allows, and ends, or is left held.
fn assert_life_cycles(events: &str) {
    let text = schemas::find("order-event").unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut cycles = LifeCycles::default();
    for line in events.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert!(validator.is_valid(&event), "{event}");
        cycles.take(&event).unwrap();
    }
    assert_eq!(cycles.ends().len(), 3, "{:?}", cycles.ways());
    for (order, way) in cycles.ways() {
        let state = way.last().unwrap();
        // In one of the stories an order is left held.
        let is_over = state == "held" || successors(&order.0, state).is_empty();
        assert!(is_over, "{order:?} ended {state}");
    }
}

#[test]
fn every_story_runs_to_its_end() {
    let folders = fs::read_dir(examples()).unwrap();
    let stories: Vec<PathBuf> = folders
        .map(|folder| folder.unwrap().path())
        .filter(|folder| folder.join("run.sh").is_file())
        .collect();
    assert!(stories.len() > 1);
    thread::scope(|scope| {
        for story in &stories {
            scope.spawn(move || {
                for file in [
                    "README.md",
                    "order.json",
                    "order-cease.json",
                    "orderctl.toml",
                ] {
                    assert!(
                        story.join(file).is_file(),
                        "{} in {}",
                        file,
                        story.display()
                    );
                }
                let folder = tempfile::tempdir().unwrap();
                let events = folder.path().join("events.ndjson");
                let (table, _) = run(story, &events);
                assert!(table.contains(" ProductOrder "), "{table}");
                assert_life_cycles(&fs::read_to_string(events).unwrap());
                let files = fs::read_dir(story).unwrap().map(|it| it.unwrap().path());
                let orders: Vec<PathBuf> = files
                    .filter(|it| it.extension().is_some_and(|it| it == "json"))
                    .collect();
                let names = orders.iter().map(|it| it.file_name().unwrap());
                let names: Vec<&str> = names.map(|it| it.to_str().unwrap()).collect();
                let changes = names.iter().filter(|it| it.starts_with("order-modify"));
                assert_ne!(changes.count(), 0, "no change in {}", story.display());
            });
        }
    });
}

#[test]
fn the_broadband_example_ends_with_every_item_completed() {
    let (table, stderr) = run(&examples().join("broadband-b2c"), Path::new("/dev/null"));
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
