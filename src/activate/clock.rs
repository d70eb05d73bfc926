//! Time, as something that is handed in.

use std::collections::{BTreeMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;

use crate::journal::ClockKind;

/// What tells the time and waits.
pub trait Clock: Send + Sync + 'static {
    /// What its times are.
    fn kind(&self) -> ClockKind;

    /// The clock of an order that is carried out from this moment on; one that
    /// shows what it shows stays as it is.
    fn starting_at(self: &Arc<Self>, at: Timestamp) -> Arc<Self>;

    /// The time, to the microsecond.
    fn now(&self) -> Timestamp;

    /// Keeps the time from jumping until it is dropped.
    fn busy(&self) -> Busy;

    /// Done after `duration`; meanwhile the time may jump.
    fn sleep(&self, duration: Duration, busy: Busy) -> impl Future<Output = Busy> + Send;

    /// Done after `duration` of the time in which people and machines live.
    fn patience(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// The system's clock and tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn kind(&self) -> ClockKind {
        ClockKind::System
    }

    fn starting_at(self: &Arc<Self>, _: Timestamp) -> Arc<Self> {
        Arc::clone(self)
    }

    #[expect(clippy::disallowed_methods, reason = "here time enters the library")]
    fn now(&self) -> Timestamp {
        // The journal keeps microseconds; what is in memory shall be the same.
        to_microsecond(Timestamp::now())
    }

    fn busy(&self) -> Busy {
        Busy(None)
    }

    async fn sleep(&self, duration: Duration, busy: Busy) -> Busy {
        // Tokio's timer takes a millisecond or two for nothing, too.
        if !duration.is_zero() {
            tokio::time::sleep(duration).await;
        }
        busy
    }

    fn patience(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }
}

fn to_microsecond(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// A clock for rehearsals. It stands still while anybody is busy, and jumps to
/// the next moment that somebody waits for as soon as nobody is.
#[derive(Debug, Clone, Default)]
pub struct VirtualClock(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    now: Timestamp,
    busy: usize,
    sleepers: BTreeMap<(Timestamp, u64), Option<Waker>>,
    /// Whose moment has come; each of them counts as busy.
    woken: HashSet<u64>,
    number: u64,
}

impl VirtualClock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self) {
        let mut state = self.state();
        state.busy -= 1;
        let wakers = state.jump();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl State {
    /// Jumps to the next moment that somebody waits for, where nobody is busy: all who wait for it
    /// are then.
    fn jump(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        if self.busy > 0 {
            return wakers;
        }
        if let Some(((at, _), _)) = self.sleepers.first_key_value() {
            self.now = self.now.max(*at);
        }
        while let Some(first) = self.sleepers.first_entry() {
            if first.key().0 > self.now {
                break;
            }
            self.woken.insert(first.key().1);
            wakers.extend(first.remove());
            self.busy += 1;
        }
        wakers
    }
}

impl Clock for VirtualClock {
    fn kind(&self) -> ClockKind {
        ClockKind::Virtual
    }

    fn starting_at(self: &Arc<Self>, at: Timestamp) -> Arc<Self> {
        let clock = Self::default();
        clock.state().now = to_microsecond(at);
        Arc::new(clock)
    }

    fn now(&self) -> Timestamp {
        self.state().now
    }

    fn busy(&self) -> Busy {
        self.state().busy += 1;
        Busy(Some(self.clone()))
    }

    async fn sleep(&self, duration: Duration, busy: Busy) -> Busy {
        if duration.is_zero() {
            return busy;
        }
        let sleep = {
            let mut state = self.state();
            // A part of a microsecond is slept as a whole one.
            let later = duration.saturating_add(Duration::from_nanos(999));
            let at = state.now.checked_add(later).unwrap_or(Timestamp::MAX);
            let at = to_microsecond(at);
            state.number += 1;
            let number = state.number;
            state.sleepers.insert((at, number), None);
            Sleep {
                clock: self.clone(),
                key: (at, number),
                is_over: false,
            }
        };
        drop(busy);
        sleep.await
    }

