//! One file a subcommand: arguments → one library call → write.

pub mod activate;
mod carried;
pub mod catalog;
pub mod completions;
mod configured;
pub mod decompose;
mod dry_run;
mod filter;
mod installed;
pub mod journal;
pub mod man;
pub mod mock;
mod open_orders;
pub mod plan;
pub mod policy;
mod ran;
mod revise;
pub mod schema;
pub mod status;
pub mod task;
pub mod validate;
mod watch;
