//! Many orders, several processes that carry them out with one journal, systems
//! that fail in every way that the mock knows, and processes that are killed.
//!
//! What must be true in the end: every order is completed, the systems were told
//! what they are told where nothing fails and nobody is killed, nothing twice and
//! nothing less, and the journal is whole. Nothing of that depends on when a
//! process was killed.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use orderctl::journal::JournalReader;
use orderctl::model::state::FlowState;

use super::orders::{self, Choice};
use super::systems::{self, Systems};

/// How often it is looked how far the processes are.
const LOOK: Duration = Duration::from_millis(2);

/// Orders that a process has under way at once.
const AT_ONCE: &str = "16";

/// Runs that a process may take, beside those that are killed: one for each order that another
/// process has at that moment, at worst.
const RUNS: usize = 200;

/// What is carried out, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Soak {
    /// So many orders.
    pub orders: usize,
    /// By so many processes.
    pub processes: usize,
    /// Of which so many are killed, and started anew.
    pub kills: usize,
    /// What orders, faults and kills vary by.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Figures {
    /// Requests with an effect.
    pub effects: usize,
    /// Requests that reached a system.
    pub calls: usize,
    /// How often each fault of the script was met.
    pub faults: BTreeMap<String, usize>,
    /// Processes that were killed while they ran.
    pub kills: usize,
    /// Processes that were started.
    pub runs: usize,
    /// Time of one process where nothing fails.
    pub undisturbed: Duration,
    /// Time of all of them.
    pub disturbed: Duration,
}

impl Soak {
    /// Carries everything out twice, undisturbed and not, and compares.
    ///
    /// # Errors
    /// Where something is not as it must be, or cannot be run.
    pub fn run(&self, orderctl: &Path) -> io::Result<Figures> {
        let folder = tempfile::tempdir()?;
        let place = Place {
            orderctl,
            folder: folder.path(),
        };
        let parts = place.plans(self)?;
        let calm = Systems::start(place.orderctl, &place.file("calm"), None)?;
        let begun = Instant::now();
        let mut alone = place.activate("calm", &calm, &parts);
        demand(alone.status()?, &place.file("calm.err"))?;
        let undisturbed = begun.elapsed();
        let wanted = calm.effects()?;
        let length = fs::metadata(&calm.record)?.len();
        drop(calm);

        let script = place.file("faults.toml");
        fs::write(&script, systems::faults(self.seed))?;
        let systems = Systems::start(place.orderctl, &place.file("soak"), Some(&script))?;
        let begun = Instant::now();
        let mut crew = Crew::new(&place, &systems, (&parts, self));
        crew.work(length)?;
        let disturbed = begun.elapsed();
        let told = systems.effects()?;
        compare(&wanted, &told)?;
        let calls = systems.calls()?;
        place.all_is_completed(self.orders)?;
        place.nothing_is_left(&systems, &parts)?;
        place.verify()?;
        let faults = systems.faults()?;
        if faults.len() != systems::KINDS {
            return Err(io::Error::other(format!(
                "of {} faults only these were met: {faults:?}",
                systems::KINDS
            )));
        }
        Ok(Figures {
            effects: told.len(),
            calls,
            faults,
            kills: crew.kills,
            runs: crew.runs,
            undisturbed,
            disturbed,
        })
    }
}

/// The folder that everything is in.
struct Place<'p> {
    orderctl: &'p Path,
    folder: &'p Path,
}

