//! The TMF702 client against the mock, and against servers that misbehave.

#![allow(clippy::unwrap_used)]

mod support;

mod answers;
mod callbacks;
mod documented;
mod faults;
mod monitors;
mod playing;
mod questions;
mod record;
mod replay;
mod script;
mod simulated;
