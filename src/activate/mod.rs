//! Carrying a plan out.
//!
//! ```text
//! plan, journal ─▶ frontier: which tasks may start
//!                     │
//!                  engine: intent ▶ journal ▶ call ▶ outcome ▶ journal
//!                     │                        │
//!                  pool: endpoints,         policy: done, again or held
//!                  so many calls at once
//! ```
//!
//! The engine is one loop a chain; everything that is decided is decided by
//! [`frontier`] and [`policy`], which are pure. Chains under way at the same
//! time share the endpoints and the journal. No request goes out before its
//! intent is durable, and nothing depends on an outcome before that is.

mod clock;
mod engine;
pub mod frontier;
pub mod intake;
mod lanes;
pub mod policy;
mod pool;
mod stop;

pub use clock::{Clock, SystemClock};
pub use engine::{ActivateError, Chain, Engine, Log, Observer, Report, RunState, Step};
pub use lanes::Lanes;
pub use pool::{Callable, Pool};
pub use stop::{Stop, Stopper};
