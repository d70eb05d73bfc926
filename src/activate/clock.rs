//! Time, as something that is handed in.

use std::time::Duration;

use jiff::Timestamp;

/// What tells the time and waits.
pub trait Clock: Send + Sync + 'static {
    /// The time, to the microsecond.
    fn now(&self) -> Timestamp;

    /// Done after `duration`.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// The system's clock and tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "here time enters the library")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // The journal keeps microseconds; what is in memory shall be the same.
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }
}
