//! `orderctl activate`, killed again and again.
//!
//! A story is a chain or a batch of them, a mock, and a journal. The command is
//! killed (SIGKILL) some times on its way and then run until it is done. When to
//! kill is chosen by progress — so many lines in the mock's record, so many
//! bytes in the journal's log — and only then by a little time, so that kills
//! fall between all the steps of an activation however fast the machine is.
//! Nothing that is asserted depends on when exactly a kill fell.
#![cfg(unix)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::evidence::{
    Plan, every_effect_happened_once, plans, the_journal_tells_how_it_was_done, without_dates,
};
use support::mock::{Call, Manner};
use support::{Mock, Workplace, chain, documents, stderr, stdout};

/// Kills that have to hit a running process, in all stories together.
const KILLS: usize = 1000;

/// How many of them have to hit while some effects have happened and others not.
const KILLS_MIDWAY: usize = KILLS / 2;

/// Bytes by which the journal's log grows with the smallest transaction.
const LOG_STEP: u64 = 4120;

/// Most runs that it may take to finish what kills have left.
const RUNS_TO_FINISH: usize = 3;

/// How often it is looked how far a run is.
const LOOK: Duration = Duration::from_millis(1);

/// A run that takes longer than this hangs.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// xorshift64*: a seed gives the same numbers everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

/// What is carried out, and how.
struct Setting {
    /// What was carried out before, by nobody who is killed.
    first: String,
    chains: String,
    plans: Vec<Plan>,
    arguments: &'static [&'static str],
    manner: fn(&mut Random) -> Manner,
    /// What the systems are able to, and what the endpoints file says of it.
    systems: Systems,
}

/// Systems that know a repetition when it comes, or that can be asked what they have done.
#[derive(Clone, Copy)]
struct Systems {
    script: &'static str,
    settings: &'static str,
}

/// They honour idempotency keys, and cannot be asked.
const KEYS: Systems = Systems {
    script: "formatVersion = \"1.0\"\n[endpoint.\"*\"]\nreads = \"refused\"\n",
    settings: "idempotent = true\nreadBack = \"none\"\n",
};

/// They ignore keys: a repetition would be done again, or refused.
const READABLE: Systems = Systems {
    script: "formatVersion = \"1.0\"\n[endpoint.\"*\"]\nkeys = \"ignored\"\n",
    // What comes at all is there at once.
    settings: "settle = \"100ms\"\n",
};

