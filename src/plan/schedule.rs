//! Forward and backward pass: earliest and latest starts, slack, critical
//! path, waves. Linear in tasks and dependencies but for their sorting.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::{SignedDuration, Timestamp};

use super::draft::Bounds;
use super::flow::Schedule;
use super::network::Wait;

/// Latest start within a window that ends at some moment: before it.
const BEFORE_END: SignedDuration = SignedDuration::from_secs(1);

/// What the passes are made over, by position.
#[derive(Debug, Clone, Copy)]
pub struct Work<'w> {
    /// What each task waits for.
    pub before: &'w [Vec<Wait>],
    /// Expected durations.
    pub durations: &'w [SignedDuration],
    /// When tasks may start.
    pub windows: &'w [Bounds],
}

/// The dates that an order names, and the moment of planning.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dates {
    /// When everything is wanted to be done.
    pub requested: Option<Timestamp>,
    /// Before what nothing starts.
    pub base: Option<Timestamp>,
}

/// When tasks can and have to start, by position.
#[derive(Debug)]
pub struct Times {
    /// Positions in an order in which every task comes after those before it.
    pub order: Vec<usize>,
    /// Earliest start after the beginning.
    pub earliest: Vec<SignedDuration>,
    /// Latest start that does not delay the end, nor miss a window.
    pub latest: Vec<SignedDuration>,
    /// Wave, from 1.
    pub wave: Vec<u32>,
    /// Tasks whose window is over before they can start.
    pub missed: Vec<usize>,
    /// When the plan starts, if that is known.
    pub start: Option<Timestamp>,
    /// The critical path.
    pub path: Vec<usize>,
    length: SignedDuration,
    calculated: Option<Timestamp>,
}

impl Times {
    /// Times of an acyclic graph. It starts so late that what is requested can be met, but not
    /// before the base; once the start is known, windows count.
    pub fn compute(work: Work<'_>, dates: Dates) -> Times {
        let mut times = Times::passes(work, None);
        let calculated = dates
            .requested
            .and_then(|requested| times.latest_beginning(work, requested));
        let start = calculated.max(dates.base);
        if start.is_some() && work.windows.iter().any(|it| *it != Bounds::default()) {
            times = Times::passes(work, start);
        }
        times.start = start;
        times.calculated = calculated;
        times
    }

    fn passes(work: Work<'_>, start: Option<Timestamp>) -> Times {
        let Work {
            before, durations, ..
        } = work;
        let count = before.len();
        let after_start = |moment: Option<Timestamp>| Some(moment?.duration_since(start?));
        let mut after = vec![Vec::new(); count];
        for (task, waits) in before.iter().enumerate() {
            for wait in waits {
                after[wait.before].push((task, wait.lag));
            }
        }
        let mut earliest: Vec<SignedDuration> = work
            .windows
            .iter()
            .map(|window| after_start(window.start).unwrap_or_default())
            .map(|opens| opens.max(SignedDuration::ZERO))
            .collect();
        let mut missing: Vec<usize> = before.iter().map(Vec::len).collect();
        let mut wave = vec![1; count];
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
            for &(next, lag) in &after[task] {
                earliest[next] = earliest[next].max(end.saturating_add(lag));
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
        let mut missed = Vec::new();
        for &task in order.iter().rev() {
            for &(next, lag) in &after[task] {
                let start = latest[next].saturating_sub(lag);
                latest[task] = latest[task].min(start.saturating_sub(durations[task]));
            }
            if let Some(closes) = after_start(work.windows[task].end) {
                latest[task] = latest[task].min(closes.saturating_sub(BEFORE_END));
                if closes <= earliest[task] {
                    missed.push(task);
                }
            }
            // What cannot be met any more is as late as it is.
            latest[task] = latest[task].max(earliest[task]);
        }
        missed.sort_unstable();
        let mut times = Times {
            order,
            earliest,
            latest,
            wave,
            missed,
            start: None,
            length,
            path: Vec::new(),
            calculated: None,
        };
        times.path = times.critical_path(work);
        times
    }

    /// The latest beginning with which everything is done as requested, and every task that has a
    /// window is ready for it.
    fn latest_beginning(&self, work: Work<'_>, requested: Timestamp) -> Option<Timestamp> {
        let mut beginning = requested.checked_sub(self.length).ok()?;
        for (task, window) in work.windows.iter().enumerate() {
            let closes = window.end.and_then(|end| end.checked_sub(BEFORE_END).ok());
            let ready = window.start.or(closes);
            if let Some(ready) = ready.and_then(|it| it.checked_sub(self.earliest[task]).ok()) {
                beginning = beginning.min(ready);
            }
        }
        Some(beginning)
    }

    /// Whether any delay of a task delays the end.
    pub fn is_critical(&self, task: usize) -> bool {
        self.earliest[task] == self.latest[task]
    }

    /// When everything is done, where the start is known.
    pub fn completion(&self) -> Option<Timestamp> {
        self.start?.checked_add(self.length).ok()
    }

    /// From the task that ends last back to one that waits for nothing but a window; of several the
    /// first.
    fn critical_path(&self, work: Work<'_>) -> Vec<usize> {
        let ends = |task: usize| self.earliest[task].saturating_add(work.durations[task]);
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
            let waits = work.before[task].iter();
            let preceding = waits
                .filter(|wait| ends(wait.before).saturating_add(wait.lag) == start)
                .map(|wait| wait.before);
            here = preceding.max_by_key(|other| (self.wave[*other], Reverse(*other)));
        }
        path.reverse();
        path
    }

    /// The figures for the plan.
    pub fn schedule(&self, names: &[&str], work: Work<'_>, dates: Dates) -> Schedule {
        let total = work
            .durations
            .iter()
            .fold(SignedDuration::ZERO, |sum, it| sum.saturating_add(*it));
        let completion = self.completion();
        let late = completion.zip(dates.requested);
        let late = late.filter(|(completion, requested)| completion > requested);
        let text = |moment: Timestamp| moment.to_string();
        Schedule {
            expected_duration: iso(self.length),
            total_duration: iso(total),
            waves: self.wave.iter().copied().max().unwrap_or(0),
            critical_path: self
                .path
                .iter()
                .map(|task| names[*task].to_owned())
                .collect(),
            start: self.start.map(text),
            expected_completion: completion.map(text),
            jeopardy: late.map(|(completion, requested)| iso(completion.duration_since(requested))),
            calculated_start: self.calculated.map(text),
        }
    }
}

/// ISO 8601 with hours, minutes and seconds: `PT4H11M`.
pub fn iso(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = String::with_capacity(16);
    text.push_str("PT");
    let mut digits = itoa::Buffer::new();
    for (number, unit) in [(hours, 'H'), (minutes, 'M'), (seconds, 'S')] {
        if number != 0 {
            text.push_str(digits.format(number));
            text.push(unit);
        }
    }
    if text == "PT" {
        text.push_str("0S");
    }
    text
}

/// Reads an ISO 8601 duration as plans have them; a day is 24 hours.
pub fn duration(iso: &str) -> Option<SignedDuration> {
    crate::catalog::iso_duration(iso)
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

/// A number with its thousands apart: `1,006`.
pub fn count_for_people(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.char_indices() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
