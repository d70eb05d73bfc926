//! Work on many things at once, on as many threads as there are processors.
//!
//! What comes of it does not depend on how many there are: results are in the
//! order of the things.

use std::num::NonZero;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::mpsc::{channel, sync_channel};
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

/// As [`parts`], for work that changes the things where they are.
pub fn parts_mut<T: Send>(list: &mut [T], many: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if list.len() < many {
        return work(0, list);
    }
    let size = list.len().div_ceil(threads()).max(1);
    let parts = list.chunks_mut(size).enumerate();
    map(parts.collect(), |(number, part)| work(number * size, part));
}

/// What comes of pieces of `size` things of a list, handed to `take` one after the other in their
/// sequence, until it wants no more. Each thread is but one piece ahead of it, so that what is made
/// is never there as a whole; and makes it in the room of a piece that has been taken, which is to
/// be left empty: memory that the system has to find takes longer than what is done with it.
pub fn pieces<T: Sync, R: Send + Default, B>(
    list: &[T],
    size: usize,
    work: impl Fn(usize, &[T], &mut R) + Sync,
    mut take: impl FnMut(&mut R) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let count = list.len().div_ceil(size.max(1));
    let threads = threads().min(count);
    let mut pieces = list.chunks(size.max(1)).enumerate();
    if threads < 2 {
        let mut room = R::default();
        return pieces.try_for_each(|(number, piece)| {
            work(number * size, piece, &mut room);
            take(&mut room)
        });
    }
    let mut shares: Vec<Vec<_>> = (0..threads).map(|_| Vec::new()).collect();
    for (number, piece) in pieces {
        shares[number % threads].push((number * size, piece));
    }
    thread::scope(|scope| {
        let (work, mut made) = (&work, Vec::with_capacity(threads));
        for share in shares {
            let (sender, receiver) = sync_channel(1);
            let (give_back, taken) = channel();
            made.push((receiver, give_back));
            scope.spawn(move || {
                for (start, piece) in share {
                    let mut room = taken.try_recv().unwrap_or_default();
                    work(start, piece, &mut room);
                    if sender.send(room).is_err() {
                        return;
                    }
                }
            });
        }
        for number in 0..count {
            let (made, give_back) = &made[number % threads];
            // A thread that panics hands over nothing; the scope panics with it.
            let Ok(mut piece) = made.recv() else {
                break;
            };
            take(&mut piece)?;
            let _wanted_or_not = give_back.send(piece);
        }
        ControlFlow::Continue(())
    })
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
    use std::ops::ControlFlow;

    use super::{map, parts, parts_mut, pieces};

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
        for many in [0, 1001, 1002] {
            let mut places = vec![0; 1001];
            parts_mut(&mut places, many, |start, part| {
                for (place, it) in (start..).zip(part) {
                    *it = place;
                }
            });
            assert_eq!(places, list);
        }
        let none: Vec<usize> = parts(&list[..0], 0, |_, part| part.len());
        assert_eq!(none.iter().sum::<usize>(), 0);
    }

    #[test]
    fn pieces_are_taken_in_their_sequence_until_there_are_enough() {
        let list: Vec<usize> = (0..1000).collect();
        for size in [1, 7, 999, 1000, 2000] {
            let mut taken = Vec::new();
            let ended = pieces(
                &list,
                size,
                |start, piece, room: &mut Vec<usize>| {
                    assert_eq!((piece[0], room.len()), (start, 0));
                    room.extend(piece);
                },
                |piece| {
                    taken.append(piece);
                    if taken.len() > 500 {
                        ControlFlow::Break(taken.len())
                    } else {
                        ControlFlow::Continue(())
                    }
                },
            );
            assert_eq!(ended, ControlFlow::Break(taken.len()));
            assert_eq!(taken, list[..taken.len()]);
            assert!(taken.len() <= 500 + size);
        }
        let none = pieces(&[0; 0], 7, |_, _, ()| (), |()| ControlFlow::Break(()));
        assert_eq!(none, ControlFlow::Continue(()));
    }

    #[test]
    fn a_panic_of_the_work_is_one_of_the_caller() {
        let panicked = std::panic::catch_unwind(|| {
            pieces(
                &[0; 100],
                1,
                |start, _, ()| assert_ne!(start, 90),
                |()| ControlFlow::<()>::Continue(()),
            )
        });
        assert!(panicked.is_err());
        let panicked = std::panic::catch_unwind(|| {
            map((0..100).collect(), |it: u32| assert_ne!(it, 90));
        });
        assert!(panicked.is_err());
    }
}
