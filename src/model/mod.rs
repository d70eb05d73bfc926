//! TM Forum entities as they are on the wire.

pub mod state;
