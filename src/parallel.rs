//! Work on many things at once, on as many threads as there are processors.
//!
//! What comes of it does not depend on how many there are: results are in the
//! order of the things.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, Builder, JoinHandle};

/// More threads than this are not worth starting for what takes part of a second.
const MOST_THREADS: usize = 8;
/// So many shares for each thread keep all of them busy to the end.
const SHARES: usize = 8;

/// What `work` makes of each thing, in their order. For things that together take longer than
/// starting threads does.
pub fn map<T: Send, R: Send>(things: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = threads().min(things.len());
    if threads < 2 {
        return things.into_iter().map(work).collect();
    }
    let share = things.len().div_ceil(threads * SHARES);
    let count = things.len();
    let waiting = Mutex::new(things.into_iter().enumerate());
    let take = || {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.by_ref().take(share).collect::<Vec<_>>()
    };
    let run = || {
        let mut made: Vec<(usize, Vec<R>)> = Vec::new();
        loop {
            let taken = take();
            let Some((first, _)) = taken.first() else {
                return made;
            };
            let first = *first;
            made.push((first, taken.into_iter().map(|(_, it)| work(it)).collect()));
        }
    };
    let mut parts = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut parts = run();
        for other in others {
            parts.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        parts
    });
    parts.sort_unstable_by_key(|(first, _)| *first);
    let mut all = Vec::with_capacity(count);
    all.extend(parts.into_iter().flat_map(|(_, part)| part));
    all
}

/// So many things, each of which takes some microseconds, are worth threads of their own.
const MANY: usize = 1024;

/// As [`map`], where there are many things; few are worked on one after the other.
pub fn map_many<T: Send, R: Send>(things: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    map_over(things.len(), things, work)
}

/// As [`map_many`], for work each part of which goes through `size` things.
pub fn map_over<T: Send, R: Send>(
    size: usize,
    things: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    if size < MANY {
        things.into_iter().map(work).collect()
    } else {
        map(things, work)
    }
}

/// What comes of the parts of a list, in their sequence: `work` gets the position at which its part
/// begins, and the part. A list of fewer than `many` is one part; others have one for each thread.
pub fn parts<T: Sync, R: Send>(
    list: &[T],
    many: usize,
    work: impl Fn(usize, &[T]) -> R + Sync,
) -> Vec<R> {
    if list.len() < many {
        return vec![work(0, list)];
    }
    let size = list.len().div_ceil(threads()).max(1);
    let parts = list.chunks(size).enumerate();
    map(parts.collect(), |(number, part)| work(number * size, part))
}

/// Gives back the memory of something large beside what follows: by a thread, for which nobody waits
/// when the process ends. One thing at a time, so that what is not needed any more never piles up.
pub fn discard<T: Send + 'static>(thing: T) {
    static BEFORE: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = before.take() {
        let _done_or_panicked = before.join();
    }
    // Without a thread it is given back right here.
    *before = Builder::new().spawn(move || drop(thing)).ok();
}

/// The system is asked once: that takes longer than what is done for a small order.
fn threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    let count = || thread::available_parallelism().map_or(1, NonZero::get);
    (*THREADS.get_or_init(count)).min(MOST_THREADS)
}

#[cfg(test)]
mod tests {
    use super::{map, parts};

    #[test]
    fn results_are_in_the_order_of_the_things() {
        for count in [0, 1, 2, 15, 1000] {
            let things: Vec<usize> = (0..count).collect();
            let twice: Vec<usize> = things.iter().map(|it| it * 2).collect();
            assert_eq!(map(things, |it| it * 2), twice);
        }
    }

    #[test]
    fn parts_are_in_their_sequence() {
        let list: Vec<usize> = (0..1001).collect();
        for many in [0, 1001, 1002] {
            let copied = parts(&list, many, |start, part| {
                assert_eq!(part[0], start);
                part.to_vec()
            });
            assert_eq!(copied.concat(), list);
        }
        let none: Vec<usize> = parts(&list[..0], 0, |_, part| part.len());
        assert_eq!(none.iter().sum::<usize>(), 0);
    }

    #[test]
    fn a_panic_of_the_work_is_one_of_the_caller() {
        let panicked = std::panic::catch_unwind(|| {
            map((0..100).collect(), |it: u32| assert_ne!(it, 90));
        });
        assert!(panicked.is_err());
    }
}
