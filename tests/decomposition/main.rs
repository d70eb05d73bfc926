//! What rules make of orders: add, modify and delete, without a network.

#![allow(clippy::unwrap_used)]

mod between;
mod inside;
mod mobile;
mod places;
mod sites;
mod stories;
mod strangers;
mod world;
