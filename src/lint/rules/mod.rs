//! The lint rules, one file each, in one table.

mod always_false;
mod always_true;
mod contradiction;
mod dependency_cycle;
mod duplicate_name;
mod life_cycle;
mod mandatory_unsupplied;
mod mapping_range;
mod no_activation;
mod no_compensation;
mod overlap;
mod return_before_gate;
mod undefined_endpoint;
mod unreachable_rule;
mod unreachable_specification;
mod unused_document;

use super::Rule;

/// All rules, by code.
pub static RULES: &[Rule] = &[
    always_false::RULE,
    always_true::RULE,
    contradiction::RULE,
    dependency_cycle::RULE,
    duplicate_name::RULE,
    life_cycle::RULE,
    mandatory_unsupplied::RULE,
    mapping_range::RULE,
    no_activation::RULE,
    no_compensation::RULE,
    overlap::RULE,
    return_before_gate::RULE,
    undefined_endpoint::RULE,
    unreachable_rule::RULE,
    unreachable_specification::RULE,
    unused_document::RULE,
];
