//! orderctl: a Unix toolkit for telecom orders.
//!
//! A commercial order (TMF622) is checked against a catalog, decomposed into
//! service orders (TMF641) and resource orders (TMF652), planned, carried out
//! against the management systems of a network, and followed. The program
//! `orderctl` is a thin layer over this crate: arguments → one library call →
//! write.
//!
//! # Bird's eye
//!
//! ```text
//! bytes ─ document ─▶ documents ─ chain ─▶ chains
//!                                            │ validate    is it acceptable?          (catalog)
//!                                            │ decompose   what does it need?         (catalog)
//!                                            │ plan        in which order, by which requests?
//!                                            ▼
//!              endpoint ◀─ activate ─▶ journal ─ progress ─▶ status, event
//! ```
//!
//! Everything up to and including `plan`, and `status`, is a pure function: no
//! clock, no environment, no randomness, no input or output. What a stage finds
//! wrong with a document is a [`diagnostic`]; what goes wrong with the run is
//! an error of its module.
//!
//! # Modules, in reading order
//!
//! Each uses only those before it.
//!
//! | module | what is in it |
//! |---|---|
//! | [`diagnostic`] | findings as data; renderers for people and programs |
//! | [`document`] | JSON, YAML and TOML to documents that keep their text and know their places |
//! | [`configuration`] | files of settings in TOML, every fault with its place |
//! | [`graph`] | cycles of directed graphs |
//! | `parallel` | work on many things at once |
//! | [`retry`] | what is done about requests that come to nothing: policies as data |
//! | [`schemas`] | the JSON Schemas of `schemas/`, and documents checked against them |
//! | [`model`] | TM Forum's orders as views on documents; life cycles and their roll-up |
//! | [`catalog`] | offerings, specifications, rules and their expressions (CEL), loaded and checked |
//! | [`lint`] | is a catalog sensible: one rule, one file, one table |
//! | [`comparison`] | two catalogs: what is different, and what of it breaks orders |
//! | [`chain`] | an order and everything derived from it |
//! | [`inventory`] | the installed base: products, services, resources; what a chain makes of it |
//! | [`validate`] | is an order acceptable: one rule, one file, one table |
//! | [`decompose`] | the COM and the SOM step, and why each item was made or not |
//! | [`plan`] | tasks, dependencies, schedule, requests, digests, drawings |
//! | [`rehearsal`] | an order through all that is pure, and what came of it as facts that are kept and compared |
//! | [`impact`] | what a change of a catalog does to orders, by its causes |
//! | [`coverage`] | what of a catalog orders exercise, and orders for the rest |
//! | [`endpoint`] | the systems at the far end, one protocol a file |
//! | [`journal`] | what was meant and what was done: entries, their replay, SQLite |
//! | [`progress`] | states of tasks to states of items and orders |
//! | [`revision`] | orders cancelled, changed, undone in part: what is kept, undone, done again |
//! | [`event`] | TM Forum's events of orders as they move |
//! | [`activate`] | the one loop that carries plans out |
//! | [`status`] | where an order stands, and what it waits for |
//! | [`mock`] | TMF702 systems to practise on |
//! | [`project`] | the project file |
//!
//! # Invariants
//!
//! - A document is never re-written from a model: changes are edits of its text, so what orderctl
//!   does not know survives every stage.
//! - A [`catalog::Catalog`] exists only if all of it is sound; a [`validate::ValidOrder`] only comes
//!   from validation; a plan has no cycle.
//! - `activate` does not know the catalog: the plan is the program. `status` does not know
//!   `activate`: looking cannot act. Both replay the journal through one fold.
//! - No request is sent before its intent and the outcomes of all that it waits for are durable.
//!   Nobody is told of an outcome before it is.
//! - Ids of derived documents are computed from where they come from; outputs depend on nothing
//!   but inputs.

pub mod activate;
pub mod catalog;
pub mod chain;
pub mod comparison;
pub mod configuration;
pub mod coverage;
pub mod decompose;
pub mod diagnostic;
pub mod document;
pub mod endpoint;
pub mod event;
pub mod graph;
pub mod impact;
pub mod inventory;
pub mod journal;
pub mod lint;
pub mod mock;
pub mod model;
mod parallel;
pub mod plan;
pub mod progress;
pub mod project;
pub mod rehearsal;
pub mod retry;
pub mod revision;
pub mod schemas;
pub mod status;
pub mod validate;
