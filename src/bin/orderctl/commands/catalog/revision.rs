//! Catalogs by folder, or by revision and folder of a git repository (`main:catalog`), which `git`
//! reads.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use orderctl::catalog;
use orderctl::document::{Document, SourceFile};

use crate::exit::Failure;

/// The documents of a catalog.
pub fn documents(named: &str) -> Result<Vec<Document>, Failure> {
    let files = match named.split_once(':') {
        Some((revision, folder)) if !Path::new(named).exists() && !revision.is_empty() => {
            of_revision(named, folder)?
        }
        _ => catalog::read_folder(Path::new(named))?,
    };
    catalog::parse(&files).map_err(Failure::CatalogSyntax)
}

/// The files of a folder (or the one file) at a revision, by path.
fn of_revision(named: &str, folder: &str) -> Result<Vec<SourceFile>, Failure> {
    let failure = |reason: String| Failure::Revision {
        named: named.to_owned(),
        reason,
    };
    if named.starts_with('-') {
        return Err(failure("a revision does not begin with `-`".to_owned()));
    }
    let listed = git(&["ls-tree", "-r", "-z", "--full-tree", named]);
    let entries = match listed {
        Ok(listing) => entries(&listing),
        // Not a folder: one file.
        Err(reason) => match git(&["rev-parse", "--verify", "--quiet", named]) {
            Ok(object)
                if git(&["cat-file", "-t", named]).is_ok_and(|it| it.starts_with(b"blob")) =>
            {
                let object = String::from_utf8_lossy(&object).trim().to_owned();
                vec![(object, String::new())]
            }
            _ => return Err(failure(why(named, reason))),
        },
    };
    let mut files = read(&entries).map_err(failure)?;
    for file in &mut files {
        let beside = if file.name.is_empty() || folder.is_empty() || named.ends_with('/') {
            ""
        } else {
            "/"
        };
        file.name = format!("{named}{beside}{}", file.name);
        let ending = Path::new(&file.name).extension();
        file.yaml = ending.is_some_and(|it| it != "json");
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    if files.is_empty() {
        return Err(failure("it holds no .json, .yaml or .yml file".to_owned()));
    }
    Ok(files)
}

/// Why there is nothing of this name, in words that say what to do; else as git says it.
fn why(named: &str, reason: String) -> String {
    let Some((revision, folder)) = named.split_once(':') else {
        return reason;
    };
    let is = |object: &str| git(&["rev-parse", "--verify", "--quiet", object]).is_ok();
    if git(&["rev-parse", "--git-dir"]).is_err() {
        reason
    } else if !is(&format!("{revision}^{{commit}}")) {
        format!(
            "there is no revision `{revision}` here; in a shallow clone it has to be fetched first"
        )
    } else if !is(named) {
        format!(
            "revision `{revision}` has no `{folder}`; name it as from the top of the repository"
        )
    } else {
        reason
    }
}

/// Objects and paths of the files that count.
fn entries(listing: &[u8]) -> Vec<(String, String)> {
    let listing = String::from_utf8_lossy(listing);
    let entries = listing.split('\0').filter_map(|line| {
        let (about, path) = line.split_once('\t')?;
        let object = about.split(' ').nth(2)?;
        let hidden = path.split('/').any(|part| part.starts_with('.'));
        let ending = Path::new(path).extension()?;
        let counts = ["json", "yaml", "yml"].iter().any(|it| ending == *it);
        (counts && !hidden).then(|| (object.to_owned(), path.to_owned()))
    });
    entries.collect()
}

fn git(arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("git")
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("git cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().next().unwrap_or("git does not know it");
    Err(line.strip_prefix("fatal: ").unwrap_or(line).to_owned())
}

/// The contents of objects, one answer for each question.
fn read(entries: &[(String, String)]) -> Result<Vec<SourceFile>, String> {
    let failed = |error: std::io::Error| format!("git cannot be run: {error}");
    let mut process = Command::new("git")
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let (Some(mut questions), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
        return Err("git has no streams".to_owned());
    };
    let mut answers = BufReader::new(answers);
    let mut files = Vec::new();
    for (object, path) in entries {
        writeln!(questions, "{object}").map_err(failed)?;
        questions.flush().map_err(failed)?;
        let mut head = String::new();
        answers.read_line(&mut head).map_err(failed)?;
        let size = head
            .trim()
            .rsplit(' ')
            .next()
            .and_then(|it| it.parse::<usize>().ok());
        let size = size.ok_or_else(|| format!("git does not find {path}"))?;
        // The contents, and the line end behind them.
        let mut bytes = vec![0; size + 1];
        answers.read_exact(&mut bytes).map_err(failed)?;
        bytes.pop();
        files.push(SourceFile {
            name: path.clone(),
            yaml: false,
            bytes,
        });
    }
    drop(questions);
    process.wait().map_err(failed)?;
    Ok(files)
}
