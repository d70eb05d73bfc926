//! Runs the real binary on every case folder `tests/cases/<command>/<case>/`.
//!
//! A case is a folder of files:
//!
//! | file | holds | if absent |
//! |---|---|---|
//! | `args` | one argument a line; a line `\|` starts the next command of a pipe | must be there |
//! | `stdin` | standard input | empty |
//! | `stdout`, `stderr` | what must be written; that of a pipe's last command, and of all commands | must be empty |
//! | `status` | exit code of the last command | 0 |
//! | `cwd` | working directory, from the top of the repository | the case folder |
//! | `env` | `NAME=VALUE` a line; there are no other variables | no variables |
//! | `written/` | the files that must be in `{tmp}` afterwards, except databases | `{tmp}` must be empty |
//!
//! `{tmp}` in `args`, `stdin` and `env` is a fresh folder, and is written back as `{tmp}` where it shows
//! up in outputs; `{version}` is the version of the crate in what `--version` and SARIF say. Other files
//! beside these are inputs of the case. `BLESS=1` rewrites what is expected; `CASES=validate/` runs
//! the cases whose name contains that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use predicates::{Predicate, prelude::predicate};

/// A command that takes longer than this hangs.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// What is expected of a case, or what a run of it gave: file name → content.
type Outcome = BTreeMap<String, Vec<u8>>;

