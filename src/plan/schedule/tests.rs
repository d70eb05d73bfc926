//! Forward and backward pass, on small networks and on any.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::plan::flow::Until;
use crate::plan::network::Gap;

const HOUR: i64 = 3600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a moment")
}

fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// A network: what each task waits for and the lag, its duration, its window.
#[derive(Debug, Clone, Default)]
struct Tasks {
    before: Vec<Vec<Wait>>,
    durations: Vec<SignedDuration>,
    windows: Vec<Bounds>,
}

impl Tasks {
    fn add(&mut self, duration: i64, waits: &[(usize, i64)], window: (Option<i64>, Option<i64>)) {
        let wait = |(before, lag): &(usize, i64)| {
            let until = Until::Completed;
            let lag = secs(*lag);
            Wait::after(*before, Gap { lag, until })
        };
        self.before.push(waits.iter().map(wait).collect());
        self.durations.push(secs(duration));
        self.windows.push(Bounds {
            start: window.0.map(at),
            end: window.1.map(at),
            guessed: false,
        });
    }

    fn work(&self) -> Work<'_> {
        Work {
            before: &self.before,
            durations: &self.durations,
            windows: &self.windows,
        }
    }

    fn times(&self, requested: Option<i64>, base: Option<i64>) -> Times {
        let dates = Dates {
            requested: requested.map(at),
            base: base.map(at),
        };
        Times::compute(self.work(), dates)
    }
}

const ANY_TIME: (Option<i64>, Option<i64>) = (None, None);

#[test]
fn a_lag_counts_in_both_passes() {
    let mut tasks = Tasks::default();
    tasks.add(600, &[], ANY_TIME);
    tasks.add(300, &[(0, 1800)], ANY_TIME);
    tasks.add(600, &[(0, 0)], ANY_TIME);
    let times = tasks.times(None, None);
    assert_eq!(times.earliest, [secs(0), secs(2400), secs(600)]);
    assert_eq!(times.latest, [secs(0), secs(2400), secs(2100)]);
    assert_eq!(
        (times.length, times.path.as_slice()),
        (secs(2700), &[0, 1][..])
    );
    assert_eq!((times.start, times.completion()), (None, None));
}

#[test]
fn a_plan_starts_as_late_as_its_date_allows_but_not_before_its_base() {
    let mut tasks = Tasks::default();
    tasks.add(HOUR, &[], ANY_TIME);
    let times = tasks.times(Some(5 * HOUR), Some(0));
    assert_eq!(
        (times.calculated, times.start),
        (Some(at(4 * HOUR)), Some(at(4 * HOUR)))
    );
    let times = tasks.times(Some(HOUR / 2), Some(0));
    assert_eq!(
        (times.calculated, times.start),
        (Some(at(-HOUR / 2)), Some(at(0)))
    );
    let late = times.schedule(
        &["a"],
        tasks.work(),
        Dates {
            requested: Some(at(HOUR / 2)),
            base: None,
        },
    );
    assert_eq!(late.jeopardy.as_deref(), Some("PT30M"));
    assert_eq!(tasks.times(None, Some(7)).start, Some(at(7)));
}

#[test]
fn a_window_holds_its_task_back_and_gives_time_to_those_before_it() {
    let mut tasks = Tasks::default();
    tasks.add(HOUR, &[], ANY_TIME);
    tasks.add(HOUR, &[(0, 0)], (Some(10 * HOUR), Some(12 * HOUR)));
    tasks.add(HOUR, &[(1, 0)], ANY_TIME);
    let times = tasks.times(None, Some(0));
    assert_eq!(times.earliest, [secs(0), secs(10 * HOUR), secs(11 * HOUR)]);
    assert_eq!(
        times.latest,
        [secs(9 * HOUR), secs(10 * HOUR), secs(11 * HOUR)]
    );
    assert_eq!(
        (times.path.as_slice(), times.missed.as_slice()),
        (&[1, 2][..], &[][..])
    );
    // Without a beginning nobody knows how far away the window is.
    assert_eq!(tasks.times(None, None).length, secs(3 * HOUR));
}

#[test]
fn a_plan_starts_early_enough_for_its_windows() {
    let mut tasks = Tasks::default();
    tasks.add(HOUR, &[], ANY_TIME);
    tasks.add(HOUR, &[(0, 0)], (Some(10 * HOUR), Some(12 * HOUR)));
    let times = tasks.times(Some(100 * HOUR), None);
    assert_eq!(
        (times.start, times.completion()),
        (Some(at(9 * HOUR)), Some(at(11 * HOUR)))
    );
    let mut tasks = Tasks::default();
    tasks.add(HOUR, &[], ANY_TIME);
    tasks.add(HOUR, &[(0, 0)], (None, Some(12 * HOUR)));
    let times = tasks.times(Some(100 * HOUR), None);
    assert_eq!(
        (times.start, times.missed.len()),
        (Some(at(11 * HOUR - 1)), 0)
    );
}