impl Place<'_> {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn orderctl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.orderctl);
        command.args(arguments).current_dir(self.folder).env_clear();
        command
    }

    /// The chains with their plans, in as many parts as there are processes.
    fn plans(&self, soak: &Soak) -> io::Result<Vec<PathBuf>> {
        let stream = self.file("orders.ndjson");
        let mut output = BufWriter::new(File::create(&stream)?);
        orders::stream(&mut output, soak.orders, soak.seed)?;
        output.flush()?;
        let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/catalog/broadband");
        let command = |name| {
            let mut command = self.orderctl(&[name, "--quiet", "--catalog"]);
            command.arg(&catalog);
            command
        };
        let mut decompose = command("decompose")
            .stdin(File::open(&stream)?)
            .stdout(Stdio::piped())
            .spawn()?;
        let decomposed = decompose
            .stdout
            .take()
            .map_or_else(Stdio::null, Stdio::from);
        let mut plan = command("plan")
            .stdin(decomposed)
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = plan
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no pipe"))?;
        let parts: Vec<PathBuf> = (0..soak.processes)
            .map(|part| self.file(&format!("part-{part}.ndjson")))
            .collect();
        let files = parts.iter().map(File::create);
        let mut files: Vec<_> = files
            .map(|file| file.map(BufWriter::new))
            .collect::<io::Result<_>>()?;
        let mut chains = 0;
        for line in BufReader::new(lines).lines() {
            let line = line?;
            let part = chains * soak.processes / soak.orders;
            writeln!(files[part], "{line}")?;
            // The plan is the last document of its chain.
            if line.contains("\"@type\":\"OrchestrationPlan\"") {
                chains += 1;
            }
        }
        for file in &mut files {
            file.flush()?;
        }
        if !(decompose.wait()?.success() && plan.wait()?.success() && chains == soak.orders) {
            return Err(io::Error::other(format!(
                "only {chains} orders are planned"
            )));
        }
        Ok(parts)
    }

    /// The command that carries these parts out, with a journal and a log of this name.
    fn activate(&self, name: &str, systems: &Systems, parts: &[PathBuf]) -> Command {
        let mut command = self.orderctl(&["activate", "-o", "json", "-j", AT_ONCE]);
        command
            .arg("--journal")
            .arg(self.file(&format!("{name}.db")));
        command
            .arg("--endpoints")
            .arg(&systems.endpoints)
            .args(parts);
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.file(&format!("{name}.err")));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.map_or_else(|_| Stdio::null(), Stdio::from));
        command
    }

    /// Every order is completed, as the journal has it.
    fn all_is_completed(&self, orders: usize) -> io::Result<()> {
        let journal = JournalReader::open(&self.file("soak.db")).map_err(io::Error::other)?;
        let known = journal.orders().map_err(io::Error::other)?;
        if known.len() != orders {
            return Err(io::Error::other(format!(
                "the journal has {} orders",
                known.len()
            )));
        }
        match known.iter().find(|it| it.state() != FlowState::Completed) {
            Some(order) => Err(io::Error::other(format!("not completed: {order:?}"))),
            None => Ok(()),
        }
    }

    /// Once more is nothing: every order is completed, and no request is sent.
    fn nothing_is_left(&self, systems: &Systems, parts: &[PathBuf]) -> io::Result<()> {
        let before = systems.calls()?;
        let mut again = self.activate("soak", systems, parts);
        demand(again.status()?, &self.file("soak.err"))?;
        match systems.calls()? - before {
            0 => Ok(()),
            more => Err(io::Error::other(format!("{more} requests after the end"))),
        }
    }

    fn verify(&self) -> io::Result<()> {
        let verified = self
            .orderctl(&["journal", "verify", "--journal", "soak.db"])
            .output()?;
        if verified.status.success() {
            return Ok(());
        }
        Err(io::Error::other(
            String::from_utf8_lossy(&verified.stderr).into_owned(),
        ))
    }
}

/// It has ended with success, or its log says why not.
fn demand(status: ExitStatus, log: &Path) -> io::Result<()> {
    if status.success() {
        return Ok(());
    }
    let text = fs::read_to_string(log)?;
    let mut last: VecDeque<&str> = VecDeque::new();
    for line in text.lines() {
        if last.len() == 9 {
            last.pop_front();
        }
        last.push_back(line);
    }
    let last: Vec<&str> = last.into();
    Err(io::Error::other(format!("{status}: {}", last.join("\n"))))
}

/// The same effects, each as often.
fn compare(wanted: &[String], told: &[String]) -> io::Result<()> {
    let count = |effects: &[String]| {
        let mut counts = BTreeMap::<String, i64>::new();
        for effect in effects {
            *counts.entry(effect.clone()).or_default() += 1;
        }
        counts
    };
    let mut difference = count(told);
    for (effect, count) in count(wanted) {
        *difference.entry(effect).or_default() -= count;
    }
    difference.retain(|_, count| *count != 0);
    match difference.iter().next() {
        None => Ok(()),
        Some((effect, count)) => Err(io::Error::other(format!(
            "{} effects are wrong; one is {count:+}: {effect}",
            difference.len()
        ))),
    }
}

/// The processes.
struct Crew<'c> {
    place: &'c Place<'c>,
    systems: &'c Systems,
    workers: Vec<Worker>,
    choice: Choice,
    wanted_kills: usize,
    kills: usize,
    runs: usize,
}

