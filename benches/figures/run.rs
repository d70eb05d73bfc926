//! Running commands: time from start to end, and memory.
//!
//! Every figure is taken from whole processes, as a user sees them.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::orders;

/// The program that is measured.
pub const ORDERCTL: &str = env!("CARGO_BIN_EXE_orderctl");

/// What all groups need: a folder for streams, and how much to measure.
pub struct Bench {
    folder: tempfile::TempDir,
    /// How often each figure is measured.
    pub rounds: usize,
    /// Orders in the stream whose memory is measured.
    pub orders: usize,
    /// What the orders vary by.
    pub seed: u64,
}

impl Bench {
    /// Makes the folder.
    pub fn new(rounds: usize, orders: usize, seed: u64) -> io::Result<Bench> {
        Ok(Bench {
            folder: tempfile::tempdir()?,
            rounds,
            orders,
            seed,
        })
    }

    /// A file of the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of `count` orders.
    pub fn stream(&self, count: usize) -> io::Result<PathBuf> {
        let path = self.file(&format!("orders-{count}.ndjson"));
        if !path.exists() {
            let mut output = BufWriter::new(File::create(&path)?);
            orders::stream(&mut output, count, self.seed)?;
            output.flush()?;
        }
        Ok(path)
    }

    /// A file of one order with `count` lines.
    pub fn large(&self, count: usize) -> io::Result<PathBuf> {
        let path = self.file(&format!("lines-{count}.json"));
        if !path.exists() {
            let mut output = BufWriter::new(File::create(&path)?);
            orders::large(&mut output, count, self.seed)?;
            output.flush()?;
        }
        Ok(path)
    }

    /// `orderctl` with these arguments, quiet, in the folder, and the catalog of broadband.
    pub fn orderctl(&self, arguments: &[&str]) -> Command {
        self.orderctl_with("broadband", arguments)
    }

    /// The same with another part of the catalog.
    pub fn orderctl_with(&self, catalog: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(ORDERCTL);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear();
        if arguments
            .first()
            .is_some_and(|it| CATALOG_READERS.contains(it))
        {
            command
                .arg("--quiet")
                .arg("--catalog")
                .arg(example("../catalog").join(catalog));
        }
        command
    }
}

const CATALOG_READERS: [&str; 3] = ["validate", "decompose", "plan"];

/// A file of the example that is measured with.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/broadband-b2c")
        .join(name)
}

/// Time of a pipe of commands from the start of the first to the end of the last, `input` on the
/// first's standard input, the last's output thrown away.
///
/// # Errors
/// If a command cannot be run or does not end with success.
pub fn pipe(input: Option<&Path>, commands: Vec<Command>) -> io::Result<Duration> {
    let stdin = match input {
        Some(path) => Stdio::from(File::open(path)?),
        None => Stdio::null(),
    };
    run(stdin, commands, Stdio::null())
}

/// Like [`pipe`], the output into a file; not measured.
///
/// # Errors
/// If a command cannot be run or does not end with success.
pub fn into_file(input: &Path, commands: Vec<Command>, output: &Path) -> io::Result<()> {
    run(
        Stdio::from(File::open(input)?),
        commands,
        Stdio::from(File::create(output)?),
    )
    .map(drop)
}

fn run(mut stdin: Stdio, commands: Vec<Command>, output: Stdio) -> io::Result<Duration> {
    let mut output = Some(output);
    let mut children = Vec::new();
    let count = commands.len();
    let start = Instant::now();
    for (position, mut command) in commands.into_iter().enumerate() {
        let last = position + 1 == count;
        let stdout = if last {
            output.take().unwrap_or_else(Stdio::null)
        } else {
            Stdio::piped()
        };
        let mut child = command.stdin(stdin).stdout(stdout).spawn()?;
        stdin = child.stdout.take().map_or_else(Stdio::null, Stdio::from);
        children.push((child, command));
    }
    for (mut child, command) in children {
        let status = child.wait()?;
        if !status.success() {
            return Err(io::Error::other(format!("{command:?}: {status}")));
        }
    }
    Ok(start.elapsed())
}

/// How often a process is asked how much memory it has taken at most.
const INTERVAL: Duration = Duration::from_millis(10);

/// What a process took.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    /// Time from its start to its end.
    time: Duration,
    /// Largest resident memory, in bytes.
    peak: u64,
}

impl Watched {
    pub fn seconds(&self) -> f64 {
        self.time.as_secs_f64()
    }

    #[allow(clippy::cast_precision_loss)]
    pub fn megabytes(&self) -> f64 {
        self.peak as f64 / 1e6
    }
}

/// Runs a command and watches what it takes.
///
/// # Errors
/// If it cannot be run or does not end with success.
pub fn watch(mut command: Command) -> io::Result<Watched> {
    let start = Instant::now();
    let mut child = command.spawn()?;
    let peak = watched(&mut child, &command)?;
    let time = start.elapsed();
    Ok(Watched { time, peak })
}

/// Waits for a process; its largest resident memory, in bytes.
///
/// # Errors
/// If it does not end with success.
pub fn watched(child: &mut Child, command: &Command) -> io::Result<u64> {
    let mut peak = 0;
    loop {
        peak = peak.max(peak_memory(child).unwrap_or(0));
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(peak),
            Some(status) => return Err(io::Error::other(format!("{command:?}: {status}"))),
            None => thread::sleep(INTERVAL),
        }
    }
}

/// Largest resident memory of a process so far, in bytes; none once it has ended.
fn peak_memory(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kilobytes| kilobytes * 1024)
}

/// The middle value.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Whether a program can be run.
pub fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok()
}
