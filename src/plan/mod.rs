//! Chains to plans: tasks, their dependencies and their schedule.

pub mod flow;
