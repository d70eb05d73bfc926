//! orderctl
pub mod diagnostic;
pub mod document;
pub mod graph;
pub mod schemas;
pub mod model;
pub mod catalog;
pub mod chain;
pub mod validate;
pub mod decompose;
pub mod plan;
pub mod endpoint;
pub mod journal;
pub mod progress;
pub mod activate;
pub mod status;
pub mod mock;
pub mod project;