/// A process, and what it is to carry out.
struct Worker {
    name: String,
    parts: Vec<PathBuf>,
    running: Option<Child>,
    /// Runs that left something to be done.
    unfinished: usize,
    /// How much of its log is known.
    heard: usize,
    listens: bool,
}

impl<'c> Crew<'c> {
    /// Each part is for two of them, one of which begins with another one.
    fn new(
        place: &'c Place<'c>,
        systems: &'c Systems,
        (parts, soak): (&[PathBuf], &Soak),
    ) -> Crew<'c> {
        let workers = (0..parts.len()).map(|own| Worker {
            name: format!("worker-{own}"),
            parts: match parts.get(own ^ 1) {
                Some(other) => vec![parts[own].clone(), other.clone()],
                None => vec![parts[own].clone()],
            },
            running: None,
            unfinished: 0,
            heard: 0,
            listens: own == 0,
        });
        Crew {
            place,
            systems,
            workers: workers.collect(),
            choice: Choice::new(soak.seed),
            wanted_kills: soak.kills,
            kills: 0,
            runs: 0,
        }
    }

    /// Until every process has ended with success. Kills are spread over the way by the length of
    /// the record, which will be this or more.
    fn work(&mut self, length: u64) -> io::Result<()> {
        let mut left: Vec<usize> = (0..self.workers.len()).collect();
        for &at in &left {
            self.start(at)?;
        }
        while !left.is_empty() {
            let mut still = Vec::new();
            for at in left {
                if !self.has_ended(at)? {
                    still.push(at);
                }
            }
            left = still;
            let next = (self.kills as u64 + 1) * length / (self.wanted_kills as u64 + 1);
            let made = fs::metadata(&self.systems.record)?.len();
            if self.kills < self.wanted_kills && made >= next && !left.is_empty() {
                let at = left[usize::try_from(self.choice.below(left.len() as u64)).unwrap_or(0)];
                self.kill(at)?;
            }
            thread::sleep(LOOK);
        }
        if self.kills < self.wanted_kills {
            return Err(io::Error::other(format!(
                "only {} processes were killed while they ran",
                self.kills
            )));
        }
        Ok(())
    }

    fn start(&mut self, at: usize) -> io::Result<()> {
        let worker = &mut self.workers[at];
        let mut command = self.place.activate("soak", self.systems, &worker.parts);
        if worker.listens {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let log = self.place.file(&format!("{}.err", worker.name));
        command.stderr(File::options().create(true).append(true).open(&log)?);
        worker.heard = usize::try_from(fs::metadata(&log)?.len()).unwrap_or(usize::MAX);
        worker.running = Some(command.spawn()?);
        self.runs += 1;
        Ok(())
    }

    /// Whether a process has nothing left to do; one that has, is started again.
    fn has_ended(&mut self, at: usize) -> io::Result<bool> {
        self.subscribe(at)?;
        let worker = &mut self.workers[at];
        let Some(running) = &mut worker.running else {
            return Ok(true);
        };
        let Some(status) = running.try_wait()? else {
            return Ok(false);
        };
        worker.running = None;
        if status.success() {
            return Ok(true);
        }
        worker.unfinished += 1;
        // 3: another process has an order of its own, or something is held.
        if status.code() != Some(3) || worker.unfinished > RUNS {
            let log = self.place.file(&format!("{}.err", worker.name));
            return demand(status, &log).map(|()| true);
        }
        self.start(at)?;
        Ok(false)
    }

    fn kill(&mut self, at: usize) -> io::Result<()> {
        let Some(mut running) = self.workers[at].running.take() else {
            return Ok(());
        };
        running.kill()?;
        let status = running.wait()?;
        if status.code().is_none() {
            self.kills += 1;
        }
        self.start(at)
    }

    /// Lets the systems tell a process that listens, once it says where.
    fn subscribe(&mut self, at: usize) -> io::Result<()> {
        let worker = &mut self.workers[at];
        if !worker.listens || worker.heard == usize::MAX {
            return Ok(());
        }
        let log = fs::read_to_string(self.place.file(&format!("{}.err", worker.name)))?;
        let new = log.get(worker.heard..).unwrap_or_default();
        let Some((_, said)) = new.split_once("listening for events at ") else {
            return Ok(());
        };
        if let Some((address, _)) = said.split_once("/listener\n") {
            worker.heard = usize::MAX;
            self.systems.tell(address)?;
        }
        Ok(())
    }
}

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            if let Some(running) = &mut worker.running {
                let _ended = running.kill().and_then(|()| running.wait());
            }
        }
    }
}
