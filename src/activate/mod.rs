//! Carrying a plan out.
//!
//! ```text
//! plan, journal ─▶ frontier: which tasks may start
//!                     │
//!                  drive ──▶ work: intent ▶ journal ▶ call ▶ outcome ▶ journal
//!                     ▲              │           │            │
//!  what others write ─┘   policy: send,   pool, traffic:   policy: done, again,
//!                         ask or hold     so many calls    held or failed
//! ```
//!
//! The engine drives one loop a chain; everything that is decided is decided by
//! [`frontier`] and [`policy`], which are pure. Chains under way at the same
//! time share the endpoints and the journal. No request goes out before its
//! intent is durable, and with it the outcomes of what it waits for: the intent
//! is written behind them, and need not wait until they are.
//!
//! People write into the journal of an order beside the engine: what they have
//! decided about a task is noticed before its next request, and at the latest
//! when nothing else goes on.

mod adopt;
mod clock;
mod drive;
mod engine;
pub mod forecast;
pub mod frontier;
pub mod hand;
pub mod intake;
mod lanes;
mod log;
mod outlook;
mod permits;
pub mod policy;
mod pool;
mod stop;
mod traffic;
mod work;

pub use clock::{Busy, Clock, SystemClock, VirtualClock};
pub use engine::{
    ActivateError, Chain, Engine, Observer, Report, RunState, Step, Wait, WaitFor, Waits,
};
pub use lanes::Lanes;
pub use log::Log;
pub use outlook::Outlook;
pub use pool::{Callable, Pool};
pub use stop::{Stop, Stopper};