impl Setting {
    fn new(
        chains: String,
        arguments: &'static [&'static str],
        manner: fn(&mut Random) -> Manner,
        systems: Systems,
    ) -> Self {
        let plans = plans(&documents(&chains));
        Self {
            first: String::new(),
            chains,
            plans,
            arguments,
            manner,
            systems,
        }
    }

    fn effects(&self) -> usize {
        self.plans.iter().map(|plan| plan.tasks.len()).sum()
    }

    /// A place to work in, with these terms of all endpoints beside the usual ones.
    fn workplace(&self, mock: &Mock, terms: &str) -> Workplace {
        let workplace = Workplace::new(&mock.url());
        let usual = "timeout = \"20s\"\nconcurrency = 4\nretries = 5\n";
        let settings = self.systems.settings;
        workplace.endpoints(&mock.url(), &format!("{usual}{settings}{terms}"));
        workplace
    }

    /// Carries out what comes before. Says how many calls that took.
    fn begin(&self, workplace: &Workplace, mock: &Mock) -> usize {
        if !self.first.is_empty() {
            let output = workplace.activate(&self.first, &[]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        }
        mock.record().len()
    }

    /// What comes out where nobody disturbs it.
    fn undisturbed(&self) -> Vec<Value> {
        let mock = Mock::start();
        let workplace = Workplace::new(&mock.url());
        self.begin(&workplace, &mock);
        let output = workplace.activate(&self.chains, self.arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        without_dates(&documents(&stdout(&output)))
    }
}

/// What a story brought.
#[derive(Default)]
struct Tally {
    kills: AtomicUsize,
    midway: AtomicUsize,
    resumed: AtomicUsize,
}

impl Tally {
    /// Takes note of a kill that hit, after these of so many effects.
    fn note(&self, record: &[Call], effects: usize) {
        self.kills.fetch_add(1, Ordering::Relaxed);
        let applied = record.iter().filter(|call| call.is_applied()).count();
        if (1..effects).contains(&applied) {
            self.midway.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn note_repeated(&self, record: &[Call]) {
        let replayed = record.iter().filter(|call| call.effect == "replayed");
        self.resumed.fetch_add(replayed.count(), Ordering::Relaxed);
    }
}

/// Answers quickly or slowly, at once or later.
fn sound(random: &mut Random) -> Manner {
    Manner {
        latency: Duration::from_micros(random.below(4000)),
        asynchronous: random.one_in(3),
        faults: Vec::new(),
        script: "",
    }
}

/// The same, and loses answers.
fn losing(random: &mut Random) -> Manner {
    let mut manner = sound(random);
    for endpoint in support::ENDPOINTS {
        for call in 1..=3 {
            if random.one_in(3) {
                manner.faults.push(format!("{endpoint}:{call}=lost"));
            }
        }
    }
    manner
}

/// A changed order, and what it changes.
fn modification(manner: fn(&mut Random) -> Manner, systems: Systems) -> Setting {
    let order = |name: &str| fs::read_to_string(support::example().join(name)).expect("an order");
    let first = support::chain_of(&order("order.json"));
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let installed = ["--inventory", "installed.ndjson"];
    let output = workplace.activate(&first, &installed);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let catalog = support::example().join("../catalog/broadband");
    let command = |name| {
        let mut command = workplace.orderctl(&[name, "--catalog"]);
        command.arg(&catalog).arg("--quiet");
        command
    };
    let mut decompose = command("decompose");
    decompose
        .args(["--now", "2027-01-05T12:00:00Z"])
        .args(installed);
    let decomposed = support::filter(&mut decompose, &order("order-modify.json"));
    let chains = support::filter(&mut command("plan"), &decomposed);
    Setting {
        first,
        ..Setting::new(chains, &[], manner, systems)
    }
}

/// Some runs that are killed, and what must be true after the last one. Says how many kills hit.
type Story<'s> = Box<dyn Fn(&mut Random, &Tally) -> usize + Send + 's>;

/// All stories, and how many kills have to hit in each.
fn stories() -> Vec<(usize, Story<'static>)> {
    let one = || chain("order.json", "1");
    let batch = || {
        ["1", "2", "3", "4", "5"]
            .map(|number| chain("order.json", number))
            .concat()
    };
    let settings = [
        (105, Setting::new(one(), &[], sound, READABLE)),
        (105, Setting::new(batch(), &["-j", "3"], sound, KEYS)),
        (105, Setting::new(one(), &[], losing, KEYS)),
        (105, Setting::new(batch(), &["-j", "3"], losing, READABLE)),
        (90, modification(losing, KEYS)),
        (90, modification(losing, READABLE)),
    ];
    let mut stories: Vec<(usize, Story<'static>)> = Vec::new();
    for (kills, setting) in settings {
        let undisturbed = setting.undisturbed();
        let story =
            move |random: &mut Random, tally: &Tally| story(&setting, &undisturbed, random, tally);
        stories.push((kills, Box::new(story)));
    }
    for systems in [KEYS, READABLE] {
        let setting = Setting::new(one(), &[], losing, systems);
        stories.push((
            105,
            Box::new(move |random, tally| cancelled(&setting, random, tally)),
        ));
        let setting = Setting::new(one(), &[], losing, systems);
        stories.push((
            105,
            Box::new(move |random, tally| failed(&setting, random, tally)),
        ));
    }
    stories
}

#[test]
fn killed_a_thousand_times_every_effect_happens_exactly_once() {
    let tally = Tally::default();
    thread::scope(|scope| {
        for (seed, (wanted, story)) in (1..).zip(stories()) {
            let tally = &tally;
            scope.spawn(move || {
                let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
                let mut kills = 0;
                while kills < wanted {
                    kills += story(&mut random, tally);
                }
            });
        }
    });
    let [kills, midway, resumed] =
        [tally.kills, tally.midway, tally.resumed].map(AtomicUsize::into_inner);
    println!("{kills} kills, {midway} of them midway; {resumed} requests were repeated");
    assert!(kills >= KILLS, "only {kills} kills hit a running process");
    assert!(
        midway >= KILLS_MIDWAY,
        "only {midway} of {kills} kills hit midway"
    );
    assert!(resumed > 0, "no kill hit between a request and its answer");
}

/// Most kills of one story.
const KILLS_EACH: u64 = 6;

/// Kills some runs, lets the next ones finish, and looks at what happened. Says
/// how many kills hit.
fn story(setting: &Setting, undisturbed: &[Value], random: &mut Random, tally: &Tally) -> usize {
    let mut manner = (setting.manner)(random);
    manner.script = setting.systems.script;
    let mock = Mock::with(&manner);
    let workplace = setting.workplace(&mock, "");
    let made = setting.begin(&workplace, &mock);
    workplace.write("chains", &setting.chains);
    let mut kills = 0;
    for _ in 0..=random.below(KILLS_EACH) {
        let run = workplace.begin("chains", setting.arguments);
        if !kill(run, &mock.record_file(), &workplace, setting, random) {
            break;
        }
        kills += 1;
        tally.note(&mock.record()[made..], setting.effects());
    }

    let finished = finish(&workplace, setting, 0);
    assert_eq!(without_dates(&documents(&finished)), undisturbed);
    let record = &mock.record()[made..];
    every_effect_happened_once(record, &setting.plans);
    for plan in &setting.plans {
        the_journal_tells_how_it_was_done(&workplace.journal(), plan);
    }
    tally.note_repeated(record);

    let again = workplace.activate(&setting.chains, setting.arguments);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(stdout(&again), finished);
    assert_eq!(mock.record()[made..], *record);
    kills
}

/// Runs the command until it is done, which it says by this exit code; what it wrote then.
fn finish(workplace: &Workplace, setting: &Setting, code: i32) -> String {
    for _ in 0..RUNS_TO_FINISH {
        let output = workplace.activate(&setting.chains, setting.arguments);
        match output.status.code() {
            Some(ended) if ended == code => return stdout(&output),
            Some(3) => {}
            _ => panic!("{}: {}", output.status, stderr(&output)),
        }
    }
    panic!("not done after {RUNS_TO_FINISH} undisturbed runs");
}

/// Kills a run at a moment of its progress. False where it ended before.
fn kill(
    mut run: Child,
    record: &Path,
    workplace: &Workplace,
    setting: &Setting,
    random: &mut Random,
) -> bool {
    let log = workplace.path("journal.db-wal");
    let effects = setting.effects() as u64;
    let (file, growth) = match random.below(10) {
        // While it starts, reads, and opens the journal.
        0 => (record, 0),
        1..5 => (&*log, 1 + random.below(effects * 3) * LOG_STEP),
        _ => (record, 1 + random.below(effects) * 800),
    };
    let size = || fs::metadata(file).map_or(0, |it| it.len());
    let before = if file == record { size() } else { 0 };
    let begun = Instant::now();
    while size() < before + growth {
        if run.try_wait().expect("it can be waited for").is_some() {
            break;
        }
        assert!(begun.elapsed() < TIME_LIMIT, "the run hangs");
        thread::sleep(LOOK);
    }
    let reached = Instant::now();
    let longer = Duration::from_micros(random.below(if growth == 0 { 40_000 } else { 3_000 }));
    while reached.elapsed() < longer {
        std::hint::spin_loop();
    }
    run.kill().expect("it is a child");
    let status = run.wait().expect("it can be waited for");
    if status.signal() == Some(9) {
        return true;
    }
    assert!(
        matches!(status.code(), Some(0 | 3)),
        "{status}: {}",
        workplace.read("stderr")
    );
    false
}

/// Loses answers to requests, and to removals, and refuses the last task of all.
fn refusing(systems: Systems, random: &mut Random) -> Manner {
    let mut manner = losing(random);
    manner.asynchronous = false;
    manner.script = systems.script;
    // The first that fits counts.
    manner.faults.insert(0, "wifi:*=422".to_owned());
    manner
        .faults
        .push("*/method=DELETE:30%,try1=lost".to_owned());
    manner
}

/// Kills runs with the chains of a setting.
fn kill_some(
    setting: &Setting,
    (workplace, mock): (&Workplace, &Mock),
    random: &mut Random,
    tally: &Tally,
) -> usize {
    workplace.write("chains", &setting.chains);
    let made = mock.record().len();
    let mut kills = 0;
    for _ in 0..=random.below(KILLS_EACH) {
        let run = workplace.begin("chains", &[]);
        let growth = 1 + random.below(6) * 500;
        if !killed_after(run, &mock.record_file(), growth, (workplace, random)) {
            break;
        }
        kills += 1;
        tally.note(&mock.record()[made..], 6);
    }
    kills
}

/// What was applied: method, endpoint and id of the resource.
fn applied(record: &[Call], method: &str) -> Vec<String> {
    let calls = record
        .iter()
        .filter(|call| call.is_applied() && call.method == method);
    let mut resources: Vec<String> = calls
        .map(|call| {
            let last = call.path.rsplit('/').next();
            let id = call.body["id"].as_str().or(last).unwrap_or_default();
            format!("{} {id}", call.endpoint)
        })
        .collect();
    resources.sort_unstable();
    resources
}

/// Nothing was made or removed twice, and nothing is left.
fn all_is_undone_once(record: &[Call]) {
    let made = applied(record, "POST");
    let mut once = made.clone();
    once.dedup();
    assert_eq!(made, once, "something was made twice");
    assert_eq!(applied(record, "DELETE"), made);
    assert!(!made.is_empty());
}

/// An order that is held at its last task is cancelled, and killed while that is carried out.
fn cancelled(setting: &Setting, random: &mut Random, tally: &Tally) -> usize {
    let mock = Mock::with(&refusing(setting.systems, random));
    let workplace = setting.workplace(&mock, "");
    let held = workplace.activate(&setting.chains, &[]);
    assert_eq!(held.status.code(), Some(3), "{}", stderr(&held));
    let mut command = workplace.orderctl(&["plan", "--cancel", "ORD-1", "--quiet"]);
    let cancellation = Setting {
        chains: support::filter(&mut command, ""),
        plans: Vec::new(),
        first: String::new(),
        ..*setting
    };
    let kills = kill_some(&cancellation, (&workplace, &mock), random, tally);
    finish(&workplace, &cancellation, 0);
    all_is_undone_once(&mock.record());
    assert_eq!(applied(&mock.record(), "DELETE").len(), 6);
    tally.note_repeated(&mock.record());
    kills
}

/// An order whose last task fails is undone, and killed on its whole way.
fn failed(setting: &Setting, random: &mut Random, tally: &Tally) -> usize {
    let mock = Mock::with(&refusing(setting.systems, random));
    let workplace = setting.workplace(&mock, "onFailure = \"compensate\"\n");
    let kills = kill_some(setting, (&workplace, &mock), random, tally);
    finish(&workplace, setting, 1);
    all_is_undone_once(&mock.record());
    tally.note_repeated(&mock.record());
    kills
}

/// Kills a run when a file has grown by so many bytes. False where it ended before.
fn killed_after(
    mut run: Child,
    file: &Path,
    growth: u64,
    (workplace, random): (&Workplace, &mut Random),
) -> bool {
    let size = || fs::metadata(file).map_or(0, |it| it.len());
    let before = size();
    let begun = Instant::now();
    while size() < before + growth {
        if run.try_wait().expect("it can be waited for").is_some() {
            break;
        }
        assert!(begun.elapsed() < TIME_LIMIT, "the run hangs");
        thread::sleep(LOOK);
    }
    let reached = Instant::now();
    let longer = Duration::from_micros(random.below(3_000));
    while reached.elapsed() < longer {
        std::hint::spin_loop();
    }
    run.kill().expect("it is a child");
    let status = run.wait().expect("it can be waited for");
    assert!(
        status.signal() == Some(9) || matches!(status.code(), Some(0 | 1 | 3)),
        "{status}: {}",
        workplace.read("stderr")
    );
    status.signal() == Some(9)
}
