//! The runtime, and being asked to stop by a signal.

use std::num::NonZero;

use tokio::runtime::{Builder, Runtime};

use crate::exit::Failure;

/// A runtime for everything that talks to the network.
pub fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)
}

/// One with half of the processors: the others have to do with what is read, made durable and
/// written beside it.
pub fn runtime_beside_others() -> Result<Runtime, Failure> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    Builder::new_multi_thread()
        .worker_threads(processors.div_ceil(2))
        .enable_all()
        .build()
        .map_err(Failure::Runtime)
}

/// SIGXFSZ, which says that a file would become larger than the process may make it. It ends a
/// process that does not catch it; one that does is told so by the write.
#[cfg(unix)]
const FILE_TOO_LARGE: i32 = 25;

/// SIGINT and SIGTERM, caught from the moment this is made.
#[cfg(unix)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Begins to catch them. Must run on a tokio runtime.
    pub fn catch() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let catch = |kind| signal(kind).map_err(Failure::Runtime);
        // Caught once is caught for good.
        drop(catch(SignalKind::from_raw(FILE_TOO_LARGE))?);
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
        })
    }

    /// Done at the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// It is caught from the first wait for it.
    pub fn catch() -> Result<Self, Failure> {
        Ok(Self)
    }

    /// Done at the next one.
    pub async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!("signals cannot be received: {error}");
            std::future::pending::<()>().await;
        }
    }
}
