//! `orderctl activate` and `orderctl mock`, as their callers see them.

#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../support/mod.rs"]
mod support;

mod batch;
mod doubt;
mod events;
mod journal;
mod listening;
mod mock_command;
mod outcome;
mod people;
mod refusal;
mod rerun;
mod revision;
mod standing;
#[cfg(unix)]
mod stopping;
