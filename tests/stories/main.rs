//! The stories of `examples/`, told with the real binary: counts and sequences
//! on the plan, and again on the journal of a run against the mock; then change
//! and cease, with the installed base that the orders before have left.

#![allow(clippy::unwrap_used)]

mod broadband_b2c;
mod cloud_msp;
#[path = "../support/fetch.rs"]
mod fetch;
mod fixed_b2b;
mod mobile_4g;
mod mobile_5g;
mod plan;
mod run;
mod satellite_maritime;
mod sdwan_b2b;
mod story;
