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
use support::mock::Manner;
use support::{Mock, Workplace, chain, documents, stderr, stdout};

/// Kills that have to hit a running process.
const KILLS: usize = 200;

/// How many of them have to hit while some effects have happened and others not.
const KILLS_MIDWAY: usize = KILLS / 2;

/// Bytes by which the journal's log grows with the smallest transaction.
const LOG_STEP: u64 = 4120;

/// Most runs that it may take to finish what kills have left.
const RUNS_TO_FINISH: usize = 3;

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
    settings: "",
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

    /// What comes out where nobody disturbs it.
    fn undisturbed(&self) -> Vec<Value> {
        let mock = Mock::start();
        let workplace = Workplace::new(&mock.url());
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

#[test]
fn killed_two_hundred_times_every_effect_happens_exactly_once() {
    let one = || chain("order.json", "1");
    let batch = || {
        ["1", "2", "3", "4", "5"]
            .map(|number| chain("order.json", number))
            .concat()
    };
    let settings = [
        Setting::new(one(), &[], sound, READABLE),
        Setting::new(batch(), &["-j", "3"], sound, KEYS),
        Setting::new(one(), &[], losing, KEYS),
        Setting::new(batch(), &["-j", "3"], losing, READABLE),
    ];
    let tally = Tally::default();
    thread::scope(|scope| {
        for (seed, setting) in (1..).zip(&settings) {
            let tally = &tally;
            scope.spawn(move || {
                let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
                let undisturbed = setting.undisturbed();
                let mut kills = 0;
                while kills < KILLS.div_ceil(4) {
                    kills += story(setting, &undisturbed, &mut random, tally);
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

/// Kills some runs, lets the next ones finish, and looks at what happened. Says
/// how many kills hit.
fn story(setting: &Setting, undisturbed: &[Value], random: &mut Random, tally: &Tally) -> usize {
    let mut manner = (setting.manner)(random);
    manner.script = setting.systems.script;
    let mock = Mock::with(&manner);
    let workplace = Workplace::new(&mock.url());
    let usual = "timeout = \"20s\"\nconcurrency = 4\nretries = 5\n";
    workplace.endpoints(&mock.url(), &format!("{usual}{}", setting.systems.settings));
    workplace.write("chains", &setting.chains);
    let mut kills = 0;
    for _ in 0..=random.below(4) {
        let run = workplace.begin("chains", setting.arguments);
        if !kill(run, &mock.record_file(), &workplace, setting, random) {
            break;
        }
        kills += 1;
        let applied = mock
            .record()
            .iter()
            .filter(|call| call.is_applied())
            .count();
        if (1..setting.effects()).contains(&applied) {
            tally.midway.fetch_add(1, Ordering::Relaxed);
        }
    }
    tally.kills.fetch_add(kills, Ordering::Relaxed);

    let finished = finish(&workplace, setting);
    assert_eq!(without_dates(&documents(&finished)), undisturbed);
    let record = mock.record();
    every_effect_happened_once(&record, &setting.plans);
    for plan in &setting.plans {
        the_journal_tells_how_it_was_done(&workplace.journal(), plan);
    }
    let replayed = record
        .iter()
        .filter(|call| call.effect == "replayed")
        .count();
    tally.resumed.fetch_add(replayed, Ordering::Relaxed);

    let again = workplace.activate(&setting.chains, setting.arguments);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(stdout(&again), finished);
    assert_eq!(mock.record(), record);
    kills
}

/// Runs the command until it is done; what it wrote then.
fn finish(workplace: &Workplace, setting: &Setting) -> String {
    for _ in 0..RUNS_TO_FINISH {
        let output = workplace.activate(&setting.chains, setting.arguments);
        match output.status.code() {
            Some(0) => return stdout(&output),
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
        thread::yield_now();
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

/// Kills that have to hit while an order is undone.
const UNDO_KILLS: usize = 40;

/// An order that is held at its last task is cancelled, and killed while that is carried out, at
/// systems that keep keys and at systems that can be asked. Nothing is left, and nothing is removed
/// twice.
#[test]
fn killed_while_it_is_undone_nothing_is_left_and_nothing_is_undone_twice() {
    let kills = AtomicUsize::new(0);
    thread::scope(|scope| {
        for (seed, systems) in [(11, KEYS), (12, READABLE)] {
            let kills = &kills;
            scope.spawn(move || {
                let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
                let mut own = 0;
                while own < UNDO_KILLS / 2 {
                    own += undone_story(systems, &mut random);
                }
                kills.fetch_add(own, Ordering::Relaxed);
            });
        }
    });
    assert!(kills.into_inner() >= UNDO_KILLS);
}

fn undone_story(systems: Systems, random: &mut Random) -> usize {
    let mut manner = losing(random);
    manner.asynchronous = false;
    manner.script = systems.script;
    // The first that fits counts.
    manner.faults.insert(0, "wifi:*=422".to_owned());
    manner
        .faults
        .push("*/method=DELETE:30%,try1=lost".to_owned());
    let mock = Mock::with(&manner);
    let workplace = Workplace::new(&mock.url());
    let usual = "timeout = \"20s\"\nconcurrency = 4\nretries = 5\n";
    workplace.endpoints(&mock.url(), &format!("{usual}{}", systems.settings));
    let held = workplace.activate(&chain("order.json", "1"), &[]);
    assert_eq!(held.status.code(), Some(3), "{}", stderr(&held));
    let mut command = workplace.orderctl(&["plan", "--cancel", "ORD-1", "--quiet"]);
    let plan = support::filter(&mut command, "");
    let setting = Setting {
        chains: plan.clone(),
        plans: Vec::new(),
        arguments: &[],
        manner: losing,
        systems,
    };
    workplace.write("chains", &plan);
    let made = mock.record().len();
    let mut kills = 0;
    for _ in 0..=random.below(4) {
        let run = workplace.begin("chains", &[]);
        let file = mock.record_file();
        let growth = 1 + random.below(6) * 500;
        if !killed_after(run, &file, growth, (&workplace, random)) {
            break;
        }
        kills += 1;
    }
    finish(&workplace, &setting);
    let record = mock.record();
    let removed = record[made..].iter().filter(|call| call.is_applied());
    let mut paths: Vec<&str> = removed.map(|call| call.path.as_str()).collect();
    assert_eq!(paths.len(), 6, "{paths:?}");
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), 6, "something was undone twice");
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
        thread::yield_now();
    }
    let reached = Instant::now();
    let longer = Duration::from_micros(random.below(3_000));
    while reached.elapsed() < longer {
        std::hint::spin_loop();
    }
    run.kill().expect("it is a child");
    let status = run.wait().expect("it can be waited for");
    assert!(
        status.signal() == Some(9) || matches!(status.code(), Some(0 | 3)),
        "{status}: {}",
        workplace.read("stderr")
    );
    status.signal() == Some(9)
}
