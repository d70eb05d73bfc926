//! Going on with a large order: `orderctl activate` on a journal in which nearly
//! everything of one order is done, as a process left it that was killed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::activation::start_mock;
use super::mock::Mock;
use super::report::{Report, Target};
use super::run::{self, Bench, example, median};
use super::vehicles;

const CATALOG: &str = "mobile-5g";

/// Tasks of an order for resources.
const RESOURCES: usize = 100_000;

/// Vehicles of an order, two tasks each, and some beside.
const VEHICLES: usize = 50_000;

/// How much of it is done, in hundredths.
const DONE: usize = 99;

/// How often it is looked how far it is.
const LOOK: Duration = Duration::from_millis(1);

/// Measures how long it takes until the first request of what was left is sent, and until all of
/// it is done and written.
pub fn measure(bench: &Bench, report: &mut Report) -> io::Result<()> {
    let resources = planned_resources(bench)?;
    let first = "resume, resource order of 100,000 tasks";
    one(bench, report, (&resources, first, Target::AtMost(2.0)))?;
    let vehicles = vehicles::planned(bench, VEHICLES)?;
    let first = "resume, 5G order of 50,000 vehicles";
    one(bench, report, (&vehicles, first, Target::Comparison))
}

/// The file with a resource order, and its plan.
fn planned_resources(bench: &Bench) -> io::Result<PathBuf> {
    let order = bench.file("resources.json");
    let mut output = BufWriter::new(File::create(&order)?);
    output.write_all(b"{\"@type\":\"ResourceOrder\",\"id\":\"RO-1\",\"orderItem\":[")?;
    for number in 1..=RESOURCES {
        let comma = if number == 1 { "" } else { "," };
        write!(
            output,
            "{comma}{{\"id\":\"{number}\",\"action\":\"add\",\"resource\":{{\"@type\":\"LogicalResource\",\
             \"id\":\"ESIM-{number}\",\"name\":\"eSIM profile {number}\",\"resourceCharacteristic\":\
             [{{\"name\":\"eid\",\"value\":\"89049032{number:024}\"}}],\"resourceSpecification\":\
             {{\"id\":\"RS-5G-ESIM-PROFILE\",\"@referredType\":\"ResourceSpecification\"}}}}}}"
        )?;
    }
    output.write_all(b"]}\n")?;
    output.flush()?;
    let planned = bench.file("resources-planned.ndjson");
    let plan = bench.orderctl_with(CATALOG, &["plan"]);
    run::into_file(&order, vec![plan], &planned)?;
    Ok(planned)
}

#[allow(clippy::cast_precision_loss)]
fn one(
    bench: &Bench,
    report: &mut Report,
    (plan, name, target): (&Path, &str, Target),
) -> io::Result<()> {
    let tasks = tasks(plan)?;
    let journal = plan.with_extension("db");
    killed(bench, (plan, &journal), tasks * DONE / 100)?;
    let (mut first, mut whole) = (Vec::new(), Vec::new());
    for round in 0..bench.rounds {
        let own = plan.with_extension(format!("{round}.db"));
        for end in ["", "-wal"] {
            fs::copy(with_end(&journal, end), with_end(&own, end))?;
        }
        let resumed = resumed(bench, plan, &own)?;
        first.push(resumed[0].as_secs_f64());
        whole.push(resumed[1].as_secs_f64());
        for end in ["", "-wal", "-shm"] {
            // The log is gone where the journal was closed.
            let _gone = fs::remove_file(with_end(&own, end));
        }
    }
    let size = fs::metadata(plan)?.len() as f64 / 1e6;
    report.add(
        name,
        (median(first), "s"),
        target,
        format!("until its first request; {tasks} tasks, {DONE} % done, chain of {size:.0} MB"),
    );
    report.add(
        "the same, until all is done",
        (median(whole), "s"),
        Target::Comparison,
        "with the chain written as it stands".to_owned(),
    );
    Ok(())
}

fn with_end(path: &Path, end: &str) -> String {
    format!("{}{end}", path.display())
}

/// How many tasks the plan has: each has one key.
fn tasks(plan: &Path) -> io::Result<usize> {
    let text = fs::read_to_string(plan)?;
    Ok(text.matches("\"idempotencyKey\":").count())
}

fn activate(bench: &Bench, mock: &Mock, (plan, journal): (&Path, &Path)) -> Command {
    let mut command = bench.orderctl(&["activate", "--quiet", "-o", "json"]);
    command.args(["--clock", "virtual", "--endpoints"]);
    command.arg(endpoints());
    command.arg("--journal").arg(journal).arg(plan);
    command.env("ORDERCTL_MOCK", &mock.address);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn endpoints() -> PathBuf {
    example("../mobile-5g/endpoints.toml")
}

/// Carries the order out, until so many requests were sent; then the process is killed.
fn killed(bench: &Bench, order: (&Path, &Path), requests: usize) -> io::Result<()> {
    let record = bench.file("resume.record");
    let mock = start_mock(
        bench,
        &endpoints(),
        &["--record", &record.to_string_lossy()],
    )?;
    let mut running = activate(bench, &mock, order).spawn()?;
    let mut known = Known::default();
    while known.lines(&record)? < requests {
        if running.try_wait()?.is_some() {
            return Err(io::Error::other("the order ended before it was killed"));
        }
        thread::sleep(LOOK * 20);
    }
    running.kill()?;
    running.wait().map(drop)
}

/// Lines of a file that grows.
#[derive(Default)]
struct Known {
    read: u64,
    lines: usize,
}

impl Known {
    fn lines(&mut self, path: &Path) -> io::Result<usize> {
        use std::io::{Read as _, Seek as _, SeekFrom};

        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut more = Vec::new();
        self.read += file.read_to_end(&mut more)? as u64;
        self.lines += memchr::memchr_iter(b'\n', &more).count();
        Ok(self.lines)
    }
}

/// Time until the first request is sent, and until everything is done.
fn resumed(bench: &Bench, plan: &Path, journal: &Path) -> io::Result<[Duration; 2]> {
    let record = bench.file("resumed.record");
    fs::write(&record, "")?;
    let mock = start_mock(
        bench,
        &endpoints(),
        &["--record", &record.to_string_lossy()],
    )?;
    let begun = Instant::now();
    let mut running = activate(bench, &mock, (plan, journal)).spawn()?;
    let mut first = None;
    loop {
        if first.is_none() && fs::metadata(&record)?.len() > 0 {
            first = Some(begun.elapsed());
        }
        if let Some(status) = running.try_wait()? {
            return match first.filter(|_| status.success()) {
                Some(first) => Ok([first, begun.elapsed()]),
                None => Err(io::Error::other(format!("going on ended with {status}"))),
            };
        }
        thread::sleep(LOOK);
    }
}