#[test]
fn a_window_that_is_over_too_soon_is_missed() {
    let mut tasks = Tasks::default();
    tasks.add(HOUR, &[], ANY_TIME);
    tasks.add(HOUR, &[(0, 0)], (None, Some(HOUR)));
    tasks.add(HOUR, &[(0, 0)], (None, Some(HOUR + 1)));
    let times = tasks.times(None, Some(0));
    assert_eq!(times.missed, [1]);
    assert_eq!(times.latest, [secs(0), secs(HOUR), secs(HOUR)]);
}

#[test]
fn durations_are_written_for_programs_and_for_people() {
    for (seconds, iso_text, people) in [
        (0, "PT0S", "0 s"),
        (59, "PT59S", "59 s"),
        (4 * HOUR + 660, "PT4H11M", "4 h 11 min"),
        (49 * HOUR, "PT49H", "2 d 1 h"),
    ] {
        assert_eq!(iso(secs(seconds)), iso_text);
        assert_eq!(duration_for_people(iso_text), people);
    }
    for (count, text) in [
        (0, "0"),
        (999, "999"),
        (1006, "1,006"),
        (1_234_567, "1,234,567"),
    ] {
        assert_eq!(count_for_people(count), text);
    }
}

fn networks() -> impl Strategy<Value = Tasks> {
    let window = prop_oneof![
        3 => Just(ANY_TIME),
        1 => (0_i64..40).prop_map(|start| (Some(start), None)),
        1 => (0_i64..40, 1_i64..40).prop_map(|(start, length)| (Some(start), Some(start + length))),
        1 => (0_i64..80).prop_map(|end| (None, Some(end))),
    ];
    let task = (0_i64..10, vec((any::<u8>(), 0_i64..5), 0..4), window);
    vec(task, 1..14).prop_map(|dice| {
        let mut tasks = Tasks::default();
        for (index, (duration, waits, window)) in dice.into_iter().enumerate() {
            let waits: Vec<(usize, i64)> = waits
                .into_iter()
                .filter(|_| index > 0)
                .map(|(before, lag)| (usize::from(before) % index, lag))
                .collect();
            tasks.add(duration, &waits, window);
        }
        tasks
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_passes_keep_what_is_stated(tasks in networks(), base in prop::option::of(0_i64..30)) {
        let times = tasks.times(None, base);
        let end = |task: usize| times.earliest[task] + tasks.durations[task];
        let opens = |task: usize| {
            let start = tasks.windows[task].start?;
            Some(start.duration_since(times.start?).max(SignedDuration::ZERO))
        };
        let longest = (0..tasks.before.len()).map(end).max().unwrap_or_default();
        prop_assert_eq!(times.length, longest);
        for (task, waits) in tasks.before.iter().enumerate() {
            let ready = waits.iter().map(|wait| end(wait.before) + wait.lag);
            let ready = ready.chain(opens(task)).max().unwrap_or_default();
            prop_assert_eq!(times.earliest[task], ready);
            prop_assert!(times.latest[task] >= times.earliest[task]);
            prop_assert!(times.latest[task] + tasks.durations[task] <= times.length);
            for wait in waits {
                let latest = times.latest[wait.before] + tasks.durations[wait.before] + wait.lag;
                let late = times.latest[wait.before] == times.earliest[wait.before];
                prop_assert!(latest <= times.latest[task] || late);
            }
            let closes = tasks.windows[task].end.zip(times.start).map(|(end, start)| end.duration_since(start));
            let missed = closes.is_some_and(|closes| closes <= times.earliest[task]);
            prop_assert_eq!(times.missed.contains(&task), missed);
            prop_assert!(missed || closes.is_none_or(|closes| times.latest[task] < closes));
        }
        // The path is without gaps, from what nothing but a window holds back to the end.
        for step in times.path.windows(2) {
            let wait = tasks.before[step[1]].iter().filter(|wait| wait.before == step[0]).map(|wait| wait.lag).max();
            let lag = wait.expect("a step of the path is a dependency");
            prop_assert_eq!(end(step[0]) + lag, times.earliest[step[1]]);
        }
        let (first, last) = (times.path[0], times.path[times.path.len() - 1]);
        prop_assert_eq!(end(last), times.length);
        prop_assert!(times.earliest[first].is_zero() || opens(first) == Some(times.earliest[first]));
        prop_assert!(times.path.iter().all(|task| times.is_critical(*task)));
    }
}
