//! catalog

pub mod expression;
