//! Forward and backward pass: earliest and latest starts, slack, critical
//! path, waves. Linear in tasks and dependencies.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::{SignedDuration, Timestamp};

use super::flow::Schedule;

/// When tasks can and have to start, by position.
#[derive(Debug)]
pub struct Times {
    /// Positions in an order in which every task comes after those before it.
    pub order: Vec<usize>,
    /// Earliest start after the beginning.
    pub earliest: Vec<SignedDuration>,
    /// Latest start that does not delay the end.
    pub latest: Vec<SignedDuration>,
    /// Wave, from 1.
    pub wave: Vec<u32>,
    length: SignedDuration,
    path: Vec<usize>,
}

impl Times {
    /// Times of an acyclic graph; `before[task]` are the tasks that a task waits for.
    pub fn compute(before: &[Vec<usize>], durations: &[SignedDuration]) -> Times {
        let count = before.len();
        let mut after = vec![Vec::new(); count];
        let mut missing: Vec<usize> = before.iter().map(Vec::len).collect();
        for (task, before) in before.iter().enumerate() {
            for &other in before {
                after[other].push(task);
            }
        }
        let mut wave = vec![1; count];
        let mut earliest = vec![SignedDuration::ZERO; count];
        let mut order = Vec::with_capacity(count);
        // By wave, then as they stand in the order: plans read from top to bottom.
        let mut ready: BinaryHeap<Reverse<(u32, usize)>> = missing
            .iter()
            .enumerate()
            .filter(|(_, missing)| **missing == 0)
            .map(|(task, _)| Reverse((1, task)))
            .collect();
        while let Some(Reverse((_, task))) = ready.pop() {
            order.push(task);
            let end = earliest[task].saturating_add(durations[task]);
            for &next in &after[task] {
                earliest[next] = earliest[next].max(end);
                wave[next] = wave[next].max(wave[task] + 1);
                missing[next] -= 1;
                if missing[next] == 0 {
                    ready.push(Reverse((wave[next], next)));
                }
            }
        }
        let ends = |task: usize| earliest[task].saturating_add(durations[task]);
        let length = (0..count).map(ends).max().unwrap_or_default();
        let mut latest: Vec<SignedDuration> = durations
            .iter()
            .map(|duration| length - *duration)
            .collect();
        for &task in order.iter().rev() {
            for &next in &after[task] {
                latest[task] = latest[task].min(latest[next] - durations[task]);
            }
        }
        let mut times = Times {
            order,
            earliest,
            latest,
            wave,
            length,
            path: Vec::new(),
        };
        times.path = times.critical_path(before, durations);
        times
    }

    /// Whether any delay of a task delays the end.
    pub fn is_critical(&self, task: usize) -> bool {
        self.earliest[task] == self.latest[task]
    }

    /// From the task that ends last back to one that waits for nothing; of several the first.
    fn critical_path(&self, before: &[Vec<usize>], durations: &[SignedDuration]) -> Vec<usize> {
        let ends = |task: usize| self.earliest[task].saturating_add(durations[task]);
        let mut path = Vec::new();
        // The last of its wave comes last, so that tasks without duration are part of the path.
        let last = self
            .order
            .iter()
            .copied()
            .filter(|task| ends(*task) == self.length);
        let mut here = last.max_by_key(|task| (self.wave[*task], Reverse(*task)));
        while let Some(task) = here {
            path.push(task);
            let start = self.earliest[task];
            let preceding = before[task]
                .iter()
                .copied()
                .filter(|other| ends(*other) == start);
            here = preceding.max_by_key(|other| (self.wave[*other], Reverse(*other)));
        }
        path.reverse();
        path
    }

    /// The figures for the plan.
    pub fn schedule(
        &self,
        names: &[&str],
        durations: &[SignedDuration],
        requested: Option<Timestamp>,
    ) -> Schedule {
        let total = durations
            .iter()
            .fold(SignedDuration::ZERO, |sum, it| sum.saturating_add(*it));
        let start = requested.and_then(|date| date.checked_sub(self.length).ok());
        Schedule {
            expected_duration: iso(self.length),
            total_duration: iso(total),
            waves: self.wave.iter().copied().max().unwrap_or(0),
            critical_path: self
                .path
                .iter()
                .map(|task| names[*task].to_owned())
                .collect(),
            start: None,
            expected_completion: None,
            jeopardy: None,
            calculated_start: start.map(|start| start.to_string()),
        }
    }
}

/// ISO 8601 with hours, minutes and seconds: `PT4H11M`.
pub fn iso(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = String::from("PT");
    for (number, unit) in [(hours, 'H'), (minutes, 'M'), (seconds, 'S')] {
        if number != 0 {
            text.push_str(&number.to_string());
            text.push(unit);
        }
    }
    if text == "PT" {
        text.push_str("0S");
    }
    text
}

/// An ISO 8601 duration as people write it: `4 h 11 min`; the text itself if it is none.
pub fn duration_for_people(iso: &str) -> String {
    let Some(duration) = crate::catalog::iso_duration(iso) else {
        return iso.to_owned();
    };
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 86400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let shown: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number != 0)
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect();
    if shown.is_empty() {
        "0 s".to_owned()
    } else {
        shown.join(" ")
    }
}
