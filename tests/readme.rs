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

/// A folder for a page that shows file by file what has to stand in it, with what it begins with:
/// the commands of the page find the files that stand above them.
fn guided(page: &str, root: &Path) -> Option<TempDir> {
    if !page.contains("\n`orderctl.toml`:\n\n```toml\n") {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let catalog = folder.path().join("catalog");
    fs::create_dir(&catalog).unwrap();
    for file in fs::read_dir(root.join("examples/catalog/broadband")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), catalog.join(file.file_name())).unwrap();
    }
    for (from, to) in [
        ("order.json", "broadband.json"),
        ("order-cease.json", "no-more-broadband.json"),
    ] {
        let from = root.join("examples/broadband-b2c").join(from);
        fs::copy(from, folder.path().join(to)).unwrap();
    }
    Some(folder)
}

/// Writes the files that a part of a page shows: a line that names one, then its block.
fn write_files(part: &str, folder: &Path) {
    let lines: Vec<&str> = part.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let named = line.strip_prefix('`').and_then(|it| it.strip_suffix("`:"));
        let Some(name) = named.filter(|_| lines[number + 2].starts_with("```")) else {
            continue;
        };
        let block = lines[number + 3..].iter().take_while(|it| **it != "```");
        let mut text = block.copied().collect::<Vec<&str>>().join("\n");
        text.push('\n');
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
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
    let run = |command: &str, place: &Path, state: &Path| {
        if command.contains("jq ") && Command::new("jq").arg("--version").output().is_err() {
            return None;
        }
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .current_dir(place)
            .env("PATH", &path)
            .env("ORDERCTL_MOCK", &mock.address)
            .env("ORDERCTL_JOURNAL", state.join("journal.db"))
            .env("ORDERCTL_INVENTORY", state.join("inventory.ndjson"))
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
        let guided = guided(&page, root);
        let own = if guided.is_some() {
            None
        } else {
            own_catalog(&page)
        };
        let place = guided.as_ref().or(own.as_ref());
        let place = place.map_or(example.as_path(), TempDir::path);
        let state = guided.as_ref().unwrap_or(&journal).path();
        let mut given = String::new();
        let mut rest = page.as_str();
        while let Some(start) = rest.find("```console\n") {
            let body = start + "```console\n".len();
            let end = body + rest[body..].find("```").unwrap();
            let block = &rest[body..end];
            let command = block.lines().next().unwrap().strip_prefix("$ ").unwrap();
            given.push_str(&rest[..body]);
            if guided.is_some() {
                write_files(&rest[..start], place);
            }
            if let Some(output) = run(command, place, state) {
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
