//! So many calls at once: whoever comes first is served first.
//!
//! Unlike with a semaphore of tokio, who is given a permit is busy from that
//! very moment, and not only once it has noticed: a virtual clock must not
//! jump in between.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::clock::{Busy, LaidDown};

/// Permits, and who waits for one.
#[derive(Debug)]
pub(super) struct Permits(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    waiting: VecDeque<(LaidDown, oneshot::Sender<(Permit, Busy)>)>,
}

/// The right to make a call, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Option<Arc<Permits>>);

impl Permits {
    /// At least one.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            free: count.max(1),
            waiting: VecDeque::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place in the queue, at once. Whoever waits is not busy.
    pub fn queue(self: &Arc<Self>, busy: Busy) -> Turn {
        let mut state = self.state();
        if state.free > 0 {
            state.free -= 1;
            return Turn::Now(Permit(Some(Arc::clone(self))), busy);
        }
        let (tell, told) = oneshot::channel();
        let laid_down = busy.lay_down();
        state.waiting.push_back((laid_down, tell));
        Turn::Later(told)
    }
}

/// A place in the queue.
#[derive(Debug)]
pub(super) enum Turn {
    Now(Permit, Busy),
    Later(oneshot::Receiver<(Permit, Busy)>),
}

impl Turn {
    /// Waits for the permit.
    pub async fn come(self) -> (Permit, Busy) {
        match self {
            Self::Now(permit, busy) => (permit, busy),
            Self::Later(told) => told
                .await
                .expect("whoever holds a permit hands it on before it goes"),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(permits) = self.0.take() else { return };
        loop {
            let mut state = permits.state();
            let Some((laid_down, tell)) = state.waiting.pop_front() else {
                state.free += 1;
                return;
            };
            drop(state);
            let permit = Permit(Some(Arc::clone(&permits)));
            let Err((mut permit, _busy)) = tell.send((permit, laid_down.take_up())) else {
                return;
            };
            // Nobody waits there any more: the next one.
            permit.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activate::clock::{Clock as _, SystemClock};

    #[tokio::test]
    async fn permits_are_given_in_turn_and_not_to_who_has_gone() {
        let permits = Permits::new(1);
        let queue = || Box::pin(permits.queue(SystemClock.busy()).come());
        let (first, _) = queue().await;
        let (second, mut third) = (queue(), queue());
        drop(second);
        assert!(now(&mut third).await.is_none());
        drop(first);
        let (third, _) = now(&mut third).await.expect("its turn");
        // Given, and dropped before anybody noticed.
        let fourth = queue();
        drop(third);
        drop(fourth);
        assert!(now(&mut queue()).await.is_some());
    }

    /// What a future has come to, if it has.
    async fn now<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }
}
