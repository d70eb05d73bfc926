//! What rules make of orders: add, modify and delete, without a network.

#![allow(clippy::unwrap_used)]

mod mobile;
mod world;
