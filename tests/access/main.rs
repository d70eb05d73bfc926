//! How endpoints are reached: credentials, TLS, redirects, limits.

#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../support/mod.rs"]
mod support;

mod credentials;
mod limits;
mod listening;
mod secrets;
mod server;
mod tls;