#[test]
fn every_case_gives_what_it_states() {
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let wanted = std::env::var("CASES").unwrap_or_default();
    let cases: Vec<Case> = case_folders()
        .into_iter()
        .map(|folder| Case { folder })
        .filter(|case| case.name().contains(&wanted))
        .collect();
    assert!(!cases.is_empty(), "no case matches `{wanted}`");

    let mut failures = Vec::new();
    for case in &cases {
        let given = case.run();
        let expected = case.expected();
        if given == expected {
            continue;
        }
        if bless {
            case.bless(&given, &expected);
        } else {
            failures.push(format!(
                "== {}\n{}",
                case.name(),
                differences(&expected, &given)
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "\n{}\n{} of {} cases failed; BLESS=1 accepts what they gave\n",
        failures.join("\n"),
        failures.len(),
        cases.len()
    );
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    for args in [
        &["--help"][..],
        &["schema"],
        &["completions", "bash"],
        &["man", "validate"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = std::process::Command::new(cargo_bin("orderctl"))
            .args(args)
            .stdout(writer)
            .output()
            .expect("the binary runs");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_the_callers_to_repair() {
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("/dev/full")
    };
    let message = "error: cannot write standard output: No space left on device (os error 28)\n";
    for (args, stderr) in [(&["schema"][..], message), (&["--help"], message)] {
        let output = std::process::Command::new(cargo_bin("orderctl"))
            .args(args)
            .stdout(full())
            .output()
            .expect("the binary runs");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), stderr, "{args:?}");
    }
}

#[test]
fn the_version_is_that_of_the_crate_and_reads_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("orderctl.toml"), "= broken").expect("a project file");
    Command::new(cargo_bin("orderctl"))
        .current_dir(folder.path())
        .arg("--version")
        .assert()
        .success()
        .stdout(predicate::eq(concat!(
            "orderctl ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        )))
        .stderr(predicate::str::is_empty());
}

struct Case {
    folder: PathBuf,
}

impl Case {
    fn name(&self) -> String {
        let below = self
            .folder
            .strip_prefix(cases_folder())
            .expect("cases lie in the cases folder");
        below
            .to_str()
            .expect("case names are UTF-8")
            .replace('\\', "/")
    }

    fn text(&self, file: &str) -> Option<String> {
        let bytes = fs::read(self.folder.join(file)).ok()?;
        Some(
            String::from_utf8(bytes)
                .unwrap_or_else(|_| panic!("{}/{file} is not UTF-8", self.name())),
        )
    }

    /// Runs the commands of the case one after the other, each reading what
    /// the one before wrote.
    fn run(&self) -> Outcome {
        let tmp = tempfile::tempdir().expect("a temporary folder");
        let tmp_name = tmp
            .path()
            .to_str()
            .expect("temporary folders are UTF-8")
            .to_owned();
        let fill = |text: String| text.replace("{tmp}", &tmp_name);

        let args = fill(
            self.text("args")
                .unwrap_or_else(|| panic!("{} has no args", self.name())),
        );
        let variables = fill(self.text("env").unwrap_or_default());
        let mut stdin = fs::read(self.folder.join("stdin")).unwrap_or_default();
        stdin = replace(&stdin, b"{tmp}", tmp_name.as_bytes());

        let mut stderr = Vec::new();
        let mut status = None;
        let lines: Vec<&str> = args.lines().collect();
        for stage in lines.split(|line| *line == "|") {
            let output = self.run_one(stage, &variables, stdin);
            stdin = output.stdout;
            stderr.extend(output.stderr);
            status = output.status.code();
        }

        let mut outcome = written_files(tmp.path());
        outcome.insert("stdout".to_owned(), stdin);
        outcome.insert("stderr".to_owned(), stderr);
        for content in outcome.values_mut() {
            *content = replace(content, tmp_name.as_bytes(), b"{tmp}");
            let states_version =
                |args: String| args.contains("--version") || args.contains("sarif");
            if self.text("args").is_some_and(states_version) {
                *content = replace(content, env!("CARGO_PKG_VERSION").as_bytes(), b"{version}");
            }
        }
        let status = status.map_or("killed".to_owned(), |code| code.to_string());
        outcome.insert("status".to_owned(), format!("{status}\n").into_bytes());
        outcome
    }

    fn run_one(&self, args: &[&str], variables: &str, stdin: Vec<u8>) -> Output {
        let directory = match self.text("cwd") {
            Some(path) => Path::new(env!("CARGO_MANIFEST_DIR")).join(path.trim_end()),
            None => self.folder.clone(),
        };
        let mut command = Command::cargo_bin("orderctl").expect("the binary is built");
        command
            .env_clear()
            .current_dir(directory)
            .args(args)
            .write_stdin(stdin)
            .timeout(TIME_LIMIT);
        for line in variables.lines() {
            let (name, value) = line.split_once('=').expect("env has NAME=VALUE lines");
            command.env(name, value);
        }
        command
            .output()
            .unwrap_or_else(|error| panic!("{} cannot be run: {error}", self.name()))
    }

    fn expected(&self) -> Outcome {
        let mut expected: Outcome = files_below(&self.folder.join("written"))
            .into_iter()
            .map(|(name, path)| (format!("written/{name}"), read(&path)))
            .collect();
        for file in ["stdout", "stderr"] {
            let content = fs::read(self.folder.join(file)).unwrap_or_default();
            expected.insert(file.to_owned(), content);
        }
        let status = self
            .text("status")
            .map_or("0".to_owned(), |status| status.trim_end().to_owned());
        expected.insert("status".to_owned(), format!("{status}\n").into_bytes());
        expected
    }

    /// Writes what differs; what is the same as when absent is removed.
    fn bless(&self, given: &Outcome, expected: &Outcome) {
        let names: BTreeSet<&String> = given.keys().chain(expected.keys()).collect();
        for name in names {
            let path = self.folder.join(name);
            match given.get(name).map(Vec::as_slice) {
                content if content == expected.get(name).map(Vec::as_slice) => {}
                None | Some(b"") if !name.starts_with("written/") => remove(&path),
                None => remove(&path),
                Some(b"0\n") if name == "status" => remove(&path),
                Some(content) => {
                    fs::create_dir_all(path.parent().expect("files lie in folders"))
                        .expect("a folder");
                    fs::write(&path, content).expect("a writable case");
                }
            }
        }
    }
}

fn cases_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Every folder `tests/cases/<command>/<case>`, by name.
fn case_folders() -> Vec<PathBuf> {
    folders_in(&cases_folder())
        .iter()
        .flat_map(|command| folders_in(command))
        .collect()
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// Files written to `{tmp}`, except databases: their bytes differ every time.
fn written_files(folder: &Path) -> Outcome {
    files_below(folder)
        .into_iter()
        .filter(|(name, _)| {
            ![".db", ".db-wal", ".db-shm"]
                .iter()
                .any(|end| name.ends_with(end))
        })
        .map(|(name, path)| (format!("written/{name}"), read(&path)))
        .collect()
}

/// Name from `folder`, with slashes, and path of every file below it.
fn files_below(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut files = BTreeMap::new();
    let mut folders = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .expect("names are UTF-8");
            let name = format!("{prefix}{name}");
            if path.is_dir() {
                folders.push((format!("{name}/"), path));
            } else {
                files.insert(name, path);
            }
        }
    }
    files
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            panic!("{}: {error}", path.display())
        }
        _ => {}
    }
}

/// `bytes` with every `from` replaced by `to`.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(from) {
            replaced.extend_from_slice(to);
            rest = after;
        } else {
            replaced.push(rest[0]);
            rest = &rest[1..];
        }
    }
    replaced
}

/// A diff of every file that is not as expected; `-` is expected, `+` was given.
fn differences(expected: &Outcome, given: &Outcome) -> String {
    let names: BTreeSet<&String> = given.keys().chain(expected.keys()).collect();
    names
        .into_iter()
        .filter(|name| expected.get(*name) != given.get(*name))
        .map(|name| match (expected.get(name), given.get(name)) {
            (Some(expected), Some(given)) => format!("-- {name}\n{}\n", diff(expected, given)),
            (_, None) => format!("-- {name} was not written\n"),
            (None, Some(given)) => {
                let given = String::from_utf8_lossy(given);
                format!("-- {name} was written, but is not stated:\n{given}\n")
            }
        })
        .collect()
}

fn diff(expected: &[u8], given: &[u8]) -> String {
    let same = predicate::str::diff(String::from_utf8_lossy(expected).into_owned());
    match same.find_case(false, &String::from_utf8_lossy(given)) {
        Some(case) => case
            .products()
            .map(|product| product.value().to_string())
            .collect(),
        None => "differs only in bytes that are not UTF-8".to_owned(),
    }
}
