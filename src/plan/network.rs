//! The network of tasks: which waits for which, for how long, and until what.

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use jiff::SignedDuration;

use super::flow::Until;

/// That a task waits for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Position of the task that is waited for.
    pub before: usize,
    /// How long after its end.
    pub lag: SignedDuration,
    /// What it has to have come to.
    pub until: Until,
}

/// What lies between a task and one that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gap {
    /// How long after its end.
    pub lag: SignedDuration,
    /// What it has to have come to.
    pub until: Until,
}

impl Wait {
    /// Until a task is completed.
    pub fn on(before: usize) -> Wait {
        Wait {
            before,
            lag: SignedDuration::ZERO,
            until: Until::Completed,
        }
    }

    /// Until some time after a task has come to something.
    pub fn after(before: usize, Gap { lag, until }: Gap) -> Wait {
        Wait { before, lag, until }
    }
}

/// Tasks by position, and what each waits for.
#[derive(Debug, Default)]
pub struct Network {
    /// What each task waits for.
    pub before: Vec<Vec<Wait>>,
    /// The tasks that wait for each.
    after: Vec<Vec<usize>>,
    /// Tasks from here on are points between others: sets are looked at through them.
    points: usize,
    /// Number of the set that a task was last looked at for.
    marks: Vec<u32>,
    mark: u32,
}

/// A direction in which the network is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

impl Network {
    /// A network of so many tasks, which wait for nothing yet.
    pub fn new(tasks: usize) -> Network {
        Network {
            before: vec![Vec::new(); tasks],
            after: vec![Vec::new(); tasks],
            points: tasks,
            marks: vec![0; tasks],
            mark: 0,
        }
    }

    /// Adds a point between tasks.
    pub fn add(&mut self) -> usize {
        self.before.push(Vec::new());
        self.after.push(Vec::new());
        self.marks.push(0);
        self.before.len() - 1
    }

    /// Lets a task wait.
    pub fn wait(&mut self, task: usize, wait: Wait) {
        self.after[wait.before].push(task);
        self.before[task].push(wait);
    }

    /// Those of a set that wait for nothing in it.
    pub fn firsts(&mut self, set: &[usize]) -> Vec<usize> {
        self.ends(set, Side::Before)
    }

    /// Those of a set that nothing in it waits for.
    pub fn lasts(&mut self, set: &[usize]) -> Vec<usize> {
        self.ends(set, Side::After)
    }

    fn ends(&mut self, set: &[usize], side: Side) -> Vec<usize> {
        if set.len() < 2 {
            return set.to_vec();
        }
        self.mark(set);
        let mut seen = HashMap::new();
        let inside = |task: usize| self.marks[task] == self.mark;
        let leads_inside = |task: usize| self.neighbours(task, side).any(inside);
        let mut is_inner = |task: usize| {
            self.neighbours(task, side).any(|other| {
                inside(other)
                    || other >= self.points
                        && *seen.entry(other).or_insert_with(|| leads_inside(other))
            })
        };
        let ends = set.iter().copied();
        ends.filter(|task| !is_inner(*task)).collect()
    }

    /// Those of a set that one of its members waits for, directly or through others of the set,
    /// these members included.
    pub fn closure_before(&mut self, set: &[usize], members: &[usize]) -> Vec<usize> {
        self.mark(set);
        let mark = self.mark;
        let mut found = Vec::new();
        let mut points = HashSet::new();
        let mut open = members.to_vec();
        while let Some(task) = open.pop() {
            if self.marks[task] == mark {
                self.marks[task] = 0;
                found.push(task);
            } else if task < self.points || !points.insert(task) {
                continue;
            }
            open.extend(self.before[task].iter().map(|wait| wait.before));
        }
        found.sort_unstable();
        found
    }

    fn mark(&mut self, set: &[usize]) {
        self.mark += 1;
        for &task in set {
            self.marks[task] = self.mark;
        }
    }

    fn neighbours(&self, task: usize, side: Side) -> impl Iterator<Item = usize> {
        let (before, after) = match side {
            Side::Before => (&self.before[task][..], &[][..]),
            Side::After => (&[][..], &self.after[task][..]),
        };
        before
            .iter()
            .map(|wait| wait.before)
            .chain(after.iter().copied())
    }

    /// Puts what each task waits for in order, without repetition: of two waits for one task the
    /// stricter remains.
    pub fn settle(&mut self) {
        self.after = Vec::new();
        for waits in &mut self.before {
            waits.sort_unstable_by_key(|wait| wait.before);
            waits.dedup_by(|other, kept| {
                let same = other.before == kept.before;
                if same {
                    kept.lag = kept.lag.max(other.lag);
                    if other.until == Until::Completed {
                        kept.until = Until::Completed;
                    }
                }
                same
            });
        }
    }

    /// Whether no tasks wait for each other. To be asked before what they wait for is settled.
    pub fn is_acyclic(&self) -> bool {
        let mut missing: Vec<usize> = self.before.iter().map(Vec::len).collect();
        let tasks = 0..self.before.len();
        let mut ready: Vec<usize> = tasks.filter(|task| missing[*task] == 0).collect();
        let mut done = 0;
        while let Some(task) = ready.pop() {
            done += 1;
            for &next in &self.after[task] {
                missing[next] -= 1;
                if missing[next] == 0 {
                    ready.push(next);
                }
            }
        }
        done == self.before.len()
    }

    /// The bare edges, from each task to those that it waits for.
    pub fn edges(&self) -> Vec<Vec<usize>> {
        let waits = self.before.iter();
        waits
            .map(|waits| waits.iter().map(|wait| wait.before).collect())
            .collect()
    }
}
