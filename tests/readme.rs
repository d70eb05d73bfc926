//! The commands of README.md and of the pages in docs, run as they stand: every
//! `console` block gives what it shows. `BLESS=1` rewrites the blocks.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

/// The mock of the example, ended when the test ends.
struct Mock {
    process: Child,
    address: String,
}

impl Mock {
    fn start(example: &Path) -> Mock {
        let mut process = Command::new(cargo_bin("orderctl"))
            .args(["-q", "mock"])
            .current_dir(example)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Mock {
            process,
            address: address.trim().to_owned(),
        }
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder with what a page shows, if it shows an order: that, and its YAML blocks as the catalog.
fn own_catalog(page: &str) -> Option<TempDir> {
    let blocks = |language: &str| {
        let begin = format!("```{language}\n");
        let blocks = page.split(begin.as_str()).skip(1);
        blocks
            .map(|block| block[..block.find("```").unwrap()].to_owned())
            .collect::<Vec<String>>()
    };
    let order = blocks("json")
        .into_iter()
        .find(|block| block.starts_with("{\"@type\": \"ProductOrder\""))?;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("catalog")).unwrap();
    for (number, block) in blocks("yaml").iter().enumerate() {
        let file = folder.path().join(format!("catalog/{number:02}.yaml"));
        fs::write(file, block).unwrap();
    }
    fs::write(folder.path().join("order.json"), order).unwrap();
    let project = "formatVersion = \"1.0\"\ncatalog = \"catalog\"\n";
    fs::write(folder.path().join("orderctl.toml"), project).unwrap();
    Some(folder)
}

#[test]
fn every_console_block_of_the_documentation_gives_what_it_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = root.join("examples/broadband-b2c");
    let mock = Mock::start(&example);
    let journal = tempfile::tempdir().unwrap();
    let folder = cargo_bin("orderctl").parent().unwrap().to_owned();
    let path = format!(
        "{}:{}",
        folder.display(),
        env::var("PATH").unwrap_or_default()
    );
    let run = |command: &str, place: &Path| {
        if command.contains("jq ") && Command::new("jq").arg("--version").output().is_err() {
            return None;
        }
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .current_dir(place)
            .env("PATH", &path)
            .env("ORDERCTL_MOCK", &mock.address)
            .env("ORDERCTL_JOURNAL", journal.path().join("journal.db"))
            .env(
                "ORDERCTL_INVENTORY",
                journal.path().join("inventory.ndjson"),
            )
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Some(String::from_utf8(output.stdout).unwrap())
    };

    let mut pages: Vec<PathBuf> = fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    pages.push(root.join("README.md"));
    pages.sort();
    let mut blocks = 0;
    for file in pages {
        let page = fs::read_to_string(&file).unwrap();
        let own = own_catalog(&page);
        let place = own.as_ref().map_or(example.as_path(), TempDir::path);
        let mut given = String::new();
        let mut rest = page.as_str();
        while let Some(start) = rest.find("```console\n") {
            let body = start + "```console\n".len();
            let end = body + rest[body..].find("```").unwrap();
            let block = &rest[body..end];
            let command = block.lines().next().unwrap().strip_prefix("$ ").unwrap();
            given.push_str(&rest[..body]);
            if let Some(output) = run(command, place) {
                given.extend(["$ ", command, "\n", &output]);
            } else {
                eprintln!("skipped, jq is not here: {command}");
                given.push_str(block);
            }
            rest = &rest[end..];
            blocks += 1;
        }
        given.push_str(rest);
        if env::var_os("BLESS").is_some() {
            fs::write(&file, given).unwrap();
        } else {
            let name = file.display();
            assert_eq!(given, page, "BLESS=1 rewrites {name}");
        }
    }
    assert!(blocks >= 8, "the pages show {blocks} commands");
}
