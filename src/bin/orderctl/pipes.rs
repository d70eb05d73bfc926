//! Pipes between stages, made wide enough for stages to work side by side.
//! Linux only: elsewhere a pipe is as wide as it is.

use std::os::fd::AsFd;

/// Bytes that a pipe is asked to hold: some forty planned orders. What Linux gives by default is
/// full after three, and the stages take turns in place of working at the same time.
const WIDTH: usize = 1 << 20;

/// Widens the pipe behind a stream; nothing happens to what is no pipe, or where the system
/// allows no more.
pub fn widen(stream: &impl AsFd) {
    if let Err(reason) = rustix::pipe::fcntl_setpipe_size(stream, WIDTH) {
        tracing::debug!("not a pipe that can be widened: {reason}");
    }
}
