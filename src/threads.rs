//! Work on a large list by several threads.

use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

/// What comes of the parts of a list, in their sequence: `work` gets the position at which its part
/// begins, and the part. A list of fewer than `many` is one part and worked on by this thread; others
/// have as many parts as there are threads that run at once.
pub fn split<T: Sync, R: Send>(
    list: &[T],
    many: usize,
    work: impl Fn(usize, &[T]) -> R + Sync,
) -> Vec<R> {
    if list.len() < many {
        return vec![work(0, list)];
    }
    let threads = thread::available_parallelism().map_or(1, Into::into);
    let size = list.len().div_ceil(threads).max(1);
    let parts = list.chunks(size).enumerate();
    thread::scope(|scope| {
        let work = &work;
        let started: Vec<_> = parts
            .map(|(number, part)| scope.spawn(move || work(number * size, part)))
            .collect();
        started.into_iter().map(joined).collect()
    })
}

/// What came of a thread, once it has ended; it panics as the thread did.
pub fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_come_in_their_sequence() {
        let list: Vec<usize> = (0..1001).collect();
        for many in [0, 1001, 1002] {
            let parts = split(&list, many, |start, part| {
                assert_eq!(part[0], start);
                part.to_vec()
            });
            assert_eq!(parts.concat(), list);
        }
        assert_eq!(
            split(&list[..0], 0, |_, part| part.len())
                .iter()
                .sum::<usize>(),
            0
        );
    }
}
