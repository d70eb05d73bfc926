//! The runtime, and being asked to stop by a signal.

use std::io;

use tokio::runtime::{Builder, Runtime};

use crate::exit::Failure;

/// A runtime for everything that talks to the network.
pub fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)
}

/// Done at the next SIGINT or SIGTERM.
#[cfg(unix)]
pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => never(&error).await,
    }
}

/// Done at the next Ctrl-C.
#[cfg(not(unix))]
pub async fn asked_to_stop() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        never(&error).await;
    }
}

async fn never(error: &io::Error) {
    tracing::warn!("signals cannot be received: {error}");
    std::future::pending::<()>().await;
}