    fn patience(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }
}

/// Somebody who waits for a moment of a virtual clock.
struct Sleep {
    clock: VirtualClock,
    key: (Timestamp, u64),
    is_over: bool,
}

impl Future for Sleep {
    type Output = Busy;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Busy> {
        let clock = self.clock.clone();
        let mut state = clock.state();
        if state.woken.remove(&self.key.1) {
            drop(state);
            self.is_over = true;
            return Poll::Ready(Busy(Some(clock)));
        }
        let waker = context.waker().clone();
        state.sleepers.insert(self.key, Some(waker));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut state = self.clock.state();
        state.sleepers.remove(&self.key);
        let woken = state.woken.remove(&self.key.1);
        drop(state);
        if woken {
            self.clock.leave();
        }
    }
}

/// Somebody is at work: a clock that jumps stands still.
#[derive(Debug)]
pub struct Busy(Option<VirtualClock>);

impl Busy {
    /// Work that is laid down until somebody gives what it needs; whoever
    /// does takes it up again.
    pub(super) fn lay_down(self) -> LaidDown {
        LaidDown(self.0.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(clock) = &self.0 {
            clock.leave();
        }
    }
}

/// Work that waits for something else than time.
#[derive(Debug)]
pub(super) struct LaidDown(Option<VirtualClock>);

impl LaidDown {
    /// Goes on with it.
    pub fn take_up(self) -> Busy {
        if let Some(clock) = &self.0 {
            clock.state().busy += 1;
        }
        Busy(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn virtual_clock() -> Arc<VirtualClock> {
        Arc::new(VirtualClock::default()).starting_at(at(100))
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test]
    async fn time_jumps_to_the_next_moment_once_nobody_is_busy() {
        let clock = virtual_clock();
        let order = Mutex::new(Vec::new());
        let sleep = async |seconds: u64, busy: Busy| {
            let _busy = clock.sleep(Duration::from_secs(seconds), busy).await;
            order.lock().unwrap().push((seconds, clock.now()));
        };
        let (long, short) = (clock.busy(), clock.busy());
        tokio::join!(sleep(604_800, long), sleep(3, short));
        assert_eq!(
            *order.lock().unwrap(),
            [(3, at(103)), (604_800, at(604_900))]
        );
    }

    #[tokio::test]
    async fn time_stands_still_while_anybody_is_busy() {
        let clock = virtual_clock();
        let worker = clock.busy();
        let mut sleep = Box::pin(clock.sleep(seconds(60), clock.busy()));
        let is_over = async |sleep: &mut Pin<Box<_>>| {
            tokio::select! {
                biased;
                _ = sleep => true,
                () = std::future::ready(()) => false,
            }
        };
        assert!(!is_over(&mut sleep).await);
        assert_eq!(clock.now(), at(100));
        // Laid down and taken up again before it was noticed: still busy.
        let laid_down = worker.lay_down();
        assert_eq!(clock.now(), at(160));
        let worker = laid_down.take_up();
        assert!(is_over(&mut sleep).await);
        drop(worker);
    }

    #[tokio::test]
    async fn who_no_longer_waits_holds_nobody_up() {
        let clock = virtual_clock();
        let mut early = Box::pin(clock.sleep(seconds(1), clock.busy()));
        let late = clock.sleep(seconds(9), clock.busy());
        tokio::select! {
            biased;
            () = std::future::ready(()) => {}
            _ = &mut early => {}
        }
        // Its moment may have come, and it goes without having noticed.
        drop(early);
        drop(late.await);
        assert_eq!(clock.now(), at(109));
    }

    #[test]
    fn a_moment_is_one_of_the_journals() {
        let clock = Arc::new(VirtualClock::default());
        let odd = "2026-12-01T08:00:00.123456789Z".parse().unwrap();
        let shown = clock.starting_at(odd).now().to_string();
        assert_eq!(shown, "2026-12-01T08:00:00.123456Z");
    }
}
